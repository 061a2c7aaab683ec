//! Answers that are kept for the next time.

use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};

/// Methods that look for a kept answer.
const GETS: &[&str] = &["get", "get_json", "fetch", "lookup", "load", "read", "hget"];

/// Methods that keep one.
const KEEPS: &[&str] =
    &["set", "set_ex", "set_json", "pset_ex", "put", "insert", "store", "hset", "set_with_ttl", "set_with_expiry"];

impl Model<'_> {
    /// `cache.put(&key, &answer)` in a body that has looked for `key` there, and
    /// left with what it found: who waits for it asks for the answer, and the
    /// order is nobody's matter. What is made of the value that was found is no
    /// answer to keep, but a change of it.
    pub fn keeps_for_next(&self, value: NodeId, body: NodeId) -> bool {
        let Some(kept) = self.keyed(value, KEEPS) else { return false };
        let Kind::Method { args, .. } = self.tree.kind(value) else { return false };
        let asked = self.tree.below(body).filter(|&id| id < value).find(|&id| match self.tree.kind(id) {
            Kind::Await(asked) => self.keyed(*asked, GETS) == Some(kept),
            _ => false,
        });
        let Some(asked) = asked else { return false };
        let leaves = |id: NodeId| asked < id && id < value && matches!(self.tree.kind(id), Kind::Return);
        // What is found is bound for the branch alone that leaves with it, or
        // for all that follows.
        let found = self.tree.ancestors(asked).into_iter().find_map(|id| match self.tree.kind(id) {
            Kind::Let { pattern, .. } => Some(Some(pattern)),
            Kind::If { cond, .. } if matches!(self.tree.kind(*cond), Kind::LetCondition { .. }) => Some(None),
            _ => None,
        });
        let Some(found) = found else { return false };
        let changes = |argument: &NodeId| {
            found.is_some_and(|found| self.names_in(*argument).into_iter().any(|name| found.binds(name)))
        };
        self.tree.below(body).any(leaves) && !args.iter().skip(1).any(changes)
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
