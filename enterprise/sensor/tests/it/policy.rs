//! Releases, orders, and hands on files.

use cmdai_policy::Snapshot;
use cmdai_schema::EventType;

use crate::world::{POLICY, World, eventually};

fn refused(world: &World, cause: &str) {
    let found = world.events(cause, |event| {
        event.envelope.event_type == EventType::PolicyRefused
            && event.payload.detail["cause"] == cause
    });
    assert_eq!(found[0].payload.detail["in_force"], "2");
    let status = world.until("the refusal is shown", |status| {
        status
            .problems
            .iter()
            .any(|problem| problem.contains("refused"))
    });
    assert_eq!(status.policy_version, "2");
}

fn open(world: &World) -> Snapshot {
    Snapshot::open(&std::fs::read(&world.places.snapshot).unwrap()).unwrap()
}

#[test]
fn good_releases_are_installed_and_bad_ones_refused() {
    let world = World::running();
    assert_eq!(open(&world).meta().version, "1");
    let old = world.dir.path().join("old");
    assert!(
        std::process::Command::new("cp")
            .arg("-r")
            .arg(world.publisher.repo_dir())
            .arg(&old)
            .status()
            .unwrap()
            .success()
    );
    world.publish(2, &POLICY.replace("curl", "wget"));
    let status = world.until("release 2 is installed", |status| {
        status.policy_version == "2"
    });
    assert_eq!(open(&world).meta().version, "2");
    let told = world.events("policy_updated", |event| {
        event.envelope.event_type == EventType::PolicyUpdated
            && event.payload.detail["version"] == "2"
    });
    assert_eq!(
        told[0].payload.detail["snapshot_digest"],
        status.policy_digest
    );

    // An older repository is shown again.
    world.known(|known| known.repo = old);
    refused(&world, "rollback");

    // The next release is changed on its way.
    let bad = world.dir.path().join("bad");
    world.publish(3, POLICY);
    assert!(
        std::process::Command::new("cp")
            .arg("-r")
            .arg(world.publisher.repo_dir())
            .arg(&bad)
            .status()
            .unwrap()
            .success()
    );
    for entry in std::fs::read_dir(bad.join("targets")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        if text.contains("curl") {
            std::fs::write(entry.path(), text.replace("curl", "cur1")).unwrap();
        }
    }
    world.known(|known| known.repo = bad);
    refused(&world, "tampered");

    // A signed release whose policy is nonsense: the last good one stays.
    world.known(|known| known.repo = world.publisher.repo_dir());
    world.until("release 3 is installed", |status| {
        status.policy_version == "3" && status.problems.is_empty()
    });
    world.publish(4, "version: \"1.0\"\nsafety:\n  patern: 1\n");
    world.events("policy", |event| {
        event.envelope.event_type == EventType::PolicyRefused
            && event.payload.detail["cause"] == "policy"
    });
    assert_eq!(open(&world).meta().version, "3");
    // The server hears of it, and a better release heals it.
    eventually("the server knows", || {
        world
            .known(|known| {
                known
                    .checkins
                    .iter()
                    .any(|checkin| checkin.policy_problem.is_some())
            })
            .then_some(())
    });
    world.publish(5, POLICY);
    world.until("release 5 is installed", |status| {
        status.policy_version == "5" && status.problems.is_empty()
    });
}

#[test]
fn a_release_for_newer_engines_is_refused_and_told() {
    let world = World::running();
    let before = std::fs::read(&world.places.snapshot).unwrap();
    // A key that only a newer engine knows does not hide what is to be done.
    world.publish(
        2,
        &format!("{POLICY}\nmin_engine: \"99.1\"\nnewer_key: true\n"),
    );
    let told = world.events("the refusal", |event| {
        event.envelope.event_type == EventType::PolicyRefused
            && event.payload.detail["cause"] == "engine"
    });
    assert_eq!(told[0].payload.detail["in_force"], "1");
    let problem = &told[0].payload.detail["problem"];
    assert!(
        problem.contains("99.1")
            && problem.contains("update cmdai")
            && !problem.contains("newer_key"),
        "{problem}"
    );
    assert_eq!(std::fs::read(&world.places.snapshot).unwrap(), before);
    let status = world.until("the refusal is shown", |status| {
        status
            .problems
            .iter()
            .any(|problem| problem.contains("99.1"))
    });
    assert_eq!(status.policy_version, "1");
    eventually("the server knows", || {
        world
            .known(|known| {
                known.checkins.iter().any(|checkin| {
                    let told = checkin.policy_problem.as_deref();
                    told.is_some_and(|problem| problem.contains("99.1"))
                })
            })
            .then_some(())
    });
    // What this engine may apply is taken, with the engine that it asks for.
    let own = cmdai_schema::ENGINE_VERSION;
    world.publish(3, &format!("{POLICY}\nmin_engine: \"{own}\"\n"));
    world.until("release 3 is installed", |status| {
        status.policy_version == "3" && status.problems.is_empty()
    });
    let named = open(&world).settings().min_engine.clone();
    assert_eq!(named.as_deref(), Some(own));
}

#[test]
fn quarantine_comes_stays_and_goes() {
    let mut world = World::running();
    let free = std::fs::read(&world.places.snapshot).unwrap();
    world.known(|known| known.orders.push(world.server.order(1, "quarantine")));
    let status = world.until("quarantine", |status| status.quarantine.is_some());
    assert_eq!(status.quarantine.as_deref(), Some("lost laptop"));
    assert_eq!(
        open(&world).meta().quarantine.as_deref(),
        Some("lost laptop")
    );
    let told = world.events("event", |event| {
        event.envelope.event_type == EventType::QuarantineChanged
    });
    assert_eq!(told[0].payload.detail["state"], "quarantined");
    world.kill();
    world.start();
    world.until("still in quarantine", |status| status.quarantine.is_some());
    assert_eq!(
        open(&world).meta().quarantine.as_deref(),
        Some("lost laptop")
    );

    // A release that nobody with the key gave.
    let forged = cmdai_bundle::sign_statement(
        &world.server.grant_key,
        &serde_json::from_str::<serde_json::Value>(&world.server.order(2, "release").payload)
            .unwrap(),
    )
    .unwrap();
    world.known(|known| known.orders = vec![forged]);
    world.events("disbelief", |event| {
        event.envelope.event_type == EventType::Tamper
            && event.payload.detail["what"].contains("order is not believed")
    });
    assert!(world.status().quarantine.is_some());

    world.known(|known| known.orders = vec![world.server.order(3, "release")]);
    world.until("released", |status| status.quarantine.is_none());
    assert_eq!(std::fs::read(&world.places.snapshot).unwrap(), free);
    eventually("two events", || {
        (world.count(EventType::QuarantineChanged) == 2).then_some(())
    });
}

#[test]
fn hands_on_files_are_reported_and_the_snapshot_comes_back() {
    let mut world = World::new();
    let hook = world.dir.path().join("bashrc");
    std::fs::write(&hook, "source cmdai.bash\n").unwrap();
    world.watched = vec![hook.clone()];
    world.publish(1, POLICY);
    world.start();
    world.until("the policy is installed", |status| {
        status.policy_version == "1"
    });
    let good = std::fs::read(&world.places.snapshot).unwrap();
    // What a process reads that begins while the file is damaged.
    assert_eq!(std::fs::read(world.places.last_good()).unwrap(), good);
    assert_eq!(
        std::fs::read_to_string(world.places.fail_mode()).unwrap(),
        "open\n"
    );
    let tampered = |word: &'static str| {
        world.events(word, move |event| {
            event.envelope.event_type == EventType::Tamper
                && event.payload.detail["what"].contains(word)
        })
    };
    std::fs::remove_file(&world.places.snapshot).unwrap();
    assert_eq!(
        tampered("snapshot was removed")[0].payload.detail["repaired"],
        "yes"
    );
    assert_eq!(std::fs::read(&world.places.snapshot).unwrap(), good);
    std::fs::write(&world.places.snapshot, "nothing is forbidden").unwrap();
    tampered("snapshot was replaced");
    assert_eq!(std::fs::read(&world.places.snapshot).unwrap(), good);

    std::fs::write(&hook, "").unwrap();
    tampered("watched file changed");
    // Also while the sensor sleeps.
    world.drained();
    world.kill();
    std::fs::remove_file(&hook).unwrap();
    std::fs::write(&world.places.snapshot, "nothing is forbidden").unwrap();
    world.start();
    world.events("removed", |event| {
        event
            .payload
            .detail
            .get("what")
            .is_some_and(|what| what.contains("watched file was removed"))
    });
    world.events("replaced", |event| {
        event
            .payload
            .detail
            .get("what")
            .is_some_and(|what| what.contains("while the sensor did not run"))
    });
    assert_eq!(std::fs::read(&world.places.snapshot).unwrap(), good);
}
