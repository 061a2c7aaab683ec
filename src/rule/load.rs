//! Loading rules: built-in ones from the program, users' from `.bizra/rules`.
//! Every error points into the TOML.

use std::collections::BTreeSet;
use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::analyze::{self, Vocabulary};
use crate::observe::Confidence;
use crate::pattern::{self, map::ValueSource};
use crate::rule::common::{self, CommonTexts};
use crate::rule::model::{Detection, Rule};
use crate::rule::template;
use crate::source::{Family, Language};

mod builtin {
    include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));
}

/// Values that every candidate has.
pub const COMMON_VALUES: &[&str] = &["context", "symbol", "file"];

/// What is wrong in a rule's file, with the place.
#[derive(Debug, Error, Diagnostic)]
#[error("rule `{name}`: {message}")]
#[diagnostic(code(bizra::rule))]
pub struct RuleError {
    name: String,
    message: String,
    #[help]
    help: Option<String>,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("here")]
    at: Option<SourceSpan>,
}

/// All rules of a scan, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules; candidates name them by index.
    pub rules: Vec<Rule>,
    /// Words that all rules share, by key.
    pub common: std::collections::BTreeMap<String, String>,
}

impl RuleSet {
    /// The rules that the program brings.
    ///
    /// # Errors
    /// [`RuleError`] for a rule that breaks the format; a test holds that
    /// there is none.
    pub fn builtin() -> Result<Self, Box<RuleError>> {
        let (name, text) = common::BUILTIN;
        let texts: CommonTexts = from_toml(name, text)?;
        let mut set = Self { common: texts.by_key(), ..Self::default() };
        for (name, text) in builtin::BUILTIN {
            set.add(name, text, true)?;
        }
        Ok(set)
    }

    /// Adds one rule from the text of its file.
    ///
    /// # Errors
    /// [`RuleError`] where the text is no rule, or its id is taken.
    pub fn add(&mut self, name: &str, text: &str, builtin: bool) -> Result<(), Box<RuleError>> {
        let mut rule = parse(name, text, builtin)?;
        rule.origin = if builtin { "builtin".to_owned() } else { name.to_owned() };
        if let Some(other) = self.get(&rule.id) {
            let message = format!("the id `{}` is taken by {}", rule.id, other.origin);
            return Err(Fault::new(&["id"], message).at(name, text));
        }
        let place = self.rules.partition_point(|other| other.id < rule.id);
        self.rules.insert(place, rule);
        Ok(())
    }

    /// The rule of an id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The known id that is most like `wrong`, where one is near.
    pub fn nearest(&self, wrong: &str) -> Option<&str> {
        nearest(wrong, self.rules.iter().map(|rule| rule.id.as_str()))
    }
}

/// The candidate that is most like `wrong`, where one is near enough to be
/// meant (Jaro-Winkler of 0.8 or more, the threshold that clap uses).
pub fn nearest<'c>(wrong: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    const NEAR: f64 = 0.8;
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(wrong, candidate), candidate))
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A fault with the path of keys that it lies at.
struct Fault {
    keys: Vec<String>,
    message: String,
    help: Option<String>,
    /// A text value with the byte in it that is meant.
    offset: Option<(String, usize)>,
}

impl Fault {
    fn new(keys: &[&str], message: impl Into<String>) -> Self {
        Self { keys: keys.iter().map(|&k| k.to_owned()).collect(), message: message.into(), help: None, offset: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn at(self, name: &str, text: &str) -> Box<RuleError> {
        let at = locate(text, &self.keys).map(|whole| self.within(text, whole)).map(SourceSpan::from);
        report(name, text, self.message, self.help, at)
    }
}

impl Fault {
    /// The meant byte of a text value where the file holds it as it is,
    /// without escapes; else the whole value.
    fn within(&self, text: &str, whole: Range<usize>) -> Range<usize> {
        let found = self.offset.as_ref().and_then(|(value, offset)| {
            let start = text.get(whole.clone())?.find(value.as_str())? + whole.start + offset;
            let width = text.get(start..)?.chars().next().map_or(0, char::len_utf8);
            Some(start..start + width)
        });
        found.unwrap_or(whole)
    }
}

fn report(name: &str, text: &str, message: String, help: Option<String>, at: Option<SourceSpan>) -> Box<RuleError> {
    let source_code = NamedSource::new(name, text.to_owned()).with_language("toml");
    Box::new(RuleError { name: name.to_owned(), message, help, source_code, at })
}

/// The bytes of the value at a path of keys, or of its nearest parent.
pub fn locate(text: &str, keys: &[String]) -> Option<Range<usize>> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item: &toml_edit::Item = document.as_item();
    let mut span = None;
    for key in keys {
        let Some(next) = item.get(key.as_str()) else { break };
        span = next.span().or(span);
        item = next;
    }
    span
}

fn parse(name: &str, text: &str, builtin: bool) -> Result<Rule, Box<RuleError>> {
    let rule: Rule = from_toml(name, text)?;
    check(&rule, name, builtin).map_err(|fault| fault.at(name, text))?;
    Ok(rule)
}

fn from_toml<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, Box<RuleError>> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().to_owned();
        let help = suggestion(&message);
        report(name, text, message, help, error.span().map(SourceSpan::from))
    })
}

/// serde lists what it expected; the nearest of these is what was meant.
pub fn suggestion(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (wrong, expected) = rest.split_once('`')?;
    let known = expected.split('`').skip(1).step_by(2);
    nearest(wrong, known).map(|near| format!("did you mean `{near}`?"))
}

fn check(rule: &Rule, name: &str, builtin: bool) -> Result<(), Fault> {
    let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".toml");
    if rule.id != stem {
        return Err(Fault::new(&["id"], format!("the id `{}` must equal the file's name `{stem}`", rule.id)));
    }
    let well_formed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if rule.id.is_empty() || !rule.id.chars().all(well_formed) {
        return Err(Fault::new(&["id"], "an id is made of a-z, 0-9 and `-`"));
    }
    if rule.category.trim().is_empty() {
        return Err(Fault::new(&["category"], "the category is empty"));
    }
    check_languages(rule)?;
    let mut values: BTreeSet<&str> = COMMON_VALUES.iter().copied().collect();
    for (family, key) in [(Family::TypeScript, "typescript"), (Family::Rust, "rust")] {
        if let Some(detection) = rule.detection(family) {
            check_detection(rule, detection, family, key, builtin, &mut values)?;
        }
    }
    check_templates(rule, &values)
}

/// Every language has a way of detection, and every way a language.
fn check_languages(rule: &Rule) -> Result<(), Fault> {
    const KNOWN: &[(&str, Family)] =
        &[("typescript", Family::TypeScript), ("javascript", Family::TypeScript), ("rust", Family::Rust)];
    let table = |family| if family == Family::Rust { "[detect.rust]" } else { "[detect.typescript]" };
    let mut named = Vec::new();
    for language in &rule.languages {
        let Some((_, family)) = KNOWN.iter().find(|(name, _)| name == language) else {
            let fault = Fault::new(&["languages"], format!("unknown language `{language}`"));
            let known: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
            return Err(fault.help(format!("known are {}", known.join(", "))));
        };
        named.push((language, *family));
    }
    if rule.detect.typescript.is_none() && rule.detect.rust.is_none() {
        return Err(Fault::new(&["detect"], "no way of detection: `[detect.typescript]` or `[detect.rust]` is needed"));
    }
    if let Some((language, family)) = named.iter().find(|(_, family)| rule.detection(*family).is_none()) {
        let message = format!("`{language}` is named, but there is no `{}`", table(*family));
        return Err(Fault::new(&["languages"], message));
    }
    for family in [Family::TypeScript, Family::Rust] {
        if rule.detection(family).is_some() && !named.iter().any(|(_, other)| *other == family) {
            let message = format!("there is `{}`, but none of its languages is named", table(family));
            let names: Vec<&str> = KNOWN.iter().filter(|(_, of)| *of == family).map(|(name, _)| *name).collect();
            return Err(Fault::new(&["languages"], message).help(format!("its languages are {}", names.join(", "))));
        }
    }
    Ok(())
}

fn check_detection<'r>(
    rule: &'r Rule,
    detection: &'r Detection,
    family: Family,
    key: &str,
    builtin: bool,
    values: &mut BTreeSet<&'r str>,
) -> Result<(), Fault> {
    let path = |last: &'static str| ["detect", key, last];
    if detection.triggers.is_empty() || detection.triggers.iter().any(Vec::is_empty) {
        return Err(Fault::new(&path("triggers"), "triggers are needed: without a literal every file would be parsed"));
    }
    if let Some(short) = detection.triggers.iter().flatten().find(|literal| literal.len() < 2) {
        return Err(Fault::new(&path("triggers"), format!("the trigger `{short}` is shorter than two bytes")));
    }
    if let Some(analysis) = &detection.analysis {
        let Some(vocabulary) = analyze::vocabulary(family, analysis) else {
            let fault = Fault::new(&path("analysis"), format!("unknown analysis `{analysis}`"));
            let near = nearest(analysis, analyze::names(family));
            return Err(match near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("users' rules are made of a `query`"),
            });
        };
        check_vocabulary(rule, vocabulary, detection, key)?;
        values.extend(vocabulary.values);
    }
    if detection.analysis.is_none() && detection.confidence == Some(Confidence::Certain) {
        let fault = Fault::new(&path("confidence"), "a query alone is never certain: it resolves no names");
        return Err(fault.help("write `likely`, the default, or `possible`"));
    }
    match &detection.query {
        Some(query) => check_query(rule, detection, query, family, key, builtin, values)?,
        None if detection.analysis.is_none() => {
            let needed = if builtin { "an `analysis` or a `query`" } else { "a `query`" };
            return Err(Fault::new(&["detect", key], format!("{needed} is needed")));
        }
        None => {}
    }
    Ok(())
}

/// A rule must have words for everything that its analysis may say.
fn check_vocabulary(rule: &Rule, vocabulary: &Vocabulary, detection: &Detection, key: &str) -> Result<(), Fault> {
    for name in detection.params.keys() {
        if !vocabulary.params.contains(&name.as_str()) {
            let fault = Fault::new(&["detect", key, "params", name], format!("unknown parameter `{name}`"));
            return Err(match nearest(name, vocabulary.params.iter().copied()) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault,
            });
        }
    }
    let has = |table: &str, key: &str| match table {
        "evidence" => rule.evidence.contains_key(key),
        "guards" => rule.guards.contains_key(key),
        "assumptions" => rule.assumptions.contains_key(key),
        "patch" => rule.patch.contains_key(key),
        "variant" => rule.variant.contains_key(key),
        _ => rule.report.labels.contains_key(key),
    };
    let wanted = [
        ("evidence", vocabulary.evidence),
        ("guards", vocabulary.guards),
        ("assumptions", vocabulary.assumptions),
        ("patch", vocabulary.patches),
        ("variant", vocabulary.variants),
        ("labels", vocabulary.labels),
    ];
    for (table, keys) in wanted {
        if let Some(missing) = keys.iter().find(|key| !has(table, key)) {
            let message = format!("the analysis says `{missing}`, which has no words in `[{table}]`");
            return Err(Fault::new(&[if table == "labels" { "report" } else { table }], message));
        }
    }
    Ok(())
}

fn check_query<'r>(
    rule: &'r Rule,
    detection: &'r Detection,
    query: &str,
    family: Family,
    key: &str,
    builtin: bool,
    values: &mut BTreeSet<&'r str>,
) -> Result<(), Fault> {
    let path = ["detect", key, "query"];
    let languages: &[Language] = match family {
        Family::TypeScript => &[Language::TypeScript, Language::Tsx],
        Family::Rust => &[Language::Rust],
    };
    // A query takes 4 to 12 ms a pattern to compile: the program's own are
    // compiled when a file needs them, and a test holds that they compile.
    if !builtin {
        for &language in languages {
            let compiled = pattern::compile(language, query).map_err(|error| {
                let mut fault = Fault::new(&path, error.message);
                fault.offset = Some((query.to_owned(), error.offset));
                fault
            })?;
            if let Some(variant) = compiled.variants().find(|variant| !rule.variant.contains_key(*variant)) {
                return Err(Fault::new(&path, format!("the query sets the variant `{variant}`, which has no words")));
            }
        }
    }
    let captures: BTreeSet<&str> = words_after(query, '@').collect();
    if !captures.contains("hit") {
        return Err(Fault::new(&path, "the query has no capture `@hit`"));
    }
    for (name, source) in &detection.values {
        let known = match ValueSource::read(source) {
            Some(source) => source.capture().is_none_or(|capture| captures.contains(capture)),
            None => false,
        };
        if !known {
            let message = format!(
                "`{source}` is none of `count(@capture)`, `text(@capture)`, `number(@capture)`, \
                 `saved_percent(@capture)` of a capture of the query, `named(REGEX)`, `function()`"
            );
            return Err(Fault::new(&["detect", key, "values", name], message));
        }
        values.insert(name);
    }
    // Values that the query sets itself: `(#set! value.NAME …)`.
    if detection.analysis.is_none() {
        let set = rule.detection(family).and_then(|d| d.query.as_deref()).unwrap_or_default();
        values.extend(words_after(set, ' ').filter_map(|word| word.strip_prefix("value.")));
    }
    check_replacements(rule, &captures)
}

/// A user's patch replaces captures by texts with captures in them.
fn check_replacements(rule: &Rule, captures: &BTreeSet<&str>) -> Result<(), Fault> {
    for (key, patch) in &rule.patch {
        for (name, replacement) in &patch.replace {
            let at = ["patch", key, "replace", name];
            let used = template::names(replacement).map_err(|message| Fault::new(&at, message))?;
            if let Some(unknown) = used.iter().chain([&name.as_str()]).find(|used| !captures.contains(**used)) {
                let message = format!("the patch speaks of `{unknown}`, which the query does not capture");
                return Err(Fault::new(&at, message));
            }
        }
        if let Some(import) = patch.imports.iter().find(|import| pattern::map::read_import(import).is_none()) {
            return Err(Fault::new(&["patch", key, "imports"], format!("`{import}` is no `module: name`")));
        }
    }
    Ok(())
}

/// The words of a query that follow a mark, comments and strings left out.
fn words_after(query: &str, mark: char) -> impl Iterator<Item = &str> {
    let code = query.lines().map(|line| line.split_once(';').map_or(line, |(code, _)| code));
    code.flat_map(move |line| line.split(mark).skip(1)).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).unwrap_or(rest.len());
        &rest[..end]
    })
}

fn check_templates(rule: &Rule, values: &BTreeSet<&str>) -> Result<(), Fault> {
    let one = |keys: &[&str], text: &str| -> Result<(), Fault> {
        if text.trim().is_empty() {
            return Err(Fault::new(keys, "this text is empty"));
        }
        for name in template::names(text).map_err(|message| Fault::new(keys, message))? {
            if !values.contains(name) {
                let fault = Fault::new(keys, format!("undefined template variable `{name}`"));
                let known: Vec<&str> = values.iter().copied().collect();
                return Err(fault.help(format!("defined are {}", known.join(", "))));
            }
        }
        Ok(())
    };
    one(&["report", "message"], &rule.report.message)?;
    one(&["report", "impact"], &rule.report.impact)?;
    for (name, variant) in &rule.variant {
        for (field, text) in [
            ("message", &variant.message),
            ("impact", &variant.impact),
            ("title", &variant.title),
            ("hit", &variant.hit),
        ] {
            if let Some(text) = text {
                one(&["variant", name, field], text)?;
            }
        }
    }
    for raise in &rule.severity.raise {
        if !values.contains(raise.when.name.as_str()) {
            return Err(Fault::new(&["severity", "raise"], format!("undefined value `{}`", raise.when.name)));
        }
    }
    for text in [&rule.title, &rule.docs.why, &rule.docs.when_not] {
        if text.trim().is_empty() {
            return Err(Fault::new(&["docs"], "every text of a rule is filled"));
        }
    }
    Ok(())
}
