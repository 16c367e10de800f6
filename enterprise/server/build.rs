//! Puts the built console where it is embedded from, or a page that says how to build it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FALLBACK: &str = include_str!("src/fallback.html");

fn main() -> io::Result<()> {
    let built = Path::new("../console/dist");
    let target = PathBuf::from(
        env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?,
    )
    .join("console");
    println!("cargo::rerun-if-changed=../console/dist");
    println!("cargo::rerun-if-changed=src/fallback.html");
    println!("cargo::rerun-if-changed=build.rs");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    fs::create_dir_all(&target)?;
    if built.join("index.html").is_file() {
        copy(built, &target)
    } else {
        fs::write(target.join("index.html"), FALLBACK)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&place)?;
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), &place)?;
        }
    }
    Ok(())
}
