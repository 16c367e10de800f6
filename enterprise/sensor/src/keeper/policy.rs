//! Installing releases: verify, compile, publish. The last good one stays.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cmdai_api::machine::Authority;
use cmdai_bundle::{BundleError, Consumer, VerifiedRelease};
use cmdai_policy::{SnapshotMeta, compile, parse};
use cmdai_schema::Hash;
use serde::{Deserialize, Serialize};

use super::exceptions::Lifted;
use crate::identity::{Home, Identity};
use crate::wire::CarriedFile;
use crate::{clock, files};

/// Most files of one release, and most bytes of all together.
const MAX_FILES: usize = 80;
const MAX_BYTES: usize = 20 << 20;

/// The release in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed {
    pub(crate) version: u64,
    pub(crate) policy_yaml: String,
    pub(crate) sha256: String,
    pub(crate) published: String,
    pub(crate) authority: Authority,
    /// When the last proof of freshness lapses.
    pub(crate) expires: String,
    /// When freshness was last proven here.
    pub(crate) verified: String,
}

/// Why a release was not installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A word: `tampered`, `rollback`, `expired`, `policy` …
    pub(crate) kind: &'static str,
    /// In words.
    pub(crate) text: String,
}

/// Verifies carried files. Nothing where nothing was published yet.
pub(crate) fn verify(
    home: &Home,
    identity: &Identity,
    carried: &[CarriedFile],
) -> Result<Option<VerifiedRelease>, Refusal> {
    let staging = home.staging();
    stage(&staging, carried).map_err(|text| Refusal {
        kind: "incomplete",
        text,
    })?;
    let consumer = Consumer::new(identity.tuf_root.clone(), home.seen());
    let verified = consumer.verify_blocking(&staging);
    let _ = std::fs::remove_dir_all(&staging);
    match verified {
        Ok(release) => Ok(Some(release)),
        Err(BundleError::Empty) => Ok(None),
        Err(error) => Err(Refusal {
            kind: error.kind(),
            text: error.to_string(),
        }),
    }
}

/// Writes carried files where the verifier looks, under names that cannot lead elsewhere.
fn stage(staging: &Path, carried: &[CarriedFile]) -> Result<(), String> {
    let fail =
        |error: std::io::Error| format!("the release cannot be put aside for verifying: {error}");
    match std::fs::remove_dir_all(staging) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let total: usize = carried.iter().map(|file| file.content.len()).sum();
    if carried.len() > MAX_FILES || total > MAX_BYTES {
        return Err("the release has too many or too large files".to_owned());
    }
    for folder in ["metadata", "targets"] {
        files::make_folder(&staging.join(folder), 0o700).map_err(fail)?;
    }
    for file in carried {
        let good_name = file
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            && !file.name.starts_with('.');
        if !good_name
            || file.name.len() > 120
            || !matches!(file.folder.as_str(), "metadata" | "targets")
        {
            return Err("the release names a file that cannot be one of its own".to_owned());
        }
        let bytes = STANDARD
            .decode(&file.content)
            .map_err(|_| "the release's files are garbled".to_owned())?;
        std::fs::write(staging.join(&file.folder).join(&file.name), bytes).map_err(fail)?;
    }
    Ok(())
}

impl Installed {
    pub(crate) fn from_release(release: &VerifiedRelease) -> Self {
        Self {
            version: release.version,
            policy_yaml: release.policy_yaml.clone(),
            sha256: release.sha256.clone(),
            published: release.published.clone(),
            authority: release.authority.clone(),
            expires: release.expires.clone(),
            verified: clock::text(clock::now()),
        }
    }

    /// The snapshot for this machine as it is now.
    pub(crate) fn compile(
        &self,
        organisation: &str,
        quarantine: Option<&str>,
        lifted: &[Lifted],
    ) -> Result<Vec<u8>, Refusal> {
        let set = self.read()?;
        let lifts: Vec<cmdai_policy::Lift> = lifted.iter().map(Lifted::lift).collect();
        let meta = SnapshotMeta {
            policy_id: organisation.to_owned(),
            version: self.version.to_string(),
            quarantine: quarantine.map(str::to_owned),
            released: Some(self.published.clone()),
        };
        Ok(compile(&set.lifting(&lifts), &meta))
    }

    /// The document.
    pub(crate) fn read(&self) -> Result<cmdai_policy::PolicySet, Refusal> {
        parse(&self.policy_yaml, "policy.yaml").map_err(|errors| Refusal {
            kind: "policy",
            text: format!("the policy cannot be used: {errors}"),
        })
    }
}

/// `sha256:…` of a snapshot's bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Hash::of(&[bytes]))
}
