//! Values that a name in front of them says are secret: `name=value`, `name: value`, headers, SQL.

use crate::names::{Strength, strength};
use crate::{Finding, values};

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// `name=value`, `name: value`, `"name": "value"`, `name => value`. Returns the end of what need not
/// be looked at again: the name, or the value where it was found.
pub(crate) fn named(
    text: &str,
    start: usize,
    end: usize,
    budget: &mut usize,
    found: &mut Vec<Finding>,
) -> usize {
    let bytes = text.as_bytes();
    let from = start
        - bytes
            .get(..start)
            .unwrap_or(&[])
            .iter()
            .rev()
            .take(64)
            .take_while(|byte| is_name(**byte))
            .count();
    let to = end
        + bytes
            .get(end..)
            .unwrap_or(&[])
            .iter()
            .take(64)
            .take_while(|byte| is_name(**byte))
            .count();
    let Some(name) = text.get(from..to) else {
        return to;
    };
    let Some(mut sure) = strength(name) else {
        return to;
    };
    if name == "--secret" {
        sure = Strength::Weak; // most often the name of one
    }
    let mut at = to;
    // The closing quote of a quoted name, escaped where JSON stands inside a shell string.
    for quote in ["\\\"", "\"", "'", "\"]", "']"] {
        if text.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            at += quote.len();
            break;
        }
    }
    let quoted_name = at > to;
    let blank = |at: usize| {
        bytes
            .get(at..)
            .unwrap_or(&[])
            .iter()
            .take(8)
            .take_while(|byte| **byte == b' ' || **byte == b'\t')
            .count()
    };
    let gap = blank(at);
    at += gap;
    let rest = bytes.get(at..).unwrap_or(&[]);
    let (separator, colon) = match rest {
        [b'=', b'=' | b'~', ..] | [b':', b':', ..] => return to,
        [b'=', b'>', ..] => (2, false),
        [b':', b'=', ..] | [b'+', b'=', ..] => (2, false),
        [b'=', ..] => (1, false),
        [b':', ..] => (1, true),
        [b'%', b'3', b'D' | b'd', ..] => (3, false),
        _ => {
            // SQL and netrc have no sign between them.
            if gap > 0 && !quoted_name && name.eq_ignore_ascii_case("password") {
                unsigned(text, at, from, found);
            }
            return to;
        }
    };
    at += separator;
    let after = blank(at);
    // In a shell `name= value` assigns nothing.
    if after > 0 && gap == 0 && !colon && !quoted_name && separator == 1 {
        return to;
    }
    at += after;
    let lower = name.to_ascii_lowercase();
    let header = matches!(lower.as_str(), "authorization" | "proxy-authorization")
        || (colon
            && !quoted_name
            && matches!(
                lower.as_str(),
                "cookie" | "set-cookie" | "x-auth" | "x-auth-token"
            ));
    if header {
        header_value(text, name, from, at, found);
        return to;
    }
    if closes(bytes, at) {
        return to;
    }
    let (value_start, value_end, quoted) = value(text, at);
    let Some(value) = text.get(value_start..value_end) else {
        return to;
    };
    *budget = budget.saturating_sub(value.len());
    if *budget == 0 {
        // No command line: hide the rest rather than look at it for seconds.
        found.push(Finding {
            start: value_start,
            end: text.len(),
            kind: "secret",
        });
        return text.len();
    }
    if !quoted && bytes.get(value_end) == Some(&b'(') {
        return to;
    }
    // `pass: word more words` is prose.
    if colon && !quoted && !quoted_name {
        let header_like = name.contains('-');
        let rest_of_line = text
            .get(value_end..)
            .unwrap_or("")
            .bytes()
            .find(|byte| *byte != b' ' && *byte != b',');
        let ends_line = matches!(
            rest_of_line,
            None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'}' | b'\\')
        );
        if after == 0 && !header_like {
            sure = Strength::Weak;
        }
        if !ends_line && !header_like && !values::random(value) {
            return to;
        }
    }
    if name.eq_ignore_ascii_case("jwt") || colon && name.contains('-') {
        sure = sure.max(Strength::Weak);
    }
    let single = quoted && bytes.get(value_start.wrapping_sub(1)) == Some(&b'\'');
    if values::is_secret(value, sure) || (single && values::is_literal_secret(value, sure, false)) {
        found.push(Finding {
            start: value_start,
            end: value_end,
            kind: kind(name),
        });
        return value_end;
    }
    to
}

/// The quote here closes one that was opened before on the line: `grep 'password=' f`.
fn closes(bytes: &[u8], at: usize) -> bool {
    let Some(quote @ (b'"' | b'\'')) = bytes.get(at).copied() else {
        return false;
    };
    let before = bytes.get(at.saturating_sub(512)..at).unwrap_or(&[]);
    before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .filter(|byte| **byte == quote)
        .count()
        % 2
        == 1
}

/// Range of a value that starts here, and whether it was quoted.
pub(crate) fn value(text: &str, at: usize) -> (usize, usize, bool) {
    let bytes = text.as_bytes();
    for quote in ["\\\"", "\\'", "\"", "'"] {
        let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(quote)) else {
            continue;
        };
        let from = at + quote.len();
        let end = if quote.len() == 2 {
            rest.find(quote)
        } else {
            closing_quote(rest, quote.as_bytes().first().copied().unwrap_or(b'"'))
        };
        return (from, end.map_or(text.len(), |end| from + end), true);
    }
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        // A reference is one piece, whatever stands in it.
        let next = bytes.get(end + 1).copied().unwrap_or(0);
        if byte == b'$' && (next == b'(' || next == b'{') {
            let close = if next == b'(' { b')' } else { b'}' };
            end += bytes
                .get(end..)
                .unwrap_or(&[])
                .iter()
                .position(|byte| *byte == close)
                .map_or(2, |length| length + 1);
            continue;
        }
        if byte == b'\\' && !matches!(next, b'n' | b'r' | b'"' | b'\'' | 0) {
            end += 2;
            continue;
        }
        let stops = byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b';' | b'|' | b'&' | b'<' | b'>' | b'(' | b')' | b'`' | b'\\'
            );
        if stops {
            break;
        }
        end += 1;
    }
    let value = text.get(at..end).unwrap_or("");
    // `[redacted:x]`, `{{ x }}` and `<x>` are placeholders as a whole.
    if value.is_empty() && bytes.get(at) == Some(&b'<') {
        let length = bytes
            .get(at..)
            .unwrap_or(&[])
            .iter()
            .take(40)
            .position(|byte| *byte == b'>')
            .map_or(0, |end| end + 1);
        return (at, at + length, false);
    }
    // A bracket that the value itself opened belongs to it.
    let trimmed = if value.contains('[') {
        value.trim_end_matches([',', '}'])
    } else {
        value.trim_end_matches([',', '}', ']'])
    };
    (at, at + trimmed.len(), false)
}

fn closing_quote(rest: &str, quote: u8) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && quote == b'"' {
            at += 2;
            continue;
        }
        if byte == quote {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The credential of an `Authorization` header (after the scheme), or all of a cookie header.
fn header_value(text: &str, name: &str, name_start: usize, at: usize, found: &mut Vec<Finding>) {
    // The header ends where its quotes end; without quotes, at the end of the word or line.
    let opened = name_start
        .checked_sub(1)
        .and_then(|at| text.as_bytes().get(at))
        .copied();
    let own = ["\\\"", "\"", "'"]
        .iter()
        .find(|quote| text.get(at..).is_some_and(|rest| rest.starts_with(**quote)));
    let own = own.filter(|_| !closes(text.as_bytes(), at));
    let at = at + own.map_or(0, |quote| quote.len());
    let rest = text.get(at..).unwrap_or("");
    let end = match (own, opened) {
        (Some(quote), _) => rest.find(*quote),
        (None, Some(quote @ (b'"' | b'\''))) => closing_quote(rest, quote),
        _ => rest.find(['\n', '\r', '"', '\'', '\\']),
    };
    let end = end.unwrap_or(rest.len());
    let line = rest.get(..end).unwrap_or("");
    let line = line
        .get(..line.find(['\n', '\r']).unwrap_or(line.len()))
        .unwrap_or("")
        .trim_end();
    let cookie = name.to_ascii_lowercase().contains("cookie");
    let skip = if cookie { 0 } else { scheme(line) };
    let value = line.get(skip..).unwrap_or("");
    if values::is_secret(value, Strength::Strong) {
        found.push(Finding {
            start: at + skip,
            end: at + line.len(),
            kind: if cookie { "cookie" } else { "authorization" },
        });
    }
}

/// Length of the scheme and its blank in `Bearer x`.
pub(crate) fn scheme(line: &str) -> usize {
    const SCHEMES: [&str; 9] = [
        "bearer",
        "basic",
        "token",
        "digest",
        "apikey",
        "negotiate",
        "splunk",
        "bot",
        "aws4-hmac-sha256",
    ];
    let Some((word, rest)) = line.split_once(' ') else {
        return 0;
    };
    if SCHEMES
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
    {
        line.len() - rest.trim_start().len()
    } else {
        0
    }
}

/// SQL: `PASSWORD 'x'`, `IDENTIFIED BY 'x'`.
pub(crate) fn quoted(text: &str, at: usize, found: &mut Vec<Finding>) {
    let rest = text.get(at..).unwrap_or("");
    let lead = rest.len() - rest.trim_start_matches([' ', '\\']).len();
    if !rest
        .get(lead..)
        .is_some_and(|rest| rest.starts_with(['\'', '"']))
    {
        return;
    }
    let (start, end, _) = value(text, at + lead);
    if text.get(start..end).is_some_and(|value| {
        values::is_secret(value, Strength::Strong)
            || values::is_literal_secret(value, Strength::Strong, false)
    }) {
        found.push(Finding {
            start,
            end,
            kind: "password",
        });
    }
}

/// Name of the finding for a named value.
pub(crate) fn kind(name: &str) -> &'static str {
    let lower = name.to_ascii_lowercase();
    let has = |part: &str| lower.contains(part);
    if has("token") || has("jwt") || has("bearer") {
        "token"
    } else if has("cookie") || has("session") || has("sid") {
        "cookie"
    } else if has("pass") || has("pwd") || has("pw") {
        "password"
    } else if has("key") {
        "api-key"
    } else {
        "secret"
    }
}

/// `PASSWORD 'x'`, `PASSWORD FOR u = 'x'`, and `login u password x` of a netrc file.
fn unsigned(text: &str, at: usize, name_start: usize, found: &mut Vec<Finding>) {
    let rest = text.get(at..).unwrap_or("");
    let before = text
        .get(text.floor_char_boundary(name_start.saturating_sub(80))..name_start)
        .unwrap_or("");
    if rest
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("for "))
    {
        let near = rest
            .get(..text.floor_char_boundary(at + 128) - at)
            .unwrap_or(rest);
        if let Some(sign) = near.find('=') {
            let value_at = near
                .get(sign + 1..)
                .map_or(0, |tail| tail.len() - tail.trim_start().len());
            quoted(text, at + sign + 1 + value_at, found);
        }
    } else if before.contains("login ") || before.contains("machine ") {
        let (start, end, _) = value(text, at);
        if text
            .get(start..end)
            .is_some_and(|value| values::is_secret(value, Strength::Strong))
        {
            found.push(Finding {
                start,
                end,
                kind: "password",
            });
        }
    } else {
        quoted(text, at, found);
    }
}
