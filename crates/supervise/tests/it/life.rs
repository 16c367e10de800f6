//! Beginning, end and signals: a tree behaves as its program would alone.

use std::os::unix::process::ExitStatusExt as _;

use cmdai_testkit::Pty;

use crate::support::{cmdai, home, of, run, script, starts, there, wait_for};

#[test]
fn the_end_is_passed_through() {
    let Some(home) = home() else { return };
    assert_eq!(run(&home, &["sh", "-c", "exit 7"]).code, Some(7));
    let ran = run(&home, &["sh", "-c", "kill -TERM $$"]);
    assert_eq!(ran.output.status.signal(), Some(15), "{}", ran.said);
    let ran = run(&home, &["no-such-program"]);
    assert_ne!(ran.code, Some(0));
    assert!(
        ran.said.contains("cannot be started: No such file"),
        "{}",
        ran.said
    );
    // Standard streams are the program's own.
    let ran = crate::support::run_with(&home, &["cat"], "through");
    assert_eq!((ran.printed.as_str(), ran.said.as_str()), ("through", ""));
}

#[test]
fn starts_that_the_kernel_refuses_keep_its_reason() {
    let Some(home) = home() else { return };
    std::fs::write(home.work().join("data"), "no program").unwrap();
    script(&home, "no-first-line", "echo ran\n");
    script(&home, "bad-interpreter", "#!/no/such/interpreter\n");
    script(
        &home,
        "work.sh",
        "./missing; echo \"<$?>\"; ./data; echo \"<$?>\"; ./no-first-line; ./bad-interpreter; echo \"<$?>\"\n",
    );
    let ran = run(&home, &["bash", "work.sh"]);
    assert!(
        ran.printed.starts_with("<127>\n<126>\nran\n<12"),
        "{} {}",
        ran.printed,
        ran.said
    );
    assert!(
        ran.said.contains("No such file or directory"),
        "{}",
        ran.said
    );
    assert!(ran.said.contains("Permission denied"), "{}", ran.said);
}

#[test]
fn what_the_program_leaves_behind_stays_supervised() {
    let Some(home) = home() else { return };
    script(
        &home,
        "daemon.sh",
        "exec >/dev/null 2>&1 </dev/null\nwhile [ ! -e go ]; do sleep 0.05; done\ntouch forbidden\ntouch fine\n",
    );
    let ran = run(&home, &["sh", "-c", "setsid sh daemon.sh & exit 4"]);
    assert_eq!(ran.code, Some(4), "{}", ran.said);
    assert!(!there(&home, "fine"));
    std::fs::write(home.work().join("go"), "").unwrap();
    wait_for(&home, "fine");
    assert!(!there(&home, "forbidden"));
    assert!(!of(&starts(&home), "touch forbidden")[0].allowed);
}

#[test]
fn without_its_supervisor_nothing_more_starts() {
    let Some(home) = home() else { return };
    // The parent of the tree's program is the supervisor.
    script(
        &home,
        "work.sh",
        "kill -9 $PPID\nuntil [ \"$(cut -d' ' -f4 </proc/$$/stat 2>/dev/null)\" != \"$PPID\" ]; do :; done\ntouch late\necho \"<$?>\"\nexit 9\n",
    );
    let ran = run(&home, &["bash", "work.sh"]);
    assert!(!there(&home, "late"), "{}", ran.said);
    assert_eq!(ran.code, Some(9), "{} {}", ran.said, ran.printed);
    assert!(
        ran.said.contains("supervisor of this tree was killed"),
        "{}",
        ran.said
    );
}

#[test]
fn signals_reach_the_program() {
    let Some(home) = home() else { return };
    script(
        &home,
        "work.sh",
        "trap 'echo got; exit 21' USR1\ntouch ready\nwhile :; do sleep 0.05; done\n",
    );
    let child = cmdai(&home, &["run", "--", "bash", "work.sh"])
        .spawn()
        .unwrap();
    wait_for(&home, "ready");
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::USR1).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(21));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "got\n");
}

#[test]
fn keys_of_a_terminal_stop_continue_and_end_a_tree() {
    let Some(home) = home() else { return };
    let rc = home.path().join("rc");
    std::fs::write(&rc, "PS1='PROMPT> '\n").unwrap();
    let mut shell = Pty::bash(&rc, &home.work(), &home.environment()).unwrap();
    let program = cmdai_testkit::program().unwrap();
    script(
        &home,
        "work.sh",
        "trap 'echo again' CONT\necho begun\nwhile :; do sleep 0.1; done\n",
    );
    shell
        .send_line(&format!("{} run -- bash work.sh", program.display()))
        .unwrap();
    shell.wait_for("begun").unwrap();
    shell.type_text("\u{1a}").unwrap();
    shell.wait_for("Stopped").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    shell.send_line("fg").unwrap();
    shell.wait_for("again").unwrap();
    shell.type_text("\u{3}").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    let status = shell.run("echo \"<$?>\"").unwrap();
    assert!(status.contains("<130>"), "{status}");
}

#[test]
fn an_interactive_shell_has_the_terminal_and_gives_it_back() {
    let Some(home) = home() else { return };
    let rc = home.path().join("rc");
    std::fs::write(&rc, "PS1='PROMPT> '\n").unwrap();
    let mut shell = Pty::bash(&rc, &home.work(), &home.environment()).unwrap();
    let program = cmdai_testkit::program().unwrap();
    shell
        .send_line(&format!(
            "PS1='INNER> ' {} run -- bash --norc -i",
            program.display()
        ))
        .unwrap();
    shell.wait_for("INNER> ").unwrap();
    shell.send_line("touch forbidden").unwrap();
    shell.wait_for("test.forbidden").unwrap();
    shell.wait_for("INNER> ").unwrap();
    shell
        .send_line("sh -c 'echo up$((1+1)); while :; do :; done'")
        .unwrap();
    // No program starts after this word: dash drops a key that comes between its vfork and the exec.
    shell.wait_for("up2").unwrap();
    // The prompt comes back because the key ended the inner job alone.
    shell.type_text("\u{3}").unwrap();
    shell.wait_for("INNER> ").unwrap();
    shell.send_line("exit 6").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    assert!(shell.run("echo \"<$?>\"").unwrap().contains("<6>"));
    assert!(!there(&home, "forbidden"));
}
