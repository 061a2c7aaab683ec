//! A request awaited in each round of a loop over a collection.

use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::effects::Resource;
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId};
use crate::observe::{Confidence, Context, Effect, IfNo, Io, Need, Question, Step};
use crate::source::Span;

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["call"],
    evidence: &["loop-over-collection", "awaited-in-body"],
    guards: &["loop-carries-state", "loop-is-paced", "loop-retries", "loop-leaves-early", "loop-writes"],
    assumptions: &["server-bears-several", "callee-only-reads"],
    labels: &["the-loop"],
    patches: &[],
    variants: &[],
    params: &[],
};

/// Finds loops whose requests could be under way together.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for node in model.tree.all() {
        let Kind::For { pattern, over, body } = model.tree.kind(node) else { continue };
        let reads = requests(model, node, *body);
        let Some(&(awaited, call, direct)) = reads.first() else { continue };
        if model.body_of(awaited) != Body::Async {
            continue;
        }
        let span = model.tree.span(awaited);
        let head = Span::new(model.tree.span(node).start, model.tree.span(*over).end);
        let context = model.context(node);
        let mut candidate = sink
            .candidate(span, model.symbol(node), context)
            .value("call", shown(model, call))
            .label(head, "the-loop")
            .evidence(Step::at("loop-over-collection", head))
            .evidence(Step::at("awaited-in-body", span));
        if let Some(guard) = guard(model, node, *over, *body, pattern) {
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
        let step = Step::at("server-bears-several", head);
        candidate = if direct { candidate.assume(step) } else { candidate.doubt(Step::at("callee-only-reads", span)) };
        sink.push(candidate);
    }
}

/// The HTTP reads of a loop's body: the `.await`, the call, and whether the
/// request stands here, not in a function that is called.
fn requests(model: &Model<'_>, around: NodeId, body: NodeId) -> Vec<(NodeId, NodeId, bool)> {
    let awaits = model.tree.below(body).filter_map(|id| {
        let Kind::Await(call) = model.tree.kind(id) else { return None };
        // An inner loop has its own turn.
        if model.loop_of(id) != Some(around) {
            return None;
        }
        let operation = model.operation(*call)?;
        let is_read = operation.effect == Effect::Read && operation.io == Io::Http && operation.elsewhere.is_none();
        let direct = matches!(model.tree.kind(*call), Kind::Method { name, .. } if name == "send")
            && operation.resource == Resource::Shared
            || model.callee(*call).is_some_and(|p| crate::lang::rust::path::equals(&p, "reqwest::get"));
        is_read.then_some((id, *call, direct))
    });
    awaits.collect()
}

/// The call's last words, for the message.
fn shown(model: &Model<'_>, call: NodeId) -> String {
    let chain = model.chain(call);
    let verb = chain.iter().map(|(_, name)| *name).find(|name| matches!(*name, "get" | "head"));
    verb.map_or_else(|| "reqwest::get".to_owned(), |verb| format!("{verb}(…).send()"))
}

fn guard(
    model: &Model<'_>,
    node: NodeId,
    over: NodeId,
    body: NodeId,
    pattern: &crate::lang::rust::node::Pattern,
) -> Option<Step> {
    let head = model.tree.span(over);
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
    if over_text.contains(".chunks(") || over_text.contains(".take(") {
        return Some(Step::at("loop-is-paced", head));
    }
    for id in model.tree.below(body) {
        let span = model.tree.span(id);
        match model.tree.kind(id) {
            Kind::Break | Kind::Return | Kind::Yield if model.loop_of(id) == Some(node) => {
                return Some(Step::at("loop-leaves-early", span));
            }
            Kind::Assign { target, .. } if is_outer(model, *target, node) => {
                return Some(Step::at("loop-carries-state", span));
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
                if model.operation(*value).is_some_and(|o| o.effect == Effect::Write) {
                    return Some(Step::at("loop-writes", span));
                }
            }
            _ => {}
        }
    }
    None
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
