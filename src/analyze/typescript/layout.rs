//! How patched TypeScript lies on the page: statements, indentation, names.

use oxc_ast::AstKind;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::imports::{indent_at, is_taken, line_end};
use crate::lang::typescript::once::any_within;
use crate::lang::typescript::{Model, span};
use crate::source::{Language, Span};

/// The statement of a statement list that holds `node`, in the same function.
/// `None` where the node stands in an expression body, or where the statement
/// is not in a list (`if (x) return y;`).
pub fn statement_of(model: &Model<'_>, node: NodeId) -> Option<NodeId> {
    let nodes = model.nodes();
    let mut below = node;
    for id in nodes.ancestor_ids(node) {
        match nodes.kind(id) {
            AstKind::FunctionBody(_) | AstKind::BlockStatement(_) | AstKind::Program(_) => return Some(below),
            AstKind::SwitchCase(_) | AstKind::StaticBlock(_) => return None,
            kind if is_function(kind) => return None,
            _ => below = id,
        }
    }
    None
}

/// One step of indentation, as the code around `statement` shows it.
pub fn unit(model: &Model<'_>, statement: NodeId) -> String {
    let own = indent_at(model.source, span(&model.kind(statement)).start);
    let list = model.nodes().parent_id(statement);
    let outer = indent_at(model.source, span(&model.kind(list)).start);
    match own.strip_prefix(outer) {
        Some(step) if !step.is_empty() && own != outer => step.to_owned(),
        _ if own.starts_with('\t') => "\t".to_owned(),
        _ => "  ".to_owned(),
    }
}

/// The text with every line but the first moved in by `unit`; blank lines
/// stay blank.
pub fn moved_in(text: &str, unit: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
            if !line.trim().is_empty() {
                out.push_str(unit);
            }
        }
        out.push_str(line);
    }
    out
}

/// True where a template literal of several lines lies in the span: its lines
/// must not be moved.
pub fn holds_long_text(model: &Model<'_>, within: Span) -> bool {
    any_within(model.long_pieces(), within)
}

/// The first of `names` that the file does not use yet.
pub fn free_name<'n>(model: &Model<'_>, names: &[&'n str]) -> Option<&'n str> {
    names.iter().copied().find(|name| !is_taken(model, name))
}

/// `: type` in TypeScript, nothing in JavaScript.
pub fn annotation(model: &Model<'_>, ty: &str) -> String {
    match model.source.language {
        Language::TypeScript | Language::Tsx => format!(": {ty}"),
        Language::JavaScript | Language::Rust => String::new(),
    }
}

/// Lines put together with the file's line ending, each with `indent` but the
/// first; the text of a line may itself have several lines.
pub fn lines(model: &Model<'_>, indent: &str, lines: &[String]) -> String {
    lines.join(&format!("{}{indent}", line_end(model.source)))
}

/// The smallest loop around `node` within its function.
pub fn loop_around(model: &Model<'_>, node: NodeId) -> Option<NodeId> {
    let nodes = model.nodes();
    let inside = nodes.ancestor_ids(node).take_while(|&id| !is_function(nodes.kind(id)));
    inside.into_iter().find(|&id| nodes.kind(id).is_iteration_statement())
}

/// Code as a short quotation of one line, for messages.
pub fn quoted(text: &str) -> String {
    /// Longer pieces of code make a message unreadable.
    const LONGEST: usize = 40;
    let one_line: Vec<&str> = text.split_whitespace().collect();
    let text = one_line.join(" ");
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}
