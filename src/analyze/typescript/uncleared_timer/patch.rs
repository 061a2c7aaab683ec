//! The patch: keep the timer's id and clear it when the race is over.
//!
//! In an async function the race goes into `try … finally`, which also holds
//! when something in the array throws at once. Elsewhere `.finally(…)` on the
//! race does the same without making the function async, as long as nothing
//! that comes after the timer can throw before the race exists.

use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, CallExpression, Expression};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;

use super::{Origin, Timer, elements};
use crate::analyze::typescript::layout;
use crate::lang::typescript::imports::{indent_at, is_taken, line_end, semicolon};
use crate::lang::typescript::path::argument;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::Draft;
use crate::patch::apply;
use crate::source::Span;

/// Names for the variable, in order of preference.
const NAMES: &[&str] = &["timer", "raceTimer", "timeoutId", "timeoutTimer", "deadlineTimer", "lateTimer"];

type Edit = (Span, String);

/// What a patch is made of.
struct Plan<'m, 'a> {
    model: &'m Model<'a>,
    timer: &'m Timer<'a>,
    name: &'static str,
    semicolon: &'static str,
    /// One step of indentation.
    unit: String,
}

/// The patch of one timer; `None` where it could change more than it cures.
pub fn draft(model: &Model<'_>, timer: &Timer<'_>) -> Option<Draft> {
    if model.recovered > 0 || !only_settles(model, timer) || timers_in(model, timer) != 1 {
        return None;
    }
    let plan = Plan { model, timer, name: name(model, timer)?, semicolon: semicolon(model), unit: unit(model, timer) };
    let edits = match timer.origin {
        Origin::Inline => plan.inline()?,
        Origin::Constant(declaration) => plan.constant(declaration)?,
        Origin::Helper | Origin::TimersPromises | Origin::ByHand | Origin::Elsewhere => return None,
    };
    Some(Draft { key: "clear".into(), edits, imports: Vec::new() })
}

/// True where the timer's callback does nothing but settle the promise, so
/// that nobody misses it when it no longer runs.
fn only_settles(model: &Model<'_>, timer: &Timer<'_>) -> bool {
    let Some(executor) = timer.executor else { return false };
    let settles = |expression: &Expression<'_>| match bare(expression) {
        Expression::Identifier(id) => model
            .symbol_of(id)
            .is_some_and(|symbol| model.is_within(model.scoping().symbol_declaration(symbol), executor)),
        _ => false,
    };
    let calls = |expression: &Expression<'_>| match bare(expression) {
        Expression::CallExpression(call) => settles(&call.callee),
        _ => false,
    };
    let Some(callback) = argument(&timer.call.arguments, 0) else { return false };
    let node = match callback {
        Expression::ArrowFunctionExpression(arrow) => {
            if let Some(expression) = arrow.body.as_expression() {
                return calls(expression);
            }
            arrow.node_id.get()
        }
        Expression::FunctionExpression(function) => function.node_id.get(),
        other => return settles(other),
    };
    let Some(body) = model.body(node) else { return false };
    match body.statements.as_slice() {
        [oxc_ast::ast::Statement::ExpressionStatement(statement)] => calls(&statement.expression),
        _ => false,
    }
}

/// The first free name for the first race of a function, the second for its
/// second: their patches may be applied together.
fn name(model: &Model<'_>, timer: &Timer<'_>) -> Option<&'static str> {
    let race = timer.race.node_id.get();
    let function = model.function_of(race);
    let earlier = model.index.calls.iter().filter(|&&node| match model.kind(node) {
        AstKind::CallExpression(call) => {
            call.span.start < timer.race.span.start
                && model.function_of(node) == function
                && model.callee(call).is_global("Promise", &["race"])
        }
        _ => false,
    });
    NAMES.iter().copied().filter(|name| !is_taken(model, name)).nth(earlier.count())
}

/// One step of indentation where the race stands.
fn unit(model: &Model<'_>, timer: &Timer<'_>) -> String {
    let race = timer.race.node_id.get();
    match layout::statement_of(model, race) {
        Some(statement) => layout::unit(model, statement),
        None if indent_at(model.source, timer.race.span.start).starts_with('\t') => "\t".to_owned(),
        None => "  ".to_owned(),
    }
}

fn timers_in(model: &Model<'_>, timer: &Timer<'_>) -> usize {
    super::timers(model, timer.race).len()
}

impl Plan<'_, '_> {
    fn inline(&self) -> Option<Vec<Edit>> {
        let race = self.timer.race.node_id.get();
        let keep = self.keep()?;
        let Some(statement) = layout::statement_of(self.model, race) else { return self.expression_body(keep) };
        let at = span(&self.model.kind(statement));
        if layout::holds_long_text(self.model, at) {
            return None;
        }
        let indent = indent_at(self.model.source, at.start);
        if self.wraps(statement) {
            let text = self.statement(statement, vec![keep])?;
            return Some(vec![(at, self.in_try(indent, &text, true))]);
        }
        if !self.cannot_throw(self.timer.index + 1) {
            return None;
        }
        let declared = format!("{}{}{indent}", self.declaration(), line_end(self.model.source));
        Some(vec![(Span::at(at.start), declared), keep, self.finally_call()])
    }

    /// The timer's promise is a constant of the statement right before.
    fn constant(&self, declaration: NodeId) -> Option<Vec<Edit>> {
        let keep = self.keep()?;
        let race = self.timer.race.node_id.get();
        let made = layout::statement_of(self.model, declaration)?;
        let raced = layout::statement_of(self.model, race)?;
        let (first, second) = (span(&self.model.kind(made)), span(&self.model.kind(raced)));
        let between = self.model.source.text.get(first.end as usize..second.start as usize)?;
        let only_comments = between.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with("//"));
        if !only_comments || layout::holds_long_text(self.model, second) {
            return None;
        }
        let indent = indent_at(self.model.source, first.start);
        let declared =
            (Span::at(first.start), format!("{}{}{indent}", self.declaration(), line_end(self.model.source)));
        if self.wraps(raced) {
            let text = self.statement(raced, Vec::new())?;
            return Some(vec![declared, keep, (second, self.in_try(indent, &text, false))]);
        }
        if !self.cannot_throw(0) {
            return None;
        }
        Some(vec![declared, keep, self.finally_call()])
    }

    /// `=> Promise.race([…])`: the expression becomes a block.
    fn expression_body(&self, keep: Edit) -> Option<Vec<Edit>> {
        let model = self.model;
        let race = self.timer.race.node_id.get();
        let arrow_node = model.function_of(race)?;
        let AstKind::ArrowFunctionExpression(arrow) = model.kind(arrow_node) else { return None };
        let body = arrow.body.as_expression()?;
        let at = span(body);
        let head = Span::new(arrow.span.start, at.start);
        let plain = model.source.slice(head).trim_end().ends_with("=>") && at.end == arrow.span.end;
        if !plain || outermost(model, self.timer.race) != at || layout::holds_long_text(model, at) {
            return None;
        }
        if !self.cannot_throw(self.timer.index + 1) {
            return None;
        }
        let text = self.applied(at, vec![keep, self.finally_call()])?;
        let indent = indent_at(model.source, arrow.span.start);
        let own_line = indent_at(model.source, at.start);
        let broken = model.source.slice(head).ends_with(['\n', ' ', '\t'])
            && model
                .source
                .slice(Span::new(head.start + model.source.slice(head).trim_end().len() as u32, at.start))
                .contains('\n');
        let unit = &self.unit;
        let text = if broken { text } else { layout::moved_in(&text, unit) };
        let inner = if broken { own_line.to_owned() } else { format!("{indent}{unit}") };
        let (end, semicolon) = (line_end(model.source), self.semicolon);
        let declared = self.declaration();
        let block = format!(" {{{end}{inner}{declared}{end}{inner}return {text}{semicolon}{end}{indent}}}");
        let arrow_end = head.start + model.source.slice(head).trim_end().len() as u32;
        Some(vec![(Span::new(arrow_end, at.end), block)])
    }

    /// True where the statement can stand in a `try` of an async function:
    /// it is the awaited race or returns it.
    fn wraps(&self, statement: NodeId) -> bool {
        let model = self.model;
        let race = self.timer.race.node_id.get();
        if !model.function_of(race).is_some_and(|function| model.is_async(function)) {
            return false;
        }
        let whole = outermost(model, self.timer.race);
        match model.kind(statement) {
            AstKind::ReturnStatement(returned) => returned.argument.as_ref().is_some_and(|argument| match argument {
                Expression::AwaitExpression(awaited) => span(&awaited.argument) == whole,
                other => span(other) == whole,
            }),
            AstKind::ExpressionStatement(expression) => match &expression.expression {
                Expression::AwaitExpression(awaited) => span(&awaited.argument) == whole,
                Expression::AssignmentExpression(assignment) => match &assignment.right {
                    Expression::AwaitExpression(awaited) => span(&awaited.argument) == whole,
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    /// The statement's text with `inner` applied and the race awaited.
    fn statement(&self, statement: NodeId, mut inner: Vec<Edit>) -> Option<String> {
        if let AstKind::ReturnStatement(returned) = self.model.kind(statement)
            && let Some(argument) = &returned.argument
            && !matches!(argument, Expression::AwaitExpression(_))
        {
            inner.push((Span::at(span(argument).start), "await ".to_owned()));
        }
        self.applied(span(&self.model.kind(statement)), inner)
    }

    fn applied(&self, within: Span, edits: Vec<Edit>) -> Option<String> {
        let moved = edits.iter().map(|(at, text)| {
            let at = Span::new(at.start.checked_sub(within.start)?, at.end.checked_sub(within.start)?);
            Some((at, text.as_str()))
        });
        let moved: Option<Vec<_>> = moved.collect();
        apply(self.model.source.slice(within), moved?).ok()
    }

    fn in_try(&self, indent: &str, text: &str, declare: bool) -> String {
        let unit = &self.unit;
        let body = layout::moved_in(text, unit);
        let mut lines = Vec::new();
        if declare {
            lines.push(self.declaration());
        }
        lines.push("try {".to_owned());
        lines.push(format!("{unit}{body}"));
        lines.push("} finally {".to_owned());
        lines.push(format!("{unit}clearTimeout({}){}", self.name, self.semicolon));
        lines.push("}".to_owned());
        layout::lines(self.model, indent, &lines)
    }

    fn declaration(&self) -> String {
        let ty = layout::annotation(self.model, "ReturnType<typeof setTimeout> | undefined");
        format!("let {}{ty}{}", self.name, self.semicolon)
    }

    fn finally_call(&self) -> Edit {
        (Span::at(span(self.timer.race).end), format!(".finally(() => clearTimeout({}))", self.name))
    }

    /// True where no element of the race from `from` on can throw before the
    /// race exists: names, fields, and promises made in place.
    fn cannot_throw(&self, from: usize) -> bool {
        elements(self.timer.race).into_iter().enumerate().filter(|(index, _)| *index != self.timer.index).all(
            |(index, element)| {
                index < from
                    || element.is_some_and(|element| match bare(element) {
                        Expression::Identifier(_) | Expression::NewExpression(_) => true,
                        Expression::StaticMemberExpression(member) => {
                            matches!(bare(&member.object), Expression::ThisExpression(_))
                        }
                        Expression::CallExpression(call) if makes_promise_of_names(self.model, call) => true,
                        Expression::CallExpression(call) => super::local_function(self.model, call)
                            .is_some_and(|function| self.model.is_async(function)),
                        _ => false,
                    })
            },
        )
    }

    /// The edit that keeps the timer's id.
    fn keep(&self) -> Option<Edit> {
        let model = self.model;
        let call: &CallExpression<'_> = self.timer.call;
        let at = span(call);
        let name = self.name;
        match model.nodes().parent_kind(call.node_id.get()) {
            AstKind::ExpressionStatement(_) => Some((Span::at(at.start), format!("{name} = "))),
            AstKind::ReturnStatement(returned) => {
                Some((Span::new(returned.span.start, at.start), format!("{name} = ")))
            }
            AstKind::ArrowFunctionExpression(arrow) => self.block_of(arrow, at),
            AstKind::VariableDeclarator(declarator)
                if matches!(declarator.id, BindingPattern::BindingIdentifier(_)) =>
            {
                None
            }
            _ => None,
        }
    }

    /// `(_, reject) => setTimeout(…)` with a block instead of the expression.
    fn block_of(&self, arrow: &oxc_ast::ast::ArrowFunctionExpression<'_>, body: Span) -> Option<Edit> {
        let source = self.model.source;
        let head = source.slice(Span::new(arrow.span.start, body.start));
        let arrow_end = arrow.span.start + head.trim_end().len() as u32;
        if !head.trim_end().ends_with("=>") || arrow.span().end != body.end {
            return None;
        }
        // A body on a line of its own leaves its line break before `)`.
        let broken = source.slice(Span::new(arrow_end, body.start)).contains('\n');
        let rest = source.text.get(body.end as usize..)?;
        let gap = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', ',']).len();
        let closes = rest[gap..].starts_with(')') && rest[..gap].contains('\n');
        let until = if broken && closes { body.end + gap as u32 } else { body.end };
        let indent = indent_at(source, arrow.span.start);
        let own = indent_at(source, body.start);
        let unit = self.unit.as_str();
        let (inner, text) = if broken {
            (own.to_owned(), source.slice(body).to_owned())
        } else {
            (format!("{indent}{unit}"), layout::moved_in(source.slice(body), unit))
        };
        let (end, name, semicolon) = (line_end(source), self.name, self.semicolon);
        let block = format!(" {{{end}{inner}{name} = {text}{semicolon}{end}{indent}}}");
        Some((Span::new(arrow_end, until), block))
    }
}

/// `Promise.all(names)` and its kin never throw.
fn makes_promise_of_names(model: &Model<'_>, call: &CallExpression<'_>) -> bool {
    let path = model.callee(call);
    let combines = ["all", "allSettled", "any"].iter().any(|name| path.is_global("Promise", &[name]));
    combines && matches!(argument(&call.arguments, 0), Some(Expression::Identifier(_)))
}

/// The race with what is chained to it (`Promise.race(…).then(…)`).
fn outermost(model: &Model<'_>, race: &CallExpression<'_>) -> Span {
    let nodes = model.nodes();
    let (mut whole, mut at) = (race.node_id.get(), span(race));
    loop {
        let member = nodes.parent_id(whole);
        let AstKind::StaticMemberExpression(access) = nodes.kind(member) else { break };
        let chained = matches!(access.property.name.as_str(), "then" | "catch" | "finally");
        let call = nodes.parent_id(member);
        match nodes.kind(call) {
            AstKind::CallExpression(outer) if chained && span(&outer.callee) == span(access) => {
                (whole, at) = (call, span(outer));
            }
            _ => break,
        }
    }
    at
}
