//! Comments that silence findings, in files as people write them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use common::place::Place;

/// One finding, on the line below a mark.
const CACHE: &str = "export class CacheService {\n  compress(data: string): string {\n    \
                     // bizra-ignore fake-compression: the peer wants text\n    \
                     return Buffer.from(data).toString('base64');\n  }\n}\n";

#[test]
fn a_mark_counts_below_any_code() {
    for line in [
        "function q(s: string) { return /`/.test(s); }",
        "if (s) /`/.exec(s);",
        "function f() { return 1 }\n/`/.test(s);",
        "const t = typeof /`/;",
        "const r = s in /`/ || s instanceof /'/;",
        "function* g() { yield /`/; void /`/; throw /'/ }",
        "const a = /\\/*'/.test(s), b = /[/*]x/.test(s);",
    ] {
        let place = Place::new(&[("package.json", "{}"), ("a.ts", &format!("{line}\n{CACHE}"))]);
        let report = place.json(&["."]);
        assert_eq!(report["suppressed"].as_array().unwrap().len(), 1, "{line}: {report}");
        assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{line}: {report}");
    }
    let markup = format!("const help = <p>use ` here</p>;\n{CACHE}");
    let place = Place::new(&[("package.json", "{}"), ("a.tsx", &markup)]);
    assert_eq!(place.json(&["."])["suppressed"].as_array().unwrap().len(), 1);
}

#[test]
fn a_mark_in_a_file_that_no_rule_concerns_is_told_of() {
    let text = "const help = <p>use ` or ` or ` here</p>;\n// bizra-ignore fake-compression: nothing there\n";
    let place = Place::new(&[("package.json", "{}"), ("a.tsx", text)]);
    let notices = place.json(&["."])["notices"].to_string();
    assert!(notices.contains("a.tsx:2: bizra-ignore silences nothing"), "{notices}");
}

#[test]
fn other_forms_of_a_mark_are_told_of() {
    for form in ["bizra-ignore-next-line", "@bizra-ignore", "Bizra-ignore"] {
        let place = Place::new(&[("package.json", "{}"), ("a.ts", &CACHE.replace("bizra-ignore", form))]);
        let report = place.json(&["."]);
        assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{form}: {report}");
        let notices = report["notices"].to_string();
        assert!(
            notices.contains(&format!("a.ts:3: `{form}` silences nothing; write `bizra-ignore rule-id")),
            "{notices}"
        );
    }
}

#[test]
fn notices_stand_in_the_order_of_their_lines() {
    let marks = "// bizra-ignore fake-compression: unused\na();\n".repeat(120);
    let place = Place::new(&[("package.json", "{}"), ("b.ts", &marks), ("a.ts", &marks)]);
    let report = place.json(&["."]);
    let notices = report["notices"].as_array().unwrap();
    let lines: Vec<String> =
        notices.iter().map(|n| n.as_str().unwrap().split_once(": ").unwrap().0.to_owned()).collect();
    let of = |path: &'static str| (0..120).map(move |number| format!("{path}:{}", 2 * number + 1));
    assert_eq!(lines, of("a.ts").chain(of("b.ts")).collect::<Vec<_>>());
    let page = place.run(&["."]).out;
    assert!(page.contains("and 230 more notes") && page.lines().count() < 40, "{page}");
}
