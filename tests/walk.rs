//! Which files a scan looks at, and what it says of the others.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use bizra_scan::report::SkipReason;
use bizra_scan::source::PathClass;
use bizra_scan::walk::{Options, WalkError, Walked, stdin, walk};

fn tree(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        put(folder.path(), file, "");
    }
    folder
}

fn put(root: &Path, path: &str, text: &str) {
    let full = root.join(path);
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    fs::write(full, text).unwrap();
}

fn walked(paths: &[PathBuf]) -> Walked {
    walk(&Options { paths: paths.to_vec(), threads: 2 }).unwrap()
}

fn paths(walked: &Walked) -> Vec<&str> {
    walked.files.iter().map(|file| file.path.as_str()).collect()
}

fn skipped(walked: &Walked) -> Vec<(&str, SkipReason)> {
    walked.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.reason)).collect()
}

#[test]
fn files_of_the_languages_are_listed_in_order() {
    let folder = tree(&["b.ts", "a/x.rs", "a.mjs", "README.md", "types.d.ts", ".hidden.ts", ".hidden/a.ts", "c.d.mts"]);
    let walked = walked(&[folder.path().into()]);
    assert_eq!(paths(&walked), ["a.mjs", "a/x.rs", "b.ts"]);
    assert_eq!(walked.prefix, "");
    assert_eq!(walked.root_typed, folder.path().display().to_string());
    assert_eq!(walked.skipped, []);
}

#[test]
fn ignore_files_count_without_a_repository() {
    let folder = tree(&["a.ts", "git.ts", "plain.ts", "own.ts", "in/deep.ts", "in/kept.ts"]);
    put(folder.path(), ".gitignore", "git.ts\nin/*\n!in/kept.ts\n");
    put(folder.path(), ".ignore", "plain.ts\n");
    put(folder.path(), ".bizraignore", "own.ts\n");
    assert_eq!(paths(&walked(&[folder.path().into()])), ["a.ts", "in/kept.ts"]);
}

#[test]
fn a_folder_is_passed_over_once_and_with_a_reason() {
    let folder = tree(&[
        "package.json",
        "src/a.ts",
        "node_modules/x/a.js",
        "node_modules/y/b.js",
        "dist/a.js",
        "build/a.js",
        "out/main.ts",
        "vendor/lib.js",
        "src/vendor/shop.ts",
        "src/target/aim.ts",
        "crate/Cargo.toml",
        "crate/target/debug/build.rs",
        "app.min.js",
        "api.generated.ts",
    ]);
    let walked = walked(&[folder.path().into()]);
    assert_eq!(paths(&walked), ["out/main.ts", "src/a.ts", "src/target/aim.ts", "src/vendor/shop.ts"]);
    assert_eq!(
        skipped(&walked),
        [
            ("api.generated.ts", SkipReason::Generated),
            ("app.min.js", SkipReason::Minified),
            ("build", SkipReason::Generated),
            ("crate/target", SkipReason::Generated),
            ("dist", SkipReason::Generated),
            ("node_modules", SkipReason::Vendored),
            ("vendor", SkipReason::Vendored),
        ]
    );
}

#[test]
fn a_path_given_is_walked_whatever_its_name() {
    let folder = tree(&["node_modules/x/a.js", ".hidden/b.ts", "ignored.ts"]);
    put(folder.path(), ".gitignore", "ignored.ts\n");
    assert_eq!(paths(&walked(&[folder.path().join("node_modules")])), ["x/a.js"]);
    assert_eq!(paths(&walked(&[folder.path().join(".hidden")])), ["b.ts"]);
    assert_eq!(paths(&walked(&[folder.path().join("ignored.ts")])), ["ignored.ts"]);
}

#[test]
fn several_paths_share_their_common_ancestor() {
    let folder = tree(&["api/src/a.ts", "api/src/b.ts", "web/c.ts", "other/d.ts"]);
    let at = |path: &str| folder.path().join(path);
    let both = walked(&[at("web"), at("api/src/a.ts"), at("api"), at("api/src")]);
    assert_eq!(paths(&both), ["api/src/a.ts", "api/src/b.ts", "web/c.ts"]);
    assert_eq!(both.tree_root, fs::canonicalize(folder.path()).unwrap());
    let file = walked(&[at("api/src/a.ts")]);
    assert_eq!(file.tree_root, fs::canonicalize(at("api/src")).unwrap());
    assert_eq!(paths(&file), ["a.ts"]);
}

#[test]
fn the_tree_starts_at_the_repository_and_classes_below_the_scan() {
    let folder = tree(&["fixtures/seed/src/a.ts", "fixtures/seed/tests/b.ts", "fixtures/c.ts"]);
    fs::create_dir(folder.path().join(".git")).unwrap();
    put(folder.path(), ".gitignore", "c.ts\n");
    let seed = walked(&[folder.path().join("fixtures/seed")]);
    assert_eq!(seed.tree_root, fs::canonicalize(folder.path()).unwrap());
    assert_eq!(seed.prefix, "fixtures/seed");
    assert_eq!(paths(&seed), ["fixtures/seed/src/a.ts", "fixtures/seed/tests/b.ts"]);
    let classes: Vec<PathClass> = seed.files.iter().map(|file| file.class).collect();
    assert_eq!(classes, [PathClass::Product, PathClass::Test]);
    assert_eq!(paths(&walked(&[folder.path().join("fixtures")])), paths(&seed));
}

#[test]
fn a_path_that_is_not_there_is_an_error() {
    let folder = tree(&["a.ts"]);
    for path in ["gone", "a.ts/below"] {
        let error = walk(&Options { paths: vec![folder.path().join(path)], threads: 1 }).unwrap_err();
        assert!(matches!(error, WalkError::NoSuchPath(_)), "{error}");
    }
}

#[test]
fn standard_input_has_its_place_in_the_tree() {
    let folder = tree(&["package.json", "src/old.ts"]);
    fs::create_dir(folder.path().join(".git")).unwrap();
    let walked = stdin(&folder.path().join("src/not/yet/there.ts"), 12).unwrap();
    assert_eq!(paths(&walked), ["src/not/yet/there.ts"]);
    assert_eq!(walked.prefix, "src/not/yet");
    assert_eq!(walked.tree_root, fs::canonicalize(folder.path()).unwrap());
    assert!(matches!(stdin(&folder.path().join("a.md"), 1), Err(WalkError::NotScanned(_))));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_named_and_never_followed() {
        let outside = tree(&["secret.ts"]);
        let folder = tree(&["src/a.ts", "notes.md"]);
        let at = |path: &str| folder.path().join(path);
        symlink(outside.path().join("secret.ts"), at("out.ts")).unwrap();
        symlink(outside.path(), at("out")).unwrap();
        symlink("..", at("src/up")).unwrap();
        symlink("loop.ts", at("loop.ts")).unwrap();
        symlink("gone.ts", at("gone-link.ts")).unwrap();
        symlink("src/a.ts", at("same.ts")).unwrap();
        symlink("notes.md", at("also.md")).unwrap();
        let walked = walked(&[folder.path().into()]);
        assert_eq!(paths(&walked), ["src/a.ts"]);
        let links: Vec<(&str, &str)> = walked.skipped.iter().map(|s| (s.path.as_str(), s.detail.as_str())).collect();
        assert_eq!(
            links,
            [
                ("gone-link.ts", "leads nowhere"),
                ("loop.ts", "leads in a circle"),
                ("out", "leads out of the root"),
                ("out.ts", "leads out of the root"),
                ("same.ts", "its target is looked at in its own place"),
                ("src/up", "leads back to a folder above it"),
            ]
        );
        assert!(walked.skipped.iter().all(|s| s.reason == SkipReason::Link));
    }

    #[test]
    fn pipes_are_not_files_and_names_may_be_no_text() {
        let folder = tree(&["a.ts"]);
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.ts")).status().unwrap();
        assert!(made.success());
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"b\xff.ts")), "").unwrap();
        let walked = walked(&[folder.path().into()]);
        assert_eq!(paths(&walked), ["a.ts"]);
        assert_eq!(skipped(&walked), [("b\u{fffd}.ts", SkipReason::Unreadable), ("pipe.ts", SkipReason::NotAFile)]);
    }
}
