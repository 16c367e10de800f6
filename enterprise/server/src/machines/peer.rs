//! Which machine speaks: the handshake checked the chain of its certificate, this checks that it is
//! the one certificate of a machine that is enrolled and not retired.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum_server::tls::TlsInfo;
use cmdai_store::MachineRow;

use crate::app::App;
use crate::authority::machine_of;
use crate::failure::{Answer, Failure};
use crate::secrets;

/// The machine of the client certificate.
pub(crate) struct Peer(pub(crate) MachineRow);

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Answer<Self> {
        let der = parts
            .extensions
            .get::<Arc<TlsInfo>>()
            .and_then(|info| info.peer_certificates.first());
        let der = der.ok_or_else(Failure::unauthenticated)?;
        let machine_id = machine_of(der).ok_or_else(Failure::unauthenticated)?;
        let machine = app
            .store
            .machine(&machine_id)
            .await?
            .ok_or_else(Failure::unauthenticated)?;
        if machine.fingerprint != secrets::hex(&secrets::sha256(der)) {
            return Err(Failure::unauthenticated());
        }
        if machine.retired {
            return Err(Failure::forbidden(
                "this machine is retired; enrol it again",
            ));
        }
        Ok(Self(machine))
    }
}
