//! Fixtures of the program's rules, laid over `fixtures/_project` and scanned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bizra_scan::config::{Gate, Settings};
use bizra_scan::facts::is_manifest;
use bizra_scan::finding::{Finding, Severity};
use bizra_scan::map::Mapper;
use bizra_scan::observe::{Confidence, FileMap};
use bizra_scan::patch::apply;
use bizra_scan::report::Report;
use bizra_scan::rule::fixture::{self, Marked};
use bizra_scan::rule::{Rule, RuleSet, folder};
use bizra_scan::scan::{Request, scan};
use bizra_scan::source::{Family, Language, PathClass};
use bizra_scan::tree::{Disk, Overlay, Tree};
use bizra_scan::walk::{Walked, WalkedFile};

/// Endings of fixtures.
const ENDINGS: &[&str] = &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "rs"];

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One fixture file of a rule.
#[derive(Clone)]
pub struct Fixture {
    /// `bad.ts`, or `bad_many/a.ts` in a folder fixture.
    pub name: String,
    /// As it lies on disk.
    pub written: String,
    /// Without its marks.
    pub marked: Marked,
    /// Where it is laid.
    pub path: String,
    /// Its grammar.
    pub language: Language,
}

impl Fixture {
    /// `bad`, `good`, `fixed`, `bad_likely` …
    pub fn stem(&self) -> &str {
        self.name.split(['.', '/']).next().unwrap_or_default()
    }

    /// True for the fixtures that fire.
    pub fn is_bad(&self) -> bool {
        self.stem() == "bad" || self.stem().starts_with("bad_")
    }

    /// True for the fixtures that are silent.
    pub fn is_good(&self) -> bool {
        self.stem() == "good" || self.stem().starts_with("good_")
    }
}

/// The fixtures of a rule, sorted; those of one folder stand together.
pub fn of_rule(rule: &Rule) -> BTreeMap<String, Vec<Fixture>> {
    let below = format!("fixtures/{}/{}", rule.category, rule.id);
    let mut all: BTreeMap<String, Vec<Fixture>> = BTreeMap::new();
    for path in folder::files(root(), &below, ENDINGS) {
        let name = path[below.len() + 1..].to_owned();
        let written = std::fs::read_to_string(root().join(&path)).expect("a readable fixture");
        let marked = fixture::read(&written);
        let (group, inner) = match name.split_once('/') {
            Some((folder, inner)) => (folder.to_owned(), inner.to_owned()),
            None => (name.clone(), name.clone()),
        };
        let path = marked.path.clone().unwrap_or_else(|| format!("src/{inner}"));
        let language = Language::of_path(&path).expect("a scanned ending");
        all.entry(group).or_default().push(Fixture { name, written, marked, path, language });
    }
    all
}

/// A fixture (its files by path, with their texts) as a tree to scan.
pub struct Laid {
    tree: Arc<dyn Tree>,
    walked: Walked,
}

/// Lays texts over the project of their family.
pub fn lay(files: &[(String, Language, String)]) -> Laid {
    let rust = files.iter().any(|(_, language, _)| language.family() == Family::Rust);
    let project = root().join("fixtures/_project").join(if rust { "rust" } else { "node" });
    let manifests: BTreeSet<String> = walkdir::WalkDir::new(&project)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some(entry.path().strip_prefix(&project).ok()?.to_str()?.replace('\\', "/")))
        .filter(|path| is_manifest(path))
        .collect();
    let over = files.iter().map(|(path, _, text)| (path.clone(), text.clone().into_bytes())).collect();
    let disk = Disk::new(&project).expect("the project is there");
    let mut walked_files: Vec<WalkedFile> = files
        .iter()
        .map(|(path, language, text)| WalkedFile {
            path: path.clone(),
            language: *language,
            class: PathClass::of_path(path),
            size: text.len() as u64,
        })
        .collect();
    walked_files.sort_by(|a, b| a.path.cmp(&b.path));
    let walked = Walked {
        root_typed: ".".to_owned(),
        tree_root: PathBuf::from("."),
        files: walked_files,
        manifests: manifests.into_iter().collect(),
        ..Walked::default()
    };
    Laid { tree: Arc::new(Overlay::new(disk, over)), walked }
}

/// Settings that show everything but tests.
pub fn everything() -> Settings {
    let gate = Gate { min_severity: Severity::Low, min_confidence: Confidence::Possible, ..Gate::default() };
    Settings { gate, ..Settings::default() }
}

impl Laid {
    /// The report of a scan by `rules`.
    pub fn scan(&self, rules: &RuleSet) -> Report {
        let settings = everything();
        scan(&self.request(rules, &settings)).expect("a report")
    }

    /// The request of a scan.
    pub fn request<'r>(&'r self, rules: &'r RuleSet, settings: &'r Settings) -> Request<'r> {
        let Self { tree, walked } = self;
        Request { tree: tree.clone(), walked, rules, settings, threads: 1, progress: &|_, _| {} }
    }

    /// The maps of the files, before the join.
    pub fn maps(&self, rules: &RuleSet) -> Vec<FileMap> {
        let settings = everything();
        let mapper = Mapper::new(&*self.tree, rules, &settings).expect("a mapper");
        self.walked.files.iter().map(|file| mapper.map(&file.path, file.language, file.class).map).collect()
    }
}

/// Lays the files of a fixture as they are, marks blanked.
pub fn lay_fixture(files: &[Fixture]) -> Laid {
    let files: Vec<_> = files.iter().map(|f| (f.path.clone(), f.language, f.marked.text.clone())).collect();
    lay(&files)
}

/// The 1-based line of a byte.
pub fn line(text: &str, byte: u32) -> u32 {
    text.as_bytes()[..byte as usize].iter().filter(|&&b| b == b'\n').count() as u32 + 1
}

/// The text after its patches are applied until none is left: those that
/// touch the same bytes wait for the next pass.
pub fn patched(rules: &RuleSet, rule: &str, fixture: &Fixture) -> Result<String, String> {
    let mut text = fixture.marked.text.clone();
    for _ in 0..10 {
        let laid = lay(&[(fixture.path.clone(), fixture.language, text.clone())]);
        let report = laid.scan(rules);
        let mut chosen: Vec<(bizra_scan::source::Span, String)> = Vec::new();
        for finding in report.findings.iter().filter(|finding| finding.rule == rule) {
            let Some(patch) = &finding.patch else { continue };
            let with: Vec<_> =
                chosen.iter().cloned().chain(patch.edits.iter().map(|edit| (edit.span, edit.text.clone()))).collect();
            if apply(&text, with.iter().map(|(span, text)| (*span, text.as_str()))).is_ok() {
                chosen = with;
            }
        }
        if chosen.is_empty() {
            return Ok(text);
        }
        text = apply(&text, chosen.iter().map(|(span, text)| (*span, text.as_str()))).map_err(|e| e.to_string())?;
    }
    Err("patches go on after ten passes".to_owned())
}

/// Findings of at least `likely`, which are those that are shown.
pub fn shown(report: &Report) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(|finding| finding.confidence >= Confidence::Likely)
}
