//! The two rules about awaits, on their fixtures, straight from the analyses:
//! what one file shows, before the join.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use bizra_scan::analyze::{Sink, typescript};
use bizra_scan::lang::typescript::Model;
use bizra_scan::observe::{Candidate, Confidence, FileMap, Need, Question};
use bizra_scan::patch;
use bizra_scan::rule::{RuleSet, fixture};
use bizra_scan::source::{Language, PathClass, SourceFile};
use oxc_allocator::Allocator;

/// The file's text with its marks blanked, its path, and the marked lines: the
/// 1-based line of the finding, and its confidence.
struct Fixture {
    text: String,
    path: String,
    marks: Vec<(u32, Confidence)>,
}

fn fixture(rule: &str, name: &str) -> Fixture {
    let file = format!("{}/fixtures/network/{rule}/{name}.ts", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).expect("the fixture is there").replace(" // query: names", "");
    let mut path = format!("src/{name}.ts");
    let mut marks = Vec::new();
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(rest) = line.strip_prefix("// path: ") {
            path = rest.trim().to_owned();
        }
        match line.split_once("// expect: ") {
            Some((before, mark)) => {
                let own_line = before.trim().is_empty();
                let confidence = match mark.trim().rsplit_once(' ').map(|(_, word)| word) {
                    Some("likely") => Confidence::Likely,
                    Some("possible") => Confidence::Possible,
                    _ => Confidence::Certain,
                };
                marks.push((index as u32 + if own_line { 2 } else { 1 }, confidence));
                lines.push(format!("{before}{}", " ".repeat(line.len() - before.len())));
            }
            None => lines.push(line.to_owned()),
        }
    }
    Fixture { text: lines.join("\n") + "\n", path, marks }
}

/// What the analysis proposes, cleared candidates included.
fn map(rule: &str, fixture: &Fixture) -> (Vec<Candidate>, SourceFile) {
    let analysis = typescript::find(rule).expect("the analysis is there");
    let source = SourceFile::new(
        fixture.path.clone(),
        Language::TypeScript,
        PathClass::of_path(&fixture.path),
        fixture.text.clone(),
    );
    let mut found = FileMap::default();
    {
        let allocator = Allocator::default();
        let model = Model::parse(&allocator, &source).expect("the fixture parses");
        let params = toml::Table::new();
        (analysis.run)(&model, &mut Sink::new(0, &params, &mut found));
    }
    (found.candidates, source)
}

fn standing(rule: &str, fixture: &Fixture) -> (Vec<Candidate>, SourceFile) {
    let (mut candidates, source) = map(rule, fixture);
    candidates.retain(|candidate| candidate.cleared.is_none());
    candidates.sort_by_key(|candidate| candidate.span);
    (candidates, source)
}

fn assert_marks(rule: &str, name: &str) {
    let fixture = fixture(rule, name);
    let (found, source) = standing(rule, &fixture);
    // What another file must answer for is likely where, as here, none does;
    // what no handler is seen to call, possible.
    let open = |need: &Need| match need.question {
        Question::ReadsIo(_) => Confidence::Likely,
        Question::CalledFromHandler(_) => Confidence::Possible,
        _ => Confidence::Certain,
    };
    let told = |c: &Candidate| c.needs.iter().map(open).fold(c.confidence, Confidence::min);
    let seen: Vec<(u32, Confidence)> = found.iter().map(|c| (source.position(c.span.start).line, told(c))).collect();
    assert_eq!(seen, fixture.marks, "{rule}/{name}: {found:#?}");
}

#[test]
fn marks_hold() {
    for (rule, name) in [
        ("sequential-awaits", "bad"),
        ("sequential-awaits", "bad_likely"),
        ("sequential-awaits", "bad_unpatched"),
        ("sequential-awaits", "good"),
        ("sequential-awaits", "fixed"),
        ("await-in-loop", "bad_likely"),
        ("await-in-loop", "good"),
        ("await-in-loop", "cured"),
    ] {
        assert_marks(rule, name);
    }
}

#[test]
fn patches_give_the_fixed_file() {
    let rule = "sequential-awaits";
    let bad = fixture(rule, "bad");
    let (found, _) = standing(rule, &bad);
    let drafts: Vec<_> = found.iter().map(|c| c.patch.as_ref().expect("a patch for each certain mark")).collect();
    let edits = drafts.iter().flat_map(|draft| &draft.edits).map(|(span, text)| (*span, text.as_str()));
    let patched = patch::apply(&bad.text, edits).expect("the edits fit");
    // Lines of blanks that a mark left are no part of the comparison.
    let without_marks = |text: &str| {
        let blank = |line: &&str| line.is_empty() || !line.trim().is_empty();
        text.lines().filter(blank).collect::<Vec<_>>().join("\n")
    };
    let fixed = fixture(rule, "fixed");
    assert_eq!(without_marks(&patched), without_marks(&fixed.text));
}

#[test]
fn patches_keep_crlf() {
    let rule = "sequential-awaits";
    let mut bad = fixture(rule, "bad");
    bad.text = bad.text.replace('\n', "\r\n");
    let (found, _) = standing(rule, &bad);
    assert_eq!(found.len(), bad.marks.len());
    for draft in found.iter().filter_map(|c| c.patch.as_ref()) {
        for (_, text) in &draft.edits {
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text}");
        }
    }
}

#[test]
fn what_cannot_be_shown_to_keep_behaviour_has_no_patch() {
    let (found, _) = standing("sequential-awaits", &fixture("sequential-awaits", "bad_unpatched"));
    assert!(found.iter().all(|c| c.patch.is_none()), "{found:#?}");
}

/// What no other file answers for stays likely, and has no patch.
#[test]
fn what_is_only_likely_has_no_patch() {
    let Fixture { text, path, .. } = fixture("sequential-awaits", "bad_likely");
    let report =
        common::fixtures::lay(&[(path, Language::TypeScript, text)]).scan(&RuleSet::builtin().expect("the rules load"));
    let found: Vec<_> = report.findings.iter().filter(|finding| finding.rule == "sequential-awaits").collect();
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found.iter().all(|f| f.confidence == Confidence::Likely && f.patch.is_none()), "{found:#?}");
}

/// What a patch rests on may stand in another file: the client, and that a
/// function gives a promise whatever happens.
#[test]
fn patches_rest_on_other_files() {
    let folder = format!("{}/fixtures/network/sequential-awaits/bad_imported", env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).expect("the fixture is there");
    let users = fixture::read(&read("users.controller.ts"));
    let files = [("src/db.ts", read("db.ts")), ("src/users.controller.ts", users.text)]
        .map(|(path, text)| (path.to_owned(), Language::TypeScript, text));
    let report = common::fixtures::lay(&files).scan(&RuleSet::builtin().expect("the rules load"));
    let with_patch = |symbol: &str| {
        let found: Vec<_> = report.findings.iter().filter(|finding| finding.symbol == symbol).collect();
        let [finding] = found.as_slice() else { panic!("{symbol}: {found:#?}") };
        assert_eq!(finding.confidence, Confidence::Certain, "{finding:#?}");
        finding.patch.is_some()
    };
    assert!(with_patch("listUsers"));
    assert!(with_patch("showProfile"));
    assert!(!with_patch("showUser"), "`loadPosts` may throw before it gives a promise");
    assert!(report.findings.iter().all(|finding| finding.symbol != "rename"));
}

#[test]
fn near_misses_keep_their_guard() {
    let (all, _) = map("sequential-awaits", &fixture("sequential-awaits", "good"));
    let guards: Vec<&str> = all.iter().filter_map(|c| c.cleared.as_ref()).map(|step| step.key.as_ref()).collect();
    assert!(guards.contains(&"error-path"), "{guards:?}");
    let (all, _) = map("await-in-loop", &fixture("await-in-loop", "good"));
    let guards: Vec<&str> = all.iter().filter_map(|c| c.cleared.as_ref()).map(|step| step.key.as_ref()).collect();
    for guard in [
        "loop-carries-state",
        "loop-retries",
        "loop-leaves-early",
        "loop-is-paced",
        "loop-writes",
        "few-rounds",
        "chunked",
    ] {
        assert!(guards.contains(&guard), "{guard} in {guards:?}");
    }
}

#[test]
fn a_call_that_must_wait_parts_a_run() {
    let guard = |next: &str| {
        let text = format!(
            "import axios from 'axios';\nexport async function load(id, tx) {{\n const a = await axios.get('/a');\n \
             const b = await {next};\n return [a, b];\n}}\n"
        );
        let (found, _) =
            map("sequential-awaits", &Fixture { text, path: "src/load.service.ts".to_owned(), marks: Vec::new() });
        found.first().and_then(|c| c.cleared.as_ref()).map(|step| step.key.to_string())
    };
    assert_eq!(guard("users.list(id, tx)").as_deref(), Some("transaction"));
    assert_eq!(guard("axios.post('/b', {})").as_deref(), Some("write"));
    assert_eq!(guard("users.checkLimit(id)").as_deref(), Some("guard-call"));
    assert_eq!(guard("waitForUser(id)").as_deref(), Some("timing"));
    assert_eq!(guard("users.getSession(id)").as_deref(), Some("trap"));
    assert_eq!(guard("frobnicate(id)"), None);
}

/// Calls in the place of the seed report's second snippet, bodies filled in.
#[test]
fn the_seed_shape_counts_three_network_calls() {
    let call = |name: &str, method: &str| {
        format!("const {name} = await this.client.post('/rpc', {{ method: '{method}', params: [address] }});\n")
    };
    let text = format!(
        "export class ValidationService {{\n async validate(address: string) {{\n{}{}{} return [a, b, c];\n }}\n}}\n",
        call("a", "eth_getBalance"),
        call("b", "eth_getTransactionCount"),
        call("c", "eth_getCode"),
    );
    let path = "src/services/validation/validation.service.ts".to_owned();
    let (found, _) = standing("sequential-awaits", &Fixture { text, path, marks: Vec::new() });
    let [candidate] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(candidate.values["network_calls"], 3u32.into());
    assert!(candidate.request_path_by_name.is_some());
}
