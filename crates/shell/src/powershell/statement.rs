//! Statements of PowerShell.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{
        AndOr, Arm, Command, CommandKind, Connector, Expr, Item, List, Param, Part, Pipeline,
        Simple, Word,
    },
};

const KEYWORDS: &[&str] = &[
    "if",
    "else",
    "elseif",
    "foreach",
    "for",
    "while",
    "do",
    "until",
    "switch",
    "function",
    "filter",
    "workflow",
    "try",
    "catch",
    "finally",
    "param",
    "begin",
    "process",
    "end",
    "dynamicparam",
    "clean",
    "trap",
    "return",
    "throw",
    "exit",
    "break",
    "continue",
    "class",
    "enum",
    "using",
    "data",
    "in",
];

/// Operators that set what stands left of them.
const ASSIGN: &[&str] = &["??=", "+=", "-=", "*=", "/=", "%=", "="];

impl<'a> Parser<'a> {
    /// Statements up to a bracket that ends them, which is not taken.
    pub(crate) fn ps_list(&mut self) -> List<'a> {
        let mut items = Vec::new();
        loop {
            self.ps_separators();
            match self.byte() {
                None | Some(b')' | b'}') => break,
                Some(_) => {}
            }
            if !self.burn() {
                break;
            }
            let before = self.pos;
            let Some(item) = self.deeper(Self::ps_statement) else {
                break;
            };
            if !item.and_or.first.stages.is_empty() {
                items.push(item);
            }
            self.ps_blanks();
            if !matches!(self.byte(), None | Some(b';' | b'\n' | b')' | b'}')) && self.pos == before
            {
                self.complain("unexpected token", self.pos, self.pos + 1);
                self.pos += self.char_len(self.pos).max(1);
            }
        }
        List { items }
    }

    /// The keyword at the position, in lower case.
    pub(crate) fn ps_keyword(&self) -> &'static str {
        let mut at = self.pos;
        while self
            .byte_at(at)
            .is_some_and(|byte| byte.is_ascii_alphabetic())
            && at - self.pos < 14
        {
            at += 1;
        }
        if self.byte_at(at).is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'\\' | b'/' | b':')
        }) {
            return "";
        }
        let word = self.slice(self.pos, at);
        KEYWORDS
            .iter()
            .find(|keyword| keyword.eq_ignore_ascii_case(word))
            .copied()
            .unwrap_or("")
    }

    /// One statement.
    pub(crate) fn ps_statement(&mut self) -> Item<'a> {
        let start = self.pos;
        let keyword = self.ps_keyword();
        let kind = if keyword.is_empty() {
            // `:label while …`
            if self.byte() == Some(b':')
                && self.ahead(1).is_some_and(|byte| byte.is_ascii_alphabetic())
            {
                self.pos += 1;
                self.name();
                self.ps_blanks();
                return self.deeper(Self::ps_statement).unwrap_or_else(empty);
            }
            None
        } else {
            let mark = self.mark();
            self.pos += keyword.len();
            self.ps_blanks();
            let kind = match keyword {
                "if" => Some(self.ps_if(start)),
                "foreach" if self.byte() == Some(b'(') || self.byte() == Some(b'-') => {
                    Some(self.ps_foreach(start))
                }
                "for" => {
                    let header = self.ps_parenthesised();
                    let body = self.ps_braced(start);
                    Some(CommandKind::Loop {
                        until: false,
                        condition: header,
                        body,
                    })
                }
                "while" => {
                    let condition = self.ps_parenthesised();
                    let body = self.ps_braced(start);
                    Some(CommandKind::Loop {
                        until: false,
                        condition,
                        body,
                    })
                }
                "do" => {
                    let body = self.ps_braced(start);
                    self.ps_lines();
                    let word = self.ps_keyword();
                    let until = word == "until";
                    if matches!(word, "while" | "until") {
                        self.pos += 5;
                        self.ps_blanks();
                    }
                    let condition = self.ps_parenthesised();
                    Some(CommandKind::Loop {
                        until,
                        condition,
                        body,
                    })
                }
                "switch" => Some(self.ps_switch(start)),
                "function" | "filter" | "workflow" => Some(self.ps_function(start)),
                "try" => Some(self.ps_try(start)),
                "param" if self.byte() == Some(b'(') => {
                    self.pos += 1;
                    Some(CommandKind::Params(self.ps_params(start)))
                }
                "begin" | "process" | "end" | "dynamicparam" | "clean" => {
                    self.ps_lines();
                    (self.byte() == Some(b'{')).then(|| CommandKind::Group(self.ps_braced(start)))
                }
                "trap" => {
                    if self.byte() == Some(b'[') {
                        self.ps_type();
                    }
                    Some(CommandKind::Group(self.ps_braced(start)))
                }
                "data" => {
                    self.name();
                    Some(CommandKind::Group(self.ps_braced(start)))
                }
                "return" | "throw" | "exit" => {
                    if !self.ps_at_end() {
                        return self.deeper(Self::ps_statement).unwrap_or_else(empty);
                    }
                    Some(self.ps_word_only(start))
                }
                "break" | "continue" => {
                    self.name();
                    Some(self.ps_word_only(start))
                }
                "using" => {
                    while self
                        .byte()
                        .is_some_and(|byte| byte != b'\n' && byte != b';')
                    {
                        self.pos += 1;
                    }
                    Some(self.ps_word_only(start))
                }
                "class" | "enum" => Some(self.ps_class(keyword == "class", start)),
                _ => None,
            };
            if kind.is_none() {
                self.rewind(&mark);
            }
            kind
        };
        let Some(kind) = kind else {
            return self.ps_chain();
        };
        let mut item = empty();
        item.and_or.first.stages.push(Command {
            kind,
            redirections: Vec::new(),
            span: Span::new(start, self.pos),
        });
        item
    }

    /// A statement that is one word.
    fn ps_word_only(&mut self, start: usize) -> CommandKind<'a> {
        let mut end = start;
        while self
            .byte_at(end)
            .is_some_and(|byte| byte.is_ascii_alphabetic())
        {
            end += 1;
        }
        CommandKind::Simple(Simple {
            assignments: Vec::new(),
            words: vec![Word {
                parts: vec![Part::Literal(self.slice(start, end))],
                span: Span::new(start, end),
            }],
        })
    }

    /// True where the statement ends here.
    pub(crate) fn ps_at_end(&self) -> bool {
        matches!(self.byte(), None | Some(b';' | b'\n' | b')' | b'}'))
    }

    /// `( … )` of a condition.
    fn ps_parenthesised(&mut self) -> List<'a> {
        self.ps_lines();
        let start = self.pos;
        if self.byte() != Some(b'(') {
            if self.pos >= self.end {
                self.unfinished("a condition is expected here", start);
            } else {
                self.complain("`(` is expected here", self.pos, self.pos + 1);
            }
            return List::default();
        }
        self.pos += 1;
        self.ps_until(b')', start)
    }

    /// Statements up to a bracket, which is taken.
    pub(crate) fn ps_until(&mut self, close: u8, start: usize) -> List<'a> {
        let mut list = self.deeper(Self::ps_list).unwrap_or_default();
        while self.pos < self.end && self.byte() != Some(close) && self.burn() {
            self.complain("unexpected token", self.pos, self.pos + 1);
            self.pos += self.char_len(self.pos).max(1);
            let mut more = self.deeper(Self::ps_list).unwrap_or_default();
            list.items.append(&mut more.items);
        }
        if self.byte() == Some(close) {
            self.pos += 1;
        } else {
            self.unfinished("bracket is not closed", start);
        }
        list
    }

    /// `{ … }` of a statement.
    fn ps_braced(&mut self, start: usize) -> List<'a> {
        self.ps_lines();
        if self.byte() != Some(b'{') {
            if self.pos >= self.end {
                self.unfinished("a block is expected here", start);
            } else {
                self.complain("`{` is expected here", self.pos, self.pos + 1);
            }
            return List::default();
        }
        let at = self.pos;
        self.pos += 1;
        self.ps_until(b'}', at)
    }

    fn ps_if(&mut self, start: usize) -> CommandKind<'a> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.ps_parenthesised();
            let body = self.ps_braced(start);
            branches.push((condition, body));
            let at = self.pos;
            self.ps_lines();
            match self.ps_keyword() {
                "elseif" if self.burn() => self.pos += 6,
                "else" => {
                    self.pos += 4;
                    self.ps_lines();
                    if self.ps_keyword() == "if" && self.burn() {
                        self.pos += 2;
                        continue;
                    }
                    otherwise = Some(self.ps_braced(start));
                    break;
                }
                _ => {
                    self.pos = at;
                    break;
                }
            }
        }
        CommandKind::If {
            branches,
            otherwise,
        }
    }

    fn ps_foreach(&mut self, start: usize) -> CommandKind<'a> {
        while self.byte() == Some(b'-') && self.burn() {
            // `-Parallel`
            self.pos += 1;
            self.name();
            self.ps_blanks();
        }
        if self.byte() == Some(b'(') {
            self.pos += 1;
        }
        self.ps_lines();
        let mut name = "";
        if self.byte() == Some(b'$') {
            name = self.ps_variable_name();
        }
        self.ps_lines();
        if self.ps_keyword() == "in" {
            self.pos += 2;
        } else {
            self.complain("`in` is expected here", self.pos, self.pos + 1);
        }
        let from = self.pos;
        let list = self.ps_until(b')', start);
        let span = Span::new(from, self.pos);
        let body = self.ps_braced(start);
        CommandKind::For {
            name,
            words: Some(vec![Word {
                parts: vec![Part::Expression(Box::new(Expr::Statements(list, span)))],
                span,
            }]),
            body,
        }
    }

    fn ps_switch(&mut self, start: usize) -> CommandKind<'a> {
        let mut fuzzy = false;
        let mut word = Word::default();
        while self.byte() == Some(b'-') && self.burn() {
            self.pos += 1;
            let flag = self.name();
            fuzzy |= flag.to_ascii_lowercase().starts_with('r');
            self.ps_blanks();
            if flag.to_ascii_lowercase().starts_with('f') {
                word = self.ps_argument();
                self.ps_blanks();
            }
        }
        if self.byte() == Some(b'(') {
            let from = self.pos;
            let list = self.ps_parenthesised();
            let span = Span::new(from, self.pos);
            word = Word {
                parts: vec![Part::Expression(Box::new(Expr::Statements(list, span)))],
                span,
            };
        }
        self.ps_lines();
        let mut arms = Vec::new();
        if self.byte() == Some(b'{') {
            let at = self.pos;
            self.pos += 1;
            loop {
                self.ps_separators();
                if matches!(self.byte(), None | Some(b'}' | b')')) || !self.burn() {
                    break;
                }
                let before = self.pos;
                let mut pattern = self.deeper(Self::ps_argument).unwrap_or_default();
                if pattern
                    .bare()
                    .is_some_and(|text| text.eq_ignore_ascii_case("default"))
                {
                    pattern.parts = vec![Part::Literal("*")];
                } else if fuzzy {
                    pattern.parts = vec![Part::Expression(Box::new(Expr::Unknown(pattern.span)))];
                }
                let body = self.ps_braced(at);
                arms.push(Arm {
                    patterns: vec![pattern],
                    body,
                    ..Arm::default()
                });
                if self.pos == before {
                    self.pos += self.char_len(before).max(1);
                }
            }
            if self.byte() == Some(b'}') {
                self.pos += 1;
            } else {
                self.unfinished("bracket is not closed", at);
            }
        } else {
            self.unfinished("a block is expected here", start);
        }
        CommandKind::Case { word, arms }
    }

    fn ps_function(&mut self, start: usize) -> CommandKind<'a> {
        let from = self.pos;
        while self.byte().is_some_and(|byte| {
            !matches!(
                byte,
                b' ' | b'\t' | b'\r' | b'\n' | b'(' | b'{' | b')' | b'}' | b';'
            )
        }) {
            self.pos += 1;
        }
        let name = self.slice(from, self.pos);
        let name = name.rsplit(':').next().unwrap_or(name);
        self.ps_lines();
        let mut params = Vec::new();
        if self.byte() == Some(b'(') {
            let at = self.pos;
            self.pos += 1;
            params = self.ps_params(at);
        }
        self.ps_lines();
        let from = self.pos + 1;
        let list = self.ps_braced(start);
        let to = if self.pos > from && self.complete {
            self.pos - 1
        } else {
            self.pos
        };
        CommandKind::Function {
            name,
            params,
            hooked: false,
            body: Box::new(Command {
                kind: CommandKind::Group(list),
                redirections: Vec::new(),
                span: Span::new(from.min(to), to),
            }),
        }
    }

    /// Parameters up to `)`, which is taken.
    fn ps_params(&mut self, start: usize) -> Vec<Param<'a>> {
        let mut params = Vec::new();
        loop {
            self.ps_lines();
            match self.byte() {
                None => {
                    self.unfinished("bracket is not closed", start);
                    break;
                }
                Some(b')') => {
                    self.pos += 1;
                    break;
                }
                Some(b'[') => {
                    self.ps_type();
                }
                Some(b'$') => {
                    let name = self.ps_variable_name();
                    self.ps_lines();
                    let mut default = None;
                    if self.byte() == Some(b'=') {
                        self.pos += 1;
                        self.ps_lines();
                        default = self
                            .deeper(|parser| parser.ps_expression(false))
                            .map(Box::new);
                    }
                    params.push(Param { name, default });
                }
                Some(b',') => self.pos += 1,
                Some(_) => self.pos += self.char_len(self.pos).max(1),
            }
            if !self.burn() {
                break;
            }
        }
        params
    }

    fn ps_try(&mut self, start: usize) -> CommandKind<'a> {
        let body = self.ps_braced(start);
        let mut catches = Vec::new();
        let mut finally = None;
        loop {
            let at = self.pos;
            self.ps_lines();
            match self.ps_keyword() {
                "catch" if self.burn() => {
                    self.pos += 5;
                    self.ps_lines();
                    while matches!(self.byte(), Some(b'[' | b',')) && self.burn() {
                        if self.byte() == Some(b',') {
                            self.pos += 1;
                        } else {
                            self.ps_type();
                        }
                        self.ps_lines();
                    }
                    catches.push(self.ps_braced(start));
                }
                "finally" => {
                    self.pos += 7;
                    finally = Some(self.ps_braced(start));
                    break;
                }
                _ => {
                    self.pos = at;
                    break;
                }
            }
        }
        CommandKind::Try {
            body,
            catches,
            finally,
        }
    }

    /// `class X { … }`: its methods are not followed.
    fn ps_class(&mut self, methods: bool, start: usize) -> CommandKind<'a> {
        while self
            .byte()
            .is_some_and(|byte| byte != b'{' && byte != b'\n')
        {
            self.pos += 1;
        }
        self.ps_lines();
        let mut open = 0usize;
        while let Some(byte) = self.byte() {
            self.pos += 1;
            match byte {
                b'{' => open += 1,
                b'}' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        if methods {
            self.unknown_region(start, self.pos, "the methods of a class are not followed");
        }
        CommandKind::Group(List::default())
    }

    /// Pipelines joined by `&&` and `||`.
    fn ps_chain(&mut self) -> Item<'a> {
        let first = self.ps_pipeline();
        let mut rest = Vec::new();
        loop {
            self.ps_blanks();
            let connector = if self.starts_with("&&") {
                Connector::And
            } else if self.starts_with("||") {
                Connector::Or
            } else {
                break;
            };
            let at = self.pos;
            self.pos += 2;
            self.ps_lines();
            let pipeline = self.ps_pipeline();
            if pipeline.stages.is_empty() {
                self.unfinished("nothing follows the operator", at);
                break;
            }
            rest.push((connector, pipeline));
            if !self.burn() {
                break;
            }
        }
        let background = self.byte() == Some(b'&') && self.ahead(1) != Some(b'&');
        self.pos += usize::from(background);
        Item {
            and_or: AndOr { first, rest },
            background,
        }
    }

    fn ps_pipeline(&mut self) -> Pipeline<'a> {
        let mut stages = Vec::new();
        loop {
            self.ps_blanks();
            let Some(command) = self.ps_stage() else {
                break;
            };
            stages.push(command);
            self.ps_blanks();
            // A pipe may begin the next line.
            if self.byte() == Some(b'\n') {
                let mark = self.mark();
                self.ps_lines();
                if self.byte() != Some(b'|') || self.ahead(1) == Some(b'|') {
                    self.rewind(&mark);
                }
            }
            if self.byte() != Some(b'|') || self.ahead(1) == Some(b'|') {
                break;
            }
            let at = self.pos;
            self.pos += 1;
            self.ps_lines();
            if self.pos >= self.end {
                self.unfinished("nothing follows the operator", at);
                break;
            }
        }
        Pipeline {
            negated: false,
            stages,
        }
    }

    fn ps_stage(&mut self) -> Option<Command<'a>> {
        let start = self.pos;
        if self.ps_at_end() || self.byte() == Some(b'|') || !self.burn() {
            return None;
        }
        if !self.ps_at_expression() {
            return self.ps_command();
        }
        let value = self
            .deeper(|parser| parser.ps_expression(true))
            .unwrap_or(Expr::Unknown(Span::new(start, self.pos)));
        self.ps_blanks();
        let op = ASSIGN.iter().find(|op| self.starts_with(op)).copied();
        let kind = match op {
            Some(op) if !(op == "=" && self.ahead(1) == Some(b'=')) => {
                self.pos += op.len();
                self.ps_lines();
                let item = self.deeper(Self::ps_statement);
                CommandKind::Assign {
                    target: value,
                    op,
                    value: List {
                        items: item.into_iter().collect(),
                    },
                }
            }
            _ => CommandKind::Expression(value),
        };
        let mut redirections = Vec::new();
        loop {
            self.ps_blanks();
            match self.ps_redirection() {
                Some(redirection) if self.burn() => redirections.push(redirection),
                _ => break,
            }
        }
        Some(Command {
            kind,
            redirections,
            span: Span::new(start, self.trimmed_end(start)),
        })
    }

    /// Blanks, continued lines and comments.
    pub(crate) fn ps_blanks(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' | b'\r' => self.pos += 1,
                b'`' if self.ahead(1) == Some(b'\n') => self.pos += 2,
                b'`' if self.ahead(1) == Some(b'\r') && self.ahead(2) == Some(b'\n') => {
                    self.pos += 3;
                }
                b'`' if self.ahead(1).is_none() => {
                    self.pos += 1;
                    self.complete = false;
                }
                0xC2 if self.ahead(1) == Some(0xA0) => self.pos += 2,
                b'#' => {
                    while self.byte().is_some_and(|byte| byte != b'\n') {
                        self.pos += 1;
                    }
                }
                b'<' if self.ahead(1) == Some(b'#') => {
                    let start = self.pos;
                    let rest = self.slice(self.pos, self.end);
                    match rest.find("#>") {
                        Some(at) => self.pos += at + 2,
                        None => {
                            self.unfinished("comment is not closed", start);
                            self.pos = self.end;
                        }
                    }
                }
                _ => break,
            }
        }
    }

    /// The same with newlines.
    pub(crate) fn ps_lines(&mut self) {
        loop {
            self.ps_blanks();
            if self.byte() != Some(b'\n') {
                break;
            }
            self.pos += 1;
        }
    }

    /// The same with semicolons.
    pub(crate) fn ps_separators(&mut self) {
        loop {
            self.ps_blanks();
            if !matches!(self.byte(), Some(b'\n' | b';')) {
                break;
            }
            self.pos += 1;
        }
    }
}

fn empty<'a>() -> Item<'a> {
    Item {
        and_or: AndOr {
            first: Pipeline {
                negated: false,
                stages: Vec::with_capacity(1),
            },
            rest: Vec::new(),
        },
        background: false,
    }
}
