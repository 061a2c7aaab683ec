//! What one file shows: candidates with their open needs, and observations.
//!
//! Plain data without borrowed trees, so that it can be cached, sent and
//! joined later. No sentence that a user reads stands here: a [`Step`] names a
//! key, and the rule's TOML holds the words for it.

mod functions;
mod questions;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::source::Span;

pub use functions::{
    AsyncCall, Blocks, Callee, Caller, Effect, FunctionSummary, Gift, Given, Io, NamedCall, ProjectCall,
};
pub use questions::{IfNo, Need, Question, Setting};

/// How sure the analysis is. Never mixed with severity.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    serde::Deserialize,
    clap::ValueEnum,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Hidden unless asked for; never gates.
    Possible,
    /// True under one named assumption.
    Likely,
    /// Every condition is shown in the code.
    Certain,
}

/// Where a piece of code runs.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// Once for each request or message.
    Handler,
    /// Called by code that is not seen here.
    Library,
    /// On a timer.
    Scheduled,
    /// Once, while the process starts or stops.
    Startup,
    /// In a command-line program or a one-off script.
    Cli,
    /// In a test, fixture, example or benchmark.
    Test,
    /// While the project is built.
    Build,
}

impl Context {
    /// The name that reports and rules use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Library => "library",
            Self::Scheduled => "scheduled",
            Self::Startup => "startup",
            Self::Cli => "cli",
            Self::Test => "test",
            Self::Build => "build",
        }
    }
}

/// A value that fills a template or that a severity condition reads.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A number; the unit is said by the value's name (`timeout_ms`).
    Number(f64),
    /// A piece of text, from the scanned code or a fixed word.
    Text(String),
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}
impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Named values, sorted by name.
pub type Values = BTreeMap<Cow<'static, str>, Value>;

/// The key of the assumption of every hit of a query, which no analysis
/// confirmed; its words stand in `rules/common.toml`.
pub const NAMES_NOT_RESOLVED: &str = "names-not-resolved";

/// True for assumptions about how a place is seen, or what stands beside it,
/// which take nothing from another one about what runs.
pub fn is_light(assumption: &Step) -> bool {
    [NAMES_NOT_RESOLVED, "computes-by-name"].contains(&assumption.key.as_ref())
}

/// One step of evidence, one assumption or one guard: a key into the rule's
/// texts, the values for its template, and the place it speaks of.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// The key in the rule's `[evidence]`, `[assumptions]` or `[guards]`.
    pub key: Cow<'static, str>,
    /// What the template's `{names}` stand for.
    pub values: Values,
    /// The place in the candidate's own file, or in `path` where that is set.
    pub span: Option<Span>,
    /// Another file, relative to the root, where the step speaks of one.
    pub path: Option<String>,
}

impl Step {
    /// A step without a place.
    pub fn new(key: impl Into<Cow<'static, str>>) -> Self {
        Self { key: key.into(), values: Values::new(), span: None, path: None }
    }

    /// A step at `span` of the candidate's file.
    pub fn at(key: impl Into<Cow<'static, str>>, span: Span) -> Self {
        Self { span: Some(span), ..Self::new(key) }
    }

    /// Sets one template value.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(Cow::Borrowed(name), value.into());
        self
    }

    /// Moves the step to another file.
    pub fn in_file(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

/// A name that another file defines.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NameRef {
    /// The module specifier or crate path as written (`./users`, `@acme/db`).
    pub module: String,
    /// The exported name; `default` and `*` as in the language.
    pub name: String,
    /// Members read from it in turn (`config.database.pool` has two).
    pub members: Vec<String>,
}

/// How an import must look for a patch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Import {
    /// Module specifier or crate path.
    pub module: String,
    /// The imported name.
    pub name: String,
    /// The name it gets here, where that differs.
    pub alias: Option<String>,
}

/// A patch as an analysis proposes it; words and safety stand in the rule's
/// `[patch.<key>]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// The key in the rule's `[patch]` table.
    pub key: Cow<'static, str>,
    /// Replacements in the candidate's own file; they do not overlap.
    pub edits: Vec<(Span, String)>,
    /// Imports that the new code needs.
    pub imports: Vec<Import>,
}

/// What one file shows may be a finding, or with the guard that cleared it.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// Index of the rule in the rule set.
    pub rule: usize,
    /// The rule's variant, where it has several.
    pub variant: Option<Cow<'static, str>>,
    /// The primary node.
    pub span: Span,
    /// Enclosing symbol (`CacheService.compress`), empty at module level.
    pub symbol: String,
    /// Where it runs.
    pub context: Context,
    /// The class or file name that suggests a request path, where only the
    /// name says so.
    pub request_path_by_name: Option<String>,
    /// The highest confidence that this file allows.
    pub confidence: Confidence,
    /// The named assumption of a likely candidate.
    pub assumption: Option<Step>,
    /// Evidence in order.
    pub evidence: Vec<Step>,
    /// Further places to point at in the snippet, by key of the rule's labels.
    pub labels: Vec<(Span, Cow<'static, str>)>,
    /// Template and severity values.
    pub values: Values,
    /// What only other files can answer.
    pub needs: Vec<Need>,
    /// The guard that cleared it, kept for `why`.
    pub cleared: Option<Step>,
    /// The suggested patch.
    pub patch: Option<Draft>,
    /// Readings that say less and rest on less, the strongest first: where the
    /// join clears this one or lowers it, the surest of them takes its place.
    pub narrower: Vec<Candidate>,
}

impl Candidate {
    /// True where a reading of it asks whether handlers of other files reach it.
    pub fn seeks_handler(&self) -> bool {
        let asks =
            |need: &Need| matches!(need.question, Question::CalledFromHandler(_) | Question::CalledPerRequest(_));
        self.needs.iter().any(asks) || self.narrower.iter().any(Self::seeks_handler)
    }
}

/// A constant as other files see it.
#[derive(Clone, PartialEq, Debug)]
pub enum Known<T> {
    /// Written here.
    Here(T, Span),
    /// Defined by another file.
    Elsewhere(NameRef, Span),
    /// Not to be had by reading.
    Opaque(Span),
    /// Not written at all.
    Absent,
}

impl<T> Known<T> {
    /// The value where it is written here.
    pub fn here(&self) -> Option<&T> {
        match self {
            Self::Here(value, _) => Some(value),
            _ => None,
        }
    }
}

/// What an export of a file is.
#[derive(Clone, PartialEq, Debug)]
pub enum Export {
    /// A function, or a method under `Class.method`.
    Function(FunctionSummary),
    /// A number, text or flag; objects give one entry for each leaf, named
    /// `name.member.member`.
    Constant(Value, Span),
    /// The same where the environment sets no other value.
    Default(Value, Span),
    /// Handed on from another module.
    From(NameRef),
    /// What is to be known of what a function gives, under `function()`.
    Gives(Gift, Span),
    /// A function that makes an HTTP client for whoever calls it, under
    /// `function()`: the client's library, and the function's name.
    Client(&'static str, Span),
}

/// A database pool that a file configures.
#[derive(Clone, PartialEq, Debug)]
pub struct PoolSite {
    /// Library whose options these are (`pg`, `sequelize`, `mysql2` …).
    pub library: Cow<'static, str>,
    /// False where only the object's shape says that it is a pool.
    pub library_known: bool,
    /// The kind of server (`postgres`, `mysql`, `mongodb` …), where it is shown.
    pub server: Option<Cow<'static, str>>,
    /// The options or the pool object.
    pub span: Span,
    /// Enclosing symbol.
    pub symbol: String,
    /// Where it is built.
    pub context: Context,
    /// See [`Candidate::request_path_by_name`].
    pub request_path_by_name: Option<String>,
    /// Most connections.
    pub max: Known<f64>,
    /// Fewest connections.
    pub min: Known<f64>,
    /// Longest wait for a connection, in milliseconds.
    pub acquire_ms: Known<f64>,
    /// `max` where the environment sets no other.
    pub default_max: Known<f64>,
    /// Its name says that it serves one purpose for which one connection is
    /// right: listening, locks, migrations.
    pub dedicated: bool,
}

/// What one file contributes to the join.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Observations {
    /// Exports by name.
    pub exports: BTreeMap<String, Export>,
    /// Traits by what implements them here: the trait, and the type's name (Rust).
    pub implements: Vec<(NameRef, String)>,
    /// Modules whose whole exports are handed on (`export * from`).
    pub star_exports: Vec<String>,
    /// Pools configured here.
    pub pools: Vec<PoolSite>,
    /// What this file sets for all requests.
    pub sets: Vec<(Setting, Span)>,
    /// Timeout layers that are put around a service's handlers here.
    pub timeout_layers: Vec<Span>,
    /// What product code of this file calls within the project (Rust).
    pub callers: Vec<NamedCall>,
    /// Functions of other files that a router is given here (Rust).
    pub routed: Vec<(NameRef, Span)>,
    /// What this file calls within the project (TypeScript).
    pub calls: Vec<ProjectCall>,
    /// What async code calls without awaiting it, where the called function is
    /// not shown to be harmless.
    pub async_calls: Vec<AsyncCall>,
    /// Functions around candidates that run only where their name stands, as
    /// no framework, base class or attribute leads to them: name and place.
    pub run_by_name: Vec<(String, Span)>,
}

/// The whole result of mapping one file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FileMap {
    /// Candidates in source order, cleared ones included.
    pub candidates: Vec<Candidate>,
    /// Facts for the join.
    pub observations: Observations,
    /// The comments, in their order, where the file holds a suppression and a
    /// typed tree tells them.
    pub comments: Option<Vec<Span>>,
    /// True where the typed tree was not to be had or has errors.
    pub partial: Option<String>,
}
