//! Enclosing functions, symbols, and where code is asynchronous.

use super::Model;
use super::node::{Attr, Function, Kind, NodeId};
use crate::lang::ways::{self, Way};

/// What the innermost body around a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// An `async fn`, `async` block or async closure.
    Async,
    /// A plain function.
    Sync,
    /// A plain closure: where it runs is for its caller to say.
    Closure,
    /// A closure or block handed to a wrapper that moves it off the worker
    /// (`spawn_blocking`, `block_in_place`, a thread).
    Offloaded,
    /// A `static`, `const`, or the initializer of a cell: made once.
    Once,
    /// Not in a body.
    Outside,
}

/// Wrappers whose closure does not run on an async worker, or whose worker
/// knows that it blocks; by the last name of the callee.
const OFFLOADING: &[&str] = &[
    "spawn_blocking",
    "block_in_place",
    "unblock",
    "asyncify",
    "spawn_thread",
    "spawn_std_thread",
    "run_blocking",
    "blocking",
    "spawn_compute",
    "install",
    "scope",
    "block_on",
];
/// Cells that run their closure once.
const ONCE: &[&str] =
    &["get_or_init", "get_or_try_init", "get_or_insert_with", "call_once", "try_init", "init_with", "or_insert_with"];
const ONCE_TYPES: &[&str] = &["LazyLock", "Lazy", "LazyCell", "OnceLock", "OnceCell", "Once", "AsyncOnce"];

impl Model<'_> {
    /// The function around a node.
    pub fn function_of(&self, node: NodeId) -> Option<&Function> {
        let around = std::iter::once(node).chain(self.tree.ancestors(node));
        around.into_iter().find_map(|id| match self.tree.kind(id) {
            Kind::Function(index) => self.tree.functions.get(*index),
            _ => None,
        })
    }

    /// The function of a node that is one.
    pub fn function(&self, node: NodeId) -> Option<&Function> {
        match self.tree.kind(node) {
            Kind::Function(index) => self.tree.functions.get(*index),
            _ => None,
        }
    }

    /// The name of the type that a function's `impl` is for.
    pub fn owner_name(&self, function: &Function) -> Option<&str> {
        let leaf = self.tree.impls.get(function.owner?)?.self_ty.leaf();
        (!leaf.is_empty()).then_some(leaf)
    }

    /// `Type::method`, `module::function`, or the name of a static; empty
    /// outside of all.
    pub fn symbol(&self, node: NodeId) -> String {
        let mut parts: Vec<&str> = Vec::new();
        for id in std::iter::once(node).chain(self.tree.ancestors(node)) {
            match self.tree.kind(id) {
                Kind::Function(index) => parts.push(&self.tree.functions[*index].name),
                Kind::Once { name, .. } if parts.is_empty() => parts.push(name),
                Kind::Impl(index) => parts.push(self.tree.impls[*index].self_ty.leaf()),
                Kind::Trait(name) | Kind::Module(name) => parts.push(name),
                _ => {}
            }
        }
        parts.reverse();
        parts.retain(|part| !part.is_empty());
        parts.join("::")
    }

    /// The attributes of a node and of everything around it.
    pub fn attributes_around(&self, node: NodeId) -> impl Iterator<Item = &Attr> + '_ {
        let around = std::iter::once(node).chain(self.tree.ancestors(node));
        let attrs = around.filter_map(|id| self.tree.attrs.get(&id)).flatten();
        attrs.chain(&self.tree.file_attrs)
    }

    /// What kind of body a node stands in.
    pub fn body_of(&self, node: NodeId) -> Body {
        let mut inner = node;
        for id in self.tree.ancestors(node) {
            match self.tree.kind(id) {
                Kind::Function(index) => {
                    return if self.tree.functions[*index].is_async { Body::Async } else { Body::Sync };
                }
                Kind::Async => {
                    return match self.wrapper_of(id) {
                        Some(Body::Once) => Body::Once,
                        _ if self.has_own_arbiter(id) => Body::Offloaded,
                        // `thread::spawn(move || block_on(async { … }))`
                        // runs a scheduler of its own.
                        _ => Body::Async,
                    };
                }
                Kind::Closure { is_async, .. } => {
                    return match self.wrapper_of(id) {
                        Some(body) => body,
                        None if *is_async => Body::Async,
                        // Runs where it stands.
                        None if self.is_called_at_once(id) => {
                            inner = id;
                            continue;
                        }
                        None => Body::Closure,
                    };
                }
                Kind::Once { .. } => return Body::Once,
                Kind::Call { args, .. } | Kind::Method { args, .. } if args.contains(&inner) => {
                    if let Some(body @ Body::Once) = self.wrapper_of(inner) {
                        return body;
                    }
                }
                _ => {}
            }
            inner = id;
        }
        Body::Outside
    }

    /// True for the closure of `.map_err(|e| …)` and its like, which the method
    /// runs itself, on the same thread.
    fn is_called_at_once(&self, closure: NodeId) -> bool {
        const RUN: &[&str] = &[
            "map",
            "map_err",
            "map_or",
            "map_or_else",
            "and_then",
            "or_else",
            "ok_or_else",
            "unwrap_or_else",
            "unwrap_or_default",
            "inspect",
            "inspect_err",
            "for_each",
            "try_for_each",
            "filter_map",
            "flat_map",
            "filter",
            "then",
        ];
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(self.tree.node(closure).parent) else {
            return false;
        };
        let parallel = |(_, method): (NodeId, &str)| method.starts_with("par_") || method == "into_par_iter";
        args.contains(&closure) && RUN.contains(&name.as_str()) && !self.chain(*receiver).into_iter().any(parallel)
    }

    /// True for what is spawned on an arbiter that is made for it: a thread of
    /// its own.
    fn has_own_arbiter(&self, block: NodeId) -> bool {
        match self.tree.kind(self.tree.node(block).parent) {
            Kind::Method { receiver, name, .. } => {
                name == "spawn" && self.source.slice(self.tree.span(*receiver)).ends_with("Arbiter::new()")
            }
            _ => false,
        }
    }

    /// What the call that takes a closure or block as argument makes of it.
    fn wrapper_of(&self, closure: NodeId) -> Option<Body> {
        let parent = self.tree.node(closure).parent;
        let (name, path) = match self.tree.kind(parent) {
            Kind::Method { name, args, .. } if args.contains(&closure) => (name.as_str(), None),
            Kind::Call { callee, args } if args.contains(&closure) => match self.tree.kind(*callee) {
                Kind::Path(path) => (path.last()?.as_str(), Some(path)),
                _ => return None,
            },
            _ => return None,
        };
        if ONCE.contains(&name) {
            return Some(Body::Once);
        }
        let Some(path) = path else {
            return (OFFLOADING.contains(&name) || name == "spawn_fifo").then_some(Body::Offloaded);
        };
        let owner = path.len().checked_sub(2).and_then(|at| path.get(at)).map_or("", String::as_str);
        if ONCE_TYPES.contains(&owner) {
            return Some(Body::Once);
        }
        let blocks = owner == "web" && name == "block"
            || OFFLOADING.contains(&name)
            || matches!(owner, "thread" | "rayon") && name == "spawn";
        let resolved = || self.resolve(parent, path).is_some_and(|p| super::path::equals(&p, "std::thread::spawn"));
        (blocks || resolved()).then_some(Body::Offloaded)
    }

    /// True where the file has a runtime of its own making: what one runtime
    /// opened must not be shared with another.
    pub fn makes_runtimes(&self) -> bool {
        const SIGNS: &[&str] =
            &["Runtime::new", "new_multi_thread", "new_current_thread", "LocalSet::new", "block_on("];
        SIGNS.iter().any(|sign| self.mentions(sign))
    }

    /// True where whoever runs `body` runs one of `places`, as far as branches
    /// tell.
    pub fn runs_one_of(&self, places: impl IntoIterator<Item = NodeId>, body: NodeId) -> bool {
        let way = |outer: NodeId, inner: NodeId| match (self.tree.kind(outer), self.tree.kind(inner)) {
            (Kind::If { cond, otherwise, .. }, _) if *cond != inner => match otherwise {
                Some(_) => Way::OneOf { of: 2 },
                None => Way::Maybe,
            },
            (Kind::Match { .. }, Kind::Arm { .. }) => {
                let arms = |&id: &NodeId| matches!(self.tree.kind(id), Kind::Arm { .. });
                Way::OneOf { of: self.tree.children(outer).filter(arms).count() }
            }
            // An arm of `select!`.
            (_, Kind::Arm { .. }) => Way::Maybe,
            (Kind::Let { otherwise: Some(branch), .. }, _) if *branch == inner => Way::Maybe,
            _ => Way::Sure,
        };
        ways::runs_one_of(places, body, |id| self.tree.node(id).parent, way)
    }

    /// The loop around a node within its own body, the innermost first.
    pub fn loop_of(&self, node: NodeId) -> Option<NodeId> {
        let mut inner = node;
        for id in self.tree.ancestors(node) {
            match self.tree.kind(id) {
                Kind::Loop => return Some(id),
                Kind::While { .. } => return Some(id),
                // What is walked is evaluated once, before the loop.
                Kind::For { body, .. } if *body == inner => return Some(id),
                Kind::Function(_) | Kind::Closure { .. } | Kind::Async | Kind::Once { .. } => return None,
                _ => {}
            }
            inner = id;
        }
        None
    }
}
