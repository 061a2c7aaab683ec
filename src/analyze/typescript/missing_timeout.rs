//! HTTP calls that wait for an answer without a bound of their own.

mod circumstance;
mod injected;
mod raw;
mod wrapper;

use std::borrow::Cow;

use oxc_ast::AstKind;
use oxc_ast::ast::CallExpression;
use oxc_syntax::node::NodeId;

use super::http::{self, Kind};
use super::instance::{self, Instance};
use super::missing_keep_alive::settings;
use super::options::{self, Options};
use crate::analyze::sink::Builder;
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::functions::Enclosing;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::{Model, span};
use crate::observe::{Confidence, Context, Draft, IfNo, Need, Question, Setting, Step};
use crate::source::Span;
use circumstance::{content_guard, is_local_target, is_never_aborted, is_raced};
use wrapper::Wrapper;

/// See the module.
pub const ANALYSIS: Analysis<super::Run> = Analysis {
    name: "missing-timeout",
    vocabulary: Vocabulary {
        values: &["client", "one_call"],
        evidence: &[
            "client",
            "no-timeout",
            "timeout-ignored",
            "kept",
            "server",
            "handler-missing",
            "handed-on",
            "called-without",
            "also-here",
        ],
        guards: &[
            "bounded",
            "opaque-options",
            "browser",
            "command-line",
            "test-tool",
            "default-timeout",
            "interceptor",
            "per-call",
            "streaming",
            "upload",
            "raced",
            "nobody-waits",
            "cached",
            "local",
            "request-object",
            "custom-dispatcher",
            "explicit",
        ],
        assumptions: &["no-global-default", "no-caller-timeout", "module-silent", "agent-silent"],
        labels: &[],
        patches: &["axios-timeout", "fetch-signal", "got-timeout"],
        variants: &["instance", "fetch", "raw-request", "unhandled-timeout"],
        params: &["timeout_ms"],
    },
    run,
};

fn run<'m, 'a, 's>(model: &'m Model<'a>, sink: &mut Sink<'s>) {
    sink.observations().sets.extend(injected::settings(model));
    injected::report(model, sink);
    for &node in &model.index.calls {
        let AstKind::CallExpression(call) = model.kind(node) else { continue };
        let Some((kind, index)) = http::kind_of(model, call) else { continue };
        let enclosing = model.enclosing(node);
        if matches!(enclosing.context, Context::Test | Context::Build) {
            continue;
        }
        let site = Site { node, call, kind, index, enclosing: &enclosing, handed: false };
        // Where nobody calls it in this file, other files may.
        let called = |wrapper: &Wrapper<'_>| !wrapper.unbounded.is_empty() || wrapper.escapes && !wrapper.mixed;
        let wrapper = wrapper::of(model, site).filter(called);
        match wrapper {
            Some(wrapper) if wrapper.mixed => calls_of(model, sink, site, &wrapper),
            wrapper => {
                if let Some(builder) = candidate(model, sink, site, wrapper.as_ref()) {
                    sink.push(builder);
                }
            }
        }
    }
}

/// Only some calls of a wrapper bring a bound: each of the others is told.
fn calls_of<'a>(model: &Model<'a>, sink: &mut Sink<'_>, site: Site<'_, 'a>, wrapper: &Wrapper<'a>) {
    let bounded = wrapper_guard(model, site);
    for call in &wrapper.unbounded {
        let node = call.node_id.get();
        let enclosing = model.enclosing(node);
        let at = Site { node, call, index: wrapper.index, enclosing: &enclosing, handed: true, ..site };
        let Some(builder) = candidate(model, sink, at, None) else { continue };
        let handed = Step::at("handed-on", span(site.call)).with("client", site.kind.library());
        let builder = builder.evidence(handed);
        sink.push(match &bounded {
            Some(guard) => builder.clear(guard.clone()),
            None => builder,
        });
    }
}

/// How many calls of a wrapper are named as evidence.
const NAMED: usize = 4;

/// What the wrapper itself does to bound the request, or to need none.
fn wrapper_guard<'a>(model: &Model<'a>, site: Site<'_, 'a>) -> Option<Step> {
    if http::is_wrapped_in_timeout(model, site.node) || is_raced(model, site.node) {
        return Some(Step::at("raced", http::outermost(model, site.node)));
    }
    content_guard(model, site, &Options::Absent)
}

#[derive(Clone, Copy)]
struct Site<'s, 'a> {
    node: NodeId,
    call: &'a CallExpression<'a>,
    kind: Kind,
    index: usize,
    enclosing: &'s Enclosing,
    /// The call of a wrapper, whose parameter may be of any type.
    handed: bool,
}

/// Options that bound the wait, by library.
const fn bounding(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::AxiosCreate | Kind::AxiosCall => &["timeout", "signal", "cancelToken", "adapter", "transport"],
        Kind::Fetch => &["signal", "dispatcher"],
        Kind::UndiciRequest => &["signal", "dispatcher", "headersTimeout", "bodyTimeout"],
        Kind::NodeFetch => &["signal", "timeout"],
        Kind::Ofetch | Kind::OfetchCreate => &["signal", "timeout", "dispatcher", "onRequest"],
        Kind::GotCall | Kind::GotExtend => &["timeout", "signal", "request", "hooks", "handlers"],
        Kind::Request => &["timeout"],
        Kind::Superagent => &[],
        Kind::NodeHttp => &["signal", "createConnection"],
    }
}

fn candidate<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    site: Site<'_, 'a>,
    wrapper: Option<&Wrapper<'a>>,
) -> Option<Builder> {
    let Site { node, call, kind, index, enclosing, .. } = site;
    let place = span(call);
    let builder = sink
        .candidate(place, enclosing.symbol.clone(), enclosing.context)
        .request_path_by_name(enclosing.request_path_by_name.clone())
        .value("client", kind.library())
        .value("one_call", !kind.makes_client());
    let builder = match kind {
        Kind::AxiosCreate | Kind::GotExtend | Kind::OfetchCreate => builder.variant("instance"),
        Kind::Fetch | Kind::UndiciRequest => builder.variant("fetch"),
        Kind::NodeHttp => builder.variant("raw-request"),
        _ => builder,
    };
    let given = options::options(model, &call.arguments, index);
    // What a caller hands over is read where it is called.
    let given = if wrapper.is_some() { Options::Absent } else { given };
    if let Some(guard) = guard(model, site, &given) {
        return Some(builder.clear(guard));
    }
    match kind {
        Kind::NodeHttp => return raw::request(model, site, &given, builder),
        Kind::Superagent => return superagent(model, site, builder),
        _ => {}
    }
    let instance = kind.makes_client().then(|| instance::follow(model, node));
    if let Some(guard) = instance.as_ref().and_then(|instance| instance_guard(model, kind, instance)) {
        return Some(builder.clear(guard));
    }
    let mut builder = builder.evidence(Step::at("client", span(&call.callee)).with("client", kind.library())).evidence(
        match given.property("timeout").found().filter(|_| kind == Kind::Fetch) {
            Some(ignored) => Step::at("timeout-ignored", span(ignored)),
            None => Step::at("no-timeout", argument(&call.arguments, index).map_or(place, span)),
        },
    );
    if let Some(instance) = &instance {
        if !instance.calls.is_empty() {
            builder = builder.evidence(Step::new("kept").with("calls", instance.calls.len()));
        }
        if instance.escapes {
            builder = builder.assume(Step::new("no-caller-timeout"));
        }
    } else if kind == Kind::AxiosCall {
        builder = builder.assume(Step::new("no-global-default")).need(none_sets(Setting::AxiosTimeout));
    } else if matches!(kind, Kind::Fetch | Kind::UndiciRequest) {
        builder = builder.need(none_sets(Setting::Dispatcher));
    }
    builder = runtime(model, kind, enclosing, builder);
    if let Some(wrapper) = wrapper {
        for call in wrapper.unbounded.iter().take(NAMED) {
            builder = builder.evidence(Step::at("called-without", span(*call)));
        }
        // The calls may not be alike; the number is for each to choose.
        return Some(match (wrapper.escapes, wrapper.unbounded.is_empty()) {
            (true, true) => builder.need(Need {
                question: Question::CallersLeaveUnbounded {
                    name: wrapper.function.0.clone(),
                    function: wrapper.function.1,
                    index: wrapper.index,
                },
                span: None,
                if_unknown: None,
                if_no: IfNo::Clear,
            }),
            (true, false) => builder.assume(Step::new("no-caller-timeout")),
            (false, _) => builder,
        });
    }
    Some(with_patch(model, sink, site, &given, builder))
}

const fn none_sets(setting: Setting) -> Need {
    Need {
        question: Question::NoneSets(setting),
        span: None,
        if_unknown: Some(Confidence::Certain),
        if_no: IfNo::Clear,
    }
}

/// Where the code runs: shown, assumed, or too little known to speak up.
fn runtime(model: &Model<'_>, kind: Kind, enclosing: &Enclosing, builder: Builder) -> Builder {
    let question = Question::NotInTool(kind.library());
    let not_in_tool = Need { question, span: None, if_unknown: Some(Confidence::Certain), if_no: IfNo::Clear };
    let builder = builder.need(not_in_tool);
    if http::is_on_server(model, enclosing) {
        return builder.evidence(Step::new("server"));
    }
    let if_unknown = match kind {
        Kind::AxiosCreate | Kind::AxiosCall => Confidence::Likely,
        _ => Confidence::Possible,
    };
    builder.need(Need { question: Question::OnServer, span: None, if_unknown: Some(if_unknown), if_no: IfNo::Clear })
}

fn guard<'a>(model: &Model<'a>, site: Site<'_, 'a>, given: &Options<'a, 'a>) -> Option<Step> {
    let Site { node, call, kind, enclosing, .. } = site;
    if http::is_elsewhere(model, enclosing) {
        return Some(Step::new("browser"));
    }
    if http::serves_developer(model)
        || enclosing.context == Context::Cli
        || enclosing.context != Context::Handler && http::is_tool(model)
    {
        return Some(Step::new("command-line"));
    }
    if model.facts().imports_any(|module| module.contains("testcontainers"))
        || model.source.path.contains("testcontainers")
    {
        return Some(Step::new("test-tool"));
    }
    if let Some(bound) = given.first(bounding(kind)).filter(|bound| !is_never_aborted(model, bound)) {
        let zero = model.number(bound).here().is_some_and(|&ms| ms == 0.0);
        return Some(Step::at(if zero { "explicit" } else { "bounded" }, span(bound)));
    }
    if let Options::Opaque(at) = given {
        return Some(Step::at("opaque-options", *at));
    }
    if !given.lack(bounding(kind)) && given.first(bounding(kind)).is_none() {
        return Some(Step::at("opaque-options", span(call)));
    }
    if matches!(kind, Kind::Fetch | Kind::NodeFetch) && http::may_be_request(model, call) {
        return Some(Step::at("request-object", span(call)));
    }
    if !kind.makes_client() && (http::is_wrapped_in_timeout(model, node) || is_raced(model, node)) {
        return Some(Step::at("raced", http::outermost(model, node)));
    }
    let dispatcher = || settings(model).iter().any(|(setting, _)| *setting == Setting::Dispatcher);
    if kind == Kind::Fetch && model.mentions("setGlobalDispatcher") && dispatcher() {
        return Some(Step::new("custom-dispatcher"));
    }
    if matches!(kind, Kind::AxiosCall | Kind::AxiosCreate)
        && (model.mentions("axios.defaults.timeout") || model.mentions("axios.interceptors.request"))
    {
        return Some(Step::new("default-timeout"));
    }
    if is_local_target(model, call, given) {
        return Some(Step::new("local"));
    }
    content_guard(model, site, given)
}

/// What the rest of the file does with a new client.
fn instance_guard(model: &Model<'_>, kind: Kind, instance: &Instance) -> Option<Step> {
    let set_together = model.mentions("Object.assign(") && model.mentions("timeout");
    if instance.defaults_changed && (set_together || model.mentions("defaults.timeout")) {
        return Some(Step::new("default-timeout"));
    }
    if instance.intercepted && (model.mentions("timeout") || model.mentions("signal")) {
        return Some(Step::new("interceptor"));
    }
    let bounded = |&call: &NodeId| {
        let AstKind::CallExpression(call) = model.kind(call) else { return false };
        let index = match model.callee(call).leaf() {
            method if kind == Kind::AxiosCreate => {
                http::axios_options(method).unwrap_or_else(|| http::object_first(model, call))
            }
            _ => http::object_first(model, call),
        };
        let given = options::options(model, &call.arguments, index);
        !matches!(given, Options::Absent) && !given.lack(bounding(Kind::AxiosCall))
    };
    let all = !instance.calls.is_empty() && instance.calls.iter().all(bounded);
    all.then(|| Step::new("per-call"))
}

/// superagent sets its bounds by a link of the chain.
fn superagent(model: &Model<'_>, site: Site<'_, '_>, builder: Builder) -> Option<Builder> {
    let (links, end) = http::chain(model, site.node);
    if let Some(bound) = links.iter().find(|link| matches!(**link, "timeout" | "use" | "pipe" | "attach")) {
        let key = if *bound == "timeout" { "bounded" } else { "opaque-options" };
        return Some(builder.clear(Step::at(key, span(&model.kind(end)))));
    }
    // A request kept in a variable may get its timeout later.
    if !matches!(model.nodes().parent_kind(end), AstKind::AwaitExpression(_) | AstKind::ReturnStatement(_))
        && !links.contains(&"then")
    {
        return None;
    }
    let builder = builder
        .evidence(Step::at("client", span(&site.call.callee)).with("client", "superagent"))
        .evidence(Step::at("no-timeout", span(&model.kind(end))));
    Some(runtime(model, Kind::Superagent, site.enclosing, builder))
}

fn with_patch<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    site: Site<'_, 'a>,
    given: &Options<'a, 'a>,
    builder: Builder,
) -> Builder {
    if site.handed || builder.confidence() != Confidence::Certain {
        return builder;
    }
    let ms = grouped(sink.number("timeout_ms", 10_000.0) as u64);
    let (key, line) = match site.kind {
        Kind::AxiosCreate | Kind::AxiosCall => ("axios-timeout", format!("timeout: {ms}")),
        Kind::Fetch => ("fetch-signal", format!("signal: AbortSignal.timeout({ms})")),
        Kind::GotCall | Kind::GotExtend => ("got-timeout", format!("timeout: {{ request: {ms} }}")),
        _ => return builder,
    };
    let edits = match given {
        Options::Object(object) => options::add_properties(model, object, &[&line]),
        Options::Absent => {
            let count = site.call.arguments.len();
            match (site.call.arguments.last(), count == site.index) {
                (None, true) => {
                    let end = span(site.call).end.saturating_sub(1);
                    Some(vec![(Span::at(end), format!("{{ {line} }}"))])
                }
                (Some(last), true) => Some(vec![(Span::at(span(last).end), format!(", {{ {line} }}"))]),
                _ => None,
            }
        }
        Options::Merged(..) | Options::Opaque(_) => None,
    };
    match edits {
        Some(edits) => builder.patch(Draft { key: Cow::Borrowed(key), edits, imports: Vec::new() }),
        None => builder,
    }
}

/// `10000` as `10_000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}
