//! What a caller asks to be compressed by a flag, and what is encoded then.

use oxc_ast::AstKind;
use oxc_ast::ast::{ConditionalExpression, Expression, IfStatement, ObjectPropertyKind};
use oxc_syntax::node::NodeId;

use super::{compresses_within, flow, promises, store_name, told};
use crate::analyze::sink::Builder;
use crate::analyze::{BASE64_GROWS, HEX_GROWS, MADE_SMALLER, Sink};
use crate::lang::typescript::names::words;
use crate::lang::typescript::{Model, bare, span};
use crate::observe::{Known, Value};

/// `compress ? Buffer.from(text).toString('base64') : text` in a function that
/// compresses nothing, and `….toString(compress ? 'base64' : 'utf8')`.
pub(super) fn flagged<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    node: NodeId,
    choice: &'a ConditionalExpression<'a>,
) -> Option<Builder> {
    let function = model.function_of(node)?;
    if !asks_to_compress(model, &choice.test) || promises(&model.name_of(function).unwrap_or_default()) {
        return None;
    }
    let encoding = match model.value(&choice.consequent) {
        Known::Here(Value::Text(encoding), _) => {
            let AstKind::CallExpression(call) = model.nodes().parent_kind(node) else { return None };
            let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return None };
            let (name, grows) = match encoding.as_str() {
                "base64" | "base64url" => ("base64", BASE64_GROWS),
                "hex" => ("hex", HEX_GROWS),
                _ => return None,
            };
            let of_text = member.property.name == "toString" && model.text(&member.object).starts_with("Buffer.from(");
            of_text.then(|| flow::Encoding { name, grows, at: span(call), by_name: None })?
        }
        _ => flow::of_text(model, &choice.consequent)?,
    };
    if flow::of_text(model, &choice.alternate).is_some() || compresses_within(model, function) {
        return None;
    }
    let shown = model.text(&choice.test);
    Some(told(model, sink, function, span(&choice.test), shown, &encoding, store_name(model, function)))
}

/// True for a flag by which a caller asks to compress; `zip` alone is a postal
/// code as often, and `compressed` says what is so already.
fn asks_to_compress<'a>(model: &Model<'a>, test: &'a Expression<'a>) -> bool {
    words(model.path_of(test).leaf()).iter().any(|word| {
        let asks = word.contains("compress") || matches!(word.as_str(), "gzip" | "deflate" | "brotli");
        asks && !MADE_SMALLER.contains(&word.as_str()) && !word.starts_with("decompress")
    })
}

/// `if (!options.compress) return text;` and then an encoding, or the same the
/// other way round, in a function that compresses nothing.
pub(super) fn branched<'a>(
    model: &Model<'a>,
    sink: &Sink<'_>,
    node: NodeId,
    choice: &'a IfStatement<'a>,
) -> Option<Builder> {
    // What is looked up by such a name is a key, and no value that is kept.
    const KEYS: &[&str] = &["key", "cursor", "token", "id", "hash", "etag", "signature"];
    let (test, wanted_inside) = match bare(&choice.test) {
        Expression::UnaryExpression(not) if not.operator.is_not() => (&not.argument, false),
        other => (other, true),
    };
    let function = model.function_of(node).filter(|_| asks_to_compress(model, test))?;
    let name = model.name_of(function).unwrap_or_default();
    let is_key = words(&name).last().is_some_and(|last| KEYS.contains(&last.as_str()));
    if is_key || promises(&name) && model.parameters(function)?.items.len() < 2 {
        return None;
    }
    if compresses_within(model, function) {
        return None;
    }
    let inside = span(&choice.consequent);
    let mut asked = flow::returns(model, function).into_iter().filter(|value| match wanted_inside {
        true => inside.contains(span(*value)),
        false => span(*value).start > span(choice).end,
    });
    let encoded = |value: &'a Expression<'a>| match bare(value) {
        // `{ packed: true, body: … }`.
        Expression::ObjectExpression(object) => object.properties.iter().find_map(|kind| match kind {
            ObjectPropertyKind::ObjectProperty(property) => flow::of_text(model, &property.value),
            ObjectPropertyKind::SpreadProperty(_) => None,
        }),
        other => flow::of_text(model, other),
    };
    let encoding = encoded(asked.next()?)?;
    // All that the flag leads to is an encoding.
    if !asked.all(|value| encoded(value).is_some()) {
        return None;
    }
    Some(told(model, sink, function, span(test), model.text(test), &encoding, store_name(model, function)))
}
