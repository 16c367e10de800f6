//! What changes between two documents, in the words of the policy: looser, stricter, or not to be
//! told without looking at commands.
//!
//! Entries are compared by what they are about (a rule's id, a tool's name), not by their place in
//! the text. A changed rule is compared twice: by what follows when it fires, and by how often it
//! can fire. What both say the same about has a direction; the rest is unclear, and a simulation
//! over recorded commands tells.

mod reach;
mod rules;
mod settings;

use serde::Serialize;

use crate::PolicySet;
use crate::document::Document;
use crate::include::with_includes;

/// Which way a change goes. Sorted by what a reviewer has to see first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Something is stopped, asked about or recorded less than before.
    Looser,
    /// Both, or not to be told from the documents.
    Unclear,
    /// Something is stopped, asked about or recorded more than before.
    Stricter,
    /// Only words, owners and tests.
    Wording,
}

impl Direction {
    /// The word on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Looser => "looser",
            Self::Unclear => "unclear",
            Self::Stricter => "stricter",
            Self::Wording => "wording",
        }
    }

    /// Both together.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Wording, known) | (known, Self::Wording) => known,
            (a, b) if a == b => a,
            _ => Self::Unclear,
        }
    }

    /// More of `a` than before is stricter.
    fn of<T: Ord>(was: &T, is: &T) -> Self {
        match is.cmp(was) {
            std::cmp::Ordering::Greater => Self::Stricter,
            std::cmp::Ordering::Less => Self::Looser,
            std::cmp::Ordering::Equal => Self::Wording,
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which way it goes.
    pub direction: Direction,
    /// What it is about, such as `rule net.pipe-to-shell` or `tool kubectl: versions`.
    pub subject: String,
    /// What held before, in a few words; absent where there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// What holds now; absent where there is nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// Line in the new document, from 1; in the old one for what is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// Every change from `old` to `new`, loosenings first. Empty where both say the same.
pub fn difference(old: &PolicySet, new: &PolicySet) -> Vec<Change> {
    let (was, is) = (with_includes(&old.document), with_includes(&new.document));
    let mut changes = Changes::default();
    settings::compare(&was, &is, &mut changes);
    rules::compare(&was, &is, &mut changes);
    changes.sorted()
}

/// Collects changes.
#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn push(
        &mut self,
        direction: Direction,
        subject: impl Into<String>,
        was: Option<String>,
        is: Option<String>,
        line: Option<u32>,
    ) {
        self.0.push(Change {
            direction,
            subject: subject.into(),
            was,
            is,
            line: line.filter(|line| *line > 0),
        });
    }

    /// A list of names of which each added one counts as `added`, each removed one as its opposite.
    fn names<T: PartialEq + ToString>(
        &mut self,
        subject: &str,
        was: &[T],
        is: &[T],
        added: Direction,
    ) {
        let removed = opposite(added);
        for name in is.iter().filter(|name| !was.contains(name)) {
            self.push(added, subject, None, Some(name.to_string()), None);
        }
        for name in was.iter().filter(|name| !is.contains(name)) {
            self.push(removed, subject, Some(name.to_string()), None, None);
        }
    }

    fn sorted(mut self) -> Vec<Change> {
        self.0
            .sort_by(|a, b| (a.direction, &a.subject).cmp(&(b.direction, &b.subject)));
        self.0
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Looser => Direction::Stricter,
        Direction::Stricter => Direction::Looser,
        other => other,
    }
}

/// The tolerance that turns risks into decisions.
fn tolerance(document: &Document) -> crate::document::Tolerance {
    document
        .safety
        .risk_tolerance
        .unwrap_or(crate::document::Tolerance::Medium)
}
