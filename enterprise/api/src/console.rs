//! What people's browsers and programs say to the server.
//!
//! All paths below `/api/v1`. A browser signs in with `POST session` and carries the cookie
//! `cmdai_session` (`HttpOnly; Secure; SameSite=Strict`); changing requests also carry the header
//! `x-cmdai: 1`. A program carries `Authorization: Bearer TOKEN`.
//!
//! | method and path | role | body | answer |
//! |---|---|---|---|
//! | `POST session` | – | [`SignIn`] | [`Me`] |
//! | `POST session/challenge` | – | [`SignIn`] | [`Challenge`] |
//! | `GET session` | any | | [`Me`] |
//! | `DELETE session` | any | | 204 |
//! | `POST password` | any | [`PasswordChange`] | 204 |
//! | `GET tokens`, `POST tokens`, `DELETE tokens/{id}` | any | [`NewToken`] | [`TokenList`], [`TokenMade`] |
//! | `GET factors`, `POST factors/totp`, `POST factors/totp/{id}`, `POST factors/{id}/remove` | any | [`NewTotp`], [`TotpCode`], [`Confirmation`] | [`FactorList`], [`TotpMade`], [`RecoveryCodes`] |
//! | `POST factors/webauthn`, `POST factors/webauthn/confirm` | any | [`NewSecurityKey`], [`SecurityKeyMade`] | [`SecurityKeyCreation`], [`SecurityKeyAdded`] |
//! | `POST challenges` | any | [`NewChallenge`] | [`Challenge`] |
//! | `GET overview` | viewer | | [`Overview`] |
//! | `GET events?q=&from=&to=&cursor=&limit=` | viewer | | [`EventPage`] |
//! | `GET events/histogram?q=&from=&to=&buckets=` | viewer | | [`Histogram`] |
//! | `GET events/{event_id}` | viewer | | the event (`cmdai.event/1`) |
//! | `GET live` | viewer | | server-sent events named `event`, data [`EventRow`]; `alert`, data [`Alert`]; `approval`, data [`Approval`] |
//! | `GET alerts?status=` | viewer | | [`AlertList`] |
//! | `POST alerts/{id}` | security | [`AlertChange`] | [`Alert`] |
//! | `GET approvals?status=` | viewer | | [`ApprovalList`] |
//! | `GET approvals/{id}` | viewer | | [`Approval`] |
//! | `POST approvals/{id}` | viewer, and the groups that the policy names | [`ApprovalDecision`] | [`Approval`] |
//! | `GET exceptions`, `POST exceptions/{id}/revoke` | viewer, security | [`Revocation`] | [`ExceptionList`] |
//! | `GET emergencies`, `POST emergencies/{id}/review` | viewer, security | [`Review`] | [`EmergencyList`] |
//! | `POST chat/slack` | signed by the chat service | its form | its answer |
//! | `GET machines` | viewer | | [`MachineList`] |
//! | `GET machines/{id}` | viewer | | [`Machine`] |
//! | `POST machines/{id}/quarantine` | security | [`QuarantineChange`] | [`Machine`] |
//! | `POST machines/{id}/revoke` | security | [`MachineEnd`] | [`Machine`] |
//! | `POST machines/{id}/retire` | administrator | [`MachineEnd`] | [`Machine`] |
//! | `POST enrolment-tokens` | administrator | [`NewEnrolmentToken`] | [`EnrolmentToken`] |
//! | `GET policy` | viewer | | [`PolicyView`] |
//! | `POST policy/check` | viewer | [`PolicySource`] | [`PolicyCheck`] |
//! | `POST policy/impact` | security | [`PolicySource`] | [`PolicyImpact`] |
//! | `POST policy` | security | [`PolicyPublish`] | [`PolicyView`]; 422 with [`PolicyCheck`] |
//! | `POST policy/draft/review` | security, never its author | [`ReleaseReview`] | [`PolicyView`] |
//! | `GET policy/approvers`, `POST policy/approvers` | viewer, security | [`Confirmation`] | [`ApproverKeys`] |
//! | `GET detections` | viewer | | [`DetectionList`] |
//! | `GET reports/frameworks` | viewer | | [`FrameworkList`] |
//! | `GET reports/{framework}?from=&to=` | auditor | | [`Report`] |
//! | `GET reports/{framework}/html?from=&to=` | auditor | | a page to print |
//! | `GET export?from=&to=` | auditor | | lines: [`ExportLine`] |
//! | `GET ledger` | viewer | | [`LedgerView`] |
//! | `GET channels`, `PUT channels/{id}`, `DELETE channels/{id}`, `POST channels/{id}/test` | administrator | [`Channel`] | [`ChannelList`] … |
//! | `GET deliveries` | viewer | | [`DeliveryList`] |
//! | `GET users`, `POST users`, `POST users/{login}`, `DELETE users/{login}` | administrator | [`NewUser`], [`UserChange`] | [`UserList`] |
//! | `GET openapi.json` | any | | the OpenAPI document |
//!
//! Acts that ask for the password again take a second factor in the header `x-cmdai-code`: a code of
//! six digits, or a recovery code. It is needed where the account has a second factor or the policy
//! says `compliance.require_mfa`; without it the answer is 403 with the code `factor_required`. The same
//! goes for signing in with an account that has one. Where the policy asks for one, an account that has
//! none may look and change nothing of others.
//!
//! A security key or passkey (WebAuthn, user verified) stands in for both. `POST challenges` names the
//! act that is to follow and gives the challenge; the assertion goes into the header
//! `x-cmdai-assertion` of that act: base64url of the JSON of `cmdai_api::machine::Proof`, `statement`
//! as the challenge gave it. The body's `password` may then be empty. Each challenge is good once, for
//! that act of that account, for five minutes. For a request for approval the statement is the
//! consent (`cmdai.consent/1`) that machines verify.
//!
//! Roles: `viewer` < `auditor` (may export) ; `security` (may act) ; `administrator` (everything).
//! An auditor may not act, security may not manage people.
//!
//! The query language of `q`: words match the command's text; fields are `user:`, `machine:`
//! (id or host name), `program:`, `decision:`, `risk:`, `type:`, `origin:`, `agent:`, `rule:`,
//! `session:`, `team:`, `since:90d`; a leading `-` negates; quotes hold spaces together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! wire {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* pub $field:ident : $ty:ty,)* })*) => {
        $($(#[$meta])* #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty,)* })*
    };
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Looks and exports evidence.
    Auditor,
    /// Looks and acts: approvals, alerts, quarantine, policy.
    Security,
    /// Everything, people and channels included.
    Administrator,
}

impl Role {
    /// True where this role may do what `needed` may.
    pub const fn may(self, needed: Self) -> bool {
        matches!(
            (self, needed),
            (Self::Administrator, _)
                | (_, Self::Viewer)
                | (Self::Auditor, Self::Auditor)
                | (Self::Security, Self::Security)
        )
    }
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Security => "security",
            Self::Administrator => "administrator",
        }
    }
}

wire! {
    /// Signing in.
    pub struct SignIn {
        /// Login.
        pub login: String,
        /// Password.
        pub password: String,
    }
    /// Who is signed in.
    pub struct Me {
        /// Login.
        pub login: String,
        /// Role.
        pub role: Role,
        /// Organisation.
        pub organisation: String,
        /// The password is the one made at first start and must be changed soon.
        pub initial_password: bool,
        /// Groups.
        pub groups: Vec<String>,
        /// Acts that ask for the password ask for a code too.
        pub second_factor: bool,
        /// The account has a security key, which stands in for password and code.
        pub security_key: bool,
        /// The policy asks for a second factor and the account has none.
        pub factor_missing: bool,
    }
    /// A new password; every other session and token of the account ends.
    pub struct PasswordChange {
        /// The password until now.
        pub password: String,
        /// The password from now on, at least 12 characters.
        pub new_password: String,
    }
    /// The actor's own password, asked again.
    pub struct Confirmation {
        /// Password.
        pub password: String,
    }
    /// A second factor.
    pub struct Factor {
        /// Factor.
        pub id: String,
        /// `totp` or `webauthn`.
        pub kind: String,
        /// What its owner calls it.
        pub name: String,
        /// It was used once; before that it counts for nothing.
        pub confirmed: bool,
        /// When made.
        pub created: String,
        /// Last use.
        pub last_used: Option<String>,
    }
    /// Second factors of the account.
    pub struct FactorList {
        /// Factors.
        pub factors: Vec<Factor>,
        /// Recovery codes that are left.
        pub recovery_codes: u64,
        /// The policy asks for a second factor.
        pub required: bool,
    }
    /// A new authenticator app.
    pub struct NewTotp {
        /// What its owner calls it.
        pub name: String,
        /// The account's own password.
        pub password: String,
    }
    /// For the authenticator app; shown once.
    pub struct TotpMade {
        /// Factor.
        pub id: String,
        /// The shared secret, base32.
        pub secret: String,
        /// The same as an `otpauth://` address.
        pub uri: String,
    }
    /// A code of the authenticator app.
    pub struct TotpCode {
        /// Six digits.
        pub code: String,
    }
    /// A new security key.
    pub struct NewSecurityKey {
        /// What its owner calls it.
        pub name: String,
        /// The account's own password; empty where another security key proves who it is.
        pub password: String,
    }
    /// What the browser needs to make a credential; bytes are base64url.
    pub struct SecurityKeyCreation {
        /// Challenge.
        pub challenge: String,
        /// What keys are bound to: the console's host name.
        pub rp_id: String,
        /// Name to show.
        pub rp_name: String,
        /// Opaque id of the account.
        pub user_id: String,
        /// Login.
        pub user_name: String,
        /// Algorithms by their COSE numbers, wanted first.
        pub algorithms: Vec<i32>,
        /// Credentials that the account has already.
        pub exclude: Vec<String>,
        /// Milliseconds.
        pub timeout_ms: u32,
    }
    /// What the browser made; bytes are base64url.
    pub struct SecurityKeyMade {
        /// The challenge that it answers.
        pub challenge: String,
        /// Id of the credential.
        pub credential_id: String,
        /// What the browser says of the ceremony.
        pub client_data_json: String,
        /// The attestation object; an attestation in it is passed over.
        pub attestation_object: String,
    }
    /// A security key that counts from now on.
    pub struct SecurityKeyAdded {
        /// The key.
        pub factor: Factor,
        /// New recovery codes, where the account had none; shown once.
        pub recovery_codes: Vec<String>,
        /// Machines accept it under grants: it is in the newest release.
        pub on_machines: bool,
    }
    /// Asks for a challenge.
    pub struct NewChallenge {
        /// Method and path of the act that follows, such as `POST /api/v1/policy`.
        pub act: String,
    }
    /// What a security key is asked to sign.
    pub struct Challenge {
        /// SHA-256 of the statement, base64url.
        pub challenge: String,
        /// The statement: RFC 8785 of `cmdai.act/1` or `cmdai.consent/1`.
        pub statement: String,
        /// What keys are bound to.
        pub rp_id: String,
        /// Credentials of the account, base64url.
        pub credentials: Vec<String>,
        /// Milliseconds.
        pub timeout_ms: u32,
    }
    /// A security key under which machines accept grants, or would.
    pub struct ApproverKeyLine {
        /// Account.
        pub login: String,
        /// Person.
        pub person: String,
        /// Id of the credential, base64url.
        pub credential_id: String,
        /// `ES256` or `EdDSA`.
        pub algorithm: String,
        /// `in_force`, `waits` for a release, or `leaves` with the next one.
        pub state: String,
    }
    /// Security keys of those who may approve.
    pub struct ApproverKeys {
        /// Who vouches for them on machines: `server` or `people`.
        pub signing: String,
        /// Host name that the keys are bound to; empty where the console has only an address.
        pub rp_id: String,
        /// Addresses of the console.
        pub origins: Vec<String>,
        /// The release on machines says the same.
        pub current: bool,
        /// Keys.
        pub keys: Vec<ApproverKeyLine>,
    }
    /// Each stands in for a code once. Shown once.
    pub struct RecoveryCodes {
        /// Codes.
        pub codes: Vec<String>,
    }
    /// A token of a program.
    pub struct Token {
        /// Token.
        pub id: String,
        /// What it is for.
        pub name: String,
        /// Whose.
        pub login: String,
        /// When made.
        pub created: String,
        /// When it lapses.
        pub expires: String,
    }
    /// Tokens, newest first: one's own, an administrator's are all.
    pub struct TokenList {
        /// Tokens.
        pub tokens: Vec<Token>,
    }
    /// A token for a program.
    pub struct NewToken {
        /// What it is for.
        pub name: String,
        /// Days until it lapses, 1 to 365.
        pub days: u32,
    }
    /// Shown once.
    pub struct TokenMade {
        /// The secret.
        pub token: String,
        /// When it lapses.
        pub expires: String,
    }
    /// The last 24 hours, beside the 24 before them.
    pub struct Overview {
        /// Commands judged.
        pub commands: Trend,
        /// Commands blocked.
        pub blocked: Trend,
        /// Requests that wait now.
        pub waiting: u64,
        /// Machines enrolled.
        pub machines: u64,
        /// Of them, silent.
        pub silent: u64,
        /// Of them, in quarantine.
        pub quarantined: u64,
        /// AI agents seen (distinct agent names and machines).
        pub agents: u64,
        /// Open alerts.
        pub open_alerts: u64,
        /// Commands within policy per 10,000 judged.
        pub compliance: Trend,
        /// Target of the same, per 10,000.
        pub compliance_target: u64,
        /// Policy version in force.
        pub policy_version: String,
        /// Machines with that version.
        pub machines_current: u64,
        /// By hour, oldest first, 24 entries.
        pub hours: Vec<HistogramBucket>,
        /// Rules that fired most.
        pub top_rules: Vec<Count>,
        /// What changed since yesterday: sentences with a link each.
        pub changes: Vec<Change>,
    }
    /// A number and the one before.
    pub struct Trend {
        /// Now.
        pub now: u64,
        /// In the period before.
        pub before: u64,
    }
    /// A name and how often.
    pub struct Count {
        /// Name.
        pub name: String,
        /// How often.
        pub count: u64,
    }
    /// A sentence that leads somewhere.
    pub struct Change {
        /// What changed.
        pub text: String,
        /// Path in the console.
        pub link: String,
    }
    /// An event as a row.
    pub struct EventRow {
        /// Event.
        pub event_id: String,
        /// Server's row number: increases in the order of storing; the resume id of the live feed.
        pub row: u64,
        /// When it happened.
        pub time: String,
        /// When it was stored.
        pub received: String,
        /// Event type.
        pub event_type: String,
        /// Machine.
        pub machine_id: String,
        /// Host name.
        pub hostname: String,
        /// Person.
        pub user: String,
        /// Team.
        pub team: Option<String>,
        /// `human`, `script`, `agent`.
        pub origin: String,
        /// Agent's name.
        pub agent: Option<String>,
        /// Redacted text, or a sentence where there is no command.
        pub text: String,
        /// Decision, where there was one.
        pub decision: Option<String>,
        /// Risk.
        pub risk: Option<String>,
        /// Rule that decided.
        pub rule: Option<String>,
        /// Reason.
        pub reason: Option<String>,
        /// Exit status.
        pub exit_code: Option<i32>,
        /// Session.
        pub session_id: String,
        /// Sequence number on its machine.
        pub seq: u64,
    }
    /// Rows, newest first.
    pub struct EventPage {
        /// Rows.
        pub rows: Vec<EventRow>,
        /// For the next page.
        pub cursor: Option<String>,
        /// Rows that match in all, counted up to 10,000.
        pub total: u64,
        /// The count stopped at its bound.
        pub total_is_bound: bool,
        /// What in the query was not understood.
        pub problems: Vec<String>,
    }
    /// Counts over time.
    pub struct Histogram {
        /// Buckets, oldest first.
        pub buckets: Vec<HistogramBucket>,
    }
    /// One bucket.
    pub struct HistogramBucket {
        /// Start.
        pub from: String,
        /// Count by decision word; events without a decision under `none`.
        pub counts: BTreeMap<String, u64>,
    }
    /// An alert.
    pub struct Alert {
        /// Alert.
        pub id: String,
        /// Detection rule's id.
        pub detection: String,
        /// Its title.
        pub title: String,
        /// `low`, `medium`, `high`, `critical`.
        pub severity: String,
        /// `open`, `acknowledged`, `closed`.
        pub status: String,
        /// What happened, in a sentence.
        pub summary: String,
        /// Machine.
        pub machine_id: Option<String>,
        /// Host name.
        pub hostname: Option<String>,
        /// Person.
        pub user: Option<String>,
        /// Events behind it.
        pub event_ids: Vec<String>,
        /// How many times it fired within its cool-down.
        pub count: u64,
        /// When the command or the silence happened.
        pub occurred: String,
        /// When it was raised.
        pub created: String,
        /// When a channel first took it.
        pub notified: Option<String>,
        /// Who has it.
        pub assignee: Option<String>,
        /// How it ended: `true_positive`, `false_positive`, `accepted`.
        pub disposition: Option<String>,
        /// Notes, oldest first.
        pub notes: Vec<Note>,
    }
    /// A note.
    pub struct Note {
        /// When.
        pub time: String,
        /// Who.
        pub author: String,
        /// What.
        pub text: String,
    }
    /// Alerts, newest first.
    pub struct AlertList {
        /// Alerts.
        pub alerts: Vec<Alert>,
    }
    /// A change to an alert; fields left out stay.
    pub struct AlertChange {
        /// New status.
        pub status: Option<String>,
        /// New assignee.
        pub assignee: Option<String>,
        /// Disposition; needed to close.
        pub disposition: Option<String>,
        /// A note to add.
        pub note: Option<String>,
    }
    /// A request for approval, with everything needed to decide.
    pub struct Approval {
        /// Request.
        pub id: String,
        /// `pending`, `granted`, `denied`, `expired`, `consumed`.
        pub status: String,
        /// Redacted text.
        pub text: String,
        /// Working directory.
        pub cwd: String,
        /// Shell.
        pub shell: String,
        /// Machine.
        pub machine_id: String,
        /// Host name.
        pub hostname: String,
        /// Who asks.
        pub user: String,
        /// `human`, `script`, `agent`.
        pub origin: String,
        /// Agent's name.
        pub agent: Option<String>,
        /// Rules that ask for it.
        pub rules: Vec<String>,
        /// Why it needs approval.
        pub policy_reason: String,
        /// Risk.
        pub risk: String,
        /// What it would do.
        pub effects: Vec<String>,
        /// Contexts that matter.
        pub contexts: Vec<String>,
        /// Files that would run, with their hashes.
        pub files: BTreeMap<String, String>,
        /// What the person said.
        pub reason: Option<String>,
        /// When it was asked.
        pub created: String,
        /// When it lapses.
        pub expires: String,
        /// Who decided.
        pub approver: Option<String>,
        /// What was said to it.
        pub decision_reason: Option<String>,
        /// When it was decided.
        pub decided: Option<String>,
        /// `command`, `exception` or `break_glass`.
        pub kind: String,
        /// Hash of all of this; a grant carries it.
        pub binding_hash: String,
        /// How many different people must say yes.
        pub needed: u32,
        /// How many have, and still may.
        pub given: u32,
        /// Groups whose members may answer; the role security where it is empty.
        pub groups: Vec<String>,
        /// One of those who say yes must be in one of these groups, where there are any.
        pub managers: Vec<String>,
        /// Weakest proof that counts: `password`, `totp`, `webauthn`.
        pub factor: String,
        /// How often a grant may be used.
        pub uses: u32,
        /// What was said, oldest first.
        pub votes: Vec<ApprovalVote>,
        /// Of an exception: what it would lift.
        pub exception: Option<ExceptionAsked>,
    }
    /// What one person said.
    pub struct ApprovalVote {
        /// Account.
        pub login: String,
        /// Person.
        pub person: String,
        /// Yes or no.
        pub approve: bool,
        /// How they proved it.
        pub factor: String,
        /// What they said.
        pub reason: String,
        /// When.
        pub time: String,
    }
    /// An exception as it is asked for.
    pub struct ExceptionAsked {
        /// Rules to lift.
        pub rules: Vec<String>,
        /// Only for commands that fit this pattern.
        pub pattern: Option<String>,
        /// Only in this folder and below.
        pub directory: Option<String>,
        /// Seconds from the approval on.
        pub duration_s: u64,
        /// The command that it is about.
        pub text: Option<String>,
    }
    /// An approved exception.
    pub struct ExceptionView {
        /// Exception: the request it came from.
        pub id: String,
        /// `active`, `expired` or `revoked`.
        pub status: String,
        /// Machine.
        pub machine_id: String,
        /// Host name.
        pub hostname: String,
        /// Person.
        pub user: String,
        /// What it lifts.
        pub lifts: ExceptionAsked,
        /// What the person said.
        pub reason: Option<String>,
        /// When it was asked for.
        pub asked: String,
        /// When it was approved.
        pub approved: String,
        /// By whom.
        pub approvers: Vec<String>,
        /// Last moment.
        pub until: String,
        /// Last command that one of the rules would have stopped.
        pub last_used: Option<String>,
        /// How many there were.
        pub uses: u64,
        /// When it was taken back.
        pub revoked: Option<String>,
        /// By whom.
        pub revoked_by: Option<String>,
        /// Why.
        pub revoked_reason: Option<String>,
    }
    /// Exceptions, those that end last first.
    pub struct ExceptionList {
        /// Exceptions.
        pub exceptions: Vec<ExceptionView>,
    }
    /// Takes an exception back; the password is asked again.
    pub struct Revocation {
        /// Why.
        pub reason: String,
        /// The actor's own password.
        pub password: String,
    }
    /// Somebody went ahead in an emergency.
    pub struct Emergency {
        /// Emergency.
        pub id: String,
        /// `due`, `late` or `reviewed`.
        pub status: String,
        /// Redacted text of the command.
        pub text: String,
        /// Working directory.
        pub cwd: String,
        /// Rules that asked for approval.
        pub rules: Vec<String>,
        /// Risk.
        pub risk: String,
        /// Machine.
        pub machine_id: String,
        /// Host name.
        pub hostname: String,
        /// Person.
        pub user: String,
        /// What the person said.
        pub reason: Option<String>,
        /// When.
        pub used: String,
        /// When its review is due.
        pub due: String,
        /// When it was reviewed.
        pub reviewed: Option<String>,
        /// By whom.
        pub reviewed_by: Option<String>,
        /// `justified` or `unjustified`.
        pub verdict: Option<String>,
        /// What was said.
        pub note: Option<String>,
    }
    /// Emergencies, newest first.
    pub struct EmergencyList {
        /// Emergencies.
        pub emergencies: Vec<Emergency>,
    }
    /// A review, by somebody else; the password is asked again.
    pub struct Review {
        /// `justified` or `unjustified`.
        pub verdict: String,
        /// What was found.
        pub note: String,
        /// The actor's own password.
        pub password: String,
    }
    /// Requests, newest first.
    pub struct ApprovalList {
        /// Requests.
        pub approvals: Vec<Approval>,
    }
    /// A decision; the password is asked again (step-up).
    pub struct ApprovalDecision {
        /// Grant it.
        pub approve: bool,
        /// Why.
        pub reason: String,
        /// The approver's own password.
        pub password: String,
        /// `binding_hash` of what was shown; where it is another one, nothing is decided.
        pub binding_hash: Option<String>,
    }
    /// A machine.
    pub struct Machine {
        /// Machine.
        pub machine_id: String,
        /// Host name.
        pub hostname: String,
        /// Platform.
        pub platform: String,
        /// Person.
        pub person: String,
        /// Labels.
        pub labels: BTreeMap<String, String>,
        /// Versions.
        pub versions: BTreeMap<String, String>,
        /// Capabilities.
        pub capabilities: Vec<String>,
        /// `active`, `silent`, `quarantined`, `revoked`, `retired`.
        pub state: String,
        /// Why in quarantine.
        pub quarantine: Option<String>,
        /// Why its certificates were revoked.
        pub revoked: Option<String>,
        /// The machine has carried the last order out.
        pub order_done: bool,
        /// Installed policy.
        pub policy_version: String,
        /// It is the newest.
        pub policy_current: bool,
        /// Why the newest was refused.
        pub policy_problem: Option<String>,
        /// The newest policy is for newer engines than the one there (`min_engine`).
        pub engine_too_old: bool,
        /// Digest of the snapshot that is in force there.
        pub policy_digest: String,
        /// The road that its policy came by: `server`, `git`, `directory`, `file`.
        pub policy_source: String,
        /// When freshness was last proven there.
        pub policy_verified: Option<String>,
        /// When that proof lapses.
        pub policy_expires: Option<String>,
        /// Its ring in the newest release; nothing where that is for all at once.
        pub ring: Option<String>,
        /// Enrolled.
        pub enrolled: String,
        /// Last contact.
        pub last_seen: Option<String>,
        /// Last sequence number stored.
        pub acked_seq: u64,
        /// Last sequence number the machine says it sealed.
        pub head_seq: u64,
        /// Gap events so far.
        pub gaps: u64,
        /// Commands in the last 24 hours.
        pub commands: u64,
        /// Of them, violations.
        pub violations: u64,
    }
    /// Machines, silent ones first.
    pub struct MachineList {
        /// Machines.
        pub machines: Vec<Machine>,
    }
    /// Into or out of quarantine; the password is asked again.
    pub struct QuarantineChange {
        /// In, or out.
        pub on: bool,
        /// Why; shown to the person.
        pub reason: String,
        /// The actor's own password.
        pub password: String,
    }
    /// A machine's certificates are revoked, or it is retired; the password is asked again.
    pub struct MachineEnd {
        /// Why; shown to the person at the machine.
        pub reason: String,
        /// The actor's own password.
        pub password: String,
    }
    /// A token to enrol one machine.
    pub struct NewEnrolmentToken {
        /// Person it is for.
        pub person: String,
        /// Teams.
        pub teams: Vec<String>,
        /// Labels.
        pub labels: BTreeMap<String, String>,
        /// Hours it may wait, 1 to 720.
        pub hours: u32,
        /// How many machines may use it: 1, or more for a simulated fleet or an image.
        pub uses: u32,
        /// The actor's own password.
        pub password: Option<String>,
    }
    /// Shown once.
    pub struct EnrolmentToken {
        /// The whole line.
        pub token: String,
        /// When it lapses.
        pub expires: String,
        /// The command to type on the machine.
        pub command: String,
    }
    /// The organisation's policy.
    pub struct PolicyView {
        /// Version in force; 0 before the first.
        pub version: u64,
        /// Source.
        pub source: String,
        /// Who published it.
        pub published_by: String,
        /// When.
        pub published: String,
        /// SHA-256 of the source, hex.
        pub sha256: String,
        /// Machines with this version.
        pub machines_current: u64,
        /// Machines in all.
        pub machines: u64,
        /// Releases, newest first.
        pub history: Vec<PolicyRelease>,
        /// Who signs releases: `server`, which then holds every key, or `people`.
        pub signing: String,
        /// A new root of trust waits for the next release.
        pub root_waits: bool,
        /// How the newest release spreads.
        pub rollout: Option<RolloutView>,
        /// A release that waits for signatures.
        pub draft: Option<PolicyDraft>,
        /// The standing plan for rollouts, in YAML; empty: every machine at once.
        pub plan: String,
        /// The policy comes from this place, such as `REPOSITORY@COMMIT`; it is not edited here.
        pub managed_by: Option<String>,
    }
    /// One release.
    pub struct PolicyRelease {
        /// Version.
        pub version: u64,
        /// Who.
        pub published_by: String,
        /// When.
        pub published: String,
        /// What was said.
        pub note: String,
        /// SHA-256 of the source, hex.
        pub sha256: String,
        /// Who looked at it before it went out; empty where nobody had to.
        pub reviewed_by: String,
        /// What it would have changed; of the newest twenty.
        pub impact: Option<Impact>,
        /// SHA-256 of that report as it was signed, hex; empty where there is none.
        pub impact_sha256: String,
    }
    /// What a release would have changed against the one in force: documents compared, and recorded
    /// commands judged under both (`cmdai.impact/1`). Counts only: it is signed with the release.
    pub struct Impact {
        /// `cmdai.impact/1`.
        pub format: String,
        /// Version that it is compared with.
        pub against: u64,
        /// When.
        pub made: String,
        /// Days of history that were looked at.
        pub days: u32,
        /// Commands that were judged.
        pub commands: u64,
        /// There were more than could be looked at; these are the newest.
        pub bounded: bool,
        /// Commands decided more strictly.
        pub stricter: u64,
        /// Commands decided less strictly.
        pub looser: u64,
        /// People who would have been interrupted more often.
        pub people_more: u64,
        /// People who would have been interrupted less often.
        pub people_less: u64,
        /// How often each decision.
        pub decisions: Vec<ImpactCount>,
        /// How often rules fired, where that differs.
        pub rules: Vec<ImpactCount>,
        /// What the documents say differently, loosenings first.
        pub changes: Vec<ImpactChange>,
        /// Changes that are not listed.
        pub more_changes: u64,
    }
    /// How often, before and after.
    pub struct ImpactCount {
        /// Of what.
        pub name: String,
        /// Under the policy in force.
        pub old: u64,
        /// Under the new one.
        pub new: u64,
    }
    /// One change of the document.
    pub struct ImpactChange {
        /// `looser`, `unclear`, `stricter`, `wording`.
        pub direction: String,
        /// What it is about.
        pub subject: String,
        /// What held.
        pub was: Option<String>,
        /// What will hold.
        pub is: Option<String>,
    }
    /// Commands of the last days that a draft decides differently.
    pub struct ImpactCommand {
        /// Redacted text.
        pub text: String,
        /// Decision under the policy in force.
        pub old: String,
        /// Under the new one.
        pub new: String,
        /// How often it was run.
        pub count: u64,
        /// The rule that decides under the stricter of the two.
        pub rule: Option<String>,
    }
    /// What a document would change against the policy in force, before it is put up.
    pub struct PolicyImpact {
        /// The report, as a release would carry it.
        pub impact: Impact,
        /// Commands that would be decided differently, worst first.
        pub commands: Vec<ImpactCommand>,
    }
    /// Somebody other than the author has looked at the draft; the password is asked again.
    pub struct ReleaseReview {
        /// [`PolicyDraft::digest`] of the draft that was looked at: another one is not agreed to.
        pub digest: String,
        /// It may go out; else it is dropped.
        pub approve: bool,
        /// What was found.
        pub note: String,
        /// The actor's own password.
        pub password: String,
    }
    /// A source to check.
    pub struct PolicySource {
        /// YAML.
        pub source: String,
    }
    /// What is wrong with it.
    pub struct PolicyCheck {
        /// It may be published.
        pub valid: bool,
        /// Complaints in the order of the text.
        pub diagnostics: Vec<PolicyDiagnostic>,
        /// Results of the tests in the document.
        pub tests: Vec<PolicyTestResult>,
    }
    /// A complaint with its place.
    pub struct PolicyDiagnostic {
        /// `error` or `warning`.
        pub severity: String,
        /// Line, from 1.
        pub line: u32,
        /// Column, from 1.
        pub column: u32,
        /// What.
        pub message: String,
        /// What to do.
        pub help: Option<String>,
    }
    /// A test of the document.
    pub struct PolicyTestResult {
        /// Command.
        pub command: String,
        /// Expected decision.
        pub expected: String,
        /// Found decision.
        pub found: String,
        /// They agree.
        pub passed: bool,
    }
    /// Publishing; the password is asked again.
    pub struct PolicyPublish {
        /// YAML.
        pub source: String,
        /// Version it was made from; a conflict where it is not in force any more.
        pub base_version: u64,
        /// What changed and why.
        pub note: String,
        /// The actor's own password.
        pub password: String,
        /// Plan of the rollout in YAML; nothing: the standing one; empty: every machine at once.
        pub rollout: Option<String>,
        /// The place that the policy comes from, such as `REPOSITORY@COMMIT`.
        pub managed_by: Option<String>,
    }
    /// Detection rules.
    pub struct DetectionList {
        /// Rules.
        pub detections: Vec<Detection>,
    }
    /// One detection rule.
    pub struct Detection {
        /// Id.
        pub id: String,
        /// Title.
        pub title: String,
        /// Severity.
        pub severity: String,
        /// What it looks for, in words.
        pub condition: String,
        /// Actions it may take.
        pub actions: Vec<String>,
        /// It runs.
        pub enabled: bool,
    }
    /// Frameworks that reports exist for.
    pub struct FrameworkList {
        /// Frameworks.
        pub frameworks: Vec<Framework>,
    }
    /// One framework.
    pub struct Framework {
        /// `SOC2`.
        pub id: String,
        /// Title.
        pub title: String,
        /// Edition the map is made from.
        pub edition: String,
        /// Controls in the map.
        pub controls: u64,
    }
    /// A report: what was tested and found. It never says "compliant".
    pub struct Report {
        /// Framework.
        pub framework: Framework,
        /// Organisation.
        pub organisation: String,
        /// Start of the period.
        pub from: String,
        /// End of the period.
        pub to: String,
        /// When it was made.
        pub generated: String,
        /// By whom.
        pub generated_by: String,
        /// Events in the period.
        pub events: u64,
        /// Completeness of the period, in words, with numbers.
        pub completeness: Completeness,
        /// Commands within policy per 10,000 judged.
        pub compliance: u64,
        /// Controls.
        pub controls: Vec<ControlResult>,
    }
    /// Is everything there?
    pub struct Completeness {
        /// Machines with events in the period.
        pub machines: u64,
        /// Gap events in the period.
        pub gaps: u64,
        /// Records missing in them.
        pub missing: u64,
        /// The ledger's tree size at the end.
        pub tree_size: u64,
        /// Root hash, hex.
        pub root: String,
        /// Chains and tree were checked and fit.
        pub verified: bool,
    }
    /// One control.
    pub struct ControlResult {
        /// `CC6.8`.
        pub id: String,
        /// Title.
        pub title: String,
        /// What the control asks.
        pub asks: String,
        /// Evidence.
        pub evidence: Vec<EvidenceItem>,
    }
    /// One piece of evidence.
    pub struct EvidenceItem {
        /// `E4`.
        pub id: String,
        /// What it shows.
        pub title: String,
        /// Query that yields the rows.
        pub query: String,
        /// How many rows.
        pub rows: u64,
        /// SHA-256 over the rows' event hashes in order, hex.
        pub sha256: String,
        /// Seed of the sample.
        pub seed: String,
        /// Sample of rows.
        pub sample: Vec<EventRow>,
        /// What stands out, in sentences.
        pub exceptions: Vec<String>,
    }
    /// One line of an export: exactly one field is there.
    pub struct ExportLine {
        /// First line: what this is.
        pub export: Option<ExportHeader>,
        /// An event with its place in the ledger.
        pub event: Option<ExportedEvent>,
        /// Last line: the signed checkpoint.
        pub checkpoint: Option<Checkpoint>,
    }
    /// What an export holds.
    pub struct ExportHeader {
        /// `cmdai.export/1`.
        pub format: String,
        /// Organisation.
        pub organisation: String,
        /// Start of the period; empty for the beginning.
        pub from: String,
        /// End of the period; empty for now.
        pub to: String,
        /// Leaf index of the first event.
        pub first_leaf: u64,
        /// Number of events that follow.
        pub count: u64,
        /// Hashes of the left subtrees before `first_leaf`, hex, largest first.
        pub left_edge: Vec<String>,
        /// Public key that signs checkpoints, base64.
        pub public_key: String,
        /// Machine to sequence number and hash (hex) of its last event before the export.
        pub heads: BTreeMap<String, ChainHead>,
    }
    /// Last event of a chain.
    pub struct ChainHead {
        /// Number.
        pub seq: u64,
        /// Hash, hex.
        pub hash: String,
    }
    /// An event in the ledger.
    pub struct ExportedEvent {
        /// Leaf index.
        pub leaf: u64,
        /// The event, `cmdai.event/1`.
        #[schema(value_type = Object)]
        pub event: serde_json::Value,
    }
    /// A signed state of the ledger.
    pub struct Checkpoint {
        /// Origin line.
        pub origin: String,
        /// Number of leaves.
        pub tree_size: u64,
        /// Root hash, hex.
        pub root: String,
        /// When.
        pub time: String,
        /// The signed note, as text.
        pub note: String,
    }
    /// State of the ledger.
    pub struct LedgerView {
        /// Newest checkpoint.
        pub checkpoint: Option<Checkpoint>,
        /// Events stored.
        pub events: u64,
        /// Public key, base64.
        pub public_key: String,
    }
    /// A way to be told.
    pub struct Channel {
        /// Channel.
        pub id: String,
        /// `webhook` or `slack`.
        pub kind: String,
        /// Where to.
        pub url: String,
        /// Least severity.
        pub min_severity: String,
        /// `webhook`: signs bodies (HMAC-SHA-256). `slack`: the signing secret that its answers carry.
        /// Never given back.
        pub secret: Option<String>,
        /// It is used.
        pub enabled: bool,
    }
    /// Channels.
    pub struct ChannelList {
        /// Channels.
        pub channels: Vec<Channel>,
    }
    /// One try to tell.
    pub struct Delivery {
        /// When.
        pub time: String,
        /// Channel.
        pub channel: String,
        /// Alert.
        pub alert: String,
        /// Try, from 1.
        pub attempt: u32,
        /// HTTP status, where there was one.
        pub status: Option<u16>,
        /// What went wrong.
        pub error: Option<String>,
    }
    /// Deliveries, newest first.
    pub struct DeliveryList {
        /// Deliveries.
        pub deliveries: Vec<Delivery>,
    }
    /// An account.
    pub struct User {
        /// Login.
        pub login: String,
        /// Role.
        pub role: Role,
        /// Login name on machines, so that nobody approves for themselves.
        pub person: String,
        /// When made.
        pub created: String,
        /// Last sign-in.
        pub last_seen: Option<String>,
        /// Groups, for approvals.
        pub groups: Vec<String>,
        /// Id in the chat service.
        pub chat: Option<String>,
        /// It has a second factor.
        pub second_factor: bool,
    }
    /// A change to an account; fields left out stay. The password is asked again.
    pub struct UserChange {
        /// Role.
        pub role: Option<Role>,
        /// Groups.
        pub groups: Option<Vec<String>>,
        /// Id in the chat service; empty for none.
        pub chat: Option<String>,
        /// Take the second factors away, where their owner has lost them.
        pub reset_factors: Option<bool>,
        /// The actor's own password.
        pub password: String,
    }
    /// Accounts.
    pub struct UserList {
        /// Accounts.
        pub users: Vec<User>,
    }
    /// A new account.
    pub struct NewUser {
        /// Login.
        pub login: String,
        /// Role.
        pub role: Role,
        /// Login name on machines.
        pub person: String,
        /// Password, at least 12 characters.
        pub password: String,
        /// Groups, for approvals.
        pub groups: Option<Vec<String>>,
        /// The actor's own password.
        pub your_password: Option<String>,
    }
}

wire! {
    /// How a release spreads.
    pub struct RolloutView {
        /// The release.
        pub release: u64,
        /// `draft`, `spreading`, `halted`, `done`, `rolled_back`, `replaced`.
        pub phase: String,
        /// Why it halted, or what it came to.
        pub reason: String,
        /// When it went out.
        pub begun: String,
        /// Its rings, in order; none where it was for every machine at once.
        pub rings: Vec<RolloutRing>,
        /// Most machines on the way at a time; 0: no bound.
        pub max_in_flight: u64,
        /// The figures of the health gate.
        pub gate: Vec<GateFigure>,
        /// Machines that are not heard of and join later.
        pub away: u64,
        /// What a rollback brings back, where there is something.
        pub rollback_to: Option<u64>,
        /// What may be done: `halt`, `continue`, `rollback`.
        pub may: Vec<String>,
    }
    /// A ring.
    pub struct RolloutRing {
        /// Name.
        pub name: String,
        /// Whom it takes, in words.
        pub takes: String,
        /// `closed`, `opening`, `waiting` or `open`.
        pub state: String,
        /// Machines in it that are about.
        pub members: u64,
        /// Of those, offered the release.
        pub offered: u64,
        /// Of those, have it.
        pub current: u64,
        /// Of those, could not install it.
        pub problems: u64,
        /// Of those, went silent.
        pub silent: u64,
        /// Seconds to wait before the next ring.
        pub wait_s: u64,
    }
    /// A figure of the health gate.
    pub struct GateFigure {
        /// `change`, `problems`, `silent`.
        pub id: String,
        /// In words.
        pub title: String,
        /// As it is.
        pub value: u64,
        /// Above this the rollout halts.
        pub limit: u64,
        /// What it was counted over, or why it is not judged yet.
        pub note: String,
    }
    /// A release that waits for signatures.
    pub struct PolicyDraft {
        /// Its number.
        pub release: u64,
        /// Who made it.
        pub by: String,
        /// When.
        pub made: String,
        /// What changed and why.
        pub note: String,
        /// It brings older content back.
        pub rollback: bool,
        /// It changes nothing of the newest release but the security keys of approvers.
        pub keys_only: bool,
        /// SHA-256 over everything that would be released and what is said about it, hex.
        pub digest: String,
        /// It waits for a review by somebody else than `by`.
        pub awaits_review: bool,
        /// Who looked at it; empty where nobody did.
        pub reviewed_by: String,
        /// What it would change.
        pub impact: Option<Impact>,
        /// SHA-256 of that report as it is signed, hex; empty where there is none.
        pub impact_sha256: String,
        /// Recorded commands that it would decide differently, worst first, for who reviews it. They
        /// stay on the server.
        pub commands: Vec<ImpactCommand>,
        /// Holders whose keys have signed.
        pub signed_by: Vec<String>,
        /// How many are needed.
        pub needed: u64,
        /// Names of the rings.
        pub rings: Vec<String>,
    }
    /// Signatures for the draft.
    pub struct DraftSignatures {
        /// Each over the draft's metadata.
        pub signatures: Vec<DraftSignature>,
    }
    /// A publisher's signature.
    pub struct DraftSignature {
        /// Id of the key, hex.
        pub key_id: String,
        /// Ed25519, hex.
        pub signature: String,
    }
    /// What is to become of a rollout.
    pub struct RolloutChange {
        /// `halt`, `continue`, `rollback`, or `unmanage`: the policy is edited here again.
        pub action: String,
        /// Why.
        pub reason: String,
        /// The caller's own password.
        pub password: String,
    }
    /// Keys of releases.
    pub struct PolicyKeys {
        /// `server` or `people`.
        pub signing: String,
        /// The root in force, as text; empty where there is none yet.
        pub root: String,
        /// The root that waits for the next release.
        pub next_root: Option<String>,
        /// The server's own keys, as `policy keys init` reads them.
        pub online: String,
        /// Every key with its role.
        pub keys: Vec<PolicyKey>,
    }
    /// A key.
    pub struct PolicyKey {
        /// `root`, `publisher`, `snapshot`, `timestamp`.
        pub role: String,
        /// Holder.
        pub name: String,
        /// Id, hex.
        pub id: String,
        /// How many of the role's keys must sign.
        pub threshold: u64,
    }
    /// A root of trust to be taken in.
    pub struct NewRoot {
        /// Its text.
        pub root: String,
        /// The caller's own password.
        pub password: String,
    }
}
