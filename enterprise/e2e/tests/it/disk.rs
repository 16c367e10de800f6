//! A machine's disk without room: people go on working, what cannot be recorded is told to the sensor or
//! counted as a gap, and everything goes on by itself when there is room again.
//!
//! Each test mounts a small disk in a mount namespace of its own, where root may; elsewhere it says so.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cmdai_e2e::{Machine, Run, Server, Shell, eventually};

/// Runs one of the ignored tests below where mounts are nobody else's.
fn alone(test: &str) {
    let may = rustix::process::geteuid().is_root()
        && Command::new("unshare")
            .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    if !may {
        eprintln!("left out: no file system can be mounted here");
        return;
    }
    let status = Command::new("unshare")
        .arg("-m")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("CMDAI_OWN_MOUNTS", "1")
        .status()
        .unwrap();
    assert!(status.success());
}

/// Mounts a small disk; nothing where this is not a namespace of our own.
fn small_disk(at: &Path, size: &str) -> Option<()> {
    std::env::var_os("CMDAI_OWN_MOUNTS")?;
    std::fs::create_dir_all(at).unwrap();
    let status = Command::new("mount")
        .args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={size},mode=755"),
            "none",
        ])
        .arg(at)
        .status()
        .unwrap();
    assert!(status.success());
    Some(())
}

/// Takes all the room there is, to the last byte.
fn fill(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("ballast");
    let mut file = std::fs::File::create(&path).unwrap();
    for piece in [64 * 1024, 512, 1] {
        while file
            .write(&vec![1u8; piece])
            .is_ok_and(|written| written > 0)
        {}
    }
    path
}

#[test]
fn a_full_machine_lets_people_work_and_counts_what_it_could_not_record() {
    alone("disk::everything_on_a_small_disk");
}

#[test]
#[ignore = "started by the test above"]
fn everything_on_a_small_disk() {
    let server = Server::start().unwrap();
    let mut machine = Machine::bare().unwrap();
    if small_disk(&machine.state(), "24m").is_none() {
        return;
    }
    machine
        .enrol(&server.machines, &server.token("ana").unwrap())
        .unwrap();
    machine.start_sensor().unwrap();
    eventually("the first policy", Duration::from_secs(30), || {
        let status = machine.status()?;
        anyhow::ensure!(status["policy_version"] != "", "{status}");
        Ok(())
    })
    .unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    let mut line = |text: &str| {
        shell.line(text).unwrap();
        shell.wait_for("PROMPT> ").unwrap();
    };
    line("true room-before");
    eventually("the first command", Duration::from_secs(30), || {
        anyhow::ensure!(!server.query("room-before")?.is_empty());
        Ok(())
    })
    .unwrap();

    let ballast = fill(&machine.state());
    for number in 0..30 {
        line(&format!("true room-none-{number}"));
    }
    // They ran: people work on a full machine.
    line("echo still >> ../worked");
    assert_eq!(
        std::fs::read_to_string(machine.home().join("worked")).unwrap(),
        "still\n"
    );
    std::fs::remove_file(&ballast).unwrap();
    line("true room-after");
    eventually("the command after", Duration::from_secs(60), || {
        let log = machine.log();
        anyhow::ensure!(
            !server.query("room-after")?.is_empty(),
            "{}\n{log}",
            machine.status()?
        );
        Ok(())
    })
    .unwrap();
    // Each of them is an event, or within a gap: nothing is missing in silence.
    eventually("the rest as gaps", Duration::from_secs(30), || {
        let there = server.query("type:command_executed room-none")?.len();
        let gaps = server.query("type:gap")?.len();
        anyhow::ensure!(there == 30 || gaps > 0, "{there} of 30 and {gaps} gaps");
        println!("{there} of 30 commands were recorded, {gaps} gaps");
        Ok(())
    })
    .unwrap();
    let status = machine.status().unwrap();
    assert!(
        !status["problems"].to_string().contains("sealed"),
        "{status}"
    );
}

#[test]
fn a_command_that_finds_no_room_in_the_spool_is_told_to_the_sensor() {
    alone("disk::the_spool_on_a_small_disk");
}

#[test]
#[ignore = "started by the test above"]
fn the_spool_on_a_small_disk() {
    let server = Server::start().unwrap();
    let mut machine = Machine::bare().unwrap();
    if small_disk(&machine.state().join("spool"), "256k").is_none() {
        return;
    }
    machine
        .enrol(&server.machines, &server.token("ana").unwrap())
        .unwrap();
    machine.start_sensor().unwrap();
    eventually("the first policy", Duration::from_secs(30), || {
        let status = machine.status()?;
        anyhow::ensure!(status["policy_version"] != "", "{status}");
        Ok(())
    })
    .unwrap();
    fill(&machine.state().join("spool"));
    for number in 0..5 {
        let line = format!("true told-{number}");
        let run = Run::of(machine.cmdai().args(["run", "-c", &line])).unwrap();
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    eventually("all of them", Duration::from_secs(30), || {
        let there = server.query("type:command_executed told")?.len();
        anyhow::ensure!(there == 5, "{there} of 5");
        Ok(())
    })
    .unwrap();
}
