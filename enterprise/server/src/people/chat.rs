//! Answers of the chat service. A button there denies a request or leads to the console; nothing in
//! a chat ever approves.
//!
//! The body is the form that Slack signs. What is believed: a signature by the secret of one of the
//! channels, not older than five minutes, seen for the first time, by somebody whose chat id an
//! administrator has linked to an account that may answer.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use cmdai_respond::{DENY, verify_slack};
use serde::Deserialize;
use serde_json::{Value, json};

use super::approvals::{deny, may_answer};
use crate::app::App;
use crate::clock;
use crate::failure::{Answer, Failure};

/// Longest body that is looked at.
const MAX_BODY: usize = 256 * 1024;

#[derive(Deserialize)]
struct Pressed {
    user: Presser,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Deserialize)]
struct Presser {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
    #[serde(default)]
    value: String,
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Shown to whoever pressed, and to nobody else.
fn say(text: impl Into<String>) -> Json<Value> {
    Json(json!({ "response_type": "ephemeral", "replace_original": false, "text": text.into() }))
}

pub(super) async fn slack(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Json<Value>> {
    if body.len() > MAX_BODY {
        return Err(Failure::too_large("the body is too long"));
    }
    let signature = header(&headers, "x-slack-signature").ok_or_else(Failure::unauthenticated)?;
    let timestamp: u64 = header(&headers, "x-slack-request-timestamp")
        .and_then(|text| text.parse().ok())
        .ok_or_else(Failure::unauthenticated)?;
    let now_ms = clock::now_ms();
    let now = u64::try_from(now_ms / 1_000).unwrap_or(0);
    let channels = app.store.channels().await?;
    let signed = channels
        .iter()
        .filter(|channel| channel.kind == "slack" && channel.enabled)
        .filter_map(|channel| channel.secret.as_deref())
        .any(|secret| verify_slack(secret, timestamp, &body, signature, now).is_ok());
    if !signed {
        return Err(Failure::unauthenticated());
    }
    if !app.once.take(&format!("slack {signature}"), now_ms) {
        return Err(Failure::conflict("this was sent before"));
    }
    let payload = url::form_urlencoded::parse(&body)
        .find(|(name, _)| name == "payload")
        .map(|(_, value)| value.into_owned())
        .ok_or_else(|| Failure::invalid("the form has no payload"))?;
    let pressed: Pressed =
        serde_json::from_str(&payload).map_err(|error| Failure::invalid(error.to_string()))?;
    let Some(action) = pressed
        .actions
        .iter()
        .find(|action| action.action_id == DENY)
    else {
        return Ok(say(
            "Nothing is approved from a chat: open the request in the console.",
        ));
    };
    // By its secret it is Slack; who pressed is Slack's word, and good for a no only.
    let accounts = app.store.accounts().await?;
    let Some(account) = accounts
        .iter()
        .find(|account| account.chat.as_deref() == Some(pressed.user.id.as_str()))
    else {
        return Ok(say(format!(
            "Your chat id {} is linked to no account; an administrator can do that in the console.",
            pressed.user.id
        )));
    };
    let Some(row) = app.store.approval(&action.value).await? else {
        return Ok(say("There is no such request."));
    };
    let done = match may_answer(&app, &row, account).await {
        Ok(_) => deny(&app, &row, account, "chat", "denied from the chat").await,
        Err(refused) => Err(refused),
    };
    match done {
        Ok(()) => Ok(say(format!(
            "Denied: the request {} of {}.",
            row.id, row.request.user
        ))),
        Err(refused) => Ok(say(format!("Not denied: {}", refused.message()))),
    }
}
