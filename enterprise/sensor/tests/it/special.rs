//! Grants under attack, exceptions and emergencies.

use std::path::PathBuf;
use std::time::Duration;

use cmdai_policy::Snapshot;
use cmdai_schema::EventType;
use cmdai_schema::governor::{Binding, ExceptionRequest, Reply, Request};

use crate::world::{World, eventually};

const POLICY: &str = r#"
version: "1.0"
organization: "acme-corp"
rules:
  - id: acme.deploy
    when: { pattern: "./deploy .*" }
    decision: require_approval
    risk: high
    reason: "Deploys need a second person"
  - id: acme.never
    when: { pattern: "./never .*" }
    decision: deny
    risk: critical
    reason: "Never"
approvals:
  break_glass: true
  review_hours: 4
  exception_days: 7
"#;

fn world() -> World {
    let mut world = World::new();
    world.publish(1, POLICY);
    world.start();
    world.until("the policy is installed", |status| {
        status.policy_version == "1"
    });
    world
}

fn binding(text: &str) -> Binding {
    Binding {
        text: text.into(),
        exact: text.into(),
        cwd: "/".into(),
        rules: vec!["acme.deploy".into()],
        origin: "human".into(),
        ..Binding::default()
    }
}

fn say(world: &World, request: &Request) -> Reply {
    let mut governor = world.governor();
    governor.send(request).unwrap();
    governor.receive().unwrap()
}

fn ask(world: &World, binding: Binding) -> Reply {
    world.governor().approve(binding, None).unwrap()
}

/// Has an open request decided with yes.
fn grant(world: &World, request_id: &str) {
    let open = eventually("the server knows the request", || {
        world.known(|known| {
            known
                .opened
                .iter()
                .find(|open| open.request_id == request_id)
                .cloned()
        })
    });
    let decision = world.server.decision(&open, true);
    world.known(|known| known.grants.push(decision));
}

/// Waits until the machine has taken the decision in: it asked for it, and does not any more.
fn arrived(world: &World, request_id: &str) {
    eventually("the decision arrives", || {
        (state(world, request_id) == "granted").then_some(())
    });
}

fn state(world: &World, request_id: &str) -> String {
    let request = Request::Request {
        request_id: request_id.to_owned(),
    };
    match say(world, &request) {
        Reply::State { state, .. } => state,
        other => panic!("{other:?}"),
    }
}

fn table(world: &World) -> PathBuf {
    fn find(folder: &std::path::Path) -> Option<PathBuf> {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path
                .file_name()
                .is_some_and(|name| name == "approvals.json")
            {
                return Some(path);
            }
            if path.is_dir()
                && let Some(found) = find(&path)
            {
                return Some(found);
            }
        }
        None
    }
    find(&world.dir.path().join("machine")).expect("a table of approvals")
}

/// `CMDAI_GRANT_ROUNDS=1000` for a long run.
#[test]
fn a_grant_is_used_at_most_once_whenever_the_keeper_dies() {
    let rounds: u64 = std::env::var("CMDAI_GRANT_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(6);
    let mut world = world();
    let mut used = 0;
    for round in 0..rounds {
        // Each round leaves an open request behind, and a person may have twenty.
        if round > 0 && round.is_multiple_of(15) {
            world = self::world();
        }
        let text = format!("./deploy {round}");
        let Reply::Pending { request_id } = ask(&world, binding(&text)) else {
            panic!("round {round}: not pending");
        };
        grant(&world, &request_id);
        arrived(&world, &request_id);
        // Several ask for it while the keeper dies, at another moment in each round.
        let places = world.places.clone();
        let askers: Vec<_> = (0..3)
            .map(|_| {
                let (places, binding) = (places.clone(), binding(&text));
                std::thread::spawn(move || {
                    crate::world::Governor::connect(&places)
                        .and_then(|mut governor| governor.approve(binding, None))
                })
            })
            .collect();
        std::thread::sleep(Duration::from_micros(round * 7_919 % 25_000));
        world.kill();
        let mut granted = 0;
        for asker in askers {
            granted += u32::from(matches!(asker.join().unwrap(), Some(Reply::Granted { .. })));
        }
        world.start();
        for _ in 0..2 {
            granted += u32::from(matches!(ask(&world, binding(&text)), Reply::Granted { .. }));
        }
        assert!(granted <= 1, "round {round}: used {granted} times");
        used += granted;
    }
    assert!(used > 0, "no grant was ever used: the test shows nothing");
}

#[test]
fn a_state_that_was_copied_back_permits_nothing() {
    let mut world = world();
    let Reply::Pending { request_id } = ask(&world, binding("./deploy blue")) else {
        panic!("not pending")
    };
    grant(&world, &request_id);
    arrived(&world, &request_id);
    world.stop();
    let file = table(&world);
    let copy = std::fs::read(&file).unwrap();
    world.start();
    assert!(matches!(
        ask(&world, binding("./deploy blue")),
        Reply::Granted { .. }
    ));
    world.stop();
    std::fs::write(&file, &copy).unwrap();
    world.start();
    assert!(matches!(
        say(
            &world,
            &Request::Request {
                request_id: request_id.clone()
            }
        ),
        Reply::Refused { .. }
    ));
    let Reply::Pending { request_id: fresh } = ask(&world, binding("./deploy blue")) else {
        panic!("the copy was believed")
    };
    assert_ne!(fresh, request_id);
    world.events("that it is told", |event| {
        event.envelope.event_type == EventType::Tamper
            && event
                .payload
                .detail
                .values()
                .any(|what| what.contains("put back"))
    });
}

#[test]
fn another_context_is_another_command() {
    let world = world();
    let with = |context: &str| Binding {
        contexts: vec![format!("kube_context={context}")],
        ..binding("./deploy blue")
    };
    let Reply::Pending { request_id } = ask(&world, with("staging")) else {
        panic!("not pending")
    };
    grant(&world, &request_id);
    arrived(&world, &request_id);
    assert!(matches!(
        ask(&world, with("production")),
        Reply::Pending { .. }
    ));
    assert!(matches!(
        ask(&world, with("staging")),
        Reply::Granted { .. }
    ));
}

fn lifting(rules: &[&str], seconds: u64) -> Request {
    Request::Exception {
        exception: Box::new(ExceptionRequest {
            rules: rules.iter().map(|&rule| rule.to_owned()).collect(),
            pattern: Some("./deploy blue".into()),
            duration_s: seconds,
            reason: "migration".into(),
            origin: "human".into(),
            ..ExceptionRequest::default()
        }),
        session_id: "s1".into(),
    }
}

fn lifted(world: &World) -> usize {
    let bytes = std::fs::read(&world.places.snapshot).unwrap();
    Snapshot::open(&bytes).unwrap().exceptions().len()
}

#[test]
fn an_exception_comes_into_force_and_is_taken_back() {
    let mut world = world();
    let floor = cmdai_policy::builtin_rules()
        .iter()
        .find(|rule| rule.floor)
        .unwrap();
    for (request, why) in [
        (lifting(&["acme.deploy"], 8 * 86_400), "at most 7 days"),
        (lifting(&["acme.deploy"], 5), "a minute"),
        (lifting(&["acme.unheard-of"], 3_600), "no rule"),
        (lifting(&[floor.id], 3_600), "knows no exception"),
        (lifting(&[], 3_600), "name 1"),
    ] {
        let reply = say(&world, &request);
        assert!(
            matches!(&reply, Reply::Refused { reason, .. } if reason.contains(why)),
            "{why}: {reply:?}"
        );
    }
    let Reply::Pending { request_id } = say(&world, &lifting(&["acme.deploy"], 86_400)) else {
        panic!("not pending")
    };
    let again = say(&world, &lifting(&["acme.deploy"], 86_400));
    assert!(
        matches!(again, Reply::Pending { request_id: id } if id == request_id),
        "the same thing is the same request"
    );
    assert_eq!(lifted(&world), 0);
    grant(&world, &request_id);
    eventually("the exception is in the snapshot", || {
        (lifted(&world) == 1).then_some(())
    });
    // It survives a crash, and the snapshot is no tampering then.
    world.kill();
    world.start();
    world.status();
    assert_eq!(lifted(&world), 1);
    let mut order = world.server.order_of("revoke-exception", 1);
    order.subject = Some(request_id.clone());
    let signed = world.server.signed_order(&order);
    world.known(|known| known.orders.push(signed));
    eventually("it is taken back", || (lifted(&world) == 0).then_some(()));
    world.events("that it is told", |event| {
        event.payload.detail.get("state").map(String::as_str) == Some("taken back")
    });
    assert_eq!(world.count(EventType::Tamper), 0);
}

fn emergency(binding: Binding, reason: &str) -> Request {
    Request::BreakGlass {
        binding: Box::new(binding),
        reason: reason.into(),
        session_id: "s1".into(),
    }
}

#[test]
fn an_emergency_is_for_people_and_told_at_once() {
    let world = world();
    let by_agent = Binding {
        origin: "agent".into(),
        agent: Some("claude-code".into()),
        ..binding("./deploy blue")
    };
    let denied = Binding {
        rules: vec!["acme.never".into()],
        ..binding("./never blue")
    };
    for (request, why) in [
        (emergency(by_agent, "fire"), "not for agents"),
        (emergency(binding("./deploy blue"), "  "), "cannot wait"),
        (emergency(denied, "fire"), "never for a denial"),
    ] {
        let reply = say(&world, &request);
        assert!(
            matches!(&reply, Reply::Refused { reason, .. } if reason.contains(why)),
            "{why}: {reply:?}"
        );
    }
    let reply = say(
        &world,
        &emergency(binding("./deploy blue"), "the site is down"),
    );
    let Reply::Permitted {
        request_id,
        review_within_s: Some(14_400),
        ..
    } = reply
    else {
        panic!("{reply:?}")
    };
    let open = eventually("the server is told", || {
        world.known(|known| {
            known
                .opened
                .iter()
                .find(|open| open.request_id == request_id)
                .cloned()
        })
    });
    assert_eq!(
        (open.kind.as_str(), open.reason.as_deref()),
        ("break_glass", Some("the site is down"))
    );
    let used = world.events("the event", |event| {
        event.envelope.event_type == EventType::GrantConsumed
    });
    assert_eq!(
        used[0].payload.approval.as_ref().unwrap().status,
        "break_glass"
    );
    // It is good for nothing later.
    assert!(matches!(
        ask(&world, binding("./deploy blue")),
        Reply::Pending { .. }
    ));
}

#[test]
fn without_the_policy_s_word_there_is_no_emergency() {
    let world = World::running();
    let reply = say(&world, &emergency(binding("./deploy blue"), "fire"));
    assert!(
        matches!(&reply, Reply::Refused { reason, .. } if reason.contains("does not permit")),
        "{reply:?}"
    );
}
