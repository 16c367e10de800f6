//! A small sealed spool, a server that is away, and a policy that lets the oldest events go.

use cmdai_schema::{DropCause, Dropped, EventType, MOVED_FROM};

use crate::clock::{Clock, HOUR};
use crate::world::{POLICY, Session, World, command_id, uid};

/// Somebody else on the machine.
const OTHER: u32 = 64_321;

/// Running with a policy that drops, with more of the spool's keys.
fn dropping(world: World, keys: &str) -> World {
    let policy = format!("{POLICY}\naudit:\n  spool:\n    when_full: drop_oldest\n{keys}");
    let world = World::with_policy(world);
    world.publish(2, &policy);
    world.until("it is installed", |status| status.policy_version == "2");
    world
}

fn small() -> World {
    let mut world = World::new();
    world.buffer = Some(1 << 20);
    dropping(world, "")
}

/// Writes commands `w1`, `w2`... until so many events were dropped.
fn write(world: &World, session: &mut Session, written: &mut u64, events: u64) {
    world.until("so much was dropped", |status| {
        // No more than is sealed at once: what waits in the file would be sealed long after.
        if status.head_seq + 200 > *written {
            for _ in 0..200 {
                *written += 1;
                session.command(&format!("w{written}"));
            }
        }
        (status.dropped.as_ref()).is_some_and(|dropped| dropped.events >= events)
    });
}

/// What the server was told was dropped, after it has all that is held; nothing else is absent.
fn told(world: &World) -> Vec<Dropped> {
    world.drained();
    world.until("the server has read of it", |status| {
        (status.dropped.as_ref()).is_some_and(|dropped| dropped.unread == 0)
    });
    world.known(|known| {
        known.walk.finish("it").unwrap();
        assert_eq!(known.conflicts, Vec::<String>::new());
        let gaps: Vec<Dropped> = known.events.iter().filter_map(Dropped::of).collect();
        let mut next = 1;
        for event in &known.events {
            let seq = event.envelope.seq;
            let named = |seq| gaps.iter().any(|gap| (gap.from..=gap.to).contains(&seq));
            assert!((next..seq).all(named), "{next} to {seq}: {gaps:?}");
            next = seq + 1;
        }
        gaps
    })
}

#[test]
fn the_oldest_go_and_one_gap_event_says_which() {
    let mut world = small();
    let mut session = world.session("long");
    session.command("first");
    world.events("the first command", |event| command_id(event) == "first");
    world.drained();
    let stored = world.known(|known| known.walk.head().0);
    world.server.down();
    let mut written = 0u64;
    write(&world, &mut session, &mut written, 1);
    // Kills, stops and more of it: still one range.
    world.kill();
    world.start();
    write(&world, &mut session, &mut written, 500);
    world.stop();
    world.start();
    write(&world, &mut session, &mut written, 1_000);
    let last = format!("w{written}");
    world.server.up();
    world.events("the last command", |event| command_id(event) == last);
    let gaps = told(&world);
    assert_eq!(
        world.count(EventType::Gap),
        1,
        "one, and nothing else is missing"
    );
    let status = world.status();
    let last = status.dropped.unwrap();
    assert_eq!(
        (gaps[0].from, gaps[0].to, gaps[0].count()),
        (stored + 1, last.to, last.events)
    );
    assert_eq!(gaps[0].why, DropCause::Full);
    // And nobody was held back.
    let held_back = |problem: &String| problem.contains("share");
    assert!(!status.problems.iter().any(held_back));
}

#[test]
fn who_floods_loses_their_own_events_and_not_those_of_others() {
    if uid() != 0 {
        eprintln!("left out: only root can write in another person's name");
        return;
    }
    let mut world = small();
    world.server.down();
    let mut other = world.session_of(OTHER, "other");
    for number in 1..=20 {
        other.command(&format!("other-{number}"));
    }
    world.until("theirs are sealed", |status| status.queued >= 20);
    let mut flood = world.session("flood");
    let mut written = 0;
    // Several times what the spool holds, with a kill on the way.
    for round in 1..=6 {
        write(&world, &mut flood, &mut written, round * 600);
        if round == 3 {
            world.kill();
            world.start();
        }
    }
    world.server.up();
    let last = format!("w{written}");
    world.events("the last command", |event| command_id(event) == last);
    let gaps = told(&world);
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].kept >= 20, "{gaps:?}");
    assert!(gaps[0].sentence().contains("sealed again"));
    let found = world.known(|known| {
        let theirs = (known.events.iter()).filter(|event| event.payload.user.uid == Some(OTHER));
        let commands =
            theirs.filter(|event| event.envelope.event_type == EventType::CommandExecuted);
        let mut found = Vec::new();
        for event in commands {
            assert!(event.payload.detail.contains_key(MOVED_FROM));
            found.push(command_id(event).to_owned());
        }
        found
    });
    let expected: Vec<String> = (1..=20).map(|number| format!("other-{number}")).collect();
    assert_eq!(found, expected, "each once, in order");
    let first = world.known(|known| known.events.iter().any(|event| command_id(event) == "w1"));
    assert!(!first, "the flood's own beginning is gone");
}

#[test]
fn what_is_older_than_the_policy_keeps_goes_with_one_gap_event() {
    let mut world = World::new();
    let Some(clock) = Clock::of(&mut world) else {
        return;
    };
    world.wrapper.push("CMDAI_PROBE_SETTLES=1".into());
    let mut world = dropping(world, "    keep_days: 7\n");
    let mut session = world.session("aged");
    session.command("stored");
    world.events("the first command", |event| command_id(event) == "stored");
    world.drained();
    let stored = world.known(|known| known.walk.head().0);
    world.server.down();
    for number in 1..=10 {
        session.command(&format!("old-{number}"));
    }
    world.until("they are sealed", |status| status.queued >= 10);
    let segments = || {
        let files = std::fs::read_dir(world.places.state.join("sealed")).unwrap();
        let names = files.map(|file| file.unwrap().path());
        (names.filter(|path| path.extension().is_some_and(|end| end == "seg"))).count()
    };
    let before = segments();
    // The segment is closed after a day, and goes after seven.
    clock.set(6 * 24 * HOUR);
    let status = world.until("a new segment", |_| segments() > before);
    assert_eq!(status.dropped, None);
    clock.set(8 * 24 * HOUR);
    let status = world.until("the old ones went", |status| status.dropped.is_some());
    let dropped = status.dropped.unwrap();
    assert!(
        dropped.from == stored + 1 && dropped.to >= stored + 10,
        "{dropped:?}"
    );
    session.command("new");
    world.server.up();
    world.events("the new one", |event| command_id(event) == "new");
    let gaps = told(&world);
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].why, gaps[0].kept), (DropCause::Age, 0));
    assert_eq!((gaps[0].from, gaps[0].to), (dropped.from, dropped.to));
    let is_old = |event: &cmdai_schema::Event| command_id(event).starts_with("old-");
    assert!(!world.known(|known| known.events.iter().any(is_old)));
}

#[test]
fn an_answer_that_was_lost_is_no_second_gap() {
    let mut world = small();
    let mut session = world.session("lost");
    // The server has the first events, and the machine does not know.
    world.known(|known| known.lose_answers = 3);
    session.command("first");
    world.events("the first command", |event| command_id(event) == "first");
    world.server.down();
    let mut written = 0;
    write(&world, &mut session, &mut written, 1);
    world.server.up();
    let last = format!("w{written}");
    world.events("the last command", |event| command_id(event) == last);
    assert_eq!(told(&world).len(), 1);
    assert_eq!(world.count(EventType::Gap), 1);
}
