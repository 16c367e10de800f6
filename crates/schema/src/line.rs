//! An effect as the short line that the examples of the command knowledge are written in.

use crate::{CodeSource, EffectKind};

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

impl EffectKind {
    /// The effect's name and its fields in order, such as `delete /srv recursive force`.
    pub fn line(&self) -> String {
        if let Self::RunCode { source, language } = self {
            return match source {
                CodeSource::Literal => format!("run-code literal {language}"),
                CodeSource::File(path) => format!("run-code file {path}"),
                CodeSource::Remote(url) => format!("run-code remote {url}"),
                CodeSource::Unknown => format!("run-code unknown {language}"),
            };
        }
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut out = self.name().to_owned();
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
}
