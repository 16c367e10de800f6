//! Answers, in each harness's own words.

use cmdai_schema::exit_code;
use serde_json::{Value, json};

use super::Answer;
use super::harness::{Agent, Words};

/// A denial. Every harness here takes exit status 2 as a block and shows standard error to the
/// model; the words on standard output are for those that read them all the same.
pub(super) fn deny(agent: Agent, reason: &str) -> Answer {
    let body = match agent.harness().words {
        Words::Nested => Some(nested("deny", reason)),
        Words::Decision => Some(json!({"decision": "deny", "reason": reason})),
        Words::Flat => Some(flat("deny", reason)),
        Words::Permission => {
            Some(json!({"permission": "deny", "user_message": reason, "agent_message": reason}))
        }
        Words::Status => None,
    };
    Answer {
        stdout: body.map(line).unwrap_or_default(),
        stderr: format!("{reason}\n"),
        status: exit_code::HOOK_DENY,
    }
}

/// The question that the harness puts to its person. Nothing where it has no words for one.
pub(super) fn ask(agent: Agent, reason: &str) -> Option<Answer> {
    let body = match agent.harness().words {
        Words::Nested => nested("ask", reason),
        Words::Flat => flat("ask", reason),
        Words::Decision | Words::Permission | Words::Status => return None,
    };
    Some(Answer {
        stdout: line(body),
        ..Answer::default()
    })
}

/// A message for the person beside a command that runs; no opinion on whether it may.
pub(super) fn warn(agent: Agent, message: &str) -> Answer {
    if !agent.harness().warns {
        return Answer::default();
    }
    Answer {
        stdout: line(json!({"systemMessage": message})),
        ..Answer::default()
    }
}

fn nested(decision: &str, reason: &str) -> Value {
    json!({
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": decision,
            "permissionDecisionReason": reason,
        }
    })
}

fn flat(decision: &str, reason: &str) -> Value {
    json!({"permissionDecision": decision, "permissionDecisionReason": reason})
}

fn line(body: Value) -> String {
    format!("{body}\n")
}
