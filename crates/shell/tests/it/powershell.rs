//! What lines of PowerShell are read as.

use cmdai_schema::Dialect;
use cmdai_shell::{CommandKind, Expr, Part, Tree, parse};

fn read(text: &str) -> Tree<'_> {
    parse(text, Dialect::Powershell)
}

fn kind<'t, 'a>(tree: &'t Tree<'a>) -> &'t CommandKind<'a> {
    &tree.body.items[0].and_or.first.stages[0].kind
}

fn named(kind: &CommandKind<'_>) -> &'static str {
    match kind {
        CommandKind::Simple(_) => "simple",
        CommandKind::If { .. } => "if",
        CommandKind::Loop { .. } | CommandKind::For { .. } | CommandKind::ArithmeticFor { .. } => {
            "loop"
        }
        CommandKind::Case { .. } => "case",
        CommandKind::Function { .. } => "function",
        CommandKind::Expression(_) => "expression",
        CommandKind::Assign { .. } => "assign",
        CommandKind::Try { .. } => "try",
        CommandKind::Params(_) => "params",
        _ => "other",
    }
}

#[test]
fn statements() {
    for (text, expected) in [
        ("Get-ChildItem -Recurse *.log", "simple"),
        ("& $x a b", "simple"),
        (". ./a.ps1", "simple"),
        ("$x = Get-Date", "assign"),
        ("$x += 1, 2", "assign"),
        ("$x | Out-Null", "expression"),
        ("[IO.File]::Delete('a')", "expression"),
        ("'a' -replace 'b', 'c'", "expression"),
        ("if ($x) { a } elseif ($y) { b } else { c }", "if"),
        ("foreach ($f in ls) { $f }", "loop"),
        ("while ($true) { a }", "loop"),
        ("function f($a, $b = 1) { a }", "function"),
        (
            "try { a } catch [IO.IOException] { b } finally { c }",
            "try",
        ),
        ("param([string]$Name, $Age = 3)", "params"),
    ] {
        let tree = read(text);
        assert_eq!(named(kind(&tree)), expected, "{text}");
        assert!(
            tree.complete && tree.unknown.is_empty(),
            "{text}: {:?}",
            tree.diagnostics
        );
        assert_eq!(tree.body.items.len(), 1, "{text}");
    }
}

#[test]
fn words_and_parts() {
    let tree = read("ri \"a$x b\" 'it''s' @args -Force:$false a`,b");
    let CommandKind::Simple(simple) = kind(&tree) else {
        panic!("not simple")
    };
    assert_eq!(simple.words.len(), 6);
    assert!(matches!(&simple.words[1].parts[0], Part::Double(inner) if inner.len() == 3));
    assert_eq!(simple.words[2].literal().unwrap(), "it's");
    assert!(matches!(simple.words[3].parts[0], Part::Splat("args", _)));
}

#[test]
fn pipelines_and_comments() {
    let tree = read("# one\nls <# two #> | % { $_ } |\n  Out-Null; b && c || d");
    assert_eq!(tree.body.items.len(), 2);
    assert_eq!(tree.body.items[0].and_or.first.stages.len(), 3);
    assert_eq!(tree.body.items[1].and_or.rest.len(), 2);
}

#[test]
fn members_and_indexes() {
    let tree = read("(gi a).Delete($true)");
    let CommandKind::Expression(Expr::Invoke(target, _, args, _)) = kind(&tree) else {
        panic!("not a call: {:?}", kind(&tree))
    };
    assert!(matches!(**target, Expr::Statements(..)) && args.len() == 1);
    let tree = read("$h['a'].b");
    let CommandKind::Expression(Expr::Member(target, ..)) = kind(&tree) else {
        panic!("not a member: {:?}", kind(&tree))
    };
    assert!(matches!(**target, Expr::Index(..)));
}

#[test]
fn here_strings_and_what_is_not_ended() {
    let tree = read("$x = @'\nrm '\"\n'@; a");
    assert!(tree.complete && tree.body.items.len() == 2, "{tree:?}");
    for text in ["if ($x) {", "'a", "a |", "@'\nb", "$x = @{"] {
        assert!(!read(text).complete, "{text}");
    }
}
