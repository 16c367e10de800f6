//! cmd.exe, lightly: what `cmd /c` is handed. Words, `%x%`, `^`, `&`, `&&`, `||`, `|`, `( … )`, `if`, `for`.

use cmdai_schema::{Dialect, Span};

use crate::{
    parser::Parser,
    tree::{
        AndOr, Command, CommandKind, Connector, Item, List, Part, Pipeline, RedirectOp,
        Redirection, Simple, Tree, Variable, Word,
    },
};

/// Reads a line of cmd.exe. Never fails.
pub fn parse_cmd(text: &str) -> Tree<'_> {
    let mut parser = Parser::new(text, Dialect::Powershell);
    // Quotes around the whole line are taken away.
    let trimmed = text.trim();
    if trimmed.len() > 2
        && trimmed.starts_with('"')
        && trimmed.ends_with('"')
        && trimmed.matches('"').count() == 2
        && trimmed.contains(' ')
    {
        parser.pos = text.find('"').unwrap_or(0) + 1;
        parser.end = parser.end.min(text.rfind('"').unwrap_or(text.len()));
        let body = parser.cmd_list();
        parser.pos = parser.end;
        parser.end = text.len().min(crate::MAX_TEXT);
        parser.pos = parser.end;
        return parser.finish(body);
    }
    let mut body = parser.cmd_list();
    while parser.pos < parser.end && parser.burn() {
        parser.pos += 1;
        let mut more = parser.cmd_list();
        body.items.append(&mut more.items);
    }
    parser.finish(body)
}

impl<'a> Parser<'a> {
    fn cmd_list(&mut self) -> List<'a> {
        let mut items = Vec::new();
        loop {
            self.cmd_blanks(true);
            if matches!(self.byte(), None | Some(b')')) || !self.burn() {
                break;
            }
            if self.byte() == Some(b'&') {
                self.pos += 1;
                continue;
            }
            let before = self.pos;
            let Some(and_or) = self.deeper(Self::cmd_and_or) else {
                break;
            };
            if !and_or.first.stages.is_empty() {
                items.push(Item {
                    and_or,
                    background: false,
                });
            }
            if self.pos == before {
                self.pos += self.char_len(before).max(1);
            }
        }
        List { items }
    }

    fn cmd_and_or(&mut self) -> AndOr<'a> {
        let first = self.cmd_pipeline();
        let mut rest = Vec::new();
        loop {
            self.cmd_blanks(false);
            let connector = if self.starts_with("&&") {
                Connector::And
            } else if self.starts_with("||") {
                Connector::Or
            } else {
                break;
            };
            self.pos += 2;
            let pipeline = self.cmd_pipeline();
            if pipeline.stages.is_empty() || !self.burn() {
                break;
            }
            rest.push((connector, pipeline));
        }
        AndOr { first, rest }
    }

    fn cmd_pipeline(&mut self) -> Pipeline<'a> {
        let mut stages = Vec::new();
        loop {
            self.cmd_blanks(true);
            let Some(command) = self.cmd_command() else {
                break;
            };
            stages.push(command);
            self.cmd_blanks(false);
            if self.byte() != Some(b'|') || self.ahead(1) == Some(b'|') || !self.burn() {
                break;
            }
            self.pos += 1;
        }
        Pipeline {
            negated: false,
            stages,
        }
    }

    fn cmd_command(&mut self) -> Option<Command<'a>> {
        while self.byte() == Some(b'@') {
            self.pos += 1;
        }
        let start = self.pos;
        let word = self.cmd_peek();
        if self.byte() == Some(b'(') {
            self.pos += 1;
            let list = self.deeper(Self::cmd_list).unwrap_or_default();
            if self.byte() == Some(b')') {
                self.pos += 1;
            }
            let mut redirections = Vec::new();
            loop {
                self.cmd_blanks(false);
                match self.cmd_redirection() {
                    Some(redirection) if self.burn() => redirections.push(redirection),
                    _ => break,
                }
            }
            return Some(Command {
                kind: CommandKind::Group(list),
                redirections,
                span: Span::new(start, self.pos),
            });
        }
        if word.eq_ignore_ascii_case("for") {
            return self.cmd_for(start);
        }
        if word.eq_ignore_ascii_case("if") {
            // The condition says nothing; what it guards may run.
            self.pos += 2;
            let mut skip = 1;
            loop {
                self.cmd_blanks(false);
                let word = self.cmd_peek();
                let lower = word.to_ascii_lowercase();
                self.pos += word.len();
                match lower.as_str() {
                    "not" | "/i" => {}
                    "exist" | "defined" | "errorlevel" => {
                        self.cmd_blanks(false);
                        self.cmd_word();
                        break;
                    }
                    "" if self.byte() == Some(b'"') => {
                        self.cmd_word();
                        break;
                    }
                    "" => break,
                    _ if word.contains("==") => break,
                    _ => {
                        // `a == b`, `a equ b`
                        self.cmd_blanks(false);
                        self.cmd_word();
                        skip -= 1;
                        if skip <= 0 {
                            self.cmd_blanks(false);
                            self.cmd_word();
                            break;
                        }
                    }
                }
                if !self.burn() {
                    break;
                }
            }
            self.cmd_blanks(false);
            let command = self.deeper(Self::cmd_command).flatten();
            self.cmd_blanks(true);
            let mut items: Vec<Item<'a>> = command.into_iter().map(alone).collect();
            if self.cmd_peek().eq_ignore_ascii_case("else") {
                self.pos += 4;
                self.cmd_blanks(true);
                items.extend(self.deeper(Self::cmd_command).flatten().map(alone));
            }
            return Some(Command {
                kind: CommandKind::If {
                    branches: vec![(List::default(), List { items })],
                    otherwise: None,
                },
                redirections: Vec::new(),
                span: Span::new(start, self.pos),
            });
        }
        if word.eq_ignore_ascii_case("rem") || self.starts_with("::") {
            while self.byte().is_some_and(|byte| byte != b'\n') {
                self.pos += 1;
            }
            return None;
        }
        let mut simple = Simple::default();
        let mut redirections = Vec::new();
        loop {
            self.cmd_blanks(false);
            if let Some(redirection) = self.cmd_redirection() {
                redirections.push(redirection);
                continue;
            }
            if matches!(self.byte(), None | Some(b'\n' | b'&' | b'|' | b')')) || !self.burn() {
                break;
            }
            let before = self.pos;
            let word = self.cmd_word();
            if self.pos == before {
                break;
            }
            simple.words.push(word);
        }
        self.cmd_attached(&mut simple);
        (!simple.words.is_empty() || !redirections.is_empty()).then(|| Command {
            kind: CommandKind::Simple(simple),
            redirections,
            span: Span::new(start, self.trimmed_end(start)),
        })
    }

    /// `del/s/q x`, `cd\`: what stands right after a name is an argument.
    fn cmd_attached(&mut self, simple: &mut Simple<'a>) {
        let Some(first) = simple.words.first() else {
            return;
        };
        let Some(text) = first.bare() else { return };
        let start = first.span.start as usize;
        let Some(at) = text.find('/').filter(|at| *at > 0) else {
            return;
        };
        let known = [
            "del", "erase", "rd", "rmdir", "format", "echo", "xcopy", "robocopy",
        ];
        let (name, rest) = text.split_at(at);
        if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return;
        }
        let mut words = vec![Word {
            parts: vec![Part::Literal(name)],
            span: Span::new(start, start + at),
        }];
        let mut from = 0;
        let bytes = rest.as_bytes();
        for at in 1..=rest.len() {
            if at == rest.len() || bytes.get(at) == Some(&b'/') {
                words.push(Word {
                    parts: vec![Part::Literal(rest.get(from..at).unwrap_or(""))],
                    span: Span::new(start + name.len() + from, start + name.len() + at),
                });
                from = at;
            }
        }
        words.extend(simple.words.drain(1..));
        simple.words = words;
    }

    /// `for [/f|/r|/d|/l] %x in (…) do …`
    fn cmd_for(&mut self, start: usize) -> Option<Command<'a>> {
        self.pos += 3;
        let mut runs = false;
        let mut name = "";
        let mut root = None;
        loop {
            self.cmd_blanks(false);
            match self.byte() {
                Some(b'%') => {
                    while self.byte() == Some(b'%') {
                        self.pos += 1;
                    }
                    name = self.name();
                    break;
                }
                Some(b'(' | b'\n') | None => break,
                Some(_) => {
                    let before = self.pos;
                    let word = self.cmd_word();
                    let flag = word.bare().unwrap_or("").to_ascii_lowercase();
                    runs |= flag == "/f";
                    if !flag.starts_with('/') {
                        root = Some(word);
                    }
                    if self.pos == before || !self.burn() {
                        break;
                    }
                }
            }
        }
        self.cmd_blanks(false);
        if self.cmd_peek().eq_ignore_ascii_case("in") {
            self.pos += 2;
        }
        self.cmd_blanks(false);
        let mut words = Vec::new();
        if self.byte() == Some(b'(') {
            self.pos += 1;
            loop {
                self.cmd_blanks(true);
                match self.byte() {
                    Some(quote @ (b'\'' | b'`')) if runs => {
                        // What a command prints.
                        let from = self.pos + 1;
                        let rest = self.slice(from, self.end);
                        let len = rest.find(char::from(quote)).unwrap_or(rest.len());
                        let list = self.within(from, from + len, |parser| {
                            parser.deeper(Self::cmd_list).unwrap_or_default()
                        });
                        self.pos = (from + len + 1).min(self.end);
                        let span = Span::new(from, from + len);
                        words.push(Word {
                            parts: vec![Part::Command(list, span)],
                            span,
                        });
                    }
                    None | Some(b')') => break,
                    Some(_) => {
                        let before = self.pos;
                        let word = self.cmd_word();
                        if self.pos == before {
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
            if self.byte() == Some(b')') {
                self.pos += 1;
            }
        }
        if let Some(root) = root.filter(|_| !runs) {
            words.push(root);
        }
        self.cmd_blanks(true);
        if self.cmd_peek().eq_ignore_ascii_case("do") {
            self.pos += 2;
        }
        self.cmd_blanks(true);
        let body = self.deeper(Self::cmd_command).flatten();
        Some(Command {
            kind: CommandKind::For {
                name,
                words: Some(words),
                body: List {
                    items: body.into_iter().map(alone).collect(),
                },
            },
            redirections: Vec::new(),
            span: Span::new(start, self.pos),
        })
    }

    /// The plain word at the position.
    fn cmd_peek(&self) -> &'a str {
        let mut at = self.pos;
        while self.byte_at(at).is_some_and(|byte| {
            !matches!(
                byte,
                b' ' | b'\t'
                    | b'\r'
                    | b'\n'
                    | b'&'
                    | b'|'
                    | b'('
                    | b')'
                    | b'"'
                    | b'<'
                    | b'>'
                    | b','
                    | b';'
            )
        }) {
            at += 1;
        }
        self.slice(self.pos, at)
    }

    fn cmd_blanks(&mut self, lines: bool) {
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' | b'\r' | b',' | b';' => self.pos += 1,
                b'\n' if lines => self.pos += 1,
                b'^' if self.ahead(1) == Some(b'\n') => self.pos += 2,
                _ => break,
            }
        }
    }

    fn cmd_word(&mut self) -> Word<'a> {
        let start = self.pos;
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut plain = self.pos;
        let mut quoted = false;
        while let Some(byte) = self.byte() {
            let flush = |parts: &mut Vec<Part<'a>>, this: &Self| {
                if plain < this.pos {
                    parts.push(Part::Literal(this.slice(plain, this.pos)));
                }
            };
            match byte {
                b'"' => {
                    flush(&mut parts, self);
                    quoted = !quoted;
                    self.pos += 1;
                    plain = self.pos;
                }
                b'^' if !quoted => {
                    flush(&mut parts, self);
                    self.pos += 1;
                    let len = self.char_len(self.pos);
                    if len > 0 {
                        parts.push(Part::Escaped(self.slice(self.pos, self.pos + len)));
                    }
                    self.pos += len;
                    plain = self.pos;
                }
                b'%' | b'!' => {
                    let mut at = self.pos + 1;
                    while self.byte_at(at) == Some(b'%') {
                        at += 1;
                    }
                    // `%~dp0`, `%%~fi`
                    if self.byte_at(at) == Some(b'~') {
                        at += 1;
                        while self
                            .byte_at(at + 1)
                            .is_some_and(|byte| byte.is_ascii_alphanumeric())
                        {
                            at += 1;
                        }
                    }
                    let from = at;
                    while self.byte_at(at).is_some_and(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'(' | b')')
                    }) && at - from < 40
                    {
                        at += 1;
                    }
                    let closed = self.byte_at(at) == Some(byte);
                    let operator = self.byte_at(at) == Some(b':')
                        && self.slice(at, self.end).contains(char::from(byte));
                    if at == from || byte == b'!' && !closed {
                        self.pos += 1;
                        continue;
                    }
                    flush(&mut parts, self);
                    let mut name = self.slice(from, at);
                    if !closed && !operator {
                        // `%i` of a loop: one letter.
                        at = from + self.char_len(from);
                        name = self.slice(from, at);
                    }
                    let begin = self.pos;
                    self.pos = at;
                    if operator {
                        // `%x:~0,2%`: a part of it.
                        let rest = self.slice(at, self.end);
                        self.pos += rest.find(char::from(byte)).map_or(0, |len| len + 1);
                    } else if closed {
                        self.pos += 1;
                    }
                    parts.push(Part::Variable(Box::new(Variable {
                        name,
                        op: operator.then_some(crate::Operator::Other),
                        span: Span::new(begin, self.pos),
                        ..Variable::default()
                    })));
                    plain = self.pos;
                }
                b' ' | b'\t' | b'\r' | b'\n' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b','
                | b';'
                    if !quoted =>
                {
                    break;
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
        Word {
            parts,
            span: Span::new(start, self.pos),
        }
    }

    fn cmd_redirection(&mut self) -> Option<Redirection<'a>> {
        let start = self.pos;
        let (fd, at) = match self.byte()? {
            digit @ b'0'..=b'9' if matches!(self.ahead(1), Some(b'<' | b'>')) => {
                (Some(u32::from(digit - b'0')), 1)
            }
            b'<' | b'>' => (None, 0),
            _ => return None,
        };
        let read = self.ahead(at) == Some(b'<');
        let (op, len) = match (read, self.ahead(at + 1)) {
            (true, _) => (RedirectOp::Read, 1),
            (false, Some(b'>')) => (RedirectOp::Append, 2),
            (false, Some(b'&')) => (RedirectOp::DuplicateOut, 2),
            _ => (RedirectOp::Write, 1),
        };
        self.pos += at + len;
        self.cmd_blanks(false);
        let target = self.cmd_word();
        Some(Redirection {
            fd: fd.unwrap_or(u32::from(!read)),
            fd_variable: None,
            op,
            target,
            here_doc: None,
            span: Span::new(start, self.pos),
        })
    }
}

fn alone(command: Command<'_>) -> Item<'_> {
    Item {
        and_or: AndOr {
            first: Pipeline {
                negated: false,
                stages: vec![command],
            },
            rest: Vec::new(),
        },
        background: false,
    }
}
