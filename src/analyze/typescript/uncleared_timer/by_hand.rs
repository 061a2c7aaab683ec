//! Promises that settle with the work or with a timer, without `Promise.race`.

use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, CallExpression};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::{Origin, Timer, parameter, timers_of_promise};
use crate::lang::typescript::{Model, span};

/// `new Promise((resolve, reject) => { setTimeout(() => reject(…), ms);
/// work.then(resolve, reject); })`.
pub fn timers<'a>(model: &Model<'a>) -> Vec<Timer<'a>> {
    let mut timers = Vec::new();
    for &node in &model.index.news {
        let AstKind::NewExpression(new) = model.kind(node) else { continue };
        for (call, executor) in timers_of_promise(model, new) {
            let Some(resolve) = parameter(model, executor, 0) else { continue };
            let gives_up = parameter(model, executor, 1).is_some_and(|reject| uses(model, call, reject));
            // One that puts another value in the place of a late one gives up
            // too; one that resolves with nothing paces the work.
            let found = if gives_up || gives_value(model, call, resolve) {
                settling_call(model, executor, call, resolve, gives_up)
            } else {
                None
            };
            if let Some(race) = found {
                let (origin, executor) = (Origin::ByHand, Some(executor));
                timers.push(Timer { race, index: usize::MAX, origin, call, executor, delay: None });
            }
        }
    }
    timers
}

/// The call by which the work settles the promise beside the timer:
/// `work.then(resolve)`, `events.once("done", () => resolve())`, or
/// `events.on("done", onDone)` where `onDone` resolves. What only listens is
/// believed where the timer `gives_up`, and looks at nothing before it does.
fn settling_call<'a>(
    model: &Model<'a>,
    executor: NodeId,
    timer: &CallExpression<'_>,
    resolve: SymbolId,
    gives_up: bool,
) -> Option<&'a CallExpression<'a>> {
    let nodes = model.nodes();
    let looks = || model.subtree(timer.node_id.get()).any(|id| matches!(nodes.kind(id), AstKind::IfStatement(_)));
    let listens = gives_up && !looks();
    let own_call = |from: NodeId| {
        nodes.ancestor_ids(from).take_while(|&id| id != executor).find_map(|id| match nodes.kind(id) {
            AstKind::CallExpression(call) if model.function_of(id) == Some(executor) => Some(call),
            _ => None,
        })
    };
    let uses = |symbol: SymbolId| model.scoping().get_resolved_references(symbol).map(|reference| reference.node_id());
    let outside = |&at: &NodeId| !span(timer).contains(span(&nodes.kind(at)));
    uses(resolve).filter(outside).find_map(|at| {
        // What the executor resolves itself is no work that it waits for.
        let called = |call: &CallExpression<'_>| span(&call.callee) == span(&nodes.kind(at));
        let held_by = || {
            let handler = model.function_of(at).filter(|&handler| handler != executor)?;
            let AstKind::VariableDeclarator(held) = nodes.parent_kind(handler) else { return None };
            let BindingPattern::BindingIdentifier(name) = &held.id else { return None };
            uses(name.symbol_id.get()?).find_map(own_call)
        };
        let settles = own_call(at).filter(|call| !called(call)).or_else(held_by)?;
        (listens || model.callee(settles).leaf() == "then").then_some(settles)
    })
}

/// True where a function is called with a value within a call.
fn gives_value(model: &Model<'_>, timer: &CallExpression<'_>, resolve: SymbolId) -> bool {
    let inside = span(timer);
    model.scoping().get_resolved_references(resolve).any(|reference| {
        match model.nodes().parent_kind(reference.node_id()) {
            AstKind::CallExpression(call) => {
                let called = span(&call.callee) == span(&model.kind(reference.node_id()));
                called && !call.arguments.is_empty() && inside.contains(span(call))
            }
            _ => false,
        }
    })
}

/// True where a name is used within a call.
fn uses(model: &Model<'_>, call: &CallExpression<'_>, symbol: SymbolId) -> bool {
    let inside = span(call);
    let mut references = model.scoping().get_resolved_references(symbol);
    references.any(|reference| inside.contains(span(&model.kind(reference.node_id()))))
}
