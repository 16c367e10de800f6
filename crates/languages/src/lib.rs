//! Code of other languages to the tree that `cmdai-effects` looks through, by real grammars.
//!
//! Each language has a file that lowers its grammar's nodes. What a grammar or a file does not
//! know becomes [`Node::Unread`](cmdai_effects::script::Node::Unread), never nothing. Everything is
//! bounded by counts, not by a clock, so that the same code gives the same tree on every machine.

#![forbid(unsafe_code)]

mod javascript;
mod lower;
mod lua;
mod perl;
mod php;
mod python;
mod ruby;
mod texts;

use std::ops::ControlFlow;

use cmdai_effects::script::{Language, Languages, Script};
use tree_sitter::{ParseOptions, Parser};

/// Longest code that is read, in bytes.
pub const MAX_CODE: usize = 64 * 1024;
/// Most times that a parser may report progress: ordinary code of the longest size needs a tenth.
const MAX_PROGRESS: u32 = 60_000;

/// The grammars, in this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grammars;

impl Languages for Grammars {
    fn read(&self, language: Language, code: &str) -> Option<Script> {
        if code.len() > MAX_CODE {
            return None;
        }
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
        let mut reports = 0;
        let mut progress = |_: &tree_sitter::ParseState| {
            reports += 1;
            if reports > MAX_PROGRESS {
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
        lower::lower(&tree, code, lower)
    }
}
