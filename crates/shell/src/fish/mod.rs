//! fish: a grammar of its own that yields the common tree.
//!
//! Blocks end in `end`, lists are values, substitutions are written `(…)` or `$(…)`, and a word is split
//! nowhere but at newlines of a substitution. `and` and `or` join to the statement before them.

mod statement;
mod word;

use cmdai_schema::Dialect;

use crate::{parser::Parser, tree::Tree};

/// Reads fish.
pub(crate) fn parse(text: &str) -> Tree<'_> {
    let mut parser = Parser::new(text, Dialect::Fish);
    let mut body = parser.fish_list();
    while parser.pos < parser.end && parser.burn() {
        let at = parser.pos;
        parser.complain("unexpected token", at, at + 1);
        parser.fish_skip_stray();
        let mut more = parser.fish_list();
        body.items.append(&mut more.items);
        if parser.pos <= at {
            break;
        }
    }
    parser.finish(body)
}
