//! Macro calls: their arguments where they parse, else their names.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use super::{Lower, ident, segments};
use crate::lang::rust::node::{Kind, NodeId};

/// One branch of `tokio::select!`.
struct Branch {
    pattern: Option<syn::Pat>,
    future: Option<Expr>,
    handler: Expr,
}

impl Lower<'_> {
    pub(super) fn macro_call(&mut self, parent: NodeId, mac: &syn::Macro) -> NodeId {
        let path = segments(&mac.path);
        let name = path.last().cloned().unwrap_or_default();
        let id = self.open(parent);
        let was_quoted = std::mem::replace(&mut self.quoted, true);
        let args = self.macro_arguments(id, &name, mac);
        self.quoted = was_quoted;
        let first = mac.path.segments.first().map_or_else(|| mac.bang_token.span, |s| s.ident.span());
        let close = match &mac.delimiter {
            syn::MacroDelimiter::Paren(token) => token.span.close(),
            syn::MacroDelimiter::Brace(token) => token.span.close(),
            syn::MacroDelimiter::Bracket(token) => token.span.close(),
        };
        let span = self.between(first, close);
        let parsed = args.is_some();
        let mut names = Vec::new();
        // Arguments that parsed are nodes; only what their texts name is left.
        collect_names(mac.tokens.clone(), !parsed, &mut names);
        names.sort();
        names.dedup();
        self.close(id, span, Kind::Macro { path, args: args.unwrap_or_default(), names, parsed })
    }

    fn macro_arguments(&mut self, id: NodeId, name: &str, mac: &syn::Macro) -> Option<Vec<NodeId>> {
        // What these hold is made once, or is code of another program.
        const OPAQUE: &[&str] =
            &["lazy_static", "thread_local", "quote", "quote_spanned", "parse_quote", "macro_rules", "html", "json"];
        if OPAQUE.contains(&name) || mac.tokens.is_empty() {
            return None;
        }
        if matches!(name, "select" | "select_biased") {
            let branches = select.parse2(mac.tokens.clone()).ok()?;
            return Some(branches.iter().map(|branch| self.branch(id, branch)).collect());
        }
        if matches!(name, "stream" | "try_stream") {
            let statements = syn::Block::parse_within.parse2(mac.tokens.clone()).ok()?;
            let body = self.open(id);
            self.statements(body, &statements);
            let span = self.spanned(body);
            return Some(vec![self.close(body, span, Kind::Async)]);
        }
        let list = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone());
        if let Ok(list) = list {
            return Some(list.iter().map(|argument| self.expr(id, argument)).collect());
        }
        // `vec![x; n]`
        let repeat = |input: ParseStream<'_>| -> syn::Result<(Expr, Expr)> {
            let value = input.parse()?;
            input.parse::<Token![;]>()?;
            Ok((value, input.parse()?))
        };
        let (value, count) = repeat.parse2(mac.tokens.clone()).ok()?;
        Some(vec![self.expr(id, &value), self.expr(id, &count)])
    }

    fn branch(&mut self, parent: NodeId, branch: &Branch) -> NodeId {
        let arm = self.open(parent);
        if let Some(future) = &branch.future {
            self.expr(arm, future);
        }
        self.expr(arm, &branch.handler);
        let span = self.spanned(arm);
        let pattern = branch.pattern.as_ref().map(|p| self.pattern(p)).unwrap_or_default();
        self.close(arm, span, Kind::Arm { pattern })
    }

    /// The bytes that the nodes below an open node cover.
    pub(super) fn spanned(&self, id: NodeId) -> crate::source::Span {
        let mut below = self.tree.nodes[id.index() + 1..].iter().map(|n| n.outer).filter(|s| !s.is_empty());
        let first = below.next().unwrap_or_default();
        below.fold(first, crate::source::Span::cover)
    }
}

/// `[biased;] pat = future [, if cond] => handler, … else => handler`
fn select(input: ParseStream<'_>) -> syn::Result<Vec<Branch>> {
    let mut branches = Vec::new();
    if input.peek(syn::Ident) && input.peek2(Token![;]) {
        input.parse::<syn::Ident>()?;
        input.parse::<Token![;]>()?;
    }
    while !input.is_empty() {
        let mut branch = Branch { pattern: None, future: None, handler: Expr::PLACEHOLDER };
        if input.peek(Token![else]) {
            input.parse::<Token![else]>()?;
        } else if input.peek(syn::Ident) && input.peek2(Token![=>]) {
            // futures' `complete` and `default`
            input.parse::<syn::Ident>()?;
        } else {
            branch.pattern = Some(syn::Pat::parse_multi_with_leading_vert(input)?);
            input.parse::<Token![=]>()?;
            branch.future = Some(input.parse()?);
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
                input.parse::<Token![if]>()?;
                input.parse::<Expr>()?;
            }
        }
        input.parse::<Token![=>]>()?;
        branch.handler = Expr::parse_with_earlier_boundary_rule(input)?;
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
        branches.push(branch);
    }
    Ok(branches)
}

fn collect_names(tokens: TokenStream, identifiers: bool, names: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) if identifiers => names.push(ident(&name)),
            TokenTree::Group(group) => collect_names(group.stream(), identifiers, names),
            TokenTree::Literal(literal) => inline_arguments(&literal.to_string(), names),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The names in `"{user} {total:>5}"`: format macros read them from the text.
fn inline_arguments(literal: &str, names: &mut Vec<String>) {
    if !literal.contains('{') || !literal.contains('"') {
        return;
    }
    for piece in literal.split('{').skip(1) {
        let name: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let after = piece[name.len()..].chars().next();
        if !name.is_empty() && matches!(after, Some('}' | ':')) && !name.starts_with(|c: char| c.is_ascii_digit()) {
            names.push(name);
        }
    }
}
