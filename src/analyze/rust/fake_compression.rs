//! A function that says it compresses, and only encodes: base64 makes its
//! input a third larger, hexadecimal doubles it.

use std::collections::BTreeSet;

use crate::analyze::sink::Builder;
use crate::analyze::{BASE64_GROWS, HEX_GROWS, MADE_SMALLER, Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::rust::path::reference;
use crate::observe::{Gift, IfNo, NameRef, Need, Question, Step};
use crate::source::Span;

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["function", "encoding", "growth_percent", "in_store"],
    evidence: &["named-compression", "only-encodes", "no-compressor"],
    guards: &["compressor-called", "calls-unknown"],
    assumptions: &[],
    labels: &[],
    patches: &[],
    variants: &[],
    params: &[],
};

/// Words of functions and crates that really compress.
const COMPRESSORS: &[&str] = &[
    "flate2",
    "zlib",
    "gzip",
    "gz",
    "deflate",
    "brotli",
    "zstd",
    "lz4",
    "lz4_flex",
    "snap",
    "snappy",
    "xz",
    "lzma",
    "bzip2",
    "miniz",
    "compress",
    "encoder",
    "compressor",
    "huffman",
    "libdeflater",
    "async_compression",
];

/// True for a variable that is called so: `compressed`, `zipped_body`.
fn is_done(name: &str) -> bool {
    name.split('_').any(|word| MADE_SMALLER.contains(&word))
}

/// Finds functions named like compression that only encode.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    locals(model, sink);
    for function in &model.tree.functions {
        let Some(body) = function.body else { continue };
        if !is_compression_name(&function.name) {
            continue;
        }
        let reached = reached(model, body);
        let Some((encoder, encoding, growth)) = find_encoder(model, &reached) else {
            if let Some((call, asked)) = result_of(model, body).and_then(|result| encoder_elsewhere(model, result))
                && find_compressor(model, &reached, &function.name).is_none()
                && !takes_unknown(model, call)
            {
                let told = |found| {
                    told(model, sink, function.node, function.name_span, function.name_span, &function.name, found)
                };
                let candidate = ask(model, call, &asked, told);
                sink.push(candidate);
            }
            continue;
        };
        let found = (encoder, encoding, growth);
        let mut candidate =
            told(model, sink, function.node, function.name_span, function.name_span, &function.name, found);
        if let Some(compressor) = find_compressor(model, &reached, &function.name) {
            candidate = candidate.clear(Step::at("compressor-called", model.tree.span(compressor)));
        } else if let Some(unknown) = find_unknown(model, &reached) {
            candidate = candidate.clear(Step::at("calls-unknown", model.tree.span(unknown)));
        } else {
            candidate = candidate.evidence(Step::new("no-compressor"));
        }
        sink.push(candidate);
    }
}

/// `let zipped = STANDARD.encode(body)` in a function that compresses nothing.
fn locals(model: &Model<'_>, sink: &mut Sink<'_>) {
    for node in model.tree.all() {
        let Kind::Let { pattern, init: Some(init), .. } = model.tree.kind(node) else { continue };
        let Some(name) = pattern.name().filter(|name| is_done(name)) else {
            continue;
        };
        let Some(function) = model.function_of(node).filter(|f| !is_compression_name(&f.name)) else { continue };
        let Some(body) = function.body else { continue };
        let init = *init;
        let Some((encoder, encoding, growth)) = find_encoder(model, &[Reached { body: init, by: None }]) else {
            if let Some((call, asked)) = encoder_elsewhere(model, init)
                && find_compressor(model, &reached(model, body), name).is_none()
            {
                let at = model.tree.span(call);
                let told = |found| told(model, sink, node, at, model.tree.span(node), name, found);
                let candidate = ask(model, call, &asked, told);
                sink.push(candidate);
            }
            continue;
        };
        // What is encoded may have been compressed elsewhere, and be called so.
        let promised = model.names_in(init).iter().any(|name| {
            let lower = name.to_ascii_lowercase();
            lower.contains("compress") || lower.contains("zip") || lower.contains("deflate") || lower.contains("packed")
        });
        let reached = reached(model, body);
        if promised || find_compressor(model, &reached, name).is_some() || may_be_small(model, init) {
            continue;
        }
        let at = model.tree.span(encoder);
        let candidate = told(model, sink, node, at, model.tree.span(node), name, (encoder, encoding, growth));
        sink.push(candidate.evidence(Step::new("no-compressor")));
    }
}

/// What the file of `call` is asked: whether it gives base64, or else hexadecimal
/// digits, and nothing else. `told` makes the candidate for an encoding.
fn ask(
    model: &Model<'_>,
    call: NodeId,
    asked: &NameRef,
    told: impl Fn((NodeId, &'static str, f64)) -> Builder,
) -> Builder {
    let reading = |gift, encoding, growth| {
        let question = Question::Gives(asked.clone(), gift);
        let need = Need { question, span: Some(model.tree.span(call)), if_unknown: None, if_no: IfNo::Clear };
        told((call, encoding, growth)).evidence(Step::new("no-compressor")).need(need)
    };
    reading(Gift::Base64, "base64", BASE64_GROWS).or_narrower(reading(Gift::Hex, "hex", HEX_GROWS))
}

/// True where a call is handed what another call makes, or what is not seen.
fn takes_unknown(model: &Model<'_>, call: NodeId) -> bool {
    let Kind::Call { args, .. } = model.tree.kind(call) else { return true };
    let given: Vec<Reached> = args.iter().map(|&body| Reached { body, by: None }).collect();
    let calls = |id: &NodeId| matches!(model.tree.kind(*id), Kind::Call { .. });
    find_unknown(model, &given).is_some() || args.iter().any(calls)
}

/// The value that a body of one statement gives, inside of `Ok(…)` too.
fn result_of(model: &Model<'_>, body: NodeId) -> Option<NodeId> {
    let mut statements = model.tree.children(body);
    let (Some(only), None) = (statements.next(), statements.next()) else { return None };
    let Kind::Statement { value, dropped: false } = model.tree.kind(only) else { return None };
    match model.tree.kind(*value) {
        Kind::Call { callee, args } if model.leaf_name(*callee) == Some("Ok") => args.first().copied(),
        _ => Some(*value),
    }
}

/// True where something that this file does not show has a hand in what is
/// encoded: in the value itself, or in a local that it names.
fn may_be_small(model: &Model<'_>, init: NodeId) -> bool {
    let locals = model.tree.below(init).filter_map(|id| model.init_of(id));
    let parts: Vec<Reached> = std::iter::once(init).chain(locals).map(|body| Reached { body, by: None }).collect();
    find_unknown(model, &parts).is_some()
}

/// `codec::pack(samples)?` of another file, which is asked whether it does more
/// than to encode.
fn encoder_elsewhere(model: &Model<'_>, init: NodeId) -> Option<(NodeId, NameRef)> {
    let call = match model.tree.kind(init) {
        Kind::Try(inner) => *inner,
        _ => init,
    };
    let Kind::Call { .. } = model.tree.kind(call) else { return None };
    if model.called_here(call).is_some() {
        return None;
    }
    let mut name = reference(&model.callee(call)?)?;
    name.members.last_mut().unwrap_or(&mut name.name).push_str("()");
    Some((call, name))
}

/// What is called `name`, in the code at `node`, promises something smaller and
/// is an encoding: the finding at `place`, the name at `named`.
fn told(
    model: &Model<'_>,
    sink: &Sink<'_>,
    node: NodeId,
    place: Span,
    named: Span,
    name: &str,
    (encoder, encoding, growth): (NodeId, &'static str, f64),
) -> Builder {
    let symbol = model.symbol(node);
    let in_store = ["cache", "store", "redis", "storage"].iter().any(|word| {
        symbol.to_ascii_lowercase().contains(word) || model.source.path.to_ascii_lowercase().contains(word)
    });
    sink.candidate(place, symbol, model.context(node))
        .value("function", name)
        .value("encoding", encoding)
        .value("growth_percent", growth)
        .value("in_store", in_store)
        .evidence(Step::at("named-compression", named).with("function", name))
        .evidence(Step::at("only-encodes", model.tree.span(encoder)).with("encoding", encoding))
}

/// `compress`, `gzip_body`, `deflate_payload`; not `decompress`, not
/// `compress_path` (shortening a path is no compression of data).
fn is_compression_name(name: &str) -> bool {
    let mut words = name.split('_');
    let first = words.next().unwrap_or("");
    let data = ["data", "payload", "body", "bytes", "text", "json", "blob", "content", "archive"];
    // Iterators are zipped too.
    let zips = first == "zip" && words.clone().any(|word| data.contains(&word));
    let verb = matches!(first, "compress" | "gzip" | "deflate" | "shrink" | "squeeze") || zips;
    const OTHER_THINGS: &[&str] =
        &["path", "with", "image", "whitespace", "url", "id", "name", "level", "point", "key"];
    verb && !words.any(|word| OTHER_THINGS.contains(&word))
}

/// How many calls lead from a function to those that are read with it.
const HELPERS: usize = 3;

/// The body of a function, or of one of this file that it reaches.
struct Reached {
    body: NodeId,
    /// The call in the first function that leads there; the body is that
    /// function's own where there is none.
    by: Option<NodeId>,
}

/// A function's body and those that it reaches, each once.
fn reached(model: &Model<'_>, body: NodeId) -> Vec<Reached> {
    let mut all = vec![Reached { body, by: None }];
    let mut seen = BTreeSet::from([body]);
    let mut level = 0;
    for _ in 0..HELPERS {
        let end = all.len();
        for index in level..end {
            let Reached { body, by } = all[index];
            for id in model.tree.below(body) {
                if let Some(inner) = model.called_here(id).and_then(|inner| inner.body)
                    && seen.insert(inner)
                {
                    all.push(Reached { body: inner, by: by.or(Some(id)) });
                }
            }
        }
        level = end;
    }
    all
}

/// The encoder that a function, or one of this file that it reaches, calls; the
/// place is in the function itself.
fn find_encoder(model: &Model<'_>, reached: &[Reached]) -> Option<(NodeId, &'static str, f64)> {
    let encoder = |id: NodeId| {
        let path = match model.tree.kind(id) {
            // Beside `use base64::prelude::*` a crate's name may be anything.
            Kind::Call { callee, .. } => match (model.callee(id), model.tree.kind(*callee)) {
                (Some(path), _) => path,
                (None, Kind::Path(path)) => path.clone(),
                _ => return None,
            },
            Kind::Method { name, .. } if name == "encode_hex" => return Some((id, "hexadecimal", HEX_GROWS)),
            Kind::Method { receiver, name, .. } if matches!(name.as_str(), "encode" | "encode_string") => {
                return (model.is_engine(*receiver)).then_some((id, "base64", BASE64_GROWS));
            }
            // `write!(out, "{byte:02x}")`, a byte at a time.
            Kind::Macro { path, args, .. } if path.last().is_some_and(|leaf| leaf == "write" || leaf == "format") => {
                let text = args.iter().find_map(|&argument| model.text_of(argument))?.to_ascii_lowercase();
                return text.contains(":02x}").then_some((id, "hexadecimal", HEX_GROWS));
            }
            _ => return None,
        };
        match (path.first()?.as_str(), path.last()?.as_str()) {
            ("base64", "encode" | "encode_config") => Some((id, "base64", BASE64_GROWS)),
            ("hex", "encode" | "encode_upper") => Some((id, "hexadecimal", HEX_GROWS)),
            _ => None,
        }
    };
    reached.iter().find_map(|Reached { body, by }| {
        let (id, encoding, grows) = model.tree.below(*body).find_map(encoder)?;
        Some((by.unwrap_or(id), encoding, grows))
    })
}

fn find_compressor(model: &Model<'_>, reached: &[Reached], own_name: &str) -> Option<NodeId> {
    let compresses = |id: &NodeId| {
        let id = *id;
        let names: Vec<String> = match model.tree.kind(id) {
            // What is called `compressed` does not compress.
            Kind::Path(path) if path.len() == 1 && is_done(&path[0]) && model.let_of(id).is_some() => return false,
            Kind::Path(path) => model.resolve(id, path).unwrap_or_else(|| path.clone()),
            Kind::Method { name, .. } => vec![name.clone()],
            Kind::Macro { names, .. } => names.clone(),
            _ => return false,
        };
        names.iter().filter(|name| *name != own_name).any(|name| {
            let lower = name.to_ascii_lowercase();
            COMPRESSORS.iter().any(|word| {
                lower == *word
                    || lower.contains("compress")
                    || lower.ends_with("encoder")
                    || lower.contains("zstd")
                    || lower.contains("gzip")
                    || lower.contains("deflate")
            })
        })
    };
    reached.iter().find_map(|Reached { body, by }| model.tree.below(*body).find(compresses).map(|id| by.unwrap_or(id)))
}

/// A call into code that this file does not show may compress.
fn find_unknown(model: &Model<'_>, reached: &[Reached]) -> Option<NodeId> {
    const KNOWN: &[&str] =
        &["base64", "hex", "data_encoding", "std", "core", "alloc", "serde_json", "String", "Vec", "Ok", "Some", "Err"];
    let unknown = |id: &NodeId| {
        let id = *id;
        let callee = match model.tree.kind(id) {
            Kind::Call { callee, .. } => callee,
            // A method of a trait's own type, which may do anything.
            Kind::Method { receiver, .. } => {
                let own =
                    matches!(model.tree.kind(*receiver), Kind::Path(path) if path.len() == 1 && path[0] == "self");
                return own && model.called_here(id).and_then(|inner| inner.body).is_none();
            }
            _ => return false,
        };
        if let Some(inner) = model.called_here(id).and_then(|inner| inner.body) {
            return !reached.iter().any(|one| one.body == inner);
        }
        let Kind::Path(path) = model.tree.kind(*callee) else { return true };
        let full = model.resolve(id, path).unwrap_or_else(|| path.clone());
        !full.first().is_some_and(|root| KNOWN.contains(&root.as_str()))
    };
    // `.map_err(|e| ApiError::Internal(e.into()))` makes an error, no result.
    let of_error = |id: NodeId| {
        model.tree.ancestors(id).any(|around| {
            matches!(model.tree.kind(around), Kind::Method { name, receiver, .. }
                if matches!(name.as_str(), "map_err" | "ok_or" | "ok_or_else" | "context" | "with_context")
                    && !model.tree.is_within(id, *receiver))
        })
    };
    let unknown = |id: &NodeId| unknown(id) && !of_error(*id);
    reached.iter().find_map(|Reached { body, by }| model.tree.below(*body).find(unknown).map(|id| by.unwrap_or(id)))
}
