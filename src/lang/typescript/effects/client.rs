//! What a call on a known client does, by the library's own words.

use oxc_ast::ast::{CallExpression, Expression};

use super::sql;
use crate::lang::typescript::clients::{Client, Kind, PRISMA_READS, REDIS_READS};
use crate::lang::typescript::names;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::values::{Property, key_name, property};
use crate::lang::typescript::{Model, bare};
use crate::observe::{Effect, Known, Value};

/// JSON-RPC methods that only read. Sources: the Ethereum JSON-RPC
/// specification's state and history methods; the prefixes are conventions
/// (`debug_getRawBlock`, `wallet_getPermissions`, `tags_list`).
const RPC_READS: &[&str] = &[
    "eth_call",
    "eth_blocknumber",
    "eth_chainid",
    "eth_estimategas",
    "eth_gasprice",
    "eth_feehistory",
    "eth_maxpriorityfeepergas",
    "eth_accounts",
    "eth_syncing",
    "net_version",
    "net_peercount",
    "net_listening",
    "web3_clientversion",
];

/// Methods of models that only ask.
pub const MODEL_READS: &[&str] = &[
    "find",
    "findOne",
    "findById",
    "findAll",
    "findByPk",
    "findAndCountAll",
    "count",
    "countDocuments",
    "estimatedDocumentCount",
    "exists",
    "distinct",
    "aggregate",
    "max",
    "min",
    "sum",
];

/// Links of a query chain that only shape the query.
const SHAPING: &[&str] = &[
    "exec",
    "orFail",
    "lean",
    "populate",
    "sort",
    "limit",
    "skip",
    "select",
    "where",
    "and",
    "or",
    "nor",
    "in",
    "project",
    "toArray",
    "from",
    "leftJoin",
    "innerJoin",
    "rightJoin",
    "fullJoin",
    "orderBy",
    "groupBy",
    "having",
    "offset",
    "as",
    "first",
    "on",
    "using",
    "distinct",
    "equals",
    "gte",
    "lte",
    "gt",
    "lt",
    "ne",
    "regex",
    "collation",
    "hint",
    "read",
    "cursor",
    "$dynamic",
    "unscoped",
    "scope",
];

/// Links of a request's chain that only say how it is sent (superagent).
const REQUEST_LINKS: &[&str] =
    &["accept", "agent", "auth", "ok", "query", "redirects", "responseType", "retry", "set", "timeout", "type"];

fn is_redis_read(command: &str) -> bool {
    REDIS_READS.contains(&command.to_ascii_lowercase().as_str())
}

const TYPEORM_READS: &[&str] = &[
    "find",
    "findOne",
    "findBy",
    "findOneBy",
    "findAndCount",
    "findAndCountBy",
    "findByIds",
    "findOneOrFail",
    "findOneByOrFail",
    "count",
    "countBy",
    "exist",
    "exists",
    "existsBy",
    "sum",
    "average",
    "minimum",
    "maximum",
    "findTrees",
    "findRoots",
];

const TYPEORM_FETCHES: &[&str] = &[
    "getOne",
    "getMany",
    "getCount",
    "getRawMany",
    "getRawOne",
    "getManyAndCount",
    "getOneOrFail",
    "getRawAndEntities",
    "getExists",
];

const TYPEORM_CHANGES: &[&str] =
    &["insert", "update", "delete", "softDelete", "restore", "setLock", "useTransaction", "setQueryRunner", "execute"];

const KNEX_CHANGES: &[&str] = &[
    "insert",
    "update",
    "del",
    "delete",
    "truncate",
    "increment",
    "decrement",
    "upsert",
    "raw",
    "forUpdate",
    "forShare",
    "transacting",
    "transaction",
    "schema",
    "destroy",
    "batchInsert",
    "migrate",
    "seed",
    "merge",
    "onConflict",
];

/// What a chain of calls on a client does. `names` are the members and methods
/// after the client's own name, innermost first; `calls` the calls in the same
/// order.
pub fn effect<'a>(model: &Model<'a>, client: Client, names: &[&'a str], calls: &[&'a CallExpression<'a>]) -> Effect {
    let Some(&first_call) = calls.first() else { return Effect::Unknown };
    let has = |list: &[&str]| names.iter().any(|name| list.contains(name));
    let read_if = |reads: bool| if reads { Effect::Read } else { Effect::Write };
    match client.kind {
        Kind::Axios
        | Kind::Got
        | Kind::Ky
        | Kind::Undici
        | Kind::Request
        | Kind::Superagent
        | Kind::Fetch
        | Kind::RestSource
        | Kind::HttpByName => http(model, client, names, first_call),
        Kind::Prisma => match names {
            ["$queryRaw" | "$queryRawUnsafe"] => sql::of_argument(model, first_call),
            [_, method] => read_if(PRISMA_READS.contains(method)),
            _ => Effect::Unknown,
        },
        // Only what is told by a reading text is such a client.
        Kind::Sql => Effect::Read,
        Kind::Pg | Kind::Mysql | Kind::Sequelize => match names {
            ["query" | "execute"] => sql::of_argument(model, first_call),
            _ => Effect::Unknown,
        },
        Kind::Model => match names {
            [first, rest @ ..] if MODEL_READS.contains(first) => {
                let stages = *first == "aggregate" && changes_by_stage(model, first_call);
                read_if(!stages && rest.iter().all(|name| SHAPING.contains(name)))
            }
            _ => Effect::Unknown,
        },
        Kind::Drizzle => match names {
            ["query", _, "findMany" | "findFirst", ..] | ["$count", ..] => Effect::Read,
            ["select" | "selectDistinct" | "selectDistinctOn", rest @ ..] => {
                read_if(rest.iter().all(|name| SHAPING.contains(name)))
            }
            _ => Effect::Unknown,
        },
        Kind::Knex => match names {
            ["raw"] => sql::of_argument(model, first_call),
            _ => read_if(!has(KNEX_CHANGES)),
        },
        Kind::Redis => match names {
            // A batch that is handed its commands may do anything.
            ["pipeline" | "multi", ..] if !first_call.arguments.is_empty() => Effect::Unknown,
            // What is queued is seen by itself.
            ["pipeline" | "multi"] => Effect::None,
            [name] => read_if(is_redis_read(name)),
            ["pipeline" | "multi", queued @ .., "exec"] => {
                read_if(!queued.is_empty() && queued.iter().copied().all(is_redis_read))
            }
            _ => Effect::Unknown,
        },
        Kind::Mongo => {
            let reads = ["findOne", "find", "countDocuments", "estimatedDocumentCount", "distinct", "aggregate"];
            let rest = names.iter().all(|name| {
                reads.contains(name) || SHAPING.contains(name) || matches!(*name, "db" | "collection" | "count")
            });
            let stages = calls.iter().any(|call| changes_by_stage(model, call));
            read_if(has(&reads) && rest && !stages)
        }
        Kind::TypeOrm => match names {
            ["query"] => sql::of_argument(model, first_call),
            _ if has(&["createQueryBuilder"]) => read_if(has(TYPEORM_FETCHES) && !has(TYPEORM_CHANGES)),
            _ => read_if(names.last().is_some_and(|name| TYPEORM_READS.contains(name))),
        },
        Kind::Repository => match names {
            [name] if !names::is_trap(name) => names::effect_of(name),
            _ => Effect::Unknown,
        },
        Kind::Aws => match names {
            ["send"] => match calls.last().and_then(|call| argument(&call.arguments, 0)) {
                Some(Expression::NewExpression(new)) => aws_operation(model.path_of(&new.callee).leaf()),
                _ => Effect::Unknown,
            },
            // Version 2 starts a request with `.promise()`.
            [name] | [name, "promise"] => aws_operation(name),
            _ => Effect::Unknown,
        },
        Kind::Kysely => match names {
            ["selectFrom", ..] => read_if(!has(&["forUpdate", "forShare"])),
            _ => Effect::Write,
        },
        Kind::Loader => read_if(matches!(names, ["load" | "loadMany"])),
        Kind::Sdk if names.iter().any(|name| names::is_computed(name)) => Effect::Read,
        Kind::Sdk => names.last().map_or(Effect::Unknown, |last| sdk_operation(last)),
    }
}

/// The methods of SDKs of services, by the verbs that they share.
fn sdk_operation(name: &str) -> Effect {
    match name {
        "retrieve" | "list" | "search" | "get" | "mget" | "msearch" | "count" | "info" | "scroll" | "getEntry"
        | "getEntries" | "query" => Effect::Read,
        _ => match names::effect_of(name) {
            Effect::Read => Effect::Read,
            _ => Effect::Write,
        },
    }
}

fn aws_operation(name: &str) -> Effect {
    let words = names::words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["get" | "list" | "head" | "describe" | "query" | "scan", ..] | ["batch" | "transact", "get", ..] => {
            Effect::Read
        }
        _ => Effect::Write,
    }
}

fn http<'a>(model: &Model<'a>, client: Client, names: &[&'a str], call: &'a CallExpression<'a>) -> Effect {
    // What takes a function is a route or a hook, whatever its name.
    let function = call
        .arguments
        .iter()
        .filter_map(|a| a.as_expression())
        .any(|a| matches!(bare(a), Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)));
    if function || client.kind == Kind::HttpByName && !is_address(model, argument(&call.arguments, 0)) {
        return Effect::Unknown;
    }
    let names: Vec<&str> = names
        .iter()
        .copied()
        .filter(|n| !matches!(*n, "json" | "text" | "arrayBuffer" | "blob" | "buffer" | "pipe"))
        .collect();
    match names.as_slice() {
        [] => {
            let first = argument(&call.arguments, 0);
            let axios = matches!(client.kind, Kind::Axios | Kind::Request)
                && first.is_some_and(|first| model.object(first).is_some());
            by_method(model, if axios { first } else { argument(&call.arguments, 1) }, client.kind)
        }
        ["request"] if matches!(client.kind, Kind::Axios | Kind::Undici) => {
            by_method(model, argument(&call.arguments, 0), client.kind)
        }
        ["get" | "head" | "options", rest @ ..]
            if client.kind == Kind::Superagent || rest.iter().all(|link| REQUEST_LINKS.contains(link)) =>
        {
            Effect::Read
        }
        ["post"] if argument(&call.arguments, 1).is_some_and(|body| is_rpc_read(model, body)) => Effect::Read,
        ["request", ..] => Effect::Unknown,
        _ => Effect::Write,
    }
}

/// A path or a URL, written out at least in its beginning.
fn is_address<'a>(model: &Model<'a>, expression: Option<&'a Expression<'a>>) -> bool {
    // `orders/42` of a client that knows its host.
    let starts = |text: &str| text.starts_with("http") || text.contains('/');
    match expression.map(bare) {
        Some(Expression::TemplateLiteral(template)) => {
            template.quasis.iter().any(|quasi| starts(quasi.value.raw.as_str()))
        }
        Some(other) => match model.value(other) {
            Known::Here(Value::Text(text), _) => starts(&text),
            _ => false,
        },
        None => false,
    }
}

/// A property as it is written: what is spread in beside it hands on headers
/// and the like.
fn written<'e, 'a>(object: &'e oxc_ast::ast::ObjectExpression<'a>, name: &str) -> Property<'e, 'a> {
    let own = object.properties.iter().rev().find_map(|kind| match kind {
        oxc_ast::ast::ObjectPropertyKind::ObjectProperty(property) => {
            (key_name(&property.key).as_deref() == Some(name)).then_some(&property.value)
        }
        oxc_ast::ast::ObjectPropertyKind::SpreadProperty(_) => None,
    });
    own.map_or_else(|| property(object, name), Property::Found)
}

/// The effect that an options object's `method` says; none means GET.
fn by_method<'a>(model: &Model<'a>, options: Option<&'a Expression<'a>>, kind: Kind) -> Effect {
    let Some(options) = options else { return Effect::Read };
    // `fetch(url, defaults())`: what is handed nothing has no body to send, where
    // its name speaks of none.
    const SENDS: &[&str] = &["post", "put", "patch", "delete"];
    if let Expression::CallExpression(made) = bare(options)
        && kind == Kind::Fetch
        && made.arguments.is_empty()
        && !names::words(model.callee(made).leaf()).iter().any(|word| SENDS.contains(&word.as_str()))
    {
        return Effect::Read;
    }
    let Some(object) = model.object(options) else { return Effect::Unknown };
    match written(object, "method") {
        Property::Missing => {
            // got and ky turn a body into a POST only with a method.
            // request's `json: true` only says how to read the answer.
            let flag = |value: &Expression<'_>| matches!(bare(value), Expression::BooleanLiteral(_));
            let body = ["body", "json", "form"].iter().any(|key| match property(object, key) {
                Property::Found(value) => !(kind == Kind::Request && flag(value)),
                other => !other.is_missing(),
            });
            if body && kind != Kind::Axios { Effect::Write } else { Effect::Read }
        }
        Property::Found(method) => match model.value(method) {
            Known::Here(Value::Text(method), _) => match method.to_ascii_uppercase().as_str() {
                "GET" | "HEAD" | "OPTIONS" => Effect::Read,
                "POST" => match property(object, "body").found().or(property(object, "data").found()) {
                    Some(body) if is_rpc_read(model, body) => Effect::Read,
                    _ => Effect::Write,
                },
                _ => Effect::Write,
            },
            _ => Effect::Unknown,
        },
        Property::Unknown => Effect::Unknown,
    }
}

/// True for a JSON-RPC body whose literal `method` only reads, also inside
/// `JSON.stringify`.
pub fn is_rpc_read<'a>(model: &Model<'a>, body: &'a Expression<'a>) -> bool {
    let body = match bare(body) {
        Expression::CallExpression(call) if model.callee(call).is_global("JSON", &["stringify"]) => {
            match argument(&call.arguments, 0) {
                Some(inner) => inner,
                None => return false,
            }
        }
        other => other,
    };
    let Some(object) = model.object(body) else { return false };
    let Some(method) = property(object, "method").found() else { return false };
    match model.value(method) {
        Known::Here(Value::Text(method), _) => is_rpc_method(&method),
        _ => false,
    }
}

pub fn is_rpc_method(method: &str) -> bool {
    let lower = method.to_ascii_lowercase();
    let Some((_, operation)) = lower.split_once(['_', '.']) else { return false };
    // Filters hand over what changed since the last call and forget it.
    let drains = operation.starts_with("getfilter");
    !drains && (RPC_READS.contains(&lower.as_str()) || operation.starts_with("get") || operation.ends_with("list"))
}

fn changes_by_stage(model: &Model<'_>, call: &CallExpression<'_>) -> bool {
    let text = model.text(call);
    text.contains("$out") || text.contains("$merge")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rpc_methods_read_or_not() {
        assert!(is_rpc_method("eth_getBalance"));
        assert!(is_rpc_method("eth_call"));
        assert!(!is_rpc_method("eth_sendRawTransaction"));
        assert!(!is_rpc_method("eth_getFilterChanges"));
        assert!(!is_rpc_method("getBalance"));
    }
}
