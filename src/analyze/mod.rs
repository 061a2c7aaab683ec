//! Analyses: what is decided on the typed tree, one to a file.
//!
//! An analysis sees one file and proposes candidates. It holds no sentence
//! that a user reads: it speaks in keys, and its [`Vocabulary`] lists them so
//! that loading a rule can refuse one that has no words for them.

pub mod rust;
pub mod sink;
pub mod typescript;

pub use sink::Sink;

use crate::source::Family;

/// By how many percent base64 is longer than its input: four characters stand
/// for three bytes (RFC 4648).
const BASE64_GROWS: f64 = 33.0;
/// The same of hexadecimal: two characters stand for one byte.
const HEX_GROWS: f64 = 100.0;

/// Words of names for what has been made smaller.
const MADE_SMALLER: &[&str] = &["compressed", "gzipped", "zipped", "deflated"];

/// Everything that an analysis may say, by kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vocabulary {
    /// Values for templates and severity conditions.
    pub values: &'static [&'static str],
    /// Keys of evidence steps.
    pub evidence: &'static [&'static str],
    /// Keys of guards.
    pub guards: &'static [&'static str],
    /// Keys of assumptions.
    pub assumptions: &'static [&'static str],
    /// Keys of snippet labels.
    pub labels: &'static [&'static str],
    /// Keys of patches.
    pub patches: &'static [&'static str],
    /// Names of variants.
    pub variants: &'static [&'static str],
    /// Names of parameters in `[detect.<family>.params]`.
    pub params: &'static [&'static str],
}

/// A named analysis of a family's model `F`.
pub struct Analysis<F> {
    /// The name that rules use.
    pub name: &'static str,
    /// What it may say.
    pub vocabulary: Vocabulary,
    /// The analysis.
    pub run: F,
}

/// The vocabulary of a family's analysis; `None` where there is no such name.
pub fn vocabulary(family: Family, name: &str) -> Option<&'static Vocabulary> {
    match family {
        Family::TypeScript => typescript::find(name).map(|a| &a.vocabulary),
        Family::Rust => rust::find(name).map(|a| &a.vocabulary),
    }
}

/// The names of a family's analyses.
pub fn names(family: Family) -> Vec<&'static str> {
    match family {
        Family::TypeScript => typescript::ALL.iter().map(|a| a.name).collect(),
        Family::Rust => rust::ALL.iter().map(|a| a.name).collect(),
    }
}
