//! From a hook's record to the server.

use std::time::{Duration, Instant};

use cmdai_schema::governor::{Reply, Request};
use cmdai_schema::record::Half;
use cmdai_schema::{AgentInfo, Decision, EventType, Origin, OriginKind};

use crate::world::{World, blocked, command_id, eventually, started};

#[test]
fn enrolment_trusts_the_pinned_authority_only() {
    let world = World::new();
    assert!(world.places.mark.exists());
    let again = world.enrol(&world.server.token()).unwrap_err();
    assert!(again.to_string().contains("enrolled already"), "{again}");
    cmdai_sensor::uninstall(&world.places).unwrap();
    assert!(!world.places.mark.exists() && !world.places.state.exists());

    let other = format!("cmdai1.t1.secret.{}", "00".repeat(32));
    let error = world.enrol(&other).unwrap_err();
    assert!(
        format!("{error:#}").contains("does not show the authority"),
        "{error:#}"
    );
    let used = world.server.token().replace("t1", "t2");
    let error = world.enrol(&used).unwrap_err();
    assert!(format!("{error:#}").contains("used up"), "{error:#}");
    assert!(!world.places.mark.exists());
    assert_eq!(
        world.enrol(&world.server.token()).unwrap().organisation,
        "acme-corp"
    );
}

#[test]
fn records_become_events_on_the_server_within_two_seconds() {
    let mut world = World::running();
    let mut session = world.session("s1");
    let begin = Instant::now();
    session.write(Half::SessionStart {
        shell: "bash 5.2".into(),
        origin: Origin::default(),
    });
    session.command("c1");
    session.write(Half::Start(Box::new(blocked("c2"))));
    let mut monitored = started("c3");
    monitored.policy.violated_rules = vec!["net.fetch".into()];
    session.write(Half::Start(Box::new(monitored)));
    session.end("c3", 3);
    let mut waiting = blocked("c4");
    waiting.policy.decision = Decision::RequireApproval;
    waiting.approval = Some(cmdai_schema::ApprovalInfo {
        request_id: "ABCD2345".into(),
        status: "pending".into(),
        ..Default::default()
    });
    session.write(Half::Start(Box::new(waiting)));
    let mut by_agent = started("c5");
    by_agent.origin = Origin {
        kind: OriginKind::Agent,
        confidence: 900,
        evidence: vec!["env:CLAUDECODE".into()],
    };
    by_agent.agent = Some(AgentInfo {
        name: "claude-code".into(),
        ..AgentInfo::default()
    });
    session.write(Half::Start(Box::new(by_agent)));
    session.end("c5", 0);
    let event = |id: &str| world.events(id, |event| command_id(event) == id).remove(0);
    let last = event("c5");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(2), "took {took:?}");
    assert_eq!(last.payload.context.agent.unwrap().name, "claude-code");
    let first = event("c1");
    assert_eq!(first.envelope.event_type, EventType::CommandExecuted);
    assert_eq!(first.payload.execution.unwrap().exit_code, Some(0));
    assert_eq!(
        (
            first.payload.machine.hostname.as_str(),
            first.payload.user.uid
        ),
        ("dev-1", Some(crate::world::uid()))
    );
    assert_eq!(event("c2").envelope.event_type, EventType::CommandBlocked);
    assert_eq!(event("c3").envelope.event_type, EventType::PolicyViolation);
    assert_eq!(event("c3").payload.execution.unwrap().exit_code, Some(3));
    assert_eq!(
        event("c4").envelope.event_type,
        EventType::ApprovalRequested
    );

    // A long one comes in two halves.
    session.start("c6");
    assert_eq!(event("c6").payload.execution.unwrap().exit_code, None);
    session.end("c6", 9);
    let completed = world.events("completed", |event| {
        event.envelope.event_type == EventType::CommandCompleted
    });
    assert_eq!(
        (
            command_id(&completed[0]),
            completed[0].payload.execution.as_ref().unwrap().exit_code
        ),
        ("c6", Some(9))
    );
    assert_eq!(
        completed[0].payload.command.as_ref().unwrap().text,
        "echo c6"
    );

    world.drained();
    world.stop();
    let status = cmdai_sensor::status(&world.places).unwrap();
    assert!(status.problems[0].contains("not running"), "{status:?}");
    assert_eq!(status.policy_version, "1");
    // The farewell is sealed and goes out with the next start.
    world.start();
    world.events("the farewell", |event| {
        event.envelope.event_type == EventType::SensorStopped
    });
    let started = world.events("starts", |event| {
        event.envelope.event_type == EventType::SensorStarted
    });
    eventually("second start", || {
        (world.count(EventType::SensorStarted) == 2).then_some(())
    });
    assert_eq!(started[0].payload.detail["after"], "stop");
    assert!(world.known(|known| known.conflicts.is_empty()));
}

#[test]
fn what_is_missing_or_damaged_becomes_a_gap() {
    let world = World::running();
    let mut session = world.session("gaps");
    session.command("g1");
    session.counter += 3;
    session.command("g2");
    session.raw("C1 00000000 {\"not\":\"this\"}\n");
    session.counter += 1;
    session.command("g3");
    world.events("g3", |event| command_id(event) == "g3");
    let gaps: Vec<(String, String, String)> = world
        .events("gaps", |event| event.envelope.event_type == EventType::Gap)
        .into_iter()
        .map(|event| {
            (
                event.payload.detail["from"].clone(),
                event.payload.detail["to"].clone(),
                event.payload.detail["cause"].clone(),
            )
        })
        .collect();
    assert_eq!(
        gaps,
        [
            ("3".into(), "5".into(), "records are missing".into()),
            ("8".into(), "8".into(), "checksum does not match".into())
        ]
    );
    // A spool that is emptied or taken away does not go unnoticed.
    std::fs::remove_file(world.places.user_spool(crate::world::uid()).join("gaps.c1")).unwrap();
    world.events("removal", |event| {
        event
            .payload
            .detail
            .get("what")
            .is_some_and(|what| what.contains("was removed"))
    });
}

#[test]
fn a_blocked_command_is_reported_once_by_two_roads() {
    let world = World::running();
    let mut governor = world.governor();
    governor.report(blocked("b1"), "s9");
    governor.report(blocked("b1"), "s9");
    let mut session = world.session("s9");
    session.write(Half::Start(Box::new(blocked("b1"))));
    session.write(Half::Start(Box::new(blocked("b2"))));
    world.events("b2", |event| command_id(event) == "b2");
    governor.report(blocked("b2"), "s9");
    session.command("b3");
    world.events("b3", |event| command_id(event) == "b3");
    for id in ["b1", "b2"] {
        assert_eq!(
            world.events(id, |event| command_id(event) == id).len(),
            1,
            "{id}"
        );
    }
    let reported = world.events("b1", |event| command_id(event) == "b1");
    assert_eq!(reported[0].payload.user.uid, Some(crate::world::uid()));
}

#[test]
fn the_server_may_go_away_be_busy_and_lose_answers() {
    let mut world = World::running();
    world.drained();
    world.server.down();
    let mut session = world.session("s1");
    for turn in 0..40 {
        session.command(&format!("d{turn}"));
    }
    let status = world.until("events wait", |status| status.queued >= 40);
    assert!(status.oldest_s.is_some());
    world.until("trouble is shown", |status| {
        status
            .problems
            .iter()
            .any(|problem| problem.contains("contact") || problem.contains("upload"))
    });
    world.known(|known| {
        known.busy = 2;
        known.lose_answers = 1;
    });
    world.server.up();
    world.drained();
    for turn in 0..40 {
        let id = format!("d{turn}");
        assert_eq!(
            world.known(|known| known
                .events
                .iter()
                .filter(|event| command_id(event) == id)
                .count()),
            1,
            "{id}"
        );
    }
    world.until("no trouble is left", |status| status.problems.is_empty());
    assert!(world.known(|known| known.conflicts.is_empty()));
}

#[test]
fn an_idle_sensor_is_quiet() {
    let world = World::running();
    world.drained();
    std::thread::sleep(Duration::from_millis(300));
    let before = world.server.requests();
    std::thread::sleep(Duration::from_secs(3));
    let asked = world.server.requests() - before;
    assert!(
        asked <= 4,
        "{asked} requests in three idle seconds with a hold of two"
    );
}

#[test]
fn a_report_that_would_swell_the_note_is_refused() {
    let world = World::running();
    let mut governor = world.governor();
    let mut ask = |id: &str| {
        governor.send(&Request::Report {
            start: Box::new(blocked(id)),
            session_id: "s1".into(),
        });
        governor.receive().unwrap()
    };
    assert!(matches!(ask(&"x".repeat(500_000)), Reply::Error { .. }));
    assert!(matches!(ask(""), Reply::Error { .. }));
    assert_eq!(ask("r1"), Reply::Recorded);
    // One person's flood is bounded; what it brought before stands.
    let refused = (0..400)
        .filter(|number| matches!(ask(&format!("flood-{number}")), Reply::Error { .. }))
        .count();
    assert!(refused >= 150, "{refused}");
}

#[test]
fn many_long_records_at_once_stop_nobody() {
    let mut world = World::running();
    world.stop();
    // Together far more than one frame of the sealed spool holds.
    for number in 0..14 {
        let mut session = world.session(&format!("a{number}"));
        for turn in 0..4 {
            let mut long = blocked(&format!("long-{number}-{turn}"));
            long.text = "x".repeat(240_000);
            session.write(Half::Start(Box::new(long)));
        }
    }
    world.session("b").command("other");
    world.start();
    world.events("the other session", |event| command_id(event) == "other");
    let long = |event: &cmdai_schema::Event| command_id(event).starts_with("long-");
    eventually("all long records", || {
        (world.events("long records", long).len() == 14 * 4).then_some(())
    });
    assert_eq!(world.count(EventType::Gap), 0);
}

#[test]
fn private_mode_is_an_event_and_its_mark_a_finding_where_policy_permits_none() {
    let world = World::running();
    let private = |id: &str| Half::Start(Box::new(started(id).made_private()));
    let entered = |on: bool| Half::Private {
        on,
        shell_pid: 4711,
        until_ms: None,
        why: "asked for".into(),
    };
    let mut forged = world.session("forged");
    forged.write(entered(true));
    forged.write(private("f1"));
    forged.end("f1", 0);
    let told = world
        .events("f1", |event| command_id(event) == "f1")
        .remove(0);
    assert_eq!(told.envelope.event_type, EventType::PolicyViolation);
    assert_eq!(told.payload.detail["finding"], "private-mode-forbidden");
    let command = told.payload.command.unwrap();
    assert!(command.private && command.text.is_empty() && command.programs.is_empty());
    let of_mode = |event: &cmdai_schema::Event| event.envelope.event_type == EventType::PrivateMode;
    let entering = world.events("entering", of_mode).remove(0);
    assert_eq!(entering.payload.detail["finding"], "private-mode-forbidden");

    let permitting = format!("{}\nprivacy:\n  private_mode: true\n", crate::world::POLICY);
    world.publish(2, &permitting);
    world.until("it is permitted", |status| status.policy_version == "2");
    let mut open = world.session("open");
    open.write(entered(true));
    open.write(private("p1"));
    open.end("p1", 0);
    open.write(entered(false));
    open.write(Half::Recording {
        state: "ended".into(),
        file: "20260101-120000-ABCDE.cast.zst".into(),
        sha256: Some("ab".repeat(32)),
        bytes: Some(4_096),
        duration_ms: 60_000,
    });
    let recording = world
        .events("recording", |event| {
            event.envelope.event_type == EventType::SessionRecorded
        })
        .remove(0);
    assert_eq!(recording.payload.detail["sha256"], "ab".repeat(32));
    assert_eq!(recording.payload.detail["bytes"], "4096");
    let told = world
        .events("p1", |event| command_id(event) == "p1")
        .remove(0);
    assert_eq!(told.envelope.event_type, EventType::CommandExecuted);
    assert_eq!(told.payload.execution.unwrap().exit_code, Some(0));
    assert!(!told.payload.detail.contains_key("finding"));
    let all = eventually("entering and leaving", || {
        let all = world.events("mode", of_mode);
        (all.len() == 3).then_some(all)
    });
    let states: Vec<&str> = all
        .iter()
        .map(|event| event.payload.detail["state"].as_str())
        .collect();
    assert_eq!(states, ["on", "on", "off"]);
    assert_eq!(world.count(EventType::Gap), 0, "no number is missing");
}

#[test]
fn fields_that_policy_hashes_never_leave_the_machine_as_they_are() {
    let hashing = format!(
        "{}\nprivacy:\n  hash: [command.text, command.working_directory]\n",
        crate::world::POLICY
    );
    let mut world = World::running();
    world.publish(2, &hashing);
    world.until("it is hashed", |status| status.policy_version == "2");
    let mut session = world.session("s1");
    let mut start = started("c1");
    start.text = "ls /srv/unspoken".into();
    start.cwd = "/home/ann/unspoken".into();
    session.write(Half::Start(Box::new(start)));
    session.end("c1", 0);
    let told = world
        .events("c1", |event| command_id(event) == "c1")
        .remove(0);
    let command = told.payload.command.as_ref().unwrap();
    let places = world.places.clone();
    let known = |field, value| cmdai_sensor::hashed(&places, field, value).unwrap();
    assert_eq!(command.text, known("command.text", "ls /srv/unspoken"));
    assert_eq!(
        command.working_directory,
        known("command.working_directory", "/home/ann/unspoken")
    );
    assert!(!format!("{told:?}").contains("unspoken"));
    let error = cmdai_sensor::hashed(&world.places, "user", "ann").unwrap_err();
    assert!(error.to_string().contains("command.text"), "{error}");

    // A start anew knows it before the first event.
    world.stop();
    let mut start = started("c2");
    start.text = "ls /srv/unspoken".into();
    session.write(Half::Start(Box::new(start)));
    session.end("c2", 0);
    world.start();
    let told = world
        .events("c2", |event| command_id(event) == "c2")
        .remove(0);
    assert_eq!(
        told.payload.command.unwrap().text,
        known("command.text", "ls /srv/unspoken")
    );
}
