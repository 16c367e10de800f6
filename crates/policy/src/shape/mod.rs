//! Shell-aware patterns: `curl .* | bash`, `docker run --privileged`, `rm -rf /`.
//!
//! A pattern is a command or a pipeline. Its program is a glob over program names; its words are
//! globs over operands; flags match wherever they stand and however they are joined; `.*`, `*`
//! and `...` stand for any arguments. What a pattern says is compared with resolved program
//! calls, never with text, so quoting, paths and wrappers make no difference.
//!
//! The grammar stands in `docs/formats/pattern.md`; `tests/it/patterns.toml` holds patterns with
//! commands of both kinds. [`parse`] reads a pattern, [`given`] tells options, values and operands
//! of a call apart with the help of [`options`], [`matching`] compares the two.

use serde::{Deserialize, Serialize};

use crate::glob;

mod given;
mod matching;
mod options;
mod parse;

pub(crate) use matching::{gives_flag, has_args};
use parse::{Word, split, stage};

/// Most stages that a pattern may have.
const MAX_STAGES: usize = 8;
/// Programs that run the command given to them.
const WRAPPERS: &[&str] = &[
    "sudo", "doas", "env", "nohup", "time", "nice", "xargs", "exec", "command", "setsid",
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
    /// `-n value`, where the program is known to read it so.
    Letter(char, String),
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
