//! The tables of `knowledge/calls`: what calls do, by name.

use super::tree::Language;
use crate::pool::Word;

/// Calls of one language.
struct Table {
    /// Names with what they do, sorted.
    calls: &'static [(Word, Word)],
    /// Last parts of names of calls that change something, sorted.
    risky: &'static [Word],
}

include!(concat!(env!("OUT_DIR"), "/calls.rs"));

fn table(language: Language) -> Option<&'static Table> {
    TABLES
        .iter()
        .find(|(name, _)| *name == language.name())
        .map(|(_, table)| table)
}

/// What a call of this name does.
pub(super) fn find(language: Language, name: &str) -> Option<&'static str> {
    let table = table(language)?;
    let at = table
        .calls
        .binary_search_by(|(known, _)| known.text().cmp(name))
        .ok()?;
    table.calls.get(at).map(|(_, does)| does.text())
}

/// Words by which code finds or makes other code at run time: what it calls stands nowhere.
const DETOURS: &[&str] = &[
    "Function",
    "__import__",
    "call_user_func",
    "compile",
    "const_get",
    "create_function",
    "eval",
    "exec",
    "execfile",
    "getattr",
    "globals",
    "import_module",
    "instance_eval",
    "load",
    "loadstring",
    "marshal",
    "public_send",
    "send",
    "vars",
];

/// Code that was not read names a call that changes something, or a way to call what is not named.
pub(super) fn looks_risky(language: Language, code: &str) -> bool {
    let risky = table(language).map_or(&[] as &[Word], |table| table.risky);
    let shell = matches!(language, Language::Perl | Language::Ruby | Language::Php);
    shell && code.contains(['`'])
        || code
            .split(|mark: char| !mark.is_alphanumeric() && mark != '_')
            .any(|word| {
                !word.is_empty()
                    && (risky
                        .binary_search_by(|known| known.text().cmp(word))
                        .is_ok()
                        || DETOURS.binary_search(&word).is_ok())
            })
}
