//! The report as text.

use serde_json::Value;

fn number(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Rows in the order in which a command goes through them.
const STAGES: &[&str] = &[
    "parse",
    "parse+effects",
    "parse+effects+decision, built-in packs",
    "parse+effects+decision, 1,000 rules more",
    "the same, safer command judged as well",
    "first command of a process, 1,000 rules",
    "loading the snapshot, 1,000 rules",
];

pub(super) fn print(report: &Value) {
    for suite in list(report, "suites") {
        let Some(inside) = suite.get("in_process") else {
            continue;
        };
        println!(
            "\n{}: {} commands, in one process (µs)\n{:44} {:>8} {:>8} {:>8} {:>8}",
            text(suite, "suite"),
            number(inside, "commands"),
            "",
            "p50",
            "p95",
            "p99",
            "max"
        );
        for stage in STAGES {
            let Some(row) = inside.get("micros").and_then(|micros| micros.get(stage)) else {
                continue;
            };
            println!(
                "{stage:44} {:8.1} {:8.1} {:8.1} {:8.1}",
                number(row, "p50"),
                number(row, "p95"),
                number(row, "p99"),
                number(row, "max")
            );
        }
        let memory = inside.get("memory_kib").unwrap_or(&Value::Null);
        println!(
            "{:.0} commands/s under 1,000 rules; snapshot {:.0} KiB; memory {:.1} MiB, peak {:.1} MiB",
            number(inside, "per_second"),
            number(inside, "snapshot_bytes") / 1024.0,
            number(memory, "now") / 1024.0,
            number(memory, "peak") / 1024.0
        );
        for row in list(inside, "slowest") {
            println!(
                "  {:8.1} µs {:6} bytes  {:?}",
                number(row, "micros"),
                number(row, "bytes"),
                text(row, "command")
            );
        }
    }
    if let Some(batch) = report.get("batch") {
        println!(
            "\ncmdai check --batch: {:.0} rows/s with JSON in and out, peak {:.1} MiB",
            number(batch, "rows_per_second"),
            number(batch, "peak_kib") / 1024.0
        );
    }
    println!(
        "\n{:24} {:>6} {:>9} {:>9} {:>9} {:>12}",
        "process, start to exit", "runs", "p50 ms", "p95 ms", "p99 ms", "× /bin/true"
    );
    for row in list(report, "process") {
        println!(
            "{:24} {:6} {:9.2} {:9.2} {:9.2} {:12.1}",
            text(row, "name"),
            number(row, "runs"),
            number(row, "p50_ms"),
            number(row, "p95_ms"),
            number(row, "p99_ms"),
            number(row, "times_true")
        );
    }
}
