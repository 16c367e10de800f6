//! A release is looked at by somebody other than its author before it goes out, where the policy in
//! force says `approvals.review_releases`.
//!
//! Below the publishers' threshold: where people sign, a release that nobody has looked at takes no
//! signatures yet; where the server signs, it signs after the review. What was agreed to is named by
//! the draft's digest, so that another draft under the same number has to be looked at again.
//! Bringing older content back waits for nobody, unless that content asks for no reviews; keys of
//! approvers go their own way ([`crate::approver_keys`]).

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use cmdai_api::console::{ImpactCommand, PolicyView, ReleaseReview};
use cmdai_bundle::{Content, Draft, Signing};
use serde::{Deserialize, Serialize};

use super::policy::{Wanted, view};
use super::terms::{is_known, policy, proves, short};
use crate::app::App;
use crate::approver_keys;
use crate::body::Body;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::rollout;
use crate::trail::{self, Entry};

/// Setting with [`Asked`].
const REVIEW: &str = "policy-review";

/// The review that a draft needs, or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    /// [`Draft::digest`] of the draft that it is about.
    digest: String,
    /// Login and person of its author.
    author: String,
    person: String,
    /// Who looked at it; empty before.
    reviewer: String,
    /// Recorded commands that it decides differently.
    commands: Vec<ImpactCommand>,
}

/// [`Draft::digest`], for an answer.
pub(super) fn digest(draft: &Draft) -> Answer<String> {
    draft.digest().map_err(|error| Failure::internal(&error))
}

async fn asked(app: &App, draft: &Draft) -> Answer<Option<Asked>> {
    let text = app.store.setting(REVIEW).await?;
    let asked: Option<Asked> = text
        .filter(|text| !text.is_empty())
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Failure::internal(&error))?;
    let digest = digest(draft)?;
    Ok(asked.filter(|asked| asked.digest == digest))
}

async fn keep(app: &App, asked: &Asked) -> Answer<()> {
    let text = serde_json::to_string(asked).map_err(|error| Failure::internal(&error))?;
    Ok(app.store.set_setting(REVIEW, &text).await?)
}

/// The person behind a release that has to be looked at; nothing where nobody has to.
///
/// # Errors
/// Where nobody knows who the author is: then nobody can be told apart from them.
pub(super) async fn author(app: &App, wanted: &Wanted) -> Answer<Option<String>> {
    let asks = |document: &cmdai_policy::Document| document.approvals.review_releases == Some(true);
    if !asks(&*policy(app).await?) || wanted.by == trail::SERVER {
        return Ok(None);
    }
    if wanted.rollback {
        let older = cmdai_policy::parse(&wanted.source, "policy.yaml")
            .map_err(|error| Failure::internal(&error))?;
        if asks(older.document()) {
            return Ok(None);
        }
    }
    let account = app.store.account(&wanted.by).await?;
    let person = account.map_or_else(String::new, |account| account.person);
    if is_known(&person) {
        return Ok(Some(short(&person)));
    }
    Err(Failure::forbidden(
        "releases take a review by somebody other than their author, and your account does not say who you are; an administrator has to make one that does",
    ))
}

/// From here on the draft waits to be looked at by somebody other than `person`.
pub(super) async fn ask(
    app: &App,
    draft: &Draft,
    person: String,
    commands: Vec<ImpactCommand>,
) -> Answer<()> {
    let asked = Asked {
        digest: digest(draft)?,
        author: draft.by.clone(),
        person,
        reviewer: String::new(),
        commands,
    };
    keep(app, &asked).await
}

/// How a draft stands.
#[derive(Debug, Default)]
pub(super) struct Stand {
    /// It waits to be looked at.
    pub(super) waits: bool,
    /// Who looked at it; empty where nobody did.
    pub(super) reviewer: String,
    /// Recorded commands that it decides differently.
    pub(super) commands: Vec<ImpactCommand>,
}

pub(super) async fn stand(app: &App, draft: &Draft) -> Answer<Stand> {
    Ok(asked(app, draft)
        .await?
        .map_or_else(Stand::default, |asked| Stand {
            waits: is_open(app, &asked),
            reviewer: asked.reviewer,
            commands: asked.commands,
        }))
}

/// Where the server signs, what was agreed to is out at once: a draft that is still there was cut off
/// on the way, and can be agreed to again.
fn is_open(app: &App, asked: &Asked) -> bool {
    asked.reviewer.is_empty() || app.publisher.signing() == Signing::Server
}

/// Who looked at a draft; empty where nobody had to.
pub(crate) async fn reviewer(app: &App, draft: &Draft) -> Answer<String> {
    Ok(asked(app, draft)
        .await?
        .map_or_else(String::new, |asked| asked.reviewer))
}

/// Keys of approvers went out while a release waits to be looked at: it is put together again on top
/// of them, and waits as before. The caller holds `app.publishing`.
pub(crate) async fn renew(app: &App) -> Answer<()> {
    let Some(draft) = rollout::draft(app).await? else {
        return Ok(());
    };
    let Some(asked) = asked(app, &draft).await? else {
        return Ok(());
    };
    let content = Content::again(&draft, approver_keys::wanted(app).await?)
        .map_err(|error| Failure::internal(&error))?;
    let draft = app
        .publisher
        .draft(&content)
        .map_err(|error| Failure::internal(&error))?;
    ask(app, &draft, asked.person, asked.commands).await?;
    rollout::keep_draft(app, Some(&draft)).await
}

async fn may_review(app: &App, caller: &Caller, asked: &Asked) -> Answer<()> {
    if !is_known(&caller.person) {
        return Err(Failure::forbidden(
            "your account does not say who you are; an administrator has to make one that does",
        ));
    }
    let reviewer = [short(&caller.login), short(&caller.person)];
    // The author's account may mean somebody else by now.
    let today = app.store.account(&asked.author).await?;
    let today = today.map_or_else(String::new, |account| short(&account.person));
    let own = [short(&asked.author), asked.person.clone(), today];
    if own.iter().any(|name| reviewer.contains(name)) {
        return Err(Failure::forbidden(
            "nobody reviews their own release; ask somebody else",
        ));
    }
    Ok(())
}

pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<ReleaseReview>,
) -> Answer<Json<PolicyView>> {
    if body.note.trim().is_empty() || body.note.len() > 2_000 {
        return Err(Failure::invalid(
            "say what you found, in at most 2,000 bytes",
        ));
    }
    let (entry, what) = {
        let _alone = app.publishing.lock().await;
        let draft = rollout::draft(&app)
            .await?
            .ok_or_else(|| Failure::not_found("draft"))?;
        let mut asked = asked(&app, &draft)
            .await?
            .filter(|asked| is_open(&app, asked))
            .ok_or_else(|| Failure::conflict("this draft waits for no review"))?;
        may_review(&app, &caller, &asked).await?;
        if body.digest != asked.digest {
            return Err(Failure::conflict(
                "this is not the draft that you looked at; look again",
            ));
        }
        let factor = caller.step_up(&app, body.password).await?;
        let needed = policy(&app).await?.factor_for(&[]).as_str();
        if body.approve && !proves(factor, needed) {
            return Err(Failure::factor_required(format!(
                "agreeing takes the factor {needed}; you proved yourself by {factor}"
            )));
        }
        let entry = Entry::action("policy.review", "")
            .with("version", draft.release.to_string())
            .with("approved", body.approve.to_string())
            .with("author", &draft.by)
            .with("factor", factor)
            .with("draft_sha256", &asked.digest)
            .with("impact_sha256", draft.impact_digest());
        let number = draft.release;
        let what = if !body.approve {
            rollout::keep_draft(&app, None).await?;
            format!("sent policy {number} back")
        } else if app.publisher.signing() == Signing::Server {
            asked.reviewer.clone_from(&caller.login);
            keep(&app, &asked).await?;
            let draft = app
                .publisher
                .sign_own(draft)
                .map_err(|error| Failure::internal(&error))?;
            rollout::keep_draft(&app, Some(&draft)).await?;
            rollout::go_out(&app, draft).await?;
            format!("reviewed policy {number}, which is published now")
        } else {
            asked.reviewer.clone_from(&caller.login);
            keep(&app, &asked).await?;
            format!("reviewed policy {number}, which publishers may sign now")
        };
        (entry, what)
    };
    let entry = Entry {
        text: format!("{} {what}: {}", caller.login, body.note),
        ..entry
    };
    trail::record(&app, &caller, entry).await?;
    Ok(Json(view(&app).await?))
}
