//! Simple commands: their words, assignments and redirections, once for each combination of values.

use cmdai_schema::Span;
use cmdai_shell::{Redirection, Simple, Tree};

use crate::{
    analyser::{Analyser, Flow, Status},
    state::{Env, Value},
    value::{Map, Stream},
};

impl Analyser<'_> {
    pub(crate) fn simple(
        &mut self,
        tree: &Tree<'_>,
        simple: &Simple<'_>,
        redirections: &[Redirection<'_>],
        local: Span,
        stdin: &Stream,
    ) -> Stream {
        let span = self.map.span(local);
        if let Some(code) = self.env.before_each.take() {
            let dialect = self.dialect;
            self.shell_code(&code, dialect, &Stream::Empty, false);
            self.env.before_each.get_or_insert(code);
        }
        if !self.step(span) {
            return Stream::UNKNOWN;
        }
        if !self.env.several || self.picks.inner {
            return self.simple_once(tree, simple, redirections, span, stdin);
        }
        let outer = std::mem::take(&mut self.picks);
        let before = self.env.clone();
        let mut after: Option<Env> = None;
        let mut printed = Stream::Empty;
        let mut status = Status::Unknown;
        let mut flow = Flow::On;
        let mut choice = 0;
        loop {
            self.picks.choice = choice;
            let out = self.simple_once(tree, simple, redirections, span, stdin);
            let left = std::mem::take(&mut self.flow);
            if choice == 0 {
                (printed, status, flow) = (out, self.status, left);
            } else {
                if printed != out {
                    printed = Stream::Tainted(
                        out.taint()
                            .or(printed.taint())
                            .cloned()
                            .unwrap_or(crate::value::Taint::Unknown),
                    );
                }
                if status != self.status {
                    status = Status::Unknown;
                }
                if flow != left {
                    flow = Flow::On;
                }
            }
            choice += 1;
            if choice >= self.picks.total() || !self.step(span) {
                break;
            }
            let done = std::mem::replace(&mut self.env, before.clone());
            match &mut after {
                Some(after) => after.join(done),
                None => after = Some(done),
            }
        }
        if let Some(after) = after {
            self.env.join(after);
        }
        (self.status, self.flow) = (status, flow);
        self.picks = outer;
        printed
    }

    fn simple_once(
        &mut self,
        tree: &Tree<'_>,
        simple: &Simple<'_>,
        redirections: &[Redirection<'_>],
        span: Span,
        stdin: &Stream,
    ) -> Stream {
        if let Some(printed) = self.alias(tree, simple, redirections, span, stdin) {
            return printed;
        }
        let outer = self.declaring.take();
        self.declaring = self.declaration(simple);
        let words = self.expand_words(tree, &simple.words);
        self.declaring = outer;
        if words.is_empty() {
            self.status = Status::Seen(true);
            self.assignments(tree, simple);
            let redirected = self.redirections(tree, redirections, stdin);
            // What a substitution among the assignments printed goes nowhere.
            return self.finish_redirections(redirected, Stream::Empty);
        }
        let assignments = if simple.assignments.is_empty() {
            Vec::new()
        } else {
            self.assignments(tree, simple)
        };
        let redirected = self.redirections(tree, redirections, stdin);
        let input = redirected.stdin.as_ref().unwrap_or(stdin);
        let before: Vec<(String, Option<Value>)> = assignments
            .iter()
            .map(|(name, ..)| (name.clone(), self.env.slot(name).cloned()))
            .collect();
        let mut shown = Vec::new();
        for (name, value, text) in assignments {
            shown.push((name.clone(), text.known.then(|| text.text.clone())));
            self.env.set(&name, value);
        }
        self.status = Status::Unknown;
        let printed = self.call(&words, shown, input, span);
        for (name, value) in before {
            self.env.restore(&name, value);
        }
        if let [only] = words.as_slice()
            && only.text == "exec"
        {
            // `exec 3<>FILE` changes the shell itself.
            self.flow = Flow::On;
            if let Some(stream) = &redirected.stdin {
                self.env.descriptors.push((0, stream.clone()));
            }
        }
        self.finish_redirections(redirected, printed)
    }

    /// An alias of the text or the session in place of the first word.
    fn alias(
        &mut self,
        tree: &Tree<'_>,
        simple: &Simple<'_>,
        redirections: &[Redirection<'_>],
        span: Span,
        stdin: &Stream,
    ) -> Option<Stream> {
        let first = simple.words.first()?;
        let name = first.bare()?;
        if self.expanding.iter().any(|known| known == name) {
            return None;
        }
        let value = match self.env.aliases.iter().find(|(known, _)| known == name) {
            Some((_, value)) => value.clone(),
            None => self.context.session.alias(name)?.into_owned(),
        };
        if self.expanding.len() > 8 {
            self.unknown_region(span, "aliases are nested too deeply");
            return Some(Stream::UNKNOWN);
        }
        let plain = {
            let inner = cmdai_shell::parse(&value, self.dialect);
            match inner.body.items.as_slice() {
                [item] if item.and_or.rest.is_empty() && inner.complete => {
                    match item.and_or.first.stages.as_slice() {
                        [command] => {
                            matches!(&command.kind, cmdai_shell::CommandKind::Simple(inner) if inner.assignments.is_empty() && command.redirections.is_empty())
                        }
                        _ => false,
                    }
                }
                _ => false,
            }
        };
        self.expanding.push(name.to_owned());
        let alias_span = self.map.span(first.span);
        let printed = if plain {
            // The alias's words, then the others, each with its place.
            let inner = cmdai_shell::parse(&value, self.dialect);
            let outer = std::mem::replace(&mut self.map, Map::Fixed(alias_span));
            let mut words = match inner
                .body
                .items
                .first()
                .and_then(|item| item.and_or.first.stages.first())
                .map(|command| &command.kind)
            {
                Some(cmdai_shell::CommandKind::Simple(simple)) => {
                    self.expand_words(&inner, &simple.words)
                }
                _ => Vec::new(),
            };
            self.map = outer;
            words.extend(self.expand_words(tree, simple.words.get(1..).unwrap_or_default()));
            let redirected = self.redirections(tree, redirections, stdin);
            let input = redirected.stdin.clone();
            let printed = self.call(&words, Vec::new(), input.as_ref().unwrap_or(stdin), span);
            self.finish_redirections(redirected, printed)
        } else {
            let rest = tree.source.get(first.span.end as usize..).unwrap_or("");
            let end = simple
                .words
                .last()
                .map_or(0, |word| (word.span.end - first.span.end) as usize);
            let text = format!("{value}{}", rest.get(..end).unwrap_or(""));
            let redirected = self.redirections(tree, redirections, stdin);
            let input = redirected.stdin.clone();
            let dialect = self.dialect;
            let printed = self
                .deeper(span, |this| {
                    this.nested_text(
                        &text,
                        Map::Fixed(span),
                        dialect,
                        input.as_ref().unwrap_or(stdin),
                    )
                })
                .unwrap_or(Stream::UNKNOWN);
            self.finish_redirections(redirected, printed)
        };
        self.expanding.pop();
        Some(printed)
    }
}
