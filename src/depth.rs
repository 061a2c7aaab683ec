//! Refuses text that would overflow the parsers' stacks: they recurse, cannot
//! be interrupted, and a stack overflow ends the process.

/// Most open brackets. oxc and syn passed 50,000 on 256 MB of stack.
const BRACKETS: u32 = 20_000;

/// Most tokens between two of `;`, `,`, `{` and `}`: a chain of operators,
/// prefixes or `else if` nests as deeply as brackets do.
const CHAIN: u32 = 50_000;

/// Most `else if` of one chain's length: its braces would reset the count.
const ELSE_IFS: usize = 20_000;

/// Why a text is too deep; `None` where the parsers bear it.
///
/// Quoted text on one line is left out; template literals, comments and
/// regular expressions are not told apart, so the figures are upper bounds.
pub fn too_deep(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    // No shorter text can nest so deeply: every level takes a byte.
    if bytes.len() < BRACKETS as usize {
        return None;
    }
    // Nor can a text of few brackets that is shorter than the longest chain.
    if bytes.len() <= CHAIN as usize {
        let opens = bytes.iter().filter(|&&byte| byte == b'(' || byte == b'[' || byte == b'{').count();
        if opens <= BRACKETS as usize {
            return None;
        }
    }
    let (mut open, mut chain, mut in_word) = (0u32, 0u32, false);
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 {
            chain += u32::from(!in_word);
            in_word = true;
            continue;
        }
        in_word = false;
        match byte {
            b'(' | b'[' => {
                open += 1;
                chain += 1;
            }
            b'{' => {
                open += 1;
                chain = 0;
            }
            b')' | b']' => open = open.saturating_sub(1),
            b'}' => {
                open = open.saturating_sub(1);
                chain = 0;
            }
            b';' | b',' => chain = 0,
            b'"' | b'\'' => {
                if let Some(end) = end_of_quote(&bytes[at..], byte) {
                    at += end;
                }
            }
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => chain += 1,
        }
        if open > BRACKETS {
            return Some(format!("more than {BRACKETS} open brackets"));
        }
        if chain > CHAIN {
            return Some(format!("an expression of more than {CHAIN} tokens"));
        }
    }
    let else_ifs = memchr::memmem::find_iter(bytes, b"else if").take(ELSE_IFS + 1).count();
    (else_ifs > ELSE_IFS).then(|| format!("more than {ELSE_IFS} `else if`"))
}

/// The offset after the closing quote, where it stands on the same line.
fn end_of_quote(rest: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let stop = at + memchr::memchr3(quote, b'\\', b'\n', &rest[at..])?;
        match rest[stop] {
            b'\n' => return None,
            b'\\' => at = (stop + 2).min(rest.len()),
            _ => return Some(stop + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_texts_are_refused() {
        assert!(too_deep(&"(".repeat(20_001)).is_some());
        assert!(too_deep(&"(".repeat(10_000)).is_none());
        assert!(too_deep(&"!".repeat(60_000)).is_some());
        assert!(too_deep(&"typeof ".repeat(60_000)).is_some());
        assert!(too_deep(&"if (a) { } else if (b) { } ".repeat(20_001)).is_some());
    }

    #[test]
    fn long_but_flat_texts_pass() {
        assert!(too_deep(&"a(1, [2], { b: 3 });\n".repeat(50_000)).is_none());
        let data = format!("const data = \"{}\";", "a+/".repeat(400_000));
        assert!(too_deep(&data).is_none());
        assert!(too_deep("const open = \"").is_none());
    }
}
