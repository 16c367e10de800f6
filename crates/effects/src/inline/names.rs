//! Names and joined texts: what a token stands for, as far as the text itself says.

use super::tokens::Token;

/// Joins texts that the language joins: `"rm " + "-rf /"`, and with `.` in Perl and PHP.
pub(super) fn fold(tokens: &mut Vec<Token>, language: &str) {
    let joins = |mark: char| mark == '+' || mark == '.' && matches!(language, "perl" | "php");
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens.drain(..) {
        if let (Token::Text(second), [.., Token::Text(_), Token::Mark(mark)]) =
            (&token, out.as_slice())
            && joins(*mark)
        {
            out.pop();
            if let Some(Token::Text(first)) = out.last_mut()
                && first.len() + second.len() <= crate::value::MAX_TEXT
            {
                first.push_str(second);
                continue;
            }
            out.push(Token::Mark('+'));
        }
        out.push(token);
    }
    *tokens = out;
}

/// In place of a token that is taken out.
const GONE: Token = Token::Mark('\0');

/// Puts texts in place of names that were given them: `p = "/"`, `const p = "/"`, `my $p = "/"`.
pub(super) fn follow(tokens: &mut Vec<Token>) {
    let mut known: Vec<(String, String)> = Vec::new();
    let mut depth = 0i32;
    let mut at = 0;
    // Bytes that may still be put in.
    let mut room = crate::value::MAX_TEXT;
    while at < tokens.len() {
        match tokens.get(at) {
            Some(Token::Mark('(' | '[')) => depth += 1,
            Some(Token::Mark(')' | ']')) => depth -= 1,
            _ => {}
        }
        let Some(Token::Name(name)) = tokens.get(at).cloned() else {
            at += 1;
            continue;
        };
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let sigil = matches!(before, Some(Token::Mark('$')));
        let member = matches!(before, Some(Token::Mark('.' | '@' | ':')));
        let next = (tokens.get(at + 1), tokens.get(at + 2), tokens.get(at + 3));
        match next {
            (Some(Token::Mark('=')), Some(Token::Text(text)), end) if depth <= 0 && !member => {
                // `p = "a" if x else "b"` is one of several.
                let ends = match end {
                    None | Some(Token::Mark(';' | '\n' | '}')) => true,
                    Some(Token::Name(word)) => !matches!(
                        word.as_str(),
                        "if" | "unless" | "or" | "and" | "in" | "is" | "not" | "for" | "x"
                    ),
                    _ => false,
                };
                known.retain(|(known, _)| *known != name);
                if ends && known.len() < 32 {
                    known.push((name, text.clone()));
                }
                at += 3;
                continue;
            }
            // Another value, or `==`.
            (Some(Token::Mark('=')), second, _) if depth <= 0 && !member => {
                if second != Some(&Token::Mark('=')) {
                    known.retain(|(known, _)| *known != name);
                }
            }
            (Some(Token::Mark('(' | '=')), ..) => {}
            _ if member => {}
            // `for p in …`: it is whatever comes.
            _ if matches!(before, Some(Token::Name(word)) if word == "for") => {
                known.retain(|(known, _)| *known != name);
            }
            _ => {
                if let Some((_, text)) = known.iter().find(|(known, _)| *known == name)
                    && text.len() <= room
                    && let Some(slot) = tokens.get_mut(at)
                {
                    room -= text.len();
                    *slot = Token::Text(text.clone());
                    if sigil && let Some(slot) = tokens.get_mut(at - 1) {
                        *slot = GONE;
                    }
                }
            }
        }
        at += 1;
    }
    tokens.retain(|token| *token != GONE);
}

/// Puts names in place of what `as` calls them: `from shutil import rmtree as wipe`.
pub(super) fn rename(tokens: &mut [Token]) {
    let mut names: Vec<(String, String)> = Vec::new();
    for window in tokens.windows(3) {
        if let [Token::Name(name), Token::Name(word), Token::Name(alias)] = window
            && word == "as"
            && names.len() < 32
        {
            names.push((alias.clone(), name.clone()));
        }
    }
    if names.is_empty() {
        return;
    }
    for token in tokens {
        if let Token::Name(name) = token
            && let Some((_, real)) = names.iter().find(|(alias, _)| alias == name)
        {
            name.clone_from(real);
        }
    }
}
