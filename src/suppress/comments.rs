//! The comments of a text, without a parser: for Rust, whose tree has none,
//! and for files with syntax errors. Strings, templates and lifetimes are told
//! apart; a string that is never closed ends with its line.

use crate::lex::{self, BEFORE_STATEMENTS, BEFORE_VALUES};
use crate::source::{Family, Span};

/// The comments of `text`, in order, with their signs.
pub fn comments(text: &str, family: Family) -> Vec<Span> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, found: Vec::new(), unclosed: 0 };
    match family {
        Family::TypeScript => scanner.typescript(0),
        Family::Rust => scanner.rust(),
    }
    scanner.found
}

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    found: Vec<Span>,
    /// Backticks that began no template.
    unclosed: u32,
}

/// Templates within templates; no one nests them deeper.
const TEMPLATES: u32 = 64;

/// Backticks without a second one, each of which costs a look at the rest.
const UNCLOSED: u32 = 8;

impl Scanner<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn typescript(&mut self, depth: u32) {
        let mut braces = 0_u32;
        // Where a value may stand, `/` begins a regular expression.
        let mut value_next = true;
        // Of each open parenthesis: a statement follows its end.
        let mut parens: Vec<bool> = Vec::new();
        let mut statement_next = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'/' if self.comment(false) => continue,
                b'/' if value_next => {
                    self.regex();
                    value_next = false;
                    continue;
                }
                b'"' | b'\'' => {
                    self.quoted(byte, false);
                    value_next = false;
                    continue;
                }
                b'`' => {
                    self.template(depth);
                    value_next = false;
                    continue;
                }
                b'{' => braces += 1,
                b'}' if depth > 0 && braces == 0 => return,
                b'}' => braces = braces.saturating_sub(1),
                b'(' => parens.push(statement_next),
                // A block that ends its line is more often a statement's.
                b'\n' if self.bytes[..self.at].trim_ascii_end().ends_with(b"}") => value_next = true,
                _ => {}
            }
            let word = lex::word(self.rest());
            if !word.is_empty() {
                let member = self.bytes[..self.at].ends_with(b".");
                value_next = !member && BEFORE_VALUES.contains(&word);
                statement_next = !member && BEFORE_STATEMENTS.contains(&word);
                self.at += word.len();
                continue;
            }
            if !byte.is_ascii_whitespace() {
                value_next = match byte {
                    b')' => parens.pop().unwrap_or(false),
                    b'>' => self.bytes[..self.at].ends_with(b"="),
                    // The end tag of JSX.
                    b'<' => !self.rest().starts_with(b"</"),
                    _ => !matches!(byte, b']' | b'}'),
                };
                statement_next = false;
            }
            self.at += 1;
        }
    }

    /// A template; a backtick without a second one is text, as JSX may hold it.
    fn template(&mut self, depth: u32) {
        let (start, found) = (self.at, self.found.len());
        if !self.template_ends(depth) && depth == 0 && self.unclosed < UNCLOSED {
            self.unclosed += 1;
            self.at = start + 1;
            self.found.truncate(found);
        }
    }

    fn template_ends(&mut self, depth: u32) -> bool {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    return true;
                }
                b'$' if self.rest().starts_with(b"${") && depth < TEMPLATES => {
                    self.at += 2;
                    self.typescript(depth + 1);
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        false
    }

    /// A regular expression, or a division.
    fn regex(&mut self) {
        self.at += 1;
        self.at += lex::regex(self.rest()).unwrap_or(0);
    }

    fn rust(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'/' if self.comment(true) => {}
                b'"' => self.quoted(byte, true),
                b'r' if !self.in_word() && self.raw_string() => {}
                b'\'' => self.character(),
                _ => self.at += 1,
            }
        }
    }

    fn in_word(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.bytes[at]);
        // `br"…"` and `cr"…"` are raw strings too.
        before.is_some_and(|b| b.is_ascii_alphanumeric() && !matches!(b, b'b' | b'c') || b == b'_')
    }

    fn raw_string(&mut self) -> bool {
        let hashes = self.rest()[1..].iter().take_while(|&&b| b == b'#').count();
        if self.rest().get(1 + hashes) != Some(&b'"') {
            return false;
        }
        let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
        let body = self.at + 2 + hashes;
        let end = memchr::memmem::find(&self.bytes[body..], &close);
        self.at = end.map_or(self.bytes.len(), |end| body + end + close.len());
        true
    }

    /// A character literal, or a lifetime.
    fn character(&mut self) {
        self.at += 1;
        self.at += lex::character(self.rest()).unwrap_or(0);
    }

    /// A text in quotes; one that is never closed ends with its line.
    fn quoted(&mut self, quote: u8, over_lines: bool) {
        self.at += 1;
        let (Ok(end) | Err(end)) = lex::quoted(self.rest(), quote, over_lines);
        self.at += end;
    }

    /// Takes a comment where one begins here; block comments nest in Rust.
    fn comment(&mut self, nests: bool) -> bool {
        let start = self.at;
        if self.rest().starts_with(b"//") {
            self.at += memchr::memchr(b'\n', self.rest()).unwrap_or(self.rest().len());
        } else if self.rest().starts_with(b"/*") {
            self.at += 2;
            let mut open = 1;
            while open > 0 && self.at < self.bytes.len() {
                if self.rest().starts_with(b"*/") {
                    open -= 1;
                    self.at += 2;
                } else if nests && self.rest().starts_with(b"/*") {
                    open += 1;
                    self.at += 2;
                } else {
                    self.at += 1;
                }
            }
        } else {
            return false;
        }
        self.at = self.at.min(self.bytes.len());
        self.found.push(Span::new(start as u32, self.at as u32));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, family: Family) -> Vec<&str> {
        comments(text, family).into_iter().map(|span| &text[span.range()]).collect()
    }

    #[test]
    fn typescript_comments_are_told_from_strings() {
        let text = "a('// no'); // one\nconst t = `// no ${f(/* two */ `x${1}`)} // no`; /* three\n*/ let r = /\\/\\/ [/]x/; // four\n\
                    <p>Don't // five\n</p>; const s = \"it's // no\\\" // no\"; a / b // six";
        let wanted = ["// one", "/* two */", "/* three\n*/", "// four", "// six"];
        assert_eq!(of(text, Family::TypeScript), wanted);
        assert_eq!(of("`${`${`", Family::TypeScript), Vec::<&str>::new());
        assert_eq!(of("/* open", Family::TypeScript), ["/* open"]);
        assert_eq!(of("x = '\\", Family::TypeScript), Vec::<&str>::new());
    }

    #[test]
    fn a_regular_expression_is_no_quote() {
        for text in [
            "function q(s) { return /`/.test(s); } // one",
            "if (s) /`/.exec(s); // one",
            "while (a(b)) /'/.exec(s); // one",
            "f()\n{ g(); }\n/`/.exec(s); // one",
            "typeof /`/; // one",
            "switch (s) { case /`/.test(s): f() } // one",
            "const q = (s) => /`/.test(s); // one",
            "async function* f() { yield /`/; await /`/; throw /`/ } // one",
            "return /\\/*'/.test(s) // one",
            "return /[/*]x/.test(s) // one",
            "a = (b) / 2; c = d.of / 2; e = x[0] / 2; // one",
            "const p = <p>use ` here</p>; // one",
        ] {
            assert_eq!(of(text, Family::TypeScript), ["// one"], "{text}");
        }
    }

    #[test]
    fn rust_comments_are_told_from_strings_and_lifetimes() {
        let text = "fn f<'a>(x: &'a str) { // one\n let c = '\"'; /* two /* in */ */ let q = '\\''; // three\n\
                    let r = r#\"// no \" \"#; let s = \"// no\n// no\"; let b = br\"// no\"; let e = 'é'; // four\n}";
        assert_eq!(of(text, Family::Rust), ["// one", "/* two /* in */ */", "// three", "// four"]);
        assert_eq!(of("let c = '\\u{1F600}'; // one", Family::Rust), ["// one"]);
    }
}
