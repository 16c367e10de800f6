//! A machine asks for an approval.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cmdai_api::machine::{ApprovalOpen, ApprovalOpened};
use cmdai_schema::{Hash, canonical_bytes};
use cmdai_store::ApprovalRow;

use super::peer::Peer;
use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::people::tell_approval;

/// Most requests of one person on one machine that may be open within [`FLOOD_MS`].
const FLOOD: u64 = 20;
const FLOOD_MS: i64 = 10 * 60 * 1_000;
/// Most requests of one machine that may be open, whatever names it gives: nobody's inbox is filled.
const FLOOD_OF_MACHINE: u64 = 100;
/// Longest name of a person.
const MAX_USER: usize = 128;
/// Longest time that a request may wait.
const MAX_WAIT_MS: i64 = 24 * 60 * 60 * 1_000;

pub(super) async fn open(
    State(app): State<Arc<App>>,
    Peer(machine): Peer,
    Body(open): Body<ApprovalOpen>,
) -> Answer<Json<ApprovalOpened>> {
    let now_ms = clock::now_ms();
    let expires_ms = check(&open, now_ms)?;
    // The same request, opened again after a lost answer, is the same request.
    if let Some(there) = app.store.approval(&open.request_id).await? {
        if there.machine_id == machine.machine_id && there.binding_hash == open.binding_hash {
            return Ok(Json(ApprovalOpened {
                request_id: there.id,
            }));
        }
        return Err(Failure::conflict(
            "this request id is taken; choose another",
        ));
    }
    let since_ms = now_ms.saturating_sub(FLOOD_MS);
    let pending = app
        .store
        .pending_approvals(&machine.machine_id, &open.request.user, since_ms)
        .await?;
    if pending >= FLOOD {
        return Err(Failure::too_many(
            format!(
                "{pending} requests of {} wait already; ask again later",
                open.request.user
            ),
            600,
        ));
    }
    let of_machine = app
        .store
        .pending_of_machine(&machine.machine_id, now_ms)
        .await?;
    if of_machine >= FLOOD_OF_MACHINE {
        return Err(Failure::too_many(
            format!("{of_machine} requests of this machine wait already; ask again later"),
            600,
        ));
    }
    let row = ApprovalRow {
        id: open.request_id.clone(),
        machine_id: machine.machine_id.clone(),
        hostname: machine.manifest.hostname.clone(),
        request: open.request,
        binding_hash: open.binding_hash,
        reason: open.reason,
        session_id: open.session_id,
        status: "pending".to_owned(),
        created_ms: now_ms,
        expires_ms,
        approver: None,
        decision_reason: None,
        decided_ms: None,
        signed: None,
    };
    if !app.store.open_approval(&row).await? {
        return Err(Failure::conflict(
            "this request id is taken; choose another",
        ));
    }
    tell_approval(&app, &open.request_id).await?;
    Ok(Json(ApprovalOpened {
        request_id: open.request_id,
    }))
}

fn check(open: &ApprovalOpen, now_ms: i64) -> Answer<i64> {
    let id = &open.request_id;
    if id.len() != 8
        || !id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        return Err(Failure::invalid(
            "a request id is 8 capital letters and digits",
        ));
    }
    let user = &open.request.user;
    if user.is_empty() || user.len() > MAX_USER || user.chars().any(char::is_control) {
        return Err(Failure::invalid("the request names no person"));
    }
    if open.request.binding.unknown {
        return Err(Failure::invalid(
            "a command of which a part is unknown cannot be approved in advance",
        ));
    }
    let bytes =
        canonical_bytes(&open.request).map_err(|error| Failure::invalid(error.to_string()))?;
    if Hash::of(&[&bytes]).to_hex() != open.binding_hash {
        return Err(Failure::invalid("the binding hash is not of this request"));
    }
    let expires_ms =
        clock::parse(&open.expires).ok_or_else(|| Failure::invalid("`expires` is not RFC 3339"))?;
    if expires_ms <= now_ms {
        return Err(Failure::invalid(
            "the request has lapsed already; check the machine's clock",
        ));
    }
    Ok(expires_ms.min(now_ms.saturating_add(MAX_WAIT_MS)))
}
