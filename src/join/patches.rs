//! A candidate's draft as a patch: imports made edits, the result parsed.

use crate::join::{Closed, Join};
use crate::lang;
use crate::patch::{Edit, Patch, apply, unified_diff};
use crate::rule::template;
use crate::source::{Family, SourceFile, Span};

/// The patch of a closed candidate. `None` where it has no draft, or where the
/// draft does not hold: its imports cannot be made, edits overlap, or the
/// patched text does not parse.
pub fn patch(join: &Join<'_>, closed: &Closed) -> Option<Patch> {
    let draft = closed.candidate.patch.as_ref()?;
    let rule = &join.rules.rules[closed.candidate.rule];
    let text = rule.patch.get(draft.key.as_ref())?;
    let source = join.files.source(&closed.path)?;
    let mut edits: Vec<(Span, String)> = draft.edits.clone();
    if !draft.imports.is_empty() {
        edits.extend(match source.language.family() {
            Family::TypeScript => lang::typescript::imports::edits_for(source, &draft.imports)?,
            // Rust drafts write whole paths, which need no `use`.
            Family::Rust => return None,
        });
    }
    edits.sort();
    edits.dedup();
    let patched = apply(&source.text, edits.iter().map(|(span, text)| (*span, text.as_str()))).ok()?;
    if !parses(source, &patched) {
        return None;
    }
    let shown = super::write::shown(join.prefix, &closed.path);
    let edits = edits.into_iter().map(|(span, text)| Edit { path: shown.clone(), span, text });
    Some(Patch {
        title: template::fill(&text.title, &closed.candidate.values),
        safety: text.safety,
        changes: template::fill(&text.changes, &closed.candidate.values),
        edits: edits.collect(),
        diff: unified_diff(&shown, &source.text, &patched),
    })
}

/// True where the patched text has a typed tree without more errors than before.
fn parses(source: &SourceFile, patched: &str) -> bool {
    let after = SourceFile::new(source.path.clone(), source.language, source.class, patched.to_owned());
    match source.language.family() {
        Family::TypeScript => match lang::typescript::syntax_errors(&after) {
            Some(0) => true,
            Some(after) => lang::typescript::syntax_errors(source).is_some_and(|before| after <= before),
            None => false,
        },
        Family::Rust => lang::rust::Model::parse(&after).is_ok(),
    }
}
