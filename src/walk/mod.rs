//! Which files: the walk over the paths given, by ignore files and reasons.

mod content;
mod folders;
mod root;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::facts::is_manifest;
use crate::report::{SkipReason, Skipped};
use crate::source::{Language, PathClass};

pub use content::generated_or_minified;
pub use root::{relative, tree_root};

/// The name of the configuration's files.
pub const CONFIG_NAME: &str = "bizra-scan.toml";

/// What to walk.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Files and folders as typed; the current folder where empty.
    pub paths: Vec<PathBuf>,
    /// Threads of the walk; 0 lets the walker choose.
    pub threads: usize,
}

/// One file to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WalkedFile {
    /// Path relative to the tree's root, with `/`.
    pub path: String,
    /// The grammar.
    pub language: Language,
    /// What its path below the scan's root says.
    pub class: PathClass,
    /// Bytes, as the folder says.
    pub size: u64,
}

/// What the walk found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Walked {
    /// The scan's root as typed, for the report.
    pub root_typed: String,
    /// The repository's root (nearest ancestor with `.git`), else the scan's
    /// root; absolute and without links.
    pub tree_root: PathBuf,
    /// The scan's root relative to the tree's root: empty, or `a/b`.
    pub prefix: String,
    /// Files, sorted by path.
    pub files: Vec<WalkedFile>,
    /// What was passed over, by path relative to the tree's root; a folder
    /// once, not each file in it.
    pub skipped: Vec<Skipped>,
    /// `bizra-scan.toml` files below the scan's root, relative to the tree's root.
    pub configs: Vec<String>,
    /// Manifests (see [`is_manifest`]) of the whole tree, relative to its
    /// root: facts may come from beside the scan's root too.
    pub manifests: Vec<String>,
    /// Remarks on ignore files that could not be read.
    pub notices: Vec<String>,
    /// Everything below the scan's root was walked: the one path is a folder.
    pub whole: bool,
}

/// Why there is nothing to walk.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// No such path.
    #[error("no such file or folder: `{0}`")]
    NoSuchPath(String),
    /// It cannot be reached.
    #[error("`{path}` cannot be read: {error}")]
    Unreadable {
        /// The path as typed.
        path: String,
        /// The system's error.
        error: std::io::Error,
    },
    /// Its ending is none that is scanned.
    #[error("`{0}` has no ending that is scanned (.ts .tsx .mts .cts .js .jsx .mjs .cjs .rs)")]
    NotScanned(String),
}

/// Walks the paths. Ignore files (`.gitignore`, `.ignore`, `.bizraignore`)
/// count with or without a repository; the user's own global ones do not, so
/// that one tree gives one report on every machine. Hidden files and folders
/// are left out, save the paths given themselves.
///
/// # Errors
/// [`WalkError`] where a path does not exist or cannot be reached; what is
/// below a path and cannot be read is a `skipped` entry.
pub fn walk(options: &Options) -> Result<Walked, WalkError> {
    let typed = if options.paths.is_empty() { vec![PathBuf::from(".")] } else { options.paths.clone() };
    let given = typed.iter().map(|path| root::given(path)).collect::<Result<Vec<_>, _>>()?;
    let roots = root::roots(&typed, &given);
    let mut starts: Vec<&Path> = given.iter().map(|g| g.real.as_path()).collect();
    starts.sort_unstable();
    starts.dedup();
    let found = Mutex::new(Found::default());
    builder(&starts, &roots.tree, options.threads).build_parallel().run(|| {
        Box::new(|entry| {
            let (item, state) = match entry {
                Ok(entry) => look(&roots, &entry),
                Err(error) => (Item::error(&roots, &error), WalkState::Continue),
            };
            found.lock().unwrap_or_else(PoisonError::into_inner).add(item);
            state
        })
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if starts != [roots.tree.as_path()] {
        found.manifests.extend(manifests(&roots.tree, options.threads));
    }
    let Found { mut files, skipped, configs, manifests, notices } = found;
    // A path given inside another one is met twice.
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(Walked {
        root_typed: roots.typed,
        tree_root: roots.tree,
        prefix: roots.prefix,
        files,
        skipped: skipped.into_iter().collect(),
        configs: configs.into_iter().collect(),
        manifests: manifests.into_iter().collect(),
        notices: notices.into_iter().collect(),
        whole: starts == [roots.scan.as_path()],
    })
}

fn builder(starts: &[&Path], tree: &Path, threads: usize) -> WalkBuilder {
    let mut builder = WalkBuilder::new(starts.first().unwrap_or(&tree));
    for start in starts.iter().skip(1) {
        builder.add(start);
    }
    builder
        .require_git(false)
        .git_global(false)
        .git_exclude(false)
        // Ignore files above the tree are not the tree's.
        .parents(starts != [tree])
        .follow_links(false)
        .threads(threads)
        .add_custom_ignore_filename(".bizraignore");
    builder
}

/// The manifests of the whole tree, where the scan's root is only a part of it.
fn manifests(tree: &Path, threads: usize) -> BTreeSet<String> {
    let found = Mutex::new(BTreeSet::new());
    builder(&[tree], tree, threads).build_parallel().run(|| {
        Box::new(|entry| {
            let Ok(entry) = entry else { return WalkState::Continue };
            let name = entry.file_name().to_string_lossy();
            let is = |test: fn(&std::fs::FileType) -> bool| entry.file_type().as_ref().is_some_and(test);
            if is(std::fs::FileType::is_dir) && entry.depth() > 0 && folders::folder(entry.path(), &name).is_some() {
                return WalkState::Skip;
            }
            if is(std::fs::FileType::is_file)
                && is_manifest(&name)
                && let Some(path) = relative(tree, entry.path())
            {
                found.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
            }
            WalkState::Continue
        })
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The walk of one file that need not exist: text on standard input that is
/// to be scanned as if it lay at `path`. Facts come from the tree around it.
///
/// # Errors
/// [`WalkError`] where no folder above `path` exists, or its ending is none
/// that is scanned.
pub fn stdin(path: &Path, size: u64) -> Result<Walked, WalkError> {
    let typed = path.display().to_string();
    let here = std::env::current_dir().map_err(|error| WalkError::Unreadable { path: ".".to_owned(), error })?;
    let full = here.join(path);
    let name = full.file_name().ok_or_else(|| WalkError::NoSuchPath(typed.clone()))?;
    // The file's folder may not exist yet either.
    let above = full.ancestors().skip(1).find(|folder| folder.is_dir());
    let folder = std::fs::canonicalize(above.ok_or_else(|| WalkError::NoSuchPath(typed.clone()))?)
        .map_err(|error| WalkError::Unreadable { path: typed.clone(), error })?;
    let missing = above.and_then(|above| full.parent()?.strip_prefix(above).ok()).unwrap_or(Path::new(""));
    let scan = folder.join(missing);
    let tree_root = tree_root(&folder);
    let not_text = || WalkError::NotScanned(typed.clone());
    let prefix = relative(&tree_root, &scan).ok_or_else(not_text)?;
    let name = name.to_str().ok_or_else(not_text)?;
    let language = Language::of_path(name).ok_or_else(not_text)?;
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
    let root_typed = Path::new(&typed).parent().map(|p| p.display().to_string()).filter(|p| !p.is_empty());
    let file = WalkedFile { path, language, class: PathClass::of_path(name), size };
    let root_typed = root_typed.unwrap_or_else(|| ".".to_owned());
    let manifests = manifests(&tree_root, 0).into_iter().collect();
    Ok(Walked { root_typed, tree_root, prefix, files: vec![file], manifests, ..Walked::default() })
}

#[derive(Default)]
struct Found {
    files: Vec<WalkedFile>,
    skipped: BTreeSet<Skipped>,
    configs: BTreeSet<String>,
    manifests: BTreeSet<String>,
    notices: BTreeSet<String>,
}

impl Found {
    fn add(&mut self, item: Item) {
        match item {
            Item::File(file) => self.files.push(file),
            Item::Skipped(skipped) => {
                self.skipped.insert(skipped);
            }
            Item::Config(path) => {
                self.configs.insert(path);
            }
            Item::Manifest(path) => {
                self.manifests.insert(path);
            }
            Item::Notice(text) => {
                self.notices.insert(text);
            }
            Item::Nothing => {}
        }
    }
}

/// What one entry of the walk is to the scan.
enum Item {
    File(WalkedFile),
    Skipped(Skipped),
    Config(String),
    Manifest(String),
    Notice(String),
    Nothing,
}

impl Item {
    fn skipped(path: String, reason: SkipReason, detail: impl Into<String>) -> Self {
        Self::Skipped(Skipped { path, reason, detail: detail.into() })
    }

    /// A folder or file that the walk could not enter, or an ignore file with
    /// a pattern that means nothing.
    fn error(roots: &root::Roots, error: &ignore::Error) -> Self {
        let (path, inner) = unwrap_error(error);
        let Some(path) = path.and_then(|path| relative(&roots.tree, path)) else {
            return Self::Notice(inner.to_string());
        };
        match inner.io_error() {
            // Gone between the listing and the look.
            Some(io) if io.kind() == std::io::ErrorKind::NotFound => Self::Nothing,
            Some(io) => Self::skipped(path, SkipReason::Unreadable, io_words(io)),
            None => Self::Notice(format!("{path}: {inner}")),
        }
    }
}

fn unwrap_error(error: &ignore::Error) -> (Option<&Path>, &ignore::Error) {
    match error {
        ignore::Error::WithPath { path, err } => (Some(unwrap_error(err).0.unwrap_or(path)), unwrap_error(err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => unwrap_error(err),
        ignore::Error::Partial(all) => all.first().map_or((None, error), unwrap_error),
        other => (None, other),
    }
}

/// The system's words, without the number that differs between systems.
fn io_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

fn look(roots: &root::Roots, entry: &DirEntry) -> (Item, WalkState) {
    let item = |item| (item, WalkState::Continue);
    let (Some(kind), Some(name)) = (entry.file_type(), entry.path().file_name()) else { return item(Item::Nothing) };
    let name = name.to_string_lossy();
    let Some(path) = relative(&roots.tree, entry.path()) else {
        let wanted = kind.is_dir() || Language::of_path(&name).is_some();
        let lossy = entry.path().strip_prefix(&roots.tree).unwrap_or(entry.path()).to_string_lossy().into_owned();
        let unreadable = Item::skipped(lossy, SkipReason::Unreadable, "its name is not UTF-8");
        return if wanted { (unreadable, WalkState::Skip) } else { item(Item::Nothing) };
    };
    let below = relative(&roots.scan, entry.path()).unwrap_or_default();
    if kind.is_dir() {
        return match folders::folder(entry.path(), &name) {
            Some((reason, detail)) if entry.depth() > 0 => (Item::skipped(path, reason, detail), WalkState::Skip),
            _ => item(Item::Nothing),
        };
    }
    if kind.is_symlink() {
        return item(link(roots, entry.path(), path, &name));
    }
    if !kind.is_file() {
        return item(Item::skipped(path, SkipReason::NotAFile, "a pipe, socket or device"));
    }
    if name == CONFIG_NAME {
        return item(Item::Config(path));
    }
    if is_manifest(&name) {
        return item(Item::Manifest(path));
    }
    let Some(language) = Language::of_path(&name) else { return item(Item::Nothing) };
    if let Some((reason, detail)) = folders::file(&name) {
        return item(Item::skipped(path, reason, detail));
    }
    let size = entry.metadata().map_or(0, |meta| meta.len());
    item(Item::File(WalkedFile { path, language, class: PathClass::of_path(&below), size }))
}

/// A link is named, never followed: what it leads to inside the tree is
/// looked at in its own place, and what lies outside is not the tree's.
fn link(roots: &root::Roots, full: &Path, path: String, name: &str) -> Item {
    let wanted = Language::of_path(name).is_some();
    let detail = match std::fs::canonicalize(full) {
        Ok(real) if !real.starts_with(&roots.tree) => "leads out of the root",
        Ok(real) if full.starts_with(&real) => "leads back to a folder above it",
        Ok(real) if real.is_dir() || wanted => "its target is looked at in its own place",
        Ok(_) => return Item::Nothing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !wanted => return Item::Nothing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "leads nowhere",
        // The system gives up on links that lead to each other.
        Err(_) => "leads in a circle",
    };
    // A link out to something that is no code loses nothing.
    if !wanted && detail == "leads out of the root" && !full.is_dir() {
        return Item::Nothing;
    }
    Item::skipped(path, SkipReason::Link, detail)
}
