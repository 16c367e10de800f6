//! Parsing in the thread that asks: most code in a command line is a few words long, and waking another
//! thread for them takes longer than reading them.
//!
//! Three things would hurt the caller, and each is kept out. A scanner that never ends: only languages are
//! read here whose scanner moves forward, or returns, in every turn of every loop, at the end of the text and
//! at a zero byte as well; it was read for that, and the fuzz target `inline` goes this way. A deep tree, lowered on
//! a stack that is not ours: it is left to the thread. A panic: it is caught.

use std::panic::catch_unwind;

use cmdai_effects::script::{Language, Script};
use tree_sitter::Tree;

/// Longest code that is read here, in bytes.
const SHORT: usize = 4 * 1024;
/// Deepest tree that is lowered here.
const DEPTH: usize = 24;

/// Reads a piece of code: outer `None` where that is the thread's work, inner `None` where it cannot be read.
pub(crate) fn read(language: Language, code: &str) -> Option<Option<Script>> {
    if code.len() > SHORT || !scanner_ends(language) {
        return None;
    }
    catch_unwind(|| {
        let Some((tree, lower)) = crate::syntax(language, code) else {
            return Some(None);
        };
        shallow(&tree).then(|| crate::lower::lower(&tree, code, lower))
    })
    .unwrap_or(Some(None))
}

/// Whether the grammar's scanner, which is C and asks nobody, is known to end on every text.
fn scanner_ends(language: Language) -> bool {
    match language {
        Language::Python | Language::JavaScript | Language::Lua => true,
        // Perl's never comes back from a here-document without its end; the others keep state of
        // here-documents too.
        Language::Perl | Language::Ruby | Language::Php => false,
    }
}

/// Whether no node lies deeper than [`DEPTH`].
fn shallow(tree: &Tree) -> bool {
    let mut cursor = tree.walk();
    let mut depth = 0;
    loop {
        if cursor.goto_first_child() {
            depth += 1;
            if depth > DEPTH {
                return false;
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return true;
            }
            depth -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code in the three languages that are read here: whole, broken, unfinished and hostile.
    const CODES: [&str; 19] = [
        "import os\nos.system('rm -rf /')",
        "print(f'{1:>{2}}')\nif x:\n  y = 'a\\'\n",
        "x = '''unfinished",
        "f\"{{{",
        "if a:\n\tif b:\n\t\tc\n d\n#\n\\",
        "require('fs').rmSync('/', {recursive: true})",
        "`${`${a}`}",
        "a /* never closed",
        "a\n/",
        "<a>{b}</a> <!-- c",
        "os.execute('id') --[==[ open ]=]",
        "x = [=[ ]] ]=",
        "\0",
        "'''\0'''",
        "`\0`",
        "/*\0",
        "--[[\0",
        "// \0\n#\0\n",
        "",
    ];

    #[test]
    fn both_ways_read_the_same() {
        for language in [Language::Python, Language::JavaScript, Language::Lua] {
            for code in CODES {
                let here = read(language, code);
                assert!(here.is_some(), "{language:?} {code:?}");
                assert_eq!(
                    here,
                    Some(crate::worker::read(language, code)),
                    "{language:?} {code:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_deep_long_or_may_not_end_is_left_to_the_thread() {
        let deep = format!("{}1{}", "(".repeat(40), ")".repeat(40));
        assert_eq!(read(Language::Python, &deep), None);
        assert_eq!(read(Language::Python, &"a\\n".repeat(SHORT)), None);
        for language in [Language::Perl, Language::Ruby, Language::Php] {
            assert_eq!(read(language, "1"), None);
        }
    }
}
