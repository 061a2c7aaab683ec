//! The patch: the same function's asynchronous variant, awaited.
//!
//! An `await` lets other requests run in between, so it is only offered where
//! the function is async already and nothing that was looked at before the
//! call is acted on after it.

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, Expression};
use oxc_syntax::node::NodeId;

use super::{Blocking, Work};
use crate::analyze::typescript::layout;
use crate::lang::typescript::imports::reference;
use crate::lang::typescript::path::Root;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Draft, Import};
use crate::source::Span;

/// The patch of one call; `None` where waiting could change what happens.
pub fn draft(model: &Model<'_>, one: &Blocking<'_>) -> Option<Draft> {
    let node = one.call.node_id.get();
    let function = model.function_of(node)?;
    let inside_body = model.body(function).map(span).is_some_and(|body| body.contains(span(one.call)));
    let plain = model.recovered == 0
        && model.is_async(function)
        && inside_body
        && one.call.arguments.iter().all(|argument| !argument.is_spread())
        && layout::loop_around(model, node).is_none();
    if !plain || acts_on_earlier_look(model, one, function) {
        return None;
    }
    let (text, import) = awaited(model, one)?;
    let text = if stands_alone(model, node) { text } else { format!("({text})") };
    Some(Draft {
        key: "async-variant".into(),
        edits: vec![(span(one.call), text)],
        imports: import.into_iter().collect(),
    })
}

/// The new call, with the import that it needs.
fn awaited(model: &Model<'_>, one: &Blocking<'_>) -> Option<(String, Option<Import>)> {
    let arguments = arguments(model, one);
    let name = one.function.strip_suffix("Sync")?;
    match one.work {
        // Generators of pairs give two results; other programs give more than
        // their output.
        Work::Process => None,
        Work::Crypto if one.function.starts_with("generate") => None,
        Work::Crypto if one.module == "crypto" => callback(model, one, name, &arguments, "key"),
        Work::Compression => callback(model, one, name, &arguments, "result"),
        // These packages give a promise where no callback is handed over.
        Work::Crypto => {
            let callee = sibling(model, one, name)?;
            Some((format!("await {}({arguments})", callee.0), callee.1))
        }
        Work::File if one.module == "fs" => {
            let promises = match whole_module(model, one) {
                Some(module) => (format!("{module}.promises.{name}"), None),
                None => {
                    let reference = reference(model, "fs/promises", name)?;
                    (reference.text, reference.import)
                }
            };
            Some((format!("await {}({arguments})", promises.0), promises.1))
        }
        Work::File => {
            let callee = sibling(model, one, name)?;
            Some((format!("await {}({arguments})", callee.0), callee.1))
        }
    }
}

fn arguments<'a>(model: &Model<'a>, one: &Blocking<'a>) -> String {
    let list = &one.call.arguments;
    match (list.first(), list.last()) {
        (Some(first), Some(last)) => model.source.slice(span(first).cover(span(last))).to_owned(),
        _ => String::new(),
    }
}

/// A function with a callback as a promise. Written out, because the types of
/// `promisify` know only one of an overloaded function's shapes.
fn callback(
    model: &Model<'_>,
    one: &Blocking<'_>,
    name: &str,
    arguments: &str,
    result: &str,
) -> Option<(String, Option<Import>)> {
    let (callee, import) = sibling(model, one, name)?;
    if arguments.contains('\n') || ["resolve", "reject", "error"].iter().any(|word| arguments.contains(word)) {
        return None;
    }
    let ty = match layout::annotation(model, "Buffer").as_str() {
        "" => "",
        _ => "<Buffer>",
    };
    let settle = format!("(error, {result}) => (error ? reject(error) : resolve({result}))");
    Some((format!("await new Promise{ty}((resolve, reject) => {callee}({arguments}, {settle}))"), import))
}

/// How `name`, of the same module as the call's function, can be named.
fn sibling(model: &Model<'_>, one: &Blocking<'_>, name: &str) -> Option<(String, Option<Import>)> {
    if let Some(module) = whole_module(model, one) {
        return Some((format!("{module}.{name}"), None));
    }
    let reference = reference(model, one.module, name)?;
    Some((reference.text, reference.import))
}

/// `fs` of `fs.readFileSync(…)`.
fn whole_module<'a>(model: &Model<'a>, one: &Blocking<'a>) -> Option<&'a str> {
    let Expression::StaticMemberExpression(member) = bare(&one.call.callee) else { return None };
    match bare(&member.object) {
        Expression::Identifier(id) => Some(id.name.as_str()),
        _ => None,
    }
    .filter(|_| matches!(model.callee(one.call).root, Root::Symbol(..)))
}

/// True where `await f()` can stand in the call's place without parentheses.
fn stands_alone(model: &Model<'_>, node: NodeId) -> bool {
    let within = span(&model.kind(node));
    match model.nodes().parent_kind(node) {
        AstKind::VariableDeclarator(_)
        | AstKind::ReturnStatement(_)
        | AstKind::ExpressionStatement(_)
        | AstKind::TemplateLiteral(_)
        | AstKind::ObjectProperty(_)
        | AstKind::ArrayExpression(_) => true,
        AstKind::AssignmentExpression(assignment) => span(&assignment.right) == within,
        AstKind::CallExpression(call) => span(&call.callee) != within,
        AstKind::NewExpression(new) => span(&new.callee) != within,
        _ => false,
    }
}

/// True where the function tests something shared before the call and writes
/// something shared after it, or where it looked for a file before writing one.
fn acts_on_earlier_look(model: &Model<'_>, one: &Blocking<'_>, function: NodeId) -> bool {
    let inside = span(&model.kind(function));
    let call = span(one.call);
    let shared = |text: &str| text.contains("this.") || text.contains(".has(") || text.contains(".get(");
    let mut looks = false;
    let mut acts = false;
    for node in model.nodes().iter() {
        let at: Span = span(&node.kind());
        if !inside.contains(at) {
            continue;
        }
        match node.kind() {
            AstKind::IfStatement(test) if at.start < call.start => looks |= shared(model.text(&test.test)),
            AstKind::CallExpression(other) if at.start < call.start => {
                let leaf = model.callee(other).leaf();
                looks |= matches!(leaf, "existsSync" | "statSync" | "accessSync" | "readdirSync");
                acts |= call.start < at.end && at != call && leaf.ends_with("Sync") && leaf.starts_with("write");
            }
            AstKind::CallExpression(other) if at.start >= call.end => {
                let leaf = model.callee(other).leaf();
                acts |= matches!(leaf, "set" | "push" | "delete" | "add" | "splice") || leaf.ends_with("Sync");
            }
            AstKind::AssignmentExpression(assignment) if at.start >= call.end || at.contains(call) => {
                acts |= match &assignment.left {
                    AssignmentTarget::AssignmentTargetIdentifier(id) => model.symbol_of(id).is_none_or(|symbol| {
                        model.function_of(model.scoping().symbol_declaration(symbol)) != Some(function)
                    }),
                    _ => model.text(&assignment.left).starts_with("this."),
                };
            }
            _ => {}
        }
    }
    let writes = one.work == Work::File && !matches!(one.function, "readFileSync" | "readdirSync");
    looks && (acts || writes)
}
