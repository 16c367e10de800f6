//! fish and PowerShell, read with the common grammar: simple commands, pipelines and quotes come out
//! right; whatever is written with their own words is marked as unknown.

use cmdai_schema::{Dialect, Span};

use crate::{parser::Parser, tree::Tree};

/// Reads PowerShell.
pub(crate) fn powershell(text: &str) -> Tree<'_> {
    let mut tree = Parser::new(text, Dialect::Sh).run();
    mark(
        &mut tree,
        text,
        &["foreach", "if", "function", "try", "switch", "param"],
        "({[",
    );
    tree
}

/// Marks the text as unknown where it uses the dialect's own words or brackets.
fn mark(tree: &mut Tree<'_>, text: &str, words: &[&str], brackets: &str) {
    let own = text.contains(|next| brackets.contains(next))
        || text
            .split(|next: char| next.is_whitespace() || next == ';')
            .any(|word| words.contains(&word));
    if own {
        tree.unknown.push(Span::new(0, text.len()));
    }
    tree.complete = true;
}
