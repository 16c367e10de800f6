//! Shapes that are the same in any text, found in one pass over it.

use std::sync::LazyLock;

use crate::named::{named, quoted};
use crate::names::Strength;
use crate::search::Search;
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

const NAMES: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "cookie",
    "session",
    "sig",
    "_pw",
    "pw=",
    "jwt",
    "sas",
    "otp",
    "sid",
    "connection",
    "psk",
    "bearer",
    "-pw",
    "rpw",
];

static SEARCH: LazyLock<Search<Hit>> = LazyLock::new(|| {
    let shapes = SHAPES.iter().enumerate();
    let shapes = shapes.map(|(index, shape)| (shape.prefix, Hit::Shape(index)));
    let names = NAMES.iter().map(|name| (*name, Hit::Name));
    let marks = [
        ("://", Hit::Url),
        ("-----begin ", Hit::Pem),
        ("bearer ", Hit::Bearer),
        ("@", Hit::At),
        ("identified by ", Hit::Identified),
        ("_password by ", Hit::Identified),
    ];
    let calls = tools::trigger_names().map(|name| (name, Hit::Call));
    Search::new(shapes.chain(names).chain(marks).chain(calls))
});

/// Adds what is found in the text; true where the text may hold something that only the grammar
/// of a program tells.
pub(crate) fn find(text: &str, found: &mut Vec<Finding>) -> bool {
    let bytes = text.as_bytes();
    let mut calls = false;
    let (mut name_end, mut pem_end) = (0, 0);
    // Names in the values of names would make the work quadratic.
    let mut budget = text.len().saturating_mul(16).saturating_add(4096);
    for (start, end, hit) in SEARCH.all(bytes) {
        match hit {
            Hit::Shape(index) => shape(text, start, index, found),
            Hit::Name => {
                calls = true;
                if end > name_end {
                    name_end = named(text, start, end, &mut budget, found);
                }
            }
            Hit::Url => url(text, start, end, found),
            Hit::Pem if start >= pem_end => pem_end = pem(text, start, found),
            Hit::Pem => {}
            Hit::Bearer => bearer(text, end, found),
            Hit::At => account(text, start, found),
            Hit::Identified => quoted(text, end, found),
            Hit::Call => {
                let word = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric());
                calls |= !word(start.checked_sub(1).and_then(|at| bytes.get(at)))
                    && !word(bytes.get(end));
            }
        }
    }
    calls
}

fn shape(text: &str, start: usize, index: usize, found: &mut Vec<Finding>) {
    let Some(shape) = SHAPES.get(index) else {
        return;
    };
    let Some(rest) = text
        .get(start..)
        .and_then(|rest| rest.strip_prefix(shape.prefix))
    else {
        return;
    };
    let before = start
        .checked_sub(1)
        .and_then(|at| text.as_bytes().get(at))
        .copied()
        .unwrap_or(b' ');
    let bounded = !before.is_ascii_alphanumeric()
        || !shape
            .prefix
            .as_bytes()
            .first()
            .is_some_and(u8::is_ascii_alphanumeric);
    // `\n` and the like in front of a token are not part of it.
    let escaped = matches!(before, b'n' | b't' | b'r')
        && start.checked_sub(2).and_then(|at| text.as_bytes().get(at)) == Some(&b'\\');
    if !bounded && !escaped {
        return;
    }
    let mut length = rest
        .bytes()
        .take_while(|byte| shape.alphabet.has(*byte))
        .count();
    let body = rest
        .get(..length)
        .unwrap_or("")
        .trim_end_matches(['.', '-', '=']);
    if shape.alphabet != crate::shapes::Alphabet::Base64 {
        length = body.len();
    }
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    let letters = body.bytes().filter(u8::is_ascii_alphabetic).count();
    // A random token of letters alone has about as many large ones as small ones; names have few.
    let upper = body.bytes().filter(u8::is_ascii_uppercase).count();
    let even = letters >= 16 && upper * 10 >= letters * 3 && upper * 10 <= letters * 7;
    let slug = shape.mixed && (digits < 2 || letters < 2) && !even;
    let words = shape.kind == "api-key"
        && shape.prefix == "sk-"
        && !body.split(['-', '_']).any(|part| part.len() >= 16);
    if body.len() < shape.least
        || (shape.exact && body.len() != shape.least)
        || slug
        || words
        || body
            .bytes()
            .all(|byte| matches!(byte, b'x' | b'X' | b'*' | b'.'))
    {
        return;
    }
    found.push(Finding {
        start,
        end: start + shape.prefix.len() + length,
        kind: shape.kind,
    });
}

/// `user:password@host` without a scheme, as penetration testers and database clients write it.
fn account(text: &str, at: usize, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b'<' | b'>' | b'`' | b'=' | b'(' | b',' | b';'
            )
    };
    let length = bytes
        .get(..at)
        .unwrap_or(&[])
        .iter()
        .rev()
        .take(200)
        .take_while(|byte| !ends(**byte))
        .count();
    let Some(before) = text.get(at - length..at) else {
        return;
    };
    let Some((user, password)) = before.split_once(':') else {
        return;
    };
    let host = text.get(at + 1..).unwrap_or("");
    let host = host
        .get(
            ..host
                .bytes()
                .take(80)
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
                .count(),
        )
        .unwrap_or("");
    let hostlike = host == "localhost"
        || (host.contains('.') && !host.starts_with('.') && !host.starts_with(['^', '~']));
    let versionlike =
        host.starts_with(|char: char| char.is_ascii_digit()) && host.split('.').count() != 4;
    let scheme = matches!(
        user,
        "mailto"
            | "npm"
            | "git"
            | "ssh"
            | "sip"
            | "acct"
            | "xmpp"
            | "file"
            | "sha256"
            | "github"
            | "workspace"
            // Who, not with what: members of policies, fields of mails.
            | "user"
            | "group"
            | "member"
            | "owner"
            | "serviceAccount"
            | "principal"
            | "domain"
            | "author"
            | "email"
            | "from"
            | "to"
            | "cc"
    ) || password.starts_with('/');
    if user.is_empty()
        || password.len() < 3
        || scheme
        || versionlike
        || !hostlike
        || user.ends_with("-by")
        || password.contains(':')
    {
        return;
    }
    if values::is_secret(password, Strength::Strong) {
        found.push(Finding {
            start: at - password.len(),
            end: at,
            kind: "password",
        });
    }
}

fn bearer(text: &str, at: usize, found: &mut Vec<Finding>) {
    let rest = text.get(at..).unwrap_or("");
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(byte))
        .count();
    let token = rest.get(..length).unwrap_or("");
    if values::random(token) && values::is_secret(token, Strength::Strong) {
        found.push(Finding {
            start: at,
            end: at + length,
            kind: "authorization",
        });
    }
}

/// The password of `scheme://user:password@host`, or a user part that is a token.
fn url(text: &str, start: usize, at: usize, found: &mut Vec<Finding>) {
    let rest = text.get(at..).unwrap_or("");
    let ends =
        |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`');
    let whole = rest
        .get(
            ..rest
                .bytes()
                .take(2048)
                .take_while(|byte| !ends(*byte))
                .count(),
        )
        .unwrap_or("");
    let authority = whole
        .get(..whole.find(['/', '?', '#']).unwrap_or(whole.len()))
        .unwrap_or("");
    let until = match authority.rfind('@') {
        Some(until) => until,
        // A password with a slash in it: `user:pa/ss@host`, but not `host:8080/a@b`.
        None => {
            let port = authority
                .split_once(':')
                .is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
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
    let file = text
        .get(..start)
        .is_some_and(|before| before.ends_with("file"));
    if !file
        && values::is_secret(
            secret,
            if sure {
                Strength::Strong
            } else {
                Strength::Weak
            },
        )
    {
        found.push(Finding {
            start: at + skip,
            end: at + until,
            kind: if sure { "password" } else { "token" },
        });
    }
    // `https://token:x-oauth-basic@host`: the user is the token.
    if let Some((user, _)) = user_part.split_once(':')
        && values::random(user)
        && values::is_secret(user, Strength::Weak)
    {
        found.push(Finding {
            start: at,
            end: at + user.len(),
            kind: "token",
        });
    }
}

/// The body of a private key block, up to its end line or the end of the text. Returns its end.
fn pem(text: &str, start: usize, found: &mut Vec<Finding>) -> usize {
    let rest = text.get(start..).unwrap_or("");
    let label = rest
        .get(11..rest.len().min(60))
        .or_else(|| rest.get(11..))
        .unwrap_or("");
    let Some(closes) = label.find("-----") else {
        return start;
    };
    if !label
        .get(..closes)
        .is_some_and(|label| label.to_ascii_uppercase().contains("PRIVATE KEY"))
    {
        return start;
    }
    let body = 11 + closes + 5;
    let length = rest
        .get(body..)
        .and_then(|rest| rest.find("-----END"))
        .unwrap_or(rest.len() - body);
    let inner = rest.get(body..body + length).unwrap_or("");
    let content =
        inner.trim_matches(|char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '\\'));
    if content.is_empty() || values::is_marker(content) || content == "..." {
        return start;
    }
    let lead = inner.len() - inner.trim_start().len();
    let from = start + body + lead;
    found.push(Finding {
        start: from,
        end: from + inner.trim().len(),
        kind: "private-key",
    });
    start + body + length
}
