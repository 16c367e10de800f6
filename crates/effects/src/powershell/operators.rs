//! Operators, casts and indices on values.

use cmdai_schema::Span;

use super::{MAX_VALUES, joined, taint_of};
use crate::value::{Taint, Text};

/// A value that was made from others.
pub(crate) fn made(from: &[Text], span: Span) -> Vec<Text> {
    vec![Text::unknown(
        "",
        span,
        Some(taint_of(from).unwrap_or(Taint::Made)),
    )]
}

/// A number, where a text is one.
pub(crate) fn number(text: &Text) -> Option<i64> {
    let text = text.known.then_some(text.text.trim())?;
    let (text, sign) = match text.strip_prefix('-') {
        Some(rest) => (rest, -1),
        None => (text, 1),
    };
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16)
            .ok()
            .map(|number| sign * number);
    }
    text.parse::<i64>().ok().map(|number| sign * number)
}

fn known(text: impl Into<String>, span: Span) -> Vec<Text> {
    vec![Text::known(text, span)]
}

pub(crate) fn unary(op: &str, all: Vec<Text>, span: Span) -> Vec<Text> {
    match op {
        "-join" => vec![joined(&all, "", span)],
        "," | "+" => all,
        "-" => match all.as_slice() {
            [one] => match number(one) {
                Some(number) => known((-number).to_string(), span),
                None => made(&all, span),
            },
            _ => made(&all, span),
        },
        "-split" => all
            .iter()
            .flat_map(|text| {
                if text.known {
                    text.text
                        .split_whitespace()
                        .map(|word| Text::known(word, span))
                        .collect()
                } else {
                    vec![text.clone()]
                }
            })
            .take(MAX_VALUES)
            .collect(),
        _ => vec![Text::unknown("", span, None)],
    }
}

pub(crate) fn binary(left: &[Text], op: &str, right: &[Text], span: Span) -> Vec<Text> {
    let all = || left.iter().chain(right).cloned().collect::<Vec<Text>>();
    let numbers = match (left, right) {
        ([one], [other]) => number(one).zip(number(other)),
        _ => None,
    };
    match op {
        "+" => {
            if let Some((one, other)) = numbers {
                return known(one.saturating_add(other).to_string(), span);
            }
            match (left, right) {
                ([], _) => right.to_vec(),
                ([one], [other]) => {
                    let mut text = crate::fish::concat(one, other);
                    text.span = span;
                    vec![text]
                }
                ([_], []) => left.to_vec(),
                ([one], several) => {
                    let mut text = crate::fish::concat(one, &joined(several, " ", span));
                    text.span = span;
                    vec![text]
                }
                _ => all(),
            }
        }
        "-" | "/" | "%" | "band" | "bor" | "bxor" | "shl" | "shr" => match numbers {
            Some((one, other)) => {
                let shift = u32::try_from(other).unwrap_or(0);
                let result = match op {
                    "-" => one.checked_sub(other),
                    "/" => one.checked_div(other),
                    "%" => one.checked_rem(other),
                    "band" => Some(one & other),
                    "bor" => Some(one | other),
                    "bxor" => Some(one ^ other),
                    "shl" => one.checked_shl(shift),
                    _ => one.checked_shr(shift),
                };
                match result {
                    Some(number) => known(number.to_string(), span),
                    None => made(&all(), span),
                }
            }
            None => made(&all(), span),
        },
        "*" => match (numbers, left, right.first().and_then(number)) {
            (Some((one, other)), ..) => known(one.saturating_mul(other).to_string(), span),
            (None, [one], Some(count)) if one.known => {
                let count = usize::try_from(count).unwrap_or(0);
                if one.text.len().saturating_mul(count) > crate::value::MAX_TEXT {
                    return made(left, span);
                }
                known(one.text.repeat(count), span)
            }
            _ => made(&all(), span),
        },
        ".." => match numbers {
            Some((one, other)) => {
                let mut out = Vec::new();
                let mut at = one;
                loop {
                    out.push(Text::known(at.to_string(), span));
                    if at == other || out.len() >= MAX_VALUES {
                        break;
                    }
                    at += if other > at { 1 } else { -1 };
                }
                out
            }
            None => made(&all(), span),
        },
        "f" => vec![format(left, right, span)],
        "join" => vec![joined(
            left,
            &right
                .first()
                .map(|text| text.text.clone())
                .unwrap_or_default(),
            span,
        )],
        "split" => match right.first().filter(|text| text.known) {
            Some(by) if left.iter().all(|text| text.known) => match plain(&by.text) {
                Some(by) if !by.is_empty() => left
                    .iter()
                    .flat_map(|text| text.text.split(by.as_str()))
                    .take(MAX_VALUES)
                    .map(|piece| Text::known(piece, span))
                    .collect(),
                _ => made(&all(), span),
            },
            _ => made(&all(), span),
        },
        "replace" => {
            let (Some(from), to) = (right.first(), right.get(1)) else {
                return left.to_vec();
            };
            let to = to.map(|text| text.text.clone()).unwrap_or_default();
            match plain(&from.text) {
                Some(from_text) if from.known && !to.contains('$') => left
                    .iter()
                    .map(|text| Text {
                        text: replace(&text.text, &from_text, &to),
                        ..text.clone()
                    })
                    .collect(),
                _ => made(left, span),
            }
        }
        "as" | "?" | ":" => match op {
            "as" => left.to_vec(),
            // Either may be meant.
            ":" => all(),
            _ => right.to_vec(),
        },
        "??" => {
            if left.is_empty() {
                right.to_vec()
            } else {
                left.to_vec()
            }
        }
        // Comparisons: true or false.
        _ => vec![Text::unknown("", span, None)],
    }
}

/// Replaces without regard to case, as the operators do.
fn replace(text: &str, from: &str, to: &str) -> String {
    if from.is_empty() {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let from = from.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower.get(at..).and_then(|rest| rest.find(&from)) {
        out.push_str(text.get(at..at + found).unwrap_or(""));
        out.push_str(to);
        at += found + from.len();
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// A pattern that is a plain text.
fn plain(pattern: &str) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(next) = chars.next() {
        match next {
            '\\' => match chars.next() {
                Some(next) if !next.is_ascii_alphanumeric() => out.push(next),
                _ => return None,
            },
            '.' | '*' | '+' | '?' | '[' | ']' | '(' | ')' | '{' | '}' | '^' | '$' | '|' => {
                return None;
            }
            _ => out.push(next),
        }
    }
    Some(out)
}

/// `'{1}{0}' -f 'a', 'b'`
pub(crate) fn format(left: &[Text], right: &[Text], span: Span) -> Text {
    let pattern = joined(left, " ", span);
    if !pattern.known {
        return pattern;
    }
    let mut out = Text::known("", span);
    let mut rest = pattern.text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        out = crate::fish::concat(&out, &Text::known(before, span));
        if after.starts_with("{{") || after.starts_with("}}") {
            out = crate::fish::concat(&out, &Text::known(after.get(..1).unwrap_or(""), span));
            rest = after.get(2..).unwrap_or("");
            continue;
        }
        let Some((hole, tail)) = after.get(1..).and_then(|after| after.split_once('}')) else {
            break;
        };
        let number = hole.split([':', ',']).next().unwrap_or("");
        let value = number
            .trim()
            .parse::<usize>()
            .ok()
            .and_then(|at| right.get(at).cloned())
            .unwrap_or_else(|| Text::known("", span));
        out = crate::fish::concat(&out, &value);
        rest = tail;
        if out.text.len() > crate::value::MAX_TEXT {
            return Text::unknown("", span, Some(Taint::Unknown));
        }
    }
    let mut out = crate::fish::concat(&out, &Text::known(rest, span));
    out.span = span;
    out
}

/// `[TYPE]value`
pub(crate) fn cast(name: &str, all: Vec<Text>, span: Span) -> Vec<Text> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("system.").unwrap_or(&name);
    let character = |text: &Text| -> Option<Text> {
        let code = u32::try_from(number(text)?).ok()?;
        Some(Text::known(char::from_u32(code)?.to_string(), span))
    };
    match name {
        "char" => match all.as_slice() {
            [one] if one.known && one.text.chars().count() == 1 && number(one).is_none() => all,
            [one] => match character(one) {
                Some(text) => vec![text],
                None => made(&all, span),
            },
            _ => made(&all, span),
        },
        "char[]" | "byte[]" => match all.as_slice() {
            [one] if one.known && name == "char[]" && number(one).is_none() => one
                .text
                .chars()
                .take(MAX_VALUES)
                .map(|next| Text::known(next.to_string(), span))
                .collect(),
            several => {
                let made_of: Option<Vec<Text>> = several.iter().map(character).collect();
                match made_of {
                    Some(texts) if name == "byte[]" => vec![joined(&texts, "", span)],
                    Some(texts) => texts,
                    None => all,
                }
            }
        },
        "int" | "int32" | "int64" | "long" | "byte" | "uint32" => match all.as_slice() {
            [one] if one.known && one.text.chars().count() == 1 && number(one).is_none() => {
                let code = one.text.chars().next().map_or(0, u32::from);
                known(code.to_string(), span)
            }
            _ => all,
        },
        "string" => vec![joined(&all, " ", span)],
        "void" => Vec::new(),
        _ => all,
    }
}

/// `$x[1]`, `'abc'[2,0]`, `$x[-1..-3]`
pub(crate) fn index(all: &[Text], index: &[Text], span: Span) -> Vec<Text> {
    // A table.
    if let [key] = index
        && number(key).is_none()
        && all.first().is_some_and(|text| text.text.starts_with('-'))
    {
        let wanted = format!("-{}", key.text);
        return all
            .windows(2)
            .find_map(|pair| match pair {
                [name, value] if name.text.eq_ignore_ascii_case(&wanted) => Some(value.clone()),
                _ => None,
            })
            .into_iter()
            .collect();
    }
    let characters: Vec<Text>;
    let elements = match all {
        [one] if one.known => {
            characters = one
                .text
                .chars()
                .map(|next| Text::known(next.to_string(), span))
                .collect();
            &characters
        }
        _ => all,
    };
    if all.iter().any(|text| !text.known) {
        return made(all, span);
    }
    let len = i64::try_from(elements.len()).unwrap_or(i64::MAX);
    let mut out = Vec::new();
    for at in index.iter().take(MAX_VALUES) {
        let Some(at) = number(at) else {
            return made(all, span);
        };
        let at = if at < 0 { len.saturating_add(at) } else { at };
        if let Some(text) = usize::try_from(at).ok().and_then(|at| elements.get(at)) {
            out.push(text.clone());
        }
    }
    out
}
