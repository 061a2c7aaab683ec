//! The manual page of a rule, from its TOML and its fixtures.

use std::fmt::Write;

use crate::finding::Severity;
use crate::observe::Context;
use crate::patch::{Safety, unified_diff};
use crate::rule::condition::Condition;
use crate::rule::model::{Rule, SeverityTable};
use crate::rule::{fixture, template};

/// One fixture: its name (`bad.ts`) and its text.
pub type Fixture<'f> = (&'f str, &'f str);

/// Lines of a fixture that a page shows; the rest is named.
const SHOWN_LINES: usize = 40;

/// The page `docs/rules/<id>.md`.
pub fn page(rule: &Rule, fixtures: &[Fixture<'_>]) -> String {
    let mut page = String::new();
    // Writing to a `String` cannot fail.
    let _ = write_page(&mut page, rule, fixtures);
    page
}

fn write_page(page: &mut String, rule: &Rule, fixtures: &[Fixture<'_>]) -> std::fmt::Result {
    writeln!(page, "# {}\n", rule.id)?;
    writeln!(page, "{}.\n", capital(&rule.title))?;
    writeln!(page, "| | |\n|---|---|")?;
    writeln!(page, "| category | {} |", rule.category)?;
    writeln!(page, "| languages | {} |", rule.languages.join(", "))?;
    writeln!(page, "| severity | {} |", rule.severity.base.name())?;
    writeln!(page, "| effort | {} minutes |\n", rule.effort_minutes)?;
    writeln!(page, "## Why\n\n{}\n", rule.docs.why.trim())?;
    writeln!(page, "## When not\n\n{}\n", rule.docs.when_not.trim())?;
    writeln!(page, "## Severity\n")?;
    for line in severity_lines(&rule.severity) {
        writeln!(page, "- {line}")?;
    }
    writeln!(page)?;
    if !rule.variant.is_empty() {
        writeln!(page, "## Variants\n\n| variant | what it is | severity |\n|---|---|---|")?;
        for name in rule.variant.keys() {
            let base = rule.base(Some(name));
            writeln!(page, "| `{name}` | {} | {} |", cell(rule.title(Some(name))), base.name())?;
        }
        writeln!(page)?;
    }
    for (title, table) in [("Assumptions", &rule.assumptions), ("What clears it", &rule.guards)] {
        if table.is_empty() {
            continue;
        }
        writeln!(page, "## {title}\n")?;
        for text in table.values() {
            writeln!(page, "- {}", plain(text))?;
        }
        writeln!(page)?;
    }
    if !rule.patch.is_empty() {
        writeln!(page, "## Patches\n")?;
        for patch in rule.patch.values() {
            let safety = safety_words(patch.safety);
            writeln!(page, "- **{}** ({safety}): {}", plain(&patch.title), plain(&patch.changes))?;
        }
        writeln!(page)?;
    }
    if !rule.docs.defaults.is_empty() {
        writeln!(page, "## Defaults that it knows\n")?;
        for fact in &rule.docs.defaults {
            writeln!(page, "- {fact}")?;
        }
        writeln!(page)?;
    }
    write_examples(page, fixtures)?;
    if !rule.docs.sources.is_empty() {
        writeln!(page, "## Sources\n")?;
        for source in &rule.docs.sources {
            writeln!(page, "- {source}")?;
        }
        writeln!(page)?;
    }
    writeln!(page, "## Silencing\n")?;
    writeln!(page, "```\n// bizra-ignore {}: the reason\n```", rule.id)
}

fn write_examples(page: &mut String, fixtures: &[Fixture<'_>]) -> std::fmt::Result {
    let text = |name: &str| fixtures.iter().find(|(other, _)| *other == name).map(|(_, text)| *text);
    for ending in ["ts", "tsx", "rs"] {
        let Some(bad) = text(&format!("bad.{ending}")) else { continue };
        writeln!(page, "## Example ({ending})\n")?;
        let shown = fixture::comparable(&fixture::read(bad).text);
        match text(&format!("fixed.{ending}")) {
            Some(fixed) => {
                let fixed = fixture::comparable(&fixture::read(fixed).text);
                let diff = unified_diff(&format!("example.{ending}"), &shown, &fixed);
                let hunks = diff.lines().skip(2).collect::<Vec<_>>().join("\n");
                writeln!(page, "```diff\n{}\n```\n", head(&hunks))?;
            }
            None => writeln!(page, "```{ending}\n{}\n```\n", head(&shown))?,
        }
    }
    Ok(())
}

fn head(text: &str) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    let mut shown: Vec<String> = all.iter().take(SHOWN_LINES).map(|line| (*line).to_owned()).collect();
    if all.len() > SHOWN_LINES {
        shown.push(format!("… {} further lines", all.len() - SHOWN_LINES));
    }
    shown.join("\n")
}

/// What moves a rule's severity, a line each.
pub fn severity_lines(table: &SeverityTable) -> Vec<String> {
    let mut lines = vec![format!("{} on request paths", table.base.name())];
    let contexts = [Context::Library, Context::Scheduled, Context::Startup, Context::Cli];
    for context in contexts {
        let severity = table.base.moved(table.shift(context));
        if severity != table.base {
            lines.push(format!("{} in {} code", severity.name(), context_words(context)));
        }
    }
    for raise in &table.raise {
        let contexts = raise.contexts.iter().map(|context| context_words(*context)).collect::<Vec<_>>().join(" or ");
        let wherever = if contexts.is_empty() { String::new() } else { format!(" in {contexts} code") };
        lines.push(format!("{} where {}{wherever}", steps(raise.by), condition_words(&raise.when)));
    }
    lines
}

fn steps(by: i32) -> String {
    let step = if by.abs() == 1 { "step" } else { "steps" };
    format!("{} {step} {}", by.abs(), if by > 0 { "up" } else { "down" })
}

fn condition_words(condition: &Condition) -> String {
    condition.to_string().replace('_', " ")
}

const fn context_words(context: Context) -> &'static str {
    match context {
        Context::Handler => "request-handling",
        Context::Cli => "command-line",
        other => other.name(),
    }
}

/// How far a patch may be trusted, in words.
pub const fn safety_words(safety: Safety) -> &'static str {
    match safety {
        Safety::Safe => "safe",
        Safety::Review => "to review",
        Safety::Guidance => "guidance",
    }
}

/// The severities that a rule can have at all, from the worst.
pub fn severities(rule: &Rule) -> Vec<Severity> {
    let variants = rule.variant.keys().map(|name| rule.base(Some(name)));
    let mut all: Vec<Severity> = variants.chain([rule.severity.base]).collect();
    all.sort_by(|a, b| b.cmp(a));
    all.dedup();
    all
}

/// A template without its braces: `{query_ms} ms` reads `*query ms* ms`.
fn plain(text: &str) -> String {
    with_names(text, |name| format!("*{name}*"))
}

/// A template with its names as `shown` writes their words.
pub fn with_names(text: &str, shown: impl Fn(&str) -> String) -> String {
    let Ok(names) = template::names(text) else { return text.to_owned() };
    let mut plain = text.to_owned();
    for name in names {
        plain = plain.replace(&format!("{{{name}}}"), &shown(&name.replace('_', " ")));
    }
    plain.replace("{{", "{").replace("}}", "}")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_is_told_in_words() {
        let table: SeverityTable = toml::from_str(
            "base = \"high\"\nby_context = { library = -1 }\nraise = [{ by = 1, when = \"network_calls >= 3\", contexts = [\"handler\"] }, { by = -2, when = \"!bounded\" }]",
        )
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            severity_lines(&table),
            [
                "high on request paths",
                "medium in library code",
                "medium in scheduled code",
                "low in startup code",
                "low in command-line code",
                "1 step up where network calls >= 3 in request-handling code",
                "2 steps down where not bounded",
            ]
        );
    }

    #[test]
    fn templates_are_shown_without_braces() {
        assert_eq!(plain("{query_ms} ms of {{}}"), "*query ms* ms of {}");
    }
}
