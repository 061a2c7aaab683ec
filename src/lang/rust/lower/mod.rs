//! syn's tree to ours: [`items`], [`expressions`], [`macros`], [`types`].

mod expressions;
mod items;
mod macros;
mod types;

use std::collections::BTreeMap;

use proc_macro2::Span as TokenSpan;

use super::ParseFailure;
use super::node::{Attr, Kind, Node, NodeId, Scope, Tree};
use crate::source::Span;

/// Parses a text and lowers it. Spans are offsets of `text` as it stands, a
/// byte-order mark and a first line `#!…` included.
///
/// # Errors
/// [`ParseFailure`] where syn rejects the text.
pub fn tree(text: &str) -> Result<Tree, ParseFailure> {
    let base = code_start(text);
    let rest = text.get(base..).unwrap_or("");
    let parsed: Result<syn::File, syn::Error> = syn::parse_str(rest);
    let result = match parsed {
        Ok(file) => {
            let mut lower = Lower::new(text, base as u32);
            lower.file(&file);
            Ok(lower.tree)
        }
        Err(error) => {
            let offset = base + error.span().byte_range().start;
            Err(ParseFailure { message: error.to_string(), offset: Some(offset as u32) })
        }
    };
    // The thread's table of sources only grows; every span is a plain offset
    // by now.
    proc_macro2::extra::invalidate_current_thread_spans();
    result
}

/// Where Rust begins: syn would drop a byte-order mark and a shebang by itself,
/// and every offset after them would be short by their length.
fn code_start(text: &str) -> usize {
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let rest = &text[bom..];
    let shebang = rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[');
    if shebang { bom + rest.find('\n').unwrap_or(rest.len()) } else { bom }
}

struct Lower<'t> {
    text: &'t str,
    base: u32,
    tree: Tree,
    quoted: bool,
}

impl<'t> Lower<'t> {
    fn new(text: &'t str, base: u32) -> Self {
        Self { text, base, tree: Tree::default(), quoted: false }
    }

    /// The bytes of one token.
    fn at(&self, token: TokenSpan) -> Span {
        let range = token.byte_range();
        Span::new(range.start as u32 + self.base, range.end as u32 + self.base)
    }

    /// From the start of one token to the end of another.
    fn between(&self, first: TokenSpan, last: TokenSpan) -> Span {
        Span::new(self.at(first).start, self.at(last).end)
    }

    /// Opens a node; [`Lower::close`] says what it is.
    fn open(&mut self, parent: NodeId) -> NodeId {
        let id = NodeId(self.tree.nodes.len() as u32);
        let empty = Span::default();
        let node = Node { parent, end: id, span: empty, outer: empty, kind: Kind::Other, quoted: self.quoted };
        self.tree.nodes.push(node);
        id
    }

    fn close(&mut self, id: NodeId, span: Span, kind: Kind) -> NodeId {
        let end = NodeId(self.tree.nodes.len() as u32);
        let node = &mut self.tree.nodes[id.index()];
        node.end = end;
        node.span = span;
        node.outer = span;
        node.kind = kind;
        id
    }

    /// The bytes of a lowered node with its parentheses.
    fn outer(&self, id: NodeId) -> Span {
        self.tree.node(id).outer
    }

    fn scope(&mut self, id: NodeId) -> &mut Scope {
        self.tree.scopes.entry(id).or_default()
    }

    fn attributes(&self, attrs: &[syn::Attribute]) -> Vec<Attr> {
        attrs
            .iter()
            .filter(|attr| !attr.path().is_ident("doc"))
            .map(|attr| {
                let span = self.between(attr.pound_token.span, attr.bracket_token.span.close());
                let text = self.text.get(span.range()).unwrap_or("").to_owned();
                Attr { path: segments(attr.path()), text }
            })
            .collect()
    }

    fn note_attributes(&mut self, id: NodeId, attrs: &[syn::Attribute]) {
        let attrs = self.attributes(attrs);
        if !attrs.is_empty() {
            self.tree.attrs.insert(id, attrs);
        }
    }

    fn file(&mut self, file: &syn::File) {
        let root = self.open(NodeId::ROOT);
        self.tree.file_attrs = self.attributes(&file.attrs);
        self.items(root, &file.items);
        let end = self.text.len() as u32;
        self.close(root, Span::new(self.base, end), Kind::File);
    }
}

/// A path's segments without generics.
fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|s| ident(&s.ident)).collect()
}

/// An identifier without `r#`.
fn ident(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    match text.strip_prefix("r#") {
        Some(raw) => raw.to_owned(),
        None => text,
    }
}

/// The names that a `use` brings.
fn use_names(tree: &syn::UseTree, prefix: &mut Vec<String>, scope: &mut Scope) {
    match tree {
        syn::UseTree::Path(path) => {
            prefix.push(ident(&path.ident));
            use_names(&path.tree, prefix, scope);
            prefix.pop();
        }
        syn::UseTree::Name(name) => {
            let name = ident(&name.ident);
            if name == "self" {
                if let Some(last) = prefix.last() {
                    scope.uses.insert(last.clone(), prefix.clone());
                }
            } else {
                insert(&mut scope.uses, name.clone(), prefix, name);
            }
        }
        syn::UseTree::Rename(rename) => {
            let name = ident(&rename.ident);
            let alias = ident(&rename.rename);
            if name == "self" {
                scope.uses.insert(alias, prefix.clone());
            } else {
                insert(&mut scope.uses, alias, prefix, name);
            }
        }
        syn::UseTree::Glob(_) => scope.globs.push(prefix.clone()),
        syn::UseTree::Group(group) => {
            for item in &group.items {
                use_names(item, prefix, scope);
            }
        }
    }
}

fn insert(uses: &mut BTreeMap<String, Vec<String>>, alias: String, prefix: &[String], name: String) {
    let mut path = prefix.to_vec();
    path.push(name);
    uses.insert(alias, path);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every plain name's span must hold that name.
    fn names_hold(text: &str) -> usize {
        let tree = tree(text).unwrap_or_else(|e| panic!("{}: {text}", e.message));
        let mut seen = 0;
        for id in tree.all() {
            let node = tree.node(id);
            match &node.kind {
                Kind::Path(path) if path.len() == 1 => {
                    assert_eq!(text.get(node.span.range()), Some(path[0].as_str()));
                    seen += 1;
                }
                Kind::Method { name, name_span, .. } => {
                    assert_eq!(text.get(name_span.range()), Some(name.as_str()));
                }
                _ => {}
            }
        }
        seen
    }

    #[test]
    fn spans_are_offsets_of_the_file_as_it_lies() {
        let code = "#![allow(dead_code)]\n// é\nfn f(x: u8) { let s = \"ä\"; g(x, s); h!(s, x.y(s)); }\n";
        assert_eq!(names_hold(code), 6);
        for start in ["\u{feff}", "#!/usr/bin/env run\n", "\u{feff}#!/usr/bin/env run\n", "#!/bin/é\r\n"] {
            assert_eq!(names_hold(&format!("{start}{code}")), 6, "{start:?}");
        }
        assert_eq!(names_hold(&code.replace('\n', "\r\n")), 6);
    }

    #[test]
    fn select_and_stream_bodies_are_code() {
        let code = "async fn f() { tokio::select! { biased; Some(x) = rx.recv(), if on => { g(x).await } _ = t.tick() => h(), else => break } }";
        let tree = tree(code).unwrap_or_else(|e| panic!("{}", e.message));
        let arms = tree.all().filter(|&id| matches!(tree.kind(id), Kind::Arm { .. })).count();
        assert_eq!(arms, 3);
    }

    #[test]
    fn a_broken_file_says_where() {
        let failure = tree("\u{feff}fn f( {").err();
        assert!(failure.and_then(|f| f.offset).is_some_and(|at| at >= 3));
    }
}
