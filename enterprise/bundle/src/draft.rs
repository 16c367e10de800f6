//! A release that waits for signatures: what the server hands out and people sign.
//!
//! `cmdai.release-draft/1` holds every document of the release and the metadata to be signed.
//! Whoever signs looks at [`Draft::check`]: the metadata must say exactly what the documents are
//! and hand nothing to the server but `progress.json`.

use std::collections::{BTreeMap, HashMap};

use cmdai_api::machine::{Approvers, Authority};
use cmdai_schema::Hash;
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use tough::TargetName;
use tough::schema::{
    DelegatedRole, Delegations, PathPattern, PathSet, RoleType, Signature, Signed, Targets,
};

use crate::keys::hex;
use crate::layout::{
    APPROVERS, AUTHORITY, IMPACT, POLICY, PREVIOUS, PREVIOUS_POLICY, PROGRESS, RELEASE, RINGS,
    limit_of,
};
use crate::metadata::{self, SPEC, fits, from_now, key_id, raw_key, signers, target, tuf_key};
use crate::publisher::Release;
use crate::rings::Rings;
use crate::root::{RootError, RootFile};

/// Value of `format`.
pub const DRAFT_FORMAT: &str = "cmdai.release-draft/1";
/// Longest draft, in bytes.
pub(crate) const MAX_DRAFT: usize = 12 * 1024 * 1024;

/// A release on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// [`DRAFT_FORMAT`].
    pub format: String,
    /// Number of the release.
    pub release: u64,
    /// What changed and why.
    pub note: String,
    /// Who made it.
    pub by: String,
    /// When, RFC 3339.
    pub made: String,
    /// This release brings the content of an older one back.
    #[serde(default)]
    pub rollback: bool,
    /// The root under which it will be judged, as text.
    pub root: String,
    /// Documents by name.
    pub documents: BTreeMap<String, String>,
    /// What is signed.
    pub targets: Signed<Targets>,
}

/// What a release is made of.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// The policy.
    pub policy_yaml: String,
    /// Number of the release.
    pub version: u64,
    /// Keys for grants and orders.
    pub authority: Authority,
    /// Security keys of those who may approve.
    pub approvers: Approvers,
    /// Rings, with the release for machines whose ring is closed.
    pub rings: Option<(Rings, Release, String)>,
    /// What it would have changed (`cmdai.impact/1`, JSON), where that was looked at.
    pub impact: Option<String>,
    /// What changed and why.
    pub note: String,
    /// Who made it.
    pub by: String,
    /// It brings older content back.
    pub rollback: bool,
}

/// What a signer should know before signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The release.
    pub release: Release,
    /// Keys that may sign grants and orders.
    pub authority: Authority,
    /// Security keys of those who may approve.
    pub approvers: Approvers,
    /// Rings, where it spreads by rings.
    pub rings: Option<Rings>,
    /// The release that machines keep or take while their ring is closed.
    pub previous: Option<Release>,
    /// Key that may open rings and halt: the server's.
    pub progress_key: String,
    /// Signatures that are there, by key id.
    pub signed_by: Vec<String>,
    /// How many are needed.
    pub threshold: u64,
}

impl Content {
    /// What a draft holds, for other keys of approvers: metadata that were overtaken are made again.
    ///
    /// # Errors
    /// Where the draft does not hold together.
    pub fn again(draft: &Draft, approvers: Approvers) -> Result<Self, String> {
        let reviewed = draft.check()?;
        let document = |name: &str| draft.documents.get(name).cloned();
        let policy_yaml = document(POLICY).ok_or("policy.yaml is missing")?;
        let rings = match (reviewed.rings, reviewed.previous) {
            (Some(rings), Some(previous)) => {
                let policy = document(PREVIOUS_POLICY).ok_or("previous-policy.yaml is missing")?;
                Some((rings, previous, policy))
            }
            _ => None,
        };
        Ok(Self {
            policy_yaml,
            version: draft.release,
            authority: reviewed.authority,
            approvers,
            rings,
            impact: document(IMPACT),
            note: draft.note.clone(),
            by: draft.by.clone(),
            rollback: draft.rollback,
        })
    }
}

impl Draft {
    /// Reads a draft.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_DRAFT {
            return Err(format!("longer than {MAX_DRAFT} bytes"));
        }
        let draft: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("not a draft: {error}"))?;
        if draft.format == DRAFT_FORMAT {
            Ok(draft)
        } else {
            Err(format!("the format is not {DRAFT_FORMAT:?}"))
        }
    }

    pub(crate) fn make(
        content: &Content,
        targets_version: std::num::NonZeroU64,
        lifetime: jiff::SignedDuration,
        progress_key: &ed25519_dalek::VerifyingKey,
        root: &str,
    ) -> Result<Self, String> {
        let made = metadata::now().to_string();
        let release = Release {
            version: content.version,
            sha256: Hash::of(&[content.policy_yaml.as_bytes()]).to_hex(),
            published: made.clone(),
        };
        let mut documents = BTreeMap::from([
            (POLICY.to_owned(), content.policy_yaml.clone()),
            (AUTHORITY.to_owned(), json(&content.authority)?),
            (RELEASE.to_owned(), json(&release)?),
            (APPROVERS.to_owned(), json(&content.approvers)?),
        ]);
        if let Some(impact) = &content.impact {
            documents.insert(IMPACT.to_owned(), impact.clone());
        }
        if let Some((rings, previous, policy)) = &content.rings {
            rings.check()?;
            documents.insert(RINGS.to_owned(), json(rings)?);
            documents.insert(PREVIOUS.to_owned(), json(previous)?);
            documents.insert(PREVIOUS_POLICY.to_owned(), policy.clone());
        }
        Ok(Self {
            format: DRAFT_FORMAT.to_owned(),
            release: content.version,
            note: content.note.clone(),
            by: content.by.clone(),
            made,
            rollback: content.rollback,
            root: root.to_owned(),
            targets: Signed {
                signed: metadata_of(&documents, targets_version, lifetime, progress_key)?,
                signatures: Vec::new(),
            },
            documents,
        })
    }

    /// The release that is out, with other keys of approvers and nothing else changed.
    pub(crate) fn with_approvers(
        mut documents: BTreeMap<String, String>,
        approvers: &Approvers,
        (note, by): (&str, &str),
        targets_version: std::num::NonZeroU64,
        lifetime: jiff::SignedDuration,
        progress_key: &ed25519_dalek::VerifyingKey,
        root: &str,
    ) -> Result<Self, String> {
        documents.insert(APPROVERS.to_owned(), json(approvers)?);
        let release: Release = documents
            .get(RELEASE)
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or("the release that is out cannot be read")?;
        Ok(Self {
            format: DRAFT_FORMAT.to_owned(),
            release: release.version,
            note: note.to_owned(),
            by: by.to_owned(),
            made: metadata::now().to_string(),
            rollback: false,
            root: root.to_owned(),
            targets: Signed {
                signed: metadata_of(&documents, targets_version, lifetime, progress_key)?,
                signatures: Vec::new(),
            },
            documents,
        })
    }

    /// What it would have changed (`cmdai.impact/1`, JSON), where that was looked at.
    pub fn impact(&self) -> Option<&str> {
        self.documents.get(IMPACT).map(String::as_str)
    }

    /// SHA-256 over everything that is released and said about it, hex: who agrees names what they
    /// looked at. Signatures leave it as it is.
    ///
    /// # Errors
    /// Never for a draft that was parsed.
    pub fn digest(&self) -> Result<String, String> {
        let whole = (
            (DRAFT_FORMAT, self.release, self.rollback),
            (&self.made, &self.by, &self.note),
            &self.documents,
        );
        let text = serde_json::to_vec(&whole).map_err(|error| error.to_string())?;
        Ok(Hash::of(&[&text]).to_hex())
    }

    /// SHA-256 of [`Draft::impact`], hex; empty where there is none.
    pub fn impact_digest(&self) -> String {
        self.impact()
            .map_or_else(String::new, |text| Hash::of(&[text.as_bytes()]).to_hex())
    }

    /// Holds the metadata against the documents and says what would be signed.
    ///
    /// # Errors
    /// What does not fit, in words: then it must not be signed.
    pub fn check(&self) -> Result<Reviewed, String> {
        let signed = &self.targets.signed;
        if signed.targets.len() != self.documents.len() {
            return Err("the metadata name other documents than the draft holds".to_owned());
        }
        for (name, text) in &self.documents {
            let limit =
                limit_of(name).ok_or_else(|| format!("{name} is no document of a release"))?;
            if text.len() as u64 > limit {
                return Err(format!("{name} is longer than {limit} bytes"));
            }
            let there = signed.targets.iter().find(|(key, _)| key.raw() == name);
            let wanted = target(text.as_bytes());
            if there.is_none_or(|(_, found)| {
                found.length != wanted.length || found.hashes != wanted.hashes
            }) {
                return Err(format!("the metadata mean another {name}"));
            }
        }
        let document = |name: &str| {
            self.documents
                .get(name)
                .ok_or_else(|| format!("{name} is missing"))
        };
        fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, String> {
            serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))
        }
        let release: Release = read(RELEASE, document(RELEASE)?)?;
        let digest = |text: &str| Hash::of(&[text.as_bytes()]).to_hex();
        if release.sha256 != digest(document(POLICY)?) || release.version != self.release {
            return Err("release.json names another policy or number".to_owned());
        }
        let (rings, previous) = if self.documents.contains_key(RINGS) {
            let rings: Rings = read(RINGS, document(RINGS)?)?;
            rings.check()?;
            let previous: Release = read(PREVIOUS, document(PREVIOUS)?)?;
            if rings.release != release.version || rings.salt != release.sha256 {
                return Err("rings.json is for another release".to_owned());
            }
            if previous.sha256 != digest(document(PREVIOUS_POLICY)?)
                || previous.version >= release.version
            {
                return Err("previous.json names another policy".to_owned());
            }
            (Some(rings), Some(previous))
        } else {
            (None, None)
        };
        let delegation = signed
            .delegations
            .as_ref()
            .ok_or("the draft names no progress key")?;
        let progress_key = progress_key(delegation)?;
        let root = RootFile::parse(&self.root).map_err(|error| error.to_string())?;
        let threshold = root
            .0
            .signed
            .roles
            .get(&RoleType::Targets)
            .map_or(1, |keys| keys.threshold.get());
        Ok(Reviewed {
            authority: read(AUTHORITY, document(AUTHORITY)?)?,
            // Releases of older servers have none.
            approvers: match self.documents.get(APPROVERS) {
                Some(text) => read(APPROVERS, text)?,
                None => Approvers::default(),
            },
            release,
            rings,
            previous,
            progress_key,
            signed_by: signers(&self.targets, &root.0.signed)
                .iter()
                .map(|id| hex(id.as_ref()))
                .collect(),
            threshold,
        })
    }

    /// Adds a publisher's signature. False where the key has signed already.
    ///
    /// # Errors
    /// Where the root does not name the key as a publisher's, or the draft does not hold together.
    pub fn sign(&mut self, key: &SigningKey) -> Result<bool, String> {
        self.check()?;
        let root = RootFile::parse(&self.root).map_err(|error| error.to_string())?;
        if !root
            .role_keys(RoleType::Targets)
            .contains(&key.verifying_key())
        {
            return Err("this key is not a publisher's key of the root".to_owned());
        }
        metadata::add_signature(&mut self.targets, key)
    }

    /// Takes over signatures that fit; returns how many were new.
    ///
    /// # Errors
    /// Where a signature is of no publisher or does not fit.
    pub fn add(&mut self, signatures: &[DraftSignature]) -> Result<usize, RootError> {
        let root = RootFile::parse(&self.root)?;
        let mut added = 0;
        for given in signatures {
            let parse = || -> Option<Signature> {
                Some(Signature {
                    keyid: given.key_id.parse().ok()?,
                    sig: given.signature.parse().ok()?,
                })
            };
            let signature = parse()
                .ok_or_else(|| RootError::Format("the signature is not hexadecimal".to_owned()))?;
            let named = root
                .0
                .signed
                .roles
                .get(&RoleType::Targets)
                .is_some_and(|keys| keys.keyids.contains(&signature.keyid));
            let key = root
                .0
                .signed
                .keys
                .get(&signature.keyid)
                .filter(|_| named)
                .ok_or_else(|| {
                    RootError::Refused(format!(
                        "key {} is not a publisher's of root version {}",
                        given.key_id.get(..16).unwrap_or(&given.key_id),
                        root.version()
                    ))
                })?;
            if !fits(&self.targets.signed, &signature, key) {
                return Err(RootError::Refused(
                    "a signature does not fit this draft; was another one signed?".to_owned(),
                ));
            }
            if self
                .targets
                .signatures
                .iter()
                .all(|there| there.keyid != signature.keyid)
            {
                self.targets.signatures.push(signature);
                added += 1;
            }
        }
        Ok(added)
    }

    /// The signatures that are there, to be handed in.
    pub fn signatures(&self) -> Vec<DraftSignature> {
        self.targets
            .signatures
            .iter()
            .map(|signature| DraftSignature {
                key_id: hex(signature.keyid.as_ref()),
                signature: hex(signature.sig.as_ref()),
            })
            .collect()
    }
}

/// The metadata of documents, unsigned: they, and the one key that the server may open rings with.
fn metadata_of(
    documents: &BTreeMap<String, String>,
    targets_version: std::num::NonZeroU64,
    lifetime: jiff::SignedDuration,
    progress_key: &ed25519_dalek::VerifyingKey,
) -> Result<Targets, String> {
    let mut targets = Targets::new(SPEC.to_owned(), targets_version, from_now(lifetime));
    let id = key_id(progress_key);
    targets.delegations = Some(Delegations {
        keys: HashMap::from([(id.clone(), tuf_key(progress_key))]),
        roles: vec![DelegatedRole {
            name: "progress".to_owned(),
            keyids: vec![id],
            threshold: std::num::NonZeroU64::MIN,
            paths: PathSet::Paths(vec![
                PathPattern::new(PROGRESS).map_err(|error| error.to_string())?,
            ]),
            terminating: true,
            targets: None,
        }],
    });
    for (name, text) in documents {
        let name = TargetName::new(name).map_err(|error| error.to_string())?;
        targets.targets.insert(name, target(text.as_bytes()));
    }
    Ok(targets)
}

/// A signature over a draft's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftSignature {
    /// Id of the key, hex.
    pub key_id: String,
    /// Ed25519, hex.
    pub signature: String,
}

/// The one key that a release may hand `progress.json` to, raw, hex.
pub(crate) fn progress_key(delegations: &Delegations) -> Result<String, String> {
    let [role] = delegations.roles.as_slice() else {
        return Err("a release hands one thing to the server: progress.json".to_owned());
    };
    let only = match &role.paths {
        PathSet::Paths(paths) => paths.iter().map(PathPattern::value).eq([PROGRESS]),
        PathSet::PathHashPrefixes(_) => false,
    };
    if role.name != "progress" || !only || !role.terminating {
        return Err(format!(
            "the release would hand more than progress.json to the role {:?}",
            role.name
        ));
    }
    let [id] = role.keyids.as_slice() else {
        return Err("progress.json has one key".to_owned());
    };
    delegations
        .keys
        .get(id)
        .and_then(raw_key)
        .map(|key| hex(key.as_bytes()))
        .ok_or_else(|| "the progress key is missing".to_owned())
}

fn json<T: Serialize>(value: &T) -> Result<String, String> {
    serde_json::to_string_pretty(value).map_err(|error| error.to_string())
}
