//! An effect as the short line that examples are written in: its name and its fields in order.

use cmdai_effects::{Context, NoSession, analyse};
use cmdai_languages::Grammars;
use cmdai_schema::{CodeSource, Dialect, Effect, EffectKind};

/// Fields in the order of the line; `true` stands as the field's name.
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
    analyse(run, &context).effects.iter().map(line).collect()
}

fn line(effect: &Effect) -> String {
    if let EffectKind::RunCode { source, language } = &effect.kind {
        return match source {
            CodeSource::Literal => format!("run-code literal {language}"),
            CodeSource::File(path) => format!("run-code file {path}"),
            CodeSource::Remote(url) => format!("run-code remote {url}"),
            CodeSource::Unknown => format!("run-code unknown {language}"),
        };
    }
    let value = serde_json::to_value(&effect.kind).unwrap_or_default();
    let mut out = effect.kind.name().to_owned();
    for name in FIELDS {
        match value.get(name) {
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
