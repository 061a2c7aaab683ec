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

fn whole(criterion: &mut Criterion) {
    let rules = RuleSet::builtin().expect("they load");
    let paths = vec![root().join("fixtures/seed/before")];
    criterion.bench_function("scan the sample service", |bench| {
        bench.iter(|| {
            let walked = walk(&Options { paths: paths.clone(), threads: 2 }).expect("it can be walked");
            let tree = Disk::new(&walked.tree_root).expect("the tree is there");
            let settings = config::load(&tree, &walked, &rules, Source::Nearest).expect("no broken configuration");
            let tree = Arc::new(tree);
            let progress = &|_, _| {};
            scan(&Request { tree, walked: &walked, rules: &rules, settings: &settings, threads: 2, progress })
                .expect("it is scanned")
        });
    });
}

criterion_group!(benches, rules, prefilter, map, whole);
criterion_main!(benches);
