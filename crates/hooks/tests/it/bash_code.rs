//! Code of other languages in a live bash: the module asks a reader beside it, and believes nothing where
//! that does not answer.

use std::time::{Duration, Instant};

use cmdai_testkit::Pty;

use crate::support::{bash, home, home_with_reader};

/// Longest time until the prompt is back on a busy machine, for a reader that never answers. It has a
/// second; the rest is room for the machine.
const PATIENCE: Duration = Duration::from_secs(8);

fn has_python() -> bool {
    std::path::Path::new("/usr/bin/python3").exists()
}

/// Sends a line; a question is answered with no. True where it was asked about or blocked.
fn interrupted(shell: &mut Pty, line: &str) -> bool {
    shell.send_line(line).unwrap();
    let shown = shell
        .wait_for_any(&["run it? [y/N]", "PROMPT> "], Duration::from_secs(30))
        .unwrap();
    if shown.contains("run it? [y/N]") {
        shell.type_text("n").unwrap();
        shell.wait_for("PROMPT> ").unwrap();
        return true;
    }
    shown.contains("blocked")
}

/// Nothing of these may happen. The place does not exist; one of the test's own lies in `/tmp`, where
/// deleting is calm.
fn dangerous(victim: &str) -> [String; 4] {
    [
        format!("python3 -c \"import shutil; shutil.rmtree('{victim}')\""),
        format!(
            "python3 -c 'import os; f = getattr(os, \"sys\" + \"tem\"); f(\"rm -rf {victim}\")'"
        ),
        format!("perl -MFile::Path=rmtree -e 'rmtree(\"{victim}\")'"),
        format!("ruby -rfileutils -e 'FileUtils.rm_rf \"{victim}\"'"),
    ]
}

#[test]
fn code_is_seen_through() {
    cmdai_testkit::program().unwrap();
    let home = home("", "");
    let victim = home.path().join("letters");
    std::fs::create_dir_all(victim.join("inner")).unwrap();
    let mut shell = bash(&home);
    for line in dangerous("/home/x")
        .iter()
        .chain(&dangerous("/home/x/letters"))
    {
        assert!(interrupted(&mut shell, line), "{line}: {}", shell.screen());
        assert!(victim.join("inner").exists(), "{line}");
    }
    if has_python() {
        let shown = shell.run("python3 -c 'print(\"pri\" + \"nted\")'").unwrap();
        assert!(
            shown.contains("\nprinted\n") && !shown.contains("cmdai"),
            "{shown}"
        );
    }
    // The reader is no job of the shell, whose own children keep their status.
    let shown = shell
        .run("(sleep 0.1; exit 7) & python3 -c 'print(1)' || :; wait $!; echo \"job <$?>\"")
        .unwrap();
    assert!(shown.contains("job <7>"), "{shown}");
}

#[test]
fn a_reader_that_is_missing_or_broken_makes_nothing_harmless() {
    for reader in [
        None,
        Some("#!/bin/sh\nexit 1\n"),
        Some("#!/bin/sh\necho '{}'\n"),
    ] {
        let home = home_with_reader(reader);
        let victim = home.path().join("letters");
        std::fs::create_dir_all(&victim).unwrap();
        let mut shell = bash(&home);
        for line in dangerous("/home/x/letters") {
            assert!(
                interrupted(&mut shell, &line),
                "{reader:?} {line}: {}",
                shell.screen()
            );
            assert!(victim.exists(), "{line}");
        }
        if has_python() {
            let shown = shell.run("python3 -c 'print(\"pri\" + \"nted\")'").unwrap();
            assert!(shown.contains("\nprinted\n"), "{shown}");
            assert!(
                shown.contains("cmdai"),
                "not told that nobody has read it: {shown}"
            );
        }
    }
}

#[test]
fn a_reader_that_never_answers_has_its_second_once() {
    let home = home_with_reader(Some("#!/bin/sh\nexec sleep 600\n"));
    let victim = home.path().join("letters");
    std::fs::create_dir_all(&victim).unwrap();
    let mut shell = bash(&home);
    // Many pieces of code in a line wait no longer than one.
    let many = dangerous("/home/x/letters").join("; ");
    let more: String = (0..12)
        .map(|n| format!("python3 -c 'print({n})'; "))
        .collect();
    let started = Instant::now();
    let line = format!("{more}{many}");
    assert!(interrupted(&mut shell, &line), "{}", shell.screen());
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    assert!(victim.exists());
    assert!(shell.run("echo al''ive").unwrap().contains("\nalive\n"));
}
