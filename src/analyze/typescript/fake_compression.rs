//! Functions that say they compress and return an encoding, which is longer
//! than what went in: base64 by a third, hex by two.

mod flags;
mod flow;
mod patch;

use oxc_ast::AstKind;
use oxc_ast::ast::{Expression, ObjectProperty, VariableDeclarator};
use oxc_syntax::node::NodeId;

use super::Run;
use super::uncleared_timer::local_function;
use crate::analyze::sink::Builder;
use crate::analyze::{Analysis, BASE64_GROWS, HEX_GROWS, MADE_SMALLER, Sink, Vocabulary};
use crate::lang::typescript::effects::GIVEN;
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::is_project_module;
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Gift, IfNo, NameRef, Need, Question, Step};
use crate::source::Span;

/// The analysis with everything it may say.
pub const ANALYSIS: Analysis<Run> = Analysis {
    name: "fake-compression",
    vocabulary: Vocabulary {
        values: &["function", "encoding", "growth_percent", "in_store"],
        evidence: &["named", "input", "no-compressor", "store"],
        guards: &["not-input"],
        assumptions: &["encodes-by-name", "pack-promises"],
        labels: &["named"],
        patches: &["gzip-pair"],
        variants: &[],
        params: &[],
    },
    run,
};

/// Words by which a name promises something smaller.
const PROMISES: &[&str] = &["compress", "compressed", "deflate", "gzip", "gz", "zip", "compressor"];

/// Words that promise so less plainly: what is packed may only be put into one
/// piece.
const SOFT_PROMISES: &[&str] = &["pack", "shrink", "squeeze", "condense"];

/// Words after the promise that make it one of something else: a picture, a
/// shorter name, a point of a curve, pairs of two lists.
const OTHER_THINGS: &[&str] = &[
    "image",
    "images",
    "picture",
    "photo",
    "video",
    "audio",
    "avatar",
    "thumbnail",
    "pdf",
    "path",
    "paths",
    "url",
    "whitespace",
    "spaces",
    "with",
    "key",
    "point",
    "color",
    "colour",
    "range",
    "ranges",
    "ip",
    "address",
    "args",
    "pairs",
    "name",
    "css",
    "code",
    "id",
    "ids",
    "hash",
    "uuid",
];

/// Words of what is put into one piece so that it can travel in an address or
/// a header.
const ADDRESSES: &[&str] = &[
    "token",
    "cursor",
    "header",
    "headers",
    "auth",
    "cookie",
    "credentials",
    "query",
    "param",
    "params",
    "state",
    "signature",
    "request",
    "message",
    "version",
    "bytes",
    "hex",
    "base64",
    "number",
    "address",
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

/// Names of algorithms that make smaller what they are given.
const ALGORITHMS: &[&str] = &["lz", "lz4", "lzma", "brotli", "zstd", "snappy", "lzw"];

/// Methods of stores that keep what they are given.
const KEEPS: &[&str] = &["set", "setex", "setEx", "put", "putObject", "hset", "hSet", "mset", "lpush", "rpush"];

fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for &function in &model.index.functions {
        let Some(name) = model.name_of(function) else { continue };
        let class = class_that_promises(model, function, &name);
        if !promises(&name) && class.is_none() {
            continue;
        }
        let packs = words(&name).first().is_some_and(|word| SOFT_PROMISES.contains(&word.as_str()));
        // `pack(iv, sealed)` puts several things into one.
        if packs && model.parameters(function).is_some_and(|given| given.items.len() > 1) {
            continue;
        }
        let named = name_span(model, function);
        let store = || store_name(model, function).or_else(|| given_to_store(model, function));
        let shown = match &class {
            Some(class) => format!("{class}.{name}"),
            None => name.to_string(),
        };
        let (Some(encoding), honest) = flow::of_function(model, function) else {
            if let Some(found) = model.only_returned(function).and_then(|value| encoder_elsewhere(model, value))
                && !compresses_within(model, function)
            {
                let candidate = ask(&found, |encoding| {
                    let builder = told(model, sink, function, named, &shown, encoding, store());
                    let promise = || Step::at("pack-promises", named).with("function", name.as_ref());
                    if packs { builder.assume(promise()) } else { builder }
                });
                sink.push(candidate);
            }
            continue;
        };
        let store = store();
        let mut builder = told(model, sink, function, named, &shown, &encoding, store);
        if packs {
            builder = builder.assume(Step::at("pack-promises", named).with("function", name.as_ref()));
        }
        if !honest {
            builder = builder.clear(Step::at("not-input", encoding.at));
        } else if class.is_none()
            && let Some(draft) = patch::draft(model, function)
        {
            builder = builder.patch(draft);
        }
        sink.push(builder);
    }
    for node in model.nodes().iter() {
        let found = match node.kind() {
            AstKind::VariableDeclarator(declarator) => constant(model, sink, node.id(), declarator),
            AstKind::ObjectProperty(property) => entry(model, sink, node.id(), property),
            AstKind::ConditionalExpression(choice) => flags::flagged(model, sink, node.id(), choice),
            AstKind::IfStatement(choice) => flags::branched(model, sink, node.id(), choice),
            _ => None,
        };
        if let Some(builder) = found {
            sink.push(builder);
        }
    }
}

/// `const compressed = Buffer.from(JSON.stringify(x)).toString('base64')` in a
/// function that compresses nothing, or any constant in `putCompressed`.
fn constant<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    node: NodeId,
    declarator: &VariableDeclarator<'a>,
) -> Option<Builder> {
    /// What such a function does with what it makes.
    const SENDS: &[&str] = &["put", "store", "save", "send", "write", "upload", "set", "publish", "emit", "cache"];
    /// What it calls what it sends.
    const BODIES: &[&str] = &["body", "data", "payload", "content", "value", "blob", "entry", "record"];
    let name = declarator.id.get_identifier_name()?;
    let says = |name: &str| words(name).iter().any(|word| MADE_SMALLER.contains(&word.as_str()));
    let function = model.function_of(node)?;
    let around = model.name_of(function).unwrap_or_default();
    let is_body = words(&name).last().is_some_and(|last| BODIES.contains(&last.as_str()));
    let sends = is_body && words(&around).first().is_some_and(|first| SENDS.contains(&first.as_str())) && says(&around);
    if !says(&name) && !sends || promises(&around) {
        return None;
    }
    let init = declarator.init.as_ref()?;
    let elsewhere = || encoder_elsewhere(model, init);
    if compresses_within(model, function) {
        return None;
    }
    let store = || store_name(model, function).or_else(|| kept_in(model, declarator));
    // It is the constant's name that promises, or the function's.
    let (named, shown) = match says(&name) {
        true => (span(&declarator.id), name.as_str()),
        false => (name_span(model, function), around.as_ref()),
    };
    let told = |encoding: &_| told(model, sink, function, named, shown, encoding, store());
    match flow::of_text(model, init) {
        Some(encoding) => Some(told(&encoding)),
        None => Some(ask(&elsewhere()?, told)),
    }
}

/// What the file of the function is asked: whether it gives base64, or else
/// hexadecimal digits, and nothing else. `told` makes the candidate.
fn ask<'a>((found, asked): &(flow::Encoding<'a>, NameRef), told: impl Fn(&flow::Encoding<'a>) -> Builder) -> Builder {
    let reading = |gift, name, grows| {
        told(&flow::Encoding { name, grows, ..*found }).need(Need {
            question: Question::Gives(asked.clone(), gift),
            span: Some(found.at),
            if_unknown: None,
            if_no: IfNo::Clear,
        })
    };
    reading(Gift::Base64, "base64", BASE64_GROWS).or_narrower(reading(Gift::Hex, "hex", HEX_GROWS))
}

/// `{ compressedInput: encodeOpaque(input) }`, in a function that compresses
/// nothing; the function of another file is asked.
fn entry<'a>(model: &Model<'a>, sink: &Sink<'_>, node: NodeId, property: &'a ObjectProperty<'a>) -> Option<Builder> {
    let name = key_name(&property.key)?;
    let promised = words(&name).iter().any(|word| MADE_SMALLER.contains(&word.as_str()));
    let function = model.function_of(node).filter(|_| promised)?;
    let found = encoder_elsewhere(model, &property.value)?;
    if promises(&model.name_of(function).unwrap_or_default()) || compresses_within(model, function) {
        return None;
    }
    let told =
        |encoding: &_| told(model, sink, function, span(&property.key), &name, encoding, store_name(model, function));
    Some(ask(&found, told))
}

/// `toWireText(summary)` of another file, which is asked whether it does more
/// than to encode; what it is handed may have been made smaller before.
fn encoder_elsewhere<'a>(model: &Model<'a>, init: &'a Expression<'a>) -> Option<(flow::Encoding<'a>, NameRef)> {
    let call = match bare(init) {
        Expression::AwaitExpression(awaited) => bare(&awaited.argument),
        other => other,
    };
    let Expression::CallExpression(call) = call else { return None };
    let path = model.callee(call);
    let mut name = model.name_ref(&path).filter(|name| is_project_module(&name.module))?;
    if says_compressed(path.leaf()) || call.arguments.iter().any(|given| says_compressed(model.text(given))) {
        return None;
    }
    name.members.last_mut().unwrap_or(&mut name.name).push_str(GIVEN);
    Some((flow::Encoding { name: "base64", grows: BASE64_GROWS, at: span(call.as_ref()), by_name: None }, name))
}

/// What is called `shown`, at `named` in `function`, promises something smaller
/// and is an encoding.
fn told(
    model: &Model<'_>,
    sink: &Sink<'_>,
    function: NodeId,
    named: Span,
    shown: &str,
    encoding: &flow::Encoding<'_>,
    store: Option<String>,
) -> Builder {
    let at = encoding.at;
    let mut builder = sink
        .candidate(at, model.symbol_at(function), model.context_of(function))
        .request_path_by_name(model.enclosing(function).request_path_by_name)
        .value("function", shown)
        .value("encoding", encoding.name)
        .value("growth_percent", encoding.grows)
        .value("in_store", store.is_some())
        .label(named, "named")
        .evidence(Step::at("named", named).with("function", shown))
        .evidence(Step::at("input", at).with("encoding", encoding.name))
        .evidence(Step::at("no-compressor", span(&model.kind(function))));
    if let Some(store) = store {
        builder = builder.evidence(Step::new("store").with("store", store));
    }
    match encoding.by_name {
        Some(helper) => builder.assume(Step::at("encodes-by-name", at).with("name", helper)),
        None => builder,
    }
}

/// The call that keeps a constant: `redis.set(key, compressed)`.
fn kept_in(model: &Model<'_>, declarator: &VariableDeclarator<'_>) -> Option<String> {
    let symbol = declarator.id.get_binding_identifier()?.symbol_id.get()?;
    model.scoping().get_resolved_references(symbol).find_map(|reference| {
        match model.nodes().parent_kind(reference.node_id()) {
            AstKind::CallExpression(call) if KEEPS.contains(&model.callee(call).leaf()) => {
                Some(model.source.slice(span(&call.callee)).to_owned())
            }
            _ => None,
        }
    })
}

/// True for `compress`, `gzipData`, `compressSession`; not for `compressImage`
/// or `zipWith`, which promise something else.
fn promises(name: &str) -> bool {
    let words = words(name);
    let Some((first, rest)) = words.split_first() else { return false };
    // One of several codecs, under the name of what it does.
    if rest.is_empty() && ALGORITHMS.contains(&first.as_str()) {
        return true;
    }
    let has = |list: &[&str]| rest.iter().any(|word| list.contains(&word.as_str()));
    let soft = SOFT_PROMISES.contains(&first.as_str());
    (soft || PROMISES.contains(&first.as_str())) && !has(OTHER_THINGS) && !(soft && has(ADDRESSES))
}

/// The class or object of a method that encodes, where it says that it
/// compresses: `encode` of `SnappyCodec`, or of what is called `'deflated'`.
fn class_that_promises(model: &Model<'_>, function: NodeId, name: &str) -> Option<String> {
    const ENCODES: &[&str] = &["encode", "pack", "serialize", "serialise", "wrap", "transform", "apply"];
    // `{ to: (value) => …, from: … }`, one way of a pair.
    let one_way = matches!(name, "to" | "out");
    if !one_way && !words(name).first().is_some_and(|word| ENCODES.contains(&word.as_str())) {
        return None;
    }
    let holder = holder_of(model, function)?;
    let own = model.name_of(holder).map(std::borrow::Cow::into_owned);
    let named = own.filter(|own| says_compressed(own)).or_else(|| {
        let says = model.children(holder).flat_map(|id| std::iter::once(id).chain(model.children(id)));
        says.into_iter().filter_map(|id| calls_itself(model, id)).find(|text| says_compressed(text))
    })?;
    (!compresses_within(model, holder)).then_some(named)
}

/// The class around a method, or the object literal that holds it.
fn holder_of(model: &Model<'_>, function: NodeId) -> Option<NodeId> {
    model.class_of(function).or_else(|| {
        let property = model.nodes().parent_id(function);
        let object = model.nodes().parent_id(property);
        matches!(model.kind(object), AstKind::ObjectExpression(_)).then_some(object)
    })
}

/// The text of a property by which a codec is told: `name = 'deflated'`.
fn calls_itself(model: &Model<'_>, member: NodeId) -> Option<String> {
    const KEYS: &[&str] = &["name", "encoding", "format", "codec", "algorithm"];
    let (key, value) = match model.kind(member) {
        AstKind::PropertyDefinition(own) => (&own.key, own.value.as_ref()?),
        AstKind::ObjectProperty(own) => (&own.key, &own.value),
        _ => return None,
    };
    match value {
        Expression::StringLiteral(text) => KEYS.contains(&key_name(key)?.as_ref()).then(|| text.value.to_string()),
        _ => None,
    }
}

/// True where a word of a text speaks of compressing, or of something that was
/// made smaller.
fn says_compressed(text: &str) -> bool {
    words(text).iter().any(|word| is_compressor(word) || MADE_SMALLER.contains(&word.as_str()))
}

/// True where something below a node is called like what really compresses.
fn compresses_within(model: &Model<'_>, around: NodeId) -> bool {
    model.index.calls.iter().chain(&model.index.news).any(|&id| {
        let callee = match model.kind(id) {
            AstKind::CallExpression(call) => &call.callee,
            AstKind::NewExpression(new) => &new.callee,
            _ => return false,
        };
        let called = words(model.path_of(callee).leaf());
        model.is_within(id, around) && called.iter().any(|word| is_compressor(word))
    })
}

/// Words of functions that really compress.
fn is_compressor(word: &str) -> bool {
    const WORDS: &[&str] = &["gzip", "gz", "zip", "deflate", "brotli", "zstd", "lz", "lz4", "snappy", "pako", "zlib"];
    WORDS.contains(&word) || word.contains("compress")
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

/// The call that keeps what the function gives: `redis.set(key, compress(x))`.
fn given_to_store(model: &Model<'_>, function: NodeId) -> Option<String> {
    let nodes = model.nodes();
    let calls = model.index.calls.iter().filter(|&&node| match model.kind(node) {
        AstKind::CallExpression(call) => local_function(model, call) == Some(function),
        _ => false,
    });
    calls.into_iter().find_map(|&node| {
        let mut around = nodes.ancestor_kinds(node).take_while(|kind| !is_function(*kind));
        around.find_map(|kind| match kind {
            AstKind::CallExpression(call) if KEEPS.contains(&model.callee(call).leaf()) => {
                Some(model.source.slice(span(&call.callee)).to_owned())
            }
            _ => None,
        })
    })
}
