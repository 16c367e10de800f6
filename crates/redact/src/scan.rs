//! Shapes that are the same in any text, found by one multi-pattern search.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};

use crate::names::{Strength, strength};
use crate::shapes::SHAPES;
use crate::{Finding, tools, values};

/// What a hit of the search means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hit {
    /// A vendor's prefix, by its place in [`SHAPES`].
    Shape(usize),
    /// Part of a name that may say that a secret follows.
    Name,
    /// `://`.
    Url,
    /// `-----BEGIN `.
    Pem,
    /// `bearer `.
    Bearer,
    /// `@`, which may follow `user:password`.
    At,
    /// `identified by `.
    Identified,
    /// A program or option that [`crate::calls`] knows.
    Call,
}

const NAMES: &[&str] = &["pass", "pwd", "secret", "token", "key", "auth", "cred", "cookie", "session", "sig", "_pw", "pw=", "jwt", "sas", "otp", "sid", "connection"];

struct Search {
    patterns: AhoCorasick,
    hits: Vec<Hit>,
}

static SEARCH: LazyLock<Option<Search>> = LazyLock::new(|| {
    let mut patterns: Vec<&str> = Vec::new();
    let mut hits = Vec::new();
    let mut add = |pattern: &'static str, hit: Hit| {
        patterns.push(pattern);
        hits.push(hit);
    };
    for (index, shape) in SHAPES.iter().enumerate() {
        add(shape.prefix, Hit::Shape(index));
    }
    for name in NAMES {
        add(name, Hit::Name);
    }
    add("://", Hit::Url);
    add("-----begin ", Hit::Pem);
    add("bearer ", Hit::Bearer);
    add("@", Hit::At);
    add("identified by ", Hit::Identified);
    for name in tools::trigger_names() {
        add(name, Hit::Call);
    }
    let built = AhoCorasickBuilder::new().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::ContiguousNFA)).build(patterns);
    built.ok().map(|patterns| Search { patterns, hits })
});

/// Adds what is found in the text; true where the text may hold something that only the grammar
/// of a program tells.
pub(crate) fn find(text: &str, found: &mut Vec<Finding>) -> bool {
    let Some(search) = SEARCH.as_ref() else { return true };
    let bytes = text.as_bytes();
    let mut calls = false;
    let mut name_end = 0;
    for hit in search.patterns.find_overlapping_iter(bytes) {
        let (start, end) = (hit.start(), hit.end());
        match search.hits.get(hit.pattern().as_usize()) {
            Some(Hit::Shape(index)) => shape(text, start, *index, found),
            Some(Hit::Name) => {
                calls = true;
                if end > name_end {
                    name_end = named(text, start, end, found);
                }
            }
            Some(Hit::Url) => url(text, start, end, found),
            Some(Hit::Pem) => pem(text, start, found),
            Some(Hit::Bearer) => bearer(text, end, found),
            Some(Hit::At) => account(text, start, found),
            Some(Hit::Identified) => quoted(text, end, found),
            Some(Hit::Call) => {
                let word = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric());
                calls |= !word(start.checked_sub(1).and_then(|at| bytes.get(at))) && !word(bytes.get(end));
            }
            None => {}
        }
    }
    calls
}

fn shape(text: &str, start: usize, index: usize, found: &mut Vec<Finding>) {
    let Some(shape) = SHAPES.get(index) else { return };
    let Some(rest) = text.get(start..).and_then(|rest| rest.strip_prefix(shape.prefix)) else { return };
    let before = start.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied().unwrap_or(b' ');
    let bounded = !before.is_ascii_alphanumeric() || !shape.prefix.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    // `\n` and the like in front of a token are not part of it.
    let escaped = matches!(before, b'n' | b't' | b'r') && start.checked_sub(2).and_then(|at| text.as_bytes().get(at)) == Some(&b'\\');
    if !bounded && !escaped {
        return;
    }
    let mut length = rest.bytes().take_while(|byte| shape.alphabet.has(*byte)).count();
    let body = rest.get(..length).unwrap_or("").trim_end_matches(['.', '-', '=']);
    if shape.alphabet != crate::shapes::Alphabet::Base64 {
        length = body.len();
    }
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    let letters = body.bytes().filter(u8::is_ascii_alphabetic).count();
    let slug = shape.mixed && (digits < 2 || letters < 2);
    let words = shape.kind == "api-key" && shape.prefix == "sk-" && !body.split(['-', '_']).any(|part| part.len() >= 16);
    if body.len() < shape.least || slug || words || body.bytes().all(|byte| matches!(byte, b'x' | b'X' | b'*' | b'.')) {
        return;
    }
    found.push(Finding { start, end: start + shape.prefix.len() + length, kind: shape.kind });
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// `name=value`, `name: value`, `"name": "value"`, `name => value`. Returns the end of the name, so
/// that a second hit inside the same name is not looked at again.
fn named(text: &str, start: usize, end: usize, found: &mut Vec<Finding>) -> usize {
    let bytes = text.as_bytes();
    let from = start - bytes.get(..start).unwrap_or(&[]).iter().rev().take(64).take_while(|byte| is_name(**byte)).count();
    let to = end + bytes.get(end..).unwrap_or(&[]).iter().take(64).take_while(|byte| is_name(**byte)).count();
    let Some(name) = text.get(from..to) else { return to };
    let Some(mut sure) = strength(name) else { return to };
    let mut at = to;
    // The closing quote of a quoted name, escaped where JSON stands inside a shell string.
    for quote in ["\\\"", "\"", "'", "\"]", "']"] {
        if text.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            at += quote.len();
            break;
        }
    }
    let quoted_name = at > to;
    let blank = |at: usize| bytes.get(at..).unwrap_or(&[]).iter().take(8).take_while(|byte| **byte == b' ' || **byte == b'\t').count();
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
            // SQL has no sign between them.
            if gap > 0 && !quoted_name && name.eq_ignore_ascii_case("password") {
                quoted(text, at, found);
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
    let header = colon && !quoted_name && matches!(name.to_ascii_lowercase().as_str(), "authorization" | "proxy-authorization" | "cookie" | "set-cookie" | "x-auth" | "x-auth-token");
    if header {
        header_value(text, name, from, at, found);
        return to;
    }
    let (value_start, value_end, quoted) = value(text, at);
    let Some(value) = text.get(value_start..value_end) else { return to };
    if !quoted && bytes.get(value_end) == Some(&b'(') {
        return to;
    }
    // `pass: word more words` is prose.
    if colon && !quoted && !quoted_name {
        let header_like = name.contains('-');
        let rest_of_line = text.get(value_end..).unwrap_or("").bytes().find(|byte| *byte != b' ' && *byte != b',');
        let ends_line = matches!(rest_of_line, None | Some(b'\n' | b'\r' | b'"' | b'\'' | b'}' | b'\\'));
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
    if values::is_secret(value, sure) {
        found.push(Finding { start: value_start, end: value_end, kind: kind(name) });
    }
    to
}

/// Range of a value that starts here, and whether it was quoted.
fn value(text: &str, at: usize) -> (usize, usize, bool) {
    let bytes = text.as_bytes();
    for quote in ["\\\"", "\\'", "\"", "'"] {
        let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(quote)) else { continue };
        let from = at + quote.len();
        let end = if quote.len() == 2 { rest.find(quote) } else { closing_quote(rest, quote.as_bytes().first().copied().unwrap_or(b'"')) };
        return (from, end.map_or(text.len(), |end| from + end), true);
    }
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        // A reference is one piece, whatever stands in it.
        let next = bytes.get(end + 1).copied().unwrap_or(0);
        if byte == b'$' && (next == b'(' || next == b'{') {
            let close = if next == b'(' { b')' } else { b'}' };
            end += bytes.get(end..).unwrap_or(&[]).iter().position(|byte| *byte == close).map_or(2, |length| length + 1);
            continue;
        }
        if byte == b'\\' && !matches!(next, b'n' | b'r' | b'"' | b'\'' | 0) {
            end += 2;
            continue;
        }
        let stops = byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'|' | b'&' | b'<' | b'>' | b'(' | b')' | b'`' | b'\\');
        if stops {
            break;
        }
        end += 1;
    }
    let value = text.get(at..end).unwrap_or("");
    // `[redacted:x]`, `{{ x }}` and `<x>` are placeholders as a whole.
    if value.is_empty() && bytes.get(at) == Some(&b'<') {
        let length = bytes.get(at..).unwrap_or(&[]).iter().take(40).position(|byte| *byte == b'>').map_or(0, |end| end + 1);
        return (at, at + length, false);
    }
    let trimmed = if values::is_marker(value) { value } else { value.trim_end_matches([',', '}', ']']) };
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
    let opened = name_start.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied();
    let rest = text.get(at..).unwrap_or("");
    let end = match opened {
        Some(quote @ (b'"' | b'\'')) => closing_quote(rest, quote),
        _ => rest.find(['\n', '\r', '"', '\'', '\\']),
    };
    let end = end.unwrap_or(rest.len());
    let line = rest.get(..end).unwrap_or("");
    let line = line.get(..line.find(['\n', '\r']).unwrap_or(line.len())).unwrap_or("").trim_end();
    let cookie = name.to_ascii_lowercase().contains("cookie");
    let skip = if cookie { 0 } else { scheme(line) };
    let value = line.get(skip..).unwrap_or("");
    if values::is_secret(value, Strength::Strong) {
        found.push(Finding { start: at + skip, end: at + line.len(), kind: if cookie { "cookie" } else { "authorization" } });
    }
}

/// Length of the scheme and its blank in `Bearer x`.
pub(crate) fn scheme(line: &str) -> usize {
    const SCHEMES: [&str; 9] = ["bearer", "basic", "token", "digest", "apikey", "negotiate", "splunk", "bot", "aws4-hmac-sha256"];
    let Some((word, rest)) = line.split_once(' ') else { return 0 };
    if SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) { line.len() - rest.trim_start().len() } else { 0 }
}

/// SQL: `PASSWORD 'x'`, `IDENTIFIED BY 'x'`.
fn quoted(text: &str, at: usize, found: &mut Vec<Finding>) {
    let rest = text.get(at..).unwrap_or("");
    let lead = rest.len() - rest.trim_start_matches([' ', '\\']).len();
    if !rest.get(lead..).is_some_and(|rest| rest.starts_with(['\'', '"'])) {
        return;
    }
    let (start, end, _) = value(text, at + lead);
    if text.get(start..end).is_some_and(|value| values::is_secret(value, Strength::Strong)) {
        found.push(Finding { start, end, kind: "password" });
    }
}

/// `user:password@host` without a scheme, as penetration testers and database clients write it.
fn account(text: &str, at: usize, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'=' | b'(' | b',' | b';');
    let length = bytes.get(..at).unwrap_or(&[]).iter().rev().take(200).take_while(|byte| !ends(**byte)).count();
    let Some(before) = text.get(at - length..at) else { return };
    let Some((user, password)) = before.split_once(':') else { return };
    let host = text.get(at + 1..).unwrap_or("");
    let host = host.get(..host.bytes().take(80).take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')).count()).unwrap_or("");
    let hostlike = host == "localhost" || (host.contains('.') && !host.starts_with('.') && !host.starts_with(|char: char| char == '^' || char == '~'));
    let versionlike = host.starts_with(|char: char| char.is_ascii_digit()) && host.split('.').count() != 4;
    let scheme = matches!(user, "mailto" | "npm" | "git" | "ssh" | "sip" | "acct" | "xmpp" | "file" | "sha256" | "github" | "workspace") || password.starts_with('/');
    if user.is_empty() || password.len() < 3 || scheme || versionlike || !hostlike || user.ends_with("-by") || password.contains(':') {
        return;
    }
    if values::is_secret(password, Strength::Strong) {
        found.push(Finding { start: at - password.len(), end: at, kind: "password" });
    }
}

fn bearer(text: &str, at: usize, found: &mut Vec<Finding>) {
    let rest = text.get(at..).unwrap_or("");
    let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(byte)).count();
    let token = rest.get(..length).unwrap_or("");
    if values::random(token) && values::is_secret(token, Strength::Strong) {
        found.push(Finding { start: at, end: at + length, kind: "authorization" });
    }
}

/// The password of `scheme://user:password@host`, or a user part that is a token.
fn url(text: &str, start: usize, at: usize, found: &mut Vec<Finding>) {
    let rest = text.get(at..).unwrap_or("");
    let ends = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`');
    let whole = rest.get(..rest.bytes().take(2048).take_while(|byte| !ends(*byte)).count()).unwrap_or("");
    let authority = whole.get(..whole.find(['/', '?', '#']).unwrap_or(whole.len())).unwrap_or("");
    let until = match authority.rfind('@') {
        Some(until) => until,
        // A password with a slash in it: `user:pa/ss@host`, but not `host:8080/a@b`.
        None => {
            let port = authority.split_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
            match whole.rfind('@') {
                Some(until) if !port => until,
                _ => return,
            }
        }
    };
    let user_part = whole.get(..until).unwrap_or("");
    let (skip, secret, sure) = match user_part.split_once(':') {
        Some((user, password)) => (user.len() + 1, password, true),
        None => (0, user_part, false),
    };
    let file = text.get(..start).is_some_and(|before| before.ends_with("file"));
    if !file && values::is_secret(secret, if sure { Strength::Strong } else { Strength::Weak }) {
        found.push(Finding { start: at + skip, end: at + until, kind: if sure { "password" } else { "token" } });
    }
    // `https://token:x-oauth-basic@host`: the user is the token.
    if let Some((user, _)) = user_part.split_once(':') && values::random(user) && values::is_secret(user, Strength::Weak) {
        found.push(Finding { start: at, end: at + user.len(), kind: "token" });
    }
}

/// The body of a private key block, up to its end line or the end of the text.
fn pem(text: &str, start: usize, found: &mut Vec<Finding>) {
    let rest = text.get(start..).unwrap_or("");
    let label = rest.get(11..rest.len().min(60)).or_else(|| rest.get(11..)).unwrap_or("");
    let Some(closes) = label.find("-----") else { return };
    if !label.get(..closes).is_some_and(|label| label.to_ascii_uppercase().contains("PRIVATE KEY")) {
        return;
    }
    let body = 11 + closes + 5;
    let length = rest.get(body..).and_then(|rest| rest.find("-----END")).unwrap_or(rest.len() - body);
    let inner = rest.get(body..body + length).unwrap_or("");
    let content = inner.trim_matches(|char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '\\'));
    if content.is_empty() || values::is_marker(content) || content == "..." {
        return;
    }
    let lead = inner.len() - inner.trim_start().len();
    let from = start + body + lead;
    found.push(Finding { start: from, end: from + inner.trim().len(), kind: "private-key" });
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
