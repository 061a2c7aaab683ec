//! A call that blocks its thread inside async code: the worker serves nobody
//! else meanwhile.

use crate::analyze::rust::not_only_at_start;
use crate::analyze::sink::Builder;
use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::blocking::{Blocking, Remedy};
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId};
use crate::observe::{Confidence, Context, Draft, IfNo, Need, Question, Step};
use crate::source::Span;

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["call"],
    evidence: &[
        "blocking-call",
        "opened-here",
        "compresses-here",
        "in-async-body",
        "blocks-inside",
        "compresses-inside",
    ],
    guards: &["offloaded-to-thread", "command-in-tool", "blocking-at-startup", "fixed-path", "runtime-asked"],
    assumptions: &["runs-per-request", "much-is-read", "others-wait-meanwhile", "branch-is-taken"],
    labels: &[],
    patches: &["tokio-sleep", "tokio-fs", "tokio-process"],
    variants: &[
        "thread-sleep",
        "thread-join",
        "child-process",
        "blocking-http",
        "block-on",
        "channel-receive",
        "blocking-socket",
        "blocking-file",
        "blocking-query",
        "blocking-compression",
        "image",
    ],
    params: &[],
};

const fn in_service() -> Need {
    Need { question: Question::InService, span: None, if_unknown: Some(Confidence::Possible), if_no: IfNo::Clear }
}

const fn in_no_tool() -> Need {
    let question = Question::NotInCommandLineProgram;
    Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::Clear }
}

/// The file that a program starts in.
fn is_program(model: &Model<'_>) -> bool {
    model.tree.functions.iter().any(|function| function.owner.is_none() && function.name == "main")
}

/// A program that starts no second task: what blocks there holds up nobody.
fn runs_alone(model: &Model<'_>) -> bool {
    const STARTS: &[&str] = &[
        "spawn",
        "spawn_local",
        "join",
        "try_join",
        "join_all",
        "try_join_all",
        "select",
        "select_all",
        "buffered",
        "buffer_unordered",
        "for_each_concurrent",
        "try_for_each_concurrent",
        "serve",
        "serve_with_shutdown",
        "launch",
    ];
    let starts = |id: NodeId| match model.tree.kind(id) {
        Kind::Method { name, args, .. } => STARTS.contains(&name.as_str()) && (name != "join" || args.is_empty()),
        Kind::Call { .. } => model.callee(id).is_some_and(|path| {
            let leaf = path.last().map_or("", String::as_str);
            STARTS.contains(&leaf) || path.iter().any(|segment| segment.ends_with("Server"))
        }),
        Kind::Macro { path, .. } => path.last().is_some_and(|leaf| STARTS.contains(&leaf.as_str())),
        _ => false,
    };
    is_program(model) && !model.tree.all().any(starts)
}

fn asks_for_runtime(model: &Model<'_>, node: NodeId) -> bool {
    let asks = |id: NodeId| model.callee(id).is_some_and(|path| path.ends_with(&["try_current".to_owned()]));
    model.function_of(node).is_some_and(|function| model.tree.below(function.node).any(asks))
}

/// True where this file hands all futures of the function to `block_on`: they
/// run on the thread that waits for them.
fn is_driven_alone(model: &Model<'_>, node: NodeId) -> bool {
    let Some(function) = model.function_of(node) else { return false };
    let named = |id: NodeId| match model.tree.kind(id) {
        Kind::Call { callee, .. } => model.leaf_name(*callee),
        Kind::Method { name, .. } => Some(name.as_str()),
        _ => None,
    };
    let mut calls = model.tree.all().filter(|&id| named(id) == Some(&function.name)).peekable();
    let blocks = |id: NodeId| model.tree.ancestors(id).any(|around| named(around) == Some("block_on"));
    calls.peek().is_some() && calls.all(blocks)
}

const fn is_service_code(context: Context) -> bool {
    matches!(context, Context::Library | Context::Scheduled)
}

/// Finds calls that block a worker.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    let hits: Vec<Blocking> = model.tree.all().filter_map(|node| model.blocking_call(node)).collect();
    // A file that is opened and read is told where it is read.
    let opened: Vec<NodeId> = hits.iter().filter_map(|hit| hit.opened).collect();
    for hit in hits.into_iter().filter(|hit| !opened.contains(&hit.node)) {
        let node = hit.node;
        let span = model.tree.span(hit.node);
        let context = model.context(node);
        let body = model.body_of(node);
        let candidate = sink
            .candidate(span, model.symbol(node), context)
            .variant(hit.kind)
            .value("call", hit.call.as_str())
            .evidence(Step::at(shown_as(hit.kind), span).with("call", hit.call.as_str()));
        match body {
            Body::Async => {}
            Body::Offloaded => {
                sink.push(candidate.clear(Step::at("offloaded-to-thread", span)));
                continue;
            }
            _ => continue,
        }
        let candidate = match hit.opened {
            Some(head) => candidate.evidence(Step::at("opened-here", model.tree.span(head))),
            None => candidate,
        };
        let around = model.function_of(node).map_or(span, |f| f.name_span);
        let mut candidate = candidate.evidence(Step::at("in-async-body", around));
        let is_tool = matches!(context, Context::Cli | Context::Build);
        match hit.kind {
            "blocking-compression" | "image" => candidate = computes(candidate, context, span),
            "child-process" if is_tool => candidate = candidate.clear(Step::at("command-in-tool", span)),
            "child-process" | "blocking-http" | "block-on" | "blocking-socket" | "thread-join"
                if context == Context::Startup =>
            {
                candidate = candidate.clear(Step::at("blocking-at-startup", span));
            }
            "blocking-http" | "blocking-socket" if is_tool => {
                candidate = candidate.clear(Step::at("command-in-tool", span));
            }
            // Copying and removing whole folders takes long wherever it is done,
            // and so does a large file.
            "blocking-file" if is_service_code(context) && (hit.whole_tree || hit.large && !hit.fixed) => {
                candidate = candidate.need(in_service()).assume(Step::at("others-wait-meanwhile", span));
            }
            // Small files read now and then cost little: only a handler's
            // reads are known to be many.
            "blocking-file" if is_service_code(context) && !hit.fixed => {
                candidate = candidate.need(in_service()).doubt(Step::at("much-is-read", span));
            }
            "blocking-file" if !matches!(context, Context::Handler | Context::Test) => continue,
            "blocking-file" if hit.fixed => candidate = candidate.clear(Step::at("fixed-path", span)),
            // A tool's own server serves one user.
            "blocking-file" if context == Context::Handler => candidate = candidate.need(in_no_tool()),
            // `Handle::try_current` tells whether there is a worker to hold up.
            "thread-sleep" if asks_for_runtime(model, node) => {
                candidate = candidate.clear(Step::at("runtime-asked", span));
            }
            // Nobody is served yet.
            "thread-sleep" if context == Context::Startup && is_program(model) => {
                candidate = candidate.doubt(Step::at("others-wait-meanwhile", span));
            }
            "blocking-query" if matches!(context, Context::Startup | Context::Cli | Context::Build) => {
                candidate = candidate.clear(Step::at("blocking-at-startup", span));
            }
            _ => {}
        }
        if context == Context::Library
            && let Some(need) = not_only_at_start(model, node)
        {
            candidate = candidate.need(need);
        }
        if context == Context::Cli || runs_alone(model) || context == Context::Library && is_driven_alone(model, node) {
            candidate = candidate.doubt(Step::at("others-wait-meanwhile", span));
        }
        if hit.brief {
            // Opening and listing are quick; what follows is not seen.
            candidate = candidate.doubt(Step::at("much-is-read", span));
        }
        if hit.kind == "child-process" && context != Context::Handler {
            candidate = candidate.need(in_service()).assume(Step::at("runs-per-request", span));
        }
        if candidate.confidence() == Confidence::Certain
            && let Some(remedy) = &hit.remedy
            && !in_plain_closure(model, node)
            && !holds_guard(model, node)
            && !model.tree.node(node).quoted
            && !foreign_runtime(model)
        {
            let draft = draft(model, &hit, remedy);
            let question = Question::Feature { package: "tokio".to_owned(), feature: remedy.feature.to_owned() };
            let need = Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::DropPatch };
            candidate = candidate.patch(draft).need(need);
        }
        sink.push(candidate);
    }
}

/// An encoder works while it is written to; other calls while they run.
fn shown_as(kind: &str) -> &'static str {
    if kind == "blocking-compression" { "compresses-here" } else { "blocking-call" }
}

/// Work of the processor: a start and a tool hold up nobody with it.
fn computes(candidate: Builder, context: Context, at: Span) -> Builder {
    match context {
        Context::Handler => candidate.need(in_no_tool()),
        Context::Startup => candidate.clear(Step::at("blocking-at-startup", at)),
        Context::Cli | Context::Build => candidate.clear(Step::at("command-in-tool", at)),
        Context::Library | Context::Scheduled => {
            candidate.need(in_service()).assume(Step::at("others-wait-meanwhile", at))
        }
        Context::Test => candidate,
    }
}

/// True in a closure that cannot await, though it runs in async code.
fn in_plain_closure(model: &Model<'_>, node: NodeId) -> bool {
    let mut around = model.tree.ancestors(node);
    let nearest =
        around.find(|&id| matches!(model.tree.kind(id), Kind::Function(_) | Kind::Closure { .. } | Kind::Async));
    nearest.is_some_and(|id| matches!(model.tree.kind(id), Kind::Closure { is_async: false, .. }))
}

fn draft(model: &Model<'_>, hit: &Blocking, remedy: &Remedy) -> Draft {
    let key = match remedy.feature {
        "time" => "tokio-sleep",
        "process" => "tokio-process",
        _ => "tokio-fs",
    };
    let end = model.tree.span(hit.node).end;
    let edits = vec![(model.tree.span(remedy.callee), remedy.path.clone()), (Span::at(end), ".await".to_owned())];
    Draft { key: key.into(), edits, imports: Vec::new() }
}

/// True where a lock's guard or a thread's generator may live at the call: an
/// `.await` there would make the future unfit for other threads.
fn holds_guard(model: &Model<'_>, node: NodeId) -> bool {
    const GUARDS: &[&str] =
        &["lock", "borrow", "borrow_mut", "read", "write", "try_lock", "lock_blocking", "upgradable_read"];
    let mut inner = node;
    for id in model.tree.ancestors(node) {
        if matches!(model.tree.kind(id), Kind::Function(_) | Kind::Closure { .. } | Kind::Async) {
            return false;
        }
        let earlier = model.tree.children(id).take_while(|&child| child <= inner);
        for statement in earlier {
            let taken = model.tree.below(statement).any(|below| match model.tree.kind(below) {
                Kind::Method { name, .. } => GUARDS.contains(&name.as_str()),
                Kind::Path(path) => matches!(path.last().map(String::as_str), Some("thread_rng" | "rng")),
                Kind::Macro { parsed, .. } => !parsed && statement != inner,
                _ => false,
            });
            if taken {
                return true;
            }
        }
        inner = id;
    }
    false
}

fn foreign_runtime(model: &Model<'_>) -> bool {
    ["async_std", "smol", "embassy", "turmoil", "madsim", "compio", "glommio", "monoio", "Rc<", "wasm_bindgen"]
        .iter()
        .any(|name| model.mentions(name))
}
