//! Quarantine reaches the machine, is told to the person, and is taken back.

use std::time::Duration;

use cmdai_e2e::{Machine, Server, Shell, eventually};

#[test]
fn in_and_out() {
    let server = Server::start().unwrap();
    let machine = Machine::join(&server).unwrap();
    let id = machine.id().unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    server
        .admin(&["fleet", "quarantine", &id, "--reason", "odd uploads"])
        .unwrap();
    // The line itself, which the terminal shows, says nothing of what is waited for.
    let made = machine.home().join("project/made-meanwhile");
    let told = ["odd uploads", "quarantine"];
    eventually("quarantine on the machine", Duration::from_secs(10), || {
        shell.line("touch made-meanwhile")?;
        shell.wait_for_any(&told, Duration::from_secs(2)).map(drop)
    })
    .unwrap();
    std::fs::remove_file(&made).ok();
    shell.line("touch made-meanwhile").unwrap();
    shell.wait_for_any(&told, Duration::from_secs(10)).unwrap();
    shell.line("cd . && pwd").unwrap();
    shell.wait_for("/project").unwrap();
    assert!(!made.exists());

    server
        .admin(&["fleet", "release", &id, "--reason", "it was a backup"])
        .unwrap();
    eventually("release on the machine", Duration::from_secs(10), || {
        shell.line("echo free-$((6*7))")?;
        shell
            .wait_for_any(&["free-42"], Duration::from_secs(2))
            .map(drop)
    })
    .unwrap();
}
