//! Real starship and atuin in hooked shells, before and after us.
//!
//! Ignored by default, because both take minutes to build: `cargo xtask companions` installs them and runs
//! these tests. One that is not installed is a failure here, never a pass.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cmdai_testkit::companions::{COMPANIONS, folder};
use cmdai_testkit::{Home, Pty, program, texts};

use crate::fish;
use crate::support::{POLICY, bash, home, ran, starts, status, zsh, zsh_home};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where both are.
fn programs() -> PathBuf {
    let programs = folder().join("bin");
    for companion in COMPANIONS {
        assert!(
            programs.join(companion.name).exists(),
            "{} is missing: cargo xtask companions",
            companion.name
        );
    }
    programs
}

/// What a person's start-up file says for both.
fn both(shell: &str) -> String {
    let programs = programs();
    format!(
        "PATH={}:$PATH\nexport STARSHIP_CONFIG=$HOME/starship.toml\n\
         eval \"$(starship init {shell})\"\neval \"$(atuin init {shell})\"\n",
        programs.display()
    )
}

fn settings(home: &Home) {
    home.policy(POLICY).unwrap();
    // The prompt that the tests wait for, and a history that asks nobody outside.
    std::fs::write(
        home.path().join("starship.toml"),
        "add_newline = false\nformat = \"PROMPT> \"\n",
    )
    .unwrap();
    let folder = home.path().join(".config/atuin");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("config.toml"),
        "auto_sync = false\nupdate_check = false\n",
    )
    .unwrap();
}

/// Lines run and are blocked, statuses are what they were, and everybody has recorded each line once.
fn works(home: &Home, mut shell: Pty, clear: &str) {
    let shown = shell.run("echo fir''st").unwrap();
    assert!(shown.contains("first\n"), "{shown}");
    shell.run("(exit 7)").unwrap();
    assert_eq!(status(&mut shell), "7");
    for line in [
        "frobnicate --all",
        "touch ~/first; frobnicate; touch ~/last",
    ] {
        let shown = shell.run(line).unwrap();
        assert!(
            shown.contains("Frobnicating is not done here"),
            "{line}: {shown}"
        );
        shell.type_text(clear).unwrap();
    }
    assert!(!ran(home, "frobnicate") && !home.path().join("first").exists());
    let shown = shell.run("echo la''st").unwrap();
    assert!(shown.contains("last\n"), "{shown}");
    shell.send_line("exit 3").unwrap();
    assert_eq!(shell.wait().unwrap(), 3);
    in_atuin(home);
    let records = home.records().unwrap();
    let seen = starts(&records);
    for (line, allowed) in [
        ("echo fir''st", true),
        ("(exit 7)", true),
        ("frobnicate --all", false),
        ("echo la''st", true),
    ] {
        let found: Vec<_> = seen.iter().filter(|(text, _)| *text == line).collect();
        assert_eq!(found, [&(line, allowed)], "{seen:?}");
    }
}

/// Its own history has each line that ran. It writes the end of a line behind the shell's back, so the last
/// one may take a moment.
fn in_atuin(home: &Home) {
    let begun = Instant::now();
    let theirs = loop {
        let mut list = std::process::Command::new(folder().join("bin/atuin"));
        list.args(["history", "list", "--cmd-only"])
            .env_clear()
            .envs(home.environment())
            .env("ATUIN_SESSION", "0190b5a87c1e70008000000000000000");
        let listed = String::from_utf8(list.output().unwrap().stdout).unwrap();
        if listed.contains("la''st") || begun.elapsed() > PATIENCE {
            break listed;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    for (line, times) in [
        ("echo fir''st", 1),
        ("echo la''st", 1),
        ("frobnicate --all", 0),
    ] {
        let found = theirs.lines().filter(|listed| *listed == line);
        assert_eq!(found.count(), times, "{line}: {theirs}");
    }
}

#[test]
#[ignore = "cargo xtask companions"]
fn bash_with_starship_and_atuin() {
    let theirs = both("bash");
    for (before, after) in [(theirs.as_str(), ""), ("", theirs.as_str())] {
        let home = home(before, after);
        settings(&home);
        works(&home, bash(&home), "");
    }
}

#[test]
#[ignore = "cargo xtask companions"]
fn zsh_with_starship_and_atuin() {
    let theirs = both("zsh");
    for (before, after) in [(theirs.as_str(), ""), ("", theirs.as_str())] {
        let home = zsh_home(before, after);
        settings(&home);
        works(&home, zsh(&home), crate::zsh::CLEAR);
    }
}

#[test]
#[ignore = "cargo xtask companions"]
fn fish_with_starship_and_atuin() {
    let theirs = format!(
        "set -gx PATH {} $PATH\nset -gx STARSHIP_CONFIG $HOME/starship.toml\n\
         starship init fish | source\natuin init fish | source\n",
        programs().display()
    );
    for (before, after) in [(theirs.as_str(), ""), ("", theirs.as_str())] {
        let home = fish::home();
        settings(&home);
        let mut shell = fish::fish_in(
            home,
            &program().unwrap(),
            before,
            after,
            &[("TERM", "xterm")],
        );
        shell.says("echo fir''st", "first\n");
        shell.says("sh -c 'exit 7'", "<done 7");
        let shown = shell.stopped("frobnicate --all");
        assert!(shown.contains("blocked"), "{shown}");
        shell.says("echo la''st", "last\n");
        assert!(!ran(&shell.home, "frobnicate"));
        in_atuin(&shell.home);
        let records = shell.records();
        let seen = texts(&records);
        for line in ["echo fir''st", "frobnicate --all", "echo la''st"] {
            let found = seen.iter().filter(|(text, _)| *text == line);
            assert_eq!(found.count(), 1, "{seen:?}");
        }
    }
}
