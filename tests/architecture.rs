//! Holds the modules to the table in `docs/architecture.md`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Module name to what it may name, from the document's table.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("the document is there");
    let (_, after) = text.split_once("| module | may name |").expect("the table is there");
    after
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let may = cells[1].split(',').map(str::trim).filter(|name| !name.is_empty());
            (cells[0].to_owned(), may.map(str::to_owned).collect())
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.expect("the folder can be listed").into_path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        // Unit tests that have a file of their own may name anything.
        .filter(|path| !path.to_string_lossy().ends_with("tests.rs"))
        .collect();
    found.sort();
    found
}

/// The module that a file of `src` belongs to.
fn module(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).expect("a file of src");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments and without test modules (which end the file).
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a readable file");
    let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The modules that a text names as `crate::NAME`, or as `crate::{A, B}`.
fn named(code: &str) -> BTreeSet<String> {
    let single = regex::Regex::new(r"\bcrate::([a-z_]+)").expect("a pattern");
    let grouped = regex::Regex::new(r"\bcrate::\{([^}]*)").expect("a pattern");
    let heads = |list: &str| -> Vec<String> {
        list.split(',').map(|item| item.trim().split("::").next().unwrap_or_default().to_owned()).collect()
    };
    let mut names: BTreeSet<String> = single.captures_iter(code).map(|c| c[1].to_owned()).collect();
    names.extend(grouped.captures_iter(code).flat_map(|c| heads(&c[1])));
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn modules_name_only_what_the_table_allows() {
    let table = table();
    assert!(table.len() > 15, "the table was read");
    let mut wrong = Vec::new();
    for path in files(&root().join("src")) {
        let module = module(&path);
        if matches!(module.as_str(), "main" | "lib") {
            continue;
        }
        let Some(may) = table.get(&module) else {
            wrong.push(format!("`{module}` has no row"));
            continue;
        };
        for name in named(&code(&path)) {
            if name != module && !may.contains(&name) {
                wrong.push(format!("`{}` names `{name}`, which its row does not list", path.display()));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_tree_reads_the_scanned_repository() {
    // `walk` lists folders through `ignore`; `command` writes outputs and reads
    // standard input.
    const READERS: &[&str] = &["tree", "walk", "command", "main"];
    let reads = regex::Regex::new(
        r"\b(std::fs|fs::(read|read_to_string|File|metadata|canonicalize|read_dir|symlink_metadata)|File::open)\b",
    )
    .expect("a pattern");
    // What stands in quotes is looked for in the scanned code.
    let quoted = regex::Regex::new(r#""[^"\n]*""#).expect("a pattern");
    let wrong: Vec<String> = files(&root().join("src"))
        .iter()
        .filter(|path| !READERS.contains(&module(path).as_str()))
        .filter(|path| reads.is_match(&quoted.replace_all(&code(path), "\"\"")))
        .map(|path| path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "these read by themselves: {wrong:?}");
}

#[test]
fn no_room_is_too_large() {
    let large: Vec<String> = files(&root().join("src"))
        .iter()
        .map(|path| (path, fs::read_to_string(path).expect("a readable file").lines().count()))
        .filter(|(_, lines)| *lines > 520)
        .map(|(path, lines)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(large.is_empty(), "{large:?}");
}

#[test]
fn analyses_hold_no_sentence() {
    // A literal of four words or more is prose, which belongs in a rule's TOML.
    let prose = regex::Regex::new(r#""[A-Za-z][a-z]+( [a-z]+){3,}[^"]*""#).expect("a pattern");
    let wrong: Vec<String> = files(&root().join("src/analyze"))
        .iter()
        .flat_map(|path| {
            let code = code(path);
            let hits: Vec<String> = prose.find_iter(&code).map(|hit| hit.as_str().to_owned()).collect();
            hits.into_iter().map(|hit| format!("{}: {hit}", path.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
