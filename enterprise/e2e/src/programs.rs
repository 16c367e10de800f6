//! The programs under test, built once for all tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

/// Where the programs lie.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Folder with `cmdai`, `cmdai-enterprise` and `libcmdai_bash.so`.
    pub folder: PathBuf,
}

/// What a program printed and how it ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// Exit status; 128 and the signal where one ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Runs a command to its end.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn of(command: &mut Command) -> Result<Self> {
        let output: Output = command
            .output()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        use std::os::unix::process::ExitStatusExt as _;
        let code = output
            .status
            .code()
            .or_else(|| output.status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self {
            code,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }

    /// Its output, where it ended well.
    ///
    /// # Errors
    /// Where it did not: with both outputs.
    pub fn good(self) -> Result<String> {
        if self.code != 0 {
            bail!(
                "exit status {}\n{}\n{}",
                self.code,
                self.stdout,
                self.stderr
            );
        }
        Ok(self.stdout)
    }
}

impl Programs {
    /// `cmdai` with an environment of its own.
    pub fn cmdai(&self) -> Command {
        clean(&self.folder.join("cmdai"))
    }

    /// `cmdai-enterprise` with an environment of its own.
    pub fn enterprise(&self) -> Command {
        clean(&self.folder.join("cmdai-enterprise"))
    }
}

fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(std::process::Stdio::null());
    command
}

/// Builds what is not built yet and tells where it is.
///
/// # Errors
/// Where the build fails.
pub fn programs() -> Result<Programs> {
    static BUILT: OnceLock<std::result::Result<Programs, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| build().map_err(|error| format!("{error:#}")))
        .clone()
        .map_err(anyhow::Error::msg)
}

fn build() -> Result<Programs> {
    let enterprise = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no parent folder")?;
    let root = enterprise.parent().context("no parent folder")?;
    cargo(
        root,
        &[
            "--package",
            "cmdai-cli",
            "--package",
            "cmdai-bash-native",
            "--package",
            "cmdai-zsh-native",
        ],
    )?;
    cargo(enterprise, &["--package", "cmdai-enterprise"])?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(Programs {
        folder: target.join("debug"),
    })
}

fn cargo(folder: &Path, packages: &[&str]) -> Result<()> {
    let run = Run::of(
        Command::new("cargo")
            .current_dir(folder)
            .args(["build", "--locked", "--quiet"])
            .args(packages),
    )?;
    run.good()
        .context("building the programs under test")
        .map(drop)
}
