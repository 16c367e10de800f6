//! Modes of rules, for one and for groups, through all three doors: `off` looks away, `monitor` tells
//! only the record, `warn` tells the person, `enforce` acts.

use cmdai_schema::Decision;

use crate::world::World;

fn policy(mode: &str) -> String {
    format!(
        "version: \"1.0\"\norganization: \"acme\"\nrules:\n  - id: test.frobnicate\n    when: {{ program: frobnicate }}\n    decision: deny\n    mode: {mode}\n    reason: \"Frobnicating is not done here\"\n"
    )
}

/// What each mode does: it runs, something is said, it is recorded under its rule, and what the record
/// says would have happened.
const MODES: [(&str, bool, bool, bool, Option<Decision>); 4] = [
    ("off", true, false, false, None),
    ("monitor", true, false, true, Some(Decision::Deny)),
    ("warn", true, true, true, None),
    ("enforce", false, true, true, None),
];

fn recorded(world: &World, mode: &str, expected: (bool, Option<Decision>)) {
    let starts = world.starts();
    let start = starts
        .iter()
        .find(|start| start.text.starts_with("frobnicate"))
        .unwrap_or_else(|| panic!("{mode}: {starts:?}"));
    let named = start
        .policy
        .violated_rules
        .contains(&"test.frobnicate".to_owned());
    assert_eq!(
        (named, start.policy.monitored),
        expected,
        "{mode}: {start:?}"
    );
}

#[test]
fn through_the_program() {
    for (mode, runs, said, named, would) in MODES {
        let world = World::governed(&policy(mode));
        let answer = world.cmdai(&["run", "-c", "frobnicate --all"]);
        assert_eq!(world.ran("frobnicate"), runs, "{mode}");
        assert_eq!(answer.code, if runs { 0 } else { 126 }, "{mode}");
        let heard = answer.stderr.contains("Frobnicating is not done here");
        assert_eq!(heard, said, "{mode}: {}", answer.stderr);
        recorded(&world, mode, (named, would));
    }
}

#[test]
fn through_bash() {
    for (mode, runs, said, named, would) in MODES {
        let world = World::governed(&policy(mode));
        let mut shell = world.bash();
        let shown = shell.run("frobnicate --all").unwrap();
        assert_eq!(world.ran("frobnicate"), runs, "{mode}: {shown}");
        let heard = shown.contains("Frobnicating is not done here");
        assert_eq!(heard, said, "{mode}: {shown}");
        recorded(&world, mode, (named, would));
    }
}

#[test]
fn through_an_agents_hook() {
    for (mode, runs, _, named, would) in MODES {
        let world = World::governed(&policy(mode));
        let (passes, words) = world.hook("frobnicate --all");
        assert_eq!(passes, runs, "{mode}");
        // An agent reads an answer only where it is a denial.
        let heard = words.contains("Frobnicating is not done here");
        assert_eq!(heard, !runs, "{mode}: {words}");
        recorded(&world, mode, (named, would));
    }
}

/// One rule, three groups: agents are stopped, people of a team are warned, all others are watched.
#[test]
fn a_mode_for_each_group() {
    let rule = |id: &str, mode: &str, applies: &str| {
        format!(
            "  - id: {id}\n    when: {{ program: frobnicate }}\n    decision: deny\n    mode: {mode}\n    reason: \"Frobnicating is not done here\"\n    applies_to: {applies}\n"
        )
    };
    let document = format!(
        "version: \"1.0\"\norganization: \"acme\"\nrules:\n{}{}{}",
        rule("test.agents", "enforce", "{ origins: [agent] }"),
        rule("test.people", "warn", "{ origins: [human] }"),
        rule("test.scripts", "monitor", "{ origins: [script] }"),
    );
    let world = World::governed(&document);
    // A script, as far as can be seen: nobody sits at a terminal.
    let said = world.cmdai(&["run", "-c", "frobnicate"]);
    assert!(world.ran("frobnicate"));
    assert_eq!(said.stderr, "");
    let start = world.starts().pop().unwrap();
    assert_eq!(start.policy.violated_rules, ["test.scripts"]);
    assert_eq!(start.policy.monitored, Some(Decision::Deny));
    // A person.
    let mut shell = world.bash();
    let shown = shell.run("frobnicate").unwrap();
    assert!(
        shown.contains("careful") && world.ran("frobnicate"),
        "{shown}"
    );
    // An agent.
    let (passes, words) = world.hook("frobnicate");
    assert!(!passes && words.contains("test.agents"), "{words}");
    assert!(!world.ran("frobnicate"));
}

/// A built-in rule may be put into another mode for a group by the organisation; the floor may not.
#[test]
fn built_in_rules_take_modes_and_the_floor_does_not() {
    let world = World::governed(
        "version: \"1.0\"\norganization: \"acme\"\nrules:\n  - { id: git.force-push, mode: monitor, applies_to: { origins: [script] } }\n",
    );
    let check = |line: &str| world.cmdai(&["check", "--format", "json", "--", line]);
    let judged =
        |line: &str| -> serde_json::Value { serde_json::from_str(&check(line).stdout).unwrap() };
    let answer = judged("git push --force origin main");
    let hit = answer["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|hit| hit["id"] == "git.force-push")
        .unwrap();
    assert_eq!(hit["mode"], "monitor", "{answer}");
    assert_eq!(answer["decision"], "allow", "{answer}");
    let (passes, words) = world.hook("git push --force origin main");
    assert!(!passes && words.contains("git.force-push"), "{words}");

    let floor =
        "version: \"1.0\"\norganization: \"acme\"\nrules:\n  - { id: fs.delete-root, mode: off }\n";
    let said = World::new();
    said.home.policy(floor).unwrap();
    // Refused as a document, or without effect: never obeyed.
    let answer = said.cmdai(&["check", "--", "rm -rf /"]);
    assert_eq!(answer.code, 30, "{}", answer.stdout);
}
