//! Real tools that people have in their shells, as crates.io has them.

use std::path::PathBuf;

/// A tool that is installed with `cargo install`.
#[derive(Debug, Clone, Copy)]
pub struct Companion {
    /// Name of the package and of its program.
    pub name: &'static str,
    /// The version that is tested.
    pub version: &'static str,
    /// Options of `cargo install`: what these tests do not need is left out.
    pub options: &'static [&'static str],
}

/// What can be had there. ble.sh and bash-preexec are on no registry; bash-preexec is part of atuin's script.
pub const COMPANIONS: &[Companion] = &[
    Companion {
        name: "starship",
        version: "1.27.0",
        options: &["--no-default-features"],
    },
    Companion {
        name: "atuin",
        version: "18.24.4",
        options: &["--no-default-features", "--features", "client"],
    },
];

/// The folder that they are installed into: `CMDAI_TEST_COMPANIONS_DIR`, or `~/.cache/cmdai/companions`.
pub fn folder() -> PathBuf {
    std::env::var_os("CMDAI_TEST_COMPANIONS_DIR").map_or_else(
        || {
            let home = std::env::var_os("HOME").map_or_else(|| "/tmp".into(), PathBuf::from);
            home.join(".cache/cmdai/companions")
        },
        PathBuf::from,
    )
}
