//! Encodings that hide texts: undone where the text is known.

/// A text from base64, with or without padding, in either alphabet; nothing where it is no text.
pub(super) fn base64(text: &str) -> Option<String> {
    let mut bits = 0u32;
    let mut count = 0;
    let mut out = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            byte if byte.is_ascii_whitespace() => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    String::from_utf8(out).ok()
}

/// A text from hexadecimal digits, with blanks or colons between them.
pub(super) fn hex(text: &str) -> Option<String> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b':')
        .collect();
    let mut out = Vec::with_capacity(digits.len() / 2);
    for pair in digits.chunks(2) {
        let pair = std::str::from_utf8(pair).ok()?;
        out.push(u8::from_str_radix(pair, 16).ok()?);
    }
    String::from_utf8(out).ok()
}

/// Thirteen letters further.
pub(super) fn rot13(text: &str) -> String {
    text.chars()
        .map(|character| {
            let turn = |base: u8| {
                let place = (u32::from(character) as u8).wrapping_sub(base);
                char::from(base + (place + 13) % 26)
            };
            match character {
                'a'..='z' => turn(b'a'),
                'A'..='Z' => turn(b'A'),
                other => other,
            }
        })
        .collect()
}

/// `%2f` and `+` of addresses.
pub(super) fn percent(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, more @ ..]) = (first, after) {
            let pair = [*high, *low];
            out.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
            rest = more;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes() {
        assert_eq!(base64("cm0gLXJmIC8=").as_deref(), Some("rm -rf /"));
        assert_eq!(base64("cm0gLXJmIC8").as_deref(), Some("rm -rf /"));
        assert_eq!(base64("///"), None);
        assert_eq!(hex("72 6d:20").as_deref(), Some("rm "));
        assert_eq!(hex("zz"), None);
        assert_eq!(rot13("ez -es /"), "rm -rf /");
        assert_eq!(percent("rm%20-rf").as_deref(), Some("rm -rf"));
    }
}
