//! Torn tails, flipped bits, wrong keys, two writers.

use std::path::{Path, PathBuf};

use cmdai_schema::{Hash, verify_chain};
use cmdai_spool::{Limits, Spool, SpoolError, SpoolKey};

use crate::{batch, event};

fn key() -> SpoolKey {
    SpoolKey::from_bytes([3; 32])
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect();
    all.sort();
    all
}

#[test]
fn every_torn_tail_is_cut_and_nothing_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), &key()).unwrap();
    spool
        .append_with_note(&batch(spool.head(), 3, 10), Some("three"))
        .unwrap();
    let before = spool.bytes();
    spool
        .append_with_note(&batch(spool.head(), 2, 10), Some("five"))
        .unwrap();
    spool.sync().unwrap();
    drop(spool);
    let path = segments(dir.path()).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in (usize::try_from(before).unwrap()..whole.len()).step_by(37) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let mut spool = Spool::open(dir.path(), &key()).unwrap();
        assert_eq!((spool.head().0, spool.note()), (3, Some("three")));
        spool.append(&[event(spool.head(), 0)]).unwrap();
        spool.sync().unwrap();
        verify_chain((0, Hash::default()), &spool.read_from(1, 100).unwrap()).unwrap();
    }
    std::fs::write(&path, &whole).unwrap();
    let spool = Spool::open(dir.path(), &key()).unwrap();
    assert_eq!((spool.head().0, spool.note()), (5, Some("five")));
}

#[test]
fn flipped_bits_before_the_tail_are_damage_never_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), &key()).unwrap();
    for _ in 0..4 {
        spool.append(&batch(spool.head(), 1, 50)).unwrap();
    }
    spool.sync().unwrap();
    drop(spool);
    let path = segments(dir.path()).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for offset in (0..whole.len() / 2).step_by(23) {
        let mut bytes = whole.clone();
        bytes[offset] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        let opened = Spool::open(dir.path(), &key());
        // A length that now points past the end cannot be told from a torn tail; all else can.
        match opened {
            Err(SpoolError::Damaged { .. } | SpoolError::WrongKey { .. }) => {}
            Ok(spool) => {
                assert!(spool.head().0 < 4, "offset {offset} went unnoticed");
                std::fs::write(&path, &whole).unwrap();
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn wrong_key_and_second_writer_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), &key()).unwrap();
    spool.append(&[event(spool.head(), 0)]).unwrap();
    assert!(matches!(
        Spool::open(dir.path(), &key()),
        Err(SpoolError::Busy(_))
    ));
    drop(spool);
    assert!(matches!(
        Spool::open(dir.path(), &SpoolKey::from_bytes([4; 32])),
        Err(SpoolError::WrongKey { .. })
    ));
}

#[test]
fn full_is_said_and_an_acknowledgement_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        segment: 4_000,
        total: 20_000,
    };
    let mut spool = Spool::open_with(dir.path(), &key(), limits).unwrap();
    let refused = loop {
        match spool.append(&batch(spool.head(), 2, 300)) {
            Ok(()) => spool.sync().unwrap(),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(refused, SpoolError::Full { limit: 20_000, .. }),
        "{refused}"
    );
    let head = spool.head();
    assert_eq!(spool.read_from(1, 1_000).unwrap().len() as u64, head.0);
    spool.ack(head.0 / 2).unwrap();
    spool.append(&batch(head, 2, 300)).unwrap();
    spool.sync().unwrap();
    spool.ack(spool.head().0).unwrap();
    assert_eq!(spool.queued(), 0);
    assert_eq!(segments(dir.path()).len(), 1);
    assert!(matches!(
        spool.ack(spool.head().0 + 1),
        Err(SpoolError::Ack { .. })
    ));
}

#[test]
fn nothing_readable_reaches_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), &key()).unwrap();
    let mut payload = cmdai_schema::Payload::default();
    payload
        .detail
        .insert("word".into(), "xylophone-at-midnight".into());
    let event = cmdai_schema::Event::seal(
        "e1".into(),
        1,
        Hash::default(),
        "2026-01-01T00:00:00.000Z".into(),
        cmdai_schema::EventType::Gap,
        "m".into(),
        [0; 16],
        payload,
    )
    .unwrap();
    spool
        .append_with_note(&[event], Some("marimba-at-noon"))
        .unwrap();
    spool.sync().unwrap();
    for path in segments(dir.path()) {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        assert!(
            !text.contains("xylophone") && !text.contains("marimba") && !text.contains("envelope")
        );
    }
}

#[test]
fn events_that_do_not_follow_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), &key()).unwrap();
    let two = batch(spool.head(), 2, 0);
    assert!(matches!(
        spool.append(&two[1..]),
        Err(SpoolError::Chain { head: 0, found: 2 })
    ));
    spool.append(&two[..1]).unwrap();
    assert!(matches!(
        spool.append(&two[..1]),
        Err(SpoolError::Chain { head: 1, found: 1 })
    ));
    assert!(
        spool.read_from(1, 10).unwrap().is_empty(),
        "what is not synced is not shown"
    );
    spool.sync().unwrap();
    assert_eq!(spool.read_from(1, 10).unwrap(), two[..1]);
}
