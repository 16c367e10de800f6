//! What texts of fish are read as.

use cmdai_schema::Dialect;
use cmdai_shell::{CommandKind, Connector, Part, RedirectOp, Tree, parse};

use crate::outline::outline;

fn fish(text: &str) -> Tree<'_> {
    parse(text, Dialect::Fish)
}

#[test]
fn shapes() {
    let wrong: Vec<_> = [
        ("ls -la", "ls/1"),
        ("a; b\nc", "a b c"),
        ("a | b | c", "(a | b | c)"),
        ("a 2>| b", "(a | b)"),
        ("a &| b", "(a | b)"),
        ("a; and b; or c", "a && b || c"),
        ("a\nand b", "a && b"),
        ("a && b || c", "a && b || c"),
        ("not a; ! b", "!a !b"),
        ("begin; a; b; end", "{a b}"),
        ("begin; a; end | b", "({a} | b)"),
        ("{ a; b; }", "{a b}"),
        ("if a; b; end", "if[a: b]"),
        (
            "if a; and b; c; else if d; e; else; f; end",
            "if[a && b: c; d: e; else f]",
        ),
        ("while a; b; end", "loop[a: b]"),
        ("for x in a b; c $x; end", "for x/2[c/1]"),
        (
            "switch $x; case a b; c; case '*'; d; end",
            "case[2: c; 1: d]",
        ),
        ("function f -a x y; a; end", "function f(x y)[a]"),
        ("function f --argument-names x; a; end", "function f(x)[a]"),
        ("function f --on-event e; a; end", "function f hooked[a]"),
        ("function f -d 'text here'; a; end; b", "function f[a] b"),
        ("a # b", "a"),
        ("a#b", "a#b"),
        ("a (b; c) d", "a/2"),
        ("X=1 a", "X= a"),
        ("a &\nb", "a& b"),
        ("echo if", "echo/1"),
        (
            "begin; if a; while b; c; end; end; end",
            "{if[a: loop[b: c]]}",
        ),
        ("a \\\n b", "a/1"),
        ("echo a&b", "echo/1"),
        ("a ;; b", "a b"),
    ]
    .iter()
    .map(|(text, expected)| (*text, *expected, outline(&fish(text))))
    .filter(|(_, expected, found)| expected != found)
    .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn words() {
    let parts = |text: &str| match &fish(text).body.items[0].and_or.first.stages[0].kind {
        CommandKind::Simple(simple) => simple.words[1]
            .parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => format!("l:{text}"),
                Part::Escaped(text) => format!("e:{text}"),
                Part::Single(text) => format!("s:{text}"),
                Part::AnsiC(text) => format!("c:{text}"),
                Part::Double(inner) => format!("d:{}", inner.len()),
                Part::Variable(variable) => format!(
                    "v:{}{}{}",
                    if variable.indirect { "*" } else { "" },
                    variable.name,
                    variable.index.unwrap_or("")
                ),
                Part::Command(list, _) => format!("$:{}", list.items.len()),
                Part::Glob(text) => format!("g:{text}"),
                Part::Brace(all) => format!("b:{}", all.len()),
                Part::Tilde(name) => format!("~:{name}"),
                other => format!("{other:?}"),
            })
            .collect::<Vec<_>>()
            .join(" "),
        _ => panic!("not simple"),
    };
    for (text, expected) in [
        ("a 'b c'", "s:b c"),
        ("a 'it\\'s \\n'", "c:it's \\n"),
        ("a \"b $c $(d; e)\"", "d:4"),
        ("a \\ b", "e:  l:b"),
        ("a \\x41\\u00e9\\n", "c:A c:é c:\n"),
        ("a $b[1]$$c", "v:b1 v:*c"),
        ("a x(b | c)y", "l:x $:1 l:y"),
        ("a (b)[1]", "$:1"),
        ("a {b,c}d", "b:2 l:d"),
        ("a {b}", "l:{ l:b l:}"),
        ("a {$b}c", "b:1 l:c"),
        ("a HEAD@{1}", "l:HEAD@ l:{ l:1 l:}"),
        ("a ~/x ~", "~: l:/x"),
        ("a **.txt", "g:** l:.txt"),
        ("a {}", "l:{}"),
    ] {
        assert_eq!(parts(text), expected, "{text}");
    }
}

#[test]
fn redirections() {
    for (text, fd, op) in [
        ("a > b", 1, RedirectOp::Write),
        ("a >> b", 1, RedirectOp::Append),
        ("a >? b", 1, RedirectOp::Append),
        ("a < b", 0, RedirectOp::Read),
        ("a 2> b", 2, RedirectOp::Write),
        ("a ^/dev/null", 2, RedirectOp::Write),
        ("a &> b", 1, RedirectOp::WriteBoth),
        ("a 2>&1", 2, RedirectOp::DuplicateOut),
        ("begin; a; end > b", 1, RedirectOp::Write),
    ] {
        let tree = fish(text);
        let redirection = &tree.body.items[0].and_or.first.stages[0].redirections[0];
        assert_eq!((redirection.fd, redirection.op), (fd, op), "{text}");
    }
}

#[test]
fn unfinished_and_wrong() {
    for text in [
        "begin",
        "if a",
        "for x in a; b",
        "echo (",
        "echo 'a",
        "echo \"a",
        "a |",
        "a &&",
        "function f",
        "echo \\",
    ] {
        assert!(!fish(text).complete, "{text}");
    }
    for text in ["end", "a; end; b", "else", ")", "| a"] {
        assert!(!fish(text).diagnostics.is_empty(), "{text}");
    }
    assert_eq!(fish("a; end; b").body.items.len(), 2);
    assert!(matches!(
        fish("a; and b").body.items[0].and_or.rest[0].0,
        Connector::And
    ));
}
