//! What a scan costs, in parts: loading the rules, the prefilter, mapping one
//! file of each family, a whole scan of the sample service.
//!
//! Absolute times say little on a shared machine: compare two commits with
//! `cargo bench -- --save-baseline before` and `--baseline before` in turn.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use bizra_scan::config::{self, Settings, Source};
use bizra_scan::map::Mapper;
use bizra_scan::prefilter::Prefilter;
use bizra_scan::rule::RuleSet;
use bizra_scan::scan::{Request, scan};
use bizra_scan::source::{Family, Language, PathClass};
use bizra_scan::tree::{Disk, Overlay};
use bizra_scan::walk::{Options, walk};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A file of about `bytes` bytes, put together of a fixture's text.
fn text(fixture: &str, bytes: usize) -> String {
    let one = std::fs::read_to_string(root().join("fixtures").join(fixture)).expect("the fixture is there");
    one.repeat(bytes.div_ceil(one.len()))
}

fn rules(criterion: &mut Criterion) {
    criterion.bench_function("load the rules", |bench| bench.iter(|| RuleSet::builtin().expect("they load")));
}

fn prefilter(criterion: &mut Criterion) {
    let rules = RuleSet::builtin().expect("they load");
    let filter = Prefilter::new(&rules, Family::TypeScript, |_| true).expect("the literals fit");
    let text = text("network/sequential-awaits/good.ts", 1 << 20);
    let mut group = criterion.benchmark_group("prefilter");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("one megabyte", |bench| {
        bench.iter(|| filter.wanted(&rules, Language::TypeScript, black_box(text.as_bytes())));
    });
    group.finish();
}

fn map(criterion: &mut Criterion) {
    let rules = RuleSet::builtin().expect("they load");
    let settings = Settings::default();
    let files = [
        ("src/a.service.ts", Language::TypeScript, text("network/sequential-awaits/good.ts", 40_000)),
        ("src/a.rs", Language::Rust, text("async/blocking-in-async/good.rs", 40_000)),
        ("src/broken.ts", Language::TypeScript, text("seed/verbatim/src/performance/cache.service.ts", 40_000)),
    ];
    let over = files.iter().map(|(path, _, text)| ((*path).to_owned(), text.clone().into_bytes()));
    let tree = Overlay::new(Disk::new(&root()).expect("the tree is there"), over.collect::<BTreeMap<_, _>>());
    let mapper = Mapper::new(&tree, &rules, &settings).expect("the literals fit");
    let mut group = criterion.benchmark_group("map one file");
    for (path, language, text) in &files {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(path), |bench| {
            bench.iter(|| mapper.map(black_box(path), *language, PathClass::Product));
        });
    }
    group.finish();
}

fn scanned(rules: &RuleSet, path: PathBuf, threads: usize) {
    let walked = walk(&Options { paths: vec![path], threads }).expect("it can be walked");
    let tree = Disk::new(&walked.tree_root).expect("the tree is there");
    let settings = config::load(&tree, &walked, rules, Source::Nearest).expect("no broken configuration");
    let (tree, progress) = (Arc::new(tree), &|_, _| {});
    let request = Request { tree, walked: &walked, rules, settings: &settings, threads, progress };
    black_box(scan(&request).expect("it is scanned"));
}

fn whole(criterion: &mut Criterion) {
    let rules = RuleSet::builtin().expect("they load");
    let path = root().join("fixtures/seed/before");
    criterion.bench_function("scan the sample service", |bench| bench.iter(|| scanned(&rules, path.clone(), 2)));
}

/// Places of one file, of one kind each: time per place should stay the same.
fn places(criterion: &mut Criterion) {
    type Each = fn(usize) -> String;
    let kinds: [(&str, &str, &str, Each, &str); 4] = [
        (
            "handlers with loops",
            "a.js",
            "const app = require('express')(); const axios = require('axios');\n",
            |i| format!("app.get('/x{i}', async (q,r)=>{{ for (const u of q.us) {{ await axios.get(u); }} }});\n"),
            "",
        ),
        (
            "awaits of one function",
            "a.ts",
            "import axios from 'axios';\nexport async function all() {\n",
            |i| format!("const a{i} = await axios.get('/x{i}');\n"),
            "}\n",
        ),
        (
            "awaits of one Rust function",
            "a.rs",
            "async fn all(client: &reqwest::Client) -> Result<(), reqwest::Error> {\n",
            |i| format!("let a{i} = client.get(\"https://x/{i}\").send().await?;\n"),
            "Ok(())\n}\n",
        ),
        (
            "patches of one file",
            "a.ts",
            "import 'pg';\n",
            |i| format!("export async function f{i}() {{ return fetch('https://a.example/{i}'); }}\n"),
            "",
        ),
    ];
    let rules = RuleSet::builtin().expect("they load");
    for (kind, name, begin, each, end) in kinds {
        let mut group = criterion.benchmark_group(kind);
        group.sample_size(10);
        for count in [500, 2000] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let text: String = (0..count).map(each).collect();
            std::fs::write(folder.path().join(name), format!("{begin}{text}{end}")).expect("it can be written");
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::from_parameter(count), |bench| {
                bench.iter(|| scanned(&rules, folder.path().to_owned(), 1));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, rules, prefilter, map, whole, places);
criterion_main!(benches);
