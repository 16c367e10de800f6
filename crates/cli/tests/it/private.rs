//! Private mode: rules hold, what ran is not written, that it was used is, and only where policy permits it.

use cmdai_schema::record::{Half, Record};
use cmdai_testkit::{starts, texts};
use serde_json::Value;

use crate::world::World;

const POLICY: &str = "version: \"1.0\"\norganization: acme\nsafety:\n  blocked_patterns:\n    - pattern: \"frobnicate ...\"\n      id: acme.frobnicate\n      reason: \"Frobnicating is not done here\"\n";

fn permitting() -> String {
    format!("{POLICY}privacy:\n  private_mode: true\n  private_minutes: 30\n")
}

fn state(world: &World) -> Value {
    let said = world.cmdai(&["private", "status", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

fn turns(records: &[Record]) -> Vec<bool> {
    records
        .iter()
        .filter_map(|record| match record.half {
            Half::Private { on, .. } => Some(on),
            _ => None,
        })
        .collect()
}

/// Nothing of it lies in any file of the home, but for what lay there before.
fn nowhere(world: &World, word: &str) {
    let mut folders = vec![world.home.state()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn alone_it_is_permitted_and_nothing_of_a_command_is_kept() {
    let world = World::new();
    assert_eq!(state(&world)["permitted"], true);
    assert_eq!(state(&world)["on"], false);
    let said = world.cmdai(&["private", "on", "--for", "5m"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("until 2"), "{}", said.stdout);
    assert_eq!(state(&world)["on"], true);
    let said = world.cmdai(&["run", "-c", "echo sheltered; exit 3"]);
    assert_eq!((said.code, said.stdout.trim()), (3, "sheltered"));
    nowhere(&world, "sheltered");
    let log = world.cmdai(&["log"]).stdout;
    assert!(log.contains("(private)") && log.contains("exit 3"), "{log}");
    assert!(
        world
            .cmdai(&["privacy"])
            .stdout
            .contains("mode is on in this shell")
    );
    let said = world.cmdai(&["private", "off"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    world.cmdai(&["run", "-c", "echo in the open"]);
    let records = world.home.records().unwrap();
    let starts = starts(&records);
    assert_eq!(starts.len(), 2);
    let sheltered = starts[0];
    assert!(sheltered.private && sheltered.allowed);
    assert_eq!(
        (
            sheltered.text.as_str(),
            sheltered.digest.as_str(),
            sheltered.cwd.as_str()
        ),
        ("", "", "")
    );
    assert!(sheltered.programs.is_empty() && sheltered.effects.is_empty());
    assert!(sheltered.parents.is_empty());
    assert_eq!(starts[1].text, "echo in the open");
    assert!(!starts[1].private);
    assert_eq!(
        turns(&records),
        [true, false],
        "both are records of their own"
    );
}

#[test]
fn rules_hold_and_what_is_stopped_names_its_rules_only() {
    let world = World::governed(&permitting());
    assert_eq!(world.cmdai(&["private", "on"]).code, 0);
    let said = world.cmdai(&["run", "-c", "frobnicate --all"]);
    assert_eq!(said.code, 126, "{}", said.stdout);
    assert!(said.stderr.contains("Frobnicating is not done here"));
    assert!(!world.home.path().join("frobnicate-ran").exists());
    let records = world.home.spooled().unwrap();
    let starts = starts(&records);
    assert_eq!(starts.len(), 1);
    assert!(starts[0].private && !starts[0].allowed);
    assert_eq!(starts[0].text, "");
    assert_eq!(starts[0].policy.violated_rules, ["acme.frobnicate"]);
    nowhere(&world, "frobnicate --all");
    // With the policy's time, not with as long as anybody likes.
    let until = state(&world)["until_ms"].as_u64().unwrap();
    let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    assert!(until > now && until <= now + 30 * 60_000, "{until} {now}");
    let said = world.cmdai(&["private", "on", "--for", "2h"]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains("at most 30 minutes"),
        "{}",
        said.stderr
    );
}

#[test]
fn an_organisation_that_says_nothing_permits_none_and_a_file_of_ones_own_changes_nothing() {
    let world = World::governed(POLICY);
    let said = world.cmdai(&["private", "on"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("does not permit private mode") && said.stderr.lines().count() == 2,
        "{}",
        said.stderr
    );
    // Whoever writes the file by hand is recorded in full.
    let own = std::process::id();
    let person =
        cmdai_gate::Person::from_environment(rustix::process::getuid().as_raw(), &|name| {
            world
                .home
                .environment()
                .into_iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        });
    cmdai_gate::private::enter(&person, own, None).unwrap();
    assert_eq!(state(&world)["on"], false);
    world.cmdai(&["run", "-c", "echo seen"]);
    let records = world.home.spooled().unwrap();
    let starts = starts(&records);
    assert_eq!(starts.len(), 1);
    assert_eq!(
        (starts[0].text.as_str(), starts[0].private),
        ("echo seen", false)
    );
    assert_eq!(turns(&records), [false], "that it was tried is on record");
}

#[test]
fn an_agent_has_none() {
    let world = World::new();
    assert_eq!(world.cmdai(&["private", "on"]).code, 0);
    let agent = world.with("CLAUDECODE", "1");
    let said = agent.cmdai(&["private", "on"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("for people"), "{}", said.stderr);
    agent.cmdai(&["run", "-c", "echo by a machine"]);
    let records = agent.home.records().unwrap();
    assert_eq!(starts(&records)[0].text, "echo by a machine");
}

#[test]
fn a_hooked_bash_is_private_from_the_next_line_on_until_its_time_or_it_ends() {
    let world = World::new();
    let program = world.home.path().join("bin/cmdai");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cmdai"), program).unwrap();
    let mut shell = world.bash();
    let mut shown = String::new();
    for line in [
        "echo before",
        "cmdai private on",
        "echo sheltered one; (echo sheltered two)",
        "bash -c 'cmdai private status'",
        "cmdai private off",
        "echo after",
        "cmdai private on",
        "echo sheltered three",
    ] {
        shown.push_str(&shell.run(line).unwrap());
    }
    shell.send_line("exit").unwrap();
    shell.wait().unwrap();
    assert!(
        shown.contains("private mode is on in this shell"),
        "{shown}"
    );
    let records = world.home.records().unwrap();
    let texts = texts(&records);
    assert!(texts.contains(&("echo before", false)), "{texts:?}");
    assert!(texts.contains(&("echo after", false)), "{texts:?}");
    assert!(
        texts
            .iter()
            .all(|(text, private)| !private || text.is_empty())
    );
    nowhere(&world, "sheltered");
    // The last one ended with its shell.
    assert_eq!(turns(&records), [true, false, true, false]);
    // Numbers go on without a gap within each session.
    let mut last = std::collections::HashMap::new();
    for record in &records {
        let counter = last.entry(record.session_id.clone()).or_insert(0);
        *counter += 1;
        assert_eq!(record.counter, *counter);
    }
}
