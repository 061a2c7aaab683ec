//! `new http.Agent(…)` that keeps no connection open.

use std::borrow::Cow;

use oxc_ast::AstKind;
use oxc_ast::ast::{Expression, NewExpression, ObjectPropertyKind};
use oxc_syntax::node::NodeId;

use super::{is_built_per_call, is_reported, often, start};
use crate::analyze::Sink;
use crate::analyze::sink::Builder;
use crate::analyze::typescript::http;
use crate::analyze::typescript::instance::{self, Kept};
use crate::analyze::typescript::options::{self, Options};
use crate::analyze::typescript::uncleared_timer::local_function;
use crate::lang::typescript::path::{Root, argument};
use crate::lang::typescript::values::{Property, key_name};
use crate::lang::typescript::{Model, bare, names, span};
use crate::observe::{Context, Draft, Known, Step, Value};
use crate::source::Span;

/// Option names by which clients take an agent.
const AGENT_OPTIONS: &[&str] = &["agent", "httpAgent", "httpsAgent", "http", "https"];

/// `new http.Agent(…)`, which keeps nothing alive unless it is told to.
pub fn kept_closed<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    node: NodeId,
    new: &'a NewExpression<'a>,
) -> Option<Builder> {
    let path = model.path_of(&new.callee);
    if !model.is_from(&path, &["http", "https"], "Agent") {
        return None;
    }
    let enclosing = model.enclosing(node);
    if !is_reported(enclosing.context) {
        return None;
    }
    let place = span(new);
    let builder = start(sink, place, &enclosing).value("client", "http");
    let found = taker(model, node);
    let elsewhere = found.is_none();
    let taker = match found {
        Some(taker) => taker,
        None if is_exported(model, node) => Taker { place },
        None => return Some(builder.clear(Step::at("unused-agent", place))),
    };
    let given = options::options(model, &new.arguments, 0);
    // A literal that several agents are given stays what it is.
    let given = match (given, argument(&new.arguments, 0)) {
        (Options::Opaque(_), Some(argument @ Expression::Identifier(_))) => {
            model.object(argument).map_or(given, Options::Object)
        }
        _ => given,
    };
    let mut assumed = None;
    let kept = match given.property("keepAlive") {
        Property::Found(value) => match model.value(value) {
            Known::Here(Value::Flag(true), _) => true,
            _ => return Some(builder.clear(Step::at("explicit", span(value)))),
        },
        Property::Missing => false,
        Property::Unknown => match certificates(model, &given) {
            Some(name) => {
                assumed = Some(Step::at("certificates-by-name", place).with("name", name));
                false
            }
            None => return Some(builder.clear(Step::at("opaque-options", place))),
        },
    };
    let builder = match assumed {
        Some(step) => builder.assume(step),
        None => builder,
    };
    let handed = match is_built_per_call(model, node, &enclosing) {
        true => Some(taker.place),
        false => options_for_requests(model, node),
    };
    if let Some(at) = handed {
        let builder = builder.variant("agent-per-call").evidence(Step::at("built-here", place));
        return Some(often(&enclosing, builder.evidence(Step::at("handed-to", at)).label(at, "handed-to")));
    }
    if kept {
        return Some(builder.clear(Step::at("kept-alive", place)));
    }
    if enclosing.context == Context::Startup && enclosing.function.is_some() {
        return Some(builder.clear(Step::new("one-shot")));
    }
    let builder = builder.variant("bare-agent").evidence(Step::at("agent", place));
    let builder = match elsewhere {
        true => builder.assume(Step::at("handed-elsewhere", place)),
        false => builder.evidence(Step::at("handed-to", taker.place)).label(taker.place, "handed-to"),
    };
    let edits = match given {
        Options::Object(object) => options::add_properties(model, object, &["keepAlive: true"]),
        _ => new.arguments.is_empty().then(|| {
            let text = model.text(new);
            let inside = if text.ends_with(')') { Span::at(place.end - 1) } else { Span::at(place.end) };
            let object = if text.ends_with(')') { "{ keepAlive: true }" } else { "({ keepAlive: true })" };
            vec![(inside, object.to_owned())]
        }),
    };
    let Some(edits) = edits else { return Some(builder) };
    Some(builder.patch(Draft { key: Cow::Borrowed("keep-alive"), edits, imports: Vec::new() }))
}

/// `options() { return { httpsAgent: new https.Agent(…) }; }` beside
/// `axios.get(url, this.options())`: the function makes an agent for each
/// request of the file that takes its options. The first of these, where all
/// calls of the function are such.
fn options_for_requests(model: &Model<'_>, node: NodeId) -> Option<Span> {
    let maker = model.function_of(node)?;
    let options = bare(model.only_returned(maker)?);
    let gives = matches!(options, Expression::ObjectExpression(_)) && span(options).contains(span(&model.kind(node)));
    // Other files may call a function; a method is this class's matter.
    let others = model.symbol_of_function(maker).is_some() && model.is_exported(maker);
    if !gives || others {
        return None;
    }
    let mut first = None;
    for &id in &model.index.calls {
        let AstKind::CallExpression(call) = model.kind(id) else { continue };
        if local_function(model, call) != Some(maker) {
            continue;
        }
        let AstKind::CallExpression(request) = model.nodes().parent_kind(id) else { return None };
        http::kind_of(model, request).filter(|(kind, _)| !kind.makes_client())?;
        first.get_or_insert_with(|| span(call));
    }
    first
}

/// The name of what is spread into options that write no `keepAlive`, where it
/// says that it holds certificates: `{ ...carrierTls, rejectUnauthorized: true }`.
fn certificates<'a>(model: &Model<'a>, given: &Options<'a, 'a>) -> Option<String> {
    const WORDS: &[&str] = &["tls", "mtls", "ssl", "cert", "certs", "certificate", "certificates", "ca"];
    let Options::Object(object) = given else { return None };
    let mut name = None;
    for kind in &object.properties {
        match kind {
            ObjectPropertyKind::SpreadProperty(spread) => {
                let path = model.path_of(&spread.argument);
                let leaf = match path.root {
                    Root::Symbol(_, root) if path.members.is_empty() => root,
                    _ => path.leaf(),
                };
                if !names::words(leaf).last().is_some_and(|word| WORDS.contains(&word.as_str())) {
                    return None;
                }
                name = Some(leaf.to_owned());
            }
            ObjectPropertyKind::ObjectProperty(own) if key_name(&own.key).as_deref() == Some("keepAlive") => {
                return None;
            }
            ObjectPropertyKind::ObjectProperty(_) => {}
        }
    }
    name
}

/// True for a constant or a property that other files import.
fn is_exported(model: &Model<'_>, node: NodeId) -> bool {
    match instance::kept(model, node) {
        Kept::Variable(symbol) => {
            let declared = model.scoping().symbol_declaration(symbol);
            model.function_of(declared).is_none() && model.is_exported(declared)
        }
        Kept::Elsewhere => {
            let parent = model.nodes().parent_kind(node);
            matches!(parent, AstKind::AssignmentExpression(set) if model.text(&set.left).starts_with("exports.")
                || model.text(&set.left).starts_with("module.exports."))
        }
        _ => false,
    }
}

/// Where an agent is handed to a client.
struct Taker {
    place: Span,
}

/// The agent is the value of an agent option or handed to a request's `agent`,
/// itself or through its variable.
fn taker(model: &Model<'_>, node: NodeId) -> Option<Taker> {
    let of_property = |id: NodeId| {
        let key = options::property_of(model, id)?;
        AGENT_OPTIONS.contains(&key.as_str()).then(|| Taker { place: span(&model.nodes().parent_kind(id)) })
    };
    // `superagent.get(url).agent(agent)`.
    let of_link = |id: NodeId| match model.nodes().parent_kind(id) {
        AstKind::CallExpression(call) if model.callee(call).leaf() == "agent" && !call.arguments.is_empty() => {
            Some(Taker { place: span(&model.kind(id)) })
        }
        _ => None,
    };
    let taken = |id: NodeId| of_property(id).or_else(|| of_link(id));
    if let Some(taker) = taken(node) {
        return Some(taker);
    }
    match instance::kept(model, node) {
        Kept::Variable(symbol) => {
            model.scoping().get_resolved_references(symbol).find_map(|reference| taken(reference.node_id()))
        }
        Kept::Field(name) => {
            let name = name.trim_start_matches('#');
            model.nodes().iter_enumerated().find_map(|(id, node)| match node.kind() {
                AstKind::StaticMemberExpression(m)
                    if m.property.name == name && matches!(bare(&m.object), Expression::ThisExpression(_)) =>
                {
                    taken(id)
                }
                _ => None,
            })
        }
        _ => None,
    }
}
