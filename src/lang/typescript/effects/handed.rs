//! Requests whose method a caller decides: a wrapper of `fetch` hands on the
//! options, or the method, that it is given.

use oxc_ast::ast::{BindingPattern, CallExpression, Expression, ObjectExpression, ObjectPropertyKind};
use oxc_ast::{AstKind, ast::Argument};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::Effects;
use crate::lang::typescript::clients::Kind;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare, names};
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
/// `None` where anything else may have a say.
pub fn decided_by<'a>(model: &Model<'a>, options: &'a Expression<'a>, function: NodeId) -> Option<usize> {
    // `init ?? {}`, `method || 'GET'`: what stands in for it must ask as well.
    let parameter = |value: &'a Expression<'a>, part| match bare(value) {
        Expression::Identifier(id) => parameter_of(model, model.symbol_of(id)?, function, part),
        Expression::LogicalExpression(choice) if by_itself(model, &choice.right) == Effect::Read => {
            match bare(&choice.left) {
                Expression::Identifier(id) => parameter_of(model, model.symbol_of(id)?, function, part),
                _ => None,
            }
        }
        _ => None,
    };
    let Expression::ObjectExpression(object) = bare(options) else { return parameter(options, Part::Rest) };
    if let Some(method) = own(object, "method") {
        return parameter(method, Part::Method);
    }
    // A body of its own makes it a write, whoever hands over what.
    if BODIES.iter().any(|key| own(object, key).is_some()) {
        return None;
    }
    let spread = object.properties.iter().filter_map(|kind| match kind {
        ObjectPropertyKind::SpreadProperty(spread) => Some(&spread.argument),
        ObjectPropertyKind::ObjectProperty(_) => None,
    });
    let mut others = spread.filter(|argument| by_itself(model, argument) != Effect::Read);
    match (others.next(), others.next()) {
        (Some(only), None) => parameter(only, Part::Rest),
        _ => None,
    }
}

/// What a call says that the function it calls shall ask for, by the argument
/// at `index`, which decides: nothing means a question.
pub fn asked<'a>(model: &Model<'a>, call: &'a CallExpression<'a>, index: usize) -> Effect {
    if call.arguments.iter().take(index + 1).any(Argument::is_spread) {
        return Effect::Unknown;
    }
    argument(&call.arguments, index).map_or(Effect::Read, |given| by_itself(model, given))
}

/// What options or a method that are written here ask for.
fn by_itself<'a>(model: &Model<'a>, given: &'a Expression<'a>) -> Effect {
    let Some(object) = model.object(given) else { return of_verb(model, given) };
    let spread = object.properties.iter().any(|kind| matches!(kind, ObjectPropertyKind::SpreadProperty(_)));
    match own(object, "method") {
        Some(method) => of_verb(model, method),
        None if BODIES.iter().any(|key| own(object, key).is_some()) => Effect::Write,
        None if spread => Effect::Unknown,
        None => Effect::Read,
    }
}

/// True where an argument of a call is, or holds, a method that writes.
pub fn says_write<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    const VERBS: &[&str] = &["POST", "PUT", "PATCH", "DELETE"];
    call.arguments.iter().filter_map(Argument::as_expression).any(|given| match bare(given) {
        Expression::StringLiteral(text) => VERBS.contains(&text.value.as_str()),
        other => model
            .object(other)
            .is_some_and(|object| own(object, "method").is_some_and(|method| of_verb(model, method) == Effect::Write)),
    })
}

/// True where what a call hands over may decide what is asked for, by its name
/// or as an object whose method is not written here.
pub fn hands_over<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    const NAMES: &[&str] =
        &["init", "options", "opts", "config", "request", "method", "verb", "body", "payload", "data"];
    // `client.request(what)` asks for whatever stands there.
    let asks = model.callee(call).leaf() == "request";
    call.arguments.iter().any(|given| {
        let Some(given) = given.as_expression() else { return true };
        if asks && model.object(given).is_none() {
            return true;
        }
        let last = names::words(model.path_of(given).leaf()).pop().unwrap_or_default();
        let decides = NAMES.contains(&last.as_str()) || model.object(given).is_some();
        decides && by_itself(model, given) == Effect::Unknown
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

/// What is asked of a parameter that is taken apart: `{ method, ...init }`.
#[derive(Clone, Copy)]
enum Part {
    /// The property of that name.
    Method,
    /// All that is not taken by name.
    Rest,
}

/// The parameter of a function, by its index, that a name is, or is the wanted
/// part of. One that is assigned again, or given a writing method by default,
/// decides nothing.
fn parameter_of(model: &Model<'_>, symbol: SymbolId, function: NodeId, part: Part) -> Option<usize> {
    if model.scoping().symbol_is_mutated(symbol) {
        return None;
    }
    let parameters = model.parameters(function)?;
    let is_it = |pattern: &BindingPattern<'_>| {
        pattern.get_binding_identifier().and_then(|id| id.symbol_id.get()) == Some(symbol)
    };
    let holds = |pattern: &BindingPattern<'_>| match pattern {
        BindingPattern::ObjectPattern(object) => match part {
            Part::Rest => object.rest.as_ref().is_some_and(|rest| is_it(&rest.argument)),
            Part::Method => object.properties.iter().any(|property| {
                // With a default of its own it may be anything.
                let plain = matches!(property.value, BindingPattern::BindingIdentifier(_));
                plain && is_it(&property.value) && key_name(&property.key).as_deref() == Some("method")
            }),
        },
        other => is_it(other),
    };
    let (index, parameter) = parameters.items.iter().enumerate().find(|(_, given)| match &given.pattern {
        BindingPattern::AssignmentPattern(assigned) => holds(&assigned.left),
        other => holds(other),
    })?;
    let default = match &parameter.pattern {
        BindingPattern::AssignmentPattern(assigned) => Some(&assigned.right),
        _ => parameter.initializer.as_deref(),
    };
    let asks = default.is_none_or(|value| match bare(value) {
        Expression::StringLiteral(verb) => matches!(verb.value.as_str(), "GET" | "HEAD"),
        Expression::ObjectExpression(object) => object.properties.is_empty(),
        _ => false,
    });
    asks.then_some(index)
}
