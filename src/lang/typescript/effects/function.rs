//! Functions as their callers need to know them.

use std::collections::BTreeSet;

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::pure::{is_fresh, is_pure, is_pure_package};
use super::wrapped::is_wrapper;
use super::{By, Effects, handed, memo, raw, sql};
use crate::lang::typescript::clients::{Kind, Nature};
use crate::lang::typescript::names;
use crate::lang::typescript::path::{Binding, Root, argument, is_project_module};
use crate::lang::typescript::uses::Uses;
use crate::lang::typescript::{Model, bare};
use crate::lang::ways::{Way, runs_one_of};
use crate::observe::{Effect, FunctionSummary, Io, NameRef};

/// A function of this file.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// What other files see: functions of other files are left open.
    pub public: FunctionSummary,
    /// The effect with other files' functions taken by their names.
    pub named: Effect,
    /// `named` rests on a name that no other file answers for.
    pub by_name: bool,
    /// The parameter, by its index, that decides what its request asks for.
    pub decided_by: Option<usize>,
    /// Calls on clients of other files, which `named` takes for reads.
    pub clients: BTreeSet<NameRef>,
    /// The first function of another file that it waits for.
    pub waited: Option<NameRef>,
    /// It keeps what it asks for until that has run out; most calls of it wait
    /// for nothing.
    pub refills: bool,
}

/// A read that rests on more functions of other files than this is not shown
/// to be one; the bound also keeps summaries small.
const DEPENDENCIES: usize = 8;

impl Summary {
    /// A function that does nothing, as far as is known yet.
    pub(super) fn empty(model: &Model<'_>, function: NodeId) -> Self {
        let public = FunctionSummary {
            is_async: model.is_async(function),
            waits: waits(model, function),
            effect: Effect::None,
            io: Io::None,
            calls: Vec::new(),
            uses_transaction: false,
            handed: false,
            passes: false,
            span: model.name_span(function),
            blocks: None,
        };
        Self {
            public,
            named: Effect::None,
            by_name: false,
            decided_by: None,
            clients: BTreeSet::new(),
            waited: None,
            refills: false,
        }
    }

    /// True where only functions of other files say whether it reads, or what
    /// it waits for.
    pub(super) fn is_left_open(&self) -> bool {
        let open = self.named == Effect::Unknown || self.public.io <= Io::Unseen;
        let project = self.waited.as_ref().is_some_and(|name| is_project_module(&name.module));
        open && project && self.named != Effect::Write && self.public.effect <= Effect::Read
    }

    pub(super) fn of<'a>(effects: &Effects<'_, 'a>, function: NodeId) -> Self {
        let model = effects.model;
        let mut summary = Self::empty(model, function);
        let generator = matches!(model.kind(function), AstKind::Function(f) if f.generator);
        if generator || model.parameters(function).is_none() {
            summary.raise(Effect::Unknown);
        }
        let keeps = writes_outside(model, function);
        for parameter in model.parameters(function).iter().flat_map(|p| &p.items) {
            if let oxc_ast::ast::BindingPattern::BindingIdentifier(id) = &parameter.pattern {
                summary.public.uses_transaction |= id.name.len() > 1 && names::is_carrier(&id.name);
            }
        }
        for id in model.subtree(function) {
            match model.kind(id) {
                AstKind::CallExpression(call) => summary.take_call(effects, call, function),
                AstKind::TaggedTemplateExpression(tagged) => {
                    let leaf = model.path_of(&tagged.tag).leaf();
                    // postgres.js and its like send what is awaited.
                    let queries = leaf == "$queryRaw" || matches!(leaf, "sql" | "pg") && is_sent(model, id);
                    match leaf {
                        _ if queries => {
                            summary.raise(sql::effect(&sql::template_text(&tagged.quasi)));
                            summary.public.io = summary.public.io.max(Io::Database);
                        }
                        "sql" | "gql" | "html" | "css" | "raw" | "dedent" => {}
                        _ => summary.raise(Effect::Unknown),
                    }
                }
                AstKind::YieldExpression(_) => summary.raise(Effect::Unknown),
                AstKind::ForOfStatement(each) if each.r#await => summary.raise(Effect::Unknown),
                _ => {}
            }
        }
        if keeps {
            // A token may be asked for by a request that writes a session.
            let only_reads =
                summary.named <= Effect::Read || model.name_of(function).is_some_and(|name| asks_token(&name));
            summary.refills = only_reads && model.is_async(function) && memo::refills(model, function);
            summary.named = summary.named.max(Effect::Write);
            // What it is not known to do besides does not make it unknown.
            summary.public.effect = Effect::Write;
        }
        if summary.public.effect > Effect::Read {
            // Nothing that another file does makes it a read again.
            summary.public.calls = Vec::new();
        } else if summary.public.io > Io::None || !summary.public.calls.is_empty() {
            summary.public.passes = passes(model, function);
        }
        summary
    }

    fn raise(&mut self, effect: Effect) {
        self.public.effect = self.public.effect.max(effect);
        self.named = self.named.max(effect);
    }

    /// Notes the parameter that decides what is asked for; two are too many to
    /// follow.
    fn decide_by(&mut self, index: usize) {
        match self.decided_by {
            Some(other) if other != index => self.raise(Effect::Unknown),
            _ => self.decided_by = Some(index),
        }
        self.public.handed = true;
    }

    /// Notes a function of another file; what depends on too many is unknown.
    fn depend(&mut self, name: &NameRef) {
        if self.public.effect > Effect::Read {
            return;
        }
        if self.public.calls.len() >= DEPENDENCIES {
            return self.raise(Effect::Unknown);
        }
        if let Err(place) = self.public.calls.binary_search(name) {
            self.public.calls.insert(place, name.clone());
        }
    }

    fn take_call<'a>(&mut self, effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>, function: NodeId) {
        let model = effects.model;
        if is_wrapper(model, call)
            || memo::fills_map(model, call, function)
            || is_pure(effects, call, function)
            || begins_query(effects, call, function)
            || raw::is_event(model, call, function)
        {
            return;
        }
        if let Some(effect) = raw::request(model, call) {
            self.raise(effect);
            self.public.io = self.public.io.max(Io::Http);
            return;
        }
        if let Some(index) = handed::deciding_parameter(effects, call, function) {
            self.raise(Effect::Read);
            self.public.io = self.public.io.max(Io::Http);
            return self.decide_by(index);
        }
        if memo::keeps_for_next(model, call, function) {
            return self.raise(Effect::Read);
        }
        let found = effects.call(call);
        // What may be a transaction and is handed in is whatever the caller hands.
        let callers = || found.nature == Nature::Either && is_handed_in(model, call, function);
        self.public.uses_transaction |= found.nature != Nature::Parallel && !callers() || found.carries_transaction;
        match &found.by {
            By::Imported(name) | By::Typed(name) if is_pure_package(&name.module) => {}
            By::Imported(name) | By::Typed(name) => {
                self.depend(name);
                if self.waited.is_none() && is_waited_for(model, call) {
                    self.waited = Some(name.clone());
                }
                self.named = self.named.max(found.effect);
                self.public.handed |= handed::hands_over(model, call);
                if handed::says_write(model, call) {
                    self.raise(Effect::Write);
                }
            }
            By::Function(inner) => {
                let inner = effects.summary(*inner);
                // A token that is asked for once in a while.
                if inner.refills {
                    return self.raise(Effect::Read);
                }
                if let Some(index) = inner.decided_by {
                    let given = argument(&call.arguments, index);
                    match given.and_then(|given| handed::decided_by(model, given, function)) {
                        Some(own) => self.decide_by(own),
                        None => self.raise(handed::asked(model, call, index)),
                    }
                }
                self.public.effect = self.public.effect.max(inner.public.effect);
                self.public.io = self.public.io.max(inner.public.io);
                for name in &inner.public.calls {
                    self.depend(name);
                }
                if self.waited.is_none() && is_waited_for(model, call) {
                    self.waited = inner.waited.clone();
                }
                self.named = self.named.max(inner.named);
                self.by_name |= inner.by_name;
                self.clients.extend(inner.clients.iter().cloned());
            }
            // The commands that it sends were queued one by one.
            By::Client(client) if client.kind == Kind::Redis && sends_queued(model, call) => {
                self.raise(Effect::Read);
                self.public.io = self.public.io.max(found.io);
            }
            By::Client(client) => {
                let kept = client.kind == Kind::Redis && memo::reads_through(model, call, function);
                self.raise(if kept { Effect::Read } else { found.effect });
                self.public.io = self.public.io.max(found.io);
                match effects.client_elsewhere(call, &found) {
                    Some(name) => self.clients.extend([name]),
                    None => self.by_name |= found.by_name,
                }
            }
            By::Name => {
                self.by_name = true;
                let node = AstKind::CallExpression(call).node_id();
                // `this.splitEnabled()` only tells.
                let told = !is_waited_for(model, call) && names::is_predicate(model.callee(call).leaf());
                self.raise(if told { Effect::None } else { found.effect });
                if matches!(model.nodes().parent_kind(node), AstKind::AwaitExpression(_)) {
                    self.public.io = self.public.io.max(Io::Unseen);
                }
            }
        }
    }
}

/// True for `batch.exec()` of `const batch = redis.pipeline()`.
fn sends_queued(model: &Model<'_>, call: &CallExpression<'_>) -> bool {
    let path = model.callee(call);
    let (Root::Symbol(symbol, _), ["exec"]) = (path.root, path.members.as_slice()) else { return false };
    let begun = match model.binding(symbol) {
        Binding::Constant(init) => match bare(init) {
            // One that is handed its commands, or to somebody, may do anything.
            Expression::CallExpression(begun) => {
                begun.arguments.is_empty() && matches!(model.callee(begun).leaf(), "pipeline" | "multi")
            }
            _ => false,
        },
        _ => false,
    };
    let nodes = model.nodes();
    let only_called = |at| matches!(nodes.parent_kind(at), AstKind::StaticMemberExpression(_));
    begun && model.scoping().get_resolved_references(symbol).all(|reference| only_called(reference.node_id()))
}

/// True where the function's own parameter is what `call` is made on.
fn is_handed_in(model: &Model<'_>, call: &CallExpression<'_>, function: NodeId) -> bool {
    match model.callee(call).root {
        Root::Symbol(symbol, _) => {
            matches!(model.binding(symbol), Binding::Parameter)
                && model.function_of(model.scoping().symbol_declaration(symbol)) == Some(function)
        }
        _ => false,
    }
}

/// True for `knex('users')` in `knex('users').where(…)`: what the whole chain
/// does is seen at its end.
fn begins_query<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>, function: NodeId) -> bool {
    let nodes = effects.model.nodes();
    let (mut end, mut at) = (call, call);
    loop {
        let member = nodes.parent_id(AstKind::CallExpression(at).node_id());
        let AstKind::StaticMemberExpression(_) = nodes.kind(member) else { break };
        let AstKind::CallExpression(outer) = nodes.parent_kind(member) else { break };
        if outer.callee.span() != nodes.kind(member).span() {
            break;
        }
        at = outer;
        // What only reads the answer says nothing of the query.
        if !is_pure(effects, outer, function) {
            end = outer;
        }
    }
    !std::ptr::eq(end, call) && matches!(effects.call(end).by, By::Client(_))
}

/// `accessToken`, `session`: what is asked for once in a while, to ask at all.
fn asks_token(name: &str) -> bool {
    names::words(name)
        .iter()
        .any(|word| matches!(word.as_str(), "token" | "session" | "auth" | "credentials" | "bearer"))
}

/// True for a call that is awaited or returned, itself or in `Promise.all`.
fn is_waited_for(model: &Model<'_>, call: &CallExpression<'_>) -> bool {
    let mut at = call.node_id.get();
    if matches!(model.nodes().parent_kind(at), AstKind::ArrayExpression(_)) {
        let array = model.nodes().parent_id(at);
        match model.nodes().parent_kind(array) {
            AstKind::CallExpression(all) if model.callee(all).is_global("Promise", &["all"]) => {
                at = all.node_id.get();
            }
            _ => return false,
        }
    }
    is_sent(model, at)
}

/// True for a value that is awaited or returned as it stands.
fn is_sent(model: &Model<'_>, template: NodeId) -> bool {
    matches!(
        model.nodes().parent_kind(template),
        AstKind::AwaitExpression(_) | AstKind::ReturnStatement(_) | AstKind::ArrowFunctionExpression(_)
    )
}

/// False for an async function that neither awaits nor gives back what a call
/// gives; one that is not async may hand on a promise in any way.
fn waits(model: &Model<'_>, function: NodeId) -> bool {
    if !model.is_async(function) {
        return true;
    }
    if let AstKind::ArrowFunctionExpression(arrow) = model.kind(function)
        && let Some(value) = arrow.get_expression()
        && gives_call(value)
    {
        return true;
    }
    model.own_code(function).into_iter().any(|id| match model.kind(id) {
        AstKind::AwaitExpression(_) | AstKind::YieldExpression(_) => true,
        AstKind::ForOfStatement(each) => each.r#await,
        AstKind::ReturnStatement(given) => given.argument.as_ref().is_some_and(gives_call),
        _ => false,
    })
}

/// True for a value that may be the promise which a call gives.
fn gives_call(value: &Expression<'_>) -> bool {
    matches!(
        bare(value),
        Expression::CallExpression(_)
            | Expression::TaggedTemplateExpression(_)
            | Expression::AwaitExpression(_)
            | Expression::ChainExpression(_)
            | Expression::ConditionalExpression(_)
            | Expression::LogicalExpression(_)
            | Expression::NewExpression(_)
    )
}

/// True where a function may be gone through without a wait.
fn passes(model: &Model<'_>, function: NodeId) -> bool {
    if matches!(model.kind(function), AstKind::ArrowFunctionExpression(arrow) if arrow.get_expression().is_some()) {
        return false;
    }
    let own = model.own_code(function);
    let waits = own.into_iter().filter(|&id| match model.kind(id) {
        AstKind::AwaitExpression(_) => true,
        AstKind::ReturnStatement(given) => given.argument.as_ref().is_some_and(gives_call),
        _ => false,
    });
    !runs_one_of(waits, function, |id| model.nodes().parent_id(id), |outer, id| way(model, outer, id))
}

fn way(model: &Model<'_>, outer: NodeId, inner: NodeId) -> Way {
    let is = |at: &dyn GetSpan| at.span() == model.kind(inner).span();
    match model.kind(outer) {
        AstKind::IfStatement(branch) if !is(&branch.test) => match branch.alternate {
            Some(_) => Way::OneOf { of: 2 },
            None => Way::Maybe,
        },
        AstKind::ConditionalExpression(branch) if !is(&branch.test) => Way::OneOf { of: 2 },
        AstKind::LogicalExpression(either) if !is(&either.left) => Way::Maybe,
        AstKind::SwitchStatement(switch) if !is(&switch.discriminant) => {
            let exhaustive = switch.cases.iter().any(|case| case.test.is_none());
            // A case without code of its own is the next one by another name.
            let ways = switch.cases.iter().filter(|case| !case.consequent.is_empty()).count();
            if exhaustive { Way::OneOf { of: ways } } else { Way::Maybe }
        }
        AstKind::TryStatement(attempt) if attempt.handler.as_ref().is_some_and(|handler| is(&**handler)) => Way::Maybe,
        _ => Way::Sure,
    }
}

/// True where a function writes what is bound outside of it: a variable, a
/// field, a parameter's member.
fn writes_outside(model: &Model<'_>, function: NodeId) -> bool {
    let uses = Uses::of(model, function);
    let outside = |&symbol: &SymbolId| !model.is_within(model.scoping().symbol_declaration(symbol), function);
    let written: Vec<SymbolId> = uses.defines.iter().copied().filter(outside).collect();
    let plain =
        !uses.defines_this && uses.defines_globals.is_empty() && uses.mutates.iter().all(|s| !written.contains(s));
    if plain && !written.is_empty() && memo::fills_once(model, function, &written) {
        return uses.mutates.iter().any(|&symbol| !is_fresh(model, symbol));
    }
    // What computes may fill what it is handed: it is done before anybody else
    // looks.
    let fills = || model.is_async(function) && uses.mutates.iter().any(|&symbol| !is_fresh(model, symbol));
    uses.writes_outside(model, function) || fills()
}
