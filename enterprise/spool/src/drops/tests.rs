use cmdai_schema::{AssertedBy, ChainWalk, EventType, Hash, Payload};

use super::*;
use crate::{Limits, SpoolKey};

const LIMITS: Limits = Limits {
    segment: 2_000,
    total: 40_000,
};

fn key() -> SpoolKey {
    SpoolKey::from_bytes([3; 32])
}

fn seal(head: (u64, Hash), kind: EventType, payload: Payload) -> Event {
    let seq = head.0 + 1;
    let time = format!("2026-01-01T00:{:02}:{:02}.000Z", seq / 60 % 60, seq % 60);
    let id = format!("e{seq}");
    Event::seal(id, seq, head.1, time, kind, "m".into(), [0; 16], payload).unwrap()
}

fn fill(spool: &mut Spool, count: u64) {
    for _ in 0..count {
        let event = seal(spool.head(), EventType::CommandExecuted, Payload::default());
        spool.append_with_note(&[event], Some("n")).unwrap();
    }
    spool.sync().unwrap();
}

/// Seals what is owed, all of it in one append.
fn tell(spool: &mut Spool) -> Result<(), SpoolError> {
    let owed: Vec<Dropped> = spool.owed().cloned().collect();
    let mut head = spool.head();
    let mut events = Vec::new();
    for dropped in owed {
        let payload = Payload {
            asserted_by: AssertedBy::Sensor,
            detail: dropped.detail(),
            ..Payload::default()
        };
        let event = seal(head, EventType::Gap, payload);
        head = (event.envelope.seq, event.hash().unwrap());
        events.push(event);
    }
    spool.append(&events)?;
    spool.sync()
}

fn reopen(folder: &std::path::Path) -> Spool {
    Spool::open_with(folder, &key(), LIMITS).unwrap()
}

/// A reader who has everything up to `head` takes all that is held, and nothing is left unexplained.
fn read_all(spool: &Spool, head: (u64, Hash)) -> ChainWalk {
    let mut walk = ChainWalk::new(head, Vec::new());
    let mut absent = spool.absent(head.0 + 1);
    for event in spool.read_from(head.0 + 1, usize::MAX).unwrap() {
        walk.follow(&event, absent.take()).unwrap();
    }
    walk.finish("m").unwrap();
    walk
}

#[test]
fn a_kill_anywhere_leaves_the_segment_or_the_gap_event_and_never_both_or_neither() {
    for point in [Point::Intent, Point::Removal, Point::Plan] {
        for acked in [0, 3] {
            let dir = tempfile::tempdir().unwrap();
            let mut spool = reopen(dir.path());
            fill(&mut spool, 30);
            let first = spool.segments[1].first - 1;
            let before = match acked {
                0 => (0, Hash::default()),
                seq => {
                    let event = spool.read_from(seq, 1).unwrap().remove(0);
                    (seq, event.hash().unwrap())
                }
            };
            spool.ack(acked).unwrap();
            spool.dies = Some(point);
            let dropped = spool.drop_oldest(DropCause::Full, 0);
            if point == Point::Plan {
                dropped.unwrap().unwrap();
                assert!(tell(&mut spool).is_err());
            } else {
                assert!(dropped.is_err());
            }
            drop(spool);
            let mut spool = reopen(dir.path());
            assert_eq!(spool.acked(), acked, "{point:?}");
            let owed: Vec<(u64, u64)> = spool.owed().map(|one| (one.from, one.to)).collect();
            if point == Point::Intent {
                assert_eq!((owed.len(), spool.oldest()), (0, 1), "the segment is there");
                assert_eq!(spool.dropped().0, 0);
            } else {
                assert_eq!(owed, [(acked + 1, first)], "{point:?}");
                assert_eq!(spool.oldest(), first + 1);
                assert_eq!(spool.absent(acked + 1), None, "not before it is told");
                // Again in the middle of being told, then for good.
                spool.dies = Some(Point::Plan);
                assert!(tell(&mut spool).is_err());
                drop(spool);
                spool = reopen(dir.path());
                tell(&mut spool).unwrap();
                assert_eq!(spool.owed().count(), 0);
                assert_eq!(spool.dropped().0, first - acked);
                drop(spool);
                spool = reopen(dir.path());
                assert_eq!(spool.owed().count(), 0, "told once");
                let told = spool.head().0;
                let absent = spool.absent(acked + 1).unwrap();
                assert_eq!((absent.to, absent.told), (first, Some(told)));
            }
            assert_eq!(read_all(&spool, before).head(), spool.head());
            spool.ack(spool.synced()).unwrap();
            assert_eq!(spool.unread().count(), 0);
        }
    }
}

#[test]
fn ranges_that_nobody_was_told_of_become_one_and_told_ones_are_told_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = reopen(dir.path());
    fill(&mut spool, 40);
    spool.drop_oldest(DropCause::Age, 2).unwrap().unwrap();
    spool.drop_oldest(DropCause::Full, 1).unwrap().unwrap();
    let owed: Vec<Dropped> = spool.owed().cloned().collect();
    assert_eq!((owed.len(), owed[0].kept), (1, 3));
    assert_eq!((owed[0].from, owed[0].to + 1), (1, spool.oldest()));
    assert_eq!(owed[0].first_time, "2026-01-01T00:00:01.000Z");
    tell(&mut spool).unwrap();
    let told = spool.head().0;
    fill(&mut spool, 20);
    // The gap event goes too: both ranges are owed, each for itself, since somebody may have read of the first.
    while spool.oldest() <= told {
        spool.drop_oldest(DropCause::Full, 0).unwrap().unwrap();
    }
    let ranges: Vec<(u64, u64)> = spool.owed().map(|one| (one.from, one.to)).collect();
    assert_eq!(ranges[0], (1, owed[0].to));
    assert_eq!(ranges.len(), 2, "{ranges:?}");
    assert_eq!(ranges[1], (owed[0].to + 1, spool.oldest() - 1));
    tell(&mut spool).unwrap();
    assert_eq!(read_all(&spool, (0, Hash::default())).head(), spool.head());
}

#[test]
fn the_only_segment_goes_where_everything_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        segment: 100_000,
        total: 8_000,
    };
    let mut spool = Spool::open_with(dir.path(), &key(), limits).unwrap();
    while let Ok(()) = {
        let event = seal(spool.head(), EventType::CommandExecuted, Payload::default());
        spool.append_with_note(&[event], Some("n"))
    } {}
    spool.sync().unwrap();
    let head = spool.head();
    let dropped = spool.drop_oldest(DropCause::Full, 0).unwrap().unwrap();
    assert_eq!(
        (dropped.from, dropped.to, dropped.after),
        (1, head.0, head.1)
    );
    assert_eq!(
        (spool.head(), spool.note(), spool.queued()),
        (head, Some("n"), 0)
    );
    assert_eq!(
        spool.drop_oldest(DropCause::Full, 0).unwrap(),
        None,
        "nothing is held"
    );
    tell(&mut spool).unwrap();
    assert_eq!(read_all(&spool, (0, Hash::default())).head(), spool.head());
}

#[test]
fn what_was_acknowledged_is_no_drop() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = reopen(dir.path());
    fill(&mut spool, 30);
    let first = spool.drop_oldest(DropCause::Full, 0).unwrap().unwrap();
    // The server had it: the answer was late.
    spool.ack(first.to + 1).unwrap();
    assert_eq!((spool.owed().count(), spool.unread().count()), (0, 0));
    assert_eq!(spool.absent(first.to + 2), None);
}

#[test]
fn a_full_disk_still_takes_the_intent_and_the_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = reopen(dir.path());
    fill(&mut spool, 30);
    spool.drop_oldest(DropCause::Full, 0).unwrap().unwrap();
    // Nothing fits any more, as far as the bound goes.
    spool.set_total(1_000);
    assert!(
        spool
            .append(&[seal(
                spool.head(),
                EventType::CommandExecuted,
                Payload::default()
            )])
            .is_err()
    );
    tell(&mut spool).unwrap();
    assert_eq!(spool.owed().count(), 0);
}

#[test]
fn a_list_that_cannot_be_read_stops_the_spool() {
    let dir = tempfile::tempdir().unwrap();
    drop(reopen(dir.path()));
    std::fs::write(dir.path().join("gaps.json"), "{\"version\":2}").unwrap();
    let refused = Spool::open_with(dir.path(), &key(), LIMITS);
    assert!(matches!(refused, Err(SpoolError::Damaged { .. })));
}
