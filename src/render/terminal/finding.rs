//! One finding in full.

use std::io::{self, Write};

use super::Options;
use super::snippet::{Label, snippet};
use super::text::{ADDED, HUNK, REMOVED, WINDOW, safe, style_of};
use crate::finding::{Evidence, Finding};
use crate::patch::{Patch, Safety};
use crate::report::Report;
use crate::source::LineIndex;

/// Lines of a diff that are shown; `--verbose` shows all.
const DIFF_LINES: usize = 40;

/// Labels, steps and related places that are shown; `--verbose` shows more.
const STEPS: usize = 6;

/// The same with `--verbose`: a report of thousands is for programs (JSON).
const STEPS_VERBOSE: usize = 100;

/// Writes a finding: title, snippet, evidence, assumption, impact, patch.
pub(super) fn write(out: &mut dyn Write, report: &Report, finding: &Finding, options: &Options) -> io::Result<()> {
    let severity = finding.severity.name();
    let head = options.paint(style_of(finding.severity), severity);
    let rule = match &finding.variant {
        Some(variant) => format!("{}/{variant}", finding.rule),
        None => finding.rule.clone(),
    };
    let dot = options.marks().dot;
    let name = options.dim(&format!("{rule} {dot} {}", confidence(finding)));
    let indent = " ".repeat(severity.len() + 2);
    write!(out, "{head}  {}", unhead(&options.wrapped(&indent, &safe(&finding.title, options, WINDOW)), &indent))?;
    writeln!(out, "{indent}{name}")?;
    if let Some(text) = report.sources.get(&finding.place.path) {
        let labels: Vec<Label<'_>> = finding
            .labels
            .iter()
            .filter_map(|label| {
                let place = label.place.as_ref().filter(|place| place.path == finding.place.path)?;
                Some(Label { span: place.span, text: &label.message })
            })
            .collect();
        let shown = labels.get(..steps(options)).unwrap_or(&labels);
        out.write_all(snippet(&finding.place.path, text, shown, options).as_bytes())?;
        more(out, options, "  ", labels.len() - shown.len(), "places")?;
    } else {
        writeln!(out, "  {}", safe(&finding.place.path, options, WINDOW))?;
    }
    field(out, options, "what", &finding.message)?;
    list(out, options, "because", report, finding, &finding.evidence)?;
    if let Some(assumption) = &finding.assumption {
        field(out, options, "assuming", assumption)?;
    }
    field(out, options, "impact", &finding.impact)?;
    list(out, options, "also", report, finding, &finding.related)?;
    match &finding.patch {
        Some(patch) => write_patch(out, patch, finding.effort_minutes, options)?,
        None => field(out, options, "effort", &format!("about {} min, by hand", finding.effort_minutes))?,
    }
    writeln!(out)
}

fn confidence(finding: &Finding) -> String {
    let context = finding.context.name();
    format!(
        "{} {context}",
        match finding.confidence {
            crate::observe::Confidence::Certain => "certain,",
            crate::observe::Confidence::Likely => "likely,",
            crate::observe::Confidence::Possible => "possible,",
        }
    )
}

/// `wrapped` puts its head before the first line; here the head is painted.
fn unhead<'w>(wrapped: &'w str, head: &str) -> &'w str {
    wrapped.strip_prefix(head).unwrap_or(wrapped)
}

/// The width of the names at the left, with a blank behind the longest.
const NAMES: usize = 11;

fn field(out: &mut dyn Write, options: &Options, name: &str, text: &str) -> io::Result<()> {
    let plain = format!("  {name:<width$}", width = NAMES - 2);
    let text = safe(text, options, 2_000);
    let wrapped = options.wrapped(&" ".repeat(plain.len()), &text);
    let body = wrapped.get(plain.len()..).unwrap_or_default();
    write!(out, "{}{body}", options.bold(&plain))
}

fn steps(options: &Options) -> usize {
    if options.verbose { STEPS_VERBOSE } else { STEPS }
}

/// Steps below a name, as many as are shown.
fn list(
    out: &mut dyn Write,
    options: &Options,
    name: &str,
    report: &Report,
    finding: &Finding,
    all: &[Evidence],
) -> io::Result<()> {
    let most = steps(options);
    for (number, step) in all.iter().take(most).enumerate() {
        field(out, options, if number == 0 { name } else { "" }, &located(report, finding, step, options))?;
    }
    more(out, options, &" ".repeat(NAMES), all.len().saturating_sub(most), "such steps")
}

/// How many more there are, where there are any, and how to see them.
fn more(out: &mut dyn Write, options: &Options, indent: &str, left: usize, what: &str) -> io::Result<()> {
    if left == 0 {
        return Ok(());
    }
    let way = if options.verbose { "--format json" } else { "--verbose" };
    writeln!(out, "{indent}{}", options.dim(&format!("{} and {left} more {what} ({way})", options.marks().more)))
}

/// A step with its place, where that is not the finding's own line.
fn located(report: &Report, finding: &Finding, step: &Evidence, options: &Options) -> String {
    let Some(place) = &step.place else { return step.message.clone() };
    let line = |path: &str, byte| report.sources.get(path).map(|text| LineIndex::new(text).line(byte));
    let own = line(&finding.place.path, finding.place.span.start);
    match line(&place.path, place.span.start) {
        Some(at) if place.path == finding.place.path && Some(at) == own => step.message.clone(),
        Some(at) if place.path == finding.place.path => format!("{} (line {at})", step.message),
        Some(at) => format!("{} ({}:{at})", step.message, safe(&place.path, options, WINDOW)),
        None => step.message.clone(),
    }
}

fn write_patch(out: &mut dyn Write, patch: &Patch, effort: u32, options: &Options) -> io::Result<()> {
    let safety = match patch.safety {
        Safety::Safe => "keeps behaviour",
        Safety::Review => "needs review",
        Safety::Guidance => "guidance",
    };
    field(out, options, "patch", &format!("{} ({safety}; about {effort} min)", patch.title))?;
    field(out, options, "changes", &patch.changes)?;
    let all = patch.diff.lines().count();
    let most = if options.verbose { usize::MAX } else { DIFF_LINES };
    for line in patch.diff.lines().skip(2).take(most) {
        let shown = safe(line.trim_end_matches('\r'), options, WINDOW);
        let painted = match line.as_bytes().first() {
            Some(b'+') => options.paint(ADDED, &shown),
            Some(b'-') => options.paint(REMOVED, &shown),
            Some(b'@') => options.paint(HUNK, &shown),
            _ => shown,
        };
        writeln!(out, "    {painted}")?;
    }
    if all.saturating_sub(2) > most {
        writeln!(out, "    {} {} more lines (--verbose)", options.marks().more, all - 2 - most)?;
    }
    Ok(())
}
