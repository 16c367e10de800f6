//! Control state: accounts, machines, approvals, releases, alerts. What an engine must offer.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cmdai_api::console::{Channel, Delivery, Note, Role};
use cmdai_api::machine::{BoundRequest, Checkin, Signed};
use cmdai_schema::MachineManifest;

use crate::StoreError;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login.
    pub login: String,
    /// Role.
    pub role: Role,
    /// Login name on machines.
    pub person: String,
    /// Password in PHC form.
    pub password_hash: String,
    /// The password was made at first start.
    pub initial: bool,
    /// When made, milliseconds since 1970.
    pub created_ms: i64,
    /// Last sign-in.
    pub last_seen_ms: Option<i64>,
    /// Groups, for approvals.
    pub groups: Vec<String>,
    /// Id in the chat service.
    pub chat: Option<String>,
}

/// A second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorRow {
    /// Factor.
    pub id: String,
    /// Whose.
    pub login: String,
    /// `totp`.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// The shared secret, hex.
    pub secret: String,
    /// It was used once in enrolment; before that it counts for nothing.
    pub confirmed: bool,
    /// Highest time step that was used.
    pub counter: i64,
    /// When made.
    pub created_ms: i64,
    /// Last use.
    pub last_used_ms: Option<i64>,
}

/// A browser's session or a program's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// `session` or `token`.
    pub kind: String,
    /// What it is for.
    pub name: String,
    /// Whose.
    pub login: String,
    /// When made.
    pub created_ms: i64,
    /// When it lapses.
    pub expires_ms: i64,
}

/// A token that enrols machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentTokenRow {
    /// Public part.
    pub id: String,
    /// SHA-256 of the secret part.
    pub secret_hash: [u8; 32],
    /// Person it is for.
    pub person: String,
    /// Teams of the person.
    pub teams: Vec<String>,
    /// Labels for the machine.
    pub labels: BTreeMap<String, String>,
    /// How many machines may still use it.
    pub uses_left: u32,
    /// When it lapses.
    pub expires_ms: i64,
    /// Who made it.
    pub made_by: String,
}

/// An enrolled machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRow {
    /// Machine.
    pub machine_id: String,
    /// What it says of itself.
    pub manifest: MachineManifest,
    /// Person, as enrolled.
    pub person: String,
    /// Teams, as enrolled.
    pub teams: Vec<String>,
    /// Labels, as enrolled.
    pub labels: BTreeMap<String, String>,
    /// SHA-256 of its certificate, hex.
    pub fingerprint: String,
    /// The same of a renewed certificate that was not used yet; empty where there is none.
    pub fingerprint_next: String,
    /// Why its certificates were revoked, where they were.
    pub revoked: Option<String>,
    /// When enrolled.
    pub enrolled_ms: i64,
    /// Last contact.
    pub last_seen_ms: Option<i64>,
    /// It may not speak any more.
    pub retired: bool,
    /// Why in quarantine, where it is.
    pub quarantine: Option<String>,
    /// Highest order carried out.
    pub order_done: u64,
    /// Highest order given.
    pub order_last: u64,
    /// Installed policy.
    pub policy_version: String,
    /// Digest of its snapshot.
    pub policy_digest: String,
    /// Why the newest was refused.
    pub policy_problem: Option<String>,
    /// Last sequence number it says it sealed.
    pub head_seq: u64,
    /// Events it says it still holds.
    pub queued: u64,
}

/// A sign of life of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Machine.
    pub machine_id: String,
    /// When, milliseconds since 1970.
    pub seen_ms: i64,
    /// What it said of itself, where it did.
    pub checkin: Option<Checkin>,
}

/// What a request takes to be granted, as it was when it was opened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Terms {
    /// How many different people.
    pub needed: u32,
    /// Groups that they come from; every account with the role security where it is empty.
    pub groups: Vec<String>,
    /// One of them is in one of these groups; nobody in particular where it is empty.
    pub managers: Vec<String>,
    /// Weakest factor that counts.
    pub factor: String,
    /// How often the grant may be used.
    pub uses: u32,
    /// Policy version that they come from.
    pub policy_version: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            needed: 1,
            groups: Vec::new(),
            managers: Vec::new(),
            factor: "password".to_owned(),
            uses: 1,
            policy_version: 0,
        }
    }
}

/// What one person said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Request.
    pub request_id: String,
    /// Person, spelled the one way.
    pub person: String,
    /// Account.
    pub login: String,
    /// Yes or no.
    pub approve: bool,
    /// How they proved it.
    pub factor: String,
    /// What they said.
    pub reason: String,
    /// When.
    pub time_ms: i64,
    /// What their security key signed (`cmdai_api::machine::Proof` as JSON), where it did.
    pub proof: Option<String>,
}

/// An approved exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// The request it came from.
    pub approval: ApprovalRow,
    /// Last moment.
    pub until_ms: i64,
    /// When it was approved.
    pub approved_ms: i64,
    /// When it was taken back.
    pub revoked_ms: Option<i64>,
    /// By whom.
    pub revoked_by: Option<String>,
    /// Why.
    pub revoked_reason: Option<String>,
}

/// Somebody went ahead in an emergency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyRow {
    /// What was done, and by whom.
    pub approval: ApprovalRow,
    /// When its review is due.
    pub due_ms: i64,
    /// When it was reviewed.
    pub reviewed_ms: Option<i64>,
    /// By whom.
    pub reviewed_by: Option<String>,
    /// `justified` or `unjustified`.
    pub verdict: Option<String>,
    /// What was said.
    pub note: Option<String>,
    /// That the review is late was told.
    pub late_told: bool,
}

/// A request for approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Request.
    pub id: String,
    /// `command`, `exception` or `break_glass`.
    pub kind: String,
    /// What it takes.
    pub terms: Terms,
    /// Machine.
    pub machine_id: String,
    /// Host name.
    pub hostname: String,
    /// What is asked for, and by whom.
    pub request: BoundRequest,
    /// Hash that the grant carries.
    pub binding_hash: String,
    /// What the person said.
    pub reason: Option<String>,
    /// Session.
    pub session_id: String,
    /// `pending`, `granted`, `denied`, `expired`, `consumed`.
    pub status: String,
    /// When it was asked.
    pub created_ms: i64,
    /// When it lapses.
    pub expires_ms: i64,
    /// Who decided.
    pub approver: Option<String>,
    /// What was said to it.
    pub decision_reason: Option<String>,
    /// When it was decided.
    pub decided_ms: Option<i64>,
    /// The signed decision.
    pub signed: Option<Signed>,
}

/// A decision about a request.
#[derive(Debug, Clone)]
pub struct Decided {
    /// `granted`, `denied` or `expired`.
    pub status: String,
    /// Who.
    pub approver: String,
    /// What was said.
    pub reason: String,
    /// When.
    pub decided_ms: i64,
    /// Of an exception that was approved: its last moment.
    pub exception_until_ms: Option<i64>,
    /// Signed for the machine.
    pub signed: Signed,
}

/// A policy release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRow {
    /// Version.
    pub version: u64,
    /// YAML.
    pub source: String,
    /// SHA-256 of it, hex.
    pub sha256: String,
    /// Who.
    pub published_by: String,
    /// When.
    pub published_ms: i64,
    /// What was said.
    pub note: String,
    /// What it would have changed (`cmdai.impact/1`), where that was looked at.
    pub impact: Option<String>,
    /// Who looked at it before it went out; empty where nobody had to.
    pub reviewed_by: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Alert.
    pub id: String,
    /// Detection rule.
    pub detection: String,
    /// What it is about, so that repeated hits join: a machine, a person.
    pub key: String,
    /// `open`, `acknowledged`, `closed`.
    pub status: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// Title.
    pub title: String,
    /// What happened.
    pub summary: String,
    /// Machine.
    pub machine_id: Option<String>,
    /// Host name.
    pub hostname: Option<String>,
    /// Person.
    pub user: Option<String>,
    /// Events behind it.
    pub event_ids: Vec<String>,
    /// How many times it fired.
    pub count: u64,
    /// When it happened.
    pub occurred_ms: i64,
    /// When it was raised.
    pub created_ms: i64,
    /// When a channel first took it.
    pub notified_ms: Option<i64>,
    /// Who has it.
    pub assignee: Option<String>,
    /// How it ended.
    pub disposition: Option<String>,
    /// Notes, oldest first.
    pub notes: Vec<Note>,
}

/// Accounts, sessions and tokens.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// One account.
    async fn account(&self, login: &str) -> Result<Option<Account>, StoreError>;
    /// All accounts by login.
    async fn accounts(&self) -> Result<Vec<Account>, StoreError>;
    /// Adds an account; false where the login is taken.
    async fn add_account(&self, account: &Account) -> Result<bool, StoreError>;
    /// Removes an account with its sessions and tokens; false where there is none.
    async fn delete_account(&self, login: &str) -> Result<bool, StoreError>;
    /// Takes down a sign-in.
    async fn touch_account(&self, login: &str, now_ms: i64) -> Result<(), StoreError>;
    /// Adds a session or token.
    async fn add_credential(&self, credential: &Credential) -> Result<(), StoreError>;
    /// A session or token with its account, unless it has lapsed.
    async fn credential(
        &self,
        hash: [u8; 32],
        now_ms: i64,
    ) -> Result<Option<(Credential, Account)>, StoreError>;
    /// Removes a session or token.
    async fn delete_credential(&self, hash: [u8; 32]) -> Result<(), StoreError>;
    /// Tokens of programs, of one account or of all, newest first.
    async fn tokens(&self, login: Option<&str>) -> Result<Vec<Credential>, StoreError>;
    /// Changes role, groups and chat id; false where there is no such account.
    async fn change_account(
        &self,
        login: &str,
        role: Role,
        groups: &[String],
        chat: Option<&str>,
    ) -> Result<bool, StoreError>;
    /// Changes the password and ends every session and token but one.
    async fn set_password(
        &self,
        login: &str,
        password_hash: &str,
        keep: [u8; 32],
    ) -> Result<(), StoreError>;
    /// Removes what has lapsed.
    async fn delete_lapsed(&self, now_ms: i64) -> Result<(), StoreError>;
}

/// Second factors.
#[async_trait]
pub trait FactorStore: Send + Sync {
    /// Factors of an account, oldest first.
    async fn factors(&self, login: &str) -> Result<Vec<FactorRow>, StoreError>;
    /// All confirmed factors of a kind.
    async fn factors_of_kind(&self, kind: &str) -> Result<Vec<FactorRow>, StoreError>;
    /// Adds a factor.
    async fn add_factor(&self, factor: &FactorRow) -> Result<(), StoreError>;
    /// Takes a use down and confirms the factor. False where the counter is not higher than the
    /// last one: a code is used once.
    async fn use_factor(&self, id: &str, counter: i64, now_ms: i64) -> Result<bool, StoreError>;
    /// Keeps a factor's secret in another form.
    async fn change_factor_secret(&self, id: &str, secret: &str) -> Result<(), StoreError>;
    /// Takes a use of a factor down that does not count.
    async fn touch_factor(&self, id: &str, now_ms: i64) -> Result<(), StoreError>;
    /// Removes a factor; false where the account has none of this id.
    async fn delete_factor(&self, login: &str, id: &str) -> Result<bool, StoreError>;
    /// Replaces the recovery codes, by SHA-256.
    async fn set_recovery_codes(&self, login: &str, hashes: &[[u8; 32]]) -> Result<(), StoreError>;
    /// Uses a recovery code up; false where there is no such code.
    async fn use_recovery_code(&self, login: &str, hash: [u8; 32]) -> Result<bool, StoreError>;
    /// Recovery codes that are left.
    async fn recovery_codes(&self, login: &str) -> Result<u64, StoreError>;
}

/// Enrolment, machines and orders.
#[async_trait]
pub trait MachineStore: Send + Sync {
    /// Adds an enrolment token.
    async fn add_enrolment_token(&self, token: &EnrolmentTokenRow) -> Result<(), StoreError>;
    /// Uses a token once and adds the machine, in one transaction. Nothing where the token is
    /// unknown, used up or has lapsed. Person, teams and labels of the machine become the token's.
    async fn enrol(
        &self,
        token_id: &str,
        secret_hash: [u8; 32],
        now_ms: i64,
        machine: MachineRow,
    ) -> Result<Option<MachineRow>, StoreError>;
    /// One machine.
    async fn machine(&self, machine_id: &str) -> Result<Option<MachineRow>, StoreError>;
    /// All machines.
    async fn machines(&self) -> Result<Vec<MachineRow>, StoreError>;
    /// Takes down contacts, in one transaction.
    async fn contacts(&self, contacts: &[Contact]) -> Result<(), StoreError>;
    /// Puts a machine into quarantine or takes it out, with the order that says so.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another order has the same number.
    async fn order(
        &self,
        machine_id: &str,
        quarantine: Option<&str>,
        serial: u64,
        signed: &Signed,
    ) -> Result<(), StoreError>;
    /// A renewed certificate counts from now on beside the present one.
    async fn offer_certificate(
        &self,
        machine_id: &str,
        fingerprint: &str,
    ) -> Result<(), StoreError>;
    /// The renewed certificate was used: the one before it counts no more.
    async fn use_certificate(&self, machine_id: &str, fingerprint: &str) -> Result<(), StoreError>;
    /// Neither certificate of the machine counts any more.
    async fn revoke_machine(&self, machine_id: &str, reason: &str) -> Result<(), StoreError>;
    /// The machine may not speak any more, and is not missed.
    async fn retire_machine(&self, machine_id: &str) -> Result<(), StoreError>;
    /// Orders with a higher number, oldest first.
    async fn orders_after(&self, machine_id: &str, serial: u64) -> Result<Vec<Signed>, StoreError>;
}

/// Requests for approval.
#[async_trait]
pub trait ApprovalStore: Send + Sync {
    /// Opens a request; false where the id is taken.
    async fn open_approval(&self, approval: &ApprovalRow) -> Result<bool, StoreError>;
    /// One request.
    async fn approval(&self, id: &str) -> Result<Option<ApprovalRow>, StoreError>;
    /// Requests, newest first.
    async fn approvals(
        &self,
        status: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ApprovalRow>, StoreError>;
    /// Requests of one person on one machine that are pending and were opened since.
    async fn pending_approvals(
        &self,
        machine_id: &str,
        user: &str,
        since_ms: i64,
    ) -> Result<u64, StoreError>;
    /// Requests of one session on one machine that are pending and were opened since.
    async fn pending_of_session(
        &self,
        machine_id: &str,
        session_id: &str,
        since_ms: i64,
    ) -> Result<u64, StoreError>;
    /// Requests of one person on one machine that were opened since, whatever became of them.
    async fn asked_since(
        &self,
        machine_id: &str,
        user: &str,
        since_ms: i64,
    ) -> Result<u64, StoreError>;
    /// Takes a vote down; false where this person has voted already.
    async fn add_vote(&self, vote: &Vote) -> Result<bool, StoreError>;
    /// Votes about a request, oldest first.
    async fn votes(&self, id: &str) -> Result<Vec<Vote>, StoreError>;
    /// Votes about all requests that were opened since.
    async fn votes_since(&self, since_ms: i64) -> Result<Vec<Vote>, StoreError>;
    /// Requests of one machine that are pending and have not lapsed.
    async fn pending_of_machine(&self, machine_id: &str, now_ms: i64) -> Result<u64, StoreError>;
    /// Decides a pending request; false where it is not pending any more.
    async fn decide_approval(&self, id: &str, decided: &Decided) -> Result<bool, StoreError>;
    /// Signed decisions about a machine's requests that were opened since, by request.
    async fn decisions(
        &self,
        machine_id: &str,
        since_ms: i64,
    ) -> Result<Vec<(String, Signed)>, StoreError>;
    /// Pending requests that have lapsed.
    async fn lapsed_approvals(&self, now_ms: i64) -> Result<Vec<ApprovalRow>, StoreError>;
    /// A machine has used the grant up.
    async fn consume_approval(&self, machine_id: &str, id: &str) -> Result<(), StoreError>;
}

/// Exceptions and emergencies.
#[async_trait]
pub trait ExceptionStore: Send + Sync {
    /// Exceptions, those that end last first.
    async fn exceptions(&self, limit: u32) -> Result<Vec<ExceptionRow>, StoreError>;
    /// One exception.
    async fn exception(&self, id: &str) -> Result<Option<ExceptionRow>, StoreError>;
    /// Takes an exception back, with the order that says so; false where it is back already.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another order to the machine has the same number.
    async fn revoke_exception(
        &self,
        id: &str,
        by: &str,
        reason: &str,
        now_ms: i64,
        order: (&str, u64, &Signed),
    ) -> Result<bool, StoreError>;
    /// Somebody went ahead in an emergency.
    async fn add_emergency(&self, id: &str, due_ms: i64) -> Result<(), StoreError>;
    /// Emergencies, newest first.
    async fn emergencies(&self, limit: u32) -> Result<Vec<EmergencyRow>, StoreError>;
    /// One emergency.
    async fn emergency(&self, id: &str) -> Result<Option<EmergencyRow>, StoreError>;
    /// Takes the review down; false where there is one already.
    async fn review_emergency(
        &self,
        id: &str,
        by: &str,
        verdict: &str,
        note: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError>;
    /// Emergencies whose review is late, which was not told yet.
    async fn late_emergencies(&self, now_ms: i64) -> Result<Vec<EmergencyRow>, StoreError>;
    /// That the review is late was told.
    async fn late_told(&self, id: &str) -> Result<(), StoreError>;
}

/// Alerts, channels and deliveries.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Adds an alert.
    async fn add_alert(&self, alert: &AlertRow) -> Result<(), StoreError>;
    /// Newest alert of a detection about one thing, raised since.
    async fn recent_alert(
        &self,
        detection: &str,
        key: &str,
        since_ms: i64,
    ) -> Result<Option<AlertRow>, StoreError>;
    /// Replaces an alert.
    async fn save_alert(&self, alert: &AlertRow) -> Result<(), StoreError>;
    /// One alert.
    async fn alert(&self, id: &str) -> Result<Option<AlertRow>, StoreError>;
    /// Alerts, newest first.
    async fn alerts(&self, status: Option<&str>, limit: u32) -> Result<Vec<AlertRow>, StoreError>;
    /// Number of alerts that are not closed.
    async fn open_alerts(&self) -> Result<u64, StoreError>;
    /// A channel took it for the first time.
    async fn alert_notified(&self, id: &str, now_ms: i64) -> Result<(), StoreError>;

    /// Channels, secrets included.
    async fn channels(&self) -> Result<Vec<Channel>, StoreError>;
    /// Adds or replaces a channel; a missing secret keeps the old one.
    async fn put_channel(&self, channel: &Channel) -> Result<(), StoreError>;
    /// Removes a channel; false where there is none.
    async fn delete_channel(&self, id: &str) -> Result<bool, StoreError>;
    /// Takes down a try to tell.
    async fn add_delivery(&self, delivery: &Delivery) -> Result<(), StoreError>;
    /// Tries, newest first.
    async fn deliveries(&self, limit: u32) -> Result<Vec<Delivery>, StoreError>;
}

/// Policy releases and settings.
#[async_trait]
pub trait SettingStore: Send + Sync {
    /// Adds a release.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the version exists.
    async fn add_release(&self, release: &ReleaseRow) -> Result<(), StoreError>;
    /// Releases, newest first.
    async fn releases(&self) -> Result<Vec<ReleaseRow>, StoreError>;

    /// A setting.
    async fn setting(&self, key: &str) -> Result<Option<String>, StoreError>;
    /// Changes a setting.
    async fn set_setting(&self, key: &str, value: &str) -> Result<(), StoreError>;
}

/// Control state.
pub trait ControlStore:
    AccountStore
    + FactorStore
    + MachineStore
    + ApprovalStore
    + ExceptionStore
    + AlertStore
    + SettingStore
{
}
impl<
    T: AccountStore
        + FactorStore
        + MachineStore
        + ApprovalStore
        + ExceptionStore
        + AlertStore
        + SettingStore,
> ControlStore for T
{
}
