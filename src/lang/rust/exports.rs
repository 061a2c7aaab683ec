//! What other files may ask of this one: its async functions by what they do.

use super::Model;
use super::context::handed_to_router;
use super::effects::Resource;
use super::functions::Body;
use super::node::{Function, Impl, Kind, NodeId, Receiver};
use super::path::reference;
use super::values::Typed;
use crate::observe::{
    AsyncCall, Blocks, Context, Effect, Export, FunctionSummary, Io, NameRef, NamedCall, Observations,
};
use crate::source::Span;

/// The observations of a file: async functions under their name, methods under
/// `Type.method`.
pub fn observe(model: &Model<'_>) -> Observations {
    let mut observations = Observations::default();
    let blocking = model.blocking_functions();
    for function in model.tree.functions.iter().filter(|f| f.body.is_some()) {
        let blocks = blocking.get(&function.node);
        // Of plain functions only those that block concern anyone.
        if !function.is_async && blocks.is_none() || model.is_test(function.node) {
            continue;
        }
        let name = match model.owner_name(function) {
            Some(owner) => format!("{owner}.{}", function.name),
            None => function.name.clone(),
        };
        let summary = || match blocks {
            Some(blocks) => blocking_summary(function, blocks),
            None => summary(model, function),
        };
        observations.exports.entry(name).or_insert_with(|| Export::Function(summary()));
    }
    for function in model.tree.functions.iter().filter(|f| f.owner.is_none() && !model.is_test(f.node)) {
        if let Some(library) = model.makes_client(function) {
            let made = Export::Client(library.name(), function.name_span);
            observations.exports.insert(format!("{}()", function.name), made);
        } else if let Some((gift, encoding)) = model.only_encodes(function) {
            observations.exports.insert(format!("{}()", function.name), Export::Gives(gift, encoding));
        }
    }
    for function in model.tree.functions.iter().filter(|f| f.owner.is_some() && !model.is_test(f.node)) {
        if let Some((library, same)) = model.holds_new_client(function)
            && let Some(owner) = model.owner_name(function)
        {
            let name = format!("{owner}.{}", function.name);
            let made = Export::Client(library.name(), function.name_span);
            // What it gives to those who hand it what all share, and to whomever.
            if same {
                observations.exports.insert(format!("{name}(_)"), made.clone());
            }
            observations.exports.insert(format!("{name}()"), made);
        }
    }
    (observations.callers, observations.async_calls) = calls(model);
    if let Some(scope) = model.tree.scopes.get(&super::node::NodeId::ROOT) {
        for (name, path) in &scope.uses {
            let Some((leaf, module)) = path.split_last() else { continue };
            // An alias of a type of this file.
            let own = ["self".to_owned()];
            let module = if module.is_empty() && scope.items.contains(leaf) { &own[..] } else { module };
            // `use accounts_core as service`: another crate by a name of this one.
            if module.is_empty() && leaf != name {
                let of = crate::observe::NameRef { module: leaf.clone(), name: "self".into(), members: Vec::new() };
                observations.exports.entry(name.clone()).or_insert(Export::From(of));
            }
            // `pub use` and `use` are not told apart: a private one is never
            // asked for. A first segment that is no keyword may be a module
            // beside this one.
            if module.first().is_some_and(|first| !matches!(first.as_str(), "std" | "core" | "alloc")) {
                let reference =
                    crate::observe::NameRef { module: module.join("::"), name: leaf.clone(), members: Vec::new() };
                observations.exports.entry(name.clone()).or_insert(Export::From(reference));
            }
        }
        let own = |path: &&Vec<String>| path.first().is_some_and(|first| !matches!(first.as_str(), "std" | "core"));
        observations.star_exports = scope.globs.iter().filter(own).map(|path| path.join("::")).collect();
    }
    observe_types(model, &mut observations);
    const ROUTERS: &[&str] = &["axum", "actix_web", "poem", "salvo", "tide", "ntex", "rocket", "warp"];
    if ROUTERS.iter().any(|router| model.names_crate(router)) && !model.is_test(NodeId::ROOT) {
        let routed = handed_to_router(&model.tree).into_iter().filter_map(|argument| {
            let of = reference(&model.resolved(argument)?)?;
            (of.module != "self" && of.members.is_empty()).then(|| (of, model.tree.span(argument)))
        });
        observations.routed = routed.collect();
    }
    observations.timeout_layers = model.tree.all().filter_map(|id| timeout_layer(model, id)).collect();
    observations
}

/// What the types of this file hold and implement: fields under `Type.field`.
fn observe_types(model: &Model<'_>, observations: &mut Observations) {
    let named = |at: NodeId, path: &[String]| {
        let path = model.resolve(at, path)?;
        let (leaf, module) = path.split_last()?;
        let known = module.first().is_some_and(|first| !matches!(first.as_str(), "std" | "core" | "alloc"));
        known.then(|| NameRef { module: module.join("::"), name: leaf.clone(), members: Vec::new() })
    };
    for (name, fields) in &model.tree.structs {
        for (field, ty) in fields {
            let typed = model.peel(Typed { ty: ty.clone(), at: NodeId::ROOT });
            if let Some(of) = named(NodeId::ROOT, &typed.ty.path) {
                observations.exports.entry(format!("{name}.{field}")).or_insert(Export::From(of));
            }
        }
    }
    // What a `static` holds: the type of a client that all share.
    for id in model.tree.all() {
        let Kind::Once { name, ty } = model.tree.kind(id) else { continue };
        let typed = model.peel(Typed { ty: ty.clone(), at: id });
        if !model.is_test(id)
            && let Some(of) = named(id, &typed.ty.path)
        {
            observations.exports.entry(name.clone()).or_insert(Export::From(of));
        }
    }
    // What a method without arguments gives, under `Type.method()`.
    for function in model.tree.functions.iter().filter(|f| f.receiver.is_some() && f.params.is_empty() && !f.is_async) {
        let (Some(owner), Some(output)) = (model.owner_name(function), &function.output) else { continue };
        let typed = model.peel(Typed { ty: output.clone(), at: function.node });
        if let Some(of) = named(function.node, &typed.ty.path) {
            observations.exports.entry(format!("{owner}.{}()", function.name)).or_insert(Export::From(of));
        }
    }
    for id in model.tree.all() {
        let Kind::Impl(index) = model.tree.kind(id) else { continue };
        let Some(Impl { self_ty, trait_path: Some(path) }) = model.tree.impls.get(*index) else { continue };
        if !model.is_test(id)
            && let Some(of) = named(id, path)
        {
            observations.implements.push((of, self_ty.leaf().to_owned()));
        }
    }
}

/// `.layer(TimeoutLayer::new(…))`, `.wrap(from_fn(timeouts))`: by the names of
/// what is put around. What is put around the routes of one file, in a file
/// that neither serves nor joins others, bounds those only.
fn timeout_layer(model: &Model<'_>, id: NodeId) -> Option<Span> {
    let Kind::Method { name, name_span, args, .. } = model.tree.kind(id) else { return None };
    if !matches!(name.as_str(), "layer" | "route_layer" | "wrap") {
        return None;
    }
    let named = |id: NodeId| match model.tree.kind(id) {
        Kind::Path(path) => path.iter().any(|segment| segment.to_ascii_lowercase().contains("timeout")),
        _ => false,
    };
    let layer = args.iter().any(|&argument| model.tree.below(argument).any(named));
    let joins = || {
        let chain = model.chain(model.chain_end(id));
        let joined = ["merge", "nest", "nest_service", "configure", "mount", "add_service"];
        chain.iter().any(|(_, method)| joined.contains(method)) || serves(model)
    };
    (layer && joins()).then_some(*name_span)
}

/// True where a file starts a server.
fn serves(model: &Model<'_>) -> bool {
    model.tree.all().any(|id| match model.tree.kind(id) {
        Kind::Path(path) => match path.as_slice() {
            [.., owner, leaf] => {
                owner == "axum" && leaf == "serve"
                    || matches!(owner.as_str(), "HttpServer" | "Server" | "TcpListener")
                        && matches!(leaf.as_str(), "new" | "bind" | "builder")
            }
            _ => false,
        },
        Kind::Method { name, .. } => matches!(name.as_str(), "serve" | "serve_with_shutdown" | "into_make_service"),
        _ => false,
    })
}

/// A plain function that blocks; what it reads or writes is not looked at.
fn blocking_summary(function: &Function, blocks: &Blocks) -> FunctionSummary {
    FunctionSummary {
        is_async: false,
        waits: true,
        effect: Effect::Unknown,
        io: Io::Unseen,
        calls: Vec::new(),
        uses_transaction: false,
        handed: false,
        passes: false,
        span: function.name_span,
        blocks: Some(blocks.clone()),
    }
}

/// The calls of functions in this crate or another of its workspace: all of
/// them, and those in async code that are not awaited.
fn calls(model: &Model<'_>) -> (Vec<NamedCall>, Vec<AsyncCall>) {
    let (mut callers, mut unawaited) = (Vec::new(), Vec::new());
    for id in model.tree.all() {
        let name = match model.tree.kind(id) {
            Kind::Call { callee, .. } => match model.tree.kind(*callee) {
                Kind::Path(path) if is_own_type(path) => method_of(model, id, path.last()),
                Kind::Path(_) => model.callee(id).and_then(|path| reference(&path)),
                _ => None,
            },
            Kind::Method { receiver, name, .. } if is_self(model, *receiver) => method_of(model, id, Some(name)),
            // A method of another file's type, by the written type.
            Kind::Method { receiver, name, .. } if model.body_of(id) == Body::Async && !model.is_awaited(id) => {
                model.value_elsewhere(*receiver).map(|mut of| {
                    of.members.push(name.clone());
                    of
                })
            }
            _ => None,
        };
        let Some(name) = name else { continue };
        let Some(function) = model.function_of(id) else { continue };
        let context = model.context(id);
        if context == Context::Test {
            continue;
        }
        let concerned = !matches!(context, Context::Build | Context::Cli | Context::Startup);
        if concerned && !model.is_awaited(id) && model.body_of(id) == Body::Async {
            let (span, symbol, name) = (model.tree.span(id), model.symbol(id), name.clone());
            unawaited.push(AsyncCall {
                name,
                span,
                symbol,
                context,
                around: function.name_span,
                large: model.is_large_file(id),
            });
        }
        callers.push(NamedCall {
            name,
            around: (function.name.clone(), function.name_span),
            context,
            once: model.runs_once(id),
        });
    }
    (callers, unawaited)
}

fn is_own_type(path: &[String]) -> bool {
    path.len() == 2 && path[0] == "Self"
}

fn is_self(model: &Model<'_>, receiver: NodeId) -> bool {
    matches!(model.tree.kind(receiver), Kind::Path(path) if path.len() == 1 && path[0] == "self")
}

/// A method of the type around a node.
fn method_of(model: &Model<'_>, at: NodeId, method: Option<&String>) -> Option<NameRef> {
    let owner = model.owner_name(model.function_of(at)?)?.to_owned();
    Some(NameRef { module: "self".to_owned(), name: owner, members: vec![method?.clone()] })
}

fn summary(model: &Model<'_>, function: &Function) -> FunctionSummary {
    let mut all = FunctionSummary {
        is_async: true,
        waits: true,
        effect: Effect::None,
        io: Io::None,
        calls: Vec::new(),
        uses_transaction: takes_serial(function) || function.receiver == Some(Receiver::Exclusive),
        handed: false,
        passes: passes(model, function),
        span: function.name_span,
        blocks: None,
    };
    let Some(body) = function.body else { return all };
    for id in model.tree.below(body) {
        let Kind::Await(value) = model.tree.kind(id) else { continue };
        if model.is_spawned(id, body) || model.keeps_for_next(*value, body) {
            continue;
        }
        match model.operation(*value) {
            Some(operation) => {
                all.uses_transaction |= operation.resource == Resource::Serial;
                all.handed |= operation.resource == Resource::Unknown;
                // What another file waits for is for the join to find out.
                let io = if operation.elsewhere.is_some() { Io::None } else { operation.io };
                all.io = all.io.max(io);
                match operation.elsewhere {
                    // Its effect is for the join to find out.
                    Some(reference) if operation.effect != Effect::Write => all.calls.push(reference),
                    _ => all.effect = all.effect.max(operation.effect),
                }
            }
            None if model.is_neutral(*value) => {}
            None => all.effect = all.effect.max(Effect::Unknown),
        }
    }
    all
}

/// True where a function may be gone through without a wait that counts.
fn passes(model: &Model<'_>, function: &Function) -> bool {
    let Some(body) = function.body else { return false };
    let waits = model.tree.below(body).filter(|&id| match model.tree.kind(id) {
        Kind::Await(value) => {
            !model.is_neutral(*value) && !model.is_spawned(id, body) && !model.keeps_for_next(*value, body)
        }
        _ => false,
    });
    !model.runs_one_of(waits, body)
}

/// True where a function is handed a transaction or one connection.
fn takes_serial(function: &Function) -> bool {
    function.params.iter().any(|param| {
        let leaf = param.ty.leaf();
        let exclusive = param.ty.reference == Some(true);
        leaf == "Transaction" || leaf.ends_with("Transaction") || exclusive && leaf.ends_with("Connection")
    })
}
