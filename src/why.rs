//! What is known about one line: the evidence, or the guard that cleared it.

use std::collections::BTreeMap;

use crate::config::Level;
use crate::finding::{Evidence, Finding, Place, Severity};
use crate::join::write;
use crate::map::{Look, Mapped};
use crate::observe::{Confidence, Context};
use crate::scan::{MappedTree, Request, ScanError, map_all, workers};
use crate::source::{PathClass, Span};

/// What is known about one line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Why {
    /// The file, relative to the tree's root.
    pub path: String,
    /// The 1-based line.
    pub line: u32,
    /// Candidates whose primary node includes the place, in source order.
    pub sites: Vec<WhySite>,
    /// Rules that read the file; empty where it holds no trigger.
    pub readers: Vec<String>,
    /// Rules of the file's language whose triggers it does not hold.
    pub untriggered: Vec<String>,
    /// The file could not be looked at, for a reason that the remarks give.
    pub unread: bool,
    /// Remarks: a syntax error, a test's path, a rule that is off.
    pub notices: Vec<String>,
    /// Texts of the files that places point into, by path.
    pub sources: BTreeMap<String, String>,
}

/// One candidate with what became of it.
#[derive(Clone, PartialEq, Debug)]
pub struct WhySite {
    /// Rule id.
    pub rule: String,
    /// The rule's variant.
    pub variant: Option<String>,
    /// The filled message.
    pub message: String,
    /// The primary place.
    pub place: Place,
    /// What became of it.
    pub outcome: WhyOutcome,
    /// Evidence in order.
    pub evidence: Vec<Evidence>,
    /// The named assumption, where there is one.
    pub assumption: Option<String>,
}

/// What became of a candidate.
#[derive(Clone, PartialEq, Debug)]
pub enum WhyOutcome {
    /// Reported.
    Reported {
        /// What it costs.
        severity: Severity,
        /// How sure.
        confidence: Confidence,
        /// The configuration that sets the severity, where one does.
        set_in: Option<String>,
    },
    /// The configuration has the rule or the variant off here.
    Off {
        /// The configuration.
        by: String,
    },
    /// A guard cleared it.
    Cleared {
        /// The guard's words, and where it is seen.
        guard: Evidence,
    },
    /// A comment or the configuration silenced it.
    Suppressed {
        /// The reason given.
        reason: String,
    },
}

/// What is known about `line` (1-based) of `path` (relative to the tree's
/// root), narrowed to `column` (1-based, in Unicode scalar values) where given.
///
/// # Errors
/// [`ScanError`] where nothing could be scanned, or the path is none of the
/// walked files.
pub fn why(request: &Request<'_>, path: &str, line: u32, column: Option<u32>) -> Result<Why, ScanError> {
    let Some(walked) = request.walked.files.iter().find(|file| file.path == path) else {
        return Err(ScanError::NotWalked(path.to_owned()));
    };
    // Tests are only read where they count, or are asked about.
    let mut settings = request.settings.clone();
    settings.gate.include_tests |= walked.class == PathClass::Test;
    let whole = Request { settings: &settings, tree: request.tree.clone(), ..*request };
    let mapped = map_all(&whole, &workers(&whole)?)?;
    let Some(file) = mapped.files.get(path) else { return Err(ScanError::NotWalked(path.to_owned())) };
    let join = mapped.join(request);
    let joined = join.findings();
    let suppressed = |place: &Place, rule: &str| {
        let hit = joined.suppressed.iter().find(|s| s.finding.place == *place && s.finding.rule == rule);
        hit.map(|s| s.reason.clone())
    };
    let mut sites = Vec::new();
    for closed in join.closed().iter().filter(|closed| closed.path == path) {
        if !covers(file, closed.candidate.span, line, column) {
            continue;
        }
        let finding = write::finding(&join, closed);
        let outcome = match (write::guard(&join, closed), suppressed(&finding.place, &finding.rule)) {
            (Some(guard), _) => WhyOutcome::Cleared { guard },
            (None, Some(reason)) => WhyOutcome::Suppressed { reason },
            (None, None) => configured(request, path, &finding),
        };
        sites.push(WhySite {
            rule: finding.rule,
            variant: finding.variant,
            message: finding.message,
            place: finding.place,
            outcome,
            evidence: finding.evidence,
            assumption: finding.assumption,
        });
    }
    Ok(Why {
        path: write::shown(&request.walked.prefix, path),
        line,
        sources: sources(request, &mapped, path, &sites),
        sites,
        readers: file.rules.iter().map(|&rule| request.rules.rules[rule].id.clone()).collect(),
        untriggered: untriggered(request, file),
        unread: file.look == Look::Skipped,
        notices: notices(request, &mapped, file, walked.class),
    })
}

/// What the configuration makes of a finding that nothing clears.
fn configured(request: &Request<'_>, path: &str, finding: &Finding) -> WhyOutcome {
    let by = || request.settings.source(path).unwrap_or_default().to_owned();
    let (severity, set_in) = match request.settings.level(path, &finding.rule, finding.variant.as_deref()) {
        Level::Off => return WhyOutcome::Off { by: by() },
        Level::At(severity) => (severity, Some(by())),
        Level::On => (finding.severity, None),
    };
    WhyOutcome::Reported { severity, confidence: finding.confidence, set_in }
}

/// A candidate is about every line that its primary node covers.
fn covers(file: &Mapped, span: Span, line: u32, column: Option<u32>) -> bool {
    let (start, end) = (file.source.position(span.start), file.source.position(span.end));
    let within = (start.line..=end.line).contains(&line);
    let after = |column: u32| line > start.line || column >= start.column;
    let before = |column: u32| line < end.line || column < end.column;
    within && column.is_none_or(|column| after(column) && before(column))
}

fn untriggered(request: &Request<'_>, file: &Mapped) -> Vec<String> {
    let rules = request.rules.rules.iter().enumerate();
    let looked_for = rules.filter(|(_, rule)| request.settings.may_run(&rule.id));
    let of_language = looked_for.filter(|(_, rule)| rule.reads(file.source.language));
    of_language.filter(|(index, _)| !file.rules.contains(index)).map(|(_, rule)| rule.id.clone()).collect()
}

fn notices(request: &Request<'_>, mapped: &MappedTree, file: &Mapped, class: PathClass) -> Vec<String> {
    let mut notices = Vec::new();
    if let Some((reason, detail)) = &file.skipped {
        notices.push(format!("{}: {detail}", reason.name()));
    }
    if file.look == Look::Prefiltered {
        notices.push("the file holds no literal that a rule looks for, so it was not parsed".to_owned());
    }
    let rules = request.rules.rules.iter().filter(|rule| rule.reads(file.source.language));
    let off = rules.filter(|rule| !request.settings.may_run(&rule.id)).map(|rule| rule.id.as_str());
    let off: Vec<&str> = off.collect();
    if let (false, Some(by)) = (off.is_empty(), request.settings.source(&file.source.path)) {
        notices.push(format!("off in {by}: {}", off.join(", ")));
    }
    let in_test = mapped.files.candidates().any(|(path, c)| path == file.source.path && c.context == Context::Test);
    if (in_test || class == PathClass::Test) && !request.settings.gate.include_tests {
        notices.push("tests, fixtures and examples are left out without --include-tests".to_owned());
    }
    notices
}

fn sources(request: &Request<'_>, mapped: &MappedTree, path: &str, sites: &[WhySite]) -> BTreeMap<String, String> {
    let prefix = &request.walked.prefix;
    let steps = sites.iter().flat_map(|site| {
        site.evidence.iter().chain(match &site.outcome {
            WhyOutcome::Cleared { guard } => Some(guard),
            _ => None,
        })
    });
    let places = steps.filter_map(|step| Some(step.place.as_ref()?.path.clone()));
    let all = places.chain([write::shown(prefix, path)]);
    all.filter_map(|shown| {
        let text = crate::scan::text_of(request, mapped, &shown)?;
        Some((shown, text))
    })
    .collect()
}
