//! Parameters of zsh: flags, modifiers, subscripts that begin at one.

use cmdai_schema::Span;

use crate::{
    paths,
    value::{MAX_TEXT, Text},
};

/// Most elements that splitting a text makes.
const MAX_ELEMENTS: usize = 64;

/// What `:h`, `:t:r` and the like make of a text; nothing where that cannot be told.
pub(crate) fn modified(text: &str, modifiers: &str) -> Option<String> {
    let mut text = text.to_owned();
    let mut rest = modifiers;
    while !rest.is_empty() {
        let mut chars = rest.chars();
        let kind = chars.next()?;
        rest = chars.as_str();
        let global = kind == 'g';
        let kind = if global {
            let mut chars = rest.chars();
            let kind = chars.next()?;
            rest = chars.as_str();
            kind
        } else {
            kind
        };
        match kind {
            'h' if !rest.starts_with(|next: char| next.is_ascii_digit()) => {
                text = match text.rfind('/') {
                    Some(0) => "/".to_owned(),
                    Some(at) => text.get(..at)?.to_owned(),
                    None => ".".to_owned(),
                };
            }
            't' if !rest.starts_with(|next: char| next.is_ascii_digit()) => {
                text = paths::base_name(&text).to_owned();
            }
            'r' | 'e' => {
                let base = text.rfind('/').map_or(0, |at| at + 1);
                let dot = text.get(base..)?.rfind('.').map(|at| base + at);
                text = match (kind, dot) {
                    ('r', Some(dot)) => text.get(..dot)?.to_owned(),
                    ('r', None) => text,
                    (_, Some(dot)) => text.get(dot + 1..)?.to_owned(),
                    (_, None) => String::new(),
                };
            }
            'l' => text = text.to_lowercase(),
            'u' => text = text.to_uppercase(),
            'Q' => text = unquoted(&text),
            'a' | 'A' | 'P' if text.starts_with('/') => {}
            's' => {
                let mark = rest.chars().next()?;
                let mut parts = rest.get(mark.len_utf8()..)?.splitn(3, mark);
                let (from, to) = (parts.next()?, parts.next()?);
                if from.is_empty() || from.contains('\\') || to.contains(['\\', '&', '$']) {
                    return None;
                }
                text = if global {
                    text.replace(from, to)
                } else {
                    text.replacen(from, to, 1)
                };
                rest = parts.next().unwrap_or("");
            }
            _ => return None,
        }
        if text.len() > MAX_TEXT {
            return None;
        }
        rest = rest.strip_prefix(':').unwrap_or(rest);
    }
    Some(text)
}

/// A text without its quotes and backslashes.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut quote = None;
    while let Some(next) = chars.next() {
        match (next, quote) {
            ('\\', None | Some('"')) => out.extend(chars.next()),
            ('\'' | '"', None) => quote = Some(next),
            (next, Some(open)) if next == open => quote = None,
            (next, _) => out.push(next),
        }
    }
    out
}

/// What flags make of texts; nothing where that cannot be told. The second is true where the result
/// is several words.
pub(crate) fn flagged(texts: Vec<Text>, flags: &str, span: Span) -> Option<(Vec<Text>, bool)> {
    let marks = flags
        .rfind(')')
        .map_or(flags, |at| flags.get(at + 1..).unwrap_or(""));
    let inner = flags
        .strip_prefix('(')
        .and_then(|rest| rest.get(..rest.rfind(')')?))
        .unwrap_or("");
    let mut texts = texts;
    let mut several = texts.len() > 1;
    let mut chars = inner.chars();
    while let Some(flag) = chars.next() {
        match flag {
            // How words come apart and what is in front of them means nothing here.
            '@' | 'v' | 'q' | 'B' | 'b' | 'X' => {}
            'L' | 'U' | 'Q' => {
                for text in &mut texts {
                    let change = |text: &str| match flag {
                        'L' => text.to_lowercase(),
                        'U' => text.to_uppercase(),
                        _ => unquoted(text),
                    };
                    *text = Text {
                        text: change(&text.text),
                        empty: text.empty.as_deref().map(change),
                        offset: None,
                        ..text.clone()
                    };
                }
            }
            'f' | 's' | 'z' | 'j' | 'F' => {
                let by = match flag {
                    'f' | 'F' => "\n".to_owned(),
                    'z' => " ".to_owned(),
                    _ => {
                        let open = chars.next()?;
                        let close = match open {
                            '(' => ')',
                            '[' => ']',
                            '{' => '}',
                            '<' => '>',
                            other => other,
                        };
                        let by: String = chars.by_ref().take_while(|next| *next != close).collect();
                        by
                    }
                };
                let whole = texts.iter().all(|text| text.known);
                if !whole {
                    return None;
                }
                if matches!(flag, 'j' | 'F') {
                    let all: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
                    texts = vec![Text::known(all.join(&by), span)];
                    several = false;
                } else {
                    texts = texts
                        .iter()
                        .flat_map(|text| {
                            let parts: Vec<String> = if by.is_empty() {
                                text.text.chars().map(String::from).collect()
                            } else {
                                text.text.split(by.as_str()).map(str::to_owned).collect()
                            };
                            parts
                        })
                        .filter(|part| !part.is_empty())
                        .take(MAX_ELEMENTS)
                        .map(|part| Text::known(part, span))
                        .collect();
                    several = true;
                }
            }
            'o' | 'O' | 'u' | 'a' | 'n' | 'i' => {
                if texts.iter().any(|text| !text.known) {
                    continue;
                }
                match flag {
                    'o' => texts.sort_by(|a, b| a.text.cmp(&b.text)),
                    'O' if inner.contains('a') => texts.reverse(),
                    'O' => texts.sort_by(|a, b| b.text.cmp(&a.text)),
                    'u' => {
                        let mut seen: Vec<String> = Vec::new();
                        texts.retain(|text| {
                            let new = !seen.contains(&text.text);
                            seen.push(text.text.clone());
                            new
                        });
                    }
                    _ => {}
                }
            }
            _ => return None,
        }
    }
    Some((texts, several || marks.contains('=')))
}

/// A subscript of zsh, `N` or `FROM,TO`, on a count of elements: the range from zero.
pub(crate) fn range(first: i64, last: Option<i64>, count: usize) -> Option<std::ops::Range<usize>> {
    let place = |number: i64| -> Option<i64> {
        let count = i64::try_from(count).ok()?;
        Some(if number < 0 {
            count.checked_add(number)?.checked_add(1)?
        } else {
            number
        })
    };
    let from = place(first)?;
    let to = place(last.unwrap_or(first))?;
    if last.is_none() && from < 1 {
        return Some(0..0);
    }
    let from = usize::try_from(from.max(1)).ok()?;
    let to = usize::try_from(to.max(0)).ok()?.min(count);
    Some(if from > to { 0..0 } else { from - 1..to })
}

#[cfg(test)]
mod tests {
    use super::{flagged, modified, range};
    use crate::value::Text;
    use cmdai_schema::Span;

    #[test]
    fn modifiers() {
        let cases = [
            ("/etc/nginx/a.conf", "h", "/etc/nginx"),
            ("/etc/nginx/a.conf", "t", "a.conf"),
            ("/etc/nginx/a.conf", "t:r", "a"),
            ("/etc/nginx/a.conf", "h:h:h", "/"),
            ("a.tar.gz", "e", "gz"),
            ("RM", "l", "rm"),
            ("xm", "s/x/r/", "rm"),
            ("x-x", "gs/x/y/", "y-y"),
            ("a", "h", "."),
        ];
        for (text, by, expected) in cases {
            assert_eq!(modified(text, by).as_deref(), Some(expected), "{text}:{by}");
        }
        assert_eq!(modified("a", "c"), None);
    }

    #[test]
    fn flags() {
        let of = |text: &str, flags: &str| {
            let texts = vec![Text::known(text, Span::default())];
            flagged(texts, flags, Span::default()).map(|(all, _)| {
                all.into_iter()
                    .map(|text| text.text)
                    .collect::<Vec<_>>()
                    .join("|")
            })
        };
        assert_eq!(of("RM", "(L)").as_deref(), Some("rm"));
        assert_eq!(of("a:b", "(s.:.)").as_deref(), Some("a|b"));
        assert_eq!(of("a\nb", "(@f)").as_deref(), Some("a|b"));
        assert_eq!(of("a", "(%)"), None);
    }

    #[test]
    fn subscripts() {
        assert_eq!(range(1, None, 3), Some(0..1));
        assert_eq!(range(-1, None, 3), Some(2..3));
        assert_eq!(range(2, Some(-1), 3), Some(1..3));
        assert_eq!(range(0, None, 3), Some(0..0));
        assert_eq!(range(9, Some(12), 3), Some(0..0));
    }
}
