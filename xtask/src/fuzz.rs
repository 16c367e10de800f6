//! `cargo xtask fuzz`: hostile input, with coverage as the guide, on the stable compiler.
//!
//! libFuzzer needs a C++ compiler once. Inputs that reached something new are kept below the
//! target folder, so that a later run goes on where the last one ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{setup, step};

/// The compiler flags that make libFuzzer see what an input reaches.
const FLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing";
/// Stack of a run in KiB: the engine runs inside shells, whose stack is not ours.
const STACK_KIB: u32 = 512;
/// Memory of a run in MiB.
const MEMORY_MIB: u32 = 2048;

/// A target, and what it is run with.
struct Target {
    name: &'static str,
    /// Longest input in bytes.
    longest: u32,
    dictionary: &'static str,
    /// Files in `fuzz/seeds`, each with what is put in front of its texts.
    seeds: &'static [(&'static str, &'static str)],
    /// The texts of the command knowledge and of `--corpus` are seeds as well.
    commands: bool,
}

const TARGETS: &[Target] = &[
    Target {
        name: "posix",
        longest: 4096,
        dictionary: "shell.dict",
        seeds: &[("shell", "")],
        commands: true,
    },
    Target {
        name: "dialects",
        longest: 4096,
        dictionary: "shell.dict",
        seeds: &[("fish", ""), ("powershell", ""), ("shell", "")],
        commands: false,
    },
    Target {
        name: "judge",
        longest: 4096,
        dictionary: "shell.dict",
        seeds: &[
            ("shell", ""),
            ("shell", "\u{1}"),
            ("fish", "\u{3}"),
            ("powershell", "\u{4}"),
        ],
        commands: true,
    },
    Target {
        name: "inline",
        longest: 4096,
        dictionary: "shell.dict",
        seeds: &[("inline", "")],
        commands: false,
    },
    Target {
        name: "policy",
        longest: 4096,
        dictionary: "policy.dict",
        seeds: &[("policy", "")],
        commands: false,
    },
    Target {
        name: "snapshot",
        longest: 512,
        dictionary: "policy.dict",
        seeds: &[],
        commands: false,
    },
    Target {
        name: "redact",
        longest: 65_536,
        dictionary: "shell.dict",
        seeds: &[("redact", ""), ("shell", "")],
        commands: true,
    },
];

#[derive(Args)]
pub(crate) struct Options {
    /// Targets; all where none is named: posix, dialects, judge, inline, policy, snapshot, redact
    targets: Vec<String>,
    /// Time for each target, such as 60s or 30m
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = seconds)]
    time: u64,
    /// More seeds: a folder of texts, or of JSON Lines with a "command"
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Longest input in bytes, instead of each target's own
    #[arg(long, value_name = "BYTES")]
    longest: Option<u32>,
    /// Time that one input may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    patience: u32,
    /// Start of the random numbers; another one each time where none is given
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    start: u32,
    /// Stop after so many inputs, where the time is not over first
    #[arg(long, value_name = "NUMBER", default_value_t = -1)]
    runs: i64,
}

impl Options {
    /// A short run of everything, for the test suite.
    pub(crate) fn short() -> Self {
        Self {
            targets: Vec::new(),
            time: 20,
            corpus: None,
            longest: None,
            patience: 10,
            // The same inputs each time: a new finding is for a long run, not for a passer-by.
            start: 1,
            runs: 10_000,
        }
    }
}

/// `90`, `90s`, `5m` or `1h` in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3600),
        _ => (Some(text), 1),
    };
    number
        .and_then(|number| number.parse::<u64>().ok())
        .and_then(|number| number.checked_mul(unit))
        .filter(|number| *number > 0)
        .ok_or_else(|| "give a time such as 60s, 30m or 1h".to_owned())
}

/// What one run told.
struct Report {
    name: &'static str,
    executions: u64,
    reached: u64,
    kept: u64,
    slowest_s: u64,
    peak_mib: u64,
    findings: Vec<PathBuf>,
    ended_well: bool,
}

/// Builds, seeds and runs the targets, one after the other.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !setup::found("c++") {
        bail!(
            "libFuzzer is built with a C++ compiler: install `g++` (or `clang`), then run this again"
        );
    }
    let mut chosen = Vec::new();
    for name in &options.targets {
        let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>();
        let target = TARGETS.iter().find(|target| target.name == name);
        chosen
            .push(target.with_context(|| format!("no target `{name}`; there are {:?}", names()))?);
    }
    if chosen.is_empty() {
        chosen.extend(TARGETS);
    }
    let host = host()?;
    build(&host)?;
    let mut reports = Vec::new();
    for target in chosen {
        reports.push(one(target, options, &host)?);
    }
    println!(
        "\n{:10} {:>12} {:>9} {:>7} {:>9} {:>9}  findings",
        "target", "executions", "reached", "kept", "slowest", "memory"
    );
    let mut found = 0;
    for report in &reports {
        println!(
            "{:10} {:>12} {:>9} {:>7} {:>7} s {:>5} MiB  {}",
            report.name,
            report.executions,
            report.reached,
            report.kept,
            report.slowest_s,
            report.peak_mib,
            report.findings.len()
        );
        for finding in &report.findings {
            println!("           {}", finding.display());
        }
        found +=
            report.findings.len() + usize::from(!report.ended_well && report.findings.is_empty());
    }
    if found > 0 {
        bail!("{found} findings; docs/how-to/fuzz.md says what to do with one");
    }
    Ok(())
}

/// The host's triple: with `--target` the flags stay away from build scripts.
fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

fn folder() -> PathBuf {
    step::target().join("fuzz")
}

fn build(host: &str) -> Result<()> {
    let mut command = step::command(
        "fuzz",
        "cargo",
        &["build", "--release", "--locked", "--target", host],
    );
    command
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", folder());
    step::run("fuzz: build", command)
}

fn one(target: &'static Target, options: &Options, host: &str) -> Result<Report> {
    let corpus = folder().join("corpus").join(target.name);
    let findings = folder().join("findings").join(target.name);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&findings)?;
    seed(target, options.corpus.as_deref(), &corpus)?;
    let log = folder().join(format!("{}.log", target.name));
    let before = files(&findings);

    eprintln!("\n── fuzz: {} for {} s", target.name, options.time);
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("ulimit -s {STACK_KIB} && ulimit -c 0 && exec \"$@\""),
            "sh",
        ])
        .arg(folder().join(host).join("release").join(target.name))
        .arg(format!("-max_total_time={}", options.time))
        .arg(format!(
            "-max_len={}",
            options.longest.unwrap_or(target.longest)
        ))
        .arg(format!("-timeout={}", options.patience))
        .arg(format!("-seed={}", options.start))
        .arg(format!("-runs={}", options.runs))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!(
            "-dict={}",
            step::root().join("fuzz").join(target.dictionary).display()
        ))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .args([
            "-print_final_stats=1",
            "-use_value_profile=0",
            "-verbosity=1",
        ])
        .arg(&corpus)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?);
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", target.name))?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() {
        let start = said
            .find("panicked at")
            .or_else(|| said.find("ERROR: libFuzzer"));
        let what = said.get(start.unwrap_or(0)..).unwrap_or_default();
        eprintln!("{}", what.lines().take(4).collect::<Vec<_>>().join("\n"));
        eprintln!("(all of it: {})", log.display());
    }
    Ok(Report {
        name: target.name,
        executions: number(&said, "stat::number_of_executed_units:"),
        slowest_s: number(&said, "stat::slowest_unit_time_sec:"),
        peak_mib: number(&said, "stat::peak_rss_mb:"),
        reached: number(&said, " ft: "),
        kept: number(&said, " corp: "),
        findings: files(&findings)
            .into_iter()
            .filter(|file| !before.contains(file))
            .collect(),
        ended_well: status.success(),
    })
}

/// The number after the last place where the log has these words.
fn number(log: &str, words: &str) -> u64 {
    log.rsplit_once(words)
        .and_then(|(_, rest)| {
            let digits = rest.trim_start();
            let length = digits.bytes().take_while(u8::is_ascii_digit).count();
            digits.get(..length)?.parse().ok()
        })
        .unwrap_or(0)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

fn seed(target: &Target, more: Option<&Path>, corpus: &Path) -> Result<()> {
    let mut texts: Vec<String> = Vec::new();
    for (file, prefix) in target.seeds {
        let path = step::root().join("fuzz/seeds").join(format!("{file}.txt"));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        texts.extend(text.split("\n%%\n").map(|seed| format!("{prefix}{seed}")));
    }
    if target.name == "policy" {
        for path in files(&step::root().join("crates/policy/templates")) {
            texts.push(fs::read_to_string(path)?);
        }
    }
    if target.commands {
        texts.extend(examples()?);
        texts.extend(given(more)?);
    }
    for (number, text) in texts.iter().enumerate() {
        fs::write(corpus.join(format!("seed-{number:05}")), text)?;
    }
    Ok(())
}

/// The commands that the knowledge gives as examples.
pub(crate) fn examples() -> Result<Vec<String>> {
    let mut out = Vec::new();
    for path in files(&step::root().join("crates/effects/knowledge")) {
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let table: toml::Table = fs::read_to_string(&path)?
            .parse()
            .with_context(|| path.display().to_string())?;
        let list = |value: Option<&toml::Value>| {
            value
                .and_then(toml::Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        for program in list(table.get("program")) {
            for example in list(program.get("examples")) {
                out.extend(
                    example
                        .get("run")
                        .and_then(toml::Value::as_str)
                        .map(str::to_owned),
                );
            }
        }
    }
    Ok(out)
}

/// The texts of a folder that was named.
fn given(folder: Option<&Path>) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for path in folder.map(files).unwrap_or_default() {
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            for row in text
                .lines()
                .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            {
                out.extend(
                    row.get("command")
                        .and_then(serde_json::Value::as_str)
                        .map(str::to_owned),
                );
            }
        } else {
            out.push(text);
        }
    }
    Ok(out)
}
