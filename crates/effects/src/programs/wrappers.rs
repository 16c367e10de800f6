//! Programs that run another one, by grammars of their own.

use cmdai_schema::Dialect;

use crate::{
    analyser::Analyser,
    call::{Call, joined},
    knowledge::{self, WrapKind},
    options::Parsed,
    value::{Stream, Text},
};

impl Analyser<'_> {
    pub(crate) fn env_program(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(split) = parsed.value("split").cloned() {
            let mut all = vec![&split];
            all.extend(parsed.rest());
            let code = joined(&all, call.span);
            let dialect = self.dialect;
            return self.shell_code(&code, dialect, call.stdin, true);
        }
        self.wrapped(call, parsed, WrapKind::Argv, 0, true)
    }

    /// `nice`, `ionice`, `taskset`: some take one operand of their own.
    pub(crate) fn priority(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let own = match call.name {
            "taskset" | "chrt" => 1,
            _ => 0,
        };
        self.wrapped(call, parsed, WrapKind::Argv, own, false)
    }

    pub(crate) fn xargs(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let Some(&(at, _)) = parsed.operands.first() else {
            return call.stdin.clone();
        };
        let words = call.args.get(at..).unwrap_or_default();
        let pattern = if parsed.has("replace") {
            Some(
                parsed
                    .value("replace")
                    .map_or("{}", |text| text.text.as_str())
                    .to_owned(),
            )
        } else {
            None
        };
        let (items, certain): (Vec<Text>, bool) = match call.stdin {
            Stream::Known(text) => {
                let separators: &[char] =
                    if pattern.is_some() || parsed.has("delimiter") || parsed.has("null") {
                        &['\n', '\0']
                    } else {
                        &['\n', ' ', '\t', '\0']
                    };
                (
                    text.split(separators)
                        .filter(|item| !item.is_empty())
                        .take(64)
                        .map(|item| Text::known(item.trim_matches(['"', '\'']), call.span))
                        .collect(),
                    true,
                )
            }
            other => (
                vec![Text::unknown("$input", call.span, other.taint().cloned())],
                false,
            ),
        };
        let is_shell = words
            .first()
            .is_some_and(|word| Dialect::from_name(&word.text).is_some())
            && words.len() == 1;
        if is_shell && certain {
            // `xargs sh` runs the items as files; `xargs -I{} sh -c '{}'` comes below.
            let mut all = words.to_vec();
            all.extend(items);
            return self.call(&all, Vec::new(), &Stream::Empty, call.span);
        }
        match pattern {
            Some(pattern) => {
                let mut printed = Stream::Empty;
                for item in items.iter().take(16) {
                    let replaced: Vec<Text> = words
                        .iter()
                        .map(|word| replace(word, &pattern, item))
                        .collect();
                    printed =
                        printed.then(self.call(&replaced, Vec::new(), &Stream::Empty, call.span));
                }
                printed
            }
            None => {
                let mut all = words.to_vec();
                all.extend(items);
                self.call(&all, Vec::new(), &Stream::Empty, call.span)
            }
        }
    }

    pub(crate) fn parallel(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if parsed.has("dry") {
            return Stream::UNKNOWN;
        }
        let operands: Vec<&Text> = parsed.operands.iter().map(|(_, text)| *text).collect();
        let split = operands
            .iter()
            .position(|text| text.text.starts_with(":::"))
            .unwrap_or(operands.len());
        let (command, values) = operands.split_at(split);
        let items: Vec<Text> = if values.len() > 1 {
            values
                .iter()
                .skip(1)
                .filter(|text| !text.text.starts_with(":::"))
                .take(32)
                .map(|text| (*text).clone())
                .collect()
        } else {
            match call.stdin {
                Stream::Known(text) => text
                    .lines()
                    .filter(|line| !line.is_empty())
                    .take(32)
                    .map(|line| Text::known(line, call.span))
                    .collect(),
                other => vec![Text::unknown("$input", call.span, other.taint().cloned())],
            }
        };
        let dialect = self.dialect;
        for item in &items {
            let code = if command.is_empty() {
                item.clone()
            } else {
                let code = joined(command, call.span);
                if code.text.contains('{') {
                    let code = replace(&code, "{}", item);
                    replace(&code, "{1}", item)
                } else {
                    joined(&[&code, item], call.span)
                }
            };
            self.shell_code(&code, dialect, &Stream::Empty, true);
        }
        Stream::UNKNOWN
    }

    pub(crate) fn flock(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match parsed.value("command").cloned() {
            Some(code) => self.shell_code(&code, Dialect::Sh, call.stdin, true),
            None => {
                // `flock FILE -c CODE`
                if let Some(at) = call.args.iter().position(|arg| arg.text == "-c")
                    && let Some(code) = call.args.get(at + 1)
                {
                    return self.shell_code(&code.clone(), Dialect::Sh, call.stdin, true);
                }
                self.wrapped(call, parsed, WrapKind::Argv, 1, false)
            }
        }
    }

    /// Programs with subcommands that run another program: `uv run`, `npm exec`, `poetry run`, `go run`.
    pub(crate) fn runner(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        use cmdai_schema::{Certainty, EffectKind};
        let first = parsed
            .nth(1)
            .map_or("", |text| text.text.as_str())
            .to_owned();
        match call.name {
            "strace" | "ltrace" | "valgrind" | "perf" | "gdbserver" | "dtruss" | "bpftrace"
            | "hyperfine" | "time_" => {
                if call.name == "hyperfine" {
                    for code in parsed.rest().cloned().collect::<Vec<_>>() {
                        self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
                    }
                    return Stream::UNKNOWN;
                }
                let skip = match call.name {
                    "perf" if matches!(first.as_str(), "record" | "stat" | "trace") => 1,
                    "perf" => return Stream::UNKNOWN,
                    "gdbserver" => 1,
                    _ => 0,
                };
                return self.wrapped(call, parsed, WrapKind::Argv, skip, false);
            }
            "npx" | "bunx" | "pnpx" | "uvx" => {
                if let Some(name) = parsed.nth(1) {
                    if knowledge::find(&name.text).is_some() {
                        return self.wrapped(call, parsed, WrapKind::Argv, 0, false);
                    }
                    self.emit(
                        EffectKind::PackageInstall {
                            manager: call.name.to_owned(),
                            name: name.text.clone(),
                            source: "registry".to_owned(),
                        },
                        call.span,
                        Certainty::Likely,
                    );
                }
                return Stream::UNKNOWN;
            }
            _ => {}
        }
        let runs = match call.name {
            "npm" | "pnpm" | "yarn" | "bun" => matches!(first.as_str(), "exec" | "x"),
            "bundle" | "mise" | "rbenv" | "pyenv" | "asdf" | "direnv" | "aws-vault" | "chamber" => {
                first == "exec"
            }
            "op" | "doppler" | "conda" | "mamba" | "micromamba" | "poetry" | "pipenv" | "uv"
            | "rye" | "hatch" | "pixi" | "dotenv" => first == "run" || call.name == "dotenv",
            _ => false,
        };
        if runs {
            let mut at = usize::from(call.name != "dotenv" || first == "run");
            // A folder or profile in front of the program.
            if matches!(call.name, "direnv" | "aws-vault" | "chamber") {
                at += 1;
            }
            let start = parsed.operands.get(at).map(|&(start, _)| start);
            let Some(mut start) = start else {
                return Stream::UNKNOWN;
            };
            if call
                .args
                .get(start)
                .is_some_and(|arg| arg.text.starts_with('-'))
            {
                // Options in front: some take a value, so the first program that is known counts.
                let rest = call.args.get(start..).unwrap_or_default();
                let known = rest.iter().take(8).position(|arg| {
                    !arg.text.starts_with('-') && knowledge::find(&arg.text).is_some()
                });
                start += known
                    .or_else(|| rest.iter().position(|arg| !arg.text.starts_with('-')))
                    .unwrap_or(0);
            }
            if call
                .args
                .get(start)
                .is_some_and(|arg| arg.text.ends_with(".py"))
            {
                return Stream::UNKNOWN;
            }
            return self.call(
                call.args.get(start..).unwrap_or_default(),
                Vec::new(),
                call.stdin,
                call.span,
            );
        }
        if matches!(call.name, "op" | "doppler") {
            self.unfamiliar(call);
        }
        if call.name == "go"
            && first == "run"
            && let Some(remote) = parsed.nth(2).filter(|text| text.text.contains('@'))
        {
            self.emit_code(
                cmdai_schema::CodeSource::Remote(remote.text.clone()),
                "go",
                call.span,
            );
        }
        if matches!(call.name, "nix-shell" | "nix")
            && let Some(at) = call
                .args
                .iter()
                .position(|arg| matches!(arg.text.as_str(), "--run" | "-c" | "--command"))
            && let Some(rest) = call.args.get(at + 1..)
        {
            if call.name == "nix" {
                return self.call(rest, Vec::new(), call.stdin, call.span);
            }
            if let Some(code) = rest.first() {
                return self.shell_code(&code.clone(), Dialect::Bash, call.stdin, true);
            }
        }
        Stream::UNKNOWN
    }

    pub(crate) fn namespace(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        if let Some(code) = parsed.value("command").cloned() {
            return self.shell_code(&code, Dialect::Sh, call.stdin, true);
        }
        let skip = match call.name {
            "sg" | "runcon" | "pivot_root" | "switch_root" => 1,
            "newgrp" => return Stream::Empty,
            "bwrap" | "proot" => {
                // Options with two values: the program is the first word that a program is known for.
                let at = call.args.iter().position(|arg| {
                    !arg.text.starts_with(['-', '/']) && knowledge::find(&arg.text).is_some()
                });
                return match at.and_then(|at| call.args.get(at..)) {
                    Some(rest) => self.call(rest, Vec::new(), call.stdin, call.span),
                    None => Stream::UNKNOWN,
                };
            }
            "machinectl" => match parsed.sub() {
                "shell" => 2,
                _ => return Stream::UNKNOWN,
            },
            "capsh" => {
                if let Some(at) = call.args.iter().position(|arg| arg.text == "--")
                    && let Some(rest) = call.args.get(at + 1..)
                {
                    let mut all = vec![Text::known("bash", call.span)];
                    all.extend(rest.iter().cloned());
                    return self.call(&all, Vec::new(), call.stdin, call.span);
                }
                return Stream::UNKNOWN;
            }
            _ => 0,
        };
        if parsed.operands.is_empty() {
            return Stream::UNKNOWN;
        }
        self.wrapped(call, parsed, WrapKind::Argv, skip, false)
    }

    /// `tmux new-session -d CODE`, `screen -dm PROGRAM`, `tmux send-keys CODE Enter`.
    pub(crate) fn terminal(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let dialect = Dialect::Sh;
        match call.name {
            "tmux" => {
                let sub = parsed.sub().to_owned();
                let words: Vec<&Text> = call.args.iter().collect();
                match sub.as_str() {
                    "new" | "new-session" | "neww" | "new-window" | "split-window" | "splitw"
                    | "run-shell" | "run" | "respawn-pane" | "display-popup" | "popup"
                    | "pipe-pane" | "if-shell" => {
                        // Options with values: -s NAME -t TARGET -n NAME -c FOLDER.
                        let start = parsed.operands.first().map_or(0, |&(at, _)| at + 1);
                        let mut at = start;
                        let mut rest: Vec<&Text> = Vec::new();
                        while let Some(word) = words.get(at) {
                            if rest.is_empty()
                                && matches!(
                                    word.text.as_str(),
                                    "-s" | "-t"
                                        | "-n"
                                        | "-c"
                                        | "-x"
                                        | "-y"
                                        | "-F"
                                        | "-e"
                                        | "-l"
                                        | "-p"
                                )
                            {
                                at += 2;
                                continue;
                            }
                            if rest.is_empty() && word.text.starts_with('-') {
                                at += 1;
                                continue;
                            }
                            rest.push(word);
                            at += 1;
                        }
                        if !rest.is_empty() {
                            let code = joined(&rest, call.span);
                            self.shell_code(&code, dialect, &Stream::Empty, true);
                        }
                    }
                    "send-keys" | "send" => {
                        let start = parsed.operands.first().map_or(0, |&(at, _)| at + 1);
                        let mut skip = false;
                        for word in words.get(start..).unwrap_or_default() {
                            if skip {
                                skip = false;
                            } else if matches!(word.text.as_str(), "-t" | "-N") {
                                skip = true;
                            } else if !word.text.starts_with('-')
                                && !matches!(
                                    word.text.as_str(),
                                    "Enter" | "C-m" | "C-c" | "Escape" | "Tab"
                                )
                            {
                                self.shell_code(word, dialect, &Stream::Empty, true);
                            }
                        }
                    }
                    _ => {}
                }
                Stream::Empty
            }
            "expect" => {
                if let Some(code) = parsed.value("code").cloned() {
                    self.inline_code("expect", &code);
                } else if let Some(file) = parsed.nth(1) {
                    self.script_file(file, "expect", None, call.span);
                }
                Stream::UNKNOWN
            }
            _ => {
                if parsed.operands.is_empty() {
                    return Stream::Empty;
                }
                let skip = usize::from(matches!(call.name, "dtach" | "abduco"));
                self.wrapped(call, parsed, WrapKind::Argv, skip, false)
            }
        }
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
        if let Some(file) = parsed.value("file").cloned() {
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
                let recipe = recipe.trim_start_matches(['@', '-', '+']);
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

/// A word with a pattern replaced by an item.
fn replace(word: &Text, pattern: &str, item: &Text) -> Text {
    if !word.text.contains(pattern) || pattern.is_empty() {
        return word.clone();
    }
    Text {
        text: word.text.replace(pattern, &item.text),
        known: word.known && item.known,
        taint: match (word.taint.clone(), item.taint.clone()) {
            (Some(first), Some(second)) => Some(first.worse(second)),
            (first, second) => first.or(second),
        },
        offset: None,
        empty: None,
        ..word.clone()
    }
}
