//! Cool-down, late uploads, clocks, texts, rule files.

use cmdai_detect::{Engine, GroupBy, Rules, Severity};
use cmdai_schema::{EventType, Risk};

use crate::{Build, MINUTE, START};

fn rules(text: &str) -> Rules {
    Rules::parse(text).unwrap()
}

#[test]
fn within_the_cooldown_it_counts_instead_of_alerting() {
    let mut engine = Engine::new(Rules::builtin().unwrap());
    let blocked = Build::blocked("rm -rf /", Risk::Critical);
    let mut counts = Vec::new();
    for minute in [0, 1, 14, 16, 17] {
        let ms = minute * MINUTE;
        counts.extend(
            engine
                .observe(&blocked.at(ms), START + ms)
                .into_iter()
                .map(|found| found.count),
        );
    }
    assert_eq!(counts, [1, 2, 3, 1, 2]);
}

#[test]
fn a_restart_does_not_alert_twice() {
    let mut engine = Engine::new(Rules::builtin().unwrap());
    engine.remember("blocked-critical", "m-0000000000000001", START, 4);
    let found = engine.observe(
        &Build::blocked("rm -rf /", Risk::Critical).at(MINUTE),
        START + MINUTE,
    );
    assert_eq!(found[0].count, 5);
}

#[test]
fn history_uploaded_late_is_judged_by_its_own_times() {
    let mut engine = Engine::new(Rules::builtin().unwrap());
    let received = START + 24 * 60 * MINUTE;
    let mut found = Vec::new();
    for n in 0..11 {
        // The server's clock goes on while the history comes in.
        found.extend(engine.tick(received + n, &[]));
        found.extend(engine.observe(
            &Build::blocked("git push --force", Risk::High).at(n * MINUTE),
            received + n,
        ));
    }
    assert_eq!(
        found
            .iter()
            .filter(|finding| finding.detection == "many-violations")
            .count(),
        1
    );
    assert_eq!(found[0].occurred_ms, START + 10 * MINUTE);
}

#[test]
fn a_clock_in_the_future_counts_as_now() {
    let mut engine = Engine::new(Rules::builtin().unwrap());
    let found = engine.observe(
        &Build::blocked("rm -rf /", Risk::Critical).at(900 * MINUTE),
        START,
    );
    assert_eq!(found[0].occurred_ms, START);
}

#[test]
fn memory_ends_with_the_window() {
    let mut engine = Engine::new(rules(
        "alerts: [{name: x, condition: 'commands > 2 in last 1 minute', by: session}]",
    ));
    for n in 0..60_000u64 {
        engine.observe(
            &Build::command("ls").session(&n.to_string()).at(n),
            START + n,
        );
    }
    engine.tick(START + 10 * MINUTE, &[]);
    let text = format!("{engine:?}");
    assert!(text.len() < 2_000, "{}", text.len());
}

#[test]
fn texts_from_machines_stay_texts() {
    let mut engine = Engine::new(Rules::builtin().unwrap());
    let evil = "rm -rf / # {hostname} {count}\n\u{1b}[2J<script>";
    let found = engine.observe(&Build::blocked(evil, Risk::Critical).at(0), START);
    assert_eq!(
        found[0].summary,
        "alice on laptop-1 tried: rm -rf / # {hostname} {count}  [2J<script>"
    );
}

#[test]
fn server_events_speak_of_their_machine() {
    let mut engine = Engine::new(Rules::builtin().unwrap());
    let event = Build::new(EventType::Tamper)
        .on("server")
        .detail("machine_id", "m-00000000000000ff");
    let found = engine.observe(&event.at(0), START);
    assert_eq!(found[0].machine_id.as_deref(), Some("m-00000000000000ff"));
}

#[test]
fn an_organisations_own_rules() {
    let own = rules(
        r#"
alerts:
  - name: "Production database access"
    condition: "program in [psql, mysql] and text contains prod and not user == dba"
    severity: high
    notify: ["dba@example.com"]
    cooldown: 2 hours
  - id: blocked-critical
    name: "Ours"
    condition: "blocked_commands >= 2 in 5 minutes"
    by: user
    severity: low
  - {id: tamper, name: off, condition: "event_type == tamper", enabled: false}
"#,
    );
    let all = Rules::builtin().unwrap().with(own);
    assert_eq!(
        all.list()
            .iter()
            .filter(|rule| rule.id == "blocked-critical")
            .count(),
        1
    );
    let ours = all
        .list()
        .iter()
        .find(|rule| rule.id == "blocked-critical")
        .unwrap();
    assert_eq!((ours.by, ours.severity), (GroupBy::User, Severity::Low));
    let mut engine = Engine::new(all);
    let found = engine.observe(&Build::command("psql -h prod-db-1").at(0), START);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].detection, "production-database-access");
    assert_eq!(found[0].notify, ["dba@example.com"]);
    assert!(
        engine
            .observe(&Build::command("psql -h dev-db-1").at(1), START)
            .is_empty()
    );
    assert!(
        engine
            .observe(&Build::new(EventType::Tamper).at(2), START)
            .is_empty()
    );
}

#[test]
fn rule_files_with_errors_say_where() {
    for (text, part) in [
        (
            "alerts: [{name: x, condition: 'colour == red'}]",
            "is not a field",
        ),
        (
            "alerts: [{name: x, condition: tamper, cooldown: soon}]",
            "cooldown",
        ),
        ("alerts: [{name: x, conditon: 'a'}]", "conditon"),
        (
            "alerts: [{name: '!', condition: 'events > 1 in 1 hour'}]",
            "id is empty",
        ),
        (
            "alerts: [{name: a, condition: policy_violations}, {name: A, condition: policy_violations}]",
            "stands twice",
        ),
        (
            "alerts: [{name: a, condition: policy_violations, severity: fatal}]",
            "fatal",
        ),
    ] {
        let error = Rules::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
