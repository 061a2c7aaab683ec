//! The program as it is run: streams, exit codes, and input that is bad.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use common::place::{Place, Run};

const CODE: &str = "export async function load(id: string) {\n  return id;\n}\n";

fn skip(path: &str, reason: &str) -> (String, String) {
    (path.to_owned(), reason.to_owned())
}

#[test]
fn help_and_version_are_no_failure() {
    let place = Place::new(&[]);
    for args in [&["--help"][..], &["--version"], &["scan", "--help"], &["rules", "--help"], &["why", "-h"]] {
        let run = place.run(args);
        run.passes();
        assert!(!run.out.is_empty() && run.err.is_empty());
    }
    assert_eq!(place.run(&["--no-such-flag"]).code, Some(2));
    assert_eq!(place.run(&["--fail-on", "blocker"]).code, Some(2));
}

#[test]
fn a_path_that_is_not_there() {
    let place = Place::new(&[("a.ts", CODE)]);
    place.run(&["gone"]).fails_with(&["no such file or folder: `gone`"]);
    place.run(&["a.ts", "gone/deep.ts"]).fails_with(&["no such file or folder: `gone/deep.ts`"]);
}

#[test]
fn an_unknown_word_suggests_the_command_and_the_folder() {
    let place = Place::new(&[("rulez/a.ts", CODE)]);
    place.run(&["ruls"]).fails_with(&["the command `bizra-scan rules`", "the path `./rulez`"]);
    place.run(&["explian"]).fails_with(&["the command `bizra-scan explain`", "`bizra-scan ./explain`"]);
}

#[test]
fn a_folder_with_nothing_to_scan() {
    let place = Place::new(&[("README.md", "text"), ("types.d.ts", "declare const a: number;\n")]);
    place.run(&["."]).fails_with(&["nothing to scan in `.`"]);
    place.put("node_modules/x/index.js", b"");
    place.put("lib.min.js", b"");
    place.run(&[]).fails_with(&["nothing to scan", "`node_modules` (vendored)", "`lib.min.js` (minified)"]);
    place.run(&["README.md"]).fails_with(&["nothing to scan"]);
}

#[test]
fn a_folder_called_like_a_command() {
    let place = Place::new(&[("rules/a.ts", CODE)]);
    assert_eq!(place.json(&["./rules"])["completeness"]["files_walked"], 1);
    assert_eq!(place.json(&["scan", "rules"])["completeness"]["files_walked"], 1);
    assert_ne!(place.run(&["rules"]).out, place.run(&["./rules"]).out);
}

#[test]
fn broken_configurations() {
    let place = Place::new(&[("a.ts", CODE), ("bizra-scan.toml", "[gate]\nfail_onn = \"low\"\n")]);
    place.run(&["."]).fails_with(&["unknown field `fail_onn`", "did you mean `fail_on`?", "bizra-scan.toml:2:1"]);
    place.put("bizra-scan.toml", b"[rules]\nno-such-rule = \"off\"\n");
    place.run(&["."]).fails_with(&["there is no rule `no-such-rule`"]);
    place.put("bizra-scan.toml", b"\xff\xfe[\0r\0");
    place.run(&["."]).fails_with(&["bizra-scan.toml"]);
    place.run(&[".", "--no-config"]).passes();
    place.put("own.toml", b"max_file_size = 0.5\n");
    place.run(&[".", "--config", "own.toml"]).fails_with(&["own.toml:1:17"]);
    place.run(&[".", "--config", "gone.toml"]).fails_with(&["there is no configuration `gone.toml`"]);
    place.run(&[".", "--config", "own.toml", "--no-config"]).fails_with(&[]);
    place.run(&[".", "--no-config", "--rule", "no-such-rule"]).fails_with(&["there is no rule `no-such-rule`"]);
}

#[test]
fn globs_of_a_given_configuration_start_at_its_folder() {
    let place = Place::new(&[(".git/HEAD", ""), ("sub/old/a.ts", CODE), ("sub/b.ts", CODE), ("old/c.ts", CODE)]);
    place.put("sub/own.toml", b"exclude = [\"old\"]\n");
    assert_eq!(place.skipped(&[".", "--config", "sub/own.toml"]), [skip("sub/old", "excluded")]);
    let printed = place.run(&[".", "--config", "sub/own.toml", "--print-config"]).out;
    assert!(printed.contains("exclude = [\"sub/old\"]"), "{printed}");
    let outside = Place::new(&[("own.toml", "exclude = [\"old\"]\n")]);
    let path = outside.path().join("own.toml");
    assert_eq!(place.skipped(&[".", "--config", path.to_str().unwrap()]), [skip("old", "excluded")]);
}

#[test]
fn the_configuration_that_counts_is_printed() {
    let place = Place::new(&[
        ("a.ts", CODE),
        ("bizra-scan.toml", "[gate]\nfail_on = \"high\"\n"),
        ("sub/b.ts", CODE),
        ("sub/bizra-scan.toml", "exclude = [\"c.ts\"]\n"),
        (".git/HEAD", ""),
    ]);
    let run = place.run(&["--print-config"]);
    run.passes();
    assert!(run.out.contains("# from bizra-scan.toml") && run.out.contains("fail_on = \"high\""), "{}", run.out);
    let run = place.run(&["--print-config", "sub/b.ts", "--fail-on", "never"]);
    assert!(run.out.contains("# from sub/bizra-scan.toml") && run.out.contains("fail_on = \"never\""), "{}", run.out);
    let run = place.run(&["--print-config", "--no-config"]);
    assert!(run.out.contains("# no configuration file") && run.out.contains("fail_on = \"critical\""), "{}", run.out);
}

#[test]
fn broken_rules_of_one_s_own() {
    let place = Place::new(&[("a.ts", CODE), (".bizra/rules/mine.toml", "id = \"mine\"\ntitel = \"x\"\n")]);
    place.run(&["."]).fails_with(&["unknown field `titel`", "did you mean `title`?", ".bizra/rules/mine.toml:2:1"]);
}

#[test]
fn outputs_appear_whole_or_not_at_all() {
    let place = Place::new(&[("a.ts", CODE)]);
    let run = place.run(&[".", "--output", "json=out.json", "--output", "terminal=out.txt", "--quiet"]);
    run.passes();
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""));
    let written = fs::read_to_string(place.path().join("out.json")).unwrap();
    assert_eq!(written, place.run(&[".", "--format", "json"]).out);
    assert!(!fs::read_to_string(place.path().join("out.txt")).unwrap().contains('\u{1b}'));
    place.run(&[".", "--output", "json=no/folder/out.json"]).fails_with(&["`no/folder/out.json` cannot be written"]);
    let names: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn standard_input_is_scanned_in_its_place() {
    let place = Place::new(&[("package.json", "{}"), ("src/old.ts", CODE)]);
    let run = |path: &str, text: &[u8]| {
        let mut command = place.command(&["--stdin-file-path", path, "--format", "json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text).unwrap();
        Run::new(child.wait_with_output().unwrap())
    };
    let good = run("src/new.ts", CODE.as_bytes());
    good.passes();
    let report: serde_json::Value = serde_json::from_str(&good.out).unwrap();
    assert_eq!(report["completeness"]["files_walked"], 1);
    run("src/new.md", b"").fails_with(&["`src/new.md` has no ending that is scanned"]);
    let strange = run("src/new.ts", b"\xff\xfe\x00");
    strange.passes();
    assert!(strange.out.contains("\"src/new.ts\"") || strange.out.contains("\"new.ts\""), "{}", strange.out);
}

#[test]
fn why_needs_a_place_that_is_scanned() {
    let place = Place::new(&[("src/a.ts", CODE), ("dist/b.js", CODE), ("c.md", "")]);
    let run = place.run(&["why", "src/a.ts:1"]);
    run.passes();
    assert!(run.out.starts_with("src/a.ts:1\n"), "{}", run.out);
    place.run(&["why", "src/a.ts:1:3"]).passes();
    place.run(&["why", "src/a.ts"]).fails_with(&["names no line"]);
    place.run(&["why", "src/a.ts:0"]).fails_with(&["names no line"]);
    place.run(&["why", "gone.ts:1"]).fails_with(&["no such file"]);
    place.run(&["why", "dist/b.js:1"]).fails_with(&["`dist` is passed over as generated"]);
    place.run(&["why", "c.md:1"]).fails_with(&["no ending that is scanned"]);
}

#[test]
fn why_says_what_is_so_of_the_file() {
    let handler = "import express from 'express';\nconst app = express();\napp.get('/', async (req, res) => {\n  \
                   await a();\n});\n";
    let place = Place::new(&[("package.json", "{}"), ("plain.ts", CODE), ("tests/app.ts", handler)]);
    place.put("latin1.ts", b"const name = 'caf\xe9';\n");
    place.put("binary.ts", b"const a = 1;\0");
    for (at, says) in [("latin1.ts:1", "not-utf8: byte 17"), ("binary.ts:1", "binary: NUL at byte 12")] {
        let out = place.run(&["why", at]).out;
        assert!(out.contains("could not be looked at") && out.contains(says) && !out.contains("No rule"), "{out}");
    }
    let out = place.run(&["why", "plain.ts:999"]).out;
    assert_eq!(out.lines().nth(1), Some("The file has 3 lines."), "{out}");
    let out = place.run(&["why", "tests/app.ts:4"]).out;
    assert!(out.contains("tests, fixtures and examples are left out"), "{out}");
}

#[test]
fn what_is_not_scanned_is_named() {
    let place = Place::new(&[("src/x.d.ts", "declare const a: 1;\n"), ("package.json", "{}"), ("c/a.ts", CODE)]);
    place.run(&["src/x.d.ts"]).fails_with(&["`src/x.d.ts`: declarations hold no code that runs"]);
    place.run(&["package.json"]).fails_with(&["`package.json`: its ending is none of .ts"]);
    place.run(&[".", "--config", "c"]).fails_with(&["`c` is a folder, and no configuration"]);
    place.run(&["--no-progress", "rules", "test"]).fails_with(&["`--no-progress` is an argument of a scan"]);
}

#[test]
fn a_syntax_error_has_a_place() {
    let place = Place::new(&[("package.json", "{}")]);
    let code = "class Cache { compress(data) { return Buffer.from(data).toString('base64'); } }\n";
    place.put("a.ts", format!("{code}const = ;\n").as_bytes());
    place.put("a.rs", b"fn compress(data: &[u8]) -> String {\n    base64::encode(data)\n}\nfn f( {\n");
    let report = place.json(&["."]);
    for skipped in report["completeness"]["skipped"].as_array().unwrap() {
        assert_eq!(skipped["reason"], "unparsed", "{skipped}");
        assert!(skipped["detail"].as_str().unwrap().starts_with("line "), "{skipped}");
    }
    let details = report["completeness"]["skipped"].to_string();
    assert!(details.contains("line 2, column 7: "), "{details}");
}

#[test]
fn completions_are_scripts() {
    let place = Place::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = place.run(&["completions", shell]);
        run.passes();
        assert!(run.out.contains("bizra-scan"), "{shell}");
    }
}

#[test]
fn colour_is_asked_for_or_a_terminal_s() {
    let place = Place::new(&[]);
    assert!(!place.run(&["gone"]).err.contains('\u{1b}'));
    assert!(place.run(&["gone", "--color", "always"]).err.contains('\u{1b}'));
    let ascii = place.run(&["gone", "--ascii"]).err;
    assert!(ascii.is_ascii(), "{ascii}");
}

mod strange_files {
    use super::*;

    /// Code that a rule concerns.
    const PARSED: &str = "class Cache { compress(data) { return Buffer.from(data).toString('base64'); } }\n";

    #[test]
    fn binary_and_other_encodings() {
        let place = Place::new(&[("a.ts", CODE)]);
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(CODE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        place.put("utf16.ts", &utf16);
        place.put("latin1.ts", b"const name = 'caf\xe9';\n");
        place.put("binary.ts", b"const a = 1;\0\0\0\x01");
        let wanted = [skip("binary.ts", "binary"), skip("latin1.ts", "not-utf8"), skip("utf16.ts", "not-utf8")];
        assert_eq!(place.skipped(&["."]), wanted);
        place.run(&["."]).passes();
        assert_eq!(place.run(&[".", "--require-complete"]).code, Some(3));
    }

    #[test]
    fn a_byte_order_mark_before_a_shebang() {
        let code = "#!/usr/bin/env node\nimport { Pool } from 'pg';\nexport class CacheService {\n  \
                    compress(data: string): string {\n    return Buffer.from(data).toString('base64');\n  }\n}\n";
        let place = Place::new(&[("package.json", "{}"), ("plain/a.ts", code)]);
        place.put("marked/a.ts", format!("\u{feff}{code}").as_bytes());
        let (plain, marked) = (place.json(&["plain"]), place.json(&["marked"]));
        let start = |report: &serde_json::Value| report["findings"][0]["location"]["start"].clone();
        assert_eq!(start(&plain)["line"], 5, "{plain}");
        assert_eq!(start(&marked)["line"], 5, "{marked}");
        assert_eq!(start(&marked)["column"], start(&plain)["column"]);
        assert_eq!(start(&marked)["byte"].as_u64(), start(&plain)["byte"].as_u64().map(|byte| byte + 3));
        // Where the parser gives up, queries stand in.
        let broken = format!("\u{feff}{code}const = ;\n");
        place.put("marked/a.ts", broken.as_bytes());
        assert_eq!(start(&place.json(&["marked"])), start(&marked));
    }

    #[test]
    fn where_nothing_is_read_nothing_is_praised() {
        let place = Place::new(&[("package.json", "{}")]);
        for number in 0..5 {
            place.put(&format!("{number}.ts"), b"const name = 'caf\xe9';\n");
        }
        let run = place.run(&["."]);
        run.passes();
        assert!(run.out.contains("Nothing was read") && !run.out.contains("No bottleneck"), "{}", run.out);
        assert!(!run.out.contains("Grade") && run.out.contains("and 2 more (--verbose shows all)"), "{}", run.out);
        assert!(!place.run(&[".", "--verbose"]).out.contains("more (--verbose"));
        assert_eq!(place.json(&["."])["completeness"]["complete"], false);
        place.put("good.ts", CODE.as_bytes());
        assert!(place.run(&["."]).out.contains("No bottleneck found."));
    }

    #[test]
    fn fifty_megabytes() {
        let place = Place::new(&[("a.ts", CODE)]);
        let file = fs::File::create(place.path().join("large.ts")).unwrap();
        file.set_len(50 << 20).unwrap();
        assert_eq!(place.skipped(&["."]), [skip("large.ts", "too-large")]);
        assert_eq!(place.run(&[".", "--require-complete"]).code, Some(3));
    }

    /// What is written over and over has as many parts and ways as their
    /// product: it must end, within memory.
    #[test]
    fn the_same_over_and_over() {
        let place = Place::new(&[("a.ts", CODE)]);
        let reads = |i| format!("let a{i} = client.get(\"https://a.example/{i}\").send().await.unwrap();\n");
        let run: String = (0..1_500).map(reads).collect();
        place.put("run.rs", format!("async fn all(client: &reqwest::Client) {{\n{run}}}\n").as_bytes());
        let calls = |name: &str| format!("{name}(x);\n").repeat(400);
        let (two, one, zero) = (calls("h2"), calls("h1"), calls("h0"));
        let helpers = format!("fn h2(x: &str) {{}}\nfn h1(x: &str) {{ {two} }}\nfn h0(x: &str) {{ {one} }}\n");
        let encodes = "base64::encode(x)";
        place.put("pack.rs", format!("{helpers}pub fn compress(x: &str) -> String {{ {zero} {encodes} }}").as_bytes());
        let helpers = helpers.replace("fn ", "function ").replace(": &str", "");
        let encodes = "return Buffer.from(x).toString('base64');";
        place.put("pack.js", format!("{helpers}export function compress(x) {{ {zero} {encodes} }}").as_bytes());
        let spread = |i: usize| format!("const a{} = {{ {} }};\n", i + 1, format!("...a{i}, ").repeat(60));
        let spreads: String = (0..9).map(spread).collect();
        let pool = format!("import {{ Pool }} from 'pg';\nconst a0 = {{}};\n{spreads}new Pool({{ ...a9 }});\n");
        place.put("pool.ts", pool.as_bytes());
        let run = place.run(&[".", "--fail-on", "never", "--format", "json"]);
        run.passes();
        assert_eq!(place.skipped(&["."]), []);
    }

    #[test]
    fn ten_thousand_deep_and_deeper() {
        let place = Place::new(&[("a.ts", CODE)]);
        let nested =
            |open: &str, close: &str, depth: usize| format!("{}await f(){}", open.repeat(depth), close.repeat(depth));
        place
            .put("deep.ts", format!("export async function a() {{ return {}; }}", nested("(", ")", 10_000)).as_bytes());
        place.put("deep.rs", format!("async fn a() -> u32 {{ {} }}", nested("(", ")", 10_000)).as_bytes());
        place.put("else.ts", format!("{}{{ await f() }}", "if (a) {} else ".repeat(10_000)).as_bytes());
        place.put("deeper.ts", nested("[", "]", 30_000).as_bytes());
        let run = place.run(&[".", "--format", "json"]);
        run.passes();
        let skipped = place.skipped(&["."]);
        assert!(skipped.contains(&skip("deeper.ts", "too-deep")), "{skipped:?}");
        assert!(!skipped.iter().any(|(_, reason)| reason == "panicked"), "{skipped:?}");
    }

    #[test]
    fn long_and_flat_is_not_deep() {
        let place = Place::new(&[("package.json", "{}")]);
        let mark = PARSED;
        let lines: String = (0..5_000).map(|i| format!("export const a{i} = b.c.d(e)\n")).collect();
        place.put("lines.ts", format!("{mark}{lines}").as_bytes());
        place.put("template.ts", format!("{mark}const text = `{}`\n", "some word ".repeat(27_000)).as_bytes());
        let comments = "// some words that say what is done here, and why that is so\n".repeat(6_000);
        place.put("comments.ts", format!("{mark}{comments}").as_bytes());
        assert_eq!(place.skipped(&["."]), []);
        assert_eq!(place.json(&["."])["completeness"]["files_parsed"], 3);
    }

    #[test]
    fn kinds_of_depth_that_would_overflow_a_stack() {
        let place = Place::new(&[("package.json", "{}")]);
        let mark = PARSED;
        let pieces = [
            "!",
            "typeof\n",
            "a +\n",
            "a.b\n.c",
            "a => ",
            "(a, b) =>\n",
            "+ {}\n",
            "if (a)\n",
            "a ? b :\n",
            "`x`\n",
            "f(a)\n(b)",
            "x\nas ",
            "if (a) {} else if (b) {} ",
            "if (a) b; else\nif (c) d; else ",
        ];
        for (number, piece) in pieces.iter().enumerate() {
            for times in [9_000, 60_000] {
                place.put(&format!("p{number}-{times}.ts"), format!("{mark}{}x", piece.repeat(times)).as_bytes());
            }
        }
        place.put("tags.tsx", format!("{mark}const a = {}", "<b>x\ny, z".repeat(60_000)).as_bytes());
        let skipped = place.skipped(&["."]);
        assert!(skipped.iter().all(|(_, reason)| matches!(reason.as_str(), "too-deep" | "unparsed")), "{skipped:?}");
        let deep = skipped.iter().filter(|(path, reason)| path.contains("-60000") && reason == "too-deep");
        assert_eq!(deep.count(), pieces.len(), "{skipped:?}");
    }

    #[test]
    fn a_line_of_a_megabyte() {
        let place = Place::new(&[("a.ts", CODE)]);
        // Places far beyond column 65,535, and not so many of them that the
        // report's own length is what is measured.
        let statement = format!("await fetch('https://example.com/{}' + id); ", "a".repeat(50_000));
        let long = format!("export async function load(id: string) {{ {}}}\n", statement.repeat(21));
        assert!(long.len() > 1_000_000);
        place.put("long.ts", long.as_bytes());
        for args in [&["."][..], &[".", "--verbose"], &[".", "--format", "json"], &["why", "long.ts:1:900000"]] {
            let run = place.run(args);
            assert!(matches!(run.code, Some(0 | 1)), "{args:?}: {:?} {}", run.code, run.err);
            assert!(!run.err.contains("panicked"), "{}", run.err);
        }
    }

    #[test]
    fn control_characters_in_names_and_code() {
        let place = Place::new(&[("a.ts", CODE)]);
        place.put("b\u{1b}[31m.ts", "const a = 1; // \u{1b}]0;title\u{7}\n".as_bytes());
        place.put("c\u{1b}[31m.min.js", b"");
        for args in [&["."][..], &[".", "--verbose"], &["why", "b\u{1b}[31m.ts:1"], &["gone\u{1b}[31m"]] {
            let run = place.run(args);
            assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{args:?}: {run:?}");
        }
        assert!(place.skipped(&["."]).contains(&skip("c\u{1b}[31m.min.js", "minified")));
    }

    #[test]
    fn an_empty_file_and_one_of_a_mark_alone() {
        let place = Place::new(&[("empty.ts", ""), ("mark.ts", "\u{feff}"), ("empty.rs", ""), ("cr.ts", "a\r\rb\r\n")]);
        place.run(&["."]).passes();
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn links_and_pipes_are_named() {
        let outside = Place::new(&[("secret.ts", CODE)]);
        let place = Place::new(&[("src/a.ts", CODE)]);
        symlink(outside.path(), place.path().join("out")).unwrap();
        symlink("..", place.path().join("src/up")).unwrap();
        symlink("loop.ts", place.path().join("loop.ts")).unwrap();
        let made = Command::new("mkfifo").arg(place.path().join("pipe.ts")).status().unwrap();
        assert!(made.success());
        let wanted =
            [skip("loop.ts", "link"), skip("out", "link"), skip("pipe.ts", "not-a-file"), skip("src/up", "link")];
        assert_eq!(place.skipped(&["."]), wanted);
        assert_eq!(place.json(&["."])["completeness"]["files_walked"], 1);
        place.run(&[".", "--require-complete"]).passes();
        place.run(&["pipe.ts"]).fails_with(&["nothing to scan"]);
    }

    #[test]
    fn a_pipe_in_the_place_of_a_configuration_does_not_hang() {
        let place = Place::new(&[("a.ts", CODE)]);
        for name in ["bizra-scan.toml", "package.json"] {
            assert!(Command::new("mkfifo").arg(place.path().join(name)).status().unwrap().success());
        }
        place.run(&["."]).passes();
    }

    #[test]
    fn unreadable_files_and_folders() {
        let place = Place::new(&[("a.ts", CODE), ("shut.ts", CODE), ("folder/b.ts", CODE)]);
        let mode = |path: &str, mode| fs::set_permissions(place.path().join(path), fs::Permissions::from_mode(mode));
        mode("shut.ts", 0o000).unwrap();
        mode("folder", 0o000).unwrap();
        // Root reads everything.
        let is_root = fs::read(place.path().join("shut.ts")).is_ok();
        if !is_root {
            assert_eq!(place.skipped(&["."]), [skip("folder", "unreadable"), skip("shut.ts", "unreadable")]);
            assert_eq!(place.run(&[".", "--require-complete"]).code, Some(3));
        }
        mode("folder", 0o755).unwrap();
        place.run(&["."]).passes();
    }

    #[test]
    fn an_output_keeps_the_mode_of_what_it_replaces() {
        let place = Place::new(&[("package.json", "{}"), ("a.ts", CODE), ("out.json", "")]);
        let path = place.path().join("out.json");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        place.run(&[".", "--output", "json=out.json"]).passes();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::metadata(&path).unwrap().len() > 0);
        place.run(&[".", "--output", "json=-"]).fails_with(&["`-` is no file"]);
        assert!(!place.path().join("-").exists());
    }

    #[test]
    fn a_closed_pipe_says_nothing() {
        let place = Place::new(&[("a.ts", CODE)]);
        for args in [&["completions", "zsh"][..], &[".", "--format", "json"], &["."], &["--help"]] {
            let mut child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(child.stdout.take());
            let mut err = String::new();
            child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
            assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""), "{args:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_standard_error_that_is_full_changes_no_code() {
        let place = Place::new(&[("package.json", "{}"), ("a.ts", CODE)]);
        let code = |args: &[&str]| {
            let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            place.command(args).stderr(full).output().unwrap().status.code()
        };
        assert_eq!(code(&["nope"]), Some(2));
        assert_eq!(code(&["--no-such-flag"]), Some(2));
        assert_eq!(code(&[".", "--timings"]), Some(0));
    }

    #[test]
    fn an_interrupt_is_130() {
        let place = Place::new(&[]);
        let mut command = place.command(&["--stdin-file-path", "a.ts"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // The program waits for its standard input by then, or will soon.
        std::thread::sleep(std::time::Duration::from_millis(500));
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
}

#[test]
fn tests_are_parsed_only_where_they_count() {
    let cache = "export class CacheService {\n  compress(data: string): string {\n    \
                 return Buffer.from(data).toString('base64');\n  }\n}\n";
    let place = Place::new(&[("package.json", "{}"), ("test/cache.test.ts", cache)]);
    let report = place.json(&["."]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
    assert_eq!(report["completeness"]["files_parsed"], 0, "{report}");
    assert_eq!(report["completeness"]["files_prefiltered"], 1, "{report}");
    let report = place.json(&[".", "--include-tests"]);
    assert_eq!(report["completeness"]["files_parsed"], 1, "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
    // A question about a line is answered all the same.
    let why = place.run(&["why", "test/cache.test.ts:3"]);
    assert!(why.out.contains("fake-compression"), "{} {}", why.out, why.err);
    assert!(why.out.contains("--include-tests"), "{}", why.out);
}
