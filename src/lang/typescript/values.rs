//! Constant values: what can be known by reading alone.

use std::collections::BTreeSet;

use oxc_ast::ast::{Expression, ObjectExpression, ObjectPropertyKind, PropertyKey};
use oxc_syntax::operator::{BinaryOperator, UnaryOperator};

use super::path::{Binding, Root};
use super::{Model, bare, span};
use crate::observe::{Known, Value};
use crate::source::Span;

/// Names of names of names: deeper chains are not followed.
const DEPTH: u32 = 8;

/// A property of an object literal.
#[derive(Clone, Copy)]
pub enum Property<'e, 'a> {
    /// Written here.
    Found(&'e Expression<'a>),
    /// Not written, and nothing spreads into the object.
    Missing,
    /// A spread or a computed key may bring it.
    Unknown,
}

impl<'e, 'a> Property<'e, 'a> {
    /// The expression where it is written.
    pub fn found(self) -> Option<&'e Expression<'a>> {
        match self {
            Self::Found(expression) => Some(expression),
            _ => None,
        }
    }

    /// True where it is certainly not there.
    pub fn is_missing(self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// Looks a property up in an object literal; the last one written wins, and
/// what is spread in may bring it.
pub fn property<'e, 'a>(object: &'e ObjectExpression<'a>, name: &str) -> Property<'e, 'a> {
    property_with(object, name, &mut |_| Property::Unknown)
}

/// The same with an answer for what is spread in.
fn property_with<'e, 'a>(
    object: &'e ObjectExpression<'a>,
    name: &str,
    spread: &mut dyn FnMut(&'e Expression<'a>) -> Property<'e, 'a>,
) -> Property<'e, 'a> {
    let mut from_the_last = object.properties.iter().rev().map(|kind| match kind {
        ObjectPropertyKind::ObjectProperty(property) => match key_name(&property.key) {
            Some(key) if key == name => Property::Found(&property.value),
            None if property.computed => Property::Unknown,
            _ => Property::Missing,
        },
        ObjectPropertyKind::SpreadProperty(given) => spread(&given.argument),
    });
    from_the_last.find(|property| !property.is_missing()).unwrap_or(Property::Missing)
}

/// The name of a property key that is written out.
pub fn key_name<'a>(key: &PropertyKey<'a>) -> Option<std::borrow::Cow<'a, str>> {
    match key {
        PropertyKey::PrivateIdentifier(id) => Some(std::borrow::Cow::Borrowed(id.name.as_str())),
        _ => key.static_name(),
    }
}

impl<'a> Model<'a> {
    /// Looks a property up in an object literal and in the literals that are
    /// spread into it: `{ ...DEFAULTS, max: 5 }`.
    pub fn property<'e>(&self, object: &'e ObjectExpression<'a>, name: &str) -> Property<'e, 'a>
    where
        'a: 'e,
    {
        self.property_within(object, name, DEPTH, &mut BTreeSet::new())
    }

    /// The search ends with the first object that is not without the property,
    /// so one that was `seen` is without it, however often it is spread in.
    fn property_within<'e>(
        &self,
        object: &'e ObjectExpression<'a>,
        name: &str,
        depth: u32,
        seen: &mut BTreeSet<Span>,
    ) -> Property<'e, 'a>
    where
        'a: 'e,
    {
        if depth == 0 {
            return Property::Unknown;
        }
        if !seen.insert(span(object)) {
            return Property::Missing;
        }
        property_with(object, name, &mut |given| self.property_of_spread(given, name, depth - 1, seen))
    }

    fn property_of_spread<'e>(
        &self,
        spread: &'e Expression<'a>,
        name: &str,
        depth: u32,
        seen: &mut BTreeSet<Span>,
    ) -> Property<'e, 'a>
    where
        'a: 'e,
    {
        // What is spread in only on a condition may be there or not.
        let perhaps = |missing: bool| if missing { Property::Missing } else { Property::Unknown };
        match bare(spread) {
            Expression::ConditionalExpression(choice) => {
                let mut branches = [&choice.consequent, &choice.alternate].into_iter();
                let missing = branches.all(|branch| self.property_of_spread(branch, name, depth, seen).is_missing());
                perhaps(missing)
            }
            Expression::LogicalExpression(logical) => {
                perhaps(self.property_of_spread(&logical.right, name, depth, seen).is_missing())
            }
            _ => match self.object(spread) {
                Some(object) => self.property_within(object, name, depth, seen),
                None => Property::Unknown,
            },
        }
    }

    /// The value of an expression, as far as reading tells.
    pub fn value(&self, expression: &Expression<'a>) -> Known<Value> {
        self.value_at(expression, DEPTH)
    }

    /// The numeric value of an expression.
    pub fn number(&self, expression: &Expression<'a>) -> Known<f64> {
        match self.value(expression) {
            Known::Here(Value::Number(number), at) => Known::Here(number, at),
            Known::Here(_, at) | Known::Opaque(at) => Known::Opaque(at),
            Known::Elsewhere(name, at) => Known::Elsewhere(name, at),
            Known::Absent => Known::Absent,
        }
    }

    fn value_at(&self, expression: &Expression<'a>, depth: u32) -> Known<Value> {
        let at = span(expression);
        let opaque = Known::Opaque(at);
        if depth == 0 {
            return opaque;
        }
        match bare(expression) {
            Expression::NumericLiteral(n) => Known::Here(n.value.into(), at),
            Expression::StringLiteral(s) => Known::Here(s.value.as_str().into(), at),
            Expression::BooleanLiteral(b) => Known::Here(b.value.into(), at),
            Expression::TemplateLiteral(t) => match t.single_quasi() {
                Some(text) => Known::Here(text.as_str().into(), at),
                None => opaque,
            },
            Expression::UnaryExpression(u) if u.operator == UnaryOperator::UnaryNegation => {
                match self.value_at(&u.argument, depth - 1) {
                    Known::Here(Value::Number(n), _) => Known::Here(Value::Number(-n), at),
                    _ => opaque,
                }
            }
            Expression::BinaryExpression(b) => {
                let sides = (self.value_at(&b.left, depth - 1), self.value_at(&b.right, depth - 1));
                let (Known::Here(Value::Number(x), _), Known::Here(Value::Number(y), _)) = sides else { return opaque };
                let result = match b.operator {
                    BinaryOperator::Addition => x + y,
                    BinaryOperator::Subtraction => x - y,
                    BinaryOperator::Multiplication => x * y,
                    BinaryOperator::Division => x / y,
                    _ => return opaque,
                };
                Known::Here(Value::Number(result), at)
            }
            other => self.value_of_path(other, depth, at),
        }
    }

    fn value_of_path(&self, expression: &Expression<'a>, depth: u32, at: Span) -> Known<Value> {
        let path = self.path_of(expression);
        if let Some(name) = self.name_ref(&path) {
            return Known::Elsewhere(name, at);
        }
        let Root::Symbol(symbol, _) = path.root else { return Known::Opaque(at) };
        let Binding::Constant(mut init) = self.binding(symbol) else { return Known::Opaque(at) };
        for member in &path.members {
            let Expression::ObjectExpression(object) = bare(init) else { return Known::Opaque(at) };
            match property(object, member) {
                Property::Found(value) => init = value,
                _ => return Known::Opaque(at),
            }
        }
        self.value_at(init, depth - 1)
    }

    /// The object literal that an expression is, or that its constant is.
    pub fn object<'e>(&self, expression: &'e Expression<'a>) -> Option<&'e ObjectExpression<'a>>
    where
        'a: 'e,
    {
        match bare(expression) {
            Expression::ObjectExpression(object) => Some(object),
            Expression::Identifier(id) => match self.binding(self.symbol_of(id)?) {
                Binding::Constant(init) => match bare(init) {
                    Expression::ObjectExpression(object) => Some(object),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}
