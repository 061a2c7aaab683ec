//! HTTP clients whose connections are closed after each request.

mod agent;
mod default_agent;
mod per_call;

use std::borrow::Cow;

use oxc_ast::AstKind;
use oxc_ast::ast::CallExpression;
use oxc_syntax::node::NodeId;

pub(super) use self::default_agent::settings;
use super::http::{self, Kind};
use super::instance::{self, Kept};
use super::options::{self, Options};
use crate::analyze::sink::Builder;
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::functions::Enclosing;
use crate::lang::typescript::path::{argument, strip_node};
use crate::lang::typescript::values::Property;
use crate::lang::typescript::{Model, names, span};
use crate::observe::{Confidence, Context, Draft, IfNo, Import, Known, Need, Question, Setting, Step, Value};
use crate::source::Span;

/// Node 19 made keep-alive the default of its global agents (a measurement
/// with 16, 18, 20 and 22 agrees: 100, 100, 1 and 1 connections for 100
/// requests).
const KEEPS_ALIVE_SINCE: u32 = 19;

/// See the module.
pub const ANALYSIS: Analysis<super::Run> = Analysis {
    name: "missing-keep-alive",
    vocabulary: Vocabulary {
        values: &["client", "scheme", "calls", "cold"],
        evidence: &[
            "no-agent",
            "agent",
            "handed-to",
            "agent-false",
            "built-here",
            "agentless",
            "base-url",
            "default-agent",
            "aws-own-agent",
            "pool-built-here",
            "taken-here",
        ],
        guards: &[
            "agent-given",
            "opaque-options",
            "browser",
            "adapter",
            "close-by-design",
            "one-shot",
            "kept-alive",
            "explicit",
            "global-agent",
            "unused-agent",
            "factory",
            "proxy",
            "local-socket",
            "own-settings",
        ],
        assumptions: &["called-often", "aws-environment", "handed-elsewhere", "certificates-by-name"],
        labels: &["handed-to"],
        patches: &["agents", "keep-alive"],
        variants: &[
            "bare-agent",
            "agent-false",
            "agent-per-call",
            "pool-per-call",
            "wrong-scheme",
            "superagent",
            "default-agent",
            "aws-version-2",
        ],
        params: &[],
    },
    run,
};

fn run<'m, 'a, 's>(model: &'m Model<'a>, sink: &mut Sink<'s>) {
    sink.observations().sets.extend(default_agent::settings(model).iter().cloned());
    let mut superagents: Vec<(NodeId, Enclosing)> = Vec::new();
    let mut plain: Vec<default_agent::Request<'a>> = Vec::new();
    for &node in &model.index.calls {
        let AstKind::CallExpression(call) = model.kind(node) else { continue };
        let Some((kind, index)) = http::kind_of(model, call) else { continue };
        if matches!(kind, Kind::Fetch | Kind::Ofetch | Kind::OfetchCreate | Kind::UndiciRequest) {
            continue;
        }
        let enclosing = model.enclosing(node);
        if !is_reported(enclosing.context) {
            continue;
        }
        let builder = match kind {
            Kind::AxiosCreate => axios_create(model, sink, call, index, &enclosing),
            Kind::Superagent => {
                superagents.push((node, enclosing));
                None
            }
            _ => {
                let closed = agent_false(model, sink, call, index, &enclosing);
                if closed.is_none() {
                    plain.push(default_agent::Request { node, call, kind, index });
                }
                closed
            }
        };
        if let Some(builder) = builder {
            sink.push(builder);
        }
    }
    for &node in &model.index.news {
        let AstKind::NewExpression(new) = model.kind(node) else { continue };
        if let Some(builder) =
            agent::kept_closed(model, sink, node, new).or_else(|| per_call::client(model, sink, node, new))
        {
            sink.push(builder);
        }
    }
    superagent(model, sink, &superagents);
    default_agent::report(model, sink, &plain);
    for &node in &model.index.news {
        default_agent::aws_version_2(model, sink, node);
    }
}

/// What runs once or a few times has no connection worth keeping.
const fn is_reported(context: Context) -> bool {
    !matches!(context, Context::Test | Context::Build | Context::Cli)
}

pub(super) fn start(sink: &Sink<'_>, place: Span, enclosing: &Enclosing) -> Builder {
    sink.candidate(place, enclosing.symbol.clone(), enclosing.context)
        .request_path_by_name(enclosing.request_path_by_name.clone())
}

fn axios_create<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    call: &'a CallExpression<'a>,
    index: usize,
    enclosing: &Enclosing,
) -> Option<Builder> {
    let place = span(call);
    let below = Need {
        question: Question::NodeBelow { major: KEEPS_ALIVE_SINCE },
        span: Some(place),
        if_unknown: Some(Confidence::Possible),
        if_no: IfNo::Clear,
    };
    let need = |question| Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::Clear };
    let builder = start(sink, place, enclosing)
        .value("client", "axios")
        .need(below)
        .need(need(Question::NoneSets(Setting::Agent)))
        .need(need(Question::NotCommandLine));
    let given = options::options(model, &call.arguments, index);
    if let Some(guard) = create_guard(model, call, &given, enclosing) {
        return Some(builder.clear(guard));
    }
    let (http_agent, https_agent) = (given.property("httpAgent"), given.property("httpsAgent"));
    let (present, missing) = match (http_agent, https_agent) {
        (Property::Missing, Property::Missing) => (None, "both"),
        (Property::Found(agent), Property::Missing) => (Some(agent), "https"),
        (Property::Missing, Property::Found(agent)) => (Some(agent), "http"),
        (Property::Found(agent), _) | (_, Property::Found(agent)) => {
            return Some(builder.clear(Step::at("agent-given", span(agent))));
        }
        _ => return Some(builder.clear(Step::at("opaque-options", place))),
    };
    let Some(agent) = present else {
        let shown = argument(&call.arguments, index).map_or(place, span);
        let builder = builder.evidence(Step::at("no-agent", shown));
        return Some(with_agents(model, &given, call, builder));
    };
    // One scheme has an agent: wrong only where the other is the one in use.
    let base = given.first(&["baseURL"]);
    match base.and_then(|base| instance::scheme(model, base)) {
        Some(scheme) if scheme == missing => {
            let base = base.map_or(place, span);
            let builder = builder.variant("wrong-scheme").value("scheme", scheme);
            let builder = builder.evidence(Step::at("agent", span(agent)));
            Some(builder.evidence(Step::at("base-url", base).with("scheme", scheme)))
        }
        _ => Some(builder.clear(Step::at("agent-given", span(agent)))),
    }
}

fn create_guard<'a>(
    model: &Model<'a>,
    call: &'a CallExpression<'a>,
    given: &Options<'a, 'a>,
    enclosing: &Enclosing,
) -> Option<Step> {
    if http::is_elsewhere(model, enclosing) || given.first(&["withCredentials", "xsrfCookieName"]).is_some() {
        return Some(Step::new("browser"));
    }
    if let Options::Opaque(at) = given {
        return Some(Step::at("opaque-options", *at));
    }
    if let Some(adapter) = given.first(&["adapter", "transport"]) {
        return Some(Step::at("adapter", span(adapter)));
    }
    if let Some(socket) = given.first(&["socketPath"]) {
        return Some(Step::at("local-socket", span(socket)));
    }
    if let Some(proxy) = given.first(&["proxy"])
        && model.value(proxy) != Known::Here(Value::Flag(false), span(proxy))
    {
        return Some(Step::at("proxy", span(proxy)));
    }
    if !given.lack(&["adapter", "transport", "socketPath", "proxy"]) {
        return Some(Step::at("opaque-options", span(call)));
    }
    if let Some(headers) = given.first(&["headers"])
        && closes(model.text(headers))
    {
        return Some(Step::at("close-by-design", span(headers)));
    }
    let global = ["globalAgent", "axios.defaults.httpAgent", "axios.defaults.httpsAgent", "axios.defaults.adapter"];
    if global.iter().any(|mark| model.mentions(mark)) {
        return Some(Step::new("global-agent"));
    }
    // An agent that is set on the instance later, or in an interceptor.
    if ["defaults.httpAgent", "defaults.httpsAgent", ".httpAgent =", ".httpsAgent ="].iter().any(|m| model.mentions(m))
    {
        return Some(Step::new("agent-given"));
    }
    None
}

/// `Connection: close`, however it is quoted.
fn closes(headers: &str) -> bool {
    let lower: String =
        headers.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '"')).collect::<String>().to_lowercase();
    lower.contains("connection:close")
}

/// Agents for both schemes at module level, handed to the client.
fn with_agents<'a>(
    model: &Model<'a>,
    given: &Options<'a, 'a>,
    call: &'a CallExpression<'a>,
    builder: Builder,
) -> Builder {
    if builder.confidence() != Confidence::Certain || options::is_taken(model, "httpAgent") {
        return builder;
    }
    if options::is_taken(model, "httpsAgent") {
        return builder;
    }
    let Some(at) = options::after_imports(model) else { return builder };
    let own = match given {
        Options::Object(object) => options::add_properties(model, object, &["httpAgent", "httpsAgent"]),
        Options::Absent => {
            let end = span(call).end.saturating_sub(1);
            Some(vec![(Span::at(end), "{ httpAgent, httpsAgent }".to_owned())])
        }
        Options::Merged(..) | Options::Opaque(_) => None,
    };
    let Some(mut edits) = own.filter(|edits| edits.iter().all(|(place, _)| place.start > at)) else { return builder };
    let (Some(http), Some(https)) = (agent_name(model, "http"), agent_name(model, "https")) else { return builder };
    let end = if options::writes_semicolons(model) { ";" } else { "" };
    let newline = if model.mentions("\r\n") { "\r\n" } else { "\n" };
    let line = |name: &str, class: &str| format!("const {name} = new {class}({{ keepAlive: true }}){end}{newline}");
    let text = format!("{}{}{newline}", line("httpAgent", &http), line("httpsAgent", &https));
    edits.insert(0, (Span::at(at), text));
    let import = |module: &str, alias: &str| Import {
        module: format!("node:{module}"),
        name: "Agent".to_owned(),
        alias: Some(alias.to_owned()),
    };
    let imports = [("http", http), ("https", https)].iter().map(|(module, name)| import(module, name)).collect();
    builder.patch(Draft { key: Cow::Borrowed("agents"), edits, imports })
}

/// The local name for a module's `Agent`: the one it has, or a free one.
fn agent_name(model: &Model<'_>, module: &str) -> Option<String> {
    let existing = model.imports.iter().filter(|(_, i)| strip_node(i.module) == module && i.name == "Agent");
    if let Some(name) = existing.map(|(&symbol, _)| model.scoping().symbol_name(symbol).to_owned()).min() {
        return Some(name);
    }
    let fresh = if module == "http" { "HttpAgent" } else { "HttpsAgent" };
    (!options::is_taken(model, fresh)).then(|| fresh.to_owned())
}

/// `agent: false` gives every request an agent of its own.
fn agent_false<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    call: &'a CallExpression<'a>,
    index: usize,
    enclosing: &Enclosing,
) -> Option<Builder> {
    let given = options::options(model, &call.arguments, index);
    let agent = given.first(&["agent"])?;
    if !matches!(model.value(agent), Known::Here(Value::Flag(false), _)) {
        return None;
    }
    let builder = start(sink, span(call), enclosing).variant("agent-false").value("client", "http");
    let text = model.text(call);
    if text.contains("CONNECT") || closes(text) || text.to_ascii_lowercase().contains("upgrade") {
        return Some(builder.clear(Step::at("close-by-design", span(agent))));
    }
    if given.first(&["createConnection", "socketPath"]).is_some() {
        return Some(builder.clear(Step::at("local-socket", span(agent))));
    }
    Some(often(enclosing, builder.evidence(Step::at("agent-false", span(agent)))))
}

/// Handlers run once per request; other code may.
fn often(enclosing: &Enclosing, builder: Builder) -> Builder {
    let step = Step::new("called-often");
    match enclosing.context {
        Context::Handler => builder,
        Context::Library | Context::Scheduled if is_seldom(&enclosing.symbol) => builder.doubt(step),
        Context::Library | Context::Scheduled => builder.assume(step),
        _ => builder.clear(Step::new("one-shot")),
    }
}

/// What is asked once an hour, or once in a life: tokens that are kept, what a
/// service offers, the first contact.
fn is_seldom(symbol: &str) -> bool {
    const SELDOM: &[&str] =
        &["refresh", "discover", "discovery", "bootstrap", "handshake", "register", "unregister", "install", "schema"];
    names::words(symbol).iter().any(|word| SELDOM.contains(&word.as_str()))
}

/// Built inside a function that runs more than once, for a request of that
/// function: not in a constructor, not kept outside, not a client's factory.
fn is_built_per_call(model: &Model<'_>, node: NodeId, enclosing: &Enclosing) -> bool {
    let Some(function) = enclosing.function else { return false };
    if model.is_in_constructor(node) || enclosing.context == Context::Startup {
        return false;
    }
    let local = match instance::kept(model, node) {
        Kept::Variable(symbol) => {
            let declared = model.scoping().symbol_declaration(symbol);
            model.is_within(declared, function) && !model.scoping().symbol_is_mutated(symbol)
        }
        Kept::Elsewhere => options::property_of(model, node).is_some(),
        _ => false,
    };
    local && sends_here(model, function)
}

/// The function itself sends a request and waits for it, rather than making a
/// client for others.
fn sends_here(model: &Model<'_>, function: NodeId) -> bool {
    let within =
        |&&call: &&NodeId| model.is_within(call, function) && !per_call::serves_requests(model, call, function);
    model.index.calls.iter().filter(within).any(|&id| match model.kind(id) {
        AstKind::CallExpression(call) => {
            let Some((kind, _)) = http::kind_of(model, call).filter(|(kind, _)| !kind.makes_client()) else {
                return false;
            };
            // Node's own requests tell by events that they are answered.
            if kind == Kind::NodeHttp {
                return true;
            }
            let (_, end) = http::chain(model, id);
            let parent = model.nodes().parent_kind(end);
            matches!(parent, AstKind::AwaitExpression(_) | AstKind::ReturnStatement(_))
        }
        _ => false,
    })
}

/// superagent's Node client sets `agent: false` unless it is given one: one
/// connection for each request, whatever the version of Node.
fn superagent(model: &Model<'_>, sink: &mut Sink<'_>, calls: &[(NodeId, Enclosing)]) {
    // Calls on `superagent.agent()` are none of these.
    let agentless: Vec<&(NodeId, Enclosing)> =
        calls.iter().filter(|(node, _)| !http::chain(model, *node).0.contains(&"agent")).collect();
    let Some((first, enclosing)) = agentless.first().copied().or(calls.first()) else { return };
    let place = span(&model.kind(*first));
    let builder = start(sink, place, enclosing).variant("superagent").value("client", "superagent");
    let builder = builder.value("calls", agentless.len());
    let builder = if http::is_elsewhere(model, enclosing) {
        builder.clear(Step::new("browser"))
    } else if agentless.is_empty() {
        builder.clear(Step::at("agent-given", place))
    } else {
        let places: Vec<Span> = agentless.iter().map(|(node, _)| span(&model.kind(*node))).collect();
        let builder = builder.evidence(Step::at("agentless", place).with("calls", agentless.len()));
        often(enclosing, builder.also_at(&places))
    };
    sink.push(builder);
}
