//! What the repository around the code says: packages, lockfiles, the Node
//! floor, where an import leads, crates and their features.
//!
//! Everything is read through the [`Tree`], once, when it is first asked for;
//! the answers are kept by folder. Nothing here runs a tool of the repository.

pub mod crate_paths;
pub mod crates;
pub mod entry;
pub mod jsonc;
pub mod lockfile;
pub mod mentions;
pub mod node;
pub mod packages;
pub mod paths;
pub mod resolve;
pub mod roles;
pub mod version;
pub mod windows;

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustc_hash::FxHashMap;

pub use crates::{CrateInfo, Crates};
pub use lockfile::Lockfiles;
pub use node::{Floor, NodeFloor, Tier};
pub use packages::{Package, Packages};
pub use resolve::Modules;
pub use roles::Role;
pub use version::{Installed, Version};

use crate::source::{Family, Language};
use crate::tree::Tree;

/// The facts of one tree. Shared by all threads of a scan.
pub struct Facts {
    /// package.json files and workspaces.
    pub packages: Arc<Packages>,
    /// Where TypeScript and JavaScript imports lead.
    pub modules: Modules,
    /// Cargo.toml and Cargo.lock.
    pub crates: Crates,
    lockfiles: Lockfiles,
    node: NodeFloor,
    notices: Arc<Notices>,
    tree: Arc<dyn Tree>,
}

impl Facts {
    /// The facts of `tree`. `manifests` are the paths that [`is_manifest`]
    /// names, as far as the walk met them; without them, what lies on the way
    /// up from a file is still found, and workspaces are not.
    pub fn new(tree: Arc<dyn Tree>, manifests: Vec<String>) -> Self {
        let notices = Arc::new(Notices::default());
        let mut manifests = manifests;
        manifests.sort();
        manifests.dedup();
        let manifests = Arc::new(manifests);
        let packages = Arc::new(Packages::new(tree.clone(), manifests.clone(), notices.clone()));
        Self {
            modules: Modules::new(tree.clone(), packages.clone()),
            crates: Crates::new(tree.clone(), manifests.clone(), notices.clone()),
            lockfiles: Lockfiles::new(tree.clone(), packages.clone()),
            node: NodeFloor::new(tree.clone(), packages.clone(), manifests),
            packages,
            notices,
            tree,
        }
    }

    /// The file that `specifier`, written in `from`, leads to: a path of the
    /// tree in a scanned language. `None` for packages of others, and where
    /// nothing is there.
    ///
    /// For Rust, `specifier` is the path of a module (`crate::db::users`).
    pub fn resolve(&self, from: &str, specifier: &str) -> Option<String> {
        match family(from)? {
            Family::TypeScript => self.modules.resolve(from, specifier),
            Family::Rust => {
                let segments: Vec<&str> = specifier.split("::").filter(|s| !s.is_empty()).collect();
                self.crates.resolve(from, &segments)
            }
        }
    }

    /// The lowest Node version that the package of `path` runs on.
    pub fn node_floor(&self, path: &str) -> Floor {
        self.node.floor(path)
    }

    /// True where the package.json or Cargo.toml of `path` names `package` as
    /// a dependency.
    pub fn depends_on(&self, path: &str, package: &str) -> bool {
        match family(path) {
            Some(Family::Rust) => self.crates.depends_on(path, package),
            _ => self.packages.declaring(path, package).is_some(),
        }
    }

    /// The version of the dependency `package` that code at `path` runs with:
    /// the lockfile's, else the lowest of the declared range.
    pub fn dependency_version(&self, path: &str, package: &str) -> Option<Installed> {
        match family(path) {
            Some(Family::Rust) => self.crates.dependency_version(path, package),
            _ => self.lockfiles.dependency_version(path, package),
        }
    }

    /// True where the package of `path` installs a command and is no server of
    /// its own.
    pub fn is_command(&self, path: &str) -> bool {
        match family(path) {
            Some(Family::Rust) => self.crates.info(path).is_some_and(|c| c.role == Role::Cli),
            _ => self.packages.nearest(path).is_some_and(|p| p.is_command()),
        }
    }

    /// True where the package of `path` is a tool that people start, though it
    /// may hold a server of its own, or its crate a program that reads its
    /// command line and serves nobody.
    pub fn is_tool(&self, path: &str) -> bool {
        match family(path) {
            Some(Family::Rust) => self.is_command(path),
            _ => self.packages.nearest(path).is_some_and(|p| p.is_tool()),
        }
    }

    /// True where the package of `path` is published for others to use.
    pub fn is_library(&self, path: &str) -> bool {
        match family(path) {
            Some(Family::Rust) => {
                let library = self.crates.info(path).filter(|c| c.role == Role::Library);
                library.is_some_and(|c| self.crates.service_above(&c).is_none())
            }
            _ => self.packages.nearest(path).is_some_and(|p| p.is_library()),
        }
    }

    /// True where the package of `path` is a library whose functions others
    /// call, who alone know how often.
    pub fn is_called_by_others(&self, path: &str) -> bool {
        family(path) == Some(Family::TypeScript)
            && self.packages.nearest(path).is_some_and(|package| package.is_called_by_others())
    }

    /// Where the files are read from.
    pub fn tree(&self) -> &dyn Tree {
        &*self.tree
    }

    /// Remarks on files that could not be used, sorted.
    pub fn notices(&self) -> Vec<String> {
        self.notices.take_sorted()
    }
}

/// True for the names of files that [`Facts::new`] wants to be told of.
pub fn is_manifest(path: &str) -> bool {
    let name = paths::name(path);
    matches!(name, "package.json" | "Cargo.toml") || node::is_dockerfile(name)
}

fn family(path: &str) -> Option<Family> {
    Language::of_path(path).map(Language::family)
}

/// Remarks collected from all threads.
#[derive(Default)]
pub struct Notices(Mutex<BTreeSet<String>>);

impl Notices {
    /// Adds a remark; equal ones are kept once.
    pub fn add(&self, remark: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(remark);
    }

    fn take_sorted(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Answers by key. Two threads may work one out at the same time; as it
/// depends on the tree alone, they find the same.
pub(crate) struct Memo<K, V>(RwLock<FxHashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(RwLock::new(FxHashMap::default()))
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// The answer for `key`, worked out by `make` at the first time.
    pub(crate) fn get<Q>(&self, key: &Q, make: impl FnOnce() -> V) -> V
    where
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        K: std::borrow::Borrow<Q>,
    {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return known.clone();
        }
        let made = make();
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_insert(made).clone()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::tree::{Memory, Overlay};

    /// The facts of files given as (path, text).
    pub(crate) fn facts(files: &[(&str, &str)]) -> Facts {
        let over = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let manifests = files.iter().map(|(path, _)| (*path).to_owned()).filter(|p| is_manifest(p)).collect();
        Facts::new(Arc::new(Overlay::new(Memory, over)), manifests)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::facts;

    #[test]
    fn broken_files_give_a_notice_and_no_crash() {
        let facts = facts(&[("package.json", "{ \"name\": "), ("Cargo.toml", "[package"), ("src/a.ts", "")]);
        assert!(facts.packages.nearest("src/a.ts").is_some_and(|p| p.broken));
        assert!(facts.crates.info("src/lib.rs").is_none());
        let notices = facts.notices();
        assert_eq!(notices.len(), 2, "{notices:?}");
        assert!(notices.iter().any(|n| n.starts_with("package.json")));
    }
}
