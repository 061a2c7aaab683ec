//! Functions that nothing but their name leads to: no attribute, trait or
//! runtime calls them.

use super::Model;
use super::node::{Function, Kind};
use crate::source::Span;

/// Attributes that make nobody call what they stand on.
const SILENT: &[&str] = &[
    "doc",
    "inline",
    "allow",
    "expect",
    "warn",
    "deny",
    "must_use",
    "cfg",
    "cfg_attr",
    "deprecated",
    "cold",
    "instrument",
    "track_caller",
    "async_recursion",
];

impl Model<'_> {
    /// The functions around one of `places` that run only where their name
    /// stands, each with its name and its own span.
    pub fn run_by_name(&self, places: &[Span]) -> Vec<(String, Span)> {
        if places.is_empty() {
            return Vec::new();
        }
        let at = |function: &Function| self.tree.span(function.node);
        let around = |at: Span| places.iter().any(|place| at.start <= place.start && place.end <= at.end);
        let functions = self.tree.functions.iter().filter(|function| around(at(function)));
        let named = functions.filter(|function| self.has_only_name(function));
        named.map(|function| (function.name.clone(), at(function))).collect()
    }

    fn has_only_name(&self, function: &Function) -> bool {
        let owner = function.owner.and_then(|owner| self.tree.impls.get(owner));
        let of_trait = owner.is_some_and(|owner| owner.trait_path.is_some());
        let in_trait = self.tree.ancestors(function.node).any(|id| matches!(self.tree.kind(id), Kind::Trait(_)));
        let mut attributes = self.tree.attrs.get(&function.node).into_iter().flatten();
        let silent = attributes.all(|attribute| SILENT.contains(&attribute.leaf()));
        function.name != "main" && !of_trait && !in_trait && silent
    }
}
