//! Signing in and out, tokens for programs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use cmdai_api::console::{Challenge, Me, NewToken, Role, SignIn, TokenMade};
use cmdai_store::{Account, Credential};

use super::{second, security_keys};
use crate::app::App;
use crate::body::Body;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::{ASSERTION, CODE, COOKIE, Caller};
use crate::secrets;
use crate::trail::{self, Entry};

/// The act that a security key signs at sign-in.
const SIGN_IN: &str = "POST /api/v1/session";
const SESSION_S: i64 = 12 * 60 * 60;
/// Longest login and password that are looked at, in bytes.
const MAX_LOGIN: usize = 128;
const MAX_PASSWORD: usize = 4 * 1_024;
/// Longest wait for a place to hash a password.
const PATIENCE: Duration = Duration::from_secs(10);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// A hash that no password fits: an unknown login takes as long as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What beside the password came with a sign-in.
fn header_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Keys of the limiters that a try was taken from.
struct Tried {
    near: String,
    all: String,
}

impl Tried {
    fn forget(&self, app: &App) {
        app.sign_ins.forget(&self.near);
        app.floods.forget(&self.all);
    }
}

/// The account that login and password fit.
async fn known(app: &App, peer: SocketAddr, body: SignIn) -> Answer<(Account, Tried)> {
    let now_ms = clock::now_ms();
    if body.login.len() > MAX_LOGIN || body.password.len() > MAX_PASSWORD {
        return Err(Failure::wrong_password());
    }
    // By address too: a stranger's tries must not keep the person out who is called at night.
    let all = format!("sign-in {}", body.login.to_lowercase());
    let tried = Tried {
        near: format!("{all} from {}", peer.ip()),
        all,
    };
    if !app.sign_ins.take(&tried.near, now_ms) || !app.floods.take(&tried.all, now_ms) {
        return Err(Failure::too_many("too many tries; wait a minute", 60));
    }
    let busy = || Failure::unavailable("too many sign-ins at once; try again", 5);
    let place = tokio::time::timeout(PATIENCE, app.hashing.acquire()).await;
    let place = place.map_err(|_| busy())?.map_err(|_| busy())?;
    let account = app.store.account(&body.login).await?;
    let hash = account.as_ref().map_or_else(
        || NOBODY.to_owned(),
        |account| account.password_hash.clone(),
    );
    let fits = tokio::task::spawn_blocking(move || secrets::password_fits(&body.password, &hash))
        .await
        .map_err(|error| Failure::internal(&error))?;
    drop(place);
    match account.filter(|_| fits) {
        Some(account) => Ok((account, tried)),
        None => {
            refused(app, peer, &body.login, "the password").await?;
            Err(Failure::wrong_password())
        }
    }
}

async fn refused(app: &App, peer: SocketAddr, login: &str, what: &str) -> Answer<()> {
    let known: String = login
        .chars()
        .filter(|letter| !letter.is_control())
        .take(64)
        .collect();
    // Events stay for ever: strangers may not write as many as they like.
    if app.floods.take("refused", clock::now_ms()) {
        let text = format!("sign-in of {known} failed: {what}");
        let entry = Entry::action("session.refused", text).with("login", known);
        trail::record_own(app, entry).await
    } else {
        tracing::warn!(peer = %peer.ip(), "sign-in of {known:?} failed; too many to record");
        Ok(())
    }
}

/// A challenge for the security key of somebody who signs in and whose password fits.
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(body): Body<SignIn>,
) -> Answer<Json<Challenge>> {
    let (account, _) = known(&app, peer, body).await?;
    security_keys::ask_for(&app, &account.login, SIGN_IN.to_owned())
        .await
        .map(Json)
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(body): Body<SignIn>,
) -> Answer<Response> {
    let now_ms = clock::now_ms();
    let (account, tried) = known(&app, peer, body).await?;
    let second = match header_of(&headers, ASSERTION) {
        Some(text) => match security_keys::from_header(&text) {
            Ok(proof) => security_keys::prove(&app, &account.login, SIGN_IN, &proof).await,
            Err(failure) => Err(failure),
        },
        None => {
            let code = header_of(&headers, CODE);
            second::sign_in(&app, &account.login, code.as_deref()).await
        }
    };
    if let Err(failure) = second {
        // Asking for it is no failure; a wrong one is.
        if headers.contains_key(ASSERTION) || headers.contains_key(CODE) {
            refused(&app, peer, &account.login, "the second factor").await?;
        }
        return Err(failure);
    }
    tried.forget(&app);
    let secret = secrets::token().map_err(|error| Failure::internal(&error))?;
    let credential = Credential {
        hash: secrets::sha256(secret.as_bytes()),
        kind: "session".to_owned(),
        name: "browser".to_owned(),
        login: account.login.clone(),
        created_ms: now_ms,
        expires_ms: now_ms.saturating_add(SESSION_S * 1_000),
    };
    app.store.add_credential(&credential).await?;
    app.store.touch_account(&account.login, now_ms).await?;
    trail::record_own(
        &app,
        Entry::action("session.open", format!("{} signed in", account.login))
            .with("login", &account.login),
    )
    .await?;
    let me = my(
        &app,
        &account.login,
        account.role,
        account.initial,
        account.groups,
    )
    .await?;
    Ok((
        cookie(&format!(
            "{COOKIE}={secret}; Path=/; Max-Age={SESSION_S}; HttpOnly; Secure; SameSite=Strict"
        ))?,
        Json(me),
    )
        .into_response())
}

fn cookie(text: &str) -> Answer<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::SET_COOKIE,
        HeaderValue::from_str(text).map_err(|error| Failure::internal(&error))?,
    );
    Ok(headers)
}

async fn my(
    app: &App,
    login: &str,
    role: Role,
    initial_password: bool,
    groups: Vec<String>,
) -> Answer<Me> {
    let has = super::second::state(app, login).await?;
    Ok(Me {
        login: login.to_owned(),
        role,
        organisation: app.config.organisation.clone(),
        initial_password,
        groups,
        second_factor: has.any,
        security_key: has.key,
        factor_missing: has.missing,
    })
}

pub(super) async fn me(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<Me>> {
    let groups = caller.groups.clone();
    my(&app, &caller.login, caller.role, caller.initial, groups)
        .await
        .map(Json)
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Response> {
    app.store.delete_credential(caller.credential).await?;
    trail::record(
        &app,
        &caller,
        Entry::action("session.close", format!("{} signed out", caller.login)),
    )
    .await?;
    let gone = cookie(&format!(
        "{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict"
    ))?;
    Ok((StatusCode::NO_CONTENT, gone).into_response())
}

pub(super) async fn make_token(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<NewToken>,
) -> Answer<Json<TokenMade>> {
    // A token that leaked must end when its time is over.
    if caller.is_program() {
        return Err(Failure::forbidden(
            "a token makes no further tokens; sign in with a password",
        ));
    }
    let name = body.name.trim();
    if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
        return Err(Failure::invalid("name the token, in at most 100 letters"));
    }
    if !(1..=365).contains(&body.days) {
        return Err(Failure::invalid("a token lives 1 to 365 days"));
    }
    let now_ms = clock::now_ms();
    let token = secrets::token().map_err(|error| Failure::internal(&error))?;
    let expires_ms = now_ms.saturating_add(i64::from(body.days) * DAY_MS);
    let credential = Credential {
        hash: secrets::sha256(token.as_bytes()),
        kind: "token".to_owned(),
        name: name.to_owned(),
        login: caller.login.clone(),
        created_ms: now_ms,
        expires_ms,
    };
    app.store.add_credential(&credential).await?;
    let entry = Entry::action(
        "token.make",
        format!(
            "{} made the token {name:?} for {} days",
            caller.login, body.days
        ),
    )
    .with("name", name);
    trail::record(&app, &caller, entry).await?;
    Ok(Json(TokenMade {
        token,
        expires: clock::rfc3339(expires_ms),
    }))
}
