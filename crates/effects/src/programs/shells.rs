//! Shells and what hands code to them.

use cmdai_schema::{CodeSource, Dialect};

use crate::{
    analyser::Analyser,
    call::Call,
    knowledge::WrapKind,
    options::Parsed,
    state::Value,
    value::{Stream, Taint, Text},
};

impl Analyser<'_> {
    /// `bash -c`, `bash FILE`, `… | bash`.
    pub(crate) fn shell(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let dialect = Dialect::from_name(call.name).unwrap_or(Dialect::Sh);
        if parsed.has("no-exec") && !parsed.has("command") {
            return Stream::Empty;
        }
        for file in parsed.values("rc").cloned().collect::<Vec<_>>() {
            self.script_file(&file, "shell", Some(dialect), file.span);
        }
        if parsed.has("command") {
            // The code is the first operand, wherever the option stood among the others.
            let Some(code) = parsed.nth(1) else {
                return Stream::Empty;
            };
            let args: Vec<_> = parsed.rest().skip(2).cloned().collect();
            let outer = self.env.positional.replace(args);
            let before = self.env.get("0").cloned();
            if let Some(name) = parsed.nth(2) {
                let value = if name.known {
                    Value::known(name.text.clone())
                } else {
                    Value::unknown(name.taint.clone())
                };
                self.env.set("0", value);
            }
            let printed = self.shell_code(code, dialect, call.stdin, true);
            self.env.positional = outer;
            match before {
                Some(value) => self.env.set("0", value),
                None => self.env.vars.retain(|(known, _)| known != "0"),
            }
            return printed;
        }
        if let (true, Stream::Tainted(Taint::Remote(address))) =
            (parsed.has("i") || parsed.operands.is_empty(), call.stdin)
            && address.contains("://")
            && (address.starts_with("tcp:") || address.starts_with("udp:"))
        {
            // An interactive shell whose input is a connection.
            self.emit_code(CodeSource::Remote(address.clone()), "shell", call.span);
            return Stream::UNKNOWN;
        }
        match parsed.nth(1) {
            Some(file)
                if !parsed.has("stdin")
                    && file.text != "-"
                    && !matches!(
                        file.text.as_str(),
                        "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0"
                    ) =>
            {
                let args: Vec<_> = parsed.rest().skip(1).cloned().collect();
                let outer = self.env.positional.replace(args);
                let printed = self.script_file(file, "shell", Some(dialect), call.span);
                self.env.positional = outer;
                printed
            }
            _ => {
                let args: Vec<_> = parsed.rest().cloned().collect();
                let outer = self.env.positional.replace(args);
                let stream = call.stdin.clone();
                let printed = self.code_from_stream(&stream, "shell", Some(dialect), call.span);
                self.env.positional = outer;
                printed
            }
        }
    }

    /// Shells of other languages.
    pub(crate) fn foreign_shell(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let dialect = Dialect::from_name(call.name).unwrap_or(Dialect::Sh);
        if let Some(code) = parsed.value("code").cloned() {
            // PowerShell takes all that follows as code.
            let code = if dialect == Dialect::Powershell {
                let mut all = vec![&code];
                all.extend(parsed.rest());
                crate::call::joined(&all, call.span)
            } else {
                code
            };
            return self.shell_code(&code, dialect, call.stdin, true);
        }
        match parsed.nth(1) {
            Some(file) if file.text != "-" => {
                self.script_file(file, "shell", Some(dialect), call.span)
            }
            _ => {
                let stream = call.stdin.clone();
                self.code_from_stream(&stream, "shell", Some(dialect), call.span)
            }
        }
    }

    /// `su -c CODE`, and programs like it.
    pub(crate) fn su(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(code) = parsed.value("command").cloned() {
            return self.shell_code(&code, Dialect::Sh, call.stdin, true);
        }
        if parsed.has("user") && !parsed.operands.is_empty() {
            return self.wrapped(call, parsed, WrapKind::Argv, 0, false);
        }
        // What follows the person goes to the shell: `su root -- -c CODE`.
        if let Some(at) = parsed
            .operands
            .iter()
            .position(|(_, text)| text.text == "-c")
            && let Some((_, code)) = parsed.operands.get(at + 1)
        {
            return self.shell_code(&(*code).clone(), Dialect::Sh, call.stdin, true);
        }
        let stream = call.stdin.clone();
        self.code_from_stream(&stream, "shell", Some(Dialect::Sh), call.span)
    }

    /// `sudo PROGRAM`, `sudo -s`, `sudo -e FILE`.
    pub(crate) fn sudo(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("list") {
            return Stream::UNKNOWN;
        }
        if parsed.has("edit") {
            for file in parsed.rest().cloned().collect::<Vec<_>>() {
                self.write_path(&file, true, call.span);
            }
            return Stream::Empty;
        }
        let skip = usize::from(matches!(
            call.name,
            "gosu" | "su-exec" | "setuidgid" | "s6-setuidgid" | "s6-applyuidgid"
        ));
        if parsed.operands.len() <= skip {
            if parsed.has("shell") || parsed.has("login") {
                let stream = call.stdin.clone();
                return self.code_from_stream(&stream, "shell", Some(Dialect::Sh), call.span);
            }
            return Stream::Empty;
        }
        let kind = if parsed.has("shell") || parsed.has("login") {
            WrapKind::Shell
        } else {
            WrapKind::Argv
        };
        let printed = self.wrapped(call, parsed, kind, skip, kind == WrapKind::Argv);
        // `sudo -n true` asks whether it may: how it ends, nobody can tell.
        self.status = crate::analyser::Status::Unknown;
        printed
    }

    /// `crontab FILE`, `… | crontab -`, `crontab -r`.
    pub(crate) fn crontab(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        use cmdai_schema::{Certainty, EffectKind};
        if parsed.has("list") {
            return Stream::UNKNOWN;
        }
        let user = parsed
            .value("user")
            .map_or_else(|| self.context.user.to_owned(), |user| user.text.clone());
        if parsed.has("remove") {
            let path = Text::known(format!("/var/spool/cron/crontabs/{user}"), call.span);
            self.emit(
                EffectKind::Delete {
                    path: path.text,
                    recursive: false,
                    force: false,
                },
                call.span,
                Certainty::Proven,
            );
        }
        self.emit(
            EffectKind::Persistence {
                mechanism: "cron".to_owned(),
                path: None,
            },
            call.span,
            Certainty::Proven,
        );
        let content = match parsed.nth(1) {
            Some(file) if file.text != "-" && !file.text.starts_with("/dev/fd/") => {
                self.read_file(file, call.span)
            }
            Some(file) if file.text.starts_with("/dev/fd/") => self.read_file(file, call.span),
            _ => call.stdin.clone(),
        };
        if let Stream::Known(text) = content {
            for line in text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'))
                .take(64)
            {
                let fields = if line.trim_start().starts_with('@') {
                    1
                } else {
                    5
                };
                let mut rest = line.trim_start();
                for _ in 0..fields {
                    rest = rest
                        .split_once(char::is_whitespace)
                        .map_or("", |(_, rest)| rest.trim_start());
                }
                if !rest.is_empty() {
                    self.shell_code(
                        &Text::known(rest, call.span),
                        Dialect::Sh,
                        &Stream::Empty,
                        true,
                    );
                }
            }
        }
        Stream::Empty
    }

    /// `echo CODE | at TIME`.
    pub(crate) fn at(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        use cmdai_schema::{Certainty, EffectKind};
        if parsed.has("list") {
            return Stream::Empty;
        }
        self.emit(
            EffectKind::Persistence {
                mechanism: "at".to_owned(),
                path: None,
            },
            call.span,
            Certainty::Proven,
        );
        match parsed.value("file").cloned() {
            Some(file) => self.script_file(&file, "shell", Some(Dialect::Sh), call.span),
            None => {
                let stream = call.stdin.clone();
                self.code_from_stream(&stream, "shell", Some(Dialect::Sh), call.span)
            }
        };
        Stream::Empty
    }
}
