//! What many places ask of the whole file, worked out once, so that a file's
//! time grows with its length and not with its square.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};

use super::Model;
use super::node::{Kind, NodeId};
use crate::lang::asked::Marks;
use crate::source::Span;

/// The answers so far.
#[derive(Default)]
pub struct Once {
    marks: Marks,
    crates: RefCell<BTreeMap<String, bool>>,
    /// Of each block the `let`s by the names that they bind, in order.
    lets: OnceCell<HashMap<NodeId, HashMap<String, Vec<NodeId>>>>,
    /// Constants and statics by name; of two of one name the first.
    named: OnceCell<HashMap<String, NodeId>>,
    /// Calls that may bound how long something takes.
    pub bounds: OnceCell<Vec<NodeId>>,
}

impl Model<'_> {
    /// True where the file's text holds `mark`.
    pub fn mentions(&self, mark: &'static str) -> bool {
        self.once.marks.anywhere(self.source, mark)
    }

    /// True where the text of `part` holds `mark`.
    pub fn mentions_in(&self, part: Span, mark: &'static str) -> bool {
        self.once.marks.within(self.source, part, mark)
    }

    /// [`Model::names_crate`], asked once for each crate.
    pub(super) fn names_crate_once(&self, name: &str, ask: impl FnOnce() -> bool) -> bool {
        if let Some(&known) = self.once.crates.borrow().get(name) {
            return known;
        }
        let names = ask();
        self.once.crates.borrow_mut().insert(name.to_owned(), names);
        names
    }

    /// The last `let` of a block that binds `name` before a node.
    pub(super) fn let_before(&self, block: NodeId, name: &str, before: NodeId) -> Option<NodeId> {
        let blocks = self.once.lets.get_or_init(|| {
            let mut blocks: HashMap<NodeId, HashMap<String, Vec<NodeId>>> = HashMap::new();
            for id in self.tree.all() {
                let Kind::Let { pattern, .. } = self.tree.kind(id) else { continue };
                let names = blocks.entry(self.tree.node(id).parent).or_default();
                for bound in &pattern.bound {
                    names.entry(bound.name.clone()).or_default().push(id);
                }
            }
            blocks
        });
        let all = blocks.get(&block)?.get(name)?;
        all[..all.partition_point(|&id| id < before)].last().copied()
    }

    /// The first constant or static of a name.
    pub(super) fn constant(&self, name: &str) -> Option<NodeId> {
        let named = self.once.named.get_or_init(|| {
            let mut named = HashMap::new();
            for id in self.tree.all() {
                if let Kind::Once { name, .. } = self.tree.kind(id) {
                    named.entry(name.clone()).or_insert(id);
                }
            }
            named
        });
        named.get(name).copied()
    }
}
