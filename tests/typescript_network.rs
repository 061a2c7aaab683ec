//! The analyses of HTTP clients and database pools on their fixtures: bad
//! fires exactly at the marks, good is silent, a patch gives fixed.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bizra_scan::analyze::{Sink, typescript};
use bizra_scan::lang::typescript::Model;
use bizra_scan::observe::{Candidate, Confidence, FileMap, Question};
use bizra_scan::patch;
use bizra_scan::rule::RuleSet;
use bizra_scan::source::{Family, Language, PathClass, SourceFile};

const RULES: [(&str, &str); 3] =
    [("network", "missing-keep-alive"), ("network", "missing-timeout"), ("database", "undersized-pool")];

fn fixture(category: &str, id: &str, name: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join("fixtures").join(category).join(id).join(name)).ok()
}

/// A fixture's text with its marks blanked, and what they expect.
fn unmarked(text: &str, id: &str) -> (String, BTreeSet<(u32, Option<String>, bool)>) {
    let (mut blanked, mut expected) = (String::new(), BTreeSet::new());
    for (at, line) in text.lines().enumerate() {
        let number = at as u32 + 1;
        match line.find("// expect: ") {
            Some(start) => {
                let (before, mark) = line.split_at(start);
                let own_line = before.trim().is_empty();
                for word in mark.trim_start_matches("// expect: ").split(", ") {
                    let mut words = word.split_whitespace();
                    let named = words.next().unwrap_or_default();
                    let (rule, variant) = named.split_once('/').map_or((named, None), |(r, v)| (r, Some(v)));
                    if rule == id {
                        let line = if own_line { number + 1 } else { number };
                        expected.insert((line, variant.map(str::to_owned), words.next() == Some("likely")));
                    }
                }
                blanked.push_str(before);
                blanked.extend(std::iter::repeat_n(' ', mark.len()));
            }
            None => blanked.push_str(line),
        }
        blanked.push('\n');
    }
    (blanked, expected)
}

/// The candidates of one rule in one file.
fn candidates(path: &str, text: &str, id: &str) -> Vec<Candidate> {
    let rules = RuleSet::builtin().expect("the rules load");
    let rule = rules.get(id).expect("the rule is there");
    let detection = rule.detection(Family::TypeScript).expect("it reads TypeScript");
    let analysis = typescript::find(detection.analysis.as_deref().expect("an analysis")).expect("it is listed");
    let language = Language::of_path(path).expect("a scanned language");
    let source = SourceFile::new(path, language, PathClass::of_path(path), text.to_owned());
    let allocator = Default::default();
    let model = Model::parse(&allocator, &source).expect("it parses");
    let mut map = FileMap::default();
    (analysis.run)(&model, &mut Sink::new(0, &detection.params, &mut map));
    map.candidates
}

fn path_of(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("// path: ").map_or_else(|| "src/fixture.ts".to_owned(), |path| path.trim().to_owned())
}

fn found(text: &str, id: &str) -> BTreeSet<(u32, Option<String>, bool)> {
    let source = SourceFile::new("x.ts", Language::TypeScript, PathClass::Product, text.to_owned());
    candidates(&path_of(text), text, id)
        .into_iter()
        .filter(|candidate| candidate.cleared.is_none() && candidate.confidence > Confidence::Possible)
        // What only other files can show is left to the laws.
        .filter(|c| !c.needs.iter().any(|need| matches!(need.question, Question::CallersLeaveUnbounded { .. })))
        // The project of the fixtures has engines alone, which is an assumption;
        // a second one hides the candidate.
        .filter(|c| {
            let open = c.needs.iter().any(|need| matches!(need.question, Question::NodeBelow { .. }));
            !open || c.confidence == Confidence::Certain
        })
        .map(|candidate| {
            let line = source.position(candidate.span.start).line;
            let open = candidate.needs.iter().any(|need| matches!(need.question, Question::NodeBelow { .. }));
            let likely = open || candidate.confidence == Confidence::Likely;
            (line, candidate.variant.map(|variant| variant.into_owned()), likely)
        })
        .collect()
}

#[test]
fn bad_fires_exactly_where_it_is_marked() {
    for (category, id) in RULES {
        for name in ["bad.ts", "bad_likely.ts", "bad_unpatched.ts"] {
            let Some(text) = fixture(category, id, name) else { continue };
            let (blanked, expected) = unmarked(&text, id);
            assert!(!expected.is_empty(), "{id}/{name} has no mark");
            // What only the join weighs is marked without a variant here.
            let joined = |mark: &(u32, Option<String>, bool)| id == "undersized-pool" && mark.1.is_none();
            let expected: BTreeSet<_> = expected.into_iter().filter(|mark| !joined(mark)).collect();
            assert_eq!(found(&blanked, id), expected, "{id}/{name}");
        }
    }
}

#[test]
fn good_is_silent() {
    for (category, id) in RULES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(category).join(id);
        let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut good: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        good.retain(|name| name.starts_with("good") && name.ends_with(".ts"));
        assert!(good.contains(&"good.ts".to_owned()), "{id} has no good.ts");
        for name in good {
            let text = fixture(category, id, &name).expect("it was listed");
            for (_, other) in RULES {
                let found = found(&text, other);
                assert!(found.is_empty(), "{id}/{name}: {other} fires at {found:?}");
            }
        }
    }
}

#[test]
fn patches_cure_what_they_touch() {
    for (category, id) in RULES {
        let Some(text) = fixture(category, id, "bad.ts") else { continue };
        let (blanked, _) = unmarked(&text, id);
        let with_patch: Vec<Candidate> =
            candidates(&path_of(&blanked), &blanked, id).into_iter().filter(|c| c.patch.is_some()).collect();
        let edits = with_patch.iter().flat_map(|c| &c.patch.as_ref().expect("kept above").edits);
        let patched = patch::apply(&blanked, edits.map(|(span, text)| (*span, text.as_str()))).expect("it applies");
        let fixed = fixture(category, id, "fixed.ts").unwrap_or_default();
        let shown = |text: &str| -> String {
            let kept = text.lines().filter(|line| line.is_empty() || !line.trim().is_empty());
            kept.map(|line| format!("{}\n", line.trim_end())).collect()
        };
        if !with_patch.is_empty() {
            assert_eq!(shown(&patched), shown(&fixed), "{id}: fixed.ts");
        }
        let left = found(&patched, id);
        assert_eq!(left.len(), found(&blanked, id).len() - with_patch.len(), "{id}: {left:?}\n{patched}");
    }
}

#[test]
fn every_built_in_rule_loads() {
    if let Err(error) = RuleSet::builtin() {
        panic!("{:?}", miette::Report::new(*error));
    }
}
