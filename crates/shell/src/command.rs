//! Lists, pipelines and simple commands.

use cmdai_schema::{Dialect, Span};

use crate::{
    parser::Parser,
    tree::{
        AndOr, AssignValue, Assignment, Command, CommandKind, Connector, Item, List, Part,
        Pipeline, Simple, Word,
    },
};

/// Words that end a list where they stand for a command.
const CLOSERS: &[&str] = &["then", "do", "done", "fi", "elif", "else", "esac", "}"];
/// Builtins of bash whose arguments may be assignments of lists: `declare a=(b c)`.
const DECLARING: &[&str] = &[
    "alias", "declare", "eval", "export", "let", "local", "readonly", "typeset",
];

fn declares(simple: &Simple<'_>) -> bool {
    let name = simple.words.first().and_then(Word::bare);
    name.is_some_and(|name| DECLARING.contains(&name))
}

impl<'a> Parser<'a> {
    /// Reads commands until something that ends them: `)`, `;;`, a closing word, or the end.
    pub(crate) fn list(&mut self) -> List<'a> {
        let mut items = Vec::new();
        loop {
            self.skip_lines();
            match self.byte() {
                None | Some(b')') => break,
                Some(b';') => {
                    if matches!(self.ahead(1), Some(b';' | b'&' | b'|')) {
                        break;
                    }
                    self.complain("unexpected `;`", self.pos, self.pos + 1);
                    self.pos += 1;
                    continue;
                }
                Some(b'&' | b'|') if !self.starts_with("&>") => {
                    self.complain("unexpected operator", self.pos, self.pos + 1);
                    self.pos += 1;
                    continue;
                }
                Some(_) => {}
            }
            if self.at_closer() || !self.burn() {
                break;
            }
            let before = self.pos;
            let Some(and_or) = self.deeper(Self::and_or) else {
                break;
            };
            self.skip_blanks();
            let mut background = false;
            match self.byte() {
                Some(b'&') if self.ahead(1) != Some(b'&') => {
                    background = true;
                    self.pos += 1;
                    if matches!(self.byte(), Some(b'!' | b'|')) {
                        self.pos += 1;
                    }
                }
                Some(b';') if !matches!(self.ahead(1), Some(b';' | b'&' | b'|')) => self.pos += 1,
                _ => {}
            }
            let separated = self.slice(before, self.pos).ends_with([';', '&', '|', '!']);
            if !and_or.first.stages.is_empty() {
                items.push(Item { and_or, background });
            }
            if self.pos == before {
                break;
            }
            if !separated {
                self.between_commands();
            }
        }
        List { items }
    }

    /// Nothing may follow a command without an operator between them: `a (b)`, `{ a; } b`. zsh has
    /// short forms where it may.
    fn between_commands(&mut self) {
        match self.byte() {
            None | Some(b'\n' | b')' | b';' | b'&' | b'|') => {}
            Some(_) if self.is_zsh() || self.at_closer() => {}
            Some(_) => self.complain("an operator is missing here", self.pos, self.pos + 1),
        }
    }

    /// As [`Self::list`], with stray closing words skipped: inside `$( … )`.
    pub(crate) fn list_in_parentheses(&mut self) -> List<'a> {
        self.list_past(|parser| parser.byte() == Some(b')'))
    }

    /// As [`Self::list`], up to `}`.
    pub(crate) fn list_in_braces(&mut self) -> List<'a> {
        self.list_past(|parser| parser.byte() == Some(b'}'))
    }

    /// The whole region.
    pub(crate) fn whole_list(&mut self) -> List<'a> {
        self.list_past(|_| false)
    }

    fn list_past(&mut self, done: impl Fn(&Self) -> bool) -> List<'a> {
        let mut list = self.list();
        while self.pos < self.end && !done(self) && self.burn() {
            self.complain("unexpected token", self.pos, self.pos + 1);
            self.skip_stray();
            list.items.extend(self.list().items);
        }
        list
    }

    /// Takes what closes nothing.
    pub(crate) fn skip_stray(&mut self) {
        match self.byte() {
            Some(b';' | b'&' | b'|' | b')') => self.pos += 1,
            _ if self.at_closer() => {
                let word = self.keyword();
                self.pos += word.len().max(1);
            }
            _ => self.pos += self.char_len(self.pos).max(1),
        }
        self.pos = self.pos.min(self.end);
    }

    /// The bare word at the position, for comparing with reserved words.
    pub(crate) fn keyword(&self) -> &'a str {
        let mut at = self.pos;
        while let Some(byte) = self.byte_at(at) {
            match byte {
                b'a'..=b'z' | b'!' | b'{' | b'}' | b'[' | b']' if at - self.pos < 10 => at += 1,
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    break;
                }
                _ => return "",
            }
        }
        self.slice(self.pos, at)
    }

    pub(crate) fn at_closer(&self) -> bool {
        match self.byte() {
            Some(b'}' | b't' | b'd' | b'f' | b'e') => CLOSERS.contains(&self.keyword()),
            _ => false,
        }
    }

    pub(crate) fn and_or(&mut self) -> AndOr<'a> {
        let first = self.pipeline();
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let connector = if self.starts_with("&&") {
                Connector::And
            } else if self.starts_with("||") {
                Connector::Or
            } else {
                break;
            };
            let at = self.pos;
            self.pos += 2;
            self.skip_lines();
            if self.pos >= self.end {
                self.unfinished("nothing follows the operator", at);
                break;
            }
            let from = self.pos;
            let pipeline = self.pipeline();
            if pipeline.stages.is_empty() {
                if !self.slice(from, self.pos).trim().is_empty() {
                    break; // a bare `!`
                }
                self.complain("nothing follows the operator", at, at + 2);
                break;
            }
            rest.push((connector, pipeline));
        }
        AndOr { first, rest }
    }

    fn pipeline(&mut self) -> Pipeline<'a> {
        let (mut negated, mut begun) = (false, false);
        loop {
            self.skip_blanks();
            match self.byte() {
                Some(b'!') if self.keyword() == "!" => {
                    begun = true;
                    negated = !negated;
                    self.pos += 1;
                }
                // `time` is a reserved word of bash: what follows is a whole pipeline.
                Some(b't') if self.keyword() == "time" => {
                    let at = self.pos;
                    self.pos += 4;
                    self.skip_blanks();
                    if self.starts_with("-p")
                        && matches!(self.ahead(2), None | Some(b' ' | b'\t' | b'\n'))
                    {
                        self.pos += 2;
                        self.skip_blanks();
                    }
                    if matches!(self.byte(), Some(b'-')) {
                        self.pos = at;
                        break;
                    }
                    begun = true;
                }
                _ => break,
            }
        }
        let mut stages = Vec::new();
        let mut joined = None;
        loop {
            self.skip_blanks();
            let Some(command) = self.command() else {
                if let Some(at) = joined {
                    self.complain("nothing follows the operator", at, at + 1);
                }
                break;
            };
            stages.push(command);
            self.skip_blanks();
            if self.byte() != Some(b'|') || self.ahead(1) == Some(b'|') {
                break;
            }
            let at = self.pos;
            joined = Some(at);
            self.pos += 1;
            if self.byte() == Some(b'&') {
                self.pos += 1;
            }
            self.skip_lines();
            if self.pos >= self.end {
                self.unfinished("nothing follows the operator", at);
                break;
            }
            if self.byte() == Some(b'!') && self.keyword() == "!" {
                self.complain("`!` stands before a whole pipeline", self.pos, self.pos + 1);
            }
        }
        // A bare `!` or `time` may end a line.
        let ended = matches!(self.byte(), None | Some(b'\n'))
            || self.byte() == Some(b';') && !matches!(self.ahead(1), Some(b';' | b'&'));
        if begun && stages.is_empty() && !ended {
            self.complain("a command is missing here", self.pos, self.pos + 1);
        }
        Pipeline { negated, stages }
    }

    /// A command with its redirections; nothing where none stands here.
    pub(crate) fn command(&mut self) -> Option<Command<'a>> {
        let start = self.pos;
        match self.byte()? {
            b'&' if self.ahead(1) == Some(b'>') => {}
            b')' | b';' | b'&' | b'|' | b'\n' => return None,
            _ if self.at_closer() => return None,
            _ => {}
        }
        if !self.burn() {
            return None;
        }
        let compound = self.compound();
        let (kind, mut redirections) = match compound {
            Some(kind) => (kind, Vec::new()),
            None => {
                if self.dialect == Dialect::Bash && matches!(self.keyword(), "in" | "]]") {
                    self.complain("a reserved word stands for a command", start, start + 2);
                }
                let (simple, redirections) = self.simple();
                if let Some(name) = self.function_name(&simple, &redirections) {
                    let body = self.function_body(start);
                    return Some(Command {
                        kind: CommandKind::Function {
                            name,
                            params: Vec::new(),
                            hooked: false,
                            body: Box::new(body),
                        },
                        redirections,
                        span: Span::new(start, self.pos),
                    });
                }
                if simple.words.is_empty()
                    && simple.assignments.is_empty()
                    && redirections.is_empty()
                {
                    if self.pos == start {
                        self.pos += self.char_len(start).max(1);
                        self.unknown_region(start, self.pos, "unexpected character");
                        return Some(Command {
                            kind: CommandKind::Unknown,
                            redirections,
                            span: Span::new(start, self.pos),
                        });
                    }
                    return None;
                }
                return Some(Command {
                    kind: CommandKind::Simple(simple),
                    redirections,
                    span: Span::new(start, self.trimmed_end(start)),
                });
            }
        };
        loop {
            self.skip_blanks();
            match self.redirection() {
                Some(redirection) => redirections.push(redirection),
                None => break,
            }
        }
        Some(Command {
            kind,
            redirections,
            span: Span::new(start, self.trimmed_end(start)),
        })
    }

    pub(crate) fn trimmed_end(&self, start: usize) -> usize {
        let text = self.slice(start, self.pos);
        start + text.trim_end_matches([' ', '\t', '\r', '\n']).len()
    }

    fn simple(&mut self) -> (Simple<'a>, Vec<crate::Redirection<'a>>) {
        let mut simple = Simple::default();
        let mut redirections = Vec::new();
        loop {
            self.skip_blanks();
            if let Some(redirection) = self.redirection() {
                redirections.push(redirection);
                continue;
            }
            let before = self.pos;
            match self.byte() {
                Some(b'(') if !simple.words.is_empty() && self.zsh_group_here() => {}
                Some(b'<') if self.number_pattern().is_some() => {}
                Some(b'}') if self.is_zsh() && self.keyword() == "}" => break,
                None | Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')') => break,
                Some(b'<' | b'>') if self.ahead(1) != Some(b'(') => break,
                Some(_) => {}
            }
            if simple.words.is_empty()
                && let Some(assignment) = self.assignment()
            {
                simple.assignments.push(assignment);
            } else {
                let word = self.word();
                if self.pos == before {
                    break;
                }
                let array = word.parts.iter().any(|part| matches!(part, Part::Array(_)));
                if array && self.dialect == Dialect::Bash && !declares(&simple) {
                    self.complain("a list of words may not stand here", before, self.pos);
                }
                simple.words.push(word);
            }
            if !self.burn() {
                break;
            }
        }
        (simple, redirections)
    }

    fn assignment(&mut self) -> Option<Assignment<'a>> {
        let start = self.pos;
        if !self.byte()?.is_ascii_alphabetic() && self.byte()? != b'_' {
            return None;
        }
        let name = self.name();
        let mut index = None;
        if self.byte() == Some(b'[') {
            let from = self.pos + 1;
            let Some(end) = self.subscript_end(self.pos) else {
                let rest = self.slice(self.pos, self.end);
                if self.dialect == Dialect::Bash && !rest.contains(']') {
                    self.complain("a subscript is not closed", self.pos, self.pos + 1);
                }
                self.pos = start;
                return None;
            };
            index = Some(self.slice(from, end));
            self.pos = end + 1;
        }
        let append = self.byte() == Some(b'+') && self.ahead(1) == Some(b'=');
        self.pos += usize::from(append);
        if self.byte() != Some(b'=') {
            self.pos = start;
            return None;
        }
        self.pos += 1;
        let value =
            if self.byte() == Some(b'(') {
                AssignValue::Array(self.array())
            } else {
                AssignValue::Scalar(match self.byte() {
                    None
                    | Some(
                        b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b')',
                    ) if !self.starts_with("<(") => Word {
                        parts: Vec::new(),
                        span: Span::new(self.pos, self.pos),
                    },
                    _ => self.word(),
                })
            };
        Some(Assignment {
            name,
            index,
            append,
            value,
            span: Span::new(start, self.pos),
        })
    }
}
