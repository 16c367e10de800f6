//! Plays a rollout on paper: machines, a clock of numbers, a script of events, and what follows.
//!
//! A script is lines of text, such as
//!
//! ```text
//! ring canary env=test count=2 wait=10m
//! ring everybody
//! max_in_flight 2
//! machines 6 env=test 2
//! publish 2
//! look 1s
//! ```
//!
//! | line | what happens |
//! |---|---|
//! | `ring NAME [KEY=VALUE] [count=N] [percent=N] [wait=TIME]` | a ring of the plan |
//! | `max_in_flight N`, `gate NAME N` | bounds of the plan |
//! | `machines N [KEY=VALUE M]` | N machines, the first M of them with a label |
//! | `publish VERSION [rollback]` | a release, signed; the one in force before it is its previous one |
//! | `take [N]` | N machines (all where left out) look at what is published and do what they do |
//! | `look TIME` | time goes on, then the server looks |
//! | `broken N`, `silent N`, `away N` | of the machines that were offered: cannot install, go silent; `away`: of all, not about |
//! | `back` | silent, away and broken machines are well again |
//! | `interruptions CHANGE COMMANDS` | change per thousand commands |
//! | `halt REASON`, `continue` | what a person does |
//! | `restart` | the server's state is written down, read again |

use std::collections::BTreeMap;

use crate::rings::{Amount, OneOrMore, Plan, PlanRing, Progress, Rings, seconds};
use crate::rollout::{Event, Figures, Phase, RingSeen, State};

struct Machine {
    id: String,
    labels: BTreeMap<String, String>,
    version: u64,
    broken: bool,
    silent: bool,
    away: bool,
}

/// A rollout on paper.
#[derive(Default)]
pub struct Simulation {
    plan: Plan,
    machines: Vec<Machine>,
    rings: Option<Rings>,
    state: Option<State>,
    previous: u64,
    done: u64,
    now_ms: u64,
    change: (u64, u64),
}

impl Simulation {
    /// Plays one line; what changed by it, in words.
    ///
    /// # Errors
    /// Where the line is not understood or does not fit.
    pub fn play(&mut self, line: &str) -> Result<Vec<String>, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| -> Result<u64, String> {
            words
                .get(at)
                .and_then(|word| word.parse().ok())
                .ok_or_else(|| format!("{line}: a number is missing"))
        };
        let before = (self.describe(), self.versions());
        match words.first().copied().unwrap_or("") {
            "" | "#" => return Ok(Vec::new()),
            "ring" => self.ring(words.get(1..).unwrap_or_default())?,
            "max_in_flight" => self.plan.max_in_flight = Some(Amount::Number(number(1)?)),
            "gate" => {
                let gate = &mut self.plan.gate;
                let field = match words.get(1).copied().unwrap_or("") {
                    "change" => &mut gate.change_per_thousand,
                    "min_commands" => &mut gate.min_commands,
                    "problems" => &mut gate.problems,
                    "silent" => &mut gate.silent,
                    other => return Err(format!("the gate has no {other:?}")),
                };
                *field = Some(number(2)?);
            }
            "machines" => {
                let label = words.get(2).and_then(|word| word.split_once('='));
                let marked = if label.is_some() { number(3)? } else { 0 };
                for n in 1..=number(1)? {
                    let labels = label
                        .filter(|_| n <= marked)
                        .map(|(key, value)| (key.to_owned(), value.to_owned()));
                    self.machines.push(Machine {
                        id: format!("m-{n}"),
                        labels: labels.into_iter().collect(),
                        version: 1,
                        broken: false,
                        silent: false,
                        away: false,
                    });
                }
                self.done = 1;
            }
            "publish" => self.publish(number(1)?, words.get(2) == Some(&"rollback"))?,
            "take" => self.take(words.get(1).map_or(Ok(u64::MAX), |_| number(1))?),
            "look" => {
                self.now_ms += 1_000 * seconds(words.get(1).copied().unwrap_or("0s"))?;
                let figures = self.figures();
                let at_ms = self.now_ms;
                self.step(&Event::Look {
                    at_ms,
                    figures: &figures,
                })?;
            }
            word @ ("broken" | "silent") => {
                let mut left = number(1)?;
                let offered = self.offered();
                for (machine, _) in self.machines.iter_mut().zip(offered).filter(|(_, on)| *on) {
                    if left > 0 && !machine.broken && !machine.silent {
                        left -= 1;
                        if word == "broken" {
                            machine.broken = true;
                        } else {
                            machine.silent = true;
                        }
                    }
                }
            }
            "away" => {
                let count = usize::try_from(number(1)?).unwrap_or(0);
                self.machines
                    .iter_mut()
                    .take(count)
                    .for_each(|machine| machine.away = true);
            }
            "back" => self.machines.iter_mut().for_each(|machine| {
                machine.broken = false;
                machine.silent = false;
                machine.away = false;
            }),
            "interruptions" => self.change = (number(1)?, number(2)?),
            "halt" => {
                let reason = line.trim().strip_prefix("halt").unwrap_or("").trim();
                self.step(&Event::Halt { reason })?;
            }
            "continue" => {
                let figures = self.figures();
                let at_ms = self.now_ms;
                self.step(&Event::Continue {
                    at_ms,
                    figures: &figures,
                })?;
            }
            "restart" => {
                let text = serde_json::to_string(&self.state).map_err(|error| error.to_string())?;
                self.state = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            }
            other => return Err(format!("{other:?} is not understood")),
        }
        let mut changed = Vec::new();
        if let Some(state) = &mut self.state
            && state.untold
        {
            state.untold = false;
            changed.push(format!("alert: {}", state.reason));
        }
        let after = (self.describe(), self.versions());
        if after.0 != before.0 {
            changed.push(after.0);
        }
        if after.1 != before.1 {
            changed.push(after.1);
        }
        Ok(changed)
    }

    fn ring(&mut self, words: &[&str]) -> Result<(), String> {
        let mut ring = PlanRing {
            name: (*words.first().ok_or("a ring has a name")?).to_owned(),
            ..PlanRing::default()
        };
        for word in words.get(1..).unwrap_or_default() {
            let (key, value) = word.split_once('=').ok_or("key=value is wanted")?;
            match key {
                "count" => ring.count = value.parse().ok(),
                "percent" => ring.percent = value.parse().ok(),
                "wait" => value.clone_into(&mut ring.wait),
                label => {
                    ring.labels
                        .insert(label.to_owned(), OneOrMore::One(value.to_owned()));
                }
            }
        }
        self.plan.rings.push(ring);
        Ok(())
    }

    fn publish(&mut self, version: u64, rollback: bool) -> Result<(), String> {
        if self.state.is_some() {
            self.step(&Event::Overtaken {
                by: version,
                rollback,
            })?;
        }
        self.previous = self.done;
        let fleet: Vec<(String, BTreeMap<String, String>)> = self
            .machines
            .iter()
            .map(|machine| (machine.id.clone(), machine.labels.clone()))
            .collect();
        self.rings = if rollback || self.plan.rings.is_empty() {
            None
        } else {
            Some(
                self.plan
                    .resolve(version, &format!("salt {version}"), &fleet)?,
            )
        };
        self.change = (0, 0);
        self.state = Some(State::draft(version));
        let at_ms = self.now_ms;
        self.step(&Event::Signed { at_ms })
    }

    fn step(&mut self, event: &Event<'_>) -> Result<(), String> {
        let state = self.state.as_ref().ok_or("nothing is published")?;
        let next = state
            .after(event, self.rings.as_ref())
            .map_err(|error| error.to_string())?;
        if next.phase == Phase::Done {
            self.done = next.release;
        }
        self.state = Some(next);
        Ok(())
    }

    fn progress(&self) -> Option<Progress> {
        self.state.as_ref().map(State::progress)
    }

    /// Machines to which the release was offered, halted or not.
    fn offered(&self) -> Vec<bool> {
        let progress = self.progress();
        let reaches = |machine: &Machine| match (&self.rings, &progress) {
            (Some(rings), Some(progress)) => {
                progress.reaches(rings.seat(&machine.id, &machine.labels))
            }
            (None, progress) => progress.is_some(),
            _ => false,
        };
        self.machines.iter().map(reaches).collect()
    }

    fn take(&mut self, count: u64) {
        let Some(release) = self.state.as_ref().map(|state| state.release) else {
            return;
        };
        let progress = self.progress();
        let mut left = count;
        for machine in &mut self.machines {
            if machine.away || machine.silent || machine.broken || left == 0 {
                continue;
            }
            let open = self.rings.as_ref().is_none_or(|rings| {
                rings.open_for(progress.as_ref(), &machine.id, &machine.labels)
            });
            if open && machine.version < release {
                machine.version = release;
                left -= 1;
            } else if !open && machine.version < self.previous {
                machine.version = self.previous;
                left -= 1;
            }
        }
    }

    fn figures(&self) -> Figures {
        let Some((rings, release)) = self
            .rings
            .as_ref()
            .zip(self.state.as_ref().map(|state| state.release))
        else {
            return Figures::default();
        };
        let mut seen = vec![RingSeen::default(); rings.rings.len()];
        for (machine, offered) in self.machines.iter().zip(self.offered()) {
            let seat = rings.seat(&machine.id, &machine.labels);
            let Some(ring) = seen.get_mut(seat.ring).filter(|_| !machine.away) else {
                continue;
            };
            ring.places.push(seat.place);
            if offered && machine.silent {
                ring.silent += 1;
            } else if offered && machine.version == release {
                ring.current += 1;
            } else if offered && machine.broken {
                ring.problems += 1;
            }
        }
        seen.iter_mut().for_each(|ring| ring.places.sort_unstable());
        Figures {
            rings: seen,
            change_per_mille: self.change.0,
            commands: self.change.1,
        }
    }

    fn describe(&self) -> String {
        let Some(state) = &self.state else {
            return "nothing".to_owned();
        };
        let ring = self
            .rings
            .as_ref()
            .and_then(|rings| rings.rings.get(state.ring))
            .map(|ring| format!(", ring {}", ring.name))
            .unwrap_or_default();
        let offered = self.offered().iter().filter(|on| **on).count();
        let reason = if state.reason.is_empty() {
            String::new()
        } else {
            format!(" ({})", state.reason)
        };
        format!(
            "release {} {}{ring}, offered to {offered} of {}{reason}",
            state.release,
            state.phase.as_str(),
            self.machines.len()
        )
    }

    fn versions(&self) -> String {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for machine in &self.machines {
            *counts.entry(machine.version).or_default() += 1;
        }
        let list: Vec<String> = counts
            .iter()
            .map(|(version, count)| format!("{count} on {version}"))
            .collect();
        format!("machines: {}", list.join(", "))
    }
}
