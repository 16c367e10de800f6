//! Editors and debuggers: programs whose scripts can run others.

use cmdai_schema::{CodeSource, Dialect};

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    script::Start,
    value::{Stream, Text},
};

impl Analyser<'_> {
    /// `vim -c ':!…'`, `emacs --eval`, `ed` with a script.
    pub(crate) fn editor(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let mut commands: Vec<Text> = parsed
            .values("command")
            .chain(parsed.values("cmd"))
            .cloned()
            .collect();
        commands.extend(
            parsed
                .operands
                .iter()
                .filter(|(_, text)| text.text.starts_with('+'))
                .map(|(_, text)| text.after(1)),
        );
        if matches!(call.name, "ed" | "ex" | "vi" | "vim")
            && let Stream::Known(text) = call.stdin
        {
            commands.extend(
                text.lines()
                    .take(64)
                    .map(|line| Text::known(line, call.span)),
            );
        }
        for command in &commands {
            let trimmed = command.text.trim_start_matches([':', ' ', '%']);
            let lead = command.text.len() - trimmed.len();
            let code = trimmed
                .strip_prefix('!')
                .or_else(|| trimmed.strip_prefix("silent !"))
                .or_else(|| trimmed.strip_prefix("sil !"))
                .or_else(|| trimmed.strip_prefix("r !"))
                .or_else(|| trimmed.strip_prefix("w !"));
            if let Some(code) = code {
                let skip = lead + trimmed.len() - code.len();
                self.shell_code(&command.after(skip), Dialect::Sh, &Stream::Empty, true);
            } else if trimmed.contains("system(")
                || trimmed.starts_with("lua ")
                || trimmed.starts_with("py")
                || trimmed.starts_with("terminal ")
                || trimmed.starts_with("term ")
            {
                self.inline_code("vim", command, Start::EMPTY);
            } else if let Some(path) = trimmed
                .strip_prefix("w ")
                .or_else(|| trimmed.strip_prefix("w! "))
            {
                self.write_path(&Text::known(path.trim(), command.span), false, call.span);
            } else if let Some(path) = trimmed
                .strip_prefix("source ")
                .or_else(|| trimmed.strip_prefix("so "))
            {
                let path = self.absolute(path.trim());
                self.emit_code(CodeSource::File(path), "vim", command.span);
            }
        }
        for code in parsed.values("eval").cloned().collect::<Vec<_>>() {
            self.inline_code("lisp", &code, Start::EMPTY);
        }
        for file in parsed.values("script").cloned().collect::<Vec<_>>() {
            self.script_file(&file, "vim", None, file.span);
        }
        for file in parsed
            .rest()
            .filter(|text| !text.text.starts_with('+'))
            .cloned()
            .collect::<Vec<_>>()
        {
            let path = self.absolute(&file.text);
            if crate::paths::is_secret(&path, &self.home()) {
                self.read_path(&file, file.span);
            }
        }
        Stream::Empty
    }

    pub(crate) fn debugger(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        for command in parsed.values("command").cloned().collect::<Vec<_>>() {
            let text = command.text.trim_start();
            let lead = command.text.len() - text.len();
            if let Some(rest) = text
                .strip_prefix('!')
                .or_else(|| text.strip_prefix("shell "))
                .or_else(|| text.strip_prefix("platform shell "))
            {
                let skip = lead + text.len() - rest.len();
                self.shell_code(&command.after(skip), Dialect::Sh, &Stream::Empty, true);
            } else if let Some(code) = text
                .strip_prefix("python-interactive ")
                .or_else(|| text.strip_prefix("python "))
                .or_else(|| text.strip_prefix("script "))
            {
                let skip = lead + text.len() - code.len();
                self.inline_code("python", &command.after(skip), Start::EMPTY);
            } else if text.starts_with("call ") || text.starts_with("expr") {
                self.inline_code("c", &command, Start::EMPTY);
            }
        }
        for file in parsed.values("script").cloned().collect::<Vec<_>>() {
            self.script_file(&file, "gdb", None, file.span);
        }
        let _ = call;
        Stream::UNKNOWN
    }
}
