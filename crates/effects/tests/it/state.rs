//! Sessions: what a live shell knows, and certainty.

use std::borrow::Cow;

use cmdai_effects::{Context, Session, analyse};
use cmdai_schema::{Certainty, Dialect, EffectKind};

use crate::support::look;

struct Live;

impl Session for Live {
    fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "TARGET").then_some(Cow::Borrowed("/srv/data"))
    }
    fn alias(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "ll" => Some(Cow::Borrowed("ls -la")),
            "ls" => Some(Cow::Borrowed("ls --color")),
            "nuke" => Some(Cow::Borrowed("rm -rf")),
            "both" => Some(Cow::Borrowed("cd /srv && rm")),
            _ => None,
        }
    }
    fn function(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "wipe" => Some(Cow::Borrowed("{ rm -rf \"$1\"; }")),
            "bomb" => Some(Cow::Borrowed("{ bomb | bomb & }")),
            "less" => Some(Cow::Borrowed("{ command less -R \"$@\" | cat; }")),
            _ => None,
        }
    }
    fn is_live(&self) -> bool {
        true
    }
}

fn deletes(text: &str) -> Vec<(String, Certainty)> {
    let analysis = analyse(
        text,
        &Context {
            dialect: Dialect::Bash,
            cwd: "/w",
            home: "/home/u",
            user: "u",
            session: &Live,
            languages: &cmdai_languages::Grammars,
        },
    );
    analysis
        .effects
        .into_iter()
        .filter_map(|effect| match effect.kind {
            EffectKind::Delete { path, .. } => Some((path, effect.certainty)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_live_session_is_asked() {
    assert_eq!(
        deletes("rm -rf $TARGET/x"),
        [("/srv/data/x".to_owned(), Certainty::Proven)]
    );
    assert_eq!(
        deletes("nuke /srv"),
        [("/srv".to_owned(), Certainty::Proven)]
    );
    assert_eq!(
        deletes("both x"),
        [("/srv/x".to_owned(), Certainty::Proven)]
    );
    assert_eq!(
        deletes("wipe /srv"),
        [("/srv".to_owned(), Certainty::Proven)]
    );
    assert_eq!(
        deletes("rm -rf \"$UNSET/\"*"),
        [("/*".to_owned(), Certainty::Proven)]
    );
    assert_eq!(deletes("ls; ll; \\nuke x"), []);
}

#[test]
fn unset_variables_are_likely() {
    let analysis = look("rm -rf \"$DIR/\"*");
    let found: Vec<_> = analysis
        .effects
        .iter()
        .filter(|effect| effect.kind.path() == Some("/*"))
        .map(|effect| effect.certainty)
        .collect();
    assert_eq!(found, [Certainty::Likely]);
    for guarded in [
        "rm -rf \"${DIR:?}/\"*",
        "[ -n \"$DIR\" ] && rm -rf \"$DIR/\"*",
        "if [ -n \"$DIR\" ]; then rm -rf \"$DIR/\"*; fi",
        "set -u; rm -rf \"$DIR/\"*",
    ] {
        assert!(
            !look(guarded)
                .effects
                .iter()
                .any(|effect| effect.kind.path() == Some("/*")),
            "{guarded}"
        );
    }
}

#[test]
fn what_cannot_be_told_is_unknown() {
    for text in ["$CMD -rf /", "eval \"$X\"", "$(get-it) x", "bash -c \"$X\""] {
        assert!(look(text).unknown, "{text}");
    }
    assert!(!look("frobnicate --all").unknown);
    assert!(!look("frobnicate --all").invocations[0].known);
}

#[test]
fn completeness() {
    for text in [
        "echo 'a",
        "for x in a; do",
        "a &&",
        "a |",
        "a \\",
        "cat <<E\nx",
        "if true; then",
        "f() {",
        "echo $(a",
        "echo \"a",
        "case x in",
        "( a",
    ] {
        assert!(!look(text).complete, "{text:?}");
    }
    for text in [
        "",
        "echo a",
        "a && b",
        "cat <<E\nx\nE",
        "echo \\\\",
        "for x in a; do b; done",
        "# it's",
    ] {
        assert!(look(text).complete, "{text:?}");
    }
}

/// A function that was defined earlier is a bomb where it calls itself beside itself.
#[test]
fn bombs_of_the_session() {
    let exhausts = |text: &str| {
        analyse(
            text,
            &Context {
                dialect: Dialect::Bash,
                cwd: "/w",
                home: "/home/u",
                user: "u",
                session: &Live,
                languages: &cmdai_languages::Grammars,
            },
        )
        .effects
        .iter()
        .any(|effect| matches!(effect.kind, EffectKind::ResourceExhaustion { .. }))
    };
    assert!(exhausts("bomb"));
    assert!(!exhausts("less notes.md"));
    assert!(!exhausts("echo bomb"));
}
