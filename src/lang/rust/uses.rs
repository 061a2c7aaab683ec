//! What a piece of code reads, borrows and moves by name.

use std::collections::BTreeSet;

use super::Model;
use super::node::{Kind, NodeId};

impl Model<'_> {
    /// Every plain name in the code below a node, those in macros and inline
    /// format arguments included.
    pub fn names_in(&self, node: NodeId) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for id in self.tree.below(node) {
            match self.tree.kind(id) {
                Kind::Path(path) if path.len() == 1 => {
                    names.insert(path[0].as_str());
                }
                Kind::Macro { names: inner, .. } => names.extend(inner.iter().map(String::as_str)),
                _ => {}
            }
        }
        names
    }

    /// The names handed over by value as arguments below a node: they may move.
    pub fn moved_in(&self, node: NodeId) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for id in self.tree.below(node) {
            let args = match self.tree.kind(id) {
                Kind::Call { args, .. } | Kind::Method { args, .. } => args,
                _ => continue,
            };
            for argument in args {
                if let Kind::Path(path) = self.tree.kind(*argument)
                    && path.len() == 1
                    && path[0].contains(|c: char| c.is_lowercase())
                    // A shared reference is copied.
                    && self.type_of(*argument).is_none_or(|typed| typed.ty.reference != Some(false))
                {
                    names.insert(path[0].as_str());
                }
            }
        }
        names
    }

    /// True where an argument below a node borrows a value that lives only for
    /// the expression: `&format!(…)`, `&x.to_string()`. Such a call cannot be
    /// made first and awaited later.
    pub fn borrows_temporary(&self, node: NodeId) -> bool {
        self.tree.below(node).any(|id| match self.tree.kind(id) {
            // A query macro encodes its arguments at once.
            _ if self.tree.node(id).quoted => false,
            Kind::Reference { value, .. } => {
                let mut value = *value;
                while let Kind::Unary(inner) = self.tree.kind(value) {
                    value = *inner;
                }
                // `&*name.clone()` is one too, `&**pool` is not.
                matches!(self.tree.kind(value), Kind::Macro { .. } | Kind::Call { .. } | Kind::Method { .. })
            }
            Kind::Method { name, args, .. } => {
                args.is_empty() && matches!(name.as_str(), "as_str" | "as_ref" | "as_slice" | "as_bytes")
            }
            _ => false,
        })
    }

    /// True where the code below a node borrows something as `&mut`.
    pub fn borrows_mutably(&self, node: NodeId) -> bool {
        self.tree.below(node).any(|id| matches!(self.tree.kind(id), Kind::Reference { mutable: true, .. }))
    }
}
