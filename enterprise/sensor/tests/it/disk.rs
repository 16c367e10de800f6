//! Disks without room. The tests that need a small disk of their own mount one in a mount namespace of
//! their own, where root may; elsewhere they say so and end.

use cmdai_schema::EventType;
use cmdai_schema::governor::{Reply, Request};
use cmdai_testkit::disk::{small_disk, with_own_mounts};

use crate::faults::{in_order, whole};
use crate::world::{World, blocked, command_id, eventually, uid};

fn is_full(problems: &[String]) -> bool {
    problems
        .iter()
        .any(|problem| problem.contains("nothing more is sealed"))
}

/// The sealed spool finds no room while the server is away, through a kill and a stop; then the server
/// comes back.
fn nothing_is_lost(mut world: World) {
    world.server.down();
    let mut session = world.session("full");
    let mut written = 0;
    world.until("there is no room", |status| {
        for _ in 0..50 {
            written += 1;
            session.command(&format!("w{written}"));
        }
        is_full(&status.problems)
    });
    // What is blocked is not said to be recorded. (A short event may fit where longer ones did not.)
    let mut number = 0;
    eventually("a report that finds no room", || {
        number += 1;
        let request = Request::Report {
            start: Box::new(blocked(&format!("report-{number}"))),
            session_id: "full".into(),
        };
        let mut governor = world.governor();
        governor.send(&request).unwrap();
        match governor.receive().unwrap() {
            Reply::Recorded => None,
            Reply::Error { message } => {
                assert!(message.contains("cannot seal"), "{message}");
                Some(())
            }
            other => panic!("{other:?}"),
        }
    });
    for _ in 0..300 {
        written += 1;
        session.command(&format!("w{written}"));
    }
    // It starts on a full disk too, and its own events wait like the others.
    world.kill();
    world.start();
    world.until("it says so after a kill", |status| {
        is_full(&status.problems)
    });
    world.stop();
    world.start();
    world.until("it says so after a stop", |status| {
        is_full(&status.problems)
    });
    world.server.up();
    let last = format!("w{written}");
    world.events("the last command", |event| command_id(event) == last);
    world.drained();
    world.until("all is well", |status| !is_full(&status.problems));
    whole(&world, written);
    in_order(&world);
    // The last start found no room for its own event; it is told now.
    eventually("the last start is told", || {
        (world.count(EventType::SensorStarted) >= 2).then_some(())
    });
    assert_eq!(world.count(EventType::Tamper), 0);
}

#[test]
fn a_full_disk_loses_nothing() {
    with_own_mounts("disk::on_a_small_disk").unwrap();
}

#[test]
#[ignore = "started by the test above"]
fn on_a_small_disk() {
    let world = World::new();
    if !small_disk(&world.places.state.join("sealed"), "768k", "700").unwrap() {
        return;
    }
    nothing_is_lost(World::with_policy(world));
}

#[test]
fn files_that_may_not_grow_lose_nothing() {
    let mut world = World::new();
    // In blocks of 512 bytes, as POSIX says.
    world.wrapper = ["sh", "-c", "trap '' XFSZ; ulimit -f 600; exec \"$@\"", "sh"]
        .map(str::to_owned)
        .to_vec();
    nothing_is_lost(World::with_policy(world));
}

#[test]
fn records_that_find_no_room_are_counted() {
    with_own_mounts("disk::hooks_on_a_small_disk").unwrap();
}

#[test]
#[ignore = "started by the test above"]
fn hooks_on_a_small_disk() {
    let world = World::new();
    let folder = world.places.user_spool(uid());
    if !small_disk(&folder, "64k", "700").unwrap() {
        return;
    }
    let world = World::with_policy(world);
    // A hook of its own for this session: one write for each record, what is cut is closed with a newline.
    let mut session = world.session("short");
    session.command("w1");
    world.events("the first command", |event| command_id(event) == "w1");
    let ballast = folder.join("ballast");
    let mut filler = std::fs::File::create(&ballast).unwrap();
    while std::io::Write::write(&mut filler, &[1; 512]).is_ok() {}
    drop(filler);
    let before = session.counter;
    let mut lost = 0;
    for number in 0..400 {
        lost += u64::from(!session.try_command(&format!("lost-{number}")));
    }
    assert!(lost > 100, "{lost}");
    std::fs::remove_file(&ballast).unwrap();
    let after = session.counter;
    assert!(session.try_command("w2"));
    world.events("the command after", |event| command_id(event) == "w2");
    world.drained();
    // Each record that has no event of its own is within a gap, and none that has one.
    let (there, gaps) = world.known(|known| {
        let mut there = std::collections::BTreeSet::new();
        let mut gaps = Vec::new();
        for event in &known.events {
            let detail = &event.payload.detail;
            match event.envelope.event_type {
                EventType::Gap => gaps.push((
                    detail["from"].parse::<u64>().unwrap(),
                    detail["to"].parse::<u64>().unwrap(),
                )),
                EventType::CommandExecuted if command_id(event).starts_with("lost-") => {
                    there.insert(event.payload.context.counter);
                }
                _ => {}
            }
        }
        (there, gaps)
    });
    let in_gap = |counter: u64| {
        gaps.iter()
            .any(|(from, to)| (*from..=*to).contains(&counter))
    };
    for counter in before + 1..=after {
        let is_start = (counter - before) % 2 == 1;
        // An end is part of its start's event; a start without one says nothing of an end.
        assert!(
            !is_start || there.contains(&counter) != in_gap(counter),
            "record {counter}: there {}, in a gap {}",
            there.contains(&counter),
            in_gap(counter)
        );
    }
    assert_eq!(there.len() as u64 + lost, 400, "{gaps:?}");
}
