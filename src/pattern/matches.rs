//! Runs a query over a tree, within a step budget that is counted and never
//! timed: the same file gives the same hits on a slow machine.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use streaming_iterator::StreamingIterator;
use tree_sitter::{Node, ParseOptions, Parser, QueryCursor, QueryCursorOptions, Tree};

use crate::observe::{Question, Value};
use crate::pattern::compiled::{Compiled, Plan};
use crate::pattern::grammar;
use crate::pattern::predicate::{Budget, mentions, names_bound};
use crate::source::{Family, SourceFile, Span, for_parsers};

/// tree-sitter keeps at most this many matches open at once; its own default
/// has no limit and lets a query grow with the square of a file.
const OPEN_MATCHES: u32 = 16_384;

/// A file took more steps than it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Exceeded;

/// One hit of a query.
pub(super) struct Hit<'t> {
    /// The nodes of `@hit`, of which the first is the primary node.
    pub(super) node: Node<'t>,
    /// Nodes by capture index, in source order, without repeats.
    pub(super) captures: BTreeMap<u32, Vec<Node<'t>>>,
    pub(super) variant: Option<String>,
    pub(super) values: Vec<(String, Value)>,
    pub(super) needs: Vec<Question>,
}

impl<'t> Hit<'t> {
    /// The nodes of a capture.
    pub(super) fn of(&self, capture: u32) -> &[Node<'t>] {
        self.captures.get(&capture).map_or(&[], Vec::as_slice)
    }
}

/// Parses a file with its grammar.
pub(super) fn parse(file: &SourceFile) -> Result<Tree, Exceeded> {
    // The parser calls back after every 100 operations; a file has about one
    // operation a byte, and error recovery some more.
    let mut left = 10_000 + file.text.len() as u64 / 4;
    let mut progress = |_: &tree_sitter::ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut parser = Parser::new();
    parser.set_language(&grammar(file.language)).map_err(|_| Exceeded)?;
    let text = match file.language.family() {
        Family::TypeScript => for_parsers(&file.text),
        Family::Rust => Cow::Borrowed(file.text.as_str()),
    };
    let bytes = text.as_bytes();
    let mut read = |at: usize, _: tree_sitter::Point| bytes.get(at..).unwrap_or_default();
    let options = ParseOptions::new().progress_callback(&mut progress);
    parser.parse_with_options(&mut read, None, Some(options)).ok_or(Exceeded)
}

/// The hits of a query in a tree, in source order, one to a primary node.
pub(super) fn hits<'t>(
    compiled: &Compiled,
    tree: &'t Tree,
    text: &str,
    budget: &mut Budget,
) -> Result<Vec<Hit<'t>>, Exceeded> {
    let root = tree.root_node();
    let mut cursor = QueryCursor::new();
    cursor.set_match_limit(OPEN_MATCHES);
    let mut exceeded = false;
    let mut left = 100_000 + text.len() as u64;
    let mut progress = |_: &tree_sitter::QueryCursorState| {
        left = left.saturating_sub(1);
        exceeded |= left == 0;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut found: Vec<(usize, Hit<'t>)> = Vec::new();
    {
        let options = QueryCursorOptions::new().progress_callback(&mut progress);
        let mut matches = cursor.matches_with_options(&compiled.query, root, text.as_bytes(), options);
        while let Some(one) = matches.next() {
            let mut captures: BTreeMap<u32, Vec<Node<'t>>> = BTreeMap::new();
            for capture in one.captures() {
                captures.entry(capture.index).or_default().push(capture.node);
            }
            let plan = &compiled.plans[one.pattern_index];
            if !passes(plan, &captures, root, text, budget).ok_or(Exceeded)? {
                continue;
            }
            let Some(node) = captures.get(&compiled.hit).and_then(|nodes| nodes.first()).copied() else { continue };
            let (variant, values, needs) = (plan.variant.clone(), plan.values.clone(), plan.needs.clone());
            found.push((one.pattern_index, Hit { node, captures, variant, values, needs }));
        }
    }
    if exceeded || cursor.did_exceed_match_limit() {
        return Err(Exceeded);
    }
    found.sort_by_key(|(pattern, hit)| (hit.node.start_byte(), hit.node.end_byte(), *pattern));
    join_chains(compiled, found, text, budget).ok_or(Exceeded)
}

fn passes<'t>(
    plan: &Plan,
    captures: &BTreeMap<u32, Vec<Node<'t>>>,
    root: Node<'t>,
    text: &str,
    budget: &mut Budget,
) -> Option<bool> {
    let of = |capture: u32| captures.get(&capture).cloned().unwrap_or_default();
    for test in &plan.tests {
        if !test.holds(&of, root, text, budget)? {
            return Some(false);
        }
    }
    Some(true)
}

/// Joins the links of chains to one hit each, and drops further matches of a
/// primary node: the one with the most captured nodes stays.
fn join_chains<'t>(
    compiled: &Compiled,
    found: Vec<(usize, Hit<'t>)>,
    text: &str,
    budget: &mut Budget,
) -> Option<Vec<Hit<'t>>> {
    let mut kept: Vec<Hit<'t>> = Vec::new();
    // Open chains by the node that the next link has to start from.
    let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
    let mut heads: Vec<usize> = Vec::new();
    for (pattern, hit) in found {
        let plan = &compiled.plans[pattern];
        let Some((first, next)) = plan.chain else {
            merge(&mut kept, hit);
            continue;
        };
        let link = |hit: &Hit<'t>, capture| hit.of(capture).first().map(Node::id);
        let (Some(from), Some(to)) = (link(&hit, first), link(&hit, next)) else { continue };
        if let Some(&head) = ends.get(&from) {
            let depends = plan.independent && uses_earlier(&kept[head], &hit, first, next, text, budget)?;
            if !depends {
                ends.insert(to, head);
                for (capture, nodes) in hit.captures {
                    if capture != compiled.hit {
                        let all = kept[head].captures.entry(capture).or_default();
                        all.extend(nodes);
                        all.sort_by_key(|node| (node.start_byte(), node.end_byte()));
                        all.dedup_by_key(|node| node.id());
                    }
                }
            }
            // A link from within a chain starts none of its own.
            continue;
        }
        if ends.contains_key(&to) && heads.contains(&from) {
            continue;
        }
        let depends = plan.independent && uses_earlier(&hit, &hit, first, next, text, budget)?;
        if depends {
            continue;
        }
        heads.push(from);
        ends.insert(to, kept.len());
        kept.push(hit);
    }
    Some(kept)
}

/// True where the statement that `link` adds mentions a name that a statement
/// of the chain so far binds, or asks for the very same (a try, a warm-up).
fn uses_earlier<'t>(
    chain: &Hit<'t>,
    link: &Hit<'t>,
    first: u32,
    next: u32,
    text: &str,
    budget: &mut Budget,
) -> Option<bool> {
    let added = link.of(next);
    let added_ids: Vec<usize> = added.iter().map(Node::id).collect();
    let asked = |node: &Node<'t>| {
        let value = node.child_by_field_name("value")?;
        Some(text.get(value.byte_range())?.trim_end_matches('?'))
    };
    let mut bound = std::collections::BTreeSet::new();
    for node in chain.of(first).iter().chain(chain.of(next)) {
        if !added_ids.contains(&node.id()) {
            names_bound(*node, text, budget, &mut bound)?;
            if asked(node).is_some() && added.iter().any(|added| asked(added) == asked(node)) {
                return Some(true);
            }
        }
    }
    for node in added {
        if mentions(*node, &bound, text, budget)? {
            return Some(true);
        }
    }
    Some(false)
}

fn merge<'t>(kept: &mut Vec<Hit<'t>>, hit: Hit<'t>) {
    let size = |hit: &Hit<'t>| hit.captures.values().map(Vec::len).sum::<usize>();
    match kept.iter_mut().rev().find(|other| other.node.id() == hit.node.id()) {
        Some(other) if size(other) < size(&hit) => *other = hit,
        Some(_) => {}
        None => kept.push(hit),
    }
}

/// A node's bytes as ours.
pub(super) fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte() as u32, node.end_byte() as u32)
}
