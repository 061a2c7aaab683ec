//! What stands below the findings: the rest by rule, the table, the grade,
//! quick wins, and what was looked at.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::Options;
use super::text::{WINDOW, safe, style_of};
use crate::finding::{Finding, Severity};
use crate::report::{Report, SkipReason};
use crate::score;
use crate::source::LineIndex;

/// Places that a group names.
const PLACES: usize = 3;

/// Notices that are shown; `--verbose` shows all.
const NOTICES: usize = 10;

/// `path:line` of a finding.
fn place(report: &Report, finding: &Finding, options: &Options) -> String {
    let path = safe(&finding.place.path, options, WINDOW);
    match report.sources.get(&finding.place.path) {
        Some(text) => format!("{path}:{}", LineIndex::new(text).line(finding.place.span.start)),
        None => path,
    }
}

/// The findings that are not shown in full, grouped by severity and rule.
pub(super) fn rest(out: &mut dyn Write, report: &Report, rest: &[&Finding], options: &Options) -> io::Result<()> {
    if rest.is_empty() {
        return Ok(());
    }
    let mut groups: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in rest {
        groups.entry((std::cmp::Reverse(finding.severity), &finding.rule)).or_default().push(finding);
    }
    writeln!(out, "{}", options.bold(&format!("{} more, by rule (--verbose shows all in full)", rest.len())))?;
    for ((severity, rule), findings) in groups {
        let name = format!("{:<8}", severity.0.name());
        let head = options.paint(style_of(severity.0), &name);
        writeln!(out, "  {head} {:>4}  {rule}", findings.len())?;
        let indent = " ".repeat(17);
        for finding in findings.iter().take(PLACES) {
            writeln!(out, "{indent}{}", options.dim(&place(report, finding, options)))?;
        }
        if findings.len() > PLACES {
            writeln!(out, "{indent}{}", options.dim(&format!("and {} more", findings.len() - PLACES)))?;
        }
    }
    writeln!(out)
}

/// Counts by category and severity.
pub(super) fn table(out: &mut dyn Write, report: &Report, options: &Options) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(if options.ascii { presets::ASCII_FULL_CONDENSED } else { presets::UTF8_FULL_CONDENSED });
    let names: Vec<&str> = Severity::ALL.iter().map(|severity| severity.name()).collect();
    table.set_header(std::iter::once("category").chain(names.iter().copied()).chain(["all"]));
    let mut totals = vec![0; names.len() + 1];
    for (category, row) in report.by_category() {
        let mut counts: Vec<u32> = names.iter().map(|name| row.get(name).copied().unwrap_or_default()).collect();
        counts.push(counts.iter().sum());
        for (total, count) in totals.iter_mut().zip(&counts) {
            *total += count;
        }
        table.add_row(std::iter::once(safe(&category, options, 40)).chain(counts.iter().map(|&n| count(n))));
    }
    table.add_row(std::iter::once("all".to_owned()).chain(totals.iter().map(|&n| count(n))));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")
}

fn count(number: u32) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

/// Score and grade, and the fixes that give most for their effort.
pub(super) fn grade(out: &mut dyn Write, report: &Report, options: &Options) -> io::Result<()> {
    let summary = score::summary(report);
    let grade = options.bold(&format!("Grade {}", summary.grade));
    writeln!(out, "{grade}, score {} of 100 (how it is reckoned: docs/grade.md)", summary.score)?;
    let wins = score::quick_wins(report, 3);
    if wins.len() > 1 {
        writeln!(out, "\n{}", options.bold("Quick wins: most gain for least effort"))?;
        for (number, finding) in wins.iter().enumerate() {
            let patch = if finding.patch.is_some() { ", patch ready" } else { "" };
            let head = format!("  {}. ", number + 1);
            let text = format!(
                "{} (about {} min{patch}) {} {}",
                safe(&finding.title, options, WINDOW),
                finding.effort_minutes,
                options.marks().arrow,
                place(report, finding, options)
            );
            write!(out, "{}", options.wrapped(&head, &text))?;
        }
    }
    Ok(())
}

/// What was looked at, what was not and why, and how long it took.
pub(super) fn completeness(out: &mut dyn Write, report: &Report, options: &Options) -> io::Result<()> {
    let seen = &report.completeness;
    let mut text = format!(
        "{} {}: {} parsed, {} are tests or hold nothing to look for",
        grouped(seen.files_walked),
        if seen.files_walked == 1 { "file" } else { "files" },
        grouped(seen.files_parsed),
        grouped(seen.files_prefiltered),
    );
    let mut reasons: BTreeMap<SkipReason, u32> = BTreeMap::new();
    for skipped in &seen.skipped {
        *reasons.entry(skipped.reason).or_default() += 1;
    }
    let list = |loss: bool| {
        let of_kind = reasons.iter().filter(|(reason, _)| reason.is_loss() == loss);
        of_kind.map(|(reason, count)| format!("{count} {}", reason.name())).collect::<Vec<_>>().join(", ")
    };
    let passed = list(false);
    if !passed.is_empty() {
        text.push_str(&format!("; passed over: {passed}"));
    }
    if let Some(elapsed) = options.elapsed {
        text.push_str(&format!("; {:.2} s", elapsed.as_secs_f64()));
    }
    write!(out, "{}", options.wrapped("", &text))?;
    let lost = list(true);
    if !lost.is_empty() {
        write!(out, "{}", options.wrapped("", &format!("Not looked at, or not wholly: {lost}")))?;
        let losses: Vec<_> = seen.skipped.iter().filter(|skipped| skipped.reason.is_loss()).collect();
        let most = if options.verbose { usize::MAX } else { PLACES };
        for skipped in losses.iter().take(most) {
            let path = safe(&skipped.path, options, WINDOW);
            let detail = safe(&skipped.detail, options, WINDOW);
            write!(out, "{}", options.wrapped("  ", &format!("{path}: {} ({detail})", skipped.reason.name())))?;
        }
        if losses.len() > most {
            writeln!(out, "  {} and {} more (--verbose shows all)", options.marks().more, losses.len() - most)?;
        }
    }
    if !report.suppressed.is_empty() {
        writeln!(out, "{} silenced by comments", report.suppressed.len())?;
    }
    if report.hidden > 0 {
        writeln!(out, "{} possible, not shown (--min-confidence possible shows them)", report.hidden)?;
    }
    let most = if options.verbose { usize::MAX } else { NOTICES };
    for notice in report.notices.iter().take(most) {
        write!(out, "{}", options.wrapped("note: ", &safe(notice, options, 400)))?;
    }
    if report.notices.len() > most {
        let left = report.notices.len() - most;
        writeln!(out, "{} and {left} more notes (--verbose shows all)", options.marks().more)?;
    }
    Ok(())
}

/// 1234567 as `1,234,567`.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
