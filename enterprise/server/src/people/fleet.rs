//! Machines: list, quarantine, tokens to enrol.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use cmdai_api::console::{
    EnrolmentToken, Machine, MachineEnd, MachineList, NewEnrolmentToken, QuarantineChange,
};
use cmdai_api::machine::Order;
use cmdai_bundle::sign_statement;
use cmdai_store::{Dimension, EnrolmentTokenRow, Head, MachineRow, StoreError};

use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::secrets;
use crate::trail::{self, Entry};

const HOUR_MS: i64 = 3_600_000;

/// Counts that belong to machines.
struct Counts {
    chains: BTreeMap<String, (Head, u64)>,
    commands: HashMap<String, u64>,
    violations: HashMap<String, u64>,
    /// What the newest policy asks of engines.
    min_engine: Option<String>,
}

async fn counts(app: &App) -> Answer<Counts> {
    let hour = clock::now_ms() / HOUR_MS;
    let sum = |dimension: Dimension| async move {
        let mut sums: HashMap<String, u64> = HashMap::new();
        for rolled in app.store.rolled(dimension, hour - 23, hour + 1).await? {
            *sums.entry(rolled.key).or_insert(0) += rolled.count;
        }
        Ok::<_, Failure>(sums)
    };
    Ok(Counts {
        chains: app.store.chains().await?,
        commands: sum(Dimension::Machine).await?,
        violations: sum(Dimension::MachineViolation).await?,
        min_engine: super::terms::policy(app).await?.min_engine.clone(),
    })
}

/// `active`, `silent`, `quarantined`, `revoked` or `retired`.
pub(super) fn state_of(app: &App, row: &MachineRow, now_ms: i64) -> &'static str {
    let silent_ms = i64::try_from(app.config.silent_after.as_millis()).unwrap_or(i64::MAX);
    if row.retired {
        "retired"
    } else if row.revoked.is_some() {
        "revoked"
    } else if row.quarantine.is_some() {
        "quarantined"
    } else if row
        .last_seen_ms
        .is_none_or(|seen| now_ms.saturating_sub(seen) > silent_ms)
    {
        "silent"
    } else {
        "active"
    }
}

/// What a machine has installed, as a number; 0 where there is none.
pub(super) fn version_of(row: &MachineRow) -> u64 {
    row.policy_version.parse().unwrap_or(0)
}

/// True where a machine's engine is older than a policy asks for.
pub(super) fn is_behind(row: &MachineRow, min_engine: &str) -> bool {
    let own = row.manifest.versions.get("engine");
    own.is_some_and(|own| cmdai_policy::is_older(own, min_engine))
}

fn wire(app: &App, row: MachineRow, counts: &Counts, now_ms: i64) -> Machine {
    let published = app.bells.published();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (head, gaps) = counts
        .chains
        .get(&row.machine_id)
        .copied()
        .unwrap_or_default();
    let of = |sums: &HashMap<String, u64>| sums.get(&row.machine_id).copied().unwrap_or(0);
    Machine {
        state: state_of(app, &row, now_ms).to_owned(),
        policy_current: published.version > 0
            && version_of(&row)
                == published.expected(&row.machine_id, &row.labels, version_of(&row)),
        ring: published.ring_of(&row.machine_id, &row.labels),
        engine_too_old: (counts.min_engine.as_deref())
            .is_some_and(|wanted| is_behind(&row, wanted)),
        policy_digest: row.policy_digest,
        policy_source: row.manifest.policy_source,
        policy_verified: text(&row.manifest.policy_verified),
        policy_expires: text(&row.manifest.policy_expires),
        order_done: row.order_done >= row.order_last,
        acked_seq: head.seq,
        gaps,
        commands: of(&counts.commands),
        violations: of(&counts.violations),
        enrolled: clock::rfc3339(row.enrolled_ms),
        last_seen: clock::rfc3339_of(row.last_seen_ms),
        hostname: row.manifest.hostname,
        platform: row.manifest.platform,
        versions: row.manifest.versions,
        capabilities: row.manifest.capabilities,
        machine_id: row.machine_id,
        person: row.person,
        labels: row.labels,
        quarantine: row.quarantine,
        revoked: row.revoked,
        policy_version: row.policy_version,
        policy_problem: row.policy_problem,
        head_seq: row.head_seq,
    }
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Answer<Json<MachineList>> {
    let now_ms = clock::now_ms();
    let counts = counts(&app).await?;
    let mut machines: Vec<Machine> = app
        .store
        .machines()
        .await?
        .into_iter()
        .map(|row| wire(&app, row, &counts, now_ms))
        .collect();
    let rank = |machine: &Machine| match machine.state.as_str() {
        "silent" => 0,
        "quarantined" => 1,
        "active" => 2,
        "revoked" => 3,
        _ => 4,
    };
    // Silent ones first, and among them those that have been silent longest.
    machines.sort_by(|a, b| {
        (rank(a), &a.last_seen, &a.hostname).cmp(&(rank(b), &b.last_seen, &b.hostname))
    });
    Ok(Json(MachineList { machines }))
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Answer<Json<Machine>> {
    let row = app
        .store
        .machine(&id)
        .await?
        .ok_or_else(|| Failure::not_found("machine"))?;
    Ok(Json(wire(&app, row, &counts(&app).await?, clock::now_ms())))
}

pub(super) async fn change_quarantine(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(change): Body<QuarantineChange>,
) -> Answer<Json<Machine>> {
    if change.reason.trim().is_empty() || change.reason.len() > 1_000 {
        return Err(Failure::invalid(
            "say why, in at most 1,000 bytes: the person reads it",
        ));
    }
    app.store
        .machine(&id)
        .await?
        .ok_or_else(|| Failure::not_found("machine"))?;
    caller.step_up(&app, change.password).await?;
    let row = quarantine(&app, &id, change.on, &change.reason, &caller.login).await?;
    let what = if change.on {
        "put into quarantine"
    } else {
        "took out of quarantine"
    };
    let text = format!(
        "{} {what}: {} ({})",
        caller.login, row.manifest.hostname, change.reason
    );
    let action = if change.on {
        "machine.quarantine"
    } else {
        "machine.release"
    };
    trail::record(
        &app,
        &caller,
        Entry::action(action, text)
            .with("machine", &id)
            .with("reason", change.reason),
    )
    .await?;
    Ok(Json(wire(&app, row, &counts(&app).await?, clock::now_ms())))
}

/// Revokes a machine's certificates.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(end): Body<MachineEnd>,
) -> Answer<Json<Machine>> {
    finish(&app, &caller, &id, end, End::Revoke).await
}

/// Takes a machine out of service.
pub(super) async fn retire(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(end): Body<MachineEnd>,
) -> Answer<Json<Machine>> {
    finish(&app, &caller, &id, end, End::Retire).await
}

#[derive(Clone, Copy)]
enum End {
    Revoke,
    Retire,
}

async fn finish(
    app: &App,
    caller: &Caller,
    id: &str,
    end: MachineEnd,
    how: End,
) -> Answer<Json<Machine>> {
    if end.reason.trim().is_empty() || end.reason.len() > 1_000 {
        return Err(Failure::invalid(
            "say why, in at most 1,000 bytes: the person reads it",
        ));
    }
    app.store
        .machine(id)
        .await?
        .ok_or_else(|| Failure::not_found("machine"))?;
    caller.step_up(app, end.password).await?;
    let (action, what) = match how {
        End::Revoke => {
            app.store.revoke_machine(id, &end.reason).await?;
            ("machine.revoke", "revoked the certificates of")
        }
        End::Retire => {
            app.store.retire_machine(id).await?;
            ("machine.retire", "retired")
        }
    };
    // A contact that is held open ends; the next one is refused.
    app.bells.ring(id);
    let row = app
        .store
        .machine(id)
        .await?
        .ok_or_else(|| Failure::not_found("machine"))?;
    let text = format!(
        "{} {what} {} ({})",
        caller.login, row.manifest.hostname, end.reason
    );
    let entry = Entry::action(action, text)
        .with("machine", id)
        .with("reason", end.reason);
    trail::record(app, caller, entry).await?;
    Ok(Json(wire(app, row, &counts(app).await?, clock::now_ms())))
}

/// Signs an order and wakes the machine.
pub(crate) async fn quarantine(
    app: &App,
    id: &str,
    on: bool,
    reason: &str,
    by: &str,
) -> Answer<MachineRow> {
    loop {
        let row = app
            .store
            .machine(id)
            .await?
            .ok_or_else(|| Failure::not_found("machine"))?;
        let order = Order {
            version: 1,
            serial: row.order_last + 1,
            machine_id: id.to_owned(),
            kind: if on { "quarantine" } else { "release" }.to_owned(),
            subject: None,
            reason: reason.to_owned(),
            issued_by: by.to_owned(),
            issued: clock::rfc3339(clock::now_ms()),
        };
        let signed =
            sign_statement(&app.order_key, &order).map_err(|error| Failure::internal(&error))?;
        match app
            .store
            .order(id, on.then_some(reason), order.serial, &signed)
            .await
        {
            // Another order took the number: look again.
            Err(StoreError::Conflict(_)) => {}
            other => {
                other?;
                app.bells.ring(id);
                return app
                    .store
                    .machine(id)
                    .await?
                    .ok_or_else(|| Failure::not_found("machine"));
            }
        }
    }
}

pub(super) async fn make_token(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewEnrolmentToken>,
) -> Answer<Json<EnrolmentToken>> {
    let plain =
        |text: &str| !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
    let lists = body
        .teams
        .iter()
        .chain(body.labels.keys())
        .chain(body.labels.values());
    if !plain(&body.person) || !lists.clone().all(|text| plain(text)) || lists.count() > 100 {
        return Err(Failure::invalid(
            "person, teams and labels are short texts, and a person is needed",
        ));
    }
    if !(1..=720).contains(&body.hours) || !(1..=100_000).contains(&body.uses) {
        return Err(Failure::invalid(
            "a token waits 1 to 720 hours for 1 to 100,000 machines",
        ));
    }
    caller
        .step_up(&app, body.password.unwrap_or_default())
        .await?;
    let now_ms = clock::now_ms();
    let made = || -> anyhow::Result<(String, String)> {
        Ok((secrets::hex(&secrets::random::<6>()?), secrets::token()?))
    };
    let (id, secret) = made().map_err(|error| Failure::internal(&error))?;
    let expires_ms = now_ms.saturating_add(i64::from(body.hours) * HOUR_MS);
    let row = EnrolmentTokenRow {
        id: id.clone(),
        secret_hash: secrets::sha256(secret.as_bytes()),
        person: body.person,
        teams: body.teams,
        labels: body.labels,
        uses_left: body.uses,
        expires_ms,
        made_by: caller.login.clone(),
    };
    app.store.add_enrolment_token(&row).await?;
    let text = format!(
        "{} made a token that enrols {} machine(s) for {}",
        caller.login, row.uses_left, row.person
    );
    trail::record(
        &app,
        &caller,
        Entry::action("enrolment-token.make", text).with("token", &id),
    )
    .await?;
    let token = format!("cmdai1.{id}.{secret}.{}", app.authority.fingerprint());
    let command = format!(
        "cmdai-enterprise enrol --server {} --token {token}",
        app.machine_url
    );
    Ok(Json(EnrolmentToken {
        token,
        expires: clock::rfc3339(expires_ms),
        command,
    }))
}
