//! Functions that start a timer for whoever waits for them, and give nobody a
//! way to end it: `sleep(ms)`, `rejectAfter(ms)`.

use oxc_ast::AstKind;
use oxc_ast::ast::Expression;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::path::argument;
use crate::lang::typescript::{Model, span};
use crate::source::Span;

/// The `setTimeout` of the promise that a function gives, where nothing in it
/// keeps the timer's id, lets go of it or listens to a signal.
pub fn left_by(model: &Model<'_>, function: NodeId) -> Option<Span> {
    const ENDS: &[&str] = &["clearTimeout", "unref", "signal", "abort", "Promise.race"];
    let whole = span(&model.kind(function));
    let mut promises = model.index.news.iter().filter(|&&node| whole.contains(span(&model.kind(node))));
    let timer = promises.find_map(|&node| {
        let AstKind::NewExpression(new) = model.kind(node) else { return None };
        let given = model.function_of(node) == Some(function)
            && matches!(
                model.nodes().parent_kind(node),
                AstKind::ReturnStatement(_) | AstKind::ArrowFunctionExpression(_) | AstKind::AwaitExpression(_)
            );
        if !given || !model.path_of(&new.callee).is_global("Promise", &[]) {
            return None;
        }
        let executor = match argument(&new.arguments, 0)? {
            Expression::ArrowFunctionExpression(arrow) => arrow.node_id.get(),
            Expression::FunctionExpression(executor) => executor.node_id.get(),
            _ => return None,
        };
        model.own_code(executor).into_iter().find_map(|id| {
            let AstKind::CallExpression(call) = model.kind(id) else { return None };
            let dropped = matches!(
                model.nodes().parent_kind(id),
                AstKind::ExpressionStatement(_) | AstKind::ArrowFunctionExpression(_)
            );
            (dropped && model.callee(call).is_global("setTimeout", &[])).then(|| span(call))
        })
    })?;
    let text = model.source.slice(whole);
    (!ENDS.iter().any(|end| text.contains(end))).then_some(timer)
}
