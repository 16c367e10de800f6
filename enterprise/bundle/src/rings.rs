//! Who gets a release when: rings, signed with the release; and how far the server has opened them.
//!
//! A machine finds its ring and its place in it from its own id and labels and from the digest of
//! the release. The server's progress key can open rings further, halt, and go on; it has no say in
//! which machine stands where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// All of a ring: places are below this.
pub const WHOLE: u64 = 1 << 32;
/// Most rings of a release.
pub const MAX_RINGS: usize = 16;

/// The signed document `rings.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rings {
    /// Format version, 1.
    pub version: u32,
    /// The release that they are for.
    pub release: u64,
    /// Digest of its policy: mixes the machines anew for each release.
    pub salt: String,
    /// In order; the last one takes everybody who is left.
    pub rings: Vec<Ring>,
    /// Most machines that are offered the release and do not have it yet; 0: no bound.
    pub max_in_flight: u64,
    /// When to stop by itself.
    pub gate: Gate,
}

/// One ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Name.
    pub name: String,
    /// Labels that a machine must have, each with one of the values; none: every machine.
    pub labels: BTreeMap<String, Vec<String>>,
    /// Machines whose place for membership is below this belong to it, of 2^32.
    pub share: u64,
    /// Seconds from when everybody in it has the release to the next ring.
    pub wait_s: u64,
}

/// Thresholds of the health gate. What is above one of them halts the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Change in interruptions per thousand commands, compared with the same machines before.
    pub change_per_mille: u64,
    /// Commands that must have been seen before the change is judged.
    pub min_commands: u64,
    /// Machines that could not install the release.
    pub problems: u64,
    /// Machines that were heard of, were offered the release, and went silent.
    pub silent: u64,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            change_per_mille: 50,
            min_commands: 200,
            problems: 0,
            silent: 2,
        }
    }
}

/// The document `progress.json`, signed by the server's progress key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Format version, 1.
    pub version: u32,
    /// The release that it is about.
    pub release: u64,
    /// The ring that is opening; those before it are open.
    pub ring: usize,
    /// Places below this are open in it, of 2^32.
    pub upto: u64,
    /// Nobody takes the release from now on who has it not.
    pub halted: bool,
}

/// Where a machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Index of its ring.
    pub ring: usize,
    /// Its place in it, below 2^32.
    pub place: u32,
}

fn number(salt: &str, ring: &str, what: &str, machine_id: &str) -> u32 {
    let mut hash = Sha256::new();
    for part in ["cmdai.ring/1", salt, ring, what, machine_id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let first = digest.first_chunk::<4>().copied().unwrap_or_default();
    u32::from_be_bytes(first)
}

impl Rings {
    /// Says what makes no sense in them.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("rings of version {} are not known", self.version));
        }
        if self.rings.is_empty() || self.rings.len() > MAX_RINGS {
            return Err(format!("there are 1 to {MAX_RINGS} rings"));
        }
        for ring in &self.rings {
            if ring.name.is_empty() || ring.name.len() > 64 || ring.share > WHOLE {
                return Err("a ring has a short name and at most a whole share".to_owned());
            }
        }
        match self.rings.last() {
            Some(last) if last.labels.is_empty() && last.share == WHOLE => Ok(()),
            _ => Err(
                "the last ring takes every machine: without labels, count and percent".to_owned(),
            ),
        }
    }

    /// Where a machine stands. Every machine stands somewhere.
    pub fn seat(&self, machine_id: &str, labels: &BTreeMap<String, String>) -> Seat {
        let found = self.rings.iter().position(|ring| {
            ring.labels.iter().all(|(key, values)| {
                labels
                    .get(key)
                    .is_some_and(|value| values.iter().any(|wanted| wanted == value))
            }) && u64::from(number(&self.salt, &ring.name, "member", machine_id)) < ring.share
        });
        let ring = found.unwrap_or(self.rings.len().saturating_sub(1));
        let name = self.rings.get(ring).map_or("", |ring| ring.name.as_str());
        Seat {
            ring,
            place: number(&self.salt, name, "place", machine_id),
        }
    }

    /// True where the machine may take the release now.
    pub fn open_for(
        &self,
        progress: Option<&Progress>,
        machine_id: &str,
        labels: &BTreeMap<String, String>,
    ) -> bool {
        let Some(progress) = progress.filter(|progress| progress.release == self.release) else {
            return false;
        };
        !progress.halted && progress.reaches(self.seat(machine_id, labels))
    }
}

impl Progress {
    /// The beginning: nothing is open.
    pub fn closed(release: u64) -> Self {
        Self {
            version: 1,
            release,
            ring: 0,
            upto: 0,
            halted: false,
        }
    }

    /// True where the rings are open as far as this place, halted or not.
    pub fn reaches(&self, seat: Seat) -> bool {
        seat.ring < self.ring || (seat.ring == self.ring && u64::from(seat.place) < self.upto)
    }
}

/// The rollout as people write it: `rings`, `max_in_flight`, `gate`. See `docs/formats/rollout.md`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// In order; the last one takes everybody who is left.
    pub rings: Vec<PlanRing>,
    /// Machines, or `20%` of the fleet; without it there is no bound.
    pub max_in_flight: Option<Amount>,
    /// What halts by itself.
    pub gate: PlanGate,
}

/// A ring as people write it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlanRing {
    /// Name.
    pub name: String,
    /// Labels: one value, or several of which one must fit.
    pub labels: BTreeMap<String, OneOrMore>,
    /// So many machines of those with the labels.
    pub count: Option<u64>,
    /// So much of those with the labels, in per cent.
    pub percent: Option<f64>,
    /// Time between the ring's end and the next one: `30m`, `4h`, `1d`.
    pub wait: String,
}

/// One value or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

/// A number, or a share of the fleet such as `20%`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// Machines.
    Number(u64),
    /// Per cent, with the sign.
    Text(String),
}

/// Thresholds as people write them; what is left out has the usual value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlanGate {
    /// See [`Gate::change_per_mille`].
    pub change_per_thousand: Option<u64>,
    /// See [`Gate::min_commands`].
    pub min_commands: Option<u64>,
    /// See [`Gate::problems`].
    pub problems: Option<u64>,
    /// See [`Gate::silent`].
    pub silent: Option<u64>,
}

impl Plan {
    /// The rings of one release. `fleet` are the machines known now: counts become shares by it.
    ///
    /// # Errors
    /// What makes no sense, in words.
    pub fn resolve(
        &self,
        release: u64,
        salt: &str,
        fleet: &[(String, BTreeMap<String, String>)],
    ) -> Result<Rings, String> {
        let mut rings = Vec::new();
        for ring in &self.rings {
            let labels: BTreeMap<String, Vec<String>> = ring
                .labels
                .iter()
                .map(|(key, value)| {
                    let values = match value {
                        OneOrMore::One(one) => vec![one.clone()],
                        OneOrMore::More(more) => more.clone(),
                    };
                    (key.clone(), values)
                })
                .collect();
            let share = match (ring.count, ring.percent) {
                (Some(_), Some(_)) => {
                    return Err(format!("{}: count or percent, not both", ring.name));
                }
                (None, None) => WHOLE,
                (None, Some(percent)) if (0.0..=100.0).contains(&percent) => {
                    // Two digits after the point are enough for anybody.
                    let hundredths = format!("{:.0}", percent * 100.0)
                        .parse::<u64>()
                        .unwrap_or(0);
                    WHOLE.saturating_mul(hundredths) / 10_000
                }
                (None, Some(percent)) => {
                    return Err(format!("{}: {percent} is not 0 to 100 per cent", ring.name));
                }
                (Some(count), None) => {
                    let fits = |own: &BTreeMap<String, String>| {
                        labels.iter().all(|(key, values)| {
                            own.get(key).is_some_and(|value| values.contains(value))
                        })
                    };
                    let mut places: Vec<u32> = fleet
                        .iter()
                        .filter(|(_, own)| fits(own))
                        .map(|(id, _)| number(salt, &ring.name, "member", id))
                        .collect();
                    places.sort_unstable();
                    upto_for(&places, count)
                }
            };
            rings.push(Ring {
                name: ring.name.clone(),
                labels,
                share,
                wait_s: if ring.wait.is_empty() {
                    0
                } else {
                    seconds(&ring.wait)?
                },
            });
        }
        let usual = Gate::default();
        let rings = Rings {
            version: 1,
            release,
            salt: salt.to_owned(),
            rings,
            max_in_flight: match &self.max_in_flight {
                None => 0,
                Some(Amount::Number(number)) => *number,
                Some(Amount::Text(text)) => {
                    let percent = text
                        .trim()
                        .strip_suffix('%')
                        .and_then(|digits| digits.trim().parse::<u64>().ok())
                        .filter(|percent| (1..=100).contains(percent));
                    let percent = percent.ok_or_else(|| {
                        format!("max_in_flight: `{text}` is neither a number nor 1% to 100%")
                    })?;
                    (fleet.len() as u64 * percent).div_ceil(100).max(1)
                }
            },
            gate: Gate {
                change_per_mille: self
                    .gate
                    .change_per_thousand
                    .unwrap_or(usual.change_per_mille),
                min_commands: self.gate.min_commands.unwrap_or(usual.min_commands),
                problems: self.gate.problems.unwrap_or(usual.problems),
                silent: self.gate.silent.unwrap_or(usual.silent),
            },
        };
        rings.check()?;
        Ok(rings)
    }
}

/// The bound below which `count` of the sorted places lie; all of the ring where there are no more.
pub fn upto_for(sorted: &[u32], count: u64) -> u64 {
    let at = usize::try_from(count).unwrap_or(usize::MAX);
    sorted.get(at).map_or(WHOLE, |next| u64::from(*next))
}

/// `90s`, `30m`, `4h`, `2d` in seconds.
///
/// # Errors
/// Where it is no such time.
pub fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a time; write 90s, 30m, 4h or 2d");
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = match text.get(digits.len()..).unwrap_or("") {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}
