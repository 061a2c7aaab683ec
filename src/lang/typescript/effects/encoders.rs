//! Functions that give nothing but their input in base64.

use oxc_ast::AstKind;
use oxc_ast::ast::Expression;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::path::argument;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Known, Value};
use crate::source::Span;

/// The encoding that a function returns, its only statement:
/// `Buffer.from(JSON.stringify(value)).toString('base64')`, `btoa(text)`.
pub fn only_encodes(model: &Model<'_>, function: NodeId) -> Option<Span> {
    let value = match model.kind(function) {
        AstKind::ArrowFunctionExpression(arrow) if arrow.get_expression().is_some() => arrow.get_expression()?,
        _ => match model.body(function)?.statements.as_slice() {
            [oxc_ast::ast::Statement::ReturnStatement(given)] => given.argument.as_ref()?,
            _ => return None,
        },
    };
    let Expression::CallExpression(call) = bare(value) else { return None };
    let path = model.callee(call);
    let encodes = path.is_global("btoa", &[]) || {
        let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return None };
        let Expression::CallExpression(from) = bare(&member.object) else { return None };
        let encoding = argument(&call.arguments, 0).map(|given| model.value(given));
        let base64 = matches!(encoding, Some(Known::Here(Value::Text(name), _)) if name.starts_with("base64"));
        base64 && member.property.name == "toString" && model.callee(from).is_global("Buffer", &["from"])
    };
    // What is handed in and changed on the way may be smaller, or secret.
    let plain = model.subtree(model.node(value)).all(|id| match model.kind(id) {
        AstKind::CallExpression(inner) => {
            matches!(model.callee(inner).leaf(), "btoa" | "toString" | "from" | "stringify" | "encode")
        }
        AstKind::AwaitExpression(_) | AstKind::NewExpression(_) => false,
        _ => true,
    });
    (encodes && plain).then(|| span(call.as_ref()))
}
