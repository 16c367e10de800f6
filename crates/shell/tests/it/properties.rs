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
