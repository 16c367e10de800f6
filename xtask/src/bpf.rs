//! `cargo xtask bpf`: the kernel's part of the exec capture, from its C source.
//!
//! The object is committed, so that nobody needs clang who does not change the source. What it was
//! made from is written beside it; a test of the crate compares.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step;

const FOLDER: &str = "enterprise/exec-capture/bpf";
const SOURCE: &str = "exec.bpf.c";
const OBJECT: &str = "exec.bpf.o";
const BUILT: &str = "exec.built";
/// Any of these makes an object that every kernel with BTF takes.
const COMPILERS: &[&str] = &["clang", "clang-19", "clang-16", "clang-14"];

/// Compiles, strips and writes down the digests.
pub(crate) fn run() -> Result<()> {
    let there = |program: &&&str| {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let Some(clang) = COMPILERS.iter().find(there) else {
        bail!(
            "no clang here: `apt-get install clang llvm`; it is needed only where {SOURCE} changes"
        )
    };
    step::run(
        "kernel program: compile",
        step::command(
            FOLDER,
            clang,
            &[
                "-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-c", SOURCE, "-o", OBJECT,
            ],
        ),
    )?;
    let strip = [
        "llvm-strip",
        "llvm-strip-19",
        "llvm-strip-16",
        "llvm-strip-14",
    ];
    let strip = strip
        .iter()
        .find(there)
        .context("no llvm-strip here: `apt-get install llvm`")?;
    step::run(
        "kernel program: strip",
        step::command(FOLDER, strip, &["-g", OBJECT]),
    )?;
    let mut built = String::new();
    for file in [SOURCE, OBJECT] {
        let output = step::command(FOLDER, "sha256sum", &[file]).output()?;
        if !output.status.success() {
            bail!("sha256sum {file} failed");
        }
        write!(built, "{}", String::from_utf8_lossy(&output.stdout))?;
    }
    std::fs::write(step::root().join(FOLDER).join(BUILT), &built)?;
    println!("{built}");
    Ok(())
}
