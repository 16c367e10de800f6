//! Secrets at rest: encrypted under the server's master key, so that a copy of the database alone
//! gives nobody a second factor.
//!
//! `v1:` and base64 of a nonce (24 bytes) and XChaCha20-Poly1305 of the secret; what the secret is
//! of goes in as associated data, so that no row can take another's place. The key is 32 bytes in a
//! file of its own, `<data>/keys/master.key` unless it is kept elsewhere.

use std::path::Path;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use cmdai_store::Store;

use crate::secrets;

const MARK: &str = "v1:";
const NONCE: usize = 24;
/// Setting with the master key's fingerprint: a lost key must not look like a new server.
const FINGERPRINT: &str = "master-key";

/// Seals and opens secrets.
pub(crate) struct Vault(XChaCha20Poly1305);

impl Vault {
    /// Opens the vault with the key in `file`, which is made at the first start.
    ///
    /// # Errors
    /// Where the key is missing or another one than secrets were sealed with.
    pub(crate) async fn open_or_init(store: &dyn Store, file: &Path) -> anyhow::Result<Self> {
        let known = store.setting(FINGERPRINT).await?;
        if !file.exists() {
            anyhow::ensure!(
                known.is_none(),
                "the master key {} is missing: put it back; without it second factors cannot be read",
                file.display()
            );
            secrets::write_private(file, secrets::hex(&secrets::random::<32>()?).as_bytes())
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        let text = secrets::read_small(file)
            .with_context(|| format!("cannot read the master key {}", file.display()))?;
        let key: [u8; 32] = secrets::unhex(text.trim())
            .and_then(|bytes| bytes.try_into().ok())
            .with_context(|| format!("{} is not a master key (64 hex digits)", file.display()))?;
        let mut named = b"cmdai master key\0".to_vec();
        named.extend_from_slice(&key);
        let fingerprint = secrets::hex(&secrets::sha256(&named));
        match known {
            Some(known) => anyhow::ensure!(
                known == fingerprint,
                "{} is another master key than second factors were sealed with",
                file.display()
            ),
            None => store.set_setting(FINGERPRINT, &fingerprint).await?,
        }
        let vault = Self(XChaCha20Poly1305::new(&Key::from(key)));
        vault.seal_old(store).await?;
        Ok(vault)
    }

    /// Seals what older versions left open.
    async fn seal_old(&self, store: &dyn Store) -> anyhow::Result<()> {
        for account in store.accounts().await? {
            for row in store.factors(&account.login).await? {
                if row.kind != "totp" || row.secret.starts_with(MARK) {
                    continue;
                }
                let sealed = self.seal(&row.id, row.secret.as_bytes())?;
                store.change_factor_secret(&row.id, &sealed).await?;
            }
        }
        Ok(())
    }

    /// Seals a secret of something.
    pub(crate) fn seal(&self, of: &str, secret: &[u8]) -> anyhow::Result<String> {
        let nonce = secrets::random::<NONCE>()?;
        let payload = Payload {
            msg: secret,
            aad: of.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| anyhow::anyhow!("a secret cannot be sealed"))?;
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&sealed);
        Ok(format!("{MARK}{}", STANDARD.encode(bytes)))
    }

    /// Opens a secret of something.
    ///
    /// # Errors
    /// Where it was sealed with another key, for something else, or changed.
    pub(crate) fn open(&self, of: &str, sealed: &str) -> anyhow::Result<Vec<u8>> {
        let bytes = sealed
            .strip_prefix(MARK)
            .and_then(|text| STANDARD.decode(text).ok())
            .context("a secret is damaged")?;
        let (nonce, rest) = bytes
            .split_first_chunk::<NONCE>()
            .context("a secret is damaged")?;
        let payload = Payload {
            msg: rest,
            aad: of.as_bytes(),
        };
        self.0
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| anyhow::anyhow!("a secret was sealed with another key or changed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_where_it_belongs_only() {
        let vault = |byte: u8| Vault(XChaCha20Poly1305::new(&Key::from([byte; 32])));
        let one = vault(1);
        let sealed = one.seal("factor 1", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_ne!(sealed, one.seal("factor 1", b"secret").unwrap());
        assert_eq!(one.open("factor 1", &sealed).unwrap(), b"secret");
        assert!(one.open("factor 2", &sealed).is_err());
        assert!(vault(2).open("factor 1", &sealed).is_err());
        assert!(one.open("factor 1", "7365637265").is_err());
        assert!(one.open("factor 1", "v1:AAAA").is_err());
    }
}
