//! Random histories against a model that is a plain list.

use cmdai_schema::{Event, Hash, verify_chain};
use cmdai_spool::{Limits, Spool, SpoolError, SpoolKey};
use proptest::prelude::*;

use crate::batch;

#[derive(Debug, Clone)]
enum Step {
    Append {
        count: usize,
        fill: usize,
        note: bool,
    },
    Sync,
    Ack {
        part: u8,
    },
    Read {
        part: u8,
        max: usize,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..5, 0usize..400, any::<bool>()).prop_map(|(count, fill, note)| Step::Append { count, fill, note }),
        2 => Just(Step::Sync),
        2 => any::<u8>().prop_map(|part| Step::Ack { part }),
        2 => (any::<u8>(), 0usize..20).prop_map(|(part, max)| Step::Read { part, max }),
        1 => Just(Step::Reopen),
    ]
}

fn share(part: u8, of: u64) -> u64 {
    of * u64::from(part) / 255
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_a_list(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let key = SpoolKey::from_bytes([9; 32]);
        let limits = Limits { segment: 3_000, total: 40_000 };
        let mut spool = Spool::open_with(dir.path(), &key, limits).unwrap();
        let mut all: Vec<Event> = Vec::new();
        let (mut synced, mut acked) = (0u64, 0u64);
        let mut note: Option<String> = None;
        for (turn, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append { count, fill, note: with_note } => {
                    let events = batch(spool.head(), count, fill);
                    let text = with_note.then(|| format!("note {turn}"));
                    match spool.append_with_note(&events, text.as_deref()) {
                        Ok(()) => {
                            all.extend(events);
                            note = text.or(note);
                        }
                        Err(SpoolError::Full { .. }) => {}
                        Err(other) => return Err(TestCaseError::fail(other.to_string())),
                    }
                }
                Step::Sync => {
                    spool.sync().unwrap();
                    synced = all.len() as u64;
                }
                Step::Ack { part } => {
                    let to = share(part, synced.max(spool.synced()));
                    spool.ack(to).unwrap();
                    acked = acked.max(to);
                }
                Step::Read { part, max } => {
                    // Rolling over syncs by itself, so the spool may know more than the model.
                    prop_assert!(spool.synced() >= synced);
                    let from = share(part, synced).max(acked) + 1;
                    let read = spool.read_from(from, max).unwrap();
                    let expected: Vec<Event> = all.iter().skip(usize::try_from(from - 1).unwrap()).take(usize::try_from((spool.synced() + 1).saturating_sub(from)).unwrap().min(max)).cloned().collect();
                    prop_assert_eq!(read, expected);
                }
                Step::Reopen => {
                    drop(spool);
                    spool = Spool::open_with(dir.path(), &key, limits).unwrap();
                    synced = all.len() as u64;
                    prop_assert_eq!(spool.synced(), synced);
                }
            }
            prop_assert_eq!(spool.head().0, all.len() as u64);
            prop_assert_eq!(spool.acked(), acked);
            prop_assert_eq!(spool.queued(), all.len() as u64 - acked);
            prop_assert_eq!(spool.note(), note.as_deref());
            prop_assert!(spool.bytes() <= limits.total);
        }
        prop_assert_eq!(verify_chain((0, Hash::default()), &all).unwrap(), spool.head());
    }
}

#[test]
fn another_bound_holds_at_once_and_drops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let key = SpoolKey::from_bytes([9; 32]);
    let limits = Limits {
        segment: 3_000,
        total: 20_000,
    };
    let mut spool = Spool::open_with(dir.path(), &key, limits).unwrap();
    let fill = |spool: &mut Spool| {
        loop {
            match spool.append(&batch(spool.head(), 3, 200)) {
                Ok(()) => spool.sync().unwrap(),
                Err(SpoolError::Full { .. }) => return spool.head().0,
                Err(other) => panic!("{other}"),
            }
        }
    };
    let first = fill(&mut spool);
    spool.set_total(40_000);
    let second = fill(&mut spool);
    assert!(second > first + first / 2, "{first} {second}");
    // Less than it holds: nothing goes, nothing comes until the server has taken so much.
    spool.set_total(10_000);
    assert_eq!(fill(&mut spool), second);
    assert_eq!(spool.read_from(1, 100_000).unwrap().len() as u64, second);
    spool.ack(second - 1).unwrap();
    assert!(fill(&mut spool) > second);
    assert!(spool.bytes() <= 10_000);
}
