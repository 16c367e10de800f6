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

/// Runs a script from a file, hooked or bare.
fn run_file(home: &Home, script: &str, hooked: bool) -> Output {
    let file = home.work().join("script.bash");
    std::fs::write(&file, script).unwrap();
    let mut command = Command::new("bash");
    command
        .arg("./script.bash")
        .env_clear()
        .envs(home.environment())
        .env(
            "PATH",
            format!("{}/bin:/usr/bin:/bin", home.path().display()),
        )
        .current_dir(home.work())
        .stdin(Stdio::null());
    if hooked {
        command.env("BASH_ENV", home.path().join("env.bash"));
    }
    command.output().unwrap()
}

#[test]
fn a_script_in_a_file_is_recorded_with_its_name_and_its_count() {
    let home = hooked();
    std::fs::write(home.work().join("part.bash"), "echo part\n").unwrap();
    let script = "echo one\nf() { echo in; echo in; }\nf\n(echo sub; echo sub)\nsource ./part.bash\nx=$(echo a; echo b)\nexec true\n";
    assert!(run_file(&home, script, true).status.success());
    let records = home.records().unwrap();
    let texts: Vec<(&str, u64)> = records
        .iter()
        .filter_map(|record| {
            let run = record.script.as_ref().unwrap();
            assert_eq!(run.name, "./script.bash");
            match &record.half {
                Half::Start(start) => Some((start.text.as_str(), run.seen)),
                _ => None,
            }
        })
        .collect();
    // Each with the number of simple commands so far, those of functions and forks included, as bash
    // shows them to its DEBUG trap: a function shows when it is called and when it begins.
    assert_eq!(
        texts,
        [
            ("echo one", 1),
            ("f", 2),
            ("source ./part.bash", 8),
            ("echo part", 9),
            ("x=$(echo a; echo b)", 10),
            ("exec true", 13),
        ]
    );
    let home = hooked();
    run(&home, "echo one; echo two");
    let last = home.records().unwrap().pop().unwrap();
    assert_eq!(last.half, Half::SessionEnd);
    let run = last.script.unwrap();
    assert_eq!((run.name.as_str(), run.seen), ("bash -c", 2));
}

#[test]
fn scripts_run_as_they_did() {
    let home = hooked();
    std::fs::write(
        home.work().join("part.bash"),
        "echo part; return 4; echo never\n",
    )
    .unwrap();
    for script in [
        "set -e; false; echo after",
        "set -e; false || true; echo after; exit 3",
        "set -e; if false; then :; fi; f() { false; echo in; }; f || echo caught; echo after",
        "set -eE; trap 'echo err $? $LINENO' ERR; f() { false; }; f; echo after",
        "trap 'echo err $?' ERR; false; (exit 4); true",
        "trap 'echo left $?' EXIT; exit 7",
        "trap 'echo left' EXIT; set -e; false; echo after",
        "trap 'echo got' USR1; kill -USR1 $$; echo after",
        "trap 'exit 9' TERM; kill -TERM $$; sleep 1; echo after",
        "trap 'echo before \"$BASH_COMMAND\"' DEBUG; true; echo x; trap - DEBUG; echo y",
        "trap 'echo returned' RETURN; set -T; f() { return 5; }; f; echo $?",
        "set -u; echo ${NO_SUCH_THING}; echo after",
        "set -o pipefail; false | true; echo ${PIPESTATUS[@]} $?",
        "false | true; echo ${PIPESTATUS[@]}",
        "echo a b c; echo $_",
        "source ./part.bash; echo $?",
        "for x in 1 2 3; do (( x == 2 )) && continue; echo $x; done",
        "f() { echo $LINENO ${FUNCNAME[@]}; }; f; echo $LINENO",
        "echo $BASH_SUBSHELL; (echo $BASH_SUBSHELL; exit 3); echo $?",
        "x='a b'; set -- $x; echo $#; shift; echo $1",
        "cat <<END\nhere $((1+1))\nEND\n",
        "exec 3>&1; echo three >&3; exec echo replaced",
        "sleep 0 & wait $!; echo $?",
        "mapfile -t lines < <(printf 'a\\nb\\n'); echo ${#lines[@]}",
    ] {
        let (one, other) = (
            run_file(&home, script, false),
            run_file(&home, script, true),
        );
        let said = |output: &Output| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (
                output.status.code(),
                text(&output.stdout),
                text(&output.stderr),
            )
        };
        let (one, mut other) = (said(&one), said(&other));
        // Such a trap is warned of, and works.
        if script.contains("DEBUG") {
            assert!(other.2.starts_with("cmdai: careful"), "{other:?}");
            other.2.clear();
        }
        assert_eq!(one, other, "{script}");
    }
}
