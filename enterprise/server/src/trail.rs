//! The server's own chain: every action of an administrator and every read of events is an event.

use std::collections::BTreeMap;

use cmdai_collector::Refusal;
use cmdai_schema::{
    ApprovalInfo, AssertedBy, Context, Event, EventType, Layer, MachineRef, Origin, OriginKind,
    Payload, UserRef,
};
use cmdai_store::StoreError;
use uuid::Uuid;

use crate::app::App;
use crate::clock;
use crate::failure::Failure;
use crate::guard::Caller;
use crate::secrets;

/// The server's own machine id.
pub(crate) const SERVER: &str = "server";

/// What is written down.
pub(crate) struct Entry<'a> {
    /// Stable word, such as `policy.publish`.
    pub(crate) action: &'a str,
    /// The whole in a sentence.
    pub(crate) text: String,
    /// More, by name.
    pub(crate) detail: Vec<(&'a str, String)>,
    /// What kind of event.
    pub(crate) event_type: EventType,
    /// The approval it is about.
    pub(crate) approval: Option<ApprovalInfo>,
}

impl<'a> Entry<'a> {
    pub(crate) fn action(action: &'a str, text: impl Into<String>) -> Self {
        Self {
            action,
            text: text.into(),
            detail: Vec::new(),
            event_type: EventType::AdminAction,
            approval: None,
        }
    }

    pub(crate) fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.detail.push((name, value.into()));
        self
    }
}

/// Records what an account did.
pub(crate) async fn record(app: &App, caller: &Caller, entry: Entry<'_>) -> Result<(), Failure> {
    let kind = if caller.is_program() {
        OriginKind::Script
    } else {
        OriginKind::Human
    };
    let evidence = if caller.is_program() {
        "token"
    } else {
        "session"
    };
    write(app, &caller.login, kind, evidence, entry).await
}

/// Records what an account's vote brought about.
pub(crate) async fn record_for(app: &App, login: &str, entry: Entry<'_>) -> Result<(), Failure> {
    write(app, login, OriginKind::Human, "vote", entry).await
}

/// Records what the server did by itself.
pub(crate) async fn record_own(app: &App, entry: Entry<'_>) -> Result<(), Failure> {
    write(app, SERVER, OriginKind::Script, "server", entry).await
}

/// Records a read; the same read by the same account within a minute is one event.
pub(crate) async fn record_read(
    app: &App,
    caller: &Caller,
    entry: Entry<'_>,
) -> Result<(), Failure> {
    let key = format!(
        "{}\u{1f}{}\u{1f}{}\u{1f}{:?}",
        caller.login, entry.action, entry.text, entry.detail
    );
    if app.reads.take(&key, clock::now_ms()) {
        record(app, caller, entry).await
    } else {
        Ok(())
    }
}

async fn write(
    app: &App,
    login: &str,
    kind: OriginKind,
    evidence: &str,
    entry: Entry<'_>,
) -> Result<(), Failure> {
    let mut detail: BTreeMap<String, String> = entry
        .detail
        .into_iter()
        .map(|(name, value)| (name.to_owned(), clean(&value)))
        .collect();
    detail.insert("action".to_owned(), entry.action.to_owned());
    detail.insert("text".to_owned(), clean(&entry.text));
    let payload = Payload {
        asserted_by: AssertedBy::Server,
        machine: MachineRef {
            hostname: SERVER.to_owned(),
            platform: std::env::consts::OS.to_owned(),
            ip_address: None,
        },
        user: UserRef {
            user_id: login.to_owned(),
            ..UserRef::default()
        },
        approval: entry.approval,
        context: Context {
            session_id: evidence.to_owned(),
            layer: Layer::Server,
            origin: Origin {
                kind,
                confidence: 1_000,
                evidence: vec![format!("server:{evidence}")],
            },
            ..Context::default()
        },
        detail,
        ..Payload::default()
    };
    let now_ms = clock::now_ms();
    let salt = secrets::random::<16>().map_err(|error| Failure::internal(&error))?;
    let event_type = entry.event_type;
    let stored = app
        .collector
        .record(SERVER, now_ms, move |seq, prev_hash| {
            let id = Uuid::now_v7().to_string();
            Event::seal(
                id,
                seq,
                prev_hash,
                clock::rfc3339(now_ms),
                event_type,
                SERVER.to_owned(),
                salt,
                payload,
            )
        })
        .await
        .map_err(|refusal| match refusal {
            Refusal::Store(error @ StoreError::Full) => Failure::from(error),
            other => Failure::internal(&other),
        })?;
    if let Some((_, record)) = stored.stored.last() {
        app.feed.stored(record.row);
    }
    Ok(())
}

/// People write secrets into reasons, notes and searches as well as into commands.
fn clean(text: &str) -> String {
    cmdai_redact::redact(text).into_owned()
}
