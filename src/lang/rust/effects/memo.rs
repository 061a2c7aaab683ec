//! Answers that are kept for the next time.

use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};

/// Methods that look for a kept answer.
const GETS: &[&str] = &["get", "get_json", "fetch", "lookup", "load", "read", "hget"];

/// Methods that keep one.
const KEEPS: &[&str] =
    &["set", "set_ex", "set_json", "pset_ex", "put", "insert", "store", "hset", "set_with_ttl", "set_with_expiry"];

impl Model<'_> {
    /// `cache.put(&key, &answer)` in a body that has looked for `key` there: who
    /// waits for it asks for the answer, and the order is nobody's matter.
    pub fn keeps_for_next(&self, value: NodeId, body: NodeId) -> bool {
        let Some(kept) = self.keyed(value, KEEPS) else { return false };
        let asks = |id: NodeId| match self.tree.kind(id) {
            Kind::Await(asked) => self.keyed(*asked, GETS) == Some(kept),
            _ => false,
        };
        self.tree.below(body).any(asks)
    }

    /// What a method of a list is called on, and the key that it is handed, as
    /// they are written.
    fn keyed(&self, value: NodeId, methods: &[&str]) -> Option<(&str, &str)> {
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(value) else { return None };
        let text = |id: NodeId| {
            let text = self.source.slice(self.tree.span(id)).trim_start_matches('&');
            text.strip_suffix(".clone()").unwrap_or(text)
        };
        methods.contains(&name.as_str()).then_some(())?;
        Some((text(*receiver), text(*args.first()?)))
    }
}
