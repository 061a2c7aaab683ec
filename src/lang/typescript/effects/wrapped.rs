//! Calls within wrappers: `withTimeout(load(id), 500)`, `retry(() => load(id))`.
//! What such a call waits for is what the call within does.

use oxc_ast::ast::{Argument, CallExpression, Expression, Statement};

use super::Effects;
use crate::lang::typescript::path::Path;
use crate::lang::typescript::{Model, bare, names};
use crate::observe::{Known, Value};

/// Words of functions that end the wait for a promise that they are handed.
const BOUNDS: &[&str] =
    &["timeout", "deadline", "within", "budget", "bounded", "timed", "timebox", "limit", "fallback"];

/// Words of functions that call what they are handed, once or until it holds,
/// and give what it gave. Those that let only so many through at a time are
/// none of them: they order their calls on purpose.
const RUNS: &[&str] = &[
    "retry",
    "retries",
    "retrying",
    "retryable",
    "backoff",
    "resilient",
    "breaker",
    "circuit",
    "abort",
    "abortable",
    "timeout",
    "deadline",
    "within",
    "timed",
    "timing",
    "measure",
    "measured",
    "trace",
    "traced",
    "span",
    "instrument",
    "instrumented",
];

/// The lowest number that is taken for a wait in milliseconds, and no count.
const SHORTEST_MS: f64 = 20.0;

impl<'a> Effects<'_, 'a> {
    /// The call that a wrapper bounds or runs; the call itself where it is no
    /// wrapper. One whose promise is handed over is under way before the
    /// wrapper is.
    pub fn within_bound(&self, call: &'a CallExpression<'a>) -> &'a CallExpression<'a> {
        inner(self.model, call).unwrap_or(call)
    }
}

/// True for a wrapper: what it does is what the calls in its arguments do.
pub fn is_wrapper<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    inner(model, call).is_some()
        || runs(model, call) && call.arguments.iter().filter_map(Argument::as_expression).any(is_function)
}

fn inner<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> Option<&'a CallExpression<'a>> {
    let mut given = call.arguments.iter().filter_map(Argument::as_expression).map(bare);
    let mut promises = given.clone().filter_map(|argument| match argument {
        Expression::CallExpression(inner) => Some(&**inner),
        _ => None,
    });
    if let (Some(only), None) = (promises.next(), promises.next())
        && (says(&model.callee(call), BOUNDS) || is_timed(model, call))
    {
        return Some(only);
    }
    if !runs(model, call) {
        return None;
    }
    let function = given.find(|argument| is_function(argument))?;
    let shown = match function {
        Expression::ArrowFunctionExpression(arrow) => arrow.get_expression(),
        _ => None,
    };
    let value = match shown {
        Some(value) => value,
        None => match model.body(model.node(function))?.statements.as_slice() {
            [Statement::ReturnStatement(given)] => given.argument.as_ref()?,
            _ => return None,
        },
    };
    match bare(value) {
        Expression::CallExpression(call) => Some(call),
        Expression::AwaitExpression(awaited) => match bare(&awaited.argument) {
            Expression::CallExpression(call) => Some(call),
            _ => None,
        },
        _ => None,
    }
}

fn is_function(given: &Expression<'_>) -> bool {
    matches!(bare(given), Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
}

/// True where the callee, or what it is a method of, is named for running what
/// it is handed: `withRetry`, `breaker.fire`, `retryPolicy.execute`.
fn runs<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    const EXECUTES: &[&str] = &["fire", "execute", "exec", "run", "call"];
    let path = model.callee(call);
    if says(&path, RUNS) {
        return true;
    }
    EXECUTES.contains(&path.leaf())
        && names::words(path.receiver_name()).iter().any(|word| RUNS.contains(&word.as_str()))
}

fn says(path: &Path<'_, '_>, list: &[&str]) -> bool {
    names::words(path.leaf()).iter().any(|word| list.contains(&word.as_str()))
}

/// True where a time is handed over beside the promise: `firstOf(load(), 2000)`.
fn is_timed<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> bool {
    const TIMES: &[&str] = &["ms", "millis", "timeout", "deadline"];
    // A method of a client takes a promise for a value, and a time to keep it.
    let path = model.callee(call);
    path.members.is_empty()
        && call.arguments.iter().filter_map(Argument::as_expression).any(|given| match bare(given) {
            Expression::NumericLiteral(_) => {
                matches!(model.value(given), Known::Here(Value::Number(ms), _) if ms >= SHORTEST_MS)
            }
            other => {
                let last = names::words(model.path_of(other).leaf()).pop().unwrap_or_default();
                TIMES.contains(&last.as_str())
            }
        })
}
