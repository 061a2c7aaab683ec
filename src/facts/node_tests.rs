use super::*;
use crate::facts::testing::facts;

fn floor(files: &[(&str, &str)], path: &str) -> (u32, Tier, String) {
    match facts(files).node_floor(path) {
        Floor::Known { major, tier, path, span, text, .. } => {
            let source = files.iter().find(|(p, _)| *p == path).map_or("", |(_, t)| *t);
            let quoted = &source[span.range()];
            assert!(quoted.contains(&text) || quoted.contains('$'), "{quoted} is not {text}");
            (major, tier, path)
        }
        other => panic!("{other:?}"),
    }
}

const ENGINES: (&str, &str) = ("package.json", r#"{"private":true,"engines":{"npm":"9","node":">=16"}}"#);

#[test]
fn the_first_kind_that_is_present_wins() {
    let docker = ("Dockerfile", "ARG V=18\nFROM node:${V}-alpine AS build\nRUN x\nFROM build\n");
    let nvmrc = (".nvmrc", "v20.1.0\n");
    assert_eq!(floor(&[ENGINES, nvmrc, docker], "src/a.ts"), (18, Tier::Deployed, "Dockerfile".into()));
    assert_eq!(floor(&[ENGINES, nvmrc], "src/a.ts"), (20, Tier::Pinned, ".nvmrc".into()));
    assert_eq!(floor(&[ENGINES], "src/a.ts"), (16, Tier::Engines, "package.json".into()));
}

#[test]
fn within_one_kind_the_lowest_wins() {
    let sam = ("template.yaml", "Globals:\n  Function:\n    Runtime: nodejs16.x\n");
    let docker = ("Dockerfile", "FROM node:20\n");
    assert_eq!(floor(&[ENGINES, sam, docker], "a.ts").0, 16);
    assert_eq!(floor(&[ENGINES, (".nvmrc", "20"), (".node-version", "18.1")], "a.ts").0, 18);
}

#[test]
fn the_last_stage_is_what_runs() {
    let image = |text: &str| of_dockerfile("Dockerfile", text).map(|seen| seen.major);
    assert_eq!(image("FROM node:16 AS build\nFROM node:20-slim\n"), Some(20));
    assert_eq!(image("FROM node:16 AS build\nFROM nginx:alpine\nCOPY --from=build /a /b\n"), None);
    assert_eq!(image("ARG IMAGE=node:18.2\nFROM --platform=linux/amd64 $IMAGE as base\nFROM base AS run\n"), Some(18));
    assert_eq!(image("FROM gcr.io/distroless/nodejs20-debian12\n"), Some(20));
    assert_eq!(image("FROM public.ecr.aws/lambda/nodejs:18\n"), Some(18));
    assert_eq!(image("FROM node:lts-alpine\n"), Some(FLOATING));
    assert_eq!(image("FROM node:hydrogen-slim\n"), Some(18));
    assert_eq!(image("FROM node:${V:-14}\n"), Some(14));
    assert_eq!(image("FROM node:$UNSET\n"), None);
    assert_eq!(image("FROM node@sha256:abc\n"), None);
    assert_eq!(image("# nothing\n"), None);
}

#[test]
fn words_of_version_files_are_read() {
    assert_eq!(major_of_word("lts/hydrogen"), Some(18));
    assert_eq!(major_of_word("lts/*"), Some(FLOATING));
    assert_eq!(major_of_word("v18.17.0"), Some(18));
    assert_eq!(major_of_word("system"), None);
}

#[test]
fn facts_come_from_ancestors() {
    let files = [
        ("package.json", r#"{"private":true,"engines":{"node":">=18"}}"#),
        ("apps/api/package.json", r#"{"name":"api","private":true}"#),
        ("apps/web/package.json", r#"{"name":"web","engines":{"node":"*"},"volta":{"node":"16.1.0"}}"#),
        ("apps/old/package.json", r#"{"name":"old","volta":{"extends":"../web/package.json"}}"#),
        ("apps/out/package.json", r#"{"name":"out","volta":{"extends":"../../../package.json"}}"#),
    ];
    assert_eq!(floor(&files, "apps/api/src/a.ts").0, 18);
    assert_eq!(floor(&files, "apps/web/src/a.ts").0, 16);
    assert_eq!(floor(&files, "apps/old/src/a.ts").0, 16);
    assert_eq!(floor(&files, "apps/out/src/a.ts").0, 18);
}

#[test]
fn without_a_word_the_floor_is_silent() {
    let silent = facts(&[("package.json", r#"{"name":"x","devDependencies":{"@types/node":"14"}}"#)]);
    assert_eq!(silent.node_floor("a.ts"), Floor::Silent { path: "package.json".into() });
    assert_eq!(facts(&[("a.ts", "")]).node_floor("a.ts"), Floor::NoPackage);
}

#[test]
fn a_library_is_deployed_by_others() {
    let files = [
        ("Dockerfile", "FROM node:16"),
        ("packages/sdk/package.json", r#"{"name":"sdk","exports":"./x.js"}"#),
        ("packages/app/package.json", r#"{"name":"app","exports":"./x.js"}"#),
        ("packages/app/Dockerfile", "FROM node:18"),
    ];
    let library = |path: &str| matches!(facts(&files).node_floor(path), Floor::Known { library: true, .. });
    assert!(library("packages/sdk/a.ts"));
    assert!(!library("packages/app/a.ts"));
}

#[test]
fn dockerfiles_of_tests_and_editors_do_not_count() {
    let files = [
        ("package.json", r#"{"private":true,"engines":{"node":">=20"}}"#),
        (".devcontainer/Dockerfile", "FROM node:14"),
        ("test/Dockerfile", "FROM node:14"),
        ("deploy/api.Dockerfile", "FROM node:18"),
    ];
    assert_eq!(floor(&files, "a.ts"), (18, Tier::Deployed, "deploy/api.Dockerfile".into()));
}
