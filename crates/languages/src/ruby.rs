//! Ruby.

use cmdai_effects::script::{Id, Node, Parameter};
use tree_sitter::Node as Syntax;

use crate::{
    lower::Lower,
    texts::{number, plain, unescaped},
};

/// Lowers a node.
pub(crate) fn node(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match node.kind() {
        "identifier" | "constant" | "instance_variable" | "class_variable" | "global_variable"
        | "self" | "super" => {
            let name = lower.text(node).to_owned();
            lower.push(Node::Name(name))
        }
        "string" | "chained_string" | "bare_string" | "heredoc_body" | "delimited_symbol"
        | "bare_symbol" => string(lower, node),
        "simple_symbol" | "hash_key_symbol" => {
            let name = lower.text(node).trim_matches(':').to_owned();
            lower.string(name)
        }
        "character" => {
            let text = lower.text(node).trim_start_matches('?').to_owned();
            lower.string(text)
        }
        "subshell" => {
            let text = string(lower, node);
            lower.push(Node::Shell(text))
        }
        "heredoc_beginning" => heredoc(lower, node),
        "integer" => match number(lower.text(node)) {
            Some(value) => lower.push(Node::Number(value)),
            None => lower.nothing(),
        },
        "true" => lower.push(Node::Bool(true)),
        "false" => lower.push(Node::Bool(false)),
        "float" | "nil" | "regex" | "empty_statement" | "next" | "redo" | "retry"
        | "superclass" | "alias" | "undef" | "uninterpreted" | "rational" | "complex"
        | "exceptions" | "exception_variable" => lower.nothing(),
        "scope_resolution" => {
            let name = lower.field_text(node, "name");
            match node.child_by_field_name("scope") {
                Some(scope) => {
                    let scope = lower.visit(scope);
                    lower.push(Node::Member(scope, name))
                }
                None => lower.name(&name),
            }
        }
        "call" | "method_call" | "command" | "command_call" => call(lower, node),
        "element_reference" => {
            let object = lower.field(node, "object");
            let parts = lower.named(node);
            let parts: Vec<Id> = parts
                .into_iter()
                .skip(1)
                .map(|part| lower.visit(part))
                .collect();
            match parts.as_slice() {
                [index] => lower.push(Node::Index(object, *index)),
                _ => lower.member_call(object, "[]", parts),
            }
        }
        "binary" => binary(lower, node),
        "unary" => {
            let value = lower.field(node, "operand");
            if lower.text(node).starts_with('-') {
                let zero = lower.push(Node::Number(0));
                return lower.operator("-", zero, value);
            }
            let nothing = lower.nothing();
            lower.push(Node::Block(vec![value, nothing]))
        }
        "conditional" | "if" | "elsif" => {
            let condition = lower.field(node, "condition");
            let then = lower.field(node, "consequence");
            let otherwise = node
                .child_by_field_name("alternative")
                .map(|otherwise| lower.visit(otherwise));
            lower.branch(condition, then, otherwise)
        }
        "unless" => {
            let condition = lower.field(node, "condition");
            let nothing = lower.nothing();
            let condition = lower.push(Node::Block(vec![condition, nothing]));
            let then = lower.field(node, "consequence");
            let otherwise = node
                .child_by_field_name("alternative")
                .map(|otherwise| lower.visit(otherwise));
            lower.branch(condition, then, otherwise)
        }
        "if_modifier" => {
            let condition = lower.field(node, "condition");
            let body = lower.field(node, "body");
            lower.branch(condition, body, None)
        }
        "unless_modifier" => {
            let condition = lower.field(node, "condition");
            let nothing = lower.nothing();
            let condition = lower.push(Node::Block(vec![condition, nothing]));
            let body = lower.field(node, "body");
            lower.branch(condition, body, None)
        }
        "while" | "until" | "while_modifier" | "until_modifier" => lower.repeat(node),
        "for" => {
            let over = lower.field(node, "value");
            let target = lower.field(node, "pattern");
            let body = lower.field(node, "body");
            lower.push(Node::Each { target, over, body })
        }
        "case" | "case_match" => {
            let value = lower.field(node, "value");
            let parts: Vec<_> = lower
                .named(node)
                .into_iter()
                .filter(|part| matches!(part.kind(), "when" | "else" | "in_clause"))
                .collect();
            let parts = lower.each(parts);
            let either = lower.push(Node::Either(parts));
            lower.push(Node::Block(vec![value, either]))
        }
        "when" | "in_clause" | "rescue" => lower.field(node, "body"),
        "array"
        | "string_array"
        | "symbol_array"
        | "right_assignment_list"
        | "left_assignment_list" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            lower.push(Node::List(parts))
        }
        "hash" => hash(lower, node),
        "splat_argument" | "hash_splat_argument" | "rest_assignment" => {
            let inner = lower.through(node);
            lower.push(Node::Spread(inner))
        }
        "block_argument" => {
            let inner = lower.named(node);
            match inner.first() {
                // `&:name` calls that method of each.
                Some(symbol) if symbol.kind() == "simple_symbol" => {
                    let name = lower.text(*symbol).trim_start_matches(':').to_owned();
                    let one = lower.name("[one]");
                    let body = lower.member_call(one, &name, Vec::new());
                    lower.push(Node::Function {
                        name: None,
                        parameters: vec![Parameter {
                            name: "[one]".to_owned(),
                            default: None,
                            rest: false,
                        }],
                        body,
                    })
                }
                _ => lower.through(node),
            }
        }
        "assignment" => {
            let value = lower.field(node, "right");
            let target = lower.field(node, "left");
            lower.assign(target, value, false)
        }
        "operator_assignment" => {
            let value = lower.field(node, "right");
            let target = lower.field(node, "left");
            let mark = lower.mark(node);
            if matches!(mark.as_str(), "+=" | "<<=" | "||=" | "&&=") {
                return lower.assign(target, value, mark == "+=" || mark == "<<=");
            }
            let old = lower.field(node, "left");
            let value = lower.operator(mark.trim_end_matches('='), old, value);
            lower.assign(target, value, false)
        }
        "method" | "singleton_method" | "lambda" => function(lower, node),
        "block" | "do_block" => function(lower, node),
        "class" | "module" | "singleton_class" => {
            let name = lower.field_text(node, "name");
            let body = lower.field(node, "body");
            lower.push(Node::Class { name, body })
        }
        "return" | "break" => {
            let value = lower.through(node);
            lower.push(Node::Return(value))
        }
        "program"
        | "then"
        | "do"
        | "else"
        | "ensure"
        | "begin"
        | "body_statement"
        | "block_body"
        | "parenthesized_statements"
        | "argument_list"
        | "interpolation"
        | "in"
        | "pattern"
        | "begin_block"
        | "end_block"
        | "expression_statement"
        | "rescue_modifier"
        | "yield"
        | "range"
        | "destructured_left_assignment"
        | "parenthesized_unary" => lower.through(node),
        _ => lower.unread(node),
    }
}

fn string(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let single = lower.text(node).starts_with('\'');
    let mut parts = Vec::new();
    for child in lower.named(node) {
        match child.kind() {
            "string_content" | "heredoc_content" => {
                let text = lower.text(child);
                let text = if single { plain(text) } else { text.to_owned() };
                parts.push(lower.string(text));
            }
            "escape_sequence" => {
                let text = lower.text(child);
                let text = if single { plain(text) } else { unescaped(text) };
                parts.push(lower.string(text));
            }
            "heredoc_end" => {}
            "string" => parts.push(string(lower, child)),
            _ => parts.push(lower.visit(child)),
        }
    }
    lower.joined(parts)
}

/// The text that follows on later lines.
fn heredoc(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let shell = lower.text(node).contains('`');
    match lower.following(node, "heredoc_body") {
        Some(body) => {
            let text = string(lower, body);
            if shell {
                lower.push(Node::Shell(text))
            } else {
                text
            }
        }
        None => lower.unread(node),
    }
}

fn call(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let name = lower.field_text(node, "method");
    let callee = match node.child_by_field_name("receiver") {
        Some(receiver) => {
            let receiver = lower.visit(receiver);
            let name = if name.is_empty() { "call" } else { &name };
            lower.push(Node::Member(receiver, name.to_owned()))
        }
        None => match node.child_by_field_name("method") {
            Some(method) if method.kind() == "scope_resolution" => lower.visit(method),
            _ => lower.name(&name),
        },
    };
    let mut args = Vec::new();
    let mut named = Vec::new();
    let list = node
        .child_by_field_name("arguments")
        .map(|list| lower.named(list))
        .unwrap_or_default();
    for arg in list {
        if arg.kind() == "pair" {
            let key = match arg.child_by_field_name("key") {
                Some(key) if key.kind() == "hash_key_symbol" || key.kind() == "simple_symbol" => {
                    lower.text(key).trim_matches(':').to_owned()
                }
                Some(key) => lower.text(key).trim_matches(['"', '\'']).to_owned(),
                None => String::new(),
            };
            let value = lower.field(arg, "value");
            named.push((key, value));
        } else {
            args.push(lower.visit(arg));
        }
    }
    if let Some(block) = node.child_by_field_name("block") {
        args.push(lower.visit(block));
    }
    lower.push(Node::Call {
        callee,
        args,
        named,
    })
}

fn binary(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    if let Some(joined) = lower.chain(node, "+") {
        return joined;
    }
    let mark = lower.mark(node);
    let left = lower.field(node, "left");
    let right = lower.field(node, "right");
    match mark.as_str() {
        "||" | "&&" | "or" | "and" => lower.push(Node::Either(vec![left, right])),
        "=~" | "==" | "!=" | "!~" | "===" | "<" | ">" | "<=" | ">=" | "<=>" => {
            let nothing = lower.nothing();
            lower.push(Node::Block(vec![left, right, nothing]))
        }
        mark => lower.operator(mark, left, right),
    }
}

fn hash(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let mut pairs = Vec::new();
    for pair in lower.named(node) {
        if pair.kind() == "pair" {
            let key = lower.field(pair, "key");
            let value = lower.field(pair, "value");
            pairs.push((key, value));
        } else {
            let key = lower.string("");
            let value = lower.through(pair);
            pairs.push((key, value));
        }
    }
    lower.push(Node::Map(pairs))
}

fn function(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let name = node
        .child_by_field_name("name")
        .map(|name| lower.text(name).to_owned());
    let mut parameters = Vec::new();
    if let Some(list) = node.child_by_field_name("parameters") {
        for parameter in lower.named(list) {
            let word = match parameter.child_by_field_name("name") {
                Some(name) => lower.text(name).to_owned(),
                None => lower.text(parameter).to_owned(),
            };
            let default = parameter
                .child_by_field_name("value")
                .map(|value| lower.visit(value));
            parameters.push(Parameter {
                name: word,
                default,
                rest: parameter.kind() == "splat_parameter",
            });
        }
    }
    let body = match node.child_by_field_name("body") {
        // The braces of a lambda are its body, not another function.
        Some(body) if matches!(body.kind(), "block" | "do_block") => lower.field(body, "body"),
        Some(body) => lower.visit(body),
        None => lower.nothing(),
    };
    lower.push(Node::Function {
        name,
        parameters,
        body,
    })
}
