//! `cargo xtask test`: everything that must hold, in one command.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{agents, demo, direction, fuzz, setup, step};

#[derive(Args)]
pub(crate) struct Options {
    /// Community alone, in a copy of the tree without `enterprise/`
    #[arg(long)]
    community: bool,
    /// Run all real AI agents (installs 1.3 GB from npm, outside the repository) instead of one
    #[arg(long)]
    agents: bool,
    /// Leave out the real AI agents
    #[arg(long, conflicts_with = "agents")]
    no_agents: bool,
    /// Leave out the 60 s run of the demo
    #[arg(long)]
    no_demo: bool,
    /// Leave out the short run of the fuzz targets
    #[arg(long)]
    no_fuzz: bool,
}

/// A named check.
type Step = (&'static str, fn() -> Result<()>);

/// Runs every step, even after one failed, and says at the end which ones did.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps: Vec<Step> = Vec::new();
    if options.community {
        steps.push(("Community alone", community_alone));
    } else {
        steps.push(("set-up", set_up));
        steps.push(("format", format));
        steps.push(("dependency direction", direction::check));
        steps.push(("build", || demo::build(false)));
        steps.push(("Community: tests", community_tests));
        steps.push((
            "Community: builds with enterprise/ away",
            community_builds_alone,
        ));
        steps.push(("console: types and units", console_types));
        steps.push(("console: screens", console_screens));
        steps.push(("Enterprise: tests", enterprise_tests));
        if !options.no_demo {
            steps.push(("demo, headless", demo_headless));
        }
        if !options.no_fuzz {
            steps.push(("hostile input", hostile_input));
        }
        steps.push(("licences and sources of dependencies", deny));
        steps.push(("Community: lints", || lint("")));
        steps.push(("Enterprise: lints", || lint("enterprise")));
    }

    let mut failed = Vec::new();
    let mut skipped = Vec::new();
    let mut count = steps.len();
    for (name, step) in steps {
        if let Err(error) = step() {
            eprintln!("error: {error:#}");
            failed.push(name);
            if matches!(name, "set-up" | "build") {
                break; // nothing after it can run
            }
        }
    }
    if !options.community && !options.no_agents {
        count += 1;
        match agents::run(options.agents) {
            Ok(left) => skipped = left,
            Err(error) => {
                eprintln!("error: {error:#}");
                failed.push("real agents");
            }
        }
    }
    println!();
    for name in &skipped {
        println!("skipped: {name}");
    }
    for name in &failed {
        println!("failed: {name}");
    }
    println!(
        "steps: {} passed, {} failed",
        count - failed.len(),
        failed.len()
    );
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{} of {count} steps failed", failed.len())
    }
}

fn set_up() -> Result<()> {
    setup::for_build()?;
    setup::for_shells()?;
    setup::for_sandbox()?;
    setup::for_console()?;
    setup::for_browser()
}

fn format() -> Result<()> {
    step::run(
        "Community: format",
        step::command("", "cargo", &["fmt", "--all", "--check"]),
    )?;
    step::run(
        "fuzz targets: format",
        step::command("fuzz", "cargo", &["fmt", "--check"]),
    )?;
    step::run(
        "Enterprise: format",
        step::command("enterprise", "cargo", &["fmt", "--all", "--check"]),
    )
}

fn lint(folder: &str) -> Result<()> {
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    step::run(
        if folder.is_empty() {
            "Community: clippy"
        } else {
            "Enterprise: clippy"
        },
        step::command(folder, "cargo", &clippy),
    )
}

/// `cargo deny` where it is installed; building it takes longer than everything else here.
fn deny() -> Result<()> {
    if !setup::found("cargo-deny") {
        eprintln!("skipped: cargo-deny is not installed (cargo install --locked cargo-deny)");
        return Ok(());
    }
    // Advisories need a database from the network: `cargo deny check advisories` by hand.
    for folder in ["", "enterprise"] {
        let check = [
            "deny",
            "--log-level",
            "error",
            "check",
            "licenses",
            "bans",
            "sources",
        ];
        step::run("cargo deny", step::command(folder, "cargo", &check))?;
    }
    Ok(())
}

fn community_tests() -> Result<()> {
    let test = ["test", "--workspace", "--locked", "--no-fail-fast"];
    step::run("Community: cargo test", step::command("", "cargo", &test))
}

fn enterprise_tests() -> Result<()> {
    let test = ["test", "--workspace", "--locked", "--no-fail-fast"];
    step::run(
        "Enterprise: cargo test",
        step::command("enterprise", "cargo", &test),
    )
}

fn console_types() -> Result<()> {
    console("console: types", "check")?;
    console("console: unit tests", "test")
}

/// Every screen against the scripted server, with what a real one cannot show at will: ten
/// thousand rows, hostile texts, a server that goes away. The real one is in the e2e tests.
fn console_screens() -> Result<()> {
    console("console: screens in Chromium", "e2e")
}

fn console(name: &str, script: &str) -> Result<()> {
    step::run(
        name,
        step::command("enterprise/console", "npm", &["run", "--silent", script]),
    )
}

fn demo_headless() -> Result<()> {
    let program = step::target().join("debug/cmdai-enterprise");
    let mut command = Command::new(program);
    command.args(["demo", "--headless", "--for", "60s", "--port", "0"]);
    step::run("demo --headless --for 60s", command)
}

/// A short run of every fuzz target; a long one is `cargo xtask fuzz --for 30m`.
fn hostile_input() -> Result<()> {
    if !setup::found("c++") {
        eprintln!("skipped: fuzzing needs a C++ compiler (apt-get install g++)");
        return Ok(());
    }
    fuzz::run(&fuzz::Options::short())
}

/// A copy of the tree as git sees it, without `enterprise/`.
fn community_tree() -> Result<std::path::PathBuf> {
    let copy = step::target().join("community-tree");
    let listed = step::command(
        "",
        "git",
        &[
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    )
    .output()
    .context("cannot list the tree: git is needed")?;
    let files = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
    let wanted: Vec<&str> = files
        .split('\0')
        .filter(|file| !file.is_empty() && !file.starts_with("enterprise/"))
        .collect();
    if copy.exists() {
        std::fs::remove_dir_all(&copy)?;
    }
    for file in wanted {
        let (from, to) = (step::root().join(file), copy.join(file));
        if !from.is_file() {
            continue; // deleted, not yet committed
        }
        std::fs::create_dir_all(to.parent().unwrap_or(Path::new("/")))?;
        std::fs::copy(&from, &to).with_context(|| format!("copying {file}"))?;
    }
    Ok(copy)
}

fn in_community_tree(name: &str, arguments: &[&str]) -> Result<()> {
    let copy = community_tree()?;
    let mut command = Command::new("cargo");
    command
        .current_dir(copy)
        .args(arguments)
        .env("CARGO_TARGET_DIR", step::target());
    step::run(name, command)
}

fn community_builds_alone() -> Result<()> {
    in_community_tree(
        "Community alone: cargo check",
        &["check", "--workspace", "--locked"],
    )
}

fn community_alone() -> Result<()> {
    setup::for_build()?;
    setup::for_shells()?;
    in_community_tree(
        "Community alone: cargo build",
        &["build", "--workspace", "--locked"],
    )?;
    in_community_tree(
        "Community alone: cargo test",
        &["test", "--workspace", "--locked", "--no-fail-fast"],
    )
}
