//! Other forms of the line: with a flag more, with words less, printed instead of run.

use super::super::files::quoted;
use super::Case;

/// Longest text that is offered, in bytes.
const LONG: usize = 400;

/// The text of the call, where it stands in one line and starts nothing else.
fn text<'a>(case: &Case<'a>) -> Option<&'a str> {
    let text = case.call?.span.of(case.text).trim();
    (!text.is_empty()
        && text.len() < LONG
        && !text.contains(['\n', '`', '>', '<'])
        && !text.contains("$("))
    .then_some(text)
}

/// The call with something more at its end.
pub(super) fn with(case: &Case<'_>, more: &str) -> Option<String> {
    let first = more.split_whitespace().next()?;
    text(case)
        .filter(|text| !text.contains(first) && !text.contains(" -- "))
        .map(|text| format!("{text} {more}"))
}

/// The call printed with its variables filled in.
pub(super) fn say_instead(case: &Case<'_>) -> Option<String> {
    let text = text(case)?;
    let rest = text.strip_prefix("eval ").unwrap_or(text);
    let rest = match case.program() {
        // The code itself is what is worth a look.
        "bash" | "sh" | "zsh" | "dash" | "ksh" => {
            let (_, code) = text.split_once(" -c ")?;
            code
        }
        _ => rest,
    };
    (!rest.contains(['|', ';', '&'])).then(|| format!("echo {rest}"))
}

/// What flows into the call, shown page by page: `curl … | base64 -d | sh` without the last part.
pub(super) fn read_instead(case: &Case<'_>) -> Option<String> {
    let call = case.call?;
    if call.stage == 0 {
        return None;
    }
    let start = case
        .calls
        .iter()
        .filter(|other| other.pipeline == call.pipeline && other.stage == 0)
        .map(|other| other.span.start)
        .min()?;
    let outer = case
        .calls
        .iter()
        .filter(|other| other.pipeline == call.pipeline && other.stage == call.stage)
        .map(|other| other.span.start)
        .min()?;
    let before = case.text.get(start as usize..outer as usize)?.trim_end();
    let before = before
        .strip_suffix('|')
        .or_else(|| before.strip_suffix("|&"))?
        .trim_end();
    (!before.is_empty() && before.len() < LONG && !before.contains('\n'))
        .then(|| format!("{before} | less"))
}

/// The call with other words: each argument may be kept, replaced or left out.
pub(super) fn rebuilt(case: &Case<'_>, change: impl Fn(usize, &str) -> Change) -> Option<String> {
    let call = case.call?;
    let mut out = call.word.clone();
    let mut changed = false;
    for (at, arg) in call.args.iter().enumerate() {
        // An argument that cannot be told cannot be said again.
        let value = arg.value.as_deref()?;
        let word = match change(at, value) {
            Change::Keep => quoted_word(value),
            Change::Drop => {
                changed = true;
                continue;
            }
            Change::To(word) => {
                changed = true;
                quoted_word(&word)
            }
        };
        out.push(' ');
        out.push_str(&word);
    }
    (changed && out.len() < LONG && !out.contains('\n')).then_some(out)
}

/// A word that is no path: nothing in it may be expanded.
fn quoted_word(word: &str) -> String {
    if word.is_empty() || word.contains(['*', '?', '~']) {
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    quoted(word)
}

/// What becomes of an argument.
pub(super) enum Change {
    Keep,
    Drop,
    To(String),
}
