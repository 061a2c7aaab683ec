//! Rules made of a query, and their hits in a text.

use bizra_scan::observe::{Candidate, FileMap};
use bizra_scan::pattern::{MapError, Patterns, map_query};
use bizra_scan::rule::{RuleError, RuleSet};
use bizra_scan::source::{Language, PathClass, SourceFile};

/// The text of a rule `id` for a family (`typescript` or `rust`) with a query;
/// `more` is added at its end.
pub fn rule_text(id: &str, family: &str, query: &str, more: &str) -> String {
    let languages = if family == "rust" { r#"["rust"]"# } else { r#"["typescript", "javascript"]"# };
    format!(
        r#"id = "{id}"
title = "a shape to look for"
category = "network"
languages = {languages}
effort_minutes = 10

[severity]
base = "medium"

[detect.{family}]
triggers = [["ab"]]
query = '''
{query}
'''

[report]
message = "this has the shape"
impact = "it costs something"

[docs]
why = "Because."
when_not = "Never."
sources = []
{more}"#
    )
}

/// A rule set of one user's rule.
pub fn one_rule(id: &str, text: &str) -> Result<RuleSet, Box<RuleError>> {
    let mut rules = RuleSet::default();
    rules.add(&format!(".bizra/rules/{id}.toml"), text, false)?;
    Ok(rules)
}

/// Maps a text at `path` by the queries of all rules.
pub fn try_map(rules: &RuleSet, path: &str, text: &str) -> (FileMap, Result<(), MapError>) {
    let language = Language::of_path(path).expect("a language");
    let file = SourceFile::new(path, language, PathClass::of_path(path), text.to_owned());
    let patterns = Patterns::new(rules);
    let detections: Vec<_> = rules
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.reads(language))
        .filter_map(|(i, rule)| Some((i, rule.detection(language.family())?, rule)))
        .collect();
    let mut map = FileMap::default();
    let result = map_query(&file, &detections, &patterns, &mut map);
    (map, result)
}

/// The candidates of a text, with the text of each primary node.
pub fn hits(rules: &RuleSet, path: &str, text: &str) -> Vec<(String, Candidate)> {
    let (map, result) = try_map(rules, path, text);
    assert_eq!(result, Ok(()));
    map.candidates.into_iter().map(|c| (text[c.span.range()].to_owned(), c)).collect()
}
