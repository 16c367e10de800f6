//! What is judged, said and recorded.

use cmdai_schema::OriginKind;
use cmdai_testkit::Pty;

use crate::support::{home, of, run, run_with, script, starts, there};

#[test]
fn a_start_is_judged_refused_and_recorded() {
    let Some(home) = home() else { return };
    script(
        &home,
        "work.sh",
        "touch fine\ntouch forbidden\necho \"<$?>\"\ntouch question\necho \"<$?>\"\n",
    );
    let ran = run(&home, &["sh", "work.sh"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    assert_eq!(ran.printed, "<126>\n<126>\n", "{}", ran.said);
    assert!(there(&home, "fine") && !there(&home, "forbidden") && !there(&home, "question"));
    assert!(ran.said.contains("Operation not permitted"), "{}", ran.said);
    for word in ["test.forbidden", "forbidden here", "why     cmdai why "] {
        assert!(ran.said.contains(word), "{word}: {}", ran.said);
    }
    // A shell that looks for the program in several folders is told once.
    assert_eq!(
        ran.said.matches("test.forbidden").count(),
        1,
        "{}",
        ran.said
    );

    let starts = starts(&home);
    let [refused] = of(&starts, "touch forbidden")[..] else {
        panic!("{starts:#?}")
    };
    assert!(!refused.allowed);
    assert_eq!(refused.policy.violated_rules, ["test.forbidden"]);
    assert_eq!(refused.cwd, home.work().to_str().unwrap());
    assert_eq!(refused.origin.kind, OriginKind::Script);
    let parent = &refused.parents[0];
    assert!(
        parent
            .exe
            .as_ref()
            .is_some_and(|exe| exe.ends_with(&parent.name))
    );
    assert!(of(&starts, "touch fine")[0].allowed);
}

#[test]
fn code_of_a_shell_is_judged_as_a_line() {
    let Some(home) = home() else { return };
    // The redirection and the builtin never start a program.
    script(
        &home,
        "outer.sh",
        "sh -c 'cd . && : >x; echo <$?>; touch forbidden'\necho \"<$?>\"\n",
    );
    let ran = run(&home, &["sh", "outer.sh"]);
    assert_eq!(ran.printed, "<126>\n", "{}", ran.said);
    assert!(!there(&home, "x"));
}

#[test]
fn what_a_bash_script_does_by_itself_is_judged_by_the_hook_for_scripts() {
    let Some(home) = home() else { return };
    cmdai_testkit::bash_module().unwrap();
    std::fs::create_dir_all(home.path().join(".ssh")).unwrap();
    script(
        &home,
        "work.sh",
        "echo safe >fine\necho >>~/.ssh/authorized_keys 'ssh-rsa AAAA x'\necho reached\n",
    );
    let ran = run(&home, &["sh", "-c", "bash work.sh; echo \"<$?>\""]);
    assert!(
        ran.printed.ends_with("<126>\n") && !ran.printed.contains("reached"),
        "{} {}",
        ran.printed,
        ran.said
    );
    assert!(there(&home, "fine"), "{}", ran.said);
    assert!(!home.path().join(".ssh/authorized_keys").exists());
}

#[test]
fn what_is_typed_into_a_shell_that_runs_is_judged() {
    let Some(home) = home() else { return };
    // An agent starts a shell and then writes into it: its own hook sees nothing of that.
    let ran = run_with(
        &home,
        // One that reads no hooks of its own.
        &["sh"],
        "touch fine\ntouch forbidden\nexit 3\n",
    );
    assert_eq!(ran.code, Some(3));
    assert!(there(&home, "fine") && !there(&home, "forbidden"));
    assert!(!of(&starts(&home), "touch forbidden")[0].allowed);
}

#[test]
fn a_name_is_not_what_counts() {
    let Some(home) = home() else { return };
    std::os::unix::fs::symlink("/usr/bin/touch", home.work().join("innocent")).unwrap();
    script(
        &home,
        "work.sh",
        "./innocent forbidden\nbash -c 'exec -a innocent touch forbidden'\n",
    );
    let ran = run(&home, &["sh", "work.sh"]);
    assert!(!there(&home, "forbidden"), "{}", ran.said);
    assert!(starts(&home).iter().filter(|start| !start.allowed).count() >= 2);
}

#[test]
fn an_agent_is_known_by_its_file_and_its_marks_name_the_call() {
    let Some(home) = home() else { return };
    script(
        &home,
        "codex",
        "#!/bin/sh\nCODEX_THREAD_ID=t CODEX_SESSION_ID=s7 CODEX_TOOL_CALL_ID=c9 touch fine\ntouch question\n",
    );
    let ran = run(&home, &["./codex"]);
    assert!(
        there(&home, "fine") && !there(&home, "question"),
        "{}",
        ran.said
    );
    let starts = starts(&home);
    let touch = of(&starts, "touch fine")[0];
    let agent = touch.agent.as_ref().unwrap();
    assert_eq!(agent.name, "codex");
    assert_eq!(agent.session_id.as_deref(), Some("s7"));
    assert_eq!(agent.tool_call_id.as_deref(), Some("c9"));
    assert_eq!(touch.origin.kind, OriginKind::Agent);
    assert!(touch.origin.confidence >= 900);
    assert!(touch.origin.evidence[0].starts_with("supervised:codex:/"));
}

#[test]
fn a_person_is_asked_once_and_for_all_that_the_program_starts() {
    let Some(home) = home() else { return };
    script(
        &home,
        "work.sh",
        "sh -c 'touch question'\necho \"first <$?>\"\ntouch question2\necho \"second <$?>\"\n",
    );
    let program = cmdai_testkit::program().unwrap();
    let mut terminal = Pty::spawn(
        &[program.to_str().unwrap(), "run", "--", "bash", "work.sh"],
        &home.work(),
        &home.environment(),
    )
    .unwrap();
    terminal.wait_for("run it? [y/N]").unwrap();
    terminal.send_line("y").unwrap();
    // The next question is about the next program: the one inside was answered for.
    let shown = terminal.wait_for("run it? [y/N]").unwrap();
    assert!(shown.contains("first <0>"), "{shown}");
    terminal.send_line("n").unwrap();
    terminal.wait_for("second <126>").unwrap();
    assert_eq!(terminal.wait().unwrap(), 0);
    assert!(there(&home, "question") && !there(&home, "question2"));
}

#[test]
fn many_starts_are_counted_and_none_is_lost() {
    let Some(home) = home() else { return };
    let ran = run(
        &home,
        &[
            "bash",
            "-c",
            "for ((i = 0; i < 1500; i++)); do /bin/true; done",
        ],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    let starts = starts(&home);
    let of_true: Vec<_> = starts
        .iter()
        .filter(|start| start.text == "/bin/true")
        .collect();
    let sum: u64 = of_true.iter().map(|start| start.times.unwrap_or(1)).sum();
    assert_eq!(sum, 1500);
    assert!(of_true.len() < 400, "{}", of_true.len());
}

#[test]
fn set_user_id_programs_are_named() {
    let Some(home) = home() else { return };
    let program = if std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
    {
        let path = home.work().join("doas");
        std::fs::copy("/bin/true", &path).unwrap();
        std::os::unix::fs::chown(&path, Some(1), None).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o4755);
        std::fs::set_permissions(&path, mode).unwrap();
        "./doas"
    } else {
        "/usr/bin/su"
    };
    script(&home, "work.sh", &format!("{program} --version\n"));
    let ran = run(&home, &["sh", "work.sh"]);
    assert!(
        ran.said.contains("cannot work inside a supervised tree"),
        "{}",
        ran.said
    );
}

#[test]
fn a_tree_inside_a_tree_is_one_tree() {
    let Some(home) = home() else { return };
    let program = cmdai_testkit::program().unwrap();
    script(
        &home,
        "work.sh",
        &format!("{} run -- sh -c 'touch fine; exit 5'\n", program.display()),
    );
    let ran = run(&home, &["sh", "work.sh"]);
    assert_eq!(ran.code, Some(5), "{}", ran.said);
    assert!(there(&home, "fine"));
    assert_eq!(of(&starts(&home), "touch fine").len(), 1);
}
