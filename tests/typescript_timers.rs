//! Fake compression, race timers and blocking calls on their fixtures, by the
//! analyses alone.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bizra_scan::analyze::{Sink, typescript};
use bizra_scan::lang::typescript::{Model, imports};
use bizra_scan::observe::{Candidate, Confidence, FileMap, Question};
use bizra_scan::patch::apply;
use bizra_scan::rule::RuleSet;
use bizra_scan::source::{Family, Language, PathClass, SourceFile, Span};

const RULES: [(&str, &str); 3] =
    [("cache", "fake-compression"), ("memory", "uncleared-timer"), ("async", "blocking-in-async")];

/// Line, variant, confidence.
type Told = Vec<(u32, Option<String>, Confidence)>;

struct Fixture {
    name: PathBuf,
    source: SourceFile,
    marks: Told,
}

fn fixture(rule: (&str, &str), path: PathBuf) -> Option<Fixture> {
    let text = std::fs::read_to_string(&path).ok()?.replace(" // query: names", "");
    let file = path.file_name()?.to_str()?.to_owned();
    let language = Language::of_path(&file).filter(|language| *language != Language::Rust)?;
    let place = text.lines().next().and_then(|line| line.strip_prefix("// path: ")).map(str::to_owned);
    let mut marks = Vec::new();
    let mut blanked = String::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let Some(at) = line.find("// expect: ") else {
            blanked.push_str(line);
            continue;
        };
        let words: Vec<&str> = line[at + 11..].split_whitespace().collect();
        let (id, variant) = words[0].split_once('/').map_or((words[0], None), |(id, v)| (id, Some(v.to_owned())));
        assert_eq!(id, rule.1);
        let confidence = if words.contains(&"likely") { Confidence::Likely } else { Confidence::Certain };
        let own_line = line[..at].trim().is_empty();
        // What is possible is for the laws.
        if !words.contains(&"possible") {
            marks.push((index as u32 + 1 + u32::from(own_line), variant, confidence));
        }
        blanked.extend(line[..at].chars().chain(line[at..].chars().map(|c| if c == '\n' { '\n' } else { ' ' })));
    }
    let place = place.unwrap_or_else(|| format!("src/{file}"));
    let source = SourceFile::new(place, language, PathClass::Product, blanked);
    Some(Fixture { name: path, source, marks })
}

fn fixtures(rule: (&str, &str)) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(rule.0).join(rule.1);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().filter_map(|path| fixture(rule, path)).collect()
}

fn candidates(id: &str, source: &SourceFile) -> Vec<Candidate> {
    let rules = RuleSet::builtin().expect("the rules load");
    let rule = rules.get(id).expect("the rule is there");
    let detection = rule.detection(Family::TypeScript).expect("it reads TypeScript");
    let analysis = typescript::find(detection.analysis.as_deref().expect("an analysis")).expect("it is listed");
    let arena = oxc_allocator::Allocator::default();
    let model = Model::parse(&arena, source).expect("it parses");
    assert_eq!(model.recovered, 0, "{}", source.path);
    let mut map = FileMap::default();
    (analysis.run)(&model, &mut Sink::new(0, &detection.params, &mut map));
    for candidate in &map.candidates {
        let steps =
            candidate.evidence.iter().map(|s| ("evidence", s)).chain(candidate.cleared.iter().map(|s| ("guards", s)));
        for (kind, step) in steps {
            let words = if kind == "evidence" { &rule.evidence } else { &rule.guards };
            assert!(words.contains_key(step.key.as_ref()), "{kind} {}", step.key);
        }
    }
    map.candidates
}

fn open(found: &[Candidate]) -> impl Iterator<Item = &Candidate> {
    // What only another file would make a finding is none here.
    let asks = |question: &Question| {
        matches!(question, Question::CalledFromHandler(_) | Question::CalledPerRequest(_) | Question::Gives(..))
    };
    let waits = move |c: &Candidate| c.needs.iter().any(|need| asks(&need.question));
    found.iter().filter(move |c| c.cleared.is_none() && c.confidence > Confidence::Possible && !waits(c))
}

fn told(source: &SourceFile, found: &[Candidate]) -> Told {
    let mut told: Told = open(found)
        .map(|c| (source.position(c.span.start).line, c.variant.as_ref().map(|v| v.to_string()), c.confidence))
        .collect();
    told.sort_by_key(|one| one.0);
    told
}

#[test]
fn findings_are_where_the_marks_are() {
    for rule in RULES {
        let all = fixtures(rule);
        assert!(all.len() >= 5, "{rule:?}");
        for fixture in all {
            let found = candidates(rule.1, &fixture.source);
            assert_eq!(told(&fixture.source, &found), fixture.marks, "{}", fixture.name.display());
        }
    }
}

fn patched(source: &SourceFile, found: &[Candidate]) -> String {
    let mut edits: Vec<(Span, String)> = Vec::new();
    let mut wanted = Vec::new();
    for draft in open(found).filter_map(|c| c.patch.as_ref()) {
        edits.extend(draft.edits.clone());
        wanted.extend(draft.imports.clone());
    }
    edits.extend(imports::edits_for(source, &wanted).expect("imports can be made"));
    apply(&source.text, edits.iter().map(|(span, text)| (*span, text.as_str()))).expect("edits apply")
}

fn without_blank_lines_of_marks(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| line.trim_end_matches('\n').is_empty() || !line.trim().is_empty())
        .collect()
}

#[test]
fn patches_give_the_fixed_file_which_is_silent() {
    for rule in RULES {
        let all: BTreeMap<String, Fixture> = fixtures(rule)
            .into_iter()
            .map(|f| (f.name.file_name().unwrap().to_string_lossy().into_owned(), f))
            .collect();
        for (bad, fixed) in [("bad.ts", "fixed.ts"), ("bad.cjs", "fixed.cjs")] {
            let Some(fixed) = all.get(fixed) else { continue };
            let bad = &all[bad];
            let text = without_blank_lines_of_marks(&patched(&bad.source, &candidates(rule.1, &bad.source)));
            if text != fixed.source.text && std::env::var_os("SHOW_FIXED").is_some() {
                eprintln!("=== {}\n{text}", fixed.name.display());
                continue;
            }
            assert_eq!(text, fixed.source.text, "{}", fixed.name.display());
        }
    }
}

#[test]
fn what_is_hard_to_patch_is_left_alone() {
    for rule in RULES {
        for fixture in fixtures(rule).iter().filter(|f| f.name.ends_with("bad_unpatched.ts")) {
            for one in open(&candidates(rule.1, &fixture.source)) {
                assert_eq!(one.patch, None, "{} {:?}", fixture.name.display(), fixture.source.position(one.span.start));
            }
        }
    }
}

#[test]
fn the_seeds_own_severities_are_reached() {
    let value = |path: &str, text: &str, id: &str, name: &str| {
        let source = SourceFile::new(path, Language::TypeScript, PathClass::Product, text.to_owned());
        let found = candidates(id, &source);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].values.get(name).cloned()
    };
    let compress = "class CacheService { private async compress(data: string): Promise<string> {\n  return Buffer.from(data).toString('base64'); // NOT compression!\n} }";
    assert_eq!(value("src/performance/cache.service.ts", compress, "fake-compression", "in_store"), Some(true.into()));
    let race = "class CircuitBreaker { private async executeWithTimeout<T>(fn: () => Promise<T>): Promise<T> {\n  return Promise.race([\n    fn(),\n    new Promise<T>((_, reject) =>\n      setTimeout(() => reject(new Error()), this.config.timeout)\n    )\n  ]);\n} }";
    assert_eq!(value("src/breaker.ts", race, "uncleared-timer", "wrapper_long"), Some(true.into()));
}

#[test]
#[ignore = "reads the folders named in SCAN_FOLDERS"]
fn folders() {
    for folder in std::env::var("SCAN_FOLDERS").expect("folders").split(':') {
        let root = Path::new(folder);
        for entry in walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok).filter(|e| e.file_type().is_file())
        {
            let path = entry.path().strip_prefix(root).expect("below").to_string_lossy().into_owned();
            if path.contains("node_modules/") || path.contains("/dist/") {
                continue;
            }
            let class = PathClass::of_path(&path);
            let Some(language) = Language::of_path(&path).filter(|l| *l != Language::Rust) else { continue };
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            if !["Sync", "Promise.race", "ompress", "deflate", "gzip", "zip"].iter().any(|t| text.contains(t))
                || class == PathClass::Test
            {
                continue;
            }
            let source = SourceFile::new(path.clone(), language, class, text);
            let arena = oxc_allocator::Allocator::default();
            let Ok(model) = Model::parse(&arena, &source) else { continue };
            for (_, id) in RULES {
                let mut map = FileMap::default();
                let params = toml::Table::new();
                (typescript::find(id).unwrap().run)(&model, &mut Sink::new(0, &params, &mut map));
                for c in map.candidates {
                    let state = c
                        .cleared
                        .as_ref()
                        .map_or_else(|| format!("{:?}", c.confidence), |g| format!("cleared:{}", g.key));
                    let mut note = String::new();
                    if let Some(draft) = &c.patch {
                        note = "patch".into();
                        let mut edits = draft.edits.clone();
                        edits.extend(imports::edits_for(&source, &draft.imports).expect("imports"));
                        let text = apply(&source.text, edits.iter().map(|(s, t)| (*s, t.as_str()))).expect("applies");
                        let after = SourceFile::new(path.clone(), language, class, text.clone());
                        let arena = oxc_allocator::Allocator::default();
                        assert!(
                            Model::parse(&arena, &after).is_ok_and(|m| m.recovered <= model.recovered),
                            "{path}\n{text}"
                        );
                        if std::env::var_os("SHOW_DIFF").is_some() {
                            println!("{}", bizra_scan::patch::unified_diff(&path, &source.text, &text));
                        }
                    }
                    println!(
                        "{folder}\t{path}\t{}\t{id}\t{state}\t{:?}\t{}\t{:?}\t{note}",
                        source.position(c.span.start).line,
                        c.context,
                        c.symbol,
                        c.values
                    );
                }
            }
        }
    }
}
