//! What a configuration declares counts, in reports and in answers of `why`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use common::place::Place;

const AWAITS: &str = "import axios from 'axios';\nexport class UserService {\n  async load(id: string) {\n    \
                      const a = await axios.get('/a');\n    const b = await axios.get('/b');\n    \
                      const c = await axios.get('/c');\n    return [a, b, c];\n  }\n}\n";

/// The seed service with a configuration.
fn seed(config: &str) -> Place {
    let place = Place::new(&[("bizra-scan.toml", config)]);
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/seed/before");
    for entry in walkdir::WalkDir::new(&seed).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(&seed).unwrap().to_str().unwrap();
            place.put(path, &fs::read(entry.path()).unwrap());
        }
    }
    place
}

/// The seed's finding about its pool.
fn pool(config: &str) -> Option<serde_json::Value> {
    let report = seed(config).json(&["."]);
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["rule"] == "undersized-pool").cloned()
}

fn evidence(finding: &serde_json::Value) -> String {
    let steps = finding["evidence"].as_array().unwrap();
    steps.iter().map(|step| step["message"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn why_says_what_the_configuration_makes_of_a_finding() {
    let place = Place::new(&[("package.json", "{}"), ("src/user.service.ts", AWAITS)]);
    let why = |config: &str| {
        place.put("bizra-scan.toml", config.as_bytes());
        let run = place.run(&["why", "src/user.service.ts:4"]);
        run.passes();
        run.out
    };
    assert!(why("").contains("\nsequential-awaits (critical, "), "{}", why(""));
    let off = why("[rules]\nsequential-awaits = \"off\"\n");
    assert!(off.contains("off in bizra-scan.toml: sequential-awaits") && !off.contains("(critical"), "{off}");
    let off = why("[[override]]\npaths = [\"src\"]\nrules = { sequential-awaits = \"off\" }\n");
    assert!(off.contains("\nsequential-awaits (off in bizra-scan.toml)"), "{off}");
    let low = why("[[override]]\npaths = [\"src\"]\nrules = { sequential-awaits = \"low\" }\n");
    assert!(low.contains("\nsequential-awaits (low, ") && low.contains("; severity set in bizra-scan.toml)"), "{low}");
    // Without the root's say, the rule runs elsewhere.
    place.put("src/bizra-scan.toml", b"[rules]\nsequential-awaits = \"off\"\n");
    let off = why("");
    assert!(off.contains("\nsequential-awaits (off in src/bizra-scan.toml)"), "{off}");
}

#[test]
fn a_service_that_is_not_there_silences_nothing() {
    let config = |path: &str| {
        format!("[[service]]\npath = \"{path}\"\ninstances = 4\nqps = 10000\n[database]\nmax_connections = 300\n")
    };
    seed(&config("typo")).run(&["."]).fails_with(&["there is no folder or file `typo`", "bizra-scan.toml:2:8"]);
    seed(&config("confgi")).run(&["."]).fails_with(&["did you mean `config`?"]);
    for path in ["config", "config/database.config.ts", "."] {
        assert_eq!(pool(&config(path)).unwrap()["variant"], "exceeds-server", "{path}");
    }
}

#[test]
fn a_declared_load_counts_with_and_without_a_declared_server() {
    let load = "[load]\nrequests_per_second = 5000\nquery_ms = 50\n";
    let alone = pool(load).unwrap();
    let carried = "5000 queries a second of 50 ms each keep 250 connections busy in all processes together";
    assert!(evidence(&alone).contains(carried) && !evidence(&alone).contains("10 ms"), "{alone}");
    assert_eq!(alone["severity"], "critical", "{alone}");
    let served = format!("{load}[database]\nmax_connections = 5000\n");
    let small = pool(&served).unwrap();
    assert_eq!((&small["variant"], &small["confidence"]), (&"too-small".into(), &"likely".into()), "{small}");
    assert!(small["assumption"].as_str().unwrap().contains("one process's alone"), "{small}");
    assert!(evidence(&small).contains(carried), "{small}");
    let told = pool(&format!("{served}[[service]]\npath = \".\"\ninstances = 2\n")).unwrap();
    assert_eq!((&told["variant"], &told["confidence"]), (&"too-small".into(), &"certain".into()), "{told}");
    assert!(evidence(&told).contains("keep 125 connections busy in each process"), "{told}");
    assert!(pool(&format!("{served}[[service]]\npath = \".\"\ninstances = 3\n")).is_none());
}

#[test]
fn a_declared_load_is_told_before_a_possible_stock_limit() {
    let place = Place::new(&[
        ("package.json", "{\"dependencies\": {\"pg\": \"8\", \"express\": \"4\"}}"),
        ("src/db.ts", "import { Pool } from 'pg';\nexport const pool = new Pool({ max: 120 });\n"),
        ("bizra-scan.toml", "[load]\nrequests_per_second = 5000\nquery_ms = 50\n"),
    ]);
    let report = place.json(&[".", "--rule", "undersized-pool/too-small"]);
    assert_eq!(report["findings"][0]["variant"], "too-small", "{report}");
    place.put("bizra-scan.toml", b"[load]\nrequests_per_second = 5000\n");
    let report = place.json(&["."]);
    assert!(report["notices"][0].as_str().unwrap().contains("without `[load] query_ms`"), "{report}");
}

#[test]
fn the_gate_counts_what_is_too_mild_to_be_shown() {
    let place = seed("");
    let args = [".", "--rule", "uncleared-timer", "--format", "json"];
    let run = |more: &[&str]| place.run(&[&args[..], more].concat());
    assert_eq!(run(&["--fail-on", "high"]).code, Some(1));
    let unseen = run(&["--fail-on", "high", "--min-severity", "critical"]);
    assert_eq!(unseen.code, Some(1), "{}", unseen.out);
    assert!(unseen.err.contains("the gate counts 1 more"), "{}", unseen.err);
    let report: serde_json::Value = serde_json::from_str(&unseen.out).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
    let passed = run(&["--fail-on", "critical", "--min-severity", "critical"]);
    assert_eq!((passed.code, passed.err.as_str()), (Some(0), ""));
}

#[test]
fn a_root_above_the_current_folder_is_named_from_it() {
    let place = Place::new(&[("a/x.ts", ""), ("b/y.ts", ""), ("here/z.ts", "")]);
    let report = |folder: &str, paths: &[&str]| {
        let mut command = place.command(&[paths, &["--format", "json"]].concat());
        let out = command.current_dir(place.path().join(folder)).output().unwrap().stdout;
        serde_json::from_slice::<serde_json::Value>(&out).unwrap()["root"].clone()
    };
    assert_eq!(report("here", &["../a", "../b"]), "..");
    assert_eq!(report("here", &["../a/x.ts"]), "../a");
    assert_eq!(report("", &["a", "b"]), ".");
}
