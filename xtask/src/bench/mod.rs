//! `cargo xtask bench`: what understanding a command costs, alone and inside a shell, and what is missed.

mod capture;
mod drain;
mod exec;
mod hooks;
mod lines;
mod process;
mod redact;
mod rollout;
mod sensor;
mod simulate;
mod table;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::step;
use lines::Line;

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Time and memory of `check`: in one process, of a process, and of other guards beside it
    Check(Check),
    /// The start of a program in a supervised tree, beside a bare one
    Exec(exec::Options),
    /// One line in a real interactive shell: bare, with an empty hook, with cmdai, with other ways
    Hooks(hooks::Options),
    /// `policy simulate` over many recorded commands
    Simulate(simulate::Options),
    /// Redaction: what is missed of each shape, what harmless text is touched, time
    Redact(redact::Options),
    /// The sensor's machine layer: share of a core, memory, and what a build loses
    Sensor(sensor::Options),
    /// A session of 10,000 commands through every layer: what is captured, beside the kernel's own count
    Capture(capture::Options),
    /// A machine that was away brings what it kept: time, memory of keeper and courier
    Drain(drain::Options),
    /// Connected machines reach a new policy release: time, and what the server needs for it
    Rollout(rollout::Options),
    /// Becomes a program that can write to a clock of `hooks`, which starts it
    #[command(hide = true)]
    WithClock(hooks::clock::Options),
}

#[derive(Args)]
struct Check {
    /// Commands: JSON Lines with a "command"; without any, lines of the command knowledge
    #[arg(long, num_args = 1.., value_name = "FILE")]
    corpus: Vec<PathBuf>,
    /// Another guard: `NAME=program --option {}`, where {} is the command as one argument
    #[arg(long, value_name = "NAME=COMMAND")]
    guard: Vec<String>,
    /// Another guard that reads standard input: `NAME=program` or `NAME=program <<< TEMPLATE`, where
    /// {} in the template is the command and {json} the command as a JSON string
    #[arg(long, value_name = "NAME=COMMAND")]
    guard_stdin: Vec<String>,
    /// Starts of each process
    #[arg(long, default_value_t = 200)]
    starts: usize,
    /// Time this `cmdai` instead of building one in release
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Name the slowest commands
    #[arg(long)]
    slowest: bool,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Check(options) => check(options),
        What::Exec(options) => exec::run(options),
        What::Hooks(options) => hooks::run(options),
        What::Simulate(options) => simulate::run(options),
        What::Redact(options) => redact::run(options),
        What::Capture(options) => capture::run(options),
        What::Drain(options) => drain::run(options),
        What::Rollout(options) => rollout::run(options),
        What::Sensor(options) => sensor::run(options),
        What::WithClock(options) => hooks::clock::become_program(options),
    }
}

fn check(options: &Check) -> Result<()> {
    let suites = lines::suites(&options.corpus)?;
    let mut build = vec![
        "build",
        "--quiet",
        "--release",
        "-p",
        "cmdai-policy",
        "--example",
        "measure",
    ];
    if options.binary.is_none() {
        build.extend(["-p", "cmdai-cli", "--bin", "cmdai"]);
    }
    step::run("bench: build", step::command("", "cargo", &build))?;
    let release = step::target().join("release");
    let binary = options
        .binary
        .clone()
        .unwrap_or_else(|| release.join("cmdai"));
    let measure = release.join("examples/measure");

    let mut guards = process::guards(&options.guard, &options.guard_stdin)?;
    guards.insert(0, process::Guard::cmdai(&binary));
    let all: Vec<&Line> = suites.iter().flat_map(|suite| &suite.lines).collect();
    let mut measured = Vec::new();
    for suite in &suites {
        let mut inside = inside(&measure, &suite.lines)?;
        if !options.slowest
            && let Some(inside) = inside.as_object_mut()
        {
            inside.remove("slowest");
        }
        measured.push(json!({"suite": suite.name, "in_process": inside}));
    }
    let report = json!({
        "what": {
            "in_process": "median of 7 runs of each command after a warm-up, percentiles over commands, microseconds; one thread, release build; holds what the row says and no start of a process, no facts of the machine, no JSON",
            "process": "start to exit, wall time, milliseconds; all programs in turn in one loop; commands spread over the corpus",
        },
        "suites": measured,
        "batch": process::batch(&binary, &all)?,
        "process": process::starts(&guards, &all, options.starts)?,
    });
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        table::print(&report);
    }
    Ok(())
}

/// Runs the measuring program over the lines.
fn inside(measure: &PathBuf, lines: &[Line]) -> Result<Value> {
    let mut child = std::process::Command::new(measure)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", measure.display()))?;
    let rows: String = lines
        .iter()
        .map(|line| format!("{}\n", line.row()))
        .collect();
    child
        .stdin
        .take()
        .context("no standard input")?
        .write_all(rows.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("measuring failed ({})", output.status);
    }
    serde_json::from_slice(&output.stdout).context("the measuring program's answer")
}
