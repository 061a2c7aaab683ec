//! What an await of a run waits for.

use oxc_ast::ast::{Argument, AwaitExpression, CallExpression, ChainElement, Expression};

use crate::lang::typescript::clients::Nature;
use crate::lang::typescript::effects::{By, CallEffect, Effects, GIVEN};
use crate::lang::typescript::path::{Binding, Path, Root, is_project_module};
use crate::lang::typescript::{bare, names};
use crate::observe::{Confidence, Effect, Io, NameRef};

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
            By::Function(_) if self.effect.left_open => false,
            // What a function gives may be anything.
            By::Imported(name) if name.name.ends_with(GIVEN) => false,
            // Only its own file says what it is.
            By::Imported(name) | By::Typed(name) if !is_project_module(&name.module) => false,
            By::Imported(_) => speaks_of_io(chain.base.leaf()),
            By::Typed(_) => named_io(&chain.base) || is_query(chain.base.leaf()),
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

/// The call under an await, the elements of `Promise.all([f(), g()])`, or what
/// `Promise.all(ids.map((id) => f(id)))` calls for each element.
pub fn awaited_calls<'a>(
    effects: &Effects<'_, 'a>,
    awaited: &'a AwaitExpression<'a>,
) -> Option<Vec<&'a CallExpression<'a>>> {
    let call = effects.within_bound(called(&awaited.argument)?);
    if !effects.model.callee(call).is_global("Promise", &["all"]) {
        return Some(vec![call]);
    }
    let array = match call.arguments.as_slice() {
        [Argument::ArrayExpression(array)] => array,
        [Argument::CallExpression(mapped)] if effects.model.callee(mapped).leaf() == "map" => {
            let [Argument::ArrowFunctionExpression(each)] = mapped.arguments.as_slice() else { return None };
            return Some(vec![called(each.get_expression()?)?]);
        }
        _ => return None,
    };
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
pub fn guard<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>, effect: &CallEffect) -> Option<&'static str> {
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
        Effect::Unknown
            if (matches!(effect.by, By::Imported(_) | By::Typed(_)) || effect.left_open) && !names::is_trap(leaf) =>
        {
            None
        }
        Effect::None | Effect::Unknown => Some(""),
    }
}

/// What a read waits for; `None` where nothing says that it waits.
pub fn io<'a>(effects: &Effects<'_, 'a>, call: &'a CallExpression<'a>, effect: &CallEffect) -> Option<Io> {
    match &effect.by {
        By::Client(_) => Some(effect.io),
        By::Function(_) if effect.left_open => Some(effect.io.max(Io::Http)),
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

/// Methods that clients of databases have, and little else.
fn is_query(method: &str) -> bool {
    const QUERIES: &[&str] = &[
        "countDocuments",
        "estimatedDocumentCount",
        "findMany",
        "findUnique",
        "findUniqueOrThrow",
        "findFirst",
        "findFirstOrThrow",
        "findOne",
        "findOneBy",
        "findOneOrFail",
        "findAndCount",
        "findAndCountAll",
        "findByPk",
    ];
    QUERIES.contains(&method)
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

/// True where the client of a call is a parameter that may be a transaction, or
/// what hangs off it: `const users = manager?.getRepository(User) ?? own`.
pub fn is_handed_over<'a>(effects: &Effects<'_, 'a>, read: &AwaitedRead<'a>) -> bool {
    let model = effects.model;
    let parameter = |root: Root<'_, '_>| match root {
        Root::Symbol(symbol, _) => matches!(model.binding(symbol), Binding::Parameter),
        _ => false,
    };
    let root = effects.chain(read.call).base.root;
    let held = || match root {
        Root::Symbol(symbol, _) => match model.binding(symbol) {
            Binding::Constant(init) => match bare(init) {
                Expression::LogicalExpression(either) => parameter(model.begins_with(&either.left).root),
                _ => false,
            },
            _ => false,
        },
        _ => false,
    };
    parameter(root) || held()
}
