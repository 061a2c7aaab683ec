//! Runs of awaited reads in one statement list, none of which needs another's
//! result and between which nothing can happen that an order matters to.

mod statement;
mod waits;

use oxc_ast::AstKind;
use oxc_ast::ast::{AwaitExpression, VariableDeclaration, VariableDeclarator};
use oxc_syntax::node::NodeId;

use self::statement::{Read, is_value, link, read};
use crate::analyze::sink::parts;
use crate::lang::typescript::effects::Effects;
use crate::lang::typescript::uses::Uses;
use crate::lang::typescript::{Model, span};
use crate::source::Span;

pub use self::waits::{AwaitedRead, is_handed_over, named_io_of_element};

/// One awaited read of a run: `const x = await f(…);`, `x = await f(…);`, an
/// entry of a literal, or a branch that waits and goes on.
pub struct Link<'a> {
    /// The statement, or the entry.
    pub statement: NodeId,
    /// The declaration and its only declarator, where the await is one's value.
    pub declared: Option<(&'a VariableDeclaration<'a>, &'a VariableDeclarator<'a>)>,
    /// The await.
    pub awaited: &'a AwaitExpression<'a>,
    /// The awaited call; those inside of an awaited `Promise.all([…])`, or of a
    /// branch.
    pub reads: Vec<AwaitedRead<'a>>,
    /// The names of the statement.
    pub uses: Uses,
    /// Whether it is asked for at all, something decides.
    pub chosen: bool,
}

impl Link<'_> {
    /// The await's bytes.
    pub fn span(&self) -> Span {
        span(self.awaited)
    }
}

/// A statement between two awaits that changes nothing.
pub struct Between {
    /// Its bytes.
    pub span: Span,
    /// It writes a log, whose order would change.
    pub logs: bool,
    /// A call of which only the name says that it computes.
    pub calls: Option<Span>,
}

/// Awaits that could wait together, or one await with the guard that parts it
/// from the next.
#[derive(Default)]
pub struct Run<'a> {
    /// The awaits, in source order.
    pub links: Vec<Link<'a>>,
    /// Harmless statements between them.
    pub between: Vec<Between>,
    /// Why the await after a run of one does not belong to it, where a reader
    /// might ask.
    pub guard: Option<(&'static str, Span)>,
    /// The end of the run with the next await, which needs what the run's first
    /// ones give: where these turn out to be no reads, those may still be two.
    pub overlap: Option<Box<Run<'a>>>,
    tainted: Uses,
    /// The names of all awaits together.
    all: Uses,
    /// One of the awaits is chosen.
    chosen: bool,
}

/// Neighbouring awaits of a run, with what stands between them.
pub struct Part<'r, 'a> {
    /// Two or more awaits, in source order.
    pub links: &'r [Link<'a>],
    /// Harmless statements between them.
    pub between: Vec<&'r Between>,
}

impl<'a> Run<'a> {
    /// True where a link needs what the run gives, or may not come with it.
    fn depends(&self, link: &Link<'a>) -> bool {
        // What two conditions decide is seldom asked for together.
        let both_chosen = link.chosen && self.chosen;
        both_chosen || self.all.conflicts(&link.uses) || self.tainted.conflicts(&link.uses)
    }

    fn push(&mut self, link: Link<'a>) {
        self.all.extend(&link.uses);
        self.chosen |= link.chosen;
        self.links.push(link);
    }

    /// The whole run first, then every shorter part of it, the longest first:
    /// where one of the awaits turns out to be no read, its neighbours may
    /// still be two.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_, 'a>> {
        parts(&self.links).map(|links| {
            let inner = links.iter().map(Link::span).reduce(Span::cover).unwrap_or_default();
            Part { links, between: self.between.iter().filter(|between| inner.contains(between.span)).collect() }
        })
    }
}

/// Where the awaits of a file begin, in source order.
pub struct Awaits(Vec<u32>);

impl Awaits {
    /// Those of a file.
    pub fn of(model: &Model<'_>) -> Self {
        let mut starts: Vec<u32> = model.index.awaits.iter().map(|&id| span(&model.kind(id)).start).collect();
        starts.sort_unstable();
        Self(starts)
    }

    /// How many begin within a span.
    fn within(&self, at: Span) -> usize {
        let before = |byte: u32| self.0.partition_point(|&start| start < byte);
        before(at.end) - before(at.start)
    }
}

/// The runs of a statement list: every one of two or more awaits, and those of
/// one that a guard parts from the next.
pub fn runs<'a>(effects: &Effects<'_, 'a>, awaits: &Awaits, block: NodeId) -> Vec<Run<'a>> {
    let mut out = Vec::new();
    let at = |node: NodeId| span(&effects.model.kind(node));
    if awaits.within(at(block)) < 2 {
        return out;
    }
    let mut run = Run::default();
    let mut pending: Vec<Between> = Vec::new();
    let mut flush = |run: &mut Run<'a>, pending: &mut Vec<Between>, guard: Option<(&'static str, Span)>| {
        let mut done = std::mem::take(run);
        pending.clear();
        done.guard = guard;
        if done.links.len() > 1 || done.links.len() == 1 && done.guard.is_some() {
            out.push(done);
        }
    };
    let statements: Vec<NodeId> = effects.model.children(block).collect();
    for (index, &statement) in statements.iter().enumerate() {
        // What stands before the first await, or behind the last, parts nothing.
        let here = at(statement);
        let last = || awaits.within(Span::new(here.start, at(block).end)) == 0;
        if awaits.within(here) == 0 && (run.links.is_empty() || last()) {
            continue;
        }
        match read(effects, statement) {
            Read::Await(links) => {
                for link in links {
                    if run.depends(&link) {
                        run.overlap = overlapping(effects, &run, &statements[index..]).map(Box::new);
                        flush(&mut run, &mut pending, None);
                    }
                    run.between.append(&mut pending);
                    run.push(link);
                }
            }
            Read::Refused(guard, at) => flush(&mut run, &mut pending, Some((guard, at))),
            Read::Harmless(uses, between) => {
                if run.links.is_empty() {
                    continue;
                }
                // A value computed from an awaited one stands for it.
                if run.all.conflicts(&uses) || run.tainted.conflicts(&uses) {
                    run.tainted.extend(&uses);
                }
                pending.push(between);
            }
            Read::End => flush(&mut run, &mut pending, None),
        }
    }
    flush(&mut run, &mut pending, None);
    out
}

/// See [`Run::overlap`]; `rest` begins with the statement that does not belong
/// to all of `run`. With a statement between the awaits, none is told.
fn overlapping<'a>(effects: &Effects<'_, 'a>, run: &Run<'a>, rest: &[NodeId]) -> Option<Run<'a>> {
    if run.links.len() < 2 || !run.between.is_empty() {
        return None;
    }
    let again = |statement: &NodeId| match read(effects, *statement) {
        Read::Await(links) => <[Link<'a>; 1]>::try_from(links).ok().map(|[link]| link),
        _ => None,
    };
    let (first, after) = rest.split_first()?;
    let next = again(first)?;
    let from = run.links.iter().rposition(|earlier| earlier.uses.conflicts(&next.uses))? + 1;
    if from == run.links.len() || run.tainted.conflicts(&next.uses) {
        return None;
    }
    let links = run.links[from..].iter().map(|link| again(&link.statement)).collect::<Option<Vec<_>>>()?;
    let mut overlap = Run::default();
    links.into_iter().chain([next]).for_each(|link| overlap.push(link));
    for link in after.iter().map_while(again) {
        if overlap.all.conflicts(&link.uses) {
            break;
        }
        overlap.push(link);
    }
    Some(overlap)
}

/// The awaited entries of an object or array literal, which are evaluated in
/// turn: `{ users: await f(), total: await g() }`, where nothing else between
/// them may do more than give a value.
pub fn entries<'a>(effects: &Effects<'_, 'a>, awaits: &Awaits, literal: NodeId) -> Vec<Run<'a>> {
    let model = effects.model;
    let mut out = Vec::new();
    if awaits.within(span(&model.kind(literal))) < 2 {
        return out;
    }
    let mut run = Run::default();
    for entry in model.children(literal) {
        let value = match model.kind(entry) {
            AstKind::ObjectProperty(property) if !property.computed => Some(model.node(&property.value)),
            AstKind::ObjectProperty(_) | AstKind::SpreadElement(_) => None,
            _ => Some(entry),
        };
        let read = match value.map(|value| model.kind(value)) {
            Some(AstKind::AwaitExpression(awaited)) => link(effects, entry, None, awaited),
            _ if is_value(effects, entry) => continue,
            _ => Read::End,
        };
        match read {
            Read::Await(links) => links.into_iter().for_each(|link| run.push(link)),
            _ => out.push(std::mem::take(&mut run)),
        }
    }
    out.push(run);
    out.retain(|run| run.links.len() > 1);
    out
}
