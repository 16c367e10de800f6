//! From a call of the hook to its answer.

use cmdai_effects::NoSession;
use cmdai_gate::Capture;
use cmdai_gate::render::View;
use cmdai_gate::{
    Attribution, Gate, Manner, Outcome, Recorder, Request, SessionInfo, Settled, Voice, origin,
    short_id,
};
use cmdai_languages::Grammars;
use cmdai_schema::{AgentInfo, Decision, Dialect, Hash, Layer, exit_code};
use serde_json::json;

use crate::agents::{Agent, Answer, Call, Moment};

/// Answers one call. Never says "allow"; every error is a denial.
pub fn answer(agent: Agent, event: Option<&str>, input: &[u8], gate: &mut Gate) -> Answer {
    cmdai_gate::fault::point("hook");
    let call = match Call::read(agent, event, input) {
        Ok(call) => call,
        Err(error) => return Answer::failure(&error.to_string()),
    };
    let who = origin::hook(AgentInfo {
        version: version(),
        ..call.agent.clone()
    });
    match &call.moment {
        Moment::Other => Answer::default(),
        Moment::Before { command } => before(agent, &call, command, &who, gate),
        Moment::After {
            exit_code,
            duration_ms,
        } => {
            let person = gate.person();
            let cwd = call.cwd.as_deref().unwrap_or("/");
            // Where the first half was kept private there is nothing to end.
            let capture = gate.policies().capture(cwd, person.home_text());
            if matches!(capture, Some(Capture::Metadata | Capture::Full)) {
                let micros = duration_ms.unwrap_or(0).saturating_mul(1000);
                recorder(&call, &who, gate).end(&command_id(&call), *exit_code, micros);
            }
            Answer::default()
        }
        Moment::SessionStart => {
            recorder(&call, &who, gate).session_start(agent.as_str());
            Answer::default()
        }
        Moment::SessionEnd => {
            recorder(&call, &who, gate).session_end();
            Answer::default()
        }
    }
}

fn before(agent: Agent, call: &Call, command: &str, who: &Attribution, gate: &mut Gate) -> Answer {
    let person = gate.person().clone();
    let here = std::env::current_dir()
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned));
    let cwd = call.cwd.clone().or(here).unwrap_or_else(|| "/".to_owned());
    let request = Request {
        text: command,
        dialect: Dialect::Bash,
        cwd: &cwd,
        home: person.home_text(),
        user: &person.login,
        session: &NoSession,
        languages: &Grammars,
        who,
        terminal: false,
        facts: None,
    };
    let outcome = gate.judge(&request);
    let mut recorder = recorder(call, who, gate);
    let id = command_id(call);
    let manner = Manner {
        command_id: Some(&id),
        ..Manner::default()
    };
    let settled = gate.settle(&request, &outcome, &mut Silent, &mut recorder, manner);
    if settled.run {
        return Answer::default();
    }
    let reason = reason(&outcome, &settled, gate.installation().is_governed());
    deny(agent, &reason)
}

/// The words that the agent reads: why, what instead, and how to ask.
fn reason(outcome: &Outcome, settled: &Settled, governed: bool) -> String {
    let judgement = &outcome.judgement;
    let mut words = String::from("cmdai blocked this command");
    if settled.unrecorded {
        words.push_str(
            ", because it cannot be recorded. A person has to see to this machine first.",
        );
    } else if let Some(rule) = judgement.deciding_rule() {
        words.push_str(&format!(": {} (rule {}).", rule.reason, rule.id));
        if let Some(instead) = &rule.instead {
            words.push_str(&format!(" Safer: `{instead}`."));
        }
    } else {
        words.push('.');
    }
    match &settled.approval {
        Some(approval) if approval.status == "pending" => words.push_str(&format!(
            " Another person has to approve it: request {} is open. Repeat exactly this command once it was approved; do not try another way.",
            approval.request_id
        )),
        Some(approval) if approval.status == "denied" => {
            words.push_str(&format!(" The approval was refused: {}.", approval.reason.as_deref().unwrap_or("no reason given")));
        }
        _ if judgement.decision == Decision::RequireApproval => {
            words.push_str(" It needs an approval, and nobody can be asked for one from here.");
        }
        _ if judgement.decision == Decision::Confirm => {
            words.push_str(" A person has to confirm it: ask them to run it in their own terminal.");
        }
        _ if governed => {
            words.push_str(&format!(" The person can see why: cmdai why {}.", short_id(&settled.command_id)));
        }
        _ => {}
    }
    cmdai_gate::escape(&words)
}

/// A denial, in the harness's own form and with the status that all of them understand.
fn deny(agent: Agent, reason: &str) -> Answer {
    let body = match agent {
        Agent::ClaudeCode | Agent::Codex | Agent::QwenCode | Agent::Opencode => json!({
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": reason,
            }
        }),
        Agent::GeminiCli => json!({"decision": "deny", "reason": reason}),
        Agent::CopilotCli => {
            json!({"permissionDecision": "deny", "permissionDecisionReason": reason})
        }
    };
    Answer {
        stdout: format!("{body}\n"),
        stderr: format!("{reason}\n"),
        status: exit_code::HOOK_DENY,
    }
}

/// A session of the agent is a session of records, shared by all processes of the hook.
fn recorder(call: &Call, who: &Attribution, gate: &Gate) -> Recorder {
    let session = call.agent.session_id.as_deref().unwrap_or("unnamed");
    let info = SessionInfo {
        id: format!("{}-{session}", call.agent.name),
        layer: Layer::AgentHook,
        who: who.clone(),
        shared: true,
    };
    Recorder::open(gate.installation(), gate.person(), info)
}

/// The same for the call before and the call after, which are different processes: made from the
/// agent's own names for session and tool call.
fn command_id(call: &Call) -> String {
    let (Some(session), Some(tool_call)) = (&call.agent.session_id, &call.agent.tool_call_id)
    else {
        return cmdai_gate::fresh_id();
    };
    let hex = Hash::of(&[
        call.agent.name.as_bytes(),
        b"\0",
        session.as_bytes(),
        b"\0",
        tool_call.as_bytes(),
    ])
    .to_hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-8{}-8{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    )
}

/// The harness's version out of `AI_AGENT`: `claude-code_2-1-330_harness`.
fn version() -> Option<String> {
    let marker = std::env::var("AI_AGENT").ok()?;
    let version = marker.split('_').nth(1)?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| version.replace('-', "."))
}

/// Nobody reads along: the answer itself carries the words.
struct Silent;

impl Voice for Silent {
    fn say(&mut self, _message: &str) {}

    fn confirm(&mut self) -> bool {
        false
    }

    fn view(&self) -> View<'static> {
        View {
            colour: false,
            width: 80,
            command_id: None,
            governed: false,
            can_answer: false,
            request_id: None,
        }
    }
}
