//! gRPC requests that bring no deadline, on a channel that is made elsewhere:
//! a server that accepts and never answers holds the caller for ever.

use super::client_timeout::timeout_within;
use crate::analyze::Sink;
use crate::lang::rust::Model;
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId};
use crate::observe::{Confidence, Context, IfNo, Need, Question, Step};
use crate::source::Span;

/// Finds the clients whose requests bring no deadline; one finding for each.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    if !model.source.text.contains("tonic") && !model.source.text.contains("_client::") {
        return;
    }
    channels(model, sink);
    for node in model.tree.all() {
        let Some(client) = generated_client(model, node) else { continue };
        let context = model.context(node);
        if matches!(context, Context::Test | Context::Build | Context::Cli | Context::Startup) {
            continue;
        }
        let requests = requests(model, client);
        let (Some(&first), Some(function)) = (requests.first(), model.function_of(node)) else { continue };
        let span = model.tree.span(first);
        let mut candidate = sink
            .candidate(span, model.symbol(node), context)
            .variant("grpc-request")
            .value("client", "gRPC")
            .value("cold", context != Context::Handler)
            .evidence(Step::at("client-on-channel", model.tree.span(node)));
        for &request in &requests {
            candidate = candidate.evidence(Step::at("request-without-timeout", model.tree.span(request)));
            if let Some(built) = built(model, request) {
                candidate = candidate.evidence(Step::at("request-built", model.tree.span(built)));
            }
        }
        if let Some(bound) = timeout_within(model, function.node).or_else(|| bounded_channel(model)) {
            sink.push(candidate.clear(Step::at("timeout-in-file", bound)));
            continue;
        }
        if let Some(at) = streams(model, function.node) {
            sink.push(candidate.clear(Step::at("streaming", model.tree.span(at))));
            continue;
        }
        if context != Context::Handler {
            let question = Question::InService;
            let need = Need { question, span: None, if_unknown: Some(Confidence::Possible), if_no: IfNo::Clear };
            candidate = candidate.need(need);
        }
        let question = Question::NoTimeoutLayer;
        let need = Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::Clear };
        sink.push(candidate.need(need).assume(Step::at("channel-without-timeout", model.tree.span(node))));
    }
}

/// Channels that are made here for a generated client and bound no request:
/// `Endpoint::from_shared(url)?.connect_timeout(…).connect_lazy()`.
fn channels(model: &Model<'_>, sink: &mut Sink<'_>) {
    let text = &model.source.text;
    let for_client = text.contains("Client<Channel>") || text.contains("_client::");
    let bounded = || timeout_within(model, NodeId::ROOT).is_some() || streams(model, NodeId::ROOT).is_some();
    if !for_client || bounded() {
        return;
    }
    for node in model.tree.all() {
        let Some((head, only_connecting)) = channel_made(model, node) else { continue };
        let context = model.context(node);
        if matches!(context, Context::Test | Context::Build | Context::Cli) {
            continue;
        }
        let span = model.tree.span(head);
        let need =
            |question, if_unknown| Need { question, span: None, if_unknown: Some(if_unknown), if_no: IfNo::Clear };
        let mut candidate = sink
            .candidate(span, model.symbol(node), Context::Library)
            .variant("rust-client")
            .value("client", "tonic")
            .value("cold", true)
            .value("connect_only", only_connecting)
            .evidence(Step::at("client-without-timeout", span).with("client", "tonic"))
            .evidence(Step::new("no-timeout-in-file"));
        if only_connecting {
            candidate = candidate.evidence(Step::at("only-connect-timeout", span));
        }
        let candidate = candidate
            .need(need(Question::InService, Confidence::Possible))
            .need(need(Question::NoTimeoutLayer, Confidence::Certain));
        sink.push(candidate.assume(Step::at("requests-without-timeout", span)));
    }
}

/// The call that an endpoint begins with, where `node` connects it, and whether
/// connecting alone is bounded.
fn channel_made(model: &Model<'_>, node: NodeId) -> Option<(NodeId, bool)> {
    let Kind::Method { name, .. } = model.tree.kind(node) else { return None };
    if !matches!(name.as_str(), "connect" | "connect_lazy") {
        return None;
    }
    let root = model.chain_root(node);
    let made = model.init_of(root);
    let head = made.map_or(root, |made| model.chain_root(made));
    let path = model.callee(head)?;
    let [first, .., owner, leaf] = path.as_slice() else { return None };
    let begins = first == "tonic"
        && matches!(owner.as_str(), "Endpoint" | "Channel")
        && matches!(leaf.as_str(), "from_shared" | "from_static" | "new" | "from" | "try_from" | "builder");
    let settings: Vec<_> = [Some(node), made].into_iter().flatten().flat_map(|end| model.chain(end)).collect();
    let has = |wanted: &str| settings.iter().any(|(_, name)| *name == wanted);
    (begins && !has("timeout")).then(|| (head, has("connect_timeout")))
}

/// Where a channel of this file is given a timeout for its requests:
/// `Endpoint::from_shared(url)?.timeout(…).connect_lazy()`.
fn bounded_channel(model: &Model<'_>) -> Option<Span> {
    model.tree.all().find_map(|node| match model.tree.kind(node) {
        Kind::Method { name, .. } if name.starts_with("connect") && !model.is_test(node) => {
            let root = model.chain_root(node);
            let made = model.init_of(root);
            let of_channel = |path: &[String]| path.iter().any(|part| matches!(part.as_str(), "Endpoint" | "Channel"));
            let begins = model.callee(made.map_or(root, |made| model.chain_root(made)));
            let settings = [Some(node), made].into_iter().flatten().flat_map(|end| model.chain(end));
            let bound = settings.into_iter().find(|(_, name)| *name == "timeout");
            bound.filter(|_| begins.is_some_and(|path| of_channel(&path))).map(|(at, _)| model.tree.span(at))
        }
        _ => None,
    })
}

/// `SearchClient::with_interceptor(channel, …)` of generated code
/// (`…::search_client::SearchClient`), in async code, on a channel that is not
/// made in the same function.
fn generated_client(model: &Model<'_>, node: NodeId) -> Option<NodeId> {
    let Kind::Call { args, .. } = model.tree.kind(node) else { return None };
    let path = model.callee(node)?;
    let (made, module) = path.split_last()?;
    let (class, module) = module.split_last()?;
    let generated = class.ends_with("Client") && module.iter().any(|segment| segment.ends_with("_client"));
    if !generated || !matches!(made.as_str(), "new" | "with_interceptor") || model.body_of(node) != Body::Async {
        return None;
    }
    let channel = *args.first()?;
    let function = model.function_of(node)?;
    let here = model.constructors().iter().any(|one| model.tree.is_within(one.node, function.node));
    let handed = matches!(model.tree.kind(channel), Kind::Path(_) | Kind::Method { .. });
    (handed && !here).then_some(node)
}

/// The awaited requests on the local that holds the client: `client.get(r).await`.
fn requests(model: &Model<'_>, client: NodeId) -> Vec<NodeId> {
    let made = model.chain_end(client);
    let Some((_, pattern)) = model.bound_by(made).or_else(|| model.bound_by(client)) else { return Vec::new() };
    let (Some(name), Some(function)) = (pattern.name(), model.function_of(client)) else { return Vec::new() };
    // Settings may stand between: `client.send_compressed(gzip).export(batch)`.
    let on_it = |receiver: NodeId| match model.tree.kind(model.chain_root(receiver)) {
        Kind::Path(path) => path.len() == 1 && path[0] == name,
        _ => false,
    };
    let awaited = model.tree.below(function.node).filter_map(|id| match model.tree.kind(id) {
        Kind::Await(value) => match model.tree.kind(*value) {
            Kind::Method { receiver, args, .. } if args.len() == 1 && on_it(*receiver) => Some(*value),
            _ => None,
        },
        _ => None,
    });
    awaited.collect()
}

/// Where the request is made, if in a variable of its own: `tonic::Request::new(…)`,
/// which takes a timeout, as a plain message does not.
fn built(model: &Model<'_>, request: NodeId) -> Option<NodeId> {
    let Kind::Method { args, .. } = model.tree.kind(request) else { return None };
    let made = model.init_of(*args.first()?)?;
    let path = model.callee(made)?;
    matches!(path.as_slice(), [.., of, new] if of == "Request" && new == "new").then_some(made)
}

/// A stream's messages are read one by one: it may last as long as it likes.
fn streams(model: &Model<'_>, function: NodeId) -> Option<NodeId> {
    model.tree.below(function).find(|&id| match model.tree.kind(id) {
        // An error has a `message` too, for which nobody waits.
        Kind::Method { name, args, .. } => {
            args.is_empty()
                && matches!(name.as_str(), "message" | "next" | "try_next")
                && model.is_awaited_or_quoted(id)
        }
        Kind::Path(path) => path.iter().any(|segment| matches!(segment.as_str(), "Streaming" | "StreamExt")),
        _ => false,
    })
}
