//! Key files of people: PKCS#8 in PEM, encrypted with a passphrase (PBES2: scrypt and AES-256-CBC).
//!
//! `openssl pkey -in FILE` reads the same format. A publisher's or root key lies on its holder's
//! own medium, never on the server.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use pkcs8::der::Decode as _;
use pkcs8::der::pem::PemLabel as _;
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo, SecretDocument};

/// Fewest characters of a passphrase.
pub const MIN_PASSPHRASE: usize = 12;
/// Longest key file that is read, in bytes.
const MAX_FILE: u64 = 16 * 1024;
/// scrypt with 2^17 rounds takes 128 MiB and about a third of a second.
const LOG_N: u8 = 17;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SealedKeyError {
    /// The file cannot be read or written.
    #[error("cannot use key file {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no such file.
    #[error("{path} is not an encrypted Ed25519 key (PKCS#8 in PEM)")]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase is another.
    #[error("the passphrase does not open {path}")]
    Passphrase {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase is too short.
    #[error("a passphrase has at least {MIN_PASSPHRASE} characters")]
    Short,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

/// Makes a key and writes it, encrypted, to a new file (mode 0600). An existing file is never replaced.
///
/// # Errors
/// Where the passphrase is short or the file exists or cannot be written.
pub fn create_sealed(path: &Path, passphrase: &str) -> Result<SigningKey, SealedKeyError> {
    if passphrase.chars().count() < MIN_PASSPHRASE {
        return Err(SealedKeyError::Short);
    }
    let fill = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| SealedKeyError::Random);
    let (mut seed, mut salt, mut iv) = ([0u8; 32], [0u8; 16], [0u8; 16]);
    fill(&mut seed)?;
    fill(&mut salt)?;
    fill(&mut iv)?;
    let key = SigningKey::from_bytes(&seed);
    let unusable = || SealedKeyError::Format {
        path: path.to_owned(),
    };
    let plain = key.to_pkcs8_der().map_err(|_| unusable())?;
    let info = PrivateKeyInfo::from_der(plain.as_bytes()).map_err(|_| unusable())?;
    let strength = scrypt::Params::new(LOG_N, 8, 1, 32).map_err(|_| unusable())?;
    let parameters =
        pbes2::Parameters::scrypt_aes256cbc(strength, &salt, &iv).map_err(|_| unusable())?;
    let sealed = info
        .encrypt_with_params(parameters, passphrase)
        .map_err(|_| unusable())?;
    let pem = sealed
        .to_pem(EncryptedPrivateKeyInfo::PEM_LABEL, LineEnding::LF)
        .map_err(|_| unusable())?;
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(pem.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| SealedKeyError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(key)
}

/// Opens a key file.
///
/// # Errors
/// Where it cannot be read, is no such file, or the passphrase is another.
pub fn open_sealed(path: &Path, passphrase: &str) -> Result<SigningKey, SealedKeyError> {
    let mut pem = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut pem))
        .map_err(|source| SealedKeyError::File {
            path: path.to_owned(),
            source,
        })?;
    let unusable = || SealedKeyError::Format {
        path: path.to_owned(),
    };
    let (label, document) = SecretDocument::from_pem(&pem).map_err(|_| unusable())?;
    EncryptedPrivateKeyInfo::validate_pem_label(label).map_err(|_| unusable())?;
    let sealed: EncryptedPrivateKeyInfo<'_> = document.decode_msg().map_err(|_| unusable())?;
    let plain = sealed
        .decrypt(passphrase)
        .map_err(|_| SealedKeyError::Passphrase {
            path: path.to_owned(),
        })?;
    SigningKey::from_pkcs8_der(plain.as_bytes()).map_err(|_| unusable())
}
