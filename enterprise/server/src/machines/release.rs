//! Signed things for machines: files of a release, decisions about requests.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use cmdai_api::machine::{Grant, Signed};
use cmdai_bundle::sign_statement;
use cmdai_store::ApprovalRow;
use uuid::Uuid;

use super::peer::Peer;
use crate::app::App;
use crate::clock;
use crate::failure::{Answer, Failure};

/// How long a decision is offered to its machine: a request waits for at most a day.
const KEPT_MS: i64 = 48 * 60 * 60 * 1_000;
/// How long a grant may be used.
const GRANT_MS: i64 = 60 * 60 * 1_000;
/// Most decisions of one contact.
const MAX_DECISIONS: usize = 1_000;

/// A file of the release. The road is not trusted by machines; still only they get it.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Peer(_): Peer,
    Path((folder, name)): Path<(String, String)>,
) -> Answer<Response> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let fine = ["metadata", "targets"].contains(&folder.as_str())
        && !name.starts_with('.')
        && name.bytes().all(plain);
    if !fine {
        return Err(Failure::not_found("file"));
    }
    let path = app.publisher.repo_dir().join(&folder).join(&name);
    match tokio::fs::read(&path).await {
        Ok(bytes) => {
            Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::not_found("file"))
        }
        Err(error) => Err(Failure::internal(&error)),
    }
}

/// Decisions about the requests that a machine waits for.
pub(super) async fn signed_for(
    app: &App,
    machine_id: &str,
    pending: &[String],
) -> Answer<Vec<Signed>> {
    if pending.is_empty() {
        return Ok(Vec::new());
    }
    // By machine and not by id: many that wait must not keep one from its decision.
    let pending: HashSet<&str> = pending.iter().map(String::as_str).collect();
    let since_ms = clock::now_ms().saturating_sub(KEPT_MS);
    let decisions = app.store.decisions(machine_id, since_ms).await?;
    Ok(decisions
        .into_iter()
        .filter(|(id, _)| pending.contains(id.as_str()))
        .map(|(_, signed)| signed)
        .take(MAX_DECISIONS)
        .collect())
}

/// Signs a decision about a request.
pub(crate) fn grant(
    app: &App,
    approval: &ApprovalRow,
    granted: bool,
    approver: &str,
    factor: &str,
    reason: &str,
) -> Answer<Signed> {
    let now_ms = clock::now_ms();
    let grant = Grant {
        version: 1,
        grant_id: Uuid::now_v7().to_string(),
        request_id: approval.id.clone(),
        granted,
        machine_id: approval.machine_id.clone(),
        user: approval.request.user.clone(),
        binding_hash: approval.binding_hash.clone(),
        approver: approver.to_owned(),
        factor: factor.to_owned(),
        reason: reason.to_owned(),
        issued: clock::rfc3339(now_ms),
        expires: clock::rfc3339(now_ms.saturating_add(GRANT_MS)),
        uses: 1,
    };
    sign_statement(&app.grant_key, &grant).map_err(|error| Failure::internal(&error))
}
