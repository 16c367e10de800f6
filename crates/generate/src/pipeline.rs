//! The one way from words to what is shown: ask, parse, look up, judge, rank.

use serde::Serialize;

use crate::chain::{Attempt, Chain};
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
    judge: &dyn Fn(&str) -> J,
    sink: &mut dyn FnMut(&str),
) -> Result<Answer<J>, GenerateError> {
    let mut attempts = Vec::new();
    let mut dropped = Vec::new();
    let mut failure = None;
    let mut abstained: Option<String> = None;
    for generator in chain.iter() {
        let mut failed = |problem: String| {
            attempts.push(Attempt {
                generator: generator.name().to_owned(),
                problem,
            })
        };
        match generator.generate(request, sink) {
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
        (None, None) => Err(GenerateError::Empty),
    }
}

fn accept<J>(
    candidates: Vec<Candidate>,
    generator: &str,
    checks: &Checks<'_>,
    judge: &dyn Fn(&str) -> J,
    dropped: &mut Vec<Dropped>,
) -> Vec<Suggestion<J>> {
    let mut suggestions: Vec<Suggestion<J>> = Vec::new();
    for candidate in candidates {
        let mut drop = |why: String| {
            dropped.push(Dropped {
                generator: generator.to_owned(),
                command: candidate.command.clone(),
                why,
            })
        };
        if candidate.command.trim().is_empty() || candidate.command.chars().any(char::is_control) {
            drop("it is not one line of text".to_owned());
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
            drop("the command is not complete".to_owned());
            continue;
        }
        if let Some(problem) = parsed.problems.first() {
            drop(format!("the command does not parse: {problem}"));
            continue;
        }
        let exists = |program: &String| checks.exists.is_none_or(|exists| exists(program));
        let missing: Vec<String> = parsed
            .programs
            .into_iter()
            .filter(|program| !exists(program))
            .collect();
        let judgement = judge(&candidate.command);
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
