//! A tokenizer for code of many languages: names, texts, marks. Comments are left out, texts are one
//! token, so that what is only mentioned is not taken for what is done.

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or keyword.
    Name(String),
    /// The content of a quoted text.
    Text(String),
    /// A text that the language runs in a shell: back quotes.
    Shell(String),
    /// A number.
    Number(String),
    /// Any other character.
    Mark(char),
}

/// Most tokens that are read.
const MAX_TOKENS: usize = 8_192;

/// Reads tokens. Works for languages with `#`, `//` and `/* */` comments and C-like texts.
pub(crate) fn read(code: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = code.char_indices().peekable();
    while let Some((at, next)) = chars.next() {
        if out.len() >= MAX_TOKENS {
            break;
        }
        match next {
            ' ' | '\t' | '\r' => {}
            '\n' => out.push(Token::Mark('\n')),
            '#' if !matches!(out.last(), Some(Token::Mark('$' | '{'))) => {
                for (_, next) in chars.by_ref() {
                    if next == '\n' {
                        out.push(Token::Mark('\n'));
                        break;
                    }
                }
            }
            '/' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                for (_, next) in chars.by_ref() {
                    if next == '\n' {
                        break;
                    }
                }
            }
            '/' if chars.peek().is_some_and(|(_, next)| *next == '*') => {
                let mut before = ' ';
                for (_, next) in chars.by_ref() {
                    if before == '*' && next == '/' {
                        break;
                    }
                    before = next;
                }
            }
            '"' | '\'' | '`' => {
                let triple = next != '`'
                    && code
                        .get(at..)
                        .is_some_and(|rest| rest.starts_with(&String::from(next).repeat(3)));
                if triple {
                    chars.next();
                    chars.next();
                }
                let mut text = String::new();
                let mut run = 0;
                while let Some((_, inner)) = chars.next() {
                    if inner == '\\' {
                        match chars.next() {
                            Some((_, 'n')) => text.push('\n'),
                            Some((_, 't')) => text.push('\t'),
                            Some((_, 'x')) => {
                                let digits: String = [chars.next(), chars.next()]
                                    .into_iter()
                                    .flatten()
                                    .map(|(_, digit)| digit)
                                    .collect();
                                text.extend(u8::from_str_radix(&digits, 16).ok().map(char::from));
                            }
                            Some((_, other)) => text.push(other),
                            None => {}
                        }
                        run = 0;
                        continue;
                    }
                    if inner == next {
                        run += 1;
                        if !triple || run == 3 {
                            break;
                        }
                        continue;
                    }
                    for _ in 0..run {
                        text.push(next);
                    }
                    run = 0;
                    text.push(inner);
                }
                out.push(if next == '`' {
                    Token::Shell(text)
                } else {
                    Token::Text(text)
                });
            }
            '0'..='9' => {
                let mut text = String::from(next);
                while let Some((_, more)) = chars
                    .peek()
                    .copied()
                    .filter(|(_, more)| more.is_ascii_alphanumeric() || *more == '.')
                {
                    text.push(more);
                    chars.next();
                }
                out.push(Token::Number(text));
            }
            _ if next.is_alphabetic() || next == '_' => {
                let mut text = String::from(next);
                while let Some((_, more)) = chars
                    .peek()
                    .copied()
                    .filter(|(_, more)| more.is_alphanumeric() || *more == '_')
                {
                    text.push(more);
                    chars.next();
                }
                out.push(Token::Name(text));
            }
            other => out.push(Token::Mark(other)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Token, read};

    #[test]
    fn comments_and_texts() {
        let tokens = read("os.system('rm -rf /') # unlink('x')\n\"\"\"a 'b'\"\"\"");
        assert_eq!(tokens.first(), Some(&Token::Name("os".to_owned())));
        assert!(tokens.contains(&Token::Text("rm -rf /".to_owned())));
        assert!(tokens.contains(&Token::Text("a 'b'".to_owned())));
        assert!(!tokens.contains(&Token::Name("unlink".to_owned())));
    }
}
