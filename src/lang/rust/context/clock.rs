//! Code that a clock starts.

use std::collections::BTreeSet;

use crate::lang::rust::Model;
use crate::lang::rust::node::{Function, Kind, NodeId};

/// Words of functions and files that a clock starts.
const CLOCK_WORDS: &[&str] =
    &["scheduler", "schedule", "scheduled", "cron", "periodic", "periodically", "daily", "hourly", "jobs"];

impl Model<'_> {
    /// The loop around a node that waits for a timer in each round.
    pub fn timer_loop(&self, node: NodeId) -> Option<NodeId> {
        let mut at = node;
        while let Some(found) = self.loop_of(at) {
            let waits = self.tree.below(found).any(|id| match self.tree.kind(id) {
                Kind::Method { name, .. } => name == "tick" && self.is_awaited_or_quoted(id),
                Kind::Call { callee, .. } => match self.tree.kind(*callee) {
                    Kind::Path(path) => {
                        matches!(path.last().map(String::as_str), Some("sleep" | "sleep_until" | "delay_for"))
                            && self.is_awaited_or_quoted(id)
                    }
                    _ => false,
                },
                Kind::Macro { names, parsed, .. } => !parsed && names.iter().any(|n| n == "tick"),
                _ => false,
            });
            if waits && !matches!(self.tree.kind(found), Kind::For { .. }) {
                return Some(found);
            }
            at = found;
        }
        None
    }

    pub(super) fn is_on_a_clock(&self, function: &Function) -> bool {
        let file = self.source.path.rsplit('/').next().unwrap_or("");
        let words = file.trim_end_matches(".rs").split('_').chain(function.name.split('_'));
        words.into_iter().any(|word| CLOCK_WORDS.contains(&word))
    }

    /// True where a loop that waits for a timer calls a free function of this
    /// file: `loop { interval.tick().await; refresh().await; }`.
    pub(super) fn is_called_on_a_clock(&self, function: &Function) -> bool {
        let called = self.called_on_clock.get_or_init(|| {
            let ticks = self.source.text.contains("tick") || self.source.text.contains("sleep");
            if ticks { self.called_from(|id| self.timer_loop(id).is_some()) } else { BTreeSet::new() }
        });
        function.owner.is_none() && called.contains(&function.name)
    }

    pub(super) fn in_timer_loop(&self, node: NodeId) -> bool {
        self.timer_loop(node).is_some() || self.in_cron_job(node)
    }

    /// True in the closure that a cron library runs.
    fn in_cron_job(&self, node: NodeId) -> bool {
        self.tree.ancestors(node).any(|id| match self.tree.kind(id) {
            Kind::Call { callee, .. } => match self.tree.kind(*callee) {
                Kind::Path(path) => {
                    let leaf = path.last().map_or("", String::as_str);
                    matches!(leaf, "new_async" | "new_repeated_async" | "new_cron_job_async")
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// True for what is awaited, by itself or as a branch of a macro like `select!`.
    pub fn is_awaited_or_quoted(&self, node: NodeId) -> bool {
        self.is_awaited(node) || self.tree.node(node).quoted
    }
}
