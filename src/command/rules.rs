//! `bizra-scan rules list|new|test`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::cli::{Display, ListFormat, RuleLanguage, RulesArgs, RulesCommand};
use crate::command::explain::UnknownRule;
use crate::command::{Exit, Failure, output, setup};
use crate::config::{Gate, Settings};
use crate::finding::{Finding, Severity};
use crate::observe::Confidence;
use crate::report::SkipReason;
use crate::rule::fixture::{self, Mark, Marked};
use crate::rule::{Rule, RuleSet, folder};
use crate::scan::{Request, ScanError, scan};
use crate::source::{Language, PathClass, SourceFile, visible};
use crate::tree::{Disk, Overlay, Tree};
use crate::walk::{Walked, WalkedFile};

/// Lists, starts or tests rules.
///
/// # Errors
/// A rule that there is not, or that breaks the format.
pub fn run(args: &RulesArgs, _display: &Display) -> Result<Exit, Failure> {
    match &args.command {
        RulesCommand::List { format, root } => {
            let (rules, _) = setup::rules_of(root.as_deref())?;
            output::to_stdout(|out| list(&rules, *format, out))?;
            Ok(Exit::Passed)
        }
        RulesCommand::New { id, language, root } => {
            let (rules, root) = setup::rules_of(root.as_deref())?;
            let mut said = Vec::new();
            new(&rules, &root, id, *language, &mut said).map_err(Failure::from_diagnostic)?;
            output::to_stdout(|out| out.write_all(&said))?;
            Ok(Exit::Passed)
        }
        RulesCommand::Test { ids, root } => {
            let (rules, root) = setup::rules_of(root.as_deref())?;
            let mut said = Vec::new();
            let hold = test(&rules, &root, ids, &mut said).map_err(Failure::from_diagnostic)?;
            output::to_stdout(|out| out.write_all(&said))?;
            Ok(if hold { Exit::Passed } else { Exit::GateFailed })
        }
    }
}

#[derive(Serialize)]
struct Listed<'r> {
    id: &'r str,
    title: &'r str,
    category: &'r str,
    severity: Severity,
    languages: &'r [String],
    variants: Vec<&'r str>,
    patches: Vec<&'r str>,
    origin: &'r str,
}

/// Lists the rules in the order of their ids.
///
/// # Errors
/// The writer's own.
pub fn list(rules: &RuleSet, format: ListFormat, out: &mut dyn Write) -> io::Result<()> {
    let listed: Vec<Listed<'_>> = rules.rules.iter().map(listed).collect();
    if format == ListFormat::Json {
        serde_json::to_writer_pretty(&mut *out, &listed)?;
        return writeln!(out);
    }
    let ids = listed.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let categories = listed.iter().map(|rule| visible(rule.category).len()).max().unwrap_or(0);
    for rule in &listed {
        let origin = if rule.origin == "builtin" { "" } else { "  (your own)" };
        let severity = rule.severity.name();
        let (id, category, title) = (rule.id, visible(rule.category), visible(rule.title));
        writeln!(out, "{id:ids$}  {severity:8}  {category:categories$}  {title}{origin}")?;
    }
    Ok(())
}

fn listed(rule: &Rule) -> Listed<'_> {
    Listed {
        id: &rule.id,
        title: &rule.title,
        category: &rule.category,
        severity: rule.severity.base,
        languages: &rule.languages,
        variants: rule.variant.keys().map(String::as_str).collect(),
        patches: rule.patch.values().map(|patch| patch.title.as_str()).collect(),
        origin: &rule.origin,
    }
}

/// Why a new rule was not written, or rules could not be tested.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RulesError {
    /// The id is not made of a-z, 0-9 and `-`.
    #[error("`{0}` is no id: an id is made of a-z, 0-9 and `-`")]
    NoId(String),
    /// A rule of this id is there.
    #[error("the id `{id}` is taken by {by}")]
    Taken {
        /// The id.
        id: String,
        /// `builtin`, or a path.
        by: String,
    },
    /// No rule has this id.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unknown(#[from] UnknownRule),
    /// The rule is the program's own.
    #[error("`{0}` is a built-in rule; only those of {folder} have examples to run here", folder = folder::FOLDER)]
    BuiltIn(String),
    /// The scan of a fixture did not start.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// The system's error.
        error: io::Error,
    },
    /// The output could not be written.
    #[error(transparent)]
    Out(#[from] io::Error),
}

/// Writes a template rule and its fixtures below `root`'s `.bizra/rules`, and
/// says what it wrote.
///
/// # Errors
/// [`RulesError`] where the id is malformed or taken, or a file is there or
/// cannot be written.
pub fn new(
    rules: &RuleSet,
    root: &Path,
    id: &str,
    language: RuleLanguage,
    out: &mut dyn Write,
) -> Result<(), RulesError> {
    let well_formed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.starts_with('-') || !id.chars().all(well_formed) {
        return Err(RulesError::NoId(id.to_owned()));
    }
    if let Some(rule) = rules.get(id) {
        return Err(RulesError::Taken { id: id.to_owned(), by: rule.origin.clone() });
    }
    let (template, ending, bad, good, fixed) = match language {
        RuleLanguage::Typescript => (
            include_str!("template/typescript.toml"),
            "ts",
            include_str!("template/bad.ts.txt"),
            include_str!("template/good.ts.txt"),
            include_str!("template/fixed.ts.txt"),
        ),
        RuleLanguage::Rust => (
            include_str!("template/rust.toml"),
            "rs",
            include_str!("template/bad.rs.txt"),
            include_str!("template/good.rs.txt"),
            include_str!("template/fixed.rs.txt"),
        ),
    };
    let folder = folder::FOLDER;
    let files = [
        (format!("{folder}/{id}.toml"), template),
        (format!("{folder}/{id}/bad.{ending}"), bad),
        (format!("{folder}/{id}/good.{ending}"), good),
        (format!("{folder}/{id}/fixed.{ending}"), fixed),
    ];
    for (path, text) in files {
        let full = root.join(&path);
        let failed = |error| RulesError::Io { path: path.clone(), error };
        if let Some(folder) = full.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = std::fs::File::create_new(&full).map_err(failed)?;
        file.write_all(text.replace("RULE-ID", id).as_bytes()).map_err(failed)?;
        writeln!(out, "wrote {path}")?;
    }
    writeln!(out, "try it with `bizra-scan rules test {id}`")?;
    Ok(())
}

/// Runs the fixtures of users' rules (of some where `ids` are given): `bad.*`
/// fires exactly at its marks, `good.*` is silent, and `bad.*` patched is
/// `fixed.*`. True where all of that holds.
///
/// # Errors
/// [`RulesError`] where there is no such rule, or a fixture cannot be read.
pub fn test(rules: &RuleSet, root: &Path, ids: &[String], out: &mut dyn Write) -> Result<bool, RulesError> {
    if let Some(unknown) = ids.iter().find(|id| rules.get(id).is_none()) {
        return Err(UnknownRule::new(rules, unknown).into());
    }
    if let Some(builtin) = ids.iter().find(|id| rules.get(id).is_some_and(|rule| rule.origin == "builtin")) {
        return Err(RulesError::BuiltIn(builtin.clone()));
    }
    let asked = |rule: &&Rule| if ids.is_empty() { rule.origin != "builtin" } else { ids.contains(&rule.id) };
    let own = rules.rules.iter().filter(asked);
    let own: Vec<&Rule> = own.collect();
    if own.is_empty() {
        writeln!(out, "there are no rules in {}; `bizra-scan rules new <id>` writes one", folder::FOLDER)?;
        return Ok(true);
    }
    let disk = Disk::new(root).map_err(|error| RulesError::Io { path: root.display().to_string(), error })?;
    let tree: Arc<Disk> = Arc::new(disk);
    let mut all_hold = true;
    for rule in own {
        let faults = faults(rules, rule, root, &tree)?;
        all_hold &= faults.is_empty();
        writeln!(out, "{} {}", if faults.is_empty() { "ok    " } else { "FAILED" }, rule.id)?;
        for fault in faults {
            writeln!(out, "         {fault}")?;
        }
    }
    Ok(all_hold)
}

fn faults(rules: &RuleSet, rule: &Rule, root: &Path, tree: &Arc<Disk>) -> Result<Vec<String>, RulesError> {
    let folder = rule.origin.strip_suffix(".toml").unwrap_or(&rule.origin);
    let paths = folder::files(root, folder, &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "rs"]);
    let alone = RuleSet { rules: vec![rule.clone()], common: rules.common.clone() };
    let mut faults = Vec::new();
    let mut bad_seen = false;
    for path in &paths {
        let name = path.rsplit('/').next().unwrap_or(path);
        let Some(text) = tree.read_text(path) else {
            faults.push(format!("{name} cannot be read"));
            continue;
        };
        let marked = fixture::read(&text);
        let (findings, unparsed) = findings(&alone, tree, path, &marked)?;
        faults.extend(unparsed.map(|detail| format!("{name} was not looked at: {detail}")));
        faults.extend(differences(name, &marked.text, &marked.marks, &findings));
        let Some(ending) = name.strip_prefix("bad.") else { continue };
        bad_seen = true;
        if marked.marks.is_empty() {
            faults.push(format!("{name} holds no `// expect: {}`", rule.id));
        }
        let fixed = format!("{folder}/fixed.{ending}");
        if let Some(fixed) = tree.read_text(&fixed) {
            match patched(&marked.text, &findings) {
                Ok(text) if fixture::comparable(&text) == fixture::comparable(&fixture::read(&fixed).text) => {}
                Ok(text) => {
                    let diff = crate::patch::unified_diff(&format!("fixed.{ending}"), &fixed, &text);
                    faults.push(format!("{name} patched is not fixed.{ending}:\n{diff}"));
                }
                Err(error) => faults.push(format!("the patches of {name} cannot be applied: {error}")),
            }
        }
    }
    if !bad_seen {
        faults.push(format!("there is no {folder}/bad.*"));
    }
    Ok(faults)
}

/// The findings of a fixture as if it lay in the product's code.
fn findings(
    rules: &RuleSet,
    tree: &Arc<Disk>,
    path: &str,
    marked: &Marked,
) -> Result<(Vec<Finding>, Option<String>), RulesError> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let place = marked.path.clone().unwrap_or_else(|| format!("src/{name}"));
    let Some(language) = Language::of_path(&place) else {
        return Ok((Vec::new(), Some(format!("`{place}` has no ending that is scanned"))));
    };
    let over = BTreeMap::from([(place.clone(), marked.text.clone().into_bytes())]);
    let file = WalkedFile { path: place, language, class: PathClass::Product, size: marked.text.len() as u64 };
    let walked = Walked {
        root_typed: ".".to_owned(),
        tree_root: tree.root().to_path_buf(),
        files: vec![file],
        ..Walked::default()
    };
    let gate = Gate { min_severity: Severity::Low, min_confidence: Confidence::Possible, ..Gate::default() };
    let settings = Settings { gate, ..Settings::default() };
    let request = Request {
        tree: Arc::new(Overlay::new(Disk::clone(tree), over)),
        walked: &walked,
        rules,
        settings: &settings,
        threads: 1,
        progress: &|_, _| {},
    };
    let report = scan(&request)?;
    let lost = report.completeness.skipped.iter().find(|skipped| skipped.reason != SkipReason::Unparsed);
    Ok((report.findings, lost.map(|skipped| format!("{} ({})", skipped.reason.name(), skipped.detail))))
}

/// Marks without a finding, and findings without a mark.
fn differences(name: &str, text: &str, marks: &[Mark], findings: &[Finding]) -> Vec<String> {
    let source = SourceFile::new(name, Language::TypeScript, PathClass::Product, text.to_owned());
    let line = |finding: &Finding| source.position(finding.place.span.start).line;
    let fits = |mark: &Mark, finding: &Finding| {
        mark.line == line(finding)
            && mark.rule == finding.rule
            && (mark.variant.is_none() || mark.variant == finding.variant)
            && mark.confidence.is_none_or(|confidence| confidence == finding.confidence)
    };
    let silent = marks.iter().filter(|mark| !findings.iter().any(|finding| fits(mark, finding)));
    let unmarked = findings.iter().filter(|finding| !marks.iter().any(|mark| fits(mark, finding)));
    silent
        .map(|mark| format!("{name}:{}: expected {}, found nothing", mark.line, mark.rule))
        .chain(unmarked.map(|finding| {
            let confidence = format!("{:?}", finding.confidence).to_lowercase();
            format!("{name}:{}: found {} ({confidence}) without a mark", line(finding), finding.rule)
        }))
        .collect()
}

fn patched(text: &str, findings: &[Finding]) -> Result<String, crate::patch::ApplyError> {
    let edits = findings.iter().filter_map(|finding| finding.patch.as_ref()).flat_map(|patch| &patch.edits);
    crate::patch::apply(text, edits.map(|edit| (edit.span, edit.text.as_str())))
}
