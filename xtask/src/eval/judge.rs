//! The shipped binary answers for a whole suite in one process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::corpus::Suite;
use crate::step;

/// The part of a judgement that is scored.
#[derive(Deserialize)]
pub(crate) struct Answer {
    id: String,
    pub(crate) decision: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) effects: Vec<serde_json::Value>,
    pub(crate) unknown: bool,
    pub(crate) micros: u64,
}

/// A rule that fired.
#[derive(Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
}

impl Answer {
    /// Confirm or stricter.
    pub(crate) fn interrupted(&self) -> bool {
        !matches!(self.decision.as_str(), "allow" | "warn")
    }
    /// Denied outright.
    pub(crate) fn denied(&self) -> bool {
        self.decision == "deny"
    }
}

/// Builds `cmdai` and says where it is.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    let mut arguments = vec!["build", "--quiet", "--package", "cmdai-cli"];
    if release {
        arguments.push("--release");
    }
    let status = step::command("", "cargo", &arguments).status()?;
    ensure!(status.success(), "cmdai does not build");
    let profile = if release { "release" } else { "debug" };
    Ok(step::target().join(profile).join("cmdai"))
}

/// Judges a suite; one answer for each row, in order.
pub(crate) fn batch(binary: &Path, policy: Option<&Path>, suite: &Suite) -> Result<Vec<Answer>> {
    let mut command = Command::new(binary);
    command.args(["check", "--batch"]);
    if let Some(policy) = policy {
        command.arg("--policy").arg(policy);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let mut input = child.stdin.take().context("no standard input")?;
    let output = child.stdout.take().context("no standard output")?;
    let answers = std::thread::scope(|scope| {
        let writer = scope.spawn(move || -> std::io::Result<()> {
            for row in &suite.rows {
                let mut line = serde_json::json!({ "id": row.id, "command": row.command });
                for (name, given) in [
                    ("shell", &row.shell),
                    ("cwd", &row.cwd),
                    ("home", &row.home),
                ] {
                    if let (Some(given), Some(line)) = (given, line.as_object_mut()) {
                        line.insert(name.to_owned(), given.clone().into());
                    }
                }
                writeln!(input, "{line}")?;
            }
            Ok(())
        });
        let mut answers = Vec::with_capacity(suite.rows.len());
        for line in BufReader::new(output).lines() {
            let answer: Answer = serde_json::from_str(&line?).context("not an answer")?;
            answers.push(answer);
        }
        // A writer that stopped early shows as missing answers below.
        let _ = writer.join();
        anyhow::Ok(answers)
    })?;
    let status = child.wait()?;
    if answers.len() != suite.rows.len() {
        bail!(
            "{}: {} of {} rows were answered ({status}); the next is `{}`",
            suite.name,
            answers.len(),
            suite.rows.len(),
            suite
                .rows
                .get(answers.len())
                .map_or("", |row| row.id.as_str())
        );
    }
    for (row, answer) in suite.rows.iter().zip(&answers) {
        ensure!(
            row.id == answer.id,
            "{}: answers are out of order",
            suite.name
        );
    }
    Ok(answers)
}
