//! An HTTP client made for each call: its pool dies with it, so that every
//! request opens a connection of its own.

mod elsewhere;

use self::elsewhere::{Maker, Taken};
use super::client_timeout::{bounds_answers, is_timed_by_default, timeout_within, unbounded_requests};
use crate::analyze::rust::not_only_at_start;
use crate::analyze::sink::Builder;
use crate::analyze::{Sink, Vocabulary};
use crate::lang::rust::Model;
use crate::lang::rust::clients::{Constructor, Form, Library, PER_TENANT, Use};
use crate::lang::rust::functions::Body;
use crate::lang::rust::node::{Kind, Lit, NodeId, Pattern};
use crate::observe::{Confidence, Context, Draft, IfNo, Need, Question, Step};
use crate::source::Span;

/// What this analysis may say.
pub const VOCABULARY: Vocabulary = Vocabulary {
    values: &["client", "cold", "in_loop", "untimed"],
    evidence: &["client-made", "client-dropped", "made-in-loop", "client-untimed"],
    guards: &[
        "client-escapes",
        "close-by-design",
        "client-made-once",
        "client-at-startup",
        "client-in-command-line",
        "client-polls-start",
        "client-rare",
        "client-wasm",
    ],
    assumptions: &[
        "called-repeatedly",
        "period-below-idle",
        "settings-vary",
        "same-question-often",
        "job-often",
        "falls-back-often",
    ],
    labels: &[],
    patches: &["share-client", "share-client-with-timeout"],
    variants: &["client-per-call", "client-per-call-untimed"],
    params: &[],
};

/// reqwest closes a connection after 90 s without use: a task that runs less
/// often would open a new one anyway.
const IDLE_SECONDS: f64 = 90.0;

/// Finds clients that are made, used and dropped within one call.
pub fn run(model: &Model<'_>, sink: &mut Sink<'_>) {
    for constructor in model.constructors() {
        let body = model.body_of(constructor.node);
        let used = model.use_of(&constructor);
        let context = model.context(constructor.node);
        let node = &model.tree.node(constructor.node);
        let base = || {
            sink.candidate(node.span, model.symbol(constructor.node), context)
                .value("client", constructor.library.name())
                .value("cold", true)
                .value("in_loop", false)
                .value("untimed", false)
                .evidence(Step::at("client-made", node.span).with("client", constructor.library.name()))
        };
        if body == Body::Once {
            let cleared = base().clear(Step::at("client-made-once", node.span));
            sink.push(cleared);
            continue;
        }
        if !is_per_call(model, &constructor) {
            continue;
        }
        let in_loop = work_loop(model, constructor.node);
        let candidate = match guard(model, &constructor, used, context, in_loop) {
            Some(guard) => base().clear(guard),
            None => judge(model, &constructor, used, context, in_loop, base()),
        };
        sink.push(candidate);
    }
    for Taken { constructor, used, maker } in elsewhere::taken(model) {
        let context = model.context(constructor.node);
        let in_loop = work_loop(model, constructor.node);
        let span = model.tree.span(constructor.node);
        let hot = context == Context::Handler || in_loop.is_some();
        let candidate = sink
            .candidate(span, model.symbol(constructor.node), context)
            .variant("client-per-call")
            .value("client", "new HTTP")
            .value("cold", !hot)
            .value("in_loop", in_loop.is_some())
            .value("untimed", false);
        let candidate = match maker {
            Maker::Elsewhere(name) => candidate.need(Need {
                question: Question::MakesClient(name),
                span: Some(span),
                if_unknown: None,
                if_no: IfNo::Clear,
            }),
            Maker::Here(function, library) => candidate.evidence(
                Step::at("client-made-by", function.name_span)
                    .with(
                        "name",
                        model.owner_name(function).map_or_else(String::new, |o| format!("{o}::{}", function.name)),
                    )
                    .with("client", library.name()),
            ),
        };
        sink.push(match guard(model, &constructor, used, context, in_loop) {
            Some(guard) => candidate.clear(guard),
            None => weighed(model, &constructor, used, context, places(model, used, in_loop, candidate)),
        });
    }
}

/// True where this analysis reports a client above `possible`: its timeout is
/// then part of that one finding.
pub fn reports(model: &Model<'_>, constructor: &Constructor<'_>, used: Use, context: Context) -> bool {
    let in_loop = work_loop(model, constructor.node);
    let timer = model.timer_loop(constructor.node);
    let unknown_period = context == Context::Scheduled && timer.and_then(|t| period_seconds(model, t)).is_none();
    // What holds it may bound its requests itself.
    !matches!(used, Use::Held(_))
        && is_per_call(model, constructor)
        && guard(model, constructor, used, context, in_loop).is_none()
        && varies(model, constructor).is_none()
        && !unknown_period
        && !asks_the_same(model, constructor, used, context)
        && !falls_back(model, constructor.node)
        && (context == Context::Handler || in_loop.is_some() || !is_job(model))
}

/// The loop around a client that goes through its work without a pause.
fn work_loop(model: &Model<'_>, node: NodeId) -> Option<NodeId> {
    model.loop_of(node).filter(|_| model.timer_loop(node).is_none())
}

/// Beside the service, a crate's further programs do a job now and then.
fn is_job(model: &Model<'_>) -> bool {
    model.source.path.contains("src/bin/")
}

/// Made only where something else has failed.
fn falls_back(model: &Model<'_>, node: NodeId) -> bool {
    let fails = |pattern: &Pattern| pattern.path.last().is_some_and(|leaf| leaf == "Err");
    let mut around = model.tree.ancestors(node).take_while(|&id| !matches!(model.tree.kind(id), Kind::Function(_)));
    around.any(|id| match model.tree.kind(id) {
        Kind::Arm { pattern } => fails(pattern),
        Kind::If { cond, then, .. } => match model.tree.kind(*cond) {
            Kind::LetCondition { pattern, .. } => fails(pattern) && model.tree.is_within(node, *then),
            Kind::Method { name, .. } => name == "is_err" && model.tree.is_within(node, *then),
            _ => false,
        },
        _ => false,
    })
}

/// A read that takes nothing from its caller, or a refresh, outside of
/// handlers: a list, key or token that is asked for now and then.
fn asks_the_same(model: &Model<'_>, constructor: &Constructor<'_>, used: Use, context: Context) -> bool {
    if context != Context::Library || model.loop_of(constructor.node).is_some() {
        return false;
    }
    let Some(body) = model.function_of(constructor.node).and_then(|function| function.body) else { return false };
    let reads = match constructor.form {
        Form::OneShot => {
            model.callee(constructor.node).and_then(|p| p.last().cloned()).is_some_and(|verb| verb == "get")
        }
        _ => model.tree.below(body).all(|id| match model.tree.kind(id) {
            Kind::Method { name, .. } => !matches!(name.as_str(), "post" | "put" | "delete" | "patch" | "request"),
            _ => true,
        }),
    };
    let statement_of = |node: NodeId| {
        let mut around = model.tree.ancestors(node);
        around.find(|&id| matches!(model.tree.kind(id), Kind::Let { .. } | Kind::Statement { .. })).unwrap_or(body)
    };
    let own_name = model.bound_by(constructor.node).and_then(|(_, pattern)| pattern.name());
    let statements = match (used, own_name) {
        (Use::Local(binding), Some(name)) => model.uses_of(binding, name).into_iter().map(statement_of).collect(),
        _ => vec![statement_of(constructor.node)],
    };
    // Anything bound in the function may come from its caller.
    let given =
        statements.iter().flat_map(|&statement| model.tree.below(statement)).any(|id| match model.tree.kind(id) {
            Kind::Path(path) if path.len() == 1 => {
                path[0] == "self" || Some(path[0].as_str()) != own_name && model.local(id, &path[0]).is_some()
            }
            Kind::Macro { names, .. } => names.iter().any(|name| model.local(id, name).is_some()),
            _ => false,
        });
    // What is refreshed is kept until it expires.
    let refreshes = model.function_of(constructor.node).is_some_and(|f| f.name.starts_with("refresh"));
    refreshes || reads && !given
}

fn is_per_call(model: &Model<'_>, constructor: &Constructor<'_>) -> bool {
    match model.body_of(constructor.node) {
        // Connections that are dialled for each call are another rule's.
        _ if constructor.library == Library::Tonic => false,
        Body::Async => true,
        Body::Sync | Body::Offloaded => constructor.library.blocks(),
        Body::Once | Body::Closure | Body::Outside => false,
    }
}

fn guard(
    model: &Model<'_>,
    constructor: &Constructor<'_>,
    used: Use,
    context: Context,
    in_loop: Option<NodeId>,
) -> Option<Step> {
    let span = model.tree.span(constructor.node);
    if model.facts.is_wasm {
        return Some(Step::at("client-wasm", span));
    }
    if used == Use::Escapes {
        return Some(Step::at("client-escapes", span));
    }
    if let Some(at) = closes_by_design(model, constructor.node) {
        return Some(Step::at("close-by-design", at));
    }
    match context {
        Context::Cli | Context::Build => return Some(Step::at("client-in-command-line", span)),
        // A loop in `start` or `run` is the life of the process.
        Context::Startup if in_loop.is_none() => return Some(Step::at("client-at-startup", span)),
        _ => {}
    }
    if polls_start(model, constructor.node) {
        return Some(Step::at("client-polls-start", span));
    }
    let period = model.timer_loop(constructor.node).and_then(|timer| period_seconds(model, timer));
    period
        .filter(|&seconds| seconds > IDLE_SECONDS)
        .map(|seconds| Step::at("client-rare", span).with("seconds", seconds))
}

/// `.header(CONNECTION, "close")` beside the client: its connections are meant
/// to end with it.
fn closes_by_design(model: &Model<'_>, node: NodeId) -> Option<Span> {
    let bounds = |id: NodeId| matches!(model.tree.kind(id), Kind::If { .. } | Kind::Function(_) | Kind::Closure { .. });
    let around = model.tree.ancestors(node).into_iter().find(|&id| bounds(id))?;
    model.tree.below(around).find_map(|id| match model.tree.kind(id) {
        Kind::Method { name, args, .. } if matches!(name.as_str(), "header" | "insert_header" | "append_header") => {
            let given = |text: &str| {
                let holds =
                    |&arg: &NodeId| model.source.slice(model.tree.span(arg)).to_ascii_lowercase().contains(text);
                args.iter().any(holds)
            };
            (given("connection") && given("\"close\"")).then(|| model.tree.span(id))
        }
        _ => None,
    })
}

fn judge(
    model: &Model<'_>,
    constructor: &Constructor<'_>,
    used: Use,
    context: Context,
    in_loop: Option<NodeId>,
    base: Builder,
) -> Builder {
    let span = model.tree.span(constructor.node);
    let hot = context == Context::Handler || in_loop.is_some();
    let untimed = !matches!(used, Use::Held(_)) && is_untimed(model, constructor);
    let variant = if untimed { "client-per-call-untimed" } else { "client-per-call" };
    let mut candidate = base.variant(variant).value("cold", !hot).value("untimed", untimed);
    candidate = places(model, used, in_loop, candidate);
    if untimed {
        candidate = candidate.evidence(Step::at("client-untimed", span));
    }
    candidate = weighed(model, constructor, used, context, candidate);
    if candidate.confidence() == Confidence::Certain
        && let Some(draft) = patch(model, constructor, used, untimed)
    {
        candidate = candidate.patch(draft).need(Need {
            question: Question::RustAtLeast { minor: 80 },
            span: None,
            if_unknown: Some(Confidence::Certain),
            if_no: IfNo::DropPatch,
        });
        if untimed {
            candidate = candidate.need(Need {
                question: Question::DependencyAtLeast { package: "reqwest".to_owned(), version: (0, 12) },
                span: None,
                if_unknown: Some(Confidence::Certain),
                if_no: IfNo::DropPatch,
            });
        }
    }
    candidate
}

/// What holds the client until it is dropped, and the loop that makes it.
fn places(model: &Model<'_>, used: Use, in_loop: Option<NodeId>, mut candidate: Builder) -> Builder {
    if let Use::Local(binding) | Use::Held(binding) = used {
        candidate = candidate.evidence(Step::at("client-dropped", model.tree.span(binding)));
    }
    if let Some(around) = in_loop {
        let head = model.tree.span(around);
        candidate =
            candidate.value("in_loop", true).evidence(Step::at("made-in-loop", Span::new(head.start, head.start + 1)));
    }
    candidate
}

/// What is assumed of how often a client is made.
fn weighed(
    model: &Model<'_>,
    constructor: &Constructor<'_>,
    used: Use,
    context: Context,
    mut candidate: Builder,
) -> Builder {
    let span = model.tree.span(constructor.node);
    let in_loop = work_loop(model, constructor.node);
    let hot = context == Context::Handler || in_loop.is_some();
    if context != Context::Handler {
        candidate = candidate.need(Need {
            question: Question::InService,
            span: None,
            if_unknown: Some(Confidence::Possible),
            if_no: IfNo::Clear,
        });
    }
    // A method may be called on anything; a function is called by its name.
    if context == Context::Library
        && let Some(need) = not_only_at_start(model, constructor.node)
    {
        candidate = candidate.need(need);
    }
    if let Some(setting) = varies(model, constructor) {
        return candidate.doubt(Step::at("settings-vary", span).with("setting", setting));
    }
    if context == Context::Scheduled {
        let known = model.timer_loop(constructor.node).and_then(|timer| period_seconds(model, timer));
        let step = Step::at("period-below-idle", span);
        candidate = if known.is_some() { candidate.assume(step) } else { candidate.doubt(step) };
    } else if asks_the_same(model, constructor, used, context) {
        candidate = candidate.doubt(Step::at("same-question-often", span));
    } else if falls_back(model, constructor.node) {
        candidate = candidate.doubt(Step::at("falls-back-often", span));
    } else if !hot && is_job(model) {
        candidate = candidate.doubt(Step::at("job-often", span));
    } else if !hot {
        candidate = candidate.assume(Step::at("called-repeatedly", span));
    }
    candidate
}

/// The first setting that makes a client another one for each call; none where
/// all that is made before it comes of the program's own settings.
fn varies<'m>(model: &Model<'_>, constructor: &Constructor<'m>) -> Option<&'m str> {
    model.varying_setting(constructor, PER_TENANT).filter(|_| !is_of_program(model, constructor))
}

/// True where nothing that is made before a client in its function waits for
/// anything or uses what the caller hands over, but for the program's own
/// settings: `cfg.token`.
fn is_of_program(model: &Model<'_>, constructor: &Constructor<'_>) -> bool {
    const SETTINGS: &[&str] = &["config", "cfg", "settings"];
    let Some(function) = model.function_of(constructor.node) else { return false };
    let Some(body) = function.body else { return false };
    // In a loop, a branch or a closure, names are bound on the way.
    let binds = |id: NodeId| {
        matches!(
            model.tree.kind(id),
            Kind::Loop
                | Kind::While { .. }
                | Kind::For { .. }
                | Kind::Arm { .. }
                | Kind::If { .. }
                | Kind::Closure { .. }
                | Kind::Async
        )
    };
    if model.tree.ancestors(constructor.node).take_while(|&id| id != body).any(binds) {
        return false;
    }
    let before = model.tree.children(body).take_while(|&statement| !model.tree.is_within(constructor.node, statement));
    let of_caller = |id: NodeId| match model.tree.kind(id) {
        Kind::Path(path) if path.len() == 1 => {
            let given = path[0] == "self" || function.params.iter().any(|param| param.pattern.binds(&path[0]));
            given && !SETTINGS.contains(&path[0].as_str())
        }
        Kind::Await(_) => true,
        Kind::Macro { names, .. } => names.iter().any(|name| {
            function.params.iter().any(|param| param.pattern.binds(name)) && !SETTINGS.contains(&name.as_str())
        }),
        _ => false,
    };
    before.chain([constructor.node]).flat_map(|made| model.tree.below(made)).all(|id| !of_caller(id))
}

/// No timeout on the client, and none in the function that it does not leave.
fn is_untimed(model: &Model<'_>, constructor: &Constructor<'_>) -> bool {
    let own = constructor.settings.iter().any(|(_, name)| bounds_answers(name));
    let default = is_timed_by_default(constructor);
    // A request that is made on it at once brings its own bound, or none.
    let around = match model.use_of(constructor) {
        Use::Chain => model.chain_end(constructor.node),
        _ => model.function_of(constructor.node).map_or(NodeId::ROOT, |function| function.node),
    };
    let bounded = || timeout_within(model, around).is_some();
    let unbounded = || !unbounded_requests(model, constructor).is_empty();
    // `hyper-timeout` bounds what goes over its connector.
    let connector = model.mentions("TimeoutConnector");
    !own && !default && !connector && (!bounded() || unbounded())
}

/// A loop that asks until something answers, and then leaves: it polls a
/// process that is starting.
fn polls_start(model: &Model<'_>, node: NodeId) -> bool {
    let Some(timer) = model.timer_loop(node) else { return false };
    let words = ["health", "ready", "alive", "ping", "status"];
    let text = model.source.slice(model.tree.span(timer)).to_ascii_lowercase();
    let leaves = model.tree.below(timer).any(|id| matches!(model.tree.kind(id), Kind::Break | Kind::Return));
    leaves && words.iter().any(|word| text.contains(word))
}

/// The period of a timer loop where it is written as seconds, minutes or
/// milliseconds in the loop or in the function around it.
fn period_seconds(model: &Model<'_>, timer: NodeId) -> Option<f64> {
    let function = model.function_of(timer)?.node;
    let periods = model.tree.below(function).filter_map(|id| {
        let Kind::Call { callee, args } = model.tree.kind(id) else { return None };
        let Kind::Path(path) = model.tree.kind(*callee) else { return None };
        let Kind::Literal(Lit::Number(number)) = model.tree.kind(*args.first()?) else { return None };
        match path.last()?.as_str() {
            "from_secs" => Some(*number),
            "from_mins" => Some(number * 60.0),
            "from_hours" => Some(number * 3600.0),
            "from_millis" => Some(number / 1000.0),
            _ => None,
        }
    });
    periods.fold(None, |least: Option<f64>, period| Some(least.map_or(period, |l| l.min(period))))
}

/// One static for the module, made by the very same expression.
fn patch(model: &Model<'_>, constructor: &Constructor<'_>, used: Use, untimed: bool) -> Option<Draft> {
    if constructor.library != Library::Reqwest
        || !model.is_fixed(constructor)
        || model.makes_runtimes()
        || model.tree.node(constructor.node).quoted
    {
        return None;
    }
    let tail = if untimed {
        ".connect_timeout(std::time::Duration::from_secs(10)).read_timeout(std::time::Duration::from_secs(30))"
    } else {
        ""
    };
    let streams = super::client_timeout::streams(model);
    let init = match constructor.form {
        Form::Made => return None,
        Form::New | Form::OneShot if !untimed => "reqwest::Client::new".to_owned(),
        _ if untimed && streams => return None,
        Form::New | Form::OneShot => {
            format!("|| reqwest::Client::builder(){tail}.build().expect(\"the HTTP client's settings are valid\")")
        }
        Form::Builder => {
            // The chain without `.build()`, as it is written.
            let last = constructor.settings.last().map_or(constructor.head, |(node, _)| *node);
            let chain = model.source.slice(model.tree.span(last));
            if chain.contains('\n') && chain.contains("//") {
                return None;
            }
            let chain: String = chain.split('\n').map(str::trim).collect();
            format!("|| {chain}{tail}.build().expect(\"the HTTP client's settings are valid\")")
        }
    };
    let shared = model.shared_static(constructor.node, "HTTP_CLIENT", "reqwest::Client", &init)?;
    let name = &shared.name;
    let outer = model.unwrapped(constructor.node);
    let (span, text) = match (constructor.form, used) {
        (Form::OneShot, _) => {
            let span = model.tree.span(constructor.node);
            let Kind::Call { args, .. } = model.tree.kind(constructor.node) else { return None };
            let argument = model.source.slice(model.tree.node(*args.first()?).outer);
            if args.len() != 1 || !model.is_awaited(constructor.node) {
                return None;
            }
            (span, format!("{name}.get({argument}).send()"))
        }
        (_, Use::Chain) => (model.tree.node(outer).outer, name.clone()),
        (_, Use::Lent) => (model.tree.node(outer).outer, name.clone()),
        // A clone shares the pool, and is what the local's type was.
        (_, Use::Local(_)) => (model.tree.node(outer).outer, format!("{name}.clone()")),
        (_, Use::Held(_) | Use::Escapes) => return None,
    };
    let mut edits: Vec<(Span, String)> = shared.edit.into_iter().collect();
    edits.push((span, text));
    edits.sort();
    let key = if untimed { "share-client-with-timeout" } else { "share-client" };
    Some(Draft { key: key.into(), edits, imports: Vec::new() })
}
