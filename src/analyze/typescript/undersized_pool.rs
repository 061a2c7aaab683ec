//! Database pools: the sites that the join weighs against their server, and
//! what one file shows alone (built per call, `max` below `min`, an endless
//! wait).

mod per_call;
mod shapes;

use std::borrow::Cow;

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, Expression, ObjectExpression, ObjectPropertyKind};
use oxc_syntax::node::NodeId;

use super::http;
use super::instance;
use super::options::{self, Options};
use super::pool_libraries::{self as libraries, Library};
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::functions::{Enclosing, is_function};
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::values::{Property, key_name};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Confidence, Context, IfNo, Known, NameRef, Need, PoolSite, Question, Step, Value};
use crate::source::Span;

/// See the module. The values and keys of the join's findings stand here too:
/// `join/pools.rs` speaks for this rule.
pub const ANALYSIS: Analysis<super::Run> = Analysis {
    name: "undersized-pool",
    vocabulary: Vocabulary {
        values: &[
            "library",
            "max",
            "min",
            "acquire_ms",
            "instances",
            "demand",
            "usable",
            "at_10_ms",
            "at_50_ms",
            "at_100_ms",
            "needed",
            "qps",
            "query_ms",
            "single",
        ],
        evidence: &[
            "max",
            "min",
            "acquire",
            "usable-declared",
            "usable-stock",
            "other-pool",
            "load",
            "little",
            "built-here",
            "closed-here",
            "no-wait-limit",
            "serves-many",
        ],
        guards: &[
            "built-once",
            "factory",
            "cached",
            "wait-limited",
            "opaque-options",
            "one-shot",
            "escapes",
            "dedicated",
        ],
        assumptions: &[
            "stock-server",
            "long-wait-alone",
            "built-often",
            "requests-wait",
            "library-pool",
            "side-by-side",
            "environment-silent",
        ],
        labels: &[],
        patches: &[],
        variants: &[
            "exceeds-server",
            "over-stock",
            "long-wait",
            "too-small",
            "too-few",
            "max-below-min",
            "per-call",
            "no-wait-limit",
        ],
        params: &[],
    },
    run,
};

fn run<'m, 'a, 's>(model: &'m Model<'a>, sink: &mut Sink<'s>) {
    // A script has no requests that wait for one another.
    let is_script = std::cell::LazyCell::new(|| http::is_tool(model));
    let mut sited: Vec<Span> = Vec::new();
    for &node in model.index.news.iter().chain(&model.index.calls) {
        let Some((library, arguments)) = libraries::library_of(model, node) else { continue };
        if *is_script {
            return;
        }
        let enclosing = model.enclosing(node);
        if matches!(enclosing.context, Context::Test | Context::Build | Context::Cli) {
            continue;
        }
        let mut per_call = library.pools && per_call::built_per_call(model, sink, node, node, &library);
        if library.pools && !per_call {
            let mut calls = instance::taken_by_calls(model, node).into_iter();
            per_call = calls.any(|call| per_call::built_per_call(model, sink, node, call, &library));
        }
        if let Some((object, beside)) = holder(model, &library, arguments) {
            sited.push(span(object));
            if !per_call {
                weigh(model, sink, &library, (object, beside), true, &enclosing);
            }
        } else if let (false, Some(numbers)) = (per_call, numbers_elsewhere(model, &library, arguments)) {
            // `new Pool(settings.postgres)`: the join looks into the other file.
            let place = span(&model.kind(node));
            let named = std::iter::once(&numbers.name).chain(&numbers.members);
            if named.into_iter().any(|name| names_purpose(name)) || is_dedicated(model, node, &[]) {
                continue;
            }
            let max = NameRef { members: [&numbers.members[..], &[library.max[0].to_owned()]].concat(), ..numbers };
            sink.observations().pools.push(site(&library, place, &enclosing, Known::Elsewhere(max, place)));
        }
        if library.name == "pg" && !per_call {
            wait_limit(model, sink, node, arguments, &enclosing);
        }
    }
    for &node in &model.index.calls {
        let AstKind::CallExpression(call) = model.kind(node) else { continue };
        if let (Some(max), Some(prisma)) = (shapes::connection_limit(model, call), shapes::prisma()) {
            let enclosing = model.enclosing(node);
            sink.observations().pools.push(site(&prisma, span(call), &enclosing, max));
        }
    }
    if model.source.text.contains("connection_limit=")
        && let Some(prisma) = shapes::prisma()
    {
        for node in model.nodes().iter().map(|node| node.id()) {
            let Some(max) = shapes::limit_in_address(model, node) else { continue };
            let enclosing = model.enclosing(node);
            if !matches!(enclosing.context, Context::Test | Context::Build | Context::Cli) {
                sink.observations().pools.push(site(&prisma, span(&model.kind(node)), &enclosing, max));
            }
        }
    }
    for &node in &model.index.objects {
        let AstKind::ObjectExpression(object) = model.kind(node) else { continue };
        if sited.contains(&span(object)) {
            continue;
        }
        let Some(library) = shapes::by_shape(model, node, object) else { continue };
        let enclosing = model.enclosing(node);
        if !matches!(enclosing.context, Context::Test | Context::Build | Context::Cli) {
            weigh(model, sink, &library, (object, object), library.shown, &enclosing);
        }
    }
}

/// The object that holds the pool's numbers, and the options that it is one of.
type Numbers<'a> = (&'a ObjectExpression<'a>, &'a ObjectExpression<'a>);

fn holder<'a>(model: &Model<'a>, library: &Library, arguments: &'a [Argument<'a>]) -> Option<Numbers<'a>> {
    let options = arguments.iter().filter_map(Argument::as_expression).filter_map(|a| model.object(a)).next_back()?;
    let Some(inner) = library.within else { return Some((options, options)) };
    match model.property(options, inner) {
        Property::Found(value) => Some((model.object(value)?, options)),
        // TypeORM's own `poolSize` stands beside `extra`.
        _ if library.name == "typeorm" => Some((options, options)),
        _ => None,
    }
}

/// The object of another file that holds the pool's numbers:
/// `pool: config.db.pool`, or the last of the arguments.
fn numbers_elsewhere<'a>(model: &Model<'a>, library: &Library, arguments: &'a [Argument<'a>]) -> Option<NameRef> {
    if library.max.is_empty() {
        return None;
    }
    let last = arguments.iter().filter_map(Argument::as_expression).next_back()?;
    let value = match (library.within, model.object(last)) {
        (Some(inner), Some(options)) => model.property(options, inner).found()?,
        (None, None) => last,
        _ => return None,
    };
    let path = model.path_of(value);
    (!path.members.is_empty()).then(|| model.name_ref(&path)).flatten()
}

/// The object of another file that is spread into one, named as there.
fn spread_elsewhere(model: &Model<'_>, object: &ObjectExpression<'_>) -> Option<NameRef> {
    object.properties.iter().rev().find_map(|kind| match kind {
        ObjectPropertyKind::SpreadProperty(given) => model.name_ref(&model.path_of(&given.argument)),
        ObjectPropertyKind::ObjectProperty(_) => None,
    })
}

/// A site of which nothing but its size is known.
fn site(library: &Library, span: Span, enclosing: &Enclosing, max: Known<f64>) -> PoolSite {
    PoolSite {
        library: Cow::Borrowed(library.name),
        library_known: true,
        server: library.server.map(Cow::Borrowed),
        span,
        symbol: enclosing.symbol.clone(),
        context: enclosing.context,
        request_path_by_name: enclosing.request_path_by_name.clone(),
        max,
        min: Known::Absent,
        acquire_ms: Known::Absent,
        default_max: Known::Absent,
        dedicated: false,
    }
}

/// Records a site for the join; what is wrong in itself is said here.
fn weigh<'a>(
    model: &Model<'a>,
    sink: &mut Sink<'_>,
    library: &Library,
    (object, beside): Numbers<'a>,
    library_known: bool,
    enclosing: &Enclosing,
) {
    // What the libraries keep beside the pool's own options.
    const BESIDE: &[&str] = &["poolSize", "acquireConnectionTimeout"];
    let written = |names: &[&str]| {
        let own = names.iter().map(|name| (object, name));
        let others = names.iter().filter(|name| BESIDE.contains(name)).map(|name| (beside, name));
        own.chain(others).find_map(|(object, name)| match model.property(object, name) {
            Property::Missing => None,
            found => Some(found),
        })
    };
    let elsewhere = spread_elsewhere(model, object);
    let number = |names: &[&str]| match (written(names)?, &elsewhere) {
        (Property::Found(value), _) => Some(model.number(value)),
        (_, Some(spread)) => {
            let members = spread.members.iter().cloned().chain([(*names.first()?).to_owned()]).collect();
            Some(Known::Elsewhere(NameRef { members, ..spread.clone() }, span(object)))
        }
        _ => Some(Known::Opaque(span(object))),
    };
    let default = written(library.max).and_then(Property::found).and_then(|value| model.default_number(value));
    let site = PoolSite {
        library_known,
        min: number(library.min).unwrap_or(Known::Absent),
        acquire_ms: number(library.acquire).unwrap_or(Known::Absent),
        default_max: default.map_or(Known::Absent, |(max, at)| Known::Here(max, at)),
        dedicated: is_dedicated(model, object.node_id.get(), &[object]),
        ..site(library, span(object), enclosing, number(library.max).unwrap_or(Known::Absent))
    };
    if matches!((&site.max, &site.min), (Known::Absent, Known::Absent)) {
        return;
    }
    if let (Known::Here(max, max_at), Known::Here(min, min_at)) = (&site.max, &site.min)
        && max < min
    {
        let builder = sink
            .candidate(site.span, enclosing.symbol.clone(), enclosing.context)
            .variant("max-below-min")
            .value("max", *max)
            .value("min", *min)
            .value("library", library.name)
            .evidence(Step::at("max", *max_at).with("max", *max))
            .evidence(Step::at("min", *min_at).with("min", *min));
        sink.push(builder);
        return;
    }
    // A generic pool holds workers and sockets as well: no server counts them.
    if library.name != "generic-pool" && !in_test_environment(model, object) {
        sink.observations().pools.push(site);
    }
}

/// Names of what one connection is right for: it listens, holds a lock, or
/// changes the schema.
fn names_purpose(name: &str) -> bool {
    const PURPOSES: &[&str] = &[
        "listen",
        "listener",
        "notify",
        "notifications",
        "subscribe",
        "subscriber",
        "lock",
        "locks",
        "leader",
        "election",
        "replication",
        "migrate",
        "migrator",
        "migration",
        "migrations",
        "seed",
        "seeder",
        "test",
        "tests",
        "testing",
        "cli",
        "script",
        "proxy",
        "proxied",
        "pooler",
        "pooled",
        "admin",
        "superuser",
        "bootstrap",
        "grant",
        "provision",
        "health",
        "single",
        "shadow",
    ];
    words(name).iter().any(|word| PURPOSES.contains(&word.as_str()))
}

/// True for a pool of one purpose, by the names around `node` and its file, by
/// how it is shown to its server in `options`, or since the file does with it
/// what needs one connection: it migrates or listens.
fn is_dedicated<'a>(model: &Model<'a>, node: NodeId, options: &[&'a ObjectExpression<'a>]) -> bool {
    const USES: &[&str] = &["migrate(", ".listen(", ".subscribe(", "LISTEN "];
    // A server listens as well.
    const SERVERS: &[&str] = &["app.listen(", "server.listen("];
    let holds = |marks: &[&'static str]| marks.iter().any(|mark| model.mentions(mark));
    if model.mentions("postgres(") && holds(USES) && !holds(SERVERS) {
        return true;
    }
    let nodes = model.nodes();
    let names = nodes.ancestor_ids(node).filter_map(|id| match nodes.kind(id) {
        AstKind::VariableDeclarator(declarator) => declarator.id.get_identifier_name().map(|name| name.to_string()),
        AstKind::PropertyDefinition(property) => key_name(&property.key).map(|name| name.into_owned()),
        kind if is_function(kind) => model.name_of(id).map(|name| name.into_owned()),
        _ => None,
    });
    let shown = ["application_name", "applicationName", "appName"].iter().filter_map(|name| {
        options.iter().find_map(|object| match model.value(model.property(object, name).found()?) {
            Known::Here(Value::Text(text), _) => Some(text),
            _ => None,
        })
    });
    let file = model.source.path.rsplit('/').next().map(str::to_owned);
    let mut all = names.chain(shown).chain(file);
    all.any(|name| names_purpose(&name))
}

/// True below a key that names an environment in which nobody waits:
/// `test: { pool: { max: 1 } }`.
fn in_test_environment(model: &Model<'_>, object: &ObjectExpression<'_>) -> bool {
    let nodes = model.nodes();
    nodes.ancestor_kinds(object.node_id.get()).any(|kind| match kind {
        AstKind::ObjectProperty(property) => {
            let key = key_name(&property.key);
            key.is_some_and(|key| {
                matches!(key.as_ref(), "test" | "testing" | "ci" | "e2e" | "development" | "dev" | "local")
            })
        }
        _ => false,
    })
}

/// pg waits for a free connection without end unless it is told how long.
fn wait_limit<'a>(
    model: &Model<'a>,
    sink: &mut Sink<'_>,
    node: NodeId,
    arguments: &'a [Argument<'a>],
    enclosing: &Enclosing,
) {
    let given = options::options(model, arguments, 0);
    let shown = argument(arguments, 0).filter(|e| matches!(bare(e), Expression::ObjectExpression(_)));
    let place = shown.map_or_else(|| span(&model.kind(node)), span);
    let dedicated = argument(arguments, 0)
        .and_then(|given| model.object(given))
        .is_some_and(|o| is_dedicated(model, o.node_id.get(), &[o]));
    let in_service =
        Need { question: Question::InService, span: None, if_unknown: Some(Confidence::Possible), if_no: IfNo::Clear };
    let builder = sink
        .candidate(place, enclosing.symbol.clone(), enclosing.context)
        .request_path_by_name(enclosing.request_path_by_name.clone())
        .variant("no-wait-limit")
        .value("library", "pg")
        .need(in_service);
    let builder = match (given.property("connectionTimeoutMillis"), given) {
        (Property::Found(limit), _) => builder.clear(Step::at("wait-limited", span(limit))),
        _ if dedicated => builder.clear(Step::at("dedicated", place)),
        (Property::Unknown, _) | (_, Options::Opaque(_)) => builder.clear(Step::at("opaque-options", place)),
        (Property::Missing, _) => builder.evidence(Step::at("no-wait-limit", place)).assume(Step::new("requests-wait")),
    };
    sink.push(builder);
}
