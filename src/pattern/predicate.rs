//! Tests on a match beyond tree-sitter's text predicates.
//!
//! | predicate | holds where |
//! |---|---|
//! | `(#inside? @x "PATH"…)` | one of the paths leads from `@x` upwards |
//! | `(#not-inside? @x "PATH"…)` | none does |
//! | `(#has? @x "SHAPE"…)` | `@x` or a node below it has one of the shapes |
//! | `(#not-has? @x "SHAPE"…)` | nothing in it has |
//! | `(#around-has? @x "PATH" "SHAPE"…)` | the node that the path leads to has one of the shapes in it |
//! | `(#around-not-has? @x "PATH" "SHAPE"…)` | it has none, or there is no such node |
//! | `(#not-uses? @x @y)` | no name of `@x` is one that `@y` binds |
//! | `(#number? @x "> 97")` | the text is a number literal and compares so |
//!
//! A SHAPE is `kind`, `kind~regex` over the node's text, `~regex` over the
//! text of a leaf, or one of the classes `:function`, `:loop`, `:class` in the
//! kind's place. A PATH is shapes divided by ` > `: the nearest ancestor of the
//! first shape, from there the nearest of the second, and so on.

use std::collections::BTreeSet;

use regex::Regex;
use tree_sitter::{Node, QueryPredicateArg};

/// The operators that [`Test::read`] knows, and the chains.
pub const OPERATORS: &[&str] = &[
    "inside?",
    "not-inside?",
    "has?",
    "not-has?",
    "around-has?",
    "around-not-has?",
    "not-uses?",
    "number?",
    "chain!",
    "independent-chain!",
];

/// One further test of a pattern.
pub(super) struct Test {
    capture: u32,
    kind: Kind,
    holds: bool,
}

enum Kind {
    Inside(Vec<Vec<Shape>>),
    Has(Vec<Shape>),
    Around(Vec<Shape>, Vec<Shape>),
    Uses(u32),
    Number(Sign, f64),
}

#[derive(Clone, Copy)]
enum Sign {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
}

/// A kind of node, with a regular expression on its text.
pub(super) struct Shape {
    kinds: Kinds,
    text: Option<Regex>,
}

enum Kinds {
    /// Nodes without named children.
    Leaf,
    One(u16),
    Class(&'static [&'static str]),
}

const FUNCTIONS: &[&str] = &[
    "arrow_function",
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
    "method_definition",
    "function_item",
    "closure_expression",
];
const LOOPS: &[&str] = &[
    "for_statement",
    "for_in_statement",
    "while_statement",
    "do_statement",
    "for_expression",
    "while_expression",
    "loop_expression",
];
const CLASSES: &[&str] = &["class_declaration", "abstract_class_declaration", "class", "impl_item", "trait_item"];

/// True where a node is a function of either family.
pub(super) fn is_function(node: Node<'_>) -> bool {
    FUNCTIONS.contains(&node.kind())
}

/// Steps that tests may take in one file, so that a query cannot make a scan
/// hang: each visited node is a step. A file of 2 MB has about 1 million.
pub(super) struct Budget(pub(super) u64);

impl Budget {
    fn take(&mut self) -> Option<()> {
        self.0 = self.0.checked_sub(1)?;
        Some(())
    }
}

impl Test {
    /// Reads a predicate; `None` where the operator is unknown.
    pub(super) fn read(
        operator: &str,
        args: &[QueryPredicateArg],
        grammar: &tree_sitter::Language,
    ) -> Result<Option<Self>, String> {
        if !OPERATORS.contains(&operator) {
            return Ok(None);
        }
        let [QueryPredicateArg::Capture(capture), rest @ ..] = args else {
            return Err(format!("`#{operator}` wants a capture first"));
        };
        if operator == "not-uses?" {
            let [QueryPredicateArg::Capture(other)] = rest else {
                return Err("`#not-uses?` wants two captures".to_owned());
            };
            return Ok(Some(Self { capture: *capture, kind: Kind::Uses(*other), holds: false }));
        }
        let mut words = Vec::new();
        for arg in rest {
            match arg {
                QueryPredicateArg::String(word) => words.push(&**word),
                QueryPredicateArg::Capture(_) => return Err(format!("`#{operator}` wants texts after its capture")),
            }
        }
        let shapes = |words: &[&str]| -> Result<Vec<Shape>, String> {
            words.iter().map(|word| Shape::read(word, grammar)).collect()
        };
        let path = |word: &str| -> Result<Vec<Shape>, String> {
            word.split(" > ").map(|part| Shape::read(part, grammar)).collect()
        };
        let kind = match (operator, words.as_slice()) {
            ("inside?" | "not-inside?", [_, ..]) => {
                Kind::Inside(words.iter().map(|word| path(word)).collect::<Result<_, _>>()?)
            }
            ("has?" | "not-has?", [_, ..]) => Kind::Has(shapes(&words)?),
            ("around-has?" | "around-not-has?", [scope, what @ ..]) if !what.is_empty() => {
                Kind::Around(path(scope)?, shapes(what)?)
            }
            ("number?", [comparison]) => comparison_of(comparison)?,
            _ => return Err(format!("`#{operator}` wants more texts, or fewer")),
        };
        Ok(Some(Self { capture: *capture, kind, holds: !operator.contains("not-") }))
    }

    /// True where the test holds for every node of its capture; a capture
    /// without a node passes. `None` where the budget is used up.
    pub(super) fn holds<'t>(
        &self,
        of: &dyn Fn(u32) -> Vec<Node<'t>>,
        root: Node<'t>,
        text: &str,
        budget: &mut Budget,
    ) -> Option<bool> {
        for node in of(self.capture) {
            let seen = match &self.kind {
                Kind::Inside(paths) => {
                    let above = ancestors(root, node, budget)?;
                    paths.iter().any(|path| climb(path, &above, text).is_some())
                }
                Kind::Has(shapes) => has(node, shapes, text, budget)?,
                Kind::Around(path, shapes) => {
                    let above = ancestors(root, node, budget)?;
                    match climb(path, &above, text) {
                        Some(at) => has(above[at], shapes, text, budget)?,
                        None => false,
                    }
                }
                Kind::Uses(other) => {
                    let mut bound = BTreeSet::new();
                    for binder in of(*other) {
                        names_bound(binder, text, budget, &mut bound)?;
                    }
                    mentions(node, &bound, text, budget)?
                }
                Kind::Number(sign, limit) => number(slice(node, text)).is_some_and(|n| match sign {
                    Sign::Above => n > *limit,
                    Sign::AtLeast => n >= *limit,
                    Sign::Below => n < *limit,
                    Sign::AtMost => n <= *limit,
                    Sign::Equal => n == *limit,
                }),
            };
            if seen != self.holds {
                return Some(false);
            }
        }
        Some(true)
    }
}

fn comparison_of(text: &str) -> Result<Kind, String> {
    let (sign, number) = text.trim().split_once(' ').ok_or_else(|| format!("`{text}` is no `> number`"))?;
    let sign = match sign {
        ">" => Sign::Above,
        ">=" => Sign::AtLeast,
        "<" => Sign::Below,
        "<=" => Sign::AtMost,
        "==" => Sign::Equal,
        _ => return Err(format!("`{sign}` is none of >, >=, <, <=, ==")),
    };
    let limit = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Ok(Kind::Number(sign, limit))
}

/// The value of a number literal of either family (`60_000`, `1e3`, `10u64`),
/// or of a product of such (`60 * 1000`).
pub(super) fn number(text: &str) -> Option<f64> {
    if text.contains('*') {
        return text.split('*').map(|factor| number(factor.trim())).product();
    }
    let plain: String = text.chars().filter(|&c| c != '_').collect();
    let plain = plain.trim_end_matches('n').to_owned();
    let unsuffixed = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32", "f64"]
        .iter()
        .find_map(|suffix| plain.strip_suffix(suffix));
    let plain = unsuffixed.unwrap_or(&plain);
    let digits = plain.starts_with(|c: char| c.is_ascii_digit());
    digits.then(|| plain.parse().ok()).flatten()
}

impl Shape {
    fn read(text: &str, grammar: &tree_sitter::Language) -> Result<Self, String> {
        let (kind, regex) = match text.split_once('~') {
            Some((kind, regex)) => {
                (kind, Some(Regex::new(regex).map_err(|_| format!("`{regex}` is not a regular expression"))?))
            }
            None => (text, None),
        };
        let kinds = match kind {
            "" => Kinds::Leaf,
            ":function" => Kinds::Class(FUNCTIONS),
            ":loop" => Kinds::Class(LOOPS),
            ":class" => Kinds::Class(CLASSES),
            _ => match grammar.id_for_node_kind(kind, true) {
                0 => return Err(format!("the grammar has no node kind `{kind}`")),
                id => Kinds::One(id),
            },
        };
        if matches!(kinds, Kinds::Leaf) && regex.is_none() {
            return Err("an empty shape matches everything".to_owned());
        }
        Ok(Self { kinds, text: regex })
    }

    fn fits(&self, node: Node<'_>, text: &str) -> bool {
        let kind_fits = match self.kinds {
            Kinds::Leaf => node.named_child_count() == 0,
            Kinds::One(id) => node.kind_id() == id,
            Kinds::Class(kinds) => kinds.contains(&node.kind()),
        };
        kind_fits && self.text.as_ref().is_none_or(|regex| regex.is_match(slice(node, text)))
    }
}

/// A node's text.
pub(super) fn slice<'t>(node: Node<'_>, text: &'t str) -> &'t str {
    text.get(node.byte_range()).unwrap_or("")
}

/// The ancestors of a node, nearest first. `Node::parent` walks down from the
/// root each time, so this walks down once.
pub(super) fn ancestors<'t>(root: Node<'t>, node: Node<'t>, budget: &mut Budget) -> Option<Vec<Node<'t>>> {
    let mut above = Vec::new();
    let mut at = root;
    while at.id() != node.id() {
        budget.take()?;
        above.push(at);
        match at.child_with_descendant(node) {
            Some(next) => at = next,
            None => break,
        }
    }
    above.reverse();
    Some(above)
}

fn climb(path: &[Shape], above: &[Node<'_>], text: &str) -> Option<usize> {
    let mut from = 0;
    let mut found = None;
    for shape in path {
        let at = from + above.get(from..)?.iter().position(|node| shape.fits(*node, text))?;
        found = Some(at);
        from = at + 1;
    }
    found
}

fn has(node: Node<'_>, shapes: &[Shape], text: &str, budget: &mut Budget) -> Option<bool> {
    visit(node, budget, |below| shapes.iter().any(|shape| shape.fits(below, text)))
}

/// Visits named nodes, the first included, until one is what `found` looks
/// for. Comments are passed over. Without recursion: code may be deep.
fn visit<'t>(node: Node<'t>, budget: &mut Budget, mut found: impl FnMut(Node<'t>) -> bool) -> Option<bool> {
    let mut cursor = node.walk();
    loop {
        budget.take()?;
        let at = cursor.node();
        let comment = at.kind().ends_with("comment");
        if at.is_named() && !comment && found(at) {
            return Some(true);
        }
        if !comment && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Some(false);
            }
        }
    }
}

/// The names that a statement binds: those in its declarators' patterns or
/// written by its assignments, else none.
pub(super) fn names_bound<'s>(
    node: Node<'_>,
    text: &'s str,
    budget: &mut Budget,
    bound: &mut BTreeSet<&'s str>,
) -> Option<()> {
    let mut patterns = Vec::new();
    visit(node, budget, |at| {
        let field = match at.kind() {
            "variable_declarator" => "name",
            "assignment_expression" | "augmented_assignment_expression" => "left",
            "let_declaration" => "pattern",
            _ => return false,
        };
        patterns.extend(at.child_by_field_name(field));
        false
    })?;
    for pattern in patterns {
        visit(pattern, budget, |at| {
            if is_name(at) {
                bound.insert(slice(at, text));
            }
            false
        })?;
    }
    Some(())
}

/// True where `node` mentions one of the names, in a string's `{name}` too
/// (Rust formats so).
pub(super) fn mentions(node: Node<'_>, names: &BTreeSet<&str>, text: &str, budget: &mut Budget) -> Option<bool> {
    if names.is_empty() {
        return Some(false);
    }
    visit(node, budget, |at| {
        is_name(at) && names.contains(slice(at, text))
            || at.kind() == "string_content" && names.iter().any(|name| slice(at, text).contains(&format!("{{{name}")))
    })
}

fn is_name(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "identifier"
            | "shorthand_property_identifier"
            | "shorthand_property_identifier_pattern"
            | "shorthand_field_identifier"
    )
}
