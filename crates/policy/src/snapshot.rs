//! The compiled snapshot: one file that a shell loads in well under a millisecond.
//!
//! All numbers are little-endian. The file is
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | magic `CMDAISNP` |
//! | 8..10 | format version, 5 |
//! | 10..12 | lowest engine level that understands every rule in it |
//! | 12..44 | SHA-256 of the policy: of the canonical JSON of the document |
//! | 44..48 | length of the body |
//! | 48..52 | CRC-32 of bytes 0..48 and the body |
//! | 52.. | the body |
//!
//! The body is the length of the head (4 bytes), the head (postcard: names, settings, index) and
//! the rules (postcard, one after the other; the head holds their offsets). Regular expressions
//! lie in the rules as serialised automata. [`Snapshot::open`] checks the sum, decodes the head
//! and nothing else; a rule is decoded when its program or effect first turns up.
//!
//! The checksum finds damage, not malice: who may write the file is settled by its owner and by
//! the signed release it was made from. See `docs/formats/snapshot.md`.

use std::sync::OnceLock;

use cmdai_schema::Hash;
use serde::{Deserialize, Serialize};

use crate::PolicySet;
use crate::automaton::Matcher;
use crate::compiled::{self, CompiledRule, Head, Settings};
use crate::document::{Exception, FailMode};

/// First bytes of a snapshot.
pub const MAGIC: &[u8; 8] = b"CMDAISNP";
/// Format version that this engine writes and reads.
pub const FORMAT_VERSION: u16 = 5;
/// What this engine understands. Raised when rules gain a meaning that older engines would miss.
pub const ENGINE_LEVEL: u16 = 1;
/// Largest snapshot that is read, in bytes.
pub const MAX_SNAPSHOT: usize = 64 * 1024 * 1024;

const HEADER: usize = 52;

/// Names of a snapshot, given by whoever compiles it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotMeta {
    /// The organisation's name, or `community`.
    pub policy_id: String,
    /// Version of the release.
    pub version: String,
    /// The machine is in quarantine, with the reason.
    pub quarantine: Option<String>,
    /// Moment of the release, RFC 3339, where there is one.
    pub released: Option<String>,
}

/// Why bytes are not a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The file does not begin with the magic.
    #[error("not a policy snapshot")]
    NotASnapshot,
    /// The file is cut off or longer than it says.
    #[error("snapshot has {found} bytes instead of {expected}; publish it again")]
    Length {
        /// Bytes that should be there.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The checksum does not match.
    #[error("snapshot is damaged; publish it again")]
    Checksum,
    /// Written in a format that this engine does not read.
    #[error(
        "snapshot has format {0}, this engine reads {FORMAT_VERSION}; compile it with this engine"
    )]
    Format(u16),
    /// Holds rules that this engine does not understand.
    #[error("snapshot needs engine level {0}, this engine has {ENGINE_LEVEL}; update cmdai")]
    EngineTooOld(u16),
    /// The document says that it is for newer engines (`min_engine`).
    #[error(
        "the policy is for engine {0} or newer, this is {own}; update cmdai",
        own = cmdai_schema::ENGINE_VERSION
    )]
    EngineBefore(String),
    /// The body cannot be decoded.
    #[error("snapshot cannot be decoded: {0}")]
    Body(String),
}

/// A loaded snapshot. Cheap to share; rules are decoded once, when first needed.
pub struct Snapshot {
    head: Head,
    rules: Box<[OnceLock<Box<Loaded>>]>,
    bytes: Box<[u8]>,
    rule_area: usize,
    digest: OnceLock<String>,
}

/// A decoded rule with its automaton.
pub(crate) struct Loaded {
    pub(crate) rule: CompiledRule,
    pub(crate) matcher: Option<Matcher>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("meta", &self.head.meta)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

/// Compiles a document into the bytes of a snapshot file. The same document and names give the
/// same bytes.
pub fn compile(set: &PolicySet, meta: &SnapshotMeta) -> Vec<u8> {
    let built = compiled::compile(&set.document, meta);
    let mut head = built.head;
    let mut area: Vec<u8> = Vec::new();
    for rule in &built.rules {
        head.offsets
            .push(u32::try_from(area.len()).unwrap_or(u32::MAX));
        area.extend(postcard::to_stdvec(rule).unwrap_or_default());
    }
    head.offsets
        .push(u32::try_from(area.len()).unwrap_or(u32::MAX));
    let head = postcard::to_stdvec(&head).unwrap_or_default();
    let mut body = u32::try_from(head.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec();
    body.extend(head);
    body.extend(area);

    let mut out = Vec::with_capacity(HEADER + body.len());
    out.extend(MAGIC);
    out.extend(FORMAT_VERSION.to_le_bytes());
    out.extend(ENGINE_LEVEL.to_le_bytes());
    out.extend(set.digest().0);
    out.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&out);
    sum.update(&body);
    out.extend(sum.finalize().to_le_bytes());
    out.extend(body);
    out
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl Snapshot {
    /// Checks and loads the bytes of a snapshot file. Compiles nothing.
    ///
    /// # Errors
    /// Where the bytes are no snapshot, are damaged, or need another engine. Nothing is ever
    /// partly loaded.
    pub fn open(bytes: &[u8]) -> Result<Self, SnapshotError> {
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(SnapshotError::NotASnapshot);
        }
        let found = bytes.len() as u64;
        let short = SnapshotError::Length {
            expected: HEADER as u64,
            found,
        };
        let (Some(format), Some(level)) = (u16_at(bytes, 8), u16_at(bytes, 10)) else {
            return Err(short);
        };
        if format != FORMAT_VERSION {
            return Err(SnapshotError::Format(format));
        }
        let (Some(length), Some(sum)) = (u32_at(bytes, 44), u32_at(bytes, 48)) else {
            return Err(short);
        };
        let expected = HEADER as u64 + u64::from(length);
        if expected != found || bytes.len() > MAX_SNAPSHOT {
            return Err(SnapshotError::Length { expected, found });
        }
        let (Some(header), Some(body)) = (bytes.get(..48), bytes.get(HEADER..)) else {
            return Err(short);
        };
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(header);
        hasher.update(body);
        if hasher.finalize() != sum {
            return Err(SnapshotError::Checksum);
        }
        if level > ENGINE_LEVEL {
            return Err(SnapshotError::EngineTooOld(level));
        }
        let damaged = |what: &str| SnapshotError::Body(what.to_owned());
        let head_len = u32_at(body, 0).ok_or_else(|| damaged("no head"))? as usize;
        let head_bytes = body
            .get(4..head_len.saturating_add(4))
            .ok_or_else(|| damaged("head is cut off"))?;
        let head: Head =
            postcard::from_bytes(head_bytes).map_err(|error| damaged(&error.to_string()))?;
        // The sensor that compiled it may be newer than the engine that a running shell has loaded.
        if let Some(wanted) = &head.settings.min_engine
            && crate::version::is_older(cmdai_schema::ENGINE_VERSION, wanted)
        {
            return Err(SnapshotError::EngineBefore(wanted.clone()));
        }
        let rule_area = HEADER + 4 + head_len;
        let ordered = head
            .offsets
            .windows(2)
            .all(|pair| pair.first() <= pair.last());
        let end = head.offsets.last().map_or(0, |end| *end as usize);
        if head.offsets.is_empty() || !ordered || rule_area + end != bytes.len() {
            return Err(damaged("rules do not fill the file"));
        }
        let rules = (1..head.offsets.len()).map(|_| OnceLock::new()).collect();
        Ok(Self {
            head,
            rules,
            bytes: bytes.into(),
            rule_area,
            digest: OnceLock::new(),
        })
    }

    /// Names given at compile time.
    pub fn meta(&self) -> &SnapshotMeta {
        &self.head.meta
    }

    /// SHA-256 of the whole file, `sha256:…`. Computed when first asked for.
    pub fn digest(&self) -> &str {
        self.digest
            .get_or_init(|| format!("sha256:{}", Hash::of(&[&self.bytes])))
    }

    /// SHA-256 of the policy document's canonical form, hex.
    pub fn policy_digest(&self) -> String {
        let bytes = self
            .bytes
            .get(12..44)
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or([0; 32]);
        Hash(bytes).to_hex()
    }

    /// The sections of the document that are not rules: inference, approvals, audit, privacy, …
    pub fn settings(&self) -> &Settings {
        &self.head.settings
    }

    /// What happens when judging itself fails.
    pub fn fail_mode(&self) -> FailMode {
        self.head.settings.fail_mode
    }

    /// Number of own rules.
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    /// The standing exceptions, for screens.
    pub fn exceptions(&self) -> Vec<Exception> {
        let carried = |exception: &compiled::CompiledException| Exception {
            rule: exception.rules.clone(),
            scope: exception.scope.clone(),
            until: exception.until.clone(),
            reason: Some(exception.reason.clone()),
            ..Exception::default()
        };
        self.head.exceptions.iter().map(carried).collect()
    }

    /// A rule may fire at one time of the day and not at another. Exceptions do not count: they only
    /// change what fires.
    pub fn reads_clock(&self) -> bool {
        crate::asked::reads_clock(self.head.asks)
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// The rule with this number, decoded when first asked for.
    pub(crate) fn rule(&self, number: usize) -> Option<&Loaded> {
        let slot = self.rules.get(number)?;
        Some(slot.get_or_init(|| {
            let decoded = self.decode(number).unwrap_or_else(|| CompiledRule {
                // Unreachable behind the checksum; what cannot be read must not pass silently.
                id: "policy.damaged".to_owned(),
                risk: cmdai_schema::Risk::High,
                reason: "a rule of the policy cannot be read; publish the policy again".to_owned(),
                ..CompiledRule::default()
            });
            let matcher = (!decoded.when.automaton.is_empty())
                .then(|| Matcher::load(&decoded.when.automaton));
            Box::new(Loaded {
                rule: decoded,
                matcher,
            })
        }))
    }

    fn decode(&self, number: usize) -> Option<CompiledRule> {
        let start = *self.head.offsets.get(number)? as usize;
        let end = *self.head.offsets.get(number + 1)? as usize;
        let area = self.bytes.get(self.rule_area..)?;
        postcard::from_bytes(area.get(start..end)?).ok()
    }
}
