//! When a request without a bound of its own is none the worse for it: it
//! streams, another layer answers it or ends it, or nobody waits.

use std::rc::Rc;

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_syntax::node::NodeId;
use oxc_syntax::operator::UnaryOperator;

use super::Site;
use crate::analyze::typescript::http::{self, Kind};
use crate::analyze::typescript::instance::{self, Kept};
use crate::analyze::typescript::options::Options;
use crate::lang::typescript::once::{Bounds, any_within};
use crate::lang::typescript::path::{Binding, Root, argument};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Known, Step, Value};
use crate::source::Span;

/// Requests whose length is the point (streams, uploads), and those that
/// another layer answers or nobody waits for.
pub fn content_guard<'a>(model: &Model<'a>, site: Site<'_, 'a>, given: &Options<'a, 'a>) -> Option<Step> {
    let Site { node, call, kind, .. } = site;
    // `cache: 'no-store'` asks the other side each time.
    let fresh = |value: &Expression<'a>| match model.value(value) {
        Known::Here(Value::Text(text), _) => matches!(text.as_str(), "no-store" | "no-cache" | "reload"),
        _ => false,
    };
    if given.first(&["next"]).is_some() || given.first(&["cache"]).is_some_and(|cache| !fresh(cache)) {
        return Some(Step::new("cached"));
    }
    if let Some(place) = streams(model, node, given) {
        return Some(Step::at("streaming", place));
    }
    if matches!(kind, Kind::Fetch | Kind::NodeFetch | Kind::UndiciRequest)
        && let Some(place) = reads_body(model, node)
    {
        return Some(Step::at("streaming", place));
    }
    let body = match kind {
        Kind::AxiosCall => argument(&call.arguments, 1).filter(|_| site.index == 2),
        _ => given.first(&["body", "data", "formData", "form"]),
    };
    if let Some(body) = body.filter(|body| is_bulky(model, body)) {
        return Some(Step::at("upload", span(body)));
    }
    let dropped = || http::is_unawaited(model, node) || is_in_dropped_function(model, node);
    if !kind.makes_client() && kind != Kind::NodeHttp && dropped() {
        return Some(Step::at("nobody-waits", span(call)));
    }
    None
}

/// True in a function of this file alone whose promise every call drops on
/// purpose: `void purge(doc)`. What goes on in a loop, or starts itself again,
/// stands still with its request; so does a program that begins with it.
fn is_in_dropped_function(model: &Model<'_>, node: NodeId) -> bool {
    let Some(function) = model.function_of(node).filter(|&function| !model.is_exported(function)) else {
        return false;
    };
    let goes_on = |id: NodeId| {
        matches!(model.kind(id), AstKind::WhileStatement(_) | AstKind::DoWhileStatement(_) | AstKind::ForStatement(_))
    };
    if model.nodes().ancestor_ids(node).take_while(|&id| id != function).any(goes_on) {
        return false;
    }
    let Some(symbol) = model.symbol_of_function(function) else { return false };
    let mut uses = model.scoping().get_resolved_references(symbol).peekable();
    uses.peek().is_some()
        && uses.all(|reference| {
            let call = model.nodes().parent_id(reference.node_id());
            let called = matches!(model.kind(call), AstKind::CallExpression(of)
                if span(&of.callee) == span(&model.kind(reference.node_id())));
            let on_demand = model.function_of(call).is_some() && !model.is_within(call, function);
            called
                && on_demand
                && matches!(model.nodes().parent_kind(call), AstKind::UnaryExpression(unary)
                    if unary.operator == UnaryOperator::Void)
        })
}

/// The signal of a controller of this function that nothing aborts.
pub fn is_never_aborted<'a>(model: &Model<'a>, bound: &'a Expression<'a>) -> bool {
    let path = model.path_of(bound);
    let (Root::Symbol(symbol, _), ["signal"]) = (path.root, path.members.as_slice()) else { return false };
    let Binding::Constant(init) = model.binding(symbol) else { return false };
    let Expression::NewExpression(new) = bare(init) else { return false };
    model.path_of(&new.callee).is_global("AbortController", &[])
        && model.scoping().get_resolved_references(symbol).all(|reference| {
            let parent = model.nodes().parent_kind(reference.node_id());
            matches!(parent, AstKind::StaticMemberExpression(member) if member.property.name == "signal")
        })
}

/// A race or a timer around the call, anywhere in the outermost function. A
/// call that the function itself waits for is in no race beside it.
pub fn is_raced(model: &Model<'_>, node: NodeId) -> bool {
    let Some(function) = model.function_of(node) else { return false };
    let outermost = http::outermost(model, node);
    let bounds = bounds_of(model, outermost);
    // What another request is given bounds that one only.
    if bounds.of_all || bounds.own.contains(&node) {
        return true;
    }
    if !model.mentions_in(outermost, "Promise.race(") {
        return false;
    }
    let waited_for = matches!(model.nodes().parent_kind(node), AstKind::AwaitExpression(_))
        && span(&model.kind(function)) == outermost;
    if waited_for {
        let around = std::iter::once(node).chain(model.nodes().ancestor_ids(node));
        let mut races = around.into_iter().filter_map(|id| model.race(id));
        return races.any(|race| outermost.contains(race));
    }
    any_within(model.races(), outermost)
}

/// What the marks of a bound in `outermost` are for.
fn bounds_of(model: &Model<'_>, outermost: Span) -> Rc<Bounds> {
    if let Some(known) = model.once.bounds.borrow().get(&outermost) {
        return Rc::clone(known);
    }
    /// A mark among a request's options follows the request's start with no
    /// more calls than this between; the bound keeps large files quick.
    const BETWEEN: usize = 32;
    let start_of = |id: NodeId| span(&model.kind(id)).start;
    let requests_around = |at: Span| {
        let before = model.index.calls.partition_point(|&id| start_of(id) <= at.start);
        let near = model.index.calls[..before].iter().rev().take(BETWEEN);
        let around = near.copied().filter(move |&id| match model.kind(id) {
            AstKind::CallExpression(call) => span(call).contains(at) && http::kind_of(model, call).is_some(),
            _ => false,
        });
        around.collect::<Vec<_>>()
    };
    let text = model.source.slice(outermost);
    let mut bounds = Bounds::default();
    for mark in ["AbortSignal.timeout(", ".abort("] {
        for (at, _) in text.match_indices(mark) {
            let at = outermost.start + at as u32;
            match requests_around(Span::new(at, at + mark.len() as u32)).as_slice() {
                [] => bounds.of_all = true,
                [one] => {
                    bounds.own.insert(*one);
                }
                _ => {}
            }
        }
    }
    let bounds = Rc::new(bounds);
    model.once.bounds.borrow_mut().insert(outermost, Rc::clone(&bounds));
    bounds
}

fn streams<'a>(model: &Model<'a>, node: NodeId, given: &Options<'a, 'a>) -> Option<Span> {
    if let Some(kind) = given.first(&["responseType"])
        && matches!(model.value(kind), Known::Here(Value::Text(ref text), _) if text == "stream")
    {
        return Some(span(kind));
    }
    let around = http::outermost(model, node);
    let inside = model.function_of(node).is_some();
    const MARKS: &[&str] = &[
        "text/event-stream",
        "getReader(",
        ".pipeThrough(",
        ".pipeTo(",
        "Readable.fromWeb",
        "createWriteStream",
        "pipeline(",
        "stream: true",
        "EventSource",
        "long-poll",
        "longPoll",
    ];
    (inside && MARKS.iter().any(|mark| model.mentions_in(around, mark))).then_some(around)
}

/// The answer's `body`, which is a stream, is used otherwise than to read it
/// whole: `answer.body.json()` of undici.
fn reads_body(model: &Model<'_>, node: NodeId) -> Option<Span> {
    const WHOLE: &[&str] = &["json", "text", "arrayBuffer", "blob", "bytes", "formData", "dump"];
    let answer = match instance::kept(model, http::chain(model, node).1) {
        Kept::Variable(symbol) => symbol,
        _ => return None,
    };
    model.scoping().get_resolved_references(answer).find_map(|reference| {
        let node = model.nodes().parent_id(reference.node_id());
        let AstKind::StaticMemberExpression(member) = model.kind(node) else { return None };
        let whole = matches!(model.nodes().parent_kind(node),
            AstKind::StaticMemberExpression(read) if WHOLE.contains(&read.property.name.as_str()));
        (member.property.name == "body" && !whole).then(|| span(member))
    })
}

/// Bodies that may take long to send.
fn is_bulky<'a>(model: &Model<'a>, body: &'a Expression<'a>) -> bool {
    const BULKY: &[&str] =
        &["form", "formdata", "file", "stream", "blob", "buffer", "readable", "archive", "chunk", "part", "data"];
    match bare(body) {
        Expression::NewExpression(new) => matches!(model.path_of(&new.callee).leaf(), "FormData" | "Blob" | "File"),
        Expression::Identifier(id) => {
            let lower = id.name.to_ascii_lowercase();
            BULKY.iter().any(|word| lower.contains(word)) && !is_small(model, body) || holds_bytes(model, body)
        }
        _ => {
            let leaf = model.path_of(body).leaf().to_ascii_lowercase();
            leaf == "buffer" || leaf.contains("stream")
        }
    }
}

/// A constant that holds what somebody sent or a file holds:
/// `await request.arrayBuffer()`, `createReadStream(path)`.
fn holds_bytes<'a>(model: &Model<'a>, body: &'a Expression<'a>) -> bool {
    let (Root::Symbol(symbol, _), []) = (model.path_of(body).root, model.path_of(body).members.as_slice()) else {
        return false;
    };
    let Binding::Constant(init) = model.binding(symbol) else { return false };
    let made = match bare(init) {
        Expression::AwaitExpression(awaited) => bare(&awaited.argument),
        other => other,
    };
    match made {
        Expression::CallExpression(call) => {
            matches!(model.callee(call).leaf(), "arrayBuffer" | "blob" | "formData" | "createReadStream")
        }
        _ => false,
    }
}

/// A constant that holds fields or a text made of them, whatever its name says.
fn is_small<'a>(model: &Model<'a>, body: &'a Expression<'a>) -> bool {
    let (Root::Symbol(symbol, _), []) = (model.path_of(body).root, model.path_of(body).members.as_slice()) else {
        return false;
    };
    let Binding::Constant(init) = model.binding(symbol) else { return false };
    match bare(init) {
        Expression::NewExpression(new) => model.path_of(&new.callee).is_global("URLSearchParams", &[]),
        Expression::CallExpression(call) => model.callee(call).is_global("JSON", &["stringify"]),
        _ => false,
    }
}

/// A target on this machine.
pub fn is_local_target<'a>(model: &Model<'a>, call: &'a CallExpression<'a>, given: &Options<'a, 'a>) -> bool {
    let url = given.first(&["baseURL", "prefixUrl", "url"]);
    let target = url.or_else(|| argument(&call.arguments, 0).filter(|a| !matches!(a, Expression::ObjectExpression(_))));
    let socket = given.first(&["socketPath"]).is_some();
    socket || target.and_then(|url| instance::leading_text(model, url)).is_some_and(|text| instance::is_local(&text))
}
