//! SQL that is written out in the code, and what it does.

use oxc_ast::ast::{CallExpression, Expression, TemplateLiteral};

use crate::lang::typescript::path::argument;
use crate::lang::typescript::values::property;
use crate::lang::typescript::{Model, bare};
use crate::observe::{Effect, Known, Value};

/// The effect of the query that a call is given: a text, or an object that
/// holds it as `text`.
pub fn of_argument<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> Effect {
    let Some(first) = argument(&call.arguments, 0) else { return Effect::Unknown };
    let written = match model.object(first) {
        Some(object) => property(object, "text").found(),
        None => Some(first),
    };
    written.and_then(|written| text(model, written)).map_or(Effect::Unknown, |text| effect(&text))
}

/// A text that is written out here, with `?` for what is put into it.
pub fn text<'a>(model: &Model<'a>, expression: &'a Expression<'a>) -> Option<String> {
    match bare(expression) {
        Expression::TemplateLiteral(template) => Some(template_text(template)),
        // `Prisma.sql`: the text with its values apart.
        Expression::TaggedTemplateExpression(tagged) if model.path_of(&tagged.tag).leaf() == "sql" => {
            Some(template_text(&tagged.quasi))
        }
        other => match model.value(other) {
            Known::Here(Value::Text(text), _) => Some(text),
            _ => None,
        },
    }
}

/// The text of a template, with `?` for what is put into it.
pub fn template_text(template: &TemplateLiteral<'_>) -> String {
    template.quasis.iter().map(|quasi| quasi.value.raw.as_str()).collect::<Vec<_>>().join(" ? ")
}

/// The effect of an SQL text: a `SELECT` that locks, draws a number or
/// notifies is a write.
pub fn effect(text: &str) -> Effect {
    let lower = text.trim_start().to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let Some(&first) = words.first() else { return Effect::Unknown };
    if !matches!(first, "select" | "with" | "show" | "explain") {
        return Effect::Write;
    }
    const CHANGES: &[&str] =
        &["insert", "update", "delete", "merge", "into", "nextval", "setval", "pg_notify", "share", "call", "get_lock"];
    let changes = words.iter().any(|word| CHANGES.contains(word) || word.starts_with("pg_advisory"));
    if changes { Effect::Write } else { Effect::Read }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_texts_have_effects() {
        assert_eq!(effect("SELECT * FROM users"), Effect::Read);
        assert_eq!(effect(" with a as (select 1) select * from a"), Effect::Read);
        assert_eq!(effect("SELECT id FROM jobs FOR UPDATE SKIP LOCKED"), Effect::Write);
        assert_eq!(effect("SELECT nextval('s')"), Effect::Write);
        assert_eq!(effect("UPDATE users SET a = 1"), Effect::Write);
        assert_eq!(effect(""), Effect::Unknown);
    }
}
