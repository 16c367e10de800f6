//! How a release spreads, and steering it.

use anyhow::{Result, anyhow};
use cmdai_api::console::{PolicyView, RolloutChange};
use cmdai_bundle::simulate::Simulation;

use super::arguments::RolloutTask;
use super::keys::read;
use crate::account::client;
use crate::arguments::At;

/// `cmdai-enterprise policy rollout …`
pub(crate) async fn rollout(at: &At, task: RolloutTask) -> Result<()> {
    let (action, reason) = match task {
        RolloutTask::Show => {
            let view: PolicyView = client(at)?.get("policy", &[]).await?;
            print(&view);
            return Ok(());
        }
        RolloutTask::Simulate { script } => {
            let mut simulation = Simulation::default();
            for line in read(&script)?
                .lines()
                .filter(|line| !line.starts_with("  = "))
            {
                anstream::println!("{line}");
                let said = if line.starts_with('#') {
                    Vec::new()
                } else {
                    simulation
                        .play(line)
                        .map_err(|error| anyhow!("{line}: {error}"))?
                };
                for change in said {
                    anstream::println!("  = {change}");
                }
            }
            return Ok(());
        }
        RolloutTask::Halt { reason } => ("halt", reason),
        RolloutTask::Continue { reason } => ("continue", reason),
        RolloutTask::Rollback { reason } => ("rollback", reason),
        RolloutTask::Unmanage { reason } => ("unmanage", reason),
    };
    let body = RolloutChange {
        action: action.to_owned(),
        reason,
        password: crate::plane::password()?,
    };
    let view: PolicyView = client(at)?.post("policy/rollout", &body).await?;
    print(&view);
    Ok(())
}

/// The state of releases in a few lines.
pub(crate) fn print(view: &PolicyView) {
    let signs = if view.signing == "people" {
        "people (the server cannot)"
    } else {
        "the server (it holds every key)"
    };
    anstream::println!("signed by {signs}");
    if let Some(place) = &view.managed_by {
        anstream::println!("managed by {}", cmdai_gate::escape(place));
    }
    if let Some(draft) = view.draft.as_ref().filter(|draft| draft.awaits_review) {
        anstream::println!("{}", super::awaits_review(draft));
    } else if let Some(draft) = &view.draft {
        anstream::println!(
            "release {} waits for signatures: {} of {} ({})",
            draft.release,
            draft.signed_by.len(),
            draft.needed,
            draft.signed_by.join(", ")
        );
    }
    let Some(rollout) = &view.rollout else {
        anstream::println!("nothing is published yet");
        return;
    };
    anstream::println!(
        "release {} is {} {}",
        rollout.release,
        rollout.phase,
        cmdai_gate::escape(&rollout.reason)
    );
    for ring in &rollout.rings {
        anstream::println!(
            "  {:<16} {:<8} {:>5} of {:<5} have it, {} offered, {} problems, {} silent  ({})",
            cmdai_gate::escape(&ring.name),
            ring.state,
            ring.current,
            ring.members,
            ring.offered,
            ring.problems,
            ring.silent,
            cmdai_gate::escape(&ring.takes)
        );
    }
    for figure in &rollout.gate {
        anstream::println!(
            "  {}: {} (halts above {}) {}",
            figure.title,
            figure.value,
            figure.limit,
            figure.note
        );
    }
    if rollout.away > 0 {
        anstream::println!("  {} machines are away and join later", rollout.away);
    }
    if let Some(back) = rollout.rollback_to {
        anstream::println!("a rollback brings back release {back}");
    }
}
