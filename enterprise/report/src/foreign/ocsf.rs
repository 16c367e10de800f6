//! OCSF 1.3.0. <https://schema.ocsf.io/1.3.0/classes/process_activity>

use cmdai_schema::{Event, EventType, Risk};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{VERSION, allowed, person, platform, program, risk};

/// System Activity.
const CATEGORY: u32 = 1;
/// Process Activity.
const CLASS: u32 = 1007;

/// Unknown, Informational, Low, Medium, High, Critical.
fn severity(event: &Event) -> (u32, &'static str) {
    match risk(event) {
        None => match event.envelope.event_type {
            EventType::Tamper | EventType::CmdaiDisabled | EventType::Gap => (4, "High"),
            _ => (1, "Informational"),
        },
        Some(Risk::Safe) => (1, "Informational"),
        Some(Risk::Moderate) => (3, "Medium"),
        Some(Risk::High) => (4, "High"),
        Some(Risk::Critical) => (5, "Critical"),
    }
}

pub(super) fn event(event: &Event, time: Timestamp) -> Value {
    let (severity_id, severity) = severity(event);
    let mut out = json!({
        "time": time.as_millisecond(),
        "severity_id": severity_id,
        "severity": severity,
        "metadata": metadata(event),
        "device": device(event),
        "actor": actor(event),
        "unmapped": unmapped(event),
    });
    let more = match event.payload.command {
        Some(_) => process_activity(event),
        // Nothing was started: the class for what has none.
        None => json!({
            "category_uid": 0, "category_name": "Uncategorized",
            "class_uid": 0, "class_name": "Base Event",
            "activity_id": 99, "activity_name": event.envelope.event_type.as_str(),
            "type_uid": 99, "type_name": "Base Event: Other",
            "message": event.envelope.event_type.as_str(),
        }),
    };
    if let (Some(out), Value::Object(more)) = (out.as_object_mut(), more) {
        out.extend(more);
    }
    out
}

fn process_activity(event: &Event) -> Value {
    let (activity, name) = match event.envelope.event_type {
        EventType::CommandCompleted => (2, "Terminate"),
        _ => (1, "Launch"),
    };
    let mut out = json!({
        "category_uid": CATEGORY, "category_name": "System Activity",
        "class_uid": CLASS, "class_name": "Process Activity",
        "activity_id": activity, "activity_name": name,
        "type_uid": CLASS * 100 + activity, "type_name": format!("Process Activity: {name}"),
        "process": process(event),
    });
    let Some(fields) = out.as_object_mut() else {
        return out;
    };
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if let Some(allowed) = allowed(event) {
        put("action_id", if allowed { 1 } else { 2 }.into());
        put("action", if allowed { "Allowed" } else { "Denied" }.into());
        put("disposition_id", if allowed { 1 } else { 2 }.into());
        put(
            "disposition",
            if allowed { "Allowed" } else { "Blocked" }.into(),
        );
    }
    if let Some(run) = &event.payload.execution {
        let ended = run.exit_code;
        let (id, word) = match (run.allowed, ended) {
            (true, Some(0)) => (1, "Success"),
            (true, None) => (0, "Unknown"),
            _ => (2, "Failure"),
        };
        put("status_id", id.into());
        put("status", word.into());
        if let Some(code) = ended {
            put("exit_code", code.into());
        }
        if let Some(duration) = run.duration_ms {
            put("duration", duration.into());
        }
    }
    if let Some(policy) = &event.payload.policy_evaluation {
        put("message", policy.reason.clone().into());
        put(
            "policy",
            json!({
                "name": policy.policy_id,
                "version": policy.policy_version,
                "is_applied": true,
            }),
        );
    }
    out
}

fn process(event: &Event) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    if let Some(command) = &event.payload.command {
        put("uid", command.command_id.clone().into());
        put("cmd_line", command.text.clone().into());
        put("name", program(event).unwrap_or(&command.shell).into());
    }
    if let Some(parent) = event.payload.context.parent_process.first() {
        let mut of = json!({"pid": parent.pid, "name": parent.name});
        if let (Some(path), Some(of)) = (&parent.exe, of.as_object_mut()) {
            of.insert(
                "file".to_owned(),
                json!({"name": parent.name, "path": path, "type_id": 1}),
            );
        }
        put("parent_process", of);
    }
    if let Some(user) = user(event) {
        put("user", user);
    }
    Value::Object(out)
}

fn user(event: &Event) -> Option<Value> {
    let mut out = json!({"name": person(event)?, "type_id": 1});
    let from = &event.payload.user;
    let fields = out.as_object_mut()?;
    if let Some(uid) = from.uid {
        fields.insert("uid".to_owned(), uid.to_string().into());
    }
    if let Some(email) = &from.email {
        fields.insert("email_addr".to_owned(), email.clone().into());
    }
    Some(out)
}

/// Whoever acts: a person, or an AI agent for them.
fn actor(event: &Event) -> Value {
    let context = &event.payload.context;
    let mut out = Map::new();
    if let Some(user) = user(event) {
        out.insert("user".to_owned(), user);
    }
    if !context.session_id.is_empty() {
        out.insert("session".to_owned(), json!({"uid": context.session_id}));
    }
    if let Some(agent) = &context.agent {
        out.insert("app_name".to_owned(), agent.name.clone().into());
    }
    if out.is_empty() {
        out.insert("app_name".to_owned(), "cmdai".into());
    }
    Value::Object(out)
}

fn device(event: &Event) -> Value {
    let (system, _) = platform(event);
    let (type_id, name) = match system {
        "linux" => (200, "Linux"),
        "macos" => (300, "macOS"),
        "windows" => (100, "Windows"),
        _ => (0, "Unknown"),
    };
    let mut out = json!({
        "type_id": 0, "type": "Unknown",
        "uid": event.envelope.machine_id,
        "hostname": event.payload.machine.hostname,
        "os": {"name": name, "type_id": type_id},
    });
    if let (Some(ip), Some(out)) = (&event.payload.machine.ip_address, out.as_object_mut()) {
        out.insert("ip".to_owned(), ip.clone().into());
    }
    out
}

fn metadata(event: &Event) -> Value {
    json!({
        "version": "1.3.0",
        "profiles": ["host", "security_control"],
        "product": {"name": "cmdai", "vendor_name": "cmdai", "version": VERSION},
        "uid": event.envelope.event_id,
        "event_code": event.envelope.event_type.as_str(),
        "sequence": event.envelope.seq,
        "original_time": event.envelope.time,
        "log_name": event.envelope.schema,
    })
}

/// What the class has no attribute for.
fn unmapped(event: &Event) -> Value {
    let mut fields = super::own(event);
    if let Some(command) = &event.payload.command {
        fields.insert(
            "working_directory".to_owned(),
            json!(command.working_directory),
        );
    }
    fields.into()
}
