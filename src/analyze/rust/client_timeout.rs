//! An HTTP client without a timeout: a server that accepts and never answers
//! holds the caller for ever.

mod takers;

use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::clients::{Constructor, Form, Library, Use};
use crate::lang::rust::effects::VERBS;
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId};
use crate::observe::{Confidence, Context, Draft, Gift, IfNo, Need, Question, Step};
use crate::source::Span;

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["client", "cold", "connect_only"],
    evidence: &[
        "client-without-timeout",
        "timeout-switched-off",
        "no-timeout-in-file",
        "only-connect-timeout",
        "request-without-timeout",
        "request-built",
        "client-on-channel",
    ],
    guards: &[
        "timeout-on-client",
        "timeout-in-file",
        "client-in-command-line",
        "client-at-startup",
        "client-wasm",
        "timeout-by-default",
        "with-client-per-call",
        "streaming",
        "bounded-by-exporter",
    ],
    assumptions: &["requests-without-timeout", "channel-without-timeout"],
    labels: &[],
    patches: &["add-client-timeouts"],
    variants: &["rust-client", "grpc-request"],
    params: &[],
};

/// Requests of a kept client that a finding names; the rest is alike.
const NAMED: usize = 5;

/// Finds clients that bound neither a request nor a read.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    super::grpc_timeout::run(model, sink);
    takers::observe(model, sink);
    let elsewhere = timeout_within(model, NodeId::ROOT);
    let constructors = model.constructors();
    for constructor in constructors.iter().filter(|constructor| constructor.form != Form::Made) {
        let node = constructor.node;
        let span = model.tree.span(node);
        let used = model.use_of(constructor);
        let context = context_of(model, constructor, used);
        let connect_only = constructor.settings.iter().any(|(_, name)| is_connecting(name));
        let hot = context == Context::Handler;
        let mut candidate = sink
            .candidate(span, model.symbol(node), context)
            .variant("rust-client")
            .value("client", constructor.library.name())
            .value("cold", !hot)
            .value("connect_only", connect_only)
            .evidence(match constructor.settings.iter().find(|(_, name)| *name == "disable_timeout") {
                Some((method, _)) => Step::at("timeout-switched-off", model.tree.span(*method)),
                None => Step::at("client-without-timeout", span).with("client", constructor.library.name()),
            });
        let reports = |one: &Constructor<'_>, used, context| super::client_per_call::reports(model, one, used, context);
        // What a function makes for its callers is told where they call it.
        let told = constructors.iter().any(|made| {
            made.form == Form::Made
                && made.head == constructor.head
                && reports(made, model.use_of(made), model.context(made.node))
        });
        if told || reports(constructor, used, model.context(node)) {
            sink.push(candidate.clear(Step::at("with-client-per-call", span)));
            continue;
        }
        let mut unbounded = unbounded_requests(model, constructor);
        let kept = unbounded.is_empty();
        if kept {
            unbounded = requests_of_field(model, constructor);
            unbounded.extend(requests_of_static(model, constructor));
            unbounded.truncate(NAMED);
        }
        let hyper = constructor.library == Library::Hyper;
        // Nothing but a timer around them bounds requests of hyper's client.
        let elsewhere = if unbounded.is_empty() || hyper { elsewhere } else { None };
        if let Some(guard) = guard(model, constructor, used, context, elsewhere) {
            candidate = candidate.clear(guard);
            sink.push(candidate);
            continue;
        }
        if hyper && (unbounded.is_empty() || model.mentions("TimeoutConnector")) {
            continue;
        }
        for &request in &unbounded {
            candidate = candidate.evidence(Step::at("request-without-timeout", model.tree.span(request)));
        }
        if unbounded.is_empty() {
            candidate = candidate.evidence(Step::new("no-timeout-in-file"));
        }
        if connect_only {
            candidate = candidate.evidence(Step::at("only-connect-timeout", span));
        }
        if context != Context::Handler {
            candidate = candidate.need(Need {
                question: Question::InService,
                span: None,
                if_unknown: Some(Confidence::Possible),
                if_no: IfNo::Clear,
            });
        }
        candidate = candidate.need(Need {
            question: Question::NoTimeoutLayer,
            span: None,
            if_unknown: Some(Confidence::Certain),
            if_no: IfNo::Clear,
        });
        // Who calls the requests of a client that is kept may bound them.
        let escapes = used == Use::Escapes && kept;
        let taker = if escapes { takers::only(model, node) } else { None };
        let asked = taker.is_some();
        if escapes {
            candidate = match taker {
                Some(taker) => candidate.need(Need {
                    question: Question::Gives(taker, Gift::Unbounded),
                    span: Some(span),
                    if_unknown: Some(Confidence::Likely),
                    if_no: IfNo::Clear,
                }),
                None => candidate.assume(Step::at("requests-without-timeout", span)),
            };
        }
        if candidate.confidence() == Confidence::Certain
            && !asked
            && let Some(draft) = patch(model, constructor)
        {
            candidate = candidate.patch(draft).need(Need {
                question: Question::DependencyAtLeast { package: "reqwest".to_owned(), version: (0, 12) },
                span: None,
                if_unknown: Some(Confidence::Certain),
                if_no: IfNo::DropPatch,
            });
        }
        sink.push(candidate);
    }
}

/// The requests on a client that a local holds, or a clone of it, which bring
/// no timeout of their own; closures and async blocks of the function included.
pub fn unbounded_requests(model: &Model<'_>, constructor: &Constructor<'_>) -> Vec<NodeId> {
    let Some((binding, pattern)) = model.bound_by(constructor.node) else { return Vec::new() };
    let Some(name) = pattern.name() else { return Vec::new() };
    let mut open = vec![(binding, name)];
    let mut found = Vec::new();
    while let Some((binding, name)) = open.pop() {
        for used in model.uses_of(binding, name) {
            let parent = model.tree.node(used).parent;
            let Kind::Method { receiver, name, .. } = model.tree.kind(parent) else { continue };
            if *receiver != used {
                continue;
            }
            match name.as_str() {
                "clone" => {
                    if let Some((binding, pattern)) = model.bound_by(parent)
                        && let Some(name) = pattern.name()
                    {
                        open.push((binding, name));
                    }
                }
                verb if VERBS.contains(&verb) && is_unbounded(model, parent) => found.push(parent),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The same of a client that a field keeps: `self.http.get(url)….send()` in
/// this file, where the type's own function made the client.
fn requests_of_field(model: &Model<'_>, constructor: &Constructor<'_>) -> Vec<NodeId> {
    let ty = |node: NodeId| model.owner_name(model.function_of(node)?);
    let (Some(field), Some(own)) = (field_of(model, constructor.node), ty(constructor.node)) else { return Vec::new() };
    let requests = model.tree.all().filter(|&id| match model.tree.kind(id) {
        Kind::Method { receiver, name, .. } if VERBS.contains(&name.as_str()) => {
            // `let agent = self.agent.clone();` for a thread of its own.
            let cloned = || match model.tree.kind(model.init_of(*receiver)?) {
                Kind::Method { receiver, name, .. } if name == "clone" => Some(*receiver),
                _ => None,
            };
            let is_field = |at: NodeId| matches!(model.tree.kind(at), Kind::Field { name, .. } if *name == field);
            (is_field(*receiver) || cloned().is_some_and(is_field)) && is_unbounded(model, id) && ty(id) == Some(own)
        }
        _ => false,
    });
    requests.collect()
}

/// The same of a client that the whole file shares:
/// `static HTTP: LazyLock<Client> = …`, then `HTTP.get(url)….send()`.
fn requests_of_static(model: &Model<'_>, constructor: &Constructor<'_>) -> Vec<NodeId> {
    let shared = model.tree.ancestors(constructor.node).find_map(|id| match model.tree.kind(id) {
        Kind::Once { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let Some(shared) = shared else { return Vec::new() };
    let requests = model.tree.all().filter(|&id| match model.tree.kind(id) {
        Kind::Method { receiver, name, .. } if VERBS.contains(&name.as_str()) => {
            matches!(model.tree.kind(*receiver), Kind::Path(path) if path.as_slice() == [shared])
                && is_unbounded(model, id)
                && !model.is_test(id)
        }
        _ => false,
    });
    requests.collect()
}

/// The field of a literal that keeps what a node gives, itself or by a local.
fn field_of(model: &Model<'_>, made: NodeId) -> Option<String> {
    let keeps = |value: NodeId| match model.tree.kind(model.tree.node(value).parent) {
        Kind::Struct { fields, .. } => fields.iter().find(|(_, kept)| *kept == value).map(|(name, _)| name.to_string()),
        _ => None,
    };
    keeps(model.unwrapped(made)).or_else(|| {
        let (binding, pattern) = model.bound_by(made)?;
        model.uses_of(binding, pattern.name()?).into_iter().find_map(keeps)
    })
}

/// True for clients that bound their requests unless they are told not to.
pub fn is_timed_by_default(constructor: &Constructor<'_>) -> bool {
    let off = || constructor.settings.iter().any(|(_, name)| *name == "disable_timeout");
    constructor.library == Library::ReqwestBlocking || constructor.library == Library::Awc && !off()
}

/// True for settings that bound how long an answer may take.
pub fn bounds_answers(setting: &str) -> bool {
    let other = matches!(setting, "pool_idle_timeout" | "disable_timeout") || is_connecting(setting);
    setting.contains("timeout") && !other
}

/// True for settings that bound how a connection is made or kept, and no answer.
fn is_connecting(setting: &str) -> bool {
    matches!(setting, "connect_timeout" | "timeout_connect" | "timeout_resolve" | "timeout_write")
}

/// `client.get(url)….send()` in one chain, without a timeout in it or around it.
fn is_unbounded(model: &Model<'_>, request: NodeId) -> bool {
    let end = model.chain_end(request);
    let chain = model.chain(end);
    const SENDS: &[&str] = &["send", "call", "send_json", "send_form", "send_string", "send_bytes"];
    let sends = chain.iter().any(|(_, name)| SENDS.contains(name)) || asks_by_hyper(model, request);
    let own = chain.iter().any(|(_, name)| name.contains("timeout"));
    let timer = |id: NodeId| match model.tree.kind(id) {
        Kind::Call { callee, .. } => match model.tree.kind(*callee) {
            Kind::Path(path) => path.last().is_some_and(|leaf| leaf.contains("timeout")),
            _ => false,
        },
        Kind::Macro { path, .. } => path.last().is_some_and(|leaf| leaf == "select"),
        Kind::Method { name, .. } => name == "timeout",
        _ => false,
    };
    sends && !own && !model.tree.ancestors(end).into_iter().any(|id| timer(id) || is_timed_block(model, id))
}

/// `self.http.request(request).await` of hyper's client; a request that only
/// passes through is as long as whoever sent it waits.
fn asks_by_hyper(model: &Model<'_>, request: NodeId) -> bool {
    let Kind::Method { receiver, args, .. } = model.tree.kind(request) else { return false };
    let passes = || args.iter().any(|&argument| model.parameter_behind(argument).is_some());
    model.is_awaited(request) && model.is_hyper_client(*receiver) && !passes()
}

/// True for an async block that a local holds, and `timeout(limit, …)` waits for.
fn is_timed_block(model: &Model<'_>, block: NodeId) -> bool {
    if !matches!(model.tree.kind(block), Kind::Async) {
        return false;
    }
    let Some(held) = model.bound_by(block).and_then(|(_, pattern)| pattern.name()) else { return false };
    let Some(body) = model.function_of(block).and_then(|function| function.body) else { return false };
    model.tree.below(body).any(|id| match model.tree.kind(id) {
        Kind::Call { callee, args } => {
            let bounds = matches!(model.leaf_name(*callee), Some("timeout" | "timeout_at"));
            let is_it =
                |argument: &NodeId| matches!(model.tree.kind(*argument), Kind::Path(path) if path.as_slice() == [held]);
            bounds && args.iter().any(is_it)
        }
        _ => false,
    })
}

/// A client that is kept is used where its keeper is, not where it is made.
fn context_of(model: &Model<'_>, constructor: &Constructor<'_>, used: Use) -> Context {
    let kept = used == Use::Escapes || model.body_of(constructor.node) == Body::Once;
    // So is one that a task goes on asking with, round by round, itself or by
    // a function of this file.
    let asks = |used: NodeId| match model.tree.kind(model.tree.node(used).parent) {
        Kind::Method { receiver, name, .. } => *receiver == used && VERBS.contains(&name.as_str()),
        Kind::Reference { .. } => {
            let taker = model.tree.node(model.tree.node(used).parent).parent;
            model.called_here(taker).is_some()
        }
        _ => false,
    };
    let goes_on = || {
        let Some((binding, pattern)) = model.bound_by(constructor.node) else { return false };
        let Some(name) = pattern.name() else { return false };
        model.uses_of(binding, name).into_iter().any(|used| model.loop_of(used).is_some() && asks(used))
    };
    match model.context(constructor.node) {
        Context::Startup if kept || goes_on() => Context::Library,
        context => context,
    }
}

fn guard(
    model: &Model<'_>,
    constructor: &Constructor<'_>,
    used: Use,
    context: Context,
    elsewhere: Option<Span>,
) -> Option<Step> {
    let span = model.tree.span(constructor.node);
    if is_timed_by_default(constructor) {
        return Some(Step::at("timeout-by-default", span));
    }
    // A channel is dialled once: what bounds that is what users of it set.
    let tonic = constructor.library == Library::Tonic;
    let own = |name: &str| bounds_answers(name) || tonic && is_connecting(name);
    if let Some((method, _)) = constructor.settings.iter().find(|(_, name)| own(name)) {
        return Some(Step::at("timeout-on-client", model.tree.span(*method)));
    }
    if model.facts.is_wasm || cfg_wasm(model, constructor.node) {
        return Some(Step::at("client-wasm", span));
    }
    if let Some(at) = handed_to_exporter(model, constructor.node) {
        return Some(Step::at("bounded-by-exporter", at));
    }
    match context {
        Context::Cli | Context::Build => return Some(Step::at("client-in-command-line", span)),
        Context::Startup if used != Use::Escapes => return Some(Step::at("client-at-startup", span)),
        _ => {}
    }
    elsewhere.map(|at| Step::at("timeout-in-file", at))
}

/// `exporter.with_http_client(client)`: OpenTelemetry ends an export by itself
/// (`OTEL_BSP_EXPORT_TIMEOUT`, 30 s unless set).
fn handed_to_exporter(model: &Model<'_>, node: NodeId) -> Option<Span> {
    let outer = model.unwrapped(node);
    match model.tree.kind(model.tree.node(outer).parent) {
        Kind::Method { name, name_span, args, .. } => {
            (name == "with_http_client" && args.contains(&outer)).then_some(*name_span)
        }
        _ => None,
    }
}

fn cfg_wasm(model: &Model<'_>, node: NodeId) -> bool {
    model
        .attributes_around(node)
        .any(|attr| attr.leaf() == "cfg" && attr.text.contains("wasm") && !attr.text.contains("not("))
}

/// The first sign that requests of the code below `within` are bounded: a
/// `.timeout(…)` on a request there, `tokio::time::timeout` or a timeout layer
/// anywhere in the file. What another client is given bounds that one only.
pub fn timeout_within(model: &Model<'_>, within: NodeId) -> Option<Span> {
    const BOUNDS: &[&str] =
        &["timeout", "read_timeout", "timeout_mut", "set_timeout", "timeout_read", "timeout_global"];
    let is_bound = |id: &NodeId| match model.tree.kind(*id) {
        // A getter of a setting sets none.
        Kind::Method { name, args, .. } => BOUNDS.contains(&name.as_str()) && !args.is_empty(),
        Kind::Call { callee, .. } => match model.tree.kind(*callee) {
            Kind::Path(path) => {
                let leaf = path.last().map_or("", String::as_str);
                matches!(leaf, "timeout" | "timeout_at") || path.iter().any(|segment| segment == "TimeoutLayer")
            }
            _ => false,
        },
        _ => false,
    };
    let bounds = model.once.bounds.get_or_init(|| model.tree.all().filter(is_bound).collect());
    bounds.iter().find_map(|&id| match model.tree.kind(id) {
        Kind::Method { name_span, .. } => {
            (model.tree.is_within(id, within) && !model.sets_builder(id)).then_some(*name_span)
        }
        _ => Some(model.tree.span(id)),
    })
}

/// True where the file reads event streams: a silent one is no dead one, and a
/// limit between reads would end it.
pub fn streams(model: &Model<'_>) -> bool {
    const SIGNS: &[&str] =
        &["event-stream", "EventSource", "eventsource", "bytes_stream", "long_poll", "longpoll", "Sse"];
    SIGNS.iter().any(|sign| model.mentions(sign))
}

fn patch(model: &Model<'_>, constructor: &Constructor<'_>) -> Option<Draft> {
    const BOUNDS: &str =
        ".connect_timeout(std::time::Duration::from_secs(10)).read_timeout(std::time::Duration::from_secs(30))";
    const READ: &str = ".read_timeout(std::time::Duration::from_secs(30))";
    if constructor.library != Library::Reqwest || model.tree.node(constructor.node).quoted || streams(model) {
        return None;
    }
    let node = constructor.node;
    let span = model.tree.span(node);
    let edits = match constructor.form {
        Form::New => {
            let Kind::Call { callee, .. } = model.tree.kind(node) else { return None };
            let path = model.source.slice(model.tree.span(*callee));
            let (ty, _) = path.rsplit_once("::")?;
            let built = format!("{ty}::builder(){BOUNDS}.build().expect(\"the HTTP client's settings are valid\")");
            vec![(span, built)]
        }
        Form::Builder => {
            let last = constructor.settings.last().map_or(constructor.head, |(node, _)| *node);
            let at = model.tree.node(last).outer.end;
            let connect = constructor.settings.iter().any(|(_, name)| *name == "connect_timeout");
            vec![(Span::at(at), if connect { READ } else { BOUNDS }.to_owned())]
        }
        Form::OneShot | Form::Made => return None,
    };
    Some(Draft { key: "add-client-timeouts".into(), edits, imports: Vec::new() })
}
