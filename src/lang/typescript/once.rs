//! What many places ask of the whole file, or of one function: worked out once,
//! so that a file's time grows with its length and not with its square.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use oxc_ast::AstKind;
use oxc_syntax::node::NodeId;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Model, span};
use crate::lang::asked::Marks;
use crate::observe::Setting;
use crate::source::Span;

/// The answers so far.
#[derive(Default)]
pub struct Once {
    marks: Marks,
    /// Whether the file is a tool that somebody starts.
    pub is_tool: OnceCell<bool>,
    /// What the file sets for all requests.
    pub settings: OnceCell<Vec<(Setting, Span)>>,
    /// The requests of a function that its marks of a bound are for.
    pub bounds: RefCell<FxHashMap<Span, Rc<Bounds>>>,
    long_templates: OnceCell<Vec<Span>>,
    long_pieces: OnceCell<Vec<Span>>,
    races: OnceCell<Vec<Span>>,
}

/// What the marks of a bound in one function are for.
#[derive(Default)]
pub struct Bounds {
    /// One of them is no request's own, so that it may be any's.
    pub of_all: bool,
    /// Requests with one of their own.
    pub own: FxHashSet<NodeId>,
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

    /// Template literals of several lines, by their start.
    pub fn long_templates(&self) -> &[Span] {
        self.once.long_templates.get_or_init(|| {
            self.long(|kind| match kind {
                AstKind::TemplateLiteral(template) => Some(span(template)),
                _ => None,
            })
        })
    }

    /// Pieces of template literals that go over several lines, by their start.
    pub fn long_pieces(&self) -> &[Span] {
        self.once.long_pieces.get_or_init(|| {
            self.long(|kind| match kind {
                AstKind::TemplateElement(element) => Some(span(element)),
                _ => None,
            })
        })
    }

    fn long(&self, wanted: impl Fn(AstKind<'_>) -> Option<Span>) -> Vec<Span> {
        let all = self.nodes().iter().filter_map(|node| wanted(node.kind()));
        let mut long: Vec<Span> = all.filter(|&at| self.source.slice(at).contains('\n')).collect();
        long.sort_unstable();
        long
    }

    /// Calls of `Promise.race`, by their start.
    pub fn races(&self) -> &[Span] {
        self.once.races.get_or_init(|| {
            let mut races: Vec<Span> = self.index.calls.iter().filter_map(|&id| self.race(id)).collect();
            races.sort_unstable();
            races
        })
    }

    /// The bytes of a call of `Promise.race`.
    pub fn race(&self, node: NodeId) -> Option<Span> {
        match self.kind(node) {
            AstKind::CallExpression(call) => self.callee(call).is_global("Promise", &["race"]).then(|| span(call)),
            _ => None,
        }
    }
}

/// True where one of `sorted` lies in `within`.
pub fn any_within(sorted: &[Span], within: Span) -> bool {
    let from = sorted.partition_point(|at| at.start < within.start);
    sorted[from..].iter().take_while(|at| at.start <= within.end).any(|&at| within.contains(at))
}
