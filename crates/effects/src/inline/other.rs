//! Code of languages that no grammar here knows: vim, Lisp, Tcl, R, Java and others.
//!
//! It is read as tokens, so that texts and comments are told from calls. Calls that run a shell or
//! remove files are followed where their arguments are plain texts.

use cmdai_schema::CodeSource;

use super::tokens::{self, Token};
use crate::{
    analyser::Analyser,
    value::{Stream, Text},
};

/// Calls whose first text is run by a shell.
const SHELL: &[&str] = &[
    "system",
    "popen",
    "exec",
    "execSync",
    "shell_exec",
    "passthru",
    "spawn",
    "spawnSync",
    "check_output",
    "check_call",
    "getoutput",
    "getstatusoutput",
    "Popen",
    "run",
    "call",
    "execFile",
    "execFileSync",
    "popen2",
    "popen3",
    "backticks",
    "qx",
    "proc_open",
    "pcntl_exec",
    "execvp",
    "execv",
    "execl",
    "execlp",
    "execve",
    "posix_spawn",
    "shell",
    "execute",
    "capture2",
    "capture3",
    "pipeline",
    "exec_command",
];
/// Calls that remove files.
const REMOVE: &[&str] = &[
    "unlink",
    "unlinkSync",
    "remove",
    "rm",
    "rmSync",
    "rmtree",
    "rmdir",
    "rmdirSync",
    "rm_rf",
    "rm_r",
    "rm_f",
    "removedirs",
    "remove_tree",
    "delete",
    "remove_entry_secure",
    "remove_dir",
    "emptyDir",
    "removeSync",
    "rimraf",
];

impl Analyser<'_> {
    /// Looks through code for the calls that most languages have by the same names.
    pub(crate) fn other_code(&mut self, language: &str, code: &Text) {
        let tokens = tokens::read(&code.text);
        for (at, token) in tokens.iter().enumerate() {
            let Token::Name(name) = token else {
                if let (Token::Shell(text), "other" | "julia") = (token, language) {
                    self.run_text(text.clone(), code);
                }
                continue;
            };
            let name = name.as_str();
            let opens = matches!(tokens.get(at + 1), Some(Token::Mark('(')));
            // Tcl and Lisp call without parentheses.
            let bare = matches!(tokens.get(at + 1), Some(Token::Text(_)));
            if !opens && !bare {
                continue;
            }
            if SHELL.contains(&name) {
                let (texts, pure) = texts_of(&tokens, at + 1);
                self.other_shell(&texts, pure, code);
            } else if REMOVE.contains(&name) {
                let (texts, _) = texts_of(&tokens, at + 1);
                let tree = matches!(
                    name,
                    "unlink" | "rmtree" | "delete_directory" | "deltree" | "deleteDir"
                );
                if texts.is_empty() {
                    let path = Text::unknown("$path", code.span, None);
                    self.delete_path(&path, tree, tree, code.span);
                }
                for path in texts {
                    let path = Text::known(path, code.span);
                    self.delete_path(&path, tree, tree, code.span);
                }
            }
        }
    }

    fn other_shell(&mut self, texts: &[String], pure: bool, code: &Text) {
        match texts {
            [] => {
                self.unknown = true;
                self.emit_code(CodeSource::Unknown, "shell", code.span);
            }
            [one] => {
                self.run_text(one.clone(), code);
                if !pure {
                    self.emit_code(CodeSource::Unknown, "shell", code.span);
                }
            }
            [first, ..] if first.contains(' ') => self.run_text(first.clone(), code),
            several => {
                let words: Vec<Text> = several
                    .iter()
                    .map(|text| Text::known(text.clone(), code.span))
                    .collect();
                self.call(&words, Vec::new(), &Stream::Empty, code.span);
            }
        }
    }
}

/// Texts up to the closing parenthesis, and whether there is nothing else among them.
fn texts_of(tokens: &[Token], from: usize) -> (Vec<String>, bool) {
    let (mut out, mut pure, mut depth) = (Vec::new(), true, 0i32);
    for token in tokens.get(from..).unwrap_or_default().iter().take(64) {
        match token {
            Token::Text(text) => out.push(text.clone()),
            Token::Mark('(' | '[') => depth += 1,
            Token::Mark(')' | ']') => {
                depth -= 1;
                if depth < 0 || depth == 0 && matches!(token, Token::Mark(')')) {
                    break;
                }
            }
            Token::Mark('+' | '%' | '$') => pure = false,
            Token::Mark(';' | '\n') if depth == 0 => break,
            Token::Name(_) if out.is_empty() => pure = false,
            _ => {}
        }
    }
    (out, pure)
}
