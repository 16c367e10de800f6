//! `echo` and `printf`.

use cmdai_schema::Span;

use crate::{
    fields::Fields,
    value::{MAX_TEXT, Stream, Taint, Text},
};

/// Widest field that is made.
const MAX_WIDTH: usize = 4_096;

/// Which sequences a backslash begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// `echo -e`: `\0NNN`, `\c` ends everything.
    Echo,
    /// The format of `printf`: `\NNN`.
    Format,
    /// `%b`: both.
    Value,
}

/// What `echo` prints.
pub(crate) fn echo(args: &[Text]) -> Stream {
    let (mut newline, mut escaped) = (true, false);
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        let flags = arg
            .text
            .strip_prefix('-')
            .filter(|flags| !flags.is_empty() && flags.bytes().all(|byte| b"neE".contains(&byte)));
        let Some(flags) = flags else { break };
        for flag in flags.bytes() {
            match flag {
                b'n' => newline = false,
                b'e' => escaped = true,
                _ => escaped = false,
            }
        }
        at += 1;
    }
    let rest = args.get(at..).unwrap_or_default();
    let mut text = crate::fields::join_texts(rest, " ", Span::default());
    if rest.iter().any(|arg| !arg.known && arg.taint.is_some()) {
        return tainted(rest);
    }
    if escaped && text.text.contains('\\') {
        let Some((decoded, stopped)) = decode(&text.text, Escapes::Echo) else {
            return Stream::Tainted(Taint::Made);
        };
        text.text = decoded;
        newline &= !stopped;
        text.empty = text
            .empty
            .and_then(|empty| decode(&empty, Escapes::Echo))
            .map(|(text, _)| text);
    }
    if newline {
        text.text.push('\n');
        if let Some(empty) = &mut text.empty {
            empty.push('\n');
        }
    }
    Stream::of(text)
}

fn tainted(args: &[Text]) -> Stream {
    let mut taint = Taint::Unknown;
    for arg in args {
        if let Some(next) = &arg.taint {
            taint = taint.worse(next.clone());
        }
    }
    Stream::Tainted(taint)
}

/// Backslash sequences to text, and whether `\c` ended it. Nothing where the bytes form no text.
fn decode(text: &str, escapes: Escapes) -> Option<(String, bool)> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
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
        let simple = match kind {
            b'a' => Some(7),
            b'b' => Some(8),
            b'e' | b'E' => Some(27),
            b'f' => Some(12),
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'v' => Some(11),
            b'\\' => Some(b'\\'),
            b'"' | b'\'' | b'?' if escapes != Escapes::Echo => Some(kind),
            _ => None,
        };
        if let Some(byte) = simple {
            out.push(byte);
            rest = tail;
            continue;
        }
        if kind == b'c' && escapes != Escapes::Format {
            return Some((String::from_utf8(out).ok()?, true));
        }
        let (radix, most, from) = match (kind, escapes) {
            (b'0', Escapes::Echo | Escapes::Value) => (8, 3, tail),
            (b'0'..=b'7', Escapes::Format | Escapes::Value) => (8, 3, rest),
            (b'x', _) => (16, 2, tail),
            (b'u', _) => (16, 4, tail),
            (b'U', _) => (16, 8, tail),
            _ => {
                out.push(b'\\');
                continue;
            }
        };
        let used = from
            .iter()
            .take(most)
            .take_while(|byte| char::from(**byte).is_digit(radix))
            .count();
        if used == 0 && kind != b'0' {
            out.push(b'\\');
            continue;
        }
        let mut value = 0u32;
        for byte in from.iter().take(used) {
            value = value
                .wrapping_mul(radix)
                .wrapping_add(char::from(*byte).to_digit(radix).unwrap_or(0));
        }
        rest = from.get(used..).unwrap_or_default();
        if matches!(kind, b'u' | b'U') {
            let next = char::from_u32(value)?;
            out.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            out.push(u8::try_from(value & 0xff).unwrap_or(b'?'));
        }
    }
    Some((String::from_utf8(out).ok()?, false))
}

/// One `%…` of a format.
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    blank: bool,
    hash: bool,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn pad(&self, text: &str, numeric: bool) -> String {
        let len = text.chars().count();
        let missing = self.width.saturating_sub(len);
        if missing == 0 {
            return text.to_owned();
        }
        if self.left {
            return format!("{text}{}", " ".repeat(missing));
        }
        if self.zero && numeric && self.precision.is_none() {
            let (sign, digits) = match text.strip_prefix(['-', '+', ' ']) {
                Some(digits) => text.split_at(text.len() - digits.len()),
                None => ("", text),
            };
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        format!("{}{text}", " ".repeat(missing))
    }

    fn number(&self, kind: char, value: i64) -> String {
        let mut digits = match kind {
            'x' => format!("{value:x}"),
            'X' => format!("{value:X}"),
            'o' => format!("{value:o}"),
            'u' => value.cast_unsigned().to_string(),
            _ => value.unsigned_abs().to_string(),
        };
        if let Some(precision) = self.precision {
            let missing = precision.min(MAX_WIDTH).saturating_sub(digits.len());
            digits.insert_str(0, &"0".repeat(missing));
        }
        if self.hash && value != 0 {
            match kind {
                'x' => digits.insert_str(0, "0x"),
                'X' => digits.insert_str(0, "0X"),
                'o' if !digits.starts_with('0') => digits.insert(0, '0'),
                _ => {}
            }
        }
        if matches!(kind, 'd' | 'i') {
            if value < 0 {
                digits.insert(0, '-');
            } else if self.plus {
                digits.insert(0, '+');
            } else if self.blank {
                digits.insert(0, ' ');
            }
        }
        self.pad(&digits, true)
    }
}

/// What `printf` prints.
pub(crate) fn printf(args: &[Text]) -> Stream {
    let args = match args.split_first() {
        Some((first, rest)) if first.text == "--" => rest,
        _ => args,
    };
    let Some((format, rest)) = args.split_first() else {
        return Stream::Empty;
    };
    if !format.known {
        return tainted(args);
    }
    let mut out = Fields::new(format.span);
    out.mark_quoted();
    let mut values = rest.iter();
    loop {
        let left = values.len();
        match once(&format.text, &mut values, &mut out) {
            Some(true) => {}
            Some(false) => break,
            None => return tainted(args),
        }
        if values.len() == 0 || values.len() == left || out.text.text.len() > MAX_TEXT {
            break;
        }
    }
    let text = out.finish().into_iter().next().unwrap_or_default();
    Stream::of(text)
}

/// Goes through the format once. False where `\c` ended everything, nothing where it cannot be told.
fn once(format: &str, values: &mut std::slice::Iter<'_, Text>, out: &mut Fields) -> Option<bool> {
    let mut rest = format;
    loop {
        let end = rest.find('%').unwrap_or(rest.len());
        let (plain, tail) = rest.split_at(end);
        if !plain.is_empty() {
            let (text, _) = decode(plain, Escapes::Format)?;
            out.push(&text);
        }
        let Some(tail) = tail.strip_prefix('%') else {
            return Some(true);
        };
        let mut spec = Spec::default();
        let mut chars = tail.chars();
        let mut kind = chars.next()?;
        loop {
            match kind {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.blank = true,
                '#' => spec.hash = true,
                '\'' => {}
                _ => break,
            }
            kind = chars.next()?;
        }
        let mut measure = |kind: &mut char| -> Option<usize> {
            if *kind == '*' {
                *kind = chars.next()?;
                let value = values.next()?;
                return value.text.parse().ok().filter(|_| value.known);
            }
            let mut value = 0usize;
            while let Some(digit) = kind.to_digit(10) {
                value = value.saturating_mul(10).saturating_add(digit as usize);
                *kind = chars.next()?;
            }
            Some(value)
        };
        spec.width = measure(&mut kind)?;
        if kind == '.' {
            // A zero in front changes nothing.
            kind = '0';
            spec.precision = Some(measure(&mut kind)?);
        }
        if spec.width > MAX_WIDTH || spec.precision.is_some_and(|precision| precision > MAX_TEXT) {
            return None;
        }
        while matches!(kind, 'l' | 'h' | 'j' | 'z' | 't' | 'L') {
            kind = chars.next()?;
        }
        rest = chars.as_str();
        if kind == '%' {
            out.push("%");
            continue;
        }
        let value = values.next();
        if let Some(value) = value
            && !value.known
        {
            if matches!(kind, 's' | 'b') && spec.width == 0 && spec.precision.is_none() {
                out.push_value(value, "$value", true);
            } else {
                out.push_unknown("$value", false, value.taint.clone());
            }
            continue;
        }
        let text = value.map_or("", |value| value.text.as_str());
        match kind {
            's' | 'b' => {
                let (text, stopped) = if kind == 'b' {
                    decode(text, Escapes::Value)?
                } else {
                    (text.to_owned(), false)
                };
                let cut = match spec.precision {
                    Some(precision) => text.chars().take(precision).collect(),
                    None => text,
                };
                out.push(&spec.pad(&cut, false));
                if stopped {
                    return Some(false);
                }
            }
            'c' => {
                let first: String = text.chars().take(1).collect();
                out.push(&spec.pad(&first, false));
            }
            'q' => out.push(&spec.pad(&quoted(text)?, false)),
            'd' | 'i' | 'o' | 'u' | 'x' | 'X' => {
                let value = integer(text)?;
                out.push(&spec.number(kind, value));
            }
            _ => return None,
        }
    }
}

/// A number as `printf` reads it.
fn integer(text: &str) -> Option<i64> {
    if let Some(rest) = text.strip_prefix(['\'', '"']) {
        return rest.chars().next().map(|next| i64::from(u32::from(next)));
    }
    let trimmed = text.trim_start();
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if digits.is_empty() {
        return trimmed.is_empty().then_some(0);
    }
    let value = if let Some(hex) = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        i64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(sign * value)
}

/// `%q`, where plain characters and backslashes are enough.
fn quoted(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("''".to_owned());
    }
    let mut out = String::with_capacity(text.len());
    for (at, next) in text.chars().enumerate() {
        if next.is_control() || !next.is_ascii() {
            return None;
        }
        let plain = next.is_ascii_alphanumeric()
            || matches!(next, '_' | '-' | '.' | '/' | ':' | '=' | '@' | '%' | '+')
            || matches!(next, '~' | '#') && at > 0;
        if !plain {
            out.push('\\');
        }
        out.push(next);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{echo, printf};
    use crate::value::{Stream, Text};

    fn texts(all: &[&str]) -> Vec<Text> {
        all.iter()
            .map(|text| Text::known(*text, Default::default()))
            .collect()
    }

    #[test]
    fn formats() {
        for (args, expected) in [
            (&["%s-%s\\n", "a", "b"][..], "a-b\n"),
            (&["\\162\\155"], "rm"),
            (&["%s ", "a", "b"], "a b "),
            (&["%5s|%-4s|", "ab", "c"], "   ab|c   |"),
            (&["%05d %x %o", "42", "255", "8"], "00042 ff 10"),
            (&["%b", "\\x72\\155\\0040"], "rm "),
            (&["%.2s", "abc"], "ab"),
            (&["%c%c", "rm", "x"], "rx"),
            (&["%d", "'a"], "97"),
            (&["%*d", "4", "7"], "   7"),
            (&["%%"], "%"),
            (&["%s"], ""),
            (&["%q", "a b"], "a\\ b"),
        ] {
            assert_eq!(
                printf(&texts(args)),
                Stream::Known(expected.to_owned()),
                "{args:?}"
            );
        }
    }

    #[test]
    fn echoes() {
        assert_eq!(
            echo(&texts(&["-ne", "a\\x41\\0102\\n\\cz"])),
            Stream::Known("aAB\n".to_owned())
        );
        assert_eq!(
            echo(&texts(&["-n", "a\\n"])),
            Stream::Known("a\\n".to_owned())
        );
    }
}
