//! Shell patterns against texts.

/// Most comparisons that one extended pattern is given.
const MAX_WORK: usize = 20_000;
/// Longest text whose characters lie on the stack.
const SHORT: usize = 48;

/// True where a pattern with `*`, `?` and `[…]` covers the whole text. Linear in practice: one star is
/// remembered at a time.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '[', '\\']) {
        return pattern == text;
    }
    // Names are short, and many of them are tried on one pattern.
    let (mut left, mut right) = (['\0'; SHORT], ['\0'; SHORT]);
    if let (Some(pattern), Some(text)) = (put(pattern, &mut left), put(text, &mut right)) {
        return matches_chars(pattern, text);
    }
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    matches_chars(&pattern, &text)
}

/// The characters of a short text, without an allocation.
fn put<'b>(text: &str, buffer: &'b mut [char; SHORT]) -> Option<&'b [char]> {
    if text.len() > SHORT {
        return None;
    }
    let mut count = 0;
    for (slot, next) in buffer.iter_mut().zip(text.chars()) {
        *slot = next;
        count += 1;
    }
    buffer.get(..count)
}

/// As [`matches`], with extended patterns: `@(a|b)`, `!(a)`, `*(a)`, `+(a)`, `?(a)`.
pub(crate) fn shell_matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains('(') {
        return matches(pattern, text);
    }
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let mut work = MAX_WORK;
    extended(&pattern, &text, &mut work, 0)
}

fn extended(pattern: &[char], text: &[char], work: &mut usize, depth: usize) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    loop {
        if *work == 0 || depth > 48 {
            return false;
        }
        *work -= 1;
        let Some((&first, rest)) = pattern.split_first() else {
            return text.is_empty();
        };
        if matches!(first, '@' | '!' | '*' | '+' | '?')
            && rest.first() == Some(&'(')
            && let Some((choices, after)) = group(rest)
        {
            return extended_group(first, pattern, &choices, after, text, work, depth);
        }
        if first == '*' {
            return (0..=text.len()).any(|at| {
                text.get(at..)
                    .is_some_and(|tail| extended(rest, tail, work, depth + 1))
            });
        }
        let Some((&next, tail)) = text.split_first() else {
            return false;
        };
        match one(pattern, 0, next).and_then(|used| pattern.get(used..)) {
            Some(rest) => (pattern, text) = (rest, tail),
            None => return false,
        }
    }
}

fn extended_group(
    kind: char,
    whole: &[char],
    choices: &[&[char]],
    after: &[char],
    text: &[char],
    work: &mut usize,
    depth: usize,
) -> bool {
    if matches!(kind, '?' | '*') && extended(after, text, work, depth + 1) {
        return true;
    }
    for at in 0..=text.len() {
        if *work == 0 {
            return false;
        }
        let (Some(head), Some(tail)) = (text.get(..at), text.get(at..)) else {
            continue;
        };
        let hit = choices
            .iter()
            .any(|choice| extended(choice, head, work, depth + 1));
        if hit == (kind == '!') {
            continue;
        }
        if extended(after, tail, work, depth + 1) {
            return true;
        }
        // Once more of the same.
        if at > 0 && matches!(kind, '*' | '+') && extended(whole, tail, work, depth + 1) {
            return true;
        }
    }
    false
}

/// The alternatives between parentheses, and what follows them.
fn group(pattern: &[char]) -> Option<(Vec<&[char]>, &[char])> {
    let (mut depth, mut from, mut at) = (0usize, 1usize, 0usize);
    let mut choices = Vec::new();
    loop {
        match pattern.get(at)? {
            '\\' => at += 1,
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    choices.push(pattern.get(from..at)?);
                    return Some((choices, pattern.get(at + 1..)?));
                }
            }
            '|' if depth == 1 => {
                choices.push(pattern.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
}

fn matches_chars(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0usize, 0usize);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(_) => {
                if let Some(used) = text.get(t).and_then(|&next| one(pattern, p, next)) {
                    p += used;
                    t += 1;
                    continue;
                }
            }
            None => {}
        }
        match star {
            Some((after, from)) => {
                p = after;
                t = from + 1;
                star = Some((after, t));
            }
            None => return false,
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|&next| next == '*'))
}

/// Length of the pattern element at `p` where it covers the character.
fn one(pattern: &[char], p: usize, next: char) -> Option<usize> {
    match pattern.get(p)? {
        '?' => Some(1),
        '\\' => match pattern.get(p + 1) {
            Some(&literal) => (literal == next).then_some(2),
            None => (next == '\\').then_some(1),
        },
        '[' => match set(pattern, p, next) {
            Some((hit, used)) => hit.then_some(used),
            // Not closed: a bracket.
            None => (next == '[').then_some(1),
        },
        literal => (*literal == next).then_some(1),
    }
}

/// `[…]`: whether it covers the character, and its length.
fn set(pattern: &[char], p: usize, next: char) -> Option<(bool, usize)> {
    let mut at = p + 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    at += usize::from(negated);
    let first = at;
    let mut hit = false;
    loop {
        let mut low = *pattern.get(at)?;
        if low == ']' && at > first {
            break;
        }
        if low == '['
            && pattern.get(at + 1) == Some(&':')
            && let Some(len) = pattern
                .get(at + 2..)?
                .windows(2)
                .position(|pair| pair == [':', ']'])
        {
            let name: String = pattern.get(at + 2..at + 2 + len)?.iter().collect();
            hit |= class(&name, next);
            at += len + 4;
            continue;
        }
        if low == '\\' {
            at += 1;
            low = *pattern.get(at)?;
        }
        if pattern.get(at + 1) == Some(&'-') && pattern.get(at + 2).is_some_and(|&high| high != ']')
        {
            let high = *pattern.get(at + 2)?;
            hit |= low <= next && next <= high;
            at += 3;
        } else {
            hit |= low == next;
            at += 1;
        }
    }
    Some((hit != negated, at + 1 - p))
}

/// True where a character is of a named class.
pub(crate) fn class(name: &str, next: char) -> bool {
    match name {
        "alpha" => next.is_alphabetic(),
        "digit" => next.is_ascii_digit(),
        "alnum" => next.is_alphanumeric(),
        "upper" => next.is_uppercase(),
        "lower" => next.is_lowercase(),
        "space" => next.is_whitespace(),
        "blank" => matches!(next, ' ' | '\t'),
        "punct" => next.is_ascii_punctuation(),
        "xdigit" => next.is_ascii_hexdigit(),
        "cntrl" => next.is_control(),
        "print" => !next.is_control(),
        "graph" => !next.is_control() && !next.is_whitespace(),
        "word" => next.is_alphanumeric() || next == '_',
        _ => false,
    }
}

/// True where the text holds a pattern character.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A text as a pattern that stands for itself.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for next in text.chars() {
        if matches!(
            next,
            '*' | '?' | '[' | ']' | '\\' | '(' | ')' | '|' | '!' | '@' | '+' | '-'
        ) {
            out.push('\\');
        }
        out.push(next);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escape, matches, shell_matches};

    #[test]
    fn patterns() {
        assert!(matches("r?", "rm"));
        assert!(matches("*", ""));
        assert!(matches("id_*", "id_rsa"));
        assert!(matches("[a-c]x[!d]", "bxe"));
        assert!(!matches("[a-c]x[!d]", "bxd"));
        assert!(!matches("a*b", "acd"));
        assert!(matches("\\*", "*"));
        assert!(matches("[[:upper:]x]y", "Zy"));
        assert!(matches("[", "["));
    }

    #[test]
    fn extended_patterns() {
        assert!(shell_matches("@(a|b)c", "bc"));
        assert!(!shell_matches("@(a|b)c", "cc"));
        assert!(shell_matches("*(ab)", "abab"));
        assert!(shell_matches("+(a|b)x", "abbax"));
        assert!(!shell_matches("+(a)", ""));
        assert!(shell_matches("?(a)b", "b"));
        assert!(shell_matches("!(a)", "b"));
        assert!(!shell_matches("!(a)", "a"));
        assert!(shell_matches(&escape("a*(b)"), "a*(b)"));
        // Hostile ones end.
        shell_matches(&"*(*(a|b)|c)".repeat(20), &"ab".repeat(200));
    }
}
