//! Candidates' drafts as patches: imports made edits, the results parsed.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::join::{Closed, Join};
use crate::lang;
use crate::observe::Import;
use crate::patch::{Edit, Patch, apply, diff_of, fit};
use crate::rule::template;
use crate::source::{Family, SourceFile, Span};

/// The edits of one patch, sorted.
type Edits = Vec<(Span, String)>;

/// The patches of closed candidates, in their order. `None` where one has no
/// draft, or where the draft does not hold: its imports cannot be made, edits
/// overlap, or the patched text does not parse.
pub fn patches(join: &Join<'_>, closed: &[&Closed]) -> Vec<Option<Patch>> {
    let mut files: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, one) in closed.iter().enumerate().filter(|(_, one)| one.candidate.patch.is_some()) {
        files.entry(&one.path).or_default().push(index);
    }
    let mut out: Vec<Option<Patch>> = vec![None; closed.len()];
    let made: Vec<(usize, Patch)> = files
        .into_par_iter()
        .flat_map_iter(|(path, indices)| {
            let edits = join.files.source(path).map(|source| edits_of(source, closed, &indices)).unwrap_or_default();
            edits.into_iter().filter_map(|(index, edits)| Some((index, patch(join, closed[index], edits)?)))
        })
        .collect();
    for (index, patch) in made {
        out[index] = Some(patch);
    }
    out
}

/// The edits of a file's patches that hold, by the candidate's index.
fn edits_of(source: &SourceFile, closed: &[&Closed], indices: &[usize]) -> Vec<(usize, Edits)> {
    let mut imports: BTreeMap<&[Import], Option<Edits>> = BTreeMap::new();
    let mut open: Vec<(usize, Edits)> = Vec::new();
    for &index in indices {
        let Some(draft) = &closed[index].candidate.patch else { continue };
        let mut edits = draft.edits.clone();
        if !draft.imports.is_empty() {
            let added = imports.entry(&draft.imports).or_insert_with(|| match source.language.family() {
                Family::TypeScript => lang::typescript::imports::edits_for(source, &draft.imports),
                // Rust drafts write whole paths, which need no `use`.
                Family::Rust => None,
            });
            let Some(added) = added else { continue };
            edits.extend(added.iter().cloned());
        }
        edits.sort();
        edits.dedup();
        if fit(&source.text, &edits).is_ok() {
            open.push((index, edits));
        }
    }
    /// Patches that are for one place are for one run after the other; more of
    /// them would each cost a parse of the whole file.
    const ROUNDS: usize = 32;
    let check = Check { source, before: OnceCell::new() };
    let mut held = Vec::new();
    for _ in 0..ROUNDS {
        if open.is_empty() {
            break;
        }
        let together = disjoint(&mut open);
        held.extend(check.those_that_hold(together));
    }
    held
}

/// Takes out patches whose edits leave each other alone, the first ones first.
fn disjoint(open: &mut Vec<(usize, Edits)>) -> Vec<(usize, Edits)> {
    let mut taken: BTreeMap<Span, String> = BTreeMap::new();
    let (mut together, mut rest) = (Vec::new(), Vec::new());
    for (index, edits) in open.drain(..) {
        if edits.iter().all(|(span, text)| is_free(&taken, *span, text)) {
            taken.extend(edits.iter().cloned());
            together.push((index, edits));
        } else {
            rest.push((index, edits));
        }
    }
    *open = rest;
    together
}

/// True where an edit can be made beside those in `taken`; see [`apply`].
fn is_free(taken: &BTreeMap<Span, String>, span: Span, text: &str) -> bool {
    if let Some(same) = taken.get(&span) {
        return same == text;
    }
    let rivals = |one: Span, other: Span| one.start == other.start && (one.is_empty() || other.is_empty());
    let before = taken.range(..span).next_back().is_none_or(|(&at, _)| at.end <= span.start && !rivals(at, span));
    let after = taken.range(span..).next().is_none_or(|(&at, _)| span.end <= at.start && !rivals(at, span));
    before && after
}

/// Parses what patches make of a file.
struct Check<'s> {
    source: &'s SourceFile,
    /// Syntax errors of the file itself.
    before: OnceCell<Option<usize>>,
}

impl Check<'_> {
    /// Those of disjoint patches after which the file parses: all of them at
    /// once, and by halves where something is wrong.
    fn those_that_hold(&self, mut patches: Vec<(usize, Edits)>) -> Vec<(usize, Edits)> {
        let edits = patches.iter().flat_map(|(_, edits)| edits).map(|(span, text)| (*span, text.as_str()));
        if apply(&self.source.text, edits).is_ok_and(|patched| self.parses(patched)) {
            return patches;
        }
        if patches.len() < 2 {
            return Vec::new();
        }
        let others = patches.split_off(patches.len() / 2);
        let mut held = self.those_that_hold(patches);
        held.extend(self.those_that_hold(others));
        held
    }

    /// True where the patched text has a typed tree without more errors than before.
    fn parses(&self, patched: String) -> bool {
        let source = self.source;
        let after = SourceFile::new(source.path.clone(), source.language, source.class, patched);
        match source.language.family() {
            Family::TypeScript => match lang::typescript::syntax_errors(&after) {
                Some(0) => true,
                Some(after) => {
                    let before = self.before.get_or_init(|| lang::typescript::syntax_errors(source));
                    before.is_some_and(|before| after <= before)
                }
                None => false,
            },
            Family::Rust => lang::rust::Model::parse(&after).is_ok(),
        }
    }
}

/// The patch of a closed candidate, in the rule's words.
fn patch(join: &Join<'_>, closed: &Closed, edits: Edits) -> Option<Patch> {
    let draft = closed.candidate.patch.as_ref()?;
    let text = join.rules.rules[closed.candidate.rule].patch.get(draft.key.as_ref())?;
    let source = join.files.source(&closed.path)?;
    let shown = super::write::shown(join.prefix, &closed.path);
    let diff = diff_of(&shown, &source.text, source.lines(), &edits).ok()?;
    let edits = edits.into_iter().map(|(span, text)| Edit { path: shown.clone(), span, text });
    Some(Patch {
        title: template::fill(&text.title, &closed.candidate.values),
        safety: text.safety,
        changes: template::fill(&text.changes, &closed.candidate.values),
        edits: edits.collect(),
        diff,
    })
}
