//! Closed candidates in words: the rule's templates filled with their values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::finding::{Anchors, Evidence, Finding, Place};
use crate::join::{Closed, Join, severity};
use crate::observe::{Step, Value, Values};
use crate::rule::{Rule, template};
use crate::source::Span;

/// The finding of a closed candidate; identity, priority and patch come later.
pub fn finding(join: &Join<'_>, closed: &Closed) -> Finding {
    let candidate = &closed.candidate;
    let rule = &join.rules.rules[candidate.rule];
    let variant = candidate.variant.as_deref();
    let words = Words::new(join, closed);
    let place = words.place(None, candidate.span);
    let title = rule.title(variant).to_owned();
    let mut labels =
        vec![Evidence { message: words.hit(variant).unwrap_or_else(|| title.clone()), place: Some(place.clone()) }];
    labels.extend(
        candidate
            .labels
            .iter()
            .map(|(span, key)| Evidence { message: words.label(key), place: Some(words.place(None, *span)) }),
    );
    let assumptions = candidate.assumption.iter().chain(&closed.request_path);
    let assumptions: Vec<String> = assumptions.map(|step| words.step(&rule.assumptions, step).message).collect();
    Finding {
        id: String::new(),
        rule: rule.id.clone(),
        variant: candidate.variant.as_ref().map(|variant| variant.to_string()),
        category: rule.category.clone(),
        message: template::fill(rule.message(variant), &words.values),
        severity: severity(join.rules, candidate, closed.effective),
        confidence: candidate.confidence,
        context: candidate.context,
        priority: 0,
        effort_minutes: rule.effort(variant),
        symbol: candidate.symbol.clone(),
        anchors: Anchors {
            symbol: candidate.symbol.clone(),
            shape: String::new(),
            tokens: String::new(),
            occurrence: 0,
        },
        place,
        labels,
        related: Vec::new(),
        evidence: candidate.evidence.iter().map(|step| words.step(&rule.evidence, step)).collect(),
        assumption: (!assumptions.is_empty()).then(|| assumptions.join("; ")),
        impact: template::fill(rule.impact(variant), &words.values),
        patch: None,
        title,
    }
}

/// The guard that cleared a candidate, in words.
pub fn guard(join: &Join<'_>, closed: &Closed) -> Option<Evidence> {
    let step = closed.candidate.cleared.as_ref()?;
    let words = Words::new(join, closed);
    Some(words.step(&words.rule.guards, step))
}

/// A path of the tree as the report shows it: relative to the scan's root,
/// with `..` for what lies above it.
pub fn shown(prefix: &str, path: &str) -> String {
    if prefix.is_empty() {
        return path.to_owned();
    }
    let (mut prefix, mut rest) = (prefix, path);
    while let Some((folder, below)) = rest.split_once('/') {
        let head = prefix.split_once('/').map_or(prefix, |(head, _)| head);
        if prefix.is_empty() || head != folder {
            break;
        }
        prefix = prefix.split_once('/').map_or("", |(_, tail)| tail);
        rest = below;
    }
    let ups = if prefix.is_empty() { 0 } else { prefix.split('/').count() };
    format!("{}{rest}", "../".repeat(ups))
}

/// The path of the tree behind a path as [`shown`] gives it.
pub fn behind(prefix: &str, shown: &str) -> String {
    let (mut prefix, mut rest) = (prefix, shown);
    while let Some(above) = rest.strip_prefix("../") {
        prefix = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        rest = above;
    }
    if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}/{rest}") }
}

struct Words<'j> {
    join: &'j Join<'j>,
    rule: &'j Rule,
    path: &'j str,
    values: Values,
}

impl<'j> Words<'j> {
    fn new(join: &'j Join<'j>, closed: &'j Closed) -> Self {
        let candidate = &closed.candidate;
        let mut values = candidate.values.clone();
        let file = closed.path.rsplit('/').next().unwrap_or_default();
        values.insert(Cow::Borrowed("context"), candidate.context.name().into());
        values.insert(Cow::Borrowed("symbol"), candidate.symbol.as_str().into());
        values.insert(Cow::Borrowed("file"), file.into());
        Self { join, rule: &join.rules.rules[candidate.rule], path: &closed.path, values }
    }

    fn place(&self, path: Option<&str>, span: Span) -> Place {
        Place { path: shown(self.join.prefix, path.unwrap_or(self.path)), span }
    }

    fn hit(&self, variant: Option<&str>) -> Option<String> {
        Some(template::fill(self.rule.hit(variant)?, &self.values))
    }

    fn label(&self, key: &str) -> String {
        self.rule.report.labels.get(key).map(|text| template::fill(text, &self.values)).unwrap_or_default()
    }

    /// A step in the words of the rule's `table`, or in those that all rules share.
    fn step(&self, table: &BTreeMap<String, String>, step: &Step) -> Evidence {
        let text = table.get(step.key.as_ref()).or_else(|| self.join.rules.common.get(step.key.as_ref()));
        let mut values: BTreeMap<Cow<'static, str>, Value> = self.values.clone();
        values.extend(step.values.clone());
        let message = text.map_or_else(|| step.key.to_string(), |text| template::fill(text, &values));
        Evidence { message, place: step.span.map(|span| self.place(step.path.as_deref(), span)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{behind, shown};

    #[test]
    fn paths_are_shown_from_the_scans_root_and_found_again() {
        for (prefix, path, seen) in [
            ("", "src/a.ts", "src/a.ts"),
            ("fixtures/seed", "fixtures/seed/src/a.ts", "src/a.ts"),
            ("fixtures/seed", "package.json", "../../package.json"),
            ("fixtures/seed", "fixtures/x.ts", "../x.ts"),
            ("a", "ab/x.ts", "../ab/x.ts"),
        ] {
            assert_eq!(shown(prefix, path), seen);
            assert_eq!(behind(prefix, seen), path);
        }
    }
}
