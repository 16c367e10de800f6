//! Tokens of SQL with their places, and statements apart.
//!
//! Comments are left out and texts are one token, so that what is only mentioned is not taken for what
//! is done. The tokens borrow from the text.

use super::Language;

/// Most tokens that are read of one text.
const MAX_TOKENS: usize = 16_384;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a bare name.
    Word,
    /// A quoted name.
    Name,
    /// The content of a text, as it is written.
    Text,
    Number,
    /// Any other character.
    Mark,
}

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Where it begins, quotes included.
    pub(super) start: usize,
    /// Where it ends, quotes included.
    pub(super) end: usize,
}

impl Token<'_> {
    /// The keyword, in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// One of these keywords.
    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        self.kind == Kind::Word
            && words
                .iter()
                .any(|word| self.text.eq_ignore_ascii_case(word))
    }

    pub(super) fn mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    /// A part of a name.
    pub(super) fn names(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Name)
    }
}

/// Reads the tokens of a text; false where there were too many.
pub(super) fn read(text: &str, language: Language) -> (Vec<Token<'_>>, bool) {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let mut out = Vec::with_capacity(16);
    let mut at = 0;
    while at < bytes.len() {
        if out.len() >= MAX_TOKENS {
            return (out, false);
        }
        let start = at;
        let next = byte(at);
        let line_comment = next == b'-'
            && byte(at + 1) == b'-'
            && (language != Language::MySql || byte(at + 2) <= b' ')
            || next == b'#' && language.hash_comments()
            || next == b'/' && byte(at + 1) == b'/' && language == Language::Cql;
        if line_comment {
            at = find(bytes, at, b"\n").unwrap_or(bytes.len());
            continue;
        }
        if next == b'/' && byte(at + 1) == b'*' {
            // MySQL runs what stands in `/*! … */`; the closing mark is skipped below.
            if byte(at + 2) == b'!' && matches!(language, Language::MySql | Language::Other) {
                at += 3;
                while byte(at).is_ascii_digit() {
                    at += 1;
                }
            } else {
                at = comment_end(bytes, at, language.nested_comments());
            }
            continue;
        }
        if next == b'*' && byte(at + 1) == b'/' {
            at += 2;
            continue;
        }
        let (kind, inner) = match next {
            _ if next.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'\'' => {
                at = quoted_end(bytes, at, b'\'', language.backslashes());
                (Kind::Text, (start + 1, at.saturating_sub(1)))
            }
            b'"' => {
                let text = language.double_quoted_texts();
                at = quoted_end(bytes, at, b'"', text && language.backslashes());
                let kind = if text { Kind::Text } else { Kind::Name };
                (kind, (start + 1, at.saturating_sub(1)))
            }
            b'`' => {
                at = quoted_end(bytes, at, b'`', false);
                (Kind::Name, (start + 1, at.saturating_sub(1)))
            }
            b'[' if language.bracket_names() && !byte(at + 1).is_ascii_digit() => {
                at = find(bytes, at, b"]").map_or(bytes.len(), |end| end + 1);
                (Kind::Name, (start + 1, at.saturating_sub(1)))
            }
            b'$' if language.dollar_texts() && dollar_tag(bytes, at).is_some() => {
                let tag = dollar_tag(bytes, at).unwrap_or(2);
                let from = at + tag;
                let end = text
                    .get(at..from)
                    .and_then(|tag| find(bytes, from, tag.as_bytes()))
                    .unwrap_or(bytes.len());
                at = (end + tag).min(bytes.len());
                (Kind::Text, (from.min(end), end))
            }
            // `E'…'` and `N'…'`
            b'e' | b'E' | b'n' | b'N' | b'b' | b'B' | b'x' | b'X' | b'r' | b'R' | b'u' | b'U'
                if byte(at + 1) == b'\'' =>
            {
                let escapes = matches!(next, b'e' | b'E') || language.backslashes();
                at = quoted_end(bytes, at + 1, b'\'', escapes);
                (Kind::Text, (start + 2, at.saturating_sub(1)))
            }
            b'0'..=b'9' => {
                while byte(at).is_ascii_alphanumeric() || byte(at) == b'.' {
                    at += 1;
                }
                (Kind::Number, (start, at))
            }
            _ if next.is_ascii_alphabetic()
                || matches!(next, b'_' | b'@')
                || next == b'#' && !language.hash_comments()
                || next >= 0x80 =>
            {
                at += 1;
                while byte(at).is_ascii_alphanumeric()
                    || matches!(byte(at), b'_' | b'$' | b'#' | b'@')
                    || byte(at) >= 0x80
                {
                    at += 1;
                }
                (Kind::Word, (start, at))
            }
            _ => {
                at += 1;
                (Kind::Mark, (start, at))
            }
        };
        let inner = text
            .get(inner.0.min(inner.1)..inner.1.min(text.len()))
            .unwrap_or("");
        out.push(Token {
            kind,
            text: inner,
            start,
            end: at.min(bytes.len()),
        });
    }
    (out, true)
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(what.len())
        .position(|window| window == what)
        .map(|at| from + at)
}

fn comment_end(bytes: &[u8], from: usize, nested: bool) -> usize {
    let (mut at, mut depth) = (from + 2, 1u32);
    while let Some(next) = bytes.get(at) {
        match (next, bytes.get(at + 1)) {
            (b'*', Some(b'/')) => {
                at += 2;
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            (b'/', Some(b'*')) if nested => {
                at += 2;
                depth += 1;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Behind the closing quote.
fn quoted_end(bytes: &[u8], from: usize, quote: u8, backslashes: bool) -> usize {
    let mut at = from + 1;
    while let Some(&next) = bytes.get(at) {
        if next == b'\\' && backslashes {
            at += 2;
        } else if next == quote {
            if bytes.get(at + 1) == Some(&quote) {
                at += 2;
            } else {
                return at + 1;
            }
        } else {
            at += 1;
        }
    }
    // Not closed: the text goes to the end, and its last byte belongs to it.
    bytes.len() + 1
}

/// Length of `$$` or `$tag$`.
fn dollar_tag(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    while let Some(&next) = bytes.get(at) {
        match next {
            b'$' => return Some(at + 1 - from),
            b'0'..=b'9' if at == from + 1 => return None,
            _ if next.is_ascii_alphanumeric() || next == b'_' => at += 1,
            _ => return None,
        }
    }
    None
}

/// The statements: ranges of tokens. Bodies of routines stay whole.
pub(super) fn statements<'t, 'a>(
    tokens: &'t [Token<'a>],
    text: &str,
    language: Language,
) -> Vec<&'t [Token<'a>]> {
    let mut out = Vec::new();
    let (mut start, mut depth) = (0usize, 0u32);
    for (at, token) in tokens.iter().enumerate() {
        let own_line = |token: &Token<'_>| {
            text.get(..token.start)
                .is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with('\n'))
                || token.start == 0
        };
        let routine = tokens.get(start).is_some_and(|first| first.is("create"))
            && tokens.get(start..(start + 6).min(at)).is_some_and(|head| {
                head.iter().any(|word| {
                    word.is_any(&["function", "procedure", "trigger", "event", "package"])
                })
            });
        if routine {
            if token.is_any(&["begin", "case"]) {
                depth += 1;
            } else if token.is("end") {
                depth = depth.saturating_sub(1);
            }
        }
        let goes = language == Language::TSql && token.is("go") && own_line(token);
        // T-SQL needs nothing between two statements.
        let verb = language == Language::TSql
            && at > start
            && token.is_any(&["drop", "truncate", "delete", "exec", "execute"])
            && own_line(token)
            && at
                .checked_sub(1)
                .and_then(|at| tokens.get(at))
                .is_some_and(|before| {
                    !before.is_any(&["then", "for", "on", "as", "grant", "begin", "else"])
                        && !before.mark(",")
                });
        if token.mark(";") && depth == 0 || goes {
            out.push(tokens.get(start..at).unwrap_or_default());
            start = at + 1;
        } else if verb && depth == 0 {
            out.push(tokens.get(start..at).unwrap_or_default());
            start = at;
        }
    }
    out.push(tokens.get(start..).unwrap_or_default());
    out.retain(|statement| !statement.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::{Kind, Language, read, statements};

    fn texts(text: &str, language: Language) -> Vec<&str> {
        read(text, language)
            .0
            .iter()
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn comments_and_texts_are_apart() {
        assert_eq!(
            texts("a -- b\nc /* d */ e", Language::Postgres),
            ["a", "c", "e"]
        );
        assert_eq!(
            texts("a /* b /* c */ d */ e", Language::Postgres),
            ["a", "e"]
        );
        assert_eq!(texts("a # b\n 'it''s'", Language::MySql), ["a", "it''s"]);
        assert_eq!(texts("/*!40101 drop */ x", Language::MySql), ["drop", "x"]);
        assert_eq!(
            texts("do $x$ a; b $x$ c", Language::Postgres),
            ["do", " a; b ", "c"]
        );
        assert_eq!(texts(r"'a\' b' c", Language::MySql), [r"a\' b", "c"]);
        assert_eq!(texts(r"'a\' b", Language::Postgres), [r"a\", "b"]);
        assert_eq!(texts("'open", Language::Postgres), ["open"]);
        let tokens = read("\"a b\"", Language::Postgres).0;
        assert_eq!(tokens.first().map(|token| token.kind), Some(Kind::Name));
    }

    #[test]
    fn bodies_stay_whole() {
        let count = |text: &str| {
            let tokens = read(text, Language::MySql).0;
            statements(&tokens, text, Language::MySql).len()
        };
        assert_eq!(count("a; b;; c"), 3);
        assert_eq!(
            count("create trigger t after insert on x begin delete from y; end; z"),
            2
        );
    }
}
