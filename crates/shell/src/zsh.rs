//! What zsh writes otherwise: short forms of compound commands, `always`, nameless functions, groups
//! and qualifiers in patterns, `=( … )`, `=name`, flags of parameters.

use cmdai_schema::{Dialect, Span};

use crate::{
    parser::Parser,
    tree::{
        AndOr, Command, CommandKind, Item, List, Operator, Part, Pipeline, Simple, Variable, Word,
    },
};

/// What a nameless function is called here.
const NAMELESS: &str = "(anon)";

impl<'a> Parser<'a> {
    pub(crate) fn is_zsh(&self) -> bool {
        self.dialect == Dialect::Zsh
    }

    /// A compound command whose forms differ from those of bash, where one stands here.
    pub(crate) fn zsh_compound(&mut self) -> Option<CommandKind<'a>> {
        let start = self.pos;
        if self.byte() == Some(b'(') {
            let mut at = start + 1;
            while matches!(self.byte_at(at), Some(b' ' | b'\t')) {
                at += 1;
            }
            if self.byte_at(at) != Some(b')') {
                return None;
            }
            self.pos = at + 1;
            return Some(
                self.deeper(|parser| parser.nameless(start))
                    .unwrap_or(CommandKind::Unknown),
            );
        }
        let keyword = self.keyword();
        let taken = match keyword {
            "if" | "while" | "until" | "for" | "foreach" | "select" | "repeat" | "{" => {
                keyword.len()
            }
            _ => return None,
        };
        if matches!(keyword, "for" | "select") {
            // `for (( … ))` is as in bash.
            let mut at = start + taken;
            while matches!(self.byte_at(at), Some(b' ' | b'\t')) {
                at += 1;
            }
            if self.byte_at(at) == Some(b'(') {
                return None;
            }
        }
        self.pos += taken;
        let kind = self.deeper(|parser| match keyword {
            "if" => parser.zsh_if(start),
            "while" | "until" => {
                let condition = parser.zsh_condition();
                let body = parser.zsh_body(start);
                CommandKind::Loop {
                    until: keyword == "until",
                    condition,
                    body,
                }
            }
            "repeat" => {
                parser.skip_blanks();
                let count = parser.word();
                let body = parser.zsh_body(start);
                CommandKind::Repeat { count, body }
            }
            "{" => parser.zsh_group(start),
            _ => parser.zsh_for(keyword == "foreach", start),
        });
        Some(kind.unwrap_or(CommandKind::Unknown))
    }

    /// `{ … }`, the brace being taken already.
    fn braces(&mut self, start: usize) -> List<'a> {
        let list = self.list();
        self.skip_lines();
        if self.keyword() == "}" {
            self.pos += 1;
        } else if self.pos >= self.end {
            self.unfinished("brace is not closed", start);
        } else {
            self.complain("a closing brace is expected here", self.pos, self.pos + 1);
        }
        list
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.keyword() == word;
        if found {
            self.pos += word.len();
        }
        found
    }

    fn ends(&mut self, word: &str, start: usize) {
        self.skip_lines();
        if self.takes(word) {
        } else if self.pos >= self.end {
            self.unfinished("compound command is not ended", start);
        } else {
            self.complain("another word is expected here", self.pos, self.pos + 1);
        }
    }

    fn zsh_group(&mut self, start: usize) -> CommandKind<'a> {
        let body = self.braces(start);
        let mark = self.mark();
        self.skip_blanks();
        if self.takes("always") {
            self.skip_lines();
            if self.takes("{") {
                let finally = Some(self.braces(start));
                return CommandKind::Try {
                    body,
                    catches: Vec::new(),
                    finally,
                };
            }
        }
        self.rewind(&mark);
        CommandKind::Group(body)
    }

    /// `() { … } ARGUMENTS`: defined and called.
    fn nameless(&mut self, start: usize) -> CommandKind<'a> {
        let body = self.function_body(start);
        let span = body.span;
        let mut words = vec![Word {
            parts: vec![Part::Literal(NAMELESS)],
            span,
        }];
        loop {
            self.skip_blanks();
            let before = self.pos;
            match self.byte() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') => break,
                Some(_) if self.keyword() == "}" => break,
                Some(_) => {}
            }
            let word = self.word();
            if self.pos == before || !self.burn() {
                break;
            }
            words.push(word);
        }
        let function = CommandKind::Function {
            name: NAMELESS,
            params: Vec::new(),
            hooked: false,
            body: Box::new(body),
        };
        let call = CommandKind::Simple(Simple {
            assignments: Vec::new(),
            words,
        });
        CommandKind::Group(List {
            items: [function, call]
                .into_iter()
                .map(|kind| single(kind, span))
                .collect(),
        })
    }

    /// Commands up to one that nothing separates from what follows.
    fn zsh_condition(&mut self) -> List<'a> {
        let mut items = Vec::new();
        loop {
            self.skip_lines();
            if self.byte().is_none() || self.at_closer() || !self.burn() {
                break;
            }
            let before = self.pos;
            let Some(and_or) = self.deeper(Self::and_or) else {
                break;
            };
            self.skip_blanks();
            let separated = match self.byte() {
                Some(b';' | b'&') => {
                    self.pos += 1;
                    true
                }
                Some(b'\n') => true,
                _ => false,
            };
            if !and_or.first.stages.is_empty() {
                items.push(Item {
                    and_or,
                    background: false,
                });
            }
            if !separated || self.pos == before {
                break;
            }
        }
        List { items }
    }

    /// `{ … }`, `do … done`, or one command.
    fn zsh_body(&mut self, start: usize) -> List<'a> {
        self.skip_blanks();
        if self.byte() == Some(b';') {
            self.pos += 1;
        }
        self.skip_lines();
        if self.takes("{") {
            return self.braces(start);
        }
        if self.takes("do") {
            let body = self.list();
            self.ends("done", start);
            return body;
        }
        self.one()
    }

    /// One and-or list.
    fn one(&mut self) -> List<'a> {
        let items = self
            .deeper(Self::and_or)
            .filter(|and_or| !and_or.first.stages.is_empty())
            .map(|and_or| Item {
                and_or,
                background: false,
            });
        List {
            items: items.into_iter().collect(),
        }
    }

    fn zsh_if(&mut self, start: usize) -> CommandKind<'a> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.zsh_condition();
            self.skip_blanks();
            let body;
            let short;
            if self.takes("{") {
                body = self.braces(start);
                self.skip_blanks();
                short = true;
            } else {
                self.skip_lines();
                short = !self.takes("then");
                if short {
                    if self.pos >= self.end {
                        self.unfinished("compound command is not ended", start);
                    }
                    body = self.one();
                    branches.push((condition, body));
                    break;
                }
                body = self.list();
                self.skip_lines();
            }
            branches.push((condition, body));
            if self.takes("elif") && self.burn() {
                continue;
            }
            if self.takes("else") {
                self.skip_lines();
                otherwise = Some(if short && self.takes("{") {
                    self.braces(start)
                } else {
                    let list = self.list();
                    self.ends("fi", start);
                    list
                });
            } else if !short {
                self.ends("fi", start);
            }
            break;
        }
        CommandKind::If {
            branches,
            otherwise,
        }
    }

    fn zsh_for(&mut self, each: bool, start: usize) -> CommandKind<'a> {
        let mut names = Vec::new();
        loop {
            self.skip_blanks();
            if self.keyword() == "in" && !names.is_empty() {
                break;
            }
            let name = self.name();
            if name.is_empty() {
                break;
            }
            names.push(name);
            if names.len() > 8 || !self.burn() {
                break;
            }
        }
        if names.is_empty() {
            self.complain("a loop needs a name", self.pos, self.pos + 1);
        }
        self.skip_lines();
        let mut words = None;
        if self.byte() == Some(b'(') {
            words = Some(self.array());
        } else if self.takes("in") {
            let mut list = Vec::new();
            loop {
                self.skip_blanks();
                let before = self.pos;
                if matches!(self.byte(), None | Some(b'\n' | b';' | b'&' | b'|' | b')')) {
                    break;
                }
                let word = self.zsh_argument();
                if self.pos == before || !self.burn() {
                    break;
                }
                list.push(word);
            }
            words = Some(list);
        }
        let mut body = if each {
            self.until_end(start)
        } else {
            self.zsh_body(start)
        };
        // Each further name may get any of the words.
        let span = Span::new(start, self.pos);
        let first = names.first().copied().unwrap_or("");
        for name in names.iter().skip(1).rev().copied() {
            let kind = CommandKind::For {
                name,
                words: words
                    .as_ref()
                    .map(|words| words.iter().map(|word| again(word, first)).collect()),
                body,
            };
            body = List {
                items: vec![single(kind, span)],
            };
        }
        CommandKind::For {
            name: first,
            words,
            body,
        }
    }

    /// `foreach … end`
    fn until_end(&mut self, start: usize) -> List<'a> {
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            if self.byte() == Some(b';') {
                self.pos += 1;
            }
            self.skip_lines();
            if self.takes("end") {
                break;
            }
            let before = self.pos;
            items.append(&mut self.zsh_item().items);
            if self.pos == before {
                if self.pos >= self.end {
                    self.unfinished("compound command is not ended", start);
                }
                break;
            }
        }
        List { items }
    }

    fn zsh_item(&mut self) -> List<'a> {
        if self.byte().is_none() || !self.burn() {
            return List::default();
        }
        self.one()
    }

    /// An argument, which a parenthesis may begin.
    pub(crate) fn zsh_argument(&mut self) -> Word<'a> {
        self.word()
    }

    /// True where the parenthesis at the position is part of a word: a group of alternatives.
    pub(crate) fn zsh_group_here(&self) -> bool {
        let mut at = self.pos + 1;
        while matches!(self.byte_at(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        self.is_zsh() && self.byte_at(at) != Some(b')') && self.closing(self.pos).is_some()
    }

    /// Where the parenthesis at a position is closed, close by and on the same line.
    fn closing(&self, open: usize) -> Option<usize> {
        let (mut depth, mut at) = (0usize, open);
        let limit = open + 512;
        loop {
            if at > limit {
                return None;
            }
            match self.byte_at(at)? {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                b'\\' => at += 1,
                quote @ (b'\'' | b'"') => {
                    at += 1;
                    while self.byte_at(at)? != quote {
                        at += 1;
                    }
                }
                b'\n' | b';' | b'&' if depth == 1 => return None,
                _ => {}
            }
            at += 1;
        }
    }

    /// `(a|b)` or, at the end of a word, qualifiers such as `(.)`, `(D)`, `(e:'CODE':)`.
    pub(crate) fn zsh_parentheses(&mut self, begun: bool) -> Vec<Part<'a>> {
        let start = self.pos;
        let Some(end) = self.closing(start) else {
            self.pos += 1;
            return vec![Part::Unknown(Span::new(start, self.pos))];
        };
        let inner = self.slice(start + 1, end);
        let last = matches!(
            self.byte_at(end + 1),
            None | Some(
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b')' | b'}'
            )
        );
        let code = qualifier_code(inner);
        if begun && last && (code.is_some() || !inner.contains(['|', '/'])) {
            let mut parts = Vec::new();
            // They narrow what the pattern finds; some run code for it.
            if let Some(at) = code {
                let from = start + 1 + at.start;
                let list = self.within(from, start + 1 + at.end, |parser| {
                    parser.deeper(Self::whole_list)
                });
                parts.push(Part::Variable(Box::new(Variable {
                    op: Some(Operator::Other),
                    operand: vec![Part::Command(
                        list.unwrap_or_default(),
                        Span::new(start, end + 1),
                    )],
                    span: Span::new(start, end + 1),
                    ..Variable::default()
                })));
            }
            self.pos = end + 1;
            return parts;
        }
        if inner.starts_with('#') {
            // Flags for the pattern: `(#i)`.
            self.pos = end + 1;
            return Vec::new();
        }
        let mut alternatives = Vec::new();
        let (mut depth, mut from, mut at) = (0usize, start + 1, start + 1);
        while at <= end {
            match self.byte_at(at) {
                Some(b'(') => depth += 1,
                Some(b')') if at < end => depth = depth.saturating_sub(1),
                Some(b'|' | b')') if depth == 0 || at == end => {
                    if alternatives.len() < 32 {
                        alternatives.push(self.within(from, at, |parser| {
                            parser
                                .deeper(|parser| {
                                    parser.unquoted_parts(crate::word::Stop::Word, false)
                                })
                                .unwrap_or_default()
                        }));
                    }
                    from = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        self.pos = end + 1;
        vec![Part::Brace(alternatives)]
    }

    /// `=( … )` and `=name`, where the program lies.
    pub(crate) fn zsh_equals(&mut self, parts: &mut Vec<Part<'a>>, plain: &mut usize) {
        match self.ahead(1) {
            Some(b'(') => {
                parts.push(self.process(false));
                *plain = self.pos;
            }
            Some(next) if next.is_ascii_alphabetic() => {
                parts.push(Part::Literal("/usr/bin/"));
                self.pos += 1;
                *plain = self.pos;
            }
            _ => self.pos += 1,
        }
    }

    /// `$#x`
    pub(crate) fn zsh_length(&mut self) -> Part<'a> {
        let start = self.pos;
        self.pos += 2;
        let name = self.name();
        Part::Variable(Box::new(Variable {
            name,
            length: true,
            span: Span::new(start, self.pos),
            ..Variable::default()
        }))
    }

    /// `<1-9>`, a pattern for numbers: where it ends.
    pub(crate) fn number_pattern(&self) -> Option<usize> {
        if !self.is_zsh() {
            return None;
        }
        let mut at = self.pos + 1;
        let mut dashes = 0;
        loop {
            match self.byte_at(at)? {
                b'0'..=b'9' => {}
                b'-' if dashes == 0 => dashes = 1,
                b'>' if dashes == 1 => return Some(at + 1),
                _ => return None,
            }
            at += 1;
        }
    }

    /// Flags of `${(…)x}` and the signs behind them, as they are written.
    pub(crate) fn zsh_flags(&mut self) -> &'a str {
        let start = self.pos;
        if self.byte() == Some(b'(') {
            self.pos += 1;
            while let Some(byte) = self.byte() {
                match byte {
                    b')' => {
                        self.pos += 1;
                        break;
                    }
                    b'}' | b'\n' => break,
                    b's' | b'j' | b'l' | b'r' | b'I' | b'Z' | b'g' => {
                        self.pos += 1;
                        let Some(quote) = self.byte().filter(u8::is_ascii_punctuation) else {
                            continue;
                        };
                        if quote == b')' {
                            continue;
                        }
                        let close = match quote {
                            b'(' => b')',
                            b'[' => b']',
                            b'{' => b'}',
                            b'<' => b'>',
                            other => other,
                        };
                        self.pos += 1;
                        while self.byte().is_some_and(|byte| byte != close) {
                            self.pos += 1;
                        }
                        self.pos = (self.pos + 1).min(self.end);
                    }
                    _ => self.pos += 1,
                }
            }
        }
        while matches!(self.byte(), Some(b'=' | b'~' | b'^'))
            && !matches!(self.ahead(1), Some(b'}') | None)
        {
            self.pos += 1;
        }
        self.slice(start, self.pos)
    }

    /// `$=x`, `$~x`, `$^x`: nothing where no name follows.
    pub(crate) fn zsh_marked(&mut self) -> Option<Part<'a>> {
        let start = self.pos;
        let mut at = start + 1;
        while matches!(self.byte_at(at), Some(b'=' | b'~' | b'^')) {
            at += 1;
        }
        self.byte_at(at)
            .filter(|byte| byte.is_ascii_alphabetic() || *byte == b'_')?;
        let flags = self.slice(start + 1, at);
        self.pos = at;
        let name = self.name();
        let mut variable = Variable {
            name,
            flags,
            ..Variable::default()
        };
        self.zsh_suffix(&mut variable);
        variable.span = Span::new(start, self.pos);
        Some(Part::Variable(Box::new(variable)))
    }

    /// `[…]` and `:h` behind a plain variable.
    pub(crate) fn zsh_suffix(&mut self, variable: &mut Variable<'a>) {
        if self.byte() == Some(b'[')
            && let Some(end) = self.subscript_end(self.pos)
        {
            variable.index = Some(self.slice(self.pos + 1, end));
            self.pos = end + 1;
        }
        let from = self.pos + 1;
        while self.byte() == Some(b':')
            && self
                .ahead(1)
                .is_some_and(|byte| b"htreaAlPqQ".contains(&byte) || byte == b'u')
            && !self
                .ahead(2)
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            self.pos += 2;
            variable.op = Some(Operator::Modifiers);
            variable.operand = vec![Part::Literal(self.slice(from, self.pos))];
        }
    }
}

fn single(kind: CommandKind<'_>, span: Span) -> Item<'_> {
    Item {
        and_or: AndOr {
            first: Pipeline {
                negated: false,
                stages: vec![Command {
                    kind,
                    redirections: Vec::new(),
                    span,
                }],
            },
            rest: Vec::new(),
        },
        background: false,
    }
}

/// The code of `e:'CODE':` among qualifiers, as a range of them.
fn qualifier_code(inner: &str) -> Option<std::ops::Range<usize>> {
    let at = inner.find(['e', '+'])?;
    let rest = inner.get(at + 1..)?;
    if inner.as_bytes().get(at) == Some(&b'+') {
        // `+name`; `(mh+5)` is a number.
        let named = rest.starts_with(|next: char| next.is_ascii_alphabetic() || next == '_');
        return named.then_some(at + 1..inner.len());
    }
    let open = rest
        .chars()
        .next()
        .filter(|sign| sign.is_ascii_punctuation() && !matches!(sign, '|' | ')' | '.' | '/'))?;
    let close = match open {
        '[' => ']',
        '{' => '}',
        '<' => '>',
        '(' => ')',
        other => other,
    };
    let from = at + 1 + open.len_utf8();
    let body = inner.get(from..)?;
    let to = from + body.rfind(close)?;
    let code = inner.get(from..to)?;
    let quote = code
        .chars()
        .next()
        .filter(|sign| matches!(sign, '\'' | '"'));
    match quote {
        Some(quote) if code.len() > 1 && code.ends_with(quote) => Some(from + 1..to - 1),
        _ => Some(from..to),
    }
}

/// The word once more, for a further name of a loop. One with code in it is what the first name has instead:
/// copies of loops in loops would double with each of them.
fn again<'a>(word: &Word<'a>, first: &'a str) -> Word<'a> {
    fn plain(part: &Part<'_>) -> bool {
        match part {
            Part::Double(inner) => inner.iter().all(plain),
            Part::Variable(variable) => {
                variable.operand.is_empty() && variable.inner.is_none() && variable.second.is_none()
            }
            Part::Literal(_)
            | Part::Escaped(_)
            | Part::Single(_)
            | Part::AnsiC(_)
            | Part::Glob(_)
            | Part::Range(_)
            | Part::Tilde(_) => true,
            _ => false,
        }
    }
    if word.parts.iter().all(plain) {
        return word.clone();
    }
    let variable = Variable {
        name: first,
        span: word.span,
        ..Variable::default()
    };
    Word {
        parts: vec![Part::Variable(Box::new(variable))],
        span: word.span,
    }
}
