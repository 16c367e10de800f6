//! Interpreters: code on the command line, in a file, from standard input.

use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    script::Start,
    value::{Stream, Text},
};

impl Analyser<'_> {
    pub(crate) fn interpreter(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let language = match parsed.program.name.text() {
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
        if call.name == "java" {
            for arg in call.args {
                let agent = ["-javaagent:", "-agentpath:"]
                    .iter()
                    .find(|start| arg.text.starts_with(**start));
                if let Some(start) = agent {
                    let file = arg.after(start.len());
                    let end = file.text.find('=').unwrap_or(file.text.len());
                    let file = Text {
                        text: file.text.get(..end).unwrap_or("").to_owned(),
                        ..file
                    };
                    self.script_file(&file, "java", None, file.span);
                }
            }
        }
        let codes: Vec<Text> = parsed.values("code").cloned().collect();
        if let Some(code) = one_code(&codes) {
            return self.given_code(call, parsed, language, &code);
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

    /// Code as an argument, and the words after it.
    fn given_code(
        &mut self,
        call: &Call<'_>,
        parsed: &Parsed<'_>,
        language: &str,
        code: &Text,
    ) -> Stream {
        let files: Vec<Text> = parsed.rest().cloned().collect();
        let requires = |name: &str| parsed.values("require").any(|module| module.text == name);
        if language == "ruby"
            && requires("un")
            && matches!(
                code.text.trim(),
                "cp" | "ln"
                    | "mv"
                    | "rm"
                    | "rm_rf"
                    | "mkdir"
                    | "rmdir"
                    | "install"
                    | "chmod"
                    | "touch"
            )
        {
            // `ruby -run -e rm -- -rf PATH`: the programs of the same names.
            let program = code.text.trim();
            let mut words = match program {
                "rm_rf" => vec![Text::known("rm", code.span), Text::known("-rf", code.span)],
                _ => vec![Text::known(program, code.span)],
            };
            words.extend(files);
            return self.call(&words, Vec::new(), call.stdin, call.span);
        }
        let lines = matches!(language, "perl" | "ruby") && (parsed.has("n") || parsed.has("p"));
        // Everything after Python's code is its own.
        let own = (language == "python")
            .then(|| {
                let at = call.args.iter().position(|arg| arg.text == code.text)?;
                Some(call.args.get(at + 1..).unwrap_or_default())
            })
            .flatten();
        if parsed.has("in-place") {
            let empties = matches!(
                code.text.trim().trim_end_matches(';'),
                "s/.*//"
                    | "s/.+//"
                    | "s/^.*$//"
                    | "s/.*//s"
                    | "s/.*//g"
                    | "$_=''"
                    | "$_ = ''"
                    | "$_=\"\""
                    | "$_=undef"
            );
            for file in &files {
                self.write_path(file, !empties, call.span);
            }
        } else if lines {
            for file in &files {
                self.read_path(file, file.span);
            }
        }
        let printed = self.inline_code(
            language,
            code,
            Start {
                args: own.unwrap_or(&files),
                stdin: call.stdin,
            },
        );
        if lines { Stream::UNKNOWN } else { printed }
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
        self.loads(&module.text, rest, call.span);
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
                let folder = rest
                    .iter()
                    .position(|arg| matches!(arg.text.as_str(), "-d" | "--directory"))
                    .and_then(|at| rest.get(at + 1).cloned())
                    .or_else(|| {
                        let given = rest
                            .iter()
                            .find(|arg| arg.text.starts_with("--directory="))?;
                        Some(given.after("--directory=".len()))
                    })
                    .unwrap_or_else(|| Text::known(self.env.cwd.clone(), call.span));
                self.serves(&folder, call.span);
            }
            "pty" => {
                let shell = match rest {
                    [] => vec![Text::known("/bin/sh", call.span)],
                    words => words.to_vec(),
                };
                return self.call(&shell, Vec::new(), call.stdin, call.span);
            }
            "timeit" => {
                for code in rest.iter().filter(|arg| !arg.text.starts_with('-')) {
                    self.inline_code("python", code, Start::EMPTY);
                }
            }
            "cProfile" | "profile" | "pdb" | "trace" | "runpy" | "coverage" => {
                let script = rest
                    .iter()
                    .find(|arg| !arg.text.starts_with('-') && arg.text.ends_with(".py"));
                if let Some(script) = script {
                    return self.script_file(script, "python", None, call.span);
                }
            }
            _ => {}
        }
        Stream::UNKNOWN
    }
}

/// Several pieces of code are lines of one.
fn one_code(codes: &[Text]) -> Option<Text> {
    let (first, more) = codes.split_first()?;
    let mut whole = first.clone();
    for next in more {
        whole.text.push('\n');
        whole.text.push_str(&next.text);
        whole.known &= next.known;
        whole.taint = whole.taint.or_else(|| next.taint.clone());
        whole.offset = None;
    }
    Some(whole)
}
