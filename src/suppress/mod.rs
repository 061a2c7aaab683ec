//! Comments that silence a finding, accountably.
//!
//! `bizra-ignore id[/variant] [until YYYY-MM-DD]: reason` covers findings whose
//! lines include its own or the next line of code; `bizra-ignore-file` with the
//! same words, above the first line of code, covers the whole file, and every
//! rule where it names none. A mark without a reason, with an unknown rule or
//! after its day silences nothing and is told of, and so is what looks like a
//! mark of another tool's form (`bizra-ignore-next-line`, `@bizra-ignore`).

mod comments;
mod date;

pub use comments::comments;
pub use date::Date;

use std::fmt;

use crate::source::{Family, LineIndex, Span};

/// The word that every mark begins with.
pub const MARK: &str = "bizra-ignore";

/// A rule, or one of its variants: `id` or `id/variant`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Selector {
    /// Rule id.
    pub rule: String,
    /// One variant only.
    pub variant: Option<String>,
}

impl Selector {
    /// Reads `id` or `id/variant`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            Some((rule, variant)) => Self { rule: rule.to_owned(), variant: Some(variant.to_owned()) },
            None => Self { rule: text.to_owned(), variant: None },
        }
    }

    /// True where it names the rule, and its variant where it names one.
    pub fn selects(&self, rule: &str, variant: Option<&str>) -> bool {
        self.rule == rule && self.variant.as_deref().is_none_or(|wanted| variant == Some(wanted))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variant {
            Some(variant) => write!(f, "{}/{variant}", self.rule),
            None => f.write_str(&self.rule),
        }
    }
}

/// The suppressions of one file.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    marks: Vec<Mark>,
    /// Words that are no marks, but meant as such, with their 1-based lines.
    misspelt: Vec<(u32, String)>,
}

/// One comment's mark.
#[derive(Clone, Debug)]
struct Mark {
    /// The line it stands on, 1-based.
    line: u32,
    /// Lines that it covers.
    covers: Vec<u32>,
    /// `bizra-ignore-file`.
    file: bool,
    /// `bizra-ignore-file` below the first line of code.
    too_late: bool,
    rules: Vec<Selector>,
    until: Option<Result<Date, String>>,
    reason: String,
    used: bool,
}

/// What a rule named by a mark is to the scan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// No such rule or variant; with what may have been meant.
    Unknown(Option<String>),
    /// Not looked for in this file.
    Off,
    /// Looked for.
    On,
}

impl Suppressions {
    /// Reads the marks in the comments of `text`, where no parser tells them.
    pub fn read(text: &str, family: Family) -> Self {
        // The first letter may be a wrong capital.
        if memchr::memmem::find(text.as_bytes(), &MARK.as_bytes()[1..]).is_none() {
            return Self::default();
        }
        Self::of_comments(text, &comments(text, family))
    }

    /// Reads the marks in these comments of `text`, which stand in its order.
    pub fn of_comments(text: &str, comments: &[Span]) -> Self {
        let code = CodeLines::new(text, comments);
        let (mut marks, mut misspelt) = (Vec::new(), Vec::new());
        for comment in comments {
            let mut start = comment.start;
            for line in text.get(comment.range()).unwrap_or("").split_inclusive('\n') {
                let number = code.lines.line(start);
                match read_mark(line, number, &code) {
                    Some(mark) => marks.push(mark),
                    None => misspelt.extend(misspelt_mark(line).map(|word| (number, word.to_owned()))),
                }
                start += line.len() as u32;
            }
        }
        Self { marks, misspelt }
    }

    /// True where the file holds no mark.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.misspelt.is_empty()
    }

    /// The reason of the mark that silences a finding of `rule` and `variant`
    /// on the 1-based lines `lines` (both included) as of `today`; the mark
    /// counts as used from then on.
    pub fn matches(&mut self, rule: &str, variant: Option<&str>, lines: (u32, u32), today: Date) -> Option<String> {
        let covers = |mark: &Mark| mark.file || mark.covers.iter().any(|line| (lines.0..=lines.1).contains(line));
        let mut reason = None;
        // All marks that would do are used: none of them is then a leftover.
        for mark in self.marks.iter_mut().filter(|mark| mark.counts(today)) {
            let all = mark.file && mark.rules.is_empty();
            if covers(mark) && (all || mark.rules.iter().any(|selector| selector.selects(rule, variant))) {
                mark.used = true;
                reason.get_or_insert_with(|| mark.reason.clone());
            }
        }
        reason
    }

    /// Remarks on marks that are bare, expired, misplaced, unused or name no
    /// rule, in order of lines. `path` is the path as shown. Asked after every
    /// finding of the file, hidden ones included, went through
    /// [`Suppressions::matches`].
    pub fn notices(&self, path: &str, today: Date, standing: &dyn Fn(&Selector) -> Standing) -> Vec<String> {
        let said = self.misspelt.iter().map(|(line, word)| {
            let right = "write `bizra-ignore rule-id: reason`, on the line itself or above it";
            format!("{path}:{line}: `{word}` silences nothing; {right}")
        });
        let mut notices: Vec<String> = said.collect();
        for mark in &self.marks {
            let word = if mark.file { "bizra-ignore-file" } else { MARK };
            let mut say = |text: String| notices.push(format!("{path}:{}: {word} {text}", mark.line));
            if mark.rules.is_empty() && !mark.file {
                say("names no rule; write `bizra-ignore rule-id: reason`".to_owned());
                continue;
            }
            let mut all_on = true;
            for selector in &mark.rules {
                match standing(selector) {
                    Standing::Unknown(near) => {
                        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                        say(format!("names `{selector}`, which is no rule{near}"));
                        all_on = false;
                    }
                    Standing::Off => all_on = false,
                    Standing::On => {}
                }
            }
            if mark.reason.is_empty() {
                say("gives no reason, so it silences nothing; write `: reason` at its end".to_owned());
            } else if mark.too_late {
                say("counts only above the first line of code".to_owned());
            } else {
                match &mark.until {
                    Some(Err(wrong)) => say(format!("silences nothing: {wrong}")),
                    Some(Ok(until)) if *until < today => say(format!("expired on {until}, so it silences nothing")),
                    _ if !mark.used && all_on => say("silences nothing; it can go".to_owned()),
                    _ => {}
                }
            }
        }
        notices
    }
}

impl Mark {
    fn counts(&self, today: Date) -> bool {
        let in_time = match &self.until {
            None => true,
            Some(until) => until.as_ref().is_ok_and(|until| today <= *until),
        };
        in_time && !self.reason.is_empty() && !self.too_late
    }
}

/// Which lines hold code, and not only comments.
struct CodeLines {
    lines: LineIndex,
    code: Vec<bool>,
}

impl CodeLines {
    fn new(text: &str, comments: &[Span]) -> Self {
        let lines = LineIndex::new(text);
        let mut code = vec![false; lines.count() as usize + 1];
        let mut mark = |from: usize, to: usize| {
            let bytes = text.as_bytes().get(from..to).unwrap_or_default();
            for (at, _) in bytes.iter().enumerate().filter(|(_, b)| !b.is_ascii_whitespace()) {
                code[lines.line((from + at) as u32) as usize] = true;
            }
        };
        let mut from = if text.starts_with('\u{feff}') { 3 } else { 0 };
        if text[from..].starts_with("#!") && !text[from..].starts_with("#![") {
            from = text.find('\n').unwrap_or(text.len());
        }
        for comment in comments {
            mark(from, comment.start as usize);
            from = from.max(comment.end as usize);
        }
        mark(from, text.len());
        Self { lines, code }
    }

    fn next_after(&self, line: u32) -> Option<u32> {
        (line + 1..=self.lines.count()).find(|&line| self.code[line as usize])
    }

    fn first(&self) -> Option<u32> {
        self.next_after(0)
    }
}

/// The words of a line of a comment.
fn words(line: &str) -> &str {
    line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '*' | '!'))
}

/// What a line of a comment begins with, where that is meant as a mark and is
/// none: another tool's form, a capital, a sign before it.
fn misspelt_mark(line: &str) -> Option<&str> {
    let body = words(line);
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '@' | '-' | '_');
    let word = &body[..body.find(|c| !in_word(c)).unwrap_or(body.len())];
    let plain = word.strip_prefix('@').unwrap_or(word);
    let tail = plain.get(..MARK.len()).filter(|head| head.eq_ignore_ascii_case(MARK)).map(|_| &plain[MARK.len()..])?;
    // `bizra-ignored` is another word.
    (tail.is_empty() || tail.starts_with('-')).then_some(word)
}

/// The mark that a line of a comment begins with.
fn read_mark(line: &str, number: u32, code: &CodeLines) -> Option<Mark> {
    let rest = words(line).strip_prefix(MARK)?;
    let (file, rest) = rest.strip_prefix("-file").map_or((false, rest), |rest| (true, rest));
    // `bizra-ignored` is another word.
    if rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        return None;
    }
    let rest = rest.trim().trim_end_matches("*/").trim_end();
    let (head, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let (rules, until) = match head.split_once(" until ") {
        Some((rules, until)) => (rules, Some(until.trim().parse::<Date>())),
        None => (head, None),
    };
    let rules = rules.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Selector::parse).collect();
    let next = code.next_after(number);
    let too_late = file && code.first().is_some_and(|first| first < number);
    let covers = std::iter::once(number).chain(next).collect();
    Some(Mark { line: number, covers, file, too_late, rules, until, reason: reason.trim().to_owned(), used: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn read(text: &str) -> Suppressions {
        Suppressions::read(text, Family::TypeScript)
    }

    fn told(marks: &Suppressions) -> Vec<String> {
        let standing = |selector: &Selector| match selector.rule.as_str() {
            "slow" | "leak" => Standing::On,
            "off" => Standing::Off,
            _ => Standing::Unknown(selector.rule.starts_with("sl").then(|| "slow".to_owned())),
        };
        marks.notices("a.ts", day("2026-11-24"), &standing)
    }

    #[test]
    fn a_mark_covers_its_own_and_the_next_line_of_code() {
        let text = "a(); // bizra-ignore slow: measured\n\n// comment\nb();\nc();\n/* bizra-ignore leak/timer: bounded */\nd();\n";
        let today = day("2026-11-24");
        let at = |rule: &str, variant, line| read(text).matches(rule, variant, (line, line), today);
        assert_eq!(at("slow", None, 1).as_deref(), Some("measured"));
        assert_eq!(at("slow", Some("any"), 4).as_deref(), Some("measured"));
        assert_eq!(at("slow", None, 5), None);
        assert_eq!(at("leak", None, 1), None);
        assert_eq!(at("leak", Some("timer"), 7).as_deref(), Some("bounded"));
        assert_eq!(at("leak", Some("other"), 7), None);
        assert_eq!(read(text).matches("slow", None, (2, 9), today).as_deref(), Some("measured"));
        assert_eq!(read(text).matches("slow", None, (5, 9), today), None);
    }

    #[test]
    fn a_mark_counts_up_to_its_day() {
        let text = "// bizra-ignore slow until 2026-11-24: until the move\na();\n";
        assert!(read(text).matches("slow", None, (2, 2), day("2026-11-24")).is_some());
        assert!(read(text).matches("slow", None, (2, 2), day("2026-11-25")).is_none());
    }

    #[test]
    fn a_file_s_mark_stands_at_its_top() {
        let today = day("2026-11-24");
        let covers = |text: &str| read(text).matches("slow", None, (9, 9), today).is_some();
        assert!(covers("#!/usr/bin/env node\n// Copyright\n/*\n * bizra-ignore-file slow: a script\n */\na();\n"));
        assert!(covers("\u{feff}// bizra-ignore-file: a script\n"));
        assert!(covers("\u{feff}#!/usr/bin/env node\n// bizra-ignore-file: a script\n"));
        assert!(!covers("// bizra-ignore-file leak: a script\n"));
        let late = read("a();\n// bizra-ignore-file slow: a script\n");
        assert_eq!(told(&late), ["a.ts:2: bizra-ignore-file counts only above the first line of code"]);
        assert!(!covers("a();\n// bizra-ignore-file slow: a script\n"));
    }

    #[test]
    fn marks_that_do_nothing_are_told_of() {
        let text = "// bizra-ignore slow\n// bizra-ignore slwo: why\n// bizra-ignore slow until 2026-01-01: why\n\
                    // bizra-ignore slow until soon: why\n// bizra-ignore slow, leak: why\n// bizra-ignore: why\n\
                    // bizra-ignore off: why\n'// bizra-ignore slow: no comment';\n// bizra-ignored slow: other word\n";
        assert_eq!(
            told(&read(text)),
            [
                "a.ts:1: bizra-ignore gives no reason, so it silences nothing; write `: reason` at its end",
                "a.ts:2: bizra-ignore names `slwo`, which is no rule; did you mean `slow`?",
                "a.ts:3: bizra-ignore expired on 2026-01-01, so it silences nothing",
                "a.ts:4: bizra-ignore silences nothing: `soon` is no date of the form YYYY-MM-DD",
                "a.ts:5: bizra-ignore silences nothing; it can go",
                "a.ts:6: bizra-ignore names no rule; write `bizra-ignore rule-id: reason`",
            ]
        );
        let forms = "// bizra-ignore-next-line slow: why\n/* @bizra-ignore slow: why */\n/**\n * Bizra-ignore slow: why\n */\n\
                     a(); // bizra-ignore-line slow: why\n// see bizra-ignore-next-line\n";
        let wanted =
            [(1, "bizra-ignore-next-line"), (2, "@bizra-ignore"), (4, "Bizra-ignore"), (6, "bizra-ignore-line")];
        let wanted = wanted.map(|(line, word)| {
            let right = "write `bizra-ignore rule-id: reason`, on the line itself or above it";
            format!("a.ts:{line}: `{word}` silences nothing; {right}")
        });
        assert_eq!(told(&read(forms)), wanted);
        let mut used = read("// bizra-ignore slow: why\na();");
        assert!(used.matches("slow", None, (2, 2), day("2026-11-24")).is_some());
        assert_eq!(told(&used), Vec::<String>::new());
    }

    #[test]
    fn rust_comments_hold_marks_too() {
        let text = "/// bizra-ignore slow: documented\nfn a() { /* bizra-ignore leak: why */ b() }\n";
        let mut marks = Suppressions::read(text, Family::Rust);
        assert!(marks.matches("slow", None, (2, 2), Date::EPOCH).is_some());
        assert!(marks.matches("leak", None, (2, 2), Date::EPOCH).is_some());
    }
}
