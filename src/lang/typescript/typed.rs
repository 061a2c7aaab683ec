//! Methods of other files' classes, by the written type of what they are
//! called on: `this.users.find(id)` where `users` is declared a `UserService`.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, BindingPattern, ClassElement, Expression, TSSignature, TSType, TSTypeName};

use super::path::{Binding, Imported, Path, Root};
use super::values::key_name;
use super::{Model, bare};
use crate::observe::NameRef;
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

/// What tells the type of a field.
enum Held<'a> {
    /// Its annotation.
    Written(&'a TSType<'a>),
    /// The class that makes its value.
    Made(Imported<'a>),
}

impl<'a> Model<'a> {
    /// The method that a path calls, where its receiver is an object of a class
    /// or type of another file; `at` is a node inside the receiver's class.
    pub fn typed_ref(&self, path: &Path<'_, 'a>, at: NodeId) -> Option<NameRef> {
        /// `context.dataSources.reviews.summary`; more lie seldom between.
        const BETWEEN: usize = 3;
        let (imported, key, members) = match (path.root, path.members.as_slice()) {
            (Root::This, [field, members @ ..]) if !members.is_empty() => {
                let (imported, used) = match self.type_of_field(self.class_of(at)?, field)? {
                    Held::Written(ty) => self.type_behind(ty, members)?,
                    Held::Made(class) => (class, 0),
                };
                (imported, None, &members[used..])
            }
            (Root::Symbol(symbol, _), members) if !members.is_empty() => {
                if let Some((imported, key)) = self.type_around(symbol) {
                    (imported, key, members)
                } else {
                    let declared = self.declared_type(symbol).and_then(|ty| self.type_behind(ty, members));
                    let made = || match self.binding(symbol) {
                        Binding::Constant(init) => Some((self.class_made(init)?, 0)),
                        _ => None,
                    };
                    let (imported, used) = declared.or_else(made)?;
                    (imported, None, &members[used..])
                }
            }
            _ => return None,
        };
        if members.len() > BETWEEN {
            return None;
        }
        let members = key.into_iter().chain(members.iter().map(|&member| member.to_owned())).collect();
        Some(NameRef { module: imported.module.to_owned(), name: imported.name.to_owned(), members })
    }

    /// What a field holds: as it is annotated, by the class that makes its
    /// value, or as a parameter property of the constructor.
    fn type_of_field(&self, class: NodeId, field: &str) -> Option<Held<'a>> {
        let AstKind::Class(class) = self.kind(class) else { return None };
        class.body.body.iter().find_map(|element| match element {
            ClassElement::PropertyDefinition(property) if key_name(&property.key).as_deref() == Some(field) => {
                let annotated = property.type_annotation.as_ref().map(|a| Held::Written(&a.type_annotation));
                annotated.or_else(|| self.class_made(property.value.as_ref()?).map(Held::Made))
            }
            ClassElement::MethodDefinition(method) if method.kind.is_constructor() => {
                let parameter = method.value.params.items.iter().find(|parameter| {
                    let is_property = parameter.accessibility.is_some() || parameter.readonly;
                    let named = |id: &oxc_ast::ast::BindingIdentifier<'_>| id.name.as_str() == field;
                    is_property && matches!(&parameter.pattern, BindingPattern::BindingIdentifier(id) if named(id))
                })?;
                Some(Held::Written(&parameter.type_annotation.as_ref()?.type_annotation))
            }
            _ => None,
        })
    }

    /// The type of another file that a written type is, or that one of its
    /// members has where this file writes the type itself: `deps.articles` of
    /// `interface Deps { articles: ArticleRepository }`; with how many of
    /// `members` lead there. The last of them is what is called.
    fn type_behind(&self, ty: &'a TSType<'a>, members: &[&str]) -> Option<(Imported<'a>, usize)> {
        let mut ty = ty;
        for (used, member) in members.iter().enumerate() {
            if let Some(imported) = self.imported_type(ty) {
                return Some((imported, used));
            }
            ty = self.member_type(ty, member)?;
        }
        None
    }

    /// What a type that is written in this file holds.
    pub(super) fn shape_of(&self, ty: &'a TSType<'a>) -> Option<&'a [TSSignature<'a>]> {
        match ty {
            TSType::TSTypeLiteral(literal) => Some(&literal.members),
            TSType::TSTypeReference(reference) => {
                let TSTypeName::IdentifierReference(id) = &reference.type_name else { return None };
                match self.kind(self.scoping().symbol_declaration(self.symbol_of(id)?)) {
                    AstKind::TSInterfaceDeclaration(interface) => Some(&interface.body.body),
                    AstKind::TSTypeAliasDeclaration(alias) => match &alias.type_annotation {
                        TSType::TSTypeLiteral(literal) => Some(&literal.members),
                        _ => None,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The type of a member of a type that is written in this file.
    fn member_type(&self, ty: &'a TSType<'a>, member: &str) -> Option<&'a TSType<'a>> {
        let members = self.shape_of(ty)?;
        members.iter().find_map(|signature| match signature {
            TSSignature::TSPropertySignature(property) if key_name(&property.key).as_deref() == Some(member) => {
                Some(&property.type_annotation.as_ref()?.type_annotation)
            }
            _ => None,
        })
    }

    /// The written type of the parameter that a name is taken out of, and the
    /// name's key there: `({ orders }: Context) => …`. Where this file writes the
    /// type, the name's own.
    fn type_around(&self, symbol: SymbolId) -> Option<(Imported<'a>, Option<String>)> {
        let (ty, key) = self.taken_out_of(symbol)?;
        match self.imported_type(ty) {
            Some(imported) => Some((imported, Some(key))),
            None => Some((self.imported_type(self.member_type(ty, &key)?)?, None)),
        }
    }

    /// The type that this file writes for what a parameter's pattern takes out:
    /// `redis` of `({ redis }: Deps)` beside `interface Deps { redis: Redis }`.
    pub(super) fn type_taken_out(&self, symbol: SymbolId) -> Option<&'a TSType<'a>> {
        let (ty, key) = self.taken_out_of(symbol)?;
        self.member_type(ty, &key)
    }

    /// The written type of the parameter that a name is taken out of, and the
    /// name's key there.
    fn taken_out_of(&self, symbol: SymbolId) -> Option<(&'a TSType<'a>, String)> {
        if !matches!(self.binding(symbol), Binding::Parameter) {
            return None;
        }
        let declared = self.scoping().symbol_declaration(symbol);
        let mut around = std::iter::once(declared).chain(self.nodes().ancestor_ids(declared));
        let AstKind::FormalParameter(parameter) = around.find_map(|id| match self.kind(id) {
            kind @ AstKind::FormalParameter(_) => Some(kind),
            _ => None,
        })?
        else {
            return None;
        };
        let BindingPattern::ObjectPattern(object) = &parameter.pattern else { return None };
        let key = object.properties.iter().find_map(|property| match &property.value {
            BindingPattern::BindingIdentifier(id) if id.symbol_id.get() == Some(symbol) => key_name(&property.key),
            _ => None,
        })?;
        Some((&parameter.type_annotation.as_ref()?.type_annotation, key.into_owned()))
    }

    /// The type of another file that a written type is, or a part of:
    /// `Pick<Container, 'orders'>`, `type Deps = Partial<Container>`.
    pub(super) fn imported_type(&self, ty: &TSType<'a>) -> Option<Imported<'a>> {
        const PARTS: &[&str] = &["Pick", "Omit", "Partial", "Required", "Readonly", "NonNullable"];
        /// Types in types are seldom deeper; the bound only ends a circle.
        const DEPTH: usize = 4;
        let mut ty = ty;
        for _ in 0..DEPTH {
            let TSType::TSTypeReference(reference) = ty else { return None };
            let TSTypeName::IdentifierReference(id) = &reference.type_name else { return None };
            if PARTS.contains(&id.name.as_str()) {
                ty = reference.type_arguments.as_ref()?.params.first()?;
                continue;
            }
            let symbol = self.symbol_of(id)?;
            if let Binding::Import(imported) = self.binding(symbol) {
                return Some(imported);
            }
            let AstKind::TSTypeAliasDeclaration(alias) = self.kind(self.scoping().symbol_declaration(symbol)) else {
                return None;
            };
            ty = &alias.type_annotation;
        }
        None
    }

    /// `new Orders(…)`, and `container.resolve(Orders)`, which gives an instance.
    fn class_made(&self, value: &'a Expression<'a>) -> Option<Imported<'a>> {
        let path = match bare(value) {
            Expression::NewExpression(new) => self.path_of(&new.callee),
            Expression::CallExpression(call) => {
                let [Argument::Identifier(class)] = call.arguments.as_slice() else { return None };
                let asked = self.callee(call);
                let resolves = matches!(asked.leaf(), "resolve" | "get") && !asked.receiver_name().is_empty();
                let named = class.name.starts_with(|c: char| c.is_ascii_uppercase())
                    && class.name.contains(|c: char| c.is_ascii_lowercase());
                if !resolves || !named {
                    return None;
                }
                self.path_of(call.arguments.first()?.as_expression()?)
            }
            _ => return None,
        };
        self.imported(&path).filter(|_| path.members.is_empty())
    }
}
