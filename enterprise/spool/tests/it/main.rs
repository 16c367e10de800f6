//! The spool against a model, against `kill -9`, and against damage.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly"
)]

mod crash;
mod damage;
mod model;

use cmdai_schema::{AssertedBy, Dropped, Event, EventType, Hash, Payload};

/// The gap event that tells of a drop.
fn gap(head: (u64, Hash), dropped: &Dropped) -> Event {
    let payload = Payload {
        asserted_by: AssertedBy::Sensor,
        detail: dropped.detail(),
        ..Payload::default()
    };
    sealed(head, EventType::Gap, payload)
}

/// The next event after `head`; `fill` makes it longer.
fn event(head: (u64, Hash), fill: usize) -> Event {
    let mut payload = Payload::default();
    payload.detail.insert("fill".into(), "x".repeat(fill));
    sealed(head, EventType::CommandExecuted, payload)
}

fn sealed(head: (u64, Hash), kind: EventType, payload: Payload) -> Event {
    let seq = head.0 + 1;
    Event::seal(
        format!("e{seq}"),
        seq,
        head.1,
        "2026-01-01T00:00:00.000Z".into(),
        kind,
        "m-1".into(),
        [7; 16],
        payload,
    )
    .unwrap()
}

fn batch(mut head: (u64, Hash), count: usize, fill: usize) -> Vec<Event> {
    (0..count)
        .map(|_| {
            let event = event(head, fill);
            head = (event.envelope.seq, event.hash().unwrap());
            event
        })
        .collect()
}
