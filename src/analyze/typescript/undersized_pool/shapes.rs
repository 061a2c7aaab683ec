//! Pools that no constructor shows: options by their shape, and the size in
//! the address of a database.

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression, ObjectExpression};
use oxc_syntax::node::NodeId;

use crate::analyze::typescript::options;
use crate::analyze::typescript::pool_libraries::{self as libraries, Library};
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::{Model, span};
use crate::observe::{Known, Value};

/// Prisma before version 7, whose pool is sized in the address.
pub fn prisma() -> Option<Library> {
    Some(Library { server: Some("postgres"), ..libraries::by_name("@prisma/client")? })
}

/// The size that `url.searchParams.set('connection_limit', '1')` sets.
pub fn connection_limit<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> Option<Known<f64>> {
    if !matches!(model.callee(call).leaf(), "set" | "append") {
        return None;
    }
    let text = |index| match model.value(argument(&call.arguments, index)?) {
        Known::Here(Value::Text(text), at) => Some((text, at)),
        Known::Here(Value::Number(number), at) => Some((number.to_string(), at)),
        _ => None,
    };
    let (key, _) = text(0)?;
    let (value, at) = text(1)?;
    (key == "connection_limit").then_some(Known::Here(value.parse().ok()?, at))
}

/// The size in an address that is written out, at least in its end:
/// `${base}?connection_limit=2`.
pub fn limit_in_address(model: &Model<'_>, node: NodeId) -> Option<Known<f64>> {
    let (text, at) = match model.kind(node) {
        AstKind::StringLiteral(text) => (text.value.as_str(), span(text)),
        AstKind::TemplateElement(text) => (text.value.raw.as_str(), span(text)),
        _ => return None,
    };
    let (before, after) = text.split_once("connection_limit=")?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
    // `connection_limit=${size}` is written elsewhere.
    let address = before.ends_with(['?', '&']);
    address.then(|| digits.parse().ok()).flatten().map(|size| Known::Here(size, at))
}

/// `pool: { max, acquire }` in a configuration object, where no constructor is
/// seen that takes it.
pub fn by_shape<'a>(model: &Model<'a>, node: NodeId, object: &'a ObjectExpression<'a>) -> Option<Library> {
    // A word of MongoDB's drivers alone: `forRootAsync({ useFactory: () => ({ maxPoolSize: 2 }) })`.
    const MONGO: &[&str] = &["mongodb", "mongoose", "@nestjs/mongoose", "@typegoose/typegoose", "nestjs-typegoose"];
    if options::keys(object).iter().any(|key| key == "maxPoolSize")
        && model.facts().imports_any(|module| MONGO.contains(&module))
    {
        return libraries::by_name("mongodb");
    }
    let held = options::property_of(model, node);
    if held.as_deref() == Some("extra") || held.is_none() {
        return typeorm_options(model, node, object);
    }
    if held.as_deref() != Some("pool") {
        return None;
    }
    let keys = options::keys(object);
    let has = |names: &[&str]| names.iter().any(|name| keys.iter().any(|key| key == name));
    if !has(&["max"]) {
        return None;
    }
    let outer = model.nodes().ancestor_ids(node).find_map(|id| match model.kind(id) {
        AstKind::ObjectExpression(outer) => Some(outer),
        _ => None,
    });
    let sibling = |name: &str| outer.and_then(|outer| model.property(outer, name).found());
    let dialect = sibling("dialect").or_else(|| sibling("client")).or_else(|| sibling("type"));
    let server = dialect.and_then(|value| match model.value(value) {
        Known::Here(Value::Text(text), _) => libraries::server_of(&text),
        _ => None,
    });
    // SQLite has one writer, whatever the pool.
    let file_of =
        |value: &'a Expression<'a>| model.object(value).is_some_and(|at| !model.property(at, "filename").is_missing());
    let embedded = sibling("useNullAsDefault").is_some()
        || sibling("storage").is_some()
        || sibling("connection").is_some_and(file_of);
    let server = if embedded { Some("sqlite") } else { server };
    let imports = |names: &[&str]| model.facts().imports_any(|module| names.contains(&module));
    let sequelize = imports(&["sequelize", "sequelize-typescript", "@nestjs/sequelize"]);
    let knex = imports(&["knex"]);
    let file = model.source.path.rsplit('/').next().unwrap_or_default();
    let database_file = words(file).iter().any(|word| {
        matches!(word.as_str(), "database" | "db" | "sequelize" | "knex" | "orm" | "knexfile" | "datasource")
    });
    let knex = knex || file.starts_with("knexfile");
    if !(sequelize || knex || dialect.is_some() && server.is_some() || database_file) {
        return None;
    }
    // `max` and `min` are also words of swimming pools and thread pools.
    let connects = ["dialect", "client", "connection", "host", "database", "username", "storage", "url", "uri"];
    let beside = connects.iter().any(|name| sibling(name).is_some());
    let name = if has(&["acquire", "evict"]) || sequelize && beside {
        "sequelize"
    } else if has(&["acquireTimeoutMillis", "createTimeoutMillis", "propagateCreateError"]) || knex && beside {
        "knex"
    } else {
        return None;
    };
    let shown = sequelize || knex;
    Some(Library { server, shown, ..libraries::by_name(name)? })
}

/// Options of a TypeORM data source that something else makes: the object with
/// `poolSize`, or its `extra`, which goes to the driver and wins.
fn typeorm_options<'a>(model: &Model<'a>, node: NodeId, object: &'a ObjectExpression<'a>) -> Option<Library> {
    if !model.facts().imports_any(|module| matches!(module, "typeorm" | "@nestjs/typeorm")) {
        return None;
    }
    let extra = options::property_of(model, node).is_some();
    let source = match extra {
        true => model.nodes().ancestor_kinds(node).find_map(|kind| match kind {
            AstKind::ObjectExpression(outer) => Some(outer),
            _ => None,
        })?,
        false => object,
    };
    let Known::Here(Value::Text(kind), _) = model.value(model.property(source, "type").found()?) else { return None };
    let server = Some(libraries::server_of(&kind)?);
    // `extra` says it where it is there.
    let told = !extra && !model.property(source, "extra").is_missing();
    (!told).then_some(Library { server, ..libraries::by_name("typeorm")? })
}
