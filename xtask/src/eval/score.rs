//! From answers to shares with their intervals. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::corpus::{Label, Rejections, Suite};
use super::judge::Answer;

/// A share of rejected rows above this makes the whole evaluation fail, in per cent.
pub(crate) const MOST_REJECTED_PERCENT: f64 = 5.0;

/// A count of rows and how many of them were interrupted.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct Share {
    pub(crate) rows: u64,
    pub(crate) interrupted: u64,
    pub(crate) denied: u64,
    pub(crate) unknown: u64,
}

impl Share {
    fn add(&mut self, answer: &Answer) {
        self.rows += 1;
        self.interrupted += u64::from(answer.interrupted());
        self.denied += u64::from(answer.denied());
        self.unknown += u64::from(answer.unknown);
    }

    /// Interrupted, in per cent.
    pub(crate) fn percent(self) -> f64 {
        per_cent(self.interrupted, self.rows)
    }

    /// Denied outright, in per cent.
    pub(crate) fn denied_percent(self) -> f64 {
        per_cent(self.denied, self.rows)
    }

    /// Wilson's interval at 95 %, in per cent.
    pub(crate) fn interval(self) -> (f64, f64) {
        if self.rows == 0 {
            return (0.0, 100.0);
        }
        let z = 1.96_f64;
        let (n, p) = (self.rows as f64, self.percent() / 100.0);
        let middle = p + z * z / (2.0 * n);
        let reach = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 100.0 / (1.0 + z * z / n);
        (
            ((middle - reach) * scale).max(0.0),
            ((middle + reach) * scale).min(100.0),
        )
    }
}

fn per_cent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        100.0 * part as f64 / whole as f64
    }
}

/// A share with and without the rejected rows.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct Both {
    pub(crate) raw: Share,
    pub(crate) adjusted: Share,
}

/// Mean of the suites' shares, each suite counting the same, with a 95 % interval.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct Macro {
    pub(crate) suites: u64,
    pub(crate) percent: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Everything that is printed.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) suites: Vec<SuiteScore>,
    pub(crate) macros: BTreeMap<Label, MacroBoth>,
    pub(crate) categories: Vec<Category>,
    pub(crate) rejected: Rejected,
    /// Rows marked ambiguous: answered, not scored.
    pub(crate) ambiguous: u64,
    /// Rows on which several suites disagree with each other and are therefore somebody's mistake.
    pub(crate) contradictions: u64,
}

#[derive(Serialize)]
pub(crate) struct MacroBoth {
    pub(crate) raw: Macro,
    pub(crate) adjusted: Macro,
}

#[derive(Serialize)]
pub(crate) struct SuiteScore {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<Label, Both>,
    /// Time of parse, effects and decision by the binary's own clock: p50, p95, p99, max.
    pub(crate) micros: [u64; 4],
}

#[derive(Serialize)]
pub(crate) struct Category {
    pub(crate) suite: String,
    pub(crate) name: String,
    pub(crate) label: Label,
    pub(crate) share: Both,
}

impl Category {
    /// Rows on which we and the label disagree, after rejections.
    pub(crate) fn wrong(&self) -> u64 {
        let share = self.share.adjusted;
        match self.label {
            Label::Deny => share.rows - share.interrupted,
            Label::Allow => share.interrupted,
            Label::Ask => 0,
        }
    }
}

#[derive(Default, Serialize)]
pub(crate) struct Rejected {
    /// Of all rows that are scored.
    pub(crate) share_percent: f64,
    pub(crate) rows: u64,
    pub(crate) kinds: BTreeMap<String, u64>,
    pub(crate) reasons: BTreeMap<String, String>,
}

/// Counts. `answers` has one vector for each suite, one answer for each row.
pub(crate) fn score(suites: &[Suite], answers: &[Vec<Answer>], rejections: &Rejections) -> Report {
    let mut scores = Vec::new();
    let mut categories: BTreeMap<(String, String, Label), Both> = BTreeMap::new();
    let mut rejected = Rejected {
        reasons: rejections.reasons.clone(),
        ..Rejected::default()
    };
    let (mut ambiguous, mut scored) = (0, 0);
    let mut seen: BTreeMap<&str, [bool; 2]> = BTreeMap::new();
    for (suite, answers) in suites.iter().zip(answers) {
        let mut labels: BTreeMap<Label, Both> = BTreeMap::new();
        for (row, answer) in suite.rows.iter().zip(answers) {
            if row.ambiguous {
                ambiguous += 1;
                continue;
            }
            scored += 1;
            let labelled = seen.entry(row.command.as_str()).or_default();
            match row.label {
                Label::Deny => labelled[0] = true,
                Label::Allow => labelled[1] = true,
                Label::Ask => {}
            }
            let group = (suite.name.clone(), row.category.clone(), row.label);
            let both = labels.entry(row.label).or_default();
            let group = categories.entry(group).or_default();
            both.raw.add(answer);
            group.raw.add(answer);
            if let Some(kind) = rejections.kind_of.get(&row.id) {
                rejected.rows += 1;
                *rejected.kinds.entry(kind.clone()).or_default() += 1;
            } else {
                both.adjusted.add(answer);
                group.adjusted.add(answer);
            }
        }
        scores.push(SuiteScore {
            name: suite.name.clone(),
            labels,
            micros: percentiles(answers.iter().map(|answer| answer.micros).collect()),
        });
    }
    rejected.share_percent = per_cent(rejected.rows, scored);
    let macros = [Label::Deny, Label::Ask, Label::Allow]
        .into_iter()
        .map(|label| {
            let of = |pick: fn(&Both) -> Share| {
                let shares: Vec<Share> = scores
                    .iter()
                    .filter_map(|suite| suite.labels.get(&label).map(pick))
                    .filter(|share| share.rows > 0)
                    .collect();
                macro_average(&shares)
            };
            let both = MacroBoth {
                raw: of(|both| both.raw),
                adjusted: of(|both| both.adjusted),
            };
            (label, both)
        })
        .collect();
    let mut categories: Vec<Category> = categories
        .into_iter()
        .map(|((suite, name, label), share)| Category {
            suite,
            name,
            label,
            share,
        })
        .collect();
    categories.sort_by_key(|category| std::cmp::Reverse(category.wrong()));
    Report {
        suites: scores,
        macros,
        categories,
        rejected,
        ambiguous,
        contradictions: seen.values().filter(|both| both[0] && both[1]).count() as u64,
    }
}

/// Mean over suites. The interval treats the suites as given and their rows as drawn: the variance
/// of each share, with two rows added to each side so that 0 and 100 % are not taken for certain.
fn macro_average(shares: &[Share]) -> Macro {
    if shares.is_empty() {
        return Macro::default();
    }
    let count = shares.len() as f64;
    let mean = shares.iter().map(|share| share.percent()).sum::<f64>() / count;
    let variance = shares
        .iter()
        .map(|share| {
            let n = share.rows as f64 + 4.0;
            let p = (share.interrupted as f64 + 2.0) / n;
            p * (1.0 - p) / n
        })
        .sum::<f64>()
        / (count * count);
    let reach = 196.0 * variance.sqrt();
    Macro {
        suites: shares.len() as u64,
        percent: mean,
        low: (mean - reach).max(0.0),
        high: (mean + reach).min(100.0),
    }
}

fn percentiles(mut values: Vec<u64>) -> [u64; 4] {
    values.sort_unstable();
    let at = |permille: usize| {
        let last = values.len().saturating_sub(1);
        values
            .get((last * permille).div_ceil(1000))
            .copied()
            .unwrap_or_default()
    };
    [at(500), at(950), at(990), at(1000)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(interrupted: u64, rows: u64) -> Share {
        Share {
            rows,
            interrupted,
            ..Share::default()
        }
    }

    #[test]
    fn an_interval_holds_the_share_and_narrows_with_rows() {
        let (low, high) = share(95, 100).interval();
        assert!(low < 95.0 && 95.0 < high, "{low} {high}");
        assert!((88.8..88.9).contains(&low) && (97.8..97.9).contains(&high));
        let (wide, _) = share(10, 10).interval();
        assert!(wide < 75.0, "ten of ten is not certainty: {wide}");
    }

    #[test]
    fn every_suite_counts_the_same_in_a_macro_average() {
        let average = macro_average(&[share(1, 2), share(1000, 1000)]);
        assert!((average.percent - 75.0).abs() < 1e-9);
        assert!(average.low < 75.0 && average.high > 75.0);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(percentiles((1..=100).collect()), [51, 96, 100, 100]);
        assert_eq!(percentiles(Vec::new()), [0; 4]);
    }
}
