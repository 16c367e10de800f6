//! Making and refreshing releases.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use cmdai_api::machine::Authority;
use cmdai_schema::Hash;
use jiff::{SignedDuration, Timestamp as Time};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tough::TargetName;
use tough::editor::signed::SignedRole;
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::{
    Hashes, KeyHolder, Metafile, Role, RoleKeys, RoleType, Root, Signed, Snapshot, Target, Targets,
    Timestamp,
};

use crate::keys::{self, KeyError};
use crate::layout::{AUTHORITY, MAX_AUTHORITY, MAX_POLICY, POLICY, RELEASE};

const SPEC: &str = "1.0.0";
pub(crate) const ORGANISATION: &str = "x-cmdai-organisation";

/// Content of `release.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Counted by the organisation, increasing.
    pub version: u64,
    /// SHA-256 of `policy.yaml`, hex.
    pub sha256: String,
    /// RFC 3339.
    pub published: String,
}

/// How long signatures hold.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Root.
    pub root: SignedDuration,
    /// Targets and snapshot.
    pub release: SignedDuration,
    /// Timestamp: the proof that nothing newer is withheld.
    pub freshness: SignedDuration,
}

impl Default for Lifetimes {
    /// Five years, one year, seven days.
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Self {
            root: days(5 * 365),
            release: days(365),
            freshness: days(7),
        }
    }
}

/// Why nothing was published. What was published before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is a repository already.
    #[error("{0} holds a repository already; open it instead")]
    Exists(PathBuf),
    /// There is none.
    #[error("{0} holds no repository; initialise it first")]
    Missing(PathBuf),
    /// Versions only grow.
    #[error("version {given} is not above version {newest}, which is published")]
    Version {
        /// What was asked for.
        given: u64,
        /// What is there.
        newest: u64,
    },
    /// A document is too long.
    #[error("{name} is {length} bytes long, at most {limit} are allowed")]
    Oversize {
        /// Which.
        name: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: u64,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The repository cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Metadata of our own cannot be read.
    #[error("the repository's own metadata cannot be read: {0}")]
    Metadata(#[from] serde_json::Error),
    /// Signing failed.
    #[error("cannot sign: {0}")]
    Sign(Box<tough::error::Error>),
}

impl From<tough::error::Error> for PublishError {
    fn from(error: tough::error::Error) -> Self {
        Self::Sign(Box::new(error))
    }
}

/// A repository of releases: `<dir>/keys` and `<dir>/repo/{metadata,targets}`.
///
/// Readers may be served from `repo` while a release is written: metadata and targets carry their
/// version or digest in their names, and only the rename of `timestamp.json` makes them count.
#[derive(Debug)]
pub struct Publisher {
    dir: PathBuf,
    lifetimes: Lifetimes,
    writing: tokio::sync::Mutex<()>,
}

impl Publisher {
    /// Makes keys, root and an empty repository in `dir`.
    ///
    /// # Errors
    /// Where there is one already, or files cannot be written.
    pub async fn init(dir: &Path, organisation: &str) -> Result<Self, PublishError> {
        Self::init_with(dir, organisation, Lifetimes::default()).await
    }

    /// [`Publisher::init`] with other lifetimes.
    ///
    /// # Errors
    /// As [`Publisher::init`].
    pub async fn init_with(
        dir: &Path,
        organisation: &str,
        lifetimes: Lifetimes,
    ) -> Result<Self, PublishError> {
        let this = Self {
            dir: dir.to_owned(),
            lifetimes,
            writing: tokio::sync::Mutex::new(()),
        };
        if this.metadata("1.root.json").exists() {
            return Err(PublishError::Exists(dir.to_owned()));
        }
        for role in [
            RoleType::Root,
            RoleType::Targets,
            RoleType::Snapshot,
            RoleType::Timestamp,
        ] {
            keys::load_or_create(&this.key_path(role))?;
        }
        let mut root = Root {
            spec_version: SPEC.to_owned(),
            consistent_snapshot: true,
            version: NonZeroU64::MIN,
            expires: from_now(lifetimes.root),
            keys: HashMap::new(),
            roles: HashMap::new(),
            _extra: HashMap::from([(ORGANISATION.to_owned(), organisation.into())]),
        };
        for role in [
            RoleType::Root,
            RoleType::Targets,
            RoleType::Snapshot,
            RoleType::Timestamp,
        ] {
            let key = this
                .source(role)
                .as_sign()
                .await
                .map_err(|error| sign_error(&*error))?
                .tuf_key();
            let id = key.key_id().map_err(|error| sign_error(&error))?;
            root.roles.insert(
                role,
                RoleKeys {
                    keyids: vec![id.clone()],
                    threshold: NonZeroU64::MIN,
                    _extra: HashMap::new(),
                },
            );
            root.keys.insert(id, key);
        }
        let signed = this.sign(root.clone(), &root, RoleType::Root).await?;
        // The first root goes last of all: it marks the repository as complete.
        this.write_release(&root, Vec::new(), 1).await?;
        this.place(&this.metadata("1.root.json"), signed.buffer())?;
        Ok(this)
    }

    /// Opens the repository in `dir`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open(dir: &Path) -> Result<Self, PublishError> {
        let this = Self {
            dir: dir.to_owned(),
            lifetimes: Lifetimes::default(),
            writing: tokio::sync::Mutex::new(()),
        };
        if this.metadata("1.root.json").exists() {
            Ok(this)
        } else {
            Err(PublishError::Missing(dir.to_owned()))
        }
    }

    /// Opens the repository in `dir`, or makes it.
    ///
    /// # Errors
    /// As [`Publisher::init`].
    pub async fn open_or_init(dir: &Path, organisation: &str) -> Result<Self, PublishError> {
        match Self::open(dir) {
            Err(PublishError::Missing(_)) => Self::init(dir, organisation).await,
            other => other,
        }
    }

    /// The folder to serve: `metadata/` and `targets/` are below it.
    pub fn repo_dir(&self) -> PathBuf {
        self.dir.join("repo")
    }

    /// Version 1 of the root, as machines get it at enrolment.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn root_json(&self) -> Result<String, PublishError> {
        let path = self.metadata("1.root.json");
        std::fs::read_to_string(&path).map_err(|source| PublishError::File { path, source })
    }

    /// The newest release; nothing before the first.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn newest(&self) -> Result<Option<Release>, PublishError> {
        let targets = self.current_targets()?;
        let Some((_, target)) = targets
            .signed
            .targets
            .iter()
            .find(|(name, _)| name.raw() == RELEASE)
        else {
            return Ok(None);
        };
        let path = self
            .repo_dir()
            .join("targets")
            .join(format!("{}.{RELEASE}", keys::hex(&target.hashes.sha256)));
        let bytes = std::fs::read(&path).map_err(|source| PublishError::File { path, source })?;
        Ok(Some(serde_json::from_slice(&bytes)?))
    }

    /// Publishes a policy. `version` must be above the newest one.
    ///
    /// # Errors
    /// Where the version is not new, a document is too long, or it cannot be signed or written.
    pub async fn publish(
        &self,
        policy_yaml: &str,
        version: u64,
        authority: &Authority,
    ) -> Result<Release, PublishError> {
        let _writing = self.writing.lock().await;
        if let Some(newest) = self.newest()?.filter(|newest| newest.version >= version) {
            return Err(PublishError::Version {
                given: version,
                newest: newest.version,
            });
        }
        let release = Release {
            version,
            sha256: Hash::of(&[policy_yaml.as_bytes()]).to_hex(),
            published: now().to_string(),
        };
        let documents = vec![
            (POLICY, policy_yaml.as_bytes().to_vec(), MAX_POLICY),
            (
                AUTHORITY,
                serde_json::to_vec_pretty(authority)?,
                MAX_AUTHORITY,
            ),
            (RELEASE, serde_json::to_vec_pretty(&release)?, MAX_AUTHORITY),
        ];
        for (name, bytes, limit) in &documents {
            if bytes.len() as u64 > *limit {
                return Err(PublishError::Oversize {
                    name,
                    length: bytes.len(),
                    limit: *limit,
                });
            }
        }
        let root: Signed<Root> = self.read("1.root.json")?;
        let next = self
            .current_targets()?
            .signed
            .version
            .get()
            .saturating_add(1);
        self.write_release(
            &root.signed,
            documents
                .into_iter()
                .map(|(name, bytes, _)| (name, bytes))
                .collect(),
            next,
        )
        .await?;
        Ok(release)
    }

    /// Signs the timestamp anew, so that machines see that nothing newer is withheld. Once a day
    /// is enough; needs the timestamp key only.
    ///
    /// # Errors
    /// Where it cannot be signed or written.
    pub async fn refresh(&self) -> Result<(), PublishError> {
        let _writing = self.writing.lock().await;
        let root: Signed<Root> = self.read("1.root.json")?;
        let old: Signed<Timestamp> = self.read("timestamp.json")?;
        let mut fresh = old.signed;
        fresh.version = fresh.version.saturating_add(1);
        fresh.expires = from_now(self.lifetimes.freshness);
        let signed = self.sign(fresh, &root.signed, RoleType::Timestamp).await?;
        self.place(&self.metadata("timestamp.json"), signed.buffer())
    }

    async fn write_release(
        &self,
        root: &Root,
        documents: Vec<(&'static str, Vec<u8>)>,
        version: u64,
    ) -> Result<(), PublishError> {
        let version = NonZeroU64::new(version).unwrap_or(NonZeroU64::MIN);
        let expires = from_now(self.lifetimes.release);
        let mut targets = Targets::new(SPEC.to_owned(), version, expires);
        targets.delegations = None;
        for (name, bytes) in &documents {
            let digest = Hash::of(&[bytes]);
            self.place(
                &self
                    .repo_dir()
                    .join("targets")
                    .join(format!("{digest}.{name}")),
                bytes,
            )?;
            let hashes = Hashes {
                sha256: digest.0.to_vec().into(),
                _extra: HashMap::new(),
            };
            let target = Target {
                length: bytes.len() as u64,
                hashes,
                custom: HashMap::new(),
                _extra: HashMap::new(),
            };
            targets.targets.insert(TargetName::new(*name)?, target);
        }
        let targets = self.sign(targets, root, RoleType::Targets).await?;
        self.place(
            &self.metadata(&format!("{version}.targets.json")),
            targets.buffer(),
        )?;
        let mut snapshot = Snapshot::new(SPEC.to_owned(), version, expires);
        snapshot
            .meta
            .insert("targets.json".to_owned(), meta(&targets, version));
        let snapshot = self.sign(snapshot, root, RoleType::Snapshot).await?;
        self.place(
            &self.metadata(&format!("{version}.snapshot.json")),
            snapshot.buffer(),
        )?;
        let number = match self.read::<Signed<Timestamp>>("timestamp.json") {
            Ok(old) => old.signed.version.saturating_add(1),
            Err(PublishError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                NonZeroU64::MIN
            }
            Err(error) => return Err(error),
        };
        let mut timestamp =
            Timestamp::new(SPEC.to_owned(), number, from_now(self.lifetimes.freshness));
        timestamp
            .meta
            .insert("snapshot.json".to_owned(), meta(&snapshot, version));
        let timestamp = self.sign(timestamp, root, RoleType::Timestamp).await?;
        self.place(&self.metadata("timestamp.json"), timestamp.buffer())
    }

    fn current_targets(&self) -> Result<Signed<Targets>, PublishError> {
        let timestamp: Signed<Timestamp> = self.read("timestamp.json")?;
        let number = timestamp
            .signed
            .meta
            .get("snapshot.json")
            .map_or(1, |meta| meta.version.get());
        let snapshot: Signed<Snapshot> = self.read(&format!("{number}.snapshot.json"))?;
        let number = snapshot
            .signed
            .meta
            .get("targets.json")
            .map_or(1, |meta| meta.version.get());
        self.read(&format!("{number}.targets.json"))
    }

    async fn sign<R: Role + Serialize>(
        &self,
        role: R,
        root: &Root,
        kind: RoleType,
    ) -> Result<SignedRole<R>, PublishError> {
        // Looked at first for the sake of the message: wrong modes are refused.
        keys::load(&self.key_path(kind))?;
        let sources: [Box<dyn KeySource>; 1] = [Box::new(self.source(kind))];
        Ok(SignedRole::new(
            role,
            &KeyHolder::Root(root.clone()),
            &sources,
            &SystemRandom::new(),
        )
        .await?)
    }

    fn key_path(&self, role: RoleType) -> PathBuf {
        let keys = self.dir.join("keys");
        match role {
            RoleType::Root => keys.join("offline").join("root.der"),
            other => keys.join(format!("{other}.der")),
        }
    }

    fn source(&self, role: RoleType) -> LocalKeySource {
        LocalKeySource {
            path: self.key_path(role),
        }
    }

    fn metadata(&self, name: &str) -> PathBuf {
        self.repo_dir().join("metadata").join(name)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, PublishError> {
        let path = self.metadata(name);
        let bytes = std::fs::read(&path).map_err(|source| PublishError::File { path, source })?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Writes a file as a whole: whoever reads sees the old bytes or the new ones.
    #[expect(clippy::unused_self, reason = "reads as what the publisher does")]
    fn place(&self, path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
        let write = || -> io::Result<()> {
            let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
            std::fs::create_dir_all(folder)?;
            let mut name = path
                .file_name()
                .ok_or(io::ErrorKind::InvalidInput)?
                .to_owned();
            name.push(".new");
            let fresh = folder.join(name);
            let mut file = File::create(&fresh)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&fresh, path)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| PublishError::File {
            path: path.to_owned(),
            source,
        })
    }
}

fn meta<R: Role + Serialize>(role: &SignedRole<R>, version: NonZeroU64) -> Metafile {
    let hashes = Hashes {
        sha256: role.sha256().to_vec().into(),
        _extra: HashMap::new(),
    };
    Metafile {
        hashes: Some(hashes),
        length: Some(*role.length()),
        version,
        _extra: HashMap::new(),
    }
}

fn sign_error(error: &dyn std::error::Error) -> PublishError {
    PublishError::File {
        path: PathBuf::from("keys"),
        source: io::Error::other(error.to_string()),
    }
}

/// Whole seconds: the metadata carry no fractions.
fn now() -> Time {
    Time::from_second(Time::now().as_second()).unwrap_or_else(|_| Time::now())
}

fn from_now(duration: SignedDuration) -> Time {
    now().saturating_add(duration).unwrap_or(Time::MAX)
}
