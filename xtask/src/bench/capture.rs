//! `cargo xtask bench capture`: a session of many commands through every layer, compared with what the
//! server has of it and with the kernel's own count.

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::step;

#[derive(Args)]
pub(super) struct Options {
    /// Commands of the session
    #[arg(long, default_value_t = 10_000)]
    commands: usize,
    /// Lines more, typed into a bash without hooks: each must be named as missing, and the run must fail
    #[arg(long, default_value_t = 0)]
    without_hooks: usize,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let build = [
        "build",
        "--locked",
        "--quiet",
        "--package",
        "cmdai-e2e",
        "--example",
        "capture",
    ];
    step::run("bench: build", step::command("enterprise", "cargo", &build))?;
    // What runs from a folder that anybody may write to is asked about: the session does not lie there.
    let folder = step::target().join("capture");
    std::fs::create_dir_all(&folder)?;
    let program = step::target().join("debug/examples/capture");
    let (commands, without) = (
        options.commands.to_string(),
        options.without_hooks.to_string(),
    );
    let format = if options.json { "json" } else { "table" };
    let mut command = step::command(
        "",
        &program.to_string_lossy(),
        &[&commands, &without, format],
    );
    let status = command
        .env("TMPDIR", &folder)
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => {
            bail!("commands were not captured, or the kernel counts others than the session has")
        }
        _ => bail!("the session did not come to its end ({status})"),
    }
}
