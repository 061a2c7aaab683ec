//! The source file behind a package's entry: package.json names what a build
//! will have made, and the build has not run.

use serde_json::Value;

use super::packages::Package;
use super::{jsonc, paths};
use crate::source::Language;
use crate::tree::{Kind, Tree};

/// Conditions of `exports`, in the order in which a reader of sources prefers them.
const CONDITIONS: &[&str] =
    &["source", "development", "bun", "node", "import", "module", "require", "default", "types"];

/// Folders that builds write to.
const BUILT: &[&str] = &["dist", "lib", "build", "out", "esm", "cjs", "dist-cjs", "dist-esm", "es", "output"];

/// The source file that `subpath` of `package` (empty for the package itself)
/// stands for.
pub fn source_of(tree: &dyn Tree, package: &Package, subpath: &str) -> Option<String> {
    let mut targets = Vec::new();
    let key = if subpath.is_empty() { ".".to_owned() } else { format!("./{subpath}") };
    if let Some(exports) = &package.exports {
        exported(exports, &key, &mut targets);
    }
    if subpath.is_empty() {
        targets.extend(package.entries.iter().cloned());
    } else {
        targets.push(subpath.to_owned());
    }
    let folders = build_folders(tree, &package.folder);
    targets.iter().find_map(|target| mapped(tree, package, &folders, target)).or_else(|| {
        let inner = if subpath.is_empty() { "index" } else { subpath };
        ["src", ""].iter().find_map(|folder| file_like(tree, &package.folder, &paths::child(folder, inner)))
    })
}

/// The targets of a key of `exports`, patterns with `*` included.
fn exported(exports: &Value, key: &str, targets: &mut Vec<String>) {
    let Some(map) = exports.as_object().filter(|map| map.keys().any(|k| k.starts_with('.'))) else {
        if key == "." {
            conditions(exports, "", targets);
        }
        return;
    };
    if let Some(value) = map.get(key) {
        conditions(value, "", targets);
        return;
    }
    // The longest prefix before the star wins.
    let matching = map.iter().filter_map(|(pattern, value)| {
        let (before, after) = pattern.split_once('*')?;
        let star = key.strip_prefix(before)?.strip_suffix(after)?;
        Some((before.len(), star, value))
    });
    if let Some((_, star, value)) = matching.max_by_key(|(length, ..)| *length) {
        conditions(value, star, targets);
    }
}

fn conditions(value: &Value, star: &str, targets: &mut Vec<String>) {
    match value {
        Value::String(target) => targets.push(target.replace('*', star)),
        Value::Array(list) => list.iter().for_each(|value| conditions(value, star, targets)),
        Value::Object(map) => {
            for condition in CONDITIONS {
                if let Some(value) = map.get(*condition) {
                    conditions(value, star, targets);
                }
            }
        }
        _ => {}
    }
}

/// `(outDir, rootDir)` of the package's tsconfig files, relative to its folder.
fn build_folders(tree: &dyn Tree, folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in ["tsconfig.json", "tsconfig.build.json", "tsconfig.lib.json"] {
        let Some(text) = tree.read_text(&paths::child(folder, name)) else { continue };
        let json = jsonc::parse(&text);
        let Some(options) = json.as_ref().and_then(|json| json.get("compilerOptions")) else { continue };
        let text_of = |key: &str| options.get(key).and_then(Value::as_str);
        let Some(out) = text_of("outDir").and_then(|out| paths::join("", out)) else { continue };
        let root = text_of("rootDir").and_then(|root| paths::join("", root)).unwrap_or_else(|| "src".to_owned());
        found.push((out, root));
    }
    found
}

/// The source behind one target: through outDir and rootDir, else by putting
/// `src` for the build's folder, else as it is written.
fn mapped(tree: &dyn Tree, package: &Package, folders: &[(String, String)], target: &str) -> Option<String> {
    let target = paths::join("", target)?;
    for (out, root) in folders {
        if let Some(rest) = paths::below(&target, out).filter(|_| !out.is_empty()) {
            let found = file_like(tree, &package.folder, &paths::child(root, rest));
            if found.is_some() {
                return found;
            }
        }
    }
    let mut rest = target.as_str();
    while let Some((_, after)) = rest.split_once('/').filter(|(first, _)| BUILT.contains(first)) {
        rest = after;
    }
    if rest.len() != target.len() {
        let inner = rest.strip_prefix("src/").unwrap_or(rest);
        for folder in ["src", "lib", ""] {
            let found = file_like(tree, &package.folder, &paths::child(folder, inner));
            if found.is_some() {
                return found;
            }
        }
    }
    file_like(tree, &package.folder, &target)
}

/// The source file that `inner` may be: with a source's ending for a built
/// one's, with an ending added, or the index of the folder.
fn file_like(tree: &dyn Tree, folder: &str, inner: &str) -> Option<String> {
    let path = paths::join(folder, inner)?;
    let is_file = |path: &String| Language::of_path(path).is_some() && tree.kind(path) == Some(Kind::File);
    let built = [".d.ts", ".d.mts", ".d.cts", ".js", ".mjs", ".cjs", ".jsx"];
    let stem = built.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(&path);
    let endings = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];
    if stem == path && is_file(&path) {
        return Some(path);
    }
    let with = |stem: &str| endings.iter().map(|ending| format!("{stem}.{ending}")).find(&is_file);
    with(stem).or_else(|| if stem == path { with(&paths::child(&path, "index")) } else { None })
}
