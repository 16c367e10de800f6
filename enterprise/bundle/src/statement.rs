//! Signed statements: grants and orders.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cmdai_api::machine::Signed;
use cmdai_schema::{CanonicalError, canonical_bytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Serialize, de::DeserializeOwned};

use crate::keys::key_id;

/// Longest statement that is looked at, in bytes.
const MAX_PAYLOAD: usize = 256 * 1024;

/// Why a statement is not believed.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// No key of this id may sign it.
    #[error("signed by key {key_id}, which the installed policy release does not name for this")]
    UnknownKey {
        /// The id in the statement.
        key_id: String,
    },
    /// The signature is of another text or key.
    #[error("the signature does not fit the statement")]
    Signature,
    /// It is too long.
    #[error("the statement is longer than {MAX_PAYLOAD} bytes")]
    Oversize,
    /// The text is not the expected statement.
    #[error("not a statement of the expected kind: {0}")]
    Content(#[from] serde_json::Error),
    /// It cannot be written canonically.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Signs a value: its RFC 8785 text becomes the payload.
///
/// # Errors
/// Where the value cannot be written canonically.
pub fn sign_statement<T: Serialize>(key: &SigningKey, value: &T) -> Result<Signed, StatementError> {
    let payload = String::from_utf8_lossy(&canonical_bytes(value)?).into_owned();
    let signature = key.sign(payload.as_bytes());
    Ok(Signed {
        payload,
        key_id: key_id(&key.verifying_key()),
        signature: STANDARD.encode(signature.to_bytes()),
    })
}

/// Verifies a statement against the keys that may sign it (raw public keys, base64) and reads it.
///
/// # Errors
/// Where no such key signed it, the signature does not fit, or the text is something else.
pub fn verify_statement<T: DeserializeOwned>(
    signed: &Signed,
    keys: &[String],
) -> Result<T, StatementError> {
    if signed.payload.len() > MAX_PAYLOAD {
        return Err(StatementError::Oversize);
    }
    let key = keys
        .iter()
        .filter_map(|text| decode_key(text))
        .find(|key| key_id(key) == signed.key_id)
        .ok_or_else(|| StatementError::UnknownKey {
            key_id: signed.key_id.chars().take(32).collect(),
        })?;
    let bytes = STANDARD
        .decode(&signed.signature)
        .map_err(|_| StatementError::Signature)?;
    let signature = Signature::from_slice(&bytes).map_err(|_| StatementError::Signature)?;
    key.verify_strict(signed.payload.as_bytes(), &signature)
        .map_err(|_| StatementError::Signature)?;
    Ok(serde_json::from_str(&signed.payload)?)
}

fn decode_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}
