//! A function that says it compresses, and only encodes: base64 makes its
//! input a third larger, hexadecimal doubles it.

use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};
use crate::observe::Step;

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

/// Finds functions named like compression that only encode.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for function in &model.tree.functions {
        let Some(body) = function.body else { continue };
        if !is_compression_name(&function.name) {
            continue;
        }
        let Some((encoder, encoding, growth)) = find_encoder(model, body) else { continue };
        let node = function.node;
        let span = model.tree.span(encoder);
        let symbol = model.symbol(node);
        let in_store = ["cache", "store", "redis", "storage"].iter().any(|word| {
            symbol.to_ascii_lowercase().contains(word) || model.source.path.to_ascii_lowercase().contains(word)
        });
        let mut candidate = sink
            .candidate(function.name_span, symbol, model.context(node))
            .value("function", function.name.as_str())
            .value("encoding", encoding)
            .value("growth_percent", growth)
            .value("in_store", in_store)
            .evidence(Step::at("named-compression", function.name_span).with("function", function.name.as_str()))
            .evidence(Step::at("only-encodes", span).with("encoding", encoding));
        if let Some(compressor) = find_compressor(model, body, &function.name) {
            candidate = candidate.clear(Step::at("compressor-called", model.tree.span(compressor)));
        } else if let Some(unknown) = find_unknown(model, body) {
            candidate = candidate.clear(Step::at("calls-unknown", model.tree.span(unknown)));
        } else {
            candidate = candidate.evidence(Step::new("no-compressor"));
        }
        sink.push(candidate);
    }
}

/// `compress`, `gzip_body`, `deflate_payload`; not `decompress`, not
/// `compress_path` (shortening a path is no compression of data).
fn is_compression_name(name: &str) -> bool {
    let mut words = name.split('_');
    let first = words.next().unwrap_or("");
    let verb = matches!(first, "compress" | "gzip" | "deflate" | "zip");
    const OTHER_THINGS: &[&str] =
        &["path", "with", "image", "whitespace", "url", "id", "name", "level", "point", "key"];
    verb && !words.any(|word| OTHER_THINGS.contains(&word))
}

fn find_encoder(model: &Model<'_>, body: NodeId) -> Option<(NodeId, &'static str, f64)> {
    model.tree.below(body).find_map(|id| {
        let path = match model.tree.kind(id) {
            Kind::Call { .. } => model.callee(id)?,
            Kind::Method { receiver, name, .. } if matches!(name.as_str(), "encode" | "encode_hex") => {
                if name == "encode_hex" {
                    return Some((id, "hexadecimal", 100.0));
                }
                // `STANDARD.encode(x)`, `base64::engine::…::STANDARD.encode(x)`
                model.resolved(*receiver)?
            }
            _ => return None,
        };
        let root = path.first()?.as_str();
        let leaf = path.last()?.as_str();
        match (root, leaf) {
            (
                "base64",
                "encode" | "encode_config" | "STANDARD" | "URL_SAFE" | "URL_SAFE_NO_PAD" | "STANDARD_NO_PAD",
            ) => Some((id, "base64", 33.0)),
            ("data_encoding", "BASE64" | "BASE64URL" | "BASE64URL_NOPAD") => Some((id, "base64", 33.0)),
            ("hex", "encode" | "encode_upper") => Some((id, "hexadecimal", 100.0)),
            _ => None,
        }
    })
}

fn find_compressor(model: &Model<'_>, body: NodeId, own_name: &str) -> Option<NodeId> {
    model.tree.below(body).find(|&id| {
        let names: Vec<String> = match model.tree.kind(id) {
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
    })
}

/// A call into code that this file does not show may compress.
fn find_unknown(model: &Model<'_>, body: NodeId) -> Option<NodeId> {
    const KNOWN: &[&str] =
        &["base64", "hex", "data_encoding", "std", "core", "alloc", "serde_json", "String", "Vec", "Ok", "Some", "Err"];
    model.tree.below(body).find(|&id| {
        let Kind::Call { callee, .. } = model.tree.kind(id) else { return false };
        let Kind::Path(path) = model.tree.kind(*callee) else { return true };
        let full = model.resolve(id, path).unwrap_or_else(|| path.clone());
        !full.first().is_some_and(|root| KNOWN.contains(&root.as_str()))
    })
}
