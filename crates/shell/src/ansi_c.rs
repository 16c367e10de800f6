//! `$'…'`: backslash sequences to text.

/// Decodes what stands between `$'` and `'`. A NUL ends the text, as in bash. Bytes above 127 that do
/// not form UTF-8 become U+FFFD.
pub fn decode(raw: &str) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&kind, tail)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        rest = tail;
        let simple = match kind {
            b'a' => Some(7),
            b'b' => Some(8),
            b'e' | b'E' => Some(27),
            b'f' => Some(12),
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'v' => Some(11),
            b'\\' | b'\'' | b'"' | b'?' => Some(kind),
            _ => None,
        };
        if let Some(byte) = simple {
            out.push(byte);
            continue;
        }
        let (value, used) = match kind {
            b'0'..=b'7' => {
                let (more, used) = digits(rest, 8, 2);
                (
                    Some(
                        u32::from(kind - b'0') * 8u32.pow(u32::try_from(used).unwrap_or(0)) + more,
                    ),
                    used,
                )
            }
            b'x' => {
                let (value, used) = digits(rest, 16, 2);
                ((used > 0).then_some(value), used)
            }
            b'u' | b'U' => {
                let (value, used) = digits(rest, 16, if kind == b'u' { 4 } else { 8 });
                if used > 0 {
                    let mut buffer = [0; 4];
                    let text = char::from_u32(value)
                        .unwrap_or('\u{fffd}')
                        .encode_utf8(&mut buffer);
                    out.extend_from_slice(text.as_bytes());
                    rest = rest.get(used..).unwrap_or_default();
                    continue;
                }
                (None, 0)
            }
            b'c' => match rest.first() {
                Some(&next) => (Some(u32::from(next) & 0x1f), 1),
                None => (None, 0),
            },
            _ => (None, 0),
        };
        rest = rest.get(used..).unwrap_or_default();
        match value {
            Some(value) if value & 0xff == 0 => break,
            Some(value) => out.push(u8::try_from(value & 0xff).unwrap_or(b'?')),
            None => out.extend_from_slice(&[b'\\', kind]),
        }
    }
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn digits(bytes: &[u8], radix: u32, most: usize) -> (u32, usize) {
    let mut value = 0u32;
    let mut used = 0;
    for &byte in bytes.iter().take(most) {
        let Some(digit) = char::from(byte).to_digit(radix) else {
            break;
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        used += 1;
    }
    (value, used)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn sequences() {
        assert_eq!(decode(r"\x72\155 -\u0072f \/\n\e"), "rm -rf \\/\n\u{1b}");
        assert_eq!(decode(r"a\0b"), "a");
        assert_eq!(decode(r"\'\q\"), "'\\q\\");
        assert_eq!(decode(r"\cA"), "\u{1}");
    }
}
