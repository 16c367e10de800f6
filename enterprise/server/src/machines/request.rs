//! A machine asks for an approval.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cmdai_api::machine::{ApprovalOpen, ApprovalOpened};
use cmdai_schema::governor::{
    ExceptionRequest, MAX_EXCEPTION_RULES, MAX_EXCEPTION_S, MIN_EXCEPTION_S,
};
use cmdai_schema::{Dialect, Hash, canonical_bytes};
use cmdai_store::ApprovalRow;

use super::peer::Peer;
use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::jobs::{Alarm, alarm, tell_request};
use crate::people::policy::digest_of;
use crate::people::terms::{policy, terms};
use crate::people::{self, refuse, tell_approval};
use crate::trail::{self, Entry};

/// Most requests of one person on one machine that may be open within [`FLOOD_MS`].
const FLOOD: u64 = 20;
const FLOOD_MS: i64 = 10 * 60 * 1_000;
/// Most requests of one machine that may be open, whatever names it gives: nobody's inbox is filled.
const FLOOD_OF_MACHINE: u64 = 100;
/// Most requests of one agent's session that may be open.
const FLOOD_OF_SESSION: u64 = 8;
/// Requests of one person on one machine within [`WEARY_MS`] after which nobody looks any more.
const WEARY: u64 = 40;
const WEARY_MS: i64 = 60 * 60 * 1_000;
/// Longest exception where the policy says nothing, in days.
const LONGEST_DAYS: u32 = 90;
const COMMAND: &str = "command";
const EXCEPTION: &str = "exception";
const EMERGENCY: &str = "break_glass";
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
    let emergency = open.kind == EMERGENCY;
    let tired = if emergency {
        // What happened is always taken in.
        false
    } else {
        damp(&app, &machine.machine_id, &open, now_ms).await?
    };
    let document = policy(&app).await?;
    if let Some(asked) = &open.request.exception {
        let days = document.approvals.exception_days.unwrap_or(LONGEST_DAYS);
        if asked.duration_s > u64::from(days).saturating_mul(86_400) {
            return Err(Failure::invalid(format!(
                "the policy permits exceptions of at most {days} days"
            )));
        }
    }
    let rules = match &open.request.exception {
        Some(asked) => &asked.rules,
        None => &open.request.binding.rules,
    };
    let mut terms = terms(&document, app.bells.policy_version(), rules);
    if open.kind != COMMAND {
        terms.uses = 1;
    }
    // A request waits no longer than the policy says.
    let waits_ms = document
        .approvals
        .timeout_minutes
        .map_or(MAX_WAIT_MS, |minutes| {
            i64::from(minutes).saturating_mul(60_000)
        });
    let row = ApprovalRow {
        id: open.request_id.clone(),
        kind: open.kind.clone(),
        terms,
        machine_id: machine.machine_id.clone(),
        hostname: machine.manifest.hostname.clone(),
        request: open.request,
        binding_hash: open.binding_hash,
        reason: open.reason,
        session_id: open.session_id,
        status: if emergency { "used" } else { "pending" }.to_owned(),
        created_ms: now_ms,
        expires_ms: expires_ms.min(now_ms.saturating_add(waits_ms)),
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
    if emergency {
        people::emergency(&app, &row).await?;
        tell_approval(&app, &row.id).await?;
    } else if tired {
        weary(&app, &row, now_ms).await?;
    } else if let Some(approval) = tell_approval(&app, &row.id).await? {
        tell_request(&app, approval)
            .await
            .map_err(|error| Failure::internal(&error))?;
    }
    Ok(Json(ApprovalOpened {
        request_id: open.request_id,
    }))
}

/// Keeps floods away. True where somebody asks so often that nobody would look any more.
async fn damp(app: &App, machine_id: &str, open: &ApprovalOpen, now_ms: i64) -> Answer<bool> {
    let user = &open.request.user;
    let since_ms = now_ms.saturating_sub(FLOOD_MS);
    let pending = app
        .store
        .pending_approvals(machine_id, user, since_ms)
        .await?;
    if pending >= FLOOD {
        return Err(Failure::too_many(
            format!("{pending} requests of {user} wait already; ask again later"),
            600,
        ));
    }
    // An agent tries again and again; a person's terminal does not.
    if open.request.binding.origin == "agent" {
        let of_session = app
            .store
            .pending_of_session(machine_id, &open.session_id, since_ms)
            .await?;
        if of_session >= FLOOD_OF_SESSION {
            return Err(Failure::too_many(
                format!("{of_session} requests of this agent's session wait already"),
                600,
            ));
        }
    }
    let of_machine = app.store.pending_of_machine(machine_id, now_ms).await?;
    if of_machine >= FLOOD_OF_MACHINE {
        return Err(Failure::too_many(
            format!("{of_machine} requests of this machine wait already; ask again later"),
            600,
        ));
    }
    let asked = app
        .store
        .asked_since(machine_id, user, now_ms.saturating_sub(WEARY_MS))
        .await?;
    Ok(asked >= WEARY)
}

/// Who is asked too often says yes without looking: such requests are denied, and told of.
async fn weary(app: &App, row: &ApprovalRow, now_ms: i64) -> Answer<()> {
    let user = &row.request.user;
    let why = format!(
        "{user} has asked more than {WEARY} times within an hour; nobody is asked any more. Wait, or ask for an exception"
    );
    refuse(app, row, "denied", &why).await?;
    let key = format!("weary {} {user}", row.machine_id);
    if !app.once.take(&key, now_ms) {
        return Ok(());
    }
    let alarmed = Alarm {
        detection: "approval-flood",
        key: format!("{} {user}", row.machine_id),
        title: "Requests for approval are flooding in",
        severity: "high",
        summary: format!(
            "{user} on {} asked more than {WEARY} times within an hour; further requests are denied",
            row.hostname
        ),
        machine_id: row.machine_id.clone(),
        hostname: row.hostname.clone(),
        user: user.clone(),
    };
    let entry =
        Entry::action("approval.flood", alarmed.summary.clone()).with("machine", &row.machine_id);
    trail::record_own(app, entry).await?;
    alarm(app, alarmed)
        .await
        .map_err(|error| Failure::internal(&error))
}

/// What the approver reads is what is bound: the digest is of the tree of the very text.
fn check_text(open: &ApprovalOpen) -> Answer<()> {
    let binding = &open.request.binding;
    let dialect = Dialect::from_name(&binding.shell)
        .ok_or_else(|| Failure::invalid("the request names no shell that is known here"))?;
    if digest_of(&binding.text, dialect) != binding.digest {
        return Err(Failure::invalid(
            "the digest is not of the text that people would read; is the sensor older than the server?",
        ));
    }
    Ok(())
}

fn check_exception(asked: &ExceptionRequest) -> Answer<()> {
    let fine = !asked.rules.is_empty()
        && asked.rules.len() <= MAX_EXCEPTION_RULES
        && asked.rules.iter().all(|rule| {
            !rule.is_empty()
                && rule.len() <= 200
                && !rule
                    .chars()
                    .any(|letter| letter.is_control() || letter == '"')
        })
        && (MIN_EXCEPTION_S..=MAX_EXCEPTION_S).contains(&asked.duration_s)
        && !asked.reason.trim().is_empty();
    if fine {
        return Ok(());
    }
    Err(Failure::invalid(
        "an exception names 1 to 16 rules, a time of a minute to 90 days, and a reason",
    ))
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
    match (open.kind.as_str(), &open.request.exception) {
        (COMMAND | EMERGENCY, None) => {}
        (EXCEPTION, Some(asked)) => check_exception(asked)?,
        _ => return Err(Failure::invalid("`kind` is not one that is known here")),
    }
    if open.kind == EMERGENCY
        && open
            .reason
            .as_deref()
            .is_none_or(|said| said.trim().is_empty())
    {
        return Err(Failure::invalid("an emergency has a reason"));
    }
    if open.kind == COMMAND {
        check_text(open)?;
    }
    if open.kind == COMMAND && open.request.binding.unknown {
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
    if expires_ms <= now_ms && open.kind != EMERGENCY {
        return Err(Failure::invalid(
            "the request has lapsed already; check the machine's clock",
        ));
    }
    Ok(expires_ms.min(now_ms.saturating_add(MAX_WAIT_MS)))
}
