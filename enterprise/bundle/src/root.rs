//! Who may sign what: making, changing and signing the root of trust.
//!
//! The root names four roles. `root` and `targets` (publishers) belong to people with thresholds,
//! `snapshot` and `timestamp` to the server. A change is a new version that carries enough
//! signatures of the version before *and* of itself; machines follow such a chain by themselves.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU64;

use ed25519_dalek::{SigningKey, VerifyingKey};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tough::schema::decoded::{Decoded, Hex};
use tough::schema::{RoleKeys, RoleType, Root, Signed};

use crate::keys::hex;
use crate::metadata::{self, SPEC, after, from_now, key_id, raw_key, signers, tuf_key};

pub(crate) const ORGANISATION: &str = "x-cmdai-organisation";
const NAMES: &str = "x-cmdai-names";
/// Most keys of a root.
const MAX_KEYS: usize = 64;
/// Longest root that is looked at, in bytes.
const MAX_TEXT: usize = 256 * 1024;

/// Why a root cannot be made, changed or accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// It cannot be read.
    #[error("this is no root of trust: {0}")]
    Format(String),
    /// It makes no sense, or does not follow the one before.
    #[error("{0}")]
    Refused(String),
    /// Signatures are missing.
    #[error("root version {version} waits for signatures: {}", missing.join("; "))]
    Missing {
        /// Which version.
        version: u64,
        /// Whose, in words.
        missing: Vec<String>,
    },
}

/// A public key with its holder's name: what a person hands to whoever makes the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Holder.
    pub name: String,
    /// Raw Ed25519 public key, hex.
    pub public: String,
}

impl PublicKey {
    /// Of a key.
    pub fn of(name: &str, key: &VerifyingKey) -> Self {
        Self {
            name: name.to_owned(),
            public: hex(key.as_bytes()),
        }
    }

    fn key(&self) -> Result<VerifyingKey, RootError> {
        let bad = || RootError::Format(format!("{:?} is not a public key", self.public));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ' ');
        if self.name.is_empty() || self.name.len() > 100 || !self.name.chars().all(plain) {
            return Err(RootError::Format(format!(
                "{:?} is not a name: letters, digits and . - _ @ only",
                self.name
            )));
        }
        let bytes: Option<Vec<u8>> = (self.public.len() == 64)
            .then(|| {
                (0..32)
                    .map(|at| u8::from_str_radix(self.public.get(2 * at..2 * at + 2)?, 16).ok())
                    .collect()
            })
            .flatten();
        let bytes: [u8; 32] = bytes
            .and_then(|list| list.try_into().ok())
            .ok_or_else(bad)?;
        VerifyingKey::from_bytes(&bytes).map_err(|_| bad())
    }
}

/// Keys that the server holds, all online.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineKeys {
    /// Says which metadata belong together.
    pub snapshot: PublicKey,
    /// Says what is newest.
    pub timestamp: PublicKey,
    /// Opens rings and halts; delegated in each release, not named by the root.
    pub progress: PublicKey,
}

/// A role that belongs to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HumanRole {
    /// Names all keys.
    Root,
    /// Says what the policy is.
    Publisher,
}

impl HumanRole {
    fn role(self) -> RoleType {
        match self {
            Self::Root => RoleType::Root,
            Self::Publisher => RoleType::Targets,
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Publisher => "publisher",
        }
    }
}

/// People's keys of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holders {
    /// Whose.
    pub keys: Vec<PublicKey>,
    /// How many of them must sign.
    pub threshold: u64,
}

/// One change of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Another holder.
    Add(HumanRole, PublicKey),
    /// A holder's key is replaced, in every role it has.
    Rotate {
        /// Name or id of the old key.
        old: String,
        /// The new one.
        new: PublicKey,
    },
    /// A key counts no more, in any role.
    Revoke(String),
    /// How many must sign.
    Threshold(HumanRole, u64),
    /// The server has new keys.
    Online(OnlineKeys),
    /// Nothing but a later end.
    Renew,
}

/// A key as `show` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyLine {
    /// `root`, `publisher`, `snapshot`, `timestamp`.
    pub role: String,
    /// Holder; empty for old roots.
    pub name: String,
    /// Id in the metadata, hex.
    pub id: String,
    /// How many of the role's keys must sign.
    pub threshold: u64,
    /// It has signed this root.
    pub signed: bool,
}

/// A root of trust: signed, or on its way to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFile(pub(crate) Signed<Root>);

impl RootFile {
    /// Reads a root. Signatures are not looked at.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn parse(text: &str) -> Result<Self, RootError> {
        if text.len() > MAX_TEXT {
            return Err(RootError::Format(format!("longer than {MAX_TEXT} bytes")));
        }
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| RootError::Format(error.to_string()))
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never in practice.
    pub fn text(&self) -> Result<String, RootError> {
        let mut text = serde_json::to_string_pretty(&self.0)
            .map_err(|error| RootError::Format(error.to_string()))?;
        text.push('\n');
        Ok(text)
    }

    /// The root of a new organisation, or, `after` another, its next version with people's keys
    /// instead of the server's. Without signatures.
    ///
    /// # Errors
    /// Where keys or thresholds make no sense.
    pub fn ceremony(
        organisation: &str,
        online: &OnlineKeys,
        root: &Holders,
        publishers: &Holders,
        lifetime: SignedDuration,
        before: Option<&Self>,
    ) -> Result<Self, RootError> {
        let mut this = Self(Signed {
            signed: Root {
                spec_version: SPEC.to_owned(),
                consistent_snapshot: true,
                version: before.map_or(NonZeroU64::MIN, |before| after(before.0.signed.version)),
                expires: from_now(lifetime),
                keys: HashMap::new(),
                roles: HashMap::new(),
                _extra: HashMap::from([(ORGANISATION.to_owned(), organisation.into())]),
            },
            signatures: Vec::new(),
        });
        let one = |key: &PublicKey| Holders {
            keys: vec![key.clone()],
            threshold: 1,
        };
        for (role, holders) in [
            (RoleType::Root, root),
            (RoleType::Targets, publishers),
            (RoleType::Snapshot, &one(&online.snapshot)),
            (RoleType::Timestamp, &one(&online.timestamp)),
        ] {
            this.set(role, holders)?;
        }
        this.sensible()?;
        if let Some(before) = before
            && before.organisation() != organisation
        {
            return Err(RootError::Refused(format!(
                "the root before belongs to {:?}",
                before.organisation()
            )));
        }
        Ok(this)
    }

    fn set(&mut self, role: RoleType, holders: &Holders) -> Result<(), RootError> {
        let threshold = NonZeroU64::new(holders.threshold)
            .ok_or_else(|| RootError::Refused("a threshold is at least 1".to_owned()))?;
        self.0.signed.roles.insert(
            role,
            RoleKeys {
                keyids: Vec::new(),
                threshold,
                _extra: HashMap::new(),
            },
        );
        for key in &holders.keys {
            self.insert(role, key)?;
        }
        Ok(())
    }

    fn insert(&mut self, role: RoleType, key: &PublicKey) -> Result<(), RootError> {
        let raw = key.key()?;
        let id = key_id(&raw);
        if self.holds(role, &id) {
            return Err(RootError::Refused(format!(
                "{} is a key of {} already",
                key.name,
                word(role)
            )));
        }
        if let Some(roles) = self.0.signed.roles.get_mut(&role) {
            roles.keyids.push(id.clone());
        }
        let mut names = self.names();
        names.insert(hex(id.as_ref()), key.name.clone());
        self.0.signed.keys.insert(id, tuf_key(&raw));
        self.set_names(names);
        Ok(())
    }

    fn holds(&self, role: RoleType, id: &Decoded<Hex>) -> bool {
        self.0
            .signed
            .roles
            .get(&role)
            .is_some_and(|keys| keys.keyids.contains(id))
    }

    fn names(&self) -> BTreeMap<String, String> {
        self.0
            .signed
            ._extra
            .get(NAMES)
            .and_then(|value| serde_json::from_value(value.clone()).ok())
            .unwrap_or_default()
    }

    fn set_names(&mut self, mut names: BTreeMap<String, String>) {
        names.retain(|id, _| {
            self.0
                .signed
                .keys
                .keys()
                .any(|there| hex(there.as_ref()) == *id)
        });
        self.0.signed._extra.insert(
            NAMES.to_owned(),
            serde_json::to_value(names).unwrap_or_default(),
        );
    }

    /// The next version with one change, without signatures.
    ///
    /// # Errors
    /// Where the change makes no sense: a threshold that nobody could meet, a key that is not there.
    pub fn next(&self, change: &Change, lifetime: SignedDuration) -> Result<Self, RootError> {
        let mut next = Self(Signed {
            signed: self.0.signed.clone(),
            signatures: Vec::new(),
        });
        next.0.signed.version = after(self.0.signed.version);
        next.0.signed.expires = from_now(lifetime);
        match change {
            Change::Add(role, key) => next.insert(role.role(), key)?,
            Change::Rotate { old, new } => {
                let id = self.find(old)?;
                let roles: Vec<RoleType> = [RoleType::Root, RoleType::Targets]
                    .into_iter()
                    .filter(|role| self.holds(*role, &id))
                    .collect();
                next.drop_key(&id);
                for role in roles {
                    next.insert(role, new)?;
                }
            }
            Change::Revoke(which) => {
                let id = self.find(which)?;
                next.drop_key(&id);
            }
            Change::Threshold(role, threshold) => {
                let threshold = NonZeroU64::new(*threshold)
                    .ok_or_else(|| RootError::Refused("a threshold is at least 1".to_owned()))?;
                if let Some(keys) = next.0.signed.roles.get_mut(&role.role()) {
                    keys.threshold = threshold;
                }
            }
            Change::Online(online) => {
                for (role, key) in [
                    (RoleType::Snapshot, &online.snapshot),
                    (RoleType::Timestamp, &online.timestamp),
                ] {
                    next.set(
                        role,
                        &Holders {
                            keys: vec![key.clone()],
                            threshold: 1,
                        },
                    )?;
                }
                next.forget_unused();
            }
            Change::Renew => {}
        }
        next.sensible()?;
        Ok(next)
    }

    fn find(&self, which: &str) -> Result<Decoded<Hex>, RootError> {
        let names = self.names();
        let human =
            |id: &Decoded<Hex>| self.holds(RoleType::Root, id) || self.holds(RoleType::Targets, id);
        let mut found = self.0.signed.keys.keys().filter(|id| {
            let text = hex(id.as_ref());
            human(id)
                && (names.get(&text).is_some_and(|name| name == which)
                    || (which.len() >= 8 && text.starts_with(which)))
        });
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id.clone()),
            (Some(_), Some(_)) => Err(RootError::Refused(format!(
                "{which:?} names several keys; give more digits of the id"
            ))),
            _ => Err(RootError::Refused(format!(
                "no root or publisher key is called {which:?}"
            ))),
        }
    }

    fn drop_key(&mut self, id: &Decoded<Hex>) {
        for role in [RoleType::Root, RoleType::Targets] {
            if let Some(keys) = self.0.signed.roles.get_mut(&role) {
                keys.keyids.retain(|there| there != id);
            }
        }
        self.forget_unused();
    }

    fn forget_unused(&mut self) {
        let used: Vec<Decoded<Hex>> = self
            .0
            .signed
            .roles
            .values()
            .flat_map(|role| role.keyids.clone())
            .collect();
        self.0.signed.keys.retain(|id, _| used.contains(id));
        let names = self.names();
        self.set_names(names);
    }

    fn sensible(&self) -> Result<(), RootError> {
        if self.0.signed.keys.len() > MAX_KEYS {
            return Err(RootError::Refused(format!("more than {MAX_KEYS} keys")));
        }
        for role in [
            RoleType::Root,
            RoleType::Targets,
            RoleType::Snapshot,
            RoleType::Timestamp,
        ] {
            let keys = self.0.signed.roles.get(&role);
            let count = keys.map_or(0, |keys| keys.keyids.len() as u64);
            let threshold = keys.map_or(1, |keys| keys.threshold.get());
            if count < threshold {
                return Err(RootError::Refused(format!(
                    "{} would have {count} keys and need {threshold} signatures",
                    word(role)
                )));
            }
        }
        // A key of the server in a person's role would make the threshold a pretence.
        for id in self.0.signed.keys.keys() {
            let human = self.holds(RoleType::Root, id) || self.holds(RoleType::Targets, id);
            let online = self.holds(RoleType::Snapshot, id) || self.holds(RoleType::Timestamp, id);
            if human && online {
                return Err(RootError::Refused(
                    "a key of the server may not be a person's key too".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// Adds a signature. False where this key has signed already.
    ///
    /// # Errors
    /// Where neither this root nor the one before knows the key as a root key.
    pub fn sign(&mut self, key: &SigningKey, before: Option<&Self>) -> Result<bool, RootError> {
        let id = key_id(&key.verifying_key());
        let known = self.holds(RoleType::Root, &id)
            || before.is_some_and(|before| before.holds(RoleType::Root, &id));
        if !known {
            return Err(RootError::Refused(
                "this key is no root key, neither of this version nor of the one before".to_owned(),
            ));
        }
        metadata::add_signature(&mut self.0, key).map_err(RootError::Format)
    }

    /// Takes over signatures that somebody else made on the same text.
    ///
    /// # Errors
    /// Where the other file is not the same root.
    pub fn join(&mut self, other: &Self) -> Result<(), RootError> {
        if other.0.signed != self.0.signed {
            return Err(RootError::Refused(
                "the files differ in more than their signatures".to_owned(),
            ));
        }
        for signature in &other.0.signatures {
            if !self
                .0
                .signatures
                .iter()
                .any(|there| there.keyid == signature.keyid)
            {
                self.0.signatures.push(signature.clone());
            }
        }
        Ok(())
    }

    /// Holds this root against the one before it, as machines do.
    ///
    /// # Errors
    /// What is wrong or missing.
    pub fn check(&self, before: Option<&Self>) -> Result<(), RootError> {
        self.sensible()?;
        if !self.0.signed.consistent_snapshot {
            return Err(RootError::Refused(
                "the root must ask for consistent snapshots".to_owned(),
            ));
        }
        let expected = before.map_or(1, |before| before.version() + 1);
        if self.version() != expected {
            return Err(RootError::Refused(format!(
                "version {} does not follow; {expected} would",
                self.version()
            )));
        }
        if let Some(before) = before
            && before.organisation() != self.organisation()
        {
            return Err(RootError::Refused(format!(
                "the root before belongs to {:?}",
                before.organisation()
            )));
        }
        let mut missing = Vec::new();
        let rules = [
            before.map(|before| (before, "of the version before")),
            Some((self, "of this version")),
        ];
        for (root, what) in rules.into_iter().flatten() {
            let needed = root
                .0
                .signed
                .roles
                .get(&RoleType::Root)
                .map_or(1, |keys| keys.threshold.get());
            let have = signers(&self.0, &root.0.signed).len() as u64;
            if have < needed {
                missing.push(format!("{have} of {needed} root keys {what}"));
            }
        }
        if !missing.is_empty() {
            return Err(RootError::Missing {
                version: self.version(),
                missing,
            });
        }
        // The library's own judgement is the one that machines use.
        self.0
            .signed
            .verify_role(&self.0)
            .map_err(|error| RootError::Refused(error.to_string()))
    }

    /// True where both say the same, whoever has signed them.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.0.signed == other.0.signed
    }

    /// Version.
    pub fn version(&self) -> u64 {
        self.0.signed.version.get()
    }

    /// When it ends, RFC 3339.
    pub fn expires(&self) -> String {
        self.0.signed.expires.to_string()
    }

    /// Organisation.
    pub fn organisation(&self) -> &str {
        self.0
            .signed
            ._extra
            .get(ORGANISATION)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    }

    /// Holders of the keys that sign releases.
    pub fn publishers(&self) -> Vec<String> {
        let names = self.names();
        (self.0.signed.roles.get(&RoleType::Targets))
            .map(|keys| {
                keys.keyids
                    .iter()
                    .map(|id| {
                        let id = hex(id.as_ref());
                        names.get(&id).cloned().unwrap_or(id)
                    })
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Every key with its role.
    pub fn lines(&self) -> Vec<KeyLine> {
        let names = self.names();
        let signed = signers(&self.0, &self.0.signed);
        let mut lines = Vec::new();
        for role in [
            RoleType::Root,
            RoleType::Targets,
            RoleType::Snapshot,
            RoleType::Timestamp,
        ] {
            let Some(keys) = self.0.signed.roles.get(&role) else {
                continue;
            };
            for id in &keys.keyids {
                let text = hex(id.as_ref());
                lines.push(KeyLine {
                    role: word(role).to_owned(),
                    name: names.get(&text).cloned().unwrap_or_default(),
                    threshold: keys.threshold.get(),
                    signed: role == RoleType::Root && signed.contains(id),
                    id: text,
                });
            }
        }
        lines
    }

    /// The raw public keys of a role.
    pub(crate) fn role_keys(&self, role: RoleType) -> Vec<VerifyingKey> {
        self.0.signed.keys(role).filter_map(raw_key).collect()
    }
}

fn word(role: RoleType) -> &'static str {
    match role {
        RoleType::Root => "root",
        RoleType::Targets | RoleType::DelegatedTargets => "publisher",
        RoleType::Snapshot => "snapshot",
        RoleType::Timestamp => "timestamp",
    }
}
