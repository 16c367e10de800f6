//! Signed things for machines: files of a release, decisions about requests.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use cmdai_api::machine::{Assent, Grant, Signed};
use cmdai_bundle::sign_statement;
use cmdai_store::{ApprovalRow, Vote};
use uuid::Uuid;

use super::peer::Peer;
use crate::app::App;
use crate::body::Parameters;
use crate::clock;
use crate::failure::{Answer, Failure};

/// How long a decision is offered to its machine: a request waits for at most a day.
const KEPT_MS: i64 = 48 * 60 * 60 * 1_000;
/// How long a grant may be used.
pub(crate) const GRANT_MS: i64 = 60 * 60 * 1_000;
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

/// Everything that a machine needs, in one file.
pub(super) async fn bundle(
    State(app): State<Arc<App>>,
    Peer(_): Peer,
    parameters: Parameters,
) -> Answer<Response> {
    let after = parameters.number("root", 0..=1_000_000, 1)?;
    let bytes = app
        .publisher
        .bundle(u64::from(after))
        .await
        .map_err(|error| Failure::internal(&error))?;
    let body = axum::body::Bytes::from_owner(Shared(bytes));
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Ten thousand machines are sent the same bytes, not copies of them.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
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

/// A decision.
pub(crate) struct Given<'a> {
    /// Yes or no.
    pub(crate) granted: bool,
    /// The votes that it came from.
    pub(crate) votes: &'a [Vote],
    /// What was said.
    pub(crate) reason: &'a str,
    /// Who, where it came from no vote.
    pub(crate) by: Option<&'a str>,
}

impl Given<'_> {
    /// Everybody who decided, in words.
    pub(crate) fn approver(&self) -> String {
        match self.by {
            Some(by) => by.to_owned(),
            None => {
                let logins: Vec<&str> = self.votes.iter().map(|vote| vote.login.as_str()).collect();
                logins.join(", ")
            }
        }
    }

    /// The weakest factor of all.
    fn factor(&self) -> String {
        let factors = self.votes.iter().map(|vote| vote.factor.as_str());
        let weakest = factors.min_by_key(|factor| cmdai_policy::Factor::of(factor));
        weakest.unwrap_or("none").to_owned()
    }
}

/// Signs a decision about a request.
pub(crate) fn sign_decision(
    app: &App,
    approval: &ApprovalRow,
    given: Given<'_>,
) -> Answer<(Signed, Grant)> {
    let now_ms = clock::now_ms();
    let later = |ms: i64| clock::rfc3339(now_ms.saturating_add(ms));
    let until = approval
        .request
        .exception
        .as_ref()
        .filter(|_| given.granted)
        .map(|asked| {
            later(
                i64::try_from(asked.duration_s)
                    .unwrap_or(0)
                    .saturating_mul(1_000),
            )
        });
    let assent = |vote: &Vote| Assent {
        login: vote.login.clone(),
        person: vote.person.clone(),
        factor: vote.factor.clone(),
        time: clock::rfc3339(vote.time_ms),
        proof: (vote.proof.as_deref()).and_then(|text| serde_json::from_str(text).ok()),
    };
    let grant = Grant {
        version: 1,
        grant_id: Uuid::now_v7().to_string(),
        request_id: approval.id.clone(),
        granted: given.granted,
        machine_id: approval.machine_id.clone(),
        user: approval.request.user.clone(),
        binding_hash: approval.binding_hash.clone(),
        approver: given.approver(),
        factor: given.factor(),
        reason: given.reason.to_owned(),
        issued: clock::rfc3339(now_ms),
        expires: later(GRANT_MS),
        uses: if given.granted {
            approval.terms.uses.max(1)
        } else {
            1
        },
        approvers: given.votes.iter().map(assent).collect(),
        until,
    };
    let signed =
        sign_statement(&app.grant_key, &grant).map_err(|error| Failure::internal(&error))?;
    Ok((signed, grant))
}
