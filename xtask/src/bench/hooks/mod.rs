//! `cargo xtask bench hooks`: what one line costs in a real interactive shell, with and without hooks.
//!
//! Each column is a shell of its own in a pseudo-terminal. All columns run the same lines, some
//! dozens each in turn, so that what else the machine does falls on all of them alike. Bash and zsh
//! tell the time themselves: a key right before Enter reads their clock, and so does the next prompt.
//! In between lie Enter, reading and running the line, and everything that is to happen before the
//! prompt. Fish cannot tell the time without a process: there key and prompt each write a word to a socket,
//! and the time is the kernel's, noted in the very call that writes ([`clock`]).

pub(super) mod clock;
mod columns;
mod drive;
mod report;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::step;
use columns::Column;
use drive::Driven;
use report::{Measured, Report};

#[derive(Args)]
pub(super) struct Options {
    /// Shells to measure; all that are installed where none is named
    #[arg(value_enum)]
    shells: Vec<Shell>,
    /// Lines in each column
    #[arg(long, default_value_t = 2_000)]
    commands: usize,
    /// A recorder that is started for each line, in place of a program that does nothing
    #[arg(long, value_name = "PATH", default_value = "/bin/true")]
    recorder: PathBuf,
    /// Use the `cmdai` in this folder, and the modules beside it, instead of building them in release
    #[arg(long, value_name = "FOLDER")]
    installed: Option<PathBuf>,
    /// Exit status 1 where a bar is missed
    #[arg(long)]
    strict: bool,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// A shell that can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// Microseconds that may be added at the 95th percentile: for any line, and for one that was
    /// judged before where that has a bar of its own.
    fn bars(self) -> (f64, Option<f64>) {
        match self {
            Self::Bash => (50.0, Some(20.0)),
            Self::Zsh => (100.0, None),
            Self::Fish => (250.0, None),
        }
    }
}

/// Lines that a column runs before the next one has its turn.
const TURN: usize = 40;
/// Lines of each column before its times count.
const WARM_UP: usize = 60;

pub(super) fn run(options: &Options) -> Result<()> {
    let folder = match &options.installed {
        Some(folder) => folder.clone(),
        None => build()?,
    };
    let wanted = if options.shells.is_empty() {
        &Shell::ALL[..]
    } else {
        &options.shells
    };
    let mut measured = Vec::new();
    for shell in wanted {
        if !crate::setup::found(shell.name()) {
            eprintln!("left out: {} is not installed", shell.name());
            continue;
        }
        eprintln!("{}: running", shell.name());
        measured.push(measure(*shell, &folder, options)?);
    }
    let report = Report::of(measured);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    if options.strict && report.missed() {
        bail!("a bar is missed");
    }
    Ok(())
}

fn build() -> Result<PathBuf> {
    let mut build = vec!["build", "--quiet", "--release", "-p", "cmdai-cli"];
    for module in columns::MODULES {
        if step::root().join("crates").join(module).is_dir() {
            build.extend(["-p", columns::package(module)]);
        }
    }
    step::run("bench: build", step::command("", "cargo", &build))?;
    Ok(step::target().join("release"))
}

/// Runs all columns of one shell.
fn measure(shell: Shell, installed: &std::path::Path, options: &Options) -> Result<Measured> {
    let place = step::target().join("bench/hooks").join(shell.name());
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let columns = columns::of(shell, installed, &options.recorder)?;
    let mut running = Vec::new();
    for column in &columns {
        let home = place.join(column.slug());
        fs::create_dir_all(home.join(drive::WORK))?;
        fs::create_dir_all(home.join("project/.git"))?;
        let driven = Driven::start(shell, column, &home)
            .with_context(|| format!("{}, column \"{}\"", shell.name(), column.name))?;
        running.push((column, driven, Vec::with_capacity(options.commands)));
    }
    let mut number = 0;
    while number < WARM_UP + options.commands {
        let end = (number + TURN).min(WARM_UP + options.commands);
        for (column, driven, times) in &mut running {
            for line in number..end {
                let micros = driven
                    .line(&column.lines.text(shell, line))
                    .with_context(|| format!("{}, column \"{}\"", shell.name(), column.name))?;
                if line >= WARM_UP {
                    times.push(micros);
                }
            }
        }
        number = end;
    }
    let mut rows = Vec::new();
    for (column, driven, times) in running {
        driven.end()?;
        if column.records {
            all_recorded(column, &place.join(column.slug()), number)?;
        }
        rows.push((column, times));
    }
    Ok(Measured::of(shell, columns::version(shell), rows))
}

/// A hook that is quick because it misses lines is not quick.
fn all_recorded(column: &Column, home: &std::path::Path, lines: usize) -> Result<()> {
    let history = home.join("state/history.c1");
    let text = fs::read_to_string(&history)
        .with_context(|| format!("cannot read {}", history.display()))?;
    let halves = |half: &str| text.matches(&format!("\"half\":\"{half}\"")).count();
    let (starts, ends) = (halves("start"), halves("end"));
    if starts < lines || ends < lines {
        bail!(
            "column \"{}\": of {lines} lines {starts} were recorded before and {ends} after they ran",
            column.name
        );
    }
    Ok(())
}
