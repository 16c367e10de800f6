//! What a caller chooses.

use std::path::PathBuf;
use std::time::Duration;

use cmdai_schema::paths::Places;
pub use cmdai_spool::Limits as BufferLimits;
use serde::{Deserialize, Serialize};

/// Program and arguments that start the courier: they must end in [`crate::courier_main`].
pub type CourierProgram = (PathBuf, Vec<String>);

/// How to enrol.
#[derive(Debug, Clone)]
pub struct EnrolOptions {
    /// Address of the machine listener, `https://…`.
    pub server: String,
    /// The token line.
    pub token: String,
    /// Where things lie.
    pub places: Places,
    /// This machine's name.
    pub hostname: String,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where things lie.
    pub places: Places,
    /// How the courier is started.
    pub courier: CourierProgram,
    /// Account that the courier runs as where the keeper is root.
    pub courier_account: String,
    /// How the process is started that judges what the kernel saw: it must end in
    /// [`crate::judge_main`].
    pub judge: CourierProgram,
    /// Where programs that start are told of, where the policy wants to know.
    pub exec_source: crate::ExecSource,
    /// Files whose change is reported: hook files, agents' settings.
    pub watch: Vec<PathBuf>,
    /// How long an approval request stays open.
    pub request_lifetime: Duration,
    /// Speeds of the courier.
    pub pace: Pace,
    /// Bounds of the sealed spool.
    pub buffer: BufferLimits,
    /// For how long sealed events must have been older than policy keeps them before they are dropped; it is
    /// looked at ten times in it.
    pub settles: Duration,
}

/// Roads of releases beside the server, kept in `roads.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Roads {
    /// A folder in which `release.cmdai` is dropped; the courier's account must be able to read it.
    pub directory: Option<PathBuf>,
    /// A git repository with `release.cmdai`.
    pub git: Option<Git>,
}

/// Where in git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Git {
    /// `https://…`, `ssh://…` or `file://…`.
    pub url: String,
    /// A branch or tag, in full: `refs/heads/main`.
    pub reference: String,
}

impl Options {
    /// The usual choices.
    pub fn new(places: Places) -> Self {
        Self {
            places,
            courier: (
                std::env::current_exe().unwrap_or_default(),
                vec!["sensor-courier".to_owned()],
            ),
            courier_account: "nobody".to_owned(),
            judge: (
                std::env::current_exe().unwrap_or_default(),
                vec!["sensor-judge".to_owned()],
            ),
            exec_source: crate::ExecSource::default(),
            watch: Vec::new(),
            request_lifetime: Duration::from_secs(8 * 3600),
            pace: Pace::default(),
            buffer: BufferLimits::default(),
            settles: Duration::from_secs(600),
        }
    }
}

/// Speeds, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How often the courier asks the keeper for work.
    pub poll_ms: u64,
    /// First wait after a failure; doubles with each further one.
    pub backoff_min_ms: u64,
    /// Longest wait after failures.
    pub backoff_max_ms: u64,
    /// How long a contact may be held open by the server.
    pub hold_ms: u64,
    /// Longest that fetching a release may take as a whole.
    pub fetch_ms: u64,
    /// How often a folder is looked at.
    pub directory_ms: u64,
    /// How often a git repository is looked at.
    pub git_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll_ms: 200,
            backoff_min_ms: 500,
            backoff_max_ms: 60_000,
            hold_ms: 25_000,
            fetch_ms: 60_000,
            directory_ms: 2_000,
            git_ms: 60_000,
        }
    }
}
