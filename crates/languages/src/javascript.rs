//! JavaScript.

use cmdai_effects::script::{Id, Node, Parameter};
use tree_sitter::Node as Syntax;

use crate::{
    lower::Lower,
    texts::{number, unescaped},
};

/// Lowers a node.
pub(crate) fn node(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match node.kind() {
        "identifier"
        | "property_identifier"
        | "shorthand_property_identifier"
        | "shorthand_property_identifier_pattern"
        | "private_property_identifier"
        | "import" => {
            let name = lower.text(node).to_owned();
            lower.push(Node::Name(name))
        }
        "this" => lower.name("this"),
        "super" => lower.name("super"),
        "string" | "template_string" => string(lower, node),
        "number" => match number(lower.text(node)) {
            Some(value) => lower.push(Node::Number(value)),
            None => lower.nothing(),
        },
        "true" => lower.push(Node::Bool(true)),
        "false" => lower.push(Node::Bool(false)),
        "null"
        | "undefined"
        | "regex"
        | "empty_statement"
        | "break_statement"
        | "continue_statement"
        | "debugger_statement"
        | "hash_bang_line"
        | "meta_property"
        | "optional_chain"
        | "statement_identifier" => lower.nothing(),
        "member_expression" => {
            let object = lower.field(node, "object");
            let name = lower.field_text(node, "property");
            lower.push(Node::Member(object, name))
        }
        "subscript_expression" => {
            let object = lower.field(node, "object");
            let index = lower.field(node, "index");
            lower.push(Node::Index(object, index))
        }
        "call_expression" => {
            let callee = lower.field(node, "function");
            let args = arguments(lower, node);
            lower.call(callee, args)
        }
        "new_expression" => {
            let callee = lower.field(node, "constructor");
            let args = arguments(lower, node);
            lower.call(callee, args)
        }
        "binary_expression" => binary(lower, node),
        "unary_expression" => {
            let value = lower.field(node, "argument");
            match lower.mark(node).as_str() {
                "-" => {
                    let zero = lower.push(Node::Number(0));
                    lower.operator("-", zero, value)
                }
                "+" | "void" => value,
                _ => {
                    let nothing = lower.nothing();
                    lower.push(Node::Block(vec![value, nothing]))
                }
            }
        }
        "update_expression" => {
            let target = lower.field(node, "argument");
            let unknown = lower.name("[counter]");
            lower.assign(target, unknown, false)
        }
        "ternary_expression" => {
            let condition = lower.field(node, "condition");
            let then = lower.field(node, "consequence");
            let otherwise = lower.field(node, "alternative");
            lower.branch(condition, then, Some(otherwise))
        }
        "array" | "array_pattern" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            lower.push(Node::List(parts))
        }
        "object" | "object_pattern" => object(lower, node),
        "spread_element" | "rest_pattern" => {
            let inner = lower.through(node);
            lower.push(Node::Spread(inner))
        }
        "assignment_pattern" | "object_assignment_pattern" => lower.field(node, "left"),
        "variable_declarator" => {
            if node.child_by_field_name("value").is_none() {
                return lower.nothing();
            }
            let value = lower.field(node, "value");
            let target = lower.field(node, "name");
            lower.assign(target, value, false)
        }
        "assignment_expression" => {
            let value = lower.field(node, "right");
            let target = lower.field(node, "left");
            lower.assign(target, value, false)
        }
        "augmented_assignment_expression" => {
            let value = lower.field(node, "right");
            let target = lower.field(node, "left");
            let adds = lower.mark(node) == "+=";
            if adds || matches!(lower.mark(node).as_str(), "||=" | "??=" | "&&=") {
                return lower.assign(target, value, adds);
            }
            let old = lower.field(node, "left");
            let mark = lower.mark(node);
            let value = lower.operator(mark.trim_end_matches('='), old, value);
            lower.assign(target, value, false)
        }
        "arrow_function"
        | "function_expression"
        | "function_declaration"
        | "generator_function"
        | "generator_function_declaration"
        | "method_definition" => function(lower, node),
        "class_declaration" | "class" => {
            let name = lower.field_text(node, "name");
            let body = lower.field(node, "body");
            lower.push(Node::Class { name, body })
        }
        "field_definition" => {
            let name = lower.field_text(node, "property");
            let value = lower.field(node, "value");
            let target = lower.name(&name);
            lower.assign(target, value, false)
        }
        "for_in_statement" => {
            let over = lower.field(node, "right");
            let target = lower.field(node, "left");
            let body = lower.field(node, "body");
            lower.push(Node::Each { target, over, body })
        }
        "for_statement" => {
            let first = lower.field(node, "initializer");
            let body = lower.field(node, "body");
            let step = lower.field(node, "increment");
            let body = lower.push(Node::Block(vec![body, step]));
            let repeat = lower.push(Node::Repeat(body));
            lower.push(Node::Block(vec![first, repeat]))
        }
        "while_statement" | "do_statement" => lower.repeat(node),
        "if_statement" => {
            let condition = lower.field(node, "condition");
            let then = lower.field(node, "consequence");
            let otherwise = node
                .child_by_field_name("alternative")
                .map(|otherwise| lower.visit(otherwise));
            lower.branch(condition, then, otherwise)
        }
        "switch_statement" => {
            let value = lower.field(node, "value");
            let body = lower.field(node, "body");
            lower.push(Node::Block(vec![value, body]))
        }
        "switch_body" => {
            let cases = lower.named(node);
            let cases = lower.each(cases);
            lower.push(Node::Either(cases))
        }
        "switch_case" | "switch_default" => {
            let parts = lower.fields(node, "body");
            let parts = lower.each(parts);
            lower.push(Node::Block(parts))
        }
        "return_statement" => {
            let value = lower.through(node);
            lower.push(Node::Return(value))
        }
        "import_statement" => imports(lower, node),
        "lexical_declaration" | "variable_declaration" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            lower.push(Node::Block(parts))
        }
        "catch_clause" | "labeled_statement" => lower.field(node, "body"),
        "program"
        | "expression_statement"
        | "parenthesized_expression"
        | "sequence_expression"
        | "statement_block"
        | "try_statement"
        | "finally_clause"
        | "else_clause"
        | "throw_statement"
        | "await_expression"
        | "yield_expression"
        | "export_statement"
        | "class_body"
        | "class_static_block"
        | "template_substitution"
        | "computed_property_name"
        | "with_statement"
        | "arguments" => lower.through(node),
        _ => lower.unread(node),
    }
}

fn arguments(lower: &mut Lower<'_>, node: Syntax<'_>) -> Vec<Id> {
    match node.child_by_field_name("arguments") {
        Some(list) if list.kind() == "template_string" => vec![lower.visit(list)],
        Some(list) => {
            let args = lower.named(list);
            lower.each(args)
        }
        None => Vec::new(),
    }
}

fn string(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let mut parts = Vec::new();
    let mut text = String::new();
    for child in lower.named(node) {
        match child.kind() {
            "string_fragment" => text.push_str(lower.text(child)),
            "escape_sequence" => text.push_str(&unescaped(lower.text(child))),
            _ => {
                if !text.is_empty() {
                    parts.push(lower.string(std::mem::take(&mut text)));
                }
                parts.push(lower.visit(child));
            }
        }
    }
    if !text.is_empty() {
        parts.push(lower.string(text));
    }
    lower.joined(parts)
}

fn binary(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    if let Some(joined) = lower.chain(node, "+") {
        return joined;
    }
    let mark = lower.mark(node);
    let left = lower.field(node, "left");
    let right = lower.field(node, "right");
    match mark.as_str() {
        "||" | "&&" | "??" => lower.push(Node::Either(vec![left, right])),
        _ => lower.operator(&mark, left, right),
    }
}

fn object(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let mut pairs = Vec::new();
    for part in lower.named(node) {
        let pair = match part.kind() {
            "pair" | "pair_pattern" => {
                let key = lower.field(part, "key");
                (key, lower.field(part, "value"))
            }
            "shorthand_property_identifier" | "shorthand_property_identifier_pattern" => {
                let name = lower.text(part).to_owned();
                let key = lower.string(name.clone());
                (key, lower.name(&name))
            }
            "object_assignment_pattern" => {
                let name = lower.field_text(part, "left");
                let key = lower.string(name.clone());
                (key, lower.name(&name))
            }
            "method_definition" => {
                let name = lower.field_text(part, "name");
                let key = lower.string(name);
                let value = function(lower, part);
                (key, value)
            }
            _ => {
                let key = lower.string("");
                (key, lower.through(part))
            }
        };
        pairs.push(pair);
    }
    lower.push(Node::Map(pairs))
}

fn function(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let mut parameters = Vec::new();
    let mut unpack = Vec::new();
    let list = match (
        node.child_by_field_name("parameter"),
        node.child_by_field_name("parameters"),
    ) {
        (Some(one), _) => vec![one],
        (None, Some(list)) => lower.named(list),
        (None, None) => Vec::new(),
    };
    for (at, parameter) in list.into_iter().enumerate() {
        let (target, default) = match parameter.kind() {
            "assignment_pattern" => (
                parameter.child_by_field_name("left").unwrap_or(parameter),
                parameter
                    .child_by_field_name("right")
                    .map(|value| lower.visit(value)),
            ),
            _ => (parameter, None),
        };
        let rest = target.kind() == "rest_pattern";
        let name = if target.kind() == "identifier" {
            lower.text(target).to_owned()
        } else if rest {
            lower.text(target).trim_start_matches('.').to_owned()
        } else {
            // `({path}) => …`: unpacked in the body.
            let name = format!("[{at}]");
            let value = lower.name(&name);
            let target = lower.visit(target);
            unpack.push(lower.assign(target, value, false));
            name
        };
        parameters.push(Parameter {
            name,
            default,
            rest,
        });
    }
    let name = node
        .child_by_field_name("name")
        .map(|name| lower.text(name).to_owned());
    let mut body = lower.field(node, "body");
    let block = node
        .child_by_field_name("body")
        .is_some_and(|body| body.kind() == "statement_block");
    if !block {
        body = lower.push(Node::Return(body));
    }
    if !unpack.is_empty() {
        unpack.push(body);
        body = lower.push(Node::Block(unpack));
    }
    lower.push(Node::Function {
        name,
        parameters,
        body,
    })
}

fn imports(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let source = lower.field_text(node, "source");
    let module = source
        .trim_matches(['"', '\'', '`'])
        .trim_start_matches("node:")
        .replace('/', ".");
    let mut all = Vec::new();
    for clause in lower.named(node) {
        if clause.kind() != "import_clause" {
            continue;
        }
        for part in lower.named(clause) {
            match part.kind() {
                "identifier" => {
                    let name = lower.text(part).to_owned();
                    all.push(lower.push(Node::Import {
                        module: module.clone(),
                        member: None,
                        name: Some(name),
                    }));
                }
                "namespace_import" => {
                    let name = lower
                        .named(part)
                        .first()
                        .map(|name| lower.text(*name).to_owned());
                    all.push(lower.push(Node::Import {
                        module: module.clone(),
                        member: None,
                        name,
                    }));
                }
                _ => {
                    for one in lower.named(part) {
                        let member = lower.field_text(one, "name");
                        let alias = lower.field_text(one, "alias");
                        let name = if alias.is_empty() {
                            member.clone()
                        } else {
                            alias
                        };
                        all.push(lower.push(Node::Import {
                            module: module.clone(),
                            member: Some(member),
                            name: Some(name),
                        }));
                    }
                }
            }
        }
    }
    lower.push(Node::Block(all))
}
