//! Local bindings, their types as far as they are written, and where a local
//! goes after it is bound.

use super::Model;
use super::node::{Function, Kind, Lit, NodeId, Param, Pattern, Ty};
use crate::lang::typescript::names;

/// What a name in a body is bound to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Local<'m> {
    /// A `let`, by its node.
    Let(NodeId),
    /// A parameter of a function, by index.
    Parameter(&'m Function, usize),
    /// A pattern of a loop, arm, closure or condition.
    Pattern(NodeId),
}

/// A type with the place at which its path is to be resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// The type.
    pub ty: Ty,
    /// Where it is written.
    pub at: NodeId,
}

/// Where a local goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Only methods are called on it, or it is lent.
    Stays,
    /// Returned, stored, moved, cloned or captured: it may outlive the call.
    Escapes(NodeId),
}

/// The client that a pool of deadpool gives.
fn deadpool_client(pool: &[String]) -> Vec<String> {
    vec![pool[0].clone(), "Client".to_owned()]
}

/// How many expressions a type is followed through; the bound only stops cycles.
const TYPE_DEPTH: usize = 12;

/// Wrappers that hand through to what they hold.
const HOLDERS: &[&str] = &[
    "Arc",
    "Rc",
    "Box",
    "State",
    "Data",
    "Extension",
    "ThinData",
    "Ref",
    "Option",
    "Lazy",
    "LazyLock",
    "OnceLock",
    "OnceCell",
];

impl Model<'_> {
    /// What `name` is bound to at a node.
    pub fn local(&self, at: NodeId, name: &str) -> Option<Local<'_>> {
        let mut inner = at;
        for id in self.tree.ancestors(at) {
            match self.tree.kind(id) {
                Kind::Block | Kind::Async => {
                    if let Some(found) = self.let_before(id, name, inner) {
                        return Some(Local::Let(found));
                    }
                }
                Kind::For { pattern, body, .. } if *body == inner && pattern.binds(name) => {
                    return Some(Local::Pattern(id));
                }
                Kind::Arm { pattern } if pattern.binds(name) => return Some(Local::Pattern(id)),
                Kind::Closure { params, .. } if params.iter().any(|p| p.binds(name)) => {
                    return Some(Local::Pattern(id));
                }
                Kind::If { cond, then, .. } if *then == inner && self.condition_binds(*cond, name) => {
                    return Some(Local::Pattern(id));
                }
                Kind::While { cond, body } if *body == inner && self.condition_binds(*cond, name) => {
                    return Some(Local::Pattern(id));
                }
                Kind::Function(index) => {
                    let function = &self.tree.functions[*index];
                    let place = function.params.iter().position(|p| p.pattern.binds(name))?;
                    return Some(Local::Parameter(function, place));
                }
                _ => {}
            }
            inner = id;
        }
        None
    }

    /// The value behind `&`, `&mut` and the other prefixes: `&mut *conn` is
    /// `conn`.
    pub fn behind_references(&self, node: NodeId) -> NodeId {
        let mut at = node;
        while let Kind::Reference { value, .. } | Kind::Unary(value) = self.tree.kind(at) {
            at = *value;
        }
        at
    }

    /// The `let` of the local that a value names.
    pub fn let_of(&self, node: NodeId) -> Option<NodeId> {
        let Kind::Path(path) = self.tree.kind(node) else { return None };
        let [name] = path.as_slice() else { return None };
        match self.local(node, name)? {
            Local::Let(found) => Some(found),
            _ => None,
        }
    }

    /// What the local that a value names is made with: `url` after
    /// `let url = base.join("x")?`.
    pub fn init_of(&self, node: NodeId) -> Option<NodeId> {
        match self.tree.kind(self.let_of(node)?) {
            Kind::Let { init, .. } => *init,
            _ => None,
        }
    }

    fn condition_binds(&self, cond: NodeId, name: &str) -> bool {
        self.tree
            .below(cond)
            .any(|id| matches!(self.tree.kind(id), Kind::LetCondition { pattern, .. } if pattern.binds(name)))
    }

    /// The parameter that a name is, or was before the code added to it:
    /// `let request = request.bearer_auth(token);`.
    pub fn parameter_behind(&self, node: NodeId) -> Option<&Param> {
        let mut at = node;
        // One step further ends a name that stands for itself.
        for _ in 0..4 {
            let Kind::Path(path) = self.tree.kind(at) else { return None };
            let [name] = path.as_slice() else { return None };
            match self.local(at, name)? {
                Local::Parameter(function, index) => return function.params.get(index),
                Local::Let(_) => at = self.chain_root(self.init_of(at)?),
                Local::Pattern(_) => return None,
            }
        }
        None
    }

    /// The type of an expression where the code writes it: a parameter, an
    /// annotated or constructed local, a field of a struct in this file.
    pub fn type_of(&self, node: NodeId) -> Option<Typed> {
        self.type_within(node, TYPE_DEPTH)
    }

    fn type_within(&self, node: NodeId, depth: usize) -> Option<Typed> {
        let depth = depth.checked_sub(1)?;
        match self.tree.kind(node) {
            Kind::Path(path) if path.len() == 1 && path[0] == "self" => {
                let function = self.function_of(node)?;
                let ty = self.tree.impls.get(function.owner?)?.self_ty.clone();
                Some(Typed { ty, at: node })
            }
            Kind::Path(path) if path.len() == 1 => match self.local(node, &path[0]) {
                Some(Local::Parameter(function, index)) => {
                    let param = &function.params[index];
                    let ty = match param.pattern.path.is_empty() {
                        true if param.pattern.plain => param.ty.clone(),
                        // `State(app): State<App>` takes the wrapper off.
                        false if param.pattern.bound.len() == 1 => param.ty.args.first()?.clone(),
                        _ => return None,
                    };
                    Some(Typed { ty, at: function.node })
                }
                Some(Local::Let(found)) => match self.tree.kind(found) {
                    Kind::Let { pattern, ty: Some(ty), .. } if pattern.plain => {
                        Some(Typed { ty: ty.clone(), at: found })
                    }
                    Kind::Let { pattern, init: Some(init), .. } if pattern.plain => self.type_within(*init, depth),
                    _ => None,
                },
                Some(Local::Pattern(_)) => None,
                None => self.static_type(&path[0]),
            },
            Kind::Path(path) => self.static_type(path.last()?),
            Kind::Field { base, name } => {
                let base = self.peel(self.type_within(*base, depth)?);
                let fields = self.tree.structs.get(base.ty.leaf())?;
                Some(Typed { ty: fields.get(name)?.clone(), at: NodeId::ROOT })
            }
            Kind::Reference { value, .. } | Kind::Unary(value) | Kind::Try(value) | Kind::Await(value) => {
                self.type_within(*value, depth)
            }
            Kind::Method { receiver, name, args, .. } => match name.as_str() {
                "map_err" | "context" | "with_context" if args.len() == 1 => self.type_within(*receiver, depth),
                "clone" | "as_ref" | "unwrap" | "expect" | "to_owned" | "get_ref" | "into_inner" | "as_deref"
                | "borrow" => self.type_within(*receiver, depth),
                // A connection from a pool, by the crate of the pool.
                "get" | "get_owned" if matches!(self.tree.kind(self.tree.node(node).parent), Kind::Await(_)) => {
                    let pool = self.peel(self.type_within(*receiver, depth)?);
                    let path = self.resolve(pool.at, &pool.ty.path)?;
                    let pooled = path.last()? == "Pool" && path.first()?.starts_with("deadpool");
                    pooled.then(|| Typed { ty: Ty { path: deadpool_client(&path), ..Ty::default() }, at: NodeId::ROOT })
                }
                // A collection of MongoDB, by its database.
                "collection" | "database" => {
                    let of = self.peel(self.type_within(*receiver, depth)?);
                    let path = self.resolve(of.at, &of.ty.path)?;
                    let leaf = if name == "collection" { "Collection" } else { "Database" };
                    let ty = Ty { path: vec!["mongodb".to_owned(), leaf.to_owned()], ..Ty::default() };
                    (path.first()? == "mongodb").then_some(Typed { ty, at: NodeId::ROOT })
                }
                "build" => {
                    let ctor = self.chain_root(*receiver);
                    let typed = self.constructed(ctor)?;
                    Some(typed)
                }
                _ => None,
            },
            Kind::Call { args, .. } => {
                let typed = self.constructed(node)?;
                // `Arc::new(x)` and `Arc::clone(&x)` are `x` to a caller.
                if HOLDERS.contains(&typed.ty.leaf()) && args.len() == 1 {
                    return self.type_within(args[0], depth);
                }
                Some(typed)
            }
            Kind::Struct { path, .. } => Some(Typed { ty: Ty { path: path.clone(), ..Ty::default() }, at: node }),
            _ => None,
        }
    }

    fn static_type(&self, name: &str) -> Option<Typed> {
        let at = self.constant(name)?;
        match self.tree.kind(at) {
            Kind::Once { ty, .. } => Some(Typed { ty: ty.clone(), at }),
            _ => None,
        }
    }

    /// The type before the constructor in `Type::new(…)`.
    fn constructed(&self, call: NodeId) -> Option<Typed> {
        let Kind::Call { callee, .. } = self.tree.kind(call) else { return None };
        let Kind::Path(path) = self.tree.kind(*callee) else { return None };
        let (_, owner) = path.split_last()?;
        let is_type = owner.last()?.starts_with(|c: char| c.is_ascii_uppercase());
        is_type.then(|| Typed { ty: Ty { path: owner.to_vec(), ..Ty::default() }, at: call })
    }

    /// A type without references and holders: `&Arc<State<T>>` is `T`.
    pub fn peel(&self, typed: Typed) -> Typed {
        let mut ty = typed.ty;
        while HOLDERS.contains(&ty.leaf()) && ty.args.len() == 1 {
            ty = ty.args.swap_remove(0);
        }
        Typed { ty, at: typed.at }
    }

    /// The resolved path of an expression's type, holders taken off.
    pub fn type_path(&self, node: NodeId) -> Option<Vec<String>> {
        let typed = self.peel(self.type_of(node)?);
        if typed.ty.dynamic {
            return None;
        }
        self.resolve(typed.at, &typed.ty.path)
    }

    /// The leftmost expression of a chain of methods, `?`, `.await` and fields.
    pub fn chain_root(&self, node: NodeId) -> NodeId {
        let mut at = node;
        loop {
            at = match self.tree.kind(at) {
                Kind::Method { receiver, .. } => *receiver,
                Kind::Await(value) | Kind::Try(value) => *value,
                Kind::Field { base, .. } => *base,
                _ => return at,
            };
        }
    }

    /// The outermost expression of the chain that begins with `node`.
    pub fn chain_end(&self, node: NodeId) -> NodeId {
        let mut at = node;
        loop {
            let parent = self.tree.node(at).parent;
            let goes_on = match self.tree.kind(parent) {
                Kind::Method { receiver, .. } => *receiver == at,
                Kind::Await(value) | Kind::Try(value) => *value == at,
                _ => false,
            };
            if !goes_on {
                return at;
            }
            at = parent;
        }
    }

    /// The methods of a chain, the last call first.
    pub fn chain(&self, node: NodeId) -> Vec<(NodeId, &str)> {
        let mut calls = Vec::new();
        let mut at = node;
        loop {
            at = match self.tree.kind(at) {
                Kind::Method { receiver, name, .. } => {
                    calls.push((at, name.as_str()));
                    *receiver
                }
                Kind::Await(value) | Kind::Try(value) => *value,
                Kind::Field { base, .. } => *base,
                _ => return calls,
            };
        }
    }

    /// The uses of a name bound by a `let`, in source order, shadowed ones
    /// left out; macros that only mention it are among them.
    pub fn uses_of(&self, binding: NodeId, name: &str) -> Vec<NodeId> {
        let block = self.tree.node(binding).parent;
        let from = self.tree.node(binding).end;
        let to = self.tree.node(block).end;
        (from.0..to.0)
            .map(NodeId)
            .filter(|&id| match self.tree.kind(id) {
                Kind::Path(path) => path.len() == 1 && path[0] == name,
                Kind::Macro { names, parsed, .. } => !parsed && names.iter().any(|n| n == name),
                _ => false,
            })
            .filter(|&id| self.local(id, name) == Some(Local::Let(binding)))
            .collect()
    }

    /// Where a local goes: it stays where every use is a method's receiver or
    /// is lent as `&x`.
    pub fn fate(&self, binding: NodeId, name: &str) -> Fate {
        let block = self.tree.node(binding).parent;
        for used in self.uses_of(binding, name) {
            let parent = self.tree.node(used).parent;
            let stays = match self.tree.kind(parent) {
                Kind::Method { receiver, name, .. } if *receiver == used => {
                    !matches!(name.as_str(), "clone" | "into" | "to_owned")
                }
                Kind::Field { base, .. } => *base == used,
                Kind::Reference { .. } => {
                    let taker = self.tree.node(parent).parent;
                    matches!(self.tree.kind(taker), Kind::Call { .. } | Kind::Method { .. } | Kind::Macro { .. })
                }
                _ => false,
            };
            // What a closure or a spawned block holds may outlive the call.
            let captured = self.tree.ancestors(used).take_while(|&id| id != block).any(|id| match self.tree.kind(id) {
                Kind::Closure { .. } => true,
                Kind::Async => !self.is_waited_for(id),
                _ => false,
            });
            if !stays || captured {
                return Fate::Escapes(used);
            }
        }
        Fate::Stays
    }

    /// True for an async block that is gone when the function goes on:
    /// `timeout(limit, async { … }).await`.
    fn is_waited_for(&self, block: NodeId) -> bool {
        let parent = self.tree.node(block).parent;
        let bounds = |callee: NodeId| matches!(self.leaf_name(callee), Some("timeout" | "timeout_at"));
        self.is_awaited(block)
            || matches!(self.tree.kind(parent), Kind::Call { callee, .. } if bounds(*callee)) && self.is_awaited(parent)
    }

    /// The `let` whose value a node is, with `?`, `.unwrap()` and their like
    /// between them, and its pattern.
    pub fn bound_by(&self, node: NodeId) -> Option<(NodeId, &Pattern)> {
        let outer = self.unwrapped(node);
        let parent = self.tree.node(outer).parent;
        match self.tree.kind(parent) {
            Kind::Let { pattern, init: Some(init), .. } if *init == outer => Some((parent, pattern)),
            _ => None,
        }
    }

    /// The outermost of `node?`, `node.unwrap()`, `node.context(…)?` and their
    /// like: the same value with its errors taken care of.
    pub fn unwrapped(&self, node: NodeId) -> NodeId {
        const HANDLERS: &[&str] = &[
            "unwrap",
            "expect",
            "map_err",
            "context",
            "with_context",
            "wrap_err",
            "wrap_err_with",
            "change_context",
            "unwrap_or_default",
            "unwrap_or_else",
            "unwrap_or",
            "into_diagnostic",
            "ok_or",
            "ok_or_else",
        ];
        let mut at = node;
        loop {
            let parent = self.tree.node(at).parent;
            let goes_on = match self.tree.kind(parent) {
                Kind::Try(value) | Kind::Await(value) => *value == at,
                Kind::Method { receiver, name, .. } => *receiver == at && HANDLERS.contains(&name.as_str()),
                _ => false,
            };
            if !goes_on || parent == at {
                return at;
            }
            at = parent;
        }
    }

    /// True where a node is awaited directly.
    pub fn is_awaited(&self, node: NodeId) -> bool {
        matches!(self.tree.kind(self.tree.node(node).parent), Kind::Await(value) if *value == node)
    }

    /// The text of a literal, or of a constant of this file that is one.
    pub fn text_of(&self, node: NodeId) -> Option<&str> {
        let constant = |name: &str| {
            let found = names::is_constant(name).then(|| self.constant(name)).flatten()?;
            self.tree.children(found).find_map(|value| match self.tree.kind(value) {
                Kind::Literal(Lit::Text(text)) => Some(text.as_str()),
                _ => None,
            })
        };
        match self.tree.kind(node) {
            Kind::Literal(Lit::Text(text)) => Some(text),
            Kind::Reference { value, .. } => self.text_of(*value),
            Kind::Path(path) if path.len() == 1 => constant(&path[0]),
            _ => None,
        }
    }

    /// The text that an expression is or is put together from, its pieces left
    /// out: of `format!("SELECT {COLUMNS} FROM t")`, of a local that holds it.
    pub fn pattern_of(&self, node: NodeId) -> Option<&str> {
        let plain = self.text_of(node);
        plain.or_else(|| match self.tree.kind(node) {
            Kind::Reference { value, .. } => self.pattern_of(*value),
            Kind::Method { receiver, name, args, .. } if args.is_empty() => {
                let same = matches!(name.as_str(), "as_str" | "as_ref" | "to_string" | "to_owned" | "clone");
                same.then(|| self.pattern_of(*receiver)).flatten()
            }
            Kind::Macro { path, args, .. } if path.last()? == "format" => self.text_of(*args.first()?),
            Kind::Path(_) => self.init_of(node).and_then(|init| self.pattern_of(init)),
            _ => None,
        })
    }

    /// True where an expression is made of literals, constants and paths only:
    /// it has the same value wherever it is evaluated.
    pub fn is_constant(&self, node: NodeId) -> bool {
        self.tree.below(node).all(|id| match self.tree.kind(id) {
            Kind::Path(path) => {
                path.len() > 1
                    || path
                        .iter()
                        .all(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_numeric()))
                    || matches!(path.first().map(String::as_str), Some("None" | "Some" | "Ok" | "Err"))
            }
            Kind::Literal(_)
            | Kind::Call { .. }
            | Kind::Method { .. }
            | Kind::Reference { .. }
            | Kind::Unary(_)
            | Kind::Other
            | Kind::List(_) => true,
            _ => false,
        })
    }
}
