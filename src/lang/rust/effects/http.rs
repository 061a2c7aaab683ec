//! Requests to other services.

use super::{Operation, Resource};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::rust::path::equals;
use crate::lang::typescript::effects::client::is_rpc_method;
use crate::lang::typescript::names;
use crate::observe::{Effect, Io};

/// The methods of clients that begin a request.
pub const VERBS: &[&str] = &["get", "head", "post", "put", "delete", "patch", "request"];

impl Model<'_> {
    /// `client.get(url)….send()`, `reqwest::get(url)`.
    pub(super) fn http(&self, value: NodeId) -> Option<Operation> {
        if self.callee(value).is_some_and(|path| equals(&path, "reqwest::get")) {
            return Some(Operation::new(Io::Http, Effect::Read, Resource::Shared));
        }
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(value) else { return None };
        // hyper's own client is awaited without a `send`.
        let of_hyper = || self.is_hyper_client(*receiver);
        if name == "get" && of_hyper() {
            return Some(Operation::new(Io::Http, Effect::Read, Resource::Shared));
        }
        if name == "request" && of_hyper() {
            let effect = if self.says_get(args.first().copied()?) { Effect::Read } else { Effect::Write };
            return Some(Operation::new(Io::Http, effect, Resource::Shared));
        }
        if name != "send" {
            return None;
        }
        let mut chain = self.chain(value);
        // `let mut request = client.get(url); …; request.send()`.
        let root = self.chain_root(value);
        if let Some(made) = self.init_of(root) {
            chain.extend(self.chain(made));
        }
        chain.extend(self.begun_by_helper(root, &chain));
        // What it asks for, whoever hands the request over knows.
        if self.is_handed_request(root) {
            return Some(Operation::new(Io::Http, Effect::Unknown, Resource::Shared));
        }
        let (verb, name) = chain.iter().rev().find(|(_, name)| VERBS.contains(name))?;
        let Kind::Method { receiver, args, .. } = self.tree.kind(*verb) else { return None };
        let effect = self.effect_of_verb(name, args, value);
        if self.is_http_client(*receiver) {
            return Some(Operation::new(Io::Http, effect, Resource::Shared));
        }
        let named = self.leaf_name(*receiver).is_some_and(|leaf| {
            let leaf = leaf.to_ascii_lowercase();
            leaf.ends_with("client") || leaf.ends_with("http") || leaf == "reqwest"
        });
        let client = self.value_elsewhere(*receiver).filter(|client| !client.members.is_empty());
        let client = client.or_else(|| self.static_elsewhere(*receiver));
        (named || client.is_some())
            .then(|| Operation { client, ..Operation::new(Io::Http, effect, Resource::SharedByName) })
    }

    /// What a request does that is begun by this method; `at` stands in the
    /// function that asks.
    fn effect_of_verb(&self, verb: &str, args: &[NodeId], at: NodeId) -> Effect {
        let asks = verb == "request" && args.first().is_some_and(|&method| self.says_get(method))
            || verb == "post" && (self.is_question(args) || self.is_in_question(at));
        if asks || matches!(verb, "get" | "head") { Effect::Read } else { Effect::Write }
    }

    /// True where an expression's type is written as hyper's client.
    pub fn is_hyper_client(&self, node: NodeId) -> bool {
        const CLIENTS: &[&str] = &["hyper_util::client::legacy::Client", "hyper::Client", "hyper::client::Client"];
        self.type_path(node).is_some_and(|path| CLIENTS.iter().any(|client| equals(&path, client)))
    }

    fn is_handed_request(&self, root: NodeId) -> bool {
        self.parameter_behind(root).is_some_and(|given| given.ty.leaf() == "RequestBuilder")
    }

    /// What the request does that one of these arguments is, where a client of
    /// this function has begun it: `let asked = self.http.get(url);`.
    pub(super) fn request_among(&self, args: &[NodeId]) -> Option<Effect> {
        args.iter().find_map(|&argument| {
            let begun = self.init_of(argument).unwrap_or(argument);
            let (verb, name) = self.chain(begun).into_iter().rev().find(|(_, name)| VERBS.contains(name))?;
            let Kind::Method { receiver, args, .. } = self.tree.kind(verb) else { return None };
            self.is_http_client(*receiver).then(|| self.effect_of_verb(name, args, verb))
        })
    }

    /// The request that a method of the same type begins and gives back:
    /// `self.get("/plans").send()` with `fn get(&self, path) -> RequestBuilder`.
    fn begun_by_helper(&self, root: NodeId, chain: &[(NodeId, &str)]) -> Option<(NodeId, &str)> {
        let Kind::Path(path) = self.tree.kind(root) else { return None };
        let &(_, name) = chain.last()?;
        if path.len() != 1 || path[0] != "self" {
            return None;
        }
        let helper = self.method(self.function_of(root)?.owner?, name)?;
        let gives_request = helper.output.as_ref().is_some_and(|ty| ty.leaf().ends_with("RequestBuilder"));
        if helper.is_async || !gives_request {
            return None;
        }
        self.tree.below(helper.body?).find_map(|id| match self.tree.kind(id) {
            Kind::Method { receiver, name, .. } if VERBS.contains(&name.as_str()) && self.is_http_client(*receiver) => {
                Some((id, name.as_str()))
            }
            _ => None,
        })
    }

    /// True for `Method::GET`, and for a request that a local holds and that is
    /// made with it.
    fn says_get(&self, given: NodeId) -> bool {
        let written = self.let_of(given).unwrap_or(given);
        self.tree.below(written).any(|id| match self.tree.kind(id) {
            Kind::Path(path) => match path.as_slice() {
                [.., method, verb] => {
                    method == "Method" && matches!(verb.as_str(), "GET" | "HEAD")
                        || method == "Request" && verb == "get"
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// True where the address that is posted to is that of a question; a local
    /// may hold it.
    fn is_question(&self, args: &[NodeId]) -> bool {
        let Some(&address) = args.first() else { return false };
        let written = self.let_of(address).unwrap_or(address);
        let mut parts = self.tree.below(written);
        parts.find_map(|id| self.text_of(id)).is_some_and(names::is_question)
    }

    /// True where the function around a request is called after what it computes.
    fn is_in_question(&self, request: NodeId) -> bool {
        self.function_of(request).is_some_and(|function| names::is_computed(&function.name))
    }

    /// `rpc.call("eth_getBalance", params)`: JSON-RPC by the method's name.
    pub(super) fn json_rpc(&self, value: NodeId) -> Option<Operation> {
        let (name, args) = match self.tree.kind(value) {
            Kind::Method { name, args, .. } => (name.as_str(), args),
            Kind::Call { callee, args } => (self.leaf_name(*callee)?, args),
            _ => return None,
        };
        let calls = matches!(name, "call" | "request" | "rpc" | "rpc_call" | "send_request" | "call_method");
        let method = args.iter().find_map(|&argument| self.text_of(argument))?;
        (calls && is_rpc_method(method)).then(|| Operation::new(Io::Http, Effect::Read, Resource::Shared))
    }
}
