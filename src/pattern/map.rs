//! Matches to candidates.

use std::borrow::Cow;

use regex::Regex;

use crate::observe::{
    Candidate, Confidence, Draft, FileMap, IfNo, Import, NAMES_NOT_RESOLVED, Need, Question, Step, Value, Values,
};
use crate::pattern::compiled::Compiled;
use crate::pattern::matches::{self, Hit, span};
use crate::pattern::predicate::{Budget, ancestors, number, slice};
use crate::pattern::{PatternError, Patterns, place};
use crate::rule::{Detection, Rule, template};
use crate::source::SourceFile;

/// Nodes that the tests of all queries may visit in one file: about four
/// times the nodes of the largest file that is read (2 MB).
const STEPS: u64 = 4_000_000;

/// Why queries could not run to their end on a file. Candidates of other
/// queries are in the map all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Parsing took more steps than a file of this size may.
    #[error("parsing took too many steps")]
    Parse,
    /// A rule's query took more steps than a file may.
    #[error("the query of `{0}` took too many steps")]
    Query(String),
    /// A rule's query does not compile; loading refuses such rules.
    #[error("the query of `{rule}`: {error}")]
    Compile {
        /// The rule's id.
        rule: String,
        /// What is wrong.
        error: PatternError,
    },
}

/// Where a value of a rule's `values` comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource<'s> {
    /// `count(@capture)`: how many nodes it has.
    Count(&'s str),
    /// `text(@capture)`: the text of its first node.
    Text(&'s str),
    /// `number(@capture)`: the number literal that its first node is.
    Number(&'s str),
    /// `named(REGEX)`: true where the enclosing symbol or the file's name fits.
    Named(&'s str),
    /// `saved_percent(@capture)`: of waits of equal length, the share that is
    /// saved where all its nodes wait at once.
    SavedPercent(&'s str),
    /// `function()`: the innermost enclosing name.
    Function,
}

impl<'s> ValueSource<'s> {
    /// Reads `count(@capture)` and its kin.
    pub fn read(source: &'s str) -> Option<Self> {
        let (kind, rest) = source.split_once('(')?;
        let inner = rest.strip_suffix(')')?;
        let capture = inner.strip_prefix('@');
        match kind {
            "count" => capture.map(Self::Count),
            "text" => capture.map(Self::Text),
            "number" => capture.map(Self::Number),
            "saved_percent" => capture.map(Self::SavedPercent),
            "function" => inner.is_empty().then_some(Self::Function),
            "named" => Regex::new(inner).ok().map(|_| Self::Named(inner)),
            _ => None,
        }
    }

    /// The capture that it reads.
    pub fn capture(&self) -> Option<&'s str> {
        match self {
            Self::Count(capture) | Self::Text(capture) | Self::Number(capture) | Self::SavedPercent(capture) => {
                Some(capture)
            }
            Self::Named(_) | Self::Function => None,
        }
    }
}

/// Maps one file by the queries of `rules` (index in the rule set, the
/// family's detection, the rule); rules without a query are passed over. The
/// file is parsed once, and not at all where no rule has a query.
///
/// # Errors
/// [`MapError`] where the file took too many steps; what was found until then
/// is in `map`.
pub fn map_query(
    file: &SourceFile,
    rules: &[(usize, &Detection, &Rule)],
    patterns: &Patterns,
    map: &mut FileMap,
) -> Result<(), MapError> {
    let mut with_query = rules
        .iter()
        .filter_map(|&(i, detection, rule)| detection.query.as_deref().map(|query| (i, detection, rule, query)))
        .peekable();
    if with_query.peek().is_none() {
        return Ok(());
    }
    let tree = matches::parse(file).map_err(|_| MapError::Parse)?;
    let mut budget = Budget(STEPS);
    let mut first_error = None;
    let mut found = Vec::new();
    for (index, detection, rule, query) in with_query {
        let compiled = match patterns.get(index, file.language, query) {
            Ok(compiled) => compiled,
            Err(error) => {
                first_error.get_or_insert(MapError::Compile { rule: rule.id.clone(), error });
                continue;
            }
        };
        match matches::hits(compiled, &tree, &file.text, &mut budget) {
            Ok(hits) => {
                for hit in hits {
                    let Some(above) = ancestors(tree.root_node(), hit.node, &mut budget) else {
                        first_error.get_or_insert_with(|| MapError::Query(rule.id.clone()));
                        break;
                    };
                    let place = place::of(file, &above);
                    found.push(candidate(file, index, detection, rule, compiled, &hit, place));
                }
            }
            Err(_) => {
                first_error.get_or_insert_with(|| MapError::Query(rule.id.clone()));
            }
        }
    }
    found.sort_by_key(|candidate| (candidate.span, candidate.rule));
    map.candidates.extend(found);
    first_error.map_or(Ok(()), Err)
}

fn candidate(
    file: &SourceFile,
    index: usize,
    detection: &Detection,
    rule: &Rule,
    compiled: &Compiled,
    hit: &Hit<'_>,
    place: place::Place,
) -> Candidate {
    let stands_in = detection.analysis.is_some();
    let confidence = match detection.confidence {
        _ if stands_in => Confidence::Likely,
        Some(confidence) => confidence,
        None => Confidence::Likely,
    };
    let values = values_of(file, detection, compiled, hit, &place);
    let patch = if stands_in { None } else { draft(file, rule, compiled, hit) };
    let need = |question: &Question| Need {
        question: question.clone(),
        span: None,
        if_unknown: Some(confidence),
        if_no: IfNo::Clear,
    };
    let needs = hit.needs.iter().map(need).collect();
    let labels = rule.report.labels.keys().filter(|label| *label != "hit").flat_map(|label| {
        let capture = compiled.captures().iter().position(|name| name == label);
        let nodes = capture.map_or(&[][..], |capture| hit.of(capture as u32));
        nodes.iter().map(|node| (span(*node), Cow::Owned(label.clone()))).collect::<Vec<_>>()
    });
    Candidate {
        rule: index,
        variant: hit.variant.clone().map(Cow::Owned),
        span: span(hit.node),
        symbol: place.symbol,
        context: place.context,
        request_path_by_name: place.request_path_by_name,
        confidence,
        assumption: (confidence < Confidence::Certain).then(|| Step::new(NAMES_NOT_RESOLVED)),
        evidence: Vec::new(),
        labels: labels.collect(),
        values,
        needs,
        cleared: None,
        patch,
        narrower: Vec::new(),
    }
}

fn values_of(
    file: &SourceFile,
    detection: &Detection,
    compiled: &Compiled,
    hit: &Hit<'_>,
    place: &place::Place,
) -> Values {
    let nodes = |capture: &str| {
        let at = compiled.captures().iter().position(|name| *name == capture);
        at.map_or(&[][..], |at| hit.of(at as u32))
    };
    let mut values = Values::new();
    for (name, source) in &detection.values {
        let value = match ValueSource::read(source) {
            Some(ValueSource::Count(capture)) => Some(Value::from(nodes(capture).len())),
            Some(ValueSource::Text(capture)) => nodes(capture).first().map(|node| slice(*node, &file.text).into()),
            Some(ValueSource::Number(capture)) => {
                nodes(capture).first().and_then(|node| number(slice(*node, &file.text))).map(Value::Number)
            }
            Some(ValueSource::Named(pattern)) => {
                let named = Regex::new(pattern).is_ok_and(|pattern| place::is_named(file, place, &pattern));
                Some(Value::Flag(named))
            }
            Some(ValueSource::SavedPercent(capture)) => {
                let count = nodes(capture).len().max(1) as f64;
                Some(Value::Number(((1.0 - 1.0 / count) * 100.0).round()))
            }
            Some(ValueSource::Function) => place.symbol.rsplit('.').next().map(Value::from),
            None => None,
        };
        if let Some(value) = value {
            values.insert(Cow::Owned(name.clone()), value);
        }
    }
    for (name, value) in &hit.values {
        values.insert(Cow::Owned(name.clone()), value.clone());
    }
    values
}

/// The patch of a user's rule: the first of its `[patch.<key>]` that replaces
/// something. None where a replaced capture has no node, or several.
fn draft(file: &SourceFile, rule: &Rule, compiled: &Compiled, hit: &Hit<'_>) -> Option<Draft> {
    let (key, words) = rule.patch.iter().find(|(_, words)| !words.replace.is_empty())?;
    let mut texts = Values::new();
    for (at, name) in compiled.captures().iter().enumerate() {
        if let Some(node) = hit.of(at as u32).first() {
            texts.insert(Cow::Owned((*name).to_owned()), slice(*node, &file.text).into());
        }
    }
    let mut edits = Vec::new();
    for (name, replacement) in &words.replace {
        let at = compiled.captures().iter().position(|capture| capture == name)?;
        let [node] = hit.of(at as u32) else { return None };
        if template::names(replacement).ok()?.iter().any(|name| !texts.contains_key(*name)) {
            return None;
        }
        edits.push((span(*node), template::fill(replacement, &texts)));
    }
    edits.sort();
    let imports = words.imports.iter().filter_map(|import| read_import(import)).collect();
    Some(Draft { key: Cow::Owned(key.clone()), edits, imports })
}

/// Reads `module: name` or `module: name as alias`.
pub fn read_import(text: &str) -> Option<Import> {
    let (module, name) = text.rsplit_once(": ")?;
    let (name, alias) = match name.split_once(" as ") {
        Some((name, alias)) => (name, Some(alias.trim().to_owned())),
        None => (name, None),
    };
    let (module, name) = (module.trim(), name.trim());
    let filled = !module.is_empty() && !name.is_empty();
    filled.then(|| Import { module: module.to_owned(), name: name.to_owned(), alias })
}
