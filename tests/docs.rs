//! Holds `docs/rules` to the rules and their fixtures. `BLESS=1` writes it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;

use bizra_scan::rule::RuleSet;
use bizra_scan::rule::docs::page;
use common::fixtures::{of_rule, root};

/// The pages as they ought to be, by file name.
fn pages() -> BTreeMap<String, String> {
    let rules = RuleSet::builtin().expect("the rules load");
    let mut pages = BTreeMap::new();
    let mut index = String::from("# Rules\n\n| rule | category | severity | languages | |\n|---|---|---|---|---|\n");
    for rule in &rules.rules {
        let fixtures: Vec<_> = of_rule(rule).into_values().flatten().collect();
        let texts: Vec<(&str, &str)> = fixtures.iter().map(|f| (f.name.as_str(), f.written.as_str())).collect();
        pages.insert(format!("{}.md", rule.id), page(rule, &texts));
        let (id, severity, languages) = (&rule.id, rule.severity.base.name(), rule.languages.join(", "));
        index += &format!("| [{id}]({id}.md) | {} | {severity} | {languages} | {} |\n", rule.category, rule.title);
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

#[test]
fn the_manual_is_that_of_the_rules() {
    let folder = root().join("docs/rules");
    let wanted = pages();
    let there: Vec<String> = fs::read_dir(&folder)
        .map(|entries| entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(&folder).expect("the folder can be made");
        for name in there.iter().filter(|name| !wanted.contains_key(*name)) {
            fs::remove_file(folder.join(name)).expect("it can be removed");
        }
        for (name, text) in &wanted {
            fs::write(folder.join(name), text).expect("it can be written");
        }
        return;
    }
    let mut wrong: Vec<String> = there.into_iter().filter(|name| !wanted.contains_key(name)).collect();
    for (name, text) in &wanted {
        if fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            wrong.push(name.clone());
        }
    }
    assert!(wrong.is_empty(), "write these anew with `BLESS=1 cargo test --test docs`: {wrong:?}");
}
