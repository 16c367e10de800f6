//! Goes through a tree as the shell would, on every way that is possible.

use std::{borrow::Cow, rc::Rc};

use cmdai_schema::{Certainty, Dialect, EffectKind};
use cmdai_shell::{AndOr, Command, CommandKind, Connector, List, Part, Pipeline, Tree, Word};

use crate::{
    analyser::{Analyser, Flow, Status},
    state::{Env, Function, Value},
    value::{Stream, Text},
};

/// Most calls of one function inside itself that are followed.
const MAX_RECURSION: usize = 6;

impl Analyser<'_> {
    /// Commands one after the other. What they print comes back.
    pub(crate) fn list(&mut self, tree: &Tree<'_>, list: &List<'_>, stdin: &Stream) -> Stream {
        let mut out = Stream::Empty;
        let single = list.items.len() == 1;
        for item in &list.items {
            let place = if single { self.place } else { None };
            let outer = std::mem::replace(&mut self.place, place);
            let beside = self.beside;
            let printed = if item.background {
                self.beside = true;
                let before = self.env.clone();
                let printed = self.and_or(tree, &item.and_or, stdin);
                self.leave_subshell(before);
                self.flow = Flow::On;
                self.status = Status::Unknown;
                printed
            } else {
                self.and_or(tree, &item.and_or, stdin)
            };
            self.beside = beside;
            self.place = outer;
            out = out.then(printed);
            if self.flow != Flow::On {
                break;
            }
        }
        out
    }

    fn and_or(&mut self, tree: &Tree<'_>, and_or: &AndOr<'_>, stdin: &Stream) -> Stream {
        if and_or.rest.is_empty() {
            return self.pipeline(tree, &and_or.first, stdin);
        }
        self.place = None;
        let mut out = self.pipeline(tree, &and_or.first, stdin);
        let mut guard = &and_or.first;
        for (connector, pipeline) in &and_or.rest {
            if self.flow != Flow::On {
                break;
            }
            let runs = *connector == Connector::And;
            match self.status {
                // Said in so many words: it does not run.
                Status::Said(success) if success != runs => continue,
                Status::Said(_) => out = out.then(self.pipeline(tree, pipeline, stdin)),
                status if status.known() == Some(runs) => {
                    out = out.then(self.pipeline(tree, pipeline, stdin));
                }
                // It does not run, as far as is known: what it would do is looked at all the same.
                status if status.known().is_some() => {
                    let before = self.env.clone();
                    self.pipeline(tree, pipeline, stdin);
                    self.env = before;
                    self.flow = Flow::On;
                    self.status = status;
                    continue;
                }
                _ => {
                    let before = self.env.clone();
                    self.learn(tree, guard, runs);
                    out = out.then(self.pipeline(tree, pipeline, stdin));
                    let left = self.flow != Flow::On;
                    self.flow = Flow::On;
                    self.status = Status::Unknown;
                    if left {
                        // What follows runs only where this did not.
                        self.env = before;
                        self.learn(tree, guard, !runs);
                    } else if *connector == Connector::Or {
                        let after = std::mem::replace(&mut self.env, before);
                        self.learn(tree, guard, true);
                        self.env.join(after);
                    }
                }
            }
            guard = pipeline;
        }
        out
    }

    /// What a test that came out true, or false, says: `[ -n "$x" ]`.
    pub(crate) fn learn(&mut self, tree: &Tree<'_>, pipeline: &Pipeline<'_>, success: bool) {
        let [command] = pipeline.stages.as_slice() else {
            return;
        };
        let words: &[Word<'_>] = match &command.kind {
            CommandKind::Simple(simple)
                if matches!(
                    simple.words.first().and_then(Word::bare),
                    Some("[" | "test")
                ) =>
            {
                simple.words.get(1..).unwrap_or_default()
            }
            CommandKind::Test(words) => words,
            _ => return,
        };
        let mut success = success != pipeline.negated;
        let words = match words.first().and_then(Word::bare) {
            Some("!") => {
                success = !success;
                words.get(1..).unwrap_or_default()
            }
            _ => words,
        };
        let about = match (words.first().and_then(Word::bare), success) {
            (Some("-n" | "-d" | "-e" | "-f"), true) | (Some("-z"), false) => words.get(1),
            (None, true) => {
                // `"$x" = text` says what it is.
                if let (Some(name), Some("=" | "=="), Some(right)) = (
                    words.first().and_then(plain_variable),
                    words.get(1).and_then(Word::bare),
                    words.get(2),
                ) {
                    if let Some(text) = right.literal()
                        && !text.is_empty()
                        && self.env.get(name).is_none_or(Value::is_open)
                    {
                        self.env.set(name, Value::known(text));
                    }
                    return;
                }
                words.first()
            }
            _ => None,
        };
        let _ = tree;
        if let Some(name) = about.and_then(plain_variable) {
            match self.env.get(name) {
                None => self.env.set(name, Value::solid(None)),
                Some(value) if value.is_open() => {
                    let mut value = value.clone();
                    for text in &mut value.alternatives {
                        if text.is_whole_unknown() {
                            text.empty = None;
                        }
                    }
                    value.alternatives.dedup();
                    self.env.set(name, value);
                }
                Some(_) => {}
            }
        }
    }

    pub(crate) fn pipeline(
        &mut self,
        tree: &Tree<'_>,
        pipeline: &Pipeline<'_>,
        stdin: &Stream,
    ) -> Stream {
        self.status = Status::Unknown;
        let printed = self.stages(tree, pipeline, stdin);
        if pipeline.negated {
            self.status = self.status.negated();
        }
        printed
    }

    fn stages(&mut self, tree: &Tree<'_>, pipeline: &Pipeline<'_>, stdin: &Stream) -> Stream {
        if let ([command], Some(_)) = (pipeline.stages.as_slice(), self.place) {
            return self.command(tree, command, stdin);
        }
        self.pipelines += 1;
        let number = self.pipelines - 1;
        let (outer, beside) = (self.place, self.beside);
        if let [command] = pipeline.stages.as_slice() {
            self.place = Some((number, 0));
            let printed = self.command(tree, command, stdin);
            self.place = outer;
            return printed;
        }
        self.beside = true;
        let mut flow: Option<Stream> = None;
        let last = pipeline.stages.len().saturating_sub(1);
        for (stage, command) in pipeline.stages.iter().enumerate() {
            self.place = Some((number, u32::try_from(stage).unwrap_or(u32::MAX)));
            let input = flow.as_ref().unwrap_or(stdin);
            // Each stage runs in a shell of its own; the last one does not in zsh and fish.
            let own = stage < last
                || matches!(self.dialect, Dialect::Bash | Dialect::Sh) && !self.env.lastpipe;
            let printed = if own {
                let before = self.env.clone();
                let printed = self.command(tree, command, input);
                self.leave_subshell(before);
                printed
            } else {
                self.command(tree, command, input)
            };
            self.flow = Flow::On;
            flow = Some(printed);
        }
        self.place = outer;
        self.beside = beside;
        flow.unwrap_or_default()
    }

    /// Back to the state before a subshell; files and links that it made stay.
    pub(crate) fn leave_subshell(&mut self, before: Env) {
        let inner = std::mem::replace(&mut self.env, before);
        self.env.files = inner.files;
        self.env.links = inner.links;
    }

    pub(crate) fn command(
        &mut self,
        tree: &Tree<'_>,
        command: &Command<'_>,
        stdin: &Stream,
    ) -> Stream {
        let span = self.map.span(command.span);
        self.deeper(span, |this| this.command_at(tree, command, stdin))
            .unwrap_or(Stream::UNKNOWN)
    }

    fn command_at(&mut self, tree: &Tree<'_>, command: &Command<'_>, stdin: &Stream) -> Stream {
        if let CommandKind::Simple(simple) = &command.kind {
            return self.simple(tree, simple, &command.redirections, command.span, stdin);
        }
        let span = self.map.span(command.span);
        if !self.step(span) {
            return Stream::UNKNOWN;
        }
        let redirected = self.redirections(tree, &command.redirections, stdin);
        let stdin = redirected.stdin.as_ref().unwrap_or(stdin);
        let cursors = self.cursors.len();
        if let Stream::Known(text) = stdin {
            self.cursors
                .push((std::ptr::from_ref(stdin) as usize, text.len(), 0));
        }
        let printed = match &command.kind {
            CommandKind::Simple(_) => Stream::Empty,
            CommandKind::Group(list) => self.list(tree, list, stdin),
            CommandKind::Subshell(list) => {
                let before = self.env.clone();
                let waiting = self.at_exit.len();
                let printed = self.list(tree, list, stdin);
                let flow = std::mem::take(&mut self.flow);
                self.leave_shell(waiting);
                self.flow = flow;
                self.leave_subshell(before);
                if self.flow != Flow::On {
                    self.flow = Flow::On;
                    self.status = Status::Unknown;
                }
                printed
            }
            CommandKind::If {
                branches,
                otherwise,
            } => self.condition(tree, branches, otherwise.as_ref(), stdin),
            CommandKind::Loop {
                until,
                condition,
                body,
            } => self.repeat(tree, *until, condition, body, stdin),
            CommandKind::For { name, words, body } => {
                self.iterate(tree, name, words.as_deref(), body, stdin)
            }
            CommandKind::ArithmeticFor { header, body } => self.count(tree, header, body, stdin),
            CommandKind::Case { word, arms } => self.case(tree, word, arms, stdin),
            CommandKind::Function {
                name,
                params,
                hooked,
                body,
            } => {
                let text = tree
                    .source
                    .get(body.span.start as usize..body.span.end as usize)
                    .unwrap_or("")
                    .to_owned();
                let map = match self.map.offset(body.span.start as usize) {
                    Some(offset) => crate::value::Map::Offset(offset),
                    None => self.map,
                };
                if name.contains("__cmdai") {
                    let span = self.map.span(command.span);
                    self.own(span);
                }
                let name = self.folded(name);
                self.env.functions.retain(|(known, _)| *known != name);
                let function = Rc::new(Function {
                    text,
                    map,
                    params: params.iter().map(|param| param.name.to_owned()).collect(),
                });
                self.env
                    .functions
                    .push((name.to_string(), Some(Rc::clone(&function))));
                if *hooked {
                    let ceiling = std::mem::replace(&mut self.ceiling, Certainty::Likely);
                    self.call_function(&name, &function, Vec::new(), &Stream::Empty);
                    self.ceiling = ceiling;
                }
                self.status = Status::Seen(true);
                Stream::Empty
            }
            CommandKind::Arithmetic(parts) => {
                let text = self.expand_inner(tree, parts);
                let value = self.calculate(&text);
                self.status = match (value, parts.as_slice()) {
                    (Some(value), [Part::Literal("0" | "1")]) => Status::Said(value != 0),
                    (Some(value), _) => Status::Seen(value != 0),
                    (None, _) => Status::Unknown,
                };
                Stream::Empty
            }
            CommandKind::Test(words) => {
                self.status = self.double_brackets(tree, words);
                Stream::Empty
            }
            CommandKind::Coproc(command) => {
                let beside = std::mem::replace(&mut self.beside, true);
                let before = self.env.clone();
                let out = self.command(tree, command, stdin);
                self.leave_subshell(before);
                self.flow = Flow::On;
                self.status = Status::Unknown;
                self.beside = beside;
                self.env.set("COPROC_PID", Value::solid(None));
                out
            }
            CommandKind::Repeat { count, body } => {
                self.place = None;
                self.expand_one(tree, count);
                self.list(tree, body, stdin)
            }
            kind @ (CommandKind::Expression(_)
            | CommandKind::Assign { .. }
            | CommandKind::Try { .. }
            | CommandKind::Params(_)) => {
                let span = self.map.span(command.span);
                self.ps_statement(tree, kind, stdin, span)
            }
            CommandKind::Unknown => {
                self.unknown = true;
                Stream::UNKNOWN
            }
        };
        self.cursors.truncate(cursors);
        self.finish_redirections(redirected, printed)
    }

    /// A name as it is held: in PowerShell the case of letters means nothing.
    pub(crate) fn folded<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.dialect == Dialect::Powershell && name.bytes().any(|byte| byte.is_ascii_uppercase())
        {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    }

    pub(crate) fn call_function(
        &mut self,
        name: &str,
        function: &Function,
        args: Vec<Text>,
        stdin: &Stream,
    ) -> Stream {
        let span = function
            .map
            .span(cmdai_schema::Span::new(0, function.text.len()));
        let inside = self
            .calls
            .iter()
            .filter(|(known, body)| known == name && *body == function.text)
            .count();
        let same = self.env.positional.as_deref() == Some(&args);
        if inside > 0 && (same || self.beside || inside >= MAX_RECURSION) {
            if self.beside {
                self.emit(
                    EffectKind::ResourceExhaustion {
                        how: "fork-bomb".to_owned(),
                    },
                    span,
                    Certainty::Proven,
                );
            }
            self.status = Status::Unknown;
            return Stream::UNKNOWN;
        }
        if !self.called.iter().any(|known| known == name) {
            self.called.push(name.to_owned());
        }
        self.calls.push((name.to_owned(), function.text.clone()));
        self.locals.push(Vec::new());
        // Names that the arguments get hold inside only.
        for (at, param) in function.params.iter().enumerate() {
            let param = self.folded(param);
            self.localise(&param);
            if self.dialect == Dialect::Fish {
                let given = args.get(at).cloned();
                self.fish_assign(&param, given.as_slice());
            }
        }
        if self.dialect == Dialect::Powershell {
            self.ps_bind(&function.params, &args);
            if *stdin != Stream::Empty {
                let all = crate::powershell::values(stdin, span);
                self.ps_set("_", &all);
                self.ps_set("input", &all);
            }
        }
        let positional = self.env.positional.replace(args);
        let cursors = self.cursors.len();
        if let Stream::Known(text) = stdin
            && !self
                .cursors
                .iter()
                .any(|(at, ..)| *at == std::ptr::from_ref(stdin) as usize)
        {
            self.cursors
                .push((std::ptr::from_ref(stdin) as usize, text.len(), 0));
        }
        let printed = self
            .deeper(span, |this| {
                this.nested_text(&function.text, function.map, this.dialect, stdin)
            })
            .unwrap_or(Stream::UNKNOWN);
        self.cursors.truncate(cursors);
        if self.flow != Flow::Exit {
            self.flow = Flow::On;
        }
        self.env.positional = positional;
        for (name, value) in self.locals.pop().unwrap_or_default().into_iter().rev() {
            self.env.restore(&name, value);
        }
        self.calls.pop();
        printed
    }

    /// A variable of the function being called: what it was outside comes back afterwards.
    pub(crate) fn localise(&mut self, name: &str) {
        let before = self.env.slot(name).cloned();
        if let Some(frame) = self.locals.last_mut()
            && !frame.iter().any(|(known, _)| known == name)
        {
            frame.push((name.to_owned(), before));
        }
    }
}

/// The variable that a word is, and nothing else: `$x`, `"$x"`, `${x}`, `"${x:-}"`.
pub(crate) fn plain_variable<'a>(word: &Word<'a>) -> Option<&'a str> {
    let mut parts = word.parts.as_slice();
    if let [Part::Double(inner)] = parts {
        parts = inner;
    }
    match parts {
        [Part::Variable(variable)]
            if variable.index.is_none()
                && !variable.indirect
                && !variable.length
                && (variable.op.is_none()
                    || matches!(variable.op, Some(cmdai_shell::Operator::Default { .. }))
                        && variable.operand.is_empty()) =>
        {
            Some(variable.name)
        }
        _ => None,
    }
}
