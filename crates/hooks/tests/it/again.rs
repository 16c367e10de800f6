//! Lines that a shell was given before: judged by what holds now, and recorded each time.

use cmdai_schema::record::Half;
use cmdai_testkit::{Home, Pty};

use crate::support::{POLICY, bash, home, ran, starts, zsh, zsh_home};
use crate::zsh::CLEAR;

const OTHER: &str = r#"version: "1.0"
rules:
  - id: test.anything
    when: { program: anything }
    decision: deny
    reason: "Not today"
"#;

/// What is seen of each shell.
fn what_comes_again(home: &Home, shell: &mut Pty, clear: &str) {
    home.policy(POLICY).unwrap();
    let mut fine = 0;
    let mut often = |shell: &mut Pty, line: &str| {
        for _ in 0..4 {
            let shown = shell.run(line).unwrap();
            assert!(!shown.contains("blocked"), "{line}: {shown}");
            fine += 1;
        }
    };
    let stopped = |shell: &mut Pty, line: &str| {
        let shown = shell.run(line).unwrap();
        assert!(shown.contains("blocked"), "{line}: {shown}");
        shell.type_text(clear).unwrap();
    };
    std::fs::create_dir_all(home.work().join("build")).unwrap();
    std::fs::create_dir_all(home.path().join("keys")).unwrap();
    for set_up in [
        "alias short='true now'",
        "deed() { true now; }",
        "NAME=true",
    ] {
        shell.run(set_up).unwrap();
    }
    for line in ["short", "deed", "$NAME now", "true anything"] {
        often(shell, line);
    }
    for (change, line) in [
        ("alias short='frobnicate now'", "short"),
        ("deed() { frob''nicate now; }", "deed"),
        ("NAME=frobnicate", "$NAME now"),
    ] {
        // Setting such a trap up may itself be stopped: then the line stays harmless, which is fine too.
        let shown = shell.run(change).unwrap();
        if shown.contains("blocked") {
            shell.type_text(clear).unwrap();
            continue;
        }
        stopped(shell, line);
    }
    often(shell, "anything --now || true");
    home.policy(OTHER).unwrap();
    stopped(shell, "anything --now || true");
    home.policy(POLICY).unwrap();
    often(shell, "anything --now || true");
    assert!(!ran(home, "frobnicate"));

    shell.send_line("exit").unwrap();
    shell.wait().unwrap();
    let records = home.records().unwrap();
    let counters: Vec<u64> = records.iter().map(|record| record.counter).collect();
    assert_eq!(counters, (1..=records.len() as u64).collect::<Vec<_>>());
    let begun = starts(&records);
    for line in ["short", "deed", "$NAME now", "true anything"] {
        let times = begun.iter().filter(|start| **start == (line, true)).count();
        assert_eq!(times, 4, "{line}");
    }
    let mut ids: Vec<&str> = Vec::new();
    for record in &records {
        if let Half::Start(start) = &record.half {
            assert!(!ids.contains(&start.command_id.as_str()), "{ids:?}");
            ids.push(&start.command_id);
        }
    }
    assert!(fine >= 24);
}

#[test]
fn lines_that_come_again_in_bash() {
    let home = home("", "");
    let mut shell = bash(&home);
    what_comes_again(&home, &mut shell, "");
}

#[test]
fn lines_that_come_again_in_zsh() {
    let home = zsh_home("", "");
    let mut shell = zsh(&home);
    what_comes_again(&home, &mut shell, CLEAR);
}

/// Files that a line can read its words from, so that they cannot be known before it runs.
fn words(home: &Home) {
    let file = |name: &str, text: &str| std::fs::write(home.work().join(name), text).unwrap();
    file("name", "NAME=frobnicate\n");
    file("function", "deed() { frob''nicate now; }\n");
    file("fine", "NAME=true\n");
}

/// What a forked shell knows from before is looked at anew in it, and what it learns stays there.
fn forks(home: &Home, shell: &mut Pty, clear: &str) {
    home.policy(POLICY).unwrap();
    words(home);
    let run = |shell: &mut Pty, line: &str| {
        let shown = shell.run(line).unwrap();
        if shown.contains("blocked") {
            shell.type_text(clear).unwrap();
        }
        shown
    };
    for set_up in ["deed() { true now; }", "NAME=true"] {
        run(shell, set_up);
    }
    for line in ["$NAME now", "deed"].repeat(4) {
        assert!(!run(shell, line).contains("blocked"), "{line}");
    }
    // Each of these forks; the part is a line that is known to be harmless.
    for line in [
        "(. ./name; $NAME now)",
        "{ . ./name; $NAME now; } & wait",
        "echo \"$(. ./name; $NAME now)\"",
        ". ./name | true; (. ./name; eval '$NAME now') | cat",
        "(. ./function; deed)",
        "{ . ./function; deed; } & wait",
        "echo \"$(. ./function; deed)\"",
    ] {
        run(shell, line);
        assert!(!ran(home, "frobnicate"), "{line}: {}", shell.screen());
    }
    // The parent's own are what they were.
    for line in ["$NAME now", "deed"] {
        assert!(!run(shell, line).contains("blocked"), "{line}");
    }
    // The other way round: harmless in a fork only.
    run(shell, "(. ./fine; $NAME now; $NAME now; $NAME now)");
    run(shell, ". ./name");
    run(shell, "(. ./fine; $NAME now; $NAME now; $NAME now)");
    let shown = run(shell, "$NAME now");
    assert!(shown.contains("blocked"), "{shown}");
    assert!(!ran(home, "frobnicate"));
    shell.send_line("exit").unwrap();
    shell.wait().unwrap();
}

#[test]
fn a_forked_bash_looks_at_what_its_parent_knew() {
    let home = home("", "");
    let mut shell = bash(&home);
    forks(&home, &mut shell, "");
}

#[test]
fn a_forked_zsh_looks_at_what_its_parent_knew() {
    let home = zsh_home("", "");
    let mut shell = zsh(&home);
    forks(&home, &mut shell, CLEAR);
}

/// A policy that changes while a fork waits holds for what the fork does next.
#[test]
fn a_forked_bash_follows_the_policy() {
    let home = home("", "");
    let mut shell = bash(&home);
    home.policy(OTHER).unwrap();
    words(&home);
    let made = std::process::Command::new("mkfifo")
        .arg(home.work().join("gate"))
        .status()
        .unwrap();
    assert!(made.success());
    shell.run("NAME=frobnicate").unwrap();
    for _ in 0..4 {
        assert!(!shell.run("$NAME now").unwrap().contains("blocked"));
        std::fs::remove_file(home.path().join("frobnicate-ran")).unwrap();
    }
    // What a literal line will do was judged with it; this is known only when it runs.
    shell
        .run("(read -r go <gate; . ./name; $NAME now) &")
        .unwrap();
    home.policy(POLICY).unwrap();
    shell.run("echo now >gate; wait").unwrap();
    assert!(!ran(&home, "frobnicate"), "{}", shell.screen());
}
