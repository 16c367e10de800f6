//! Simple commands: alias, function, builtin or program, and what it does with its arguments.

use cmdai_schema::{
    Arg, CONTEXT_VARIABLES, Certainty, CodeSource, Dialect, EffectKind, Invocation, Span,
};

use crate::{
    analyser::Analyser,
    knowledge::{self, Program, Style, WrapKind},
    options::{self, Parsed},
    paths,
    state::Value,
    value::{Map, Stream, Taint, Text},
};

/// A call on its way to what it does.
pub(crate) struct Call<'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'a [Text],
    pub(crate) stdin: &'a Stream,
    pub(crate) span: Span,
}

/// Longest pattern that is tried on the names of programs.
const MAX_PATTERN: usize = 256;

/// A program of the system that is called by anything but its name.
const DISGUISED: &str = "a program is called by a pattern or a detour instead of its name";

impl Analyser<'_> {
    /// A call with its words expanded. Wrappers come here again with what they run.
    pub(crate) fn call(
        &mut self,
        words: &[Text],
        assignments: Vec<(String, Option<String>)>,
        stdin: &Stream,
        span: Span,
    ) -> Stream {
        self.deeper(span, |this| this.call_at(words, assignments, stdin, span))
            .unwrap_or(Stream::UNKNOWN)
    }

    /// True for builtins and reserved words of the shell that reads this.
    fn runs_itself(&self, name: &str) -> bool {
        cmdai_shell::is_builtin(name, self.dialect) || cmdai_shell::is_reserved(name, self.dialect)
    }

    /// The folder, where the text changes it; empty where it cannot be told.
    fn moved(&self) -> Option<String> {
        if !self.env.cwd_known {
            return Some(String::new());
        }
        (self.env.cwd != self.context.cwd).then(|| self.env.cwd.clone())
    }

    /// What the text set of the variables that tools read their context from.
    fn context_variables(&self) -> Vec<(String, Option<String>)> {
        let set = self.env.vars.iter();
        set.filter(|(name, _)| CONTEXT_VARIABLES.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.only().map(str::to_owned)))
            .collect()
    }

    fn call_at(
        &mut self,
        words: &[Text],
        assignments: Vec<(String, Option<String>)>,
        stdin: &Stream,
        span: Span,
    ) -> Stream {
        let folded;
        let words = if self.dialect == Dialect::Powershell {
            match self.ps_words(words, stdin) {
                Ok(words) => {
                    folded = words;
                    folded.as_slice()
                }
                Err(printed) => return printed,
            }
        } else {
            words
        };
        let Some((first, args)) = words.split_first() else {
            return Stream::Empty;
        };
        let (word, certainty) = self.program_word(first);
        let name = paths::base_name(&word).to_owned();
        let name = name.strip_suffix(".exe").unwrap_or(&name);
        let cmdlet = (self.dialect == Dialect::Powershell)
            .then(|| self.ps_program(&word, args))
            .flatten();
        let (name, program) = match cmdlet {
            Some(program) => (program.name.text(), Some(program)),
            None => (name, knowledge::find(name)),
        };
        let (pipeline, stage) = self.place.unwrap_or((self.pipelines.saturating_sub(1), 0));
        let told = certainty.is_some();
        self.chain
            .push(if told { name.to_owned() } else { String::new() });
        self.invoke(Invocation {
            program: if told { name.to_owned() } else { String::new() },
            word: word.clone(),
            args: args
                .iter()
                .map(|arg| Arg {
                    value: arg.known.then(|| arg.text.clone()),
                    span: arg.span,
                })
                .collect(),
            chain: self.chain.clone(),
            pipeline,
            stage,
            span,
            assignments,
            known: program.is_some(),
            builtin: told && !word.contains('/') && self.runs_itself(name),
            cwd: self.moved(),
            variables: self.context_variables(),
        });
        let ceiling = self.ceiling;
        if paths::is_disguised(&first.text, first.glob) {
            self.emit(
                EffectKind::Unknown {
                    why: DISGUISED.to_owned(),
                },
                first.span,
                Certainty::Likely,
            );
        }
        let printed = match certainty {
            None => {
                self.unknown_program(first, span);
                if first.empty.as_deref() == Some("") && !args.is_empty() {
                    // `$SUDO rm`: where it is empty, the next word is the program.
                    self.ceiling = ceiling.min(Certainty::Likely);
                    self.call(args, Vec::new(), stdin, span);
                }
                Stream::UNKNOWN
            }
            Some(certainty) => {
                self.ceiling = ceiling.min(certainty);
                let call = Call {
                    name,
                    args,
                    stdin,
                    span,
                };
                self.fed = *stdin != Stream::Empty;
                let printed = self.dispatch(&call, &word, first, program);
                if printed == Stream::UNKNOWN && self.prints_setup(&call) {
                    Stream::Known(String::new())
                } else {
                    printed
                }
            }
        };
        self.ceiling = ceiling;
        self.chain.pop();
        printed
    }

    fn unknown_program(&mut self, first: &Text, span: Span) {
        self.unknown = true;
        match &first.taint {
            Some(taint @ (Taint::Remote(_) | Taint::Made)) => {
                let taint = taint.clone();
                self.tainted_code(&taint, "shell", first.span);
            }
            _ => self.emit(
                EffectKind::Unknown {
                    why: "the program cannot be told".to_owned(),
                },
                span,
                Certainty::Unknown,
            ),
        }
    }

    /// The program that a word names, with how sure that is.
    fn program_word(&self, first: &Text) -> (String, Option<Certainty>) {
        if first.known && first.glob {
            // The shell would look in the folder; the programs known here are the best guess.
            const LIKELY: &[&str] = &[
                "rm", "cat", "bash", "sh", "curl", "wget", "nc", "dd", "chmod", "chown", "python3",
                "find", "shred", "mkfs", "sudo",
            ];
            let pattern = paths::base_name(&first.text);
            if pattern.len() > MAX_PATTERN {
                return (first.text.clone(), None);
            }
            let hit = LIKELY
                .iter()
                .copied()
                .find(|name| crate::glob::matches(pattern, name))
                .or_else(|| knowledge::matching(pattern).next());
            return match hit {
                Some(name) => (name.to_owned(), Some(Certainty::Likely)),
                None => (first.text.clone(), None),
            };
        }
        if first.known {
            return (first.text.clone(), Some(Certainty::Proven));
        }
        if let Some(empty) = &first.empty
            && knowledge::find(paths::base_name(empty)).is_some()
        {
            return (empty.clone(), Some(Certainty::Likely));
        }
        // A folder that is not known, and a name that is.
        if let Some((_, name)) = first.text.rsplit_once('/')
            && !name.contains(['$', '`'])
            && knowledge::find(name).is_some()
        {
            return (name.to_owned(), Some(Certainty::Likely));
        }
        (first.text.clone(), None)
    }

    fn dispatch(
        &mut self,
        call: &Call<'_>,
        word: &str,
        first: &Text,
        program: Option<&'static Program>,
    ) -> Stream {
        if let Some(program) = program.filter(|program| program.style == Style::Cmdlet) {
            return self.cmdlet(call, program);
        }
        let of_cmd = self.in_cmd && program.is_some_and(|program| program.style == Style::Slash);
        if of_cmd {
            // What cmd.exe does itself has names of other shells' builtins.
        } else if !word.contains('/') {
            // A wrapper that is a program of its own does not see the shell's functions.
            let outer = self
                .chain
                .len()
                .checked_sub(2)
                .and_then(|at| self.chain.get(at));
            let seen = outer.is_none_or(|outer| {
                matches!(
                    outer.as_str(),
                    "eval" | "time" | "source" | "." | "bash" | "sh" | "trap"
                ) || self.calls.iter().any(|(known, _)| known == outer)
            });
            if seen {
                let function = self
                    .env
                    .functions
                    .iter()
                    .find(|(known, _)| known == call.name)
                    .map(|(_, function)| function.clone());
                if let Some(Some(function)) = function {
                    return self.call_function(
                        call.name,
                        &function,
                        call.args.to_vec(),
                        call.stdin,
                    );
                }
                if let Some(text) = self.context.session.function(call.name) {
                    let function = crate::state::Function {
                        text: text.into_owned(),
                        map: Map::Fixed(call.span),
                        params: Vec::new(),
                    };
                    return self.call_function(
                        call.name,
                        &function,
                        call.args.to_vec(),
                        call.stdin,
                    );
                }
            }
            if let Some(printed) = self.builtin(call) {
                return printed;
            }
        } else {
            let path = self.absolute(word);
            if let Some(real) = self.copied_program(&path, call.name) {
                // `cp /bin/rm ./ls; ./ls -rf x`: it does what it is, not what it is called.
                let mut words = vec![Text::known(real, first.span)];
                words.extend(call.args.iter().cloned());
                return self.call(&words, Vec::new(), call.stdin, call.span);
            }
            if self.env.file(&path).is_some() {
                let language = "shell";
                let dialect = self.dialect;
                return self.script_file(first, language, Some(dialect), call.span);
            }
            let scratch = ["/tmp/", "/var/tmp/", "/dev/shm/"]
                .iter()
                .any(|folder| path.starts_with(folder));
            if program.is_none() || scratch {
                let source = if first.known {
                    CodeSource::File(path)
                } else {
                    CodeSource::Unknown
                };
                self.emit_code(source, "program", first.span);
            }
        }
        self.loads(call.name, call.args, call.span);
        let Some(program) = program else {
            if let Some(sub) = call.name.strip_prefix("git-") {
                let mut words = vec![Text::known("git", first.span), Text::known(sub, first.span)];
                words.extend(call.args.iter().cloned());
                return self.call(&words, Vec::new(), call.stdin, call.span);
            }
            if word.contains('/') || !self.bare_statement(call) {
                self.unfamiliar(call);
            }
            return through(call.stdin);
        };
        // `truncate users`, without a size: no file but a table is meant.
        if call.name == "truncate" && !word.contains('/') && self.bare_statement(call) {
            return Stream::UNKNOWN;
        }
        let mut parsed = options::parse(program, call.args);
        // `--version 1` says which, `--version` asks for it.
        let version = parsed.has("version")
            && parsed.value("version").is_none()
            && !call.args.windows(2).any(|pair| {
                matches!(pair, [name, value] if name.text == "--version" && !value.text.starts_with('-'))
            });
        if parsed.has("help") || version && program.wrap.is_none() {
            return Stream::Known(String::new());
        }
        // `aws s3 rb help`, `infisical export -h`
        if matches!(
            program.handler.text(),
            "cloud" | "aws" | "github" | "kubectl" | "instances"
        ) && (parsed.sub() == "help"
            || call.args.last().is_some_and(|last| {
                last.text == "-h" || last.text == "help" && program.handler == "aws"
            }))
        {
            return Stream::Known(String::new());
        }
        // An option of this name that the tables do not list is a trial run, or an error.
        let trial = ["dry-run", "dryrun", "whatif", "what-if", "just-print"];
        if program.wrap.is_none()
            && matches!(program.handler.text(), "" | "cloud" | "systemctl" | "redis")
            && trial.iter().any(|name| parsed.has(name))
            // Only deployments of this one can be tried out; elsewhere the option is an error.
            && !(program.name == "az" && parsed.sub() != "deployment")
        {
            return Stream::UNKNOWN;
        }
        if !program.rules.is_empty() {
            parsed.settled = self.apply_rules(&mut parsed, call.span);
        }
        if let Some((wrap, skip)) = options::wrap_of(&parsed) {
            return self.wrapped(call, &parsed, wrap.kind, skip, wrap.assignments);
        }
        if program.handler.is_empty() {
            if let Some(wrap) = program.wrap {
                return self.wrapped(
                    call,
                    &parsed,
                    wrap.kind,
                    usize::from(wrap.skip),
                    wrap.assignments,
                );
            }
            return self.printed_by(call, &parsed);
        }
        self.handle(call, &parsed)
    }

    /// The program of the system that a path stands for, by a copy or a link that the line made.
    fn copied_program(&self, path: &str, name: &str) -> Option<String> {
        let copy = self
            .env
            .copies
            .iter()
            .find(|(known, _)| known == path)
            .map(|(_, real)| real.as_str());
        let link = || {
            self.env
                .links
                .iter()
                .find(|(known, _)| known == path)
                .map(|(_, real)| real.as_str())
                .filter(|real| crate::programs::is_system_program(real))
        };
        let copy = copy.or_else(link);
        let real = copy.or_else(|| {
            let linked = !self.env.links.is_empty() && paths::base_name(path) != name;
            (linked && crate::programs::is_system_program(path)).then_some(path)
        })?;
        (paths::base_name(real) != name || copy.is_some())
            .then(|| paths::base_name(real).to_owned())
    }

    /// What a wrapper runs.
    pub(crate) fn wrapped(
        &mut self,
        call: &Call<'_>,
        parsed: &Parsed<'_>,
        kind: WrapKind,
        skip: usize,
        assignments: bool,
    ) -> Stream {
        let mut start = skip;
        let mut shown = Vec::new();
        let mut outer: Vec<(String, Option<Value>)> = Vec::new();
        if assignments {
            while let Some((_, text)) = parsed.operands.get(start) {
                let Some((name, value)) = text.text.split_once('=') else {
                    break;
                };
                if name.is_empty()
                    || !name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    break;
                }
                let value_text = text.after(name.len() + 1);
                self.note_assignment(name, &value_text, text.span, true);
                outer.push((name.to_owned(), self.env.slot(name).cloned()));
                let held = Text {
                    offset: None,
                    glob: false,
                    ..value_text
                };
                self.env.set(name, Value::text(held));
                shown.push((name.to_owned(), text.known.then(|| value.to_owned())));
                start += 1;
            }
        }
        let Some(&(mut at, _)) = parsed.operands.get(start) else {
            return Stream::UNKNOWN;
        };
        // No program's name begins with a dash: options of the wrapper behind its own operands.
        while start > 0
            && call
                .args
                .get(at)
                .is_some_and(|arg| arg.text.starts_with('-'))
        {
            at += 1;
        }
        let before = self.env.cwd.clone();
        if let Some(folder) = parsed.value("chdir") {
            self.env.cwd = self.absolute(&folder.text);
        }
        let printed = match kind {
            WrapKind::Argv => self.call(
                call.args.get(at..).unwrap_or_default(),
                shown,
                call.stdin,
                call.span,
            ),
            WrapKind::Shell => {
                let all: Vec<&Text> = call.args.get(at..).unwrap_or_default().iter().collect();
                let code = joined(&all, call.span);
                let dialect = self.dialect;
                self.shell_code(&code, dialect, call.stdin, true)
            }
        };
        self.env.cwd = before;
        for (name, value) in outer {
            self.env.restore(&name, value);
        }
        printed
    }
}

impl Analyser<'_> {
    /// A program that nothing is known about: its verbs still say something.
    pub(crate) fn unfamiliar(&mut self, call: &Call<'_>) {
        let trial = call
            .args
            .iter()
            .take_while(|arg| arg.text != "--")
            .any(|arg| {
                let name = arg.text.trim_start_matches('-');
                let (name, value) = name.split_once('=').unwrap_or((name, ""));
                arg.text.starts_with('-')
                    && matches!(name, "dry-run" | "dryrun" | "whatif" | "what-if")
                    && !matches!(value, "none" | "false" | "0" | "no" | "off")
            });
        if asks_only(call.args) || trial {
            return;
        }
        let words: Vec<&str> = call
            .args
            .iter()
            .map(|arg| arg.text.as_str())
            .filter(|text| !text.starts_with('-'))
            .take(4)
            .collect();
        const VERBS: &[&str] = &[
            "delete",
            "destroy",
            "purge",
            "terminate",
            "wipe",
            "drop",
            "unregister",
            "teardown",
        ];
        // `delete`, and `delete-job` too.
        let Some(at) = words.iter().take(3).position(|word| {
            VERBS.iter().any(|verb| {
                word.strip_prefix(verb)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ':']))
            })
        }) else {
            return;
        };
        // What is installed or shown is a name, not a verb.
        let earlier = words.iter().take(at).any(|word| {
            matches!(
                *word,
                "install"
                    | "add"
                    | "get"
                    | "list"
                    | "show"
                    | "describe"
                    | "info"
                    | "search"
                    | "run"
                    | "test"
                    | "plan"
                    | "help"
                    | "view"
                    | "create"
                    | "new"
            )
        });
        // A file, not a verb.
        if earlier || words.get(at).is_some_and(|word| word.contains(['.', '/'])) {
            return;
        }
        let resource = at
            .checked_sub(1)
            .and_then(|before| words.get(before))
            .map_or("resource", |word| word);
        let kind = EffectKind::ResourceDestroy {
            resource: (*resource).to_owned(),
            name: words
                .get(at + 1)
                .map_or_else(String::new, |word| (*word).to_owned()),
            provider: call.name.to_owned(),
            context: None,
        };
        self.emit(kind, call.span, Certainty::Likely);
    }
}

/// `--help` or `--version` stands among the arguments before `--`.
fn asks_only(args: &[Text]) -> bool {
    args.iter().take_while(|arg| arg.text != "--").any(|arg| {
        matches!(
            arg.text.as_str(),
            "--help" | "--version" | "-help" | "-version"
        )
    })
}

/// What comes out of a program that nothing is known about, by what goes in.
pub(crate) fn through(stdin: &Stream) -> Stream {
    match stdin {
        Stream::Empty => Stream::UNKNOWN,
        Stream::Known(_) | Stream::Partial(_) => Stream::Tainted(Taint::Made),
        tainted @ Stream::Tainted(_) => tainted.clone(),
    }
}

/// Arguments joined by blanks, as `eval` and `ssh` do.
pub(crate) fn joined(all: &[&Text], span: Span) -> Text {
    match all {
        [] => Text::known(String::new(), span),
        [one] => (*one).clone(),
        several => {
            let start = several.first().map_or(0, |text| text.span.start);
            let end = several.last().map_or(0, |text| text.span.end);
            let mut taint: Option<Taint> = None;
            for text in several {
                taint = match (taint, text.taint.clone()) {
                    (Some(first), Some(second)) => Some(first.worse(second)),
                    (first, second) => first.or(second),
                };
            }
            Text {
                text: several
                    .iter()
                    .map(|text| text.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
                known: several.iter().all(|text| text.known),
                span: cmdai_schema::Span { start, end },
                taint,
                ..Text::default()
            }
        }
    }
}
