//! What a browser gives when a security key is registered (WebAuthn, level 2, section 7.1).
//!
//! Attestations are passed over: which make of key somebody has is not asked. What is read out of
//! the CBOR is the credential's id and its public key, ES256 or EdDSA.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ciborium::Value;
use cmdai_bundle::assertion::{self, AssertionError, EDDSA, ES256};

/// Longest attestation object, in bytes: some hold a chain of certificates.
const MAX_OBJECT: usize = 64 * 1024;
/// Deepest nesting that is read.
const DEEP: usize = 12;
/// There is a credential in the authenticator data.
const ATTESTED: u8 = 0x40;

/// A credential as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) credential_id: Vec<u8>,
    /// `ES256` or `EdDSA`.
    pub(super) algorithm: &'static str,
    /// Base64, as in `approvers.json`.
    pub(super) public_key: String,
    pub(super) counter: u32,
    /// A passkey that lies on several devices.
    pub(super) backed_up: bool,
}

fn unreadable() -> AssertionError {
    AssertionError::Malformed("attestation object")
}

/// Reads an attestation object. Site, presence and verification are checked.
///
/// # Errors
/// What does not fit.
pub(super) fn read(object: &[u8], rp_id: &str) -> Result<Made, AssertionError> {
    if object.len() > MAX_OBJECT {
        return Err(unreadable());
    }
    let value = cbor(&mut &*object)?;
    let data = value
        .as_map()
        .and_then(|map| {
            map.iter()
                .find(|(key, _)| key.as_text() == Some("authData"))
                .and_then(|(_, value)| value.as_bytes())
        })
        .ok_or_else(unreadable)?;
    let (said, flags) = assertion::authenticator_data(data, rp_id)?;
    if flags & ATTESTED == 0 {
        return Err(unreadable());
    }
    // Site, flags and count, then the make, the length of the id, the id and the key.
    let rest = data.get(37 + 16..).ok_or_else(unreadable)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(unreadable)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > 1_023 {
        return Err(unreadable());
    }
    let (credential_id, mut key) = rest.split_at_checked(length).ok_or_else(unreadable)?;
    let (algorithm, public_key) = public_key(&cbor(&mut key)?)?;
    Ok(Made {
        credential_id: credential_id.to_vec(),
        algorithm,
        public_key: STANDARD.encode(public_key),
        counter: said.counter,
        backed_up: said.backed_up,
    })
}

/// One value; what follows it is left.
fn cbor(bytes: &mut &[u8]) -> Result<Value, AssertionError> {
    ciborium::de::from_reader_with_recursion_limit(bytes, DEEP).map_err(|_| unreadable())
}

/// A COSE key.
fn public_key(value: &Value) -> Result<(&'static str, Vec<u8>), AssertionError> {
    let map = value.as_map().ok_or_else(unreadable)?;
    let field = |number: i64| {
        map.iter()
            .find(|(key, _)| key.as_integer() == Some(number.into()))
            .map(|(_, value)| value)
    };
    let number = |of: i64| -> Option<i64> { field(of)?.as_integer()?.try_into().ok() };
    let bytes = |of: i64| -> Option<&[u8]> {
        field(of)?
            .as_bytes()
            .map(Vec::as_slice)
            .filter(|bytes| bytes.len() == 32)
    };
    match (number(1), number(3), number(-1)) {
        (Some(2), Some(-7), Some(1)) => {
            let (x, y) = (bytes(-2), bytes(-3));
            let (Some(x), Some(y)) = (x, y) else {
                return Err(unreadable());
            };
            Ok((ES256, [&[4], x, y].concat()))
        }
        (Some(1), Some(-8), Some(6)) => Ok((EDDSA, bytes(-2).ok_or_else(unreadable)?.to_vec())),
        (_, Some(algorithm), _) => Err(AssertionError::Algorithm(algorithm.to_string())),
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use cmdai_bundle::soft_key::SoftKey;

    use super::*;

    #[test]
    fn both_kinds_of_key_are_read_and_damage_is_refused() {
        for algorithm in [ES256, EDDSA] {
            let key = SoftKey::new("localhost", algorithm).unwrap();
            let registered = key.register("AAAA", "http://localhost");
            let object = URL_SAFE_NO_PAD
                .decode(registered.attestation_object)
                .unwrap();
            let made = read(&object, "localhost").unwrap();
            let known = key.approver("maya", &[]);
            assert_eq!(made.algorithm, algorithm);
            assert_eq!(made.public_key, known.public_key);
            assert_eq!(
                URL_SAFE_NO_PAD.encode(&made.credential_id),
                known.credential_id
            );
            assert_eq!(
                read(&object, "example.com"),
                Err(AssertionError::RelyingParty)
            );
            for end in 0..object.len() {
                assert!(read(&object[..end], "localhost").is_err(), "{end}");
            }
        }
        assert!(read(&[0x9f; 4_096], "localhost").is_err(), "nested");
        assert!(read(&[0xbb, 255, 255, 255, 255, 255, 255, 255, 255], "x").is_err());
    }
}
