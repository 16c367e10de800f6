//! Code of other languages to the tree that `cmdai-effects` looks through, by real grammars.
//!
//! Each language has a file that lowers its grammar's nodes. What a grammar or a file does not
//! know becomes [`Node::Unread`](cmdai_effects::script::Node::Unread), never nothing. Everything is
//! bounded by counts, so that the same code gives the same tree on every machine; a clock bounds only what
//! no person writes.

#![forbid(unsafe_code)]

mod here;
mod javascript;
mod lower;
mod lua;
mod perl;
mod php;
mod python;
mod ruby;
mod texts;
mod worker;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use cmdai_effects::script::{Language, Languages, Script};
use tree_sitter::{ParseOptions, Parser, Tree};

/// Longest code that is read, in bytes.
pub const MAX_CODE: usize = 64 * 1024;
/// A parser may report progress once for so many bytes. Ordinary code needs a third of that; what
/// needs more is made of errors.
const BYTES_PER_REPORT: usize = 30;
/// Longest time of a parser, for what is slow all the same.
const MAX_TIME: Duration = Duration::from_millis(700);

/// The grammars, in this process. Short code of a language whose scanner surely ends is parsed where it is asked
/// for; the rest by a thread of their own, which is given up where a grammar does not come back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grammars;

impl Languages for Grammars {
    fn read(&self, language: Language, code: &str) -> Option<Script> {
        if code.len() > MAX_CODE {
            return None;
        }
        here::read(language, code).unwrap_or_else(|| worker::read(language, code))
    }
}

/// Parses and lowers, in the thread that calls.
fn parse(language: Language, code: &str) -> Option<Script> {
    let (tree, lower) = syntax(language, code)?;
    lower::lower(&tree, code, lower)
}

/// Parses, in the thread that calls, and names what lowers the tree.
fn syntax(language: Language, code: &str) -> Option<(Tree, lower::Rule)> {
    let (grammar, lower): (tree_sitter::Language, lower::Rule) = match language {
        Language::Python => (tree_sitter_python::LANGUAGE.into(), python::node),
        Language::JavaScript => (tree_sitter_javascript::LANGUAGE.into(), javascript::node),
        Language::Ruby => (tree_sitter_ruby::LANGUAGE.into(), ruby::node),
        Language::Perl => (ts_parser_perl::LANGUAGE.into(), perl::node),
        Language::Php => (tree_sitter_php::LANGUAGE_PHP_ONLY.into(), php::node),
        Language::Lua => (tree_sitter_lua::LANGUAGE.into(), lua::node),
    };
    let mut parser = Parser::new();
    parser.set_language(&grammar).ok()?;
    let mut left = 200 + code.len() / BYTES_PER_REPORT;
    let deadline = Instant::now() + MAX_TIME;
    let mut progress = |_: &tree_sitter::ParseState| {
        left = left.saturating_sub(1);
        if left == 0 || Instant::now() > deadline {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let tree = parser.parse_with_options(
        &mut |at, _| code.as_bytes().get(at..).unwrap_or_default(),
        None,
        Some(ParseOptions::new().progress_callback(&mut progress)),
    )?;
    Some((tree, lower))
}
