//! Who fills the sealed spool: nobody may flood another's evidence away.
//!
//! The sealed spool is bounded. While the server is away, somebody who makes records without end would
//! fill it, and then nobody's records are sealed. So each person has a share: the bound, divided by one more
//! than the people who have something in it. Whoever is above it waits until the server has taken enough:
//! their records stay in their own file, reports of theirs are refused (the record stands), and what the
//! kernel saw of them is counted instead of told one by one. An event says so. One share is always free for
//! whoever comes next and for the sensor's own events.
//!
//! Where policy lets the oldest events go instead, nobody waits: then the oldest events of whoever is above their
//! share go, and those of others stay, see [`super::room`].
//!
//! The account is part of the sealed note, so that a new start of the sensor gives nobody a second share.
//! It lacks at most the last frame before a crash.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

/// What is assumed of an event without its text, in bytes.
const PLAIN: u64 = 700;
/// Rounds of one person are put together until they have so many bytes: the account stays small.
const GRAIN: u64 = 4 * 1024 * 1024;

/// What people have in the sealed spool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Shares {
    /// By uid: last sequence number and bytes.
    held: BTreeMap<u32, VecDeque<(u64, u64)>>,
}

impl Shares {
    /// A frame was sealed up to `seq` and took `bytes`; `texts` names whose events were in it, with the
    /// length of their texts.
    pub(crate) fn sealed(&mut self, seq: u64, bytes: u64, texts: &[(u32, usize)]) {
        for (uid, bytes) in parts(bytes, texts) {
            add(self.held.entry(uid).or_default(), seq, bytes);
        }
    }

    /// Events up to `to` were dropped, `bytes` of them with these texts. Whose events are `gone` has so much less;
    /// those of others were sealed again up to `head`.
    pub(crate) fn dropped(
        &mut self,
        to: u64,
        bytes: u64,
        texts: &[(u32, usize)],
        gone: impl Fn(u32) -> bool,
        head: u64,
    ) {
        let parts = parts(bytes, texts);
        for (uid, grains) in &mut self.held {
            if gone(*uid) {
                let mut left = parts.get(uid).copied().unwrap_or(0);
                while left > 0
                    && let Some(oldest) = grains.front_mut()
                {
                    let taken = left.min(oldest.1);
                    oldest.1 -= taken;
                    left -= taken;
                    if oldest.1 == 0 {
                        grains.pop_front();
                    }
                }
            } else {
                let mut moved = 0;
                while let Some((_, bytes)) = grains.pop_front_if(|(last, _)| *last <= to) {
                    moved += bytes;
                }
                if moved > 0 {
                    add(grains, head, moved);
                }
            }
        }
        self.acknowledged(to);
    }

    /// The server has everything up to `seq`.
    pub(crate) fn acknowledged(&mut self, seq: u64) {
        self.held.retain(|_, grains| {
            while grains.front().is_some_and(|(last, _)| *last <= seq) {
                grains.pop_front();
            }
            !grains.is_empty()
        });
    }

    /// Who has more than a share of `limit` bytes.
    pub(crate) fn above(&self, limit: u64) -> BTreeSet<u32> {
        let share = limit / (self.held.len() as u64 + 1);
        self.held
            .iter()
            .filter(|(_, grains)| grains.iter().map(|(_, bytes)| bytes).sum::<u64>() >= share)
            .map(|(uid, _)| *uid)
            .collect()
    }
}

/// Puts more to what somebody has.
fn add(grains: &mut VecDeque<(u64, u64)>, seq: u64, bytes: u64) {
    match grains.back_mut() {
        Some(grain) if grain.1.saturating_add(bytes) <= GRAIN => *grain = (seq, grain.1 + bytes),
        _ => grains.push_back((seq, bytes)),
    }
}

/// Bytes of events, divided among the people whose they are.
fn parts(bytes: u64, texts: &[(u32, usize)]) -> BTreeMap<u32, u64> {
    let mut parts: BTreeMap<u32, u64> = BTreeMap::new();
    for (uid, length) in texts {
        *parts.entry(*uid).or_default() += PLAIN + *length as u64;
    }
    let all: u64 = parts.values().sum();
    for part in parts.values_mut() {
        // No segment is as long as 2^32 bytes.
        *part = bytes.saturating_mul(*part) / all.max(1);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn who_floods_delays_themself_only_and_is_read_again_after_an_acknowledgement() {
        let mut shares = Shares::default();
        for round in 1..=60 {
            shares.sealed(round * 10, MIB, &[(1000, 5_000), (1000, 5_000)]);
        }
        // One person alone: half of it.
        assert_eq!(shares.above(100 * MIB), BTreeSet::from([1000]));
        assert!(shares.above(200 * MIB).is_empty());
        // Somebody else with a little: a third each, and only the first is above it.
        shares.sealed(610, 100, &[(1001, 10)]);
        assert_eq!(shares.above(150 * MIB), BTreeSet::from([1000]));
        shares.acknowledged(300);
        assert!(shares.above(150 * MIB).is_empty());
        shares.acknowledged(610);
        assert!(shares.held.is_empty());
    }

    #[test]
    fn a_frame_of_several_is_divided_by_their_texts() {
        let mut shares = Shares::default();
        shares.sealed(3, 9_000, &[(1, 10_000), (2, 100), (2, 100)]);
        assert_eq!(shares.above(9_000), BTreeSet::from([1]));
    }

    #[test]
    fn who_floods_loses_their_own_and_the_rest_keep_theirs_however_often_it_goes_around() {
        let mut shares = Shares::default();
        let (limit, segment) = (16 * MIB, MIB);
        shares.sealed(1, 2_000, &[(1001, 100)]);
        let mut head = 1;
        for round in 0..400u64 {
            head += 100;
            shares.sealed(head, segment, &[(1000, 5_000)]);
            if round < 15 {
                continue;
            }
            assert_eq!(shares.above(limit), BTreeSet::from([1000]));
            // The other one's event is in each of them in turn.
            let to = head - 1_500;
            shares.dropped(to, segment, &[(1000, 5_000)], |uid| uid == 1000, head);
        }
        let held = |uid: u32| {
            shares.held[&uid]
                .iter()
                .map(|(_, bytes)| bytes)
                .sum::<u64>()
        };
        assert_eq!(held(1001), 2_000);
        assert_eq!(held(1000), 15 * MIB);
    }

    #[test]
    fn the_account_stays_small_and_is_the_same_after_a_new_start() {
        let mut shares = Shares::default();
        for seq in 1..=100_000 {
            shares.sealed(seq, 5_000, &[(1000, 50)]);
        }
        let text = serde_json::to_string(&shares).unwrap();
        assert!(text.len() < 4_000, "{}", text.len());
        let again: Shares = serde_json::from_str(&text).unwrap();
        assert_eq!(again, shares);
        assert_eq!(again.above(900_000_000), BTreeSet::from([1000]));
    }
}
