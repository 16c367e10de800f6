//! What the shell itself does: working directory, variables, functions, traps, history.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind, Span};

use crate::{
    analyser::Analyser,
    call::{Call, joined},
    state::Value,
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    /// Runs a builtin; nothing where the name is none.
    pub(crate) fn builtin(&mut self, call: &Call<'_>) -> Option<Stream> {
        let args = call.args;
        if self.dialect == Dialect::Fish
            && let Some(printed) = self.fish_builtin(call)
        {
            return Some(printed);
        }
        match call.name {
            "cd" | "pushd" | "chdir" => self.change_directory(args),
            "popd" => self.env.cwd_known = false,
            "export" | "declare" | "typeset" | "local" | "readonly" => self.declare(call),
            "unset" => self.unset(call),
            "eval" => {
                let all: Vec<&Text> = args.iter().filter(|arg| arg.text != "--").collect();
                if all.is_empty() {
                    return Some(Stream::Empty);
                }
                let code = joined(&all, call.span);
                let dialect = self.dialect;
                return Some(self.shell_code(&code, dialect, call.stdin, false));
            }
            "source" | "." => return Some(self.source(call)),
            "trap" => self.trap(call),
            "alias" => {
                for arg in args.iter().filter(|arg| arg.known) {
                    if let Some((name, value)) = arg.text.split_once('=') {
                        self.env.aliases.retain(|(known, _)| known != name);
                        // It does nothing until somebody calls it.
                        self.env.aliases.push((name.to_owned(), value.to_owned()));
                        if name.contains("__cmdai") {
                            self.own(call.span);
                        }
                    }
                }
            }
            "unalias" => {
                for arg in args {
                    self.env.aliases.retain(|(known, _)| *known != arg.text);
                }
            }
            "set" => self.set(call),
            "shift" => {
                let count = args
                    .first()
                    .and_then(|arg| arg.text.parse::<usize>().ok())
                    .unwrap_or(1);
                if let Some(positional) = &mut self.env.positional {
                    positional.drain(..count.min(positional.len()));
                }
            }
            "read" | "readarray" | "mapfile" => self.read_variables(call),
            "printf" if args.first().is_some_and(|arg| arg.text == "-v") => {
                if let (Some(name), Some(rest)) = (args.get(1), args.get(2..)) {
                    let value = match crate::output::printf(rest) {
                        Some(text) => Value::known(text),
                        None => Value::unknown(None),
                    };
                    self.env.set(&name.text, value);
                }
            }
            "let" => {
                for arg in args {
                    if let Some((name, value)) = arg.text.split_once('=') {
                        let value = crate::arithmetic::evaluate(value, &|_| None)
                            .map_or_else(Value::default, |number| Value::known(number.to_string()));
                        self.env
                            .set(name.trim_end_matches(['+', '-', '*', '/']), value);
                    }
                }
            }
            "exec" => return Some(self.exec(call)),
            // `emulate sh -c CODE` of zsh
            "emulate" => {
                if let Some(at) = args.iter().position(|arg| arg.text == "-c")
                    && let Some(code) = args.get(at + 1)
                {
                    let dialect = self.dialect;
                    return Some(self.shell_code(&code.clone(), dialect, call.stdin, false));
                }
            }
            "ztcp" => {
                let all: Vec<&str> = args
                    .iter()
                    .map(|arg| arg.text.as_str())
                    .filter(|text| !text.starts_with('-'))
                    .collect();
                if let [host, rest @ ..] = all.as_slice() {
                    let port = rest.first().unwrap_or(&"23");
                    self.emit(
                        EffectKind::Connect {
                            address: format!("tcp://{host}:{port}"),
                        },
                        call.span,
                        Certainty::Proven,
                    );
                }
            }
            "command"
                if args.first().is_some_and(|arg| {
                    matches!(arg.text.as_str(), "-v" | "-V" | "-pv" | "-pV")
                }) =>
            {
                return Some(args.last().map_or(Stream::Empty, |name| {
                    Stream::Known(format!("/usr/bin/{}\n", name.text))
                }));
            }
            "enable" => {
                if args
                    .iter()
                    .any(|arg| matches!(arg.text.as_str(), "-n" | "-d"))
                    && args.iter().any(|arg| arg.text.contains("cmdai"))
                {
                    self.own(call.span);
                }
                if let Some(at) = args.iter().position(|arg| arg.text == "-f")
                    && let Some(file) = args.get(at + 1)
                {
                    let path = self.absolute(&file.text);
                    self.emit_code(CodeSource::File(path), "native", call.span);
                }
            }
            "history" => {
                if args
                    .iter()
                    .any(|arg| arg.text.starts_with('-') && arg.text.contains(['c', 'd']))
                {
                    let path = format!("{}/.bash_history", self.home());
                    self.emit(EffectKind::TamperLog { path }, call.span, Certainty::Proven);
                } else {
                    return Some(Stream::UNKNOWN);
                }
            }
            "fc" if !args.iter().any(|arg| arg.text.starts_with("-s")) => {
                return Some(Stream::UNKNOWN);
            }
            "shopt" => {
                if args.iter().any(|arg| arg.text == "-u")
                    && args
                        .iter()
                        .any(|arg| matches!(arg.text.as_str(), "histappend" | "extdebug"))
                    && args.iter().any(|arg| arg.text == "extdebug")
                {
                    self.own(call.span);
                }
            }
            "bind" => {
                if let Some(at) = args.iter().position(|arg| arg.text == "-x")
                    && let Some(code) = args.get(at + 1)
                {
                    let code = code
                        .text
                        .split_once(':')
                        .map_or_else(|| code.clone(), |(key, _)| code.after(key.len() + 1));
                    let dialect = self.dialect;
                    self.shell_code(&code, dialect, &Stream::Empty, true);
                }
            }
            "complete" | "compgen" => {
                if let Some(at) = args.iter().position(|arg| arg.text == "-C")
                    && let Some(code) = args.get(at + 1)
                {
                    let dialect = self.dialect;
                    self.shell_code(&code.clone(), dialect, &Stream::Empty, true);
                }
            }
            "ulimit" | "umask" | "wait" | "jobs" | "fg" | "bg" | "disown" | "dirs" | "getopts"
            | "hash" | "type" | "times" | "return" | "exit" | "break" | "continue" | ":"
            | "true" | "false" | "setopt" | "unsetopt" | "autoload" | "compdef" | "zstyle"
            | "suspend" | "logout" | "caller" | "help" => {}
            _ => return None,
        }
        Some(Stream::Empty)
    }

    /// Something of cmdai's own is switched off.
    pub(crate) fn own(&mut self, span: Span) {
        self.emit(
            EffectKind::DisableSecurity {
                what: "cmdai".to_owned(),
            },
            span,
            Certainty::Proven,
        );
    }

    fn change_directory(&mut self, args: &[Text]) {
        let target = args
            .iter()
            .find(|arg| !arg.text.starts_with('-') || arg.text == "-");
        match target {
            None => {
                self.env.cwd = self.home();
                self.env.cwd_known = true;
            }
            Some(target) if target.text == "-" => self.env.cwd_known = false,
            Some(target) if target.known => {
                let sure = !target.glob;
                self.env.cwd = self.absolute(&target.text);
                self.env.cwd_known = sure && (self.env.cwd_known || target.text.starts_with('/'));
            }
            Some(target) => {
                // `cd "$DIR"` with an unset variable stays, in bash; with a suffix it goes elsewhere.
                if let Some(empty) = target.empty.as_deref().filter(|empty| !empty.is_empty()) {
                    self.env.cwd = self.absolute(empty);
                } else if !target.text.starts_with('$') {
                    self.env.cwd = self.absolute(&target.text);
                }
                self.env.cwd_known = false;
            }
        }
        let cwd = self.env.cwd.clone();
        self.env.set("PWD", Value::known(cwd));
    }

    fn declare(&mut self, call: &Call<'_>) {
        for arg in call.args {
            if arg.text.starts_with('-') {
                continue;
            }
            let Some((name, _)) = arg.text.split_once('=') else {
                continue;
            };
            let name = name.trim_end_matches('+');
            let value = arg.after(arg.text.find('=').map_or(0, |at| at + 1));
            self.note_assignment(name, &value, arg.span, false);
            let held = if value.known {
                Value::known(value.text.clone())
            } else {
                Value {
                    not_empty: value.empty.as_deref().is_none_or(|empty| !empty.is_empty()),
                    ..Value::unknown(value.taint.clone())
                }
            };
            self.env.set(name, held);
        }
    }

    fn unset(&mut self, call: &Call<'_>) {
        for arg in call.args {
            if arg.text == "-f" || arg.text == "-v" {
                continue;
            }
            if arg.text.to_ascii_lowercase().contains("cmdai") {
                self.own(call.span);
            }
            if matches!(
                arg.text.as_str(),
                "HISTFILE" | "HISTSIZE" | "PROMPT_COMMAND"
            ) {
                self.note_history(&arg.text, call.span);
            }
            self.env.functions.retain(|(known, _)| *known != arg.text);
            self.env.set(
                &arg.text,
                Value {
                    unset: true,
                    ..Value::default()
                },
            );
        }
    }

    fn note_history(&mut self, name: &str, span: Span) {
        if name == "PROMPT_COMMAND" {
            return;
        }
        let path = format!("{}/.bash_history", self.home());
        self.emit(EffectKind::TamperLog { path }, span, Certainty::Proven);
    }

    /// Variables whose value runs something, or silences something.
    pub(crate) fn note_assignment(&mut self, name: &str, value: &Text, span: Span, in_front: bool) {
        match name {
            "HISTFILE" if value.known && (value.text.is_empty() || value.text == "/dev/null") => {
                self.note_history(name, span)
            }
            "HISTSIZE" | "HISTFILESIZE" if value.text == "0" => self.note_history(name, span),
            "HISTCONTROL" | "HISTIGNORE" if value.text == "*" || value.text == "ignoreall" => {
                self.note_history(name, span)
            }
            "LD_PRELOAD" | "LD_AUDIT" | "DYLD_INSERT_LIBRARIES"
                if !(value.known && value.text.is_empty()) =>
            {
                let path = self.absolute(&value.text);
                self.emit_code(CodeSource::File(path), "native", span);
            }
            "PROMPT_COMMAND" if value.known && value.text.trim().is_empty() && !in_front => {
                self.own(span);
            }
            "PROMPT_COMMAND" => {
                let dialect = self.dialect;
                self.chain.push(name.to_owned());
                self.shell_code(value, dialect, &Stream::Empty, true);
                self.chain.pop();
                if !in_front {
                    self.emit(
                        EffectKind::Persistence {
                            mechanism: "prompt-command".to_owned(),
                            path: None,
                        },
                        span,
                        Certainty::Likely,
                    );
                }
            }
            "GIT_CONFIG_GLOBAL" | "GIT_CONFIG_SYSTEM" | "GIT_CONFIG" | "GIT_EXEC_PATH"
            | "GIT_TEMPLATE_DIR" => self.config_file(value),
            "GIT_ALLOW_PROTOCOL" if value.text.split(':').any(|word| word == "ext") => {
                self.emit_code(CodeSource::Unknown, "shell", span);
            }
            "GIT_SSH_COMMAND"
            | "GIT_EXTERNAL_DIFF"
            | "GIT_PAGER"
            | "GIT_EDITOR"
            | "GIT_SEQUENCE_EDITOR"
            | "GIT_ASKPASS"
            | "SSH_ASKPASS"
            | "SUDO_ASKPASS"
            | "PAGER"
            | "MANPAGER"
            | "LESSOPEN"
            | "LESSCLOSE"
            | "BROWSER"
            | "VISUAL"
            | "EDITOR"
            | "GIT_PROXY_COMMAND"
            | "GIT_SSH"
            | "RUSTC_WRAPPER"
            | "CARGO_BUILD_RUSTC_WRAPPER"
            | "MAKEFLAGS_SHELL"
            | "RSYNC_RSH"
            | "TAR_OPTIONS"
            | "FZF_DEFAULT_COMMAND"
            | "PS4"
            | "PS1"
                if value.text.contains([' ', ';', '|', '`', '$', '/'])
                    || name.starts_with("GIT_") =>
            {
                if name.starts_with("GIT_") || name.ends_with("_ASKPASS") {
                    self.injected(value);
                }
                if matches!(name, "PS1" | "PS4")
                    && !value.text.contains("$(")
                    && !value.text.contains('`')
                {
                    return;
                }
                if name == "TAR_OPTIONS" {
                    self.tar_options(value);
                    return;
                }
                let dialect = self.dialect;
                self.chain.push(name.to_owned());
                self.shell_code(value, dialect, &Stream::Empty, true);
                self.chain.pop();
            }
            "BASH_ENV" | "ENV" | "ZDOTDIR" | "PYTHONSTARTUP" | "PERL5LIB" | "RUBYLIB"
            | "NODE_PATH" | "PYTHONPATH" | "LD_LIBRARY_PATH" => {
                let scratch = ["/tmp", "/var/tmp", "/dev/shm"]
                    .iter()
                    .any(|folder| value.text.starts_with(folder));
                if (matches!(name, "BASH_ENV" | "ENV" | "PYTHONSTARTUP") || scratch)
                    && value.text.contains('/')
                {
                    let path = self.absolute(&value.text);
                    self.emit_code(CodeSource::File(path), "shell", span);
                }
            }
            "NODE_OPTIONS" | "PERL5OPT" | "RUBYOPT" | "PYTHONINSPECT" | "JAVA_TOOL_OPTIONS"
                if ["require", "-M", "-r", "javaagent", "--import"]
                    .iter()
                    .any(|word| value.text.contains(word)) =>
            {
                self.emit_code(CodeSource::File(value.text.clone()), "unknown", span);
            }
            "PATH" => {
                // A folder in front that others write to makes every program suspect.
                let first = value.text.split(':').next().unwrap_or("");
                let scratch = ["/tmp", "/dev/shm", "/var/tmp"].iter().any(|folder| {
                    first
                        .strip_prefix(folder)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                if scratch || first == "." {
                    self.emit(
                        EffectKind::Unknown {
                            why: "programs would be taken from a folder that anybody can write to"
                                .to_owned(),
                        },
                        span,
                        Certainty::Likely,
                    );
                }
            }
            "NODE_TLS_REJECT_UNAUTHORIZED" if value.text == "0" => self.emit(
                EffectKind::DisableSecurity {
                    what: "tls-verification".to_owned(),
                },
                span,
                Certainty::Proven,
            ),
            "GIT_SSL_NO_VERIFY" | "PYTHONHTTPSVERIFY" => self.emit(
                EffectKind::DisableSecurity {
                    what: "tls-verification".to_owned(),
                },
                span,
                Certainty::Proven,
            ),
            _ if name.starts_with("CMDAI_") => self.own(span),
            _ => {}
        }
        if name.starts_with("BASH_FUNC_")
            && let Some(at) = value.text.find("()")
        {
            let dialect = self.dialect;
            self.shell_code(&value.after(at + 2), dialect, &Stream::Empty, true);
        }
        if name.starts_with("GIT_CONFIG_VALUE_") && value.text.starts_with('!') {
            let dialect = self.dialect;
            self.shell_code(&value.after(1), dialect, &Stream::Empty, true);
        }
    }

    /// What `tar` would run by its options; a blank in one is written with `\`.
    fn tar_options(&mut self, value: &Text) {
        for start in [
            "--checkpoint-action=exec=",
            "--to-command=",
            "--use-compress-program=",
            "--rmt-command=",
            "--rsh-command=",
            "--info-script=",
        ] {
            let Some((_, rest)) = value.text.split_once(start) else {
                continue;
            };
            let mut code = String::new();
            let mut chars = rest.chars();
            while let Some(next) = chars.next() {
                match next {
                    '\\' => code.extend(chars.next()),
                    ' ' => break,
                    next => code.push(next),
                }
            }
            let dialect = self.dialect;
            let code = Text::known(code, value.span);
            self.shell_code(&code, dialect, &Stream::Empty, true);
        }
    }

    fn set(&mut self, call: &Call<'_>) {
        let mut args = call.args.iter();
        while let Some(arg) = args.next() {
            match arg.text.as_str() {
                "--" => {
                    self.env.positional = Some(args.cloned().collect());
                    return;
                }
                "-o" | "+o" => {
                    if let Some(name) = args.next() {
                        let on = arg.text == "-o";
                        match name.text.as_str() {
                            "nounset" => self.env.nounset = on,
                            "history" if !on => self.note_history("HISTFILE", call.span),
                            _ => {}
                        }
                    }
                }
                text if text.starts_with(['-', '+']) => {
                    if text.contains('u') {
                        self.env.nounset = text.starts_with('-');
                    }
                    if text.ends_with('o') {
                        args.next();
                    }
                }
                _ => {
                    let mut all = vec![arg.clone()];
                    all.extend(args.cloned());
                    self.env.positional = Some(all);
                    return;
                }
            }
        }
    }

    fn trap(&mut self, call: &Call<'_>) {
        let mut args = call.args.iter().filter(|arg| arg.text != "--");
        let Some(code) = args.next() else { return };
        let signals: Vec<&str> = args.map(|arg| arg.text.as_str()).collect();
        let reset = code.text == "-" || code.text.is_empty();
        let prints = matches!(code.text.as_str(), "-l" | "-p" | "-P");
        if signals
            .iter()
            .any(|signal| signal.eq_ignore_ascii_case("debug"))
            && !prints
        {
            if reset {
                self.env.before_each = None;
                self.own(call.span);
            } else {
                self.env.before_each = Some(code.clone());
                self.emit(
                    EffectKind::Persistence {
                        mechanism: "debug-trap".to_owned(),
                        path: None,
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
        }
        if !reset && !prints && !signals.is_empty() {
            let dialect = self.dialect;
            self.shell_code(code, dialect, &Stream::Empty, true);
        }
    }

    fn read_variables(&mut self, call: &Call<'_>) {
        let mut names: Vec<&Text> = Vec::new();
        let mut args = call.args.iter();
        let mut array = call.name != "read";
        while let Some(arg) = args.next() {
            match arg.text.as_str() {
                "-p" | "-d" | "-n" | "-N" | "-t" | "-u" | "-i" => {
                    args.next();
                }
                "-a" => array = true,
                text if text.starts_with('-') => {
                    // `-rp TEXT`: the last of joined options takes the next word.
                    if text.ends_with(['p', 'd', 'n', 't', 'u', 'i']) {
                        args.next();
                    }
                    array |= text.ends_with('a');
                }
                _ => names.push(arg),
            }
        }
        let lines: Option<Vec<String>> = match call.stdin {
            Stream::Known(text) => Some(text.lines().map(str::to_owned).take(16).collect()),
            _ => None,
        };
        let taint = call.stdin.taint().cloned().or(Some(Taint::Unknown));
        let Some(lines) = lines else {
            for name in names {
                self.env.set(
                    &name.text,
                    Value {
                        not_empty: true,
                        ..Value::unknown(taint.clone())
                    },
                );
            }
            return;
        };
        let separators = self.separators();
        let split = |line: &str| -> Vec<String> {
            line.split(|next| separators.contains(next))
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        if array {
            let all = if call.name == "read" {
                lines.first().map(|line| split(line)).unwrap_or_default()
            } else {
                lines
            };
            let name = names.first().map_or("MAPFILE", |name| name.text.as_str());
            self.env.set(
                name,
                Value {
                    array: Some(all),
                    ..Value::default()
                },
            );
            return;
        }
        let last = names.len().saturating_sub(1);
        for (index, name) in names.iter().enumerate() {
            let mut alternatives: Vec<String> = Vec::new();
            for line in &lines {
                let words = split(line);
                let value = if last == 0 {
                    line.trim_matches(|next| separators.contains(next))
                        .to_owned()
                } else if index == last {
                    words.get(index..).unwrap_or_default().join(" ")
                } else {
                    words.get(index).cloned().unwrap_or_default()
                };
                if !alternatives.contains(&value) && alternatives.len() < 8 {
                    alternatives.push(value);
                }
            }
            self.env.set(
                &name.text,
                Value {
                    alternatives,
                    ..Value::default()
                },
            );
        }
        if names.is_empty() {
            self.env.set(
                "REPLY",
                lines.first().map_or_else(Value::default, Value::known),
            );
        }
    }

    fn source(&mut self, call: &Call<'_>) -> Stream {
        let Some(file) = call.args.first() else {
            return Stream::Empty;
        };
        let path = self.absolute(&file.text);
        if let Some(Stream::Known(text)) = self.env.file(&path).cloned() {
            let dialect = self.dialect;
            return self.shell_code(&Text::known(text, file.span), dialect, call.stdin, false);
        }
        if matches!(path.as_str(), "/dev/stdin" | "/proc/self/fd/0") || path == "/dev/fd/0" {
            let stream = call.stdin.clone();
            return self.code_from_stream(&stream, "shell", Some(self.dialect), call.span);
        }
        self.script_file(file, "shell", Some(self.dialect), call.span)
    }

    fn exec(&mut self, call: &Call<'_>) -> Stream {
        let mut at = 0;
        while let Some(arg) = call.args.get(at) {
            match arg.text.as_str() {
                "-a" => at += 2,
                "--" => {
                    at += 1;
                    break;
                }
                "-c" | "-l" | "-cl" | "-lc" => at += 1,
                _ => break,
            }
        }
        match call.args.get(at..) {
            Some(rest) if !rest.is_empty() => self.call(rest, Vec::new(), call.stdin, call.span),
            _ => Stream::Empty,
        }
    }
}
