//! What a piece of code reads, borrows and moves by name.

use std::collections::BTreeSet;

use super::Model;
use super::node::{Kind, NodeId};
use super::values::Local;

/// Methods that change the collection they are called on.
pub const FILLS: &[&str] = &[
    "push",
    "push_str",
    "push_back",
    "insert",
    "extend",
    "append",
    "entry",
    "remove",
    "retain",
    "clear",
    "pop",
    "take",
    "replace",
];

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
        self.tree.below(node).any(|id| match self.tree.kind(id) {
            // What is bound below the node lives no longer than it.
            Kind::Reference { mutable: true, value } => match self.tree.kind(*value) {
                Kind::Path(path) if path.len() == 1 => match self.local(*value, &path[0]) {
                    Some(Local::Let(found)) => !self.tree.is_within(found, node),
                    _ => true,
                },
                _ => true,
            },
            _ => false,
        })
    }

    /// True for a value whose evaluation asks nothing of anybody: names,
    /// fields, literals, copies and conversions of them.
    pub fn is_plain_value(&self, node: NodeId) -> bool {
        const PLAIN: &[&str] = &[
            "clone",
            "to_string",
            "to_owned",
            "to_vec",
            "into",
            "as_str",
            "as_ref",
            "as_deref",
            "as_bytes",
            "as_slice",
            "get_ref",
            "into_inner",
            "len",
            "is_empty",
            "is_some",
            "is_none",
            "copied",
            "cloned",
            "unwrap_or",
            "unwrap_or_default",
            "min",
            "max",
            "trim",
            "id",
            "iter",
            "saturating_sub",
            "saturating_mul",
            "num_seconds",
        ];
        const MACROS: &[&str] = &["format", "vec", "json", "matches"];
        let inner = self.tree.below(node);
        std::iter::once(node).chain(inner).all(|id| match self.tree.kind(id) {
            Kind::Path(_)
            | Kind::Literal(_)
            | Kind::Field { .. }
            | Kind::Reference { mutable: false, .. }
            | Kind::Unary(_)
            | Kind::Struct { .. }
            | Kind::List(_)
            | Kind::Range => true,
            Kind::Method { name, .. } => PLAIN.contains(&name.as_str()),
            Kind::Macro { path, .. } => path.last().is_some_and(|leaf| MACROS.contains(&leaf.as_str())),
            Kind::Call { callee, .. } => match self.tree.kind(*callee) {
                Kind::Path(path) => path.last().is_some_and(|leaf| {
                    matches!(leaf.as_str(), "new" | "from" | "default" | "now" | "clone")
                        || leaf.starts_with(char::is_uppercase)
                }),
                _ => false,
            },
            // Operators and casts.
            Kind::Other => true,
            _ => false,
        })
    }

    /// True for a macro of tracing or log.
    pub fn is_log(&self, node: NodeId) -> bool {
        const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "error", "event", "println", "eprintln", "dbg"];
        match self.tree.kind(node) {
            Kind::Macro { path, .. } => {
                let plain = |id| !matches!(self.tree.kind(id), Kind::Await(_) | Kind::Try(_) | Kind::Return);
                path.last().is_some_and(|leaf| LEVELS.contains(&leaf.as_str())) && self.tree.below(node).all(plain)
            }
            _ => false,
        }
    }
}
