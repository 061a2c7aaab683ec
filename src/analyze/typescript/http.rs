//! Calls of HTTP clients: which library, where its options stand, and whether
//! the code around is shown to run on a server.

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::functions::{Enclosing, is_function};
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::{Path, Root, argument, strip_node, type_names};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::Context;
use crate::source::Span;

/// What a call of an HTTP client is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `axios.create(…)`.
    AxiosCreate,
    /// `axios.get(…)`, `axios(…)`.
    AxiosCall,
    /// The global `fetch(…)`, or undici's.
    Fetch,
    /// undici's `request(…)`.
    UndiciRequest,
    /// node-fetch.
    NodeFetch,
    /// `ofetch(…)`.
    Ofetch,
    /// `ofetch.create(…)`.
    OfetchCreate,
    /// `got(…)`, `got.get(…)`.
    GotCall,
    /// `got.extend(…)`.
    GotExtend,
    /// request and its promised forms: `rp(…)`, `request.get(…)`.
    Request,
    /// `superagent.get(…)`.
    Superagent,
    /// `http.request(…)`, `https.get(…)`.
    NodeHttp,
}

impl Kind {
    /// The library's name in messages.
    pub const fn library(self) -> &'static str {
        match self {
            Self::AxiosCreate | Self::AxiosCall => "axios",
            Self::Fetch => "fetch",
            Self::UndiciRequest => "undici",
            Self::NodeFetch => "node-fetch",
            Self::Ofetch | Self::OfetchCreate => "ofetch",
            Self::GotCall | Self::GotExtend => "got",
            Self::Request => "request",
            Self::Superagent => "superagent",
            Self::NodeHttp => "http",
        }
    }

    /// True for calls that make a client and send nothing.
    pub const fn makes_client(self) -> bool {
        matches!(self, Self::AxiosCreate | Self::GotExtend | Self::OfetchCreate)
    }
}

/// What a call is, and the index of its options.
pub fn kind_of<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> Option<(Kind, usize)> {
    let path = model.callee(call);
    if path.is_global("fetch", &[]) || path.is_global("globalThis", &["fetch"]) {
        return Some((Kind::Fetch, 1));
    }
    let imported = model.imported(&path)?;
    let module = strip_node(imported.module);
    let mut names: Vec<&str> = path.members.clone();
    match imported.name {
        "default" | "*" => {
            if names.first() == Some(&"default") {
                names.remove(0);
            }
        }
        name => names.insert(0, name),
    }
    match (module, names.as_slice()) {
        ("axios", ["create"] | ["axios", "create"]) => Some((Kind::AxiosCreate, 0)),
        ("axios", [] | ["axios"] | ["request"]) => Some((Kind::AxiosCall, object_first(model, call))),
        ("axios", ["axios", method] | [method]) => Some((Kind::AxiosCall, axios_options(method)?)),
        ("node-fetch", []) => Some((Kind::NodeFetch, 1)),
        ("ofetch", ["ofetch" | "$fetch"]) => Some((Kind::Ofetch, 1)),
        ("ofetch", ["ofetch" | "$fetch", "create"]) => Some((Kind::OfetchCreate, 0)),
        ("undici", ["fetch"]) => Some((Kind::Fetch, 1)),
        ("undici", ["request"]) => Some((Kind::UndiciRequest, 1)),
        ("got", ["extend"] | ["got", "extend"]) => Some((Kind::GotExtend, 0)),
        ("got", [] | ["got"]) => Some((Kind::GotCall, object_first(model, call))),
        ("got", ["got", method] | [method]) if is_method(method) => Some((Kind::GotCall, 1)),
        ("request" | "request-promise" | "request-promise-native", []) => {
            Some((Kind::Request, object_first(model, call)))
        }
        ("request" | "request-promise" | "request-promise-native", [method])
            if is_method(method) || *method == "del" =>
        {
            Some((Kind::Request, object_first(model, call)))
        }
        ("superagent", [] | ["superagent"]) => Some((Kind::Superagent, 1)),
        ("superagent", [method]) if is_method(method) || *method == "del" => Some((Kind::Superagent, 1)),
        ("http" | "https", ["request" | "get"]) => Some((Kind::NodeHttp, object_first(model, call))),
        _ => None,
    }
}

fn is_method(name: &str) -> bool {
    matches!(name, "get" | "post" | "put" | "patch" | "delete" | "head" | "options")
}

/// Where a method of axios, or of an instance of it, takes its options.
pub fn axios_options(method: &str) -> Option<usize> {
    match method {
        "get" | "delete" | "head" | "options" => Some(1),
        "post" | "put" | "patch" | "postForm" | "putForm" | "patchForm" => Some(2),
        _ => None,
    }
}

/// `request(options)` or `request(url, options)`: options are a literal, a
/// constant that holds one, or called so.
pub fn object_first<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> usize {
    const NAMES: &[&str] = &["options", "opts", "config", "cfg", "params", "init", "request", "req", "settings"];
    let Some(first) = argument(&call.arguments, 0) else { return 1 };
    let called = || words(model.path_of(first).leaf()).last().is_some_and(|word| NAMES.contains(&word.as_str()));
    let options = matches!(first, Expression::ObjectExpression(_)) || model.object(first).is_some() || called();
    usize::from(!options)
}

/// Pieces of a path that only server code lies under.
const SERVER_PATHS: &[&str] =
    &[".server.", "/server/", "/backend/", "/node/", "/electron-main/", "/pages/api/", "/app/api/", "/lambda/"];

/// Marks of code that a bundler prepares for browsers.
const BUNDLED: &[&str] =
    &["REACT_APP_", "NEXT_PUBLIC_", "VUE_APP_", "EXPO_PUBLIC_", "import.meta.env", "VITE_", "chrome.runtime"];

/// Marks of runtimes that are not Node: their sockets are not ours to tune.
const OTHER_RUNTIMES: &[&str] = &[
    "runtime = 'edge'",
    "runtime = \"edge\"",
    "runtime: 'edge'",
    "runtime: \"edge\"",
    "Deno.serve",
    "Bun.serve",
    "cloudflare:",
    "@cloudflare/workers",
];

/// Pieces of a path that only code of browsers and their workers lies under.
const BROWSER_PATHS: &[&str] = &["/web/src/", "/api/worker/", "/service-worker", "/browser/"];

/// True where the code is shown to run in a browser, a window or another
/// runtime than Node.
pub fn is_elsewhere(model: &Model<'_>, enclosing: &Enclosing) -> bool {
    let has = |marks: &[&'static str]| marks.iter().any(|mark| model.mentions(mark));
    let path = format!("/{}", model.source.path);
    // Queues' workers are called so as well as those of a browser.
    let worker = path.contains(".worker.ts") && !model.facts().imports_of_servers();
    if worker || has(OTHER_RUNTIMES) || BROWSER_PATHS.iter().any(|piece| path.contains(piece)) {
        return true;
    }
    if enclosing.context == Context::Handler {
        return false;
    }
    model.facts().is_browser() || has(BUNDLED)
}

/// True where the file is a tool that somebody or a pipeline starts: it reads
/// its command line, lies in the repository's build folder, or hands nothing
/// out, serves nothing, and runs when it is loaded.
pub fn is_tool(model: &Model<'_>) -> bool {
    *model.once.is_tool.get_or_init(|| starts_by_itself(model))
}

fn starts_by_itself(model: &Model<'_>) -> bool {
    use oxc_ast::ast::Statement;
    const STARTED: &[&str] = &["process.argv", "require.main === module", "require.main == module", "import.meta.main"];
    const SERVES: &[&str] = &["listen(", "Server(", "Worker(", "serve(", "setInterval(", ".on("];
    let has = |marks: &[&str]| marks.iter().any(|mark| model.source.text.contains(mark));
    if model.source.path.starts_with("build/") || has(STARTED) {
        return true;
    }
    let body = &model.program.body;
    let exports = body.iter().any(|statement| {
        matches!(
            statement,
            Statement::ExportNamedDeclaration(_)
                | Statement::ExportDeclaration(_)
                | Statement::ExportDefaultDeclaration(_)
                | Statement::ExportAllDeclaration(_)
                | Statement::TSExportAssignment(_)
        )
    }) || has(&["module.exports", "exports."]);
    let runs = body.iter().any(|statement| match statement {
        Statement::ExpressionStatement(statement) => {
            let inner = match bare(&statement.expression) {
                Expression::AwaitExpression(awaited) => bare(&awaited.argument),
                other => other,
            };
            matches!(inner, Expression::CallExpression(_))
        }
        _ => false,
    });
    runs && !exports && !has(SERVES)
}

/// True for the server that a developer starts, by the file's name.
pub fn serves_developer(model: &Model<'_>) -> bool {
    let stem = model.source.path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
    matches!(stem.to_ascii_lowercase().replace(['-', '_'], "").as_str(), "devserver" | "devproxy")
}

/// True where something in the file shows that it runs on a server.
pub fn is_on_server(model: &Model<'_>, enclosing: &Enclosing) -> bool {
    if enclosing.context == Context::Handler {
        return true;
    }
    let path = format!("/{}", model.source.path);
    if SERVER_PATHS.iter().any(|piece| path.contains(piece)) {
        return true;
    }
    if model.facts().imports_node() || model.facts().imports_of_servers() {
        return true;
    }
    let globals = model.scoping().root_unresolved_references();
    globals.keys().any(|name| matches!(name.as_str(), "process" | "__dirname" | "Buffer"))
}

/// The outermost function around a node, or the node's own statement's file.
pub fn outermost(model: &Model<'_>, node: NodeId) -> Span {
    let outer = model.nodes().ancestor_ids(node).filter(|&id| is_function(model.kind(id))).last();
    outer.map_or_else(|| span(model.program), |id| span(&model.kind(id)))
}

/// True where a call around the node, up to the nearest function's own call,
/// bounds how long it may take: `withTimeout(fetch(…), 5_000)`.
pub fn is_wrapped_in_timeout(model: &Model<'_>, node: NodeId) -> bool {
    const BOUNDING: &[&str] = &["timeout", "deadline", "race", "abortable", "cancellable", "timed"];
    model.nodes().ancestor_ids(node).any(|id| match model.kind(id) {
        AstKind::CallExpression(call) => {
            let path = model.callee(call);
            let mut named = path.members.clone();
            if let Root::Symbol(_, name) | Root::Global(name) = path.root {
                named.push(name);
            }
            // A chain's own links (`fetch().then(…)`) have the call as root.
            named.iter().any(|name| words(name).iter().any(|word| BOUNDING.contains(&word.as_str())))
        }
        _ => false,
    })
}

/// The names of the methods called on a call's result in one chain, and the
/// chain's last node.
pub fn chain<'a>(model: &Model<'a>, node: NodeId) -> (Vec<&'a str>, NodeId) {
    let nodes = model.nodes();
    let (mut names, mut at) = (Vec::new(), node);
    loop {
        let parent = nodes.parent_id(at);
        match nodes.kind(parent) {
            AstKind::StaticMemberExpression(member) if member.object.span() == nodes.kind(at).span() => {
                let outer = nodes.parent_id(parent);
                match nodes.kind(outer) {
                    AstKind::CallExpression(call) if call.callee.span() == member.span => {
                        names.push(member.property.name.as_str());
                        at = outer;
                    }
                    _ => return (names, parent),
                }
            }
            _ => return (names, at),
        }
    }
}

/// True where nobody waits for the call: a statement of its own, or `void`.
pub fn is_unawaited(model: &Model<'_>, node: NodeId) -> bool {
    let (_, end) = chain(model, node);
    let parent = model.nodes().parent_kind(end);
    match parent {
        AstKind::ExpressionStatement(_) => true,
        AstKind::UnaryExpression(unary) => unary.operator == oxc_syntax::operator::UnaryOperator::Void,
        _ => false,
    }
}

/// True where the first argument is, or may be, a `Request` that carries its
/// own signal.
pub fn may_be_request<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    let Some(first) = argument(&call.arguments, 0) else { return true };
    let path: Path<'_, 'a> = model.path_of(first);
    let named = |name: &str| matches!(words(name).last().map(String::as_str), Some("request" | "req" | "info"));
    match (bare(first), path.root) {
        (Expression::NewExpression(_), _) => path_is_new_request(model, first),
        (Expression::Identifier(_), Root::Symbol(symbol, name)) => {
            let types = model.declared_type(symbol).map(type_names).unwrap_or_default();
            types.iter().any(|ty| ty.contains("Request")) || named(name)
        }
        _ => named(path.leaf()) && !path.members.is_empty(),
    }
}

fn path_is_new_request<'a>(model: &Model<'a>, expression: &'a Expression<'a>) -> bool {
    match bare(expression) {
        Expression::NewExpression(new) => model.path_of(&new.callee).leaf() == "Request",
        _ => false,
    }
}
