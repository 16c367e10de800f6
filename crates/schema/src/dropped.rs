//! Events that a machine removed before the server had them, and chains with such holes.
//!
//! A machine whose sealed spool is full, or whose oldest events are too old, may be told by policy to
//! remove its oldest events. Their numbers stay taken: the chain then jumps. A `gap` event later in the
//! same chain says so, with these details:
//!
//! | key | what |
//! |---|---|
//! | `finding` | `spool-dropped` |
//! | `from`, `to` | first and last number that was removed |
//! | `count` | how many: `to - from + 1` |
//! | `kept` | how many of them were sealed again under later numbers, see [`MOVED_FROM`] |
//! | `why` | `full` or `age` |
//! | `before` | hash of the event before `from` (zeros before the first of all), hex |
//! | `after` | hash of event `to`: the `prev_hash` of the first event that is there again, hex |
//! | `first_time`, `last_time` | earliest and latest time of what was removed |
//! | `summary` | the same in a sentence |
//!
//! [`ChainWalk`] follows such a chain. A jump is explained by gap events of the sensor whose ranges join
//! without a hole and whose hashes fit at each joint, up to exactly the last absent number. Where the
//! reader has more events than the machine believed (an acknowledgement was lost), the first range may
//! begin before the jump; it never ends elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::verify_chain;
use crate::{AssertedBy, ChainError, Event, EventType, Hash};

/// Value of `finding` in gap events of this kind.
const FINDING: &str = "spool-dropped";

/// Detail of an event that was sealed again under a later number before its first one was dropped: that number.
/// So somebody who floods a machine loses their own oldest events and not those of others.
pub const MOVED_FROM: &str = "moved_from";

/// Why events were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropCause {
    /// The spool had reached its size.
    Full,
    /// They were older than policy lets them become.
    Age,
}

impl DropCause {
    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Age => "age",
        }
    }
}

/// A range of numbers whose events were removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// First number.
    pub from: u64,
    /// Last number.
    pub to: u64,
    /// Hash of the event before the first.
    pub before: Hash,
    /// Hash of the last.
    pub after: Hash,
    /// How many of them were sealed again under later numbers.
    #[serde(default)]
    pub kept: u64,
    /// Why.
    pub why: DropCause,
    /// Earliest time of an event in it, RFC 3339.
    pub first_time: String,
    /// Latest time of an event in it.
    pub last_time: String,
}

impl Dropped {
    /// How many events.
    pub fn count(&self) -> u64 {
        self.to.saturating_sub(self.from).saturating_add(1)
    }

    /// In a sentence.
    pub fn sentence(&self) -> String {
        let why = match self.why {
            DropCause::Full => "the sealed spool was full",
            DropCause::Age => "they had become older than the policy keeps them",
        };
        let kept = match self.kept {
            0 => String::new(),
            kept => format!(
                "; {kept} of them, not the ones of whoever filled it, were sealed again under later numbers"
            ),
        };
        format!(
            "{} events ({} to {}, of {} to {}) were dropped before the server had them: {why}{kept}",
            self.count(),
            self.from,
            self.to,
            self.first_time,
            self.last_time
        )
    }

    /// Details of the gap event.
    pub fn detail(&self) -> BTreeMap<String, String> {
        [
            ("finding", FINDING.to_owned()),
            ("from", self.from.to_string()),
            ("to", self.to.to_string()),
            ("count", self.count().to_string()),
            ("kept", self.kept.to_string()),
            ("why", self.why.as_str().to_owned()),
            ("before", self.before.to_hex()),
            ("after", self.after.to_hex()),
            ("first_time", self.first_time.clone()),
            ("last_time", self.last_time.clone()),
            ("summary", self.sentence()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// What a gap event of the sensor declares; nothing where it is another event, or where anything in it
    /// is not written the one way it is written.
    pub fn of(event: &Event) -> Option<Self> {
        let payload = &event.payload;
        let detail = |key: &str| payload.detail.get(key);
        if event.envelope.event_type != EventType::Gap
            || payload.asserted_by != AssertedBy::Sensor
            || detail("finding")? != FINDING
        {
            return None;
        }
        let this = Self {
            from: detail("from")?.parse().ok()?,
            to: detail("to")?.parse().ok()?,
            before: Hash::from_hex(detail("before")?)?,
            after: Hash::from_hex(detail("after")?)?,
            kept: detail("kept")?.parse().ok()?,
            why: match detail("why")?.as_str() {
                "full" => DropCause::Full,
                "age" => DropCause::Age,
                _ => return None,
            },
            first_time: detail("first_time")?.clone(),
            last_time: detail("last_time")?.clone(),
        };
        // Written again it must be the same: numbers with signs or zeros in front are none.
        let fits = (1..=this.to).contains(&this.from)
            && this.to < event.envelope.seq
            && this.kept <= this.count();
        (fits && this.detail() == payload.detail).then_some(this)
    }
}

/// Numbers that are absent from what is read, said by whoever sends or reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// First number.
    pub from: u64,
    /// Last number.
    pub to: u64,
    /// Number of the gap event by which all of it is explained, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<u64>,
}

/// A jump that no gap event has explained yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    /// First absent number.
    pub first: u64,
    /// First number that is not explained yet.
    pub from: u64,
    /// Last absent number.
    pub to: u64,
    /// Hash of the event before `from`.
    pub before: Hash,
    /// What the first event after the jump says of the last absent one.
    pub after: Hash,
    /// The event by which it must be explained, where that is known.
    pub told: Option<u64>,
}

impl Jump {
    /// Takes a declaration into account where it fits.
    fn explain(&mut self, dropped: &Dropped) {
        let begins = if dropped.from == self.from {
            dropped.before == self.before
        } else {
            // The reader has events that the machine believed to be unread.
            dropped.from < self.from && self.from == self.first
        };
        let ends = dropped.to < self.to || (dropped.to == self.to && dropped.after == self.after);
        if begins && ends && dropped.to >= self.from {
            self.from = dropped.to.saturating_add(1);
            self.before = dropped.after;
        }
    }

    fn is_explained(&self) -> bool {
        self.from > self.to
    }
}

/// What following one event changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// How many numbers before it are absent.
    pub absent: u64,
    /// Jumps (by their last absent number) that it explains to the end.
    pub explained: Vec<u64>,
}

/// Follows the chain of one machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainWalk {
    head: (u64, Hash),
    open: Vec<Jump>,
}

impl ChainWalk {
    /// Begins after the event with this number and hash, with jumps that were not explained up to there.
    pub fn new(head: (u64, Hash), open: Vec<Jump>) -> Self {
        Self { head, open }
    }

    /// Number and hash of the last event.
    pub fn head(&self) -> (u64, Hash) {
        self.head
    }

    /// Jumps that are not explained.
    pub fn open(&self) -> &[Jump] {
        &self.open
    }

    /// The next event. A jump in front of it is accepted where `absent` names exactly the numbers that are
    /// missing; it stays open until gap events explain it.
    ///
    /// # Errors
    /// Where the event does not fit, where a jump in front of it is not the one that `absent` names, or
    /// where this was the last event that could explain an earlier jump and it does not.
    pub fn follow(&mut self, event: &Event, absent: Option<Absent>) -> Result<Step, ChainError> {
        let (seq, prev_hash) = (event.envelope.seq, event.envelope.prev_hash);
        let machine_id = || event.envelope.machine_id.clone();
        let expected = self.head.0.saturating_add(1);
        let mut step = Step::default();
        if seq <= expected {
            self.head = verify_chain(self.head, std::slice::from_ref(event))?;
        } else {
            let Some(absent) = absent else {
                return Err(ChainError::Sequence {
                    machine_id: machine_id(),
                    expected,
                    found: seq,
                });
            };
            let fits = absent.from == expected
                && absent.to == seq - 1
                && absent.told.is_none_or(|told| told >= seq);
            if !fits {
                return Err(ChainError::Absent {
                    machine_id: machine_id(),
                    from: absent.from,
                    to: absent.to,
                    expected,
                    found: seq,
                });
            }
            let head = verify_chain((seq - 1, prev_hash), std::slice::from_ref(event))?;
            // What was to explain earlier jumps may be absent itself now: then it is told anew, at last with
            // the explanation of this one.
            for jump in &mut self.open {
                if jump.told.is_some_and(|told| told <= absent.to) {
                    jump.told = absent.told;
                }
            }
            self.open.push(Jump {
                first: absent.from,
                from: absent.from,
                to: absent.to,
                before: self.head.1,
                after: prev_hash,
                told: absent.told,
            });
            self.head = head;
            step.absent = seq - expected;
        }
        if let Some(dropped) = Dropped::of(event) {
            self.open.retain_mut(|jump| {
                jump.explain(&dropped);
                if jump.is_explained() {
                    step.explained.push(jump.to);
                }
                !jump.is_explained()
            });
        }
        match (self.open.iter()).find(|jump| jump.told.is_some_and(|told| told <= seq)) {
            Some(jump) => Err(unexplained(event.envelope.machine_id.clone(), jump)),
            None => Ok(step),
        }
    }

    /// The end of what is read.
    ///
    /// # Errors
    /// Where a jump is not explained.
    pub fn finish(&self, machine_id: &str) -> Result<(), ChainError> {
        match self.open.first() {
            Some(jump) => Err(unexplained(machine_id.to_owned(), jump)),
            None => Ok(()),
        }
    }
}

fn unexplained(machine_id: String, jump: &Jump) -> ChainError {
    ChainError::Unexplained {
        machine_id,
        from: jump.from,
        to: jump.to,
    }
}
