//! Small disks, each in a mount namespace of its own, where root may mount; elsewhere a test says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

/// Says that the process has mounts of its own.
const OWN_MOUNTS: &str = "CMDAI_OWN_MOUNTS";

/// Runs one of this program's ignored tests where mounts are nobody else's; says so where that cannot be.
///
/// # Errors
/// Where the test fails.
pub fn with_own_mounts(test: &str) -> Result<()> {
    let may = Command::new("unshare")
        .args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !may {
        eprintln!("left out: no file system can be mounted here");
        return Ok(());
    }
    let status = Command::new("unshare")
        .arg("-m")
        .arg(std::env::current_exe()?)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(OWN_MOUNTS, "1")
        .status()?;
    ensure!(status.success(), "{test} ended with {status}");
    Ok(())
}

/// Mounts a small disk of this size and mode; false where mounts are not this process's own.
///
/// # Errors
/// Where it cannot be mounted.
pub fn small_disk(at: &Path, size: &str, mode: &str) -> Result<bool> {
    if std::env::var_os(OWN_MOUNTS).is_none() {
        return Ok(false);
    }
    std::fs::create_dir_all(at)?;
    let options = format!("size={size},mode={mode}");
    let status = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &options, "none"])
        .arg(at)
        .status()?;
    ensure!(status.success(), "mount ended with {status}");
    Ok(true)
}

/// Takes all the room there is in this folder, to the last byte. Gives the file that has it.
///
/// # Errors
/// Where the file cannot be made.
pub fn fill(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("ballast");
    let mut file = std::fs::File::create(&path)?;
    for piece in [64 * 1024, 512, 1] {
        while file
            .write(&vec![1u8; piece])
            .is_ok_and(|written| written > 0)
        {}
    }
    Ok(path)
}
