//! Edits to Claude Code's settings.

use std::path::PathBuf;

use cmdai_hooks::Paths;
use cmdai_hooks::integrate::claude_code::{Scope, Status, install, remove, status};
use cmdai_hooks::integrate::{IntegrateError, backup_of};
use serde_json::Value;

fn paths() -> Paths {
    Paths {
        program: PathBuf::from("/usr/bin/cmdai"),
        bash_module: None,
    }
}

const OLD: &str = "{\n    \"zebra\": 1,\n  \"hooks\": {\"PreToolUse\": [{\"matcher\": \"Write\", \"hooks\": [{\"type\": \"command\", \"command\": \"mine\"}]}]},\n  \"apple\": [true, null, 2.5]\n}\n";

#[test]
fn installing_twice_changes_nothing_and_removing_gives_the_old_bytes_back() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Person(dir.path().to_owned());
    let file = dir.path().join(".claude/settings.json");
    std::fs::create_dir(dir.path().join(".claude")).unwrap();
    std::fs::write(&file, OLD).unwrap();
    assert_eq!(status(&scope, &paths()).unwrap(), Status::Missing);

    let edit = install(&scope, &paths()).unwrap();
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        OLD,
        "nothing is written before it is applied"
    );
    assert!(
        edit.diff().contains("+") && edit.diff().contains("hook claude-code || exit 2"),
        "{}",
        edit.diff()
    );
    edit.back_up().unwrap();
    edit.apply().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.find("zebra").unwrap() < text.find("apple").unwrap(),
        "the order of keys stays: {text}"
    );
    let settings: Value = serde_json::from_str(&text).unwrap();
    let groups = settings["hooks"]["PreToolUse"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["hooks"][0]["command"], "mine");
    assert_eq!(
        (
            groups[1]["matcher"].as_str(),
            groups[1]["hooks"][0]["onFailure"].as_str()
        ),
        (Some("Bash"), Some("block"))
    );
    assert_eq!(std::fs::read_to_string(backup_of(&file)).unwrap(), OLD);

    assert!(install(&scope, &paths()).unwrap().is_empty());
    assert_eq!(status(&scope, &paths()).unwrap(), Status::Installed);
    let moved = Paths {
        program: PathBuf::from("/opt/cmdai"),
        bash_module: None,
    };
    assert_eq!(status(&scope, &moved).unwrap(), Status::Outdated);

    remove(&scope).unwrap().apply().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), OLD);
    assert!(remove(&scope).unwrap().is_empty());
}

#[test]
fn a_file_that_was_not_there_goes_away_again() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Managed(dir.path().join("claude-code"));
    install(&scope, &paths()).unwrap().apply().unwrap();
    let file = dir.path().join("claude-code/managed-settings.json");
    let settings: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(settings["allowManagedHooksOnly"], true);
    remove(&scope).unwrap().apply().unwrap();
    assert!(!file.exists());
}

#[test]
fn settings_that_are_not_understood_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Managed(dir.path().to_owned());
    let file = dir.path().join("managed-settings.json");
    for broken in [
        "{ // comment\n}",
        "[]",
        "{\"hooks\": []}",
        "{\"hooks\": {\"PreToolUse\": 3}}",
    ] {
        std::fs::write(&file, broken).unwrap();
        assert!(
            matches!(
                install(&scope, &paths()),
                Err(IntegrateError::Content { .. })
            ),
            "{broken}"
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    }
}
