//! Edits and patches: byte ranges with their replacement, applied as a set.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::{LineIndex, Span};

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
    fit(text, &edits)?;
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0u32;
    for (span, replacement) in edits {
        out.push_str(text.get(at as usize..span.start as usize).ok_or(ApplyError::OffBorder(span.start))?);
        out.push_str(replacement);
        at = span.end;
    }
    out.push_str(text.get(at as usize..).ok_or(ApplyError::OffBorder(at))?);
    Ok(out)
}

/// Whether sorted edits, each there once, can be made together.
///
/// # Errors
/// As [`apply`].
pub fn fit<T: AsRef<str>>(text: &str, edits: &[(Span, T)]) -> Result<(), ApplyError> {
    let mut last: Option<Span> = None;
    for &(span, _) in edits {
        let conflict = last.is_some_and(|last| {
            span.start < last.end || last.start == span.start && (last.is_empty() || span.is_empty())
        });
        if conflict {
            return Err(ApplyError::Overlap(span.start));
        }
        if !text.is_char_boundary(span.start as usize) {
            return Err(ApplyError::OffBorder(span.start));
        }
        if text.get(span.range()).is_none() {
            return Err(ApplyError::OffBorder(span.end));
        }
        last = Some(span);
    }
    Ok(())
}

/// The unified diff (three lines of context) from `old` to `new` for `path`.
pub fn unified_diff(path: &str, old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

/// Edits that are no more lines apart are compared in one piece.
const APART: u32 = 64;

/// Lines around edits that are compared with them: more than a diff shows, so
/// that equal lines beside an edit lie in the piece too.
const AROUND: u32 = 8;

/// [`unified_diff`] of what sorted `edits` make of `text`, in the time that the
/// pieces around them take and not the whole text.
///
/// # Errors
/// As [`apply`].
pub fn diff_of(path: &str, text: &str, lines: &LineIndex, edits: &[(Span, String)]) -> Result<String, ApplyError> {
    let mut out = String::new();
    // By how many lines what was written so far is longer.
    let mut longer = 0i64;
    let mut rest = edits;
    while let Some((first, _)) = rest.first() {
        let near = |pair: &[(Span, String)]| lines.line(pair[1].0.start) <= lines.line(pair[0].0.end) + APART;
        let count = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
        let (piece, after) = rest.split_at(count);
        rest = after;
        let end = piece.iter().map(|(span, _)| span.end).max().unwrap_or(first.end);
        let line = lines.line(first.start).saturating_sub(AROUND).max(1);
        let start = lines.line_start(line).unwrap_or(0);
        let end = lines.line_start(lines.line(end) + AROUND + 1).unwrap_or(text.len() as u32);
        let old = text.get(start as usize..end as usize).ok_or(ApplyError::OffBorder(start))?;
        let moved = piece.iter().map(|(span, new)| (Span::new(span.start - start, span.end - start), new.as_str()));
        let new = apply(old, moved)?;
        let diff = similar::TextDiff::from_lines(old, new.as_str());
        for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
            let hunk = hunk.to_string();
            let (head, body) = hunk.split_once('\n').unwrap_or((&hunk, ""));
            out.push_str(&format!("{}\n{body}", moved_head(head, i64::from(line) - 1, longer)));
        }
        let count = |text: &str| text.matches('\n').count() as i64;
        longer += count(&new) - count(old);
    }
    if out.is_empty() { Ok(out) } else { Ok(format!("--- a/{path}\n+++ b/{path}\n{out}")) }
}

/// `@@ -1,7 +1,8 @@` of a piece that begins after `before` lines, where the new
/// text is `longer` lines longer by then.
fn moved_head(head: &str, before: i64, longer: i64) -> String {
    let moved = |range: &str, by: i64| {
        let (sign, rest) = range.split_at(1);
        let (line, count) = rest.split_once(',').map_or((rest, None), |(line, count)| (line, Some(count)));
        let line = line.parse::<i64>().unwrap_or_default() + by;
        count.map_or_else(|| format!("{sign}{line}"), |count| format!("{sign}{line},{count}"))
    };
    let parts = head.split(' ').map(|part| match part.as_bytes().first() {
        Some(b'-') => moved(part, before),
        Some(b'+') => moved(part, before + longer),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(" ")
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
    fn a_diff_of_edits_is_the_diff_of_the_texts() {
        let text: String = (1..=400).map(|n| format!("line {}\n", n % 50)).collect();
        let lines = LineIndex::new(&text);
        let start = |line| lines.line_start(line).unwrap();
        let insert = |line: u32| (Span::at(start(line)), "new\nlines\n".to_owned());
        let gone = |line: u32| (Span::new(start(line), start(line + 1)), String::new());
        let within = |line: u32| (Span::new(start(line) + 1, start(line) + 3), "é".to_owned());
        for edits in [
            vec![insert(1)],
            vec![gone(400)],
            vec![within(7), within(9), insert(40)],
            vec![insert(1), gone(90), within(91), insert(200), within(399)],
            vec![(Span::at(text.len() as u32), "end".to_owned())],
            vec![],
        ] {
            let new = apply(&text, edits.iter().map(|(span, text)| (*span, text.as_str()))).unwrap();
            assert_eq!(diff_of("a.ts", &text, &lines, &edits).unwrap(), unified_diff("a.ts", &text, &new));
        }
    }

    #[test]
    fn edits_off_the_text_are_refused() {
        assert_eq!(apply("é", [(Span::new(1, 2), "x")]), Err(ApplyError::OffBorder(1)));
        assert!(apply("a", [(Span::new(0, 9), "x")]).is_err());
    }
}
