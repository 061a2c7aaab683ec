//! When a timer that nobody clears costs nothing.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, BindingPattern, Expression};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;

use super::{Timer, elements};
use crate::analyze::Sink;
use crate::analyze::typescript::{http, layout};
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::Root;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::Context;

/// A guard in the circumstances: the timer is true, but costs nothing.
pub fn guard(
    model: &Model<'_>,
    timer: &Timer<'_>,
    context: Context,
    millis: Option<f64>,
    sink: &Sink<'_>,
) -> Option<&'static str> {
    let race = timer.race.node_id.get();
    if millis.is_some_and(|millis| millis < sink.number("short_ms", 1000.0)) {
        return Some("short");
    }
    let once = || context != Context::Handler && (ends_or_starts(model, race) || serves_one_end(model, race));
    if matches!(context, Context::Startup | Context::Cli) || once() {
        return Some("runs-once");
    }
    // A script that ends itself waits for no timer.
    if context != Context::Handler && http::is_tool(model) && model.mentions("process.exit(") {
        return Some("runs-once");
    }
    // An extension of an editor serves one user too.
    let elsewhere = http::is_elsewhere(model, &model.enclosing(race));
    if (elsewhere || model.facts().is_browser() || model.facts().imports("vscode")) && context != Context::Handler {
        return Some("browser");
    }
    waits_for_timer(model, timer).then_some("paces")
}

/// True inside functions that run once at the start or the end of something.
fn ends_or_starts(model: &Model<'_>, node: NodeId) -> bool {
    const ONCE: &[&str] = &[
        "shutdown",
        "close",
        "stop",
        "dispose",
        "quit",
        "terminate",
        "destroy",
        "disconnect",
        "teardown",
        "kill",
        "exit",
        "deactivate",
        "unload",
        "init",
        "initialize",
        "initialise",
        "bootstrap",
        "activate",
        "launch",
        "cleanup",
        "shut",
        "startup",
        "boot",
        "sigterm",
        "sigint",
    ];
    let nodes = model.nodes();
    nodes.ancestor_ids(node).filter(|&id| is_function(nodes.kind(id))).any(|id| {
        let named = model.name_of(id).is_some_and(|name| {
            let words = words(&name);
            let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
            has(ONCE) || has(&["ready"]) && has(&["until", "wait", "when", "on", "ensure"])
        });
        let on_signal = match nodes.parent_kind(id) {
            AstKind::CallExpression(call) => {
                let path = model.callee(call);
                let ends = |word: &String| matches!(word.as_str(), "exit" | "shutdown" | "teardown");
                path.is_global("process", &["on"])
                    || path.is_global("process", &["once"])
                    || words(model.text(&call.callee)).iter().any(ends)
            }
            _ => false,
        };
        named || on_signal
    })
}

/// True for the function of this file alone that only such functions call.
fn serves_one_end(model: &Model<'_>, node: NodeId) -> bool {
    let nodes = model.nodes();
    let mut around = nodes.ancestor_ids(node).filter(|&id| is_function(nodes.kind(id)));
    around.any(|id| {
        let AstKind::Function(function) = nodes.kind(id) else { return false };
        let symbol = function.id.as_ref().and_then(|id| id.symbol_id.get()).filter(|_| !model.is_exported(id));
        let Some(symbol) = symbol else { return false };
        let mut calls = model.scoping().get_resolved_references(symbol).peekable();
        calls.peek().is_some()
            && calls.all(|reference| {
                let call = nodes.parent_kind(reference.node_id());
                matches!(call, AstKind::CallExpression(_)) && ends_or_starts(model, reference.node_id())
            })
    })
}

/// True where the timer is what is waited for, and the rest only cuts the
/// wait short: a pace in a loop, or a sleep that can be cancelled.
fn waits_for_timer(model: &Model<'_>, timer: &Timer<'_>) -> bool {
    if !resolves(model, timer) {
        return false;
    }
    const CUTS: &[&str] = &[
        "abort",
        "aborted",
        "cancel",
        "cancelled",
        "canceled",
        "shutdown",
        "stop",
        "stopped",
        "signal",
        "wake",
        "closed",
    ];
    let others: Vec<_> = elements(timer.race)
        .into_iter()
        .enumerate()
        .filter(|(index, _)| *index != timer.index)
        .filter_map(|(_, element)| element)
        .collect();
    let cuts = others.iter().all(|other| words(&named(model, other)).iter().any(|word| CUTS.contains(&word.as_str())));
    let plain = others
        .iter()
        .all(|other| matches!(bare(other), Expression::Identifier(_) | Expression::StaticMemberExpression(_)));
    !others.is_empty() && (cuts || plain && layout::loop_around(model, timer.race.node_id.get()).is_some())
}

/// What an element of a race is called: a call's own options do not count, so
/// that a request that is given a signal stays a request.
fn named(model: &Model<'_>, element: &Expression<'_>) -> String {
    match bare(element) {
        Expression::CallExpression(call) => {
            let plain = |given: &&Expression<'_>| {
                matches!(bare(given), Expression::Identifier(_) | Expression::StaticMemberExpression(_))
            };
            let given = call.arguments.iter().filter_map(Argument::as_expression).filter(plain);
            let root = model.callee(call);
            let callee = match root.root {
                // A chain's own links say what is waited for, not its options.
                Root::Call(first) => model.callee(first).leaf().to_owned(),
                _ => model.text(&call.callee).to_owned(),
            };
            given.fold(callee, |all, one| format!("{all} {}", model.text(one)))
        }
        other => model.text(other).to_owned(),
    }
}

/// True where the timer resolves the promise rather than rejects it.
fn resolves(model: &Model<'_>, timer: &Timer<'_>) -> bool {
    let Some(executor) = timer.executor else { return true };
    let first = model.parameters(executor).and_then(|p| p.items.first()).and_then(|p| match &p.pattern {
        BindingPattern::BindingIdentifier(id) => id.symbol_id.get(),
        _ => None,
    });
    let Some(first) = first else { return false };
    let within = span(&timer.call.span());
    model
        .scoping()
        .get_resolved_references(first)
        .any(|reference| within.contains(span(&model.kind(reference.node_id()))))
}
