//! Independent reads awaited one after another.

mod patch;
mod wait;

use std::collections::BTreeSet;

use self::patch::patch;
use self::wait::{Between, Wait, between, entries, wait};
use crate::analyze::sink::{Builder, parts};
use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::effects::Resource;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::typescript::names;
use crate::observe::{Confidence, Context, Effect, IfNo, Io, Need, Question, Step};

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["count", "network_calls", "saved_percent"],
    evidence: &["awaited-read", "awaited-elsewhere", "names-independent"],
    guards: &["reads-earlier-result", "one-connection", "not-both-reads", "lets-through", "both-chosen"],
    assumptions: &["pool-by-name", "log-order", "computes-by-name", "somebody-waits"],
    labels: &["also-waits"],
    patches: &["tokio-join"],
    variants: &[],
    params: &[],
};

/// Finds runs of reads that could be under way together.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for block in model.tree.all() {
        let entries = entries(model, block);
        if !entries.is_empty() {
            if let Some(run) = together(model, entries) {
                report(model, sink, &run, None);
            }
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
                    match between(model, statement) {
                        Some(step) => passed.push(step),
                        None => break,
                    }
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
    passed: &[Between],
    next: Wait<'m>,
    after: &[NodeId],
) -> Option<Run<'m>> {
    let steps: Vec<Between> = run.between.iter().chain(passed).copied().collect();
    let tails = (1..run.waits.len()).map(|from| {
        let waits = run.waits[from..].to_vec();
        let start = waits[0].statement;
        Run { waits, between: steps.iter().copied().filter(|step| step.statement > start).collect() }
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
            None => match between(model, statement) {
                Some(step) => passed.push(step),
                None => break,
            },
            Some(_) => break,
        }
    }
    Some(rest)
}

/// Waits that could be one, and the statements that stand between them.
struct Run<'m> {
    waits: Vec<Wait<'m>>,
    between: Vec<Between>,
}

/// The entries of a literal as a run, where none needs another's answer.
fn together<'m>(model: &Model<'_>, entries: Vec<Wait<'m>>) -> Option<Run<'m>> {
    let mut run = Run { waits: Vec::new(), between: Vec::new() };
    for wait in entries {
        if why_not(model, &run, &[], &wait).is_some() {
            return None;
        }
        run.waits.push(wait);
    }
    (run.waits.len() > 1).then_some(run)
}

/// The guard that keeps `next` from running beside a run, after `passed`.
fn why_not(model: &Model<'_>, run: &Run<'_>, passed: &[Between], next: &Wait<'_>) -> Option<Step> {
    let span = model.tree.span(next.call);
    let names = model.names_in(next.call);
    let mut given: BTreeSet<&str> = BTreeSet::new();
    for earlier in &run.waits {
        given.extend(&earlier.gives);
    }
    // A value that is computed from an awaited one stands for it.
    for between in run.between.iter().chain(passed) {
        if let Kind::Let { pattern, init: Some(init), .. } = model.tree.kind(between.statement)
            && !model.names_in(*init).is_disjoint(&given)
        {
            given.extend(pattern.bound.iter().map(|bound| bound.name.as_str()));
        }
    }
    if let Some(name) = names.intersection(&given).next() {
        return Some(Step::at("reads-earlier-result", span).with("name", *name));
    }
    // What two conditions decide is seldom asked for together.
    if next.chosen && run.waits.iter().any(|earlier| earlier.chosen) {
        return Some(Step::at("both-chosen", span));
    }
    let all = || run.waits.iter().chain([next]);
    // One that is taken from a pool serves one of them; two would queue on it.
    let taken = all().filter(|w| w.operation.resource == Resource::Taken);
    let taken: Vec<Option<&str>> = taken.map(|w| model.leaf_name(model.chain_root(w.call))).collect();
    // `counters.get(…)` and `rankings.zrange(…)` are on two of them.
    let on_one = taken.len() > 1 && {
        let each: BTreeSet<&str> = taken.iter().copied().flatten().collect();
        each.len() < taken.len()
    };
    let serial = |w: &Wait<'_>| w.operation.resource == Resource::Serial || model.borrows_mutably(w.call);
    if on_one || all().any(serial) {
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

fn candidate(model: &Model<'_>, sink: &Sink<'_>, waits: &[Wait<'_>], between: &[Between]) -> Option<Builder> {
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
    // A start or a command saves once what a request would save each time, and
    // nobody waits for what a clock starts.
    if matches!(context, Context::Startup | Context::Cli) || context == Context::Scheduled && count == 2 {
        candidate = candidate.doubt(Step::at("somebody-waits", span));
    }
    if waits.iter().any(|w| w.operation.resource == Resource::SharedByName && w.operation.client.is_none()) {
        candidate = candidate.assume(Step::at("pool-by-name", span));
    }
    let (start, end) = (first.statement, rest.last()?.statement);
    let apart: Vec<&Between> = between.iter().filter(|at| start < at.statement && at.statement < end).collect();
    let is_value = |at: NodeId| matches!(model.tree.kind(at), Kind::Let { .. } | Kind::Item);
    if let Some(log) = apart.iter().find(|step| !is_value(step.statement)) {
        candidate = candidate.assume(Step::at("log-order", model.tree.span(log.statement)));
    }
    if let Some(step) = apart.iter().find(|step| step.by_name) {
        candidate = candidate.assume(Step::at("computes-by-name", model.tree.span(step.statement)));
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
        && apart.is_empty()
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
