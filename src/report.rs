//! The report: the only thing that a renderer sees.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};

/// Why a file was not looked at, or not wholly. A closed list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// Could not be read.
    Unreadable,
    /// Not UTF-8, UTF-16 included.
    NotUtf8,
    /// Holds NUL bytes.
    Binary,
    /// Over the size limit.
    TooLarge,
    /// More open brackets than the parsers bear.
    TooDeep,
    /// Syntax errors kept the typed tree from being made; queries stood in.
    Unparsed,
    /// An analysis failed on it.
    Panicked,
    /// A pipe, socket or device.
    NotAFile,
    /// A link that leads out of the root, or in a circle.
    Link,
    /// Written by a generator.
    Generated,
    /// Minified or bundled.
    Minified,
    /// Another project's code.
    Vendored,
    /// Left out by configuration.
    Excluded,
}

impl SkipReason {
    /// True where something that should have been looked at was not:
    /// `--require-complete` fails on these.
    pub const fn is_loss(self) -> bool {
        matches!(
            self,
            Self::Unreadable | Self::NotUtf8 | Self::TooLarge | Self::TooDeep | Self::Unparsed | Self::Panicked
        )
    }

    /// The name that reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotUtf8 => "not-utf8",
            Self::Binary => "binary",
            Self::TooLarge => "too-large",
            Self::TooDeep => "too-deep",
            Self::Unparsed => "unparsed",
            Self::Panicked => "panicked",
            Self::NotAFile => "not-a-file",
            Self::Link => "link",
            Self::Generated => "generated",
            Self::Minified => "minified",
            Self::Vendored => "vendored",
            Self::Excluded => "excluded",
        }
    }
}

/// A file that was not looked at, or not wholly.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Path relative to the root.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
    /// The particulars, in words.
    pub detail: String,
}

/// What was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Completeness {
    /// True where nothing was lost (see [`SkipReason::is_loss`]).
    pub complete: bool,
    /// Files of a scanned language that the walk met.
    pub files_walked: u32,
    /// Files that were parsed.
    pub files_parsed: u32,
    /// Files that hold no literal that any rule looks for.
    pub files_prefiltered: u32,
    /// Files that were not looked at, or not wholly.
    pub skipped: Vec<Skipped>,
}

impl Completeness {
    /// True where not one file could be looked at, so that no finding says
    /// nothing.
    pub const fn saw_nothing(&self) -> bool {
        self.files_parsed == 0 && self.files_prefiltered == 0
    }
}

/// A finding that a comment or the configuration silenced.
#[derive(Clone, PartialEq, Debug)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The reason that the comment gives.
    pub reason: String,
}

/// The outcome of one scan.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The root as typed.
    pub root: String,
    /// Sorted by severity, then priority, then place.
    pub findings: Vec<Finding>,
    /// Silenced findings, in the same order.
    pub suppressed: Vec<Suppressed>,
    /// What was looked at.
    pub completeness: Completeness,
    /// Remarks on configuration, suppressions and assumptions.
    pub notices: Vec<String>,
    /// Findings of confidence `possible` that are not shown.
    pub hidden: u32,
    /// Severities of findings, certain and likely, that are too mild to be
    /// shown: a gate counts them all the same.
    pub milder: Vec<Severity>,
    /// Texts of the files that findings point into, by path: renderers quote them.
    pub sources: BTreeMap<String, String>,
    /// Lines of product code that were parsed or prefiltered: the grade's denominator.
    pub lines: u64,
}

impl Report {
    /// Findings by severity, every severity present.
    pub fn by_severity(&self) -> BTreeMap<&'static str, u32> {
        let mut counts: BTreeMap<_, _> = Severity::ALL.iter().map(|s| (s.name(), 0)).collect();
        for finding in &self.findings {
            *counts.entry(finding.severity.name()).or_default() += 1;
        }
        counts
    }

    /// Findings by category and severity.
    pub fn by_category(&self) -> BTreeMap<String, BTreeMap<&'static str, u32>> {
        let mut counts: BTreeMap<String, BTreeMap<&'static str, u32>> = BTreeMap::new();
        for finding in &self.findings {
            let row = counts.entry(finding.category.clone()).or_default();
            *row.entry(finding.severity.name()).or_default() += 1;
        }
        counts
    }
}
