//! Tree to program calls and effects, through wrappers and other languages. Runs nothing.
//!
//! The way of a text: [`cmdai_shell::parse`] → [`walk`] goes through the tree as the shell would →
//! [`expand`] turns words into texts → [`call`] finds out what a program does with them, by the
//! knowledge tables and a few handlers → nested code begins anew; code of other languages goes through
//! [`script`].

#![forbid(unsafe_code)]

mod analyser;
mod arithmetic;
mod assign;
mod awk;
mod braces;
mod builtins;
mod call;
mod condition;
mod decode;
mod definitions;
mod digest;
mod directory;
mod emit;
mod expand;
mod fields;
mod filters;
mod fish;
mod flow;
mod format;
mod glob;
mod hooks;
mod inline;
mod knowledge;
mod nested;
mod operator;
mod options;
mod output;
mod parameter;
mod paths;
mod pool;
mod powershell;
mod programs;
mod reading;
mod redirect;
mod regex;
mod rules;
pub mod script;
mod sed;
mod simple;
mod state;
mod value;
mod walk;
mod zsh;

use std::borrow::Cow;

use cmdai_schema::{Analysis, Dialect};

/// What a session knows that the text does not say. Looked up while analysing; must be cheap.
pub trait Session {
    /// Value of a shell variable, exported or not.
    fn variable(&self, name: &str) -> Option<Cow<'_, str>>;
    /// Elements of an array; nothing for what is no array.
    fn elements(&self, _name: &str) -> Option<Elements> {
        None
    }
    /// Text an alias stands for.
    fn alias(&self, name: &str) -> Option<Cow<'_, str>>;
    /// Body of a function, as text.
    fn function(&self, name: &str) -> Option<Cow<'_, str>>;
    /// True where an unset variable is known to be unset (a live shell), false where nothing is
    /// known about the session (batch mode).
    fn is_live(&self) -> bool {
        false
    }
}

/// What an array of a session holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elements {
    /// In their order.
    Listed(Vec<String>),
    /// Each with its key.
    Named(Vec<(String, String)>),
}

/// A session about which nothing is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSession;

impl Session for NoSession {
    fn variable(&self, _name: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn alias(&self, _name: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn function(&self, _name: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// Where and as whom a text would run.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Language of the text.
    pub dialect: Dialect,
    /// Absolute working directory.
    pub cwd: &'a str,
    /// Absolute home.
    pub home: &'a str,
    /// Login name.
    pub user: &'a str,
    /// The session.
    pub session: &'a dyn Session,
    /// Who reads code of other languages inside the text.
    pub languages: &'a dyn script::Languages,
}

/// Finds out what a text would do. Never fails; what cannot be told is unknown.
pub fn analyse(text: &str, context: &Context<'_>) -> Analysis {
    analyser::Analyser::new(context).run(text)
}

/// True where the command knowledge has an entry for a program of this name.
pub fn knows(program: &str) -> bool {
    knowledge::find(program).is_some()
}

/// The files of the command knowledge, name and text, sorted by name. For tools that show or check
/// them: the analysis itself uses tables made from them at build time.
pub fn knowledge_files() -> &'static [(&'static str, &'static str)] {
    knowledge::FILES
}

/// Every name that the command knowledge has an entry for, sorted.
pub fn known_programs() -> impl Iterator<Item = &'static str> {
    knowledge::matching("*")
}

/// Names of the handlers that a program of the command knowledge may name, read from their dispatch.
pub fn handlers() -> impl Iterator<Item = &'static str> {
    const DISPATCH: [&str; 2] = [
        include_str!("programs/mod.rs"),
        include_str!("powershell/cmdlets.rs"),
    ];
    DISPATCH
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| line.trim_start().starts_with('"') && line.contains("=>"))
        .filter_map(|line| line.split("=>").next())
        .flat_map(|names| names.split('"').skip(1).step_by(2))
}
