//! What the shell itself does: working directory, variables, functions, traps, history.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::{Analyser, Flow, Status},
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
            "cd" | "pushd" | "chdir" => self.change_directory(call.name, args),
            "popd" => self.pop_directory(),
            "export" | "declare" | "typeset" | "local" | "readonly" => {
                self.status = Status::Seen(true);
                return Some(self.declare(call));
            }
            ":" | "true" => self.status = self.said(true),
            "false" => self.status = self.said(false),
            "[" | "test" => {
                self.status = self.single_brackets(args, call.name == "[");
                return None;
            }
            // `ln -s / x` makes another name for the root.
            "ln" => {
                self.note_link(args);
                return None;
            }
            "exit" | "logout" => self.flow = Flow::Exit,
            "return" if !self.calls.is_empty() || self.sourced > 0 => self.flow = Flow::Return,
            "break" if self.loops > 0 => self.flow = Flow::Break,
            "continue" if self.loops > 0 => self.flow = Flow::Continue,
            "getopts" => self.next_option(args),
            "hash" => {
                if let Some(at) = args.iter().position(|arg| arg.text == "-p")
                    && let Some(file) = args.get(at + 1)
                {
                    let path = self.absolute(&file.text);
                    self.emit_code(CodeSource::File(path), "injected", call.span);
                }
            }
            "unset" => {
                for arg in args {
                    self.hidden_subscript(arg);
                }
                self.unset(call);
            }
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
                // zsh: `alias -s ENDING=PROGRAM` opens files of that ending.
                let ending = args.iter().any(|arg| arg.text == "-s");
                for arg in args.iter().filter(|arg| arg.known) {
                    if let Some((name, value)) = arg.text.split_once('=') {
                        self.hidden_by_alias(name, &arg.after(name.len() + 1), ending);
                        if !ending {
                            self.env.aliases.retain(|(known, _)| known != name);
                            // What it hides nothing of does nothing until somebody calls it.
                            self.env.aliases.push((name.to_owned(), value.to_owned()));
                        }
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
            "set" if args.is_empty() => {
                return Some(Stream::Tainted(Taint::Secret("environment".to_owned())));
            }
            "set" => self.set(call),
            "shift" => {
                let count = args
                    .first()
                    .and_then(|arg| arg.text.parse::<usize>().ok())
                    .unwrap_or(1);
                if let Some(positional) = &mut self.env.positional
                    && count <= positional.len()
                {
                    positional.drain(..count);
                }
            }
            "read" | "readarray" | "mapfile" => self.read_variables(call),
            "printf" if args.first().is_some_and(|arg| arg.text == "-v") => {
                if let (Some(name), Some(rest)) = (args.get(1), args.get(2..)) {
                    self.hidden_subscript(name);
                    let text = match crate::format::printf(rest) {
                        Stream::Known(text) => Text::known(text, call.span),
                        Stream::Partial(text) => *text,
                        other => Text {
                            taint: other.taint().cloned(),
                            ..Text::default()
                        },
                    };
                    match name.text.split_once('[') {
                        Some((array, index)) => {
                            let index = index.trim_end_matches(']').to_owned();
                            self.assign_element(array, &index, text, false, call.span);
                        }
                        None => self.env.set(&name.text, Value::text(text)),
                    }
                }
            }
            "let" => {
                let mut last = None;
                for arg in args {
                    last = self.calculate(arg);
                }
                self.status = last.map_or(Status::Unknown, |value| Status::Seen(value != 0));
            }
            "add-zsh-hook" => {
                if let [.., hook, function] = args
                    && !hook.text.starts_with('-')
                {
                    let name = format!("{}_functions", hook.text);
                    let mut held = self.env.get(&name).map(Value::texts).unwrap_or_default();
                    held.push(function.clone());
                    let held: Vec<String> = held.into_iter().map(|text| text.text).collect();
                    self.env.set(&name, Value::known(held.join(" ")));
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
                    Stream::of(Text {
                        text: format!("/usr/bin/{}\n", name.text),
                        ..name.clone()
                    })
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
                if args.iter().any(|arg| arg.text == "lastpipe") {
                    self.env.lastpipe = args.iter().any(|arg| arg.text == "-s");
                }
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
            "ulimit" | "umask" | "wait" | "jobs" | "fg" | "bg" | "disown" | "dirs" | "type"
            | "times" | "return" | "break" | "continue" | "setopt" | "unsetopt" | "autoload"
            | "compdef" | "zstyle" | "suspend" | "caller" | "help" => {}
            _ => return None,
        }
        Some(Stream::Empty)
    }

    /// The text says how it ends. In fish every way is looked at all the same.
    fn said(&self, success: bool) -> Status {
        if self.dialect == Dialect::Fish {
            Status::Seen(success)
        } else {
            Status::Said(success)
        }
    }

    fn unset(&mut self, call: &Call<'_>) {
        for arg in call.args {
            if matches!(arg.text.as_str(), "-f" | "-v" | "-n") {
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
            if let Some((name, index)) = arg.text.split_once('[') {
                let index = index.trim_end_matches(']');
                if let Some(array) = self.env.get(name).and_then(|value| value.array.clone()) {
                    let mut array = crate::state::Array::clone(&array);
                    match self.subscript(index, array.named, arg.span, array.next_index()) {
                        Some(key) => array.items.retain(|(known, _)| *known != key),
                        None => continue,
                    }
                    self.env.set(name, Value::elements(array));
                }
                continue;
            }
            self.env.functions.retain(|(known, _)| *known != arg.text);
            if call.args.first().is_none_or(|first| first.text != "-f") {
                let name = arg.text.clone();
                if let Some((_, slot)) = self.env.vars.iter_mut().find(|(known, _)| *known == name)
                {
                    *slot = Value::default();
                } else {
                    self.env.set(&name, Value::default());
                }
            }
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
        if reset || prints || signals.is_empty() {
            return;
        }
        let now = signals.iter().any(|signal| {
            let name = signal.to_ascii_uppercase();
            matches!(
                name.trim_start_matches("SIG"),
                "DEBUG" | "ERR" | "RETURN" | "ZERR"
            )
        });
        if now || !code.known || self.at_exit.len() >= 8 {
            let dialect = self.dialect;
            self.shell_code(code, dialect, &Stream::Empty, true);
        } else {
            // It sees what the variables hold in the end.
            self.at_exit.push((code.clone(), self.chain.clone()));
        }
    }

    fn source(&mut self, call: &Call<'_>) -> Stream {
        let Some(file) = call.args.first() else {
            return Stream::Empty;
        };
        let path = self.absolute(&file.text);
        if let Some(Stream::Known(text)) = self.env.file(&path).cloned() {
            let dialect = self.dialect;
            self.sourced += 1;
            let args: Vec<Text> = call.args.get(1..).unwrap_or_default().to_vec();
            let outer = (!args.is_empty()).then(|| self.env.positional.replace(args));
            let code = Text::known(text, file.span);
            let printed = self.shell_code(&code, dialect, call.stdin, false);
            if let Some(outer) = outer {
                self.env.positional = outer;
            }
            self.sourced -= 1;
            if self.flow == Flow::Return {
                self.flow = Flow::On;
            }
            return printed;
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
            Some(rest) if !rest.is_empty() => {
                let printed = self.call(rest, Vec::new(), call.stdin, call.span);
                self.flow = Flow::Exit;
                printed
            }
            _ => Stream::Empty,
        }
    }
}
