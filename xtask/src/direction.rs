//! The dependency direction, checked with `cargo tree`: Community never sees Enterprise, pure
//! crates stay pure, heavy crates stay off the endpoint.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::step;

/// Crates of this project that are pure: no I/O, clock, randomness or async.
const PURE: &[&str] = &[
    "cmdai-schema",
    "cmdai-shell",
    "cmdai-effects",
    "cmdai-policy",
    "cmdai-redact",
    "cmdai-ledger",
    "cmdai-detect",
];
/// What a pure crate may never reach.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "ureq",
    "axum",
    "sqlx",
    "rustix",
    "getrandom",
    "tempfile",
    "memmap2",
];
/// What runs inside the person's shell may never reach.
const HEAVY_IN_SHELL: &[&str] = &[
    "tokio",
    "reqwest",
    "ureq",
    "rustls",
    "axum",
    "sqlx",
    "clap",
    "tree-sitter",
];
/// What supervises a process tree may never reach: it reads what others wrote, beside the kernel's calls.
const HEAVY_IN_TREE: &[&str] = &[
    "tokio", "reqwest", "ureq", "rustls", "axum", "sqlx", "clap", "nix",
];
/// What must not get onto the endpoint.
const HEAVY_ON_ENDPOINT: &[&str] = &["sqlx", "axum", "cedar-policy"];

/// Checks both workspaces (Community alone where `enterprise/` is not there).
pub(crate) fn check() -> Result<()> {
    let community = members("")?;
    let mut wrong = Vec::new();
    for name in &community {
        if let Some(path) = reach("", name)?
            .iter()
            .find(|line| line.contains("/enterprise/"))
        {
            wrong.push(format!("{name} (Community) reaches {path} (Enterprise)"));
        }
    }
    forbid(
        "",
        &community,
        &["cmdai-bash-native", "cmdai-zsh-native"],
        HEAVY_IN_SHELL,
        &mut wrong,
    )?;
    forbid(
        "",
        &community,
        &["cmdai-supervise"],
        HEAVY_IN_TREE,
        &mut wrong,
    )?;
    forbid("", &community, PURE, IMPURE, &mut wrong)?;
    if step::root().join("enterprise").is_dir() {
        let enterprise = members("enterprise")?;
        forbid("enterprise", &enterprise, PURE, IMPURE, &mut wrong)?;
        forbid(
            "enterprise",
            &enterprise,
            &["cmdai-sensor"],
            HEAVY_ON_ENDPOINT,
            &mut wrong,
        )?;
    }
    if wrong.is_empty() {
        eprintln!("dependency direction: fine");
        return Ok(());
    }
    bail!("dependency direction:\n  {}", wrong.join("\n  "))
}

fn forbid(
    folder: &str,
    members: &BTreeSet<String>,
    names: &[&str],
    forbidden: &[&str],
    wrong: &mut Vec<String>,
) -> Result<()> {
    for name in names.iter().filter(|name| members.contains(**name)) {
        let reached = reach(folder, name)?;
        for bad in forbidden {
            if reached
                .iter()
                .any(|line| line.split(' ').next() == Some(bad))
            {
                wrong.push(format!("{name} reaches {bad}"));
            }
        }
    }
    Ok(())
}

/// Names of the workspace's own crates.
fn members(folder: &str) -> Result<BTreeSet<String>> {
    let metadata = output(
        folder,
        &["metadata", "--format-version=1", "--locked", "--no-deps"],
    )?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo metadata lists no packages")?;
    Ok(packages
        .iter()
        .filter_map(|package| package.get("name")?.as_str().map(str::to_owned))
        .collect())
}

/// Everything a crate reaches through normal dependencies on this platform, one line each:
/// name, version, and the path of a crate of our own.
fn reach(folder: &str, name: &str) -> Result<Vec<String>> {
    let tree = output(
        folder,
        &[
            "tree",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--package",
            name,
        ],
    )?;
    Ok(tree.lines().map(str::to_owned).collect())
}

fn output(folder: &str, arguments: &[&str]) -> Result<String> {
    let output = step::command(folder, "cargo", arguments)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!(
            "`cargo {}` failed; is the lock file up to date?",
            arguments.join(" ")
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
