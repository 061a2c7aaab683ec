//! Methods of other files' classes, by the written type of what they are
//! called on: `this.users.find(id)` where `users` is declared a `UserService`.

use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, ClassElement, Expression, TSType, TSTypeName};

use super::path::{Binding, Imported, Path, Root};
use super::values::key_name;
use super::{Model, bare};
use crate::observe::NameRef;
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

impl<'a> Model<'a> {
    /// The method that a path calls, where its receiver is an object of a class
    /// or type of another file; `at` is a node inside the receiver's class.
    pub fn typed_ref(&self, path: &Path<'_, 'a>, at: NodeId) -> Option<NameRef> {
        /// An object of a context that a request brings; more lie seldom between.
        const BETWEEN: usize = 2;
        let (imported, key, members) = match (path.root, path.members.as_slice()) {
            (Root::This, [field, members @ ..]) if !members.is_empty() => {
                (self.type_of_field(self.class_of(at)?, field)?, None, members)
            }
            (Root::Symbol(symbol, _), members) if !members.is_empty() => {
                if let Some((imported, key)) = self.type_around(symbol) {
                    (imported, Some(key), members)
                } else {
                    let declared = self.declared_type(symbol).and_then(|ty| self.imported_type(ty));
                    let made = || match self.binding(symbol) {
                        Binding::Constant(init) => self.class_made(init),
                        _ => None,
                    };
                    (declared.or_else(made)?, None, members)
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

    /// The type of a field: as it is annotated, by the class that makes its
    /// value, or as a parameter property of the constructor.
    fn type_of_field(&self, class: NodeId, field: &str) -> Option<Imported<'a>> {
        let AstKind::Class(class) = self.kind(class) else { return None };
        class.body.body.iter().find_map(|element| match element {
            ClassElement::PropertyDefinition(property) if key_name(&property.key).as_deref() == Some(field) => {
                let annotated = property.type_annotation.as_ref();
                let annotated = annotated.and_then(|a| self.imported_type(&a.type_annotation));
                annotated.or_else(|| self.class_made(property.value.as_ref()?))
            }
            ClassElement::MethodDefinition(method) if method.kind.is_constructor() => {
                let parameter = method.value.params.items.iter().find(|parameter| {
                    let is_property = parameter.accessibility.is_some() || parameter.readonly;
                    let named = |id: &oxc_ast::ast::BindingIdentifier<'_>| id.name.as_str() == field;
                    is_property && matches!(&parameter.pattern, BindingPattern::BindingIdentifier(id) if named(id))
                })?;
                self.imported_type(&parameter.type_annotation.as_ref()?.type_annotation)
            }
            _ => None,
        })
    }

    /// The written type of the parameter that a name is taken out of, and the
    /// name's key there: `({ orders }: Context) => …`.
    fn type_around(&self, symbol: SymbolId) -> Option<(Imported<'a>, String)> {
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
        let imported = self.imported_type(&parameter.type_annotation.as_ref()?.type_annotation)?;
        Some((imported, key.into_owned()))
    }

    /// The type of another file that a written type is.
    pub(super) fn imported_type(&self, ty: &TSType<'a>) -> Option<Imported<'a>> {
        let TSType::TSTypeReference(reference) = ty else { return None };
        let TSTypeName::IdentifierReference(id) = &reference.type_name else { return None };
        match self.binding(self.symbol_of(id)?) {
            Binding::Import(imported) => Some(imported),
            _ => None,
        }
    }

    fn class_made(&self, value: &'a Expression<'a>) -> Option<Imported<'a>> {
        let Expression::NewExpression(new) = bare(value) else { return None };
        let path = self.path_of(&new.callee);
        self.imported(&path).filter(|_| path.members.is_empty())
    }
}
