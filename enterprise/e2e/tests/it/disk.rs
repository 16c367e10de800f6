//! A machine's disk without room: people go on working, what cannot be recorded is told to the sensor or
//! counted as a gap, and everything goes on by itself when there is room again.
//!
//! Each test mounts a small disk in a mount namespace of its own, where root may; elsewhere it says so.

use std::time::Duration;

use cmdai_e2e::{Machine, Run, Server, Shell, eventually};
use cmdai_testkit::disk::{fill, small_disk, with_own_mounts};

#[test]
fn a_full_machine_lets_people_work_and_counts_what_it_could_not_record() {
    with_own_mounts("disk::everything_on_a_small_disk").unwrap();
}

#[test]
#[ignore = "started by the test above"]
fn everything_on_a_small_disk() {
    let server = Server::start().unwrap();
    let mut machine = Machine::bare().unwrap();
    if !small_disk(&machine.state(), "24m", "755").unwrap() {
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

    let ballast = fill(&machine.state()).unwrap();
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
    with_own_mounts("disk::the_spool_on_a_small_disk").unwrap();
}

#[test]
#[ignore = "started by the test above"]
fn the_spool_on_a_small_disk() {
    let server = Server::start().unwrap();
    let mut machine = Machine::bare().unwrap();
    if !small_disk(&machine.state().join("spool"), "256k", "755").unwrap() {
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
    fill(&machine.state().join("spool")).unwrap();
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
