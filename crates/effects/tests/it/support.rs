//! Short forms for tests.

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_schema::{Analysis, Dialect, Effect};

/// Analyses as bash in `/home/user/project`.
pub(crate) fn look(text: &str) -> Analysis {
    look_as(text, Dialect::Bash)
}

/// Analyses in a dialect.
pub(crate) fn look_as(text: &str, dialect: Dialect) -> Analysis {
    analyse(
        text,
        &Context {
            dialect,
            cwd: "/home/user/project",
            home: "/home/user",
            user: "user",
            session: &NoSession,
            languages: &cmdai_languages::Grammars,
        },
    )
}

/// Effects as short lines.
pub(crate) fn lines(text: &str) -> Vec<String> {
    look(text).effects.iter().map(line).collect()
}

/// An effect as a short line: its name and its fields in order.
pub(crate) fn line(effect: &Effect) -> String {
    effect.kind.line()
}

/// Fails unless the text has an effect whose short line is this.
#[track_caller]
pub(crate) fn has(text: &str, expected: &str) {
    let all = lines(text);
    assert!(
        all.iter().any(|line| line == expected),
        "{text:?}: no {expected:?} among {all:#?}"
    );
}

/// Fails where the text has any effect of this kind.
#[track_caller]
pub(crate) fn lacks(text: &str, kind: &str) {
    let all = lines(text);
    assert!(
        !all.iter()
            .any(|line| line == kind || line.starts_with(&format!("{kind} "))),
        "{text:?}: {kind:?} among {all:#?}"
    );
}
