//! Files that no typed tree can be made of: queries stand in, and say so.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use common::place::Place;

const CARGO: &str = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\n[dependencies]\naxum = \"0.8\"\nbase64 = \"0.22\"\n\
                     reqwest = \"0.12\"\ntokio = { version = \"1\", features = [\"full\"] }\n";

const CODE: &str = "use base64::engine::general_purpose::STANDARD;

pub struct Cache;

impl Cache {
    fn compress(&self, data: &str) -> String {
        STANDARD.encode(data)
    }

    fn gzip_body(&self, data: &[u8]) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        STANDARD.encode(encoder.finish(data))
    }
}

pub async fn load(client: &reqwest::Client, url_a: &str, url_b: &str, url_c: &str) -> Result<(), reqwest::Error> {
    let a = client.get(url_a).send().await?;
    let b = client.get(url_b).send().await?;
    let c = client.get(url_c).send().await?;
    let next = client.get(c.url().as_str()).send().await?;
    Ok(())
}

pub async fn fetch(url: &str) -> Result<String, reqwest::Error> {
    let answer = reqwest::Client::new().get(url).send().await?;
    answer.text().await
}
";

#[test]
fn rust_that_does_not_parse_is_still_looked_at() {
    let place = Place::new(&[("Cargo.toml", CARGO)]);
    let found = |text: &str| {
        place.put("src/cache.rs", text.as_bytes());
        let report = place.json(&["."]);
        let findings = report["findings"].as_array().unwrap().clone();
        let skipped = report["completeness"]["skipped"].as_array().unwrap().len();
        (findings, skipped)
    };
    let line = |finding: &serde_json::Value| finding["location"]["start"]["line"].as_u64().unwrap();
    let (whole, skipped) = found(CODE);
    assert_eq!(skipped, 0, "{whole:?}");
    let told = |findings: &[serde_json::Value]| {
        let mut told: Vec<_> = findings.iter().map(|f| (f["rule"].as_str().unwrap().to_owned(), line(f))).collect();
        told.sort();
        told
    };
    let wanted = [("fake-compression", 6), ("missing-keep-alive", 25), ("sequential-awaits", 17)];
    let wanted = wanted.map(|(rule, line)| (rule.to_owned(), line));
    assert_eq!(told(&whole), wanted);
    let (broken, skipped) = found(&format!("{CODE}\nfn x( {{\n"));
    assert_eq!(skipped, 1, "{broken:?}");
    assert_eq!(told(&broken), wanted);
    for finding in &broken {
        assert_eq!(finding["confidence"], "likely", "{finding}");
        assert!(finding["assumption"].as_str().unwrap().contains("is not resolved"), "{finding}");
        assert!(finding["patch"].is_null(), "{finding}");
    }
    let run = broken.iter().find(|finding| finding["rule"] == "sequential-awaits").unwrap();
    assert!(run["message"].as_str().unwrap().starts_with("3 reads"), "{run}");
}
