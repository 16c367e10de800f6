//! Where things lie. Constants and joins only; nothing here touches the disk.
//!
//! On a governed machine the places are compiled in and no environment variable moves them. An
//! unprivileged run (a test, a demo, one person's trial) keeps everything below one folder.

use std::path::PathBuf;

/// Root-owned mark that says this machine is governed, written at enrolment.
pub const SYSTEM_MARK: &str = "/etc/cmdai/governed.json";
/// Compiled policy that hooks read, replaced by rename only.
pub const SYSTEM_SNAPSHOT: &str = "/var/lib/cmdai/policy.snapshot";
/// Folder of per-user spools that hooks append to.
pub const SYSTEM_SPOOL: &str = "/var/lib/cmdai/spool";
/// The governor's socket.
pub const SYSTEM_SOCKET: &str = "/run/cmdai/governor.sock";
/// The sensor's own state: keys, sealed segments, trust roots. Root only.
pub const SYSTEM_STATE: &str = "/var/lib/cmdai/sensor";

/// Variable that moves an unprivileged installation. Ignored where [`SYSTEM_MARK`] exists.
pub const STATE_VARIABLE: &str = "CMDAI_STATE_DIR";

/// The places of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The mark that this installation is governed.
    pub mark: PathBuf,
    /// Compiled policy.
    pub snapshot: PathBuf,
    /// Folder of spools; a user's is `<spool>/<uid>/`.
    pub spool: PathBuf,
    /// Governor socket.
    pub socket: PathBuf,
    /// The sensor's own state.
    pub state: PathBuf,
}

impl Places {
    /// The places of a system installation.
    pub fn system() -> Self {
        Self {
            mark: SYSTEM_MARK.into(),
            snapshot: SYSTEM_SNAPSHOT.into(),
            spool: SYSTEM_SPOOL.into(),
            socket: SYSTEM_SOCKET.into(),
            state: SYSTEM_STATE.into(),
        }
    }

    /// The places of an unprivileged installation below `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            mark: root.join("governed.json"),
            snapshot: root.join("policy.snapshot"),
            spool: root.join("spool"),
            socket: root.join("governor.sock"),
            state: root.join("sensor"),
        }
    }

    /// The file beside the snapshot that holds one word, `open` or `closed`: what its policy says
    /// about failing, to be known where the snapshot itself cannot be read.
    pub fn fail_mode(&self) -> PathBuf {
        self.snapshot.with_file_name("policy.fail-mode")
    }

    /// A copy of the snapshot, or of the last one that an older engine reads: used where the snapshot
    /// itself cannot be.
    pub fn last_good(&self) -> PathBuf {
        self.snapshot.with_file_name("policy.last-good")
    }

    /// The folder of one person's spool.
    pub fn user_spool(&self, uid: u32) -> PathBuf {
        self.spool.join(uid.to_string())
    }
}

/// Content of the mark.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct GovernedMark {
    /// Format version, 1.
    pub version: u32,
    /// Organisation that governs.
    pub organisation: String,
    /// This machine.
    pub machine_id: String,
    /// Labels for targeting.
    #[serde(default)]
    pub labels: std::collections::BTreeMap<String, String>,
    /// Teams of the person the machine is assigned to.
    #[serde(default)]
    pub teams: Vec<String>,
}
