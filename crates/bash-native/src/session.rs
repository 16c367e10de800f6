//! What the running bash knows, as the analysis asks for it.

use std::borrow::Cow;

use cmdai_effects::Session;
use cmdai_effects::script::{Language, Languages, Script};
use cmdai_gate::CodeReader;

use crate::symbols::{self, Symbols};

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

/// The reader of other languages, as this shell may start it.
pub(crate) struct LiveLanguages<'a>(pub(crate) &'a CodeReader);

impl Languages for LiveLanguages<'_> {
    fn read(&self, language: Language, code: &str) -> Option<Script> {
        // Bash takes the end of any child for one of its own jobs; it learns of this one when it is
        // gone already.
        symbols::without_child_signals(|| self.0.read(language, code))
    }
}
