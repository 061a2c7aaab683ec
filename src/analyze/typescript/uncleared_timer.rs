//! `Promise.race` against a timer that nobody clears: when the work wins, the
//! timer and all that its closure holds stay until it fires.

mod by_hand;
mod circumstance;
mod patch;

use std::collections::BTreeMap;

use oxc_ast::AstKind;
use oxc_ast::ast::{
    ArrayExpressionElement, AssignmentTarget, BindingPattern, CallExpression, Expression, NewExpression,
};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::{Run, layout};
use crate::analyze::sink::Builder;
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::effects::GIVEN;
use crate::lang::typescript::names::{is_timing, words};
use crate::lang::typescript::path::{Binding, Root, argument, is_project_module};
use crate::lang::typescript::values::{Property, property};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Confidence, Context, Gift, IfNo, Known, NameRef, Need, Question, Step};
use crate::source::Span;

/// The analysis with everything it may say.
pub const ANALYSIS: Analysis<Run> = Analysis {
    name: "uncleared-timer",
    vocabulary: Vocabulary {
        values: &["brief", "delay", "timeout_ms", "wrapper_long"],
        evidence: &["raced", "by-hand", "not-kept", "kept-not-cleared", "wrapper", "no-signal"],
        guards: &["cleared", "unref", "handed-on", "short", "runs-once", "browser", "paces", "signal"],
        assumptions: &[],
        labels: &["race"],
        patches: &["clear"],
        variants: &[],
        params: &["short_ms", "long_ms"],
    },
    run,
};

/// How the timer comes into the race.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// `new Promise(…)` in the array itself.
    Inline,
    /// A constant of the same function.
    Constant(NodeId),
    /// A function of this file that makes the promise.
    Helper,
    /// `setTimeout` of `timers/promises`.
    TimersPromises,
    /// A function of another file, which is asked.
    Elsewhere,
    /// A promise that settles with the work or with the timer, without
    /// `Promise.race`.
    ByHand,
}

/// One timer in one race.
struct Timer<'a> {
    race: &'a CallExpression<'a>,
    /// Place in the race's array.
    index: usize,
    origin: Origin,
    call: &'a CallExpression<'a>,
    /// The function given to `new Promise`.
    executor: Option<NodeId>,
    /// The delay, where the race itself says it (a helper's argument).
    delay: Option<&'a Expression<'a>>,
}

/// What becomes of the timer's id.
enum Kept {
    Discarded,
    NeverCleared(Span),
    Guarded(&'static str),
}

fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    // A helper's timer may be raced at several places: one finding, at the
    // place where it weighs most.
    let mut found: BTreeMap<Span, (u32, Builder)> = BTreeMap::new();
    for &node in &model.index.calls {
        let AstKind::CallExpression(race) = model.kind(node) else { continue };
        if !model.callee(race).is_global("Promise", &["race"]) {
            continue;
        }
        for timer in timers(model, race) {
            take(model, sink, &timer, &mut found);
        }
    }
    for timer in by_hand::timers(model) {
        take(model, sink, &timer, &mut found);
    }
    for (_, builder) in found.into_values() {
        sink.push(builder);
    }
}

fn take(model: &Model<'_>, sink: &Sink<'_>, timer: &Timer<'_>, found: &mut BTreeMap<Span, (u32, Builder)>) {
    let (weight, builder) = judge(model, sink, timer);
    let at = span(timer.call);
    if found.get(&at).is_none_or(|(heaviest, _)| weight > *heaviest) {
        found.insert(at, (weight, builder));
    }
}

/// The parameter of a function at an index, where it is a plain name.
fn parameter(model: &Model<'_>, function: NodeId, index: usize) -> Option<SymbolId> {
    match &model.parameters(function)?.items.get(index)?.pattern {
        BindingPattern::BindingIdentifier(name) => name.symbol_id.get(),
        _ => None,
    }
}

fn elements<'a>(race: &'a CallExpression<'a>) -> Vec<Option<&'a Expression<'a>>> {
    match argument(&race.arguments, 0) {
        Some(Expression::ArrayExpression(array)) => {
            array.elements.iter().map(ArrayExpressionElement::as_expression).collect()
        }
        _ => Vec::new(),
    }
}

fn timers<'a>(model: &Model<'a>, race: &'a CallExpression<'a>) -> Vec<Timer<'a>> {
    let mut timers = Vec::new();
    for (index, element) in elements(race).into_iter().enumerate() {
        let Some(element) = element else { continue };
        let timer = |origin, call, executor| Timer { race, index, origin, call, executor, delay: None };
        match unchained(element) {
            Expression::NewExpression(new) => {
                let made = timers_of_promise(model, new);
                timers.extend(made.into_iter().map(|(call, executor)| timer(Origin::Inline, call, Some(executor))));
            }
            Expression::Identifier(id) => {
                let Some(symbol) = model.symbol_of(id) else { continue };
                let Binding::Constant(init) = model.binding(symbol) else { continue };
                let declaration = model.scoping().symbol_declaration(symbol);
                if model.function_of(declaration) != model.function_of(race.node_id.get()) {
                    continue;
                }
                match unchained(init) {
                    Expression::NewExpression(new) => {
                        let origin = Origin::Constant(declaration);
                        let made = timers_of_promise(model, new);
                        timers.extend(made.into_iter().map(|(call, executor)| timer(origin, call, Some(executor))));
                    }
                    Expression::CallExpression(call) => timers.extend(of_call(model, race, index, call)),
                    _ => {}
                }
            }
            Expression::CallExpression(call) => timers.extend(of_call(model, race, index, call)),
            _ => {}
        }
    }
    timers
}

/// Timers of a call in the race: `timers/promises`, or a helper of this file.
fn of_call<'a>(
    model: &Model<'a>,
    race: &'a CallExpression<'a>,
    index: usize,
    call: &'a CallExpression<'a>,
) -> Vec<Timer<'a>> {
    let path = model.callee(call);
    if model.is_from(&path, &["timers/promises"], "setTimeout") {
        let delay = argument(&call.arguments, 0);
        return vec![Timer { race, index, origin: Origin::TimersPromises, call, executor: None, delay }];
    }
    if starts_timer_elsewhere(model, call).is_some() {
        let delay = argument(&call.arguments, 0);
        return vec![Timer { race, index, origin: Origin::Elsewhere, call, executor: None, delay }];
    }
    let Some(helper) = local_function(model, call) else { return Vec::new() };
    let inside = span(&model.kind(helper));
    let mut timers = Vec::new();
    for &node in &model.index.news {
        let AstKind::NewExpression(new) = model.kind(node) else { continue };
        // The helper returns the promise; one made in a closure of it is not
        // the one that is raced.
        if !inside.contains(span(new)) || model.function_of(node) != Some(helper) || !is_returned(model, node) {
            continue;
        }
        for (timer, executor) in timers_of_promise(model, new) {
            let delay = argument(&timer.arguments, 1).and_then(|delay| handed_in(model, helper, delay, call));
            timers.push(Timer { race, index, origin: Origin::Helper, call: timer, executor: Some(executor), delay });
        }
    }
    timers
}

/// The function of another file that a call names, where the name speaks of
/// time: what it gives may wait for a timer.
fn starts_timer_elsewhere(model: &Model<'_>, call: &CallExpression<'_>) -> Option<NameRef> {
    const WORDS: &[&str] = &["after", "reject", "deadline", "expire", "expires", "expired", "timer", "budget"];
    let path = model.callee(call);
    let timed = is_timing(path.leaf()) || words(path.leaf()).iter().any(|word| WORDS.contains(&word.as_str()));
    let mut name = model.name_ref(&path).filter(|name| timed && is_project_module(&name.module))?;
    name.members.last_mut().unwrap_or(&mut name.name).push_str(GIVEN);
    Some(name)
}

/// The argument of `call` that stands for `expression`, a parameter of `helper`.
fn handed_in<'a>(
    model: &Model<'a>,
    helper: NodeId,
    expression: &'a Expression<'a>,
    call: &'a CallExpression<'a>,
) -> Option<&'a Expression<'a>> {
    let Expression::Identifier(id) = bare(expression) else { return None };
    let symbol = model.symbol_of(id)?;
    let index = model.parameters(helper)?.items.iter().position(|parameter| match &parameter.pattern {
        BindingPattern::BindingIdentifier(name) => name.symbol_id.get() == Some(symbol),
        _ => false,
    })?;
    argument(&call.arguments, index)
}

fn is_returned(model: &Model<'_>, node: NodeId) -> bool {
    match model.nodes().parent_kind(node) {
        AstKind::ReturnStatement(_) | AstKind::ArrowFunctionExpression(_) => true,
        AstKind::VariableDeclarator(declarator) => match &declarator.id {
            BindingPattern::BindingIdentifier(id) => id.symbol_id.get().is_some_and(|symbol| {
                model.scoping().get_resolved_references(symbol).any(|reference| {
                    matches!(model.nodes().parent_kind(reference.node_id()), AstKind::ReturnStatement(_))
                })
            }),
            _ => false,
        },
        _ => false,
    }
}

/// `p.then(f).catch(g)` is about `p`.
fn unchained<'e, 'a>(expression: &'e Expression<'a>) -> &'e Expression<'a> {
    let mut inner = bare(expression);
    while let Expression::CallExpression(call) = inner
        && let Expression::StaticMemberExpression(member) = bare(&call.callee)
        && matches!(member.property.name.as_str(), "then" | "catch" | "finally")
    {
        inner = bare(&member.object);
    }
    inner
}

/// The function of this file that a call calls: by name, or by `this.name`.
pub fn local_function(model: &Model<'_>, call: &CallExpression<'_>) -> Option<NodeId> {
    let path = model.callee(call);
    match (path.root, path.members.as_slice()) {
        (Root::Symbol(symbol, _), []) => match model.binding(symbol) {
            Binding::Function(node) => Some(node),
            Binding::Constant(Expression::ArrowFunctionExpression(arrow)) => Some(arrow.node_id.get()),
            Binding::Constant(Expression::FunctionExpression(function)) => Some(function.node_id.get()),
            _ => None,
        },
        (Root::Symbol(symbol, _), [name]) => match model.binding(symbol) {
            Binding::Class(class) => method_of(model, class, name),
            _ => None,
        },
        (Root::This, [name]) => method_of(model, model.class_of(call.node_id.get())?, name),
        _ => None,
    }
}

/// The method of a class, or its field that holds a function.
fn method_of(model: &Model<'_>, class: NodeId, name: &str) -> Option<NodeId> {
    let in_class = |&&node: &&NodeId| {
        model.class_of(node) == Some(class)
            && matches!(model.nodes().parent_kind(node), AstKind::MethodDefinition(_) | AstKind::PropertyDefinition(_))
            && model.name_of(node).is_some_and(|own| own == name)
    };
    model.index.functions.iter().find(in_class).copied()
}

/// The `setTimeout` calls that the executor of `new Promise(…)` makes itself.
fn timers_of_promise<'a>(model: &Model<'a>, new: &'a NewExpression<'a>) -> Vec<(&'a CallExpression<'a>, NodeId)> {
    if !model.path_of(&new.callee).is_global("Promise", &[]) {
        return Vec::new();
    }
    let executor = match argument(&new.arguments, 0) {
        Some(Expression::ArrowFunctionExpression(arrow)) => arrow.node_id.get(),
        Some(Expression::FunctionExpression(function)) => function.node_id.get(),
        _ => return Vec::new(),
    };
    let inside = span(new);
    let calls = model.index.calls.iter().filter_map(|&node| match model.kind(node) {
        AstKind::CallExpression(call)
            if inside.contains(span(call)) && model.function_of(node) == Some(executor) && is_timeout(model, call) =>
        {
            Some((call, executor))
        }
        _ => None,
    });
    calls.collect()
}

fn is_timeout(model: &Model<'_>, call: &CallExpression<'_>) -> bool {
    let path = model.callee(call);
    path.is_global("setTimeout", &[])
        || path.is_global("globalThis", &["setTimeout"])
        || path.is_global("global", &["setTimeout"])
        || model.is_from(&path, &["timers"], "setTimeout")
}

fn judge<'a>(model: &Model<'a>, sink: &Sink<'_>, timer: &Timer<'a>) -> (u32, Builder) {
    let race = timer.race.node_id.get();
    let enclosing = model.enclosing(race);
    // The symbol is that of the timer, which is what a reader looks at.
    let symbol = model.symbol_at(timer.call.node_id.get());
    let delay = timer.delay.or_else(|| match timer.origin {
        Origin::TimersPromises | Origin::Elsewhere => argument(&timer.call.arguments, 0),
        _ => argument(&timer.call.arguments, 1),
    });
    let millis = match delay {
        Some(delay) => known_delay(model, delay),
        None => Some(0.0),
    };
    let in_words = match (millis, delay) {
        (Some(millis), _) => format!("{millis} ms"),
        (None, Some(delay)) => format!("`{}`", layout::quoted(model.text(delay))),
        (None, None) => "0 ms".to_owned(),
    };
    let wrapper = raced_parameter(model, timer);
    let long = millis.is_none_or(|millis| millis >= sink.number("long_ms", 5000.0));
    let repeated = wrapper.is_some() || enclosing.context == Context::Handler;
    let mut builder = sink
        .candidate(span(timer.call), symbol, enclosing.context)
        .value("delay", in_words)
        .value("wrapper_long", repeated && long)
        .value("brief", !long)
        .label(span(&timer.race.callee), "race")
        .evidence(Step::at(if timer.origin == Origin::ByHand { "by-hand" } else { "raced" }, span(&timer.race.callee)));
    if let Some(millis) = millis {
        builder = builder.value("timeout_ms", millis);
    }
    if let Some(wrapper) = wrapper {
        builder = builder.evidence(Step::at("wrapper", wrapper));
    }
    if let Some(name) = starts_timer_elsewhere(model, timer.call).filter(|_| timer.origin == Origin::Elsewhere) {
        let question = Question::Gives(name, Gift::Timer);
        builder = builder.need(Need { question, span: None, if_unknown: None, if_no: IfNo::Clear });
    }
    // A second or two, of which nothing says that they come often: true, and
    // hardly one of those that were read was worth a change.
    if !long
        && !repeated
        && enclosing.context == Context::Library
        && enclosing.request_path_by_name.is_none()
        && let Some(function) = model.named_function(race)
    {
        let question = Question::CalledPerRequest(model.name_span(function));
        builder =
            builder.need(Need { question, span: None, if_unknown: Some(Confidence::Possible), if_no: IfNo::Clear });
    }
    let guard = match kept(model, timer) {
        Kept::Guarded(guard) => Some(guard),
        Kept::Discarded => {
            let key = if timer.origin == Origin::TimersPromises { "no-signal" } else { "not-kept" };
            if timer.origin != Origin::Elsewhere {
                builder = builder.evidence(Step::at(key, span(timer.call)));
            }
            None
        }
        Kept::NeverCleared(at) => {
            builder = builder.evidence(Step::at("kept-not-cleared", at));
            None
        }
    };
    let guard = guard.or_else(|| circumstance::guard(model, timer, enclosing.context, millis, sink));
    if let Some(guard) = guard {
        return (0, builder.clear(Step::at(guard, span(timer.race))));
    }
    if !matches!(timer.origin, Origin::ByHand | Origin::Elsewhere)
        && let Some(draft) = patch::draft(model, timer)
    {
        builder = builder.patch(draft);
    }
    (1 + u32::from(long) + 2 * u32::from(repeated && long), builder)
}

/// The delay in milliseconds; a parameter counts with its default.
fn known_delay(model: &Model<'_>, delay: &Expression<'_>) -> Option<f64> {
    if let Known::Here(millis, _) = model.number(delay) {
        return Some(millis);
    }
    let Expression::Identifier(id) = bare(delay) else { return None };
    let declaration = model.scoping().symbol_declaration(model.symbol_of(id)?);
    match model.kind(declaration) {
        AstKind::FormalParameter(parameter) => model.number(parameter.initializer.as_deref()?).here().copied(),
        _ => None,
    }
}

/// The place where a parameter of the function is raced: such a function is
/// called over and over with other work.
fn raced_parameter(model: &Model<'_>, timer: &Timer<'_>) -> Option<Span> {
    if timer.origin == Origin::ByHand {
        // What is only listened to is no work that is handed over.
        let path = model.callee(timer.race);
        let Root::Symbol(symbol, _) = path.root else { return None };
        if path.leaf() != "then" {
            return None;
        }
        return matches!(model.binding(symbol), Binding::Parameter).then(|| span(&timer.race.callee));
    }
    let others = elements(timer.race).into_iter().enumerate().filter(|(index, _)| *index != timer.index);
    others.filter_map(|(_, element)| element).find_map(|element| {
        let work = unchained(element);
        let name = match work {
            Expression::CallExpression(call) => bare(&call.callee),
            other => other,
        };
        let Expression::Identifier(id) = name else { return None };
        matches!(model.binding(model.symbol_of(id)?), Binding::Parameter).then(|| span(work))
    })
}

fn kept(model: &Model<'_>, timer: &Timer<'_>) -> Kept {
    if timer.origin == Origin::TimersPromises {
        return match argument(&timer.call.arguments, 2) {
            None => Kept::Discarded,
            Some(Expression::ObjectExpression(options)) => match property(options, "signal") {
                Property::Missing if property(options, "ref").is_missing() => Kept::Discarded,
                _ => Kept::Guarded("signal"),
            },
            Some(_) => Kept::Guarded("signal"),
        };
    }
    if timer.origin == Origin::Elsewhere {
        let is_signal = |given: &Expression<'_>| words(model.text(given)).iter().any(|word| word == "signal");
        let mut given = timer.call.arguments.iter().filter_map(|given| given.as_expression());
        return if given.any(is_signal) { Kept::Guarded("signal") } else { Kept::Discarded };
    }
    let call = timer.call.node_id.get();
    match model.nodes().parent_kind(call) {
        AstKind::ExpressionStatement(_) | AstKind::ReturnStatement(_) | AstKind::ArrowFunctionExpression(_) => {
            Kept::Discarded
        }
        AstKind::StaticMemberExpression(member) if member.property.name == "unref" => Kept::Guarded("unref"),
        AstKind::ChainExpression(_) => Kept::Guarded("unref"),
        AstKind::VariableDeclarator(declarator) => match &declarator.id {
            BindingPattern::BindingIdentifier(id) => id
                .symbol_id
                .get()
                .map_or(Kept::Guarded("handed-on"), |symbol| kept_in(model, timer, symbol, span(id.as_ref()))),
            _ => Kept::Guarded("handed-on"),
        },
        AstKind::AssignmentExpression(assignment) => match &assignment.left {
            AssignmentTarget::AssignmentTargetIdentifier(id) => match model.symbol_of(id) {
                Some(symbol) => kept_in(model, timer, symbol, span(id.as_ref())),
                None => Kept::Guarded("handed-on"),
            },
            // A field may be cleared by anyone who has the object.
            _ => Kept::Guarded("handed-on"),
        },
        _ => Kept::Guarded("handed-on"),
    }
}

fn kept_in(model: &Model<'_>, timer: &Timer<'_>, symbol: SymbolId, at: Span) -> Kept {
    let mut only_unref = false;
    for reference in model.scoping().get_resolved_references(symbol) {
        // What the timer itself does comes too late to clear it.
        let of_timer = model.is_within(reference.node_id(), timer.call.node_id.get());
        if !reference.is_read() || of_timer {
            continue;
        }
        match model.nodes().parent_kind(reference.node_id()) {
            AstKind::CallExpression(call) if model.callee(call).leaf().starts_with("clear") => {
                return Kept::Guarded("cleared");
            }
            AstKind::StaticMemberExpression(member) if member.property.name == "unref" => only_unref = true,
            _ => return Kept::Guarded("handed-on"),
        }
    }
    if only_unref { Kept::Guarded("unref") } else { Kept::NeverCleared(at) }
}
