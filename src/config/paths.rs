//! Paths that a configuration names: what none of them leads to is told of, as
//! a wrong letter would otherwise change what counts without a word.

use std::collections::BTreeSet;

use crate::config::{FolderSettings, Pattern, below};
use crate::rule::load::nearest;
use crate::walk::Walked;

/// Globs of overrides that match no file, in words. Only for a configuration
/// whose whole folder was walked can that be said.
pub fn unmatched(config: &str, settings: &FolderSettings, walked: &Walked) -> Vec<String> {
    let covered = |pattern: &Pattern| {
        walked.whole && (walked.prefix == pattern.base || below(&walked.prefix, &pattern.base).is_some())
    };
    let files = || walked.files.iter().map(|file| file.path.as_str());
    // What is passed over has a reason of its own in the report.
    let skipped = || walked.skipped.iter().map(|skipped| skipped.path.as_str());
    let matches = |pattern: &Pattern| files().chain(skipped()).any(|path| pattern.matched(path).is_some());
    let patterns = settings.overrides.iter().flat_map(|entry| &entry.paths);
    let lost = patterns.filter(|pattern| covered(pattern) && !matches(pattern));
    lost.map(|pattern| format!("{config}: the override's path `{}` matches no file", pattern.glob)).collect()
}

/// The folder or file below `base` that `path` (relative to it) may have meant.
pub fn near(path: &str, base: &str, walked: &Walked) -> Option<String> {
    let mut known = BTreeSet::new();
    for file in walked.files.iter().map(|file| file.path.as_str()).chain(walked.manifests.iter().map(String::as_str)) {
        let Some(rest) = below(base, file) else { continue };
        known.extend(rest.match_indices('/').map(|(end, _)| &rest[..end]));
        known.insert(rest);
    }
    nearest(path.trim_start_matches("./").trim_end_matches('/'), known).map(str::to_owned)
}
