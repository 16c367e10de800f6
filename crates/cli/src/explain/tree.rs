//! The parse tree as lines with branches, with what each command does below it.

use cmdai_gate::escape;
use cmdai_schema::{Analysis, Dialect, Span};
use cmdai_shell::{Command, CommandKind, List, Pipeline};

use super::phrase::{Paths, clause};
use super::story::holds;
use crate::screen;

/// A line with what hangs below it.
struct Node {
    label: String,
    below: Vec<Node>,
}

impl Node {
    fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            below: Vec::new(),
        }
    }
}

/// The text as a tree, one line each.
pub(crate) fn lines(text: &str, dialect: Dialect, analysis: &Analysis, home: &str) -> Vec<String> {
    let tree = cmdai_shell::parse(text, dialect);
    let drawing = Drawing {
        text,
        analysis,
        paths: Paths { home },
    };
    let mut out = Vec::new();
    for node in drawing.list(&tree.body) {
        out.push(node.label);
        draw(&node.below, "", &mut out);
    }
    out
}

fn draw(nodes: &[Node], indent: &str, out: &mut Vec<String>) {
    let last = nodes.len().saturating_sub(1);
    for (at, node) in nodes.iter().enumerate() {
        let (branch, deeper) = if at == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        out.push(format!("{indent}{branch}{}", node.label));
        draw(&node.below, &format!("{indent}{deeper}"), out);
    }
}

struct Drawing<'a> {
    text: &'a str,
    analysis: &'a Analysis,
    paths: Paths<'a>,
}

impl Drawing<'_> {
    fn list(&self, list: &List<'_>) -> Vec<Node> {
        let mut out = Vec::new();
        for item in &list.items {
            let mut first = self.pipeline(&item.and_or.first);
            if item.background {
                first.label.push_str(&screen::dim(" (in the background)"));
            }
            out.push(first);
            for (connector, pipeline) in &item.and_or.rest {
                let mut node = self.pipeline(pipeline);
                let word = match connector {
                    cmdai_shell::Connector::And => "and then ",
                    cmdai_shell::Connector::Or => "or else ",
                };
                node.label = format!("{}{}", screen::dim(word), node.label);
                out.push(node);
            }
        }
        out
    }

    fn pipeline(&self, pipeline: &Pipeline<'_>) -> Node {
        if let [one] = pipeline.stages.as_slice() {
            return self.command(one);
        }
        let mut node = Node::new(format!("pipeline of {}", pipeline.stages.len()));
        node.below = pipeline
            .stages
            .iter()
            .map(|stage| self.command(stage))
            .collect();
        node
    }

    fn command(&self, command: &Command<'_>) -> Node {
        let part = |label: &str, list: &List<'_>| {
            let mut node = Node::new(screen::dim(label));
            node.below = self.list(list);
            node
        };
        match &command.kind {
            CommandKind::Simple(_)
            | CommandKind::Test(_)
            | CommandKind::Arithmetic(_)
            | CommandKind::Expression(_)
            | CommandKind::Params(_) => self.simple(command.span),
            CommandKind::Subshell(list) => {
                let mut node = Node::new("subshell");
                node.below = self.list(list);
                node
            }
            CommandKind::Group(list) => {
                let mut node = Node::new("group");
                node.below = self.list(list);
                node
            }
            CommandKind::If {
                branches,
                otherwise,
            } => {
                let mut node = Node::new("if");
                for (condition, body) in branches {
                    node.below.push(part("condition", condition));
                    node.below.push(part("then", body));
                }
                if let Some(body) = otherwise {
                    node.below.push(part("else", body));
                }
                node
            }
            CommandKind::Loop {
                until,
                condition,
                body,
            } => {
                let mut node = Node::new(if *until { "until" } else { "while" });
                node.below.push(part("condition", condition));
                node.below.push(part("each time", body));
                node
            }
            CommandKind::For { name, words, body } => {
                let words = words.as_ref().map_or_else(
                    || "the arguments".to_owned(),
                    |words| {
                        words
                            .iter()
                            .map(|word| word.span.of(self.text))
                            .collect::<Vec<_>>()
                            .join(" ")
                    },
                );
                let mut node = Node::new(format!("for {} in {}", escape(name), escape(&words)));
                node.below = self.list(body);
                node
            }
            CommandKind::ArithmeticFor { body, .. } => {
                let mut node = Node::new("for (( … ))");
                node.below = self.list(body);
                node
            }
            CommandKind::Case { word, arms } => {
                let mut node = Node::new(format!("case {}", escape(word.span.of(self.text))));
                for arm in arms {
                    let patterns: Vec<&str> = arm
                        .patterns
                        .iter()
                        .map(|word| word.span.of(self.text))
                        .collect();
                    node.below
                        .push(part(&escape(&patterns.join(" | ")), &arm.body));
                }
                node
            }
            CommandKind::Function { name, body, .. } => {
                let mut node = Node::new(format!("function {}", escape(name)));
                node.below.push(self.command(body));
                node
            }
            CommandKind::Coproc(inner) => {
                let mut node = Node::new("coproc");
                node.below.push(self.command(inner));
                node
            }
            CommandKind::Assign { value, .. } => {
                let mut node = Node::new(one_line(command.span.of(self.text)));
                node.below = self.list(value);
                node
            }
            CommandKind::Try {
                body,
                catches,
                finally,
            } => {
                let mut node = Node::new("try");
                node.below = self.list(body);
                node.below
                    .extend(catches.iter().map(|list| part("catch", list)));
                node.below
                    .extend(finally.iter().map(|list| part("finally", list)));
                node
            }
            CommandKind::Repeat { count, body } => {
                let mut node = Node::new(format!("repeat {}", escape(count.span.of(self.text))));
                node.below = self.list(body);
                node
            }
            CommandKind::Unknown => Node::new(format!(
                "{} {}",
                screen::dim("not understood:"),
                one_line(command.span.of(self.text))
            )),
        }
    }

    /// A simple command, what it runs inside, and what all of it does.
    fn simple(&self, span: Span) -> Node {
        let mut node = Node::new(one_line(span.of(self.text)));
        for call in &self.analysis.invocations {
            if holds(span, call.span) && call.chain.len() > 1 {
                let words: Vec<String> = call
                    .args
                    .iter()
                    .map(|arg| arg.value.clone().unwrap_or_else(|| "‹unknown›".to_owned()))
                    .collect();
                let label = format!(
                    "{} {} {}",
                    screen::dim(&format!(
                        "{} runs",
                        call.chain
                            .get(call.chain.len() - 2)
                            .map_or("", String::as_str)
                    )),
                    call.program,
                    one_line(&words.join(" "))
                );
                node.below.push(Node::new(label.trim_end().to_owned()));
            }
        }
        let mut said: Vec<String> = Vec::new();
        for effect in self
            .analysis
            .effects
            .iter()
            .filter(|effect| holds(span, effect.span))
        {
            let clause = clause(effect, &self.paths);
            let gap = if clause.object.is_empty() { "" } else { " " };
            let line = format!("→ {}{gap}{}{}", clause.verb, clause.object, clause.tail);
            if !said.contains(&line) {
                said.push(line);
            }
        }
        node.below
            .extend(said.into_iter().map(|line| Node::new(escape(&line))));
        node
    }
}

fn one_line(text: &str) -> String {
    escape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
