//! Code of other languages inside a line: a light look, honest about what it does not read.

use cmdai_schema::CodeSource;

use crate::{analyser::Analyser, value::Text};

impl Analyser<'_> {
    /// Looks through code of a language for what it would do.
    pub(crate) fn inline_code(&mut self, language: &str, code: &Text) {
        self.emit_code(CodeSource::Literal, language, code.span);
    }
}
