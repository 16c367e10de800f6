//! What texts are read as, and that reading never fails.

use cmdai_schema::Dialect;
use cmdai_shell::{CommandKind, MAX_TEXT, Part, RedirectOp, Tree, parse};
use proptest::prelude::*;

fn bash(text: &str) -> Tree<'_> {
    parse(text, Dialect::Bash)
}

/// The kind of the only command.
fn kind<'t, 'a>(tree: &'t Tree<'a>) -> &'t CommandKind<'a> {
    &tree.body.items[0].and_or.first.stages[0].kind
}

#[test]
fn simple_commands() {
    let tree = bash("A=1 echo 'a b' \"c$d\" >out 2>&1 # note");
    let CommandKind::Simple(simple) = kind(&tree) else {
        panic!("not simple")
    };
    assert_eq!(simple.assignments.len(), 1);
    assert_eq!(simple.words.len(), 3);
    assert_eq!(simple.words[1].literal().unwrap(), "a b");
    assert_eq!(simple.words[1].span.of(tree.source), "'a b'");
    let redirections = &tree.body.items[0].and_or.first.stages[0].redirections;
    assert_eq!(
        redirections
            .iter()
            .map(|redirection| (redirection.fd, redirection.op))
            .collect::<Vec<_>>(),
        [(1, RedirectOp::Write), (2, RedirectOp::DuplicateOut)]
    );
    assert!(tree.complete && tree.diagnostics.is_empty());
}

#[test]
fn compound_commands() {
    let named = |text: &str| match kind(&bash(text)) {
        CommandKind::Simple(_) => "simple",
        CommandKind::Subshell(_) => "subshell",
        CommandKind::Group(_) => "group",
        CommandKind::If { .. } => "if",
        CommandKind::Loop { .. } => "loop",
        CommandKind::For { .. } => "for",
        CommandKind::ArithmeticFor { .. } => "arithmetic-for",
        CommandKind::Case { .. } => "case",
        CommandKind::Function { .. } => "function",
        CommandKind::Arithmetic(_) => "arithmetic",
        CommandKind::Test(_) => "test",
        CommandKind::Coproc(_) => "coproc",
        CommandKind::Repeat { .. } => "repeat",
        CommandKind::Expression(_)
        | CommandKind::Assign { .. }
        | CommandKind::Try { .. }
        | CommandKind::Params(_) => "powershell",
        CommandKind::Unknown => "unknown",
    };
    for (text, expected) in [
        ("(a)", "subshell"),
        ("((a)|b)", "subshell"),
        ("{ a; }", "group"),
        ("if a; then b; elif c; then d; else e; fi", "if"),
        ("while a; do b; done", "loop"),
        ("until a; do b; done", "loop"),
        ("for x in a b; do c; done", "for"),
        ("for x; do c; done", "for"),
        ("select x in a; do b; done", "for"),
        ("for ((i=0; i<3; i++)); do a; done", "arithmetic-for"),
        ("case $x in a|b) c;; (d) e;; *) ;; esac", "case"),
        ("f() { a; }", "function"),
        ("function f { a; }", "function"),
        ("((x+1))", "arithmetic"),
        ("[[ $a =~ ^(x|y)$ && -n $b ]]", "test"),
        ("coproc a", "coproc"),
        ("iffy", "simple"),
        ("echo if", "simple"),
        ("{a,b}", "simple"),
    ] {
        let tree = bash(text);
        assert_eq!(named(text), expected, "{text}");
        assert!(
            tree.complete && tree.unknown.is_empty() && tree.diagnostics.is_empty(),
            "{text}: {:?}",
            tree.diagnostics
        );
    }
}

#[test]
fn here_documents() {
    let tree = bash("cat <<A - <<-'B' x\n$v\nA\n\tb $v\n\tB\necho after");
    assert_eq!(tree.here_docs.len(), 2);
    assert_eq!(tree.here_docs[0].span.of(tree.source), "$v\n");
    assert!(matches!(tree.here_docs[0].parts[0], Part::Variable(_)));
    assert!(tree.here_docs[1].quoted && tree.here_docs[1].strip_tabs);
    assert_eq!(tree.here_docs[1].span.of(tree.source), "\tb $v\n");
    assert_eq!(tree.body.items.len(), 2);
    assert!(tree.complete);
    assert!(!bash("cat <<A\nx").complete);
}

#[test]
fn arithmetic_or_subshell() {
    let tree = bash("echo $((1+2)) $((a) | (b)) $( (c) )");
    let CommandKind::Simple(simple) = kind(&tree) else {
        panic!("not simple")
    };
    assert!(matches!(simple.words[1].parts[0], Part::Arithmetic(..)));
    assert!(matches!(simple.words[2].parts[0], Part::Command(..)));
    assert!(matches!(simple.words[3].parts[0], Part::Command(..)));
}

#[test]
fn errors_are_read_past() {
    for text in [
        ")",
        "; ;",
        "fi",
        "a; done; rm x",
        "| a",
        "a ;; b",
        "&& a",
        "for do",
        "case",
        "if",
        "}",
    ] {
        let tree = bash(text);
        assert!(!tree.diagnostics.is_empty() || !tree.complete, "{text}");
    }
    assert_eq!(bash("a; done; rm x").body.items.len(), 2);
}

#[test]
fn too_long_is_unknown() {
    let text = "a ".repeat(MAX_TEXT);
    assert_eq!(bash(&text).unknown.len(), 1);
    let deep = "$(".repeat(1_000);
    assert!(!bash(&deep).unknown.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in "\\PC{0,300}") {
        for dialect in [Dialect::Bash, Dialect::Zsh, Dialect::Sh, Dialect::Fish, Dialect::Powershell] {
            for region in parse(&text, dialect).unknown {
                prop_assert!(region.end as usize <= text.len());
            }
        }
    }

    #[test]
    fn words_lie_in_the_text(text in "[a-z'\"$(){}<>|&; \\\\\n`=*~#-]{0,80}") {
        let tree = bash(&text);
        for item in &tree.body.items {
            for command in &item.and_or.first.stages {
                prop_assert!(text.get(command.span.start as usize..command.span.end as usize).is_some());
            }
        }
    }
}
