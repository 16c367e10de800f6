//! How a release spreads: a state machine without clock, disk and network.
//!
//! ```text
//! draft ──signed──► ring 1 ──gate, wait──► ring 2 … ──► done
//!                     │  ▲                    │
//!                   halt continue           halt          a newer release replaces it:
//!                     ▼  │                    ▼           rolled_back, or replaced
//!                    halted ◄─────────────────┘
//! ```
//!
//! The caller keeps the [`State`], feeds it [`Event`]s with what it sees, writes the state down,
//! and then makes the world fit: what is published is [`State::progress`], and a halt that nobody
//! was told of ([`State::untold`]) becomes an alert. All that follows from the state alone, so that
//! a server that stopped anywhere goes on where it was.

use serde::{Deserialize, Serialize};

use crate::rings::{Gate, Progress, Rings, WHOLE, upto_for};

/// Where a release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits for signatures.
    Draft,
    /// Spreads, ring by ring.
    Spreading,
    /// Nobody takes it who has it not.
    Halted,
    /// Open for everybody.
    Done,
    /// A newer release brought the content from before back.
    RolledBack,
    /// A newer release came before it was done.
    Replaced,
}

impl Phase {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Spreading => "spreading",
            Self::Halted => "halted",
            Self::Done => "done",
            Self::RolledBack => "rolled_back",
            Self::Replaced => "replaced",
        }
    }
}

/// What is known of a release's way. Times are milliseconds of the caller's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The release.
    pub release: u64,
    /// Where it is.
    pub phase: Phase,
    /// The ring that is opening; the number of rings where all are open.
    pub ring: usize,
    /// Places below this are open in it, of 2^32.
    pub upto: u64,
    /// When the release went out.
    pub begun_ms: u64,
    /// When the ring began to open.
    pub opened_ms: u64,
    /// Since when everybody in the ring has the release.
    pub full_ms: Option<u64>,
    /// Why it halted, or what it came to.
    pub reason: String,
    /// A halt by itself that nobody was told of yet.
    pub untold: bool,
    /// What a person has seen and gone on with: the gate judges what is worse than this.
    pub accepted: Seen,
}

/// The figures that the gate judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Change in interruptions per thousand commands.
    pub change_per_mille: u64,
    /// Commands that the change was counted over.
    pub commands: u64,
    /// Machines that could not install the release.
    pub problems: u64,
    /// Machines that went silent.
    pub silent: u64,
}

/// One ring as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RingSeen {
    /// Places of the machines that belong to it and are about, sorted.
    pub places: Vec<u32>,
    /// Of the offered ones: have the release and are heard of.
    pub current: u64,
    /// Of the offered ones: could not install it.
    pub problems: u64,
    /// Of the offered ones: went silent, with the release or on the way to it.
    pub silent: u64,
}

/// The fleet as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Each ring.
    pub rings: Vec<RingSeen>,
    /// Change in interruptions per thousand commands of machines with the release.
    pub change_per_mille: u64,
    /// Commands that it was counted over.
    pub commands: u64,
}

impl Figures {
    /// What the gate judges.
    pub fn seen(&self) -> Seen {
        Seen {
            change_per_mille: self.change_per_mille,
            commands: self.commands,
            problems: self.rings.iter().map(|ring| ring.problems).sum(),
            silent: self.rings.iter().map(|ring| ring.silent).sum(),
        }
    }
}

/// What happens to a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// Enough people have signed and it is published.
    Signed {
        /// When.
        at_ms: u64,
    },
    /// A look at the fleet.
    Look {
        /// When.
        at_ms: u64,
        /// What is seen.
        figures: &'a Figures,
    },
    /// A person halts it.
    Halt {
        /// Why.
        reason: &'a str,
    },
    /// A person goes on with it, having seen the figures.
    Continue {
        /// When.
        at_ms: u64,
        /// What is seen.
        figures: &'a Figures,
    },
    /// A newer release is published.
    Overtaken {
        /// Which.
        by: u64,
        /// It brings the content from before back.
        rollback: bool,
    },
}

/// Why an event does nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a release that is {} cannot be {what}", phase.as_str())]
pub struct Misplaced {
    /// Where it is.
    pub phase: Phase,
    /// What was wanted.
    pub what: &'static str,
}

impl State {
    /// A release that waits for signatures.
    pub fn draft(release: u64) -> Self {
        Self {
            release,
            phase: Phase::Draft,
            ring: 0,
            upto: 0,
            begun_ms: 0,
            opened_ms: 0,
            full_ms: None,
            reason: String::new(),
            untold: false,
            accepted: Seen::default(),
        }
    }

    /// What machines are to be told. `rings` is nothing where the release is for all at once.
    pub fn progress(&self) -> Progress {
        Progress {
            version: 1,
            release: self.release,
            ring: self.ring,
            upto: self.upto,
            halted: self.phase == Phase::Halted,
        }
    }

    /// The state after an event.
    ///
    /// # Errors
    /// Where the event does not fit; the state stays.
    pub fn after(&self, event: &Event<'_>, rings: Option<&Rings>) -> Result<Self, Misplaced> {
        let misplaced = |what| {
            Err(Misplaced {
                phase: self.phase,
                what,
            })
        };
        let mut next = self.clone();
        match (self.phase, event) {
            (Phase::Draft, Event::Signed { at_ms }) => {
                next.begun_ms = *at_ms;
                next.opened_ms = *at_ms;
                if rings.is_some() {
                    next.phase = Phase::Spreading;
                } else {
                    next.phase = Phase::Done;
                    next.reason = "for every machine at once".to_owned();
                }
            }
            (_, Event::Signed { .. }) => return misplaced("published again"),
            (Phase::Spreading, Event::Look { at_ms, figures }) => {
                if let Some(rings) = rings {
                    next.look(*at_ms, figures, rings);
                }
            }
            (_, Event::Look { .. }) => {}
            (Phase::Spreading, Event::Halt { reason }) => {
                next.phase = Phase::Halted;
                (*reason).clone_into(&mut next.reason);
            }
            (_, Event::Halt { .. }) => return misplaced("halted"),
            (Phase::Halted, Event::Continue { at_ms, figures }) => {
                next.phase = Phase::Spreading;
                next.reason = String::new();
                next.untold = false;
                next.accepted = figures.seen();
                // The wait begins anew: what was halted deserves a second look.
                next.full_ms = next.full_ms.map(|_| *at_ms);
            }
            (_, Event::Continue { .. }) => return misplaced("continued"),
            (Phase::RolledBack | Phase::Replaced, Event::Overtaken { .. }) => {}
            (_, Event::Overtaken { by, rollback }) => {
                next.untold = false;
                if *rollback {
                    next.phase = Phase::RolledBack;
                    next.reason = format!("release {by} brought back what was before");
                } else if self.phase != Phase::Done {
                    next.phase = Phase::Replaced;
                    next.reason = format!("release {by} came before it was done");
                }
            }
        }
        Ok(next)
    }

    fn look(&mut self, at_ms: u64, figures: &Figures, rings: &Rings) {
        if let Some(trouble) = trouble(&rings.gate, &self.accepted, figures) {
            self.phase = Phase::Halted;
            self.reason = trouble;
            self.untold = true;
            return;
        }
        while let (Some(ring), Some(seen)) =
            (rings.rings.get(self.ring), figures.rings.get(self.ring))
        {
            let settled = seen.current + seen.problems + seen.silent;
            let upto = if rings.max_in_flight == 0 {
                WHOLE
            } else {
                upto_for(&seen.places, settled + rings.max_in_flight)
            };
            self.upto = self.upto.max(upto);
            if self.upto < WHOLE || settled < seen.places.len() as u64 {
                self.full_ms = None;
                return;
            }
            let full = *self.full_ms.get_or_insert(at_ms);
            if at_ms.saturating_sub(full) < ring.wait_s.saturating_mul(1_000) {
                return;
            }
            self.ring += 1;
            self.upto = 0;
            self.full_ms = None;
            self.opened_ms = at_ms;
            if self.ring == rings.rings.len() {
                self.phase = Phase::Done;
                self.reason = "every ring is open".to_owned();
                return;
            }
        }
    }
}

/// What is wrong with the figures, in words.
fn trouble(gate: &Gate, accepted: &Seen, figures: &Figures) -> Option<String> {
    let seen = figures.seen();
    let many = |count: u64, one: &str, more: &str| {
        format!("{count} {}", if count == 1 { one } else { more })
    };
    if seen.problems > gate.problems.max(accepted.problems) {
        return Some(format!(
            "{} not install it; {} allowed",
            many(seen.problems, "machine could", "machines could"),
            gate.problems
        ));
    }
    if seen.silent > gate.silent.max(accepted.silent) {
        return Some(format!(
            "{} silent since it was offered; {} allowed",
            many(seen.silent, "machine went", "machines went"),
            gate.silent
        ));
    }
    if seen.commands >= gate.min_commands
        && seen.change_per_mille > gate.change_per_mille.max(accepted.change_per_mille)
    {
        return Some(format!(
            "interruptions changed by {} per thousand commands ({} commands seen); {} allowed",
            seen.change_per_mille, seen.commands, gate.change_per_mille
        ));
    }
    None
}
