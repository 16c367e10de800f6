//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cmdai_schema::Dialect;

/// Words to a safe command, and a real understanding of what any command would do.
#[derive(Parser)]
#[command(
    name = "cmdai",
    version,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Turn words into a command (the same as `cmdai "WORDS"`)
    Ask(Ask),
    /// Judge a command; exit status 0 allow or warn, 10 confirm, 20 require_approval, 30 deny
    Check(Check),
    /// Say what a command would do, as a colleague would
    Explain(Explain),
    /// Judge a command and run it through the gate
    Run(Run),
    /// Ask whoever governs this machine to lift a rule for you, for a time
    Request(RequestException),
    /// Your own policy: lint, test, show, rules, schema
    Policy(Policy),
    /// What cmdai knows about programs: show, list, lint
    Knowledge(Knowledge),
    /// What was judged and run
    Log(Log),
    /// Why a command is judged as it is: rules that fired, rules that nearly did, facts
    Why(Why),
    /// Print the hooks for a shell: eval "$(cmdai init bash)"
    Init(Init),
    /// Answer an AI agent's hook (reads its JSON from standard input)
    Hook(Hook),
    /// Put the hook into an AI agent's settings
    Integrate(Integrate),
    /// Serve the Model Context Protocol on standard input and output: check, explain, request approval
    Mcp,
    /// Requests for approval: wait for an answer
    Approval(Approval),
    /// Who governs this machine, and how things stand
    Status(Status),
    /// What is collected about you on this machine, where it goes, and who sees it
    Privacy(Privacy),
    /// Record only that something runs, in this shell and for a time, where policy permits it
    Private(PrivateArguments),
    /// Record what a session shows, without its secrets
    Record(Record),
    /// Play a recording
    Replay(Replay),
    /// The program of a recorded session, inside its terminal
    #[command(hide = true)]
    RecordInside {
        /// The program and its arguments
        #[arg(last = true, required = true)]
        program: Vec<String>,
    },
    /// Look for what is wrong with this installation
    Doctor(Doctor),
    /// Judge lines for a shell that cannot load a module, until it ends
    #[command(hide = true)]
    ServeShell(ServeShell),
    /// Read code from standard input and print its tree, for the shell's module
    #[command(hide = true)]
    ReadCode {
        /// Which language
        language: String,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
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
pub(crate) struct Ask {
    /// What you want to do, in words
    pub(crate) words: Vec<String>,
    /// For people, or for programs (then nothing is run)
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Use this backend instead of the configured chain
    #[arg(long)]
    pub(crate) backend: Option<String>,
    /// Shell to write for
    #[arg(long, value_parser = dialect)]
    pub(crate) shell: Option<Dialect>,
    /// Print the command only and do not run it
    #[arg(long)]
    pub(crate) print: bool,
}

#[derive(Args)]
pub(crate) struct Check {
    /// Shell the command is written for
    #[arg(long, value_parser = dialect, default_value = "bash")]
    pub(crate) shell: Dialect,
    /// Working directory to judge for
    #[arg(long)]
    pub(crate) cwd: Option<String>,
    /// Home to judge for
    #[arg(long)]
    pub(crate) home: Option<String>,
    /// Login to judge for
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Policy to add, instead of your own
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// JSON Lines in, JSON Lines out; nothing is read from this machine
    #[arg(long, conflicts_with = "command")]
    pub(crate) batch: bool,
    /// The command; a single word is read as a whole line
    #[arg(last = true, required_unless_present = "batch")]
    pub(crate) command: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Explain {
    /// Shell the command is written for
    #[arg(long, value_parser = dialect, default_value = "bash")]
    pub(crate) shell: Dialect,
    /// Working directory to explain for
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<String>,
    /// Home to explain for
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<String>,
    /// Print how the line is understood: commands, what they run inside, what each does
    #[arg(long, conflicts_with = "json")]
    pub(crate) tree: bool,
    /// Print everything as JSON: steps, doubts, calls, effects, decision
    #[arg(long)]
    pub(crate) json: bool,
    /// The command; a single word is read as a whole line
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Run {
    /// A shell line
    #[arg(short = 'c', value_name = "LINE", conflicts_with = "program")]
    pub(crate) line: Option<String>,
    /// Shell that runs the line
    #[arg(long, value_parser = dialect, default_value = "bash")]
    pub(crate) shell: Dialect,
    /// Redeem the grant of this request
    #[arg(long, value_name = "ID")]
    pub(crate) approved: Option<String>,
    /// Reason to put into a request for approval
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// In an emergency: run it now in place of waiting for an approval, where policy allows that; it
    /// is reported at once and reviewed afterwards
    #[arg(long, requires = "reason", conflicts_with = "approved")]
    pub(crate) break_glass: bool,
    /// Run a denied command all the same, after typing it out; refused on a governed machine
    #[arg(long)]
    pub(crate) allow_dangerous: bool,
    /// Judge and record the program alone, and not what it starts (else its whole process tree is
    /// supervised, which Linux can do)
    #[arg(long, conflicts_with = "line")]
    pub(crate) unsupervised: bool,
    /// A program and its arguments; its whole process tree is supervised
    #[arg(last = true, required_unless_present = "line")]
    pub(crate) program: Vec<String>,
}

#[derive(Args)]
pub(crate) struct RequestException {
    /// The rule to lift; may be given several times
    #[arg(long = "rule", value_name = "ID", required_unless_present = "command")]
    pub(crate) rules: Vec<String>,
    /// For how long, such as 7d or 12h; at most 90d
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub(crate) time: std::time::Duration,
    /// Why, for whoever decides
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Only for commands that fit this shell pattern, such as `terraform destroy -target=*`
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Option<String>,
    /// Only in this folder and below
    #[arg(long)]
    pub(crate) here: bool,
    /// The interrupted command that it is about, as `cmdai why` names it; its rules where none is given
    #[arg(long, value_name = "ID")]
    pub(crate) command: Option<String>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) task: PolicyTask,
}

#[derive(Subcommand)]
pub(crate) enum PolicyTask {
    /// Look for errors; exit status 1 where there are any
    Lint {
        /// The document; your own where none is named
        file: Option<PathBuf>,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Run the tests that stand in the document; exit status 1 where one fails
    Test {
        /// The document; your own where none is named
        file: Option<PathBuf>,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the rules in force and where each comes from
    Show {
        /// Rules after all layers are joined (the only view there is, said for scripts)
        #[arg(long)]
        effective: bool,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the JSON Schema of the document
    Schema,
    /// Compile a document to a snapshot
    Compile {
        /// The document
        file: PathBuf,
        /// Where to write the snapshot
        #[arg(long, short)]
        output: PathBuf,
    },
    /// What becomes looser and what stricter from one document to another
    Diff {
        /// The document that holds now
        old: PathBuf,
        /// The document that is to hold
        new: PathBuf,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// Exit status 1 where something is, or may be, looser
        #[arg(long)]
        fail_on_looser: bool,
    },
    /// Judge recorded commands under a new policy and say what would change
    Simulate(Simulate),
    /// List the templates that a document can include, or print one
    Templates {
        /// Which one to print
        name: Option<String>,
    },
    /// Write a commented first policy, if you have none yet
    Init,
}

#[derive(Args)]
pub(crate) struct Simulate {
    /// The new document
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// The old document; what is in force where none is named
    #[arg(long, value_name = "FILE")]
    pub(crate) old: Option<PathBuf>,
    /// Records to judge: files, or folders with files `*.c1`; your own history where none is named
    #[arg(long, value_name = "PATH")]
    pub(crate) history: Vec<PathBuf>,
    /// Only commands of this time, such as 30d or 12h
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(crate) since: Option<std::time::Duration>,
    /// Longest list to print
    #[arg(long, default_value_t = 20)]
    pub(crate) most: usize,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Exit status 1 where a command is decided differently
    #[arg(long)]
    pub(crate) fail_on_change: bool,
}

/// Reads a length of time: a number with s, m, h, d or w.
fn span(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("`{text}` is not a length of time; write one like 30d, 12h or 2w");
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= 100 * 366 * 86_400)
        .map(std::time::Duration::from_secs)
        .ok_or_else(wrong)
}

#[derive(Args)]
pub(crate) struct Knowledge {
    #[command(subcommand)]
    pub(crate) task: KnowledgeTask,
}

#[derive(Subcommand)]
pub(crate) enum KnowledgeTask {
    /// Print what is known about a program; exit status 1 where nothing is
    Show {
        /// The program, such as rm
        program: String,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Print the names of all known programs
    List {
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Look for mistakes in files of the command knowledge; exit status 1 where there are any
    Lint {
        /// TOML files; what is built in where none is named
        files: Vec<PathBuf>,
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Args)]
pub(crate) struct Log {
    /// How many, newest last
    #[arg(short = 'n', long, default_value_t = 20)]
    pub(crate) number: usize,
    /// Blocked and asked-about commands only
    #[arg(long)]
    pub(crate) stopped: bool,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct Why {
    /// Short or whole identifier of a recorded command
    #[arg(required_unless_present = "command", conflicts_with = "command")]
    pub(crate) id: Option<String>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Shell the command is written for
    #[arg(long, value_parser = dialect, default_value = "bash")]
    pub(crate) shell: Dialect,
    /// Working directory to judge for
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<String>,
    /// Any command, as it would be judged now; a single word is read as a whole line
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Init {
    /// bash, zsh, fish or powershell
    pub(crate) shell: String,
    /// Print the hook for scripts instead: the file that `BASH_ENV` names, or that `~/.zshenv` reads
    #[arg(long)]
    pub(crate) scripts: bool,
}

#[derive(Args)]
pub(crate) struct ServeShell {
    /// The shell's language
    #[arg(long, value_parser = dialect, default_value = "fish")]
    pub(crate) dialect: Dialect,
    /// Its process
    #[arg(long, default_value_t = 0)]
    pub(crate) shell: u32,
    /// Its name and version
    #[arg(long, default_value = "")]
    pub(crate) shell_version: String,
    /// Processes of this session that died before this one
    #[arg(long, default_value_t = 0)]
    pub(crate) failed: u32,
    /// Requests on standard input, replies on standard output
    #[arg(long, conflicts_with = "beside")]
    pub(crate) stdio: bool,
    /// The process itself, which was told everything on standard input
    #[arg(long)]
    pub(crate) beside: bool,
}

#[derive(Args)]
pub(crate) struct Hook {
    /// The agent, such as claude-code; or `shell`, for shells that cannot load the native module
    pub(crate) agent: String,
    /// The event's name, where the agent does not say it in its input
    #[arg(long)]
    pub(crate) event: Option<String>,
    /// With `shell`: the language of the command
    #[arg(long, value_parser = dialect, default_value = "bash")]
    pub(crate) dialect: Dialect,
    /// With `shell`: the shell reads lines from a person
    #[arg(long)]
    pub(crate) interactive: bool,
    /// With `shell`: the command
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Integrate {
    /// The agent, such as claude-code; `status` for how things stand, `list` for all agents
    pub(crate) agent: String,
    /// Show what would change and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take the hook out again
    #[arg(long)]
    pub(crate) remove: bool,
    /// Print the files that an administrator deploys, with their paths
    #[arg(long, conflicts_with_all = ["remove", "dry_run"])]
    pub(crate) managed: bool,
    /// Write (or remove) the managed files below this folder, such as / or the root of an image
    #[arg(long, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,
    /// With `status` and `list`: for people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct Approval {
    #[command(subcommand)]
    pub(crate) task: ApprovalTask,
}

#[derive(Subcommand)]
pub(crate) enum ApprovalTask {
    /// Wait until a request is answered; exit status 0 granted, 1 not granted, 75 not answered yet
    Wait {
        /// The request's id, as the message names it
        id: String,
        /// Seconds to wait at most; 0 only looks
        #[arg(long = "for", value_name = "SECONDS", default_value_t = 600)]
        seconds: u64,
    },
}

#[derive(Args)]
pub(crate) struct Status {
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct Privacy {
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct PrivateArguments {
    #[command(subcommand)]
    pub(crate) task: PrivateTask,
}

#[derive(Subcommand)]
pub(crate) enum PrivateTask {
    /// From the next line on
    On {
        /// For how long, such as 30m; as long as policy permits, or this shell lives, where nothing is said
        #[arg(long = "for", value_name = "TIME", value_parser = span)]
        time: Option<std::time::Duration>,
    },
    /// Record everything again
    Off,
    /// Whether it is on, and what policy permits
    Status {
        /// For people, or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Args)]
pub(crate) struct Record {
    /// A shell, or a program with its arguments, which then goes through the gate as with `cmdai run`;
    /// your shell where none is named
    #[arg(last = true)]
    pub(crate) program: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Replay {
    /// The recording: asciicast v2, plain or compressed with zstd
    pub(crate) file: PathBuf,
    /// How many times as fast
    #[arg(long, default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Longest pause, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub(crate) idle: f64,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::from_name(name).ok_or_else(|| {
        format!("`{name}` is not a shell cmdai reads; use bash, zsh, sh, fish or powershell")
    })
}
