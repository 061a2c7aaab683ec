//! The pattern engine: the stand-in queries on broken code, users' rules in
//! every language, and what a bad query is told.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use bizra_scan::observe::{Confidence, Context, Value};
use common::queries::{hits, one_rule, rule_text, try_map};
use miette::Diagnostic;

fn stand_in(
    id: &str,
    family: &str,
    query: &str,
    path: &str,
    text: &str,
) -> Vec<(String, bizra_scan::observe::Candidate)> {
    let rules = match one_rule(id, &rule_text(id, family, query, "")) {
        Ok(rules) => rules,
        Err(error) => panic!("{:?}", miette::Report::new_boxed(error)),
    };
    hits(&rules, path, text)
}

const CACHE: &str = "export class CacheService {
// FAKE compression - actually INCREASES size by 33%
private async compress(data: string): Promise<string> {
  return Buffer.from(data).toString('base64'); // NOT compression!
}
}
";

const VALIDATION: &str = "import axios, { AxiosInstance } from 'axios';
export class ValidationService {
  constructor() {
this.client = axios.create({
  baseURL: config.bizra.nodeUrl,
  timeout: 10000,
  // NO connection pooling!
});
  }

  async validate(address: string) {
// Sequential calls = 3x latency
const balanceResponse = await this.client.post('/rpc', {...});
const nonceResponse = await this.client.post('/rpc', {...});
const codeResponse = await this.client.post('/rpc', {...});
  }
}
";

const BREAKER: &str = "export class CircuitBreaker {
private async executeWithTimeout<T>(fn: () => Promise<T>): Promise<T> {
  return Promise.race([
    fn(),
    new Promise<T>((_, reject) =>
      setTimeout(() => reject(...), this.config.timeout) // NEVER CLEARED!
    )
  ]);
}
}
";

const POOL: &str = "export const databaseConfig = {
pool: {
  max: 100,        // Too small for high concurrency
  acquire: 60000,  // 60s timeout causes queuing
}
};
";

#[test]
fn fake_compression_is_found_verbatim() {
    let query = include_str!("queries/fake-compression.ts.scm");
    let found = stand_in("fake-compression", "typescript", query, "src/performance/cache.service.ts", CACHE);
    let [(text, hit)] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(text, "Buffer.from(data).toString('base64')");
    assert_eq!(hit.symbol, "CacheService.compress");
    assert_eq!(hit.confidence, Confidence::Likely);
    assert_eq!(hit.request_path_by_name.as_deref(), Some("CacheService"));
}

#[test]
fn sequential_awaits_are_found_verbatim() {
    let query = include_str!("queries/sequential-awaits.ts.scm");
    let path = "src/services/validation/validation.service.ts";
    let text = rule_text("sequential-awaits", "typescript", query, "");
    let text = text.replace("[report]", "[detect.typescript.values]\ncount = \"count(@call)\"\n\n[report]");
    let found = hits(&one_rule("sequential-awaits", &text).unwrap(), path, VALIDATION);
    let [(text, hit)] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(text, "await this.client.post('/rpc', {...})");
    assert_eq!(hit.values["count"], Value::Number(3.0));
    assert_eq!(hit.symbol, "ValidationService.validate");
    assert_eq!(hit.span.start as usize, VALIDATION.find("await this").unwrap());
}

#[test]
fn missing_keep_alive_is_found_verbatim() {
    let query = include_str!("queries/missing-keep-alive.ts.scm");
    let path = "src/services/validation/validation.service.ts";
    let found = stand_in("missing-keep-alive", "typescript", query, path, VALIDATION);
    let [(text, hit)] = found.as_slice() else { panic!("{found:#?}") };
    assert!(text.starts_with("axios.create({") && text.ends_with("})"));
    assert_eq!(hit.symbol, "ValidationService.constructor");
    assert_eq!(hit.needs.len(), 1, "the Node floor: {:?}", hit.needs);
}

#[test]
fn an_uncleared_timer_is_found_verbatim() {
    let query = include_str!("queries/uncleared-timer.ts.scm");
    let path = "src/service-mesh/circuit-breaker/circuit-breaker.ts";
    let found = stand_in("uncleared-timer", "typescript", query, path, BREAKER);
    let [(text, hit)] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(text, "setTimeout(() => reject(...), this.config.timeout)");
    assert_eq!(hit.symbol, "CircuitBreaker.executeWithTimeout");
    let cleared = BREAKER.replace("fn(),", "fn().finally(() => clearTimeout(id)),");
    assert!(stand_in("uncleared-timer", "typescript", query, path, &cleared).is_empty());
}

#[test]
fn an_undersized_pool_is_found_verbatim() {
    let query = include_str!("queries/undersized-pool.ts.scm");
    let found = stand_in("undersized-pool", "typescript", query, "config/database.config.ts", POOL);
    let [(text, _)] = found.as_slice() else { panic!("{found:#?}") };
    assert!(text.starts_with("{\n  max: 100") && text.ends_with('}'));
    let fits = POOL.replace("100", "97");
    assert!(stand_in("undersized-pool", "typescript", query, "config/database.config.ts", &fits).is_empty());
}

#[test]
fn both_shapes_of_await_with_type_arguments_match() {
    let query = include_str!("queries/sequential-awaits.ts.scm");
    let text = "class A { async f(id: string) {
        const user = await this.http.get<User>(`/users/${id}`);
        // the other shape
        const cart = await this.http.get(`/carts/${id}`);
        const late = await this.http.get(`/late/${cart.id}`);
    } }";
    for path in ["src/a.ts", "src/a.tsx", "src/a.js"] {
        let found = stand_in("sequential-awaits", "typescript", query, path, text);
        let [(text, _)] = found.as_slice() else { panic!("{path}: {found:#?}") };
        assert_eq!(text, "await this.http.get<User>(`/users/${id}`)", "{path}");
    }
}

#[test]
fn chains_end_where_a_call_needs_an_earlier_result() {
    let query = include_str!("queries/sequential-awaits.ts.scm");
    let text = "async function f(id: string) {
        const user = await http.get(`/users/${id}`);
        const team = await http.get(`/teams/${user.team}`);
        const cart = await http.get(`/carts/${id}`);
    }";
    let found = stand_in("sequential-awaits", "typescript", query, "src/a.ts", text);
    let texts: Vec<_> = found.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["await http.get(`/teams/${user.team}`)"]);
}

#[test]
fn rust_stand_ins_find_their_shapes() {
    let fake = include_str!("queries/fake-compression.rust.scm");
    let text =
        "impl Cache {\n    fn compress(&self, data: &[u8]) -> String {\n        STANDARD.encode(data)\n    }\n}\n";
    let found = stand_in("fake-compression", "rust", fake, "src/cache.rs", text);
    let [(text, hit)] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((text.as_str(), hit.symbol.as_str()), ("STANDARD.encode(data)", "Cache.compress"));

    let awaits = include_str!("queries/sequential-awaits.rust.scm");
    let text = "async fn load(c: &Client, id: u32) -> Result<()> {
    let user = c.get(format!(\"{BASE}/users/{id}\")).send().await?;
    let cart = c.get(format!(\"{BASE}/carts/{id}\")).send().await.map_err(Error::from)?;
    let late = c.get(format!(\"{BASE}/late/{cart}\")).send().await?;
}";
    let found = stand_in("sequential-awaits", "rust", awaits, "src/load.rs", text);
    let [(text, _)] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(text, "c.get(format!(\"{BASE}/users/{id}\")).send().await");

    let client = include_str!("queries/missing-keep-alive.rust.scm");
    let text =
        "async fn load() { let x = reqwest::Client::new().get(URL).send().await?; let y = reqwest::get(URL).await?; }
        fn new() -> Self { Self { client: reqwest::Client::new() } }";
    let words = "[variant.client-per-call]\ntitle = \"a client for each call\"\n";
    let rules = one_rule("missing-keep-alive", &rule_text("missing-keep-alive", "rust", client, words)).unwrap();
    let found = hits(&rules, "src/load.rs", text);
    let texts: Vec<_> = found.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["reqwest::Client::new()", "reqwest::get(URL)"]);
}

/// One user's rule in each language, with its patch.
#[test]
fn users_rules_work_in_every_language() {
    let cases = [
        ("typescript", "src/a.ts", "const x: number = JSON.parse(JSON.stringify(y)) as number;\n"),
        ("typescript", "src/a.tsx", "const x = <B c={JSON.parse(JSON.stringify(y))} />;\n"),
        ("typescript", "src/a.jsx", "const x = <B c={JSON.parse(JSON.stringify(y))} />;\n"),
        ("typescript", "src/a.js", "const x = JSON.parse(JSON.stringify(y));\n"),
    ];
    let query = r#"((call_expression
  function: (member_expression) @_parse
  arguments: (arguments . (call_expression function: (member_expression) @_stringify
    arguments: (arguments . (_) @value .)) .)) @hit
  (#eq? @_parse "JSON.parse")
  (#eq? @_stringify "JSON.stringify"))"#;
    let patch = "[patch.clone]\ntitle = \"clone it\"\nsafety = \"review\"\nchanges = \"Dates stay dates.\"\n\
                 replace = { hit = \"structuredClone({value})\" }\nimports = [\"node:util: structuredClone\"]\n";
    let rules = one_rule("json-clone", &rule_text("json-clone", "typescript", query, patch)).unwrap();
    for (_, path, text) in cases {
        let found = hits(&rules, path, text);
        let [(hit, candidate)] = found.as_slice() else { panic!("{path}: {found:#?}") };
        assert_eq!(hit, "JSON.parse(JSON.stringify(y))");
        let draft = candidate.patch.as_ref().unwrap();
        assert_eq!(draft.edits, [(candidate.span, "structuredClone(y)".to_owned())]);
        assert_eq!(
            (draft.imports[0].module.as_str(), draft.imports[0].name.as_str()),
            ("node:util", "structuredClone")
        );
        assert_eq!(candidate.context, Context::Startup);
    }
    let query =
        "((macro_invocation macro: (identifier) @_dbg) @hit (#eq? @_dbg \"dbg\") (#inside? @hit \":function\"))";
    let text = rule_text("no-dbg", "rust", query, "").replace("triggers", "confidence = \"possible\"\ntriggers");
    let rules = one_rule("no-dbg", &text).unwrap();
    let found =
        hits(&rules, "src/a.rs", "mod m { impl<T> Store<T> { fn get(&self) { dbg!(1); } } }\nconst X: () = dbg!();");
    let [(hit, candidate)] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!((hit.as_str(), candidate.symbol.as_str()), ("dbg!(1)", "m.Store.get"));
    assert_eq!(candidate.confidence, Confidence::Possible);
    assert!(candidate.assumption.is_some());
}

#[test]
fn further_predicates_hold() {
    let query = r#"((call_expression function: (identifier) @_f) @hit (#eq? @_f "f") PREDICATE)"#;
    let text = "for (const x of xs) { f(x); }\nfunction g() { while (true) { f(await y); } }\nf(1_000);\n";
    let count = |predicate: &str| {
        let query = query.replace("PREDICATE", predicate);
        stand_in("some-rule", "typescript", &query, "src/a.ts", text).len()
    };
    assert_eq!(count(r#"(#inside? @hit ":loop")"#), 2);
    assert_eq!(count(r#"(#not-inside? @hit ":loop")"#), 1);
    assert_eq!(count(r#"(#inside? @hit ":loop > :function")"#), 1);
    assert_eq!(count(r#"(#inside? @hit ":function" "for_in_statement")"#), 2);
    assert_eq!(count(r#"(#has? @hit "await_expression")"#), 1);
    assert_eq!(count(r#"(#not-has? @hit "await_expression" "~^x$")"#), 1);
    assert_eq!(count(r#"(#around-has? @hit ":loop" "~^xs$")"#), 1);
    assert_eq!(count(r#"(#around-not-has? @hit ":loop" "~^xs$")"#), 2);
    assert_eq!(count(r#"(#around-has? @hit ":loop~^while" "await_expression")"#), 1);
}

#[test]
fn a_bad_query_is_shown_in_the_rule() {
    let cases = [
        ("(call_expresion) @hit", "no node kind `call_expresion`", "c"),
        ("(call_expression functon: (_)) @hit", "no field `functon`", "f"),
        ("((call_expression) @hit (#insde? @hit \"for_statement\"))", "did you mean `#inside?`", "#"),
        ("((call_expression) @hit (#inside? @hit \"for_stmt\"))", "no node kind `for_stmt`", "#"),
        ("((call_expression) @hit (#match? @hit \"(\"))", "Invalid regex", "("),
        ("(call_expression", "syntax", "n"),
        ("(call_expression) @call", "no capture `@hit`", ""),
    ];
    for (query, words, at) in cases {
        let text = rule_text("some-rule", "typescript", query, "");
        let error = one_rule("some-rule", &text).expect_err(query);
        assert!(error.to_string().contains(words), "{query}: {error}");
        let label = error.labels().and_then(|mut labels| labels.next()).expect("a label");
        let marked = &text[label.offset()..label.offset() + label.len()];
        assert!(marked.starts_with(at), "{query}: {marked:?}");
        assert!(text[..label.offset() + label.len()].contains("query ="), "{query}");
    }
}

#[test]
fn deep_and_long_files_end() {
    let query = r#"((call_expression) @hit (#inside? @hit ":function") (#has? @hit "await_expression"))"#;
    let rules = one_rule("some-rule", &rule_text("some-rule", "typescript", query, "")).unwrap();
    let deep = format!("function f() {{ {}x{} }}", "f(".repeat(8_000), ")".repeat(8_000));
    let (_, result) = try_map(&rules, "src/deep.ts", &deep);
    assert!(result.is_err(), "a quadratic walk is stopped");
    let long = "f(await x);\n".repeat(20_000);
    let (map, result) = try_map(&rules, "src/long.ts", &long);
    assert_eq!((map.candidates.len(), result), (0, Ok(())));
}
