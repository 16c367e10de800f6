//! Lua.

use cmdai_effects::script::{Id, Node, Parameter};
use tree_sitter::Node as Syntax;

use crate::{lower::Lower, texts::number};

/// Lowers a node.
pub(crate) fn node(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match node.kind() {
        "identifier" => {
            let name = lower.text(node).to_owned();
            lower.push(Node::Name(name))
        }
        "string" => {
            let raw = lower.text(node).starts_with('[');
            let text = lower.field_text(node, "content");
            let text = if raw { text } else { decimal(&text) };
            lower.string(text)
        }
        "number" => match number(lower.text(node)) {
            Some(value) => lower.push(Node::Number(value)),
            None => lower.nothing(),
        },
        "true" => lower.push(Node::Bool(true)),
        "false" => lower.push(Node::Bool(false)),
        "nil" | "empty_statement" | "break_statement" | "goto_statement" | "label_statement"
        | "hash_bang_line" | "attribute" => lower.nothing(),
        "vararg_expression" => lower.name("..."),
        "dot_index_expression" => {
            let table = lower.field(node, "table");
            let name = lower.field_text(node, "field");
            lower.push(Node::Member(table, name))
        }
        "method_index_expression" => {
            let table = lower.field(node, "table");
            let name = lower.field_text(node, "method");
            lower.push(Node::Member(table, name))
        }
        "bracket_index_expression" => {
            let table = lower.field(node, "table");
            let index = lower.field(node, "field");
            lower.push(Node::Index(table, index))
        }
        "function_call" => {
            let callee = lower.field(node, "name");
            let args = node
                .child_by_field_name("arguments")
                .map(|list| lower.named(list))
                .unwrap_or_default();
            let args = lower.each(args);
            lower.call(callee, args)
        }
        "binary_expression" => {
            let mark = lower
                .all(node)
                .get(1)
                .map(|mark| lower.text(*mark).to_owned())
                .unwrap_or_default();
            let left = lower.field(node, "left");
            let right = lower.field(node, "right");
            match mark.as_str() {
                ".." => lower.push(Node::Join(vec![left, right])),
                "or" | "and" => lower.push(Node::Either(vec![left, right])),
                "+" => lower.operator("-", left, right),
                "==" | "~=" => {
                    let nothing = lower.nothing();
                    lower.push(Node::Block(vec![left, right, nothing]))
                }
                mark => lower.operator(mark, left, right),
            }
        }
        "unary_expression" => {
            let value = lower.field(node, "operand");
            let nothing = lower.nothing();
            lower.push(Node::Block(vec![value, nothing]))
        }
        "table_constructor" => {
            let fields = lower.named(node);
            let named = fields
                .iter()
                .any(|field| field.child_by_field_name("name").is_some());
            if named {
                let mut pairs = Vec::new();
                for field in fields {
                    let key = match field.child_by_field_name("name") {
                        Some(name) if name.kind() == "identifier" => {
                            let name = lower.text(name).to_owned();
                            lower.string(name)
                        }
                        Some(name) => lower.visit(name),
                        None => lower.nothing(),
                    };
                    let value = lower.field(field, "value");
                    pairs.push((key, value));
                }
                return lower.push(Node::Map(pairs));
            }
            let mut all = Vec::new();
            for field in fields {
                all.push(lower.field(field, "value"));
            }
            lower.push(Node::List(all))
        }
        "assignment_statement" => {
            let parts = lower.named(node);
            let (Some(targets), Some(values)) = (parts.first(), parts.get(1)) else {
                return lower.nothing();
            };
            let targets = lower.named(*targets);
            let values = lower.named(*values);
            let mut all = Vec::new();
            for (target, value) in targets.into_iter().zip(values) {
                let value = lower.visit(value);
                let target = lower.visit(target);
                all.push(lower.assign(target, value, false));
            }
            lower.push(Node::Block(all))
        }
        "variable_declaration" => {
            let parts = lower.named(node);
            let parts = parts
                .into_iter()
                .filter(|part| part.kind() == "assignment_statement")
                .collect();
            let parts = lower.each(parts);
            lower.push(Node::Block(parts))
        }
        "for_statement" => {
            let body = lower.field(node, "body");
            let Some(clause) = node.child_by_field_name("clause") else {
                return body;
            };
            if clause.kind() != "for_generic_clause" {
                let target = lower.field(clause, "name");
                let first = lower.field(clause, "start");
                let last = lower.field(clause, "end");
                let over = lower.call_named("[count]", vec![first, last]);
                return lower.push(Node::Each { target, over, body });
            }
            let parts = lower.named(clause);
            let (Some(names), Some(over)) = (parts.first(), parts.get(1)) else {
                return body;
            };
            // The last name takes what matters: `for i, value in ipairs(list)`.
            let names = lower.named(*names);
            let target = match names.last() {
                Some(name) => lower.visit(*name),
                None => lower.nothing(),
            };
            let over = lower.visit(*over);
            lower.push(Node::Each { target, over, body })
        }
        "while_statement" | "repeat_statement" => lower.repeat(node),
        "if_statement" => {
            let mut otherwise = None;
            for part in lower.fields(node, "alternative").into_iter().rev() {
                otherwise = Some(if part.kind() == "elseif_statement" {
                    let condition = lower.field(part, "condition");
                    let then = lower.field(part, "consequence");
                    lower.branch(condition, then, otherwise)
                } else {
                    lower.field(part, "body")
                });
            }
            let condition = lower.field(node, "condition");
            let then = lower.field(node, "consequence");
            lower.branch(condition, then, otherwise)
        }
        "function_declaration" | "function_definition" => {
            let name = node
                .child_by_field_name("name")
                .map(|name| lower.text(name).replace(':', "."));
            let mut parameters = Vec::new();
            if let Some(list) = node.child_by_field_name("parameters") {
                for parameter in lower.named(list) {
                    let word = lower.text(parameter).to_owned();
                    parameters.push(Parameter {
                        rest: word == "...",
                        name: word,
                        default: None,
                    });
                }
            }
            let body = lower.field(node, "body");
            lower.push(Node::Function {
                name,
                parameters,
                body,
            })
        }
        "return_statement" => {
            let value = lower.through(node);
            lower.push(Node::Return(value))
        }
        "chunk"
        | "block"
        | "do_statement"
        | "parenthesized_expression"
        | "expression_list"
        | "else_statement"
        | "arguments" => lower.through(node),
        _ => lower.unread(node),
    }
}

/// Lua's escapes: a number after the backslash is decimal.
fn decimal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let digits = rest.bytes().take(3).take_while(u8::is_ascii_digit).count();
        let code = rest
            .get(..digits)
            .and_then(|digits| digits.parse::<u32>().ok())
            .and_then(char::from_u32);
        if let Some(character) = code {
            out.push(character);
            rest = rest.get(digits..).unwrap_or_default();
            continue;
        }
        // All others as everywhere.
        let end = rest
            .get(1..)
            .and_then(|more| more.find('\\'))
            .map_or(rest.len(), |at| at + 1);
        let end = if rest.starts_with('\\') { 1 } else { end };
        let part = format!("\\{}", rest.get(..end).unwrap_or_default());
        out.push_str(&crate::texts::unescaped(&part));
        rest = rest.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
