//! The shape of a rule's TOML. Unknown keys are errors everywhere.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::finding::Severity;
use crate::observe::{Context, Values};
use crate::patch::Safety;
use crate::rule::condition::Condition;
use crate::source::{Family, Language};

/// One rule, as its file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Equals the file's name.
    pub id: String,
    /// One line, lower case.
    pub title: String,
    /// cache, database, network, memory, async, or a user's own word.
    pub category: String,
    /// `typescript`, `javascript`, `rust`.
    pub languages: Vec<String>,
    /// Effort of a usual fix, in minutes.
    pub effort_minutes: u32,
    /// Rules whose finding at the same primary node wins over this one's.
    #[serde(default)]
    pub yields_to: Vec<String>,
    /// What it costs, and what moves that.
    pub severity: SeverityTable,
    /// How it is seen, by family of languages.
    pub detect: Detect,
    /// The words of a finding.
    pub report: ReportText,
    /// Words of evidence steps, by key.
    #[serde(default)]
    pub evidence: BTreeMap<String, String>,
    /// Words of the guards that clear a candidate, by key.
    #[serde(default)]
    pub guards: BTreeMap<String, String>,
    /// Words of named assumptions, by key.
    #[serde(default)]
    pub assumptions: BTreeMap<String, String>,
    /// Words of patches, by key.
    #[serde(default)]
    pub patch: BTreeMap<String, PatchText>,
    /// Shapes that differ in words or severity.
    #[serde(default)]
    pub variant: BTreeMap<String, Variant>,
    /// What a fix looks like and how it is measured.
    #[serde(default)]
    pub verify: Verify,
    /// The manual page.
    pub docs: Docs,
    /// Where it was loaded from: `builtin`, or a path below the root.
    #[serde(skip)]
    pub origin: String,
}

/// Base severity and what moves it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityTable {
    /// On request paths.
    pub base: Severity,
    /// Steps for contexts that differ from the common table (see [`SeverityTable::shift`]).
    #[serde(default)]
    pub by_context: BTreeMap<Context, i32>,
    /// Size conditions.
    #[serde(default)]
    pub raise: Vec<Raise>,
}

/// One condition that moves severity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// Steps; negative is milder.
    pub by: i32,
    /// What must hold, over the candidate's values.
    pub when: Condition,
    /// Only in these contexts; everywhere where empty.
    #[serde(default)]
    pub contexts: Vec<Context>,
}

impl SeverityTable {
    /// Steps for a context: the rule's own, else scheduled −1, startup and
    /// cli −2, others 0.
    pub fn shift(&self, context: Context) -> i32 {
        self.by_context.get(&context).copied().unwrap_or(match context {
            Context::Scheduled => -1,
            Context::Startup | Context::Cli => -2,
            _ => 0,
        })
    }

    /// The severity of a candidate with `values` in `context`, from `base`.
    pub fn of(&self, base: Severity, context: Context, values: &Values) -> Severity {
        let raised: i32 = self
            .raise
            .iter()
            .filter(|raise| raise.contexts.is_empty() || raise.contexts.contains(&context))
            .filter(|raise| raise.when.holds(values))
            .map(|raise| raise.by)
            .sum();
        base.moved(self.shift(context) + raised)
    }
}

/// How a rule is seen in each family.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// TypeScript and JavaScript.
    pub typescript: Option<Detection>,
    /// Rust.
    pub rust: Option<Detection>,
}

/// How a rule is seen in one family.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detection {
    /// Literals by which a file can concern the rule: every group needs one
    /// of its literals (and of ors).
    pub triggers: Vec<Vec<String>>,
    /// A named analysis over the typed tree.
    pub analysis: Option<String>,
    /// A tree-sitter pattern with a capture `@hit`. Beside an analysis it
    /// stands in where there is no typed tree.
    pub query: Option<String>,
    /// Values from a query's matches: `count(@capture)` or `text(@capture)`.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// How sure the query's hits are, `likely` (the default) or `possible`: a
    /// query resolves no names.
    #[serde(default)]
    pub confidence: Option<crate::observe::Confidence>,
    /// The analysis' parameters.
    #[serde(default)]
    pub params: toml::Table,
}

/// The words of a finding; `{name}` stands for a value of the candidate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportText {
    /// One sentence without a full stop.
    pub message: String,
    /// Labels in the snippet; `hit` is the primary place's.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What it costs.
    pub impact: String,
}

/// The words of one patch.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchText {
    /// One line in the imperative.
    pub title: String,
    /// How far it may be trusted.
    pub safety: Safety,
    /// What changes in behaviour.
    pub changes: String,
    /// A user's rule: replacement by capture name, with `{capture}` templates.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// A user's rule: imports to add, as `module: name`.
    #[serde(default)]
    pub imports: Vec<String>,
}

/// A shape of a rule that differs in words or severity.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Instead of the rule's title.
    pub title: Option<String>,
    /// Instead of the rule's message.
    pub message: Option<String>,
    /// Instead of the rule's impact.
    pub impact: Option<String>,
    /// Instead of the rule's label `hit`.
    pub hit: Option<String>,
    /// Instead of the rule's effort.
    pub effort_minutes: Option<u32>,
    /// Instead of the rule's base severity.
    pub severity: Option<Severity>,
    /// Instead of the rule's cure.
    pub cure: Option<String>,
}

/// What positive evidence of a fix looks like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The cure's name.
    #[serde(default)]
    pub cure: String,
    /// What to measure.
    #[serde(default)]
    pub measure: String,
}

/// The manual page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Docs {
    /// Why it costs.
    pub why: String,
    /// When it does not apply.
    pub when_not: String,
    /// Defaults and versions that the rule knows.
    #[serde(default)]
    pub defaults: Vec<String>,
    /// Where the facts come from.
    pub sources: Vec<String>,
}

impl Rule {
    /// The detection for a family.
    pub fn detection(&self, family: Family) -> Option<&Detection> {
        match family {
            Family::TypeScript => self.detect.typescript.as_ref(),
            Family::Rust => self.detect.rust.as_ref(),
        }
    }

    /// True where the rule reads files of `language`.
    pub fn reads(&self, language: Language) -> bool {
        self.languages.iter().any(|name| name == language.rule_name()) && self.detection(language.family()).is_some()
    }

    /// The variant's table, where the variant has one.
    pub fn variant(&self, name: Option<&str>) -> Option<&Variant> {
        self.variant.get(name?)
    }

    /// Title for a variant.
    pub fn title(&self, variant: Option<&str>) -> &str {
        self.variant(variant).and_then(|v| v.title.as_deref()).unwrap_or(&self.title)
    }

    /// Message template for a variant.
    pub fn message(&self, variant: Option<&str>) -> &str {
        self.variant(variant).and_then(|v| v.message.as_deref()).unwrap_or(&self.report.message)
    }

    /// Impact template for a variant.
    pub fn impact(&self, variant: Option<&str>) -> &str {
        self.variant(variant).and_then(|v| v.impact.as_deref()).unwrap_or(&self.report.impact)
    }

    /// Template of the primary label for a variant.
    pub fn hit(&self, variant: Option<&str>) -> Option<&str> {
        let own = self.variant(variant).and_then(|v| v.hit.as_deref());
        own.or_else(|| self.report.labels.get("hit").map(String::as_str))
    }

    /// Effort for a variant, in minutes.
    pub fn effort(&self, variant: Option<&str>) -> u32 {
        self.variant(variant).and_then(|v| v.effort_minutes).unwrap_or(self.effort_minutes)
    }

    /// Base severity for a variant.
    pub fn base(&self, variant: Option<&str>) -> Severity {
        self.variant(variant).and_then(|v| v.severity).unwrap_or(self.severity.base)
    }
}
