//! Requests that go through the agent which Node gives them: below version 19
//! it closes each connection. Version 2 of the AWS SDK has one of its own that
//! does so on every version.

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, CallExpression, Expression, ObjectPropertyKind};
use oxc_syntax::node::NodeId;

use super::{KEEPS_ALIVE_SINCE, closes, start};
use crate::analyze::Sink;
use crate::analyze::typescript::http::{self, Kind};
use crate::analyze::typescript::options;
use crate::lang::typescript::path::{argument, strip_node};
use crate::lang::typescript::values::{Property, key_name};
use crate::lang::typescript::{Model, span};
use crate::observe::{Confidence, Context, IfNo, Need, Question, Setting, Step};
use crate::source::Span;

/// One request that is not given an agent, as far as is known yet.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The call.
    pub node: NodeId,
    /// The call.
    pub call: &'a CallExpression<'a>,
    /// The library.
    pub kind: Kind,
    /// Where its options stand.
    pub index: usize,
}

/// What the file sets for all requests: `http.globalAgent = …`,
/// `axios.defaults.timeout = …`, `setGlobalDispatcher(…)`.
pub fn settings<'m>(model: &'m Model<'_>) -> &'m [(Setting, Span)] {
    model.once.settings.get_or_init(|| all_settings(model))
}

fn all_settings(model: &Model<'_>) -> Vec<(Setting, Span)> {
    if !["globalAgent", ".defaults.", "setGlobalDispatcher"].iter().any(|mark| model.source.text.contains(mark)) {
        return Vec::new();
    }
    let assigned = model.nodes().iter().filter_map(|node| match node.kind() {
        AstKind::AssignmentExpression(set) => match &set.left {
            AssignmentTarget::StaticMemberExpression(member) => {
                let left = model.text(&**member);
                let agent = left.contains("globalAgent") || left.contains("defaults.http");
                let timeout = left.ends_with("defaults.timeout") && is_library(model, &member.object);
                let setting = if agent { Setting::Agent } else { Setting::AxiosTimeout };
                (agent || timeout).then(|| (setting, span(&**member)))
            }
            _ => None,
        },
        AstKind::CallExpression(call) if model.callee(call).leaf() == "setGlobalDispatcher" => {
            let bounds = !made_without_limits(model, call);
            bounds.then(|| (Setting::Dispatcher, span(call)))
        }
        _ => None,
    });
    assigned.collect()
}

/// True for `setGlobalDispatcher(new Agent({ connections: 8 }))`: options that
/// are all seen, and none of which bounds an answer.
fn made_without_limits<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    let Some(Expression::NewExpression(new)) = argument(&call.arguments, 0) else { return false };
    let Some(Expression::ObjectExpression(options)) = argument(&new.arguments, 0) else { return false };
    let seen = options.properties.iter().all(|kind| match kind {
        ObjectPropertyKind::ObjectProperty(property) => {
            let key = key_name(&property.key);
            key.is_some_and(|key| !matches!(key.as_ref(), "headersTimeout" | "bodyTimeout" | "interceptors"))
        }
        ObjectPropertyKind::SpreadProperty(_) => false,
    });
    seen && matches!(model.path_of(&new.callee).leaf(), "Agent" | "Pool")
}

/// True for `axios.defaults`, and not for the defaults of an instance.
fn is_library<'a>(model: &Model<'a>, defaults: &'a oxc_ast::ast::Expression<'a>) -> bool {
    model.imported(&model.path_of(defaults)).is_some_and(|imported| imported.module == "axios")
}

/// One finding for each library of the file, at its first request.
pub fn report(model: &Model<'_>, sink: &mut Sink<'_>, requests: &[Request<'_>]) {
    let mut told: Vec<&str> = Vec::new();
    for first in requests {
        let library = first.kind.library();
        if told.contains(&library) || !is_plain(model, first) {
            continue;
        }
        told.push(library);
        let alike: Vec<Span> = requests
            .iter()
            .filter(|other| other.kind.library() == library && is_plain(model, other))
            .map(|other| span(other.call))
            .collect();
        let enclosing = model.enclosing(first.node);
        let place = span(first.call);
        let step = Step::at("default-agent", place).with("client", library).with("calls", alike.len());
        let below = Question::NodeBelow { major: KEEPS_ALIVE_SINCE };
        let need = |question, if_unknown| Need { question, span: Some(place), if_unknown, if_no: IfNo::Clear };
        let builder = start(sink, place, &enclosing)
            .variant("default-agent")
            .value("client", library)
            .value("calls", alike.len())
            .value("cold", enclosing.context != Context::Handler)
            .evidence(step)
            .need(need(below, Some(Confidence::Possible)))
            .need(need(Question::NoneSets(Setting::Agent), Some(Confidence::Certain)))
            .need(need(Question::OnServer, Some(Confidence::Possible)));
        // A range of versions is an assumption of its own: outside of handlers
        // only the version that really runs is enough.
        let builder = match enclosing.context {
            Context::Handler => builder,
            _ => builder.assume(Step::new("called-often")),
        };
        sink.push(builder.also_at(&alike));
    }
}

/// A request of a running server for which nothing else opens a connection.
fn is_plain(model: &Model<'_>, request: &Request<'_>) -> bool {
    const AGENTS: &[&str] = &[
        "agent",
        "httpAgent",
        "httpsAgent",
        "dispatcher",
        "adapter",
        "transport",
        "proxy",
        "socketPath",
        "createConnection",
    ];
    let enclosing = model.enclosing(request.node);
    let given = options::options(model, &request.call.arguments, request.index);
    let text = model.text(request.call);
    // A client that is made at the start serves all requests.
    let made = enclosing.context == Context::Startup && request.kind.makes_client();
    (made || matches!(enclosing.context, Context::Handler | Context::Library | Context::Scheduled))
        && !http::is_elsewhere(model, &enclosing)
        && !http::is_tool(model)
        && !http::serves_developer(model)
        && given.lack(AGENTS)
        && !closes(text)
        && !text.contains("CONNECT")
        && !text.contains("localhost")
        && !["globalAgent", "axios.defaults.http", "axios.defaults.adapter"].iter().any(|m| model.mentions(m))
}

/// `new AWS.S3()` of version 2, whose agent keeps nothing alive unless it is
/// told to.
pub fn aws_version_2(model: &Model<'_>, sink: &mut Sink<'_>, node: NodeId) {
    let AstKind::NewExpression(new) = model.kind(node) else { return };
    let Some(imported) = model.imported(&model.path_of(&new.callee)) else { return };
    let module = strip_node(imported.module);
    if module != "aws-sdk" && !module.starts_with("aws-sdk/clients/") {
        return;
    }
    let enclosing = model.enclosing(node);
    let set = ["REUSE_ENABLED", "httpOptions.agent", "AWS.config", "aws.config"].iter().any(|m| model.mentions(m));
    if !matches!(enclosing.context, Context::Handler | Context::Library | Context::Startup)
        || set
        || http::is_elsewhere(model, &enclosing)
        || http::is_tool(model)
        || http::serves_developer(model)
    {
        return;
    }
    let given = options::options(model, &new.arguments, 0);
    let agent = match given.property("httpOptions") {
        Property::Missing => true,
        Property::Found(http) => model.object(http).is_some_and(|http| model.property(http, "agent").is_missing()),
        Property::Unknown => false,
    };
    if !agent {
        return;
    }
    let place = span(new);
    let unknown = Some(Confidence::Possible);
    let builder = start(sink, place, &enclosing)
        .variant("aws-version-2")
        .value("client", "AWS SDK")
        .evidence(Step::at("aws-own-agent", place))
        .assume(Step::new("aws-environment"))
        .need(Need { question: Question::OnServer, span: None, if_unknown: unknown, if_no: IfNo::Clear });
    sink.push(builder);
}
