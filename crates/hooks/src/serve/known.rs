//! What the shell said about its variables, functions and aliases, for one line.
//!
//! The process does not see the shell's memory. What the analysis asks for and nobody has told is
//! noted; the shell is asked for all of it at once and the line is judged again.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use cmdai_effects::{Elements, Session};

use super::wire::{self, Fact};

/// Looked at for every line, as facts about the machine: they are what they were when the shell began.
const FROM_THE_START: &[&str] = &[
    "BITBUCKET_BUILD_NUMBER",
    "BUILDKITE",
    "CI",
    "CIRCLECI",
    "CMDAI_ENVIRONMENT",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "KUBERNETES_SERVICE_HOST",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "TRAVIS",
    "TZ",
    "container",
];
/// Most names that are asked for at once.
const MOST: usize = 48;

/// Knowledge of one line's session.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Words that are functions or aliases of the person's.
    own: BTreeSet<String>,
    variables: BTreeMap<String, Option<Vec<String>>>,
    functions: BTreeMap<String, Option<String>>,
    aliases: BTreeMap<String, Option<String>>,
    missing: RefCell<BTreeSet<(char, String)>>,
    /// Nothing more is asked for: what is not known may be anything.
    gave_up: bool,
}

impl Known {
    /// `names`: words of the line that are functions or aliases of the person's.
    pub(super) fn of(names: &[String]) -> Self {
        Self {
            own: names.iter().cloned().collect(),
            ..Self::default()
        }
    }

    /// What has been asked for in vain, as `need` writes it.
    pub(super) fn missing(&self) -> String {
        let missing = self.missing.borrow();
        let words: Vec<String> = missing
            .iter()
            .take(MOST)
            .map(|(kind, name)| format!("{kind} {}", wire::escape(name)))
            .collect();
        words.join(" ")
    }

    /// Takes over what the shell told. What it was asked and did not tell is not there.
    pub(super) fn learn(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            match fact {
                Fact::Variable(name, words) => {
                    self.variables.insert(name, words);
                }
                Fact::Function(name, text) => {
                    self.functions.insert(name, text.map(|text| body(&text)));
                }
                Fact::Alias(name, text) => {
                    self.aliases.insert(name, text);
                }
            }
        }
        self.missing.borrow_mut().clear();
    }

    /// Asks for nothing more.
    pub(super) fn give_up(&mut self) {
        self.missing.borrow_mut().clear();
        self.gave_up = true;
    }

    fn miss(&self, kind: char, name: &str) {
        let plain = !name.is_empty()
            && name.len() <= 100
            && (kind != 'v' || name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        if plain && !self.gave_up {
            self.missing.borrow_mut().insert((kind, name.to_owned()));
        }
    }

    fn words(&self, name: &str) -> Option<&[String]> {
        match self.variables.get(name) {
            Some(words) => words.as_deref(),
            None => {
                self.miss('v', name);
                None
            }
        }
    }
}

impl Session for Known {
    fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        if FROM_THE_START.contains(&name) {
            return std::env::var(name).ok().map(Cow::Owned);
        }
        let words = self.words(name)?;
        Some(match words {
            [one] => Cow::Borrowed(one),
            several => Cow::Owned(several.join(" ")),
        })
    }

    fn elements(&self, name: &str) -> Option<Elements> {
        if FROM_THE_START.contains(&name) {
            return None;
        }
        let words = self.words(name)?;
        (words.len() != 1).then(|| Elements::Listed(words.to_vec()))
    }

    fn alias(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.aliases.get(name) {
            Some(text) => text.as_deref().map(Cow::Borrowed),
            None => {
                if self.own.contains(name) {
                    self.miss('a', name);
                }
                None
            }
        }
    }

    fn function(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.functions.get(name) {
            Some(text) => text.as_deref().map(Cow::Borrowed),
            None => {
                // Names in the text of a function were not among the words of the line.
                if self.own.contains(name) || !self.functions.is_empty() {
                    self.miss('f', name);
                }
                None
            }
        }
    }

    fn is_live(&self) -> bool {
        !self.gave_up
    }
}

/// The body of a function as fish prints it: without remarks before it, its head and its `end`. Named
/// arguments are taken from `$argv` first.
fn body(definition: &str) -> String {
    let lines: Vec<&str> = definition.lines().collect();
    let Some(head) = lines.iter().position(|line| line.starts_with("function ")) else {
        return definition.to_owned();
    };
    let Some(last) = lines.iter().rposition(|line| line.trim() == "end") else {
        return definition.to_owned();
    };
    let mut text = String::new();
    let words: Vec<&str> = lines
        .get(head)
        .map(|line| line.split_whitespace().collect())
        .unwrap_or_default();
    let named = words
        .iter()
        .position(|word| matches!(*word, "-a" | "--argument" | "--argument-names"));
    let names = words.iter().enumerate().filter(|(at, word)| {
        named.is_some_and(|named| *at > named) && !word.starts_with('-') && !word.starts_with('\'')
    });
    for (number, (_, name)) in names.enumerate() {
        text.push_str(&format!("set {name} $argv[{}]\n", number + 1));
    }
    for line in words
        .iter()
        .filter_map(|word| word.strip_prefix("--argument-names="))
    {
        text.push_str(&format!("set {line} $argv[1]\n"));
    }
    for line in lines.get(head + 1..last).unwrap_or_default() {
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_in_vain_is_asked_for_once() {
        let mut known = Known::of(&["gs".to_owned()]);
        assert!(known.variable("NAME").is_none() && known.function("gs").is_none());
        assert!(known.function("git").is_none());
        assert_eq!(known.missing(), "f gs v NAME");
        known.learn(vec![
            Fact::Variable(
                "NAME".to_owned(),
                Some(vec!["a".to_owned(), "b".to_owned()]),
            ),
            Fact::Function(
                "gs".to_owned(),
                Some("# Defined\nfunction gs --wraps=git\n  git status $argv\nend\n".to_owned()),
            ),
        ]);
        assert_eq!(known.missing(), "");
        assert!(matches!(known.elements("NAME"), Some(Elements::Listed(all)) if all.len() == 2));
        assert_eq!(known.function("gs").unwrap(), "  git status $argv\n");
        known.give_up();
        assert!(known.variable("OTHER").is_none() && known.missing().is_empty());
        assert!(!known.is_live());
    }

    #[test]
    fn named_arguments_are_arguments() {
        let text = body("function f -a first second --description 'x y'\n  rm $first\nend\n");
        assert!(
            text.starts_with("set first $argv[1]\nset second $argv[2]\n"),
            "{text}"
        );
        assert!(text.ends_with("  rm $first\n"));
    }
}
