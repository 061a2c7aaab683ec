//! Runs of awaited reads in one statement list, none of which needs another's
//! result and between which nothing can happen that an order matters to.

use oxc_ast::AstKind;
use oxc_ast::ast::{
    Argument, AssignmentTarget, AwaitExpression, CallExpression, ChainElement, Expression, VariableDeclaration,
    VariableDeclarationKind, VariableDeclarator,
};
use oxc_syntax::node::NodeId;

use crate::analyze::sink::parts;
use crate::lang::typescript::clients::Nature;
use crate::lang::typescript::effects::{By, CallEffect, Effects, GIVEN};
use crate::lang::typescript::path::{Binding, Path, Root, is_project_module};
use crate::lang::typescript::uses::Uses;
use crate::lang::typescript::{bare, names, span};
use crate::observe::{Confidence, Effect, Io, NameRef};
use crate::source::Span;

/// One awaited read of a run: `const x = await f(…);`, `x = await f(…);`, or an
/// entry of a literal.
pub struct Link<'a> {
    /// The statement, or the entry.
    pub statement: NodeId,
    /// The declaration and its only declarator, where the await is one's value.
    pub declared: Option<(&'a VariableDeclaration<'a>, &'a VariableDeclarator<'a>)>,
    /// The await.
    pub awaited: &'a AwaitExpression<'a>,
    /// The awaited call; those inside of an awaited `Promise.all([…])`.
    pub reads: Vec<AwaitedRead<'a>>,
    /// The names of the statement.
    pub uses: Uses,
}

impl Link<'_> {
    /// The await's bytes.
    pub fn span(&self) -> Span {
        span(self.awaited)
    }
}

/// One call that an await waits for.
pub struct AwaitedRead<'a> {
    /// The call.
    pub call: &'a CallExpression<'a>,
    /// What it does.
    pub effect: CallEffect,
    /// What it waits for, names taken at their word.
    pub io: Io,
}

impl<'a> AwaitedRead<'a> {
    /// What becomes of the run where no other file answers for this call: a
    /// method that only its receiver's type names may be anything.
    pub fn if_unknown(&self, effects: &Effects<'_, 'a>) -> Option<Confidence> {
        let chain = effects.chain(self.call);
        let named = match &self.effect.by {
            // What a function gives may be anything.
            By::Imported(name) if name.name.ends_with(GIVEN) => false,
            // Only its own file says what it is.
            By::Imported(name) | By::Typed(name) if !is_project_module(&name.module) => false,
            By::Imported(_) => speaks_of_io(chain.base.leaf()),
            By::Typed(_) => named_io(&chain.base),
            _ => true,
        };
        named.then_some(Confidence::Likely)
    }

    /// The name of what another file defines: an imported function, or an
    /// imported client that only its name tells here.
    pub fn elsewhere(&self, effects: &Effects<'_, 'a>) -> Option<NameRef> {
        match &self.effect.by {
            By::Imported(name) | By::Typed(name) => Some(name.clone()),
            _ => effects.client_elsewhere(self.call, &self.effect),
        }
    }
}

/// A statement between two awaits that changes nothing.
pub struct Between {
    /// Its bytes.
    pub span: Span,
    /// It writes a log, whose order would change.
    pub logs: bool,
}

/// Awaits that could wait together, or one await with the guard that parts it
/// from the next.
#[derive(Default)]
pub struct Run<'a> {
    /// The awaits, in source order.
    pub links: Vec<Link<'a>>,
    /// Harmless statements between them.
    pub between: Vec<Between>,
    /// Why the await after a run of one does not belong to it, where a reader
    /// might ask.
    pub guard: Option<(&'static str, Span)>,
    /// The end of the run with the next await, which needs what the run's first
    /// ones give: where these turn out to be no reads, those may still be two.
    pub overlap: Option<Box<Run<'a>>>,
    tainted: Uses,
}

/// Neighbouring awaits of a run, with what stands between them.
pub struct Part<'r, 'a> {
    /// Two or more awaits, in source order.
    pub links: &'r [Link<'a>],
    /// Harmless statements between them.
    pub between: Vec<&'r Between>,
}

impl<'a> Run<'a> {
    /// The whole run first, then every shorter part of it, the longest first:
    /// where one of the awaits turns out to be no read, its neighbours may
    /// still be two.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_, 'a>> {
        parts(&self.links).map(|links| {
            let inner = links.iter().map(Link::span).reduce(Span::cover).unwrap_or_default();
            Part { links, between: self.between.iter().filter(|between| inner.contains(between.span)).collect() }
        })
    }
}

/// The runs of a statement list: every one of two or more awaits, and those of
/// one that a guard parts from the next.
pub fn runs<'a>(effects: &Effects<'_, 'a>, block: NodeId) -> Vec<Run<'a>> {
    let mut out = Vec::new();
    let mut run = Run::default();
    let mut pending: Vec<Between> = Vec::new();
    let mut flush = |run: &mut Run<'a>, pending: &mut Vec<Between>, guard: Option<(&'static str, Span)>| {
        let mut done = std::mem::take(run);
        pending.clear();
        done.guard = guard;
        if done.links.len() > 1 || done.links.len() == 1 && done.guard.is_some() {
            out.push(done);
        }
    };
    let statements: Vec<NodeId> = effects.model.children(block).collect();
    for (index, &statement) in statements.iter().enumerate() {
        match read(effects, statement) {
            Read::Await(link) => {
                let depends = run.links.iter().any(|earlier| earlier.uses.conflicts(&link.uses))
                    || run.tainted.conflicts(&link.uses);
                if depends {
                    run.overlap = overlapping(effects, &run, &statements[index..]).map(Box::new);
                    flush(&mut run, &mut pending, None);
                }
                run.between.append(&mut pending);
                run.links.push(*link);
            }
            Read::Refused(guard, at) => flush(&mut run, &mut pending, Some((guard, at))),
            Read::Harmless(uses, logs) => {
                if run.links.is_empty() {
                    continue;
                }
                // A value computed from an awaited one stands for it.
                if run.links.iter().any(|link| link.uses.conflicts(&uses)) || run.tainted.conflicts(&uses) {
                    run.tainted.extend(&uses);
                }
                pending.push(Between { span: span(&effects.model.kind(statement)), logs });
            }
            Read::End => flush(&mut run, &mut pending, None),
        }
    }
    flush(&mut run, &mut pending, None);
    out
}

/// See [`Run::overlap`]; `rest` begins with the statement that does not belong
/// to all of `run`. With a statement between the awaits, none is told.
fn overlapping<'a>(effects: &Effects<'_, 'a>, run: &Run<'a>, rest: &[NodeId]) -> Option<Run<'a>> {
    if run.links.len() < 2 || !run.between.is_empty() {
        return None;
    }
    let again = |statement: &NodeId| match read(effects, *statement) {
        Read::Await(link) => Some(*link),
        _ => None,
    };
    let (first, after) = rest.split_first()?;
    let next = again(first)?;
    let from = run.links.iter().rposition(|earlier| earlier.uses.conflicts(&next.uses))? + 1;
    if from == run.links.len() || run.tainted.conflicts(&next.uses) {
        return None;
    }
    let mut links = run.links[from..].iter().map(|link| again(&link.statement)).collect::<Option<Vec<_>>>()?;
    links.push(next);
    for link in after.iter().map_while(again) {
        if links.iter().any(|earlier| earlier.uses.conflicts(&link.uses)) {
            break;
        }
        links.push(link);
    }
    Some(Run { links, ..Run::default() })
}

/// The awaited entries of an object or array literal, which are evaluated in
/// turn: `{ users: await f(), total: await g() }`. `None` where there are not
/// two, or where anything else between them may do more than give a value.
pub fn entries<'a>(effects: &Effects<'_, 'a>, literal: NodeId) -> Option<Run<'a>> {
    let model = effects.model;
    let mut run = Run::default();
    let mut parted = false;
    for entry in model.children(literal) {
        let value = match model.kind(entry) {
            AstKind::ObjectProperty(property) if !property.computed => model.node(&property.value),
            AstKind::ObjectProperty(_) | AstKind::SpreadElement(_) => return None,
            _ => entry,
        };
        let AstKind::AwaitExpression(awaited) = model.kind(value) else {
            parted |= !is_pure(effects, entry);
            continue;
        };
        if parted && !run.links.is_empty() {
            return None;
        }
        match link(effects, entry, None, awaited) {
            Read::Await(link) => run.links.push(*link),
            _ => return None,
        }
    }
    (run.links.len() > 1).then_some(run)
}

enum Read<'a> {
    Await(Box<Link<'a>>),
    /// An await of a call that must not be moved, with the guard's key.
    Refused(&'static str, Span),
    /// A statement that changes nothing; true where it logs.
    Harmless(Uses, bool),
    End,
}

fn read<'a>(effects: &Effects<'_, 'a>, statement: NodeId) -> Read<'a> {
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
            if is_pure(effects, statement) {
                return Read::Harmless(Uses::of(model, statement), false);
            }
            Read::End
        }
        AstKind::ExpressionStatement(expression) => {
            let call = match bare(&expression.expression) {
                Expression::CallExpression(call) => call,
                // `rows = await f(…)`: what holds the result is no field.
                Expression::AssignmentExpression(set) if set.operator.is_assign() => {
                    return match (&set.left, bare(&set.right)) {
                        (AssignmentTarget::AssignmentTargetIdentifier(_), Expression::AwaitExpression(awaited)) => {
                            link(effects, statement, None, awaited)
                        }
                        _ => Read::End,
                    };
                }
                _ => return Read::End,
            };
            if names::is_logger(model.callee(call).receiver_name()) && logs_only(effects, statement) {
                return Read::Harmless(Uses::of(model, statement), true);
            }
            Read::End
        }
        AstKind::TSTypeAliasDeclaration(_)
        | AstKind::TSInterfaceDeclaration(_)
        | AstKind::Function(_)
        | AstKind::EmptyStatement(_)
        | AstKind::Directive(_) => Read::Harmless(Uses::default(), false),
        _ => Read::End,
    }
}

fn link<'a>(
    effects: &Effects<'_, 'a>,
    statement: NodeId,
    declared: Option<(&'a VariableDeclaration<'a>, &'a VariableDeclarator<'a>)>,
    awaited: &'a AwaitExpression<'a>,
) -> Read<'a> {
    let Some(calls) = awaited_calls(effects, awaited) else { return Read::End };
    let mut reads = Vec::with_capacity(calls.len());
    for call in calls {
        let effect = effects.call(call);
        if let Some(guard) = guard(effects, call, &effect) {
            return if guard.is_empty() { Read::End } else { Read::Refused(guard, span(awaited)) };
        }
        let Some(io) = io(effects, call, &effect) else { return Read::End };
        reads.push(AwaitedRead { call, effect, io });
    }
    let has_inner_await = effects.model.own_code(statement).into_iter().any(|id| match effects.model.kind(id) {
        AstKind::AwaitExpression(inner) => !std::ptr::eq(inner, awaited),
        AstKind::YieldExpression(_) => true,
        _ => false,
    });
    if has_inner_await {
        return Read::End;
    }
    let uses = Uses::of(effects.model, statement);
    Read::Await(Box::new(Link { statement, declared, awaited, reads, uses }))
}

/// The call under an await, or the elements of `Promise.all([f(), g()])`.
fn awaited_calls<'a>(
    effects: &Effects<'_, 'a>,
    awaited: &'a AwaitExpression<'a>,
) -> Option<Vec<&'a CallExpression<'a>>> {
    let call = effects.within_bound(called(&awaited.argument)?);
    if !effects.model.callee(call).is_global("Promise", &["all"]) {
        return Some(vec![call]);
    }
    let [Argument::ArrayExpression(array)] = call.arguments.as_slice() else { return None };
    let calls = array.elements.iter().map(|element| called(element.as_expression()?));
    calls.collect::<Option<Vec<_>>>().filter(|calls| !calls.is_empty())
}

/// `f()`, `o?.f()`.
fn called<'a>(expression: &'a Expression<'a>) -> Option<&'a CallExpression<'a>> {
    match bare(expression) {
        Expression::CallExpression(call) => Some(call),
        Expression::ChainExpression(chain) => match &chain.expression {
            ChainElement::CallExpression(call) => Some(call),
            _ => None,
        },
        _ => None,
    }
}

/// The guard that keeps a call where it is; empty where nobody would ask.
fn guard<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>, effect: &CallEffect) -> Option<&'static str> {
    if effect.carries_transaction {
        return Some("transaction");
    }
    if effect.nature == Nature::Serial {
        return Some("serial");
    }
    // What a chain's shape tells is as good: `.limit(20)` of a query is no guard.
    let known = matches!(&effect.by, By::Client(client) if !client.by_name || client.kind.is_query_builder());
    let leaf = effects.model.callee(call).leaf();
    match effect.effect {
        _ if !known && (names::is_guard(leaf) || names::is_authentication(leaf)) => Some("guard-call"),
        _ if !known && names::is_timing(leaf) => Some("timing"),
        Effect::Read => None,
        Effect::Write => Some("write"),
        Effect::Unknown if names::effect_of(leaf) == Effect::Read && names::is_trap(leaf) => Some("trap"),
        // Its own file may say that it only reads.
        Effect::Unknown if matches!(effect.by, By::Imported(_) | By::Typed(_)) && !names::is_trap(leaf) => None,
        Effect::None | Effect::Unknown => Some(""),
    }
}

/// What a read waits for; `None` where nothing says that it waits.
fn io<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>, effect: &CallEffect) -> Option<Io> {
    match &effect.by {
        By::Client(_) => Some(effect.io),
        By::Function(_) => (effect.io > Io::Unseen).then_some(effect.io),
        By::Imported(name) => is_project_module(&name.module).then_some(Io::Http),
        By::Typed(name) => {
            let chain = effects.chain(call);
            (is_project_module(&name.module) || named_io(&chain.base)).then_some(Io::Http)
        }
        By::Name => {
            let chain = effects.chain(call);
            (chain.links.is_empty() && named_io(&chain.base)).then_some(Io::Http)
        }
    }
}

/// Verbs of functions that fetch something from elsewhere.
fn speaks_of_io(name: &str) -> bool {
    const VERBS: &[&str] =
        &["get", "fetch", "find", "load", "list", "count", "query", "search", "retrieve", "select", "lookup"];
    let words = names::words(name);
    (words.first().is_some_and(|word| VERBS.contains(&word.as_str())) || names::is_getter_phrase(name))
        && !names::is_guard(name)
        && !names::is_timing(name)
        && !names::is_trap(name)
}

/// Receivers whose reads go elsewhere, by their last word.
const REMOTE: &[&str] = &[
    "service",
    "services",
    "repository",
    "repo",
    "dao",
    "api",
    "gateway",
    "database",
    "prisma",
    "query",
    "datasource",
    "sdk",
    "octokit",
    "remote",
    "backend",
];

/// True where a path is a read of another process by its names:
/// `this.users.findOne` of something called a service or a repository.
pub fn named_io(path: &Path<'_, '_>) -> bool {
    let root = match path.root {
        Root::Symbol(_, name) | Root::Global(name) => name,
        Root::This => "this",
        _ => return false,
    };
    let held = |name: &str| names::is_carrier(name) || names::is_serial(name);
    if held(root) || path.members.iter().rev().skip(1).any(|member| held(member)) {
        return false;
    }
    // `this.getUser()` of a class elsewhere may be anything.
    is_remote(path.receiver_name()) && speaks_of_io(path.leaf())
}

fn is_remote(receiver: &str) -> bool {
    let words = names::words(receiver.trim_end_matches('_'));
    words.last().is_some_and(|word| REMOTE.contains(&word.as_str()))
}

/// The same in a loop, where one call for all elements serves a transaction as
/// well: `userServiceTx.retrieve(id)`, `this.users.withTransaction(m).find(id)`.
pub fn named_io_of_element<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>) -> bool {
    let chain = effects.chain(call);
    let root = match chain.base.root {
        Root::Symbol(_, name) => name,
        Root::This => "this",
        _ => return false,
    };
    let bound = root.strip_suffix("Tx").or_else(|| root.strip_suffix("Trx"));
    match chain.links.as_slice() {
        [] => match bound {
            Some(service) => chain.base.members.len() == 1 && is_remote(service) && speaks_of_io(chain.base.leaf()),
            None => named_io(&chain.base),
        },
        [method] => {
            let binds = matches!(chain.base.leaf(), "withTransaction" | "withManager");
            binds && is_remote(chain.base.receiver_name()) && speaks_of_io(method)
        }
        _ => false,
    }
}

/// True for declarations of values: nothing is called, awaited or assigned.
fn is_pure(effects: &Effects<'_, '_>, statement: NodeId) -> bool {
    let model = effects.model;
    model.own_code(statement).into_iter().all(|id| match model.kind(id) {
        AstKind::CallExpression(_)
        | AstKind::NewExpression(_)
        | AstKind::AwaitExpression(_)
        | AstKind::YieldExpression(_)
        | AstKind::TaggedTemplateExpression(_)
        | AstKind::AssignmentExpression(_)
        | AstKind::UpdateExpression(_)
        | AstKind::ImportExpression(_)
        | AstKind::Class(_) => false,
        AstKind::UnaryExpression(unary) => !unary.operator.is_delete(),
        _ => true,
    })
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

/// True where the client of a call is a parameter that may be a transaction.
pub fn is_handed_over<'a>(effects: &Effects<'_, 'a>, read: &AwaitedRead<'a>) -> bool {
    match effects.chain(read.call).base.root {
        Root::Symbol(symbol, _) => matches!(effects.model.binding(symbol), Binding::Parameter),
        _ => false,
    }
}
