//! Ways to be told, and what came of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use cmdai_api::console::{Channel, ChannelList, Delivery, DeliveryList};
use cmdai_respond::check_channel;

use crate::app::App;
use crate::body::Body;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::trail::{self, Entry};

/// Deliveries that are listed.
const LISTED: u32 = 500;

/// Where an address leads, without what may be a secret in it: the trail is read by everybody.
fn place(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
    host.rsplit('@').next().unwrap_or("")
}

fn without_secret(mut channel: Channel) -> Channel {
    channel.secret = None;
    channel
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Answer<Json<ChannelList>> {
    Ok(Json(ChannelList {
        channels: app
            .store
            .channels()
            .await?
            .into_iter()
            .map(without_secret)
            .collect(),
    }))
}

pub(super) async fn put(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(mut channel): Body<Channel>,
) -> Answer<Json<Channel>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return Err(Failure::invalid(
            "a channel's id is made of letters, digits, dots, hyphens and underscores",
        ));
    }
    channel.id.clone_from(&id);
    channel.secret = channel.secret.filter(|secret| !secret.is_empty());
    check_channel(&channel).map_err(|error| Failure::invalid(error.to_string()))?;
    app.store.put_channel(&channel).await?;
    let entry = Entry::action(
        "channel.put",
        format!(
            "{} set the channel {id} to {}",
            caller.login,
            place(&channel.url)
        ),
    )
    .with("channel", &id);
    trail::record(&app, &caller, entry).await?;
    Ok(Json(without_secret(channel)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    if !app.store.delete_channel(&id).await? {
        return Err(Failure::not_found("channel"));
    }
    trail::record(
        &app,
        &caller,
        Entry::action(
            "channel.remove",
            format!("{} removed the channel {id}", caller.login),
        )
        .with("channel", &id),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn test(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer<Json<Delivery>> {
    let channel = app
        .store
        .channels()
        .await?
        .into_iter()
        .find(|channel| channel.id == id)
        .ok_or_else(|| Failure::not_found("channel"))?;
    let delivery = app.notifier.test(&channel, &app.config.organisation).await;
    app.store.add_delivery(&delivery).await?;
    trail::record(
        &app,
        &caller,
        Entry::action(
            "channel.test",
            format!("{} tested the channel {id}", caller.login),
        )
        .with("channel", &id),
    )
    .await?;
    Ok(Json(delivery))
}

pub(super) async fn deliveries(State(app): State<Arc<App>>) -> Answer<Json<DeliveryList>> {
    Ok(Json(DeliveryList {
        deliveries: app.store.deliveries(LISTED).await?,
    }))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn secrets_of_an_address_stay_out_of_the_trail() {
        assert_eq!(
            place("https://hooks.example.com:8443/services/T0/B0/secret?key=secret"),
            "hooks.example.com:8443"
        );
        assert_eq!(place("https://user:secret@example.com"), "example.com");
        assert_eq!(place("http://[::1]:80/secret"), "[::1]:80");
    }
}
