//! Functions that hand their caller's options on to `fetch`: whether a bound is
//! among them is for the calls to say.

use oxc_ast::AstKind;
use oxc_ast::ast::{
    BindingPattern, CallExpression, Expression, MethodDefinition, ObjectPropertyKind, PropertyKey, Statement,
    TSAccessibility,
};
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use super::{Kind, Site, bounding};
use crate::analyze::typescript::options::{self, Options};
use crate::analyze::typescript::uncleared_timer::local_function;
use crate::lang::typescript::functions::is_function;
use crate::lang::typescript::path::{Binding, argument};
use crate::lang::typescript::values::key_name;
use crate::lang::typescript::{Model, bare};
use crate::source::Span;

/// A function around a request whose options are its parameter.
pub struct Wrapper<'a> {
    /// The function's name, and where it is declared.
    pub function: (String, Span),
    /// Where the parameter stands in a call.
    pub index: usize,
    /// Calls in this file that bring no bound.
    pub unbounded: Vec<&'a CallExpression<'a>>,
    /// Some call brings one, or what cannot be read.
    pub mixed: bool,
    /// Other files may call it.
    pub escapes: bool,
}

/// The wrapper around a request; `None` where its options are not a parameter.
pub fn of<'a>(model: &Model<'a>, site: Site<'_, 'a>) -> Option<Wrapper<'a>> {
    if !matches!(site.kind, Kind::Fetch | Kind::NodeFetch) {
        return None;
    }
    let symbol = handed(model, argument(&site.call.arguments, site.index)?)?;
    let symbol = rest_of(model, symbol).unwrap_or(symbol);
    let (function, index) = owner(model, site.node, symbol)?;
    let mut wrapper = Wrapper {
        function: (model.name_of(function).unwrap_or_default().into_owned(), model.name_span(function)),
        index,
        unbounded: Vec::new(),
        mixed: false,
        escapes: escapes(model, function),
    };
    for &node in &model.index.calls {
        let AstKind::CallExpression(call) = model.kind(node) else { continue };
        if local_function(model, call) != Some(function) {
            continue;
        }
        let given = options::options(model, &call.arguments, index);
        if !matches!(given, Options::Opaque(_)) && given.lack(bounding(site.kind)) {
            wrapper.unbounded.push(call);
        } else {
            wrapper.mixed = true;
        }
    }
    Some(wrapper)
}

/// What a rest is left of, where no bound is taken out before:
/// `const { body, ...rest } = request`.
fn rest_of(model: &Model<'_>, symbol: SymbolId) -> Option<SymbolId> {
    let Binding::Part(Expression::Identifier(whole)) = model.binding(symbol) else { return None };
    let AstKind::VariableDeclarator(declarator) = model.kind(model.scoping().symbol_declaration(symbol)) else {
        return None;
    };
    let BindingPattern::ObjectPattern(pattern) = &declarator.id else { return None };
    let BindingPattern::BindingIdentifier(rest) = &pattern.rest.as_ref()?.argument else { return None };
    let bounds = |key: &str| bounding(Kind::NodeFetch).contains(&key) || bounding(Kind::Fetch).contains(&key);
    let takes_bound = pattern.properties.iter().any(|part| key_name(&part.key).is_none_or(|key| bounds(&key)));
    (rest.symbol_id.get() == Some(symbol) && !takes_bound).then(|| model.symbol_of(whole)).flatten()
}

/// The variable that the options are, or are spread from: `init`,
/// `{ ...init, headers }`.
fn handed(model: &Model<'_>, given: &Expression<'_>) -> Option<SymbolId> {
    let variable = |expression: &Expression<'_>| match bare(expression) {
        Expression::Identifier(id) => model.symbol_of(id),
        _ => None,
    };
    let object = match bare(given) {
        Expression::ObjectExpression(object) => object,
        Expression::CallExpression(call) => return added_to(model, call),
        _ => return variable(given),
    };
    let mut found = None;
    for kind in &object.properties {
        match kind {
            ObjectPropertyKind::SpreadProperty(spread) => {
                // Two of them are more than this can tell apart.
                if found.is_some() {
                    return None;
                }
                found = Some(variable(&spread.argument)?);
            }
            ObjectPropertyKind::ObjectProperty(property) => {
                let key = key_name(&property.key)?;
                if bounding(Kind::NodeFetch).contains(&key.as_ref()) || bounding(Kind::Fetch).contains(&key.as_ref()) {
                    // `signal: init.signal` hands that one on.
                    let Expression::StaticMemberExpression(member) = bare(&property.value) else { return None };
                    let same = member.property.name == key.as_ref() && found.is_none();
                    found = Some(variable(&member.object).filter(|_| same)?);
                }
            }
        }
    }
    found
}

/// The variable that a function of this file adds to: `withHeaders(init)`,
/// which returns `{ ...init, headers }`.
fn added_to(model: &Model<'_>, call: &CallExpression<'_>) -> Option<SymbolId> {
    let function = local_function(model, call)?;
    let given = match model.kind(function) {
        AstKind::ArrowFunctionExpression(arrow) if arrow.get_expression().is_some() => arrow.get_expression()?,
        _ => match model.body(function)?.statements.as_slice() {
            [Statement::ReturnStatement(given)] => given.argument.as_ref()?,
            _ => return None,
        },
    };
    let Expression::ObjectExpression(_) = bare(given) else { return None };
    let inner = handed(model, given)?;
    let place = parameter(model, function, inner)?;
    match bare(argument(&call.arguments, place)?) {
        Expression::Identifier(id) => model.symbol_of(id),
        _ => None,
    }
}

/// Which parameter of a function a symbol is.
fn parameter(model: &Model<'_>, function: NodeId, symbol: SymbolId) -> Option<usize> {
    model.parameters(function)?.items.iter().position(
        |item| matches!(&item.pattern, BindingPattern::BindingIdentifier(id) if id.symbol_id.get() == Some(symbol)),
    )
}

/// The named function around `node` that `symbol` is a parameter of, and which.
fn owner(model: &Model<'_>, node: NodeId, symbol: SymbolId) -> Option<(NodeId, usize)> {
    if !matches!(model.binding(symbol), Binding::Parameter) || model.scoping().symbol_is_mutated(symbol) {
        return None;
    }
    let around = model.nodes().ancestor_ids(node).filter(|&id| is_function(model.kind(id)));
    around.into_iter().find_map(|function| Some((function, parameter(model, function, symbol)?)))
}

/// False for a function that only this file can call: not exported, and no
/// method but a private one.
fn escapes(model: &Model<'_>, function: NodeId) -> bool {
    match model.nodes().parent_kind(function) {
        AstKind::MethodDefinition(method) => !is_private(method),
        AstKind::PropertyDefinition(property) => {
            property.accessibility != Some(TSAccessibility::Private)
                && !matches!(property.key, PropertyKey::PrivateIdentifier(_))
        }
        _ => model.is_exported(function) || is_listed(model, function) || model.mentions("module.exports"),
    }
}

/// `export { callApi };`
fn is_listed(model: &Model<'_>, function: NodeId) -> bool {
    let Some(name) = model.name_of(function) else { return false };
    model.program.body.iter().any(|statement| match statement {
        Statement::ExportNamedDeclaration(named) => {
            named.specifiers.iter().any(|one| one.local.name() == name.as_ref())
        }
        Statement::ExportDefaultDeclaration(default) => model.text(&default.declaration) == name,
        _ => false,
    })
}

fn is_private(method: &MethodDefinition<'_>) -> bool {
    method.accessibility == Some(TSAccessibility::Private) || matches!(method.key, PropertyKey::PrivateIdentifier(_))
}
