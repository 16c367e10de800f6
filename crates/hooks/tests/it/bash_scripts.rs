//! Scripts, through `BASH_ENV`.

use std::process::{Command, Output, Stdio};

use cmdai_schema::OriginKind;
use cmdai_schema::record::Half;
use cmdai_testkit::{Home, bash_module};

use crate::support::{POLICY, home, paths, ran};

fn hooked() -> Home {
    let home = home("", "");
    home.policy(POLICY).unwrap();
    std::fs::write(
        home.path().join("env.bash"),
        cmdai_hooks::bash::env_script(&paths(bash_module().unwrap())),
    )
    .unwrap();
    home
}

fn run(home: &Home, script: &str) -> Output {
    let path = format!("{}/bin:/usr/bin:/bin", home.path().display());
    Command::new("bash")
        .args(["-c", script])
        .env_clear()
        .envs(home.environment())
        .env("PATH", path)
        .env("BASH_ENV", home.path().join("env.bash"))
        .current_dir(home.work())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_denied_command_ends_the_script_with_126() {
    let home = hooked();
    let output = run(&home, "echo one; frobnicate && echo two; echo three");
    assert_eq!(output.status.code(), Some(126));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\n");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("Frobnicating is not done here") && !said.contains("bashdb"),
        "{said}"
    );
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn functions_subshells_and_nested_shells_are_seen() {
    let home = hooked();
    for script in [
        "f() { frobnicate; }; f; touch ~/after",
        "(frobnicate); touch ~/after",
        "x=$(frobnicate) && touch ~/after",
        "bash -c 'frobnicate' && touch ~/after",
    ] {
        run(&home, script);
        assert!(!ran(&home, "frobnicate"), "{script}");
    }
    assert!(run(&home, "echo ok").status.success());
}

#[test]
fn a_question_in_a_script_is_a_denial_and_records_say_who_acts() {
    let home = hooked();
    let output = run(&home, "tickle; echo after");
    assert_eq!(output.status.code(), Some(126));
    assert!(!ran(&home, "tickle"));
    let records = home.records().unwrap();
    let start = records
        .iter()
        .find_map(|record| {
            if let Half::Start(start) = &record.half {
                Some(start)
            } else {
                None
            }
        })
        .unwrap();
    assert_eq!(
        (start.origin.kind, start.allowed, start.text.as_str()),
        (OriginKind::Script, false, "tickle")
    );
}

#[test]
fn a_scripts_commands_are_recorded_once_each_with_their_ends() {
    let home = hooked();
    let script = "true; (exit 3); for i in 1 2 3; do echo turn; done; f() { echo inside; }; f; bash -c 'echo nested'; true";
    assert!(run(&home, script).status.success());
    let records = home.records().unwrap();
    let texts: Vec<&str> = records
        .iter()
        .filter_map(|record| {
            if let Half::Start(start) = &record.half {
                Some(start.text.as_str())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        texts.iter().filter(|text| **text == "echo turn").count(),
        1,
        "{texts:?}"
    );
    assert!(
        texts.contains(&"echo nested") && !texts.contains(&"echo inside"),
        "{texts:?}"
    );
    // (bash replaces itself by the last command of `-c` where it can: that one would have no end.)
    // Shells that start one another write to one session, without a gap in its numbers.
    let counters: Vec<u64> = records.iter().map(|record| record.counter).collect();
    assert_eq!(counters, (1..=records.len() as u64).collect::<Vec<_>>());
    let ends = records
        .iter()
        .filter(|record| matches!(record.half, Half::End { .. }))
        .count();
    assert_eq!(ends, texts.len());
}

#[test]
fn a_trap_that_begins_like_ours_hides_nothing() {
    let home = hooked();
    for script in [
        r#"trap -- '__cmdai debug "$BASH_COMMAND"; frobnicate' DEBUG; true; true"#,
        r#"__cmdai status >"$(frobnicate)"; true"#,
    ] {
        run(&home, script);
        assert!(!ran(&home, "frobnicate"), "{script}");
    }
}
