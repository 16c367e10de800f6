//! The same commands under two policies: what would be decided differently, for whom.
//!
//! Pure: the caller reads the history, analyses each command once and adds it; several
//! simulations (one for each thread) are merged at the end.

use std::collections::{BTreeMap, HashMap};

use cmdai_schema::{Analysis, Decision, Facts, Judgement, Mode, Subject};
use serde::Serialize;

use crate::{Layers, decide};

/// Different commands that are kept with their text; more are only counted.
const MOST_KEPT: usize = 100_000;

/// One recorded command.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The redacted text.
    pub text: &'a str,
    /// What it does.
    pub analysis: &'a Analysis,
    /// What was known about the machine.
    pub facts: &'a Facts,
    /// Who acted.
    pub subject: &'a Subject,
    /// Name of the machine, where there are several.
    pub machine: Option<&'a str>,
}

/// Counts under both policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Under the old policy.
    pub old: u64,
    /// Under the new one.
    pub new: u64,
}

impl Pair {
    fn add(&mut self, old: bool, new: bool) {
        self.old += u64::from(old);
        self.new += u64::from(new);
    }

    fn merge(&mut self, other: Self) {
        self.old += other.old;
        self.new += other.new;
    }

    /// How much more often under the new one.
    pub fn growth(self) -> i64 {
        let (old, new) = (i64::try_from(self.old), i64::try_from(self.new));
        new.unwrap_or(i64::MAX)
            .saturating_sub(old.unwrap_or(i64::MAX))
    }
}

/// A command whose decision changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Redacted text.
    pub command: String,
    /// Decision under the old policy.
    pub old: Decision,
    /// Decision under the new one.
    pub new: Decision,
    /// How often it was run.
    pub count: u64,
    /// The rule that decides under the stricter of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// Adds up commands.
#[derive(Debug, Default)]
pub struct Simulation {
    commands: u64,
    decisions: BTreeMap<Decision, Pair>,
    rules: BTreeMap<String, Pair>,
    people: BTreeMap<String, Pair>,
    teams: BTreeMap<String, Pair>,
    machines: BTreeMap<String, Pair>,
    changed: HashMap<(String, Decision, Decision), (u64, Option<String>)>,
    stricter: u64,
    looser: u64,
    not_kept: u64,
}

impl Simulation {
    /// Judges one command under both policies and counts.
    pub fn add(&mut self, command: &Recorded<'_>, old: &Layers<'_>, new: &Layers<'_>) {
        let judge = |layers: &Layers<'_>| {
            decide(
                command.analysis,
                command.text,
                layers,
                command.facts,
                command.subject,
            )
        };
        let (was, is) = (judge(old), judge(new));
        self.commands += 1;
        self.decisions.entry(was.decision).or_default().old += 1;
        self.decisions.entry(is.decision).or_default().new += 1;
        for hit in was.rules.iter().filter(|hit| hit.mode != Mode::Off) {
            count(&mut self.rules, &hit.id).old += 1;
        }
        for hit in is.rules.iter().filter(|hit| hit.mode != Mode::Off) {
            count(&mut self.rules, &hit.id).new += 1;
        }
        let interrupted = |judgement: &Judgement| judgement.decision >= Decision::Confirm;
        let (before, now) = (interrupted(&was), interrupted(&is));
        if before || now {
            count(&mut self.people, &command.subject.user).add(before, now);
            for team in &command.subject.teams {
                count(&mut self.teams, team).add(before, now);
            }
            if let Some(machine) = command.machine {
                count(&mut self.machines, machine).add(before, now);
            }
        }
        if was.decision != is.decision {
            self.change(command.text, &was, &is);
        }
    }

    fn change(&mut self, text: &str, was: &Judgement, is: &Judgement) {
        let stricter = is.decision > was.decision;
        if stricter {
            self.stricter += 1;
        } else {
            self.looser += 1;
        }
        let key = (text.to_owned(), was.decision, is.decision);
        if self.changed.len() >= MOST_KEPT && !self.changed.contains_key(&key) {
            self.not_kept += 1;
            return;
        }
        let (count, rule) = self.changed.entry(key).or_default();
        *count += 1;
        if rule.is_none() {
            let deciding = if stricter { is } else { was };
            *rule = deciding.deciding_rule().map(|hit| hit.id.clone());
        }
    }

    /// Takes in another thread's counts.
    pub fn merge(&mut self, other: Self) {
        self.commands += other.commands;
        self.stricter += other.stricter;
        self.looser += other.looser;
        self.not_kept += other.not_kept;
        for (decision, pair) in other.decisions {
            self.decisions.entry(decision).or_default().merge(pair);
        }
        for (mine, theirs) in [
            (&mut self.rules, other.rules),
            (&mut self.people, other.people),
            (&mut self.teams, other.teams),
            (&mut self.machines, other.machines),
        ] {
            for (name, pair) in theirs {
                mine.entry(name).or_default().merge(pair);
            }
        }
        for (key, (count, rule)) in other.changed {
            let known = self.changed.entry(key).or_default();
            known.0 += count;
            known.1 = known.1.take().or(rule);
        }
    }

    /// The report, lists cut to `most` entries.
    pub fn report(self, most: usize) -> SimulationReport {
        let mut changed: Vec<Changed> = self
            .changed
            .into_iter()
            .map(|((command, old, new), (count, rule))| Changed {
                command,
                old,
                new,
                count,
                rule,
            })
            .collect();
        let distinct = changed.len() as u64 + self.not_kept;
        // Worst first: what is stopped more, by how much, and how often.
        changed.sort_by(|a, b| {
            let key = |change: &Changed| {
                (
                    std::cmp::Reverse(change.new > change.old),
                    std::cmp::Reverse(change.new.max(change.old)),
                    std::cmp::Reverse(change.count),
                )
            };
            key(a).cmp(&key(b)).then_with(|| a.command.cmp(&b.command))
        });
        changed.truncate(most);
        SimulationReport {
            commands: self.commands,
            stricter: self.stricter,
            looser: self.looser,
            decisions: self.decisions,
            rules: by_growth(self.rules, most),
            people: by_growth(self.people, most),
            teams: by_growth(self.teams, most),
            machines: by_growth(self.machines, most),
            changed,
            changed_distinct: distinct,
        }
    }
}

fn count<'a>(map: &'a mut BTreeMap<String, Pair>, name: &str) -> &'a mut Pair {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), Pair::default());
    }
    map.entry(name.to_owned()).or_default()
}

fn by_growth(map: BTreeMap<String, Pair>, most: usize) -> Vec<Named> {
    let mut list: Vec<Named> = map
        .into_iter()
        .map(|(name, interrupted)| Named { name, interrupted })
        .collect();
    list.sort_by(|a, b| {
        b.interrupted
            .growth()
            .abs()
            .cmp(&a.interrupted.growth().abs())
            .then_with(|| b.interrupted.new.cmp(&a.interrupted.new))
            .then_with(|| a.name.cmp(&b.name))
    });
    list.truncate(most);
    list
}

/// A name with its counts: firings for a rule, interruptions for people, teams and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Rule id, login name, team or machine.
    pub name: String,
    /// Counts.
    #[serde(flatten)]
    pub interrupted: Pair,
}

/// What a simulation found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimulationReport {
    /// Commands judged.
    pub commands: u64,
    /// Commands that are decided more strictly.
    pub stricter: u64,
    /// Commands that are decided less strictly.
    pub looser: u64,
    /// Commands by decision.
    pub decisions: BTreeMap<Decision, Pair>,
    /// How often each rule fires, most changed first.
    pub rules: Vec<Named>,
    /// How often each person is interrupted, most changed first.
    pub people: Vec<Named>,
    /// How often each team is.
    pub teams: Vec<Named>,
    /// How often people are on each machine.
    pub machines: Vec<Named>,
    /// Different commands whose decision changes, worst first.
    pub changed: Vec<Changed>,
    /// How many different ones there are in all.
    pub changed_distinct: u64,
}
