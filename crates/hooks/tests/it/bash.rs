//! An interactive bash, hooked, driven through a pseudo-terminal.

use cmdai_schema::OriginKind;
use cmdai_schema::governor::{Reply, Request};
use cmdai_schema::record::Half;
use cmdai_testkit::{FakeGovernor, Home};

use crate::support::{
    POLICY, bash, denied_and_fine, ends, home, ran, snapshot, starts, status, works_without_policy,
};

fn person() -> Home {
    let home = home("", "");
    home.policy(POLICY).unwrap();
    home
}

#[test]
fn what_is_allowed_runs_and_is_recorded_with_its_end() {
    let home = person();
    let mut shell = bash(&home);
    assert!(shell.run("echo hel''lo").unwrap().contains("\nhello\n"));
    shell.run("(exit 7)").unwrap();
    assert_eq!(status(&mut shell), "7");
    shell.send_line("exit 3").unwrap();
    assert_eq!(shell.wait().unwrap(), 3);
    let records = home.records().unwrap();
    assert_eq!(
        records
            .iter()
            .map(|record| record.counter)
            .collect::<Vec<_>>(),
        (1..=records.len() as u64).collect::<Vec<_>>()
    );
    assert!(
        matches!(&records[0].half, Half::SessionStart { shell, origin } if shell.starts_with("bash ") && origin.kind == OriginKind::Human)
    );
    assert_eq!(
        starts(&records)[..2],
        [("echo hel''lo", true), ("(exit 7)", true)]
    );
    assert_eq!(ends(&records)[..2], [0, 7]);
    assert!(
        matches!(records.last().unwrap().half, Half::SessionEnd),
        "{records:?}"
    );
}

#[test]
fn a_line_has_its_end_on_file_while_the_shell_waits_for_the_next() {
    let home = person();
    let mut shell = bash(&home);
    for status in [7, 0, 3] {
        shell.run(&format!("(exit {status})")).unwrap();
        // Written once the prompt is shown, so it may come a moment after it.
        let begun = std::time::Instant::now();
        while ends(&home.records().unwrap()).last() != Some(&status) {
            assert!(begun.elapsed().as_secs() < 20, "no end of {status}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    let records = home.records().unwrap();
    let times: Vec<u64> = records.iter().map(|record| record.mono_ns).collect();
    assert!(times.is_sorted(), "{times:?}");
}

/// What a line asks for is an answer: it may look like anything, and it may be a password.
#[test]
fn an_answer_to_a_line_that_runs_is_neither_judged_nor_recorded() {
    let home = person();
    let mut shell = bash(&home);
    shell.run("ask() { read -e -p 'word? ' word; }").unwrap();
    for (line, answer) in [
        ("read -e -p 'word? ' word", "frobnicate now"),
        ("ask", "hunter2-answer"),
        ("for n in 1; do read -e -p 'word? ' word; done", "tickle"),
    ] {
        shell.send_line(line).unwrap();
        // The line's own echo names the question too, in quotes.
        shell.wait_for("\nword? ").unwrap();
        let shown = shell.run(answer).unwrap();
        assert!(!shown.contains("cmdai"), "{shown}");
        let shown = shell.run("echo \"<$word>\"").unwrap();
        assert!(shown.contains(&format!("\n<{answer}>\n")), "{shown}");
    }
    // Ctrl-C leaves the question, and the next line is judged.
    shell.send_line("read -e -p 'word? ' word").unwrap();
    shell.wait_for("\nword? ").unwrap();
    // Right after the question bash may not wait for keys yet, and keeps the signal for the next one.
    let left = (0..20).any(|_| {
        shell.type_text("\u{3}").unwrap();
        let patience = std::time::Duration::from_secs(1);
        shell.wait_for_any(&["PROMPT> "], patience).is_ok()
    });
    assert!(left, "{}", shell.screen());
    shell.send_line("frobnicate").unwrap();
    shell.wait_for("blocked").unwrap();
    assert!(!ran(&home, "frobnicate"));
    let records = home.records().unwrap();
    let words = ["frobnicate now", "hunter2-answer", "tickle"];
    assert!(
        !starts(&records)
            .iter()
            .any(|(text, _)| words.iter().any(|word| text.contains(word))),
        "{records:?}"
    );
}

#[test]
fn a_denied_line_does_not_run_in_any_part() {
    let home = person();
    let mut shell = bash(&home);
    let shown = shell
        .run("touch ~/first; frobnicate --all; touch ~/last")
        .unwrap();
    assert!(
        shown.contains("blocked")
            && shown.contains("Frobnicating is not done here")
            && shown.contains("^^^"),
        "{shown}"
    );
    assert!(shown.contains("test.frobnicate"), "{shown}");
    assert_eq!(status(&mut shell), "126");
    for name in ["first", "last", "frobnicate-ran"] {
        assert!(!home.path().join(name).exists(), "{name}");
    }
    // The line is kept to be mended, and the shell goes on.
    assert!(
        shell
            .run("history | tail -n 3")
            .unwrap()
            .contains("touch ~/first; frobnicate --all")
    );
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
    let records = home.records().unwrap();
    assert_eq!(
        starts(&records)[0],
        ("touch ~/first; frobnicate --all; touch ~/last", false)
    );
}

#[test]
fn a_command_over_several_lines_is_judged_as_a_whole() {
    let home = person();
    let mut shell = bash(&home);
    shell.send_line("for x in 1 2; do").unwrap();
    shell.send_line("touch ~/looped").unwrap();
    shell.send_line("frobnicate $x").unwrap();
    shell.send_line("done").unwrap();
    shell.wait_for("blocked").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert_eq!(status(&mut shell), "126");
    assert!(!home.path().join("looped").exists());
    assert!(!ran(&home, "frobnicate"));
    shell.send_line("for x in 1 2; do").unwrap();
    shell.send_line("echo \"turn-$x\"").unwrap();
    shell.send_line("done").unwrap();
    shell.wait_for("turn-2\n").unwrap();
}

#[test]
fn aliases_functions_and_variables_are_seen_through() {
    let home = home(
        "helper() { echo x; frob\"\"nicate now; }\nalias frob='frobnicate --now'",
        "",
    );
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    for (set_up, hidden) in [
        ("true", "frob"),
        ("NAME=frobnicate", "$NAME --now"),
        ("true", "helper"),
    ] {
        shell.run(set_up).unwrap();
        let shown = shell.run(hidden).unwrap();
        assert!(shown.contains("blocked"), "{hidden}: {shown}");
        assert_eq!(status(&mut shell), "126", "{hidden}");
    }
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn values_that_are_only_known_later_are_caught_by_the_second_net() {
    let home = person();
    let mut shell = bash(&home);
    std::fs::write(
        home.work().join("part.sh"),
        "touch ~/sourced-first\nfrobnicate\ntouch ~/sourced-last\n",
    )
    .unwrap();
    shell.run("source ./part.sh; touch ~/after").unwrap();
    assert!(!ran(&home, "frobnicate"));
    assert!(!home.path().join("sourced-last").exists());
    assert!(
        !home.path().join("after").exists(),
        "the rest of the line is stopped"
    );
    assert_eq!(status(&mut shell), "126");
    assert!(
        shell.run("echo al''ive").unwrap().contains("\nalive\n"),
        "a denial ends with its line"
    );
}

#[test]
fn a_question_is_asked_and_only_yes_runs_it() {
    let home = person();
    let mut shell = bash(&home);
    for (answer, runs) in [("n", false), ("y", true)] {
        shell.send_line("tickle").unwrap();
        shell.wait_for("run it? [y/N]").unwrap();
        shell.type_text(answer).unwrap();
        shell.wait_for("PROMPT> ").unwrap();
        assert_eq!(ran(&home, "tickle"), runs, "{}", shell.screen());
        assert_eq!(status(&mut shell), if runs { "0" } else { "126" });
    }
}

#[test]
fn prompt_commands_and_debug_traps_of_others_go_on() {
    let home = home(
        "PROMPT_COMMAND=('printf one=%s, \"$?\"' 'printf two,')\ntrap 'debugged=$BASH_COMMAND' DEBUG",
        "",
    );
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    let shown = shell.run("(exit 5)").unwrap();
    assert!(shown.contains("one=5,two,"), "{shown}");
    let shown = shell
        .run("echo ${#PROMPT_COMMAND[@]} \"${PROMPT_COMMAND[0]}\"")
        .unwrap();
    assert!(shown.contains("3 __cmdai precmd"), "{shown}");
    let shown = shell.run("echo \"saw $debugged\"").unwrap();
    assert!(shown.contains("saw echo \"saw $debugged\""), "{shown}");
    assert!(shell.run("frobnicate").unwrap().contains("blocked"));
}

#[test]
fn a_trap_that_is_set_after_ours_is_kept_and_ours_comes_back() {
    let home = home(
        "",
        "trap 'later=yes' DEBUG\nPROMPT_COMMAND+=$'\\nfromprompt'\nfromprompt() { [[ -n $again ]] || trap 'again=yes' DEBUG; }",
    );
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    shell.run("true").unwrap();
    let shown = shell.run("echo \"<$later$again>\"").unwrap();
    assert!(shown.contains("<yesyes>"), "{}", shell.screen());
    std::fs::write(home.work().join("part.sh"), "frobnicate\n").unwrap();
    assert!(shell.run("source ./part.sh").unwrap().contains("blocked"));
}

#[test]
fn a_lost_prompt_command_locks_nobody_out() {
    let home = home("", "PROMPT_COMMAND='true'");
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    std::fs::write(home.work().join("part.sh"), "frobnicate\n").unwrap();
    shell.run("source ./part.sh").unwrap();
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
}

#[test]
fn vi_mode_is_hooked_too() {
    let home = home("set -o vi", "");
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    assert!(shell.run("frobnicate").unwrap().contains("blocked"));
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn a_governed_shell_enforces_and_spools_without_a_sensor() {
    let home = home("", "");
    home.govern(&snapshot()).unwrap();
    let mut shell = bash(&home);
    let shown = shell.run("frobnicate").unwrap();
    assert!(
        shown.contains("(Platform, policy 41)") && shown.contains("ask Platform"),
        "{shown}"
    );
    shell.run("echo fine").unwrap();
    shell.send_line("exit").unwrap();
    shell.wait().unwrap();
    denied_and_fine(&home);
}

#[test]
fn a_broken_snapshot_is_said_and_people_can_work() {
    let home = home("", "");
    home.govern(b"not a snapshot").unwrap();
    let mut shell = bash(&home);
    works_without_policy(&home, &mut shell);
}

#[test]
fn an_approval_is_asked_for_and_the_same_line_goes_through_once_granted() {
    let home = home("", "");
    let places = home.govern(&snapshot()).unwrap();
    let granted = Reply::Granted {
        request_id: "R7".to_owned(),
        grant_id: "G1".to_owned(),
        approver: "eve".to_owned(),
    };
    let governor = FakeGovernor::start(
        &places.socket,
        vec![
            Reply::Pending {
                request_id: "R7".to_owned(),
            },
            granted,
        ],
    )
    .unwrap();
    let mut shell = bash(&home);
    let shown = shell.run("deploy --to prod").unwrap();
    assert!(
        shown.contains("R7") && shown.contains("repeat the command"),
        "{shown}"
    );
    assert_eq!(status(&mut shell), "75");
    assert!(!ran(&home, "deploy"));
    assert!(
        shell
            .run("deploy --to prod")
            .unwrap()
            .contains("deploy ran")
    );
    let asked = governor.asked();
    assert!(
        asked
            .iter()
            .any(|request| matches!(request, Request::Report { start, .. } if !start.allowed))
    );
    let bound: Vec<_> = asked
        .iter()
        .filter_map(|request| {
            if let Request::Approve { binding, .. } = request {
                Some(binding)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(bound.len(), 2);
    assert_eq!(bound[0], bound[1]);
    assert_eq!(bound[0].rules, ["test.deploy"]);
}

#[test]
fn an_approval_without_a_governor_is_a_block() {
    let home = home("", "");
    home.govern(&snapshot()).unwrap();
    let mut shell = bash(&home);
    let shown = shell.run("deploy").unwrap();
    assert!(shown.contains("no approval can be asked for"), "{shown}");
    assert!(!ran(&home, "deploy"));
    assert_eq!(status(&mut shell), "126");
}

#[test]
fn history_expansion_is_judged_as_what_it_becomes() {
    let home = person();
    let mut shell = bash(&home);
    shell.run("frobnicate --first").unwrap();
    let shown = shell.run("echo x; !frob").unwrap();
    assert!(shown.contains("blocked"), "{shown}");
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn the_other_key_that_accepts_a_line_is_hooked_too() {
    let home = person();
    let mut shell = bash(&home);
    shell.type_text("touch ~/first; frobnicate\u{f}").unwrap();
    shell.wait_for("blocked").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(!home.path().join("first").exists());
}

#[test]
fn without_the_module_each_simple_command_is_asked_about_and_it_is_said() {
    let home = home("", "");
    let program = home.path().join("bin/asked");
    std::fs::write(
        &program,
        "#!/bin/sh\nfor last; do :; done\necho \"$last\" >> ~/asked.log\ncase $last in frobnicate*) echo blocked-by-program >&2; exit 126;; esac\n",
    )
    .unwrap();
    std::fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let paths = cmdai_hooks::Paths {
        program,
        ..cmdai_hooks::Paths::default()
    };
    std::fs::write(
        home.path().join("init.bash"),
        cmdai_hooks::bash::init_script(&paths),
    )
    .unwrap();
    let mut shell = bash(&home);
    assert!(
        shell.screen().contains("native module is missing"),
        "{}",
        shell.screen()
    );
    let asked = std::fs::read_to_string(home.path().join("asked.log")).unwrap_or_default();
    assert!(
        !asked.contains("PROMPT_COMMAND"),
        "asked about its own set-up: {asked}"
    );
    let shown = shell
        .run("echo al''ive; frobnicate; touch ~/after")
        .unwrap();
    assert!(
        shown.contains("alive\n") && shown.contains("blocked-by-program"),
        "{shown}"
    );
    assert!(!ran(&home, "frobnicate"));
    assert!(!home.path().join("after").exists());
    assert!(
        shell.run("echo al''ive").unwrap().contains("\nalive\n"),
        "nobody is locked out"
    );
}

#[test]
fn what_is_written_in_an_editor_is_asked_about() {
    let home = home("export EDITOR=~/bin/editor VISUAL=~/bin/editor", "");
    home.policy(POLICY).unwrap();
    let editor = home.path().join("bin/editor");
    std::fs::write(
        &editor,
        "#!/bin/sh\necho 'tickle; touch ~/after' > \"$1\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut shell = bash(&home);
    shell.type_text("\u{18}\u{5}").unwrap();
    shell.wait_for("run it? [y/N]").unwrap();
    shell.send_line("n").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(!ran(&home, "tickle"));
    assert!(!home.path().join("after").exists());
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
}
