//! Brace expansion: `{a,b}` and `{1..9}` out of the literals of a word.

use crate::tree::Part;

/// Deepest nesting of braces; deeper ones stay text, as a word of such depth expands to too much.
const MAX_NESTING: usize = 8;

/// True where the parts hold an opening and a closing brace.
pub(crate) fn may_expand(parts: &[Part<'_>]) -> bool {
    parts.len() >= 3
        && parts.iter().any(|part| matches!(part, Part::Literal("{")))
        && parts.iter().any(|part| matches!(part, Part::Literal("}")))
}

struct Open<'a> {
    alternatives: Vec<Vec<Part<'a>>>,
    current: Vec<Part<'a>>,
}

/// Folds braces into [`Part::Brace`] and [`Part::Range`]; those that close nothing stay text.
pub(crate) fn fold(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut done: Vec<Part<'_>> = Vec::new();
    for part in parts {
        match part {
            Part::Literal("{") if open.len() < MAX_NESTING => open.push(Open {
                alternatives: Vec::new(),
                current: Vec::new(),
            }),
            Part::Literal(",") if !open.is_empty() => {
                if let Some(top) = open.last_mut() {
                    let finished = std::mem::take(&mut top.current);
                    top.alternatives.push(finished);
                }
            }
            Part::Literal("}") if !open.is_empty() => {
                if let Some(top) = open.pop() {
                    let target = open
                        .last_mut()
                        .map_or(&mut done, |below| &mut below.current);
                    close(top, target);
                }
            }
            other => open
                .last_mut()
                .map_or(&mut done, |top| &mut top.current)
                .push(other),
        }
    }
    // Not closed: back to text, innermost last.
    let mut tail: Vec<Part<'_>> = Vec::new();
    for top in open {
        tail.push(Part::Literal("{"));
        for alternative in top.alternatives {
            tail.extend(alternative);
            tail.push(Part::Literal(","));
        }
        tail.extend(top.current);
    }
    done.extend(tail);
    done
}

fn close<'a>(top: Open<'a>, target: &mut Vec<Part<'a>>) {
    let Open {
        mut alternatives,
        current,
    } = top;
    if alternatives.is_empty() {
        if let [Part::Literal(text)] = current.as_slice()
            && is_range(text)
        {
            target.push(Part::Range(text));
        } else {
            target.push(Part::Literal("{"));
            target.extend(current);
            target.push(Part::Literal("}"));
        }
        return;
    }
    alternatives.push(current);
    target.push(Part::Brace(alternatives));
}

fn is_range(text: &str) -> bool {
    let mut ends = text.splitn(3, "..");
    let (Some(first), Some(last)) = (ends.next(), ends.next()) else {
        return false;
    };
    let number = |text: &str| text.parse::<i64>().is_ok();
    let letter =
        |text: &str| text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (number(first) && number(last) || letter(first) && letter(last))
        && ends.next().is_none_or(number)
}
