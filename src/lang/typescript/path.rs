//! `a.b.c` as a root and members, and what names are bound to.

use std::borrow::Cow;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    Argument, BindingPattern, CallExpression, ChainElement, Expression, IdentifierReference,
    ImportDeclarationSpecifier, NewExpression, ObjectPattern, Program, Statement, TSType, VariableDeclarator,
};
use oxc_semantic::Semantic;
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;
use rustc_hash::FxHashMap;

use super::{Model, bare};
use crate::observe::NameRef;

/// An imported name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported<'a> {
    /// The module specifier as written.
    pub module: &'a str,
    /// The exported name; `default`, or `*` for the whole module.
    pub name: &'a str,
}

/// What a path starts with.
#[derive(Clone, Copy, Debug)]
pub enum Root<'e, 'a> {
    /// A name bound in this file.
    Symbol(SymbolId, &'a str),
    /// A name bound nowhere: a global.
    Global(&'a str),
    /// `this`.
    This,
    /// The result of a call.
    Call(&'e CallExpression<'a>),
    /// A new object.
    New(&'e NewExpression<'a>),
    /// An awaited expression.
    Await(&'e Expression<'a>),
    /// Anything else.
    Other,
}

/// A root and the members read from it in turn.
#[derive(Clone, Debug)]
pub struct Path<'e, 'a> {
    /// What it starts with.
    pub root: Root<'e, 'a>,
    /// Member names; `[]` stands for a computed one.
    pub members: Vec<&'a str>,
    /// True where a link is optional (`a?.b`).
    pub optional: bool,
}

impl<'a> Path<'_, 'a> {
    /// The last name of the path: what is called.
    pub fn leaf(&self) -> &'a str {
        match (self.members.last(), self.root) {
            (Some(leaf), _) => leaf,
            (None, Root::Symbol(_, name) | Root::Global(name)) => name,
            _ => "",
        }
    }

    /// The name before the last one: what it is called on.
    pub fn receiver_name(&self) -> &'a str {
        match (self.members.len(), self.root) {
            (0, _) => "",
            (1, Root::Symbol(_, name) | Root::Global(name)) => name,
            (1, Root::This) => "this",
            (1, _) => "",
            (n, _) => self.members[n - 2],
        }
    }

    /// True where the path is the global `name` with these members.
    pub fn is_global(&self, name: &str, members: &[&str]) -> bool {
        matches!(self.root, Root::Global(root) if root == name) && self.members == members
    }
}

/// Collects a file's imports, `require` included.
pub fn collect_imports<'a>(program: &'a Program<'a>, semantic: &Semantic<'a>) -> FxHashMap<SymbolId, Imported<'a>> {
    let mut imports = FxHashMap::default();
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(import) => {
                let module = import.source.value.as_str();
                for specifier in import.specifiers.iter().flatten() {
                    let name = match specifier {
                        ImportDeclarationSpecifier::ImportSpecifier(s) => s.imported.name().as_str(),
                        ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => "default",
                        ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => "*",
                    };
                    if let Some(symbol) = specifier.local().symbol_id.get() {
                        imports.insert(symbol, Imported { module, name });
                    }
                }
            }
            Statement::VariableDeclaration(declaration) => {
                for declarator in &declaration.declarations {
                    collect_require(declarator, &mut imports);
                    collect_taken_out(declarator, semantic, &mut imports);
                }
            }
            _ => {}
        }
    }
    imports
}

/// `import pg from 'pg'; const { Pool } = pg;` and `const Pool = pg.Pool;`: what
/// is taken out of a whole package.
fn collect_taken_out<'a>(
    declarator: &'a VariableDeclarator<'a>,
    semantic: &Semantic<'a>,
    imports: &mut FxHashMap<SymbolId, Imported<'a>>,
) {
    let Some(init) = &declarator.init else { return };
    let (whole, member) = match bare(init) {
        Expression::Identifier(id) => (id, None),
        Expression::StaticMemberExpression(m) => match bare(&m.object) {
            Expression::Identifier(id) => (id, Some(m.property.name.as_str())),
            _ => return,
        },
        _ => return,
    };
    let reference = whole.reference_id.get().map(|id| semantic.scoping().get_reference(id));
    let Some(symbol) = reference.and_then(|reference| reference.symbol_id()) else { return };
    let Some(&Imported { module, name }) = imports.get(&symbol) else { return };
    // The default of a project's own file has members of its own.
    let is_whole =
        name == "*" || name == "default" && !module.starts_with(['.', '~', '#']) && !module.starts_with("@/");
    if !is_whole {
        return;
    }
    match (&declarator.id, member) {
        (BindingPattern::BindingIdentifier(id), Some(name)) => {
            if let Some(symbol) = id.symbol_id.get() {
                imports.insert(symbol, Imported { module, name });
            }
        }
        (BindingPattern::ObjectPattern(pattern), None) => imports.extend(members(pattern, module)),
        _ => {}
    }
}

fn collect_require<'a>(declarator: &'a VariableDeclarator<'a>, imports: &mut FxHashMap<SymbolId, Imported<'a>>) {
    let Some(init) = &declarator.init else { return };
    let (call, member) = match bare(init) {
        Expression::CallExpression(call) => (call, None),
        Expression::StaticMemberExpression(m) => match bare(&m.object) {
            Expression::CallExpression(call) => (call, Some(m.property.name.as_str())),
            _ => return,
        },
        _ => return,
    };
    let Some(module) = call.common_js_require().map(|literal| literal.value.as_str()) else { return };
    let module: &'a str = module;
    match &declarator.id {
        BindingPattern::BindingIdentifier(id) => {
            if let Some(symbol) = id.symbol_id.get() {
                // `require` gives the whole module, which is also what a
                // default import of CommonJS gives.
                imports.insert(symbol, Imported { module, name: member.unwrap_or("default") });
            }
        }
        BindingPattern::ObjectPattern(pattern) if member.is_none() => imports.extend(members(pattern, module)),
        _ => {}
    }
}

/// The names that a pattern binds to members of a module: `{ Pool, types }`.
fn members<'a>(
    pattern: &'a ObjectPattern<'a>,
    module: &'a str,
) -> impl Iterator<Item = (SymbolId, Imported<'a>)> + use<'a> {
    pattern.properties.iter().filter_map(move |property| match (property.key.static_name(), &property.value) {
        (Some(Cow::Borrowed(name)), BindingPattern::BindingIdentifier(id)) => {
            Some((id.symbol_id.get()?, Imported { module, name }))
        }
        _ => None,
    })
}

/// What a name is bound to.
#[derive(Clone, Copy, Debug)]
pub enum Binding<'e, 'a> {
    /// Imported.
    Import(Imported<'a>),
    /// A variable that is never assigned again, with its initializer.
    Constant(&'e Expression<'a>),
    /// A variable that may change, with its first initializer if it has one.
    Variable(Option<&'e Expression<'a>>),
    /// A variable bound by a destructuring pattern, with what is taken apart.
    Part(&'e Expression<'a>),
    /// A parameter.
    Parameter,
    /// A function declared in this file.
    Function(NodeId),
    /// A class declared in this file.
    Class(NodeId),
    /// Anything else.
    Other,
}

impl<'a> Model<'a> {
    /// An expression as a path; `None` where it is neither a name, `this`, a
    /// member, a call nor a `new`.
    pub fn path_of<'e>(&self, expression: &'e Expression<'a>) -> Path<'e, 'a>
    where
        'a: 'e,
    {
        let mut path = Path { root: Root::Other, members: Vec::new(), optional: false };
        self.walk_path(expression, &mut path);
        path.members.reverse();
        path
    }

    /// The path that a chain of calls begins with: `manager.getRepository` of
    /// `manager?.getRepository(User).find()`.
    pub fn begins_with(&self, expression: &'a Expression<'a>) -> Path<'a, 'a> {
        let mut path = self.path_of(expression);
        while let Root::Call(inner) = path.root {
            path = self.callee(inner);
        }
        path
    }

    fn walk_path<'e>(&self, expression: &'e Expression<'a>, path: &mut Path<'e, 'a>) {
        match bare(expression) {
            Expression::Identifier(id) => path.root = self.root_of(id),
            Expression::ThisExpression(_) => path.root = Root::This,
            Expression::CallExpression(call) => path.root = Root::Call(call),
            Expression::NewExpression(new) => path.root = Root::New(new),
            Expression::AwaitExpression(awaited) => path.root = Root::Await(&awaited.argument),
            Expression::StaticMemberExpression(m) => {
                path.members.push(m.property.name.as_str());
                path.optional |= m.optional;
                self.walk_path(&m.object, path);
            }
            Expression::PrivateFieldExpression(m) => {
                path.members.push(m.field.name.as_str());
                path.optional |= m.optional;
                self.walk_path(&m.object, path);
            }
            Expression::ComputedMemberExpression(m) => {
                let name = match bare(&m.expression) {
                    Expression::StringLiteral(literal) => literal.value.as_str(),
                    _ => "[]",
                };
                path.members.push(name);
                path.optional |= m.optional;
                self.walk_path(&m.object, path);
            }
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::CallExpression(call) => path.root = Root::Call(call),
                ChainElement::TSNonNullExpression(inner) => self.walk_path(&inner.expression, path),
                ChainElement::StaticMemberExpression(m) => {
                    path.members.push(m.property.name.as_str());
                    path.optional = true;
                    self.walk_path(&m.object, path);
                }
                ChainElement::ComputedMemberExpression(m) => {
                    path.members.push("[]");
                    path.optional = true;
                    self.walk_path(&m.object, path);
                }
                ChainElement::PrivateFieldExpression(m) => {
                    path.members.push(m.field.name.as_str());
                    path.optional = true;
                    self.walk_path(&m.object, path);
                }
            },
            _ => {}
        }
    }

    fn root_of<'e>(&self, id: &IdentifierReference<'a>) -> Root<'e, 'a> {
        match self.symbol_of(id) {
            Some(symbol) => Root::Symbol(symbol, id.name.as_str()),
            None => Root::Global(id.name.as_str()),
        }
    }

    /// The symbol that a name refers to; `None` for globals.
    pub fn symbol_of(&self, id: &IdentifierReference<'a>) -> Option<SymbolId> {
        self.scoping().get_reference(id.reference_id.get()?).symbol_id()
    }

    /// What a symbol is bound to.
    pub fn binding(&self, symbol: SymbolId) -> Binding<'a, 'a> {
        if let Some(&imported) = self.imports.get(&symbol) {
            return Binding::Import(imported);
        }
        let declaration = self.scoping().symbol_declaration(symbol);
        // The declaration of a destructured name is its pattern's declarator,
        // some levels up.
        let nodes = self.nodes();
        for node in std::iter::once(declaration).chain(nodes.ancestor_ids(declaration)) {
            match nodes.kind(node) {
                AstKind::VariableDeclarator(declarator) => {
                    let plain = matches!(&declarator.id, BindingPattern::BindingIdentifier(_));
                    let changes = self.scoping().symbol_is_mutated(symbol);
                    return match (&declarator.init, plain) {
                        (Some(init), true) if !changes => Binding::Constant(init),
                        (init, true) => Binding::Variable(init.as_ref()),
                        (Some(init), false) => Binding::Part(init),
                        (None, false) => Binding::Other,
                    };
                }
                AstKind::FormalParameter(_) | AstKind::FormalParameterRest(_) | AstKind::CatchParameter(_) => {
                    return Binding::Parameter;
                }
                AstKind::Function(_) => return Binding::Function(node),
                AstKind::Class(_) => return Binding::Class(node),
                AstKind::BindingIdentifier(_)
                | AstKind::ObjectPattern(_)
                | AstKind::ArrayPattern(_)
                | AstKind::BindingProperty(_)
                | AstKind::AssignmentPattern(_)
                | AstKind::BindingRestElement(_) => {}
                _ => return Binding::Other,
            }
        }
        Binding::Other
    }

    /// The type annotation of a symbol's declaration, where it has one. What a
    /// pattern takes out has another type than the whole.
    pub fn declared_type(&self, symbol: SymbolId) -> Option<&'a TSType<'a>> {
        let declaration = self.scoping().symbol_declaration(symbol);
        let nodes = self.nodes();
        for node in std::iter::once(declaration).chain(nodes.ancestor_ids(declaration)).take(2) {
            let (pattern, annotation) = match nodes.kind(node) {
                AstKind::VariableDeclarator(d) => (&d.id, &d.type_annotation),
                AstKind::FormalParameter(p) => (&p.pattern, &p.type_annotation),
                _ => continue,
            };
            let whole = matches!(pattern, BindingPattern::BindingIdentifier(_));
            return annotation.as_ref().filter(|_| whole).map(|a| &a.type_annotation);
        }
        None
    }

    /// The module and name that a path's root was imported from; follows
    /// constants that only rename (`const api = axios`).
    pub fn imported(&self, path: &Path<'_, 'a>) -> Option<Imported<'a>> {
        let Root::Symbol(mut symbol, _) = path.root else { return None };
        /// Renamings of renamings are rare; the bound only stops a cycle.
        const HOPS: usize = 4;
        for _ in 0..HOPS {
            match self.binding(symbol) {
                Binding::Import(imported) => return Some(imported),
                Binding::Constant(Expression::Identifier(id)) => symbol = self.symbol_of(id)?,
                _ => return None,
            }
        }
        None
    }

    /// True where a path is member `name` of one of `modules`, however it was
    /// imported: `import { name }`, `import * as m` or a default import.
    pub fn is_from(&self, path: &Path<'_, 'a>, modules: &[&str], name: &str) -> bool {
        let Some(imported) = self.imported(path) else { return false };
        if !modules.iter().any(|module| strip_node(imported.module) == *module) {
            return false;
        }
        match imported.name {
            "default" | "*" => path.members.first() == Some(&name) || path.members.is_empty() && name == "default",
            named => named == name && path.members.is_empty(),
        }
    }

    /// A path into another module as a reference for the join.
    pub fn name_ref(&self, path: &Path<'_, 'a>) -> Option<NameRef> {
        let imported = self.imported(path)?;
        let mut members: Vec<String> = path.members.iter().map(|&m| m.to_owned()).collect();
        let mut name = imported.name.to_owned();
        if name == "*" && !members.is_empty() {
            name = members.remove(0);
        }
        Some(NameRef { module: imported.module.to_owned(), name, members })
    }

    /// The callee of a call as a path.
    pub fn callee<'e>(&self, call: &'e CallExpression<'a>) -> Path<'e, 'a> {
        self.path_of(&call.callee)
    }
}

/// True where a module may be one of the project: relative, by an alias, or of
/// a scope, as packages of a workspace are.
pub fn is_project_module(module: &str) -> bool {
    module.starts_with(['.', '~', '#', '@']) || module.starts_with("src/")
}

/// A module specifier without `node:`.
pub fn strip_node(module: &str) -> &str {
    module.strip_prefix("node:").unwrap_or(module)
}

/// An argument as an expression; `None` for a spread.
pub fn argument<'e, 'a>(arguments: &'e [Argument<'a>], index: usize) -> Option<&'e Expression<'a>> {
    arguments.get(index).and_then(Argument::as_expression).map(bare)
}

/// The names of all types in an annotation (`A | B<C>` gives A, B and C).
pub fn type_names<'a>(ty: &TSType<'a>) -> Vec<&'a str> {
    let mut names = Vec::new();
    push_type_names(ty, &mut names);
    names
}

fn push_type_names<'a>(ty: &TSType<'a>, names: &mut Vec<&'a str>) {
    use oxc_ast::ast::TSTypeName;
    match ty {
        TSType::TSTypeReference(reference) => {
            match &reference.type_name {
                TSTypeName::IdentifierReference(id) => names.push(id.name.as_str()),
                TSTypeName::QualifiedName(name) => names.push(name.right.name.as_str()),
                TSTypeName::ThisExpression(_) => {}
            }
            for argument in reference.type_arguments.iter().flat_map(|a| &a.params) {
                push_type_names(argument, names);
            }
        }
        TSType::TSUnionType(union) => union.types.iter().for_each(|t| push_type_names(t, names)),
        TSType::TSIntersectionType(all) => all.types.iter().for_each(|t| push_type_names(t, names)),
        TSType::TSArrayType(array) => push_type_names(&array.element_type, names),
        _ => {}
    }
}
