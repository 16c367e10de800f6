//! The command knowledge: static tables made from `knowledge/*.toml` at build time.

use crate::pool::{List, Pooled, Word};

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
    pub(crate) names: List<Word>,
    pub(crate) takes: Takes,
    pub(crate) flag: Word,
}

/// Options of a subcommand.
#[derive(Debug)]
pub(crate) struct Sub {
    pub(crate) on: List<Word>,
    pub(crate) options: List<Opt>,
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
    pub(crate) name: Word,
    pub(crate) style: Style,
    pub(crate) options: List<Opt>,
    pub(crate) subs: List<Sub>,
    pub(crate) rules: List<Rule>,
    pub(crate) wrap: Option<Wrap>,
    pub(crate) handler: Word,
    /// Parameters that operands stand for, in order.
    pub(crate) positions: List<Word>,
    /// The parameter that takes what the pipe brings.
    pub(crate) input: Word,
    pub(crate) provider: Word,
    pub(crate) context: Word,
}

/// Under which conditions a program has which effects.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) on: List<List<Word>>,
    pub(crate) when: List<Cond>,
    pub(crate) effects: List<Template>,
}

/// A condition.
#[derive(Debug)]
#[allow(dead_code, reason = "which are made depends on the knowledge files")]
pub(crate) enum Cond {
    Has(Word),
    Lacks(Word),
    /// One of the patterns matches; the other way round where true.
    Matches(Arg, List<Word>, bool),
    /// So many operands.
    AtLeast(u8),
    /// Fewer operands than this.
    Fewer(u8),
}

/// An effect with its arguments.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) kind: Kind,
    pub(crate) args: List<Arg>,
}

/// Where an argument of an effect comes from.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "which are made depends on the knowledge files")]
pub(crate) enum Arg {
    Text(Word),
    Nth(u8),
    NthOr(u8, Word),
    From(u8),
    Last,
    AllButLast,
    Joined,
    /// The word in front of the verb that the rule matched: `repo` of `repo delete`.
    Noun,
    Opt(Word),
    OptOr(Word, Word),
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
    pub(crate) name: Word,
    /// `api.example.com`, `*.example.com`, `:8001` (a port anywhere), `/api/v4` (a path anywhere).
    pub(crate) hosts: List<Word>,
    pub(crate) rules: List<ApiRule>,
}

/// What a request does.
#[derive(Debug)]
pub(crate) struct ApiRule {
    pub(crate) methods: List<Word>,
    /// Segments, each a choice; `*` is any, a last `**` is the rest.
    pub(crate) path: List<List<Word>>,
    /// One of these stands in the body, where there are any.
    pub(crate) body: List<Word>,
    pub(crate) kind: Kind,
    pub(crate) resource: Word,
}

include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));

/// The entry of a program.
pub(crate) fn find(name: &str) -> Option<&'static Program> {
    entry(&NAMES, name)
}

/// The entry of a cmdlet, an alias of one, or, with `cmd:` in front, of a command of cmd.exe. The name is
/// in lower case.
pub(crate) fn find_cmdlet(name: &str) -> Option<&'static Program> {
    entry(&CMDLETS, name)
}

fn entry(names: &[(Word, u16)], name: &str) -> Option<&'static Program> {
    let at = names
        .binary_search_by(|(known, _)| known.text().cmp(name))
        .ok()?;
    let (_, program) = names.get(at)?;
    PROGRAMS.get(usize::from(*program))
}

/// Names that match a shell pattern.
pub(crate) fn matching<'p>(pattern: &'p str) -> impl Iterator<Item = &'static str> + 'p {
    NAMES
        .iter()
        .map(|(name, _)| name.text())
        .filter(move |name| crate::glob::matches(pattern, name))
}
