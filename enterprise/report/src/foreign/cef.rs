//! Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value …`.
//!
//! In the header a backslash and a bar are escaped, in the extension a backslash and an equals sign; line breaks
//! are written `\n` in the extension and are blanks in the header. Lengths are those of the dictionary.

use std::fmt::Write as _;

use cmdai_schema::{Event, Risk};
use jiff::Timestamp;

use super::{VERSION, allowed, cut, person, program, risk};

/// 0 to 10.
fn severity(event: &Event) -> u8 {
    match risk(event) {
        None => 3,
        Some(Risk::Safe) => 1,
        Some(Risk::Moderate) => 5,
        Some(Risk::High) => 8,
        Some(Risk::Critical) => 10,
    }
}

fn header(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '|' => {
                out.push('\\');
                out.push(character);
            }
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

fn value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '=' => out.push_str("\\="),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            control if control.is_control() && control != '\t' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// The extension being written.
struct Extension(String);

impl Extension {
    fn put(&mut self, key: &str, text: &str, most: usize) {
        if text.is_empty() {
            return;
        }
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        let _ = write!(self.0, "{key}={}", value(cut(text, most)));
    }

    /// A field of our own, with its label.
    fn own(&mut self, number: u8, label: &str, text: &str) {
        if !text.is_empty() {
            self.put(&format!("cs{number}"), text, 4_000);
            self.put(&format!("cs{number}Label"), label, 1_023);
        }
    }
}

pub(super) fn event(event: &Event, time: Timestamp) -> String {
    let payload = &event.payload;
    let class = event.envelope.event_type.as_str();
    let policy = payload.policy_evaluation.as_ref();
    let rule = policy.and_then(|policy| policy.violated_rules.first());
    let mut out = Extension(String::new());
    out.put("rt", &time.as_millisecond().to_string(), 32);
    out.put("externalId", &event.envelope.event_id, 40);
    out.put("dvchost", &payload.machine.hostname, 100);
    out.put("deviceExternalId", &event.envelope.machine_id, 255);
    if let Some(ip) = &payload.machine.ip_address {
        out.put("dvc", ip, 45);
    }
    out.put("suser", person(event).unwrap_or_default(), 1_023);
    if let Some(uid) = payload.user.uid {
        out.put("suid", &uid.to_string(), 1_023);
    }
    if let Some(allowed) = allowed(event) {
        out.put("act", if allowed { "allowed" } else { "blocked" }, 63);
    }
    if let Some(code) = payload.execution.as_ref().and_then(|run| run.exit_code) {
        out.put("outcome", if code == 0 { "success" } else { "failure" }, 63);
        out.put("cn1", &code.to_string(), 20);
        out.put("cn1Label", "exit status", 1_023);
    }
    out.put("sproc", program(event).unwrap_or_default(), 1_023);
    out.put(
        "reason",
        policy.map_or("", |policy| policy.reason.as_str()),
        1_023,
    );
    if let Some(command) = &payload.command {
        out.put("msg", &command.text, 1_023);
        out.own(1, "command", &command.text);
        out.own(2, "working directory", &command.working_directory);
        if let Some(times) = command.times {
            out.put("cnt", &times.to_string(), 20);
        }
    }
    if let Some(policy) = policy {
        out.own(3, "decision", policy.decision.as_str());
        out.own(4, "rules", &policy.violated_rules.join(" "));
    }
    let agent = payload.context.agent.as_ref();
    out.own(5, "agent", agent.map_or("", |agent| agent.name.as_str()));
    out.own(6, "session", &payload.context.session_id);
    format!(
        "CEF:0|cmdai|cmdai|{}|{}|{}|{}|{}",
        header(VERSION),
        header(class),
        header(rule.map_or(class, String::as_str)),
        severity(event),
        out.0
    )
}
