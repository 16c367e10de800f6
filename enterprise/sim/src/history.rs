//! The past: days with working hours and sessions.

use fastrand::Rng;

use crate::actor::{Act, Deed, Session};
use crate::people::Person;

const HOUR: u64 = 3_600_000;

/// How much of a day's work falls into each hour (UTC), in thousandths.
const HOURS: [u64; 24] = [
    4, 3, 2, 2, 3, 6, 18, 55, 95, 110, 105, 95, 60, 90, 105, 95, 70, 40, 15, 9, 7, 5, 3, 3,
];

/// What happened on a person's machine between two moments, in order. `per_day` is the number of
/// commands on a working day.
pub(crate) fn past(
    person: &Person,
    rng: &mut Rng,
    from_ms: u64,
    to_ms: u64,
    per_day: u32,
) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut hour = from_ms - from_ms % HOUR;
    while hour < to_ms {
        let day = hour / (24 * HOUR);
        // 1970 began on a Thursday.
        let weekend = matches!((day + 4) % 7, 0 | 6);
        let share = HOURS
            .get(usize::try_from(hour / HOUR % 24).unwrap_or(0))
            .copied()
            .unwrap_or(0);
        let mut expected = share as f64 / 1_000.0 * f64::from(per_day);
        if weekend {
            expected *= 0.4;
        }
        let mut count = expected as u64 + u64::from(rng.f64() < expected.fract());
        while count > 0 {
            let mut session = Session::next(rng, person);
            let size = (if session.agent.is_some() {
                rng.u64(6..30)
            } else {
                rng.u64(2..12)
            })
            .min(count);
            let mut at = hour + rng.u64(..HOUR);
            for _ in 0..size {
                acts.push(Act {
                    at_ms: at,
                    deed: Deed::Command(session.command(rng, person)),
                });
                at += if session.agent.is_some() {
                    rng.u64(1_500..12_000)
                } else {
                    rng.u64(4_000..90_000)
                };
            }
            count -= size;
        }
        hour += HOUR;
    }
    acts.retain(|act| act.at_ms >= from_ms && act.at_ms < to_ms);
    acts.sort_by_key(|act| act.at_ms);
    acts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::person;

    #[test]
    fn the_same_seed_gives_the_same_past() {
        let to = 1_795_000_000_000;
        let of = |seed| {
            past(
                &person(seed, 4),
                &mut Rng::with_seed(seed),
                to - 36 * HOUR,
                to,
                60,
            )
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let acts = of(1);
        assert!(acts.is_sorted_by_key(|act| act.at_ms));
        assert!(acts.len() > 20 && acts.len() < 250, "{}", acts.len());
    }
}
