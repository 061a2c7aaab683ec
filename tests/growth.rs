//! Time grows with a file's length, and not with its square.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod common;

use std::fmt::Write;
use std::time::{Duration, Instant};

use common::place::Place;

/// A file of `count` places between a beginning and an end.
fn file(begin: &str, each: impl Fn(usize) -> String, end: &str, count: usize) -> String {
    let places = (0..count).fold(String::new(), |mut text, index| {
        writeln!(text, "{}", each(index)).unwrap();
        text
    });
    format!("{begin}{places}{end}")
}

/// Four times the places take about four times as long; with the square of
/// them it would be sixteen times.
fn grows_with_its_length(name: &str, text: impl Fn(usize) -> String) {
    const FEW: usize = 500;
    let time = |count: usize| {
        let place = Place::new(&[(name, text(count).as_str())]);
        let once = || {
            let started = Instant::now();
            place.run(&[".", "--quiet", "--fail-on", "never", "--threads", "1"]).passes();
            started.elapsed()
        };
        once().min(once())
    };
    let (few, many) = (time(FEW), time(4 * FEW));
    assert!(many < few * 9 + Duration::from_millis(300), "{name}: {few:?}, then {many:?}");
}

#[test]
fn handlers_with_loops() {
    let begin = "const app = require('express')(); const axios = require('axios');\n";
    let each = |i| format!("app.get('/x{i}', async (q,r)=>{{ for (const u of q.us) {{ await axios.get(u); }} }});");
    grows_with_its_length("a.js", |count| file(begin, each, "", count));
}

#[test]
fn awaits_of_one_function() {
    let begin = "import axios from 'axios';\nexport async function all() {\n";
    let each = |i| format!("const a{i} = await axios.get('/x{i}');");
    grows_with_its_length("a.ts", |count| file(begin, each, "}\n", count));
}

#[test]
fn awaits_of_one_rust_function() {
    let begin = "async fn all(client: &reqwest::Client) -> Result<(), reqwest::Error> {\n";
    let each = |i| format!("let a{i} = client.get(\"https://x/{i}\").send().await?;");
    grows_with_its_length("a.rs", |count| file(begin, each, "Ok(())\n}\n", count));
}

#[test]
fn patches_of_one_file() {
    let each = |i| format!("export async function f{i}() {{ return fetch('https://a.example/{i}'); }}");
    grows_with_its_length("a.ts", |count| file("import 'pg';\n", each, "", count));
}
