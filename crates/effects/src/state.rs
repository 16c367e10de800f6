//! What the shell would know at a point of the text: variables, functions, working directory.

use std::rc::Rc;

use crate::value::{Map, Stream, Taint, Text};

/// What a variable may hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Value {
    /// It is one of these; empty where it is not known.
    pub(crate) alternatives: Vec<String>,
    /// Elements of an array.
    pub(crate) array: Option<Vec<String>>,
    /// Where an unknown value comes from.
    pub(crate) taint: Option<Taint>,
    /// It is not known, but not empty either.
    pub(crate) not_empty: bool,
    /// It is known to be unset.
    pub(crate) unset: bool,
}

impl Value {
    pub(crate) fn known(text: impl Into<String>) -> Self {
        Self {
            alternatives: vec![text.into()],
            ..Self::default()
        }
    }

    pub(crate) fn unknown(taint: Option<Taint>) -> Self {
        Self {
            taint,
            ..Self::default()
        }
    }
}

/// A function of the text or of the session.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) text: String,
    pub(crate) map: Map,
    /// Names that the arguments get.
    pub(crate) params: Vec<String>,
}

/// The state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Env {
    pub(crate) vars: Vec<(String, Value)>,
    pub(crate) functions: Vec<(String, Option<Rc<Function>>)>,
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) cwd: String,
    /// The working directory follows from the text alone.
    pub(crate) cwd_known: bool,
    /// Arguments of the function or script, where known.
    pub(crate) positional: Option<Vec<Text>>,
    /// Files written in the text.
    pub(crate) files: Vec<(String, Stream)>,
    /// Descriptors opened by `exec`, with what is behind them.
    pub(crate) descriptors: Vec<(u32, Stream)>,
    /// `set -u`
    pub(crate) nounset: bool,
    /// What `trap CODE DEBUG` runs before every command.
    pub(crate) before_each: Option<Text>,
}

impl Env {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.vars
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        let room = self.vars.len() < 512;
        match self.vars.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => *slot = value,
            None if room => self.vars.push((name.to_owned(), value)),
            None => {}
        }
    }

    pub(crate) fn write_file(&mut self, path: &str, content: Stream, append: bool) {
        let room = self.files.len() < 64;
        match self.files.iter_mut().find(|(known, _)| known == path) {
            Some((_, slot)) => {
                let before = if append {
                    std::mem::take(slot)
                } else {
                    Stream::Empty
                };
                *slot = before.then(content);
            }
            None if room => {
                let content = if append {
                    Stream::Tainted(Taint::File(path.to_owned())).then(content)
                } else {
                    content
                };
                self.files.push((path.to_owned(), content));
            }
            None => {}
        }
    }

    pub(crate) fn file(&self, path: &str) -> Option<&Stream> {
        self.files
            .iter()
            .find(|(known, _)| known == path)
            .map(|(_, content)| content)
    }

    /// Joins what another way through the text leads to.
    pub(crate) fn join(&mut self, other: Self) {
        for (name, value) in other.vars {
            match self.vars.iter_mut().find(|(known, _)| *known == name) {
                Some((_, mine)) if *mine == value => {}
                Some((_, mine)) => {
                    if mine.alternatives.is_empty() || value.alternatives.is_empty() {
                        // One way is not known: the known ones stay as what it may be.
                        if mine.alternatives.is_empty() {
                            *mine = value;
                        }
                    } else {
                        for alternative in value.alternatives {
                            if !mine.alternatives.contains(&alternative)
                                && mine.alternatives.len() < 8
                            {
                                mine.alternatives.push(alternative);
                            }
                        }
                    }
                }
                None => self.vars.push((name, value)),
            }
        }
        for (name, function) in other.functions {
            if !self.functions.iter().any(|(known, _)| *known == name) {
                self.functions.push((name, function));
            }
        }
        for alias in other.aliases {
            if !self.aliases.contains(&alias) {
                self.aliases.push(alias);
            }
        }
        for (path, content) in other.files {
            if self.file(&path).is_none() {
                self.files.push((path, content));
            }
        }
        self.cwd_known &= self.cwd == other.cwd && other.cwd_known;
    }
}
