//! What courier and keeper say to each other. The courier asks, the keeper answers each question
//! once, in order.

use cmdai_api::machine::{ApprovalOpen, Checkin, CheckinReply, EnrolReply, EnrolRequest};
use cmdai_bundle::CarriedFile;
use cmdai_schema::{Absent, Event};
use serde::{Deserialize, Serialize};

use crate::options::{Pace, Roads};

/// From the courier.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Ask {
    /// First: what am I to do?
    Task,
    /// What is new?
    Work,
    /// Give me sealed events.
    Batch {
        /// First sequence number.
        from: u64,
        /// At most so many.
        max: u32,
    },
    /// The server has stored everything up to here.
    Stored {
        /// Sequence number.
        seq: u64,
        /// What the server complained about, where it did.
        problem: Option<String>,
    },
    /// The server's answer to a contact.
    Contact {
        /// As it came: orders and grants in it are signed.
        reply: CheckinReply,
    },
    /// The server knows a request.
    Opened {
        /// Which.
        request_id: String,
    },
    /// Another machine's request has this id.
    Taken {
        /// Which.
        request_id: String,
    },
    /// Files of a release, unverified.
    Release {
        /// All files that it needs.
        files: Vec<CarriedFile>,
        /// How they came.
        road: Road,
    },
    /// A road beside the server is cut, or it can be used again (nothing).
    RoadTrouble {
        /// Which.
        road: Road,
        /// What is wrong, in words.
        problem: Option<String>,
    },
    /// The server cannot be reached, or it can again (nothing).
    Trouble {
        /// What is wrong, in words.
        problem: Option<String>,
    },
    /// The server gave the next certificate.
    Renewed {
        /// As it came.
        certificate_pem: String,
    },
    /// Enrolment went through.
    Enrolled {
        /// The server's answer.
        reply: Box<EnrolReply>,
    },
}

/// How a release came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Road {
    /// From the policy server.
    Server,
    /// Out of a git repository.
    Git,
    /// Out of a folder.
    Directory,
    /// Carried by hand.
    File,
}

impl Road {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Git => "git",
            Self::Directory => "directory",
            Self::File => "file",
        }
    }
}

/// From the keeper.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Carry for an enrolled machine.
    Carry(Box<Carry>),
    /// Enrol, then end.
    Enrol {
        /// Address.
        server: String,
        /// SHA-256 of the authority's certificate, hex.
        pin: String,
        /// What to send.
        request: Box<EnrolRequest>,
    },
    /// What is new.
    Work(Box<Work>),
    /// Sealed events.
    Batch {
        /// In order.
        events: Vec<Event>,
        /// Numbers in front of the first that were dropped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dropped: Option<Absent>,
    },
    /// Taken note of.
    Noted,
}

/// Everything the courier needs for its connections.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Carry {
    pub(crate) machine_id: String,
    pub(crate) server: String,
    pub(crate) ca_pem: String,
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
    pub(crate) pace: Pace,
    pub(crate) roads: Roads,
}

/// What is new.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Last sealed and synced.
    pub(crate) sealed: u64,
    /// Last acknowledged.
    pub(crate) acked: u64,
    /// State to tell the server.
    pub(crate) checkin: Checkin,
    /// Requests that the server does not know yet.
    pub(crate) requests: Vec<ApprovalOpen>,
    /// Version of the root that this machine trusts.
    pub(crate) root_version: u64,
    /// Certificate request (PEM) of the next key, where the server asked for one.
    #[serde(default)]
    pub(crate) renewal: Option<String>,
}
