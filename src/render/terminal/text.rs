//! Text that is safe and fits: escaped, cut, wrapped, coloured.

use anstyle::{AnsiColor, Style};

use super::Options;
use crate::finding::Severity;

/// Columns around a label that a snippet shows. Longer lines are cut, since a
/// terminal wraps them past reading.
pub(super) const WINDOW: usize = 200;

/// True for characters that would move the cursor, recolour the page or turn
/// the reading direction.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One character as it may be shown.
pub(super) fn push_safe(out: &mut String, c: char, ascii: bool) {
    match c {
        '\t' => out.push_str("  "),
        c if is_unsafe(c) || ascii && !c.is_ascii() => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// Text from the scanned repository on one line, with control and
/// bidirectional characters escaped, at most `most` characters.
pub(super) fn safe(text: &str, options: &Options, most: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (count, c) in text.chars().enumerate() {
        if count == most {
            out.push_str(options.marks().more);
            break;
        }
        push_safe(&mut out, c, options.ascii);
    }
    out
}

/// What is drawn differently in ASCII.
pub(super) struct Marks {
    pub more: &'static str,
    pub dot: &'static str,
    pub arrow: &'static str,
    pub rule: &'static str,
}

impl Options {
    pub(super) fn marks(&self) -> Marks {
        match self.ascii {
            true => Marks { more: "...", dot: "-", arrow: "->", rule: "-" },
            false => Marks { more: "…", dot: "·", arrow: "→", rule: "─" },
        }
    }

    /// `text` in a style, or as it is without colour.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{}{text}{}", style.render(), style.render_reset()) } else { text.to_owned() }
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// Text wrapped to the width, `first` before its first line and as many
    /// blanks before the others.
    pub(super) fn wrapped(&self, first: &str, text: &str) -> String {
        let indent = " ".repeat(textwrap::core::display_width(first));
        // The head is painted by the caller, so it is measured and put on last.
        let width = self.width.saturating_sub(indent.len()).max(20);
        let options = textwrap::Options::new(width).break_words(false);
        let lines = textwrap::wrap(text, options);
        let mut out = String::new();
        for (number, line) in lines.iter().enumerate() {
            out.push_str(if number == 0 { first } else { &indent });
            out.push_str(line);
            out.push('\n');
        }
        out
    }
}

/// The style of a severity; its name always stands beside the colour.
pub(super) fn style_of(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::BrightRed.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default().bold(),
        Severity::Low => AnsiColor::Blue.on_default().bold(),
    }
}

pub(super) const ADDED: Style = AnsiColor::Green.on_default();
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();
pub(super) const HUNK: Style = AnsiColor::Cyan.on_default();
