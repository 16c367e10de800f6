//! Failures of other policy systems that have to do with files and refreshing.

use cmdai_schema::Decision;

use super::support::{BLOCKING, gate, govern, human, person, publish, request};

#[test]
fn a_network_hiccup_deleted_the_companys_policy() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, BLOCKING);
    let mut gate = gate(&person);
    let who = human();
    let denied = |gate: &mut cmdai_gate::Gate| {
        gate.judge(&request("frobnicate x", &who))
            .judgement
            .decision
    };
    assert_eq!(denied(&mut gate), Decision::Deny);
    // Emptied, cut short, overwritten with something else, gone: the last good one stays.
    for bytes in [
        Vec::new(),
        b"CMDAISNP".to_vec(),
        b"version: \"1.0\"\n".to_vec(),
    ] {
        std::fs::write(&places.snapshot, bytes).unwrap();
        assert_eq!(denied(&mut gate), Decision::Deny);
        assert!(
            gate.problems().concat().contains("last good"),
            "{:?}",
            gate.problems()
        );
    }
    std::fs::remove_file(&places.snapshot).unwrap();
    assert_eq!(denied(&mut gate), Decision::Deny);
}

#[test]
fn a_failed_refresh_wiped_the_flag_that_required_fail_closed() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(&places, "version: \"1.0\"\nfail_mode: closed\n");
    let mut gate = gate(&person);
    let who = human();
    std::fs::write(&places.snapshot, b"damaged").unwrap();
    gate.judge(&request("ls", &who));
    assert_eq!(gate.policies().failing(), cmdai_gate::Failing::Closed);
}

#[test]
fn a_machine_could_never_recover_from_a_bad_push() {
    let dir = tempfile::tempdir().unwrap();
    let person = person(dir.path());
    let places = govern(&person);
    publish(
        &places,
        "version: \"1.0\"\nrules: [{id: a, when: {program: \"*\"}, decision: deny, reason: r}]\n",
    );
    let mut gate = gate(&person);
    let who = human();
    let ls = |gate: &mut cmdai_gate::Gate| gate.judge(&request("ls", &who)).judgement.decision;
    assert_eq!(ls(&mut gate), Decision::Deny);
    // The next publication counts from the next command on, in the same shell.
    publish(&places, BLOCKING);
    assert_eq!(ls(&mut gate), Decision::Allow);
}
