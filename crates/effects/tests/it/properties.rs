//! Properties over made texts.

use cmdai_schema::{Dialect, EffectKind};
use proptest::prelude::*;

use crate::support::{look, look_as};

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zA-Z0-9/._-]{1,8}", 1..5)
}

/// A word in one of the ways it may be written.
fn spelled(word: &str, how: u8) -> String {
    match how % 5 {
        0 => word.to_owned(),
        1 => format!("'{word}'"),
        2 => format!("\"{word}\""),
        3 => word.chars().map(|next| format!("\\{next}")).collect(),
        _ => {
            let (a, b) = word.split_at(word.len() / 2);
            format!("{a}''\"{b}\"")
        }
    }
}

fn deletions(text: &str) -> Vec<String> {
    let mut all: Vec<String> = look(text)
        .effects
        .into_iter()
        .filter_map(|effect| match effect.kind {
            EffectKind::Delete { path, .. } => Some(path),
            _ => None,
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spelling_keeps_the_digest(words in words(), how in prop::collection::vec(0u8..5, 5), gap in " {1,3}") {
        let plain = format!("x{}", words.join(" "));
        let mut parts: Vec<String> = vec![format!("x{}", words[0])];
        parts.extend(words.iter().skip(1).cloned());
        let other: Vec<String> = parts.iter().zip(how.iter().cycle()).map(|(word, how)| spelled(word, *how)).collect();
        let other = other.join(&gap);
        prop_assert_eq!(look(&plain).digest, look(&other).digest, "{} / {}", plain, other);
    }

    #[test]
    fn wrapping_removes_nothing(path in "/[a-z]{1,6}(/[a-z]{1,6})?", wrappers in prop::collection::vec(0usize..14, 0..4)) {
        let mut text = format!("rm -rf {path}");
        for wrapper in wrappers {
            text = match wrapper {
                0 => format!("sudo {}", as_program(&text)),
                1 => format!("env A=1 {}", as_program(&text)),
                2 => format!("( {text} )"),
                3 => format!("{{ {text}; }}"),
                4 => format!("bash -c {}", quoted(&text)),
                5 => format!("eval {}", quoted(&text)),
                6 => format!("true && {text}"),
                7 => format!("if true; then {text}; fi"),
                8 => format!("timeout 5 {}", as_program(&text)),
                9 => format!("echo {} | sh", quoted(&text)),
                10 => format!("f() {{ {text}; }}; f"),
                11 => format!("x=$( {text} )"),
                12 => format!("for i in a; do {text}; done"),
                _ => format!("nohup {} &", as_program(&text)),
            };
        }
        prop_assert!(deletions(&text).contains(&path), "{}: {:?}", text, deletions(&text));
    }

    #[test]
    fn anything_is_read(text in "\\PC{0,200}") {
        for dialect in [Dialect::Bash, Dialect::Zsh, Dialect::Sh, Dialect::Fish, Dialect::Powershell] {
            look_as(&text, dialect);
        }
    }

    #[test]
    fn shell_like_noise_is_read(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        let analysis = look(&text);
        for effect in &analysis.effects {
            prop_assert!(effect.span.end as usize <= text.len());
        }
    }
}

const PIECES: &[&str] = &[
    "$(",
    "`",
    "\"",
    "'",
    ")",
    "(",
    "{",
    "}",
    ";",
    "&",
    "|",
    "&&",
    "||",
    "<<E\n",
    "E\n",
    "<<<",
    "<(",
    "$((",
    "))",
    "${",
    "x",
    "rm -rf /",
    " ",
    "\n",
    "if ",
    "then ",
    "fi ",
    "for x in ",
    "do ",
    "done ",
    "case ",
    "esac ",
    "in ",
    "[[ ",
    " ]]",
    "=",
    "*",
    "~",
    "\\",
    "$x",
    "${x:-",
    "#",
    "!",
    ">",
    "2>&1",
    "é",
    "bash -c ",
    "eval ",
    "sudo ",
    "f()",
    "function ",
    "a=(",
    ",",
    "..",
    "$'",
    "xargs ",
    "find . -exec ",
    "{a,b}",
];

/// Behind a program, a text needs a shell.
fn as_program(text: &str) -> String {
    format!("bash -c {}", quoted(text))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[test]
fn hostile_depth_is_bounded() {
    for piece in [
        "$(",
        "{",
        "(",
        "`",
        "\"$(",
        "${x:-",
        "$((",
        "((",
        "[[ ",
        "if ",
        "while ",
        "case x in x) ",
        "{a,",
        "a=(",
        "<(",
        "eval ",
        "bash -c '",
        "f(){ ",
        "sudo ",
        "!",
        "<<E ",
        "x|",
        "a&&",
        "\\",
        "'",
        "*",
        "[",
        "{a,b}",
        "$x",
        "xargs ",
        "rm a;",
    ] {
        let text: String = piece.repeat(65_536 / piece.len());
        look(&text);
        look(&piece.repeat(200_000 / piece.len()));
    }
    let mut doubled = String::from("x=aaaaaaaa;");
    for _ in 0..60 {
        doubled.push_str("x=$x$x;");
    }
    look(&doubled);
    let brace: String = "{a,b}".repeat(100);
    look(&format!("rm {brace}"));
    let mut calls = String::new();
    for index in 0..40 {
        calls.push_str(&format!(
            "f{index}() {{ f{next}; f{next}; }};",
            next = index + 1
        ));
    }
    look(&format!("{calls} f0"));
}

#[test]
fn an_unfinished_block_keeps_its_places_in_the_line() {
    let text = "ssh -i k hosttry {ud-dockx\n\"@ | Out-File a.txt; @'\nraw\n'@; try {ud-dock";
    let analysis = crate::support::look_as(text, cmdai_schema::Dialect::Powershell);
    assert!(!analysis.invocations.is_empty());
    for call in &analysis.invocations {
        let ends = call.args.iter().map(|arg| arg.span.end);
        for end in ends.chain([call.span.end]) {
            assert!(end as usize <= text.len(), "{call:?}");
        }
    }
}
