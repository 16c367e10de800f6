//! Texts that are meant to break the reader: they end, and what was not read is marked.

use cmdai_schema::Dialect;

use crate::support::look_as;

const DIALECTS: [Dialect; 2] = [Dialect::Fish, Dialect::Powershell];

#[test]
fn deep_and_long_texts_end() {
    let openings = [
        "(",
        "{",
        "@(",
        "@{",
        "$(",
        "\"$(",
        "'",
        "\"",
        "((",
        "[",
        "[a]",
        "!",
        "-not ",
        "$x[",
        "a(",
        "{a,",
        "begin;",
        "if a;",
        "if (",
        "if (a) {",
        "function f {",
        "& {",
        "% {",
        "@'\n",
        "@\"\n",
        "$a=",
        "$x.a(",
        "1+",
        "a,",
        "a|",
        "not ",
        "and ",
        "$$",
        "${",
        "`",
        "\\",
        "for x in ",
        "foreach ($x in ",
        "switch ",
        "try {",
        "a;",
        "a ",
        "=(",
        "<(",
        "${(e)",
        "repeat 2 ",
        "cmd /c ",
        "iex ",
        "powershell -c ",
        "{a",
        "@{a=",
        ",",
        "..",
        "1..9999;",
        "'a'*99999;",
        "-join ",
    ];
    let mut unread = Vec::new();
    for opening in openings {
        // Longer for the plain ones.
        let size = if opening.len() == 1 { 8 * 1024 } else { 1024 };
        let text = opening.repeat(size / opening.len());
        for dialect in DIALECTS {
            let analysis = look_as(&text, dialect);
            if opening.len() > 3
                && !opening.contains([' ', ';'])
                && analysis.complete
                && !analysis.unknown
                && analysis.diagnostics.is_empty()
            {
                unread.push((opening, dialect));
            }
        }
        for dialect in DIALECTS {
            look_as(
                &format!("{}{}", opening.repeat(200), ")}]\"'".repeat(200)),
                dialect,
            );
        }
    }
    assert!(unread.len() < 20, "{unread:?}");
}

#[test]
fn what_lies_too_deep_is_unknown() {
    for (text, dialect) in [
        (
            format!("{}rm -rf /{}", "(".repeat(80), ")".repeat(80)),
            Dialect::Powershell,
        ),
        (
            format!("echo {}rm -rf /{}", "(".repeat(80), ")".repeat(80)),
            Dialect::Fish,
        ),
        (
            format!("{}rm -rf /{}", "begin;".repeat(80), ";end".repeat(80)),
            Dialect::Fish,
        ),
        (
            format!("{}rm -rf /{}", "& {".repeat(80), "}".repeat(80)),
            Dialect::Powershell,
        ),
    ] {
        let analysis = look_as(&text, dialect);
        assert!(analysis.unknown, "{text}");
    }
}
