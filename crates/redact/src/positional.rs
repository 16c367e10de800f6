//! Secrets that stand at a place rather than behind an option.

use crate::Finding;
use crate::calls::{add_value, base};
use crate::lex::Word;
use crate::named;
use crate::names::{Strength, strength};

/// Adds the positional secrets of one command.
pub(crate) fn find(words: &[Word<'_>], found: &mut Vec<Finding>) {
    let Some(at) = words.iter().position(|word| {
        !matches!(
            base(&word.text),
            "sudo" | "env" | "doas" | "exec" | "command" | "nohup"
        ) && !word.text.contains('=')
    }) else {
        return;
    };
    let program = words
        .get(at)
        .map_or("", |word| base(&word.text))
        .to_ascii_lowercase();
    let rest = words.get(at + 1..).unwrap_or(&[]);
    let plain: Vec<&Word<'_>> = rest
        .iter()
        .filter(|word| !word.text.starts_with('-'))
        .collect();
    let first = plain.first().map_or("", |word| word.text.as_ref());
    let second = plain.get(1).map_or("", |word| word.text.as_ref());
    let mut take = |word: Option<&&Word<'_>>, from: usize| {
        if let Some(word) = word {
            add_value(word, from, Strength::Strong, "password", found);
        }
    };
    match program.as_str() {
        "htpasswd" => {
            let has = |letter: char| {
                rest.iter()
                    .any(|word| word.text.starts_with('-') && word.text.contains(letter))
            };
            if has('b') {
                take(plain.get(if has('n') { 1 } else { 2 }), 0);
            }
        }
        "mysqladmin" => take(
            plain
                .iter()
                .position(|word| word.text == "password")
                .and_then(|at| plain.get(at + 1)),
            0,
        ),
        "mkpasswd" => take(plain.first(), 0),
        "ngrok" if first == "authtoken" => take(plain.get(1), 0),
        "snyk" if first == "auth" => take(plain.get(1), 0),
        "openssl" if first == "passwd" => {
            take(plain.last().filter(|word| word.text != "passwd"), 0)
        }
        "cargo" | "vault" if first == "login" => take(plain.get(1), 0),
        "vault" if first == "write" || (first == "kv" && matches!(second, "put" | "patch")) => {
            for word in plain.iter().skip(2) {
                if let Some(at) = word.text.find('=') {
                    take(Some(word), at + 1);
                }
            }
        }
        "rabbitmqctl" if matches!(first, "add_user" | "change_password" | "authenticate_user") => {
            take(plain.get(2), 0)
        }
        "mc" | "mcli" if first == "alias" && second == "set" => {
            take(plain.get(4), 0);
            take(plain.get(5), 0);
        }
        "wpa_passphrase" | "radtest" => take(plain.get(1), 0),
        "iwconfig" => take(
            plain
                .iter()
                .position(|word| word.text == "key")
                .and_then(|at| plain.get(at + 1)),
            0,
        ),
        "sqlplus" | "sqlldr" | "expdp" | "impdp" | "rman" => {
            for word in &plain {
                if let Some(at) = word.text.find('/').filter(|at| *at > 0) {
                    let end = word
                        .text
                        .rfind('@')
                        .filter(|end| *end > at)
                        .unwrap_or(word.text.len());
                    if word
                        .text
                        .get(at + 1..end)
                        .is_some_and(|value| crate::values::is_secret(value, Strength::Strong))
                        && !word.text.starts_with('@')
                    {
                        crate::calls::add(word, at + 1, end, "password", found);
                    }
                }
            }
        }
        "redis-cli" => {
            if let Some(at) = plain
                .iter()
                .position(|word| word.text.eq_ignore_ascii_case("auth"))
            {
                take(plain.last().filter(|_| plain.len() > at + 1), 0);
            }
        }
        "qpdf" => {
            if let Some(at) = rest.iter().position(|word| word.text == "--encrypt") {
                take(rest.get(at + 1).as_ref(), 0);
                take(rest.get(at + 2).as_ref(), 0);
            }
        }
        "net" if first.eq_ignore_ascii_case("user") => {
            take(plain.get(2).filter(|word| !word.text.starts_with('/')), 0)
        }
        "net" if first.eq_ignore_ascii_case("use") => {
            for word in plain.iter().skip(2).filter(|word| {
                !word.text.starts_with('/')
                    && !word.text.starts_with('\\')
                    && !word.text.ends_with(':')
            }) {
                take(Some(word), 0);
            }
        }
        "rclone" if first == "obscure" => take(plain.get(1), 0),
        "ansible-vault" if first == "encrypt_string" => take(plain.get(1), 0),
        "networksetup" => take(
            rest.iter()
                .position(|word| word.text == "-setairportnetwork")
                .and_then(|at| rest.get(at + 3))
                .as_ref(),
            0,
        ),
        "convertto-securestring" => take(plain.first(), 0),
        _ => {}
    }
    settings(&program, rest, found);
}

/// `aws configure set aws_secret_access_key X`, `npm config set //r/:_authToken X`,
/// `set -gx TOKEN X`, `nmcli … password X`, `pdftk … user_pw X`.
fn settings(program: &str, rest: &[Word<'_>], found: &mut Vec<Finding>) {
    let mut setting = matches!(program, "set" | "setenv" | "setx" | "nmcli" | "pdftk");
    for (at, word) in rest.iter().enumerate() {
        let text = word.text.as_ref();
        if matches!(
            text,
            "set" | "config" | "configure" | "setenv" | "config:set" | "put" | "set_network"
        ) {
            setting = true;
            continue;
        }
        // What stands for a secret names none.
        if !setting || text.starts_with('-') || text.contains('=') || text.contains("[redacted:") {
            continue;
        }
        let name = text.rsplit([':', '/']).next().unwrap_or(text);
        if strength(name) == Some(Strength::Strong)
            && let Some(value) = rest
                .get(at + 1)
                .filter(|value| !value.text.starts_with('-'))
        {
            add_value(value, 0, Strength::Strong, named::kind(name), found);
        }
    }
}
