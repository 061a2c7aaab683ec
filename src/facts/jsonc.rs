//! JSON with comments and trailing commas, as tsconfig files and bun.lock are written.

use serde_json::Value;

/// The value of a text; `None` where it is not JSON even so.
pub fn parse(text: &str) -> Option<Value> {
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default()).ok()?;
    parsed.value.map(Value::from)
}
