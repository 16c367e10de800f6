//! The README's own Community commands.

use crate::home::Home;

/// Lines of the README's shell blocks that begin with `cmdai ` and can be run anywhere.
fn commands() -> Vec<String> {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && line.starts_with("cmdai ") {
            found.push(line.to_owned());
        }
    }
    found
}

/// A folder with a program of this name that only ends well.
fn folder_with(program: &str) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(program);
    std::fs::write(&path, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn every_command_of_the_readme_runs() {
    let commands = commands();
    assert!(commands.len() >= 5, "{commands:?}");
    let home = Home::new();
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_cmdai"))
        .parent()
        .unwrap()
        .display()
        .to_string();
    // The agent that the README names; a reader has it.
    let agent = folder_with("codex");
    for line in commands {
        let said = home.cmdai(&["run", "--", "true"]);
        assert_eq!(said.code, 0);
        // The line itself is shell: quotes, `&&`, comments.
        let output = std::process::Command::new("bash")
            .args(["--norc", "-c", &line])
            .env_clear()
            .env("HOME", tempfile::tempdir().unwrap().path())
            .env(
                "PATH",
                format!(
                    "{folder}:{}:{}",
                    agent.path().display(),
                    std::env::var("PATH").unwrap()
                ),
            )
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        // `check` answers with its decision, `doctor` with what it found.
        let code = output.status.code().unwrap_or(-1);
        let expected: &[i32] = if line.contains(" check ") {
            &[0, 10, 20, 30]
        } else if line.contains("doctor") {
            &[0, 1]
        } else {
            &[0]
        };
        assert!(
            expected.contains(&code),
            "`{line}` ended with {code}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
