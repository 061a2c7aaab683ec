//! Types that are handed an HTTP client, and whether they bound what they send.

use std::collections::BTreeMap;

use super::{is_unbounded, timeout_within};
use crate::analyze::Sink;
use crate::lang::rust::Model;
use crate::lang::rust::effects::VERBS;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::rust::path::reference;
use crate::observe::{Export, Gift, NameRef};

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
    let bounds = timeout_within(model, NodeId::ROOT);
    for (owner, requests) in senders {
        let open = requests.iter().find(|&&request| is_unbounded(model, request));
        let told = match (open, bounds) {
            (_, Some(at)) => Export::Gives(Gift::Bounded, at),
            (Some(&request), None) => Export::Gives(Gift::Unbounded, model.tree.span(request)),
            (None, None) => continue,
        };
        sink.observations().exports.insert(format!("{owner}.{REQUESTS}"), told);
    }
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
