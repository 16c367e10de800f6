//! Verifying a release on a machine.

use std::io;
use std::path::{Path, PathBuf};

use cmdai_api::machine::Authority;
use tough::error::Error as Tuf;
use tough::{
    ExpirationEnforcement, FilesystemTransport, IntoVec as _, Limits, Repository, RepositoryLoader,
    TargetName,
};
use url::Url;

use crate::error::{BundleError, classify};
use crate::layout::{AUTHORITY, MAX_METADATA, POLICY, RELEASE, TARGETS};
use crate::publisher::{ORGANISATION, Release};

/// A release that carries every signature it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRelease {
    /// Version, counted by the publisher.
    pub version: u64,
    /// The policy document.
    pub policy_yaml: String,
    /// SHA-256 of the document, hex.
    pub sha256: String,
    /// When it was published, RFC 3339.
    pub published: String,
    /// Keys that may sign grants and orders.
    pub authority: Authority,
    /// Organisation named by the trust root.
    pub organisation: String,
    /// When the proof of freshness lapses, RFC 3339.
    pub expires: String,
    /// Number of the timestamp: grows with each new proof of freshness.
    pub timestamp_version: u64,
    /// The clock was behind the last look; freshness was judged by the clock as it is now.
    pub clock_stepped_back: bool,
}

/// Verifies releases against one trust root, remembering what it has seen.
#[derive(Debug, Clone)]
pub struct Consumer {
    trusted_root: Vec<u8>,
    datastore: PathBuf,
}

/// What is remembered between looks.
const MEMORY: [&str; 5] = [
    "root.json",
    "snapshot.json",
    "targets.json",
    "latest_known_time.json",
    "timestamp.json",
];

impl Consumer {
    /// `trusted_root` is the root metadata received at enrolment; `datastore` a folder of the
    /// caller alone, made where it is missing.
    pub fn new(trusted_root: impl Into<Vec<u8>>, datastore: impl Into<PathBuf>) -> Self {
        Self {
            trusted_root: trusted_root.into(),
            datastore: datastore.into(),
        }
    }

    /// Verifies the repository in `repo_dir` (`metadata/` and `targets/` below it).
    ///
    /// The memory of seen versions moves forward only where the whole release is good; each of its
    /// files is replaced by rename, so that a crash leaves old or new ones, never halves.
    ///
    /// # Errors
    /// [`BundleError`], which says what kind of trouble it is.
    pub async fn verify(&self, repo_dir: &Path) -> Result<VerifiedRelease, BundleError> {
        let store = |error: io::Error| BundleError::Datastore {
            what: error.to_string(),
        };
        let work = self.datastore.join("work");
        match std::fs::remove_dir_all(&work) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(store(error)),
            _ => {}
        }
        std::fs::create_dir_all(&work).map_err(store)?;
        for name in MEMORY {
            match std::fs::copy(self.datastore.join(name), work.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(store(error)),
                _ => {}
            }
        }
        let url = |name: &str| {
            let path = repo_dir.join(name);
            let absolute = std::path::absolute(&path)
                .ok()
                .and_then(|path| Url::from_directory_path(path).ok());
            absolute.ok_or_else(|| BundleError::Incomplete {
                what: path.display().to_string(),
            })
        };
        let urls = (url("metadata")?, url("targets")?);
        let mut stepped_back = false;
        let repository = match self.load(urls.clone(), &work).await {
            Err(Tuf::SystemTimeSteppedBackward { .. }) => {
                // Rollback is prevented by versions, not by the clock. A machine whose clock was
                // wrong by years must be able to come back.
                stepped_back = true;
                std::fs::remove_file(work.join("latest_known_time.json")).map_err(store)?;
                self.load(urls.clone(), &work).await
            }
            other => other,
        }
        .map_err(|error| self.explain(&error, repo_dir))?;
        let mut release = self.read(&repository, repo_dir).await?;
        release.clock_stepped_back = stepped_back;
        for name in MEMORY {
            let fresh = work.join(name);
            match std::fs::File::open(&fresh).and_then(|file| file.sync_all()) {
                Ok(()) => std::fs::rename(&fresh, self.datastore.join(name)).map_err(store)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(store(error)),
            }
        }
        std::fs::File::open(&self.datastore)
            .and_then(|folder| folder.sync_all())
            .map_err(store)?;
        let _ = std::fs::remove_dir_all(&work);
        Ok(release)
    }

    /// [`Consumer::verify`] for callers without a runtime; not to be called inside one.
    ///
    /// # Errors
    /// As [`Consumer::verify`].
    pub fn verify_blocking(&self, repo_dir: &Path) -> Result<VerifiedRelease, BundleError> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| BundleError::Datastore {
                what: error.to_string(),
            })?
            .block_on(self.verify(repo_dir))
    }

    fn explain(&self, error: &Tuf, repo_dir: &Path) -> BundleError {
        classify(error, &self.trusted_root, &repo_dir.join("metadata"))
    }

    async fn load(&self, (metadata, targets): (Url, Url), work: &Path) -> Result<Repository, Tuf> {
        RepositoryLoader::new(&self.trusted_root, metadata, targets)
            .transport(FilesystemTransport)
            .limits(Limits {
                max_root_size: MAX_METADATA,
                max_targets_size: MAX_METADATA,
                max_timestamp_size: MAX_METADATA,
                max_snapshot_size: MAX_METADATA,
                max_root_updates: 64,
            })
            .datastore(work)
            .expiration_enforcement(ExpirationEnforcement::Safe)
            .load()
            .await
    }

    async fn read(
        &self,
        repository: &Repository,
        repo_dir: &Path,
    ) -> Result<VerifiedRelease, BundleError> {
        let mut texts = Vec::new();
        for (name, limit) in TARGETS {
            texts.push(self.target(repository, name, limit, repo_dir).await?);
        }
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap_or_default();
        let (policy_yaml, authority, release) = (next(), next(), next());
        let content = |what: &str, error: &dyn std::fmt::Display| BundleError::Content {
            what: format!("{what}: {error}"),
        };
        let authority: Authority =
            serde_json::from_str(&authority).map_err(|error| content(AUTHORITY, &error))?;
        let release: Release =
            serde_json::from_str(&release).map_err(|error| content(RELEASE, &error))?;
        let sha256 = cmdai_schema::Hash::of(&[policy_yaml.as_bytes()]).to_hex();
        if sha256 != release.sha256 {
            return Err(content(
                RELEASE,
                &"it names another digest than the policy has",
            ));
        }
        let organisation = repository
            .root()
            .signed
            ._extra
            .get(ORGANISATION)
            .and_then(|value| value.as_str())
            .unwrap_or_default();
        Ok(VerifiedRelease {
            version: release.version,
            policy_yaml,
            sha256,
            published: release.published,
            authority,
            organisation: organisation.to_owned(),
            expires: repository.timestamp().signed.expires.to_string(),
            timestamp_version: repository.timestamp().signed.version.get(),
            clock_stepped_back: false,
        })
    }

    async fn target(
        &self,
        repository: &Repository,
        name: &str,
        limit: u64,
        repo_dir: &Path,
    ) -> Result<String, BundleError> {
        let target = TargetName::new(name).map_err(|error| self.explain(&error, repo_dir))?;
        let Some(signed) = repository.targets().signed.targets.get(&target) else {
            return Err(if name == POLICY {
                BundleError::Empty
            } else {
                BundleError::Incomplete {
                    what: name.to_owned(),
                }
            });
        };
        if signed.length > limit {
            return Err(BundleError::Oversize {
                what: name.to_owned(),
            });
        }
        let stream = repository
            .read_target(&target)
            .await
            .map_err(|error| self.explain(&error, repo_dir))?
            .ok_or_else(|| BundleError::Incomplete {
                what: name.to_owned(),
            })?;
        // Stops at the first error: the stream goes on yielding after one.
        let bytes = stream
            .into_vec()
            .await
            .map_err(|error| self.explain(&error, repo_dir))?;
        String::from_utf8(bytes).map_err(|_| BundleError::Content {
            what: format!("{name}: it is not UTF-8"),
        })
    }
}
