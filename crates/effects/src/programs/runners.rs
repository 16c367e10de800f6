//! Programs that run another one in an environment of a language: `npx`, `uv run`, `bundle exec`,
//! `nix develop`, and `make`, whose settings and files hold shell code.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use crate::{
    analyser::Analyser,
    call::Call,
    knowledge,
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    /// Operands from the first that is the program, past `--`.
    fn run_from(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, skip: usize) -> Stream {
        let Some(&(start, _)) = parsed.operands.get(skip) else {
            return Stream::UNKNOWN;
        };
        let mut start = start;
        // Options of the subcommand that the tables do not list: the first program that is known
        // counts, else the first word that is no option.
        if call
            .args
            .get(start)
            .is_some_and(|arg| arg.text.starts_with('-'))
        {
            let rest = call.args.get(start..).unwrap_or_default();
            let known = rest
                .iter()
                .take(8)
                .position(|arg| !arg.text.starts_with('-') && knowledge::find(&arg.text).is_some());
            start += known
                .or_else(|| rest.iter().position(|arg| !arg.text.starts_with('-')))
                .unwrap_or(0);
        }
        let words = call.args.get(start..).unwrap_or_default();
        if words.first().is_some_and(|word| word.text.ends_with(".py")) {
            return Stream::UNKNOWN;
        }
        self.call(words, Vec::new(), call.stdin, call.span)
    }

    /// A package of a registry is fetched and run; a program that is known is that program.
    fn fetched(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, skip: usize) -> Stream {
        let Some(&(at, name)) = parsed.operands.get(skip) else {
            return Stream::UNKNOWN;
        };
        // `rimraf@5` is `rimraf`.
        let bare = match name.text.rfind('@') {
            Some(at) if at > 0 => name.text.get(..at).unwrap_or(""),
            _ => name.text.as_str(),
        };
        if knowledge::find(bare).is_some() {
            let mut words = vec![Text {
                text: bare.to_owned(),
                ..name.clone()
            }];
            words.extend(call.args.get(at + 1..).unwrap_or_default().iter().cloned());
            return self.call(&words, Vec::new(), call.stdin, call.span);
        }
        let source = if name.text.contains("://") || name.text.starts_with("git+") {
            self.emit_code(CodeSource::Remote(name.text.clone()), call.name, name.span);
            "url"
        } else {
            "registry"
        };
        self.emit(
            EffectKind::PackageInstall {
                manager: call.name.to_owned(),
                name: name.text.clone(),
                source: source.to_owned(),
            },
            call.span,
            Certainty::Likely,
        );
        let own: Vec<Text> = call.args.get(at + 1..).unwrap_or_default().to_vec();
        self.unfamiliar(&Call {
            name: bare,
            args: &own,
            ..*call
        });
        if own.iter().any(|arg| {
            matches!(
                arg.text.as_str(),
                "--dangerously-skip-permissions" | "--yolo"
            )
        }) {
            self.emit(
                EffectKind::DisableSecurity {
                    what: "agent-permissions".to_owned(),
                },
                call.span,
                Certainty::Proven,
            );
        }
        Stream::UNKNOWN
    }

    /// Programs with subcommands that run another program: `npx`, `npm exec`, `pipx run`, `go run`.
    pub(crate) fn runner(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let first = parsed
            .nth(1)
            .map_or("", |text| text.text.as_str())
            .to_owned();
        match (call.name, first.as_str()) {
            ("npx" | "bunx" | "pnpx" | "uvx", _) if !parsed.has("call") => {
                self.fetched(call, parsed, 0)
            }
            ("pipx", "run") | ("npm" | "pnpm" | "yarn" | "bun", "dlx") => {
                self.fetched(call, parsed, 1)
            }
            ("npm" | "pnpm" | "yarn" | "bun", "exec" | "x") => {
                if let Some(code) = parsed.value("call").cloned() {
                    return self.shell_code(&code, Dialect::Sh, call.stdin, true);
                }
                if call.name == "bun" || call.name == "npm" {
                    return self.fetched(call, parsed, 1);
                }
                self.run_from(call, parsed, 1)
            }
            ("yarn", "workspaces" | "workspace") => {
                let at = parsed
                    .operands
                    .iter()
                    .position(|(_, text)| matches!(text.text.as_str(), "exec" | "foreach"));
                match at {
                    Some(at) => self.run_from(call, parsed, at + 1),
                    None => Stream::UNKNOWN,
                }
            }
            // With all rights: what comes from there may do anything.
            ("deno", "run" | "install" | "serve") => {
                let free = call.args.iter().any(|arg| {
                    matches!(arg.text.as_str(), "-A" | "--allow-all")
                        || arg.text.starts_with("--allow-run")
                        || arg.text.starts_with("--allow-ffi")
                        || arg.text.starts_with('-')
                            && !arg.text.starts_with("--")
                            && arg.text.contains('A')
                });
                let remote = call
                    .args
                    .iter()
                    .find(|arg| arg.text.contains("://"))
                    .cloned();
                if let (Some(url), true) = (remote, free) {
                    self.emit_code(CodeSource::Remote(url.text), "javascript", call.span);
                }
                Stream::UNKNOWN
            }
            ("npm" | "pnpm" | "yarn" | "bun", "pkg" | "set-script") => {
                self.script_settings(call.args);
                Stream::UNKNOWN
            }
            ("go", "run") => {
                if let Some(remote) = parsed.nth(2).filter(|text| text.text.contains('@')) {
                    self.emit_code(CodeSource::Remote(remote.text.clone()), "go", call.span);
                }
                Stream::UNKNOWN
            }
            // A tool of the project: `pnpm wrangler …`, `yarn cdk …`
            ("pnpm" | "yarn" | "bun", tool)
                if crate::knowledge::find(tool)
                    .is_some_and(|known| known.handler == "cloud" || known.name == "cdk") =>
            {
                self.run_from(call, parsed, 0)
            }
            _ => Stream::UNKNOWN,
        }
    }

    /// `bundle exec`, `direnv exec FOLDER`, `aws-vault exec PROFILE`, `dotenv PROGRAM`.
    pub(crate) fn env_runner(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("command") {
            return Stream::UNKNOWN;
        }
        let first = parsed.sub();
        // A folder, version or profile may stand in front of the program.
        let own = match call.name {
            "direnv" | "aws-vault" | "chamber" | "envconsul" | "granted" | "chruby-exec" => 1,
            "mise" | "rtx" | "asdf" | "nvm" | "volta" | "fnm" => {
                let tools = parsed
                    .operands
                    .iter()
                    .skip(1)
                    .take_while(|(at, text)| {
                        text.text.contains('@')
                            && call.args.get(*at).is_some_and(|arg| arg.text != "--")
                    })
                    .count();
                let named = matches!(call.name, "nvm") && parsed.operands.len() > 2;
                tools.max(usize::from(named))
            }
            _ => 0,
        };
        match first {
            "exec" | "x" => {
                // What stands behind `--` is the program, whatever stood in front.
                let marked = call.args.iter().position(|arg| arg.text == "--");
                let at = marked
                    .and_then(|marked| parsed.operands.iter().position(|(at, _)| *at > marked));
                self.run_from(call, parsed, at.unwrap_or(1 + own))
            }
            "run" => self.run_from(call, parsed, 1),
            _ if matches!(
                call.name,
                "dotenv"
                    | "env-cmd"
                    | "with-contenv"
                    | "envchain"
                    | "summon"
                    | "accelerate"
                    | "torchrun"
                    | "mpirun"
                    | "mpiexec"
                    | "srun"
                    | "orterun"
                    | "chruby-exec"
            ) =>
            {
                self.run_from(call, parsed, usize::from(call.name == "chruby-exec"))
            }
            "local" => Stream::UNKNOWN,
            _ => {
                self.unfamiliar(call);
                Stream::UNKNOWN
            }
        }
    }

    /// `nix shell … -c PROGRAM`, `nix run … -- ARGUMENTS`, `nix-shell --run CODE`.
    pub(crate) fn nix(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if call.name == "nix"
            && let Some(at) = call
                .args
                .iter()
                .position(|arg| matches!(arg.text.as_str(), "-c" | "--command"))
        {
            let rest = call.args.get(at + 1..).unwrap_or_default();
            return self.call(rest, Vec::new(), call.stdin, call.span);
        }
        if call.name == "nix"
            && matches!(parsed.sub(), "profile" | "store")
            && let Some(verb) = parsed.nth(2)
            && matches!(
                verb.text.as_str(),
                "remove" | "wipe-history" | "gc" | "delete"
            )
        {
            self.emit(
                EffectKind::ResourceDestroy {
                    resource: "package".to_owned(),
                    name: parsed
                        .nth(3)
                        .map_or_else(|| "unused".to_owned(), |text| text.text.clone()),
                    provider: "nix".to_owned(),
                    context: None,
                },
                call.span,
                Certainty::Proven,
            );
        }
        Stream::UNKNOWN
    }

    /// `make SHELL=…`, `make --eval`, `make -f -`.
    pub(crate) fn make(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        for operand in parsed.rest().cloned().collect::<Vec<_>>() {
            if let Some((name, _)) = operand.text.split_once('=') {
                let value = operand.after(name.len() + 1);
                if matches!(name, "SHELL" | "CC" | "CXX" | "LD" | "AR" | ".SHELLFLAGS") {
                    self.shell_code(&value, Dialect::Sh, &Stream::Empty, true);
                } else if let Some(at) = value.text.find("$(shell ") {
                    self.shell_code(&value.after(at + 8), Dialect::Sh, &Stream::Empty, true);
                }
            }
        }
        if let Some(code) = parsed.value("eval").cloned() {
            self.makefile(&code);
        }
        // What the line itself has written, where no file is named.
        let usual = ["GNUmakefile", "makefile", "Makefile"]
            .into_iter()
            .find(|name| {
                matches!(call.name, "make" | "gmake")
                    && self.env.file(&self.absolute(name)).is_some()
            })
            .map(|name| Text::known(name, call.span));
        if let Some(file) = parsed.value("file").cloned().or(usual) {
            let content = if file.text == "-" {
                call.stdin.clone()
            } else {
                self.env
                    .file(&self.absolute(&file.text))
                    .cloned()
                    .unwrap_or_default()
            };
            match content {
                Stream::Known(text) => self.makefile(&Text::known(text, call.span)),
                Stream::Tainted(taint) if file.text == "-" => {
                    self.tainted_code(&taint, "make", call.span)
                }
                _ => {}
            }
        }
        Stream::UNKNOWN
    }

    /// Recipes and `$(shell …)` of a makefile.
    fn makefile(&mut self, code: &Text) {
        for line in code.text.lines().take(256) {
            if let Some(recipe) = line
                .strip_prefix('\t')
                .or_else(|| line.split_once(';').map(|(_, recipe)| recipe))
            {
                let recipe = recipe.trim_start_matches(['@', '-', '+', ' ', '\t']);
                self.shell_code(
                    &Text::known(recipe, code.span),
                    Dialect::Sh,
                    &Stream::Empty,
                    true,
                );
            } else if let Some((_, rest)) = line.split_once("$(shell ") {
                let inner = rest.rsplit_once(')').map_or(rest, |(inner, _)| inner);
                self.shell_code(
                    &Text::known(inner, code.span),
                    Dialect::Sh,
                    &Stream::Empty,
                    true,
                );
            }
        }
    }
}
