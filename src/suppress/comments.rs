//! The comments of a text, without a parser: for files that hold a mark and
//! may hold syntax errors. Strings, templates and lifetimes are told apart;
//! a string that is never closed ends with its line.

use crate::source::{Family, Span};

/// The comments of `text`, in order, with their signs.
pub fn comments(text: &str, family: Family) -> Vec<Span> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, found: Vec::new() };
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
}

/// Templates within templates; no one nests them deeper.
const TEMPLATES: u32 = 64;

impl Scanner<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn typescript(&mut self, depth: u32) {
        let mut braces = 0_u32;
        // Where a value may stand, `/` begins a regular expression.
        let mut value_next = true;
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
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                let ends_value =
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b')' | b']' | b'}' | b'>');
                value_next = !ends_value;
            }
            self.at += 1;
        }
    }

    fn template(&mut self, depth: u32) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    return;
                }
                b'$' if self.rest().starts_with(b"${") && depth < TEMPLATES => {
                    self.at += 2;
                    self.typescript(depth + 1);
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// A regular expression ends on its line, or it was a division.
    fn regex(&mut self) {
        let mut class = false;
        let mut at = self.at + 1;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\n' => break,
                b'\\' => at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.at = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        self.at += 1;
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

    /// A character literal, or a lifetime, which has no second quote.
    fn character(&mut self) {
        let rest = self.rest();
        let escaped = rest.get(1) == Some(&b'\\');
        let end = rest.iter().take(16).skip(if escaped { 3 } else { 2 }).position(|&b| b == b'\'');
        let long = |end: usize| !escaped && end > 4;
        match end {
            Some(end) if escaped => self.at += end + 4,
            // One character has at most four bytes.
            Some(end) if !long(end) && !rest[1].is_ascii_whitespace() && (end == 0 || !rest[1].is_ascii()) => {
                self.at += end + 3;
            }
            _ => self.at += 1,
        }
    }

    fn quoted(&mut self, quote: u8, over_lines: bool) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' => self.at += 1,
                b'\n' if !over_lines => return,
                _ if byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
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
    fn rust_comments_are_told_from_strings_and_lifetimes() {
        let text = "fn f<'a>(x: &'a str) { // one\n let c = '\"'; /* two /* in */ */ let q = '\\''; // three\n\
                    let r = r#\"// no \" \"#; let s = \"// no\n// no\"; let b = br\"// no\"; let e = 'é'; // four\n}";
        assert_eq!(of(text, Family::Rust), ["// one", "/* two /* in */ */", "// three", "// four"]);
        assert_eq!(of("let c = '\\u{1F600}'; // one", Family::Rust), ["// one"]);
    }
}
