//! `cargo xtask bench simulate`: how long judging a recorded history under two policies takes.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::{lines, process};
use crate::step;

/// Seconds that a million commands may take on two cores.
const BAR: f64 = 60.0;

#[derive(Args)]
pub(super) struct Options {
    /// Recorded commands
    #[arg(long, default_value_t = 1_000_000)]
    commands: u64,
    /// Time this `cmdai` instead of building one in release
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let binary = process::product(options.binary.as_deref())?;
    let folder = step::target().join("tmp/bench-simulate");
    fs::create_dir_all(&folder)?;
    let history = folder.join("history.c1");
    write_history(&history, options.commands)?;
    let old = folder.join("old.yaml");
    fs::write(&old, "version: \"1.0\"\n")?;

    let started = Instant::now();
    let output = std::process::Command::new(&binary)
        .args(["policy", "simulate", "--format", "json", "--policy"])
        .arg(step::root().join("docs/examples/acme.yaml"))
        .arg("--old")
        .arg(&old)
        .arg("--history")
        .arg(&history)
        .output()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    let seconds = started.elapsed().as_secs_f64();
    let size = fs::metadata(&history)?.len();
    fs::remove_file(&history)?;
    if !output.status.success() {
        bail!(
            "simulate failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let number = |key: &str| report.get(key).and_then(Value::as_u64).unwrap_or(0);
    if number("commands") != options.commands {
        bail!(
            "{} of {} commands were judged",
            number("commands"),
            options.commands
        );
    }
    let allowed = BAR * options.commands as f64 / 1_000_000.0;
    println!(
        "{} commands ({} MiB), {} judged more strictly: {seconds:.1} s, {:.0} a second; the bar is {allowed:.0} s on two cores",
        options.commands,
        size / (1024 * 1024),
        number("stricter"),
        options.commands as f64 / seconds,
    );
    Ok(())
}

/// A history as the recorder writes it: half of it a few everyday commands, the rest lines of the
/// command knowledge, one in five with a text of its own.
fn write_history(path: &Path, commands: u64) -> Result<()> {
    const EVERYDAY: &[&str] = &[
        "ls -la",
        "git status",
        "git diff",
        "cd src",
        "cargo test",
        "make -j4",
        "git commit -m 'next'",
        "git push origin topic",
        "kubectl get pods",
        "grep -rn foo src",
        "cat README.md",
        "rm -rf target",
    ];
    let suites = lines::suites(&[])?;
    let pool: Vec<&str> = suites
        .iter()
        .flat_map(|suite| &suite.lines)
        .map(|line| line.command.as_str())
        .collect();
    let pick = |list: &[&str], number: u64| {
        let at = usize::try_from(number % list.len().max(1) as u64).unwrap_or(0);
        list.get(at)
            .map_or_else(String::new, |text| (*text).to_owned())
    };
    let mut out = BufWriter::new(fs::File::create(path)?);
    for number in 0..commands {
        // Mixes the order, the same in every run.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17;
        let mut text = if mixed % 2 == 0 {
            pick(EVERYDAY, mixed / 2)
        } else {
            pick(&pool, mixed / 2)
        };
        if number % 5 == 0 {
            text.push_str(&format!(" && cat notes-{number}.txt"));
        }
        let user = pick(&["ann", "bob", "cy", "dee"], mixed / 3);
        let record = json!({
            "session_id": "s1", "counter": number + 1, "time_ms": 1_767_225_600_000 + number * 1000,
            "mono_ns": 5, "pid": 42, "user": user, "half": "start", "command_id": format!("c{number}"),
            "text": text, "digest": "v1:sha256:00", "shell": "bash",
            "cwd": format!("/home/{user}/project"), "programs": [], "effects": [],
            "source": "manual", "layer": "shell", "allowed": true,
            "policy": {
                "decision": "allow", "reason": "", "violated_rules": [], "risk_level": "safe",
                "certainty": "proven", "policy_id": "acme", "policy_version": "1",
                "snapshot_digest": "sha256:00", "engine_version": "0.1.0", "micros": 20,
            },
            "origin": { "kind": "human", "confidence": 0, "evidence": [] },
        })
        .to_string();
        let sum = crc32fast::hash(record.as_bytes());
        writeln!(out, "C1 {sum:08x} {record}")?;
    }
    Ok(())
}
