//! `bizra-scan explain ID`: what a rule looks for, why it costs, and when it
//! does not.

use std::io::{self, Write};

use crate::cli::{Display, ExplainArgs};
use crate::command::{Exit, Failure, output, setup};
use crate::rule::docs::{safety_words, severity_lines, with_names};
use crate::rule::load::nearest;
use crate::rule::{Rule, RuleSet};
use crate::source::visible;

/// Prints the manual page of a rule.
///
/// # Errors
/// A rule that there is not.
pub fn run(args: &ExplainArgs, _display: &Display) -> Result<Exit, Failure> {
    let (rules, _) = setup::rules_of(args.root.as_deref())?;
    let (rule, variant) = find(&rules, &args.rule).map_err(Failure::from_diagnostic)?;
    output::to_stdout(|out| explain(rule, variant, out))?;
    Ok(Exit::Passed)
}

/// An id that no rule has.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("there is no rule `{id}`")]
#[diagnostic(code(bizra::unknown_rule))]
pub struct UnknownRule {
    /// The id as typed.
    pub id: String,
    #[help]
    help: String,
}

impl UnknownRule {
    /// The error for `id`, with the nearest known id as its help.
    pub fn new(rules: &RuleSet, id: &str) -> Self {
        let help = match rules.nearest(id) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`bizra-scan rules list` lists them".to_owned(),
        };
        Self { id: id.to_owned(), help }
    }
}

/// The rule of `id`, or of `id/variant`.
///
/// # Errors
/// [`UnknownRule`] with the nearest known id.
pub fn find<'r>(rules: &'r RuleSet, id: &'r str) -> Result<(&'r Rule, Option<&'r str>), UnknownRule> {
    let (id, variant) = match id.split_once('/') {
        Some((id, variant)) => (id, Some(variant)),
        None => (id, None),
    };
    let rule = rules.get(id).ok_or_else(|| UnknownRule::new(rules, id))?;
    match variant {
        Some(name) if !rule.variant.contains_key(name) => {
            let known: Vec<&str> = rule.variant.keys().map(String::as_str).collect();
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{id}/{near}`?"),
                None if known.is_empty() => format!("`{id}` has no variants"),
                None => format!("its variants are {}", known.join(", ")),
            };
            Err(UnknownRule { id: format!("{id}/{name}"), help })
        }
        _ => Ok((rule, variant)),
    }
}

/// Writes the explanation of a rule, at most 80 columns wide.
///
/// # Errors
/// The writer's own.
pub fn explain(rule: &Rule, variant: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", rule.id, visible(rule.title(variant)))?;
    let (category, languages) = (visible(&rule.category), rule.languages.join(", "));
    writeln!(out, "{category} · {languages} · about {} minutes", rule.effort(variant))?;
    if rule.origin != "builtin" {
        writeln!(out, "from {}", visible(&rule.origin))?;
    }
    section(out, "Why", &rule.docs.why)?;
    section(out, "When not", &rule.docs.when_not)?;
    let mut lines = severity_lines(&rule.severity);
    lines.extend(
        rule.variant
            .keys()
            .map(|name| format!("{} as `{name}`: {}", rule.base(Some(name)).name(), rule.title(Some(name)))),
    );
    list(out, "Severity", lines.iter().map(String::as_str))?;
    let patches: Vec<String> = rule
        .patch
        .values()
        .map(|patch| {
            let (title, changes) = (in_words(&patch.title), in_words(&patch.changes));
            format!("{title} ({}): {changes}", safety_words(patch.safety))
        })
        .collect();
    list(out, "Patches", patches.iter().map(String::as_str))?;
    for (title, table) in [("What clears it", &rule.guards), ("Assumptions", &rule.assumptions)] {
        let texts: Vec<String> = table.values().map(|text| in_words(text)).collect();
        list(out, title, texts.iter().map(String::as_str))?;
    }
    list(out, "Defaults that it knows", rule.docs.defaults.iter().map(String::as_str))?;
    list(out, "Sources", rule.docs.sources.iter().map(String::as_str))?;
    writeln!(out, "\nSilence one place with `// bizra-ignore {}: the reason`.", rule.id)
}

/// A template with its names as words: `{query_ms} ms` is `<query ms> ms`.
fn in_words(text: &str) -> String {
    with_names(text, |name| format!("<{name}>"))
}

fn section(out: &mut dyn Write, title: &str, text: &str) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    for paragraph in text.trim().split("\n\n") {
        write!(out, "{}", wrap(paragraph, "  ", "  "))?;
    }
    Ok(())
}

fn list<'t>(out: &mut dyn Write, title: &str, items: impl IntoIterator<Item = &'t str>) -> io::Result<()> {
    let mut items = items.into_iter().peekable();
    if items.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for item in items {
        write!(out, "{}", wrap(item, "  - ", "    "))?;
    }
    Ok(())
}

/// A paragraph broken before column 80, with what steers a terminal escaped;
/// words longer than a line stay whole.
fn wrap(text: &str, first: &str, rest: &str) -> String {
    const WIDTH: usize = 80;
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut bare = true;
    for word in text.split_whitespace().map(visible) {
        let wide = line.chars().count() + 1 + word.chars().count() > WIDTH;
        if !bare && wide {
            out.push_str(&line);
            out.push('\n');
            line = rest.to_owned();
            bare = true;
        }
        if !bare {
            line.push(' ');
        }
        line.push_str(&word);
        bare = false;
    }
    out.push_str(&line);
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_shows_a_template() {
        let rules = RuleSet::builtin().unwrap();
        let name = regex::Regex::new(r"\{[a-z_]+\}").unwrap();
        for rule in &rules.rules {
            let mut page = Vec::new();
            explain(rule, None, &mut page).unwrap();
            let page = String::from_utf8(page).unwrap();
            assert!(!name.is_match(&page), "{page}");
        }
        assert_eq!(in_words("{query_ms} ms of {{}}"), "<query ms> ms of {}");
    }

    #[test]
    fn paragraphs_are_wrapped() {
        let text = "word ".repeat(30);
        let wrapped = wrap(&text, "  - ", "    ");
        assert!(wrapped.lines().all(|line| line.chars().count() <= 80));
        assert_eq!(wrapped.lines().count(), 2);
        assert!(wrapped.starts_with("  - word") && wrapped.contains("\n    word"));
    }
}
