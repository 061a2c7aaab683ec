//! Handlers whose router stands in another file: `.route("/rooms", get(rooms::list))`.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::join::Files;
use crate::join::lookup::{self, Found};
use crate::observe::Step;
use crate::source::Span;

/// Functions of Rust files that a router of another file is given, by file and
/// name, with the file and the place of the router's entry.
#[derive(Default)]
pub struct Routed(BTreeMap<(String, String), (String, Span)>);

impl Routed {
    /// Looks up what the routers of `files` are given.
    pub fn of(files: &Files, facts: &Facts) -> Self {
        let mut all = BTreeMap::new();
        for file in files.iter() {
            let from = file.source.path.as_str();
            for (name, at) in &file.map.observations.routed {
                if let Found::Function(path, summary) = lookup::find(from, name, facts, files)
                    && let Some(file) = files.get(&path)
                {
                    // As it is declared, whatever it is called on the way.
                    let declared = file.source.slice(summary.span).to_owned();
                    all.entry((path, declared)).or_insert_with(|| (from.to_owned(), *at));
                }
            }
        }
        Self(all)
    }

    /// The evidence that a router is given the function `name` of the file at
    /// `path`.
    pub fn given(&self, path: &str, name: &str) -> Option<Step> {
        let (from, at) = self.0.get(&(path.to_owned(), name.to_owned()))?;
        Some(Step::at("given-to-router", *at).in_file(from.clone()).with("place", from.as_str()))
    }
}
