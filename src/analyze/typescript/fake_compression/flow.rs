//! What a function gives back: its input, an encoding of it, or something
//! that may have been compressed.

use std::cell::Cell;

use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, ArrayExpressionElement, CallExpression, Expression, NewExpression, ObjectPropertyKind};
use oxc_syntax::node::NodeId;

use super::says_compressed;
use crate::analyze::typescript::uncleared_timer::local_function;
use crate::analyze::{BASE64_GROWS, HEX_GROWS};
use crate::lang::typescript::effects::touches_nothing;
use crate::lang::typescript::names::words;
use crate::lang::typescript::path::{Binding, Root, argument};
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Known, Value};
use crate::source::Span;

/// An encoding that is longer than what went in.
#[derive(Clone, Copy)]
pub struct Encoding<'a> {
    /// `base64`, `hex` …
    pub name: &'static str,
    /// By how many percent the input grows.
    pub grows: f64,
    /// The call that encodes.
    pub at: Span,
    /// The function of another file that only its name says to encode.
    pub by_name: Option<&'a str>,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub enum Flow<'a> {
    /// From the parameters and constants, changed in form at most.
    Input,
    /// An encoding of them.
    Encoded(Encoding<'a>),
    /// Also from something else, which may compress.
    Other,
}

/// Chains of constants and calls longer than this are not followed.
const DEPTH: u32 = 12;
/// Functions of the file are followed this far.
const FUNCTIONS: u32 = 3;
/// How many values and calls are looked at for one function: what is written
/// over and over would take for ever.
const STEPS: u32 = 10_000;

/// The values that a function returns.
pub fn returns<'a>(model: &Model<'a>, function: NodeId) -> Vec<&'a Expression<'a>> {
    if let AstKind::ArrowFunctionExpression(arrow) = model.kind(function)
        && let Some(expression) = arrow.body.as_expression()
    {
        return vec![expression];
    }
    let inside = span(&model.kind(function));
    let mut found = Vec::new();
    for (id, node) in model.nodes().iter_enumerated() {
        if let AstKind::ReturnStatement(returned) = node.kind()
            && inside.contains(span(returned))
            && model.function_of(id) == Some(function)
            && let Some(value) = &returned.argument
        {
            found.push(value);
        }
    }
    found
}

/// What a function returns, all its returns together, and whether it calls
/// something that may compress after all.
pub fn of_function<'a>(model: &Model<'a>, function: NodeId) -> (Option<Encoding<'a>>, bool) {
    Follow { model, left: FUNCTIONS, steps: &Cell::new(STEPS) }.function(function)
}

/// The encoding that a value is of what is visibly text: a JSON text, or what
/// `Buffer.from` takes; bytes that come from elsewhere may be compressed.
pub fn of_text<'a>(model: &Model<'a>, value: &'a Expression<'a>) -> Option<Encoding<'a>> {
    let follow = Follow { model, left: FUNCTIONS, steps: &Cell::new(STEPS) };
    let Flow::Encoded(encoding) = follow.value(value, 0) else { return None };
    let names = model.subtree(model.node(value)).filter_map(|id| match model.kind(id) {
        AstKind::IdentifierReference(id) => Some(id.name.as_str()),
        _ => None,
    });
    let promised = names.into_iter().any(says_compressed);
    let text = model.text(bare(value));
    let made_of_text = text.contains("JSON.stringify(") || text.contains("Buffer.from(") || text.contains("btoa(");
    (made_of_text && !promised).then_some(encoding)
}

/// Follows values through one function, and functions through the file.
struct Follow<'m, 'a> {
    model: &'m Model<'a>,
    /// How many functions may still be entered.
    left: u32,
    /// How many steps are left, over all functions.
    steps: &'m Cell<u32>,
}

impl<'a> Follow<'_, 'a> {
    fn function(&self, function: NodeId) -> (Option<Encoding<'a>>, bool) {
        let mut encoded = None;
        let mut honest = true;
        for value in returns(self.model, function) {
            match self.value(value, 0) {
                Flow::Encoded(encoding) => {
                    encoded.get_or_insert(encoding);
                }
                Flow::Input => {}
                Flow::Other => honest = false,
            }
        }
        (encoded, honest && !self.calls_more(function))
    }

    /// False where all steps were taken.
    fn step(&self) -> bool {
        let left = self.steps.get();
        self.steps.set(left.saturating_sub(1));
        left > 0
    }

    /// The same within a function that is called; nothing where that lies too far.
    fn deeper(&self) -> Option<Self> {
        Some(Self { left: self.left.checked_sub(1)?, ..*self })
    }

    /// What an expression is made of.
    fn value(&self, expression: &'a Expression<'a>, depth: u32) -> Flow<'a> {
        if depth > DEPTH || !self.step() {
            return Flow::Other;
        }
        let next = |inner: &'a Expression<'a>| self.value(inner, depth + 1);
        match bare(expression) {
            Expression::AwaitExpression(awaited) => next(&awaited.argument),
            Expression::Identifier(id) => match self.model.symbol_of(id).map(|symbol| self.model.binding(symbol)) {
                Some(Binding::Constant(init) | Binding::Variable(Some(init))) => next(init),
                // What else a name stands for was not compressed here.
                _ => Flow::Input,
            },
            Expression::StaticMemberExpression(member) => next(&member.object),
            Expression::TemplateLiteral(template) => template.expressions.iter().map(next).fold(Flow::Input, joined),
            Expression::BinaryExpression(binary) => joined(next(&binary.left), next(&binary.right)),
            Expression::LogicalExpression(logical) => joined(next(&logical.left), next(&logical.right)),
            Expression::ConditionalExpression(choice) => joined(next(&choice.consequent), next(&choice.alternate)),
            Expression::NewExpression(new) => self.constructed(new, depth),
            Expression::CallExpression(call) => self.called(call, depth),
            Expression::ObjectExpression(object) => {
                let values = object.properties.iter().map(|kind| match kind {
                    ObjectPropertyKind::ObjectProperty(property) => next(&property.value),
                    ObjectPropertyKind::SpreadProperty(spread) => next(&spread.argument),
                });
                values.fold(Flow::Input, joined)
            }
            Expression::ArrayExpression(array) => {
                let values = array.elements.iter().map(|element| match element {
                    ArrayExpressionElement::SpreadElement(spread) => next(&spread.argument),
                    other => other.as_expression().map_or(Flow::Input, next),
                });
                values.fold(Flow::Input, joined)
            }
            Expression::StringLiteral(_)
            | Expression::NumericLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::NullLiteral(_)
            | Expression::ThisExpression(_)
            | Expression::ComputedMemberExpression(_)
            | Expression::PrivateFieldExpression(_) => Flow::Input,
            _ => Flow::Other,
        }
    }

    /// What a document gives of itself to be written: no call of anything else.
    fn is_plain_text(&self, value: &'a Expression<'a>) -> bool {
        let model = self.model;
        let made = match bare(value) {
            Expression::Identifier(id) => match model.symbol_of(id).map(|symbol| model.binding(symbol)) {
                Some(Binding::Constant(init)) => init,
                _ => value,
            },
            _ => value,
        };
        model.subtree(model.node(made)).all(|id| match model.kind(id) {
            AstKind::CallExpression(call) => {
                let path = model.callee(call);
                touches_nothing(&path)
                    || call.arguments.is_empty() && matches!(path.leaf(), "toObject" | "toJSON" | "serialize" | "lean")
            }
            AstKind::NewExpression(new) => model.path_of(&new.callee).is_global("Date", &[]),
            _ => true,
        })
    }

    fn constructed(&self, new: &'a NewExpression<'a>, depth: u32) -> Flow<'a> {
        let path = self.model.path_of(&new.callee);
        let copies = path.is_global("Uint8Array", &[]) || path.is_global("Buffer", &[]);
        match new.arguments.first().and_then(Argument::as_expression) {
            Some(input) if copies => self.value(input, depth + 1),
            _ => Flow::Other,
        }
    }

    fn called(&self, call: &'a CallExpression<'a>, depth: u32) -> Flow<'a> {
        let model = self.model;
        let path = model.callee(call);
        let first = argument(&call.arguments, 0);
        let next = |inner: &'a Expression<'a>| self.value(inner, depth + 1);
        let encoded = |inner: Flow<'a>, name, grows| match inner {
            // Of an encoding of an encoding, the outer one is what is returned.
            Flow::Input | Flow::Encoded(_) => Flow::Encoded(Encoding { name, grows, at: span(call), by_name: None }),
            Flow::Other => Flow::Other,
        };
        let root = match path.root {
            Root::Global(root) => Some(root),
            // `import { Buffer } from 'node:buffer'`.
            Root::Symbol(symbol, "Buffer") if matches!(model.binding(symbol), Binding::Import(_)) => Some("Buffer"),
            _ => None,
        };
        if let (Some(root), Some(first)) = (root, first) {
            match (root, path.members.as_slice()) {
                ("btoa", []) => return encoded(next(first), "base64", BASE64_GROWS),
                ("globalThis" | "window" | "self", ["btoa"]) => return encoded(next(first), "base64", BASE64_GROWS),
                ("Buffer", ["from"]) => {
                    // Reading base64 back is decoding, not input.
                    let other = argument(&call.arguments, 1).and_then(|e| model.value(e).here().cloned());
                    let text = matches!(other, None | Some(Value::Text(_)));
                    let decodes = matches!(&other, Some(Value::Text(t)) if t.starts_with("base64") || t == "hex");
                    return if text && !decodes { next(first) } else { Flow::Other };
                }
                // A text, whatever it is of: what was compressed on the way is
                // called so.
                ("JSON", ["stringify"]) => {
                    return match next(first) {
                        Flow::Other if !says_compressed(model.text(first)) && self.is_plain_text(first) => Flow::Input,
                        found => found,
                    };
                }
                ("String" | "encodeURIComponent" | "unescape" | "escape" | "encodeURI", [])
                | ("Object", ["entries" | "keys" | "values" | "fromEntries"])
                | ("Array" | "Uint8Array", ["from"])
                | ("Promise", ["resolve"]) => return next(first),
                _ => {}
            }
        }
        if let Some(function) = local_function(model, call) {
            return self.helper(call, function, depth);
        }
        if let (Root::Symbol(symbol, name), []) = (path.root, path.members.as_slice())
            && matches!(model.binding(symbol), Binding::Import(_))
        {
            // What is encoded there must not be compressed here.
            let inputs = call.arguments.iter().filter_map(Argument::as_expression).map(next).fold(Flow::Input, joined);
            return match (encoder_by_name(name), inputs) {
                (Some((encoding, grows)), Flow::Input | Flow::Encoded(_)) => {
                    Flow::Encoded(Encoding { name: encoding, grows, at: span(call), by_name: Some(name) })
                }
                _ => Flow::Other,
            };
        }
        let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return Flow::Other };
        match (member.property.name.as_str(), first) {
            ("toString", Some(first)) => {
                let Known::Here(Value::Text(encoding), _) = model.value(first) else { return Flow::Other };
                let inner = next(&member.object);
                match encoding.as_str() {
                    "base64" => encoded(inner, "base64", BASE64_GROWS),
                    "base64url" => encoded(inner, "base64url", BASE64_GROWS),
                    "hex" => encoded(inner, "hex", HEX_GROWS),
                    _ => inner,
                }
            }
            ("encode", Some(first)) => match bare(&member.object) {
                Expression::NewExpression(new) if model.path_of(&new.callee).is_global("TextEncoder", &[]) => {
                    next(first)
                }
                _ => Flow::Other,
            },
            ("concat", _) => Flow::Other,
            // Each element is what the callback makes of it.
            (
                "map" | "flatMap",
                Some(each @ (Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))),
            ) => {
                let made = returns(model, model.node(each)).into_iter().map(next).fold(Flow::Input, joined);
                joined(next(&member.object), made)
            }
            _ if touches_nothing(&path) => next(&member.object),
            _ => Flow::Other,
        }
    }

    /// A call of a function of this file: the encoding is blamed on the call.
    fn helper(&self, call: &'a CallExpression<'a>, function: NodeId, depth: u32) -> Flow<'a> {
        let Some(inside) = self.deeper() else { return Flow::Other };
        let inputs = call.arguments.iter().filter_map(Argument::as_expression);
        let inputs = inputs.map(|input| self.value(input, depth + 1)).fold(Flow::Input, joined);
        match (inside.function(function), inputs) {
            ((_, false), _) | (_, Flow::Other) => Flow::Other,
            ((Some(encoding), true), _) => Flow::Encoded(Encoding { at: span(call), ..encoding }),
            ((None, true), inputs) => inputs,
        }
    }

    /// True where the function calls something that may compress after all:
    /// anything but what touches nothing, encodes, or reports to a logger.
    fn calls_more(&self, function: NodeId) -> bool {
        const HARMLESS: &[&str] = &[
            "from",
            "stringify",
            "btoa",
            "String",
            "encode",
            "encodeURIComponent",
            "unescape",
            "escape",
            "resolve",
            "byteLength",
            "now",
            "isBuffer",
            "log",
            "debug",
            "warn",
            "error",
            "info",
            "trace",
            "push",
            "set",
            "add",
            "sort",
            "get",
            "Uint8Array",
            "TextEncoder",
            "Buffer",
            "WeakSet",
            "Map",
            "Set",
            "Date",
            "Error",
        ];
        let model = self.model;
        let inside = span(&model.kind(function));
        let calls = model.index.calls.iter().chain(&model.index.news);
        calls.into_iter().any(|&node| match model.kind(node) {
            AstKind::CallExpression(call) if inside.contains(span(call)) => {
                let path = model.callee(call);
                if let Some(inner) = local_function(model, call) {
                    let more = || self.deeper().is_none_or(|inside| !self.step() || inside.calls_more(inner));
                    return inner != function && more();
                }
                let leaf = path.leaf();
                // `document.toObject()` is handed nothing to compress.
                let asks = call.arguments.is_empty()
                    && matches!(leaf, "toObject" | "toJSON" | "toString" | "valueOf" | "serialize" | "lean")
                    && matches!(path.root, Root::Symbol(symbol, _) if matches!(model.binding(symbol), Binding::Parameter));
                !asks && !HARMLESS.contains(&leaf) && !touches_nothing(&path) && encoder_by_name(leaf).is_none()
            }
            AstKind::NewExpression(new) if inside.contains(span(new)) => {
                let leaf = model.path_of(&new.callee).leaf();
                !HARMLESS.contains(&leaf) && !leaf.ends_with("Error")
            }
            _ => false,
        })
    }
}

fn joined<'a>(a: Flow<'a>, b: Flow<'a>) -> Flow<'a> {
    match (a, b) {
        (Flow::Other, _) | (_, Flow::Other) => Flow::Other,
        (encoded @ Flow::Encoded(_), _) | (_, encoded @ Flow::Encoded(_)) => encoded,
        _ => Flow::Input,
    }
}

/// The encoding that a function of another file makes, by its name:
/// `bytesToBase64`, `toHex`; not `gzipToBase64`, nor the way back.
fn encoder_by_name(name: &str) -> Option<(&'static str, f64)> {
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    if has(&["from", "decode", "parse", "un"]) || words.iter().any(|word| super::is_compressor(word)) {
        return None;
    }
    let joined = words.concat();
    if joined.contains("base64") {
        Some(("base64", BASE64_GROWS))
    } else if has(&["hex"]) {
        Some(("hex", HEX_GROWS))
    } else {
        None
    }
}
