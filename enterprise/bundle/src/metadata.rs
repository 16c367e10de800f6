//! Making and signing metadata: keys, signatures, the entry of one file in another.

use std::collections::HashMap;
use std::num::NonZeroU64;

use cmdai_schema::Hash;
use ed25519_dalek::{Signature as Raw, Signer as _, SigningKey, VerifyingKey};
use jiff::{SignedDuration, Timestamp as Time};
use serde::Serialize;
use tough::schema::decoded::{Decoded, Hex};
use tough::schema::key::{Ed25519Key, Ed25519Scheme, Key};
use tough::schema::{Hashes, Metafile, Role, Root, Signature, Signed, Target};

/// The version of the specification that metadata name.
pub(crate) const SPEC: &str = "1.0.0";

/// A key as metadata carry it.
pub(crate) fn tuf_key(key: &VerifyingKey) -> Key {
    Key::Ed25519 {
        keyval: Ed25519Key {
            public: key.as_bytes().to_vec().into(),
            _extra: HashMap::new(),
        },
        scheme: Ed25519Scheme::Ed25519,
        _extra: HashMap::new(),
    }
}

/// The raw public key; nothing where it is of another kind.
pub(crate) fn raw_key(key: &Key) -> Option<VerifyingKey> {
    match key {
        Key::Ed25519 { keyval, .. } => {
            let bytes: [u8; 32] = keyval.public.as_ref().try_into().ok()?;
            VerifyingKey::from_bytes(&bytes).ok()
        }
        _ => None,
    }
}

/// The id under which metadata know a key.
pub(crate) fn key_id(key: &VerifyingKey) -> Decoded<Hex> {
    // Serialising a key of ours cannot fail; an empty id would fit no role.
    tuf_key(key).key_id().unwrap_or_else(|_| Vec::new().into())
}

/// Adds a signature, once for each key. False where the key has signed already.
pub(crate) fn add_signature<R: Role + Serialize>(
    role: &mut Signed<R>,
    key: &SigningKey,
) -> Result<bool, String> {
    let id = key_id(&key.verifying_key());
    if role.signatures.iter().any(|there| there.keyid == id) {
        return Ok(false);
    }
    let form = role
        .signed
        .canonical_form()
        .map_err(|error| error.to_string())?;
    role.signatures.push(Signature {
        keyid: id,
        sig: key.sign(&form).to_bytes().to_vec().into(),
    });
    Ok(true)
}

/// True where the signature is of this key over this role.
pub(crate) fn fits<R: Role + Serialize>(role: &R, signature: &Signature, key: &Key) -> bool {
    let check = || -> Option<()> {
        let raw = Raw::from_slice(signature.sig.as_ref()).ok()?;
        let form = role.canonical_form().ok()?;
        raw_key(key)?.verify_strict(&form, &raw).ok()
    };
    check().is_some()
}

/// Keys of a role that have signed, as ids.
pub(crate) fn signers<R: Role + Serialize>(role: &Signed<R>, root: &Root) -> Vec<Decoded<Hex>> {
    let Some(keys) = root.roles.get(&R::TYPE) else {
        return Vec::new();
    };
    role.signatures
        .iter()
        .filter(|signature| keys.keyids.contains(&signature.keyid))
        .filter(|signature| {
            root.keys
                .get(&signature.keyid)
                .is_some_and(|key| fits(&role.signed, signature, key))
        })
        .map(|signature| signature.keyid.clone())
        .collect()
}

/// A role signed by keys.
pub(crate) fn sign<R: Role + Serialize>(
    role: R,
    keys: &[&SigningKey],
) -> Result<Signed<R>, String> {
    let mut signed = Signed {
        signed: role,
        signatures: Vec::new(),
    };
    for key in keys {
        add_signature(&mut signed, key)?;
    }
    Ok(signed)
}

/// The bytes of a file of metadata, and how another file refers to it.
pub(crate) struct Written {
    pub(crate) bytes: Vec<u8>,
    pub(crate) meta: Metafile,
}

/// Writes a signed role out.
pub(crate) fn written<R: Role + Serialize>(role: &Signed<R>) -> Result<Written, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(role)?;
    bytes.push(b'\n');
    let meta = Metafile {
        hashes: Some(hashes(&bytes)),
        length: Some(bytes.len() as u64),
        version: role.signed.version(),
        _extra: HashMap::new(),
    };
    Ok(Written { bytes, meta })
}

fn hashes(bytes: &[u8]) -> Hashes {
    Hashes {
        sha256: Hash::of(&[bytes]).0.to_vec().into(),
        _extra: HashMap::new(),
    }
}

/// How metadata refer to a document.
pub(crate) fn target(bytes: &[u8]) -> Target {
    Target {
        length: bytes.len() as u64,
        hashes: hashes(bytes),
        custom: HashMap::new(),
        _extra: HashMap::new(),
    }
}

/// The number after this one.
pub(crate) fn after(version: NonZeroU64) -> NonZeroU64 {
    version.saturating_add(1)
}

/// Whole seconds: the metadata carry no fractions.
pub(crate) fn now() -> Time {
    Time::from_second(Time::now().as_second()).unwrap_or_else(|_| Time::now())
}

/// A while from now.
pub(crate) fn from_now(duration: SignedDuration) -> Time {
    now().saturating_add(duration).unwrap_or(Time::MAX)
}
