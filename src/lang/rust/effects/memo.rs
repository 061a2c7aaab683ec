//! Answers that are kept for the next time.

use std::collections::BTreeSet;

use super::Operation;
use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId, Pattern};
use crate::lang::typescript::names;
use crate::observe::Effect;

/// Methods that look for a kept answer.
const GETS: &[&str] = &["get", "get_json", "fetch", "lookup", "load", "read", "hget"];

/// Methods that keep one.
const KEEPS: &[&str] =
    &["set", "set_ex", "set_json", "pset_ex", "put", "insert", "store", "hset", "set_with_ttl", "set_with_expiry"];

impl Model<'_> {
    /// `cache.get_or_fetch(key, || async { … })`, `users.get_with(id, async { … })`:
    /// what is kept, or what the code that it is handed asks for, by the words
    /// of its name and of what it is called on.
    pub(super) fn read_through(&self, value: NodeId, depth: usize) -> Option<Operation> {
        const KEPT: &[&str] = &["cache", "cached", "redis", "memo", "memoized"];
        let depth = depth.checked_sub(1)?;
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(value) else { return None };
        let asks = names::effect_of(name) == Effect::Read || matches!(name.as_str(), "try_get_with" | "entry_or_fetch");
        let kept = names::has_word(name, KEPT)
            || self.leaf_name(*receiver).is_some_and(|leaf| names::has_word(leaf, KEPT))
            || ["get_with", "get_or", "fetch_or"].iter().any(|part| name.contains(part));
        if !asks || !kept {
            return None;
        }
        let body = args.iter().rev().find_map(|&argument| match self.tree.kind(argument) {
            Kind::Closure { body, .. } => Some(*body),
            Kind::Async => Some(argument),
            _ => None,
        })?;
        match self.tree.kind(body) {
            Kind::Async | Kind::Block => self.awaits_below(body, depth),
            _ => self.operation_within(body, depth),
        }
    }

    /// `cache.put(&key, &answer)` in a body that has looked for `key` there, and
    /// goes another way with what it found: who waits for it asks for the
    /// answer, and the order is nobody's matter. What is made of the value that
    /// was found is no answer to keep, but a change of it.
    pub fn keeps_for_next(&self, value: NodeId, body: NodeId) -> bool {
        let Some(kept) = self.keyed(value, KEEPS) else { return false };
        let asks = |&id: &NodeId| match self.tree.kind(id) {
            Kind::Await(asked) => self.keyed(*asked, GETS) == Some(kept),
            _ => false,
        };
        let Some(asked) = self.tree.below(body).filter(|&id| id < value).find(asks) else { return false };
        let leaves_in = |within: NodeId| self.tree.below(within).any(|id| matches!(self.tree.kind(id), Kind::Return));
        for around in self.tree.ancestors(asked) {
            match self.tree.kind(around) {
                // `if let Some(found) = cache.get(key).await { return Ok(found) }`.
                Kind::If { cond, then, .. } if self.tree.is_within(asked, *cond) => {
                    let inside = self.tree.is_within(value, around);
                    return !self.tree.is_within(value, *then) && (inside || leaves_in(*then));
                }
                // `match cache.get(key).await { Some(found) => found, None => … }`.
                Kind::Match { on } if self.tree.is_within(asked, *on) => {
                    if !self.tree.is_within(value, around) {
                        return leaves_in(around);
                    }
                    return self
                        .tree
                        .ancestors(value)
                        .take_while(|&id| id != around)
                        .any(|id| matches!(self.tree.kind(id), Kind::Arm { pattern } if pattern.bound.is_empty()));
                }
                // It goes on with what is there, and leaves where nothing is.
                Kind::Let { otherwise: Some(_), .. } => return false,
                Kind::Let { pattern, .. } => return self.is_looked_at(pattern, around, value, body),
                _ => {}
            }
        }
        false
    }

    /// `let found = cache.get(key).await?; if let Some(found) = found { return … }`:
    /// something leaves before `value`, which is made of nothing that was found.
    fn is_looked_at(&self, found: &Pattern, bound: NodeId, value: NodeId, body: NodeId) -> bool {
        let Kind::Method { args, .. } = self.tree.kind(value) else { return false };
        let mut derived: BTreeSet<&str> = found.bound.iter().map(|bound| bound.name.as_str()).collect();
        let mut leaves = false;
        for id in self.tree.below(body).filter(|&id| bound < id && id < value) {
            match self.tree.kind(id) {
                Kind::Return => leaves = true,
                Kind::Let { pattern, init: Some(init), .. } if !self.names_in(*init).is_disjoint(&derived) => {
                    derived.extend(pattern.bound.iter().map(|bound| bound.name.as_str()));
                }
                _ => {}
            }
        }
        leaves && args.iter().skip(1).all(|&argument| self.names_in(argument).is_disjoint(&derived))
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
