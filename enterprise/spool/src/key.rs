//! The key file: 32 random bytes, mode 0600.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::SpoolError;

/// Key of one spool.
#[derive(Clone)]
pub struct SpoolKey(pub(crate) [u8; 32]);

impl std::fmt::Debug for SpoolKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpoolKey(..)")
    }
}

impl SpoolKey {
    /// HMAC-SHA256 of a text under a key that is derived from this one. The same text gives another hash for
    /// another purpose.
    pub fn keyed_hash(&self, purpose: &str, text: &str) -> [u8; 32] {
        let own = mac(&self.0, &[b"cmdai keyed hash 1"]);
        mac(&own, &[purpose.as_bytes(), &[0], text.as_bytes()])
    }

    /// A key from bytes that the caller keeps.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key file, or makes it where there is none.
    ///
    /// # Errors
    /// Where the file cannot be used, is open to others, or is not 32 bytes long.
    pub fn load_or_create(path: &Path) -> Result<Self, SpoolError> {
        let fail = |what: String| SpoolError::Key {
            path: path.to_owned(),
            what,
        };
        match File::open(path) {
            Ok(file) => {
                let mode = file
                    .metadata()
                    .map_err(|error| fail(error.to_string()))?
                    .permissions()
                    .mode()
                    & 0o777;
                if mode & 0o077 != 0 {
                    return Err(fail(format!(
                        "it can be read by others (mode {mode:o}); `chmod 600` it"
                    )));
                }
                let mut bytes = Vec::new();
                file.take(33)
                    .read_to_end(&mut bytes)
                    .map_err(|error| fail(error.to_string()))?;
                Ok(Self(
                    bytes
                        .try_into()
                        .map_err(|_| fail("it is not 32 bytes long".to_owned()))?,
                ))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = [0u8; 32];
                getrandom::fill(&mut bytes).map_err(|_| SpoolError::Random)?;
                write_new(path, &bytes).map_err(|error| fail(error.to_string()))?;
                Ok(Self(bytes))
            }
            Err(error) => Err(fail(error.to_string())),
        }
    }
}

fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A block is 64 bytes; a shorter key is filled up with zeros.
    let mut block = [0u8; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The file appears with its content or not at all: half a key would lose every event.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::hard_link(&fresh, path)?;
    std::fs::remove_file(&fresh)?;
    File::open(folder)?.sync_all()
}
