//! The next certificate of a machine.
//!
//! An answer that is lost locks nobody out: the certificate before counts until the new one is used for
//! the first time. A machine that asks twice has its newest request count.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cmdai_api::machine::{RenewReply, RenewRequest};

use super::peer::Peer;
use crate::app::App;
use crate::body::Body;
use crate::failure::{Answer, Failure};
use crate::trail::{self, Entry};

pub(super) async fn renew(
    State(app): State<Arc<App>>,
    Peer(machine): Peer,
    Body(request): Body<RenewRequest>,
) -> Answer<Json<RenewReply>> {
    let issued = app
        .authority
        .issue(
            &request.csr_pem,
            &machine.machine_id,
            app.config.machine_days,
        )
        .map_err(|error| Failure::invalid(format!("{error:#}")))?;
    app.store
        .offer_certificate(&machine.machine_id, &issued.fingerprint)
        .await?;
    let text = format!(
        "machine {} ({}) was given its next certificate",
        machine.machine_id, machine.manifest.hostname
    );
    let entry = Entry::action("machine.renew", text)
        .with("machine", &machine.machine_id)
        .with("fingerprint", &issued.fingerprint);
    trail::record_own(&app, entry).await?;
    Ok(Json(RenewReply {
        certificate_pem: issued.pem,
    }))
}
