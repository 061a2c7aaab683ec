//! A request or query awaited in each round of a loop over a collection.

use std::collections::BTreeSet;

use crate::analyze::sink::Builder;
use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::effects::{Operation, Resource};
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, Lit, NodeId, Pattern};
use crate::lang::rust::path::equals;
use crate::lang::rust::uses::FILLS;
use crate::lang::rust::values::Local;
use crate::observe::{Confidence, Context, Effect, IfNo, Io, Need, Question, Step};
use crate::source::Span;

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["call"],
    evidence: &["loop-over-collection", "awaited-in-body", "row-in-body"],
    guards: &[
        "loop-carries-state",
        "loop-is-paced",
        "loop-retries",
        "loop-leaves-early",
        "loop-writes",
        "few-rounds",
        "same-every-round",
        "migration",
    ],
    assumptions: &["server-bears-several", "many-elements", "pool-by-name", "callee-only-reads"],
    labels: &["the-loop"],
    patches: &[],
    variants: &["query"],
    params: &[],
};

/// Finds loops whose requests could be under way together.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for node in model.tree.all() {
        let Some(around) = Around::of(model, node) else { continue };
        let reads = requests(model, &around);
        let Some(Request { awaited, call, direct, operation }) = reads.into_iter().next() else { continue };
        if model.body_of(awaited) != Body::Async {
            continue;
        }
        let span = model.tree.span(awaited);
        let head = around.head;
        let context = model.context(node);
        let mut candidate = sink
            .candidate(span, model.symbol(node), context)
            .value("call", shown(model, call))
            .label(head, "the-loop")
            .evidence(Step::at("loop-over-collection", head))
            .evidence(Step::at(if model.writes_one_row(call) { "row-in-body" } else { "awaited-in-body" }, span));
        if let Some(guard) = guard(model, &around, call) {
            sink.push(candidate.clear(guard));
            continue;
        }
        if context == Context::Library
            && let Some(name) = model.request_path_name(node)
        {
            candidate = candidate.request_path_by_name(Some(name)).need(Need {
                question: Question::NotInCommandLineProgram,
                span: None,
                if_unknown: Some(Confidence::Likely),
                if_no: IfNo::LeaveRequestPath,
            });
        }
        // Nobody waits for a command but who starts it, and slow is polite.
        let by_hand = matches!(context, Context::Cli | Context::Startup);
        let of_service = |candidate: Builder| match by_hand {
            true => candidate.doubt(Step::at("server-bears-several", head)),
            false => candidate.assume(Step::at("server-bears-several", head)),
        };
        // How many elements there are decides, and no code says it: a request
        // may ask for many, and somebody waits for it.
        let of_database = |candidate: Builder| {
            let step = Step::at("many-elements", head);
            let asks = context == Context::Handler && !model.writes_one_row(call);
            let candidate = candidate.variant("query");
            if asks { candidate.assume(step) } else { candidate.doubt(step) }
        };
        // One query for all elements serves whatever it runs on.
        let batched = operation.io == Io::Database && operation.elsewhere.is_none();
        if operation.resource == Resource::SharedByName && operation.client.is_none() && !batched {
            candidate = candidate.doubt(Step::at("pool-by-name", span));
        }
        let ask = |candidate: Builder, question: Question, if_unknown: Option<Confidence>| {
            candidate.need(Need { question, span: Some(span), if_unknown, if_no: IfNo::Clear })
        };
        candidate = match operation.elsewhere {
            // Whether it is a service or a database stands in the other file.
            Some(name) => {
                let query = ask(of_database(candidate.clone()), Question::ReadsIo(name.clone()), None);
                ask(of_service(candidate), Question::ReadsService(name), None).or_narrower(query)
            }
            None => {
                if !direct {
                    candidate = candidate.doubt(Step::at("callee-only-reads", span));
                }
                if let Some(name) = operation.client {
                    candidate = ask(candidate, Question::IsHttpClient(name), Some(Confidence::Possible));
                }
                if operation.io == Io::Database { of_database(candidate) } else { of_service(candidate) }
            }
        };
        sink.push(candidate);
    }
}

/// A read from elsewhere in a loop's body.
struct Request {
    awaited: NodeId,
    call: NodeId,
    /// It is known to read, over a client or pool that bears several calls.
    direct: bool,
    operation: Operation,
}

/// The reads from another service or a database in a loop's own body.
fn requests(model: &Model<'_>, around: &Around<'_>) -> Vec<Request> {
    let awaits = model.tree.below(around.body).filter_map(|id| {
        let Kind::Await(call) = model.tree.kind(id) else { return None };
        // An inner loop has its own turn.
        if turn_of(model, id) != Some(around.node) {
            return None;
        }
        let operation = model.operation(*call)?;
        // What comes one at a time is asked one at a time, but one query could
        // have brought it all.
        if around.comes_in_turn && operation.io != Io::Database {
            return None;
        }
        // One statement for all rows serves a transaction as well as a pool;
        // where each row's error is dealt with, each has its own.
        let one_row =
            model.writes_one_row(*call) && matches!(model.tree.kind(model.tree.node(id).parent), Kind::Try(_));
        let queries = operation.elsewhere.is_none() && operation.resource != Resource::Unknown;
        if one_row && queries {
            return Some(Request { awaited: id, call: *call, direct: true, operation });
        }
        let reaches = match operation.io {
            Io::Http => true,
            // One query for all elements serves whatever it runs on.
            Io::Database => {
                operation.elsewhere.is_some() || operation.resource != Resource::Unknown || model.is_query(*call)
            }
            _ => false,
        };
        // A function of this file reads only where each of its awaits does.
        let is_get = || model.callee(*call).is_some_and(|p| crate::lang::rust::path::equals(&p, "reqwest::get"));
        let known = matches!(operation.resource, Resource::Shared | Resource::Serial | Resource::Taken);
        let direct = known || operation.client.is_some() || is_get() || model.is_query(*call);
        let is_read = operation.effect == Effect::Read && reaches;
        is_read.then_some(Request { awaited: id, call: *call, direct, operation })
    });
    awaits.collect()
}

/// The call's last words, for the message.
fn shown(model: &Model<'_>, call: NodeId) -> String {
    let chain = model.chain(call);
    let named = |wanted: &[&str]| chain.iter().map(|(_, name)| *name).find(|name| wanted.contains(name));
    if let Some(verb) = named(&["get", "head"])
        && named(&["send"]).is_some()
    {
        return format!("{verb}(…).send()");
    }
    if let Some(fetch) =
        named(&["execute", "fetch_many", "fetch_one", "fetch_all", "fetch_optional", "one", "all", "count"])
    {
        return format!("{fetch}(…)");
    }
    match model.tree.kind(call) {
        Kind::Method { name, .. } => format!("{name}(…)"),
        Kind::Call { callee, .. } => format!("{}(…)", model.source.slice(model.tree.span(*callee))),
        _ => "the call".to_owned(),
    }
}

/// The loop around a request: `for`, `while let Some(row) = rows.next().await`,
/// or the async closure of a stream's `then`, `filter_map` and their like, which
/// is awaited before the next element.
struct Around<'m> {
    node: NodeId,
    over: NodeId,
    body: NodeId,
    pattern: &'m Pattern,
    head: Span,
    /// The elements arrive one after the other.
    comes_in_turn: bool,
}

impl<'m> Around<'m> {
    fn of(model: &'m Model<'_>, node: NodeId) -> Option<Self> {
        const IN_TURN: &[&str] = &["then", "filter_map", "for_each", "try_for_each", "and_then", "filter"];
        let start = model.tree.span(node).start;
        let (over, body, pattern, comes_in_turn) = match model.tree.kind(node) {
            Kind::For { pattern, over, body } => (*over, *body, pattern, false),
            Kind::While { cond, body } => {
                let Kind::LetCondition { pattern, value } = model.tree.kind(*cond) else { return None };
                let next = model.chain(*value).first().is_some_and(|(_, name)| matches!(*name, "next" | "try_next"));
                if !next {
                    return None;
                }
                // `while let Some(x) = list.pop()` of a plain iterator has all of it.
                let waits = model.tree.below(*value).any(|id| matches!(model.tree.kind(id), Kind::Await(_)));
                (*value, *body, pattern, waits)
            }
            Kind::Async => {
                // The block may be the closure's last expression.
                let mut above = model.tree.ancestors(node);
                let closure = above.find(|&id| !matches!(model.tree.kind(id), Kind::Block | Kind::Statement { .. }))?;
                let Kind::Closure { params, .. } = model.tree.kind(closure) else { return None };
                let [pattern] = params.as_slice() else { return None };
                let method = model.tree.node(closure).parent;
                let Kind::Method { receiver, name, .. } = model.tree.kind(method) else { return None };
                let root = model.callee(model.chain_root(*receiver))?;
                let stream = root.iter().any(|segment| segment == "stream");
                if !stream || !IN_TURN.contains(&name.as_str()) {
                    return None;
                }
                return Some(Self {
                    node,
                    over: *receiver,
                    body: node,
                    pattern,
                    head: model.tree.span(*receiver),
                    comes_in_turn: true,
                });
            }
            _ => return None,
        };
        let head = Span::new(start, model.tree.span(over).end);
        Some(Self { node, over, body, pattern, head, comes_in_turn })
    }
}

/// The loop or async block whose turn a node belongs to.
fn turn_of(model: &Model<'_>, node: NodeId) -> Option<NodeId> {
    model.loop_of(node).or_else(|| {
        let mut above = model.tree.ancestors(node);
        above.find(|&id| matches!(model.tree.kind(id), Kind::Async | Kind::Closure { .. } | Kind::Function(_)))
    })
}

fn guard(model: &Model<'_>, around: &Around<'_>, call: NodeId) -> Option<Step> {
    /// A list that is written out in the code is no list that grows.
    const FEW: usize = 20;
    let Around { node, over, body, pattern, .. } = *around;
    let head = model.tree.span(over);
    if model.source.path.split(['/', '.']).any(|part| matches!(part, "migration" | "migrations")) {
        return Some(Step::at("migration", head));
    }
    let counts = matches!(model.tree.kind(over), Kind::Range)
        || pattern.wild
        || pattern
            .bound
            .iter()
            .any(|b| matches!(b.name.as_str(), "attempt" | "retry" | "retries" | "_attempt" | "page"));
    if counts {
        return Some(Step::at("loop-retries", head));
    }
    let over_text = model.source.slice(head);
    if over_text.contains(".chunks(") {
        return Some(Step::at("loop-is-paced", head));
    }
    if over_text.contains(".take(") && !takes_many(model, over) {
        return Some(Step::at("few-rounds", head));
    }
    if literal_length(model, over).is_some_and(|length| length <= FEW) {
        return Some(Step::at("few-rounds", head));
    }
    let request = derivation(model, body, call);
    if pattern.bound.iter().all(|bound| !request.contains(bound.name.as_str())) {
        return Some(Step::at("same-every-round", model.tree.span(call)));
    }
    let kept = kept(model, around);
    if request.iter().any(|name| kept.contains(name)) {
        return Some(Step::at("loop-carries-state", head));
    }
    for id in model.tree.below(body) {
        let span = model.tree.span(id);
        match model.tree.kind(id) {
            Kind::If { cond, .. } | Kind::While { cond, .. }
                if model.names_in(*cond).iter().any(|name| kept.contains(name)) =>
            {
                return Some(Step::at("loop-carries-state", span));
            }
            Kind::Break | Kind::Return | Kind::Yield
                if turn_of(model, id) == Some(node) && !hands_error_on(model, id) =>
            {
                return Some(Step::at("loop-leaves-early", span));
            }
            Kind::Call { .. } if model.callee(id).is_some_and(|path| equals(&path, "std::thread::sleep")) => {
                return Some(Step::at("loop-is-paced", span));
            }
            Kind::Await(value) => {
                let name = match model.tree.kind(*value) {
                    Kind::Call { callee, .. } => model.leaf_name(*callee),
                    Kind::Method { name, .. } => Some(name.as_str()),
                    _ => None,
                };
                if matches!(name, Some("sleep" | "tick" | "acquire" | "until_ready" | "wait" | "recv")) {
                    return Some(Step::at("loop-is-paced", span));
                }
                let writes = || model.operation(*value).is_some_and(|o| o.effect == Effect::Write);
                if *value != call && !model.writes_one_row(*value) && writes() {
                    return Some(Step::at("loop-writes", span));
                }
            }
            _ => {}
        }
    }
    None
}

/// `Err(error) => return Err(error)` leaves a loop where `?` would.
fn hands_error_on(model: &Model<'_>, id: NodeId) -> bool {
    let returns = matches!(model.tree.kind(id), Kind::Return);
    let fails = |at: NodeId| matches!(model.tree.kind(at), Kind::Arm { pattern } if pattern.path.last().is_some_and(|leaf| leaf == "Err"));
    let gives = model.tree.children(id).any(|given| match model.tree.kind(given) {
        Kind::Call { callee, .. } => model.leaf_name(*callee) == Some("Err"),
        _ => false,
    });
    returns && gives && model.tree.ancestors(id).into_iter().any(fails)
}

/// True for `.take(50)`: what bounds the rounds leaves many of them.
fn takes_many(model: &Model<'_>, over: NodeId) -> bool {
    /// Requests in turn that are worth making side by side.
    const MANY: f64 = 10.0;
    match model.tree.kind(over) {
        Kind::Method { name, args, .. } if name == "take" => match args.as_slice() {
            [count] => matches!(model.tree.kind(*count), Kind::Literal(Lit::Number(count)) if *count >= MANY),
            _ => false,
        },
        Kind::Method { receiver, .. } => takes_many(model, *receiver),
        _ => false,
    }
}

/// The elements of `[a, b]`, `&[a, b]`, `[a, b].iter()` or a local that is one
/// of these.
fn literal_length(model: &Model<'_>, over: NodeId) -> Option<usize> {
    match model.tree.kind(over) {
        Kind::List(elements) => Some(elements.len()),
        Kind::Reference { value, .. } => literal_length(model, *value),
        Kind::Method { receiver, name, .. } if matches!(name.as_str(), "iter" | "into_iter") => {
            literal_length(model, *receiver)
        }
        Kind::Path(path) => match model.local(over, path.first().filter(|_| path.len() == 1)?)? {
            Local::Let(found) => match model.tree.kind(found) {
                Kind::Let { init: Some(init), .. } if *init != over => literal_length(model, *init),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The names that a request rests on, through the constants of the loop's body.
fn derivation<'m>(model: &'m Model<'_>, body: NodeId, call: NodeId) -> BTreeSet<&'m str> {
    let mut names = model.names_in(call);
    let lets: Vec<(&Pattern, NodeId)> = model
        .tree
        .below(body)
        .filter_map(|id| match model.tree.kind(id) {
            Kind::Let { pattern, init: Some(init), .. } => Some((pattern, *init)),
            Kind::LetCondition { pattern, value } => Some((pattern, *value)),
            _ => None,
        })
        .collect();
    // Constants rest on earlier ones: from the last to the first.
    for (pattern, init) in lets.into_iter().rev() {
        if pattern.bound.iter().any(|bound| names.contains(bound.name.as_str())) {
            names.extend(model.names_in(init));
        }
    }
    names
}

/// What lies outside of the loop and is changed by a round: assigned, or a
/// collection that grows or shrinks.
fn kept<'m>(model: &'m Model<'_>, around: &Around<'_>) -> BTreeSet<&'m str> {
    let targets = model.tree.below(around.body).filter_map(|id| match model.tree.kind(id) {
        Kind::Assign { target, .. } => Some(*target),
        Kind::Method { receiver, name, .. } if FILLS.contains(&name.as_str()) => Some(*receiver),
        _ => None,
    });
    let outer = targets.filter(|&target| is_outer(model, target, around.node));
    outer
        .filter_map(|target| match model.tree.kind(model.chain_root(target)) {
            Kind::Path(path) => path.first().map(String::as_str),
            _ => None,
        })
        .collect()
}

fn is_outer(model: &Model<'_>, target: NodeId, around: NodeId) -> bool {
    let root = model.chain_root(target);
    let Kind::Path(path) = model.tree.kind(root) else { return true };
    let Some(name) = path.first() else { return true };
    match model.local(root, name) {
        Some(crate::lang::rust::values::Local::Let(found)) => !model.tree.is_within(found, around),
        Some(crate::lang::rust::values::Local::Pattern(found)) => !model.tree.is_within(found, around),
        _ => true,
    }
}
