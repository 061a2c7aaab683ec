//! Clients that keep their connections, built inside a function that runs for
//! each call: undici's pools and agents, agents for proxies, clients of the AWS
//! SDK. What they keep is of no use to the next call.

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, NewExpression};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::{is_reported, often, sends_here, start};
use crate::analyze::Sink;
use crate::analyze::sink::Builder;
use crate::analyze::typescript::instance::{self, Kept};
use crate::analyze::typescript::{http, options};
use crate::lang::typescript::path::strip_node;
use crate::lang::typescript::uses::Uses;
use crate::lang::typescript::{Model, span};
use crate::observe::{Context, Step};

/// Options by which requests take what carries them.
const CARRIED_BY: &[&str] = &["dispatcher", "agent", "httpAgent", "httpsAgent", "http", "https"];

/// `new Agent(…)` of undici, `new HttpsProxyAgent(…)`, `new S3Client(…)` in a
/// function that sends a request through it and then drops it, or that a
/// function of this file calls to do so.
pub fn client<'a>(model: &Model<'a>, sink: &Sink<'_>, node: NodeId, new: &'a NewExpression<'a>) -> Option<Builder> {
    let library = library(model, new)?;
    let takers = std::iter::once(node).chain(instance::taken_by_calls(model, node));
    let (taker, enclosing) = takers.into_iter().find_map(|taker| {
        let enclosing = model.enclosing(taker);
        let function = enclosing.function?;
        let once = enclosing.context == Context::Startup || model.is_in_constructor(taker);
        let used = is_reported(enclosing.context) && !once && is_dropped(model, taker, function);
        used.then_some((taker, enclosing))
    })?;
    let place = span(new);
    let builder = start(sink, place, &enclosing).variant("pool-per-call").value("client", library);
    let builder = builder.evidence(Step::at("pool-built-here", place).with("client", library));
    let builder = match taker == node {
        true => builder,
        false => builder.evidence(Step::at("taken-here", span(&model.kind(taker)))),
    };
    if http::is_elsewhere(model, &enclosing) {
        return Some(builder.clear(Step::new("browser")));
    }
    if let Some(varies) = varies(model, new) {
        return Some(builder.clear(Step::at("own-settings", place).with("setting", varies)));
    }
    Some(often(&enclosing, builder))
}

/// The function around sends a request through it, and keeps it nowhere.
fn is_dropped(model: &Model<'_>, node: NodeId, function: NodeId) -> bool {
    match instance::kept(model, node) {
        Kept::Variable(symbol) => is_used_up(model, symbol, function),
        Kept::Elsewhere => match model.nodes().parent_kind(node) {
            AstKind::StaticMemberExpression(member) => sends(model, AstKind::StaticMemberExpression(member).node_id()),
            _ => {
                options::property_of(model, node).is_some_and(|key| CARRIED_BY.contains(&key.as_str()))
                    && sends_here(model, function)
            }
        },
        _ => false,
    }
}

/// `client.send(…)` whose answer somebody takes.
fn sends(model: &Model<'_>, member: NodeId) -> bool {
    let nodes = model.nodes();
    let call = nodes.parent_id(member);
    let (AstKind::StaticMemberExpression(named), AstKind::CallExpression(_)) = (nodes.kind(member), nodes.kind(call))
    else {
        return false;
    };
    let is_told = matches!(nodes.parent_kind(call), AstKind::ExpressionStatement(_));
    !is_told && !matches!(named.property.name.as_str(), "close" | "destroy")
}

/// The library of a client that keeps connections by itself.
fn library(model: &Model<'_>, new: &NewExpression<'_>) -> Option<&'static str> {
    let path = model.path_of(&new.callee);
    let imported = model.imported(&path)?;
    let class = path.members.last().copied().unwrap_or(imported.name);
    match strip_node(imported.module) {
        "undici" if matches!(class, "Agent" | "Pool" | "Client" | "ProxyAgent" | "BalancedPool") => Some("undici"),
        "https-proxy-agent" | "http-proxy-agent" | "proxy-agent" | "socks-proxy-agent" => Some("proxy agent"),
        module if module.starts_with("@aws-sdk/client-") && class.ends_with("Client") => Some("AWS SDK"),
        _ => None,
    }
}

/// True within a handler that `function` registers: what the function makes
/// serves all requests that come to it.
pub fn serves_requests(model: &Model<'_>, node: NodeId, function: NodeId) -> bool {
    let serves = |id: NodeId| model.context_of(id) == Context::Handler;
    model.function_of(node) != Some(function) && serves(node) && !serves(function)
}

/// Kept in a constant of the function, called or handed to a request there,
/// and neither returned nor kept anywhere else.
fn is_used_up(model: &Model<'_>, symbol: SymbolId, function: NodeId) -> bool {
    let nodes = model.nodes();
    let scoping = model.scoping();
    if !model.is_within(scoping.symbol_declaration(symbol), function) || scoping.symbol_is_mutated(symbol) {
        return false;
    }
    let mut sent = false;
    for reference in scoping.get_resolved_references(symbol) {
        let id = reference.node_id();
        let parent = nodes.parent_id(id);
        if serves_requests(model, id, function) {
            return false;
        }
        match nodes.kind(parent) {
            AstKind::StaticMemberExpression(_) => {
                let AstKind::CallExpression(_) = nodes.parent_kind(parent) else { return false };
                sent |= sends(model, parent);
            }
            AstKind::ObjectProperty(_)
                if options::property_of(model, id).is_some_and(|key| CARRIED_BY.contains(&key.as_str())) =>
            {
                sent |= sends_here(model, function);
            }
            // `getSignedUrl(client, …)` borrows it.
            AstKind::CallExpression(call) if borrows(model, call) => {}
            _ => return false,
        }
    }
    sent
}

/// Functions of the SDK's own packages keep no client.
fn borrows(model: &Model<'_>, call: &CallExpression<'_>) -> bool {
    let imported = model.imported(&model.path_of(&call.callee));
    imported.is_some_and(|imported| imported.module.starts_with("@aws-sdk/"))
}

/// What the client is made with that this call alone has: the credentials of a
/// tenant, an address that it is given.
fn varies<'a>(model: &Model<'a>, new: &'a NewExpression<'a>) -> Option<String> {
    let uses = Uses::of(model, AstKind::NewExpression(new).node_id());
    let scoping = model.scoping();
    // A function around this one may be called for a tenant just as well.
    let own = uses.reads.iter().find(|&&symbol| model.function_of(scoping.symbol_declaration(symbol)).is_some());
    // What an instance has it could keep the client with.
    own.map(|&symbol| scoping.symbol_name(symbol).to_owned())
}
