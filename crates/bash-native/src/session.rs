//! What the running bash knows, as the analysis asks for it.

use std::borrow::Cow;

use cmdai_effects::Session;

use crate::symbols::Symbols;

/// The live session.
pub(crate) struct LiveSession<'a>(pub(crate) &'a Symbols);

impl Session for LiveSession<'_> {
    fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.variable(name).map(Cow::Owned)
    }

    fn alias(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.alias(name).map(Cow::Owned)
    }

    fn function(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.function(name).map(Cow::Owned)
    }

    fn is_live(&self) -> bool {
        true
    }
}
