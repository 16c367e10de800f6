//! Releases on their way, as people see and steer them: drafts and signatures, rings, keys.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use cmdai_api::console::{
    ApproverKeys, Confirmation, DraftSignatures, GateFigure, NewRoot, PolicyDraft, PolicyKey,
    PolicyKeys, PolicyView, RolloutChange, RolloutRing, RolloutView,
};
use cmdai_bundle::rings::{Ring, WHOLE};
use cmdai_bundle::rollout::Phase;
use cmdai_bundle::{Draft, DraftSignature, Proposed, PublishError, RootFile, Signing};

use super::policy::{Wanted, make_alone, publish_first, view};
use super::review;
use crate::app::App;
use crate::approver_keys;
use crate::body::{Body, Parameters};
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::rollout;
use crate::trail::{self, Entry};

/// Who signs, as a word.
pub(super) fn signing_word(app: &App) -> &'static str {
    match app.publisher.signing() {
        Signing::Server => "server",
        Signing::People => "people",
    }
}

/// The place that the policy comes from, where it is not edited here.
pub(super) async fn managed_by(app: &App) -> Answer<Option<String>> {
    let place = app.store.setting(rollout::MANAGED).await?;
    Ok(place.filter(|place| !place.is_empty()))
}

/// The draft, for people.
pub(super) async fn draft_view(app: &App) -> Answer<Option<PolicyDraft>> {
    let Some(draft) = rollout::draft(app).await? else {
        return Ok(None);
    };
    let reviewed = draft.check().map_err(|error| Failure::internal(&error))?;
    let root = RootFile::parse(&draft.root).map_err(|error| Failure::internal(&error))?;
    let names = root.lines();
    let name = |id: &String| {
        names
            .iter()
            .find(|line| line.id == *id)
            .map_or_else(|| id.clone(), |line| line.name.clone())
    };
    let stand = review::stand(app, &draft).await?;
    let digest = review::digest(&draft)?;
    let impact_sha256 = draft.impact_digest();
    let impact = draft
        .impact()
        .and_then(|text| serde_json::from_str(text).ok());
    let keys_only = app
        .publisher
        .only_approvers(&draft)
        .map_err(|error| Failure::internal(&error))?;
    Ok(Some(PolicyDraft {
        release: draft.release,
        signed_by: reviewed.signed_by.iter().map(name).collect(),
        needed: reviewed.threshold,
        rings: reviewed
            .rings
            .map(|rings| rings.rings.into_iter().map(|ring| ring.name).collect())
            .unwrap_or_default(),
        by: draft.by,
        made: draft.made,
        note: draft.note,
        rollback: draft.rollback,
        keys_only,
        digest,
        awaits_review: stand.waits,
        reviewed_by: stand.reviewer,
        impact,
        impact_sha256,
        commands: stand.commands,
    }))
}

fn takes(ring: &Ring) -> String {
    let labels: Vec<String> = ring
        .labels
        .iter()
        .map(|(key, values)| format!("{key}={}", values.join("|")))
        .collect();
    let share = if ring.share == WHOLE {
        String::new()
    } else {
        let hundredths = ring.share.saturating_mul(10_000) / WHOLE;
        format!("{}.{:02} % of ", hundredths / 100, hundredths % 100)
    };
    match (share.is_empty(), labels.is_empty()) {
        (true, true) => "every machine that is left".to_owned(),
        (_, true) => format!("{share}all machines"),
        _ => format!("{share}machines with {}", labels.join(", ")),
    }
}

/// How the newest release spreads.
pub(super) async fn rollout_view(app: &App) -> Answer<Option<RolloutView>> {
    let Some(standing) = rollout::standing(app).await? else {
        return Ok(None);
    };
    let rings = app
        .publisher
        .rings()
        .map_err(|error| Failure::internal(&error))?;
    let (figures, away) = rollout::figures(app, &standing, rings.as_ref()).await?;
    let state = &standing.state;
    let mut list = Vec::new();
    let mut gate = Vec::new();
    if let Some(rings) = &rings {
        let seen = figures.seen();
        for (index, (ring, seen)) in rings.rings.iter().zip(&figures.rings).enumerate() {
            let upto = match index.cmp(&state.ring) {
                std::cmp::Ordering::Less => WHOLE,
                std::cmp::Ordering::Equal => state.upto,
                std::cmp::Ordering::Greater => 0,
            };
            list.push(RolloutRing {
                name: ring.name.clone(),
                takes: takes(ring),
                state: match index.cmp(&state.ring) {
                    std::cmp::Ordering::Less => "open",
                    std::cmp::Ordering::Equal if state.full_ms.is_some() => "waiting",
                    std::cmp::Ordering::Equal => "opening",
                    std::cmp::Ordering::Greater => "closed",
                }
                .to_owned(),
                members: seen.places.len() as u64,
                offered: seen
                    .places
                    .iter()
                    .filter(|place| u64::from(**place) < upto)
                    .count() as u64,
                current: seen.current,
                problems: seen.problems,
                silent: seen.silent,
                wait_s: ring.wait_s,
            });
        }
        let figure =
            |id: &str, title: &str, value, limit, accepted: u64, note: String| GateFigure {
                id: id.to_owned(),
                title: title.to_owned(),
                value,
                limit: u64::max(limit, accepted),
                note,
            };
        let (limits, accepted) = (&rings.gate, &state.accepted);
        gate = vec![
            figure(
                "change",
                "Change in interruptions per thousand commands",
                seen.change_per_mille,
                limits.change_per_mille,
                accepted.change_per_mille,
                if seen.commands < limits.min_commands {
                    format!(
                        "{} of {} commands that it takes to judge",
                        seen.commands, limits.min_commands
                    )
                } else {
                    format!("over {} commands", seen.commands)
                },
            ),
            figure(
                "problems",
                "Machines that could not install it",
                seen.problems,
                limits.problems,
                accepted.problems,
                String::new(),
            ),
            figure(
                "silent",
                "Machines that went silent since",
                seen.silent,
                limits.silent,
                accepted.silent,
                String::new(),
            ),
        ];
    }
    let back = standing.rollback_to();
    let mut may = match state.phase {
        Phase::Spreading => vec!["halt".to_owned()],
        Phase::Halted => vec!["continue".to_owned()],
        _ => Vec::new(),
    };
    if back > 0 {
        may.push("rollback".to_owned());
    }
    Ok(Some(RolloutView {
        release: state.release,
        phase: state.phase.as_str().to_owned(),
        reason: state.reason.clone(),
        begun: clock::rfc3339(i64::try_from(state.begun_ms).unwrap_or(0)),
        rings: list,
        max_in_flight: rings.as_ref().map_or(0, |rings| rings.max_in_flight),
        gate,
        away,
        rollback_to: (back > 0).then_some(back),
        may,
    }))
}

/// Halts, goes on, brings back what was before, or takes the policy out of a repository's hands.
pub(super) async fn steer(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<RolloutChange>,
) -> Answer<Json<PolicyView>> {
    if body.reason.trim().is_empty() || body.reason.len() > 1_000 {
        return Err(Failure::invalid("say why, in at most 1,000 bytes"));
    }
    caller.step_up(&app, body.password).await?;
    let text = {
        let _alone = app.publishing.lock().await;
        match body.action.as_str() {
            "halt" | "continue" => {
                let on = body.action == "continue";
                let state = rollout::steer(&app, on, &body.reason).await?;
                let what = if on { "went on with" } else { "halted" };
                format!("{} {what} policy {}", caller.login, state.release)
            }
            "rollback" => roll_back(&app, &caller, &body.reason).await?,
            "unmanage" => {
                app.store.set_setting(rollout::MANAGED, "").await?;
                format!("{} edits the policy in the console again", caller.login)
            }
            _ => {
                return Err(Failure::invalid(
                    "the action is halt, continue, rollback or unmanage",
                ));
            }
        }
    };
    let entry = Entry::action("policy.rollout", format!("{text}: {}", body.reason));
    trail::record(&app, &caller, entry.with("action", body.action)).await?;
    Ok(Json(view(&app).await?))
}

/// A new release with the content from before, for every machine at once. Where people sign, the
/// one that spreads is halted and the new one waits for them.
async fn roll_back(app: &App, caller: &Caller, reason: &str) -> Answer<String> {
    let standing = rollout::standing(app).await?;
    let back = standing.as_ref().map_or(0, rollout::Standing::rollback_to);
    let releases = app.store.releases().await?;
    let old = releases
        .into_iter()
        .find(|release| release.version == back)
        .ok_or_else(|| Failure::conflict("there is no finished release before this one"))?;
    if standing.is_some_and(|standing| standing.state.phase == Phase::Spreading) {
        rollout::steer(app, false, reason).await?;
    }
    let wanted = Wanted {
        source: old.source,
        base: None,
        by: caller.login.clone(),
        note: format!("back to version {back}: {reason}"),
        plan: None,
        rollback: true,
    };
    let made = make_alone(app, wanted).await?;
    made.record(app, caller, reason).await?;
    Ok(format!(
        "{} brings the content of policy {back} back",
        caller.login
    ))
}

/// The draft as a file, to be signed elsewhere.
pub(super) async fn draft(State(app): State<Arc<App>>) -> Answer<Json<Draft>> {
    rollout::draft(&app)
        .await?
        .map(Json)
        .ok_or_else(|| Failure::not_found("draft"))
}

/// Signatures arrive; the release goes out once there are enough.
pub(super) async fn sign(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<DraftSignatures>,
) -> Answer<Json<PolicyView>> {
    if body.signatures.is_empty() || body.signatures.len() > 64 {
        return Err(Failure::invalid("1 to 64 signatures are expected"));
    }
    let given: Vec<DraftSignature> = body
        .signatures
        .into_iter()
        .map(|signature| DraftSignature {
            key_id: signature.key_id,
            signature: signature.signature,
        })
        .collect();
    let (text, release) = {
        let _alone = app.publishing.lock().await;
        let mut draft = rollout::draft(&app)
            .await?
            .ok_or_else(|| Failure::not_found("draft"))?;
        if review::stand(&app, &draft).await?.waits {
            return Err(Failure::conflict(
                "somebody other than its author has to look at this release before it is signed",
            ));
        }
        let added = draft
            .add(&given)
            .map_err(|error| Failure::invalid(error.to_string()))?;
        rollout::keep_draft(&app, Some(&draft)).await?;
        let reviewed = draft.check().map_err(|error| Failure::internal(&error))?;
        let (release, have) = (draft.release, reviewed.signed_by.len() as u64);
        let counted = format!("{have} of {} signatures", reviewed.threshold);
        if have >= reviewed.threshold {
            rollout::go_out(&app, draft).await?;
            (
                format!("policy {release} is published with {counted}"),
                release,
            )
        } else {
            (
                format!("{added} signatures for policy {release} arrived: {counted}"),
                release,
            )
        }
    };
    let entry = Entry::action("policy.sign", format!("{}: {text}", caller.login));
    trail::record(&app, &caller, entry.with("version", release.to_string())).await?;
    Ok(Json(view(&app).await?))
}

/// The draft is dropped.
pub(super) async fn drop_draft(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<axum::http::StatusCode> {
    {
        let _alone = app.publishing.lock().await;
        if rollout::draft(&app).await?.is_none() {
            return Err(Failure::not_found("draft"));
        }
        rollout::keep_draft(&app, None).await?;
    }
    let text = format!(
        "{} dropped the policy that waited for signatures",
        caller.login
    );
    trail::record(&app, &caller, Entry::action("policy.drop-draft", text)).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// Who holds which key.
pub(super) async fn keys(State(app): State<Arc<App>>) -> Answer<Json<PolicyKeys>> {
    keys_view(&app).map(Json)
}

fn keys_view(app: &App) -> Answer<PolicyKeys> {
    let internal = |error: &dyn std::fmt::Display| Failure::internal(error);
    let next = app.publisher.next_root_json().unwrap_or_default();
    let lines = RootFile::parse(&next)
        .map(|root| root.lines())
        .unwrap_or_default();
    let online = app
        .publisher
        .online_keys()
        .map_err(|error| internal(&error))?;
    Ok(PolicyKeys {
        signing: signing_word(app).to_owned(),
        root: if app.publisher.root_version() == 0 {
            String::new()
        } else {
            app.publisher
                .root_json()
                .map_err(|error| internal(&error))?
        },
        next_root: app.publisher.root_waits().then_some(next),
        online: serde_json::to_string_pretty(&online).map_err(|error| internal(&error))?,
        keys: lines
            .into_iter()
            .map(|line| PolicyKey {
                role: line.role,
                name: line.name,
                id: line.id,
                threshold: line.threshold,
            })
            .collect(),
    })
}

/// Security keys of those who may approve.
pub(super) async fn approvers(State(app): State<Arc<App>>) -> Answer<Json<ApproverKeys>> {
    approver_keys::view(&app).await.map(Json)
}

/// They go to machines, or are put up for signing.
pub(super) async fn publish_approvers(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<Confirmation>,
) -> Answer<Json<ApproverKeys>> {
    caller.step_up(&app, body.password).await?;
    approver_keys::put_up(&app, &caller.login).await?;
    let text = format!("{} put the keys of approvers forward", caller.login);
    trail::record(&app, &caller, Entry::action("policy.approvers", text)).await?;
    approver_keys::view(&app).await.map(Json)
}

/// A root that people made is taken in.
pub(super) async fn put_root(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewRoot>,
) -> Answer<Json<PolicyKeys>> {
    caller.step_up(&app, body.password).await?;
    let version = {
        let _alone = app.publishing.lock().await;
        let root =
            RootFile::parse(&body.root).map_err(|error| Failure::invalid(error.to_string()))?;
        if root.organisation() != app.config.organisation {
            return Err(Failure::invalid(format!(
                "this root belongs to {:?}",
                root.organisation()
            )));
        }
        let proposed =
            app.publisher
                .propose_root(&body.root)
                .await
                .map_err(|error| match error {
                    PublishError::Root(refused) => Failure::invalid(refused.to_string()),
                    other => Failure::internal(&other),
                })?;
        // What was put together under the old root cannot be published under the new one.
        let draft = rollout::draft(&app).await?;
        rollout::keep_draft(&app, None).await?;
        let releases = app.store.releases().await?;
        // It stays its author's: whoever hands in a root does not become who may not review it.
        let again = match (&draft, releases.first()) {
            (Some(draft), _) => Some((
                draft.by.clone(),
                draft
                    .documents
                    .get("policy.yaml")
                    .cloned()
                    .unwrap_or_default(),
                draft.note.clone(),
                draft.rollback,
            )),
            (None, Some(newest)) if proposed == Proposed::WaitsForRelease => Some((
                caller.login.clone(),
                newest.source.clone(),
                format!("signed anew under root version {}", root.version()),
                // For everybody at once: its content is what machines have.
                true,
            )),
            _ => None,
        };
        if let Some((by, source, note, rollback)) = again {
            let wanted = Wanted {
                source,
                base: None,
                by,
                note,
                plan: None,
                rollback,
            };
            make_alone(&app, wanted).await?;
        }
        rollout::announce(&app)?;
        root.version()
    };
    publish_first(&app)
        .await
        .map_err(|error| Failure::internal(&error))?;
    let text = format!("{} handed in root version {version}", caller.login);
    trail::record(&app, &caller, Entry::action("policy.root", text)).await?;
    keys_view(&app).map(Json)
}

/// The newest release as one file, to be carried by hand.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    parameters: Parameters,
) -> Answer<Response> {
    let after = parameters.number("root", 0..=1_000_000, 1)?;
    let bytes = app
        .publisher
        .bundle(u64::from(after))
        .await
        .map_err(|error| Failure::internal(&error))?;
    Ok((
        [(header::CONTENT_TYPE, "application/json")],
        bytes.as_ref().clone(),
    )
        .into_response())
}
