//! The live feed: server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use cmdai_api::console::Role;
use futures::Stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::convert::event_row;
use crate::app::App;
use crate::clock;
use crate::failure::Answer;
use crate::feed::News;
use crate::guard::Caller;
use crate::trail::{self, Entry};

/// How often it is checked at least and at most that the caller may still read.
const CHECK: Duration = Duration::from_secs(10);
const FRESH: Duration = Duration::from_secs(1);
/// Rows sent at once.
const PAGE: u32 = 200;
/// Furthest back that a resumed feed goes, in rows; who was away longer searches.
const RESUME: u64 = 10_000;

pub(super) async fn live(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    trail::record_read(
        &app,
        &caller,
        Entry::action(
            "events.live",
            format!("{} watches the live feed", caller.login),
        ),
    )
    .await?;
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let now = app.feed.row();
    let from = last.map_or(now, |last| last.clamp(now.saturating_sub(RESUME), now));
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        // It ends when the other side has gone: sending fails then.
        let _gone = follow(app, caller, from, sender).await;
    });
    let stream = tokio_stream::wrappers::ReceiverStream::new(receiver);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

struct Gone;

type Sender = mpsc::Sender<Result<Event, Infallible>>;

async fn send<T: serde::Serialize>(
    sender: &Sender,
    name: &str,
    id: Option<u64>,
    data: &T,
) -> Result<(), Gone> {
    let mut event = Event::default()
        .event(name)
        .json_data(data)
        .map_err(|_| Gone)?;
    if let Some(id) = id {
        event = event.id(id.to_string());
    }
    sender.send(Ok(event)).await.map_err(|_| Gone)
}

/// Who was removed or signed out sees nothing more, also on a connection that is open already.
async fn still_welcome(app: &App, caller: &Caller) -> Result<(), Gone> {
    let found = app
        .store
        .credential(caller.credential, clock::now_ms())
        .await;
    match found {
        Ok(Some((_, account))) if account.role.may(Role::Viewer) => Ok(()),
        _ => Err(Gone),
    }
}

async fn follow(app: Arc<App>, caller: Caller, mut row: u64, sender: Sender) -> Result<(), Gone> {
    let mut checked = Instant::now();
    let mut check = tokio::time::interval(CHECK);
    let mut rows = app.feed.rows();
    let mut news = app.feed.news();
    let mut stopping = app.stopping.clone();
    loop {
        rows.mark_unchanged();
        if checked.elapsed() >= FRESH {
            still_welcome(&app, &caller).await?;
            checked = Instant::now();
        }
        loop {
            let records = app.store.rows_after(row, PAGE).await.map_err(|error| {
                tracing::error!("live feed: {error}");
                Gone
            })?;
            let full = records.len() >= PAGE as usize;
            for record in records {
                row = record.row;
                send(&sender, "event", Some(row), &event_row(record)).await?;
            }
            if !full {
                break;
            }
        }
        tokio::select! {
            changed = rows.changed() => changed.map_err(|_| Gone)?,
            _ = stopping.changed() => return Ok(()),
            () = sender.closed() => return Ok(()),
            _ = check.tick() => {}
            item = news.recv() => match item {
                Ok(News::Alert(alert)) => send(&sender, "alert", None, &*alert).await?,
                Ok(News::Approval(approval)) => send(&sender, "approval", None, &*approval).await?,
                // The lists hold what was missed here.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}
