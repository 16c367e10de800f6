//! Encodings of text: base 64 in lines, dumps in hex.

use crate::{filters::Args, value::Text};

/// What `base64` prints.
pub(crate) fn base64_lines(args: &[Text], text: &str) -> Option<String> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let args = Args::read(args, "wb", &[("wrap", 'w'), ("break", 'b')])?;
    if !args.only_letters("wb") {
        return None;
    }
    let width: usize = match args.all('w').last() {
        Some(width) => width.parse().ok()?,
        None => 76,
    };
    let mut out = String::with_capacity(text.len() * 4 / 3 + 4);
    let mut column = 0;
    for chunk in text.as_bytes().chunks(3) {
        let mut bits = 0u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            if width > 0 && column == width {
                out.push('\n');
                column = 0;
            }
            let digit = usize::try_from(bits >> (18 - 6 * at) & 63).ok()?;
            out.push(if at <= chunk.len() {
                char::from(*DIGITS.get(digit)?)
            } else {
                '='
            });
            column += 1;
        }
    }
    if width > 0 && !out.is_empty() {
        out.push('\n');
    }
    Some(out)
}

/// What `xxd` prints, plain or as a dump.
pub(crate) fn text_to_dump(args: &[Text], text: &str) -> Option<String> {
    let args = Args::read(args, "c", &[])?;
    let mut out = String::with_capacity(text.len() * 4);
    if args.has('p') && args.only_letters("p") {
        for line in text.as_bytes().chunks(30) {
            for byte in line {
                out.push_str(&format!("{byte:02x}"));
            }
            out.push('\n');
        }
        return Some(out);
    }
    if !args.only_letters("") {
        return None;
    }
    for (row, line) in text.as_bytes().chunks(16).enumerate() {
        let mut hex = String::with_capacity(40);
        for pair in line.chunks(2) {
            for byte in pair {
                hex.push_str(&format!("{byte:02x}"));
            }
            hex.push(' ');
        }
        let shown: String = line
            .iter()
            .map(|byte| {
                if (32..127).contains(byte) {
                    char::from(*byte)
                } else {
                    '.'
                }
            })
            .collect();
        out.push_str(&format!("{:08x}: {hex:<40} {shown}\n", row * 16));
    }
    Some(out)
}

/// What `xxd -r` makes of a dump or of plain digits.
pub(crate) fn dump_to_text(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(text.len());
    for line in text.lines() {
        match line.split_once(": ") {
            Some((_, rest)) => {
                // Two blanks stand in front of what is shown as text.
                digits.push_str(rest.split("  ").next().unwrap_or(""));
            }
            None => digits.push_str(line),
        }
    }
    crate::output::hex(&digits)
}
