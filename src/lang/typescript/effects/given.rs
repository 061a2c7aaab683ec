//! What functions hand out: clients, and instances of classes that ask through
//! one. Another file knows it by the function's name and [`GIVEN`].

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, CallExpression, ClassElement, Expression, NewExpression};
use oxc_syntax::node::NodeId;

use super::{Chain, Effects};
use crate::lang::typescript::clients::Client;
use crate::lang::typescript::path::{Binding, Path, Root, is_project_module};
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare, names};
use crate::observe::NameRef;

/// The member of an exported class that stands for the class which it extends;
/// no member has such a name.
pub const SUPER: &str = "<super>";

/// What a name of another file ends with that stands for what the function of
/// this name gives.
pub const GIVEN: &str = "()";

/// The name of what a call of another file's function gives; `None` for a
/// package's.
pub fn named_given<'a>(model: &Model<'a>, call: &'a CallExpression<'a>) -> Option<NameRef> {
    let mut name = model.name_ref(&model.callee(call)).filter(|name| is_project_module(&name.module))?;
    name.members.last_mut().unwrap_or(&mut name.name).push_str(GIVEN);
    Some(name)
}

impl<'a> Effects<'_, 'a> {
    /// The client that a function of this file hands out:
    /// `this.session().get(…)`, where all that `session` gives is such a client.
    pub(super) fn handed_out(&self, chain: &Chain<'a>, at: NodeId) -> Option<(Client, usize)> {
        if chain.links.is_empty() {
            return None;
        }
        let client = self.gives(self.local_function(&chain.base, at)?)?;
        Some((client, chain.base.members.len()))
    }

    /// The client that a function of this file gives whenever it is called.
    pub fn gives(&self, function: NodeId) -> Option<Client> {
        /// As deep as a client that is written where it is used.
        const DEPTH: u32 = 4;
        let mut given = self.given(function)?.into_iter();
        let client = self.clients.of_expression(given.next()?, DEPTH)?;
        given.all(|other| self.clients.of_expression(other, DEPTH) == Some(client)).then_some(client)
    }

    /// The instance that a function makes and gives whenever it is called:
    /// `return new Engine(…)`, itself or through a constant.
    pub fn makes_instance(&self, function: NodeId) -> Option<&'a NewExpression<'a>> {
        let made = |given: &'a Expression<'a>| match bare(given) {
            Expression::NewExpression(new) => Some(&**new),
            Expression::Identifier(id) => match self.model.binding(self.model.symbol_of(id)?) {
                Binding::Constant(init) => match bare(init) {
                    Expression::NewExpression(new) => Some(&**new),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let mut given = self.given(function)?.into_iter();
        let first = made(given.next()?)?;
        let same = |other: &NewExpression<'_>| self.model.text(&other.callee) == self.model.text(&first.callee);
        given.all(|other| made(other).is_some_and(same)).then_some(first)
    }

    /// The function whose value a process keeps: the last argument of
    /// `singleton('engine', createEngine)` and `remember('db', () => …)`.
    pub fn kept_once(&self, call: &'a CallExpression<'a>) -> Option<NodeId> {
        if !names::keeps_once(self.model.callee(call).leaf()) {
            return None;
        }
        match bare(call.arguments.last()?.as_expression()?) {
            function @ (Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)) => {
                Some(self.model.node(function))
            }
            Expression::Identifier(id) => match self.model.binding(self.model.symbol_of(id)?) {
                Binding::Function(function) => Some(function),
                Binding::Constant(init) => self.function_of(init),
                _ => None,
            },
            _ => None,
        }
    }

    /// All that a function gives; `None` where it may give nothing, or a promise.
    fn given(&self, function: NodeId) -> Option<Vec<&'a Expression<'a>>> {
        if self.model.is_async(function) {
            return None;
        }
        let shown = match self.model.kind(function) {
            AstKind::ArrowFunctionExpression(arrow) => arrow.get_expression(),
            _ => None,
        };
        if let Some(shown) = shown {
            return Some(vec![shown]);
        }
        let given = self.model.own_code(function).into_iter().filter_map(|id| match self.model.kind(id) {
            AstKind::ReturnStatement(given) => Some(given.argument.as_ref()),
            _ => None,
        });
        given.collect()
    }

    /// A request on what a function of another file gives, which that file may
    /// know for a client: `const crm = createClient(url); crm.get('/a')`, or the
    /// same in a field.
    pub(super) fn given_elsewhere(&self, path: &Path<'a, 'a>, at: NodeId) -> Option<NameRef> {
        let (init, verb) = match (path.root, path.members.as_slice()) {
            (Root::Symbol(symbol, _), [verb]) => match self.model.binding(symbol) {
                Binding::Constant(init) => (init, verb),
                _ => return None,
            },
            (Root::This, [field, verb]) => (self.field(self.model.class_of(at)?, field)?, verb),
            _ => return None,
        };
        let Expression::CallExpression(made) = bare(init) else { return None };
        if !matches!(*verb, "get" | "head" | "request") {
            return None;
        }
        let mut name = named_given(self.model, made)?;
        name.members.push((*verb).to_owned());
        Some(name)
    }

    /// What a field of a class is given, where that is written once.
    fn field(&self, class: NodeId, field: &str) -> Option<&'a Expression<'a>> {
        let AstKind::Class(own) = self.model.kind(class) else { return None };
        let declared = own.body.body.iter().filter_map(|element| match element {
            ClassElement::PropertyDefinition(property) if key_name(&property.key).as_deref() == Some(field) => {
                property.value.as_ref()
            }
            _ => None,
        });
        let assigned = self.model.index.field_assignments.iter().filter_map(|&id| match self.model.kind(id) {
            AstKind::AssignmentExpression(assignment) if self.model.is_within(id, class) => match &assignment.left {
                AssignmentTarget::StaticMemberExpression(m) if m.property.name == field => Some(&assignment.right),
                _ => None,
            },
            _ => None,
        });
        let mut all = declared.chain(assigned);
        let only = all.next()?;
        all.next().is_none().then_some(only)
    }
}
