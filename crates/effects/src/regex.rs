//! Small regular expressions, as `sed`, `grep` and `expr` take them: characters, sets, repetition and
//! anchors. Anything else is not read.

use crate::glob;

/// Most steps of one search.
const MAX_WORK: usize = 40_000;

/// One element with how often it comes.
struct Piece {
    what: What,
    least: usize,
    most: usize,
}

enum What {
    Any,
    Char(char),
    Set(Vec<(char, char)>, Vec<String>, bool),
}

impl What {
    fn covers(&self, next: char) -> bool {
        match self {
            Self::Any => next != '\n',
            Self::Char(own) => *own == next,
            Self::Set(ranges, classes, negated) => {
                let hit = ranges
                    .iter()
                    .any(|(low, high)| *low <= next && next <= *high)
                    || classes.iter().any(|class| glob::class(class, next));
                hit != *negated
            }
        }
    }
}

/// An expression that was read.
pub(crate) struct Regex {
    pieces: Vec<Piece>,
    start: bool,
    end: bool,
}

impl Regex {
    /// Reads a basic expression, or an extended one.
    pub(crate) fn read(text: &str, extended: bool) -> Option<Self> {
        let mut out = Self {
            pieces: Vec::new(),
            start: false,
            end: false,
        };
        let mut chars = text.chars().peekable();
        if chars.next_if_eq(&'^').is_some() {
            out.start = true;
        }
        while let Some(next) = chars.next() {
            let repeat = match next {
                '*' if !out.pieces.is_empty() => Some((0, usize::MAX)),
                '+' if extended => Some((1, usize::MAX)),
                '?' if extended => Some((0, 1)),
                '\\' if !extended && chars.peek() == Some(&'+') => {
                    chars.next();
                    Some((1, usize::MAX))
                }
                '\\' if !extended && chars.peek() == Some(&'?') => {
                    chars.next();
                    Some((0, 1))
                }
                _ => None,
            };
            if let Some((least, most)) = repeat {
                let last = out.pieces.last_mut()?;
                (last.least, last.most) = (least, most);
                continue;
            }
            let what = match next {
                '$' if chars.peek().is_none() => {
                    out.end = true;
                    break;
                }
                '.' => What::Any,
                '[' => Self::set(&mut chars)?,
                '(' | ')' | '{' | '}' | '|' if extended => return None,
                '\\' => match chars.next()? {
                    'n' => What::Char('\n'),
                    't' => What::Char('\t'),
                    's' => What::Set(Vec::new(), vec!["space".to_owned()], false),
                    'w' => What::Set(Vec::new(), vec!["word".to_owned()], false),
                    next if next.is_alphanumeric()
                        || matches!(next, '(' | ')' | '{' | '}' | '|') && !extended =>
                    {
                        return None;
                    }
                    next => What::Char(next),
                },
                next => What::Char(next),
            };
            out.pieces.push(Piece {
                what,
                least: 1,
                most: 1,
            });
        }
        Some(out)
    }

    fn set(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<What> {
        let negated = chars.next_if_eq(&'^').is_some();
        let (mut ranges, mut classes) = (Vec::new(), Vec::new());
        let mut first = true;
        loop {
            let low = chars.next()?;
            if low == ']' && !first {
                return Some(What::Set(ranges, classes, negated));
            }
            first = false;
            if low == '[' && chars.next_if_eq(&':').is_some() {
                let mut name = String::new();
                loop {
                    match chars.next()? {
                        ':' => break,
                        next => name.push(next),
                    }
                }
                chars.next_if_eq(&']')?;
                classes.push(name);
                continue;
            }
            let mut ahead = chars.clone();
            if ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']') {
                chars.next();
                ranges.push((low, chars.next()?));
            } else {
                ranges.push((low, low));
            }
        }
    }

    /// The first place where it fits, from a byte on; nothing where it would take too long.
    pub(crate) fn find(&self, text: &str, from: usize) -> Option<Option<(usize, usize)>> {
        let mut work = MAX_WORK;
        let all: Vec<(usize, char)> = text.char_indices().collect();
        let first = all.partition_point(|(at, _)| *at < from);
        let byte = |index: usize| all.get(index).map_or(text.len(), |(at, _)| *at);
        for start in first..=all.len() {
            if self.start && start > 0 {
                break;
            }
            if let Some(end) = self.fits(0, &all, start, &mut work) {
                return Some(Some((byte(start), byte(end))));
            }
            if work == 0 {
                return None;
            }
        }
        Some(None)
    }

    fn fits(
        &self,
        piece: usize,
        text: &[(usize, char)],
        at: usize,
        work: &mut usize,
    ) -> Option<usize> {
        *work = work.checked_sub(1)?;
        let Some(own) = self.pieces.get(piece) else {
            return (!self.end || at == text.len()).then_some(at);
        };
        let mut most = 0;
        while most < own.most
            && text
                .get(at + most)
                .is_some_and(|(_, next)| own.what.covers(*next))
        {
            most += 1;
        }
        let mut count = most;
        loop {
            if count < own.least {
                return None;
            }
            if piece < 64
                && let Some(end) = self.fits(piece + 1, text, at + count, work)
            {
                return Some(end);
            }
            count = count.checked_sub(1)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Regex;

    #[test]
    fn searches() {
        for (regex, text, expected) in [
            ("b.", "abcd", Some((1, 3))),
            ("^a*", "aab", Some((0, 2))),
            ("X*$", "rm /XX", Some((4, 6))),
            ("[a-c]x", "zbx", Some((1, 3))),
            ("[^a]", "aab", Some((2, 3))),
            ("q", "abc", None),
            ("a\\.b", "axb a.b", Some((4, 7))),
        ] {
            let read = Regex::read(regex, false).unwrap();
            assert_eq!(read.find(text, 0).unwrap(), expected, "{regex}");
        }
        assert!(Regex::read("\\(a\\)", false).is_none());
        let hostile = Regex::read(&"a*".repeat(60), false).unwrap();
        let _ = hostile.find(&"a".repeat(400), 0);
    }
}
