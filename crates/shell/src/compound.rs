//! Compound commands: groups, conditions, loops, cases, functions.

use cmdai_schema::{Dialect, Span};

use crate::{
    parser::Parser,
    tree::{Arm, ArmEnding, Command, CommandKind, List, Part, Redirection, Simple, Word},
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
        let list = self.substituted(start);
        if let Some(list) = &list {
            self.filled(list, self.pos.saturating_sub(1));
        }
        list.map_or(CommandKind::Unknown, CommandKind::Subshell)
    }

    /// A list that no shell but zsh lets be empty. The position is where a command is missing.
    fn filled(&mut self, list: &List<'a>, at: usize) {
        if list.items.is_empty() && !self.is_zsh() {
            self.complain("a command is missing here", at, at + 1);
        }
    }

    /// As [`Self::list`], which must not be empty.
    fn some_list(&mut self) -> List<'a> {
        let list = self.list();
        self.filled(&list, self.pos);
        list
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
        let list = self.some_list();
        self.expect("}", start);
        CommandKind::Group(list)
    }

    fn condition(&mut self, start: usize) -> CommandKind<'a> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.some_list();
            let body = if self.expect("then", start) {
                self.some_list()
            } else {
                List::default()
            };
            branches.push((condition, body));
            self.skip_lines();
            match self.keyword() {
                "elif" if self.burn() => self.pos += 4,
                "else" => {
                    self.pos += 4;
                    otherwise = Some(self.some_list());
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
        let condition = self.some_list();
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
            let body = self.some_list();
            self.expect("}", start);
            return body;
        }
        if !self.expect("do", start) {
            return List::default();
        }
        let body = self.some_list();
        self.expect("done", start);
        body
    }

    fn iterate(&mut self, start: usize) -> CommandKind<'a> {
        self.skip_blanks();
        if self.starts_with("((") {
            self.pos += 2;
            let from = self.pos;
            let header = self.arithmetic(b')').unwrap_or_default();
            let ends: usize = header.iter().map(semicolons).sum();
            if ends != 2 && self.dialect == Dialect::Bash && self.pos > from {
                self.complain("the head of this loop has three parts", from, self.pos);
            }
            self.skip_blanks();
            if self.byte() == Some(b';') {
                self.pos += 1;
            }
            let body = self.loop_body(start);
            return CommandKind::ArithmeticFor { header, body };
        }
        let from = self.pos;
        let name = self.name();
        let named = self.pos;
        // Whatever else is there is refused when the loop runs.
        while !self.is_zsh()
            && !matches!(
                self.byte(),
                None | Some(
                    b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>'
                )
            )
        {
            self.pos += 1;
        }
        if name.is_empty() || self.pos > named {
            self.complain("a loop needs a name", from, self.pos.max(from + 1));
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
                if patterns.is_empty() && !self.is_zsh() {
                    self.complain("a branch of `case` needs a pattern", self.pos, self.pos + 1);
                }
                if self.byte() == Some(b')') {
                    self.pos += 1;
                } else if !self.is_zsh() {
                    self.complain("`)` is missing after a pattern", self.pos, self.pos + 1);
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
                b' ' | b'\t' | b'\n' | b'(' | b')' | b';' | b'&' | b'|' | b'<' | b'>'
            ) && (byte != b'{' || self.pos > from)
        }) {
            self.pos += 1;
        }
        let name = self.slice(from, self.pos);
        let open = |quote: u8| name.bytes().filter(|&byte| byte == quote).count() % 2 == 1;
        if (name.is_empty() && !self.is_zsh()) || open(b'"') || open(b'\'') {
            self.complain("a function needs a name", from, self.pos.max(from + 1));
        }
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
        if let Some(body) = &body
            && self.dialect == Dialect::Bash
            && matches!(
                body.kind,
                CommandKind::Simple(_) | CommandKind::Function { .. } | CommandKind::Coproc(_)
            )
        {
            self.complain("the body of a function is a compound command", at, at + 1);
        }
        body.unwrap_or_else(|| {
            if self.pos >= self.end {
                self.unfinished("function has no body", start);
            } else {
                self.complain("function has no body", at, at + 1);
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
        if self.dialect == Dialect::Bash
            && let Some(at) = misplaced(self.source, &words)
        {
            self.complain(
                "unexpected word in a condition",
                at.start as usize,
                at.end as usize,
            );
        }
        CommandKind::Test(words)
    }

    fn coproc(&mut self) -> CommandKind<'a> {
        self.skip_blanks();
        let mark = self.mark();
        // `coproc NAME { … }`
        let name = self.name();
        let ended = matches!(self.byte(), Some(b' ' | b'\t' | b'('));
        self.skip_blanks();
        if name.is_empty() || !ended || !matches!(self.byte(), Some(b'{' | b'(')) {
            self.rewind(&mark);
        }
        let at = self.pos;
        let reserved = self.keyword() == "!";
        let command = self.command().unwrap_or(Command {
            kind: CommandKind::Unknown,
            redirections: Vec::new(),
            span: Span::new(at, at),
        });
        if reserved
            || matches!(
                command.kind,
                CommandKind::Unknown | CommandKind::Function { .. }
            )
        {
            self.complain("`coproc` needs a command", at, at + 1);
        }
        CommandKind::Coproc(Box::new(command))
    }
}

/// Semicolons in a part of arithmetic that end something.
fn semicolons(part: &Part<'_>) -> usize {
    let Part::Literal(text) = part else { return 0 };
    text.matches(';').count() - text.matches("\\;").count()
}

/// The first word between `[[` and `]]` that cannot stand where it stands. Operators have no parts.
fn misplaced(source: &str, words: &[Word<'_>]) -> Option<Span> {
    /// What was read last.
    enum State {
        /// Nothing, or what wants an operand.
        Start,
        /// One word, which is a condition by itself.
        Word,
        /// A word with an operator that wants a second one, or one such as `-f`.
        Operator,
        /// A whole condition.
        Whole,
    }
    const OPERATORS: &[&str] = &[
        "==", "=", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
    ];
    let mut state = State::Start;
    let mut open = 0usize;
    let mut end = None;
    for word in words {
        // A condition goes on in the next line only after an operator.
        let broken = end
            .and_then(|end| source.get(end..word.span.start as usize))
            .is_some_and(|between| between.replace("\\\n", "").contains('\n'));
        end = Some(word.span.end as usize);
        let operator = word.parts.is_empty().then(|| word.span.of(source));
        let bare = word.bare().unwrap_or_default();
        state = match (state, operator) {
            (State::Start, Some("(")) => {
                open += 1;
                State::Start
            }
            (State::Start, None) => match bare.as_bytes() {
                b"!" => State::Start,
                [b'-', letter] if b"abcdefghknoprstuvwxzGLNORS".contains(letter) => State::Operator,
                _ => State::Word,
            },
            (State::Word, Some("<" | ">")) if !broken => State::Operator,
            (State::Word, None) if !broken && OPERATORS.contains(&bare) => State::Operator,
            (State::Operator, None) if !broken => State::Whole,
            (State::Word | State::Whole, Some("&&" | "||")) => State::Start,
            (State::Word | State::Whole, Some(")")) if open > 0 => {
                open -= 1;
                State::Whole
            }
            _ => return Some(word.span),
        };
    }
    match (state, words.last()) {
        (State::Word | State::Whole, _) if open == 0 => None,
        (_, last) => last.map(|word| word.span),
    }
}
