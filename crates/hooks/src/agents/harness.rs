//! The harnesses: what each is called, when it calls a hook, and what it can do with an answer.
//!
//! What stands here was measured with the real clients where [`Basis::Measured`] says so; the rest
//! is what their makers document. `docs/agents.md` is made from this table.

/// The harnesses whose dialect is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Cursor.
    Cursor,
    /// Windsurf.
    Windsurf,
    /// The agent of Visual Studio Code.
    VsCode,
}

/// How the table knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Tried with the real client.
    Measured,
    /// Read in its maker's documents.
    Documented,
}

/// The words in which a harness wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// `hookSpecificOutput.permissionDecision`, as Claude Code has it.
    Nested,
    /// `decision` and `reason`.
    Decision,
    /// `permissionDecision` at the top.
    Flat,
    /// `permission`, `user_message` and `agent_message`.
    Permission,
    /// Nothing but the exit status and standard error.
    Status,
}

/// What a harness does with a question for its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// Asks; refuses by itself where nobody is there.
    Asks,
    /// Asks where a person attends the session, which it tells the hook.
    AsksAttended,
    /// Runs the command, stops the session, or does not know the word: never asked of it.
    Never,
}

/// One harness.
#[derive(Debug, Clone, Copy)]
pub struct Harness {
    /// Which.
    pub agent: Agent,
    /// Name on the command line and in records.
    pub name: &'static str,
    /// Other names it is known by.
    pub aliases: &'static [&'static str],
    /// Name for people.
    pub title: &'static str,
    /// Programs that start it.
    pub programs: &'static [&'static str],
    /// Version that the dialect was taken from, and how.
    pub tested: &'static str,
    /// How this row is known.
    pub basis: Basis,
    /// Event before a tool call, after it, at the start and at the end of a session.
    pub events: [&'static str; 4],
    /// Tools that run commands, and tools that write files, as its settings name them.
    pub tools: [&'static str; 2],
    /// Answers are written so.
    pub words: Words,
    /// A message for the person beside a command that runs.
    pub warns: bool,
    /// Questions.
    pub asking: Asking,
    /// What the harness does with a hook that exits with a status other than 0 and 2, with one
    /// that runs out of time, and with one that says nothing it understands: true where it blocks.
    pub blocks: [bool; 3],
}

/// All harnesses, in the order of `cmdai integrate list`.
pub const HARNESSES: &[Harness] = &[
    Harness {
        agent: Agent::ClaudeCode,
        name: "claude-code",
        aliases: &["claude"],
        title: "Claude Code",
        programs: &["claude"],
        tested: "2.1.330",
        basis: Basis::Measured,
        events: ["PreToolUse", "PostToolUse", "SessionStart", "SessionEnd"],
        tools: [
            "Bash|PowerShell|Monitor",
            "Write|Edit|MultiEdit|NotebookEdit",
        ],
        words: Words::Nested,
        warns: true,
        asking: Asking::AsksAttended,
        blocks: [true, true, false],
    },
    Harness {
        agent: Agent::Codex,
        name: "codex",
        aliases: &[],
        title: "Codex",
        programs: &["codex"],
        tested: "0.169.0",
        basis: Basis::Measured,
        events: ["PreToolUse", "PostToolUse", "SessionStart", ""],
        tools: ["Bash", "apply_patch"],
        words: Words::Nested,
        warns: true,
        asking: Asking::Never,
        blocks: [false, false, false],
    },
    Harness {
        agent: Agent::GeminiCli,
        name: "gemini-cli",
        aliases: &["gemini"],
        title: "Gemini CLI",
        programs: &["gemini"],
        tested: "0.61.0",
        basis: Basis::Measured,
        events: ["BeforeTool", "AfterTool", "SessionStart", "SessionEnd"],
        tools: ["run_shell_command", "write_file|replace"],
        words: Words::Decision,
        warns: true,
        asking: Asking::Never,
        blocks: [false, false, false],
    },
    Harness {
        agent: Agent::QwenCode,
        name: "qwen-code",
        aliases: &["qwen"],
        title: "Qwen Code",
        programs: &["qwen"],
        tested: "0.15.10",
        basis: Basis::Measured,
        events: [
            "PreToolUse",
            "PostToolUse",
            "SessionStart (not with -p)",
            "SessionEnd",
        ],
        tools: ["run_shell_command", "write_file|edit"],
        words: Words::Nested,
        warns: true,
        asking: Asking::Never,
        blocks: [false, false, false],
    },
    Harness {
        agent: Agent::CopilotCli,
        name: "copilot-cli",
        aliases: &["copilot"],
        title: "Copilot CLI",
        programs: &["copilot"],
        tested: "1.0.102",
        basis: Basis::Measured,
        events: ["preToolUse", "postToolUse", "sessionStart", "sessionEnd"],
        tools: ["bash", "create, edit, apply_patch"],
        words: Words::Flat,
        warns: false,
        asking: Asking::Asks,
        blocks: [true, false, false],
    },
    Harness {
        agent: Agent::Opencode,
        name: "opencode",
        aliases: &[],
        title: "opencode",
        programs: &["opencode"],
        tested: "1.18.33",
        basis: Basis::Measured,
        events: ["PreToolUse", "PostToolUse", "SessionStart", ""],
        tools: ["bash", "write, edit, patch"],
        words: Words::Nested,
        warns: false,
        asking: Asking::Never,
        // The plugin is ours: whatever it cannot make sense of is a denial.
        blocks: [true, true, true],
    },
    Harness {
        agent: Agent::Cursor,
        name: "cursor",
        aliases: &["cursor-agent"],
        title: "Cursor",
        programs: &["cursor", "cursor-agent"],
        tested: "2.0",
        basis: Basis::Documented,
        events: [
            "beforeShellExecution, preToolUse",
            "afterShellExecution",
            "sessionStart",
            "sessionEnd",
        ],
        tools: ["every command", "Write|Edit|Delete"],
        words: Words::Permission,
        warns: false,
        asking: Asking::Never,
        blocks: [true, true, false],
    },
    Harness {
        agent: Agent::Windsurf,
        name: "windsurf",
        aliases: &[],
        title: "Windsurf",
        programs: &["windsurf"],
        tested: "1.12",
        basis: Basis::Documented,
        events: [
            "pre_run_command, pre_write_code",
            "post_run_command",
            "",
            "",
        ],
        tools: ["every command", "every edit"],
        words: Words::Status,
        warns: false,
        asking: Asking::Never,
        blocks: [false, false, false],
    },
    Harness {
        agent: Agent::VsCode,
        name: "vscode",
        aliases: &["vs-code", "code"],
        title: "Visual Studio Code",
        programs: &["code"],
        tested: "1.110",
        basis: Basis::Documented,
        events: ["PreToolUse", "PostToolUse", "SessionStart", ""],
        tools: [
            "run_in_terminal",
            "create_file, replace_string_in_file, apply_patch",
        ],
        words: Words::Nested,
        warns: true,
        asking: Asking::Asks,
        blocks: [false, false, false],
    },
];

impl Agent {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ClaudeCode,
        Self::Codex,
        Self::GeminiCli,
        Self::QwenCode,
        Self::CopilotCli,
        Self::Opencode,
        Self::Cursor,
        Self::Windsurf,
        Self::VsCode,
    ];

    /// What is known of it.
    #[allow(
        clippy::indexing_slicing,
        reason = "the first row is looked up when this is built"
    )]
    pub fn harness(self) -> &'static Harness {
        // The table has a row for each, in this order; a test holds it to that.
        let row = HARNESSES.iter().find(|row| row.agent == self);
        row.unwrap_or(const { &HARNESSES[0] })
    }

    /// The name on the command line and in records.
    pub fn as_str(self) -> &'static str {
        self.harness().name
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        HARNESSES
            .iter()
            .find(|row| row.name == name || row.aliases.contains(&name))
            .map(|row| row.agent)
    }

    /// The event before a tool call, where the harness does not name it itself.
    pub fn event_before(self) -> &'static str {
        let [before, ..] = self.harness().events;
        before
    }

    /// True where a version is of the line that the dialect was tested with: the same first two
    /// numbers, or the same first where that is not 0.
    pub fn knows(self, version: &str) -> bool {
        let numbers = |text: &str| {
            let mut parts = text.trim_start_matches('v').split(['.', '-', '+']);
            (
                parts.next().unwrap_or("").to_owned(),
                parts.next().unwrap_or("").to_owned(),
            )
        };
        let (tested, told) = (numbers(self.harness().tested), numbers(version));
        tested.0 == told.0 && (tested.0 != "0" || tested.1 == told.1)
    }
}
