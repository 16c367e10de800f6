//! Accounts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use cmdai_api::console::{NewUser, PasswordChange, Role, User, UserChange, UserList};
use cmdai_store::Account;

use crate::app::App;
use crate::approver_keys;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::secrets;
use crate::trail::{self, Entry};

/// Least length of a password, in characters.
const MIN_PASSWORD: usize = 12;
/// Greatest length, so that hashing stays bounded.
const MAX_PASSWORD: usize = 1_024;

/// Most groups of an account.
const MAX_GROUPS: usize = 50;

fn wire(account: Account, second_factor: bool) -> User {
    User {
        second_factor,
        groups: account.groups,
        chat: account.chat,
        login: account.login,
        role: account.role,
        person: account.person,
        created: clock::rfc3339(account.created_ms),
        last_seen: clock::rfc3339_of(account.last_seen_ms),
    }
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Answer<Json<UserList>> {
    let factors = app.store.factors_of_kind("totp").await?;
    let users = app.store.accounts().await?.into_iter().map(|account| {
        let has = factors.iter().any(|factor| factor.login == account.login);
        wire(account, has)
    });
    Ok(Json(UserList {
        users: users.collect(),
    }))
}

fn plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && !text
            .chars()
            .any(|letter| letter.is_control() || letter.is_whitespace())
}

fn check_groups(groups: &[String]) -> Answer<()> {
    if groups.len() > MAX_GROUPS || !groups.iter().all(|group| plain(group)) {
        return Err(Failure::invalid(
            "a group's name has no spaces; at most 50 groups",
        ));
    }
    Ok(())
}

async fn hashed(password: String) -> Answer<String> {
    let letters = password.chars().count();
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&letters) {
        return Err(Failure::invalid(format!(
            "a password has at least {MIN_PASSWORD} characters"
        )));
    }
    tokio::task::spawn_blocking(move || secrets::hash_password(&password))
        .await
        .map_err(|error| Failure::internal(&error))?
        .map_err(|error| Failure::internal(&error))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewUser>,
) -> Answer<Json<User>> {
    if !plain(&body.login) || body.login == trail::SERVER {
        return Err(Failure::invalid(
            "a login has no spaces, is at most 128 bytes long and is not `server`",
        ));
    }
    if !plain(&body.person) {
        return Err(Failure::invalid(
            "`person` is the login name on machines: nobody approves for themselves",
        ));
    }
    let groups = body.groups.unwrap_or_default();
    check_groups(&groups)?;
    caller
        .step_up(&app, body.your_password.unwrap_or_default())
        .await?;
    let password_hash = hashed(body.password).await?;
    let account = Account {
        login: body.login,
        role: body.role,
        person: body.person,
        password_hash,
        initial: false,
        created_ms: clock::now_ms(),
        last_seen_ms: None,
        groups,
        chat: None,
    };
    if !app.store.add_account(&account).await? {
        return Err(Failure::conflict("this login is taken"));
    }
    let text = format!(
        "{} added the account {} of {} with the role {} in the groups {:?}",
        caller.login,
        account.login,
        account.person,
        account.role.as_str(),
        account.groups
    );
    trail::record(
        &app,
        &caller,
        Entry::action("user.add", text).with("login", &account.login),
    )
    .await?;
    Ok(Json(wire(account, false)))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(login): Path<String>,
    Body(body): Body<UserChange>,
) -> Answer<Json<User>> {
    let accounts = app.store.accounts().await?;
    let old = accounts
        .iter()
        .find(|account| account.login == login)
        .ok_or_else(|| Failure::not_found("account"))?;
    let role = body.role.unwrap_or(old.role);
    let groups = body.groups.unwrap_or_else(|| old.groups.clone());
    check_groups(&groups)?;
    let chat = match body.chat {
        None => old.chat.clone(),
        Some(chat) if chat.is_empty() => None,
        Some(chat) if plain(&chat) => Some(chat),
        Some(_) => return Err(Failure::invalid("a chat id has no spaces")),
    };
    let administrators = accounts
        .iter()
        .filter(|account| account.role == Role::Administrator)
        .count();
    if old.role == Role::Administrator && role != Role::Administrator && administrators < 2 {
        return Err(Failure::conflict(
            "this is the last administrator; add another first",
        ));
    }
    let reset = body.reset_factors == Some(true);
    if reset && login == caller.login {
        return Err(Failure::conflict(
            "let another administrator take your second factor away, or remove it yourself",
        ));
    }
    caller.step_up(&app, body.password).await?;
    app.store
        .change_account(&login, role, &groups, chat.as_deref())
        .await?;
    if reset {
        for factor in app.store.factors(&login).await? {
            app.store.delete_factor(&login, &factor.id).await?;
        }
        app.store.set_recovery_codes(&login, &[]).await?;
    }
    let text = format!(
        "{} changed the account {login}: role {}, groups {groups:?}, chat {}{}",
        caller.login,
        role.as_str(),
        chat.as_deref().unwrap_or("none"),
        if reset {
            ", second factors taken away"
        } else {
            ""
        }
    );
    trail::record(
        &app,
        &caller,
        Entry::action("user.change", text).with("login", &login),
    )
    .await?;
    approver_keys::follow_quietly(&app, &caller.login, &format!("account {login} changed")).await;
    let account = app
        .store
        .account(&login)
        .await?
        .ok_or_else(|| Failure::not_found("account"))?;
    let has = app
        .store
        .factors(&login)
        .await?
        .iter()
        .any(|factor| factor.confirmed);
    Ok(Json(wire(account, has)))
}

pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<PasswordChange>,
) -> Answer<StatusCode> {
    caller.must_be_person()?;
    if body.password == body.new_password {
        return Err(Failure::invalid("this is the password that you have"));
    }
    caller.step_up(&app, body.password).await?;
    let hash = hashed(body.new_password).await?;
    app.store
        .set_password(&caller.login, &hash, caller.credential)
        .await?;
    let text = format!(
        "{} changed their password; every other session and token ended",
        caller.login
    );
    trail::record(&app, &caller, Entry::action("user.password", text)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(login): Path<String>,
) -> Answer<StatusCode> {
    if login == caller.login {
        return Err(Failure::conflict(
            "nobody removes their own account; let another administrator do it",
        ));
    }
    let accounts = app.store.accounts().await?;
    let target = accounts
        .iter()
        .find(|account| account.login == login)
        .ok_or_else(|| Failure::not_found("account"))?;
    let administrators = accounts
        .iter()
        .filter(|account| account.role == Role::Administrator)
        .count();
    if target.role == Role::Administrator && administrators < 2 {
        return Err(Failure::conflict(
            "this is the last administrator; add another first",
        ));
    }
    if !app.store.delete_account(&login).await? {
        return Err(Failure::not_found("account"));
    }
    let text = format!("{} removed the account {login}", caller.login);
    trail::record(
        &app,
        &caller,
        Entry::action("user.remove", text).with("login", &login),
    )
    .await?;
    approver_keys::follow_quietly(&app, &caller.login, &format!("account {login} removed")).await;
    Ok(StatusCode::NO_CONTENT)
}
