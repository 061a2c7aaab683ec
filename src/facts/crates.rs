//! Cargo.toml and Cargo.lock: crates, their roles, dependencies and features.
//! Read as data; no cargo is started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use toml::{Table, Value};

use super::roles::{self, Role};
use super::version::{Installed, Version, lowest};
use super::{Memo, Notices, paths};
use crate::tree::{Kind, Tree};

/// One dependency of a crate, with what it inherits from its workspace.
#[derive(Clone, Debug, Default)]
pub struct Dependency {
    /// The crate's own name, where `package = …` renames it too.
    pub package: String,
    /// The version requirement; empty for one by path or git.
    pub requirement: String,
    /// Features asked for.
    pub features: BTreeSet<String>,
    /// True unless `default-features = false`.
    pub default_features: bool,
    /// True where it is needed to run, not only to test or build.
    pub normal: bool,
    /// Its folder, where it is one of the tree.
    pub folder: Option<String>,
}

/// One crate, as far as questions need it.
#[derive(Clone, Debug)]
pub struct CrateInfo {
    /// The folder of its Cargo.toml.
    pub folder: String,
    /// Package name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The dependency that decided the role.
    pub decided_by: Option<String>,
    /// True where it may be published: it is described, as a registry asks, and
    /// not kept private.
    pub published: bool,
    /// `rust-version`, or the workspace's.
    pub rust_version: Option<Version>,
    /// True for a crate of procedural macros, which runs in the compiler.
    pub proc_macro: bool,
    /// Files that its module trees start from, the library's first.
    pub roots: Vec<String>,
    /// Dependencies by the name that code uses, with `_`.
    pub dependencies: BTreeMap<String, Dependency>,
    /// The crate's own features that are on by default, with those they enable.
    pub default_features: BTreeSet<String>,
    /// The folder of its workspace's Cargo.toml; its own where it has none.
    pub workspace: String,
}

/// The crates of a tree.
pub struct Crates {
    tree: Arc<dyn Tree>,
    manifests: Arc<Vec<String>>,
    notices: Arc<Notices>,
    tables: Memo<String, Option<Arc<Table>>>,
    at: Memo<String, Option<Arc<CrateInfo>>>,
    nearest: Memo<String, Option<Arc<CrateInfo>>>,
    locks: Memo<String, Option<Arc<Lock>>>,
    members: Memo<String, Arc<BTreeMap<String, String>>>,
    /// Folders of crates by the folder of one of the tree that they need to run.
    dependents: OnceLock<BTreeMap<String, Vec<String>>>,
}

impl Crates {
    /// The crates of `tree`; `manifests` are the known Cargo.toml paths, sorted.
    pub fn new(tree: Arc<dyn Tree>, manifests: Arc<Vec<String>>, notices: Arc<Notices>) -> Self {
        Self {
            tree,
            manifests,
            notices,
            tables: Memo::default(),
            at: Memo::default(),
            nearest: Memo::default(),
            locks: Memo::default(),
            members: Memo::default(),
            dependents: OnceLock::new(),
        }
    }

    /// The tree.
    pub(super) fn tree(&self) -> &dyn Tree {
        &*self.tree
    }

    /// The crate of a file.
    pub fn info(&self, path: &str) -> Option<Arc<CrateInfo>> {
        self.nearest_of(paths::folder(path))
    }

    fn nearest_of(&self, folder: &str) -> Option<Arc<CrateInfo>> {
        self.nearest
            .get(folder, || self.at(folder).or_else(|| paths::parent(folder).and_then(|up| self.nearest_of(up))))
    }

    /// The crate whose Cargo.toml lies in `folder`.
    pub fn at(&self, folder: &str) -> Option<Arc<CrateInfo>> {
        self.at.get(folder, || {
            let table = self.table(folder)?;
            let package = table.get("package")?.as_table()?;
            Some(Arc::new(self.read(folder, &table, package)?))
        })
    }

    /// The name of the service of the tree that a private library is a part of,
    /// through as few crates as there are between them.
    pub fn service_above(&self, info: &CrateInfo) -> Option<String> {
        /// A program, its layers, what they share: more lie seldom between.
        const LEVELS: usize = 4;
        if info.published || info.proc_macro {
            return None;
        }
        let mut folders = vec![info.folder.clone()];
        let mut seen: BTreeSet<String> = folders.iter().cloned().collect();
        for _ in 0..LEVELS {
            let above: Vec<_> = folders.iter().flat_map(|folder| self.dependents_of(folder)).collect();
            if let Some(service) = above.iter().find(|above| above.role == Role::Service) {
                return Some(service.name.clone());
            }
            let libraries = above.iter().filter(|above| above.role == Role::Library);
            folders =
                libraries.map(|above| above.folder.clone()).filter(|folder| seen.insert(folder.clone())).collect();
        }
        None
    }

    fn dependents_of(&self, folder: &str) -> Vec<Arc<CrateInfo>> {
        let all = self.dependents.get_or_init(|| {
            let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for path in self.manifests.iter().filter(|path| paths::name(path) == "Cargo.toml") {
                let Some(info) = self.at(paths::folder(path)) else { continue };
                let needed = info.dependencies.values().filter(|dependency| dependency.normal);
                for folder in needed.filter_map(|dependency| dependency.folder.clone()) {
                    found.entry(folder).or_default().push(info.folder.clone());
                }
            }
            found
        });
        all.get(folder).into_iter().flatten().filter_map(|folder| self.at(folder)).collect()
    }

    /// The file of a module path (`crate::db`, `super::users`) written in `from`.
    pub fn resolve(&self, from: &str, segments: &[&str]) -> Option<String> {
        super::crate_paths::resolve(self, from, segments)
    }

    /// True where the crate of `path` depends on `package`, to run, test or build.
    pub fn depends_on(&self, path: &str, package: &str) -> bool {
        self.info(path).is_some_and(|info| info.dependency(package).is_some())
    }

    /// The version of `package` that the crate of `path` is built with: that
    /// of Cargo.lock, else the lowest of the requirement.
    pub fn dependency_version(&self, path: &str, package: &str) -> Option<Installed> {
        let info = self.info(path)?;
        let dependency = info.dependency(package)?;
        for folder in paths::upwards(&info.folder) {
            if let Some(lock) = self.lock_at(folder) {
                if let Some(version) = lock.version(&info.name, &dependency.package) {
                    return Some(Installed { version, locked: true, path: paths::child(folder, "Cargo.lock") });
                }
                break;
            }
        }
        let version = lowest(&dependency.requirement)?;
        Some(Installed { version, locked: false, path: paths::child(&info.folder, "Cargo.toml") })
    }

    /// Whether the crate of `path` turns on `feature` of `package`; `None`
    /// where its defaults, which are not seen, may.
    pub fn feature(&self, path: &str, package: &str, feature: &str) -> Option<bool> {
        let info = self.info(path)?;
        let Some(dependency) = info.dependency(package) else { return Some(false) };
        let name = dependency.package.as_str();
        let by_own_feature = |f: &String| {
            let (of, what) = f.split_once('/').unwrap_or(("", ""));
            of.trim_end_matches('?').replace('-', "_") == package.replace('-', "_") && what == feature
        };
        if dependency.features.contains(feature) || info.default_features.iter().any(by_own_feature) {
            return Some(true);
        }
        // tokio's manifest: no default features, `full` is all but the test
        // and unstable ones, and one feature implies another.
        if name == "tokio" {
            let full = dependency.features.contains("full") && !matches!(feature, "test-util" | "tracing");
            let implied = feature == "rt" && dependency.features.contains("rt-multi-thread");
            return Some(full || implied);
        }
        if !dependency.default_features && dependency.features.is_empty() { Some(false) } else { None }
    }

    /// Folders by crate name (with `_`) of the workspace whose Cargo.toml lies
    /// in `root`.
    pub(super) fn members(&self, root: &str) -> Arc<BTreeMap<String, String>> {
        self.members.get(root, || {
            let mut found = BTreeMap::new();
            for path in self.manifests.iter().filter(|path| paths::name(path) == "Cargo.toml") {
                let folder = paths::folder(path);
                if paths::below(folder, root).is_none() {
                    continue;
                }
                if let Some(info) = self.at(folder).filter(|info| info.workspace == root) {
                    found.entry(info.name.replace('-', "_")).or_insert_with(|| folder.to_owned());
                }
            }
            Arc::new(found)
        })
    }

    fn table(&self, folder: &str) -> Option<Arc<Table>> {
        self.tables.get(folder, || {
            let path = paths::child(folder, "Cargo.toml");
            let text = self.tree.read_text(&path)?;
            match text.parse::<Table>() {
                Ok(table) => Some(Arc::new(table)),
                Err(error) => {
                    self.notices.add(format!("{path} is not TOML: {}; what it says is not known", error.message()));
                    None
                }
            }
        })
    }

    /// The workspace root of a crate: the one it names, else the nearest
    /// Cargo.toml upwards with a `[workspace]`, else its own folder.
    fn workspace_of(&self, folder: &str, package: &Table) -> String {
        if let Some(named) = package.get("workspace").and_then(Value::as_str) {
            return paths::join(folder, named).unwrap_or_else(|| folder.to_owned());
        }
        let root = paths::upwards(folder).find(|up| self.table(up).is_some_and(|t| t.contains_key("workspace")));
        root.unwrap_or(folder).to_owned()
    }

    fn read(&self, folder: &str, table: &Table, package: &Table) -> Option<CrateInfo> {
        let name = package.get("name")?.as_str()?.to_owned();
        let workspace = self.workspace_of(folder, package);
        let shared = self.table(&workspace);
        let shared = shared.as_ref().and_then(|t| t.get("workspace")).and_then(Value::as_table);
        let rust_version = inherited(package.get("rust-version"), shared, "rust-version");
        let dependencies = read_dependencies(folder, &workspace, table, shared);
        let lib = table.get("lib").and_then(Value::as_table);
        let proc_macro =
            lib.is_some_and(|l| ["proc-macro", "proc_macro"].iter().any(|k| l.get(*k) == Some(&Value::Boolean(true))));
        let (roots, has_bin) = self.roots(folder, table, lib);
        let published = package.get("description").is_some()
            && !matches!(package.get("publish"), Some(Value::Boolean(false)))
            && !package.get("publish").and_then(Value::as_array).is_some_and(Vec::is_empty);
        let (role, decided_by) = match has_bin && roles::is_tool(&name, package, shared) {
            // A server in it serves the one who started it.
            true => (Role::Cli, None),
            false => roles::of_crate(has_bin, published, &dependencies),
        };
        Some(CrateInfo {
            folder: folder.to_owned(),
            name,
            role,
            decided_by,
            published,
            rust_version: rust_version.and_then(|text| Version::parse(&text)),
            proc_macro,
            roots,
            dependencies,
            default_features: default_features(table.get("features").and_then(Value::as_table)),
            workspace,
        })
    }

    /// The files that module trees start from, and whether one is a program's.
    fn roots(&self, folder: &str, table: &Table, lib: Option<&Table>) -> (Vec<String>, bool) {
        let is_file = |path: &String| self.tree.kind(path) == Some(Kind::File);
        let path_of = |table: &Table| table.get("path").and_then(Value::as_str).and_then(|p| paths::join(folder, p));
        let lib = lib.and_then(path_of).unwrap_or_else(|| paths::child(folder, "src/lib.rs"));
        let mut roots: Vec<String> = Some(lib).into_iter().filter(is_file).collect();
        let bins = table.get("bin").and_then(Value::as_array);
        let main = paths::child(folder, "src/main.rs");
        let has_bin = bins.is_some_and(|b| !b.is_empty()) || is_file(&main);
        let listed = bins.into_iter().flatten().filter_map(Value::as_table).filter_map(path_of);
        for root in std::iter::once(main).chain(listed).filter(is_file) {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        (roots, has_bin)
    }

    fn lock_at(&self, folder: &str) -> Option<Arc<Lock>> {
        self.locks.get(folder, || {
            let path = paths::child(folder, "Cargo.lock");
            let text = self.tree.read_text(&path)?;
            match toml::from_str::<Lock>(&text) {
                Ok(lock) => Some(Arc::new(lock)),
                Err(_) => {
                    self.notices.add(format!("{path} is not a lockfile; versions are taken from Cargo.toml"));
                    None
                }
            }
        })
    }
}

impl CrateInfo {
    /// The dependency of a crate name or of the name that code uses for it;
    /// the one that is needed to run comes before those of tests and builds.
    pub fn dependency(&self, package: &str) -> Option<&Dependency> {
        let by_name = self.dependencies.get(&package.replace('-', "_"));
        by_name.or_else(|| self.dependencies.values().find(|d| d.package == package))
    }
}

fn inherited(own: Option<&Value>, shared: Option<&Table>, key: &str) -> Option<String> {
    match own? {
        Value::String(text) => Some(text.clone()),
        Value::Table(_) => shared?.get("package")?.get(key)?.as_str().map(str::to_owned),
        _ => None,
    }
}

/// The dependencies of all kinds and targets, those needed to run last so
/// that they win.
fn read_dependencies(
    folder: &str,
    workspace: &str,
    table: &Table,
    shared: Option<&Table>,
) -> BTreeMap<String, Dependency> {
    let shared = shared.and_then(|s| s.get("dependencies")).and_then(Value::as_table);
    let targets = table.get("target").and_then(Value::as_table);
    let targets: Vec<&Table> = targets.into_iter().flatten().filter_map(|(_, t)| t.as_table()).collect();
    let mut found = BTreeMap::new();
    for (key, normal) in [("build-dependencies", false), ("dev-dependencies", false), ("dependencies", true)] {
        for table in targets.iter().copied().chain([table]) {
            for (name, value) in table.get(key).and_then(Value::as_table).into_iter().flatten() {
                let mut dependency = Dependency { normal, default_features: true, ..Dependency::default() };
                if value.get("workspace") == Some(&Value::Boolean(true))
                    && let Some(base) = shared.and_then(|s| s.get(name))
                {
                    dependency.take(base, workspace);
                }
                dependency.take(value, folder);
                if dependency.package.is_empty() {
                    dependency.package = name.clone();
                }
                found.insert(name.replace('-', "_"), dependency);
            }
        }
    }
    found
}

impl Dependency {
    /// Adds what one table says; paths are relative to `folder`.
    fn take(&mut self, value: &Value, folder: &str) {
        if let Some(requirement) = value.as_str().or_else(|| value.get("version").and_then(Value::as_str)) {
            self.requirement = requirement.to_owned();
        }
        if let Some(package) = value.get("package").and_then(Value::as_str) {
            self.package = package.to_owned();
        }
        if let Some(path) = value.get("path").and_then(Value::as_str) {
            self.folder = paths::join(folder, path);
        }
        for key in ["default-features", "default_features"] {
            if let Some(on) = value.get(key).and_then(Value::as_bool) {
                self.default_features = on;
            }
        }
        let features = value.get("features").and_then(Value::as_array);
        self.features.extend(features.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    }
}

/// The closure of the feature `default`.
fn default_features(table: Option<&Table>) -> BTreeSet<String> {
    let mut on = BTreeSet::new();
    let mut open = vec!["default".to_owned()];
    while let Some(name) = open.pop() {
        let list = table.and_then(|t| t.get(&name)).and_then(Value::as_array);
        if on.insert(name) {
            open.extend(list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        }
    }
    on
}

/// Cargo.lock.
#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Lock {
    /// The version of `package` for the crate `own`: where several are locked,
    /// the crate's own entry says which (`reqwest 0.11.27`).
    fn version(&self, own: &str, package: &str) -> Option<Version> {
        let named = |name: &str| self.package.iter().filter(move |p| p.name == name).collect::<Vec<_>>();
        if let [only] = named(package).as_slice() {
            return Version::parse(&only.version);
        }
        let owns = named(own);
        let listed = owns.iter().flat_map(|p| &p.dependencies).filter_map(|line| {
            let mut words = line.split(' ');
            (words.next() == Some(package)).then(|| words.next()).flatten()
        });
        listed.filter_map(Version::parse).min()
    }
}

#[cfg(test)]
#[path = "crates_tests.rs"]
mod tests;
