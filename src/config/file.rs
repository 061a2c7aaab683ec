//! The shape of `bizra-scan.toml`. Unknown keys are errors everywhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Severity;
use crate::observe::Confidence;

/// The configuration of bizra-scan. Globs and folders are relative to the
/// file's own folder; where `--config` names a file outside of the scanned
/// tree, to the scan's root.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Another configuration that this one adds to, relative to this file.
    /// Without it no other file counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Files that are left out, as globs relative to this file's folder, with
    /// or without `/` before them; a folder's name leaves out all that is in
    /// it. `!`, `..` and `\\` between folders are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Larger files are skipped, in bytes (default 2000000). Counts in the
    /// root's file only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_size: Option<u64>,
    /// Rules by id or id/variant: off, on, or the severity that they get.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, LevelName>,
    /// Rules for some paths; where several match, the last wins.
    #[serde(default, rename = "override", skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<OverrideTable>,
    /// What fails the scan and what is shown. Counts in the root's file only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateTable>,
    /// The declared load. Counts in the root's file only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadTable>,
    /// The declared database server. Counts in the root's file only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseTable>,
    /// The services of the tree, where there are several. Counts in the
    /// root's file only.
    #[serde(default, rename = "service", skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceTable>,
}

/// What a rule is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LevelName {
    /// Not looked for.
    Off,
    /// Looked for, with the severity that the rule itself gives.
    On,
    /// Looked for, always of this severity.
    Low,
    /// Looked for, always of this severity.
    Medium,
    /// Looked for, always of this severity.
    High,
    /// Looked for, always of this severity.
    Critical,
}

/// The mildest severity that fails the scan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Only critical findings fail.
    Critical,
    /// High and critical ones.
    High,
    /// Medium and worse.
    Medium,
    /// Any finding.
    Low,
    /// None.
    Never,
}

impl FailOn {
    /// The mildest severity that fails; `None` for [`FailOn::Never`].
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Critical => Some(Severity::Critical),
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Never => None,
        }
    }
}

/// Rules for the paths that globs match.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideTable {
    /// Globs relative to this file's folder, at least one.
    #[schemars(length(min = 1))]
    pub paths: Vec<String>,
    /// Rules by id or id/variant.
    pub rules: BTreeMap<String, LevelName>,
}

/// What fails the scan and what is shown.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateTable {
    /// The mildest severity that fails the scan (default critical).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<FailOn>,
    /// The mildest severity that is shown (default low).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_severity: Option<Severity>,
    /// The least confidence that is shown (default likely); possible findings
    /// never fail the scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<Confidence>,
    /// Report tests, fixtures and examples too (default false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_tests: Option<bool>,
    /// Fail where a file could not be looked at (default false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_complete: Option<bool>,
}

/// The declared load.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadTable {
    /// Requests per second that reach the database, over all instances.
    pub requests_per_second: f64,
    /// Time for which one request holds a connection, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_ms: Option<f64>,
}

/// The declared database server.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseTable {
    /// Connections that the server admits.
    pub max_connections: u32,
    /// Of these, kept for its administrator (default 3, as in PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<u32>,
}

/// One of several services.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceTable {
    /// Its folder or file, relative to this file's folder; it must be there.
    pub path: String,
    /// How many processes of it run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<u32>,
    /// Queries per second of the service, over all its instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qps: Option<f64>,
}

/// The JSON Schema of the configuration, as published in `docs/`.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(ConfigFile).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "bizra-scan.toml".into());
    }
    schema
}
