//! Python.

use cmdai_effects::script::{Id, Node, Parameter};
use tree_sitter::Node as Syntax;

use crate::{
    lower::Lower,
    texts::{number, unescaped},
};

/// Lowers a node.
pub(crate) fn node(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match node.kind() {
        "identifier" => {
            let name = lower.text(node).to_owned();
            lower.push(Node::Name(name))
        }
        "dotted_name" => {
            let parts = lower.text(node).to_owned();
            dotted(lower, &parts)
        }
        "string" => string(lower, node),
        "concatenated_string" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            lower.joined(parts)
        }
        "integer" => {
            let value = number(lower.text(node));
            match value {
                Some(value) => lower.push(Node::Number(value)),
                None => lower.nothing(),
            }
        }
        "true" => lower.push(Node::Bool(true)),
        "false" => lower.push(Node::Bool(false)),
        "float"
        | "none"
        | "ellipsis"
        | "pass_statement"
        | "break_statement"
        | "continue_statement"
        | "global_statement"
        | "nonlocal_statement"
        | "type_alias_statement"
        | "type"
        | "future_import_statement"
        | "line_continuation"
        | "delete_statement" => lower.nothing(),
        "attribute" => {
            let object = lower.field(node, "object");
            let name = lower.field_text(node, "attribute");
            lower.push(Node::Member(object, name))
        }
        "subscript" => subscript(lower, node),
        "call" => call(lower, node),
        "binary_operator" => {
            if let Some(joined) = lower.chain(node, "+") {
                return joined;
            }
            let mark = lower.mark(node);
            let left = lower.field(node, "left");
            let right = lower.field(node, "right");
            lower.operator(&mark, left, right)
        }
        "unary_operator" => {
            let value = lower.field(node, "argument");
            if lower.text(node).starts_with('-') {
                let zero = lower.push(Node::Number(0));
                return lower.operator("-", zero, value);
            }
            value
        }
        "boolean_operator" => {
            let left = lower.field(node, "left");
            let right = lower.field(node, "right");
            lower.push(Node::Either(vec![left, right]))
        }
        "comparison_operator" | "not_operator" => {
            let parts = lower.named(node);
            let mut parts = lower.each(parts);
            parts.push(lower.push(Node::Nothing));
            lower.push(Node::Block(parts))
        }
        "conditional_expression" => {
            let parts = lower.named(node);
            match parts.as_slice() {
                [then, condition, otherwise] => {
                    let condition = lower.visit(*condition);
                    let then = lower.visit(*then);
                    let otherwise = lower.visit(*otherwise);
                    lower.branch(condition, then, Some(otherwise))
                }
                _ => lower.through(node),
            }
        }
        "list" | "tuple" | "set" | "expression_list" | "pattern_list" | "tuple_pattern"
        | "list_pattern" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            lower.push(Node::List(parts))
        }
        "dictionary" => {
            let mut pairs = Vec::new();
            for pair in lower.named(node) {
                if pair.kind() == "pair" {
                    let key = lower.field(pair, "key");
                    let value = lower.field(pair, "value");
                    pairs.push((key, value));
                } else {
                    let key = lower.nothing();
                    let value = lower.visit(pair);
                    pairs.push((key, value));
                }
            }
            lower.push(Node::Map(pairs))
        }
        "list_splat" | "dictionary_splat" | "list_splat_pattern" => {
            let inner = lower.through(node);
            lower.push(Node::Spread(inner))
        }
        "assignment" => {
            let target = lower.field(node, "left");
            if node.child_by_field_name("right").is_none() {
                return lower.nothing();
            }
            let value = lower.field(node, "right");
            lower.assign(target, value, false)
        }
        "augmented_assignment" => {
            let target = lower.field(node, "left");
            let value = lower.field(node, "right");
            let adds = lower.mark(node) == "+=";
            if adds {
                return lower.assign(target, value, true);
            }
            let mark = lower.mark(node);
            let old = lower.field(node, "left");
            let value = lower.operator(mark.trim_end_matches('='), old, value);
            lower.assign(target, value, false)
        }
        "named_expression" => {
            let target = lower.field(node, "name");
            let value = lower.field(node, "value");
            lower.assign(target, value, false)
        }
        "lambda" | "function_definition" => function(lower, node),
        "class_definition" => {
            let name = lower.field_text(node, "name");
            let body = lower.field(node, "body");
            lower.push(Node::Class { name, body })
        }
        "decorated_definition" => {
            let definition = lower.field(node, "definition");
            let mut all: Vec<Id> = vec![definition];
            for child in lower.named(node) {
                if child.kind() == "decorator" {
                    let inner = lower.through(child);
                    // What decorates is called with what it decorates, which it may call.
                    all.push(lower.call(inner, vec![definition]));
                }
            }
            lower.push(Node::Block(all))
        }
        "list_comprehension"
        | "set_comprehension"
        | "generator_expression"
        | "dictionary_comprehension" => comprehension(lower, node),
        "for_statement" => {
            let over = lower.field(node, "right");
            let target = lower.field(node, "left");
            let body = lower.field(node, "body");
            let each = lower.push(Node::Each { target, over, body });
            after(lower, node, each)
        }
        "while_statement" => {
            let repeat = lower.repeat(node);
            after(lower, node, repeat)
        }
        "if_statement" => {
            let parts = lower.fields(node, "alternative");
            let mut otherwise = None;
            for part in parts.into_iter().rev() {
                otherwise = Some(match part.kind() {
                    "elif_clause" => {
                        let condition = lower.field(part, "condition");
                        let then = lower.field(part, "consequence");
                        lower.branch(condition, then, otherwise)
                    }
                    _ => lower.field(part, "body"),
                });
            }
            let condition = lower.field(node, "condition");
            let then = lower.field(node, "consequence");
            lower.branch(condition, then, otherwise)
        }
        "with_item" => {
            let Some(value) = node.child_by_field_name("value") else {
                return lower.through(node);
            };
            if value.kind() != "as_pattern" {
                return lower.visit(value);
            }
            as_pattern(lower, value)
        }
        "as_pattern" => as_pattern(lower, node),
        "return_statement" | "yield" => {
            let value = lower.through(node);
            lower.push(Node::Return(value))
        }
        "import_statement" => imports(lower, node, None),
        "import_from_statement" => {
            let module = lower.field_text(node, "module_name");
            imports(lower, node, Some(module))
        }
        "print_statement" => {
            let parts = lower.fields(node, "argument");
            let parts = lower.each(parts);
            lower.call_named("print", parts)
        }
        "exec_statement" => {
            let code = lower.field(node, "code");
            lower.call_named("exec", vec![code])
        }
        "module"
        | "block"
        | "expression_statement"
        | "parenthesized_expression"
        | "with_statement"
        | "with_clause"
        | "try_statement"
        | "except_clause"
        | "except_group_clause"
        | "finally_clause"
        | "else_clause"
        | "raise_statement"
        | "assert_statement"
        | "match_statement"
        | "case_clause"
        | "if_clause"
        | "await"
        | "as_pattern_target"
        | "interpolation"
        | "keyword_argument"
        | "chevron"
        | "parenthesized_list_splat"
        | "argument_list"
        | "type_conversion"
        | "format_specifier" => lower.through(node),
        "case_pattern" => lower.nothing(),
        _ => lower.unread(node),
    }
}

/// `a.b.c`
fn dotted(lower: &mut Lower<'_>, parts: &str) -> Id {
    let mut parts = parts.split('.').map(str::trim);
    let first = parts.next().unwrap_or_default().to_owned();
    let mut id = lower.push(Node::Name(first));
    for part in parts {
        id = lower.push(Node::Member(id, part.to_owned()));
    }
    id
}

fn string(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let mut raw = false;
    let mut parts = Vec::new();
    for child in lower.named(node) {
        match child.kind() {
            "string_start" => {
                let prefix = lower.text(child).to_ascii_lowercase();
                raw = prefix.contains('r');
            }
            "string_content" => {
                let text = lower.text(child).to_owned();
                let text = text.replace("{{", "{").replace("}}", "}");
                let formatted = || {
                    node.child(0)
                        .is_some_and(|start| lower.text(start).to_ascii_lowercase().contains('f'))
                };
                let text = if text.len() == lower.text(child).len() || formatted() {
                    text
                } else {
                    lower.text(child).to_owned()
                };
                let text = if raw { text } else { unescaped(&text) };
                parts.push(lower.push(Node::Text(text)));
            }
            "interpolation" => {
                let value = lower.field(child, "expression");
                parts.push(value);
            }
            _ => {}
        }
    }
    lower.joined(parts)
}

fn subscript(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let value = lower.field(node, "value");
    let Some(index) = node.child_by_field_name("subscript") else {
        return value;
    };
    if index.kind() != "slice" {
        let index = lower.visit(index);
        return lower.push(Node::Index(value, index));
    }
    // `[a:b:c]`: what stands between the colons, by place.
    let mut bounds = [None, None, None];
    let mut at = 0;
    for child in lower.all(index) {
        if child.kind() == ":" {
            at += 1;
        } else if let Some(bound) = bounds.get_mut(at) {
            *bound = Some(child);
        }
    }
    let args = bounds
        .into_iter()
        .map(|bound| match bound {
            Some(bound) => lower.visit(bound),
            None => lower.nothing(),
        })
        .collect();
    lower.member_call(value, "[:]", args)
}

fn call(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let callee = lower.field(node, "function");
    let mut args = Vec::new();
    let mut named = Vec::new();
    if let Some(list) = node.child_by_field_name("arguments") {
        if list.kind() == "generator_expression" {
            args.push(comprehension(lower, list));
        } else {
            for arg in lower.named(list) {
                if arg.kind() == "keyword_argument" {
                    let name = lower.field_text(arg, "name");
                    let value = lower.field(arg, "value");
                    named.push((name, value));
                } else {
                    args.push(lower.visit(arg));
                }
            }
        }
    }
    lower.push(Node::Call {
        callee,
        args,
        named,
    })
}

fn function(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let name = node
        .child_by_field_name("name")
        .map(|name| lower.text(name).to_owned());
    let mut parameters = Vec::new();
    if let Some(list) = node.child_by_field_name("parameters") {
        for parameter in lower.named(list) {
            let default = parameter
                .child_by_field_name("value")
                .map(|value| lower.visit(value));
            let word = match parameter.child_by_field_name("name") {
                Some(name) => lower.text(name).to_owned(),
                None => lower.text(parameter).to_owned(),
            };
            let rest = word.starts_with('*');
            let word = word.trim_start_matches('*');
            let word = word.split(':').next().unwrap_or_default().trim();
            if !word.is_empty() && word != "/" {
                parameters.push(Parameter {
                    name: word.to_owned(),
                    default,
                    rest,
                });
            }
        }
    }
    let body = lower.field(node, "body");
    let body = if node.kind() == "lambda" {
        lower.push(Node::Return(body))
    } else {
        body
    };
    lower.push(Node::Function {
        name,
        parameters,
        body,
    })
}

fn comprehension(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let mut body = match node.child_by_field_name("body") {
        Some(body) if body.kind() == "pair" => lower.through(body),
        Some(body) => lower.visit(body),
        None => lower.nothing(),
    };
    for clause in lower.named(node).into_iter().rev() {
        match clause.kind() {
            "if_clause" => {
                let condition = lower.through(clause);
                body = lower.push(Node::Block(vec![condition, body]));
            }
            "for_in_clause" => {
                let over = lower.field(clause, "right");
                let target = lower.field(clause, "left");
                body = lower.push(Node::Each { target, over, body });
            }
            _ => {}
        }
    }
    body
}

/// A loop, and its `else`.
fn after(lower: &mut Lower<'_>, node: Syntax<'_>, first: Id) -> Id {
    match node.child_by_field_name("alternative") {
        Some(otherwise) => {
            let otherwise = lower.visit(otherwise);
            lower.push(Node::Block(vec![first, otherwise]))
        }
        None => first,
    }
}

/// `with VALUE as NAME`
fn as_pattern(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let Some(value) = lower.named(node).first().copied() else {
        return lower.nothing();
    };
    let value = lower.visit(value);
    let target = lower.field(node, "alias");
    lower.assign(target, value, false)
}

fn imports(lower: &mut Lower<'_>, node: Syntax<'_>, module: Option<String>) -> Id {
    let mut all = Vec::new();
    let mut seen_module = module.is_none();
    for child in lower.named(node) {
        if !seen_module {
            seen_module = true;
            continue;
        }
        let (path, alias) = match child.kind() {
            "aliased_import" => (
                lower.field_text(child, "name"),
                Some(lower.field_text(child, "alias")),
            ),
            "wildcard_import" => ("*".to_owned(), None),
            _ => (lower.text(child).to_owned(), None),
        };
        let import = match &module {
            Some(module) => Node::Import {
                module: module.clone(),
                name: alias.or_else(|| Some(path.clone())),
                member: Some(path),
            },
            // `import a.b` makes `a` known, by its own name.
            None => Node::Import {
                name: alias,
                module: path,
                member: None,
            },
        };
        all.push(lower.push(import));
    }
    lower.push(Node::Block(all))
}
