//! A security key in software, for tests and simulations. Its private key lies in memory and nobody
//! touches it: it proves that a program ran, not that a person was there.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use cmdai_api::machine::{ApproverKey, Proof};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use crate::assertion::{EDDSA, ES256, challenge_of};

/// Somebody was there and was verified.
pub const THERE: u8 = 0x05;

enum Secret {
    Es256(EcdsaKeyPair),
    EdDsa(SigningKey),
}

/// What a registration gives, base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Id of the credential.
    pub credential_id: String,
    /// What the browser says of the ceremony.
    pub client_data_json: String,
    /// The attestation object, with no attestation.
    pub attestation_object: String,
}

/// A security key that is bound to one site.
pub struct SoftKey {
    rp_id: String,
    credential_id: Vec<u8>,
    secret: Secret,
    /// Signatures so far; set it back to play a copied key.
    pub counter: u32,
    /// Flags that it claims; [`THERE`] usually.
    pub flags: u8,
}

impl SoftKey {
    /// A fresh key for a site.
    ///
    /// # Errors
    /// Where the system gives no random bytes or the algorithm is not known.
    pub fn new(rp_id: &str, algorithm: &str) -> Result<Self, String> {
        let mut seed = [0u8; 48];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        let (id, secret) = seed.split_at(16);
        let secret = match algorithm {
            ES256 => Secret::Es256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
                    .map_err(|error| error.to_string())?,
            ),
            EDDSA => Secret::EdDsa(SigningKey::from_bytes(
                secret.try_into().map_err(|_| "too short a seed")?,
            )),
            other => return Err(format!("{other} is not an algorithm of security keys")),
        };
        Ok(Self {
            rp_id: rp_id.to_owned(),
            credential_id: id.to_vec(),
            secret,
            counter: 0,
            flags: THERE,
        })
    }

    /// Id of the credential, base64url.
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.credential_id)
    }

    /// As it stands in `approvers.json`.
    pub fn approver(&self, login: &str, groups: &[&str]) -> ApproverKey {
        let (algorithm, public) = match &self.secret {
            Secret::Es256(pair) => (ES256, pair.public_key().as_ref().to_vec()),
            Secret::EdDsa(key) => (EDDSA, key.verifying_key().to_bytes().to_vec()),
        };
        ApproverKey {
            credential_id: self.id(),
            algorithm: algorithm.to_owned(),
            public_key: STANDARD.encode(public),
            login: login.to_owned(),
            person: login.to_owned(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            security: true,
        }
    }

    fn client_data(ceremony: &str, challenge: &str, origin: &str) -> Vec<u8> {
        serde_json::json!({
            "type": ceremony, "challenge": challenge, "origin": origin, "crossOrigin": false,
        })
        .to_string()
        .into_bytes()
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// Registers with a site that asked with a challenge (base64url).
    pub fn register(&self, challenge: &str, origin: &str) -> Registered {
        let mut data = self.authenticator_data(self.flags | 0x40);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&[0, 16]);
        data.extend_from_slice(&self.credential_id);
        match &self.secret {
            Secret::Es256(pair) => {
                let point = pair.public_key().as_ref();
                // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
                data.extend_from_slice(&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
                data.extend_from_slice(point.get(1..33).unwrap_or_default());
                data.extend_from_slice(&[0x22, 0x58, 32]);
                data.extend_from_slice(point.get(33..65).unwrap_or_default());
            }
            Secret::EdDsa(key) => {
                // {1: 1, 3: -8, -1: 6, -2: x}
                data.extend_from_slice(&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32]);
                data.extend_from_slice(key.verifying_key().as_bytes());
            }
        }
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
        object.extend_from_slice(&length.to_be_bytes());
        object.extend_from_slice(&data);
        Registered {
            credential_id: self.id(),
            client_data_json: URL_SAFE_NO_PAD.encode(Self::client_data(
                "webauthn.create",
                challenge,
                origin,
            )),
            attestation_object: URL_SAFE_NO_PAD.encode(object),
        }
    }

    /// Signs a statement, as if its owner had touched it.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn assert(&mut self, statement: &str, origin: &str) -> Result<Proof, String> {
        self.counter = self.counter.saturating_add(1);
        let challenge = URL_SAFE_NO_PAD.encode(challenge_of(statement));
        let client = Self::client_data("webauthn.get", &challenge, origin);
        let data = self.authenticator_data(self.flags);
        let mut signed = data.clone();
        signed.extend_from_slice(&Sha256::digest(&client));
        let signature = match &self.secret {
            Secret::Es256(pair) => pair
                .sign(&SystemRandom::new(), &signed)
                .map_err(|error| error.to_string())?
                .as_ref()
                .to_vec(),
            Secret::EdDsa(key) => key.sign(&signed).to_bytes().to_vec(),
        };
        Ok(Proof {
            statement: statement.to_owned(),
            credential_id: self.id(),
            authenticator_data: URL_SAFE_NO_PAD.encode(data),
            client_data_json: URL_SAFE_NO_PAD.encode(client),
            signature: URL_SAFE_NO_PAD.encode(signature),
        })
    }
}
