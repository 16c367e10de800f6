//! What is wrong with a policy document, where, and how to mend it.

use serde::Serialize;

/// How much a complaint weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The document is used; something in it is probably not meant.
    Warning,
    /// The document is refused as a whole.
    Error,
}

/// One complaint with its place. Lines and columns count from 1; 0 where there is no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", self.line_text())]
pub struct PolicyError {
    /// File name as given to [`crate::parse`].
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Stable name of the kind of complaint, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Error or warning.
    pub severity: Severity,
}

impl PolicyError {
    fn line_text(&self) -> String {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let help = self
            .help
            .as_ref()
            .map(|help| format!("; {help}"))
            .unwrap_or_default();
        format!(
            "{}:{}:{} {word}[{}] {}{help}",
            self.file, self.line, self.column, self.code, self.message
        )
    }
}

/// Every complaint about one document, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyErrors(pub Vec<PolicyError>);

impl PolicyErrors {
    /// True where the document is for newer engines than this one, by its `min_engine`.
    pub fn is_for_newer_engine(&self) -> bool {
        self.0.iter().any(|error| error.code == ENGINE_TOO_OLD)
    }
}

/// [`PolicyError::code`] of a document for newer engines.
pub(crate) const ENGINE_TOO_OLD: &str = "engine-too-old";

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pos {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Collects complaints while a document is read.
pub(crate) struct Problems {
    file: String,
    pub(crate) list: Vec<PolicyError>,
}

impl Problems {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            list: Vec::new(),
        }
    }

    pub(crate) fn error(
        &mut self,
        at: Pos,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(at, code, message.into(), help, Severity::Error);
    }

    pub(crate) fn warn(
        &mut self,
        at: Pos,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(at, code, message.into(), help, Severity::Warning);
    }

    fn push(
        &mut self,
        at: Pos,
        code: &'static str,
        message: String,
        help: Option<String>,
        severity: Severity,
    ) {
        let file = self.file.clone();
        self.list.push(PolicyError {
            file,
            line: at.line,
            column: at.column,
            code,
            message,
            help,
            severity,
        });
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.list
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// The complaints in the order of the text.
    pub(crate) fn sorted(mut self) -> Vec<PolicyError> {
        self.list
            .sort_by_key(|problem| (problem.line, problem.column));
        self.list
    }
}

/// `did you mean …?` for the nearest of the known words, if one is near.
pub(crate) fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, candidate)| *far <= limit && *far < candidate.len())
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// Edits (insert, remove, replace, swap of neighbours) between two words.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&last, j + 1) + 1)
                .min(at(&row, j) + 1)
                .min(at(&last, j) + usize::from(ca != cb));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let keys = ["pattern", "reason", "owner"];
        assert_eq!(
            suggest("patern", keys),
            Some("did you mean `pattern`?".to_owned())
        );
        assert_eq!(
            suggest("resaon", keys),
            Some("did you mean `reason`?".to_owned())
        );
        assert_eq!(suggest("quarantine", keys), None);
    }
}
