//! The settings in the form of a configuration, as `--print-config` shows them.

use std::collections::BTreeMap;

use crate::config::file::{
    ConfigFile, DatabaseTable, FailOn, GateTable, LevelName, LoadTable, OverrideTable, ServiceTable,
};
use crate::config::{FolderSettings, Level, Pattern, Settings};
use crate::finding::Severity;

/// What counts for `path` (relative to the tree's root; a file or a folder),
/// as TOML whose globs are relative to the tree's root.
///
/// # Errors
/// Where a number cannot be written in TOML.
pub fn effective(settings: &Settings, path: &str) -> Result<String, toml::ser::Error> {
    // A folder is in its own scope, so ask for a name inside it.
    let folder = settings.folder(&format!("{path}/_")).or_else(|| settings.folder(path));
    let mut out = match folder {
        Some(folder) if !folder.files.is_empty() => format!("# from {}\n", folder.files.join(", ")),
        _ => "# no configuration file; these are the defaults\n".to_owned(),
    };
    let empty = FolderSettings::default();
    out.push_str(&toml::to_string(&table(settings, folder.unwrap_or(&empty)))?);
    Ok(out)
}

fn table(settings: &Settings, folder: &FolderSettings) -> ConfigFile {
    let gate = settings.gate;
    let overrides = folder
        .overrides
        .iter()
        .map(|entry| OverrideTable { paths: entry.paths.iter().map(from_root).collect(), rules: names(&entry.rules) });
    ConfigFile {
        extends: None,
        exclude: folder.exclude.iter().map(from_root).collect(),
        max_file_size: Some(settings.max_file_size),
        rules: names(&folder.rules),
        overrides: overrides.collect(),
        gate: Some(GateTable {
            fail_on: Some(fail_on(gate.fail_on)),
            min_severity: Some(gate.min_severity),
            min_confidence: Some(gate.min_confidence),
            include_tests: Some(gate.include_tests),
            require_complete: Some(gate.require_complete),
        }),
        load: settings
            .load
            .map(|load| LoadTable { requests_per_second: load.requests_per_second, query_ms: load.query_ms }),
        database: settings
            .database
            .map(|db| DatabaseTable { max_connections: db.max_connections, reserved: Some(db.reserved) }),
        services: settings
            .services
            .iter()
            .map(|service| ServiceTable { path: service.path.clone(), instances: service.instances, qps: service.qps })
            .collect(),
    }
}

fn from_root(pattern: &Pattern) -> String {
    let glob = pattern.glob.trim_start_matches("./").trim_start_matches('/');
    if pattern.base.is_empty() { glob.to_owned() } else { format!("{}/{glob}", pattern.base) }
}

fn names(rules: &BTreeMap<String, Level>) -> BTreeMap<String, LevelName> {
    rules.iter().map(|(rule, level)| (rule.clone(), name(*level))).collect()
}

const fn name(level: Level) -> LevelName {
    match level {
        Level::Off => LevelName::Off,
        Level::On => LevelName::On,
        Level::At(Severity::Low) => LevelName::Low,
        Level::At(Severity::Medium) => LevelName::Medium,
        Level::At(Severity::High) => LevelName::High,
        Level::At(Severity::Critical) => LevelName::Critical,
    }
}

const fn fail_on(severity: Option<Severity>) -> FailOn {
    match severity {
        None => FailOn::Never,
        Some(Severity::Low) => FailOn::Low,
        Some(Severity::Medium) => FailOn::Medium,
        Some(Severity::High) => FailOn::High,
        Some(Severity::Critical) => FailOn::Critical,
    }
}
