//! Pools against their database server and their load: findings that no file
//! shows alone.
//!
//! A number by itself is never a reason. What is weighed is arithmetic: the
//! connections that all instances may open against those that the server
//! admits, the declared load against what the pool can carry, and a written
//! wait that only a full pool makes anyone see.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::config::Service;
use crate::join::Join;
use crate::join::needs::{Answer, Resolved, answer, resolve_constant};
use crate::observe::{Candidate, Confidence, Context, Known, PoolSite, Question, Step, Value, Values};

/// The rule that these findings belong to.
const RULE: &str = "undersized-pool";

/// PostgreSQL without configuration: `max_connections = 100`, of which
/// `superuser_reserved_connections = 3` are kept back.
const STOCK_POSTGRES: f64 = 97.0;

/// MySQL without configuration: `max_connections = 151`; the one for an
/// administrator comes on top.
const STOCK_MYSQL: f64 = 151.0;

/// A written wait for a connection, in milliseconds, from which callers queue
/// for longer than any HTTP client waits.
const LONG_WAIT_MS: f64 = 60_000.0;

/// A written wait that is nobody's default, and that no caller has the patience
/// for.
const MINUTES_MS: f64 = 120_000.0;

/// Files that must be mapped before all numbers are known.
pub fn wanted(join: &Join<'_>) -> Vec<String> {
    if rule_index(join).is_none() {
        return Vec::new();
    }
    let mut wanted = Vec::new();
    for mapped in join.files.iter() {
        for site in &mapped.map.observations.pools {
            for known in [&site.max, &site.min, &site.acquire_ms] {
                if let Known::Elsewhere(name, _) = known
                    && let Resolved::NeedFiles(files) =
                        resolve_constant(&mapped.source.path, name, join.facts, join.files)
                {
                    wanted.extend(files);
                }
            }
        }
    }
    wanted
}

/// The findings of all pools, with the file that each stands in.
pub fn join(join: &Join<'_>) -> Vec<(String, Candidate)> {
    let Some(rule) = rule_index(join) else { return Vec::new() };
    let mut servers: BTreeMap<(String, &str), Vec<Pool<'_>>> = BTreeMap::new();
    let mut made = Vec::new();
    for mapped in join.files.iter() {
        let path = mapped.source.path.as_str();
        for site in &mapped.map.observations.pools {
            let pool = Pool::read(join, path, site);
            if pool.server() == "sqlite" || serves_the_tool(join, path) {
                continue;
            }
            let alone = below_min(rule, &pool).or_else(|| too_few(join, rule, &pool));
            if let Some(candidate) = alone {
                made.push((path.to_owned(), candidate));
                continue;
            }
            // What a MongoDB server admits is not counted by pools.
            if pool.server() == "mongodb" {
                continue;
            }
            servers.entry((group(join, &pool), pool.server())).or_default().push(pool);
        }
    }
    for (_, mut pools) in servers {
        // The largest first; equals in order of path and place.
        pools.sort_by(|a, b| b.demand().total_cmp(&a.demand()).then_with(|| a.order().cmp(&b.order())));
        made.extend(weigh(join, rule, &pools));
    }
    made
}

/// True for a `knexfile` or a `data-source` whose package configures its pool in
/// another file: what is left to it is the command line that migrates.
fn serves_the_tool(join: &Join<'_>, path: &str) -> bool {
    let stem = |path: &str| path.rsplit('/').next().and_then(|name| name.split('.').next()).map(str::to_owned);
    let is_file =
        |path: &str| stem(path).is_some_and(|stem| matches!(stem.as_str(), "knexfile" | "data-source" | "ormconfig"));
    let folder = |path: &str| join.facts.packages.nearest(path).map(|package| package.folder.clone());
    is_file(path)
        && join.files.iter().any(|other| {
            let at = other.source.path.as_str();
            !other.map.observations.pools.is_empty() && !is_file(at) && folder(at) == folder(path)
        })
}

fn rule_index(join: &Join<'_>) -> Option<usize> {
    join.rules.rules.iter().position(|rule| rule.id == RULE)
}

/// A pool site with its numbers known as far as they can be.
struct Pool<'j> {
    path: &'j str,
    site: &'j PoolSite,
    max: Option<Number>,
    /// `max` where the environment sets no other.
    default_max: Option<Number>,
    min: Option<Number>,
    acquire_ms: Option<Number>,
    /// Processes that hold such a pool; one where nobody says.
    instances: u32,
    instances_declared: bool,
    qps: Option<f64>,
}

/// A number and where it is written.
struct Number {
    value: f64,
    step: Step,
}

impl<'j> Pool<'j> {
    fn read(join: &Join<'_>, path: &'j str, site: &'j PoolSite) -> Self {
        let number = |known: &Known<f64>, key: &'static str| match known {
            Known::Here(value, at) => Some(Number { value: *value, step: Step::at(key, *at).with(key, *value) }),
            Known::Elsewhere(name, _) => match resolve_constant(path, name, join.facts, join.files) {
                Resolved::Value(Value::Number(value), file, at) => {
                    Some(Number { value, step: Step::at(key, at).in_file(file).with(key, value) })
                }
                _ => None,
            },
            Known::Opaque(_) | Known::Absent => None,
        };
        let service = service(join, path);
        Self {
            path,
            site,
            max: number(&site.max, "max"),
            default_max: match &site.max {
                Known::Elsewhere(name, _) => match resolve_constant(path, name, join.facts, join.files) {
                    Resolved::Default(Value::Number(value), file, at) => {
                        Some(Number { value, step: Step::at("max", at).in_file(file).with("max", value) })
                    }
                    _ => None,
                },
                _ => number(&site.default_max, "max"),
            },
            min: number(&site.min, "min"),
            acquire_ms: number(&site.acquire_ms, "acquire"),
            instances: service.and_then(|service| service.instances).unwrap_or(1),
            instances_declared: service.is_some_and(|service| service.instances.is_some()),
            qps: service.and_then(|service| service.qps),
        }
    }

    /// The kind of server; PostgreSQL where nothing says, whose stock limit
    /// is the lower one and is named as the assumption.
    fn server(&self) -> &'j str {
        self.site.server.as_deref().unwrap_or("postgres")
    }

    /// Connections that all instances may open together.
    fn demand(&self) -> f64 {
        self.max.as_ref().map_or(0.0, |max| max.value) * f64::from(self.instances)
    }

    fn waits_long(&self) -> bool {
        self.acquire_ms.as_ref().is_some_and(|wait| wait.value >= LONG_WAIT_MS)
    }

    fn order(&self) -> (&str, u32) {
        (self.path, self.site.span.start)
    }
}

/// The declared service that a path belongs to: the longest folder wins.
fn service<'s>(join: &'s Join<'_>, path: &str) -> Option<&'s Service> {
    let holds = |service: &&Service| service.path == path || crate::config::below(&service.path, path).is_some();
    join.settings.services.iter().filter(holds).max_by_key(|service| service.path.len())
}

/// Pools with one key share a server. A declared server is the tree's one;
/// without it only pools of one package are taken to share theirs.
fn group(join: &Join<'_>, pool: &Pool<'_>) -> String {
    if join.settings.database.is_some() {
        return String::new();
    }
    join.facts.packages.nearest(pool.path).map(|package| package.folder.clone()).unwrap_or_default()
}

fn below_min(rule: usize, pool: &Pool<'_>) -> Option<Candidate> {
    let (max, min) = (pool.max.as_ref()?, pool.min.as_ref()?);
    if max.value >= min.value {
        return None;
    }
    let mut candidate = candidate(rule, pool, Some("max-below-min"));
    candidate.evidence = vec![max.step.clone(), min.step.clone()];
    Some(candidate)
}

/// Dependencies of programs that serve many at once.
const CONCURRENT: &[&str] = &["bullmq", "bull", "kafkajs", "amqplib", "pg-boss", "agenda", "graphile-worker"];

/// Dependencies of functions of which each instance serves one request at a
/// time, or may.
const SERVERLESS: &[&str] = &[
    "serverless",
    "serverless-http",
    "serverless-offline",
    "aws-lambda",
    "@types/aws-lambda",
    "sst",
    "@vercel/node",
    "@vercel/postgres",
    "@netlify/functions",
    "@cloudflare/workers-types",
    "wrangler",
    "@google-cloud/functions-framework",
    "@azure/functions",
    "@neondatabase/serverless",
];

/// A pool of one or two connections in a service that serves many at once:
/// every other query queues.
fn too_few(join: &Join<'_>, rule: usize, pool: &Pool<'_>) -> Option<Candidate> {
    const FEW: f64 = 2.0;
    let (max, by_default) = match (&pool.max, &pool.default_max) {
        (Some(max), _) => (max, false),
        (None, Some(max)) => (max, true),
        (None, None) => return None,
    };
    let package = join.facts.packages.nearest(pool.path)?;
    let depends = |names: &[&str]| names.iter().any(|name| package.dependencies.contains_key(*name));
    if !(1.0..=FEW).contains(&max.value)
        || pool.site.dedicated
        || !pool.site.library_known
        || pool.site.server.is_none()
        || depends(SERVERLESS)
        || package.is_library()
        || !matches!(pool.site.context, Context::Handler | Context::Library | Context::Startup)
    {
        return None;
    }
    let service = match answer(&Question::InService, pool.path, join.facts, join.files) {
        Answer::Yes(step) => step,
        _ if depends(CONCURRENT) => Step::new("serves-many"),
        _ => return None,
    };
    let mut candidate = candidate(rule, pool, Some("too-few"));
    candidate.values.insert(Cow::Borrowed("max"), max.value.into());
    candidate.values.insert(Cow::Borrowed("single"), (max.value < FEW).into());
    candidate.evidence = vec![max.step.clone(), service];
    // Next.js is deployed in both ways.
    candidate.confidence = if depends(&["next"]) { Confidence::Possible } else { Confidence::Likely };
    let assumption = if by_default { "environment-silent" } else { "side-by-side" };
    candidate.assumption = Some(Step::new(assumption).with("max", max.value));
    Some(candidate)
}

fn candidate(rule: usize, pool: &Pool<'_>, variant: Option<&'static str>) -> Candidate {
    let mut values = Values::from([
        (Cow::Borrowed("library"), Value::from(pool.site.library.as_ref())),
        (Cow::Borrowed("instances"), pool.instances.into()),
        (Cow::Borrowed("demand"), pool.demand().into()),
    ]);
    let numbers = [("max", &pool.max), ("min", &pool.min), ("acquire_ms", &pool.acquire_ms)];
    for (name, number) in numbers {
        if let Some(number) = number {
            values.insert(Cow::Borrowed(name), number.value.into());
        }
    }
    // Little's law: a pool of `max` carries `max / hold` queries a second.
    for (name, hold_ms) in [("at_10_ms", 10.0), ("at_50_ms", 50.0), ("at_100_ms", 100.0)] {
        values.insert(Cow::Borrowed(name), (pool.demand() * 1000.0 / hold_ms).floor().into());
    }
    Candidate {
        rule,
        variant: variant.map(Cow::Borrowed),
        span: pool.site.span,
        symbol: pool.site.symbol.clone(),
        context: pool.site.context,
        request_path_by_name: None,
        confidence: Confidence::Certain,
        assumption: None,
        evidence: Vec::new(),
        labels: Vec::new(),
        values,
        needs: Vec::new(),
        cleared: None,
        patch: None,
        narrower: Vec::new(),
    }
}

/// What one server's pools show, the largest first.
fn weigh(join: &Join<'_>, rule: usize, pools: &[Pool<'_>]) -> Option<(String, Candidate)> {
    let largest = pools.first().filter(|pool| pool.max.is_some())?;
    if matches!(largest.site.context, Context::Test | Context::Build | Context::Cli) {
        return None;
    }
    let server = match join.settings.database {
        Some(database) => {
            let usable = f64::from(database.max_connections.saturating_sub(database.reserved));
            against_declared(join, rule, pools, usable).map(|candidate| (largest, candidate))
        }
        None => surest(pools.iter().filter_map(|pool| Some((pool, against_stock(join, rule, pool)?)))),
    };
    // The tree's load is the largest pool's; what a service declares is its own.
    let loaded = pools.iter().filter(|pool| pool.qps.is_some() || std::ptr::eq(*pool, largest));
    let load = || surest(loaded.filter_map(|pool| Some((pool, against_load(join, rule, pool)?))));
    let (pool, mut candidate) = match server {
        Some(made) if outweighs_load(&made.1) => made,
        other => load().or(other)?,
    };
    candidate.evidence.extend(others(pools, pool));
    Some((pool.path.to_owned(), candidate))
}

/// What a server refuses costs more than queries that queue, where it is more
/// than a possibility.
fn outweighs_load(candidate: &Candidate) -> bool {
    let refuses = matches!(candidate.variant.as_deref(), None | Some("exceeds-server"));
    refuses && candidate.confidence > Confidence::Possible
}

/// The finding of the highest confidence; of equals the first.
fn surest<'p, 'j>(made: impl Iterator<Item = (&'p Pool<'j>, Candidate)>) -> Option<(&'p Pool<'j>, Candidate)> {
    made.reduce(|best, next| if next.1.confidence > best.1.confidence { next } else { best })
}

fn others<'p>(pools: &'p [Pool<'_>], told: &'p Pool<'_>) -> impl Iterator<Item = Step> + 'p {
    pools.iter().filter(|other| !std::ptr::eq(*other, told)).filter_map(|other| {
        let max = other.max.as_ref()?;
        let step = Step::at("other-pool", other.site.span).in_file(other.path).with("max", max.value);
        Some(step.with("instances", other.instances))
    })
}

/// The sum over services of their largest pool: one service's further pools
/// may be other environments of the same configuration.
fn against_declared(join: &Join<'_>, rule: usize, pools: &[Pool<'_>], usable: f64) -> Option<Candidate> {
    let mut by_service: BTreeMap<String, f64> = BTreeMap::new();
    for pool in pools {
        let folder = join.facts.packages.nearest(pool.path).map(|package| package.folder.clone());
        let demand = by_service.entry(folder.unwrap_or_default()).or_default();
        *demand = demand.max(pool.demand());
    }
    let demand: f64 = by_service.values().sum();
    if demand <= usable {
        return None;
    }
    let mut candidate = candidate(rule, &pools[0], Some("exceeds-server"));
    candidate.values.insert(Cow::Borrowed("demand"), demand.into());
    candidate.values.insert(Cow::Borrowed("usable"), usable.into());
    candidate.evidence.extend(pools[0].max.as_ref().map(|max| max.step.clone()));
    candidate.evidence.push(Step::new("usable-declared").with("usable", usable));
    candidate.evidence.extend(Demand::of(join, &pools[0]).map(|demand| demand.step(&pools[0])));
    Some(candidate)
}

/// No server is declared: a stock one is the assumption.
fn against_stock(join: &Join<'_>, rule: usize, pool: &Pool<'_>) -> Option<Candidate> {
    let usable = match pool.server() {
        "postgres" => STOCK_POSTGRES,
        "mysql" => STOCK_MYSQL,
        _ => return None,
    };
    let (over, long) = (pool.demand() > usable, pool.waits_long());
    let variant = match (over, long) {
        (true, true) => None,
        (true, false) => Some("over-stock"),
        (false, true) => Some("long-wait"),
        (false, false) => return None,
    };
    let mut candidate = candidate(rule, pool, variant);
    candidate.values.insert(Cow::Borrowed("usable"), usable.into());
    candidate.evidence.extend(pool.max.as_ref().map(|max| max.step.clone()));
    candidate.evidence.extend(pool.acquire_ms.as_ref().map(|wait| wait.step.clone()));
    if over {
        candidate.evidence.push(Step::new("usable-stock").with("usable", usable).with("server", pool.server()));
    }
    candidate.evidence.push(Demand::of(join, pool).map_or_else(|| little(pool), |demand| demand.step(pool)));
    let (confidence, assumption) = match variant {
        // A package that others install does not know its server.
        None if join.facts.is_library(pool.path) => (Confidence::Possible, Step::new("library-pool")),
        None => (Confidence::Likely, Step::new("stock-server").with("usable", usable)),
        Some("over-stock") => (Confidence::Possible, Step::new("stock-server").with("usable", usable)),
        Some(_) if waits_for_minutes(join, pool) => (Confidence::Likely, Step::new("long-wait-alone")),
        Some(_) => (Confidence::Possible, Step::new("long-wait-alone")),
    };
    candidate.confidence = confidence;
    candidate.assumption = Some(assumption);
    Some(candidate)
}

/// A pool that serves requests, whose callers are let wait for minutes.
fn waits_for_minutes(join: &Join<'_>, pool: &Pool<'_>) -> bool {
    let written = pool.acquire_ms.as_ref().is_some_and(|wait| wait.value >= MINUTES_MS);
    let serves = || matches!(answer(&Question::InService, pool.path, join.facts, join.files), Answer::Yes(_));
    written && pool.site.library_known && !pool.site.dedicated && serves()
}

/// The declared load of a pool, by Little's law: connections in use = rate ×
/// hold time, shared by the instances.
struct Demand {
    qps: f64,
    query_ms: f64,
    /// Connections that are busy in each process.
    needed: f64,
}

impl Demand {
    fn of(join: &Join<'_>, pool: &Pool<'_>) -> Option<Self> {
        let load = join.settings.load?;
        let query_ms = load.query_ms?;
        let qps = pool.qps.unwrap_or(load.requests_per_second);
        Some(Self { qps, query_ms, needed: (qps * query_ms / 1000.0 / f64::from(pool.instances)).ceil() })
    }

    fn step(&self, pool: &Pool<'_>) -> Step {
        let key = if pool.instances_declared { "load" } else { "load-in-all" };
        Step::new(key).with("qps", self.qps).with("query_ms", self.query_ms).with("needed", self.needed)
    }
}

fn against_load(join: &Join<'_>, rule: usize, pool: &Pool<'_>) -> Option<Candidate> {
    let demand = Demand::of(join, pool)?;
    if demand.needed <= pool.max.as_ref()?.value {
        return None;
    }
    let mut candidate = candidate(rule, pool, Some("too-small"));
    for (name, value) in [("qps", demand.qps), ("query_ms", demand.query_ms), ("needed", demand.needed)] {
        candidate.values.insert(Cow::Borrowed(name), value.into());
    }
    candidate.evidence.extend(pool.max.as_ref().map(|max| max.step.clone()));
    candidate.evidence.push(demand.step(pool));
    if !pool.instances_declared {
        candidate.confidence = Confidence::Likely;
        candidate.assumption = Some(Step::new("one-process"));
    }
    Some(candidate)
}

fn little(pool: &Pool<'_>) -> Step {
    let rate = |hold_ms: f64| (pool.demand() * 1000.0 / hold_ms).floor();
    Step::new("little").with("at_10_ms", rate(10.0)).with("at_50_ms", rate(50.0)).with("at_100_ms", rate(100.0))
}
