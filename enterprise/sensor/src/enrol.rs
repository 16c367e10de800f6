//! Joining and leaving an organisation.

use std::collections::BTreeMap;
use std::io;

use anyhow::{Context as _, Result, bail, ensure};
use cmdai_api::machine::{EnrolReply, EnrolRequest};
use cmdai_schema::paths::{GovernedMark, Places};
use cmdai_schema::{ENGINE_VERSION, Hash, MachineManifest};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::identity::{Home, Identity, platform};
use crate::keeper::Child;
use crate::options::{CourierProgram, EnrolOptions, Options};
use crate::wire::{Answer, Ask};
use crate::{accounts, files, frames};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// Given by the server.
    pub machine_id: String,
    /// Organisation that governs from now on.
    pub organisation: String,
}

/// Enrols this machine: makes a key that never leaves it, sends a certificate request, writes the
/// sensor's state and the mark of a governed machine.
///
/// # Errors
/// Where the machine is enrolled already, the token is no token, the server is not the one the
/// token names or refuses, or state cannot be written.
pub async fn enrol(options: EnrolOptions) -> Result<Enrolled> {
    let courier = Options::new(options.places.clone()).courier;
    enrol_with(options, courier).await
}

/// [`enrol`] with another courier program.
///
/// # Errors
/// As [`enrol`].
pub async fn enrol_with(options: EnrolOptions, courier: CourierProgram) -> Result<Enrolled> {
    tokio::task::spawn_blocking(move || enrol_blocking(&options, &courier)).await?
}

fn enrol_blocking(options: &EnrolOptions, courier: &CourierProgram) -> Result<Enrolled> {
    let home = Home::of(&options.places);
    ensure!(
        home.read_identity()?.is_none(),
        "this machine is enrolled already: `cmdai-enterprise uninstall` first"
    );
    let pin = pin_of(&options.token)?;
    let key = KeyPair::generate().context("cannot make a key")?;
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, options.hostname.clone());
    let csr_pem = params
        .serialize_request(&key)
        .and_then(|csr| csr.pem())
        .context("cannot make the certificate request")?;
    let person = std::env::var("SUDO_USER")
        .ok()
        .filter(|name| !name.is_empty());
    let person = person.unwrap_or_else(|| accounts::login(rustix::process::getuid().as_raw()));
    let manifest = manifest(&options.hostname, &person);
    let request = EnrolRequest {
        token: options.token.trim().to_owned(),
        csr_pem,
        manifest,
    };
    let reply = ask(options, &pin, request, courier)?;

    // The courier is not believed: what it brought must hang together.
    let ca = CertificateDer::from_pem_slice(reply.ca_pem.as_bytes())
        .map_err(|_| anyhow::anyhow!("the authority's certificate cannot be read"))?;
    ensure!(
        Hash::of(&[&ca]).to_hex() == pin,
        "the authority's certificate is not the one that the token names"
    );
    let certificate = CertificateDer::from_pem_slice(reply.certificate_pem.as_bytes())
        .map_err(|_| anyhow::anyhow!("this machine's certificate cannot be read"))?;
    ensure!(
        !reply.machine_id.is_empty(),
        "the server gave no machine id"
    );

    let state = "cannot write the sensor's state";
    files::make_folder(home.path(), 0o700).context(state)?;
    let identity = Identity {
        version: 1,
        machine_id: reply.machine_id.clone(),
        organisation: reply.organisation.clone(),
        server: options.server.trim_end_matches('/').to_owned(),
        hostname: options.hostname.clone(),
        person,
        labels: reply.labels.clone(),
        teams: reply.teams.clone(),
        key_pem: key.serialize_pem(),
        certificate_fingerprint: Hash::of(&[&certificate]).to_hex(),
        certificate_pem: reply.certificate_pem,
        ca_pem: reply.ca_pem,
        tuf_root: reply.tuf_root,
    };
    files::replace_json(&home.identity(), &identity).context(state)?;
    let mark = GovernedMark {
        version: 1,
        organisation: reply.organisation.clone(),
        machine_id: reply.machine_id.clone(),
        labels: reply.labels,
        teams: reply.teams,
    };
    if let Some(folder) = options.places.mark.parent() {
        std::fs::create_dir_all(folder).context("cannot write the mark of a governed machine")?;
    }
    files::replace(
        &options.places.mark,
        &serde_json::to_vec_pretty(&mark)?,
        0o644,
    )
    .context("cannot write the mark of a governed machine")?;
    Ok(Enrolled {
        machine_id: reply.machine_id,
        organisation: reply.organisation,
    })
}

/// The manifest as it is without policy and certificate.
pub(crate) fn manifest(hostname: &str, person: &str) -> MachineManifest {
    MachineManifest {
        hostname: hostname.to_owned(),
        person: person.to_owned(),
        platform: platform(),
        versions: BTreeMap::from([
            ("sensor".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("engine".to_owned(), ENGINE_VERSION.to_owned()),
        ]),
        ..MachineManifest::default()
    }
}

fn ask(
    options: &EnrolOptions,
    pin: &str,
    request: EnrolRequest,
    courier: &CourierProgram,
) -> Result<EnrolReply> {
    let mut child = Child::start(
        courier,
        &Options::new(options.places.clone()).courier_account,
    )?;
    let mut request = Some(request);
    let mut trouble = None;
    while let Some(asked) = frames::read::<Ask>(&mut child.stream, frames::MAX_FRAME)
        .context("the courier broke off")?
    {
        let answer = match asked {
            Ask::Task => match request.take() {
                Some(request) => Answer::Enrol {
                    server: options.server.trim_end_matches('/').to_owned(),
                    pin: pin.to_owned(),
                    request: Box::new(request),
                },
                None => Answer::Noted,
            },
            Ask::Enrolled { reply } => return Ok(*reply),
            Ask::Trouble { problem } => {
                trouble = problem;
                Answer::Noted
            }
            _ => Answer::Noted,
        };
        frames::write(&mut child.stream, &answer, frames::MAX_FRAME)?;
    }
    bail!(
        "{}",
        trouble.unwrap_or_else(|| "the courier ended without an answer".to_owned())
    )
}

fn pin_of(token: &str) -> Result<String> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    let [kind, id, secret, pin] = parts.as_slice() else {
        bail!("this is not an enrolment token: it has the form cmdai1.ID.SECRET.HASH")
    };
    ensure!(
        *kind == "cmdai1" && !id.is_empty() && !secret.is_empty(),
        "this is not an enrolment token of version 1"
    );
    let pin = pin.to_ascii_lowercase();
    ensure!(
        Hash::from_hex(&pin).is_some(),
        "the token's last part is not a certificate's hash: copy the whole line"
    );
    Ok(pin)
}

/// Takes the machine out of governance, with or without the server: mark, snapshot and the
/// sensor's state are removed. The server sees the silence, and the last events where the sensor
/// could still send them.
///
/// # Errors
/// Where the sensor still runs or something cannot be removed.
pub fn uninstall(places: &Places) -> Result<()> {
    let home = Home::of(places);
    ensure!(
        home.path().exists() || places.mark.exists(),
        "this machine is not enrolled"
    );
    ensure!(
        crate::status::ask(places).is_err(),
        "the sensor still runs: stop it first"
    );
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    // The mark goes first: hooks must not be left governed by nobody.
    gone(std::fs::remove_file(&places.mark))
        .with_context(|| format!("cannot remove {}", places.mark.display()))?;
    gone(std::fs::remove_file(&places.snapshot))
        .with_context(|| format!("cannot remove {}", places.snapshot.display()))?;
    gone(std::fs::remove_file(places.last_good()))
        .with_context(|| format!("cannot remove {}", places.last_good().display()))?;
    gone(std::fs::remove_file(places.fail_mode()))
        .with_context(|| format!("cannot remove {}", places.fail_mode().display()))?;
    gone(std::fs::remove_file(&places.socket))
        .with_context(|| format!("cannot remove {}", places.socket.display()))?;
    gone(std::fs::remove_dir_all(home.path()))
        .with_context(|| format!("cannot remove {}", home.path().display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_with_care() {
        let pin = "ab".repeat(32);
        assert_eq!(pin_of(&format!(" cmdai1.t1.s3cret.{pin}\n")).unwrap(), pin);
        for bad in [
            "",
            "cmdai1.a.b",
            "cmdai2.a.b.c",
            &format!("cmdai1..s.{pin}"),
            "cmdai1.a.b.1234",
        ] {
            assert!(pin_of(bad).is_err(), "{bad}");
        }
    }
}
