//! `[ … ]` and `[[ … ]]`: what is known about how they come out.

use cmdai_shell::{Part, Tree, Word};

use crate::{
    analyser::{Analyser, Status},
    glob,
    value::Text,
};

/// Most operators of one test.
const MAX_DEPTH: u32 = 32;

/// A word of a test.
enum Token {
    /// `(`, `&&`, `<` and the like.
    Mark(String),
    Word(Text),
}

impl Token {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Mark(mark) => mark == text,
            Self::Word(word) => word.known && word.text == text,
        }
    }
}

impl Analyser<'_> {
    /// `[` and `test`.
    pub(crate) fn single_brackets(&mut self, args: &[Text], bracket: bool) -> Status {
        let args = match args.split_last() {
            Some((last, rest)) if bracket && last.text == "]" => rest,
            _ => args,
        };
        for arg in args {
            self.hidden_subscript(arg);
        }
        let constant = args.iter().all(|arg| arg.offset.is_some());
        let tokens: Vec<Token> = args.iter().cloned().map(Token::Word).collect();
        self.outcome(&tokens, false, constant)
    }

    /// `[[ … ]]`
    pub(crate) fn double_brackets(&mut self, tree: &Tree<'_>, words: &[Word<'_>]) -> Status {
        let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
        let mut pattern = false;
        for word in words {
            if word.parts.is_empty() && (word.span.end > word.span.start) {
                let text = word.span.of(tree.source);
                tokens.push(Token::Mark(text.to_owned()));
                pattern = false;
                continue;
            }
            let text = if pattern {
                self.pattern(tree, &word.parts)
            } else {
                self.expand_one(tree, word)
            };
            self.hidden_subscript(&text);
            pattern = matches!(word.bare(), Some("==" | "=" | "!=" | "=~"));
            tokens.push(Token::Word(text));
        }
        let constant = words.iter().all(|word| {
            word.parts
                .iter()
                .all(|part| matches!(part, Part::Literal(_) | Part::Single(_)))
        });
        self.outcome(&tokens, true, constant)
    }

    /// `a[$(…)]` as an argument: subscripts are expanded once more.
    pub(crate) fn hidden_subscript(&mut self, text: &Text) {
        if text.text.contains('[') && (text.text.contains("$(") || text.text.contains('`')) {
            self.hidden_substitution(text);
        }
    }

    /// What substitutions in a text that the shell expands once more would run.
    pub(crate) fn hidden_substitution(&mut self, text: &Text) {
        let code = Text {
            text: format!(": \"{}\"", text.text.replace('"', "")),
            known: true,
            span: text.span,
            ..Text::default()
        };
        let dialect = self.dialect;
        let status = self.status;
        self.shell_code(&code, dialect, &crate::value::Stream::Empty, true);
        self.status = status;
    }

    fn outcome(&mut self, tokens: &[Token], double: bool, constant: bool) -> Status {
        let mut reader = Reader {
            tokens,
            at: 0,
            double,
            depth: 0,
        };
        let result = reader.either();
        match result {
            Some(success) if reader.at == tokens.len() => {
                if constant {
                    Status::Said(success)
                } else {
                    Status::Seen(success)
                }
            }
            _ => Status::Unknown,
        }
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    double: bool,
    depth: u32,
}

impl Reader<'_> {
    fn take(&mut self, marks: &[&str]) -> bool {
        let hit = self
            .tokens
            .get(self.at)
            .is_some_and(|token| marks.iter().any(|mark| token.is(mark)));
        self.at += usize::from(hit);
        hit
    }

    fn either(&mut self) -> Option<bool> {
        let mut value = self.each();
        while self.take(if self.double { &["||"] } else { &["-o"] }) {
            let right = self.each();
            value = match (value, right) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        value
    }

    fn each(&mut self) -> Option<bool> {
        let mut value = self.negated();
        while self.take(if self.double { &["&&"] } else { &["-a"] }) {
            let right = self.negated();
            value = match (value, right) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        value
    }

    fn negated(&mut self) -> Option<bool> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.at = usize::MAX;
            return None;
        }
        let value = if self.tokens.len() - self.at.min(self.tokens.len()) > 1 && self.take(&["!"]) {
            self.negated().map(|value| !value)
        } else if self.tokens.len() - self.at.min(self.tokens.len()) > 2 && self.take(&["(", "\\("])
        {
            let value = self.either();
            self.take(&[")", "\\)"]);
            value
        } else {
            self.primary()
        };
        self.depth -= 1;
        value
    }

    fn word(&mut self) -> Option<Text> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(match token {
            Token::Word(text) => text.clone(),
            Token::Mark(mark) => Text::known(mark.as_str(), cmdai_schema::Span::default()),
        })
    }

    fn primary(&mut self) -> Option<bool> {
        if self.tokens.is_empty() {
            return Some(false);
        }
        let left = self.word()?;
        let operator = match self.tokens.get(self.at) {
            Some(Token::Word(text)) if text.known => text.text.clone(),
            Some(Token::Mark(mark)) => mark.clone(),
            _ => String::new(),
        };
        let binary = matches!(
            operator.as_str(),
            "=" | "=="
                | "!="
                | "<"
                | ">"
                | "=~"
                | "-eq"
                | "-ne"
                | "-lt"
                | "-le"
                | "-gt"
                | "-ge"
                | "-nt"
                | "-ot"
                | "-ef"
        );
        if binary && self.at + 1 < self.tokens.len() {
            self.at += 1;
            let right = self.word()?;
            return self.compare(&left, &operator, &right);
        }
        if left.known && left.text.len() == 2 && left.text.starts_with('-') {
            let kind = left.text.as_str();
            let unary = matches!(
                kind.as_bytes().get(1),
                Some(
                    b'a' | b'b'
                        | b'c'
                        | b'd'
                        | b'e'
                        | b'f'
                        | b'g'
                        | b'h'
                        | b'k'
                        | b'p'
                        | b'r'
                        | b's'
                        | b't'
                        | b'u'
                        | b'w'
                        | b'x'
                        | b'L'
                        | b'O'
                        | b'G'
                        | b'S'
                        | b'N'
                        | b'n'
                        | b'z'
                        | b'o'
                        | b'v'
                        | b'R'
                )
            );
            let ended = self
                .tokens
                .get(self.at)
                .is_none_or(|token| matches!(token, Token::Mark(mark) if mark != "("));
            if unary && !ended {
                let operand = self.word()?;
                return match kind {
                    "-n" => length(&operand).map(|empty| !empty),
                    "-z" => length(&operand),
                    _ => None,
                };
            }
        }
        length(&left).map(|empty| !empty)
    }

    fn compare(&self, left: &Text, operator: &str, right: &Text) -> Option<bool> {
        if !left.known || !right.known {
            return None;
        }
        let equal = || {
            if self.double {
                glob::shell_matches(&right.text, &left.text)
            } else {
                left.text == right.text
            }
        };
        let number = |text: &Text| text.text.trim().parse::<i64>().ok();
        Some(match operator {
            "=" | "==" => equal(),
            "!=" => !equal(),
            "<" => left.text < right.text,
            ">" => left.text > right.text,
            "-eq" => number(left)? == number(right)?,
            "-ne" => number(left)? != number(right)?,
            "-lt" => number(left)? < number(right)?,
            "-le" => number(left)? <= number(right)?,
            "-gt" => number(left)? > number(right)?,
            "-ge" => number(left)? >= number(right)?,
            _ => return None,
        })
    }
}

/// True where a text is empty.
fn length(text: &Text) -> Option<bool> {
    if text.known {
        Some(text.text.is_empty())
    } else if text.empty.as_deref().is_some_and(|empty| !empty.is_empty()) {
        Some(false)
    } else {
        None
    }
}
