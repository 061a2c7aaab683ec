//! Pools that a function builds each time it is called.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, Expression};
use oxc_syntax::node::NodeId;

use crate::analyze::Sink;
use crate::analyze::typescript::instance::{self, Kept};
use crate::analyze::typescript::pool_libraries::Library;
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::Binding;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Confidence, Context, IfNo, Need, Question, Step};

/// A pool that a function builds each time it is called: `node` itself, or a
/// call of the function that makes it.
pub(super) fn built_per_call(
    model: &Model<'_>,
    sink: &mut Sink<'_>,
    made: NodeId,
    node: NodeId,
    library: &Library,
) -> bool {
    let enclosing = &model.enclosing(node);
    let Some(function) = enclosing.function else { return false };
    if model.is_in_constructor(node) || !matches!(enclosing.context, Context::Handler | Context::Library) {
        return false;
    }
    let place = span(&model.kind(node));
    // A command does its work once.
    let not_command_line = Need {
        question: Question::NotCommandLine,
        span: None,
        if_unknown: Some(Confidence::Certain),
        if_no: IfNo::Clear,
    };
    let builder = sink
        .candidate(place, enclosing.symbol.clone(), enclosing.context)
        .request_path_by_name(enclosing.request_path_by_name.clone())
        .variant("per-call")
        .value("library", library.name)
        .need(not_command_line);
    let handler = enclosing.context == Context::Handler;
    let kept = instance::kept(model, node);
    let local = match &kept {
        Kept::Variable(symbol) => {
            let declared = model.scoping().symbol_declaration(*symbol);
            model.is_within(declared, function)
        }
        Kept::Elsewhere => handler,
        Kept::Field(_) | Kept::Returned => false,
    };
    if !local {
        return false;
    }
    if is_cached(model, node, function) {
        sink.push(builder.clear(Step::new("cached")));
        return false;
    }
    let followed = instance::follow(model, node);
    let closing = |&&id: &&NodeId| match model.kind(id) {
        AstKind::CallExpression(call) => {
            matches!(model.callee(call).leaf(), "end" | "close" | "$disconnect" | "destroy" | "drain")
        }
        _ => false,
    };
    let closes = followed.calls.iter().find(closing).map(|&id| span(&model.kind(id)));
    // Whoever it is lent to has it until it is closed here: not by a hook, nor
    // where something has failed.
    let nodes = model.nodes();
    let in_catch = |id: NodeId| {
        let mut around = nodes.ancestor_ids(id).take_while(|&around| around != function);
        around.any(|around| matches!(model.kind(around), AstKind::CatchClause(_)))
    };
    let lent =
        followed.calls.iter().filter(closing).any(|&id| model.function_of(id) == Some(function) && !in_catch(id));
    let returned = matches!(&kept, Kept::Variable(symbol) if is_returned(model, *symbol));
    if returned || !handler && followed.escapes && !lent {
        sink.push(builder.clear(Step::new(if returned { "factory" } else { "escapes" })));
        return false;
    }
    let built = span(&model.kind(made));
    let builder = builder.evidence(Step::at("built-here", built).with("library", library.name));
    let builder = match (handler, closes) {
        (true, None) => builder,
        (true, Some(at)) => builder.evidence(Step::at("closed-here", at)),
        (false, Some(at)) if !is_once(model, function) => {
            let builder = builder.evidence(Step::at("closed-here", at));
            // Each call may go to another server, which one pool cannot serve.
            match is_handed_server(model, node) {
                true => builder.doubt(Step::new("built-often")),
                false => builder.assume(Step::new("built-often")),
            }
        }
        _ => builder.clear(Step::new("built-once")),
    };
    sink.push(builder);
    true
}

/// True where the connection's text is a parameter: `new Pool(connectionString)`.
fn is_handed_server(model: &Model<'_>, node: NodeId) -> bool {
    let arguments = match model.kind(node) {
        AstKind::NewExpression(new) => new.arguments.as_slice(),
        AstKind::CallExpression(call) => call.arguments.as_slice(),
        _ => return false,
    };
    arguments.iter().filter_map(Argument::as_expression).any(|argument| match bare(argument) {
        Expression::Identifier(id) => {
            model.symbol_of(id).is_some_and(|symbol| matches!(model.binding(symbol), Binding::Parameter))
        }
        _ => false,
    })
}

/// Kept in something that outlives the call: `cached ??= new Pool()`,
/// `globalThis.pool = …`, a test whether it is there yet.
fn is_cached(model: &Model<'_>, node: NodeId, function: NodeId) -> bool {
    let guarded = model.nodes().ancestor_ids(node).take_while(|&id| id != function).any(|id| {
        matches!(
            model.kind(id),
            AstKind::IfStatement(_) | AstKind::LogicalExpression(_) | AstKind::ConditionalExpression(_)
        )
    });
    let around = model.text(&model.kind(function));
    const CACHES: &[&str] =
        &["globalThis", "global.", "??=", "||=", ".set(", "cache", "Cache", "singleton", "memo", "once("];
    guarded || CACHES.iter().any(|mark| around.contains(mark))
}

fn is_returned(model: &Model<'_>, symbol: oxc_syntax::symbol::SymbolId) -> bool {
    model.scoping().get_resolved_references(symbol).any(|reference| {
        matches!(
            model.nodes().parent_kind(reference.node_id()),
            AstKind::ReturnStatement(_) | AstKind::ObjectProperty(_) | AstKind::ArrayExpression(_)
        )
    })
}

/// Functions whose name says that they run once, or make what others keep.
fn is_once(model: &Model<'_>, function: NodeId) -> bool {
    const ONCE: &[&str] = &[
        "create",
        "make",
        "build",
        "init",
        "connect",
        "factory",
        "setup",
        "open",
        "provide",
        "migrate",
        "migration",
        "migrations",
        "seed",
        "drop",
        "ensure",
        "check",
        "test",
        "install",
        "bootstrap",
        "grant",
        "provision",
        "reset",
        "clone",
        "backup",
        "wait",
        "health",
        "ping",
        "verify",
        "validate",
        "probe",
    ];
    let Some(name) = model.name_of(function) else { return true };
    words(&name).iter().any(|word| ONCE.contains(&word.as_str()))
}
