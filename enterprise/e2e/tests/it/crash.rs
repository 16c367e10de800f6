//! Sensor and server killed in mid-stream: everything recorded is stored, once.

use std::collections::BTreeSet;
use std::time::Duration;

use cmdai_e2e::{Machine, Run, Server, eventually};

/// Commands of one run. Each is recorded by a `cmdai run` of its own.
const COMMANDS: usize = 60;

#[test]
fn nothing_recorded_is_lost_or_doubled() {
    let mut server = Server::start().unwrap();
    let mut machine = Machine::join(&server).unwrap();
    for number in 0..COMMANDS {
        let line = format!("true crash-marker-{number}-end");
        let run = Run::of(machine.cmdai().args(["run", "-c", &line])).unwrap();
        assert_eq!(run.code, 0, "{}", run.stderr);
        match number % 20 {
            6 => machine.kill_sensor().unwrap(),
            9 => machine.start_sensor().unwrap(),
            13 => server.kill().unwrap(),
            16 => server.restart().unwrap(),
            _ => {}
        }
    }
    let rows = eventually(
        "every command on the server",
        Duration::from_secs(30),
        || {
            let rows = server.query("type:command_executed crash-marker")?;
            let texts: BTreeSet<String> = rows.iter().map(|row| row["text"].to_string()).collect();
            anyhow::ensure!(texts.len() == COMMANDS, "{} of {COMMANDS}", texts.len());
            Ok(rows)
        },
    )
    .unwrap();
    assert_eq!(rows.len(), COMMANDS, "no command is stored twice");

    let export = machine.home().join("export.jsonl");
    let written = eventually(
        "a checkpoint over everything",
        Duration::from_secs(10),
        || {
            server.admin(&["export", "--output", &export.to_string_lossy()])?;
            server.admin(&["verify", &export.to_string_lossy()])
        },
    );
    written.unwrap();
}
