//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Organisation-wide governance of shell commands.
#[derive(Parser)]
#[command(name = "cmdai-enterprise", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Run the server: console, API, machines, audit trail
    Server(Server),
    /// Enrol this machine with a token
    Enrol(Enrol),
    /// Run the sensor on this machine
    Sensor(Sensor),
    /// How this machine's sensor is
    Status(Status),
    /// Take the sensor's state off this machine (works without the server)
    Uninstall(Place),
    /// Sign in to a server and keep a token for the commands below
    Login(Login),
    /// Search the recorded commands
    Query(Query),
    /// Write a compliance report with evidence
    AuditExport(AuditExport),
    /// Export events with their proofs, for `verify`
    Export(Export),
    /// Prove, offline, that an export is whole and unaltered
    Verify(Verify),
    /// Approve a request
    Approve(Decision),
    /// Deny a request
    Deny(Decision),
    /// Exceptions from rules: what is open, take one back
    Exceptions(Exceptions),
    /// What people did by break-glass: list, review
    Emergencies(Emergencies),
    /// Your own account: password, second factor, tokens
    Account(Account),
    /// Accounts of others
    Users(Users),
    /// The organisation's policy
    Policy(Policy),
    /// Machines
    Fleet(Fleet),
    /// One answer of the API as it is: `cmdai-enterprise api alerts`
    Api(Api),
    /// Show the whole product on this machine, with a simulated fleet
    Demo(Demo),
}

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
}

#[derive(Args)]
pub(crate) struct Server {
    /// Folder with everything the server keeps
    #[arg(long, default_value = "/var/lib/cmdai-server")]
    pub(crate) data: PathBuf,
    /// Address of console and API; plain HTTP on loopback only
    #[arg(long, default_value = "127.0.0.1:8440")]
    pub(crate) listen: SocketAddr,
    /// Address for machines, mutual TLS
    #[arg(long, default_value = "127.0.0.1:8441")]
    pub(crate) machines: SocketAddr,
    /// Names and addresses that machines know the server by
    #[arg(long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Address under which browsers show the console; security keys are bound to its host
    #[arg(long, value_name = "URL")]
    pub(crate) console_url: Option<String>,
    /// File with the key that secrets at rest are sealed with; made at the first start
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key: Option<PathBuf>,
    /// Organisation, at the first start
    #[arg(long, default_value = "acme")]
    pub(crate) organisation: String,
    /// Read the first administrator's password from this file instead of making one
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_password_file: Option<PathBuf>,
    /// At the first start: make no key that can sign a policy; people make the root of trust
    #[arg(long)]
    pub(crate) people_sign: bool,
    /// Seconds without contact after which a machine counts as silent
    #[arg(long, default_value_t = 300)]
    pub(crate) silent_after: u64,
}

#[derive(Args, Clone)]
pub(crate) struct Place {
    /// Folder of an unprivileged installation (without it: the system's places, as root)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Enrol {
    /// The server's address for machines
    #[arg(long)]
    pub(crate) server: String,
    /// The token line from the console
    #[arg(long, env = "CMDAI_ENROL_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args)]
pub(crate) struct Sensor {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Most MiB of events that wait for the server; what would go past it stays in the shells' own files
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(16..=1_048_576))]
    pub(crate) buffer: u64,
    #[command(subcommand)]
    pub(crate) task: Option<SensorTask>,
}

#[derive(Subcommand)]
pub(crate) enum SensorTask {
    /// How the sensor is
    Status {
        /// Also each layer: whether it works, what it saw and missed
        #[arg(long)]
        explain: bool,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Hand a carried release to the running sensor; it is verified like any other
    Import {
        /// What `policy export` wrote
        file: PathBuf,
    },
    /// How events of this machine hold a value where the policy hashes its field (privacy.hash): for searching
    Hash {
        /// command.text, command.working_directory or context.tty
        field: String,
        /// The value; a command's text as it is recorded, without its secrets
        value: String,
    },
    /// Roads of releases beside the server: a git repository, a folder
    Road {
        /// Repository with release.cmdai: https://…, ssh://… or file://…
        #[arg(long, value_name = "URL")]
        git: Option<String>,
        /// Branch or tag in it
        #[arg(long, default_value = "refs/heads/main", requires = "git")]
        reference: String,
        /// Folder in which release.cmdai is dropped
        #[arg(long, value_name = "FOLDER")]
        directory: Option<PathBuf>,
        /// No road but the server
        #[arg(long, conflicts_with_all = ["git", "directory"])]
        none: bool,
    },
}

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Also each layer: whether it works, what it saw and missed
    #[arg(long)]
    pub(crate) explain: bool,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Which server.
#[derive(Args, Clone)]
pub(crate) struct At {
    /// The server's console address; else the one of the last `login`
    #[arg(long, env = "CMDAI_SERVER")]
    pub(crate) server: Option<String>,
}

#[derive(Args)]
pub(crate) struct Login {
    /// The server's console address
    #[arg(long, env = "CMDAI_SERVER", default_value = "http://127.0.0.1:8440")]
    pub(crate) server: String,
    /// Login
    #[arg(long, default_value = "admin")]
    pub(crate) login: String,
    /// Days the token holds
    #[arg(long, default_value_t = 30)]
    pub(crate) days: u32,
}

#[derive(Args)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(crate) at: At,
    /// The query language of the console: words, user:, machine:, decision:, since:90d …
    pub(crate) query: Vec<String>,
    /// Person
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Text in the command
    #[arg(long)]
    pub(crate) command_contains: Option<String>,
    /// Such as "last 90 days" or "last 12 hours"
    #[arg(long)]
    pub(crate) time_range: Option<String>,
    /// At most so many rows
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: u32,
    /// For people, or for programs (one row a line)
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Formats of a report.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A page to print
    #[default]
    Html,
    /// For programs
    Json,
}

#[derive(Args)]
pub(crate) struct AuditExport {
    #[command(flatten)]
    pub(crate) at: At,
    /// First day, such as 2026-01-01
    #[arg(long)]
    pub(crate) start_date: String,
    /// Last day
    #[arg(long)]
    pub(crate) end_date: String,
    /// SOC2, ISO27001, HIPAA, PCI
    #[arg(long)]
    pub(crate) compliance_framework: String,
    /// Page or JSON
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
    /// Write the events with their proofs beside the report
    #[arg(long)]
    pub(crate) include_evidence: bool,
    /// Where to write
    #[arg(long, short)]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) at: At,
    /// Start of the period; the beginning where it is left out
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// End of the period; now where it is left out
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// Lines with proofs for `verify`, or events in the words of another system, proven before they are written
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ExportFormat,
    /// Where to write
    #[arg(long, short)]
    pub(crate) output: PathBuf,
}

/// How an export is written: `docs/formats/export.md` and `docs/formats/foreign.md`.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ExportFormat {
    /// With proofs, for `verify`
    #[default]
    Cmdai,
    /// Open Cybersecurity Schema Framework 1.3
    Ocsf,
    /// Elastic Common Schema 8.11
    Ecs,
    /// Common Event Format
    Cef,
    /// RFC 5424
    Syslog,
    /// OpenTelemetry logs as JSON
    Otlp,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// An export
    pub(crate) file: PathBuf,
    /// The server's public key as you know it; without it the one in the file is used
    #[arg(long)]
    pub(crate) public_key: Option<String>,
}

#[derive(Args)]
pub(crate) struct Decision {
    #[command(flatten)]
    pub(crate) at: At,
    /// The request
    pub(crate) id: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Args)]
pub(crate) struct Exceptions {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(subcommand)]
    pub(crate) task: ExceptionsTask,
}

#[derive(Subcommand)]
pub(crate) enum ExceptionsTask {
    /// List exceptions, those that end last first
    List {
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Take an exception back
    Revoke {
        /// The exception
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
pub(crate) struct Emergencies {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(subcommand)]
    pub(crate) task: EmergenciesTask,
}

#[derive(Subcommand)]
pub(crate) enum EmergenciesTask {
    /// List emergencies, newest first
    List {
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Review an emergency of somebody else
    Review {
        /// The emergency
        id: String,
        /// justified or unjustified
        #[arg(long, value_parser = ["justified", "unjustified"])]
        verdict: String,
        /// What you found
        #[arg(long)]
        note: String,
    },
}

#[derive(Args)]
pub(crate) struct Account {
    #[command(flatten)]
    pub(crate) at: At,
    /// Login; else the one of the last `login`
    #[arg(long)]
    pub(crate) login: Option<String>,
    #[command(subcommand)]
    pub(crate) task: AccountTask,
}

#[derive(Subcommand)]
pub(crate) enum AccountTask {
    /// Change your password; every other session and token of yours ends
    Password,
    /// Add an authenticator app as your second factor
    Totp {
        /// What you call it
        #[arg(long, default_value = "authenticator app")]
        name: String,
    },
    /// List your second factors
    Factors,
    /// Remove a second factor
    RemoveFactor {
        /// The factor
        id: String,
    },
    /// List tokens of programs
    Tokens,
    /// End a token
    EndToken {
        /// The token
        id: String,
    },
}

#[derive(Args)]
pub(crate) struct Users {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(subcommand)]
    pub(crate) task: UsersTask,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RoleWord {
    Viewer,
    Auditor,
    Security,
    Administrator,
}

#[derive(Subcommand)]
pub(crate) enum UsersTask {
    /// List accounts
    List {
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Add an account; its password comes from CMDAI_NEW_PASSWORD or is asked for
    Add {
        /// Login
        login: String,
        /// Login name on machines: nobody approves for themselves
        #[arg(long)]
        person: String,
        /// Role
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleWord,
        /// Groups, for approvals
        #[arg(long = "group")]
        groups: Vec<String>,
    },
    /// Change an account; what is left out stays
    Change {
        /// Login
        login: String,
        /// Role
        #[arg(long, value_enum)]
        role: Option<RoleWord>,
        /// Groups, all of them
        #[arg(long = "group")]
        groups: Vec<String>,
        /// Take it out of every group
        #[arg(long, conflicts_with = "groups")]
        no_groups: bool,
        /// Id in the chat service; empty for none
        #[arg(long)]
        chat: Option<String>,
        /// Take its second factors away, where their owner has lost them
        #[arg(long)]
        reset_factors: bool,
    },
}

#[derive(Args)]
pub(crate) struct Policy {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(subcommand)]
    pub(crate) task: PolicyTask,
}

#[derive(Subcommand)]
pub(crate) enum PolicyTask {
    /// Print the policy in force
    Show,
    /// Check a document on the server without publishing it
    Check {
        /// The document
        file: PathBuf,
    },
    /// What a document would change, held against the commands that the server recorded lately
    Simulate {
        /// The document
        file: PathBuf,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// Exit with 1 where a command would be decided differently
        #[arg(long)]
        fail_on_change: bool,
    },
    /// Sign and publish a document
    Publish {
        /// The document
        file: PathBuf,
        /// What changed and why
        #[arg(long)]
        note: String,
        /// Spread it by this plan (YAML), which becomes the standing one
        #[arg(long, value_name = "FILE", conflicts_with = "at_once")]
        rollout: Option<PathBuf>,
        /// For every machine at once, whatever the standing plan says; drops that plan
        #[arg(long)]
        at_once: bool,
    },
    /// Fetch the release that waits for signatures
    Draft {
        /// Where to write it
        #[arg(long, short, default_value = "draft.json")]
        output: PathBuf,
    },
    /// Look at a draft and sign it with a publisher's key
    Sign {
        /// The draft; without it the server's is fetched and the signature handed in
        draft: Option<PathBuf>,
        /// Your key
        #[arg(long)]
        key: PathBuf,
        /// The root of trust as you know it: a draft that goes by another one is not signed
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// Hand the signature in
        #[arg(long)]
        submit: bool,
    },
    /// Hand in the signatures of a draft file
    Submit {
        /// The draft
        draft: PathBuf,
    },
    /// Drop the release that waits for signatures
    Drop,
    /// Look at the release that waits, with what it would have changed; say that it may go out
    Review {
        /// It may go out: the digest (or its beginning) of what you looked at; never your own
        #[arg(
            long,
            value_name = "DIGEST",
            conflicts_with = "send_back",
            requires = "note"
        )]
        agree: Option<String>,
        /// Drop it: the digest (or its beginning) of what you looked at
        #[arg(long, value_name = "DIGEST", requires = "note")]
        send_back: Option<String>,
        /// What you found
        #[arg(long)]
        note: Option<String>,
    },
    /// Security keys under which machines accept approvals
    Approvers {
        /// Put the list as it is now into the newest release, or up for signing where people sign
        #[arg(long)]
        publish: bool,
    },
    /// How the newest release spreads; halt, continue, roll back
    Rollout {
        #[command(subcommand)]
        task: crate::release::RolloutTask,
    },
    /// Keys that sign releases: the ceremony, rotation, revocation
    Keys {
        #[command(subcommand)]
        task: crate::release::KeysTask,
    },
    /// Write the newest release into one file, to be carried by hand, git or configuration management
    Export {
        /// Where to write
        file: PathBuf,
        /// Version of the root that the machines trust
        #[arg(long, default_value_t = 1)]
        root: u64,
    },
    /// Show what a repository would change (policy.yaml, rollout.yaml)
    Plan {
        /// The repository
        #[arg(long)]
        repo: PathBuf,
    },
    /// Publish what is committed in a repository, all of it or nothing
    Apply {
        /// The repository
        #[arg(long)]
        repo: PathBuf,
        /// What changed and why; else the commit's subject
        #[arg(long)]
        note: Option<String>,
        /// The plan was looked at
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(crate) struct Fleet {
    #[command(flatten)]
    pub(crate) at: At,
    #[command(subcommand)]
    pub(crate) task: FleetTask,
}

#[derive(Subcommand)]
pub(crate) enum FleetTask {
    /// List machines, silent ones first
    List {
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Make a token to enrol machines with
    Token {
        /// Person the machine is for
        #[arg(long)]
        person: String,
        /// Teams of the person
        #[arg(long = "team")]
        teams: Vec<String>,
        /// How many machines may use it
        #[arg(long, default_value_t = 1)]
        uses: u32,
    },
    /// Stop everything but a few commands on a machine
    Quarantine {
        /// The machine
        machine: String,
        /// Why; shown to the person
        #[arg(long)]
        reason: String,
    },
    /// Revoke a machine's certificates: it is refused until it enrols again, and keeps its last policy
    Revoke {
        /// The machine
        machine: String,
        /// Why; shown to the person
        #[arg(long)]
        reason: String,
    },
    /// Take a machine out of service: it is refused and not missed; its events stay
    Retire {
        /// The machine
        machine: String,
        /// Why; shown to the person
        #[arg(long)]
        reason: String,
    },
    /// Take a machine out of quarantine
    Release {
        /// The machine
        machine: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
pub(crate) struct Api {
    #[command(flatten)]
    pub(crate) at: At,
    /// Path below /api/v1, such as `alerts?status=open`
    pub(crate) path: String,
    /// Send this JSON with POST
    #[arg(long)]
    pub(crate) post: Option<String>,
}

#[derive(Args)]
pub(crate) struct Demo {
    /// Machines in the simulated fleet
    #[arg(long, default_value_t = 200)]
    pub(crate) machines: u32,
    /// Run without a person: a scripted session, then a summary
    #[arg(long)]
    pub(crate) headless: bool,
    /// How long a headless run lasts, such as 60s or 2m
    #[arg(long = "for", default_value = "60s", value_parser = duration)]
    pub(crate) duration: std::time::Duration,
    /// Port of the console on 127.0.0.1 (0: any free one)
    #[arg(long, default_value_t = 8440)]
    pub(crate) port: u16,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("`{text}` is not a time; use 60s or 2m"))?;
    match text.get(digits.len()..).unwrap_or("") {
        "s" | "" => Ok(std::time::Duration::from_secs(number)),
        "m" | "min" => Ok(std::time::Duration::from_secs(number.saturating_mul(60))),
        other => Err(format!("`{other}` is not a unit of time; use s or m")),
    }
}
