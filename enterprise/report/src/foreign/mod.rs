//! Events in the words of other systems: OCSF, ECS, CEF, RFC 5424 syslog, OTLP logs. Pure.
//!
//! One event is one line of text without a line break. What a format has no field for is left out of CEF and
//! syslog headers, and kept under a name of our own where the format has a place for that (`unmapped`,
//! `cmdai.*`, attributes): `docs/formats/foreign.md` has the table. Nothing here proves anything: that is what
//! `cmdai.export/1` is for.

mod cef;
mod ecs;
mod ocsf;
mod otlp;
mod syslog;

use cmdai_schema::{Decision, Event, Risk};
use serde_json::{Map, Value, json};
use thiserror::Error;

/// Version of cmdai in the product fields.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A format of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// Open Cybersecurity Schema Framework 1.3.0: Process Activity (1007), and Base Event for what is no command.
    Ocsf,
    /// Elastic Common Schema 8.11.
    Ecs,
    /// Common Event Format, version 0 of its header (ArcSight, revision 26).
    Cef,
    /// RFC 5424, with the ECS document as its message.
    Syslog,
    /// OpenTelemetry logs, JSON encoding: one `ExportLogsServiceRequest` for each event.
    Otlp,
}

impl Foreign {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ocsf, Self::Ecs, Self::Cef, Self::Syslog, Self::Otlp];

    /// Its word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ocsf => "ocsf",
            Self::Ecs => "ecs",
            Self::Cef => "cef",
            Self::Syslog => "syslog",
            Self::Otlp => "otlp",
        }
    }
}

/// Why an event has no line.
#[derive(Debug, Error)]
pub enum ForeignError {
    /// The time of the event is not one.
    #[error("event {event_id}: its time `{time}` cannot be read")]
    Time {
        /// The event.
        event_id: String,
        /// What stands there.
        time: String,
        /// What the reader says.
        #[source]
        source: jiff::Error,
    },
    /// JSON could not be written.
    #[error("event {event_id} cannot be written as JSON")]
    Json {
        /// The event.
        event_id: String,
        /// What the writer says.
        #[source]
        source: serde_json::Error,
    },
}

/// One event as a line of a format, without the line break at its end.
///
/// # Errors
/// Where the event's time is not a time.
pub fn line(format: Foreign, event: &Event) -> Result<String, ForeignError> {
    let time = event
        .envelope
        .time
        .parse()
        .map_err(|source| ForeignError::Time {
            event_id: event.envelope.event_id.clone(),
            time: event.envelope.time.clone(),
            source,
        })?;
    let json = |value: Value| {
        serde_json::to_string(&value).map_err(|source| ForeignError::Json {
            event_id: event.envelope.event_id.clone(),
            source,
        })
    };
    match format {
        Foreign::Ocsf => json(ocsf::event(event, time)),
        Foreign::Ecs => json(ecs::event(event)),
        Foreign::Cef => Ok(cef::event(event, time)),
        Foreign::Syslog => Ok(syslog::event(event, &json(ecs::event(event))?)),
        Foreign::Otlp => json(otlp::event(event, time)),
    }
}

/// What neither OCSF nor ECS has a field for, under our names.
fn own(event: &Event) -> Map<String, Value> {
    let payload = &event.payload;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("asserted_by", json!(payload.asserted_by));
    put("layer", json!(payload.context.layer));
    put("origin", json!(payload.context.origin.kind));
    put(
        "origin_confidence",
        json!(payload.context.origin.confidence),
    );
    put("commitment", json!(event.envelope.commitment));
    if let Some(command) = &payload.command {
        put("effects", json!(command.effects));
        put("digest", json!(command.digest));
        if let Some(times) = command.times {
            put("times", json!(times));
        }
    }
    if let Some(policy) = &payload.policy_evaluation {
        put("decision", json!(policy.decision));
        put("rules", json!(policy.violated_rules));
    }
    if let Some(agent) = &payload.context.agent {
        put("agent", json!(agent));
    }
    if let Some(approval) = &payload.approval {
        put("approval", json!(approval));
    }
    if !payload.detail.is_empty() {
        put("detail", json!(payload.detail));
    }
    fields
}

/// How bad the event is, as policy judged it; what is no command is as bad as its kind says.
fn risk(event: &Event) -> Option<Risk> {
    let judged = event.payload.policy_evaluation.as_ref();
    judged.map(|policy| policy.risk_level)
}

/// It was let run; `None` where that is no question.
fn allowed(event: &Event) -> Option<bool> {
    let run = event.payload.execution.as_ref().map(|run| run.allowed);
    let decided = event.payload.policy_evaluation.as_ref();
    run.or(decided.map(|policy| policy.decision < Decision::Confirm))
}

/// Who it was: the name.
fn person(event: &Event) -> Option<&str> {
    Some(event.payload.user.user_id.as_str()).filter(|name| !name.is_empty())
}

/// `linux` of `linux-x86_64`, and the rest.
fn platform(event: &Event) -> (&str, Option<&str>) {
    let whole = event.payload.machine.platform.as_str();
    whole
        .split_once('-')
        .map_or((whole, None), |(system, machine)| (system, Some(machine)))
}

/// The first program that it calls.
fn program(event: &Event) -> Option<&str> {
    let command = event.payload.command.as_ref()?;
    command.programs.first().map(String::as_str)
}

/// At most so many bytes, whole characters.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}
