//! Real tools beside the hooks: installed from crates.io outside the repository, then driven by the tests.
//! Nothing of theirs needs the network once it is installed.

use std::process::Command;

use anyhow::Result;
use cmdai_testkit::companions::{COMPANIONS, Companion, folder};

use crate::step;

/// Installs them, without optimisation, and runs their tests.
pub(crate) fn run() -> Result<()> {
    for companion in COMPANIONS {
        install(companion)?;
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
    command.args(["--ignored", "--test-threads", "1", "companions::"]);
    step::run("hooks beside real tools", command)
}

fn install(companion: &Companion) -> Result<()> {
    let Companion {
        name,
        version,
        options,
    } = companion;
    // What is there in this version already is left as it is.
    let mut cargo = Command::new("cargo");
    cargo
        .args(["install", "--debug", "--locked", "--version", version, name])
        .args(*options)
        .arg("--root")
        .arg(folder())
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(std::env::temp_dir());
    step::run(&format!("cargo install {name} {version}"), cargo)
}
