//! Requests on the client that NestJS hands in: `HttpService` is an axios
//! instance whose timeout its module sets, or nobody.

use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression, ObjectExpression, ObjectPropertyKind};
use oxc_syntax::node::NodeId;

use super::circumstance::content_guard;
use super::{Site, bounding, none_sets, runtime};
use crate::analyze::Sink;
use crate::analyze::typescript::http::{self, Kind};
use crate::analyze::typescript::options::{self, Options};
use crate::lang::typescript::clients::{self, Clients};
use crate::lang::typescript::path::{Binding, Root, argument};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Context, Setting, Step};
use crate::source::Span;

/// The module that exports the client.
const MODULE: &str = "@nestjs/axios";

/// Where the module of the client is told its timeout, or may be (by a class, or
/// by options of another file), and where it is taken as it comes.
pub fn settings(model: &Model<'_>) -> Vec<(Setting, Span)> {
    if !model.facts().imports(MODULE) {
        return Vec::new();
    }
    let calls = model.index.calls.iter().filter_map(|&node| match model.kind(node) {
        AstKind::CallExpression(call) => Some(call),
        _ => None,
    });
    let registers = calls.filter(|call| {
        let path = model.callee(call);
        match path.members.as_slice() {
            ["register" | "registerAsync"] => model.imported(&path).is_some_and(|i| i.name == "HttpModule"),
            _ => false,
        }
    });
    let tells = |call: &CallExpression<'_>| {
        let unseen = |given| match model.object(given) {
            Some(object) => model.text(object).contains("timeout") || made_elsewhere(model, object),
            None => true,
        };
        model.text(call).contains("timeout") || argument(&call.arguments, 0).is_some_and(unseen)
    };
    let setting = |call: &CallExpression<'_>| if tells(call) { Setting::NestTimeout } else { Setting::NestPlain };
    let mut sets: Vec<(Setting, Span)> = registers.map(|call| (setting(call), span(call))).collect();
    sets.extend(taken_plain(model).map(|at| (Setting::NestPlain, at)));
    sets
}

/// True for options of `registerAsync` that something else makes: a class, or a
/// factory that gives anything but an object that it writes out.
fn made_elsewhere<'a>(model: &Model<'a>, options: &'a ObjectExpression<'a>) -> bool {
    let has = |name: &str| !model.property(options, name).is_missing();
    let factory = model.property(options, "useFactory").found();
    let written = |made: &'a Expression<'a>| match bare(made) {
        function @ (Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)) => {
            let plain = |kind: &ObjectPropertyKind<'_>| matches!(kind, ObjectPropertyKind::ObjectProperty(_));
            match model.only_returned(model.node(function)).map(bare) {
                Some(Expression::ObjectExpression(given)) => given.properties.iter().all(plain),
                _ => false,
            }
        }
        _ => false,
    };
    has("useClass") || has("useExisting") || factory.is_some_and(|made| !written(made))
}

/// `imports: [HttpModule]`: the client as it comes, without a timeout.
fn taken_plain<'m>(model: &'m Model<'_>) -> impl Iterator<Item = Span> + 'm {
    model.index.arrays.iter().flat_map(|&array| model.children(array)).filter_map(|element| match model.kind(element) {
        AstKind::IdentifierReference(id) => {
            let symbol = model.symbol_of(id)?;
            match model.binding(symbol) {
                Binding::Import(imported) if imported.module == MODULE && imported.name == "HttpModule" => {
                    Some(span(id))
                }
                _ => None,
            }
        }
        _ => None,
    })
}

/// One finding for the file, at its first request without a bound.
pub fn report<'m, 'a>(model: &'m Model<'a>, sink: &mut Sink<'_>) {
    if !model.facts().imports(MODULE) || model.source.text.contains("axiosRef.defaults.timeout") {
        return;
    }
    let clients = Clients::new(model);
    let requests: Vec<(NodeId, &'a CallExpression<'a>, usize)> =
        model.index.calls.iter().filter_map(|&node| request(model, &clients, node)).collect();
    let places: Vec<Span> = requests.iter().map(|&(_, call, _)| span(call)).collect();
    let Some(&(node, call, index)) = requests.first() else { return };
    let enclosing = model.enclosing(node);
    let site = Site { node, call, kind: Kind::AxiosCall, index, enclosing: &enclosing, handed: false };
    let builder = sink
        .candidate(span(call), enclosing.symbol.clone(), enclosing.context)
        .request_path_by_name(enclosing.request_path_by_name.clone())
        .value("client", "HttpService")
        .value("one_call", true)
        .evidence(Step::at("client", span(&call.callee)).with("client", "HttpService"))
        .evidence(Step::at("no-timeout", span(call)))
        .also_at(&places);
    let builder = builder.assume(Step::new("module-silent")).need(none_sets(Setting::NestTimeout));
    let builder = runtime(model, site.kind, &enclosing, builder);
    sink.push(builder);
}

/// A request on an injected client that nothing bounds.
fn request<'m, 'a>(
    model: &'m Model<'a>,
    clients: &Clients<'m, 'a>,
    node: NodeId,
) -> Option<(NodeId, &'a CallExpression<'a>, usize)> {
    let AstKind::CallExpression(call) = model.kind(node) else { return None };
    let path = model.callee(call);
    let method = path.leaf();
    let index = http::axios_options(method)?;
    if !matches!(path.root, Root::This) || path.members.len() < 2 {
        return None;
    }
    let (client, used) = clients.of_path(&path, node)?;
    let rest = path.members.get(used..)?;
    let direct = matches!(rest, [_] | ["axiosRef", _]);
    if client.kind != clients::Kind::Axios || client.by_name || !direct {
        return None;
    }
    let enclosing = model.enclosing(node);
    if matches!(enclosing.context, Context::Test | Context::Build | Context::Cli) {
        return None;
    }
    let given = options::options(model, &call.arguments, index);
    let silent = match &given {
        Options::Absent => true,
        Options::Opaque(_) => false,
        _ => given.lack(bounding(Kind::AxiosCall)),
    };
    let site = Site { node, call, kind: Kind::AxiosCall, index, enclosing: &enclosing, handed: false };
    // `.pipe(timeout(5_000))` and races stand in the statement around.
    let around = model.nodes().ancestor_kinds(node).find(|kind| kind.is_statement() || kind.is_declaration());
    let bounded = around.is_some_and(|kind| model.text(&kind).to_ascii_lowercase().contains("timeout"));
    (silent && !bounded && content_guard(model, site, &given).is_none()).then_some((node, call, index))
}
