//! Commands to Redis.

use super::{Operation, Resource};
use crate::lang::rust::Model;
use crate::lang::rust::node::{Kind, NodeId};
use crate::observe::{Effect, Io};

/// Commands that only ask, by the names that the crate gives them.
const READS: &[&str] = &[
    "get",
    "mget",
    "exists",
    "ttl",
    "pttl",
    "strlen",
    "getrange",
    "hget",
    "hmget",
    "hget_multiple",
    "hgetall",
    "hexists",
    "hlen",
    "hkeys",
    "hvals",
    "llen",
    "lrange",
    "lindex",
    "smembers",
    "sismember",
    "scard",
    "zscore",
    "zrange",
    "zrange_withscores",
    "zrevrange",
    "zrevrange_withscores",
    "zrangebyscore",
    "zcard",
    "zcount",
    "zmscore",
    "zrevrangebyscore",
    "zrangebyscore_limit",
    "zrevrangebyscore_limit",
    "getbit",
    "bitcount",
    "json_get",
    "xrevrange",
    "zrank",
    "zrevrank",
    "xlen",
    "xrange",
];

/// Commands that change something.
const WRITES: &[&str] = &[
    "set",
    "set_ex",
    "set_nx",
    "pset_ex",
    "set_options",
    "getset",
    "get_del",
    "get_ex",
    "del",
    "unlink",
    "incr",
    "decr",
    "append",
    "expire",
    "pexpire",
    "persist",
    "hset",
    "hset_multiple",
    "hset_nx",
    "hdel",
    "hincr",
    "lpush",
    "rpush",
    "lpop",
    "rpop",
    "ltrim",
    "lrem",
    "sadd",
    "srem",
    "spop",
    "zadd",
    "zadd_multiple",
    "zrem",
    "zincr",
    "xadd",
    "xack",
    "xdel",
    "publish",
    "rename",
];

impl Model<'_> {
    /// `conn.get(key)` of redis's `AsyncCommands`. Connections that are cloned,
    /// or made anew, answer several commands at once; one `&mut` takes turns.
    pub(super) fn redis(&self, value: NodeId) -> Option<Operation> {
        let Kind::Method { receiver, name, args, .. } = self.tree.kind(value) else { return None };
        let effect = match name.as_str() {
            name if READS.contains(&name) => Effect::Read,
            name if WRITES.contains(&name) => Effect::Write,
            _ => return None,
        };
        if args.is_empty() || !self.names_crate("redis") {
            return None;
        }
        let made = || self.init_of(self.behind_references(*receiver));
        let bears = self.is_taken(*receiver)
            // `self.redis.clone().get(key)` as well.
            || self.is_multiplexed(*receiver)
            || made().is_some_and(|made| self.is_multiplexed(made));
        bears.then(|| Operation::new(Io::Database, effect, Resource::Taken))
    }

    /// `manager.clone()` and `client.get_multiplexed_async_connection().await?`.
    fn is_multiplexed(&self, made: NodeId) -> bool {
        let chain = self.chain(made);
        let from_client = |name: &str| name.starts_with("get_multiplexed") || name == "get_connection_manager";
        if chain.iter().any(|(_, name)| from_client(name)) {
            return true;
        }
        match chain.as_slice() {
            [(clone, "clone")] => {
                let Kind::Method { receiver, .. } = self.tree.kind(*clone) else { return false };
                let typed = self.type_path(*receiver);
                typed.is_some_and(|path| {
                    path.first().is_some_and(|first| first == "redis")
                        && path.last().is_some_and(|leaf| {
                            matches!(leaf.as_str(), "ConnectionManager" | "MultiplexedConnection" | "ClusterConnection")
                        })
                })
            }
            _ => false,
        }
    }
}
