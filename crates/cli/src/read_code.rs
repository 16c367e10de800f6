//! `cmdai read-code`: the tree of a piece of code, for a shell that must not link the grammars.

use std::io::Read as _;

use cmdai_effects::script::{Language, Languages as _};
use cmdai_languages::{Grammars, MAX_CODE};

use crate::failure::Failure;

/// Reads code from standard input and prints its tree as JSON; status 1 where it is not read.
pub(crate) fn read_code(language: &str) -> Result<u8, Failure> {
    let mut code = String::new();
    let most = MAX_CODE as u64 + 1;
    let read = std::io::stdin().take(most).read_to_string(&mut code);
    let script = Language::named(language)
        .filter(|_| read.is_ok())
        .and_then(|language| Grammars.read(language, &code));
    let written = script.map(|script| {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        serde_json::to_writer(&mut out, &script).is_ok() && std::io::Write::flush(&mut out).is_ok()
    });
    Ok(u8::from(written != Some(true)))
}
