//! Security keys of those who may approve, on their way to machines: `approvers.json`.
//!
//! Where the server signs releases, a change goes out at once, as the newest release with other keys
//! and nothing else changed. Where people sign, it waits: it goes along with the next release, or
//! somebody puts it up for signing.

use cmdai_api::console::{ApproverKeyLine, ApproverKeys, Role};
use cmdai_api::machine::{ApproverKey, Approvers};
use cmdai_bundle::Signing;

use crate::app::App;
use crate::failure::{Answer, Failure};
use crate::people::review;
use crate::people::security_keys::{KIND, Kept};
use crate::people::terms::is_known;
use crate::rollout;
use crate::trail::{self, Entry};

/// The list as it should be. Whoever could never approve is not in it.
pub(crate) async fn wanted(app: &App) -> Answer<Approvers> {
    let Some(rp_id) = &app.site.rp_id else {
        return Ok(Approvers {
            version: 1,
            ..Approvers::default()
        });
    };
    let accounts = app.store.accounts().await?;
    let mut keys: Vec<ApproverKey> = Vec::new();
    for row in app.store.factors_of_kind(KIND).await? {
        let account = accounts.iter().find(|account| account.login == row.login);
        let (Some(account), Some(kept)) = (account, Kept::of(&row)) else {
            continue;
        };
        let security = account.role.may(Role::Security);
        if is_known(&account.person) && (security || !account.groups.is_empty()) {
            keys.push(kept.approver(account, security));
        }
    }
    keys.sort_by(|a, b| a.credential_id.cmp(&b.credential_id));
    Ok(Approvers {
        version: 1,
        rp_id: rp_id.clone(),
        origins: app.site.origins(),
        keys,
    })
}

fn published(app: &App) -> Answer<Option<Approvers>> {
    app.publisher
        .approvers()
        .map_err(|error| Failure::internal(&error))
}

/// True where two lists let the same people approve: without keys the rest says nothing.
fn same(a: Option<&Approvers>, b: &Approvers) -> bool {
    a.map_or(b.keys.is_empty(), |a| {
        a == b || (a.keys.is_empty() && b.keys.is_empty())
    })
}

/// True where machines know a key by the newest release.
pub(crate) fn in_force(app: &App, credential_id: &str) -> Answer<bool> {
    Ok(published(app)?.is_some_and(|there| {
        there
            .keys
            .iter()
            .any(|key| key.credential_id == credential_id)
    }))
}

/// Brings machines' list up to date, where the server may: true where it is.
pub(crate) async fn follow(app: &App, by: &str, note: &str) -> Answer<bool> {
    let _alone = app.publishing.lock().await;
    let wanted = wanted(app).await?;
    if same(published(app)?.as_ref(), &wanted) {
        return Ok(true);
    }
    let newest = app
        .publisher
        .newest()
        .map_err(|error| Failure::internal(&error))?;
    if newest.is_none() || app.publisher.signing() == Signing::People {
        return Ok(false);
    }
    let draft = app
        .publisher
        .draft_approvers(&wanted, note, by)
        .and_then(|draft| app.publisher.sign_own(draft))
        .map_err(|error| Failure::internal(&error))?;
    app.publisher
        .release(draft)
        .await
        .map_err(|error| Failure::internal(&error))?;
    rollout::announce(app)?;
    review::renew(app).await?;
    let text = format!(
        "{} security keys of approvers go to machines: {note}",
        wanted.keys.len()
    );
    let entry = Entry::action("policy.approvers", text).with("by", by);
    trail::record_own(app, entry).await?;
    Ok(true)
}

/// [`follow`] after something that has happened already: what goes wrong is logged, and the list on
/// the policy page says that machines know another one.
pub(crate) async fn follow_quietly(app: &App, by: &str, note: &str) {
    if let Err(failure) = follow(app, by, note).await {
        tracing::error!("keys of approvers are not published: {}", failure.message());
    }
}

/// Puts the list up for signing, where people sign; publishes it, where the server does.
pub(crate) async fn put_up(app: &App, by: &str) -> Answer<()> {
    if follow(app, by, "published by hand").await? {
        return Ok(());
    }
    let _alone = app.publishing.lock().await;
    if rollout::draft(app).await?.is_some() {
        return Err(Failure::conflict(
            "a release waits for signatures already; sign or drop it first, the keys go along with the next one",
        ));
    }
    let wanted = wanted(app).await?;
    let note = format!("security keys of approvers: {}", wanted.keys.len());
    let draft = app
        .publisher
        .draft_approvers(&wanted, &note, by)
        .map_err(|error| Failure::conflict(error.to_string()))?;
    rollout::keep_draft(app, Some(&draft)).await
}

/// The list for people.
pub(crate) async fn view(app: &App) -> Answer<ApproverKeys> {
    let wanted = wanted(app).await?;
    let there = published(app)?.unwrap_or_default();
    let line = |key: &ApproverKey, state: &str| ApproverKeyLine {
        login: key.login.clone(),
        person: key.person.clone(),
        credential_id: key.credential_id.clone(),
        algorithm: key.algorithm.clone(),
        state: state.to_owned(),
    };
    let mut keys: Vec<ApproverKeyLine> = wanted
        .keys
        .iter()
        .map(|key| {
            let known = there.keys.contains(key);
            line(key, if known { "in_force" } else { "waits" })
        })
        .collect();
    let gone = |key: &&ApproverKey| {
        wanted
            .keys
            .iter()
            .all(|wanted| wanted.credential_id != key.credential_id)
    };
    keys.extend(
        there
            .keys
            .iter()
            .filter(gone)
            .map(|key| line(key, "leaves")),
    );
    Ok(ApproverKeys {
        signing: match app.publisher.signing() {
            Signing::Server => "server",
            Signing::People => "people",
        }
        .to_owned(),
        rp_id: wanted.rp_id.clone(),
        origins: wanted.origins.clone(),
        current: same(Some(&there), &wanted),
        keys,
    })
}
