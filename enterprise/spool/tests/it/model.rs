//! Random histories against a model that is a plain list.

use cmdai_schema::{Absent, ChainWalk, DropCause, Event, Hash, verify_chain};
use cmdai_spool::{Limits, Spool, SpoolError, SpoolKey};
use proptest::prelude::*;

use crate::{batch, gap};

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

#[derive(Debug, Clone)]
enum Turn {
    Append {
        count: usize,
        fill: usize,
    },
    Drop,
    /// The server is there: what is owed is told, and it takes so many events; it may not be heard.
    Upload {
        max: usize,
        heard: bool,
    },
    /// The process ends; `forget` loses the file of what was acknowledged too.
    Reopen {
        forget: bool,
    },
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        5 => (1usize..6, 0usize..400).prop_map(|(count, fill)| Turn::Append { count, fill }),
        3 => Just(Turn::Drop),
        3 => (1usize..12, prop::bool::weighted(0.7)).prop_map(|(max, heard)| Turn::Upload { max, heard }),
        2 => prop::bool::weighted(0.3).prop_map(|forget| Turn::Reopen { forget }),
    ]
}

/// All that is owed, in one append.
fn tell(spool: &mut Spool, all: &mut Vec<Event>) {
    let mut head = spool.head();
    let mut events = Vec::new();
    for dropped in spool.owed().cloned().collect::<Vec<_>>() {
        let event = gap(head, &dropped);
        head = (event.envelope.seq, event.hash().unwrap());
        events.push(event);
    }
    spool.append(&events).unwrap();
    spool.sync().unwrap();
    all.extend(events);
}

/// The server: takes a batch as it comes, or says where it is.
struct Reader {
    walk: ChainWalk,
    has: Vec<u64>,
    gaps: Vec<(u64, u64)>,
}

impl Reader {
    fn take(&mut self, absent: Option<Absent>, events: &[Event]) -> Result<(), String> {
        let mut walk = self.walk.clone();
        let mut absent = absent;
        let mut fresh = Vec::new();
        for event in events
            .iter()
            .filter(|event| event.envelope.seq > self.walk.head().0)
        {
            walk.follow(event, absent.take())
                .map_err(|error| error.to_string())?;
            fresh.push(event.clone());
        }
        self.walk = walk;
        for event in fresh {
            self.has.push(event.envelope.seq);
            self.gaps.extend(
                cmdai_schema::Dropped::of(&event).map(|dropped| (dropped.from, dropped.to)),
            );
        }
        Ok(())
    }
}

/// One exchange as courier and keeper have it; whether the server took something.
fn upload(
    spool: &mut Spool,
    reader: &mut Reader,
    all: &mut Vec<Event>,
    max: usize,
    heard: bool,
) -> bool {
    // A contact comes before anything is told: the machine hears how far the server is.
    spool.ack(reader.walk.head().0).unwrap();
    tell(spool, all);
    let from = spool.acked() + 1;
    let events = spool.read_from(from, max).unwrap();
    let Some(first) = events.first() else {
        return false;
    };
    let absent = spool.absent(from);
    assert_eq!(
        absent.is_some(),
        first.envelope.seq > from,
        "a hole is told, and nothing else"
    );
    let taken = reader.take(absent, &events);
    let head = reader.walk.head().0;
    if let Err(problem) = &taken {
        // Only where the server is further than we know.
        assert!(head >= from && head <= spool.synced(), "{problem}");
    }
    if heard {
        spool.ack(head).unwrap();
    }
    taken.is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_absent_number_is_named_by_one_gap(turns in prop::collection::vec(turn(), 1..80)) {
        let dir = tempfile::tempdir().unwrap();
        let key = SpoolKey::from_bytes([9; 32]);
        let limits = Limits { segment: 2_500, total: 30_000 };
        let mut spool = Spool::open_with(dir.path(), &key, limits).unwrap();
        // All that was ever sealed.
        let mut all: Vec<Event> = Vec::new();
        let mut reader = Reader { walk: ChainWalk::default(), has: Vec::new(), gaps: Vec::new() };
        for turn in turns {
            match turn {
                Turn::Append { count, fill } => {
                    for _ in 0..20 {
                        let events = batch(spool.head(), count, fill);
                        match spool.append_with_note(&events, Some("n")) {
                            Ok(()) => {
                                all.extend(events);
                                break;
                            }
                            Err(SpoolError::Full { .. }) => {
                                // Some of it is sealed again first.
                                let doomed = spool.doomed().unwrap().unwrap_or_default();
                                let kept = doomed.iter().filter(|event| event.envelope.seq % 3 == 0).count();
                                let again = batch(spool.head(), kept, 10);
                                spool.append_again(&again, None).unwrap();
                                all.extend(again);
                                spool.drop_oldest(DropCause::Full, kept as u64).unwrap();
                            }
                            Err(other) => return Err(TestCaseError::fail(other.to_string())),
                        }
                    }
                    spool.sync().unwrap();
                }
                Turn::Drop => { spool.drop_oldest(DropCause::Age, 0).unwrap(); }
                Turn::Upload { max, heard } => { upload(&mut spool, &mut reader, &mut all, max, heard); }
                Turn::Reopen { forget } => {
                    drop(spool);
                    if forget {
                        let _ = std::fs::remove_file(dir.path().join("acked"));
                    }
                    spool = Spool::open_with(dir.path(), &key, limits).unwrap();
                }
            }
            prop_assert_eq!(spool.head().0, all.len() as u64);
            // Acknowledged is stored.
            prop_assert!(spool.acked() <= reader.walk.head().0);
            // What is neither held nor with the server is owed or told of.
            let oldest = spool.oldest();
            for seq in reader.walk.head().0 + 1..oldest {
                let named = spool.unread().filter(|one| (one.from..=one.to).contains(&seq)).count();
                prop_assert_eq!(named, 1, "{} is not there: {:?}", seq, spool.unread().collect::<Vec<_>>());
            }
        }
        // The server comes back for good.
        for _ in 0..10_000 {
            if !upload(&mut spool, &mut reader, &mut all, 7, true) && spool.acked() == spool.head().0 {
                break;
            }
        }
        prop_assert_eq!(reader.walk.head(), spool.head());
        prop_assert!(reader.walk.finish("m-1").is_ok());
        prop_assert_eq!(spool.unread().count(), 0);
        for event in &all {
            let seq = event.envelope.seq;
            let there = reader.has.contains(&seq);
            let named = reader.gaps.iter().filter(|(from, to)| (*from..=*to).contains(&seq)).count();
            prop_assert!(named <= 1, "{} is named {} times: {:?}", seq, named, reader.gaps);
            prop_assert!(there || named == 1, "{} is neither there nor named: {:?}", seq, reader.gaps);
        }
        reader.has.dedup();
        prop_assert!(reader.has.is_sorted());
    }
}
