//! What stands around the code of a file in others: the handlers that call its
//! functions (one hop), and the timeout layer around its service.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::join::Files;
use crate::join::lookup::{self, Found};
use crate::join::needs::Answer;
use crate::observe::Step;
use crate::source::Span;

/// The functions that handlers call, each by its file and the place of its
/// name, with the file and place of one call.
#[derive(Default)]
pub struct Reached {
    functions: BTreeMap<(String, Span), (String, Span)>,
}

impl Reached {
    /// Follows every call that the handlers of `files` make into other files.
    pub fn of(files: &Files, facts: &Facts) -> Self {
        let mut reached = Self::default();
        for file in files.iter() {
            let from = &file.source.path;
            for (name, at) in &file.map.observations.handler_calls {
                // What is handed on through a file that no rule reads stays
                // unseen: mapping all of these would double a scan.
                if let Found::Function(path, summary) = lookup::find(from, name, facts, files) {
                    reached.functions.entry((path, summary.span)).or_insert_with(|| (from.clone(), *at));
                }
            }
        }
        reached
    }

    /// Does a handler call the function of this file whose name stands there?
    pub fn answer(&self, path: &str, name: Span) -> Answer {
        match self.functions.get(&(path.to_owned(), name)) {
            Some((from, at)) => {
                Answer::Yes(Step::at("called-from-handler-of", *at).in_file(from.clone()).with("place", from.as_str()))
            }
            None => Answer::Unknown,
        }
    }
}

/// Does no timeout layer of the crate of `path` bound its handlers? A further
/// program of the crate runs none of them.
pub fn timeout_layer(path: &str, files: &Files, facts: &Facts) -> Answer {
    let Some(own) = facts.crates.info(path) else { return Answer::Unknown };
    let is_program = path.contains("src/bin/");
    let layered = files.iter().filter(|file| !is_program || file.source.path == path).find_map(|file| {
        let at = file.map.observations.timeout_layers.first()?;
        let same = facts.crates.info(&file.source.path).is_some_and(|info| info.folder == own.folder);
        same.then_some((&file.source.path, *at))
    });
    match layered {
        Some((file, at)) => {
            Answer::No(Step::at("bounded-by-layer", at).in_file(file.clone()).with("place", file.as_str()))
        }
        None => Answer::Yes(Step::new("no-layer").with("package", own.name.as_str())),
    }
}
