//! Shell-aware patterns: `curl .* | bash`, `docker run --privileged`, `rm -rf /`.
//!
//! A pattern is a command or a pipeline. Its program is a glob over program names; its words are
//! globs over operands; flags match wherever they stand and however they are joined; `.*`, `*`
//! and `...` stand for any arguments. What a pattern says is compared with resolved program
//! calls, never with text, so quoting, paths and wrappers make no difference.
//!
//! | in a pattern | matches |
//! |---|---|
//! | `-rf` | `-rf`, `-fr`, `-r -f`, `-r --force` |
//! | `--force` | `--force`, `--force=…`, and `-f` where the program knows them as one |
//! | `--lock=true` | `--lock=true`, `-lock=true`, `--lock true` |
//! | a first word such as `run` | the first operand |
//! | further words, paths, globs | operands in that order, others between them do not matter |
//! | `a … \| b …` | `a` in an earlier stage of the same pipeline than `b` |
//! | `sudo rm …` | `rm` run by `sudo` |

use serde::{Deserialize, Serialize};

use crate::glob;

/// Most stages that a pattern may have.
const MAX_STAGES: usize = 8;
/// Programs that run the command given to them.
const WRAPPERS: &[&str] = &[
    "sudo", "doas", "env", "nohup", "time", "nice", "xargs", "exec", "command", "setsid",
];
/// Programs whose flags are words behind a single dash.
const WORD_FLAGS: &[&str] = &[
    "find",
    "terraform",
    "tofu",
    "java",
    "javac",
    "openssl",
    "ffmpeg",
    "packer",
    "consul",
    "vault",
    "nomad",
    "go",
    "dd",
    "qemu-system-x86_64",
];
/// Programs whose operands are data from the first one on, not subcommands.
const OPERAND_PROGRAMS: &[&str] = &[
    "rm", "cp", "mv", "ln", "cat", "chmod", "chown", "chgrp", "kill", "pkill", "killall", "curl",
    "wget", "nc", "ncat", "ssh", "scp", "rsync", "bash", "sh", "zsh", "dash", "ksh", "dd", "tee",
    "shred", "truncate", "mkfs", "echo", "printf", "python", "python3", "perl", "ruby", "node",
    "php", "tar", "grep", "sed", "awk", "find", "ls", "touch", "mkdir", "rmdir",
];
/// Short and long flags that are one and the same, by program.
const SAME_FLAGS: &[(&[&str], char, &str)] = &[
    (
        &["rm", "cp", "chmod", "chown", "chgrp", "grep", "ls"],
        'r',
        "recursive",
    ),
    (&["rm", "cp", "chmod", "chown", "chgrp"], 'R', "recursive"),
    (
        &[
            "rm", "cp", "mv", "ln", "git", "docker", "podman", "npm", "killall",
        ],
        'f',
        "force",
    ),
    (&["apt", "apt-get", "dnf", "yum", "npm", "npx"], 'y', "yes"),
    (&["dnf", "yum"], 'y', "assumeyes"),
    (&["git", "docker", "podman", "ls"], 'a', "all"),
    (&["git"], 'd', "delete"),
    (&["git"], 'n', "no-verify"),
    (&["curl"], 'k', "insecure"),
    (&["curl"], 'd', "data"),
    (&["curl"], 'X', "request"),
    (&["curl"], 'T', "upload-file"),
    (&["kubectl", "helm"], 'n', "namespace"),
    (&["kubectl"], 'A', "all-namespaces"),
    (&["docker", "podman"], 'v', "volume"),
];
/// Shells and interpreters that run what is fed to them.
const INTERPRETERS: &[&str] = &[
    "bash", "sh", "zsh", "dash", "ksh", "fish", "python", "python3", "perl", "ruby", "node", "php",
    "pwsh",
];

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    stages: Vec<Stage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stage {
    /// Glob over the program's base name, or over its word where it holds a slash.
    program: String,
    /// Wrappers that it must run under.
    through: Vec<String>,
    /// The first word must be the first operand.
    anchored: bool,
    words: Vec<String>,
    flags: Vec<Flag>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Flag {
    /// `-rf`: the letters, and the whole as a word behind one or two dashes.
    Letters(String),
    /// `--name` or `--name=value`.
    Long(String, Option<String>),
}

/// Why a pattern cannot be read, with the character it is about, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShapeError {
    pub(crate) message: String,
    pub(crate) offset: usize,
    pub(crate) help: String,
}

impl Shape {
    /// Reads a pattern.
    pub(crate) fn parse(pattern: &str) -> Result<Self, ShapeError> {
        let mut stages = Vec::new();
        for words in split(pattern)? {
            stages.push(stage(&words)?);
        }
        if stages.len() > MAX_STAGES {
            let help = "name the stages that matter".to_owned();
            return Err(ShapeError {
                message: format!("more than {MAX_STAGES} stages"),
                offset: 0,
                help,
            });
        }
        Ok(Self { stages })
    }

    /// Program of a pattern whose name is exact, for the index; the last stage is the rarest.
    pub(crate) fn key_program(&self) -> Option<&str> {
        let mut exact = self.stages.iter().rev().map(|stage| stage.program.as_str());
        exact.find(|name| !name.contains(['*', '?', '/']))
    }

    /// A pattern that asks for arguments alone, of whatever program.
    pub(crate) fn of_args(args: &[String]) -> Self {
        let mut words = vec![Word {
            text: "*".to_owned(),
            offset: 0,
            quoted: false,
        }];
        words.extend(args.iter().map(|text| Word {
            text: text.clone(),
            offset: 0,
            quoted: false,
        }));
        Self {
            stages: stage(&words).into_iter().collect(),
        }
    }

    /// Words of the pattern as an identifier: `docker-run-privileged`.
    pub(crate) fn slug(pattern: &str) -> String {
        let mut out = String::new();
        for part in pattern.split(|c: char| !c.is_ascii_alphanumeric()) {
            if !part.is_empty() && out.len() + part.len() < 48 {
                if !out.is_empty() {
                    out.push('-');
                }
                out.push_str(&part.to_ascii_lowercase());
            }
        }
        if out.is_empty() {
            "pattern".to_owned()
        } else {
            out
        }
    }
}

struct Word {
    text: String,
    offset: usize,
    quoted: bool,
}

/// Splits a pattern into stages of words.
fn split(pattern: &str) -> Result<Vec<Vec<Word>>, ShapeError> {
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

fn stage(words: &[Word]) -> Result<Stage, ShapeError> {
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
    let mut anchored = !OPERAND_PROGRAMS.contains(&program.as_str()) && program != "*";
    let (mut texts, mut flags) = (Vec::new(), Vec::new());
    for word in rest {
        if is_any(word) {
            anchored &= !texts.is_empty();
        } else if let Some(long) = word.text.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) = long
                .split_once('=')
                .map_or((long, None), |(name, value)| (name, Some(globbed(value))));
            flags.push(Flag::Long(name.to_owned(), value));
        } else if let Some(short) = word
            .text
            .strip_prefix('-')
            .filter(|short| !short.is_empty())
        {
            match short.split_once('=') {
                Some((name, value)) => {
                    flags.push(Flag::Long(name.to_owned(), Some(globbed(value))))
                }
                None => flags.push(Flag::Letters(short.to_owned())),
            }
        } else if word.text != "--" {
            texts.push(globbed(&word.text));
        }
    }
    // Only a plain word can be a subcommand.
    anchored &= texts.first().is_some_and(|word| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && word.starts_with(|c: char| c.is_ascii_alphabetic())
    });
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

mod matching;

pub(crate) use matching::{gives_flag, has_args};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_patterns_say_where_and_what_to_do() {
        for (pattern, offset, part) in [
            ("", 0, "empty"),
            ("curl .* |", 8, "behind"),
            ("| bash", 0, "in front"),
            ("rm -rf / ; ls", 9, "one pipeline"),
            ("rm && ls", 3, "one pipeline"),
            ("a || b", 2, "joins"),
            ("echo x > /etc/passwd", 7, "redirections"),
            ("bash -c \"$(curl x", 8, "not closed"),
            ("rm $(cat x)", 3, "substitution"),
            ("-rf /", 0, "flag"),
            ("FOO=1 rm", 0, "assignments"),
            ("( rm )", 0, "groups"),
        ] {
            let error = Shape::parse(pattern).unwrap_err();
            assert!(error.message.contains(part), "{pattern}: {}", error.message);
            assert_eq!(error.offset, offset, "{pattern}: {}", error.message);
            assert!(!error.help.is_empty());
        }
    }

    #[test]
    fn slugs() {
        assert_eq!(
            Shape::slug("docker run --privileged"),
            "docker-run-privileged"
        );
        assert_eq!(Shape::slug("curl .* | bash"), "curl-bash");
        assert_eq!(Shape::slug("* | *"), "pattern");
    }

    #[test]
    fn index_uses_an_exact_program() {
        assert_eq!(
            Shape::parse("curl .* | bash").unwrap().key_program(),
            Some("bash")
        );
        assert_eq!(
            Shape::parse("* | bash").unwrap().key_program(),
            Some("bash")
        );
        assert_eq!(Shape::parse("python* -c").unwrap().key_program(), None);
    }
}
