//! `cmdai policy diff`: what becomes looser and what stricter.

use std::path::Path;

use cmdai_gate::escape;
use cmdai_policy::{Change, Direction};

use crate::arguments::Format;
use crate::failure::Failure;
use crate::screen;

/// Prints the changes from one document to another. Exit status 1 where `fail_on_looser` is set
/// and something is, or may be, looser.
pub(super) fn diff(
    old: &Path,
    new: &Path,
    format: Format,
    fail_on_looser: bool,
) -> Result<u8, Failure> {
    let (_, was) = super::parsed(Some(old))?;
    let (_, is) = super::parsed(Some(new))?;
    let changes = cmdai_policy::difference(&was, &is);
    match format {
        Format::Json => anstream::println!("{}", serde_json::json!(changes)),
        Format::Human => human(&changes),
    }
    let looser = changes
        .iter()
        .any(|change| matches!(change.direction, Direction::Looser | Direction::Unclear));
    Ok(u8::from(fail_on_looser && looser))
}

fn human(changes: &[Change]) {
    for change in changes {
        let line = change
            .line
            .map_or_else(String::new, |line| screen::dim(&format!("  line {line}")));
        anstream::println!(
            "{} {}{line}",
            direction(change.direction),
            screen::bold(&escape(&change.subject))
        );
        let (was, is) = (change.was.as_deref(), change.is.as_deref());
        let words = match (was, is) {
            (Some(was), Some(is)) => format!("{} → {}", escape(was), escape(is)),
            (None, Some(is)) => format!("new: {}", escape(is)),
            (Some(was), None) => format!("gone: {}", escape(was)),
            (None, None) => continue,
        };
        anstream::println!("          {words}");
    }
    let count = |direction| {
        changes
            .iter()
            .filter(|change| change.direction == direction)
            .count()
    };
    if changes.is_empty() {
        anstream::println!("both say the same");
        return;
    }
    anstream::println!(
        "{} looser, {} stricter, {} unclear, {} in words only",
        count(Direction::Looser),
        count(Direction::Stricter),
        count(Direction::Unclear),
        count(Direction::Wording)
    );
    if count(Direction::Unclear) > 0 {
        anstream::println!("what is unclear shows on commands: cmdai policy simulate");
    }
}

fn direction(direction: Direction) -> String {
    let word = format!("{:<9}", direction.as_str());
    match direction {
        Direction::Looser | Direction::Unclear => screen::bold(&word),
        Direction::Stricter | Direction::Wording => word,
    }
}
