//! Alerts and the rules that raise them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use cmdai_api::console::{Alert, AlertChange, AlertList, Detection, DetectionList, Note};

use super::convert::alert_wire;
use crate::app::App;
use crate::body::{Body, Parameters};
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::feed::News;
use crate::guard::Caller;
use crate::trail::{self, Entry};

/// Alerts that are listed.
const LISTED: u32 = 500;
const STATUSES: [&str; 3] = ["open", "acknowledged", "closed"];
const DISPOSITIONS: [&str; 3] = ["true_positive", "false_positive", "accepted"];

pub(super) async fn list(
    State(app): State<Arc<App>>,
    parameters: Parameters,
) -> Answer<Json<AlertList>> {
    let status = parameters.text("status");
    if let Some(status) = status.filter(|status| !STATUSES.contains(status)) {
        return Err(Failure::invalid(format!(
            "`{status}` is not a status; it is one of {}",
            STATUSES.join(", ")
        )));
    }
    let alerts = app
        .store
        .alerts(status, LISTED)
        .await?
        .into_iter()
        .map(alert_wire)
        .collect();
    Ok(Json(AlertList { alerts }))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(change): Body<AlertChange>,
) -> Answer<Json<Alert>> {
    let mut alert = app
        .store
        .alert(&id)
        .await?
        .ok_or_else(|| Failure::not_found("alert"))?;
    let mut said = Vec::new();
    if let Some(disposition) = change.disposition {
        if !DISPOSITIONS.contains(&disposition.as_str()) {
            return Err(Failure::invalid(format!(
                "`disposition` is one of {}",
                DISPOSITIONS.join(", ")
            )));
        }
        said.push(format!("disposition {disposition}"));
        alert.disposition = Some(disposition);
    }
    if let Some(status) = change.status {
        if !STATUSES.contains(&status.as_str()) {
            return Err(Failure::invalid(format!(
                "`status` is one of {}",
                STATUSES.join(", ")
            )));
        }
        if status == "closed" && alert.disposition.is_none() {
            return Err(Failure::invalid(format!(
                "closing needs a disposition: {}",
                DISPOSITIONS.join(", ")
            )));
        }
        if status != "closed" {
            alert.disposition = None;
        }
        said.push(format!("status {status}"));
        alert.status = status;
    }
    if let Some(assignee) = change.assignee {
        said.push(format!("assigned to {assignee}"));
        alert.assignee = Some(assignee).filter(|assignee| !assignee.is_empty());
    }
    if let Some(text) = change.note.filter(|text| !text.trim().is_empty()) {
        if text.len() > 4_000 || alert.notes.len() >= 500 {
            return Err(Failure::invalid(
                "a note is at most 4,000 bytes long, and an alert has at most 500",
            ));
        }
        said.push("a note".to_owned());
        alert.notes.push(Note {
            time: clock::rfc3339(clock::now_ms()),
            author: caller.login.clone(),
            text,
        });
    }
    if said.is_empty() {
        return Err(Failure::invalid("nothing to change"));
    }
    app.store.save_alert(&alert).await?;
    let text = format!(
        "{} changed the alert {:?}: {}",
        caller.login,
        alert.title,
        said.join(", ")
    );
    trail::record(
        &app,
        &caller,
        Entry::action("alert.change", text).with("alert", &id),
    )
    .await?;
    let alert = alert_wire(alert);
    app.feed.tell(News::Alert(Arc::new(alert.clone())));
    Ok(Json(alert))
}

pub(super) async fn detections(State(app): State<Arc<App>>) -> Json<DetectionList> {
    let detections = app.detections.iter().map(|rule| Detection {
        id: rule.id.clone(),
        title: rule.title.clone(),
        severity: rule.severity.as_str().to_owned(),
        condition: rule.condition.clone(),
        actions: rule.actions.clone(),
        enabled: rule.enabled,
    });
    Json(DetectionList {
        detections: detections.collect(),
    })
}
