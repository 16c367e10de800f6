//! Names of the files of a release, for whoever carries them.
//!
//! A carrier is not trusted: these functions read names out of files that nobody has verified yet
//! and bound what they return. The order is `timestamp.json` → [`snapshot_file`] →
//! [`targets_file`] and [`progress_file`] → [`target_files`], and [`next_root`] until there is none.

use serde_json::Value;

/// Longest metadata file, in bytes.
pub const MAX_METADATA: u64 = 256 * 1024;
/// Longest `policy.yaml`, in bytes.
pub const MAX_POLICY: u64 = 1024 * 1024;
/// Longest `authority.json` and `release.json`, in bytes.
pub const MAX_AUTHORITY: u64 = 64 * 1024;
/// Longest `impact.json`, in bytes: forty changes and forty rules, each word cut.
pub(crate) const MAX_IMPACT: u64 = 256 * 1024;
/// Longest `approvers.json`, in bytes: some five hundred keys.
pub const MAX_APPROVERS: u64 = 256 * 1024;

pub(crate) const POLICY: &str = "policy.yaml";
pub(crate) const AUTHORITY: &str = "authority.json";
pub(crate) const APPROVERS: &str = "approvers.json";
pub(crate) const RELEASE: &str = "release.json";
pub(crate) const IMPACT: &str = "impact.json";
pub(crate) const RINGS: &str = "rings.json";
pub(crate) const PREVIOUS: &str = "previous.json";
pub(crate) const PREVIOUS_POLICY: &str = "previous-policy.yaml";
pub(crate) const PROGRESS: &str = "progress.json";
/// Documents that people sign, each with its longest length; the first three are in every release.
pub(crate) const TARGETS: [(&str, u64); 8] = [
    (POLICY, MAX_POLICY),
    (AUTHORITY, MAX_AUTHORITY),
    (RELEASE, MAX_AUTHORITY),
    (RINGS, MAX_AUTHORITY),
    (PREVIOUS, MAX_AUTHORITY),
    (PREVIOUS_POLICY, MAX_POLICY),
    (APPROVERS, MAX_APPROVERS),
    (IMPACT, MAX_IMPACT),
];

/// Longest that a document may be; nothing where a release has none of this name.
pub(crate) fn limit_of(name: &str) -> Option<u64> {
    TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, limit)| *limit)
}

/// A file of the repository, below `metadata/` or `targets/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFile {
    /// `metadata` or `targets`.
    pub folder: &'static str,
    /// Name in it: letters, digits, dots and hyphens only.
    pub name: String,
    /// Longest that it may be, in bytes.
    pub limit: u64,
}

impl RepositoryFile {
    /// The newest timestamp: where every look begins.
    pub fn timestamp() -> Self {
        metadata("timestamp.json".to_owned())
    }

    /// Path below the repository's folder and the server's `/v1/tuf/`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}

fn metadata(name: String) -> RepositoryFile {
    RepositoryFile {
        folder: "metadata",
        name,
        limit: MAX_METADATA,
    }
}

/// The root after version `version`.
pub fn next_root(version: u64) -> RepositoryFile {
    metadata(format!("{}.root.json", version.saturating_add(1)))
}

fn meta_version(bytes: &[u8], file: &str) -> Option<u64> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    value
        .get("signed")?
        .get("meta")?
        .get(file)?
        .get("version")?
        .as_u64()
}

/// The snapshot that a timestamp names; nothing where the timestamp cannot be read.
pub fn snapshot_file(timestamp: &[u8]) -> Option<RepositoryFile> {
    Some(metadata(format!(
        "{}.snapshot.json",
        meta_version(timestamp, "snapshot.json")?
    )))
}

/// The targets metadata that a snapshot names; nothing where the snapshot cannot be read.
pub fn targets_file(snapshot: &[u8]) -> Option<RepositoryFile> {
    Some(metadata(format!(
        "{}.targets.json",
        meta_version(snapshot, "targets.json")?
    )))
}

/// The progress metadata that a snapshot names; nothing where it names none.
pub fn progress_file(snapshot: &[u8]) -> Option<RepositoryFile> {
    Some(metadata(format!(
        "{}.progress.json",
        meta_version(snapshot, PROGRESS)?
    )))
}

/// The documents that targets or progress metadata name; empty where there is none yet or the metadata cannot be read.
pub fn target_files(targets: &[u8]) -> Vec<RepositoryFile> {
    let Ok(value) = serde_json::from_slice::<Value>(targets) else {
        return Vec::new();
    };
    let digest = |name: &str| -> Option<String> {
        let text = value
            .get("signed")?
            .get("targets")?
            .get(name)?
            .get("hashes")?
            .get("sha256")?
            .as_str()?;
        (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| text.to_owned())
    };
    TARGETS
        .into_iter()
        .chain([(PROGRESS, MAX_AUTHORITY)])
        .filter_map(|(name, limit)| {
            Some(RepositoryFile {
                folder: "targets",
                name: format!("{}.{name}", digest(name)?),
                limit,
            })
        })
        .collect()
}
