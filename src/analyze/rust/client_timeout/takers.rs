//! Types that are handed an HTTP client, and whether they bound what they send.

use std::collections::BTreeMap;

use super::{bounds_answers, is_unbounded};
use crate::analyze::Sink;
use crate::lang::rust::Model;
use crate::lang::rust::effects::VERBS;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::rust::path::reference;
use crate::observe::{Export, Gift, NameRef};
use crate::source::Span;

/// The entry of a type among the exports of its file that tells of its requests.
const REQUESTS: &str = "(requests)";

/// Tells of each type of this file that sends requests whether it bounds them.
pub(super) fn observe(model: &Model<'_>, sink: &mut Sink<'_>) {
    let mut senders: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
    for id in model.tree.all() {
        let Kind::Method { receiver, name, .. } = model.tree.kind(id) else { continue };
        // `self.http`, which somebody handed over.
        if !VERBS.contains(&name.as_str()) || !matches!(model.tree.kind(*receiver), Kind::Field { .. }) {
            continue;
        }
        let Some(owner) = model.function_of(id).and_then(|function| model.owner_name(function)) else { continue };
        if model.is_http_client(*receiver) && !model.is_test(id) {
            senders.entry(owner.to_owned()).or_default().push(id);
        }
    }
    for (owner, requests) in senders {
        let open = requests.iter().find(|&&request| is_unbounded(model, request));
        // A method of it may put a timer around another one.
        let told = match (open, timer_of(model, &owner)) {
            (_, Some(at)) => Export::Gives(Gift::Bounded, at),
            (Some(&request), None) => Export::Gives(Gift::Unbounded, model.tree.span(request)),
            (None, None) => continue,
        };
        sink.observations().exports.insert(format!("{owner}.{REQUESTS}"), told);
    }
}

/// A bound that a method of the type sets, on a request or around one.
fn timer_of(model: &Model<'_>, owner: &str) -> Option<Span> {
    let own = model.tree.functions.iter().filter(|function| model.owner_name(function) == Some(owner));
    own.filter_map(|function| function.body).flat_map(|body| model.tree.below(body)).find_map(|id| {
        let sets = match model.tree.kind(id) {
            Kind::Method { name, args, .. } => bounds_answers(name) && !args.is_empty() && !model.sets_builder(id),
            Kind::Call { callee, .. } => matches!(model.leaf_name(*callee), Some("timeout" | "timeout_at")),
            _ => false,
        };
        sets.then(|| model.tree.span(id))
    })
}

/// The only type that is handed a client which this function makes:
/// `CdnClient::new(client, url)`.
pub(super) fn only(model: &Model<'_>, made: NodeId) -> Option<NameRef> {
    let outer = model.unwrapped(made);
    if let Some(taker) = taker(model, outer) {
        return Some(taker);
    }
    let (binding, pattern) = model.bound_by(made)?;
    let mut all = model.uses_of(binding, pattern.name()?).into_iter().map(|used| {
        let parent = model.tree.node(used).parent;
        match model.tree.kind(parent) {
            Kind::Method { receiver, name, .. } if *receiver == used && name == "clone" => taker(model, parent),
            _ => taker(model, used),
        }
    });
    let first = all.next()??;
    all.next().is_none().then_some(first)
}

/// The type whose function takes a node as an argument.
fn taker(model: &Model<'_>, given: NodeId) -> Option<NameRef> {
    let call = model.tree.node(given).parent;
    let Kind::Call { args, .. } = model.tree.kind(call) else { return None };
    let mut taker = reference(&model.callee(call)?).filter(|_| args.contains(&given))?;
    if taker.members.is_empty() {
        return None;
    }
    taker.members = vec![REQUESTS.to_owned()];
    Some(taker)
}
