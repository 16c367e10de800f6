//! Commands of PowerShell: a name and arguments.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{Command, CommandKind, Expr, Part, RedirectOp, Redirection, Simple, Word},
};

impl<'a> Parser<'a> {
    /// A command with its redirections. What calls, `&` or `.`, stays as the first word.
    pub(crate) fn ps_command(&mut self) -> Option<Command<'a>> {
        let start = self.pos;
        let mut words: Vec<Word<'a>> = Vec::new();
        let mut redirections = Vec::new();
        let dot = self.byte() == Some(b'.')
            && matches!(
                self.ahead(1),
                Some(b' ' | b'\t' | b'$' | b'"' | b'\'' | b'(' | b'{')
            );
        if self.byte() == Some(b'&') && self.ahead(1) != Some(b'&') || dot {
            self.pos += 1;
            words.push(Word {
                parts: vec![Part::Literal(self.slice(start, self.pos))],
                span: Span::new(start, self.pos),
            });
        }
        loop {
            self.ps_blanks();
            if self.ps_at_end() || matches!(self.byte(), Some(b'|')) || !self.burn() {
                break;
            }
            if self.byte() == Some(b'&') && !words.is_empty() {
                break;
            }
            if let Some(redirection) = self.ps_redirection() {
                redirections.push(redirection);
                continue;
            }
            if self.starts_with("--%") {
                self.ps_verbatim(&mut words);
                continue;
            }
            let before = self.pos;
            let word = self.ps_argument();
            if self.pos == before {
                self.complain("unexpected token", before, before + 1);
                self.pos += self.char_len(before).max(1);
                continue;
            }
            words.push(word);
        }
        if words.is_empty() && redirections.is_empty() {
            return None;
        }
        Some(Command {
            kind: CommandKind::Simple(Simple {
                assignments: Vec::new(),
                words,
            }),
            redirections,
            span: Span::new(start, self.trimmed_end(start)),
        })
    }

    /// After `--%` the line is handed on as it is.
    fn ps_verbatim(&mut self, words: &mut Vec<Word<'a>>) {
        self.pos += 3;
        while let Some(byte) = self.byte() {
            match byte {
                b'\n' | b'|' => break,
                b' ' | b'\t' | b'\r' => self.pos += 1,
                _ => {
                    let from = self.pos;
                    while self
                        .byte()
                        .is_some_and(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'|'))
                    {
                        self.pos += 1;
                    }
                    words.push(Word {
                        parts: vec![Part::Single(self.slice(from, self.pos).trim_matches('"'))],
                        span: Span::new(from, self.pos),
                    });
                }
            }
            if !self.burn() {
                break;
            }
        }
    }

    /// One argument; with commas, all that they join.
    pub(crate) fn ps_argument(&mut self) -> Word<'a> {
        let first = self.ps_single_argument();
        let mark = self.mark();
        self.ps_blanks();
        if self.byte() != Some(b',') {
            self.rewind(&mark);
            return first;
        }
        let start = first.span.start as usize;
        let mut all = vec![Expr::Word(first)];
        while self.byte() == Some(b',') && self.burn() {
            self.pos += 1;
            self.ps_lines();
            let before = self.pos;
            let next = self.ps_single_argument();
            if self.pos == before {
                break;
            }
            all.push(Expr::Word(next));
            let mark = self.mark();
            self.ps_blanks();
            if self.byte() != Some(b',') {
                self.rewind(&mark);
                break;
            }
        }
        Word {
            parts: vec![Part::Expression(Box::new(Expr::Array(all)))],
            span: Span::new(start, self.pos),
        }
    }

    fn ps_single_argument(&mut self) -> Word<'a> {
        let start = self.pos;
        let value = match self.byte() {
            Some(b'(') => true,
            Some(b'{') => true,
            Some(b'@') => match self.ahead(1) {
                Some(b'(' | b'{') => true,
                Some(b'"' | b'\'') => {
                    if let Some(part) = self.ps_here_string() {
                        return Word {
                            parts: vec![part],
                            span: Span::new(start, self.pos),
                        };
                    }
                    false
                }
                Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                    self.pos += 1;
                    let name = self.name();
                    let span = Span::new(start, self.pos);
                    return Word {
                        parts: vec![Part::Splat(name, span)],
                        span,
                    };
                }
                _ => false,
            },
            Some(b'$') => self.ps_at_variable() && self.ahead(1) != Some(b'('),
            _ => false,
        };
        if value {
            let mark = self.mark();
            let value = self
                .deeper(Self::ps_value)
                .unwrap_or(Expr::Unknown(Span::new(start, self.pos)));
            let ends = match self.byte() {
                None => true,
                Some(byte) => {
                    matches!(
                        byte,
                        b' ' | b'\t'
                            | b'\r'
                            | b'\n'
                            | b';'
                            | b'|'
                            | b'&'
                            | b')'
                            | b'}'
                            | b','
                            | b'('
                            | b'{'
                            | b'>'
                    )
                }
            };
            if ends || !matches!(self.source.as_bytes().get(start), Some(b'$')) {
                return match value {
                    Expr::Word(word) => word,
                    value => Word {
                        parts: vec![Part::Expression(Box::new(value))],
                        span: Span::new(start, self.pos),
                    },
                };
            }
            self.rewind(&mark);
        }
        let parts = self.ps_generic();
        Word {
            parts,
            span: Span::new(start, self.pos),
        }
    }

    /// Plain text with variables and quotes in it.
    fn ps_generic(&mut self) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut plain = self.pos;
        while let Some(byte) = self.byte() {
            let part = match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'{' | b'}'
                | b',' | b'<' | b'>' => break,
                b'\'' | b'"' | b'`' | b'$' if byte != b'$' || self.ps_at_variable() => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    match byte {
                        b'\'' => self.ps_single(),
                        b'"' => self.ps_double(),
                        b'`' => self.ps_escape(),
                        _ => self.ps_dollar(),
                    }
                }
                _ => {
                    self.pos += 1;
                    continue;
                }
            };
            parts.push(part);
            plain = self.pos;
            if !self.burn() {
                break;
            }
        }
        if plain < self.pos {
            parts.push(Part::Literal(self.slice(plain, self.pos)));
        }
        parts
    }

    /// `> file`, `2>> file`, `*> file`, `2>&1`.
    pub(crate) fn ps_redirection(&mut self) -> Option<Redirection<'a>> {
        let start = self.pos;
        let (fd, at, all) = match self.byte()? {
            b'>' | b'<' => (1, 0, false),
            b'*' if self.ahead(1) == Some(b'>') => (1, 1, true),
            digit @ b'1'..=b'6' if self.ahead(1) == Some(b'>') => {
                (u32::from(digit - b'0'), 1, false)
            }
            _ => return None,
        };
        let read = self.ahead(at) == Some(b'<');
        let append = self.ahead(at + 1) == Some(b'>');
        let joined = self.ahead(at + 1) == Some(b'&');
        let op = match (read, append, joined) {
            (true, ..) => RedirectOp::Read,
            (_, true, _) if all => RedirectOp::AppendBoth,
            (_, true, _) => RedirectOp::Append,
            (_, _, true) => RedirectOp::DuplicateOut,
            _ if all => RedirectOp::WriteBoth,
            _ => RedirectOp::Write,
        };
        self.pos += at + 1 + usize::from(append || joined);
        self.ps_blanks();
        let target = if joined {
            let from = self.pos;
            while matches!(self.byte(), Some(b'0'..=b'9')) {
                self.pos += 1;
            }
            Word {
                parts: vec![Part::Literal(self.slice(from, self.pos))],
                span: Span::new(from, self.pos),
            }
        } else if self.ps_at_end() {
            self.complain("a redirection needs a target", start, self.pos);
            Word {
                parts: Vec::new(),
                span: Span::new(self.pos, self.pos),
            }
        } else {
            self.ps_argument()
        };
        Some(Redirection {
            fd: if read { 0 } else { fd },
            fd_variable: None,
            op,
            target,
            here_doc: None,
            span: Span::new(start, self.pos),
        })
    }
}
