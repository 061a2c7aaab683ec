//! The report on a terminal: the worst in full, the rest by rule, a summary.

mod finding;
mod snippet;
mod summary;
mod text;

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use crate::finding::Finding;
use crate::report::Report;

/// How to write.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// With ANSI colours.
    pub color: bool,
    /// With ASCII characters alone.
    pub ascii: bool,
    /// Findings in full; the rest is grouped by rule.
    pub limit: usize,
    /// All findings in full, whole diffs.
    pub verbose: bool,
    /// How long the scan took.
    pub elapsed: Option<Duration>,
}

/// Findings in full without `--limit`.
pub const DEFAULT_LIMIT: usize = 10;

/// Findings of one rule in full: the fourth of a kind teaches less than the
/// first of another.
const OF_ONE_RULE: usize = 3;

impl Default for Options {
    fn default() -> Self {
        Self { width: 80, color: false, ascii: false, limit: DEFAULT_LIMIT, verbose: false, elapsed: None }
    }
}

/// Writes the report.
///
/// # Errors
/// What writing gives; a closed pipe is the caller's to forgive.
pub fn render(report: &Report, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let (full, rest) = chosen(report, options);
    for finding in &full {
        finding::write(out, report, finding, options)?;
        writeln!(out, "{}\n", options.dim(&options.marks().rule.repeat(options.width.min(100))))?;
    }
    summary::rest(out, report, &rest, options)?;
    if report.findings.is_empty() && report.completeness.saw_nothing() {
        // A grade of what nobody looked at would be praise for nothing.
        writeln!(out, "{}", options.bold("Nothing was read, so nothing is known: there is no grade."))?;
    } else if report.findings.is_empty() {
        writeln!(out, "{}", options.bold("No bottleneck found."))?;
        summary::grade(out, report, options)?;
    } else {
        summary::table(out, report, options)?;
        summary::grade(out, report, options)?;
    }
    writeln!(out)?;
    summary::completeness(out, report, options)
}

/// The findings in full, and the others, both in the report's order.
fn chosen<'r>(report: &'r Report, options: &Options) -> (Vec<&'r Finding>, Vec<&'r Finding>) {
    if options.verbose || report.findings.len() <= options.limit {
        return (report.findings.iter().collect(), Vec::new());
    }
    let mut of_rule: HashMap<&str, usize> = HashMap::new();
    let mut full = 0;
    report.findings.iter().partition(|finding| {
        let count = of_rule.entry(&finding.rule).or_default();
        *count += 1;
        let wanted = full < options.limit && *count <= OF_ONE_RULE;
        full += usize::from(wanted);
        wanted
    })
}
