//! Functions that nothing but their name leads to: no framework, base class or
//! default export runs them.

use oxc_ast::AstKind;
use oxc_ast::ast::MethodDefinitionKind;
use oxc_syntax::node::NodeId;

use super::functions::is_function;
use super::{Model, span};
use crate::source::Span;

impl Model<'_> {
    /// The functions around one of `places` that run only where their name
    /// stands, each with its name and its own span.
    pub fn run_by_name(&self, places: &[Span]) -> Vec<(String, Span)> {
        if places.is_empty() {
            return Vec::new();
        }
        let around = |at: Span| places.iter().any(|place| at.start <= place.start && place.end <= at.end);
        let functions = self.nodes().iter().filter(|node| is_function(node.kind()) && around(span(&node.kind())));
        let named = functions.filter_map(|node| Some((self.only_name(node.id())?, span(&node.kind()))));
        named.collect()
    }

    /// The one name by which a function can be had.
    fn only_name(&self, function: NodeId) -> Option<String> {
        let name = match (self.kind(function), self.nodes().parent_kind(function)) {
            (_, AstKind::MethodDefinition(method)) => {
                let class = self.class_of(function).map(|class| self.kind(class));
                let Some(AstKind::Class(class)) = class else { return None };
                // What a class extends or implements may call its methods, and
                // so may what a decorator registers.
                let plain = class.heritage.is_none() && class.implements.is_empty();
                let called = plain && method.decorators.is_empty() && method.kind == MethodDefinitionKind::Method;
                called.then(|| self.name_of(function)).flatten()
            }
            (AstKind::Function(own), AstKind::ExportDefaultDeclaration(_)) if own.id.is_some() => None,
            (AstKind::Function(own), _) if own.is_declaration() => self.name_of(function),
            (_, AstKind::VariableDeclarator(_)) => self.name_of(function),
            _ => None,
        }?;
        (!self.has_another_name(&name)).then(|| name.into_owned())
    }

    /// True where the file hands a name out as something else.
    fn has_another_name(&self, name: &str) -> bool {
        let text = &self.source.text;
        let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'));
        memchr::memmem::find_iter(text.as_bytes(), name).any(|at| {
            let (before, after) = (&text[..at], &text[at + name.len()..]);
            if is_word(before.as_bytes().last()) || is_word(after.as_bytes().first()) {
                return false;
            }
            let before = before.trim_end();
            let handed = ["default", "module.exports =", "export ="].iter().any(|end| before.ends_with(end));
            handed || after.starts_with(" as ")
        })
    }
}
