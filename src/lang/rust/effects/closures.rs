//! Queries in a closure that another thread, or a connection's own, runs:
//! `conn.interact(|c| …)`, `web::block(move || …)`, and methods that hand
//! theirs on to one of these.

use super::{Operation, Resource};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Function, Kind, NodeId};
use crate::observe::{Effect, Io};

/// What runs the closure that it is handed, away from the worker.
const OFFLOADS: &[&str] = &["interact", "block", "spawn_blocking"];

/// What ends a query of diesel and sends it.
const SENDS: &[&str] = &["load", "load_iter", "first", "get_result", "get_results", "execute"];

impl Model<'_> {
    /// The queries of diesel that such a closure makes, all together.
    pub(super) fn handed_closure(&self, value: NodeId) -> Option<Operation> {
        let (receiver, name, args) = match self.tree.kind(value) {
            Kind::Method { receiver, name, args, .. } => (Some(*receiver), name.as_str(), args),
            Kind::Call { callee, args } => (None, self.leaf_name(*callee)?, args),
            _ => return None,
        };
        let [.., last] = args.as_slice() else { return None };
        let Kind::Closure { body, is_async: false, .. } = self.tree.kind(*last) else { return None };
        if !self.names_crate("diesel") || self.names_crate("diesel_async") {
            return None;
        }
        let resource = if OFFLOADS.contains(&name) {
            match receiver {
                Some(connection) => self.executor(connection),
                None if self.takes_from_pool(*body) => Resource::Shared,
                None => Resource::Unknown,
            }
        } else {
            let own = self.method_on(receiver?, name).filter(|function| self.hands_on(function))?;
            if self.takes_from_pool(own.body?) { Resource::Shared } else { Resource::Unknown }
        };
        Some(Operation::new(Io::Database, self.queries(*body)?, resource))
    }

    /// True for an async method that offloads the closure it is handed.
    fn hands_on(&self, function: &Function) -> bool {
        let Some(body) = function.body.filter(|_| function.is_async) else { return false };
        let handed = |argument: &NodeId| match self.tree.kind(*argument) {
            Kind::Path(path) if path.len() == 1 => {
                function.params.iter().any(|param| param.pattern.name() == Some(path[0].as_str()))
            }
            Kind::Closure { .. } => true,
            _ => false,
        };
        self.tree.below(body).any(|id| match self.tree.kind(id) {
            Kind::Method { name, args, .. } => OFFLOADS.contains(&name.as_str()) && args.iter().any(handed),
            Kind::Call { callee, args } => {
                self.leaf_name(*callee).is_some_and(|leaf| OFFLOADS.contains(&leaf)) && args.iter().any(handed)
            }
            _ => false,
        })
    }

    /// True where a connection is taken from a pool below a node.
    fn takes_from_pool(&self, body: NodeId) -> bool {
        self.tree.below(body).any(|id| match self.tree.kind(id) {
            Kind::Method { receiver, name, args, .. } => {
                let pool = || self.leaf_name(*receiver).is_some_and(|leaf| leaf == "db" || leaf.ends_with("pool"));
                matches!(name.as_str(), "get" | "acquire" | "connection") && args.is_empty() && pool()
            }
            _ => false,
        })
    }

    /// What the queries of a closure do; `None` where it makes none, or hands
    /// its connection to a function that may do anything.
    fn queries(&self, body: NodeId) -> Option<Effect> {
        let mut all: Option<Effect> = None;
        for id in self.tree.below(body) {
            match self.tree.kind(id) {
                Kind::Method { name, args, .. } if SENDS.contains(&name.as_str()) && args.len() == 1 => {
                    let starts = match self.tree.kind(self.chain_root(id)) {
                        Kind::Call { callee, .. } => self.leaf_name(*callee),
                        _ => None,
                    };
                    let changes = starts.is_some_and(|leaf| {
                        matches!(
                            leaf,
                            "insert_into"
                                | "update"
                                | "delete"
                                | "replace_into"
                                | "insert_or_ignore_into"
                                | "sql_query"
                        )
                    });
                    let effect = if changes || name == "execute" { Effect::Write } else { Effect::Read };
                    all = Some(all.map_or(effect, |before| before.max(effect)));
                }
                Kind::Method { name, .. } if matches!(name.as_str(), "transaction" | "build_transaction") => {
                    all = Some(Effect::Write);
                }
                Kind::Call { args, .. } if args.iter().any(|argument| self.is_connection(*argument)) => return None,
                _ => {}
            }
        }
        all
    }

    fn is_connection(&self, argument: NodeId) -> bool {
        let value = match self.tree.kind(argument) {
            Kind::Reference { value, .. } => *value,
            _ => argument,
        };
        matches!(self.leaf_name(value), Some("c" | "conn" | "connection" | "db"))
    }
}
