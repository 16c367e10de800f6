//! Roads that misbehave, and long absences: nothing is lost, nothing is stored twice, memory stays bounded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cmdai_schema::EventType;
use cmdai_testkit::{Fault, Proxy};

use crate::world::{World, command_id};

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// Every command `w1` to `w<count>` is on the server, once, and nothing is said to be missing.
pub(crate) fn whole(world: &World, count: u64) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    world.known(|known| {
        assert!(known.conflicts.is_empty(), "{:?}", known.conflicts);
        for event in &known.events {
            if event.envelope.event_type == EventType::CommandExecuted {
                *seen.entry(command_id(event).to_owned()).or_default() += 1;
            }
        }
    });
    for number in 1..=count {
        let times = seen.get(&format!("w{number}")).copied().unwrap_or(0);
        assert_eq!(times, 1, "w{number} is stored {times} times");
    }
    assert_eq!(seen.len() as u64, count);
    assert_eq!(world.count(EventType::Gap), 0);
}

/// The commands are on the server in the order in which they were recorded.
pub(crate) fn in_order(world: &World) {
    let order: Vec<u64> = world.known(|known| {
        let commands = known
            .events
            .iter()
            .filter(|event| event.envelope.event_type == EventType::CommandExecuted);
        commands
            .map(|event| command_id(event)[1..].parse().unwrap())
            .collect()
    });
    assert!(order.is_sorted());
}

#[test]
fn every_fault_of_the_road_delays_and_loses_nothing() {
    let mut proxy = None;
    let world = World::with_policy(World::by_road(|server| {
        let road = Proxy::start(server.address).unwrap();
        let url = format!("https://127.0.0.1:{}", road.address.port());
        proxy = Some(road);
        url
    }));
    let proxy = proxy.unwrap();
    let mut session = world.session("roads");
    let mut written = 0;
    for round in 0..number("CMDAI_FAULT_ROUNDS", 2) {
        for fault in [
            Fault::Cut,
            Fault::CutAfter(3_000 + round * 977 % 5_000),
            Fault::Slow(20_000),
            Fault::Hole,
            Fault::Twice(3),
            Fault::Swapped(3),
        ] {
            proxy.set(fault);
            for _ in 0..20 {
                written += 1;
                session.command(&format!("w{written}"));
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(200 + round * 131 % 400));
            // What vanished in a hole is not waited for: the connection ends as a router would end it.
            proxy.set(Fault::Cut);
            proxy.set(Fault::None);
        }
        // The server asks for patience, and loses an answer.
        world.known(|known| {
            known.busy = 2;
            known.lose_answers = 2;
        });
    }
    let last = format!("w{written}");
    world.events("the last command", |event| command_id(event) == last);
    world.drained();
    whole(&world, written);
    assert!(proxy.accepted() > 4, "{} connections", proxy.accepted());
}

/// Most memory that a process had, in KiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Processes that a process started, by any of its threads.
fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            text.split_whitespace()
                .filter_map(|text| text.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// `CMDAI_DRAIN_EVENTS=100000` is a day of a busy machine; `cargo xtask bench drain` prints the numbers.
#[test]
fn a_machine_that_was_away_drains_in_bounded_memory() {
    let count = number("CMDAI_DRAIN_EVENTS", 3_000);
    let mut world = World::running();
    world.drained();
    world.server.down();
    let begun = Instant::now();
    let mut session = world.session("away");
    for number in 1..=count {
        session.start(&format!("w{number}"));
        session.end(&format!("w{number}"), 0);
        // The sensor is stopped and killed while the server is away, as a laptop is.
        if number == count / 3 {
            world.kill();
            world.start();
        } else if number == count / 3 * 2 {
            // It has been up: a signal that comes before it listens to signals is no stop in good order.
            world.status();
            world.stop();
            world.start();
        }
    }
    let least = count; // one event for each command, at least
    let patience = Duration::from_secs(60 + count / 100);
    loop {
        let status = world.status();
        if status.queued >= least {
            break;
        }
        assert!(begun.elapsed() < patience, "sealing: {status:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let sealed = begun.elapsed();
    let couriers = children(world.pid());
    let before = (
        peak(world.pid()),
        couriers.iter().map(|pid| peak(*pid)).max().unwrap_or(0),
    );
    world.server.up();
    let begun = Instant::now();
    while world.status().queued > 0 {
        assert!(begun.elapsed() < patience, "draining: {:?}", world.status());
        std::thread::sleep(Duration::from_millis(50));
    }
    let drained = begun.elapsed();
    in_order(&world);
    let after = (
        peak(world.pid()),
        children(world.pid())
            .iter()
            .map(|pid| peak(*pid))
            .max()
            .unwrap_or(0),
    );
    whole(&world, count);
    eprintln!(
        "{}",
        serde_json::json!({
            "events": count,
            "sealed_s": sealed.as_secs_f64(),
            "drained_s": drained.as_secs_f64(),
            "events_per_second": count as f64 / drained.as_secs_f64(),
            "uploads": world.known(|known| known.uploads),
            "keeper_peak_kib": {"offline": before.0, "drained": after.0},
            "courier_peak_kib": {"offline": before.1, "drained": after.1},
        })
    );
    // A debug build of both; what counts is that it does not grow with what waits.
    let bound = 1..400 * 1024;
    assert!(
        bound.contains(&after.0) && bound.contains(&after.1),
        "{after:?}"
    );
}
