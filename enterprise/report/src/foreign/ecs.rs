//! Elastic Common Schema 8.11. <https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html>

use cmdai_schema::{Event, EventType, Risk};
use serde_json::{Map, Value, json};

use super::{VERSION, allowed, person, platform, program, risk};

pub(super) fn event(event: &Event) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("@timestamp", event.envelope.time.clone().into());
    put("ecs", json!({"version": "8.11.0"}));
    put("message", message(event).into());
    put("event", about(event));
    put("host", host(event));
    put(
        "observer",
        json!({"vendor": "cmdai", "product": "cmdai", "type": "sensor", "version": VERSION}),
    );
    if let Some(user) = user(event) {
        put("user", user);
    }
    if let Some(process) = process(event) {
        put("process", process);
    }
    if let Some(policy) = &event.payload.policy_evaluation
        && let Some(id) = policy.violated_rules.first()
    {
        put(
            "rule",
            json!({
                "id": id,
                "description": policy.reason,
                "ruleset": policy.policy_id,
                "version": policy.policy_version,
            }),
        );
    }
    put("cmdai", own(event));
    Value::Object(out)
}

fn message(event: &Event) -> &str {
    let command = event.payload.command.as_ref();
    command
        .map(|command| command.text.as_str())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| event.envelope.event_type.as_str())
}

/// Category and type, out of the closed lists and of the pairs that the schema expects.
fn kind(event: &Event) -> (&'static str, &'static str) {
    match event.envelope.event_type {
        EventType::CommandExecuted | EventType::PolicyViolation => ("process", "start"),
        EventType::CommandCompleted => ("process", "end"),
        EventType::PolicyUpdated | EventType::PolicyRefused | EventType::QuarantineChanged => {
            ("configuration", "change")
        }
        EventType::Tamper | EventType::CmdaiDisabled => ("configuration", "change"),
        EventType::ToolInstalled => ("package", "installation"),
        _ if event.payload.command.is_some() => ("process", "info"),
        _ => ("host", "info"),
    }
}

fn about(event: &Event) -> Value {
    let (category, of_type) = kind(event);
    let outcome = match (allowed(event), event.payload.execution.as_ref()) {
        (Some(false), _) => "failure",
        (_, Some(run)) => match run.exit_code {
            Some(0) => "success",
            Some(_) => "failure",
            None => "unknown",
        },
        _ => "unknown",
    };
    let mut out = json!({
        "kind": "event",
        "category": [category],
        "type": [of_type],
        "action": event.envelope.event_type.as_str(),
        "outcome": outcome,
        "id": event.envelope.event_id,
        "sequence": event.envelope.seq,
        "module": "cmdai",
        "dataset": "cmdai.event",
        "provider": "cmdai",
    });
    let Some(fields) = out.as_object_mut() else {
        return out;
    };
    if let Some(risk) = risk(event) {
        let severity = match risk {
            Risk::Safe => 0,
            Risk::Moderate => 40,
            Risk::High => 70,
            Risk::Critical => 100,
        };
        fields.insert("severity".to_owned(), severity.into());
    }
    if let Some(policy) = &event.payload.policy_evaluation
        && !policy.reason.is_empty()
    {
        fields.insert("reason".to_owned(), policy.reason.clone().into());
    }
    if let Some(ms) = event
        .payload
        .execution
        .as_ref()
        .and_then(|run| run.duration_ms)
    {
        // Nanoseconds.
        fields.insert("duration".to_owned(), ms.saturating_mul(1_000_000).into());
    }
    out
}

fn host(event: &Event) -> Value {
    let (system, machine) = platform(event);
    let mut out = json!({
        "hostname": event.payload.machine.hostname,
        "name": event.payload.machine.hostname,
        "id": event.envelope.machine_id,
    });
    let Some(fields) = out.as_object_mut() else {
        return out;
    };
    if ["linux", "macos", "unix", "windows"].contains(&system) {
        fields.insert("os".to_owned(), json!({"type": system}));
    }
    if let Some(machine) = machine {
        fields.insert("architecture".to_owned(), machine.into());
    }
    if let Some(ip) = &event.payload.machine.ip_address {
        fields.insert("ip".to_owned(), json!([ip]));
    }
    out
}

fn user(event: &Event) -> Option<Value> {
    let mut out = json!({"name": person(event)?});
    let fields = out.as_object_mut()?;
    if let Some(uid) = event.payload.user.uid {
        fields.insert("id".to_owned(), uid.to_string().into());
    }
    if let Some(email) = &event.payload.user.email {
        fields.insert("email".to_owned(), email.clone().into());
    }
    Some(out)
}

fn process(event: &Event) -> Option<Value> {
    let command = event.payload.command.as_ref()?;
    let mut out = json!({
        "entity_id": command.command_id,
        "command_line": command.text,
        "working_directory": command.working_directory,
        "name": program(event).unwrap_or(&command.shell),
    });
    let fields = out.as_object_mut()?;
    if let Some(code) = event
        .payload
        .execution
        .as_ref()
        .and_then(|run| run.exit_code)
    {
        fields.insert("exit_code".to_owned(), code.into());
    }
    if let Some(parent) = event.payload.context.parent_process.first() {
        let mut of = json!({"pid": parent.pid, "name": parent.name});
        if let (Some(path), Some(of)) = (&parent.exe, of.as_object_mut()) {
            of.insert("executable".to_owned(), path.clone().into());
        }
        fields.insert("parent".to_owned(), of);
    }
    Some(out)
}

/// What the schema has no field for, under a name that it keeps free.
fn own(event: &Event) -> Value {
    let payload = &event.payload;
    let mut fields = super::own(event);
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("session_id", json!(payload.context.session_id));
    if let Some(command) = &payload.command {
        put("source", json!(command.source));
        put("programs", json!(command.programs));
    }
    if let Some(policy) = &payload.policy_evaluation {
        put("risk", json!(policy.risk_level));
    }
    fields.into()
}
