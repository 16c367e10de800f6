//! What machines and the server say to each other.
//!
//! | method and path | who | body | answer |
//! |---|---|---|---|
//! | `POST /v1/enrol` | token | [`EnrolRequest`] | [`EnrolReply`] |
//! | `POST /v1/renew` | certificate | [`RenewRequest`] | [`RenewReply`] |
//! | `POST /v1/checkin?wait=SECONDS` | certificate | [`Checkin`] | [`CheckinReply`], held open until something is new or the wait (at most 30 s) is over |
//! | `POST /v1/ingest` | certificate | zstd of lines: [`BatchHeader`], then one event a line | [`IngestReply`]; 409 with [`IngestReply`] where the chain does not fit; 429 with `Retry-After` |
//! | `POST /v1/approvals` | certificate | [`ApprovalOpen`] | [`ApprovalOpened`] |
//! | `GET /v1/release?root=N` | certificate | | everything that a machine needs who trusts root version N, as `cmdai.release-bundle/1` |
//! | `GET /v1/tuf/metadata/FILE`, `GET /v1/tuf/targets/FILE` | certificate | | bytes of the signed release |
//!
//! An enrolment token is one line: `cmdai1.<token id>.<secret>.<sha256 of the authority's
//! certificate (DER), hex>`, used once. The hash lets the sensor trust the right server without
//! having seen it before.

use cmdai_schema::{
    Absent, MachineManifest,
    governor::{Binding, ExceptionRequest},
};
use serde::{Deserialize, Serialize};

/// First contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The whole token line.
    pub token: String,
    /// Certificate request (PEM) for a key that never leaves the machine.
    pub csr_pem: String,
    /// The machine.
    pub manifest: MachineManifest,
}

/// Answer to enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolReply {
    /// Given to this machine for good.
    pub machine_id: String,
    /// Organisation.
    pub organisation: String,
    /// The machine's certificate.
    pub certificate_pem: String,
    /// The authority's certificate.
    pub ca_pem: String,
    /// Trust root of policy releases: the newest TUF root metadata, as text.
    pub tuf_root: String,
    /// Labels given by the server.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Teams of the person.
    pub teams: Vec<String>,
}

/// A machine asks for its next certificate, with a key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewRequest {
    /// Certificate request (PEM) for a new key that never leaves the machine.
    pub csr_pem: String,
}

/// The next certificate. The one before it counts until this one is used for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewReply {
    /// The certificate.
    pub certificate_pem: String,
}

/// Regular contact; the last known state of both sides, so that the server can hold the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkin {
    /// The machine as it is now.
    pub manifest: MachineManifest,
    /// Installed policy version.
    pub policy_version: String,
    /// Digest of the snapshot in force.
    pub policy_digest: String,
    /// Why the last release was refused, where it was.
    pub policy_problem: Option<String>,
    /// Highest order number carried out.
    pub order_serial: u64,
    /// Last sequence number sealed.
    pub head_seq: u64,
    /// Sealed events not yet acknowledged.
    pub queued: u64,
    /// Requests that still wait for an answer.
    pub pending_requests: Vec<String>,
    /// Stamp of the release state last looked at, see [`CheckinReply::release`].
    pub release: String,
}

/// Answer to a contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckinReply {
    /// Version that this machine should have by the rings as the server sees them. The machine
    /// decides by itself.
    pub policy_version: String,
    /// Stamp of the newest state of releases (SHA-256 of `timestamp.json`, hex); fetch it where it
    /// is not the one last looked at.
    pub release: String,
    /// Signed orders newer than `order_serial` ([`Order`] inside).
    pub orders: Vec<Signed>,
    /// Signed decisions about pending requests ([`Grant`] inside).
    pub grants: Vec<Signed>,
    /// Last sequence number durably stored.
    pub acked_seq: u64,
    /// The machine's certificate ends soon: ask for the next one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renew: bool,
}

/// A signed statement. `payload` is the exact text that was signed (RFC 8785 of the value).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The text.
    pub payload: String,
    /// First 16 hex digits of the SHA-256 of the public key.
    pub key_id: String,
    /// Ed25519 over the text, base64.
    pub signature: String,
}

/// Keys that machines accept for grants and orders: the signed target `authority.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Authority {
    /// Format version, 1.
    pub version: u32,
    /// Keys that may sign [`Grant`]s: raw Ed25519 public keys, base64.
    pub grant_keys: Vec<String>,
    /// Keys that may sign [`Order`]s.
    pub order_keys: Vec<String>,
}

/// A decision about a request. Denials are signed too, so that nobody else can deny.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Format version, 1.
    pub version: u32,
    /// This grant.
    pub grant_id: String,
    /// The request.
    pub request_id: String,
    /// Given, or refused.
    pub granted: bool,
    /// The only machine it holds on.
    pub machine_id: String,
    /// The only login it holds for.
    pub user: String,
    /// Hash of the machine's binding: `sha256(RFC 8785 of BoundRequest)`, hex.
    pub binding_hash: String,
    /// Who decided.
    pub approver: String,
    /// How the approver proved it: `password`, `totp`, `webauthn`.
    pub factor: String,
    /// What was said.
    pub reason: String,
    /// Not before, RFC 3339.
    pub issued: String,
    /// Not after, RFC 3339.
    pub expires: String,
    /// How many times.
    pub uses: u32,
    /// Everybody whose yes it took, with how they proved it. `factor` above is the weakest of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Assent>,
    /// Of an exception: its last moment, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// One person's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assent {
    /// Account.
    pub login: String,
    /// Person; differs from all others of the grant.
    pub person: String,
    /// `password`, `totp`, `webauthn`.
    pub factor: String,
    /// When, RFC 3339.
    pub time: String,
    /// Of `webauthn`: the signature of the person's own security key, which the machine verifies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

/// Security keys of the people who may approve: the signed target `approvers.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Approvers {
    /// Format version, 1.
    pub version: u32,
    /// Host name of the console: what the keys are bound to.
    pub rp_id: String,
    /// Addresses under which browsers may show the console, such as `https://console.example.com`.
    pub origins: Vec<String>,
    /// The keys.
    pub keys: Vec<ApproverKey>,
}

/// A security key of somebody who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproverKey {
    /// Id of the credential, base64url.
    pub credential_id: String,
    /// `ES256` or `EdDSA`.
    pub algorithm: String,
    /// Base64: the uncompressed point on P-256, or the raw Ed25519 key.
    pub public_key: String,
    /// Account.
    pub login: String,
    /// Person.
    pub person: String,
    /// Groups of the account.
    pub groups: Vec<String>,
    /// The account's role may approve where the policy names no groups.
    pub security: bool,
}

/// What an approver's security key signs: its challenge is the SHA-256 of the RFC 8785 text of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// [`CONSENT_FORMAT`].
    pub format: String,
    /// Organisation.
    pub organisation: String,
    /// The request.
    pub request_id: String,
    /// The only machine.
    pub machine_id: String,
    /// The only login that it is for.
    pub user: String,
    /// Hash of everything that the request is bound to, the command's digest included.
    pub binding_hash: String,
    /// Rules that it answers.
    pub rules: Vec<String>,
    /// Account that approves.
    pub login: String,
    /// Person who approves.
    pub person: String,
    /// Most uses.
    pub uses: u32,
    /// Last moment of the grant, RFC 3339.
    pub expires: String,
    /// Of an exception: its last moment, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Random: no two are the same.
    pub nonce: String,
}

/// Value of [`Consent::format`].
pub const CONSENT_FORMAT: &str = "cmdai.consent/1";

/// An assertion of a security key (WebAuthn); bytes are base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Exact text whose SHA-256 is the challenge.
    pub statement: String,
    /// Id of the credential.
    pub credential_id: String,
    /// What the key says of itself.
    pub authenticator_data: String,
    /// What the browser says of the ceremony.
    pub client_data_json: String,
    /// Over both.
    pub signature: String,
}

/// An order to a machine. Only restrictive moves, and taking them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Format version, 1.
    pub version: u32,
    /// Increases with every order to this machine.
    pub serial: u64,
    /// The machine.
    pub machine_id: String,
    /// `quarantine`, `release`, or `revoke-exception`.
    pub kind: String,
    /// Of `revoke-exception`: the exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Why, shown to the person.
    pub reason: String,
    /// Who gave it.
    pub issued_by: String,
    /// When.
    pub issued: String,
}

/// What the machine binds a grant to: everything that must be the same when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundRequest {
    /// As the gate saw it; `exact` holds the salted hash, never the text.
    pub binding: Binding,
    /// Login, from the peer's credentials.
    pub user: String,
    /// Numeric id, from the peer's credentials.
    pub uid: u32,
    /// Path to SHA-256 of each file that would run, hex; sorted by path.
    pub files: std::collections::BTreeMap<String, String>,
    /// The exception that is asked for, where it is one; the binding then is for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionRequest>,
}

/// A machine asks for an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalOpen {
    /// Chosen by the machine: 8 letters and digits, unique on it.
    pub request_id: String,
    /// `command`, `exception`, or `break_glass`: the last asks nothing, it tells.
    #[serde(default = "command")]
    pub kind: String,
    /// What is asked for.
    pub request: BoundRequest,
    /// Hash that the grant must carry.
    pub binding_hash: String,
    /// Said by the person.
    pub reason: Option<String>,
    /// Shell or agent session.
    pub session_id: String,
    /// When it lapses, RFC 3339.
    pub expires: String,
}

fn command() -> String {
    "command".to_owned()
}

/// The request is known to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalOpened {
    /// The request.
    pub request_id: String,
}

/// First line of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchHeader {
    /// Format version, 1.
    pub version: u32,
    /// The machine; must be the certificate's.
    pub machine_id: String,
    /// Sequence number of the first event.
    pub first_seq: u64,
    /// How many events follow.
    pub count: u32,
    /// Numbers in front of the first event that the machine has dropped, as its policy says: exactly those
    /// from the stored head to the first event. `told` is the event in the same chain that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Absent>,
}

/// What is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestReply {
    /// Everything up to this number is stored.
    pub acked_seq: u64,
    /// Why the rest was refused, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
