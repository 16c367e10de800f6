//! Shell patterns against texts, and patterns against patterns.

/// True where a pattern with `*`, `?` and `[…]` covers the whole text. Linear in practice: one star is
/// remembered at a time.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    matches_chars(&pattern, &text)
}

pub(crate) fn matches_chars(pattern: &[char], text: &[char]) -> bool {
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
        '\\' => pattern
            .get(p + 1)
            .filter(|&&literal| literal == next)
            .map(|_| 2),
        '[' => {
            let mut at = p + 1;
            let negated = matches!(pattern.get(at), Some('!' | '^'));
            at += usize::from(negated);
            let first = at;
            let mut hit = false;
            loop {
                let low = *pattern.get(at)?;
                if low == ']' && at > first {
                    break;
                }
                if pattern.get(at + 1) == Some(&'-')
                    && pattern.get(at + 2).is_some_and(|&high| high != ']')
                {
                    let high = *pattern.get(at + 2)?;
                    hit |= low <= next && next <= high;
                    at += 3;
                } else {
                    hit |= low == next;
                    at += 1;
                }
            }
            (hit != negated).then_some(at + 1 - p)
        }
        literal => (*literal == next).then_some(1),
    }
}

/// True where the text holds a pattern character.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        assert!(matches("r?", "rm"));
        assert!(matches("*", ""));
        assert!(matches("id_*", "id_rsa"));
        assert!(matches("[a-c]x[!d]", "bxe"));
        assert!(!matches("[a-c]x[!d]", "bxd"));
        assert!(!matches("a*b", "acd"));
        assert!(matches("\\*", "*"));
    }
}
