//! PowerShell: statements, pipelines and expressions with a grammar of its own, in the common tree.
//!
//! A statement begins either with a value (then operators follow) or with a name (then arguments follow).
//! What a word of an argument comes to is an expression part; code between braces is read at once, so that
//! it is clear where it ends, but runs only where somebody calls it.

mod argument;
mod expression;
mod statement;
mod text;

use cmdai_schema::Dialect;

use crate::{parser::Parser, tree::Tree};

/// Reads PowerShell.
pub(crate) fn parse(text: &str) -> Tree<'_> {
    let mut parser = Parser::new(text, Dialect::Powershell);
    let mut body = parser.ps_list();
    while parser.pos < parser.end && parser.burn() {
        let at = parser.pos;
        parser.complain("unexpected token", at, at + 1);
        parser.pos += parser.char_len(at).max(1);
        let mut more = parser.ps_list();
        body.items.append(&mut more.items);
    }
    parser.finish(body)
}
