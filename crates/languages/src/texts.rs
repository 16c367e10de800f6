//! What the escapes in texts stand for.

/// Reads backslash escapes as C, Python, JavaScript, Ruby, Perl and PHP write them between double
/// quotes. An escape that none of them knows stands for itself without the backslash.
pub(crate) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        rest = escape(rest, &mut out);
    }
    out.push_str(rest);
    out
}

/// Between single quotes of Ruby, Perl and PHP: the quote and the backslash alone are escaped.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\\'
            && let Some(next) = characters.next_if(|next| matches!(next, '\\' | '\''))
        {
            out.push(next);
        } else {
            out.push(character);
        }
    }
    out
}

/// One escape after its backslash; what follows it.
fn escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(first) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = rest.get(first.len_utf8()..).unwrap_or_default();
    let simple = match first {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'e' => '\u{1b}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\n' => return after,
        'x' | 'u' | 'U' => {
            let braced = after
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'));
            let (digits, next) = match braced {
                Some(pair) => pair,
                None => {
                    let most = match first {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let end = after
                        .bytes()
                        .take(most)
                        .take_while(u8::is_ascii_hexdigit)
                        .count();
                    (
                        after.get(..end).unwrap_or_default(),
                        after.get(end..).unwrap_or_default(),
                    )
                }
            };
            match u32::from_str_radix(digits.trim(), 16)
                .ok()
                .and_then(char::from_u32)
            {
                Some(character) => out.push(character),
                None => out.push(first),
            }
            return next;
        }
        '0'..='7' => {
            let end = rest
                .bytes()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            let digits = rest.get(..end).unwrap_or_default();
            if let Some(character) = u32::from_str_radix(digits, 8).ok().and_then(char::from_u32) {
                out.push(character);
            }
            return rest.get(end..).unwrap_or_default();
        }
        other => other,
    };
    out.push(simple);
    after
}

/// A whole number as the languages write it.
pub(crate) fn number(text: &str) -> Option<i64> {
    let text = text.replace('_', "");
    let lower = text.to_ascii_lowercase();
    let lower = lower.trim_end_matches(['n', 'l']);
    if let Some(digits) = lower.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = lower.strip_prefix("0b") {
        return i64::from_str_radix(digits, 2).ok();
    }
    if let Some(digits) = lower.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok();
    }
    if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|byte| byte.is_ascii_digit())
    {
        return i64::from_str_radix(lower, 8).ok();
    }
    lower.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(unescaped(r"a\x2fb\u002f\u{2f}\57\n\q"), "a/b///\nq");
        assert_eq!(unescaped("a\\"), "a\\");
        assert_eq!(plain(r"a\'b\\c\n"), r"a'b\c\n");
    }

    #[test]
    fn numbers() {
        assert_eq!(number("0o755"), Some(493));
        assert_eq!(number("0755"), Some(493));
        assert_eq!(number("1_000"), Some(1000));
        assert_eq!(number("1.5"), None);
    }
}
