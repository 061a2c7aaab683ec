//! Where names stand in product code: a function whose name stands nowhere but
//! where it is declared is called by nobody, whatever its callers would do.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use rayon::prelude::*;

use crate::tree::Tree;

/// Files of more bytes are no code that somebody wrote.
const LIMIT_BYTES: u64 = 2 << 20;

/// Files that are searched at a time: most names are met again near where they
/// are declared, and then no more is read.
const CHUNK: usize = 128;

/// Those of `names` that stand as words in `files` (paths of product code, the
/// likeliest first) no more than once, which is where they are declared. Words
/// in the comments of a line, and in the test modules of Rust files, do not count.
pub fn standing_alone(tree: &dyn Tree, names: BTreeSet<String>, files: &[&str]) -> BTreeSet<String> {
    let mut left: BTreeMap<String, usize> = names.into_iter().map(|name| (name, 0)).collect();
    for files in files.chunks(CHUNK) {
        if left.is_empty() {
            break;
        }
        for (name, count) in counts(tree, left.keys().cloned().collect(), files) {
            *left.entry(name).or_default() += count;
        }
        left.retain(|_, count| *count <= 1);
    }
    left.into_keys().collect()
}

/// How often each name stands in the files as a word.
fn counts(tree: &dyn Tree, names: Vec<String>, files: &[&str]) -> BTreeMap<String, usize> {
    let Ok(automaton) = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&names) else {
        return BTreeMap::new();
    };
    let add = |mut all: BTreeMap<usize, usize>, some: BTreeMap<usize, usize>| {
        some.into_iter().for_each(|(name, count)| *all.entry(name).or_default() += count);
        all
    };
    let counts = files.par_iter().map(|path| {
        let bytes = tree.read(path, LIMIT_BYTES).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        words(&automaton, &text)
    });
    let counts = counts.reduce(BTreeMap::new, add);
    counts.into_iter().filter_map(|(name, count)| Some((names.get(name)?.clone(), count))).collect()
}

/// How often each pattern of the automaton stands in a text as a word.
fn words(automaton: &AhoCorasick, text: &str) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    let mut tests = None;
    for hit in automaton.find_iter(text) {
        let (before, after) = (&text[..hit.start()], &text[hit.end()..]);
        let is_word =
            before.chars().next_back().is_none_or(|c| !is_name(c)) && after.chars().next().is_none_or(|c| !is_name(c));
        if !is_word {
            continue;
        }
        let line = before.rsplit('\n').next().unwrap_or(before).trim_start();
        let is_remark = ["//", "/*", "* "].iter().any(|start| line.starts_with(start));
        let tests = tests.get_or_insert_with(|| test_modules(text));
        if !is_remark && !tests.iter().any(|module: &std::ops::Range<usize>| module.contains(&hit.start())) {
            *counts.entry(hit.pattern().as_usize()).or_default() += 1;
        }
    }
    counts
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The bytes of `#[cfg(test)] mod tests { … }`, to the brace that closes it as
/// rustfmt writes it: at the start of a line.
fn test_modules(text: &str) -> Vec<std::ops::Range<usize>> {
    let modules = text.match_indices("#[cfg(test)]").filter_map(|(at, mark)| {
        let rest = text[at + mark.len()..].trim_start();
        let opens = rest.strip_prefix("pub ").unwrap_or(rest).starts_with("mod ");
        let is_block = rest.lines().next().is_some_and(|line| line.trim_end().ends_with('{'));
        let end = text[at..].find("\n}").map_or(text.len(), |end| at + end);
        (opens && is_block).then_some(at..end)
    });
    modules.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Memory, Overlay};

    fn alone(names: &[&str], files: &[(&str, &str)]) -> Vec<String> {
        let over = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        standing_alone(&Overlay::new(Memory, over), names, &paths).into_iter().collect()
    }

    #[test]
    fn a_name_stands_alone_where_no_other_word_is_it() {
        let files = [
            ("a.ts", "export function load() {}\nexport function loadAll() {}\n"),
            ("b.ts", "import { loadAll } from './a';\n// load()\nreload(); load_one();\n"),
        ];
        assert_eq!(alone(&["load", "loadAll"], &files), ["load"]);
        assert_eq!(alone(&["load"], &[("a.ts", "function load() {}"), ("b.ts", "x[`load`]()")]), Vec::<String>::new());
    }

    #[test]
    fn test_modules_of_rust_do_not_count() {
        let module = "#[cfg(test)]\nmod tests {\n    fn t() {\n        upload();\n    }\n}\n";
        let after = format!("fn upload() {{}}\n{module}fn other() {{ upload() }}\n");
        let without = format!("fn upload() {{}}\n{module}");
        assert_eq!(alone(&["upload"], &[("a.rs", &without)]), ["upload"]);
        assert_eq!(alone(&["upload"], &[("a.rs", &after)]), Vec::<String>::new());
        let declared = "#[cfg(test)]\nmod tests;\nfn upload() {}\nfn other() {\n    upload()\n}\n";
        assert_eq!(alone(&["upload"], &[("a.rs", declared)]), Vec::<String>::new());
    }
}
