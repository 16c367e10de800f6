//! Whole processes: start to answer, a batch, and other guards in the same loop.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::lines::Line;
use crate::step;

/// A program that is asked about a command.
pub(super) struct Guard {
    name: String,
    program: String,
    /// Arguments; `{}` is the command.
    arguments: Vec<String>,
    /// What goes to standard input, if anything.
    input: Option<String>,
}

impl Guard {
    /// Ours.
    pub(super) fn cmdai(binary: &Path) -> Self {
        Self {
            name: "cmdai check".to_owned(),
            program: binary.display().to_string(),
            arguments: ["check", "--format", "json", "--", "{}"]
                .map(str::to_owned)
                .to_vec(),
            input: None,
        }
    }

    fn parse(text: &str, reads: bool) -> Result<Self> {
        let (name, rest) = text.split_once('=').context("a guard is NAME=COMMAND")?;
        let (line, template) = match rest.split_once("<<<") {
            Some((line, template)) if reads => (line, template.trim()),
            _ => (rest, "{}"),
        };
        let mut words = line.split_whitespace().map(str::to_owned);
        Ok(Self {
            name: name.to_owned(),
            program: words.next().context("a guard needs a program")?,
            arguments: words.collect(),
            input: reads.then(|| template.to_owned()),
        })
    }

    /// Time from start to exit; what it answers is not looked at.
    fn ask(&self, command: &str, home: &Path) -> Result<Duration> {
        let mut child = Command::new(&self.program);
        for argument in &self.arguments {
            child.arg(if argument == "{}" { command } else { argument });
        }
        child
            .env("HOME", home)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .current_dir(home)
            .stdin(if self.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let input = self.input.as_ref().map(|template| {
            template
                .replace("{json}", &Value::from(command).to_string())
                .replace("{}", command)
        });
        let started = Instant::now();
        let mut child = child
            .spawn()
            .with_context(|| format!("cannot start {}", self.program))?;
        if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
            let _ = pipe.write_all(input.as_bytes()); // one that answers without reading is fine
        }
        child.wait()?;
        Ok(started.elapsed())
    }
}

/// Guards named on the command line.
pub(super) fn guards(arguments: &[String], readers: &[String]) -> Result<Vec<Guard>> {
    let plain = arguments.iter().map(|text| Guard::parse(text, false));
    plain
        .chain(readers.iter().map(|text| Guard::parse(text, true)))
        .collect()
}

/// The `cmdai` that is measured: the one given, else one that is built in release.
pub(super) fn product(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(binary) = given {
        return Ok(binary.to_owned());
    }
    let build = [
        "build",
        "--quiet",
        "--release",
        "-p",
        "cmdai-cli",
        "--bin",
        "cmdai",
    ];
    step::run("bench: build", step::command("", "cargo", &build))?;
    Ok(step::target().join("release/cmdai"))
}

/// An empty home, so that nobody's own settings take part.
pub(super) fn home() -> Result<std::path::PathBuf> {
    let home = step::target().join("bench/home");
    fs::create_dir_all(&home)?;
    Ok(home)
}

/// Starts each program in turn; `/bin/true` tells what a process costs by itself.
pub(super) fn starts(guards: &[Guard], lines: &[&Line], count: usize) -> Result<Value> {
    let home = home()?;
    let nothing = Guard {
        name: "/bin/true".to_owned(),
        program: "/bin/true".to_owned(),
        arguments: Vec::new(),
        input: None,
    };
    let programs: Vec<&Guard> = std::iter::once(&nothing).chain(guards).collect();
    let mut times: Vec<Vec<Duration>> = vec![Vec::with_capacity(count); programs.len()];
    // Steps through the corpus far enough apart to meet all of it.
    let stride = (lines.len() / count.max(1)).max(1);
    let chosen = lines
        .iter()
        .filter(|line| line.command.len() < 100_000 && !line.command.contains('\0'));
    for line in chosen.cycle().step_by(stride).take(count) {
        for (program, times) in programs.iter().zip(&mut times) {
            times.push(program.ask(&line.command, &home)?);
        }
    }
    let mut rows = Vec::new();
    let mut base = 0.0;
    for (program, times) in programs.iter().zip(&mut times) {
        times.sort();
        let at = |part: f64| {
            let place = (times.len().saturating_sub(1) as f64 * part).round() as usize;
            times
                .get(place)
                .map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        if base == 0.0 {
            base = at(0.5);
        }
        rows.push(json!({"name": program.name, "runs": times.len(), "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99), "times_true": at(0.5) / base}));
    }
    Ok(Value::from(rows))
}

/// `cmdai check --batch` over all lines: rows a second with JSON in and out, and peak memory.
pub(super) fn batch(binary: &Path, lines: &[&Line]) -> Result<Value> {
    let rows: String = lines
        .iter()
        .map(|line| format!("{}\n", line.row()))
        .collect();
    let started = Instant::now();
    let mut child = start_batch(binary)?;
    child
        .stdin
        .take()
        .context("no standard input")?
        .write_all(rows.as_bytes())?;
    child.wait()?;
    let took = started.elapsed();

    // Once more, held open at the end to be looked at.
    let mut child = start_batch(binary)?;
    let mut pipe = child.stdin.take().context("no standard input")?;
    pipe.write_all(rows.as_bytes())?;
    let mut peak = 0;
    let mut busy = u64::MAX;
    for _ in 0..200 {
        let process = format!("/proc/{}", child.id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line
            .and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
            .unwrap_or(peak);
        let stat = fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
        let used = stat
            .split(' ')
            .nth(13)
            .and_then(|used| used.parse().ok())
            .unwrap_or(0);
        if used == busy {
            break;
        }
        busy = used;
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(pipe);
    child.wait()?;
    Ok(
        json!({"rows": lines.len(), "rows_per_second": lines.len() as f64 / took.as_secs_f64(), "peak_kib": peak}),
    )
}

fn start_batch(binary: &Path) -> Result<Child> {
    Command::new(binary)
        .args(["check", "--batch"])
        .env("HOME", home()?)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))
}
