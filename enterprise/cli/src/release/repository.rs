//! A git repository as the place where the policy is written: `plan` shows what would change,
//! `apply` publishes it in one step, and the console says where it comes from.
//!
//! The repository holds `policy.yaml` and, where releases spread by rings, `rollout.yaml`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cmdai_api::console::{PolicyCheck, PolicyPublish, PolicySource, PolicyView};

use super::{changes, print_changes};
use crate::account::client;
use crate::arguments::At;

/// What stands in the repository.
struct Written {
    policy: String,
    rollout: Option<String>,
    place: String,
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let done = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.fsmonitor=false"])
        .args(arguments)
        .output()
        .context("git cannot be started")?;
    ensure!(
        done.status.success(),
        "git {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&done.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Reads the committed state: what is not committed is not part of it.
fn read(folder: &Path) -> Result<Written> {
    let commit = git(folder, &["rev-parse", "--verify", "HEAD"])?;
    let dirty = git(
        folder,
        &["status", "--porcelain", "--", "policy.yaml", "rollout.yaml"],
    )?;
    ensure!(
        dirty.trim().is_empty(),
        "there are changes that are not committed:\n{dirty}"
    );
    let policy = git(folder, &["show", "HEAD:policy.yaml"])?;
    let listed = git(folder, &["ls-tree", "--name-only", "HEAD", "rollout.yaml"])?;
    let rollout = if listed.trim().is_empty() {
        None
    } else {
        Some(git(folder, &["show", "HEAD:rollout.yaml"])?)
    };
    let name = git(folder, &["config", "--get", "remote.origin.url"]).unwrap_or_else(|_| {
        std::path::absolute(folder)
            .unwrap_or_else(|_| folder.to_owned())
            .display()
            .to_string()
    });
    // A password in the address stays at home.
    let name = name.trim();
    let name = match (name.split_once("://"), name.rsplit_once('@')) {
        (Some((kind, _)), Some((_, host))) => format!("{kind}://{host}"),
        _ => name.to_owned(),
    };
    let commit = commit.trim();
    Ok(Written {
        policy,
        rollout,
        place: format!("{name}@{}", commit.get(..12).unwrap_or(commit)),
    })
}

/// Shows what `apply` would do. True where something would change.
pub(crate) async fn plan(at: &At, folder: &Path) -> Result<()> {
    let written = read(folder)?;
    let view: PolicyView = client(at)?.get("policy", &[]).await?;
    show(at, &written, &view).await?;
    Ok(())
}

async fn show(at: &At, written: &Written, view: &PolicyView) -> Result<bool> {
    anstream::println!(
        "{} against release {}:",
        cmdai_gate::escape(&written.place),
        view.version
    );
    print_changes(&changes(&view.source, &written.policy)?);
    let plan = written.rollout.as_deref().unwrap_or("");
    let other_plan = plan.trim() != view.plan.trim();
    if other_plan {
        anstream::println!("  the plan of rollouts changes");
    }
    let body = PolicySource {
        source: written.policy.clone(),
    };
    let check: PolicyCheck = client(at)?.post("policy/check", &body).await?;
    for found in &check.diagnostics {
        anstream::println!(
            "  policy.yaml:{}:{} {}  {}",
            found.line,
            found.column,
            found.severity,
            cmdai_gate::escape(&found.message)
        );
    }
    for test in check.tests.iter().filter(|test| !test.passed) {
        anstream::println!(
            "  test failed: {}: expected {}, found {}",
            cmdai_gate::escape(&test.command),
            test.expected,
            test.found
        );
    }
    ensure!(check.valid, "this cannot be applied");
    Ok(other_plan || written.policy != view.source)
}

/// Publishes what stands in the repository: all of it or nothing.
pub(crate) async fn apply(at: &At, folder: &Path, note: Option<String>, yes: bool) -> Result<()> {
    let written = read(folder)?;
    let client = client(at)?;
    let view: PolicyView = client.get("policy", &[]).await?;
    let changed = show(at, &written, &view).await?;
    if !changed && view.managed_by.as_deref() == Some(written.place.as_str()) {
        anstream::println!("nothing to do");
        return Ok(());
    }
    if !yes {
        bail!("look at it, then say --yes");
    }
    let note = match note {
        Some(note) => note,
        None => git(folder, &["log", "-1", "--format=%s"])?
            .trim()
            .to_owned(),
    };
    let body = PolicyPublish {
        source: written.policy,
        base_version: view.version,
        note: note.chars().take(500).collect(),
        password: crate::plane::password()?,
        rollout: Some(written.rollout.unwrap_or_default()),
        managed_by: Some(written.place),
    };
    let view: PolicyView = client.post("policy", &body).await?;
    super::rollout::print(&view);
    Ok(())
}
