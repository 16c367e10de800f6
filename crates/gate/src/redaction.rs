//! The form of a command that may be written down or sent.

use std::borrow::Cow;

use cmdai_effects::Context;
use cmdai_schema::Analysis;

/// Longest text that is written into one record, in bytes; the rest is cut with a mark.
const TEXT_LIMIT: usize = 64 * 1024;

/// A command without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text.
    pub text: String,
    /// Digest of the tree of that text.
    pub digest: String,
    /// Programs called, as that text names them.
    pub programs: Vec<String>,
    /// Something was taken out.
    pub changed: bool,
}

impl Redacted {
    /// Redacts a text and analyses what is left, so that neither digest nor names carry a secret.
    pub fn of(text: &str, analysis: &Analysis, context: &Context<'_>) -> Self {
        match cmdai_redact::redact(text) {
            clean if clean == text => Self {
                text: cut(text).into_owned(),
                digest: analysis.digest.clone(),
                programs: analysis.programs(),
                changed: false,
            },
            clean => {
                let again = cmdai_effects::analyse(&clean, context);
                Self {
                    text: cut(&clean).into_owned(),
                    digest: again.digest.clone(),
                    programs: again.programs(),
                    changed: true,
                }
            }
        }
    }
}

/// A short text, such as a reason, without secrets.
pub(crate) fn clean(text: &str) -> String {
    cut(&cmdai_redact::redact(text)).into_owned()
}

fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_LIMIT {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(TEXT_LIMIT);
    Cow::Owned(format!(
        "{}…[{} bytes cut]",
        text.get(..end).unwrap_or_default(),
        text.len() - end
    ))
}
