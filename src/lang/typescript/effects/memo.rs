//! Functions that keep what they made for the next call. One that waits for
//! nothing is done before another may begin, so what it keeps is kept once and
//! its order does not matter.

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, CallExpression, Expression, SimpleAssignmentTarget};
use oxc_syntax::node::NodeId;
use oxc_syntax::operator::AssignmentOperator;
use oxc_syntax::symbol::SymbolId;

use super::pure::is_fresh;
use crate::lang::typescript::path::{Binding, Root};
use crate::lang::typescript::{Model, bare, names, span};
use crate::source::Span;

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

/// True where all that a function writes outside of itself are variables and
/// fields that it looks at before: a session or a list that it asks for when
/// there is none, or when it has run out. Who comes second asks once more, and
/// keeps the same.
pub fn refills(model: &Model<'_>, function: NodeId) -> bool {
    let outside = |symbol: SymbolId| !model.is_within(model.scoping().symbol_declaration(symbol), function);
    let renews = |name: &str| {
        names::words(name).iter().any(|word| matches!(word.as_str(), "refresh" | "rotate" | "next" | "set"))
    };
    if model.name_of(function).is_some_and(|name| renews(&name)) {
        return false;
    }
    let own: Vec<NodeId> = model.own_code(function);
    let tests: Vec<(Span, &str)> = own
        .iter()
        .filter_map(|&id| match model.kind(id) {
            AstKind::IfStatement(test) => Some((span(&test.test), model.text(&test.test))),
            AstKind::ConditionalExpression(choice) => Some((span(&choice.test), model.text(&choice.test))),
            _ => None,
        })
        .collect();
    let tested =
        |target: &str, at: Span| tests.iter().any(|(test, text)| test.start < at.start && text.contains(target));
    model.subtree(function).all(|id| match model.kind(id) {
        AstKind::AssignmentExpression(set) => match &set.left {
            AssignmentTarget::AssignmentTargetIdentifier(id) => {
                !model.symbol_of(id).is_none_or(outside)
                    || set.operator.is_logical()
                    || set.operator.is_assign() && tested(id.name.as_str(), span(set))
            }
            AssignmentTarget::StaticMemberExpression(member) => {
                let of_this = matches!(bare(&member.object), Expression::ThisExpression(_));
                let kept =
                    set.operator.is_logical() || set.operator.is_assign() && tested(model.text(&**member), span(set));
                if of_this { kept } else { is_local(model, &member.object, function) }
            }
            AssignmentTarget::ComputedMemberExpression(member) => is_local(model, &member.object, function),
            _ => false,
        },
        AstKind::UpdateExpression(update) => match &update.argument {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(id) => {
                model.symbol_of(id).is_some_and(|symbol| !outside(symbol))
            }
            _ => false,
        },
        AstKind::UnaryExpression(unary) => !unary.operator.is_delete(),
        _ => true,
    })
}

/// True for what a function holds alone.
fn is_local<'a>(model: &Model<'a>, object: &'a Expression<'a>, function: NodeId) -> bool {
    match model.path_of(object).root {
        Root::Symbol(symbol, _) => {
            model.is_within(model.scoping().symbol_declaration(symbol), function) && is_fresh(model, symbol)
        }
        _ => false,
    }
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
