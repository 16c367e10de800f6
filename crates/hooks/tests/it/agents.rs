//! The dialects of agents, from what they send to what they read.

use cmdai_effects::NoSession;
use cmdai_gate::{Gate, Installation, Person, Request, origin};
use cmdai_hooks::agents::{Agent, Answer, Call, Moment, answer};
use cmdai_languages::Grammars;
use cmdai_schema::governor::Reply;
use cmdai_schema::record::Half;
use cmdai_schema::{Decision, Dialect, Layer};
use cmdai_testkit::{FakeGovernor, Home};
use serde_json::{Value, json};

use crate::support::{POLICY, snapshot};

fn gate(home: &Home) -> Gate {
    let environment = home.environment();
    let uid = Person::current().uid;
    let person = Person::from_environment(uid, &move |name| {
        environment
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    });
    Gate::with(
        Installation::detect_with(std::path::Path::new("/does/not/exist"), &person),
        person,
    )
}

fn person() -> Home {
    let home = Home::new().unwrap();
    home.policy(POLICY).unwrap();
    home
}

fn before(command: &str, call: &str) -> Value {
    json!({"session_id": "s-1", "transcript_path": "/t", "cwd": "/tmp", "permission_mode": "bypassPermissions",
           "hook_event_name": "PreToolUse", "tool_name": "Bash",
           "tool_input": {"command": command, "description": "x"}, "tool_use_id": call})
}

fn ask(agent: Agent, input: &Value, gate: &mut Gate) -> Answer {
    answer(agent, None, input.to_string().as_bytes(), gate)
}

#[test]
fn a_command_that_may_run_gets_no_opinion_and_a_record_with_both_halves() {
    let home = person();
    let mut gate = gate(&home);
    assert_eq!(
        ask(Agent::ClaudeCode, &before("echo hello", "t1"), &mut gate),
        Answer::default()
    );
    let after = json!({"session_id": "s-1", "cwd": "/tmp", "hook_event_name": "PostToolUse", "tool_name": "Bash",
        "tool_input": {"command": "echo hello"}, "tool_response": {"stdout": "hello"}, "tool_use_id": "t1", "duration_ms": 12});
    assert_eq!(ask(Agent::ClaudeCode, &after, &mut gate), Answer::default());
    let records = home.records().unwrap();
    assert_eq!(
        records
            .iter()
            .map(|record| record.counter)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    let Half::Start(start) = &records[0].half else {
        panic!("{records:?}")
    };
    assert_eq!(start.layer, Layer::AgentHook);
    let agent = start.agent.as_ref().unwrap();
    assert_eq!(
        (
            agent.name.as_str(),
            agent.session_id.as_deref(),
            agent.tool_call_id.as_deref()
        ),
        ("claude-code", Some("s-1"), Some("t1"))
    );
    assert_eq!(start.origin.evidence, ["hook:claude-code"]);
    assert!(
        matches!(&records[1].half, Half::End { command_id, exit_code: 0, duration_us: 12000 } if *command_id == start.command_id)
    );
}

#[test]
fn a_denial_says_why_with_the_status_that_blocks() {
    let home = person();
    let mut gate = gate(&home);
    let said = ask(
        Agent::ClaudeCode,
        &before("echo x; frobnicate \u{1b}[31m", "t1"),
        &mut gate,
    );
    assert_eq!(said.status, 2);
    let body: Value = serde_json::from_str(&said.stdout).unwrap();
    let inner = &body["hookSpecificOutput"];
    assert_eq!(
        (
            inner["hookEventName"].as_str(),
            inner["permissionDecision"].as_str()
        ),
        (Some("PreToolUse"), Some("deny"))
    );
    assert!(
        said.stderr.contains("Frobnicating is not done here")
            && said.stderr.contains("test.frobnicate"),
        "{}",
        said.stderr
    );
    assert!(!said.stderr.contains('\u{1b}'));
    // A question nobody can answer is a denial.
    assert_eq!(
        ask(Agent::ClaudeCode, &before("tickle", "t2"), &mut gate).status,
        2
    );
}

#[test]
fn garbage_is_a_denial_and_other_tools_are_let_be() {
    let home = person();
    let mut gate = gate(&home);
    for input in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"hook_event_name":"PreToolUse"}"#,
        r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{}}"#,
    ] {
        let said = answer(Agent::ClaudeCode, None, input.as_bytes(), &mut gate);
        assert_eq!(said.status, 2, "{input}");
        assert!(!said.stderr.is_empty());
    }
    let other = json!({"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {"file_path": "/x"}});
    assert_eq!(ask(Agent::ClaudeCode, &other, &mut gate), Answer::default());
}

#[test]
fn an_approval_is_a_denial_with_the_request_and_passes_when_repeated() {
    let home = Home::new().unwrap();
    let places = home.govern(&snapshot()).unwrap();
    let granted = Reply::Granted {
        request_id: "R7".to_owned(),
        grant_id: "G1".to_owned(),
        approver: "eve".to_owned(),
    };
    let _governor = FakeGovernor::start(
        &places.socket,
        vec![
            Reply::Pending {
                request_id: "R7".to_owned(),
            },
            granted,
        ],
    )
    .unwrap();
    let mut gate = gate(&home);
    let said = ask(
        Agent::ClaudeCode,
        &before("deploy --to prod", "t1"),
        &mut gate,
    );
    assert_eq!(said.status, 2);
    assert!(
        said.stderr.contains("R7") && said.stderr.contains("Repeat exactly this command"),
        "{}",
        said.stderr
    );
    assert_eq!(
        ask(
            Agent::ClaudeCode,
            &before("deploy --to prod", "t2"),
            &mut gate
        ),
        Answer::default()
    );
    let records = home.spooled().unwrap().remove(0);
    let Half::Start(start) = &records[1].half else {
        panic!("{records:?}")
    };
    assert_eq!(
        start.approval.as_ref().unwrap().approver.as_deref(),
        Some("eve")
    );
}

#[test]
fn each_harness_is_answered_in_its_own_words() {
    let home = person();
    let mut gate = gate(&home);
    let gemini = json!({"session_id": "g", "cwd": "/tmp", "hook_event_name": "BeforeTool", "timestamp": "2026-01-01T00:00:00Z",
        "tool_name": "run_shell_command", "tool_input": {"command": "frobnicate"}});
    let said = ask(Agent::GeminiCli, &gemini, &mut gate);
    assert_eq!(
        (
            said.status,
            serde_json::from_str::<Value>(&said.stdout).unwrap()["decision"].as_str()
        ),
        (2, Some("deny"))
    );
    let copilot = json!({"sessionId": "c", "timestamp": 1, "cwd": "/tmp", "toolName": "bash", "toolArgs": "{\"command\":\"frobnicate\"}"});
    let said = answer(
        Agent::CopilotCli,
        Some("preToolUse"),
        copilot.to_string().as_bytes(),
        &mut gate,
    );
    assert_eq!(
        (
            said.status,
            serde_json::from_str::<Value>(&said.stdout).unwrap()["permissionDecision"].as_str()
        ),
        (2, Some("deny"))
    );
    let codex = json!({"session_id": "x", "turn_id": "1", "cwd": "/tmp", "hook_event_name": "PreToolUse", "tool_name": "Bash",
        "tool_input": {"command": ["bash", "-lc", "frobnicate; ls"]}, "tool_use_id": "u"});
    assert_eq!(
        Call::read(Agent::Codex, None, codex.to_string().as_bytes())
            .unwrap()
            .moment,
        Moment::Before {
            command: "bash -lc 'frobnicate; ls'".to_owned()
        }
    );
    assert_eq!(ask(Agent::Codex, &codex, &mut gate).status, 2);
}

#[test]
fn the_person_at_the_terminal_is_judged_the_same_way() {
    let home = person();
    let mut gate = gate(&home);
    let who = origin::hook(cmdai_schema::AgentInfo::default());
    let request = Request {
        text: "frobnicate",
        dialect: Dialect::Bash,
        cwd: "/tmp",
        home: "/",
        user: "u",
        session: &NoSession,
        languages: &Grammars,
        who: &who,
        terminal: false,
        facts: None,
    };
    assert_eq!(gate.judge(&request).judgement.decision, Decision::Deny);
}
