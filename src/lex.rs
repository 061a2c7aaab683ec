//! What stands between quotes, slashes and blanks: the pieces that are told
//! apart without a parser, in text that none may be let near yet (`depth`) or
//! that none reads (`suppress`).

/// Words of JavaScript that a value follows, so that `/` begins a regular
/// expression.
pub const BEFORE_VALUES: &[&[u8]] = &[
    b"return",
    b"typeof",
    b"case",
    b"in",
    b"of",
    b"void",
    b"delete",
    b"throw",
    b"yield",
    b"await",
    b"new",
    b"else",
    b"do",
    b"instanceof",
    b"default",
    b"extends",
];

/// Words whose parentheses a statement follows.
pub const BEFORE_STATEMENTS: &[&[u8]] = &[b"if", b"while", b"for", b"with"];

/// The word or number that a text begins with.
pub fn word(rest: &[u8]) -> &[u8] {
    let in_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') || *b >= 0x80;
    &rest[..rest.iter().take_while(|b| in_word(b)).count()]
}

/// The offset after the closing quote of what follows an opening one.
///
/// # Errors
/// Where the text has none, on the same line unless `over_lines`: the offset of
/// that line's end, or of the text's.
pub fn quoted(rest: &[u8], quote: u8, over_lines: bool) -> Result<usize, usize> {
    let mut at = 0;
    loop {
        let Some(stop) = memchr::memchr3(quote, b'\\', b'\n', &rest[at..]).map(|stop| at + stop) else {
            return Err(rest.len());
        };
        match rest[stop] {
            b'\n' if over_lines => at = stop + 1,
            b'\n' => return Err(stop),
            b'\\' => at = (stop + 2).min(rest.len()),
            _ => return Ok(stop + 1),
        }
    }
}

/// The offset after the closing slash of what follows an opening one. `None`
/// where the line has none: it was a division.
pub fn regex(rest: &[u8]) -> Option<usize> {
    let (mut class, mut escaped) = (false, false);
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\n' => return None,
            b'\\' => escaped = true,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The offset after the closing quote of a character of Rust, behind the
/// opening one. `None` for a lifetime, which has no second quote.
pub fn character(rest: &[u8]) -> Option<usize> {
    // One character has at most four bytes; `\u{10FFFF}` is the longest escape.
    const PLAIN: usize = 5;
    const ESCAPED: usize = 12;
    let escaped = rest.first() == Some(&b'\\');
    let (most, least) = if escaped { (ESCAPED, 2) } else { (PLAIN, 1) };
    let end = least + rest.iter().take(most).skip(least).position(|&b| b == b'\'')?;
    (escaped || end == 1 || rest[0] >= 0x80).then_some(end + 1)
}
