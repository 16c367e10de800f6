//! Roll-up: calm commands of one run of a script are one event with a count.
//!
//! What was stopped, asked about, approved, warned of, or noticed by any rule keeps its own event, and so
//! does whatever reaches out of the machine or touches what it is ruled by. The rest of one run (a shell
//! that reads from a script; a script that it calls is a run of its own) is added up here and told when the
//! run ends, when it is quiet, or in parts. The event says which counters of its session it covers, so that
//! every record is in exactly one event.
//!
//! The books are part of the sealed note: after a crash the records behind the note are read again, and
//! nothing is told twice or not at all.

use std::collections::{BTreeMap, BTreeSet};

use cmdai_schema::record::{Half, Record, Start};
use cmdai_schema::{Decision, EventType, Layer, Payload, Risk, UserRef};
use serde::{Deserialize, Serialize};

use crate::keeper::draft::{self, Draft, EXACT, End};
use crate::keeper::seal::FileNote;

/// A run that said nothing for so long is told of, in milliseconds.
const QUIET_MS: u64 = 5_000;
/// The same where its process is gone.
const GONE_MS: u64 = 2_000;
/// One that goes on is told of in parts.
const PART_MS: u64 = 30_000;
/// A command that is longer keeps its own event, in bytes: its text, and its record with all that it names.
const MAX_TEXT: usize = 1_024;
const MAX_RECORD: u64 = 3_072;
/// Most bytes of texts in one event, and most of one text.
const TEXTS: usize = 1_024;
const TEXT: usize = 240;
/// Most names of programs in one event, and the longest.
const PROGRAMS: usize = 24;
const NAME: usize = 64;
/// Most ranges of counters of one event: scripts that run at once take turns in a session.
const RANGES: usize = 32;
/// Most runs of one session, and of all: the note, which holds them, has to find room on a full disk. The
/// commands of further ones are told one by one.
const RUNS: usize = 16;
pub(super) const MAX_RUNS: usize = 32;
/// Effects that stay on the machine and on files that policy does not care about.
const CALM: &[&str] = &[
    "read",
    "write",
    "overwrite",
    "move",
    "delete",
    "change-mode",
    "run-code",
    "process-kill",
    "unknown",
];

/// One run of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Roll {
    /// The shell.
    pid: u32,
    script: String,
    /// What is told next as part number.
    part: u64,
    /// The first command of this part.
    first_ms: u64,
    payload: Payload,
    end: Option<(i32, u64)>,
    /// Records' time of the last.
    last_ms: u64,
    /// When the first and the last of this part was read.
    opened_ms: u64,
    news_ms: u64,
    /// Commands with records in this part, and those of them that ended with another status than 0.
    count: u64,
    failed: u64,
    /// The command that runs.
    open: Option<String>,
    texts: Vec<String>,
    programs: BTreeMap<String, u64>,
    others: u64,
    effects: BTreeSet<String>,
    counters: Vec<(u64, u64)>,
    /// The shell's own count, now and when it was told last.
    seen: u64,
    told: u64,
}

/// Nothing about it needs an event of its own.
fn is_calm(start: &Start) -> bool {
    start.allowed
        && start.approval.is_none()
        && start.layer == Layer::Shell
        && start.policy.decision == Decision::Allow
        && start.policy.risk_level == Risk::Safe
        && start.policy.violated_rules.is_empty()
        && start.policy.monitored.is_none()
        && start.text.len() <= MAX_TEXT
        && start.command_id.len() <= super::MAX_COMMAND_ID
        && start.times.is_none()
        && !start.private
        && start
            .effects
            .iter()
            .all(|effect| CALM.contains(&effect.as_str()))
}

/// Puts a record of `length` bytes into the books of its run; true where they hold all of it, else it is told of by itself.
/// `room`: another run may be opened. What is due by it goes to `due`.
pub(super) fn take(
    file: &mut FileNote,
    record: &Record,
    user: &UserRef,
    length: u64,
    room: bool,
    due: &mut Vec<Draft>,
) -> bool {
    let now_ms = crate::clock::now_ms();
    let Some(script) = &record.script else {
        return false;
    };
    let (small, room) = (length <= MAX_RECORD, room && length <= MAX_RECORD);
    let place = file.rolls.iter().position(|roll| roll.pid == record.pid);
    match &record.half {
        Half::SessionStart { .. } => {
            // Another script in the same process: it took the place of the one before, or the number
            // came again.
            due.extend(place.and_then(|place| file.rolls.remove(place).tell("replaced")));
            if room {
                open(file, record, user, now_ms, due);
            }
            false
        }
        Half::Start(start) => {
            if place.is_none() && room {
                open(file, record, user, now_ms, due);
            }
            let Some(roll) = file.rolls.iter_mut().find(|roll| roll.pid == record.pid) else {
                return false;
            };
            roll.seen = roll.seen.max(script.seen);
            if !small || !is_calm(start) {
                return false;
            }
            roll.start(record, start, user, now_ms);
            if roll.counters.len() >= RANGES {
                due.extend(roll.tell("goes on"));
            }
            true
        }
        Half::End {
            command_id,
            exit_code,
            duration_us,
        } => {
            let Some(roll) = place.and_then(|place| file.rolls.get_mut(place)) else {
                return false;
            };
            roll.seen = roll.seen.max(script.seen);
            if roll.open.as_ref() != Some(command_id) {
                return false;
            }
            roll.open = None;
            // Its start was told of: it has an end of its own.
            if roll.count == 0 {
                return false;
            }
            roll.cover(record, now_ms);
            roll.failed = roll.failed.saturating_add(u64::from(*exit_code != 0));
            roll.end = (roll.count == 1).then_some((*exit_code, *duration_us));
            true
        }
        Half::SessionEnd => {
            let Some(place) = place else {
                return false;
            };
            let mut roll = file.rolls.remove(place);
            roll.seen = roll.seen.max(script.seen);
            roll.cover(record, now_ms);
            due.extend(roll.tell("ended"));
            true
        }
        Half::Private { .. } | Half::Recording { .. } => false,
    }
}

/// A record was told of by itself: the run's count leaves that command out.
pub(super) fn told_alone(file: &mut FileNote, record: &Record) {
    if let Half::Start(_) = record.half
        && let Some(roll) = file.rolls.iter_mut().find(|roll| roll.pid == record.pid)
    {
        roll.told = roll.told.saturating_add(1).min(roll.seen);
    }
}

/// A run of which nothing is to be told yet.
fn open(file: &mut FileNote, record: &Record, user: &UserRef, now_ms: u64, due: &mut Vec<Draft>) {
    let Some(script) = &record.script else {
        return;
    };
    if file.rolls.len() >= RUNS {
        let ages = file.rolls.iter().enumerate();
        let oldest = ages.min_by_key(|(_, roll)| roll.news_ms);
        if let Some(oldest) = oldest.map(|(place, _)| place) {
            due.extend(file.rolls.remove(oldest).tell("goes on"));
        }
    }
    file.rolls.push(Roll {
        pid: record.pid,
        script: script.name.clone(),
        first_ms: record.time_ms,
        news_ms: now_ms,
        payload: draft::of_run(record, user).payload,
        // It has just begun its first, and a fork has the number of the whole.
        told: script.seen.saturating_sub(1),
        seen: script.seen.saturating_sub(1),
        ..Roll::default()
    });
}

/// What is due in one session by now; `all`: whatever there is, because its file is gone.
pub(super) fn due(
    file: &mut FileNote,
    now_ms: u64,
    all: bool,
    lives: impl Fn(u32) -> bool,
) -> Vec<Draft> {
    let mut due = Vec::new();
    file.rolls.retain_mut(|roll| {
        // A clock that was set back makes it due as well.
        let passed = |since: u64, limit: u64| now_ms < since || now_ms - since >= limit;
        let gone = all || passed(roll.news_ms, GONE_MS) && !lives(roll.pid);
        if gone {
            // Of a run without records only its own last word says how much there was: a fork has
            // the number of the whole.
            due.extend(
                (roll.count > 0)
                    .then(|| roll.tell("killed or replaced"))
                    .flatten(),
            );
        } else if roll.count > 0
            && (passed(roll.news_ms, QUIET_MS) || passed(roll.opened_ms, PART_MS))
        {
            due.extend(roll.tell("goes on"));
        }
        !gone
    });
    due
}

/// Something of it is still to be told.
pub(super) fn is_open(file: &FileNote) -> bool {
    file.rolls.iter().any(|roll| roll.count > 0)
}

impl Roll {
    fn start(&mut self, record: &Record, start: &Start, user: &UserRef, now_ms: u64) {
        if self.count == 0 {
            let draft = draft::of_start(record, start, None, user, false);
            self.first_ms = record.time_ms;
            self.payload = draft.payload;
            self.end = None;
            self.opened_ms = now_ms;
        }
        self.cover(record, now_ms);
        self.count = self.count.saturating_add(1);
        self.open = Some(start.command_id.clone());
        self.effects.extend(start.effects.iter().cloned());
        for name in &start.programs {
            let name = cut(name, NAME);
            if let Some(count) = self.programs.get_mut(name) {
                *count = count.saturating_add(1);
            } else if self.programs.len() < PROGRAMS {
                self.programs.insert(name.to_owned(), 1);
            } else {
                self.others = self.others.saturating_add(1);
            }
        }
        let held: usize = self.texts.iter().map(|text| text.len() + 1).sum();
        let text = cut(&start.text, TEXT);
        if !text.is_empty()
            && held + text.len() < TEXTS
            && !self.texts.iter().any(|known| known == text)
        {
            self.texts.push(text.to_owned());
        }
    }

    /// The record is told of by this event.
    fn cover(&mut self, record: &Record, now_ms: u64) {
        self.news_ms = now_ms;
        self.last_ms = self.last_ms.max(record.time_ms);
        match self.counters.last_mut() {
            Some((_, to)) if record.counter == to.saturating_add(1) => *to = record.counter,
            _ => self.counters.push((record.counter, record.counter)),
        }
    }

    /// The event of this part; the books of the next one are empty.
    fn tell(&mut self, state: &str) -> Option<Draft> {
        let commands = self.seen.saturating_sub(self.told).max(self.count);
        if commands == 0 {
            return None;
        }
        self.told = self.seen;
        self.part = self.part.saturating_add(1);
        let count = std::mem::take(&mut self.count);
        let mut payload = self.payload.clone();
        if commands > 1 || count == 0 {
            self.fill(&mut payload, commands, count, state);
        } else if let Some(end) = self.end.take() {
            let (exit_code, duration_us) = end;
            let end = End {
                exit_code,
                duration_us,
            };
            payload.execution = Some(draft::execution(true, Some(end)));
        }
        self.texts.clear();
        self.programs.clear();
        self.others = 0;
        self.effects.clear();
        self.counters.clear();
        self.failed = 0;
        Some(Draft {
            kind: EventType::CommandExecuted,
            time_ms: Some(self.first_ms),
            payload,
        })
    }

    fn fill(&self, payload: &mut Payload, commands: u64, count: u64, state: &str) {
        if let Some(command) = &mut payload.command {
            command.text = self.texts.join("\n");
            command.digest.clear();
            command.programs = self.programs.keys().cloned().collect();
            command.effects = self.effects.iter().cloned().collect();
            command.times = Some(commands.min(EXACT));
        }
        let mut execution = draft::execution(true, None);
        execution.duration_ms = Some(self.last_ms.saturating_sub(self.first_ms).min(EXACT));
        payload.execution = Some(execution);
        let counters = self.counters.iter().map(|(from, to)| {
            if from == to {
                from.to_string()
            } else {
                format!("{from}-{to}")
            }
        });
        let mut detail = vec![
            ("commands", commands.to_string()),
            ("records", count.to_string()),
            ("counters", counters.collect::<Vec<_>>().join(",")),
            ("run", state.to_owned()),
        ];
        if let Some(last) = crate::clock::believable(self.last_ms) {
            detail.push(("last", crate::clock::text(last)));
        }
        if !self.programs.is_empty() {
            detail.push(("programs", self.counted()));
        }
        if self.failed > 0 {
            detail.push(("failed", self.failed.to_string()));
        }
        if self.part > 1 {
            detail.push(("part", self.part.to_string()));
        }
        let detail = detail.into_iter();
        payload
            .detail
            .extend(detail.map(|(key, value)| (key.to_owned(), value)));
    }

    /// `mkdir 12, test 3`, most often first.
    fn counted(&self) -> String {
        let mut all: Vec<(&String, &u64)> = self.programs.iter().collect();
        all.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let mut all: Vec<String> = all
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if self.others > 0 {
            all.push(format!("others {}", self.others));
        }
        all.join(", ")
    }
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
