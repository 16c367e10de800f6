//! `kill -9` in the middle of everything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cmdai_schema::EventType;

use crate::world::{World, command_id};

#[test]
fn kills_lose_and_double_nothing() {
    let mut world = World::running();
    let done = Arc::new(AtomicBool::new(false));
    let mut sessions: Vec<_> = (0..2)
        .map(|number| world.session(&format!("k{number}")))
        .collect();
    let flag = done.clone();
    let writer = std::thread::spawn(move || {
        let mut written = 0u32;
        while !flag.load(Ordering::Relaxed) {
            for session in &mut sessions {
                written += 1;
                session.start(&format!("w{written}"));
                if written.is_multiple_of(7) {
                    std::thread::sleep(Duration::from_millis(3));
                }
                session.end(&format!("w{written}"), 0);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        written
    });
    for round in 0..8u64 {
        std::thread::sleep(Duration::from_millis(120 + round * 97 % 310));
        world.kill();
        world.start();
    }
    std::thread::sleep(Duration::from_millis(300));
    done.store(true, Ordering::Relaxed);
    let written = writer.join().unwrap();
    assert!(written > 200, "only {written} commands were written");
    let last = format!("w{written}");
    world.events("the last command", |event| command_id(event) == last);
    world.drained();
    let mut seen: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    world.known(|known| {
        assert!(known.conflicts.is_empty(), "{:?}", known.conflicts);
        for event in &known.events {
            let entry = seen.entry(command_id(event).to_owned()).or_default();
            match event.envelope.event_type {
                EventType::CommandExecuted => entry.0 += 1,
                EventType::CommandCompleted => entry.1 += 1,
                _ => {}
            }
        }
    });
    for number in 1..=written {
        let (starts, ends) = seen.get(&format!("w{number}")).copied().unwrap_or_default();
        assert_eq!(starts, 1, "w{number} was seen {starts} times");
        assert!(ends <= 1, "w{number} ended {ends} times");
    }
    assert_eq!(world.count(EventType::Gap), 0);
    assert_eq!(world.count(EventType::Tamper), 0);
    assert_eq!(world.count(EventType::PolicyUpdated), 1);
    // Some were killed before they could say anything.
    assert!((2..=9).contains(&world.count(EventType::SensorStarted)));
}
