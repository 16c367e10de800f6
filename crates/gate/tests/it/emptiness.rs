//! Empty is not permission. Each test is named after a way in which an organisation's policy got lost in
//! the field: by an empty answer, a failed refresh, a file of somebody else's, or an early return.

use cmdai_gate::{Action, Failing, RULE_NO_POLICY};
use cmdai_schema::{AgentInfo, Decision};

use crate::support::{BLOCKING, gate, govern, human, person, publish, request};

const CLOSED: &str = "version: \"1.0\"\nfail_mode: closed\nsafety:\n  blocked_patterns:\n    - pattern: \"frobnicate *\"\n      reason: \"Not here\"\n";

fn decision(gate: &mut cmdai_gate::Gate, text: &str) -> Decision {
    let who = human();
    gate.judge(&request(text, &who)).judgement.decision
}

#[test]
fn an_empty_answer_does_not_zero_the_rules() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, BLOCKING);
    let mut gate = gate(&person);
    assert_eq!(decision(&mut gate, "frobnicate x"), Decision::Deny);
    for nothing in [&b""[..], b"\n", b"{}", b"CMDAISNP"] {
        std::fs::write(&places.snapshot, nothing).unwrap();
        assert_eq!(decision(&mut gate, "frobnicate x"), Decision::Deny);
        assert!(gate.problems().concat().contains("last good"));
    }
}

#[test]
fn an_empty_document_cannot_be_published() {
    for nothing in ["", "\n", "{}", "# nothing\n", "~", "---\n"] {
        assert!(
            cmdai_policy::parse(nothing, "policy.yaml").is_err(),
            "{nothing:?}"
        );
    }
}

#[test]
fn a_policy_from_afar_does_not_switch_the_persons_own_off() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, "version: \"1.0\"\norganization: \"acme\"\n");
    std::fs::create_dir_all(person.policy_file().parent().unwrap()).unwrap();
    std::fs::write(person.policy_file(), BLOCKING).unwrap();
    assert_eq!(decision(&mut gate(&person), "frobnicate x"), Decision::Deny);
}

#[test]
fn the_persons_file_does_not_switch_the_organisations_rules_off() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(
        &places,
        "version: \"1.0\"\nrules:\n  - { id: acme.frob, when: { program: frobnicate }, decision: deny, reason: \"Not here\" }\n",
    );
    std::fs::create_dir_all(person.policy_file().parent().unwrap()).unwrap();
    for own in [
        "version: \"1.0\"\nrules:\n  - { id: acme.frob, mode: off }\n",
        "version: \"1.0\"\nsafety: { risk_tolerance: high }\n",
        "version: \"1.0\"\nexceptions:\n  - { rule: [acme.frob], until: \"2199-01-01\", reason: \"mine\" }\n",
    ] {
        std::fs::write(person.policy_file(), own).unwrap();
        assert_eq!(
            decision(&mut gate(&person), "frobnicate x"),
            Decision::Deny,
            "{own}"
        );
    }
}

#[test]
fn a_bad_push_is_recovered_from_by_the_next_good_one() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, BLOCKING);
    let mut gate = gate(&person);
    std::fs::write(&places.snapshot, b"bad").unwrap();
    assert_eq!(decision(&mut gate, "frobnicate x"), Decision::Deny);
    publish(&places, "version: \"1.0\"\norganization: \"acme\"\n");
    assert_eq!(decision(&mut gate, "frobnicate x"), Decision::Allow);
    assert!(gate.problems().is_empty(), "{:?}", gate.problems());
}

#[test]
fn a_failed_refresh_does_not_lose_the_word_about_failing() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    // What the publisher leaves, with everything but the word damaged.
    std::fs::write(&places.snapshot, b"damaged").unwrap();
    for (word, expected) in [
        (&b"closed\n"[..], Failing::Closed),
        (b"open\n", Failing::Open),
        (b"", Failing::Closed),
        (b"perhaps", Failing::Closed),
    ] {
        std::fs::write(places.fail_mode(), word).unwrap();
        assert_eq!(gate(&person).policies().failing(), expected);
    }
    std::fs::remove_file(places.fail_mode()).unwrap();
    assert_eq!(gate(&person).policies().failing(), Failing::Open);
}

#[test]
fn a_hiccup_that_removes_the_file_leaves_the_copy() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, CLOSED);
    std::fs::rename(&places.snapshot, places.last_good()).unwrap();
    let mut fresh = gate(&person);
    assert_eq!(decision(&mut fresh, "frobnicate x"), Decision::Deny);
    assert!(
        fresh
            .problems()
            .concat()
            .contains("the copy of version 41 holds"),
        "{:?}",
        fresh.problems()
    );
    // A copy that somebody else could have written is none.
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(places.last_good(), open).unwrap();
    assert_eq!(
        decision(&mut gate(&person), "frobnicate x"),
        Decision::Allow
    );
    assert!(gate(&person).policies().organisation().is_none());
}

#[test]
fn without_any_policy_an_agent_waits_and_a_person_works() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    govern(&person);
    let mut gate = gate(&person);
    assert_eq!(decision(&mut gate, "echo hello"), Decision::Allow);
    let agent = cmdai_gate::origin::hook(AgentInfo {
        name: "claude-code".to_owned(),
        ..AgentInfo::default()
    });
    let outcome = gate.judge(&request("echo hello", &agent));
    assert_eq!(outcome.action(true, true), Action::Block);
    assert_eq!(
        outcome.judgement.deciding_rule().unwrap().id,
        RULE_NO_POLICY
    );
}
