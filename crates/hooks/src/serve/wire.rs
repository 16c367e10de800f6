//! Lines between a shell's script and the process that serves it.
//!
//! Words are separated by one space; each is escaped as in a URL (`%20`), so that none holds a space
//! or a newline, and may be empty. The second word of a request and the first of a reply is an identifier
//! that the shell chose: replies to what it no longer waits for are skipped by it.
//!
//! A request may also stand in several lines, one word in each, between two empty ones.
//!
//! | request | |
//! |---|---|
//! | `judge ID CWD TEXT [NAME…]` | a whole line before it runs; words of it that are the person's own functions or aliases |
//! | `known ID [KIND NAME VALUE]…` | the answer to `need`: `v` variable, `l` list (its words escaped once more), `u` not set, `a` alias, `f` function, `n` none |
//! | `answer ID y` or `n` | the answer to `ask` |
//! | `end ID STATUS` | the line that was let run has ended |
//! | `ran ID CWD TEXT` | a line that begins to run without having been judged; no reply |
//! | `leave ID STATUS` | the shell leaves; no reply |
//!
//! | reply | |
//! |---|---|
//! | `ID run 0 MESSAGE` | it may run; the message may be empty. 1 in place of 0: where nobody can judge, no line runs |
//! | `ID stop STATUS MESSAGE` | it may not |
//! | `ID ask 0 MESSAGE` | show this, ask, and answer |
//! | `ID need KIND NAME…` | what the shell knows of these: `v` variable, `f` function, `a` alias |

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) asked: Asked,
}

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Judge {
        cwd: String,
        text: String,
        names: Vec<String>,
    },
    Known(Vec<Fact>),
    Answer(bool),
    End {
        status: i32,
    },
    Ran {
        cwd: String,
        text: String,
    },
    Leave {
        status: i32,
    },
    /// Nothing of these.
    Unreadable,
}

/// What the shell knows of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    /// A variable's words; nothing where it is not set.
    Variable(String, Option<Vec<String>>),
    /// An alias's text; nothing where there is none.
    Alias(String, Option<String>),
    /// A function's definition; nothing where there is none.
    Function(String, Option<String>),
}

impl Line {
    /// Reads a request; nothing where it is none.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let id: String = words.next()?.to_owned();
        if id.is_empty() || id.len() > 40 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let asked = match kind {
            "judge" => Asked::Judge {
                cwd: unescape(words.next()?),
                text: unescape(words.next()?),
                names: words
                    .filter(|name| !name.is_empty())
                    .take(256)
                    .map(unescape)
                    .collect(),
            },
            "ran" => Asked::Ran {
                cwd: unescape(words.next()?),
                text: unescape(words.next()?),
            },
            "answer" => Asked::Answer(words.next()? == "y"),
            "end" => Asked::End {
                status: words.next()?.parse().ok()?,
            },
            "leave" => Asked::Leave {
                status: words.next()?.parse().ok()?,
            },
            "known" => Asked::Known(facts(words)?),
            _ => return None,
        };
        Some(Self { id, asked })
    }
}

fn facts<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Vec<Fact>> {
    let mut found = Vec::new();
    while let Some(kind) = words.next().filter(|kind| !kind.is_empty()) {
        let (name, value) = (unescape(words.next()?), unescape(words.next()?));
        found.push(match kind {
            "v" => Fact::Variable(name, Some(vec![value])),
            "l" => Fact::Variable(name, Some(value.split(' ').map(unescape).collect())),
            "u" => Fact::Variable(name, None),
            "a" => Fact::Alias(name, Some(value)),
            "f" => Fact::Function(name, Some(value)),
            "n" => Fact::Function(name, None),
            "m" => Fact::Alias(name, None),
            _ => return None,
        });
    }
    Some(found)
}

/// A text as one word.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The text of a word; what is not an escape stays as it is.
pub(super) fn unescape(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for text in [
            "",
            "a b",
            "100%",
            "%41",
            "line\nline\t\u{e4}\u{1f600}",
            "/a.b_c-d~",
        ] {
            assert_eq!(unescape(&escape(text)), text);
            assert!(!escape(text).contains([' ', '\n']));
        }
        assert_eq!(unescape("%zz%4"), "%zz%4");
    }

    #[test]
    fn requests_are_read_and_others_are_not() {
        let line = Line::read("judge 7 /home/a%20b echo%20%22x%22 gs ll").unwrap();
        assert_eq!(line.id, "7");
        assert_eq!(
            line.asked,
            Asked::Judge {
                cwd: "/home/a b".to_owned(),
                text: "echo \"x\"".to_owned(),
                names: vec!["gs".to_owned(), "ll".to_owned()],
            }
        );
        let line = Line::read("known 7 v A 1 l B a%20b%2520c u C  f g x n h ").unwrap();
        assert_eq!(
            line.asked,
            Asked::Known(vec![
                Fact::Variable("A".to_owned(), Some(vec!["1".to_owned()])),
                Fact::Variable("B".to_owned(), Some(vec!["a".to_owned(), "b c".to_owned()])),
                Fact::Variable("C".to_owned(), None),
                Fact::Function("g".to_owned(), Some("x".to_owned())),
                Fact::Function("h".to_owned(), None),
            ])
        );
        for wrong in [
            "",
            "judge",
            "judge 7",
            "judge ../x / y",
            "end 7 x",
            "known 7 z A 1",
            "hello 7",
        ] {
            assert_eq!(Line::read(wrong), None, "{wrong}");
        }
    }
}
