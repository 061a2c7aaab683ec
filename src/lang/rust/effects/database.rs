//! Queries, and what they run on.

use super::{Operation, Resource};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};
use crate::lang::typescript::names;
use crate::observe::{Effect, Io};

impl Model<'_> {
    /// `sqlx::query…(sql)….fetch_all(executor)`.
    pub(super) fn sqlx(&self, value: NodeId) -> Option<Operation> {
        let (run, _) = self.run_query(value)?;
        let Kind::Method { args, .. } = self.tree.kind(run) else { return None };
        let effect = self.sql(value)?.map_or(Effect::Unknown, sql_effect);
        let executor = *args.first()?;
        let resource = match self.executor(executor) {
            // A connection is lent mutably: what is lent shared is a pool.
            Resource::Unknown if self.is_lent_pool(executor) => Resource::Shared,
            other => other,
        };
        Some(Operation::new(Io::Database, effect, resource))
    }

    /// `&state.db`: sqlx runs queries on `&Pool`, and on connections only as
    /// `&mut`. SQLite is left out: it has one writer and no network.
    fn is_lent_pool(&self, executor: NodeId) -> bool {
        let Kind::Reference { mutable: false, value } = self.tree.kind(executor) else { return false };
        matches!(self.tree.kind(*value), Kind::Field { .. })
            && !self.source.path.contains("sqlite")
            && !self.mentions("Sqlite")
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
        let root = self.query_root(value);
        match self.tree.kind(root) {
            Kind::Macro { path, args, .. } => {
                path.last()?.starts_with("query").then(|| args.iter().find_map(|&a| self.text_of(a)))
            }
            Kind::Call { args, .. } => {
                let path = self.callee(root)?;
                let queries = path.first()? == "sqlx" && path.last()?.starts_with("query");
                queries.then(|| args.first().and_then(|&a| self.pattern_of(a)))
            }
            _ => None,
        }
    }

    /// What a query's chain begins with, through the local that holds the query
    /// meanwhile: `let rows = sqlx::query(…); rows.bind(id).fetch_all(&pool)`.
    fn query_root(&self, value: NodeId) -> NodeId {
        let root = self.chain_root(value);
        let root = self.init_of(root).map_or(root, |made| self.chain_root(made));
        self.made_by_closure(root).map_or(root, |made| self.chain_root(made))
    }

    /// What the closure gives that a local holds: `Orders::find()` of
    /// `let open = || Orders::find();` in `open().count(&db)`.
    fn made_by_closure(&self, call: NodeId) -> Option<NodeId> {
        let Kind::Call { callee, .. } = self.tree.kind(call) else { return None };
        match self.tree.kind(self.init_of(*callee)?) {
            Kind::Closure { body, is_async: false, .. } if !matches!(self.tree.kind(*body), Kind::Block) => Some(*body),
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
    pub(super) fn sea_orm(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(value) else { return None };
        if matches!(name.as_str(), "num_items" | "num_pages" | "num_items_and_pages" | "fetch_page") {
            return self.page_of(*receiver);
        }
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
        Some(Operation::new(Io::Database, effect, self.sea_orm_runs_on(*executor)))
    }

    fn sea_orm_runs_on(&self, executor: NodeId) -> Resource {
        match self.executor(executor) {
            // A transaction of SeaORM is a local of its own.
            Resource::Unknown if self.is_lent_pool(executor) => Resource::Shared,
            other => other,
        }
    }

    /// `paginator.num_items()`, where `query.paginate(&db, size)` made it.
    fn page_of(&self, paginator: NodeId) -> Option<Operation> {
        let made = self.init_of(paginator).unwrap_or(paginator);
        let Kind::Method { name, args, .. } = self.tree.kind(made) else { return None };
        let [connection, _] = args.as_slice() else { return None };
        if name != "paginate" || !self.names_crate("sea_orm") {
            return None;
        }
        Some(Operation::new(Io::Database, Effect::Read, self.sea_orm_runs_on(*connection)))
    }

    fn tree_chain_begins_with_find(&self, value: NodeId) -> bool {
        let root = self.query_root(value);
        // `order.find_related(Guest).one(&db)`.
        let related = |(_, name): &(NodeId, &str)| matches!(*name, "find_related" | "find_linked");
        if self.chain(value).iter().any(related) {
            return true;
        }
        let Kind::Call { callee, .. } = self.tree.kind(root) else { return false };
        let Kind::Path(path) = self.tree.kind(*callee) else { return false };
        path.last().is_some_and(|leaf| leaf.starts_with("find"))
    }

    /// `client.query(sql).bind(x).fetch_all::<Row>()` of the clickhouse crate.
    pub(super) fn clickhouse(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { name, args, .. } = self.tree.kind(value) else { return None };
        if !matches!(name.as_str(), "fetch_one" | "fetch_all" | "fetch_optional") || !args.is_empty() {
            return None;
        }
        let chain = self.chain(value);
        let (query, _) = chain.iter().find(|(_, method)| *method == "query")?;
        let Kind::Method { receiver, args, .. } = self.tree.kind(*query) else { return None };
        let typed =
            self.type_path(*receiver).is_some_and(|path| crate::lang::rust::path::equals(&path, "clickhouse::Client"));
        let named = self.leaf_name(*receiver).is_some_and(|leaf| leaf.contains("clickhouse"));
        if !typed && !named {
            return None;
        }
        // A statement that is put together elsewhere is still fetched from.
        let effect = args.first().and_then(|&sql| self.pattern_of(sql)).map_or(Effect::Read, sql_effect);
        let resource = if typed { Resource::Shared } else { Resource::SharedByName };
        Some(Operation::new(Io::Database, effect, resource))
    }

    /// Methods of clients whose type is written.
    pub(super) fn typed_client(&self, value: NodeId) -> Option<Operation> {
        const OPTIONS: &[&str] = &["limit", "sort", "skip", "projection", "batch_size", "hint", "upsert"];
        let mut value = value;
        while let Kind::Method { receiver, name, .. } = self.tree.kind(value)
            && OPTIONS.contains(&name.as_str())
        {
            value = *receiver;
        }
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
            | "query_raw"
            | "prepare"
            | "prepare_cached"
            | "prepare_typed" => Effect::Read,
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
        let Some(path) = self.type_path(*receiver) else {
            // A collection that another file's type holds, by what nothing but
            // MongoDB's are asked.
            let counts = matches!(name.as_str(), "count_documents" | "estimated_document_count");
            let held = matches!(self.tree.kind(*receiver), Kind::Field { .. });
            let asked = held && matches!(name.as_str(), "find" | "find_one");
            let of_mongodb = (counts || asked) && self.names_crate("mongodb");
            return of_mongodb.then(|| Operation::new(Io::Database, effect, Resource::SharedByName));
        };
        let resource = match path.first()?.as_str() {
            "mongodb" => Resource::Shared,
            "tokio_postgres" | "deadpool_postgres" if self.is_taken(*receiver) => Resource::Taken,
            "tokio_postgres" | "deadpool_postgres" => Resource::Serial,
            _ => return None,
        };
        Some(Operation::new(Io::Database, effect, resource))
    }

    /// `users.filter(…).load(&mut conn)` of diesel-async.
    pub(super) fn diesel(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { name, args, .. } = self.tree.kind(value) else { return None };
        let [connection] = args.as_slice() else { return None };
        if !matches!(name.as_str(), "load" | "first" | "get_result" | "get_results" | "execute")
            || !self.names_crate("diesel_async")
        {
            return None;
        }
        let root = self.tree.kind(self.chain_root(value));
        let starts = match root {
            Kind::Call { callee, .. } => self.leaf_name(*callee),
            _ => None,
        };
        let changes = starts.is_some_and(|leaf| {
            matches!(leaf, "insert_into" | "update" | "delete" | "replace_into" | "insert_or_ignore_into")
        });
        let effect = if changes || name == "execute" { Effect::Write } else { Effect::Read };
        Some(Operation::new(Io::Database, effect, self.executor(*connection)))
    }

    /// `pool.get()`, `pool.acquire()`: a connection that a local holds.
    pub fn takes_connection(&self, value: NodeId) -> bool {
        const TAKES: &[&str] =
            &["get", "acquire", "get_conn", "get_connection", "connection", "get_owned", "get_client"];
        const HELD: &[&str] = &["conn", "connection", "client", "db", "pg", "c"];
        // `conn(pool)`, a helper of the project's own.
        if let Kind::Call { callee, args } = self.tree.kind(value) {
            const HELPERS: &[&str] = &["conn", "connection", "get_conn", "get_connection", "db_conn", "checkout"];
            let pool = |&argument: &NodeId| self.leaf_name(argument).is_some_and(|leaf| leaf.ends_with("pool"));
            return self.leaf_name(*callee).is_some_and(|leaf| HELPERS.contains(&leaf))
                && args.len() == 1
                && args.iter().any(pool);
        }
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(value) else { return false };
        if name == "acquire" && self.is_handed_executor(*receiver) {
            return true;
        }
        if !args.is_empty() || !TAKES.contains(&name.as_str()) {
            return false;
        }
        let pool =
            self.leaf_name(*receiver).is_some_and(|leaf| matches!(leaf, "db" | "redis") || leaf.ends_with("pool"));
        let held = self
            .bound_by(self.tree.node(value).parent)
            .and_then(|(_, pattern)| pattern.name())
            .is_some_and(|name| HELD.contains(&name));
        pool || held
    }

    /// True for a local that holds a connection which its function took from a
    /// pool.
    pub(super) fn is_taken(&self, value: NodeId) -> bool {
        let Some(found) = self.let_of(self.behind_references(value)) else { return false };
        self.tree.below(found).any(|id| match self.tree.kind(id) {
            Kind::Await(taken) => self.takes_connection(*taken),
            _ => false,
        })
    }

    /// True for a parameter of a generic type, which its callers decide:
    /// `E: Acquire`, `C: ConnectionTrait`.
    fn is_handed_executor(&self, value: NodeId) -> bool {
        let at = self.behind_references(value);
        matches!(self.tree.kind(at), Kind::Path(path) if path.len() == 1)
            && self.type_of(at).is_some_and(|typed| {
                let ty = self.peel(typed).ty;
                ty.dynamic || ty.leaf().len() == 1
            })
    }

    /// True for a connection that its function took from what it was handed.
    fn is_taken_from_handed(&self, value: NodeId) -> bool {
        let Some(found) = self.let_of(self.behind_references(value)) else { return false };
        self.tree.below(found).any(|id| match self.tree.kind(id) {
            Kind::Method { receiver, name, .. } => name == "acquire" && self.is_handed_executor(*receiver),
            _ => false,
        })
    }

    /// True for what a `static` holds, or the local that it was read into: one
    /// for the whole process, so a pool and no transaction.
    /// `ORM_CLIENT.get_or_init(connect).await`.
    fn is_held_by_static(&self, value: NodeId) -> bool {
        /// Longer ways are not followed; the bound also ends a name that
        /// stands for itself.
        const STEPS: usize = 12;
        let mut at = value;
        for _ in 0..STEPS {
            at = match self.tree.kind(at) {
                Kind::Path(path) => match path.last() {
                    Some(leaf) if is_shouted(leaf) => {
                        // One for each task or thread may be a transaction.
                        const SERIAL: &[&str] = &["tx", "txn", "trx", "transaction", "conn", "connection", "session"];
                        return !names::has_word(leaf, SERIAL)
                            && !self.mentions("task_local!")
                            && !self.mentions("thread_local!");
                    }
                    _ => match self.init_of(at) {
                        Some(init) => init,
                        None => return false,
                    },
                },
                Kind::Reference { mutable: false, value }
                | Kind::Unary(value)
                | Kind::Await(value)
                | Kind::Try(value) => *value,
                Kind::Method { receiver, name, .. } if HOLDS.contains(&name.as_str()) => *receiver,
                _ => return false,
            };
        }
        false
    }

    /// What a query runs on.
    pub fn executor(&self, argument: NodeId) -> Resource {
        if self.is_taken_from_handed(argument) {
            return Resource::Unknown;
        }
        if self.is_taken(argument) {
            return Resource::Taken;
        }
        if self.lends_mutably(argument) {
            return Resource::Serial;
        }
        let at = self.behind_references(argument);
        if self.is_handed_executor(at) {
            return Resource::Unknown;
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
        let sqlite = self.source.path.contains("sqlite") || self.mentions("Sqlite");
        match () {
            () if sqlite => Resource::Unknown,
            () if self.is_held_by_static(at) => Resource::Shared,
            () if name == "pool" || name.ends_with("_pool") => Resource::SharedByName,
            () => Resource::Unknown,
        }
    }
}

/// What hands out the value of a cell or lock as it stands.
const HOLDS: &[&str] = &["get_or_init", "get_or_try_init", "get", "unwrap", "expect", "as_ref", "clone", "deref"];

/// True for the name of a `static`: `ORM_CLIENT`. One letter is a type's.
pub(super) fn is_shouted(name: &str) -> bool {
    name.len() > 1 && names::is_constant(name)
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
    // `SELECT claim_job()`: what a function of the database does, it alone knows.
    const COMPUTES: &[&str] = &["NOW(", "VERSION(", "COALESCE(", "CURRENT_", "GREATEST(", "LEAST("];
    let calls = !upper.contains("FROM") && upper.contains('(') && !COMPUTES.iter().any(|name| upper.contains(name));
    match () {
        () if !reads || WRITES.iter().any(|word| upper.contains(word)) => Effect::Write,
        () if calls => Effect::Unknown,
        () => Effect::Read,
    }
}
