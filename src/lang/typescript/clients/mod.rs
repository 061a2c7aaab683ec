//! Which receivers are I/O clients: by imports, initializers of constants,
//! class fields (annotations, constructor parameters, `this.x =`) and
//! annotations of parameters. What is known by its name alone says so.

mod kind;
mod named;
mod table;
use std::cell::RefCell;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentTarget, BindingPattern, CallExpression, Class, ClassElement, Expression, NewExpression, TSType,
    TSTypeName, TSTypeQueryExprName,
};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;
use rustc_hash::FxHashMap;

pub use self::kind::{Client, Kind};
use self::named::by_name;
use self::table::{CLASSES, HANDS_ON, MAKERS, VALUES, is_module};
pub use self::table::{Nature, REDIS_READS};
use super::names;
use super::path::{Binding, Imported, Path, Root, strip_node};
use super::values::key_name;
use super::{Model, bare};

/// Renamings and wrappers are followed this deep; deeper ones are unknown.
const DEPTH: u32 = 6;

/// The clients of one file, looked up once each.
pub struct Clients<'m, 'a> {
    model: &'m Model<'a>,
    symbols: RefCell<FxHashMap<SymbolId, Option<Client>>>,
    fields: RefCell<FxHashMap<(NodeId, &'a str), Option<Client>>>,
}

impl<'m, 'a> Clients<'m, 'a> {
    /// The clients of a file.
    pub fn new(model: &'m Model<'a>) -> Self {
        Self { model, symbols: RefCell::default(), fields: RefCell::default() }
    }

    /// The client that a path begins with, and how many of its members belong
    /// to the client's own name (`this.prisma.user.findMany` has one).
    pub fn of_path(&self, path: &Path<'a, 'a>, at: NodeId) -> Option<(Client, usize)> {
        self.of_path_at(path, at, DEPTH)
    }

    fn of_path_at(&self, path: &Path<'a, 'a>, at: NodeId, depth: u32) -> Option<(Client, usize)> {
        let depth = depth.checked_sub(1)?;
        let known = match path.root {
            Root::Symbol(symbol, _) => self.of_symbol(symbol, depth).map(|client| (client, 0)),
            Root::Global("fetch") if path.members.is_empty() => Some((Client::new(Kind::Fetch, Nature::Parallel), 0)),
            Root::Global("globalThis") if path.members == ["fetch"] => {
                Some((Client::new(Kind::Fetch, Nature::Parallel), 1))
            }
            Root::This => {
                let (field, class) = (path.members.first()?, self.model.class_of(at)?);
                let field = self.of_field(class, field, depth).map(|client| (client, 1));
                field.or_else(|| self.of_itself(class, path.members[0], depth).map(|client| (client, 0)))
            }
            Root::Call(call) => self.of_call(call, depth).map(|client| (client, 0)),
            Root::New(new) => self.of_new(new, depth).map(|client| (client, 0)),
            Root::Await(inner) => self.of_expression(inner, depth).map(|client| (client, 0)),
            _ => None,
        };
        let known = known.map(|(client, used)| refine(by_replica(client, path), used, &path.members));
        known.or_else(|| by_name(self.model, path))
    }

    /// The client that a name is bound to.
    pub fn of_symbol(&self, symbol: SymbolId, depth: u32) -> Option<Client> {
        if let Some(&known) = self.symbols.borrow().get(&symbol) {
            return known;
        }
        // A name that is being looked up is unknown to itself.
        self.symbols.borrow_mut().insert(symbol, None);
        let client = self.find_symbol(symbol, depth);
        self.symbols.borrow_mut().insert(symbol, client);
        client
    }

    fn find_symbol(&self, symbol: SymbolId, depth: u32) -> Option<Client> {
        let written = || self.model.declared_type(symbol).or_else(|| self.model.type_taken_out(symbol));
        let annotated = || written().and_then(|ty| self.of_type(ty, depth));
        match self.model.binding(symbol) {
            Binding::Import(imported) => {
                let value = VALUES.iter().find(|(m, n, _)| is_module(imported.module, m) && *n == imported.name);
                value.map(|&(_, _, kind)| Client::new(kind, Nature::Parallel))
            }
            Binding::Constant(init) => self.of_expression(init, depth).or_else(annotated),
            // A parameter typed as a pool or an ORM may be handed whatever
            // is assignable to it: a Knex transaction is a Knex.
            Binding::Parameter | Binding::Variable(_) => annotated(),
            Binding::Class(class) => self.of_class(class, depth),
            _ => None,
        }
    }

    /// `class User extends Model` is a model itself.
    fn of_class(&self, class: NodeId, depth: u32) -> Option<Client> {
        let AstKind::Class(class) = self.model.kind(class) else { return None };
        let client = self.of_super(class, depth)?;
        (client.kind == Kind::Model).then_some(client)
    }

    /// `this.get(…)` of `class Users extends RESTDataSource`.
    fn of_itself(&self, class: NodeId, method: &str, depth: u32) -> Option<Client> {
        let AstKind::Class(class) = self.model.kind(class) else { return None };
        // What the class adds of its own is no method of the client.
        let adds = class.body.body.iter().any(|element| match element {
            ClassElement::MethodDefinition(own) => key_name(&own.key).as_deref() == Some(method),
            _ => false,
        });
        if adds {
            return None;
        }
        self.of_super(class, depth).filter(|client| client.kind == Kind::RestSource)
    }

    fn of_super(&self, class: &'a Class<'a>, depth: u32) -> Option<Client> {
        let depth = depth.checked_sub(1)?;
        let path = self.model.path_of(&class.heritage.as_ref()?.expression);
        match self.model.imported(&path) {
            Some(imported) => class_of_import(imported, path.members.last().copied()),
            None => match path.root {
                Root::Symbol(symbol, _) => match self.model.binding(symbol) {
                    Binding::Class(parent) => match self.model.kind(parent) {
                        AstKind::Class(parent) => self.of_super(parent, depth),
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            },
        }
    }

    /// The client that an expression gives.
    pub fn of_expression(&self, expression: &'a Expression<'a>, depth: u32) -> Option<Client> {
        let depth = depth.checked_sub(1)?;
        match bare(expression) {
            Expression::NewExpression(new) => self.of_new(new, depth),
            Expression::CallExpression(call) => self.of_call(call, depth),
            Expression::AwaitExpression(awaited) => self.of_expression(&awaited.argument, depth),
            // `globalThis.prisma ?? new PrismaClient()`
            Expression::LogicalExpression(logical) => {
                let sides = (self.of_expression(&logical.right, depth), self.of_expression(&logical.left, depth));
                // `tx ?? prisma`, `manager?.getRepository(X) ?? users`.
                let left = self.model.begins_with(&logical.left);
                let carrier = matches!(left.root, Root::Symbol(_, name) if names::is_carrier(name))
                    || left.members.iter().any(|member| names::is_carrier(member));
                match sides {
                    (Some(right), Some(left)) if left.nature != right.nature => {
                        Some(Client { nature: Nature::Either, ..right })
                    }
                    (Some(right), None) if carrier => Some(Client { nature: Nature::Either, ..right }),
                    (right, left) => right.or(left),
                }
            }
            Expression::ConditionalExpression(choice) => {
                let sides =
                    (self.of_expression(&choice.consequent, depth), self.of_expression(&choice.alternate, depth));
                match sides {
                    (Some(a), Some(b)) if a.kind == b.kind && a.nature == b.nature => Some(a),
                    (Some(a), Some(b)) if a.kind == b.kind => Some(Client { nature: Nature::Either, ..a }),
                    _ => None,
                }
            }
            other @ (Expression::Identifier(_)
            | Expression::StaticMemberExpression(_)
            | Expression::PrivateFieldExpression(_)) => {
                let path = self.model.path_of(other);
                let (client, used) = self.of_path_at(&path, self.model.node(other), depth)?;
                (used == path.members.len()).then_some(client)
            }
            _ => None,
        }
    }

    fn of_new(&self, new: &'a NewExpression<'a>, depth: u32) -> Option<Client> {
        let path = self.model.path_of(&new.callee);
        if let Some(imported) = self.model.imported(&path) {
            return class_of_import(imported, path.members.last().copied());
        }
        let Root::Symbol(symbol, _) = path.root else { return None };
        let Binding::Class(class) = self.model.binding(symbol) else { return None };
        let AstKind::Class(class) = self.model.kind(class) else { return None };
        self.of_super(class, depth)
    }

    fn of_call(&self, call: &'a CallExpression<'a>, depth: u32) -> Option<Client> {
        let depth = depth.checked_sub(1)?;
        let path = self.model.callee(call);
        if let Some(imported) = self.model.imported(&path) {
            let member = path.members.first().copied().unwrap_or("");
            let maker = MAKERS
                .iter()
                .find(|(m, n, with, ..)| is_module(imported.module, m) && *n == imported.name && *with == member);
            if let Some(&(.., kind, nature)) = maker {
                return Some(Client::new(kind, nature));
            }
        }
        // `singleton('db', () => new PrismaClient())` keeps what the function gives.
        if names::keeps_once(path.leaf())
            && let Some(Expression::ArrowFunctionExpression(kept)) =
                call.arguments.last().and_then(|a| a.as_expression())
        {
            return self.of_expression(kept.get_expression()?, depth);
        }
        let known = self.of_path_at(&path, AstKind::CallExpression(call).node_id(), depth);
        let Some((base, used)) = known else { return repository(&path, call) };
        let [method] = path.members[used..] else { return None };
        let &(kind, _, nature) = HANDS_ON.iter().find(|(kind, name, _)| *kind == base.kind && *name == method)?;
        let kind = if kind == Kind::Sequelize { Kind::Model } else { kind };
        // What hangs off a transaction is part of it.
        let nature = if base.nature == Nature::Parallel { nature } else { base.nature };
        Some(Client { kind, nature, by_name: base.by_name })
    }

    /// The client of a declared type.
    pub fn of_type(&self, ty: &'a TSType<'a>, depth: u32) -> Option<Client> {
        let depth = depth.checked_sub(1)?;
        match ty {
            TSType::TSUnionType(union) => {
                let mut client: Option<Client> = None;
                let mut serial = false;
                for ty in &union.types {
                    match self.of_type(ty, depth) {
                        Some(one) if one.nature == Nature::Serial => {
                            serial = true;
                            client = client.or(Some(one));
                        }
                        Some(one) => client = Some(one),
                        None => serial |= type_name(ty).is_some_and(names::is_transaction_type),
                    }
                }
                let nature = |c: Client| if serial { Nature::Either } else { c.nature };
                client.map(|c| Client { nature: nature(c), ..c })
            }
            TSType::TSIntersectionType(all) => all.types.iter().find_map(|ty| self.of_type(ty, depth)),
            TSType::TSParenthesizedType(inner) => self.of_type(&inner.type_annotation, depth),
            TSType::TSTypeQuery(query) => match &query.expr_name {
                TSTypeQueryExprName::IdentifierReference(id) => self.of_symbol(self.model.symbol_of(id)?, depth),
                _ => None,
            },
            TSType::TSTypeReference(reference) => match &reference.type_name {
                TSTypeName::IdentifierReference(id) => {
                    let name = id.name.as_str();
                    let inner = reference.type_arguments.as_ref().and_then(|a| a.params.first());
                    if matches!(name, "Omit" | "Pick") {
                        // The usual way to write a transaction's type.
                        let client = self.of_type(inner?, depth)?;
                        return Some(Client { nature: Nature::Either, ..client });
                    }
                    if matches!(name, "Readonly" | "NonNullable" | "Required") {
                        return self.of_type(inner?, depth);
                    }
                    let symbol = self.model.symbol_of(id);
                    match symbol.map(|symbol| self.model.binding(symbol)) {
                        Some(Binding::Import(imported)) => class_of_import(imported, None),
                        Some(Binding::Class(class)) => match self.model.kind(class) {
                            AstKind::Class(class) => self.of_super(class, depth),
                            _ => None,
                        },
                        Some(_) => match self.model.kind(self.model.scoping().symbol_declaration(symbol?)) {
                            AstKind::TSTypeAliasDeclaration(alias) => self.of_type(&alias.type_annotation, depth),
                            _ => None,
                        },
                        None => None,
                    }
                    .or_else(|| class_of_name(name))
                }
                TSTypeName::QualifiedName(name) => {
                    let right = name.right.name.as_str();
                    if names::is_transaction_type(right) {
                        let left = match &name.left {
                            TSTypeName::IdentifierReference(id) => id.name.as_str(),
                            _ => "",
                        };
                        let kind = if left == "Knex" { Kind::Knex } else { Kind::Prisma };
                        return Some(Client::new(kind, Nature::Serial));
                    }
                    let TSTypeName::IdentifierReference(id) = &name.left else { return None };
                    match self.model.binding(self.model.symbol_of(id)?) {
                        Binding::Import(imported) => {
                            class_of_import(Imported { module: imported.module, name: right }, None)
                        }
                        _ => None,
                    }
                }
                TSTypeName::ThisExpression(_) => None,
            },
            _ => None,
        }
    }

    fn of_field(&self, class: NodeId, field: &'a str, depth: u32) -> Option<Client> {
        if let Some(&known) = self.fields.borrow().get(&(class, field)) {
            return known;
        }
        self.fields.borrow_mut().insert((class, field), None);
        let client = self.find_field(class, field, depth);
        self.fields.borrow_mut().insert((class, field), client);
        client
    }

    fn find_field(&self, node: NodeId, field: &str, depth: u32) -> Option<Client> {
        let AstKind::Class(class) = self.model.kind(node) else { return None };
        for element in &class.body.body {
            match element {
                ClassElement::PropertyDefinition(property) if key_name(&property.key).as_deref() == Some(field) => {
                    let annotated = property.type_annotation.as_ref();
                    let annotated = annotated.and_then(|a| self.of_type(&a.type_annotation, depth));
                    let value = property.value.as_ref().and_then(|value| self.of_expression(value, depth));
                    match (annotated, value) {
                        (Some(client), Some(value)) if client.nature == Nature::Either => return Some(value),
                        (Some(client), _) => return Some(client),
                        (None, Some(value)) => return Some(value),
                        (None, None) => {}
                    }
                }
                ClassElement::MethodDefinition(method) if method.kind.is_constructor() => {
                    for parameter in &method.value.params.items {
                        let is_property = parameter.accessibility.is_some() || parameter.readonly;
                        let BindingPattern::BindingIdentifier(id) = &parameter.pattern else { continue };
                        if is_property && id.name.as_str() == field {
                            let ty = parameter.type_annotation.as_ref()?;
                            let client = self.of_type(&ty.type_annotation, depth)?;
                            // With a default, it is the one that all share.
                            return Some(match (client.nature, &parameter.initializer) {
                                (Nature::Either, Some(_)) => Client { nature: Nature::Parallel, ..client },
                                _ => client,
                            });
                        }
                    }
                }
                _ => {}
            }
        }
        self.of_assignments(node, field, depth)
    }

    /// `this.field = …` anywhere in the class: all of them must agree.
    fn of_assignments(&self, class: NodeId, field: &str, depth: u32) -> Option<Client> {
        let mut found: Option<Client> = None;
        for &id in &self.model.index.field_assignments {
            let AstKind::AssignmentExpression(assignment) = self.model.kind(id) else { continue };
            let name = match &assignment.left {
                AssignmentTarget::StaticMemberExpression(m) => m.property.name.as_str(),
                AssignmentTarget::PrivateFieldExpression(m) => m.field.name.as_str(),
                _ => continue,
            };
            if name != field || is_nothing(&assignment.right) || !self.model.is_within(id, class) {
                continue;
            }
            let client = self.of_expression(&assignment.right, depth)?;
            match found {
                Some(other) if other != client => return None,
                _ => found = Some(client),
            }
        }
        found
    }
}

/// `dataSource.getRepository(User)` on something of another file: a TypeORM
/// repository. One that is asked for with a context, or of a transaction, runs
/// on that one's connection.
fn repository(path: &Path<'_, '_>, call: &CallExpression<'_>) -> Option<Client> {
    const GIVING: &[&str] = &["getRepository", "getTreeRepository", "getMongoRepository"];
    let receiver = path.receiver_name();
    if !GIVING.contains(&path.leaf()) || receiver.is_empty() {
        return None;
    }
    let serial = call.arguments.len() != 1 || receiver != "connection" && names::is_carrier(receiver);
    Some(Client::named(Kind::TypeOrm, if serial { Nature::Serial } else { Nature::Parallel }))
}

fn is_nothing(expression: &Expression<'_>) -> bool {
    match bare(expression) {
        Expression::NullLiteral(_) => true,
        Expression::Identifier(id) => id.name == "undefined",
        _ => false,
    }
}

fn type_name<'a>(ty: &'a TSType<'a>) -> Option<&'a str> {
    match ty {
        TSType::TSTypeReference(reference) => match &reference.type_name {
            TSTypeName::IdentifierReference(id) => Some(id.name.as_str()),
            TSTypeName::QualifiedName(name) => Some(name.right.name.as_str()),
            TSTypeName::ThisExpression(_) => None,
        },
        _ => None,
    }
}

/// The client that an imported class or type is; `member` is what is taken of
/// a whole module (`pg.Pool`).
fn class_of_import(imported: Imported<'_>, member: Option<&str>) -> Option<Client> {
    let whole = matches!(imported.name, "default" | "*");
    let name = match member {
        Some(member) if whole => member,
        _ => imported.name,
    };
    let known = CLASSES.iter().find(|(module, class, ..)| is_module(imported.module, module) && *class == name);
    if let Some(&(_, _, kind, nature)) = known {
        return Some(Client::new(kind, nature));
    }
    let module = strip_node(imported.module);
    if let Some(service) = module.strip_prefix("@aws-sdk/client-") {
        let aggregated = name.to_ascii_lowercase() == service.replace('-', "");
        return (aggregated || name.ends_with("Client")).then(|| Client::new(Kind::Aws, Nature::Parallel));
    }
    // A package of the project that hands Redis on: `@acme/redis`.
    let hands_redis_on = !module.starts_with(['.', '~', '#']) && names::has_word(module, &["redis", "ioredis"]);
    if hands_redis_on && matches!(name, "Redis" | "IORedis" | "Cluster" | "RedisClient" | "RedisClientType") {
        return Some(Client::new(Kind::Redis, Nature::Parallel));
    }
    class_of_name(name)
}

/// Types that are named after their library wherever they are declared.
fn class_of_name(name: &str) -> Option<Client> {
    match name {
        "PrismaClient" => return Some(Client::new(Kind::Prisma, Nature::Parallel)),
        "AxiosInstance" => return Some(Client::new(Kind::Axios, Nature::Parallel)),
        _ => {}
    }
    let words = names::words(name);
    if words.first().is_some_and(|word| word == "prisma") {
        let has = |word: &str| words.iter().any(|w| w == word);
        if has("transaction") {
            let nature = if has("or") { Nature::Either } else { Nature::Serial };
            return Some(Client::named(Kind::Prisma, nature));
        }
        return (has("client") || has("service")).then(|| Client::named(Kind::Prisma, Nature::Parallel));
    }
    names::is_transaction_type(name).then(|| Client::named(Kind::Repository, Nature::Serial))
}

/// `dataSource.manager` is no transaction; `repository.manager` is neither.
fn refine(client: Client, used: usize, members: &[&str]) -> (Client, usize) {
    match (client.kind, members.get(used)) {
        (Kind::TypeOrm, Some(&"manager")) => (client, used + 1),
        _ => (client, used),
    }
}

/// A client that may be a transaction by its type, and is none by its name:
/// nobody opens one on a replica.
fn by_replica(client: Client, path: &Path<'_, '_>) -> Client {
    let named = match path.root {
        Root::Symbol(_, name) => Some(name),
        _ => None,
    };
    let replica = |name: &str| names::has_word(name, &["replica", "replicas"]);
    let is_replica = named.is_some_and(replica) || path.members.first().is_some_and(|member| replica(member));
    match client.nature {
        Nature::Either if is_replica => Client { nature: Nature::Parallel, by_name: true, ..client },
        _ => client,
    }
}

/// Reads that only Prisma's models have under these names.
pub const PRISMA_READS: &[&str] =
    &["findMany", "findUnique", "findFirst", "findUniqueOrThrow", "findFirstOrThrow", "groupBy", "count", "aggregate"];

/// Prisma's writes of one row that have a sister for many rows.
pub const PRISMA_ROW_WRITES: &[&str] = &["create", "delete"];

#[cfg(test)]
mod tests;
