//! Clients that another file makes: a function that hands one out, and what
//! holds one of its own.

use super::work_loop;
use crate::lang::rust::Model;
use crate::lang::rust::clients::{Constructor, Form, Library, Use};
use crate::lang::rust::effects::VERBS;
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Function, Kind, NodeId};
use crate::lang::rust::path::reference;
use crate::observe::{Context, NameRef};

/// A client that a call gets from the function that makes it.
pub(super) struct Taken<'m> {
    /// The call, as what makes the client.
    pub(super) constructor: Constructor<'m>,
    /// What becomes of what it gives.
    pub(super) used: Use,
    /// The function that makes it.
    pub(super) maker: Maker<'m>,
}

/// Where a client's maker stands.
pub(super) enum Maker<'m> {
    /// In this file.
    Here(&'m Function, Library),
    /// In another one, which tells whether it makes a client.
    Elsewhere(NameRef),
}

/// Clients that functions of other files make, and those that constructors of
/// the project's types make for the value that they give:
/// `clients::payer(user)?`, `MarketClient::new(key)`.
pub(super) fn taken<'m>(model: &'m Model<'_>) -> impl Iterator<Item = Taken<'m>> {
    model.tree.all().filter_map(|node| {
        let Kind::Call { .. } = model.tree.kind(node) else { return None };
        if model.body_of(node) != Body::Async || model.is_awaited(node) {
            return None;
        }
        let constructor =
            Constructor { node, head: node, library: Library::Reqwest, form: Form::Made, settings: Vec::new() };
        if let Some(function) = model.called_here(node) {
            let (library, same) = model.holds_new_client(function)?;
            let used = model.use_of(&constructor);
            let per_call = is_held_for_request(model, node, used) && (same || is_for_all(model, node));
            return per_call.then_some(Taken { constructor, used, maker: Maker::Here(function, library) });
        }
        let mut name = reference(&model.callee(node)?)?;
        let used = model.use_of(&constructor);
        if let Some(method) = name.members.last_mut() {
            let own = name.module.split("::").next().is_some_and(|root| matches!(root, "crate" | "super" | "self"));
            method.push_str(if is_for_all(model, node) { "()" } else { "(_)" });
            let per_call = own && is_held_for_request(model, node, used);
            return per_call.then_some(Taken { constructor, used, maker: Maker::Elsewhere(name) });
        }
        let asks = |receiver: NodeId| {
            let parent = model.tree.node(receiver).parent;
            matches!(model.tree.kind(parent), Kind::Method { name, .. } if VERBS.contains(&name.as_str()))
        };
        let sends = match used {
            Use::Chain => asks(model.unwrapped(node)),
            Use::Local(binding) => {
                let (_, pattern) = model.bound_by(node)?;
                model.uses_of(binding, pattern.name()?).into_iter().any(asks)
            }
            _ => false,
        };
        name.name.push_str("()");
        sends.then_some(Taken { constructor, used, maker: Maker::Elsewhere(name) })
    })
}

/// True for `MarketClient::new(&state.config.market)?` that one request makes,
/// calls and drops.
fn is_held_for_request(model: &Model<'_>, node: NodeId, used: Use) -> bool {
    let hot = model.context(node) == Context::Handler || work_loop(model, node).is_some();
    let Use::Local(binding) = used else { return false };
    let name = model.bound_by(node).and_then(|(_, pattern)| pattern.name());
    let called = |receiver: NodeId| matches!(model.tree.kind(model.tree.node(receiver).parent), Kind::Method { .. });
    let uses = name.map(|name| model.uses_of(binding, name)).unwrap_or_default();
    hot && !uses.is_empty() && uses.into_iter().all(called)
}

/// True where a call is handed nothing but constants and what all requests
/// share: another tenant's client would be another one.
fn is_for_all(model: &Model<'_>, call: NodeId) -> bool {
    const SHARED: &[&str] = &["state", "app", "config", "cfg", "settings", "data", "ctx", "context", "self", "env"];
    let Kind::Call { args, .. } = model.tree.kind(call) else { return false };
    args.iter().flat_map(|&argument| model.tree.below(argument)).all(|id| match model.tree.kind(id) {
        Kind::Path(path) => match path.as_slice() {
            [name] => SHARED.contains(&name.as_str()) || name.chars().all(|c| c.is_ascii_uppercase() || c == '_'),
            _ => true,
        },
        _ => true,
    })
}
