//! Expressions of PowerShell.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{Expr, Part, Word},
};

/// Most members and indices one after the other.
const MAX_CHAIN: usize = 40;

/// Operators that are words, each with how strongly it binds.
const WORDS: &[(&str, u8)] = &[
    ("and", 1),
    ("or", 1),
    ("xor", 1),
    ("band", 2),
    ("bor", 2),
    ("bxor", 2),
    ("shl", 5),
    ("shr", 5),
    ("f", 6),
    ("as", 3),
    ("is", 3),
    ("isnot", 3),
    ("in", 3),
    ("notin", 3),
    ("eq", 3),
    ("ne", 3),
    ("gt", 3),
    ("ge", 3),
    ("lt", 3),
    ("le", 3),
    ("like", 3),
    ("notlike", 3),
    ("match", 3),
    ("notmatch", 3),
    ("contains", 3),
    ("notcontains", 3),
    ("replace", 3),
    ("split", 3),
    ("join", 3),
];

impl<'a> Parser<'a> {
    /// True where a statement begins with a value and not with a name.
    pub(crate) fn ps_at_expression(&self) -> bool {
        let Some(byte) = self.byte() else {
            return false;
        };
        match byte {
            b'$' => self.ps_at_variable(),
            b'@' => matches!(self.ahead(1), Some(b'(' | b'{' | b'"' | b'\'')),
            b'(' | b'"' | b'\'' | b'{' | b'!' | b',' | b'[' => true,
            b'0'..=b'9' => {
                let mut at = self.pos;
                while self.byte_at(at).is_some_and(|byte| {
                    byte.is_ascii_hexdigit()
                        || matches!(
                            byte,
                            b'.' | b'x'
                                | b'k'
                                | b'm'
                                | b'g'
                                | b't'
                                | b'K'
                                | b'M'
                                | b'G'
                                | b'T'
                                | b'X'
                                | b'L'
                                | b'l'
                        )
                }) {
                    at += 1;
                }
                match self.byte_at(at) {
                    None => true,
                    Some(byte) => {
                        matches!(
                            byte,
                            b' ' | b'\t'
                                | b'\r'
                                | b'\n'
                                | b';'
                                | b')'
                                | b'}'
                                | b','
                                | b'+'
                                | b'*'
                                | b'%'
                                | b'|'
                                | b'/'
                        ) || byte == b'-'
                            && self.byte_at(at + 1).is_some_and(|b| b.is_ascii_digit())
                    }
                }
            }
            b'+' | b'-' => {
                self.ahead(1)
                    .is_some_and(|next| matches!(next, b'0'..=b'9' | b'$' | b'(' | b'+'))
                    || self.ps_unary_word().is_some()
                    || byte == b'-' && self.ahead(1) == Some(b'-') && self.ahead(2) == Some(b'$')
            }
            _ => false,
        }
    }

    /// `-not`, `-join`, `-split`, `-bnot`.
    fn ps_unary_word(&self) -> Option<&'static str> {
        if self.byte() != Some(b'-') {
            return None;
        }
        ["-not", "-join", "-split", "-bnot", "-isplit", "-csplit"]
            .into_iter()
            .find(|word| {
                self.slice(self.pos, self.pos + word.len())
                    .eq_ignore_ascii_case(word)
                    && !self
                        .ahead(word.len())
                        .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
    }

    /// A value with its operators. `commas` is false where a comma ends it.
    pub(crate) fn ps_expression(&mut self, commas: bool) -> Expr<'a> {
        let value = self.ps_chained(1, commas);
        self.ps_blanks();
        // `a ? b : c` of newer versions.
        if self.byte() == Some(b'?')
            && matches!(self.ahead(1), Some(b' ' | b'$' | b'(' | b'"' | b'\''))
        {
            let at = self.pos;
            self.pos += 1;
            self.ps_lines();
            let yes = self
                .deeper(|parser| parser.ps_expression(commas))
                .unwrap_or(Expr::Unknown(Span::new(at, self.pos)));
            self.ps_lines();
            if self.byte() == Some(b':') {
                self.pos += 1;
                self.ps_lines();
                let no = self
                    .deeper(|parser| parser.ps_expression(commas))
                    .unwrap_or(Expr::Unknown(Span::new(at, self.pos)));
                return Expr::Chain(Box::new(value), vec![("?", yes), (":", no)]);
            }
        }
        value
    }

    /// Operators that bind at least so strongly, from the left.
    fn ps_chained(&mut self, least: u8, commas: bool) -> Expr<'a> {
        if least > 8 {
            return self.ps_unary();
        }
        let first = self.ps_chained(least + 1, commas);
        let mut rest = Vec::new();
        let mut array = Vec::new();
        loop {
            self.ps_blanks();
            let Some((op, len, strength)) = self.ps_operator(commas) else {
                break;
            };
            if strength != least || !self.burn() {
                break;
            }
            let at = self.pos;
            self.pos += len;
            self.ps_lines();
            if self.pos >= self.end {
                self.unfinished("nothing follows the operator", at);
            }
            let next = self.ps_chained(least + 1, commas);
            if strength == 8 {
                array.push(next);
            } else {
                rest.push((op, next));
            }
        }
        if !array.is_empty() {
            array.insert(0, first);
            return Expr::Array(array);
        }
        if rest.is_empty() {
            return first;
        }
        Expr::Chain(Box::new(first), rest)
    }

    /// The operator at the position, its length, and how strongly it binds.
    fn ps_operator(&self, commas: bool) -> Option<(&'a str, usize, u8)> {
        let one =
            |len: usize, strength: u8| Some((self.slice(self.pos, self.pos + len), len, strength));
        let next = self.ahead(1);
        match self.byte()? {
            b',' if commas => one(1, 8),
            b'.' if next == Some(b'.') => one(2, 7),
            b'?' if next == Some(b'?') && self.ahead(2) != Some(b'=') => one(2, 1),
            b'+' if !matches!(next, Some(b'=' | b'+')) => one(1, 4),
            b'*' | b'%' | b'/' if next != Some(b'=') => one(1, 5),
            b'-' => {
                let mut at = self.pos + 1;
                while self
                    .byte_at(at)
                    .is_some_and(|byte| byte.is_ascii_alphabetic())
                    && at - self.pos < 16
                {
                    at += 1;
                }
                let word = self.slice(self.pos + 1, at);
                if word.is_empty() {
                    return (!matches!(next, Some(b'=' | b'-'))).then_some((
                        self.slice(self.pos, self.pos + 1),
                        1,
                        4,
                    ));
                }
                let find = |name: &str| {
                    WORDS
                        .iter()
                        .find(|(known, _)| known.eq_ignore_ascii_case(name))
                };
                let plain = find(word).or_else(|| {
                    // `-ieq`, `-creplace`
                    word.strip_prefix(['i', 'c', 'I', 'C']).and_then(find)
                });
                plain.map(|&(name, strength)| (name, at - self.pos, strength))
            }
            _ => None,
        }
    }

    fn ps_unary(&mut self) -> Expr<'a> {
        self.ps_blanks();
        let start = self.pos;
        if !self.burn() {
            return Expr::Unknown(Span::new(start, self.pos));
        }
        let (op, len): (&'a str, usize) = match self.byte() {
            Some(b'!') => ("!", 1),
            Some(b',') => (",", 1),
            Some(byte @ (b'+' | b'-')) => match self.ps_unary_word() {
                Some(word) => (word, word.len()),
                None if self.ahead(1) == Some(byte) => ("++", 2),
                None => (if byte == b'-' { "-" } else { "+" }, 1),
            },
            _ => return self.ps_value(),
        };
        self.pos += len;
        self.ps_lines();
        let value = self
            .deeper(Self::ps_unary)
            .unwrap_or(Expr::Unknown(Span::new(start, self.pos)));
        Expr::Unary(op, Box::new(value))
    }

    /// A value with its members and indices.
    pub(crate) fn ps_value(&mut self) -> Expr<'a> {
        let start = self.pos;
        let mut value = self.ps_atom();
        if self.pos == start {
            return value;
        }
        for _ in 0..MAX_CHAIN {
            let next = self.ahead(1);
            let name_after = |at: usize| {
                self.ahead(at).is_some_and(|byte| {
                    byte.is_ascii_alphabetic()
                        || matches!(byte, b'_' | b'$' | b'"' | b'\'' | b'(' | b'{')
                })
            };
            let len = match self.byte() {
                Some(b'.') if next != Some(b'.') && name_after(1) => 1,
                Some(b'?') if next == Some(b'.') && name_after(2) => 2,
                Some(b':') if next == Some(b':') && name_after(2) => 2,
                Some(b'[') => {
                    let at = self.pos;
                    self.pos += 1;
                    self.ps_lines();
                    let index = self
                        .deeper(|parser| parser.ps_expression(true))
                        .unwrap_or(Expr::Unknown(Span::new(at, self.pos)));
                    self.ps_lines();
                    if self.byte() == Some(b']') {
                        self.pos += 1;
                    } else {
                        self.unfinished("bracket is not closed", at);
                        return value;
                    }
                    value = Expr::Index(Box::new(value), Box::new(index));
                    continue;
                }
                Some(b'+') if next == Some(b'+') => {
                    self.pos += 2;
                    return Expr::Unary("++", Box::new(value));
                }
                Some(b'-') if next == Some(b'-') => {
                    self.pos += 2;
                    return Expr::Unary("--", Box::new(value));
                }
                _ => return value,
            };
            self.pos += len;
            let at = self.pos;
            let name = match self.byte() {
                Some(b'$' | b'"' | b'\'' | b'(' | b'{') => self
                    .deeper(Self::ps_atom)
                    .unwrap_or(Expr::Unknown(Span::new(at, self.pos))),
                _ => {
                    let text = self.name();
                    Expr::Word(Word {
                        parts: vec![Part::Literal(text)],
                        span: Span::new(at, self.pos),
                    })
                }
            };
            if self.byte() == Some(b'(') {
                let args = self.ps_call_arguments();
                value = Expr::Invoke(
                    Box::new(value),
                    Box::new(name),
                    args,
                    Span::new(start, self.pos),
                );
            } else {
                value = Expr::Member(Box::new(value), Box::new(name), Span::new(start, self.pos));
            }
            if !self.burn() {
                break;
            }
        }
        if matches!(self.byte(), Some(b'.' | b'[')) {
            let at = self.pos;
            while !self.ps_at_end() {
                self.pos += 1;
            }
            self.unknown_region(at, self.pos, "too many members");
        }
        value
    }

    /// `( a, b )` after a method's name.
    fn ps_call_arguments(&mut self) -> Vec<Expr<'a>> {
        let start = self.pos;
        self.pos += 1;
        let mut args = Vec::new();
        loop {
            self.ps_lines();
            match self.byte() {
                None => {
                    self.unfinished("parenthesis is not closed", start);
                    break;
                }
                Some(b')') => {
                    self.pos += 1;
                    break;
                }
                Some(b',') => self.pos += 1,
                Some(_) => {
                    let before = self.pos;
                    match self.deeper(|parser| parser.ps_expression(false)) {
                        Some(value) if self.pos > before => args.push(value),
                        _ => self.pos += self.char_len(self.pos).max(1),
                    }
                }
            }
            if !self.burn() {
                break;
            }
        }
        args
    }

    fn ps_atom(&mut self) -> Expr<'a> {
        let start = self.pos;
        let word = |parts: Vec<Part<'a>>, end: usize| {
            Expr::Word(Word {
                parts,
                span: Span::new(start, end),
            })
        };
        match self.byte() {
            Some(b'$') if self.ahead(1) == Some(b'(') => {
                self.pos += 2;
                let list = self.ps_until(b')', start);
                Expr::Statements(list, Span::new(start, self.pos))
            }
            Some(b'$') if self.ps_at_variable() => {
                let part = self.ps_dollar();
                word(vec![part], self.pos)
            }
            Some(b'(') => {
                self.pos += 1;
                let list = self.ps_until(b')', start);
                Expr::Statements(list, Span::new(start, self.pos))
            }
            Some(b'@') => match self.ahead(1) {
                Some(b'(') => {
                    self.pos += 2;
                    let list = self.ps_until(b')', start);
                    Expr::Statements(list, Span::new(start, self.pos))
                }
                Some(b'{') => self.ps_hash(),
                _ => match self.ps_here_string() {
                    Some(part) => word(vec![part], self.pos),
                    None => {
                        self.pos += 1;
                        let name = self.name();
                        word(
                            vec![Part::Splat(name, Span::new(start, self.pos))],
                            self.pos,
                        )
                    }
                },
            },
            Some(b'\'') => {
                let part = self.ps_single();
                word(vec![part], self.pos)
            }
            Some(b'"') => {
                let part = self.ps_double();
                word(vec![part], self.pos)
            }
            Some(b'{') => self.ps_block(),
            Some(b'[') => {
                let name = self.ps_type();
                if self.starts_with("::") {
                    return Expr::Type(name);
                }
                self.ps_blanks();
                let casts = match self.byte() {
                    Some(b'$' | b'(' | b'"' | b'\'' | b'@' | b'{' | b'[' | b'0'..=b'9') => true,
                    Some(b'-' | b'+') => self
                        .ahead(1)
                        .is_some_and(|next| next.is_ascii_digit() || next == b'$'),
                    _ => false,
                };
                if !casts {
                    return Expr::Type(name);
                }
                let value = self
                    .deeper(Self::ps_unary)
                    .unwrap_or(Expr::Unknown(Span::new(start, self.pos)));
                Expr::Cast(name, Box::new(value))
            }
            Some(byte) if byte.is_ascii_digit() || byte == b'.' => {
                while self.byte().is_some_and(|byte| byte.is_ascii_alphanumeric())
                    || self.byte() == Some(b'.')
                        && self.ahead(1).is_some_and(|next| next.is_ascii_digit())
                {
                    self.pos += 1;
                }
                if self.pos == start {
                    self.pos += 1;
                }
                word(vec![Part::Literal(self.slice(start, self.pos))], self.pos)
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                // A bare word in a value is an error, or the key of a table.
                while self
                    .byte()
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                {
                    self.pos += 1;
                }
                word(vec![Part::Literal(self.slice(start, self.pos))], self.pos)
            }
            _ => Expr::Unknown(Span::new(start, start)),
        }
    }

    /// `{ … }` as a value.
    pub(crate) fn ps_block(&mut self) -> Expr<'a> {
        let start = self.pos;
        self.pos += 1;
        let list = self.ps_until(b'}', start);
        let closed = self.slice(start, self.pos).ends_with('}') && self.pos > start + 1;
        let to = if closed { self.pos - 1 } else { self.pos };
        Expr::Block(list, Span::new(start + 1, to.max(start + 1)))
    }

    /// `@{ key = value; … }`
    fn ps_hash(&mut self) -> Expr<'a> {
        let start = self.pos;
        self.pos += 2;
        let mut pairs = Vec::new();
        loop {
            self.ps_separators();
            match self.byte() {
                None => {
                    self.unfinished("brace is not closed", start);
                    break;
                }
                Some(b'}') => {
                    self.pos += 1;
                    break;
                }
                Some(_) => {}
            }
            let before = self.pos;
            let key = self
                .deeper(Self::ps_value)
                .unwrap_or(Expr::Unknown(Span::new(before, before)));
            self.ps_lines();
            if self.byte() == Some(b'=') {
                self.pos += 1;
                self.ps_lines();
                let item = self.deeper(Self::ps_statement);
                pairs.push((
                    key,
                    crate::tree::List {
                        items: item.into_iter().collect(),
                    },
                ));
            }
            if self.pos == before {
                self.pos += self.char_len(before).max(1);
            }
            if !self.burn() {
                break;
            }
        }
        Expr::Hash(pairs)
    }

    /// `[TYPE]`: what stands between the brackets.
    pub(crate) fn ps_type(&mut self) -> &'a str {
        let start = self.pos + 1;
        let mut open = 0usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'[' | b'(' => open += 1,
                b']' | b')' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        self.pos += 1;
                        return self.slice(start, self.pos - 1).trim();
                    }
                }
                b'\'' => {
                    self.ps_single();
                    continue;
                }
                b'\n' | b';' if open <= 1 && byte == b';' => break,
                _ => {}
            }
            self.pos += 1;
        }
        self.unfinished("bracket is not closed", start - 1);
        self.slice(start, self.pos)
    }
}
