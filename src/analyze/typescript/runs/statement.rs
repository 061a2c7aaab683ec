//! What one statement is to a run: awaits that may belong to it, a step that
//! only computes, or its end.

use std::collections::BTreeSet;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentTarget, AwaitExpression, CallExpression, Expression, VariableDeclaration, VariableDeclarationKind,
    VariableDeclarator,
};
use oxc_syntax::node::NodeId;

use super::waits::{AwaitedRead, awaited_calls, guard, io};
use super::{Between, Link};
use crate::lang::typescript::effects::{By, Effects, is_fresh};
use crate::lang::typescript::path::Root;
use crate::lang::typescript::uses::Uses;
use crate::lang::typescript::{bare, names, span};
use crate::observe::Effect;
use crate::source::Span;

/// What a statement is.
pub enum Read<'a> {
    /// Awaits of reads, in the order in which they are evaluated.
    Await(Vec<Link<'a>>),
    /// An await of a call that must not be moved, with the guard's key.
    Refused(&'static str, Span),
    /// A statement that changes nothing that a read could see, and its names.
    Harmless(Uses, Between),
    /// Anything else.
    End,
}

/// Reads a statement.
pub fn read<'a>(effects: &Effects<'_, 'a>, statement: NodeId) -> Read<'a> {
    let model = effects.model;
    match model.kind(statement) {
        AstKind::VariableDeclaration(declaration) => {
            if declaration.kind.is_using() || declaration.kind == VariableDeclarationKind::Var {
                return Read::End;
            }
            if let [declarator] = declaration.declarations.as_slice()
                && let Some(Expression::AwaitExpression(awaited)) = declarator.init.as_ref().map(bare)
            {
                return link(effects, statement, Some((declaration, declarator)), awaited);
            }
            among(effects, statement)
        }
        AstKind::ExpressionStatement(expression) => match bare(&expression.expression) {
            // `rows = await f(…)`: what holds the result is no field.
            Expression::AssignmentExpression(set) => match (&set.left, bare(&set.right)) {
                (AssignmentTarget::AssignmentTargetIdentifier(_), Expression::AwaitExpression(awaited))
                    if set.operator.is_assign() =>
                {
                    link(effects, statement, None, awaited)
                }
                _ => among(effects, statement),
            },
            Expression::CallExpression(call) if names::is_logger(model.callee(call).receiver_name()) => {
                match logs_only(effects, statement) {
                    true => Read::Harmless(
                        Uses::of(model, statement),
                        Between { logs: true, ..between(effects, statement) },
                    ),
                    false => Read::End,
                }
            }
            Expression::CallExpression(call) if effects.is_pure(call) => among(effects, statement),
            _ => Read::End,
        },
        AstKind::ReturnStatement(_) => match among(effects, statement) {
            Read::Harmless(..) => Read::End,
            other => other,
        },
        AstKind::IfStatement(_) | AstKind::TryStatement(_) => branch(effects, statement),
        AstKind::TSTypeAliasDeclaration(_)
        | AstKind::TSInterfaceDeclaration(_)
        | AstKind::Function(_)
        | AstKind::EmptyStatement(_)
        | AstKind::Directive(_) => Read::Harmless(Uses::default(), between(effects, statement)),
        _ => Read::End,
    }
}

fn between(effects: &Effects<'_, '_>, statement: NodeId) -> Between {
    Between { span: span(&effects.model.kind(statement)), logs: false, calls: None }
}

/// A statement or an entry that is the await of one call.
pub fn link<'a>(
    effects: &Effects<'_, 'a>,
    statement: NodeId,
    declared: Option<(&'a VariableDeclaration<'a>, &'a VariableDeclarator<'a>)>,
    awaited: &'a AwaitExpression<'a>,
) -> Read<'a> {
    let reads = match reads(effects, awaited) {
        Ok(reads) => reads,
        Err(Some(guard)) => return Read::Refused(guard, span(awaited)),
        Err(None) => return Read::End,
    };
    let has_inner_await = effects.model.own_code(statement).into_iter().any(|id| match effects.model.kind(id) {
        AstKind::AwaitExpression(inner) => !std::ptr::eq(inner, awaited),
        AstKind::YieldExpression(_) => true,
        _ => false,
    });
    if has_inner_await {
        return Read::End;
    }
    let uses = Uses::with_filled(effects.model, statement);
    Read::Await(vec![Link { statement, declared, awaited, reads, uses, chosen: false }])
}

/// The reads of one await; else the guard that keeps it where it is, if a
/// reader might ask.
fn reads<'a>(
    effects: &Effects<'_, 'a>,
    awaited: &'a AwaitExpression<'a>,
) -> Result<Vec<AwaitedRead<'a>>, Option<&'static str>> {
    let Some(calls) = awaited_calls(effects, awaited) else { return Err(None) };
    let mut reads = Vec::with_capacity(calls.len());
    for call in calls {
        let effect = effects.call(call);
        if let Some(guard) = guard(effects, call, &effect) {
            return Err(Some(guard).filter(|guard| !guard.is_empty()));
        }
        let Some(io) = io(effects, call, &effect) else { return Err(None) };
        reads.push(AwaitedRead { call, effect, io });
    }
    Ok(reads)
}

/// A statement that makes something of what it awaits, `(await f(id)).rows`,
/// `{ user: await f(id), total: await g(id) }`, or that awaits nothing.
fn among<'a>(effects: &Effects<'_, 'a>, statement: NodeId) -> Read<'a> {
    let model = effects.model;
    let Some(found) = code(effects, statement, false) else { return Read::End };
    if found.awaits.is_empty() {
        return Read::Harmless(Uses::with_filled(model, statement), found.between);
    }
    // One after the other, save where only some of them are evaluated.
    if found.chooses {
        return whole(effects, statement, &found.awaits);
    }
    let mut links = Vec::new();
    for awaited in found.awaits {
        let reads = match reads(effects, awaited) {
            Ok(reads) => reads,
            Err(_) => return Read::End,
        };
        let uses = Uses::with_filled(model, AstKind::AwaitExpression(awaited).node_id());
        links.push(Link { statement, declared: None, awaited, reads, uses, chosen: false });
    }
    // What the statement makes of the answers, it makes when they are there.
    if let Some(last) = links.last_mut() {
        last.uses.extend(&Uses {
            reads: BTreeSet::new(),
            globals: BTreeSet::new(),
            this: false,
            ..Uses::with_filled(model, statement)
        });
    }
    Read::Await(links)
}

/// `if (id) { row = await f(id) }`, and a `try` around reads: a part of the way
/// that leads back to what follows, whatever becomes of it.
fn branch<'a>(effects: &Effects<'_, 'a>, statement: NodeId) -> Read<'a> {
    let model = effects.model;
    if let AstKind::IfStatement(branch) = model.kind(statement)
        && model
            .own_code(model.node(&branch.test))
            .into_iter()
            .any(|id| matches!(model.kind(id), AstKind::AwaitExpression(_)))
    {
        return Read::End;
    }
    let Some(found) = code(effects, statement, true) else { return Read::End };
    match found.awaits.is_empty() {
        true => Read::Harmless(Uses::with_filled(model, statement), found.between),
        false => whole(effects, statement, &found.awaits),
    }
}

/// All awaits of a statement as one wait.
fn whole<'a>(effects: &Effects<'_, 'a>, statement: NodeId, awaits: &[&'a AwaitExpression<'a>]) -> Read<'a> {
    let mut all = Vec::new();
    for awaited in awaits {
        match reads(effects, awaited) {
            Ok(mut some) => all.append(&mut some),
            Err(_) => return Read::End,
        }
    }
    let uses = Uses::with_filled(effects.model, statement);
    let chosen = !matches!(effects.model.kind(statement), AstKind::TryStatement(_));
    Read::Await(vec![Link { statement, declared: None, awaited: awaits[0], reads: all, uses, chosen }])
}

/// True for an entry that awaits nothing and only computes.
pub fn is_value<'a>(effects: &Effects<'_, 'a>, entry: NodeId) -> bool {
    code(effects, entry, false).is_some_and(|code| code.awaits.is_empty())
}

/// What the code of a statement is made of, where all but its awaits computes.
struct Code<'a> {
    awaits: Vec<&'a AwaitExpression<'a>>,
    /// An await stands in a branch of an expression.
    chooses: bool,
    between: Between,
}

/// `None` where a statement may leave, write or ask somebody.
fn code<'a>(effects: &Effects<'_, 'a>, statement: NodeId, in_branch: bool) -> Option<Code<'a>> {
    let model = effects.model;
    let mut found = Code { awaits: Vec::new(), chooses: false, between: between(effects, statement) };
    let mut inside: Option<NodeId> = None;
    for id in model.own_code(statement) {
        // What an await waits for is looked at as a read.
        if inside.is_some_and(|awaited| model.is_within(id, awaited)) {
            if matches!(model.kind(id), AstKind::AwaitExpression(_) | AstKind::YieldExpression(_)) {
                return None;
            }
            continue;
        }
        match model.kind(id) {
            AstKind::AwaitExpression(awaited) => {
                inside = Some(id);
                found.awaits.push(awaited);
                let around = model.nodes().ancestor_ids(id).take_while(|&around| around != statement);
                found.chooses |= around.into_iter().any(|around| {
                    matches!(model.kind(around), AstKind::ConditionalExpression(_) | AstKind::LogicalExpression(_))
                });
            }
            // `rows.forEach((row) => { if (!row.id) throw … })` checks.
            AstKind::CallExpression(call) if refuses(effects, call) => return None,
            AstKind::CallExpression(call) => match computes(effects, call) {
                Computes::Known => {}
                // A call whose answer nobody takes is there for what it does.
                Computes::Perhaps if !is_told(effects, id) => {
                    found.between.calls = found.between.calls.or(Some(span(call)));
                }
                Computes::Perhaps | Computes::No => return None,
            },
            AstKind::AssignmentExpression(set) if !changes_value(effects, &set.left) => return None,
            AstKind::UnaryExpression(unary) if unary.operator.is_delete() => return None,
            AstKind::ThrowStatement(_) if in_branch && is_rethrown(effects, id) => {}
            AstKind::ReturnStatement(_) if id == statement => {}
            AstKind::TaggedTemplateExpression(tagged)
                if matches!(model.path_of(&tagged.tag).leaf(), "sql" | "gql" | "raw" | "graphql") => {}
            AstKind::YieldExpression(_)
            | AstKind::TaggedTemplateExpression(_)
            | AstKind::ImportExpression(_)
            | AstKind::Class(_)
            | AstKind::ReturnStatement(_)
            | AstKind::ThrowStatement(_)
            | AstKind::BreakStatement(_)
            | AstKind::ContinueStatement(_)
            | AstKind::ForStatement(_)
            | AstKind::ForOfStatement(_)
            | AstKind::ForInStatement(_)
            | AstKind::WhileStatement(_)
            | AstKind::DoWhileStatement(_) => return None,
            _ => {}
        }
    }
    Some(found)
}

/// True where what is handed over throws when it is called.
fn refuses(effects: &Effects<'_, '_>, call: &CallExpression<'_>) -> bool {
    let throws = |given: &Expression<'_>| {
        matches!(given, Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
            && effects
                .model
                .subtree(effects.model.node(given))
                .any(|id| matches!(effects.model.kind(id), AstKind::ThrowStatement(_)))
    };
    call.arguments.iter().filter_map(|given| given.as_expression()).any(throws)
}

/// True for a call that is a statement of its own.
fn is_told(effects: &Effects<'_, '_>, call: NodeId) -> bool {
    matches!(effects.model.nodes().parent_kind(call), AstKind::ExpressionStatement(_))
}

/// True for an error that a `catch` hands on, perhaps in other words.
fn is_rethrown(effects: &Effects<'_, '_>, thrown: NodeId) -> bool {
    effects.model.nodes().ancestor_kinds(thrown).any(|kind| matches!(kind, AstKind::CatchClause(_)))
}

/// True where what is assigned to is a variable, or a member of what one was made for.
fn changes_value(effects: &Effects<'_, '_>, target: &AssignmentTarget<'_>) -> bool {
    match target {
        AssignmentTarget::AssignmentTargetIdentifier(id) => effects.model.symbol_of(id).is_some(),
        AssignmentTarget::StaticMemberExpression(member) => holds(effects, &member.object),
        AssignmentTarget::ComputedMemberExpression(member) => holds(effects, &member.object),
        _ => false,
    }
}

fn holds(effects: &Effects<'_, '_>, object: &Expression<'_>) -> bool {
    match object.get_inner_expression() {
        // What somebody else holds as well, others may look at.
        Expression::Identifier(id) => effects.model.symbol_of(id).is_some_and(|symbol| is_fresh(effects.model, symbol)),
        Expression::StaticMemberExpression(member) => holds(effects, &member.object),
        Expression::ComputedMemberExpression(member) => holds(effects, &member.object),
        _ => false,
    }
}

enum Computes {
    Known,
    /// As far as its name tells.
    Perhaps,
    No,
}

/// Whether a call that is not awaited only gives a value.
fn computes<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>) -> Computes {
    let model = effects.model;
    let path = model.callee(call);
    let leaf = path.leaf();
    // `schema.parse(body)` refuses what does not fit.
    if leaf == "parse" && !matches!(path.root, Root::Global(_)) {
        return Computes::No;
    }
    if effects.is_pure(call) {
        return Computes::Known;
    }
    if leaf.is_empty() || names::is_guard(leaf) || names::is_authentication(leaf) || names::is_timing(leaf) {
        return Computes::No;
    }
    let effect = effects.call(call);
    match (&effect.by, effect.effect) {
        // What is started here is awaited later: it is under way already.
        (By::Client(_), _) | (_, Effect::Write) => Computes::No,
        (By::Function(function), _) if model.is_async(*function) => Computes::No,
        (By::Function(_), Effect::None | Effect::Read) => Computes::Known,
        _ if names::makes_value(leaf) => Computes::Perhaps,
        _ => Computes::No,
    }
}

/// True for a log whose arguments only read values.
fn logs_only(effects: &Effects<'_, '_>, statement: NodeId) -> bool {
    let model = effects.model;
    let mut calls = 0;
    model.own_code(statement).into_iter().all(|id| match model.kind(id) {
        AstKind::CallExpression(call) => {
            calls += 1;
            calls == 1 || model.callee(call).is_global("JSON", &["stringify"])
        }
        AstKind::AwaitExpression(_)
        | AstKind::YieldExpression(_)
        | AstKind::AssignmentExpression(_)
        | AstKind::UpdateExpression(_) => false,
        _ => true,
    })
}
