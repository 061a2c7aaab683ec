//! Requests of Node's own `http` and `https`.

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, Expression};
use oxc_syntax::node::NodeId;

use super::{Site, runtime};
use crate::analyze::sink::Builder;
use crate::analyze::typescript::http::{self, Kind};
use crate::analyze::typescript::options::{self, Options};
use crate::lang::typescript::path::{Binding, argument};
use crate::lang::typescript::values::{Property, key_name};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Known, Step, Value};

/// `http.request`: its `timeout` only raises an event, so something must
/// listen for it and end the request.
pub fn request<'a>(
    model: &Model<'a>,
    site: Site<'_, 'a>,
    given: &Options<'a, 'a>,
    builder: Builder,
) -> Option<Builder> {
    let Site { node, call, enclosing, .. } = site;
    let returned = matches!(
        model.nodes().parent_kind(node),
        AstKind::ReturnStatement(_) | AstKind::ArrowFunctionExpression(_) | AstKind::ObjectProperty(_)
    );
    if returned {
        return None;
    }
    let around = model.source.slice(http::outermost(model, node)).to_ascii_lowercase();
    let ends = ["settimeout(", "destroy(", ".abort(", "signal"];
    if ends.iter().any(|mark| around.contains(mark)) || ends_on_timeout(model, node) {
        return Some(builder.clear(Step::at("raced", http::outermost(model, node))));
    }
    let builder = builder.evidence(Step::at("client", span(&call.callee)).with("client", "http"));
    let builder = match given.property("timeout") {
        Property::Found(timeout) => {
            builder.variant("unhandled-timeout").evidence(Step::at("handler-missing", span(timeout)))
        }
        _ if around.contains("timeout") => return None,
        // An agent may carry a timeout of its own; that of another file of the
        // project is taken for one of Node's.
        _ if given.first(&["agent"]).is_some_and(|agent| !is_plain_agent(model, agent)) => {
            let agent = given.first(&["agent"]).filter(|agent| is_of_project(model, agent))?;
            builder.evidence(Step::at("no-timeout", span(call))).assume(Step::at("agent-silent", span(agent)))
        }
        _ => builder.evidence(Step::at("no-timeout", span(call))),
    };
    Some(runtime(model, Kind::NodeHttp, enclosing, builder))
}

/// Something listens for the event `timeout` in the function around, and does
/// more than to report it.
fn ends_on_timeout(model: &Model<'_>, node: NodeId) -> bool {
    const ENDS: &[&str] = &["destroy", "abort", "reject", "end(", "error", "cancel", "close", "fail", "done", "cb("];
    let around = http::outermost(model, node);
    model.index.calls.iter().any(|&id| {
        let AstKind::CallExpression(call) = model.kind(id) else { return false };
        let listens = matches!(model.callee(call).leaf(), "on" | "once" | "addListener") && around.contains(span(call));
        let event = listens.then(|| argument(&call.arguments, 0)).flatten().map(|event| model.value(event));
        if !matches!(event, Some(Known::Here(Value::Text(ref event), _)) if event == "timeout") {
            return false;
        }
        match argument(&call.arguments, 1).map(bare) {
            Some(handler @ (Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))) => {
                let text = model.text(handler).to_ascii_lowercase();
                ENDS.iter().any(|word| text.contains(word))
            }
            _ => true,
        }
    })
}

/// True for an agent that another file of the project makes.
fn is_of_project<'a>(model: &Model<'a>, agent: &Expression<'a>) -> bool {
    let made = matches!(bare(agent), Expression::Identifier(_) | Expression::StaticMemberExpression(_));
    made && model
        .imported(&model.path_of(agent))
        .is_some_and(|of| of.module.starts_with(['.', '~', '#']) || of.module.starts_with("@/"))
}

/// A field to which all that the file assigns are agents without a timeout.
fn is_plain_field(model: &Model<'_>, field: &str) -> bool {
    let mut made = model.nodes().iter().filter_map(|node| match node.kind() {
        AstKind::AssignmentExpression(set) => match &set.left {
            AssignmentTarget::StaticMemberExpression(member)
                if member.property.name == field && matches!(bare(&member.object), Expression::ThisExpression(_)) =>
            {
                Some(&set.right)
            }
            _ => None,
        },
        AstKind::PropertyDefinition(own) if key_name(&own.key).as_deref() == Some(field) => own.value.as_ref(),
        _ => None,
    });
    let plain = |value: &Expression<'_>| match bare(value) {
        Expression::NewExpression(new) => options::options(model, &new.arguments, 0).property("timeout").is_missing(),
        _ => false,
    };
    let first = made.next();
    first.is_some_and(plain) && made.all(plain)
}

/// An agent of this file that is given no timeout.
fn is_plain_agent<'a>(model: &Model<'a>, agent: &'a Expression<'a>) -> bool {
    // `this.agent`, which the class makes itself.
    if let Expression::StaticMemberExpression(member) = bare(agent)
        && matches!(bare(&member.object), Expression::ThisExpression(_))
    {
        return is_plain_field(model, &member.property.name);
    }
    let made = match bare(agent) {
        Expression::Identifier(id) => match model.symbol_of(id).map(|symbol| model.binding(symbol)) {
            Some(Binding::Constant(init)) => bare(init),
            _ => return false,
        },
        other => other,
    };
    let Expression::NewExpression(new) = made else { return false };
    options::options(model, &new.arguments, 0).property("timeout").is_missing()
}
