//! Short forms for tests.

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_schema::{Analysis, CodeSource, Dialect, Effect, EffectKind};

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
    if let EffectKind::RunCode { source, language } = &effect.kind {
        return match source {
            CodeSource::Literal => format!("run-code literal {language}"),
            CodeSource::File(path) => format!("run-code file {path}"),
            CodeSource::Remote(url) => format!("run-code remote {url}"),
            CodeSource::Unknown => format!("run-code unknown {language}"),
        };
    }
    let value = serde_json::to_value(&effect.kind).unwrap();
    let fields = value.as_object().unwrap();
    let mut out = effect.kind.name().to_owned();
    for name in FIELDS {
        match fields.get(*name) {
            Some(serde_json::Value::String(text)) => {
                out.push(' ');
                out.push_str(text);
            }
            Some(serde_json::Value::Bool(true)) => {
                out.push(' ');
                out.push_str(name);
            }
            _ => {}
        }
    }
    out
}

const FIELDS: &[&str] = &[
    "mechanism",
    "provider",
    "resource",
    "name",
    "context",
    "url",
    "from",
    "path",
    "to",
    "mode",
    "owner",
    "source",
    "destination",
    "address",
    "subject",
    "what",
    "remote",
    "branch",
    "manager",
    "service",
    "action",
    "target",
    "how",
    "why",
    "recursive",
    "force",
    "all",
];

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
