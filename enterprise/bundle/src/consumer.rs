//! Verifying a release on a machine.

use std::io;
use std::path::{Path, PathBuf};

use cmdai_api::machine::{Approvers, Authority};
use tough::error::Error as Tuf;
use tough::{
    ExpirationEnforcement, FilesystemTransport, IntoVec as _, Limits, Repository, RepositoryLoader,
    TargetName,
};
use url::Url;

use crate::draft::progress_key;
use crate::error::{BundleError, classify};
use crate::layout::{
    APPROVERS, AUTHORITY, MAX_AUTHORITY, MAX_METADATA, MAX_POLICY, POLICY, PREVIOUS,
    PREVIOUS_POLICY, PROGRESS, RELEASE, RINGS, limit_of,
};
use crate::publisher::Release;
use crate::rings::{Progress, Rings};
use crate::root::{ORGANISATION, RootFile};

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
    /// Security keys of those who may approve; none in releases of older servers.
    pub approvers: Approvers,
    /// Holders of the keys that sign releases, as the root names them: `server` where people do not.
    pub publishers: Vec<String>,
    /// Organisation named by the trust root.
    pub organisation: String,
    /// When the proof of freshness lapses, RFC 3339.
    pub expires: String,
    /// Number of the timestamp: grows with each new proof of freshness.
    pub timestamp_version: u64,
    /// The clock was behind the last look; freshness was judged by the clock as it is now.
    pub clock_stepped_back: bool,
    /// Version of the root that vouches for it.
    pub root_version: u64,
    /// By which rings it spreads; nothing where it is for everybody at once.
    pub spread: Option<Spread>,
}

/// Rings of a release, how far they are open, and what holds until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// The rings, signed by people.
    pub rings: Rings,
    /// How far they are open, signed by the server; nothing where it says nothing about this release.
    pub progress: Option<Progress>,
    /// The release before.
    pub previous: Release,
    /// Its policy.
    pub previous_policy: String,
}

/// What a machine does with a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Install it.
    Newest,
    /// Install the one before: its ring is closed, and what it has is older still.
    Previous,
    /// Keep what is installed.
    Stay,
}

impl VerifiedRelease {
    /// What this machine does, by its own id and labels.
    pub fn choose(
        &self,
        machine_id: &str,
        labels: &std::collections::BTreeMap<String, String>,
        installed: Option<u64>,
    ) -> Choice {
        let Some(spread) = &self.spread else {
            return Choice::Newest;
        };
        if installed == Some(self.version)
            || spread
                .rings
                .open_for(spread.progress.as_ref(), machine_id, labels)
        {
            Choice::Newest
        } else if installed.is_none_or(|installed| installed < spread.previous.version) {
            Choice::Previous
        } else {
            Choice::Stay
        }
    }
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
        let root = self.root();
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
        let repository = match self.load(&root, urls.clone(), &work).await {
            Err(Tuf::SystemTimeSteppedBackward { .. }) => {
                // Rollback is prevented by versions, not by the clock. A machine whose clock was
                // wrong by years must be able to come back.
                stepped_back = true;
                std::fs::remove_file(work.join("latest_known_time.json")).map_err(store)?;
                self.load(&root, urls.clone(), &work).await
            }
            other => other,
        };
        let repository = match repository {
            Ok(repository) => repository,
            Err(error) => {
                // A root is verified by the one before it: it counts whatever else is wrong, so that
                // a key that was revoked stays so.
                self.keep_root(&root, &work).map_err(store)?;
                return Err(self.explain(&error, &root, repo_dir));
            }
        };
        let read = self.read(&repository, &root, repo_dir).await;
        if read.is_err() {
            self.keep_root(&root, &work).map_err(store)?;
        }
        let mut release = read?;
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

    /// The newest root that this machine has verified: the one it was enrolled with, or one that it
    /// followed since. Starting at the first each time would make every later change of the server's
    /// keys look new, and forget with it what was seen.
    fn root(&self) -> Vec<u8> {
        let version = |bytes: &[u8]| {
            std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| RootFile::parse(text).ok())
                .map_or(0, |root| root.version())
        };
        match std::fs::read(self.datastore.join("root.json")) {
            Ok(seen) if version(&seen) > version(&self.trusted_root) => seen,
            _ => self.trusted_root.clone(),
        }
    }

    /// Version of the newest root that this machine has verified.
    pub fn root_version(&self) -> u64 {
        std::str::from_utf8(&self.root())
            .ok()
            .and_then(|text| RootFile::parse(text).ok())
            .map_or(0, |root| root.version())
    }

    /// Keeps a root that was followed in this look, also where the rest is refused.
    fn keep_root(&self, before: &[u8], work: &Path) -> io::Result<()> {
        let version = |bytes: &[u8]| {
            std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| RootFile::parse(text).ok())
                .map_or(0, |root| root.version())
        };
        let fresh = work.join("root.json");
        let Ok(bytes) = std::fs::read(&fresh) else {
            return Ok(());
        };
        if version(&bytes) <= version(before) {
            return Ok(());
        }
        std::fs::File::open(&fresh)?.sync_all()?;
        std::fs::rename(&fresh, self.datastore.join("root.json"))?;
        // What the dropped keys said of versions counts no more, or a stolen key could have run ahead.
        for name in ["timestamp.json", "snapshot.json"] {
            if !work.join(name).exists() {
                match std::fs::remove_file(self.datastore.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        std::fs::File::open(&self.datastore)?.sync_all()
    }

    fn explain(&self, error: &Tuf, root: &[u8], repo_dir: &Path) -> BundleError {
        classify(error, root, &repo_dir.join("metadata"))
    }

    async fn load(
        &self,
        root: &[u8],
        (metadata, targets): (Url, Url),
        work: &Path,
    ) -> Result<Repository, Tuf> {
        RepositoryLoader::new(&root, metadata, targets)
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
        root: &[u8],
        repo_dir: &Path,
    ) -> Result<VerifiedRelease, BundleError> {
        let look = Look {
            consumer: self,
            repository,
            root,
            repo_dir,
        };
        let policy_yaml = look
            .text(POLICY, MAX_POLICY)
            .await?
            .ok_or(BundleError::Empty)?;
        look.duties()?;
        let authority: Authority = look.needed(AUTHORITY).await?;
        let release: Release = look.needed(RELEASE).await?;
        let approvers = look.json::<Approvers>(APPROVERS).await?.unwrap_or_default();
        let publishers = serde_json::to_string(repository.root())
            .ok()
            .and_then(|text| RootFile::parse(&text).ok())
            .map(|root| root.publishers())
            .unwrap_or_default();
        let sha256 = cmdai_schema::Hash::of(&[policy_yaml.as_bytes()]).to_hex();
        if sha256 != release.sha256 {
            return Err(content(
                RELEASE,
                &"it names another digest than the policy has",
            ));
        }
        let spread = match look.json::<Rings>(RINGS).await? {
            None => None,
            Some(rings) => {
                rings.check().map_err(|error| content(RINGS, &error))?;
                let previous: Release = look.needed(PREVIOUS).await?;
                let previous_policy = look.text(PREVIOUS_POLICY, MAX_POLICY).await?;
                let previous_policy = previous_policy.ok_or_else(|| BundleError::Incomplete {
                    what: PREVIOUS_POLICY.to_owned(),
                })?;
                let digest = cmdai_schema::Hash::of(&[previous_policy.as_bytes()]).to_hex();
                if previous.sha256 != digest
                    || previous.version >= release.version
                    || rings.release != release.version
                    || rings.salt != sha256
                {
                    return Err(content(RINGS, &"it does not belong to this release"));
                }
                Some(Spread {
                    rings,
                    // What speaks of another release opens nothing.
                    progress: look.json::<Progress>(PROGRESS).await?.filter(|progress| {
                        progress.version == 1 && progress.release == release.version
                    }),
                    previous,
                    previous_policy,
                })
            }
        };
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
            approvers,
            publishers,
            organisation: organisation.to_owned(),
            expires: repository.timestamp().signed.expires.to_string(),
            timestamp_version: repository.timestamp().signed.version.get(),
            clock_stepped_back: false,
            root_version: repository.root().signed.version.get(),
            spread,
        })
    }
}

fn content(what: &str, error: &dyn std::fmt::Display) -> BundleError {
    BundleError::Content {
        what: format!("{what}: {error}"),
    }
}

/// One look at a verified repository.
struct Look<'a> {
    consumer: &'a Consumer,
    repository: &'a Repository,
    root: &'a [u8],
    repo_dir: &'a Path,
}

impl Look<'_> {
    fn explain(&self, error: &Tuf) -> BundleError {
        self.consumer.explain(error, self.root, self.repo_dir)
    }

    /// The server's progress role says how far rings are open, and nothing else.
    fn duties(&self) -> Result<(), BundleError> {
        let Some(delegations) = &self.repository.targets().signed.delegations else {
            return Ok(());
        };
        let beyond = |what: String| Err(BundleError::Overreach { what });
        if let Err(what) = progress_key(delegations) {
            return beyond(what);
        }
        for role in &delegations.roles {
            let Some(targets) = &role.targets else {
                continue;
            };
            let other = targets
                .signed
                .targets
                .keys()
                .find(|name| name.raw() != PROGRESS);
            if let Some(other) = other {
                return beyond(format!("the progress role signed {:?}", other.raw()));
            }
            if targets
                .signed
                .delegations
                .as_ref()
                .is_some_and(|more| !more.roles.is_empty())
            {
                return beyond("the progress role hands its duty on".to_owned());
            }
        }
        Ok(())
    }

    async fn needed<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, BundleError> {
        self.json(name)
            .await?
            .ok_or_else(|| BundleError::Incomplete {
                what: name.to_owned(),
            })
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, BundleError> {
        self.text(name, limit_of(name).unwrap_or(MAX_AUTHORITY))
            .await?
            .map(|text| serde_json::from_str(&text).map_err(|error| content(name, &error)))
            .transpose()
    }

    /// A document as text; nothing where the release has none of this name.
    async fn text(&self, name: &str, limit: u64) -> Result<Option<String>, BundleError> {
        let target = TargetName::new(name).map_err(|error| self.explain(&error))?;
        let top = &self.repository.targets().signed;
        let signed = if name == PROGRESS {
            top.delegated_targets("progress")
                .ok()
                .and_then(|role| role.signed.targets.get(&target))
        } else {
            top.targets.get(&target)
        };
        let Some(signed) = signed else {
            return Ok(None);
        };
        if signed.length > limit {
            return Err(BundleError::Oversize {
                what: name.to_owned(),
            });
        }
        let stream = self
            .repository
            .read_target(&target)
            .await
            .map_err(|error| self.explain(&error))?
            .ok_or_else(|| BundleError::Incomplete {
                what: name.to_owned(),
            })?;
        // Stops at the first error: the stream goes on yielding after one.
        let bytes = stream
            .into_vec()
            .await
            .map_err(|error| self.explain(&error))?;
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| BundleError::Content {
                what: format!("{name}: it is not UTF-8"),
            })
    }
}
