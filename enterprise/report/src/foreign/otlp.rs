//! OpenTelemetry logs, protocol 1.3 in its JSON encoding: 64-bit numbers are strings, names are in camel case.
//! Attributes have the names of the semantic conventions where there are some.

use cmdai_schema::{Event, Risk};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{VERSION, person, platform, program, risk};

/// Number and name of the severity: INFO, WARN, ERROR, FATAL.
fn severity(event: &Event) -> (u8, &'static str) {
    match risk(event) {
        None | Some(Risk::Safe) => (9, "INFO"),
        Some(Risk::Moderate) => (13, "WARN"),
        Some(Risk::High) => (17, "ERROR"),
        Some(Risk::Critical) => (21, "FATAL"),
    }
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn number(key: &str, value: i64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

fn texts(key: &str, values: &[String]) -> Value {
    let values: Vec<Value> = values
        .iter()
        .map(|value| json!({"stringValue": value}))
        .collect();
    json!({"key": key, "value": {"arrayValue": {"values": values}}})
}

pub(super) fn event(event: &Event, time: Timestamp) -> Value {
    let payload = &event.payload;
    let (severity, word) = severity(event);
    let (system, machine) = platform(event);
    let mut resource = vec![
        text("service.name", "cmdai"),
        text("service.version", VERSION),
        text("host.id", &event.envelope.machine_id),
        text("host.name", &payload.machine.hostname),
        text("os.type", if system == "macos" { "darwin" } else { system }),
    ];
    if let Some(machine) = machine {
        let known = if machine == "x86_64" {
            "amd64"
        } else {
            machine
        };
        resource.push(text("host.arch", known));
    }
    let nanoseconds = time.as_nanosecond().to_string();
    let body = payload.command.as_ref().map_or_else(
        || event.envelope.event_type.as_str(),
        |command| command.text.as_str(),
    );
    json!({"resourceLogs": [{
        "resource": {"attributes": resource},
        "scopeLogs": [{
            "scope": {"name": "cmdai", "version": VERSION},
            "logRecords": [{
                "timeUnixNano": nanoseconds,
                "observedTimeUnixNano": nanoseconds,
                "severityNumber": severity,
                "severityText": word,
                "body": {"stringValue": body},
                "attributes": attributes(event),
            }],
        }],
    }]})
}

fn attributes(event: &Event) -> Vec<Value> {
    let payload = &event.payload;
    let mut out = vec![
        text(
            "event.name",
            &format!("cmdai.{}", event.envelope.event_type.as_str()),
        ),
        text("cmdai.event.id", &event.envelope.event_id),
        number(
            "cmdai.event.sequence",
            i64::try_from(event.envelope.seq).unwrap_or(i64::MAX),
        ),
        text("cmdai.session.id", &payload.context.session_id),
    ];
    if let Some(name) = person(event) {
        out.push(text("user.name", name));
    }
    if let Some(uid) = payload.user.uid {
        out.push(text("user.id", &uid.to_string()));
    }
    if let Some(email) = &payload.user.email {
        out.push(text("user.email", email));
    }
    if let Some(command) = &payload.command {
        out.push(text("process.command_line", &command.text));
        out.push(text(
            "process.working_directory",
            &command.working_directory,
        ));
        if let Some(name) = program(event) {
            out.push(text("process.executable.name", name));
        }
        out.push(text("cmdai.command.id", &command.command_id));
        out.push(texts("cmdai.command.programs", &command.programs));
        out.push(texts("cmdai.command.effects", &command.effects));
        if let Some(times) = command.times {
            out.push(number(
                "cmdai.command.times",
                i64::try_from(times).unwrap_or(i64::MAX),
            ));
        }
    }
    if let Some(parent) = payload.context.parent_process.first() {
        out.push(number("process.parent_pid", parent.pid.into()));
    }
    if let Some(run) = &payload.execution {
        out.push(json!({"key": "cmdai.allowed", "value": {"boolValue": run.allowed}}));
        if let Some(code) = run.exit_code {
            out.push(number("process.exit.code", code.into()));
        }
    }
    if let Some(policy) = &payload.policy_evaluation {
        out.push(text("cmdai.decision", policy.decision.as_str()));
        out.push(text("cmdai.risk", policy.risk_level.as_str()));
        out.push(text("cmdai.reason", &policy.reason));
        out.push(texts("cmdai.rules", &policy.violated_rules));
    }
    if let Some(agent) = &payload.context.agent {
        out.push(text("cmdai.agent.name", &agent.name));
    }
    let detail = payload.detail.iter();
    out.extend(detail.map(|(key, value)| text(&format!("cmdai.detail.{key}"), value)));
    out
}
