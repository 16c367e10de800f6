//! Requests for approval: the inbox, the votes and the decision.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use cmdai_api::console::{Approval, ApprovalDecision, ApprovalList};
use cmdai_policy::Factor;
use cmdai_schema::{ApprovalInfo, EventType};
use cmdai_store::{Account, ApprovalRow, Decided, Vote};

use super::convert::approval_wire;
use super::terms::{askers, is_entitled, must_be_other, proves, short, tally};
use crate::app::App;
use crate::approver_keys;
use crate::body::{Body, Parameters};
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::feed::News;
use crate::guard::{Caller, Proven};
use crate::machines::{Given, sign_decision};
use crate::trail::{self, Entry};

/// Requests that are listed.
const LISTED: u32 = 500;
const STATUSES: [&str; 6] = [
    "pending", "granted", "denied", "expired", "consumed", "used",
];
const MAX_REASON: usize = 2_000;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    parameters: Parameters,
) -> Answer<Json<ApprovalList>> {
    let status = parameters.text("status");
    if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
        return Err(Failure::invalid(format!(
            "`{status}` is not a status; it is one of {}",
            STATUSES.join(", ")
        )));
    }
    let rows = app.store.approvals(status, LISTED).await?;
    let oldest = rows.iter().map(|row| row.created_ms).min().unwrap_or(0);
    let mut votes: HashMap<String, Vec<Vote>> = HashMap::new();
    for vote in app.store.votes_since(oldest).await? {
        votes.entry(vote.request_id.clone()).or_default().push(vote);
    }
    let accounts = app.store.accounts().await?;
    let mut approvals = Vec::with_capacity(rows.len());
    for row in rows {
        let votes = votes.remove(&row.id).unwrap_or_default();
        approvals.push(shown(&app, row, votes, &accounts).await);
    }
    Ok(Json(ApprovalList { approvals }))
}

/// A request with how far it has come.
async fn shown(app: &App, row: ApprovalRow, votes: Vec<Vote>, accounts: &[Account]) -> Approval {
    let given = if votes.is_empty() {
        0
    } else {
        let askers = askers(app, &row).await.unwrap_or_default();
        tally(&row.terms, &votes, accounts, &askers).given
    };
    approval_wire(row, votes, given)
}

/// One request as the console shows it.
pub(crate) async fn one(app: &App, id: &str) -> Answer<Option<Approval>> {
    let Some(row) = app.store.approval(id).await? else {
        return Ok(None);
    };
    let votes = app.store.votes(id).await?;
    let accounts = app.store.accounts().await?;
    Ok(Some(shown(app, row, votes, &accounts).await))
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Answer<Json<Approval>> {
    one(&app, &id)
        .await?
        .map(Json)
        .ok_or_else(|| Failure::not_found("request"))
}

pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(decision): Body<ApprovalDecision>,
) -> Answer<Json<Approval>> {
    let row = app
        .store
        .approval(&id)
        .await?
        .ok_or_else(|| Failure::not_found("request"))?;
    let account = caller.account(&app).await?;
    let askers = may_answer(&app, &row, &account).await?;
    if decision.reason.trim().is_empty() || decision.reason.len() > MAX_REASON {
        return Err(Failure::invalid("say why, in at most 2,000 bytes"));
    }
    // What the approver looked at is what is bound.
    if decision
        .binding_hash
        .as_ref()
        .is_some_and(|hash| *hash != row.binding_hash)
    {
        return Err(Failure::conflict(
            "this is not the request that you looked at; look again",
        ));
    }
    still_pending(&row)?;
    let proven = caller.prove(&app, decision.password).await?;
    if !decision.approve {
        deny(&app, &row, &account, proven.factor, &decision.reason).await?;
        return answer(&app, &id).await;
    }
    let (factor, proof) = counted(&app, proven)?;
    if !proves(factor, &row.terms.factor) {
        return Err(Failure::factor_required(format!(
            "this request takes the factor {}; you proved yourself by {factor}{}",
            row.terms.factor,
            if row.terms.factor == Factor::Webauthn.as_str() {
                " (a security key counts once it is in the release that machines have)"
            } else {
                ""
            }
        )));
    }
    let vote = Vote {
        request_id: id.clone(),
        person: short(&account.person),
        login: account.login.clone(),
        approve: true,
        factor: factor.to_owned(),
        reason: decision.reason,
        time_ms: clock::now_ms(),
        proof,
    };
    if !app.store.add_vote(&vote).await? {
        return Err(Failure::conflict(
            "you have answered this request already; a person counts once, under whatever account",
        ));
    }
    let votes = app.store.votes(&id).await?;
    let accounts = app.store.accounts().await?;
    let tally = tally(&row.terms, &votes, &accounts, &askers);
    let text = format!(
        "{} said yes to the request {id} of {} on {} ({} of {}): {}",
        caller.login,
        row.request.user,
        row.hostname,
        tally.given,
        row.terms.needed,
        row.request.binding.text
    );
    trail::record(
        &app,
        &caller,
        Entry::action("approval.vote", text)
            .with("request", &id)
            .with("factor", factor)
            .with("machine", &row.machine_id),
    )
    .await?;
    if tally.is_enough(&row.terms) {
        close(&app, &row, "granted", &tally.counted, &vote.reason).await?;
    } else {
        tell(&app, &id).await?;
    }
    answer(&app, &id).await
}

/// What a proof counts for under a grant. A security key that machines do not know yet proves to
/// the server alone who was there: as much as a code does.
fn counted(app: &App, proven: Proven) -> Answer<(&'static str, Option<String>)> {
    let Some(proof) = proven.proof else {
        return Ok((proven.factor, None));
    };
    if !approver_keys::in_force(app, &proof.credential_id)? {
        return Ok((Factor::Totp.as_str(), None));
    }
    let text = serde_json::to_string(&proof).map_err(|error| Failure::internal(&error))?;
    Ok((proven.factor, Some(text)))
}

async fn answer(app: &App, id: &str) -> Answer<Json<Approval>> {
    one(app, id)
        .await?
        .map(Json)
        .ok_or_else(|| Failure::not_found("request"))
}

fn still_pending(row: &ApprovalRow) -> Answer<()> {
    if row.status == "pending" && row.expires_ms > clock::now_ms() {
        return Ok(());
    }
    Err(Failure::conflict(format!(
        "this request is not pending any more ({})",
        row.status
    )))
}

/// Whoever asks never decides: not under another account of the same person, administrators
/// included. Who is neither an approver by the policy nor in the security team does not either.
pub(super) async fn may_answer(
    app: &App,
    row: &ApprovalRow,
    account: &Account,
) -> Answer<Vec<String>> {
    let askers = askers(app, row).await?;
    must_be_other(&account.login, &account.person, &askers)?;
    if !is_entitled(&row.terms, account) {
        return Err(Failure::forbidden(if row.terms.groups.is_empty() {
            "this needs the role security".to_owned()
        } else {
            let groups = [row.terms.groups.as_slice(), row.terms.managers.as_slice()].concat();
            format!(
                "the policy lets members of {} answer; you are in none of these groups",
                groups.join(", ")
            )
        }));
    }
    Ok(askers)
}

/// One no ends a request.
pub(super) async fn deny(
    app: &App,
    row: &ApprovalRow,
    account: &Account,
    factor: &str,
    reason: &str,
) -> Answer<()> {
    still_pending(row)?;
    let vote = Vote {
        request_id: row.id.clone(),
        person: short(&account.person),
        login: account.login.clone(),
        approve: false,
        factor: factor.to_owned(),
        reason: reason.to_owned(),
        time_ms: clock::now_ms(),
        proof: None,
    };
    // Who said yes before may still say no: their no counts, their yes stays on record.
    app.store.add_vote(&vote).await?;
    close(app, row, "denied", &[vote], reason).await
}

/// Decides a request, signs it for the machine, records and tells it.
///
/// # Errors
/// Where somebody else has decided in the meantime.
async fn close(
    app: &App,
    row: &ApprovalRow,
    status: &str,
    votes: &[Vote],
    reason: &str,
) -> Answer<()> {
    let given = Given {
        granted: status == "granted",
        votes,
        reason,
        by: None,
    };
    finish(app, row, status, given)
        .await?
        .then_some(())
        .ok_or_else(|| Failure::conflict("somebody else has decided in the meantime"))
}

/// Closes a request that nobody decided in time: a time-out is a denial.
pub(crate) async fn expire(app: &App, row: &ApprovalRow) -> Answer<()> {
    refuse(app, row, "expired", "nobody decided in time").await
}

/// The server says no by itself.
pub(crate) async fn refuse(app: &App, row: &ApprovalRow, status: &str, reason: &str) -> Answer<()> {
    let given = Given {
        granted: false,
        votes: &[],
        reason,
        by: Some(trail::SERVER),
    };
    finish(app, row, status, given).await.map(drop)
}

async fn finish(app: &App, row: &ApprovalRow, status: &str, given: Given<'_>) -> Answer<bool> {
    let (granted, reason, by) = (given.granted, given.reason.to_owned(), given.by);
    let last = given.votes.last().map(|vote| vote.login.clone());
    let approver = given.approver();
    let (signed, grant) = sign_decision(app, row, given)?;
    let decided = Decided {
        status: status.to_owned(),
        approver: approver.clone(),
        reason: reason.clone(),
        decided_ms: clock::now_ms(),
        exception_until_ms: grant.until.as_deref().and_then(clock::parse),
        signed,
    };
    if !app.store.decide_approval(&row.id, &decided).await? {
        return Ok(false);
    }
    app.bells.ring(&row.machine_id);
    let action = match status {
        "granted" => "approval.grant",
        "expired" => "approval.expire",
        _ => "approval.deny",
    };
    let mut entry = Entry::action(
        action,
        format!(
            "{approver}: the request {} of {} on {} is {status}: {}",
            row.id, row.request.user, row.hostname, row.request.binding.text
        ),
    );
    entry.event_type = if granted {
        EventType::ApprovalGranted
    } else {
        EventType::ApprovalDenied
    };
    entry.approval = Some(ApprovalInfo {
        request_id: row.id.clone(),
        grant_id: granted.then_some(grant.grant_id),
        status: status.to_owned(),
        approver: by.is_none().then_some(approver),
        reason: Some(reason),
    });
    let entry = entry
        .with("machine", &row.machine_id)
        .with("kind", &row.kind)
        .with("factor", &grant.factor);
    match last {
        Some(login) => trail::record_for(app, &login, entry).await?,
        None => trail::record_own(app, entry).await?,
    }
    tell(app, &row.id).await?;
    Ok(true)
}

/// Tells those who watch that a request is new or has changed.
pub(crate) async fn tell(app: &App, id: &str) -> Answer<Option<Approval>> {
    let approval = one(app, id).await?;
    if let Some(approval) = &approval {
        app.feed.tell(News::Approval(Arc::new(approval.clone())));
    }
    Ok(approval)
}
