//! Functions that keep what they made for the next call. One that waits for
//! nothing is done before another may begin, so what it keeps is kept once and
//! its order does not matter.

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_syntax::node::NodeId;
use oxc_syntax::operator::AssignmentOperator;
use oxc_syntax::symbol::SymbolId;

use crate::lang::typescript::path::{Binding, Root};
use crate::lang::typescript::{Model, bare, span};

/// True for `agents.set(origin, agent)` where `agents` is a map of this file
/// that the same function looks into, and the function waits for nothing.
pub fn fills_map<'a>(model: &Model<'a>, call: &'a CallExpression<'a>, function: NodeId) -> bool {
    let path = model.callee(call);
    let (Root::Symbol(map, _), ["set"]) = (path.root, path.members.as_slice()) else { return false };
    let Binding::Constant(init) = model.binding(map) else { return false };
    let is_map = match bare(init) {
        Expression::NewExpression(new) => matches!(model.path_of(&new.callee).leaf(), "Map" | "WeakMap"),
        _ => false,
    };
    is_map
        && waits_for_nothing(model, function)
        && model.own_code(function).into_iter().any(|id| match model.kind(id) {
            AstKind::CallExpression(other) => {
                let looked = model.callee(other);
                matches!(looked.root, Root::Symbol(symbol, _) if symbol == map)
                    && matches!(looked.members.as_slice(), ["get" | "has"])
            }
            _ => false,
        })
}

/// True where all that a function writes outside of itself is a variable that
/// it fills when it is empty: `agent ??= new Agent()`, `if (!agent) agent = …`.
pub fn fills_once(model: &Model<'_>, function: NodeId, written: &[SymbolId]) -> bool {
    waits_for_nothing(model, function)
        && written.iter().all(|&symbol| {
            model
                .scoping()
                .get_resolved_references(symbol)
                .filter(|reference| reference.is_write() && model.is_within(reference.node_id(), function))
                .all(|reference| is_first(model, reference.node_id(), symbol, function))
        })
}

fn is_first(model: &Model<'_>, write: NodeId, symbol: SymbolId, function: NodeId) -> bool {
    let name = model.scoping().symbol_name(symbol);
    let around = model.nodes().ancestor_ids(write).take_while(|&id| id != function);
    around.into_iter().any(|id| match model.kind(id) {
        AstKind::AssignmentExpression(assignment) => assignment.operator == AssignmentOperator::LogicalNullish,
        AstKind::IfStatement(test) => {
            let text = model.text(&test.test).replace(' ', "");
            let empty = text == format!("!{name}")
                || ["===", "=="].iter().any(|equals| {
                    ["undefined", "null"].iter().any(|nothing| text == format!("{name}{equals}{nothing}"))
                });
            empty && span(&test.consequent).contains(span(&model.kind(write)))
        }
        _ => false,
    })
}

fn waits_for_nothing(model: &Model<'_>, function: NodeId) -> bool {
    !model.is_async(function)
        && !model
            .subtree(function)
            .any(|id| matches!(model.kind(id), AstKind::AwaitExpression(_)) || id != function && model.is_async(id))
}
