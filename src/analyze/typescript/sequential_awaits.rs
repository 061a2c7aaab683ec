//! Independent awaits of reads that wait one after another.

use oxc_ast::AstKind;
use oxc_ast::ast::Expression;
use oxc_syntax::node::NodeId;

use super::runs::{AwaitedRead, Awaits, Part, Run, entries, is_handed_over, runs};
use super::together;
use crate::analyze::sink::Builder;
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::clients::{Kind, Nature};
use crate::lang::typescript::effects::{By, Effects};
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::{Model, names, span};
use crate::observe::{Confidence, Context, IfNo, Io, Need, Question, Step};
use crate::source::Span;

/// See the module.
pub const ANALYSIS: Analysis<super::Run> = Analysis {
    name: "sequential-awaits",
    vocabulary: Vocabulary {
        values: &["count", "network_calls", "saved_percent"],
        evidence: &["read-client", "read-function", "read-imported", "read-name", "independent"],
        guards: &[
            "transaction",
            "serial",
            "write",
            "guard-call",
            "timing",
            "trap",
            "transaction-callback",
            "error-path",
            "browser",
            "migration",
        ],
        assumptions: &[
            "somebody-waits",
            "job-is-awaited",
            "no-transaction",
            "reads-by-name",
            "client-by-name",
            "log-order",
            "computes-by-name",
            "order-comment",
            "handed-over",
        ],
        labels: &["later"],
        patches: &["together"],
        variants: &[],
        params: &["min_run"],
    },
    run,
};

/// Words of a comment that say an order is meant.
const ORDER_WORDS: &[&str] = &[
    "order",
    "ordered",
    "first",
    "before",
    "after",
    "sequential",
    "sequentially",
    "serial",
    "serially",
    "must",
    "race",
    "races",
    "rate",
];

fn run<'m, 'a, 's>(model: &'m Model<'a>, sink: &mut Sink<'s>) {
    if model.index.awaits.len() < 2 {
        return;
    }
    let effects = Effects::new(model);
    let awaits = Awaits::of(model);
    let min_run = sink.number("min_run", 2.0) as usize;
    for &block in &model.index.blocks {
        for run in runs(&effects, &awaits, block) {
            if run.links.len() < min_run.max(2) && run.guard.is_none() {
                continue;
            }
            if let Some(builder) = candidate(&effects, sink, block, &run) {
                sink.push(builder);
            }
        }
    }
    for &literal in model.index.objects.iter().chain(&model.index.arrays) {
        for run in entries(&effects, &awaits, literal).into_iter().filter(|run| run.links.len() >= min_run) {
            if let Some(builder) = candidate(&effects, sink, literal, &run) {
                sink.push(builder);
            }
        }
    }
}

fn candidate<'a>(effects: &Effects<'_, 'a>, sink: &Sink<'_>, block: NodeId, run: &Run<'a>) -> Option<Builder> {
    let overlap = run.overlap.iter().flat_map(|overlap| overlap.parts());
    let mut parts = run.parts().chain(overlap);
    let whole = candidate_of(effects, sink, block, &parts.next()?)?;
    if let (1, Some((guard, at))) = (run.links.len(), run.guard) {
        return Some(whole.clear(Step::at(guard, at)));
    }
    Some(parts.filter_map(|part| candidate_of(effects, sink, block, &part)).fold(whole, Builder::or_narrower))
}

fn candidate_of<'a>(effects: &Effects<'_, 'a>, sink: &Sink<'_>, block: NodeId, run: &Part<'_, 'a>) -> Option<Builder> {
    let model = effects.model;
    let first = run.links.first()?;
    let enclosing = model.enclosing(first.statement);
    if matches!(enclosing.context, Context::Test | Context::Build) || is_generator(model, enclosing.function) {
        return None;
    }
    let count = run.links.len();
    // Reads that already wait together are one wait.
    let over_network = |read: &AwaitedRead<'_>| matches!(read.io, Io::Http | Io::Database);
    let network = run.links.iter().filter(|link| link.reads.iter().any(over_network)).count();
    let mut builder = sink
        .candidate(first.span(), enclosing.symbol.clone(), enclosing.context)
        .value("count", count)
        .value("network_calls", network)
        .value("saved_percent", ((1.0 - 1.0 / count as f64) * 100.0).round());
    if count < 2 {
        return Some(builder);
    }
    builder = match guard(effects, block, &enclosing.context) {
        Some(guard) => return Some(builder.clear(guard)),
        None => builder.request_path_by_name(enclosing.request_path_by_name.clone()),
    };
    if enclosing.request_path_by_name.is_some() {
        builder = builder.need(Need {
            question: Question::NotInCommandLineProgram,
            span: None,
            if_unknown: Some(Confidence::Likely),
            if_no: IfNo::LeaveRequestPath,
        });
    }
    for read in reads(run) {
        builder = evidence(effects, builder, read);
    }
    for link in &run.links[1..] {
        builder = builder.label(link.span(), "later");
    }
    builder = builder.evidence(Step::at("independent", run_span(model, run)).with("count", count));
    builder = assumptions(effects, builder, run);
    // A start or a command saves once what a request would save each time.
    match enclosing.context {
        Context::Startup | Context::Cli => builder = builder.doubt(Step::at("somebody-waits", first.span())),
        // So does a job, which is done when it is done.
        Context::Scheduled if count == 2 => builder = builder.assume(Step::at("job-is-awaited", first.span())),
        _ => {}
    }
    if builder.confidence() == Confidence::Certain
        && let Some(draft) = together::draft(effects, run, enclosing.function)
    {
        builder = builder.patch(draft);
        // What starts later must give a promise whatever happens.
        for read in run.links[1..].iter().flat_map(|link| &link.reads) {
            let Some(name) = read.elsewhere(effects) else { continue };
            builder = builder.need(Need {
                question: Question::GivesPromise(name),
                span: None,
                if_unknown: Some(Confidence::Certain),
                if_no: IfNo::DropPatch,
            });
        }
    }
    Some(builder)
}

/// All that the run waits for, in source order.
fn reads<'r, 'a>(run: &'r Part<'_, 'a>) -> impl Iterator<Item = &'r AwaitedRead<'a>> {
    run.links.iter().flat_map(|link| &link.reads)
}

/// From the first statement to the last.
fn run_span(model: &Model<'_>, run: &Part<'_, '_>) -> Span {
    let spans = run.links.iter().map(|link| span(&model.kind(link.statement)));
    spans.reduce(Span::cover).unwrap_or_default()
}

fn evidence<'a>(effects: &Effects<'_, 'a>, builder: Builder, read: &AwaitedRead<'a>) -> Builder {
    let at = span(read.call);
    let model = effects.model;
    let called = called(effects, read);
    let questions = effects.open_questions(read.call, &read.effect).into_iter();
    let needs = questions.map(|question| Need {
        question,
        span: Some(at),
        if_unknown: read.if_unknown(effects),
        if_no: IfNo::Clear,
    });
    let builder = needs.fold(builder, Builder::need);
    match &read.effect.by {
        By::Client(client) => {
            builder.evidence(Step::at("read-client", at).with("call", called).with("client", client.kind.name()))
        }
        By::Function(function) => {
            let name = model.name_of(*function).map_or_else(|| called.clone(), |name| name.into_owned());
            let place = effects.summary(*function).public.span;
            builder.evidence(Step::at("read-function", place).with("call", called).with("name", name))
        }
        By::Imported(name) | By::Typed(name) => {
            let module = name.module.as_str();
            builder.evidence(Step::at("read-imported", at).with("call", called).with("module", module))
        }
        By::Name => builder.evidence(Step::at("read-name", at).with("call", called)),
    }
}

/// The called name as written, its receivers included where they are names.
fn called(effects: &Effects<'_, '_>, read: &AwaitedRead<'_>) -> String {
    let text = effects.model.source.slice(span(&read.call.callee));
    let line: String = text.split_whitespace().collect();
    // A chain of calls is named by its end.
    match line.rsplit_once(')') {
        Some((_, end)) => end.trim_start_matches('.').to_owned(),
        None => line,
    }
}

/// What the run as a whole assumes; each assumption once.
fn assumptions<'a>(effects: &Effects<'_, 'a>, mut builder: Builder, run: &Part<'_, 'a>) -> Builder {
    let model = effects.model;
    let find = |test: &dyn Fn(&AwaitedRead<'a>) -> bool| reads(run).find(|read| test(read));
    // A repository that is handed over is a transaction's as often as not.
    let repository = |read: &AwaitedRead<'a>| match &read.effect.by {
        By::Client(client) => client.kind == Kind::TypeOrm && is_handed_over(effects, read),
        _ => false,
    };
    if let Some(read) = find(&repository) {
        let step = Step::at("handed-over", span(read.call)).with("call", called(effects, read));
        builder = builder.doubt(step);
    } else if let Some(read) = find(&|read| read.effect.nature == Nature::Either) {
        let step = |key| Step::at(key, span(read.call)).with("call", called(effects, read));
        builder = match find(&|read| read.effect.nature == Nature::Either && is_handed_over(effects, read)) {
            Some(_) => builder.doubt(step("handed-over")),
            None => builder.assume(step("no-transaction")),
        };
    }
    let by_name = |read: &AwaitedRead<'a>| match &read.effect.by {
        By::Client(client) => client.by_name && read.elsewhere(effects).is_none(),
        By::Function(_) => read.effect.by_name,
        By::Imported(_) | By::Typed(_) => false,
        By::Name => true,
    };
    if let Some(read) = find(&by_name) {
        let key = if matches!(read.effect.by, By::Client(_)) { "client-by-name" } else { "reads-by-name" };
        let step = Step::at(key, span(read.call)).with("call", called(effects, read));
        // The services of an editor or a window live in its own process.
        let in_process = model.facts().imports_any(|module| matches!(module, "vscode" | "electron"));
        builder = if in_process { builder.doubt(step) } else { builder.assume(step) };
    }
    if let Some(between) = run.between.iter().find(|between| between.logs) {
        builder = builder.assume(Step::at("log-order", between.span));
    }
    if let Some(at) = run.between.iter().find_map(|between| between.calls) {
        builder = builder.assume(Step::at("computes-by-name", at));
    }
    for pair in run.links.windows(2) {
        let gap = Span::new(pair[0].span().end, pair[1].span().start);
        if let Some((at, _)) = model.comments(gap).find(|(_, text)| speaks_of_order(text)) {
            builder = builder.doubt(Step::at("order-comment", at));
        }
    }
    builder
}

/// True where a comment speaks of an order, by whole words.
pub fn speaks_of_order(comment: &str) -> bool {
    let lower = comment.to_ascii_lowercase();
    let words = || lower.split(|c: char| !c.is_ascii_alphanumeric());
    // "In parallel" tells of what is done, "not in parallel" what must not be.
    const REFUSES: &[&str] = &[
        "not",
        "never",
        "no",
        "t",
        "avoid",
        "cannot",
        "instead",
        "rather",
        "without",
        "than",
        "breaks",
        "makes",
        "trips",
        "deadlock",
        "deadlocks",
        "fails",
        "limit",
        "limits",
        "429",
        "bans",
        "overload",
        "overloads",
    ];
    let refuses = || words().any(|word| REFUSES.contains(&word));
    words().any(|word| match word {
        "parallel" | "concurrently" => refuses(),
        word => ORDER_WORDS.contains(&word),
    })
}

/// True in a folder of migrations or seeds, which run once.
pub fn is_migration(model: &Model<'_>) -> bool {
    let path = model.source.path.as_str();
    path.split('/').rev().skip(1).any(|folder| matches!(folder, "migrations" | "migration" | "seeds" | "seeders"))
}

fn is_generator(model: &Model<'_>, function: Option<NodeId>) -> bool {
    matches!(function.map(|f| model.kind(f)), Some(AstKind::Function(f)) if f.generator)
}

/// What clears every run of a block.
fn guard(effects: &Effects<'_, '_>, block: NodeId, context: &Context) -> Option<Step> {
    let model = effects.model;
    if model.facts().is_browser() && *context != Context::Handler {
        return Some(Step::new("browser"));
    }
    if is_migration(model) {
        return Some(Step::new("migration"));
    }
    let mut inside = block;
    let mut in_function = true;
    for id in std::iter::once(block).chain(model.nodes().ancestor_ids(block)) {
        match model.kind(id) {
            AstKind::CatchClause(clause) if in_function => {
                return Some(Step::at("error-path", span(clause)));
            }
            AstKind::TryStatement(tried)
                if in_function
                    && tried.finalizer.as_ref().is_some_and(|f| span(&**f).contains(span(&model.kind(inside)))) =>
            {
                return Some(Step::at("error-path", span(tried)));
            }
            kind if is_function(kind) => {
                // `@Transactional()`: all queries of the method share one.
                let transaction = |name: &&str| names::words(name).iter().any(|word| word.starts_with("transaction"));
                if model.decorators(id).iter().any(transaction) {
                    return Some(Step::at("transaction-callback", model.name_span(id)));
                }
                in_function = false;
            }
            AstKind::CallExpression(call) => {
                let leaf = model.callee(call).leaf();
                let transaction = names::words(leaf)
                    .iter()
                    .any(|w| matches!(w.as_str(), "transaction" | "tx" | "trx" | "transac" | "atomic"));
                let is_argument = call.arguments.iter().filter_map(|a| a.as_expression()).any(|a| {
                    matches!(a, Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
                        && span(a).contains(span(&model.kind(block)))
                });
                if transaction && is_argument {
                    return Some(Step::at("transaction-callback", span(&call.callee)));
                }
            }
            _ => {}
        }
        inside = id;
    }
    None
}
