//! Requests of Node's own `http` and `https` behind a promise: the request, the
//! events that its answer comes by, and what settles the promise.

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use crate::lang::typescript::path::{Root, argument, strip_node};
use crate::lang::typescript::values::{Property, property};
use crate::lang::typescript::{Model, bare};
use crate::observe::{Effect, Known, Value};

/// What `https.get(…)` and `http.request({ method })` ask for.
pub fn request<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> Option<Effect> {
    let path = model.callee(call);
    let imported = model.imported(&path)?;
    if !matches!(strip_node(imported.module), "http" | "https") {
        return None;
    }
    let name = if path.members.is_empty() { imported.name } else { path.leaf() };
    match name {
        "get" => Some(Effect::Read),
        "request" => {
            let mut options = call.arguments.iter().filter_map(|a| model.object(a.as_expression()?));
            Some(match options.next().map(|options| property(options, "method")) {
                Some(Property::Missing) => Effect::Read,
                Some(Property::Found(method)) => match model.value(method) {
                    Known::Here(Value::Text(verb), _) if matches!(verb.as_str(), "GET" | "HEAD") => Effect::Read,
                    _ => Effect::Write,
                },
                _ => Effect::Unknown,
            })
        }
        _ => None,
    }
}

/// True for what belongs to such a request and does nothing more: listening
/// for an event, ending it, and settling the promise around.
pub fn is_event<'a>(model: &Model<'a>, call: &'a CallExpression<'a>, function: NodeId) -> bool {
    let raw = || model.facts().imports_any(|module| matches!(module, "http" | "https"));
    let path = model.callee(call);
    let Root::Symbol(symbol, _) = path.root else { return false };
    if !model.is_within(model.scoping().symbol_declaration(symbol), function) {
        return false;
    }
    match path.members.as_slice() {
        [] => settles(model, symbol),
        ["on" | "once"] => {
            matches!(argument(&call.arguments, 0).map(bare), Some(Expression::StringLiteral(_))) && raw()
        }
        ["end" | "resume" | "destroy" | "setEncoding" | "setTimeout"] => call.arguments.len() <= 2 && raw(),
        _ => false,
    }
}

/// True for a parameter of the function that `new Promise(…)` is given.
fn settles(model: &Model<'_>, symbol: SymbolId) -> bool {
    model.function_of_parameter(symbol).is_some_and(|function| match model.nodes().parent_kind(function) {
        AstKind::NewExpression(new) => model.path_of(&new.callee).is_global("Promise", &[]),
        _ => false,
    })
}
