//! What the tasks need beside Rust and Node, and how it is had on Debian.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::step;

/// Something that must be on the machine.
struct Need {
    /// Programs, or files by their whole path; any one of them is enough.
    programs: &'static [&'static str],
    /// Debian package that has it.
    package: &'static str,
    /// What for.
    purpose: &'static str,
}

const BUILD: &[Need] = &[
    Need {
        programs: &["cc"],
        package: "gcc",
        purpose: "building the C parts of SQLite, zstd and aws-lc",
    },
    Need {
        programs: &["bash"],
        package: "bash",
        purpose: "the governed shell",
    },
];
const SHELLS: &[Need] = &[
    Need {
        programs: &["zsh"],
        package: "zsh",
        purpose: "testing its hooks in the real shell",
    },
    Need {
        programs: &["/usr/share/zsh-autosuggestions/zsh-autosuggestions.zsh"],
        package: "zsh-autosuggestions",
        purpose: "testing the hooks of zsh beside it",
    },
    Need {
        programs: &["/usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh"],
        package: "zsh-syntax-highlighting",
        purpose: "testing the hooks of zsh beside it",
    },
    Need {
        programs: &["fish"],
        package: "fish",
        purpose: "testing its hooks in the real shell",
    },
];
const SANDBOX: &[Need] = &[
    Need {
        programs: &["unshare"],
        package: "util-linux",
        purpose: "the throw-away mount namespace of the demo",
    },
    Need {
        programs: &["ip"],
        package: "iproute2",
        purpose: "the demo's own network namespace",
    },
];
const BROWSER: &[Need] = &[Need {
    programs: &["chromium", "chromium-browser", "google-chrome"],
    package: "chromium",
    purpose: "opening every screen of the console",
}];

/// For building both workspaces.
pub(crate) fn for_build() -> Result<()> {
    ensure(BUILD)
}

/// For testing the hooks of shells.
pub(crate) fn for_shells() -> Result<()> {
    ensure(SHELLS)
}

/// For the demo's sandbox.
pub(crate) fn for_sandbox() -> Result<()> {
    ensure(SANDBOX)
}

/// For the console's tests.
pub(crate) fn for_browser() -> Result<()> {
    ensure(BROWSER)
}

/// Node and npm, for building the console.
pub(crate) fn for_console() -> Result<()> {
    if !found("node") || !found("npm") {
        bail!(
            "the console is built with Node 20 or newer: install `nodejs` and `npm`, then run this again"
        );
    }
    Ok(())
}

fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs
        .iter()
        .filter(|need| !need.programs.iter().any(|program| found(program)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    for need in &missing {
        eprintln!("missing: {} (for {})", need.package, need.purpose);
    }
    if !is_root() || !found("apt-get") {
        bail!(
            "install what is missing and run this again: sudo apt-get install -y {}",
            packages.join(" ")
        );
    }
    step::run("apt-get update", quiet(&["update", "-qq"]))?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    step::run("apt-get install", quiet(&arguments))
}

fn quiet(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null());
    command
}

/// A program of this name is on the PATH.
pub(crate) fn found(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self")
        .is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

/// `npm ci` where the lock file is newer than what is installed.
pub(crate) fn console_packages() -> Result<()> {
    let console = step::root().join("enterprise/console");
    let modified = |path: &Path| {
        std::fs::metadata(path)
            .and_then(|meta| meta.modified())
            .ok()
    };
    let installed = modified(&console.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < modified(&console.join("package-lock.json")) {
        let install = step::command(
            "enterprise/console",
            "npm",
            &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
        );
        step::run("console: npm ci", install)?;
    }
    Ok(())
}
