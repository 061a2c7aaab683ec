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
            let mut run = Run::default();
            run.push(model, first);
            let mut passed = Vec::new();
            let mut stopped = None;
            let mut overlap = None;
            for (index, &statement) in statements.iter().enumerate().skip(at) {
                let Some(next) = wait(model, statement) else {
                    match between(model, statement) {
                        Some(step) => {
                            run.known.pass(model, step);
                            passed.push(step);
                        }
                        None => break,
                    }
                    continue;
                };
                stopped = why_not(model, &run.known, &next);
                if stopped.is_some() {
                    overlap = overlapping(model, &run, &passed, next, &statements[index + 1..]);
                    break;
                }
                at = index + 1;
                run.between.append(&mut passed);
                run.push(model, next);
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
    let tail = |from: usize| {
        let waits = &run.waits[from..];
        let start = waits.first()?.statement;
        let mut tail = Run::default();
        waits.iter().for_each(|wait| tail.push(model, wait.clone()));
        tail.between = steps.iter().copied().filter(|step| step.statement > start).collect();
        tail.between.iter().for_each(|step| tail.known.pass(model, *step));
        Some(tail)
    };
    // What keeps `next` from a part of the run keeps it from a longer one too,
    // so that the first that it may join is found by halves.
    let joins = |from: usize| tail(from).is_some_and(|tail| why_not(model, &tail.known, &next).is_none());
    let (mut from, mut last) = (1, run.waits.len());
    while from < last {
        let middle = (from + last) / 2;
        if joins(middle) {
            last = middle;
        } else {
            from = middle + 1;
        }
    }
    let mut rest = tail(from)?;
    rest.push(model, next);
    let mut passed = Vec::new();
    for &statement in after {
        match wait(model, statement) {
            Some(next) if why_not(model, &rest.known, &next).is_none() => {
                rest.between.append(&mut passed);
                rest.push(model, next);
            }
            None => match between(model, statement) {
                Some(step) => {
                    rest.known.pass(model, step);
                    passed.push(step);
                }
                None => break,
            },
            Some(_) => break,
        }
    }
    Some(rest)
}

/// Waits that could be one, and the statements that stand between them.
#[derive(Default)]
struct Run<'m> {
    waits: Vec<Wait<'m>>,
    between: Vec<Between>,
    known: Known<'m>,
}

impl<'m> Run<'m> {
    fn push(&mut self, model: &'m Model<'_>, wait: Wait<'m>) {
        self.known.wait(model, &wait);
        self.waits.push(wait);
    }
}

/// What the waits of a run are together, so that one more is weighed without
/// looking at each of them again.
#[derive(Default)]
struct Known<'m> {
    /// Names that hold what was awaited.
    awaited: BTreeSet<&'m str>,
    /// These, and those that hold what is computed from it.
    given: BTreeSet<&'m str>,
    /// The `let`s between: what they bind, and what they read.
    steps: Vec<(NodeId, BTreeSet<&'m str>)>,
    /// All that the steps read which hold nothing awaited so far.
    read: BTreeSet<&'m str>,
    chosen: bool,
    /// Waits on a connection taken from a pool, and the names of these.
    taken: usize,
    connections: BTreeSet<&'m str>,
    serial: bool,
    lets_through: bool,
    no_read: bool,
    /// What is awaited, as it is written.
    texts: BTreeSet<&'m str>,
}

impl<'m> Known<'m> {
    fn wait(&mut self, model: &'m Model<'_>, wait: &Wait<'m>) {
        self.awaited.extend(&wait.gives);
        self.given.extend(&wait.gives);
        self.texts.insert(model.source.slice(model.tree.span(wait.call)));
        // A step that stands before may read what has that name now.
        if wait.gives.iter().any(|name| self.read.contains(name)) {
            let steps = std::mem::take(&mut self.steps);
            self.read.clear();
            self.given.clone_from(&self.awaited);
            steps.into_iter().for_each(|(step, reads)| self.step(model, step, reads));
        }
        self.chosen |= wait.chosen;
        if wait.operation.resource == Resource::Taken {
            self.taken += 1;
            self.connections.extend(model.leaf_name(model.chain_root(wait.call)));
        }
        self.serial |= is_serial(model, wait);
        self.lets_through |= lets_through(model, wait);
        self.no_read |= is_no_read(wait);
    }

    fn pass(&mut self, model: &'m Model<'_>, between: Between) {
        if let Kind::Let { init: Some(init), .. } = model.tree.kind(between.statement) {
            self.step(model, between.statement, model.names_in(*init));
        }
    }

    /// A value that is computed from an awaited one stands for it.
    fn step(&mut self, model: &'m Model<'_>, step: NodeId, reads: BTreeSet<&'m str>) {
        if reads.iter().any(|name| self.given.contains(name)) {
            if let Kind::Let { pattern, .. } = model.tree.kind(step) {
                self.given.extend(pattern.bound.iter().map(|bound| bound.name.as_str()));
            }
        } else {
            self.read.extend(&reads);
        }
        self.steps.push((step, reads));
    }
}

fn is_serial(model: &Model<'_>, wait: &Wait<'_>) -> bool {
    wait.operation.resource == Resource::Serial || model.borrows_mutably(wait.call)
}

fn is_no_read(wait: &Wait<'_>) -> bool {
    wait.operation.effect != Effect::Read || wait.operation.resource == Resource::Unknown
}

/// The entries of a literal as a run, where none needs another's answer.
fn together<'m>(model: &'m Model<'_>, entries: Vec<Wait<'m>>) -> Option<Run<'m>> {
    let mut run = Run::default();
    for wait in entries {
        if why_not(model, &run.known, &wait).is_some() {
            return None;
        }
        run.push(model, wait);
    }
    (run.waits.len() > 1).then_some(run)
}

/// The guard that keeps `next` from running beside a run.
fn why_not(model: &Model<'_>, run: &Known<'_>, next: &Wait<'_>) -> Option<Step> {
    let span = model.tree.span(next.call);
    let names = model.names_in(next.call);
    if let Some(name) = names.iter().find(|name| run.given.contains(*name)) {
        return Some(Step::at("reads-earlier-result", span).with("name", *name));
    }
    // The same again is a try, or a warm-up.
    if run.texts.contains(model.source.slice(span)) {
        return Some(Step::at("not-both-reads", span));
    }
    // What two conditions decide is seldom asked for together.
    if next.chosen && run.chosen {
        return Some(Step::at("both-chosen", span));
    }
    // One that is taken from a pool serves one of them; two would queue on it.
    let takes = next.operation.resource == Resource::Taken;
    let taken = run.taken + usize::from(takes);
    // `counters.get(…)` and `rankings.zrange(…)` are on two of them.
    let own = takes.then(|| model.leaf_name(model.chain_root(next.call))).flatten();
    let connections = run.connections.len() + usize::from(own.is_some_and(|name| !run.connections.contains(name)));
    if taken > 1 && connections < taken || run.serial || is_serial(model, next) {
        return Some(Step::at("one-connection", span));
    }
    if run.lets_through {
        return Some(Step::at("lets-through", span));
    }
    if run.no_read || is_no_read(next) {
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
