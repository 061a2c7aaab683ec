//! Reading `bizra-scan.toml` files. Every error points into the TOML.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::config::file::{ConfigFile, GateTable, LevelName, ServiceTable};
use crate::config::{
    DEFAULT_MAX_FILE_SIZE, Database, FolderSettings, Gate, Level, Load, Override, Pattern, Service, Settings, check,
    paths,
};
use crate::finding::Severity;
use crate::rule::RuleSet;
use crate::rule::load::{nearest, suggestion};
use crate::source::visible;
use crate::suppress::Selector;
use crate::tree::{Kind, Tree};
use crate::walk::{CONFIG_NAME, Walked};

/// What is wrong in a configuration, with the place.
#[derive(Debug, Error, Diagnostic)]
#[error("{name}: {message}")]
#[diagnostic(code(bizra::config))]
pub struct ConfigError {
    name: String,
    message: String,
    #[help]
    help: Option<String>,
    #[source_code]
    source_code: Option<NamedSource<String>>,
    #[label("here")]
    at: Option<SourceSpan>,
}

impl ConfigError {
    fn bare(name: &str, message: impl Into<String>) -> Box<Self> {
        let (name, message) = (visible(name).into_owned(), message.into());
        Box::new(Self { name, message, help: None, source_code: None, at: None })
    }

    fn new(name: &str, text: &str, message: impl Into<String>, at: Option<Range<usize>>) -> Box<Self> {
        let source_code = is_drawable(text).then(|| NamedSource::new(name, text.to_owned()).with_language("toml"));
        let at = at.filter(|_| source_code.is_some());
        let message = visible(&message.into()).into_owned();
        let at = at.map(SourceSpan::from);
        Box::new(Self { name: visible(name).into_owned(), message, help: None, source_code, at })
    }

    fn help(mut self: Box<Self>, help: Option<String>) -> Box<Self> {
        self.help = help.map(|help| visible(&help).into_owned()).or(self.help);
        self
    }
}

/// The renderer bears no line of 65,535 columns, and hands on what steers a
/// terminal: such a text is not shown.
fn is_drawable(text: &str) -> bool {
    const COLUMNS: usize = 1_000;
    let mut lines = text.lines().map(|line| line.replace('\t', " "));
    lines.all(|line| line.len() <= COLUMNS && matches!(visible(&line), Cow::Borrowed(_)))
}

/// Which configuration counts.
#[derive(Clone, Copy)]
pub enum Source<'s> {
    /// The nearest `bizra-scan.toml` of every file.
    Nearest,
    /// None.
    None,
    /// Only this file, for every path.
    Only {
        /// The tree that holds it.
        tree: &'s dyn Tree,
        /// Its path in that tree.
        path: &'s str,
        /// It lies outside of the scanned tree, so that its globs are relative
        /// to the scan's root instead of its own folder.
        outside: bool,
    },
}

/// The settings of a scan, before the command line has its say.
///
/// # Errors
/// [`ConfigError`] where a file is no TOML, has an unknown key, rule or glob,
/// or extends a file that is not there or that extends it in turn, and where a
/// service's path leads nowhere.
pub fn load(
    tree: &dyn Tree,
    walked: &Walked,
    rules: &RuleSet,
    source: Source<'_>,
) -> Result<Settings, Box<ConfigError>> {
    let mut settings = Settings::default();
    let scanned = tree;
    let root = match source {
        Source::None => return Ok(settings),
        Source::Only { tree, path, outside } => {
            // Globs mean paths of the scanned tree, wherever the file lies.
            let base = outside.then_some(walked.prefix.as_str());
            let loader = Loader { tree, scanned, walked, rules, base };
            let merged = loader.read(path)?;
            settings.notices.extend(paths::unmatched(path, &merged.folder, walked));
            settings.folders.insert(String::new(), merged.folder.clone());
            Some(merged)
        }
        Source::Nearest => {
            let loader = Loader { tree, scanned, walked, rules, base: None };
            let main = above(tree, &walked.prefix);
            let mut nested: Vec<&String> = walked.configs.iter().collect();
            // Outer folders first: what they exclude has no say.
            nested.sort_by_key(|path| path.matches('/').count());
            for path in main.iter().chain(nested) {
                let folder = folder_of(path);
                if settings.folders.contains_key(folder) || settings.excluded(path).is_some() {
                    continue;
                }
                let merged = loader.read(path)?;
                if Some(path) != main.as_ref() && merged.says_root_things {
                    settings.notices.push(format!(
                        "{path}: `gate`, `load`, `database`, `service` and `max_file_size` count in the root's file only"
                    ));
                }
                settings.notices.extend(paths::unmatched(path, &merged.folder, walked));
                settings.folders.insert(folder.to_owned(), merged.folder);
            }
            main.map(|path| loader.read(&path)).transpose()?
        }
    };
    if let Some(merged) = root {
        settings.gate = gate_of(&merged.gate);
        settings.max_file_size = merged.max_file_size.unwrap_or(DEFAULT_MAX_FILE_SIZE);
        settings.load = merged.load;
        settings.database = merged.database;
        settings.services = merged.services;
        let config = merged.folder.files.last().map_or(CONFIG_NAME, String::as_str);
        settings.notices.extend(without_hold_time(config, &settings));
    }
    Ok(settings)
}

/// A rate alone keeps no connection busy: it takes the time of a query too.
fn without_hold_time(config: &str, settings: &Settings) -> Option<String> {
    let declared = match settings.load {
        Some(load) if load.query_ms.is_none() => "`[load] requests_per_second`",
        None if settings.services.iter().any(|service| service.qps.is_some()) => "`[[service]] qps`",
        _ => return None,
    };
    Some(format!("{config}: {declared} is not weighed without `[load] query_ms`, the time that a query takes"))
}

/// The nearest configuration at or above the scan's root, within the tree.
fn above(tree: &dyn Tree, prefix: &str) -> Option<String> {
    let mut folder = prefix;
    loop {
        let path = join(folder, CONFIG_NAME);
        if tree.kind(&path) == Some(Kind::File) {
            return Some(path);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder_of(folder);
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// A file with all that it extends.
#[derive(Clone, Default)]
struct Merged {
    folder: FolderSettings,
    /// Said by the file itself, not by what it extends.
    says_root_things: bool,
    gate: GateTable,
    max_file_size: Option<u64>,
    load: Option<Load>,
    database: Option<Database>,
    services: Vec<Service>,
}

/// True where the file itself says what only the root's file can say.
fn says_root_things(file: &ConfigFile) -> bool {
    file.gate.is_some()
        || file.max_file_size.is_some()
        || file.load.is_some()
        || file.database.is_some()
        || !file.services.is_empty()
}

struct Loader<'l> {
    /// The tree that holds the configuration.
    tree: &'l dyn Tree,
    /// The tree that it is about.
    scanned: &'l dyn Tree,
    walked: &'l Walked,
    rules: &'l RuleSet,
    /// Where globs start, instead of at the file's own folder.
    base: Option<&'l str>,
}

impl Loader<'_> {
    /// Reads the file and what it extends, the farthest first.
    fn read(&self, path: &str) -> Result<Merged, Box<ConfigError>> {
        let mut chain: Vec<(String, String, ConfigFile)> = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let text = self.tree.read_text(&path).ok_or_else(|| ConfigError::bare(&path, "cannot be read as text"))?;
            let file = parse(&path, &text)?;
            next = match &file.extends {
                None => None,
                Some(target) => {
                    let at = || locate(&text, &["extends"]);
                    let Some(target) = resolve(folder_of(&path), target) else {
                        return Err(ConfigError::new(&path, &text, "`extends` leads out of the root", at()));
                    };
                    if chain.iter().any(|(seen, ..)| *seen == target) || target == path {
                        return Err(ConfigError::new(&path, &text, "`extends` leads in a circle", at()));
                    }
                    if self.tree.kind(&target) != Some(Kind::File) {
                        return Err(ConfigError::new(&path, &text, format!("there is no `{target}` to extend"), at()));
                    }
                    Some(target)
                }
            };
            chain.push((path, text, file));
        }
        let mut merged = Merged::default();
        for (path, text, file) in chain.into_iter().rev() {
            merged.folder.files.push(path.clone());
            self.merge(&mut merged, &path, &text, file)?;
        }
        Ok(merged)
    }

    fn merge(&self, into: &mut Merged, path: &str, text: &str, file: ConfigFile) -> Result<(), Box<ConfigError>> {
        let base = self.base.unwrap_or(folder_of(path));
        into.says_root_things = says_root_things(&file);
        into.folder.rules.extend(self.levels(path, text, &["rules"], file.rules)?);
        for (index, entry) in file.overrides.into_iter().enumerate() {
            let index = index.to_string();
            let keys = ["override", &index, "paths"];
            if entry.paths.is_empty() {
                let message = "an override without paths is for no file";
                return Err(ConfigError::new(path, text, message, locate(text, &keys)));
            }
            let paths = patterns(path, text, &keys, base, &entry.paths)?;
            let rules = self.levels(path, text, &["override", &index, "rules"], entry.rules)?;
            into.folder.overrides.push(Override { paths, rules });
        }
        into.folder.exclude.extend(patterns(path, text, &["exclude"], base, &file.exclude)?);
        if let Some(gate) = file.gate {
            let old = std::mem::take(&mut into.gate);
            into.gate = GateTable {
                fail_on: gate.fail_on.or(old.fail_on),
                min_severity: gate.min_severity.or(old.min_severity),
                min_confidence: gate.min_confidence.or(old.min_confidence),
                include_tests: gate.include_tests.or(old.include_tests),
                require_complete: gate.require_complete.or(old.require_complete),
            };
        }
        let positive = |keys: &[&str], value: f64| positive(path, text, keys, value);
        if file.max_file_size == Some(0) {
            return Err(ConfigError::new(path, text, "must be above 0", locate(text, &["max_file_size"])));
        }
        into.max_file_size = file.max_file_size.or(into.max_file_size);
        if let Some(load) = file.load {
            let requests_per_second = positive(&["load", "requests_per_second"], load.requests_per_second)?;
            let query_ms = load.query_ms.map(|ms| positive(&["load", "query_ms"], ms)).transpose()?;
            into.load = Some(Load { requests_per_second, query_ms });
        }
        if let Some(database) = file.database {
            let reserved = database.reserved.unwrap_or(Database::RESERVED);
            if reserved >= database.max_connections {
                let at = locate(text, &["database", "max_connections"]);
                return Err(ConfigError::new(path, text, "no connection is left after the reserved ones", at));
            }
            into.database = Some(Database { max_connections: database.max_connections, reserved });
        }
        if !file.services.is_empty() {
            into.services.clear();
        }
        for (index, service) in file.services.into_iter().enumerate() {
            let service = self.service(&into.services, path, text, &index.to_string(), service)?;
            into.services.push(service);
        }
        Ok(())
    }

    /// A service beside those that the file has told of, its path one that there is.
    fn service(
        &self,
        told: &[Service],
        path: &str,
        text: &str,
        index: &str,
        service: ServiceTable,
    ) -> Result<Service, Box<ConfigError>> {
        let base = self.base.unwrap_or(folder_of(path));
        let fault = |key: &str, message: &str| {
            let at = locate(text, &["service", index, key]);
            ConfigError::new(path, text, message, at)
        };
        let Some(folder) = resolve(base, &service.path) else {
            return Err(fault("path", "the service's folder leads out of the root"));
        };
        if !folder.is_empty() && self.scanned.kind(&folder).is_none() {
            let near = paths::near(&service.path, base, self.walked);
            let message = format!("there is no folder or file `{}` for the service", service.path);
            return Err(fault("path", &message).help(near.map(|near| format!("did you mean `{near}`?"))));
        }
        if told.iter().any(|other| other.path == folder) {
            return Err(fault("path", "another service has this path already"));
        }
        if service.instances == Some(0) {
            return Err(fault("instances", "must be at least 1"));
        }
        let qps = service.qps.map(|qps| positive(path, text, &["service", index, "qps"], qps)).transpose()?;
        Ok(Service { path: folder, instances: service.instances, qps })
    }

    /// Levels by rule, every rule a known one.
    fn levels(
        &self,
        path: &str,
        text: &str,
        keys: &[&str],
        rules: BTreeMap<String, LevelName>,
    ) -> Result<BTreeMap<String, Level>, Box<ConfigError>> {
        let mut levels = BTreeMap::new();
        for (name, level) in rules {
            if let Err(unknown) = check(&Selector::parse(&name), self.rules) {
                let keys: Vec<&str> = keys.iter().copied().chain([name.as_str()]).collect();
                let at = locate_key(text, &keys);
                return Err(ConfigError::new(path, text, unknown.to_string(), at).help(unknown.help()));
            }
            levels.insert(name, level_of(level));
        }
        Ok(levels)
    }
}

fn positive(path: &str, text: &str, keys: &[&str], value: f64) -> Result<f64, Box<ConfigError>> {
    let fault = || ConfigError::new(path, text, "must be a number above 0", locate(text, keys));
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(fault()) }
}

/// The bytes of the value at a path of keys (numbers count in lists), or of
/// its nearest parent.
fn locate(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item = document.as_item();
    let mut span = None;
    for key in keys {
        let Some(next) = key.parse().map_or_else(|_| item.get(key), |index: usize| item.get(index)) else { break };
        span = next.span().or(span);
        item = next;
    }
    span
}

/// The bytes of the last key itself, where that is what is wrong.
fn locate_key(text: &str, keys: &[&str]) -> Option<Range<usize>> {
    let (name, folder) = keys.split_last()?;
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item = document.as_item();
    for key in folder {
        item = key.parse().map_or_else(|_| item.get(key), |index: usize| item.get(index))?;
    }
    item.as_table_like()?.get_key_value(name)?.0.span()
}

fn parse(path: &str, text: &str) -> Result<ConfigFile, Box<ConfigError>> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().to_owned();
        let help = suggestion(&message).or_else(|| variant_suggestion(&message));
        ConfigError::new(path, text, message, error.span()).help(help)
    })
}

/// The same for a value that is none of a list.
fn variant_suggestion(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown variant `")?;
    let (wrong, expected) = rest.split_once('`')?;
    nearest(wrong, expected.split('`').skip(1).step_by(2)).map(|near| format!("did you mean `{near}`?"))
}

fn patterns(
    path: &str,
    text: &str,
    keys: &[&str],
    base: &str,
    globs: &[String],
) -> Result<Vec<Pattern>, Box<ConfigError>> {
    let one = |(index, glob): (usize, &String)| {
        Pattern::new(base, glob).map_err(|error| {
            let index = index.to_string();
            let keys: Vec<&str> = keys.iter().copied().chain([index.as_str()]).collect();
            ConfigError::new(path, text, error.to_string(), locate(text, &keys)).help(error.help)
        })
    };
    globs.iter().enumerate().map(one).collect()
}

/// `path` as written in a file of `folder`; `None` where it leads out.
fn resolve(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

const fn level_of(name: LevelName) -> Level {
    match name {
        LevelName::Off => Level::Off,
        LevelName::On => Level::On,
        LevelName::Low => Level::At(Severity::Low),
        LevelName::Medium => Level::At(Severity::Medium),
        LevelName::High => Level::At(Severity::High),
        LevelName::Critical => Level::At(Severity::Critical),
    }
}

fn gate_of(table: &GateTable) -> Gate {
    let gate = Gate::default();
    Gate {
        fail_on: table.fail_on.map_or(gate.fail_on, |fail_on| fail_on.severity()),
        min_severity: table.min_severity.unwrap_or(gate.min_severity),
        min_confidence: table.min_confidence.unwrap_or(gate.min_confidence),
        include_tests: table.include_tests.unwrap_or(gate.include_tests),
        require_complete: table.require_complete.unwrap_or(gate.require_complete),
    }
}
