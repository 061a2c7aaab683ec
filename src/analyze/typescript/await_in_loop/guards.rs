//! Loops that are meant to take one turn after the other, and those whose
//! turns are few or alike.

use oxc_ast::AstKind;
use oxc_ast::ast::Expression;
use oxc_syntax::symbol::SymbolId;

use super::{Loop, Wait, child_with_span, is_loop_body, nearest_loop, writes_row};
use crate::analyze::typescript::sequential_awaits::is_migration;
use crate::lang::typescript::effects::{By, Effects};
use crate::lang::typescript::path::{Binding, is_project_module};
use crate::lang::typescript::uses::Uses;
use crate::lang::typescript::{Model, bare, names, span};
use crate::observe::{Context, Effect, Known, NameRef, Step};

/// Words of names that say that a loop tries again, pages, or waits.
const RETRYING: &[&str] =
    &["attempt", "attempts", "retry", "retries", "tries", "try", "poll", "candidate", "candidates", "fallback"];
const PAGING: &[&str] = &["page", "pages", "offset", "cursor", "skip"];
const CHUNKS: &[&str] = &["chunk", "chunks", "batch", "batches", "slice", "slices", "group", "groups"];
const PACING: &[&str] = &[
    "sleep",
    "delay",
    "wait",
    "timeout",
    "immediate",
    "throttle",
    "backoff",
    "limiter",
    "ratelimit",
    "queue",
    "limit",
    "pause",
    "semaphore",
    "acquire",
];

fn has_word(name: &str, list: &[&str]) -> bool {
    names::words(name).iter().any(|word| list.contains(&word.as_str()))
}

/// Why a loop is meant to go one after the other, or costs nothing.
pub fn guard<'a>(
    effects: &Effects<'_, 'a>,
    around: &Loop,
    waits: &[Wait<'a>],
    first: &Wait<'a>,
    context: &Context,
    few: f64,
) -> Option<Step> {
    let model = effects.model;
    if model.facts().is_browser() && *context != Context::Handler {
        return Some(Step::new("browser"));
    }
    if is_migration(model) {
        return Some(Step::at("migration", around.head));
    }
    if let Some(step) = rounds(model, around, few) {
        return Some(step);
    }
    let uses = Uses::of(model, AstKind::AwaitExpression(first.awaited).node_id());
    if uses.reads.is_disjoint(&around.varies) {
        return Some(Step::at("same-every-round", span(first.call)));
    }
    if let Some(step) = carried(model, around, &uses) {
        return Some(step);
    }
    // A row that is looked for and then written is another matter.
    let rows = writes_row(model, first);
    for wait in waits {
        let is_row = rows && writes_row(model, wait);
        // What the first one does is asked of its file.
        let is_reading = std::ptr::eq(wait, first)
            || wait.effect.effect <= Effect::Read
            || is_body(effects, wait)
            || is_row
            || asked_of(effects, wait).is_some();
        if !is_reading {
            let leaf = model.callee(wait.call).leaf();
            let key = if has_word(leaf, PACING) || names::is_timing(leaf) { "loop-is-paced" } else { "loop-writes" };
            return Some(Step::at(key, span(wait.call)));
        }
    }
    body_guard(model, around, waits)
}

/// The function of another file that a round waits for beside its request,
/// whose name says nothing: that file is asked whether it only reads.
pub fn asked_of<'a>(effects: &Effects<'_, 'a>, wait: &Wait<'a>) -> Option<NameRef> {
    let leaf = effects.model.callee(wait.call).leaf();
    let silent = wait.effect.effect == Effect::Unknown && !names::is_trap(leaf) && !names::is_timing(leaf);
    match &wait.effect.by {
        By::Imported(name) | By::Typed(name) if silent && !has_word(leaf, PACING) => {
            is_project_module(&name.module).then(|| name.clone())
        }
        _ => None,
    }
}

/// `await response.json()`: the second half of the same read.
fn is_body(effects: &Effects<'_, '_>, wait: &Wait<'_>) -> bool {
    const READS: &[&str] =
        &["json", "text", "arrayBuffer", "blob", "formData", "transformToString", "transformToByteArray", "dump"];
    READS.contains(&effects.model.callee(wait.call).leaf()) && wait.call.arguments.is_empty()
}

/// What the loop's head says: few rounds, chunks, pages, attempts.
fn rounds(model: &Model<'_>, around: &Loop, few: f64) -> Option<Step> {
    let names: Vec<&str> = around.varies.iter().map(|&s| model.scoping().symbol_name(s)).collect();
    let any = |list: &[&str]| names.iter().any(|name| has_word(name, list));
    match model.kind(around.node) {
        AstKind::ForStatement(counted) => {
            if any(RETRYING) || has_word(model.source.slice(around.head), RETRYING) {
                return Some(Step::at("loop-retries", around.head));
            }
            if any(PAGING) || any(CHUNKS) {
                return Some(Step::at("chunked", around.head));
            }
            // `i += size` goes by chunks, `i += 1` does not.
            if let Some(Expression::AssignmentExpression(update)) = &counted.update
                && !model.number(&update.right).here().is_some_and(|&step| step == 1.0)
            {
                return Some(Step::at("chunked", around.head));
            }
            if let Some(Expression::BinaryExpression(test)) = &counted.test
                && let Known::Here(bound, _) = model.number(&test.right)
                && bound <= few
            {
                return Some(Step::at("few-rounds", around.head));
            }
            None
        }
        AstKind::ForOfStatement(each) => {
            let over = bare(&each.right);
            let elements = match over {
                Expression::ArrayExpression(array) => Some(array.elements.len()),
                Expression::Identifier(id) => match model.symbol_of(id).map(|s| model.binding(s)) {
                    Some(Binding::Constant(init)) => match bare(init) {
                        Expression::ArrayExpression(array) if !array.elements.is_empty() => Some(array.elements.len()),
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            };
            if elements.is_some_and(|count| count as f64 <= few) {
                return Some(Step::at("few-rounds", around.head));
            }
            let text = model.source.slice(span(&each.right));
            // `ids.slice(0, 50)` is all that is asked for, not a part of it.
            let text = match over {
                Expression::CallExpression(call) if text.contains(".slice(0,") => {
                    model.source.slice(span(&call.callee)).strip_suffix(".slice").unwrap_or(text)
                }
                _ => text,
            };
            // The elements of one chunk are asked for one by one.
            let of_one = matches!(names::words(text).last().map(String::as_str), Some("batch" | "chunk" | "page"));
            if any(CHUNKS) || has_word(text, CHUNKS) && !of_one {
                return Some(Step::at("chunked", around.head));
            }
            // `completedAttemptIds` is a collection like any other: what counts
            // is the last word of the loop's own name, or of the collection's.
            let ends_so = |name: &str| names::words(name).last().is_some_and(|word| RETRYING.contains(&word.as_str()));
            if names.iter().any(|name| ends_so(name)) || ends_so(text) {
                return Some(Step::at("loop-retries", around.head));
            }
            any(PAGING).then(|| Step::at("chunked", around.head))
        }
        _ => None,
    }
}

/// The request needs what an earlier round left behind.
fn carried(model: &Model<'_>, around: &Loop, request: &Uses) -> Option<Step> {
    let body = Uses::of(model, around.body);
    let outside = |&&symbol: &&SymbolId| !model.is_within(model.scoping().symbol_declaration(symbol), around.node);
    let assigned: Vec<SymbolId> = body.defines.iter().filter(outside).copied().collect();
    // What the request reads may have been computed in the body from it.
    let mut reads = request.reads.clone();
    for id in model.own_code(around.body) {
        if let AstKind::VariableDeclarator(_) = model.kind(id) {
            let uses = Uses::of(model, id);
            if !uses.defines.is_disjoint(&reads) {
                reads.extend(uses.reads);
            }
        }
    }
    let carried = assigned.iter().any(|symbol| reads.contains(symbol))
        || reads.iter().any(|&symbol| is_collection(model, symbol) && is_collected(model, around, symbol));
    // A condition of the body over what earlier rounds found decides whether
    // this round asks at all.
    let decides = model.own_code(around.body).into_iter().any(|id| {
        let AstKind::IfStatement(branch) = model.kind(id) else { return false };
        let Some(test) = child_with_span(model, id, span(&branch.test)) else { return false };
        let uses = Uses::of(model, test);
        let collected = |symbol: &SymbolId| is_collected(model, around, *symbol);
        uses.reads.iter().any(|symbol| assigned.contains(symbol) || collected(symbol))
    });
    // A field that the body writes is not told apart from one that the
    // request reads: both go through `this`.
    (carried || decides || body.defines_this && request.this).then(|| Step::at("loop-carries-state", around.head))
}

/// True where a variable holds an array, set or map that was made for it.
fn is_collection(model: &Model<'_>, symbol: SymbolId) -> bool {
    let (Binding::Constant(init) | Binding::Variable(Some(init))) = model.binding(symbol) else { return false };
    match bare(init) {
        Expression::ArrayExpression(_) => true,
        Expression::NewExpression(new) => {
            let class = model.path_of(&new.callee);
            ["Set", "Map", "Array"].iter().any(|name| class.is_global(name, &[]))
        }
        _ => false,
    }
}

/// A collection from outside that the body adds to.
fn is_collected(model: &Model<'_>, around: &Loop, symbol: SymbolId) -> bool {
    if model.is_within(model.scoping().symbol_declaration(symbol), around.node) {
        return false;
    }
    model.own_code(around.body).into_iter().any(|id| {
        let AstKind::CallExpression(call) = model.kind(id) else { return false };
        let path = model.callee(call);
        matches!(path.leaf(), "push" | "set" | "add" | "delete" | "unshift")
            && matches!(path.root, crate::lang::typescript::path::Root::Symbol(root, _) if root == symbol)
    })
}

/// Statements of the body that make the order or the pace matter.
fn body_guard(model: &Model<'_>, around: &Loop, waits: &[Wait<'_>]) -> Option<Step> {
    for id in model.own_code(around.body) {
        let step = |key| Some(Step::at(key, span(&model.kind(id))));
        match model.kind(id) {
            AstKind::BreakStatement(_) => {
                let inner = nearest_loop(model, id) != Some(around.node)
                    || model
                        .nodes()
                        .ancestor_kinds(id)
                        .take_while(|k| !is_loop_body(*k))
                        .any(|k| matches!(k, AstKind::SwitchStatement(_)));
                if !inner {
                    return step("loop-leaves-early");
                }
            }
            AstKind::ReturnStatement(_) => return step("loop-leaves-early"),
            AstKind::YieldExpression(_) => return step("loop-leaves-early"),
            AstKind::NewExpression(new) if model.path_of(&new.callee).is_global("Promise", &[]) => {
                return step("loop-is-paced");
            }
            // The reads themselves were judged by their effects.
            // So was what only bounds how long one takes.
            AstKind::CallExpression(call) if !waits.iter().any(|wait| wait.is(call)) => {
                let path = model.callee(call);
                let leaf = path.leaf();
                // `AbortSignal.timeout(…)` bounds the request, and a callback
                // waits for nobody here.
                let bounds =
                    path.is_global("AbortSignal", &["timeout"]) || matches!(leaf, "setTimeout" | "clearTimeout");
                // A list that is called a queue paces nobody.
                let of_list = matches!(leaf, "push" | "unshift" | "concat");
                let paced = !bounds && has_word(leaf, PACING)
                    || !of_list
                        && has_word(path.receiver_name(), &["limiter", "throttle", "queue", "ratelimiter", "limit"]);
                if paced {
                    return step("loop-is-paced");
                }
                // Streams and sockets take what comes in order.
                if matches!(leaf, "write" | "emit" | "send" | "enqueue" | "report") {
                    return step("loop-writes");
                }
            }
            _ => {}
        }
    }
    None
}
