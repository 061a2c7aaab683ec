//! Analyses of TypeScript and JavaScript.

mod await_in_loop;
mod blocking_in_async;
mod fake_compression;
mod http;
mod instance;
mod layout;
mod missing_keep_alive;
mod missing_timeout;
mod options;
mod pool_libraries;
mod runs;
mod sequential_awaits;
mod together;
mod uncleared_timer;
mod undersized_pool;

use crate::analyze::{Analysis, Sink};
use crate::lang::typescript::Model;

/// An analysis over the model of one TypeScript or JavaScript file.
pub type Run = for<'m, 'a, 's> fn(&'m Model<'a>, &mut Sink<'s>);

/// Every analysis of this family.
pub const ALL: &[Analysis<Run>] = &[
    await_in_loop::ANALYSIS,
    blocking_in_async::ANALYSIS,
    fake_compression::ANALYSIS,
    missing_keep_alive::ANALYSIS,
    missing_timeout::ANALYSIS,
    sequential_awaits::ANALYSIS,
    uncleared_timer::ANALYSIS,
    undersized_pool::ANALYSIS,
];

/// The analysis of a name.
pub fn find(name: &str) -> Option<&'static Analysis<Run>> {
    ALL.iter().find(|analysis| analysis.name == name)
}
