//! Blocks, statements and expressions.

use syn::Expr;
use syn::spanned::Spanned;

use super::{Lower, ident, segments};
use crate::lang::rust::node::{Kind, Lit, NodeId};
use crate::source::Span;

impl Lower<'_> {
    pub(super) fn block(&mut self, parent: NodeId, block: &syn::Block) -> NodeId {
        let id = self.open(parent);
        self.statements(id, &block.stmts);
        let span = self.between(block.brace_token.span.open(), block.brace_token.span.close());
        self.close(id, span, Kind::Block)
    }

    pub(super) fn statements(&mut self, parent: NodeId, statements: &[syn::Stmt]) {
        let items = statements.iter().filter_map(|s| match s {
            syn::Stmt::Item(item) => Some(item),
            _ => None,
        });
        self.declare(parent, items);
        for statement in statements {
            match statement {
                syn::Stmt::Local(local) => self.local(parent, local),
                syn::Stmt::Item(item) => {
                    self.item(parent, item);
                }
                syn::Stmt::Expr(expr, semi) => {
                    let id = self.open(parent);
                    let value = self.expr(id, expr);
                    let mut span = self.outer(value);
                    if let Some(semi) = semi {
                        span.end = self.at(semi.span).end;
                    }
                    self.close(id, span, Kind::Statement { value, dropped: semi.is_some() });
                }
                syn::Stmt::Macro(mac) => {
                    let id = self.open(parent);
                    let value = self.macro_call(id, &mac.mac);
                    let mut span = self.outer(value);
                    if let Some(semi) = &mac.semi_token {
                        span.end = self.at(semi.span).end;
                    }
                    self.close(id, span, Kind::Statement { value, dropped: mac.semi_token.is_some() });
                }
            }
        }
    }

    fn local(&mut self, parent: NodeId, local: &syn::Local) {
        let id = self.open(parent);
        self.note_attributes(id, &local.attrs);
        let (pattern, ty) = self.typed_pattern(&local.pat);
        let init = local.init.as_ref().map(|init| self.expr(id, &init.expr));
        let otherwise =
            local.init.as_ref().and_then(|init| init.diverge.as_ref()).map(|(_, block)| self.expr(id, block));
        let span = self.between(local.let_token.span, local.semi_token.span);
        self.close(id, span, Kind::Let { pattern, ty, init, otherwise });
    }

    /// Lowers an expression. Parentheses give no node; they widen `outer`.
    pub(super) fn expr(&mut self, parent: NodeId, expr: &Expr) -> NodeId {
        match expr {
            Expr::Paren(paren) => {
                let inner = self.expr(parent, &paren.expr);
                let span = self.between(paren.paren_token.span.open(), paren.paren_token.span.close());
                self.tree.nodes[inner.index()].outer = span;
                return inner;
            }
            Expr::Group(group) => return self.expr(parent, &group.expr),
            Expr::Block(block) if block.label.is_none() => return self.block(parent, &block.block),
            Expr::Macro(mac) => return self.macro_call(parent, &mac.mac),
            _ => {}
        }
        let id = self.open(parent);
        let (span, kind) = self.expr_parts(id, expr);
        self.close(id, span, kind)
    }

    fn expr_parts(&mut self, id: NodeId, expr: &Expr) -> (Span, Kind) {
        match expr {
            Expr::Path(path) => {
                let first = path.qself.as_ref().map(|q| q.lt_token.span);
                let first = first.or_else(|| path.path.segments.first().map(|s| s.ident.span()));
                let last = path.path.segments.last().map(syn::spanned::Spanned::span);
                let span = match (first, last) {
                    (Some(first), Some(last)) => self.between(first, last),
                    _ => Span::default(),
                };
                // `<T as Trait>::f` names no path that can be followed.
                let kind = if path.qself.is_some() { Kind::Other } else { Kind::Path(segments(&path.path)) };
                (span, kind)
            }
            Expr::Lit(lit) => (self.at(lit.lit.span()), Kind::Literal(literal(&lit.lit))),
            Expr::Call(call) => {
                let callee = self.expr(id, &call.func);
                let args = call.args.iter().map(|a| self.expr(id, a)).collect();
                let span = self.to_close(callee, call.paren_token.span.close());
                (span, Kind::Call { callee, args })
            }
            Expr::MethodCall(call) => {
                let receiver = self.expr(id, &call.receiver);
                let args = call.args.iter().map(|a| self.expr(id, a)).collect();
                let span = self.to_close(receiver, call.paren_token.span.close());
                let name_span = self.at(call.method.span());
                (span, Kind::Method { receiver, name: ident(&call.method), name_span, args })
            }
            Expr::Await(wait) => {
                let base = self.expr(id, &wait.base);
                (self.to_close(base, wait.await_token.span), Kind::Await(base))
            }
            Expr::Try(attempt) => {
                let value = self.expr(id, &attempt.expr);
                (self.to_close(value, attempt.question_token.span), Kind::Try(value))
            }
            Expr::Field(field) => {
                let base = self.expr(id, &field.base);
                let (name, token) = match &field.member {
                    syn::Member::Named(name) => (ident(name), name.span()),
                    syn::Member::Unnamed(index) => (index.index.to_string(), index.span),
                };
                (self.to_close(base, token), Kind::Field { base, name })
            }
            Expr::Reference(reference) => {
                let value = self.expr(id, &reference.expr);
                let span = self.at(reference.and_token.span).cover(self.outer(value));
                (span, Kind::Reference { mutable: reference.mutability.is_some(), value })
            }
            Expr::Unary(unary) => {
                let value = self.expr(id, &unary.expr);
                let token = match &unary.op {
                    syn::UnOp::Deref(token) => token.span,
                    syn::UnOp::Not(token) => token.span,
                    syn::UnOp::Neg(token) => token.span,
                    _ => return (self.outer(value), Kind::Unary(value)),
                };
                (self.at(token).cover(self.outer(value)), Kind::Unary(value))
            }
            Expr::Assign(assign) => {
                let target = self.expr(id, &assign.left);
                let value = self.expr(id, &assign.right);
                (self.outer(target).cover(self.outer(value)), Kind::Assign { target, value })
            }
            Expr::Binary(binary) => {
                let target = self.expr(id, &binary.left);
                let value = self.expr(id, &binary.right);
                let span = self.outer(target).cover(self.outer(value));
                (span, if is_assignment(&binary.op) { Kind::Assign { target, value } } else { Kind::Other })
            }
            Expr::Closure(closure) => {
                let params = closure.inputs.iter().map(|p| self.typed_pattern(p).0).collect();
                let body = self.expr(id, &closure.body);
                let first = closure.asyncness.map(|t| t.span).or_else(|| closure.capture.map(|t| t.span));
                let span = self.at(first.unwrap_or(closure.inputs_begin.span)).cover(self.outer(body));
                (span, Kind::Closure { is_async: closure.asyncness.is_some(), params, body })
            }
            Expr::Async(block) => {
                let body = self.block(id, &block.block);
                (self.at(block.async_token.span).cover(self.outer(body)), Kind::Async)
            }
            Expr::Struct(literal) => {
                let named = |field: &syn::FieldValue| match &field.member {
                    syn::Member::Named(name) => ident(name),
                    syn::Member::Unnamed(index) => index.index.to_string(),
                };
                let fields = literal.fields.iter().map(|f| (named(f), self.expr(id, &f.expr))).collect();
                if let Some(rest) = &literal.rest {
                    self.expr(id, rest);
                }
                let close = literal.brace_token.span.close();
                let first = literal.path.segments.first().map_or(close, |s| s.ident.span());
                (self.between(first, close), Kind::Struct { path: segments(&literal.path), fields })
            }
            Expr::Tuple(tuple) => {
                let list = tuple.elems.iter().map(|e| self.expr(id, e)).collect();
                let token = tuple.paren_token.span;
                (self.between(token.open(), token.close()), Kind::List(list))
            }
            Expr::Array(array) => {
                let list = array.elems.iter().map(|e| self.expr(id, e)).collect();
                let token = array.bracket_token.span;
                (self.between(token.open(), token.close()), Kind::List(list))
            }
            Expr::Let(condition) => {
                let value = self.expr(id, &condition.expr);
                let span = self.at(condition.let_token.span).cover(self.outer(value));
                (span, Kind::LetCondition { pattern: self.pattern(&condition.pat), value })
            }
            _ => self.control(id, expr),
        }
    }

    /// Loops, branches and jumps, and what has no kind of its own.
    fn control(&mut self, id: NodeId, expr: &Expr) -> (Span, Kind) {
        match expr {
            Expr::If(branch) => {
                let cond = self.expr(id, &branch.cond);
                let then = self.block(id, &branch.then_branch);
                let otherwise = branch.else_branch.as_ref().map(|(_, other)| self.expr(id, other));
                let end = self.outer(otherwise.unwrap_or(then));
                (self.at(branch.if_token.span).cover(end), Kind::If { cond, then, otherwise })
            }
            Expr::Match(select) => {
                let on = self.expr(id, &select.expr);
                for arm in &select.arms {
                    let arm_id = self.open(id);
                    let pattern = self.pattern(&arm.pat);
                    if let syn::Pat::Guard(guard) = &arm.pat {
                        self.expr(arm_id, &guard.guard);
                    }
                    self.expr(arm_id, &arm.body);
                    let span = self.spanned(arm_id);
                    self.close(arm_id, span, Kind::Arm { pattern });
                }
                (self.between(select.match_token.span, select.brace_token.span.close()), Kind::Match { on })
            }
            Expr::ForLoop(each) => {
                let over = self.expr(id, &each.expr);
                let body = self.block(id, &each.body);
                let span = self.at(each.for_token.span).cover(self.outer(body));
                (span, Kind::For { pattern: self.pattern(&each.pat), over, body })
            }
            Expr::While(each) => {
                let cond = self.expr(id, &each.cond);
                let body = self.block(id, &each.body);
                (self.at(each.while_token.span).cover(self.outer(body)), Kind::While { cond, body })
            }
            Expr::Loop(each) => {
                let body = self.block(id, &each.body);
                (self.at(each.loop_token.span).cover(self.outer(body)), Kind::Loop)
            }
            Expr::Return(jump) => (self.jump(id, jump.return_token.span, jump.expr.as_deref()), Kind::Return),
            Expr::Break(jump) => (self.jump(id, jump.break_token.span, jump.expr.as_deref()), Kind::Break),
            Expr::Yield(jump) => (self.jump(id, jump.yield_token.span, jump.expr.as_deref()), Kind::Yield),
            Expr::Continue(jump) => (self.at(jump.continue_token.span), Kind::Continue),
            Expr::Range(range) => {
                for side in [&range.start, &range.end].into_iter().flatten() {
                    self.expr(id, side);
                }
                let limits = match &range.limits {
                    syn::RangeLimits::HalfOpen(token) => self.at(token.spans[0]),
                    syn::RangeLimits::Closed(token) => self.at(token.spans[0]),
                };
                (limits.cover(non_empty(self.spanned(id), limits)), Kind::Range)
            }
            Expr::Block(block) => {
                let body = self.block(id, &block.block);
                (self.outer(body), Kind::Other)
            }
            Expr::Unsafe(block) => {
                let body = self.block(id, &block.block);
                (self.at(block.unsafe_token.span).cover(self.outer(body)), Kind::Other)
            }
            Expr::Const(block) => {
                let body = self.block(id, &block.block);
                (self.at(block.const_token.span).cover(self.outer(body)), Kind::Other)
            }
            Expr::TryBlock(block) => {
                let body = self.block(id, &block.block);
                (self.at(block.try_token.span).cover(self.outer(body)), Kind::Other)
            }
            Expr::Cast(cast) => {
                let value = self.expr(id, &cast.expr);
                (self.outer(value), Kind::Unary(value))
            }
            Expr::Index(index) => {
                let base = self.expr(id, &index.expr);
                self.expr(id, &index.index);
                (self.to_close(base, index.bracket_token.span.close()), Kind::Other)
            }
            Expr::Repeat(repeat) => {
                self.expr(id, &repeat.expr);
                self.expr(id, &repeat.len);
                let token = repeat.bracket_token.span;
                (self.between(token.open(), token.close()), Kind::Other)
            }
            Expr::RawAddr(raw) => {
                let value = self.expr(id, &raw.expr);
                (self.outer(value), Kind::Other)
            }
            other => {
                let range = other.span().byte_range();
                (Span::new(range.start as u32 + self.base, range.end as u32 + self.base), Kind::Other)
            }
        }
    }

    fn jump(&mut self, id: NodeId, token: proc_macro2::Span, value: Option<&Expr>) -> Span {
        let span = self.at(token);
        match value {
            Some(value) => {
                let value = self.expr(id, value);
                span.cover(self.outer(value))
            }
            None => span,
        }
    }

    fn to_close(&self, first: NodeId, close: proc_macro2::Span) -> Span {
        Span::new(self.outer(first).start, self.at(close).end)
    }
}

fn non_empty(span: Span, otherwise: Span) -> Span {
    if span.is_empty() { otherwise } else { span }
}

fn is_assignment(op: &syn::BinOp) -> bool {
    use syn::BinOp::*;
    matches!(
        op,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}

fn literal(lit: &syn::Lit) -> Lit {
    match lit {
        syn::Lit::Str(text) => Lit::Text(text.value()),
        syn::Lit::Int(number) => number.base10_parse::<u64>().map_or(Lit::Other, |n| Lit::Number(n as f64)),
        syn::Lit::Float(number) => number.base10_parse::<f64>().map_or(Lit::Other, Lit::Number),
        syn::Lit::Bool(flag) => Lit::Flag(flag.value),
        _ => Lit::Other,
    }
}
