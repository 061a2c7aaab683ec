use oxc_allocator::Allocator;

use super::*;
use crate::patch::apply;
use crate::source::PathClass;

fn import(module: &str, name: &str) -> Import {
    Import { module: module.into(), name: name.into(), alias: None }
}

fn source(path: &str, text: &str) -> SourceFile {
    let language = Language::of_path(path).expect("a scanned language");
    SourceFile::new(path, language, PathClass::Product, text.to_owned())
}

/// The file with the imports; `None` where they are refused.
fn with(path: &str, text: &str, imports: &[Import]) -> Option<String> {
    let edits = edits_for(&source(path, text), imports)?;
    let done = apply(text, edits.iter().map(|(span, text)| (*span, text.as_str()))).expect("edits apply");
    assert_eq!(edits_for(&source(path, &done), imports), Some(vec![]), "a second time changes nothing");
    Some(done)
}

fn gzip(path: &str, text: &str) -> Option<String> {
    with(path, text, &[import("zlib", "gzip")])
}

#[test]
fn modules_get_import_statements() {
    assert_eq!(
        gzip("a.ts", "import x from 'x';\nx();\n").unwrap(),
        "import x from 'x';\nimport { gzip } from 'zlib';\nx();\n"
    );
    assert_eq!(
        gzip("a.ts", "import x from \"x\"\nx()\n").unwrap(),
        "import x from \"x\"\nimport { gzip } from \"zlib\"\nx()\n"
    );
    assert_eq!(
        gzip("a.ts", "import x from 'x'; // why\nx();\n").unwrap(),
        "import x from 'x'; // why\nimport { gzip } from 'zlib';\nx();\n"
    );
    assert_eq!(gzip("a.ts", "export const a = 1;\n").unwrap(), "import { gzip } from 'zlib';\n\nexport const a = 1;\n");
    assert_eq!(
        gzip("a.ts", "import x from 'x';\r\nx();\r\n").unwrap(),
        "import x from 'x';\r\nimport { gzip } from 'zlib';\r\nx();\r\n"
    );
}

#[test]
fn heads_of_files_stay_first() {
    assert_eq!(
        gzip("a.mjs", "#!/usr/bin/env node\nrun();\n").unwrap(),
        "#!/usr/bin/env node\n\nimport { gzip } from 'zlib';\n\nrun();\n"
    );
    assert_eq!(
        gzip("a.ts", "'use server';\nexport const a = 1;\n").unwrap(),
        "'use server';\n\nimport { gzip } from 'zlib';\n\nexport const a = 1;\n"
    );
    assert_eq!(
        gzip("a.ts", "// Copyright\n\n/** doc */\nexport const a = 1;\n").unwrap(),
        "// Copyright\n\nimport { gzip } from 'zlib';\n\n/** doc */\nexport const a = 1;\n"
    );
    assert_eq!(
        gzip("a.ts", "// @ts-check\nexport const a = 1;\n").unwrap(),
        "// @ts-check\nimport { gzip } from 'zlib';\n\nexport const a = 1;\n"
    );
    assert_eq!(
        gzip("a.ts", "/** doc */\nexport const a = 1;\n").unwrap(),
        "import { gzip } from 'zlib';\n\n/** doc */\nexport const a = 1;\n"
    );
}

#[test]
fn imports_that_are_there_are_extended() {
    assert_eq!(gzip("a.ts", "import { gunzip } from 'zlib';\n").unwrap(), "import { gunzip, gzip } from 'zlib';\n");
    assert_eq!(
        gzip("a.ts", "import { gunzip } from 'node:zlib';\n").unwrap(),
        "import { gunzip, gzip } from 'node:zlib';\n"
    );
    assert_eq!(gzip("a.ts", "import z from 'zlib';\n").unwrap(), "import z, { gzip } from 'zlib';\n");
    assert_eq!(
        gzip("a.ts", "import {\n  gunzip,\n} from 'zlib';\n").unwrap(),
        "import {\n  gunzip,\n  gzip,\n} from 'zlib';\n"
    );
    assert_eq!(
        gzip("a.ts", "import * as z from 'zlib';\n").unwrap(),
        "import * as z from 'zlib';\nimport { gzip } from 'zlib';\n"
    );
    assert_eq!(
        gzip("a.ts", "import type { Gzip } from 'zlib';\n").unwrap(),
        "import type { Gzip } from 'zlib';\nimport { gzip } from 'zlib';\n"
    );
    assert_eq!(gzip("a.ts", "import { gzip } from 'zlib';\n").unwrap(), "import { gzip } from 'zlib';\n");
}

#[test]
fn commonjs_gets_require() {
    assert_eq!(
        gzip("a.js", "'use strict'\nconst x = require('x')\nmodule.exports = x\n").unwrap(),
        "'use strict'\nconst x = require('x')\nconst { gzip } = require('zlib')\nmodule.exports = x\n"
    );
    assert_eq!(
        gzip("a.cjs", "const { gunzip } = require('zlib');\n").unwrap(),
        "const { gunzip, gzip } = require('zlib');\n"
    );
    assert_eq!(
        gzip("a.js", "module.exports = { a: 1 };\n").unwrap(),
        "const { gzip } = require('zlib');\n\nmodule.exports = { a: 1 };\n"
    );
}

#[test]
fn clashes_and_unknown_systems_are_refused() {
    assert_eq!(gzip("a.ts", "import { gzip } from './mine';\n"), None);
    assert_eq!(gzip("a.ts", "import x from 'x';\nfunction f() { const gzip = 1; return gzip + x; }\n"), None);
    assert_eq!(gzip("a.ts", "class A {}\n"), None);
    assert_eq!(gzip("a.js", "run();\n"), None);
    let rivals = [import("zlib", "gzip"), import("other", "gzip")];
    assert_eq!(with("a.ts", "export {};\n", &rivals), None);
}

#[test]
fn several_imports_make_one_insert() {
    let all = [import("zlib", "gzip"), import("util", "promisify"), import("zlib", "gunzip")];
    assert_eq!(
        with("a.ts", "import x from 'x';\n", &all).unwrap(),
        "import x from 'x';\nimport { promisify } from 'util';\nimport { gunzip, gzip } from 'zlib';\n"
    );
}

#[test]
fn references_reuse_what_is_there() {
    let text = |path: &str, text: &str| {
        let source = source(path, text);
        let allocator = Allocator::default();
        let model = Model::parse(&allocator, &source).expect("it parses");
        reference(&model, "zlib", "gzip")
    };
    assert_eq!(text("a.ts", "import * as z from 'node:zlib';").unwrap().text, "z.gzip");
    assert_eq!(text("a.ts", "import z from 'zlib';").unwrap().text, "z.gzip");
    assert_eq!(text("a.ts", "import { gzip as pack } from 'zlib';").unwrap().text, "pack");
    assert_eq!(text("a.js", "const z = require('zlib');").unwrap().text, "z.gzip");
    let fresh = text("a.ts", "import fs from 'node:fs';").unwrap();
    assert_eq!(fresh.import, Some(import("node:zlib", "gzip")));
    let taken = text("a.ts", "import fs from 'fs'; const gzip = fs;").unwrap();
    assert_eq!(taken.text, "zlibGzip");
}
