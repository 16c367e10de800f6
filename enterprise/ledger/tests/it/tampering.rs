//! Every way of changing an export is found.

use std::collections::BTreeMap;

use cmdai_api::console::{ChainHead, ExportHeader, ExportLine, ExportedEvent};
use cmdai_ledger::{
    EXPORT_FORMAT, Frontier, Signer, VerifyError, VerifyReport, origin_of, verify_export,
};
use cmdai_schema::{AssertedBy, DropCause, Dropped, Event, EventType, Hash, Payload};
use proptest::prelude::*;

const MACHINES: [&str; 3] = [
    "m-0000000000000001",
    "m-0000000000000002",
    "m-0000000000000003",
];

fn signer() -> Signer {
    Signer::new(origin_of("acme"), &[9; 32])
}

/// `count` events of three machines in turn; every seventh is a gap of three records.
fn log(count: u64) -> Vec<Event> {
    let mut heads: BTreeMap<&str, (u64, Hash)> = BTreeMap::new();
    (0..count)
        .map(|n| {
            let machine = MACHINES[(n % 3) as usize];
            let head = heads.entry(machine).or_default();
            let gap = n % 7 == 6;
            let mut payload = Payload::default();
            payload.user.user_id = format!("person{n}");
            payload.machine.hostname = "host \u{e9}".to_owned();
            if gap {
                payload.detail.insert("from".to_owned(), "4".to_owned());
                payload.detail.insert("to".to_owned(), "6".to_owned());
            }
            let event = Event::seal(
                format!("0198f000-0000-7000-8000-{n:012}"),
                head.0 + 1,
                head.1,
                "2026-01-01T00:00:00.000Z".to_owned(),
                if gap {
                    EventType::Gap
                } else {
                    EventType::CommandExecuted
                },
                machine.to_owned(),
                [7; 16],
                payload,
            )
            .unwrap();
            *head = (event.envelope.seq, event.hash().unwrap());
            event
        })
        .collect()
}

/// Lines of an export of the events from `first` on.
fn export(events: &[Event], first: usize) -> Vec<String> {
    let mut frontier = Frontier::default();
    let mut heads = BTreeMap::new();
    for event in &events[..first] {
        let hash = event.hash().unwrap();
        frontier.push(hash);
        heads.insert(
            event.envelope.machine_id.clone(),
            ChainHead {
                seq: event.envelope.seq,
                hash: hash.to_hex(),
            },
        );
    }
    let blank = ExportLine {
        export: None,
        event: None,
        checkpoint: None,
    };
    let header = ExportHeader {
        format: EXPORT_FORMAT.to_owned(),
        organisation: "acme".to_owned(),
        from: String::new(),
        to: String::new(),
        first_leaf: first as u64,
        count: (events.len() - first) as u64,
        left_edge: frontier.peaks().iter().map(|hash| hash.to_hex()).collect(),
        public_key: signer().public_key(),
        heads,
    };
    let mut lines = vec![ExportLine {
        export: Some(header),
        ..blank.clone()
    }];
    for event in &events[first..] {
        let leaf = frontier.push(event.hash().unwrap());
        let event = serde_json::to_value(event).unwrap();
        lines.push(ExportLine {
            event: Some(ExportedEvent { leaf, event }),
            ..blank.clone()
        });
    }
    let checkpoint = signer().checkpoint(&frontier, "2026-01-02T00:00:00Z");
    lines.push(ExportLine {
        checkpoint: Some(checkpoint),
        ..blank
    });
    lines
        .iter()
        .map(|line| serde_json::to_string(line).unwrap())
        .collect()
}

fn verify(lines: &[String], key: Option<&str>) -> Result<VerifyReport, VerifyError> {
    verify_export(format!("{}\n", lines.join("\n")).as_bytes(), key)
}

#[test]
fn whole_exports_verify_and_say_what_they_hold() {
    let events = log(25);
    for first in [0, 1, 8, 13, 25] {
        let report = verify(&export(&events, first), Some(&signer().public_key())).unwrap();
        assert_eq!(report.events, 25 - first as u64);
        assert_eq!((report.tree_size, report.first_leaf), (25, first as u64));
        assert!(report.key_trusted);
        assert_eq!(report.organisation, "acme");
    }
    let report = verify(&export(&events, 0), None).unwrap();
    assert!(!report.key_trusted);
    assert_eq!((report.gap_events, report.missing_records), (3, 9));
    let text = report.to_string();
    assert!(
        text.starts_with("25 events of 3 machines")
            && text.contains("from elsewhere")
            && text.ends_with("3 gaps are recorded, 9 records are missing in them"),
        "{text}"
    );
    assert_eq!(report.machines[MACHINES[0]], 9);
}

#[test]
fn another_key_is_refused() {
    let lines = export(&log(5), 0);
    let other = Signer::new(origin_of("acme"), &[1; 32]);
    assert!(matches!(
        verify(&lines, Some(&other.public_key())),
        Err(VerifyError::Note { .. })
    ));
    // Signed by the trusted key, but the header names another.
    let mut lines = lines;
    lines[0] = lines[0].replace(&signer().public_key(), &other.public_key());
    assert!(matches!(
        verify(&lines, Some(&signer().public_key())),
        Err(VerifyError::OtherKey { .. })
    ));
}

#[test]
fn leaving_out_moving_and_cutting_are_found() {
    let lines = export(&log(12), 4);
    for at in 0..lines.len() {
        let mut less = lines.clone();
        less.remove(at);
        assert!(verify(&less, None).is_err(), "without line {at}");
        let mut twice = lines.clone();
        twice.insert(at, lines[at].clone());
        assert!(verify(&twice, None).is_err(), "line {at} twice");
        if at > 0 {
            let mut swapped = lines.clone();
            swapped.swap(at, at - 1);
            assert!(
                verify(&swapped, None).is_err(),
                "lines {at} and before swapped"
            );
        }
    }
    assert!(matches!(
        verify_export(&b""[..], None),
        Err(VerifyError::Truncated(0))
    ));
}

#[test]
fn errors_name_machine_and_number() {
    let events = log(12);
    let mut lines = export(&events, 4);
    lines[3] = lines[3].replace("person6", "nobody6");
    let error = verify(&lines, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "line 4: machine m-0000000000000001: the payload of event 3 was changed after it was sealed"
    );
    // A forger who seals again and repairs the count still cannot sign the root.
    let mut forged = events[..11].to_vec();
    forged.push(
        Event::seal(
            "0198f000-0000-7000-8000-00000000ffff".to_owned(),
            events[11].envelope.seq,
            events[11].envelope.prev_hash,
            events[11].envelope.time.clone(),
            EventType::CommandExecuted,
            events[11].envelope.machine_id.clone(),
            [7; 16],
            Payload::default(),
        )
        .unwrap(),
    );
    let mut lines = export(&forged, 4);
    let honest = export(&events, 4);
    *lines.last_mut().unwrap() = honest.last().unwrap().clone();
    assert!(matches!(
        verify(&lines, None),
        Err(VerifyError::Root { .. })
    ));
}

#[test]
fn what_no_hash_covers_may_not_be_there() {
    let mut lines = export(&log(3), 0);
    lines[1] = lines[1].replacen("\"salt\"", "\"added\":1,\"salt\"", 1);
    let error = verify(&lines, None).unwrap_err().to_string();
    assert!(error.contains("not part of an event"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]
    /// One byte anywhere: refused, or the same thing is said in the same words.
    #[test]
    fn a_changed_byte_is_found(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let good = format!("{}\n", export(&log(9), 2).join("\n"));
        let honest = verify_export(good.as_bytes(), None).unwrap();
        let mut bytes = good.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(report) = verify_export(&bytes[..], None) {
            prop_assert_eq!(report, honest);
        }
    }
}

/// A log of one machine of which events 3 to 5 were dropped; `change` has the last word on what is said of it.
fn dropped(change: impl FnOnce(&mut Dropped)) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    let seal = |all: &[Event], kind: EventType, payload: Payload| {
        let (seq, hash) = all.last().map_or((0, Hash::default()), |event| {
            (event.envelope.seq, event.hash().unwrap())
        });
        let (id, time) = (format!("e{seq}"), "2026-01-01T00:00:00.000Z".to_owned());
        let machine = MACHINES[0].to_owned();
        Event::seal(id, seq + 1, hash, time, kind, machine, [7; 16], payload).unwrap()
    };
    for _ in 0..8 {
        all.push(seal(&all, EventType::CommandExecuted, Payload::default()));
    }
    let mut range = Dropped {
        from: 3,
        to: 5,
        before: all[1].hash().unwrap(),
        after: all[4].hash().unwrap(),
        kept: 0,
        why: DropCause::Age,
        first_time: "2026-01-01T00:00:00.000Z".to_owned(),
        last_time: "2026-01-01T00:00:00.000Z".to_owned(),
    };
    change(&mut range);
    let payload = Payload {
        asserted_by: AssertedBy::Sensor,
        detail: range.detail(),
        ..Payload::default()
    };
    all.push(seal(&all, EventType::Gap, payload));
    all.retain(|event| !(3..=5).contains(&event.envelope.seq));
    all
}

#[test]
fn what_was_dropped_is_accepted_only_as_it_was_said() {
    let good = verify(&export(&dropped(|_| {}), 0), None).unwrap();
    assert_eq!(
        (good.events, good.gap_events, good.missing_records),
        (6, 1, 3)
    );
    // From the middle of it on, too.
    assert!(verify(&export(&dropped(|_| {}), 2), None).is_ok());
    let changes: [fn(&mut Dropped); 5] = [
        |range| range.from = 4,
        |range| range.to = 4,
        |range| range.to = 6,
        |range| range.before = Hash([1; 32]),
        |range| range.after = Hash([1; 32]),
    ];
    for change in changes {
        let error = verify(&export(&dropped(change), 0), None).unwrap_err();
        assert!(matches!(error, VerifyError::Unexplained(_)), "{error}");
    }
    // Changed after it was sealed, or left out.
    let mut events = dropped(|_| {});
    let detail = &mut events.last_mut().unwrap().payload.detail;
    detail.insert("to".to_owned(), "6".to_owned());
    assert!(matches!(
        verify(&export(&events, 0), None),
        Err(VerifyError::Chain { .. })
    ));
    events.pop();
    assert!(matches!(
        verify(&export(&events, 0), None),
        Err(VerifyError::Unexplained(_))
    ));
}
