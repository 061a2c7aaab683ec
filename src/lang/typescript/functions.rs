//! Function boundaries: which function encloses a place, what it is called,
//! whether it is async, and where it runs.

use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentTarget, BindingPattern, Decorator, Expression, FormalParameters, FunctionBody, Statement,
};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::path::Binding;
use super::values::key_name;
use super::{Model, bare, span};
use crate::observe::Context;
use crate::source::Span;

/// What encloses a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosing {
    /// The nearest function or arrow; `None` at module level and in class
    /// initializers.
    pub function: Option<NodeId>,
    /// Names from the outermost to the innermost named thing
    /// (`CacheService.compress`), empty at module level.
    pub symbol: String,
    /// Where it runs.
    pub context: Context,
    /// The class or file name that suggests a request path, where the context
    /// is `library` and only the name says so.
    pub request_path_by_name: Option<String>,
    /// The nearest function is `async`.
    pub is_async: bool,
}

impl<'a> Model<'a> {
    /// What encloses a node.
    pub fn enclosing(&self, node: NodeId) -> Enclosing {
        let function = self.function_of(node);
        let context = self.context_of(node);
        let request_path_by_name =
            if context == Context::Library { self.service_name(node).map(str::to_owned) } else { None };
        let is_async = function.is_some_and(|function| self.is_async(function));
        Enclosing { function, symbol: self.symbol_at(node), context, request_path_by_name, is_async }
    }

    /// The nearest function or arrow around a node, the node itself excluded.
    pub fn function_of(&self, node: NodeId) -> Option<NodeId> {
        let mut ids = self.nodes().ancestor_ids(node);
        ids.find(|&id| is_function(self.kind(id)))
    }

    /// True where a function node is `async`.
    pub fn is_async(&self, function: NodeId) -> bool {
        match self.kind(function) {
            AstKind::Function(function) => function.r#async,
            AstKind::ArrowFunctionExpression(arrow) => arrow.r#async,
            _ => false,
        }
    }

    /// The parameters of a function node.
    pub fn parameters(&self, function: NodeId) -> Option<&'a FormalParameters<'a>> {
        match self.kind(function) {
            AstKind::Function(function) => Some(&function.params),
            AstKind::ArrowFunctionExpression(arrow) => Some(&arrow.params),
            _ => None,
        }
    }

    /// The function that a name is a parameter of; `None` for other names.
    pub fn function_of_parameter(&self, symbol: SymbolId) -> Option<NodeId> {
        if !matches!(self.binding(symbol), Binding::Parameter) {
            return None;
        }
        let declared = self.scoping().symbol_declaration(symbol);
        let mut around = std::iter::once(declared).chain(self.nodes().ancestor_ids(declared));
        around.find(|&id| is_function(self.kind(id)))
    }

    /// The body of a function node; `None` for declarations and for arrows
    /// that are one expression.
    pub fn body(&self, function: NodeId) -> Option<&'a FunctionBody<'a>> {
        match self.kind(function) {
            AstKind::Function(function) => function.body.as_deref(),
            AstKind::ArrowFunctionExpression(arrow) => match &arrow.body {
                oxc_ast::ast::ArrowFunctionBody::FunctionBody(body) => Some(body),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a function returns, where that is its only statement.
    pub fn only_returned(&self, function: NodeId) -> Option<&'a Expression<'a>> {
        match self.kind(function) {
            AstKind::ArrowFunctionExpression(arrow) if arrow.get_expression().is_some() => arrow.get_expression(),
            _ => match self.body(function)?.statements.as_slice() {
                [Statement::ReturnStatement(given)] => given.argument.as_ref(),
                _ => None,
            },
        }
    }

    /// The name of a function or class: its own, or that of the variable,
    /// member or property that it is the value of.
    pub fn name_of(&self, node: NodeId) -> Option<std::borrow::Cow<'a, str>> {
        let own = match self.kind(node) {
            AstKind::Function(function) => function.id.as_ref(),
            AstKind::Class(class) => class.id.as_ref(),
            _ => None,
        };
        if let Some(own) = own {
            return Some(own.name.as_str().into());
        }
        match self.nodes().parent_kind(node) {
            AstKind::VariableDeclarator(declarator) => match &declarator.id {
                BindingPattern::BindingIdentifier(id) => Some(id.name.as_str().into()),
                _ => None,
            },
            AstKind::MethodDefinition(method) => key_name(&method.key),
            AstKind::PropertyDefinition(property) => key_name(&property.key),
            AstKind::ObjectProperty(property) => key_name(&property.key),
            AstKind::AssignmentExpression(assignment) => match &assignment.left {
                AssignmentTarget::StaticMemberExpression(member) => Some(member.property.name.as_str().into()),
                AssignmentTarget::AssignmentTargetIdentifier(id) => Some(id.name.as_str().into()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The span of a function's declared name, else its start.
    pub fn name_span(&self, function: NodeId) -> Span {
        match self.kind(function) {
            AstKind::Function(f) if f.id.is_some() => f.id.as_ref().map_or(Span::default(), |id| span(&id.span)),
            kind => Span::at(span(&kind).start),
        }
    }

    /// The nearest function around a node that other files can call by a name.
    pub fn named_function(&self, node: NodeId) -> Option<NodeId> {
        let mut around = self.nodes().ancestor_ids(node).filter(|&id| is_function(self.kind(id)));
        around.find(|&id| self.name_of(id).is_some())
    }

    /// The name that a function is declared under, or the constant that holds
    /// it.
    pub fn symbol_of_function(&self, function: NodeId) -> Option<SymbolId> {
        match (self.kind(function), self.nodes().parent_kind(function)) {
            (AstKind::Function(f), _) if f.id.is_some() => f.id.as_ref()?.symbol_id.get(),
            (_, AstKind::VariableDeclarator(declarator)) => declarator.id.get_binding_identifier()?.symbol_id.get(),
            _ => None,
        }
    }

    /// The names of what encloses a node, joined by dots.
    pub fn symbol_at(&self, node: NodeId) -> String {
        let mut names: Vec<_> = std::iter::once(node)
            .chain(self.nodes().ancestor_ids(node))
            .filter(|&id| is_function(self.kind(id)) || matches!(self.kind(id), AstKind::Class(_)))
            .filter_map(|id| self.name_of(id))
            .collect();
        names.reverse();
        names.join(".")
    }

    /// The nearest class around a node.
    pub fn class_of(&self, node: NodeId) -> Option<NodeId> {
        self.nodes().ancestor_ids(node).find(|&id| matches!(self.kind(id), AstKind::Class(_)))
    }

    /// True where the node lies in a constructor's own code or in the
    /// initializer of a field, with no other function between.
    pub fn is_in_constructor(&self, node: NodeId) -> bool {
        match self.function_of(node) {
            Some(function) => match self.nodes().parent_kind(function) {
                AstKind::MethodDefinition(method) => method.kind.is_constructor(),
                _ => false,
            },
            None => self.class_of(node).is_some(),
        }
    }

    /// The decorators of the method, property or class that a function or
    /// class node is the body of, by name.
    pub fn decorators(&self, node: NodeId) -> Vec<&'a str> {
        let list: &'a [Decorator<'a>] = match (self.kind(node), self.nodes().parent_kind(node)) {
            (AstKind::Class(class), _) => &class.decorators,
            (_, AstKind::MethodDefinition(method)) => &method.decorators,
            (_, AstKind::PropertyDefinition(property)) => &property.decorators,
            _ => &[],
        };
        list.iter().map(|decorator| self.decorator_name(&decorator.expression)).collect()
    }

    fn decorator_name(&self, expression: &'a Expression<'a>) -> &'a str {
        match bare(expression) {
            Expression::CallExpression(call) => self.callee(call).leaf(),
            other => self.path_of(other).leaf(),
        }
    }
}

/// True for functions, methods' bodies and arrows.
pub const fn is_function(kind: AstKind<'_>) -> bool {
    matches!(kind, AstKind::Function(_) | AstKind::ArrowFunctionExpression(_))
}
