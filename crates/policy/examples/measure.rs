//! Measures the hot path in one process, without input or output in between: text to tree to effects
//! to decision. Commands come as JSON Lines on standard input, numbers go as JSON to standard output.
//! `cargo xtask bench check` builds it in release and prints the table.
//!
//! Every command is judged once to warm up, then [`ROUNDS`] times; its time is the median of those. The
//! percentiles are over the commands. A time holds parse, effects and decision, and nothing else: no
//! start of a process, no facts of the machine, no JSON.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufRead as _, Write as _};
use std::time::{Duration, Instant};

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_policy::{Layers, Snapshot, SnapshotMeta, compile, decide, parse, verify_instead};
use cmdai_schema::{Dialect, Facts, Subject};
use serde_json::{Value, json};

/// Timed runs of a command.
const ROUNDS: usize = 7;
/// Openings of the snapshot.
const OPENINGS: usize = 500;

/// An organisation's document with 1,000 rules: patterns of words, regular expressions over the text,
/// rules about programs, arguments and contexts, rules about effects and paths.
fn document() -> String {
    let mut out = String::from(
        "version: \"1.0\"\nsafety:\n  require_approval_for: [privilege_escalation]\n  blocked_patterns:\n",
    );
    for n in 0..400 {
        let _ = writeln!(
            out,
            "    - {{pattern: \"tool{n} run --flag{n} .* | sh\", reason: \"pattern {n}\", owner: team}}"
        );
    }
    for n in 0..40 {
        let _ = writeln!(
            out,
            "    - {{pattern: \"git push --option{n} origin\", reason: \"pattern {n}\"}}"
        );
    }
    for n in 0..10 {
        let _ = writeln!(
            out,
            "    - {{regex: \"(?i)secret{n}-[0-9]{{8}}\", reason: \"text {n}\"}}"
        );
    }
    out.push_str("rules:\n");
    let programs = [
        "kubectl",
        "terraform",
        "aws",
        "git",
        "rm",
        "docker",
        "curl",
        "psql",
        "npm",
        "python3",
    ];
    for (n, program) in programs.iter().cycle().take(500).enumerate() {
        // Every tenth is about the program itself, the others about one of its relatives.
        let own = if n % 100 < 10 {
            String::new()
        } else {
            n.to_string()
        };
        let _ = writeln!(
            out,
            "  - {{id: rule-{n}, when: {{program: {program}{own}, args: [\"delete\", \"--option{n}\"], context: [\"prod-{n}-*\"]}}, decision: deny, reason: \"rule {n}\", owner: team, controls: [\"SOC2:CC6.8\"]}}"
        );
    }
    for n in 0..50 {
        let _ = writeln!(
            out,
            "  - {{id: path-{n}, when: {{effect: [delete, overwrite], path: [\"/srv/app{n}/**\", \"/data/{n}/*\"]}}, decision: deny, reason: \"path {n}\"}}"
        );
    }
    out
}

/// A command and what it takes.
struct Row {
    text: String,
    dialect: Dialect,
}

fn rows() -> Vec<Row> {
    let lines = std::io::stdin().lock().lines().map_while(Result::ok);
    lines
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .filter_map(|row| {
            let shell = row.get("shell").and_then(Value::as_str).unwrap_or("bash");
            Some(Row {
                text: row.get("command")?.as_str()?.to_owned(),
                dialect: Dialect::from_name(shell)?,
            })
        })
        .collect()
}

fn at(sorted: &[Duration], part: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted
        .get(place)
        .map_or(0.0, |time| time.as_nanos() as f64 / 1_000.0)
}

/// Percentiles in microseconds.
fn percentiles(mut times: Vec<Duration>) -> Value {
    times.sort();
    json!({"p50": at(&times, 0.5), "p95": at(&times, 0.95), "p99": at(&times, 0.99), "max": at(&times, 1.0)})
}

/// The median time of each row, with the rows in the same order.
fn medians(rows: &[Row], mut work: impl FnMut(&Row)) -> Vec<Duration> {
    rows.iter().for_each(&mut work);
    rows.iter()
        .map(|row| {
            let mut times: Vec<Duration> = (0..ROUNDS)
                .map(|_| {
                    let started = Instant::now();
                    work(row);
                    started.elapsed()
                })
                .collect();
            times.sort();
            times.get(ROUNDS / 2).copied().unwrap_or_default()
        })
        .collect()
}

/// A line of `/proc/self/status` in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = rows();
    if rows.is_empty() {
        return Err("no commands on standard input; each line is {\"command\": \"…\"}".into());
    }
    let set = parse(&document(), "measure.yaml")?;
    let started = Instant::now();
    let meta = SnapshotMeta {
        policy_id: "acme".to_owned(),
        ..SnapshotMeta::default()
    };
    let bytes = compile(&set, &meta);
    let compiling = started.elapsed();
    drop(set);

    let facts = Facts {
        cwd: Some("/home/user/project".to_owned()),
        home: Some("/home/user".to_owned()),
        project: Some("/home/user/project".to_owned()),
        ..Facts::default()
    };
    let subject = Subject::default();
    let context = |dialect| Context {
        dialect,
        cwd: "/home/user/project",
        home: "/home/user",
        user: "user",
        session: &NoSession,
        languages: &cmdai_languages::Grammars,
    };

    let (mut opened, mut first) = (Vec::new(), Vec::new());
    for row in rows.iter().cycle().take(OPENINGS) {
        let started = Instant::now();
        let snapshot = Snapshot::open(&bytes)?;
        opened.push(started.elapsed());
        let layers = Layers {
            organisation: Some(&snapshot),
            user: None,
        };
        let started = Instant::now();
        let analysis = analyse(&row.text, &context(row.dialect));
        black_box(decide(&analysis, &row.text, &layers, &facts, &subject));
        first.push(started.elapsed());
    }

    let snapshot = Snapshot::open(&bytes)?;
    let organisation = Layers {
        organisation: Some(&snapshot),
        user: None,
    };
    let whole = |layers: &Layers<'_>, row: &Row| {
        let analysis = analyse(&row.text, &context(row.dialect));
        decide(&analysis, &row.text, layers, &facts, &subject)
    };
    let parsing = medians(&rows, |row| {
        black_box(cmdai_shell::parse(&row.text, row.dialect));
    });
    let analysing = medians(&rows, |row| {
        black_box(analyse(&row.text, &context(row.dialect)));
    });
    let alone = medians(&rows, |row| {
        black_box(whole(&Layers::default(), row));
    });
    let ruled = medians(&rows, |row| {
        black_box(whole(&organisation, row));
    });
    let verified = medians(&rows, |row| {
        let mut judgement = whole(&organisation, row);
        verify_instead(&mut judgement, &|safer| {
            let analysis = analyse(safer, &context(row.dialect));
            decide(&analysis, safer, &organisation, &facts, &subject).decision
        });
        black_box(judgement);
    });
    let mut slowest: Vec<(&Duration, &Row)> = ruled.iter().zip(&rows).collect();
    slowest.sort_by_key(|(time, _)| std::cmp::Reverse(**time));
    let slowest: Vec<Value> = slowest
        .iter()
        .take(30)
        .map(|(time, row)| json!({"micros": time.as_nanos() as f64 / 1_000.0, "bytes": row.text.len(), "command": row.text.chars().take(160).collect::<String>()}))
        .collect();
    let total: Duration = ruled.iter().sum();
    let answer = json!({
        "commands": rows.len(),
        "rules": snapshot.rule_count(),
        "micros": {
            "parse": percentiles(parsing),
            "parse+effects": percentiles(analysing),
            "parse+effects+decision, built-in packs": percentiles(alone),
            "parse+effects+decision, 1,000 rules more": percentiles(ruled),
            "the same, safer command judged as well": percentiles(verified),
            "first command of a process, 1,000 rules": percentiles(first),
            "loading the snapshot, 1,000 rules": percentiles(opened),
        },
        "per_second": rows.len() as f64 / total.as_secs_f64(),
        "snapshot_bytes": bytes.len(),
        "compile_micros": compiling.as_nanos() as f64 / 1_000.0,
        "memory_kib": {"now": memory("VmRSS:"), "peak": memory("VmHWM:")},
        "slowest": slowest,
    });
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}
