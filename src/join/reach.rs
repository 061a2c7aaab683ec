//! Which functions request handlers of other files call: one hop.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Files that hand on what handlers call and are not mapped yet.
    needed: BTreeSet<String>,
}

impl Reached {
    /// Follows every call that the handlers of `files` make into other files.
    pub fn of(files: &Files, facts: &Facts) -> Self {
        let mut reached = Self::default();
        for file in files.iter() {
            let from = &file.source.path;
            for (name, at) in &file.map.observations.handler_calls {
                match lookup::find(from, name, facts, files) {
                    Found::Function(path, summary) => {
                        reached.functions.entry((path, summary.span)).or_insert_with(|| (from.clone(), *at));
                    }
                    Found::NeedFiles(files) => reached.needed.extend(files),
                    Found::Constant(..) | Found::Package(_) | Found::Unknown => {}
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
            None if self.needed.is_empty() => Answer::Unknown,
            None => Answer::NeedFiles(self.needed.iter().cloned().collect()),
        }
    }
}
