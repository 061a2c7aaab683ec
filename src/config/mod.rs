//! What the configuration and the command line say, for each file.

pub mod file;
pub mod load;
mod paths;
pub mod print;

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};

use crate::finding::Severity;
use crate::observe::Confidence;
use crate::report::{SkipReason, Skipped};
use crate::rule::RuleSet;
use crate::rule::load::nearest;
use crate::suppress::{Date, Selector};
use crate::walk::Walked;

pub use load::{ConfigError, Source, load};

/// What a configuration says of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Not looked for.
    Off,
    /// Looked for, with the severity that the rule itself gives.
    On,
    /// Looked for, with this severity.
    At(Severity),
}

/// A rule or variant that there is not.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct UnknownRule {
    /// What there is not.
    pub message: String,
    /// What may have been meant.
    pub near: Option<String>,
}

impl UnknownRule {
    /// A question to the user, where something is near.
    pub fn help(&self) -> Option<String> {
        self.near.as_ref().map(|near| format!("did you mean `{near}`?"))
    }
}

/// Whether a rule set holds the rule and the variant that a selector names.
///
/// # Errors
/// What is unknown, with what may have been meant.
pub fn check(selector: &Selector, rules: &RuleSet) -> Result<(), UnknownRule> {
    let Some(rule) = rules.get(&selector.rule) else {
        let near = rules.nearest(&selector.rule).map(str::to_owned);
        return Err(UnknownRule { message: format!("there is no rule `{}`", selector.rule), near });
    };
    match &selector.variant {
        Some(variant) if !rule.variant.contains_key(variant) => {
            let near = nearest(variant, rule.variant.keys().map(String::as_str));
            let near = near.map(|near| format!("{}/{near}", rule.id));
            Err(UnknownRule { message: format!("the rule `{}` has no variant `{variant}`", rule.id), near })
        }
        _ => Ok(()),
    }
}

/// What makes the gate fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gate {
    /// The mildest severity that fails it; `None` never fails.
    pub fail_on: Option<Severity>,
    /// The mildest severity that is shown.
    pub min_severity: Severity,
    /// The least confidence that is shown; `possible` never gates.
    pub min_confidence: Confidence,
    /// Whether findings in tests, fixtures and examples count.
    pub include_tests: bool,
    /// Whether a file that was lost fails the scan.
    pub require_complete: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            fail_on: Some(Severity::Critical),
            min_severity: Severity::Low,
            min_confidence: Confidence::Likely,
            include_tests: false,
            require_complete: false,
        }
    }
}

/// The declared load, for the arithmetic of pools.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Requests per second that reach the database, over all instances.
    pub requests_per_second: f64,
    /// Time that one request holds a connection, in milliseconds.
    pub query_ms: Option<f64>,
}

/// The declared database server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Database {
    /// Connections that the server admits.
    pub max_connections: u32,
    /// Of these, kept for its administrator.
    pub reserved: u32,
}

impl Database {
    /// PostgreSQL's `superuser_reserved_connections`.
    pub const RESERVED: u32 = 3;
}

/// One of several services of the tree.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Its folder or file, relative to the tree's root.
    pub path: String,
    /// How many processes of it run.
    pub instances: Option<u32>,
    /// Queries per second of the service, over all its instances.
    pub qps: Option<f64>,
}

/// A glob that is relative to the folder of the file it stands in.
///
/// `*` stays within a folder, `**` does not; a glob that names a folder means
/// all that is in it. `/src` is the same as `src`.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The folder, relative to the tree's root; empty for the root.
    pub base: String,
    /// The glob as written.
    pub glob: String,
    matcher: GlobMatcher,
}

/// A glob that could match nothing, or is malformed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct BadPattern {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl BadPattern {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }
}

impl From<globset::Error> for BadPattern {
    fn from(error: globset::Error) -> Self {
        Self { message: error.to_string(), help: None }
    }
}

/// What in a glob would make it match nothing, silently.
fn silent_nothing(glob: &str) -> Option<BadPattern> {
    if let Some(rest) = glob.strip_prefix('!') {
        let help = format!("leave `{rest}` out of the other globs; a file whose name has the sign is `[!]{rest}`");
        return Some(BadPattern::new("`!` takes nothing back", help));
    }
    if glob.split('/').any(|part| part == "..") {
        let help = "write it in a bizra-scan.toml of the folder that it is meant for, or of one above both";
        return Some(BadPattern::new(format!("`{glob}` leads out of the folder that globs are relative to"), help));
    }
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        // Before a sign it takes that sign's meaning away.
        if c == '\\' && chars.next().is_none_or(|next| next.is_alphanumeric() || matches!(next, '_' | '.')) {
            let help = format!("did you mean `{}`?", glob.replace('\\', "/"));
            return Some(BadPattern::new("folders are parted by `/`", help));
        }
    }
    let named = glob.trim_matches(|c| matches!(c, '/' | '.'));
    named.is_empty().then(|| BadPattern::new("this glob names nothing", "`**` matches every file"))
}

impl Pattern {
    /// A glob relative to `base`.
    ///
    /// # Errors
    /// Where the glob is malformed or could match nothing.
    pub fn new(base: &str, glob: &str) -> Result<Self, BadPattern> {
        if let Some(wrong) = silent_nothing(glob) {
            return Err(wrong);
        }
        // `legacy/` and `legacy/**` mean the folder itself.
        let folder = glob.trim_end_matches("/**").trim_end_matches('/');
        let folder = folder.trim_start_matches("./").trim_start_matches('/');
        let matcher = GlobBuilder::new(folder).literal_separator(true).build()?.compile_matcher();
        Ok(Self { base: base.to_owned(), glob: glob.to_owned(), matcher })
    }

    /// The file, or the outermost folder above it, that it matches; `path` is
    /// relative to the tree's root.
    pub fn matched<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = below(&self.base, path)?;
        let offset = path.len() - rest.len();
        let ends = rest.match_indices('/').map(|(at, _)| at).chain([rest.len()]);
        ends.map(|end| &path[..offset + end]).find(|part| self.matcher.is_match(&part[offset..]))
    }
}

/// `path` relative to `folder`; `None` where it does not lie below it.
pub fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// Levels for the paths that globs match.
#[derive(Clone, Debug)]
pub struct Override {
    /// Any of these.
    pub paths: Vec<Pattern>,
    /// Levels by `id` or `id/variant`.
    pub rules: BTreeMap<String, Level>,
}

/// Rules and excludes of one folder's configuration.
#[derive(Clone, Debug, Default)]
pub struct FolderSettings {
    /// Levels by `id` or `id/variant`.
    pub rules: BTreeMap<String, Level>,
    /// Levels by path; later ones win.
    pub overrides: Vec<Override>,
    /// Files that are left out.
    pub exclude: Vec<Pattern>,
    /// The files this was read from, the farthest first.
    pub files: Vec<String>,
}

/// Everything that the configuration and the command line say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rules and excludes by folder (relative to the tree's root); the nearest
    /// folder at or above a file decides alone.
    pub folders: BTreeMap<String, FolderSettings>,
    /// Only these rules; all where empty.
    pub only: Vec<Selector>,
    /// The gate and what is shown.
    pub gate: Gate,
    /// Larger files are skipped; bytes.
    pub max_file_size: u64,
    /// The declared load.
    pub load: Option<Load>,
    /// The declared database server.
    pub database: Option<Database>,
    /// The declared services.
    pub services: Vec<Service>,
    /// Today, for suppressions that expire.
    pub today: Date,
    /// Remarks on the configuration, for the report's notices.
    pub notices: Vec<String>,
}

/// Files over 2 MB are data or bundles, not code that people wrote.
pub const DEFAULT_MAX_FILE_SIZE: u64 = 2_000_000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            folders: BTreeMap::new(),
            only: Vec::new(),
            gate: Gate::default(),
            max_file_size: DEFAULT_MAX_FILE_SIZE,
            load: None,
            database: None,
            services: Vec::new(),
            today: Date::EPOCH,
            notices: Vec::new(),
        }
    }
}

impl Settings {
    /// The settings of the nearest folder at or above `path`.
    pub fn folder(&self, path: &str) -> Option<&FolderSettings> {
        self.folders
            .iter()
            .filter(|(folder, _)| below(folder, path).is_some())
            .max_by_key(|(folder, _)| folder.len())
            .map(|(_, settings)| settings)
    }

    /// The level of a rule (or its variant) in the file `path`, relative to
    /// the tree's root. `--rule` decides first; then the last override that
    /// matches, then `[rules]`; in each, a variant's entry before its rule's.
    pub fn level(&self, path: &str, rule: &str, variant: Option<&str>) -> Level {
        if !self.only.is_empty() && !self.only.iter().any(|selector| selector.selects(rule, variant)) {
            return Level::Off;
        }
        let written = self.folder(path).and_then(|folder| {
            folder
                .overrides
                .iter()
                .rev()
                .filter(|entry| entry.paths.iter().any(|pattern| pattern.matched(path).is_some()))
                .find_map(|entry| entry_of(&entry.rules, rule, variant))
                .or_else(|| entry_of(&folder.rules, rule, variant))
        });
        match written {
            // A rule asked for by name is looked for whatever the file says.
            Some(Level::Off) if !self.only.is_empty() => Level::On,
            other => other.unwrap_or(Level::On),
        }
    }

    /// The configuration that counts for `path`, without what it extends.
    pub fn source(&self, path: &str) -> Option<&str> {
        self.folder(path)?.files.last().map(String::as_str)
    }

    /// The file or folder that an `exclude` of the configuration names, and
    /// the glob, where `path` is left out by it.
    pub fn excluded<'p>(&self, path: &'p str) -> Option<(&'p str, &str)> {
        let patterns = &self.folder(path)?.exclude;
        patterns.iter().find_map(|pattern| Some((pattern.matched(path)?, pattern.glob.as_str())))
    }

    /// Takes the excluded files out of a walk; a folder is named once.
    pub fn exclude(&self, walked: &mut Walked) {
        let mut named = BTreeSet::new();
        walked.files.retain(|file| match self.excluded(&file.path) {
            Some((part, glob)) => {
                named.insert((part.to_owned(), glob.to_owned()));
                false
            }
            None => true,
        });
        let skip = |(path, glob)| Skipped { path, reason: SkipReason::Excluded, detail: format!("by `{glob}`") };
        walked.skipped.extend(named.into_iter().map(skip));
        walked.skipped.sort();
    }

    /// True where `rule` (or one of its variants) may be looked for somewhere:
    /// for leaving a rule out before the scan.
    pub fn may_run(&self, rule: &str) -> bool {
        if !self.only.is_empty() {
            return self.only.iter().any(|selector| selector.rule == rule);
        }
        let variant = format!("{rule}/");
        let on = |rules: &BTreeMap<String, Level>| {
            rules.get(rule).is_some_and(|level| *level != Level::Off)
                || rules.iter().any(|(id, level)| id.starts_with(&variant) && *level != Level::Off)
        };
        let everywhere_off = |folder: &FolderSettings| {
            folder.rules.get(rule) == Some(&Level::Off)
                && !on(&folder.rules)
                && !folder.overrides.iter().any(|entry| on(&entry.rules))
        };
        // A file above all configured folders has the rule on.
        !self.folders.contains_key("") || !self.folders.values().all(everywhere_off)
    }
}

fn entry_of(rules: &BTreeMap<String, Level>, rule: &str, variant: Option<&str>) -> Option<Level> {
    let exact = variant.and_then(|variant| rules.get(&format!("{rule}/{variant}")));
    exact.or_else(|| rules.get(rule)).copied()
}
