//! Synchronous calls that take long, reachable from a request: while one runs,
//! the process answers nobody.

mod files;
mod patch;

use std::collections::BTreeMap;

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, CallExpression, Expression};
use oxc_syntax::node::NodeId;
use oxc_syntax::operator::AssignmentOperator;

use super::Run;
use super::uncleared_timer::local_function;
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::names::{is_start, words};
use crate::lang::typescript::path::{Binding, Root, argument, strip_node};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Confidence, Context, IfNo, Known, Need, Question, Step, Value};
use crate::source::Span;

/// The analysis with everything it may say.
pub const ANALYSIS: Analysis<Run> = Analysis {
    name: "blocking-in-async",
    vocabulary: Vocabulary {
        values: &["call", "file_work"],
        evidence: &["blocks", "in-handler", "called-from-handler"],
        guards: &["kept", "fixed-path", "small-input", "development-only", "one-at-a-time"],
        assumptions: &["called-per-request-by-name", "much-is-read"],
        labels: &["handler"],
        patches: &["async-variant"],
        variants: &["crypto", "compression", "process", "file"],
        params: &[],
    },
    run,
};

/// What a synchronous function costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Work {
    /// Key derivation, password hashes, key pairs: tens of milliseconds and more.
    Crypto,
    /// (De)compression: grows with its input.
    Compression,
    /// Waits for another program.
    Process,
    /// Waits for the disk; grows with the file.
    File,
}

impl Work {
    const fn name(self) -> &'static str {
        match self {
            Self::Crypto => "crypto",
            Self::Compression => "compression",
            Self::Process => "process",
            Self::File => "file",
        }
    }
}

/// Functions by module. Not in it: hashes, random bytes, `existsSync`,
/// `statSync` and the like, which take microseconds.
const BLOCKING: &[(&str, &[&str], Work)] = &[
    ("crypto", &["pbkdf2Sync", "scryptSync", "generateKeyPairSync", "generatePrimeSync"], Work::Crypto),
    ("bcrypt", &["hashSync", "compareSync"], Work::Crypto),
    ("bcryptjs", &["hashSync", "compareSync"], Work::Crypto),
    ("@node-rs/bcrypt", &["hashSync", "compareSync", "verifySync"], Work::Crypto),
    ("@node-rs/argon2", &["hashSync", "verifySync"], Work::Crypto),
    (
        "zlib",
        &[
            "gzipSync",
            "gunzipSync",
            "deflateSync",
            "inflateSync",
            "deflateRawSync",
            "inflateRawSync",
            "unzipSync",
            "brotliCompressSync",
            "brotliDecompressSync",
            "zstdCompressSync",
            "zstdDecompressSync",
        ],
        Work::Compression,
    ),
    ("child_process", &["execSync", "spawnSync", "execFileSync"], Work::Process),
    ("fs", FILE, Work::File),
    ("fs-extra", FILE, Work::File),
    ("graceful-fs", FILE, Work::File),
];

const FILE: &[&str] = &["readFileSync", "writeFileSync", "appendFileSync", "copyFileSync", "cpSync", "readdirSync"];

/// One blocking call.
struct Blocking<'a> {
    call: &'a CallExpression<'a>,
    module: &'static str,
    function: &'static str,
    work: Work,
}

/// How a request comes to the call.
enum Reach {
    Handler,
    /// From a handler of this file, by the call at the place.
    CalledAt(Span),
    /// Only a name says so.
    Named(String),
    Unknown,
}

fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    let calls = model.index.calls.iter().filter_map(|&node| match model.kind(node) {
        AstKind::CallExpression(call) => blocking(model, call),
        _ => None,
    });
    let found: Vec<Blocking<'_>> = calls.collect();
    if found.is_empty() {
        return;
    }
    let callers = callers(model);
    for one in found {
        judge(model, sink, &callers, &one);
    }
}

fn blocking<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> Option<Blocking<'a>> {
    let path = model.callee(call);
    if !path.leaf().ends_with("Sync") && model.imported(&path).is_none_or(|i| !i.name.ends_with("Sync")) {
        return None;
    }
    BLOCKING.iter().find_map(|&(module, functions, work)| {
        let function = functions.iter().find(|name| model.is_from(&path, &[module], name))?;
        let quick = *function == "generateKeyPairSync" && makes_quick_key(model, call);
        (!quick).then_some(Blocking { call, module, function, work })
    })
}

/// Keys on curves are made in a fraction of a millisecond (measured: 0.04 ms
/// for x25519), those of RSA in a hundred and more.
fn makes_quick_key(model: &Model<'_>, call: &CallExpression<'_>) -> bool {
    const CURVES: &[&str] = &["ec", "ed25519", "ed448", "x25519", "x448"];
    let kind = argument(&call.arguments, 0).map(|first| model.value(first));
    matches!(kind, Some(Known::Here(Value::Text(kind), _)) if CURVES.contains(&kind.as_ref()))
}

/// Where each function of the file is called.
fn callers(model: &Model<'_>) -> BTreeMap<NodeId, Vec<NodeId>> {
    let mut callers: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for &node in &model.index.calls {
        if let AstKind::CallExpression(call) = model.kind(node)
            && let Some(function) = local_function(model, call)
        {
            callers.entry(function).or_default().push(node);
        }
    }
    callers
}

fn judge<'a>(model: &Model<'a>, sink: &mut Sink<'_>, callers: &BTreeMap<NodeId, Vec<NodeId>>, one: &Blocking<'a>) {
    let node = one.call.node_id.get();
    let enclosing = model.enclosing(node);
    // What runs once, or is no product code, is passed over in silence.
    let concerned = matches!(enclosing.context, Context::Handler | Context::Library | Context::Test | Context::Build);
    if enclosing.function.is_none() || !concerned || model.is_in_constructor(node) {
        return;
    }
    let reach = match enclosing.context {
        Context::Handler => Reach::Handler,
        _ => reach(model, callers, node, enclosing.request_path_by_name.as_deref()),
    };
    if is_migration(model, node) {
        return;
    }
    let at = span(one.call);
    let context = if matches!(reach, Reach::CalledAt(_)) { Context::Handler } else { enclosing.context };
    let mut builder = sink
        .candidate(at, enclosing.symbol.clone(), context)
        .variant(one.work.name())
        .value("call", one.function)
        .value("file_work", one.work == Work::File)
        .evidence(Step::at("blocks", span(&one.call.callee)).with("call", one.function));
    builder = match &reach {
        Reach::Handler => builder.evidence(Step::new("in-handler")),
        Reach::CalledAt(place) => builder.label(*place, "handler").evidence(Step::at("called-from-handler", *place)),
        Reach::Named(name) if one.work != Work::File => {
            let builder = builder.request_path_by_name(Some(name.clone())).need(Need {
                question: Question::NotInCommandLineProgram,
                span: None,
                if_unknown: Some(Confidence::Certain),
                if_no: IfNo::Clear,
            });
            let step = Step::new("called-per-request-by-name").with("name", name.clone());
            // Keys are made once and kept.
            if one.function.starts_with("generate") { builder.doubt(step) } else { builder.assume(step) }
        }
        // Services read files as often at the start as for requests: for those
        // a name is too little.
        Reach::Unknown | Reach::Named(_) => {
            let Some(function) = model.named_function(node) else { return };
            let named = matches!(reach, Reach::Named(_));
            let heavy = named || one.work != Work::File && enclosing.is_async;
            let name = model.name_span(function);
            builder.need(Need {
                question: match one.work {
                    Work::File => Question::CalledFromHandler(name),
                    _ => Question::CalledPerRequest(name),
                },
                span: None,
                if_unknown: heavy.then_some(Confidence::Possible),
                if_no: IfNo::Clear,
            })
        }
    };
    if one.work == Work::File && (files::is_small(model, one) || !files::is_large(model, one)) {
        builder = builder.doubt(Step::at("much-is-read", at));
    }
    if let Some((guard, place)) = guard(model, one) {
        builder = builder.clear(Step::at(guard, place));
    } else if let Some(draft) = patch::draft(model, one) {
        builder = builder.patch(draft);
    }
    sink.push(builder);
}

/// How a request comes to a call in library code: one hop within the file.
fn reach(model: &Model<'_>, callers: &BTreeMap<NodeId, Vec<NodeId>>, node: NodeId, named: Option<&str>) -> Reach {
    let nodes = model.nodes();
    let around = nodes.ancestor_ids(node).filter(|&id| is_function(nodes.kind(id)));
    for function in around {
        // What sets a program up runs once, whoever starts it.
        if model.name_of(function).is_some_and(|name| is_start(&name)) {
            return Reach::Unknown;
        }
        for &call in callers.get(&function).into_iter().flatten() {
            if model.context_of(call) == Context::Handler
                && let AstKind::CallExpression(call) = model.kind(call)
            {
                return Reach::CalledAt(span(&call.callee));
            }
        }
    }
    match named {
        // A class named so in a window is another kind of service.
        Some(name) if !model.facts().is_browser() && !model.facts().imports("vscode") && names_role(name) => {
            Reach::Named(name.to_owned())
        }
        _ => Reach::Unknown,
    }
}

/// True where the name ends in the role (`UserServiceImpl`, `user.service.ts`):
/// a `ServiceHost` or `ServiceConfiguration` only has to do with one.
fn names_role(name: &str) -> bool {
    const ROLES: &[&str] = &["service", "controller", "resolver", "gateway", "repository", "middleware"];
    const AFTER: &[&str] = &["impl", "base", "ts", "tsx", "js", "mts", "mjs", "cjs", "server", "default"];
    let words = words(name);
    let last = words.iter().rev().find(|word| !AFTER.contains(&word.as_str()));
    last.is_some_and(|word| ROLES.contains(&word.as_str()))
}

/// Migrations take a request's type for its database and run once.
fn is_migration(model: &Model<'_>, node: NodeId) -> bool {
    let migrates = |name: &str| words(name).iter().any(|word| word.starts_with("migrat"));
    let file = model.source.path.rsplit('/').next().unwrap_or("");
    migrates(file) || migrates(&model.symbol_at(node))
}

/// Why a reachable call is no bottleneck, with the place that shows it.
fn guard<'a>(model: &Model<'a>, one: &Blocking<'a>) -> Option<(&'static str, Span)> {
    let node = one.call.node_id.get();
    if let Some(place) = kept_at(model, node) {
        return Some(("kept", place));
    }
    if let Some(place) = development_only(model, node) {
        return Some(("development-only", place));
    }
    if let Some(place) = one_at_a_time(model, node) {
        return Some(("one-at-a-time", place));
    }
    let first = argument(&one.call.arguments, 0);
    let constant = first.is_some_and(|first| is_fixed(model, first, 0));
    match one.work {
        Work::File if one.function != "writeFileSync" && constant => Some(("fixed-path", span(one.call))),
        Work::Compression if constant => Some(("small-input", span(one.call))),
        _ => None,
    }
}

/// The function of a cloud that the file hands out: each of its instances
/// serves one event at a time, and nobody else waits for it.
fn one_at_a_time(model: &Model<'_>, node: NodeId) -> Option<Span> {
    let of_lambda = |module: &str| module == "aws-lambda" || module.starts_with("@middy/");
    let folder = |part: &str| matches!(part, "lambda" | "lambdas");
    if !model.facts().imports_any(of_lambda) && !model.source.path.split('/').any(folder) {
        return None;
    }
    let around = model.nodes().ancestor_ids(node).filter(|&id| is_function(model.kind(id)));
    let handler = around.last().filter(|&id| model.name_of(id).as_deref() == Some("handler"))?;
    Some(model.name_span(handler))
}

/// True for literals, constants of the module, and paths put together of
/// these: the same file every time.
fn is_fixed<'a>(model: &Model<'a>, expression: &Expression<'a>, depth: u32) -> bool {
    /// Constants of constants further than this are not followed.
    const DEPTH: u32 = 6;
    if depth > DEPTH {
        return false;
    }
    let fixed = |inner: &Expression<'a>| is_fixed(model, inner, depth + 1);
    match bare(expression) {
        Expression::StringLiteral(_) | Expression::NumericLiteral(_) => true,
        Expression::TemplateLiteral(template) => template.expressions.iter().all(fixed),
        Expression::BinaryExpression(binary) => fixed(&binary.left) && fixed(&binary.right),
        Expression::LogicalExpression(either) => fixed(&either.left) && fixed(&either.right),
        Expression::Identifier(id) => match model.symbol_of(id) {
            None => matches!(id.name.as_str(), "__dirname" | "__filename"),
            Some(symbol) => match model.binding(symbol) {
                Binding::Constant(init) => fixed(init),
                // A constant of another file, by the custom of its name.
                Binding::Import(imported) => {
                    imported.name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
                }
                _ => false,
            },
        },
        Expression::StaticMemberExpression(member) => {
            let path = model.path_of(expression);
            matches!(path.root, Root::Global("process")) && path.members.first() == Some(&"env")
                || model.text(member.as_ref()).starts_with("import.meta.")
        }
        Expression::CallExpression(call) => {
            let path = model.callee(call);
            let from_path =
                || model.imported(&path).is_some_and(|i| matches!(strip_node(i.module), "path" | "path/posix"));
            let builds = match path.leaf() {
                // Not the `join` of an array.
                "join" | "resolve" | "dirname" | "normalize" => from_path(),
                "fileURLToPath" | "homedir" | "tmpdir" => true,
                "cwd" => path.is_global("process", &["cwd"]),
                _ => false,
            };
            builds && call.arguments.iter().all(|a| a.as_expression().is_some_and(fixed))
        }
        Expression::NewExpression(new) => {
            model.path_of(&new.callee).is_global("URL", &[])
                && new.arguments.iter().all(|a| a.as_expression().is_some_and(fixed))
        }
        _ => false,
    }
}

/// The place that keeps the call's result for the next time: `x ??= f()`,
/// `if (!cached) cached = f()`, or a set on a cache after a look into it.
fn kept_at(model: &Model<'_>, node: NodeId) -> Option<Span> {
    let nodes = model.nodes();
    for id in nodes.ancestor_ids(node) {
        match nodes.kind(id) {
            AstKind::AssignmentExpression(assignment) => {
                let lazily =
                    matches!(assignment.operator, AssignmentOperator::LogicalNullish | AssignmentOperator::LogicalOr);
                let outer = match &assignment.left {
                    AssignmentTarget::AssignmentTargetIdentifier(id) => model.symbol_of(id).is_some_and(|symbol| {
                        let declared = model.scoping().symbol_declaration(symbol);
                        model.function_of(declared) != model.function_of(node)
                    }),
                    _ => true,
                };
                if outer && (lazily || tested_before(model, node, model.text(&assignment.left))) {
                    return Some(span(assignment));
                }
            }
            // What a test asks is not what is kept then.
            AstKind::IfStatement(test) if span(&test.test).contains(span(&nodes.kind(node))) => return None,
            kind if is_function(kind) => return caches_result(model, id).or_else(|| fills_variable(model, id, node)),
            _ => {}
        }
    }
    None
}

/// True where `target` is tested in the function before `node`.
fn tested_before(model: &Model<'_>, node: NodeId, target: &str) -> bool {
    let Some(function) = model.function_of(node) else { return false };
    let (inside, before) = (span(&model.kind(function)), span(&model.kind(node)).start);
    model.nodes().iter().any(|other| match other.kind() {
        AstKind::IfStatement(test) => {
            let at = span(test);
            inside.contains(at) && at.start < before && model.text(&test.test).contains(target)
        }
        _ => false,
    })
}

/// `if (pair) return pair; … made = f(); … pair = { made };` of a variable that
/// outlives the function.
fn fills_variable(model: &Model<'_>, function: NodeId, node: NodeId) -> Option<Span> {
    let after = span(&model.kind(node)).end;
    model.own_code(function).into_iter().find_map(|id| match model.kind(id) {
        AstKind::AssignmentExpression(set) if span(set).start > after => {
            let AssignmentTarget::AssignmentTargetIdentifier(kept) = &set.left else { return None };
            let declared = model.scoping().symbol_declaration(model.symbol_of(kept)?);
            let returns = || returned_before(model, function, node, kept.name.as_str());
            (!model.is_within(declared, function) && returns()).then(|| span(set))
        }
        _ => None,
    })
}

/// `if (kept) return kept;` of a function, before `node`.
fn returned_before(model: &Model<'_>, function: NodeId, node: NodeId, kept: &str) -> bool {
    let before = span(&model.kind(node)).start;
    model.own_code(function).into_iter().any(|id| match model.kind(id) {
        AstKind::ReturnStatement(given) if span(given).start < before => {
            given.argument.as_ref().is_some_and(|value| model.text(value) == kept)
        }
        _ => false,
    })
}

/// `if (cache.has(key)) return …; … cache.set(key, …)`.
fn caches_result(model: &Model<'_>, function: NodeId) -> Option<Span> {
    let inside = span(&model.kind(function));
    let mut looked = Vec::new();
    for &node in &model.index.calls {
        let AstKind::CallExpression(call) = model.kind(node) else { continue };
        if !inside.contains(span(call)) {
            continue;
        }
        let path = model.callee(call);
        let receiver = match bare(&call.callee) {
            Expression::StaticMemberExpression(member) => model.text(&member.object),
            _ => continue,
        };
        match path.leaf() {
            "get" | "has" => looked.push(receiver),
            "set" if looked.contains(&receiver) => return Some(span(call)),
            _ => {}
        }
    }
    None
}

/// The test that keeps the call to development.
fn development_only(model: &Model<'_>, node: NodeId) -> Option<Span> {
    // Only development servers are made with a bundler.
    if model.facts().imports_any(|module| matches!(module, "vite" | "webpack-dev-middleware" | "webpack-dev-server")) {
        return Some(span(&model.kind(node)));
    }
    let nodes = model.nodes();
    nodes.ancestor_ids(node).find_map(|id| match nodes.kind(id) {
        AstKind::IfStatement(test) => {
            let text = model.text(&test.test);
            let within = span(&test.consequent).contains(span(&nodes.kind(node)));
            let develops = text.contains("NODE_ENV") && (text.contains("!==") || text.contains("development"))
                || text.to_ascii_lowercase().contains("isdev")
                || text.contains("__DEV__");
            (within && develops).then(|| span(&test.test))
        }
        _ => None,
    })
}
