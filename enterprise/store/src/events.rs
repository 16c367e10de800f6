//! Storage of events: what an engine must offer.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cmdai_schema::{Event, EventType, Hash, Jump, OriginKind};

use crate::StoreError;
use crate::query::{DECISIONS, Query, RISKS};

/// Last event of a chain. Nothing stored yet: number 0 and zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Events to store after a machine's head, checked by the caller against its chain.
#[derive(Debug, Clone)]
pub struct Append {
    /// The machine.
    pub machine_id: String,
    /// The head that the events follow; a conflict where it is not the stored one any more.
    pub after: Head,
    /// The events with their hashes, in order.
    pub events: Vec<(Event, Hash)>,
    /// When they came in, milliseconds since 1970.
    pub received_ms: i64,
    /// Jumps that are open after the events: new ones, and old ones as they stand now.
    pub open: Vec<Jump>,
    /// Jumps that the events explain to the end: last absent number, and number of the gap event.
    pub explained: Vec<(u64, u64)>,
}

/// An event as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Grows by one in the order of storing, from 1.
    pub row: u64,
    /// Event.
    pub event_id: String,
    /// Machine.
    pub machine_id: String,
    /// Number on the machine.
    pub seq: u64,
    /// When it happened, milliseconds since 1970.
    pub time_ms: i64,
    /// When it was stored.
    pub received_ms: i64,
    /// Event type.
    pub event_type: String,
    /// Host name.
    pub hostname: String,
    /// Person.
    pub user: String,
    /// Team.
    pub team: Option<String>,
    /// `human`, `script`, `agent`.
    pub origin: String,
    /// Agent's name.
    pub agent: Option<String>,
    /// Session.
    pub session_id: String,
    /// Redacted text, or a sentence where there is no command.
    pub text: String,
    /// Decision, where there was one.
    pub decision: Option<&'static str>,
    /// Risk.
    pub risk: Option<&'static str>,
    /// First rule that fired.
    pub rule: Option<String>,
    /// Reason.
    pub reason: Option<String>,
    /// Exit status.
    pub exit_code: Option<i32>,
}

/// A search.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Conditions.
    pub query: Query,
    /// Not before, milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Before.
    pub to_ms: Option<i64>,
}

/// Rows that match, newest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Rows.
    pub rows: Vec<EventRecord>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// A place in the order of a search: time, then row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// Row.
    pub row: u64,
}

/// A count with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How many.
    pub total: u64,
    /// Counting stopped there.
    pub bounded: bool,
}

/// Counts from the roll-up tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Every event; one key, the empty one.
    All,
    /// Commands judged; keys `executed`, `blocked`, `violation`.
    Judged,
    /// Commands judged, by person.
    User,
    /// Commands judged, by machine.
    Machine,
    /// Violations, by machine.
    MachineViolation,
    /// Every time a rule fired, by rule.
    Rule,
    /// Commands of agents, by `agent\u{1f}machine`.
    Agent,
}

impl Dimension {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Judged => "judged",
            Self::User => "user",
            Self::Machine => "machine",
            Self::MachineViolation => "machine-violation",
            Self::Rule => "rule",
            Self::Agent => "agent",
        }
    }
}

/// One count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolled {
    /// Hours since 1970.
    pub hour: i64,
    /// Key in its dimension.
    pub key: String,
    /// Decision, where there was one.
    pub decision: Option<&'static str>,
    /// How many.
    pub count: u64,
}

/// A signed state of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Number of leaves.
    pub tree_size: u64,
    /// Root hash.
    pub root: Hash,
    /// Signed note.
    pub note: String,
    /// When, milliseconds since 1970.
    pub time_ms: i64,
}

/// Stores events once, in the order of their machines' chains.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Last event stored of a machine.
    async fn head(&self, machine_id: &str) -> Result<Head, StoreError>;
    /// Stores events, roll-ups and the machine's head in one transaction that is durable when it
    /// returns. Returns the rows, in order.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the head has moved or an event is already stored elsewhere,
    /// [`StoreError::Full`] without space; then nothing was stored.
    async fn append(&self, append: Append) -> Result<Vec<EventRecord>, StoreError>;
    /// One event in full, as JSON text.
    async fn event(&self, event_id: &str) -> Result<Option<String>, StoreError>;
    /// A page of a search.
    async fn search(
        &self,
        search: &Search,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, StoreError>;
    /// Matches in the order of time with their hashes, oldest first.
    async fn scan(
        &self,
        search: &Search,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<(EventRecord, Hash)>, StoreError>;
    /// Number of matches, counted up to a bound.
    async fn count(&self, search: &Search, bound: u32) -> Result<Count, StoreError>;
    /// Matches by bucket number and decision, for buckets of `width_ms` from `from_ms` on.
    async fn histogram(
        &self,
        search: &Search,
        from_ms: i64,
        to_ms: i64,
        width_ms: i64,
    ) -> Result<Vec<(u32, Option<&'static str>, u64)>, StoreError>;
    /// Rows after one, oldest first.
    async fn rows_after(&self, row: u64, limit: u32) -> Result<Vec<EventRecord>, StoreError>;
    /// Events in full from a row on, oldest first: row, hash, JSON text.
    async fn read_from(&self, row: u64, limit: u32)
    -> Result<Vec<(u64, Hash, String)>, StoreError>;
    /// Hashes from a row on, oldest first.
    async fn hashes_from(&self, row: u64, limit: u32) -> Result<Vec<Hash>, StoreError>;
    /// First and last row whose event happened in a period; nothing where there is none.
    async fn row_range(
        &self,
        from_ms: Option<i64>,
        to_ms: Option<i64>,
    ) -> Result<Option<(u64, u64)>, StoreError>;
    /// Last event before a row, for each machine.
    async fn heads_before(&self, row: u64) -> Result<BTreeMap<String, Head>, StoreError>;
    /// Jumps in a machine's chain that no gap event has explained yet, in order.
    async fn jumps(&self, machine_id: &str) -> Result<Vec<Jump>, StoreError>;
    /// Last row of a gap event that explains a jump in front of a row from `first` to `last`.
    async fn explained_until(&self, first: u64, last: u64) -> Result<Option<u64>, StoreError>;
    /// Number of events stored: also the last row.
    async fn size(&self) -> Result<u64, StoreError>;
    /// Counts of a dimension from one hour (inclusive) to another (exclusive), since 1970.
    async fn rolled(
        &self,
        dimension: Dimension,
        from_hour: i64,
        to_hour: i64,
    ) -> Result<Vec<Rolled>, StoreError>;
    /// Head and number of gap events of every machine.
    async fn chains(&self) -> Result<BTreeMap<String, (Head, u64)>, StoreError>;
    /// Keeps a checkpoint, and with it the edge of its tree under the setting `ledger-edge`.
    async fn add_checkpoint(
        &self,
        checkpoint: StoredCheckpoint,
        edge: &str,
    ) -> Result<(), StoreError>;
    /// Newest checkpoint.
    async fn checkpoint(&self) -> Result<Option<StoredCheckpoint>, StoreError>;
}

/// True where the event is about a command that policy judged, once for each command.
pub fn is_judged(event: &Event) -> bool {
    event.payload.policy_evaluation.is_some()
        && matches!(
            event.envelope.event_type,
            EventType::CommandExecuted | EventType::CommandBlocked | EventType::PolicyViolation
        )
}

/// True where a judged command was outside policy: blocked, or let run by a monitored rule.
pub fn is_violation(event: &Event) -> bool {
    is_judged(event) && event.envelope.event_type != EventType::CommandExecuted
}

/// An event's time in milliseconds since 1970; nothing where it is not RFC 3339.
pub fn time_ms(event: &Event) -> Option<i64> {
    event
        .envelope
        .time
        .parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_millisecond)
}

impl EventRecord {
    /// The listed form of an event; its row is still to come.
    pub fn of(event: &Event, received_ms: i64) -> Self {
        let (envelope, payload) = (&event.envelope, &event.payload);
        let policy = payload.policy_evaluation.as_ref();
        let origin = payload.context.origin.kind;
        Self {
            row: 0,
            event_id: envelope.event_id.clone(),
            machine_id: envelope.machine_id.clone(),
            seq: envelope.seq,
            time_ms: time_ms(event).unwrap_or(received_ms),
            received_ms,
            event_type: envelope.event_type.as_str().to_owned(),
            hostname: payload.machine.hostname.clone(),
            user: payload.user.user_id.clone(),
            team: payload.user.team.clone(),
            origin: OriginKind::as_str(origin).to_owned(),
            agent: payload
                .context
                .agent
                .as_ref()
                .map(|agent| agent.name.clone()),
            session_id: payload.context.session_id.clone(),
            text: text(event),
            decision: policy.map(|policy| policy.decision.as_str()),
            risk: policy.map(|policy| policy.risk_level.as_str()),
            rule: policy.and_then(|policy| policy.violated_rules.first().cloned()),
            reason: policy
                .map(|policy| policy.reason.clone())
                .filter(|reason| !reason.is_empty()),
            exit_code: payload
                .execution
                .as_ref()
                .and_then(|execution| execution.exit_code),
        }
    }
}

/// The command's text, or a sentence made of the event's details.
fn text(event: &Event) -> String {
    let detail = &event.payload.detail;
    if let Some(command) = &event.payload.command {
        // Commands of one run of a script that are one event.
        if let (Some(commands), Some(script)) = (detail.get("commands"), detail.get("script")) {
            return format!("{commands} commands of script {script}: {}", command.text);
        }
        return command.text.clone();
    }
    if let Some(text) = detail.get("text").or_else(|| detail.get("summary")) {
        return text.clone();
    }
    let words = event.envelope.event_type.as_str().replace('_', " ");
    let details: Vec<String> = detail
        .iter()
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    if details.is_empty() {
        words
    } else {
        format!("{words}: {}", details.join(", "))
    }
}

pub(crate) fn decision_number(word: &str) -> Option<i64> {
    DECISIONS
        .iter()
        .position(|decision| decision.as_str() == word)
        .and_then(|place| i64::try_from(place).ok())
}

pub(crate) fn decision_word(number: Option<i64>) -> Option<&'static str> {
    DECISIONS
        .get(usize::try_from(number?).ok()?)
        .map(|decision| decision.as_str())
}

pub(crate) fn risk_number(word: &str) -> Option<i64> {
    RISKS
        .iter()
        .position(|risk| risk.as_str() == word)
        .and_then(|place| i64::try_from(place).ok())
}

pub(crate) fn risk_word(number: Option<i64>) -> Option<&'static str> {
    RISKS
        .get(usize::try_from(number?).ok()?)
        .map(|risk| risk.as_str())
}

#[cfg(test)]
mod tests {
    use cmdai_schema::{CommandInfo, Hash, Payload};

    use super::*;

    #[test]
    fn commands_of_a_script_are_a_line_with_their_count() {
        let mut payload = Payload {
            command: Some(CommandInfo {
                text: "mkdir a\nmkdir b".into(),
                ..CommandInfo::default()
            }),
            ..Payload::default()
        };
        let row = |payload: &Payload| {
            let time = "2026-01-01T00:00:00.000Z".to_owned();
            let (kind, zero) = (EventType::CommandExecuted, Hash::of(&[]));
            let event = Event::seal(
                "e".into(),
                1,
                zero,
                time,
                kind,
                "m".into(),
                [0; 16],
                payload.clone(),
            );
            EventRecord::of(&event.unwrap_or_else(|error| panic!("{error}")), 0).text
        };
        assert_eq!(row(&payload), "mkdir a\nmkdir b");
        for (key, value) in [("script", "./shim"), ("commands", "481")] {
            payload.detail.insert(key.into(), value.into());
        }
        assert_eq!(
            row(&payload),
            "481 commands of script ./shim: mkdir a\nmkdir b"
        );
    }
}
