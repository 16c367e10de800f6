//! Measures redaction: what is missed of each shape, what is touched of harmless text, and the time of
//! a command, with two baselines beside it. `cargo xtask bench redact` builds it in release.
//!
//! Arguments: trials of each shape and the seed. Standard input: harmless commands as JSON Lines with a
//! `command`. Standard output: JSON.
//!
//! A sample is missed when six characters in a row of its secret stand in the redacted line (shorter
//! secrets: all of it). The bound of a shape is the exact one-sided 95 % limit of its share of misses
//! (Clopper and Pearson); the joint bound holds for all shapes at once (Bonferroni).
//!
//! Baselines: a copy of the line, which is the least that anything costs; and what a set of regular
//! expressions reaches (one for each vendor prefix, and `name=value`, `name: value`, `--name value`
//! and addresses), as scanners of source text do it.

use std::hint::black_box;
use std::io::{BufRead as _, Write as _};
use std::time::Instant;

use cmdai_redact::catalogue::{Dice, Group, Secret, Shape, shapes};
use cmdai_redact::{find, redact};
use regex::{Regex, RegexSet};
use serde_json::{Value, json};

/// Timed runs of a command; its time is their median.
const ROUNDS: usize = 7;
/// Confidence of the bounds.
const CONFIDENCE: f64 = 0.95;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let trials: u32 = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut harmless = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        if let Some(command) = row.get("command").and_then(Value::as_str) {
            harmless.push(command.to_owned());
        }
    }
    let plain = Plain::new(&shapes())?;
    let rows = recall(trials, seed, &plain);
    let report = json!({
        "trials": trials,
        "seed": seed,
        "shapes": rows,
        "harmless": touched(&harmless, &plain),
        "micros": times(&harmless, &plain),
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

/// Every shape with random secrets.
fn recall(trials: u32, seed: u64, plain: &Plain) -> Vec<Value> {
    let shapes = shapes();
    let joint = (1.0 - CONFIDENCE) / shapes.len().max(1) as f64;
    let mut rows = Vec::new();
    for (number, shape) in shapes.iter().enumerate() {
        let mut dice = Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let (mut missed, mut missed_by_plain) = (0, 0);
        let mut first = None;
        for _ in 0..trials {
            let sample = shape.sample(&mut dice);
            let clean = redact(&sample.text);
            if sample.survives_in(&clean) {
                missed += 1;
                if first.is_none() {
                    first = Some(json!({"line": sample.text, "redacted": clean}));
                }
            }
            if sample.survives_in(&plain.redact(&sample.text)) {
                missed_by_plain += 1;
            }
        }
        rows.push(json!({
            "group": shape.group.title(),
            "shape": shape.name,
            "missed": missed,
            "bound": bound(missed, trials, 1.0 - CONFIDENCE),
            "joint_bound": bound(missed, trials, joint),
            "missed_by_expressions": missed_by_plain,
            "first_miss": first,
        }));
    }
    rows
}

/// The largest share of misses with which so few are still seen with probability `alpha`.
fn bound(missed: u32, trials: u32, alpha: f64) -> f64 {
    let (mut low, mut high) = (0.0f64, 1.0f64);
    for _ in 0..60 {
        let share = f64::midpoint(low, high);
        if at_most(missed, trials, share) > alpha {
            low = share;
        } else {
            high = share;
        }
    }
    high
}

/// Probability of at most `missed` misses in `trials`, each with probability `share`.
fn at_most(missed: u32, trials: u32, share: f64) -> f64 {
    if missed >= trials {
        return 1.0;
    }
    let (mut sum, mut log) = (0.0, f64::from(trials) * (1.0 - share).ln());
    for count in 0..=missed {
        sum += log.exp();
        log += (f64::from(trials - count) / f64::from(count + 1)).ln() + share.ln()
            - (1.0 - share).ln();
    }
    sum
}

/// Harmless commands of which something was taken.
fn touched(commands: &[String], plain: &Plain) -> Value {
    let hit: Vec<Value> = commands
        .iter()
        .filter(|command| !find(command).is_empty())
        .map(|command| json!({"line": command, "redacted": redact(command)}))
        .collect();
    let by_plain = commands
        .iter()
        .filter(|command| plain.redact(command) != **command)
        .count();
    json!({"commands": commands.len(), "touched": hit.len(), "touched_by_expressions": by_plain, "rows": hit})
}

/// Microseconds of a command, over harmless commands and over one sample of each shape.
fn times(harmless: &[String], plain: &Plain) -> Value {
    let mut dice = Dice::new(7);
    let secrets: Vec<String> = shapes()
        .iter()
        .filter(|shape| shape.secret != Secret::PrivateKey)
        .map(|shape| shape.sample(&mut dice).text)
        .collect();
    let over = |commands: &[String]| {
        json!({
            "commands": commands.len(),
            "redact": percentiles(commands, |text| redact(text).len()),
            "copy": percentiles(commands, |text| text.to_owned().len()),
            "expressions": percentiles(commands, |text| plain.redact(text).len()),
        })
    };
    json!({"harmless": over(harmless), "with_secrets": over(&secrets)})
}

fn percentiles(commands: &[String], work: impl Fn(&str) -> usize) -> Value {
    let mut times: Vec<f64> = commands
        .iter()
        .map(|command| {
            black_box(work(command));
            let mut runs: Vec<f64> = (0..ROUNDS)
                .map(|_| {
                    let started = Instant::now();
                    black_box(work(black_box(command)));
                    started.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            runs.sort_by(f64::total_cmp);
            runs.get(ROUNDS / 2).copied().unwrap_or(0.0)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let place = (times.len().saturating_sub(1) as f64 * part).round() as usize;
        times.get(place).copied().unwrap_or(0.0)
    };
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    json!({"mean": mean, "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)})
}

/// A set of regular expressions, as scanners of source text use it.
struct Plain {
    set: RegexSet,
    each: Vec<Regex>,
}

impl Plain {
    fn new(shapes: &[Shape]) -> Result<Self, regex::Error> {
        let mut sources = vec![
            r#"(?i:[a-z0-9_.-]*(?:password|passwd|secret|token|api_?key|access_?key|credentials?)[a-z0-9_.-]*["']?\s*[:=]\s*["']?([^\s"'&;]{6,}))"#.to_owned(),
            r#"(?i:--[a-z0-9-]*(?:password|secret|token|key)[= ]["']?([^\s"']{6,}))"#.to_owned(),
            r"(?:[a-zA-Z][a-zA-Z0-9+]*://[^\s/:@]*:([^\s/@]+)@)".to_owned(),
            r"(?i:bearer\s+([a-z0-9._~+/=-]{6,}))".to_owned(),
        ];
        for shape in shapes.iter().filter(|shape| shape.group == Group::Token) {
            sources.push(format!(
                r"(?:\b({}[A-Za-z0-9_.+/=-]{{16,}}))",
                regex::escape(&shape.name)
            ));
        }
        Ok(Self {
            set: RegexSet::new(&sources)?,
            each: sources
                .iter()
                .map(|source| Regex::new(source))
                .collect::<Result<_, _>>()?,
        })
    }

    fn redact(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for index in self.set.matches(text) {
            let Some(expression) = self.each.get(index) else {
                continue;
            };
            let spans: Vec<_> = expression
                .captures_iter(&out)
                .filter_map(|found| found.get(1).map(|group| group.range()))
                .collect();
            for span in spans.into_iter().rev() {
                out.replace_range(span, "[redacted]");
            }
        }
        out
    }
}
