//! What other files may ask of this one: its async functions by what they do.

use super::Model;
use super::effects::Resource;
use super::node::{Function, Kind, NodeId};
use crate::observe::{Effect, Export, FunctionSummary, Io, Observations};
use crate::source::Span;

/// The observations of a file: async functions under their name, methods under
/// `Type.method`.
pub fn observe(model: &Model<'_>) -> Observations {
    let mut observations = Observations::default();
    for function in model.tree.functions.iter().filter(|f| f.is_async && f.body.is_some()) {
        if model.is_test(function.node) {
            continue;
        }
        let name = match model.owner_name(function) {
            Some(owner) => format!("{owner}.{}", function.name),
            None => function.name.clone(),
        };
        observations.exports.entry(name).or_insert_with(|| Export::Function(summary(model, function)));
    }
    if let Some(scope) = model.tree.scopes.get(&super::node::NodeId::ROOT) {
        for (name, path) in &scope.uses {
            let Some((leaf, module)) = path.split_last() else { continue };
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
    observations.timeout_layers = model.tree.all().filter_map(|id| timeout_layer(model, id)).collect();
    observations
}

/// `.layer(TimeoutLayer::new(…))`, `.wrap(from_fn(timeouts))`: by the names of
/// what is put around.
fn timeout_layer(model: &Model<'_>, id: NodeId) -> Option<Span> {
    let Kind::Method { name, name_span, args, .. } = model.tree.kind(id) else { return None };
    if !matches!(name.as_str(), "layer" | "route_layer" | "wrap") {
        return None;
    }
    let named = |id: NodeId| match model.tree.kind(id) {
        Kind::Path(path) => path.iter().any(|segment| segment.to_ascii_lowercase().contains("timeout")),
        _ => false,
    };
    args.iter().any(|&argument| model.tree.below(argument).any(named)).then_some(*name_span)
}

fn summary(model: &Model<'_>, function: &Function) -> FunctionSummary {
    let mut all = FunctionSummary {
        is_async: true,
        waits: true,
        effect: Effect::None,
        io: Io::None,
        calls: Vec::new(),
        uses_transaction: takes_serial(function),
        span: function.name_span,
    };
    let Some(body) = function.body else { return all };
    for id in model.tree.below(body) {
        let Kind::Await(value) = model.tree.kind(id) else { continue };
        match model.operation(*value) {
            Some(operation) => {
                all.io = all.io.max(operation.io);
                all.uses_transaction |= operation.resource == Resource::Serial;
                match operation.elsewhere {
                    // Its effect is for the join to find out.
                    Some(reference) if operation.effect != Effect::Write => all.calls.push(reference),
                    _ => all.effect = all.effect.max(operation.effect),
                }
            }
            None if model.reads_body(*value) => {}
            None => all.effect = all.effect.max(Effect::Unknown),
        }
    }
    all
}

/// True where a function is handed a transaction or one connection.
fn takes_serial(function: &Function) -> bool {
    function.params.iter().any(|param| {
        let leaf = param.ty.leaf();
        let exclusive = param.ty.reference == Some(true);
        leaf == "Transaction" || leaf.ends_with("Transaction") || exclusive && leaf.ends_with("Connection")
    })
}
