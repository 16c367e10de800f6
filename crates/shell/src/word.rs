//! Words: quotes, escapes, globs, tildes and everything that begins with `$`, `` ` `` or `<(`.

use cmdai_schema::Span;

use crate::{
    ansi_c, brace,
    parser::Parser,
    tree::{List, Part, Word},
};

/// What a run of quoted text stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// `"…"`: ends at the quote.
    Double,
    /// A here-document: ends with the region.
    HereDoc,
    /// `${x:-…}` inside double quotes: ends at `}`.
    Braces,
    /// `${x/…/…}` inside double quotes: ends at `/` or `}`.
    Pattern,
    /// `${x:…:…}`: ends at `:` or `}`.
    Offset,
}

/// Where unquoted parts end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At a blank or operator.
    Word,
    /// As a word, but parentheses belong to it: the right side of `=~`.
    Regex,
    /// At `}`.
    Braces,
    /// At `/` or `}`.
    Pattern,
    /// At a parenthesis or `|`: inside `@( … )`.
    Group,
}

impl<'a> Parser<'a> {
    /// Reads a word. The position is at its first byte.
    pub(crate) fn word(&mut self) -> Word<'a> {
        self.word_until(Stop::Word)
    }

    pub(crate) fn word_until(&mut self, stop: Stop) -> Word<'a> {
        let start = self.pos;
        let mut parts = self.unquoted_parts(stop, true);
        if brace::may_expand(&parts) {
            parts = brace::fold(parts);
        }
        merge_literals(self.source, &mut parts);
        Word {
            parts,
            span: Span::new(start, self.pos),
        }
    }

    /// Reads unquoted parts up to the stop, which is not taken.
    pub(crate) fn unquoted_parts(&mut self, stop: Stop, tilde: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let first = self.pos;
        if tilde && self.byte() == Some(b'~') {
            parts.push(self.tilde());
        }
        let mut plain = self.pos;
        let mut open = 0usize;
        macro_rules! flush {
            () => {
                if plain < self.pos {
                    parts.push(Part::Literal(self.slice(plain, self.pos)));
                }
            };
        }
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' => {
                    flush!();
                    parts.push(self.single());
                    plain = self.pos;
                }
                b'"' => {
                    flush!();
                    parts.push(self.double());
                    plain = self.pos;
                }
                b'\\' => {
                    flush!();
                    self.pos += 1;
                    if self.byte() == Some(b'\n') {
                        self.pos += 1;
                    } else if self.pos >= self.end {
                        self.complete = self.complete && self.end != self.source.len();
                        parts.push(Part::Escaped("\\"));
                    } else {
                        let len = self.char_len(self.pos);
                        parts.push(Part::Escaped(self.slice(self.pos, self.pos + len)));
                        self.pos += len;
                    }
                    plain = self.pos;
                }
                b'$' | b'`' => {
                    flush!();
                    match self.expansion(false) {
                        Some(part) => {
                            parts.push(part);
                            plain = self.pos;
                        }
                        None => {
                            plain = self.pos;
                            self.pos += 1;
                        }
                    }
                }
                b'}' if matches!(stop, Stop::Braces | Stop::Pattern) => break,
                b'/' if stop == Stop::Pattern => break,
                b'(' | b')' | b'|' if stop == Stop::Group => break,
                b'=' if self.pos == first && stop == Stop::Word && self.is_zsh() => {
                    self.zsh_equals(&mut parts, &mut plain);
                }
                b'(' if stop == Stop::Word && self.zsh_group_here() => {
                    flush!();
                    let begun = self.pos > first;
                    parts.append(&mut self.zsh_parentheses(begun));
                    plain = self.pos;
                }
                b'<' if stop == Stop::Word && self.number_pattern().is_some() => {
                    flush!();
                    parts.push(Part::Glob("*"));
                    self.pos = self.number_pattern().unwrap_or(self.pos + 1);
                    plain = self.pos;
                }
                b'<' | b'>' if self.ahead(1) == Some(b'(') && stop != Stop::Regex => {
                    flush!();
                    parts.push(self.process(byte == b'>'));
                    plain = self.pos;
                }
                b'=' if stop == Stop::Word
                    && self.ahead(1) == Some(b'(')
                    && self.is_assignment_so_far(first) =>
                {
                    self.pos += 1;
                    flush!();
                    parts.push(Part::Array(self.array()));
                    plain = self.pos;
                }
                b'*' | b'?' | b'@' | b'+' | b'!'
                    if self.ahead(1) == Some(b'(')
                        && matches!(stop, Stop::Word)
                        && !self.is_zsh() =>
                {
                    flush!();
                    match self.balanced(self.pos + 1) {
                        Some(end) => {
                            parts.push(Part::Glob(self.slice(self.pos, end)));
                            self.pos = end;
                        }
                        None => self.extended(&mut parts),
                    }
                    plain = self.pos;
                }
                b'*' | b'?' => {
                    flush!();
                    parts.push(Part::Glob(self.slice(self.pos, self.pos + 1)));
                    self.pos += 1;
                    plain = self.pos;
                }
                b'[' => match self.bracket() {
                    Some(end) => {
                        flush!();
                        parts.push(Part::Glob(self.slice(self.pos, end)));
                        self.pos = end;
                        plain = end;
                    }
                    None => self.pos += 1,
                },
                b'(' if stop == Stop::Regex => {
                    open += 1;
                    self.pos += 1;
                }
                // Between parentheses of a regular expression everything is its text.
                b')' if stop == Stop::Regex && open > 0 => {
                    open -= 1;
                    self.pos += 1;
                }
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>'
                    if stop == Stop::Regex && open > 0 =>
                {
                    self.pos += 1;
                }
                b'|' if stop == Stop::Regex && self.ahead(1) != Some(b'|') => self.pos += 1,
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => {
                    if matches!(stop, Stop::Word | Stop::Regex) {
                        break;
                    }
                    self.pos += 1;
                }
                b'{' | b'}' | b',' if stop == Stop::Word => {
                    flush!();
                    parts.push(Part::Literal(self.slice(self.pos, self.pos + 1)));
                    self.pos += 1;
                    plain = self.pos;
                }
                b':' | b'='
                    if self.ahead(1) == Some(b'~')
                        && stop == Stop::Word
                        && self.is_assignment_so_far(first) =>
                {
                    self.pos += 1;
                    flush!();
                    parts.push(self.tilde());
                    plain = self.pos;
                }
                _ => self.pos += 1,
            }
            if !self.burn() {
                plain = self.pos;
                break;
            }
        }
        flush!();
        parts
    }

    /// `@( … )` and the like with quotes, blanks, operators or expansions in it. The position is at the
    /// mark before the parenthesis.
    fn extended(&mut self, parts: &mut Vec<Part<'a>>) {
        let start = self.pos;
        self.pos += 2;
        parts.push(Part::Glob(self.slice(start, self.pos)));
        let mut open = 1usize;
        while open > 0 && self.burn() {
            match self.byte() {
                Some(b'(') => {
                    open += 1;
                    parts.push(Part::Glob(self.slice(self.pos, self.pos + 1)));
                    self.pos += 1;
                }
                Some(byte @ (b')' | b'|')) => {
                    open -= usize::from(byte == b')');
                    parts.push(Part::Glob(self.slice(self.pos, self.pos + 1)));
                    self.pos += 1;
                }
                Some(_) => {
                    let before = self.pos;
                    let inner = self.deeper(|parser| parser.unquoted_parts(Stop::Group, false));
                    parts.append(&mut inner.unwrap_or_default());
                    if self.pos == before {
                        break;
                    }
                }
                None => {
                    self.unfinished("parenthesis is not closed", start);
                    break;
                }
            }
        }
    }

    /// True where the word up to here is `NAME=` or `NAME=…`.
    fn is_assignment_so_far(&self, start: usize) -> bool {
        let text = self.slice(start, (self.pos + 1).min(self.end));
        let name = text
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        name > 0
            && !text.starts_with(|first: char| first.is_ascii_digit())
            && text.as_bytes().get(name) == Some(&b'=')
    }

    /// Words between parentheses.
    pub(crate) fn array(&mut self) -> Vec<Word<'a>> {
        let start = self.pos;
        self.pos += 1;
        let mut words = Vec::new();
        loop {
            self.skip_lines();
            match self.byte() {
                None => {
                    self.unfinished("array is not ended", start);
                    break;
                }
                Some(b')') => {
                    self.pos += 1;
                    break;
                }
                Some(_) => {
                    let before = self.pos;
                    let word = self.deeper(Self::element).unwrap_or_default();
                    if self.pos == before {
                        self.complain("unexpected operator in a list of words", before, before + 1);
                        self.pos += 1;
                    } else {
                        words.push(word);
                    }
                }
            }
            if !self.burn() {
                break;
            }
        }
        words
    }

    /// An element between parentheses: a word, with `[KEY]=` in front of it perhaps.
    fn element(&mut self) -> Word<'a> {
        let start = self.pos;
        if self.byte() == Some(b'[')
            && let Some(end) = self.subscript_end(start)
        {
            let append = self.byte_at(end + 1) == Some(b'+');
            if self.byte_at(end + 1 + usize::from(append)) == Some(b'=') {
                self.pos = end + 2 + usize::from(append);
                let mut parts = vec![Part::Subscript(self.slice(start + 1, end), append)];
                parts.append(&mut self.unquoted_parts(Stop::Word, true));
                return Word {
                    parts,
                    span: Span::new(start, self.pos),
                };
            }
        }
        self.word()
    }

    /// The `]` that closes the `[` at a position, past quotes and what is nested. Nothing where the
    /// bracket is not closed nearby.
    pub(crate) fn subscript_end(&self, open: usize) -> Option<usize> {
        let (mut depth, mut inner, mut at) = (0usize, 0usize, open);
        let limit = open + 1024;
        loop {
            if at > limit {
                return None;
            }
            match self.byte_at(at)? {
                // Brackets inside other ones are theirs.
                b'[' if inner == 0 => depth += 1,
                b']' if inner == 0 => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(at);
                    }
                }
                b'(' | b'{' => inner += 1,
                b')' | b'}' if inner > 0 => inner -= 1,
                b'}' => return None,
                b'\\' => at += 1,
                quote @ (b'\'' | b'"' | b'`') => {
                    at += 1;
                    while self.byte_at(at)? != quote && at <= limit {
                        at += 1 + usize::from(quote != b'\'' && self.byte_at(at) == Some(b'\\'));
                    }
                }
                b'\n' if inner == 0 => return None,
                _ => {}
            }
            at += 1;
        }
    }

    fn tilde(&mut self) -> Part<'a> {
        let start = self.pos + 1;
        self.pos = start;
        while self.byte().is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+')
        }) {
            self.pos += 1;
        }
        match self.byte() {
            None
            | Some(
                b'/' | b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b':'
                | b'}' | b',' | b'{',
            ) => {
                // Before a brace it depends on what the brace makes.
                Part::Tilde(self.slice(start, self.pos))
            }
            _ => Part::Literal(self.slice(start - 1, self.pos)),
        }
    }

    fn single(&mut self) -> Part<'a> {
        let start = self.pos + 1;
        self.pos = start;
        while self.byte().is_some_and(|byte| byte != b'\'') {
            self.pos += 1;
        }
        let part = Part::Single(self.slice(start, self.pos));
        if self.pos >= self.end {
            self.unfinished("single quote is not closed", start - 1);
        } else {
            self.pos += 1;
        }
        part
    }

    pub(crate) fn double(&mut self) -> Part<'a> {
        let start = self.pos;
        self.pos += 1;
        let parts = self
            .deeper(|parser| parser.quoted_parts(Inside::Double))
            .unwrap_or_else(|| vec![Part::Unknown(Span::new(start, start))]);
        if self.byte() == Some(b'"') {
            self.pos += 1;
        } else {
            self.unfinished("double quote is not closed", start);
        }
        Part::Double(parts)
    }

    fn dollar_single(&mut self) -> Part<'a> {
        let start = self.pos + 2;
        self.pos = start;
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' => break,
                b'\\' => self.pos = (self.pos + 2).min(self.end),
                _ => self.pos += 1,
            }
        }
        let part = Part::AnsiC(ansi_c::decode(self.slice(start, self.pos)));
        if self.pos >= self.end {
            self.unfinished("single quote is not closed", start - 2);
        } else {
            self.pos += 1;
        }
        part
    }

    /// Reads parts in which only `$`, back quotes and backslashes mean something.
    pub(crate) fn quoted_parts(&mut self, inside: Inside) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut plain = self.pos;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' if inside == Inside::Double => break,
                b'}' if matches!(inside, Inside::Braces | Inside::Pattern | Inside::Offset) => {
                    break;
                }
                b'/' if inside == Inside::Pattern => break,
                b':' if inside == Inside::Offset => break,
                b'\\' => {
                    let next = self.ahead(1);
                    let special = match next {
                        Some(b'$' | b'`' | b'\\' | b'\n') => true,
                        Some(b'"') => inside != Inside::HereDoc,
                        Some(b'}' | b'/') => !matches!(inside, Inside::Double | Inside::HereDoc),
                        _ => false,
                    };
                    if special {
                        if plain < self.pos {
                            parts.push(Part::Literal(self.slice(plain, self.pos)));
                        }
                        if next != Some(b'\n') {
                            parts.push(Part::Escaped(self.slice(self.pos + 1, self.pos + 2)));
                        }
                        self.pos += 2;
                        plain = self.pos;
                    } else {
                        self.pos += 1;
                    }
                }
                b'$' | b'`' => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    plain = self.pos;
                    match self.expansion(true) {
                        Some(part) => {
                            parts.push(part);
                            plain = self.pos;
                        }
                        None => self.pos += 1,
                    }
                }
                b'"' if inside != Inside::HereDoc => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    parts.push(self.double());
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
        parts
    }

    /// Reads what begins with `$` or a back quote; nothing where it is a plain `$`.
    pub(crate) fn expansion(&mut self, quoted: bool) -> Option<Part<'a>> {
        if self.byte() == Some(b'`') {
            return Some(self.back_quotes());
        }
        match self.ahead(1)? {
            b'\'' if !quoted => Some(self.dollar_single()),
            b'"' if !quoted => {
                self.pos += 1;
                Some(self.double())
            }
            b'(' => Some(self.dollar_parenthesis()),
            b'=' | b'~' | b'^' if self.is_zsh() => self.zsh_marked(),
            b'#' if self.is_zsh()
                && self
                    .ahead(2)
                    .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_') =>
            {
                Some(self.zsh_length())
            }
            b'[' => {
                let start = self.pos;
                self.pos += 2;
                let parts = self
                    .deeper(|parser| parser.arithmetic(b']'))
                    .flatten()
                    .unwrap_or_default();
                Some(Part::Arithmetic(parts, Span::new(start, self.pos)))
            }
            b'{' => Some(
                self.deeper(|parser| parser.braced_variable(quoted))
                    .unwrap_or(Part::Unknown(Span::new(self.pos, self.end))),
            ),
            byte if byte.is_ascii_alphabetic() || byte == b'_' => Some(self.plain_variable()),
            b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' => {
                Some(self.special_variable())
            }
            _ => None,
        }
    }

    fn dollar_parenthesis(&mut self) -> Part<'a> {
        let start = self.pos;
        if self.ahead(2) == Some(b'(') && !self.not_arithmetic.contains(&start) {
            let mark = self.mark();
            self.pos += 3;
            match self.deeper(|parser| parser.arithmetic(b')')) {
                Some(Some(parts)) => return Part::Arithmetic(parts, Span::new(start, self.pos)),
                Some(None) => {
                    self.rewind(&mark);
                    self.not_arithmetic.insert(start);
                }
                None => return Part::Unknown(Span::new(start, self.pos)),
            }
        }
        self.pos += 2;
        match self.substituted(start) {
            Some(list) => Part::Command(list, Span::new(start, self.pos)),
            None => Part::Unknown(Span::new(start, self.pos)),
        }
    }

    /// A list up to `)`, which is taken.
    pub(crate) fn substituted(&mut self, start: usize) -> Option<List<'a>> {
        let list = self.deeper(Self::list_in_parentheses)?;
        if self.byte() == Some(b')') {
            self.pos += 1;
        } else {
            self.unfinished("parenthesis is not closed", start);
        }
        Some(list)
    }

    pub(crate) fn process(&mut self, output: bool) -> Part<'a> {
        let start = self.pos;
        self.pos += 2;
        match self.substituted(start) {
            Some(list) => Part::Process(list, output, Span::new(start, self.pos)),
            None => Part::Unknown(Span::new(start, self.pos)),
        }
    }

    fn back_quotes(&mut self) -> Part<'a> {
        let start = self.pos;
        self.pos += 1;
        let mut escaped = false;
        while let Some(byte) = self.byte() {
            match byte {
                b'`' => break,
                b'\\' => {
                    escaped = true;
                    self.pos = (self.pos + 2).min(self.end);
                }
                _ => self.pos += 1,
            }
        }
        let (from, to) = (start + 1, self.pos);
        if self.pos >= self.end {
            self.unfinished("back quote is not closed", start);
        } else {
            self.pos += 1;
        }
        let span = Span::new(start, self.pos);
        if escaped {
            let mut text = String::with_capacity(to - from);
            let mut chars = self.slice(from, to).chars().peekable();
            while let Some(next) = chars.next() {
                if next == '\\'
                    && chars
                        .peek()
                        .is_some_and(|next| matches!(next, '`' | '\\' | '$'))
                {
                    text.extend(chars.next());
                } else {
                    text.push(next);
                }
            }
            return Part::CommandText(text, span);
        }
        let list = self.within(from, to, |parser| parser.deeper(Self::whole_list));
        match list {
            Some(list) => Part::Command(list, span),
            None => Part::Unknown(span),
        }
    }

    /// Parts of an arithmetic expression up to `))` or `]`, which are taken. Nothing where a single
    /// `)` shows that it is none.
    pub(crate) fn arithmetic(&mut self, close: u8) -> Option<Vec<Part<'a>>> {
        let start = self.pos;
        let mut parts = Vec::new();
        let mut plain = self.pos;
        let (mut open, mut brackets) = (0usize, 0usize);
        // Parentheses between quotes count for nothing; what begins with `$` means what it means elsewhere.
        let mut quote: Option<u8> = None;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' | b'\'' => {
                    if quote.is_none() {
                        quote = Some(byte);
                    } else if quote == Some(byte) {
                        quote = None;
                    }
                    self.pos += 1;
                }
                b'(' | b')' | b'[' | b']' if quote.is_some() => self.pos += 1,
                // `$[a[1]+2]`
                b'[' if close == b']' => {
                    brackets += 1;
                    self.pos += 1;
                }
                b']' if close == b']' && brackets > 0 => {
                    brackets -= 1;
                    self.pos += 1;
                }
                b'(' => {
                    open += 1;
                    self.pos += 1;
                }
                b')' if open > 0 => {
                    open -= 1;
                    self.pos += 1;
                }
                b')' | b']' if byte == close => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    if close == b']' {
                        self.pos += 1;
                        return Some(parts);
                    }
                    if self.ahead(1) == Some(b')') {
                        self.pos += 2;
                        return Some(parts);
                    }
                    return if self.ahead(1).is_none() {
                        self.unfinished("arithmetic is not closed", start);
                        self.pos += 1;
                        Some(parts)
                    } else {
                        None
                    };
                }
                b'$' | b'`' => {
                    if plain < self.pos {
                        parts.push(Part::Literal(self.slice(plain, self.pos)));
                    }
                    plain = self.pos;
                    match self.expansion(true) {
                        Some(part) => {
                            parts.push(part);
                            plain = self.pos;
                        }
                        None => self.pos += 1,
                    }
                }
                b'\\' => self.pos = (self.pos + 2).min(self.end),
                _ => self.pos += 1,
            }
            if !self.burn() {
                break;
            }
        }
        self.unfinished("arithmetic is not closed", start);
        Some(parts)
    }

    /// End of `[…]` at the position, where it is a pattern.
    fn bracket(&self) -> Option<usize> {
        let mut at = self.pos + 1;
        if matches!(self.byte_at(at), Some(b'!' | b'^')) {
            at += 1;
        }
        if self.byte_at(at) == Some(b']') {
            at += 1;
        }
        let limit = self.pos + 64;
        loop {
            match self.byte_at(at)? {
                b']' => return Some(at + 1),
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b'\''
                | b'"' | b'$' | b'`' | b'\\' | b'/' => return None,
                _ if at > limit => return None,
                _ => at += 1,
            }
        }
    }

    /// End of a balanced `( … )` without blanks at its outer level, close by.
    fn balanced(&self, from: usize) -> Option<usize> {
        let mut open = 0usize;
        let limit = from + 256;
        let mut at = from;
        loop {
            match self.byte_at(at)? {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return Some(at + 1);
                    }
                }
                b'\n' | b'$' | b'`' | b'\'' | b'"' | b'\\' | b'<' | b'>' | b';' | b'&' => {
                    return None;
                }
                _ if at > limit => return None,
                _ => {}
            }
            at += 1;
        }
    }
}

/// Joins literals that stand side by side in the text .
fn merge_literals<'a>(source: &'a str, parts: &mut Vec<Part<'a>>) {
    if parts.len() < 2 {
        return;
    }
    let base = source.as_ptr() as usize;
    let mut merged: Vec<Part<'a>> = Vec::with_capacity(parts.len());
    for part in parts.drain(..) {
        if let (Some(Part::Literal(last)), Part::Literal(next)) = (merged.last_mut(), &part) {
            let start = (last.as_ptr() as usize).wrapping_sub(base);
            let end = start + last.len();
            if (next.as_ptr() as usize).wrapping_sub(base) == end
                && let Some(joined) = source.get(start..end + next.len())
            {
                *last = joined;
                continue;
            }
        }
        merged.push(part);
    }
    *parts = merged;
}
