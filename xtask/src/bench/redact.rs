//! `cargo xtask bench redact`: what redaction misses of each shape, what it touches of harmless text, and
//! what a command costs, with two baselines in the same run.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::{fuzz, step};

/// Largest share of a shape that may be missed, at the 95 % limit.
const MISSED: f64 = 0.01;
/// Largest share of harmless commands that may be touched.
const TOUCHED: f64 = 0.005;
/// Microseconds that a command may cost, at the 95th percentile.
const MICROS: f64 = 5.0;

/// Our own labelled commands; the rows below carry a password by their own text, so taking it is right.
const OWN: &[&str] = &[
    "docs/evaluation/commands.jsonl",
    "docs/evaluation/commands-2.jsonl",
];
/// Those rows.
const CARRY: &[&str] = &[
    "fresh-0058",
    "fresh-0152",
    "fresh-0197",
    "fresh-0458",
    "fresh-0674",
    "second-020",
    "second-236",
    "second-545",
    "second-649",
    "second-720",
    "second-781",
];

#[derive(Args)]
pub(super) struct Options {
    /// Random secrets for each shape. 300 without a miss show less than 1 % at 95 %; 1,000 without a miss,
    /// or 3,000 with a few, show it for all shapes at once
    #[arg(long, default_value_t = 3_000)]
    trials: u32,
    /// Start of the random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Harmless commands instead of our own: JSON Lines with a "command", or plain lines
    #[arg(long, num_args = 1.., value_name = "FILE")]
    corpus: Vec<PathBuf>,
    /// A row for each shape, and each harmless command that was touched
    #[arg(long)]
    all: bool,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let commands = harmless(&options.corpus)?;
    let build = [
        "build",
        "--quiet",
        "--release",
        "-p",
        "cmdai-redact",
        "--example",
        "measure",
    ];
    step::run("bench: build", step::command("", "cargo", &build))?;
    let program = step::target().join("release/examples/measure");
    let mut child = std::process::Command::new(&program)
        .arg(options.trials.to_string())
        .arg(options.seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let rows: String = commands
        .iter()
        .map(|command| format!("{}\n", json!({"command": command})))
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
    let report: Value =
        serde_json::from_slice(&output.stdout).context("the measuring program's answer")?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, options.all);
    }
    judge(&report)
}

/// Commands in which nothing is secret.
fn harmless(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut out = Vec::new();
    if files.is_empty() {
        for file in OWN {
            let text = fs::read_to_string(step::root().join(file))
                .with_context(|| format!("cannot read {file}"))?;
            for row in text.lines() {
                let row: Value = serde_json::from_str(row)?;
                let id = row.get("id").and_then(Value::as_str).unwrap_or("");
                if let Some(command) = row.get("command").and_then(Value::as_str)
                    && !CARRY.contains(&id)
                {
                    out.push(command.to_owned());
                }
            }
        }
        out.extend(fuzz::examples()?);
        return Ok(out);
    }
    for file in files {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let row: Option<Value> = serde_json::from_str(line).ok();
            let command = row
                .as_ref()
                .and_then(|row| row.get("command"))
                .and_then(Value::as_str);
            out.push(command.unwrap_or(line).to_owned());
        }
    }
    Ok(out)
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or(0.0)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn shapes(report: &Value) -> &[Value] {
    report
        .get("shapes")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn print(report: &Value, all: bool) {
    let trials = number(report, "/trials");
    println!(
        "Missed: six characters in a row of the secret (or all of a shorter one) stand in the redacted line.\n\
         {trials} random secrets for each shape; limits are one-sided at 95 %.\n"
    );
    println!(
        "{:30} {:>7} {:>9} {:>7} {:>14} {:>12}  worst shape",
        "", "shapes", "samples", "missed", "expressions*", "worst limit"
    );
    let groups: Vec<&str> = shapes(report)
        .iter()
        .map(|shape| text(shape, "group"))
        .fold(Vec::new(), |mut seen, group| {
            if !seen.contains(&group) {
                seen.push(group);
            }
            seen
        });
    for group in groups {
        let of: Vec<&Value> = shapes(report)
            .iter()
            .filter(|shape| text(shape, "group") == group)
            .collect();
        let samples = of.len() as f64 * trials;
        let missed: f64 = of.iter().map(|shape| number(shape, "/missed")).sum();
        let plain: f64 = of
            .iter()
            .map(|shape| number(shape, "/missed_by_expressions"))
            .sum();
        let worst = of
            .iter()
            .max_by(|one, two| number(one, "/bound").total_cmp(&number(two, "/bound")));
        println!(
            "{group:30} {:>7} {samples:>9} {missed:>7} {:>12.1} % {:>10.2} %  {}",
            of.len(),
            plain / samples * 100.0,
            worst.map_or(0.0, |shape| number(shape, "/bound")) * 100.0,
            worst
                .filter(|shape| number(shape, "/missed") > 0.0)
                .map_or("", |shape| text(shape, "shape")),
        );
    }
    let joint = shapes(report)
        .iter()
        .map(|shape| number(shape, "/joint_bound"))
        .fold(0.0, f64::max);
    println!(
        "all shapes at once (95 %, Bonferroni): at most {:.2} % of any shape is missed\n\
         * missed by a set of regular expressions: vendors' prefixes, name=value, name: value, --name value, addresses",
        joint * 100.0
    );
    if all {
        println!();
        for shape in shapes(report) {
            println!(
                "{:>5} missed, limit {:.2} %  {}: {}",
                number(shape, "/missed"),
                number(shape, "/bound") * 100.0,
                text(shape, "group"),
                text(shape, "shape").replace('\n', "\\n"),
            );
        }
    }
    let commands = number(report, "/harmless/commands");
    println!(
        "\nHarmless commands: {commands}, touched {} ({:.2} %), by the expressions {}",
        number(report, "/harmless/touched"),
        number(report, "/harmless/touched") / commands.max(1.0) * 100.0,
        number(report, "/harmless/touched_by_expressions"),
    );
    if all {
        let rows = report
            .pointer("/harmless/rows")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        for row in rows {
            println!("  {}\n    {}", text(row, "line"), text(row, "redacted"));
        }
    }
    println!(
        "\nMicroseconds of a command {:>20} {:>8} {:>8} {:>8} {:>8}",
        "mean", "p50", "p95", "p99", "max"
    );
    for (set, title) in [("harmless", "harmless"), ("with_secrets", "with a secret")] {
        for (what, name) in [
            ("redact", "redaction"),
            ("expressions", "expressions"),
            ("copy", "a copy of the text"),
        ] {
            let at = |key: &str| number(report, &format!("/micros/{set}/{what}/{key}"));
            println!(
                "{:38} {:>7.2} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
                format!("{title}: {name}"),
                at("mean"),
                at("p50"),
                at("p95"),
                at("p99"),
                at("max")
            );
        }
    }
}

/// Fails where a bar is missed. Time only warns: the machine may be busy.
fn judge(report: &Value) -> Result<()> {
    let worse: BTreeSet<&str> = shapes(report)
        .iter()
        .filter(|shape| number(shape, "/bound") >= MISSED)
        .map(|shape| text(shape, "shape"))
        .collect();
    let touched =
        number(report, "/harmless/touched") / number(report, "/harmless/commands").max(1.0);
    for set in ["harmless", "with_secrets"] {
        let p95 = number(report, &format!("/micros/{set}/redact/p95"));
        if p95 >= MICROS {
            eprintln!("warning: {set}: p95 is {p95:.1} µs, the bar {MICROS} µs");
        }
    }
    if !worse.is_empty() {
        bail!(
            "1 % or more may be missed (too few trials, or too many misses) of {} shapes: {}",
            worse.len(),
            worse
                .iter()
                .take(8)
                .copied()
                .collect::<Vec<_>>()
                .join(" | ")
        );
    }
    if touched > TOUCHED {
        bail!(
            "{:.2} % of harmless commands were touched; the bar is {:.1} %",
            touched * 100.0,
            TOUCHED * 100.0
        );
    }
    Ok(())
}
