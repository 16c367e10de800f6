//! The policy document as types: what a YAML file of version "1.0" can say.
//!
//! The JSON Schema that editors use is derived from these types; [`crate::parse`] reads them.

use cmdai_schema::{Decision, Mode, OriginKind, Risk};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::error::Pos;

/// A policy document, of an organisation or of one person.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Version of the document format: "1.0".
    pub version: String,
    /// Who publishes it.
    pub organization: Option<String>,
    /// Oldest engine that may apply it, such as "0.2.0": an older one keeps the policy that it has.
    pub min_engine: Option<String>,
    /// Day from which it is meant to hold (YYYY-MM-DD). Carried and shown; a published document holds at once.
    pub effective_date: Option<String>,
    /// Names of templates whose rules are taken in.
    pub include: Vec<String>,
    /// Where the whole document applies; everywhere when absent.
    pub applies_to: Target,
    /// What is risky here.
    pub safety: Safety,
    /// Tools with constraints.
    pub allowed_tools: Vec<Tool>,
    /// What happens to tools that are not listed.
    pub tools_mode: ToolsMode,
    /// Which models may generate commands.
    pub inference: Inference,
    /// Who approves what.
    pub approvals: Approvals,
    /// What is recorded and where it goes.
    pub audit: Audit,
    /// Frameworks and duties.
    pub compliance: Compliance,
    /// Own rules, and settings of built-in rules.
    pub rules: Vec<Rule>,
    /// Standing exceptions; each ends.
    pub exceptions: Vec<Exception>,
    /// What happens when judging itself fails.
    pub fail_mode: FailMode,
    /// What is kept out of the record.
    pub privacy: Privacy,
    /// What the sensor looks at beside shells and agents.
    pub capture: Layers,
    /// Where supervised process trees may write and read.
    pub supervise: Supervise,
    /// Commands with the decision they must get.
    pub tests: Vec<Trial>,
}

/// How much risk is borne before somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tolerance {
    /// Asks from moderate on.
    Low,
    /// Asks from high on, forbids critical.
    Medium,
    /// Asks from critical on.
    High,
}

impl Tolerance {
    /// What a risk leads to.
    pub const fn decision(self, risk: Risk) -> Decision {
        match (self, risk) {
            (_, Risk::Safe) => Decision::Allow,
            (Self::Low, Risk::Moderate | Risk::High)
            | (Self::Medium, Risk::High)
            | (Self::High, Risk::Critical) => Decision::Confirm,
            (Self::Medium | Self::High, Risk::Moderate) | (Self::High, Risk::High) => {
                Decision::Warn
            }
            (Self::Low | Self::Medium, Risk::Critical) => Decision::Deny,
        }
    }
}

/// What is risky here.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Safety {
    /// How much risk is borne before somebody is asked. Medium when absent.
    pub risk_tolerance: Option<Tolerance>,
    /// Kinds of commands that another person must approve.
    pub require_approval_for: Vec<Category>,
    /// Commands that are stopped.
    pub blocked_patterns: Vec<BlockedPattern>,
    /// Path globs whose loss would be critical.
    pub additional_dangerous_paths: Vec<String>,
    /// Branches, as globs, whose history nobody may rewrite; beside `main`, `master` and the
    /// repository's default branch.
    pub protected_branches: Vec<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at_approval: At,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at_paths: At,
}

/// A command that is stopped, as a shell pattern or as a regular expression over the text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BlockedPattern {
    /// Stable identifier; made from the pattern when absent.
    pub id: Option<String>,
    /// A command or pipeline; `.*`, `*` and `...` stand for any arguments.
    pub pattern: Option<String>,
    /// A regular expression over the text of the whole command.
    pub regex: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// A safer command to offer.
    pub instead: Option<String>,
    /// Who answers questions about it.
    pub owner: Option<String>,
    /// Controls it serves, such as `SOC2:CC6.8`.
    pub controls: Vec<String>,
    /// What happens; deny when absent.
    #[schemars(with = "Option<DecisionWord>")]
    pub decision: Option<Decision>,
    /// How bad it is; high when absent.
    #[schemars(with = "Option<RiskWord>")]
    pub risk: Option<Risk>,
    /// How it takes part; enforce when absent.
    #[schemars(with = "Option<ModeWord>")]
    pub mode: Option<Mode>,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at: At,
}

/// A tool and the ways in which it may be used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tool {
    /// Program name, such as `kubectl`.
    pub name: String,
    /// Version conditions that must all hold, such as `>=1.25.0` or `~1.6.0`.
    pub versions: Vec<String>,
    /// Contexts it may work in, as globs.
    pub approved_contexts: Vec<String>,
    /// Contexts it may not work in, as globs.
    pub blocked_contexts: Vec<String>,
    /// Profiles it may use, as globs.
    pub approved_profiles: Vec<String>,
    /// Flags that must be given.
    pub required_flags: Vec<String>,
    /// What happens where a version, context or profile is not known; warn when absent.
    #[schemars(with = "Option<DecisionWord>")]
    pub unknown: Option<Decision>,
    /// What happens where a condition is not met; deny when absent.
    #[schemars(with = "Option<DecisionWord>")]
    pub decision: Option<Decision>,
    /// Why.
    pub reason: Option<String>,
    /// Who answers questions about it.
    pub owner: Option<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at: At,
}

/// What happens to tools that are not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolsMode {
    /// They are free; only the listed ones are constrained.
    #[default]
    Listed,
    /// They are denied. Shell builtins stay free.
    Allowlist,
}

/// Which models may generate commands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Inference {
    /// Backends that may be used; all when empty.
    pub allowed_backends: Vec<String>,
    /// Backends that may not be used.
    pub blocked_backends: Vec<String>,
    /// Models that may be used; all when empty.
    pub model_allowlist: Vec<String>,
    /// Nothing may leave the machine.
    pub require_local: bool,
}

/// Who approves what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Approvals {
    /// Kinds of commands that a manager must approve.
    pub require_manager_approval: Vec<Category>,
    /// Kinds of commands whose requests are answered with yes at once. Silences no deny.
    pub auto_approve: Vec<Category>,
    /// Groups whose members may approve.
    pub approvers: Vec<String>,
    /// How many different people must approve; 1 when absent.
    pub quorum: Option<u32>,
    /// Minutes after which a request counts as denied.
    pub timeout_minutes: Option<u32>,
    /// How often a grant may be used; 1 when absent.
    pub max_uses: Option<u32>,
    /// Somebody may go ahead in an emergency, with a reason and a later review.
    pub break_glass: Option<bool>,
    /// Hours within which an emergency is reviewed.
    pub review_hours: Option<u32>,
    /// Groups whose members are managers; the group `managers` when empty.
    pub managers: Vec<String>,
    /// Weakest proof of who approves that machines accept, where a rule says nothing else.
    pub factor: Option<Factor>,
    /// A release goes out only after somebody other than its author has looked at it.
    pub review_releases: Option<bool>,
    /// Longest exception that may be asked for, in days; 90 when absent, 0 for none.
    pub exception_days: Option<u32>,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at_manager: At,
}

/// How an approver proves who they are, weakest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// Their password, typed again.
    Password,
    /// A code that changes every half minute, or a recovery code.
    Totp,
    /// A security key or passkey of their own, which signs the very grant; machines verify it
    /// against keys in the signed release.
    Webauthn,
}

impl Factor {
    /// Words in documents and grants.
    pub(crate) const WORDS: &[(&'static str, Self)] = &[
        ("password", Self::Password),
        ("totp", Self::Totp),
        ("webauthn", Self::Webauthn),
    ];

    /// The word in documents and grants.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Webauthn => "webauthn",
        }
    }

    /// By its word; nothing where the word is not known.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, factor)| *factor)
    }
}

/// What a rule asks of who approves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleApproval {
    /// Weakest proof of who approves that machines accept for this rule; what `approvals.factor`
    /// says when absent.
    pub factor: Option<Factor>,
}

impl Document {
    /// What `compliance.require_mfa` asks for at least.
    fn least_factor(&self) -> Factor {
        if self.compliance.require_mfa == Some(true) {
            Factor::Totp
        } else {
            Factor::Password
        }
    }

    /// The weakest proof of who approves that counts where a rule says nothing else: what
    /// `approvals.factor` says, and a second factor at least where `compliance.require_mfa` asks
    /// for one.
    pub fn needed_factor(&self) -> Factor {
        let least = self.least_factor();
        self.approvals
            .factor
            .map_or(least, |named| named.max(least))
    }

    /// The weakest proof that counts for a request that these rules asked for: each rule's own
    /// word where it has one, the strictest of them. `compliance.require_mfa` holds for all.
    pub fn factor_for(&self, rules: &[String]) -> Factor {
        let usual = self.needed_factor();
        let of = |id: &String| {
            let named = (self.rules.iter())
                .filter(|rule| rule.id == *id)
                .filter_map(|rule| rule.approval?.factor)
                .max();
            named.map_or(usual, |named| named.max(self.least_factor()))
        };
        rules.iter().map(of).max().unwrap_or(usual)
    }
}

/// What is recorded and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Every command is recorded, also the harmless ones.
    pub log_all_commands: Option<bool>,
    /// Days for which records are kept.
    pub log_retention_days: Option<u32>,
    /// Records are forwarded.
    pub send_to_siem: Option<bool>,
    /// Where to.
    pub siem_endpoint: Option<String>,
    /// What a machine keeps while the server is away.
    pub spool: Buffer,
}

/// What a machine keeps while the server is away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend(
    "if" = {"required": ["keep_days"]},
    "then" = {"required": ["when_full"], "properties": {"when_full": {"const": "drop_oldest"}}}
))]
pub struct Buffer {
    /// Most mebibytes of sealed events, 4 to 65536; what the sensor was started with (512) when absent.
    #[schemars(range(min = 4, max = 65536))]
    pub max_mib: Option<u32>,
    /// What happens when that is reached: `block` when absent.
    pub when_full: Option<WhenFull>,
    /// Days after which events that the server does not have are dropped, 1 to 365; never when absent. Only
    /// with `when_full: drop_oldest`.
    #[schemars(range(min = 1, max = 365))]
    pub keep_days: Option<u32>,
}

/// What happens when a machine's sealed spool is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// What does not fit waits unsealed in people's own files: nobody's commands stop, and nothing is dropped.
    Block,
    /// The oldest sealed events are removed, and an event says which.
    DropOldest,
}

impl WhenFull {
    /// Words in documents.
    pub(crate) const WORDS: &[(&'static str, Self)] =
        &[("block", Self::Block), ("drop_oldest", Self::DropOldest)];
}

/// Frameworks and duties.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compliance {
    /// Frameworks that reports are made for.
    pub frameworks: Vec<String>,
    /// Class of the data handled here.
    pub data_classification: Option<String>,
    /// Approvers prove themselves with a second factor.
    pub require_mfa: Option<bool>,
}

/// Where something applies. Every list that is given must hold one that fits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// Teams of the person.
    pub teams: Vec<String>,
    /// Departments: the machine's label `department`.
    pub departments: Vec<String>,
    /// Environments: the fact or the machine's label `env`.
    pub environments: Vec<String>,
    /// Zones: the machine's label `zone`.
    pub zones: Vec<String>,
    /// Machine identifiers or labels `hostname`.
    pub machines: Vec<String>,
    /// Login names.
    pub users: Vec<String>,
    /// human, script or agent.
    #[schemars(with = "Vec<OriginWord>")]
    pub origins: Vec<OriginKind>,
    /// Agents by name.
    pub agents: Vec<String>,
    /// Working directories, as globs.
    pub directories: Vec<String>,
}

impl Target {
    /// True where it applies everywhere.
    pub fn is_everywhere(&self) -> bool {
        *self == Self::default()
    }
}

/// An own rule, or the setting of a built-in one (an id of a built-in rule without `when`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Stable identifier.
    pub id: String,
    /// When it fires. All keys that are given must hold.
    pub when: Option<When>,
    /// What happens.
    #[schemars(with = "Option<DecisionWord>")]
    pub decision: Option<Decision>,
    /// How bad it is; the decision follows from it where none is given.
    #[schemars(with = "Option<RiskWord>")]
    pub risk: Option<Risk>,
    /// What happens where a fact that `when` asks for is not known. Absent: warn where the rule
    /// would interrupt, nothing where it only warns.
    #[schemars(with = "Option<DecisionWord>")]
    pub unknown: Option<Decision>,
    /// How it takes part; enforce when absent.
    #[schemars(with = "Option<ModeWord>")]
    pub mode: Option<Mode>,
    /// Why, in a sentence without a full stop.
    pub reason: Option<String>,
    /// A safer command to offer.
    pub instead: Option<String>,
    /// Who answers questions about it.
    pub owner: Option<String>,
    /// Controls it serves.
    pub controls: Vec<String>,
    /// What it asks of who approves a command that it stopped.
    pub approval: Option<RuleApproval>,
    /// Where it applies.
    pub applies_to: Target,
    /// Commands with the decision they must get.
    pub tests: Vec<Trial>,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at: At,
}

/// When a rule fires. Every key that is given must hold; a list holds when one of it fits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Program names, as globs.
    pub program: Vec<String>,
    /// Arguments that must all be there; flags match wherever they stand and however joined.
    pub args: Vec<String>,
    /// Shell patterns, as in blocked_patterns.
    pub pattern: Vec<String>,
    /// A regular expression over the text.
    pub regex: Option<String>,
    /// Names of effects, such as `delete`.
    pub effect: Vec<String>,
    /// Paths that an effect acts on, as globs; `**` crosses folders.
    pub path: Vec<String>,
    /// Paths that do not count.
    pub not_path: Vec<String>,
    /// Cluster context, profile, workspace or resource context, as globs.
    pub context: Vec<String>,
    /// AWS account, Google Cloud project, Azure subscription (name or identifier), as globs.
    pub account: Vec<String>,
    /// Region that a cloud tool works in, as globs.
    pub region: Vec<String>,
    /// Namespace that a cluster tool works in, as globs.
    pub namespace: Vec<String>,
    /// Terraform workspace, as globs.
    pub workspace: Vec<String>,
    /// Name or address of the remote that git speaks to, as globs.
    pub remote: Vec<String>,
    /// Names of resources, packages, services, hosts or addresses that an effect acts on, as globs.
    pub target: Vec<String>,
    /// Branch acted on or checked out, as globs.
    pub branch: Vec<String>,
    /// The branch acted on is protected.
    pub protected_branch: Option<bool>,
    /// human, script or agent.
    #[schemars(with = "Vec<OriginWord>")]
    pub origin: Vec<OriginKind>,
    /// Environments, as globs.
    pub environment: Vec<String>,
    /// Working directory, as globs.
    pub directory: Vec<String>,
    /// Named sets of commands.
    pub category: Vec<Category>,
    /// The built-in rules call it at least this bad.
    #[schemars(with = "Option<RiskWord>")]
    pub risk: Option<Risk>,
    /// A part that could run something cannot be told.
    pub unknown: Option<bool>,
    /// Inside a container.
    pub container: Option<bool>,
    /// On a CI runner.
    pub ci: Option<bool>,
    /// Somebody can answer a question.
    pub terminal: Option<bool>,
    /// Days and hours.
    pub time: Option<TimeWindow>,
}

/// Days and hours, in the offset that the moment of the decision is given in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeWindow {
    /// mon, tue, wed, thu, fri, sat, sun; every day when empty.
    pub days: Vec<String>,
    /// `HH:MM-HH:MM`, over midnight where the end is before the start; the whole day when absent.
    pub between: Option<String>,
    /// Holds outside the window instead.
    pub outside: bool,
}

/// Lifts rules for some, for a time. Only the organisation's document can hold these.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exception {
    /// Rule ids it lifts.
    pub rule: Vec<String>,
    /// For whom and where.
    pub scope: Target,
    /// Only for commands that fit this shell pattern.
    pub pattern: Option<String>,
    /// Last day (YYYY-MM-DD) or moment (YYYY-MM-DDTHH:MM:SSZ).
    pub until: String,
    /// Why.
    pub reason: Option<String>,
    /// Who asked or answers for it.
    pub owner: Option<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at: At,
}

/// What happens when judging itself fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailMode {
    /// The command runs and the failure is recorded.
    #[default]
    Open,
    /// The command does not run.
    Closed,
}

/// Where a supervised process tree (`cmdai run -- PROGRAM`) may write and read: kept by the kernel,
/// for all that is started in it. Places are `project`, `tmp`, folders and files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Supervise {
    /// The only places that may be written; everything where the list is empty.
    pub write: Vec<String>,
    /// Places that may be read besides those, and besides what the system's programs lie in; then
    /// nothing else may be read. Everything where the list is empty.
    pub read_only: Vec<String>,
    /// Whose trees; everybody's where nothing is said.
    pub applies_to: Target,
}

/// What is kept out of the record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// How much is recorded.
    pub capture: Capture,
    /// Folders in which nothing is recorded, as globs.
    pub never_record: Vec<String>,
    /// Fields of events that the sensor replaces by a keyed hash before it seals them.
    pub hash: Vec<HashedField>,
    /// A person may switch the text of what they run off for one shell (`cmdai private on`): rules hold as
    /// always, and only that something ran is recorded. Not where an organisation says nothing.
    pub private_mode: Option<bool>,
    /// What sessions show may be recorded (`cmdai record`). Not where an organisation says nothing.
    pub record_sessions: Option<bool>,
    /// Minutes for which private mode lasts at most at once; 60 in an organisation that says nothing.
    #[schemars(range(min = 1))]
    pub private_minutes: Option<u32>,
}

/// A field of events that can be hashed: the same value gives the same hash on the same machine, and nobody
/// without that machine's key finds the value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum HashedField {
    /// The command's text, its digest, and the texts that findings quote.
    #[serde(rename = "command.text")]
    Text,
    /// The folder in which it ran.
    #[serde(rename = "command.working_directory")]
    WorkingDirectory,
    /// The terminal.
    #[serde(rename = "context.tty")]
    Tty,
}

impl HashedField {
    /// As policies and events name them.
    pub const WORDS: &[(&'static str, Self)] = &[
        ("command.text", Self::Text),
        ("command.working_directory", Self::WorkingDirectory),
        ("context.tty", Self::Tty),
    ];

    /// The field's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "command.text",
            Self::WorkingDirectory => "command.working_directory",
            Self::Tty => "context.tty",
        }
    }
}

/// What the sensor looks at beside shells and agents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Layers {
    /// Programs that start anywhere on the machine, as the kernel sees them.
    pub exec: ExecCapture,
}

/// What happens with programs that start.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ExecCapture {
    /// Nobody looks.
    #[default]
    Off,
    /// They are recorded and compared with what shells and agents reported.
    Record,
    /// The same, and a process is ended whose command the organisation denies.
    Enforce,
}

/// How much is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// Only commands that a rule fired on.
    Findings,
    /// Programs, effects and decisions without the text.
    Metadata,
    /// The redacted text as well.
    #[default]
    Full,
}

/// A command with the decision it must get.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Trial {
    /// The command.
    pub command: String,
    /// The decision.
    #[schemars(with = "DecisionWord")]
    pub expect: Decision,
    /// A rule that must fire.
    pub rule: Option<String>,
    /// Who acts.
    #[schemars(with = "OriginWord")]
    pub origin: OriginKind,
    /// Environment.
    pub environment: Option<String>,
    /// Cluster context.
    pub context: Option<String>,
    /// Profile.
    pub profile: Option<String>,
    /// Account, project or subscription.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Terraform workspace; the context where absent.
    pub workspace: Option<String>,
    /// Checked-out branch.
    pub branch: Option<String>,
    /// Address of the remote `origin`.
    pub remote: Option<String>,
    /// Inside a container.
    pub container: Option<bool>,
    /// On a CI runner.
    pub ci: Option<bool>,
    /// Somebody can answer a question; true when absent.
    pub terminal: Option<bool>,
    /// Teams of the person.
    pub teams: Vec<String>,
    /// Tool versions, by name.
    pub versions: std::collections::BTreeMap<String, String>,
    /// Moment of the decision, RFC 3339.
    pub now: Option<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) at: At,
}

/// Place of an entry, and the template it was taken from. Two documents that differ only in places are equal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct At(pub(crate) Pos, pub(crate) Option<&'static str>);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for At {}

// Stand-ins that describe the shared words to the JSON Schema.
/// What happens to a command.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "described, never built")]
enum DecisionWord {
    Allow,
    Warn,
    Confirm,
    RequireApproval,
    Deny,
}

/// How bad something is.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "described, never built")]
enum RiskWord {
    Safe,
    Moderate,
    High,
    Critical,
}

/// How a rule takes part.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "described, never built")]
enum ModeWord {
    Off,
    Monitor,
    Warn,
    Enforce,
}

/// Who acts.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "described, never built")]
enum OriginWord {
    Human,
    Script,
    Agent,
}

pub(crate) const DECISIONS: &[(&str, Decision)] = &[
    ("allow", Decision::Allow),
    ("warn", Decision::Warn),
    ("confirm", Decision::Confirm),
    ("require_approval", Decision::RequireApproval),
    ("deny", Decision::Deny),
];
pub(crate) const RISKS: &[(&str, Risk)] = &[
    ("safe", Risk::Safe),
    ("moderate", Risk::Moderate),
    ("high", Risk::High),
    ("critical", Risk::Critical),
];
pub(crate) const MODES: &[(&str, Mode)] = &[
    ("off", Mode::Off),
    ("monitor", Mode::Monitor),
    ("warn", Mode::Warn),
    ("enforce", Mode::Enforce),
];
pub(crate) const ORIGINS: &[(&str, OriginKind)] = &[
    ("human", OriginKind::Human),
    ("script", OriginKind::Script),
    ("agent", OriginKind::Agent),
];
pub(crate) const TOLERANCES: &[(&str, Tolerance)] = &[
    ("low", Tolerance::Low),
    ("medium", Tolerance::Medium),
    ("high", Tolerance::High),
];
/// Names of all effects, as in `EffectKind::name`.
pub(crate) const EFFECTS: &[&str] = &[
    "delete",
    "overwrite",
    "write",
    "move",
    "read",
    "read-secret",
    "change-mode",
    "change-owner",
    "device-write",
    "format",
    "mount",
    "run-code",
    "download",
    "upload",
    "listen",
    "connect",
    "escalate",
    "add-user",
    "change-credential",
    "persistence",
    "disable-security",
    "tamper-log",
    "kernel-module",
    "history-loss",
    "force-push",
    "branch-delete",
    "resource-destroy",
    "resource-change",
    "package-install",
    "service-control",
    "process-kill",
    "power",
    "resource-exhaustion",
    "unknown",
];
