//! The next key and certificate of this machine.
//!
//! The server asks for it before the present certificate ends. The key is made here and stays here; it is
//! written down together with its certificate, in one step, so that a crash leaves the old pair or the new
//! one. The server lets the old one count until the new one is used, so that either can speak.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use cmdai_schema::Hash;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime, pem::PemObject as _};
use rustls::server::WebPkiClientVerifier;

use super::turn::Keeper;
use crate::files;
use crate::identity::Identity;

/// A key that waits for its certificate.
pub(crate) struct Renewal {
    key: KeyPair,
    pub(crate) csr_pem: String,
}

impl Renewal {
    pub(crate) fn new(identity: &Identity) -> Result<Self> {
        let key = KeyPair::generate().context("cannot make the next key")?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, identity.hostname.clone());
        let csr_pem = params
            .serialize_request(&key)
            .and_then(|request| request.pem())
            .context("cannot make the request for the next certificate")?;
        Ok(Self { key, csr_pem })
    }

    /// The certificate is one for this key: its public key stands in it.
    fn fits(&self, der: &[u8]) -> bool {
        let key = self.key.public_key_raw();
        der.windows(key.len()).any(|part| part == key)
    }
}

/// The organisation's authority signed it, and it holds now. The courier is not believed: a wrong
/// certificate would shut this machine out.
fn is_ours(certificate: &CertificateDer<'_>, ca_pem: &str) -> Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(
        CertificateDer::from_pem_slice(ca_pem.as_bytes())
            .map_err(|_| anyhow::anyhow!("the authority's certificate cannot be read"))?,
    )?;
    WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
    )
    .build()
    .context("the authority's certificate cannot be used")?
    .verify_client_cert(certificate, &[], UnixTime::now())
    .context("the next certificate is not one of this organisation's authority")?;
    Ok(())
}

impl Keeper {
    /// Takes over what the server gave.
    pub(crate) fn renewed(&mut self, certificate_pem: &str) -> Result<()> {
        let Some(next) = self.renewal.take() else {
            bail!("a certificate came that nobody asked for")
        };
        ensure!(
            certificate_pem.len() <= 64 * 1024,
            "the next certificate is too long"
        );
        let der = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|_| anyhow::anyhow!("the next certificate cannot be read"))?;
        ensure!(
            next.fits(&der),
            "the next certificate is not for the key that this machine made"
        );
        is_ours(&der, &self.identity.ca_pem)?;
        let identity = Identity {
            key_pem: next.key.serialize_pem(),
            certificate_pem: certificate_pem.to_owned(),
            certificate_fingerprint: Hash::of(&[&der]).to_hex(),
            ..self.identity.clone()
        };
        files::replace_json(&self.home.identity(), &identity)
            .context("the next certificate cannot be written down")?;
        self.identity = identity;
        Ok(())
    }
}
