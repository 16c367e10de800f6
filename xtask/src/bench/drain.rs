//! `cargo xtask bench drain`: a machine that was away brings what it kept to the server.

use anyhow::Result;
use clap::Args;

use crate::step;

#[derive(Args)]
pub(super) struct Options {
    /// Commands that were recorded while the server was away
    #[arg(long, default_value_t = 100_000)]
    events: u64,
    /// Measure debug builds
    #[arg(long)]
    debug: bool,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let mut arguments = vec!["test", "--locked", "--package", "cmdai-sensor"];
    if !options.debug {
        arguments.push("--release");
    }
    arguments.extend([
        "--test",
        "it",
        "faults::a_machine_that_was_away",
        "--",
        "--nocapture",
    ]);
    let mut command = step::command("enterprise", "cargo", &arguments);
    command.env("CMDAI_DRAIN_EVENTS", options.events.to_string());
    step::run("bench: drain", command)
}
