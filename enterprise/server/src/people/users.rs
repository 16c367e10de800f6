//! Accounts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use cmdai_api::console::{NewUser, Role, User, UserList};
use cmdai_store::Account;

use crate::app::App;
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

fn wire(account: Account) -> User {
    User {
        login: account.login,
        role: account.role,
        person: account.person,
        created: clock::rfc3339(account.created_ms),
        last_seen: clock::rfc3339_of(account.last_seen_ms),
    }
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Answer<Json<UserList>> {
    Ok(Json(UserList {
        users: app.store.accounts().await?.into_iter().map(wire).collect(),
    }))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewUser>,
) -> Answer<Json<User>> {
    let plain = |text: &str| {
        !text.is_empty()
            && text.len() <= 128
            && !text
                .chars()
                .any(|letter| letter.is_control() || letter.is_whitespace())
    };
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
    let letters = body.password.chars().count();
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&letters) {
        return Err(Failure::invalid(format!(
            "a password has at least {MIN_PASSWORD} characters"
        )));
    }
    let password = body.password;
    let password_hash = tokio::task::spawn_blocking(move || secrets::hash_password(&password))
        .await
        .map_err(|error| Failure::internal(&error))?
        .map_err(|error| Failure::internal(&error))?;
    let account = Account {
        login: body.login,
        role: body.role,
        person: body.person,
        password_hash,
        initial: false,
        created_ms: clock::now_ms(),
        last_seen_ms: None,
    };
    if !app.store.add_account(&account).await? {
        return Err(Failure::conflict("this login is taken"));
    }
    let text = format!(
        "{} added the account {} with the role {}",
        caller.login,
        account.login,
        account.role.as_str()
    );
    trail::record(
        &app,
        &caller,
        Entry::action("user.add", text).with("login", &account.login),
    )
    .await?;
    Ok(Json(wire(account)))
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
    Ok(StatusCode::NO_CONTENT)
}
