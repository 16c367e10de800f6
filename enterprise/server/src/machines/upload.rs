//! Uploads of events.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use cmdai_api::machine::IngestReply;
use cmdai_collector::Refusal;
use cmdai_store::{Contact, StoreError};

use super::peer::Peer;
use crate::app::App;
use crate::clock;
use crate::failure::{Answer, Failure};

pub(super) async fn ingest(
    State(app): State<Arc<App>>,
    Peer(machine): Peer,
    packed: Bytes,
) -> Answer<Response> {
    let now_ms = clock::now_ms();
    app.heard(Contact {
        machine_id: machine.machine_id.clone(),
        seen_ms: now_ms,
        checkin: None,
    });
    // On its own, so that a connection that breaks does not cut the work off in the middle.
    let (this, id) = (Arc::clone(&app), machine.machine_id.clone());
    let work = tokio::spawn(async move {
        let done = this.collector.ingest(packed.to_vec(), &id, now_ms).await;
        if let Some((_, record)) = done.as_ref().ok().and_then(|done| done.stored.last()) {
            this.feed.stored(record.row);
        }
        done
    });
    match work.await.map_err(|error| Failure::internal(&error))? {
        Ok(done) => {
            crate::roster::look(&app, &machine, &done.stored).await;
            Ok(Json(done.reply).into_response())
        }
        Err(refusal) => refused(&app, &machine, refusal).await,
    }
}

async fn refused(
    app: &App,
    machine: &cmdai_store::MachineRow,
    refusal: Refusal,
) -> Answer<Response> {
    match refusal {
        Refusal::Chain { acked_seq, problem } => {
            tracing::warn!(machine = machine.machine_id, "upload refused: {problem}");
            let subject = cmdai_detect::Subject {
                machine_id: machine.machine_id.clone(),
                hostname: machine.manifest.hostname.clone(),
                user: Some(machine.person.clone()),
                detail: problem.clone(),
            };
            // Full only under a storm of refused uploads; the ones already there raise the alert.
            let _ = app.refused.try_send(("upload_refused", subject));
            let reply = IngestReply {
                acked_seq,
                problem: Some(problem),
            };
            Ok((StatusCode::CONFLICT, Json(reply)).into_response())
        }
        Refusal::TooLarge(message) => Err(Failure::too_large(message)),
        Refusal::Malformed(message) => Err(Failure::invalid(message)),
        Refusal::Busy { retry_after_s } => Err(Failure::too_many(
            "too much at once; wait and send again",
            retry_after_s,
        )),
        Refusal::Store(StoreError::Conflict(_)) => {
            // Another upload of this machine came in between, or an event id stands elsewhere.
            let acked_seq = app.store.head(&machine.machine_id).await?.seq;
            let problem = Some("an event with the same id is already stored".to_owned());
            Ok((
                StatusCode::CONFLICT,
                Json(IngestReply { acked_seq, problem }),
            )
                .into_response())
        }
        Refusal::Store(error) => Err(error.into()),
    }
}
