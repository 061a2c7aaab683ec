//! Folders and files that are passed over for what their names say.

use std::path::Path;

use crate::report::SkipReason;

/// Why a folder below the root is not walked; `None` where it is.
pub fn folder(path: &Path, name: &str) -> Option<(SkipReason, &'static str)> {
    use SkipReason::{Generated, Vendored};
    match name {
        // Also `sharp_node_modules`, which a build lays beside its layer.
        _ if name.ends_with("node_modules") => Some((Vendored, "installed packages")),
        "bower_components" | "jspm_packages" | "web_modules" | "Pods" | "site-packages" => {
            Some((Vendored, "installed packages"))
        }
        "third_party" | "third-party" | "thirdparty" | "3rdparty" | "vendored" => {
            Some((Vendored, "another project's code"))
        }
        // "vendor" is also a word of shops: only beside a manifest is it the
        // package manager's folder.
        "vendor" if beside(path, MANIFESTS) => Some((Vendored, "another project's code")),
        "CVS" | "_darcs" | "RCS" | "SCCS" => Some((Generated, "version control's own data")),
        "dist" | "storybook-static" => Some((Generated, "build output")),
        "__generated__" => Some((Generated, "written by a generator")),
        "target" if beside(path, &["Cargo.toml", "pom.xml"]) || path.join("CACHEDIR.TAG").is_file() => {
            Some((Generated, "build output"))
        }
        // These words also name source folders, which hold sources directly.
        "build" | "out" if beside(path, MANIFESTS) && !holds_sources(path) => Some((Generated, "build output")),
        "coverage" if beside(path, MANIFESTS) && !holds_sources(path) => Some((Generated, "coverage report")),
        _ => None,
    }
}

const MANIFESTS: &[&str] = &["package.json", "Cargo.toml", "composer.json", "go.mod", "deno.json"];

fn beside(path: &Path, manifests: &[&str]) -> bool {
    path.parent().is_some_and(|parent| manifests.iter().any(|name| parent.join(name).is_file()))
}

/// True where the folder itself holds what only people write: a compiler's
/// output has `.js` and `.d.ts`, never `.ts` or `.rs`.
fn holds_sources(path: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let source =
            name.ends_with(".ts") && !name.ends_with(".d.ts") || name.ends_with(".tsx") || name.ends_with(".rs");
        source || name == "tsconfig.json" || name == "package.json"
    })
}

/// Why a file is not looked at, by its name alone.
pub fn file(name: &str) -> Option<(SkipReason, &'static str)> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let ends = |marks: &[&str]| marks.iter().any(|mark| stem.ends_with(mark));
    if ends(&[".min", "-min", ".bundle", ".chunk"]) {
        return Some((SkipReason::Minified, "its name says so"));
    }
    if ends(&[".generated", ".gen", ".pb", "_pb", "_grpc_pb", ".g"]) {
        return Some((SkipReason::Generated, "its name says so"));
    }
    None
}
