//! Tree-sitter as the pattern engine: grammars, lazily compiled queries, matches.
//!
//! - [`compiled`]: a query with its further tests, chain, values
//! - [`predicate`]: tests beyond tree-sitter's own (`#inside?`, `#has?` …)
//! - [`matches`]: running a query over a tree within a step budget
//! - [`place`]: enclosing symbol and context, from names alone
//! - [`map`]: matches to candidates

pub mod compiled;
pub mod map;
pub mod matches;
pub mod place;
pub mod predicate;

use std::sync::OnceLock;

pub use compiled::{Compiled, PatternError, compile};
pub use map::{MapError, map_query};

use crate::rule::RuleSet;
use crate::source::Language;

/// The grammar of a language. `.js` and `.jsx` parse as TSX.
pub fn grammar(language: Language) -> tree_sitter::Language {
    match language {
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        Language::Tsx | Language::JavaScript => tree_sitter_typescript::LANGUAGE_TSX.into(),
        Language::Rust => tree_sitter_rust::LANGUAGE.into(),
    }
}

/// The compiled queries of a rule set, each made when the first file needs it
/// (4 to 12 ms a pattern and grammar).
pub struct Patterns {
    slots: Vec<[OnceLock<Result<Compiled, PatternError>>; 3]>,
}

impl Patterns {
    /// Empty slots for every rule and grammar.
    pub fn new(rules: &RuleSet) -> Self {
        Self { slots: rules.rules.iter().map(|_| Default::default()).collect() }
    }

    /// The query of the rule of index `rule` for the grammar of `language`.
    ///
    /// # Errors
    /// [`PatternError`] where the query does not compile; loading a rule
    /// refuses such a query, so this is a rule that was not loaded.
    pub fn get(&self, rule: usize, language: Language, query: &str) -> Result<&Compiled, PatternError> {
        let grammar = match language {
            Language::TypeScript => 0,
            Language::Tsx | Language::JavaScript => 1,
            Language::Rust => 2,
        };
        let slot = self.slots.get(rule).ok_or_else(|| PatternError::new("no such rule", 0))?;
        slot[grammar].get_or_init(|| compile(language, query)).as_ref().map_err(Clone::clone)
    }
}
