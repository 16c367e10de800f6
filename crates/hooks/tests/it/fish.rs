//! An interactive fish, hooked, driven through a pseudo-terminal.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cmdai_schema::OriginKind;
use cmdai_schema::record::{Half, Record};
use cmdai_testkit::{Home, Pty, program, starts, texts};

use crate::support::{POLICY, ran, snapshot, with_programs};

/// Longest time until something is seen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fish at its first prompt. Each line that ran is followed by `<done STATUS>`.
pub(crate) struct Fish {
    pub(crate) home: Home,
    terminal: Pty,
}

/// A home with the policy, and the program that judges as a file of its own in it.
pub(crate) fn home() -> Home {
    let home = Home::new().unwrap();
    home.policy(POLICY).unwrap();
    with_programs(&home, &["frobnicate", "tickle", "deploy"]);
    home
}

fn own_program(home: &Home) -> PathBuf {
    let own = home.path().join("cmdai-program");
    let built = program().unwrap();
    if std::fs::hard_link(&built, &own).is_err() {
        std::fs::copy(&built, &own).unwrap();
    }
    own
}

/// `before` and `after` stand around the hook's line in the person's settings.
pub(crate) fn fish_in(
    home: Home,
    program: &Path,
    before: &str,
    after: &str,
    more: &[(&str, &str)],
) -> Fish {
    let paths = cmdai_hooks::Paths::of_program(program);
    let script = cmdai_hooks::fish::init_script(&paths);
    std::fs::write(home.path().join("init.fish"), script).unwrap();
    let settings = home.path().join(".config/fish");
    std::fs::create_dir_all(&settings).unwrap();
    let config = format!(
        "set -g fish_greeting\nset -g fish_autosuggestion_enabled 0\nset -gx PATH $HOME/bin $PATH\n\
         function fish_prompt; echo -n 'PROMPT> '; end\n\
         function done_with --on-event fish_postexec; echo \"<do\"\"ne $status>\"; end\n\
         for mode in default insert; bind -M $mode \\cx 'commandline -r \"\"; echo \"<clea\"\"red>\"'; end\n\
         {before}\ncat ~/init.fish | source\n{after}\n"
    );
    std::fs::write(settings.join("config.fish"), config).unwrap();
    let mut environment = home.environment();
    environment.retain(|(name, _)| name != "TERM");
    environment.push(("TERM".to_owned(), "dumb".to_owned()));
    environment.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let mut terminal = Pty::spawn(&["fish", "-i"], &home.work(), &environment).unwrap();
    terminal.wait_for_any(&["PROMPT> "], PATIENCE).unwrap();
    Fish { home, terminal }
}

fn fish(before: &str, after: &str) -> Fish {
    fish_in(home(), &program().unwrap(), before, after, &[])
}

impl Fish {
    fn wait(&mut self, texts: &[&str]) -> String {
        self.terminal.wait_for_any(texts, PATIENCE).unwrap()
    }

    /// Types a line that runs; gives what was shown until its end.
    pub(crate) fn run(&mut self, line: &str) -> String {
        self.terminal.send_line(line).unwrap();
        let shown = self.wait(&["<done "]);
        format!("{shown}{}", self.wait(&[">"]))
    }

    /// Types a line that is stopped, and takes it back.
    pub(crate) fn stopped(&mut self, line: &str) -> String {
        self.terminal.send_line(line).unwrap();
        let shown = self.wait(&["blocked", "<done "]);
        assert!(
            shown.contains("blocked"),
            "{line}: {}",
            self.terminal.screen()
        );
        self.clear();
        shown
    }

    /// Leaves the line that stands in the editor.
    fn clear(&mut self) {
        self.terminal.type_text("\u{18}").unwrap();
        self.wait(&["<cleared>"]);
    }

    pub(crate) fn says(&mut self, line: &str, text: &str) {
        let shown = self.run(line);
        assert!(shown.contains(text), "{line}: {}", self.terminal.screen());
    }

    /// The process that judges, as the shell knows it.
    fn server(&mut self) -> u32 {
        let shown = self.run("echo pro''cess=$__cmdai_ask,");
        let path = shown
            .split("process=/proc/")
            .nth(1)
            .unwrap_or_else(|| panic!("{}", self.terminal.screen()));
        path.split('/').next().unwrap().parse().unwrap()
    }

    /// Leaves, and gives the starts of what was recorded.
    pub(crate) fn records(mut self) -> Vec<Record> {
        self.terminal.send_line("exit 3").unwrap();
        assert_eq!(self.terminal.wait().unwrap(), 3);
        self.home.records().unwrap()
    }
}

fn kill(pid: u32) {
    let status = std::process::Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    gone(pid);
}

/// Waits until a process is gone, or has ended and waits for its parent.
fn gone(pid: u32) {
    let end = Instant::now() + PATIENCE;
    while Path::new(&format!("/proc/{pid}/exe")).exists() {
        assert!(Instant::now() < end, "process {pid} lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_is_allowed_runs_and_is_recorded_with_its_end() {
    let mut fish = fish("", "");
    fish.says("echo al''ive", "alive");
    fish.says("false", "<done 1>");
    fish.says("echo \"st $status\"", "st 1");
    fish.says(" echo spa''ced", "spaced");
    let server = fish.server();
    let records = fish.records();
    assert!(
        matches!(&records[0].half, Half::SessionStart { shell, origin } if shell.starts_with("fish ") && origin.kind == OriginKind::Human),
        "{records:?}"
    );
    let all = starts(&records);
    let texts: Vec<&str> = all.iter().map(|start| start.text.as_str()).collect();
    assert_eq!(
        texts[..4],
        [
            "echo al''ive",
            "false",
            "echo \"st $status\"",
            " echo spa''ced"
        ]
    );
    assert!(
        all.iter()
            .all(|start| start.allowed && start.shell == "fish")
    );
    assert!(all[0].tty.as_deref().unwrap().starts_with("/dev/pts/"));
    assert_eq!(all[0].parents[0].name, "fish");
    let ends: Vec<i32> = records
        .iter()
        .filter_map(|record| match record.half {
            Half::End { exit_code, .. } => Some(exit_code),
            _ => None,
        })
        .collect();
    assert_eq!(ends[..4], [0, 1, 0, 0]);
    assert_eq!(*ends.last().unwrap(), 3);
    assert!(matches!(records.last().unwrap().half, Half::SessionEnd));
    let counters: Vec<u64> = records.iter().map(|record| record.counter).collect();
    assert_eq!(counters, (1..=records.len() as u64).collect::<Vec<_>>());
    gone(server);
}

#[test]
fn a_denied_line_does_not_run_in_any_part_and_stays_to_be_mended() {
    let mut fish = fish("", "");
    let line = "touch ~/first; frobnicate --all; touch ~/last";
    fish.terminal.send_line(line).unwrap();
    let shown = fish.wait(&["why "]);
    assert!(
        shown.contains("blocked") && shown.contains("Frobnicating is not done here"),
        "{shown}"
    );
    fish.clear();
    fish.says("echo al''ive", "alive");
    for name in ["first", "last", "frobnicate-ran"] {
        assert!(!fish.home.path().join(name).exists(), "{name}");
    }
    // Mended where it stands: everything before the cursor goes, another command comes.
    fish.terminal.send_line("frobnicate").unwrap();
    fish.wait(&["why "]);
    fish.wait(&["PROMPT> "]);
    fish.terminal.type_text("\u{15}echo men''ded\r").unwrap();
    fish.wait(&["mended"]);
    let records = fish.records();
    let all = starts(&records);
    assert_eq!((all[0].text.as_str(), all[0].allowed), (line, false));
}

#[test]
fn a_question_is_asked_and_only_yes_runs_it() {
    let mut fish = fish("", "");
    fish.terminal.send_line("tickle").unwrap();
    fish.wait(&["run it? [y/N]"]);
    fish.terminal.type_text("n").unwrap();
    fish.clear();
    fish.says("echo al''ive", "alive");
    assert!(!ran(&fish.home, "tickle"));
    fish.terminal.send_line("tickle").unwrap();
    fish.wait(&["run it? [y/N]"]);
    fish.terminal.type_text("y").unwrap();
    fish.wait(&["tickle ran"]);
    fish.wait(&["<done 0>"]);
    let records = fish.records();
    let allowed: Vec<bool> = starts(&records)
        .iter()
        .filter(|start| start.text == "tickle")
        .map(|start| start.allowed)
        .collect();
    assert_eq!(allowed, [false, true]);
}

#[test]
fn a_command_over_several_lines_is_judged_as_a_whole() {
    let mut fish = fish("", "");
    fish.terminal
        .type_text("for x in 1 2\rtouch ~/looped\rfrobnicate $x\rend\r")
        .unwrap();
    fish.wait(&["why "]);
    fish.clear();
    fish.says("echo al''ive", "alive");
    assert!(!fish.home.path().join("looped").exists() && !ran(&fish.home, "frobnicate"));
    fish.terminal
        .type_text("for x in 1 2\recho \"turn\"-$x\rend\r")
        .unwrap();
    fish.wait(&["turn-2"]);
    let records = fish.records();
    let texts: Vec<&str> = starts(&records)
        .iter()
        .map(|start| start.text.as_str())
        .collect();
    assert!(texts[0].contains("frobnicate $x") && texts[0].contains("touch"));
    assert_eq!(texts[0].lines().count(), 4);
}

#[test]
fn functions_aliases_abbreviations_and_variables_are_seen_through() {
    let mut fish = fish(
        "function outer; echo x; inner now; end\nfunction inner -a what; frob\"\"nicate $what; end\n\
         alias frob='frobnicate --now'\nabbr -a fr 'frobnicate status'\n\
         set -g NAME frobnicate\nset -g WORDS sudo frobnicate now",
        "",
    );
    for hidden in [
        "outer",
        "frob",
        "echo a; fr",
        "$NAME --now",
        "$WORDS",
        "\u{c}inner x",
    ] {
        fish.stopped(hidden);
    }
    // What is not the person's own is not in the way.
    fish.says("ls; cd ..; echo al''ive", "alive");
    assert!(!ran(&fish.home, "frobnicate"));
}

#[test]
fn vi_mode_and_other_bindings_of_enter_go_on() {
    let mut fish = fish(
        "fish_vi_key_bindings",
        "function mine; echo min''e; commandline -f execute; end\nbind -M insert \\r mine",
    );
    fish.stopped("frobnicate");
    fish.terminal.send_line("echo al''ive").unwrap();
    fish.wait(&["mine"]);
    fish.wait(&["alive"]);
    assert!(!ran(&fish.home, "frobnicate"));
}

#[test]
fn what_runs_without_having_been_asked_about_is_recorded() {
    let mut fish = fish("bind \\cg 'commandline -f execute'", "");
    fish.terminal.type_text("frobnicate --past\u{7}").unwrap();
    fish.wait(&["not judged before it ran"]);
    fish.wait(&["<done 0>"]);
    let records = fish.records();
    let all = starts(&records);
    assert_eq!(
        (
            all[0].text.as_str(),
            all[0].allowed,
            all[0].policy.violated_rules[0].as_str()
        ),
        ("frobnicate --past", true, "test.frobnicate")
    );
}

#[test]
fn a_process_that_died_is_started_again_and_the_second_time_only_records() {
    let mut fish = fish("", "");
    let first = fish.server();
    kill(first);
    fish.terminal.send_line("frobnicate").unwrap();
    fish.wait(&["starting it again"]);
    fish.wait(&["why "]);
    fish.clear();
    assert!(!ran(&fish.home, "frobnicate"));
    let second = fish.server();
    assert_ne!(first, second);
    kill(second);
    fish.terminal.send_line("frobnicate").unwrap();
    fish.wait(&["<done 0>"]);
    assert!(ran(&fish.home, "frobnicate"));
    let records = fish.records();
    assert!(
        starts(&records)
            .iter()
            .any(|start| start.policy.violated_rules == ["gate.hook-crashed"]),
        "{records:?}"
    );
}

#[test]
fn a_program_that_is_gone_locks_nobody_out() {
    let home = home();
    let program = own_program(&home);
    let mut fish = fish_in(home, &program, "", "", &[]);
    fish.stopped("frobnicate");
    let server = fish.server();
    std::fs::remove_file(&program).unwrap();
    kill(server);
    fish.terminal.send_line("echo al''ive").unwrap();
    fish.wait(&["neither judged nor recorded"]);
    fish.wait(&["alive"]);
    fish.wait(&["<done 0>"]);
    fish.says("echo ag''ain", "again");
}

#[test]
fn a_program_that_is_gone_stops_all_where_policy_fails_closed() {
    let home = home();
    home.policy(&POLICY.replacen("rules:", "fail_mode: closed\nrules:", 1))
        .unwrap();
    let program = own_program(&home);
    let mut fish = fish_in(home, &program, "", "", &[]);
    fish.says("echo al''ive", "alive");
    let server = fish.server();
    let away = program.with_extension("away");
    std::fs::rename(&program, &away).unwrap();
    kill(server);
    for _ in 0..2 {
        fish.terminal.send_line("touch ~/ran-anyway").unwrap();
        fish.wait(&["fail closed"]);
        fish.clear();
    }
    assert!(!fish.home.path().join("ran-anyway").exists());
    // It is there again.
    std::fs::rename(&away, &program).unwrap();
    fish.says("echo ag''ain", "again");
    std::fs::rename(&program, &away).unwrap();
    let server = fish.server();
    kill(server);
    fish.terminal.send_line("exit 7").unwrap();
    assert_eq!(fish.terminal.wait().unwrap(), 7);
}

#[test]
fn a_hook_that_crashes_stops_one_line_and_then_records() {
    let mut fish = fish_in(
        home(),
        &program().unwrap(),
        "",
        "",
        &[("CMDAI_TEST_FAULT", "hook")],
    );
    fish.terminal.send_line("echo al''ive").unwrap();
    fish.wait(&["internal error"]);
    fish.clear();
    fish.terminal.send_line("echo al''ive").unwrap();
    fish.wait(&["failed twice in this shell"]);
    fish.wait(&["alive"]);
    fish.wait(&["<done 0>"]);
    fish.says("echo ag''ain", "again");
}

#[test]
fn without_its_line_the_next_shell_has_nothing_of_it() {
    let mut first = fish("", "");
    first.says("echo al''ive", "alive");
    let config = first.home.path().join(".config/fish/config.fish");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("cat ~/init.fish | source", "")).unwrap();
    let mut environment = first.home.environment();
    environment.push(("TERM".to_owned(), "dumb".to_owned()));
    let terminal = Pty::spawn(&["fish", "-i"], &first.home.work(), &environment).unwrap();
    first.terminal = terminal;
    let mut next = first;
    next.says("frobnicate", "frobnicate ran");
    next.says(
        "echo left=(begin; functions -a; set -n; end | string match '*cmdai*' | count)",
        "left=0",
    );
    next.says("bind \\r", "preset");
}

#[test]
fn a_governed_shell_enforces_and_spools_without_a_sensor() {
    let home = Home::new().unwrap();
    with_programs(&home, &["frobnicate", "deploy"]);
    home.govern(&snapshot()).unwrap();
    let mut fish = fish_in(home, &program().unwrap(), "", "", &[]);
    fish.stopped("frobnicate");
    fish.terminal.send_line("deploy").unwrap();
    fish.wait(&["no approval can be asked for"]);
    fish.clear();
    fish.says("echo al''ive", "alive");
    assert!(!ran(&fish.home, "frobnicate") && !ran(&fish.home, "deploy"));
    let spooled = fish.home.spooled().unwrap();
    let all = starts(&spooled);
    assert_eq!(
        (
            all[0].text.as_str(),
            all[0].allowed,
            all[0].policy.policy_version.as_str()
        ),
        ("frobnicate", false, "41")
    );
}

/// What a line asks for is an answer: it may look like anything, and it may be a password.
#[test]
fn an_answer_to_a_line_that_runs_is_neither_judged_nor_recorded() {
    let mut fish = fish(
        "function ask; read -P 'word? ' word; set -g word $word; end",
        "",
    );
    for (line, answer) in [
        ("read -g -P 'wo''rd? ' word", "frobnicate now"),
        ("ask", "hunter2-answer"),
        ("read -s -g -P 'wo''rd? ' word", "hunter3-answer"),
    ] {
        fish.terminal.send_line(line).unwrap();
        fish.wait(&["word? "]);
        let shown = fish.run(answer);
        assert!(!shown.contains("cmdai"), "{shown}");
        fish.says("echo \"<$word>\"", &format!("<{answer}>"));
    }
    fish.stopped("frobnicate");
    assert!(!ran(&fish.home, "frobnicate"));
    let records = fish.records();
    let answers = ["frobnicate now", "hunter2-answer", "hunter3-answer"];
    assert!(
        !starts(&records)
            .iter()
            .any(|start| answers.iter().any(|answer| start.text.contains(answer))),
        "{records:?}"
    );
}

/// Enter in a list of completions only takes what is picked: the line is recorded once, when it runs.
#[test]
fn a_line_picked_from_a_list_is_recorded_once() {
    let home = home();
    for name in ["alpha1", "alpha2", "alpha3"] {
        std::fs::write(home.work().join(name), "").unwrap();
    }
    let more = [("TERM", "xterm")];
    let mut fish = fish_in(home, &program().unwrap(), "", "", &more);
    fish.terminal.type_text("echo alp\t").unwrap();
    fish.wait(&["3"]);
    fish.terminal.type_text("\t").unwrap();
    fish.terminal.type_text("\r").unwrap();
    fish.terminal.type_text("\r").unwrap();
    fish.wait(&["<done 0>"]);
    // The list is there and nothing is picked: Enter runs the line.
    fish.terminal.type_text("frobnicate alp\t").unwrap();
    fish.wait(&["3"]);
    fish.terminal.type_text("\r").unwrap();
    fish.wait(&["blocked"]);
    fish.clear();
    assert!(!ran(&fish.home, "frobnicate"));
    let records = fish.records();
    let seen: Vec<(&str, bool)> = starts(&records)
        .iter()
        .map(|start| (start.text.trim(), start.allowed))
        .collect();
    assert_eq!(
        seen[..2],
        [("echo alpha1", true), ("frobnicate alpha", false)],
        "{seen:?}"
    );
}

/// For `docs/bypasses.md`: who binds Enter themselves has one line unasked; it is recorded, and then Enter is
/// the hook's again.
#[test]
fn a_person_who_binds_enter_has_one_line_unasked() {
    let mut fish = fish("", "");
    fish.stopped("frobnicate");
    fish.run("for mode in default insert; bind -M $mode \\r 'commandline -f execute'; end");
    fish.terminal.send_line("frobnicate --rebound").unwrap();
    fish.wait(&["not judged before it ran"]);
    fish.wait(&["<done 0>"]);
    assert!(ran(&fish.home, "frobnicate"));
    std::fs::remove_file(fish.home.path().join("frobnicate-ran")).ok();
    fish.stopped("frobnicate --again");
    let records = fish.records();
    let all = starts(&records);
    assert!(
        all.iter()
            .any(|start| start.text == "frobnicate --rebound" && start.allowed),
        "{all:?}"
    );
    assert!(
        all.iter()
            .any(|start| start.text == "frobnicate --again" && !start.allowed),
        "{all:?}"
    );
}

/// The same: a line cannot set the mark that one runs, for it is gone when the line has ended; a start file can.
#[test]
fn a_start_file_that_marks_a_line_as_running_has_one_line_unasked() {
    let mut fish = fish("", "set -g __cmdai_runs");
    fish.terminal.send_line("frobnicate --marked").unwrap();
    fish.wait(&["not judged before it ran"]);
    fish.wait(&["<done 0>"]);
    fish.stopped("frobnicate --again");
    let records = fish.records();
    let seen: Vec<(&str, bool)> = starts(&records)
        .iter()
        .map(|start| (start.text.as_str(), start.allowed))
        .collect();
    assert_eq!(
        seen[..2],
        [("frobnicate --marked", true), ("frobnicate --again", false)]
    );
}

/// For `docs/bypasses.md`: a line that erases the integration's functions is denied, a start file is not asked.
#[test]
fn a_start_file_that_erases_the_functions_leaves_a_shell_unseen() {
    let mut hooked = fish("", "");
    hooked.stopped("functions -e __cmdai_enter __cmdai_preexec");
    hooked.stopped("set -e __cmdai_closed");
    let mut fish = fish(
        "",
        "functions -e __cmdai_first __cmdai_preexec __cmdai_postexec",
    );
    fish.says("frobnicate --unseen; echo a''fter", "after");
    assert!(ran(&fish.home, "frobnicate"));
    let records = fish.records();
    assert!(starts(&records).is_empty(), "{records:?}");
}

/// For `docs/bypasses.md`: that the policy fails closed is a variable of the person's own shell.
#[test]
fn a_start_file_that_unsets_the_closed_mark_opens_a_shell_without_its_program() {
    let home = home();
    home.policy(&POLICY.replacen("rules:", "fail_mode: closed\nrules:", 1))
        .unwrap();
    let program = own_program(&home);
    let open = "function opened --on-event fish_preexec; set -e __cmdai_closed; end";
    let mut fish = fish_in(home, &program, "", open, &[]);
    fish.says("echo al''ive", "alive");
    let server = fish.server();
    std::fs::rename(&program, program.with_extension("away")).unwrap();
    kill(server);
    fish.terminal.send_line("touch ~/ran-anyway").unwrap();
    fish.wait(&["neither judged nor recorded"]);
    fish.wait(&["<done 0>"]);
    assert!(fish.home.path().join("ran-anyway").exists());
}

#[test]
fn private_mode_holds_from_the_next_line_on_and_ends_with_its_shell() {
    let home = home();
    std::os::unix::fs::symlink(program().unwrap(), home.path().join("bin/cmdai")).unwrap();
    let mut fish = fish_in(home, &program().unwrap(), "", "", &[]);
    fish.run("echo before");
    fish.says("cmdai private on", "private mode is on in this shell");
    fish.run("echo sheltered one; echo sheltered two | cat");
    // Rules hold as ever.
    fish.stopped("frobnicate sheltered");
    fish.run("cmdai private off");
    fish.run("echo after");
    fish.run("cmdai private on");
    fish.run("echo sheltered three");
    let state = fish.home.state();
    assert!(state.join("private").exists());
    fish.terminal.send_line("exit 3").unwrap();
    assert_eq!(fish.terminal.wait().unwrap(), 3);
    // The process beside it leaves when it hears that the shell has: then the mode is over.
    let begun = Instant::now();
    while state.join("private").exists() {
        assert!(begun.elapsed() < PATIENCE, "still private");
        std::thread::sleep(Duration::from_millis(10));
    }
    let history = std::fs::read_to_string(state.join("history.c1")).unwrap();
    assert!(!history.contains("sheltered"), "{history}");
    let records = fish.home.records().unwrap();
    let texts = texts(&records);
    assert!(texts.contains(&("echo before", false)), "{texts:?}");
    assert!(texts.contains(&("echo after", false)), "{texts:?}");
    assert!(texts.iter().filter(|text| **text == ("", true)).count() >= 3);
    let stopped = starts(&records)
        .into_iter()
        .find(|start| start.private && !start.allowed)
        .unwrap();
    assert_eq!(stopped.policy.violated_rules, ["test.frobnicate"]);
}
