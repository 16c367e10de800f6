//! Looking at the release that waits, and agreeing to it: what somebody other than its author does
//! where the policy in force says `approvals.review_releases`.
//!
//! What is agreed to is named by the digest of what was shown, so that a draft that took its place in
//! between is not agreed to unseen.

use std::path::Path;

use anyhow::{Result, anyhow, ensure};
use cmdai_api::console::{
    Impact, ImpactCommand, PolicyDraft, PolicyImpact, PolicySource, PolicyView, ReleaseReview,
};
use cmdai_bundle::Draft;

use super::keys::read;
use super::signing::{fetch, show};
use crate::account::client;
use crate::arguments::{At, Format};

/// Shortest beginning of a digest that names a draft.
const SHORTEST: usize = 12;

/// One line for the author.
pub(crate) fn awaits_review(draft: &PolicyDraft) -> String {
    format!(
        "release {} by {} waits for somebody else to look at it: `cmdai-enterprise policy review`",
        draft.release,
        cmdai_gate::escape(&draft.by)
    )
}

/// The report in a draft, where it has one that can be read.
pub(super) fn impact_of(draft: &Draft) -> Option<Impact> {
    serde_json::from_str(draft.impact()?).ok()
}

/// What it would have changed; with the changes of the document where nothing else printed them.
pub(super) fn print_impact(impact: &Impact, with_changes: bool) {
    if with_changes {
        anstream::println!("changes against release {}:", impact.against);
        for change in &impact.changes {
            let safe = |text: &Option<String>| {
                text.as_deref()
                    .map_or_else(|| "nothing".to_owned(), cmdai_gate::escape)
            };
            anstream::println!(
                "  {:<9} {}  {} → {}",
                cmdai_gate::escape(&change.direction),
                cmdai_gate::escape(&change.subject),
                safe(&change.was),
                safe(&change.is)
            );
        }
        match (impact.changes.len(), impact.more_changes) {
            (0, _) => anstream::println!("  nothing changes"),
            (_, 0) => {}
            (_, more) => anstream::println!("  and {more} more"),
        }
    }
    anstream::println!(
        "of {} commands of {} days{}: {} decided more strictly, {} less; {} people interrupted more, {} less",
        impact.commands,
        impact.days,
        if impact.bounded {
            " (the newest; there were more)"
        } else {
            ""
        },
        impact.stricter,
        impact.looser,
        impact.people_more,
        impact.people_less
    );
    for rule in &impact.rules {
        anstream::println!(
            "  {:<40} {} → {}",
            cmdai_gate::escape(&rule.name),
            rule.old,
            rule.new
        );
    }
}

fn print_commands(commands: &[ImpactCommand]) {
    for command in commands {
        anstream::println!(
            "  {:>6}x {} → {}  {}",
            command.count,
            command.old,
            command.new,
            cmdai_gate::escape(&command.text)
        );
    }
}

/// What a document would change against the policy in force.
pub(crate) async fn simulate(
    at: &At,
    file: &Path,
    format: Format,
    fail_on_change: bool,
) -> Result<()> {
    let source = read(file)?;
    let found: PolicyImpact = client(at)?
        .post("policy/impact", &PolicySource { source })
        .await?;
    match format {
        Format::Json => anstream::println!("{}", serde_json::to_string(&found)?),
        Format::Human => {
            print_impact(&found.impact, true);
            print_commands(&found.commands);
        }
    }
    let changed = found.impact.stricter + found.impact.looser;
    ensure!(
        !fail_on_change || changed == 0,
        "{changed} commands would be decided differently"
    );
    Ok(())
}

/// Shows the draft; with `said` (it may go out or not, and the digest of what was looked at) decides.
pub(crate) async fn review(at: &At, said: Option<(bool, String)>, note: String) -> Result<()> {
    let draft = fetch(at, None).await?;
    let digest = draft.digest().map_err(|error| anyhow!(error))?;
    let Some((approve, wanted)) = said else {
        show(&draft)?;
        let view: PolicyView = client(at)?.get("policy", &[]).await?;
        let waiting = view.draft.filter(|waiting| waiting.digest == digest);
        print_commands(waiting.as_ref().map_or(&[], |waiting| &waiting.commands));
        anstream::println!("digest {digest}");
        match waiting.as_ref() {
            Some(waiting) if waiting.awaits_review => anstream::println!(
                "it waits for somebody other than {}: `cmdai-enterprise policy review --agree {} --note …`, or `--send-back`",
                cmdai_gate::escape(&waiting.by),
                digest.get(..SHORTEST).unwrap_or(&digest)
            ),
            Some(waiting) if !waiting.reviewed_by.is_empty() => {
                anstream::println!(
                    "{} has looked at it",
                    cmdai_gate::escape(&waiting.reviewed_by)
                );
            }
            _ => anstream::println!("it waits for no review"),
        }
        return Ok(());
    };
    ensure!(
        wanted.len() >= SHORTEST,
        "name at least {SHORTEST} characters of the digest"
    );
    ensure!(
        digest.starts_with(&wanted),
        "another draft waits now ({}); look again: `cmdai-enterprise policy review`",
        digest.get(..SHORTEST).unwrap_or(&digest)
    );
    let body = ReleaseReview {
        digest,
        approve,
        note,
        password: crate::plane::password()?,
    };
    let view: PolicyView = client(at)?.post("policy/draft/review", &body).await?;
    anstream::println!(
        "{}",
        match (&view.draft, approve) {
            (_, false) => format!("release {} is sent back", draft.release),
            (Some(_), _) => format!("release {} may be signed now", draft.release),
            (None, _) => format!("release {} is published", draft.release),
        }
    );
    Ok(())
}
