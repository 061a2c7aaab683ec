//! What every command over a tree begins with: the walk, the tree, the rules,
//! the settings.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::ConfigArgs;
use crate::command::Failure;
use crate::config::{self, Settings, Source};
use crate::rule::{RuleSet, folder};
use crate::source::Language;
use crate::suppress::{Date, Selector};
use crate::tree::{Disk, Overlay, Tree};
use crate::walk::{self, Options, Walked};

/// A tree that is ready to be scanned.
pub struct Setup {
    /// The files, without excluded ones.
    pub walked: Walked,
    /// Where bytes come from.
    pub tree: Arc<dyn Tree>,
    /// The program's rules and the repository's own.
    pub rules: RuleSet,
    /// Configuration and command line.
    pub settings: Settings,
    /// Worker threads.
    pub threads: usize,
}

impl Setup {
    /// Walks `paths` and loads what counts for them.
    ///
    /// # Errors
    /// [`Failure`] for a path, rule or configuration that cannot be used.
    pub fn of_paths(paths: &[PathBuf], args: &ConfigArgs) -> Result<Self, Failure> {
        let threads = threads(args);
        let walked = walk::walk(&Options { paths: paths.to_vec(), threads })?;
        let tree = disk(&walked.tree_root)?;
        Self::new(walked, Arc::new(tree), args)
    }

    /// Standard input in the place of the file `path`.
    ///
    /// # Errors
    /// [`Failure`] for a path, rule or configuration that cannot be used.
    pub fn of_stdin(path: &Path, args: &ConfigArgs) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
        let walked = walk::stdin(path, bytes.len() as u64)?;
        let place = walked.files.iter().map(|file| (file.path.clone(), bytes.clone())).collect::<BTreeMap<_, _>>();
        let tree = Overlay::new(disk(&walked.tree_root)?, place);
        Self::new(walked, Arc::new(tree), args)
    }

    fn new(mut walked: Walked, tree: Arc<dyn Tree>, args: &ConfigArgs) -> Result<Self, Failure> {
        let rules = rules(&*tree, &walked)?;
        let mut settings = load_settings(&*tree, &walked, &rules, args)?;
        settings.exclude(&mut walked);
        settings.today = args.today.unwrap_or_else(Date::today);
        settings.max_file_size = args.max_file_size.unwrap_or(settings.max_file_size);
        settings.gate.include_tests |= args.include_tests;
        Ok(Self { walked, tree, rules, settings, threads: threads(args) })
    }

    /// Looks for these rules only; for all where there are none.
    ///
    /// # Errors
    /// A rule that there is not.
    pub fn only(&mut self, rules: &[String]) -> Result<(), Failure> {
        for text in rules {
            let selector = Selector::parse(text);
            config::check(&selector, &self.rules)
                .map_err(|unknown| Failure::with_help(unknown.to_string(), unknown.help()))?;
            self.settings.only.push(selector);
        }
        Ok(())
    }

    /// Refuses a scan of `paths` that would say nothing.
    ///
    /// # Errors
    /// Where there is no file or no rule.
    pub fn require_work(&self, paths: &[PathBuf]) -> Result<(), Failure> {
        if self.walked.files.is_empty() {
            if let Some(message) = not_scanned(paths) {
                return Err(Failure::with_help(message, passed_over(&self.walked)));
            }
            let message = format!(
                "nothing to scan in `{}`: no .ts .tsx .mts .cts .js .jsx .mjs .cjs or .rs file",
                self.walked.root_typed
            );
            return Err(Failure::with_help(message, passed_over(&self.walked)));
        }
        if !self.rules.rules.iter().any(|rule| self.settings.may_run(&rule.id)) {
            return Err(Failure::new("every rule is off, so there is nothing to look for"));
        }
        Ok(())
    }
}

fn threads(args: &ConfigArgs) -> usize {
    let given = args.threads.map(usize::from);
    given.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

fn disk(root: &Path) -> Result<Disk, Failure> {
    Disk::new(root).map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", root.display())))
}

/// The program's rules, then those of the tree and of the scan's root.
fn rules(tree: &dyn Tree, walked: &Walked) -> Result<RuleSet, Failure> {
    let mut rules = RuleSet::builtin()?;
    folder::add(&mut rules, tree, &walked.tree_root, folder::FOLDER)?;
    if !walked.prefix.is_empty() {
        let below = format!("{}/{}", walked.prefix, folder::FOLDER);
        folder::add(&mut rules, tree, &walked.tree_root, &below)?;
    }
    Ok(rules)
}

/// The program's rules and those of the tree that `root` (the current folder
/// where not given) lies in, with the tree's root.
///
/// # Errors
/// [`Failure`] for a folder or rule that cannot be used.
pub fn rules_of(root: Option<&Path>) -> Result<(RuleSet, PathBuf), Failure> {
    let folder = root.unwrap_or(Path::new("."));
    let real = std::fs::canonicalize(folder)
        .map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", folder.display())))?;
    let tree_root = walk::tree_root(&real);
    let prefix = walk::relative(&tree_root, &real).unwrap_or_default();
    let walked = Walked { tree_root: tree_root.clone(), prefix, ..Walked::default() };
    let rules = rules(&disk(&tree_root)?, &walked)?;
    Ok((rules, tree_root))
}

fn load_settings(tree: &dyn Tree, walked: &Walked, rules: &RuleSet, args: &ConfigArgs) -> Result<Settings, Failure> {
    let Some(file) = &args.config else {
        let source = if args.no_config { Source::None } else { Source::Nearest };
        return Ok(config::load(tree, walked, rules, source)?);
    };
    if file.is_dir() {
        return Err(Failure::new(format!("`{}` is a folder, and no configuration", file.display())));
    }
    let gone = |_| Failure::new(format!("there is no configuration `{}`", file.display()));
    let real = std::fs::canonicalize(file).map_err(gone)?;
    // A file of the tree may extend others of the tree; one from elsewhere
    // reads from its own folder.
    let inside = walk::relative(&walked.tree_root, &real);
    let folder = real.parent().unwrap_or(&real);
    let elsewhere = disk(folder)?;
    let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let source = match &inside {
        Some(path) => Source::Only { tree, path, outside: false },
        None => Source::Only { tree: &elsewhere, path: name, outside: true },
    };
    Ok(config::load(tree, walked, rules, source)?)
}

/// Where only files were given: the first of them, and why it is not scanned.
fn not_scanned(paths: &[PathBuf]) -> Option<String> {
    let first = paths.first().filter(|_| paths.iter().all(|path| path.is_file()))?;
    let name = first.file_name().unwrap_or_default().to_string_lossy();
    let why = match Language::of_path(&name) {
        // What is passed over has a reason of its own.
        Some(_) => "",
        None if name.contains(".d.") => ": declarations hold no code that runs",
        None => ": its ending is none of .ts .tsx .mts .cts .js .jsx .mjs .cjs .rs",
    };
    let more = if paths.len() > 1 { format!(" and {} more files", paths.len() - 1) } else { String::new() };
    Some(format!("nothing to scan in `{}`{more}{why}", first.display()))
}

/// What the walk passed over, by reason, for an empty scan.
fn passed_over(walked: &Walked) -> Option<String> {
    let mut counts: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for skip in &walked.skipped {
        // The root itself has no path below the root.
        let path = if skip.path.is_empty() { &walked.root_typed } else { &skip.path };
        counts.entry(skip.reason.name()).or_insert((0, path)).0 += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(reason, (count, path))| match count {
            1 => format!("`{path}` ({reason})"),
            _ => format!("`{path}` and {} more ({reason})", count - 1),
        })
        .collect();
    (!parts.is_empty()).then(|| format!("passed over: {}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{SkipReason, Skipped};

    #[test]
    fn a_root_that_is_passed_over_has_a_name() {
        let shut = Skipped { path: String::new(), reason: SkipReason::Unreadable, detail: "permission denied".into() };
        let walked = Walked { root_typed: "s/closed".into(), skipped: vec![shut], ..Walked::default() };
        assert_eq!(passed_over(&walked).unwrap(), "passed over: `s/closed` (unreadable)");
    }
}
