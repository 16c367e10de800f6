//! What a batch becomes: events, text index, tags, roll-ups and head.

use std::collections::BTreeMap;

use cmdai_schema::{Event, EventType, Jump};
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row as _};

use super::{hash, int, jumps, nat, taken, to_json};
use crate::events::{decision_number, risk_number};
use crate::{Append, Dimension, EventRecord, Head, StoreError, is_judged, is_violation};

/// Rows in one INSERT: bounded by the engine's 32,766 bound values.
const CHUNK: usize = 200;

struct Line {
    record: EventRecord,
    hash: Vec<u8>,
    json: String,
}

/// A batch made ready for the writer, so that the one writing connection only writes.
pub(super) struct Prepared {
    machine_id: String,
    after: Head,
    head: Head,
    hostname: String,
    gaps: i64,
    lines: Vec<Line>,
    tags: Vec<(String, i64, usize)>,
    counts: Vec<(Counted, i64)>,
    open: Vec<Jump>,
    explained: Vec<(u64, u64)>,
}

/// Dimension, hour, key, decision.
type Counted = (&'static str, i64, String, i64);

impl Prepared {
    /// Nothing where the batch is empty.
    pub(super) fn new(append: Append) -> Result<Option<Self>, StoreError> {
        let Some((last, last_hash)) = append.events.last() else {
            return Ok(None);
        };
        let head = Head {
            seq: last.envelope.seq,
            hash: *last_hash,
        };
        let hostname = last.payload.machine.hostname.clone();
        let mut gaps = 0;
        let mut tags: Vec<(String, i64, usize)> = Vec::new();
        let mut counts: BTreeMap<Counted, i64> = BTreeMap::new();
        let mut lines: Vec<Line> = Vec::with_capacity(append.events.len());
        for (place, (event, event_hash)) in append.events.iter().enumerate() {
            let record = EventRecord::of(event, append.received_ms);
            tags.extend(
                tags_of(event, &record)
                    .into_iter()
                    .map(|tag| (tag, record.time_ms, place)),
            );
            count(event, &record, &mut counts);
            gaps += i64::from(event.envelope.event_type == EventType::Gap);
            lines.push(Line {
                record,
                hash: event_hash.0.to_vec(),
                json: to_json("event", event)?,
            });
        }
        Ok(Some(Self {
            machine_id: append.machine_id,
            after: append.after,
            head,
            hostname,
            gaps,
            lines,
            tags,
            counts: counts.into_iter().collect(),
            open: append.open,
            explained: append.explained,
        }))
    }

    /// Number of events.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The records with their rows, once stored.
    pub(super) fn into_records(self) -> Vec<EventRecord> {
        self.lines.into_iter().map(|line| line.record).collect()
    }

    /// Writes all of it; the caller's transaction or savepoint is to be rolled back on an error.
    pub(super) async fn write(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        if read_head(connection, &self.machine_id).await? != self.after {
            return Err(StoreError::Conflict("the head of the machine's chain"));
        }
        let first: i64 = sqlx::query_scalar("SELECT coalesce(max(row), 0) + 1 FROM events")
            .fetch_one(&mut *connection)
            .await?;
        for (row, line) in (nat(first)..).zip(self.lines.iter_mut()) {
            line.record.row = row;
        }
        for chunk in self.lines.chunks(CHUNK) {
            insert_events(connection, chunk).await?;
        }
        let end = first.saturating_add(int(self.lines.len() as u64));
        sqlx::query("INSERT INTO event_text (rowid, text) SELECT row, text FROM events WHERE row >= ? AND row < ?")
            .bind(first)
            .bind(end)
            .execute(&mut *connection)
            .await?;
        for chunk in self.tags.chunks(CHUNK) {
            let mut sql = QueryBuilder::new("INSERT OR IGNORE INTO event_tag (tag, time_ms, row) ");
            sql.push_values(chunk, |mut values, (tag, time_ms, place)| {
                values
                    .push_bind(tag.as_str())
                    .push_bind(*time_ms)
                    .push_bind(first.saturating_add(int(*place as u64)));
            });
            sql.build().execute(&mut *connection).await?;
        }
        for chunk in self.counts.chunks(CHUNK) {
            let mut sql =
                QueryBuilder::new("INSERT INTO rollup (dimension, hour, key, decision, count) ");
            sql.push_values(
                chunk,
                |mut values, ((dimension, hour, key, decision), count)| {
                    values
                        .push_bind(*dimension)
                        .push_bind(*hour)
                        .push_bind(key.as_str())
                        .push_bind(*decision)
                        .push_bind(*count);
                },
            );
            sql.push(" ON CONFLICT (dimension, hour, key, decision) DO UPDATE SET count = count + excluded.count");
            sql.build().execute(&mut *connection).await?;
        }
        sqlx::query(
            "INSERT INTO chains (machine_id, seq, hash, hostname, gaps) VALUES (?, ?, ?, ?, ?) ON CONFLICT (machine_id) DO UPDATE \
             SET seq = excluded.seq, hash = excluded.hash, hostname = excluded.hostname, gaps = gaps + excluded.gaps",
        )
        .bind(&self.machine_id)
        .bind(int(self.head.seq))
        .bind(self.head.hash.0.to_vec())
        .bind(&self.hostname)
        .bind(self.gaps)
        .execute(&mut *connection)
        .await?;
        // Of a jump that was open before, the row stands already.
        let row_of = |seq: u64| {
            let place = self.lines.partition_point(|line| line.record.seq < seq);
            first.saturating_add(int(place as u64))
        };
        jumps::write(
            connection,
            &self.machine_id,
            &self.open,
            &self.explained,
            row_of,
        )
        .await
    }
}

pub(super) async fn read_head(
    connection: &mut SqliteConnection,
    machine_id: &str,
) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT seq, hash FROM chains WHERE machine_id = ?")
        .bind(machine_id)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(Head::default());
    };
    let bytes: Vec<u8> = row.try_get("hash")?;
    Ok(Head {
        seq: nat(row.try_get("seq")?),
        hash: hash(&bytes)?,
    })
}

async fn insert_events(
    connection: &mut SqliteConnection,
    lines: &[Line],
) -> Result<(), StoreError> {
    let mut sql = QueryBuilder::new(
        "INSERT INTO events (row, event_id, machine_id, seq, hash, time_ms, received_ms, event_type, hostname, user, team, \
         origin, agent, session_id, text, decision, risk, rule, reason, exit_code, json) ",
    );
    sql.push_values(lines, |mut values, line| {
        let record = &line.record;
        values
            .push_bind(int(record.row))
            .push_bind(record.event_id.as_str())
            .push_bind(record.machine_id.as_str())
            .push_bind(int(record.seq))
            .push_bind(line.hash.as_slice())
            .push_bind(record.time_ms)
            .push_bind(record.received_ms)
            .push_bind(record.event_type.as_str())
            .push_bind(record.hostname.as_str())
            .push_bind(record.user.as_str())
            .push_bind(record.team.as_deref())
            .push_bind(record.origin.as_str())
            .push_bind(record.agent.as_deref())
            .push_bind(record.session_id.as_str())
            .push_bind(record.text.as_str())
            .push_bind(record.decision.and_then(decision_number))
            .push_bind(record.risk.and_then(risk_number))
            .push_bind(record.rule.as_deref())
            .push_bind(record.reason.as_deref())
            .push_bind(record.exit_code)
            .push_bind(line.json.as_str());
    });
    match sql.build().execute(connection).await {
        Err(error) if taken(&error) => Err(StoreError::Conflict("an event with the same id")),
        other => Ok(other.map(|_| ())?),
    }
}

fn tags_of(event: &Event, record: &EventRecord) -> Vec<String> {
    let mut tags = Vec::new();
    if let Some(command) = &event.payload.command {
        tags.extend(
            command
                .programs
                .iter()
                .map(|program| format!("p:{program}")),
        );
    }
    if let Some(policy) = &event.payload.policy_evaluation {
        tags.extend(policy.violated_rules.iter().map(|rule| format!("r:{rule}")));
    }
    tags.extend(record.agent.iter().map(|agent| format!("a:{agent}")));
    tags
}

fn count(event: &Event, record: &EventRecord, counts: &mut BTreeMap<Counted, i64>) {
    let hour = record.time_ms.div_euclid(3_600_000);
    let decision = record.decision.and_then(decision_number).unwrap_or(-1);
    let mut add = |dimension: Dimension, key: String| {
        *counts
            .entry((dimension.as_str(), hour, key, decision))
            .or_insert(0) += 1;
    };
    add(Dimension::All, String::new());
    if !is_judged(event) {
        return;
    }
    add(
        Dimension::Judged,
        match event.envelope.event_type {
            EventType::CommandBlocked => "blocked",
            EventType::PolicyViolation => "violation",
            _ => "executed",
        }
        .to_owned(),
    );
    add(Dimension::User, record.user.clone());
    add(Dimension::Machine, record.machine_id.clone());
    if is_violation(event) {
        add(Dimension::MachineViolation, record.machine_id.clone());
    }
    if let Some(agent) = &record.agent {
        add(
            Dimension::Agent,
            format!("{agent}\u{1f}{}", record.machine_id),
        );
    }
    for rule in event
        .payload
        .policy_evaluation
        .iter()
        .flat_map(|policy| &policy.violated_rules)
    {
        add(Dimension::Rule, rule.clone());
    }
}
