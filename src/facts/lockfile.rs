//! Versions of dependencies from lockfiles: npm, pnpm, yarn and bun.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::version::{Installed, Version, lowest};
use super::{Memo, Packages, jsonc, paths};
use crate::tree::Tree;

/// One lockfile, as far as it names versions.
enum Lock {
    /// Versions by installed folder (`packages/api/node_modules/axios`).
    Npm(BTreeMap<String, String>),
    /// Versions by importing folder (`.` is the root), then by name.
    Pnpm(BTreeMap<String, BTreeMap<String, String>>),
    /// Ranges and versions by name.
    Yarn(BTreeMap<String, Vec<(String, String)>>),
    /// Versions by `name` or `importer/name`.
    Bun(BTreeMap<String, String>),
}

/// A lockfile with its path.
type Found = Option<Arc<(String, Lock)>>;

/// The lockfiles of a tree.
pub struct Lockfiles {
    tree: Arc<dyn Tree>,
    packages: Arc<Packages>,
    at: Memo<String, Found>,
}

impl Lockfiles {
    /// The lockfiles beside the packages of `tree`.
    pub fn new(tree: Arc<dyn Tree>, packages: Arc<Packages>) -> Self {
        Self { tree, packages, at: Memo::default() }
    }

    /// The version of `package` that code at `path` runs with; `None` where no
    /// package.json above declares it.
    pub fn dependency_version(&self, path: &str, package: &str) -> Option<Installed> {
        let (importer, range) = self.packages.declaring(path, package)?;
        let lock = paths::upwards(&importer.folder).find_map(|folder| Some((folder, self.lock_at(folder)?)));
        if let Some((folder, lock)) = lock {
            let inner = paths::below(&importer.folder, folder).unwrap_or("");
            let version = lock.1.version(inner, importer.name.as_deref(), package, &range);
            if let Some(version) = version.as_deref().and_then(version_of) {
                return Some(Installed { version, locked: true, path: lock.0.clone() });
            }
        }
        Some(Installed { version: lowest(&range)?, locked: false, path: importer.path() })
    }

    fn lock_at(&self, folder: &str) -> Found {
        type Read = fn(&str) -> Option<Lock>;
        let kinds: [(&str, Read); 5] = [
            ("pnpm-lock.yaml", |text| Some(read_pnpm(text))),
            ("package-lock.json", read_npm),
            ("npm-shrinkwrap.json", read_npm),
            ("yarn.lock", |text| Some(read_yarn(text))),
            ("bun.lock", read_bun),
        ];
        self.at.get(folder, || {
            kinds.iter().find_map(|(name, read)| {
                let path = paths::child(folder, name);
                let text = self.tree.read_text(&path)?;
                Some(Arc::new((path, read(&text)?)))
            })
        })
    }
}

/// `1.2.3`, `1.2.3(react@18)`, and pnpm's aliases `/undici@6.1.0`.
fn version_of(text: &str) -> Option<Version> {
    Version::parse(text).or_else(|| Version::parse(text.split('(').next()?.rsplit('@').next()?))
}

impl Lock {
    /// The version for the package in the folder `importer` (relative to the
    /// lockfile's), called `name`, that declares `package` with `range`.
    fn version(&self, importer: &str, name: Option<&str>, package: &str, range: &str) -> Option<String> {
        match self {
            Self::Npm(installed) => paths::upwards(importer)
                .find_map(|folder| installed.get(&paths::child(folder, &format!("node_modules/{package}"))))
                .cloned(),
            Self::Pnpm(importers) => {
                let importer = if importer.is_empty() { "." } else { importer };
                importers.get(importer)?.get(package).cloned()
            }
            Self::Yarn(entries) => {
                let entries = entries.get(package)?;
                let exact = entries.iter().find(|(r, _)| r == range || r.strip_prefix("npm:") == Some(range));
                let lowest = || entries.iter().min_by_key(|(_, version)| Version::parse(version));
                exact.or_else(lowest).map(|(_, version)| version.clone())
            }
            Self::Bun(entries) => {
                let own = name.and_then(|name| entries.get(&format!("{name}/{package}")));
                own.or_else(|| entries.get(package)).cloned()
            }
        }
    }
}

/// Versions 2 and 3 list installed folders; version 1 only names.
fn read_npm(text: &str) -> Option<Lock> {
    #[derive(Deserialize)]
    struct Entry {
        version: Option<String>,
    }
    #[derive(Deserialize)]
    struct File {
        packages: Option<BTreeMap<String, Entry>>,
        dependencies: Option<BTreeMap<String, Entry>>,
    }
    let file: File = serde_json::from_str(text).ok()?;
    let installed = match file.packages {
        Some(packages) => packages.into_iter().filter_map(|(folder, e)| Some((folder, e.version?))).collect(),
        None => {
            let named = file.dependencies.unwrap_or_default().into_iter();
            named.filter_map(|(name, e)| Some((format!("node_modules/{name}"), e.version?))).collect()
        }
    };
    Some(Lock::Npm(installed))
}

/// Only `importers` (or, before version 6 and without a workspace, the
/// dependencies at the top) matter: the rest of the file, which is most of it,
/// is passed over. The file is written by a program in one style, so that
/// indentation tells all.
fn read_pnpm(text: &str) -> Lock {
    let mut importers: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut importer = String::new();
    let mut base = 0;
    let mut in_dependencies = false;
    let mut name = String::new();
    for line in text.lines() {
        let bare = line.trim_start();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let indent = line.len() - bare.len();
        let Some((key, value)) = split_yaml(bare) else { continue };
        if indent == 0 {
            in_dependencies = is_dependency_table(key);
            base = if key == "importers" { 4 } else { 0 };
            importer = if in_dependencies { ".".to_owned() } else { String::new() };
            continue;
        }
        if base == 4 && indent == 2 {
            importer = key.to_owned();
            in_dependencies = false;
        } else if base == 4 && indent == 4 {
            in_dependencies = is_dependency_table(key);
        } else if in_dependencies && indent == base + 2 {
            name = key.to_owned();
            if !value.is_empty() {
                importers.entry(importer.clone()).or_default().insert(name.clone(), value.to_owned());
            }
        } else if in_dependencies && indent == base + 4 && key == "version" {
            importers.entry(importer.clone()).or_default().insert(name.clone(), value.to_owned());
        }
    }
    Lock::Pnpm(importers)
}

fn is_dependency_table(key: &str) -> bool {
    matches!(key, "dependencies" | "devDependencies" | "optionalDependencies")
}

/// `'@acme/db': 1.2.3` as its two sides without quotes.
fn split_yaml(line: &str) -> Option<(&str, &str)> {
    let (key, value) = match line.strip_prefix('\'') {
        Some(quoted) => quoted.split_once("':")?,
        None => line.split_once(": ").or_else(|| line.strip_suffix(':').map(|key| (key, "")))?,
    };
    Some((key, value.trim().trim_matches(['\'', '"'])))
}

/// Both styles: `axios@^1.0.0, axios@^1.2.0:` with `version "1.7.2"`, and
/// `"axios@npm:^1.0.0"` with `version: 1.7.2`.
fn read_yarn(text: &str) -> Lock {
    let mut entries: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut keys: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if !line.starts_with(' ') {
            let list = line.trim_end_matches(':');
            keys = list.split(',').filter_map(|key| split_at_range(key.trim().trim_matches('"'))).collect();
        } else if let Some(version) = line.strip_prefix("  version") {
            let version = version.trim_start_matches(':').trim().trim_matches('"');
            for (name, range) in keys.drain(..) {
                entries.entry(name).or_default().push((range, version.to_owned()));
            }
        }
    }
    Lock::Yarn(entries)
}

/// `@acme/db@^1.0.0` as name and range.
fn split_at_range(key: &str) -> Option<(String, String)> {
    let at = key.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
    Some((key[..at].to_owned(), key[at + 1..].to_owned()))
}

/// `"axios": ["axios@1.7.2", …]`, in JSON with trailing commas.
fn read_bun(text: &str) -> Option<Lock> {
    let json = jsonc::parse(text)?;
    let packages = json.get("packages")?.as_object()?;
    let version = |entry: &serde_json::Value| Some(entry.get(0)?.as_str()?.rsplit_once('@')?.1.to_owned());
    Some(Lock::Bun(packages.iter().filter_map(|(key, entry)| Some((key.clone(), version(entry)?))).collect()))
}

#[cfg(test)]
mod tests {
    use crate::facts::testing::facts;

    const ROOT: (&str, &str) = ("package.json", r#"{"workspaces":["p/*"],"dependencies":{"axios":"^1.2.0"}}"#);
    const MEMBER: (&str, &str) = ("p/a/package.json", r#"{"name":"@acme/a","dependencies":{"axios":"^0.27.0"}}"#);

    /// The versions that the root and the member run with.
    fn versions(lock: (&str, &str)) -> (String, String) {
        let facts = facts(&[ROOT, MEMBER, lock]);
        let version = |path: &str| {
            let installed = facts.dependency_version(path, "axios").unwrap();
            assert!(installed.locked, "{lock:?} was not read");
            assert_eq!(installed.path, lock.0);
            installed.version.to_string()
        };
        (version("src/x.ts"), version("p/a/src/x.ts"))
    }

    fn expected() -> (String, String) {
        ("1.7.2".into(), "0.27.2".into())
    }

    #[test]
    fn npm_locks() {
        for version in [2, 3] {
            let text = format!(
                r#"{{"lockfileVersion":{version},"packages":{{"":{{"name":"x"}},
                "node_modules/axios":{{"version":"1.7.2"}},"p/a/node_modules/axios":{{"version":"0.27.2"}},
                "node_modules/@acme/a":{{"resolved":"p/a","link":true}}}}}}"#
            );
            assert_eq!(versions(("package-lock.json", &text)), expected());
        }
        let one = r#"{"lockfileVersion":1,"dependencies":{"axios":{"version":"1.7.2","dev":true}}}"#;
        assert_eq!(versions(("package-lock.json", one)).0, "1.7.2");
    }

    #[test]
    fn pnpm_locks() {
        let nine = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      axios:\n        specifier: ^1.2.0\n        version: 1.7.2(debug@4.3.4)\n\n  p/a:\n    devDependencies:\n      '@x/y':\n        specifier: ^1\n        version: 1.0.0\n      axios:\n        specifier: ^0.27.0\n        version: 0.27.2\n\npackages:\n\n  axios@9.9.9:\n    version: 9.9.9\n";
        assert_eq!(versions(("pnpm-lock.yaml", nine)), expected());
        let five = "lockfileVersion: 5.4\n\nimporters:\n\n  .:\n    specifiers:\n      axios: ^1.2.0\n    dependencies:\n      axios: 1.7.2_debug@4.3.4\n\n  p/a:\n    specifiers:\n      axios: ^0.27.0\n    dependencies:\n      axios: 0.27.2\n";
        assert_eq!(versions(("pnpm-lock.yaml", five)), expected());
        let single = "lockfileVersion: '6.0'\n\ndependencies:\n  axios:\n    specifier: ^1.2.0\n    version: 1.7.2\n";
        let one = facts(&[ROOT, ("pnpm-lock.yaml", single)]);
        assert_eq!(one.dependency_version("a.ts", "axios").map(|i| i.version.to_string()).as_deref(), Some("1.7.2"));
    }

    #[test]
    fn yarn_locks() {
        let one = "# yarn lockfile v1\n\n\naxios@^0.27.0:\n  version \"0.27.2\"\n  resolved \"x\"\n\n\"@x/y@^1.0.0\", axios@^1.0.0, axios@^1.2.0:\n  version \"1.7.2\"\n  dependencies:\n    version \"^9\"\n";
        assert_eq!(versions(("yarn.lock", one)), expected());
        let berry = "__metadata:\n  version: 6\n\n\"axios@npm:^0.27.0\":\n  version: 0.27.2\n  resolution: \"axios@npm:0.27.2\"\n\n\"axios@npm:^1.0.0, axios@npm:^1.2.0\":\n  version: 1.7.2\n";
        assert_eq!(versions(("yarn.lock", berry)), expected());
    }

    #[test]
    fn bun_locks() {
        let text = r#"{ "lockfileVersion": 1, "packages": {
            "axios": ["axios@1.7.2", "", {}, "sha512"],
            "@acme/a/axios": ["axios@0.27.2", "", {}, "sha512"],
        }, }"#;
        assert_eq!(versions(("bun.lock", text)), expected());
    }

    #[test]
    fn without_a_lock_the_range_says_it() {
        let facts = facts(&[ROOT, MEMBER]);
        let installed = facts.dependency_version("p/a/x.ts", "axios").unwrap();
        assert_eq!((installed.version.to_string().as_str(), installed.locked), ("0.27.0", false));
        assert!(facts.dependency_version("x.ts", "undeclared").is_none());
    }

    #[test]
    fn a_broken_lock_is_passed_over() {
        let facts = facts(&[ROOT, ("package-lock.json", "{ not json")]);
        assert!(facts.dependency_version("x.ts", "axios").is_some_and(|i| !i.locked));
    }
}
