//! Chromium opens every screen of the console on a server with seeded data.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cmdai_e2e::{Machine, PASSWORD, Run, Server, eventually};

const POLICY: &str = r#"
version: "1.0"
organization: "acme"
safety:
  blocked_patterns:
    - pattern: "forbidden-tool .*"
      reason: "Not on these machines"
      risk: critical
rules:
  - id: acme.deploy
    when:
      pattern: "./deploy .*"
    decision: require_approval
    risk: high
    reason: "Deploys need a second person"
"#;

#[test]
fn every_screen_opens_without_errors_and_is_accessible() {
    let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("../console");
    assert!(
        console.join("node_modules").is_dir(),
        "run `npm ci` in enterprise/console first (cargo xtask test does)"
    );
    let server = Server::start().unwrap();
    server.publish(POLICY).unwrap();
    let machine = Machine::join(&server).unwrap();
    // A rollout that waits at its canary, so that there is something to steer.
    let plan = machine.home().join("rollout.yaml");
    std::fs::write(
        &plan,
        "rings:\n  - {name: canary, count: 1, wait: 1d}\n  - name: everybody\n",
    )
    .unwrap();
    let next = machine.home().join("next.yaml");
    std::fs::write(&next, format!("{POLICY}# spreads by rings\n")).unwrap();
    let (next, plan) = (next.to_string_lossy(), plan.to_string_lossy());
    let publish = [
        "policy",
        "publish",
        &next,
        "--rollout",
        &plan,
        "--note",
        "by rings",
    ];
    server.admin(&publish).unwrap();
    std::fs::write(machine.home().join("project/deploy"), "#!/bin/sh\n").unwrap();
    for line in [
        "git status",
        "forbidden-tool --now",
        "ls -la",
        "true --token=none",
        "./deploy blue",
    ] {
        Run::of(machine.cmdai().args(["run", "-c", line])).unwrap();
    }
    eventually("the seed on the server", Duration::from_secs(10), || {
        anyhow::ensure!(!server.query("./deploy")?.is_empty(), "no events yet");
        let waiting = server.get("approvals?status=pending")?;
        anyhow::ensure!(
            waiting["approvals"]
                .as_array()
                .is_some_and(|list| !list.is_empty()),
            "nobody waits yet"
        );
        let alerts = server.get("alerts")?;
        anyhow::ensure!(
            alerts["alerts"]
                .as_array()
                .is_some_and(|list| !list.is_empty()),
            "no alert yet"
        );
        Ok(())
    })
    .unwrap();
    let run = Run::of(
        Command::new("npm")
            .args(["run", "--silent", "e2e"])
            .current_dir(&console)
            .env("CONSOLE_URL", &server.console)
            .env("CONSOLE_LOGIN", "admin")
            .env("CONSOLE_PUBLISH", "1")
            .env("CONSOLE_PASSWORD", PASSWORD),
    )
    .unwrap();
    println!("{}", run.stdout);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
}
