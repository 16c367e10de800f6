//! The files of the command knowledge, read with the place of everything.

use cmdai_schema::Dialect;
use serde::Deserialize;
use toml::Spanned;

/// A file.
#[derive(Deserialize)]
pub(super) struct File {
    /// Its programs, in order.
    #[serde(default)]
    pub(super) program: Vec<Program>,
}

/// A program; keys that are not looked at here are left to the grammar's own reader.
#[derive(Deserialize)]
pub(super) struct Program {
    pub(super) names: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) style: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) options: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) sub: Vec<Sub>,
    #[serde(default)]
    pub(super) rules: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) wrap: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) handler: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) examples: Vec<Example>,
}

impl Program {
    /// The first name.
    pub(super) fn name(&self) -> &str {
        self.names
            .get_ref()
            .first()
            .map_or("", |name| name.get_ref())
    }

    /// How its options are written; empty where the file does not say.
    pub(super) fn style(&self) -> &str {
        self.style.as_ref().map_or("", |style| style.get_ref())
    }

    /// The shell that its examples are lines of: programs of Windows take paths with backslashes.
    pub(super) fn dialect(&self, file: &str) -> Dialect {
        match self.style() {
            "cmdlet" | "slash" | "cmd" => Dialect::Powershell,
            _ if file == "windows.toml" => Dialect::Powershell,
            _ => Dialect::Bash,
        }
    }

    /// True where it is called by this name.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        self.names
            .get_ref()
            .iter()
            .any(|name| name.get_ref() == wanted)
    }

    /// Every declared option, the program's and its subcommands'.
    pub(super) fn declared(&self) -> impl Iterator<Item = Opt<'_>> {
        let own = self.options.iter().map(Spanned::get_ref);
        let subs = self
            .sub
            .iter()
            .filter_map(|sub| sub.options.as_ref())
            .map(Spanned::get_ref);
        own.chain(subs).flat_map(|text| options(text))
    }
}

/// Options of a subcommand.
#[derive(Deserialize)]
pub(super) struct Sub {
    pub(super) on: String,
    #[serde(default)]
    pub(super) options: Option<Spanned<String>>,
}

/// A command with its effects.
#[derive(Deserialize)]
pub(super) struct Example {
    pub(super) run: Spanned<String>,
    #[serde(default)]
    pub(super) effects: Vec<String>,
}

/// An option as it is declared.
pub(super) struct Opt<'a> {
    pub(super) names: Vec<&'a str>,
    /// `=`: the next word; `?`: attached only.
    pub(super) takes: Option<char>,
    /// What the rules call it.
    pub(super) flag: &'a str,
}

/// Reads a declaration as the grammar does; what it refuses is left out.
pub(super) fn options(text: &str) -> impl Iterator<Item = Opt<'_>> {
    text.split_whitespace().map(|token| {
        let (spec, flag) = token.split_once(':').unwrap_or((token, ""));
        let takes = spec.chars().last().filter(|last| matches!(last, '=' | '?'));
        let names: Vec<&str> = spec.trim_end_matches(['=', '?']).split(',').collect();
        let longest = names
            .iter()
            .max_by_key(|name| name.len())
            .copied()
            .unwrap_or("");
        let flag = if flag.is_empty() {
            longest.trim_start_matches('-')
        } else {
            flag
        };
        Opt { names, takes, flag }
    })
}

/// Line of a byte, from 1.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    text.get(..byte)
        .map_or(1, |before| before.matches('\n').count() + 1)
}
