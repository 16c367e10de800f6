//! Programs whose arguments need more than the tables can say.

mod files;
mod shells;

use crate::{analyser::Analyser, call::Call, options::Parsed, value::Stream};

impl Analyser<'_> {
    /// Hands a call to its handler.
    pub(crate) fn handle(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        match parsed.program.handler {
            "shell" => self.shell(call, parsed),
            "sudo" => self.sudo(call, parsed),
            "su" => self.su(call, parsed),
            "dd" => self.dd(call),
            _ => self.printed_by(call, parsed),
        }
    }
}
