//! Compound commands: groups, conditions, loops, cases, functions.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{Arm, ArmEnding, Command, CommandKind, List, Redirection, Simple, Word},
    word::Stop,
};

impl<'a> Parser<'a> {
    /// A compound command, where one stands here.
    pub(crate) fn compound(&mut self) -> Option<CommandKind<'a>> {
        if self.is_zsh()
            && let Some(kind) = self.zsh_compound()
        {
            return Some(kind);
        }
        match self.byte()? {
            b'(' => Some(self.parentheses()),
            b'{' | b'[' | b'i' | b'w' | b'u' | b'f' | b's' | b'c' => {
                let start = self.pos;
                let keyword = self.keyword();
                let taken = match keyword {
                    "{" | "if" | "while" | "until" | "for" | "select" | "case" | "function"
                    | "[[" | "coproc" => keyword.len(),
                    _ => return None,
                };
                self.pos += taken;
                let kind = self.deeper(|parser| match keyword {
                    "{" => parser.group(start),
                    "if" => parser.condition(start),
                    "while" | "until" => parser.repeat(keyword == "until", start),
                    "for" | "select" => parser.iterate(start),
                    "case" => parser.case(start),
                    "function" => parser.function(start),
                    "[[" => parser.test(start),
                    _ => parser.coproc(),
                });
                Some(kind.unwrap_or(CommandKind::Unknown))
            }
            _ => None,
        }
    }

    fn parentheses(&mut self) -> CommandKind<'a> {
        let start = self.pos;
        if self.ahead(1) == Some(b'(') && !self.not_arithmetic.contains(&start) {
            let mark = self.mark();
            self.pos += 2;
            match self.deeper(|parser| parser.arithmetic(b')')) {
                Some(Some(parts)) => return CommandKind::Arithmetic(parts),
                Some(None) => {
                    self.rewind(&mark);
                    self.not_arithmetic.insert(start);
                }
                None => return CommandKind::Unknown,
            }
        }
        self.pos += 1;
        self.substituted(start)
            .map_or(CommandKind::Unknown, CommandKind::Subshell)
    }

    /// Takes a closing word; complains where another stands there.
    fn expect(&mut self, word: &str, start: usize) -> bool {
        self.skip_lines();
        if self.keyword() == word {
            self.pos += word.len();
            return true;
        }
        if self.pos >= self.end {
            self.unfinished("compound command is not ended", start);
        } else {
            self.complain("another word is expected here", self.pos, self.pos + 1);
        }
        false
    }

    fn group(&mut self, start: usize) -> CommandKind<'a> {
        let list = self.list();
        self.expect("}", start);
        CommandKind::Group(list)
    }

    fn condition(&mut self, start: usize) -> CommandKind<'a> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.list();
            let body = if self.expect("then", start) {
                self.list()
            } else {
                List::default()
            };
            branches.push((condition, body));
            self.skip_lines();
            match self.keyword() {
                "elif" if self.burn() => self.pos += 4,
                "else" => {
                    self.pos += 4;
                    otherwise = Some(self.list());
                    self.expect("fi", start);
                    break;
                }
                _ => {
                    self.expect("fi", start);
                    break;
                }
            }
        }
        CommandKind::If {
            branches,
            otherwise,
        }
    }

    fn repeat(&mut self, until: bool, start: usize) -> CommandKind<'a> {
        let condition = self.list();
        let body = self.loop_body(start);
        CommandKind::Loop {
            until,
            condition,
            body,
        }
    }

    fn loop_body(&mut self, start: usize) -> List<'a> {
        self.skip_lines();
        if self.keyword() == "{" {
            self.pos += 1;
            let body = self.list();
            self.expect("}", start);
            return body;
        }
        if !self.expect("do", start) {
            return List::default();
        }
        let body = self.list();
        self.expect("done", start);
        body
    }

    fn iterate(&mut self, start: usize) -> CommandKind<'a> {
        self.skip_blanks();
        if self.starts_with("((") {
            self.pos += 2;
            let header = self.arithmetic(b')').unwrap_or_default();
            self.skip_blanks();
            if self.byte() == Some(b';') {
                self.pos += 1;
            }
            let body = self.loop_body(start);
            return CommandKind::ArithmeticFor { header, body };
        }
        let from = self.pos;
        let name = self.name();
        if name.is_empty() {
            self.complain("a loop needs a name", from, from + 1);
        }
        self.skip_lines();
        let mut words = None;
        let parenthesis = self.byte() == Some(b'(') && self.ahead(1) != Some(b')');
        if parenthesis {
            words = Some(self.array());
        } else if self.keyword() == "in" {
            self.pos += 2;
            let mut list = Vec::new();
            loop {
                self.skip_blanks();
                let before = self.pos;
                match self.byte() {
                    None | Some(b'\n' | b';' | b'&' | b'|' | b')' | b'(') => break,
                    Some(_) => {}
                }
                let word = self.word();
                if self.pos == before || !self.burn() {
                    break;
                }
                list.push(word);
            }
            words = Some(list);
        }
        self.skip_blanks();
        if self.byte() == Some(b';') {
            self.pos += 1;
        }
        let body = self.loop_body(start);
        CommandKind::For { name, words, body }
    }

    fn case(&mut self, start: usize) -> CommandKind<'a> {
        self.skip_blanks();
        let word = self.word();
        let mut arms = Vec::new();
        if self.expect("in", start) {
            loop {
                self.skip_lines();
                if self.pos >= self.end || self.keyword() == "esac" || !self.burn() {
                    break;
                }
                let before = self.pos;
                if self.byte() == Some(b'(') {
                    self.pos += 1;
                }
                let mut patterns = Vec::new();
                loop {
                    self.skip_blanks();
                    let from = self.pos;
                    let pattern = self.word();
                    if self.pos > from {
                        patterns.push(pattern);
                    }
                    self.skip_blanks();
                    if self.byte() == Some(b'|') && self.burn() {
                        self.pos += 1;
                    } else {
                        break;
                    }
                }
                if self.byte() == Some(b')') {
                    self.pos += 1;
                }
                let body = self.list();
                let mut ending = ArmEnding::Stop;
                if self.byte() == Some(b';') {
                    self.pos += 1;
                    match (self.byte(), self.ahead(1)) {
                        (Some(b';'), Some(b'&')) => {
                            ending = ArmEnding::TestNext;
                            self.pos += 2;
                        }
                        (Some(b'&'), _) => {
                            ending = ArmEnding::FallThrough;
                            self.pos += 1;
                        }
                        // `;|` of zsh
                        (Some(b'|'), _) => {
                            ending = ArmEnding::TestNext;
                            self.pos += 1;
                        }
                        (Some(b';'), _) => self.pos += 1,
                        _ => {}
                    }
                } else if self.keyword() != "esac" && self.pos < self.end {
                    self.complain("a branch of `case` ends in `;;`", self.pos, self.pos + 1);
                }
                arms.push(Arm {
                    patterns,
                    body,
                    ending,
                });
                if self.pos == before {
                    break;
                }
            }
            self.expect("esac", start);
        }
        CommandKind::Case { word, arms }
    }

    fn function(&mut self, start: usize) -> CommandKind<'a> {
        self.skip_blanks();
        let from = self.pos;
        while self.byte().is_some_and(|byte| {
            !matches!(
                byte,
                b' ' | b'\t' | b'\n' | b'(' | b')' | b'{' | b';' | b'&' | b'|' | b'<' | b'>'
            )
        }) {
            self.pos += 1;
        }
        let name = self.slice(from, self.pos);
        self.skip_blanks();
        if self.byte() == Some(b'(') {
            self.pos += 1;
            self.skip_blanks();
            if self.byte() == Some(b')') {
                self.pos += 1;
            }
        }
        let body = self.function_body(start);
        CommandKind::Function {
            name,
            params: Vec::new(),
            hooked: false,
            body: Box::new(body),
        }
    }

    /// The name, where `NAME` was just read and `()` follows.
    pub(crate) fn function_name(
        &mut self,
        simple: &Simple<'a>,
        redirections: &[Redirection<'a>],
    ) -> Option<&'a str> {
        if self.byte() != Some(b'(') || !redirections.is_empty() || !simple.assignments.is_empty() {
            return None;
        }
        let [word] = simple.words.as_slice() else {
            return None;
        };
        let name = self.slice(word.span.start as usize, word.span.end as usize);
        let mut at = self.pos + 1;
        while matches!(self.byte_at(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        if self.byte_at(at) != Some(b')') {
            return None;
        }
        self.pos = at + 1;
        Some(name)
    }

    pub(crate) fn function_body(&mut self, start: usize) -> Command<'a> {
        self.skip_lines();
        let at = self.pos;
        let body = self.deeper(Self::command).flatten();
        body.unwrap_or_else(|| {
            if self.pos >= self.end {
                self.unfinished("function has no body", start);
            }
            Command {
                kind: CommandKind::Unknown,
                redirections: Vec::new(),
                span: Span::new(at, at),
            }
        })
    }

    fn test(&mut self, start: usize) -> CommandKind<'a> {
        let mut words: Vec<Word<'a>> = Vec::new();
        let mut regex = false;
        loop {
            self.skip_lines();
            let from = self.pos;
            let Some(byte) = self.byte() else {
                self.unfinished("`[[` is not closed", start);
                break;
            };
            if self.starts_with("]]") && self.keyword() == "]]" {
                self.pos += 2;
                break;
            }
            let word = match byte {
                b'(' | b')' | b'<' | b'>' | b';' if !regex => {
                    self.pos += 1;
                    Word {
                        parts: Vec::new(),
                        span: Span::new(from, self.pos),
                    }
                }
                b'&' | b'|' if self.ahead(1) == Some(byte) => {
                    self.pos += 2;
                    Word {
                        parts: Vec::new(),
                        span: Span::new(from, self.pos),
                    }
                }
                _ => self.word_until(if regex { Stop::Regex } else { Stop::Word }),
            };
            if self.pos == from {
                self.pos += 1;
            }
            regex = word.bare() == Some("=~");
            words.push(word);
            if !self.burn() {
                break;
            }
        }
        CommandKind::Test(words)
    }

    fn coproc(&mut self) -> CommandKind<'a> {
        self.skip_blanks();
        let mark = self.mark();
        // `coproc NAME { … }`
        let name = self.name();
        self.skip_blanks();
        if name.is_empty() || !matches!(self.byte(), Some(b'{' | b'(')) {
            self.rewind(&mark);
        }
        let at = self.pos;
        let command = self.command().unwrap_or(Command {
            kind: CommandKind::Unknown,
            redirections: Vec::new(),
            span: Span::new(at, at),
        });
        CommandKind::Coproc(Box::new(command))
    }
}
