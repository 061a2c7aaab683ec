//! A query with what tree-sitter does not know of: further tests, chains of
//! adjacent matches, values and variants.

use tree_sitter::{Query, QueryErrorKind, QueryPredicate, QueryPredicateArg};

use crate::observe::{Question, Value};
use crate::pattern::grammar;
use crate::pattern::predicate::{OPERATORS, Test};
use crate::rule::load::nearest;
use crate::source::Language;

/// What is wrong in a query.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// One sentence.
    pub message: String,
    /// Byte offset in the query.
    pub offset: usize,
}

impl PatternError {
    /// An error at a byte offset of the query.
    pub fn new(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset }
    }
}

/// One compiled query for one grammar.
pub struct Compiled {
    pub(super) query: Query,
    /// Index of the capture `@hit`.
    pub(super) hit: u32,
    /// One plan for each pattern of the query.
    pub(super) plans: Vec<Plan>,
}

/// What one pattern of a query asks beyond its shape and texts.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) tests: Vec<Test>,
    /// Matches of which one's second capture is the other's first are one hit.
    pub(super) chain: Option<(u32, u32)>,
    /// A later link of a chain must not name what an earlier one binds.
    pub(super) independent: bool,
    pub(super) variant: Option<String>,
    pub(super) values: Vec<(String, Value)>,
    /// What only other files can answer.
    pub(super) needs: Vec<Question>,
}

impl Compiled {
    /// The names of the query's captures.
    pub fn captures(&self) -> &[&str] {
        self.query.capture_names()
    }

    /// Names of the values that the query itself sets (`#set! value.NAME`).
    pub fn set_values(&self) -> impl Iterator<Item = &str> {
        self.plans.iter().flat_map(|plan| plan.values.iter().map(|(name, _)| name.as_str()))
    }

    /// Names of the variants that the query sets (`#set! variant`).
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.plans.iter().filter_map(|plan| plan.variant.as_deref())
    }
}

/// Compiles a query for a language's grammar (4 to 12 ms a pattern).
///
/// # Errors
/// [`PatternError`] with the byte offset in the query: bad syntax, unknown
/// node kinds, fields or predicates, or no capture `@hit`.
pub fn compile(language: Language, text: &str) -> Result<Compiled, PatternError> {
    let grammar = grammar(language);
    let query = Query::new(&grammar, text).map_err(|error| {
        let offset = match error.kind {
            // Errors in predicates know their row only.
            QueryErrorKind::Predicate => line_start(text, error.row),
            _ => error.offset,
        };
        let name = error.message.trim_matches('"');
        let what = match error.kind {
            QueryErrorKind::Syntax => "the query's syntax is wrong here".to_owned(),
            QueryErrorKind::NodeType => format!("the grammar has no node kind `{name}`"),
            QueryErrorKind::Field => format!("the grammar has no field `{name}`"),
            QueryErrorKind::Capture => format!("the query has no capture `@{name}`"),
            QueryErrorKind::Structure => "the grammar makes no such tree, so this never matches".to_owned(),
            QueryErrorKind::Predicate | QueryErrorKind::Language => error.message,
        };
        // An error at the end points to the last thing there is.
        PatternError::new(what, offset.min(text.trim_end().len().saturating_sub(1)))
    })?;
    let hit =
        query.capture_index_for_name("hit").ok_or_else(|| PatternError::new("the query has no capture `@hit`", 0))?;
    let mut plans = Vec::with_capacity(query.pattern_count());
    for pattern in 0..query.pattern_count() {
        let start = query.start_byte_for_pattern(pattern);
        let mut plan = Plan::default();
        for predicate in query.general_predicates(pattern) {
            read_predicate(&mut plan, predicate, &grammar)
                .map_err(|message| PatternError::new(message, operator_offset(text, start, &predicate.operator)))?;
        }
        for property in query.property_settings(pattern) {
            let value = property.value.as_deref().unwrap_or("true");
            set(&mut plan, &property.key, value)
                .map_err(|message| PatternError::new(message, operator_offset(text, start, "set!")))?;
        }
        plans.push(plan);
    }
    Ok(Compiled { query, hit, plans })
}

fn set(plan: &mut Plan, key: &str, value: &str) -> Result<(), String> {
    match key {
        "variant" => plan.variant = Some(value.to_owned()),
        "need.in-service" => plan.needs.push(Question::InService),
        "need.node-below" => {
            let major = value.parse().map_err(|_| format!("`{value}` is no major version of Node"))?;
            plan.needs.push(Question::NodeBelow { major });
        }
        _ => match key.strip_prefix("value.") {
            Some(name) => plan.values.push((name.to_owned(), constant(value))),
            None => {
                let known = "`variant`, `value.NAME`, `need.in-service`, `need.node-below`";
                return Err(format!("`#set! {key}` is none of {known}"));
            }
        },
    }
    Ok(())
}

fn constant(text: &str) -> Value {
    match text {
        "true" => Value::Flag(true),
        "false" => Value::Flag(false),
        _ => text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Number),
    }
}

fn line_start(text: &str, row: usize) -> usize {
    let skip = |row: usize| text.split_inclusive('\n').take(row).map(str::len).sum::<usize>();
    skip(row).min(text.len())
}

fn operator_offset(text: &str, from: usize, operator: &str) -> usize {
    text.get(from..).and_then(|rest| rest.find(&format!("#{operator}"))).map_or(from, |at| from + at)
}

fn read_predicate(plan: &mut Plan, predicate: &QueryPredicate, grammar: &tree_sitter::Language) -> Result<(), String> {
    let operator = &*predicate.operator;
    if matches!(operator, "chain!" | "independent-chain!") {
        let [QueryPredicateArg::Capture(first), QueryPredicateArg::Capture(next)] = &*predicate.args else {
            return Err(format!("`#{operator}` wants two captures: a link and the one after it"));
        };
        plan.chain = Some((*first, *next));
        plan.independent = operator == "independent-chain!";
        return Ok(());
    }
    match Test::read(operator, &predicate.args, grammar)? {
        Some(test) => plan.tests.push(test),
        None => {
            let known = OPERATORS.iter().copied().chain(["eq?", "match?", "any-of?", "not-eq?", "not-match?"]);
            let near = nearest(operator, known).map_or(String::new(), |near| format!("; did you mean `#{near}`?"));
            return Err(format!("unknown predicate `#{operator}`{near}"));
        }
    }
    Ok(())
}
