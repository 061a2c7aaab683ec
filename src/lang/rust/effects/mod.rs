//! What an awaited call does: which reads and writes it makes, over what, and
//! whether two of them can be under way at once.

mod closures;
mod database;
mod elsewhere;
mod http;
mod memo;
mod redis;
mod services;

pub use self::http::VERBS;
use super::Model;
use super::node::{Function, Kind, Lit, NodeId, Receiver};
use super::values::Local;
use crate::lang::typescript::names;
use crate::observe::{Effect, Io, NameRef, Question};

/// Whether calls on a resource can be under way side by side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Resource {
    /// A pool or an HTTP client: each call has a connection of its own.
    Shared,
    /// Like a pool by its name only.
    SharedByName,
    /// What the called function brings; the join says whether it brings its own.
    Callee,
    /// One connection that the function around takes from a pool: one call
    /// after the other within it, side by side for whoever calls it.
    Taken,
    /// Not known.
    Unknown,
    /// One connection or transaction: one call after the other.
    Serial,
}

/// What an awaited call does.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What it waits for.
    pub io: Io,
    /// Reads or writes.
    pub effect: Effect,
    /// What it runs on.
    pub resource: Resource,
    /// A function of another file that decides the above.
    pub elsewhere: Option<NameRef>,
    /// A value of another file that must be an HTTP client for the above.
    pub client: Option<NameRef>,
}

impl Operation {
    const fn new(io: Io, effect: Effect, resource: Resource) -> Self {
        Self { io, effect, resource, elsewhere: None, client: None }
    }

    /// This one and `other`, taken as one: of each, the worse.
    pub fn beside(self, other: Self) -> Self {
        Self {
            io: self.io.max(other.io),
            effect: self.effect.max(other.effect),
            resource: self.resource.max(other.resource),
            elsewhere: self.elsewhere.or(other.elsewhere),
            client: self.client.or(other.client),
        }
    }

    /// What the join must say before this counts as a read.
    pub fn question(&self) -> Option<Question> {
        let brings = self.resource == Resource::Callee;
        let of_function = |name: NameRef| if brings { Question::ReadsOnItsOwn(name) } else { Question::ReadsIo(name) };
        let function = self.elsewhere.clone().map(of_function);
        function.or_else(|| self.client.clone().map(Question::IsHttpClient))
    }
}

/// How far functions of the same file are followed.
const DEPTH: usize = 3;

impl Model<'_> {
    /// What the call under an `.await` does; `None` where it is not known to
    /// reach a server.
    pub fn operation(&self, awaited: NodeId) -> Option<Operation> {
        self.operation_within(awaited, DEPTH)
    }

    fn operation_within(&self, value: NodeId, depth: usize) -> Option<Operation> {
        if self.is_neutral(value) {
            return None;
        }
        self.http(value)
            .or_else(|| self.sqlx(value))
            .or_else(|| self.sea_orm(value))
            .or_else(|| self.typed_client(value))
            .or_else(|| self.clickhouse(value))
            .or_else(|| self.diesel(value))
            .or_else(|| self.handed_closure(value))
            .or_else(|| self.redis(value))
            .or_else(|| self.service(value))
            .or_else(|| self.json_rpc(value))
            .or_else(|| self.held_future(value, depth))
            .or_else(|| self.tried_again(value, depth))
            .or_else(|| self.read_through(value, depth))
            .or_else(|| self.own_function(value, depth))
    }

    /// `timeout(limit, future)`, and a future that a local or a block holds:
    /// it begins where it is awaited.
    fn held_future(&self, value: NodeId, depth: usize) -> Option<Operation> {
        let depth = depth.checked_sub(1)?;
        match self.tree.kind(value) {
            Kind::Call { callee, args } => match (self.tree.kind(*callee), args.as_slice()) {
                (Kind::Path(path), [_, future]) if path.last().is_some_and(|leaf| leaf == "timeout") => {
                    self.operation_within(*future, depth)
                }
                _ => None,
            },
            Kind::Path(path) if path.len() == 1 => match self.local(value, &path[0])? {
                Local::Let(found) => match self.tree.kind(found) {
                    Kind::Let { init: Some(init), .. } => self.operation_within(*init, depth),
                    _ => None,
                },
                _ => None,
            },
            Kind::Async => self.awaits_below(value, depth),
            _ => None,
        }
    }

    /// `retry.run(|| self.api.get(path))`: what is tried again until it holds.
    fn tried_again(&self, value: NodeId, depth: usize) -> Option<Operation> {
        const RUNS: &[&str] = &["retry", "retries", "retrying", "backoff", "breaker", "resilient"];
        let depth = depth.checked_sub(1)?;
        let says = |name: &str| names::has_word(name, RUNS);
        let (named, args) = match self.tree.kind(value) {
            Kind::Method { receiver, name, args, .. } => {
                (says(name) || self.leaf_name(*receiver).is_some_and(says), args)
            }
            Kind::Call { callee, args } => match self.tree.kind(*callee) {
                Kind::Path(path) => (path.iter().any(|segment| says(segment)), args),
                _ => return None,
            },
            _ => return None,
        };
        let run = args.iter().find_map(|&argument| match self.tree.kind(argument) {
            Kind::Closure { body, .. } => Some(*body),
            _ => None,
        })?;
        if !named {
            return None;
        }
        match self.tree.kind(run) {
            Kind::Async | Kind::Block => self.awaits_below(run, depth),
            _ => self.operation_within(run, depth),
        }
    }

    /// An async function of this file, by what its body does; one of another
    /// file is left for the join.
    fn own_function(&self, value: NodeId, depth: usize) -> Option<Operation> {
        let depth = depth.checked_sub(1)?;
        let (function, args) = match self.tree.kind(value) {
            Kind::Method { receiver, name, args, .. } => match self.method_on(*receiver, name) {
                Some(method) => (method, args),
                None => return self.method_elsewhere(*receiver, name, args),
            },
            Kind::Call { callee, args } => {
                let Kind::Path(path) = self.tree.kind(*callee) else { return None };
                match path.as_slice() {
                    [name] => match self.free_function(name) {
                        Some(function) => (function, args),
                        None => return self.imported_function(value),
                    },
                    [owner, name] if owner == "Self" => (self.method(self.function_of(value)?.owner?, name)?, args),
                    _ => return self.imported_function(value),
                }
            }
            _ => return None,
        };
        if !function.is_async || function.receiver == Some(Receiver::Exclusive) {
            return None;
        }
        if args.iter().any(|&argument| self.lends_mutably(argument)) {
            return None;
        }
        let mut operation = self.body_operation(function, depth)?;
        if operation.io == Io::Http
            && operation.effect == Effect::Unknown
            && operation.resource == Resource::Shared
            && self.waits_once(function)
            && let Some(effect) = self.request_among(args)
        {
            // `dispatch(request)` does what the request says, whatever its name.
            operation.effect = effect;
        } else if names::effect_of(&function.name) == Effect::Write {
            operation.effect = Effect::Write;
        }
        // What it runs on is handed in, or is the function's own.
        match self.handed(args) {
            Some(Resource::Serial) => operation.resource = Resource::Serial,
            Some(handed) if operation.resource == Resource::Unknown => operation.resource = handed,
            _ => {}
        }
        Some(operation)
    }

    /// True where a function waits for one thing, and for its body.
    fn waits_once(&self, function: &Function) -> bool {
        let Some(body) = function.body else { return false };
        let waits = self.tree.below(body).filter_map(|id| match self.tree.kind(id) {
            Kind::Await(value) => Some(*value),
            _ => None,
        });
        waits.filter(|&value| !self.is_neutral(value)).count() == 1
    }

    /// What a function is handed to run on, where an argument shows it.
    fn handed(&self, args: &[NodeId]) -> Option<Resource> {
        args.iter().map(|&argument| self.executor(argument)).filter(|resource| *resource != Resource::Unknown).max()
    }

    /// What the body of an async function does, all its awaits together.
    pub fn body_operation(&self, function: &Function, depth: usize) -> Option<Operation> {
        self.awaits_below(function.body?, depth)
    }

    fn awaits_below(&self, body: NodeId, depth: usize) -> Option<Operation> {
        let mut all: Option<Operation> = None;
        // A body without a single await is no operation.
        for id in self.tree.below(body) {
            let Kind::Await(value) = self.tree.kind(id) else { continue };
            if self.is_neutral(*value) || self.is_spawned(id, body) || self.keeps_for_next(*value, body) {
                continue;
            }
            let one = self.operation_within(*value, depth);
            let mut one = one.unwrap_or(Operation::new(Io::None, Effect::Unknown, Resource::Unknown));
            if one.resource == Resource::Taken {
                one.resource = Resource::Shared;
            }
            all = Some(match all {
                None => one,
                Some(before) => before.beside(one),
            });
        }
        all.filter(|operation| operation.io != Io::None)
    }

    /// True where a task of its own awaits, which the code of `body` only starts.
    pub fn is_spawned(&self, awaited: NodeId, body: NodeId) -> bool {
        let mut within = self.tree.ancestors(awaited).take_while(|&id| id != body);
        within.any(|id| match self.tree.kind(id) {
            Kind::Call { callee, .. } => self.leaf_name(*callee).is_some_and(|leaf| leaf.starts_with("spawn")),
            Kind::Method { name, .. } => name.starts_with("spawn"),
            _ => false,
        })
    }

    /// True for an await that adds nothing: the body of an answer, a
    /// connection from a pool.
    pub fn is_neutral(&self, value: NodeId) -> bool {
        self.reads_body(value)
            || self.takes_connection(value)
            || self.reads_body_in_function(value)
            || self.sleeps_between(value)
            || self.opens_cell(value)
    }

    /// `CLIENT.get_or_init(connect)`, which waits once, and a read lock on what
    /// the process keeps in memory: `SCHEMAS.read()`.
    fn opens_cell(&self, value: NodeId) -> bool {
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(value) else { return false };
        match name.as_str() {
            // What it gives is used, and what it waits for once only opens.
            "get_or_init" | "get_or_try_init" => {
                let used =
                    self.bound_by(self.tree.node(value).parent).and_then(|(_, pattern)| pattern.name()).is_some();
                let writes = |&argument: &NodeId| {
                    self.tree.below(argument).any(|id| match self.tree.kind(id) {
                        Kind::Await(made) => self.operation(*made).is_some_and(|made| made.effect == Effect::Write),
                        _ => false,
                    })
                };
                args.len() == 1 && used && !args.iter().any(writes)
            }
            "read" => args.is_empty() && self.leaf_name(*receiver).is_some_and(database::is_shouted),
            _ => false,
        }
    }

    /// `sleep(delay)` in a loop of its function: the time until it tries again.
    fn sleeps_between(&self, value: NodeId) -> bool {
        let Kind::Call { callee, .. } = self.tree.kind(value) else { return false };
        self.leaf_name(*callee) == Some("sleep") && self.loop_of(value).is_some()
    }

    /// A function of this file that only waits for the body of the answer that
    /// it is handed.
    fn reads_body_in_function(&self, value: NodeId) -> bool {
        let Kind::Call { callee, .. } = self.tree.kind(value) else { return false };
        let Kind::Path(path) = self.tree.kind(*callee) else { return false };
        let [name] = path.as_slice() else { return false };
        let Some(body) = self.free_function(name).filter(|f| f.is_async).and_then(|f| f.body) else { return false };
        let mut awaits = self.tree.below(body).filter_map(|id| match self.tree.kind(id) {
            Kind::Await(value) => Some(*value),
            _ => None,
        });
        let first = awaits.next();
        first.is_some_and(|first| self.reads_body(first)) && awaits.all(|other| self.reads_body(other))
    }

    /// `response.json()` and its like read what a request already asked for.
    pub fn reads_body(&self, value: NodeId) -> bool {
        match self.tree.kind(value) {
            // A cursor that a local holds was asked for where it was made.
            Kind::Method { receiver, name, args, .. } if name == "try_collect" => {
                args.is_empty() && matches!(self.tree.kind(*receiver), Kind::Path(path) if path.len() == 1)
            }
            Kind::Method { name, args, .. } => {
                args.is_empty() && matches!(name.as_str(), "json" | "text" | "bytes" | "error_for_status" | "collect")
            }
            // `timeout(limit, response.json())`.
            Kind::Call { callee, args } => match (self.leaf_name(*callee), args.as_slice()) {
                (Some("timeout"), &[_, read]) => self.reads_body(read),
                _ => false,
            },
            _ => false,
        }
    }

    /// A free function of this file.
    pub fn free_function(&self, name: &str) -> Option<&Function> {
        self.tree.functions.iter().find(|f| f.owner.is_none() && f.name == name && f.body.is_some())
    }

    /// The method `name` of the type that the `impl` of index `owner` is for.
    pub fn method(&self, owner: usize, name: &str) -> Option<&Function> {
        self.method_of(self.tree.impls.get(owner)?.self_ty.leaf(), name)
    }

    /// The method `name` of the type of this file that is called `ty`.
    pub fn method_of(&self, ty: &str, name: &str) -> Option<&Function> {
        self.tree.functions.iter().find(|f| f.name == name && self.owner_name(f) == Some(ty))
    }

    pub(super) fn lends_mutably(&self, argument: NodeId) -> bool {
        let direct = matches!(self.tree.kind(argument), Kind::Reference { mutable: true, .. });
        // A local or parameter that is itself `&mut T`.
        let held = match self.tree.kind(argument) {
            Kind::Path(path) if path.len() == 1 => match self.local(argument, &path[0]) {
                Some(Local::Parameter(function, index)) => function.params[index].ty.reference == Some(true),
                Some(Local::Let(found)) => matches!(
                    self.tree.kind(found),
                    Kind::Let { init: Some(init), .. } if matches!(self.tree.kind(*init), Kind::Reference { mutable: true, .. })
                ),
                _ => false,
            },
            _ => false,
        };
        direct || held
    }

    /// The last name of a path, field or getter.
    pub fn leaf_name(&self, node: NodeId) -> Option<&str> {
        match self.tree.kind(node) {
            Kind::Path(path) => path.last().map(String::as_str),
            Kind::Field { name, .. } => Some(name),
            Kind::Method { name, receiver, .. } if name == "clone" || name == "as_ref" || name == "get_ref" => {
                self.leaf_name(*receiver)
            }
            Kind::Method { name, args, .. } if args.is_empty() => Some(name),
            Kind::Reference { value, .. } | Kind::Unary(value) => self.leaf_name(*value),
            _ => None,
        }
    }

    /// True where a literal stands for `0`, `1` …; for loop bounds.
    pub fn is_number(&self, node: NodeId) -> bool {
        matches!(self.tree.kind(node), Kind::Literal(Lit::Number(_)))
    }
}
