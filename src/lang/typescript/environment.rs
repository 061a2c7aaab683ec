//! Numbers that the environment may set, by the defaults that the code gives
//! them.

use oxc_ast::ast::{CallExpression, Expression, ObjectPropertyKind};
use oxc_syntax::operator::{LogicalOperator, UnaryOperator};

use super::names::{has_word, is_constant};
use super::path::argument;
use super::path::{Binding, Root};
use super::values::key_name;
use super::{Model, bare};
use crate::observe::{Known, Value};
use crate::source::Span;

impl<'a> Model<'a> {
    /// The number that an expression takes from the environment or the settings
    /// where these set no other: `Number(process.env.SIZE || 2)`,
    /// `env.SIZE ?? '2'`, `config.get('db.pool') ?? 1`.
    pub fn default_number(&self, expression: &Expression<'a>) -> Option<(f64, Span)> {
        match bare(expression) {
            Expression::CallExpression(call) => {
                let path = self.callee(call);
                let converts = path.is_global("Number", &[])
                    || path.is_global("parseInt", &[])
                    || path.is_global("parseFloat", &[])
                    || path.is_global("Number", &["parseInt"]);
                if converts {
                    return self.default_number(argument(&call.arguments, 0)?);
                }
                // `int('POOL_SIZE', 2)`, `config.get('POOL_SIZE', 2)`.
                let Known::Here(Value::Text(name), _) = self.value(argument(&call.arguments, 0)?) else { return None };
                if is_constant(&name) { self.plain_number(argument(&call.arguments, 1)?) } else { None }
            }
            Expression::Identifier(id) => match self.binding(self.symbol_of(id)?) {
                super::path::Binding::Constant(init) => self.default_number(init),
                _ => None,
            },
            Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::UnaryPlus => {
                self.default_number(&unary.argument)
            }
            Expression::LogicalExpression(logical)
                if logical.operator != LogicalOperator::And
                    && (self.reads_environment(&logical.left) || self.reads_settings(&logical.left)) =>
            {
                self.plain_number(&logical.right)
            }
            Expression::ConditionalExpression(choice)
                if self.reads_environment(&choice.test)
                    || self.reads_settings(&choice.consequent) && self.asks_for(&choice.test, &choice.consequent) =>
            {
                self.plain_number(&choice.alternate)
            }
            member @ Expression::StaticMemberExpression(_) => self.default_of_schema(member),
            _ => None,
        }
    }

    /// A number, or a text that is one.
    fn plain_number(&self, expression: &Expression<'a>) -> Option<(f64, Span)> {
        match self.value(expression) {
            Known::Here(Value::Number(number), at) => Some((number, at)),
            Known::Here(Value::Text(text), at) => text.trim().parse().ok().map(|number| (number, at)),
            _ => None,
        }
    }

    /// True where `process.env` is read, itself or by a name for it:
    /// `const env = process.env`.
    fn reads_environment(&self, expression: &Expression<'a>) -> bool {
        let says = |text: &str| ["process.env", "Bun.env", "import.meta.env"].iter().any(|env| text.contains(env));
        if says(self.text(expression)) {
            return true;
        }
        let whole = |root: Root<'_, 'a>| match root {
            Root::Symbol(symbol, _) => match self.binding(symbol) {
                Binding::Constant(init) => matches!(self.text(init), "process.env" | "Bun.env" | "import.meta.env"),
                _ => false,
            },
            _ => false,
        };
        match bare(expression) {
            Expression::CallExpression(call) => {
                call.arguments.iter().filter_map(|a| a.as_expression()).any(|given| whole(self.path_of(given).root))
            }
            other => whole(self.path_of(other).root),
        }
    }

    /// The default of `parsed.POOL_MAX`, where `const parsed = schema.parse(process.env)`.
    fn default_of_schema(&self, expression: &Expression<'a>) -> Option<(f64, Span)> {
        let path = self.path_of(expression);
        let (Root::Symbol(symbol, _), [name]) = (path.root, path.members.as_slice()) else { return None };
        let Binding::Constant(init) = self.binding(symbol) else { return None };
        let Expression::CallExpression(call) = bare(init) else { return None };
        let defaults = self.environment_schema(call);
        defaults.into_iter().find(|(key, ..)| key == name).map(|(_, number, at)| (number, at))
    }

    /// True where a test asks whether the value is there that a choice takes.
    fn asks_for(&self, test: &Expression<'a>, taken: &Expression<'a>) -> bool {
        let value = match bare(taken) {
            Expression::CallExpression(call) if self.callee(call).is_global("Number", &[]) => {
                argument(&call.arguments, 0).unwrap_or(taken)
            }
            other => other,
        };
        let plain = |expression: &Expression<'a>| self.text(expression).replace("?.", ".");
        let (test, value) = (plain(test), plain(value));
        test.match_indices(&value).any(|(at, _)| !test[at + value.len()..].starts_with(|c: char| c.is_alphanumeric()))
    }

    /// `config.database.poolMax`, `this.configService.get('db.pool')`,
    /// `settings.pool.max`: members of what configures a program. Options that
    /// callers hand in are none.
    fn reads_settings(&self, expression: &Expression<'a>) -> bool {
        const SETTINGS: &[&str] = &["config", "configuration", "conf", "cfg", "settings", "env"];
        let path = match bare(expression) {
            Expression::CallExpression(call) => match (self.callee(call), argument(&call.arguments, 0)) {
                (path, Some(inner)) if path.is_global("Number", &[]) => return self.reads_settings(inner),
                (path, Some(_)) => path,
                (_, None) => return false,
            },
            other => self.path_of(other),
        };
        let of_settings = |name: &str| has_word(name, SETTINGS);
        let root = match path.root {
            // A service that is asked is no caller's option.
            Root::Symbol(symbol, _)
                if matches!(self.binding(symbol), Binding::Parameter)
                    && !matches!(bare(expression), Expression::CallExpression(_)) =>
            {
                return false;
            }
            Root::Symbol(_, name) | Root::Global(name) => name,
            _ => "",
        };
        let Some((_, holders)) = path.members.split_last() else { return false };
        of_settings(root) || holders.iter().any(|holder| of_settings(holder))
    }

    /// The defaults of `schema.parse(process.env)`, by the names of the
    /// variables: `z.object({ SIZE: z.coerce.number().default(2) })`.
    pub fn environment_schema(&self, call: &CallExpression<'a>) -> Vec<(String, f64, Span)> {
        let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return Vec::new() };
        let parses = matches!(member.property.name.as_str(), "parse" | "validateSync" | "cast");
        if !parses || !argument(&call.arguments, 0).is_some_and(|given| self.reads_environment(given)) {
            return Vec::new();
        }
        let object = argument_of_object(self, &member.object);
        let properties = object.into_iter().flat_map(|object| &object.properties);
        let defaults = properties.filter_map(|kind| {
            let ObjectPropertyKind::ObjectProperty(property) = kind else { return None };
            let (number, at) = self.schema_default(&property.value)?;
            Some((key_name(&property.key)?.into_owned(), number, at))
        });
        defaults.collect()
    }

    /// The argument of `.default(…)` in a chain that describes a number.
    fn schema_default(&self, schema: &Expression<'a>) -> Option<(f64, Span)> {
        let mut at = bare(schema);
        loop {
            let Expression::CallExpression(call) = at else { return None };
            let Expression::StaticMemberExpression(member) = bare(&call.callee) else { return None };
            if member.property.name == "default" {
                return self.plain_number(argument(&call.arguments, 0)?);
            }
            at = bare(&member.object);
        }
    }
}

/// The object that `z.object({…})` is given, of the schema or of its constant.
fn argument_of_object<'e, 'a>(
    model: &Model<'a>,
    schema: &'e Expression<'a>,
) -> Option<&'e oxc_ast::ast::ObjectExpression<'a>>
where
    'a: 'e,
{
    use super::path::Binding;
    let call = match bare(schema) {
        Expression::CallExpression(call) => call,
        Expression::Identifier(id) => match model.binding(model.symbol_of(id)?) {
            Binding::Constant(init) => match bare(init) {
                Expression::CallExpression(call) => call,
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    match argument(&call.arguments, 0) {
        Some(Expression::ObjectExpression(object)) if model.callee(call).leaf() == "object" => Some(object),
        _ => None,
    }
}
