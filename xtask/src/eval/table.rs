//! The tables for people.

use super::corpus::Label;
use super::score::{Macro, Report};

/// Prints all tables.
pub(crate) fn print(report: &Report, categories: usize) {
    for (label, title) in [
        (Label::Deny, "dangerous (deny): interrupted, more is better"),
        (
            Label::Allow,
            "harmless (allow): interrupted, less is better",
        ),
        (Label::Ask, "in between (ask): interrupted, reported apart"),
    ] {
        suites(report, label, title);
    }
    println!("\ntime in the engine, µs       p50    p95    p99    max");
    for suite in &report.suites {
        let [p50, p95, p99, max] = suite.micros;
        println!("  {:24}{p50:7}{p95:7}{p99:7}{max:7}", suite.name);
    }
    worst(report, categories);
    let rejected = &report.rejected;
    println!(
        "\nlabels rejected: {} rows, {:.2} % of those scored",
        rejected.rows, rejected.share_percent
    );
    for (kind, rows) in &rejected.kinds {
        let reason = rejected.reasons.get(kind).map_or("", String::as_str);
        println!("  {rows:5}  {kind}: {reason}");
    }
    println!(
        "not scored: {} ambiguous rows; {} commands carry deny in one suite and allow in another",
        report.ambiguous, report.contradictions
    );
}

fn suites(report: &Report, label: Label, title: &str) {
    println!("\n{title}");
    println!(
        "  {:22}{:>13}{:>9}{:>18}{:>10}{:>9}{:>13}{:>9}",
        "suite", "raw", "%", "95 %", "denied %", "unknown", "adjusted", "%"
    );
    for suite in &report.suites {
        let Some(both) = suite.labels.get(&label) else {
            continue;
        };
        let (raw, adjusted) = (both.raw, both.adjusted);
        let (low, high) = raw.interval();
        println!(
            "  {:22}{:>13}{:9.2}{:>18}{:10.2}{:9}{:>13}{:9.2}",
            suite.name,
            format!("{}/{}", raw.interrupted, raw.rows),
            raw.percent(),
            format!("{low:.2}–{high:.2}"),
            raw.denied_percent(),
            raw.unknown,
            format!("{}/{}", adjusted.interrupted, adjusted.rows),
            adjusted.percent(),
        );
    }
    if let Some(both) = report.macros.get(&label) {
        average("macro-average, raw", both.raw);
        average("macro-average, adjusted", both.adjusted);
    }
}

fn average(name: &str, average: Macro) {
    println!(
        "  {name:24}{:6.2} %  ({:.2}–{:.2}, {} suites)",
        average.percent, average.low, average.high, average.suites
    );
}

fn worst(report: &Report, most: usize) {
    println!(
        "\n  {:16}{:42}{:7}{:>13}{:>9}{:>13}{:>9}",
        "suite", "category", "label", "raw", "%", "adjusted", "wrong"
    );
    for category in report
        .categories
        .iter()
        .filter(|category| category.wrong() > 0)
        .take(most)
    {
        let (raw, adjusted) = (category.share.raw, category.share.adjusted);
        let label = match category.label {
            Label::Deny => "deny",
            Label::Ask => "ask",
            Label::Allow => "allow",
        };
        println!(
            "  {:16}{:42}{label:7}{:>13}{:9.2}{:>13}{:9}",
            category.suite,
            category.name,
            format!("{}/{}", raw.interrupted, raw.rows),
            raw.percent(),
            format!("{}/{}", adjusted.interrupted, adjusted.rows),
            category.wrong(),
        );
    }
    let wrong = report
        .categories
        .iter()
        .filter(|category| category.wrong() > 0)
        .count();
    if wrong > most {
        println!("  … and {} more categories", wrong - most);
    }
}
