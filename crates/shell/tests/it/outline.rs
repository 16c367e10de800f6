//! A tree in a few characters.

use cmdai_shell::{AndOr, Command, CommandKind, Connector, Expr, Item, List, Pipeline, Tree};

/// Commands by name, with the count of their arguments where they have some.
pub(crate) fn outline(tree: &Tree<'_>) -> String {
    list(tree, &tree.body)
}

fn list(tree: &Tree<'_>, list: &List<'_>) -> String {
    list.items
        .iter()
        .map(|one| item(tree, one))
        .collect::<Vec<_>>()
        .join(" ")
}

fn item(tree: &Tree<'_>, item: &Item<'_>) -> String {
    let AndOr { first, rest } = &item.and_or;
    let mut out = pipeline(tree, first);
    for (connector, next) in rest {
        out += if *connector == Connector::And {
            " && "
        } else {
            " || "
        };
        out += &pipeline(tree, next);
    }
    out + if item.background { "&" } else { "" }
}

fn pipeline(tree: &Tree<'_>, pipeline: &Pipeline<'_>) -> String {
    let not = if pipeline.negated { "!" } else { "" };
    let stages: Vec<_> = pipeline
        .stages
        .iter()
        .map(|stage| command(tree, stage))
        .collect();
    match stages.as_slice() {
        [one] => format!("{not}{one}"),
        many => format!("{not}({})", many.join(" | ")),
    }
}

fn command(tree: &Tree<'_>, command: &Command<'_>) -> String {
    match &command.kind {
        CommandKind::Simple(simple) => {
            let mut out: Vec<String> = simple
                .assignments
                .iter()
                .map(|assignment| format!("{}=", assignment.name))
                .collect();
            if let Some(first) = simple.words.first() {
                let name = first.span.of(tree.source);
                let rest = simple.words.len() - 1;
                out.push(if rest > 0 {
                    format!("{name}/{rest}")
                } else {
                    name.to_owned()
                });
            }
            out.join(" ")
        }
        CommandKind::Group(body) => format!("{{{}}}", list(tree, body)),
        CommandKind::Subshell(body) => format!("({})", list(tree, body)),
        CommandKind::If {
            branches,
            otherwise,
        } => {
            let mut all: Vec<String> = branches
                .iter()
                .map(|(condition, body)| format!("{}: {}", list(tree, condition), list(tree, body)))
                .collect();
            all.extend(
                otherwise
                    .iter()
                    .map(|body| format!("else {}", list(tree, body))),
            );
            format!("if[{}]", all.join("; "))
        }
        CommandKind::Loop {
            condition, body, ..
        } => {
            format!("loop[{}: {}]", list(tree, condition), list(tree, body))
        }
        CommandKind::For { name, words, body } => format!(
            "for {name}/{}[{}]",
            words.as_ref().map_or(0, Vec::len),
            list(tree, body)
        ),
        CommandKind::Case { arms, .. } => format!(
            "case[{}]",
            arms.iter()
                .map(|arm| format!("{}: {}", arm.patterns.len(), list(tree, &arm.body)))
                .collect::<Vec<_>>()
                .join("; ")
        ),
        CommandKind::Function {
            name,
            params,
            hooked,
            body,
        } => {
            let names: Vec<_> = params.iter().map(|param| param.name).collect();
            let names = if names.is_empty() {
                String::new()
            } else {
                format!("({})", names.join(" "))
            };
            let hooked = if *hooked { " hooked" } else { "" };
            let body = match &body.kind {
                CommandKind::Group(body) => list(tree, body),
                _ => "?".to_owned(),
            };
            format!("function {name}{names}{hooked}[{body}]")
        }
        CommandKind::Expression(value) => expression(tree, value),
        CommandKind::Assign { target, op, value } => {
            format!("{}{op}{}", expression(tree, target), list(tree, value))
        }
        CommandKind::Try {
            body,
            catches,
            finally,
        } => {
            let mut out = format!("try[{}]", list(tree, body));
            for body in catches {
                out += &format!("catch[{}]", list(tree, body));
            }
            if let Some(body) = finally {
                out += &format!("finally[{}]", list(tree, body));
            }
            out
        }
        CommandKind::Params(params) => format!("param/{}", params.len()),
        CommandKind::Repeat { body, .. } => format!("repeat[{}]", list(tree, body)),
        other => format!("{other:?}")
            .split([' ', '('])
            .next()
            .unwrap_or("")
            .to_owned(),
    }
}

fn expression(tree: &Tree<'_>, value: &Expr<'_>) -> String {
    let all = |values: &[Expr<'_>]| {
        values
            .iter()
            .map(|value| expression(tree, value))
            .collect::<Vec<_>>()
            .join(",")
    };
    match value {
        Expr::Word(word) => word.span.of(tree.source).to_owned(),
        Expr::Array(values) => format!("[{}]", all(values)),
        Expr::Statements(body, _) => format!("({})", list(tree, body)),
        Expr::Block(body, _) => format!("{{{}}}", list(tree, body)),
        Expr::Hash(pairs) => format!("hash/{}", pairs.len()),
        Expr::Unary(op, value) => format!("<{op} {}>", expression(tree, value)),
        Expr::Chain(first, rest) => {
            let mut out = expression(tree, first);
            for (op, next) in rest {
                out += &format!(" {op} {}", expression(tree, next));
            }
            format!("<{out}>")
        }
        Expr::Cast(name, value) => format!("[{name}]{}", expression(tree, value)),
        Expr::Type(name) => format!("[{name}]"),
        Expr::Member(target, name, _) => {
            format!("{}.{}", expression(tree, target), expression(tree, name))
        }
        Expr::Invoke(target, name, args, _) => {
            format!(
                "{}.{}({})",
                expression(tree, target),
                expression(tree, name),
                all(args)
            )
        }
        Expr::Index(target, index) => {
            format!("{}[{}]", expression(tree, target), expression(tree, index))
        }
        Expr::Unknown(_) => "?".to_owned(),
    }
}
