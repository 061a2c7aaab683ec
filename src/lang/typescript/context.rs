//! Where code runs: handler, scheduled, startup, cli, test, build or library.
//!
//! A closure runs where its function runs, so the first function on the way
//! out that is shown to be a handler, a scheduled job or startup decides.

mod jobs;
mod routes;
mod written;

use oxc_ast::AstKind;
use oxc_ast::ast::{Expression, MethodDefinitionKind, TSSignature, TSType};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;

use super::facts::names_service;
use super::functions::is_function;
use super::path::type_names;
use super::{Model, bare};
use crate::observe::Context;
use crate::source::{Language, PathClass};

/// Decorators of methods that run once for each request or message
/// (NestJS, TypeGraphQL, routing-controllers, tsoa).
const HANDLER_DECORATORS: &[&str] = &[
    "Get",
    "Post",
    "Put",
    "Patch",
    "Delete",
    "All",
    "Head",
    "Options",
    "Query",
    "Mutation",
    "Subscription",
    "ResolveField",
    "FieldResolver",
    "MessagePattern",
    "SubscribeMessage",
    "GrpcMethod",
    "GrpcStreamMethod",
    "RestController",
    "Sse",
    "HttpCode",
];

/// Decorators of methods that run on a timer.
const SCHEDULE_DECORATORS: &[&str] = &["Cron", "Interval", "Timeout"];

/// Types of parameters that only request handlers have.
const REQUEST_TYPES: &[&str] = &[
    "Request",
    "NextRequest",
    "NextApiRequest",
    "NextApiResponse",
    "FastifyRequest",
    "FastifyReply",
    "IncomingMessage",
    "ServerResponse",
    "MedusaRequest",
    "MedusaResponse",
    "AuthenticatedMedusaRequest",
    "PayloadRequest",
    "LoaderFunctionArgs",
    "ActionFunctionArgs",
    "LoaderArgs",
    "ActionArgs",
    "APIGatewayProxyEvent",
    "APIGatewayProxyEventV2",
    "SQSEvent",
    "HttpRequest",
    "HandlerEvent",
    "NextFunction",
    "GetServerSidePropsContext",
    "VercelRequest",
    "ParameterizedContext",
    "RequestHandler",
    "RouteHandlerMethod",
];

/// Names of functions that run once, when the process starts or stops.
const STARTUP_NAMES: &[&str] = &[
    "main",
    "bootstrap",
    "init",
    "initialize",
    "setup",
    "start",
    "startserver",
    "listen",
    "onmoduleinit",
    "onmoduledestroy",
    "onapplicationbootstrap",
    "onapplicationshutdown",
    "beforeapplicationshutdown",
    "shutdown",
    "stop",
    "dispose",
    "ondispose",
    "close",
    "destroy",
    "teardown",
    "boot",
    "activate",
    "deactivate",
    "onstart",
    "onstop",
    "preload",
    "loader$",
    "migrate",
    "seed",
    "up",
    "down",
    "gracefulshutdown",
    "createapp",
    "buildapp",
    "createserver",
    "oninit",
    "onapplicationstart",
    "initdb",
    "connectdb",
    "register",
];

impl<'a> Model<'a> {
    /// Where the code at a node runs.
    pub fn context_of(&self, node: NodeId) -> Context {
        match self.source.class {
            PathClass::Test => return Context::Test,
            PathClass::Build => return Context::Build,
            PathClass::Script => return Context::Cli,
            PathClass::Product => {}
        }
        if self.facts().is_test() {
            return Context::Test;
        }
        let mut inside = false;
        for id in std::iter::once(node).chain(self.nodes().ancestor_ids(node)).filter(|&id| is_function(self.kind(id)))
        {
            inside = true;
            if self.is_job(id) {
                return Context::Scheduled;
            }
            if self.is_handler(id) {
                return Context::Handler;
            }
            if self.is_scheduled(id) {
                return Context::Scheduled;
            }
            if self.is_startup(id) {
                return if self.facts().is_cli() { Context::Cli } else { Context::Startup };
            }
        }
        if self.facts().is_cli() {
            return Context::Cli;
        }
        let file = self.source.path.rsplit('/').next().and_then(|name| name.split('.').next());
        if matches!(file, Some("bootstrap" | "startup")) {
            return Context::Startup;
        }
        if inside && self.facts().is_of_events() {
            return Context::Scheduled;
        }
        // A field's initializer runs with the constructor, not with the module.
        if !inside && self.class_of(node).is_none() { Context::Startup } else { Context::Library }
    }

    /// The class or file name around a node that suggests a request path.
    pub fn service_name(&self, node: NodeId) -> Option<&str> {
        let class = self.nodes().ancestor_ids(node).find_map(|id| match self.kind(id) {
            AstKind::Class(class) => class.id.as_ref().map(|id| id.name.as_str()),
            _ => None,
        });
        class.filter(|name| names_service(name)).or_else(|| self.facts().service_file())
    }

    fn is_handler(&self, function: NodeId) -> bool {
        self.decorators(function).iter().any(|name| HANDLER_DECORATORS.contains(name))
            || self.is_route_callback(function)
            || self.is_route_object(function)
            || self.is_route_export(function)
            || self.has_request_parameters(function)
            || self.is_server_component(function)
            || self.is_guard_of_requests(function)
            || self.is_written_as_handler(function)
    }

    /// `canActivate` of `class KeyGuard implements CanActivate` and its like:
    /// NestJS calls these for each request.
    fn is_guard_of_requests(&self, function: NodeId) -> bool {
        const HOOKS: &[(&str, &str)] = &[
            ("CanActivate", "canActivate"),
            ("NestInterceptor", "intercept"),
            ("NestMiddleware", "use"),
            ("PipeTransform", "transform"),
        ];
        let Some(AstKind::Class(class)) = self.class_of(function).map(|class| self.kind(class)) else { return false };
        let Some(name) = self.name_of(function) else { return false };
        let implements = |wanted: &str| class.implements.iter().any(|of| self.text(of).starts_with(wanted));
        HOOKS.iter().any(|(interface, hook)| name == *hook && implements(interface))
    }

    /// An async function component: only servers render these, once for each
    /// request (React, "Server Components").
    fn is_server_component(&self, function: NodeId) -> bool {
        let named = || self.name_of(function).is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
        let gives_markup = || {
            self.own_code(function).into_iter().any(|id| match self.kind(id) {
                AstKind::ReturnStatement(given) => given
                    .argument
                    .as_ref()
                    .is_some_and(|v| matches!(bare(v), Expression::JSXElement(_) | Expression::JSXFragment(_))),
                _ => false,
            })
        };
        let in_file = self.source.language == Language::Tsx && !self.facts().is_client();
        in_file && self.is_async(function) && named() && gives_markup()
    }

    /// `{ async user(_, { id }, ctx) { … } }` in a file of resolvers: GraphQL
    /// servers call them with the parent object, the arguments and the context.
    fn is_resolver(&self, function: NodeId) -> bool {
        const PARENTS: &[&str] = &["", "parent", "root", "obj", "source"];
        let path = &self.source.path;
        let of_resolvers = ["resolvers/", "resolver.", "resolvers."].iter().any(|piece| path.contains(piece));
        let parameters = || self.parameters(function).filter(|given| given.items.len() >= 2);
        of_resolvers
            && parameters().and_then(|given| given.items.first()).is_some_and(|first| match &first.pattern {
                oxc_ast::ast::BindingPattern::BindingIdentifier(id) => {
                    PARENTS.contains(&id.name.as_str().trim_matches('_'))
                }
                _ => false,
            })
    }

    /// Exports that frameworks call by name: Next's and Medusa's route files,
    /// Remix loaders and actions, lambda handlers, server actions.
    fn is_route_export(&self, function: NodeId) -> bool {
        let Some(name) = self.name_of(function) else {
            return self.is_api_page() && self.is_exported(function);
        };
        let name = name.as_ref();
        let file = self.source.path.rsplit('/').next().unwrap_or("");
        match name {
            "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => self.is_exported(function),
            "loader" | "action" => self.source.path.contains("routes/") && self.is_exported(function),
            "getServerSideProps" => self.is_exported(function),
            // Command lines call their commands so as well.
            "handler" => self.is_exported(function) && !self.facts().is_cli(),
            "middleware" => file.starts_with("middleware.") && self.is_exported(function),
            _ => (self.facts().has_server_actions() || self.is_api_page()) && self.is_exported(function),
        }
    }

    fn is_api_page(&self) -> bool {
        self.source.path.contains("pages/api/")
    }

    /// True where a function is exported by its declaration.
    pub fn is_exported(&self, function: NodeId) -> bool {
        let mut ids = self.nodes().ancestor_ids(function).take(4);
        ids.any(|id| match self.kind(id) {
            AstKind::ExportNamedDeclaration(_)
            | AstKind::ExportDeclaration(_)
            | AstKind::ExportDefaultDeclaration(_) => true,
            AstKind::AssignmentExpression(assignment) => {
                let target = self.source.slice(super::span(&assignment.left));
                target.starts_with("module.exports") || target.starts_with("exports.")
            }
            _ => false,
        })
    }

    fn has_request_parameters(&self, function: NodeId) -> bool {
        let Some(parameters) = self.parameters(function) else { return false };
        let mut names = Vec::new();
        for parameter in parameters.items.iter().take(4) {
            let types = parameter.type_annotation.as_ref().map(|a| type_names(&a.type_annotation)).unwrap_or_default();
            if types.iter().any(|name| REQUEST_TYPES.contains(name)) && !self.is_client_request(&types) {
                return true;
            }
            let annotation = parameter.type_annotation.as_ref();
            if !parameter.optional && annotation.is_some_and(|a| self.brings_request(&a.type_annotation)) {
                return true;
            }
            if let oxc_ast::ast::BindingPattern::BindingIdentifier(id) = &parameter.pattern {
                names.push(id.name.as_str());
            }
        }
        match names.as_slice() {
            [first, second, ..] => {
                let (first, second) = (first.trim_start_matches('_'), second.trim_start_matches('_'));
                matches!((first, second), ("req" | "request", "res" | "response" | "reply" | "h") | ("ctx", "next"))
            }
            _ => false,
        }
    }

    /// `{ data, req }: Args` beside `type Args = { data: T; req: PayloadRequest }`,
    /// and `file: PayloadRequest['file']`. Names that clients' libraries have
    /// for what they send and get are left out.
    fn brings_request(&self, ty: &'a TSType<'a>) -> bool {
        const OF_CLIENTS_TOO: &[&str] = &["Request", "IncomingMessage", "HttpRequest", "RequestHandler"];
        // What a request carries, and no more than a part of it, such as who asks.
        const CARRIED: &[&str] = &["file", "files", "body"];
        // Its head: what a type is applied to is not handed over itself.
        let is_request = |ty: &TSType<'a>| {
            let head = type_names(ty).first().copied().filter(|_| matches!(ty, TSType::TSTypeReference(_)));
            head.is_some_and(|name| REQUEST_TYPES.contains(&name) && !OF_CLIENTS_TOO.contains(&name))
        };
        if let TSType::TSIndexedAccessType(of) = ty {
            let part = self.source.slice(super::span(&of.index_type)).trim_matches(['\'', '"']);
            return CARRIED.contains(&part) && is_request(&of.object_type);
        }
        self.shape_of(ty).is_some_and(|members| {
            members.iter().any(|member| match member {
                // One that may be left out is for callers without a request, too.
                TSSignature::TSPropertySignature(property) if !property.optional => {
                    let own = property.type_annotation.as_ref().map(|a| &a.type_annotation);
                    own.is_some_and(is_request)
                }
                _ => false,
            })
        })
    }

    /// `Request` alone is also what browser code hands to `fetch`.
    fn is_client_request(&self, types: &[&str]) -> bool {
        types == ["Request"] && self.facts().is_browser()
    }

    fn is_scheduled(&self, function: NodeId) -> bool {
        if self.decorators(function).iter().any(|name| SCHEDULE_DECORATORS.contains(name)) {
            return true;
        }
        match self.nodes().parent_kind(function) {
            AstKind::CallExpression(call) => {
                let callee = self.callee(call);
                match callee.leaf() {
                    "setInterval" => true,
                    "schedule" | "scheduleJob" => {
                        matches!(callee.receiver_name(), "cron" | "schedule" | "nodeCron" | "scheduler" | "Cron")
                    }
                    // `withLeaderLock(name, async () => …)`: once for all instances.
                    leaf => {
                        let has =
                            |wanted: &str| super::names::pieces(leaf).any(|word| word.eq_ignore_ascii_case(wanted));
                        has("leader") && (has("lock") || has("election"))
                    }
                }
            }
            AstKind::NewExpression(new) => matches!(self.path_of(&new.callee).leaf(), "CronJob" | "Cron"),
            _ => false,
        }
    }

    fn is_startup(&self, function: NodeId) -> bool {
        if let AstKind::MethodDefinition(method) = self.nodes().parent_kind(function)
            && method.kind == MethodDefinitionKind::Constructor
        {
            return false;
        }
        self.is_immediate(function)
            || self.sets_up(function)
            || self.name_of(function).is_some_and(|name| {
                STARTUP_NAMES.contains(&name.trim_start_matches(['_', '#']).to_ascii_lowercase().as_str())
            })
    }

    /// A plugin or a function that is handed the application: it adds routes to
    /// it, once, when the process starts.
    fn sets_up(&self, function: NodeId) -> bool {
        const APPLICATIONS: &[&str] =
            &["FastifyInstance", "Express", "Application", "INestApplication", "NestExpressApplication", "Koa", "Hono"];
        let typed = match self.nodes().parent_kind(function) {
            AstKind::VariableDeclarator(declarator) => declarator.type_annotation.as_ref(),
            _ => None,
        };
        let is_plugin = typed.is_some_and(|annotation| {
            type_names(&annotation.type_annotation).iter().any(|name| name.starts_with("FastifyPlugin"))
        });
        let first = self.parameters(function).and_then(|given| given.items.first());
        let first = first.and_then(|given| given.type_annotation.as_ref());
        let takes_application = first.is_some_and(|annotation| {
            type_names(&annotation.type_annotation).iter().any(|name| APPLICATIONS.contains(name))
        });
        is_plugin || takes_application
    }

    /// `(async () => { … })()` at module level.
    fn is_immediate(&self, function: NodeId) -> bool {
        let AstKind::CallExpression(call) = self.nodes().parent_kind(function) else { return false };
        bare(&call.callee).span() == self.kind(function).span() && self.function_of(function).is_none()
    }
}

#[cfg(test)]
mod tests {
    use oxc_allocator::Allocator;

    use super::*;
    use crate::source::{Language, SourceFile};

    /// The context and the symbol of the first `await` in a file.
    fn at_await(path: &str, text: &str) -> (Context, String, Option<String>) {
        let language = Language::of_path(path).expect("a scanned language");
        let source = SourceFile::new(path, language, PathClass::of_path(path), text.to_owned());
        let allocator = Allocator::default();
        let model = Model::parse(&allocator, &source).expect("it parses");
        let enclosing = model.enclosing(model.index.awaits[0]);
        (enclosing.context, enclosing.symbol, enclosing.request_path_by_name)
    }

    #[test]
    fn handlers_are_seen() {
        for (path, text) in [
            ("src/a.ts", "app.get('/x', async (a, b) => { await f(); });"),
            ("src/a.ts", "export async function h(req, res) { await f(); }"),
            ("src/a.ts", "class C { @Get(':id') async one() { await f(); } }"),
            ("src/api/store/route.ts", "export const GET = async (r: MedusaRequest) => { await f(); }"),
            ("app/routes/x.tsx", "export async function loader() { await f(); }"),
            ("src/a.ts", "export const r = publicProcedure.input(z).query(async () => { await f(); })"),
            ("src/a.ts", "const p = publicProcedure.use(async ({ next }) => { await f(); return next(); })"),
            ("src/a.ts", "export default { Query: { async user() { return [1].map(async () => await f()); } } }"),
            ("src/resolvers/user.ts", "export const user = { async one(_: unknown, { id }: A) { await f(); } }"),
            ("src/a.js", "exports.key = async (ctx, next) => { await f(); };"),
            (
                "src/a.ts",
                "import type { Middleware } from 'koa'; export const k: Middleware = async (c) => { await f(); };",
            ),
            (
                "src/a.ts",
                "import type { RequestHandler } from 'express'; const load = (async (x) => { await f(); }) satisfies RequestHandler;",
            ),
            (
                "src/a.ts",
                "import express from 'express'; class C { one: express.RequestHandler<A> = async (x) => { await f(); } }",
            ),
            ("src/a.ts", "const e = { path: '/x', method: 'get', handler: async (x) => { await f(); } }"),
        ] {
            assert_eq!(at_await(path, text).0, Context::Handler, "{text}");
        }
    }

    #[test]
    fn other_contexts_are_seen() {
        assert_eq!(at_await("src/a.ts", "setInterval(async () => { await f() }, 5)").0, Context::Scheduled);
        assert_eq!(at_await("src/a.ts", "withLeaderLock('a', async () => { await f() })").0, Context::Scheduled);
        for (path, text) in [
            ("src/a.ts", "import { Job } from 'bullmq'; export async function run(job: Job<A>) { await f(); }"),
            ("src/a.ts", "import { Worker } from 'bullmq'; new Worker('m', async (job) => { await f(); })"),
            ("src/a.ts", "import { Worker } from 'bullmq'; async function g() { await f(); } new Worker('m', g);"),
            ("src/a.ts", "mailQueue.process(async () => { await f(); })"),
            (
                "src/a.ts",
                "import { WorkerHost } from '@nestjs/bullmq'; class P extends WorkerHost { async process() { await f(); } }",
            ),
            ("src/a.ts", "class C { @OnEvent('paid') async paid() { await f(); } }"),
            ("src/subscribers/order.js", "class O { async onPaid() { await f(); } }"),
            ("src/orders/order.listener.ts", "class O { async onPaid() { await f(); } }"),
        ] {
            assert_eq!(at_await(path, text).0, Context::Scheduled, "{text}");
        }
        let own = "type RequestHandler = (a: A) => void; const k: RequestHandler = async (c) => { await f(); };";
        assert_eq!(at_await("src/a.ts", own).0, Context::Library);
        let store = "import { Middleware } from 'redux'; const k: Middleware = async (c) => { await f(); };";
        assert_eq!(at_await("src/a.ts", store).0, Context::Library);
        assert_eq!(at_await("src/a.ts", "async function main() { await f() } main()").0, Context::Startup);
        assert_eq!(at_await("src/a.ts", "await f()").0, Context::Startup);
        let plugin = "const routes: FastifyPluginAsync = async (app) => { await f(); app.get('/', g) }";
        assert_eq!(at_await("src/a.ts", plugin).0, Context::Startup);
        assert_eq!(at_await("src/a.ts", "export async function add(app: Express) { await f() }").0, Context::Startup);
        assert_eq!(at_await("src/bootstrap.ts", "export default async () => { await f() }").0, Context::Startup);
        assert_eq!(at_await("src/cli/a.ts", "export async function g() { await f() }").0, Context::Cli);
        assert_eq!(at_await("src/cli/a.ts", "export async function handler() { await f() }").0, Context::Cli);
        assert_eq!(at_await("src/a.test.ts", "async function g() { await f() }").0, Context::Test);
        let service = at_await("src/x.ts", "class UserService { async one() { await f() } }");
        assert_eq!(service, (Context::Library, "UserService.one".into(), Some("UserService".into())));
    }
}
