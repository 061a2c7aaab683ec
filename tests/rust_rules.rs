//! The Rust halves of the rules against their fixtures: `bad*` fires exactly
//! at its marks, `good` is silent, patches give `fixed`, which is silent.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bizra_scan::analyze::{Sink, rust};
use bizra_scan::lang::rust::Model;
use bizra_scan::observe::{Candidate, Confidence, Context, FileMap, Need, Question};
use bizra_scan::patch::apply;
use bizra_scan::source::{Language, PathClass, SourceFile};

const RULES: &[(&str, &str, &str)] = &[
    ("network", "missing-keep-alive", "client-per-call"),
    ("network", "missing-timeout", "client-timeout"),
    ("network", "sequential-awaits", "sequential-awaits"),
    ("network", "await-in-loop", "await-in-loop"),
    ("async", "blocking-in-async", "blocking-in-async"),
    ("cache", "fake-compression", "fake-compression"),
];

/// A mark: line, `rule` or `rule/variant`, `likely`.
type Mark = (u32, String, bool);

/// What the query law reads where only names tell.
const BY_NAMES: &str = "// query: names";

/// The text with its marks blanked, and the marks.
fn marks(text: &str) -> (String, BTreeSet<Mark>) {
    let text = text.replace(BY_NAMES, &" ".repeat(BY_NAMES.len()));
    let mut out = String::new();
    let mut found = BTreeSet::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let Some(at) = line.find("// expect: ") else {
            out.push_str(line);
            continue;
        };
        let words: Vec<&str> = line[at + "// expect: ".len()..].split_whitespace().collect();
        let alone = line[..at].trim().is_empty();
        let target = index as u32 + if alone { 2 } else { 1 };
        // What is possible is hidden, here too.
        if words.get(1) != Some(&"possible") {
            found.insert((target, words[0].to_owned(), words.get(1) == Some(&"likely")));
        }
        out.push_str(&line[..at]);
        out.push_str(&" ".repeat(line.trim_end_matches('\n').len() - at));
        out.push_str(if line.ends_with('\n') { "\n" } else { "" });
    }
    (out, found)
}

/// The candidates above `possible` that no guard cleared, with their rule.
fn findings(path: &str, text: &str) -> Vec<(String, Candidate)> {
    let source = SourceFile::new(path, Language::Rust, PathClass::Product, text.to_owned());
    let model = Model::parse(&source).unwrap_or_else(|e| panic!("{path}: {}", e.message));
    let mut all = Vec::new();
    for (_, rule, analysis) in RULES {
        let analysis = rust::find(analysis).expect("listed");
        let mut map = FileMap::default();
        let params = toml::Table::new();
        (analysis.run)(&model, &mut Sink::new(0, &params, &mut map));
        // What rests on another file alone is for the join to show.
        let waits = |need: &Need| {
            need.if_unknown.is_none()
                && matches!(
                    need.question,
                    Question::ReadsIo(_) | Question::ReadsOnItsOwn(_) | Question::ReadsService(_)
                )
        };
        let shown = |c: &Candidate| {
            c.cleared.is_none()
                && c.confidence > Confidence::Possible
                && c.context != Context::Test
                && !c.needs.iter().any(waits)
        };
        all.extend(map.candidates.into_iter().filter(shown).map(|c| ((*rule).to_owned(), c)));
    }
    all
}

fn shown(path: &str, text: &str) -> BTreeSet<Mark> {
    let source = SourceFile::new(path, Language::Rust, PathClass::Product, text.to_owned());
    let mark = |(rule, c): (String, Candidate)| {
        let name = match &c.variant {
            Some(variant) => format!("{rule}/{variant}"),
            None => rule,
        };
        (source.position(c.span.start).line, name, c.confidence == Confidence::Likely)
    };
    findings(path, text).into_iter().map(mark).collect()
}

fn fixtures() -> Vec<(String, String, String)> {
    let mut files = Vec::new();
    for (category, rule, _) in RULES {
        let folder = format!("fixtures/{category}/{rule}");
        for entry in fs::read_dir(&folder).expect("a folder of fixtures") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|e| e == "rs") {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                files.push((folder.clone(), name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn rules_fire_exactly_at_their_marks() {
    let mut wrong = Vec::new();
    for (folder, name, text) in fixtures() {
        let (blanked, expected) = marks(&text);
        let path = text.lines().next().and_then(|line| line.strip_prefix("// path: "));
        let found = shown(path.unwrap_or(&format!("src/{name}")), &blanked);
        let quiet = !name.starts_with("bad");
        if quiet {
            assert!(expected.is_empty(), "{folder}/{name} holds marks");
        }
        for missing in expected.difference(&found) {
            wrong.push(format!("{folder}/{name}: missing {missing:?}"));
        }
        for extra in found.difference(&expected) {
            wrong.push(format!("{folder}/{name}: extra {extra:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All patches of a file that fit together, as one pass of `fix` takes them.
fn patched(path: &str, text: &str) -> String {
    let mut edits = BTreeSet::new();
    for (_, candidate) in findings(path, text) {
        let Some(draft) = candidate.patch else { continue };
        assert_eq!(candidate.confidence, Confidence::Certain, "{path}: a patch for a likely finding");
        let mut more = edits.clone();
        more.extend(draft.edits);
        if apply(text, more.iter().map(|(span, text)| (*span, text.as_str()))).is_ok() {
            edits = more;
        }
    }
    apply(text, edits.iter().map(|(span, text)| (*span, text.as_str()))).expect("edits fit")
}

/// Lines that marks left blank are dropped.
fn without_blanks(text: &str) -> String {
    let kept = text.lines().filter(|line| line.is_empty() || !line.trim().is_empty());
    kept.map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn patches_give_fixed_and_fixed_is_silent() {
    for (folder, name, text) in fixtures() {
        if !name.starts_with("bad") {
            continue;
        }
        let (blanked, _) = marks(&text);
        let path = format!("src/{name}");
        let after = patched(&path, &blanked);
        let fixed = format!("{folder}/{}", name.replacen("bad", "fixed", 1));
        if after == blanked {
            assert!(!Path::new(&fixed).exists(), "{fixed} without a patch");
            continue;
        }
        syn::parse_file(&after).unwrap_or_else(|e| panic!("{folder}/{name} patched: {e}"));
        let left = shown(&path, &after);
        assert!(left.is_empty(), "{folder}/{name} patched: {left:?}");
        assert_eq!(patched(&path, &after), after, "{folder}/{name}: a second pass changes something");
        let after = without_blanks(&after);
        if std::env::var_os("BIZRA_BLESS").is_some() {
            fs::write(&fixed, &after).expect("written");
        }
        let wanted = fs::read_to_string(&fixed).unwrap_or_default();
        assert_eq!(after, without_blanks(&marks(&wanted).0), "{fixed}");
    }
}

#[test]
fn every_rule_has_ten_look_alikes() {
    for (category, rule, _) in RULES {
        let text = fs::read_to_string(format!("fixtures/{category}/{rule}/good.rs")).expect("good.rs");
        let shapes = text.lines().filter(|line| line.trim_start().starts_with("// ")).count();
        assert!(shapes >= 10, "{rule}: {shapes} commented shapes");
    }
}
