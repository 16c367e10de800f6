//! Which machine speaks: the handshake checked the chain of its certificate, this checks that it is
//! the one certificate of a machine that is enrolled and not retired.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum_server::tls::TlsInfo;
use cmdai_store::MachineRow;

use crate::app::App;
use crate::authority::{machine_of, span_of};
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::secrets;

/// The machine of the client certificate.
pub(crate) struct Peer(pub(crate) MachineRow);

/// The client certificate is in its last third, or in its last two days.
pub(crate) struct EndsSoon(pub(crate) bool);

fn shown(parts: &Parts) -> Option<&[u8]> {
    let info = parts.extensions.get::<Arc<TlsInfo>>()?;
    info.peer_certificates.first().map(AsRef::as_ref)
}

impl<S: Sync> FromRequestParts<S> for EndsSoon {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        let span = shown(parts).and_then(span_of);
        let now = clock::now_ms() / 1_000;
        Ok(Self(span.is_some_and(|(begin, end)| {
            let left = end.saturating_sub(now);
            left < end.saturating_sub(begin) / 3 || left < 2 * 86_400
        })))
    }
}

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Answer<Self> {
        let der = shown(parts).ok_or_else(Failure::unauthenticated)?;
        let machine_id = machine_of(der).ok_or_else(Failure::unauthenticated)?;
        let machine = app
            .store
            .machine(&machine_id)
            .await?
            .ok_or_else(Failure::unauthenticated)?;
        let print = secrets::hex(&secrets::sha256(der));
        let next = machine.fingerprint_next == print;
        if machine.fingerprint != print && !next {
            return Err(Failure::unauthenticated());
        }
        if machine.retired {
            return Err(Failure::forbidden(
                "this machine is retired: the last policy stays in force on it; enrol it again to govern it anew",
            ));
        }
        if let Some(reason) = &machine.revoked {
            let subject = cmdai_detect::Subject {
                machine_id: machine.machine_id.clone(),
                hostname: machine.manifest.hostname.clone(),
                user: Some(machine.person.clone()),
                detail: format!("its certificate was revoked: {reason}"),
            };
            let _ = app.refused.try_send(("revoked_machine", subject));
            return Err(Failure::forbidden(format!(
                "the certificate of this machine was revoked ({reason}): the last policy stays in force on it; enrol it again"
            )));
        }
        if next {
            app.store
                .use_certificate(&machine.machine_id, &print)
                .await?;
        }
        Ok(Self(machine))
    }
}
