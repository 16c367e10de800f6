//! The organisation's own certificate authority: machines are known by its certificates.
//!
//! The key lies in `<data>/keys/ca.key`, mode 0600. ECDSA P-256 throughout.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::secrets;

/// Longest certificate request that is looked at, in bytes.
const MAX_CSR: usize = 16 * 1024;

/// Signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

/// A certificate made for a machine.
pub(crate) struct Issued {
    pub(crate) pem: String,
    /// SHA-256 of the DER form, hex.
    pub(crate) fingerprint: String,
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn validity(params: &mut CertificateParams, days: i64) -> anyhow::Result<()> {
    let now = Timestamp::now().as_second();
    let moment = |second: i64| {
        let date = Timestamp::from_second(second)
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    // A day back, so that a machine whose clock is a little behind accepts it.
    params.not_before = moment(now - 86_400);
    params.not_after = moment(now + days * 86_400);
    params.serial_number = Some(SerialNumber::from_slice(&secrets::random::<16>()?));
    Ok(())
}

impl Authority {
    /// Opens the authority in a folder, or makes it.
    pub(crate) fn open_or_init(folder: &Path, organisation: &str) -> anyhow::Result<Self> {
        let (key_file, pem_file) = (folder.join("ca.key"), folder.join("ca.pem"));
        if !pem_file.exists() {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::default();
            params.distinguished_name = named(&format!("cmdai authority of {organisation}"));
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            validity(&mut params, 3_650)?;
            let certificate = params.self_signed(&key)?;
            // A key without certificate is what a start that was cut off leaves behind.
            if key_file.exists() {
                std::fs::remove_file(&key_file)
                    .with_context(|| format!("cannot replace {}", key_file.display()))?;
            }
            secrets::write_private(&key_file, key.serialize_pem().as_bytes())
                .with_context(|| format!("cannot write {}", key_file.display()))?;
            secrets::write_private(&pem_file, certificate.pem().as_bytes())
                .with_context(|| format!("cannot write {}", pem_file.display()))?;
        }
        let key = secrets::read_small(&key_file)
            .with_context(|| format!("cannot read {}", key_file.display()))?;
        let pem = secrets::read_small(&pem_file)
            .with_context(|| format!("cannot read {}", pem_file.display()))?;
        let key = KeyPair::from_pem(&key)
            .with_context(|| format!("{} is not a key", key_file.display()))?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
            anyhow::anyhow!("{} is not a certificate: {error}", pem_file.display())
        })?;
        let issuer = Issuer::from_ca_cert_der(&der, key)
            .with_context(|| format!("{} is not a certificate", pem_file.display()))?;
        Ok(Self { issuer, pem, der })
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The same in DER.
    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// SHA-256 of the certificate, hex: what an enrolment token carries.
    pub(crate) fn fingerprint(&self) -> String {
        secrets::hex(&secrets::sha256(&self.der))
    }

    /// Signs a machine's certificate request. Only its key is taken over: name and purpose are ours.
    pub(crate) fn issue(
        &self,
        csr_pem: &str,
        machine_id: &str,
        days: u16,
    ) -> anyhow::Result<Issued> {
        anyhow::ensure!(
            csr_pem.len() <= MAX_CSR,
            "the certificate request is too long"
        );
        let mut request = CertificateSigningRequestParams::from_pem(csr_pem)
            .context("the certificate request cannot be read or is not signed by its own key")?;
        let strong = [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ED25519,
        ];
        anyhow::ensure!(
            strong.contains(&request.public_key.algorithm()),
            "the key is of a kind that is not accepted; use ECDSA P-256"
        );
        let mut params = CertificateParams::default();
        params.distinguished_name = named(machine_id);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        validity(&mut params, i64::from(days))?;
        request.params = params;
        let certificate = request.signed_by(&self.issuer)?;
        Ok(Issued {
            pem: certificate.pem(),
            fingerprint: secrets::hex(&secrets::sha256(certificate.der())),
        })
    }

    /// A fresh certificate for the server itself; its key is never written.
    pub(crate) fn server_certificate(
        &self,
        names: &[String],
    ) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let key = KeyPair::generate()?;
        let mut all = vec![
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ];
        all.extend(names.iter().filter(|name| !name.is_empty()).cloned());
        all.dedup();
        let mut params = CertificateParams::new(all)?;
        params.distinguished_name = named("cmdai server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        validity(&mut params, 397)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|error| anyhow::anyhow!("cannot use the server's key: {error}"))?;
        Ok((vec![certificate.der().clone(), self.der.clone()], key))
    }
}

/// First and last moment of a certificate, seconds since 1970.
pub(crate) fn span_of(der: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let validity = certificate.validity();
    Some((
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    ))
}

/// The machine that a client certificate names. Its chain was checked in the handshake.
pub(crate) fn machine_of(der: &[u8]) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let name = certificate
        .subject()
        .iter_common_name()
        .next()?
        .as_str()
        .ok()?;
    Some(name.to_owned())
}
