//! Ed25519 keys on disk: PKCS#8 v2 in DER, mode 0600.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("cannot use key file {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error(
        "key file {path} can be read by others (mode {mode:o}): `chmod 600` it, and replace the key if it may have been read"
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not such a key.
    #[error("{path} is not an Ed25519 key in PKCS#8 (DER)")]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

/// Longest key file that is read, in bytes.
const MAX_KEY: u64 = 4096;

/// Makes a key and writes it to a new file; an existing file is never replaced.
///
/// # Errors
/// Where the file exists or cannot be written, or no random bytes can be had.
pub fn create(path: &Path) -> Result<SigningKey, KeyError> {
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|_| KeyError::Random)?;
    let key = SigningKey::from_bytes(&seed);
    let document = key.to_pkcs8_der().map_err(|_| KeyError::Format {
        path: path.to_owned(),
    })?;
    let fail = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(fail)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    file.write_all(document.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(fail)?;
    Ok(key)
}

/// Reads a key.
///
/// # Errors
/// Where the file cannot be read, is open to others, or is no such key.
pub fn load(path: &Path) -> Result<SigningKey, KeyError> {
    let fail = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(fail)?;
    let mode = file.metadata().map_err(fail)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Open {
            path: path.to_owned(),
            mode,
        });
    }
    let mut bytes = Vec::new();
    file.take(MAX_KEY).read_to_end(&mut bytes).map_err(fail)?;
    SigningKey::from_pkcs8_der(&bytes).map_err(|_| KeyError::Format {
        path: path.to_owned(),
    })
}

/// Reads a key, or makes it where there is none.
///
/// # Errors
/// As [`load`] and [`create`].
pub fn load_or_create(path: &Path) -> Result<SigningKey, KeyError> {
    match load(path) {
        Err(KeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create(path)
        }
        other => other,
    }
}

/// The raw public key in base64, as it stands in `authority.json`.
pub fn public_base64(key: &SigningKey) -> String {
    STANDARD.encode(key.verifying_key().as_bytes())
}

/// First 16 hex digits of the SHA-256 of the public key.
pub fn key_id(key: &VerifyingKey) -> String {
    hex(&Sha256::digest(key.as_bytes()))
        .chars()
        .take(16)
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
