//! `cargo xtask demo`: set up, build, and hand over to `cmdai-enterprise demo`.

use anyhow::Result;
use clap::Args;

use crate::{setup, step};

#[derive(Args)]
pub(crate) struct Options {
    /// Machines in the simulated fleet
    #[arg(long, default_value_t = 200)]
    machines: u32,
    /// Run without a person: a scripted session, then a summary
    #[arg(long)]
    headless: bool,
    /// How long a headless run lasts, such as 60s or 2m
    #[arg(long = "for", default_value = "60s")]
    duration: String,
    /// Port of the console on 127.0.0.1 (0: any free one)
    #[arg(long, default_value_t = 8440)]
    port: u16,
    /// Release profile
    #[arg(long)]
    release: bool,
}

/// Builds the console, both workspaces' programs and the native shell module.
pub(crate) fn build(release: bool) -> Result<()> {
    setup::for_build()?;
    setup::for_console()?;
    setup::console_packages()?;
    step::run(
        "console: build",
        step::command("enterprise/console", "npm", &["run", "--silent", "build"]),
    )?;
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    let cargo = |folder: &str, packages: &[&str]| {
        let mut command = step::command(folder, "cargo", &["build", "--locked"]);
        command
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .args(profile);
        command
    };
    step::run(
        "Community: build",
        cargo("", &["cmdai-cli", "cmdai-bash-native", "cmdai-zsh-native"]),
    )?;
    step::run(
        "Enterprise: build",
        cargo("enterprise", &["cmdai-enterprise"]),
    )
}

/// The demo.
pub(crate) fn run(options: &Options) -> Result<()> {
    eprintln!(
        "cmdai demo: sets up, builds (some minutes the first time), then runs everything on this machine."
    );
    setup::for_sandbox()?;
    build(options.release)?;
    let profile = if options.release { "release" } else { "debug" };
    let program = step::target().join(profile).join("cmdai-enterprise");
    let mut command = std::process::Command::new(program);
    command.args([
        "demo",
        "--machines",
        &options.machines.to_string(),
        "--port",
        &options.port.to_string(),
    ]);
    if options.headless {
        command.args(["--headless", "--for", &options.duration]);
    }
    step::run("demo", command)
}
