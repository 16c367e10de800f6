//! Perl.

use cmdai_effects::script::{Id, Node, Parameter};
use tree_sitter::Node as Syntax;

use crate::{
    lower::Lower,
    texts::{number, plain, unescaped},
};

/// Lowers a node.
pub(crate) fn node(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match node.kind() {
        "scalar" | "array" | "hash" => variable(lower, node),
        "arraylen" | "glob" => lower.nothing(),
        "bareword" | "package" | "filehandle" | "autoquoted_bareword" => {
            let name = lower.text(node).replace("::", ".");
            match node.kind() {
                "autoquoted_bareword" => lower.string(name),
                _ => lower.name(&name),
            }
        }
        "function" | "method" => {
            let name = lower.text(node).trim_start_matches('&').replace("::", ".");
            if matches!(
                name.as_str(),
                "unlink"
                    | "rmdir"
                    | "print"
                    | "say"
                    | "lc"
                    | "uc"
                    | "chr"
                    | "ord"
                    | "exec"
                    | "system"
                    | "eval"
            ) && node.kind() == "function"
                && node
                    .parent()
                    .is_some_and(|parent| parent.child_by_field_name("function") != Some(node))
            {
                let subject = lower.name("$_");
                return lower.call_named(&name, vec![subject]);
            }
            lower.name(&name)
        }
        "string_literal" => {
            let (start, end) = inside(lower.text(node));
            let from = node.start_byte();
            let text = plain(lower.between(from + start, from + end));
            lower.string(text)
        }
        "interpolated_string_literal" => content(lower, node),
        "string_content" | "heredoc_content" => text(lower, node),
        "command_string" => {
            let text = content(lower, node);
            lower.push(Node::Shell(text))
        }
        "heredoc_token" | "command_heredoc_token" => heredoc(lower, node),
        "quoted_word_list" => {
            let words = lower.field_text(node, "content");
            let words = words
                .split_whitespace()
                .map(|word| lower.string(word))
                .collect();
            lower.push(Node::List(words))
        }
        "number" => match number(lower.text(node)) {
            Some(value) => lower.push(Node::Number(value)),
            None => lower.nothing(),
        },
        "boolean" => {
            let holds = lower.text(node) == "true";
            lower.push(Node::Bool(holds))
        }
        "use_statement"
        | "package_statement"
        | "match_regexp"
        | "quoted_regexp"
        | "transliteration_expression"
        | "use_version_statement"
        | "pod"
        | "data_section"
        | "eof_marker"
        | "version"
        | "undef_expression"
        | "stub_expression"
        | "yadayada"
        | "empty_statement"
        | "loopex_expression"
        | "require_version_expression"
        | "prototype"
        | "attrlist"
        | "amper_deref_expression_"
        | "comment" => lower.nothing(),
        "substitution_regexp" => substitution(lower, node),
        "variable_declaration" => {
            let several = lower.fields(node, "variables");
            if lower.text(node).contains('(') {
                let several = lower.each(several);
                return lower.push(Node::List(several));
            }
            let one = node
                .child_by_field_name("variable")
                .or_else(|| several.first().copied());
            match one {
                Some(one) => lower.visit(one),
                None => lower.nothing(),
            }
        }
        "hash_element_expression" | "array_element_expression" => element(lower, node),
        "slice_expression" | "keyval_expression" => lower.through(node),
        "function_call_expression" | "ambiguous_function_call_expression" => call(lower, node),
        "func1op_call_expression" => {
            let parts = lower.named(node);
            let name = lower
                .all(node)
                .first()
                .map(|word| lower.text(*word).to_owned())
                .unwrap_or_default();
            let mut args = lower.each(parts);
            if args.is_empty() {
                let subject = if matches!(name.as_str(), "shift" | "pop") {
                    "@_"
                } else {
                    "$_"
                };
                args.push(lower.name(subject));
            }
            lower.call_named(&name, args)
        }
        "func0op_call_expression" => {
            let name = lower.text(node).trim_end_matches("()").trim().to_owned();
            lower.call_named(&name, Vec::new())
        }
        "method_call_expression" => {
            let of = lower.field(node, "invocant");
            let name = lower.field_text(node, "method");
            let args = args(lower, node);
            lower.member_call(of, &name, args)
        }
        "coderef_call_expression" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            match parts.split_first() {
                Some((callee, args)) => lower.call(*callee, args.to_vec()),
                None => lower.nothing(),
            }
        }
        "require_expression" | "do_expression" => {
            let parts = lower.named(node);
            match parts.first() {
                Some(file)
                    if matches!(
                        file.kind(),
                        "string_literal" | "interpolated_string_literal" | "scalar"
                    ) =>
                {
                    let file = lower.visit(*file);
                    lower.call_named("[file]", vec![file])
                }
                Some(block) if block.kind() == "block" => lower.visit(*block),
                _ => lower.nothing(),
            }
        }
        "eval_expression" => {
            let parts = lower.named(node);
            match parts.first() {
                Some(block) if block.kind() == "block" => lower.visit(*block),
                Some(code) => {
                    let code = lower.visit(*code);
                    lower.call_named("eval", vec![code])
                }
                None => {
                    let subject = lower.name("$_");
                    lower.call_named("eval", vec![subject])
                }
            }
        }
        "map_grep_expression" | "sort_expression" => {
            let over = lower.field(node, "list");
            let target = lower.name("$_");
            let body = lower.field(node, "callback");
            lower.push(Node::Each { target, over, body })
        }
        "readline_expression" | "fileglob_expression" => {
            let name = lower.field_text(node, "filehandle");
            if !name.is_empty() && !lower.text(node).contains('*') {
                let of = lower.name(if name == "STDIN" { "STDIN" } else { &name });
                return lower.member_call(of, "readline", Vec::new());
            }
            let words = lower.text(node).trim_matches(['<', '>']).to_owned();
            if words.contains('*') {
                let pattern = lower.string(words);
                return lower.call_named("glob", vec![pattern]);
            }
            let of = lower.name("STDIN");
            lower.member_call(of, "readline", Vec::new())
        }
        "assignment_expression" => {
            let value = lower.field(node, "right");
            let target = lower.field(node, "left");
            match lower.mark(node).as_str() {
                "=" | "||=" | "//=" | "&&=" => lower.assign(target, value, false),
                _ => lower.assign(target, value, true),
            }
        }
        "binary_expression" => binary(lower, node),
        "lowprec_logical_expression" => {
            let left = lower.field(node, "left");
            let right = lower.field(node, "right");
            lower.push(Node::Either(vec![left, right]))
        }
        "conditional_expression" => {
            let condition = lower.field(node, "condition");
            let then = lower.field(node, "consequent");
            let otherwise = lower.field(node, "alternative");
            lower.branch(condition, then, Some(otherwise))
        }
        "conditional_statement" | "elsif" => {
            let condition = lower.field(node, "condition");
            let negated = lower.text(node).starts_with("unless");
            let condition = if negated {
                let nothing = lower.nothing();
                lower.push(Node::Block(vec![condition, nothing]))
            } else {
                condition
            };
            let then = lower.field(node, "block");
            let otherwise = lower
                .named(node)
                .into_iter()
                .find(|part| matches!(part.kind(), "elsif" | "else"))
                .map(|part| lower.visit(part));
            lower.branch(condition, then, otherwise)
        }
        "else" => {
            let block = lower.field(node, "block");
            let more = lower
                .named(node)
                .into_iter()
                .filter(|part| matches!(part.kind(), "elsif" | "else"))
                .collect();
            let mut more = lower.each(more);
            more.insert(0, block);
            lower.push(Node::Block(more))
        }
        "postfix_conditional_expression" => {
            let condition = lower.field(node, "condition");
            let nothing = lower.nothing();
            let condition = lower.push(Node::Block(vec![condition, nothing]));
            let parts = lower.named(node);
            let body = match parts.first() {
                Some(body) => lower.visit(*body),
                None => nothing,
            };
            lower.branch(condition, body, None)
        }
        "for_statement" => {
            let over = lower.field(node, "list");
            let target = match node.child_by_field_name("variable") {
                Some(variable) => lower.visit(variable),
                None => lower.name("$_"),
            };
            let body = lower.field(node, "block");
            lower.push(Node::Each { target, over, body })
        }
        "postfix_for_expression" => {
            let over = lower.field(node, "list");
            let target = lower.name("$_");
            let parts = lower.named(node);
            let body = match parts.first() {
                Some(body) => lower.visit(*body),
                None => lower.nothing(),
            };
            lower.push(Node::Each { target, over, body })
        }
        "loop_statement" | "cstyle_for_statement" | "postfix_loop_expression" => {
            let endless = lower.never_ends(node);
            let parts = lower.named(node);
            let mut parts = lower.each(parts);
            if endless {
                parts.insert(0, lower.name("[endless]"));
            }
            let body = lower.push(Node::Block(parts));
            lower.push(Node::Repeat(body))
        }
        "subroutine_declaration_statement"
        | "anonymous_subroutine_expression"
        | "method_declaration_statement" => {
            let name = node
                .child_by_field_name("name")
                .map(|name| lower.text(name).replace("::", "."));
            let body = lower.field(node, "body");
            lower.push(Node::Function {
                name,
                parameters: Vec::<Parameter>::new(),
                body,
            })
        }
        "return_expression" => {
            let value = lower.through(node);
            lower.push(Node::Return(value))
        }
        "list_expression" | "anonymous_array_expression" => {
            let parts = lower.named(node);
            let parts = lower.each(parts);
            lower.push(Node::List(parts))
        }
        "parenthesized_expression" => {
            let parts = lower.named(node);
            match parts.as_slice() {
                [one] if one.kind() != "list_expression" => {
                    let one = lower.visit(*one);
                    lower.push(Node::List(vec![one]))
                }
                [] => lower.push(Node::List(Vec::new())),
                _ => lower.through(node),
            }
        }
        "anonymous_hash_expression" => {
            let mut all = Vec::new();
            for part in lower.named(node) {
                if part.kind() == "list_expression" {
                    all.extend(lower.named(part));
                } else {
                    all.push(part);
                }
            }
            let mut pairs = Vec::new();
            for pair in all.chunks(2) {
                if let [key, value] = pair {
                    let key = lower.visit(*key);
                    let value = lower.visit(*value);
                    pairs.push((key, value));
                }
            }
            lower.push(Node::Map(pairs))
        }
        "unary_expression" if lower.text(node).starts_with('-') => {
            let value = lower.through(node);
            let zero = lower.push(Node::Number(0));
            lower.operator("-", zero, value)
        }
        "unary_expression"
        | "preinc_expression"
        | "postinc_expression"
        | "defined_expression"
        | "equality_expression"
        | "relational_expression" => {
            let parts = lower.named(node);
            let mut parts = lower.each(parts);
            parts.push(lower.push(Node::Nothing));
            lower.push(Node::Block(parts))
        }
        "source_file"
        | "expression_statement"
        | "block"
        | "block_statement"
        | "localization_expression"
        | "refgen_expression"
        | "indirect_object"
        | "phaser_statement"
        | "try_statement"
        | "replacement"
        | "container_variable"
        | "scalar_deref_expression"
        | "array_deref_expression"
        | "statement_label"
        | "varname"
        | "string_concat" => lower.through(node),
        "escape_sequence" => {
            let text = unescaped(lower.text(node));
            lower.string(text)
        }
        _ => lower.unread(node),
    }
}

/// `$x`, `@x`, `${x}`, `@{ … }`
fn variable(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let sigil = lower.text(node).chars().next().unwrap_or('$');
    let inner = lower.named(node);
    if let Some(varname) = inner.first()
        && let Some(block) = lower.named(*varname).first().copied()
    {
        // `@{[ … ]}`: what the block gives.
        return lower.visit(block);
    }
    let name = inner
        .first()
        .map(|name| lower.text(*name))
        .unwrap_or_default();
    let name = format!(
        "{sigil}{}",
        name.trim_matches(['{', '}', ' ']).replace("::", ".")
    );
    lower.name(&name)
}

/// `$l[0]` is of `@l`, `$h{k}` of `%h`, `$r->[0]` of what `$r` points to.
fn element(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let hash = node.kind() == "hash_element_expression";
    let container = node
        .child_by_field_name(if hash { "hash" } else { "array" })
        .filter(|container| container.kind() == "container_variable");
    let of = match container {
        Some(container) => {
            let name = lower
                .text(container)
                .trim_start_matches(['$', '@', '%'])
                .to_owned();
            let name = format!("{}{name}", if hash { '%' } else { '@' });
            lower.name(&name)
        }
        None => match lower.named(node).first() {
            Some(of) => lower.visit(*of),
            None => lower.nothing(),
        },
    };
    let index = lower.field(node, if hash { "key" } else { "index" });
    lower.push(Node::Index(of, index))
}

fn content(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match node.child_by_field_name("content") {
        Some(content) => {
            // The grammar leaves blanks at the start out.
            let (start, end) = inside(lower.text(node));
            let from = node.start_byte();
            text_between(lower, content, from + start, from + end)
        }
        None => lower.string(""),
    }
}

/// A text with what is filled in; the grammar gives the places that are, not what lies between.
fn text(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    text_between(lower, node, node.start_byte(), node.end_byte())
}

/// What lies between the quotes of a text, `q(…)` and the like too.
fn inside(text: &str) -> (usize, usize) {
    let mut start = 0;
    if text.starts_with('q') {
        start = text
            .find(|mark: char| !mark.is_ascii_alphabetic() && !mark.is_ascii_whitespace())
            .unwrap_or(0);
    }
    let open = text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    let close = text.chars().next_back().map_or(0, char::len_utf8);
    let end = text.len().saturating_sub(close);
    ((start + open).min(end), end)
}

fn text_between(lower: &mut Lower<'_>, node: Syntax<'_>, start: usize, end: usize) -> Id {
    let mut parts = Vec::new();
    let mut at = start;
    for child in lower.named(node) {
        if child.kind() == "heredoc_end" {
            break;
        }
        let before = lower.between(at, child.start_byte()).to_owned();
        if !before.is_empty() {
            parts.push(lower.string(before));
        }
        if child.kind() == "escape_sequence" {
            // `\x` ends before its digits here.
            let mut stop = child.end_byte();
            let letter = lower.text(child).to_owned();
            if letter == "\\x" {
                let digits = lower.between(stop, end);
                stop += match digits.strip_prefix('{').and_then(|rest| rest.find('}')) {
                    Some(close) => close + 2,
                    None => digits
                        .bytes()
                        .take(2)
                        .take_while(u8::is_ascii_hexdigit)
                        .count(),
                };
            }
            let text = unescaped(lower.between(child.start_byte(), stop));
            parts.push(lower.string(text));
            at = stop;
        } else {
            parts.push(lower.visit(child));
            at = child.end_byte();
        }
    }
    let after = lower.between(at.min(end), end).to_owned();
    if !after.is_empty() && node.kind() != "heredoc_content" {
        parts.push(lower.string(after));
    } else if node.kind() == "heredoc_content" {
        let after = after
            .rsplit_once('\n')
            .map_or("", |(text, _)| text)
            .to_owned();
        parts.push(lower.string(after));
    }
    lower.joined(parts)
}

fn heredoc(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    match lower.following(node, "heredoc_content") {
        Some(body) => text(lower, body),
        None => lower.unread(node),
    }
}

fn args(lower: &mut Lower<'_>, node: Syntax<'_>) -> Vec<Id> {
    let mut out = Vec::new();
    for part in lower.fields(node, "arguments") {
        if part.kind() == "list_expression" {
            let parts = lower.named(part);
            out.extend(lower.each(parts));
        } else {
            out.push(lower.visit(part));
        }
    }
    out
}

fn call(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let name = lower
        .field_text(node, "function")
        .trim_start_matches('&')
        .replace("::", ".");
    let mut given = args(lower, node);
    if let Some(object) = lower
        .named(node)
        .into_iter()
        .find(|part| part.kind() == "indirect_object")
    {
        // `print $file "text"`; `exec { program } list`.
        let target = lower.through(object);
        if name.starts_with("print") || name == "say" {
            return lower.member_call(target, "print", given);
        }
        let list = lower.push(Node::List(given));
        return lower.call_named(&name, vec![list]);
    }
    if given.is_empty()
        && matches!(
            name.as_str(),
            "unlink" | "rmdir" | "print" | "say" | "shift" | "pop"
        )
    {
        let subject = if matches!(name.as_str(), "shift" | "pop") {
            "@_"
        } else {
            "$_"
        };
        given.push(lower.name(subject));
    }
    if matches!(name.as_str(), "push" | "unshift")
        && let Some((list, added)) = given.split_first()
    {
        let added = lower.push(Node::List(added.to_vec()));
        return lower.assign(*list, added, true);
    }
    if name == "open" {
        // The first is the place that gets the file.
        let handle = given.first().copied();
        let rest = given.get(1..).unwrap_or_default().to_vec();
        let opened = lower.call_named("open", rest);
        return match handle {
            Some(handle) => lower.assign(handle, opened, false),
            None => opened,
        };
    }
    if name == "socket" {
        let handle = given.first().copied();
        let made = lower.call_named("socket", Vec::new());
        return match handle {
            Some(handle) => lower.assign(handle, made, false),
            None => made,
        };
    }
    lower.call_named(&name, given)
}

fn binary(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    if let Some(joined) = lower.chain(node, ".") {
        return joined;
    }
    let mark = lower.mark(node);
    if mark == "=~" {
        let left = lower.field(node, "left");
        let right = lower.field(node, "right");
        // The change of a text leaves something that is not known.
        let changes = node.child_by_field_name("right").is_some_and(|right| {
            matches!(
                right.kind(),
                "substitution_regexp" | "transliteration_expression"
            )
        });
        if changes {
            let turned =
                transliterated(lower, node, left).unwrap_or_else(|| lower.name("[changed]"));
            let target = lower.field(node, "left");
            let assign = lower.assign(target, turned, false);
            return lower.push(Node::Block(vec![right, assign]));
        }
        let nothing = lower.nothing();
        return lower.push(Node::Block(vec![left, right, nothing]));
    }
    let left = lower.field(node, "left");
    let right = lower.field(node, "right");
    match mark.as_str() {
        "||" | "&&" | "//" => lower.push(Node::Either(vec![left, right])),
        "+" => {
            let zero = lower.push(Node::Number(0));
            let negative = lower.operator("-", zero, right);
            lower.operator("-", left, negative)
        }
        mark => lower.operator(mark, left, right),
    }
}

/// `tr/A-Za-z/N-ZA-Mn-za-m/` turns by thirteen letters.
fn transliterated(lower: &mut Lower<'_>, node: Syntax<'_>, value: Id) -> Option<Id> {
    let right = node.child_by_field_name("right")?;
    let words = lower.text(right).to_ascii_lowercase();
    (words.contains("n-za-m")).then(|| lower.call_named("[rot13]", vec![value]))
}

/// `s/a/code/e` runs the code.
fn substitution(lower: &mut Lower<'_>, node: Syntax<'_>) -> Id {
    let modifiers = lower.field_text(node, "modifiers");
    let runs = modifiers.contains('e')
        || lower
            .text(node)
            .rsplit(['/', '}', '|', '!', ')'])
            .next()
            .is_some_and(|modifiers| modifiers.contains('e') && modifiers.len() < 6);
    if !runs {
        return lower.nothing();
    }
    let code = lower
        .named(node)
        .into_iter()
        .find(|part| part.kind() == "replacement")
        .map(|part| lower.text(part).to_owned())
        .unwrap_or_default();
    let code = lower.string(code);
    lower.call_named("eval", vec![code])
}
