//! What must hold for any text. Longer searches: `cargo xtask fuzz`.

use cmdai_schema::Dialect;
use cmdai_shell::parse;

const ALL: [Dialect; 5] = [
    Dialect::Bash,
    Dialect::Zsh,
    Dialect::Sh,
    Dialect::Fish,
    Dialect::Powershell,
];

/// Texts that broke a promise once: complaints lie inside the text, on whole characters.
#[test]
fn complaints_keep_to_the_text() {
    for text in [
        "a=([(])]=x)",
        "a=([{]}]=x) a[(])]=1 ${a[(])]}",
        "for ",
        "select ",
        "for é",
        "for ;é",
        "if é",
        ")é",
        "é)",
        ";é",
        "for x in é; é",
    ] {
        for dialect in ALL {
            let tree = parse(text, dialect);
            let spans = tree.diagnostics.iter().map(|complaint| complaint.span);
            for span in spans.chain(tree.unknown.iter().copied()) {
                assert!(
                    text.get(span.start as usize..span.end as usize).is_some(),
                    "{text:?} as {dialect:?}: {span:?}"
                );
            }
        }
    }
}

#[test]
fn loops_over_several_names_stay_small() {
    let mut text = String::from("ls");
    for _ in 0..7 {
        text = format!("for a b c d e f g h in $({text}) x; do :; done");
    }
    let tree = cmdai_shell::parse(&text, cmdai_schema::Dialect::Zsh);
    let size = format!("{tree:?}").len();
    assert!(
        size < 400_000,
        "{size} bytes for {} bytes of text",
        text.len()
    );
}
