//! Signed states of the log: C2SP signed notes that hold a C2SP checkpoint.
//!
//! ```text
//! cmdai/acme
//! 2
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! time 2026-01-01T00:00:00Z
//!
//! — cmdai/acme BASE64(key id || signature)
//! ```
//!
//! The `time` line is an extension line of the checkpoint format, so that the moment is signed too.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cmdai_api::console::Checkpoint;
use cmdai_schema::Hash;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::Frontier;

/// Kind of signature in key ids: Ed25519.
const ED25519: u8 = 1;

/// A note that cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// Not the form of a signed checkpoint.
    #[error("the signed note is not a checkpoint: {0}")]
    Form(&'static str),
    /// The key is no key.
    #[error("the public key is not 32 bytes of Ed25519 in base64")]
    Key,
    /// No signature of this key.
    #[error(
        "the checkpoint is not signed by the key {expected}: ask the server's owner for its public key"
    )]
    Unsigned {
        /// Key id that was looked for.
        expected: String,
    },
    /// The signature is of something else.
    #[error("the signature does not fit the checkpoint: it was changed after signing")]
    Signature,
    /// The fields beside the note say something else than the note.
    #[error("the checkpoint's {0} is not the one in its signed note")]
    Mismatch(&'static str),
}

/// What a signed note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedState {
    /// Which log.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root.
    pub root: Hash,
    /// When it was signed.
    pub time: String,
}

/// Name of an organisation's log, the first line of its checkpoints. What may not stand in a key
/// name (spaces, controls, `+`) becomes `-`.
pub fn origin_of(organisation: &str) -> String {
    let name: String = organisation
        .chars()
        .map(|c| {
            if c.is_whitespace() || c.is_control() || c == '+' {
                '-'
            } else {
                c
            }
        })
        .collect();
    format!("cmdai/{name}")
}

fn key_id(origin: &str, public: &VerifyingKey) -> [u8; 4] {
    let hash = Hash::of(&[origin.as_bytes(), b"\n", &[ED25519], public.as_bytes()]).0;
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

/// Signs checkpoints of one log.
#[derive(Debug)]
pub struct Signer {
    origin: String,
    key: SigningKey,
}

impl Signer {
    /// A signer for the log named `origin` (see [`origin_of`]) with an Ed25519 secret key.
    pub fn new(origin: String, secret: &[u8; 32]) -> Self {
        Self {
            origin,
            key: SigningKey::from_bytes(secret),
        }
    }

    /// The public key, base64: what goes into an export's header and to who verifies.
    pub fn public_key(&self) -> String {
        BASE64.encode(self.key.verifying_key().as_bytes())
    }

    /// The public key in the form that other C2SP tools take: `origin+id+key`.
    pub fn verifier_key(&self) -> String {
        let public = self.key.verifying_key();
        let id = u32::from_be_bytes(key_id(&self.origin, &public));
        let mut data = vec![ED25519];
        data.extend_from_slice(public.as_bytes());
        format!("{}+{id:08x}+{}", self.origin, BASE64.encode(data))
    }

    /// Signs the state of the log. `time` is RFC 3339 in UTC.
    pub fn checkpoint(&self, frontier: &Frontier, time: &str) -> Checkpoint {
        let root = frontier.root();
        let text = format!(
            "{}\n{}\n{}\ntime {time}\n",
            self.origin,
            frontier.size(),
            BASE64.encode(root.0)
        );
        let mut blob = key_id(&self.origin, &self.key.verifying_key()).to_vec();
        blob.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        Checkpoint {
            origin: self.origin.clone(),
            tree_size: frontier.size(),
            root: root.to_hex(),
            time: time.to_owned(),
            note: format!("{text}\n\u{2014} {} {}\n", self.origin, BASE64.encode(blob)),
        }
    }
}

/// Reads 32 bytes of base64, or a verifier key `origin+id+key` that carries them after the kind.
fn public_key(text: &str) -> Result<VerifyingKey, NoteError> {
    let text = text.trim();
    let plain = BASE64.decode(text).ok().filter(|bytes| bytes.len() == 32);
    let carried = || {
        let data = BASE64.decode(text.splitn(3, '+').nth(2)?).ok()?;
        data.strip_prefix(&[ED25519]).map(<[u8]>::to_vec)
    };
    let bytes = plain.or_else(carried).ok_or(NoteError::Key)?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| NoteError::Key)?;
    VerifyingKey::from_bytes(&bytes).map_err(|_| NoteError::Key)
}

/// Checks a checkpoint's signature against a public key (base64, or `origin+id+key`) and that the
/// fields beside the note say the same as the note.
///
/// # Errors
/// Where the note is malformed, not signed by this key, changed, or not what the fields say.
pub fn open_checkpoint(checkpoint: &Checkpoint, key: &str) -> Result<SignedState, NoteError> {
    let key = public_key(key)?;
    let state = open_note(&checkpoint.note, &key)?;
    let wrong = if checkpoint.origin != state.origin {
        Some("origin")
    } else if checkpoint.tree_size != state.size {
        Some("tree_size")
    } else if checkpoint.root != state.root.to_hex() {
        Some("root")
    } else if checkpoint.time != state.time {
        Some("time")
    } else {
        None
    };
    wrong.map_or(Ok(state), |field| Err(NoteError::Mismatch(field)))
}

fn open_note(note: &str, key: &VerifyingKey) -> Result<SignedState, NoteError> {
    // The text ends with the last empty line's predecessor; signatures follow.
    let cut = note
        .rfind("\n\n")
        .ok_or(NoteError::Form("no empty line before the signatures"))?;
    let text = note.get(..=cut).unwrap_or_default();
    let signatures = note.get(cut + 2..).unwrap_or_default();
    if !signatures.ends_with('\n') {
        return Err(NoteError::Form("the last line does not end"));
    }
    let mut lines = text.lines();
    let origin = lines
        .next()
        .filter(|line| !line.is_empty())
        .ok_or(NoteError::Form("no origin"))?;
    let size_text = lines.next().ok_or(NoteError::Form("no size"))?;
    let size: u64 = size_text
        .parse()
        .map_err(|_| NoteError::Form("the size is no number"))?;
    if size.to_string() != size_text {
        return Err(NoteError::Form("the size is not written plainly"));
    }
    let root = lines
        .next()
        .and_then(|line| BASE64.decode(line).ok())
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(Hash)
        .ok_or(NoteError::Form("the root is not 32 bytes of base64"))?;
    let time = lines
        .next()
        .and_then(|line| line.strip_prefix("time "))
        .ok_or(NoteError::Form("no time"))?;
    let id = key_id(origin, key);
    for line in signatures.lines() {
        let (name, blob) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.rsplit_once(' '))
            .ok_or(NoteError::Form("a signature line is malformed"))?;
        let blob = BASE64
            .decode(blob)
            .map_err(|_| NoteError::Form("a signature is not base64"))?;
        let Some((found, signature)) = blob.split_at_checked(4) else {
            return Err(NoteError::Form("a signature is too short"));
        };
        // Signatures of others, such as witnesses, are passed over.
        if name != origin || found != id {
            continue;
        }
        let signature = Signature::from_slice(signature).map_err(|_| NoteError::Signature)?;
        key.verify_strict(text.as_bytes(), &signature)
            .map_err(|_| NoteError::Signature)?;
        return Ok(SignedState {
            origin: origin.to_owned(),
            size,
            root,
            time: time.to_owned(),
        });
    }
    let expected = format!("{origin}+{:08x}", u32::from_be_bytes(id));
    Err(NoteError::Unsigned { expected })
}
