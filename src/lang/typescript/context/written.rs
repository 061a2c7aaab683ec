//! Functions whose written type says that a server's framework runs them.

use oxc_ast::AstKind;
use oxc_ast::ast::{TSType, TSTypeName};
use oxc_syntax::node::NodeId;

use crate::lang::typescript::Model;

/// Types that frameworks for servers export for the functions that they run for
/// each request, whatever package brings one under such a name.
const HANDLERS: &[&str] = &[
    "RequestHandler",
    "ErrorRequestHandler",
    "RequestParamHandler",
    "MiddlewareHandler",
    "RouteHandlerMethod",
    "NextApiHandler",
    "GetServerSideProps",
    "APIGatewayProxyHandler",
    "APIGatewayProxyHandlerV2",
    "HttpFunction",
    "onRequestHookHandler",
    "onRequestAsyncHookHandler",
    "preHandlerHookHandler",
    "preHandlerAsyncHookHandler",
    "preValidationHookHandler",
    "preValidationAsyncHookHandler",
];

/// Types whose names others use too, with the packages that make them handlers.
const SHARED: &[(&str, &[&str])] = &[
    ("Middleware", &["koa", "koa-compose", "@koa/router"]),
    ("Handler", &["express", "hono", "aws-lambda", "@netlify/functions"]),
    ("NextMiddleware", &["next/server"]),
    ("LoaderFunction", &["@remix-run/node", "@remix-run/server-runtime"]),
    ("ActionFunction", &["@remix-run/node", "@remix-run/server-runtime"]),
];

impl<'a> Model<'a> {
    /// `const key: RequestHandler = async (…) => …`, a property of such a type,
    /// and `(…) satisfies RequestHandler`.
    pub(super) fn is_written_as_handler(&self, function: NodeId) -> bool {
        let Some(ty) = self.written_type(function) else { return false };
        // `express.RequestHandler`.
        if let TSType::TSTypeReference(reference) = ty
            && let TSTypeName::QualifiedName(name) = &reference.type_name
        {
            return HANDLERS.contains(&name.right.name.as_str());
        }
        self.imported_type(ty).is_some_and(|of| {
            let shared = SHARED.iter().filter(|(shared, _)| *shared == of.name);
            HANDLERS.contains(&of.name) || shared.flat_map(|(_, from)| *from).any(|module| *module == of.module)
        })
    }

    fn written_type(&self, function: NodeId) -> Option<&'a TSType<'a>> {
        let mut around = self.nodes().ancestor_kinds(function);
        let mut parent = around.next()?;
        while matches!(parent, AstKind::ParenthesizedExpression(_)) {
            parent = around.next()?;
        }
        match parent {
            AstKind::VariableDeclarator(declarator) => declarator.type_annotation.as_ref().map(|a| &a.type_annotation),
            AstKind::PropertyDefinition(property) => property.type_annotation.as_ref().map(|a| &a.type_annotation),
            AstKind::TSSatisfiesExpression(of) => Some(&of.type_annotation),
            AstKind::TSAsExpression(of) => Some(&of.type_annotation),
            _ => None,
        }
    }
}
