//! Languages of tools inside a line: SQL and awk.
//!
//! awk is read as tokens, so that texts and comments are told from calls.

mod other;
pub(crate) mod sql;
pub(crate) mod tokens;

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    value::{Stream, Text},
};
use tokens::Token;

impl Analyser<'_> {
    /// An awk program.
    pub(crate) fn inline_awk(&mut self, code: &Text) {
        let tokens = tokens::read(&code.text);
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Name(name) if name == "system" => {
                    if let Some(Token::Text(text)) = tokens.get(at + 2) {
                        self.run_text(text.clone(), code);
                    } else if tokens.get(at + 1) == Some(&Token::Mark('(')) {
                        self.unknown = true;
                        self.emit_code(CodeSource::Unknown, "shell", code.span);
                    }
                }
                // `"program" | getline` and `print | "program"`
                Token::Text(text)
                    if matches!(tokens.get(at + 1), Some(Token::Mark('|')))
                        && matches!(tokens.get(at + 2), Some(Token::Name(name)) if name == "getline") =>
                {
                    self.run_text(text.clone(), code)
                }
                Token::Mark('|') => {
                    let follows = if tokens.get(at + 1) == Some(&Token::Mark('&')) {
                        at + 2
                    } else {
                        at + 1
                    };
                    if let Some(Token::Text(text)) = tokens.get(follows) {
                        self.run_text(text.clone(), code);
                    }
                }
                Token::Mark('>')
                    if tokens
                        .iter()
                        .take(at)
                        .rev()
                        .take_while(|token| !matches!(token, Token::Mark(';' | '{' | '}' | '\n')))
                        .any(
                            |token| matches!(token, Token::Name(name) if name.starts_with("print")),
                        ) =>
                {
                    if let Some(Token::Text(path)) = tokens.get(at + 1) {
                        self.write_path(&Text::known(path.clone(), code.span), false, code.span);
                    }
                }
                Token::Text(text) if text.starts_with("/inet/") => {
                    let address = text
                        .rsplitn(3, '/')
                        .take(2)
                        .collect::<Vec<_>>()
                        .into_iter()
                        .rev()
                        .collect::<Vec<_>>()
                        .join(":");
                    self.emit(
                        EffectKind::Connect { address },
                        code.span,
                        Certainty::Proven,
                    );
                }
                _ => {}
            }
        }
    }

    fn run_text(&mut self, text: String, code: &Text) {
        self.shell_code(
            &Text::known(text, code.span),
            Dialect::Sh,
            &Stream::Empty,
            true,
        );
    }
}
