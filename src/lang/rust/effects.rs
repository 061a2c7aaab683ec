//! What an awaited call does: which reads and writes it makes, over what, and
//! whether two of them can be under way at once.

use super::Model;
use super::node::{Function, Kind, Lit, NodeId, Receiver};
use super::path::{equals, reference};
use super::values::Local;
use crate::lang::typescript::names;
use crate::observe::{Effect, Io, NameRef};

/// Whether calls on a resource can be under way side by side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Resource {
    /// A pool or an HTTP client: each call has a connection of its own.
    Shared,
    /// Like a pool by its name only.
    SharedByName,
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
}

impl Operation {
    const fn new(io: Io, effect: Effect, resource: Resource) -> Self {
        Self { io, effect, resource, elsewhere: None }
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
        self.http(value)
            .or_else(|| self.sqlx(value))
            .or_else(|| self.sea_orm(value))
            .or_else(|| self.typed_client(value))
            .or_else(|| self.clickhouse(value))
            .or_else(|| self.own_function(value, depth))
    }

    /// `client.get(url)….send()`, `reqwest::get(url)`.
    fn http(&self, value: NodeId) -> Option<Operation> {
        if self.callee(value).is_some_and(|path| equals(&path, "reqwest::get")) {
            return Some(Operation::new(Io::Http, Effect::Read, Resource::Shared));
        }
        let Kind::Method { name, .. } = self.tree.kind(value) else { return None };
        if name != "send" {
            return None;
        }
        let chain = self.chain(value);
        let (verb, name) = chain
            .iter()
            .rev()
            .find(|(_, name)| matches!(*name, "get" | "head" | "post" | "put" | "delete" | "patch" | "request"))?;
        let Kind::Method { receiver, args, .. } = self.tree.kind(*verb) else { return None };
        let asks = *name == "post" && (self.is_question(args) || self.is_in_question(value));
        let effect = if asks || matches!(*name, "get" | "head") { Effect::Read } else { Effect::Write };
        if self.is_http_client(*receiver) {
            return Some(Operation::new(Io::Http, effect, Resource::Shared));
        }
        let named = self.leaf_name(*receiver).is_some_and(|leaf| {
            let leaf = leaf.to_ascii_lowercase();
            leaf.ends_with("client") || leaf.ends_with("http") || leaf == "reqwest"
        });
        let known = self.names_crate("reqwest");
        (named && known).then(|| Operation::new(Io::Http, effect, Resource::SharedByName))
    }

    /// True where the address that is posted to is that of a question.
    fn is_question(&self, args: &[NodeId]) -> bool {
        let address = args.iter().flat_map(|&argument| std::iter::once(argument).chain(self.tree.below(argument)));
        address.filter_map(|id| self.text_of(id)).next().is_some_and(names::is_question)
    }

    /// True where the function around a request is called after what it computes.
    fn is_in_question(&self, request: NodeId) -> bool {
        self.function_of(request).is_some_and(|function| names::is_computed(&function.name))
    }

    /// `sqlx::query…(sql)….fetch_all(executor)`.
    fn sqlx(&self, value: NodeId) -> Option<Operation> {
        let (run, _) = self.run_query(value)?;
        let Kind::Method { args, .. } = self.tree.kind(run) else { return None };
        let effect = self.sql(value)?.map_or(Effect::Unknown, sql_effect);
        let resource = self.executor(*args.first()?);
        Some(Operation::new(Io::Database, effect, resource))
    }

    /// The method of a chain that hands the query to its executor: the last
    /// one, or `fetch` and `fetch_many` where their stream is collected at once.
    fn run_query(&self, value: NodeId) -> Option<(NodeId, &str)> {
        const COLLECTS: &[&str] = &["try_collect", "collect", "try_next", "next", "try_fold", "try_for_each"];
        const WHOLE: &[&str] = &["fetch_one", "fetch_all", "fetch_optional", "execute"];
        let Kind::Method { name, .. } = self.tree.kind(value) else { return None };
        if WHOLE.contains(&name.as_str()) {
            return Some((value, name));
        }
        if !COLLECTS.contains(&name.as_str()) {
            return None;
        }
        self.chain(value).into_iter().find(|(_, method)| matches!(*method, "fetch" | "fetch_many"))
    }

    /// The statement that an sqlx chain runs: `None` where it is no sqlx chain,
    /// `Some(None)` where the text is not written in place.
    fn sql(&self, value: NodeId) -> Option<Option<&str>> {
        let root = self.chain_root(value);
        match self.tree.kind(root) {
            Kind::Macro { path, args, .. } => {
                path.last()?.starts_with("query").then(|| args.iter().find_map(|&a| self.text_of(a)))
            }
            Kind::Call { args, .. } => {
                let path = self.callee(root)?;
                let queries = path.first()? == "sqlx" && path.last()?.starts_with("query");
                queries.then(|| args.first().and_then(|&a| self.text_of(a)))
            }
            _ => None,
        }
    }

    /// True for a query of sqlx or SeaORM that stands here.
    pub fn is_query(&self, value: NodeId) -> bool {
        self.sqlx(value).is_some() || self.sea_orm(value).is_some()
    }

    /// True for a statement that could do its work for many rows at once:
    /// `INSERT`, `UPDATE` and `DELETE` through sqlx, `insert` through SeaORM.
    pub fn writes_one_row(&self, value: NodeId) -> bool {
        match self.tree.kind(value) {
            Kind::Method { name, .. } if name == "execute" => {
                let sql = self.sql(value).flatten().map(|sql| sql.trim_start().to_ascii_uppercase());
                let words = ["INSERT ", "UPDATE ", "DELETE "];
                sql.is_some_and(|sql| words.iter().any(|word| sql.starts_with(word)))
            }
            Kind::Method { name, args, .. } => name == "insert" && args.len() == 1 && self.sea_orm(value).is_some(),
            _ => false,
        }
    }

    /// `Entity::find()….one(db)`.
    fn sea_orm(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { name, args, .. } = self.tree.kind(value) else { return None };
        let [executor] = args.as_slice() else { return None };
        let finds = || self.tree_chain_begins_with_find(value);
        let effect = match name.as_str() {
            "one" | "all" | "count" if finds() => Effect::Read,
            "insert" | "update" | "delete" | "save" | "exec" => Effect::Write,
            _ => return None,
        };
        if !self.names_crate("sea_orm") {
            return None;
        }
        Some(Operation::new(Io::Database, effect, self.executor(*executor)))
    }

    fn tree_chain_begins_with_find(&self, value: NodeId) -> bool {
        let root = self.chain_root(value);
        let Kind::Call { callee, .. } = self.tree.kind(root) else { return false };
        let Kind::Path(path) = self.tree.kind(*callee) else { return false };
        path.last().is_some_and(|leaf| leaf.starts_with("find"))
    }

    /// `client.query(sql).bind(x).fetch_all::<Row>()` of the clickhouse crate.
    fn clickhouse(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { name, args, .. } = self.tree.kind(value) else { return None };
        if !matches!(name.as_str(), "fetch_one" | "fetch_all" | "fetch_optional") || !args.is_empty() {
            return None;
        }
        let chain = self.chain(value);
        let (query, _) = chain.iter().find(|(_, method)| *method == "query")?;
        let Kind::Method { receiver, args, .. } = self.tree.kind(*query) else { return None };
        let typed = self.type_path(*receiver).is_some_and(|path| super::path::equals(&path, "clickhouse::Client"));
        let named = self.leaf_name(*receiver).is_some_and(|leaf| leaf.contains("clickhouse"));
        if !typed && !named {
            return None;
        }
        // A statement that is put together elsewhere is still fetched from.
        let effect = args.first().and_then(|&sql| self.text_of(sql)).map_or(Effect::Read, sql_effect);
        let resource = if typed { Resource::Shared } else { Resource::SharedByName };
        Some(Operation::new(Io::Database, effect, resource))
    }

    /// Methods of clients whose type is written.
    fn typed_client(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { receiver, name, .. } = self.tree.kind(value) else { return None };
        let effect = match name.as_str() {
            "find_one"
            | "count_documents"
            | "estimated_document_count"
            | "distinct"
            | "find"
            | "query"
            | "query_one"
            | "query_opt"
            | "get_object"
            | "head_object" => Effect::Read,
            "insert_one"
            | "insert_many"
            | "update_one"
            | "update_many"
            | "delete_one"
            | "delete_many"
            | "replace_one"
            | "find_one_and_update"
            | "execute"
            | "batch_execute" => Effect::Write,
            _ => return None,
        };
        let path = self.type_path(*receiver)?;
        let resource = match path.first()?.as_str() {
            "mongodb" => Resource::Shared,
            "tokio_postgres" | "deadpool_postgres" => Resource::Serial,
            "aws_sdk_s3" => Resource::Shared,
            _ => return None,
        };
        Some(Operation::new(Io::Database, effect, resource))
    }

    /// An async function of this file, by what its body does; one of another
    /// file is left for the join.
    fn own_function(&self, value: NodeId, depth: usize) -> Option<Operation> {
        let depth = depth.checked_sub(1)?;
        let (function, args) = match self.tree.kind(value) {
            Kind::Method { receiver, name, args, .. } => {
                let Kind::Path(path) = self.tree.kind(*receiver) else { return None };
                if path.len() != 1 || path[0] != "self" {
                    return None;
                }
                let owner = self.function_of(value)?.owner?;
                (self.method(owner, name)?, args)
            }
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
        if names::effect_of(&function.name) == Effect::Write {
            operation.effect = Effect::Write;
        }
        // What it runs on is handed in, or is the function's own.
        let handed = args.iter().map(|&argument| self.executor(argument));
        if let Some(serial) = handed.max().filter(|r| *r == Resource::Serial) {
            operation.resource = serial;
        }
        Some(operation)
    }

    fn imported_function(&self, value: NodeId) -> Option<Operation> {
        let path = self.callee(value)?;
        let elsewhere = reference(&path)?;
        let Kind::Call { args, .. } = self.tree.kind(value) else { return None };
        if args.iter().any(|&argument| self.lends_mutably(argument)) {
            return None;
        }
        let resource = args.iter().map(|&a| self.executor(a)).filter(|r| *r != Resource::Unknown).max();
        let effect = match names::effect_of(path.last()?) {
            Effect::Write => Effect::Write,
            _ => Effect::Read,
        };
        let resource = resource.unwrap_or(Resource::Unknown);
        Some(Operation { elsewhere: Some(elsewhere), ..Operation::new(Io::Database, effect, resource) })
    }

    /// What the body of an async function does, all its awaits together.
    pub fn body_operation(&self, function: &Function, depth: usize) -> Option<Operation> {
        let body = function.body?;
        let mut all: Option<Operation> = None;
        // A body without a single await is no operation.
        for id in self.tree.below(body) {
            let Kind::Await(value) = self.tree.kind(id) else { continue };
            if self.reads_body(*value) {
                continue;
            }
            let one = self.operation_within(*value, depth);
            let one = one.unwrap_or(Operation::new(Io::None, Effect::Unknown, Resource::Unknown));
            all = Some(match all {
                None => one,
                Some(before) => Operation {
                    io: before.io.max(one.io),
                    effect: before.effect.max(one.effect),
                    resource: before.resource.max(one.resource),
                    elsewhere: before.elsewhere.or(one.elsewhere),
                },
            });
        }
        all.filter(|operation| operation.io != Io::None)
    }

    /// `response.json()` and its like read what a request already asked for.
    pub fn reads_body(&self, value: NodeId) -> bool {
        match self.tree.kind(value) {
            Kind::Method { name, args, .. } => {
                args.is_empty() && matches!(name.as_str(), "json" | "text" | "bytes" | "error_for_status")
            }
            _ => false,
        }
    }

    /// A free function of this file.
    pub fn free_function(&self, name: &str) -> Option<&Function> {
        self.tree.functions.iter().find(|f| f.owner.is_none() && f.name == name && f.body.is_some())
    }

    /// The method `name` of the type that the `impl` of index `owner` is for.
    pub fn method(&self, owner: usize, name: &str) -> Option<&Function> {
        let ty = self.tree.impls.get(owner)?.self_ty.leaf();
        self.tree.functions.iter().find(|f| {
            f.name == name && f.owner.and_then(|o| self.tree.impls.get(o)).is_some_and(|i| i.self_ty.leaf() == ty)
        })
    }

    /// What a query runs on.
    pub fn executor(&self, argument: NodeId) -> Resource {
        if self.lends_mutably(argument) {
            return Resource::Serial;
        }
        let mut at = argument;
        while let Kind::Reference { value, .. } | Kind::Unary(value) = self.tree.kind(at) {
            at = *value;
        }
        const SERIAL: &[&str] = &["tx", "txn", "trx", "transaction", "conn", "connection", "session"];
        const POOLS: &[&str] = &["PgPool", "MySqlPool", "AnyPool", "DatabaseConnection", "DbConn"];
        let name = self.leaf_name(at).unwrap_or("");
        if SERIAL.contains(&name) {
            return Resource::Serial;
        }
        if let Some(typed) = self.type_of(at) {
            let ty = self.peel(typed).ty;
            let leaf = ty.leaf();
            if POOLS.contains(&leaf) {
                return Resource::Shared;
            }
            if leaf == "Pool" {
                // SQLite has one writer and no network.
                return if ty.mentions("Sqlite") { Resource::Unknown } else { Resource::Shared };
            }
            if leaf.contains("Transaction") || leaf.ends_with("Connection") || leaf.contains("Sqlite") {
                return Resource::Serial;
            }
            if ty.dynamic || leaf.len() == 1 {
                return Resource::Unknown;
            }
        }
        let sqlite = self.source.path.contains("sqlite") || self.source.text.contains("Sqlite");
        if !sqlite && (name == "pool" || name.ends_with("_pool")) { Resource::SharedByName } else { Resource::Unknown }
    }

    fn lends_mutably(&self, argument: NodeId) -> bool {
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

/// What a statement of SQL does.
fn sql_effect(sql: &str) -> Effect {
    let upper = sql.trim_start().to_ascii_uppercase();
    let reads = upper.starts_with("SELECT") || upper.starts_with("WITH");
    const WRITES: &[&str] = &[
        "FOR UPDATE",
        "FOR SHARE",
        "FOR NO KEY",
        "NEXTVAL",
        "PG_ADVISORY",
        "PG_NOTIFY",
        "INSERT ",
        "UPDATE ",
        "DELETE ",
        " INTO ",
        "SETVAL",
    ];
    if reads && !WRITES.iter().any(|word| upper.contains(word)) { Effect::Read } else { Effect::Write }
}
