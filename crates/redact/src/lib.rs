//! Spans of secrets and personal data in command lines.
//!
//! Two passes over the same text, both linear and without regular expressions, because this runs
//! inside the user's shell on every Enter:
//!
//! - [`scan`]: shapes that are the same in any text (vendor tokens, `name=value` and `name: value`
//!   with a secret's name, URL user parts, PEM blocks, payment cards, US social security numbers);
//! - [`calls`]: what only the program's own grammar tells (`mysql -pX`, `curl -u user:X`,
//!   `echo X | sudo -S`, `htpasswd -b FILE USER X`), on top of a small shell tokenizer.
//!
//! A cheap multi-pattern search decides whether the passes have anything to do at all. References
//! (`$VAR`, `$(cmd)`, `@file`) and obvious placeholders are not secrets.

#![forbid(unsafe_code)]

mod calls;
pub mod catalogue;
mod digits;
mod lex;
mod named;
mod names;
mod positional;
mod scan;
mod search;
mod shapes;
mod tools;
mod values;

use std::borrow::Cow;

/// A secret or a piece of personal data: a half-open byte range on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Finding {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is, such as `password`, `token`, `private-key`, `card`, `ssn`, `aws-key`.
    pub kind: &'static str,
}

/// Shortest secret whose other occurrences in the same text are found as well. Shorter ones would
/// hit ordinary words.
const REPEATED_FROM: usize = 6;
/// Most different secrets whose other occurrences are looked for, so that the work stays linear.
const REPEATED_MOST: usize = 64;

/// Most further passes over a redacted text.
const ROUNDS: usize = 16;

/// All secrets and personal data in a command line (or any text), sorted and non-overlapping.
///
/// ```
/// let text = "mysql -u root -phunter22 shop";
/// let found = cmdai_redact::find(text);
/// assert_eq!(found.len(), 1);
/// assert_eq!(&text[found[0].start..found[0].end], "hunter22");
/// ```
pub fn find(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    digits::find(text, &mut found);
    let triggers = scan::find(text, &mut found);
    if triggers {
        calls::find(text, &mut found);
    }
    if found.is_empty() {
        return found;
    }
    spare_code(text, &mut found);
    tidy(text, &mut found);
    repeat(text, &mut found);
    keep_markers(text, &mut found);
    found
}

/// The text with each finding replaced by `[redacted:KIND]`. Borrowed where nothing was found.
///
/// ```
/// assert_eq!(cmdai_redact::redact("sshpass -p hunter22 ssh a"), "sshpass -p [redacted:password] ssh a");
/// assert_eq!(cmdai_redact::redact("ssh -p 22 a"), "ssh -p 22 a");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    let found = find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = replace(text, &found);
    // A marker in the place of a stray quote can change how a broken line reads: look again, so
    // that redacting twice changes nothing.
    for round in 0..2 * ROUNDS {
        let found = find(&out);
        let Some(first) = found.first() else {
            return Cow::Owned(out);
        };
        if round < ROUNDS {
            out = replace(&out, &found);
        } else {
            // Each look uncovers one more: the rest of such a text is not worth keeping.
            out.truncate(first.start);
            out.push_str(REST);
        }
    }
    Cow::Borrowed(REST)
}

/// What stands for the rest of a text that does not come to an end of being redacted.
const REST: &str = "[redacted:unclear]";

fn replace(text: &str, found: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for finding in found {
        out.push_str(text.get(at..finding.start).unwrap_or(""));
        out.push_str("[redacted:");
        out.push_str(finding.kind);
        out.push(']');
        at = finding.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// Sorts, moves ends to character boundaries, drops empty ones and joins what overlaps or touches.
fn tidy(text: &str, found: &mut Vec<Finding>) {
    for finding in found.iter_mut() {
        finding.start = text.floor_char_boundary(finding.start);
        finding.end = text.ceil_char_boundary(finding.end);
    }
    found.retain(|finding| finding.start < finding.end);
    // The longer one first, so that its kind names the joined range.
    found.sort_by_key(|finding| (finding.start, usize::MAX - finding.end));
    let mut joined: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found.drain(..) {
        match joined.last_mut() {
            Some(last)
                if finding.start < last.end
                    || (finding.start == last.end && finding.kind == last.kind) =>
            {
                last.end = last.end.max(finding.end);
            }
            _ => joined.push(finding),
        }
    }
    *found = joined;
}

/// Code is no secret: what `$(…)` and backquotes in a finding run stays to be read, and is looked into on
/// its own. Between single quotes they run nothing.
fn spare_code(text: &str, found: &mut Vec<Finding>) {
    let mut pieces = Vec::new();
    for finding in found.iter_mut() {
        let around = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)) == Some(&b'\'');
        if around(finding.start.checked_sub(1)) && around(Some(finding.end)) {
            continue;
        }
        while let Some((from, to)) = text
            .get(finding.start..finding.end)
            .and_then(values::substitution)
        {
            pieces.push(Finding {
                end: finding.start + from,
                ..*finding
            });
            finding.start += to;
        }
    }
    found.append(&mut pieces);
}

/// First bytes of what stands for a finding.
const MARKER: &str = "[redacted:";

/// What stands for a finding is no secret, nor is a part of it: `-u a=[redacted:token]` is not the
/// password `token]`. A finding that begins in one begins after it; one that ends in one takes all.
fn keep_markers(text: &str, found: &mut Vec<Finding>) {
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(MARKER)) {
        let start = from + start;
        let kind = start + MARKER.len();
        let length = text
            .bytes()
            .skip(kind)
            .take_while(|byte| byte.is_ascii_lowercase() || *byte == b'-')
            .count();
        from = kind + length;
        if text.as_bytes().get(from) != Some(&b']') {
            continue;
        }
        let end = from + 1;
        let first = found.partition_point(|finding| finding.end <= start);
        for finding in found.iter_mut().skip(first) {
            if finding.start >= end {
                break;
            }
            if finding.start < start && start < finding.end {
                finding.end = finding.end.max(end);
            } else if finding.start >= start {
                finding.start = end;
            }
        }
    }
    if from > 0 {
        tidy(text, found);
    }
}

/// A secret found once is a secret wherever else it stands in the text.
fn repeat(text: &str, found: &mut Vec<Finding>) {
    let mut secrets: Vec<(&str, &'static str)> = Vec::new();
    for finding in found.iter() {
        let secret = text.get(finding.start..finding.end).unwrap_or("");
        let known = secrets.iter().any(|(other, _)| *other == secret);
        if secret.len() >= REPEATED_FROM
            && !known
            && secrets.len() < REPEATED_MOST
            && values::worth_repeating(secret)
        {
            secrets.push((secret, finding.kind));
        }
    }
    let before = found.len();
    for (secret, kind) in secrets {
        for (start, _) in text.match_indices(secret) {
            let end = start + secret.len();
            // They are sorted and apart from each other: the first that does not end before decides.
            let known = found.get(..before).unwrap_or(&[]);
            let inside = known
                .get(known.partition_point(|old| old.end < end))
                .is_some_and(|old| old.start <= start);
            if !inside {
                found.push(Finding { start, end, kind });
            }
        }
    }
    if found.len() > before {
        tidy(text, found);
    }
}
