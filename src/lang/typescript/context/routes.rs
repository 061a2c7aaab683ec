//! Functions that are handed to what accepts requests and messages: routers,
//! servers, sockets, procedures.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, CallExpression, Expression, ObjectPropertyKind};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;

use crate::lang::typescript::path::{Path, Root};
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare};

/// Methods that register a route where the first argument is a path.
const ROUTE_METHODS: &[&str] = &[
    "get", "post", "put", "patch", "delete", "del", "head", "options", "all", "use", "route", "on", "openapi",
    "register",
];

/// Receivers that are web servers or routers by their names.
const ROUTERS: &[&str] =
    &["app", "router", "server", "fastify", "api", "route", "routes", "koa", "hono", "express", "instance"];

/// Receivers that hand on messages of connections.
const SOCKETS: &[&str] =
    &["socket", "ws", "wss", "io", "connection", "consumer", "channel", "subscriber", "nsp", "client"];

impl<'a> Model<'a> {
    /// `app.get("/x", f)`, `http.createServer(f)`, `socket.on("x", f)`,
    /// `procedure.query(f)`.
    pub(super) fn is_route_callback(&self, function: NodeId) -> bool {
        let (callee, arguments) = match self.nodes().parent_kind(function) {
            AstKind::CallExpression(call) => {
                // `app.get("/x", caught(f))`: what wraps a handler calls it.
                let around = call.node_id.get();
                if matches!(self.nodes().parent_kind(around), AstKind::CallExpression(outer) if outer.callee.span() != call.span)
                    && self.hands_one_on(call)
                    && self.is_route_callback(around)
                {
                    return true;
                }
                (self.callee(call), &call.arguments)
            }
            _ => return false,
        };
        let leaf = callee.leaf();
        let receiver = callee.receiver_name();
        let first = arguments.first().and_then(Argument::as_expression).map(bare);
        let first_text = match first {
            Some(Expression::StringLiteral(literal)) => Some(literal.value.as_str()),
            Some(Expression::TemplateLiteral(template)) => template.quasis.first().map(|q| q.value.raw.as_str()),
            _ => None,
        };
        let text = || self.text(&callee_span(self.nodes().parent_kind(function)));
        let (of_procedure, calls_input) = (|| text().contains("rocedure"), || text().contains(".input("));
        match leaf {
            "createServer" => receiver.starts_with("http") || callee.members.is_empty(),
            "query" | "mutation" | "subscription" => {
                of_procedure() || calls_input() && self.facts().imports_any(|module| module.contains("trpc"))
            }
            "use" if of_procedure() => true,
            "on" | "onMessage" if SOCKETS.contains(&receiver) => true,
            _ if ROUTE_METHODS.contains(&leaf) => {
                let routes = first_text.is_some_and(|text| text.starts_with('/') || text == "*" || text.is_empty());
                let router = ROUTERS.contains(&receiver)
                    || receiver.ends_with("Router")
                    || receiver.ends_with("App")
                    || receiver.ends_with("Server")
                    || self.is_chained_on_router(&callee);
                // `app.use(f)` and `router.use(f)` are middleware.
                routes && (router || arguments.len() > 1 && !receiver.is_empty()) || router && leaf == "use"
            }
            _ => false,
        }
    }

    /// True for a call by a plain name, which hands on the one function that it
    /// is given: `caught(f)`, and not `validator("json", f)` or `list.map(f)`.
    fn hands_one_on(&self, call: &CallExpression<'a>) -> bool {
        matches!(bare(&call.callee), Expression::Identifier(_)) && call.arguments.len() == 1
    }

    /// `new Hono().get("/x", f).post("/y", g)`.
    fn is_chained_on_router(&self, callee: &Path<'a, 'a>) -> bool {
        const CLASSES: &[&str] = &["Hono", "OpenAPIHono", "Elysia", "Router", "KoaRouter", "Express"];
        let mut path = callee.clone();
        while let Root::Call(inner) = path.root {
            path = self.callee(inner);
        }
        match path.root {
            Root::New(new) => CLASSES.contains(&self.path_of(&new.callee).leaf()),
            _ => false,
        }
    }

    /// `{ method: "GET", path: "/x", handler: f }`, `{ Query: { user: f } }`,
    /// `task({ id, run: f })`, `consumer.run({ eachMessage: f })`.
    pub(super) fn is_route_object(&self, function: NodeId) -> bool {
        let nodes = self.nodes();
        let property_id = nodes.parent_id(function);
        let AstKind::ObjectProperty(property) = nodes.kind(property_id) else { return false };
        let Some(key) = key_name(&property.key) else { return false };
        let object_id = nodes.parent_id(property_id);
        let AstKind::ObjectExpression(object) = nodes.kind(object_id) else { return false };
        let has = |name: &str| {
            object.properties.iter().any(|kind| match kind {
                ObjectPropertyKind::ObjectProperty(p) => key_name(&p.key).is_some_and(|k| k == name),
                ObjectPropertyKind::SpreadProperty(_) => false,
            })
        };
        match key.as_ref() {
            "handler" => has("method") && (has("path") || has("url")),
            "eachMessage" | "eachBatch" => true,
            "run" => match nodes.parent_kind(object_id) {
                AstKind::CallExpression(call) => {
                    let callee = self.callee(call);
                    self.imported(&callee).is_some_and(|i| i.module.starts_with("@trigger.dev/sdk"))
                }
                _ => false,
            },
            _ => match nodes.parent_kind(object_id) {
                AstKind::ObjectProperty(outer) => {
                    matches!(key_name(&outer.key).as_deref(), Some("Query" | "Mutation" | "Subscription"))
                }
                _ => self.is_resolver(function),
            },
        }
    }
}

fn callee_span(kind: AstKind<'_>) -> oxc_span::Span {
    match kind {
        AstKind::CallExpression(call) => call.callee.span(),
        other => other.span(),
    }
}
