//! The command knowledge: static tables made from `knowledge/*.toml` at build time.

/// How a program reads its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "which are made depends on the knowledge files")]
pub(crate) enum Style {
    /// Options anywhere, short ones joined.
    Gnu,
    /// Options end at the first operand.
    Posix,
    /// Long options with one dash, none joined.
    Long,
    /// Everything is an operand.
    Raw,
    /// `-Name value` of PowerShell: in any case of letters, cut short, perhaps without a name.
    Cmdlet,
    /// `/name`, `/name:value` of Windows: in any case of letters.
    Slash,
}

/// Whether an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    No,
    Yes,
    /// Only attached.
    Optional,
}

/// An option.
#[derive(Debug)]
pub(crate) struct Opt {
    pub(crate) names: &'static [&'static str],
    pub(crate) takes: Takes,
    pub(crate) flag: &'static str,
}

/// Options of a subcommand.
#[derive(Debug)]
pub(crate) struct Sub {
    pub(crate) on: &'static [&'static str],
    pub(crate) options: &'static [Opt],
    /// The operands after the subcommand are run.
    pub(crate) wrap: Option<Wrap>,
}

/// What runs inside a wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "which are made depends on the knowledge files")]
pub(crate) enum WrapKind {
    /// The operands are program and arguments.
    Argv,
    /// The operands joined are a shell text.
    Shell,
}

/// How a wrapper names what it runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wrap {
    pub(crate) kind: WrapKind,
    /// Operands in front of it.
    pub(crate) skip: u8,
    /// `NAME=VALUE` may stand in front of it.
    pub(crate) assignments: bool,
}

/// A program.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) style: Style,
    pub(crate) options: &'static [Opt],
    pub(crate) subs: &'static [Sub],
    pub(crate) rules: &'static [Rule],
    pub(crate) wrap: Option<Wrap>,
    pub(crate) handler: &'static str,
    /// Parameters that operands stand for, in order.
    pub(crate) positions: &'static [&'static str],
    /// The parameter that takes what the pipe brings.
    pub(crate) input: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) context: &'static str,
}

/// Under which conditions a program has which effects.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) on: &'static [&'static [&'static str]],
    pub(crate) when: &'static [Cond],
    pub(crate) effects: &'static [Template],
}

/// A condition.
#[derive(Debug)]
#[allow(dead_code, reason = "which are made depends on the knowledge files")]
pub(crate) enum Cond {
    Has(&'static str),
    Lacks(&'static str),
    /// One of the patterns matches; the other way round where true.
    Matches(Arg, &'static [&'static str], bool),
    /// So many operands.
    AtLeast(u8),
    /// Fewer operands than this.
    Fewer(u8),
}

/// An effect with its arguments.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) kind: Kind,
    pub(crate) args: &'static [Arg],
}

/// Where an argument of an effect comes from.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "which are made depends on the knowledge files")]
pub(crate) enum Arg {
    Text(&'static str),
    Nth(u8),
    NthOr(u8, &'static str),
    From(u8),
    Last,
    AllButLast,
    Joined,
    /// The word in front of the verb that the rule matched: `repo` of `repo delete`.
    Noun,
    Opt(&'static str),
    OptOr(&'static str, &'static str),
}

/// The effects that a rule may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "which are made depends on the knowledge files")]
pub(crate) enum Kind {
    Delete,
    DeleteTree,
    Overwrite,
    Write,
    Move,
    Read,
    ReadSecret,
    Chmod,
    Chown,
    Device,
    Format,
    Mount,
    RunFile,
    RunRemote,
    RunUnknown,
    Shell,
    Code,
    Download,
    Upload,
    Listen,
    Connect,
    Escalate,
    AddUser,
    Credential,
    Persist,
    Disable,
    Tamper,
    KernelModule,
    HistoryLoss,
    ForcePush,
    BranchDelete,
    Destroy,
    Change,
    Install,
    Service,
    Kill,
    KillAll,
    Power,
    Exhaust,
    Unknown,
    /// To a file, or into a folder under the names of the other operands.
    CopyTo,
    /// Nothing: what the verbs of this command would say of it is wrong.
    Calm,
    /// The arguments from here on are a program and its arguments, or one text for a shell.
    Exec,
}

/// A web interface.
#[derive(Debug)]
pub(crate) struct Api {
    /// Whose it is: the provider of its effects.
    pub(crate) name: &'static str,
    /// `api.example.com`, `*.example.com`, `:8001` (a port anywhere), `/api/v4` (a path anywhere).
    pub(crate) hosts: &'static [&'static str],
    pub(crate) rules: &'static [ApiRule],
}

/// What a request does.
#[derive(Debug)]
pub(crate) struct ApiRule {
    pub(crate) methods: &'static [&'static str],
    /// Segments, each a choice; `*` is any, a last `**` is the rest.
    pub(crate) path: &'static [&'static [&'static str]],
    /// One of these stands in the body, where there are any.
    pub(crate) body: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) resource: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));

/// The entry of a program.
pub(crate) fn find(name: &str) -> Option<&'static Program> {
    let at = PROGRAMS
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()?;
    PROGRAMS.get(at).map(|(_, program)| *program)
}

/// The entry of a cmdlet, an alias of one, or, with `cmd:` in front, of a command of cmd.exe. The name is
/// in lower case.
pub(crate) fn find_cmdlet(name: &str) -> Option<&'static Program> {
    let at = CMDLETS
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()?;
    CMDLETS.get(at).map(|(_, program)| *program)
}

/// Names that match a shell pattern.
pub(crate) fn matching<'p>(pattern: &'p str) -> impl Iterator<Item = &'static str> + 'p {
    PROGRAMS
        .iter()
        .map(|(name, _)| *name)
        .filter(move |name| crate::glob::matches(pattern, name))
}
