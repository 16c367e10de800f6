//! Which names say that their value is a secret.

/// How sure a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Only a value that looks random is a secret (`STRIPE_KEY`, `AUTH`, `SESSION`).
    Weak,
    /// Any value but a short one or a short number (`PASS`, `PW`: as often a result as a secret).
    Medium,
    /// Any value that is neither a reference nor a placeholder is a secret (`DB_PASSWORD`).
    Strong,
}

/// Last parts that turn a secret's name into the name of something about the secret.
const ABOUT: &[&str] = &[
    "file",
    "files",
    "path",
    "dir",
    "directory",
    "name",
    "names",
    "id",
    "ids",
    "ttl",
    "expiry",
    "expires",
    "expiration",
    "type",
    "types",
    "length",
    "len",
    "count",
    "enabled",
    "disabled",
    "command",
    "cmd",
    "prompt",
    "policy",
    "policies",
    "stdin",
    "fd",
    "env",
    "version",
    "url",
    "uri",
    "endpoint",
    "host",
    "port",
    "user",
    "username",
    "method",
    "mode",
    "size",
    "limit",
    "age",
    "days",
    "hash",
    "sock",
    "provider",
    "manager",
    "store",
    "agent",
    "timeout",
    "algorithm",
    "format",
    "arn",
    "ref",
    "scope",
    "scopes",
    "rotation",
    "min",
    "max",
    "required",
    "only",
    "from",
    "in",
    "out",
    "list",
    "helper",
    "delegator",
    "cost",
    "rounds",
    "issuer",
    "audience",
    "field",
    "header",
    "label",
    "group",
    "renewal",
];
/// First parts that make an option a switch or a question.
const SWITCH: &[&str] = &[
    "no",
    "ask",
    "prompt",
    "without",
    "with",
    "use",
    "has",
    "is",
    "show",
    "hide",
    "max",
    "min",
    "num",
    "require",
    "disable",
    "enable",
    "skip",
    "public",
    "pub",
    "reset",
    "generate",
    "new-token",
];
/// Words that end like a secret's name and are not one.
const NOT: &[&str] = &[
    "bypass",
    "nopasswd",
    "nopass",
    "nopassword",
    "compass",
    "encompass",
    "trespass",
    "surpass",
    "askpass",
    "underpass",
    "overpass",
    "onepass",
    "lastpass",
    "keepass",
    "tokenize",
    "detokenize",
];
/// Last parts that make any value a secret.
pub(crate) const STRONG_ENDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authkey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "accountkey",
    "sharedaccesskey",
    "credential",
    "credentials",
    "pass",
    "psk",
    "secrets",
    "connectionstring",
    "userpw",
    "ownerpw",
];
/// Pairs of parts that end a strong name.
pub(crate) const STRONG_PAIRS: &[(&str, &str)] = &[
    ("key", "base"),
    ("api", "key"),
    ("access", "key"),
    ("secret", "key"),
    ("private", "key"),
    ("auth", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("master", "key"),
    ("account", "key"),
    ("session", "key"),
    ("license", "key"),
    ("storage", "key"),
    ("app", "key"),
    ("service", "key"),
    ("deploy", "key"),
    ("admin", "key"),
    ("client", "key"),
    ("subscription", "key"),
    ("security", "token"),
    ("connection", "string"),
    ("cookie", "secret"),
    ("shared", "key"),
    ("pre", "key"),
    ("user", "pw"),
    ("owner", "pw"),
    ("root", "pw"),
    ("db", "pw"),
    ("host", "password"),
];

/// Last parts that make a value a secret only where it looks random; `key` behind most words, too.
pub(crate) const WEAK_ENDS: &[&str] = &[
    "auth",
    "sig",
    "signature",
    "session",
    "sessionid",
    "sid",
    "cookie",
    "authorization",
    "sas",
    "jwt",
    "bearer",
    "otp",
];

/// How sure a name (`DB_PASSWORD`, `x-api-key`, `clientSecret`, `sasl.password`) is to name a
/// secret. Leading dashes and dots are skipped.
pub(crate) fn strength(name: &str) -> Option<Strength> {
    let name = name
        .trim_start_matches(['-', '_', '.', '/', ':'])
        .trim_end_matches(['-', '_', '.']);
    if name.is_empty()
        || name.len() > 80
        || matches!(name, "PWD" | "OLDPWD")
        || !name.bytes().all(part_of_name)
    {
        return None;
    }
    let parts = parts(name);
    let last = parts.last()?.as_str();
    let first = parts.first()?.as_str();
    let before = parts
        .len()
        .checked_sub(2)
        .and_then(|at| parts.get(at))
        .map_or("", String::as_str);
    let about = parts.len() > 1 && ABOUT.contains(&last);
    let switch = parts.len() > 1 && SWITCH.contains(&first);
    if about || NOT.contains(&last) || (switch && !matches!(before, "access" | "api")) {
        return None;
    }
    let number = last.bytes().all(|byte| byte.is_ascii_digit());
    let (last, before) = if number && parts.len() > 1 {
        (
            before,
            parts
                .len()
                .checked_sub(3)
                .and_then(|at| parts.get(at))
                .map_or("", String::as_str),
        )
    } else {
        (last, before)
    };
    if STRONG_PAIRS.contains(&(before, last)) || STRONG_ENDS.iter().any(|end| ends(last, end)) {
        // A bare `pass` is as often a result as a secret.
        return Some(if parts.len() == 1 && last == "pass" {
            Strength::Medium
        } else {
            Strength::Strong
        });
    }
    if last == "pw" {
        return Some(Strength::Medium);
    }
    let weak = match last {
        "key" => {
            parts.len() > 1
                && !matches!(
                    before,
                    "sort"
                        | "primary"
                        | "foreign"
                        | "partition"
                        | "public"
                        | "host"
                        | "cache"
                        | "ssh"
                        | "object"
                        | "gpg"
                )
        }
        _ if WEAK_ENDS.contains(&last) => true,
        "id" => before == "session",
        "string" => before == "connection",
        _ => false,
    };
    weak.then_some(Strength::Weak)
}

fn part_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'[' | b']' | b'+')
}

/// `last` is the word itself, or a compound ending in a long enough one (`dbpassword`).
fn ends(last: &str, end: &str) -> bool {
    last == end
        || (end.len() >= 4 && end != "secrets" && last.len() > end.len() && last.ends_with(end))
}

/// Lower-case parts of a name: at `_`, `-`, `.`, `:` and at a capital after a small letter.
fn parts(name: &str) -> Vec<String> {
    let mut parts = Vec::with_capacity(4);
    let mut part = String::new();
    let mut small = false;
    for char in name.chars() {
        let breaks = matches!(char, '_' | '-' | '.' | ':' | '/' | '[' | ']');
        if (breaks || (char.is_ascii_uppercase() && small)) && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        if !breaks {
            part.push(char.to_ascii_lowercase());
        }
        small = char.is_ascii_lowercase() || char.is_ascii_digit();
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Strength, strength};

    #[test]
    fn names_of_secrets() {
        for name in [
            "DB_PASSWORD",
            "password",
            "x-api-key",
            "clientSecret",
            "sasl.password",
            "--storepass",
            "aws_secret_access_key",
            "GITHUB_TOKEN",
            "dbpassword",
            "MYSQL_PWD",
            "_authToken",
            "DB_PASSWORD_2",
            "access_token",
        ] {
            assert_eq!(strength(name), Some(Strength::Strong), "{name}");
        }
        for name in [
            "STRIPE_KEY",
            "auth",
            "cookie",
            "sig",
            "JSESSIONID".to_ascii_lowercase().as_str(),
        ] {
            assert_eq!(
                strength(name),
                (name != "jsessionid").then_some(Strength::Weak),
                "{name}"
            );
        }
    }

    #[test]
    fn names_of_other_things() {
        for name in [
            "PWD",
            "OLDPWD",
            "SSH_AUTH_SOCK",
            "--password-file",
            "--password-stdin",
            "max_tokens",
            "tokenizer",
            "GIT_ASKPASS",
            "--no-password",
            "key",
            "sort_key",
            "PUBLIC_KEY",
            "AWS_ACCESS_KEY_ID",
            "bypass",
            "nopasswd",
            "nopass",
            "nopassword",
            "secretary",
            "keyboard",
            "author",
            "TOKEN_TTL",
        ] {
            assert_eq!(strength(name), None, "{name}");
        }
    }
}
