//! `bizra-scan why FILE:LINE[:COL]`: the evidence, or the guard that cleared it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::{Display, WhyArgs};
use crate::command::setup::Setup;
use crate::command::{Exit, Failure, output};
use crate::finding::Evidence;
use crate::scan::Request;
use crate::source::{LineIndex, visible};
use crate::walk;
use crate::why::{Why, WhyOutcome, WhySite, why};

/// Says what is known about a line.
///
/// # Errors
/// [`Failure`] for a place that is not written as one, and a file that is not
/// among those that a scan of the root looks at.
pub fn run(args: &WhyArgs, display: &Display) -> Result<Exit, Failure> {
    let (file, line, column) = place(&args.place)?;
    let real = std::fs::canonicalize(&file)
        .map_err(|_| Failure::new(format!("no such file or folder: `{}`", file.display())))?;
    // The file is judged as a scan of its root would judge it: the folder
    // given, else the current one, else the file's own tree.
    let here = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
    let root = match &args.root {
        Some(root) => root.clone(),
        None if real.starts_with(&here) => PathBuf::from("."),
        None => walk::tree_root(real.parent().unwrap_or(&real)),
    };
    let setup = Setup::of_paths(&[root], &args.config)?;
    let path = walk::relative(&setup.walked.tree_root, &real)
        .ok_or_else(|| Failure::new(format!("`{}` does not lie below the root", file.display())))?;
    if !setup.walked.files.iter().any(|walked| walked.path == path) {
        return Err(not_walked(&setup, &file, &path));
    }
    // All files are mapped, as in a scan: handlers, layers and settings that
    // decide may stand anywhere.
    let request = Request {
        tree: setup.tree.clone(),
        walked: &setup.walked,
        rules: &setup.rules,
        settings: &setup.settings,
        threads: setup.threads,
        progress: &|_, _| {},
    };
    let known = why(&request, &path, line, column)?;
    if !display.quiet {
        output::to_stdout(|out| print(out, &known, display))?;
    }
    Ok(Exit::Passed)
}

/// Splits from the right: names may hold colons.
fn place(text: &str) -> Result<(PathBuf, u32, Option<u32>), Failure> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|&n| n > 0);
    let wrong = || {
        let help = "write FILE:LINE or FILE:LINE:COLUMN, as in src/db.ts:12".to_owned();
        Failure::with_help(format!("`{text}` names no line of a file"), Some(help))
    };
    let (rest, last) = text.rsplit_once(':').ok_or_else(wrong)?;
    let last = number(last).ok_or_else(wrong)?;
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?))) {
        Some((file, line)) if !file.is_empty() => Ok((file.into(), line, Some(last))),
        _ if !rest.is_empty() => Ok((rest.into(), last, None)),
        _ => Err(wrong()),
    }
}

fn not_walked(setup: &Setup, file: &Path, path: &str) -> Failure {
    let within = |skipped: &str| path == skipped || path.starts_with(&format!("{skipped}/"));
    let skipped = setup.walked.skipped.iter().find(|skipped| within(&skipped.path));
    let help = match skipped {
        Some(skipped) => format!("`{}` is passed over as {}: {}", skipped.path, skipped.reason.name(), skipped.detail),
        None => "it is hidden, left out by an ignore file, or has no ending that is scanned".to_owned(),
    };
    Failure::with_help(format!("`{}` is not among the files that are scanned", file.display()), Some(help))
}

fn print(out: &mut dyn Write, known: &Why, display: &Display) -> io::Result<()> {
    let lines = Lines::new(&known.sources);
    let dot = if display.ascii { "-" } else { "•" };
    writeln!(out, "{}:{}", visible(&known.path), known.line)?;
    for site in &known.sites {
        print_site(out, site, &lines, dot)?;
    }
    // The last line's end begins no line of its own.
    let count = known.sources.get(&known.path).map_or(0, |text| text.lines().count().max(1));
    let beyond = !known.unread && known.line as usize > count;
    if known.unread {
        writeln!(out, "This file could not be looked at.")?;
    } else if beyond {
        writeln!(out, "The file has {count} {}.", if count == 1 { "line" } else { "lines" })?;
    } else if known.sites.is_empty() {
        match known.readers.as_slice() {
            [] => writeln!(out, "No rule reads this file: it holds no literal that any rule looks for.")?,
            readers => writeln!(out, "No candidate on this line. Rules that read the file: {}.", readers.join(", "))?,
        }
    }
    if !beyond && known.sites.is_empty() && !known.untriggered.is_empty() && !known.readers.is_empty() {
        writeln!(out, "Rules that the file holds no trigger for: {}.", known.untriggered.join(", "))?;
    }
    for notice in &known.notices {
        writeln!(out, "{}", visible(notice))?;
    }
    Ok(())
}

fn print_site(out: &mut dyn Write, site: &WhySite, lines: &Lines<'_>, dot: &str) -> io::Result<()> {
    let rule = site.variant.as_ref().map_or_else(|| site.rule.clone(), |variant| format!("{}/{variant}", site.rule));
    let outcome = match &site.outcome {
        WhyOutcome::Reported { severity, confidence, set_in } => {
            let set = set_in.as_ref().map_or_else(String::new, |by| format!("; severity set in {}", visible(by)));
            format!("{}, {}{set}", severity.name(), format!("{confidence:?}").to_lowercase())
        }
        WhyOutcome::Off { by } => format!("off in {}", visible(by)),
        WhyOutcome::Cleared { .. } => "cleared".to_owned(),
        WhyOutcome::Suppressed { .. } => "suppressed".to_owned(),
    };
    writeln!(out, "\n{rule} ({outcome})\n  {}", visible(&site.message))?;
    for step in &site.evidence {
        print_step(out, dot, "", step, lines)?;
    }
    if let Some(assumption) = &site.assumption {
        writeln!(out, "  {dot} assumed: {}", visible(assumption))?;
    }
    match &site.outcome {
        WhyOutcome::Cleared { guard } => print_step(out, dot, "cleared: ", guard, lines),
        WhyOutcome::Suppressed { reason } => writeln!(out, "  {dot} suppressed: {}", visible(reason)),
        WhyOutcome::Reported { .. } | WhyOutcome::Off { .. } => Ok(()),
    }
}

fn print_step(out: &mut dyn Write, dot: &str, before: &str, step: &Evidence, lines: &Lines<'_>) -> io::Result<()> {
    let place = step.place.as_ref().map_or_else(String::new, |place| {
        let line = lines.of(&place.path, place.span.start);
        line.map_or_else(|| format!(" ({})", place.path), |line| format!(" ({}:{line})", place.path))
    });
    writeln!(out, "  {dot} {before}{}{}", visible(&step.message), visible(&place))
}

struct Lines<'s>(BTreeMap<&'s str, LineIndex>);

impl<'s> Lines<'s> {
    fn new(sources: &'s BTreeMap<String, String>) -> Self {
        Self(sources.iter().map(|(path, text)| (path.as_str(), LineIndex::new(text))).collect())
    }

    fn of(&self, path: &str, byte: u32) -> Option<u32> {
        self.0.get(path).map(|lines| lines.line(byte))
    }
}
