//! First contact: a token becomes a certificate.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cmdai_api::machine::{EnrolReply, EnrolRequest};
use cmdai_store::MachineRow;

use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::secrets;
use crate::trail::{self, Entry};

/// Form of an enrolment token: `cmdai1.<token id>.<secret>.<hash of the authority's certificate>`.
pub(crate) const PREFIX: &str = "cmdai1";

pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    Body(request): Body<EnrolRequest>,
) -> Answer<Json<EnrolReply>> {
    let now_ms = clock::now_ms();
    let (id, secret) = parts(&request.token, &app.authority.fingerprint()).ok_or_else(|| {
        Failure::invalid(
            "the token is not one of this server; copy the whole line from the console",
        )
    })?;
    check(&request)?;
    let machine_id = format!(
        "m-{}",
        secrets::hex(&secrets::random::<8>().map_err(|error| Failure::internal(&error))?)
    );
    let issued = app
        .authority
        .issue(&request.csr_pem, &machine_id, app.config.machine_days)
        .map_err(|error| Failure::invalid(format!("{error:#}")))?;
    let mut manifest = request.manifest;
    manifest.machine_id.clone_from(&machine_id);
    manifest.organisation.clone_from(&app.config.organisation);
    manifest
        .certificate_fingerprint
        .clone_from(&issued.fingerprint);
    let row = MachineRow {
        machine_id: machine_id.clone(),
        manifest,
        person: String::new(),
        teams: Vec::new(),
        labels: std::collections::BTreeMap::new(),
        fingerprint: issued.fingerprint,
        fingerprint_next: String::new(),
        revoked: None,
        enrolled_ms: now_ms,
        last_seen_ms: Some(now_ms),
        retired: false,
        quarantine: None,
        order_done: 0,
        order_last: 0,
        policy_version: String::new(),
        policy_digest: String::new(),
        policy_problem: None,
        head_seq: 0,
        queued: 0,
    };
    let tuf_root = app
        .publisher
        .root_json()
        .map_err(|_| {
            Failure::conflict(
                "this organisation has no root of trust yet: `cmdai-enterprise policy keys init`, then enrol",
            )
        })?;
    let machine = app
        .store
        .enrol(&id, secrets::sha256(secret.as_bytes()), now_ms, row)
        .await?;
    let machine = machine.ok_or_else(|| {
        Failure::forbidden(
            "the token is wrong, used up or has lapsed; make a new one in the console",
        )
    })?;
    let text = format!(
        "machine {} ({}) enrolled for {}",
        machine.machine_id, machine.manifest.hostname, machine.person
    );
    let entry = Entry::action("machine.enrol", text)
        .with("machine", &machine.machine_id)
        .with("token", &id);
    trail::record_own(&app, entry).await?;
    Ok(Json(EnrolReply {
        machine_id: machine.machine_id,
        organisation: app.config.organisation.clone(),
        certificate_pem: issued.pem,
        ca_pem: app.authority.pem().to_owned(),
        tuf_root,
        labels: machine.labels,
        teams: machine.teams,
    }))
}

fn parts(token: &str, authority: &str) -> Option<(String, String)> {
    let mut parts = token.trim().split('.');
    let (prefix, id, secret, hash) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (prefix == PREFIX && hash == authority && parts.next().is_none())
        .then(|| (id.to_owned(), secret.to_owned()))
}

/// A name that can be shown.
pub(super) fn is_hostname(name: &str) -> bool {
    let plain =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ' | ':');
    !name.is_empty() && name.len() <= 253 && name.chars().all(plain)
}

fn check(request: &EnrolRequest) -> Answer<()> {
    if is_hostname(&request.manifest.hostname) {
        Ok(())
    } else {
        Err(Failure::invalid("the manifest names no host"))
    }
}
