//! Where TypeScript and JavaScript imports lead.
//!
//! Relative imports and tsconfig `paths` are `oxc_resolver`'s work, over the
//! [`Tree`] alone. Bare names are looked up first among the tree's own
//! packages, since without node_modules nothing else leads to them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oxc_resolver::{FileMetadata, FileSystem, ResolveError, ResolveOptions, ResolverGeneric, TsconfigDiscovery};
use serde_json::Value;

use super::{Memo, Packages, entry, jsonc, paths};
use crate::source::Language;
use crate::tree::{Kind, ReadError, Tree};

/// The folder that stands for the tree's root in the resolver's paths: what
/// leads above it is not in the tree.
const ROOT: &str = "/tree";

/// Module resolution over a tree.
pub struct Modules {
    packages: Arc<Packages>,
    resolver: ResolverGeneric<TreeFiles>,
    /// Sources of the tree's own packages, by `folder|subpath`.
    entries: Memo<String, Option<String>>,
    /// Where other specifiers lead, by `file|specifier`: each name that a file
    /// imports asks anew, in every round.
    found: Memo<String, Option<String>>,
}

impl Modules {
    /// Resolution in `tree`.
    pub fn new(tree: Arc<dyn Tree>, packages: Arc<Packages>) -> Self {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<String>>();
        let alias = |from: &str, to: &[&str]| (from.to_owned(), words(to));
        let options = ResolveOptions {
            tsconfig: Some(TsconfigDiscovery::Auto),
            extensions: words(&[".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"]),
            extension_alias: vec![
                alias(".js", &[".ts", ".tsx", ".js", ".jsx"]),
                alias(".jsx", &[".tsx", ".jsx"]),
                alias(".mjs", &[".mts", ".mjs"]),
                alias(".cjs", &[".cts", ".cjs"]),
            ],
            condition_names: words(&["source", "development", "node", "import", "require", "default"]),
            // node_modules hold others' code, which is not scanned.
            modules: Vec::new(),
            symlinks: false,
            node_path: false,
            ..ResolveOptions::default()
        };
        let files = TreeFiles { tree: Some(tree), packages: Some(packages.clone()) };
        let resolver = ResolverGeneric::new_with_file_system(files, options);
        Self { packages, resolver, entries: Memo::default(), found: Memo::default() }
    }

    /// The file that `specifier`, written in `from`, leads to.
    pub fn resolve(&self, from: &str, specifier: &str) -> Option<String> {
        if specifier.is_empty() || specifier.starts_with("node:") || specifier.starts_with('/') {
            return None;
        }
        if !specifier.starts_with(['.', '#']) {
            let (name, subpath) = split_package(specifier);
            if let Some(folder) = self.packages.folder_of(from, name) {
                return self.entries.get(&format!("{folder}|{subpath}"), || {
                    entry::source_of(&**self.packages.tree(), &*self.packages.at(&folder)?, subpath)
                });
            }
        }
        self.found.get(&format!("{from}|{specifier}"), || self.look_up(from, specifier))
    }

    /// What the resolver says of a path, or of what a tsconfig maps.
    fn look_up(&self, from: &str, specifier: &str) -> Option<String> {
        let file = format!("{ROOT}/{from}");
        let found = match self.resolver.resolve_file(&file, specifier) {
            // A tsconfig that cannot be used must not hide plain neighbours.
            Err(
                ResolveError::TsconfigNotFound(_) | ResolveError::TsconfigLoadFailed { .. } | ResolveError::Json(_),
            ) if specifier.starts_with('.') => {
                let folder = format!("{ROOT}/{}", paths::folder(from));
                self.resolver.resolve(folder.trim_end_matches('/'), specifier)
            }
            other => other,
        };
        let found = found.ok()?;
        let path = inside(found.path())?;
        let scanned = Language::of_path(&path).is_some() && !path.split('/').any(|part| part == "node_modules");
        scanned.then_some(path)
    }
}

/// `@acme/db/pool` as `@acme/db` and `pool`.
fn split_package(specifier: &str) -> (&str, &str) {
    let slashes = if specifier.starts_with('@') { 1 } else { 0 };
    match specifier.match_indices('/').nth(slashes) {
        Some((at, _)) => (&specifier[..at], specifier[at + 1..].trim_end_matches('/')),
        None => (specifier, ""),
    }
}

/// A path of the resolver as one of the tree.
fn inside(path: &Path) -> Option<String> {
    let below = path.strip_prefix(ROOT).ok()?;
    let mut parts = Vec::new();
    for component in below.components() {
        match component {
            std::path::Component::Normal(part) => parts.push(part.to_str()?),
            std::path::Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

/// The tree as the resolver's file system.
struct TreeFiles {
    tree: Option<Arc<dyn Tree>>,
    packages: Option<Arc<Packages>>,
}

impl TreeFiles {
    fn tree(&self, path: &Path) -> io::Result<(&Arc<dyn Tree>, String)> {
        match (&self.tree, inside(path)) {
            (Some(tree), Some(path)) => Ok((tree, path)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A tsconfig without the bases and references that are not in the tree
    /// (`@tsconfig/node20` lies in node_modules): the resolver would give up
    /// on the whole file. Bases in a workspace's package get their path.
    fn usable_tsconfig(&self, path: &str, text: String) -> String {
        if !text.contains("\"extends\"") && !text.contains("\"references\"") {
            return text;
        }
        let Some(Value::Object(mut json)) = jsonc::parse(&text) else {
            return text;
        };
        let bases: Vec<String> = match json.remove("extends") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let found: Vec<Value> = bases.iter().filter_map(|base| self.base(path, base)).map(Value::String).collect();
        if !found.is_empty() {
            json.insert("extends".to_owned(), Value::Array(found));
        }
        if let Some(Value::Array(references)) = json.get_mut("references") {
            references.retain(|reference| {
                let written = reference.get("path").and_then(Value::as_str);
                written.is_some_and(|written| self.config_at(paths::folder(path), written).is_some())
            });
        }
        Value::Object(json).to_string()
    }

    /// A base configuration as the resolver's absolute path.
    fn base(&self, path: &str, base: &str) -> Option<String> {
        let folder = paths::folder(path);
        let found = if base.starts_with('.') {
            self.config_at(folder, base)?
        } else {
            let (name, subpath) = split_package(base);
            let package = self.packages.as_ref()?.folder_of(path, name)?;
            self.config_at(&package, if subpath.is_empty() { "tsconfig.json" } else { subpath })?
        };
        // One that extends itself would be refused.
        (found != path).then(|| format!("{ROOT}/{found}"))
    }

    /// The tsconfig that `written` in `folder` names: a file with or without
    /// its ending, or a folder.
    fn config_at(&self, folder: &str, written: &str) -> Option<String> {
        let tree = self.tree.as_ref()?;
        let at = paths::join(folder, written)?;
        let tries = [at.clone(), format!("{at}.json"), paths::child(&at, "tsconfig.json")];
        tries.into_iter().find(|path| tree.kind(path) == Some(Kind::File))
    }
}

impl FileSystem for TreeFiles {
    fn new() -> Self {
        Self { tree: None, packages: None }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        /// The resolver reads package.json files only.
        const LIMIT: u64 = 4 << 20;
        let (tree, path) = self.tree(path)?;
        tree.read(&path, LIMIT).map_err(|error| match error {
            ReadError::Io(error) => error,
            _ => io::ErrorKind::NotFound.into(),
        })
    }

    /// The resolver reads tsconfig files only as text.
    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        let (tree, path) = self.tree(path)?;
        let text = tree.read_text(&path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.usable_tsconfig(&path, text))
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        // The folders above the root are there, and hold nothing else.
        if Path::new(ROOT).starts_with(path) {
            return Ok(FileMetadata::new(false, true, false));
        }
        let (tree, path) = self.tree(path)?;
        match tree.kind(&path) {
            Some(Kind::File) => Ok(FileMetadata::new(true, false, false)),
            Some(Kind::Folder) => Ok(FileMetadata::new(false, true, false)),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Links are the tree's business: it follows those that stay inside.
    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.metadata(path)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        Ok(path.to_owned())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
