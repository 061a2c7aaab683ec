//! The terminal page: snapshots by hand-built reports, and the traps.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use bizra_scan::finding::{Anchors, Evidence, Finding, Place, Severity};
use bizra_scan::observe::{Confidence, Context};
use bizra_scan::patch::{Edit, Patch, Safety, unified_diff};
use bizra_scan::render::terminal::{Options, render};
use bizra_scan::report::{Completeness, Report, SkipReason, Skipped};
use bizra_scan::source::Span;

fn place(path: &str, text: &str, what: &str) -> Place {
    let start = text.find(what).expect("the text holds it") as u32;
    Place { path: path.into(), span: Span::new(start, start + what.len() as u32) }
}

fn finding(path: &str, text: &str, what: &str) -> Finding {
    let at = place(path, text, what);
    Finding {
        id: "0123456789abcdef".into(),
        rule: "sequential-awaits".into(),
        variant: None,
        category: "network".into(),
        title: "independent awaits run one after another".into(),
        message: "3 network calls wait in turn though none needs another's result".into(),
        severity: Severity::Critical,
        confidence: Confidence::Likely,
        context: Context::Library,
        priority: 96,
        effort_minutes: 30,
        symbol: "S.m".into(),
        anchors: Anchors { symbol: "S.m".into(), shape: "s".into(), tokens: "t".into(), occurrence: 0 },
        labels: vec![Evidence { message: "waits here".into(), place: Some(at.clone()) }],
        place: at.clone(),
        related: Vec::new(),
        evidence: vec![
            Evidence { message: "`post` on an axios instance is a call to another service".into(), place: Some(at) },
            Evidence { message: "nothing between them can return or throw".into(), place: None },
        ],
        assumption: Some("`S` is called per request".into()),
        impact: "up to 66 % of this path's waiting time, if the calls take equally long".into(),
        patch: None,
    }
}

fn report(findings: Vec<Finding>, sources: &[(&str, &str)]) -> Report {
    Report {
        root: ".".into(),
        findings,
        suppressed: Vec::new(),
        completeness: Completeness {
            complete: false,
            files_walked: 1234,
            files_parsed: 200,
            files_prefiltered: 1033,
            skipped: vec![
                Skipped { path: "dist".into(), reason: SkipReason::Vendored, detail: "build output".into() },
                Skipped { path: "b\u{1b}.ts".into(), reason: SkipReason::TooLarge, detail: "3 MB".into() },
            ],
        },
        notices: vec!["a remark".into()],
        hidden: 4,
        milder: Vec::new(),
        sources: sources.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect(),
        lines: 5_000,
    }
}

fn page(report: &Report, options: &Options) -> String {
    let mut out = Vec::new();
    render(report, options, &mut out).expect("memory takes it");
    String::from_utf8(out).expect("UTF-8")
}

const CODE: &str = "class S {\n  async m() {\n    const a = await this.client.post('/rpc', x);\n    const b = await this.client.post('/rpc', y);\n  }\n}\n";

fn usual() -> Report {
    let mut first = finding("src/s.ts", CODE, "await this.client.post('/rpc', x)");
    let second = place("src/s.ts", CODE, "await this.client.post('/rpc', y)");
    first.labels.push(Evidence { message: "could have started already".into(), place: Some(second) });
    let new = CODE.replace("const a = await", "const a = void");
    first.patch = Some(Patch {
        title: "await together with Promise.all".into(),
        safety: Safety::Review,
        changes: "the first rejection in time wins, and the other calls keep running".into(),
        edits: vec![Edit { path: "src/s.ts".into(), span: Span::at(0), text: String::new() }],
        diff: unified_diff("src/s.ts", CODE, &new),
    });
    let mut other = finding("src/s.ts", CODE, "this.client.post('/rpc', y)");
    other.severity = Severity::Medium;
    other.category = "memory".into();
    other.rule = "uncleared-timer".into();
    report(vec![first, other], &[("src/s.ts", CODE)])
}

#[test]
fn the_page_reads_well_in_each_dress() {
    insta::assert_snapshot!("plain_80", page(&usual(), &Options::default()));
    insta::assert_snapshot!("ascii_80", page(&usual(), &Options { ascii: true, ..Options::default() }));
    insta::assert_snapshot!("wide_120", page(&usual(), &Options { width: 120, ..Options::default() }));
    insta::assert_snapshot!(
        "colour_80",
        page(&usual(), &Options { color: true, ..Options::default() }).replace('\u{1b}', "ESC")
    );
    insta::assert_snapshot!("nothing", page(&report(vec![], &[]), &Options::default()));
}

#[test]
fn ascii_is_ascii_and_plain_has_no_escapes() {
    let text = "const é = await 日本('\u{202e}x');\n";
    let traps = report(vec![finding("src/é.ts", text, "await 日本('\u{202e}x')")], &[("src/é.ts", text)]);
    let ascii = page(&traps, &Options { ascii: true, ..Options::default() });
    assert!(ascii.is_ascii(), "{ascii}");
    let plain = page(&traps, &Options::default());
    assert!(plain.contains("日本") && plain.contains("\\u{202e}") && !plain.contains('\u{202e}'));
    assert!(!plain.contains('\u{1b}'), "also not from a file's name");
}

#[test]
fn traps_neither_break_the_page_nor_the_program() {
    let long = format!("{}await f();{}", "x;".repeat(500_000), "y;".repeat(1000));
    let tall = format!("await f({}\n);", "\n  a,".repeat(500));
    let cases: BTreeMap<&str, (String, &str)> = BTreeMap::from([
        ("a.ts", (long, "await f()")),
        ("b.ts", (tall.clone(), tall.as_str())),
        ("c.ts", ("a\r\n\tawait\u{1b}[31m f();\r\n".to_owned(), "await\u{1b}[31m f()")),
        ("d.ts", ("await".to_owned(), "await")),
        ("e.ts", ("x\n".to_owned(), "\n")),
    ]);
    for (path, (text, what)) in &cases {
        let mut one = finding(path, text, what);
        let all = page(&report(vec![one.clone()], &[(path, text)]), &Options::default());
        assert!(all.lines().all(|line| line.chars().count() < 1000), "{path}");
        assert!(!all.contains('\u{1b}'), "{path}");
        assert!(all.contains(path), "{path}: {all}");
        assert!(all.lines().count() < 60, "{path}: {all}");
        // At the end of the file, and past it.
        let end = text.len() as u32;
        for span in [Span::at(end), Span::new(end, end + 9)] {
            one.place.span = span;
            one.labels = vec![Evidence { message: "end".into(), place: Some(one.place.clone()) }];
            page(&report(vec![one.clone()], &[(path, text)]), &Options::default());
        }
    }
}

#[test]
fn hundreds_of_findings_are_grouped() {
    let many: Vec<Finding> = (0..300).map(|_| finding("src/s.ts", CODE, "await this.client.post('/rpc', x)")).collect();
    let report = report(many, &[("src/s.ts", CODE)]);
    let short = page(&report, &Options::default());
    assert!(short.lines().count() < 150, "{}", short.lines().count());
    assert!(short.contains("297 more, by rule"));
    let all = page(&report, &Options { verbose: true, ..Options::default() });
    assert_eq!(all.matches("assuming").count(), 300);
    assert_eq!(short, page(&report, &Options::default()));
}

#[test]
fn thousands_of_steps_and_notices_are_bounded() {
    let text = "await f();\n".repeat(3_000);
    let mut one = finding("a.ts", &text, "await f()");
    let step = |number: u32, words: &str| {
        let start = number * 11;
        let place = Place { path: "a.ts".into(), span: Span::new(start, start + 9) };
        Evidence { message: format!("{words} {number}"), place: Some(place) }
    };
    one.labels.extend((1..3_000).map(|number| step(number, "label")));
    one.evidence = (0..3_000).map(|number| step(number, "step")).collect();
    one.related = (0..3_000).map(|number| step(number, "relative")).collect();
    let mut all = report(vec![one], &[("a.ts", &text)]);
    all.notices = (0..300).map(|number| format!("a.ts:{number}: a remark")).collect();
    let short = page(&all, &Options::default());
    assert!(short.lines().count() < 90, "{short}");
    for part in ["step 5 (line 6)\n", "… and 2994 more such steps (--verbose)", "… and 2994 more places (--verbose)"]
    {
        assert!(short.contains(part), "{part}: {short}");
    }
    assert!(!short.contains("step 6") && !short.contains("label 6") && !short.contains("relative 6"), "{short}");
    assert!(short.contains("a.ts:9: a remark\n… and 290 more notes (--verbose shows all)\n"), "{short}");
    let long = page(&all, &Options { verbose: true, ..Options::default() });
    assert!(
        long.contains("step 99 (line 100)\n") && long.contains("and 2900 more such steps (--format json)"),
        "{long}"
    );
    assert!(long.contains("a.ts:299: a remark\n") && long.lines().count() < 800, "{long}");
}
