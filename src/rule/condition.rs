//! Size conditions of a severity table: `network_calls >= 3`, `in_store`, `!bounded`.

use serde::Deserialize;

use crate::observe::{Value, Values};

/// A comparison of one value with a number, or a flag.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Condition {
    /// The value's name.
    pub name: String,
    test: Test,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    Is(bool),
    AtLeast(f64),
    AtMost(f64),
    Above(f64),
    Below(f64),
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [flag] => {
                let name = flag.strip_prefix('!').unwrap_or(flag);
                Ok(Self { name: name.to_owned(), test: Test::Is(name == *flag) })
            }
            [name, sign, number] => {
                let number: f64 = number.parse().map_err(|_| format!("`{number}` in `{text}` is not a number"))?;
                let test = match *sign {
                    ">=" => Test::AtLeast(number),
                    "<=" => Test::AtMost(number),
                    ">" => Test::Above(number),
                    "<" => Test::Below(number),
                    _ => return Err(format!("`{sign}` in `{text}` is none of >=, <=, >, <")),
                };
                Ok(Self { name: (*name).to_owned(), test })
            }
            _ => Err(format!("`{text}` is neither `name`, `!name` nor `name >= number`")),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.name;
        match self.test {
            Test::Is(true) => f.write_str(name),
            Test::Is(false) => write!(f, "not {name}"),
            Test::AtLeast(n) => write!(f, "{name} >= {n}"),
            Test::AtMost(n) => write!(f, "{name} <= {n}"),
            Test::Above(n) => write!(f, "{name} > {n}"),
            Test::Below(n) => write!(f, "{name} < {n}"),
        }
    }
}

impl Condition {
    /// True where the value is there and the comparison holds. A value that is
    /// not there satisfies nothing but `!name`.
    pub fn holds(&self, values: &Values) -> bool {
        let value = values.get(self.name.as_str());
        match (self.test, value) {
            (Test::Is(wanted), Some(Value::Flag(flag))) => *flag == wanted,
            (Test::Is(wanted), other) => other.is_some() == wanted,
            (Test::AtLeast(n), Some(Value::Number(v))) => *v >= n,
            (Test::AtMost(n), Some(Value::Number(v))) => *v <= n,
            (Test::Above(n), Some(Value::Number(v))) => *v > n,
            (Test::Below(n), Some(Value::Number(v))) => *v < n,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_read_values() {
        let values = Values::from([("calls".into(), Value::Number(3.0)), ("cached".into(), Value::Flag(false))]);
        let holds = |text: &str| Condition::try_from(text.to_owned()).map(|c| c.holds(&values));
        assert_eq!(holds("calls >= 3"), Ok(true));
        assert_eq!(holds("calls > 3"), Ok(false));
        assert_eq!(holds("cached"), Ok(false));
        assert_eq!(holds("!cached"), Ok(true));
        assert_eq!(holds("absent >= 0"), Ok(false));
        assert!(holds("calls about 3").is_err());
    }
}
