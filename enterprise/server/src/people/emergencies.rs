//! Emergencies: somebody went ahead and told why; somebody else looks at it afterwards.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use cmdai_api::console::{Emergency, EmergencyList, Review};
use cmdai_store::{ApprovalRow, EmergencyRow};

use super::terms::{askers, must_be_other, policy};
use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::jobs::{Alarm, alarm};
use crate::trail::{self, Entry};

const LISTED: u32 = 200;
const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Hours until the review where the policy says nothing.
const REVIEW_HOURS: u32 = 24;

fn wire(row: EmergencyRow) -> Emergency {
    let status = if row.reviewed_ms.is_some() {
        "reviewed"
    } else if row.due_ms <= clock::now_ms() {
        "late"
    } else {
        "due"
    };
    let approval = row.approval;
    let binding = approval.request.binding;
    Emergency {
        id: approval.id,
        status: status.to_owned(),
        text: binding.text,
        cwd: binding.cwd,
        rules: binding.rules,
        risk: binding.risk,
        machine_id: approval.machine_id,
        hostname: approval.hostname,
        user: approval.request.user,
        reason: approval.reason,
        used: clock::rfc3339(approval.created_ms),
        due: clock::rfc3339(row.due_ms),
        reviewed: clock::rfc3339_of(row.reviewed_ms),
        reviewed_by: row.reviewed_by,
        verdict: row.verdict,
        note: row.note,
    }
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Answer<Json<EmergencyList>> {
    let rows = app.store.emergencies(LISTED).await?;
    Ok(Json(EmergencyList {
        emergencies: rows.into_iter().map(wire).collect(),
    }))
}

/// A machine tells that somebody went ahead: an event and an alert at once, and a review that is due.
pub(crate) async fn opened(app: &App, row: &ApprovalRow) -> Answer<()> {
    let approvals = &policy(app).await?.approvals;
    let hours = approvals.review_hours.unwrap_or(REVIEW_HOURS);
    let due_ms = row
        .created_ms
        .saturating_add(i64::from(hours).saturating_mul(HOUR_MS));
    app.store.add_emergency(&row.id, due_ms).await?;
    let said = row.reason.as_deref().unwrap_or("no reason");
    let summary = format!(
        "{} on {} ran {} without waiting for an approval: {said}",
        row.request.user, row.hostname, row.request.binding.text
    );
    let entry = Entry::action("break-glass.used", summary.clone())
        .with("request", &row.id)
        .with("machine", &row.machine_id)
        .with("review_due", clock::rfc3339(due_ms));
    trail::record_own(app, entry).await?;
    raise(app, row, "break-glass", "Break-glass used", "high", summary).await
}

async fn raise(
    app: &App,
    row: &ApprovalRow,
    detection: &'static str,
    title: &'static str,
    severity: &'static str,
    summary: String,
) -> Answer<()> {
    let alarmed = Alarm {
        detection,
        key: row.id.clone(),
        title,
        severity,
        summary,
        machine_id: row.machine_id.clone(),
        hostname: row.hostname.clone(),
        user: row.request.user.clone(),
    };
    alarm(app, alarmed)
        .await
        .map_err(|error| Failure::internal(&error))
}

/// Tells once of each review that is late.
pub(crate) async fn late(app: &App) -> Answer<()> {
    for row in app.store.late_emergencies(clock::now_ms()).await? {
        let summary = format!(
            "nobody has reviewed what {} did on {} by break-glass: it was due {}",
            row.approval.request.user,
            row.approval.hostname,
            clock::rfc3339(row.due_ms)
        );
        let entry = Entry::action("break-glass.late", summary.clone())
            .with("request", &row.approval.id)
            .with("machine", &row.approval.machine_id);
        trail::record_own(app, entry).await?;
        let title = "Break-glass review is late";
        raise(
            app,
            &row.approval,
            "break-glass-late",
            title,
            "high",
            summary,
        )
        .await?;
        app.store.late_told(&row.approval.id).await?;
    }
    Ok(())
}

pub(super) async fn review(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(body): Body<Review>,
) -> Answer<Json<Emergency>> {
    let row = app
        .store
        .emergency(&id)
        .await?
        .ok_or_else(|| Failure::not_found("emergency"))?;
    if !["justified", "unjustified"].contains(&body.verdict.as_str()) {
        return Err(Failure::invalid("`verdict` is justified or unjustified"));
    }
    if body.note.trim().is_empty() || body.note.len() > 2_000 {
        return Err(Failure::invalid(
            "say what you found, in at most 2,000 bytes",
        ));
    }
    let askers = askers(&app, &row.approval).await?;
    must_be_other(&caller.login, &caller.person, &askers)?;
    let factor = caller.step_up(&app, body.password).await?;
    let done = app
        .store
        .review_emergency(
            &id,
            &caller.login,
            &body.verdict,
            &body.note,
            clock::now_ms(),
        )
        .await?;
    if !done {
        return Err(Failure::conflict("somebody has reviewed it already"));
    }
    let text = format!(
        "{} reviewed the break-glass of {} on {}: {} ({})",
        caller.login, row.approval.request.user, row.approval.hostname, body.verdict, body.note
    );
    let entry = Entry::action("break-glass.review", text)
        .with("request", &id)
        .with("verdict", &body.verdict)
        .with("factor", factor);
    trail::record(&app, &caller, entry).await?;
    let row = app
        .store
        .emergency(&id)
        .await?
        .ok_or_else(|| Failure::not_found("emergency"))?;
    Ok(Json(wire(row)))
}
