//! Cmdlets that need more than the tables can say, and the programs `powershell` and `cmd`.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use super::{joined, methods, stream, taint_of, values};
use crate::{
    analyser::Analyser,
    call::Call,
    knowledge::Program,
    options::Parsed,
    paths,
    value::{Map, Stream, Taint, Text},
};

impl Analyser<'_> {
    /// Runs a cmdlet.
    pub(crate) fn cmdlet(&mut self, call: &Call<'_>, program: &'static Program) -> Stream {
        let mut parsed = self.ps_parse(program, call.args, call.stdin, call.span);
        if parsed.has("whatif") || parsed.operands.iter().any(|(_, text)| text.text == "-?") {
            return Stream::UNKNOWN;
        }
        if !program.rules.is_empty() {
            self.apply_rules(&mut parsed, call.span);
        }
        match program.handler.text() {
            "ps-invoke-expression" => self.ps_invoke_expression(call, &parsed),
            "ps-each" => self.ps_each(call, &parsed),
            "ps-filter" => {
                for block in blocks(call.args) {
                    self.ps_run(&block, Vec::new(), &Stream::Empty);
                }
                call.stdin.clone()
            }
            "ps-pass" => call.stdin.clone(),
            "ps-output" => {
                let all: Vec<Text> = parsed
                    .operands
                    .iter()
                    .map(|(_, text)| (*text).clone())
                    .collect();
                if all.is_empty() {
                    call.stdin.clone()
                } else {
                    stream(&all)
                }
            }
            "ps-silent" => Stream::Empty,
            "ps-content" => self.ps_content(call, &parsed),
            "ps-path" => self.ps_path(call, &parsed),
            "ps-join-path" => {
                let all: Vec<Text> = parsed
                    .operands
                    .iter()
                    .map(|(_, text)| methods::slashed(text))
                    .collect();
                let mut all: Vec<Text> = all
                    .into_iter()
                    .chain(
                        ["path", "childpath"]
                            .iter()
                            .filter(|_| parsed.operands.is_empty())
                            .flat_map(|name| {
                                parsed
                                    .values(name)
                                    .map(methods::slashed)
                                    .collect::<Vec<_>>()
                            }),
                    )
                    .collect();
                for text in all.iter_mut().skip(1) {
                    text.text = text.text.trim_start_matches('/').to_owned();
                }
                stream_of(joined(&all, "/", call.span))
            }
            "ps-split-path" => {
                let path = parsed.value("path").cloned().unwrap_or_default();
                let path = methods::slashed(&path);
                let text = if parsed.has("leaf") {
                    paths::base_name(&path.text)
                } else {
                    paths::dir_name(&path.text)
                };
                stream_of(Text {
                    text: text.to_owned(),
                    ..path.clone()
                })
            }
            "ps-write" => self.ps_write(call, &parsed),
            "ps-web" => self.ps_web(call, &parsed),
            "ps-start" => self.ps_start(call, &parsed),
            "ps-command" => self.ps_invoke_command(call, &parsed),
            "ps-object" => self.ps_new_object(call, &parsed),
            "ps-location" => {
                if let Some(path) = parsed.value("path").cloned() {
                    self.env.cwd = self.absolute(&path.text);
                    self.env.cwd_known = path.known;
                }
                Stream::Empty
            }
            "ps-variable" => {
                if let Some(name) = parsed.value("name").filter(|name| name.known).cloned() {
                    if call.name.starts_with("Get") {
                        let all = self.ps_variable(&name.text, call.span, "");
                        return stream(&all);
                    }
                    let mut all: Vec<Text> = parsed.values("value").cloned().collect();
                    if all.is_empty() && call.name.starts_with("Set") {
                        all = values(call.stdin, call.span);
                    }
                    self.ps_set(&name.text, &all);
                }
                Stream::Empty
            }
            "ps-alias" => {
                if let (Some(name), Some(value)) = (parsed.value("name"), parsed.value("value")) {
                    let entry = (name.text.to_ascii_lowercase(), value.text.clone());
                    if entry.0.contains("cmdai") {
                        self.own(call.span);
                    }
                    let value = (*value).clone();
                    self.hidden_by_alias(&entry.0, &value, false);
                    if self.env.aliases.len() < 256 {
                        self.env.aliases.push(entry);
                    }
                }
                Stream::Empty
            }
            "ps-module" => self.ps_module(call, &parsed),
            "ps-wmi" => self.ps_wmi(call, &parsed),
            // What they are instances of stands for them.
            "ps-instances" => stream(&parsed.values("class").cloned().collect::<Vec<_>>()),
            "ps-sql" => {
                for query in parsed.values("query").cloned().collect::<Vec<_>>() {
                    self.sql(
                        &query,
                        "mssql",
                        parsed.value("database").map(|name| &name.text),
                    );
                }
                if let Some(file) = parsed.value("infile").cloned() {
                    self.read_path(&file, call.span);
                }
                Stream::UNKNOWN
            }
            "ps-converted" => {
                // Something else made of what went in.
                let all: Vec<Text> = parsed
                    .operands
                    .iter()
                    .map(|(_, text)| (*text).clone())
                    .collect();
                match taint_of(&all) {
                    Some(taint) => Stream::Tainted(taint),
                    None if all.is_empty() => crate::call::through(call.stdin),
                    None => Stream::Tainted(Taint::Made),
                }
            }
            _ => Stream::UNKNOWN,
        }
    }

    /// `iex CODE`, `… | iex`
    fn ps_invoke_expression(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let all: Vec<&Text> = parsed.values("command").collect();
        let code = if all.is_empty() {
            match call.stdin {
                Stream::Empty => return Stream::Empty,
                Stream::Known(text) => Text::known(text.as_str(), call.span),
                Stream::Partial(text) => (**text).clone(),
                Stream::Tainted(taint) => {
                    let taint = taint.clone();
                    self.tainted_code(&taint, "powershell", call.span);
                    return Stream::UNKNOWN;
                }
            }
        } else {
            crate::call::joined(&all, call.span)
        };
        if let (false, Some(taint)) = (code.known, &code.taint) {
            let taint = taint.clone();
            self.tainted_code(&taint, "powershell", code.span);
            return Stream::UNKNOWN;
        }
        let code = match code
            .text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
        {
            Some(inner) => Text {
                text: inner.to_owned(),
                offset: None,
                ..code
            },
            None => code,
        };
        self.shell_code(&code, Dialect::Powershell, call.stdin, false)
    }

    /// `… | ForEach-Object { … }`
    fn ps_each(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let blocks = blocks(call.args);
        if blocks.is_empty() {
            // `% Name`: a property or method of each.
            let member = parsed
                .operands
                .first()
                .map(|(_, text)| text.text.to_ascii_lowercase());
            if member.as_deref() == Some("delete") {
                for text in values(call.stdin, call.span) {
                    self.delete_path(&methods::slashed(&text), false, true, call.span);
                }
                return Stream::Empty;
            }
            return call.stdin.clone();
        }
        let each: Vec<Text> = match call.stdin {
            Stream::Empty => vec![Text::unknown("$_", call.span, None)],
            other => values(other, call.span),
        };
        let mut out = Stream::Empty;
        let count = each.len();
        for one in each.into_iter().take(32) {
            self.ps_set("_", &[one]);
            for block in &blocks {
                let printed = self.ps_run(block, Vec::new(), &Stream::Empty);
                out = out.then(printed);
            }
            if self.steps > 3_000 {
                break;
            }
        }
        if count > 32 {
            // The others are like these.
            self.ps_set("_", &[Text::unknown("$_", call.span, None)]);
            for block in &blocks {
                self.ps_run(block, Vec::new(), &Stream::Empty);
            }
            out = Stream::UNKNOWN;
        }
        self.env.vars.retain(|(name, _)| name != "_");
        out
    }

    fn ps_content(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let all: Vec<Text> = parsed.values("path").cloned().collect();
        let mut out = Stream::Empty;
        for path in &all {
            if path.text.to_ascii_lowercase().starts_with("env:") {
                let values = self.ps_variable(&path.text, call.span, "");
                out = out.then(stream(&values));
                continue;
            }
            let content = self.read_file(path, call.span);
            out = out.then(content);
        }
        out
    }

    /// Cmdlets that yield paths: `Get-ChildItem`, `Get-Item`, `Resolve-Path`.
    fn ps_path(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let mut all: Vec<Text> = parsed.values("path").cloned().collect();
        let children = call.name == "Get-ChildItem";
        if all.is_empty() {
            all.push(Text::known(".", call.span));
        }
        if children {
            // Every name that is asked for, in every folder.
            let asked: Vec<&Text> = parsed
                .values("filter")
                .chain(parsed.values("include"))
                .collect();
            let asked: Vec<&str> = if asked.is_empty() || asked.iter().any(|name| !name.known) {
                vec!["*"]
            } else {
                asked
                    .iter()
                    .map(|name| name.text.as_str())
                    .take(16)
                    .collect()
            };
            let mut found = Vec::new();
            for folder in &all {
                if folder.text.contains('*') {
                    found.push(Text {
                        glob: true,
                        ..folder.clone()
                    });
                    continue;
                }
                for name in &asked {
                    let below = |folder: &str| format!("{}/{name}", folder.trim_end_matches('/'));
                    found.push(Text {
                        text: below(&folder.text),
                        empty: folder.empty.as_deref().map(below),
                        glob: crate::glob::is_pattern(name),
                        ..folder.clone()
                    });
                }
            }
            all = found;
        }
        if all.iter().all(|text| text.known) {
            return stream(&all);
        }
        Stream::Tainted(taint_of(&all).unwrap_or(Taint::Unknown))
    }

    /// `Set-Content`, `Out-File`, `Tee-Object`: what is written is known to what reads it later.
    fn ps_write(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let append = parsed.has("append") || call.name == "Add-Content";
        let given: Vec<Text> = parsed.values("value").cloned().collect();
        let content = if given.is_empty() {
            call.stdin.clone()
        } else {
            stream(&given)
        };
        for path in parsed.values("path").cloned().collect::<Vec<_>>() {
            self.write_path(&path, append, call.span);
            let absolute = self.absolute(&path.text);
            self.startup_code(&absolute, &content);
            self.env.write_file(&absolute, content.clone(), append);
        }
        if call.name == "Tee-Object" {
            call.stdin.clone()
        } else {
            Stream::Empty
        }
    }

    fn ps_web(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let Some(url) = parsed.value("uri").cloned() else {
            return Stream::UNKNOWN;
        };
        let method = parsed
            .value("method")
            .map(|method| method.text.to_ascii_lowercase())
            .unwrap_or_default();
        let mut sent = None;
        if let Some(file) = parsed.value("infile").cloned() {
            self.read_path(&file, call.span);
            sent = Some(self.absolute(&file.text));
        }
        if let Some(body) = parsed.value("body").or_else(|| parsed.value("form")) {
            sent = Some(match &body.taint {
                Some(Taint::Secret(path) | Taint::File(path)) => path.clone(),
                _ => "-".to_owned(),
            });
        } else if let (Stream::Tainted(Taint::Secret(path) | Taint::File(path)), None) =
            (call.stdin, &sent)
        {
            sent = Some(path.clone());
        }
        if sent.is_none()
            && let Some(Taint::Secret(path)) = &url.taint
        {
            sent = Some(path.clone());
        }
        if method == "delete" {
            self.emit(
                EffectKind::ResourceDestroy {
                    resource: "http".to_owned(),
                    name: url.text.clone(),
                    provider: "http".to_owned(),
                    context: None,
                },
                call.span,
                Certainty::Likely,
            );
        }
        if let Some(source) = sent {
            self.emit(
                EffectKind::Upload {
                    source,
                    destination: url.text.clone(),
                },
                call.span,
                Certainty::Proven,
            );
            return Stream::UNKNOWN;
        }
        let remote = Stream::Tainted(Taint::Remote(url.text.clone()));
        let to = parsed.value("outfile").cloned();
        if let Some(to) = &to {
            self.write_path(to, false, call.span);
            let path = self.absolute(&to.text);
            self.env.write_file(&path, remote.clone(), false);
        }
        let written = to.is_some();
        let to = to.map(|to| self.absolute(&to.text));
        self.emit(
            EffectKind::Download {
                url: url.text.clone(),
                to,
            },
            call.span,
            Certainty::Proven,
        );
        if written && !parsed.has("passthru") {
            Stream::Empty
        } else {
            remote
        }
    }

    /// `Start-Process FILE ARGUMENTS -Verb RunAs`
    fn ps_start(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed
            .value("verb")
            .is_some_and(|verb| verb.text.eq_ignore_ascii_case("runas"))
            || parsed.has("credential")
        {
            self.emit(
                EffectKind::Escalate {
                    to: "administrator".to_owned(),
                },
                call.span,
                Certainty::Proven,
            );
        }
        let Some(file) = parsed.value("file").cloned() else {
            return Stream::Empty;
        };
        if file.text.starts_with("http://") || file.text.starts_with("https://") {
            return Stream::Empty;
        }
        let mut words = vec![file];
        let args: Vec<Text> = parsed.values("argumentlist").cloned().collect();
        match args.as_slice() {
            // One text holds them all, with quotes of its own.
            [one] if one.known && one.text.contains(' ') => {
                words.extend(
                    split_quoted(&one.text)
                        .into_iter()
                        .map(|text| Text::known(text, one.span)),
                );
            }
            several => words.extend(several.iter().cloned().map(|text| Text {
                more: false,
                ..text
            })),
        }
        self.call(&words, Vec::new(), &Stream::Empty, call.span)
    }

    /// `Invoke-Command -ComputerName H { … }`, `Start-Job { … }`
    fn ps_invoke_command(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        for host in parsed
            .values("computername")
            .chain(parsed.values("hostname"))
            .cloned()
            .collect::<Vec<_>>()
        {
            self.emit(
                EffectKind::Connect { address: host.text },
                call.span,
                Certainty::Proven,
            );
        }
        if let Some(file) = parsed.value("file").cloned() {
            return self.script_file(&file, "powershell", Some(Dialect::Powershell), call.span);
        }
        let args: Vec<Text> = parsed.values("argumentlist").cloned().collect();
        let mut out = Stream::Empty;
        for block in blocks(call.args) {
            let printed = self.ps_run(&block, args.clone(), call.stdin);
            out = out.then(printed);
        }
        if out == Stream::Empty
            && let Some(block) = parsed.value("scriptblock").cloned()
            && !block.text.starts_with('{')
        {
            return self.ps_run(&block, args, call.stdin);
        }
        out
    }

    fn ps_new_object(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(name) = parsed.value("comobject") {
            return stream_of(Text::known(format!("[{}]", name.text), call.span));
        }
        let Some(name) = parsed.value("typename").cloned() else {
            return Stream::UNKNOWN;
        };
        let args: Vec<Text> = parsed.values("argumentlist").cloned().collect();
        let all = self.ps_new(&name.text, &args, call.span);
        match all.as_slice() {
            [one] if !one.known => Stream::Tainted(one.taint.clone().unwrap_or(Taint::Unknown)),
            all => stream(all),
        }
    }

    /// `Import-Module FILE`, `Add-Type`
    fn ps_module(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("typedefinition") || parsed.has("memberdefinition") {
            self.emit_code(CodeSource::Literal, "dotnet", call.span);
        }
        for path in parsed.values("path").cloned().collect::<Vec<_>>() {
            let named = path.known
                && !path.text.contains('/')
                && !path.text.ends_with(".ps1")
                && !path.text.ends_with(".psm1")
                && !path.text.ends_with(".dll");
            if !named {
                self.script_file(&path, "powershell", Some(Dialect::Powershell), call.span);
            }
        }
        Stream::Empty
    }

    /// `Invoke-WmiMethod -Class Win32_Process -Name Create -ArgumentList CODE`
    fn ps_wmi(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        for host in parsed.values("computername").cloned().collect::<Vec<_>>() {
            self.emit(
                EffectKind::Connect { address: host.text },
                call.span,
                Certainty::Proven,
            );
        }
        let create = parsed
            .values("name")
            .chain(parsed.values("methodname"))
            .any(|name| name.text.eq_ignore_ascii_case("create"));
        let args: Vec<Text> = parsed
            .values("argumentlist")
            .chain(parsed.values("arguments"))
            .cloned()
            .collect();
        if create && !args.is_empty() {
            let code = joined(&args, " ", call.span);
            self.cmd_code(&code, &Stream::Empty);
        }
        Stream::UNKNOWN
    }

    /// The program: `powershell -NoProfile -Command CODE`, `pwsh FILE`, `… -EncodedCommand TEXT`.
    pub(crate) fn powershell(&mut self, call: &Call<'_>) -> Stream {
        const FLAGS: &[&str] = &[
            "noprofile",
            "nologo",
            "noninteractive",
            "noexit",
            "sta",
            "mta",
            "login",
            "interactive",
        ];
        const VALUES: &[&str] = &[
            "executionpolicy",
            "windowstyle",
            "version",
            "inputformat",
            "outputformat",
            "configurationname",
            "workingdirectory",
            "psconsolefile",
            "settingsfile",
            "custompipename",
            "configurationfile",
        ];
        let mut at = 0;
        let mut out = None;
        while let Some(arg) = call.args.get(at) {
            at += 1;
            let rest = call.args.get(at..).unwrap_or_default();
            let Some(name) = arg
                .text
                .strip_prefix('-')
                .or_else(|| {
                    arg.text
                        .strip_prefix('/')
                        .filter(|name| !name.contains('/'))
                })
                .map(|name| name.trim_start_matches('-').to_ascii_lowercase())
            else {
                let code = call.args.get(at - 1..).unwrap_or_default();
                let path = arg.text.to_ascii_lowercase();
                let script =
                    path.ends_with(".ps1") || call.name == "pwsh" && !arg.text.contains(' ');
                out = Some(if script {
                    let file = methods::slashed(arg);
                    self.script_file(&file, "powershell", Some(Dialect::Powershell), call.span)
                } else {
                    self.ps_code(code, call)
                });
                break;
            };
            let is = |full: &str| !name.is_empty() && full.starts_with(name.as_str());
            if matches!(name.as_str(), "ep" | "ex" | "exec")
                || name.len() > 2 && is("executionpolicy")
            {
                at += 1;
            } else if is("command") {
                out = Some(match rest {
                    [one] if one.text == "-" => self.ps_standard_input(call),
                    rest => self.ps_code(rest, call),
                });
                break;
            } else if matches!(name.as_str(), "e" | "ec") || is("encodedcommand") {
                out = Some(self.ps_encoded(rest.first(), call));
                break;
            } else if is("file") {
                if let Some(file) = rest.first() {
                    let file = methods::slashed(file);
                    out = Some(if file.text == "-" {
                        self.ps_standard_input(call)
                    } else {
                        self.script_file(&file, "powershell", Some(Dialect::Powershell), call.span)
                    });
                }
                break;
            } else if matches!(name.as_str(), "help" | "?" | "h" | "v") {
                return Stream::Known(String::new());
            } else if VALUES.iter().any(|full| is(full))
                && !FLAGS.contains(&name.as_str())
                && !is("noprofile")
            {
                at += 1;
            }
        }
        match out {
            Some(out) => out,
            None => self.ps_standard_input(call),
        }
    }

    fn ps_standard_input(&mut self, call: &Call<'_>) -> Stream {
        let input = call.stdin.clone();
        self.code_from_stream(&input, "powershell", Some(Dialect::Powershell), call.span)
    }

    /// Code among the arguments of the program.
    fn ps_code(&mut self, words: &[Text], call: &Call<'_>) -> Stream {
        let all: Vec<&Text> = words.iter().collect();
        let mut code = crate::call::joined(&all, call.span);
        if self.dialect != Dialect::Powershell {
            // Backslashes of a path survive quotes only; what came through is what counts.
            code.literal = false;
        }
        if code.known && code.text.starts_with('{') && code.text.ends_with('}') {
            let dialect = std::mem::replace(&mut self.dialect, Dialect::Powershell);
            let printed = self.ps_run(&code, Vec::new(), call.stdin);
            self.dialect = dialect;
            return printed;
        }
        self.shell_code(&code, Dialect::Powershell, call.stdin, true)
    }

    fn ps_encoded(&mut self, text: Option<&Text>, call: &Call<'_>) -> Stream {
        let Some(text) = text else {
            return Stream::Empty;
        };
        let code = text
            .known
            .then(|| methods::bytes_of_base64(&text.text))
            .flatten()
            .map(|bytes| methods::decode_utf16(&bytes));
        match code {
            Some(code) => {
                let code = Text::known(code, text.span);
                self.shell_code(&code, Dialect::Powershell, &Stream::Empty, true)
            }
            None => {
                let taint = text.taint.clone().unwrap_or(Taint::Made);
                self.tainted_code(&taint, "powershell", call.span);
                Stream::UNKNOWN
            }
        }
    }

    /// `cmd /c CODE`
    pub(crate) fn cmd(&mut self, call: &Call<'_>) -> Stream {
        let at = call.args.iter().position(|arg| {
            let lower = arg.text.to_ascii_lowercase();
            ["/c", "/k", "-c", "/r"]
                .iter()
                .any(|flag| lower.starts_with(flag))
        });
        let Some(at) = at else {
            return match call.stdin {
                Stream::Known(text) => {
                    let text = Text::known(text.as_str(), call.span);
                    self.cmd_code(&text, &Stream::Empty)
                }
                Stream::Partial(text) => {
                    let text = (**text).clone();
                    self.cmd_code(&text, &Stream::Empty)
                }
                Stream::Empty => Stream::Empty,
                Stream::Tainted(taint) => {
                    let taint = taint.clone();
                    self.tainted_code(&taint, "cmd", call.span);
                    Stream::UNKNOWN
                }
            };
        };
        let mut all: Vec<Text> = Vec::new();
        if let Some(first) = call.args.get(at).filter(|arg| arg.text.len() > 2) {
            all.push(first.after(2));
        }
        all.extend(call.args.get(at + 1..).unwrap_or_default().iter().cloned());
        let several = all.len() > 1;
        for text in &mut all {
            // Quotes that the outer shell took away held these together.
            if several && text.known && text.text.contains(' ') && !text.text.contains('"') {
                text.text = format!("\"{}\"", text.text);
                text.offset = None;
            }
        }
        let all: Vec<&Text> = all.iter().collect();
        let code = crate::call::joined(&all, call.span);
        self.cmd_code(&code, call.stdin)
    }

    /// `set NAME=VALUE` of cmd.exe.
    pub(crate) fn cmd_set(&mut self, call: &Call<'_>) -> Stream {
        let all: Vec<&Text> = call
            .args
            .iter()
            .filter(|arg| !arg.text.starts_with('/'))
            .collect();
        let text = crate::call::joined(&all, call.span);
        if let Some((name, value)) = text.text.split_once('=') {
            let value = Text {
                text: value.to_owned(),
                ..text.clone()
            };
            self.ps_set(&format!("env:{}", name.trim()), &[value]);
        }
        Stream::Empty
    }

    /// `call X`, `start "title" /b X`: what follows runs.
    pub(crate) fn cmd_call(&mut self, call: &Call<'_>) -> Stream {
        let mut args = call.args;
        while let Some((first, rest)) = args.split_first() {
            let title = first.text.is_empty()
                || first.text.contains(' ') && !first.text.contains(['/', '\\', '.']);
            if !first.text.starts_with('/') && !title {
                break;
            }
            args = rest;
        }
        if args.is_empty() {
            return Stream::Empty;
        }
        self.call(args, Vec::new(), call.stdin, call.span)
    }

    /// `cd /d PATH`
    pub(crate) fn cmd_cd(&mut self, call: &Call<'_>) -> Stream {
        if let Some(path) = call
            .args
            .iter()
            .find(|arg| !arg.text.eq_ignore_ascii_case("/d"))
        {
            self.env.cwd = self.absolute(&path.text);
            self.env.cwd_known = path.known;
        }
        Stream::Empty
    }

    /// Code of cmd.exe.
    pub(crate) fn cmd_code(&mut self, code: &Text, stdin: &Stream) -> Stream {
        if let (false, Some(taint @ (Taint::Remote(_) | Taint::Made))) = (code.known, &code.taint) {
            let taint = taint.clone();
            self.tainted_code(&taint, "cmd", code.span);
            return Stream::UNKNOWN;
        }
        let map = code.offset.map_or(Map::Fixed(code.span), Map::Offset);
        let outer = std::mem::replace(&mut self.in_cmd, true);
        let dialect = std::mem::replace(&mut self.dialect, Dialect::Powershell);
        let before = std::mem::replace(&mut self.map, map);
        let printed = self
            .deeper(code.span, |this| {
                let tree = cmdai_shell::parse_cmd(&code.text);
                let printed = this.list(&tree, &tree.body, stdin);
                for &region in &tree.unknown {
                    let span = this.map.span(region);
                    this.unknown_region(span, "part of the code could not be read");
                }
                printed
            })
            .unwrap_or(Stream::UNKNOWN);
        self.map = before;
        self.dialect = dialect;
        self.in_cmd = outer;
        printed
    }
}

/// Blocks of code among arguments.
fn blocks(args: &[Text]) -> Vec<Text> {
    args.iter()
        .filter(|arg| arg.text.starts_with('{'))
        .cloned()
        .collect()
}

fn stream_of(text: Text) -> Stream {
    if text.known {
        Stream::Known(text.text + "\n")
    } else {
        Stream::Tainted(text.taint.unwrap_or(Taint::Unknown))
    }
}

/// Words of a text, with double quotes.
fn split_quoted(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut word, mut quoted, mut started) = (String::new(), false, false);
    for next in text.chars() {
        match next {
            '"' => {
                quoted = !quoted;
                started = true;
            }
            ' ' if !quoted => {
                if started {
                    out.push(std::mem::take(&mut word));
                }
                started = false;
            }
            _ => {
                word.push(next);
                started = true;
            }
        }
    }
    if started {
        out.push(word);
    }
    out
}
