//! Whether the code of a package is written for windows of browsers, as far as
//! its text shows.

use std::sync::LazyLock;

use rayon::prelude::*;
use regex::bytes::Regex;

use crate::tree::Tree;

/// Files of more bytes are no code that somebody wrote.
const LIMIT_BYTES: u64 = 2 << 20;

/// What only a window or a service worker has.
static WINDOWS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x-u) \bwindow\.(location|addEventListener|open|localStorage|sessionStorage|btoa|crypto)\b
        | \bdocument\.(createElement|querySelector|getElementById|body|cookie)\b
        | \bself\.addEventListener\b | \bnavigator\.(serviceWorker|storage)\b
        | \bindexedDB\b | \blocalStorage\b",
    )
    .ok()
});

/// A look at where the code runs, before it does what only one place can.
static GUARDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)\btypeof (globalThis\.)?(window|document|self|navigator|localStorage|indexedDB)\b").ok()
});

/// An import of what only Node and its like have.
static NODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x-u) (?: \brequire\s*\( | \bfrom\s* | \bimport\s*\(? ) \s* ["']
        (?: node:\w | (?: fs | fs/promises | http | https | net | os | child_process | path | stream | zlib
        | worker_threads | crypto | util | events | url | buffer | process | readline | dns | tls ) ["'] )"#,
    )
    .ok()
});

/// True where some of `files` (a package's own) use what only a window has,
/// seldom ask first whether there is one, and none imports a module of Node.
///
/// Of the seven packages that use a window and no module of Node and whose
/// findings were read, it holds for four, all written for pages; the other
/// three ask first.
pub fn are_for_windows(tree: &dyn Tree, files: &[&str]) -> bool {
    #[derive(Clone, Copy, Default)]
    struct Seen {
        windows: usize,
        guards: usize,
        node: bool,
    }
    let look = |path: &&str| {
        let bytes = tree.read(path, LIMIT_BYTES).unwrap_or_default();
        let has = |marks: &LazyLock<Option<Regex>>| marks.as_ref().is_some_and(|marks| marks.is_match(&bytes));
        Seen { windows: usize::from(has(&WINDOWS)), guards: usize::from(has(&GUARDS)), node: has(&NODE) }
    };
    let add =
        |a: Seen, b: Seen| Seen { windows: a.windows + b.windows, guards: a.guards + b.guards, node: a.node || b.node };
    let seen = files.par_iter().map(look).reduce(Seen::default, add);
    !seen.node && seen.windows > 2 * seen.guards
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Memory, Overlay};

    fn windows(files: &[&str]) -> bool {
        let paths: Vec<String> = (0..files.len()).map(|index| format!("{index}.ts")).collect();
        let over = paths.iter().cloned().zip(files.iter().map(|text| text.as_bytes().to_vec())).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        are_for_windows(&Overlay::new(Memory, over), &paths)
    }

    #[test]
    fn what_uses_a_window_and_nothing_of_node_is_for_windows() {
        let page = "self.addEventListener('sync', go);";
        let either = "if (typeof window !== 'undefined') window.open(url);";
        assert!(windows(&[page]));
        assert!(windows(&[page, "fetch(url)", "const url = 'url';"]));
        assert!(!windows(&["fetch(url)"]));
        assert!(!windows(&[page, either]));
        assert!(!windows(&[page, "import { readFile } from 'node:fs/promises';"]));
        assert!(!windows(&[page, "const http = require('http');"]));
    }
}
