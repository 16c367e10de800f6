//! Edits to agents' settings.

use std::path::{Path, PathBuf};

use cmdai_hooks::Paths;
use cmdai_hooks::agents::Agent;
use cmdai_hooks::integrate::{
    Edit, IntegrateError, Scope, Status, backup_of, install, managed_files, remove, status,
};
use serde_json::Value;

fn paths() -> Paths {
    Paths {
        program: PathBuf::from("/usr/bin/cmdai"),
        ..Paths::default()
    }
}

fn one(agent: Agent, scope: &Scope) -> Edit {
    install(agent, scope, &paths()).unwrap().remove(0)
}

fn apply(edits: Vec<Edit>) {
    for edit in edits {
        edit.apply().unwrap();
    }
}

fn write(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

const OLD: &str = "{\n    \"zebra\": 1,\n  \"hooks\": {\"PreToolUse\": [{\"matcher\": \"Write\", \"hooks\": [{\"type\": \"command\", \"command\": \"mine\"}]}]},\n  \"apple\": [true, null, 2.5]\n}\n";

#[test]
fn installing_twice_changes_nothing_and_removing_gives_the_old_bytes_back() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Person(dir.path().to_owned());
    let file = dir.path().join(".claude/settings.json");
    write(&file, OLD);
    assert_eq!(
        status(Agent::ClaudeCode, &scope, &paths()).unwrap(),
        Status::Missing
    );

    let edit = one(Agent::ClaudeCode, &scope);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        OLD,
        "nothing is written before it is applied"
    );
    assert!(
        edit.diff().contains("hook claude-code || {"),
        "{}",
        edit.diff()
    );
    edit.apply().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.find("zebra").unwrap() < text.find("apple").unwrap(),
        "the order of keys stays: {text}"
    );
    assert!(
        text.starts_with("{\n    \"zebra\": 1,\n  \"hooks\": {"),
        "what is not ours stays as it stands: {text}"
    );
    let settings: Value = serde_json::from_str(&text).unwrap();
    let groups = settings["hooks"]["PreToolUse"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["hooks"][0]["command"], "mine");
    assert!(groups[1]["matcher"].as_str().unwrap().contains("Bash"));
    assert_eq!(groups[1]["hooks"][0]["onFailure"], "block");
    assert_eq!(std::fs::read_to_string(backup_of(&file)).unwrap(), OLD);

    assert!(one(Agent::ClaudeCode, &scope).is_empty());
    assert_eq!(
        status(Agent::ClaudeCode, &scope, &paths()).unwrap(),
        Status::Installed
    );
    let moved = Paths {
        program: PathBuf::from("/opt/cmdai"),
        ..Paths::default()
    };
    assert_eq!(
        status(Agent::ClaudeCode, &scope, &moved).unwrap(),
        Status::Outdated
    );
    // An older installation is replaced, not doubled.
    apply(install(Agent::ClaudeCode, &scope, &moved).unwrap());
    let settings: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(settings["hooks"]["PreToolUse"].as_array().unwrap().len(), 2);

    apply(remove(Agent::ClaudeCode, &scope, &paths()).unwrap());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), OLD);
    assert!(!backup_of(&file).exists(), "nothing of ours stays");
    assert!(remove(Agent::ClaudeCode, &scope, &paths()).unwrap()[0].is_empty());
}

#[test]
fn every_agent_installs_once_and_leaves_no_trace() {
    for agent in Agent::ALL {
        for managed in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let scope = if managed {
                Scope::Managed(dir.path().to_owned())
            } else {
                Scope::Person(dir.path().to_owned())
            };
            let edits = install(agent, &scope, &paths()).unwrap();
            if managed && agent == Agent::VsCode {
                assert!(edits.is_empty(), "it has no managed hooks");
                continue;
            }
            assert!(!edits.is_empty());
            apply(edits);
            let again = install(agent, &scope, &paths()).unwrap();
            assert!(again.iter().all(Edit::is_empty), "{agent:?} {again:#?}");
            assert_eq!(status(agent, &scope, &paths()).unwrap(), Status::Installed);
            let text: String = again.iter().filter_map(|edit| edit.after.clone()).collect();
            assert!(text.contains("/usr/bin/cmdai"), "{agent:?} {text}");
            assert!(
                agent == Agent::Opencode || text.contains("exit 2; }"),
                "a crash is a block: {text}"
            );
            apply(remove(agent, &scope, &paths()).unwrap());
            for edit in again {
                assert!(!edit.file.exists(), "{agent:?} {}", edit.file.display());
                assert!(!backup_of(&edit.file).exists());
            }
        }
    }
}

#[test]
fn comments_stay_where_the_agent_reads_them() {
    let old = "{\n  // how I sign in\n  \"security\": {\"auth\": 1}, // here\n  \"hooks\": {\n    \"BeforeTool\": [\n      // mine\n      {\"matcher\": \"x\", \"hooks\": []},\n    ],\n  },\n}\n";
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Person(dir.path().to_owned());
    let file = dir.path().join(".gemini/settings.json");
    write(&file, old);
    apply(install(Agent::GeminiCli, &scope, &paths()).unwrap());
    let text = std::fs::read_to_string(&file).unwrap();
    for kept in [
        "// how I sign in",
        "// here",
        "// mine",
        "cmdai hook gemini-cli || {",
        "10000",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    // The person goes on editing; removal takes out what is ours and nothing else.
    let edited = text.replace("\"auth\": 1", "\"auth\": 2");
    write(&file, &edited);
    apply(remove(Agent::GeminiCli, &scope, &paths()).unwrap());
    let left = std::fs::read_to_string(&file).unwrap();
    assert!(
        !left.contains("cmdai") && left.contains("// mine") && left.contains("\"auth\": 2"),
        "{left}"
    );
    // Without the person's change the old bytes come back.
    write(&file, old);
    let _ = std::fs::remove_file(backup_of(&file));
    apply(install(Agent::GeminiCli, &scope, &paths()).unwrap());
    apply(remove(Agent::GeminiCli, &scope, &paths()).unwrap());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old);
}

#[test]
fn a_toml_file_keeps_its_comments_and_order() {
    let old = "# ours since 2024\nallowed_approval_policies = [\"on-request\"] # no never\n\n[features]\nweb = false # not here\n\n[[hooks.PreToolUse]]\nmatcher = \"x\"\n[[hooks.PreToolUse.hooks]]\ntype = \"command\"\ncommand = \"mine\"\n";
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Managed(dir.path().to_owned());
    let file = dir.path().join("etc/codex/requirements.toml");
    write(&file, old);
    apply(install(Agent::Codex, &scope, &paths()).unwrap());
    let text = std::fs::read_to_string(&file).unwrap();
    for kept in [
        "# ours since 2024\nallowed_approval_policies = [\"on-request\"] # no never",
        "web = false # not here",
        "command = \"mine\"",
        "allow_managed_hooks_only = true",
        "hooks = true",
        "managed_dir = \"/usr/bin\"",
        "cmdai hook codex || {",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(install(Agent::Codex, &scope, &paths()).unwrap()[0].is_empty());
    apply(remove(Agent::Codex, &scope, &paths()).unwrap());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old);
}

#[test]
fn settings_that_are_not_understood_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Person(dir.path().to_owned());
    let file = dir.path().join(".claude/settings.json");
    for broken in [
        "{ // Claude Code reads no comments\n}",
        "[]",
        "{\"hooks\": []}",
        "{\"hooks\": {\"PreToolUse\": 3}}",
        "{\"a\": 1,}",
        "{",
    ] {
        write(&file, broken);
        let said = install(Agent::ClaudeCode, &scope, &paths());
        assert!(
            matches!(said, Err(IntegrateError::Content { .. })),
            "{broken}: {said:?}"
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    }
}

#[test]
fn links_and_files_of_others_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Person(dir.path().join("home"));
    let real = dir.path().join("real.json");
    write(&real, "{}");
    let file = dir.path().join("home/.claude/settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    let said = install(Agent::ClaudeCode, &scope, &paths())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("is a link to") && said.contains("real.json"),
        "{said}"
    );
    // A folder on the way that is a link is one too.
    std::fs::remove_dir_all(dir.path().join("home/.claude")).unwrap();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("home/.claude")).unwrap();
    assert!(matches!(
        install(Agent::ClaudeCode, &scope, &paths()),
        Err(IntegrateError::Foreign { .. })
    ));
    assert!(matches!(
        remove(Agent::ClaudeCode, &scope, &paths()),
        Err(IntegrateError::Foreign { .. })
    ));
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "{}");
    // Only root can give a file away, and only then can this be tried.
    let foreign = dir.path().join("home/.codex/hooks.json");
    write(&foreign, "{}");
    if std::os::unix::fs::chown(&foreign, Some(12345), None).is_ok() {
        let said = install(Agent::Codex, &scope, &paths())
            .unwrap_err()
            .to_string();
        assert!(said.contains("12345"), "{said}");
    }
    // A folder where the file should be.
    std::fs::create_dir_all(dir.path().join("home/.cursor/hooks.json")).unwrap();
    assert!(install(Agent::Cursor, &scope, &paths()).is_err());
}

#[test]
fn a_file_beside_that_is_a_link_is_not_written_through() {
    let dir = tempfile::tempdir().unwrap();
    let scope = Scope::Person(dir.path().to_owned());
    let file = dir.path().join(".claude/settings.json");
    write(&file, OLD);
    let victim = dir.path().join("victim");
    write(&victim, "mine");
    std::os::unix::fs::symlink(&victim, backup_of(&file)).unwrap();
    apply(install(Agent::ClaudeCode, &scope, &paths()).unwrap());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
}

#[test]
fn managed_files_are_whole_and_have_their_paths() {
    let files = |agent| managed_files(agent, &paths()).unwrap();
    let claude = files(Agent::ClaudeCode);
    assert_eq!(
        claude[0].0,
        Path::new("/etc/claude-code/managed-settings.json")
    );
    let settings: Value = serde_json::from_str(&claude[0].1).unwrap();
    assert_eq!(settings["allowManagedHooksOnly"], true);
    assert_eq!(
        files(Agent::Codex)[0].0,
        Path::new("/etc/codex/requirements.toml")
    );
    let opencode: Vec<_> = files(Agent::Opencode)
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    assert_eq!(
        opencode,
        [
            Path::new("/etc/opencode/plugin/cmdai.js"),
            Path::new("/etc/opencode/opencode.json")
        ]
    );
    assert!(files(Agent::VsCode).is_empty());
}
