//! A finding: one bottleneck at one place, with the facts that make it true.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observe::{Confidence, Context};
use crate::patch::Patch;
use crate::source::Span;

/// What a bottleneck costs if it is true.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth planning.
    Medium,
    /// Worth doing next.
    High,
    /// Worth stopping for.
    Critical,
}

impl Severity {
    /// From the worst to the least.
    pub const ALL: [Severity; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The name that reports and flags use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Moved by `steps` (negative is milder), held within the scale.
    pub fn moved(self, steps: i32) -> Self {
        let level = (self as i32 + steps).clamp(Self::Low as i32, Self::Critical as i32);
        Self::ALL[(3 - level) as usize]
    }
}

/// A place in a file, with its positions already looked up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Path relative to the root, with `/`.
    pub path: String,
    /// The bytes.
    pub span: Span,
}

/// One step of evidence in words.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    /// What is seen.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
}

/// What identity is matched on between two versions; see `identity.rs`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Anchors {
    /// Enclosing symbol.
    pub symbol: String,
    /// Hash of the primary node's tokens without names and literals.
    pub shape: String,
    /// Hash of the primary node's tokens.
    pub tokens: String,
    /// Which one of equals within the file, 0-based, in source order.
    pub occurrence: u32,
}

/// One bottleneck at one place.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Fingerprint, unique within a report.
    pub id: String,
    /// Rule id.
    pub rule: String,
    /// The rule's variant.
    pub variant: Option<String>,
    /// The rule's category.
    pub category: String,
    /// The rule's (or variant's) title.
    pub title: String,
    /// The filled message.
    pub message: String,
    /// What it costs.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Where it runs.
    pub context: Context,
    /// 0 to 100, higher first.
    pub priority: u32,
    /// Effort of the fix, in minutes.
    pub effort_minutes: u32,
    /// Enclosing symbol.
    pub symbol: String,
    /// For matching between versions.
    pub anchors: Anchors,
    /// The primary place.
    pub place: Place,
    /// Labels of the snippet: the primary first, then further places.
    pub labels: Vec<Evidence>,
    /// Places that belong to it, and findings that yielded to it.
    pub related: Vec<Evidence>,
    /// Evidence in order.
    pub evidence: Vec<Evidence>,
    /// The named assumption, where there is one.
    pub assumption: Option<String>,
    /// What it costs, in words that claim no more than is known.
    pub impact: String,
    /// The suggested patch.
    pub patch: Option<Patch>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_moves_within_its_scale() {
        assert_eq!(Severity::High.moved(1), Severity::Critical);
        assert_eq!(Severity::Critical.moved(3), Severity::Critical);
        assert_eq!(Severity::Medium.moved(-5), Severity::Low);
        assert_eq!(Severity::High.moved(0), Severity::High);
    }
}
