//! Code of other languages inside a line: a light look, honest about what it does not read.
//!
//! The code is read as tokens, so that texts and comments are told from calls. Calls that run a shell,
//! remove or write files, or open connections are followed where their arguments are plain texts.

mod names;
pub(crate) mod sql;
pub(crate) mod tokens;

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    value::{Stream, Taint, Text},
};
use names::{fold, follow, rename};
use tokens::Token;

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
/// Calls that connect.
const CONNECT: &[&str] = &[
    "socket",
    "create_connection",
    "urlopen",
    "urlretrieve",
    "fsockopen",
    "connect",
    "createConnection",
    "Net",
    "TCPSocket",
    "fetch",
];

impl Analyser<'_> {
    /// Looks through code of a language for what it would do.
    pub(crate) fn inline_code(&mut self, language: &str, code: &Text) {
        match &code.taint {
            Some(taint @ (Taint::Remote(_) | Taint::Made)) if !code.known => {
                let taint = taint.clone();
                self.tainted_code(&taint, language, code.span);
                return;
            }
            _ => self.emit_code(CodeSource::Literal, language, code.span),
        }
        let mut tokens = tokens::read(&code.text);
        rename(&mut tokens);
        follow(&mut tokens);
        fold(&mut tokens, language);
        self.look_through(language, &tokens, code);
    }

    /// An awk program.
    pub(crate) fn inline_awk(&mut self, code: &Text) {
        let tokens = tokens::read(&code.text);
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Name(name) if name == "system" => {
                    if let Some(Token::Text(text)) = tokens.get(at + 2) {
                        self.run_text(text.clone(), code);
                    } else if tokens.get(at + 1) == Some(&Token::Mark('(')) {
                        self.unknown = true;
                        self.emit_code(CodeSource::Unknown, "shell", code.span);
                    }
                }
                // `"program" | getline` and `print | "program"`
                Token::Text(text)
                    if matches!(tokens.get(at + 1), Some(Token::Mark('|')))
                        && matches!(tokens.get(at + 2), Some(Token::Name(name)) if name == "getline") =>
                {
                    self.run_text(text.clone(), code)
                }
                Token::Mark('|') => {
                    let follows = if tokens.get(at + 1) == Some(&Token::Mark('&')) {
                        at + 2
                    } else {
                        at + 1
                    };
                    if let Some(Token::Text(text)) = tokens.get(follows) {
                        self.run_text(text.clone(), code);
                    }
                }
                Token::Mark('>')
                    if tokens
                        .iter()
                        .take(at)
                        .rev()
                        .take_while(|token| !matches!(token, Token::Mark(';' | '{' | '}' | '\n')))
                        .any(
                            |token| matches!(token, Token::Name(name) if name.starts_with("print")),
                        ) =>
                {
                    if let Some(Token::Text(path)) = tokens.get(at + 1) {
                        self.write_path(&Text::known(path.clone(), code.span), false, code.span);
                    }
                }
                Token::Text(text) if text.starts_with("/inet/") => {
                    let address = text
                        .rsplitn(3, '/')
                        .take(2)
                        .collect::<Vec<_>>()
                        .into_iter()
                        .rev()
                        .collect::<Vec<_>>()
                        .join(":");
                    self.emit(
                        EffectKind::Connect { address },
                        code.span,
                        Certainty::Proven,
                    );
                }
                _ => {}
            }
        }
    }

    fn run_text(&mut self, text: String, code: &Text) {
        self.shell_code(
            &Text::known(text, code.span),
            Dialect::Sh,
            &Stream::Empty,
            true,
        );
    }

    fn look_through(&mut self, language: &str, tokens: &[Token], code: &Text) {
        let texts_of = |from: usize| -> (Vec<String>, bool) {
            // Texts up to the closing parenthesis, and whether there is nothing else among them.
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
        };
        for (at, token) in tokens.iter().enumerate() {
            match token {
                Token::Shell(text) if matches!(language, "perl" | "ruby" | "php" | "other") => {
                    self.run_text(text.clone(), code)
                }
                Token::Name(name) => {
                    let opens = matches!(tokens.get(at + 1), Some(Token::Mark('(')));
                    // Perl and Ruby call without parentheses.
                    let bare = matches!(language, "perl" | "ruby")
                        && match tokens.get(at + 1) {
                            Some(Token::Text(_)) => true,
                            // `unlink glob("…")`, `rm_rf Dir.glob("…")`
                            Some(Token::Name(next)) => {
                                matches!(next.as_str(), "glob" | "Dir")
                                    && REMOVE.contains(&name.as_str())
                            }
                            _ => false,
                        };
                    // Words of another meaning: a definition, a key.
                    let defined = matches!(at.checked_sub(1).and_then(|at| tokens.get(at)), Some(Token::Name(before)) if matches!(before.as_str(), "def" | "function" | "sub" | "class" | "import" | "from"));
                    if !opens && !bare || defined {
                        continue;
                    }
                    let name = name.as_str();
                    let (texts, pure) = texts_of(at + 1);
                    if SHELL.contains(&name) {
                        self.found_shell(language, name, tokens, at, &texts, pure, code);
                    } else if REMOVE.contains(&name) {
                        // `list.remove(x)` of Python is no file.
                        let owner = at.checked_sub(2).and_then(|at| tokens.get(at));
                        let own = matches!(owner, Some(Token::Name(owner)) if matches!(owner.as_str(), "os" | "shutil" | "fs" | "promises" | "FileUtils" | "File" | "Dir" | "pathlib" | "fse" | "path" | "Deno" | "IO" | "Path" | "fsp"));
                        let own = own || matches!(at.checked_sub(1).and_then(|at| tokens.get(at)), Some(Token::Mark(')')));
                        if own || matches!(name, "unlink" | "unlinkSync" | "rmtree" | "rm_rf" | "rmSync" | "rmdirSync" | "remove_tree" | "rmdir" | "rimraf") {
                            let recursive = matches!(name, "rmtree" | "rm_rf" | "rm_r" | "remove_tree" | "rimraf" | "emptyDir" | "removeSync") || tokens.iter().any(|token| matches!(token, Token::Name(name) if name == "recursive"));
                            self.found_removal(&texts, recursive, tokens, at, code);
                        }
                    } else if matches!(name, "open" | "writeFileSync" | "writeFile" | "file_put_contents" | "write_text" | "appendFileSync" | "write" | "createWriteStream") && !texts.is_empty() {
                        self.found_file(name, &texts, code);
                    } else if matches!(name, "readFileSync" | "readFile" | "file_get_contents" | "read_text" | "readlines") {
                        if let Some(path) = texts.first() {
                            self.read_path(&Text::known(path.clone(), code.span), code.span);
                        }
                    } else if CONNECT.contains(&name) {
                        let address = texts.first().cloned().unwrap_or_else(|| "unknown".to_owned());
                        if address != "unknown" || name == "socket" || name == "connect" {
                            self.emit(EffectKind::Connect { address }, code.span, Certainty::Likely);
                        }
                    } else if matches!(name, "chmod" | "chmodSync" | "chown") {
                        if let Some(path) = texts.first() {
                            self.change_mode(&Text::known(path.clone(), code.span), "code", false, code.span);
                        }
                    } else if matches!(name, "eval" | "compile" | "exec_" | "b64decode" | "Function" | "instance_eval" | "unhexlify" | "fromhex" | "loads") && !(name == "loads" && texts.is_empty() && !tokens.iter().any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "pickle" | "marshal")))) {
                        let decodes = tokens.iter().any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "b64decode" | "atob" | "base64" | "decode" | "base64_decode" | "unhexlify" | "fromhex" | "marshal" | "pickle")));
                        let runs = tokens.iter().any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "exec" | "eval" | "system" | "Function")));
                        if decodes && runs {
                            self.emit_code(CodeSource::Unknown, language, code.span);
                        }
                    } else if name == "fork" {
                        let loops = tokens.iter().any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "while" | "for" | "loop" | "until")));
                        if loops {
                            self.exhausts("fork-bomb", code.span);
                        }
                    }
                }
                _ => {}
            }
        }
        // A shell fed from the network.
        let names = |all: &[&str]| {
            tokens
                .iter()
                .any(|token| matches!(token, Token::Name(name) if all.contains(&name.as_str())))
        };
        let shells = tokens
            .iter()
            .any(|token| matches!(token, Token::Text(text) if is_shell(text)));
        if names(&["socket", "Socket", "fsockopen", "TCPSocket", "net", "IO"])
            && shells
            && names(&[
                "dup2",
                "spawn",
                "exec",
                "system",
                "call",
                "run",
                "Popen",
                "pty",
                "pipe",
                "open",
                "proc_open",
                "popen",
                "execve",
            ])
        {
            let address = tokens.iter().find_map(|token| match token {
                Token::Text(text) if text.contains('.') && !text.contains('/') => {
                    Some(text.clone())
                }
                _ => None,
            });
            self.emit_code(
                CodeSource::Remote(address.unwrap_or_else(|| "network".to_owned())),
                "shell",
                code.span,
            );
        }
        // What is fetched is run.
        if names(&[
            "urlopen",
            "urlretrieve",
            "requests",
            "fetch",
            "https",
            "LWP",
            "open_uri",
        ]) && names(&["exec", "eval", "system"])
        {
            let url = tokens.iter().find_map(|token| match token {
                Token::Text(text) if text.contains("://") => Some(text.clone()),
                _ => None,
            });
            if let Some(url) = url {
                self.emit_code(CodeSource::Remote(url), language, code.span);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they describe one call")]
    fn found_shell(
        &mut self,
        language: &str,
        name: &str,
        tokens: &[Token],
        at: usize,
        texts: &[String],
        pure: bool,
        code: &Text,
    ) {
        // `exec("python code")` of Python is no shell.
        if language == "python" && matches!(name, "exec" | "run" | "call" | "shell" | "execute") {
            let owner = at.checked_sub(2).and_then(|at| tokens.get(at));
            let aliased = tokens
                .iter()
                .any(|token| matches!(token, Token::Name(name) if name == "subprocess"));
            if !matches!(owner, Some(Token::Name(owner)) if matches!(owner.as_str(), "subprocess" | "sp" | "asyncio"))
                && !aliased
            {
                if name == "exec" {
                    let decodes = tokens.iter().any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "b64decode" | "decode" | "unhexlify" | "fromhex" | "decompress" | "loads" | "urlopen" | "get" | "read")));
                    if decodes {
                        self.emit_code(CodeSource::Unknown, language, code.span);
                    } else if let Some(inner) = texts.first() {
                        let inner = Text::known(inner.clone(), code.span);
                        if self
                            .deeper(code.span, |this| this.inline_code("python", &inner))
                            .is_none()
                        {
                            return;
                        }
                    }
                }
                return;
            }
        }
        // `regex.exec(text)` of JavaScript is no shell.
        if language == "javascript"
            && matches!(
                name,
                "exec" | "spawn" | "run" | "call" | "execute" | "system"
            )
        {
            let children = tokens.iter().any(|token| matches!(token, Token::Text(text) if text.contains("child_process") || text == "shelljs" || text == "execa")) || tokens.iter().any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "child_process" | "Deno" | "Bun")));
            if !children {
                return;
            }
        }
        let texts: Vec<&String> = texts
            .iter()
            .filter(|text| {
                !matches!(
                    text.as_str(),
                    "utf8" | "utf-8" | "inherit" | "child_process"
                )
            })
            .collect();
        match texts.as_slice() {
            [] => {
                self.unknown = true;
                self.emit_code(CodeSource::Unknown, "shell", code.span);
            }
            [one] => {
                self.run_text((*one).clone(), code);
                if !pure {
                    self.emit_code(CodeSource::Unknown, "shell", code.span);
                }
            }
            several => {
                // A list of program and arguments.
                let words: Vec<Text> = several
                    .iter()
                    .map(|text| Text::known((*text).clone(), code.span))
                    .collect();
                if words.first().is_some_and(|first| first.text.contains(' ')) {
                    self.run_text(
                        several
                            .first()
                            .map_or_else(String::new, |text| (*text).clone()),
                        code,
                    );
                } else {
                    self.call(&words, Vec::new(), &Stream::Empty, code.span);
                }
            }
        }
    }

    fn found_removal(
        &mut self,
        texts: &[String],
        recursive: bool,
        tokens: &[Token],
        at: usize,
        code: &Text,
    ) {
        let names = |from: usize, count: usize, known: &[&str]| {
            tokens
                .get(from..)
                .unwrap_or_default()
                .iter()
                .take(count)
                .any(|token| matches!(token, Token::Name(name) if known.contains(&name.as_str())))
        };
        if texts.is_empty()
            && names(
                at,
                8,
                &["mkdtemp", "TemporaryDirectory", "mkdtempSync", "mktmpdir"],
            )
        {
            let path = Text::known("/tmp/tmp.XXXXXXXXXX", code.span);
            self.delete_path(&path, recursive, recursive, code.span);
            return;
        }
        // `~` means the home to shells only.
        let expands = names(0, tokens.len(), &["expanduser", "expand_path", "homedir"]);
        if texts.is_empty() {
            // `Path("x").unlink()`: the text stands in front.
            let before = tokens
                .get(..at)
                .unwrap_or_default()
                .iter()
                .rev()
                .take(4)
                .find_map(|token| {
                    if let Token::Text(text) = token {
                        Some(text.clone())
                    } else {
                        None
                    }
                });
            let path = match before {
                Some(path) => Text::known(path, code.span),
                None => {
                    let home = tokens.iter().any(|token| matches!(token, Token::Name(name) if matches!(name.as_str(), "expanduser" | "homedir" | "home")));
                    if home {
                        Text::known("~", code.span)
                    } else {
                        Text::unknown("$path", code.span, None)
                    }
                }
            };
            self.delete_path(&path, recursive, recursive, code.span);
            return;
        }
        for path in texts
            .iter()
            .filter(|text| !matches!(text.as_str(), "utf8" | "utf-8"))
        {
            let path = if path.starts_with('~') && !expands {
                format!("./{path}")
            } else {
                path.clone()
            };
            self.delete_path(
                &Text::known(path, code.span),
                recursive,
                recursive,
                code.span,
            );
        }
    }

    fn found_file(&mut self, name: &str, texts: &[String], code: &Text) {
        let Some(path) = texts.first() else { return };
        let target = Text::known(path.clone(), code.span);
        if name == "open" {
            let mode = texts.get(1).map_or("", String::as_str);
            // Perl: `open F, ">x"`, `open F, "|program"`.
            if let Some(program) = path.strip_prefix('|').or_else(|| path.strip_suffix('|')) {
                self.run_text(program.to_owned(), code);
                return;
            }
            if mode == "-|" || mode == "|-" {
                return;
            }
            match (
                mode.contains('w')
                    || mode == ">"
                    || path.starts_with('>') && !path.starts_with(">>"),
                mode.contains('a') || mode == ">>" || path.starts_with(">>"),
            ) {
                (true, _) => self.write_path(
                    &target.after(path.len() - path.trim_start_matches('>').len()),
                    false,
                    code.span,
                ),
                (_, true) => self.write_path(
                    &target.after(path.len() - path.trim_start_matches('>').len()),
                    true,
                    code.span,
                ),
                _ if mode.len() <= 3 && !path.is_empty() => {
                    self.read_path(&target, code.span);
                }
                _ => {}
            }
            return;
        }
        if matches!(name, "write_text" | "write") {
            return;
        }
        self.write_path(&target, name.starts_with("append"), code.span);
    }
}

/// The text names a shell, perhaps with its descriptors bound to something: `/bin/sh -i <&3 >&3`.
fn is_shell(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let name = crate::paths::base_name(words.next().unwrap_or(""));
    matches!(
        name,
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "cmd.exe" | "powershell.exe"
    ) && words
        .all(|word| word.starts_with(|next: char| "-<>".contains(next) || next.is_ascii_digit()))
}
