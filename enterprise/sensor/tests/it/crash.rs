//! `kill -9` in the middle of everything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cmdai_schema::EventType;

use crate::world::{POLICY, World, command_id};

/// How often the sensor is killed in the middle of updates: `CMDAI_CRASH_POINTS=1000` for the full run.
fn points() -> u64 {
    std::env::var("CMDAI_CRASH_POINTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(25)
}

/// How often the sensor is killed while records come in: `CMDAI_CRASH_ROUNDS`.
fn rounds() -> u64 {
    std::env::var("CMDAI_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(8)
}

#[test]
fn kills_in_the_middle_of_updates_leave_the_old_or_the_new_policy_whole() {
    let mut world = World::running();
    let mut published = 1;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut seen = std::collections::BTreeSet::new();
    for point in 0..points() {
        published += 1;
        let policy = format!("{POLICY}# release {published}\n");
        world.publish(published, &policy);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // From before the sensor fetches it to after it has installed it.
        std::thread::sleep(Duration::from_micros(random % 150_000));
        world.kill();
        let bytes = std::fs::read(&world.places.snapshot).unwrap();
        let snapshot = cmdai_policy::Snapshot::open(&bytes)
            .unwrap_or_else(|error| panic!("point {point}: the snapshot is torn: {error}"));
        let version: u64 = snapshot.meta().version.parse().unwrap();
        let release = std::fs::read(world.places.state.join("release.json")).unwrap();
        let release: serde_json::Value = serde_json::from_slice(&release)
            .unwrap_or_else(|error| panic!("point {point}: the release is torn: {error}"));
        let text = release["policy_yaml"].as_str().unwrap();
        let digest = cmdai_schema::Hash::of(&[text.as_bytes()]).to_hex();
        assert_eq!(release["sha256"], digest.as_str(), "point {point}");
        let installed = release["version"].as_u64().unwrap();
        // Release first, then snapshot: at most one step apart, never behind what was in force.
        assert!(
            version <= installed && installed <= published,
            "point {point}: snapshot {version}, release {installed}, published {published}"
        );
        seen.insert(installed == published);
        world.start();
        world.until("it runs again with a whole policy", |status| {
            status
                .policy_version
                .parse::<u64>()
                .is_ok_and(|now| now >= installed)
        });
    }
    let last = published.to_string();
    world.until("the newest in the end", |status| {
        status.policy_version == last && status.problems.is_empty()
    });
    assert_eq!(
        seen.len(),
        2,
        "some kills came before, some after: {seen:?}"
    );
    assert_eq!(world.count(EventType::Tamper), 0);
}

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
    let mut random = u64::from(std::process::id()) | 1;
    for _ in 0..rounds() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // From before it has opened its spool to the middle of an upload.
        std::thread::sleep(Duration::from_micros(5_000 + random % 400_000));
        world.kill();
        world.start();
    }
    std::thread::sleep(Duration::from_millis(300));
    done.store(true, Ordering::Relaxed);
    let written = writer.join().unwrap();
    assert!(written > 100, "only {written} commands were written");
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
    let starts = u64::try_from(world.count(EventType::SensorStarted)).unwrap();
    assert!((2..=rounds() + 1).contains(&starts), "{starts}");
}
