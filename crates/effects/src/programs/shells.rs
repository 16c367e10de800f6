//! Shells and what hands code to them.

use cmdai_schema::Dialect;

use crate::{analyser::Analyser, call::Call, knowledge::WrapKind, options::Parsed, value::Stream};

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
            let Some(code) = parsed.nth(1) else { return Stream::Empty };
            let args: Vec<_> = parsed.rest().skip(2).cloned().collect();
            let outer = self.env.positional.replace(args);
            let printed = self.shell_code(code, dialect, call.stdin, true);
            self.env.positional = outer;
            return printed;
        }
        match parsed.nth(1) {
            Some(file) if !parsed.has("stdin") && file.text != "-" && !matches!(file.text.as_str(), "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0") => {
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

    /// `su -c CODE`, and programs like it.
    pub(crate) fn su(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match parsed.value("command").cloned() {
            Some(code) => self.shell_code(&code, Dialect::Sh, call.stdin, true),
            None => {
                let stream = call.stdin.clone();
                self.code_from_stream(&stream, "shell", Some(Dialect::Sh), call.span)
            }
        }
    }
}

impl Analyser<'_> {
    /// `sudo PROGRAM`, `sudo -s`, `sudo -e FILE`.
    pub(crate) fn sudo(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("edit") {
            for file in parsed.rest().cloned().collect::<Vec<_>>() {
                self.write_path(&file, true, call.span);
            }
            return Stream::Empty;
        }
        if parsed.operands.is_empty() {
            if parsed.has("shell") || parsed.has("login") {
                let stream = call.stdin.clone();
                return self.code_from_stream(&stream, "shell", Some(Dialect::Sh), call.span);
            }
            return Stream::Empty;
        }
        self.wrapped(call, parsed, WrapKind::Argv, 0, true)
    }
}
