//! Random secrets, their hashes, passwords and private files.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Argon2, Params};
use sha2::{Digest as _, Sha256};

/// Letters and digits without look-alikes.
const ALPHABET: &[u8; 31] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gave no random bytes: {error}"))?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from hex; nothing where it is not hex.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A secret of 256 bits, in hex.
pub(crate) fn token() -> anyhow::Result<String> {
    Ok(hex(&random::<32>()?))
}

/// A password that can be typed: 20 letters and digits in groups, about 99 bits.
pub(crate) fn password() -> anyhow::Result<String> {
    let mut text = String::new();
    // 248 is the largest multiple of 31 below 256: what lies above would favour the first letters.
    while text.chars().filter(|letter| *letter != '-').count() < 20 {
        for byte in random::<32>()? {
            let letters = text.chars().filter(|letter| *letter != '-').count();
            if byte >= 248 || letters == 20 {
                continue;
            }
            if letters > 0 && letters % 5 == 0 && !text.ends_with('-') {
                text.push('-');
            }
            text.push(
                ALPHABET
                    .get(usize::from(byte) % ALPHABET.len())
                    .copied()
                    .map_or('A', char::from),
            );
        }
    }
    Ok(text)
}

fn argon2() -> Argon2<'static> {
    // 19 MiB, two passes: the least that OWASP asks for argon2id.
    Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        Params::default(),
    )
}

/// Hash of a password in PHC form. Slow by intent: call it off the event loop.
pub(crate) fn hash_password(password: &str) -> anyhow::Result<String> {
    let salt = SaltString::encode_b64(&random::<16>()?)
        .map_err(|error| anyhow::anyhow!("cannot make a salt: {error}"))?;
    let hash = argon2()
        .hash_password(password.as_bytes(), &salt)
        .map_err(|error| anyhow::anyhow!("cannot hash a password: {error}"))?;
    Ok(hash.to_string())
}

/// True where the password fits. Slow by intent.
pub(crate) fn password_fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Writes a new file that only its owner can read; an existing one stays as it is and is an error.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Reads a small file.
pub(crate) fn read_small(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(1024 * 1024)
        .read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_typable_and_differ() {
        let (one, two) = (password().unwrap(), password().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 23);
        assert!(one.split('-').all(|group| group.len() == 5 && group.bytes().all(|byte| ALPHABET.contains(&byte))));
    }

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let hash = hash_password("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(password_fits("correct horse battery", &hash));
        assert!(!password_fits("correct horse", &hash));
        assert!(!password_fits("x", "not a hash"));
    }
}
