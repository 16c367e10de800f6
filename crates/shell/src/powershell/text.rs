//! Texts and variables of PowerShell.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{Part, Variable},
};

impl<'a> Parser<'a> {
    /// The name after `$`, which is taken too: `$x`, `${x y}`, `$env:PATH`, `$_`.
    pub(crate) fn ps_variable_name(&mut self) -> &'a str {
        self.pos += 1;
        let start = self.pos;
        match self.byte() {
            Some(b'{') => {
                let from = self.pos + 1;
                while self.byte().is_some_and(|byte| byte != b'}') {
                    self.pos += 1;
                }
                let name = self.slice(from, self.pos);
                if self.pos >= self.end {
                    self.unfinished("brace is not closed", start);
                } else {
                    self.pos += 1;
                }
                return name;
            }
            Some(b'$' | b'?' | b'^') => {
                self.pos += 1;
                return self.slice(start, self.pos);
            }
            _ => {}
        }
        while let Some(byte) = self.byte() {
            let part = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
            let scope = byte == b':'
                && self.pos > start
                && self
                    .ahead(1)
                    .is_some_and(|next| next.is_ascii_alphanumeric() || next == b'_');
            if !part && !scope {
                break;
            }
            self.pos += 1;
        }
        self.slice(start, self.pos)
    }

    /// True where `$` begins a variable.
    pub(crate) fn ps_at_variable(&self) -> bool {
        self.byte() == Some(b'$')
            && self.ahead(1).is_some_and(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'_' | b'{' | b'$' | b'?' | b'^' | b'(')
                    || byte >= 0x80
            })
    }

    /// `$x` or `$( … )`.
    pub(crate) fn ps_dollar(&mut self) -> Part<'a> {
        let start = self.pos;
        if self.ahead(1) == Some(b'(') {
            self.pos += 2;
            let list = self.ps_until(b')', start);
            return Part::Command(list, Span::new(start, self.pos));
        }
        let name = self.ps_variable_name();
        Part::Variable(Box::new(Variable {
            name,
            span: Span::new(start, self.pos),
            ..Variable::default()
        }))
    }

    /// A character after a backtick.
    pub(crate) fn ps_escape(&mut self) -> Part<'a> {
        self.pos += 1;
        let made = match self.byte() {
            None => {
                self.complete = false;
                return Part::Escaped("");
            }
            Some(b'n') => "\n",
            Some(b't') => "\t",
            Some(b'r') => "\r",
            Some(b'0') => "\0",
            Some(b'a') => "\u{7}",
            Some(b'b') => "\u{8}",
            Some(b'e') => "\u{1b}",
            Some(b'f') => "\u{c}",
            Some(b'v') => "\u{b}",
            Some(b'u') if self.ahead(1) == Some(b'{') => {
                let from = self.pos + 2;
                let mut at = from;
                while self
                    .byte_at(at)
                    .is_some_and(|byte| byte.is_ascii_hexdigit())
                    && at - from < 8
                {
                    at += 1;
                }
                let code = u32::from_str_radix(self.slice(from, at), 16).ok();
                self.pos = at + usize::from(self.byte_at(at) == Some(b'}'));
                return Part::AnsiC(
                    code.and_then(char::from_u32)
                        .map(String::from)
                        .unwrap_or_default(),
                );
            }
            Some(_) => {
                let len = self.char_len(self.pos);
                let part = Part::Escaped(self.slice(self.pos, self.pos + len));
                self.pos += len;
                return part;
            }
        };
        self.pos += 1;
        Part::Escaped(made)
    }

    /// `'…'`: two quotes are one.
    pub(crate) fn ps_single(&mut self) -> Part<'a> {
        let start = self.pos + 1;
        self.pos = start;
        let mut doubled = false;
        while let Some(byte) = self.byte() {
            if byte == b'\'' {
                if self.ahead(1) != Some(b'\'') {
                    break;
                }
                doubled = true;
                self.pos += 1;
            }
            self.pos += 1;
        }
        let text = self.slice(start, self.pos);
        if self.pos >= self.end {
            self.unfinished("single quote is not closed", start - 1);
        } else {
            self.pos += 1;
        }
        if doubled {
            Part::AnsiC(text.replace("''", "'"))
        } else {
            Part::Single(text)
        }
    }

    /// `"…"`
    pub(crate) fn ps_double(&mut self) -> Part<'a> {
        let start = self.pos;
        self.pos += 1;
        let parts = self
            .deeper(|parser| parser.ps_quoted(true))
            .unwrap_or_else(|| vec![Part::Unknown(Span::new(start, start))]);
        if self.byte() == Some(b'"') {
            self.pos += 1;
        } else {
            self.unfinished("double quote is not closed", start);
        }
        Part::Double(parts)
    }

    /// Parts in which only `$` and backticks mean something.
    fn ps_quoted(&mut self, quote: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut plain = self.pos;
        while let Some(byte) = self.byte() {
            let part = match byte {
                b'"' if quote => {
                    if self.ahead(1) != Some(b'"') {
                        break;
                    }
                    let at = self.pos;
                    if plain < at {
                        parts.push(Part::Literal(self.slice(plain, at)));
                    }
                    self.pos += 2;
                    plain = self.pos;
                    parts.push(Part::Escaped(self.slice(at, at + 1)));
                    continue;
                }
                b'`' | b'$' if byte == b'`' || self.ps_at_variable() => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    if byte == b'`' {
                        self.ps_escape()
                    } else {
                        self.ps_dollar()
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

    /// `@'…'@` and `@"…"@`, whose marks stand at the ends of lines.
    pub(crate) fn ps_here_string(&mut self) -> Option<Part<'a>> {
        let start = self.pos;
        let quote = self.ahead(1)?;
        let mut from = self.pos + 2;
        while matches!(self.byte_at(from), Some(b' ' | b'\t' | b'\r')) {
            from += 1;
        }
        if !matches!(quote, b'"' | b'\'') || !matches!(self.byte_at(from), Some(b'\n') | None) {
            return None;
        }
        if self.byte_at(from).is_none() {
            self.unfinished("here-string is not ended", start);
            self.pos = self.end;
            return Some(Part::Single(""));
        }
        let mark = if quote == b'"' { "\n\"@" } else { "\n'@" };
        let rest = self.slice(from, self.end);
        let (to, end) = match rest.find(mark) {
            Some(at) => (from + at, from + at + 3),
            None => {
                self.unfinished("here-string is not ended", start);
                (self.end, self.end)
            }
        };
        let from = (from + 1).min(to);
        let part = if quote == b'\'' {
            Part::Single(self.slice(from, to))
        } else {
            let parts = self.within(from, to, |parser| {
                parser
                    .deeper(|parser| parser.ps_quoted(false))
                    .unwrap_or_default()
            });
            Part::Double(parts)
        };
        self.pos = end;
        Some(part)
    }
}
