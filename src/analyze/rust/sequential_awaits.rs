//! Independent reads awaited one after another.

use std::collections::BTreeSet;

use crate::analyze::sink::{Builder, parts};
use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::effects::{Operation, Resource};
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId, Pattern};
use crate::lang::typescript::names;
use crate::observe::{Confidence, Context, Draft, Effect, IfNo, Io, Need, Question, Step};
use crate::source::Span;

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["count", "network_calls", "saved_percent"],
    evidence: &["awaited-read", "awaited-elsewhere", "names-independent"],
    guards: &["reads-earlier-result", "one-connection", "not-both-reads", "lets-through"],
    assumptions: &["pool-by-name", "log-order", "somebody-waits"],
    labels: &["also-waits"],
    patches: &["tokio-join"],
    variants: &[],
    params: &[],
};

/// One `let pattern = call.await…;`, or an entry of a literal.
#[derive(Clone)]
struct Wait<'m> {
    statement: NodeId,
    /// What is bound; nothing by an entry.
    pattern: Option<&'m Pattern>,
    /// The `.await`.
    awaited: NodeId,
    /// What is awaited.
    call: NodeId,
    operation: Operation,
}

/// Finds runs of reads that could be under way together.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for block in model.tree.all() {
        if let Some(run) = entries(model, block) {
            report(model, sink, &run, None);
            continue;
        }
        if !matches!(model.tree.kind(block), Kind::Block | Kind::Async) {
            continue;
        }
        let statements: Vec<NodeId> = model.tree.children(block).collect();
        let mut at = 0;
        while at < statements.len() {
            let Some(first) = wait(model, statements[at]) else {
                at += 1;
                continue;
            };
            at += 1;
            let mut run = Run { waits: vec![first], between: Vec::new() };
            let mut passed = Vec::new();
            let mut stopped = None;
            let mut overlap = None;
            for (index, &statement) in statements.iter().enumerate().skip(at) {
                let Some(next) = wait(model, statement) else {
                    if !is_harmless(model, statement) {
                        break;
                    }
                    passed.push(statement);
                    continue;
                };
                stopped = why_not(model, &run, &passed, &next);
                if stopped.is_some() {
                    overlap = overlapping(model, &run, &passed, next, &statements[index + 1..]);
                    break;
                }
                at = index + 1;
                run.between.append(&mut passed);
                run.waits.push(next);
            }
            if let Some(guard) = stopped.filter(|_| run.waits.len() == 1) {
                near_miss(model, sink, &run.waits[0], guard);
            } else if run.waits.len() >= 2 {
                report(model, sink, &run, overlap.as_ref());
            }
        }
    }
}

/// The end of a run with what follows it, where `next` does not belong to all
/// of the run: where its first waits turn out to be no reads, these may still
/// be a run.
fn overlapping<'m>(
    model: &'m Model<'_>,
    run: &Run<'m>,
    passed: &[NodeId],
    next: Wait<'m>,
    after: &[NodeId],
) -> Option<Run<'m>> {
    let between: Vec<NodeId> = run.between.iter().chain(passed).copied().collect();
    let tails = (1..run.waits.len()).map(|from| {
        let waits = run.waits[from..].to_vec();
        let start = waits[0].statement;
        Run { waits, between: between.iter().copied().filter(|&at| at > start).collect() }
    });
    let mut rest = tails.into_iter().find(|rest| why_not(model, rest, &[], &next).is_none())?;
    rest.waits.push(next);
    let mut passed = Vec::new();
    for &statement in after {
        match wait(model, statement) {
            Some(next) if why_not(model, &rest, &passed, &next).is_none() => {
                rest.between.append(&mut passed);
                rest.waits.push(next);
            }
            None if is_harmless(model, statement) => passed.push(statement),
            _ => break,
        }
    }
    Some(rest)
}

/// Waits that could be one, and the statements that stand between them.
struct Run<'m> {
    waits: Vec<Wait<'m>>,
    between: Vec<NodeId>,
}

fn wait<'m>(model: &'m Model<'_>, statement: NodeId) -> Option<Wait<'m>> {
    let Kind::Let { pattern, init: Some(init), otherwise: None, .. } = model.tree.kind(statement) else { return None };
    let awaited = model.tree.below(*init).filter(|&id| matches!(model.tree.kind(id), Kind::Await(_))).last()?;
    if model.body_of(awaited) != Body::Async {
        return None;
    }
    let handled = taken_of(model, *init, awaited)?;
    // `match call.await { Ok(value) => value, Err(error) => return … }` too.
    let matched = matches!(model.tree.kind(*init), Kind::Match { on } if *on == handled);
    if handled != *init && !matched {
        return None;
    }
    let Kind::Await(call) = model.tree.kind(awaited) else { return None };
    let operation = model.operation(*call)?;
    // A result that nobody reads was asked for its effect, or to see that it
    // is there.
    if pattern.bound.iter().all(|bound| bound.name.starts_with('_')) {
        return None;
    }
    Some(Wait { statement, pattern: Some(pattern), awaited, call: *call, operation })
}

/// What is made of an awaited answer where that asks nobody else: its body,
/// a column, a field. `None` where another call is awaited beside it.
fn taken_of(model: &Model<'_>, init: NodeId, awaited: NodeId) -> Option<NodeId> {
    const TAKES: &[&str] = &["error_for_status", "get", "into_inner", "ok", "flatten", "len", "is_some", "is_empty"];
    let mut at = model.unwrapped(awaited);
    while at != init {
        let parent = model.tree.node(at).parent;
        let taken = match model.tree.kind(parent) {
            Kind::Method { receiver, name, args, .. } if *receiver == at => {
                model.reads_body(parent)
                    || TAKES.contains(&name.as_str()) && args.iter().all(|&argument| model.is_plain_value(argument))
            }
            Kind::Field { .. } => true,
            _ => false,
        };
        if !taken {
            break;
        }
        at = model.unwrapped(parent);
    }
    let all = model.tree.below(init).filter(|&id| matches!(model.tree.kind(id), Kind::Await(_)));
    let own = |id: &NodeId| model.tree.is_within(*id, at) && model.tree.is_within(awaited, *id);
    all.into_iter().all(|id| own(&id)).then_some(at)
}

/// The awaited entries of a struct, tuple or array, which are evaluated in
/// turn: `Shown { users: users().await?, total: count().await? }`.
fn entries<'m>(model: &'m Model<'_>, literal: NodeId) -> Option<Run<'m>> {
    let values: Vec<NodeId> = match model.tree.kind(literal) {
        Kind::Struct { fields, .. } => fields.iter().map(|(_, value)| *value).collect(),
        Kind::List(elements) => elements.clone(),
        _ => return None,
    };
    let mut run = Run { waits: Vec::new(), between: Vec::new() };
    for value in values {
        let Some(wait) = entry(model, value) else {
            if model.is_plain_value(value) {
                continue;
            }
            return None;
        };
        if why_not(model, &run, &[], &wait).is_some() {
            return None;
        }
        run.waits.push(wait);
    }
    (run.waits.len() > 1).then_some(run)
}

fn entry<'m>(model: &'m Model<'_>, value: NodeId) -> Option<Wait<'m>> {
    let inside = std::iter::once(value).chain(model.tree.below(value));
    let mut awaits = inside.filter(|&id| matches!(model.tree.kind(id), Kind::Await(_)));
    let awaited = awaits.next()?;
    if awaits.next().is_some() || model.unwrapped(awaited) != value || model.body_of(awaited) != Body::Async {
        return None;
    }
    let Kind::Await(call) = model.tree.kind(awaited) else { return None };
    let operation = model.operation(*call)?;
    Some(Wait { statement: value, pattern: None, awaited, call: *call, operation })
}

/// True for a `let` of a value that nothing is asked for, and for a log line.
fn is_harmless(model: &Model<'_>, statement: NodeId) -> bool {
    match model.tree.kind(statement) {
        Kind::Let { otherwise: None, init, .. } => init.is_none_or(|init| model.is_plain_value(init)),
        Kind::Statement { value, .. } => model.is_log(*value),
        Kind::Macro { .. } => model.is_log(statement),
        Kind::Item => true,
        _ => false,
    }
}

/// The guard that keeps `next` from running beside a run, after `passed`.
fn why_not(model: &Model<'_>, run: &Run<'_>, passed: &[NodeId], next: &Wait<'_>) -> Option<Step> {
    let span = model.tree.span(next.call);
    let names = model.names_in(next.call);
    let mut given: BTreeSet<&str> = BTreeSet::new();
    for earlier in &run.waits {
        given.extend(earlier.pattern.iter().flat_map(|p| &p.bound).map(|bound| bound.name.as_str()));
    }
    // A value that is computed from an awaited one stands for it.
    for &between in run.between.iter().chain(passed) {
        if let Kind::Let { pattern, init: Some(init), .. } = model.tree.kind(between)
            && !model.names_in(*init).is_disjoint(&given)
        {
            given.extend(pattern.bound.iter().map(|bound| bound.name.as_str()));
        }
    }
    if let Some(name) = names.intersection(&given).next() {
        return Some(Step::at("reads-earlier-result", span).with("name", *name));
    }
    let all = || run.waits.iter().chain([next]);
    let serial = |w: &Wait<'_>| matches!(w.operation.resource, Resource::Serial | Resource::Taken);
    if all().any(|w| serial(w) || model.borrows_mutably(w.call)) {
        return Some(Step::at("one-connection", span));
    }
    if run.waits.iter().any(|earlier| lets_through(model, earlier)) {
        return Some(Step::at("lets-through", span));
    }
    if all().any(|w| w.operation.effect != Effect::Read || w.operation.resource == Resource::Unknown) {
        return Some(Step::at("not-both-reads", span));
    }
    None
}

/// True for a wait that tells who asks, and leaves where nobody may:
/// `user_from_headers(…).await?`. Whom it turns away must not cause what follows.
fn lets_through(model: &Model<'_>, wait: &Wait<'_>) -> bool {
    let name = match model.tree.kind(wait.call) {
        Kind::Call { callee, .. } => model.leaf_name(*callee),
        Kind::Method { name, .. } => Some(name.as_str()),
        _ => None,
    };
    let mut at = model.tree.node(wait.awaited).parent;
    // `.await.map_err(…)?` leaves as well, `.await.ok()` does not.
    while matches!(model.tree.kind(at), Kind::Method { name, .. } if matches!(name.as_str(), "map_err" | "context" | "ok_or" | "ok_or_else"))
    {
        at = model.tree.node(at).parent;
    }
    matches!(model.tree.kind(at), Kind::Try(_))
        && name.is_some_and(|name| names::is_authentication(name) || names::is_guard(name))
}

fn near_miss(model: &Model<'_>, sink: &mut Sink<'_>, first: &Wait<'_>, guard: Step) {
    let span = model.tree.span(first.statement);
    let candidate = sink.candidate(span, model.symbol(first.statement), model.context(first.statement));
    sink.push(candidate.value("count", 2u32).value("network_calls", 2u32).value("saved_percent", 50u32).clear(guard));
}

fn report(model: &Model<'_>, sink: &mut Sink<'_>, run: &Run<'_>, overlap: Option<&Run<'_>>) {
    // Where one of the waits turns out to be no read, its neighbours may still
    // be two.
    let runs = std::iter::once(run).chain(overlap);
    let readings = runs.flat_map(|run| parts(&run.waits).map(|waits| (waits, &run.between)));
    let mut readings = readings.filter_map(|(waits, between)| candidate(model, sink, waits, between));
    let Some(whole) = readings.next() else { return };
    let whole = readings.fold(whole, Builder::or_narrower);
    sink.push(whole);
}

fn candidate(model: &Model<'_>, sink: &Sink<'_>, waits: &[Wait<'_>], between: &[NodeId]) -> Option<Builder> {
    let (first, rest) = waits.split_first()?;
    let span = model.tree.span(first.statement);
    let context = model.context(first.statement);
    let count = waits.len();
    let network = waits.iter().filter(|w| matches!(w.operation.io, Io::Http | Io::Database)).count();
    let mut candidate = sink
        .candidate(span, model.symbol(first.statement), context)
        .value("count", count)
        .value("network_calls", network)
        .value("saved_percent", (100 - 100 / count) as u32);
    for wait in waits {
        let at = model.tree.span(wait.call);
        let kind = if wait.operation.io == Io::Http { "another service" } else { "a database" };
        // What another file's function waits for, that file says below.
        candidate = candidate.evidence(match &wait.operation.elsewhere {
            Some(name) => {
                let name = name.members.last().unwrap_or(&name.name).as_str();
                Step::at("awaited-elsewhere", at).with("name", name)
            }
            None => Step::at("awaited-read", at).with("kind", kind),
        });
        if let Some(question) = wait.operation.question() {
            let if_unknown = matches!(question, Question::IsHttpClient(_)).then_some(Confidence::Likely);
            candidate = candidate.need(Need { question, span: Some(at), if_unknown, if_no: IfNo::Clear });
        }
    }
    for wait in rest {
        candidate = candidate.label(model.tree.span(wait.statement), "also-waits");
    }
    candidate = candidate.evidence(Step::new("names-independent"));
    // A start or a command saves once what a request would save each time.
    if matches!(context, Context::Startup | Context::Cli) {
        candidate = candidate.doubt(Step::at("somebody-waits", span));
    }
    if waits.iter().any(|w| w.operation.resource == Resource::SharedByName && w.operation.client.is_none()) {
        candidate = candidate.assume(Step::at("pool-by-name", span));
    }
    let (start, end) = (first.statement, rest.last()?.statement);
    let mut apart = between.iter().filter(|&&at| start < at && at < end).peekable();
    let stands_apart = apart.peek().is_some();
    if let Some(&log) = apart.find(|&&at| !matches!(model.tree.kind(at), Kind::Let { .. } | Kind::Item)) {
        candidate = candidate.assume(Step::at("log-order", model.tree.span(log)));
    }
    if context == Context::Library
        && let Some(name) = model.request_path_name(first.statement)
    {
        candidate = candidate.request_path_by_name(Some(name)).need(Need {
            question: Question::NotInCommandLineProgram,
            span: None,
            if_unknown: Some(Confidence::Likely),
            if_no: IfNo::LeaveRequestPath,
        });
    }
    if candidate.confidence() == Confidence::Certain
        && !stands_apart
        && let Some(draft) = patch(model, waits)
    {
        candidate = candidate.patch(draft).need(Need {
            question: Question::Feature { package: "tokio".to_owned(), feature: "macros".to_owned() },
            span: None,
            if_unknown: Some(Confidence::Certain),
            if_no: IfNo::DropPatch,
        });
    }
    Some(candidate)
}

/// `let (a, b) = tokio::join!(A, B);`, each result then handled where it was:
/// every error keeps its own conversion.
fn patch(model: &Model<'_>, waits: &[Wait<'_>]) -> Option<Draft> {
    /// More at once is a question of the pool's size.
    const MOST: usize = 5;
    if waits.len() > MOST || waits.iter().any(|w| model.tree.node(w.statement).quoted) {
        return None;
    }
    let mut names = Vec::new();
    let mut calls = Vec::new();
    let mut edits = Vec::new();
    let function = model.function_of(waits[0].statement)?;
    let text = model.source.slice(model.tree.span(function.node));
    for (index, wait) in waits.iter().enumerate() {
        if model.borrows_temporary(wait.call) {
            return None;
        }
        let moved = model.moved_in(wait.call);
        let others = waits.iter().enumerate().filter(|(other, _)| *other != index);
        if others.into_iter().any(|(_, other)| model.names_in(other.call).iter().any(|name| moved.contains(name))) {
            return None;
        }
        let name = format!("{}_result", wait.pattern?.name().unwrap_or("awaited"));
        let name = if names.contains(&name) { format!("{name}_{}", index + 1) } else { name };
        if text.contains(&name) {
            return None;
        }
        let call = model.tree.node(wait.call).outer;
        let code = model.source.slice(call);
        // An address is no comment.
        if code.replace("://", "").contains("//") || code.contains("/*") {
            return None;
        }
        calls.push(code.to_owned());
        let awaited = model.tree.node(wait.awaited).outer;
        edits.push((Span::new(call.start, awaited.end), name.clone()));
        names.push(name);
    }
    let start = model.tree.span(waits[0].statement).start;
    let indent = model.indent_at(start);
    let join = format!("let ({}) = tokio::join!({});\n{indent}", names.join(", "), calls.join(", "));
    edits.insert(0, (Span::at(start), join));
    Some(Draft { key: "tokio-join".into(), edits, imports: Vec::new() })
}
