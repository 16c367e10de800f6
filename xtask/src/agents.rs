//! Real AI agents: installed from npm outside the repository, then driven by the tests against
//! scripted models. Nothing of theirs needs the network once it is installed.

use std::process::Command;

use anyhow::{Result, bail};
use cmdai_testkit::clients::{CLIENTS, Client, folder};

use crate::{setup, step};

/// Installs the clients and runs their tests: all of them, or the first alone. Gives what was
/// skipped and why.
pub(crate) fn run(all: bool) -> Result<Vec<String>> {
    let wanted = if all {
        CLIENTS
    } else {
        CLIENTS.get(..1).unwrap_or_default()
    };
    let mut skipped = Vec::new();
    let mut tests = Vec::new();
    for client in wanted {
        match install(client) {
            Ok(()) => tests.push(client),
            Err(error) => skipped.push(format!("{}, run as a real client: {error:#}", client.name)),
        }
    }
    if tests.is_empty() {
        return Ok(skipped);
    }
    let mut command = step::command(
        "",
        "cargo",
        &[
            "test",
            "--locked",
            "--package",
            "cmdai-hooks",
            "--test",
            "it",
            "--",
        ],
    );
    command.args(["--ignored", "--test-threads", "1"]);
    for client in tests {
        command.arg(format!("real::{}", client.name.replace('-', "_")));
    }
    step::run("real agents against scripted models", command)?;
    Ok(skipped)
}

fn install(client: &Client) -> Result<()> {
    let place = folder().join(client.name);
    let mark = place.join(".installed");
    if place.join(client.program).exists()
        && std::fs::read_to_string(&mark).is_ok_and(|known| known == client.package)
    {
        return Ok(());
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("the packages named here are for Linux on x86-64");
    }
    if !setup::found("npm") {
        bail!("npm is not installed");
    }
    std::fs::create_dir_all(&place)?;
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--prefix",
    ])
    .arg(&place)
    .arg(client.package);
    step::run(&format!("npm install {}", client.package), npm)?;
    if !place.join(client.program).exists() {
        bail!("{} does not hold {}", client.package, client.program);
    }
    std::fs::write(mark, client.package)?;
    Ok(())
}
