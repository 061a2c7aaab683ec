//! What other files may ask of this one: exported functions with summaries,
//! constants and the leaves of constant objects, and names that are handed on.
//!
//! Keys are `name`, `name.member.member`, `Class.method`. An exported client
//! answers for its own reads: `prisma.*.findMany`, where `*` stands for any
//! one member.

mod calls;

use std::collections::BTreeMap;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentTarget, BindingPattern, Class, ClassElement, Declaration, ExportDefaultDeclarationKind, Expression,
    ModuleExportName, NewExpression, ObjectPropertyKind, Statement, TSSignature, TSType, TSTypeQueryExprName,
    VariableDeclaration,
};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::clients::{Client, Kind, Nature, PRISMA_READS, REDIS_READS};
use super::effects::client::MODEL_READS;
use super::effects::{Effects, GIVEN, SUPER, encoders, named_given, timers};
use super::path::{Binding, Root, is_project_module};
use super::values::key_name;
use super::{Model, bare, span};
use crate::observe::{Effect, Export, FunctionSummary, Gift, Known, NameRef, Observations};
use crate::source::Span;

/// Objects deeper than this are tables of data, not configuration.
const DEPTH: u32 = 5;

/// Leaves of one file that are kept; what is larger is a table of data.
const LEAVES: usize = 2_000;

/// What the file exports.
pub fn observe(model: &Model<'_>) -> Observations {
    let mut out = Exports { effects: Effects::new(model), exports: BTreeMap::new(), stars: Vec::new() };
    for statement in &model.program.body {
        out.statement(statement);
    }
    let calls = calls::of(&out.effects);
    Observations { exports: out.exports, star_exports: out.stars, calls, ..Observations::default() }
}

struct Exports<'m, 'a> {
    effects: Effects<'m, 'a>,
    exports: BTreeMap<String, Export>,
    stars: Vec<String>,
}

impl<'a> Exports<'_, 'a> {
    fn put(&mut self, name: String, export: Export) {
        if self.exports.len() < LEAVES {
            self.exports.insert(name, export);
        }
    }

    fn statement(&mut self, statement: &'a Statement<'a>) {
        match statement {
            Statement::ExportAllDeclaration(all) if !all.export_kind.is_type() => {
                let module = all.source.value.to_string();
                match &all.exported {
                    Some(name) => self.hand_on(name.name().as_str(), module, "*"),
                    None => self.stars.push(module),
                }
            }
            Statement::ExportFromDeclaration(from) => {
                for specifier in &from.specifiers {
                    let local = specifier.local.name();
                    self.hand_on(specifier.exported.name().as_str(), from.source.value.to_string(), local.as_str());
                }
            }
            Statement::ExportNamedDeclaration(named) if !named.export_kind.is_type() => {
                for specifier in &named.specifiers {
                    let ModuleExportName::IdentifierReference(local) = &specifier.local else { continue };
                    if let Some(symbol) = self.effects.model.symbol_of(local) {
                        self.symbol(specifier.exported.name().as_str(), symbol, DEPTH);
                    }
                }
            }
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::VariableDeclaration(variables) => self.variables(variables),
                Declaration::FunctionDeclaration(function) => {
                    if let (Some(id), Some(_)) = (&function.id, &function.body) {
                        self.function(id.name.as_str(), AstKind::Function(function).node_id());
                    }
                }
                Declaration::ClassDeclaration(class) => {
                    let Some(id) = &class.id else { return };
                    match id.symbol_id.get() {
                        Some(symbol) => self.symbol(id.name.as_str(), symbol, DEPTH),
                        None => self.class(id.name.as_str(), class, DEPTH),
                    }
                }
                Declaration::TSInterfaceDeclaration(own) => {
                    self.shape(own.id.name.as_str(), &own.body.body, &mut Vec::new())
                }
                Declaration::TSTypeAliasDeclaration(own) => self.alias(own.id.name.as_str(), &own.type_annotation),
                _ => {}
            },
            Statement::ExportDefaultDeclaration(default) => match &default.declaration {
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                    if function.body.is_some() {
                        self.function("default", AstKind::Function(function).node_id());
                    }
                }
                ExportDefaultDeclarationKind::ClassDeclaration(class) => self.class("default", class, DEPTH),
                other => {
                    if let Some(expression) = other.as_expression() {
                        self.expression("default", expression, DEPTH);
                    }
                }
            },
            Statement::ExpressionStatement(statement) => self.common_js(&statement.expression),
            _ => {}
        }
    }

    /// `type Context = typeof services & { loaders: Loaders }`: what a constant of
    /// this file holds, and what is written out.
    fn alias(&mut self, name: &str, ty: &'a TSType<'a>) {
        match ty {
            TSType::TSTypeLiteral(shape) => self.shape(name, &shape.members, &mut Vec::new()),
            TSType::TSIntersectionType(all) => all.types.iter().for_each(|part| self.alias(name, part)),
            TSType::TSTypeQuery(query) => {
                if let TSTypeQueryExprName::IdentifierReference(of) = &query.expr_name
                    && let Some(symbol) = self.effects.model.symbol_of(of)
                {
                    self.symbol(name, symbol, DEPTH);
                }
            }
            _ => {}
        }
    }

    /// What an interface holds, under `Context.orders`: the types of other files.
    /// `within` are the types around: one that holds itself has no end.
    fn shape(&mut self, name: &str, members: &'a [TSSignature<'a>], within: &mut Vec<&'a [TSSignature<'a>]>) {
        let full = within.len() >= DEPTH as usize || self.exports.len() >= LEAVES;
        if full || within.iter().any(|open| std::ptr::eq(*open, members)) {
            return;
        }
        let model = self.effects.model;
        within.push(members);
        for member in members {
            let TSSignature::TSPropertySignature(property) = member else { continue };
            let (Some(ty), Some(key)) = (&property.type_annotation, key_name(&property.key)) else { continue };
            let name = format!("{name}.{key}");
            if let Some(of) = model.imported_type(&ty.type_annotation) {
                self.hand_on(&name, of.module.to_owned(), of.name);
            } else if let Some(inner) = model.shape_of(&ty.type_annotation) {
                self.shape(&name, inner, within);
            }
        }
        within.pop();
    }

    fn hand_on(&mut self, exported: &str, module: String, name: &str) {
        let reference = NameRef { module, name: name.to_owned(), members: Vec::new() };
        self.put(exported.to_owned(), Export::From(reference));
    }

    fn variables(&mut self, variables: &'a VariableDeclaration<'a>) {
        for declarator in &variables.declarations {
            let BindingPattern::BindingIdentifier(id) = &declarator.id else { continue };
            if let Some(symbol) = id.symbol_id.get() {
                self.symbol(id.name.as_str(), symbol, DEPTH);
            }
        }
    }

    /// `module.exports = …`, `module.exports.name = …`, `exports.name = …`.
    fn common_js(&mut self, expression: &'a Expression<'a>) {
        let Expression::AssignmentExpression(assignment) = bare(expression) else { return };
        let AssignmentTarget::StaticMemberExpression(member) = &assignment.left else { return };
        let object = self.effects.model.path_of(&member.object);
        let name = member.property.name.as_str();
        if object.is_global("module", &[]) && name == "exports" {
            // A whole module is also what a default import gives.
            self.expression("default", &assignment.right, DEPTH);
            if let Expression::ObjectExpression(entries) = bare(&assignment.right) {
                for kind in &entries.properties {
                    let ObjectPropertyKind::ObjectProperty(property) = kind else { continue };
                    if let Some(key) = key_name(&property.key) {
                        self.expression(&key, &property.value, DEPTH);
                    }
                }
            }
        } else if object.is_global("exports", &[]) || object.is_global("module", &["exports"]) {
            self.expression(name, &assignment.right, DEPTH);
            // `require` gives the whole module, as a default import does.
            self.expression(&format!("default.{name}"), &assignment.right, DEPTH);
        }
    }

    fn symbol(&mut self, name: &str, symbol: SymbolId, depth: u32) {
        if let Some(client) = self.effects.clients.of_symbol(symbol, DEPTH) {
            self.client(name, client, span_of_symbol(self.effects.model, symbol));
            // A model's class may have methods of its own beside.
            if !matches!(self.effects.model.binding(symbol), Binding::Class(_)) {
                return;
            }
        }
        match self.effects.model.binding(symbol) {
            Binding::Import(imported) => self.hand_on(name, imported.module.to_owned(), imported.name),
            Binding::Constant(init) => self.expression(name, init, depth),
            Binding::Function(function) => self.function(name, function),
            Binding::Class(class) => {
                if let AstKind::Class(class) = self.effects.model.kind(class) {
                    self.class(name, class, depth);
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, name: &str, expression: &'a Expression<'a>, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match bare(expression) {
            function @ (Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)) => {
                self.function(name, self.effects.model.node(function));
            }
            Expression::ClassExpression(class) => self.class(name, class, depth),
            Expression::ObjectExpression(object) => {
                for kind in &object.properties {
                    let ObjectPropertyKind::ObjectProperty(property) = kind else { continue };
                    if let Some(key) = key_name(&property.key) {
                        self.expression(&format!("{name}.{key}"), &property.value, depth);
                    }
                }
            }
            Expression::Identifier(id) => {
                if let Some(symbol) = self.effects.model.symbol_of(id) {
                    self.symbol(name, symbol, depth);
                }
            }
            Expression::NewExpression(new) => {
                if let Some(client) = self.effects.clients.of_expression(expression, DEPTH) {
                    return self.client(name, client, span(&new.span));
                }
                self.instance(name, new, depth);
            }
            // `singleton('engine', createEngine)` holds what the function gives.
            Expression::CallExpression(call) if let Some(function) = self.effects.kept_once(call) => {
                self.what_is_given(name, function, depth);
            }
            // `Object.freeze({…})` holds what it is given.
            Expression::CallExpression(call) if self.effects.model.callee(call).is_global("Object", &["freeze"]) => {
                if let Some(inner) = call.arguments.first().and_then(|a| a.as_expression()) {
                    self.expression(name, inner, depth);
                }
            }
            other => {
                let model = self.effects.model;
                match model.value(other) {
                    Known::Here(value, at) => self.put(name.to_owned(), Export::Constant(value, at)),
                    Known::Elsewhere(reference, _) => self.put(name.to_owned(), Export::From(reference)),
                    _ => {}
                }
                if let Some((number, at)) = model.default_number(other) {
                    self.put(name.to_owned(), Export::Default(number.into(), at));
                }
                if let Expression::CallExpression(call) = other {
                    if let Some(given) = named_given(model, call) {
                        self.put(name.to_owned(), Export::From(given));
                    }
                    for (key, number, at) in model.environment_schema(call) {
                        self.put(format!("{name}.{key}"), Export::Default(number.into(), at));
                    }
                }
            }
        }
    }

    fn function(&mut self, name: &str, function: NodeId) {
        let summary = self.effects.summary(function).public.clone();
        let at = summary.span;
        self.put(name.to_owned(), Export::Function(summary));
        let given = format!("{name}{GIVEN}");
        if let Some(client) = self.effects.gives(function) {
            self.client(&given, client, at);
        } else if let Some(timer) = timers::left_by(self.effects.model, function) {
            self.put(given, Export::Gives(Gift::Timer, timer));
        } else if let Some((gift, encoding)) = encoders::only_encodes(self.effects.model, function) {
            self.put(given, Export::Gives(gift, encoding));
        } else if !name.contains(GIVEN)
            // `Shop.open().open()…` has no end.
            && let Some(new) = self.effects.makes_instance(function)
        {
            self.instance(&given, new, DEPTH);
        }
    }

    /// `new RunEngine(…)` has the methods of its class, wherever that is written.
    fn instance(&mut self, name: &str, new: &'a NewExpression<'a>, depth: u32) {
        let model = self.effects.model;
        let path = model.path_of(&new.callee);
        if let Some(imported) = model.imported(&path).filter(|imported| is_project_module(imported.module)) {
            if path.members.is_empty() {
                self.hand_on(name, imported.module.to_owned(), imported.name);
            }
        } else if let Root::Symbol(symbol, _) = path.root
            && let Binding::Class(class) = model.binding(symbol)
            && let AstKind::Class(class) = model.kind(class)
        {
            self.class(name, class, depth);
        }
    }

    /// What a function gives whenever it is called, under a name of its own.
    fn what_is_given(&mut self, name: &str, function: NodeId, depth: u32) {
        if let Some(client) = self.effects.gives(function) {
            self.client(name, client, self.effects.model.name_span(function));
        } else if let Some(new) = self.effects.makes_instance(function) {
            self.instance(name, new, depth);
        }
    }

    fn class(&mut self, name: &str, class: &'a Class<'a>, depth: u32) {
        // A static field may hold an instance of its own class.
        let Some(depth) = depth.checked_sub(1) else { return };
        if let Some(heritage) = &class.heritage {
            let base = self.effects.model.path_of(&heritage.expression);
            // What the class adds stands over what the one above it has.
            match self.effects.model.name_ref(&base) {
                Some(above) => self.put(format!("{name}.{SUPER}"), Export::From(above)),
                None => {
                    if let (Root::Symbol(symbol, _), []) = (base.root, base.members.as_slice())
                        && let Binding::Class(above) = self.effects.model.binding(symbol)
                        && let AstKind::Class(above) = self.effects.model.kind(above)
                    {
                        self.class(name, above, depth);
                    }
                }
            }
        }
        for element in &class.body.body {
            match element {
                ClassElement::MethodDefinition(method) if method.kind.is_method() && method.value.body.is_some() => {
                    if let Some(key) = key_name(&method.key) {
                        self.function(&format!("{name}.{key}"), AstKind::Function(&method.value).node_id());
                    }
                }
                ClassElement::PropertyDefinition(property) => {
                    let Some(value) = &property.value else { continue };
                    let Some(key) = key_name(&property.key) else { continue };
                    match bare(value) {
                        function @ (Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)) => {
                            self.function(&format!("{name}.{key}"), self.effects.model.node(function));
                        }
                        other if property.r#static => self.expression(&format!("{name}.{key}"), other, depth.min(2)),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    /// The reads of a client whose effect needs no arguments, and what asks or
    /// writes as its arguments say.
    fn client(&mut self, name: &str, client: Client, at: Span) {
        let (between, reads): (&str, &[&str]) = match client.kind {
            Kind::Prisma => ("*.", PRISMA_READS),
            Kind::Axios => ("", &["get", "head", "options"]),
            Kind::Got | Kind::Ky => ("", &["get", "head"]),
            Kind::Redis => ("", REDIS_READS),
            Kind::TypeOrm => ("", &["find", "findOne", "findBy", "findOneBy", "count", "countBy", "findAndCount"]),
            Kind::Loader => ("", &["load", "loadMany"]),
            Kind::Model => ("", MODEL_READS),
            _ => ("", &[]),
        };
        let told: &[&str] = match client.kind {
            Kind::Axios | Kind::Undici => &["request"],
            _ => &[],
        };
        // axios and got may be called with nothing but options.
        let called = matches!(client.kind, Kind::Fetch | Kind::Ky);
        let mut names: Vec<(String, bool)> =
            reads.iter().map(|read| (format!("{name}.{between}{read}"), false)).collect();
        names.extend(told.iter().map(|told| (format!("{name}.{told}"), true)));
        names.extend(called.then(|| (name.to_owned(), true)));
        for (key, handed) in names {
            let summary = FunctionSummary {
                is_async: true,
                waits: true,
                effect: Effect::Read,
                io: client.kind.io(),
                calls: Vec::new(),
                uses_transaction: client.nature != Nature::Parallel,
                handed,
                passes: false,
                span: at,
                blocks: None,
            };
            self.put(key, Export::Function(summary));
        }
    }
}

fn span_of_symbol(model: &Model<'_>, symbol: SymbolId) -> Span {
    span(&model.scoping().symbol_span(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Io, Value};
    use crate::source::{Language, PathClass, SourceFile};
    use oxc_allocator::Allocator;

    fn exports(text: &str) -> Observations {
        let source = SourceFile::new("a.ts", Language::TypeScript, PathClass::Product, text.to_owned());
        let allocator = Allocator::default();
        observe(&Model::parse(&allocator, &source).expect("parses"))
    }

    fn function(seen: &Observations, name: &str) -> (Effect, Io, bool, usize) {
        match seen.exports.get(name) {
            Some(Export::Function(f)) => (f.effect, f.io, f.is_async, f.calls.len()),
            other => panic!("{name}: {other:?} in {:?}", seen.exports.keys()),
        }
    }

    #[test]
    fn functions_and_methods_are_exported_with_summaries() {
        let seen = exports(
            "import { PrismaClient } from '@prisma/client'; import { audit } from './audit';
             const db = new PrismaClient();
             export async function loadUser(id) { return db.user.findUnique({ where: { id } }); }
             export const saveUser = async (u) => { await db.user.update(u); };
             const listAudited = async () => { await audit(); return db.user.findMany(); };
             export { listAudited as listed };
             export default class Users { async all() { return db.user.findMany(); } static async one() { return 1; } }
             export const service = { async count() { return db.user.count(); } };
             export { db };",
        );
        assert_eq!(function(&seen, "loadUser"), (Effect::Read, Io::Database, true, 0));
        assert_eq!(function(&seen, "saveUser"), (Effect::Write, Io::Database, true, 0));
        assert_eq!(function(&seen, "listed"), (Effect::Read, Io::Database, true, 1));
        assert_eq!(function(&seen, "default.all"), (Effect::Read, Io::Database, true, 0));
        assert_eq!(function(&seen, "default.one"), (Effect::None, Io::None, true, 0));
        assert_eq!(function(&seen, "service.count"), (Effect::Read, Io::Database, true, 0));
        assert_eq!(function(&seen, "db.*.findMany"), (Effect::Read, Io::Database, true, 0));
    }

    #[test]
    fn constants_and_their_leaves_are_exported() {
        let seen = exports(
            "const SECOND = 1000; export const config = { database: { pool: { max: 100, acquire: 60 * SECOND } } };
             export const name = 'a'; export default config; export { x as y } from './x'; export * from './z';
             export * as all from './w'; export { size } from './s';",
        );
        let constant = |name: &str| match seen.exports.get(name) {
            Some(Export::Constant(value, _)) => Some(value.clone()),
            _ => None,
        };
        assert_eq!(constant("config.database.pool.acquire"), Some(Value::Number(60_000.0)));
        assert_eq!(constant("default.database.pool.max"), Some(Value::Number(100.0)));
        assert_eq!(constant("name"), Some("a".into()));
        assert_eq!(seen.star_exports, ["./z"]);
        assert!(matches!(seen.exports.get("y"), Some(Export::From(r)) if r.module == "./x" && r.name == "x"));
        assert!(matches!(seen.exports.get("all"), Some(Export::From(r)) if r.name == "*"));
    }

    #[test]
    fn a_class_that_holds_itself_ends() {
        let seen =
            exports("export class Node { static readonly none = new Node(); async load() { return fetch('/a'); } }");
        assert_eq!(function(&seen, "Node.load"), (Effect::Read, Io::Http, true, 0));
        assert_eq!(function(&seen, "Node.none.load"), (Effect::Read, Io::Http, true, 0));
    }

    #[test]
    fn common_js_is_exported() {
        let seen =
            exports("async function load() { return fetch('/a'); } module.exports = { load, max: 3 }; exports.x = 1;");
        assert_eq!(function(&seen, "load"), (Effect::Read, Io::Http, true, 0));
        assert!(seen.exports.contains_key("max") && seen.exports.contains_key("x"));
    }
}
