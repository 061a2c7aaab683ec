//! The report as JSON, `schema_version` 1: forms of their own, apart from the
//! internal types, so that a change inside does not change what others read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::{Anchors, Evidence, Finding, Place, Severity};
use crate::observe::{Confidence, Context};
use crate::patch::{Edit, Patch, Safety};
use crate::report::{Completeness, Report};
use crate::score;
use crate::source::LineIndex;

/// Raised when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// The whole report.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "bizra-scan report")]
pub struct Document<'r> {
    /// Version of this schema.
    schema_version: u32,
    /// The program.
    tool: Tool<'r>,
    /// The root as typed; paths below are relative to it, with `/`.
    root: &'r str,
    /// Counts, score and grade.
    summary: Summary,
    /// What was looked at.
    completeness: &'r Completeness,
    /// Remarks on configuration, suppressions and assumptions.
    notices: &'r [String],
    /// Findings that a comment silenced.
    suppressed: Vec<SuppressedEntry<'r>>,
    /// Findings by severity, then priority, then place.
    findings: Vec<Entry<'r>>,
}

#[derive(Serialize, JsonSchema)]
struct Tool<'r> {
    /// `bizra-scan`
    name: &'static str,
    /// The program's version.
    version: &'r str,
}

#[derive(Serialize, JsonSchema)]
struct Summary {
    /// A to F.
    grade: String,
    /// 0 to 100, higher is better.
    score: u32,
    /// How many findings of each severity; every severity is there.
    by_severity: BTreeMap<&'static str, u32>,
    /// How many findings of each category.
    by_category: BTreeMap<String, u32>,
}

#[derive(Serialize, JsonSchema)]
struct SuppressedEntry<'r> {
    /// The reason that the comment gives.
    reason: &'r str,
    /// What it silences.
    finding: Entry<'r>,
}

#[derive(Serialize, JsonSchema)]
struct Entry<'r> {
    /// Fingerprint, unique within a report, and the same while the code is.
    id: &'r str,
    /// Rule id.
    rule: &'r str,
    /// The rule's variant, where it has several shapes.
    variant: Option<&'r str>,
    /// The rule's category.
    category: &'r str,
    /// The rule's or variant's title.
    title: &'r str,
    /// What is seen here.
    message: &'r str,
    /// What it costs if it is true.
    severity: Severity,
    /// How sure.
    confidence: Confidence,
    /// Where it runs.
    context: Context,
    /// 0 to 100, higher first.
    priority: u32,
    /// Effort of the fix, in minutes.
    effort_minutes: u32,
    /// Enclosing symbol; empty at module level.
    symbol: &'r str,
    /// For matching between versions.
    anchors: &'r Anchors,
    /// The primary place.
    location: Location<'r>,
    /// Further places.
    related: Vec<Related<'r>>,
    /// What makes it true, in order.
    evidence: Vec<Step<'r>>,
    /// What it takes for granted; null for a certain finding.
    assumption: Option<&'r str>,
    /// What it costs.
    impact: &'r str,
    /// The suggested patch.
    patch: Option<PatchForm<'r>>,
}

#[derive(Serialize, JsonSchema)]
struct Location<'r> {
    /// Relative to the root, with `/`.
    path: &'r str,
    /// The first character.
    start: Point,
    /// The character after the last one.
    end: Point,
}

#[derive(Serialize, JsonSchema)]
struct Point {
    /// Line, 1-based.
    line: u32,
    /// Column in Unicode scalar values, 1-based.
    column: u32,
    /// Byte offset, 0-based.
    byte: u32,
}

#[derive(Serialize, JsonSchema)]
struct Related<'r> {
    /// What is there.
    message: &'r str,
    /// Where.
    location: Option<Location<'r>>,
}

#[derive(Serialize, JsonSchema)]
struct Step<'r> {
    /// What is seen.
    message: &'r str,
    /// Where; null where the step has no place.
    location: Option<Location<'r>>,
}

#[derive(Serialize, JsonSchema)]
struct PatchForm<'r> {
    /// One line in the imperative.
    title: &'r str,
    /// How far it may be trusted.
    safety: Safety,
    /// What changes in behaviour.
    changes: &'r str,
    /// Disjoint replacements, in source order: this patch alone.
    edits: Vec<EditForm<'r>>,
    /// The same as a unified diff.
    diff: &'r str,
}

#[derive(Serialize, JsonSchema)]
struct EditForm<'r> {
    /// Relative to the root, with `/`.
    path: &'r str,
    /// First byte that goes, 0-based.
    start_byte: u32,
    /// The byte after the last one that goes.
    end_byte: u32,
    /// The text that comes.
    text: &'r str,
}

/// The report as JSON, indented, with a newline at its end. The same bytes for
/// the same report.
///
/// # Errors
/// Where serialising fails, which no report does.
pub fn render(report: &Report, version: &str) -> Result<String, serde_json::Error> {
    let places = Places::of(report);
    let summary = score::summary(report);
    let by_category = report.by_category().into_iter().map(|(category, row)| (category, row.values().sum())).collect();
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "bizra-scan", version },
        root: &report.root,
        summary: Summary {
            grade: summary.grade.to_string(),
            score: summary.score,
            by_severity: report.by_severity(),
            by_category,
        },
        completeness: &report.completeness,
        notices: &report.notices,
        suppressed: report
            .suppressed
            .iter()
            .map(|s| SuppressedEntry { reason: &s.reason, finding: entry(&s.finding, &places) })
            .collect(),
        findings: report.findings.iter().map(|finding| entry(finding, &places)).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

/// The schema of [`render`]'s result, as `docs/report.schema.json` holds it.
///
/// # Errors
/// Where serialising fails, which the schema does not.
pub fn schema() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Document<'_>))?;
    text.push('\n');
    Ok(text)
}

/// Line indices of the files that a report points into.
struct Places<'r>(BTreeMap<&'r str, (&'r str, LineIndex)>);

impl<'r> Places<'r> {
    fn of(report: &'r Report) -> Self {
        Self(report.sources.iter().map(|(path, text)| (path.as_str(), (text.as_str(), LineIndex::new(text)))).collect())
    }

    fn location(&self, place: &'r Place) -> Location<'r> {
        let point = |byte| match self.0.get(place.path.as_str()) {
            Some((text, lines)) => {
                let at = lines.position(text, byte);
                Point { line: at.line, column: at.column, byte: at.byte }
            }
            // A file that went away between the scan and the report.
            None => Point { line: 1, column: 1, byte },
        };
        Location { path: &place.path, start: point(place.span.start), end: point(place.span.end) }
    }
}

fn entry<'r>(finding: &'r Finding, places: &Places<'r>) -> Entry<'r> {
    let place_of = |step: &'r Evidence| step.place.as_ref().map(|place| places.location(place));
    Entry {
        id: &finding.id,
        rule: &finding.rule,
        variant: finding.variant.as_deref(),
        category: &finding.category,
        title: &finding.title,
        message: &finding.message,
        severity: finding.severity,
        confidence: finding.confidence,
        context: finding.context,
        priority: finding.priority,
        effort_minutes: finding.effort_minutes,
        symbol: &finding.symbol,
        anchors: &finding.anchors,
        location: places.location(&finding.place),
        related: finding.related.iter().map(|r| Related { message: &r.message, location: place_of(r) }).collect(),
        evidence: finding.evidence.iter().map(|e| Step { message: &e.message, location: place_of(e) }).collect(),
        assumption: finding.assumption.as_deref(),
        impact: &finding.impact,
        patch: finding.patch.as_ref().map(patch),
    }
}

fn patch(patch: &Patch) -> PatchForm<'_> {
    PatchForm {
        title: &patch.title,
        safety: patch.safety,
        changes: &patch.changes,
        edits: patch.edits.iter().map(edit).collect(),
        diff: &patch.diff,
    }
}

fn edit(edit: &Edit) -> EditForm<'_> {
    EditForm { path: &edit.path, start_byte: edit.span.start, end_byte: edit.span.end, text: &edit.text }
}
