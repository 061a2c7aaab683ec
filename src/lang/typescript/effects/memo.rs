//! Functions that keep what they made for the next call. One that waits for
//! nothing is done before another may begin, so what it keeps is kept once and
//! its order does not matter.

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, BindingPattern, CallExpression, Expression, IfStatement, SimpleAssignmentTarget};
use oxc_syntax::node::NodeId;
use oxc_syntax::operator::AssignmentOperator;
use oxc_syntax::symbol::SymbolId;

use super::pure::is_fresh;
use crate::lang::typescript::path::{Binding, Root, argument};
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

/// True for the write that keeps what was read under the key that was looked
/// for: `get(key)`, then `set(key, value)`. Whoever comes first writes the same.
pub fn reads_through<'a>(model: &Model<'a>, call: &'a CallExpression<'a>, function: NodeId) -> bool {
    const KEEPS: &[&str] = &["set", "setex", "psetex", "hset", "expire"];
    // A lock is taken by whoever comes first.
    let locks = call.arguments.iter().filter_map(|a| a.as_expression()).any(|a| {
        let text = model.text(a);
        text.trim_matches(['\'', '"']).eq_ignore_ascii_case("nx") || text.contains("NX")
    });
    !locks && looked_up(model, call, KEEPS, &["get", "hget", "getbuffer", "exists"], function).is_some()
}

/// True for `await this.cache.set(key, value)` of a cache of any kind, where the
/// function gives what stood under the key as soon as it finds it: what it
/// writes otherwise, it has read.
pub fn keeps_for_next<'a>(model: &Model<'a>, call: &'a CallExpression<'a>, function: NodeId) -> bool {
    const KEEPS: &[&str] = &["set", "put", "write", "save", "store"];
    const LOOKS: &[&str] = &["get", "read", "fetch", "load", "lookup"];
    let path = model.callee(call);
    let is_cache = KEEPS.contains(&path.leaf()) && path.receiver_name().to_ascii_lowercase().ends_with("cache");
    let found = |other| {
        let AstKind::AwaitExpression(_) = model.nodes().parent_kind(other) else { return false };
        let AstKind::VariableDeclarator(declared) = model.nodes().parent_kind(model.nodes().parent_id(other)) else {
            return false;
        };
        let BindingPattern::BindingIdentifier(name) = &declared.id else { return false };
        let Some(symbol) = name.symbol_id.get() else { return false };
        model.scoping().get_resolved_references(symbol).any(|reference| {
            let around = model.nodes().ancestor_kinds(reference.node_id()).take(4);
            around.into_iter().any(|kind| match kind {
                AstKind::IfStatement(test) => gives_found(model, test, name.name.as_str()),
                _ => false,
            })
        })
    };
    is_cache && looked_up(model, call, KEEPS, LOOKS, function).is_some_and(found)
}

/// `if (kept) return kept`, `if (kept !== null) { return JSON.parse(kept); }`.
fn gives_found(model: &Model<'_>, test: &IfStatement<'_>, name: &str) -> bool {
    let condition = model.text(&test.test).replace(' ', "");
    let is_there = condition == name || condition.strip_prefix(name).is_some_and(|rest| rest.starts_with("!="));
    let given = model.text(&test.consequent).trim_start_matches(['{', ' ', '\n', '\t', '\r']);
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let mut words = given.strip_prefix("return").unwrap_or("").split(|c: char| !is_name(c));
    is_there && words.any(|word| word == name)
}

/// The call by which a function looks for the key that `call` writes to, on the
/// same receiver: `writes` and `looks` are names of methods in lower case.
fn looked_up<'a>(
    model: &Model<'a>,
    call: &'a CallExpression<'a>,
    writes: &[&str],
    looks: &[&str],
    function: NodeId,
) -> Option<NodeId> {
    let path = model.callee(call);
    let key = |call: &'a CallExpression<'a>| argument(&call.arguments, 0).map(|key| model.text(key));
    if !writes.contains(&path.leaf().to_ascii_lowercase().as_str()) {
        return None;
    }
    model.own_code(function).into_iter().find(|&id| match model.kind(id) {
        AstKind::CallExpression(other) => {
            let looked = model.callee(other);
            looks.contains(&looked.leaf().to_ascii_lowercase().as_str())
                && looked.receiver_name() == path.receiver_name()
                && key(other).is_some_and(|looked_for| Some(looked_for) == key(call))
        }
        _ => false,
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
