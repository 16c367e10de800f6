//! PHP.

use cmdai_effects::script::{Id, Node, Parameter};
use tree_sitter::Node as Syntax;

use crate::{
    lower::Lower,
    texts::{number, plain, unescaped},
};

/// Lowers a node.
pub(crate) fn node(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match node.kind() {
        "variable_name" => {
            let name = lower.text(node).to_owned();
            lower.push(Node::Name(name))
        }
        "name" | "relative_scope" => {
            let name = lower.text(node).to_owned();
            lower.push(Node::Name(name))
        }
        "qualified_name" | "namespace_name" => {
            let name = lower.text(node).trim_start_matches('\\').replace('\\', ".");
            lower.push(Node::Name(name))
        }
        "relative_name" => {
            let name = lower
                .text(node)
                .rsplit('\\')
                .next()
                .unwrap_or_default()
                .to_owned();
            lower.push(Node::Name(name))
        }
        "string" => {
            let text = lower.text(node).to_owned();
            let text = text
                .get(1..text.len().saturating_sub(1))
                .unwrap_or_default();
            lower.string(plain(text))
        }
        "encapsed_string" | "heredoc" | "nowdoc" | "heredoc_body" | "nowdoc_body" => {
            string(lower, node)
        }
        "shell_command_expression" => {
            let text = string(lower, node);
            lower.push(Node::Shell(text))
        }
        "integer" => match number(lower.text(node)) {
            Some(value) => lower.push(Node::Number(value)),
            None => lower.nothing(),
        },
        "boolean" => {
            let holds = lower.text(node).eq_ignore_ascii_case("true");
            lower.push(Node::Bool(holds))
        }
        "float"
        | "null"
        | "empty_statement"
        | "break_statement"
        | "continue_statement"
        | "php_tag"
        | "php_end_tag"
        | "namespace_use_declaration"
        | "namespace_definition"
        | "text"
        | "comment"
        | "use_declaration"
        | "global_declaration"
        | "unset_statement"
        | "declare_statement"
        | "static_modifier"
        | "visibility_modifier"
        | "heredoc_start"
        | "heredoc_end"
        | "text_interpolation"
        | "goto_statement"
        | "named_label_statement"
        | "attribute_list" => lower.nothing(),
        "dynamic_variable_name" => {
            // `${name}` in a text; `$$name` is a variable by its value.
            let inner = lower.named(node);
            match inner.first() {
                Some(name) if name.kind() == "name" => {
                    let name = format!("${}", lower.text(*name));
                    lower.name(&name)
                }
                _ => {
                    let inner = lower.through(node);
                    lower.call_named("[variable]", vec![inner])
                }
            }
        }
        "member_access_expression" | "nullsafe_member_access_expression" => {
            let object = lower.field(node, "object");
            let name = lower.field_text(node, "name");
            lower.push(Node::Member(object, name))
        }
        "class_constant_access_expression" | "scoped_property_access_expression" => {
            let parts = lower.named(node);
            let Some((first, rest)) = parts.split_first() else {
                return lower.nothing();
            };
            let first = lower.visit(*first);
            let name = rest
                .first()
                .map(|name| lower.text(*name).trim_start_matches('$').to_owned())
                .unwrap_or_default();
            lower.push(Node::Member(first, name))
        }
        "subscript_expression" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            match parts.as_slice() {
                [of, index] => lower.push(Node::Index(*of, *index)),
                [of, ..] => *of,
                [] => lower.nothing(),
            }
        }
        "function_call_expression" => {
            let callee = match node.child_by_field_name("function") {
                Some(name)
                    if matches!(name.kind(), "name" | "qualified_name" | "relative_name") =>
                {
                    lower.visit(name)
                }
                // A text names the function.
                Some(other) => {
                    let value = lower.visit(other);
                    lower.call_named("[callee]", vec![value])
                }
                None => lower.nothing(),
            };
            let (args, named) = arguments(lower, node);
            lower.push(Node::Call {
                callee,
                args,
                named,
            })
        }
        "member_call_expression" | "nullsafe_member_call_expression" => {
            let object = lower.field(node, "object");
            method(lower, node, object)
        }
        "scoped_call_expression" => {
            let scope = lower.field(node, "scope");
            method(lower, node, scope)
        }
        "object_creation_expression" => {
            let parts = lower.named(node);
            let callee = match parts.first() {
                Some(name) => lower.visit(*name),
                None => lower.nothing(),
            };
            let args = parts
                .iter()
                .find(|part| part.kind() == "arguments")
                .map(|list| lower.named(*list))
                .unwrap_or_default();
            let args = lower.each(args);
            lower.call(callee, args)
        }
        "binary_expression" => binary(lower, node),
        "unary_op_expression" | "update_expression" => {
            let value = lower.field(node, "argument");
            if lower.text(node).starts_with('-') && node.kind() == "unary_op_expression" {
                let zero = lower.push(Node::Number(0));
                return lower.operator("-", zero, value);
            }
            let nothing = lower.nothing();
            lower.push(Node::Block(vec![value, nothing]))
        }
        "cast_expression" | "clone_expression" => {
            let parts = lower.named(node);
            match parts.last() {
                Some(value) => lower.visit(*value),
                None => lower.nothing(),
            }
        }
        "conditional_expression" => {
            let condition = lower.field(node, "condition");
            let then = match node.child_by_field_name("body") {
                Some(body) => lower.visit(body),
                None => condition,
            };
            let otherwise = lower.field(node, "alternative");
            lower.branch(condition, then, Some(otherwise))
        }
        "array_creation_expression" | "list_literal" => array(lower, node),
        "assignment_expression" | "reference_assignment_expression" => {
            let value = lower.field(node, "right");
            let target = lower.field(node, "left");
            lower.assign(target, value, false)
        }
        "augmented_assignment_expression" => {
            let value = lower.field(node, "right");
            let target = lower.field(node, "left");
            let adds = matches!(lower.mark(node).as_str(), ".=" | "+=");
            lower.assign(target, value, adds)
        }
        "static_variable_declaration" | "const_element" | "property_element" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            match parts.as_slice() {
                [target, value] => lower.assign(*target, *value, false),
                _ => lower.nothing(),
            }
        }
        "function_definition"
        | "anonymous_function"
        | "arrow_function"
        | "method_declaration"
        | "anonymous_function_creation_expression" => function(lower, node),
        "class_declaration"
        | "trait_declaration"
        | "interface_declaration"
        | "enum_declaration" => {
            let name = lower.field_text(node, "name");
            let body = lower.field(node, "body");
            lower.push(Node::Class { name, body })
        }
        "foreach_statement" => {
            let parts = lower.named(node);
            let body = lower.field(node, "body");
            let (Some(over), Some(target)) = (parts.first(), parts.get(1)) else {
                return body;
            };
            let over = lower.visit(*over);
            let target = match target.kind() {
                // The value, not the key.
                "pair" => match lower.named(*target).last() {
                    Some(value) => lower.visit(*value),
                    None => lower.nothing(),
                },
                "by_ref" => lower.through(*target),
                _ => lower.visit(*target),
            };
            lower.push(Node::Each { target, over, body })
        }
        "for_statement" => {
            let first = lower.field(node, "initialize");
            let condition = lower.field(node, "condition");
            let body = lower.field(node, "body");
            let body = lower.push(Node::Block(vec![condition, body]));
            let repeat = lower.push(Node::Repeat(body));
            lower.push(Node::Block(vec![first, repeat]))
        }
        "while_statement" | "do_statement" => lower.repeat(node),
        "if_statement" => {
            let mut otherwise = None;
            for part in lower.fields(node, "alternative").into_iter().rev() {
                otherwise = Some(if part.kind() == "else_if_clause" {
                    let condition = lower.field(part, "condition");
                    let then = lower.field(part, "body");
                    lower.branch(condition, then, otherwise)
                } else {
                    lower.field(part, "body")
                });
            }
            let condition = lower.field(node, "condition");
            let then = lower.field(node, "body");
            lower.branch(condition, then, otherwise)
        }
        "switch_block" | "match_block" => {
            let cases = lower.named(node);
            let cases = lower.each(cases);
            lower.push(Node::Either(cases))
        }
        "match_conditional_expression" | "match_default_expression" => {
            lower.field(node, "return_expression")
        }
        "return_statement" => {
            let value = lower.through(node);
            lower.push(Node::Return(value))
        }
        "echo_statement" | "print_intrinsic" => {
            let parts = lower.named(node);
            let parts = match parts.as_slice() {
                [one] if one.kind() == "sequence_expression" => lower.named(*one),
                _ => parts,
            };
            let parts = lower.each(parts);
            lower.call_named("echo", parts)
        }
        "include_expression"
        | "include_once_expression"
        | "require_expression"
        | "require_once_expression" => {
            let path = lower.through(node);
            lower.call_named("include", vec![path])
        }
        "catch_clause" => lower.field(node, "body"),
        "program"
        | "expression_statement"
        | "compound_statement"
        | "colon_block"
        | "parenthesized_expression"
        | "sequence_expression"
        | "error_suppression_expression"
        | "try_statement"
        | "finally_clause"
        | "switch_statement"
        | "case_statement"
        | "default_statement"
        | "match_expression"
        | "exit_statement"
        | "throw_expression"
        | "argument"
        | "by_ref"
        | "yield_expression"
        | "declaration_list"
        | "const_declaration"
        | "property_declaration"
        | "function_static_declaration"
        | "else_clause"
        | "array_element_initializer" => lower.through(node),
        "variadic_unpacking" => {
            let inner = lower.through(node);
            lower.push(Node::Spread(inner))
        }
        _ => lower.unread(node),
    }
}

fn string(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let mut parts = Vec::new();
    for child in lower.named(node) {
        match child.kind() {
            "string_content" | "nowdoc_string" => {
                let text = lower.text(child).to_owned();
                parts.push(lower.string(text));
            }
            "escape_sequence" => {
                let text = unescaped(lower.text(child));
                parts.push(lower.string(text));
            }
            "heredoc_start" | "heredoc_end" => {}
            "heredoc_body" | "nowdoc_body" => parts.push(string(lower, child)),
            _ => parts.push(lower.visit(child)),
        }
    }
    lower.joined(parts)
}

fn arguments(lower: &mut Lower<'_>, node: Syntax<'_>) -> (Vec<Id>, Vec<(String, Id)>) {
    let mut args = Vec::new();
    let mut named = Vec::new();
    let list = node
        .child_by_field_name("arguments")
        .map(|list| lower.named(list))
        .unwrap_or_default();
    for arg in list {
        match arg.child_by_field_name("name") {
            Some(name) => {
                let name = lower.text(name).to_owned();
                let parts = lower.named(arg);
                let value = match parts.last() {
                    Some(value) => lower.visit(*value),
                    None => lower.nothing(),
                };
                named.push((name, value));
            }
            None => {
                let parts = lower.named(arg);
                match parts.as_slice() {
                    [one] => args.push(lower.visit(*one)),
                    _ => args.push(lower.visit(arg)),
                }
            }
        }
    }
    (args, named)
}

fn method(lower: &mut Lower<'_>, node: Syntax<'_>, object: Id) -> Id {
    let name = lower.field_text(node, "name");
    let (args, named) = arguments(lower, node);
    let callee = lower.push(Node::Member(object, name));
    lower.push(Node::Call {
        callee,
        args,
        named,
    })
}

fn binary(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    if let Some(joined) = lower.chain(node, ".") {
        return joined;
    }
    let mark = lower.mark(node);
    let left = lower.field(node, "left");
    let right = lower.field(node, "right");
    match mark.as_str() {
        "??" | "||" | "&&" | "and" | "or" => lower.push(Node::Either(vec![left, right])),
        "+" => lower.push(Node::Join(vec![left, right])),
        "^" => lower.call_named("[xor]", vec![left, right]),
        mark => lower.operator(mark, left, right),
    }
}

fn array(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let elements = lower.named(node);
    let keyed = elements.iter().any(|element| {
        element.kind() == "array_element_initializer" && lower.all(*element).len() > 2
    });
    if !keyed {
        let elements = lower.each(elements);
        return lower.push(Node::List(elements));
    }
    let mut pairs = Vec::new();
    for (at, element) in elements.into_iter().enumerate() {
        let parts = lower.named(element);
        let parts = lower.each(parts);
        match parts.as_slice() {
            [key, value] => pairs.push((*key, *value)),
            [value] => {
                let key = lower.string(at.to_string());
                pairs.push((key, *value));
            }
            _ => {}
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
            let name = lower.field_text(parameter, "name");
            let default = parameter
                .child_by_field_name("default_value")
                .map(|value| lower.visit(value));
            parameters.push(Parameter {
                name,
                default,
                rest: parameter.kind() == "variadic_parameter",
            });
        }
    }
    let mut body = lower.field(node, "body");
    if node.kind() == "arrow_function" {
        body = lower.push(Node::Return(body));
    }
    lower.push(Node::Function {
        name,
        parameters,
        body,
    })
}
