//! Bad input gets one clear message, and nothing is lost.

use std::process::Command;

use cmdai_e2e::{Machine, Run, Server, programs};

#[test]
fn a_wrong_token_and_a_used_token() {
    let server = Server::start().unwrap();
    let machine = Machine::bare().unwrap();
    for wrong in [
        "nonsense",
        "cmdai1.x.y.0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        let error = machine
            .enrol(&server.machines, wrong)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("token") || error.contains("authority"),
            "{error}"
        );
    }
    let token = server.token("ana").unwrap();
    machine.enrol(&server.machines, &token).unwrap();
    let other = Machine::bare().unwrap();
    let error = other
        .enrol(&server.machines, &token)
        .unwrap_err()
        .to_string();
    assert!(error.contains("token"), "{error}");
}

#[test]
fn a_port_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let data = tempfile::tempdir().unwrap();
    let run = Run::of(
        programs()
            .unwrap()
            .enterprise()
            .args([
                "server",
                "--listen",
                &address.to_string(),
                "--machines",
                "127.0.0.1:0",
            ])
            .arg("--data")
            .arg(data.path()),
    )
    .unwrap();
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains(&address.port().to_string()) && run.stderr.contains("in use"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_broken_policy_is_not_published() {
    let server = Server::start().unwrap();
    let before = server.get("policy").unwrap()["version"].clone();
    let error = server
        .publish("version: \"1.0\"\nsafety:\n  blocked_patterns:\n    - patern: \"x\"\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("patern") || error.contains("invalid"),
        "{error}"
    );
    let error = server.publish("{ not yaml").unwrap_err().to_string();
    assert!(!error.is_empty());
    assert_eq!(server.get("policy").unwrap()["version"], before);
}

#[test]
fn a_full_disk_is_named() {
    // A small file system of its own, in a mount namespace of its own.
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: making a small file system needs root");
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let program = programs().unwrap().folder.join("cmdai-enterprise");
    let script = format!(
        "mount -t tmpfs -o size=200k tmpfs {0} && exec {1} server --data {0}/d --listen 127.0.0.1:0 --machines 127.0.0.1:0",
        data.path().display(),
        program.display()
    );
    let run = Run::of(Command::new("timeout").args([
        "20",
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        &script,
    ]))
    .unwrap();
    assert_eq!(run.code, 1, "{} {}", run.stdout, run.stderr);
    assert!(run.stderr.contains("is full"), "{}", run.stderr);
}

#[test]
fn no_terminal_and_nobody_to_ask() {
    let server = Server::start().unwrap();
    let mut command = server.operator("nobody");
    command
        .env_remove("CMDAI_PASSWORD")
        .args(["login", "--server", &server.console]);
    let run = Run::of(&mut command).unwrap();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("CMDAI_PASSWORD"), "{}", run.stderr);
    let run = Run::of(server.operator("nobody").arg("query")).unwrap();
    assert!(run.stderr.contains("login"), "{}", run.stderr);
}
