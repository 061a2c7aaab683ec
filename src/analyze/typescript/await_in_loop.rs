//! A request or query awaited in each round of a loop over a collection.

mod guards;

use std::collections::BTreeSet;

use oxc_ast::AstKind;
use oxc_ast::ast::{AwaitExpression, CallExpression, Expression, ForStatement, ForStatementLeft};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::http;
use super::runs::named_io_of_element;
use super::sequential_awaits::speaks_of_order;
use crate::analyze::sink::Builder;
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::clients::{Kind, Nature, PRISMA_ROW_WRITES};
use crate::lang::typescript::effects::{By, CallEffect, Effects};
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::path::{Binding, is_project_module};
use crate::lang::typescript::uses::Uses;
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare, names, span};
use crate::observe::{Confidence, Context, Effect, IfNo, Io, Need, Question, Step};
use crate::source::Span;

/// See the module.
pub const ANALYSIS: Analysis<super::Run> = Analysis {
    name: "await-in-loop",
    vocabulary: Vocabulary {
        values: &["call"],
        evidence: &["loop-over-collection", "loop-counts", "awaited-in-body", "row-in-body", "awaited-function"],
        guards: &[
            "loop-carries-state",
            "loop-is-paced",
            "loop-retries",
            "loop-leaves-early",
            "loop-writes",
            "few-rounds",
            "chunked",
            "same-every-round",
            "browser",
            "migration",
        ],
        assumptions: &["server-bears-several", "many-elements", "order-comment", "reads-by-name"],
        labels: &["the-loop"],
        patches: &[],
        variants: &["query"],
        params: &["few"],
    },
    run,
};

/// One awaited call in a loop's body.
struct Wait<'a> {
    awaited: &'a AwaitExpression<'a>,
    call: &'a CallExpression<'a>,
    effect: CallEffect,
}

impl Wait<'_> {
    /// True for the call itself, and for the one around it that is awaited.
    fn is(&self, call: &CallExpression<'_>) -> bool {
        let around = match bare(&self.awaited.argument) {
            Expression::CallExpression(around) => around.span == call.span,
            _ => false,
        };
        around || self.call.span == call.span
    }
}

/// A `for`, `for of` or `for in` loop.
struct Loop {
    node: NodeId,
    head: Span,
    body: NodeId,
    /// What each round binds, and what the body derives from it.
    varies: BTreeSet<SymbolId>,
    /// True where it counts numbers up to one that is no collection's length.
    counts: bool,
}

fn run<'m, 'a, 's>(model: &'m Model<'a>, sink: &mut Sink<'s>) {
    if model.index.awaits.is_empty() || model.index.loops.is_empty() {
        return;
    }
    let effects = Effects::new(model);
    let few = sink.number("few", 5.0);
    for &node in &model.index.loops {
        let Some(found) = Loop::of(model, node) else { continue };
        let waits = waits(&effects, &found);
        let Some(first) = waits.iter().find(|wait| asks(&effects, wait)) else { continue };
        let enclosing = model.enclosing(node);
        if matches!(enclosing.context, Context::Test | Context::Build) {
            continue;
        }
        let at = span(first.awaited);
        let call = model.source.slice(span(&first.call.callee)).split_whitespace().collect::<String>();
        let mut builder = sink
            .candidate(at, enclosing.symbol.clone(), enclosing.context)
            .value("call", call)
            .label(found.head, "the-loop")
            .evidence(Step::at(if found.counts { "loop-counts" } else { "loop-over-collection" }, found.head))
            .evidence(Step::at(if writes_row(model, first) { "row-in-body" } else { "awaited-in-body" }, at));
        if let Some(guard) = guards::guard(&effects, &found, &waits, first, &enclosing.context, few) {
            sink.push(builder.clear(guard));
            continue;
        }
        if let By::Function(function) = first.effect.by {
            let place = effects.summary(function).public.span;
            builder = builder.evidence(Step::at("awaited-function", place));
        }
        let query = first.effect.io == Io::Database;
        let row = writes_row(model, first);
        let questions = if row { Vec::new() } else { effects.open_questions(first.call, &first.effect) };
        // The text of a query, and the methods that only a library's models have,
        // say more than the name of what they are called on.
        let told = [Kind::Sql, Kind::Prisma, Kind::Model, Kind::Kysely];
        let told = matches!(&first.effect.by, By::Client(client) if told.contains(&client.kind));
        let by_name = questions.is_empty() && first.effect.by_name && !row && !told;
        let elsewhere = matches!(first.effect.by, By::Imported(_) | By::Typed(_)) || first.effect.left_open;
        // Nobody waits for a script but who starts it, and slow is polite.
        let by_hand = enclosing.context == Context::Cli || http::is_tool(model);
        // How many elements there are decides, and no code says it: a request
        // may ask for many, and somebody waits for it.
        let per_element = |builder: Builder| {
            let step = Step::at("many-elements", found.head);
            match (enclosing.context, enclosing.function.filter(|&f| model.name_of(f).is_some())) {
                _ if row || by_name || found.counts => builder.doubt(step),
                (Context::Handler, _) => builder.assume(step),
                (Context::Library, _) if enclosing.request_path_by_name.is_some() => builder.assume(step).need(Need {
                    question: Question::NotInCommandLineProgram,
                    span: None,
                    if_unknown: Some(Confidence::Likely),
                    if_no: IfNo::Clear,
                }),
                (Context::Library, Some(function)) => builder.assume(step).need(Need {
                    question: Question::CalledFromHandler(model.name_span(function)),
                    span: None,
                    if_unknown: Some(Confidence::Possible),
                    if_no: IfNo::Clear,
                }),
                _ => builder.doubt(step),
            }
        };
        let of_service = |builder: Builder| {
            let step = Step::at("server-bears-several", found.head);
            match found.counts {
                // Years, weeks, levels: mostly few of them.
                true => builder.doubt(Step::at("many-elements", found.head)),
                false if by_hand => builder.doubt(step),
                false => builder.assume(step),
            }
        };
        let if_unknown = (first.effect.effect == Effect::Read).then_some(Confidence::Possible);
        let asked = |builder: Builder, question: Question, if_unknown: Option<Confidence>| {
            builder.need(Need { question, span: Some(at), if_unknown, if_no: IfNo::Clear })
        };
        // Whether it is a service or a database stands in the other file.
        let mut open = None;
        for question in questions {
            match question {
                Question::ReadsIo(name) if elsewhere && !query => open = Some(name),
                other => builder = asked(builder, other, if_unknown),
            }
        }
        for name in waits.iter().skip(1).filter_map(|wait| guards::asked_of(&effects, wait)) {
            builder = asked(builder, Question::OnlyReads(name), None);
        }
        if enclosing.request_path_by_name.is_some() {
            builder = builder.request_path_by_name(enclosing.request_path_by_name.clone()).need(Need {
                question: Question::NotInCommandLineProgram,
                span: None,
                if_unknown: Some(Confidence::Likely),
                if_no: IfNo::LeaveRequestPath,
            });
        }
        let comment = model.comments(span(&model.kind(node))).find(|(_, text)| speaks_of_order(text));
        let ordered = |builder: Builder| match comment {
            Some((comment, _)) => builder.doubt(Step::at("order-comment", comment)),
            None => builder,
        };
        let of_query = |builder: Builder| per_element(builder.variant("query"));
        sink.push(match open {
            Some(name) => {
                let query = asked(of_query(builder.clone()), Question::ReadsIo(name.clone()), if_unknown);
                let service = asked(of_service(builder), Question::ReadsService(name), if_unknown);
                ordered(service).or_narrower(ordered(query))
            }
            None if query => ordered(of_query(builder)),
            None if by_name => builder.doubt(Step::at("reads-by-name", at)),
            None => ordered(of_service(builder)),
        });
    }
}

impl Loop {
    fn of(model: &Model<'_>, node: NodeId) -> Option<Self> {
        let (head_end, bound, body) = match model.kind(node) {
            AstKind::ForOfStatement(each) if !each.r#await => (span(&each.right).end, &each.left, &each.body),
            AstKind::ForInStatement(each) => (span(&each.right).end, &each.left, &each.body),
            AstKind::ForStatement(counted) => {
                let body = child_with_span(model, node, span(&counted.body))?;
                let test = counted.test.as_ref()?;
                let head = Span::new(span(counted).start, span(test).end);
                let init = child_with_span(model, node, span(counted.init.as_ref()?))?;
                let counts = !goes_to_length(model, counted);
                let mut found = Self { node, head, body, varies: Uses::of(model, init).defines, counts };
                found.derive(model);
                return Some(found);
            }
            _ => return None,
        };
        let ForStatementLeft::VariableDeclaration(declaration) = bound else { return None };
        let left = AstKind::VariableDeclaration(declaration).node_id();
        let body = child_with_span(model, node, span(body))?;
        let head = Span::new(span(&model.kind(node)).start, head_end);
        let mut found = Self { node, head, body, varies: Uses::of(model, left).defines, counts: false };
        found.derive(model);
        Some(found)
    }

    /// Constants of the body that are computed from what varies.
    fn derive(&mut self, model: &Model<'_>) {
        for id in model.own_code(self.body) {
            if let AstKind::VariableDeclarator(_) = model.kind(id) {
                let uses = Uses::of(model, id);
                if !uses.reads.is_disjoint(&self.varies) {
                    self.varies.extend(uses.defines);
                }
            }
        }
    }
}

/// `i < ids.length`, also by a name that holds it, or `count` of them.
fn goes_to_length(model: &Model<'_>, counted: &ForStatement<'_>) -> bool {
    const LENGTHS: &[&str] = &["length", "len", "size", "count", "total"];
    let says = |text: &str| names::words(text).iter().any(|word| LENGTHS.contains(&word.as_str()));
    let Some(Expression::BinaryExpression(test)) = &counted.test else { return true };
    let bound = |side: &Expression<'_>| match bare(side) {
        Expression::Identifier(id) => match model.symbol_of(id).map(|symbol| model.binding(symbol)) {
            Some(Binding::Constant(init)) => says(&id.name) || says(model.source.slice(span(init))),
            _ => says(&id.name),
        },
        other => says(model.source.slice(span(other))),
    };
    bound(&test.right) || bound(&test.left)
}

fn child_with_span(model: &Model<'_>, node: NodeId, wanted: Span) -> Option<NodeId> {
    model.children(node).find(|&child| span(&model.kind(child)) == wanted)
}

/// The awaited calls whose nearest loop is this one, in the loop's function.
fn waits<'a>(effects: &Effects<'_, 'a>, around: &Loop) -> Vec<Wait<'a>> {
    let model = effects.model;
    let own = model.own_code(around.body).into_iter().filter(|&id| nearest_loop(model, id) == Some(around.node));
    own.filter_map(|node| {
        let AstKind::AwaitExpression(awaited) = model.kind(node) else { return None };
        let call = match bare(&awaited.argument) {
            Expression::CallExpression(call) => effects.within_bound(call),
            _ => return None,
        };
        Some(Wait { awaited, call, effect: effects.call(call) })
    })
    .collect()
}

fn nearest_loop(model: &Model<'_>, node: NodeId) -> Option<NodeId> {
    let mut above = model.nodes().ancestor_ids(node).take_while(|&id| !is_function(model.kind(id)));
    above.find(|&id| {
        matches!(
            model.kind(id),
            AstKind::ForStatement(_)
                | AstKind::ForOfStatement(_)
                | AstKind::ForInStatement(_)
                | AstKind::WhileStatement(_)
                | AstKind::DoWhileStatement(_)
        )
    })
}

/// A read from another service or a database, through a client, or a function
/// that does so; what a function of another file does is for the join to say.
fn asks<'a>(effects: &Effects<'_, 'a>, wait: &Wait<'a>) -> bool {
    let CallEffect { effect, io, nature, by, carries_transaction, left_open, .. } = &wait.effect;
    // Of what another file defines, that file may say that it only reads.
    let elsewhere = matches!(by, By::Imported(_) | By::Typed(_));
    let may_read = *effect == Effect::Read || (elsewhere || *left_open) && *effect == Effect::Unknown;
    // One query for all elements serves a transaction as well.
    let parallel = *nature == Nature::Parallel || *nature == Nature::Either && *io == Io::Database;
    let reads = may_read && parallel && !carries_transaction;
    let reaches = match by {
        By::Client(_) | By::Function(_) => matches!(io, Io::Http | Io::Database) || *left_open,
        By::Imported(name) | By::Typed(name) => {
            is_project_module(&name.module) && !names::is_trap(effects.model.callee(wait.call).leaf())
        }
        By::Name => named_io_of_element(effects, wait.call),
    };
    reads && reaches || writes_row(effects.model, wait)
}

/// `await prisma.item.delete({ where: { id } });` and its like: one row goes,
/// nobody reads what the statement gives, and its error is nobody's but the
/// loop's, so that one statement for all rows would do.
fn writes_row(model: &Model<'_>, wait: &Wait<'_>) -> bool {
    let By::Client(client) = &wait.effect.by else { return false };
    let rows: &[&str] = match client.kind {
        Kind::Prisma => PRISMA_ROW_WRITES,
        Kind::TypeOrm => &["insert", "save", "delete", "remove"],
        Kind::Mongo => &["insertOne", "deleteOne"],
        Kind::Model => &["create"],
        _ => return false,
    };
    let node = AstKind::AwaitExpression(wait.awaited).node_id();
    // `createMany` takes no rows of other tables with it.
    let nested = model.subtree(AstKind::CallExpression(wait.call).node_id()).any(|id| match model.kind(id) {
        AstKind::ObjectProperty(property) => {
            matches!(key_name(&property.key).as_deref(), Some("create" | "connect" | "connectOrCreate"))
        }
        _ => false,
    });
    if client.kind == Kind::Prisma && nested {
        return false;
    }
    rows.contains(&model.callee(wait.call).leaf())
        && matches!(model.nodes().parent_kind(node), AstKind::ExpressionStatement(_))
        && !model
            .nodes()
            .ancestor_kinds(node)
            .take_while(|kind| !is_loop_body(*kind))
            .any(|kind| matches!(kind, AstKind::TryStatement(_)))
}

fn is_loop_body(kind: AstKind<'_>) -> bool {
    matches!(kind, AstKind::ForStatement(_) | AstKind::ForOfStatement(_) | AstKind::ForInStatement(_))
}
