//! Ingest: authenticate, check the chain, store once, acknowledge.
//!
//! The caller says which machine speaks (from its certificate). [`Collector::ingest`] unpacks the
//! upload within bounds, checks that its events follow what is stored of that machine, skips what is
//! already there, and stores the rest in one transaction. Only then is anything acknowledged.
//!
//! A jump in the numbers is taken where the upload's header names exactly the absent ones, and the event
//! that it names as the explanation must then explain it (see [`ChainWalk`]).

#![forbid(unsafe_code)]

mod batch;
mod quota;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cmdai_api::machine::IngestReply;
use cmdai_schema::{Absent, ChainWalk, Event, Hash, Jump};
use cmdai_store::{Append, EventRecord, EventStore, Head, StoreError};
use tokio::sync::{Mutex as Turn, Semaphore};

pub use batch::{MAX_EVENTS, MAX_PACKED, MAX_UNPACKED};
pub use quota::Quota;

/// Uploads that may be worked on or wait for the writer at a time.
const MAX_UPLOADS: usize = 64;

/// What an upload did.
#[derive(Debug)]
pub struct Ingested {
    /// The answer.
    pub reply: IngestReply,
    /// Events newly stored, in order, with their rows.
    pub stored: Vec<(Event, EventRecord)>,
}

/// Why an upload was not stored. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Larger than the bounds: send smaller batches.
    #[error("{0}")]
    TooLarge(String),
    /// Not an upload at all.
    #[error("{0}")]
    Malformed(String),
    /// It does not fit the machine's chain, or was changed.
    #[error("{problem}")]
    Chain {
        /// Last number stored.
        acked_seq: u64,
        /// What does not fit.
        problem: String,
    },
    /// Too much at once.
    #[error("too much at once; try again in {retry_after_s} s")]
    Busy {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes uploads.
pub struct Collector<S: ?Sized> {
    store: Arc<S>,
    quota: Quota,
    uploads: Semaphore,
    turns: Mutex<HashMap<String, Arc<Turn<()>>>>,
}

impl<S: EventStore + ?Sized> Collector<S> {
    /// A collector over a store.
    pub fn new(store: Arc<S>, quota: Quota) -> Self {
        Self {
            store,
            quota,
            uploads: Semaphore::new(MAX_UPLOADS),
            turns: Mutex::default(),
        }
    }

    /// Stores an upload of a machine. `now_ms` is milliseconds since 1970.
    ///
    /// # Errors
    /// See [`Refusal`]; then nothing was stored.
    pub async fn ingest(
        &self,
        packed: Vec<u8>,
        machine_id: &str,
        now_ms: i64,
    ) -> Result<Ingested, Refusal> {
        let _place = self
            .uploads
            .try_acquire()
            .map_err(|_| Refusal::Busy { retry_after_s: 1 })?;
        let owner = machine_id.to_owned();
        let upload = tokio::task::spawn_blocking(move || batch::read(&packed, &owner))
            .await
            .map_err(|error| {
                Refusal::Malformed(format!("the upload could not be read: {error}"))
            })??;
        let turn = self.turn(machine_id);
        let _turn = turn.lock().await;
        let head = self.store.head(machine_id).await?;
        let open = self.store.jumps(machine_id).await?;
        let new = upload
            .events
            .iter()
            .filter(|event| event.envelope.seq > head.seq)
            .count();
        self.quota
            .take(machine_id, new, now_ms)
            .map_err(|retry_after_s| Refusal::Busy { retry_after_s })?;
        let checked = tokio::task::spawn_blocking(move || check(head, open, upload))
            .await
            .map_err(|error| {
                Refusal::Malformed(format!("the upload could not be checked: {error}"))
            })?
            .map_err(|problem| Refusal::Chain {
                acked_seq: head.seq,
                problem,
            })?;
        self.append(machine_id, head, checked, now_ms).await
    }

    /// Seals an event into a chain of this process's own and stores it: `seal` gets the number and
    /// the hash that the event must carry.
    ///
    /// # Errors
    /// See [`Refusal`]; then nothing was stored.
    pub async fn record<F>(
        &self,
        machine_id: &str,
        now_ms: i64,
        seal: F,
    ) -> Result<Ingested, Refusal>
    where
        F: FnOnce(u64, Hash) -> Result<Event, cmdai_schema::CanonicalError> + Send,
    {
        let turn = self.turn(machine_id);
        let _turn = turn.lock().await;
        let head = self.store.head(machine_id).await?;
        let malformed = |error: cmdai_schema::CanonicalError| Refusal::Malformed(error.to_string());
        let event = seal(head.seq.saturating_add(1), head.hash).map_err(malformed)?;
        let hash = event.hash().map_err(malformed)?;
        let checked = Checked {
            events: vec![(event, hash)],
            ..Checked::default()
        };
        self.append(machine_id, head, checked, now_ms).await
    }

    async fn append(
        &self,
        machine_id: &str,
        head: Head,
        checked: Checked,
        now_ms: i64,
    ) -> Result<Ingested, Refusal> {
        let events = checked.events;
        let acked_seq = events
            .last()
            .map_or(head.seq, |(event, _)| event.envelope.seq);
        let append = Append {
            machine_id: machine_id.to_owned(),
            after: head,
            events: events.clone(),
            received_ms: now_ms,
            open: checked.open,
            explained: checked.explained,
        };
        let records = self.store.append(append).await?;
        let stored = events
            .into_iter()
            .map(|(event, _)| event)
            .zip(records)
            .collect();
        Ok(Ingested {
            reply: IngestReply {
                acked_seq,
                problem: None,
            },
            stored,
        })
    }

    /// One upload of a machine at a time.
    fn turn(&self, machine_id: &str) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() > 50_000 {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(machine_id.to_owned()).or_default())
    }
}

/// What is new in an upload, and what it means for the chain.
#[derive(Debug, Default)]
struct Checked {
    events: Vec<(Event, Hash)>,
    open: Vec<Jump>,
    explained: Vec<(u64, u64)>,
}

/// Skips what is stored and checks the rest against the chain. `open` are the jumps that nothing has
/// explained yet.
fn check(head: Head, open: Vec<Jump>, upload: batch::Upload) -> Result<Checked, String> {
    let mut walk = ChainWalk::new((head.seq, head.hash), open);
    let mut checked = Checked::default();
    // An upload that is repeated names what was jumped over already. Where an answer was lost, the machine
    // names what is stored too; the gap event that follows may begin as early.
    let mut dropped: Option<Absent> = (upload.dropped)
        .filter(|dropped| dropped.to > head.seq)
        .map(|dropped| Absent {
            from: dropped.from.max(head.seq.saturating_add(1)),
            ..dropped
        });
    for event in upload.events {
        let seq = event.envelope.seq;
        if seq < head.seq {
            continue;
        }
        if seq == head.seq {
            if event.hash().map_err(|error| error.to_string())? != head.hash {
                return Err(format!(
                    "event {} is stored with other content; the machine's chain has forked",
                    head.seq
                ));
            }
            continue;
        }
        if let Some(said) = dropped.filter(|_| seq == walk.head().0 + 1) {
            return Err(format!(
                "events {} to {} are said to be dropped, but event {seq} is the next one",
                said.from, said.to
            ));
        }
        let told = dropped.is_some_and(|dropped| dropped.told.is_none());
        if told {
            return Err("the header does not name the event that says what was dropped".to_owned());
        }
        let step = walk
            .follow(&event, dropped.take())
            .map_err(|error| error.to_string())?;
        let explained = step.explained.into_iter().map(|last| (last, seq));
        checked.explained.extend(explained);
        checked.events.push((event, walk.head().1));
    }
    checked.open = walk.open().to_vec();
    Ok(checked)
}

#[cfg(test)]
mod tests;
