//! The form of a command that may be written down or sent.

use std::borrow::Cow;

use cmdai_effects::Context;
use cmdai_schema::{Analysis, EffectKind};

/// Longest text that is written into one record, in bytes; the rest is cut with a mark.
const TEXT_LIMIT: usize = 64 * 1024;

/// A command without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redacted {
    /// The text.
    pub text: String,
    /// Digest of the tree of that text.
    pub digest: String,
    /// Programs called, as that text names them; all that are called where it conceals some.
    pub programs: Vec<String>,
    /// Something was taken out.
    pub changed: bool,
    /// What was taken out does something of its own: who reads the text cannot tell what would happen.
    pub conceals: bool,
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
                conceals: false,
            },
            clean => {
                let again = cmdai_effects::analyse(&clean, context);
                let conceals = !same_deeds(analysis, &again);
                let mut programs = again.programs();
                if conceals {
                    for name in analysis.programs() {
                        let name = self::clean(&name);
                        if !programs.contains(&name) {
                            programs.push(name);
                        }
                    }
                }
                Self {
                    text: cut(&clean).into_owned(),
                    digest: again.digest.clone(),
                    programs,
                    changed: true,
                    conceals,
                }
            }
        }
    }
}

/// The text without its secrets does what the text does: the same programs in the same order, and the same
/// effects on the same targets. Passwords in addresses do not count.
fn same_deeds(whole: &Analysis, redacted: &Analysis) -> bool {
    let calls = |analysis: &Analysis| {
        let names = analysis.invocations.iter();
        names.map(|call| clean(&call.program)).collect::<Vec<_>>()
    };
    let same = |(one, other): (&cmdai_schema::Effect, &cmdai_schema::Effect)| {
        one.kind == other.kind
            || matches!(
                one.kind,
                EffectKind::Download { .. }
                    | EffectKind::Upload { .. }
                    | EffectKind::Connect { .. }
            ) && clean(&format!("{:?}", one.kind)) == clean(&format!("{:?}", other.kind))
    };
    calls(whole) == calls(redacted)
        && whole.effects.len() == redacted.effects.len()
        && whole.effects.iter().zip(&redacted.effects).all(same)
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
