//! Refuses text that would overflow the parsers' stacks: they recurse, cannot
//! be interrupted, and a stack overflow ends the process.
//!
//! What nests is counted, not what is long: brackets, tags, and the tokens of
//! one expression, since a chain of operators, members or prefixes nests as
//! deeply as brackets do. Comments, the text of templates and the end of a
//! statement, written or not, take nothing with them.

use crate::lex::{self, BEFORE_STATEMENTS, BEFORE_VALUES};
use crate::source::{Family, Language};

/// Most open brackets or tags. oxc and syn passed 50,000 on 256 MB of stack.
const BRACKETS: u32 = 20_000;

/// Most tokens of an expression and those around it.
const CHAIN: u32 = 50_000;

/// Most `else` with another statement behind it, as in `else if`.
const ELSES: u32 = 20_000;

/// Words besides [`BEFORE_VALUES`] that something follows: the line may end
/// there, the statement not.
const OPEN_WORDS: &[&[u8]] = &[
    b"as",
    b"satisfies",
    b"keyof",
    b"infer",
    b"export",
    b"const",
    b"let",
    b"var",
    b"function",
    b"class",
    b"if",
    b"while",
    b"for",
    b"with",
    b"is",
    b"break",
    b"ref",
    b"mut",
    b"dyn",
    b"impl",
    b"match",
    b"loop",
    b"unsafe",
    b"async",
    b"move",
    b"static",
    b"fn",
    b"where",
    b"unique",
    b"readonly",
    b"asserts",
];

/// Words that go on with what stands on the line before.
const GOES_ON: &[&[u8]] =
    &[b"in", b"of", b"instanceof", b"as", b"satisfies", b"extends", b"is", b"where", b"implements"];

/// Why a text is too deep; `None` where the parsers bear it.
pub fn too_deep(text: &str, language: Language) -> Option<String> {
    let bytes = text.as_bytes();
    // No shorter text can nest so deeply: every level takes a byte.
    if bytes.len() < BRACKETS as usize {
        return None;
    }
    let brackets = || Some(format!("more than {BRACKETS} open brackets"));
    // Whatever is misread below, brackets cannot hide from this.
    let (open, opens) = open_brackets(bytes);
    if open > BRACKETS {
        return brackets();
    }
    if bytes.len() <= CHAIN as usize && opens <= BRACKETS {
        return None;
    }
    let mut scan = Scan::new(bytes, language);
    while scan.token() {
        if scan.levels.len() > BRACKETS as usize {
            return brackets();
        }
        if scan.chain > CHAIN {
            return Some(format!("an expression of more than {CHAIN} tokens"));
        }
        if scan.elses > ELSES {
            return Some(format!("more than {ELSES} `else if`"));
        }
        if scan.tags > BRACKETS {
            return Some(format!("more than {BRACKETS} open tags"));
        }
    }
    None
}

/// Most brackets that are open at once, and how many are opened in all,
/// wherever they stand.
fn open_brackets(bytes: &[u8]) -> (u32, u32) {
    let (mut open, mut most, mut all) = (0u32, 0u32, 0u32);
    for byte in bytes {
        match byte {
            b'(' | b'[' | b'{' => {
                open += 1;
                all += 1;
                most = most.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    (most, all)
}

/// An open bracket.
struct Level {
    /// Tokens around it.
    before: u32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Parentheses; of an `if` or a loop where true.
    Round(bool),
    Square,
    Curly,
    /// `${` of a template.
    Hole,
}

/// What the last token was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Something must follow it.
    Open,
    /// A statement may end with it.
    Value,
    /// `}`: a statement is likely to have ended.
    Block,
    /// `if`, `while`, `for`, `with`.
    Head,
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    rust: bool,
    /// The text may hold tags.
    markup: bool,
    levels: Vec<Level>,
    /// Tokens of the expression, and of those around it.
    chain: u32,
    elses: u32,
    tags: u32,
    last: Last,
}

impl<'t> Scan<'t> {
    fn new(bytes: &'t [u8], language: Language) -> Self {
        let rust = language.family() == Family::Rust;
        let markup = matches!(language, Language::Tsx | Language::JavaScript);
        Self { bytes, at: 0, rust, markup, levels: Vec::new(), chain: 0, elses: 0, tags: 0, last: Last::Open }
    }

    fn rest(&self) -> &'t [u8] {
        &self.bytes[self.at.min(self.bytes.len())..]
    }

    /// Goes past one token; false at the end.
    fn token(&mut self) -> bool {
        let new_line = self.blank();
        let Some(&byte) = self.bytes.get(self.at) else { return false };
        let word = lex::word(self.rest());
        if self.ends_before(byte, word, new_line) {
            self.end_statement();
        }
        if !word.is_empty() {
            self.word(word);
            return true;
        }
        self.at += 1;
        match byte {
            b'(' => self.open(Kind::Round(self.last == Last::Head)),
            b'[' => self.open(Kind::Square),
            b'{' => self.open(Kind::Curly),
            b')' | b']' | b'}' => self.close(byte),
            b';' | b',' => {
                self.end_statement();
                self.last = Last::Open;
            }
            b'\'' if self.rust => self.value_to(lex::character(self.rest())),
            // In Rust a text may have many lines.
            b'"' | b'\'' => self.value_to(lex::quoted(self.rest(), byte, self.rust).ok()),
            b'`' if !self.rust => self.template(),
            b'/' if self.markup && self.rest().starts_with(b">") => {
                self.tags = self.tags.saturating_sub(1);
                self.end_statement();
                self.sign();
            }
            b'/' if !self.rust && (self.last != Last::Value && (self.last != Last::Block || new_line)) => {
                self.value_to(lex::regex(self.rest()));
            }
            b'<' if self.markup => self.tag(),
            _ => self.sign(),
        }
        true
    }

    /// True where the statement ended before the token that begins with `byte`.
    fn ends_before(&self, byte: u8, word: &[u8], new_line: bool) -> bool {
        // Inside parentheses no line's end is a statement's.
        let among_statements = self.levels.last().is_none_or(|level| level.kind == Kind::Curly);
        let may_end = match self.last {
            Last::Value => new_line && among_statements,
            Last::Block => true,
            Last::Open | Last::Head => false,
        };
        let begins = match word {
            [] => matches!(byte, b'"' | b'\'' | b'{' | b'@' | b'#') || byte == b'<' && self.markup,
            word => !GOES_ON.contains(&word),
        };
        may_end && begins
    }

    fn end_statement(&mut self) {
        self.chain = self.levels.last().map_or(0, |level| level.before + 1);
    }

    fn word(&mut self, word: &[u8]) {
        self.at += word.len();
        self.chain += 1;
        self.last = match word {
            // `for await (…)`
            b"await" if self.last == Last::Head => Last::Head,
            _ if BEFORE_STATEMENTS.contains(&word) => Last::Head,
            _ if BEFORE_VALUES.contains(&word) || OPEN_WORDS.contains(&word) => Last::Open,
            _ => Last::Value,
        };
        if word == b"else" && !self.rest().trim_ascii_start().starts_with(b"{") {
            self.elses += 1;
        }
    }

    fn sign(&mut self) {
        self.chain += 1;
        self.last = Last::Open;
    }

    fn value(&mut self) {
        self.chain += 1;
        self.last = Last::Value;
    }

    fn open(&mut self, kind: Kind) {
        self.levels.push(Level { before: self.chain, kind });
        self.chain += 1;
        self.last = Last::Open;
    }

    fn close(&mut self, byte: u8) {
        let level = self.levels.pop();
        self.chain = level.as_ref().map_or(0, |level| level.before + 1);
        self.last = match (byte, level.map(|level| level.kind)) {
            (b'}', Some(Kind::Hole)) => return self.template(),
            (b'}', _) => Last::Block,
            // The statement of an `if` is still to come.
            (_, Some(Kind::Round(true))) => Last::Open,
            _ => Last::Value,
        };
    }

    /// Goes past blanks and comments; true where a line ended.
    fn blank(&mut self) -> bool {
        let start = self.at;
        loop {
            let rest = self.rest();
            self.at += rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let rest = self.rest();
            if rest.starts_with(b"//") {
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            } else if rest.starts_with(b"/*")
                && let Some(end) = memchr::memmem::find(&rest[2..], b"*/")
            {
                self.at += end + 4;
            } else {
                break;
            }
        }
        memchr::memchr(b'\n', &self.bytes[start..self.at]).is_some()
    }

    /// Goes past what ends there as a value; without an end the sign was one
    /// for itself.
    fn value_to(&mut self, end: Option<usize>) {
        match end {
            Some(end) => {
                self.at += end;
                self.value();
            }
            None => self.sign(),
        }
    }

    /// The text of a template up to its end or its next hole.
    fn template(&mut self) {
        let mut at = self.at;
        loop {
            let Some(stop) = memchr::memchr3(b'`', b'\\', b'$', &self.bytes[at.min(self.bytes.len())..]) else {
                // A backtick alone is text between tags.
                return self.sign();
            };
            at += stop + 1;
            match self.bytes[at - 1] {
                b'\\' => at += 1,
                b'`' => {
                    self.at = at;
                    return self.value();
                }
                _ if self.bytes.get(at) == Some(&b'{') => {
                    self.at = at + 1;
                    return self.open(Kind::Hole);
                }
                _ => {}
            }
        }
    }

    /// `<` where there may be tags: one that begins, or one that ends.
    fn tag(&mut self) {
        match self.rest().first() {
            Some(b'/') => {
                self.at += 1;
                self.tags = self.tags.saturating_sub(1);
                self.end_statement();
            }
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'>' => self.tags += 1,
            _ => {}
        }
        self.sign();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> bool {
        [Language::TypeScript, Language::JavaScript].map(|language| too_deep(text, language).is_some()) == [true; 2]
    }

    fn passes(text: &str) -> bool {
        [Language::TypeScript, Language::JavaScript].map(|language| too_deep(text, language).is_none()) == [true; 2]
    }

    #[test]
    fn deep_texts_are_refused() {
        assert!(refused(&"(".repeat(20_001)));
        assert!(passes(&"(".repeat(10_000)));
        for piece in [
            "!",
            "typeof ",
            "typeof\n",
            "+ a\n",
            ".a\n",
            ".a()\n",
            "a\n.b",
            "a =>\n",
            "(a, b) => ",
            "+ {}\n",
            "if (a)\n",
            "for await (const a of b)\n",
            "a ? b\n: ",
            "`x`\n",
            "[a, b]\n",
            "x\nas ",
            "a /* c */ +\n// d\n",
            "- f(a, b)\n",
        ] {
            assert!(refused(&piece.repeat(60_000)), "{piece}");
        }
        assert!(refused(&"if (a) { } else if (b) { } ".repeat(20_001)));
        assert!(refused(&"if (a) b; else\nif (c) d;\n".repeat(20_001)));
        assert!(refused(&format!("/[/*]/.test(x); {} /* c */", "a + ".repeat(60_000))));
        assert!(too_deep(&"<b>x\ny, z".repeat(20_001), Language::Tsx).is_some());
        assert!(too_deep(&"&mut\n".repeat(60_000), Language::Rust).is_some());
        assert!(too_deep(&format!("f::<'a>(){} 'b'", "(".repeat(30_000)), Language::Rust).is_some());
    }

    #[test]
    fn long_but_flat_texts_pass() {
        let data = format!("const data = \"{}\";", "a+/".repeat(400_000));
        for text in [
            &"a(1, [2], { b: 3 });\n".repeat(50_000),
            &data,
            &"export const a1 = b.c.d(e)\n".repeat(60_000),
            &format!("function f() {{\n{}}}\n", "  a.b = c('d')\n  await g(h)\n".repeat(30_000)),
            &format!("const text = `{}`\n", "word, other (word)\n".repeat(60_000)),
            &format!("const text = `${{a}} {}`\n", "word, it's + ".repeat(60_000)),
            &"// a comment of a few words, isn't it\n".repeat(20_000),
            &format!("/*\n{}*/\n", " * words, don't (count)\n".repeat(20_000)),
            &"class A {}\nif (a) { b() }\n".repeat(20_000),
            &"a = /[(]'`/.test(b)\n".repeat(18_000),
            &"@a\nclass A { b = 1\n c = 2\n }\n".repeat(20_000),
            &"const open = \"".to_owned(),
        ] {
            assert!(passes(text), "{}", &text[..40.min(text.len())]);
        }
        let tags = format!("const a = <ul>{}</ul>;", "<li>some words {b} here</li>\n<br/>".repeat(20_000));
        assert_eq!(too_deep(&tags, Language::Tsx), None);
        let rust =
            "/// A word, isn't it.\n#[a]\nfn f<'a>(x: &'a str) -> u32 { g(x, '\\'', \"a\nb\"); 1 }\n".repeat(20_000);
        assert_eq!(too_deep(&rust, Language::Rust), None);
    }
}
