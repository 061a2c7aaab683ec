//! The annotated snippet of a finding, drawn by miette.
//!
//! miette panics past column 65,535 and passes escape characters through, so
//! it is handed a window: the lines around the labels, each cut and escaped,
//! with the labels moved along.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use super::Options;
use super::text::{WINDOW, push_safe, safe};
use crate::source::{LineIndex, Span};

/// Lines shown above and below the labels.
const CONTEXT: u32 = 1;

/// Labels further from the primary one are left to the evidence.
const REACH: u32 = 12;

/// A span over more lines is drawn on its first line.
const TALL: u32 = 6;

/// A label: where, and what to say there.
pub(super) struct Label<'l> {
    /// The bytes in the file.
    pub span: Span,
    /// One line.
    pub text: &'l str,
}

/// The snippet of `text` (the file at `path`) around `labels`, the first of
/// which is the primary one. Empty where the file is not to be had.
pub(super) fn snippet(path: &str, text: &str, labels: &[Label<'_>], options: &Options) -> String {
    let Some(window) = Window::of(path, text, labels, options) else { return String::new() };
    let characters = if options.ascii { ThemeCharacters::ascii() } else { ThemeCharacters::unicode() };
    let styles = if options.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_links(false)
        .with_width(WINDOW * 4)
        .with_context_lines(CONTEXT as usize)
        .without_syntax_highlighting();
    let mut drawn = String::new();
    if handler.render_report(&mut drawn, &window).is_err() {
        return String::new();
    }
    // The handler begins with a line for a message, which stands above already.
    let mut lines = drawn.lines().skip_while(|line| !line.contains(path_mark(options)));
    let mut out = String::new();
    for line in &mut lines {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// What the snippet's first line begins with.
fn path_mark(options: &Options) -> &'static str {
    if options.ascii { ",-[" } else { "╭─[" }
}

#[derive(Debug)]
struct Window {
    name: String,
    text: String,
    /// 0-based number of the window's first line in the file.
    first_line: usize,
    /// 0-based column in the file of the primary label.
    column: usize,
    labels: Vec<LabeledSpan>,
}

impl Window {
    fn of(path: &str, text: &str, labels: &[Label<'_>], options: &Options) -> Option<Self> {
        let lines = LineIndex::new(text);
        let primary = labels.first()?;
        let home = lines.line(primary.span.start);
        let near: Vec<(&Label<'_>, Span)> = labels
            .iter()
            .filter(|label| lines.line(label.span.start).abs_diff(home) <= REACH)
            .map(|label| (label, clipped(label.span, text, &lines)))
            .collect();
        let first = near.iter().map(|(_, span)| lines.line(span.start)).min()?.saturating_sub(CONTEXT).max(1);
        let last = near.iter().map(|(_, span)| lines.line(span.end)).max()? + CONTEXT;
        let last = last.min(lines.count());
        let mut window = String::new();
        let mut moved: Vec<(Option<usize>, Option<usize>)> = vec![(None, None); near.len()];
        for line in first..=last {
            let start = lines.line_start(line)?;
            let end = lines.line_start(line + 1).unwrap_or(text.len() as u32);
            let whole = text.get(start as usize..end as usize)?;
            let content = whole.trim_end_matches(['\n', '\r']);
            let marked = near.iter().map(|(_, span)| span.start).filter(|at| (start..end).contains(at)).min();
            let mut line_map = LineMap::new(content, start, marked, options);
            for ((_, span), ends) in near.iter().zip(&mut moved) {
                if (start..=end).contains(&span.start) && lines.line(span.start) == line {
                    ends.0 = Some(window.len() + line_map.at(span.start));
                }
                if (start..=end).contains(&span.end) && lines.line(span.end) == line {
                    ends.1 = Some(window.len() + line_map.at(span.end));
                }
            }
            window.push_str(&line_map.shown);
            window.push('\n');
        }
        let labels = near.iter().zip(moved).enumerate().filter_map(|(number, ((label, _), ends))| {
            let (start, end) = (ends.0?, ends.1?);
            let words = safe(label.text, options, WINDOW);
            let span = SourceSpan::from((start, end.saturating_sub(start).max(1).min(window.len() - start)));
            Some(match number {
                0 => LabeledSpan::new_primary_with_span(Some(words), span),
                _ => LabeledSpan::new_with_span(Some(words).filter(|words| !words.is_empty()), span),
            })
        });
        let labels = labels.collect();
        Some(Self {
            name: safe(path, options, WINDOW),
            first_line: first as usize - 1,
            column: lines.position(text, primary.span.start).column as usize - 1,
            labels,
            text: window,
        })
    }
}

/// A span to draw: on its first line alone where it is tall or ends a line.
fn clipped(span: Span, text: &str, lines: &LineIndex) -> Span {
    let first = lines.line(span.start);
    if lines.line(span.end).saturating_sub(first) < TALL {
        return span;
    }
    let line_end = lines.line_start(first + 1).map_or(text.len(), |at| at as usize);
    let end = text.get(..line_end).map_or(line_end, |head| head.trim_end().len());
    Span::new(span.start, (end as u32).max(span.start))
}

/// One line as shown, with the way from the file's bytes to the shown ones.
struct LineMap {
    shown: String,
    /// Byte in the file, byte in `shown`; ascending.
    steps: Vec<(u32, usize)>,
}

impl LineMap {
    fn new(content: &str, start: u32, marked: Option<u32>, options: &Options) -> Self {
        let chars = content.chars().count();
        // A line that is cut begins a little before what is marked.
        let skip = match marked {
            Some(at) if chars > WINDOW => {
                let before = content.get(..(at - start) as usize).map_or(0, |head| head.chars().count());
                before.saturating_sub(WINDOW / 3)
            }
            _ => 0,
        };
        let mut map = Self { shown: String::new(), steps: Vec::new() };
        let more = options.marks().more;
        if skip > 0 {
            map.shown.push_str(more);
        }
        for (count, (at, c)) in content.char_indices().enumerate().skip(skip) {
            if count - skip == WINDOW {
                map.steps.push((start + at as u32, map.shown.len()));
                map.shown.push_str(more);
                break;
            }
            map.steps.push((start + at as u32, map.shown.len()));
            push_safe(&mut map.shown, c, options.ascii);
        }
        if map.steps.last().is_none_or(|(at, _)| (*at as usize) < start as usize + content.len())
            && chars <= WINDOW + skip
        {
            map.steps.push((start + content.len() as u32, map.shown.len()));
        }
        map
    }

    /// Where a byte of the file is shown; the nearest place for one that is cut.
    fn at(&mut self, byte: u32) -> usize {
        let next = self.steps.partition_point(|(at, _)| *at < byte);
        self.steps.get(next).map_or(self.shown.len(), |(_, shown)| *shown)
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Without context lines the place itself is asked for, for the head.
        let column = if before == 0 && after == 0 { self.column } else { inner.column() };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line() + self.first_line,
            column,
            inner.line_count(),
        )))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("here")
    }
}

impl std::error::Error for Window {}

impl Diagnostic for Window {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
