//! What belongs together: everything that one command started is one event with a count.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use cmdai_exec_capture::Exec;

use super::judge::Judged;
use super::processes::Process;

/// A unit that was quiet this long is told of.
const QUIET_NS: u64 = 2_000_000_000;
/// One that goes on is told of in parts.
const PART_NS: u64 = 30_000_000_000;
/// Most units that are open, and most program names of one.
const MAX_OPEN: usize = 1_024;
const MAX_PROGRAMS: usize = 24;

/// Above what a unit stands.
#[derive(Debug, Clone)]
pub(crate) enum Anchor {
    /// A shell that reads from a person.
    Shell(Rc<Process>),
    /// An AI agent.
    Agent(Rc<Process>),
    /// Neither: a service, a job, a login.
    None,
}

/// The first process below the anchor, by number and beginning, and the anchor's own.
pub(crate) type Key = (u32, u64, u32);

/// Everything that one command started.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) anchor: Anchor,
    /// Number and beginning of the first process below the anchor.
    pub(crate) head: (u32, u64),
    /// From the process that was seen first to the first of all.
    pub(crate) line: Vec<Rc<Process>>,
    pub(crate) first: Exec,
    pub(crate) process: Rc<Process>,
    pub(crate) last_ns: u64,
    pub(crate) count: u64,
    /// How often it was told of before.
    pub(crate) part: u64,
    pub(crate) programs: BTreeMap<String, u64>,
    pub(crate) others: u64,
    pub(crate) judged: Option<Judged>,
    /// The strictest of all that is in it, where that is another.
    pub(crate) worst: Option<Judged>,
    /// Variables of agents; nothing where the process was gone.
    pub(crate) variables: Option<Vec<String>>,
    pub(crate) cadence: u32,
}

impl Unit {
    fn add(&mut self, exec: &Exec, name: &str, judged: Option<&Judged>) {
        self.count = self.count.saturating_add(1);
        self.last_ns = self.last_ns.max(exec.time_ns);
        if let Some(count) = self.programs.get_mut(name) {
            *count = count.saturating_add(1);
        } else if self.programs.len() < MAX_PROGRAMS {
            self.programs.insert(name.to_owned(), 1);
        } else {
            self.others = self.others.saturating_add(1);
        }
        if let Some(judged) = judged {
            let strictest = self
                .worst
                .as_ref()
                .or(self.judged.as_ref())
                .map(|known| known.policy.decision);
            if strictest.is_none_or(|known| judged.policy.decision > known) {
                self.worst = Some(judged.clone());
            }
        }
    }
}

/// The open ones.
#[derive(Default)]
pub(crate) struct Units(HashMap<Key, Unit>);

/// A program that started, with everything known of it.
pub(crate) struct Seen {
    pub(crate) exec: Exec,
    pub(crate) process: Rc<Process>,
    pub(crate) anchor: Anchor,
    pub(crate) key: Key,
    pub(crate) line: Vec<Rc<Process>>,
}

impl Units {
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// Adds one; gives back what had to make room for it.
    pub(crate) fn add(
        &mut self,
        seen: &Seen,
        judged: Option<&Judged>,
        variables: Option<Vec<String>>,
        cadence: u32,
    ) -> Option<Unit> {
        let mut pushed = None;
        if !self.0.contains_key(&seen.key) {
            if self.0.len() >= MAX_OPEN {
                let oldest = self
                    .0
                    .iter()
                    .min_by_key(|(_, unit)| unit.last_ns)
                    .map(|(key, _)| *key);
                pushed = oldest.and_then(|key| self.0.remove(&key));
            }
            self.0.insert(
                seen.key,
                Unit {
                    anchor: seen.anchor.clone(),
                    head: (seen.key.0, seen.key.1),
                    line: seen.line.clone(),
                    first: seen.exec.clone(),
                    process: seen.process.clone(),
                    last_ns: seen.exec.time_ns,
                    count: 0,
                    part: 0,
                    programs: BTreeMap::new(),
                    others: 0,
                    judged: judged.cloned(),
                    worst: None,
                    variables: variables.clone(),
                    cadence,
                },
            );
        }
        if let Some(unit) = self.0.get_mut(&seen.key) {
            unit.add(&seen.exec, seen.process.name(), judged);
            if let Some(more) = variables.filter(|more| !more.is_empty())
                && unit.variables.as_ref().is_none_or(Vec::is_empty)
            {
                unit.variables = Some(more);
            }
        }
        pushed
    }

    /// Those that are due, oldest first.
    pub(crate) fn due(&mut self, now_ns: u64) -> Vec<Unit> {
        let mut due = Vec::new();
        self.0.retain(|_, unit| {
            if unit.count == 0 {
                // Told of, and nothing since.
                return now_ns.saturating_sub(unit.last_ns) < PART_NS;
            }
            let quiet = now_ns.saturating_sub(unit.last_ns) >= QUIET_NS;
            let long = now_ns.saturating_sub(unit.first.time_ns)
                >= PART_NS.saturating_mul(unit.part.saturating_add(1));
            if quiet || long {
                due.push(unit.clone());
                unit.part = unit.part.saturating_add(1);
                unit.count = 0;
                unit.programs.clear();
                unit.others = 0;
                unit.worst = None;
            }
            true
        });
        due.sort_by_key(|unit| unit.first.time_ns);
        due
    }

    /// All that are open.
    pub(crate) fn all(&mut self) -> Vec<Unit> {
        let mut all: Vec<Unit> = self
            .0
            .drain()
            .map(|(_, unit)| unit)
            .filter(|unit| unit.count > 0)
            .collect();
        all.sort_by_key(|unit| unit.first.time_ns);
        all
    }
}
