//! The seed service: its five bottlenecks before, none after, and the report's
//! own snippets with their elisions left in.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use bizra_scan::config::Settings;
use bizra_scan::finding::{Finding, Severity};
use bizra_scan::observe::Confidence;
use bizra_scan::report::Report;
use bizra_scan::rule::RuleSet;
use bizra_scan::scan::{Request, scan};
use bizra_scan::tree::Disk;
use bizra_scan::walk::{self, walk};

/// Rule, file and severity, in the order of the seed report.
const FIVE: [(&str, &str, Severity); 5] = [
    ("fake-compression", "src/performance/cache.service.ts", Severity::Critical),
    ("sequential-awaits", "src/services/validation/validation.service.ts", Severity::Critical),
    ("undersized-pool", "config/database.config.ts", Severity::Critical),
    ("missing-keep-alive", "src/services/validation/validation.service.ts", Severity::High),
    ("uncleared-timer", "src/service-mesh/circuit-breaker/circuit-breaker.ts", Severity::High),
];

fn scanned(folder: &str) -> Report {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/seed").join(folder);
    let walked = walk(&walk::Options { paths: vec![root], ..Default::default() }).expect("the folder is there");
    let request = Request {
        tree: Arc::new(Disk::new(&walked.tree_root).expect("the root is there")),
        walked: &walked,
        rules: &RuleSet::builtin().expect("the rules load"),
        settings: &Settings::default(),
        threads: 2,
        progress: &|_, _| {},
    };
    scan(&request).expect("a report")
}

fn told(findings: &[Finding]) -> Vec<(&str, &str, Severity)> {
    findings.iter().map(|f| (f.rule.as_str(), f.place.path.as_str(), f.severity)).collect()
}

#[test]
fn before_gives_exactly_the_five_ranked_as_in_the_report() {
    let report = scanned("before");
    assert_eq!(told(&report.findings), FIVE);
    assert!(report.findings.iter().all(|f| f.confidence >= Confidence::Likely));
    assert!(report.completeness.complete, "{:?}", report.completeness);
}

#[test]
fn after_gives_none() {
    let report = scanned("after");
    assert_eq!(told(&report.findings), []);
    assert!(report.completeness.complete);
    assert!(report.completeness.files_walked > 4);
}

#[test]
fn the_reports_own_snippets_are_found_with_their_elisions() {
    let report = scanned("verbatim");
    let mut found = told(&report.findings);
    let mut wanted = FIVE.to_vec();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    assert!(report.findings.iter().all(|f| f.confidence >= Confidence::Likely));
}
