//! Words of fish: quotes, escapes, lists, substitutions, braces.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{Part, Variable, Word},
};

impl<'a> Parser<'a> {
    /// Reads a word. The position is at its first byte.
    pub(crate) fn fish_word(&mut self) -> Word<'a> {
        let start = self.pos;
        let parts = self.fish_parts(false);
        Word {
            parts,
            span: Span::new(start, self.pos),
        }
    }

    /// Parts up to the end of the word, or of an item between braces.
    fn fish_parts(&mut self, braces: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        if self.byte() == Some(b'~') {
            self.fish_tilde(&mut parts);
        }
        let mut plain = self.pos;
        macro_rules! take {
            ($part:expr) => {{
                if plain < self.pos {
                    parts.push(Part::Literal(self.slice(plain, self.pos)));
                }
                let part = $part;
                parts.push(part);
                plain = self.pos;
            }};
        }
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' | b'\r' if braces => {
                    // Blanks around the items of braces mean nothing.
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    while matches!(self.byte(), Some(b' ' | b'\t' | b'\r')) {
                        self.pos += 1;
                    }
                    plain = self.pos;
                }
                b',' | b'}' if braces => break,
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'<' | b'>' | b')' => break,
                b'&' => match self.ahead(1) {
                    None | Some(b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b')' | b'>') => break,
                    Some(_) if self.pos == plain && parts.is_empty() => break,
                    Some(_) => self.pos += 1,
                },
                b'\'' => take!(self.fish_single()),
                b'"' => take!(self.fish_double()),
                b'\\' => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    parts.extend(self.fish_escape());
                    plain = self.pos;
                }
                b'$' if self.ahead(1) == Some(b'(') => take!({
                    let at = self.pos;
                    self.pos += 2;
                    self.fish_indexed(at)
                }),
                b'$' if self.fish_at_variable() => take!(self.fish_variable()),
                b'(' => take!({
                    let at = self.pos;
                    self.pos += 1;
                    self.fish_indexed(at)
                }),
                b'{' => match self.ahead(1) {
                    Some(b'}') => self.pos += 2,
                    _ if self.not_arithmetic.contains(&self.pos) => self.pos += 1,
                    _ => {
                        if plain < self.pos {
                            parts.push(Part::Literal(self.slice(plain, self.pos)));
                        }
                        self.fish_brace(&mut parts);
                        plain = self.pos;
                    }
                },
                b'*' | b'?' => take!({
                    let at = self.pos;
                    while matches!(self.byte(), Some(b'*' | b'?')) {
                        self.pos += 1;
                    }
                    Part::Glob(self.slice(at, self.pos))
                }),
                _ => self.pos += 1,
            }
            if !self.burn() {
                plain = self.pos;
                break;
            }
        }
        if plain < self.pos {
            parts.push(Part::Literal(self.slice(plain, self.pos)));
        }
        parts
    }

    fn fish_tilde(&mut self, parts: &mut Vec<Part<'a>>) {
        let start = self.pos + 1;
        let mut at = start;
        while self
            .byte_at(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        {
            at += 1;
        }
        let ends = match self.byte_at(at) {
            None => true,
            Some(byte) => matches!(
                byte,
                b'/' | b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b')' | b'}' | b','
            ),
        };
        if ends {
            parts.push(Part::Tilde(self.slice(start, at)));
            self.pos = at;
        }
    }

    /// A substitution with what picks from it: `(cmd)[1]`.
    fn fish_indexed(&mut self, start: usize) -> Part<'a> {
        let part = self.fish_substituted(start);
        if self.byte() == Some(b'[') && self.fish_index().is_some() {
            // Some of what it prints.
            if let Part::Command(list, _) = part {
                return Part::Command(list, Span::new(start, self.pos));
            }
        }
        part
    }

    fn fish_index(&mut self) -> Option<&'a str> {
        let from = self.pos + 1;
        let mut at = from;
        let mut open = 1usize;
        while let Some(byte) = self.byte_at(at) {
            match byte {
                b'[' => open += 1,
                b']' => {
                    open -= 1;
                    if open == 0 {
                        self.pos = at + 1;
                        return Some(self.slice(from, at));
                    }
                }
                b'\n' | b';' => return None,
                _ if at - from > 256 => return None,
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn fish_at_variable(&self) -> bool {
        let mut at = 1;
        while self.ahead(at) == Some(b'$') && at < 8 {
            at += 1;
        }
        self.ahead(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// `$x`, `$$x`, `$x[1]`.
    fn fish_variable(&mut self) -> Part<'a> {
        let start = self.pos;
        let mut dollars = 0;
        while self.byte() == Some(b'$') && dollars < 8 {
            self.pos += 1;
            dollars += 1;
        }
        let name = self.name();
        let index = if self.byte() == Some(b'[') {
            self.fish_index()
        } else {
            None
        };
        Part::Variable(Box::new(Variable {
            name,
            indirect: dollars > 1,
            index,
            span: Span::new(start, self.pos),
            ..Variable::default()
        }))
    }

    /// `'…'`: only `\'` and `\\` mean something.
    fn fish_single(&mut self) -> Part<'a> {
        let start = self.pos + 1;
        self.pos = start;
        let mut escaped = false;
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' => break,
                b'\\' if matches!(self.ahead(1), Some(b'\'' | b'\\')) => {
                    escaped = true;
                    self.pos += 2;
                }
                _ => self.pos += 1,
            }
        }
        let text = self.slice(start, self.pos);
        if self.pos >= self.end {
            self.unfinished("single quote is not closed", start - 1);
        } else {
            self.pos += 1;
        }
        if !escaped {
            return Part::Single(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(next) = chars.next() {
            match chars.peek() {
                Some(after @ ('\'' | '\\')) if next == '\\' => {
                    out.push(*after);
                    chars.next();
                }
                _ => out.push(next),
            }
        }
        Part::AnsiC(out)
    }

    fn fish_double(&mut self) -> Part<'a> {
        let start = self.pos;
        self.pos += 1;
        let mut parts = Vec::new();
        let mut plain = self.pos;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => break,
                b'\\' if matches!(self.ahead(1), Some(b'"' | b'$' | b'\\' | b'\n')) => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    if self.ahead(1) != Some(b'\n') {
                        parts.push(Part::Escaped(self.slice(self.pos + 1, self.pos + 2)));
                    }
                    self.pos += 2;
                    plain = self.pos;
                }
                b'$' if self.ahead(1) == Some(b'(') || self.fish_at_variable() => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    let at = self.pos;
                    parts.push(if self.ahead(1) == Some(b'(') {
                        self.pos += 2;
                        self.fish_indexed(at)
                    } else {
                        self.fish_variable()
                    });
                    plain = self.pos;
                }
                _ => self.pos += 1,
            }
            if !self.burn() {
                plain = self.pos;
                break;
            }
        }
        if plain < self.pos {
            parts.push(Part::Literal(self.slice(plain, self.pos)));
        }
        if self.byte() == Some(b'"') {
            self.pos += 1;
        } else {
            self.unfinished("double quote is not closed", start);
        }
        Part::Double(parts)
    }

    /// `\n`, `\x41`, `\ `; nothing for a continued line.
    fn fish_escape(&mut self) -> Option<Part<'a>> {
        let start = self.pos;
        self.pos += 1;
        let Some(byte) = self.byte() else {
            self.complete = self.complete && self.end != self.source.len();
            return Some(Part::Escaped("\\"));
        };
        let made = |code: u32| {
            char::from_u32(code)
                .map(|made| Part::AnsiC(made.to_string()))
                .unwrap_or(Part::Escaped(""))
        };
        let control = match byte {
            b'\n' => {
                self.pos += 1;
                return None;
            }
            b'n' => Some(10),
            b't' => Some(9),
            b'r' => Some(13),
            b'e' => Some(27),
            b'a' => Some(7),
            b'b' => Some(8),
            b'f' => Some(12),
            b'v' => Some(11),
            _ => None,
        };
        if let Some(code) = control {
            self.pos += 1;
            return Some(made(code));
        }
        let (digits, radix, skip) = match byte {
            b'x' | b'X' => (2, 16, 1),
            b'u' => (4, 16, 1),
            b'U' => (8, 16, 1),
            b'0'..=b'7' => (3, 8, 0),
            b'c' => {
                self.pos += 1;
                let letter = self.byte().unwrap_or(b'@');
                self.pos += self.char_len(self.pos);
                return Some(made(u32::from(letter & 31)));
            }
            _ => {
                let len = self.char_len(self.pos);
                let part = Part::Escaped(self.slice(self.pos, self.pos + len));
                self.pos += len;
                return Some(part);
            }
        };
        let from = self.pos + skip;
        let mut at = from;
        while at - from < digits
            && self
                .byte_at(at)
                .is_some_and(|byte| char::from(byte).is_digit(radix))
        {
            at += 1;
        }
        match u32::from_str_radix(self.slice(from, at), radix) {
            Ok(code) => {
                self.pos = at;
                Some(made(code))
            }
            Err(_) => {
                self.complain("unfinished escape", start, self.pos + 1);
                self.pos += 1;
                Some(Part::Escaped(self.slice(self.pos - 1, self.pos)))
            }
        }
    }

    /// `{a,b}`. Without a comma or variable inside it is text.
    fn fish_brace(&mut self, parts: &mut Vec<Part<'a>>) {
        let start = self.pos;
        let mark = self.mark();
        self.pos += 1;
        let read = self.deeper(|parser| {
            let mut alternatives = Vec::new();
            loop {
                alternatives.push(parser.fish_parts(true));
                match parser.byte() {
                    Some(b',') if parser.burn() => parser.pos += 1,
                    Some(b'}') => {
                        parser.pos += 1;
                        return Some(alternatives);
                    }
                    _ => return None,
                }
            }
        });
        match read {
            Some(Some(mut alternatives)) => {
                let variable = alternatives
                    .iter()
                    .flatten()
                    .any(|part| matches!(part, Part::Variable(_) | Part::Command(..)));
                if alternatives.len() > 1 || variable {
                    parts.push(Part::Brace(alternatives));
                } else {
                    parts.push(Part::Literal(self.slice(start, start + 1)));
                    parts.append(&mut alternatives.pop().unwrap_or_default());
                    parts.push(Part::Literal(self.slice(self.pos - 1, self.pos)));
                }
            }
            Some(None) => {
                self.rewind(&mark);
                self.not_arithmetic.insert(start);
                self.pos += 1;
                self.complain("brace is not closed", start, self.pos);
                parts.push(Part::Literal(self.slice(start, self.pos)));
            }
            None => parts.push(Part::Unknown(Span::new(start, self.pos))),
        }
    }
}
