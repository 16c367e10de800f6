//! `cargo xtask bench rollout`: how long until every connected machine has a new release.

use anyhow::Result;
use clap::Args;

use crate::step;

#[derive(Args)]
pub(crate) struct Options {
    /// Connected machines; each is a connection, so `ulimit -Hn` must be above it
    #[arg(long, default_value_t = 10_000)]
    machines: u32,
    /// Every so many-th machine verifies every signature itself; the others only fetch
    #[arg(long, default_value_t = 1)]
    verify_every: u32,
    /// Measure debug builds
    #[arg(long)]
    debug: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut build = vec![
        "build",
        "--quiet",
        "-p",
        "cmdai-enterprise",
        "-p",
        "cmdai-sim",
        "--bin",
        "cmdai-enterprise",
        "--example",
        "rollout",
    ];
    let profile = if options.debug {
        "debug"
    } else {
        build.push("--release");
        "release"
    };
    step::run("bench: build", step::command("enterprise", "cargo", &build))?;
    let built = step::target().join(profile);
    let server = built.join("cmdai-enterprise");
    let (server, machines, every) = (
        server.to_string_lossy().into_owned(),
        options.machines.to_string(),
        options.verify_every.to_string(),
    );
    let wave = built.join("examples/rollout");
    step::run(
        "bench: rollout",
        step::command("", &wave.to_string_lossy(), &[&server, &machines, &every]),
    )
}
