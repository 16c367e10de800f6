//! Making and refreshing releases.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cmdai_api::machine::{Approvers, Authority};
use cmdai_schema::Hash;
use ed25519_dalek::SigningKey;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tough::TargetName;
use tough::schema::{Metafile, RoleType, Signed, Snapshot, Targets, Timestamp};

use crate::carried::{BUNDLE_FORMAT, Bundle, CarriedFile};
use crate::draft::{Content, Draft};
use crate::keys::{self, KeyError};
use crate::layout::{
    APPROVERS, IMPACT, MAX_AUTHORITY, MAX_POLICY, POLICY, PREVIOUS, PROGRESS, RELEASE, RINGS,
    TARGETS, limit_of,
};
use crate::metadata::{SPEC, Written, after, from_now, sign, target, written};
use crate::rings::{Progress, Rings};
use crate::root::{Holders, OnlineKeys, PublicKey, RootError, RootFile};

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
    Sign(String),
    /// The root of trust does not allow it.
    #[error(transparent)]
    Root(#[from] RootError),
    /// A draft does not hold together.
    #[error("this draft is not published: {0}")]
    Draft(String),
    /// Signatures are missing.
    #[error("release {release} has {have} of {needed} publishers' signatures")]
    Unsigned {
        /// Which release.
        release: u64,
        /// Signatures that count.
        have: u64,
        /// Signatures that are needed.
        needed: u64,
    },
}

/// Who says what the policy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// The server holds every key: fit for a start and a demo.
    Server,
    /// People hold the publishers' and root keys; the server holds none of them.
    People,
}

/// What became of a root that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposed {
    /// Machines get it now.
    InForce,
    /// The release in force is not signed by its publishers: it goes out with the next one that is.
    WaitsForRelease,
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
    /// Bundles of the newest state, by the root that they begin after.
    bundles: Mutex<Bundles>,
}

/// The stamp that they are of, and the bundles by root version.
type Bundles = (String, HashMap<u64, Arc<Vec<u8>>>);

/// Keys that stay on the server, in every mode.
#[derive(Debug)]
struct Online {
    snapshot: SigningKey,
    timestamp: SigningKey,
    progress: SigningKey,
}

impl Publisher {
    fn at(dir: &Path, lifetimes: Lifetimes) -> Self {
        Self {
            dir: dir.to_owned(),
            lifetimes,
            writing: tokio::sync::Mutex::new(()),
            bundles: Mutex::default(),
        }
    }

    /// Makes keys, root and an empty repository in `dir`; the server holds every key.
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
        let this = Self::at(dir, lifetimes);
        if this.metadata("1.root.json").exists() {
            return Err(PublishError::Exists(dir.to_owned()));
        }
        let online = this.online()?;
        let root_key = keys::load_or_create(&this.root_key())?;
        let targets_key = keys::load_or_create(&this.key("targets"))?;
        let holder = |name: &str, key: &SigningKey| Holders {
            keys: vec![PublicKey::of(name, &key.verifying_key())],
            threshold: 1,
        };
        let mut root = RootFile::ceremony(
            organisation,
            &online.public(),
            &holder("server", &root_key),
            &holder("server", &targets_key),
            lifetimes.root,
            None,
        )?;
        root.sign(&root_key, None)?;
        let text = root.text()?;
        // The first root goes last of all: it marks the repository as complete.
        let empty = Targets {
            delegations: None,
            ..Targets::new(
                SPEC.to_owned(),
                NonZeroU64::MIN,
                from_now(lifetimes.release),
            )
        };
        let empty = sign(empty, &[&targets_key]).map_err(PublishError::Sign)?;
        let progress = this.progress_role(&online, None)?;
        this.commit(&online, Some(&written(&empty)?), Some(&progress))?;
        this.place(&this.metadata("1.root.json"), text.as_bytes())?;
        Ok(this)
    }

    /// Makes the server's own keys in `dir` and waits for a root that people make.
    ///
    /// # Errors
    /// Where there is a repository already, or files cannot be written.
    pub fn await_root(dir: &Path) -> Result<Self, PublishError> {
        let this = Self::at(dir, Lifetimes::default());
        if this.metadata("1.root.json").exists() {
            return Err(PublishError::Exists(dir.to_owned()));
        }
        this.online()?;
        this.place(&this.dir.join("awaits-root"), b"")?;
        Ok(this)
    }

    /// Opens the repository in `dir`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open(dir: &Path) -> Result<Self, PublishError> {
        let this = Self::at(dir, Lifetimes::default());
        if this.metadata("1.root.json").exists() || this.dir.join("awaits-root").exists() {
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

    /// The newest root, as machines get it at enrolment.
    ///
    /// # Errors
    /// Where there is none yet or it cannot be read.
    pub fn root_json(&self) -> Result<String, PublishError> {
        let path = match self.root_version() {
            0 => self.pending(),
            version => self.metadata(&format!("{version}.root.json")),
        };
        std::fs::read_to_string(&path).map_err(|source| PublishError::File { path, source })
    }

    /// The root under which the next release is judged: one that waits, or the newest.
    ///
    /// # Errors
    /// Where there is none yet or it cannot be read.
    pub fn next_root_json(&self) -> Result<String, PublishError> {
        match std::fs::read_to_string(self.pending()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.root_json(),
            Ok(text) => Ok(text),
            Err(source) => Err(PublishError::File {
                path: self.pending(),
                source,
            }),
        }
    }

    /// True where a root waits for the next release.
    pub fn root_waits(&self) -> bool {
        self.pending().exists()
    }

    /// Version of the newest root in force; 0 where there is none.
    pub fn root_version(&self) -> u64 {
        let mut version = 0;
        while self
            .metadata(&format!("{}.root.json", version + 1))
            .exists()
        {
            version += 1;
        }
        version
    }

    /// Who signs the next release.
    pub fn signing(&self) -> Signing {
        let own = || -> Option<bool> {
            let key = keys::load(&self.key("targets")).ok()?;
            let root = RootFile::parse(&self.next_root_json().ok()?).ok()?;
            Some(
                root.role_keys(RoleType::Targets)
                    .contains(&key.verifying_key()),
            )
        };
        if own().unwrap_or(false) {
            Signing::Server
        } else {
            Signing::People
        }
    }

    /// Public keys of the server, for those who make a root.
    ///
    /// # Errors
    /// Where the keys cannot be read.
    pub fn online_keys(&self) -> Result<OnlineKeys, PublishError> {
        Ok(self.online()?.public())
    }

    fn online(&self) -> Result<Online, PublishError> {
        Ok(Online {
            snapshot: keys::load_or_create(&self.key("snapshot"))?,
            timestamp: keys::load_or_create(&self.key("timestamp"))?,
            progress: keys::load_or_create(&self.key("progress"))?,
        })
    }

    /// The newest release; nothing before the first.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn newest(&self) -> Result<Option<Release>, PublishError> {
        self.document(RELEASE)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(Into::into)
    }

    /// The rings of the newest release; nothing where it is for everybody at once.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn rings(&self) -> Result<Option<Rings>, PublishError> {
        self.document(RINGS)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(Into::into)
    }

    /// The release that machines keep or take while their ring is closed.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn previous(&self) -> Result<Option<Release>, PublishError> {
        self.document(PREVIOUS)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(Into::into)
    }

    /// The newest policy.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn policy(&self) -> Result<Option<String>, PublishError> {
        Ok(self
            .document(POLICY)?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn document(&self, name: &str) -> Result<Option<Vec<u8>>, PublishError> {
        let Some(targets) = self.current_targets()? else {
            return Ok(None);
        };
        self.target_of(&targets.signed, name)
    }

    fn target_of(&self, targets: &Targets, name: &str) -> Result<Option<Vec<u8>>, PublishError> {
        let found = targets
            .targets
            .iter()
            .find(|(there, _)| there.raw() == name);
        let Some((_, target)) = found else {
            return Ok(None);
        };
        let path = self
            .repo_dir()
            .join("targets")
            .join(format!("{}.{name}", keys::hex(&target.hashes.sha256)));
        std::fs::read(&path)
            .map(Some)
            .map_err(|source| PublishError::File { path, source })
    }

    /// How far the rings are open, as published.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn progress(&self) -> Result<Option<Progress>, PublishError> {
        let Some(snapshot) = self.current_snapshot()? else {
            return Ok(None);
        };
        let Some(meta) = snapshot.signed.meta.get(PROGRESS) else {
            return Ok(None);
        };
        let role: Signed<Targets> = self.read(&format!("{}.progress.json", meta.version))?;
        self.target_of(&role.signed, PROGRESS)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(Into::into)
    }

    /// Publishes a policy for everybody at once, signed by the server. `version` must be above the
    /// newest one.
    ///
    /// # Errors
    /// Where the version is not new, a document is too long, people hold the keys, or it cannot be
    /// signed or written.
    pub async fn publish(
        &self,
        policy_yaml: &str,
        version: u64,
        authority: &Authority,
    ) -> Result<Release, PublishError> {
        let draft = self.draft(&Content {
            policy_yaml: policy_yaml.to_owned(),
            version,
            authority: authority.clone(),
            ..Content::default()
        })?;
        self.release(self.sign_own(draft)?).await
    }

    /// Puts a release together, unsigned.
    ///
    /// # Errors
    /// Where the version is not new, a document is too long, or there is no root yet.
    pub fn draft(&self, content: &Content) -> Result<Draft, PublishError> {
        if let Some(newest) = self
            .newest()?
            .filter(|newest| newest.version >= content.version)
        {
            return Err(PublishError::Version {
                given: content.version,
                newest: newest.version,
            });
        }
        let length = content.policy_yaml.len();
        if length as u64 > MAX_POLICY {
            return Err(PublishError::Oversize {
                name: POLICY,
                length,
                limit: MAX_POLICY,
            });
        }
        let number = self
            .current_targets()?
            .map_or(NonZeroU64::MIN, |targets| after(targets.signed.version));
        let draft = Draft::make(
            content,
            number,
            self.lifetimes.release,
            &self.online()?.progress.verifying_key(),
            &self.next_root_json()?,
        )
        .map_err(PublishError::Draft)?;
        for (name, text) in &draft.documents {
            let limit = limit_of(name).unwrap_or(MAX_AUTHORITY);
            if text.len() as u64 > limit {
                return Err(PublishError::Oversize {
                    name: "a document of the release",
                    length: text.len(),
                    limit,
                });
            }
        }
        Ok(draft)
    }

    /// Puts the newest release together anew, unsigned, with other keys of approvers and nothing
    /// else changed: same number, same policy, same rings.
    ///
    /// # Errors
    /// Where nothing is published yet or the keys are too many.
    pub fn draft_approvers(
        &self,
        approvers: &Approvers,
        note: &str,
        by: &str,
    ) -> Result<Draft, PublishError> {
        let Some(targets) = self.current_targets()? else {
            return Err(PublishError::Draft("nothing is published yet".to_owned()));
        };
        let draft = Draft::with_approvers(
            self.documents_of(&targets.signed)?,
            approvers,
            (note, by),
            after(targets.signed.version),
            self.lifetimes.release,
            &self.online()?.progress.verifying_key(),
            &self.next_root_json()?,
        )
        .map_err(PublishError::Draft)?;
        let length = draft.documents.get(APPROVERS).map_or(0, String::len);
        let limit = limit_of(APPROVERS).unwrap_or(MAX_AUTHORITY);
        if length as u64 > limit {
            return Err(PublishError::Oversize {
                name: APPROVERS,
                length,
                limit,
            });
        }
        Ok(draft)
    }

    fn documents_of(&self, targets: &Targets) -> Result<BTreeMap<String, String>, PublishError> {
        let mut documents = BTreeMap::new();
        for (name, _) in TARGETS {
            if let Some(bytes) = self.target_of(targets, name)? {
                let text = String::from_utf8(bytes)
                    .map_err(|_| PublishError::Draft(format!("{name} is not UTF-8")))?;
                documents.insert(name.to_owned(), text);
            }
        }
        Ok(documents)
    }

    /// True where something was published since a draft was made, the draft itself included.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn overtaken(&self, draft: &Draft) -> Result<bool, PublishError> {
        Ok(self
            .current_targets()?
            .is_some_and(|now| now.signed.version >= draft.targets.signed.version))
    }

    /// True where a draft changes nothing of the newest release but the keys of approvers.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn only_approvers(&self, draft: &Draft) -> Result<bool, PublishError> {
        let Some(targets) = self.current_targets()? else {
            return Ok(false);
        };
        let mut there = self.documents_of(&targets.signed)?;
        let mut given = draft.documents.clone();
        there.remove(APPROVERS);
        given.remove(APPROVERS);
        Ok(there == given && !there.is_empty())
    }

    /// What the newest release would have changed (`cmdai.impact/1`, JSON).
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn impact(&self) -> Result<Option<String>, PublishError> {
        Ok(self
            .document(IMPACT)?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Keys of approvers in the newest release.
    ///
    /// # Errors
    /// Where the repository cannot be read.
    pub fn approvers(&self) -> Result<Option<Approvers>, PublishError> {
        self.document(APPROVERS)?
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(Into::into)
    }

    /// Signs a draft with the server's own publisher key.
    ///
    /// # Errors
    /// Where people hold the publishers' keys.
    pub fn sign_own(&self, mut draft: Draft) -> Result<Draft, PublishError> {
        let key = keys::load(&self.key("targets"))?;
        draft.sign(&key).map_err(PublishError::Draft)?;
        Ok(draft)
    }

    /// Publishes a draft that carries enough signatures. Its rings are closed at first.
    ///
    /// # Errors
    /// Where signatures are missing, the draft does not hold together or is overtaken, or files
    /// cannot be written. What was published before stays.
    pub async fn release(&self, draft: Draft) -> Result<Release, PublishError> {
        let _writing = self.writing.lock().await;
        let reviewed = draft.check().map_err(PublishError::Draft)?;
        let root_text = self.next_root_json()?;
        let root = RootFile::parse(&root_text)?;
        if !RootFile::parse(&draft.root)?.says_the_same(&root) {
            return Err(PublishError::Draft(
                "the root of trust has changed since it was made; make it again".to_owned(),
            ));
        }
        let online = self.online()?;
        if reviewed.progress_key != keys::hex(online.progress.verifying_key().as_bytes()) {
            return Err(PublishError::Draft(
                "it names another progress key than the server has".to_owned(),
            ));
        }
        let have = reviewed.signed_by.len() as u64;
        if have < reviewed.threshold {
            return Err(PublishError::Unsigned {
                release: draft.release,
                have,
                needed: reviewed.threshold,
            });
        }
        // The library's own judgement is the one that machines use.
        root.0
            .signed
            .verify_role(&draft.targets)
            .map_err(|error| PublishError::Draft(error.to_string()))?;
        let keys_only = self.only_approvers(&draft)?;
        if let Some(newest) = self
            .newest()?
            .filter(|newest| newest.version >= draft.release && !keys_only)
        {
            return Err(PublishError::Version {
                given: draft.release,
                newest: newest.version,
            });
        }
        if self.overtaken(&draft)? {
            return Err(PublishError::Draft(
                "something was published since it was made; make it again".to_owned(),
            ));
        }
        for (name, text) in &draft.documents {
            self.place_target(name, text.as_bytes())?;
        }
        // Keys alone leave a rollout where it is.
        let progress = if keys_only {
            None
        } else {
            Some(self.progress_role(&online, Some(&Progress::closed(draft.release)))?)
        };
        if self.root_waits() {
            self.enforce(&root, &root_text)?;
        }
        self.commit(&online, Some(&written(&draft.targets)?), progress.as_ref())?;
        Ok(reviewed.release)
    }

    /// Says how far the rings of the newest release are open.
    ///
    /// # Errors
    /// Where it cannot be signed or written.
    pub async fn set_progress(&self, progress: &Progress) -> Result<(), PublishError> {
        let _writing = self.writing.lock().await;
        let online = self.online()?;
        let role = self.progress_role(&online, Some(progress))?;
        self.commit(&online, None, Some(&role))
    }

    /// Signs the timestamp anew, so that machines see that nothing newer is withheld. Once a day
    /// is enough; needs the timestamp key only.
    ///
    /// # Errors
    /// Where it cannot be signed or written.
    pub async fn refresh(&self) -> Result<(), PublishError> {
        let _writing = self.writing.lock().await;
        let online = self.online()?;
        let Some(old) = self.current_timestamp()? else {
            return Ok(());
        };
        let mut fresh = old.signed;
        fresh.version = after(fresh.version);
        fresh.expires = from_now(self.lifetimes.freshness);
        let signed = sign(fresh, &[&online.timestamp]).map_err(PublishError::Sign)?;
        self.place(&self.metadata("timestamp.json"), &written(&signed)?.bytes)
    }

    /// Takes in a root that people made: the first, or the next version.
    ///
    /// Where the server held the root key until now, it adds its signature: that is how it hands
    /// the keys over.
    ///
    /// # Errors
    /// Where it does not follow the one in force, signatures are missing, or it does not name the
    /// server's own online keys.
    pub async fn propose_root(&self, text: &str) -> Result<Proposed, PublishError> {
        let _writing = self.writing.lock().await;
        let mut root = RootFile::parse(text)?;
        let before = match self.root_version() {
            0 => None,
            version => Some(RootFile::parse(
                &self.read_text(&format!("{version}.root.json"))?,
            )?),
        };
        if let Some(before) = &before
            && let Ok(key) = keys::load(&self.root_key())
            && before
                .role_keys(RoleType::Root)
                .contains(&key.verifying_key())
        {
            root.sign(&key, Some(before))?;
        }
        root.check(before.as_ref())?;
        let online = self.online()?;
        for (role, key) in [
            (RoleType::Snapshot, &online.snapshot),
            (RoleType::Timestamp, &online.timestamp),
        ] {
            if root.role_keys(role) != [key.verifying_key()] {
                return Err(RootError::Refused(format!(
                    "the root names another {role} key than the server has"
                ))
                .into());
            }
        }
        let text = root.text()?;
        let still_signed = self
            .current_targets()?
            .is_some_and(|targets| root.0.signed.verify_role(&targets).is_ok());
        if still_signed {
            self.enforce(&root, &text)?;
            self.commit(&online, None, None)?;
            Ok(Proposed::InForce)
        } else {
            self.place(&self.pending(), text.as_bytes())?;
            Ok(Proposed::WaitsForRelease)
        }
    }

    /// Puts a root into force and drops keys of the server's own that it does not name any more.
    fn enforce(&self, root: &RootFile, text: &str) -> Result<(), PublishError> {
        let path = self.metadata(&format!("{}.root.json", root.version()));
        self.place(&path, text.as_bytes())?;
        for (role, path) in [
            (RoleType::Root, self.root_key()),
            (RoleType::Targets, self.key("targets")),
        ] {
            let dead = keys::load(&path)
                .is_ok_and(|key| !root.role_keys(role).contains(&key.verifying_key()));
            if dead {
                std::fs::remove_file(&path)
                    .map_err(|source| PublishError::File { path, source })?;
            }
        }
        for path in [self.pending(), self.dir.join("awaits-root")] {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(PublishError::File { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What identifies the newest state: the digest of `timestamp.json`; empty before the first.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn stamp(&self) -> Result<String, PublishError> {
        let path = self.metadata("timestamp.json");
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Hash::of(&[&bytes]).to_hex()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(PublishError::File { path, source }),
        }
    }

    /// Everything that a machine needs who trusts root version `after`, as one file.
    ///
    /// # Errors
    /// Where something cannot be read. Before the first release there is only what there is.
    pub async fn bundle(&self, after: u64) -> Result<Arc<Vec<u8>>, PublishError> {
        let after = after.clamp(1, self.root_version().max(1));
        let _writing = self.writing.lock().await;
        let stamp = self.stamp()?;
        {
            let cached = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
            if cached.0 == stamp
                && let Some(bytes) = cached.1.get(&after)
            {
                return Ok(Arc::clone(bytes));
            }
        }
        let root = RootFile::parse(&self.root_json()?)?;
        let mut bundle = Bundle {
            format: BUNDLE_FORMAT.to_owned(),
            organisation: root.organisation().to_owned(),
            files: Vec::new(),
        };
        let mut take = |folder: &str, name: String| -> Result<Vec<u8>, PublishError> {
            let path = self.repo_dir().join(folder).join(&name);
            let bytes =
                std::fs::read(&path).map_err(|source| PublishError::File { path, source })?;
            bundle.files.push(CarriedFile::of(folder, &name, &bytes));
            Ok(bytes)
        };
        for version in after + 1..=self.root_version() {
            take("metadata", format!("{version}.root.json"))?;
        }
        if !stamp.is_empty() {
            let timestamp = take("metadata", "timestamp.json".to_owned())?;
            let file = crate::layout::snapshot_file(&timestamp);
            let file = file.ok_or_else(|| PublishError::Draft("no snapshot".to_owned()))?;
            let snapshot = take("metadata", file.name)?;
            for file in [
                crate::layout::targets_file(&snapshot),
                crate::layout::progress_file(&snapshot),
            ]
            .into_iter()
            .flatten()
            {
                let metadata = take("metadata", file.name)?;
                for target in crate::layout::target_files(&metadata) {
                    take("targets", target.name)?;
                }
            }
        }
        let bytes = Arc::new(serde_json::to_vec(&bundle)?);
        let mut cached = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.0 != stamp {
            *cached = (stamp, HashMap::new());
        }
        cached.1.insert(after, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// The progress role with what it says now, signed.
    fn progress_role(
        &self,
        online: &Online,
        progress: Option<&Progress>,
    ) -> Result<Written, PublishError> {
        let number = match self.current_snapshot()? {
            Some(snapshot) => snapshot
                .signed
                .meta
                .get(PROGRESS)
                .map_or(NonZeroU64::MIN, |meta| after(meta.version)),
            None => NonZeroU64::MIN,
        };
        let mut role = Targets {
            delegations: None,
            ..Targets::new(SPEC.to_owned(), number, from_now(self.lifetimes.release))
        };
        if let Some(progress) = progress {
            let bytes = serde_json::to_vec_pretty(progress)?;
            self.place_target(PROGRESS, &bytes)?;
            let name =
                TargetName::new(PROGRESS).map_err(|error| PublishError::Sign(error.to_string()))?;
            role.targets.insert(name, target(&bytes));
        }
        let signed = sign(role, &[&online.progress]).map_err(PublishError::Sign)?;
        Ok(written(&signed)?)
    }

    /// Writes metadata, then the snapshot and the timestamp that make them count.
    fn commit(
        &self,
        online: &Online,
        targets: Option<&Written>,
        progress: Option<&Written>,
    ) -> Result<(), PublishError> {
        let before = self.current_snapshot()?;
        let mut meta: HashMap<String, Metafile> = before
            .as_ref()
            .map(|snapshot| snapshot.signed.meta.clone())
            .unwrap_or_default();
        for (name, part) in [("targets.json", targets), (PROGRESS, progress)] {
            if let Some(part) = part {
                let file = format!("{}.{name}", part.meta.version);
                self.place(&self.metadata(&file), &part.bytes)?;
                meta.insert(name.to_owned(), part.meta.clone());
            }
        }
        let number = before.map_or(NonZeroU64::MIN, |before| after(before.signed.version));
        let mut snapshot = Snapshot::new(SPEC.to_owned(), number, from_now(self.lifetimes.release));
        snapshot.meta = meta;
        let snapshot = written(&sign(snapshot, &[&online.snapshot]).map_err(PublishError::Sign)?)?;
        self.place(
            &self.metadata(&format!("{number}.snapshot.json")),
            &snapshot.bytes,
        )?;
        let number = self
            .current_timestamp()?
            .map_or(NonZeroU64::MIN, |old| after(old.signed.version));
        let mut timestamp =
            Timestamp::new(SPEC.to_owned(), number, from_now(self.lifetimes.freshness));
        timestamp
            .meta
            .insert("snapshot.json".to_owned(), snapshot.meta);
        let timestamp =
            written(&sign(timestamp, &[&online.timestamp]).map_err(PublishError::Sign)?)?;
        self.place(&self.metadata("timestamp.json"), &timestamp.bytes)
    }

    fn current_timestamp(&self) -> Result<Option<Signed<Timestamp>>, PublishError> {
        match self.read("timestamp.json") {
            Ok(old) => Ok(Some(old)),
            Err(PublishError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn current_snapshot(&self) -> Result<Option<Signed<Snapshot>>, PublishError> {
        let Some(timestamp) = self.current_timestamp()? else {
            return Ok(None);
        };
        let number = timestamp
            .signed
            .meta
            .get("snapshot.json")
            .map_or(1, |meta| meta.version.get());
        self.read(&format!("{number}.snapshot.json")).map(Some)
    }

    fn current_targets(&self) -> Result<Option<Signed<Targets>>, PublishError> {
        let Some(snapshot) = self.current_snapshot()? else {
            return Ok(None);
        };
        let number = snapshot
            .signed
            .meta
            .get("targets.json")
            .map_or(1, |meta| meta.version.get());
        self.read(&format!("{number}.targets.json")).map(Some)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.dir.join("keys").join(format!("{name}.der"))
    }

    fn root_key(&self) -> PathBuf {
        self.dir.join("keys/offline/root.der")
    }

    fn pending(&self) -> PathBuf {
        self.dir.join("next-root.json")
    }

    fn metadata(&self, name: &str) -> PathBuf {
        self.repo_dir().join("metadata").join(name)
    }

    fn read_text(&self, name: &str) -> Result<String, PublishError> {
        let path = self.metadata(name);
        std::fs::read_to_string(&path).map_err(|source| PublishError::File { path, source })
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, PublishError> {
        Ok(serde_json::from_str(&self.read_text(name)?)?)
    }

    fn place_target(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let file = format!("{}.{name}", Hash::of(&[bytes]));
        self.place(&self.repo_dir().join("targets").join(file), bytes)
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

impl Online {
    fn public(&self) -> OnlineKeys {
        let of = |name: &str, key: &SigningKey| PublicKey::of(name, &key.verifying_key());
        OnlineKeys {
            snapshot: of("server snapshot", &self.snapshot),
            timestamp: of("server timestamp", &self.timestamp),
            progress: of("server progress", &self.progress),
        }
    }
}
