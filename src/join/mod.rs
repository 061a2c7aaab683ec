//! From the candidates and observations of all files to findings.
//!
//! Sees everything and reads no code: it closes what one file could not tell
//! ([`close`], [`needs`]), makes findings of what matters only together
//! ([`pools`], [`blocking`]), and alone decides severity, confidence and silence.

pub mod apps;
pub mod blocking;
pub mod close;
pub mod files;
pub mod lookup;
pub mod needs;
pub mod open;
pub mod patches;
pub mod pools;
pub mod reach;
pub mod routed;
pub mod unnamed;
pub mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::config::{self, Level, Settings};
use crate::facts::Facts;
use crate::finding::{Evidence, Finding, Place, Severity};
use crate::identity::{self, Subject};
use crate::map::Mapped;
use crate::observe::{Candidate, Confidence, Context};
use crate::report::Suppressed;
use crate::rule::RuleSet;
use crate::score::{self, Reach};
use crate::source::{Family, PathClass, Span};
use crate::suppress::{Selector, Standing, Suppressions};

pub use close::{Closed, close};
pub use files::Files;
pub use open::Open;
pub use reach::Reached;
pub use routed::Routed;

/// What the join reads.
pub struct Join<'j> {
    /// The mapped files.
    pub files: &'j Files,
    /// What the repository around them says.
    pub facts: &'j Facts,
    /// The rules.
    pub rules: &'j RuleSet,
    /// Configuration and command line.
    pub settings: &'j Settings,
    /// The scan's root relative to the tree's root, empty or `a/b`.
    pub prefix: &'j str,
    /// What handlers call in other files, once something asks for it.
    pub reached: OnceLock<Reached>,
    /// What routers of other files are given, once something asks for it.
    pub routed: OnceLock<Routed>,
}

/// What the join makes.
#[derive(Default)]
pub struct Joined {
    /// Findings to show, in no order.
    pub findings: Vec<Finding>,
    /// Findings that a comment silenced.
    pub suppressed: Vec<Suppressed>,
    /// Findings that are not shown for their confidence.
    pub hidden: u32,
    /// Severities of findings, certain and likely, that are not shown for it.
    pub milder: Vec<Severity>,
    /// Remarks on suppressions.
    pub notices: Vec<String>,
}

/// A finding with what is still needed of its candidate.
struct Made {
    finding: Finding,
    closed: Closed,
}

/// The findings with their patches, in their order.
fn patched(join: &Join<'_>, made: Vec<Made>) -> Vec<Finding> {
    let patches = patches::patches(join, &made.iter().map(|one| &one.closed).collect::<Vec<_>>());
    made.into_iter().zip(patches).map(|(made, patch)| Finding { patch, ..made.finding }).collect()
}

impl Join<'_> {
    /// Files that must be mapped before all needs can be closed. `open` holds
    /// the candidates that may ask for more, from one round to the next.
    pub fn wanted(&self, open: &mut Open) -> BTreeSet<String> {
        let mut wanted = BTreeSet::new();
        let mut sought = BTreeSet::new();
        let asking = open.candidates(self.files);
        let closed = self.close_all(asking.iter().map(|&(path, _, candidate)| (path, candidate)).collect());
        let asks = |closed: &Closed| closed.seeks_handler || !closed.wanted.is_empty();
        let still = asking.iter().zip(&closed).filter(|(_, closed)| asks(closed));
        *open = Open::of(still.map(|(&(path, index, _), _)| (path, index)));
        for closed in closed {
            let path = closed.path.as_str();
            wanted.extend(closed.wanted);
            if closed.seeks_handler {
                sought.extend(self.facts.packages.nearest(path).map(|package| package.folder.clone()));
            }
        }
        // Where a router is given functions, their crates' other files show.
        let routes = |file: &&Mapped| file.handles && file.source.language.family() == Family::Rust;
        wanted.extend(self.files.iter().filter(routes).map(|file| file.source.path.clone()));
        wanted.extend(self.handling(&sought));
        wanted.extend(pools::wanted(self));
        wanted.retain(|path| !self.files.holds(path));
        wanted
    }

    /// Files that no rule concerns, but which may hold the handlers of a
    /// package among `packages` (folders), or lie on the way from one.
    fn handling(&self, packages: &BTreeSet<String>) -> Vec<String> {
        if packages.is_empty() {
            return Vec::new();
        }
        let in_package = |path: &str| self.facts.packages.nearest(path).is_some_and(|p| packages.contains(&p.folder));
        let handling = self.files.iter().filter(|file| file.handles).map(|file| &file.source.path);
        let passed = self.reached.get().into_iter().flat_map(|reached| &reached.unmapped);
        handling.chain(passed).filter(|path| in_package(path)).cloned().collect()
    }

    /// The findings of all files.
    pub fn findings(&self) -> Joined {
        let mut made = self.made();
        drop_ends(&mut made);
        self.yield_places(&mut made);
        self.identify(&mut made);
        self.silence(made)
    }

    /// All candidates, closed: what the files show and what the pools give.
    pub fn closed(&self) -> Vec<Closed> {
        let elsewhere: Vec<_> = pools::join(self).into_iter().chain(blocking::join(self)).collect();
        let elsewhere = elsewhere.iter().map(|(path, candidate)| (path.as_str(), candidate));
        let mut closed = self.close_all(self.files.candidates().chain(elsewhere).collect());
        unnamed::lower(self, &mut closed);
        apps::lower(self, &mut closed);
        closed
    }

    /// Closes candidates side by side, in their order.
    fn close_all(&self, candidates: Vec<(&str, &Candidate)>) -> Vec<Closed> {
        // Worked out by all threads before any of them would wait for it.
        if candidates.iter().any(|(_, candidate)| candidate.seeks_handler()) {
            self.reached();
        }
        candidates.into_par_iter().map(|(path, candidate)| close(self, path, candidate)).collect()
    }

    /// What handlers reach; see [`Reached`].
    pub fn reached(&self) -> &Reached {
        self.reached.get_or_init(|| Reached::of(self.files, self.facts))
    }

    /// What routers are given; see [`Routed`].
    pub fn routed(&self) -> &Routed {
        self.routed.get_or_init(|| Routed::of(self.files, self.facts))
    }

    fn made(&self) -> Vec<Made> {
        let mut made: Vec<Made> = self
            .closed()
            .into_par_iter()
            .filter(|closed| closed.candidate.cleared.is_none() && self.counts(closed.candidate.context))
            .map(|closed| Made { finding: write::finding(self, &closed), closed })
            .collect();
        made.sort_by(|a, b| place_of(a).cmp(&place_of(b)));
        // One rule says one thing of one place.
        made.dedup_by(|a, b| place_of(a) == place_of(b) && a.finding.variant == b.finding.variant);
        made
    }

    /// Tests are left out unless asked for; what builds the project always is.
    fn counts(&self, context: Context) -> bool {
        match context {
            Context::Test => self.settings.gate.include_tests,
            Context::Build => false,
            _ => true,
        }
    }

    /// Of two rules at one primary node, the one that yields is told as
    /// related of the other.
    fn yield_places(&self, made: &mut Vec<Made>) {
        let mut yielded: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (loser, one) in made.iter().enumerate() {
            let rule = &self.rules.rules[one.closed.candidate.rule];
            // They are sorted by place.
            let from = made.partition_point(|other| other.finding.place < one.finding.place);
            let here = made[from..].iter().take_while(|other| other.finding.place == one.finding.place);
            let winner = here.enumerate().find_map(|(index, other)| {
                let wins = rule.yields_to.contains(&other.finding.rule)
                    && other.finding.confidence >= one.finding.confidence.min(Confidence::Likely);
                wins.then_some(from + index)
            });
            if let Some(winner) = winner {
                yielded.entry(winner).or_default().push(loser);
            }
        }
        for (&winner, losers) in &yielded {
            for &loser in losers {
                let related = Evidence {
                    message: made[loser].finding.message.clone(),
                    place: Some(made[loser].finding.place.clone()),
                };
                made[winner].finding.related.push(related);
            }
        }
        let losers: BTreeSet<usize> = yielded.into_values().flatten().collect();
        let mut index = 0;
        made.retain(|_| {
            index += 1;
            !losers.contains(&(index - 1))
        });
    }

    fn identify(&self, made: &mut [Made]) {
        let subjects: Vec<Subject<'_>> = made
            .iter()
            .map(|one| Subject {
                rule: &one.finding.rule,
                variant: one.finding.variant.as_deref(),
                path: &one.finding.place.path,
                symbol: &one.finding.symbol,
                text: self.files.source(&one.closed.path).map_or("", |s| s.slice(one.closed.candidate.span)),
                span: one.closed.candidate.span,
            })
            .collect();
        let identities = identity::identify(&subjects);
        for (one, (anchors, id)) in made.iter_mut().zip(identities) {
            one.finding.anchors = anchors;
            one.finding.id = id;
        }
    }

    /// Comments and configuration have their say, then the confidence.
    fn silence(&self, made: Vec<Made>) -> Joined {
        let mut joined = Joined::default();
        let (mut shown, mut suppressed) = (Vec::new(), Vec::new());
        let gate = &self.settings.gate;
        let mut comments: BTreeMap<&str, Suppressions> = self.files.suppressions().collect();
        for Made { mut finding, closed } in made {
            match self.settings.level(&closed.path, &finding.rule, finding.variant.as_deref()) {
                Level::Off => continue,
                Level::At(severity) => finding.severity = severity,
                Level::On => {}
            }
            let reach = Reach {
                context: finding.context,
                request_path_by_name: closed.candidate.request_path_by_name.is_some(),
            };
            finding.priority = score::priority(finding.severity, finding.confidence, reach);
            let source = self.files.source(&closed.path);
            let line = |byte| source.map_or(1, |source| source.lines().line(byte));
            let lines = (line(finding.place.span.start), line(finding.place.span.end));
            let reason = comments.get_mut(closed.path.as_str()).and_then(|comments| {
                comments.matches(&finding.rule, finding.variant.as_deref(), lines, self.settings.today)
            });
            if let Some(reason) = reason {
                suppressed.push((Made { finding, closed }, reason));
            } else if finding.confidence < gate.min_confidence {
                joined.hidden += 1;
            } else if finding.severity < gate.min_severity {
                joined.milder.extend((finding.confidence > Confidence::Possible).then_some(finding.severity));
            } else {
                shown.push(Made { finding, closed });
            }
        }
        // Patches are checked by parsing: only those that somebody sees are made.
        joined.findings = patched(self, shown);
        let (silenced, reasons): (Vec<Made>, Vec<String>) = suppressed.into_iter().unzip();
        let silenced = patched(self, silenced).into_iter().zip(reasons);
        joined.suppressed = silenced.map(|(finding, reason)| Suppressed { finding, reason }).collect();
        for (path, comments) in &comments {
            let shown = write::shown(self.prefix, path);
            let standing = |selector: &Selector| self.standing(path, selector);
            joined.notices.extend(comments.notices(&shown, self.settings.today, &standing));
        }
        joined
    }

    /// What a rule that a suppression names is to its file; where its findings
    /// are left out, nobody can say that the suppression is unused.
    fn standing(&self, path: &str, selector: &Selector) -> Standing {
        if let Err(unknown) = config::check(selector, self.rules) {
            return Standing::Unknown(unknown.near);
        }
        let in_test = self.files.source(path).is_some_and(|source| source.class == PathClass::Test);
        let off = self.settings.level(path, &selector.rule, selector.variant.as_deref()) == Level::Off;
        if off || in_test && !self.settings.gate.include_tests { Standing::Off } else { Standing::On }
    }
}

/// A run of waits that is the end of another one of the same rule is told with
/// that one.
fn drop_ends(made: &mut Vec<Made>) {
    let place = |one: &Made, at: Span| (one.closed.candidate.rule, one.closed.path.clone(), at);
    let mut ends: BTreeMap<(usize, String, Span), Confidence> = BTreeMap::new();
    for one in made.iter() {
        let candidate = &one.closed.candidate;
        for (at, key) in &candidate.labels {
            if matches!(key.as_ref(), "later" | "also-waits") {
                let told = ends.entry(place(one, *at)).or_insert(candidate.confidence);
                *told = (*told).max(candidate.confidence);
            }
        }
    }
    made.retain(|one| {
        let own = one.closed.candidate.confidence;
        let told = ends.get(&place(one, one.closed.candidate.span));
        told.is_none_or(|&told| told < own.min(Confidence::Likely))
    });
}

fn place_of(made: &Made) -> (&Place, &str) {
    (&made.finding.place, &made.finding.rule)
}

/// Severity of a candidate in a context, before configuration.
pub fn severity(rules: &RuleSet, candidate: &Candidate, context: Context) -> Severity {
    let rule = &rules.rules[candidate.rule];
    rule.severity.of(rule.base(candidate.variant.as_deref()), context, &candidate.values)
}
