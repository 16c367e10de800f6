//! Languages of tools inside a line: SQL, awk, sed, and a light look at the rest.

mod awk;
mod other;
mod sed;
pub(crate) mod sql;
pub(crate) mod tokens;

use cmdai_schema::Dialect;

use crate::{
    analyser::Analyser,
    value::{Stream, Text},
};

impl Analyser<'_> {
    fn run_text(&mut self, text: String, code: &Text) {
        self.shell_code(
            &Text::known(text, code.span),
            Dialect::Sh,
            &Stream::Empty,
            true,
        );
    }
}
