//! An interactive zsh, hooked, driven through a pseudo-terminal.

use cmdai_schema::OriginKind;
use cmdai_schema::governor::Reply;
use cmdai_schema::record::Half;
use cmdai_testkit::{FakeGovernor, Home, Pty};

use crate::support::{
    POLICY, denied_and_fine, ends, ran, snapshot, starts, status, works_without_policy, zsh,
    zsh_home, zsh_home_with, zsh_paths,
};

/// Empties the line in the editor.
pub(crate) const CLEAR: &str = "\u{15}";

fn person() -> Home {
    let home = zsh_home("", "");
    home.policy(POLICY).unwrap();
    home
}

/// A line that has to be blocked: it stays in the editor, from where it is taken away.
pub(crate) fn blocked(shell: &mut Pty, line: &str) -> String {
    let shown = shell.run(line).unwrap();
    assert!(shown.contains("blocked"), "{line}: {shown}");
    shell.type_text(CLEAR).unwrap();
    shown
}

const ATTENDED: &str = r#"version: "1.0"
rules:
  - id: test.attended
    when: { program: frobnicate, terminal: false }
    decision: deny
    reason: "Somebody has to watch"
  - id: test.tickle
    when: { program: tickle }
    decision: confirm
    reason: "Tickling needs a thought"
"#;

/// A shell whose messages go to a file has nobody who reads a question: from that line on.
#[test]
fn who_cannot_read_a_question_is_not_asked() {
    let home = zsh_home("", "");
    home.policy(ATTENDED).unwrap();
    let mut shell = zsh(&home);
    for _ in 0..3 {
        shell.run("frobnicate || true").unwrap();
    }
    assert!(ran(&home, "frobnicate"));
    std::fs::remove_file(home.path().join("frobnicate-ran")).unwrap();
    shell.send_line("tickle").unwrap();
    shell.wait_for("[y/N] ").unwrap();
    shell.type_text("n").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    shell.type_text(CLEAR).unwrap();
    shell.run("exec 2>~/messages").unwrap();
    let messages = home.path().join("messages");
    for (line, reason) in [
        ("frobnicate || true", "Somebody has to watch"),
        ("tickle", "Tickling needs a thought"),
    ] {
        shell.send_line(line).unwrap();
        let begun = std::time::Instant::now();
        while !std::fs::read_to_string(&messages).is_ok_and(|said| said.contains(reason)) {
            assert!(begun.elapsed().as_secs() < 20, "{line}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        shell.type_text(CLEAR).unwrap();
    }
    shell
        .send_line("exec 2>/dev/tty; echo back''again")
        .unwrap();
    shell.wait_for("\nbackagain\n").unwrap();
    let messages = std::fs::read_to_string(&messages).unwrap();
    assert!(!messages.contains("[y/N]"), "{messages}");
    assert!(!ran(&home, "frobnicate") && !ran(&home, "tickle"));
    shell.send_line("frobnicate || true; echo do''ne").unwrap();
    shell.wait_for("\ndone\n").unwrap();
    assert!(ran(&home, "frobnicate"));
}

#[test]
fn what_is_allowed_runs_and_is_recorded_with_its_end() {
    let home = person();
    let mut shell = zsh(&home);
    assert!(shell.run("echo hel''lo").unwrap().contains("\nhello\n"));
    shell.run(" (exit 7)").unwrap();
    assert_eq!(status(&mut shell), "7");
    shell.send_line("exit 3").unwrap();
    assert_eq!(shell.wait().unwrap(), 3);
    let records = home.records().unwrap();
    let counters: Vec<u64> = records.iter().map(|record| record.counter).collect();
    assert_eq!(counters, (1..=records.len() as u64).collect::<Vec<_>>());
    assert!(
        matches!(&records[0].half, Half::SessionStart { shell, origin } if shell.starts_with("zsh ") && origin.kind == OriginKind::Human)
    );
    assert_eq!(
        starts(&records),
        [
            ("echo hel''lo", true),
            (" (exit 7)", true),
            ("echo \"<$?>\"", true),
            ("exit 3", true)
        ]
    );
    assert_eq!(ends(&records), [0, 7, 0, 3]);
    assert!(
        matches!(records.last().unwrap().half, Half::SessionEnd),
        "{records:?}"
    );
    let Some(Half::Start(start)) = records.iter().map(|record| &record.half).nth(1) else {
        panic!("{records:?}");
    };
    assert_eq!(start.shell, "zsh");
}

#[test]
fn a_denied_line_does_not_run_in_any_part_and_stays_in_the_editor() {
    let home = person();
    let mut shell = zsh(&home);
    let shown = shell
        .run("touch ~/first; frobnicate --all; touch ~/last")
        .unwrap();
    assert!(
        shown.contains("blocked")
            && shown.contains("Frobnicating is not done here")
            && shown.contains("^^^")
            && shown.contains("test.frobnicate"),
        "{shown}"
    );
    for name in ["first", "last", "frobnicate-ran"] {
        assert!(!home.path().join(name).exists(), "{name}");
    }
    // It can be mended where it stands: only its first command is left.
    shell.type_text("\u{1}\u{1b}f\u{1b}f\u{b}\r").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(home.path().join("first").exists(), "{}", shell.screen());
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
    let records = home.records().unwrap();
    assert_eq!(
        starts(&records)[..2],
        [
            ("touch ~/first; frobnicate --all; touch ~/last", false),
            ("touch ~/first; ", true)
        ]
    );
}

#[test]
fn a_warning_is_said_once_and_the_line_runs() {
    let home = zsh_home("", "");
    home.policy(&POLICY.replace("decision: deny", "decision: warn"))
        .unwrap();
    let mut shell = zsh(&home);
    let shown = shell.run("frobnicate").unwrap();
    assert!(
        shown.contains("Frobnicating is not done here") && shown.contains("frobnicate ran"),
        "{shown}"
    );
    let again = shell.run("frobnicate").unwrap();
    assert!(!again.contains("not done here"), "{again}");
}

#[test]
fn a_command_over_several_lines_is_judged_as_a_whole() {
    let home = person();
    let mut shell = zsh(&home);
    for line in ["for x in 1 2; do", "touch ~/looped", "frobnicate $x"] {
        shell.send_line(line).unwrap();
        shell.wait_for("for> ").unwrap();
    }
    shell.send_line("done").unwrap();
    shell.wait_for("blocked").unwrap();
    shell.type_text("\u{3}").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(!home.path().join("looped").exists());
    assert!(!ran(&home, "frobnicate"));
    shell.send_line("for x in 1 2; do").unwrap();
    shell.send_line("echo \"turn-$x\"").unwrap();
    shell.send_line("done").unwrap();
    shell.wait_for("turn-2\n").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    // Pasted, they come at once.
    shell
        .type_text("\u{1b}[200~touch ~/pasted\nfrobnicate\u{1b}[201~\r")
        .unwrap();
    shell.wait_for("blocked").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(!home.path().join("pasted").exists());
}

#[test]
fn a_record_says_that_a_function_runs_in_a_programs_place() {
    let zsh_home = zsh_home("perl() { X=1 }", "");
    let bash_home = crate::support::home("perl() { X=1; }", "");
    for (home, mut shell) in [
        (&zsh_home, zsh(&zsh_home)),
        (&bash_home, crate::support::bash(&bash_home)),
    ] {
        shell.run("perl -v").unwrap();
        shell.run("unset -f perl").unwrap();
        shell.run("perl -v").unwrap();
        let records = home.records().unwrap();
        let said: Vec<bool> = records
            .iter()
            .filter_map(|record| match &record.half {
                Half::Start(start) if start.text == "perl -v" => Some(start.function),
                _ => None,
            })
            .collect();
        assert_eq!(said, [true, false]);
    }
}

#[test]
fn aliases_functions_and_variables_are_seen_through() {
    let home = zsh_home(
        "helper() { echo x; frob\"\"nicate now }\nalias frob='frobnicate --now'\nalias -g EVIL='; frobnicate'\nalias -s evil=frobnicate",
        "",
    );
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    shell
        .run("NAME=frobnicate; list=(frobnicate --now)")
        .unwrap();
    for hidden in [
        "frob",
        "$NAME --now",
        "${list[1]}",
        "helper",
        "f''robnicate",
    ] {
        blocked(&mut shell, hidden);
    }
    // What only zsh itself can tell is stopped before any part of it runs, too.
    for hidden in ["touch ~/before EVIL", "notes.evil"] {
        let shown = shell.run(hidden).unwrap();
        assert!(shown.contains("blocked"), "{hidden}: {shown}");
        assert_eq!(status(&mut shell), "126", "{hidden}");
    }
    assert!(!home.path().join("before").exists());
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn values_that_are_only_known_later_are_caught_by_the_second_net() {
    let home = person();
    let mut shell = zsh(&home);
    std::fs::write(
        home.work().join("part.zsh"),
        "touch ~/sourced-first\nfrobnicate && touch ~/next\ntouch ~/sourced-last\n",
    )
    .unwrap();
    for line in [
        "source ./part.zsh; touch ~/after",
        "source ./part.zsh && touch ~/after",
        "{ source ./part.zsh } && touch ~/after",
        "f() { source ./part.zsh; touch ~/after }; f; touch ~/after",
    ] {
        let shown = shell.run(line).unwrap();
        assert!(shown.contains("blocked"), "{line}: {shown}");
        assert_eq!(status(&mut shell), "126", "{line}");
        for name in ["next", "after", "sourced-last", "frobnicate-ran"] {
            assert!(!home.path().join(name).exists(), "{line}: {name}");
        }
    }
    assert!(home.path().join("sourced-first").exists());
    // No branch takes it for success, or goes on.
    for line in [
        "if source ./part.zsh; then touch ~/after; else touch ~/after; fi",
        "while source ./part.zsh; do touch ~/after; done; touch ~/after",
        "if ! source ./part.zsh; then touch ~/after; fi",
    ] {
        shell.run(line).unwrap();
        for name in ["next", "after", "sourced-last", "frobnicate-ran"] {
            assert!(!home.path().join(name).exists(), "{line}: {name}");
        }
    }
    assert!(
        shell.run("echo al''ive").unwrap().contains("\nalive\n"),
        "a denial ends with its line"
    );
}

#[test]
fn pipelines_subshells_and_jobs_work_as_before() {
    let home = person();
    let mut shell = zsh(&home);
    for (line, seen) in [
        ("echo a b | tr a-z A-Z | cat", "\nA B\n"),
        ("(cd /; pwd)", "\n/\n"),
        ("x=$(echo in''ner); echo \"<$x>\"", "\n<inner>\n"),
        ("cat <(echo sub''st)", "\nsubst\n"),
        ("false | true; echo \"p$pipestatus\"", "\np1 0\n"),
        ("true && false || echo ot''her", "\nother\n"),
        ("(exit 9) & wait $!; echo \"job <$?>\"", "job <9>"),
        ("echo one two; echo \"last $_\"", "last two"),
        ("f() { return 4 }; f; echo \"f=$?\"", "\nf=4\n"),
        ("! false && echo tur''ned", "\nturned\n"),
        ("{ echo try; false } always { echo al''ways }", "\nalways\n"),
        (
            "repeat 3 print -n ''tick",
            "\nticktickticktick".get(..13).unwrap_or(""),
        ),
        ("typeset -f TRAPDEBUG >/dev/null; true", ""),
        ("set -o | grep err''exit", "off"),
    ] {
        let shown = shell.run(line).unwrap();
        assert!(shown.contains(seen), "{line}: {shown}");
        assert!(!shown.contains("cmdai"), "{line}: {shown}");
    }
    shell.run("sleep 30 &").unwrap();
    assert!(shell.run("jobs").unwrap().contains("running    sleep 30"));
    shell.run("kill %1; wait").unwrap();
    for line in [
        "(frobnicate) && touch ~/after",
        "frobnicate | cat",
        "x=$(frobnicate) && touch ~/after",
        "frobnicate &",
        "frobnicate && touch ~/after",
        "if frobnicate; then touch ~/after; fi",
        "cat <(frobnicate)",
        "! frobnicate",
        "noglob frobnicate",
        "repeat 2 frobnicate",
    ] {
        blocked(&mut shell, line);
        assert!(!ran(&home, "frobnicate"), "{line}");
    }
    assert!(!home.path().join("after").exists());
}

#[test]
fn a_question_is_asked_and_only_yes_runs_it() {
    let home = person();
    let mut shell = zsh(&home);
    for (answer, runs) in [("n", false), ("y", true)] {
        shell.send_line(&format!("{CLEAR}tickle")).unwrap();
        shell.wait_for("run it? [y/N]").unwrap();
        shell.type_text(answer).unwrap();
        // After a yes the line stands there once more, and then its output.
        shell
            .wait_for(if runs { "tickle ran\n" } else { "PROMPT> " })
            .unwrap();
        assert_eq!(ran(&home, "tickle"), runs, "{}", shell.screen());
    }
    shell.wait_for("PROMPT> ").unwrap();
    assert_eq!(status(&mut shell), "0");
}

#[test]
fn what_another_way_brings_to_the_shell_is_stopped_before_it_runs() {
    let home = zsh_home(
        "",
        "sneak() { BUFFER='touch ~/first; frobnicate'; zle .accept-line }\nzle -N sneak\nbindkey '^T' sneak",
    );
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    shell.type_text("\u{14}").unwrap();
    shell.wait_for("blocked").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert_eq!(status(&mut shell), "126");
    // History expansion is judged as what it becomes.
    shell.run("echo frobnicate").unwrap();
    let shown = shell.run("touch ~/first; !!:1").unwrap();
    assert!(shown.contains("blocked"), "{shown}");
    assert_eq!(status(&mut shell), "126");
    // So is what comes out of history by a search.
    shell.type_text("\u{12}echo frob").unwrap();
    shell.wait_for("bck-i-search").unwrap();
    shell.type_text("\u{1}\u{4}\u{4}\u{4}\u{4}\u{4}\r").unwrap();
    shell.wait_for("blocked").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(!home.path().join("first").exists());
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn the_other_keys_that_accept_a_line_and_vi_mode_are_hooked_too() {
    for (mode, key) in [
        ("bindkey -e", "\u{f}"),
        ("bindkey -e", "\u{1b}a"),
        ("bindkey -v", "\r"),
        ("bindkey -v", "\u{1b}\r"),
    ] {
        let home = zsh_home(mode, "");
        home.policy(POLICY).unwrap();
        let mut shell = zsh(&home);
        shell
            .type_text(&format!("touch ~/first; frobnicate{key}"))
            .unwrap();
        shell.wait_for("blocked").unwrap();
        shell.wait_for("PROMPT> ").unwrap();
        assert!(!home.path().join("first").exists(), "{mode} {key:?}");
    }
}

#[test]
fn a_governed_shell_enforces_and_spools_without_a_sensor() {
    let home = zsh_home("", "");
    home.govern(&snapshot()).unwrap();
    let mut shell = zsh(&home);
    let shown = blocked(&mut shell, "frobnicate");
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
    let home = zsh_home("", "");
    home.govern(b"not a snapshot").unwrap();
    let mut shell = zsh(&home);
    works_without_policy(&home, &mut shell);
}

#[test]
fn an_approval_is_asked_for_and_enter_again_runs_it_once_granted() {
    let home = zsh_home("", "");
    let places = home.govern(&snapshot()).unwrap();
    let granted = Reply::Granted {
        request_id: "R7".to_owned(),
        grant_id: "G1".to_owned(),
        approver: "eve".to_owned(),
    };
    let pending = Reply::Pending {
        request_id: "R7".to_owned(),
    };
    let _governor = FakeGovernor::start(&places.socket, vec![pending, granted]).unwrap();
    let mut shell = zsh(&home);
    let shown = shell.run("deploy --to prod").unwrap();
    assert!(
        shown.contains("R7") && shown.contains("repeat the command"),
        "{shown}"
    );
    assert!(!ran(&home, "deploy"));
    shell.send_line("").unwrap();
    shell.wait_for("deploy ran").unwrap();
}

#[test]
fn without_the_module_each_line_is_asked_about_and_it_is_said() {
    let program = "#!/bin/sh\nfor last; do :; done\necho \"$last\" >> ~/asked.log\ncase $last in *frobnicate*) echo blocked-by-program >&2; exit 126;; esac\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("asked");
    std::fs::write(&file, program).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let broken = folder.path().join("libcmdai_zsh.so");
    std::fs::write(&broken, "not a library").unwrap();
    for (module, said) in [
        (None, "native module is missing"),
        (Some(broken), "this zsh cannot load its native module"),
    ] {
        let paths = cmdai_hooks::Paths {
            program: file.clone(),
            zsh_module: module,
            ..zsh_paths()
        };
        let home = zsh_home_with(paths, "", "");
        let mut shell = zsh(&home);
        assert!(shell.screen().contains(said), "{}", shell.screen());
        let shown = shell
            .run("touch ~/first; frobnicate; touch ~/last")
            .unwrap();
        assert!(shown.contains("blocked-by-program"), "{shown}");
        for name in ["first", "last", "frobnicate-ran"] {
            assert!(!home.path().join(name).exists(), "{name}");
        }
        assert!(
            shell.run("echo al''ive").unwrap().contains("\nalive\n"),
            "nobody is locked out"
        );
    }
}

#[test]
fn a_zsh_that_the_module_does_not_know_says_so() {
    let home = zsh_home("typeset +r ZSH_VERSION; ZSH_VERSION=6.1", "");
    let shell = zsh(&home);
    assert!(
        shell.screen().contains("does not know zsh 6.1, only 5.8"),
        "{}",
        shell.screen()
    );
}

#[test]
fn the_module_stays_while_the_shell_is_hooked() {
    // A rule stands against it where a line asks for it; here the module itself is asked.
    let home = zsh_home(
        "precmd() { [[ -n $try ]] || return; try=; zmodload -u libcmdai_zsh; echo \"u<$?>\"; zmodload -F libcmdai_zsh -b:__cmdai; echo \"f<$?>\" }",
        "",
    );
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    let shown = shell.run("try=yes").unwrap();
    assert!(shown.contains("u<1>") && !shown.contains("f<0>"), "{shown}");
    blocked(&mut shell, "frobnicate");
    for line in [
        "zmodload -u libcmdai_zsh",
        "unfunction TRAPDEBUG",
        "add-zsh-hook -d precmd __cmdai_precmd",
        "disable -f __cmdai_preexec",
    ] {
        shell.send_line(line).unwrap();
        shell.wait_for("run it? [y/N]").unwrap();
        shell.type_text("n").unwrap();
        shell.wait_for("PROMPT> ").unwrap();
        shell.type_text(CLEAR).unwrap();
    }
    blocked(&mut shell, "frobnicate");
}

#[test]
fn without_an_editor_the_line_is_stopped_before_it_runs() {
    let home = zsh_home("unsetopt zle", "");
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    for line in [
        "touch ~/first; frobnicate",
        "for x in 1; do touch ~/first; frobnicate; done",
    ] {
        let shown = shell.run(line).unwrap();
        assert!(shown.contains("blocked"), "{shown}");
        assert_eq!(status(&mut shell), "126");
    }
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
    // Nobody types a line here at all.
    let path = format!("{}/bin:/usr/bin:/bin", home.path().display());
    let output = std::process::Command::new("zsh")
        .args(["-d", "-i", "-c", "touch ~/ran; frobnicate && touch ~/first"])
        .env_clear()
        .envs(home.environment())
        .env("PATH", path)
        .current_dir(home.work())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(126), "{output:?}");
    assert!(home.path().join("ran").exists(), "{output:?}");
    assert!(!home.path().join("first").exists());
    assert!(!ran(&home, "frobnicate"));
}

#[test]
fn what_is_typed_for_something_else_is_no_command() {
    let home = zsh_home(
        "",
        "ask() { local BUFFER= CURSOR=0; zle recursive-edit; asked=$BUFFER }\nzle -N ask\nbindkey '^T' ask",
    );
    home.policy(POLICY).unwrap();
    let mut shell = zsh(&home);
    shell.send_line("value=; vared -p 'EDIT: ' value").unwrap();
    shell.wait_for("EDIT: ").unwrap();
    shell.send_line("frobnicate").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    let shown = shell.run("echo \"<$value>\"").unwrap();
    assert!(shown.contains("\n<frobnicate>\n"), "{shown}");
    shell.type_text("\u{14}frobnicate\r").unwrap();
    let shown = shell.run(&format!("{CLEAR}echo \"<$asked>\"")).unwrap();
    assert!(shown.contains("\n<frobnicate>\n"), "{shown}");
    assert!(!shell.screen().contains("blocked"), "{}", shell.screen());
}

#[test]
fn a_line_of_history_that_is_run_again_changed_is_judged() {
    let home = person();
    let mut shell = zsh(&home);
    shell.run("echo frobnicate").unwrap();
    for line in ["r 'echo '=", "fc -e - 'echo '=", "fc -s 'echo '="] {
        let shown = shell.run(line).unwrap();
        assert!(!ran(&home, "frobnicate"), "{line}: {shown}");
        shell.type_text(CLEAR).unwrap();
    }
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
}

#[test]
fn without_the_line_in_the_start_file_nothing_is_left() {
    let home = person();
    let before = home.records().map_or(0, |records| records.len());
    let rc = std::fs::read_to_string(home.path().join(".zshrc")).unwrap();
    let bare: String = rc
        .lines()
        .filter(|line| !line.contains("init.zsh"))
        .flat_map(|line| [line, "\n"])
        .collect();
    std::fs::write(home.path().join(".zshrc"), bare).unwrap();
    let mut shell = zsh(&home);
    assert!(shell.run("frobnicate").unwrap().contains("frobnicate ran"));
    let shown = shell
        .run("print -r -- ${(k)functions[(I)*cmdai*]} ${(k)parameters[(I)*cmdai*]} ${(M)precmd_functions:#*cmdai*} ${(k)widgets[(I)*cmdai*]} \"<$+functions[TRAPDEBUG]>\"")
        .unwrap();
    assert!(shown.contains("\n<0>\n"), "{shown}");
    assert_eq!(home.records().map_or(0, |records| records.len()), before);
}

#[test]
fn what_a_plain_line_calls_elsewhere_is_seen_too() {
    let home = zsh_home(
        "fpath=(~/functions $fpath)\nautoload -Uz loaded\nalias -g EVIL=frobnicate\n",
        "chpwd() { frob\"\"nicate now }\ncommand_not_found_handler() { frob\"\"nicate now }\n",
    );
    home.policy(POLICY).unwrap();
    let functions = home.path().join("functions");
    std::fs::create_dir_all(&functions).unwrap();
    std::fs::write(functions.join("loaded"), "frobnicate now\n").unwrap();
    let mut shell = zsh(&home);
    for line in [
        "cd /",
        "no-such-program-here",
        "true; loaded",
        "env EVIL",
        "NAME=frobnicate; eval $NAME",
    ] {
        let shown = shell.run(line).unwrap();
        shell.type_text(CLEAR).unwrap();
        assert!(!ran(&home, "frobnicate"), "{line}: {shown}");
    }
    shell.run("cd ~").unwrap();
    assert!(
        shell
            .run("echo al''ive \"$HOME\" >/dev/null; echo al''ive")
            .unwrap()
            .contains("\nalive\n"),
        "a denial ends with its line"
    );
}
