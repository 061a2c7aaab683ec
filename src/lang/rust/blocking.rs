//! Calls that block their thread, and functions that make such a call.

mod files;

use std::collections::BTreeMap;

use super::Model;
use super::functions::Body;
use super::node::{Function, Kind, Lit, NodeId};
use super::path::{equals, starts_with};
use crate::lang::typescript::names::{LARGE_FILES, has_word};
use crate::observe::Blocks;

/// A call that returns only when it is done, however long that takes.
pub struct Blocking {
    /// The call.
    pub node: NodeId,
    /// What it waits for, as the rule's variants name it.
    pub kind: &'static str,
    /// What is called, for messages.
    pub call: String,
    /// It goes through a whole folder, or a whole file of any size.
    pub whole_tree: bool,
    /// It is quick itself, by what is known: what follows may take long, or
    /// the file may be large against its name.
    pub brief: bool,
    /// A whole file whose name, or whose reader's, says that it may hold
    /// megabytes.
    pub large: bool,
    /// Where the file that is read or written was opened.
    pub opened: Option<NodeId>,
    /// It reads one small thing over and over: a file whose path is written
    /// here, which the system keeps in memory.
    pub fixed: bool,
    /// How it is made asynchronous, where that takes no more than a path.
    pub remedy: Option<Remedy>,
}

impl Blocking {
    fn new(node: NodeId, kind: &'static str, call: impl Into<String>) -> Self {
        let call = call.into();
        Self {
            node,
            kind,
            call,
            whole_tree: false,
            brief: false,
            large: false,
            opened: None,
            fixed: false,
            remedy: None,
        }
    }

    fn with(self, remedy: Option<Remedy>) -> Self {
        Self { remedy, ..self }
    }
}

/// The asynchronous function of tokio that takes the same arguments; it needs
/// an `.await` after the call.
pub struct Remedy {
    /// The path that is replaced.
    pub callee: NodeId,
    /// The path that replaces it.
    pub path: String,
    /// The feature of tokio that has it.
    pub feature: &'static str,
}

/// How far functions of the same file are followed.
const DEPTH: usize = 3;

/// A file that holds none of these makes no blocking call.
const WORDS: &[&str] = &[
    "fs::",
    "File::",
    "thread::",
    "Command",
    "ureq",
    "blocking",
    "WalkDir",
    "SmtpTransport",
    "sendgrid",
    "diesel",
    "TcpStream",
    "flate2",
    "zstd",
    "image::",
];

impl Model<'_> {
    /// The plain functions of the file that block while they run, each with
    /// what it waits for. Closures are for whoever calls them to answer for.
    /// Waits for a future or a channel are left out: who calls such a function
    /// from async code meets a panic or a deadlock first.
    pub fn blocking_functions(&self) -> BTreeMap<NodeId, Blocks> {
        let mut found: BTreeMap<NodeId, Blocks> = BTreeMap::new();
        if !WORDS.iter().any(|word| self.source.text.contains(word)) {
            return found;
        }
        for node in self.tree.all() {
            let Some(hit) = self.blocking_call(node) else { continue };
            if hit.brief || hit.fixed || matches!(hit.kind, "block-on" | "channel-receive") {
                continue;
            }
            let span = self.tree.span(hit.node);
            let Blocking { call, kind, whole_tree, large, .. } = hit;
            let blocks = Blocks { call, kind, whole_tree, large, span, always: true };
            self.note(&mut found, node, blocks);
        }
        for _ in 1..DEPTH {
            if found.is_empty() {
                break;
            }
            let known = found.clone();
            let calls = |node: &NodeId| matches!(self.tree.kind(*node), Kind::Call { .. } | Kind::Method { .. });
            for node in self.tree.all().filter(calls) {
                if let Some(blocks) = self.called_among(node, &known) {
                    self.note(&mut found, node, blocks.clone());
                }
            }
        }
        found
    }

    /// Notes what blocks at `node` for the plain function around it: what is
    /// sure to run before what stands in a branch, then what takes longest.
    fn note(&self, found: &mut BTreeMap<NodeId, Blocks>, node: NodeId, mut blocks: Blocks) {
        if self.body_of(node) != Body::Sync {
            return;
        }
        let Some(function) = self.function_of(node) else { return };
        let Some(body) = function.body else { return };
        blocks.always &= self.runs_one_of([node], body);
        let order = |one: &Blocks| (!one.always, rank(one), one.span);
        match found.get_mut(&function.node) {
            Some(known) if order(known) <= order(&blocks) => {}
            Some(known) => *known = blocks,
            None => {
                found.insert(function.node, blocks);
            }
        }
    }

    /// What the function among `known` that a call names waits for.
    fn called_among<'k>(&self, call: NodeId, known: &'k BTreeMap<NodeId, Blocks>) -> Option<&'k Blocks> {
        let leaf = match self.tree.kind(call) {
            Kind::Method { name, .. } => name,
            Kind::Call { callee, .. } => match self.tree.kind(*callee) {
                Kind::Path(path) => path.last()?,
                _ => return None,
            },
            _ => return None,
        };
        let named = known.keys().any(|&function| self.function(function).is_some_and(|f| f.name == *leaf));
        if named { known.get(&self.called_here(call)?.node) } else { None }
    }

    /// The plain function of this file that a call names: free, or of the type
    /// around the call.
    pub fn called_here(&self, call: NodeId) -> Option<&Function> {
        match self.tree.kind(call) {
            Kind::Call { callee, .. } => {
                let Kind::Path(path) = self.tree.kind(*callee) else { return None };
                match path.as_slice() {
                    [name] => self.free_function(name),
                    [owner, name] if owner == "Self" => self.method(self.function_of(call)?.owner?, name),
                    // `GatewayLink::open(…)` of a type of this file.
                    [owner, name] => self.method_of(owner, name),
                    _ => None,
                }
            }
            Kind::Method { receiver, name, .. } => {
                let Kind::Path(path) = self.tree.kind(*receiver) else { return None };
                let own = path.len() == 1 && path[0] == "self";
                if own { self.method(self.function_of(call)?.owner?, name) } else { None }
            }
            _ => None,
        }
    }

    /// The blocking call that a node is.
    pub fn blocking_call(&self, node: NodeId) -> Option<Blocking> {
        // What is awaited is no blocking call, whatever its name.
        match self.tree.kind(node) {
            Kind::Call { .. } if !self.is_awaited(node) => self.blocking_function(node),
            Kind::Method { receiver, name, .. } if !self.is_awaited(node) => {
                self.blocking_method(node, *receiver, name)
            }
            _ => None,
        }
    }

    fn blocking_function(&self, node: NodeId) -> Option<Blocking> {
        let path = self.callee(node)?;
        let Kind::Call { callee, args } = self.tree.kind(node) else { return None };
        let hit = |kind| Blocking::new(node, kind, path.join("::"));
        let tokio = |feature, path: String| Some(Remedy { callee: *callee, path, feature });
        if equals(&path, "std::thread::sleep") && args.len() == 1 {
            return Some(hit("thread-sleep").with(tokio("time", "tokio::time::sleep".to_owned())));
        }
        if starts_with(&path, "std::fs") && path.len() >= 3 {
            const WHOLE: &[&str] = &["read", "write", "read_to_string", "copy", "remove_dir_all"];
            let leaf = path.last()?.as_str();
            if path.len() == 3 && WHOLE.contains(&leaf) {
                let whole_tree = matches!(leaf, "remove_dir_all" | "copy");
                let remedy = tokio("fs", format!("tokio::fs::{leaf}"));
                let grown = args.iter().any(|&a| self.text_of(a).is_some_and(grows));
                let constant = !grown && args.iter().all(|&a| self.is_constant(a));
                let fixed = matches!(leaf, "read" | "read_to_string") && constant;
                let brief = !whole_tree && args.first().is_some_and(|&path| self.names_small_file(path));
                let large = !brief && args.first().is_some_and(|&path| self.may_be_large(node, path));
                return Some(Blocking { whole_tree, brief, large, fixed, remedy, ..hit("blocking-file") });
            }
            let listing = path.len() == 3 && leaf == "read_dir";
            let handle = path.len() == 4 && path[2] == "File" && matches!(leaf, "open" | "create");
            return (listing || handle).then(|| Blocking { brief: true, ..hit("blocking-file") });
        }
        if let Some(kind) = works(&path) {
            let brief = kind == "blocking-compression" && !self.is_much(node, args);
            // It is the encoder that works, not what makes it.
            let call = match path.as_slice() {
                [.., owner, last] if last == "new" => owner.clone(),
                _ => path.join("::"),
            };
            return Some(Blocking { brief, ..Blocking::new(node, kind, call) });
        }
        if equals(&path, "walkdir::WalkDir::new") {
            return Some(Blocking { whole_tree: true, ..Blocking::new(node, "blocking-file", "walkdir::WalkDir") });
        }
        let any = |wanted: &[&str]| wanted.iter().any(|wanted| equals(&path, wanted));
        if any(&["reqwest::blocking::get"]) {
            return Some(hit("blocking-http"));
        }
        const BLOCK_ON: &[&str] = &[
            "futures::executor::block_on",
            "futures_executor::block_on",
            "async_std::task::block_on",
            "pollster::block_on",
            "smol::block_on",
        ];
        if any(BLOCK_ON) {
            return Some(hit("block-on"));
        }
        if any(&["std::net::TcpStream::connect", "std::net::TcpStream::connect_timeout"]) {
            return Some(hit("blocking-socket"));
        }
        None
    }

    /// True where the best level is asked for, or where the function or the file
    /// is named for what may be large: an export, an archive, a backup.
    fn is_much(&self, node: NodeId, args: &[NodeId]) -> bool {
        let level = |wanted: &str| {
            let is_it = |path: Vec<String>| path.last().is_some_and(|leaf| leaf == wanted);
            let calls = args.iter().flat_map(|&argument| self.tree.below(argument)).filter_map(|id| self.callee(id));
            calls.into_iter().any(is_it)
        };
        let large = |name: &str| has_word(name, LARGE_FILES);
        let file = self.source.path.rsplit('/').next().unwrap_or("");
        let named = || large(file) || self.function_of(node).is_some_and(|f| large(&f.name));
        // zstd's levels from ten on take ten times as long as its own choice.
        let slow = args.iter().any(|&a| matches!(self.tree.kind(a), Kind::Literal(Lit::Number(n)) if *n >= 10.0));
        slow || level("best") || !level("fast") && named()
    }

    fn blocking_method(&self, node: NodeId, receiver: NodeId, name: &str) -> Option<Blocking> {
        let hit = |kind, call: &str| Some(Blocking::new(node, kind, call));
        match name {
            "load" | "get_result" | "get_results" | "first" | "execute" if self.runs_diesel(node) => {
                hit("blocking-query", &format!("diesel's {name}"))
            }
            "output" | "status" | "wait" | "wait_with_output" => self.waits_for_child(node, receiver, name),
            "block_on" => {
                let path = self.type_path(receiver)?;
                let is_runtime = equals(&path, "tokio::runtime::Runtime") || equals(&path, "tokio::runtime::Handle");
                if is_runtime { hit("block-on", "block_on") } else { None }
            }
            "join" if self.is_std_thread(receiver) => hit("thread-join", "std::thread::JoinHandle::join"),
            "recv" | "recv_timeout" if self.is_std_receiver(receiver) => {
                hit("channel-receive", &format!("std::sync::mpsc::Receiver::{name}"))
            }
            "send" | "call" | "send_json" | "send_string" | "send_form" | "send_bytes" | "send_empty" => {
                self.blocking_request(node, receiver, name)
            }
            "read_to_end" | "read_to_string" | "write_all" => {
                let head = self.origin(self.chain_root(receiver))?;
                let path = self.callee(head)?;
                let file = equals(&path, "std::fs::File::open") || equals(&path, "std::fs::File::create");
                let Kind::Call { args, .. } = self.tree.kind(head) else { return None };
                let large = args.first().is_some_and(|&path| self.may_be_large(node, path));
                let found = Blocking::new(node, "blocking-file", format!("std::fs::File::{name}"));
                file.then_some(Blocking { large, opened: Some(head), ..found })
            }
            _ => None,
        }
    }

    fn blocking_request(&self, node: NodeId, receiver: NodeId, name: &str) -> Option<Blocking> {
        let hit = |kind, call: &str| Some(Blocking::new(node, kind, call));
        let root = self.chain_root(receiver);
        let head = self.origin(root).and_then(|head| self.callee(head));
        if let Some(path) = &head {
            if path.first().is_some_and(|first| first == "ureq") {
                return hit("blocking-http", &format!("ureq {name}"));
            }
            if starts_with(path, "reqwest::blocking") && name == "send" {
                return hit("blocking-http", "reqwest::blocking send");
            }
        }
        let typed = self.client_call(node).and_then(|(base, _)| self.type_path(base)).or_else(|| self.type_path(root));
        let is = |wanted: &str| typed.as_ref().is_some_and(|path| equals(path, wanted));
        if is("reqwest::blocking::Client") && name == "send" {
            return hit("blocking-http", "reqwest::blocking send");
        }
        if is("ureq::Agent") {
            return hit("blocking-http", &format!("ureq {name}"));
        }
        // lettre's other transport is awaited.
        let mails = |path: &Vec<String>| {
            path.first().is_some_and(|first| first == "lettre") && path.iter().any(|s| s == "SmtpTransport")
        };
        if name == "send" && head.iter().chain(&typed).any(mails) {
            return hit("blocking-socket", "lettre::SmtpTransport::send");
        }
        // Its asynchronous `send` takes the same names, and is awaited.
        let sendgrid = |path: &Vec<String>| path.first().is_some_and(|first| first == "sendgrid");
        if name == "send" && head.iter().chain(&typed).any(sendgrid) {
            return hit("blocking-http", "sendgrid send");
        }
        None
    }

    fn waits_for_child(&self, node: NodeId, receiver: NodeId, name: &str) -> Option<Blocking> {
        let root = self.chain_root(receiver);
        let head = self.origin(root)?;
        if !equals(&self.callee(head)?, "std::process::Command::new") {
            return None;
        }
        let starts = |at: NodeId| self.chain(at).iter().any(|(_, method)| *method == "spawn");
        let spawned = starts(receiver) || head != root && starts(self.init_of(root)?);
        if name.starts_with("wait") != spawned {
            return None;
        }
        let remedy = self.command_remedy(receiver, root, head, name);
        Some(Blocking::new(node, "child-process", format!("Command::{name}")).with(remedy))
    }

    /// `Command::new(…)….output()` in one expression: the same names exist in
    /// `tokio::process`.
    fn command_remedy(&self, receiver: NodeId, root: NodeId, head: NodeId, name: &str) -> Option<Remedy> {
        const SAME: &[&str] = &["arg", "args", "env", "envs", "current_dir", "env_clear", "env_remove", "kill_on_drop"];
        let plain = self.chain(receiver).iter().all(|(_, method)| SAME.contains(method));
        if head != root || !plain || !matches!(name, "output" | "status") {
            return None;
        }
        let Kind::Call { callee, .. } = self.tree.kind(head) else { return None };
        Some(Remedy { callee: *callee, path: "tokio::process::Command::new".to_owned(), feature: "process" })
    }

    /// `query.load(&mut conn)` of diesel, which has no other than blocking
    /// queries; with diesel-async the same names are awaited.
    fn runs_diesel(&self, node: NodeId) -> bool {
        let Kind::Method { args, .. } = self.tree.kind(node) else { return false };
        let [connection] = args.as_slice() else { return false };
        let lent = match self.tree.kind(*connection) {
            // Nothing else of these names is lent a connection to change.
            Kind::Reference { value, mutable } => {
                let named = |leaf: &str| leaf.contains("conn") || leaf == "db";
                *mutable || self.leaf_name(*value).is_some_and(named)
            }
            // `conn: &mut PgConnection`, handed on as it came.
            Kind::Path(_) => self
                .type_of(*connection)
                .is_some_and(|typed| typed.ty.reference == Some(true) && typed.ty.leaf().ends_with("Connection")),
            _ => false,
        };
        lent && self.names_crate("diesel") && !self.names_crate("diesel_async")
    }

    /// `std::thread::spawn(…)` itself, or a local that holds its handle.
    fn is_std_thread(&self, receiver: NodeId) -> bool {
        let made = self.origin(self.chain_root(receiver)).and_then(|head| self.callee(head));
        made.is_some_and(|path| equals(&path, "std::thread::spawn"))
    }

    /// `let (tx, rx) = std::sync::mpsc::channel()` in the same function.
    fn is_std_receiver(&self, receiver: NodeId) -> bool {
        let made = self.init_of(receiver).and_then(|init| self.callee(init));
        made.is_some_and(|path| {
            equals(&path, "std::sync::mpsc::channel") || equals(&path, "std::sync::mpsc::sync_channel")
        })
    }

    /// The call that a chain begins with, through one local.
    fn origin(&self, root: NodeId) -> Option<NodeId> {
        match self.tree.kind(root) {
            Kind::Call { .. } => Some(root),
            Kind::Path(_) => Some(self.chain_root(self.init_of(root)?)),
            _ => None,
        }
    }
}

/// Files that grow while a program runs.
fn grows(path: &str) -> bool {
    [".log", ".csv", ".jsonl", ".ndjson", ".parquet", ".db"].iter().any(|end| path.ends_with(end))
}

/// What computes for as long as its input is large: encoders of flate2 and zstd,
/// which work while they are written to, and the decoding of images.
fn works(path: &[String]) -> Option<&'static str> {
    let [first, .., leaf] = path else { return None };
    let of = path.iter().rev().nth(1)?.as_str();
    match (first.as_str(), leaf.as_str()) {
        ("flate2", "new") if matches!(of, "GzEncoder" | "ZlibEncoder" | "DeflateEncoder") => {
            Some("blocking-compression")
        }
        ("zstd", "encode_all") => Some("blocking-compression"),
        ("image", "load_from_memory" | "load_from_memory_with_format" | "open") => Some("image"),
        _ => None,
    }
}

/// The longest waits first.
fn rank(one: &Blocks) -> u8 {
    match one.kind {
        "blocking-http" => 0,
        "blocking-socket" => 1,
        "child-process" => 2,
        "thread-sleep" | "thread-join" => 3,
        "blocking-query" => 4,
        "image" | "blocking-compression" => 5,
        _ if one.whole_tree => 6,
        _ if one.large => 7,
        _ => 8,
    }
}
