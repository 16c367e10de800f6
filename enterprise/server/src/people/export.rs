//! The export with its proofs (`cmdai.export/1`), and the ledger's state.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body as Stream, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use cmdai_api::console::{ChainHead, ExportHeader, LedgerView};
use cmdai_ledger::{EXPORT_FORMAT, Frontier};
use tokio::sync::mpsc;

use crate::app::App;
use crate::body::Parameters;
use crate::clock;
use crate::failure::{Answer, Failure};
use crate::guard::Caller;
use crate::ledger;
use crate::trail::{self, Entry};

/// Events read at once.
const PAGE: u32 = 500;

pub(super) async fn ledger(State(app): State<Arc<App>>) -> Answer<Json<LedgerView>> {
    let checkpoint = app
        .store
        .checkpoint()
        .await?
        .map(|stored| ledger::wire(&stored, &app.config.organisation));
    Ok(Json(LedgerView {
        checkpoint,
        events: app.store.size().await?,
        public_key: app.ledger.public_key(),
    }))
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Answer<Response> {
    let (from_ms, to_ms) = (parameters.moment("from")?, parameters.moment("to")?);
    let (from, to) = (
        clock::rfc3339_of(from_ms).unwrap_or_default(),
        clock::rfc3339_of(to_ms).unwrap_or_default(),
    );
    let span = |text: &str, otherwise: &str| {
        if text.is_empty() {
            otherwise.to_owned()
        } else {
            text.to_owned()
        }
    };
    let text = format!(
        "{} exported events from {} to {}",
        caller.login,
        span(&from, "the beginning"),
        span(&to, "now")
    );
    trail::record(&app, &caller, Entry::action("events.export", text)).await?;
    // All rows between the first and the last of the period: the ledger has no holes.
    let (first, last) = match app.store.row_range(from_ms, to_ms).await? {
        // On to the gap events that account for what is absent within it.
        Some((first, mut last)) => {
            while let Some(until) = app.store.explained_until(first, last).await?
                && until > last
            {
                last = until;
            }
            (first, last)
        }
        None => {
            let size = app.store.size().await?;
            (size + 1, size)
        }
    };
    let edge = app
        .ledger
        .edge_at(&*app.store, first - 1)
        .await
        .map_err(|error| Failure::internal(&error))?;
    let heads = app.store.heads_before(first).await?;
    let heads: BTreeMap<String, ChainHead> = heads
        .into_iter()
        .map(|(machine, head)| {
            (
                machine,
                ChainHead {
                    seq: head.seq,
                    hash: head.hash.to_hex(),
                },
            )
        })
        .collect();
    let head = ExportHeader {
        format: EXPORT_FORMAT.to_owned(),
        organisation: app.config.organisation.clone(),
        from,
        to,
        first_leaf: first - 1,
        count: last + 1 - first,
        left_edge: edge.peaks().iter().map(|hash| hash.to_hex()).collect(),
        public_key: app.ledger.public_key(),
        heads,
    };
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(4);
    tokio::spawn(async move {
        if let Err(error) = write(&app, &head, edge, last, &sender).await {
            tracing::error!("export: {error:#}");
            // The reader sees a broken stream, never a short file that looks whole.
            let _ = sender
                .send(Err(std::io::Error::other("the export was cut off")))
                .await;
        }
    });
    let body = Stream::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let name = format!(
        "attachment; filename=\"cmdai-export-{}.jsonl\"",
        clock::rfc3339(clock::now_ms()).get(..10).unwrap_or("now")
    );
    Ok((
        [
            (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        body,
    )
        .into_response())
}

async fn write(
    app: &App,
    head: &ExportHeader,
    mut edge: Frontier,
    last: u64,
    sender: &mpsc::Sender<std::io::Result<Bytes>>,
) -> anyhow::Result<()> {
    let line = |name: &str, value: String| format!("{{\"{name}\":{value}}}\n");
    let mut text = line("export", serde_json::to_string(head)?);
    let signed = app.store.checkpoint().await?;
    let mut row = head.first_leaf + 1;
    while row <= last {
        let wanted = u32::try_from((last - row + 1).min(u64::from(PAGE))).unwrap_or(PAGE);
        let page = app.store.read_from(row, wanted).await?;
        anyhow::ensure!(!page.is_empty(), "row {row} is missing");
        for (at, hash, json) in page {
            anyhow::ensure!(at == row, "row {row} is missing");
            edge.push(hash);
            // Never sign a state that contradicts one signed before.
            if let Some(signed) = signed
                .as_ref()
                .filter(|signed| signed.tree_size == edge.size())
            {
                anyhow::ensure!(
                    signed.root == edge.root(),
                    "the stored events do not fit the signed checkpoint of {} leaves",
                    signed.tree_size
                );
            }
            text.push_str(&line(
                "event",
                format!("{{\"leaf\":{},\"event\":{json}}}", at - 1),
            ));
            row += 1;
        }
        if sender
            .send(Ok(Bytes::from(std::mem::take(&mut text))))
            .await
            .is_err()
        {
            return Ok(());
        }
    }
    text.push_str(&line(
        "checkpoint",
        serde_json::to_string(&app.ledger.sign(&edge))?,
    ));
    // A reader that has gone does not need the rest.
    let _ = sender.send(Ok(Bytes::from(text))).await;
    Ok(())
}
