//! The text as pipelines in their order, each with what it depends on.

use cmdai_schema::Span;
use cmdai_shell::{AndOr, Command, CommandKind, Connector, Expr, List, Part, Pipeline, Word};

use super::phrase::listed;

/// One pipeline, or what stands for one.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// The whole of it.
    pub(crate) span: Span,
    /// When it runs: `if that works`, `for each of a and b`.
    pub(crate) when: Vec<String>,
    /// What it is, where it runs no program.
    pub(crate) own: Own,
}

/// What the shell does itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Own {
    /// Runs programs.
    Nothing,
    /// Only checks a condition.
    Check,
    /// Sets these variables.
    Sets(Vec<String>),
    /// Defines this function.
    Defines(String),
}

/// Deepest nesting that is walked; the parser reads no deeper.
const DEEP: usize = cmdai_shell::MAX_DEPTH as usize + 2;

/// Walks a tree.
pub(crate) struct Walker<'t> {
    text: &'t str,
    when: Vec<String>,
    /// True where something happens inside a span.
    happens: &'t dyn Fn(Span) -> bool,
    pub(crate) leaves: Vec<Leaf>,
    /// Functions that the text defines.
    pub(crate) functions: Vec<String>,
}

impl<'t> Walker<'t> {
    pub(crate) fn new(text: &'t str, happens: &'t dyn Fn(Span) -> bool) -> Self {
        Self {
            text,
            when: Vec::new(),
            happens,
            leaves: Vec::new(),
            functions: Vec::new(),
        }
    }

    pub(crate) fn list(&mut self, list: &List<'_>) {
        for item in &list.items {
            let depth = self.when.len();
            if item.background {
                self.when.push("in the background".to_owned());
            }
            self.and_or(&item.and_or);
            self.when.truncate(depth);
        }
    }

    fn and_or(&mut self, and_or: &AndOr<'_>) {
        self.pipeline(&and_or.first);
        for (connector, pipeline) in &and_or.rest {
            self.within(
                match connector {
                    Connector::And => "if that works",
                    Connector::Or => "if that fails",
                }
                .to_owned(),
                |walker| walker.pipeline(pipeline),
            );
        }
    }

    fn within(&mut self, when: String, inner: impl FnOnce(&mut Self)) {
        if self.when.len() > DEEP {
            return;
        }
        let depth = self.when.len();
        self.when.push(when);
        inner(self);
        self.when.truncate(depth);
    }

    fn pipeline(&mut self, pipeline: &Pipeline<'_>) {
        match pipeline.stages.as_slice() {
            [] => {}
            [one] => self.command(one),
            [first, .., last] => {
                if pipeline.stages.iter().all(|stage| {
                    matches!(
                        stage.kind,
                        CommandKind::Simple(_) | CommandKind::Expression(_)
                    )
                }) {
                    let span = Span {
                        start: first.span.start,
                        end: last.span.end,
                    };
                    self.leaf(span, Own::Nothing);
                    return;
                }
                for (at, stage) in pipeline.stages.iter().enumerate() {
                    if at == 0 {
                        self.command(stage);
                    } else {
                        self.within("with what that prints".to_owned(), |walker| {
                            walker.command(stage)
                        });
                    }
                }
            }
        }
    }

    fn leaf(&mut self, span: Span, own: Own) {
        self.leaves.push(Leaf {
            span,
            when: self.when.clone(),
            own,
        });
    }

    fn command(&mut self, command: &Command<'_>) {
        match &command.kind {
            CommandKind::Simple(simple) => {
                let names: Vec<String> = simple
                    .assignments
                    .iter()
                    .map(|set| set.name.to_owned())
                    .collect();
                let own = match simple.words.first() {
                    None if !names.is_empty() => Own::Sets(names),
                    Some(word)
                        if word.bare().is_some_and(|name| {
                            matches!(name, "[" | "test" | "true" | "false" | ":")
                        }) =>
                    {
                        Own::Check
                    }
                    _ => Own::Nothing,
                };
                self.leaf(command.span, own);
            }
            CommandKind::Subshell(list) | CommandKind::Group(list) => self.list(list),
            CommandKind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    self.check(condition);
                    let said = format!("if {} holds", self.quoted(condition));
                    self.within(said, |walker| walker.list(body));
                }
                if let Some(body) = otherwise {
                    self.within("otherwise".to_owned(), |walker| walker.list(body));
                }
            }
            CommandKind::Loop {
                until,
                condition,
                body,
            } => {
                let source = list_span(condition).of(self.text).trim();
                let said = match (until, source) {
                    (false, "true" | ":") => "again and again, without end".to_owned(),
                    (false, source) if source.starts_with("read ") || source.contains(" read ") => {
                        "for each line that comes in".to_owned()
                    }
                    (false, _) => format!("as long as {} holds", self.quoted(condition)),
                    (true, _) => format!("until {} holds", self.quoted(condition)),
                };
                if !said.starts_with("for each line") {
                    self.check(condition);
                }
                self.within(said, |walker| walker.list(body));
            }
            CommandKind::For { words, body, .. } => {
                let said = match words {
                    None => "for each argument".to_owned(),
                    Some(words) => {
                        let words: Vec<String> = words.iter().map(|word| self.word(word)).collect();
                        format!("for each of {}", listed(&words))
                    }
                };
                self.within(said, |walker| walker.list(body));
            }
            CommandKind::ArithmeticFor { body, .. } => {
                self.within("again and again, counting".to_owned(), |walker| {
                    walker.list(body)
                });
            }
            CommandKind::Case { word, arms } => {
                for arm in arms {
                    let patterns: Vec<&str> = arm
                        .patterns
                        .iter()
                        .map(|word| word.span.of(self.text))
                        .collect();
                    let said = format!("where {} is {}", self.word(word), patterns.join(" or "));
                    self.within(said, |walker| walker.list(&arm.body));
                }
            }
            CommandKind::Function { name, body, .. } => {
                self.functions.push((*name).to_owned());
                if (self.happens)(body.span) {
                    self.within(format!("as part of {name}"), |walker| walker.command(body));
                } else {
                    self.leaf(command.span, Own::Defines((*name).to_owned()));
                }
            }
            CommandKind::Coproc(inner) => self.within("in the background".to_owned(), |walker| {
                walker.command(inner)
            }),
            CommandKind::Arithmetic(_) | CommandKind::Test(_) => {
                self.leaf(command.span, Own::Check)
            }
            CommandKind::Repeat { count, body } => {
                let said = format!("{} times over", self.word(count));
                self.within(said, |walker| walker.list(body));
            }
            CommandKind::Try {
                body,
                catches,
                finally,
            } => {
                self.list(body);
                for list in catches {
                    self.within("if that fails".to_owned(), |walker| walker.list(list));
                }
                if let Some(list) = finally {
                    self.within("in the end".to_owned(), |walker| walker.list(list));
                }
            }
            CommandKind::Params(_) => {}
            CommandKind::Assign { target, value, .. } => {
                if (self.happens)(list_span(value)) {
                    self.list(value);
                } else if let Expr::Word(word) = target {
                    let name = word.span.of(self.text).trim_start_matches('$').to_owned();
                    self.leaf(command.span, Own::Sets(vec![name]));
                }
            }
            CommandKind::Expression(_) | CommandKind::Unknown => {
                self.leaf(command.span, Own::Nothing)
            }
        }
        // A compound command may have redirections of its own.
        if !command.redirections.is_empty() && !matches!(command.kind, CommandKind::Simple(_)) {
            for redirection in &command.redirections {
                if (self.happens)(redirection.span) {
                    self.leaf(redirection.span, Own::Nothing);
                }
            }
        }
    }

    /// The programs of a condition, where they do something.
    fn check(&mut self, condition: &List<'_>) {
        if (self.happens)(list_span(condition)) {
            self.list(condition);
        }
    }

    fn quoted(&self, list: &List<'_>) -> String {
        short(list_span(list).of(self.text))
    }

    fn word(&self, word: &Word<'_>) -> String {
        let long = word
            .parts
            .iter()
            .any(|part| matches!(part, Part::Command(..) | Part::CommandText(..)));
        let text = word.span.of(self.text);
        if long {
            format!(
                "the words that {} prints",
                short(
                    text.trim_matches('"')
                        .trim_start_matches("$(")
                        .trim_end_matches(')')
                )
            )
        } else {
            text.to_owned()
        }
    }
}

/// A text in back quotes, cut where it is long.
pub(crate) fn short(text: &str) -> String {
    const LONG: usize = 40;
    let one: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one.chars().count() <= LONG {
        return format!("`{one}`");
    }
    let cut: String = one.chars().take(LONG - 1).collect();
    format!("`{cut}…`")
}

fn list_span(list: &List<'_>) -> Span {
    let first = list
        .items
        .first()
        .and_then(|item| item.and_or.first.stages.first());
    let last = list.items.last().and_then(|item| {
        let last = item
            .and_or
            .rest
            .last()
            .map_or(&item.and_or.first, |(_, pipeline)| pipeline);
        last.stages.last()
    });
    match (first, last) {
        (Some(first), Some(last)) => Span {
            start: first.span.start,
            end: last.span.end,
        },
        _ => Span::default(),
    }
}
