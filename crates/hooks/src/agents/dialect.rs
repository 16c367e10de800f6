//! What each harness sends, read into one form.

use cmdai_schema::AgentInfo;
use serde_json::Value;

/// The harnesses whose dialect is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// Claude Code.
    ClaudeCode,
    /// Codex, which speaks Claude Code's dialect.
    Codex,
    /// Gemini CLI.
    GeminiCli,
    /// Qwen Code, which speaks Claude Code's dialect.
    QwenCode,
    /// GitHub Copilot CLI.
    CopilotCli,
    /// opencode, through the plugin that `cmdai integrate opencode` writes.
    Opencode,
}

impl Agent {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ClaudeCode,
        Self::Codex,
        Self::GeminiCli,
        Self::QwenCode,
        Self::CopilotCli,
        Self::Opencode,
    ];

    /// The name on the command line and in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::GeminiCli => "gemini-cli",
            Self::QwenCode => "qwen-code",
            Self::CopilotCli => "copilot-cli",
            Self::Opencode => "opencode",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        let alias = match name {
            "claude" => "claude-code",
            "gemini" => "gemini-cli",
            "qwen" => "qwen-code",
            "copilot" => "copilot-cli",
            other => other,
        };
        Self::ALL.into_iter().find(|agent| agent.as_str() == alias)
    }
}

/// When in a tool call or session the hook is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// Before a command runs; the harness waits for the answer.
    Before {
        /// The command.
        command: String,
    },
    /// After it ran.
    After {
        /// Exit status, as far as it is told.
        exit_code: i32,
        /// Milliseconds, where they are told.
        duration_ms: Option<u64>,
    },
    /// A session begins.
    SessionStart,
    /// A session ends.
    SessionEnd,
    /// A tool that runs no command, or an event of no interest.
    Other,
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
}

/// Names of the tools that take a command, over all harnesses.
const SHELL_TOOLS: &[&str] = &[
    "Bash",
    "bash",
    "shell",
    "exec_command",
    "run_shell_command",
    "run_in_terminal",
    "local_shell",
];

impl Call {
    /// Reads what a harness sent. `event` is used where the input does not name its event.
    ///
    /// # Errors
    /// Where it is not JSON, names no event, or is about a shell tool and has no command.
    pub fn read(agent: Agent, event: Option<&str>, input: &[u8]) -> Result<Self, CallError> {
        let body: Value =
            serde_json::from_slice(input).map_err(|error| CallError::Json(error.to_string()))?;
        let text = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| body.get(name)?.as_str())
                .filter(|text| !text.is_empty())
        };
        let event = text(&["hook_event_name", "hookEventName"])
            .or(event)
            .ok_or(CallError::Missing("event name"))?;
        let tool = text(&["tool_name", "toolName"]);
        let runs_commands = tool.is_some_and(|tool| SHELL_TOOLS.contains(&tool));
        let moment = match event {
            "PreToolUse" | "preToolUse" | "BeforeTool" => {
                tool.ok_or(CallError::Missing("tool name"))?;
                if runs_commands {
                    Moment::Before {
                        command: command(&body)?,
                    }
                } else {
                    Moment::Other
                }
            }
            "PostToolUse" | "postToolUse" | "AfterTool" | "PostToolUseFailure" if runs_commands => {
                Moment::After {
                    exit_code: exit_status(&body, event == "PostToolUseFailure"),
                    duration_ms: body.get("duration_ms").and_then(Value::as_u64),
                }
            }
            "SessionStart" | "sessionStart" => Moment::SessionStart,
            "SessionEnd" | "sessionEnd" => Moment::SessionEnd,
            _ => Moment::Other,
        };
        Ok(Self {
            moment,
            agent: AgentInfo {
                name: agent.as_str().to_owned(),
                version: None,
                session_id: text(&["session_id", "sessionId"]).map(str::to_owned),
                tool_call_id: text(&["tool_use_id", "toolUseId", "toolCallId"]).map(str::to_owned),
            },
            cwd: text(&["cwd"])
                .filter(|cwd| cwd.starts_with('/'))
                .map(str::to_owned),
        })
    }
}

/// The command: a text, or words (then quoted back into a text). Some harnesses send the tool's
/// arguments as JSON inside a text.
fn command(body: &Value) -> Result<String, CallError> {
    let input = body
        .get("tool_input")
        .or_else(|| body.get("toolArgs"))
        .ok_or(CallError::Missing("tool input"))?;
    let parsed;
    let input = match input.as_str() {
        Some(text) => {
            parsed = serde_json::from_str::<Value>(text)
                .map_err(|error| CallError::Json(error.to_string()))?;
            &parsed
        }
        None => input,
    };
    let found = input
        .get("command")
        .or_else(|| input.get("cmd"))
        .ok_or(CallError::Missing("command"))?;
    match found {
        Value::String(text) => Ok(text.clone()),
        Value::Array(words) => {
            let words: Option<Vec<String>> = words
                .iter()
                .map(|word| word.as_str().map(crate::places::quoted))
                .collect();
            words
                .map(|words| words.join(" "))
                .ok_or(CallError::Missing("command made of texts"))
        }
        _ => Err(CallError::Missing("command as a text")),
    }
}

/// The exit status, as far as a harness tells it.
fn exit_status(body: &Value, failed: bool) -> i32 {
    let number = |value: Option<&Value>| {
        value
            .and_then(Value::as_i64)
            .and_then(|code| i32::try_from(code).ok())
    };
    let response = body.get("tool_response").or_else(|| body.get("toolResult"));
    number(response.and_then(|response| {
        response
            .get("exit_code")
            .or_else(|| response.get("exitCode"))
    }))
    .or_else(|| {
        number(
            body.get("metadata")
                .and_then(|metadata| metadata.get("exit")),
        )
    })
    .or_else(|| {
        let error = body.get("error").and_then(Value::as_str)?;
        let digits: String = error
            .split_once("xit code ")?
            .1
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().ok()
    })
    .unwrap_or(i32::from(failed))
}
