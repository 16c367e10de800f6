//! Approved exceptions: what is open, when it was last used, taking one back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use cmdai_api::console::{ExceptionList, ExceptionView, Revocation};
use cmdai_api::machine::Order;
use cmdai_bundle::sign_statement;
use cmdai_store::{ExceptionRow, Search, StoreError, query};

use super::convert::exception_wire;
use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::trail::{self, Entry};

const LISTED: u32 = 200;
/// Uses are counted up to here.
const BOUND: u32 = 1_000;

/// Commands since the approval that one of the rules would have stopped: the last one and how many.
/// They ran, so the rule stands in their event and the decision is weaker than it asks for.
async fn used(app: &App, row: &ExceptionRow) -> Answer<(Option<i64>, u64)> {
    let Some(asked) = &row.approval.request.exception else {
        return Ok((None, 0));
    };
    let (mut last, mut uses) = (None, 0);
    for rule in &asked.rules {
        let text = format!(
            "rule:\"{rule}\" user:\"{}\" machine:\"{}\" -type:command_blocked -type:approval_requested",
            row.approval.request.user, row.approval.machine_id
        );
        let search = Search {
            query: query::parse(&text),
            from_ms: Some(row.approved_ms),
            to_ms: Some(row.revoked_ms.unwrap_or(row.until_ms)),
        };
        let newest = app.store.search(&search, None, 1).await?;
        last = last.max(newest.rows.first().map(|record| record.time_ms));
        uses += app.store.count(&search, BOUND).await?.total;
    }
    Ok((last, uses))
}

async fn wire(app: &App, row: ExceptionRow) -> Answer<ExceptionView> {
    let (last_used, uses) = used(app, &row).await?;
    let votes = app.store.votes(&row.approval.id).await?;
    let status = if row.revoked_ms.is_some() {
        "revoked"
    } else if row.until_ms <= clock::now_ms() {
        "expired"
    } else {
        "active"
    };
    let approval = row.approval;
    let lifts = approval.request.exception.unwrap_or_default();
    Ok(ExceptionView {
        id: approval.id,
        status: status.to_owned(),
        machine_id: approval.machine_id,
        hostname: approval.hostname,
        user: approval.request.user,
        lifts: exception_wire(lifts),
        reason: approval.reason,
        asked: clock::rfc3339(approval.created_ms),
        approved: clock::rfc3339(row.approved_ms),
        approvers: votes
            .into_iter()
            .filter(|vote| vote.approve)
            .map(|vote| vote.login)
            .collect(),
        until: clock::rfc3339(row.until_ms),
        last_used: clock::rfc3339_of(last_used),
        uses,
        revoked: clock::rfc3339_of(row.revoked_ms),
        revoked_by: row.revoked_by,
        revoked_reason: row.revoked_reason,
    })
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Answer<Json<ExceptionList>> {
    let mut exceptions = Vec::new();
    for row in app.store.exceptions(LISTED).await? {
        exceptions.push(wire(&app, row).await?);
    }
    Ok(Json(ExceptionList { exceptions }))
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(body): Body<Revocation>,
) -> Answer<Json<ExceptionView>> {
    if body.reason.trim().is_empty() || body.reason.len() > 1_000 {
        return Err(Failure::invalid("say why, in at most 1,000 bytes"));
    }
    let find = || async {
        app.store
            .exception(&id)
            .await?
            .ok_or_else(|| Failure::not_found("exception"))
    };
    let row = find().await?;
    caller.step_up(&app, body.password).await?;
    loop {
        let machine = app
            .store
            .machine(&row.approval.machine_id)
            .await?
            .ok_or_else(|| Failure::not_found("machine"))?;
        let now_ms = clock::now_ms();
        let order = Order {
            version: 1,
            serial: machine.order_last + 1,
            machine_id: machine.machine_id.clone(),
            kind: "revoke-exception".to_owned(),
            subject: Some(id.clone()),
            reason: body.reason.clone(),
            issued_by: caller.login.clone(),
            issued: clock::rfc3339(now_ms),
        };
        let signed =
            sign_statement(&app.order_key, &order).map_err(|error| Failure::internal(&error))?;
        let place = (machine.machine_id.as_str(), order.serial, &signed);
        match app
            .store
            .revoke_exception(&id, &caller.login, &body.reason, now_ms, place)
            .await
        {
            // Another order took the number: look again.
            Err(StoreError::Conflict(_)) => {}
            Ok(false) => return Err(Failure::conflict("it was taken back already")),
            other => {
                other?;
                app.bells.ring(&machine.machine_id);
                break;
            }
        }
    }
    let text = format!(
        "{} took the exception {id} of {} on {} back: {}",
        caller.login, row.approval.request.user, row.approval.hostname, body.reason
    );
    let entry = Entry::action("exception.revoke", text)
        .with("exception", &id)
        .with("machine", &row.approval.machine_id);
    trail::record(&app, &caller, entry).await?;
    Ok(Json(wire(&app, find().await?).await?))
}
