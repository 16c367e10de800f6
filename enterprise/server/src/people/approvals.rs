//! Requests for approval: the inbox and the decision.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use cmdai_api::console::{Approval, ApprovalDecision, ApprovalList};
use cmdai_schema::{ApprovalInfo, EventType};
use cmdai_store::{ApprovalRow, Decided};

use super::convert::approval_wire;
use crate::app::App;
use crate::body::{Body, Parameters};
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::feed::News;
use crate::guard::Caller;
use crate::machines::grant;
use crate::trail::{self, Entry};

/// Requests that are listed.
const LISTED: u32 = 500;
const STATUSES: [&str; 5] = ["pending", "granted", "denied", "expired", "consumed"];
/// How an approver proved who they are.
const FACTOR: &str = "password";

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
    let approvals = app
        .store
        .approvals(status, LISTED)
        .await?
        .into_iter()
        .map(approval_wire)
        .collect();
    Ok(Json(ApprovalList { approvals }))
}

/// A login name, from a mail address or with a domain before it too.
fn short(name: &str) -> String {
    let name = name.rsplit('\\').next().unwrap_or(name);
    name.split('@').next().unwrap_or(name).to_lowercase()
}

pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(decision): Body<ApprovalDecision>,
) -> Answer<Json<Approval>> {
    let approval = app
        .store
        .approval(&id)
        .await?
        .ok_or_else(|| Failure::not_found("request"))?;
    let asker = approval.request.user.as_str();
    // Whoever asks never decides: not under another account of the same person, administrators
    // included. Root may be anybody, and first of all the person whose machine it is; the same goes
    // for a number that the machine has no name for, such as of a directory's account.
    let mut askers = vec![asker.to_owned()];
    let nameless = !asker.is_empty() && asker.bytes().all(|byte| byte.is_ascii_digit());
    if approval.request.uid == 0 || short(asker) == "root" || nameless {
        let machine = app.store.machine(&approval.machine_id).await?;
        askers.extend(machine.map(|machine| machine.person));
    }
    let own = [short(&caller.person), short(&caller.login)];
    if askers.iter().any(|asker| own.contains(&short(asker))) {
        return Err(Failure::forbidden(
            "nobody decides about their own request; ask somebody else",
        ));
    }
    if decision.reason.trim().is_empty() || decision.reason.len() > 2_000 {
        return Err(Failure::invalid("say why, in at most 2,000 bytes"));
    }
    if approval.status != "pending" || approval.expires_ms <= clock::now_ms() {
        return Err(Failure::conflict(format!(
            "this request is not pending any more ({})",
            approval.status
        )));
    }
    caller.step_up(&app, decision.password).await?;
    let word = if decision.approve {
        "granted"
    } else {
        "denied"
    };
    let signed = grant(
        &app,
        &approval,
        decision.approve,
        &caller.login,
        FACTOR,
        &decision.reason,
    )?;
    let grant_id = serde_json::from_str::<cmdai_api::machine::Grant>(&signed.payload)
        .ok()
        .map(|grant| grant.grant_id);
    let decided = Decided {
        status: word.to_owned(),
        approver: caller.login.clone(),
        reason: decision.reason.clone(),
        decided_ms: clock::now_ms(),
        signed,
    };
    if !app.store.decide_approval(&id, &decided).await? {
        return Err(Failure::conflict(
            "somebody else has decided in the meantime",
        ));
    }
    app.bells.ring(&approval.machine_id);
    let mut entry = Entry::action(
        if decision.approve {
            "approval.grant"
        } else {
            "approval.deny"
        },
        format!(
            "{} {word} the request {id} of {asker} on {}: {}",
            caller.login, approval.hostname, approval.request.binding.text
        ),
    );
    entry.event_type = if decision.approve {
        EventType::ApprovalGranted
    } else {
        EventType::ApprovalDenied
    };
    entry.approval = Some(ApprovalInfo {
        request_id: id.clone(),
        grant_id,
        status: word.to_owned(),
        approver: Some(caller.login.clone()),
        reason: Some(decision.reason),
    });
    trail::record(&app, &caller, entry.with("machine", &approval.machine_id)).await?;
    tell(&app, &id)
        .await?
        .map(Json)
        .ok_or_else(|| Failure::not_found("request"))
}

/// Tells those who watch that a request is new or has changed.
pub(crate) async fn tell(app: &App, id: &str) -> Answer<Option<Approval>> {
    let approval = app.store.approval(id).await?.map(approval_wire);
    if let Some(approval) = &approval {
        app.feed.tell(News::Approval(Arc::new(approval.clone())));
    }
    Ok(approval)
}

/// Closes a request that nobody decided in time: a time-out is a denial.
pub(crate) async fn expire(app: &App, approval: &ApprovalRow) -> Answer<()> {
    const WHY: &str = "nobody decided in time";
    let decided = Decided {
        status: "expired".to_owned(),
        approver: trail::SERVER.to_owned(),
        reason: WHY.to_owned(),
        decided_ms: clock::now_ms(),
        signed: grant(app, approval, false, trail::SERVER, "none", WHY)?,
    };
    if !app.store.decide_approval(&approval.id, &decided).await? {
        return Ok(());
    }
    app.bells.ring(&approval.machine_id);
    let mut entry = Entry::action(
        "approval.expire",
        format!(
            "the request {} of {} lapsed",
            approval.id, approval.request.user
        ),
    );
    entry.event_type = EventType::ApprovalDenied;
    entry.approval = Some(ApprovalInfo {
        request_id: approval.id.clone(),
        grant_id: None,
        status: "expired".to_owned(),
        approver: None,
        reason: Some(WHY.to_owned()),
    });
    trail::record_own(app, entry.with("machine", &approval.machine_id)).await?;
    tell(app, &approval.id).await.map(|_| ())
}
