//! package.json files: the nearest one of a path, and the workspaces' own names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde_json::{Map, Value};

use super::{Memo, Notices, paths};
use crate::tree::Tree;

/// One package.json, as far as questions need it.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// The folder it lies in.
    pub folder: String,
    /// True where it is no JSON object; all else is empty then.
    pub broken: bool,
    /// `name`.
    pub name: Option<String>,
    /// `private`.
    pub private: bool,
    /// True where it installs a command.
    pub has_bin: bool,
    /// True where `scripts.start` is written: the package is run.
    pub has_start: bool,
    /// `keywords`, in lower case.
    pub keywords: Vec<String>,
    /// What it expects beside itself, and cannot do without
    /// (`peerDependencies`).
    pub peers: BTreeSet<String>,
    /// True where `engines.vscode` or `oclif` says that an editor or a
    /// command line loads it.
    pub is_plugin: bool,
    /// `engines.node`.
    pub engines_node: Option<String>,
    /// `volta.node`.
    pub volta_node: Option<String>,
    /// `volta.extends`, a path relative to the folder.
    pub volta_extends: Option<String>,
    /// `exports`.
    pub exports: Option<Value>,
    /// `source`, `module`, `main` and `types`, in the order in which they are
    /// tried.
    pub entries: Vec<String>,
    /// True where `react-native` names a file: bundlers of apps take it.
    pub for_apps: bool,
    /// True where `exports`, `module`, `types`, `files` or `publishConfig`
    /// say that others import it.
    pub meant_for_others: bool,
    /// Globs of the workspace's packages, where it is the root of one.
    pub workspaces: Vec<String>,
    /// All kinds of dependencies with their ranges.
    pub dependencies: BTreeMap<String, String>,
    /// Those that only its development needs.
    pub dev_only: BTreeSet<String>,
}

impl Package {
    /// The path of the package.json.
    pub fn path(&self) -> String {
        paths::child(&self.folder, "package.json")
    }

    fn read(folder: &str, text: &str) -> Option<Self> {
        let Value::Object(json) = serde_json::from_str(text).ok()? else { return None };
        let text_of = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
        let within = |key: &str, inner: &str| json.get(key)?.get(inner)?.as_str().map(str::to_owned);
        let mut dependencies = BTreeMap::new();
        let mut dev_only = BTreeSet::new();
        // The last one wins: what is installed for running comes last.
        for key in ["peerDependencies", "optionalDependencies", "devDependencies", "dependencies"] {
            for (name, range) in json.get(key).and_then(Value::as_object).into_iter().flatten() {
                if let Some(range) = range.as_str() {
                    if key == "devDependencies" && !dependencies.contains_key(name) {
                        dev_only.insert(name.clone());
                    } else {
                        dev_only.remove(name);
                    }
                    dependencies.insert(name.clone(), range.to_owned());
                }
            }
        }
        let entries = ["source", "module", "main", "types"].into_iter().filter_map(text_of).collect();
        let optional = |name: &str| json.get("peerDependenciesMeta")?.get(name)?.get("optional")?.as_bool();
        let peers = json.get("peerDependencies").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let peers = peers.filter(|name| optional(name) != Some(true)).cloned().collect();
        let says = |key: &str| json.get(key).is_some_and(|value| !value.is_null());
        Some(Self {
            folder: folder.to_owned(),
            broken: false,
            name: text_of("name"),
            private: json.get("private").is_some_and(|p| p.as_bool() == Some(true) || p.as_str() == Some("true")),
            has_bin: json.get("bin").is_some_and(is_filled),
            has_start: within("scripts", "start").is_some(),
            keywords: texts(json.get("keywords")).into_iter().map(|word| word.to_lowercase()).collect(),
            peers,
            is_plugin: within("engines", "vscode").is_some() || says("oclif"),
            engines_node: within("engines", "node"),
            volta_node: within("volta", "node"),
            volta_extends: within("volta", "extends"),
            exports: json.get("exports").filter(|e| !e.is_null()).cloned(),
            entries,
            for_apps: text_of("react-native").is_some(),
            meant_for_others: ["exports", "module", "types", "typings", "files", "publishConfig"].into_iter().any(says),
            workspaces: globs(json.get("workspaces")),
            dependencies,
            dev_only,
        })
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

/// `["packages/*"]`, or `{ "packages": ["packages/*"] }` as yarn also takes it.
fn globs(value: Option<&Value>) -> Vec<String> {
    let list = match value {
        Some(Value::Object(map)) => map.get("packages"),
        other => other,
    };
    texts(list)
}

/// The strings of a list.
fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A file that only says how its folder's modules are read is no package.
fn is_marker(text: &str) -> bool {
    /// Markers are a line or two; a longer file is not parsed for this.
    const LONGEST: usize = 300;
    let keys = ["type", "sideEffects", "main", "module", "types", "browser"];
    text.len() <= LONGEST
        && serde_json::from_str::<Map<String, Value>>(text)
            .is_ok_and(|json| !json.is_empty() && json.keys().all(|key| keys.contains(&key.as_str())))
}

/// The workspace of a root folder: which of the tree's packages belong to it.
struct Workspace {
    root: String,
    /// Folders by package name.
    members: BTreeMap<String, String>,
}

/// The package.json files of a tree.
pub struct Packages {
    tree: Arc<dyn Tree>,
    manifests: Arc<Vec<String>>,
    notices: Arc<Notices>,
    at: Memo<String, Option<Arc<Package>>>,
    nearest: Memo<String, Option<Arc<Package>>>,
    workspaces: OnceLock<Vec<Workspace>>,
    /// Folders of packages, by the names of those that they need to run.
    dependents: OnceLock<BTreeMap<String, Vec<String>>>,
}

impl Packages {
    /// The packages of `tree`; `manifests` are the known package.json paths, sorted.
    pub fn new(tree: Arc<dyn Tree>, manifests: Arc<Vec<String>>, notices: Arc<Notices>) -> Self {
        Self {
            tree,
            manifests,
            notices,
            at: Memo::default(),
            nearest: Memo::default(),
            workspaces: OnceLock::new(),
            dependents: OnceLock::new(),
        }
    }

    /// The tree.
    pub fn tree(&self) -> &Arc<dyn Tree> {
        &self.tree
    }

    /// The package whose package.json lies in `folder`.
    pub fn at(&self, folder: &str) -> Option<Arc<Package>> {
        self.at.get(folder, || {
            let path = paths::child(folder, "package.json");
            let text = self.tree.read_text(&path)?;
            if !folder.is_empty() && is_marker(&text) {
                return None;
            }
            let package = Package::read(folder, &text).unwrap_or_else(|| {
                self.notices.add(format!("{path} is not a JSON object; what it says is not known"));
                Package { folder: folder.to_owned(), broken: true, ..Package::default() }
            });
            Some(Arc::new(package))
        })
    }

    /// The nearest package of a file, up to the tree's root.
    pub fn nearest(&self, path: &str) -> Option<Arc<Package>> {
        self.nearest_of_folder(paths::folder(path))
    }

    /// The nearest package of a folder, itself included.
    pub fn nearest_of_folder(&self, folder: &str) -> Option<Arc<Package>> {
        self.nearest
            .get(folder, || self.at(folder).or_else(|| paths::parent(folder).and_then(|up| self.nearest_of_folder(up))))
    }

    /// The packages of a file, the nearest first.
    pub fn upwards(&self, path: &str) -> Vec<Arc<Package>> {
        let mut found = Vec::new();
        let mut next = self.nearest(path);
        while let Some(package) = next {
            next = paths::parent(&package.folder).and_then(|up| self.nearest_of_folder(up));
            found.push(package);
        }
        found
    }

    /// The nearest package of a file that declares `dependency`, and its range.
    pub fn declaring(&self, path: &str, dependency: &str) -> Option<(Arc<Package>, String)> {
        let packages = self.upwards(path);
        packages.into_iter().find_map(|p| p.dependencies.get(dependency).cloned().map(|range| (p, range)))
    }

    /// The folder of the tree's own package `name`, as code in `from` sees it:
    /// a member of a workspace that holds `from`, the package of `from`
    /// itself, or one that is declared by path. A package of the same name
    /// that lies elsewhere in the tree (a template, an example) is not meant.
    pub fn folder_of(&self, from: &str, name: &str) -> Option<String> {
        let workspaces = self.workspaces();
        let around = workspaces.iter().filter(|w| paths::below(from, &w.root).is_some());
        if let Some(folder) = around.filter_map(|w| w.members.get(name)).next() {
            return Some(folder.clone());
        }
        let own = self.nearest(from)?;
        if own.name.as_deref() == Some(name) {
            return Some(own.folder.clone());
        }
        let (package, range) = self.declaring(from, name)?;
        let by_path = ["file:", "link:", "portal:"].into_iter().find_map(|kind| range.strip_prefix(kind))?;
        let folder = paths::join(&package.folder, by_path)?;
        self.at(&folder).map(|p| p.folder.clone())
    }

    /// The packages of the tree that need the package `name` to run.
    pub fn dependents(&self, name: &str) -> Vec<Arc<Package>> {
        let all = self.dependents.get_or_init(|| {
            let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for path in self.manifests.iter().filter(|path| paths::name(path) == "package.json") {
                let Some(package) = self.at(paths::folder(path)) else { continue };
                for name in package.dependencies.keys().filter(|name| !package.dev_only.contains(*name)) {
                    found.entry(name.clone()).or_default().push(package.folder.clone());
                }
            }
            found
        });
        all.get(name).into_iter().flatten().filter_map(|folder| self.at(folder)).collect()
    }

    /// How many names the workspaces of the tree hold.
    pub fn workspace_names(&self) -> usize {
        self.workspaces().iter().map(|w| w.members.len()).sum()
    }

    /// Workspaces, the innermost first.
    fn workspaces(&self) -> &[Workspace] {
        self.workspaces.get_or_init(|| {
            let folders: Vec<&str> = self
                .manifests
                .iter()
                .filter(|path| paths::name(path) == "package.json")
                .map(|path| paths::folder(path))
                .collect();
            let mut roots = folders.clone();
            roots.push("");
            // Deeper roots first, so that the innermost workspace wins.
            roots.sort_by_key(|root| (std::cmp::Reverse(root.matches('/').count()), *root));
            roots.dedup();
            roots.iter().filter_map(|root| self.workspace_at(root, &folders)).collect()
        })
    }

    fn workspace_at(&self, root: &str, folders: &[&str]) -> Option<Workspace> {
        let patterns = self.workspace_globs(root);
        if patterns.is_empty() {
            return None;
        }
        let (not, with): (Vec<&str>, Vec<&str>) = patterns.iter().map(String::as_str).partition(|p| p.starts_with('!'));
        let with = glob_set(&with);
        let not = glob_set(&not);
        let mut members = BTreeMap::new();
        let mut add = |folder: &str| {
            let Some(package) = self.at(folder) else { return };
            let Some(name) = &package.name else { return };
            members.entry(name.clone()).or_insert_with(|| folder.to_owned());
        };
        for folder in folders {
            if let Some(below) = paths::below(folder, root)
                && with.is_match(below)
                && !not.is_match(below)
            {
                add(folder);
            }
        }
        // Entries without a wildcard are found even where the walk named nothing.
        for plain in patterns.iter().filter(|p| !p.contains(['*', '!', '{', '?'])) {
            if let Some(folder) = paths::join(root, plain) {
                add(&folder);
            }
        }
        add(root);
        Some(Workspace { root: root.to_owned(), members })
    }

    fn workspace_globs(&self, root: &str) -> Vec<String> {
        let path = paths::child(root, "pnpm-workspace.yaml");
        // pnpm reads its own file alone, whatever package.json says.
        if let Some(text) = self.tree.read_text(&path) {
            let found = yaml_list(&text, "packages");
            if !found.is_empty() {
                return found;
            }
        }
        if let Some(package) = self.at(root)
            && !package.workspaces.is_empty()
        {
            return package.workspaces.clone();
        }
        let lerna = self.tree.read_text(&paths::child(root, "lerna.json"));
        let lerna = lerna.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        globs(lerna.as_ref().and_then(|json| json.get("packages")))
    }
}

fn glob_set(patterns: &[&str]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.trim_start_matches('!').trim_start_matches("./").trim_end_matches('/');
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

/// The items of a block list under a top-level key of a YAML file. These files
/// are lists of one-line words, so no YAML reader is needed.
fn yaml_list(text: &str, key: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim_end();
        if line.trim_start().starts_with('#') || line.is_empty() {
            continue;
        }
        if let Some(item) = line.trim_start().strip_prefix("- ").filter(|_| inside) {
            items.push(item.trim().trim_matches(['\'', '"']).to_owned());
            continue;
        }
        let rest = line.strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix(':'));
        inside = rest.is_some();
        if let Some(flow) = rest.map(str::trim).and_then(|r| r.strip_prefix('[')) {
            let words = flow.trim_end_matches(']').split(',');
            items.extend(words.map(|w| w.trim().trim_matches(['\'', '"']).to_owned()).filter(|w| !w.is_empty()));
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use crate::facts::testing::facts;

    #[test]
    fn the_nearest_package_is_found_past_markers() {
        let facts = facts(&[
            ("package.json", r#"{"name":"root","private":true}"#),
            ("app/package.json", r#"{"name":"app","bin":{"app":"x.js"}}"#),
            ("app/src/esm/package.json", r#"{"type":"module"}"#),
        ]);
        let name = |path: &str| facts.packages.nearest(path).and_then(|p| p.name.clone());
        assert_eq!(name("app/src/esm/a.ts").as_deref(), Some("app"));
        assert_eq!(name("lib/a.ts").as_deref(), Some("root"));
        assert!(facts.is_command("app/src/a.ts"));
        assert!(!facts.is_command("lib/a.ts"));
    }

    #[test]
    fn libraries_are_published_packages() {
        let facts = facts(&[
            ("a/package.json", r#"{"name":"a","main":"dist/index.js"}"#),
            ("b/package.json", r#"{"name":"b","main":"index.js","private":true}"#),
            ("c/package.json", r#"{"name":"c","main":"index.js","scripts":{"start":"node ."}}"#),
            ("d/package.json", r#"{"name":"d","exports":{".":"./x.js"},"scripts":{"start":"node ."}}"#),
        ]);
        let library = |path: &str| facts.is_library(path);
        assert!(library("a/x.ts") && library("d/x.ts"));
        assert!(!library("b/x.ts") && !library("c/x.ts"));
    }

    #[test]
    fn workspaces_of_every_kind_are_mapped() {
        for root in [
            ("package.json", r#"{"workspaces":["packages/*","!packages/skip"]}"#),
            ("package.json", r#"{"workspaces":{"packages":["./packages/*/","!packages/skip"]}}"#),
            (
                "pnpm-workspace.yaml",
                "# members\npackages:\n  - 'packages/*'\n  - \"!packages/skip\"\ncatalog:\n  x: 1\n",
            ),
            ("lerna.json", r#"{"packages":["packages/*","!packages/skip"]}"#),
        ] {
            let facts = facts(&[
                root,
                ("packages/db/package.json", r#"{"name":"@acme/db"}"#),
                ("packages/skip/package.json", r#"{"name":"@acme/skip"}"#),
                ("examples/db/package.json", r#"{"name":"express"}"#),
            ]);
            let of = |name: &str| facts.packages.folder_of("packages/web/a.ts", name);
            assert_eq!(of("@acme/db").as_deref(), Some("packages/db"), "{root:?}");
            assert_eq!(of("@acme/skip"), None, "{root:?}");
            assert_eq!(of("express"), None, "a package outside the workspace is not the dependency of that name");
        }
    }

    #[test]
    fn packages_declared_by_path_stay_inside_the_tree() {
        let facts = facts(&[
            ("app/package.json", r#"{"dependencies":{"near":"file:../near","far":"file:../../../far"}}"#),
            ("near/package.json", r#"{"name":"near"}"#),
        ]);
        assert_eq!(facts.packages.folder_of("app/a.ts", "near").as_deref(), Some("near"));
        assert_eq!(facts.packages.folder_of("app/a.ts", "far"), None);
    }
}
