//! `rules list`, `rules new`, `rules test` and `explain`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use bizra_scan::cli::{ListFormat, RuleLanguage};
use bizra_scan::command::explain::{explain, find};
use bizra_scan::command::rules;
use bizra_scan::rule::{RuleSet, folder};
use bizra_scan::tree::Disk;
use miette::Diagnostic;

fn users(root: &Path) -> RuleSet {
    let mut set = RuleSet::builtin().expect("the rules load");
    let tree = Disk::new(root).expect("the folder is there");
    folder::add(&mut set, &tree, root, folder::FOLDER).expect("the rules load");
    set
}

fn tested(root: &Path, ids: &[&str]) -> (bool, String) {
    let mut out = Vec::new();
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let held = rules::test(&users(root), root, &ids, &mut out).expect("the fixtures are read");
    (held, String::from_utf8(out).expect("text"))
}

#[test]
fn a_new_rule_passes_its_own_fixtures() {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path();
    for (id, language) in [("json-copy", RuleLanguage::Typescript), ("async-lock", RuleLanguage::Rust)] {
        let mut out = Vec::new();
        rules::new(&users(root), root, id, language, &mut out).expect("it is written");
        assert!(String::from_utf8_lossy(&out).contains(&format!("wrote .bizra/rules/{id}.toml")));
        let (held, said) = tested(root, &[id]);
        assert!(held, "{said}");
    }
    let again = rules::new(&users(root), root, "json-copy", RuleLanguage::Rust, &mut Vec::new());
    assert!(again.expect_err("it is taken").to_string().contains("taken by .bizra/rules/json-copy.toml"));
    assert!(rules::new(&users(root), root, "Json Copy", RuleLanguage::Rust, &mut Vec::new()).is_err());

    let bad = root.join(".bizra/rules/json-copy/bad.ts");
    let text = fs::read_to_string(&bad).expect("it was written");
    fs::write(&bad, text.replace("JSON.parse(", "parse(")).expect("it is written");
    let good = root.join(".bizra/rules/json-copy/good.ts");
    fs::write(&good, "export const x = JSON.parse(JSON.stringify(y));\n").expect("it is written");
    let (held, said) = tested(root, &[]);
    assert!(!held);
    assert!(said.contains("ok     async-lock"), "{said}");
    assert!(said.contains("FAILED json-copy"), "{said}");
    assert!(said.contains("bad.ts:3: expected json-copy, found nothing"), "{said}");
    assert!(said.contains("good.ts:1: found json-copy (likely) without a mark"), "{said}");
}

#[test]
fn rules_are_listed_as_text_and_json() {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path();
    rules::new(&users(root), root, "json-copy", RuleLanguage::Typescript, &mut Vec::new()).expect("it is written");
    let mut text = Vec::new();
    rules::list(&users(root), ListFormat::Text, &mut text).expect("it is written");
    let text = String::from_utf8(text).expect("text");
    assert!(text.lines().any(|line| line.starts_with("json-copy") && line.ends_with("(your own)")), "{text}");
    let mut json = Vec::new();
    rules::list(&users(root), ListFormat::Json, &mut json).expect("it is written");
    let json: serde_json::Value = serde_json::from_slice(&json).expect("json");
    let own = json.as_array().expect("an array").iter().find(|rule| rule["id"] == "json-copy").expect("it is listed");
    assert_eq!(own["severity"], "low");
    assert_eq!(own["origin"], ".bizra/rules/json-copy.toml");
}

#[test]
fn a_rule_is_explained_and_a_wrong_id_gets_a_suggestion() {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path();
    rules::new(&users(root), root, "json-copy", RuleLanguage::Typescript, &mut Vec::new()).expect("it is written");
    let set = users(root);
    let (rule, variant) = find(&set, "json-copy").expect("it is there");
    let mut out = Vec::new();
    explain(rule, variant, &mut out).expect("it is written");
    let out = String::from_utf8(out).expect("text");
    for part in
        ["json-copy: a deep copy", "\nWhy\n", "\nWhen not\n", "low on request paths", "structuredClone (to review)"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let error = find(&set, "json-copi").expect_err("there is none");
    assert_eq!(error.help().expect("help").to_string(), "did you mean `json-copy`?");
    assert!(
        find(&set, "json-copy/deep").expect_err("no variant").help().expect("help").to_string().contains("no variants")
    );
}

#[test]
fn a_broken_rule_is_shown_with_its_place() {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path();
    rules::new(&users(root), root, "json-copy", RuleLanguage::Typescript, &mut Vec::new()).expect("it is written");
    let path = root.join(".bizra/rules/json-copy.toml");
    let text = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, text.replace("{value}", "{valeu}")).expect("it is written");
    let mut set = RuleSet::default();
    let tree = Disk::new(root).expect("a tree");
    let error = folder::add(&mut set, &tree, root, folder::FOLDER).expect_err("it is broken");
    let folder::FolderError::Rule(error) = error else { panic!("{error}") };
    let label = error.labels().expect("labels").next().expect("a label");
    let text = fs::read_to_string(&path).expect("it was written");
    assert_eq!(&text[label.offset()..label.offset() + label.len()], "\"structuredClone({valeu})\"");
}

/// The fault of a rule in which one text was replaced: its message, and what
/// it points at.
fn fault(old: &str, new: &str) -> (String, String) {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path();
    rules::new(&users(root), root, "json-copy", RuleLanguage::Typescript, &mut Vec::new()).expect("it is written");
    let text = fs::read_to_string(root.join(".bizra/rules/json-copy.toml")).expect("it was written");
    let changed = text.replace(old, new);
    assert_ne!(changed, text);
    let error = RuleSet::default().add("json-copy.toml", &changed, false).expect_err(new);
    let label = error.labels().expect("labels").next().expect("a label");
    (error.to_string(), changed[label.offset()..label.offset() + label.len()].to_owned())
}

#[test]
fn a_rule_that_could_find_nothing_or_claims_too_much_is_refused() {
    let languages = "languages = [\"typescript\", \"javascript\"]";
    for (old, new, message, at) in [
        (languages, "languages = []", "none of its languages is named", "[]"),
        (languages, "languages = [\"rust\"]", "there is no `[detect.rust]`", "[\"rust\"]"),
        ("category = \"memory\"", "category = \"\"", "the category is empty", "\"\""),
        ("confidence = \"likely\"", "confidence = \"certain\"", "a query alone is never certain", "\"certain\""),
    ] {
        let (told, pointed) = fault(old, new);
        assert!(told.contains(message), "{told}");
        assert_eq!(pointed, at);
    }
}

#[test]
fn built_in_rules_have_no_examples_here() {
    let home = tempfile::tempdir().expect("a folder");
    let asked = ["undersized-pool".to_owned()];
    let error = rules::test(&users(home.path()), home.path(), &asked, &mut Vec::new()).expect_err("it is built in");
    assert!(error.to_string().contains("`undersized-pool` is a built-in rule"), "{error}");
}

#[test]
fn a_rule_s_words_steer_no_terminal() {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path();
    rules::new(&users(root), root, "json-copy", RuleLanguage::Typescript, &mut Vec::new()).expect("it is written");
    let path = root.join(".bizra/rules/json-copy.toml");
    let text = fs::read_to_string(&path).expect("it was written");
    let trap = "\\u001b]0;x\\u0007";
    let text = text.replace("title = \"a deep", &format!("title = \"{trap}a deep"));
    let text =
        text.replace("why = \"", &format!("why = \"{trap}")).replace("category = \"", &format!("category = \"{trap}"));
    fs::write(&path, text).expect("it is written");
    let set = users(root);
    let mut out = Vec::new();
    rules::list(&set, ListFormat::Text, &mut out).expect("it is written");
    let (rule, variant) = find(&set, "json-copy").expect("it is there");
    explain(rule, variant, &mut out).expect("it is written");
    let out = String::from_utf8(out).expect("text");
    assert!(!out.contains(['\u{1b}', '\u{7}']) && out.contains("\\u{1b}]0;x\\u{7}a deep copy"), "{out}");
}
