//! Identity: what makes two findings in two versions the same one.
//!
//! A fingerprint is made of the rule, the variant, the path, the enclosing
//! symbol, the shape of the primary node and its place among equals. Lines,
//! spacing, comments, names and literals are left out, so that a line inserted
//! above, a reformat or an edited argument does not change it; the anchors
//! hold the parts, for matching where a function was renamed or a file moved.

use std::collections::HashMap;

use crate::finding::Anchors;
use crate::source::Span;

/// What a fingerprint is made of.
#[derive(Clone, Debug)]
pub struct Subject<'s> {
    /// Rule id.
    pub rule: &'s str,
    /// The rule's variant.
    pub variant: Option<&'s str>,
    /// Path relative to the scan's root.
    pub path: &'s str,
    /// Enclosing symbol.
    pub symbol: &'s str,
    /// Text of the primary node.
    pub text: &'s str,
    /// The primary node: only its order among equals counts.
    pub span: Span,
}

/// The anchors and the fingerprint of every subject, in the order given.
pub fn identify(subjects: &[Subject<'_>]) -> Vec<(Anchors, String)> {
    let shapes: Vec<(String, String)> = subjects.iter().map(|s| digests(s.text)).collect();
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    order.sort_by_key(|&i| (subjects[i].path, subjects[i].span));
    let mut seen: HashMap<(&str, Option<&str>, &str, &str, &str), u32> = HashMap::new();
    let mut occurrences = vec![0; subjects.len()];
    for i in order {
        let s = &subjects[i];
        let count = seen.entry((s.rule, s.variant, s.path, s.symbol, &shapes[i].0)).or_default();
        occurrences[i] = *count;
        *count += 1;
    }
    let of = |i: usize| {
        let s = &subjects[i];
        let (shape, tokens) = shapes[i].clone();
        let occurrence = occurrences[i];
        let anchors = Anchors { symbol: s.symbol.to_owned(), shape, tokens, occurrence };
        let occurrence = occurrence.to_string();
        let id = digest([s.rule, s.variant.unwrap_or(""), s.path, s.symbol, &anchors.shape, &occurrence]);
        (anchors, id)
    };
    (0..subjects.len()).map(of).collect()
}

/// The digests of a text's shape (names and literals left out) and tokens.
fn digests(text: &str) -> (String, String) {
    let tokens: Vec<Token<'_>> = Tokens(text).collect();
    let shape = digest(tokens.iter().map(|token| match token {
        Token::Name(word) if is_keyword(word) => word,
        Token::Name(_) => "name",
        Token::Literal(_) => "literal",
        Token::Mark(mark) => mark,
    }));
    let all = digest(tokens.iter().map(|token| match token {
        Token::Name(text) | Token::Literal(text) | Token::Mark(text) => *text,
    }));
    (shape, all)
}

/// 64 bits suffice: a collision among a million findings has odds of one in
/// 10^7, and ids are unique within a report by `occurrence` besides.
fn digest<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().as_str()[..16].to_owned()
}

/// Words that say what is done, in either family of languages.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] =
        &["await", "new", "async", "return", "for", "while", "if", "else", "match", "move", "let", "const", "yield"];
    KEYWORDS.contains(&word)
}

enum Token<'t> {
    Name(&'t str),
    Literal(&'t str),
    Mark(&'t str),
}

/// The tokens of TypeScript or Rust text, near enough for comparing: spaces
/// and comments fall out, and a literal stays one piece.
struct Tokens<'t>(&'t str);

impl<'t> Tokens<'t> {
    fn take(&mut self, length: usize) -> &'t str {
        let (token, rest) = self.0.split_at(length);
        self.0 = rest;
        token
    }

    fn skip_blank(&mut self) {
        loop {
            let text = self.0.trim_start();
            self.0 = if text.starts_with("//") {
                text.find('\n').map_or("", |end| &text[end..])
            } else if text.starts_with("/*") {
                text.find("*/").map_or("", |end| &text[end + 2..])
            } else {
                text
            };
            if self.0.len() == text.len() {
                return;
            }
        }
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        self.skip_blank();
        let first = self.0.chars().next()?;
        let while_ = |text: &str, wanted: fn(char) -> bool| text.find(|c| !wanted(c)).unwrap_or(text.len());
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '#';
        Some(match first {
            c if c.is_ascii_digit() => {
                let length = while_(self.0, |c| c.is_alphanumeric() || c == '_' || c == '.');
                Token::Literal(self.take(length))
            }
            c if is_word(c) => {
                let length = while_(self.0, is_word);
                Token::Name(self.take(length))
            }
            '"' | '\'' | '`' => {
                let length = quoted(self.0, first);
                Token::Literal(self.take(length))
            }
            c => Token::Mark(self.take(c.len_utf8())),
        })
    }
}

/// Length in bytes of the quoted text that `text` begins with. A Rust lifetime
/// (`'a`) has no closing quote nearby; it is taken as its quote alone.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' && quote != '"' => return 1,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (Anchors, String) {
        let subject = Subject { rule: "r", variant: None, path: "a.ts", symbol: "f", text, span: Span::new(0, 1) };
        identify(&[subject]).remove(0)
    }

    #[test]
    fn spacing_comments_names_and_literals_do_not_count() {
        let (first, id) = one("await api.get('/users', { a: 1 })");
        let (second, same) = one("await  http.get( /* all */ \"/people\", {\n b: 2 })");
        assert_eq!(id, same);
        assert_eq!(first.shape, second.shape);
        assert_ne!(first.tokens, second.tokens);
        assert_ne!(one("await api.get(x, y)").1, id);
    }

    #[test]
    fn equals_are_told_apart_by_their_order() {
        let at = |start| Subject {
            rule: "r",
            variant: None,
            path: "a.ts",
            symbol: "f",
            text: "fetch(x)",
            span: Span::new(start, start + 8),
        };
        let both = identify(&[at(50), at(10)]);
        assert_eq!((both[0].0.occurrence, both[1].0.occurrence), (1, 0));
        assert_ne!(both[0].1, both[1].1);
    }

    #[test]
    fn broken_and_foreign_text_ends() {
        for text in ["'open", "fn f<'a>(x: &'a str)", "`${`nested`}`", "\u{0}\u{feff}é∀", "/* open"] {
            assert_eq!(one(text).1.len(), 16);
        }
    }
}
