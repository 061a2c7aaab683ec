//! Users' rules: `.bizra/rules/**.toml` of the scanned tree.

use std::path::Path;

use walkdir::WalkDir;

use crate::rule::load::{RuleError, RuleSet};
use crate::tree::Tree;

/// Where users' rules lie, below the tree's or the scan's root.
pub const FOLDER: &str = ".bizra/rules";

/// Why the users' rules could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A rule breaks the format.
    #[error(transparent)]
    Rule(#[from] Box<RuleError>),
    /// A rule's file cannot be read as text.
    #[error("`{0}` cannot be read as text")]
    Unreadable(String),
}

/// Adds the rules below `folder` (relative to the tree's root) to `set`, in the
/// order of their paths, and says how many there were. `root` is where the tree
/// lies on disk; the files are listed there and read through `tree`. Links are
/// not followed.
///
/// # Errors
/// [`FolderError`] for the first rule that cannot be used.
pub fn add(set: &mut RuleSet, tree: &dyn Tree, root: &Path, folder: &str) -> Result<usize, FolderError> {
    let mut count = 0;
    for path in files(root, folder, &["toml"]) {
        let text = tree.read_text(&path).ok_or_else(|| FolderError::Unreadable(path.clone()))?;
        set.add(&path, &text, false)?;
        count += 1;
    }
    Ok(count)
}

/// The files below `folder` (relative to `root`) with one of the endings,
/// relative to `root` with `/`, sorted. Links are not followed.
pub fn files(root: &Path, folder: &str, endings: &[&str]) -> Vec<String> {
    let entries = WalkDir::new(root.join(folder)).follow_links(false);
    let mut found: Vec<String> = entries
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| entry.path().extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)))
        .map(|entry| entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().replace('\\', "/"))
        .collect();
    found.sort();
    found
}
