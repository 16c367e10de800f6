//! Artefacts of this workspace that tests load: found beside the test binary, built when missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};

/// The folder that the running test's profile builds into, such as `target/debug`.
///
/// # Errors
/// Where the running program does not lie in such a folder.
pub fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    program
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "deps"))
        .and_then(Path::parent)
        .map(Path::to_owned)
        .with_context(|| format!("{} does not lie in a target folder", program.display()))
}

/// The native bash module, built for the profile of the running test.
///
/// # Errors
/// Where it cannot be built.
pub fn bash_module() -> Result<PathBuf> {
    static BUILT: Once = OnceLock::new();
    once(&BUILT, "cmdai-bash-native", "libcmdai_bash.so")
}

/// The native zsh module, built for the profile of the running test.
///
/// # Errors
/// Where it cannot be built.
pub fn zsh_module() -> Result<PathBuf> {
    static BUILT: Once = OnceLock::new();
    once(&BUILT, "cmdai-zsh-native", "libcmdai_zsh.so")
}

/// The `cmdai` program, which lies beside the module then.
///
/// # Errors
/// Where it cannot be built.
pub fn program() -> Result<PathBuf> {
    static BUILT: Once = OnceLock::new();
    once(&BUILT, "cmdai-cli", "cmdai")
}

type Once = OnceLock<std::result::Result<PathBuf, String>>;

/// Builds once in a test's process.
fn once(built: &Once, package: &str, file: &str) -> Result<PathBuf> {
    built
        .get_or_init(|| build(package, file).map_err(|error| format!("{error:#}")))
        .clone()
        .map_err(anyhow::Error::msg)
}

/// Lets cargo build a package, which is quick where nothing changed, and gives the artefact.
fn build(package: &str, file: &str) -> Result<PathBuf> {
    let folder = target_folder()?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells a test about its package would make crates that look at it build again.
    for (name, _) in std::env::vars_os() {
        let told = name.to_str().is_some_and(|name| {
            [
                "CARGO_PKG_",
                "CARGO_MANIFEST_",
                "CARGO_CRATE_",
                "CARGO_BIN_",
            ]
            .iter()
            .any(|start| name.starts_with(start))
        });
        if told {
            cargo.env_remove(name);
        }
    }
    cargo
        .args(["build", "--quiet", "--package", package, "--manifest-path"])
        .arg(&manifest);
    cargo
        .arg("--target-dir")
        .arg(folder.parent().context("a target folder has a parent")?);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo.output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!(
            "cannot build {package}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let built = folder.join(file);
    if !built.exists() {
        bail!("{} is missing after its build", built.display());
    }
    Ok(built)
}
