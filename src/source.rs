//! One file's text with its language, its place and its line index.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

/// A byte range of one file, `end` exclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// First byte, 0-based.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// A span of the bytes `start..end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The empty span at `offset`: a place to insert at.
    pub const fn at(offset: u32) -> Self {
        Self { start: offset, end: offset }
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// True where the span holds no byte.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// True where `other` lies wholly inside this span.
    pub const fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// True where the two spans share a byte.
    pub const fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The smallest span that holds both.
    pub fn cover(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The span as a range for slicing.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place in a file as people and editors write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// Line, 1-based. Only LF and CRLF end a line.
    pub line: u32,
    /// Column in Unicode scalar values, 1-based.
    pub column: u32,
    /// Byte offset in the file, 0-based.
    pub byte: u32,
}

/// The grammar that a file is read with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Language {
    /// `.ts`, `.mts`, `.cts`
    TypeScript,
    /// `.tsx`
    Tsx,
    /// `.js`, `.jsx`, `.mjs`, `.cjs`; all of them may hold JSX
    JavaScript,
    /// `.rs`
    Rust,
}

/// The languages that share one model and one set of analyses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// TypeScript and JavaScript, with or without JSX.
    TypeScript,
    /// Rust.
    Rust,
}

impl Language {
    /// The language of a path by its ending; `None` for endings that are not
    /// scanned, and for `.d.ts` (declarations hold no code that runs).
    pub fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.')?;
        let declaration = stem.ends_with(".d") || stem.contains(".d.");
        match extension {
            "ts" | "mts" | "cts" if !declaration => Some(Self::TypeScript),
            "tsx" => Some(Self::Tsx),
            "js" | "jsx" | "mjs" | "cjs" => Some(Self::JavaScript),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }

    /// The family whose model reads this language.
    pub const fn family(self) -> Family {
        match self {
            Self::TypeScript | Self::Tsx | Self::JavaScript => Family::TypeScript,
            Self::Rust => Family::Rust,
        }
    }

    /// The name that a rule's `languages` uses for it.
    pub const fn rule_name(self) -> &'static str {
        match self {
            Self::TypeScript | Self::Tsx => "typescript",
            Self::JavaScript => "javascript",
            Self::Rust => "rust",
        }
    }
}

/// What the path of a file, below the scan's root, says about its use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum PathClass {
    /// Nothing special: code of the product.
    #[default]
    Product,
    /// Tests, fixtures, benches, examples, stories, playgrounds.
    Test,
    /// Build and tool configuration, code generators.
    Build,
    /// Command-line programs, one-off scripts, seeds and migrations.
    Script,
}

const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "__test__",
    "__mocks__",
    "mocks",
    "e2e",
    "spec",
    "specs",
    "fixtures",
    "fixture",
    "__fixtures__",
    "testing",
    "test-utils",
    "testutils",
    "testdata",
    "test-data",
    "test_data",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "perf-tests",
    "example",
    "examples",
    "playground",
    "playgrounds",
    "stories",
    "storybook",
    ".storybook",
    "cypress",
    "playwright",
    "integration-tests",
    "integration_tests",
    "sample",
    "samples",
    "demo",
    "demos",
    "fuzz",
    "loadtest",
    "load-tests",
    "smoke-tests",
    "templates",
    "template",
];
const BUILD_FOLDERS: &[&str] =
    &["build-tools", "webpack", "gulp", "codegen", "eslint", ".github", "dev-packages", "xtask"];
const SCRIPT_FOLDERS: &[&str] =
    &["scripts", "script", "migrations", "migration", "seeds", "seed", "seeders", "tools", "hack"];

impl PathClass {
    /// The class of `path`, which is relative to the scan's root, so that a
    /// folder called `fixtures` above the root does not count.
    pub fn of_path(path: &str) -> Self {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = name.to_ascii_lowercase();
        let mut class = Self::Product;
        // A package called `build` holds what builds run.
        if format!("{folders}/").contains("packages/build/") {
            class = Self::Script;
        }
        // Programs that show how a library is used, beside it.
        if matches!(
            folders.split('/').next(),
            Some("references" | "sandbox" | "sandboxes" | "starters" | "boilerplates")
        ) {
            return Self::Test;
        }
        let mut in_sources = false;
        for folder in folders.split('/').filter(|f| !f.is_empty()) {
            let folder = folder.to_ascii_lowercase();
            let folder = folder.as_str();
            let suffix_test = folder.ends_with("-test")
                || folder.ends_with("-tests")
                || folder.ends_with("_test")
                || folder.ends_with("_tests");
            let prefix_test = folder.starts_with("test-")
                || folder.starts_with("test_")
                || folder.starts_with("tests-")
                || folder.starts_with("e2e-");
            if TEST_FOLDERS.contains(&folder) || suffix_test || prefix_test {
                return Self::Test;
            }
            if BUILD_FOLDERS.contains(&folder) {
                class = Self::Build;
            } else if SCRIPT_FOLDERS.contains(&folder) && class == Self::Product {
                // `src/tools` holds what an assistant may call.
                if folder != "tools" || !in_sources {
                    class = Self::Script;
                }
            }
            in_sources |= folder == "src";
        }
        if is_test_name(&name) {
            return Self::Test;
        }
        if name == "build.rs"
            || name.contains(".config.") && is_tool_config(&name)
            || name.starts_with("gulpfile.")
            || name.starts_with("gruntfile.")
        {
            return Self::Build;
        }
        if class == Self::Product && is_cli_name(path.rsplit('/').next().unwrap_or(path)) {
            return Self::Script;
        }
        class
    }
}

/// `cli.ts`, `auth-cli.ts`, `CliAuth.js`: the command line is a word of the name.
fn is_cli_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let parted = stem.split(['-', '_']).any(|word| word.eq_ignore_ascii_case("cli"));
    let leads = stem
        .strip_prefix("Cli")
        .or(stem.strip_prefix("cli"))
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    parted || leads || stem.ends_with("Cli")
}

fn is_test_name(name: &str) -> bool {
    const MARKS: &[&str] = &[
        ".test.",
        ".spec.",
        ".e2e.",
        ".stories.",
        ".story.",
        ".bench.",
        ".clienttest.",
        ".servertest.",
        ".mock.",
        ".fixture.",
        ".cy.",
        ".e2e-spec.",
        ".int-spec.",
        "-test.",
        "-spec.",
        "_test.",
        "_tests.",
        "_bench.",
    ];
    MARKS.iter().any(|mark| name.contains(mark))
        || matches!(
            name,
            "test.rs" | "tests.rs" | "test.ts" | "tests.ts" | "test.js" | "setuptests.ts" | "setuptests.js"
        )
        || name.starts_with("test_") && name.ends_with(".rs")
}

/// `*.config.ts` is the build's where a tool reads it; `config/database.config.ts`
/// is the service's own configuration.
fn is_tool_config(name: &str) -> bool {
    const TOOLS: &[&str] = &[
        "vite",
        "vitest",
        "jest",
        "webpack",
        "rollup",
        "next",
        "nuxt",
        "babel",
        "tailwind",
        "postcss",
        "eslint",
        "prettier",
        "tsup",
        "esbuild",
        "playwright",
        "cypress",
        "svelte",
        "astro",
        "remix",
        "commitlint",
        "metro",
        "trigger",
        "turbo",
        "rspack",
        "karma",
        "stylelint",
        "drizzle",
        "tsdown",
    ];
    let stem = name.split('.').next().unwrap_or("");
    TOOLS.iter().any(|tool| stem == *tool || stem.starts_with(&format!("{tool}-")))
}

/// `text` with its control and bidirectional characters written out, so that a
/// name or a piece of code cannot steer the terminal that shows it.
pub fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if steers(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// `text` as parsers of TypeScript bear it: a byte-order mark before `#!…`
/// would make them find no program at all, so the line begins at once and
/// blanks stand for the mark. Every offset stays what it is.
pub fn for_parsers(text: &str) -> Cow<'_, str> {
    match text.strip_prefix("\u{feff}#!") {
        Some(rest) => Cow::Owned(format!("#!   {rest}")),
        None => Cow::Borrowed(text),
    }
}

/// One file as the analyses see it.
pub struct SourceFile {
    /// Path relative to the tree's root, with `/`.
    pub path: String,
    /// The grammar.
    pub language: Language,
    /// What its path says.
    pub class: PathClass,
    /// The text as it lies on disk, a byte-order mark included, so that byte
    /// offsets are the file's own.
    pub text: String,
    lines: OnceLock<LineIndex>,
}

impl SourceFile {
    /// A file of `text` at `path` (relative to the tree's root, with `/`);
    /// `class` is judged on the path below the scan's root.
    pub fn new(path: impl Into<String>, language: Language, class: PathClass, text: String) -> Self {
        let path = path.into();
        Self { path, language, class, text, lines: OnceLock::new() }
    }

    /// Drops the text and the line index.
    pub fn forget(&mut self) {
        self.text = String::new();
        self.lines = OnceLock::new();
    }

    /// The text of a span; empty where the span is not on character borders.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// The line index, built at the first call.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }

    /// The position of a byte offset.
    pub fn position(&self, byte: u32) -> Position {
        self.lines().position(&self.text, byte)
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFile").field("path", &self.path).field("bytes", &self.text.len()).finish()
    }
}

/// Where each line starts.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// The index of `text`.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        Self { starts }
    }

    /// The 1-based line that holds `byte`.
    pub fn line(&self, byte: u32) -> u32 {
        self.starts.partition_point(|&start| start <= byte) as u32
    }

    /// The byte at which the 1-based `line` starts; `None` past the last line.
    pub fn line_start(&self, line: u32) -> Option<u32> {
        self.starts.get(line.checked_sub(1)? as usize).copied()
    }

    /// How many lines there are; an empty text has one.
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The position of `byte` in `text`, the text this index was made of.
    /// An offset inside a character counts as that character's.
    pub fn position(&self, text: &str, byte: u32) -> Position {
        let byte = byte.min(text.len() as u32);
        let line = self.line(byte);
        // A byte order mark is no column.
        let mark = if line == 1 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let start = self.starts[line as usize - 1] as usize + mark;
        let mut end = (byte as usize).max(start);
        while end > start && !text.is_char_boundary(end) {
            end -= 1;
        }
        let column = text[start..end].chars().count() as u32 + 1;
        Position { line, column, byte }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let text = "\u{feff}aé b\nc";
        let lines = LineIndex::new(text);
        let place = |byte| {
            let Position { line, column, .. } = lines.position(text, byte);
            (line, column)
        };
        assert_eq!([place(0), place(3), place(4), place(7), place(9)], [(1, 1), (1, 1), (1, 2), (1, 4), (2, 1)]);
    }

    #[test]
    fn tools_among_the_sources_are_no_scripts() {
        let class = |path: &str| PathClass::of_path(path);
        assert_eq!(class("tools/release.ts"), PathClass::Script);
        assert_eq!(class("packages/api/tools/seed.ts"), PathClass::Script);
        assert_eq!(class("packages/agent/src/tools/search.ts"), PathClass::Product);
        assert_eq!(class("src/scripts/fill.ts"), PathClass::Script);
    }
}
