//! Analyses of Rust.

use crate::analyze::{Analysis, Sink};
use crate::lang::rust::Model;

/// An analysis over the model of one Rust file.
pub type Run = for<'m, 'a, 's> fn(&'m Model<'a>, &mut Sink<'s>);

/// Every analysis of this family.
pub const ALL: &[Analysis<Run>] = &[];

/// The analysis of a name.
pub fn find(name: &str) -> Option<&'static Analysis<Run>> {
    ALL.iter().find(|analysis| analysis.name == name)
}
