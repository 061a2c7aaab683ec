//! Edits and patches: byte ranges with their replacement, applied as a set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::Span;

/// How far a patch may be trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Keeps behaviour.
    Safe,
    /// Changes behaviour in the ways that `changes` says.
    Review,
    /// Prose only, no edits.
    Guidance,
}

/// One replacement in one file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edit {
    /// Path relative to the root.
    pub path: String,
    /// The bytes that go.
    pub span: Span,
    /// The text that comes.
    pub text: String,
}

/// A set of disjoint edits with what it is and what it changes.
#[derive(Clone, PartialEq, Debug)]
pub struct Patch {
    /// One line in the imperative.
    pub title: String,
    /// How far it may be trusted.
    pub safety: Safety,
    /// What changes in behaviour.
    pub changes: String,
    /// The edits, in source order.
    pub edits: Vec<Edit>,
    /// The edits as a unified diff, empty without edits.
    pub diff: String,
}

/// Why a set of edits cannot be applied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApplyError {
    /// Two edits touch the same bytes.
    #[error("edits overlap at byte {0}")]
    Overlap(u32),
    /// An edit lies outside the text or inside a character.
    #[error("edit at byte {0} is not on a character border of the text")]
    OffBorder(u32),
}

/// Applies `edits` to `text`.
///
/// Edits may come in any order; two inserts at one offset conflict unless they
/// are equal, in which case one is made.
///
/// # Errors
/// [`ApplyError`] where edits overlap or do not fit the text.
pub fn apply<'e>(text: &str, edits: impl IntoIterator<Item = (Span, &'e str)>) -> Result<String, ApplyError> {
    let mut edits: Vec<(Span, &str)> = edits.into_iter().collect();
    edits.sort();
    edits.dedup();
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0u32;
    let mut last: Option<Span> = None;
    for (span, replacement) in edits {
        let conflict = span.start < at
            || last.is_some_and(|last| last.start == span.start && (last.is_empty() || span.is_empty()));
        if conflict {
            return Err(ApplyError::Overlap(span.start));
        }
        let between = text.get(at as usize..span.start as usize).ok_or(ApplyError::OffBorder(span.start))?;
        if text.get(span.range()).is_none() {
            return Err(ApplyError::OffBorder(span.end));
        }
        out.push_str(between);
        out.push_str(replacement);
        at = span.end;
        last = Some(span);
    }
    out.push_str(text.get(at as usize..).ok_or(ApplyError::OffBorder(at))?);
    Ok(out)
}

/// The unified diff (three lines of context) from `old` to `new` for `path`.
pub fn unified_diff(path: &str, old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_in_any_order() {
        let out = apply("abcdef", [(Span::new(4, 5), "E"), (Span::new(0, 1), "A"), (Span::at(6), "!")]);
        assert_eq!(out.as_deref(), Ok("AbcdEf!"));
    }

    #[test]
    fn overlaps_and_rival_inserts_are_refused() {
        assert_eq!(apply("abc", [(Span::new(0, 2), "x"), (Span::new(1, 3), "y")]), Err(ApplyError::Overlap(1)));
        assert_eq!(apply("abc", [(Span::at(1), "x"), (Span::at(1), "y")]), Err(ApplyError::Overlap(1)));
        assert_eq!(apply("abc", [(Span::at(1), "x"), (Span::at(1), "x")]).as_deref(), Ok("axbc"));
    }

    #[test]
    fn edits_off_the_text_are_refused() {
        assert_eq!(apply("é", [(Span::new(1, 2), "x")]), Err(ApplyError::OffBorder(1)));
        assert!(apply("a", [(Span::new(0, 9), "x")]).is_err());
    }
}
