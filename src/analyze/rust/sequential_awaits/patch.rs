//! The patch that lets reads wait together.

use super::wait::Wait;
use crate::lang::rust::Model;
use crate::observe::Draft;
use crate::source::Span;

/// `let (a, b) = tokio::join!(A, B);`, each result then handled where it was:
/// every error keeps its own conversion.
pub fn patch(model: &Model<'_>, waits: &[Wait<'_>]) -> Option<Draft> {
    /// More at once is a question of the pool's size.
    const MOST: usize = 5;
    if waits.len() > MOST || waits.iter().any(|w| w.pattern.is_none() || model.tree.node(w.statement).quoted) {
        return None;
    }
    let mut names = Vec::new();
    let mut calls = Vec::new();
    let mut edits = Vec::new();
    let function = model.function_of(waits[0].statement)?;
    let within = model.tree.span(function.node);
    // All names that are made here end so.
    let is_taken = |name: &str| model.mentions_in(within, "_result") && model.source.slice(within).contains(name);
    for (index, wait) in waits.iter().enumerate() {
        if model.borrows_temporary(wait.call) {
            return None;
        }
        let moved = model.moved_in(wait.call);
        let others = waits.iter().enumerate().filter(|(other, _)| *other != index);
        if others.into_iter().any(|(_, other)| model.names_in(other.call).iter().any(|name| moved.contains(name))) {
            return None;
        }
        let name = format!("{}_result", wait.pattern?.name().unwrap_or("awaited"));
        let name = if names.contains(&name) { format!("{name}_{}", index + 1) } else { name };
        if is_taken(&name) {
            return None;
        }
        let call = model.tree.node(wait.call).outer;
        let code = model.source.slice(call);
        // An address is no comment.
        if code.replace("://", "").contains("//") || code.contains("/*") {
            return None;
        }
        calls.push(code.to_owned());
        let awaited = model.tree.node(wait.awaited).outer;
        edits.push((Span::new(call.start, awaited.end), name.clone()));
        names.push(name);
    }
    let start = model.tree.span(waits[0].statement).start;
    let indent = model.indent_at(start);
    let join = format!("let ({}) = tokio::join!({});\n{indent}", names.join(", "), calls.join(", "));
    edits.insert(0, (Span::at(start), join));
    Some(Draft { key: "tokio-join".into(), edits, imports: Vec::new() })
}
