//! `sed`, `awk` and editors: programs whose scripts can run others.

use cmdai_schema::{CodeSource, Dialect};

use crate::{
    analyser::Analyser,
    call::{Call, through},
    options::Parsed,
    script::Start,
    value::{Stream, Text},
};

impl Analyser<'_> {
    pub(crate) fn sed(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let mut scripts: Vec<Text> = parsed.values("expression").cloned().collect();
        let mut skip = 0;
        if scripts.is_empty() && !parsed.has("file") {
            scripts.extend(parsed.nth(1).cloned());
            skip = 1;
        }
        for script in &scripts {
            self.sed_script(script, call);
        }
        let in_place = parsed.has("in-place");
        for file in parsed.rest().skip(skip).cloned().collect::<Vec<_>>() {
            // BSD's `-i ''`
            if file.text.is_empty() {
                continue;
            }
            if in_place {
                self.write_path(&file, true, call.span);
            } else {
                self.read_path(&file, file.span);
            }
        }
        if in_place {
            Stream::Empty
        } else {
            self.printed_by(call, parsed)
        }
    }

    /// Commands `e` and `w` of a script, and the flags of `s`.
    fn sed_script(&mut self, script: &Text, call: &Call<'_>) {
        let mut chars = script.text.char_indices().peekable();
        let mut start = true;
        while let Some((at, next)) = chars.next() {
            match next {
                ';' | '\n' | '{' | '}' => start = true,
                ' ' | '\t' | '0'..='9' | '$' | ',' | '!' | '~' | '+' if start => {}
                '/' if start => {
                    // An address.
                    skip_to(&mut chars, '/');
                }
                's' | 'y' if start => {
                    let Some((_, delimiter)) = chars.next() else {
                        return;
                    };
                    skip_to(&mut chars, delimiter);
                    let from = chars.peek().map_or(script.text.len(), |(at, _)| *at);
                    skip_to(&mut chars, delimiter);
                    let to = chars.peek().map_or(script.text.len(), |(at, _)| *at);
                    let mut flags = String::new();
                    while let Some((_, flag)) = chars.peek().copied() {
                        if flag == 'w' {
                            chars.next();
                            let rest: String = chars
                                .by_ref()
                                .take_while(|(_, next)| *next != '\n')
                                .map(|(_, next)| next)
                                .collect();
                            self.write_path(
                                &Text::known(rest.trim(), script.span),
                                false,
                                call.span,
                            );
                            return;
                        }
                        if !flag.is_ascii_alphanumeric() {
                            break;
                        }
                        flags.push(flag);
                        chars.next();
                    }
                    if next == 's' && flags.contains('e') {
                        let replacement = script.text.get(from..to.saturating_sub(1)).unwrap_or("");
                        self.shell_code(
                            &Text::known(replacement, script.span),
                            Dialect::Sh,
                            &Stream::Empty,
                            true,
                        );
                    }
                    start = false;
                }
                'e' if start => {
                    let rest = script.text.get(at + 1..).unwrap_or("");
                    let code = rest.split('\n').next().unwrap_or("").trim();
                    if code.is_empty() {
                        self.emit_code(CodeSource::Unknown, "shell", script.span);
                    } else {
                        self.shell_code(
                            &Text::known(code, script.span),
                            Dialect::Sh,
                            &Stream::Empty,
                            true,
                        );
                    }
                    return;
                }
                'w' | 'W' if start => {
                    let rest = script
                        .text
                        .get(at + 1..)
                        .unwrap_or("")
                        .split('\n')
                        .next()
                        .unwrap_or("")
                        .trim()
                        .to_owned();
                    if !rest.is_empty() {
                        self.write_path(&Text::known(rest, script.span), false, call.span);
                    }
                    return;
                }
                'r' if start => {
                    let rest = script
                        .text
                        .get(at + 1..)
                        .unwrap_or("")
                        .split('\n')
                        .next()
                        .unwrap_or("")
                        .trim()
                        .to_owned();
                    if !rest.is_empty() {
                        self.read_path(&Text::known(rest, script.span), call.span);
                    }
                    return;
                }
                'a' | 'i' | 'c' if start => {
                    // Text up to the end of the line.
                    for (_, next) in chars.by_ref() {
                        if next == '\n' {
                            break;
                        }
                    }
                    start = true;
                }
                _ => start = false,
            }
        }
    }

    pub(crate) fn awk(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let (code, skip) = match parsed.value("source").cloned() {
            Some(code) => (Some(code), 0),
            None if parsed.has("file") => (None, 0),
            None => (parsed.nth(1).cloned(), 1),
        };
        for file in parsed.values("file").cloned().collect::<Vec<_>>() {
            let path = self.absolute(&file.text);
            match self.env.file(&path).cloned() {
                Some(Stream::Known(text)) => self.inline_awk(&Text::known(text, file.span)),
                _ => self.emit_code(CodeSource::File(path), "awk", file.span),
            }
        }
        if let Some(code) = &code {
            self.inline_awk(code);
        }
        let mut secret = None;
        for file in parsed.rest().skip(skip).cloned().collect::<Vec<_>>() {
            if file.text.contains('=') && !file.text.contains('/') {
                continue;
            }
            if self.read_path(&file, file.span) {
                secret = Some(self.absolute(&file.text));
            }
        }
        match secret {
            Some(path) => Stream::Tainted(crate::value::Taint::Secret(path)),
            None => through(call.stdin),
        }
    }

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

fn skip_to(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>, delimiter: char) {
    while let Some((_, next)) = chars.next() {
        if next == '\\' {
            chars.next();
        } else if next == delimiter {
            break;
        }
    }
}
