use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::observe::{Export, FunctionSummary};
use crate::rule::RuleSet;
use crate::tree::{Memory, Overlay};

fn facts(files: &[(&str, &str)]) -> Facts {
    let over = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let manifests = files.iter().map(|(path, _)| (*path).to_owned()).filter(|p| crate::facts::is_manifest(p)).collect();
    Facts::new(Arc::new(Overlay::new(Memory, over)), manifests)
}

#[derive(Default)]
struct Mapped(BTreeMap<String, Observations>);

impl Exports for Mapped {
    fn observations(&self, path: &str) -> Option<&Observations> {
        self.0.get(path)
    }
}

impl Mapped {
    fn with(mut self, path: &str, name: &str, export: Export) -> Self {
        self.0.entry(path.to_owned()).or_default().exports.insert(name.to_owned(), export);
        self
    }
    fn star(mut self, path: &str, module: &str) -> Self {
        self.0.entry(path.to_owned()).or_default().star_exports.push(module.to_owned());
        self
    }
}

fn name(module: &str, path: &str) -> NameRef {
    let mut parts = path.split('.').map(str::to_owned);
    NameRef { module: module.into(), name: parts.next().unwrap(), members: parts.collect() }
}

fn function(effect: Effect, io: Io, calls: &[NameRef]) -> Export {
    let calls = calls.to_vec();
    Export::Function(FunctionSummary {
        waits: true,
        is_async: true,
        effect,
        io,
        calls,
        uses_transaction: false,
        handed: false,
        passes: false,
        span: Span::new(1, 2),
        blocks: None,
    })
}

fn word(answer: &Answer) -> String {
    match answer {
        Answer::Yes(step) => format!("yes {}", step.key),
        Answer::No(step) => format!("no {}", step.key),
        Answer::Likely(step) => format!("likely {}", step.key),
        Answer::Possible(step) => format!("possible {}", step.key),
        Answer::Unknown => "unknown".into(),
        Answer::NeedFiles(files) => format!("files {}", files.join(" ")),
    }
}

const SOURCES: &[(&str, &str)] =
    &[("a.ts", ""), ("b.ts", ""), ("c.ts", ""), ("d.ts", ""), ("e.ts", ""), ("f.ts", ""), ("index.ts", "")];

fn reads(mapped: &Mapped, of: NameRef) -> String {
    word(&answer(&Question::ReadsIo(of), "a.ts", &facts(SOURCES), mapped))
}

#[test]
fn effects_combine_over_calls() {
    let load = name("./b", "load");
    assert_eq!(reads(&Mapped::default(), load.clone()), "files b.ts");
    let b = |io| Mapped::default().with("b.ts", "load", function(Effect::None, io, &[name("./c", "get")]));
    assert_eq!(reads(&b(Io::None), load.clone()), "files c.ts");
    let with_c = |effect, io| b(Io::None).with("c.ts", "get", function(effect, io, &[name("./b", "load")]));
    assert_eq!(reads(&with_c(Effect::Read, Io::Database), load.clone()), "yes effect-reads");
    assert_eq!(reads(&with_c(Effect::Write, Io::Database), load.clone()), "no effect-writes");
    assert_eq!(reads(&with_c(Effect::Unknown, Io::Http), load.clone()), "likely reads-as-named");
    assert_eq!(reads(&with_c(Effect::None, Io::None), load.clone()), "no effect-waits-for-nothing");
    let outside = Mapped::default().with("b.ts", "load", function(Effect::Read, Io::Http, &[name("left-pad", "x")]));
    assert_eq!(reads(&outside, load), "likely reads-as-named");
    // `get` may as well compute.
    let outside =
        Mapped::default().with("b.ts", "getTotal", function(Effect::Read, Io::Http, &[name("left-pad", "x")]));
    assert_eq!(reads(&outside, name("./b", "getTotal")), "unknown");
}

#[test]
fn a_database_is_no_service() {
    let of = |io| Mapped::default().with("b.ts", "load", function(Effect::Read, io, &[]));
    let asked = |io| word(&answer(&Question::ReadsService(name("./b", "load")), "a.ts", &facts(SOURCES), &of(io)));
    assert_eq!(asked(Io::Http), "yes effect-reads");
    assert_eq!(asked(Io::Database), "no effect-no-service");
}

#[test]
fn what_is_handed_in_is_no_connection_of_its_own() {
    let Export::Function(summary) = function(Effect::Read, Io::Database, &[]) else { unreachable!() };
    let handed = Export::Function(FunctionSummary { handed: true, ..summary });
    let mapped = Mapped::default().with("b.ts", "load", handed);
    let of = |question: Question| word(&answer(&question, "a.ts", &facts(SOURCES), &mapped));
    assert_eq!(of(Question::ReadsIo(name("./b", "load"))), "yes effect-reads");
    assert_eq!(of(Question::ReadsOnItsOwn(name("./b", "load"))), "no effect-handed-in");
}

#[test]
fn packages_say_whether_they_run_on_a_server() {
    let of = |package: &str, question: Question| {
        let sources = [("package.json", package), ("a.ts", "")];
        word(&answer(&question, "a.ts", &facts(&sources), &Mapped::default()))
    };
    let service = r#"{"name":"s","dependencies":{"express":"4"}}"#;
    let both = r#"{"name":"s","dependencies":{"express":"4","react":"18"}}"#;
    let command = r#"{"name":"s","bin":"x.js","dependencies":{"axios":"1"}}"#;
    let serving = r#"{"name":"s","bin":"x.js","dependencies":{"express":"4"}}"#;
    assert_eq!(of(service, Question::OnServer), "yes package-service");
    assert_eq!(of(both, Question::OnServer), "unknown");
    assert_eq!(of(command, Question::OnServer), "unknown");
    assert_eq!(of(command, Question::NotCommandLine), "no package-command-line");
    assert_eq!(of(serving, Question::NotCommandLine), "unknown");
}

#[test]
fn chains_of_calls_end_after_four_hops() {
    let mut mapped = Mapped::default();
    for (from, to) in [("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")] {
        let next = name(&format!("./{to}"), "f");
        mapped = mapped.with(&format!("{from}.ts"), "f", function(Effect::Read, Io::File, &[next]));
    }
    let end = mapped.with("f.ts", "f", function(Effect::Read, Io::File, &[]));
    assert_eq!(reads(&end, name("./b", "f")), "yes effect-reads");
    let on = end.with("f.ts", "f", function(Effect::Read, Io::File, &[name("./index", "f")]));
    assert_eq!(reads(&on, name("./b", "f")), "unknown");
}

#[test]
fn names_are_followed_through_re_exports() {
    let mapped = Mapped::default()
        .with("index.ts", "Users", Export::From(name("./b", "UserService")))
        .with("index.ts", "ns", Export::From(name("./b", "*")))
        .star("index.ts", "./c")
        .star("index.ts", "./gone")
        .with("b.ts", "UserService.find", function(Effect::Read, Io::Database, &[]));
    assert_eq!(reads(&mapped, name("./index", "Users.find")), "yes effect-reads");
    assert_eq!(reads(&mapped, name("./index", "ns.UserService.find")), "yes effect-reads");
    assert_eq!(reads(&mapped, name("./index", "*.Users.find")), "yes effect-reads");
    assert_eq!(reads(&mapped, name("./index", "load")), "files c.ts");
    let mapped = mapped.with("c.ts", "load", function(Effect::Read, Io::Http, &[]));
    assert_eq!(reads(&mapped, name("./index", "load")), "yes effect-reads");
    assert_eq!(reads(&mapped, name("./index", "default")), "unknown");
}

#[test]
fn circles_of_re_exports_end() {
    let mapped = Mapped::default().star("b.ts", "./c").star("c.ts", "./b");
    assert_eq!(reads(&mapped, name("./b", "load")), "unknown");
}

#[test]
fn constants_are_found_by_their_members() {
    let span = Span::new(3, 5);
    let mapped = Mapped::default().with("b.ts", "config.pool.max", Export::Constant(20u32.into(), span)).with(
        "index.ts",
        "settings",
        Export::From(name("./b", "config")),
    );
    let get = |of: NameRef| resolve_constant("a.ts", &of, &facts(SOURCES), &mapped);
    let found = Resolved::Value(20u32.into(), "b.ts".into(), span);
    assert_eq!(get(name("./b", "config.pool.max")), found);
    assert_eq!(get(name("./index", "settings.pool.max")), found);
    assert_eq!(get(name("./b", "config.pool.min")), Resolved::Unknown);
    assert_eq!(get(name("./c", "x")), Resolved::NeedFiles(vec!["c.ts".into()]));
}

#[test]
fn node_floors_answer_by_their_kind() {
    let below = |files: &[(&str, &str)]| {
        word(&answer(&Question::NodeBelow { major: 19 }, "a.ts", &facts(files), &Mapped::default()))
    };
    let app = ("package.json", r#"{"private":true,"engines":{"node":">=16"}}"#);
    assert_eq!(below(&[app]), "likely node-floor-engines");
    let ends = ("package.json", r#"{"private":true,"engines":{"node":">=18.12 <19"}}"#);
    assert_eq!(below(&[ends]), "yes node-engines-end-below");
    let only_ends = |range: &str| format!(r#"{{"private":true,"engines":{{"node":"{range}"}}}}"#);
    for range in ["<=18", "<19", "<=16 || 18.x"] {
        assert_eq!(below(&[("package.json", &only_ends(range))]), "yes node-engines-only-below", "{range}");
    }
    assert_eq!(below(&[("package.json", &only_ends("<20"))]), "possible node-floor-silent");
    assert_eq!(below(&[app, ("Dockerfile", "FROM node:18")]), "yes node-floor-deployed");
    assert_eq!(below(&[app, (".nvmrc", "18")]), "yes node-floor-pinned");
    assert_eq!(below(&[app, (".nvmrc", "20")]), "no node-floor-above");
    assert_eq!(below(&[]), "likely node-floor-no-package");
    assert_eq!(below(&[("package.json", "{}")]), "possible node-floor-silent");
    let library = ("package.json", r#"{"name":"x","exports":"./x.js","engines":{"node":">=16"}}"#);
    assert_eq!(below(&[library]), "possible node-floor-of-a-library");
}

#[test]
fn packages_and_crates_answer() {
    let files = [
        ("package.json", r#"{"private":true,"dependencies":{"express":"4","axios":"^1.2.0"}}"#),
        ("cli/package.json", r#"{"name":"cli","bin":"x.js"}"#),
        ("emulate-cli/package.json", r#"{"name":"emulate-cli","bin":"x.js","dependencies":{"express":"4"}}"#),
        ("api/package.json", r#"{"name":"@a/api","private":true,"dependencies":{"koa":"2","@a/orders":"1"}}"#),
        ("orders/package.json", r#"{"name":"@a/orders","private":true,"dependencies":{"@a/db":"1"}}"#),
        ("db/package.json", r#"{"name":"@a/db","private":true,"main":"x.js","dependencies":{"pg":"8"}}"#),
        ("words/package.json", r#"{"name":"@a/words","private":true,"dependencies":{"react":"19"}}"#),
        ("functions-test/package.json", r#"{"name":"functions-test","dependencies":{"axios":"1"}}"#),
        ("types/package.json", r#"{"name":"types","types":"x.d.ts","devDependencies":{"axios":"1"}}"#),
        ("plugin/package.json", r#"{"name":"offline","peerDependencies":{"serverless":"3 || 4"}}"#),
        (
            "s/Cargo.toml",
            "[package]\nname=\"s\"\n[dependencies]\naxum=\"0.7\"\ntokio={version=\"1\",features=[\"full\"]}\n",
        ),
        ("s/src/main.rs", ""),
    ];
    let facts = facts(&files);
    let ask = |question: Question, path: &str| word(&answer(&question, path, &facts, &Mapped::default()));
    assert_eq!(ask(Question::InService, "a.ts"), "yes package-service");
    assert_eq!(ask(Question::InService, "db/a.ts"), "yes package-of-service");
    assert_eq!(ask(Question::OnServer, "db/a.ts"), "yes package-of-service");
    assert_eq!(ask(Question::InService, "words/a.ts"), "unknown", "a screen needs it as well as a service");
    assert_eq!(ask(Question::InService, "cli/a.ts"), "no package-command-line");
    assert_eq!(ask(Question::InService, "s/src/main.rs"), "yes crate-service");
    assert_eq!(ask(Question::NotInCommandLineProgram, "cli/a.ts"), "no package-command-line");
    assert_eq!(ask(Question::NotInCommandLineProgram, "a.ts"), "yes not-command-line");
    assert_eq!(ask(Question::NotCommandLine, "a.ts"), "unknown");
    assert_eq!(ask(Question::NotCommandLine, "emulate-cli/a.ts"), "no package-command-line");
    assert_eq!(ask(Question::NotCommandLine, "plugin/a.ts"), "no package-tool");
    assert_eq!(ask(Question::NotInTool("axios"), "plugin/a.ts"), "no package-tool");
    assert_eq!(ask(Question::NotInTool("axios"), "a.ts"), "unknown");
    assert_eq!(ask(Question::NotInTool("axios"), "functions-test/a.ts"), "no package-tool");
    assert_eq!(ask(Question::NotInTool("axios"), "types/a.ts"), "no package-develops-with");
    let version = |package: &str, version| Question::DependencyBelow { package: package.into(), version };
    assert_eq!(ask(version("axios", (1, 7)), "a.ts"), "likely dependency-lowest-of-range");
    assert_eq!(ask(version("axios", (1, 2)), "a.ts"), "no dependency-above");
    assert_eq!(ask(version("got", (1, 2)), "a.ts"), "unknown");
    let feature = |package: &str, feature: &str| Question::Feature { package: package.into(), feature: feature.into() };
    assert_eq!(ask(feature("tokio", "fs"), "s/src/main.rs"), "yes feature-enabled");
    assert_eq!(ask(feature("sqlx", ""), "s/src/main.rs"), "no dependency-undeclared");
}

/// Every key that an answer or the join can say has its words.
#[test]
fn every_key_has_words() {
    let rules = RuleSet::builtin().unwrap();
    let code = [include_str!("needs.rs"), include_str!("close.rs")];
    let mut keys = BTreeSet::new();
    for text in code {
        for call in ["step(\"", "Step::new(\"", "named(\"", "=> (\""] {
            for (at, _) in text.match_indices(call) {
                let rest = &text[at + call.len()..];
                keys.extend(rest.split('"').next().filter(|key| key.contains('-')));
            }
        }
    }
    assert!(keys.len() > 20, "{keys:?}");
    let missing: Vec<_> = keys.iter().filter(|key| !rules.common.contains_key(**key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_a_package_is_for() {
    let facts = facts(&[
        ("edge/package.json", r#"{"name": "proxy", "dependencies": {"wrangler": "3"}}"#),
        ("site/package.json", r#"{"name": "gatsby-source-shop", "peerDependencies": {"gatsby": "5"}}"#),
        ("clients/package.json", r#"{"name": "@shop/openapi-codegen", "main": "index.js"}"#),
        (
            "desk/package.json",
            r#"{"name": "desk", "private": true, "devDependencies": {"electron": "34", "next": "15"}}"#,
        ),
        (
            "desk-web/package.json",
            r#"{"name": "web", "private": true, "dependencies": {"electron": "34", "next": "15"}}"#,
        ),
        ("api/package.json", r#"{"name": "api", "dependencies": {"hono": "4", "wrangler": "3"}, "bin": "a.js"}"#),
        (
            "server/package.json",
            r#"{"name": "server", "bin": "cli.js", "scripts": {"start": "node ."}, "dependencies": {"express": "4"}}"#,
        ),
    ]);
    let fetch = |path: &str| answer(&Question::NotInTool("fetch"), path, &facts, &Mapped::default());
    for path in ["edge/a.ts", "api/a.ts", "site/a.ts", "clients/a.ts", "desk/a.ts"] {
        assert!(matches!(fetch(path), Answer::No(_)), "{path}");
    }
    for path in ["desk-web/a.ts", "server/a.ts"] {
        assert_eq!(fetch(path), Answer::Unknown, "{path}");
    }
    let serves = |path: &str| answer(&Question::InService, path, &facts, &Mapped::default());
    assert!(matches!(serves("server/a.ts"), Answer::Yes(_)));
    assert!(matches!(serves("api/a.ts"), Answer::No(_)));
    let others = |path: &str| facts.is_called_by_others(path);
    assert!(others("clients/a.ts") && !others("server/a.ts") && !others("desk/a.ts"));
}
