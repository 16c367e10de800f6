//! Tokens of programs: look and end.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use cmdai_api::console::{Role, Token, TokenList};
use cmdai_store::Credential;

use crate::app::App;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::secrets;
use crate::trail::{self, Entry};

/// The public name of a token: the beginning of the hash of its secret.
fn id(credential: &Credential) -> String {
    secrets::hex(credential.hash.get(..8).unwrap_or_default())
}

async fn seen_by(app: &App, caller: &Caller) -> Answer<Vec<Credential>> {
    let own = (caller.role != Role::Administrator).then_some(caller.login.as_str());
    Ok(app.store.tokens(own).await?)
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<TokenList>> {
    let tokens = seen_by(&app, &caller)
        .await?
        .into_iter()
        .map(|token| Token {
            id: id(&token),
            name: token.name,
            login: token.login,
            created: clock::rfc3339(token.created_ms),
            expires: clock::rfc3339(token.expires_ms),
        });
    Ok(Json(TokenList {
        tokens: tokens.collect(),
    }))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(wanted): Path<String>,
) -> Answer<StatusCode> {
    let tokens = seen_by(&app, &caller).await?;
    let token = tokens
        .iter()
        .find(|token| id(token) == wanted)
        .ok_or_else(|| Failure::not_found("token"))?;
    app.store.delete_credential(token.hash).await?;
    let text = format!(
        "{} ended the token {:?} of {}",
        caller.login, token.name, token.login
    );
    trail::record(
        &app,
        &caller,
        Entry::action("token.end", text).with("name", &token.name),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
