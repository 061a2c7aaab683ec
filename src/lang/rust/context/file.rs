//! What a file as a whole shows of where its code runs.

use std::collections::BTreeSet;

use crate::lang::rust::node::{Kind, NodeId, Tree};
use crate::source::{PathClass, SourceFile};

/// What the file as a whole shows.
#[derive(Clone, Debug, Default)]
pub struct FileFacts {
    /// Names of functions that a router in this file is given.
    pub routed: BTreeSet<String>,
    /// The path says test, build or tool.
    pub class: PathClass,
    /// For WebAssembly or a worker in which clients are the host's.
    pub is_wasm: bool,
}

const TEST_WORDS: &[&str] =
    &["test", "tests", "testing", "bench", "benches", "mock", "mocks", "fixtures", "fuzz", "stress", "loadtest"];
const CLI_WORDS: &[&str] = &[
    "cli",
    "xtask",
    "xtasks",
    "cmd",
    "download",
    "installer",
    "install",
    "upgrade",
    "migrate",
    "migrations",
    "migration",
    "seed",
    "seeder",
    "loadgen",
    "e2e",
];

impl FileFacts {
    /// Reads them.
    pub fn of(source: &SourceFile, tree: &Tree) -> Self {
        let mut class = source.class;
        let lower = source.path.to_ascii_lowercase();
        let stem = lower.strip_suffix(".rs").unwrap_or(&lower);
        let words_in = |path: &str, words: &[&str]| {
            let mut parts = path.split('/').flat_map(|part| part.split(['-', '_', '.']));
            parts.any(|word| words.contains(&word))
        };
        let has = |words: &[&str]| words_in(stem, words);
        // Tools among the sources are what an assistant may call.
        let is_tool = || words_in(stem.split("src/").next().unwrap_or(stem), &["tool", "tools"]);
        if class == PathClass::Product || class == PathClass::Script {
            if has(TEST_WORDS) {
                class = PathClass::Test;
            } else if has(CLI_WORDS) && !is_helper(stem) || is_tool() {
                class = PathClass::Script;
            }
        }
        let text = &source.text;
        let serves = ["axum::", "actix_web::", "tonic::transport::Server", "rocket::", "warp::", "hyper::server"];
        // One of the commands may be the server, and a console a page.
        if class == PathClass::Product
            && has(&["subcommand", "subcommands", "console"])
            && !serves.iter().any(|s| text.contains(s))
        {
            class = PathClass::Script;
        }
        let parses_arguments = text.contains("Parser") && (text.contains("clap::") || text.contains("structopt"));
        if class == PathClass::Product && parses_arguments && !serves.iter().any(|s| text.contains(s)) {
            class = PathClass::Script;
        }
        // A program of its own that reads its command line and serves nobody.
        let reads_arguments = text.contains("env::args(") && tree.functions.iter().any(|f| f.name == "main");
        if class == PathClass::Product && reads_arguments && !serves.iter().any(|s| text.contains(s)) {
            class = PathClass::Script;
        }
        // A further program that goes through something once and ends: it neither
        // loops on, nor calls what may.
        let goes_on = || {
            tree.all().any(|id| match tree.kind(id) {
                Kind::Loop | Kind::While { .. } => true,
                Kind::Method { name, .. } => runs_on(name),
                Kind::Path(path) => path.last().is_some_and(|leaf| runs_on(leaf)),
                _ => false,
            })
        };
        let has_main = || tree.functions.iter().any(|f| f.name == "main");
        if class == PathClass::Product
            && source.path.contains("src/bin/")
            && has_main()
            && !goes_on()
            && !serves.iter().any(|s| text.contains(s))
        {
            class = PathClass::Script;
        }
        let is_wasm = text.contains("wasm_bindgen") || text.contains("worker::event");
        Self { routed: routed(tree), class, is_wasm }
    }
}

/// True for `utils/download_utils.rs`: what helps with a download, and is no
/// program that downloads.
fn is_helper(stem: &str) -> bool {
    const HELPS: &[&str] = &["util", "utils", "helper", "helpers", "common"];
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let folders = stem.strip_suffix(name).unwrap_or("");
    name.split('_').any(|word| HELPS.contains(&word)) && !folders.split('/').any(|part| CLI_WORDS.contains(&part))
}

/// True for names of functions that may run as long as the process.
fn runs_on(name: &str) -> bool {
    const STARTS: &[&str] =
        &["run", "serve", "start", "listen", "launch", "spawn", "consume", "subscribe", "work", "worker"];
    name.split('_').next().is_some_and(|word| STARTS.contains(&word))
}

/// The functions named in `get(list)`, `.to(list)`, `from_fn(auth)`.
fn routed(tree: &Tree) -> BTreeSet<String> {
    let named = handed_to_router(tree).into_iter().filter_map(|argument| match tree.kind(argument) {
        Kind::Path(path) => path.last().cloned(),
        _ => None,
    });
    named.collect()
}

/// The paths that stand where a router takes a handler. A local handed to
/// `.get(key)` is told apart by not being a function.
pub fn handed_to_router(tree: &Tree) -> Vec<NodeId> {
    const TAKERS: &[&str] = &[
        "get",
        "post",
        "put",
        "delete",
        "patch",
        "head",
        "options",
        "any",
        "on",
        "to",
        "from_fn",
        "from_fn_with_state",
        "get_with",
        "post_with",
        "service_fn",
        "handler_fn",
        "fallback",
    ];
    let mut handed = Vec::new();
    for id in tree.all() {
        let (name, args) = match tree.kind(id) {
            Kind::Method { name, args, .. } => (name.as_str(), args),
            Kind::Call { callee, args } => match tree.kind(*callee) {
                Kind::Path(path) => (path.last().map_or("", String::as_str), args),
                _ => continue,
            },
            _ => continue,
        };
        if !TAKERS.contains(&name) {
            continue;
        }
        handed.extend(args.iter().copied().filter(|&argument| matches!(tree.kind(argument), Kind::Path(_))));
    }
    handed
}
