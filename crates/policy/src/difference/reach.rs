//! How often a condition can hold, compared without commands.

use super::Direction;
use crate::document::{Target, When};

/// How the set of what fits has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Same,
    Wider,
    Narrower,
    Mixed,
}

impl Reach {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Same, known) | (known, Self::Same) => known,
            (a, b) if a == b => a,
            _ => Self::Mixed,
        }
    }

    /// For something that restricts: reaching further is stricter.
    pub(super) fn direction(self) -> Direction {
        match self {
            Self::Same => Direction::Wording,
            Self::Wider => Direction::Stricter,
            Self::Narrower => Direction::Looser,
            Self::Mixed => Direction::Unclear,
        }
    }
}

/// A list of which one must fit; an empty one fits everything.
fn one_of<T: PartialEq>(was: &[T], is: &[T]) -> Reach {
    match (was.is_empty(), is.is_empty()) {
        (true, true) => Reach::Same,
        (true, false) => Reach::Narrower,
        (false, true) => Reach::Wider,
        (false, false) => sets(was, is),
    }
}

/// A list of which all must fit: what is added narrows.
fn all_of<T: PartialEq>(was: &[T], is: &[T]) -> Reach {
    match sets(was, is) {
        Reach::Wider => Reach::Narrower,
        Reach::Narrower => Reach::Wider,
        other => other,
    }
}

fn sets<T: PartialEq>(was: &[T], is: &[T]) -> Reach {
    let added = is.iter().any(|name| !was.contains(name));
    let removed = was.iter().any(|name| !is.contains(name));
    match (added, removed) {
        (false, false) => Reach::Same,
        (true, false) => Reach::Wider,
        (false, true) => Reach::Narrower,
        (true, true) => Reach::Mixed,
    }
}

/// A condition that may be absent.
fn given<T: PartialEq>(was: Option<&T>, is: Option<&T>) -> Reach {
    match (was, is) {
        (None, Some(_)) => Reach::Narrower,
        (Some(_), None) => Reach::Wider,
        (was, is) if was == is => Reach::Same,
        _ => Reach::Mixed,
    }
}

/// When a rule fires.
pub(super) fn of_condition(was: &When, is: &When) -> Reach {
    let risk = match (was.risk, is.risk) {
        (Some(was), Some(is)) if is < was => Reach::Wider,
        (Some(was), Some(is)) if is > was => Reach::Narrower,
        (was, is) => given(was.as_ref(), is.as_ref()),
    };
    [
        one_of(&was.program, &is.program),
        all_of(&was.args, &is.args),
        one_of(&was.pattern, &is.pattern),
        given(was.regex.as_ref(), is.regex.as_ref()),
        one_of(&was.effect, &is.effect),
        one_of(&was.path, &is.path),
        all_of(&was.not_path, &is.not_path),
        one_of(&was.context, &is.context),
        one_of(&was.target, &is.target),
        one_of(&was.branch, &is.branch),
        given(was.protected_branch.as_ref(), is.protected_branch.as_ref()),
        one_of(&was.account, &is.account),
        one_of(&was.region, &is.region),
        one_of(&was.namespace, &is.namespace),
        one_of(&was.workspace, &is.workspace),
        one_of(&was.remote, &is.remote),
        given(was.terminal.as_ref(), is.terminal.as_ref()),
        one_of(&was.origin, &is.origin),
        one_of(&was.environment, &is.environment),
        one_of(&was.directory, &is.directory),
        one_of(&was.category, &is.category),
        risk,
        given(was.unknown.as_ref(), is.unknown.as_ref()),
        given(was.container.as_ref(), is.container.as_ref()),
        given(was.ci.as_ref(), is.ci.as_ref()),
        given(was.time.as_ref(), is.time.as_ref()),
    ]
    .into_iter()
    .fold(Reach::Same, Reach::and)
}

/// Where something applies.
pub(super) fn of_target(was: &Target, is: &Target) -> Reach {
    [
        one_of(&was.teams, &is.teams),
        one_of(&was.departments, &is.departments),
        one_of(&was.environments, &is.environments),
        one_of(&was.zones, &is.zones),
        one_of(&was.machines, &is.machines),
        one_of(&was.users, &is.users),
        one_of(&was.origins, &is.origins),
        one_of(&was.agents, &is.agents),
        one_of(&was.directories, &is.directories),
    ]
    .into_iter()
    .fold(Reach::Same, Reach::and)
}

/// Both.
pub(super) fn both(a: Reach, b: Reach) -> Reach {
    a.and(b)
}
