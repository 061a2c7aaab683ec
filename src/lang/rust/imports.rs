//! Items that patches put into a module: after its `use` lines, under a free
//! name, and each of equal ones only once.

use super::Model;
use super::node::{InsertAt, Kind, NodeId};
use crate::source::Span;

/// A static that a patch needs: its name, and the edit that makes it, where it
/// is not there already.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedStatic {
    /// The name to use.
    pub name: String,
    /// The edit.
    pub edit: Option<(Span, String)>,
}

impl Model<'_> {
    /// The module or file around a node.
    pub fn module_of(&self, node: NodeId) -> NodeId {
        let is_module = |id: &NodeId| matches!(self.tree.kind(*id), Kind::File | Kind::Module(_));
        self.tree.ancestors(node).find(is_module).unwrap_or(NodeId::ROOT)
    }

    /// A `LazyLock` static of type `ty` made by `init` in the module of `node`.
    /// A static of the same initializer is used again; else the name is the
    /// first free one of `wanted`, `wanted_2` ….
    pub fn shared_static(&self, node: NodeId, wanted: &str, ty: &str, init: &str) -> Option<SharedStatic> {
        let module = self.module_of(node);
        let scope = self.tree.scopes.get(&module)?;
        let made = format!("LazyLock::new({init})");
        for child in self.tree.children(module) {
            if let Kind::Once { name, .. } = self.tree.kind(child)
                && self.source.slice(self.tree.span(child)).ends_with(&made)
            {
                return Some(SharedStatic { name: name.clone(), edit: None });
            }
        }
        let free = |name: &String| {
            let taken = scope.items.contains(name) || scope.uses.contains_key(name);
            !taken && !self.source.text.contains(&format!("{name} "))
        };
        let numbered = (2..10).map(|n| format!("{wanted}_{n}"));
        let name = std::iter::once(wanted.to_owned()).chain(numbered).find(free)?;
        let place = scope.insert_at?;
        let (InsertAt::AfterUse(at) | InsertAt::Before(at)) = place;
        let indent = self.indent_at(at);
        let newline = if self.source.text.contains("\r\n") { "\r\n" } else { "\n" };
        let item = format!("static {name}: std::sync::LazyLock<{ty}> ={newline}{indent}    std::sync::{made};");
        let text = match place {
            InsertAt::AfterUse(_) => format!("{newline}{newline}{indent}{item}"),
            InsertAt::Before(_) => format!("{item}{newline}{newline}{indent}"),
        };
        Some(SharedStatic { name, edit: Some((Span::at(at), text)) })
    }

    /// The blanks at the start of the line that holds a byte.
    pub fn indent_at(&self, at: u32) -> &str {
        let lines = self.source.lines();
        let start = lines.line_start(lines.line(at)).unwrap_or(0) as usize;
        let line = self.source.text.get(start..).unwrap_or("");
        let width = line.len() - line.trim_start_matches([' ', '\t']).len();
        &line[..width]
    }
}
