//! The governor protocol, version 1: how an installed Community binary is governed on a
//! provisioned machine without being rebuilt.
//!
//! A Unix stream socket (see [`crate::paths`]). Each frame is a 32-bit big-endian length followed
//! by that many bytes of JSON, at most [`MAX_FRAME`]. The client speaks first with
//! [`Request::Hello`]; the server answers [`Reply::Hello`] with the highest version both know, or
//! closes. After that, one reply for each request, in order. The server reads the peer's
//! credentials from the kernel (`SO_PEERCRED`) and never believes a user id in a frame.
//!
//! Where the mark of a governed machine exists and nobody answers, the client goes on judging with
//! the last snapshot; only grants need the socket.

use serde::{Deserialize, Serialize};

use crate::{Analysis, Decision, record::Start};

/// Highest version of the protocol this code speaks.
pub const VERSION: u32 = 1;
/// Longest frame, in bytes.
pub const MAX_FRAME: usize = 1024 * 1024;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// First frame.
    Hello {
        /// Highest version the client knows.
        version: u32,
        /// `cmdai 0.1.0`, `bash-native 0.1.0`.
        client: String,
    },
    /// How is the sensor?
    Status,
    /// A block or another thing that must not get lost with a forged spool.
    Report {
        /// The record's first half.
        start: Box<Start>,
        /// Session it belongs to.
        session_id: String,
    },
    /// May this command run? Consumes a grant where one fits, else opens or finds a request.
    Approve {
        /// What the command is bound to.
        binding: Box<Binding>,
        /// Said by the person, where something was said.
        #[serde(default)]
        reason: Option<String>,
        /// Session it belongs to.
        session_id: String,
    },
    /// May rules be lifted for a time, for this person on this machine? Opens or finds a request
    /// that other people decide; the answer is [`Reply::Pending`] or [`Reply::Refused`]. What is
    /// approved comes back as an exception of the organisation's policy.
    Exception {
        /// What is asked for.
        exception: Box<ExceptionRequest>,
        /// Session it belongs to.
        session_id: String,
    },
    /// An emergency: permission to run this command once and now, reviewed afterwards. The answer
    /// is [`Reply::Permitted`] or [`Reply::Refused`]; it is durable and reported before it is given.
    BreakGlass {
        /// What the permission is bound to.
        binding: Box<Binding>,
        /// Why it cannot wait, in the person's words; never empty.
        reason: String,
        /// Session it belongs to.
        session_id: String,
    },
    /// What has become of a request? Changes nothing and uses nothing up; one's own only.
    Request {
        /// The request.
        request_id: String,
    },
}

/// An exception that a person asks for. Machine and person are those that the governor knows by
/// itself: nobody asks for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExceptionRequest {
    /// Rules to lift; at least one, at most [`MAX_EXCEPTION_RULES`].
    pub rules: Vec<String>,
    /// Only for commands that fit this shell pattern, as in `exceptions:` of a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Only in this folder and below, absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How long it is to hold from its approval on; between [`MIN_EXCEPTION_S`] and
    /// [`MAX_EXCEPTION_S`].
    pub duration_s: u64,
    /// Why, in the person's words; never empty.
    pub reason: String,
    /// The interrupted command that it is about, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    /// Its redacted text, for the approver to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `human`, `script` or `agent`: who asks.
    pub origin: String,
    /// Agent's name, where one asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Most rules of one exception.
pub const MAX_EXCEPTION_RULES: usize = 16;
/// Shortest exception, in seconds.
pub const MIN_EXCEPTION_S: u64 = 60;
/// Longest exception, in seconds: 90 days. An organisation may set less.
pub const MAX_EXCEPTION_S: u64 = 90 * 86_400;

/// What a grant is bound to, beside the person and machine that the governor knows by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Binding {
    /// Redacted text, for people to read.
    pub text: String,
    /// Semantic digest of the redacted tree.
    pub digest: String,
    /// Exact text as it would run, salted on the machine: `sha256(salt || text)`, hex. The salt is
    /// the governor's; a client sends the text itself in `exact`, the governor keeps the hash only.
    #[serde(default)]
    pub exact: String,
    /// Shell dialect.
    pub shell: String,
    /// Working directory.
    pub cwd: String,
    /// Rules that ask for the approval.
    pub rules: Vec<String>,
    /// The deciding reason.
    pub reason: String,
    /// How bad, as a word.
    pub risk: String,
    /// What the command would do, for the approver.
    pub effects: Vec<String>,
    /// Contexts that matter, such as `kube_context=prod`; sorted.
    pub contexts: Vec<String>,
    /// `human`, `script` or `agent`.
    pub origin: String,
    /// Agent's name, where one acts.
    #[serde(default)]
    pub agent: Option<String>,
    /// Files that would run, by path; the governor hashes them itself.
    pub files: Vec<String>,
    /// Something that could run is unknown: cannot be approved in advance.
    pub unknown: bool,
}

/// What the governor answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Answer to hello.
    Hello {
        /// Version both speak.
        version: u32,
        /// Organisation.
        organisation: String,
        /// Installed policy version.
        policy_version: String,
    },
    /// State of the sensor.
    Status(Box<Status>),
    /// Taken down.
    Recorded,
    /// A grant fitted and is used up: run it now.
    Granted {
        /// The request.
        request_id: String,
        /// The grant that was consumed.
        grant_id: String,
        /// Who gave it.
        approver: String,
    },
    /// A request is open.
    Pending {
        /// The request; short enough to be typed.
        request_id: String,
    },
    /// Break-glass: run it now, once. It is on record and somebody was told.
    Permitted {
        /// The request that a review will look at.
        request_id: String,
        /// The permission that was used up.
        grant_id: String,
        /// Seconds within which it has to be reviewed, where the policy says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review_within_s: Option<u64>,
    },
    /// What has become of a request.
    State {
        /// The request.
        request_id: String,
        /// `pending`, `granted`, `denied`, `expired`, `consumed`, `break_glass`.
        state: String,
        /// What was said to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody said no, or it cannot be approved.
    Refused {
        /// The request, where one was opened.
        #[serde(default)]
        request_id: Option<String>,
        /// Why.
        reason: String,
    },
    /// The request could not be handled.
    Error {
        /// Why, and what to do.
        message: String,
    },
}

/// State of the sensor, for `status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// This machine.
    pub machine_id: String,
    /// Organisation.
    pub organisation: String,
    /// Server's address.
    pub server: String,
    /// Installed policy version; empty where there is none.
    pub policy_version: String,
    /// Seconds since the policy was last proven fresh.
    pub policy_age_s: Option<u64>,
    /// Snapshot digest.
    pub policy_digest: String,
    /// Road by which the policy came: `server`, `git`, `directory` or `file`.
    pub policy_source: String,
    /// When the proof of freshness lapses, RFC 3339.
    pub policy_expires: String,
    /// The ring of this machine in the newest release, and whether it is open.
    pub policy_ring: String,
    /// Last contact with the server, seconds ago.
    pub contact_age_s: Option<u64>,
    /// Sealed events not yet acknowledged.
    pub queued: u64,
    /// Age of the oldest of them.
    pub oldest_s: Option<u64>,
    /// Last sequence number sealed.
    pub head_seq: u64,
    /// Last sequence number acknowledged.
    pub acked_seq: u64,
    /// The machine is in quarantine, with its reason.
    pub quarantine: Option<String>,
    /// What is wrong at the moment, each with what to do.
    pub problems: Vec<String>,
    /// The layers that see commands, with what they saw and lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerStatus>,
    /// Sealed events that were dropped here, where there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<DroppedStatus>,
}

/// Sealed events that the sensor removed before the server had them, as policy says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DroppedStatus {
    /// How many, ever.
    pub events: u64,
    /// How many of them the server has not been told of.
    pub unread: u64,
    /// First number of the last range.
    pub from: u64,
    /// Its last number.
    pub to: u64,
    /// The last range in a sentence.
    pub last: String,
}

/// How one layer is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerStatus {
    /// `shell`, `agent-hook`, `exec`.
    pub name: String,
    /// It works.
    pub on: bool,
    /// How, in a few words: the source, or why it is off.
    pub state: String,
    /// What it saw since the sensor started.
    pub seen: u64,
    /// What it knows to have missed.
    pub lost: u64,
    /// Seconds since it last saw something.
    pub last_s: Option<u64>,
    /// What it leaves out, and what happened; each a sentence.
    pub notes: Vec<String>,
}

/// What `Approve` asks about in one value, made from an analysis.
impl Binding {
    /// Fills the parts that follow from the analysis.
    pub fn from_analysis(analysis: &Analysis, decision: Decision) -> Self {
        let mut effects: Vec<String> = analysis
            .effects
            .iter()
            .map(|effect| effect.kind.name().to_owned())
            .collect();
        effects.sort();
        effects.dedup();
        Self {
            digest: analysis.digest.clone(),
            effects,
            unknown: analysis.unknown,
            reason: decision.as_str().to_owned(),
            ..Self::default()
        }
    }
}
