//! The tree: lists of pipelines of commands, words as parts, each with its byte range.

use std::borrow::Cow;

use cmdai_schema::{Diagnostic, Span};

/// What a text was read as.
#[derive(Debug, Clone, Default)]
pub struct Tree<'a> {
    /// The text.
    pub source: &'a str,
    /// What it would run.
    pub body: List<'a>,
    /// Bodies of here-documents, referred to by [`Redirection::here_doc`].
    pub here_docs: Vec<HereDoc<'a>>,
    /// Complaints.
    pub diagnostics: Vec<Diagnostic>,
    /// Regions that were not understood.
    pub unknown: Vec<Span>,
    /// False where a shell would ask for another line.
    pub complete: bool,
}

/// Commands one after the other.
#[derive(Debug, Clone, Default)]
pub struct List<'a> {
    /// Each with its own ending.
    pub items: Vec<Item<'a>>,
}

/// One and-or list with its ending.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// What runs.
    pub and_or: AndOr<'a>,
    /// Ends in `&`.
    pub background: bool,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug, Clone)]
pub struct AndOr<'a> {
    /// The first one.
    pub first: Pipeline<'a>,
    /// The others, each with what stands before it.
    pub rest: Vec<(Connector, Pipeline<'a>)>,
}

/// What joins two pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connector {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands joined by `|`.
#[derive(Debug, Clone)]
pub struct Pipeline<'a> {
    /// Begins with `!`.
    pub negated: bool,
    /// At least one.
    pub stages: Vec<Command<'a>>,
}

/// A command with its redirections.
#[derive(Debug, Clone)]
pub struct Command<'a> {
    /// What it is.
    pub kind: CommandKind<'a>,
    /// In the order of the text.
    pub redirections: Vec<Redirection<'a>>,
    /// The whole of it.
    pub span: Span,
}

/// The kinds of commands.
#[derive(Debug, Clone)]
pub enum CommandKind<'a> {
    /// Assignments and words.
    Simple(Simple<'a>),
    /// `( … )`
    Subshell(List<'a>),
    /// `{ …; }`
    Group(List<'a>),
    /// `if … then … elif … else … fi`
    If {
        /// Conditions with what they guard.
        branches: Vec<(List<'a>, List<'a>)>,
        /// `else`
        otherwise: Option<List<'a>>,
    },
    /// `while` and `until`
    Loop {
        /// `until`
        until: bool,
        /// Checked before each round.
        condition: List<'a>,
        /// Each round.
        body: List<'a>,
    },
    /// `for NAME in WORDS` and `select`
    For {
        /// Loop variable.
        name: &'a str,
        /// Nothing where it walks the positional parameters.
        words: Option<Vec<Word<'a>>>,
        /// Each round.
        body: List<'a>,
    },
    /// `for (( …; …; … ))`
    ArithmeticFor {
        /// The three expressions as one.
        header: Vec<Part<'a>>,
        /// Each round.
        body: List<'a>,
    },
    /// `case WORD in … esac`
    Case {
        /// What is looked at.
        word: Word<'a>,
        /// The branches.
        arms: Vec<Arm<'a>>,
    },
    /// A function is defined.
    Function {
        /// Its name.
        name: &'a str,
        /// Names that its arguments get: fish, PowerShell.
        params: Vec<Param<'a>>,
        /// It runs by itself when something happens: `--on-event` of fish.
        hooked: bool,
        /// Its body.
        body: Box<Command<'a>>,
    },
    /// `(( … ))`
    Arithmetic(Vec<Part<'a>>),
    /// `[[ … ]]`
    Test(Vec<Word<'a>>),
    /// `coproc …`
    Coproc(Box<Command<'a>>),
    /// A value in place of a command: `$x | …`, `[IO.File]::Delete('x')`. PowerShell.
    Expression(Expr<'a>),
    /// `$x = …`, `$x += …`. PowerShell.
    Assign {
        /// What is set.
        target: Expr<'a>,
        /// `=`, `+=` and the like.
        op: &'a str,
        /// What is evaluated for it.
        value: List<'a>,
    },
    /// `try { … } catch { … } finally { … }`. PowerShell.
    Try {
        /// `try`
        body: List<'a>,
        /// `catch`, each.
        catches: Vec<List<'a>>,
        /// `finally`
        finally: Option<List<'a>>,
    },
    /// `param( … )`: names for the arguments of the block it stands in. PowerShell.
    Params(Vec<Param<'a>>),
    /// `repeat COUNT …`. zsh.
    Repeat {
        /// How often.
        count: Word<'a>,
        /// Each round.
        body: List<'a>,
    },
    /// Not understood.
    Unknown,
}

/// A name for an argument.
#[derive(Debug, Clone)]
pub struct Param<'a> {
    /// Without the dollar sign.
    pub name: &'a str,
    /// What it is where none is given.
    pub default: Option<Box<Expr<'a>>>,
}

/// An expression of PowerShell.
#[derive(Debug, Clone)]
pub enum Expr<'a> {
    /// A text, number or variable.
    Word(Word<'a>),
    /// `a, b`
    Array(Vec<Expr<'a>>),
    /// `( … )`, `$( … )`, `@( … )`
    Statements(List<'a>, Span),
    /// `{ … }`: code that runs where somebody calls it. The span is what stands between the braces.
    Block(List<'a>, Span),
    /// `@{ a = b; … }`
    Hash(Vec<(Expr<'a>, List<'a>)>),
    /// `-not $x`, `-join $x`, `$x++`
    Unary(&'a str, Box<Expr<'a>>),
    /// `$x -replace 'a'`, `1 + 2 + 3`: a value, then operators that bind equally, each with what is
    /// right of it.
    Chain(Box<Expr<'a>>, Vec<(&'a str, Expr<'a>)>),
    /// `[TYPE]$x`
    Cast(&'a str, Box<Expr<'a>>),
    /// `[TYPE]`
    Type(&'a str),
    /// `$x.Name`, `[TYPE]::Name`
    Member(Box<Expr<'a>>, Box<Expr<'a>>, Span),
    /// `$x.Name(…)`, `[TYPE]::Name(…)`
    Invoke(Box<Expr<'a>>, Box<Expr<'a>>, Vec<Expr<'a>>, Span),
    /// `$x[…]`
    Index(Box<Expr<'a>>, Box<Expr<'a>>),
    /// Not understood.
    Unknown(Span),
}

/// A branch of `case`.
#[derive(Debug, Clone, Default)]
pub struct Arm<'a> {
    /// Any of them.
    pub patterns: Vec<Word<'a>>,
    /// What runs.
    pub body: List<'a>,
    /// What comes after it.
    pub ending: ArmEnding,
}

/// How a branch of `case` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArmEnding {
    /// `;;`: nothing else is looked at.
    #[default]
    Stop,
    /// `;&`: the next branch runs too.
    FallThrough,
    /// `;;&`: the next patterns are looked at.
    TestNext,
}

/// A simple command.
#[derive(Debug, Clone, Default)]
pub struct Simple<'a> {
    /// In front of the words.
    pub assignments: Vec<Assignment<'a>>,
    /// Program and arguments; may be empty.
    pub words: Vec<Word<'a>>,
}

/// `NAME=VALUE`
#[derive(Debug, Clone)]
pub struct Assignment<'a> {
    /// Variable.
    pub name: &'a str,
    /// Text between brackets, as in `a[1]=x`.
    pub index: Option<&'a str>,
    /// `+=`
    pub append: bool,
    /// What it gets.
    pub value: AssignValue<'a>,
    /// The whole of it.
    pub span: Span,
}

/// What a variable gets.
#[derive(Debug, Clone)]
pub enum AssignValue<'a> {
    /// One word.
    Scalar(Word<'a>),
    /// `( … )`
    Array(Vec<Word<'a>>),
}

/// A redirection.
#[derive(Debug, Clone)]
pub struct Redirection<'a> {
    /// Descriptor in front of it, or what the operator means.
    pub fd: u32,
    /// `{NAME}` in front of it.
    pub fd_variable: Option<&'a str>,
    /// What it does.
    pub op: RedirectOp,
    /// File, descriptor, here-string, or delimiter of a here-document.
    pub target: Word<'a>,
    /// Index in [`Tree::here_docs`].
    pub here_doc: Option<usize>,
    /// The whole of it, without the body of a here-document.
    pub span: Span,
}

/// What a redirection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectOp {
    /// `<`
    Read,
    /// `>`
    Write,
    /// `>|`
    Clobber,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
    /// `&>` and `>&FILE`
    WriteBoth,
    /// `&>>`
    AppendBoth,
    /// `<&`
    DuplicateIn,
    /// `>&`
    DuplicateOut,
    /// `<<`
    HereDoc,
    /// `<<-`
    HereDocTabs,
    /// `<<<`
    HereString,
}

/// The body of a here-document.
#[derive(Debug, Clone, Default)]
pub struct HereDoc<'a> {
    /// What it says: one literal part where the delimiter is quoted.
    pub parts: Vec<Part<'a>>,
    /// The delimiter is quoted, so that nothing in it is expanded.
    pub quoted: bool,
    /// Leading tabs are taken away.
    pub strip_tabs: bool,
    /// The body.
    pub span: Span,
}

/// A word: its parts joined without a gap.
#[derive(Debug, Clone, Default)]
pub struct Word<'a> {
    /// At least one, except for an empty word.
    pub parts: Vec<Part<'a>>,
    /// The whole of it.
    pub span: Span,
}

impl<'a> Word<'a> {
    /// The text of a word that is one unquoted literal.
    pub fn bare(&self) -> Option<&'a str> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text of a word that needs no expansion, with quotes taken away.
    pub fn literal(&self) -> Option<Cow<'a, str>> {
        let mut out = String::new();
        match self.parts.as_slice() {
            [] => return Some(Cow::Borrowed("")),
            [Part::Literal(text) | Part::Single(text)] => return Some(Cow::Borrowed(text)),
            _ => {}
        }
        flatten(&self.parts, &mut out).then_some(Cow::Owned(out))
    }

    /// True where no part of it is quoted or escaped.
    pub fn is_unquoted(&self) -> bool {
        !self.parts.iter().any(|part| {
            matches!(
                part,
                Part::Single(_) | Part::Double(_) | Part::AnsiC(_) | Part::Escaped(_)
            )
        })
    }
}

fn flatten(parts: &[Part<'_>], out: &mut String) -> bool {
    parts.iter().all(|part| match part {
        Part::Literal(text) | Part::Single(text) | Part::Escaped(text) => {
            out.push_str(text);
            true
        }
        Part::AnsiC(text) => {
            out.push_str(text);
            true
        }
        Part::Double(inner) => flatten(inner, out),
        _ => false,
    })
}

/// A part of a word.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    /// Plain text, not quoted.
    Literal(&'a str),
    /// A character after a backslash.
    Escaped(&'a str),
    /// `'…'`
    Single(&'a str),
    /// `$'…'`, decoded.
    AnsiC(String),
    /// `"…"`
    Double(Vec<Part<'a>>),
    /// `$x`, `${x…}`
    Variable(Box<Variable<'a>>),
    /// `$( … )` and back quotes
    Command(List<'a>, Span),
    /// Back quotes with backslashes inside: the text to read anew.
    CommandText(String, Span),
    /// `<( … )`, and `>( … )` where true
    Process(List<'a>, bool, Span),
    /// `$(( … ))`: what is expanded in it, with text between.
    Arithmetic(Vec<Part<'a>>, Span),
    /// `*`, `?`, `[…]` or an extended pattern.
    Glob(&'a str),
    /// `{a,b}`
    Brace(Vec<Vec<Part<'a>>>),
    /// `{1..9}`: what stands between the braces
    Range(&'a str),
    /// `~` or `~name`: the name. Where a text follows that does not begin with a slash (out of braces), it
    /// is plain text.
    Tilde(&'a str),
    /// `NAME=( … )` among the arguments of a declaration.
    Array(Vec<Word<'a>>),
    /// What an expression comes to, as an argument: `(…)`, `$x.Name`, `a,b`, `{ … }`. PowerShell.
    Expression(Box<Expr<'a>>),
    /// `@x`: the elements are arguments of their own. PowerShell.
    Splat(&'a str, Span),
    /// `[KEY]=` in front of an element between `( … )`: the key as it is written; true for `+=`.
    Subscript(&'a str, bool),
    /// Not understood.
    Unknown(Span),
}

/// `$x` or `${x…}`.
#[derive(Debug, Clone, Default)]
pub struct Variable<'a> {
    /// Name, digits, or one of `@*#?$!-`.
    pub name: &'a str,
    /// `${!x}`
    pub indirect: bool,
    /// `${#x}`
    pub length: bool,
    /// Text between brackets.
    pub index: Option<&'a str>,
    /// What is done to it.
    pub op: Option<Operator>,
    /// What stands after the operator.
    pub operand: Vec<Part<'a>>,
    /// Flags of zsh with their parentheses, and the signs behind them: `(f)`, `=`.
    pub flags: &'a str,
    /// What it is made of in place of a name: `${${x}:h}` of zsh.
    pub inner: Option<Box<Part<'a>>>,
    /// What stands after the second `/` or `:`.
    pub second: Option<Vec<Part<'a>>>,
    /// The whole of it.
    pub span: Span,
}

/// Operators of `${x…}`. `colon` is true for the form that also looks at emptiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `-`
    Default {
        /// `:-`
        colon: bool,
    },
    /// `=`
    Assign {
        /// `:=`
        colon: bool,
    },
    /// `?`
    Error {
        /// `:?`
        colon: bool,
    },
    /// `+`
    Alternative {
        /// `:+`
        colon: bool,
    },
    /// `#` and `##`
    RemovePrefix {
        /// `##`
        longest: bool,
    },
    /// `%` and `%%`
    RemoveSuffix {
        /// `%%`
        longest: bool,
    },
    /// `/`, `//`, `/#`, `/%`: the character after the first `/`, or a blank
    Replace(char),
    /// `:start:length`
    Substring,
    /// `^`, `^^`, `,`, `,,`
    Case {
        /// Upper case.
        upper: bool,
        /// All characters.
        all: bool,
    },
    /// `@Q` and the like
    Transform(char),
    /// `:h`, `:t:r` of zsh: the operand is what stands after the first colon.
    Modifiers,
    /// Of another shell.
    Other,
}
