//! One person's flood while the server is away.

use cmdai_schema::EventType;
use cmdai_schema::governor::{Reply, Request};

use crate::world::{World, blocked, command_id, uid};

/// Somebody else on the machine.
const OTHER: u32 = 64_321;

fn is_told(problems: &[String]) -> bool {
    problems.iter().any(|problem| problem.contains("share"))
}

#[test]
fn a_flood_delays_the_one_who_makes_it_and_nobody_else() {
    if uid() != 0 {
        eprintln!("left out: only root can write in another person's name");
        return;
    }
    let mut world = World::new();
    world.buffer = Some(4 << 20);
    let mut world = World::with_policy(world);
    world.server.down();
    let mut flood = world.session("flood");
    let mut written = 0;
    world.until("the flood is above its share", |status| {
        for _ in 0..200 {
            written += 1;
            flood.command(&format!("flood-{written}"));
        }
        is_told(&status.problems)
    });
    let held = world.status().queued;
    assert!(held < written, "{held} of {written}");
    // A new start of the sensor gives nobody a second share.
    world.stop();
    world.start();
    world.until("it is still above it", |status| is_told(&status.problems));
    let request = Request::Report {
        start: Box::new(blocked("flood-report")),
        session_id: "flood".into(),
    };
    let mut governor = world.governor();
    governor.send(&request).unwrap();
    let reply = governor.receive();
    assert!(
        matches!(&reply, Some(Reply::Error { message }) if message.contains("share")),
        "{reply:?}"
    );
    // Others are sealed as ever.
    let before = world.status().queued;
    let mut other = world.session_of(OTHER, "other");
    for number in 1..=300 {
        other.command(&format!("other-{number}"));
    }
    world.until("the other one's commands are sealed", |status| {
        status.queued >= before + 300
    });
    world.server.up();
    let last = format!("flood-{written}");
    world.events("the end of the flood", |event| command_id(event) == last);
    world.drained();
    world.until("the share is free", |status| !is_told(&status.problems));
    for (who, count) in [("flood", written), ("other", 300)] {
        let mut found: Vec<String> = world.known(|known| {
            let commands = known.events.iter().filter(|event| {
                event.envelope.event_type == EventType::CommandExecuted
                    && command_id(event).starts_with(who)
            });
            commands.map(|event| command_id(event).to_owned()).collect()
        });
        found.sort();
        found.dedup();
        assert_eq!(found.len() as u64, count, "{who}");
    }
    let told = world.known(|known| {
        let about = known.events.iter().filter(|event| {
            event.envelope.event_type == EventType::Tamper
                && event.payload.detail["what"].contains("share")
        });
        about
            .map(|event| event.payload.user.uid)
            .collect::<Vec<_>>()
    });
    // At least once, and again at most where the share was free in between.
    assert!(!told.is_empty() && told.iter().all(|who| *who == Some(0)));
    assert_eq!(world.count(EventType::Gap), 0);
}

#[test]
fn the_policy_says_how_much_is_kept() {
    let small = format!(
        "{}\naudit:\n  spool:\n    max_mib: 4\n",
        crate::world::POLICY
    );
    let mut world = World::running();
    world.publish(2, &small);
    world.until("it is installed", |status| status.policy_version == "2");
    world.server.down();
    let mut flood = world.session("flood");
    let mut written = 0;
    // Two of the four mebibytes are one person's share; the sensor was started with 512.
    world.until("the share of four mebibytes is full", |status| {
        for _ in 0..200 {
            written += 1;
            flood.command(&format!("flood-{written}"));
        }
        is_told(&status.problems)
    });
    assert!(world.status().queued < written);
    world.stop();
    world.start();
    world.until("after a new start too", |status| is_told(&status.problems));
    // Nothing is dropped: what waited is sealed when the server has taken some.
    world.server.up();
    let last = format!("flood-{written}");
    world.events("the last one", |event| command_id(event) == last);
    assert_eq!(world.count(EventType::Gap), 0);
}
