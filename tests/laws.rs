//! The laws that every built-in rule keeps, a test for each rule, law and
//! fixture:
//!
//! - `fires`: `bad*` gives exactly what its marks say, of any rule
//! - `silent`: `good*` gives nothing
//! - `patch`: `bad` with its patches applied is `fixed`, byte for byte
//! - `fixed`: `fixed` is silent, parses, and has nothing left to patch
//! - `unpatched`: what `bad_unpatched*` gives carries no patch
//! - `query`: query and analysis see the same places, save where a mark says
//!   that only names tell
//! - `words`: prose is complete and of one style
//! - `guards`: every guard is shown by a fixture

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stderr, clippy::type_complexity)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use bizra_scan::observe::{Confidence, FileMap};
use bizra_scan::patch::unified_diff;
use bizra_scan::pattern::{Patterns, compile, map_query};
use bizra_scan::rule::fixture::{Mark, comparable};
use bizra_scan::rule::{Rule, RuleSet, template};
use bizra_scan::scan::Request;
use bizra_scan::source::{Family, Language, SourceFile, Span};
use bizra_scan::why::{WhyOutcome, why};
use common::fixtures::{self, Fixture, lay_fixture, line, of_rule, patched, shown};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let rules = Arc::new(RuleSet::builtin().unwrap_or_else(|error| {
        eprintln!("{:?}", miette::Report::new_boxed(error));
        std::process::exit(101);
    }));
    let mut trials = Vec::new();
    for rule in &rules.rules {
        for (group, files) in of_rule(rule) {
            trials.extend(fixture_laws(&rules, rule, &group, &files));
        }
        trial(&mut trials, &rules, rule, "words", |_, rule| words(rule));
        trial(&mut trials, &rules, rule, "guards", guards);
        trial(&mut trials, &rules, rule, "fixtures", |_, rule| has_fixtures(rule));
        trial(&mut trials, &rules, rule, "compiles", |_, rule| compiles(rule));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

type Law = fn(&RuleSet, &Rule) -> Result<(), String>;

fn trial(trials: &mut Vec<Trial>, rules: &Arc<RuleSet>, rule: &Rule, law: &str, run: Law) {
    let (rules, rule) = (rules.clone(), rule.clone());
    let name = format!("{}::{law}", rule.id);
    trials.push(Trial::test(name, move || run(&rules, &rule).map_err(Failed::from)));
}

fn fixture_laws(rules: &Arc<RuleSet>, rule: &Rule, group: &str, files: &[Fixture]) -> Vec<Trial> {
    let first = &files[0];
    let mut laws: Vec<(&str, fn(&RuleSet, &Rule, &[Fixture]) -> Result<(), String>)> = Vec::new();
    if first.is_bad() {
        laws.push(("fires", fires));
        laws.push(("query", query));
        if first.stem() == "bad_unpatched" {
            laws.push(("unpatched", unpatched));
        }
        if first.stem() == "bad" && files.len() == 1 {
            laws.push(("patch", patch));
        }
    } else if first.is_good() {
        laws.push(("silent", fires));
        laws.push(("query", query));
    } else if first.stem() == "fixed" {
        laws.push(("fixed", fixed));
    }
    let trials = laws.into_iter().map(|(law, run)| {
        let (rules, rule, files) = (rules.clone(), rule.clone(), files.to_vec());
        Trial::test(format!("{}::{law}::{group}", rule.id), move || run(&rules, &rule, &files).map_err(Failed::from))
    });
    trials.collect()
}

fn told(faults: Vec<String>) -> Result<(), String> {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// What is found is what the marks say; `possible` findings need no mark.
fn fires(rules: &RuleSet, rule: &Rule, files: &[Fixture]) -> Result<(), String> {
    let report = lay_fixture(files).scan(rules);
    let mut faults = Vec::new();
    for file in files {
        if file.is_good()
            && file
                .marked
                .marks
                .iter()
                .any(|mark| mark.rule == rule.id && mark.confidence != Some(Confidence::Possible))
        {
            faults.push(format!("{} is good and expects `{}`", file.name, rule.id));
        }
        if file.is_bad() && files.len() == 1 && file.marked.marks.is_empty() {
            faults.push(format!("{} expects nothing", file.name));
        }
        let text = &file.marked.text;
        let here: Vec<_> = report.findings.iter().filter(|finding| finding.place.path == file.path).collect();
        let fits = |mark: &Mark, finding: &bizra_scan::finding::Finding| {
            mark.line == line(text, finding.place.span.start)
                && mark.rule == finding.rule
                && mark.variant == finding.variant
                && mark.confidence.unwrap_or(Confidence::Certain) == finding.confidence
        };
        for mark in &file.marked.marks {
            if here.iter().filter(|finding| fits(mark, finding)).count() != 1 {
                faults.push(format!("{}:{}: {mark:?} is not found once", file.name, mark.line));
            }
        }
        for finding in here {
            let marked = file.marked.marks.iter().any(|mark| fits(mark, finding));
            if !marked && finding.confidence >= Confidence::Likely {
                let variant = finding.variant.as_deref().unwrap_or("-");
                faults.push(format!(
                    "{}:{}: {}/{variant} ({:?}) without a mark: {}; {}",
                    file.name,
                    line(text, finding.place.span.start),
                    finding.rule,
                    finding.confidence,
                    finding.message,
                    finding.assumption.as_deref().unwrap_or("")
                ));
            }
            faults.extend(unfilled(finding).map(|text| format!("{}: not filled: {text}", file.name)));
        }
    }
    faults.extend(lost(&report));
    told(faults)
}

/// Texts of a finding in which a template's name was left.
fn unfilled(finding: &bizra_scan::finding::Finding) -> impl Iterator<Item = String> + '_ {
    let name = regex::Regex::new(r"\{[a-z_]+\}").expect("a pattern");
    let patch = finding.patch.iter().flat_map(|patch| [&patch.title, &patch.changes]);
    let evidence = finding.evidence.iter().chain(&finding.labels).map(|step| &step.message);
    let texts = [&finding.title, &finding.message, &finding.impact].into_iter();
    let texts = texts.chain(&finding.assumption).chain(evidence).chain(patch);
    texts.filter(move |text| name.is_match(text)).cloned().collect::<Vec<_>>().into_iter()
}

fn lost(report: &bizra_scan::report::Report) -> Vec<String> {
    report
        .completeness
        .skipped
        .iter()
        .map(|s| format!("{} was skipped: {} {}", s.path, s.reason.name(), s.detail))
        .collect()
}

fn patch(rules: &RuleSet, rule: &Rule, files: &[Fixture]) -> Result<(), String> {
    let [bad] = files else { return Ok(()) };
    let fixed_name = bad.name.replacen("bad", "fixed", 1);
    let all = of_rule(rule);
    let fixed = all.get(&fixed_name).map(|files| &files[0]);
    let result = patched(rules, &rule.id, bad)?;
    match fixed {
        None if result == bad.marked.text => Ok(()),
        None => Err(format!("{} has patches, but there is no {fixed_name}", bad.name)),
        Some(fixed) => {
            let (wanted, result) = (comparable(&fixed.marked.text), comparable(&result));
            if wanted == result { Ok(()) } else { Err(unified_diff(&fixed_name, &wanted, &result)) }
        }
    }
}

fn fixed(rules: &RuleSet, rule: &Rule, files: &[Fixture]) -> Result<(), String> {
    let report = lay_fixture(files).scan(rules);
    let marks: Vec<&Mark> = files.iter().flat_map(|file| &file.marked.marks).collect();
    let mut faults = lost(&report);
    if !marks.is_empty() {
        faults.push("fixed holds marks".to_owned());
    }
    faults.extend(shown(&report).map(|f| format!("byte {}: {} {}", f.place.span.start, f.rule, f.message)));
    for file in files {
        if comparable(&patched(rules, &rule.id, file)?) != comparable(&file.marked.text) {
            faults.push(format!("{} has something left to patch", file.name));
        }
    }
    told(faults)
}

fn unpatched(rules: &RuleSet, rule: &Rule, files: &[Fixture]) -> Result<(), String> {
    let report = lay_fixture(files).scan(rules);
    let with_patch = report.findings.iter().filter(|finding| finding.rule == rule.id && finding.patch.is_some());
    told(with_patch.map(|finding| format!("byte {} has a patch", finding.place.span.start)).collect())
}

/// The stand-in's hits are the analysis' findings, save on marked lines.
fn query(rules: &RuleSet, rule: &Rule, files: &[Fixture]) -> Result<(), String> {
    let report = lay_fixture(files).scan(rules);
    let mut faults = Vec::new();
    for file in files {
        let family = file.language.family();
        let Some(detection) = rule.detection(family) else { continue };
        if detection.query.is_none() || detection.analysis.is_none() {
            continue;
        }
        let grammars = match family {
            Family::TypeScript => vec![file.language, Language::Tsx],
            Family::Rust => vec![Language::Rust],
        };
        let text = &file.marked.text;
        let here = || {
            let own = report.findings.iter().filter(|f| f.rule == rule.id && f.place.path == file.path);
            own.filter(|f| f.confidence >= Confidence::Likely)
        };
        let all: BTreeSet<Span> = here().map(|f| f.place.span).collect();
        for language in grammars {
            let source = SourceFile::new(&*file.path, language, file_class(file), text.clone());
            let mut map = FileMap::default();
            let index = rules.rules.iter().position(|other| other.id == rule.id).unwrap_or_default();
            let patterns = Patterns::new(rules);
            map_query(&source, &[(index, detection, rule)], &patterns, &mut map).map_err(|e| e.to_string())?;
            let hits: BTreeSet<Span> = map.candidates.iter().map(|candidate| candidate.span).collect();
            // A query stands in for the shape without a variant and for the variants that it sets.
            let text_of = detection.query.as_deref().unwrap_or_default();
            let compiled = compile(language, text_of).map_err(|e| e.to_string())?;
            let covered = |variant: Option<&str>| variant.is_none_or(|v| compiled.variants().any(|set| set == v));
            let wanted: BTreeSet<Span> =
                here().filter(|f| covered(f.variant.as_deref())).map(|f| f.place.span).collect();
            let by_names = |span: &Span| file.marked.by_names.contains(&line(text, span.start));
            let place =
                |span: &Span| format!("{}:{} {:?}", file.name, line(text, span.start), head(&text[span.range()]));
            let unseen = wanted.difference(&hits).filter(|span| !by_names(span));
            faults.extend(unseen.map(|span| format!("{} is seen by the analysis alone ({language:?})", place(span))));
            let extra = hits.difference(&all).filter(|span| !by_names(span));
            faults.extend(extra.map(|span| format!("{} is seen by the query alone ({language:?})", place(span))));
        }
    }
    told(faults)
}

fn head(text: &str) -> String {
    text.chars().take(60).collect()
}

fn file_class(file: &Fixture) -> bizra_scan::source::PathClass {
    bizra_scan::source::PathClass::of_path(&file.path)
}

fn compiles(rule: &Rule) -> Result<(), String> {
    let mut faults = Vec::new();
    for language in [Language::TypeScript, Language::Tsx, Language::Rust] {
        let query = rule.detection(language.family()).and_then(|detection| detection.query.as_deref());
        let Some(query) = query else { continue };
        match compile(language, query) {
            Ok(compiled) => {
                let unknown = compiled.variants().filter(|name| !rule.variant.contains_key(*name));
                faults.extend(unknown.map(|name| format!("the query sets the unknown variant `{name}`")));
                faults.extend(values_missing(rule, &compiled, language));
            }
            Err(error) => {
                faults.push(format!("{language:?}: {error} at byte {}: {}", error.offset, head(&query[error.offset..])))
            }
        }
    }
    told(faults)
}

/// A stand-in must give every value that the message and the impact name.
fn values_missing(rule: &Rule, compiled: &bizra_scan::pattern::Compiled, language: Language) -> Vec<String> {
    let Some(detection) = rule.detection(language.family()) else { return Vec::new() };
    let mut known: BTreeSet<&str> = detection.values.keys().map(String::as_str).collect();
    known.extend(compiled.set_values());
    known.extend(["context", "symbol", "file"]);
    let mut variants: BTreeSet<Option<&str>> = compiled.variants().map(Some).collect();
    if variants.is_empty() {
        variants.insert(None);
    }
    let mut missing = Vec::new();
    for variant in variants {
        for text in [rule.message(variant), rule.impact(variant)] {
            let names = template::names(text).unwrap_or_default();
            let unknown = names.into_iter().filter(|name| !known.contains(name));
            missing.extend(unknown.map(|name| format!("{language:?}: the query gives no `{name}` for: {text}")));
        }
    }
    missing
}

fn has_fixtures(rule: &Rule) -> Result<(), String> {
    let all = of_rule(rule);
    let mut faults = Vec::new();
    for (family, endings) in [(Family::TypeScript, &["ts", "tsx", "js"][..]), (Family::Rust, &["rs"][..])] {
        if rule.detection(family).is_none() {
            continue;
        }
        let any = |stem: &str| {
            all.keys()
                .any(|name| name.starts_with(stem) && endings.iter().any(|e| name.ends_with(e) || !name.contains('.')))
        };
        for stem in ["bad", "good"] {
            if !any(stem) {
                faults.push(format!("there is no {stem} fixture for {family:?}"));
            }
        }
    }
    told(faults)
}

/// Every guard of the rule clears something in one of its fixtures.
fn guards(rules: &RuleSet, rule: &Rule) -> Result<(), String> {
    let mut unseen: BTreeSet<&str> = rule.guards.keys().map(String::as_str).collect();
    let all = of_rule(rule);
    for files in all.values() {
        for map in lay_fixture(files).maps(rules) {
            for candidate in map.candidates.iter().filter(|candidate| rules.rules[candidate.rule].id == rule.id) {
                if let Some(step) = &candidate.cleared {
                    unseen.remove(step.key.as_ref());
                }
            }
        }
    }
    // Guards that only the join sees are told by their words.
    if !unseen.is_empty() {
        let words = cleared_words(rules, rule, &all.into_values().collect::<Vec<_>>());
        unseen.retain(|key| {
            let fixed_part = rule.guards[*key].split('{').next().unwrap_or_default();
            !words.iter().any(|told| !fixed_part.is_empty() && told.starts_with(fixed_part))
        });
    }
    // Those that wait for a fixture are listed, so that no other joins them
    // unnoticed and none stays listed once it is shown.
    let waiting = include_str!("../fixtures/guards-without-fixture.txt");
    let prefix = format!("{} ", rule.id);
    let waiting: BTreeSet<&str> = waiting.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).collect();
    let new = unseen.difference(&waiting).map(|key| format!("no fixture shows the guard `{key}`"));
    let shown = waiting.difference(&unseen).map(|key| format!("the guard `{key}` is shown now: take it off the list"));
    told(new.chain(shown).collect())
}

fn cleared_words(rules: &RuleSet, rule: &Rule, all: &[Vec<Fixture>]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let settings = fixtures::everything();
    for files in all {
        let laid = lay_fixture(files);
        let request: Request<'_> = laid.request(rules, &settings);
        for file in files {
            for line in 1..=file.marked.text.lines().count() as u32 {
                let Ok(known) = why(&request, &file.path, line, None) else { continue };
                for site in known.sites.iter().filter(|site| site.rule == rule.id) {
                    if let WhyOutcome::Cleared { guard } = &site.outcome {
                        words.insert(guard.message.clone());
                    }
                }
            }
        }
    }
    words
}

/// Prose is complete and of one style.
fn words(rule: &Rule) -> Result<(), String> {
    let mut faults = Vec::new();
    let mut phrase = |what: &str, text: &str, limit: usize| {
        let first = text.chars().next();
        let proper = text
            .split([' ', ',', '.'])
            .next()
            .is_some_and(|word| word.chars().filter(|c| c.is_uppercase()).count() > 1);
        if first.is_none_or(char::is_uppercase) && !proper && !text.starts_with("Promise") && !text.starts_with("Node")
        {
            faults.push(format!("{what} begins in lower case: {text}"));
        }
        if text.trim_end().ends_with('.') {
            faults.push(format!("{what} has no full stop: {text}"));
        }
        if text.chars().count() > limit {
            faults.push(format!("{what} has more than {limit} characters: {text}"));
        }
    };
    let variants = || rule.variant.keys().map(|name| Some(name.as_str())).chain([None]);
    for variant in variants() {
        phrase("a title", rule.title(variant), 80);
        phrase("a message", rule.message(variant), 120);
    }
    for (key, text) in &rule.report.labels {
        phrase(&format!("the label `{key}`"), text, 60);
    }
    for (table, texts) in [("evidence", &rule.evidence), ("guards", &rule.guards), ("assumptions", &rule.assumptions)] {
        for (key, text) in texts {
            phrase(&format!("[{table}] {key}"), text, 240);
        }
    }
    for (key, patch) in &rule.patch {
        phrase(&format!("the title of the patch `{key}`"), &patch.title, 80);
    }
    let mut sentence = |what: &str, text: &str| {
        if text.trim().is_empty() {
            faults.push(format!("{what} is empty"));
        } else if !text.trim_end().ends_with(['.', '?', '`', ')']) {
            faults.push(format!("{what} is sentences, with a full stop: {text}"));
        }
    };
    sentence("[docs] why", &rule.docs.why);
    sentence("[docs] when_not", &rule.docs.when_not);
    for (key, patch) in &rule.patch {
        sentence(&format!("the changes of the patch `{key}`"), &patch.changes);
    }
    for variant in variants() {
        sentence("an impact", rule.impact(variant));
    }
    if rule.docs.sources.is_empty() {
        faults.push("there are no sources".to_owned());
    }
    if rule.verify.cure.is_empty() || rule.verify.measure.is_empty() {
        faults.push("[verify] wants a cure and a measure".to_owned());
    }
    if rule.effort_minutes == 0 {
        faults.push("no fix takes no time".to_owned());
    }
    told(faults)
}
