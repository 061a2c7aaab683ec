//! Maps one file to candidates and observations. Sees nothing but the file, so
//! that it runs in parallel and its result depends on the file's bytes alone.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aho_corasick::BuildError;
use oxc_allocator::Allocator;

use crate::analyze::{self, Sink};
use crate::config::Settings;
use crate::depth::too_deep;
use crate::lang;
use crate::observe::FileMap;
use crate::pattern::{Patterns, map_query};
use crate::prefilter::{IGNORE_MARK, Prefilter, Wanted};
use crate::report::SkipReason;
use crate::rule::{Detection, Rule, RuleSet};
use crate::source::{Family, Language, PathClass, SourceFile, Span};
use crate::tree::{ReadError, Tree};

/// What mapping needs to know of a scan.
pub struct Mapper<'r> {
    /// Where bytes come from.
    pub tree: &'r dyn Tree,
    /// The rules.
    pub rules: &'r RuleSet,
    /// The prefilter of TypeScript and JavaScript.
    pub typescript: Prefilter,
    /// The prefilter of Rust.
    pub rust: Prefilter,
    /// Tree-sitter and the rules' queries, compiled when first needed.
    pub patterns: Patterns,
    /// Files of more bytes are skipped.
    pub max_file_size: u64,
    /// Findings in tests count; without them no rule concerns a test.
    pub include_tests: bool,
}

/// How far a file was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// Not read to its end, for the reason given beside it.
    Skipped,
    /// Read, and passed over: it holds no literal that a rule looks for.
    Prefiltered,
    /// Parsed and analysed.
    Parsed,
}

/// One file's result.
#[derive(Debug)]
pub struct Mapped {
    /// The file; its text is dropped where nothing points into it.
    pub source: SourceFile,
    /// How far it was looked at.
    pub look: Look,
    /// Candidates and observations.
    pub map: FileMap,
    /// Why it was not looked at, or not wholly.
    pub skipped: Option<(SkipReason, String)>,
    /// Indices of the rules that read it.
    pub rules: Vec<usize>,
    /// The text holds a suppression.
    pub ignores: bool,
    /// See [`Wanted::handles`].
    pub handles: bool,
    /// Lines of its text.
    pub lines: u32,
}

thread_local! {
    /// One arena for each thread, reset between files: allocating it anew for
    /// every file costs more than parsing a small one.
    static ARENA: RefCell<Allocator> = RefCell::new(Allocator::default());
}

impl<'r> Mapper<'r> {
    /// A mapper of a scan's rules; those that are off everywhere are left out.
    ///
    /// # Errors
    /// Where the rules' literals do not fit one automaton.
    pub fn new(tree: &'r dyn Tree, rules: &'r RuleSet, settings: &Settings) -> Result<Self, BuildError> {
        let enabled = |index: usize| settings.may_run(&rules.rules[index].id);
        Ok(Self {
            tree,
            rules,
            typescript: Prefilter::new(rules, Family::TypeScript, enabled)?,
            rust: Prefilter::new(rules, Family::Rust, enabled)?,
            patterns: Patterns::new(rules),
            max_file_size: settings.max_file_size,
            include_tests: settings.gate.include_tests,
        })
    }

    /// Maps one file. A panic inside becomes a `panicked` entry.
    pub fn map(&self, path: &str, language: Language, class: PathClass) -> Mapped {
        Self::kept(self.guarded(path, language, class, |source| {
            let prefilter = match language.family() {
                Family::TypeScript => &self.typescript,
                Family::Rust => &self.rust,
            };
            let wanted = prefilter.wanted(self.rules, language, source.text.as_bytes());
            let counts = class != PathClass::Test || self.include_tests;
            if counts { wanted } else { Wanted { rules: Vec::new(), handles: false, ..wanted } }
        }))
    }

    /// Maps a file for its observations alone: it answers another file's need.
    pub fn observe(&self, path: &str, language: Language) -> Mapped {
        let mut mapped = self.guarded(path, language, PathClass::Product, |source| {
            let mark = IGNORE_MARK.as_bytes();
            let ignores = memchr::memmem::find(source.text.as_bytes(), mark).is_some();
            Wanted { ignores, ..Wanted::default() }
        });
        if mapped.look == Look::Prefiltered {
            mapped = self.parsed(mapped);
        }
        Self::kept(mapped)
    }

    fn guarded(
        &self,
        path: &str,
        language: Language,
        class: PathClass,
        wanted: impl Fn(&SourceFile) -> Wanted,
    ) -> Mapped {
        let mapped = Mapped {
            source: SourceFile::new(path, language, class, String::new()),
            look: Look::Skipped,
            map: FileMap::default(),
            skipped: None,
            rules: Vec::new(),
            ignores: false,
            handles: false,
            lines: 0,
        };
        let text = match read(self.tree, path, self.max_file_size) {
            Ok(text) => text,
            Err(skipped) => return Mapped { skipped: Some(skipped), ..mapped },
        };
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u32 + 1;
        let source = SourceFile::new(path, language, class, text);
        let wanted = wanted(&source);
        let parse = !wanted.rules.is_empty();
        let Wanted { rules, ignores, handles } = wanted;
        let mapped = Mapped { source, lines, look: Look::Prefiltered, ignores, handles, rules, ..mapped };
        if parse { self.parsed(mapped) } else { mapped }
    }

    /// Parses and analyses a file that was read.
    fn parsed(&self, mut mapped: Mapped) -> Mapped {
        if let Some(skip) = crate::walk::generated_or_minified(&mapped.source.path, &mapped.source.text) {
            return Mapped { look: Look::Skipped, skipped: Some(skip), ..mapped };
        }
        if let Some(detail) = too_deep(&mapped.source.text, mapped.source.language) {
            return Mapped { look: Look::Skipped, skipped: Some((SkipReason::TooDeep, detail)), ..mapped };
        }
        mapped.look = Look::Parsed;
        let analysed = catch_unwind(AssertUnwindSafe(|| match mapped.source.language.family() {
            Family::TypeScript => self.typescript(&mapped.source, &mapped.rules, mapped.ignores),
            Family::Rust => self.rust(&mapped.source, &mapped.rules),
        }));
        match analysed {
            Ok((map, skipped)) => {
                mapped.map = map;
                mapped.skipped = skipped;
            }
            Err(panic) => mapped.skipped = Some((SkipReason::Panicked, panic_message(&*panic))),
        }
        mapped.map.candidates.sort_by_key(|candidate| (candidate.span, candidate.rule));
        mapped
    }

    /// Drops a text that nothing points into: a scan holds thousands of files.
    fn kept(mut mapped: Mapped) -> Mapped {
        let map = &mapped.map;
        let seen = &map.observations;
        let told = !map.candidates.is_empty() || !seen.pools.is_empty() || !seen.async_calls.is_empty();
        if !told && !mapped.ignores {
            mapped.source.forget();
        }
        mapped
    }

    fn typescript(&self, source: &SourceFile, rules: &[usize], ignores: bool) -> Analysed {
        let mut map = FileMap::default();
        let failure = ARENA.with_borrow_mut(|arena| {
            arena.reset();
            let model = lang::typescript::Model::parse(arena, source)
                .map_err(|failure| placed(source, failure.message, failure.offset))?;
            map.comments = ignores.then(|| model.all_comments());
            map.observations = lang::typescript::exports::observe(&model);
            for &rule in rules {
                let Some(detection) = self.rules.rules[rule].detection(Family::TypeScript) else { continue };
                let analysis = detection.analysis.as_deref().and_then(analyze::typescript::find);
                if let Some(analysis) = analysis {
                    (analysis.run)(&model, &mut Sink::new(rule, &detection.params, &mut map));
                }
            }
            map.observations.run_by_name = model.run_by_name(&told(&map));
            Ok(())
        });
        self.with_queries(source, rules, map, failure.err())
    }

    fn rust(&self, source: &SourceFile, rules: &[usize]) -> Analysed {
        let mut map = FileMap::default();
        let failure = match lang::rust::Model::parse(source) {
            Ok(model) => {
                map.observations = lang::rust::exports::observe(&model);
                for &rule in rules {
                    let Some(detection) = self.rules.rules[rule].detection(Family::Rust) else { continue };
                    let analysis = detection.analysis.as_deref().and_then(analyze::rust::find);
                    if let Some(analysis) = analysis {
                        (analysis.run)(&model, &mut Sink::new(rule, &detection.params, &mut map));
                    }
                }
                map.observations.run_by_name = model.run_by_name(&told(&map));
                None
            }
            Err(failure) => Some(placed(source, failure.message, failure.offset)),
        };
        self.with_queries(source, rules, map, failure)
    }

    /// Runs the queries of rules without an analysis, and, where there is no
    /// typed tree (`failure`), those that stand in for one.
    fn with_queries(
        &self,
        source: &SourceFile,
        rules: &[usize],
        mut map: FileMap,
        failure: Option<String>,
    ) -> Analysed {
        let family = source.language.family();
        let queries: Vec<(usize, &Detection, &Rule)> = rules
            .iter()
            .filter_map(|&index| {
                let rule = &self.rules.rules[index];
                Some((index, rule.detection(family)?, rule))
            })
            .filter(|(_, detection, _)| detection.query.is_some())
            .filter(|(_, detection, _)| failure.is_some() || detection.analysis.is_none())
            .collect();
        let overrun = match queries.is_empty() {
            true => None,
            false => map_query(source, &queries, &self.patterns, &mut map).err().map(|error| error.to_string()),
        };
        let skipped = failure.or(overrun).map(|detail| (SkipReason::Unparsed, detail));
        (map, skipped)
    }
}

/// A parser's message with its place, where it tells one.
fn placed(source: &SourceFile, message: String, offset: Option<u32>) -> String {
    let Some(offset) = offset else { return message };
    let at = source.position(offset);
    format!("line {}, column {}: {message}", at.line, at.column)
}

/// The comments of a file that holds a suppression and that no rule concerned,
/// so that what is said of its marks is right. `None` where the parser has none.
pub fn comments(file: &Mapped) -> Option<Vec<Span>> {
    let source = &file.source;
    let passed_over = file.ignores && file.look == Look::Prefiltered;
    if !passed_over
        || source.language.family() != Family::TypeScript
        || too_deep(&source.text, source.language).is_some()
    {
        return None;
    }
    catch_unwind(AssertUnwindSafe(|| lang::typescript::comments(source))).ok().flatten()
}

/// The places that may become findings.
fn told(map: &FileMap) -> Vec<Span> {
    let open = map.candidates.iter().filter(|candidate| candidate.cleared.is_none());
    open.map(|candidate| candidate.span).collect()
}

/// What a file gave, and why not all of it.
type Analysed = (FileMap, Option<(SkipReason, String)>);

/// The text of a file, or why there is none.
fn read(tree: &dyn Tree, path: &str, limit: u64) -> Result<String, (SkipReason, String)> {
    let bytes = tree.read(path, limit).map_err(|error| match error {
        ReadError::TooLarge(_) => (SkipReason::TooLarge, format!("{error} of {limit}")),
        ReadError::NotAFile => (SkipReason::NotAFile, error.to_string()),
        ReadError::Outside => (SkipReason::Link, error.to_string()),
        ReadError::Absent | ReadError::Io(_) => (SkipReason::Unreadable, error.to_string()),
    })?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err((SkipReason::NotUtf8, "UTF-16".to_owned()));
    }
    if let Some(at) = memchr::memchr(0, &bytes) {
        return Err((SkipReason::Binary, format!("NUL at byte {at}")));
    }
    String::from_utf8(bytes)
        .map_err(|error| (SkipReason::NotUtf8, format!("byte {} is not UTF-8", error.utf8_error().valid_up_to())))
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("an analysis failed: {}", text.unwrap_or("no message"))
}
