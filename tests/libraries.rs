//! Of what is published for others, only they know where it runs, and how often.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use common::place::Place;

/// The rule, the confidence and the assumption of each finding.
fn told(files: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let report = Place::new(files).json(&[".", "--min-confidence", "possible", "--fail-on", "never"]);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|f| (text(&f["rule"]), text(&f["confidence"]), text(&f["assumption"]))).collect()
}

const OFFERS: (&str, &str) = (
    "src/offers.ts",
    "import axios from 'axios';\n\nconst HOST = process.env.SHOPS;\n\nexport async function offers(shop: string) {\n  const answer = await axios.get(`${HOST}/shops/${shop}`);\n  return answer.data;\n}\n",
);

const LIBRARY: (&str, &str) = (
    "package.json",
    r#"{ "name": "shop-api", "main": "src/offers.ts", "files": ["src"], "dependencies": { "axios": "1" } }"#,
);

#[test]
fn a_library_that_needs_an_interface_is_possible() {
    let app = r#"{ "name": "shop-api", "main": "src/offers.ts", "peerDependencies": { "react-redux": "*" } }"#;
    assert_eq!(told(&[LIBRARY, OFFERS])[0].1, "likely");
    let findings = told(&[("package.json", app), OFFERS]);
    assert_eq!(findings[0].1, "possible");
    assert_eq!(findings[0].2, "this code runs on servers too, though shop-api is written for apps or pages");
}

#[test]
fn a_server_of_one_users_assistant_is_a_tool() {
    let assistant = |more: &str| {
        format!(
            r#"{{ "name": "shop-mcp", "bin": {{ "shop-mcp": "src/offers.ts" }}, "dependencies": {{ "axios": "1", "@modelcontextprotocol/sdk": "1"{more} }} }}"#
        )
    };
    let waits = |manifest: &str| {
        told(&[("package.json", manifest), OFFERS]).iter().any(|(rule, _, _)| rule == "missing-timeout")
    };
    assert!(!waits(&assistant("")));
    // One that serves HTTP is for others, too.
    assert!(waits(&assistant(r#", "express": "4""#)));
}

#[test]
fn a_library_that_uses_windows_and_nothing_of_node_is_possible() {
    let page = ("src/page.ts", "export const open = (url: string) => window.open(url, '_blank');\n");
    assert_eq!(told(&[LIBRARY, OFFERS])[0].1, "likely");
    let lowered = told(&[LIBRARY, OFFERS, page]);
    assert_eq!(lowered[0].1, "possible");
    assert!(lowered[0].2.contains("shop-api uses what browsers have"), "{lowered:?}");
    let node = ("src/cache.ts", "import { readFile } from 'node:fs/promises';\nexport const read = readFile;\n");
    assert_eq!(told(&[LIBRARY, OFFERS, page, node])[0].1, "likely");
    let private = r#"{ "name": "shop-api", "private": true, "dependencies": { "axios": "1" } }"#;
    assert_eq!(told(&[("package.json", private), OFFERS, page])[0].1, "likely");
}

#[test]
fn how_often_a_library_is_called_is_for_others_to_know() {
    let quote = (
        "src/offers.ts",
        "import superagent from 'superagent';\n\nexport async function quote(symbol: string) {\n  return superagent.get(`https://quotes.internal/${symbol}`).timeout(2000);\n}\n",
    );
    let of = |manifest: &str| {
        let findings = told(&[("package.json", manifest), quote]);
        findings.into_iter().map(|(rule, sure, _)| (rule, sure)).collect::<Vec<_>>()
    };
    let keep_alive = |sure: &str| vec![("missing-keep-alive".to_owned(), sure.to_owned())];
    assert_eq!(of(LIBRARY.1), keep_alive("possible"));
    assert_eq!(
        of(r#"{ "private": true, "dependencies": { "superagent": "9", "express": "4" } }"#),
        keep_alive("likely")
    );
}

#[test]
fn what_a_name_alone_says_to_read_is_possible_in_a_library() {
    let page = (
        "src/page.ts",
        "import { Shops } from 'shops';\nimport { Prices } from 'prices';\n\nexport class Pages {\n  constructor(private readonly shopRepository: Shops, private readonly priceRepository: Prices) {}\n\n  async page(id: string) {\n    const shop = await this.shopRepository.findOne({ where: { id } });\n    const prices = await this.priceRepository.find({ where: { shop: id } });\n    return { shop, prices };\n  }\n}\n",
    );
    let of = |manifest: &str| {
        let findings = told(&[("package.json", manifest), page]);
        findings.into_iter().map(|(rule, sure, _)| (rule, sure)).collect::<Vec<_>>()
    };
    let sequential = |sure: &str| vec![("sequential-awaits".to_owned(), sure.to_owned())];
    assert_eq!(of(LIBRARY.1), sequential("possible"));
    assert_eq!(of(r#"{ "private": true, "dependencies": { "express": "4" } }"#), sequential("likely"));
}
