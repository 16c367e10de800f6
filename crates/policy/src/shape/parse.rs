//! From the text of a pattern to its stages.

use super::{Flag, ShapeError, Stage, WRAPPERS, options};

pub(super) struct Word {
    pub(super) text: String,
    pub(super) offset: usize,
    pub(super) quoted: bool,
}

/// Splits a pattern into stages of words.
pub(super) fn split(pattern: &str) -> Result<Vec<Vec<Word>>, ShapeError> {
    let fail = |message: &str, offset: usize, help: &str| {
        Err(ShapeError {
            message: message.to_owned(),
            offset,
            help: help.to_owned(),
        })
    };
    let mut stages: Vec<Vec<Word>> = vec![Vec::new()];
    let mut current: Option<Word> = None;
    let mut chars = pattern.char_indices().peekable();
    let mut after_pipe = None;
    while let Some((offset, c)) = chars.next() {
        match c {
            ' ' | '\t' | '\n' => stages
                .last_mut()
                .into_iter()
                .for_each(|stage| stage.extend(current.take())),
            '\'' | '"' => {
                let word = current.get_or_insert(Word {
                    text: String::new(),
                    offset,
                    quoted: true,
                });
                word.quoted = true;
                loop {
                    match chars.next() {
                        Some((_, end)) if end == c => break,
                        Some((_, inner)) => word.text.push(inner),
                        None => {
                            return fail(
                                "quote is not closed",
                                offset,
                                "close it, or escape it with a backslash",
                            );
                        }
                    }
                }
            }
            '\\' => {
                let Some((_, next)) = chars.next() else {
                    return fail("nothing follows the backslash", offset, "remove it");
                };
                current
                    .get_or_insert(Word {
                        text: String::new(),
                        offset,
                        quoted: true,
                    })
                    .text
                    .push(next);
            }
            '|' => {
                stages
                    .last_mut()
                    .into_iter()
                    .for_each(|stage| stage.extend(current.take()));
                if matches!(chars.peek(), Some((_, '|'))) {
                    return fail(
                        "`||` joins commands",
                        offset,
                        "a pattern is one command or one pipeline; write one entry for each",
                    );
                }
                if matches!(chars.peek(), Some((_, '&'))) {
                    chars.next();
                }
                if stages.last().is_some_and(Vec::is_empty) {
                    return fail(
                        "no command in front of `|`",
                        offset,
                        "name a program, or `*` for any",
                    );
                }
                after_pipe = Some(offset);
                stages.push(Vec::new());
            }
            ';' | '&' => {
                return fail(
                    "a pattern is one command or one pipeline",
                    offset,
                    "write one entry for each command",
                );
            }
            '>' | '<' => {
                let help = "use a rule with `effect: [overwrite]` and `path:` for redirections, or `regex:` for text";
                return fail("redirections are not part of a pattern", offset, help);
            }
            '`' => {
                return fail(
                    "a substitution cannot be matched",
                    offset,
                    "name the inner command as a pattern of its own",
                );
            }
            '$' if matches!(chars.peek(), Some((_, '('))) => {
                return fail(
                    "a substitution cannot be matched",
                    offset,
                    "name the inner command as a pattern of its own",
                );
            }
            '(' | ')' | '{' | '}' if current.is_none() => {
                return fail(
                    "groups are not part of a pattern",
                    offset,
                    "use `regex:` where text is meant",
                );
            }
            _ => current
                .get_or_insert(Word {
                    text: String::new(),
                    offset,
                    quoted: false,
                })
                .text
                .push(c),
        }
    }
    stages
        .last_mut()
        .into_iter()
        .for_each(|stage| stage.extend(current.take()));
    if stages.last().is_some_and(Vec::is_empty) {
        return match after_pipe {
            Some(offset) => fail(
                "no command behind `|`",
                offset,
                "name a program, or `*` for any",
            ),
            None => fail("pattern is empty", 0, "name a program"),
        };
    }
    Ok(stages)
}

fn is_any(word: &Word) -> bool {
    !word.quoted && matches!(word.text.as_str(), ".*" | "*" | "..." | "…" | ".+")
}

pub(super) fn stage(words: &[Word]) -> Result<Stage, ShapeError> {
    let mut rest = words.iter();
    let Some(first) = rest.next() else {
        return Err(ShapeError {
            message: "no program".to_owned(),
            offset: 0,
            help: "name a program".to_owned(),
        });
    };
    if first.text.starts_with('-') {
        let help = "a pattern begins with a program; `*` stands for any".to_owned();
        return Err(ShapeError {
            message: format!("`{}` is a flag, not a program", first.text),
            offset: first.offset,
            help,
        });
    }
    if !first.quoted && first.text.contains('=') {
        let help = "match assignments with `regex:`".to_owned();
        return Err(ShapeError {
            message: "assignments are not part of a pattern".to_owned(),
            offset: first.offset,
            help,
        });
    }
    let mut program = if is_any(first) {
        "*".to_owned()
    } else {
        globbed(&first.text)
    };
    let mut through = Vec::new();
    while WRAPPERS.contains(&program.as_str()) {
        let mut ahead = rest.clone();
        let Some(next) = ahead
            .next()
            .filter(|word| !is_any(word) && !word.text.starts_with('-'))
        else {
            break;
        };
        rest = ahead;
        through.push(std::mem::replace(&mut program, globbed(&next.text)));
    }
    let family = options::family(&program);
    let known = options::Known::of(family);
    let mut anchored = !options::takes_data(family) && program != "*";
    let (mut texts, mut flags) = (Vec::new(), Vec::new());
    let mut rest = rest.peekable();
    while let Some(word) = rest.next() {
        let text = word.text.as_str();
        if is_any(word) {
            anchored &= !texts.is_empty();
            continue;
        }
        if !text.starts_with('-') || text.len() < 2 {
            texts.push(globbed(text));
            continue;
        }
        if text == "--" {
            continue;
        }
        let subcommand = texts.first().map(String::as_str);
        let double = text.starts_with("--");
        let bare = text.trim_start_matches('-');
        // What follows an option that takes a value is that value.
        let mut value = |takes: bool| {
            let is_value = |word: &&&Word| takes && !is_any(word) && !word.text.starts_with('-');
            let word = rest.next_if(|word| is_value(&word))?;
            Some(globbed(&word.text))
        };
        if let Some((name, given)) = bare.split_once('=') {
            flags.push(Flag::Long(name.to_owned(), Some(globbed(given))));
        } else if double || options::has_word_options(family) {
            let given = value(known.long_takes_value(subcommand, bare));
            flags.push(Flag::Long(bare.to_owned(), given));
        } else {
            let last = bare.chars().next_back().filter(|letter| {
                known.letter_takes_value(subcommand, *letter)
                    && bare.len() <= 6
                    && bare.chars().all(|c| c.is_ascii_alphabetic())
            });
            match last.and_then(|letter| Some((letter, value(true)?))) {
                Some((letter, given)) => {
                    let others = bare.strip_suffix(letter).unwrap_or("");
                    if !others.is_empty() {
                        flags.push(Flag::Letters(others.to_owned()));
                    }
                    flags.push(Flag::Letter(letter, given));
                }
                None => flags.push(Flag::Letters(bare.to_owned())),
            }
        }
    }
    // Only a plain word can be a subcommand.
    let special = options::first_is_special(family) && anchored;
    anchored &= texts.first().is_some_and(|word| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    anchored |= special && !texts.is_empty();
    Ok(Stage {
        program,
        through,
        anchored,
        words: texts,
        flags,
    })
}

/// `.*` within a word is any text; a `*` of the shell stays within a folder of a path.
fn globbed(word: &str) -> String {
    word.replace(".*", "**")
}
