//! `cmdai privacy` says what holds, and nothing else.

use serde_json::Value;

use crate::world::World;

fn json(world: &World) -> Value {
    let said = world.cmdai(&["privacy", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

#[test]
fn alone_nothing_leaves_the_machine() {
    let world = World::new();
    let said = world.cmdai(&["run", "-c", "true one"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let state = json(&world);
    assert_eq!(state["governed_by"], Value::Null);
    assert_eq!(state["machine"], Value::Null);
    assert_eq!(state["capture"], "full");
    assert_eq!(state["own_history"]["commands"], 1);
    assert!(state["own_history"]["bytes"].as_u64().unwrap() > 100);
    let text = world.cmdai(&["privacy"]).stdout;
    assert!(
        text.contains("nothing leaves it") && text.contains("cmdai log"),
        "{text}"
    );
    assert!(!text.contains("seen by"), "{text}");
}

#[test]
fn governed_it_names_level_folders_time_and_readers() {
    let world = World::new();
    let private = world.home.work().display().to_string();
    let document = format!(
        "version: \"1.0\"\norganization: acme\nprivacy:\n  capture: metadata\n  never_record: [\"{private}\"]\naudit:\n  log_retention_days: 90\n  send_to_siem: true\n  siem_endpoint: \"https://siem.example\"\n"
    );
    world
        .home
        .govern(&crate::world::compile(&document))
        .unwrap();
    world.cmdai(&["run", "-c", "true one"]);
    let state = json(&world);
    assert_eq!(state["capture"], "metadata");
    assert_eq!(state["here"]["capture"], Value::Null, "never recorded here");
    assert_eq!(state["own_history"]["commands"], 0, "and so it was not");
    assert_eq!(state["retention_days_asked_for"], 90);
    assert_eq!(state["forwarded_to"], "https://siem.example");
    let text = world.cmdai(&["privacy"]).stdout;
    for part in [
        "not its text",
        "nothing is recorded there",
        "not recorded in this folder",
        "seen by",
        "90 days",
        "siem.example",
        "the sensor does not answer",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
