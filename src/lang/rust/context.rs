//! Where a piece of code runs: handler, scheduled, startup, cli, test, build.

mod clock;
mod file;

use std::collections::BTreeSet;

pub use file::{FileFacts, handed_to_router};

use super::Model;
use super::node::{Function, Kind, NodeId, Receiver, Ty};
use crate::observe::Context;
use crate::source::PathClass;

/// Attributes by which frameworks mark what they call per request.
const ROUTE_ATTRS: &[&str] =
    &["get", "post", "put", "delete", "patch", "head", "options", "connect", "trace", "route", "handler"];
/// Types that only a request can fill; `Path` and `Form` need their crate.
const EXTRACTORS: &[&str] = &[
    "State",
    "Json",
    "Path",
    "Query",
    "Form",
    "Extension",
    "Data",
    "HttpRequest",
    "ServiceRequest",
    "Multipart",
    "TypedHeader",
    "ConnectInfo",
    "WebSocketUpgrade",
    "ReqData",
    "Payload",
    "RawQuery",
    "OriginalUri",
    "Parts",
    "HttpMessage",
    "LambdaEvent",
    "ValidatedJson",
    "ValidatedQuery",
];
const WEB_CRATES: &[&str] = &[
    "axum",
    "axum_extra",
    "actix_web",
    "actix_multipart",
    "rocket",
    "warp",
    "poem",
    "poem_openapi",
    "salvo",
    "tonic",
    "http",
    "hyper",
    "aide",
    "lambda_runtime",
    "lambda_http",
    "utoipa_axum",
    "actix_http",
    "ntex",
];

/// True for a type that a framework turns into a response.
fn answers(ty: &super::node::Ty) -> bool {
    ["HttpResponse", "Responder", "IntoResponse", "Response", "Json", "StatusCode", "NamedFile"]
        .iter()
        .any(|name| ty.mentions(name))
}

/// True where a function's value, or that of its `Result`, is data.
fn gives_data(function: &Function) -> bool {
    let nothing = |ty: &Ty| ty.leaf() == "(tuple)" && ty.args.is_empty() || ty.leaf() == "!" || ty.leaf() == "ExitCode";
    match &function.output {
        None => false,
        Some(output) if output.leaf() == "Result" => output.args.first().is_some_and(|given| !nothing(given)),
        Some(output) => !nothing(output) && !output.dynamic,
    }
}

/// True where it is handed what a request brings: an id, a form, a command.
fn asked_for(function: &Function) -> bool {
    const IDS: &[&str] = &["Uuid", "i64", "u64", "i32", "u32"];
    const ENDS: &[&str] =
        &["Request", "Command", "Input", "Payload", "Form", "Dto", "Id", "Job", "Task", "Message", "Event", "Delivery"];
    function.params.iter().any(|given| {
        let of = given.ty.leaf();
        let named = given.pattern.name().is_some_and(|name| name == "id" || name.ends_with("_id"));
        named || IDS.contains(&of) || ENDS.iter().any(|end| of.ends_with(end))
    })
}

/// Names of functions that run once, while a process starts or stops.
fn is_startup_name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "new",
        "try_new",
        "default",
        "main",
        "create",
        "connect",
        "open",
        "run",
        "serve",
        "start",
        "bootstrap",
        "init",
        "setup",
        "shutdown",
        "stop",
        "load_config",
        "check_singleton",
        "probe",
        "install",
        "launch",
        "startup",
        "migrate",
        "health",
    ];
    const PREFIXES: &[&str] = &[
        "new_",
        "from_",
        "build_",
        "init_",
        "setup_",
        "start_",
        "run_",
        "serve_",
        "register_",
        "wait_",
        "health",
        "with_",
        "create_client",
        "make_client",
        "build",
        "initialize",
        "bootstrap_",
        "on_startup",
        "launch_",
        "check_update",
        "migrate_",
        "spawn_",
    ];
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.starts_with("is_") && name.ends_with("_running")
}

impl Model<'_> {
    /// Where a node runs.
    pub fn context(&self, node: NodeId) -> Context {
        if self.is_test(node) {
            return Context::Test;
        }
        match self.facts.class {
            PathClass::Build => return Context::Build,
            PathClass::Script => return Context::Cli,
            _ => {}
        }
        let Some(function) = self.function_of(node) else { return Context::Startup };
        if self.is_handler(function) {
            return Context::Handler;
        }
        if self.in_timer_loop(node) || self.is_on_a_clock(function) {
            return Context::Scheduled;
        }
        if !self.is_startup(function) || self.is_called_by_handler(function) {
            return Context::Library;
        }
        if self.is_called_on_a_clock(function) { Context::Scheduled } else { Context::Startup }
    }

    /// True where a handler of this file calls a free function, whatever its
    /// name says.
    fn is_called_by_handler(&self, function: &Function) -> bool {
        let by_handler = |id| self.function_of(id).is_some_and(|caller| self.is_handler(caller));
        let called = self.called_by_handlers.get_or_init(|| self.called_from(by_handler));
        function.owner.is_none() && called.contains(&function.name)
    }

    /// The free functions that are called at places for which `holds`.
    fn called_from(&self, holds: impl Fn(NodeId) -> bool) -> BTreeSet<String> {
        let calls = self.tree.all().filter_map(|id| match self.tree.kind(id) {
            Kind::Call { callee, .. } => match self.tree.kind(*callee) {
                Kind::Path(path) if path.len() == 1 => Some((id, &path[0])),
                _ => None,
            },
            _ => None,
        });
        calls.filter(|(id, _)| holds(*id)).map(|(_, name)| name.clone()).collect()
    }

    /// True in tests, benches, examples and what only they use.
    pub fn is_test(&self, node: NodeId) -> bool {
        if self.facts.class == PathClass::Test {
            return true;
        }
        let in_attrs = self.attributes_around(node).any(|attr| {
            let leaf = attr.leaf();
            let by_name = leaf.ends_with("test") || matches!(leaf, "rstest" | "bench" | "test_case" | "quickcheck");
            let by_cfg = leaf == "cfg"
                && (attr.text.contains("test") && !attr.text.contains("not(test")
                    || attr.text.contains("\"bench")
                    || attr.text.contains("mock"));
            by_name || by_cfg
        });
        let named = self.tree.ancestors(node).chain([node]).any(|id| match self.tree.kind(id) {
            Kind::Module(name) => matches!(name.as_str(), "test" | "tests" | "testing" | "test_utils" | "bench"),
            Kind::Function(index) => {
                let name = &self.tree.functions[*index].name;
                name.starts_with("test_") || name.starts_with("__test") || name.ends_with("_test")
            }
            _ => false,
        });
        in_attrs || named
    }

    /// True for a function that a framework calls once per request.
    pub fn is_handler(&self, function: &Function) -> bool {
        let attrs = self.tree.attrs.get(&function.node);
        let by_attr = attrs
            .into_iter()
            .flatten()
            .any(|attr| ROUTE_ATTRS.contains(&attr.leaf()) && (attr.text.contains('"') || attr.leaf() == "handler"));
        if by_attr || function.owner.is_none() && self.facts.routed.contains(&function.name) {
            return true;
        }
        if function.params.iter().any(|param| self.is_extractor(function, param)) {
            // `web::Data` and `State` are handed on to helpers, and to tasks
            // that no request starts; only an answer makes them a handler.
            let shared_only = function
                .params
                .iter()
                .all(|param| !self.is_extractor(function, param) || matches!(param.ty.leaf(), "Data" | "Extension"));
            return !shared_only || function.output.as_ref().is_some_and(answers);
        }
        let owner = function.owner.and_then(|index| self.tree.impls.get(index));
        let trait_name = owner.and_then(|o| o.trait_path.as_ref()).and_then(|path| path.last());
        let from_request = trait_name.is_some_and(|name| {
            matches!(name.as_str(), "FromRequest" | "FromRequestParts" | "EventHandler" | "Handler" | "Endpoint")
        });
        let node = function.node;
        let parent = self.tree.node(node).parent;
        let graphql = self.tree.attrs.get(&parent).into_iter().flatten().any(|attr| {
            matches!(attr.leaf(), "Object" | "ComplexObject" | "Subscription" | "OpenApi") && attr.path.len() == 1
        });
        function.is_async && (from_request || graphql && function.receiver.is_some())
    }

    fn is_extractor(&self, function: &Function, param: &super::node::Param) -> bool {
        let leaf = param.ty.leaf();
        let is_request = leaf == "Request" && self.is_from_web(function.node, &param.ty.path);
        if !EXTRACTORS.contains(&leaf) && !is_request {
            return false;
        }
        if leaf == "Path" && param.ty.args.is_empty() {
            return false;
        }
        self.is_from_web(function.node, &param.ty.path)
    }

    /// True where a type comes from a web framework, or through a glob or
    /// macro in a file that names one.
    fn is_from_web(&self, at: NodeId, path: &[String]) -> bool {
        match self.resolve(at, path) {
            Some(full) => {
                let root = full.first().map_or("", String::as_str);
                WEB_CRATES.contains(&root)
                    || super::path::is_own(root)
                        && full.len() > 1
                        && path.last().is_some_and(|l| l != "Request" && l != "Data" && l != "State")
            }
            None => path.len() == 1 && WEB_CRATES.iter().any(|name| self.names_crate(name)),
        }
    }

    /// True for `main` and functions named like ones that run once.
    pub fn is_startup(&self, function: &Function) -> bool {
        let attrs = self.tree.attrs.get(&function.node);
        let entry = attrs.into_iter().flatten().any(|attr| matches!(attr.leaf(), "main" | "launch" | "ctor"));
        // What runs a program gives nothing back but how it went.
        let runs = function.name == "run" || function.name.starts_with("run_");
        // `with_prices(&self, rows)` adds to what it is asked for.
        let adds = function.name.starts_with("with_") && function.is_async && function.receiver.is_some();
        entry
            || !adds
                && is_startup_name(&function.name)
                // `run(ctx, job)` is called once for each job.
                && !(runs && (asked_for(function) || self.is_one_job(function)))
                && !((runs || self.makes_row(function)) && gives_data(function))
    }

    /// `run(ctx)` of a file among jobs, which goes through its work once, and is
    /// called again for the next time.
    fn is_one_job(&self, function: &Function) -> bool {
        const JOBS: &[&str] = &["jobs", "tasks", "cron"];
        let mut folders = self.source.path.rsplit('/').skip(1);
        let goes_on = |id| matches!(self.tree.kind(id), Kind::Loop | Kind::While { .. });
        folders.next().is_some_and(|folder| JOBS.contains(&folder))
            && !function.params.is_empty()
            && function.body.is_some_and(|body| !self.tree.below(body).any(goes_on))
    }

    /// `create(ctx, account)` among handlers, `self.create(order)`: what is made
    /// is what a request asks for, and no part of the program.
    fn makes_row(&self, function: &Function) -> bool {
        const SERVING: &[&str] =
            &["handlers", "handler", "routes", "api", "controllers", "resolvers", "workers", "consumers", "services"];
        let constructs = matches!(function.name.as_str(), "create" | "open" | "build" | "start" | "stop" | "launch")
            || function.name.starts_with("build_")
            // `start_page(&self, user)`, `register_user(&self, form)`.
            || ["start_", "register_"].iter().any(|prefix| function.name.starts_with(prefix)) && asked_for(function);
        let lent = matches!(function.receiver, Some(Receiver::Shared | Receiver::Exclusive));
        let serves = || self.source.path.split('/').any(|folder| SERVING.contains(&folder));
        constructs && !function.params.is_empty() && (lent || function.owner.is_none() && serves())
    }

    /// Not in a loop, nor in a closure or task that a function only sets up.
    pub fn runs_once(&self, node: NodeId) -> bool {
        let mut around = self.tree.ancestors(node).take_while(|&id| !matches!(self.tree.kind(id), Kind::Function(_)));
        !around.any(|id| {
            matches!(
                self.tree.kind(id),
                Kind::Loop | Kind::While { .. } | Kind::For { .. } | Kind::Closure { .. } | Kind::Async
            )
        })
    }

    /// The type or file name that suggests a request path, where only the name
    /// says so.
    pub fn request_path_name(&self, node: NodeId) -> Option<String> {
        const WORDS: &[&str] = &["service", "controller", "resolver", "gateway", "repository", "middleware"];
        let like = |name: &str| WORDS.iter().any(|word| name.to_ascii_lowercase().ends_with(word));
        if let Some(owner) = self.function_of(node).and_then(|f| self.owner_name(f)).filter(|name| like(name)) {
            return Some(owner.to_owned());
        }
        let file = self.source.path.rsplit('/').next()?;
        let stem = file.strip_suffix(".rs")?;
        like(stem.trim_end_matches('s')).then(|| file.to_owned())
    }
}
