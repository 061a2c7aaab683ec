//! Clients that another file makes: a function that hands one out, and what
//! holds one of its own.

use super::work_loop;
use crate::lang::rust::Model;
use crate::lang::rust::clients::{Constructor, Form, Library, Use};
use crate::lang::rust::effects::VERBS;
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::rust::path::reference;
use crate::observe::{Context, NameRef};

/// Clients that a function of another file makes: `clients::payer(user)?`.
pub(super) fn taken<'m>(model: &'m Model<'_>) -> impl Iterator<Item = (Constructor<'m>, Use, NameRef)> {
    model.tree.all().filter_map(|node| {
        let Kind::Call { .. } = model.tree.kind(node) else { return None };
        if model.body_of(node) != Body::Async || model.is_awaited(node) || model.called_here(node).is_some() {
            return None;
        }
        let mut name = reference(&model.callee(node)?)?;
        let constructor =
            Constructor { node, head: node, library: Library::Reqwest, form: Form::Made, settings: Vec::new() };
        let used = model.use_of(&constructor);
        if let Some(method) = name.members.last_mut() {
            method.push_str("()");
            let own = name.module.split("::").next().is_some_and(|root| matches!(root, "crate" | "super" | "self"));
            return (own && is_held_for_request(model, node, used)).then_some((constructor, used, name));
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
        sends.then_some((constructor, used, name))
    })
}

/// True for `MarketClient::new(&state.config.market)?` that one request makes,
/// calls and drops: its own file tells whether it makes a client.
fn is_held_for_request(model: &Model<'_>, node: NodeId, used: Use) -> bool {
    let hot = model.context(node) == Context::Handler || work_loop(model, node).is_some();
    let Use::Local(binding) = used else { return false };
    let name = model.bound_by(node).and_then(|(_, pattern)| pattern.name());
    let called = |receiver: NodeId| matches!(model.tree.kind(model.tree.node(receiver).parent), Kind::Method { .. });
    let uses = name.map(|name| model.uses_of(binding, name)).unwrap_or_default();
    hot && is_for_all(model, node) && !uses.is_empty() && uses.into_iter().all(called)
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
