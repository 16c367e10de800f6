//! The one place where it is decided who may call what.
//!
//! Made from the table of endpoints: who calls is found out, then the header against forged
//! requests, then the role. A handler never checks a role itself.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cmdai_api::console::Role;
use cmdai_api::machine::Proof;
use cmdai_policy::Factor;
use cmdai_store::Account;

use crate::app::App;
use crate::clock;
use crate::endpoints::{Access, Endpoint};
use crate::failure::{Answer, Failure};
use crate::people::{second, security_keys};
use crate::secrets;

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "cmdai_session";
/// Header that changing requests with a cookie carry: other sites cannot send it.
const HEADER: &str = "x-cmdai";
/// Header with the code of a second factor, beside the password of an act that asks for both.
pub(crate) const CODE: &str = "x-cmdai-code";

/// Header with the assertion of a security key, which stands in for password and code.
pub(crate) const ASSERTION: &str = "x-cmdai-assertion";

/// How somebody has proven who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) factor: &'static str,
    /// What their security key signed, where it did.
    pub(crate) proof: Option<Proof>,
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) login: String,
    pub(crate) role: Role,
    pub(crate) person: String,
    pub(crate) initial: bool,
    pub(crate) password_hash: String,
    pub(crate) credential: [u8; 32],
    pub(crate) groups: Vec<String>,
    code: Option<String>,
    assertion: Option<String>,
    /// Method and path.
    act: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    Token,
}

impl Caller {
    /// A program with a token.
    pub(crate) fn is_program(&self) -> bool {
        self.kind == Kind::Token
    }

    /// # Errors
    /// For a program: a token that leaked must not change how its account proves itself.
    pub(crate) fn must_be_person(&self) -> Answer<()> {
        if self.is_program() {
            return Err(Failure::forbidden(
                "a token may not do this; sign in with a password",
            ));
        }
        Ok(())
    }

    /// A security key of the account, or its own password, asked again, and a second factor where
    /// the account has one or the policy asks for one. Gives the factor that it was proven by.
    pub(crate) async fn step_up(&self, app: &App, password: String) -> Answer<&'static str> {
        Ok(self.prove(app, password).await?.factor)
    }

    /// [`Caller::step_up`] with what was signed.
    pub(crate) async fn prove(&self, app: &App, password: String) -> Answer<Proven> {
        let key = self.take_try(app)?;
        let proven = match &self.assertion {
            Some(text) => {
                let proof = security_keys::from_header(text)?;
                security_keys::prove(app, &self.login, &self.act, &proof).await?;
                Proven {
                    factor: Factor::Webauthn.as_str(),
                    proof: Some(proof),
                }
            }
            None => {
                self.fits(password).await?;
                Proven {
                    factor: second::prove(app, &self.login, self.code.as_deref()).await?,
                    proof: None,
                }
            }
        };
        app.sign_ins.forget(&key);
        Ok(proven)
    }

    /// The password alone: where the second factor is what is being set up.
    pub(crate) async fn password(&self, app: &App, password: String) -> Answer<()> {
        let key = self.take_try(app)?;
        self.fits(password).await?;
        app.sign_ins.forget(&key);
        Ok(())
    }

    fn take_try(&self, app: &App) -> Answer<String> {
        let key = format!("step-up {}", self.login);
        if app.sign_ins.take(&key, clock::now_ms()) {
            return Ok(key);
        }
        Err(Failure::too_many(
            "too many wrong passwords or codes; wait a minute",
            60,
        ))
    }

    async fn fits(&self, password: String) -> Answer<()> {
        let hash = self.password_hash.clone();
        let fits =
            tokio::task::spawn_blocking(move || secrets::password_fits(&password, &hash)).await;
        if fits.map_err(|error| Failure::internal(&error))? {
            return Ok(());
        }
        Err(Failure::step_up())
    }

    /// The account as it is now.
    pub(crate) async fn account(&self, app: &App) -> Answer<Account> {
        app.store
            .account(&self.login)
            .await?
            .ok_or_else(Failure::unauthenticated)
    }
}

/// Lets a request through where its caller may.
pub(crate) async fn guard(
    State((app, endpoint)): State<(Arc<App>, &'static Endpoint)>,
    mut request: Request,
    next: Next,
) -> Response {
    if matches!(endpoint.access, Access::Open | Access::Signed) {
        return next.run(request).await;
    }
    let caller = match who(&app, request.headers()).await {
        Ok(caller) => Caller {
            act: format!("{} {}", request.method(), request.uri().path()),
            ..caller
        },
        Err(failure) => return failure.into_response(),
    };
    if let Err(failure) = may(&caller, endpoint, request.headers()) {
        return failure.into_response();
    }
    // Programs prove nothing by a factor of their own; what asks for one asks them too.
    let acts = endpoint.verb.changes() && matches!(endpoint.access, Access::Role(_));
    if acts
        && !caller.is_program()
        && let Err(failure) = second::may_act(&app, &caller.login).await
    {
        return failure.into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn may(caller: &Caller, endpoint: &Endpoint, headers: &HeaderMap) -> Answer<()> {
    if endpoint.verb.changes() && caller.kind == Kind::Session && !headers.contains_key(HEADER) {
        return Err(Failure::forbidden(format!(
            "the header `{HEADER}: 1` is missing"
        )));
    }
    match endpoint.access {
        Access::Role(needed) if !caller.role.may(needed) => Err(Failure::forbidden(format!(
            "this needs the role {}; yours is {}",
            needed.as_str(),
            caller.role.as_str()
        ))),
        _ => Ok(()),
    }
}

async fn who(app: &App, headers: &HeaderMap) -> Answer<Caller> {
    let (secret, kind) = match bearer(headers) {
        Some(token) => (token, Kind::Token),
        None => (
            cookie(headers).ok_or_else(Failure::unauthenticated)?,
            Kind::Session,
        ),
    };
    let hash = secrets::sha256(secret.as_bytes());
    let (credential, account) = app
        .store
        .credential(hash, clock::now_ms())
        .await?
        .ok_or_else(Failure::unauthenticated)?;
    let wanted = if kind == Kind::Token {
        "token"
    } else {
        "session"
    };
    if credential.kind != wanted {
        return Err(Failure::unauthenticated());
    }
    Ok(Caller {
        login: account.login,
        role: account.role,
        person: account.person,
        initial: account.initial,
        password_hash: account.password_hash,
        credential: hash,
        groups: account.groups,
        code: headers
            .get(CODE)
            .and_then(|value| value.to_str().ok())
            .map(|code| code.chars().take(100).collect()),
        assertion: headers
            .get(ASSERTION)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        act: String::new(),
        kind,
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
        .map(str::trim)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';'))
        .find_map(|part| part.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
