//! Goes through a tree as the shell would, on every way that is possible.

use std::rc::Rc;

use cmdai_schema::{Certainty, EffectKind};
use cmdai_shell::{AndOr, Command, CommandKind, Connector, List, Part, Pipeline, Tree, Word};

use crate::{
    analyser::Analyser,
    state::{Env, Function, Value},
    value::{Stream, Text},
};

/// Most rounds of a loop over a list.
const MAX_ROUNDS: usize = 64;

impl Analyser<'_> {
    /// Commands one after the other. What they print comes back.
    pub(crate) fn list(&mut self, tree: &Tree<'_>, list: &List<'_>, stdin: &Stream) -> Stream {
        let mut out = Stream::Empty;
        let single = list.items.len() == 1;
        for item in &list.items {
            let place = if single { self.place } else { None };
            let outer = std::mem::replace(&mut self.place, place);
            let beside = self.beside;
            if item.background {
                self.beside = true;
            }
            let printed = self.and_or(tree, &item.and_or, stdin);
            self.beside = beside;
            self.place = outer;
            out = out.then(printed);
        }
        out
    }

    fn and_or(&mut self, tree: &Tree<'_>, and_or: &AndOr<'_>, stdin: &Stream) -> Stream {
        if !and_or.rest.is_empty() {
            self.place = None;
        }
        let mut out = self.pipeline(tree, &and_or.first, stdin);
        let mut guard = &and_or.first;
        for (connector, pipeline) in &and_or.rest {
            match connector {
                Connector::And => {
                    self.learn(tree, guard);
                    out = out.then(self.pipeline(tree, pipeline, stdin));
                }
                Connector::Or => {
                    // It runs only where the left side failed.
                    let before = self.env.clone();
                    out = out.then(self.pipeline(tree, pipeline, stdin));
                    let after = std::mem::replace(&mut self.env, before);
                    let leaves = ends(pipeline);
                    if !leaves {
                        self.env.join(after);
                    }
                }
            }
            guard = pipeline;
        }
        out
    }

    /// What a test that came out true says: `[ -n "$x" ]`.
    fn learn(&mut self, tree: &Tree<'_>, pipeline: &Pipeline<'_>) {
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
        let _ = tree;
        let about = match (words.first().and_then(Word::bare), pipeline.negated) {
            (Some("-n" | "-d" | "-e" | "-f"), false) | (Some("-z"), true) => words.get(1),
            (None, false) => words.first(),
            (Some("!"), false) if words.get(1).and_then(Word::bare) == Some("-z") => words.get(2),
            _ => None,
        };
        let mut parts = about.map(|word| word.parts.as_slice()).unwrap_or_default();
        if let [Part::Double(inner)] = parts {
            parts = inner;
        }
        if let [Part::Variable(variable)] = parts {
            let mut value = self.env.get(variable.name).cloned().unwrap_or_default();
            if value.alternatives.is_empty() {
                value.not_empty = true;
                self.env.set(variable.name, value);
            }
        }
    }

    fn pipeline(&mut self, tree: &Tree<'_>, pipeline: &Pipeline<'_>, stdin: &Stream) -> Stream {
        if let ([command], place @ Some(_)) = (pipeline.stages.as_slice(), self.place) {
            let _ = place;
            return self.command(tree, command, stdin);
        }
        self.pipelines += 1;
        let number = self.pipelines - 1;
        let several = pipeline.stages.len() > 1;
        let (outer, beside) = (self.place, self.beside);
        self.beside |= several;
        let mut flow = stdin.clone();
        let last = pipeline.stages.len().saturating_sub(1);
        for (stage, command) in pipeline.stages.iter().enumerate() {
            self.place = Some((number, u32::try_from(stage).unwrap_or(u32::MAX)));
            // Each stage but the last runs in a shell of its own; so does the last one in most shells.
            flow = if several && stage < last {
                let before = self.env.clone();
                let printed = self.command(tree, command, &flow);
                self.leave_subshell(before);
                printed
            } else {
                self.command(tree, command, &flow)
            };
        }
        self.place = outer;
        self.beside = beside;
        flow
    }

    /// Back to the state before a subshell; files that it wrote stay.
    pub(crate) fn leave_subshell(&mut self, before: Env) {
        let inner = std::mem::replace(&mut self.env, before);
        self.env.files = inner.files;
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
        let redirected = self.redirections(tree, &command.redirections, stdin);
        let stdin = redirected.stdin.as_ref().unwrap_or(stdin);
        let printed = match &command.kind {
            CommandKind::Simple(_) => Stream::Empty,
            CommandKind::Group(list) => self.list(tree, list, stdin),
            CommandKind::Subshell(list) => {
                let before = self.env.clone();
                let printed = self.list(tree, list, stdin);
                self.leave_subshell(before);
                printed
            }
            CommandKind::If {
                branches,
                otherwise,
            } => self.condition(tree, branches, otherwise.as_ref(), stdin),
            CommandKind::Loop {
                condition, body, ..
            } => {
                self.place = None;
                let before = self.env.clone();
                let mut out = self.list(tree, condition, stdin);
                out = out.then(self.list(tree, body, stdin));
                self.env.join(before);
                out
            }
            CommandKind::For { name, words, body } => {
                self.iterate(tree, name, words.as_deref(), body, stdin)
            }
            CommandKind::ArithmeticFor { header, body } => {
                self.place = None;
                self.expand_inner(tree, header);
                let before = self.env.clone();
                let out = self.list(tree, body, stdin);
                self.env.join(before);
                out
            }
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
                self.env.functions.retain(|(known, _)| known != name);
                let function = Rc::new(Function {
                    text,
                    map,
                    params: params.iter().map(|param| param.name.to_owned()).collect(),
                });
                self.env
                    .functions
                    .push(((*name).to_owned(), Some(Rc::clone(&function))));
                if *hooked {
                    let ceiling = std::mem::replace(&mut self.ceiling, Certainty::Likely);
                    self.call_function(name, &function, Vec::new(), &Stream::Empty);
                    self.ceiling = ceiling;
                }
                Stream::Empty
            }
            CommandKind::Arithmetic(parts) => {
                self.expand_inner(tree, parts);
                Stream::Empty
            }
            CommandKind::Test(words) => {
                for word in words {
                    self.expand_one(tree, word);
                }
                Stream::Empty
            }
            CommandKind::Coproc(command) => {
                let beside = std::mem::replace(&mut self.beside, true);
                let out = self.command(tree, command, stdin);
                self.beside = beside;
                out
            }
            CommandKind::Repeat { count, body } => {
                self.place = None;
                self.expand_one(tree, count);
                self.list(tree, body, stdin)
            }
            CommandKind::Expression(_)
            | CommandKind::Assign { .. }
            | CommandKind::Try { .. }
            | CommandKind::Params(_) => Stream::UNKNOWN,
            CommandKind::Unknown => {
                self.unknown = true;
                Stream::UNKNOWN
            }
        };
        self.finish_redirections(redirected, printed)
    }

    fn condition(
        &mut self,
        tree: &Tree<'_>,
        branches: &[(List<'_>, List<'_>)],
        otherwise: Option<&List<'_>>,
        stdin: &Stream,
    ) -> Stream {
        self.place = None;
        let mut out = Stream::Empty;
        let mut ways: Vec<Env> = Vec::new();
        for (condition, body) in branches {
            out = out.then(self.list(tree, condition, stdin));
            let before = self.env.clone();
            if let [.., item] = condition.items.as_slice() {
                let last = item
                    .and_or
                    .rest
                    .last()
                    .map_or(&item.and_or.first, |(_, pipeline)| pipeline);
                self.learn(tree, last);
            }
            out = out.then(self.list(tree, body, stdin));
            ways.push(std::mem::replace(&mut self.env, before));
        }
        if let Some(body) = otherwise {
            out = out.then(self.list(tree, body, stdin));
        }
        for way in ways {
            self.env.join(way);
        }
        out
    }

    fn iterate(
        &mut self,
        tree: &Tree<'_>,
        name: &str,
        words: Option<&[Word<'_>]>,
        body: &List<'_>,
        stdin: &Stream,
    ) -> Stream {
        self.place = None;
        let values: Vec<Text> = match words {
            Some(words) => self.expand_words(tree, words),
            None => self.env.positional.clone().unwrap_or_default(),
        };
        let mut out = Stream::Empty;
        if values.is_empty() {
            self.env.set(
                name,
                Value {
                    not_empty: true,
                    ..Value::default()
                },
            );
            return self.list(tree, body, stdin);
        }
        if values.len() > MAX_ROUNDS {
            self.unknown = true;
        }
        for value in values.iter().take(MAX_ROUNDS) {
            let held = if value.known {
                Value::known(value.text.clone())
            } else {
                Value {
                    not_empty: true,
                    ..Value::unknown(value.taint.clone())
                }
            };
            self.env.set(name, held);
            out = out.then(self.list(tree, body, stdin));
            if self.steps > 3_000 {
                break;
            }
        }
        out
    }

    fn case(
        &mut self,
        tree: &Tree<'_>,
        word: &Word<'_>,
        arms: &[cmdai_shell::Arm<'_>],
        stdin: &Stream,
    ) -> Stream {
        self.place = None;
        let subject = self.expand_one(tree, word);
        let mut out = Stream::Empty;
        let mut ways: Vec<Env> = Vec::new();
        for arm in arms {
            let patterns: Vec<Text> = arm
                .patterns
                .iter()
                .map(|pattern| self.expand_one(tree, pattern))
                .collect();
            let sure = subject.known && patterns.iter().all(|pattern| pattern.known);
            let hit = patterns
                .iter()
                .any(|pattern| crate::glob::matches(&pattern.text, &subject.text));
            if sure && !hit {
                continue;
            }
            let before = self.env.clone();
            out = out.then(self.list(tree, &arm.body, stdin));
            if sure {
                ways.clear();
                break;
            }
            ways.push(std::mem::replace(&mut self.env, before));
        }
        for way in ways {
            self.env.join(way);
        }
        out
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
        if self
            .calls
            .iter()
            .any(|(known, body)| known == name && *body == function.text)
        {
            if self.beside {
                self.emit(
                    EffectKind::ResourceExhaustion {
                        how: "fork-bomb".to_owned(),
                    },
                    span,
                    Certainty::Proven,
                );
            }
            return Stream::UNKNOWN;
        }
        if !self.called.iter().any(|known| known == name) {
            self.called.push(name.to_owned());
        }
        self.calls.push((name.to_owned(), function.text.clone()));
        // Names that the arguments get hold inside only.
        let mut outer = Vec::with_capacity(function.params.len());
        for (at, param) in function.params.iter().enumerate() {
            outer.push((param.clone(), self.env.get(param).cloned()));
            let given = args.get(at).cloned();
            self.fish_assign(param, given.as_slice());
        }
        let positional = self.env.positional.replace(args);
        let printed = self
            .deeper(span, |this| {
                this.nested_text(&function.text, function.map, this.dialect, stdin)
            })
            .unwrap_or(Stream::UNKNOWN);
        self.env.positional = positional;
        for (name, value) in outer {
            match value {
                Some(value) => self.env.set(&name, value),
                None => self.env.vars.retain(|(known, _)| *known != name),
            }
        }
        self.calls.pop();
        printed
    }
}

/// True where the pipeline leaves the shell or loop, so that nothing after it runs.
fn ends(pipeline: &Pipeline<'_>) -> bool {
    let [command] = pipeline.stages.as_slice() else {
        return false;
    };
    match &command.kind {
        CommandKind::Simple(simple) => matches!(
            simple.words.first().and_then(Word::bare),
            Some("exit" | "return" | "break" | "continue" | "die" | "exec")
        ),
        CommandKind::Group(list) => list
            .items
            .last()
            .is_some_and(|item| item.and_or.rest.is_empty() && ends(&item.and_or.first)),
        _ => false,
    }
}
