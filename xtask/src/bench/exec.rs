//! `cargo xtask bench exec`: what a start of a program costs in a supervised tree.
//!
//! One starter, this program itself, starts `/bin/true` over and over and times each start from call
//! to end. It runs bare, in a tree, with another process before each start (what a guard that is a
//! program of its own costs at least), and under `strace` where that is installed. The ways take turns
//! in rounds, so that a busy moment hits all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use super::process;

const PROGRAM: &str = "/bin/true";

#[derive(Args)]
pub(super) struct Options {
    /// Starts for each way
    #[arg(long, default_value_t = 3_000)]
    starts: usize,
    /// Turns that the ways take
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Time this `cmdai` instead of building one in release
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
    /// Start the program so often and print the times (what the measuring does inside)
    #[arg(long, hide = true)]
    starter: Option<usize>,
    /// With `starter`: start another process before each
    #[arg(long, hide = true)]
    twice: bool,
}

pub(super) fn run(options: &Options) -> Result<()> {
    if let Some(count) = options.starter {
        return starter(count, options.twice);
    }
    let binary = process::product(options.binary.as_deref())?;
    let binary = binary.canonicalize().context("there is no such cmdai")?;
    let home = super::process::home()?;
    let ways = ways(&binary)?;
    let each = (options.starts / options.rounds.max(1)).max(1);
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..options.rounds {
        for (name, words) in &ways {
            times
                .entry(name)
                .or_default()
                .extend(measure(words, each, &home)?);
        }
    }
    let rows: Vec<Value> = ways
        .iter()
        .map(|(name, _)| row(name, times.entry(name).or_default()))
        .collect();
    let report = json!({
        "what": "start to end of /bin/true, wall time, microseconds; all ways in turn",
        "starts": each * options.rounds,
        "ways": rows,
    });
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&rows);
    }
    Ok(())
}

/// The ways, each as the words before the starter's own.
fn ways(binary: &Path) -> Result<Vec<(&'static str, Vec<String>)>> {
    let own = std::env::current_exe()?.display().to_string();
    let starter = |before: &[&str], after: &[&str]| -> Vec<String> {
        let words = before
            .iter()
            .copied()
            .chain([own.as_str(), "bench", "exec"]);
        words
            .chain(after.iter().copied())
            .map(str::to_owned)
            .collect()
    };
    let binary = binary.display().to_string();
    let mut ways = vec![
        ("bare", starter(&[], &[])),
        ("supervised tree", starter(&[&binary, "run", "--"], &[])),
        ("a process before each", starter(&[], &["--twice"])),
    ];
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "--seccomp-bpf",
        "-e",
        "trace=execve",
    ];
    let installed = Command::new("strace")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if installed {
        ways.push(("strace of starts", starter(&strace, &[])));
    } else {
        eprintln!("bench: strace is not installed and left out");
    }
    Ok(ways)
}

/// Runs the starter one way and reads its times.
fn measure(words: &[String], count: usize, home: &Path) -> Result<Vec<f64>> {
    let (program, arguments) = words.split_first().context("a way needs a program")?;
    let output = Command::new(program)
        .args(arguments)
        .args(["--starter", &count.to_string()])
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_STATE_HOME")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let times: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    if times.len() != count {
        bail!("{} of {count} starts were timed", times.len());
    }
    Ok(times)
}

fn starter(count: usize, twice: bool) -> Result<()> {
    let start = || -> Result<()> {
        let status = Command::new(PROGRAM).status()?;
        if !status.success() {
            bail!("{PROGRAM} failed");
        }
        Ok(())
    };
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        if twice {
            start()?;
        }
        start()?;
        times.push(begun.elapsed());
    }
    for time in times {
        println!("{:.1}", time.as_secs_f64() * 1e6);
    }
    Ok(())
}

fn row(name: &str, times: &mut [f64]) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(index).copied().unwrap_or_default()
    };
    json!({"way": name, "p50": at(0.50), "p95": at(0.95), "p99": at(0.99)})
}

fn print(rows: &[Value]) {
    let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_f64).unwrap_or_default();
    println!("start to end of {PROGRAM}, microseconds (added over bare)\n");
    println!("{:<24}{:>18}{:>18}{:>18}", "", "p50", "p95", "p99");
    let bare = rows.first().cloned().unwrap_or_default();
    for row in rows {
        let cell = |key| {
            let value = number(row, key);
            format!("{value:.0} (+{:.0})", value - number(&bare, key))
        };
        let name = row.get("way").and_then(Value::as_str).unwrap_or_default();
        println!(
            "{name:<24}{:>18}{:>18}{:>18}",
            cell("p50"),
            cell("p95"),
            cell("p99")
        );
    }
}
