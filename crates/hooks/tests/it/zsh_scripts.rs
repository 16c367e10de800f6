//! Scripts, through `.zshenv`.

use std::process::{Command, Output, Stdio};

use cmdai_schema::OriginKind;
use cmdai_schema::record::Half;
use cmdai_testkit::Home;

use crate::support::{POLICY, ends, ran, starts, zsh_home, zsh_paths};

fn hooked() -> Home {
    hooked_with(&cmdai_hooks::zsh::env_script(&zsh_paths()))
}

fn hooked_with(script: &str) -> Home {
    let home = zsh_home("", "");
    home.policy(POLICY).unwrap();
    std::fs::write(home.path().join("env.zsh"), script).unwrap();
    std::fs::write(home.path().join(".zshenv"), "source ~/env.zsh\n").unwrap();
    home
}

fn run(home: &Home, script: &str) -> Output {
    let path = format!("{}/bin:/usr/bin:/bin", home.path().display());
    Command::new("zsh")
        .args(["-d", "-c", script])
        .env_clear()
        .envs(home.environment())
        .env("PATH", path)
        .current_dir(home.work())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_denied_command_ends_the_script_with_126() {
    let home = hooked();
    let output = run(&home, "echo one; frobnicate && echo two; echo three");
    assert_eq!(output.status.code(), Some(126));
    assert_eq!(printed(&output), "one\n");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Frobnicating is not done here"), "{said}");
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn no_branch_takes_a_denial_for_success_or_goes_on() {
    let home = hooked();
    std::fs::write(
        home.work().join("part.zsh"),
        "echo part\n${:-frobnicate}\necho rest\n",
    )
    .unwrap();
    for script in [
        "${:-frobnicate} && touch ~/after",
        "if ${:-frobnicate}; then touch ~/after; else touch ~/after; fi",
        "while ${:-frobnicate}; do touch ~/after; done; touch ~/after",
        "! ${:-frobnicate} && touch ~/after",
        "f() { ${:-frobnicate}; touch ~/after; }; f; touch ~/after",
        "f() { ${:-frobnicate} }; f && touch ~/after; touch ~/after",
        "(${:-frobnicate}; touch ~/after)",
        "x=$(${:-frobnicate}) && touch ~/after",
        "${:-frobnicate} | touch ~/after",
        "eval '${:-frobnicate}'; touch ~/after",
        "source ./part.zsh; touch ~/after",
        "source ./part.zsh && touch ~/after",
        "source ./part.zsh || touch ~/after",
        "f() { source ./part.zsh; touch ~/after; }; f; touch ~/after",
        "{ ${:-frobnicate} } && touch ~/after; touch ~/after",
        "repeat 2 ${:-frobnicate}; touch ~/after",
        "zsh -c '${:-frobnicate}' && touch ~/after",
    ] {
        let output = run(&home, script);
        assert!(!output.status.success(), "{script}: {output:?}");
        assert!(!ran(&home, "frobnicate"), "{script}");
        assert!(!home.path().join("after").exists(), "{script}: {output:?}");
    }
    assert!(run(&home, "echo ok").status.success());
}

#[test]
fn what_a_script_has_set_up_for_its_end_is_done() {
    let home = hooked();
    std::fs::write(home.work().join("part.zsh"), "frobnicate\n").unwrap();
    for set_up in [
        "trap 'echo cleaned' EXIT",
        "TRAPEXIT() { echo cleaned; }",
        "set -e; trap 'echo cleaned' EXIT",
        "zshexit() { echo cleaned; }",
    ] {
        for denied in ["frobnicate", "f() { frobnicate }; f", "source ./part.zsh"] {
            let output = run(&home, &format!("{set_up}; {denied}; echo after"));
            assert_eq!(printed(&output), "cleaned\n", "{set_up}; {denied}");
            assert_eq!(output.status.code(), Some(126), "{set_up}; {denied}");
        }
    }
    // What a trap does is judged where it is set: zsh runs no trap inside another.
    let output = run(&home, "trap 'echo in; frobnicate; echo out' EXIT; true");
    assert_eq!(printed(&output), "");
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn scripts_run_as_they_did() {
    let bare = zsh_home("", "");
    let home = hooked();
    for script in [
        "set -e; false; echo after",
        "set -e; false || true; echo after; exit 3",
        "set -e; if false; then :; fi; f() { false; echo in; }; f || echo caught; echo after",
        "setopt err_return; f() { false; echo in; }; f || echo caught",
        "trap 'echo err $?' ZERR; false; (exit 4); true",
        "trap 'echo got' USR1; kill -USR1 $$; echo after",
        "trap 'exit 9' TERM; kill -TERM $$; sleep 1; echo after",
        "set -u; echo ${NO_SUCH_THING}; echo after",
        "f() { return 5 }; f; echo $?; echo $pipestatus",
        "false | true; echo $pipestatus $?",
        "echo a b c; echo $_",
        "for x in 1 2 3; do (( x == 2 )) && continue; echo $x; done",
        "print -l ${(f)\"$(printf 'a\\nb\\n')\"}; echo ${#ZSH_DEBUG_CMD}",
        "{ echo try; false } always { echo always $? }",
        "(( 0 )); echo $?; [[ a == b ]]; echo $?",
        "echo $LINENO; f() { echo $LINENO $funcstack }; f",
        "exec echo replaced",
        "exec 3>&1; echo three >&3; exec echo replaced",
        "emulate -L sh; x='a b'; set -- $x; echo $#",
        "coproc cat; echo hi >&p; read -p line; echo $line",
        "cat <<END\nhere $((1+1))\nEND\n",
        "set -x; echo a; f() { echo in; }; f; for x in 1 2; do echo $x; done; set +x; echo b",
        "TRAPDEBUG() { print -u2 own $ZSH_DEBUG_CMD }; echo traced",
    ] {
        let (one, other) = (run(&bare, script), run(&home, script));
        assert_eq!(
            (one.status.code(), printed(&one)),
            (other.status.code(), printed(&other)),
            "{script}\n{}",
            String::from_utf8_lossy(&other.stderr)
        );
        assert_eq!(
            String::from_utf8_lossy(&one.stderr),
            String::from_utf8_lossy(&other.stderr),
            "{script}"
        );
    }
}

#[test]
fn a_question_in_a_script_is_a_denial_and_records_say_who_acts() {
    let home = hooked();
    let output = run(&home, "tickle; echo after");
    assert_eq!(output.status.code(), Some(126));
    assert!(!ran(&home, "tickle"));
    let records = home.records().unwrap();
    assert_eq!(starts(&records), [("tickle", false)]);
    assert!(records.iter().any(
        |record| matches!(&record.half, Half::Start(start) if start.origin.kind == OriginKind::Script)
    ));
}

#[test]
fn a_scripts_commands_are_recorded_once_each_with_their_ends() {
    let home = hooked();
    let script = "true; (exit 3); for i in 1 2 3; do echo turn $i; done; f() { echo inside; }; f; zsh -c 'echo nested; true'; true";
    assert!(run(&home, script).status.success());
    let records = home.records().unwrap();
    let texts: Vec<&str> = starts(&records).iter().map(|(text, _)| *text).collect();
    // A loop is one record, its turns are part of it.
    assert_eq!(
        texts.iter().filter(|text| text.contains("turn")).count(),
        1,
        "{texts:?}"
    );
    assert!(
        texts.contains(&"echo nested") && !texts.contains(&"echo inside"),
        "{texts:?}"
    );
    // Shells that start one another write to one session, without a gap in its numbers.
    let counters: Vec<u64> = records.iter().map(|record| record.counter).collect();
    assert_eq!(counters, (1..=records.len() as u64).collect::<Vec<_>>());
    let ends = ends(&records);
    assert_eq!(ends.len(), texts.len(), "{texts:?} {ends:?}");
    assert_eq!(ends[1], 3, "{texts:?} {ends:?}");
}

#[test]
fn without_the_module_the_program_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("asked");
    std::fs::write(
        &program,
        "#!/bin/sh\nfor last; do :; done\ncase $last in frobnicate*) exit 126;; esac\n",
    )
    .unwrap();
    std::fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let home = hooked_with(&cmdai_hooks::zsh::env_script(&cmdai_hooks::Paths {
        program,
        ..cmdai_hooks::Paths::default()
    }));
    let output = run(&home, "echo one; frobnicate && echo two; echo three");
    assert_eq!(printed(&output), "one\n");
    assert_eq!(output.status.code(), Some(126));
    assert!(!ran(&home, "frobnicate"));
}
