//! What is wrong with a release, in words.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::path::Path;

use serde_json::Value;
use tough::TransportErrorKind;
use tough::error::Error as Tuf;

/// Why a release is refused. What is installed stays.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file is not the one that was signed.
    #[error("the release was tampered with: {what}")]
    Tampered {
        /// Which file, and how it shows.
        what: String,
    },
    /// Something older than what this machine has already seen.
    #[error("rollback refused: {what}")]
    Rollback {
        /// Which role, and both versions.
        what: String,
    },
    /// Metadata past its time.
    #[error(
        "the {role} metadata is expired: the server must sign it anew, or this machine's clock is wrong"
    )]
    Expired {
        /// Which role.
        role: String,
    },
    /// Signed by keys that the trusted root does not name.
    #[error("the {role} metadata is signed by a key that the trusted root does not name")]
    WrongKey {
        /// Which role.
        role: String,
    },
    /// The server's progress key signed what it may not.
    #[error("a key went beyond its duty: {what}")]
    Overreach {
        /// What it signed.
        what: String,
    },
    /// A file is longer than allowed.
    #[error("{what} is longer than allowed")]
    Oversize {
        /// Which file.
        what: String,
    },
    /// A file is missing.
    #[error("the release is incomplete: {what} cannot be read")]
    Incomplete {
        /// Which file.
        what: String,
    },
    /// There is no release yet.
    #[error("nothing has been published yet")]
    Empty,
    /// The trust root of this machine cannot be used.
    #[error("this machine's trust root cannot be used: {what}; enrol again")]
    Root {
        /// Why.
        what: String,
    },
    /// This machine's own memory of releases cannot be kept.
    #[error("cannot keep the memory of seen releases: {what}")]
    Datastore {
        /// Why.
        what: String,
    },
    /// Verified, but its content makes no sense.
    #[error("the release's {what} cannot be read")]
    Content {
        /// Which target, and why.
        what: String,
    },
}

impl BundleError {
    /// A word for events and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tampered { .. } => "tampered",
            Self::Rollback { .. } => "rollback",
            Self::Expired { .. } => "expired",
            Self::WrongKey { .. } => "wrong_key",
            Self::Overreach { .. } => "overreach",
            Self::Oversize { .. } => "oversize",
            Self::Incomplete { .. } => "incomplete",
            Self::Empty => "empty",
            Self::Root { .. } => "root",
            Self::Datastore { .. } => "datastore",
            Self::Content { .. } => "content",
        }
    }
}

/// Puts the library's error into our words. `trusted_root` and `metadata` are looked at to tell a
/// changed file from one signed by another key: both fail the same check.
pub(crate) fn classify(error: &Tuf, trusted_root: &[u8], metadata: &Path) -> BundleError {
    let mut link: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = link {
        match current.downcast_ref::<Tuf>() {
            Some(Tuf::HashMismatch { context, .. }) => {
                return BundleError::Tampered {
                    what: format!("{} has another digest than was signed", last_part(context)),
                };
            }
            Some(Tuf::MaxSizeExceeded { specifier, .. }) => {
                return BundleError::Oversize {
                    what: format!("a file bounded by {specifier}"),
                };
            }
            _ => {}
        }
        link = current.source();
    }
    match error {
        Tuf::ExpiredMetadata { role, .. } => BundleError::Expired {
            role: role.to_string(),
        },
        Tuf::OlderMetadata { .. }
        | Tuf::OlderSnapshotInTimestamp { .. }
        | Tuf::SnapshotRoleRollback { .. }
        | Tuf::SnapshotRoleMissing { .. } => BundleError::Rollback {
            what: error.to_string(),
        },
        Tuf::VerifyMetadata { role, .. } => {
            let role = role.to_string();
            if signed_by_strangers(&role, trusted_root, metadata) {
                BundleError::WrongKey { role }
            } else {
                BundleError::Tampered {
                    what: format!("the signature of the {role} metadata does not fit its content"),
                }
            }
        }
        Tuf::ParseTrustedMetadata { .. } | Tuf::VerifyTrustedMetadata { .. } => BundleError::Root {
            what: error.to_string(),
        },
        Tuf::Transport { source, .. } if source.kind() == TransportErrorKind::FileNotFound => {
            BundleError::Incomplete {
                what: last_part(&source.to_string()),
            }
        }
        Tuf::Transport { .. } => BundleError::Incomplete {
            what: error.to_string(),
        },
        Tuf::DatastoreInit { .. }
        | Tuf::DatastoreCreate { .. }
        | Tuf::DatastoreOpen { .. }
        | Tuf::DatastoreRemove { .. }
        | Tuf::DatastoreSerialize { .. } => BundleError::Datastore {
            what: error.to_string(),
        },
        _ => BundleError::Tampered {
            what: error.to_string(),
        },
    }
}

fn last_part(text: &str) -> String {
    text.rsplit('/')
        .next()
        .unwrap_or(text)
        .trim_matches(|c: char| c == '\'' || c == '"')
        .to_owned()
}

/// True where no signature of the role's file names a key of the role.
fn signed_by_strangers(role: &str, trusted_root: &[u8], metadata: &Path) -> bool {
    let known = || -> Option<BTreeSet<String>> {
        let root: Value = serde_json::from_slice(trusted_root).ok()?;
        let ids = root
            .get("signed")?
            .get("roles")?
            .get(role)?
            .get("keyids")?
            .as_array()?;
        Some(
            ids.iter()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect(),
        )
    };
    let signers = || -> Option<BTreeSet<String>> {
        let suffix = format!("{role}.json");
        let mut newest: Option<(u64, std::path::PathBuf)> = None;
        for entry in std::fs::read_dir(metadata).ok()?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == suffix || name.ends_with(&format!(".{suffix}")) {
                let version = name
                    .split('.')
                    .next()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                if newest.as_ref().is_none_or(|(seen, _)| version >= *seen) {
                    newest = Some((version, entry.path()));
                }
            }
        }
        let bytes = std::fs::read(newest?.1).ok()?;
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        let list = value.get("signatures")?.as_array()?;
        Some(
            list.iter()
                .filter_map(|item| item.get("keyid")?.as_str().map(str::to_owned))
                .collect(),
        )
    };
    match (known(), signers()) {
        (Some(known), Some(signers)) => known.is_disjoint(&signers),
        _ => false,
    }
}
