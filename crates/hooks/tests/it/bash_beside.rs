//! bash with other tools' hooks beside ours, before and after them in the person's settings.
//!
//! What such tools do is imitated: Enter as somebody else's key, a shell whose lines are not read by readline
//! (ble.sh names itself in `BLE_VERSION`).

use cmdai_testkit::{Home, Pty};

use crate::support::{POLICY, bash, home, ran};

/// The line stands before ours, then after ours.
fn both_ways(line: &str, check: impl Fn(&Home, &mut Pty)) {
    for (before, after) in [(line, ""), ("", line)] {
        let home = home(before, after);
        home.policy(POLICY).unwrap();
        let mut shell = bash(&home);
        check(&home, &mut shell);
    }
}

/// Somebody's own function on Enter: through a macro, as `bind -x` on Enter is done.
#[test]
fn somebody_elses_enter() {
    let line = "mine_enter() { mine_entered=$((mine_entered + 1)); }\n\
        bind -x '\"\\C-x1\": mine_enter'\nbind '\"\\C-x2\": accept-line'\nbind '\"\\C-m\": \"\\C-x1\\C-x2\"'";
    both_ways(line, |home, shell| {
        shell.send_line("touch ~/first; frobnicate").unwrap();
        shell.wait_for("blocked").unwrap();
        assert!(!ran(home, "frobnicate"));
        shell.wait_for("PROMPT> ").unwrap();
        shell.send_line("echo \"entered=$mine_entered\"").unwrap();
        shell.wait_for("entered=2\n").unwrap();
        // The second net stands where Enter is somebody else's: what came before the denied part ran.
        assert!(home.path().join("first").exists());
    });
}

#[test]
fn a_shell_that_reads_lines_by_itself() {
    let home = home("BLE_VERSION=0.4.0-imitated", "");
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    let shown = shell.run("frobnicate; touch ~/after").unwrap();
    assert!(shown.contains("blocked"), "{}", shell.screen());
    assert!(!ran(&home, "frobnicate") && !home.path().join("after").exists());
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
}

#[test]
fn history_settings_are_left_alone() {
    let home = home(
        "HISTCONTROL=ignoreboth:erasedups\nHISTIGNORE='ls:pwd'\nHISTFILE=~/hist\nset -o history",
        "",
    );
    home.policy(POLICY).unwrap();
    let mut shell = bash(&home);
    let shown = shell.run("echo \"[$HISTCONTROL|$HISTIGNORE]\"").unwrap();
    assert!(shown.contains("[ignoreboth:erasedups|ls:pwd]"), "{shown}");
    shell.run(" echo spa''ced").unwrap();
    shell.run(" frobnicate spaced").unwrap();
    let shown = shell.run("history").unwrap();
    assert!(
        !shown.contains("spa''ced") && !shown.contains("frobnicate spaced"),
        "{shown}"
    );
    let records = home.records().unwrap();
    let text = format!("{records:?}");
    assert!(text.contains(" echo spa''ced"), "{text}");
}

#[test]
fn taking_the_net_away_locks_nobody_out_and_it_comes_back() {
    for take in [
        "trap - DEBUG",
        "shopt -u extdebug; set +o functrace",
        "unset -f $(compgen -A function); unset PROMPT_COMMAND",
        "enable -d __cmdai",
        "enable -n __cmdai",
    ] {
        let home = home("helper() { :; }", "");
        home.policy(POLICY).unwrap();
        let mut shell = bash(&home);
        shell.send_line(take).unwrap();
        let shown = shell
            .wait_for_any(
                &["run it? [y/N]", "PROMPT> "],
                std::time::Duration::from_secs(30),
            )
            .unwrap();
        if shown.contains("run it?") {
            shell.type_text("y").unwrap();
            shell.wait_for("PROMPT> ").unwrap();
        }
        assert!(
            shell.run("echo al''ive").unwrap().contains("\nalive\n"),
            "{take}: {}",
            shell.screen()
        );
        let shown = shell.run("frobnicate").unwrap();
        assert!(shown.contains("blocked"), "{take}: {}", shell.screen());
        assert!(!ran(&home, "frobnicate"), "{take}");
        assert!(
            shell.run("echo ag''ain").unwrap().contains("\nagain\n"),
            "{take}: {}",
            shell.screen()
        );
    }
}

/// The same from the prompt's own commands, where nobody is asked.
#[test]
fn a_prompt_that_takes_the_net_away_each_time() {
    for take in ["trap - DEBUG", "enable -d __cmdai", "enable -n __cmdai"] {
        both_ways(&format!("PROMPT_COMMAND+=\"; {take}\""), |home, shell| {
            for _ in 0..2 {
                let shown = shell.run("frobnicate").unwrap();
                assert!(shown.contains("blocked"), "{take}: {}", shell.screen());
                assert!(!ran(home, "frobnicate"), "{take}");
            }
        });
    }
}

/// What bash-preexec does: at the first prompt it takes the trap off, puts its own in place and its own prompt
/// command.
#[test]
fn a_tool_that_takes_the_trap_at_the_first_prompt() {
    let line = "their_install() { trap 'their_trap=1' DEBUG; PROMPT_COMMAND='their_prompt=1'; }\n\
        their_setting=$'their_old=\"$(trap -p DEBUG)\"\\ntrap - DEBUG\\ntheir_install'\n\
        PROMPT_COMMAND=\"${PROMPT_COMMAND:+$PROMPT_COMMAND;}$their_setting\"";
    both_ways(line, |home, shell| {
        assert!(!shell.screen().contains("cmdai"), "{}", shell.screen());
        let shown = shell.run("frobnicate").unwrap();
        assert!(shown.contains("blocked"), "{}", shell.screen());
        assert!(!ran(home, "frobnicate"));
        assert!(
            shell
                .run("echo \"theirs=$their_prompt$their_trap\"")
                .unwrap()
                .contains("theirs=11")
        );
        assert!(!shell.screen().contains("switches cmdai off"));
    });
}
