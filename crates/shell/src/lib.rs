//! Text of a shell line to a tree with spans. Never fails, never hangs.
//!
//! [`parse`] reads bash, zsh and POSIX sh with one grammar, fish and PowerShell with their own. What it cannot read it reports as a diagnostic and, where
//! something could run there, as an unknown region. Depth and work are bounded, so that hostile input
//! costs no more than its length.

#![forbid(unsafe_code)]

mod ansi_c;
mod brace;
mod builtins;
mod cmd;
mod command;
mod compound;
mod fish;
mod heredoc;
mod parser;
mod powershell;
mod redirect;
mod tree;
mod variable;
mod word;
mod zsh;

pub use ansi_c::decode as decode_ansi_c;
pub use builtins::{is_builtin, is_of_a_shell, is_reserved};
pub use cmd::parse_cmd;
pub use tree::{
    AndOr, Arm, ArmEnding, AssignValue, Assignment, Command, CommandKind, Connector, Expr, HereDoc,
    Item, List, Operator, Param, Part, Pipeline, RedirectOp, Redirection, Simple, Tree, Variable,
    Word,
};

use cmdai_schema::Dialect;

/// Longest text that is read, in bytes. The rest becomes an unknown region.
pub const MAX_TEXT: usize = 64 * 1024;

/// Deepest nesting that is read. What lies deeper becomes an unknown region.
pub const MAX_DEPTH: u32 = 48;

/// Reads a text into a tree. Never fails.
///
/// ```
/// use cmdai_schema::Dialect;
/// let tree = cmdai_shell::parse("echo \"a", Dialect::Bash);
/// assert!(!tree.complete);
/// ```
pub fn parse(text: &str, dialect: Dialect) -> Tree<'_> {
    match dialect {
        Dialect::Bash | Dialect::Zsh | Dialect::Sh => parser::Parser::new(text, dialect).run(),
        Dialect::Fish => fish::parse(text),
        Dialect::Powershell => powershell::parse(text),
    }
}
