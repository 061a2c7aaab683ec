use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::facts::testing::facts;
use crate::facts::{Facts, is_manifest};
use crate::tree::{Disk, Memory, Overlay};

fn resolve(files: &[(&str, &str)], from: &str, specifier: &str) -> Option<String> {
    facts(files).resolve(from, specifier)
}

#[test]
fn relative_imports_take_any_source_ending() {
    let files = [("src/a.ts", ""), ("src/b.tsx", ""), ("src/c/index.ts", ""), ("src/d.d.ts", ""), ("e.mts", "")];
    let to = |specifier: &str| resolve(&files, "src/a.ts", specifier);
    assert_eq!(to("./b").as_deref(), Some("src/b.tsx"));
    assert_eq!(to("./b.js").as_deref(), Some("src/b.tsx"));
    assert_eq!(to("./c").as_deref(), Some("src/c/index.ts"));
    assert_eq!(to("../e.mjs").as_deref(), Some("e.mts"));
    assert_eq!(to("./d"), None, "declarations hold no code");
    assert_eq!(to("./gone"), None);
    assert_eq!(to("express"), None);
    assert_eq!(to("node:fs"), None);
}

#[test]
fn tsconfig_paths_lead_through_bases_that_are_here() {
    let files = [
        ("tsconfig.base.json", r#"{"compilerOptions":{"baseUrl":".","paths":{"@app/*":["src/*"]}}}"#),
        (
            "tsconfig.json",
            "{ // a comment\n\"extends\":[\"@tsconfig/node20/tsconfig.json\",\"./tsconfig.base.json\"],\n}",
        ),
        ("src/db/pool.ts", ""),
        ("src/a.ts", ""),
    ];
    assert_eq!(resolve(&files, "src/a.ts", "@app/db/pool").as_deref(), Some("src/db/pool.ts"));
    assert_eq!(resolve(&files, "src/a.ts", "./db/pool").as_deref(), Some("src/db/pool.ts"));
}

#[test]
fn a_base_in_a_workspace_package_is_found() {
    let files = [
        ("package.json", r#"{"workspaces":["*"]}"#),
        ("config/package.json", r#"{"name":"@acme/tsconfig"}"#),
        ("config/node.json", r#"{"compilerOptions":{"paths":{"~/*":["${configDir}/src/*"]}}}"#),
        ("app/package.json", r#"{"name":"app"}"#),
        ("app/tsconfig.json", r#"{"extends":"@acme/tsconfig/node.json"}"#),
        ("app/src/x.ts", ""),
        ("app/src/a.ts", ""),
    ];
    assert_eq!(resolve(&files, "app/src/a.ts", "~/x").as_deref(), Some("app/src/x.ts"));
}

#[test]
fn a_broken_tsconfig_does_not_hide_neighbours() {
    let files = [("tsconfig.json", "{ nonsense"), ("a.ts", ""), ("b.ts", "")];
    assert_eq!(resolve(&files, "a.ts", "./b").as_deref(), Some("b.ts"));
}

#[test]
fn workspace_packages_lead_to_their_sources() {
    let shapes: &[(&str, &str, &str, &str)] = &[
        (r#""main":"dist/index.js""#, "{}", "src/index.ts", ""),
        (r#""main":"./lib/main.js""#, "{}", "src/main.ts", ""),
        (r#""main":"out/x/y.js""#, r#"{"compilerOptions":{"outDir":"out/x","rootDir":"source"}}"#, "source/y.ts", ""),
        (r#""exports":{".":{"types":"./dist/i.d.ts","import":"./dist/esm/i.js"}}"#, "{}", "src/i.ts", ""),
        (r#""exports":{"./pool":"./dist/pool/index.js"}"#, "{}", "src/pool/index.ts", "/pool"),
        (r#""exports":{"./*":{"import":"./dist/*.js"}}"#, "{}", "src/deep/pool.ts", "/deep/pool"),
        (r#""private":true"#, "{}", "src/index.ts", ""),
        (r#""private":true"#, "{}", "src/util/pool.ts", "/dist/util/pool"),
        (r#""private":true"#, "{}", "lib/pool.ts", "/lib/pool"),
        (r#""source":"source/x.ts","main":"dist/x.js""#, "{}", "source/x.ts", ""),
    ];
    for (fields, tsconfig, source, subpath) in shapes {
        let manifest = format!(r#"{{"name":"@acme/db",{fields}}}"#);
        let path = format!("packages/db/{source}");
        let files = [
            ("package.json", r#"{"workspaces":["packages/*"]}"#),
            ("packages/db/package.json", manifest.as_str()),
            ("packages/db/tsconfig.json", *tsconfig),
            (path.as_str(), ""),
            ("packages/web/package.json", r#"{"name":"web"}"#),
        ];
        let found = resolve(&files, "packages/web/a.ts", &format!("@acme/db{subpath}"));
        assert_eq!(found.as_deref(), Some(path.as_str()), "{fields} {subpath}");
    }
}

/// Remembers every path that it is asked to read.
struct Watched(Overlay<Memory>, Mutex<Vec<String>>);

impl Tree for Arc<Watched> {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        self.1.lock().unwrap().push(path.to_owned());
        self.0.read(path, limit)
    }
    fn kind(&self, path: &str) -> Option<Kind> {
        self.1.lock().unwrap().push(path.to_owned());
        self.0.kind(path)
    }
}

#[test]
fn nothing_outside_the_root_is_asked_for() {
    let files = [
        ("package.json", r#"{"workspaces":["../evil","p/*"],"volta":{"extends":"../../package.json"}}"#),
        ("p/a/package.json", r#"{"name":"a","main":"../../../etc/passwd","exports":{".":"../../../../etc/x.ts"}}"#),
        (
            "tsconfig.json",
            r#"{"extends":"../../base.json","references":[{"path":"../../other"}],
          "compilerOptions":{"baseUrl":"../..","paths":{"x/*":["../../x/*"],"y":["/etc/y.ts"]}}}"#,
        ),
        ("src/a.ts", ""),
    ];
    let over: BTreeMap<String, Vec<u8>> = files.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect();
    let manifests = over.keys().filter(|p| is_manifest(p)).cloned().collect();
    let watched = Arc::new(Watched(Overlay::new(Memory, over), Mutex::default()));
    let facts = Facts::new(Arc::new(watched.clone()), manifests);
    for specifier in ["a", "x/y", "y", "../../../etc/passwd", "../../out", "/etc/passwd", "./..//../../etc/hosts"] {
        assert_eq!(facts.resolve("src/a.ts", specifier), None, "{specifier}");
    }
    facts.node_floor("src/a.ts");
    let asked = watched.1.lock().unwrap();
    assert!(!asked.is_empty());
    let outside: Vec<&String> =
        asked.iter().filter(|p| p.starts_with('/') || p.split('/').any(|part| part == ".." || part == "etc")).collect();
    assert!(outside.is_empty(), "{outside:?}");
}

#[cfg(unix)]
#[test]
fn links_out_of_the_root_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("repo");
    std::fs::create_dir_all(root.join("src")).unwrap();
    std::fs::write(folder.path().join("secret.ts"), "export const x = 1").unwrap();
    std::fs::write(folder.path().join("package.json"), r#"{"engines":{"node":">=4"}}"#).unwrap();
    std::os::unix::fs::symlink("../../secret.ts", root.join("src/b.ts")).unwrap();
    std::os::unix::fs::symlink("../package.json", root.join("package.json")).unwrap();
    std::fs::write(root.join("src/a.ts"), "").unwrap();
    let facts = Facts::new(Arc::new(Disk::new(&root).unwrap()), vec!["package.json".into()]);
    assert_eq!(facts.resolve("src/a.ts", "./b"), None);
    assert_eq!(facts.node_floor("src/a.ts"), crate::facts::Floor::NoPackage);
}
