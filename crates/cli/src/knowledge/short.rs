//! What an example of the knowledge does, as the short lines that it is written in.

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_languages::Grammars;
use cmdai_schema::Dialect;

/// What an example does in a dialect, as short lines in the order of the text.
pub(super) fn lines(run: &str, dialect: Dialect) -> Vec<String> {
    let context = Context {
        dialect,
        cwd: "/home/user/project",
        home: "/home/user",
        user: "user",
        session: &NoSession,
        languages: &Grammars,
    };
    let effects = analyse(run, &context).effects;
    effects.iter().map(|effect| effect.kind.line()).collect()
}
