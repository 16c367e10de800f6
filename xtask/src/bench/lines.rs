//! The commands that are timed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::fuzz;

/// A command and its shell.
pub(super) struct Line {
    pub(super) command: String,
    shell: Option<String>,
}

impl Line {
    /// The line as a row of batch mode.
    pub(super) fn row(&self) -> Value {
        match &self.shell {
            Some(shell) => json!({"command": self.command, "shell": shell}),
            None => json!({"command": self.command}),
        }
    }
}

/// Lines from one source.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) lines: Vec<Line>,
}

/// Each file as a suite; without any, lines made from the examples of the command knowledge.
pub(super) fn suites(files: &[PathBuf]) -> Result<Vec<Suite>> {
    if files.is_empty() {
        return Ok(vec![own()?]);
    }
    files.iter().map(read).collect()
}

fn read(file: &PathBuf) -> Result<Suite> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut lines = Vec::new();
    for row in text.lines().filter(|line| !line.trim().is_empty()) {
        let row: Value = serde_json::from_str(row)
            .with_context(|| format!("{}: not JSON Lines", file.display()))?;
        let Some(command) = row.get("command").and_then(Value::as_str) else {
            bail!("{}: a row without a \"command\"", file.display());
        };
        lines.push(Line {
            command: command.to_owned(),
            shell: row.get("shell").and_then(Value::as_str).map(str::to_owned),
        });
    }
    let name = file.file_stem().map_or_else(
        || file.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(Suite { name, lines })
}

/// The examples as they are, and joined to longer lines as people write them.
fn own() -> Result<Suite> {
    let examples = fuzz::examples()?;
    let mut commands = examples.clone();
    for (number, (first, second)) in examples
        .iter()
        .zip(examples.iter().cycle().skip(7))
        .enumerate()
    {
        if first.contains('\n') || second.contains('\n') {
            continue;
        }
        commands.push(match number % 8 {
            0 => format!("{first} && {second}"),
            1 => format!("cd src; {first} | grep -v '^#' > out.txt 2>&1"),
            2 => format!("for f in *.txt a{{1..3}}; do {first}; done"),
            3 => format!("if [ -d \"$HOME/x\" ]; then {first}; else {second}; fi"),
            4 => format!("DIR=${{TMPDIR:-/tmp}}/build; mkdir -p \"$DIR\" && {first}"),
            5 => format!("bash -c '{}'", first.replace('\'', "'\\''")),
            6 => format!("sudo timeout 30 {first}"),
            _ => format!("x=$({first}); echo \"$x\" | while read -r line; do {second}; done"),
        });
    }
    let lines = commands
        .into_iter()
        .map(|command| Line {
            command,
            shell: None,
        })
        .collect();
    Ok(Suite {
        name: "generated".to_owned(),
        lines,
    })
}
