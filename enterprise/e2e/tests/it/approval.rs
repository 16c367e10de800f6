//! Approval: asked on the machine, granted at the console, honoured once.

use std::time::Duration;

use cmdai_e2e::{Machine, PASSWORD, Run, Server, Shell, eventually};

const POLICY: &str = r#"
version: "1.0"
organization: "acme"
rules:
  - id: acme.deploy
    when:
      pattern: "./deploy .*"
    decision: require_approval
    risk: high
    reason: "Deploys need a second person"
"#;

#[test]
fn asked_granted_and_honoured_once() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    let script = machine.home().join("project/deploy");
    std::fs::write(&script, "#!/bin/sh\necho deployed-$1\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut shell = Shell::open(&machine).unwrap();

    shell.line("./deploy blue").unwrap();
    shell.wait_for("needs approval").unwrap();
    shell.line("echo status-$?").unwrap();
    shell.wait_for("status-75").unwrap();

    let request = server.waiting().unwrap();
    assert_eq!(request["text"], "./deploy blue");
    let id = request["id"].as_str().unwrap().to_owned();

    // A wrong password is no step-up.
    let refused = Run::of(
        server
            .operator("admin")
            .env("CMDAI_PASSWORD", "wrong")
            .args(["approve", &id, "--reason", "x"]),
    )
    .unwrap();
    assert_ne!(refused.code, 0);
    server
        .admin(&["approve", &id, "--reason", "CHG-7"])
        .unwrap();

    eventually("the grant on the machine", Duration::from_secs(10), || {
        shell.line("./deploy blue")?;
        shell
            .wait_for_any(&["deployed-blue", "needs approval"], Duration::from_secs(5))
            .and_then(|seen| {
                if seen.contains("deployed-blue") {
                    Ok(())
                } else {
                    anyhow::bail!("not yet: {seen}")
                }
            })
    })
    .unwrap();

    // Once means once.
    shell.line("./deploy blue").unwrap();
    shell.wait_for("needs approval").unwrap();
    eventually(
        "the server knows that it was used",
        Duration::from_secs(5),
        || {
            let list = server.get("approvals?status=consumed")?;
            anyhow::ensure!(
                list["approvals"]
                    .as_array()
                    .is_some_and(|list| list.iter().any(|one| one["id"] == id.as_str())),
                "{list}"
            );
            Ok(())
        },
    )
    .unwrap();
}

#[test]
fn a_swapped_script_is_refused_after_the_grant() {
    let server = Server::start().unwrap();
    server
        .publish(&POLICY.replace("./deploy .*", "bash deploy.sh"))
        .unwrap();
    let machine = Machine::join(&server).unwrap();
    let script = machine.home().join("project/deploy.sh");
    std::fs::write(&script, "echo good-script\n").unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    shell.line("bash deploy.sh").unwrap();
    shell.wait_for("needs approval").unwrap();
    let request = server.waiting().unwrap();
    assert!(
        request["files"]
            .as_object()
            .is_some_and(|files| !files.is_empty()),
        "{request}"
    );
    server
        .admin(&["approve", request["id"].as_str().unwrap(), "--reason", "ok"])
        .unwrap();
    std::fs::write(&script, "echo swapped-script\n").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    shell.line("bash deploy.sh").unwrap();
    let seen = shell
        .wait_for_any(
            &["needs approval", "swapped-script"],
            Duration::from_secs(5),
        )
        .unwrap();
    assert!(!seen.contains("\nswapped-script"), "{seen}");
}

#[test]
fn nobody_approves_for_themselves() {
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    std::fs::write(machine.home().join("project/deploy"), "#!/bin/sh\n").unwrap();
    let mut shell = Shell::open(&machine).unwrap();
    shell.line("./deploy red").unwrap();
    shell.wait_for("needs approval").unwrap();
    let request = server.waiting().unwrap();
    let person = request["user"].as_str().unwrap().to_owned();
    let body = format!(
        r#"{{"login":"self","role":"administrator","person":"{person}","password":"{PASSWORD}","your_password":"{PASSWORD}"}}"#
    );
    server.admin(&["api", "users", "--post", &body]).unwrap();
    Run::of(server.operator("self").args([
        "login",
        "--server",
        &server.console,
        "--login",
        "self",
    ]))
    .unwrap()
    .good()
    .unwrap();
    let id = request["id"].as_str().unwrap();
    let refused = Run::of(
        server
            .operator("self")
            .args(["approve", id, "--reason", "mine"]),
    )
    .unwrap();
    assert_ne!(
        refused.code, 0,
        "{person} approved their own request: {}",
        refused.stdout
    );
}
