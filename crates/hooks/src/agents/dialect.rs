//! What each harness sends, read into one form.

use cmdai_schema::AgentInfo;
use serde_json::Value;

use super::deed::Deed;
use super::harness::Agent;

/// When in a tool call or session the hook is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// Before a tool runs a command or changes files; the harness waits for the answer.
    Before(Deed),
    /// After a command ran.
    After {
        /// Exit status; nothing where the harness does not tell it.
        exit_code: Option<i32>,
        /// Milliseconds, where they are told.
        duration_ms: Option<u64>,
    },
    /// A session begins.
    SessionStart,
    /// A session ends.
    SessionEnd,
    /// A tool that runs no command and changes no file, or an event of no interest.
    Other,
    /// An event that this version of cmdai has not heard of.
    Unheard(String),
}

/// One call of the hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When.
    pub moment: Moment,
    /// Who.
    pub agent: AgentInfo,
    /// Working directory of the agent.
    pub cwd: Option<String>,
    /// How the harness treats permissions in this session, in its own word.
    pub permission_mode: Option<String>,
}

/// Why an input is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not JSON.
    #[error("the input is not JSON: {0}")]
    Json(String),
    /// Something that has to be there is not.
    #[error("the input has no {0}")]
    Missing(&'static str),
    /// Written by a plugin of another version of cmdai.
    #[error(
        "the plugin speaks contract {0} and this cmdai {CONTRACT}: run `cmdai integrate` again"
    )]
    Contract(u64),
}

/// Version of what our own plugins send, in their field `cmdai_contract`.
pub const CONTRACT: u64 = 1;

/// Events that concern a tool call before it happens.
const BEFORE: &[&str] = &[
    "PreToolUse",
    "preToolUse",
    "BeforeTool",
    "beforeShellExecution",
    "pre_run_command",
    "pre_write_code",
];
const AFTER: &[&str] = &[
    "PostToolUse",
    "postToolUse",
    "AfterTool",
    "PostToolUseFailure",
    "postToolUseFailure",
    "afterShellExecution",
    "post_run_command",
];
/// Events that say nothing about a command.
const KNOWN: &[&str] = &[
    "PermissionRequest",
    "permissionRequest",
    "PermissionDenied",
    "Notification",
    "notification",
    "UserPromptSubmit",
    "userPromptSubmitted",
    "beforeSubmitPrompt",
    "pre_user_prompt",
    "Stop",
    "stop",
    "StopFailure",
    "agentStop",
    "SubagentStart",
    "SubagentStop",
    "subagentStart",
    "subagentStop",
    "PreCompact",
    "preCompact",
    "PostCompact",
    "PreCompress",
    "BeforeAgent",
    "AfterAgent",
    "BeforeModel",
    "AfterModel",
    "BeforeToolSelection",
    "afterFileEdit",
    "beforeReadFile",
    "afterAgentResponse",
    "afterAgentThought",
    "afterMCPExecution",
    "post_write_code",
    "pre_read_code",
    "post_read_code",
    "post_mcp_tool_use",
    "post_cascade_response",
    "errorOccurred",
    "Setup",
    "ConfigChange",
    "TeammateIdle",
    "TaskCompleted",
];

impl Call {
    /// Reads what a harness sent. `event` is used where the input does not name its event.
    ///
    /// # Errors
    /// Where it is not JSON, names no event, or is about a tool that runs commands or changes files
    /// and does not say which.
    pub fn read(agent: Agent, event: Option<&str>, input: &[u8]) -> Result<Self, CallError> {
        let body: Value =
            serde_json::from_slice(input).map_err(|error| CallError::Json(error.to_string()))?;
        let text = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| body.get(name)?.as_str())
                .filter(|text| !text.is_empty())
        };
        if let Some(contract) = body.get("cmdai_contract").and_then(Value::as_u64)
            && contract != CONTRACT
        {
            return Err(CallError::Contract(contract));
        }
        let event = text(&["hook_event_name", "hookEventName", "agent_action_name"])
            .or(event)
            .ok_or(CallError::Missing("event name"))?;
        let moment = if BEFORE.contains(&event) {
            before(event, &body)?
        } else if AFTER.contains(&event) {
            after(event, &body)
        } else {
            match event {
                "SessionStart" | "sessionStart" => Moment::SessionStart,
                "SessionEnd" | "sessionEnd" => Moment::SessionEnd,
                known if KNOWN.contains(&known) => Moment::Other,
                other => Moment::Unheard(other.chars().take(60).collect()),
            }
        };
        let place = text(&["cwd"])
            .or_else(|| body.get("tool_info")?.get("cwd")?.as_str())
            .or_else(|| body.get("workspace_roots")?.as_array()?.first()?.as_str());
        // A command may be told to run in another folder than the session's.
        let within = body
            .get("tool_input")
            .or_else(|| body.get("toolArgs"))
            .and_then(|input| {
                [
                    "workdir",
                    "working_directory",
                    "dir_path",
                    "directory",
                    "cwd",
                ]
                .iter()
                .find_map(|name| input.get(name)?.as_str())
            })
            .filter(|_| matches!(moment, Moment::Before(Deed::Command { .. })));
        Ok(Self {
            moment,
            agent: AgentInfo {
                name: agent.as_str().to_owned(),
                version: text(&["cursor_version", "agent_version"]).map(str::to_owned),
                session_id: text(&[
                    "session_id",
                    "sessionId",
                    "conversation_id",
                    "trajectory_id",
                ])
                .map(str::to_owned),
                tool_call_id: text(&["tool_use_id", "toolUseId", "toolCallId", "execution_id"])
                    .map(str::to_owned),
            },
            cwd: match (place.filter(|cwd| cwd.starts_with('/')), within) {
                (_, Some(within)) if within.starts_with('/') => Some(within.to_owned()),
                (Some(place), Some(within)) if !within.is_empty() => {
                    Some(format!("{}/{within}", place.trim_end_matches('/')))
                }
                (place, _) => place.map(str::to_owned),
            },
            permission_mode: text(&["permission_mode", "permissionMode"]).map(str::to_owned),
        })
    }
}

fn before(event: &str, body: &Value) -> Result<Moment, CallError> {
    let deed = match event {
        // These say by their name which tool it is.
        "beforeShellExecution" => Deed::of_tool("shell", Some(body))?,
        "pre_run_command" => Deed::of_tool("shell", body.get("tool_info"))?,
        "pre_write_code" => Deed::of_tool("edit", body.get("tool_info"))?,
        _ => {
            let tool = body
                .get("tool_name")
                .or_else(|| body.get("toolName"))
                .and_then(Value::as_str)
                .filter(|tool| !tool.is_empty())
                .ok_or(CallError::Missing("tool name"))?;
            let input = body.get("tool_input").or_else(|| body.get("toolArgs"));
            Deed::of_tool(tool, input)?
        }
    };
    Ok(deed.map_or(Moment::Other, Moment::Before))
}

fn after(event: &str, body: &Value) -> Moment {
    let tool = body
        .get("tool_name")
        .or_else(|| body.get("toolName"))
        .and_then(Value::as_str);
    let input = body.get("tool_input").or_else(|| body.get("toolArgs"));
    let ran = match (event, tool) {
        ("afterShellExecution" | "post_run_command", _) => true,
        (_, Some(tool)) => matches!(Deed::of_tool(tool, input), Ok(Some(_))),
        _ => false,
    };
    if !ran {
        return Moment::Other;
    }
    let failed = matches!(event, "PostToolUseFailure" | "postToolUseFailure");
    Moment::After {
        exit_code: exit_status(body, failed),
        duration_ms: body
            .get("duration_ms")
            .or_else(|| body.get("duration"))
            .and_then(Value::as_u64),
    }
}

/// The exit status, as far as a harness tells it: as a number, in words, or by the kind of event.
fn exit_status(body: &Value, failed: bool) -> Option<i32> {
    let number = |value: Option<&Value>| {
        value
            .and_then(Value::as_i64)
            .and_then(|code| i32::try_from(code).ok())
    };
    let response = body
        .get("tool_response")
        .or_else(|| body.get("toolResult"))
        .or_else(|| body.get("tool_info"));
    let told = response.and_then(|response| {
        number(
            response
                .get("exit_code")
                .or_else(|| response.get("exitCode")),
        )
    });
    let metadata = || number(body.get("metadata")?.get("exit"));
    let words = || {
        let response = response?;
        ["error", "llmContent", "textResultForLlm"]
            .iter()
            .find_map(|name| in_words(response.get(name)?.as_str()?))
    };
    let error = || in_words(body.get("error")?.as_str()?);
    told.or_else(metadata)
        .or_else(error)
        .or_else(words)
        .or_else(|| {
            let kind = response.and_then(|response| response.get("resultType")?.as_str());
            match (failed, response, kind) {
                (true, ..) | (_, _, Some("failure" | "denied")) => Some(1),
                // A plain text, as Codex sends it, is what was printed and not how it ended.
                (_, None | Some(Value::String(_)), _) => None,
                _ => Some(0),
            }
        })
}

/// `Exit code 3`, `exited with exit code 3`, `Exit Code: 3`: the last one that is said.
fn in_words(text: &str) -> Option<i32> {
    let lower = text.to_ascii_lowercase();
    let (_, rest) = lower.rsplit_once("exit code")?;
    let digits: String = rest
        .trim_start_matches([':', ' '])
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}
