//! Fixtures: the marks that say what must be found where.
//!
//! `// expect: id[/variant] [likely|possible]` stands on the line of the
//! primary node's start, or on a line of its own before it; several are
//! divided by commas. `// query: names` says that only resolved names tell
//! here, so that a query may differ from its analysis. `// path: src/a.ts` on
//! the first line says where the file would lie. Marks are invisible to a
//! scan: they are blanked, byte for byte, before it.

use std::sync::LazyLock;

use regex::Regex;

use crate::observe::Confidence;

/// What a fixture expects at one line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// 1-based line of the primary node's start.
    pub line: u32,
    /// The rule's id.
    pub rule: String,
    /// Its variant, where the mark names one.
    pub variant: Option<String>,
    /// The confidence, where the mark names one.
    pub confidence: Option<Confidence>,
}

/// A fixture's text with its marks taken out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marked {
    /// The text, in which blanks stand for marks.
    pub text: String,
    /// What is expected, by line.
    pub marks: Vec<Mark>,
    /// Lines at which only names tell.
    pub by_names: Vec<u32>,
    /// Where the file would lie.
    pub path: Option<String>,
}

static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let kinds = r"(?P<kind>expect|query|path):[ \t]*(?P<what>[^\n*]*?)[ \t]*";
    Regex::new(&format!(
        r"(?m)(?:\{{/\*[ \t]*{kinds}\*/\}}|/\*[ \t]*{}\*/|//[ \t]*{}\r?$)",
        rename(kinds, 2),
        rename(kinds, 3)
    ))
    .ok()
});

/// The same groups under other names: a pattern may not repeat them.
fn rename(kinds: &str, n: u32) -> String {
    kinds.replace("<kind>", &format!("<kind{n}>")).replace("<what>", &format!("<what{n}>"))
}

/// Reads and blanks the marks of a text.
pub fn read(text: &str) -> Marked {
    let mut marked = Marked { text: text.to_owned(), ..Marked::default() };
    let Some(mark) = MARK.as_ref() else { return marked };
    let mut blanked = text.as_bytes().to_vec();
    let mut found = Vec::new();
    for captures in mark.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        let group = |name: &str| {
            let names = [name.to_owned(), format!("{name}2"), format!("{name}3")];
            names.iter().find_map(|name| captures.name(name)).map_or("", |m| m.as_str())
        };
        found.push((whole.start(), group("kind").to_owned(), group("what").to_owned()));
        for byte in &mut blanked[whole.range()] {
            if *byte != b'\r' {
                *byte = b' ';
            }
        }
    }
    // Blanks for whole marks keep the text UTF-8.
    marked.text = String::from_utf8(blanked).unwrap_or_default();
    for (at, kind, what) in found {
        let line = line_meant(&marked.text, at);
        match kind.as_str() {
            "path" => marked.path = Some(what),
            "query" => marked.by_names.push(line),
            _ => marked.marks.extend(what.split(',').map(|one| read_mark(one, line))),
        }
    }
    marked.marks.sort();
    marked
}

/// The line of the mark, or where nothing else stands there, the next line
/// that holds something.
fn line_meant(blanked: &str, at: usize) -> u32 {
    let first = blanked.get(..at).map_or(0, |before| before.matches('\n').count());
    let lines = blanked.lines().enumerate().skip(first);
    lines.into_iter().find(|(_, line)| !line.trim().is_empty()).map_or(first, |(index, _)| index) as u32 + 1
}

fn read_mark(text: &str, line: u32) -> Mark {
    let mut words = text.split_whitespace();
    let id = words.next().unwrap_or_default();
    let (rule, variant) = match id.split_once('/') {
        Some((rule, variant)) => (rule, Some(variant.to_owned())),
        None => (id, None),
    };
    let confidence = words.next().and_then(|word| match word {
        "certain" => Some(Confidence::Certain),
        "likely" => Some(Confidence::Likely),
        "possible" => Some(Confidence::Possible),
        _ => None,
    });
    Mark { line, rule: rule.to_owned(), variant, confidence }
}

/// A text as the patch law compares it: lines that marks left blank are
/// dropped, and blanks at the ends of lines.
pub fn comparable(text: &str) -> String {
    let blank = |line: &str| !line.is_empty() && line.trim().is_empty();
    text.lines().filter(|line| !blank(line)).map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_and_blanked() {
        let text = "// path: src/b.ts\n// expect: a-b/c likely\n\nfoo(); // é\nbar(); // expect: d, e\n<p>{/* expect: f */}</p> // query: names\n";
        let marked = read(text);
        assert_eq!(marked.path.as_deref(), Some("src/b.ts"));
        let told: Vec<_> = marked.marks.iter().map(|m| (m.line, m.rule.as_str(), m.variant.as_deref())).collect();
        assert_eq!(told, [(4, "a-b", Some("c")), (5, "d", None), (5, "e", None), (6, "f", None)]);
        assert_eq!(marked.marks[0].confidence, Some(Confidence::Likely));
        assert_eq!(marked.by_names, [6]);
        assert_eq!(marked.text.len(), text.len());
        assert!(marked.text.contains("foo(); // é\nbar();   "));
        assert_eq!(comparable(&marked.text), "\nfoo(); // é\nbar();\n<p>                 </p>\n");
    }
}
