use cmdai_schema::{AssertedBy, DropCause, Dropped, EventType, Payload};

use super::*;

fn seal(head: (u64, Hash), kind: EventType, payload: Payload) -> Event {
    let (seq, time) = (head.0 + 1, "2026-01-01T00:00:00.000Z".to_owned());
    let id = format!("e{seq}");
    Event::seal(id, seq, head.1, time, kind, "m-1".into(), [1; 16], payload).unwrap()
}

/// Ten events, of which `from` to `to` are then dropped; the gap event is the eleventh.
fn chain(from: u64, to: u64) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    let mut head = (0, Hash::default());
    let mut hashes = vec![head.1];
    for seq in 1..=11 {
        let mut payload = Payload::default();
        if seq == 11 {
            payload.asserted_by = AssertedBy::Sensor;
            payload.detail = Dropped {
                from,
                to,
                before: hashes[usize::try_from(from - 1).unwrap()],
                after: hashes[usize::try_from(to).unwrap()],
                kept: 0,
                why: DropCause::Full,
                first_time: String::new(),
                last_time: String::new(),
            }
            .detail();
        }
        let kind = if seq == 11 {
            EventType::Gap
        } else {
            EventType::CommandExecuted
        };
        all.push(seal(head, kind, payload));
        head = (seq, all[all.len() - 1].hash().unwrap());
        hashes.push(head.1);
    }
    all
}

fn head(all: &[Event], seq: u64) -> Head {
    match seq {
        0 => Head::default(),
        seq => Head {
            seq,
            hash: all[usize::try_from(seq - 1).unwrap()].hash().unwrap(),
        },
    }
}

fn upload(all: &[Event], first: usize, dropped: Option<(u64, u64, u64)>) -> batch::Upload {
    batch::Upload {
        events: all[first - 1..].to_vec(),
        dropped: dropped.map(|(from, to, told)| Absent {
            from,
            to,
            told: Some(told),
        }),
    }
}

#[test]
fn a_declared_jump_is_taken_and_explained() {
    let all = chain(3, 6);
    let done = check(head(&all, 2), Vec::new(), upload(&all, 7, Some((3, 6, 11)))).unwrap();
    assert_eq!((done.events.len(), done.open.len()), (5, 0));
    assert_eq!(done.explained, [(6, 11)]);
    // In two uploads: open in between. Repeating the first changes nothing.
    let mut first = upload(&all, 7, Some((3, 6, 11)));
    first.events.truncate(2);
    let begun = check(head(&all, 2), Vec::new(), first).unwrap();
    assert_eq!((begun.events.len(), begun.open.len()), (2, 1));
    let mut again = upload(&all, 7, Some((3, 6, 11)));
    again.events.truncate(2);
    let repeated = check(head(&all, 8), begun.open.clone(), again).unwrap();
    assert_eq!((repeated.events.len(), &repeated.open), (0, &begun.open));
    let rest = check(head(&all, 8), begun.open, upload(&all, 9, None)).unwrap();
    assert_eq!(
        (rest.open.len(), rest.explained.as_slice()),
        (0, &[(6, 11)][..])
    );
}

#[test]
fn other_jumps_are_refused() {
    let all = chain(3, 6);
    let refused = |stored: u64, first: usize, dropped| {
        check(head(&all, stored), Vec::new(), upload(&all, first, dropped)).unwrap_err()
    };
    // Undeclared, and declared otherwise than the head or the events are.
    assert!(refused(2, 7, None).contains("expected sequence number 3"));
    for dropped in [(4, 6, 11), (3, 5, 11), (3, 7, 11), (3, 6, 6)] {
        let problem = refused(2, 7, Some(dropped));
        assert!(problem.contains("said to be absent"), "{problem}");
    }
    assert!(refused(2, 3, Some((3, 6, 11))).contains("is the next one"));
    let mut silent = upload(&all, 7, Some((3, 6, 11)));
    silent.dropped.as_mut().unwrap().told = None;
    assert!(check(head(&all, 2), Vec::new(), silent).is_err());
    // Declared, but not what the gap event says, or not by the event that should.
    let other = chain(3, 5);
    let problem = check(
        head(&other, 2),
        Vec::new(),
        upload(&other, 7, Some((3, 6, 11))),
    );
    assert!(problem.unwrap_err().contains("no gap event names"));
    assert!(refused(2, 7, Some((3, 6, 10))).contains("no gap event names"));
}

#[test]
fn a_machine_that_does_not_know_how_much_is_stored_is_understood() {
    let all = chain(3, 6);
    for from in [3, 5] {
        let done = check(
            head(&all, 4),
            Vec::new(),
            upload(&all, 7, Some((from, 6, 11))),
        );
        assert_eq!(done.unwrap().explained, [(6, 11)]);
    }
    // What it names begins earlier, and the gap event does not reach the end of the jump.
    let other = chain(3, 5);
    let problem = check(
        head(&other, 4),
        Vec::new(),
        upload(&other, 7, Some((3, 6, 11))),
    );
    assert!(problem.unwrap_err().contains("no gap event names"));
}
