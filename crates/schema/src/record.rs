//! Records that hooks append to a person's spool: format `C1`.
//!
//! A spool file is `<spool>/<uid>/<session_id>.c1`, one for each session, only appended to, one
//! `write(2)` for each record. A record is one line:
//!
//! ```text
//! C1 <crc32 of the JSON, 8 lower-case hex digits> <JSON, no raw newline>\n
//! ```
//!
//! A line that does not end in a newline is still being written; a complete line whose checksum
//! does not match is damage and becomes a gap event. Counters start at 1 in each session and
//! increase by one with each record; a missing number becomes a gap event.

use serde::{Deserialize, Serialize};

use crate::{AgentInfo, ApprovalInfo, CommandSource, Layer, Origin, PolicyEvaluation, ProcessInfo};

/// Longest line that a reader accepts, in bytes.
pub const MAX_LINE: usize = 256 * 1024;

/// One half of a command, or a sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "half", rename_all = "snake_case")]
pub enum Half {
    /// Judged, before it runs.
    Start(Box<Start>),
    /// Ended.
    End {
        /// Joins it with its start.
        command_id: String,
        /// Exit status.
        exit_code: i32,
        /// Wall time in microseconds.
        duration_us: u64,
    },
    /// A session began with hooks in place.
    SessionStart {
        /// Shell and version, such as `bash 5.2.15`.
        shell: String,
        /// Who acts.
        origin: Origin,
    },
    /// Private mode of a shell began or ended: while it lasts, starts say only that something ran.
    Private {
        /// It began.
        on: bool,
        /// Which shell.
        shell_pid: u32,
        /// When it ends, in milliseconds since 1970; with the shell where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<u64>,
        /// Why, in words.
        #[serde(default)]
        why: String,
    },
    /// A recording of what a session shows.
    Recording {
        /// `began`, `part` (one file of several is whole), `ended`, `failed`.
        state: String,
        /// Name of the file in the person's folder of recordings.
        file: String,
        /// SHA-256 of the whole file, hex.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// Its length.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// Milliseconds since it began.
        duration_ms: u64,
    },
    /// A session ended in good order.
    SessionEnd,
}

/// The first half: what was judged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Start {
    /// Joins the halves; unique on the machine.
    pub command_id: String,
    /// Redacted text.
    pub text: String,
    /// Semantic digest of the redacted tree.
    pub digest: String,
    /// Shell dialect.
    pub shell: String,
    /// Working directory.
    pub cwd: String,
    /// Programs called.
    pub programs: Vec<String>,
    /// Names of effects.
    pub effects: Vec<String>,
    /// Typed, generated, script or agent.
    pub source: CommandSource,
    /// The layer that saw it.
    pub layer: Layer,
    /// What policy said.
    pub policy: PolicyEvaluation,
    /// It was let run.
    pub allowed: bool,
    /// The approval that took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalInfo>,
    /// Who acts.
    pub origin: Origin,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentInfo>,
    /// Terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
    /// Parents, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<ProcessInfo>,
    /// How many starts of the same program this record stands for, where there are so many that one
    /// record is kept for all; the text is that of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// It ran in private mode: what it was is not here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// The only one of [`Self::programs`] is a function of the session (bash, zsh): no program need start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub function: bool,
}

impl Start {
    /// What is recorded of it in private mode: that something ran and when, who acts, and the decision;
    /// of what was interrupted also the rules. Text, digest, folder, programs, effects and parents go.
    #[must_use]
    pub fn made_private(self) -> Self {
        let interrupted = self.policy.decision.interrupts() || !self.allowed;
        let policy = PolicyEvaluation {
            monitored: None,
            ..self.policy
        };
        let policy = match interrupted {
            true => policy,
            false => PolicyEvaluation {
                reason: String::new(),
                violated_rules: Vec::new(),
                ..policy
            },
        };
        Self {
            text: String::new(),
            digest: String::new(),
            cwd: String::new(),
            programs: Vec::new(),
            effects: Vec::new(),
            parents: Vec::new(),
            policy,
            private: true,
            function: false,
            ..self
        }
    }
}

/// A shell that runs a script, as it was when a record of it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScriptRun {
    /// The script as it was started, or the shell's name and `-c`; redacted.
    pub name: String,
    /// Simple commands that the shell has begun so far, those in functions, loops and subshells included.
    /// Most of them have no record of their own.
    pub seen: u64,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Session.
    pub session_id: String,
    /// Number in the session, from 1.
    pub counter: u64,
    /// Milliseconds since 1970, UTC.
    pub time_ms: u64,
    /// Nanoseconds of the monotonic clock.
    pub mono_ns: u64,
    /// Process that wrote it.
    pub pid: u32,
    /// Login name.
    pub user: String,
    /// The script that runs, where the shell that wrote it reads from one instead of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptRun>,
    /// What it says.
    #[serde(flatten)]
    pub half: Half,
}

/// Why a line is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not of this format.
    #[error("not a C1 record")]
    Format,
    /// The checksum does not match.
    #[error("checksum does not match")]
    Checksum,
    /// The JSON is not a record.
    #[error("not a record: {0}")]
    Json(String),
}

impl Record {
    /// The line to append, newline included.
    ///
    /// # Errors
    /// Never in practice: all fields are texts and numbers.
    pub fn to_line(&self) -> Result<String, RecordError> {
        let json =
            serde_json::to_string(self).map_err(|error| RecordError::Json(error.to_string()))?;
        Ok(format!(
            "C1 {:08x} {json}\n",
            crc32fast::hash(json.as_bytes())
        ))
    }

    /// Reads one line, with or without its newline.
    ///
    /// # Errors
    /// Where the line is damaged or of another format.
    pub fn from_line(line: &str) -> Result<Self, RecordError> {
        let rest = line
            .trim_end_matches('\n')
            .strip_prefix("C1 ")
            .ok_or(RecordError::Format)?;
        let (crc, json) = rest.split_once(' ').ok_or(RecordError::Format)?;
        let crc = u32::from_str_radix(crc, 16).map_err(|_| RecordError::Format)?;
        if crc32fast::hash(json.as_bytes()) != crc {
            return Err(RecordError::Checksum);
        }
        serde_json::from_str(json).map_err(|error| RecordError::Json(error.to_string()))
    }
}
