//! Regular expressions over the text, compiled once into size-capped automata.
//!
//! They see bytes: `.`, `\w` and `\b` mean ASCII, so that an automaton stays small and a search
//! never gives up half-way.

use regex_automata::dfa::{Automaton, dense, sparse};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

/// Largest automaton of one expression, in bytes.
const MAX_SIZE: usize = 256 * 1024;

/// Compiles an expression to the bytes that a snapshot carries.
///
/// # Errors
/// A sentence that says what is wrong, and what to do.
pub(crate) fn compile(pattern: &str) -> Result<Vec<u8>, (String, String)> {
    let built = dense::Builder::new()
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::LeftmostFirst)
                .dfa_size_limit(Some(MAX_SIZE))
                .determinize_size_limit(Some(4 * MAX_SIZE)),
        )
        .syntax(
            syntax::Config::new()
                .unicode(false)
                .utf8(false)
                .nest_limit(64),
        )
        .thompson(
            thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(4 * MAX_SIZE)),
        )
        .build(pattern);
    match built {
        Ok(dense) => match dense.to_sparse() {
            Ok(sparse) => Ok(sparse.to_bytes_little_endian()),
            Err(error) => Err((
                format!("expression cannot be compiled: {error}"),
                "make it smaller".to_owned(),
            )),
        },
        Err(error)
            if error.is_size_limit_exceeded()
                || causes(&error).any(|text| {
                    text.contains("size limit")
                        || text.contains("exceeds the limit")
                        || text.contains("exceeded")
                }) =>
        {
            let help = "use fewer counted repetitions, or a `pattern:`".to_owned();
            Err((
                format!(
                    "expression is too large: its automaton passes {} KiB",
                    MAX_SIZE / 1024
                ),
                help,
            ))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string);
            let line = cause
                .lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or("")
                .trim();
            Err((
                format!("expression cannot be read: {line}"),
                "look-around and back references are not supported".to_owned(),
            ))
        }
    }
}

/// The error and what caused it, as texts.
fn causes(error: &dyn std::error::Error) -> impl Iterator<Item = String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string)
}

/// A loaded automaton.
#[derive(Debug, Clone)]
pub(crate) struct Matcher(Option<sparse::DFA<Vec<u8>>>);

impl Matcher {
    /// Loads what [`compile`] made. Damaged bytes give a matcher that always matches, because
    /// what cannot be judged must not pass; the snapshot's checksum makes that unreachable.
    pub(crate) fn load(bytes: &[u8]) -> Self {
        Self(
            sparse::DFA::from_bytes(bytes)
                .ok()
                .map(|(dfa, _)| dfa.to_owned()),
        )
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        let Some(dfa) = &self.0 else { return true };
        !matches!(
            dfa.try_search_fwd(&Input::new(text.as_bytes()).earliest(true)),
            Ok(None)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiles_loads_and_matches() {
        let matcher = Matcher::load(&compile(r"(?i)drop\s+table\b").unwrap());
        assert!(matcher.is_match("psql -c 'DROP  TABLE users'"));
        assert!(!matcher.is_match("psql -c 'select 1'"));
    }

    #[test]
    fn refuses_what_is_too_large_or_wrong() {
        assert!(
            compile("(a{1,200}){1,200}")
                .unwrap_err()
                .0
                .contains("too large")
        );
        assert!(compile("a(").unwrap_err().0.contains("cannot be read"));
    }
}
