//! The event: `cmdai.event/1`.
//!
//! An event is a flat JSON object made of three parts.
//!
//! - The **envelope** (`schema`, `event_id`, `seq`, `prev_hash`, `time`, `event_type`,
//!   `machine_id`, `commitment`) is what chains and ledgers hash.
//! - The **salt**, 16 random bytes in hex.
//! - The **payload**, everything else. It is bound by
//!   `commitment = SHA-256(salt in hex || RFC 8785 of the payload)`, so that a payload can be
//!   erased later while every proof over the envelope still holds.
//!
//! The event's hash is `SHA-256(RFC 8785 of the envelope)`. `prev_hash` is the hash of the event
//! with the sequence number before it on the same machine; the first event (`seq` 1) has zeros.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CanonicalError, Certainty, Decision, Hash, OriginKind, Risk, canonical_bytes};

/// Value of `schema` in every event of this version.
pub const EVENT_SCHEMA: &str = "cmdai.event/1";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A command was made from words.
    CommandGenerated,
    /// A command ran (with its end where it ended quickly).
    CommandExecuted,
    /// The end of a command that ran longer than the join window.
    CommandCompleted,
    /// A command was stopped.
    CommandBlocked,
    /// A monitored rule was violated; the command ran.
    PolicyViolation,
    /// An approval was asked for.
    ApprovalRequested,
    /// It was given.
    ApprovalGranted,
    /// It was denied.
    ApprovalDenied,
    /// A grant was used up on the machine.
    GrantConsumed,
    /// A tool was installed.
    ToolInstalled,
    /// An AI agent acted.
    AgentActivity,
    /// A policy release was installed.
    PolicyUpdated,
    /// A policy release was refused, with the cause.
    PolicyRefused,
    /// Hooks or the sensor were switched off.
    CmdaiDisabled,
    /// The sensor started.
    SensorStarted,
    /// The sensor stopped in good order.
    SensorStopped,
    /// Programs that the kernel saw start and that belong together, counted.
    ExecObserved,
    /// Records are missing, with numbers and cause.
    Gap,
    /// The machine was quarantined or released.
    QuarantineChanged,
    /// Private mode of a shell began or ended, by the word of the person's own process.
    PrivateMode,
    /// What a session shows is being recorded, or was, by the word of the person's own process.
    SessionRecorded,
    /// A protected file changed.
    Tamper,
    /// The server: somebody did something in the console or API.
    AdminAction,
}

impl EventType {
    /// All of them, in their order.
    pub const ALL: [Self; Self::AdminAction as usize + 1] = [
        Self::CommandGenerated,
        Self::CommandExecuted,
        Self::CommandCompleted,
        Self::CommandBlocked,
        Self::PolicyViolation,
        Self::ApprovalRequested,
        Self::ApprovalGranted,
        Self::ApprovalDenied,
        Self::GrantConsumed,
        Self::ToolInstalled,
        Self::AgentActivity,
        Self::PolicyUpdated,
        Self::PolicyRefused,
        Self::CmdaiDisabled,
        Self::SensorStarted,
        Self::SensorStopped,
        Self::ExecObserved,
        Self::Gap,
        Self::QuarantineChanged,
        Self::PrivateMode,
        Self::SessionRecorded,
        Self::Tamper,
        Self::AdminAction,
    ];

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandGenerated => "command_generated",
            Self::CommandExecuted => "command_executed",
            Self::CommandCompleted => "command_completed",
            Self::CommandBlocked => "command_blocked",
            Self::PolicyViolation => "policy_violation",
            Self::ApprovalRequested => "approval_requested",
            Self::ApprovalGranted => "approval_granted",
            Self::ApprovalDenied => "approval_denied",
            Self::GrantConsumed => "grant_consumed",
            Self::ToolInstalled => "tool_installed",
            Self::AgentActivity => "agent_activity",
            Self::PolicyUpdated => "policy_updated",
            Self::PolicyRefused => "policy_refused",
            Self::CmdaiDisabled => "cmdai_disabled",
            Self::SensorStarted => "sensor_started",
            Self::SensorStopped => "sensor_stopped",
            Self::ExecObserved => "exec_observed",
            Self::Gap => "gap",
            Self::QuarantineChanged => "quarantine_changed",
            Self::PrivateMode => "private_mode",
            Self::SessionRecorded => "session_recorded",
            Self::Tamper => "tamper",
            Self::AdminAction => "admin_action",
        }
    }
}

/// Whose word an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssertedBy {
    /// A hook in a process of the person: can be forged before sealing.
    #[default]
    UserHook,
    /// The kernel, through the sensor.
    Kernel,
    /// The sensor.
    Sensor,
    /// The server.
    Server,
}

/// The layer that saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// A hooked shell.
    #[default]
    Shell,
    /// An agent's hook.
    AgentHook,
    /// A supervised tree.
    Supervised,
    /// The kernel's exec capture.
    Exec,
    /// The sensor itself.
    Sensor,
    /// The server itself.
    Server,
}

/// What a command came from, in the event's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandSource {
    /// Typed.
    #[default]
    Manual,
    /// Generated by cmdai.
    Cmdai,
    /// A script.
    Script,
    /// An AI agent.
    Agent,
}

/// The machine, as of the event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MachineRef {
    /// Host name.
    pub hostname: String,
    /// `linux-x86_64` and the like.
    pub platform: String,
    /// Address towards the server, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
}

/// The person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserRef {
    /// Login name, or the roster's id.
    pub user_id: String,
    /// Numeric id on the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// The command, after redaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommandInfo {
    /// Joins the halves of one command.
    pub command_id: String,
    /// Redacted text.
    pub text: String,
    /// Semantic digest of the redacted tree.
    pub digest: String,
    /// Typed, generated, script or agent.
    pub source: CommandSource,
    /// Working directory.
    pub working_directory: String,
    /// Shell dialect.
    pub shell: String,
    /// Programs called.
    #[serde(default)]
    pub programs: Vec<String>,
    /// Names of effects, each once, such as `delete`.
    #[serde(default)]
    pub effects: Vec<String>,
    /// How many this event stands for, where one is kept for many: starts of the same program in a
    /// supervised tree, with the text of the last, or calm commands of one run of a script, with the first
    /// different texts, a line each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// It ran in private mode: what it was was never recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

/// What policy said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyEvaluation {
    /// The decision.
    pub decision: Decision,
    /// The deciding rule's reason.
    pub reason: String,
    /// Ids of rules that fired, strictest first.
    pub violated_rules: Vec<String>,
    /// How bad.
    pub risk_level: Risk,
    /// How sure.
    pub certainty: Certainty,
    /// Policy name.
    pub policy_id: String,
    /// Policy version.
    pub policy_version: String,
    /// Digest of the snapshot's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_digest: Option<String>,
    /// Version of the engine.
    pub engine_version: String,
    /// Time taken.
    pub micros: u64,
    /// What would have been decided if the rules in monitor mode took part, where that is stricter
    /// than the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitored: Option<Decision>,
}

/// What is known of the approval that the event is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ApprovalInfo {
    /// The request.
    pub request_id: String,
    /// The grant, once given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// `pending`, `granted`, `denied`, `expired`, `consumed`, `break_glass`.
    pub status: String,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// What was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Execution {
    /// It was let run.
    pub allowed: bool,
    /// Exit status, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Wall time, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// Who acts, with the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// Human, script or agent.
    pub kind: OriginKind,
    /// Confidence in thousandths.
    pub confidence: u16,
    /// Signals, strongest first, such as `hook:claude-code` or `env:CLAUDECODE`.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// An AI agent and the call it makes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgentInfo {
    /// `claude-code`, `codex`, …
    pub name: String,
    /// Version, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The agent's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

/// A process in the parent chain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// Process id.
    pub pid: u32,
    /// Executable's base name.
    pub name: String,
    /// Its path, where the layer that saw it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exe: Option<String>,
}

/// Where it happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Context {
    /// Shell or agent session.
    pub session_id: String,
    /// Number of the record in its session, from 1; missing numbers become gap events.
    pub counter: u64,
    /// The layer that saw it.
    pub layer: Layer,
    /// Terminal, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
    /// Parents, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_process: Vec<ProcessInfo>,
    /// Who acts.
    pub origin: Origin,
    /// The agent, where one acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentInfo>,
    /// Versions of what took part, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, String>,
}

/// What chains and ledgers hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`EVENT_SCHEMA`].
    pub schema: String,
    /// UUID version 7.
    pub event_id: String,
    /// Number on the machine, from 1, without gaps.
    pub seq: u64,
    /// Hash of the event before it.
    pub prev_hash: Hash,
    /// Wall time, RFC 3339 in UTC with milliseconds: `2026-01-01T00:00:00.000Z`.
    pub time: String,
    /// What happened.
    pub event_type: EventType,
    /// The machine; `server` for the server's own chain.
    pub machine_id: String,
    /// Binds the payload.
    pub commitment: Hash,
}

/// Everything that may be erased later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Payload {
    /// Whose word it is.
    pub asserted_by: AssertedBy,
    /// Nanoseconds of the machine's monotonic clock, where one was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monotonic_ns: Option<u64>,
    /// The machine.
    pub machine: MachineRef,
    /// The person.
    pub user: UserRef,
    /// The command, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandInfo>,
    /// What policy said, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_evaluation: Option<PolicyEvaluation>,
    /// The approval, where one took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalInfo>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Execution>,
    /// Where.
    pub context: Context,
    /// More, by event type: texts only, so that canonical bytes stay simple.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The hashed part.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// 16 random bytes in hex.
    pub salt: String,
    /// The committed part.
    #[serde(flatten)]
    pub payload: Payload,
}

impl Event {
    /// Seals a payload into the chain after `prev_hash`.
    ///
    /// # Errors
    /// Where the payload cannot be written canonically.
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument for each field of the envelope"
    )]
    pub fn seal(
        event_id: String,
        seq: u64,
        prev_hash: Hash,
        time: String,
        event_type: EventType,
        machine_id: String,
        salt: [u8; 16],
        payload: Payload,
    ) -> Result<Self, CanonicalError> {
        let salt = hex(&salt);
        let commitment = commitment(&salt, &payload)?;
        let envelope = Envelope {
            schema: EVENT_SCHEMA.to_owned(),
            event_id,
            seq,
            prev_hash,
            time,
            event_type,
            machine_id,
            commitment,
        };
        Ok(Self {
            envelope,
            salt,
            payload,
        })
    }

    /// The hash that the next event and the ledger refer to.
    ///
    /// # Errors
    /// Where the envelope cannot be written canonically.
    pub fn hash(&self) -> Result<Hash, CanonicalError> {
        Ok(Hash::of(&[&canonical_bytes(&self.envelope)?]))
    }

    /// True where the payload is the one that was sealed.
    ///
    /// # Errors
    /// Where the payload cannot be written canonically.
    pub fn payload_matches(&self) -> Result<bool, CanonicalError> {
        Ok(commitment(&self.salt, &self.payload)? == self.envelope.commitment)
    }
}

fn commitment(salt: &str, payload: &Payload) -> Result<Hash, CanonicalError> {
    Ok(Hash::of(&[salt.as_bytes(), &canonical_bytes(payload)?]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with a chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// A number is missing or stands twice.
    #[error("machine {machine_id}: expected sequence number {expected}, found {found}")]
    Sequence {
        /// Which machine.
        machine_id: String,
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// The event does not follow the one before it.
    #[error("machine {machine_id}: event {seq} does not follow event {}: its prev_hash is of something else", seq - 1)]
    Link {
        /// Which machine.
        machine_id: String,
        /// Which event.
        seq: u64,
    },
    /// Other numbers are missing than the ones that are said to be.
    #[error(
        "machine {machine_id}: events {from} to {to} are said to be absent, but {expected} should come and {found} came"
    )]
    Absent {
        /// Which machine.
        machine_id: String,
        /// First number that is said to be absent.
        from: u64,
        /// Last one.
        to: u64,
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// No gap event accounts for a jump.
    #[error(
        "machine {machine_id}: events {from} to {to} are absent, and no gap event names exactly them"
    )]
    Unexplained {
        /// Which machine.
        machine_id: String,
        /// First number that nothing accounts for.
        from: u64,
        /// Last absent number.
        to: u64,
    },
    /// The payload was changed after sealing.
    #[error("machine {machine_id}: the payload of event {seq} was changed after it was sealed")]
    Payload {
        /// Which machine.
        machine_id: String,
        /// Which event.
        seq: u64,
    },
    /// It cannot be hashed at all.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Checks that `events` follow `head` (number and hash of the last event before them) without a
/// gap, and returns the new head.
///
/// # Errors
/// At the first event that does not fit, with its machine and number.
pub fn verify_chain(head: (u64, Hash), events: &[Event]) -> Result<(u64, Hash), ChainError> {
    let (mut seq, mut hash) = head;
    for event in events {
        let machine_id = || event.envelope.machine_id.clone();
        let expected = seq.saturating_add(1);
        if event.envelope.seq != expected {
            return Err(ChainError::Sequence {
                machine_id: machine_id(),
                expected,
                found: event.envelope.seq,
            });
        }
        if event.envelope.prev_hash != hash {
            return Err(ChainError::Link {
                machine_id: machine_id(),
                seq: expected,
            });
        }
        if !event.payload_matches()? {
            return Err(ChainError::Payload {
                machine_id: machine_id(),
                seq: expected,
            });
        }
        seq = expected;
        hash = event.hash()?;
    }
    Ok((seq, hash))
}
