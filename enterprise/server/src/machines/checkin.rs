//! Regular contact: held open until there is something new.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use cmdai_api::machine::{Checkin, CheckinReply};
use cmdai_store::{Contact, MachineRow};

use super::enrol::is_hostname;
use super::peer::{EndsSoon, Peer};
use super::release::signed_for;
use crate::app::App;
use crate::body::{Body, Parameters};
use crate::clock;
use crate::failure::Answer;
use crate::rollout::Published;

/// Longest wait, in seconds.
const MAX_WAIT_S: u32 = 30;

pub(super) async fn checkin(
    State(app): State<Arc<App>>,
    Peer(machine): Peer,
    EndsSoon(renew): EndsSoon,
    parameters: Parameters,
    Body(mut checkin): Body<Checkin>,
) -> Answer<Json<CheckinReply>> {
    let wait = parameters.number("wait", 0..=3_600, 0)?.min(MAX_WAIT_S);
    // What the server has given is not the machine's to change.
    checkin.manifest.machine_id.clone_from(&machine.machine_id);
    checkin
        .manifest
        .organisation
        .clone_from(&app.config.organisation);
    checkin
        .manifest
        .certificate_fingerprint
        .clone_from(&machine.fingerprint);
    // Approvers read it.
    if !is_hostname(&checkin.manifest.hostname) {
        checkin
            .manifest
            .hostname
            .clone_from(&machine.manifest.hostname);
    }
    app.heard(Contact {
        machine_id: machine.machine_id.clone(),
        seen_ms: clock::now_ms(),
        checkin: Some(checkin.clone()),
    });
    let deadline = tokio::time::Instant::now() + Duration::from_secs(u64::from(wait));
    let (bell, mut policy) = app.bells.listen(&machine.machine_id);
    let mut stopping = app.stopping.clone();
    loop {
        // Listening starts before looking, so that nothing falls in between.
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        policy.mark_unchanged();
        let mut reply = reply(&app, &machine, &checkin).await?;
        reply.renew = renew;
        // A machine that has looked at this state and decided otherwise is not woken for it again.
        let new = !reply.orders.is_empty()
            || !reply.grants.is_empty()
            || (!reply.policy_version.is_empty()
                && reply.policy_version != checkin.policy_version
                && (checkin.release.is_empty() || checkin.release != reply.release));
        if new || *stopping.borrow() || tokio::time::Instant::now() >= deadline {
            app.heard(Contact {
                machine_id: machine.machine_id.clone(),
                seen_ms: clock::now_ms(),
                checkin: None,
            });
            return Ok(Json(reply));
        }
        // Ten thousand machines wake when rings open further; most of them are not meant, and find
        // that out without the store.
        let meant = async {
            while policy.changed().await.is_ok() {
                let published = policy.borrow_and_update();
                if expected(&published, &machine, &checkin) != checkin.policy_version {
                    return;
                }
            }
        };
        tokio::select! {
            () = rung => {}
            () = meant => {}
            _ = stopping.changed() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
    }
}

/// The version that the machine should have; empty where there is none.
fn expected(published: &Published, machine: &MachineRow, checkin: &Checkin) -> String {
    let installed = checkin.policy_version.parse().unwrap_or(0);
    match published.expected(&machine.machine_id, &machine.labels, installed) {
        0 => String::new(),
        version => version.to_string(),
    }
}

async fn reply(app: &App, machine: &MachineRow, checkin: &Checkin) -> Answer<CheckinReply> {
    let published = app.bells.published();
    Ok(CheckinReply {
        policy_version: expected(&published, machine, checkin),
        release: published.stamp.clone(),
        orders: app
            .store
            .orders_after(&machine.machine_id, checkin.order_serial)
            .await?,
        grants: signed_for(app, &machine.machine_id, &checkin.pending_requests).await?,
        acked_seq: app.store.head(&machine.machine_id).await?.seq,
        renew: false,
    })
}
