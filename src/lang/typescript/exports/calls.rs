//! What a file calls in its project, and from where.

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression, ObjectPropertyKind};
use oxc_syntax::node::NodeId;
use rustc_hash::FxHashMap;

use crate::lang::typescript::effects::Effects;
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::path::is_project_module;
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare, names, span};
use crate::observe::{Callee, Caller, Context, Given, NameRef, ProjectCall};

/// What is called in the project.
pub(super) fn of(effects: &Effects<'_, '_>) -> Vec<ProjectCall> {
    let model = effects.model;
    // Code runs where its function runs, which is asked for once.
    let mut callers: FxHashMap<NodeId, (Caller, Option<&str>)> = FxHashMap::default();
    let mut calls = Vec::new();
    for &node in &model.index.calls {
        let AstKind::CallExpression(call) = model.kind(node) else { continue };
        let path = model.callee(call);
        let in_project = |name: &NameRef| is_project_module(&name.module);
        let there = || model.name_ref(&path).or_else(|| model.typed_ref(&path, node)).filter(in_project);
        let (caller, service) = model.function_of(node).map_or((Caller::Elsewhere, None), |function| {
            *callers.entry(function).or_insert_with(|| caller(model, function))
        });
        let here = || effects.local_function(&path, node).map(|function| model.name_span(function));
        let callee = match caller {
            Caller::Function(_) => here().map(Callee::Here).or_else(|| there().map(Callee::There)),
            // The first call of a handler in its own file is for the analyses
            // to see; what that one calls is not.
            Caller::Handler => there().map(Callee::There).or_else(|| here().map(Callee::Here)),
            Caller::Elsewhere => there().map(Callee::There),
        };
        if let Some(callee) = callee {
            let starts = names::is_start(path.leaf());
            let service = service.map(str::to_owned);
            calls.push(ProjectCall { caller, callee, span: span(&call.callee), given: given(call), service, starts });
        }
    }
    calls
}

/// What makes the calls of a function, and the service that its name shows.
fn caller<'m>(model: &'m Model<'_>, function: NodeId) -> (Caller, Option<&'m str>) {
    if model.context_of(function) == Context::Handler {
        return (Caller::Handler, None);
    }
    let mut around = std::iter::once(function).chain(model.nodes().ancestor_ids(function));
    let named = around.find(|&id| is_function(model.kind(id)) && model.name_of(id).is_some());
    match named {
        Some(named) => (Caller::Function(model.name_span(named)), model.service_name(function)),
        None => (Caller::Elsewhere, None),
    }
}

/// What a call's arguments say of a bound on its time.
fn given(call: &CallExpression<'_>) -> Given {
    const BOUNDS: &[&str] = &["signal", "timeout", "dispatcher"];
    let mut given = Given::default();
    let mut spread = false;
    for (index, argument) in call.arguments.iter().enumerate() {
        let Some(expression) = argument.as_expression().filter(|_| !spread) else {
            spread = true;
            given.note(index);
            continue;
        };
        match bare(expression) {
            Expression::ObjectExpression(object) => {
                let bounds = object.properties.iter().any(|kind| match kind {
                    ObjectPropertyKind::SpreadProperty(_) => true,
                    ObjectPropertyKind::ObjectProperty(property) => {
                        key_name(&property.key).is_none_or(|key| BOUNDS.contains(&key.as_ref()))
                    }
                });
                if bounds {
                    given.note(index);
                }
            }
            Expression::StringLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::NumericLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::NullLiteral(_)
            | Expression::ArrowFunctionExpression(_)
            | Expression::FunctionExpression(_) => {}
            _ => given.note(index),
        }
    }
    given
}
