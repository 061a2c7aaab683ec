//! Where a node lies, from names alone: enclosing symbol, context, and the
//! name that suggests a request path.

use tree_sitter::Node;

use crate::observe::Context;
use crate::pattern::predicate::slice;
use crate::source::{Family, PathClass, SourceFile};

/// Words in a class's or file's name that suggest code called per request.
const REQUEST_WORDS: &[&str] = &["service", "controller", "resolver", "gateway", "repository", "middleware"];

/// Where a node lies.
pub(super) struct Place {
    /// `ValidationService.validate`; empty at module level.
    pub(super) symbol: String,
    pub(super) context: Context,
    /// The class or file name that suggests a request path.
    pub(super) request_path_by_name: Option<String>,
}

/// The place of a node whose ancestors are `above`, nearest first.
pub(super) fn of(file: &SourceFile, above: &[Node<'_>]) -> Place {
    let names: Vec<&str> = above.iter().rev().filter_map(|node| name_of(*node, &file.text)).collect();
    let in_function = above.iter().any(|node| super::predicate::is_function(*node));
    let in_class = above.iter().any(|node| node.kind().starts_with("class") || node.kind().contains("_class_"));
    let test = above.iter().any(|node| is_test_item(*node, &file.text));
    let context = match file.class {
        PathClass::Test => Context::Test,
        _ if test => Context::Test,
        PathClass::Build => Context::Build,
        PathClass::Script => Context::Cli,
        // A field's initializer runs with the constructor, not with the module.
        PathClass::Product if !in_function && !in_class && file.language.family() == Family::TypeScript => {
            Context::Startup
        }
        PathClass::Product => Context::Library,
    };
    let request_path_by_name =
        if context == Context::Library && in_function { request_word(file, above) } else { None };
    Place { symbol: names.join("."), context, request_path_by_name }
}

fn request_word(file: &SourceFile, above: &[Node<'_>]) -> Option<String> {
    let says = |name: &str| {
        let lower = name.to_ascii_lowercase();
        REQUEST_WORDS.iter().any(|word| lower.contains(word))
    };
    let classes = above.iter().filter(|node| node.kind().contains("class") || node.kind() == "impl_item");
    let class = classes.filter_map(|node| name_of(*node, &file.text)).find(|name| says(name));
    if let Some(class) = class {
        return Some(class.to_owned());
    }
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    says(stem).then(|| name.to_owned())
}

/// The name that a node gives to what lies in it.
fn name_of<'s>(node: Node<'_>, text: &'s str) -> Option<&'s str> {
    let field = match node.kind() {
        "class_declaration"
        | "abstract_class_declaration"
        | "class"
        | "method_definition"
        | "function_declaration"
        | "generator_function_declaration"
        | "function_expression"
        | "function_item"
        | "mod_item"
        | "trait_item" => "name",
        "impl_item" => "type",
        "variable_declarator" if holds_function(node, "value") => "name",
        "public_field_definition" if holds_function(node, "value") => "name",
        "pair" if holds_function(node, "value") => "key",
        _ => return None,
    };
    let name = node.child_by_field_name(field)?;
    // A generic type's arguments say nothing about the place.
    let name = name.child_by_field_name("type").unwrap_or(name);
    let name = slice(name, text);
    (!name.is_empty() && !name.contains('\n')).then_some(name)
}

fn holds_function(node: Node<'_>, field: &str) -> bool {
    node.child_by_field_name(field).is_some_and(super::predicate::is_function)
}

/// `#[cfg(test)] mod`, `#[test] fn` and their kin in Rust.
fn is_test_item(node: Node<'_>, text: &str) -> bool {
    if !matches!(node.kind(), "mod_item" | "function_item") {
        return false;
    }
    let mut at = node.prev_named_sibling();
    while let Some(attribute) = at.filter(|n| matches!(n.kind(), "attribute_item" | "line_comment")) {
        let words = slice(attribute, text);
        if attribute.kind() == "attribute_item"
            && (words.contains("cfg(test)")
                || words.contains("test]")
                || words.contains("test(")
                || words.contains("bench]"))
        {
            return true;
        }
        at = attribute.prev_named_sibling();
    }
    false
}

/// True where the symbol or the file's name fits `pattern`.
pub(super) fn is_named(file: &SourceFile, place: &Place, pattern: &regex::Regex) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    pattern.is_match(&place.symbol) || pattern.is_match(name)
}
