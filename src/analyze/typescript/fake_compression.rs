//! Functions that say they compress and return an encoding, which is longer
//! than what went in: base64 by a third, hex by two.

mod patch;

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, CallExpression, Expression, NewExpression};
use oxc_syntax::node::NodeId;

use super::Run;
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::{Binding, Root, argument};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Known, Step, Value};
use crate::source::Span;

/// The analysis with everything it may say.
pub const ANALYSIS: Analysis<Run> = Analysis {
    name: "fake-compression",
    vocabulary: Vocabulary {
        values: &["function", "encoding", "growth_percent", "in_store"],
        evidence: &["named", "input", "no-compressor", "store"],
        guards: &["not-input"],
        assumptions: &[],
        labels: &["named"],
        patches: &["gzip-pair"],
        variants: &[],
        params: &[],
    },
    run,
};

/// Words by which a name promises something smaller.
const PROMISES: &[&str] = &["compress", "compressed", "deflate", "gzip", "zip", "compressor"];

/// Words after the promise that do not change it.
const OBJECTS: &[&str] = &[
    "data",
    "string",
    "str",
    "text",
    "value",
    "payload",
    "json",
    "object",
    "obj",
    "body",
    "content",
    "contents",
    "buffer",
    "entry",
    "message",
    "sync",
    "async",
    "state",
    "input",
    "response",
    "cache",
    "cached",
    "if",
    "needed",
    "large",
    "result",
    "results",
    "item",
    "record",
    "and",
    "to",
    "base",
    "64",
    "base64",
    "for",
    "storage",
    "with",
    "internal",
    "impl",
    "and",
    "encode",
    "query",
    "document",
    "blob",
    "serialized",
    "the",
];

/// Words of classes, objects and files that keep what they are given.
const STORES: &[&str] = &[
    "cache",
    "caches",
    "caching",
    "cached",
    "store",
    "stores",
    "storage",
    "redis",
    "memcached",
    "memcache",
    "lru",
    "keyv",
    "session",
    "sessions",
];

/// Where an encoded text comes from.
#[derive(Clone, Copy)]
pub(super) enum Flow {
    /// Only from the parameters, changed in form at most.
    Input,
    /// From the parameters, as an encoding of them.
    Encoded(&'static str, f64, Span),
    /// Also from something else.
    Other,
}

fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for &function in &model.index.functions {
        let Some(name) = model.name_of(function) else { continue };
        if !promises(&name) {
            continue;
        }
        let mut encoded: Option<(&'static str, f64, Span)> = None;
        let mut honest = true;
        let returned = returns(model, function);
        for value in &returned {
            match flow(model, function, value, 0) {
                Flow::Encoded(encoding, grows, at) => {
                    encoded.get_or_insert((encoding, grows, at));
                }
                Flow::Input => {}
                Flow::Other => honest = false,
            }
        }
        let Some((encoding, grows, at)) = encoded else { continue };
        let enclosing = model.enclosing(function);
        let named = name_span(model, function);
        let store = store_name(model, function);
        let mut builder = sink
            .candidate(at, model.symbol_at(function), model.context_of(function))
            .request_path_by_name(enclosing.request_path_by_name)
            .value("function", name.as_ref())
            .value("encoding", encoding)
            .value("growth_percent", grows)
            .value("in_store", store.is_some())
            .label(named, "named")
            .evidence(Step::at("named", named).with("function", name.as_ref()))
            .evidence(Step::at("input", at).with("encoding", encoding))
            .evidence(Step::at("no-compressor", span(&model.kind(function))));
        if let Some(store) = store {
            builder = builder.evidence(Step::new("store").with("store", store));
        }
        if !honest || calls_more(model, function) {
            builder = builder.clear(Step::at("not-input", at));
        } else if let Some(draft) = patch::draft(model, function) {
            builder = builder.patch(draft);
        }
        sink.push(builder);
    }
}

/// True for `compress`, `gzipData`, `compressIfNeeded`; not for
/// `compressImage` or `zipWith`, which promise something else.
fn promises(name: &str) -> bool {
    let words = words(name);
    match words.split_first() {
        Some((first, rest)) => {
            PROMISES.contains(&first.as_str()) && rest.iter().all(|word| OBJECTS.contains(&word.as_str()))
        }
        None => false,
    }
}

/// The values that a function returns.
pub(super) fn returns<'a>(model: &Model<'a>, function: NodeId) -> Vec<&'a Expression<'a>> {
    if let AstKind::ArrowFunctionExpression(arrow) = model.kind(function)
        && let Some(expression) = arrow.body.as_expression()
    {
        return vec![expression];
    }
    let inside = span(&model.kind(function));
    let mut found = Vec::new();
    for (id, node) in model.nodes().iter_enumerated() {
        if let AstKind::ReturnStatement(returned) = node.kind()
            && inside.contains(span(returned))
            && model.function_of(id) == Some(function)
            && let Some(value) = &returned.argument
        {
            found.push(value);
        }
    }
    found
}

/// What an expression of `function` is made of.
fn flow<'a>(model: &Model<'a>, function: NodeId, expression: &Expression<'a>, depth: u32) -> Flow {
    /// Chains of constants and calls longer than this are not followed.
    const DEPTH: u32 = 12;
    if depth > DEPTH {
        return Flow::Other;
    }
    let next = |inner: &Expression<'a>| flow(model, function, inner, depth + 1);
    match bare(expression) {
        Expression::AwaitExpression(awaited) => next(&awaited.argument),
        Expression::Identifier(id) => match model.symbol_of(id).map(|symbol| (symbol, model.binding(symbol))) {
            Some((symbol, Binding::Parameter))
                if model.is_within(model.scoping().symbol_declaration(symbol), function) =>
            {
                Flow::Input
            }
            Some((symbol, Binding::Constant(init)))
                if model.is_within(model.scoping().symbol_declaration(symbol), function) =>
            {
                next(init)
            }
            _ => Flow::Other,
        },
        Expression::StaticMemberExpression(member) => next(&member.object),
        Expression::TemplateLiteral(template) => template.expressions.iter().map(next).fold(Flow::Input, joined),
        Expression::StringLiteral(_) | Expression::NullLiteral(_) => Flow::Input,
        Expression::BinaryExpression(binary) => joined(next(&binary.left), next(&binary.right)),
        Expression::ConditionalExpression(choice) => joined(next(&choice.consequent), next(&choice.alternate)),
        Expression::NewExpression(new) => constructed(model, new, &next),
        Expression::CallExpression(call) => called(model, call, &next),
        _ => Flow::Other,
    }
}

fn joined(a: Flow, b: Flow) -> Flow {
    match (a, b) {
        (Flow::Other, _) | (_, Flow::Other) => Flow::Other,
        (encoded @ Flow::Encoded(..), _) | (_, encoded @ Flow::Encoded(..)) => encoded,
        _ => Flow::Input,
    }
}

fn constructed<'a>(model: &Model<'a>, new: &NewExpression<'a>, next: &dyn Fn(&Expression<'a>) -> Flow) -> Flow {
    let path = model.path_of(&new.callee);
    let copies = path.is_global("Uint8Array", &[]) || path.is_global("Buffer", &[]);
    match new.arguments.first().and_then(Argument::as_expression) {
        Some(input) if copies => next(input),
        _ => Flow::Other,
    }
}

fn called<'a>(model: &Model<'a>, call: &CallExpression<'a>, next: &dyn Fn(&Expression<'a>) -> Flow) -> Flow {
    let path = model.callee(call);
    let first = argument(&call.arguments, 0);
    let at = span(call);
    let encoded = |inner: Flow, encoding: &'static str, grows: f64| match inner {
        Flow::Input => Flow::Encoded(encoding, grows, at),
        // An encoding of an encoding: the outer one is what is returned.
        Flow::Encoded(..) => Flow::Encoded(encoding, grows, at),
        Flow::Other => Flow::Other,
    };
    if let (Root::Global(root), Some(first)) = (path.root, first) {
        match (root, path.members.as_slice()) {
            ("btoa", []) => return encoded(next(first), "base64", BASE64_GROWS),
            ("globalThis" | "window" | "self", ["btoa"]) => return encoded(next(first), "base64", BASE64_GROWS),
            ("Buffer", ["from"]) => {
                // Reading base64 back is decoding, not input.
                let other = argument(&call.arguments, 1).and_then(|e| model.value(e).here().cloned());
                let text = matches!(other, None | Some(Value::Text(_)));
                let decodes = matches!(&other, Some(Value::Text(t)) if !t.to_ascii_lowercase().starts_with("utf"));
                return if text && !decodes { next(first) } else { Flow::Other };
            }
            ("JSON", ["stringify"])
            | ("String" | "encodeURIComponent" | "unescape" | "escape" | "encodeURI", [])
            | ("Promise", ["resolve"]) => return next(first),
            _ => {}
        }
    }
    let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return Flow::Other };
    match (member.property.name.as_str(), first) {
        ("toString", Some(first)) => {
            let Known::Here(Value::Text(encoding), _) = model.value(first) else { return Flow::Other };
            let inner = next(&member.object);
            match encoding.as_str() {
                "base64" => encoded(inner, "base64", BASE64_GROWS),
                "base64url" => encoded(inner, "base64url", BASE64_GROWS),
                "hex" => encoded(inner, "hex", HEX_GROWS),
                _ => inner,
            }
        }
        ("toString" | "trim", None) => next(&member.object),
        ("encode", Some(first)) => match bare(&member.object) {
            Expression::NewExpression(new) if model.path_of(&new.callee).is_global("TextEncoder", &[]) => next(first),
            _ => Flow::Other,
        },
        _ => Flow::Other,
    }
}

/// Four characters stand for three bytes.
const BASE64_GROWS: f64 = 33.0;
/// Two characters stand for one byte.
const HEX_GROWS: f64 = 100.0;

/// True where the function calls something that may compress after all:
/// anything but what [`flow`] knows, and reports to a logger.
fn calls_more(model: &Model<'_>, function: NodeId) -> bool {
    const HARMLESS: &[&str] = &[
        "from",
        "toString",
        "btoa",
        "stringify",
        "encodeURIComponent",
        "unescape",
        "escape",
        "encodeURI",
        "String",
        "encode",
        "trim",
        "resolve",
        "Error",
        "byteLength",
        "log",
        "debug",
        "warn",
        "error",
        "info",
        "trace",
        "now",
        "isBuffer",
        "Uint8Array",
        "TextEncoder",
        "Buffer",
    ];
    let inside = span(&model.kind(function));
    let calls = model.index.calls.iter().chain(&model.index.news);
    calls.into_iter().any(|&node| {
        let leaf = match model.kind(node) {
            AstKind::CallExpression(call) if inside.contains(span(call)) => model.callee(call).leaf(),
            AstKind::NewExpression(new) if inside.contains(span(new)) => model.path_of(&new.callee).leaf(),
            _ => return false,
        };
        !HARMLESS.contains(&leaf) && !leaf.ends_with("Error")
    })
}

/// The name in a function's declaration, else the start of the function.
fn name_span(model: &Model<'_>, function: NodeId) -> Span {
    match (model.kind(function), model.nodes().parent_kind(function)) {
        (_, AstKind::MethodDefinition(method)) => span(&method.key),
        (_, AstKind::PropertyDefinition(property)) => span(&property.key),
        (_, AstKind::ObjectProperty(property)) => span(&property.key),
        (_, AstKind::VariableDeclarator(declarator)) => span(&declarator.id),
        (AstKind::Function(own), _) if own.id.is_some() => own.id.as_ref().map_or(span(own), span),
        (kind, _) => Span::at(span(&kind).start),
    }
}

/// The class, object or file around the function whose name says that it
/// keeps what it is given.
fn store_name(model: &Model<'_>, function: NodeId) -> Option<String> {
    let keeps = |name: &str| words(name).iter().any(|word| STORES.contains(&word.as_str()));
    let nodes = model.nodes();
    let own = model.name_of(function).map(|name| name.into_owned());
    let outer = nodes.ancestor_ids(function).find_map(|id| match nodes.kind(id) {
        AstKind::Class(_) => model.name_of(id).map(|name| name.into_owned()),
        AstKind::VariableDeclarator(declarator) => declarator.id.get_identifier_name().map(|name| name.to_string()),
        kind if is_function(kind) => model.name_of(id).map(|name| name.into_owned()),
        _ => None,
    });
    let path = model.source.path.as_str();
    let file = path.rsplit('/').next().unwrap_or(path);
    let candidates = [own, outer, Some(file.to_owned())];
    candidates.into_iter().flatten().find(|name| keeps(name))
}
