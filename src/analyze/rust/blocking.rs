//! A call that blocks its thread inside async code: the worker serves nobody
//! else meanwhile.

use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::rust::path::{equals, starts_with};
use crate::lang::rust::values::Local;
use crate::observe::{Confidence, Context, Draft, IfNo, Need, Question, Step};
use crate::source::Span;

/// A draft: its key, the word for what replaces the call, and the edits.
type Drafted = (&'static str, &'static str, Vec<(Span, String)>);

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["call"],
    evidence: &["blocking-call", "in-async-body"],
    guards: &["offloaded-to-thread", "command-in-tool", "blocking-at-startup"],
    assumptions: &["runs-per-request", "much-is-read", "others-wait-meanwhile"],
    labels: &[],
    patches: &["tokio-sleep", "tokio-fs", "tokio-process"],
    variants: &[
        "thread-sleep",
        "child-process",
        "blocking-http",
        "block-on",
        "channel-receive",
        "blocking-socket",
        "blocking-file",
        "blocking-query",
    ],
    params: &[],
};

/// One blocking call.
struct Hit {
    /// What to report.
    node: NodeId,
    /// The variant.
    variant: &'static str,
    /// What is called, for the message.
    call: String,
    /// The edits that make it asynchronous, with the patch's key and the tokio
    /// feature that it needs.
    patch: Option<Drafted>,
    /// It goes through a whole folder.
    whole_tree: bool,
}

const fn in_service() -> Need {
    Need { question: Question::InService, span: None, if_unknown: Some(Confidence::Possible), if_no: IfNo::Clear }
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
    let is_program = model.tree.functions.iter().any(|function| function.owner.is_none() && function.name == "main");
    let starts = |id: NodeId| match model.tree.kind(id) {
        Kind::Method { name, args, .. } => STARTS.contains(&name.as_str()) && (name != "join" || args.is_empty()),
        Kind::Call { .. } => model.callee(id).is_some_and(|path| {
            let leaf = path.last().map_or("", String::as_str);
            STARTS.contains(&leaf) || path.iter().any(|segment| segment.ends_with("Server"))
        }),
        Kind::Macro { path, .. } => path.last().is_some_and(|leaf| STARTS.contains(&leaf.as_str())),
        _ => false,
    };
    is_program && !model.tree.all().any(starts)
}

const fn is_service_code(context: Context) -> bool {
    matches!(context, Context::Library | Context::Scheduled)
}

/// Finds calls that block a worker.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for node in model.tree.all() {
        let Some(hit) = recognise(model, node) else { continue };
        let span = model.tree.span(hit.node);
        let context = model.context(node);
        let body = model.body_of(node);
        let candidate = sink
            .candidate(span, model.symbol(node), context)
            .variant(hit.variant)
            .value("call", hit.call.as_str())
            .evidence(Step::at("blocking-call", span).with("call", hit.call.as_str()));
        match body {
            Body::Async => {}
            Body::Offloaded => {
                sink.push(candidate.clear(Step::at("offloaded-to-thread", span)));
                continue;
            }
            _ => continue,
        }
        let around = model.function_of(node).map_or(span, |f| f.name_span);
        let mut candidate = candidate.evidence(Step::at("in-async-body", around));
        let is_tool = matches!(context, Context::Cli | Context::Build);
        match hit.variant {
            "child-process" if is_tool => candidate = candidate.clear(Step::at("command-in-tool", span)),
            "child-process" | "blocking-http" | "block-on" | "blocking-socket" if context == Context::Startup => {
                candidate = candidate.clear(Step::at("blocking-at-startup", span));
            }
            "blocking-http" | "blocking-socket" if is_tool => {
                candidate = candidate.clear(Step::at("command-in-tool", span));
            }
            // Copying and removing whole folders takes long wherever it is done.
            "blocking-file" if is_service_code(context) && hit.whole_tree => {
                candidate = candidate.need(in_service()).assume(Step::at("others-wait-meanwhile", span));
            }
            // Small files read now and then cost little: only a handler's
            // reads are known to be many.
            "blocking-file" if !matches!(context, Context::Handler | Context::Test) => continue,
            "blocking-query" if matches!(context, Context::Startup | Context::Cli | Context::Build) => {
                candidate = candidate.clear(Step::at("blocking-at-startup", span));
            }
            _ => {}
        }
        if context == Context::Cli || runs_alone(model) {
            candidate = candidate.doubt(Step::at("others-wait-meanwhile", span));
        }
        if hit.variant == "blocking-file" && hit.patch.is_none() {
            // Opening and listing are quick; what follows is not seen.
            candidate = candidate.doubt(Step::at("much-is-read", span));
        }
        if hit.variant == "child-process" && context != Context::Handler {
            candidate = candidate.need(in_service()).assume(Step::at("runs-per-request", span));
        }
        if candidate.confidence() == Confidence::Certain
            && let Some((key, feature, edits)) = hit.patch
            && !holds_guard(model, node)
            && !model.tree.node(node).quoted
            && !foreign_runtime(model)
        {
            let draft = Draft { key: key.into(), edits, imports: Vec::new() };
            let question = Question::Feature { package: "tokio".to_owned(), feature: feature.to_owned() };
            let need = Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::DropPatch };
            candidate = candidate.patch(draft).need(need);
        }
        sink.push(candidate);
    }
}

fn recognise(model: &Model<'_>, node: NodeId) -> Option<Hit> {
    match model.tree.kind(node) {
        Kind::Call { .. } => function_call(model, node),
        Kind::Method { receiver, name, .. } => method_call(model, node, *receiver, name),
        _ => None,
    }
}

fn function_call(model: &Model<'_>, node: NodeId) -> Option<Hit> {
    // What is awaited is no blocking call, whatever its name.
    if model.is_awaited(node) {
        return None;
    }
    let path = model.callee(node)?;
    let call = path.join("::");
    let Kind::Call { callee, args } = model.tree.kind(node) else { return None };
    let whole_tree = path.last().is_some_and(|leaf| leaf == "remove_dir_all" || leaf == "copy");
    let hit = |variant, patch| Some(Hit { node, variant, call: call.clone(), patch, whole_tree });
    let awaited = |feature: &'static str, key: &'static str, replacement: String| {
        let end = model.tree.span(node).end;
        Some((key, feature, vec![(model.tree.span(*callee), replacement), (Span::at(end), ".await".to_owned())]))
    };
    if equals(&path, "std::thread::sleep") && args.len() == 1 {
        return hit("thread-sleep", awaited("time", "tokio-sleep", "tokio::time::sleep".to_owned()));
    }
    if starts_with(&path, "std::fs") && path.len() >= 3 {
        const WHOLE: &[&str] = &["read", "write", "read_to_string", "copy", "remove_dir_all"];
        let leaf = path.last()?.as_str();
        if path.len() == 3 && WHOLE.contains(&leaf) {
            return hit("blocking-file", awaited("fs", "tokio-fs", format!("tokio::fs::{leaf}")));
        }
        let listing = path.len() == 3 && leaf == "read_dir";
        let handle = path.len() == 4 && path[2] == "File" && matches!(leaf, "open" | "create");
        return if listing || handle { hit("blocking-file", None) } else { None };
    }
    if equals(&path, "reqwest::blocking::get") {
        return hit("blocking-http", None);
    }
    const BLOCK_ON: &[&str] = &[
        "futures::executor::block_on",
        "futures_executor::block_on",
        "async_std::task::block_on",
        "pollster::block_on",
        "smol::block_on",
    ];
    if BLOCK_ON.iter().any(|wanted| equals(&path, wanted)) {
        return hit("block-on", None);
    }
    if equals(&path, "std::net::TcpStream::connect") || equals(&path, "std::net::TcpStream::connect_timeout") {
        return hit("blocking-socket", None);
    }
    None
}

fn method_call(model: &Model<'_>, node: NodeId, receiver: NodeId, name: &str) -> Option<Hit> {
    if runs_diesel(model, node, name) {
        let call = format!("diesel's {name}");
        return Some(Hit { node, variant: "blocking-query", call, patch: None, whole_tree: false });
    }
    if !matches!(
        name,
        "output"
            | "status"
            | "wait"
            | "wait_with_output"
            | "send"
            | "call"
            | "send_json"
            | "send_string"
            | "send_form"
            | "send_bytes"
            | "send_empty"
            | "block_on"
            | "recv"
            | "recv_timeout"
    ) || model.is_awaited(node)
    {
        return None;
    }
    let root = model.chain_root(receiver);
    let hit = |variant, call: &str, patch| Some(Hit { node, variant, call: call.to_owned(), patch, whole_tree: false });
    match name {
        "output" | "status" | "wait" | "wait_with_output" => {
            let head = origin(model, root)?;
            let path = model.callee(head)?;
            if !equals(&path, "std::process::Command::new") {
                return None;
            }
            let spawned = model.chain(receiver).iter().any(|(_, m)| *m == "spawn")
                || head != root && model.chain(init_of(model, root)?).iter().any(|(_, m)| *m == "spawn");
            if name.starts_with("wait") != spawned {
                return None;
            }
            hit("child-process", &format!("Command::{name}"), command_patch(model, node, root, head, name))
        }
        "block_on" => {
            let path = model.type_path(receiver)?;
            let is_runtime = equals(&path, "tokio::runtime::Runtime") || equals(&path, "tokio::runtime::Handle");
            if is_runtime { hit("block-on", "block_on", None) } else { None }
        }
        "recv" | "recv_timeout" => {
            if !made_by_std_channel(model, receiver) {
                return None;
            }
            hit("channel-receive", &format!("std::sync::mpsc::Receiver::{name}"), None)
        }
        _ => {
            let head = origin(model, root)?;
            if let Some(path) = model.callee(head) {
                if path.first().is_some_and(|first| first == "ureq") {
                    return hit("blocking-http", &format!("ureq {name}"), None);
                }
                if starts_with(&path, "reqwest::blocking") && name == "send" {
                    return hit("blocking-http", "reqwest::blocking send", None);
                }
            }
            let path = model.type_path(root)?;
            if equals(&path, "reqwest::blocking::Client") && name == "send" {
                return hit("blocking-http", "reqwest::blocking send", None);
            }
            if equals(&path, "ureq::Agent") {
                return hit("blocking-http", &format!("ureq {name}"), None);
            }
            None
        }
    }
}

/// `query.load(&mut conn)` of diesel, which has no other than blocking queries;
/// with diesel-async the same names are awaited.
fn runs_diesel(model: &Model<'_>, node: NodeId, name: &str) -> bool {
    const RUNS: &[&str] = &["load", "get_result", "get_results", "first", "execute"];
    if !RUNS.contains(&name) || model.is_awaited(node) {
        return false;
    }
    let Kind::Method { args, .. } = model.tree.kind(node) else { return false };
    let [connection] = args.as_slice() else { return false };
    let Kind::Reference { value, .. } = model.tree.kind(*connection) else { return false };
    let named = |leaf: &str| leaf.contains("conn") || leaf == "db";
    model.leaf_name(*value).is_some_and(named) && model.names_crate("diesel") && !model.names_crate("diesel_async")
}

/// The call that a chain begins with, through one local.
fn origin(model: &Model<'_>, root: NodeId) -> Option<NodeId> {
    match model.tree.kind(root) {
        Kind::Call { .. } => Some(root),
        Kind::Path(_) => Some(model.chain_root(init_of(model, root)?)),
        _ => None,
    }
}

fn init_of(model: &Model<'_>, root: NodeId) -> Option<NodeId> {
    let Kind::Path(path) = model.tree.kind(root) else { return None };
    let [name] = path.as_slice() else { return None };
    let Some(Local::Let(found)) = model.local(root, name) else { return None };
    match model.tree.kind(found) {
        Kind::Let { init, .. } => *init,
        _ => None,
    }
}

/// `let (tx, rx) = std::sync::mpsc::channel()` in the same function.
fn made_by_std_channel(model: &Model<'_>, receiver: NodeId) -> bool {
    let Some(init) = init_of(model, receiver) else { return false };
    model
        .callee(init)
        .is_some_and(|path| equals(&path, "std::sync::mpsc::channel") || equals(&path, "std::sync::mpsc::sync_channel"))
}

/// `Command::new(…)….output()` in one expression: the same names exist in
/// `tokio::process`.
fn command_patch(model: &Model<'_>, node: NodeId, root: NodeId, head: NodeId, name: &str) -> Option<Drafted> {
    const SAME: &[&str] = &["arg", "args", "env", "envs", "current_dir", "env_clear", "env_remove", "kill_on_drop"];
    let Kind::Method { receiver, .. } = model.tree.kind(node) else { return None };
    let plain = model.chain(*receiver).iter().all(|(_, method)| SAME.contains(method));
    if head != root || !plain || !matches!(name, "output" | "status") {
        return None;
    }
    let Kind::Call { callee, .. } = model.tree.kind(head) else { return None };
    let end = model.tree.span(node).end;
    let edits = vec![
        (model.tree.span(*callee), "tokio::process::Command::new".to_owned()),
        (Span::at(end), ".await".to_owned()),
    ];
    Some(("tokio-process", "process", edits))
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
        .any(|name| model.source.text.contains(name))
}
