//! The one way from words to what is shown: ask, parse, look up, judge, rank.

use serde::Serialize;

use crate::chain::{Attempt, Chain, Generator, Link, NOT_ASKED};
use crate::{Candidate, GenerateError, Outcome, Request};

/// What the caller's parser says about a command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// False where a shell would ask for another line.
    pub complete: bool,
    /// Complaints of the parser.
    pub problems: Vec<String>,
    /// Programs that the command calls.
    pub programs: Vec<String>,
}

/// What the caller lends to the pipeline.
pub struct Checks<'a> {
    /// Reads a command in the request's shell.
    pub parse: &'a dyn Fn(&str) -> Parsed,
    /// True where a program, builtin, function or alias of that name can be called; nothing where
    /// that is not to be checked.
    pub exists: Option<&'a dyn Fn(&str) -> bool>,
    /// Looks at the words before a generator sees them, and may change them. Words come back where
    /// this generator may not have them.
    pub before: Option<&'a Before<'a>>,
}

/// See [`Checks::before`].
pub type Before<'a> = dyn Fn(&mut String, &dyn Generator) -> Result<(), String> + 'a;

/// What the caller's judge says about a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<J> {
    /// The judgement, which goes with the suggestion.
    pub judgement: J,
    /// It may not be offered.
    pub forbidden: Option<Forbidden>,
}

impl<J> Verdict<J> {
    /// It may be offered.
    pub fn free(judgement: J) -> Self {
        Self {
            judgement,
            forbidden: None,
        }
    }
}

/// Why a candidate may not be offered, and what may be in its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forbidden {
    /// Why, lower-case, with the rule.
    pub why: String,
    /// Another command, judged like every candidate.
    pub instead: Option<String>,
}

/// A command that may be shown, with its judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion<J> {
    /// The command and where it comes from.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// Name of the generator.
    pub generator: String,
    /// Programs that are not installed.
    pub missing: Vec<String>,
    /// What the caller's judge says of it.
    pub judgement: J,
}

/// A command that was generated and is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Name of the generator.
    pub generator: String,
    /// The command.
    pub command: String,
    /// Why, lower-case.
    pub why: String,
    /// A policy or a contributor forbids it; else it is no command.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forbidden: bool,
}

/// What the person gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Answer<J> {
    /// Commands, best first; at least one.
    Suggestions {
        /// The commands.
        suggestions: Vec<Suggestion<J>>,
        /// What was left out.
        dropped: Vec<Dropped>,
        /// Generators that were asked before.
        attempts: Vec<Attempt>,
    },
    /// More than one thing could be meant.
    Ambiguous {
        /// Asked of the person.
        question: String,
        /// Requests to choose from.
        options: Vec<String>,
    },
    /// No guess is made.
    Abstained {
        /// Why, lower-case.
        why: String,
        /// What was left out.
        dropped: Vec<Dropped>,
        /// Each generator with its reason.
        attempts: Vec<Attempt>,
    },
}

/// Asks the chain until one generator yields a command that parses; judges and ranks what it gave.
///
/// # Errors
/// Where every generator failed, the first failure; one that abstains is not a failure.
pub fn pipeline<J>(
    request: &Request,
    chain: &Chain,
    checks: &Checks<'_>,
    judge: &dyn Fn(&str) -> Verdict<J>,
    sink: &mut dyn FnMut(&str),
) -> Result<Answer<J>, GenerateError> {
    let mut attempts = Vec::new();
    let mut dropped = Vec::new();
    let mut failure = None;
    let mut abstained: Option<String> = None;
    for link in chain.links() {
        let generator = match link {
            Link::Open(generator) => generator.as_ref(),
            Link::Closed(refused) => {
                attempts.push(refused.clone());
                continue;
            }
        };
        let mut failed = |problem: String| {
            attempts.push(Attempt {
                generator: generator.name().to_owned(),
                problem,
            })
        };
        let mut asked = std::borrow::Cow::Borrowed(request);
        if let Some(before) = checks.before {
            let mut words = request.words.clone();
            if let Err(why) = before(&mut words, generator) {
                failed(format!("{NOT_ASKED}{why}"));
                continue;
            }
            if words != request.words {
                asked.to_mut().words = words;
            }
        }
        match generator.generate(&asked, sink) {
            Err(error) => {
                failed(error.to_string());
                failure.get_or_insert(error);
            }
            Ok(Outcome::Abstained { why }) => {
                failed(why.clone());
                abstained = Some(why);
            }
            Ok(Outcome::Ambiguous { question, options }) => {
                return Ok(Answer::Ambiguous { question, options });
            }
            Ok(Outcome::Candidates { candidates }) => {
                let before = dropped.len();
                let suggestions = accept(candidates, generator.name(), checks, judge, &mut dropped);
                if !suggestions.is_empty() {
                    return Ok(Answer::Suggestions {
                        suggestions,
                        dropped,
                        attempts,
                    });
                }
                let why = dropped.get(before).map_or_else(
                    || "it gave no command".to_owned(),
                    |first| first.why.clone(),
                );
                failed(why.clone());
                abstained = Some(why);
            }
        }
    }
    match (abstained, failure) {
        (Some(why), _) => Ok(Answer::Abstained {
            why,
            dropped,
            attempts,
        }),
        (None, Some(error)) => Err(error),
        (None, None) if !attempts.is_empty() => Ok(Answer::Abstained {
            why: "nobody may be asked".to_owned(),
            dropped,
            attempts,
        }),
        (None, None) => Err(GenerateError::Empty),
    }
}

fn accept<J>(
    candidates: Vec<Candidate>,
    generator: &str,
    checks: &Checks<'_>,
    judge: &dyn Fn(&str) -> Verdict<J>,
    dropped: &mut Vec<Dropped>,
) -> Vec<Suggestion<J>> {
    let mut suggestions: Vec<Suggestion<J>> = Vec::new();
    // Alternatives of forbidden ones queue behind; each is looked at once and has none of its own.
    let mut queue: std::collections::VecDeque<(Candidate, bool)> = candidates
        .into_iter()
        .map(|candidate| (candidate, true))
        .collect();
    while let Some((candidate, original)) = queue.pop_front() {
        let mut drop = |why: String, forbidden: bool| {
            dropped.push(Dropped {
                generator: generator.to_owned(),
                command: candidate.command.clone(),
                why,
                forbidden,
            })
        };
        if candidate.command.trim().is_empty() || candidate.command.chars().any(char::is_control) {
            drop("it is not one line of text".to_owned(), false);
            continue;
        }
        if suggestions
            .iter()
            .any(|other| other.candidate.command == candidate.command)
        {
            continue;
        }
        let parsed = (checks.parse)(&candidate.command);
        if !parsed.complete {
            drop("the command is not complete".to_owned(), false);
            continue;
        }
        if let Some(problem) = parsed.problems.first() {
            drop(format!("the command does not parse: {problem}"), false);
            continue;
        }
        let exists = |program: &String| checks.exists.is_none_or(|exists| exists(program));
        let missing: Vec<String> = parsed
            .programs
            .into_iter()
            .filter(|program| !exists(program))
            .collect();
        let Verdict {
            judgement,
            forbidden,
        } = judge(&candidate.command);
        if let Some(forbidden) = forbidden {
            drop(forbidden.why.clone(), true);
            if let (true, Some(instead)) = (original, forbidden.instead) {
                let other = Candidate {
                    command: instead,
                    explanation: format!("in place of one that is forbidden: {}", forbidden.why),
                    ..candidate
                };
                queue.push_back((other, false));
            }
            continue;
        }
        suggestions.push(Suggestion {
            candidate,
            generator: generator.to_owned(),
            missing,
            judgement,
        });
    }
    suggestions.sort_by_key(|suggestion| {
        (
            !suggestion.missing.is_empty(),
            std::cmp::Reverse(suggestion.candidate.confidence),
        )
    });
    suggestions
}
