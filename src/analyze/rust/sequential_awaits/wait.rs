//! What one statement is to a run: a wait that may belong to it, or a step that
//! only computes.

use std::collections::BTreeSet;

use crate::lang::rust::Model;
use crate::lang::rust::effects::Operation;
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, NodeId, Pattern};
use crate::lang::rust::uses::FILLS;
use crate::lang::typescript::names;
use crate::observe::Effect;

/// One `let pattern = call.await…;`, an entry of a literal, or a branch that
/// waits and goes on.
#[derive(Clone)]
pub struct Wait<'m> {
    /// The statement, or the entry.
    pub statement: NodeId,
    /// What is bound, where that is the answer itself; nothing by an entry.
    pub pattern: Option<&'m Pattern>,
    /// The names that hold what it gives.
    pub gives: BTreeSet<&'m str>,
    /// The first `.await`.
    pub awaited: NodeId,
    /// What is awaited; of a branch, all of it.
    pub call: NodeId,
    /// What that does.
    pub operation: Operation,
    /// Whether it is asked for at all, something decides.
    pub chosen: bool,
}

/// A statement that asks nobody, between two waits.
#[derive(Clone, Copy)]
pub struct Between {
    /// The statement.
    pub statement: NodeId,
    /// It calls what only its name says to compute.
    pub by_name: bool,
}

/// The wait of a statement.
pub fn wait<'m>(model: &'m Model<'_>, statement: NodeId) -> Option<Wait<'m>> {
    // Of two below `#[cfg(…)]`, which one is there is not seen.
    if model.tree.attrs.contains_key(&statement) {
        return None;
    }
    match model.tree.kind(statement) {
        Kind::Let { pattern, init: Some(init), otherwise: None, .. } => {
            // A result that nobody reads was asked for its effect, or to see
            // that it is there.
            if pattern.bound.iter().all(|bound| bound.name.starts_with('_')) {
                return None;
            }
            let gives: BTreeSet<&str> = pattern.bound.iter().map(|bound| bound.name.as_str()).collect();
            let (awaited, call, operation, chosen) = one(model, *init).or_else(|| branch(model, *init))?;
            let pattern = (!chosen).then_some(pattern);
            Some(Wait { statement, pattern, gives, awaited, call, operation, chosen })
        }
        Kind::Statement { value, .. } if let Some(wait) = put(model, statement, *value) => Some(wait),
        Kind::Statement { value, .. } => {
            let (awaited, call, operation, chosen) = branch(model, *value)?;
            let gives = filled(model, *value);
            Some(Wait { statement, pattern: None, gives, awaited, call, operation, chosen })
        }
        _ => None,
    }
}

/// `page.insert("orders", orders(user).await?);`: what a local is filled with.
fn put<'m>(model: &'m Model<'_>, statement: NodeId, value: NodeId) -> Option<Wait<'m>> {
    let Kind::Method { receiver, name, args, .. } = model.tree.kind(value) else { return None };
    let (&last, others) = args.split_last()?;
    if !FILLS.contains(&name.as_str()) || !others.iter().all(|&other| model.is_plain_value(other)) {
        return None;
    }
    let filled = root_name(model, *receiver).filter(|_| model.let_of(*receiver).is_some())?;
    let (awaited, call, operation, chosen) = one(model, last)?;
    let gives = BTreeSet::from([filled]);
    Some(Wait { statement, pattern: None, gives, awaited, call, operation, chosen })
}

/// The await, what is awaited, what that does, and whether it is a branch.
type Found = (NodeId, NodeId, Operation, bool);

/// `call.await?`, and what is made of its answer.
fn one(model: &Model<'_>, init: NodeId) -> Option<Found> {
    let awaited = model.tree.below(init).filter(|&id| matches!(model.tree.kind(id), Kind::Await(_))).last()?;
    if model.body_of(awaited) != Body::Async {
        return None;
    }
    let handled = taken_of(model, init, awaited)?;
    // `match call.await { Ok(value) => value, Err(error) => return … }` too.
    let matched = matches!(model.tree.kind(init), Kind::Match { on } if *on == handled);
    if handled != init && !matched {
        return None;
    }
    let Kind::Await(call) = model.tree.kind(awaited) else { return None };
    Some((awaited, *call, model.operation(*call)?, false))
}

/// `if wanted { f(id).await? } else { None }`: reads on a way that leads on,
/// whatever comes of it.
fn branch(model: &Model<'_>, value: NodeId) -> Option<Found> {
    let decides = match model.tree.kind(value) {
        Kind::If { cond, .. } => *cond,
        Kind::Match { on } => *on,
        _ => return None,
    };
    let is_await = |id: NodeId| matches!(model.tree.kind(id), Kind::Await(_));
    if is_await(decides) || model.tree.below(decides).any(is_await) {
        return None;
    }
    let mut found: Option<Found> = None;
    for id in model.tree.below(value) {
        match model.tree.kind(id) {
            Kind::Return | Kind::Break | Kind::Continue | Kind::Yield | Kind::Async => return None,
            Kind::Loop | Kind::While { .. } | Kind::For { .. } => return None,
            Kind::Closure { is_async: true, .. } => return None,
            Kind::Await(_) if model.body_of(id) != Body::Async => return None,
            Kind::Await(call) if model.is_neutral(*call) => {}
            Kind::Await(call) => {
                let operation = model.operation(*call)?;
                found = Some(match found {
                    None => (id, value, operation, true),
                    Some((first, _, before, _)) => {
                        // Two answers of other files at once are asked of neither.
                        let others = before.elsewhere.as_ref().zip(operation.elsewhere.as_ref());
                        if others.is_some_and(|(one, other)| one != other) {
                            return None;
                        }
                        (first, value, before.beside(operation), true)
                    }
                });
            }
            _ => {}
        }
    }
    found
}

/// The locals that a branch sets or fills: by a method whose answer nobody
/// takes, or one that is known to.
fn filled<'m>(model: &'m Model<'_>, value: NodeId) -> BTreeSet<&'m str> {
    let mut names = BTreeSet::new();
    for id in model.tree.below(value) {
        let dropped = || {
            let around = model.tree.node(model.unwrapped(id)).parent;
            matches!(model.tree.kind(around), Kind::Statement { dropped: true, .. })
        };
        let target = match model.tree.kind(id) {
            Kind::Assign { target, .. } => *target,
            Kind::Method { receiver, name, .. } if FILLS.contains(&name.as_str()) || dropped() => *receiver,
            Kind::Reference { mutable: true, value } => *value,
            _ => continue,
        };
        names.extend(root_name(model, target));
    }
    names
}

fn root_name<'m>(model: &'m Model<'_>, node: NodeId) -> Option<&'m str> {
    match model.tree.kind(node) {
        Kind::Path(path) => path.first().map(String::as_str),
        Kind::Field { base, .. } => root_name(model, *base),
        Kind::Unary(value) | Kind::Reference { value, .. } => root_name(model, *value),
        _ => None,
    }
}

/// What is made of an awaited answer where that asks nobody else: its body,
/// a column, a list of what it holds. `None` where another call is awaited
/// beside it.
fn taken_of(model: &Model<'_>, init: NodeId, awaited: NodeId) -> Option<NodeId> {
    let mut at = model.unwrapped(awaited);
    while at != init {
        let parent = model.tree.node(at).parent;
        let taken = match model.tree.kind(parent) {
            Kind::Method { receiver, name, .. } if *receiver == at => {
                model.reads_body(parent) || names::effect_of(name) != Effect::Write
            }
            // `Some(answer)`, `Json(answer)`.
            Kind::Call { callee, args } => {
                args.as_slice() == [at]
                    && model.leaf_name(*callee).is_some_and(|leaf| leaf.starts_with(char::is_uppercase))
            }
            Kind::Field { .. } => true,
            _ => false,
        };
        if !taken {
            break;
        }
        at = model.unwrapped(parent);
    }
    let all = model.tree.below(init).filter(|&id| matches!(model.tree.kind(id), Kind::Await(_)));
    let own = |id: &NodeId| model.tree.is_within(*id, at) && model.tree.is_within(awaited, *id);
    all.into_iter().all(|id| own(&id)).then_some(at)
}

/// The awaited entries of a struct, tuple, array or call, which are evaluated in
/// turn: `Shown { users: users().await?, total: count().await? }`.
pub fn entries<'m>(model: &'m Model<'_>, literal: NodeId) -> Vec<Wait<'m>> {
    let values: Vec<NodeId> = match model.tree.kind(literal) {
        Kind::Struct { fields, .. } => fields.iter().map(|(_, value)| *value).collect(),
        Kind::List(elements) => elements.clone(),
        Kind::Call { args, .. } | Kind::Method { args, .. } if args.len() > 1 => args.clone(),
        _ => return Vec::new(),
    };
    let mut waits = Vec::new();
    for value in values {
        match entry(model, value) {
            Some(wait) => waits.push(wait),
            None if model.is_plain_value(value) => {}
            None => return Vec::new(),
        }
    }
    waits
}

fn entry<'m>(model: &'m Model<'_>, value: NodeId) -> Option<Wait<'m>> {
    let inside = model.tree.below(value);
    let mut awaits = inside.filter(|&id| matches!(model.tree.kind(id), Kind::Await(_)));
    let awaited = awaits.next()?;
    if awaits.next().is_some() || model.unwrapped(awaited) != value || model.body_of(awaited) != Body::Async {
        return None;
    }
    let Kind::Await(call) = model.tree.kind(awaited) else { return None };
    let operation = model.operation(*call)?;
    Some(Wait {
        statement: value,
        pattern: None,
        gives: BTreeSet::new(),
        awaited,
        call: *call,
        operation,
        chosen: false,
    })
}

/// A statement that only gives a value, fills a local, or logs.
pub fn between(model: &Model<'_>, statement: NodeId) -> Option<Between> {
    if model.tree.attrs.contains_key(&statement) {
        return None;
    }
    let of = |by_name| Some(Between { statement, by_name });
    match model.tree.kind(statement) {
        Kind::Let { init: None, .. } | Kind::Item => of(false),
        // A connection from the pool waits for no answer.
        Kind::Let { otherwise: None, init: Some(init), .. } if takes_connection(model, *init) => of(false),
        Kind::Let { otherwise: None, init: Some(init), .. } if model.is_plain_value(*init) => of(false),
        Kind::Let { otherwise: None, init: Some(init), .. } if computes(model, *init) => of(true),
        Kind::Statement { value, .. } if model.is_log(*value) => of(false),
        // `if slow { warn!(…) }`.
        Kind::Statement { value, .. } if only_logs(model, *value) => of(false),
        Kind::Macro { .. } if model.is_log(statement) => of(false),
        _ => None,
    }
}

/// A branch that does nothing but log.
fn only_logs(model: &Model<'_>, value: NodeId) -> bool {
    let Kind::If { cond, then, otherwise } = model.tree.kind(value) else { return false };
    let logs = |branch: NodeId| {
        let plain = |id: NodeId| matches!(model.tree.kind(id), Kind::Statement { value, .. } if model.is_log(*value));
        let mut all = model.tree.children(branch).peekable();
        all.peek().is_some() && all.all(|id| plain(id) || model.is_log(id))
    };
    model.is_plain_value(*cond) && logs(*then) && otherwise.is_none_or(logs)
}

/// `pool.get().await?`.
fn takes_connection(model: &Model<'_>, init: NodeId) -> bool {
    let inside = model.tree.below(init);
    let mut awaits = inside.filter_map(|id| match model.tree.kind(id) {
        Kind::Await(value) => Some((id, *value)),
        _ => None,
    });
    match (awaits.next(), awaits.next()) {
        (Some((awaited, value)), None) => model.unwrapped(awaited) == init && model.takes_connection(value),
        _ => false,
    }
}

/// A plain function of this file that is lent what it reads, and gives a value
/// whatever it finds.
fn gives_value(model: &Model<'_>, call: NodeId) -> bool {
    // What changes something through a shared reference.
    const INSIDE: &[&str] = &[
        "lock",
        "write",
        "borrow_mut",
        "set",
        "store",
        "swap",
        "replace",
        "fetch_add",
        "fetch_sub",
        "send",
        "try_send",
        "insert",
        "remove",
        "inc",
        "observe",
        "execute",
        "load",
    ];
    let Some(function) = model.called_here(call).filter(|function| !function.is_async) else { return false };
    let (Some(body), Some(output)) = (function.body, &function.output) else { return false };
    let writes = function.params.iter().any(|param| param.ty.reference == Some(true));
    let plain = |id: NodeId| match model.tree.kind(id) {
        Kind::Macro { .. } => model.is_log(id),
        Kind::Call { .. } | Kind::Async | Kind::Loop | Kind::While { .. } => false,
        Kind::Method { name, .. } => !INSIDE.contains(&name.as_str()),
        _ => true,
    };
    !writes
        && !matches!(output.leaf(), "Result")
        && !names::is_guard(&function.name)
        && names::effect_of(&function.name) != Effect::Write
        && model.tree.below(body).all(plain)
}

/// True for code that awaits nothing, cannot leave, and calls nothing that
/// checks or writes by its name.
fn computes(model: &Model<'_>, value: NodeId) -> bool {
    let harmless = |name: &str| names::makes_value(name) && !names::is_guard(name) && !names::is_authentication(name);
    let inside = model.tree.below(value);
    inside.into_iter().all(|id| match model.tree.kind(id) {
        Kind::Await(_) | Kind::Try(_) | Kind::Return | Kind::Break | Kind::Continue | Kind::Yield => false,
        Kind::Async | Kind::Loop | Kind::While { .. } | Kind::For { .. } | Kind::Assign { .. } => false,
        Kind::Closure { is_async, .. } => !is_async,
        Kind::Reference { mutable, .. } => !mutable,
        Kind::Method { name, .. } => !matches!(name.as_str(), "lock" | "write" | "borrow_mut") && harmless(name),
        Kind::Call { callee, .. } => model.leaf_name(*callee).is_none_or(harmless) || gives_value(model, id),
        Kind::Macro { path, .. } => {
            let leaf = path.last().map_or("", String::as_str);
            matches!(leaf, "format" | "vec" | "json" | "matches" | "concat") || model.is_log(id)
        }
        _ => true,
    })
}
