//! What a finding names besides its own place: where its facts stand.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use common::place::Place;

/// The lines that the evidence of the only finding names with these words.
fn lines(files: &[(&str, &str)], words: &str) -> Vec<u64> {
    let report = Place::new(files).json(&[".", "--fail-on", "never"]);
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let evidence = findings[0]["evidence"].as_array().expect("evidence").iter();
    let said = evidence.filter(|step| step["message"].as_str().is_some_and(|message| message.contains(words)));
    said.filter_map(|step| step["location"]["start"]["line"].as_u64()).collect()
}

const SERVICE: (&str, &str) = (
    "Cargo.toml",
    "[package]\nname = \"tax\"\nversion = \"0.1.0\"\n\n[dependencies]\naxum = \"0.8\"\nreqwest = \"0.12\"\ntonic = \"0.14\"\n",
);

#[test]
fn requests_of_a_shared_client_are_named() {
    let text = "use std::sync::LazyLock;\nstatic HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);\n\npub async fn rate(of: &str) -> reqwest::Result<String> {\n    HTTP.get(of).send().await?.text().await\n}\n\npub async fn brief(of: &str) -> reqwest::Result<String> {\n    HTTP.get(of).timeout(LIMIT).send().await?.text().await\n}\n";
    assert_eq!(lines(&[SERVICE, ("src/tax.rs", text)], "this request brings no timeout"), [5]);
}

#[test]
fn requests_of_a_kept_agent_are_named_through_its_clone() {
    let text = "pub struct Tax {\n    agent: ureq::Agent,\n}\n\nimpl Tax {\n    pub fn new() -> Self {\n        Self { agent: ureq::AgentBuilder::new().user_agent(\"tax\").build() }\n    }\n\n    pub async fn rate(&self, of: String) -> Result<String, Failure> {\n        let agent = self.agent.clone();\n        tokio::task::spawn_blocking(move || Ok(agent.get(&of).call()?.into_string()?)).await?\n    }\n}\n";
    assert_eq!(lines(&[SERVICE, ("src/tax.rs", text)], "this request brings no timeout"), [12]);
}

#[test]
fn where_a_grpc_request_is_made_is_named() {
    let text = "pub async fn ask(channel: tonic::transport::Channel) -> Result<u64, tonic::Status> {\n    let request = tonic::Request::new(search::Query {});\n    let mut client = search::search_client::SearchClient::new(channel);\n    Ok(client.ask(request).await?.into_inner().count)\n}\n";
    assert_eq!(lines(&[SERVICE, ("src/ask.rs", text)], "a timeout could be set on it"), [2]);
}

#[test]
fn one_answer_is_said_once() {
    let api = "pub struct Api {\n    http: reqwest::Client,\n}\n\nimpl Api {\n    pub async fn json(&self, of: &str) -> reqwest::Result<String> {\n        self.http.get(of).timeout(LIMIT).send().await?.text().await\n    }\n}\n";
    let page = "use axum::extract::State;\n\npub async fn page(State(api): State<crate::api::Api>) -> Result<String, Failure> {\n    let one = api.json(\"/one\").await?;\n    let two = api.json(\"/two\").await?;\n    Ok(one + &two)\n}\n";
    let files = [SERVICE, ("src/main.rs", "mod api;\nmod page;\n"), ("src/api.rs", api), ("src/page.rs", page)];
    assert_eq!(lines(&files, "only reads"), [6]);
}
