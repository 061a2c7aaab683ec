//! Calls that touch nothing but values.

use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, CallExpression, Expression};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::Effects;
use crate::lang::typescript::names;
use crate::lang::typescript::path::{Binding, Path, Root, strip_node};
use crate::lang::typescript::{Model, bare};

/// Globals whose functions touch nothing outside.
const PURE_GLOBALS: &[&str] = &[
    "Math",
    "JSON",
    "Object",
    "Array",
    "Number",
    "String",
    "Boolean",
    "Date",
    "BigInt",
    "Promise",
    "Symbol",
    "Reflect",
    "Buffer",
    "URL",
    "URLSearchParams",
    "Intl",
    "RegExp",
    "Error",
    "parseInt",
    "parseFloat",
    "isNaN",
    "isFinite",
    "encodeURIComponent",
    "decodeURIComponent",
    "encodeURI",
    "decodeURI",
    "structuredClone",
    "atob",
    "btoa",
    "performance",
    "console",
    "crypto",
    "AbortSignal",
    "TextEncoder",
    "TextDecoder",
];

/// Methods of strings, arrays, numbers, dates and promises that touch nothing
/// outside, by names that little else has.
const PURE_METHODS: &[&str] = &[
    "map",
    "filter",
    "reduce",
    "some",
    "every",
    "findIndex",
    "findLast",
    "includes",
    "indexOf",
    "lastIndexOf",
    "join",
    "slice",
    "split",
    "trim",
    "trimEnd",
    "trimStart",
    "toLowerCase",
    "toUpperCase",
    "toString",
    "toFixed",
    "startsWith",
    "endsWith",
    "match",
    "matchAll",
    "test",
    "replace",
    "replaceAll",
    "padStart",
    "padEnd",
    "concat",
    "flat",
    "flatMap",
    "forEach",
    "keys",
    "values",
    "entries",
    "toISOString",
    "getTime",
    "valueOf",
    "charAt",
    "charCodeAt",
    "at",
    "localeCompare",
    "substring",
    "substr",
    "toSorted",
    "toReversed",
    "repeat",
    "normalize",
    "has",
    "then",
    "catch",
    "finally",
    "json",
    "text",
    "blob",
    "arrayBuffer",
    "safeParse",
    "parse",
    "toJSON",
    "bind",
    "toPrecision",
    "codePointAt",
    "dump",
    "transformToString",
    "transformToByteArray",
];

/// Packages whose functions compute, or shape what something else waits for.
const PURE_PACKAGES: &[&str] = &[
    "rxjs",
    "rxjs/operators",
    "lodash",
    "lodash-es",
    "ramda",
    "date-fns",
    "dayjs",
    "moment",
    "luxon",
    "zod",
    "joi",
    "yup",
    "uuid",
    "nanoid",
    "path",
    "url",
    "qs",
    "querystring",
    "crypto",
    "http-errors",
    "drizzle-orm",
    "typeorm",
    "sequelize",
    "next/headers",
    "@nestjs/config",
    "config",
    "convict",
    "nconf",
];

/// True for a package of [`PURE_PACKAGES`].
pub fn is_pure_package(module: &str) -> bool {
    PURE_PACKAGES.contains(&strip_node(module))
}

/// True where a variable holds something that was made for it alone.
pub fn is_fresh(model: &Model<'_>, symbol: SymbolId) -> bool {
    match model.binding(symbol) {
        Binding::Constant(init) | Binding::Variable(Some(init)) => gives_fresh(init),
        Binding::Variable(None) => true,
        Binding::Parameter => is_accumulator(model, symbol),
        _ => false,
    }
}

fn gives_fresh(value: &Expression<'_>) -> bool {
    match bare(value) {
        Expression::ObjectExpression(_)
        | Expression::ArrayExpression(_)
        | Expression::NewExpression(_)
        | Expression::CallExpression(_)
        | Expression::AwaitExpression(_) => true,
        // `groups.get(key) ?? []`.
        Expression::LogicalExpression(either) => gives_fresh(&either.left) && gives_fresh(&either.right),
        Expression::ConditionalExpression(choice) => gives_fresh(&choice.consequent) && gives_fresh(&choice.alternate),
        _ => false,
    }
}

/// True for `sums` in `rows.reduce((sums, row) => …, {})`.
fn is_accumulator(model: &Model<'_>, symbol: SymbolId) -> bool {
    let Some(function) = model.function_of_parameter(symbol) else { return false };
    let AstKind::CallExpression(call) = model.nodes().parent_kind(function) else { return false };
    let first = model.parameters(function).and_then(|parameters| parameters.items.first());
    let is_first = first.is_some_and(|first| match &first.pattern {
        BindingPattern::BindingIdentifier(id) => id.symbol_id.get() == Some(symbol),
        _ => false,
    });
    let begins = call.arguments.get(1).and_then(|begin| begin.as_expression()).is_some_and(gives_fresh);
    is_first && begins && model.callee(call).leaf() == "reduce"
}

/// True for a method of what the function made itself of a built-in class, or
/// with a package that only computes: `start.setUTCHours(0)` of
/// `const start = new Date()`, `hash.update(text)`.
fn is_of_own_value<'a>(model: &Model<'a>, path: &Path<'_, 'a>, function: NodeId) -> bool {
    const BUILT_IN: &[&str] = &[
        "Date",
        "Map",
        "Set",
        "WeakMap",
        "WeakSet",
        "Array",
        "Uint8Array",
        "URL",
        "URLSearchParams",
        "Headers",
        "FormData",
        "TextEncoder",
        "TextDecoder",
    ];
    let built_in = |callee: &Expression<'a>| match bare(callee) {
        Expression::Identifier(id) => BUILT_IN.contains(&id.name.as_str()) && model.symbol_of(id).is_none(),
        _ => false,
    };
    match path.root {
        Root::New(new) => built_in(&new.callee),
        Root::Symbol(symbol, _) if model.is_within(model.scoping().symbol_declaration(symbol), function) => {
            let (Binding::Constant(init) | Binding::Variable(Some(init))) = model.binding(symbol) else { return false };
            match bare(init) {
                Expression::NewExpression(new) => built_in(&new.callee),
                Expression::CallExpression(made) => {
                    let made = model.callee(made);
                    model.imported(&made).is_some_and(|from| strip_node(from.module) == "crypto")
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// True for a callee that by its name touches nothing but values: a global
/// function, a method of strings, arrays, numbers and dates.
pub fn touches_nothing(path: &Path<'_, '_>) -> bool {
    match path.root {
        Root::Global(name) if PURE_GLOBALS.contains(&name) => true,
        _ => !path.members.is_empty() && PURE_METHODS.contains(&path.leaf()),
    }
}

/// True for what a function is handed to call: the operators of a query builder,
/// `where: (t, { eq }) => eq(t.id, id)`, `(eb) => eb('id', '=', id)`, and what
/// settles a promise, `resolve(value)`.
fn is_handed(model: &Model<'_>, path: &Path<'_, '_>, function: NodeId) -> bool {
    let Root::Symbol(symbol, _) = path.root else { return false };
    let builder = |module: &str| module.starts_with("drizzle-orm") || module == "kysely";
    let settles = path.members.is_empty() && matches!(path.leaf(), "resolve" | "reject");
    let declared = || model.function_of(model.scoping().symbol_declaration(symbol));
    matches!(model.binding(symbol), Binding::Parameter)
        && declared().is_some_and(|around| around != function)
        && (settles || model.facts().imports_any(builder))
}

/// True for `controller.abort()` on a controller of this function: it ends what
/// the function itself began.
fn gives_up(model: &Model<'_>, path: &Path<'_, '_>, function: NodeId) -> bool {
    let (Root::Symbol(symbol, _), ["abort"]) = (path.root, path.members.as_slice()) else { return false };
    model.is_within(model.scoping().symbol_declaration(symbol), function) && is_fresh(model, symbol)
}

/// True for `container.resolve("productService")` and
/// `dataSource.getRepository(Product)`.
fn looks_up(leaf: &str, call: &CallExpression<'_>) -> bool {
    match leaf {
        "resolve" => match call.arguments.as_slice() {
            [only] => only.as_expression().is_some_and(|key| {
                matches!(bare(key), Expression::StringLiteral(_) | Expression::StaticMemberExpression(_))
            }),
            _ => false,
        },
        "getRepository" | "getCustomRepository" | "withRepository" => true,
        _ => false,
    }
}

/// True for Remix's cookies and the sessions that lie in them: what they hold
/// came with the request.
fn is_cookie(model: &Model<'_>, path: &Path<'_, '_>) -> bool {
    let Root::Symbol(symbol, _) = path.root else { return false };
    let Binding::Constant(init) = model.binding(symbol) else { return false };
    match bare(init) {
        Expression::CallExpression(made) => {
            matches!(model.callee(made).leaf(), "createCookieSessionStorage" | "createCookie")
        }
        _ => false,
    }
}

/// `[...rows].sort()`.
fn is_array(call: &CallExpression<'_>) -> bool {
    match &call.callee {
        Expression::StaticMemberExpression(member) => matches!(bare(&member.object), Expression::ArrayExpression(_)),
        _ => false,
    }
}

/// True for what is told of a span of OpenTelemetry or its like.
fn traces(path: &Path<'_, '_>) -> bool {
    const TOLD: &[&str] =
        &["setAttribute", "setAttributes", "setStatus", "addEvent", "recordException", "updateName", "setTag", "end"];
    let span = names::pieces(path.receiver_name()).last().is_some_and(|word| word.eq_ignore_ascii_case("span"));
    span && TOLD.contains(&path.leaf())
}

/// True for `failures.inc();` and its like, whose answer nobody takes: a counter
/// that gives one may lie in a database.
pub fn measures<'a>(model: &Model<'a>, call: &'a CallExpression<'a>, path: &Path<'_, '_>) -> bool {
    let at = AstKind::CallExpression(call).node_id();
    names::is_meter(path.receiver_name(), path.leaf())
        && (path.leaf() == "startTimer" || matches!(model.nodes().parent_kind(at), AstKind::ExpressionStatement(_)))
}

/// True where a call touches nothing but values.
pub fn is_pure<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>, function: NodeId) -> bool {
    let model = effects.model;
    let path = model.callee(call);
    let leaf = path.leaf();
    if names::is_logger(path.receiver_name()) || traces(&path) || measures(model, call, &path) {
        return true;
    }
    if let Root::Global(name) = path.root
        && PURE_GLOBALS.contains(&name)
    {
        return true;
    }
    let takes_function =
        call.arguments.first().and_then(|a| a.as_expression()).is_some_and(|a| {
            matches!(bare(a), Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
        });
    let computes = |path: &Path<'_, 'a>| model.imported(path).is_some_and(|imported| is_pure_package(imported.module));
    // A timer that gives up waits for nothing, as one that sleeps does.
    let bounds = path.is_global("clearTimeout", &[])
        || path.is_global("setTimeout", &[])
            && call.arguments.first().is_some_and(|run| {
                let text = model.text(run);
                text.contains("reject") || text.contains("abort")
            });
    if bounds {
        return true;
    }
    // `createHash('sha256').update(text)` changes what it began with alone.
    let hashes = || {
        if !model.facts().imports("crypto") {
            return false;
        }
        let base = effects.chain(call).base;
        model.imported(&base).is_some_and(|imported| strip_node(imported.module) == "crypto")
    };
    if (computes(&path) || hashes()) && effects.subscribed(call).is_none() {
        return true;
    }
    if is_handed(model, &path, function) {
        return true;
    }
    if path.members.is_empty() {
        return false;
    }
    if path.is_global("process", &["cwd"]) || is_of_own_value(model, &path, function) {
        return true;
    }
    if looks_up(leaf, call) || is_cookie(model, &path) || gives_up(model, &path, function) {
        return true;
    }
    if PURE_METHODS.contains(&leaf) || leaf == "find" && takes_function {
        return true;
    }
    // What a call gave, a list of its own, is put into an order.
    if matches!(leaf, "sort" | "reverse") && (matches!(path.root, Root::Call(_)) || is_array(call)) {
        return true;
    }
    if names::COLLECTING.contains(&leaf)
        && let Root::Symbol(symbol, _) = path.root
    {
        let here = model.is_within(model.scoping().symbol_declaration(symbol), function);
        return here && is_fresh(model, symbol);
    }
    false
}
