//! Functions that give nothing but their input in base64 or hexadecimal digits.

use super::Model;
use super::node::{Function, Kind, NodeId};
use crate::observe::Gift;
use crate::source::Span;

/// Words of code that does more to what it is given than to encode it.
const MORE: &[&str] = &[
    "compress", "zip", "deflate", "zstd", "lz4", "snap", "brotli", "encrypt", "cipher", "hmac", "sha2", "sha1", "sign",
    "hash", "rand", "digest", "md5", "sha3", "sha5", "blake", "crc",
];

impl Model<'_> {
    /// The call that encodes what a plain function is given, where it does
    /// nothing else: `STANDARD.encode(serde_json::to_vec(value)?)`, `hex::encode(bytes)`.
    pub fn only_encodes(&self, function: &Function) -> Option<(Gift, Span)> {
        let body = function.body.filter(|_| !function.is_async)?;
        let encodings: Vec<(Gift, NodeId)> =
            self.tree.below(body).filter_map(|id| self.encoding(id).map(|gift| (gift, id))).collect();
        let &[(gift, encoding)] = encodings.as_slice() else { return None };
        let text = self.source.slice(self.tree.span(function.node)).to_ascii_lowercase();
        let gives_text = function.output.as_ref().is_some_and(|output| {
            output.leaf() == "String" || output.args.first().is_some_and(|given| given.leaf() == "String")
        });
        (gives_text && !MORE.iter().any(|word| text.contains(word))).then(|| (gift, self.tree.span(encoding)))
    }

    fn encoding(&self, node: NodeId) -> Option<Gift> {
        match self.tree.kind(node) {
            Kind::Method { receiver, name, .. } if matches!(name.as_str(), "encode" | "encode_string") => {
                self.is_engine(*receiver).then_some(Gift::Base64)
            }
            Kind::Call { .. } => {
                let path = self.callee(node)?;
                match (path.first()?.as_str(), path.last()?.as_str()) {
                    ("base64", "encode" | "encode_config") => Some(Gift::Base64),
                    ("hex", "encode" | "encode_upper") => Some(Gift::Hex),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// True for an engine of base64 or data-encoding: a known constant, however it
    /// was brought into scope, or one of this file that is declared as one.
    pub fn is_engine(&self, receiver: NodeId) -> bool {
        const ENGINES: &[&str] = &[
            "STANDARD",
            "STANDARD_NO_PAD",
            "URL_SAFE",
            "URL_SAFE_NO_PAD",
            "BASE64_STANDARD",
            "BASE64_STANDARD_NO_PAD",
            "BASE64_URL_SAFE",
            "BASE64_URL_SAFE_NO_PAD",
            "BASE64",
            "BASE64URL",
            "BASE64_NOPAD",
            "BASE64URL_NOPAD",
        ];
        let Kind::Path(path) = self.tree.kind(receiver) else { return false };
        let named = |path: &[String]| path.last().is_some_and(|leaf| ENGINES.contains(&leaf.as_str()));
        // `use … STANDARD as B64` too.
        let known = named(path) || self.resolve(receiver, path).is_some_and(|path| named(&path));
        let declared = || {
            let of_base64 = |name: &str| matches!(name, "GeneralPurpose" | "Encoding");
            self.type_of(receiver).is_some_and(|typed| of_base64(typed.ty.leaf()))
        };
        (known || declared()) && (self.names_crate("base64") || self.names_crate("data_encoding"))
    }
}
