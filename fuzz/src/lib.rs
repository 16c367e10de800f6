//! What must hold for any input. Each function is one fuzz target: it takes bytes and panics where
//! a promise is broken. `cargo xtask fuzz` builds and runs them; `docs/how-to/fuzz.md` says how.

#![forbid(unsafe_code)]

mod check;
mod inline;
mod policy;

use cmdai_schema::Dialect;

pub use inline::inline;
pub use policy::{policy, snapshot};

/// Dialects by the first byte of an input; other bytes are bash and belong to the text.
const DIALECTS: [Dialect; 5] = [
    Dialect::Bash,
    Dialect::Zsh,
    Dialect::Sh,
    Dialect::Fish,
    Dialect::Powershell,
];

/// The dialect of an input, and its text.
fn split(data: &[u8]) -> (Dialect, &[u8]) {
    match data {
        [first, rest @ ..] => match DIALECTS.get(usize::from(*first)) {
            Some(dialect) => (*dialect, rest),
            None => (Dialect::Bash, data),
        },
        [] => (Dialect::Bash, data),
    }
}

/// bash, zsh and sh to a tree.
pub fn posix(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for dialect in [Dialect::Bash, Dialect::Zsh, Dialect::Sh] {
        check::tree(text, dialect);
    }
}

/// fish and PowerShell to a tree and to effects.
pub fn dialects(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for dialect in [Dialect::Fish, Dialect::Powershell] {
        check::tree(text, dialect);
        check::analysis(text, dialect);
    }
}

/// A text of any dialect to the decision.
pub fn judge(data: &[u8]) {
    let (dialect, data) = split(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    check::whole(text, dialect);
}

/// Secrets in a text.
pub fn redact(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let found = cmdai_redact::find(text);
    let mut at = 0;
    for finding in &found {
        assert!(at <= finding.start, "findings overlap: {found:?}");
        assert!(finding.start < finding.end, "an empty finding: {found:?}");
        assert!(
            text.get(finding.start..finding.end).is_some(),
            "outside the text or inside a character: {finding:?}"
        );
        at = finding.end;
    }
    let once = cmdai_redact::redact(text);
    assert_eq!(once == text, found.is_empty(), "found and redacted differ");
    let twice = cmdai_redact::redact(&once);
    assert_eq!(once, twice, "redacting twice changes something");
}
