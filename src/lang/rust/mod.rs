//! Rust behind the model's words: a syn tree lowered to [`node`]s with
//! parents and byte spans, and what rules ask of it.
//!
//! - [`node`]: the tree
//! - [`once`]: what many places ask of the whole file, answered once
//! - [`path`]: what a path stands for, through `use`
//! - [`functions`]: enclosing functions, symbols, where code is asynchronous
//! - [`context`]: where code runs
//! - [`clients`]: where HTTP clients are made
//! - [`blocking`]: calls that block their thread
//! - [`effects`]: what an awaited call does
//! - [`uses`]: what a piece of code reads, borrows and moves
//! - [`imports`]: items that patches put into a module
//! - [`named`]: functions that only their name leads to
//! - [`values`]: local bindings, their written types, where a local goes

pub mod blocking;
pub mod clients;
pub mod context;
pub mod effects;
mod encoders;
pub mod exports;
pub mod functions;
pub mod imports;
mod lower;
pub mod named;
pub mod node;
pub mod once;
pub mod path;
pub mod uses;
pub mod values;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::source::SourceFile;
use node::Tree;

/// One Rust file, parsed and resolved.
pub struct Model<'a> {
    /// The file.
    pub source: &'a SourceFile,
    /// The tree.
    pub tree: Tree,
    /// What the file as a whole shows.
    pub facts: context::FileFacts,
    /// The free functions that handlers call, once somebody asks.
    called_by_handlers: OnceCell<BTreeSet<String>>,
    called_on_clock: OnceCell<BTreeSet<String>>,
    /// What many places ask of the whole file.
    pub once: once::Once,
}

/// Why a file has no typed tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFailure {
    /// The parser's message.
    pub message: String,
    /// Where, in bytes.
    pub offset: Option<u32>,
}

impl<'a> Model<'a> {
    /// Parses and resolves a file.
    ///
    /// # Errors
    /// [`ParseFailure`] where syn rejects the file.
    pub fn parse(source: &'a SourceFile) -> Result<Self, ParseFailure> {
        let tree = lower::tree(&source.text)?;
        let facts = context::FileFacts::of(source, &tree);
        let (called_by_handlers, called_on_clock) = (OnceCell::new(), OnceCell::new());
        Ok(Self { source, tree, facts, called_by_handlers, called_on_clock, once: once::Once::default() })
    }
}
