//! One program start inside a tree, as it is judged.

use std::rc::Rc;

use crate::tree::{Lineage, Mark};

/// Most variables that are looked at, and how long each may be.
const MAX_VARIABLES: usize = 4_096;
const MAX_VARIABLE: usize = 16 * 1024;

/// A program that is about to begin, or has just begun where it could not be read before.
#[derive(Debug)]
pub struct Exec<'a> {
    /// The process that asks.
    pub process: u32,
    /// What it runs now, and those above it.
    pub lineage: &'a Rc<Lineage>,
    /// The file, as it was called.
    pub called: &'a str,
    /// The same without links.
    pub file: &'a str,
    /// The words of the command, the program's name first.
    pub words: &'a [String],
    /// Its environment.
    pub variables: &'a Variables,
    /// Its working directory.
    pub directory: &'a str,
    /// The file would give rights that the person does not have; inside a tree it cannot.
    pub gives_rights: bool,
    /// It is the program that the whole tree was made for.
    pub root: bool,
}

/// The environment of a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variables(Vec<(String, String)>);

impl Variables {
    /// Reads texts of the form `NAME=value`.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let variables = texts
            .into_iter()
            .take(MAX_VARIABLES)
            .filter(|text| text.len() <= MAX_VARIABLE)
            .filter_map(|text| {
                let text = String::from_utf8_lossy(text);
                let (name, value) = text.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            });
        Self(variables.collect())
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is to become of a program start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It begins; what goes down to what it starts.
    Run(Rc<Mark>),
    /// It does not: the caller gets "operation not permitted", or is killed where it has begun.
    Refuse,
}

/// Why a program that had begun was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swapped {
    /// Other words than those that were judged.
    Words,
    /// Another file.
    File,
    /// Another working directory.
    Directory,
}

/// Who decides, and keeps the records.
pub trait Warden {
    /// A program is about to begin.
    fn exec(&mut self, exec: &Exec<'_>) -> Answer;
    /// A program began with something else than what was judged, and is being killed. `exec` holds
    /// what it really began with.
    fn swapped(&mut self, exec: &Exec<'_>, what: Swapped);
    /// Called now and then.
    fn tick(&mut self);
    /// The tree's program has ended; what it left behind goes on.
    fn root_ended(&mut self);
    /// Nothing of the tree is left.
    fn ended(&mut self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_bounded() {
        let long = format!("L={}", "x".repeat(MAX_VARIABLE));
        let read = Variables::read(
            ["A=1", "B=x=y", "nonsense", &long, "A=2"]
                .iter()
                .map(|text| text.as_bytes()),
        );
        assert_eq!(read.get("A"), Some("1"));
        assert_eq!(read.get("B"), Some("x=y"));
        assert_eq!(read.get("L"), None);
        assert_eq!(read.get("nonsense"), None);
    }
}
