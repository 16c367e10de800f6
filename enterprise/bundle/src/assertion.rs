//! Assertions of security keys (WebAuthn, level 2, section 7.2), as small as a machine can verify
//! them: ES256 and EdDSA, one relying party, user verification always.
//!
//! A key signs what the console showed: the challenge is the SHA-256 of a statement. Where the
//! statement is a [`Consent`], the assertion itself is the approver's signature under a grant, and
//! nobody who lacks the key can make it, the server included.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use cmdai_api::machine::{ApproverKey, Approvers, CONSENT_FORMAT, Consent, Proof};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Algorithms by their names in `approvers.json`.
pub const ES256: &str = "ES256";
/// Ed25519.
pub const EDDSA: &str = "EdDSA";

/// Longest part of an assertion, in letters.
const MAX_PART: usize = 8 * 1024;
/// Longest statement, in bytes.
const MAX_STATEMENT: usize = 64 * 1024;

/// Flags of the authenticator data.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// Why an assertion is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// A part cannot be read.
    #[error("its {0} cannot be read")]
    Malformed(&'static str),
    /// No key of this id is known.
    #[error("security key {credential_id} is not among those that may approve")]
    UnknownKey {
        /// The id, shortened.
        credential_id: String,
    },
    /// The key is of a kind that is not known.
    #[error("the key's kind {0:?} is not known; update")]
    Algorithm(String),
    /// Another kind of ceremony.
    #[error("it is not an assertion but {0:?}")]
    Ceremony(String),
    /// It answers another challenge.
    #[error("it was given for something else")]
    Challenge,
    /// It was made on another site.
    #[error("it was made on {0:?}, which is not the console")]
    Origin(String),
    /// The key is bound to another site.
    #[error("it is bound to another site than the console")]
    RelyingParty,
    /// Nobody touched the key.
    #[error("nobody touched the key")]
    Absent,
    /// The key did not check who touches it.
    #[error("the key did not verify who touched it (PIN or fingerprint)")]
    Unverified,
    /// The signature does not fit.
    #[error("its signature does not fit the key")]
    Signature,
    /// It is no consent.
    #[error("what was signed is no approval: {0}")]
    Statement(String),
}

/// What a good assertion says besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asserted {
    /// How often the key has signed, by its own count; 0 where it does not count.
    pub counter: u32,
    /// The key is a passkey that lies on several devices.
    pub backed_up: bool,
}

/// What browsers say of a ceremony. What is not named here is passed over, as the standard asks.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
}

/// The challenge that belongs to a statement.
pub fn challenge_of(statement: &str) -> [u8; 32] {
    Sha256::digest(statement.as_bytes()).into()
}

/// Bytes of one part of an assertion or registration: base64url without padding.
///
/// # Errors
/// Where it is too long or something else.
pub fn part(what: &'static str, text: &str) -> Result<Vec<u8>, AssertionError> {
    if text.len() > MAX_PART {
        return Err(AssertionError::Malformed(what));
    }
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| AssertionError::Malformed(what))
}

/// Holds what the browser says against what was asked; returns the bytes that it said it in.
///
/// # Errors
/// Where it is about another ceremony, challenge or site.
pub fn client_data(
    text: &str,
    ceremony: &str,
    challenge: &[u8],
    origins: &[String],
) -> Result<Vec<u8>, AssertionError> {
    let bytes = part("client data", text)?;
    let said: ClientData =
        serde_json::from_slice(&bytes).map_err(|_| AssertionError::Malformed("client data"))?;
    if said.ceremony != ceremony {
        return Err(AssertionError::Ceremony(short(&said.ceremony)));
    }
    if said.challenge != URL_SAFE_NO_PAD.encode(challenge) {
        return Err(AssertionError::Challenge);
    }
    if said.cross_origin || !origins.contains(&said.origin) {
        return Err(AssertionError::Origin(short(&said.origin)));
    }
    Ok(bytes)
}

/// The first 37 bytes of authenticator data: for which site, who was there, how often.
///
/// # Errors
/// Where it is for another site, or nobody was there and verified.
pub fn authenticator_data(bytes: &[u8], rp_id: &str) -> Result<(Asserted, u8), AssertionError> {
    let malformed = || AssertionError::Malformed("authenticator data");
    let (site, rest) = bytes.split_at_checked(32).ok_or_else(malformed)?;
    let (&flags, rest) = rest.split_first().ok_or_else(malformed)?;
    let (counter, _) = rest.split_first_chunk::<4>().ok_or_else(malformed)?;
    if site != Sha256::digest(rp_id.as_bytes()).as_slice() {
        return Err(AssertionError::RelyingParty);
    }
    if flags & PRESENT == 0 {
        return Err(AssertionError::Absent);
    }
    if flags & VERIFIED == 0 {
        return Err(AssertionError::Unverified);
    }
    let backed_up = flags & BACKED_UP != 0;
    if backed_up && flags & BACKUP_ELIGIBLE == 0 {
        return Err(malformed());
    }
    let said = Asserted {
        counter: u32::from_be_bytes(*counter),
        backed_up,
    };
    Ok((said, flags))
}

/// Verifies an assertion by one key. `proof.statement` is what the challenge must be the hash of.
///
/// # Errors
/// [`AssertionError`], which says what does not fit.
pub fn verify_assertion(
    proof: &Proof,
    key: &ApproverKey,
    rp_id: &str,
    origins: &[String],
) -> Result<Asserted, AssertionError> {
    if proof.credential_id != key.credential_id {
        return Err(unknown(&proof.credential_id));
    }
    if proof.statement.len() > MAX_STATEMENT {
        return Err(AssertionError::Malformed("statement"));
    }
    let challenge = challenge_of(&proof.statement);
    let client = client_data(&proof.client_data_json, "webauthn.get", &challenge, origins)?;
    let mut signed = part("authenticator data", &proof.authenticator_data)?;
    let (said, flags) = authenticator_data(&signed, rp_id)?;
    if flags & ATTESTED != 0 {
        return Err(AssertionError::Malformed("authenticator data"));
    }
    signed.extend_from_slice(&Sha256::digest(&client));
    let signature = part("signature", &proof.signature)?;
    let public = STANDARD
        .decode(&key.public_key)
        .map_err(|_| AssertionError::Malformed("public key"))?;
    match key.algorithm.as_str() {
        ES256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &public)
            .verify(&signed, &signature)
            .map_err(|_| AssertionError::Signature)?,
        EDDSA => {
            let bytes: [u8; 32] = public
                .try_into()
                .map_err(|_| AssertionError::Malformed("public key"))?;
            let public = VerifyingKey::from_bytes(&bytes)
                .map_err(|_| AssertionError::Malformed("public key"))?;
            let signature =
                Signature::from_slice(&signature).map_err(|_| AssertionError::Signature)?;
            public
                .verify_strict(&signed, &signature)
                .map_err(|_| AssertionError::Signature)?;
        }
        other => return Err(AssertionError::Algorithm(short(other))),
    }
    Ok(said)
}

/// Verifies the proof of a consent against the keys that may approve, and reads it.
///
/// # Errors
/// [`AssertionError`], which says what does not fit.
pub fn verify_consent<'a>(
    proof: &Proof,
    approvers: &'a Approvers,
) -> Result<(Consent, &'a ApproverKey, Asserted), AssertionError> {
    let key = approvers
        .keys
        .iter()
        .find(|key| key.credential_id == proof.credential_id)
        .ok_or_else(|| unknown(&proof.credential_id))?;
    let said = verify_assertion(proof, key, &approvers.rp_id, &approvers.origins)?;
    let consent: Consent = serde_json::from_str(&proof.statement)
        .map_err(|error| AssertionError::Statement(error.to_string()))?;
    if consent.format != CONSENT_FORMAT {
        return Err(AssertionError::Statement(format!(
            "its format is {:?}",
            short(&consent.format)
        )));
    }
    Ok((consent, key, said))
}

fn unknown(credential_id: &str) -> AssertionError {
    AssertionError::UnknownKey {
        credential_id: short(credential_id),
    }
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
