//! From text to decision, and what happens when files are missing or damaged.

use cmdai_gate::{Action, Extensions, RULE_INTERNAL_ERROR, RULE_NO_POLICY};
use cmdai_schema::{AgentInfo, Analysis, Decision, Facts, Mode, Risk, RuleHit, Span, Subject};

use crate::support::{BLOCKING, gate, govern, human, person, publish, request};

#[test]
fn a_persons_own_policy_denies_and_its_compiled_form_is_cached() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    std::fs::create_dir_all(person.policy_file().parent().unwrap()).unwrap();
    std::fs::write(person.policy_file(), BLOCKING).unwrap();
    let who = human();
    for _ in 0..2 {
        let mut gate = gate(&person);
        let outcome = gate.judge(&request("echo a; frobnicate --all", &who));
        assert_eq!(
            outcome.judgement.decision,
            Decision::Deny,
            "{:?}",
            outcome.judgement
        );
        assert_eq!(
            gate.judge(&request("echo frobnicate", &who))
                .judgement
                .decision,
            Decision::Allow
        );
    }
    let cached: Vec<_> = std::fs::read_dir(person.state.join("cache"))
        .unwrap()
        .collect();
    assert_eq!(cached.len(), 1);
}

#[test]
fn a_changed_document_is_loaded_again_and_a_broken_one_keeps_the_last_good() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let who = human();
    let mut gate = gate(&person);
    assert_eq!(
        gate.judge(&request("frobnicate", &who)).judgement.decision,
        Decision::Allow
    );
    std::fs::create_dir_all(person.policy_file().parent().unwrap()).unwrap();
    std::fs::write(person.policy_file(), BLOCKING).unwrap();
    assert_eq!(
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision,
        Decision::Deny
    );
    std::fs::write(person.policy_file(), "version: \"1.0\"\nsafety: [").unwrap();
    assert_eq!(
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision,
        Decision::Deny
    );
    assert_eq!(gate.problems().len(), 1);
    std::fs::remove_file(person.policy_file()).unwrap();
    assert_eq!(
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision,
        Decision::Allow
    );
}

#[test]
fn the_organisations_snapshot_decides_without_a_sensor() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, BLOCKING);
    let who = human();
    let mut gate = gate(&person);
    let outcome = gate.judge(&request("frobnicate x", &who));
    assert_eq!(outcome.judgement.decision, Decision::Deny);
    assert_eq!(
        (
            outcome.judgement.policy.id.as_str(),
            outcome.judgement.policy.version.as_str()
        ),
        ("acme", "41")
    );
    // A newer release replaces it by rename and is seen at the next command.
    publish(&places, "version: \"1.0\"\n");
    assert_eq!(
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision,
        Decision::Allow
    );
}

#[test]
fn a_damaged_snapshot_never_means_ungoverned() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    std::fs::write(&places.snapshot, b"CMDAISNP but not really").unwrap();
    let who = human();
    let mut fresh = gate(&person);
    let outcome = fresh.judge(&request("echo hello", &who));
    assert_eq!(
        outcome.judgement.decision,
        Decision::Allow,
        "a person can still work"
    );
    assert!(
        outcome
            .judgement
            .rules
            .iter()
            .any(|hit| hit.id == RULE_NO_POLICY && hit.mode == Mode::Monitor)
    );
    assert_eq!(fresh.problems().len(), 1);
    assert!(fresh.installation().is_governed());
    assert!(
        fresh
            .judge(&request("rm -rf /", &who))
            .judgement
            .decision
            .interrupts(),
        "built-in rules decide"
    );

    // In a process that had a good one, the good one stays.
    publish(&places, BLOCKING);
    let mut gate = gate(&person);
    assert_eq!(
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision,
        Decision::Deny
    );
    std::fs::write(&places.snapshot, b"damage").unwrap();
    assert_eq!(
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision,
        Decision::Deny
    );
    std::fs::remove_file(&places.snapshot).unwrap();
    assert_eq!(
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision,
        Decision::Deny
    );
    assert!(
        gate.problems().concat().contains("last good"),
        "{:?}",
        gate.problems()
    );
}

#[test]
fn questions_need_somebody_to_answer_and_approvals_need_a_governor() {
    let mut outcome = cmdai_gate::Outcome::default();
    outcome.judgement.decision = Decision::Confirm;
    assert_eq!(outcome.action(true, false), Action::Ask);
    assert_eq!(outcome.action(false, false), Action::Block);
    outcome.judgement.decision = Decision::RequireApproval;
    assert_eq!(outcome.action(true, true), Action::Approve);
    assert_eq!(outcome.action(true, false), Action::Block);
}

struct Tightens;

impl cmdai_gate::ExecutionGate for Tightens {
    fn judge(&self, text: &str, _: &Analysis, _: &Facts, _: &Subject) -> Vec<RuleHit> {
        assert!(
            !text.contains("explode"),
            "this contributor is broken on purpose"
        );
        vec![RuleHit {
            id: "test.tight".to_owned(),
            pack: "test".to_owned(),
            decision: Decision::RequireApproval,
            risk: Risk::High,
            mode: Mode::Enforce,
            reason: "because".to_owned(),
            span: Span::new(0, text.len()),
            instead: None,
            owner: None,
            controls: Vec::new(),
        }]
    }
}

#[test]
fn contributors_tighten_and_their_crashes_are_caught() {
    let dir = tempfile::tempdir().unwrap();
    let mut gate =
        gate(&person(dir.path())).extended(Extensions::default().with_execution_gate(Tightens));
    let who = human();
    let outcome = gate.judge(&request("echo hello", &who));
    assert_eq!(outcome.judgement.decision, Decision::RequireApproval);
    assert_eq!(outcome.judgement.deciding_rule().unwrap().id, "test.tight");
    let outcome = gate.judge(&request("echo explode", &who));
    assert_eq!(
        outcome.judgement.deciding_rule().unwrap().id,
        RULE_INTERNAL_ERROR
    );
    assert_eq!(
        outcome.judgement.decision,
        Decision::Warn,
        "no policy says fail closed"
    );
    let agent = cmdai_gate::origin::hook(AgentInfo {
        name: "claude-code".to_owned(),
        ..AgentInfo::default()
    });
    assert_eq!(
        gate.judge(&request("echo explode", &agent))
            .judgement
            .decision,
        Decision::Deny,
        "an agent's error is a denial"
    );
    gate.use_policy("version: \"1.0\"\nfail_mode: closed\n", "given.yaml")
        .unwrap();
    assert_eq!(
        gate.judge(&request("echo explode", &who))
            .judgement
            .decision,
        Decision::Deny
    );
}
