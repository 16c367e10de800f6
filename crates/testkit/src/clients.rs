//! Real AI agents, as `cargo xtask test --agents` installed them from npm.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// A client: its name, the npm package with the version that is tested, and its program.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Name, as `cmdai hook` has it.
    pub name: &'static str,
    /// npm package with its version.
    pub package: &'static str,
    /// Program, below the folder it is installed into.
    pub program: &'static str,
}

/// The clients that can be installed and run without a screen. The first is the one that every run
/// of the tests uses.
pub const CLIENTS: &[Client] = &[
    Client {
        name: "claude-code",
        package: "@anthropic-ai/claude-code-linux-x64@2.1.330",
        program: "node_modules/@anthropic-ai/claude-code-linux-x64/claude",
    },
    Client {
        name: "codex",
        package: "@openai/codex@0.169.0",
        program: "node_modules/.bin/codex",
    },
    Client {
        name: "gemini-cli",
        package: "@google/gemini-cli@0.61.0",
        program: "node_modules/.bin/gemini",
    },
    Client {
        name: "qwen-code",
        package: "@qwen-code/qwen-code@0.15.10",
        program: "node_modules/.bin/qwen",
    },
    Client {
        name: "copilot-cli",
        package: "@github/copilot@1.0.102",
        program: "node_modules/.bin/copilot",
    },
    Client {
        name: "opencode",
        package: "opencode-ai@1.18.33",
        program: "node_modules/opencode-linux-x64/bin/opencode",
    },
];

/// The folder that clients are installed into: `CMDAI_TEST_AGENTS_DIR`, or `~/.cache/cmdai/agents`.
pub fn folder() -> PathBuf {
    std::env::var_os("CMDAI_TEST_AGENTS_DIR").map_or_else(
        || {
            let home = std::env::var_os("HOME").map_or_else(|| "/tmp".into(), PathBuf::from);
            home.join(".cache/cmdai/agents")
        },
        PathBuf::from,
    )
}

/// The program of a client.
///
/// # Errors
/// Where it is not installed; the error says how to.
pub fn client(name: &str) -> Result<PathBuf> {
    let client = CLIENTS
        .iter()
        .find(|client| client.name == name)
        .with_context(|| format!("{name} is not a client"))?;
    let program = folder().join(name).join(client.program);
    if !program.exists() {
        bail!(
            "{} is not there: `cargo xtask test --agents` installs it",
            program.display()
        );
    }
    Ok(program)
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit status; -1 where a signal ended it.
    pub status: i32,
    /// Standard output and standard error.
    pub output: String,
}

/// Runs a program in its own process group, without input and with exactly this environment, to its
/// end. What it started and left running ends with it.
///
/// # Errors
/// Where it cannot be started or does not end in time; the error shows what it printed.
pub fn finish(
    program: &Path,
    arguments: &[String],
    cwd: &Path,
    environment: &[(String, String)],
    patience: Duration,
) -> Result<Finished> {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    let output = tempfile::NamedTempFile::new()?;
    let file = output.reopen()?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(cwd)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let deadline = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > deadline {
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status();
    let _ = child.wait();
    let text = String::from_utf8_lossy(&std::fs::read(output.path())?).into_owned();
    match status {
        Some(status) => Ok(Finished {
            status: status
                .code()
                .unwrap_or_else(|| -status.signal().unwrap_or(1)),
            output: text,
        }),
        None => bail!("{} did not end in time:\n{text}", program.display()),
    }
}
