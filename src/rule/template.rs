//! `{name}` templates of a rule's prose.

use crate::observe::Values;

/// The names that a template uses, in order; `{{` and `}}` are plain braces.
///
/// # Errors
/// A sentence where a brace is left open.
pub fn names(template: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    pieces(template, |piece| {
        if let Piece::Name(name) = piece {
            found.push(name);
        }
    })?;
    Ok(found)
}

/// The template with its names replaced by their values. A name without a
/// value stays visible in braces; the laws hold that this does not happen.
pub fn fill(template: &str, values: &Values) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let done = pieces(template, |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Name(name) => match values.get(name) {
            Some(value) => {
                let value = value.to_string();
                if ends_in_article(&out) && takes_an(&value) {
                    out.insert(out.trim_end().len(), 'n');
                }
                out.push_str(&value);
            }
            None => {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
        },
    });
    if done.is_ok() { out } else { template.to_owned() }
}

/// True where `text` waits for a noun: `through a `.
fn ends_in_article(text: &str) -> bool {
    text.strip_suffix("a ").is_some_and(|before| before.is_empty() || before.ends_with(' '))
}

/// True for a name that is spoken with a vowel at its start: `axios`, `undici`.
fn takes_an(name: &str) -> bool {
    name.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) || name.starts_with("un")
}

enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

fn pieces<'t>(template: &'t str, mut each: impl FnMut(Piece<'t>)) -> Result<(), String> {
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, brace) = rest.split_at(at);
        if !text.is_empty() {
            each(Piece::Text(text));
        }
        let doubled = brace.len() > 1 && brace.as_bytes()[0] == brace.as_bytes()[1];
        if doubled {
            each(Piece::Text(&brace[..1]));
            rest = &brace[2..];
        } else if brace.starts_with('}') {
            return Err("`}` without `{`; write `}}` for a brace".to_owned());
        } else {
            let end = brace.find('}').ok_or("`{` without `}`; write `{{` for a brace")?;
            each(Piece::Name(&brace[1..end]));
            rest = &brace[end + 1..];
        }
    }
    if !rest.is_empty() {
        each(Piece::Text(rest));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_filled() {
        let values = Values::from([("count".into(), 3u32.into())]);
        assert_eq!(names("{count} of {{{total}}}"), Ok(vec!["count", "total"]));
        assert_eq!(fill("{count} of {{x}} {gone}", &values), "3 of {x} {gone}");
        let client = |name: &str| Values::from([("client".into(), name.into())]);
        assert_eq!(fill("through a {client} client", &client("axios")), "through an axios client");
        assert_eq!(fill("a {client} pool", &client("undici")), "an undici pool");
        assert_eq!(fill("a {client} pool", &client("pg")), "a pg pool");
        assert_eq!(fill("area {client}", &client("axios")), "area axios");
        assert!(names("{open").is_err());
        assert!(names("shut}").is_err());
    }
}
