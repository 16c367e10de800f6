//! Releases: signing, rings, export, and a repository as the place where policy is written.

mod arguments;
mod keys;
mod repository;
mod review;
mod rollout;
mod signing;

pub(crate) use arguments::{KeysTask, RolloutTask};
pub(crate) use keys::keys;
pub(crate) use repository::{apply, plan};
pub(crate) use review::{awaits_review, review, simulate};
pub(crate) use rollout::rollout;
pub(crate) use signing::{approvers, draft, drop_draft, export, sign, submit};

use anyhow::Result;
use cmdai_policy::{Change, difference, parse};

/// What changes from one document to the other, loosenings first.
pub(crate) fn changes(was: &str, is: &str) -> Result<Vec<Change>> {
    let read = |text: &str, name: &str| {
        // What was in force before the first policy is nothing.
        let text = if text.is_empty() {
            "version: \"1.0\"\n"
        } else {
            text
        };
        parse(text, name).map_err(|errors| anyhow::anyhow!("{name}: {errors}"))
    };
    Ok(difference(&read(was, "in force")?, &read(is, "new")?))
}

/// Prints changes; deletions and loosenings are named as such.
pub(crate) fn print_changes(changes: &[Change]) {
    let safe = |text: &Option<String>| text.as_deref().map(cmdai_gate::escape);
    for change in changes {
        let words = match (safe(&change.was), safe(&change.is)) {
            (Some(was), Some(is)) => format!("{was} → {is}"),
            (None, Some(is)) => format!("new: {is}"),
            (Some(was), None) => format!("gone: {was}"),
            (None, None) => String::new(),
        };
        anstream::println!(
            "  {:<9} {}  {words}",
            change.direction.as_str(),
            cmdai_gate::escape(&change.subject)
        );
    }
    if changes.is_empty() {
        anstream::println!("  nothing changes");
    }
}
