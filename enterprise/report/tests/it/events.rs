//! Events of each kind: with everything that one can hold, with hardly anything, and with hostile texts.

use cmdai_report::{Foreign, line};
use cmdai_schema::{Event, EventType};
use serde_json::{Value, json};

/// What would break a line, a header, a pair, or a reader.
pub(crate) const HOSTILE: &str =
    "echo 'a|b=c\\d' \"]\" \n\r\t\u{1b}[31m\u{7f} \u{202e}ünï ] CEF:0|x|\u{feff}";

fn event(of_type: &str, text: &str, risk: &str, allowed: bool) -> Value {
    json!({
        "schema": "cmdai.event/1", "event_id": "0198f000-0000-7000-8000-000000000001", "seq": 4_294_967_299u64,
        "prev_hash": "00".repeat(32), "time": "2026-01-01T00:00:00.250Z", "event_type": of_type,
        "machine_id": "m-1", "commitment": "00".repeat(32), "salt": "07".repeat(16),
        "asserted_by": "user-hook", "monotonic_ns": 12,
        "machine": {"hostname": "dev 1\n", "platform": "linux-x86_64", "ip_address": "192.0.2.7"},
        "user": {"user_id": "ana", "uid": 1000, "team": "platform", "email": "ana@example.org"},
        "command": {
            "command_id": "0198f000-0000-7000-8000-000000000002", "text": text, "digest": "v1:sha256:00",
            "source": "agent", "working_directory": text, "shell": "bash",
            "programs": ["sudo", "rm"], "effects": ["delete"], "times": 3,
        },
        "policy_evaluation": {
            "decision": if allowed { "warn" } else { "deny" }, "reason": text, "violated_rules": [text, "b"],
            "risk_level": risk, "certainty": "proven", "policy_id": "acme", "policy_version": "41",
            "engine_version": "0.1.0", "micros": 21,
        },
        "approval": {"request_id": "ABCD2345", "status": "pending"},
        "execution": {"allowed": allowed, "exit_code": if allowed { 0 } else { 126 }, "duration_ms": 12},
        "context": {
            "session_id": "s1", "counter": 1, "layer": "agent-hook", "tty": "/dev/pts/0",
            "parent_process": [{"pid": 7, "name": "bash", "exe": "/usr/bin/bash"}],
            "origin": {"kind": "agent", "confidence": 900, "evidence": ["tty"]},
            "agent": {"name": "claude-code", "version": "2"},
        },
        "detail": {"finding": "x", "text": text},
    })
}

/// Every kind of event, whole and bare, each with ordinary and hostile texts.
pub(crate) fn all() -> Vec<Event> {
    let mut all = Vec::new();
    for of_type in EventType::ALL.map(EventType::as_str) {
        let risks = ["safe", "moderate", "high", "critical"];
        for (risk, allowed) in risks.into_iter().zip([true, true, false, false]) {
            all.push(event(of_type, "rm -rf /srv", risk, allowed));
        }
        all.push(event(of_type, HOSTILE, "high", false));
        all.push(event(of_type, &"ä".repeat(9_000), "high", true));
        let mut bare = event(of_type, "", "safe", true);
        for part in [
            "command",
            "policy_evaluation",
            "approval",
            "execution",
            "detail",
        ] {
            bare.as_object_mut().unwrap().remove(part);
        }
        bare["user"] = json!({"user_id": ""});
        bare["machine"] = json!({"hostname": "", "platform": "plan9"});
        bare["context"] = json!({"session_id": "", "counter": 0, "layer": "sensor", "origin": {"kind": "human", "confidence": 0}});
        all.push(bare);
    }
    all.into_iter()
        .map(|event| serde_json::from_value(event).unwrap())
        .collect()
}

/// Each as a line, with the event beside it.
pub(crate) fn lines(format: Foreign) -> Vec<(Event, String)> {
    let lines = all().into_iter().map(|event| {
        let line = line(format, &event).unwrap();
        assert!(!line.contains(['\n', '\r']), "{line}");
        (event, line)
    });
    lines.collect()
}

/// The same as JSON.
pub(crate) fn documents(format: Foreign) -> Vec<(Event, Value)> {
    let lines = lines(format).into_iter();
    lines
        .map(|(event, line)| (event, serde_json::from_str(&line).unwrap()))
        .collect()
}

#[test]
fn a_time_that_is_none_is_named() {
    let mut broken = event("gap", "", "safe", true);
    broken["time"] = "yesterday".into();
    let broken = serde_json::from_value(broken).unwrap();
    for format in Foreign::ALL {
        let error = line(format, &broken).unwrap_err().to_string();
        assert!(
            error.contains("yesterday") && error.contains("0198f000"),
            "{error}"
        );
    }
}
