//! Installing releases: verify, compile, publish. The last good one stays.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cmdai_api::machine::{Approvers, Authority};
use cmdai_bundle::{BundleError, CarriedFile, Consumer, VerifiedRelease, unpack};
use cmdai_policy::{SnapshotMeta, compile, parse};
use cmdai_schema::Hash;
use serde::{Deserialize, Serialize};

use super::exceptions::Lifted;
use crate::identity::{Home, Identity};
use crate::wire::Road;
use crate::{clock, files};

/// The release in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed {
    pub(crate) version: u64,
    pub(crate) policy_yaml: String,
    pub(crate) sha256: String,
    pub(crate) published: String,
    pub(crate) authority: Authority,
    /// Security keys of those who may approve.
    #[serde(default)]
    pub(crate) approvers: Approvers,
    /// Who signs releases, and with them the keys above: `server` where people do not.
    #[serde(default)]
    pub(crate) publishers: Vec<String>,
    /// When the last proof of freshness lapses.
    pub(crate) expires: String,
    /// When freshness was last proven here.
    pub(crate) verified: String,
    /// The road that it came by.
    #[serde(default)]
    pub(crate) source: String,
}

/// Why a release was not installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A word: `tampered`, `rollback`, `expired`, `policy`, `engine` …
    pub(crate) kind: &'static str,
    /// In words.
    pub(crate) text: String,
}

/// Version of the root that this machine trusts.
pub(crate) fn root_version(home: &Home, identity: &Identity) -> u64 {
    Consumer::new(identity.tuf_root.clone(), home.seen()).root_version()
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

/// Writes carried files where the verifier looks.
fn stage(staging: &Path, carried: &[CarriedFile]) -> Result<(), String> {
    let fail =
        |error: std::io::Error| format!("the release cannot be put aside for verifying: {error}");
    match std::fs::remove_dir_all(staging) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    for folder in ["metadata", "targets"] {
        files::make_folder(&staging.join(folder), 0o700).map_err(fail)?;
    }
    unpack(staging, carried)
}

/// What identifies the state of carried files: the digest of their timestamp.
pub(crate) fn stamp(carried: &[CarriedFile]) -> String {
    carried
        .iter()
        .find(|file| file.name == "timestamp.json")
        .and_then(|file| STANDARD.decode(&file.content).ok())
        .map_or_else(String::new, |bytes| Hash::of(&[&bytes]).to_hex())
}

impl Installed {
    pub(crate) fn from_release(release: &VerifiedRelease, road: Road) -> Self {
        Self {
            version: release.version,
            policy_yaml: release.policy_yaml.clone(),
            sha256: release.sha256.clone(),
            published: release.published.clone(),
            authority: release.authority.clone(),
            approvers: release.approvers.clone(),
            publishers: release.publishers.clone(),
            expires: release.expires.clone(),
            verified: clock::text(clock::now()),
            source: road.as_str().to_owned(),
        }
    }

    /// The release before a verified one, for a machine whose ring is closed.
    pub(crate) fn from_previous(release: &VerifiedRelease, road: Road) -> Option<Self> {
        let spread = release.spread.as_ref()?;
        Some(Self {
            version: spread.previous.version,
            policy_yaml: spread.previous_policy.clone(),
            sha256: spread.previous.sha256.clone(),
            published: spread.previous.published.clone(),
            ..Self::from_release(release, road)
        })
    }

    /// What is installed stays; that it may is proven anew, and who may give grants and orders is as
    /// the newest release says.
    pub(crate) fn proven_by(&self, release: &VerifiedRelease) -> Self {
        Self {
            authority: release.authority.clone(),
            approvers: release.approvers.clone(),
            publishers: release.publishers.clone(),
            expires: release.expires.clone(),
            verified: clock::text(clock::now()),
            ..self.clone()
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
            kind: if errors.is_for_newer_engine() {
                "engine"
            } else {
                "policy"
            },
            text: format!("the policy cannot be used: {errors}"),
        })
    }
}

/// `sha256:…` of a snapshot's bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Hash::of(&[bytes]))
}
