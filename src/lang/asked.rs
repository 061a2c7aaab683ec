//! Answers about a whole text that many places of it ask for: searched once.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::source::{SourceFile, Span};

/// Which marks stand in which parts of a file.
#[derive(Default)]
pub struct Marks(RefCell<FxHashMap<(Span, &'static str), bool>>);

impl Marks {
    /// True where `mark` stands in the part of the text.
    pub fn within(&self, source: &SourceFile, part: Span, mark: &'static str) -> bool {
        *self.0.borrow_mut().entry((part, mark)).or_insert_with(|| source.slice(part).contains(mark))
    }

    /// True where `mark` stands anywhere in the text.
    pub fn anywhere(&self, source: &SourceFile, mark: &'static str) -> bool {
        self.within(source, Span::new(0, source.text.len() as u32), mark)
    }
}
