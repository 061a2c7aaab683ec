//! Functions that give nothing but their input in base64 or hexadecimal digits.

use oxc_ast::AstKind;
use oxc_ast::ast::Expression;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::path::argument;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Gift, Known, Value};
use crate::source::Span;

/// The encoding that a function returns, its only statement:
/// `Buffer.from(JSON.stringify(value)).toString('base64')`, `btoa(text)`.
pub fn only_encodes(model: &Model<'_>, function: NodeId) -> Option<(Gift, Span)> {
    let value = model.only_returned(function)?;
    let Expression::CallExpression(call) = bare(value) else { return None };
    let path = model.callee(call);
    let gift = if path.is_global("btoa", &[]) {
        Gift::Base64
    } else {
        let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return None };
        let Expression::CallExpression(from) = bare(&member.object) else { return None };
        if member.property.name != "toString" || !model.callee(from).is_global("Buffer", &["from"]) {
            return None;
        }
        match model.value(argument(&call.arguments, 0)?) {
            Known::Here(Value::Text(name), _) if name.starts_with("base64") => Gift::Base64,
            Known::Here(Value::Text(name), _) if name == "hex" => Gift::Hex,
            _ => return None,
        }
    };
    // What is handed in and changed on the way may be smaller, or secret.
    let plain = model.subtree(model.node(value)).all(|id| match model.kind(id) {
        AstKind::CallExpression(inner) => {
            matches!(model.callee(inner).leaf(), "btoa" | "toString" | "from" | "stringify" | "encode")
        }
        AstKind::AwaitExpression(_) | AstKind::NewExpression(_) => false,
        _ => true,
    });
    plain.then(|| (gift, span(call.as_ref())))
}
