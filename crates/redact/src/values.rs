//! Which values can be a secret: references, placeholders, switches and patterns cannot.

use crate::names::Strength;

/// Words that stand where a secret would, without being one.
const WORDS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "undefined",
    "0",
    "1",
    "-",
    "--",
    "redacted",
    "basic",
    "bearer",
    "digest",
    "oauth",
    "oauth2",
    "prompt",
    "stdin",
    "required",
    "optional",
    "always",
    "never",
    "auto",
    "default",
    "empty",
    "string",
    "str",
];

/// True where the value is worth hiding.
pub(crate) fn is_secret(value: &str, strength: Strength) -> bool {
    let value = value.trim_matches(['"', '\'']);
    if value.is_empty()
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
        || placeholder(value)
        || path(value)
    {
        return false;
    }
    let (literal, referred) = literal(value);
    let signs = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_punctuation());
    if literal == 0 || signs || (referred && literal < 4) {
        return false;
    }
    match strength {
        Strength::Strong => true,
        Strength::Medium => {
            value.len() >= 4
                && (value.len() >= 6 || !value.bytes().all(|byte| byte.is_ascii_digit()))
        }
        Strength::Weak => random(value),
    }
}

/// The same for a value between single quotes, in which a shell resolves nothing. `certain`: these quotes
/// are the shell's; else they may stand inside double ones (`psql -c "… PASSWORD '$PW'"`).
pub(crate) fn is_literal_secret(value: &str, strength: Strength, certain: bool) -> bool {
    if is_secret(value, strength) {
        return true;
    }
    let signs = value.bytes().any(|byte| matches!(byte, b'$' | b'`'));
    let blank = value.bytes().any(|byte| byte.is_ascii_whitespace());
    if !signs
        || (blank && !certain)
        || value.len() < 6
        || placeholder(value)
        || value.contains("[redacted:")
    {
        return false;
    }
    // A name in capitals or braces is one that something else will resolve.
    let reference = match value.strip_prefix('$') {
        Some(name) if name.starts_with(['{', '(']) => name.ends_with(['}', ')']),
        Some(name) => name.bytes().all(|byte| {
            byte.is_ascii_digit()
                || byte == b'_'
                || if certain {
                    byte.is_ascii_uppercase()
                } else {
                    byte.is_ascii_alphabetic()
                }
        }),
        None => !certain && value.starts_with('`') && value.ends_with('`'),
    };
    !reference && (strength != Strength::Weak || random(value))
}

/// Obvious stand-ins: `<token>`, `***`, `xxxx`, `...`, `{{ x }}`, `%s`, `@file`, a pattern.
fn placeholder(value: &str) -> bool {
    let bytes = value.as_bytes();
    let first = bytes.first().copied().unwrap_or(0);
    let same = |wanted: &[u8]| bytes.iter().all(|byte| wanted.contains(byte));
    if (value.starts_with('<') && value.ends_with('>'))
        || (value.starts_with("{{") && value.ends_with("}}"))
    {
        return true;
    }
    if same(b"*") || same(b".") || same(b"xX") || same(b"_") || same(b"?") || value.starts_with("…")
    {
        return true;
    }
    let file = first == b'@'
        && (value.len() == 1
            || value
                .bytes()
                .skip(1)
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-/~".contains(&byte))
                && (value.contains('/') || value.contains('.')));
    let pattern = [
        "[^", "\\S", "\\w", "\\s", "\\d", ".*", ".+", "(.", "([", "(\\", "%s", "%d", "\\1", "\\K",
    ]
    .iter()
    .any(|start| value.starts_with(start));
    file || pattern
}

/// Where the secret would be: a file.
fn path(value: &str) -> bool {
    const FILES: [&str; 22] = [
        ".pem", ".key", ".crt", ".json", ".yaml", ".yml", ".txt", ".env", ".gpg", ".asc", ".p12",
        ".pfx", ".cfg", ".conf", ".ini", ".toml", ".sh", ".py", ".pub", ".kdbx", ".jks", ".tf",
    ];
    if FILES.iter().any(|file| value.ends_with(file))
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-~/".contains(&byte))
    {
        return true;
    }
    let rooted = ["/", "./", "../", "~/"]
        .iter()
        .any(|start| value.starts_with(start));
    rooted
        && value.len() > 2
        && value.split('/').all(|part| {
            part.len() <= 32
                && part.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-~".contains(&byte)
                })
        })
}

/// Count of letters and digits outside references and markers, and whether there are references.
fn literal(value: &str) -> (usize, bool) {
    let bytes = value.as_bytes();
    let mut count = 0;
    let mut referred = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        let skip = match (byte, next) {
            (b'$', b'(') => closing(bytes, at + 1, b'(', b')'),
            (b'$', b'{') => braces(bytes, at),
            (b'$', next) if next.is_ascii_alphabetic() || next == b'_' => {
                1 + bytes
                    .iter()
                    .skip(at + 1)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count()
            }
            (b'$', next) if next.is_ascii_digit() || b"@*#?!$".contains(&next) => 2,
            (b'`', _) => bytes
                .iter()
                .skip(at + 1)
                .position(|byte| *byte == b'`')
                .map_or(bytes.len() - at, |end| end + 2),
            (b'[', b'r') => marker(value, at),
            _ => 0,
        };
        if skip > 0 {
            referred = true;
            at += skip;
            continue;
        }
        if byte != b'\\' && byte > b' ' {
            count += 1;
        }
        at += 1;
    }
    (count, referred)
}

/// Range of the first `$(…)` or backquoted code of a value; none where it does not end.
pub(crate) fn substitution(value: &str) -> Option<(usize, usize)> {
    let bytes = value.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let length = match (byte, bytes.get(at + 1)) {
            (b'\\', Some(_)) => {
                at += 2;
                continue;
            }
            (b'$', Some(b'(')) => Some(closing(bytes, at + 1, b'(', b')')),
            (b'`', _) => bytes
                .iter()
                .skip(at + 1)
                .position(|byte| *byte == b'`')
                .map(|end| end + 2),
            _ => None,
        };
        if let Some(length) = length.filter(|length| at + length <= bytes.len()) {
            return Some((at, at + length));
        }
        at += 1;
    }
    None
}

/// Length of `$(…)` from the dollar sign.
fn closing(bytes: &[u8], from: usize, open: u8, close: u8) -> usize {
    let mut depth = 0usize;
    for (count, byte) in bytes.iter().skip(from).enumerate() {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return count + 2;
            }
        }
    }
    bytes.len() - from + 1
}

/// Length of the part of `${…}` that is no literal: all of it, or up to a default value.
fn braces(bytes: &[u8], at: usize) -> usize {
    let name = bytes
        .iter()
        .skip(at + 2)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_!#".contains(byte))
        .count();
    let rest = bytes.get(at + 2 + name..).unwrap_or(&[]);
    let default = matches!(
        rest,
        [b':', b'-' | b'=' | b'+', ..] | [b'-' | b'=' | b'+', ..]
    );
    if default {
        return 2 + name + if rest.first() == Some(&b':') { 2 } else { 1 };
    }
    rest.iter()
        .position(|byte| *byte == b'}')
        .map_or(bytes.len() - at, |end| 2 + name + end + 1)
}

/// Length of a marker that this crate wrote.
fn marker(value: &str, at: usize) -> usize {
    let rest = value.get(at..).unwrap_or("");
    let Some(kind) = rest.strip_prefix("[redacted:") else {
        return 0;
    };
    let length = kind
        .bytes()
        .take_while(|byte| byte.is_ascii_lowercase() || *byte == b'-')
        .count();
    if length > 0 && kind.as_bytes().get(length) == Some(&b']') {
        "[redacted:]".len() + length
    } else {
        0
    }
}

/// The whole value is a marker.
pub(crate) fn is_marker(value: &str) -> bool {
    marker(value, 0) == value.len() && !value.is_empty()
}

/// Letters and digits together, as in most passwords and few names.
pub(crate) fn mixed(value: &str) -> bool {
    value.len() >= 6
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Long, and made of letters and digits mixed: a random token rather than a word.
pub(crate) fn random(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let upper = value.bytes().filter(u8::is_ascii_uppercase).count();
    let blank = value.bytes().any(|byte| byte.is_ascii_whitespace());
    !blank
        && value.len() >= 12
        && letters >= 4
        && (digits >= 3 || (value.len() >= 20 && upper >= 4 && upper < letters))
}

/// A found secret whose other occurrences are hidden too: not a plain short word, which would hit
/// ordinary text.
pub(crate) fn worth_repeating(secret: &str) -> bool {
    !is_marker(secret) && !secret.starts_with('[')
}
