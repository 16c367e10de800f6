//! Statements of fish: jobs, pipelines, blocks, functions, redirections.

use cmdai_schema::Span;

use crate::{
    parser::Parser,
    tree::{
        AndOr, Arm, AssignValue, Assignment, Command, CommandKind, Connector, Item, List, Param,
        Part, Pipeline, RedirectOp, Redirection, Simple, Word,
    },
};

/// Options of `function` that make it run by itself, and that take a value.
const EVENTS: &[&str] = &[
    "-e",
    "--on-event",
    "-v",
    "--on-variable",
    "-s",
    "--on-signal",
    "-j",
    "--on-job-exit",
    "-p",
    "--on-process-exit",
];

impl<'a> Parser<'a> {
    /// Statements up to a word or bracket that ends them, which is not taken.
    pub(crate) fn fish_list(&mut self) -> List<'a> {
        let mut items: Vec<Item<'a>> = Vec::new();
        loop {
            self.fish_separators();
            match self.byte() {
                None | Some(b')' | b'}') => break,
                Some(b'&' | b'|') => {
                    self.complain("unexpected operator", self.pos, self.pos + 1);
                    self.pos += 1;
                    continue;
                }
                Some(_) => {}
            }
            let keyword = self.fish_keyword();
            if matches!(keyword, "end" | "else" | "case") || !self.burn() {
                break;
            }
            let before = self.pos;
            if !self.fish_joined(keyword, &mut items) {
                let Some(item) = self.deeper(Self::fish_item) else {
                    break;
                };
                if !item.and_or.first.stages.is_empty() {
                    items.push(item);
                }
            }
            if self.pos == before {
                break;
            }
        }
        List { items }
    }

    /// `and …` and `or …` belong to the statement before them.
    fn fish_joined(&mut self, keyword: &str, items: &mut Vec<Item<'a>>) -> bool {
        let connector = match keyword {
            "and" => Connector::And,
            "or" => Connector::Or,
            _ => return false,
        };
        self.pos += keyword.len();
        let Some(item) = self.deeper(Self::fish_item) else {
            return true;
        };
        match items.last_mut() {
            Some(last) => {
                last.and_or.rest.push((connector, item.and_or.first));
                last.and_or.rest.extend(item.and_or.rest);
                last.background |= item.background;
            }
            None => items.push(item),
        }
        true
    }

    /// One statement with its ending.
    fn fish_item(&mut self) -> Item<'a> {
        let first = self.fish_pipeline();
        let mut rest = Vec::new();
        loop {
            self.fish_blanks();
            let connector = if self.starts_with("&&") {
                Connector::And
            } else if self.starts_with("||") {
                Connector::Or
            } else {
                break;
            };
            let at = self.pos;
            self.pos += 2;
            self.fish_lines();
            let pipeline = self.fish_pipeline();
            if pipeline.stages.is_empty() {
                if self.pos >= self.end {
                    self.unfinished("nothing follows the operator", at);
                } else {
                    self.complain("nothing follows the operator", at, at + 2);
                }
                break;
            }
            rest.push((connector, pipeline));
        }
        let background = self.byte() == Some(b'&') && self.ahead(1) != Some(b'&');
        self.pos += usize::from(background);
        Item {
            and_or: AndOr { first, rest },
            background,
        }
    }

    fn fish_pipeline(&mut self) -> Pipeline<'a> {
        let mut negated = false;
        loop {
            self.fish_blanks();
            match self.fish_keyword() {
                word @ ("not" | "!") => {
                    negated = !negated;
                    self.pos += word.len();
                }
                word @ ("time" | "and" | "or") => self.pos += word.len(),
                _ => break,
            }
            if !self.burn() {
                break;
            }
        }
        let mut stages = Vec::new();
        loop {
            self.fish_blanks();
            let Some(command) = self.fish_command() else {
                break;
            };
            stages.push(command);
            self.fish_blanks();
            let at = self.pos;
            let Some(len) = self.fish_pipe() else { break };
            self.pos += len;
            self.fish_lines();
            if self.pos >= self.end {
                self.unfinished("nothing follows the operator", at);
                break;
            }
        }
        Pipeline { negated, stages }
    }

    /// Length of a pipe at the position: `|`, `&|`, `2>|`.
    fn fish_pipe(&self) -> Option<usize> {
        match self.byte()? {
            b'|' if self.ahead(1) != Some(b'|') => Some(1),
            b'&' if self.ahead(1) == Some(b'|') && self.ahead(2) != Some(b'|') => Some(2),
            b'0'..=b'9' | b'>' => {
                let mut at = 0;
                while matches!(self.ahead(at), Some(b'0'..=b'9')) && at < 4 {
                    at += 1;
                }
                (self.ahead(at) == Some(b'>') && self.ahead(at + 1) == Some(b'|')).then_some(at + 2)
            }
            _ => None,
        }
    }

    fn fish_command(&mut self) -> Option<Command<'a>> {
        let start = self.pos;
        match self.byte()? {
            b')' | b'}' | b';' | b'\n' | b'|' => return None,
            b'&' if self.ahead(1) != Some(b'>') => return None,
            _ => {}
        }
        let keyword = self.fish_keyword();
        if matches!(keyword, "end" | "else" | "case") || !self.burn() {
            return None;
        }
        let kind = match keyword {
            "begin" | "if" | "while" | "for" | "switch" | "function" | "{" => {
                self.pos += keyword.len();
                let kind = self.deeper(|parser| match keyword {
                    "begin" => parser.fish_group(start),
                    "if" => parser.fish_if(start),
                    "while" => parser.fish_while(start),
                    "for" => parser.fish_for(start),
                    "switch" => parser.fish_switch(start),
                    "{" => parser.fish_braces(start),
                    _ => parser.fish_function(start),
                });
                kind.unwrap_or(CommandKind::Unknown)
            }
            _ => {
                let (simple, redirections) = self.fish_simple();
                let empty = simple.words.is_empty() && simple.assignments.is_empty();
                if empty && redirections.is_empty() {
                    return None;
                }
                return Some(Command {
                    kind: CommandKind::Simple(simple),
                    redirections,
                    span: Span::new(start, self.trimmed_end(start)),
                });
            }
        };
        let mut redirections = Vec::new();
        loop {
            self.fish_blanks();
            match self.fish_redirection() {
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

    fn fish_end(&mut self, start: usize) {
        self.fish_separators();
        if self.fish_keyword() == "end" {
            self.pos += 3;
        } else if self.pos >= self.end {
            self.unfinished("block is not ended", start);
        } else {
            self.complain("`end` is expected here", self.pos, self.pos + 1);
        }
    }

    fn fish_group(&mut self, start: usize) -> CommandKind<'a> {
        let list = self.fish_list();
        self.fish_end(start);
        CommandKind::Group(list)
    }

    /// `{ …; }` of newer versions.
    fn fish_braces(&mut self, start: usize) -> CommandKind<'a> {
        let list = self.fish_list();
        if self.byte() == Some(b'}') {
            self.pos += 1;
        } else {
            self.unfinished("brace is not closed", start);
        }
        CommandKind::Group(list)
    }

    /// A condition: one statement with the `and` and `or` that follow it.
    fn fish_condition(&mut self) -> List<'a> {
        let mut items = Vec::new();
        self.fish_blanks();
        if let Some(item) = self.deeper(Self::fish_item)
            && !item.and_or.first.stages.is_empty()
        {
            items.push(item);
        }
        loop {
            self.fish_separators();
            let keyword = self.fish_keyword();
            if !self.burn() || !self.fish_joined(keyword, &mut items) {
                break;
            }
        }
        List { items }
    }

    fn fish_if(&mut self, start: usize) -> CommandKind<'a> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            let condition = self.fish_condition();
            let body = self.fish_list();
            branches.push((condition, body));
            self.fish_separators();
            if self.fish_keyword() != "else" || !self.burn() {
                break;
            }
            self.pos += 4;
            self.fish_blanks();
            if self.fish_keyword() == "if" {
                self.pos += 2;
                continue;
            }
            otherwise = Some(self.fish_list());
            break;
        }
        self.fish_end(start);
        CommandKind::If {
            branches,
            otherwise,
        }
    }

    fn fish_while(&mut self, start: usize) -> CommandKind<'a> {
        let condition = self.fish_condition();
        let body = self.fish_list();
        self.fish_end(start);
        CommandKind::Loop {
            until: false,
            condition,
            body,
        }
    }

    fn fish_for(&mut self, start: usize) -> CommandKind<'a> {
        self.fish_blanks();
        let name = self.name();
        if name.is_empty() {
            self.complain("a loop needs a name", self.pos, self.pos + 1);
        }
        self.fish_blanks();
        let mut words = Vec::new();
        if self.fish_keyword() == "in" {
            self.pos += 2;
            words = self.fish_words();
        } else {
            self.complain("`in` is expected here", self.pos, self.pos + 1);
        }
        let body = self.fish_list();
        self.fish_end(start);
        CommandKind::For {
            name,
            words: Some(words),
            body,
        }
    }

    fn fish_switch(&mut self, start: usize) -> CommandKind<'a> {
        let mut words = self.fish_words().into_iter();
        let word = words.next().unwrap_or_default();
        let mut arms = Vec::new();
        loop {
            self.fish_separators();
            if self.fish_keyword() != "case" || !self.burn() {
                break;
            }
            self.pos += 4;
            let patterns = self.fish_words();
            let body = self.fish_list();
            arms.push(Arm {
                patterns,
                body,
                ..Arm::default()
            });
        }
        self.fish_end(start);
        CommandKind::Case { word, arms }
    }

    fn fish_function(&mut self, start: usize) -> CommandKind<'a> {
        let header = self.fish_words();
        let mut name = "";
        let mut params = Vec::new();
        let mut hooked = false;
        let mut taking = false;
        let mut skip = false;
        for word in &header {
            let text = self.slice(word.span.start as usize, word.span.end as usize);
            if std::mem::take(&mut skip) {
                continue;
            }
            if name.is_empty() && !text.starts_with('-') {
                name = text.trim_matches(['\'', '"']);
                continue;
            }
            if text.starts_with('-') {
                taking = matches!(text, "-a" | "--argument-names" | "--argument");
                let long = text.split('=').next().unwrap_or(text);
                hooked |= EVENTS.contains(&long);
                skip = !taking
                    && !text.contains('=')
                    && !matches!(text, "-S" | "--no-scope-shadowing");
                if let Some(names) = text
                    .strip_prefix("--argument-names=")
                    .or_else(|| text.strip_prefix("-a"))
                    && !names.is_empty()
                {
                    params.push(Param {
                        name: names,
                        default: None,
                    });
                    taking = true;
                }
            } else if taking {
                params.push(Param {
                    name: text,
                    default: None,
                });
            }
        }
        self.fish_separators();
        let from = self.pos;
        let list = self.fish_list();
        let to = self.pos;
        self.fish_end(start);
        CommandKind::Function {
            name,
            params,
            hooked,
            body: Box::new(Command {
                kind: CommandKind::Group(list),
                redirections: Vec::new(),
                span: Span::new(from, to),
            }),
        }
    }

    /// Words up to the end of the statement.
    fn fish_words(&mut self) -> Vec<Word<'a>> {
        let mut words = Vec::new();
        loop {
            self.fish_blanks();
            let before = self.pos;
            match self.byte() {
                None | Some(b'\n' | b';' | b'|' | b')' | b'&' | b'<' | b'>') => break,
                Some(_) => {}
            }
            let word = self.fish_word();
            if self.pos == before || !self.burn() {
                break;
            }
            words.push(word);
        }
        words
    }

    fn fish_simple(&mut self) -> (Simple<'a>, Vec<Redirection<'a>>) {
        let mut simple = Simple::default();
        let mut redirections = Vec::new();
        loop {
            self.fish_blanks();
            if self.fish_pipe().is_some() {
                break;
            }
            if let Some(redirection) = self.fish_redirection() {
                redirections.push(redirection);
                if !self.burn() {
                    break;
                }
                continue;
            }
            let before = self.pos;
            match self.byte() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')' | b'<' | b'>') => break,
                Some(b'}') => break,
                Some(_) => {}
            }
            if simple.words.is_empty()
                && let Some(assignment) = self.fish_assignment()
            {
                simple.assignments.push(assignment);
            } else {
                let word = self.fish_word();
                if self.pos == before {
                    break;
                }
                simple.words.push(word);
            }
            if !self.burn() {
                break;
            }
        }
        (simple, redirections)
    }

    /// `NAME=VALUE` in front of a command.
    fn fish_assignment(&mut self) -> Option<Assignment<'a>> {
        let start = self.pos;
        if !self.byte()?.is_ascii_alphabetic() && self.byte()? != b'_' {
            return None;
        }
        let name = self.name();
        if self.byte() != Some(b'=') {
            self.pos = start;
            return None;
        }
        self.pos += 1;
        let value = self.fish_word();
        Some(Assignment {
            name,
            index: None,
            append: false,
            value: AssignValue::Scalar(value),
            span: Span::new(start, self.pos),
        })
    }

    /// A redirection, where one stands here. `2>|` is a pipe.
    fn fish_redirection(&mut self) -> Option<Redirection<'a>> {
        let start = self.pos;
        let mut at = 0;
        let mut fd = None;
        let mut both = false;
        match self.byte()? {
            b'&' if self.ahead(1) == Some(b'>') => {
                both = true;
                at = 1;
            }
            b'0'..=b'9' => {
                let mut number = 0u32;
                while let Some(digit @ b'0'..=b'9') = self.ahead(at) {
                    number = number
                        .saturating_mul(10)
                        .saturating_add(u32::from(digit - b'0'));
                    at += 1;
                }
                fd = Some(number);
            }
            // The way of old versions to redirect errors.
            b'^' if matches!(self.ahead(1), Some(b'/' | b'&' | b'^')) => {
                self.pos += 1;
                let op = match self.byte() {
                    Some(b'^') => RedirectOp::Append,
                    Some(b'&') => RedirectOp::DuplicateOut,
                    _ => RedirectOp::Write,
                };
                self.pos += usize::from(op != RedirectOp::Write);
                return Some(self.fish_target(start, 2, op));
            }
            b'<' | b'>' => {}
            _ => return None,
        }
        let first = self.ahead(at)?;
        let next = self.ahead(at + 1);
        let (op, len) = match (first, next) {
            (b'<', Some(b'&')) => (RedirectOp::DuplicateIn, 2),
            (b'<', Some(b'?')) => (RedirectOp::Read, 2),
            (b'<', _) => (RedirectOp::Read, 1),
            (b'>', Some(b'|')) => return None,
            (b'>', Some(b'>')) if both => (RedirectOp::AppendBoth, 2),
            (b'>', Some(b'>')) => (RedirectOp::Append, 2),
            (b'>', Some(b'&')) => (RedirectOp::DuplicateOut, 2),
            // Writes only where there is no file yet: nothing is lost.
            (b'>', Some(b'?')) => (RedirectOp::Append, 2),
            (b'>', _) if both => (RedirectOp::WriteBoth, 1),
            (b'>', _) => (RedirectOp::Write, 1),
            _ => return None,
        };
        self.pos += at + len;
        let fd = fd.unwrap_or(u32::from(first == b'>'));
        Some(self.fish_target(start, fd, op))
    }

    fn fish_target(&mut self, start: usize, fd: u32, mut op: RedirectOp) -> Redirection<'a> {
        self.fish_blanks();
        let target = match self.byte() {
            None | Some(b'\n' | b';' | b'&' | b'|' | b')') => {
                self.complain("a redirection needs a target", start, self.pos);
                Word {
                    parts: Vec::new(),
                    span: Span::new(self.pos, self.pos),
                }
            }
            Some(_) => self.fish_word(),
        };
        if op == RedirectOp::DuplicateOut
            && let Some(text) = target.bare()
            && !text
                .trim_end_matches('-')
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        {
            op = RedirectOp::WriteBoth;
        }
        Redirection {
            fd,
            fd_variable: None,
            op,
            target,
            here_doc: None,
            span: Span::new(start, self.pos),
        }
    }

    /// The bare word at the position, for comparing with reserved words.
    fn fish_keyword(&self) -> &'a str {
        let mut at = self.pos;
        if self.byte() == Some(b'{') {
            return match self.ahead(1) {
                None | Some(b' ' | b'\t' | b'\n' | b';') => self.slice(at, at + 1),
                Some(_) => "",
            };
        }
        while let Some(byte) = self.byte_at(at) {
            match byte {
                b'a'..=b'z' | b'!' if at - self.pos < 10 => at += 1,
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    break;
                }
                _ => return "",
            }
        }
        self.slice(self.pos, at)
    }

    /// Blanks, continued lines and comments.
    fn fish_blanks(&mut self) {
        self.skip_blanks();
    }

    /// The same with newlines.
    fn fish_lines(&mut self) {
        loop {
            self.skip_blanks();
            if self.byte() != Some(b'\n') {
                break;
            }
            self.pos += 1;
        }
    }

    /// The same with semicolons.
    fn fish_separators(&mut self) {
        loop {
            self.skip_blanks();
            if !matches!(self.byte(), Some(b'\n' | b';')) {
                break;
            }
            self.pos += 1;
        }
    }

    /// Takes what closes nothing.
    pub(crate) fn fish_skip_stray(&mut self) {
        let word = self.fish_keyword();
        let len = if word.is_empty() {
            self.char_len(self.pos)
        } else {
            word.len()
        };
        self.pos = (self.pos + len.max(1)).min(self.end);
    }

    /// `( … )`; the position is behind the opening parenthesis.
    pub(crate) fn fish_substituted(&mut self, start: usize) -> Part<'a> {
        let list = self.deeper(|parser| {
            let mut list = parser.fish_list();
            while parser.pos < parser.end && parser.byte() != Some(b')') && parser.burn() {
                parser.complain("unexpected token", parser.pos, parser.pos + 1);
                parser.fish_skip_stray();
                let mut more = parser.fish_list();
                list.items.append(&mut more.items);
            }
            list
        });
        let Some(list) = list else {
            return Part::Unknown(Span::new(start, self.pos));
        };
        if self.byte() == Some(b')') {
            self.pos += 1;
        } else {
            self.unfinished("parenthesis is not closed", start);
        }
        Part::Command(list, Span::new(start, self.pos))
    }
}
