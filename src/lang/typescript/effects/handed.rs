//! Requests whose method a caller decides: a wrapper of `fetch` hands on the
//! options, or the method, that it is given.

use oxc_ast::ast::{BindingPattern, CallExpression, Expression, ObjectExpression, ObjectPropertyKind};
use oxc_ast::{AstKind, ast::Argument};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::Effects;
use crate::lang::typescript::clients::Kind;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Effect, Known, Value};

/// Keys of options that make a request more than a question.
const BODIES: &[&str] = &["body", "data", "json", "form"];

/// The parameter of `function`, by its index, that decides what the request of
/// a call asks for; `None` where the call is no request, or decides itself.
pub fn deciding_parameter<'a>(
    effects: &Effects<'_, 'a>,
    call: &'a CallExpression<'a>,
    function: NodeId,
) -> Option<usize> {
    let model = effects.model;
    let path = model.callee(call);
    // Most calls are told apart by their names.
    if path.members.len() > 1 && path.leaf() != "request" || call.arguments.is_empty() {
        return None;
    }
    let (client, used) = effects.clients.of_path(&path, AstKind::CallExpression(call).node_id())?;
    let options = match (client.kind, &path.members[used..]) {
        (Kind::Fetch, []) => argument(&call.arguments, 1)?,
        (Kind::Axios, [] | ["request"]) => argument(&call.arguments, 0)?,
        _ => return None,
    };
    decided_by(model, options, function)
}

/// The parameter of `function` that the method in an options object comes
/// from: the object itself, one that is spread into it, or the method alone.
pub fn decided_by<'a>(model: &Model<'a>, options: &'a Expression<'a>, function: NodeId) -> Option<usize> {
    let parameter = |value: &'a Expression<'a>| match bare(value) {
        Expression::Identifier(id) => parameter_of(model, model.symbol_of(id)?, function),
        Expression::LogicalExpression(choice) => match bare(&choice.left) {
            Expression::Identifier(id) => parameter_of(model, model.symbol_of(id)?, function),
            _ => None,
        },
        _ => None,
    };
    let Expression::ObjectExpression(object) = bare(options) else { return parameter(options) };
    if let Some(method) = own(object, "method") {
        return parameter(method);
    }
    // A body of its own makes it a write, whoever hands over what.
    if BODIES.iter().any(|key| own(object, key).is_some()) {
        return None;
    }
    object.properties.iter().find_map(|kind| match kind {
        ObjectPropertyKind::SpreadProperty(spread) => parameter(&spread.argument),
        ObjectPropertyKind::ObjectProperty(_) => None,
    })
}

/// What a call says that the function it calls shall ask for, by the argument
/// that decides: nothing means a question.
pub fn asked<'a>(model: &Model<'a>, given: Option<&'a Expression<'a>>) -> Effect {
    let Some(given) = given else { return Effect::Read };
    if let Some(object) = model.object(given) {
        let spread = object.properties.iter().any(|kind| matches!(kind, ObjectPropertyKind::SpreadProperty(_)));
        return match own(object, "method") {
            Some(method) => of_verb(model, method),
            None if BODIES.iter().any(|key| own(object, key).is_some()) => Effect::Write,
            None if spread => Effect::Unknown,
            None => Effect::Read,
        };
    }
    of_verb(model, given)
}

/// True where an argument of a call says that it writes: a method, a body.
pub fn says_write<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    const VERBS: &[&str] = &["POST", "PUT", "PATCH", "DELETE"];
    call.arguments.iter().filter_map(Argument::as_expression).any(|given| match bare(given) {
        Expression::StringLiteral(text) => VERBS.contains(&text.value.as_str()),
        other => model
            .object(other)
            .is_some_and(|object| own(object, "method").is_some_and(|method| of_verb(model, method) == Effect::Write)),
    })
}

/// True where what a call hands over after the first argument is not written
/// here: it may decide what is asked for.
pub fn hands_over<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    const NAMES: &[&str] = &["init", "options", "opts", "config", "request"];
    call.arguments.iter().skip(1).filter_map(Argument::as_expression).any(|given| match bare(given) {
        Expression::Identifier(id) => model.object(given).is_none() && NAMES.contains(&id.name.as_str()),
        _ => false,
    })
}

fn of_verb<'a>(model: &Model<'a>, method: &'a Expression<'a>) -> Effect {
    match model.value(method) {
        Known::Here(Value::Text(verb), _) => match verb.to_ascii_uppercase().as_str() {
            "GET" | "HEAD" | "OPTIONS" => Effect::Read,
            _ => Effect::Write,
        },
        _ => Effect::Unknown,
    }
}

fn own<'e, 'a>(object: &'e ObjectExpression<'a>, name: &str) -> Option<&'e Expression<'a>> {
    object.properties.iter().find_map(|kind| match kind {
        ObjectPropertyKind::ObjectProperty(property) => {
            (key_name(&property.key).as_deref() == Some(name)).then_some(&property.value)
        }
        ObjectPropertyKind::SpreadProperty(_) => None,
    })
}

/// The parameter of a function, by its index, that a name is or is taken from;
/// one that is given a writing method by default decides nothing.
fn parameter_of(model: &Model<'_>, symbol: SymbolId, function: NodeId) -> Option<usize> {
    let declared = span(&model.scoping().symbol_span(symbol));
    let parameters = model.parameters(function)?;
    let index = parameters.items.iter().position(|given| span(&given.span()).contains(declared))?;
    let parameter = &parameters.items[index];
    let default = match &parameter.pattern {
        BindingPattern::AssignmentPattern(assigned) => Some(&assigned.right),
        _ => parameter.initializer.as_deref(),
    };
    let writes = default.is_some_and(|value| match bare(value) {
        Expression::StringLiteral(verb) => !matches!(verb.value.as_str(), "GET" | "HEAD"),
        _ => false,
    });
    (!writes).then_some(index)
}
