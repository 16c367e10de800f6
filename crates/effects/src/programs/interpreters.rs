//! Interpreters: code on the command line, in a file, from standard input.

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    pub(crate) fn interpreter(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let language = match parsed.program.name {
            "node" => "javascript",
            name => match call.name {
                "java" | "groovy" | "scala" | "kotlin" => "java",
                "Rscript" | "R" => "r",
                "lua" | "luajit" => "lua",
                _ if name == "lua" => "other",
                _ => name,
            },
        };
        if parsed.has("check") {
            return Stream::Empty;
        }
        let codes: Vec<Text> = parsed.values("code").cloned().collect();
        if !codes.is_empty() {
            for code in &codes {
                self.inline_code(language, code);
            }
            if parsed.has("in-place") {
                for file in parsed.rest().cloned().collect::<Vec<_>>() {
                    self.write_path(&file, true, call.span);
                }
            } else if matches!(language, "perl" | "ruby") {
                for file in parsed.rest().cloned().collect::<Vec<_>>() {
                    self.read_path(&file, file.span);
                }
            }
            return Stream::UNKNOWN;
        }
        if let Some(module) = parsed.value("module").cloned() {
            return self.python_module(call, parsed, &module);
        }
        if let Some(file) = parsed
            .value("jar")
            .or_else(|| parsed.value("file"))
            .cloned()
        {
            if call.name == "java" {
                // A client behind a jar still says what it does: `delete-job`.
                self.unfamiliar(call);
            }
            return self.script_file(&file, language, None, call.span);
        }
        match parsed.nth(1) {
            Some(file)
                if file.text != "-"
                    && !matches!(file.text.as_str(), "/dev/stdin" | "/dev/fd/0") =>
            {
                // `python manage.py flush`: the framework's own program, whose words say what it does.
                let name = crate::paths::base_name(&file.text);
                if matches!(
                    name,
                    "manage.py" | "artisan" | "rails" | "spark" | "console"
                ) && self.env.file(&self.absolute(&file.text)).is_none()
                {
                    let name = if name == "console" { "symfony" } else { name };
                    let mut words = vec![Text::known(name, file.span)];
                    let at = parsed.operands.first().map_or(0, |(at, _)| at + 1);
                    words.extend(call.args.get(at..).unwrap_or_default().iter().cloned());
                    return self.call(&words, Vec::new(), call.stdin, call.span);
                }
                self.script_file(file, language, None, call.span)
            }
            _ => {
                let stream = call.stdin.clone();
                self.code_from_stream(&stream, language, None, call.span)
            }
        }
    }

    /// `python -m MODULE …`: the options after the module are the module's own.
    fn python_module(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, module: &Text) -> Stream {
        use cmdai_schema::{Certainty, EffectKind};
        let at = call
            .args
            .iter()
            .position(|arg| arg.text == "-m")
            .map_or(0, |at| at + 2);
        let rest = call.args.get(at..).unwrap_or_default();
        let _ = parsed;
        match module.text.as_str() {
            "pip" | "pipx" | "uv" | "poetry" | "ansible" => {
                let mut words = vec![module.clone()];
                words.extend(rest.iter().cloned());
                let before = self.chain.len();
                let printed = self.call(&words, Vec::new(), call.stdin, call.span);
                self.chain.truncate(before);
                return printed;
            }
            "http.server" | "SimpleHTTPServer" => {
                let port = rest
                    .iter()
                    .find(|arg| arg.text.bytes().all(|byte| byte.is_ascii_digit()))
                    .map_or("8000", |port| port.text.as_str());
                self.emit(
                    EffectKind::Listen {
                        address: port.to_owned(),
                    },
                    call.span,
                    Certainty::Proven,
                );
            }
            _ => {}
        }
        Stream::UNKNOWN
    }
}
