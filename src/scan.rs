//! The flow: walked files to a report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::config::Settings;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::join::{Files, Join, Joined, Open, write};
use crate::map::{Look, Mapped, Mapper};
use crate::report::{Completeness, Report, Skipped};
use crate::rule::RuleSet;
use crate::source::{Language, PathClass};
use crate::tree::Tree;
use crate::walk::{Walked, WalkedFile};

/// Everything that one scan needs.
pub struct Request<'r> {
    /// Where bytes come from; rooted at [`Walked::tree_root`].
    pub tree: Arc<dyn Tree>,
    /// The files.
    pub walked: &'r Walked,
    /// What is looked for.
    pub rules: &'r RuleSet,
    /// What the configuration and the command line say.
    pub settings: &'r Settings,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Called with files done and files in all, from any thread.
    pub progress: &'r (dyn Fn(u64, u64) + Sync),
}

/// Why there is no report at all.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The worker threads could not be started.
    #[error("the worker threads could not be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The rules' literals do not fit one automaton.
    #[error("the rules' triggers are too many: {0}")]
    Triggers(#[from] aho_corasick::BuildError),
    /// The path that `why` asks about is none of the walked files.
    #[error("`{0}` is not among the files that are scanned")]
    NotWalked(String),
}

/// Further rounds for files that answer a need; then it counts as unknown.
const HOPS: usize = 4;

/// The parsers recurse, and an overflow ends the process: on 256 MB (virtual)
/// they bear what [`crate::depth`] lets through.
const STACK_BYTES: usize = 256 << 20;

/// The name that worker threads begin with; a panic on one is caught and
/// reported, so that its message need not be printed.
pub const WORKER: &str = "bizra-map";

/// Files that a thread takes at a time; what it has taken no other helps with.
const SHARE: usize = 8;

/// Scans the walked files.
///
/// # Errors
/// [`ScanError`] where nothing could be scanned at all; what concerns one file
/// is a `skipped` entry of the report.
pub fn scan(request: &Request<'_>) -> Result<Report, ScanError> {
    let workers = workers(request)?;
    let mapped = map_all(request, &workers)?;
    let joined = workers.install(|| mapped.join(request).findings());
    Ok(report(request, &mapped, joined))
}

/// The threads that parse, with stacks for code that is nested deeply.
pub(crate) fn workers(request: &Request<'_>) -> Result<rayon::ThreadPool, ScanError> {
    let name = |index| format!("{WORKER}-{index}");
    let pool = rayon::ThreadPoolBuilder::new();
    Ok(pool.num_threads(request.threads).stack_size(STACK_BYTES).thread_name(name).build()?)
}

/// All files of a scan, mapped, with the facts around them.
pub(crate) struct MappedTree {
    pub(crate) files: Files,
    pub(crate) facts: Facts,
}

impl MappedTree {
    pub(crate) fn join<'j>(&'j self, request: &'j Request<'_>) -> Join<'j> {
        let Request { rules, settings, walked, .. } = request;
        Join {
            files: &self.files,
            facts: &self.facts,
            rules,
            settings,
            prefix: &walked.prefix,
            reached: OnceLock::new(),
            routed: OnceLock::new(),
        }
    }
}

/// Maps the walked files, then, in rounds, those that answer a need.
pub(crate) fn map_all(request: &Request<'_>, workers: &rayon::ThreadPool) -> Result<MappedTree, ScanError> {
    let mapper = Mapper::new(&*request.tree, request.rules, request.settings)?;
    let facts = Facts::new(request.tree.clone(), request.walked.manifests.clone());
    let mut mapped = MappedTree { files: Files::default(), facts };
    workers.install(|| {
        mapped.files.extend(first_round(request, &mapper));
        let mut open = Open::default();
        for _ in 0..HOPS {
            let wanted = mapped.join(request).wanted(&mut open);
            if wanted.is_empty() {
                break;
            }
            mapped.files.extend(further_round(&mapper, wanted));
        }
        mapped.files.read_comments();
    });
    Ok(mapped)
}

fn first_round(request: &Request<'_>, mapper: &Mapper<'_>) -> Vec<Mapped> {
    let total = request.walked.files.len() as u64;
    let done = AtomicU64::new(0);
    // The largest first: one that came last would keep one thread busy alone.
    let mut files: Vec<&WalkedFile> = request.walked.files.iter().collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.size));
    let files = files.into_par_iter().with_max_len(SHARE).map(|file| {
        let mapped = mapper.map(&file.path, file.language, file.class);
        (request.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        mapped
    });
    files.collect()
}

fn further_round(mapper: &Mapper<'_>, wanted: BTreeSet<String>) -> Vec<Mapped> {
    let with_language = wanted.into_iter().filter_map(|path| Some((Language::of_path(&path)?, path)));
    with_language.collect::<Vec<_>>().into_par_iter().map(|(language, path)| mapper.observe(&path, language)).collect()
}

fn report(request: &Request<'_>, mapped: &MappedTree, joined: Joined) -> Report {
    let Walked { root_typed, .. } = request.walked;
    let Joined { mut findings, mut suppressed, hidden, milder, mut notices } = joined;
    let order = |a: &Finding, b: &Finding| {
        let key = |f: &Finding| (std::cmp::Reverse((f.severity, f.priority)), f.place.clone(), f.rule.clone());
        key(a).cmp(&key(b))
    };
    findings.sort_by(order);
    suppressed.sort_by(|a, b| order(&a.finding, &b.finding));
    notices.extend(request.settings.notices.iter().chain(&request.walked.notices).cloned());
    notices.extend(mapped.facts.notices());
    notices.sort_by(|a, b| place_of(a).cmp(&place_of(b)));
    let all = findings.iter().chain(suppressed.iter().map(|s| &s.finding));
    let sources = sources(request, mapped, all);
    let product = mapped.files.iter().filter(|file| file.source.class == PathClass::Product);
    let lines = product.map(|file| u64::from(file.lines)).sum();
    let completeness = completeness(request, mapped);
    let root = root_typed.clone();
    Report { root, findings, suppressed, completeness, notices, hidden, milder, sources, lines }
}

/// The path and the line that a notice begins with, as `path:12: …` or
/// `path: …`, and its text.
fn place_of(notice: &str) -> (&str, u32, &str) {
    let head = notice.split_once(": ").map_or("", |(head, _)| head);
    let with_line = head.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?)));
    let (path, line) = with_line.unwrap_or((head, 0));
    (path, line, notice)
}

fn completeness(request: &Request<'_>, mapped: &MappedTree) -> Completeness {
    let prefix = &request.walked.prefix;
    let count = |look| mapped.files.iter().filter(|file| file.look == look).count() as u32;
    let own = mapped.files.iter().filter_map(|file| {
        let (reason, detail) = file.skipped.clone()?;
        Some(Skipped { path: file.source.path.clone(), reason, detail })
    });
    let all = request.walked.skipped.iter().cloned().chain(own);
    let mut skipped: Vec<Skipped> = all.map(|s| Skipped { path: write::shown(prefix, &s.path), ..s }).collect();
    skipped.sort();
    Completeness {
        complete: !skipped.iter().any(|skipped| skipped.reason.is_loss()),
        files_walked: request.walked.files.len() as u32,
        files_parsed: count(Look::Parsed),
        files_prefiltered: count(Look::Prefiltered),
        skipped,
    }
}

/// The texts of all files that findings point into, by path as shown.
fn sources<'f>(
    request: &Request<'_>,
    mapped: &MappedTree,
    findings: impl Iterator<Item = &'f Finding>,
) -> BTreeMap<String, String> {
    let mut paths = BTreeSet::new();
    for finding in findings {
        paths.insert(finding.place.path.clone());
        let steps = finding.evidence.iter().chain(&finding.labels).chain(&finding.related);
        paths.extend(steps.filter_map(|step| Some(step.place.as_ref()?.path.clone())));
    }
    let with_text = paths.into_iter().filter_map(|path| Some((text_of(request, mapped, &path)?, path)));
    with_text.map(|(text, path)| (path, text)).collect()
}

/// The text behind a path as shown.
pub(crate) fn text_of(request: &Request<'_>, mapped: &MappedTree, shown: &str) -> Option<String> {
    let path = write::behind(&request.walked.prefix, shown);
    let kept = mapped.files.source(&path).map(|source| source.text.clone()).filter(|text| !text.is_empty());
    kept.or_else(|| String::from_utf8(request.tree.read(&path, request.settings.max_file_size).ok()?).ok())
}
