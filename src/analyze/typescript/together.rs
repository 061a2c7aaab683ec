//! The patch that lets a run of awaits wait together: `const [a, b] = await
//! Promise.all([…]);`, only where no later call can throw before its promise
//! is there, since an earlier promise would then be left without a handler.

use std::borrow::Cow;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    Argument, ArrayExpressionElement, ChainElement, Expression, ObjectPropertyKind, VariableDeclaration,
    VariableDeclarationKind, VariableDeclarator,
};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::runs::{AwaitedRead, Link, Part};
use crate::lang::typescript::clients::Kind;
use crate::lang::typescript::effects::{By, Effects};
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::once::any_within;
use crate::lang::typescript::path::{Binding, Root};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::Draft;
use crate::source::Span;

/// More calls at once would take too large a part of a usual pool.
const MOST: usize = 5;

/// The patch of a run, where it can be shown to keep behaviour.
pub fn draft<'a>(effects: &Effects<'_, 'a>, run: &Part<'_, 'a>, function: Option<NodeId>) -> Option<Draft> {
    let model = effects.model;
    if run.links.len() > MOST || !run.between.is_empty() {
        return None;
    }
    let declared =
        run.links.iter().map(|link| link.declared.map(|(declaration, of)| Declared { link, declaration, of }));
    let declared: Vec<Declared<'_, 'a>> = declared.collect::<Option<_>>()?;
    let (first, last) = (declared.first()?, declared.last()?);
    let kind = first.declaration.kind;
    let plain = declared.iter().all(|one| {
        one.declaration.kind == kind
            && one.of.type_annotation.is_none()
            // A cast of the awaited value would have to be kept.
            && matches!(one.of.init, Some(Expression::AwaitExpression(_)))
            && (kind == VariableDeclarationKind::Const || !is_reassigned(model, one.link))
    });
    if !plain || fans_out(model, function) || has_deciding_catch(model, first.link.statement) {
        return None;
    }
    let before = Seen { effects, first };
    if !run.links[1..].iter().flat_map(|link| &link.reads).all(|read| before.cannot_throw(read)) {
        return None;
    }
    let text = layout(model, &declared)?;
    let whole = Span::new(span(first.declaration).start, span(last.declaration).end);
    Some(Draft { key: Cow::Borrowed("together"), edits: vec![(whole, text)], imports: Vec::new() })
}

/// A link with the declaration that holds its result.
struct Declared<'r, 'a> {
    link: &'r Link<'a>,
    declaration: &'a VariableDeclaration<'a>,
    of: &'a VariableDeclarator<'a>,
}

fn is_reassigned(model: &Model<'_>, link: &Link<'_>) -> bool {
    link.uses.defines.iter().any(|&symbol| {
        model.is_within(model.scoping().symbol_declaration(symbol), link.statement)
            && model.scoping().symbol_is_mutated(symbol)
    })
}

/// The function is a callback that already runs many times at once.
fn fans_out(model: &Model<'_>, function: Option<NodeId>) -> bool {
    let Some(function) = function else { return false };
    match model.nodes().parent_kind(function) {
        AstKind::CallExpression(call) => {
            matches!(model.callee(call).leaf(), "map" | "flatMap" | "forEach" | "all" | "allSettled" | "pMap")
        }
        _ => false,
    }
}

/// A catch around the run that decides by the error, or a finally that may
/// release what a call still uses: which error comes first would matter.
fn has_deciding_catch(model: &Model<'_>, statement: NodeId) -> bool {
    let mut inside = statement;
    for id in model.nodes().ancestor_ids(statement) {
        let kind = model.kind(id);
        if is_function(kind) {
            return false;
        }
        if let AstKind::TryStatement(tried) = kind {
            let in_block = span(&*tried.block).contains(span(&model.kind(inside)));
            if in_block && tried.finalizer.is_some() {
                return true;
            }
            if in_block && let Some(handler) = &tried.handler {
                let node = AstKind::CatchClause(handler).node_id();
                let decides = model.subtree(node).any(|id| match model.kind(id) {
                    AstKind::IfStatement(_) | AstKind::SwitchStatement(_) | AstKind::ConditionalExpression(_) => true,
                    AstKind::BinaryExpression(binary) => {
                        binary.operator.is_instance_of() || binary.operator.is_equality()
                    }
                    _ => false,
                });
                if decides {
                    return true;
                }
            }
        }
        inside = id;
    }
    false
}

struct Seen<'r, 'm, 'a> {
    effects: &'r Effects<'m, 'a>,
    first: &'r Declared<'r, 'a>,
}

impl<'a> Seen<'_, '_, 'a> {
    /// Nothing in the call can throw before it has given its promise.
    fn cannot_throw(&self, read: &AwaitedRead<'a>) -> bool {
        let elsewhere = read.elsewhere(self.effects).is_some();
        let client = match &read.effect.by {
            By::Client(client) => client.kind != Kind::Superagent,
            By::Function(_) => true,
            By::Imported(_) | By::Typed(_) => elsewhere,
            By::Name => false,
        };
        let chain = self.effects.chain(read.call);
        // A deep chain of members on something handed in may break off.
        let held = match chain.base.root {
            Root::This | Root::Global(_) => true,
            Root::Symbol(symbol, _) => {
                chain.base.members.len() <= 2 || !matches!(self.effects.model.binding(symbol), Binding::Parameter)
            }
            _ => false,
        };
        client
            && held
            && (read.effect.promises || elsewhere)
            && !chain.base.members.contains(&"[]")
            && chain.calls.iter().all(|call| call.arguments.iter().all(|argument| self.argument(argument)))
    }

    fn argument(&self, argument: &'a Argument<'a>) -> bool {
        argument.as_expression().is_some_and(|expression| self.value(expression))
    }

    /// An expression whose evaluation cannot throw.
    fn value(&self, expression: &'a Expression<'a>) -> bool {
        if matches!(expression, Expression::TSNonNullExpression(_)) {
            return false;
        }
        match bare(expression) {
            Expression::NumericLiteral(_)
            | Expression::StringLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::NullLiteral(_)
            | Expression::BigIntLiteral(_)
            | Expression::RegExpLiteral(_)
            | Expression::ThisExpression(_)
            | Expression::ArrowFunctionExpression(_)
            | Expression::FunctionExpression(_) => true,
            Expression::Identifier(id) => self.effects.model.symbol_of(id).is_some() || id.name == "undefined",
            Expression::TemplateLiteral(template) => template.expressions.iter().all(|e| self.value(e)),
            Expression::UnaryExpression(unary) => !unary.operator.is_delete() && self.value(&unary.argument),
            Expression::LogicalExpression(logical) => self.value(&logical.left) && self.value(&logical.right),
            Expression::ConditionalExpression(choice) => {
                self.value(&choice.test) && self.value(&choice.consequent) && self.value(&choice.alternate)
            }
            Expression::BinaryExpression(binary) if binary.operator.is_equality() => {
                self.value(&binary.left) && self.value(&binary.right)
            }
            Expression::ArrayExpression(array) => array.elements.iter().all(|element| match element {
                ArrayExpressionElement::SpreadElement(_) => false,
                ArrayExpressionElement::Elision(_) => true,
                other => other.as_expression().is_some_and(|e| self.value(e)),
            }),
            Expression::ObjectExpression(object) => object.properties.iter().all(|kind| match kind {
                ObjectPropertyKind::ObjectProperty(property) => !property.computed && self.value(&property.value),
                ObjectPropertyKind::SpreadProperty(spread) => {
                    matches!(bare(&spread.argument), Expression::Identifier(_))
                }
            }),
            // The constructors of AWS commands keep their input.
            Expression::NewExpression(new) => {
                new.arguments.iter().all(|argument| self.argument(argument))
                    && self.effects.model.path_of(&new.callee).leaf().ends_with("Command")
            }
            Expression::StaticMemberExpression(member) => self.member(&member.object),
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::StaticMemberExpression(member) => {
                    matches!(bare(&member.object), Expression::Identifier(_) | Expression::ThisExpression(_))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// `root.member` cannot throw where the root is a module, a class, an
    /// enum, an object literal, or was read from before.
    fn member(&self, object: &'a Expression<'a>) -> bool {
        let model = self.effects.model;
        match bare(object) {
            Expression::ThisExpression(_) => true,
            Expression::Identifier(id) => {
                let Some(symbol) = model.symbol_of(id) else { return false };
                match model.binding(symbol) {
                    Binding::Import(_) | Binding::Class(_) | Binding::Function(_) => true,
                    Binding::Constant(init) if matches!(bare(init), Expression::ObjectExpression(_)) => true,
                    _ if model.scoping().symbol_flags(symbol).is_enum() => true,
                    _ => !model.scoping().symbol_is_mutated(symbol) && self.was_read(symbol, object),
                }
            }
            // `request.params.id` after `request.params.id`.
            Expression::StaticMemberExpression(member) if !member.optional => {
                let Root::Symbol(symbol, _) = model.path_of(object).root else { return false };
                self.member(&member.object)
                    && !model.scoping().symbol_is_mutated(symbol)
                    && self.was_read(symbol, object)
            }
            _ => false,
        }
    }

    /// True where a member of `object`, which begins with `symbol`, is read
    /// without a condition before the first await of the run has been
    /// evaluated, in the same function.
    fn was_read(&self, symbol: SymbolId, object: &Expression<'a>) -> bool {
        let model = self.effects.model;
        let statement = self.first.link.statement;
        let function = model.function_of(statement);
        let border = span(self.first.declaration).end;
        model.scoping().get_resolved_reference_ids(symbol).iter().any(|&reference| {
            let node = model.scoping().get_reference(reference).node_id();
            let members = model.nodes().ancestor_kinds(node).map_while(|kind| match kind {
                AstKind::StaticMemberExpression(member) => Some(member),
                _ => None,
            });
            let mut same = members.filter(|member| model.text(&member.object) == model.text(object));
            let Some(member) = same.next() else { return false };
            !member.optional
                && span(member).end <= border
                && model.function_of(node) == function
                && self.is_unconditional(node, statement)
        })
    }

    /// True where `node` is evaluated whenever `statement`, later in the same
    /// function, is reached.
    fn is_unconditional(&self, node: NodeId, statement: NodeId) -> bool {
        let model = self.effects.model;
        let mut inside = node;
        for id in model.nodes().ancestor_ids(node) {
            let at = span(&model.kind(inside));
            match model.kind(id) {
                AstKind::LogicalExpression(logical) if span(&logical.right).contains(at) => return false,
                AstKind::ConditionalExpression(choice) if !span(&choice.test).contains(at) => return false,
                AstKind::IfStatement(branch) if !span(&branch.test).contains(at) => {
                    return model.is_within(statement, id) && model.is_within(statement, inside);
                }
                AstKind::ChainExpression(_)
                | AstKind::TryStatement(_)
                | AstKind::CatchClause(_)
                | AstKind::SwitchCase(_)
                | AstKind::ForStatement(_)
                | AstKind::ForOfStatement(_)
                | AstKind::ForInStatement(_)
                | AstKind::WhileStatement(_)
                | AstKind::DoWhileStatement(_) => return model.is_within(statement, inside),
                kind if is_function(kind) => return true,
                _ => {}
            }
            inside = id;
        }
        true
    }
}

/// The text of the joined statement; comments between the statements stay with
/// the call that they stand before, or behind.
fn layout<'a>(model: &Model<'a>, declared: &[Declared<'_, 'a>]) -> Option<String> {
    let first = declared.first()?;
    let start = span(first.declaration).start;
    let line = model.source.position(start).line;
    let line_start = model.source.lines().line_start(line)?;
    let indent = model.source.slice(Span::new(line_start, start));
    if !indent.chars().all(|c| c == ' ' || c == '\t') {
        return None;
    }
    let eol = if model.mentions("\r\n") { "\r\n" } else { "\n" };
    let unit = unit_of(model, indent, first.link.statement);
    let inner = format!("{indent}{unit}");
    let mut names = Vec::new();
    let mut body = String::new();
    for (index, one) in declared.iter().enumerate() {
        let whole = span(one.declaration);
        let call = span(&one.link.awaited.argument);
        if model.comments(whole).any(|(at, _)| !call.contains(at)) {
            return None;
        }
        let mut behind = String::new();
        if let Some(next) = declared.get(index + 1) {
            let gap = Span::new(whole.end, span(next.declaration).start);
            let (trailing, _) = comments_of_gap(model, gap)?;
            behind = trailing;
        }
        if index > 0 {
            let previous = span(declared[index - 1].declaration);
            let (_, leading) = comments_of_gap(model, Span::new(previous.end, whole.start))?;
            for comment in leading {
                body.push_str(&format!("{inner}{comment}{eol}"));
            }
        }
        names.push(model.source.slice(span(&one.of.id)));
        let element = shifted(model, call, &unit, eol);
        body.push_str(&format!("{inner}{element},{behind}{eol}"));
    }
    let last = declared.last()?;
    let semicolon = if model.text(last.declaration).ends_with(';') { ";" } else { "" };
    let keyword = first.declaration.kind.as_str();
    let names = names.join(", ");
    Some(format!("{keyword} [{names}] = await Promise.all([{eol}{body}{indent}]){semicolon}"))
}

/// The comments of the text between two statements: the one on the first
/// one's line (with a blank before it), and the others. `None` where there is
/// other text.
fn comments_of_gap(model: &Model<'_>, gap: Span) -> Option<(String, Vec<String>)> {
    let mut behind = String::new();
    let mut leading = Vec::new();
    let mut at = gap.start;
    for (comment, text) in model.comments(gap) {
        let between = model.source.slice(Span::new(at, comment.start));
        if !between.trim().is_empty() {
            return None;
        }
        let same_line = at == gap.start && !between.contains('\n');
        if same_line {
            behind = format!(" {text}");
        } else if text.contains('\n') {
            // A block over several lines would have to be moved as one.
            return None;
        } else {
            leading.push(text.to_owned());
        }
        at = comment.end;
    }
    model.source.slice(Span::new(at, gap.end)).trim().is_empty().then_some((behind, leading))
}

/// The text of a call with its further lines moved in by one unit; a template
/// over several lines keeps its own.
fn shifted(model: &Model<'_>, call: Span, unit: &str, eol: &str) -> String {
    let text = model.source.slice(call);
    if !text.contains('\n') || any_within(model.long_templates(), call) {
        return text.to_owned();
    }
    let mut lines = text.lines();
    let mut out = lines.next().unwrap_or("").to_owned();
    for line in lines {
        out.push_str(eol);
        if !line.trim().is_empty() {
            out.push_str(unit);
            out.push_str(line);
        }
    }
    out
}

/// One level of indentation: what the statement's block adds to its parent's
/// line, else two blanks.
fn unit_of(model: &Model<'_>, indent: &str, statement: NodeId) -> String {
    if indent.contains('\t') {
        return "\t".to_owned();
    }
    let parent = model.nodes().parent_kind(statement);
    let line = model.source.position(span(&parent).start).line;
    let outer = model.source.lines().line_start(line).map_or("", |start| {
        let rest = model.source.text.get(start as usize..).unwrap_or("");
        &rest[..rest.len() - rest.trim_start_matches(' ').len()]
    });
    match indent.len().checked_sub(outer.len()) {
        Some(width @ 1..=8) => " ".repeat(width),
        _ => "  ".to_owned(),
    }
}
