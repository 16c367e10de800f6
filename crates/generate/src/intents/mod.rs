//! Tier 0: a compositional engine for everyday requests.
//!
//! Each intent takes the parts it knows out of the words, in any order where people use any order,
//! and renders one command. It is believed only when no word that matters is left over: a word
//! that nobody understood could change the meaning. Requests that could mean two things, or would
//! destroy something unnamed, are asked back.

mod archives;
mod asks;
mod containers;
mod files;
mod find;
mod git;
mod machine;
mod network;
mod packages;
mod processes;
mod search;
mod text;

use cmdai_schema::Dialect;

use crate::words::Words;
use crate::{Candidate, GenerateError, Generator, Os, Outcome, Request, Tier};

/// What an intent makes of a request.
#[derive(Debug, Clone)]
struct Draft {
    command: String,
    explanation: String,
    confidence: u16,
    /// The command is the same in PowerShell.
    neutral: bool,
}

impl Draft {
    fn new(command: impl Into<String>, explanation: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            explanation: explanation.into(),
            confidence: 920,
            neutral: false,
        }
    }

    fn neutral(mut self) -> Self {
        self.neutral = true;
        self
    }

    fn sure(mut self, confidence: u16) -> Self {
        self.confidence = confidence;
        self
    }
}

type Intent = fn(&mut Words, &Request) -> Option<Draft>;

/// Intents in the order they are tried: those with words of their own first.
static INTENTS: &[Intent] = &[
    git::find,
    containers::docker,
    containers::kubectl,
    packages::find,
    packages::services,
    archives::find,
    machine::dates,
    network::find,
    processes::find,
    processes::ranked,
    processes::named,
    machine::find,
    machine::environment,
    text::replace,
    text::tally,
    search::find,
    text::find,
    files::permissions,
    files::usage,
    find::find,
    files::find,
];

/// The compositional engine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Intents;

impl Generator for Intents {
    fn name(&self) -> &str {
        "intents"
    }

    fn tier(&self) -> Tier {
        Tier::Intents
    }

    fn generate(
        &self,
        request: &Request,
        _sink: &mut dyn FnMut(&str),
    ) -> Result<Outcome, GenerateError> {
        Ok(answer(request))
    }
}

/// The answer for one request.
pub fn answer(request: &Request) -> Outcome {
    if request.last_failed.is_some() {
        return Outcome::Abstained {
            why: "fixing a failed command needs a model; configure a backend".to_owned(),
        };
    }
    // A follow-up only adds to what was asked before.
    let mut text = String::new();
    for turn in &request.earlier {
        text.push_str(&turn.words);
        text.push(' ');
    }
    text.push_str(&request.words);
    let Some(words) = Words::new(&text) else {
        return Outcome::Abstained {
            why: "the request is empty, too long or holds control characters".to_owned(),
        };
    };
    if let Some(outcome) = asks::find(&words) {
        return outcome;
    }
    let mut closest: Option<Vec<String>> = None;
    for intent in INTENTS {
        let mut own = words.clone();
        let Some(draft) = intent(&mut own, request) else {
            continue;
        };
        let windows = request.shell == Dialect::Powershell || request.os == Os::Windows;
        if windows && !draft.neutral {
            closest.get_or_insert_with(Vec::new);
            continue;
        }
        let left = own.left();
        if left.is_empty() && !draft.command.is_empty() && !draft.command.contains(['\n', '\r']) {
            let candidate = Candidate {
                command: draft.command,
                tier: Tier::Intents,
                confidence: draft.confidence,
                explanation: draft.explanation,
                citations: Vec::new(),
            };
            return Outcome::Candidates {
                candidates: vec![candidate],
            };
        }
        if closest.as_ref().is_none_or(|best| left.len() < best.len()) {
            closest = Some(left);
        }
    }
    let why = match closest {
        Some(left) if left.is_empty() => "no form of this is known for this shell".to_owned(),
        Some(left) => format!(
            "not sure what `{}` means here; say it in other words or configure a model",
            left.join(" ")
        ),
        None => "no everyday request looks like this; say it in other words or configure a model"
            .to_owned(),
    };
    Outcome::Abstained { why }
}

/// A word as one argument of a POSIX shell or fish.
fn quote(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(&byte));
    if plain {
        return text.to_owned();
    }
    quoted(text)
}

/// A text in single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A path as an argument: `~/` stays open to expansion, a leading dash cannot be an option.
fn path(text: &str) -> String {
    let text = if text.len() > 1 {
        text.trim_end_matches('/')
    } else {
        text
    };
    let text = if text.is_empty() { "/" } else { text };
    if text == "~" {
        return text.to_owned();
    }
    if let Some(rest) = text.strip_prefix("~/") {
        return format!("~/{}", quote(rest));
    }
    if text.starts_with('-') {
        quote(&format!("./{text}"))
    } else {
        quote(text)
    }
}

/// A name that must not read as an option.
fn name(words: &mut Words, patterns: &[&str]) -> Option<String> {
    words
        .slot(patterns)
        .filter(|name| !name.starts_with('-'))
        .map(|name| quote(&name))
}

/// Where something is to be looked for: `in src`, `under /var/log`, `here`.
fn place(words: &mut Words) -> Option<String> {
    if words.eat_any(&["in|inside|under|within|from|of current|this|working directory|folder|dir and? subdirectories|subfolders|below?", "in|under|from this|current directory|folder|dir", "in here", "here", "recursively in current directory|folder"]) {
        return Some(".".to_owned());
    }
    if words.eat("in|inside|under|within|from my? home directory|folder|dir?") {
        return Some("~".to_owned());
    }
    if words.eat_any(&[
        "on whole? system|machine",
        "in whole|entire filesystem|system|disk",
        "everywhere",
    ]) {
        return Some("/".to_owned());
    }
    let found = words.slot(&[
        "in|inside|under|within|from|below directory|folder|dir {path}",
        "in|inside|under|within|from|below {path} directory|folder|dir",
        "in|inside|under|within|from|below {path}",
    ])?;
    Some(path(&found))
}

/// A number of things, or ten.
fn count(found: Option<String>) -> u32 {
    found
        .and_then(|number| number.parse().ok())
        .filter(|number| *number > 0)
        .unwrap_or(10)
}
