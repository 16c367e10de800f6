//! Running one command as a named step, with its time said at the end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The project's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command in `folder` (relative to the root).
pub(crate) fn command(folder: &str, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root().join(folder)).args(arguments);
    command
}

/// Runs a command to its end; an error names the step and its exit status.
pub(crate) fn run(name: &str, mut command: Command) -> Result<()> {
    eprintln!("\n── {name}");
    let started = Instant::now();
    let status = command.status().with_context(|| {
        format!(
            "{name}: cannot start `{}`",
            command.get_program().to_string_lossy()
        )
    })?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    eprintln!(
        "── {name}: done in {:.0} s",
        started.elapsed().as_secs_f32()
    );
    Ok(())
}
