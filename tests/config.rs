//! `bizra-scan.toml`: what counts where, and faults that point at their place.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use bizra_scan::config::{ConfigError, Level, Settings, Source, file, load, print};
use bizra_scan::finding::Severity;
use bizra_scan::rule::RuleSet;
use bizra_scan::source::{Language, PathClass};
use bizra_scan::tree::{Memory, Overlay};
use bizra_scan::walk::{Walked, WalkedFile};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

fn rules() -> RuleSet {
    let mut rules = RuleSet::default();
    for id in ["slow-calls", "leaky-timer"] {
        let text = format!(
            "id = \"{id}\"\ntitle = \"a title\"\ncategory = \"network\"\nlanguages = [\"typescript\"]\n\
             effort_minutes = 5\n[severity]\nbase = \"high\"\n[detect.typescript]\ntriggers = [[\"await\"]]\n\
             query = \"(await_expression) @hit\"\n[report]\nmessage = \"a message\"\nimpact = \"an impact\"\n\
             [variant.many]\ntitle = \"many\"\n[docs]\nwhy = \"why\"\nwhen_not = \"never\"\nsources = []\n"
        );
        rules.add(&format!("{id}.toml"), &text, false).unwrap();
    }
    rules
}

fn walked(prefix: &str, files: &[(&str, &str)]) -> Walked {
    let below = |path: &str| prefix.is_empty() || path.starts_with(&format!("{prefix}/"));
    let names = || files.iter().map(|(path, _)| *path).filter(|path| below(path));
    let code = names().filter(|path| path.ends_with(".ts")).map(|path| WalkedFile {
        path: path.to_owned(),
        language: Language::TypeScript,
        class: PathClass::Product,
        size: 0,
    });
    Walked {
        prefix: prefix.to_owned(),
        files: code.collect(),
        whole: true,
        configs: names().filter(|path| path.ends_with("bizra-scan.toml")).map(str::to_owned).collect(),
        ..Walked::default()
    }
}

fn tree(files: &[(&str, &str)]) -> Overlay<Memory> {
    let over: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    Overlay::new(Memory, over)
}

fn settings(prefix: &str, files: &[(&str, &str)]) -> Result<Settings, Box<ConfigError>> {
    load(&tree(files), &walked(prefix, files), &rules(), Source::Nearest)
}

fn fault(text: &str) -> Box<ConfigError> {
    settings("", &[("bizra-scan.toml", text)]).expect_err(text)
}

/// The message, the help, and the text that the label points at.
fn told(text: &str) -> (String, String, String) {
    let error = fault(text);
    let label = error.labels().and_then(|mut labels| labels.next());
    let at = label.map_or("", |label| &text[label.offset()..label.offset() + label.len()]).to_owned();
    (error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default(), at)
}

#[test]
fn without_a_file_the_defaults_count() {
    let settings = settings("", &[("a.ts", "")]).unwrap();
    assert_eq!(settings.gate.fail_on, Some(Severity::Critical));
    assert_eq!(settings.level("a.ts", "slow-calls", None), Level::On);
    assert!(settings.may_run("slow-calls"));
}

#[test]
fn the_nearest_file_decides_alone() {
    let files = [
        ("bizra-scan.toml", "[rules]\nslow-calls = \"off\"\n[gate]\nfail_on = \"high\"\n"),
        ("packages/a/bizra-scan.toml", "[rules]\nleaky-timer = \"low\"\n[gate]\nfail_on = \"low\"\n"),
        (
            "packages/b/bizra-scan.toml",
            "extends = \"../../bizra-scan.toml\"\n[rules]\n\"leaky-timer/many\" = \"critical\"\n",
        ),
    ];
    let settings = settings("", &files).unwrap();
    assert_eq!(settings.level("x.ts", "slow-calls", None), Level::Off);
    assert_eq!(settings.level("packages/a/x.ts", "slow-calls", None), Level::On);
    assert_eq!(settings.level("packages/a/x.ts", "leaky-timer", None), Level::At(Severity::Low));
    assert_eq!(settings.level("packages/b/x.ts", "slow-calls", None), Level::Off);
    assert_eq!(settings.level("packages/b/x.ts", "leaky-timer", None), Level::On);
    assert_eq!(settings.level("packages/b/x.ts", "leaky-timer", Some("many")), Level::At(Severity::Critical));
    assert!(settings.may_run("slow-calls"));
    assert_eq!(settings.gate.fail_on, Some(Severity::High));
    assert_eq!(
        settings.notices,
        ["packages/a/bizra-scan.toml: `gate`, `load`, `database`, `service` and `max_file_size` count in the root's \
          file only"]
    );
}

#[test]
fn the_root_s_file_may_lie_above_the_scan() {
    let files = [("bizra-scan.toml", "[gate]\nfail_on = \"never\"\n[rules]\nslow-calls = \"off\"\n"), ("a/b/x.ts", "")];
    let settings = settings("a/b", &files).unwrap();
    assert_eq!(settings.gate.fail_on, None);
    assert!(!settings.may_run("slow-calls"));
}

#[test]
fn overrides_win_by_path_and_order() {
    let text = "[rules]\nslow-calls = \"low\"\n\
                [[override]]\npaths = [\"src/**\"]\nrules = { slow-calls = \"off\" }\n\
                [[override]]\npaths = [\"src/api/*.ts\", \"lib\"]\nrules = { slow-calls = \"on\" }\n";
    let files = [("bizra-scan.toml", text), ("src/api/x.ts", ""), ("lib/x.ts", "")];
    let settings = settings("", &files).unwrap();
    assert_eq!(settings.notices, Vec::<String>::new());
    let level = |path| settings.level(path, "slow-calls", None);
    assert_eq!(level("x.ts"), Level::At(Severity::Low));
    assert_eq!(level("src/x.ts"), Level::Off);
    assert_eq!(level("src/api/x.ts"), Level::On);
    assert_eq!(level("lib/deep/x.ts"), Level::On);
}

/// The settings of a tree, and what their globs leave of it.
fn excluded(files: &[(&str, &str)]) -> (Settings, Walked) {
    let settings = settings("", files).unwrap();
    let mut walked = walked("", files);
    settings.exclude(&mut walked);
    (settings, walked)
}

#[test]
fn excludes_name_a_folder_once() {
    let files = [
        ("bizra-scan.toml", "exclude = [\"legacy/**\", \"src/*.gen.ts\"]\n"),
        ("legacy/a.ts", ""),
        ("legacy/deep/b.ts", ""),
        ("legacy/bizra-scan.toml", "this is no TOML, and nobody reads it"),
        ("src/a.gen.ts", ""),
        ("src/deep/a.gen.ts", ""),
        ("src/a.ts", ""),
    ];
    let (_, walked) = excluded(&files);
    let left: Vec<&str> = walked.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(left, ["src/deep/a.gen.ts", "src/a.ts"]);
    let skipped: Vec<(&str, &str)> = walked.skipped.iter().map(|s| (s.path.as_str(), s.detail.as_str())).collect();
    assert_eq!(skipped, [("legacy", "by `legacy/**`"), ("src/a.gen.ts", "by `src/*.gen.ts`")]);
}

#[test]
fn a_slash_before_a_glob_holds_it_to_its_folder() {
    let files = [
        ("a/bizra-scan.toml", "exclude = [\"/src\", \"./lib\", \"/\\\\[id\\\\].ts\"]\n"),
        ("a/src/x.ts", ""),
        ("a/deep/src/x.ts", ""),
        ("a/lib/x.ts", ""),
        ("a/[id].ts", ""),
    ];
    let (settings, walked) = excluded(&files);
    let left: Vec<&str> = walked.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(left, ["a/deep/src/x.ts"]);
    assert!(print::effective(&settings, "a").unwrap().contains("\"a/src\", \"a/lib\""));
}

#[test]
fn globs_that_would_match_nothing_are_refused() {
    for (glob, message, help) in [
        ("!src", "`!` takes nothing back", "leave `src` out of the other globs"),
        ("../x", "`../x` leads out of the folder", "bizra-scan.toml of the folder"),
        ("a/../x", "leads out", "bizra-scan.toml"),
        ("src\\\\performance", "folders are parted by `/`", "did you mean `src/performance`?"),
        ("", "names nothing", "`**`"),
        ("./", "names nothing", "`**`"),
    ] {
        let texts = [
            format!("exclude = [\"ok\", \"{glob}\"]\n"),
            format!("[[override]]\npaths = [\"{glob}\"]\nrules = {{ slow-calls = \"off\" }}\n"),
        ];
        for text in texts {
            let (told, advice, at) = told(&text);
            assert!(told.contains(message) && advice.contains(help), "{glob}: {told} {advice}");
            assert_eq!(at, format!("\"{glob}\""));
        }
    }
    settings("", &[("bizra-scan.toml", "exclude = [\"**\", \"[!a]b\", \".cache\"]\n")]).unwrap();
}

#[test]
fn load_database_and_services_are_declared() {
    let text = "max_file_size = 10\n[load]\nrequests_per_second = 50\nquery_ms = 12.5\n\
                [database]\nmax_connections = 200\n[[service]]\npath = \"./services/api\"\ninstances = 4\nqps = 30\n";
    let settings = settings("", &[("bizra-scan.toml", text), ("services/api/x.ts", "")]).unwrap();
    assert_eq!(settings.max_file_size, 10);
    assert_eq!(settings.load.unwrap().requests_per_second, 50.0);
    assert_eq!(settings.database.unwrap().reserved, 3);
    assert_eq!((settings.services[0].path.as_str(), settings.services[0].instances), ("services/api", Some(4)));
}

#[test]
fn faults_say_what_was_meant_and_where() {
    let (message, help, at) = told("exclud = [\"a\"]\n");
    assert!(message.starts_with("bizra-scan.toml: unknown field `exclud`"), "{message}");
    assert_eq!((help.as_str(), at.as_str()), ("did you mean `exclude`?", "exclud"));
    let (message, help, at) = told("[rules]\nslow-cals = \"off\"\n");
    assert_eq!(message, "bizra-scan.toml: there is no rule `slow-cals`");
    assert_eq!((help.as_str(), at.as_str()), ("did you mean `slow-calls`?", "slow-cals"));
    let (message, help, at) = told("[rules]\n\"slow-calls/mny\" = \"off\"\n");
    assert_eq!(message, "bizra-scan.toml: the rule `slow-calls` has no variant `mny`");
    assert_eq!((help.as_str(), at.as_str()), ("did you mean `slow-calls/many`?", "\"slow-calls/mny\""));
    let (_, help, at) = told("[rules]\nslow-calls = \"hihg\"\n");
    assert_eq!((help.as_str(), at.as_str()), ("did you mean `high`?", "\"hihg\""));
    let (_, help, _) = told("[gate]\nfail-on = \"high\"\n");
    assert_eq!(help, "did you mean `fail_on`?");
    let (message, _, at) = told("[[override]]\npaths = [\"a\", \"b[\"]\nrules = {}\n");
    assert!(message.contains("error parsing glob"), "{message}");
    assert_eq!(at, "\"b[\"");
    let (message, _, at) = told("[load]\nrequests_per_second = 0\n");
    assert_eq!((message.as_str(), at.as_str()), ("bizra-scan.toml: must be a number above 0", "0"));
    let (message, _, at) = told("max_file_size = 0\n");
    assert_eq!((message.as_str(), at.as_str()), ("bizra-scan.toml: must be above 0", "0"));
    let (_, _, at) = told("[database]\nmax_connections = 3\n");
    assert_eq!(at, "3");
    for text in ["[rules", "extends = \"../x.toml\"", "extends = \"gone.toml\"", "extends = \"./bizra-scan.toml\""] {
        fault(text);
    }
}

#[test]
fn a_path_that_leads_nowhere_is_told_of() {
    let with = |text: &str| {
        let files = [("bizra-scan.toml", text), ("services/api/db.ts", ""), ("services/worker/db.ts", "")];
        settings("", &files)
    };
    let told = |text: &str| {
        let error = with(text).expect_err(text);
        let label = error.labels().and_then(|mut labels| labels.next()).unwrap();
        let at = text[label.offset()..label.offset() + label.len()].to_owned();
        (error.to_string(), error.help().map(|help| help.to_string()).unwrap_or_default(), at)
    };
    let (message, help, at) = told("[[service]]\npath = \"services/apj\"\ninstances = 4\n");
    assert_eq!(message, "bizra-scan.toml: there is no folder or file `services/apj` for the service");
    assert_eq!((help.as_str(), at.as_str()), ("did you mean `services/api`?", "\"services/apj\""));
    let (_, help, _) = told("[[service]]\npath = \"typo\"\n");
    assert_eq!(help, "");
    let two = "[[service]]\npath = \"services/api\"\n[[service]]\npath = \"./services/api/\"\n";
    let (message, _, at) = told(two);
    assert_eq!(message, "bizra-scan.toml: another service has this path already");
    assert_eq!(at, "\"./services/api/\"");
    let (message, _, at) = told("[[override]]\npaths = []\nrules = {}\n");
    assert_eq!(message, "bizra-scan.toml: an override without paths is for no file");
    assert_eq!(at, "[]");
    for path in [".", "services/api", "services/worker/db.ts"] {
        with(&format!("[[service]]\npath = \"{path}\"\n")).unwrap();
    }
    let told = with("[[override]]\npaths = [\"servces/**\", \"services/api\"]\nrules = {}\n").unwrap().notices;
    assert_eq!(told, ["bizra-scan.toml: the override's path `servces/**` matches no file"]);
    // What was not walked may hold what it matches.
    let files = [("bizra-scan.toml", "[[override]]\npaths = [\"lib\"]\nrules = {}\n"), ("services/api/db.ts", "")];
    assert_eq!(settings("services", &files).unwrap().notices, Vec::<String>::new());
}

#[test]
fn a_load_without_the_time_of_a_query_is_told_of() {
    let notices = |text: &str| settings("", &[("bizra-scan.toml", text), ("a.ts", "")]).unwrap().notices;
    let told = notices("[load]\nrequests_per_second = 5\n");
    assert_eq!(
        told,
        ["bizra-scan.toml: `[load] requests_per_second` is not weighed without `[load] query_ms`, the time that a \
          query takes"]
    );
    assert_eq!(notices("[[service]]\npath = \".\"\nqps = 5\n").len(), 1);
    assert_eq!(notices("[load]\nrequests_per_second = 5\nquery_ms = 2\n"), Vec::<String>::new());
}

#[test]
fn circles_of_extends_end() {
    let files = [("bizra-scan.toml", "extends = \"a.toml\""), ("a.toml", "extends = \"bizra-scan.toml\"")];
    assert!(settings("", &files).unwrap_err().to_string().contains("in a circle"));
}

#[test]
fn a_fault_in_a_strange_file_can_be_drawn() {
    for text in [
        format!("exclude = [\"{}\"]\nx = 1\n", "a".repeat(100_000)),
        "# \u{202e}\nx = 1\n".to_owned(),
        "\"\\u001b[2J\" = 1\n".to_owned(),
    ] {
        let error = fault(&text);
        let mut out = String::new();
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
        handler.render_report(&mut out, &*error).unwrap();
        assert!(out.contains("bizra-scan.toml: ") && !out.contains('\u{1b}') && out.len() < 10_000, "{out}");
    }
}

#[test]
fn what_is_printed_is_a_configuration_again() {
    let files = [
        ("bizra-scan.toml", "[gate]\ninclude_tests = true\n[load]\nrequests_per_second = 5\n"),
        (
            "a/bizra-scan.toml",
            "extends = \"../bizra-scan.toml\"\nexclude = [\"x\"]\n[rules]\nslow-calls = \"low\"\n\
             [[override]]\npaths = [\"y/**\"]\nrules = { slow-calls = \"off\" }\n",
        ),
    ];
    let settings = settings("", &files).unwrap();
    let text = print::effective(&settings, "a/deep/x.ts").unwrap();
    assert!(text.starts_with("# from bizra-scan.toml, a/bizra-scan.toml\n"), "{text}");
    let again: file::ConfigFile = toml::from_str(&text).unwrap();
    assert_eq!(again.exclude, ["a/x"]);
    assert_eq!(again.overrides[0].paths, ["a/y/**"]);
    let folder = print::effective(&settings, "a").unwrap();
    assert_eq!(folder, text);
    let root = print::effective(&settings, "").unwrap();
    assert!(root.starts_with("# from bizra-scan.toml\n") && root.contains("include_tests = true"), "{root}");
}

/// `BLESS=1 cargo test --test config` writes the schema anew.
#[test]
fn the_published_schema_is_the_program_s() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.schema.json");
    let wanted = format!("{}\n", serde_json::to_string_pretty(&file::schema()).unwrap());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), wanted, "run with BLESS=1 to write it anew");
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let schema = jsonschema::validator_for(&file::schema()).unwrap();
    let good: toml::Value = toml::from_str(
        "exclude = [\"a\"]\n[rules]\nx = \"off\"\n[[override]]\npaths = [\"a\"]\nrules = { x = \"low\" }\n\
         [gate]\nfail_on = \"never\"\nmin_confidence = \"possible\"\n[[service]]\npath = \"a\"\n",
    )
    .unwrap();
    assert!(schema.is_valid(&serde_json::to_value(good).unwrap()));
    for bad in ["x = 1", "[rules]\nx = \"loud\"", "[gate]\nfail_on = \"none\"", "[[override]]\npaths = []\nrules = {}"]
    {
        let bad: toml::Value = toml::from_str(bad).unwrap();
        assert!(!schema.is_valid(&serde_json::to_value(bad).unwrap()));
    }
}
