//! From a question to a grant that is used once.

use std::time::Duration;

use cmdai_schema::EventType;
use cmdai_schema::governor::{Binding, Reply, Request};

use crate::world::{World, eventually};

fn binding(world: &World, text: &str) -> Binding {
    Binding {
        text: text.into(),
        exact: text.into(),
        digest: "v1:sha256:00".into(),
        cwd: world.dir.path().display().to_string(),
        files: vec!["deploy.sh".into()],
        rules: vec!["acme.production".into()],
        ..Binding::default()
    }
}

fn ask(world: &World, text: &str) -> Reply {
    world
        .governor()
        .approve(binding(world, text), Some("release day".into()))
        .unwrap()
}

fn script(world: &World, text: &str) {
    std::fs::write(world.dir.path().join("deploy.sh"), text).unwrap();
}

/// Opens a request and has it decided.
fn decided(world: &World, text: &str, granted: bool) -> String {
    let Reply::Pending { request_id } = ask(world, text) else {
        panic!("not pending")
    };
    let open = eventually("the server knows the request", || {
        world.known(|known| {
            known
                .opened
                .iter()
                .find(|open| open.request_id == request_id)
                .cloned()
        })
    });
    assert_eq!(open.request.binding.exact.len(), 64);
    assert!(
        !serde_json::to_string(&open)
            .unwrap()
            .contains("\"exact\":\"./deploy"),
        "the exact text stays on the machine"
    );
    let decision = world.server.decision(&open, granted);
    world.known(|known| known.grants.push(decision));
    request_id
}

/// Waits until the machine has taken the decision in: it stops asking for it.
fn arrived(world: &World, request_id: &String) {
    eventually("the decision arrives", || {
        world.known(|known| {
            let asked = known
                .checkins
                .iter()
                .position(|checkin| checkin.pending_requests.contains(request_id))?;
            known.checkins[asked..]
                .iter()
                .any(|checkin| !checkin.pending_requests.contains(request_id))
                .then_some(())
        })
    });
}

#[test]
fn a_grant_fits_one_command_once() {
    let world = World::running();
    script(&world, "echo deploying");
    let request_id = decided(&world, "./deploy.sh prod", true);
    let granted = eventually("the grant arrives", || {
        Some(ask(&world, "./deploy.sh prod"))
            .filter(|reply| !matches!(reply, Reply::Pending { .. }))
    });
    assert_eq!(
        granted,
        Reply::Granted {
            request_id: request_id.clone(),
            grant_id: format!("g-{request_id}"),
            approver: "maya".into()
        }
    );
    assert!(
        matches!(ask(&world, "./deploy.sh prod"), Reply::Pending { request_id: id } if id != request_id)
    );
    let consumed = world.events("grant_consumed", |event| {
        event.envelope.event_type == EventType::GrantConsumed
    });
    assert_eq!(
        consumed[0].payload.approval.as_ref().unwrap().request_id,
        request_id
    );
    assert_eq!(world.count(EventType::GrantConsumed), 1);
    eventually("both requests are told", || {
        (world.count(EventType::ApprovalRequested) == 2).then_some(())
    });
}

#[test]
fn a_swapped_script_is_another_command_and_no_means_no() {
    let world = World::running();
    script(&world, "echo deploying");
    let request_id = decided(&world, "./deploy.sh prod", true);
    arrived(&world, &request_id);
    script(&world, "rm -rf /");
    assert!(matches!(
        ask(&world, "./deploy.sh prod"),
        Reply::Pending { .. }
    ));
    script(&world, "echo deploying");
    assert!(matches!(
        ask(&world, "./deploy.sh prod"),
        Reply::Granted { .. }
    ));

    decided(&world, "terraform destroy", false);
    let reply = eventually("the answer arrives", || {
        Some(ask(&world, "terraform destroy"))
            .filter(|reply| !matches!(reply, Reply::Pending { .. }))
    });
    assert!(
        matches!(reply, Reply::Refused { ref reason, .. } if reason.contains("maya said no")),
        "{reply:?}"
    );

    let unknown = Binding {
        unknown: true,
        ..binding(&world, "$CMD")
    };
    let reply = world.governor().approve(unknown, None).unwrap();
    assert!(matches!(
        reply,
        Reply::Refused {
            request_id: None,
            ..
        }
    ));
    std::fs::remove_file(world.dir.path().join("deploy.sh")).unwrap();
    assert!(
        matches!(ask(&world, "./deploy.sh prod"), Reply::Refused { .. }),
        "what would run cannot be looked at"
    );
}

#[test]
fn a_crash_between_use_and_answer_never_gives_it_twice() {
    let mut world = World::running();
    script(&world, "echo deploying");
    for round in 0..4u64 {
        let text = format!("./deploy.sh {round}");
        let request_id = decided(&world, &text, true);
        arrived(&world, &request_id);
        // Asks, and does not get to hear the answer in most rounds.
        let mut governor = world.governor();
        governor
            .send(&Request::Approve {
                binding: Box::new(binding(&world, &text)),
                reason: None,
                session_id: "s1".into(),
            })
            .unwrap();
        std::thread::sleep(Duration::from_micros(round * 900));
        world.kill();
        let heard = matches!(governor.receive(), Some(Reply::Granted { .. }));
        world.start();
        let after = ask(&world, &text);
        let again = matches!(after, Reply::Granted { .. });
        assert!(!(heard && again), "round {round}: given twice");
        assert!(
            matches!(ask(&world, &text), Reply::Pending { .. }),
            "round {round}: used up by now"
        );
        world.drained();
        let consumed = world.known(|known| {
            known
                .events
                .iter()
                .filter(|event| {
                    event.envelope.event_type == EventType::GrantConsumed
                        && event
                            .payload
                            .approval
                            .as_ref()
                            .is_some_and(|approval| approval.request_id == request_id)
                })
                .count()
        });
        assert_eq!(consumed, 1, "round {round}");
    }
}
