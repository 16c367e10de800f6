//! What the operators of `${x…}` make of a known text.

use cmdai_shell::Operator;

use crate::glob;

/// Longest text that patterns are tried on at every place: the work is its square.
const MAX_PATTERN_TEXT: usize = 512;

/// Applies an operator; nothing where the result cannot be told. The operand is a pattern.
pub(crate) fn transform(
    op: Operator,
    text: &str,
    operand: &str,
    second: Option<&str>,
) -> Option<String> {
    match op {
        Operator::RemovePrefix { longest } => {
            let mut ends = boundaries(text)?;
            if longest {
                ends.reverse();
            }
            let end = ends
                .into_iter()
                .find(|&end| glob::shell_matches(operand, text.get(..end).unwrap_or("")));
            Some(
                end.and_then(|end| text.get(end..))
                    .unwrap_or(text)
                    .to_owned(),
            )
        }
        Operator::RemoveSuffix { longest } => {
            let mut starts = boundaries(text)?;
            if !longest {
                starts.reverse();
            }
            let start = starts
                .into_iter()
                .find(|&start| glob::shell_matches(operand, text.get(start..).unwrap_or("")));
            Some(
                start
                    .and_then(|start| text.get(..start))
                    .unwrap_or(text)
                    .to_owned(),
            )
        }
        Operator::Replace(kind) => replace(text, operand, second.unwrap_or(""), kind),
        Operator::Case { .. } if operand.len() > MAX_PATTERN_TEXT => None,
        Operator::Case { upper, all } => {
            let mut out = String::with_capacity(text.len());
            for (index, next) in text.chars().enumerate() {
                let hit = (all || index == 0)
                    && (operand.is_empty()
                        || glob::shell_matches(operand, next.encode_utf8(&mut [0; 4])));
                match (hit, upper) {
                    (true, true) => out.extend(next.to_uppercase()),
                    (true, false) => out.extend(next.to_lowercase()),
                    _ => out.push(next),
                }
            }
            Some(out)
        }
        Operator::Transform('U') => Some(text.to_uppercase()),
        Operator::Transform('L') => Some(text.to_lowercase()),
        Operator::Transform('u') => {
            let mut chars = text.chars();
            Some(match chars.next() {
                Some(first) => first.to_uppercase().chain(chars).collect(),
                None => String::new(),
            })
        }
        Operator::Transform('E') => Some(cmdai_shell::decode_ansi_c(text)),
        Operator::Transform('Q' | 'K') => quote(text),
        _ => None,
    }
}

/// A part of a text by characters; nothing where the shell would complain.
pub(crate) fn substring(text: &str, start: i64, count: Option<i64>) -> Option<String> {
    let len = i64::try_from(text.chars().count()).ok()?;
    let start = if start < 0 { len + start } else { start };
    if start < 0 || start > len {
        return Some(String::new());
    }
    let count = match count {
        None => len - start,
        Some(count) if count < 0 => {
            let count = len + count - start;
            if count < 0 {
                return None;
            }
            count
        }
        Some(count) => count,
    };
    let (start, count) = (usize::try_from(start).ok()?, usize::try_from(count).ok()?);
    Some(text.chars().skip(start).take(count).collect())
}

/// `${x@Q}`; nothing where it takes more than single quotes.
pub(crate) fn quote(text: &str) -> Option<String> {
    if text.chars().any(char::is_control) {
        return None;
    }
    Some(format!("'{}'", text.replace('\'', "'\\''")))
}

fn boundaries(text: &str) -> Option<Vec<usize>> {
    if text.len() > MAX_PATTERN_TEXT * 4 {
        return None;
    }
    let mut all: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    all.push(text.len());
    Some(all)
}

fn replace(text: &str, pattern: &str, replacement: &str, kind: char) -> Option<String> {
    if pattern.is_empty() {
        return Some(match kind {
            '#' => format!("{}{text}", filled(replacement, "")),
            '%' => format!("{text}{}", filled(replacement, "")),
            _ => text.to_owned(),
        });
    }
    if !glob::is_pattern(pattern) && !pattern.contains(['\\', '(']) {
        let with = filled(replacement, pattern);
        return Some(match kind {
            '/' => text.replace(pattern, &with),
            '#' => text
                .strip_prefix(pattern)
                .map_or_else(|| text.to_owned(), |rest| format!("{with}{rest}")),
            '%' => text
                .strip_suffix(pattern)
                .map_or_else(|| text.to_owned(), |rest| format!("{rest}{with}")),
            _ => text.replacen(pattern, &with, 1),
        });
    }
    if text.len() > MAX_PATTERN_TEXT {
        return None;
    }
    let ends = boundaries(text)?;
    let mut out = String::new();
    let mut at = 0;
    let mut replaced = false;
    if text.is_empty() && glob::shell_matches(pattern, "") {
        return Some(filled(replacement, ""));
    }
    while at < text.len() {
        let hit = if replaced && kind != '/' || kind == '#' && at > 0 {
            None
        } else if kind == '%' {
            glob::shell_matches(pattern, text.get(at..).unwrap_or("")).then_some(text.len())
        } else {
            ends.iter()
                .rev()
                .copied()
                .filter(|&end| end > at)
                .find(|&end| glob::shell_matches(pattern, text.get(at..end).unwrap_or("")))
        };
        match hit {
            Some(end) => {
                out.push_str(&filled(replacement, text.get(at..end).unwrap_or("")));
                at = end;
                replaced = true;
            }
            None => {
                let next = text.get(at..).and_then(|rest| rest.chars().next())?;
                out.push(next);
                at += next.len_utf8();
            }
        }
    }
    Some(out)
}

/// A replacement with `&` standing for what was found.
fn filled(replacement: &str, found: &str) -> String {
    if !replacement.contains(['&', '\\']) {
        return replacement.to_owned();
    }
    let mut out = String::with_capacity(replacement.len());
    let mut chars = replacement.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '&' => out.push_str(found),
            '\\' => match chars.next_if(|next| matches!(next, '&' | '\\')) {
                Some(next) => out.push(next),
                None => out.push('\\'),
            },
            next => out.push(next),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{replace, substring};

    #[test]
    fn replacements() {
        assert_eq!(replace("aXbX", "X", "-", '/').as_deref(), Some("a-b-"));
        assert_eq!(replace("aXbX", "?X", "<&>", ' ').as_deref(), Some("<aX>bX"));
        assert_eq!(replace("abc", "*b", "", '#').as_deref(), Some("c"));
        assert_eq!(replace("a*c", "\\*", "x", ' ').as_deref(), Some("axc"));
    }

    #[test]
    fn parts() {
        assert_eq!(substring("abcdef", 2, Some(2)).as_deref(), Some("cd"));
        assert_eq!(substring("abcdef", -2, None).as_deref(), Some("ef"));
        assert_eq!(substring("abcdef", 1, Some(-1)).as_deref(), Some("bcde"));
        assert_eq!(substring("abc", 2, Some(-2)), None);
    }
}
