//! Percentiles, what is added, the bars, and all of it as text.

use serde::Serialize;

use super::Shell;
use super::columns::{Column, EMPTY};

/// Everything that was measured.
#[derive(Serialize)]
pub(super) struct Report {
    what: &'static str,
    machine: Machine,
    shells: Vec<Measured>,
}

#[derive(Serialize)]
struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
    /// Load over the last minute, at the end.
    load: String,
}

/// One shell.
#[derive(Serialize)]
pub(super) struct Measured {
    shell: &'static str,
    version: String,
    columns: Vec<Row>,
}

/// One column, in microseconds.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    lines: usize,
    whole: Percentiles,
    /// Each percentile less the empty hook's.
    added: Percentiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<Bar>,
}

#[derive(Serialize, Clone, Copy, Default)]
struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
}

#[derive(Serialize)]
struct Bar {
    added_p95_below: f64,
    met: bool,
}

impl Percentiles {
    fn of(sorted: &[f64]) -> Self {
        let at = |part: f64| {
            let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
            sorted.get(place).copied().unwrap_or(0.0)
        };
        Self {
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
        }
    }

    fn over(self, base: Self) -> Self {
        Self {
            p50: self.p50 - base.p50,
            p95: self.p95 - base.p95,
            p99: self.p99 - base.p99,
        }
    }
}

impl Measured {
    /// From the times of each column.
    pub(super) fn of(shell: Shell, version: String, rows: Vec<(&Column, Vec<f64>)>) -> Self {
        let wholes: Vec<(&Column, usize, Percentiles)> = rows
            .into_iter()
            .map(|(column, mut times)| {
                times.sort_by(f64::total_cmp);
                (column, times.len(), Percentiles::of(&times))
            })
            .collect();
        let empty = wholes
            .iter()
            .find(|(column, ..)| column.name == EMPTY)
            .map_or_else(Percentiles::default, |(.., whole)| *whole);
        let (any, again) = shell.bars();
        let columns = wholes
            .into_iter()
            .map(|(column, lines, whole)| {
                let added = whole.over(empty);
                let bar = column.bar.map(|judged_before| {
                    let below = again.filter(|_| judged_before).unwrap_or(any);
                    Bar {
                        added_p95_below: below,
                        met: added.p95 < below,
                    }
                });
                Row {
                    name: column.name,
                    lines,
                    whole,
                    added,
                    bar,
                }
            })
            .collect();
        Self {
            shell: shell.name(),
            version,
            columns,
        }
    }
}

impl Report {
    /// Of these shells on this machine.
    pub(super) fn of(shells: Vec<Measured>) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let processor = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
            .map_or("unknown", |(_, name)| name.trim());
        Self {
            what: "microseconds of one line in an interactive shell, from right before Enter to the next prompt",
            machine: Machine {
                processor: processor.to_owned(),
                cores: std::thread::available_parallelism().map_or(0, usize::from),
                kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
                load: read("/proc/loadavg")
                    .split_whitespace()
                    .next()
                    .unwrap_or("unknown")
                    .to_owned(),
            },
            shells,
        }
    }

    /// A column misses its bar.
    pub(super) fn missed(&self) -> bool {
        self.shells
            .iter()
            .flat_map(|shell| &shell.columns)
            .filter_map(|column| column.bar.as_ref())
            .any(|bar| !bar.met)
    }

    /// As a table for each shell.
    pub(super) fn print(&self) {
        let Machine {
            processor,
            cores,
            kernel,
            load,
        } = &self.machine;
        println!("{processor} ({cores} cores), Linux {kernel}, load {load} at the end");
        for shell in &self.shells {
            println!(
                "\n{:40} {:>29}   {:>29}",
                shell.version, "whole line, µs", "added over the empty hook, µs"
            );
            println!(
                "{:34}{:>6} {:>9} {:>9} {:>9}   {:>9} {:>9} {:>9}",
                "", "lines", "p50", "p95", "p99", "p50", "p95", "p99"
            );
            for row in &shell.columns {
                let verdict = row.bar.as_ref().map_or_else(String::new, |bar| {
                    let word = if bar.met { "met" } else { "MISSED" };
                    format!("  {word}: p95 below {}", bar.added_p95_below)
                });
                println!(
                    "{:34}{:6} {:9.0} {:9.0} {:9.0}   {:9.0} {:9.0} {:9.0}{verdict}",
                    row.name,
                    row.lines,
                    row.whole.p50,
                    row.whole.p95,
                    row.whole.p99,
                    row.added.p50,
                    row.added.p95,
                    row.added.p99,
                );
            }
        }
    }
}
