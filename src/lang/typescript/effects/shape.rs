//! Clients that another file makes, told by the shape of what is called on
//! them.

use oxc_ast::ast::{Expression, ObjectPropertyKind};
use oxc_syntax::node::NodeId;

use super::Chain;
use crate::lang::typescript::clients::{Client, Kind, Nature};
use crate::lang::typescript::path::{Binding, Path, Root, argument};
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare, names};
use crate::observe::{Effect, Known, Value};

/// The client that a chain begins with, and how many of its members belong to
/// the client's own name.
pub fn client<'a>(model: &Model<'a>, chain: &Chain<'a>, at: NodeId) -> Option<(Client, usize)> {
    let base = &chain.base;
    let (root, own) = match base.root {
        Root::Symbol(symbol, name) => (name, Some(symbol)),
        Root::This => ("this", None),
        _ => return None,
    };
    let first = argument(&chain.calls.first()?.arguments, 0);
    // What is handed over may be a transaction; so may what is called like one.
    // An application keeps what serves all of its requests.
    let application = matches!(root, "app" | "fastify" | "server" | "instance") && !base.members.is_empty();
    let handed = !application && own.is_some_and(|symbol| matches!(model.binding(symbol), Binding::Parameter));
    let receiver = base.members.iter().rev().nth(1).copied().unwrap_or(root);
    let nature = match () {
        () if names::is_carrier(receiver) || names::is_carrier(root) => Nature::Serial,
        () if handed => Nature::Either,
        () => Nature::Parallel,
    };
    let named = |kind| Client { kind, nature, by_name: true };
    // `s3.send(new GetObjectCommand(…))`, by where the command comes from; so
    // does `s3Client().send(…)`.
    let sent = argument(&chain.calls.last()?.arguments, 0);
    let used = match chain.links.as_slice() {
        [] if base.leaf() == "send" => base.members.len().checked_sub(1),
        ["send"] => Some(base.members.len()),
        _ => None,
    };
    if let Some(used) = used
        && let Some(Expression::NewExpression(new)) = sent
        && model.imported(&model.path_of(&new.callee)).is_some_and(|command| command.module.starts_with("@aws-sdk/"))
    {
        return Some((Client { by_name: false, ..named(Kind::Aws) }, used));
    }
    // `db.one('SELECT …', [id])`, whatever the own module calls its helper.
    if let Some(text) = first
        && chain.links.is_empty()
        && nature == Nature::Parallel
        && is_helper(model, base, at)
        && is_query(model, text)
    {
        return Some((named(Kind::Sql), base.members.len().saturating_sub(1)));
    }
    let drizzle = || model.facts().imports_any(|module| module.starts_with("drizzle-orm"));
    match base.members.as_slice() {
        // `db.select().from(users)`, `db.query.users.findMany()`.
        [.., "select" | "selectDistinct"] if chain.links.contains(&"from") && drizzle() => {
            // Nothing else is written so beside that library's functions.
            Some((Client { by_name: false, ..named(Kind::Drizzle) }, base.members.len() - 1))
        }
        [rest @ .., "query", _, "findMany" | "findFirst"] if drizzle() => {
            Some((Client { by_name: false, ..named(Kind::Drizzle) }, rest.len()))
        }
        // `ledger.invoice.aggregate({ where, _sum })`.
        [rest @ .., _, method] if chain.links.is_empty() && first.is_some_and(|given| is_prisma(method, given)) => {
            Some((named(Kind::Prisma), rest.len()))
        }
        // `db('users').where(…)`, `app.knex('users').select(…)`.
        members if !chain.links.is_empty() => {
            const WORDS: &[&str] = &["db", "knex", "database"];
            const CHAINED: &[&str] =
                &["where", "select", "first", "count", "whereIn", "orderBy", "join", "limit", "pluck"];
            let table = matches!(model.value(first?), Known::Here(Value::Text(_), _));
            let name = members.last().copied().unwrap_or(root);
            let database =
                |name: &str| names::pieces(name).any(|word| WORDS.iter().any(|w| w.eq_ignore_ascii_case(word)));
            // `../db`, and what lies in its folder: `../db/reporting`.
            let from = match own.map(|symbol| model.binding(symbol)) {
                Some(Binding::Import(imported)) => imported.module.rsplit('/').take(2).any(database),
                _ => false,
            };
            let called = database(name) || members.is_empty() && from;
            let chained = chain.links.iter().any(|link| CHAINED.contains(link));
            (table && called && chained && !matches!(bare(first?), Expression::TemplateLiteral(_)))
                .then(|| (named(Kind::Knex), members.len()))
        }
        _ => None,
    }
}

/// True for a call that nothing but Prisma's client takes so.
fn is_prisma(method: &str, given: &Expression<'_>) -> bool {
    let Expression::ObjectExpression(object) = bare(given) else { return false };
    let has = |wanted: &[&str]| {
        object.properties.iter().any(|kind| match kind {
            ObjectPropertyKind::ObjectProperty(property) => {
                key_name(&property.key).is_some_and(|key| wanted.contains(&key.as_ref()))
            }
            ObjectPropertyKind::SpreadProperty(_) => false,
        })
    };
    match method {
        "findUniqueOrThrow" | "findFirstOrThrow" | "findUnique" => has(&["where"]),
        "aggregate" => has(&["_sum", "_avg", "_count", "_max", "_min"]),
        "groupBy" => has(&["by"]),
        _ => false,
    }
}

/// True for a function of the project that may send the text it is handed: an
/// imported one, one of this file, a method of the class around. What is a
/// connection itself sends one text after the other.
fn is_helper(model: &Model<'_>, path: &Path<'_, '_>, at: NodeId) -> bool {
    match path.root {
        Root::Symbol(symbol, _) => match model.binding(symbol) {
            Binding::Import(_) => true,
            Binding::Function(_) => path.members.is_empty(),
            _ => false,
        },
        Root::This => path.members.len() == 1 && !is_one_connection(model, path, at),
        _ => false,
    }
}

/// True for a method of the class around that is one connection by its name,
/// and for what is built around one: `new RelationLoader(db, queryRunner)`.
pub fn is_one_connection(model: &Model<'_>, path: &Path<'_, '_>, at: NodeId) -> bool {
    const SERIAL: &[&str] = &["runner", "connection", "transaction", "session", "driver"];
    match path.root {
        Root::This if path.members.len() == 1 => {
            let name = model.class_of(at).and_then(|class| model.name_of(class));
            name.is_some_and(|name| names::words(&name).last().is_some_and(|word| SERIAL.contains(&word.as_str())))
        }
        Root::Symbol(symbol, _) if path.members.len() == 1 => match model.binding(symbol) {
            Binding::Constant(init) => match bare(init) {
                Expression::NewExpression(new) => {
                    let given = new.arguments.iter().filter_map(|given| given.as_expression());
                    given.into_iter().any(|given| names::is_carrier(model.path_of(given).leaf()))
                }
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// True for the text of an SQL query, which no sentence for people is taken for.
fn is_query<'a>(model: &Model<'a>, expression: &'a Expression<'a>) -> bool {
    let Some(text) = super::sql::text(model, expression) else { return false };
    let text = text.trim_start();
    let lower = text.to_ascii_lowercase();
    let queries = lower.starts_with("select") && lower.split_whitespace().any(|word| word == "from");
    let written = text.starts_with("SELECT") || text.contains(['*', '=', '?', '$']);
    queries && written && super::sql::effect(text) == Effect::Read
}
