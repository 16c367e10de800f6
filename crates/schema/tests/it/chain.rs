//! A chain holds, and every way of breaking it is seen.

use cmdai_schema::{ChainError, Event, Hash, verify_chain};
use proptest::prelude::*;

use crate::golden::event;

fn chain(length: u64) -> Vec<Event> {
    let mut hash = Hash::default();
    (1..=length)
        .map(|seq| {
            let event = event(seq, hash);
            hash = event.hash().unwrap();
            event
        })
        .collect()
}

#[test]
fn an_untouched_chain_holds() {
    let events = chain(5);
    let head = verify_chain((0, Hash::default()), &events).unwrap();
    assert_eq!(head, (5, events[4].hash().unwrap()));
    assert_eq!(
        verify_chain((2, events[1].hash().unwrap()), &events[2..]).unwrap(),
        head
    );
}

#[test]
fn a_missing_event_is_seen() {
    let mut events = chain(5);
    events.remove(2);
    let error = verify_chain((0, Hash::default()), &events).unwrap_err();
    assert!(
        matches!(
            error,
            ChainError::Sequence {
                expected: 3,
                found: 4,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_changed_payload_is_seen() {
    let mut events = chain(3);
    events[1].payload.user.user_id = "eve".into();
    let error = verify_chain((0, Hash::default()), &events).unwrap_err();
    assert!(
        matches!(error, ChainError::Payload { seq: 2, .. }),
        "{error}"
    );
}

#[test]
fn an_exchanged_event_is_seen() {
    let mut events = chain(3);
    let mut other = event(2, Hash::of(&[b"elsewhere"]));
    std::mem::swap(&mut events[1], &mut other);
    let error = verify_chain((0, Hash::default()), &events).unwrap_err();
    assert!(matches!(error, ChainError::Link { seq: 2, .. }), "{error}");
}

proptest! {
    /// Whatever byte of an event changes: it is not readable, it is the same event, or the chain
    /// breaks. (The envelope of the last event is bound by the head that the machine signs.)
    #[test]
    fn no_changed_byte_passes(index in 0usize..4000, byte in 0x20u8..0x7f) {
        let events = chain(3);
        let mut json = serde_json::to_vec(&events[1]).unwrap();
        let index = index % json.len();
        json[index] = byte;
        if let Ok(changed) = serde_json::from_slice::<Event>(&json) {
            let head = (1, events[0].hash().unwrap());
            if verify_chain(head, &[changed.clone(), events[2].clone()]).is_ok() {
                prop_assert_eq!(&changed, &events[1]);
            }
        }
    }
}
