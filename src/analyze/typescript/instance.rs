//! What becomes of a client object in its file: where it is kept, which calls
//! are made on it, and whether code elsewhere can reach it.

use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, Expression, PropertyKey, TSAccessibility};
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;
use oxc_syntax::symbol::SymbolId;

use crate::lang::typescript::path::Root;
use crate::lang::typescript::{Model, bare};

/// Where a new object is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In a variable.
    Variable(SymbolId),
    /// In a field of the class around it.
    Field(String),
    /// Returned by the function around it.
    Returned,
    /// Anywhere else.
    Elsewhere,
}

/// What a file does with an object.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Where it is kept.
    pub kept: Kept,
    /// Code that is not seen here can reach it.
    pub escapes: bool,
    /// Request interceptors are set on it here.
    pub intercepted: bool,
    /// Its defaults are changed here.
    pub defaults_changed: bool,
    /// Calls made on it.
    pub calls: Vec<NodeId>,
}

/// Where the value of an expression node is kept.
pub fn kept(model: &Model<'_>, node: NodeId) -> Kept {
    let nodes = model.nodes();
    let mut at = node;
    loop {
        let parent = nodes.parent_id(at);
        match nodes.kind(parent) {
            AstKind::TSAsExpression(_)
            | AstKind::TSSatisfiesExpression(_)
            | AstKind::TSNonNullExpression(_)
            | AstKind::LogicalExpression(_)
            | AstKind::ConditionalExpression(_)
            | AstKind::AwaitExpression(_) => at = parent,
            AstKind::VariableDeclarator(declarator) => {
                return match declarator.id.get_binding_identifier().and_then(|id| id.symbol_id.get()) {
                    Some(symbol) => Kept::Variable(symbol),
                    None => Kept::Elsewhere,
                };
            }
            AstKind::PropertyDefinition(property) => {
                return match key(&property.key) {
                    Some(name) => Kept::Field(name),
                    None => Kept::Elsewhere,
                };
            }
            AstKind::AssignmentExpression(assignment) => return target(model, &assignment.left),
            AstKind::ReturnStatement(_) | AstKind::ArrowFunctionExpression(_) => return Kept::Returned,
            _ => return Kept::Elsewhere,
        }
    }
}

/// The calls of the function that makes an object and gives it back, where
/// each takes one for itself: the function is this file's own, and no caller
/// keeps what it gets beyond its own call. Empty otherwise.
pub fn taken_by_calls(model: &Model<'_>, node: NodeId) -> Vec<NodeId> {
    let taken = || {
        let made = kept(model, node);
        let factory = model.function_of(node).filter(|_| made == Kept::Returned)?;
        let symbol = model.symbol_of_function(factory)?;
        if model.is_exported(factory) {
            return None;
        }
        let calls = model.scoping().get_resolved_references(symbol).map(|reference| {
            let parent = model.nodes().parent_id(reference.node_id());
            let caller = model.function_of(parent).filter(|&caller| caller != factory)?;
            let AstKind::CallExpression(call) = model.kind(parent) else { return None };
            let called = call.callee.span() == model.kind(reference.node_id()).span();
            let alone = match kept(model, parent) {
                Kept::Variable(symbol) => {
                    let declared = model.scoping().symbol_declaration(symbol);
                    model.is_within(declared, caller) && !follow(model, parent).escapes
                }
                Kept::Elsewhere => matches!(model.nodes().parent_kind(parent), AstKind::StaticMemberExpression(_)),
                Kept::Field(_) | Kept::Returned => false,
            };
            (called && alone).then_some(parent)
        });
        calls.collect::<Option<Vec<NodeId>>>()
    };
    taken().unwrap_or_default()
}

fn target<'a>(model: &Model<'a>, target: &AssignmentTarget<'a>) -> Kept {
    match target {
        AssignmentTarget::AssignmentTargetIdentifier(id) => model.symbol_of(id).map_or(Kept::Elsewhere, Kept::Variable),
        AssignmentTarget::StaticMemberExpression(member)
            if matches!(bare(&member.object), Expression::ThisExpression(_)) =>
        {
            Kept::Field(member.property.name.to_string())
        }
        AssignmentTarget::PrivateFieldExpression(member)
            if matches!(bare(&member.object), Expression::ThisExpression(_)) =>
        {
            Kept::Field(format!("#{}", member.field.name))
        }
        _ => Kept::Elsewhere,
    }
}

fn key(key: &PropertyKey<'_>) -> Option<String> {
    match key {
        PropertyKey::PrivateIdentifier(id) => Some(format!("#{}", id.name)),
        other => other.static_name().map(|name| name.into_owned()),
    }
}

/// Follows the object that `node` makes through its file.
pub fn follow(model: &Model<'_>, node: NodeId) -> Instance {
    let kept = kept(model, node);
    let mut instance = Instance {
        escapes: matches!(kept, Kept::Returned | Kept::Elsewhere),
        kept,
        intercepted: false,
        defaults_changed: false,
        calls: Vec::new(),
    };
    match instance.kept.clone() {
        Kept::Variable(symbol) => {
            let declaration = model.scoping().symbol_declaration(symbol);
            instance.escapes |= model.function_of(declaration).is_none() && model.is_exported(declaration);
            let uses: Vec<NodeId> =
                model.scoping().get_resolved_references(symbol).map(|reference| reference.node_id()).collect();
            uses.into_iter().for_each(|used| read_use(model, used, &mut instance));
        }
        Kept::Field(name) => {
            // Without a class it is a function's `this`, whose methods stand
            // anywhere in the file.
            let class = model.class_of(node);
            instance.escapes |= class.is_none_or(|class| !is_private(model, class, &name));
            let bare_name = name.trim_start_matches('#');
            for (id, kind) in model.nodes().iter_enumerated().map(|(id, node)| (id, node.kind())) {
                let object = match kind {
                    AstKind::StaticMemberExpression(m) if m.property.name == bare_name => &m.object,
                    AstKind::PrivateFieldExpression(m) if m.field.name == bare_name => &m.object,
                    _ => continue,
                };
                if matches!(bare(object), Expression::ThisExpression(_))
                    && class.is_none_or(|class| model.is_within(id, class))
                {
                    read_use(model, id, &mut instance);
                }
            }
        }
        Kept::Returned | Kept::Elsewhere => {}
    }
    instance
}

/// A field is private by `#`, by `private`, or as a `private` parameter
/// property of the constructor.
fn is_private(model: &Model<'_>, class: NodeId, name: &str) -> bool {
    use oxc_ast::ast::ClassElement;
    if name.starts_with('#') {
        return true;
    }
    let AstKind::Class(class) = model.kind(class) else { return false };
    class.body.body.iter().any(|element| match element {
        ClassElement::PropertyDefinition(property) => {
            property.accessibility == Some(TSAccessibility::Private)
                && property.key.static_name().is_some_and(|key| key == name)
        }
        _ => false,
    })
}

fn read_use(model: &Model<'_>, used: NodeId, instance: &mut Instance) {
    let nodes = model.nodes();
    let mut at = used;
    while matches!(nodes.parent_kind(at), AstKind::TSNonNullExpression(_) | AstKind::TSAsExpression(_)) {
        at = nodes.parent_id(at);
    }
    let used_span = nodes.kind(at).span();
    let parent = nodes.parent_id(at);
    match nodes.kind(parent) {
        AstKind::StaticMemberExpression(member) if member.object.span() == used_span => {
            match member.property.name.as_str() {
                "interceptors" => instance.intercepted = true,
                "defaults" => instance.defaults_changed = true,
                _ => match called_through(model, parent) {
                    Some(call) => instance.calls.push(call),
                    None => instance.escapes = true,
                },
            }
        }
        AstKind::CallExpression(call) if call.callee.span() == used_span => instance.calls.push(parent),
        // Its own assignment, and tests whether it is there yet.
        AstKind::AssignmentExpression(assignment) if assignment.left.span() == used_span => {}
        AstKind::IfStatement(_) | AstKind::UnaryExpression(_) | AstKind::BinaryExpression(_) => {}
        AstKind::ReturnStatement(_) if matches!(instance.kept, Kept::Field(_)) => instance.escapes = true,
        _ => instance.escapes = true,
    }
}

/// The call that a chain of members ends in: `client.users.find()`.
fn called_through(model: &Model<'_>, member: NodeId) -> Option<NodeId> {
    let nodes = model.nodes();
    let mut at = member;
    loop {
        let parent = nodes.parent_id(at);
        let own = nodes.kind(at).span();
        match nodes.kind(parent) {
            AstKind::CallExpression(call) if call.callee.span() == own => return Some(parent),
            AstKind::StaticMemberExpression(outer) if outer.object.span() == own => at = parent,
            _ => return None,
        }
    }
}

/// The scheme of a URL that begins with literal text.
pub fn scheme<'a>(model: &Model<'a>, url: &Expression<'a>) -> Option<&'static str> {
    let text = leading_text(model, url)?;
    let lower = text.to_ascii_lowercase();
    [("https://", "https"), ("http://", "http")].into_iter().find(|(p, _)| lower.starts_with(p)).map(|(_, s)| s)
}

/// The literal text that an expression's value begins with.
pub fn leading_text<'a>(model: &Model<'a>, expression: &Expression<'a>) -> Option<String> {
    match bare(expression) {
        Expression::TemplateLiteral(template) => {
            let first = template.quasis.first()?.value.raw.to_string();
            if first.is_empty()
                && let Some(inner) = template.expressions.first()
            {
                return leading_text(model, inner);
            }
            Some(first)
        }
        Expression::BinaryExpression(binary) => leading_text(model, &binary.left),
        Expression::NewExpression(new) => leading_text(model, new.arguments.first()?.as_expression()?),
        other => match model.value(other) {
            crate::observe::Known::Here(crate::observe::Value::Text(text), _) => Some(text),
            _ => {
                let path = model.path_of(other);
                match path.root {
                    Root::Symbol(symbol, _) if path.members.is_empty() => match model.binding(symbol) {
                        crate::lang::typescript::path::Binding::Constant(init @ Expression::TemplateLiteral(_)) => {
                            leading_text(model, init)
                        }
                        _ => None,
                    },
                    _ => None,
                }
            }
        },
    }
}

/// True where the text names this machine.
pub fn is_local(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["://localhost", "://127.0.0.1", "://[::1]", "://0.0.0.0", "unix:"].iter().any(|mark| lower.contains(mark))
}
