//! Database pools: the sites that the join weighs against their server, and
//! what one file shows alone (built per call, `max` below `min`, an endless
//! wait).

use std::borrow::Cow;

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, Expression, ObjectExpression};
use oxc_syntax::node::NodeId;

use super::instance::{self, Kept};
use super::options::{self, Options};
use super::pool_libraries::{self as libraries, Library};
use crate::analyze::{Analysis, Sink, Vocabulary};
use crate::lang::typescript::functions::Enclosing;
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::argument;
use crate::lang::typescript::values::{Property, property};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Confidence, Context, IfNo, Known, Need, PoolSite, Question, Step, Value};
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
        ],
        guards: &["built-once", "factory", "cached", "wait-limited", "opaque-options", "one-shot", "escapes"],
        assumptions: &["stock-server", "long-wait-alone", "called-often", "requests-wait", "library-pool"],
        labels: &[],
        patches: &[],
        variants: &[
            "exceeds-server",
            "over-stock",
            "long-wait",
            "too-small",
            "max-below-min",
            "per-call",
            "no-wait-limit",
        ],
        params: &[],
    },
    run,
};

fn run<'m, 'a, 's>(model: &'m Model<'a>, sink: &mut Sink<'s>) {
    let mut sited: Vec<Span> = Vec::new();
    for &node in model.index.news.iter().chain(&model.index.calls) {
        let Some((library, arguments)) = libraries::library_of(model, node) else { continue };
        let enclosing = model.enclosing(node);
        if matches!(enclosing.context, Context::Test | Context::Build | Context::Cli) {
            continue;
        }
        let per_call = library.pools && built_per_call(model, sink, node, &library, &enclosing);
        if let Some(object) = holder(model, &library, arguments) {
            sited.push(span(object));
            if !per_call {
                weigh(model, sink, &library, object, true, &enclosing);
            }
        }
        if library.name == "pg" && !per_call {
            wait_limit(model, sink, node, arguments, &enclosing);
        }
    }
    for &node in &model.index.objects {
        let AstKind::ObjectExpression(object) = model.kind(node) else { continue };
        if sited.contains(&span(object)) {
            continue;
        }
        let Some(library) = by_shape(model, node, object) else { continue };
        let enclosing = model.enclosing(node);
        if !matches!(enclosing.context, Context::Test | Context::Build | Context::Cli) {
            weigh(model, sink, &library, object, library.shown, &enclosing);
        }
    }
}

/// The object that holds the pool's numbers.
fn holder<'a>(model: &Model<'a>, library: &Library, arguments: &'a [Argument<'a>]) -> Option<&'a ObjectExpression<'a>> {
    let mut found = arguments.iter().filter_map(Argument::as_expression).filter_map(|a| model.object(a)).next_back()?;
    if let Some(inner) = library.within {
        match property(found, inner) {
            Property::Found(value) => found = model.object(value)?,
            // TypeORM's own `poolSize` stands beside `extra`.
            _ if library.name == "typeorm" => {}
            _ => return None,
        }
    }
    Some(found)
}

/// `pool: { max, acquire }` in a configuration object, where no constructor is
/// seen that takes it.
fn by_shape<'a>(model: &Model<'a>, node: NodeId, object: &'a ObjectExpression<'a>) -> Option<Library> {
    if options::property_of(model, node).as_deref() != Some("pool") {
        return None;
    }
    let keys = options::keys(object);
    let has = |names: &[&str]| names.iter().any(|name| keys.iter().any(|key| key == name));
    if !has(&["max"]) {
        return None;
    }
    let outer = model.nodes().ancestor_ids(node).find_map(|id| match model.kind(id) {
        AstKind::ObjectExpression(outer) => Some(outer),
        _ => None,
    });
    let sibling = |name: &str| outer.and_then(|outer| property(outer, name).found());
    let dialect = sibling("dialect").or_else(|| sibling("client")).or_else(|| sibling("type"));
    let server = dialect.and_then(|value| match model.value(value) {
        Known::Here(Value::Text(text), _) => libraries::server_of(&text),
        _ => None,
    });
    let imports = |names: &[&str]| model.facts().imports_any(|module| names.contains(&module));
    let sequelize = imports(&["sequelize", "sequelize-typescript", "@nestjs/sequelize"]);
    let knex = imports(&["knex"]);
    let file = model.source.path.rsplit('/').next().unwrap_or_default();
    let database_file = words(file).iter().any(|word| {
        matches!(word.as_str(), "database" | "db" | "sequelize" | "knex" | "orm" | "knexfile" | "datasource")
    });
    if !(sequelize || knex || dialect.is_some() && server.is_some() || database_file) {
        return None;
    }
    // `max` and `min` are also words of swimming pools and thread pools.
    let connects = ["dialect", "client", "connection", "host", "database", "username", "storage", "url", "uri"];
    let beside = connects.iter().any(|name| sibling(name).is_some());
    let name = if has(&["acquire", "evict"]) || sequelize && beside {
        "sequelize"
    } else if has(&["acquireTimeoutMillis", "createTimeoutMillis", "propagateCreateError"]) || knex && beside {
        "knex"
    } else {
        return None;
    };
    let shown = sequelize || knex;
    Some(Library { server, shown, ..libraries::by_name(name)? })
}

/// Records a site for the join; what is wrong in itself is said here.
fn weigh<'a>(
    model: &Model<'a>,
    sink: &mut Sink<'_>,
    library: &Library,
    object: &'a ObjectExpression<'a>,
    library_known: bool,
    enclosing: &Enclosing,
) {
    let number = |names: &[&str]| {
        names.iter().find_map(|name| match property(object, name) {
            Property::Found(value) => Some(model.number(value)),
            Property::Unknown => Some(Known::Opaque(span(object))),
            Property::Missing => None,
        })
    };
    let site = PoolSite {
        library: Cow::Borrowed(library.name),
        library_known,
        server: library.server.map(Cow::Borrowed),
        span: span(object),
        symbol: enclosing.symbol.clone(),
        context: enclosing.context,
        request_path_by_name: enclosing.request_path_by_name.clone(),
        max: number(library.max).unwrap_or(Known::Absent),
        min: number(library.min).unwrap_or(Known::Absent),
        acquire_ms: number(library.acquire).unwrap_or(Known::Absent),
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
    if library.name != "generic-pool" {
        sink.observations().pools.push(site);
    }
}

/// A pool that a function builds each time it is called.
fn built_per_call(
    model: &Model<'_>,
    sink: &mut Sink<'_>,
    node: NodeId,
    library: &Library,
    enclosing: &Enclosing,
) -> bool {
    let Some(function) = enclosing.function else { return false };
    if model.is_in_constructor(node) || !matches!(enclosing.context, Context::Handler | Context::Library) {
        return false;
    }
    let place = span(&model.kind(node));
    let builder = sink
        .candidate(place, enclosing.symbol.clone(), enclosing.context)
        .request_path_by_name(enclosing.request_path_by_name.clone())
        .variant("per-call")
        .value("library", library.name);
    let handler = enclosing.context == Context::Handler;
    let kept = instance::kept(model, node);
    let local = match &kept {
        Kept::Variable(symbol) => {
            let declared = model.scoping().symbol_declaration(*symbol);
            model.is_within(declared, function)
        }
        Kept::Elsewhere => handler,
        Kept::Field(_) | Kept::Returned => false,
    };
    if !local {
        return false;
    }
    if is_cached(model, node, function) {
        sink.push(builder.clear(Step::new("cached")));
        return false;
    }
    let followed = instance::follow(model, node);
    let closes = followed.calls.iter().find_map(|&call| match model.kind(call) {
        AstKind::CallExpression(call) => {
            let leaf = model.callee(call).leaf();
            matches!(leaf, "end" | "close" | "$disconnect" | "destroy" | "drain").then(|| span(call))
        }
        _ => None,
    });
    let returned = matches!(&kept, Kept::Variable(symbol) if is_returned(model, *symbol));
    if returned || !handler && followed.escapes {
        sink.push(builder.clear(Step::new(if returned { "factory" } else { "escapes" })));
        return false;
    }
    let builder = builder.evidence(Step::at("built-here", place).with("library", library.name));
    let builder = match (handler, closes) {
        (true, None) => builder,
        (true, Some(at)) => builder.evidence(Step::at("closed-here", at)),
        (false, Some(at)) if !is_once(model, function) => {
            builder.evidence(Step::at("closed-here", at)).assume(Step::new("called-often"))
        }
        _ => builder.clear(Step::new("built-once")),
    };
    sink.push(builder);
    true
}

/// Kept in something that outlives the call: `cached ??= new Pool()`,
/// `globalThis.pool = …`, a test whether it is there yet.
fn is_cached(model: &Model<'_>, node: NodeId, function: NodeId) -> bool {
    let guarded = model.nodes().ancestor_ids(node).take_while(|&id| id != function).any(|id| {
        matches!(
            model.kind(id),
            AstKind::IfStatement(_) | AstKind::LogicalExpression(_) | AstKind::ConditionalExpression(_)
        )
    });
    let around = model.text(&model.kind(function));
    const CACHES: &[&str] =
        &["globalThis", "global.", "??=", "||=", ".set(", "cache", "Cache", "singleton", "memo", "once("];
    guarded || CACHES.iter().any(|mark| around.contains(mark))
}

fn is_returned(model: &Model<'_>, symbol: oxc_syntax::symbol::SymbolId) -> bool {
    model.scoping().get_resolved_references(symbol).any(|reference| {
        matches!(
            model.nodes().parent_kind(reference.node_id()),
            AstKind::ReturnStatement(_) | AstKind::ObjectProperty(_) | AstKind::ArrayExpression(_)
        )
    })
}

/// Functions whose name says that they run once, or make what others keep.
fn is_once(model: &Model<'_>, function: NodeId) -> bool {
    const ONCE: &[&str] = &[
        "create",
        "make",
        "build",
        "init",
        "connect",
        "factory",
        "setup",
        "open",
        "provide",
        "migrate",
        "migration",
        "migrations",
        "seed",
        "drop",
        "ensure",
        "check",
        "test",
        "install",
        "bootstrap",
        "reset",
        "clone",
        "backup",
        "wait",
        "health",
        "ping",
        "verify",
        "validate",
        "probe",
    ];
    let Some(name) = model.name_of(function) else { return true };
    words(&name).iter().any(|word| ONCE.contains(&word.as_str()))
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
        (Property::Unknown, _) | (_, Options::Opaque(_)) => builder.clear(Step::at("opaque-options", place)),
        (Property::Missing, _) => builder.evidence(Step::at("no-wait-limit", place)).assume(Step::new("requests-wait")),
    };
    sink.push(builder);
}
