//! The JSON report: its schema is published, in sync, and held.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use bizra_scan::finding::{Anchors, Evidence, Finding, Place, Severity};
use bizra_scan::observe::{Confidence, Context};
use bizra_scan::patch::{Edit, Patch, Safety, unified_diff};
use bizra_scan::render::json;
use bizra_scan::report::{Completeness, Report, SkipReason, Skipped, Suppressed};
use bizra_scan::source::Span;

const TEXT: &str = "\u{feff}// été\r\nconst a = await f();\r\n";

fn finding(id: &str, patch: Option<Patch>) -> Finding {
    let place = Place { path: "src/a b.ts".into(), span: Span::new(12, 17) };
    let step = Evidence { message: "seen".into(), place: Some(place.clone()) };
    let elsewhere = Evidence { message: "elsewhere".into(), place: None };
    Finding {
        id: id.into(),
        rule: "await-in-loop".into(),
        variant: None,
        category: "network".into(),
        title: "title".into(),
        message: "message \u{1b}[31m".into(),
        severity: Severity::High,
        confidence: Confidence::Likely,
        context: Context::Handler,
        priority: 71,
        effort_minutes: 30,
        symbol: String::new(),
        anchors: Anchors { symbol: String::new(), shape: "s".into(), tokens: "t".into(), occurrence: 0 },
        place,
        labels: vec![step.clone()],
        related: vec![step.clone()],
        evidence: vec![step, elsewhere],
        assumption: Some("assumed".into()),
        impact: "impact".into(),
        patch,
    }
}

fn report() -> Report {
    let patch = Patch {
        title: "do".into(),
        safety: Safety::Review,
        changes: "order".into(),
        edits: vec![Edit { path: "src/a b.ts".into(), span: Span::at(12), text: "x".into() }],
        diff: unified_diff("src/a b.ts", "a\n", "b\n"),
    };
    Report {
        root: "./repo".into(),
        findings: vec![finding("1", Some(patch)), finding("2", None)],
        suppressed: vec![Suppressed { finding: finding("3", None), reason: "known".into() }],
        completeness: Completeness {
            complete: false,
            files_walked: 3,
            files_parsed: 1,
            files_prefiltered: 1,
            skipped: vec![Skipped { path: "b.ts".into(), reason: SkipReason::TooLarge, detail: "big".into() }],
        },
        notices: vec!["notice".into()],
        hidden: 0,
        milder: Vec::new(),
        sources: BTreeMap::from([("src/a b.ts".to_owned(), TEXT.to_owned())]),
        lines: 2,
    }
}

fn empty() -> Report {
    Report { findings: vec![], suppressed: vec![], completeness: Completeness::default(), ..report() }
}

#[test]
fn the_published_schema_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    let schema = json::schema().expect("the schema serialises");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &schema).expect("docs can be written");
    }
    let published = std::fs::read_to_string(&path).expect("the schema is published");
    assert_eq!(published, schema, "run the tests with BLESS=1 to publish the schema anew");
}

#[test]
fn reports_validate() {
    let schema = serde_json::from_str(&json::schema().expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for report in [report(), empty()] {
        let text = json::render(&report, "1.2.3").expect("it serialises");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut broken = value.clone();
        broken["completeness"]["skipped"] = serde_json::json!([{ "path": "a", "reason": "bored", "detail": "" }]);
        assert!(!validator.is_valid(&broken), "the reasons are a closed list");
    }
}

#[test]
fn positions_count_scalar_values_and_exclude_the_end() {
    let text = json::render(&report(), "1").expect("it serialises");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let location = &value["findings"][0]["location"];
    // Byte 12 is after the mark (3 bytes and no column), `// été` (8) and CR; LF ends the line.
    assert_eq!(location["start"], serde_json::json!({ "line": 1, "column": 8, "byte": 12 }));
    assert_eq!(location["end"]["line"], 2);
    assert_eq!(value["findings"][1]["patch"], serde_json::Value::Null);
    assert_eq!(value["summary"]["by_severity"]["critical"], 0);
    assert!(text.ends_with("}\n"));
    assert!(!text.contains('\u{1b}'), "control characters are escaped");
}

#[test]
fn a_finding_costs_the_grade_and_size_is_no_excuse() {
    use bizra_scan::score::summary;
    let clean = summary(&empty());
    assert_eq!((clean.score, clean.grade), (100, 'A'));
    let mut large = report();
    large.lines = 10_000_000;
    assert_eq!(summary(&large).grade, 'B', "a likely high finding");
    large.findings[0].severity = Severity::Critical;
    assert_eq!(summary(&large).grade, 'C', "a likely critical finding");
}
