//! What a command would do: a closed set of effects with typed arguments.

use serde::{Deserialize, Serialize};

use crate::{Certainty, Span};

/// One thing a command would do, where in the text it comes from, and through which programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// What happens, to what.
    #[serde(flatten)]
    pub kind: EffectKind,
    /// The part of the text that causes it.
    pub span: Span,
    /// Programs from the outermost wrapper inwards, such as `["sudo", "xargs", "rm"]`.
    pub chain: Vec<String>,
    /// How sure the analysis is.
    pub certainty: Certainty,
}

/// Where code that would run comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum CodeSource {
    /// Given in the line itself and analysed.
    Literal,
    /// A file, by normalised path.
    File(String),
    /// Fetched from elsewhere, by address.
    Remote(String),
    /// Cannot be told.
    Unknown,
}

/// The closed set of effects. Paths are absolute and lexically normalised against the working
/// directory and home; `*` stays where a glob was.
#[expect(
    missing_docs,
    reason = "the fields say what they are; each variant is documented"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub enum EffectKind {
    /// A file or tree is removed.
    Delete {
        path: String,
        recursive: bool,
        force: bool,
    },
    /// A file's old content is lost.
    Overwrite { path: String },
    /// A file is created or appended to.
    Write { path: String },
    /// A file or tree is moved.
    Move { from: String, to: String },
    /// A file is read.
    Read { path: String },
    /// A file or store that holds credentials is read.
    ReadSecret { path: String },
    /// Permission bits change.
    ChangeMode {
        path: String,
        mode: String,
        recursive: bool,
    },
    /// Ownership changes.
    ChangeOwner {
        path: String,
        owner: String,
        recursive: bool,
    },
    /// A block device is written.
    DeviceWrite { path: String },
    /// A file system is made.
    Format { path: String },
    /// Something is mounted or unmounted.
    Mount { path: String },
    /// Code runs that is not this line's own.
    RunCode {
        source: CodeSource,
        language: String,
    },
    /// Data comes in from the network.
    Download { url: String, to: Option<String> },
    /// Data leaves the machine.
    Upload { source: String, destination: String },
    /// A port is opened.
    Listen { address: String },
    /// A connection is made.
    Connect { address: String },
    /// Runs with another person's rights.
    Escalate { to: String },
    /// An account is added.
    AddUser { name: String },
    /// A password, key or account changes.
    ChangeCredential { subject: String },
    /// Something will run later or at every start.
    Persistence {
        mechanism: String,
        path: Option<String>,
    },
    /// A protection is switched off.
    DisableSecurity { what: String },
    /// A log or the shell's history is erased or silenced.
    TamperLog { path: String },
    /// Code is loaded into the kernel.
    KernelModule { name: String },
    /// Work in version control is lost.
    HistoryLoss { what: String },
    /// A remote branch is overwritten.
    ForcePush { remote: String, branch: String },
    /// A branch is removed.
    BranchDelete {
        branch: String,
        remote: Option<String>,
    },
    /// A resource of a cloud, cluster, container engine, infrastructure code or database is destroyed.
    ResourceDestroy {
        resource: String,
        name: String,
        provider: String,
        context: Option<String>,
    },
    /// Such a resource changes.
    ResourceChange {
        resource: String,
        name: String,
        provider: String,
        context: Option<String>,
    },
    /// A package is installed.
    PackageInstall {
        manager: String,
        name: String,
        source: String,
    },
    /// A service starts, stops or changes.
    ServiceControl { service: String, action: String },
    /// Processes are ended.
    ProcessKill { target: String, all: bool },
    /// The machine stops or restarts.
    Power { action: String },
    /// Memory, processes or disk are exhausted.
    ResourceExhaustion { how: String },
    /// Could do something that cannot be told from the text.
    Unknown { why: String },
}

impl EffectKind {
    /// The name in documents and rules, such as `delete` or `force-push`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Delete { .. } => "delete",
            Self::Overwrite { .. } => "overwrite",
            Self::Write { .. } => "write",
            Self::Move { .. } => "move",
            Self::Read { .. } => "read",
            Self::ReadSecret { .. } => "read-secret",
            Self::ChangeMode { .. } => "change-mode",
            Self::ChangeOwner { .. } => "change-owner",
            Self::DeviceWrite { .. } => "device-write",
            Self::Format { .. } => "format",
            Self::Mount { .. } => "mount",
            Self::RunCode { .. } => "run-code",
            Self::Download { .. } => "download",
            Self::Upload { .. } => "upload",
            Self::Listen { .. } => "listen",
            Self::Connect { .. } => "connect",
            Self::Escalate { .. } => "escalate",
            Self::AddUser { .. } => "add-user",
            Self::ChangeCredential { .. } => "change-credential",
            Self::Persistence { .. } => "persistence",
            Self::DisableSecurity { .. } => "disable-security",
            Self::TamperLog { .. } => "tamper-log",
            Self::KernelModule { .. } => "kernel-module",
            Self::HistoryLoss { .. } => "history-loss",
            Self::ForcePush { .. } => "force-push",
            Self::BranchDelete { .. } => "branch-delete",
            Self::ResourceDestroy { .. } => "resource-destroy",
            Self::ResourceChange { .. } => "resource-change",
            Self::PackageInstall { .. } => "package-install",
            Self::ServiceControl { .. } => "service-control",
            Self::ProcessKill { .. } => "process-kill",
            Self::Power { .. } => "power",
            Self::ResourceExhaustion { .. } => "resource-exhaustion",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The path it acts on, where it acts on one. For a move, the path that is moved away.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Delete { path, .. }
            | Self::Overwrite { path }
            | Self::Write { path }
            | Self::Read { path }
            | Self::ReadSecret { path }
            | Self::ChangeMode { path, .. }
            | Self::ChangeOwner { path, .. }
            | Self::DeviceWrite { path }
            | Self::Format { path }
            | Self::Mount { path }
            | Self::TamperLog { path } => Some(path),
            Self::Move { from, .. } => Some(from),
            Self::Persistence { path, .. } => path.as_deref(),
            Self::RunCode {
                source: CodeSource::File(path),
                ..
            } => Some(path),
            _ => None,
        }
    }
}
