//! Option objects of calls: what they say, and edits that add to them.

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, Expression, ObjectExpression, ObjectPropertyKind};
use oxc_span::GetSpan;
use oxc_syntax::symbol::SymbolId;

use crate::lang::typescript::path::argument;
use crate::lang::typescript::values::{Property, key_name, property};
use crate::lang::typescript::{Model, bare, span};
use crate::source::Span;

/// What an options argument shows.
#[derive(Clone, Copy)]
pub enum Options<'e, 'a> {
    /// Not written.
    Absent,
    /// An object literal.
    Object(&'e ObjectExpression<'a>),
    /// An object literal into which constant ones are spread.
    Merged(&'e ObjectExpression<'a>, [Option<&'e ObjectExpression<'a>>; SPREADS]),
    /// Not to be had by reading.
    Opaque(Span),
}

/// How many spreads of one literal are followed.
const SPREADS: usize = 2;

impl<'e, 'a> Options<'e, 'a> {
    /// A property of the options.
    pub fn property(&self, name: &str) -> Property<'e, 'a> {
        match self {
            Self::Absent => Property::Missing,
            Self::Object(object) => property(object, name),
            Self::Merged(object, spread) => {
                let own = object.properties.iter().rev().find_map(|kind| match kind {
                    ObjectPropertyKind::ObjectProperty(property) => {
                        (key_name(&property.key).as_deref() == Some(name)).then_some(&property.value)
                    }
                    ObjectPropertyKind::SpreadProperty(_) => None,
                });
                let brought = || spread.iter().rev().flatten().find_map(|object| property(object, name).found());
                own.or_else(brought).map_or(Property::Missing, Property::Found)
            }
            Self::Opaque(_) => Property::Unknown,
        }
    }

    /// True where none of the properties can be there.
    pub fn lack(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.property(name).is_missing())
    }

    /// The first of the properties that is written.
    pub fn first(&self, names: &[&str]) -> Option<&'e Expression<'a>> {
        names.iter().find_map(|name| self.property(name).found())
    }
}

/// The options at `index`: a literal, or a constant that is used nowhere else,
/// so that nothing can have been added to it.
pub fn options<'a>(model: &Model<'a>, arguments: &'a [Argument<'a>], index: usize) -> Options<'a, 'a> {
    if let Some(spread) = arguments.iter().take(index + 1).find(|a| a.is_spread()) {
        return Options::Opaque(span(spread));
    }
    let Some(expression) = argument(arguments, index) else { return Options::Absent };
    options_of(model, expression)
}

/// The same for an expression.
pub fn options_of<'a>(model: &Model<'a>, expression: &'a Expression<'a>) -> Options<'a, 'a> {
    let opaque = Options::Opaque(span(expression));
    match bare(expression) {
        Expression::ObjectExpression(object) => merged(model, object).unwrap_or(Options::Object(object)),
        Expression::Identifier(id) if id.name == "undefined" => Options::Absent,
        // `https.get(url, (response) => …)`: what is called back is no options.
        Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => Options::Absent,
        Expression::Identifier(id) => {
            let Some(symbol) = model.symbol_of(id) else { return opaque };
            if !only_adds(model, symbol) {
                return opaque;
            }
            model.object(expression).map_or(opaque, Options::Object)
        }
        _ => opaque,
    }
}

/// `{ ...DEFAULTS, baseURL }` where each spread is a constant literal that
/// nothing changes.
fn merged<'a>(model: &Model<'a>, object: &'a ObjectExpression<'a>) -> Option<Options<'a, 'a>> {
    let mut spread = [None; SPREADS];
    let mut count = 0;
    for kind in &object.properties {
        match kind {
            ObjectPropertyKind::ObjectProperty(property) if property.computed => return None,
            ObjectPropertyKind::ObjectProperty(_) => {}
            ObjectPropertyKind::SpreadProperty(given) => {
                let Expression::Identifier(id) = bare(&given.argument) else { return None };
                let inner = model.object(&given.argument)?;
                let plain = inner
                    .properties
                    .iter()
                    .all(|kind| matches!(kind, ObjectPropertyKind::ObjectProperty(property) if !property.computed));
                if !plain || !is_never_written(model, model.symbol_of(id)?) {
                    return None;
                }
                *spread.get_mut(count)? = Some(inner);
                count += 1;
            }
        }
    }
    (count > 0).then_some(Options::Merged(object, spread))
}

/// True where no property of a constant is assigned in the file.
fn is_never_written(model: &Model<'_>, symbol: SymbolId) -> bool {
    let nodes = model.nodes();
    model.scoping().get_resolved_references(symbol).all(|reference| {
        let parent = nodes.parent_id(reference.node_id());
        let is_member = matches!(nodes.kind(parent), AstKind::StaticMemberExpression(_));
        !(is_member && matches!(nodes.parent_kind(parent), AstKind::AssignmentExpression(_)))
    })
}

/// True where a constant is handed over once, and else only gets further
/// properties of no weight (`options.client = …`).
fn only_adds(model: &Model<'_>, symbol: SymbolId) -> bool {
    /// What decides how long a request takes, and over which connection.
    const WEIGHTY: &[&str] = &[
        "timeout",
        "signal",
        "cancelToken",
        "adapter",
        "transport",
        "dispatcher",
        "hooks",
        "agent",
        "httpAgent",
        "httpsAgent",
        "keepAlive",
        "socketPath",
        "baseURL",
        "url",
        "responseType",
        "request",
        "retry",
    ];
    let nodes = model.nodes();
    let mut handed = 0;
    for reference in model.scoping().get_resolved_references(symbol) {
        let parent = nodes.parent_id(reference.node_id());
        match nodes.kind(parent) {
            AstKind::StaticMemberExpression(member) => {
                let written = matches!(nodes.parent_kind(parent), AstKind::AssignmentExpression(_));
                if written && WEIGHTY.contains(&member.property.name.as_str()) {
                    return false;
                }
            }
            _ => handed += 1,
        }
    }
    handed == 1
}

/// True where a name is bound or read anywhere in the file.
pub fn is_taken(model: &Model<'_>, name: &str) -> bool {
    model.scoping().symbol_names().any(|taken| taken == name)
        || model.scoping().root_unresolved_references().keys().any(|global| global.as_str() == name)
}

/// The edits that add properties to an object literal, in the layout that it
/// has: one line stays one line, others get a line for each.
pub fn add_properties(model: &Model<'_>, object: &ObjectExpression<'_>, lines: &[&str]) -> Option<Vec<(Span, String)>> {
    let whole = span(object);
    let text = model.source.slice(whole);
    let Some(last) = object.properties.last() else {
        let empty = text.get(1..text.len().checked_sub(1)?)?.trim().is_empty();
        return empty.then(|| vec![(whole, format!("{{ {} }}", lines.join(", ")))]);
    };
    let end = last.span().end;
    let rest = model.source.text.get(end as usize..whole.end as usize)?;
    if !text.contains('\n') {
        if rest.contains("/*") {
            return None;
        }
        return Some(vec![(Span::at(end), format!(", {}", lines.join(", ")))]);
    }
    let start = last.span().start as usize;
    let line_start = model.source.text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let before = model.source.text.get(line_start..start)?;
    let indent: String = before.chars().take_while(|c| c.is_whitespace()).collect();
    // `{ a: 1,\n b: 2 }`: the last property's own line is not to be told.
    if !before.trim().is_empty() || !rest.contains('\n') {
        return None;
    }
    let newline = if rest.contains("\r\n") { "\r\n" } else { "\n" };
    let line_end = rest.find('\n')?;
    let tail = rest.get(..line_end)?.trim_end_matches('\r');
    let comma = tail.trim_start().starts_with(',');
    let added: String = lines.iter().map(|line| format!("{newline}{indent}{line},")).collect();
    let at = Span::at(end + tail.trim_end().len() as u32);
    match (comma, tail.trim().is_empty()) {
        (true, _) => Some(vec![(at, added)]),
        (false, true) => {
            let added = added.strip_suffix(',')?;
            Some(vec![(Span::at(end), format!(",{added}"))])
        }
        (false, false) => Some(vec![(Span::at(end), ",".to_owned()), (at, added.strip_suffix(',')?.to_owned())]),
    }
}

/// Text to stand at module level before everything that may use it: the place
/// after the file's imports. `None` where the file has statements before its
/// last import, so that "after the imports" is not before all code.
pub fn after_imports(model: &Model<'_>) -> Option<u32> {
    use oxc_ast::ast::Statement;
    let body = &model.program.body;
    let is_import = |statement: &Statement<'_>| match statement {
        Statement::ImportDeclaration(_) => true,
        Statement::VariableDeclaration(declaration) => declaration.declarations.iter().all(|d| {
            d.init.as_ref().is_some_and(
                |init| matches!(bare(init), Expression::CallExpression(call) if call.common_js_require().is_some()),
            )
        }),
        _ => false,
    };
    let first = body.iter().position(|statement| !is_import(statement))?;
    if body.iter().skip(first).any(|statement| matches!(statement, Statement::ImportDeclaration(_))) {
        return None;
    }
    let floor = first.checked_sub(1).and_then(|at| body.get(at)).map_or(0, |before| before.span().end);
    let mut start = body.get(first)?.span().start;
    // Comments right above the statement belong to it.
    for comment in model.program.comments.iter().rev() {
        if comment.span.end > start || comment.span.start < floor {
            continue;
        }
        let between = model.source.text.get(comment.span.end as usize..start as usize)?;
        if between.matches('\n').count() > 1 {
            break;
        }
        start = comment.span.start;
    }
    let line_start = model.source.text.get(..start as usize)?.rfind('\n').map_or(0, |at| at + 1);
    model.source.text.get(line_start..start as usize)?.trim().is_empty().then_some(line_start as u32)
}

/// True where the file ends its statements with semicolons.
pub fn writes_semicolons(model: &Model<'_>) -> bool {
    model.program.body.first().is_none_or(|first| model.text(first).ends_with([';', '}']))
}

/// The node's nearest ancestor that is a property, with its key.
pub fn property_of(model: &Model<'_>, node: oxc_syntax::node::NodeId) -> Option<String> {
    match model.nodes().parent_kind(node) {
        AstKind::ObjectProperty(property) => key_name(&property.key).map(|key| key.into_owned()),
        _ => None,
    }
}

/// The keys that an object literal writes out.
pub fn keys(object: &ObjectExpression<'_>) -> Vec<String> {
    let named = object.properties.iter().filter_map(|kind| match kind {
        ObjectPropertyKind::ObjectProperty(property) => key_name(&property.key).map(|key| key.into_owned()),
        ObjectPropertyKind::SpreadProperty(_) => None,
    });
    named.collect()
}
