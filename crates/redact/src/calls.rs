//! Secrets that only the grammar of the called program tells.

use crate::lex::{self, Command, Word};
use crate::names::{Strength, strength};
use crate::tools::{ASKS, How, RUNNERS, SINK_FLAGS, SINKS, TOOLS, Tool};
use crate::{Finding, named, positional, values};

/// Deepest nesting of command lists that is looked into.
const DEEPEST: usize = 6;

/// Adds what the commands of the text carry.
pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    script(text, 0, &|from, to| (from, to), found);
}

/// Handles one text; `place` takes a range of it to a range of the whole.
fn script(
    text: &str,
    depth: usize,
    place: &dyn Fn(usize, usize) -> (usize, usize),
    found: &mut Vec<Finding>,
) {
    if depth > DEEPEST {
        return;
    }
    let script = lex::script(text);
    let mut own = Vec::new();
    let mut first_stage = 0;
    for (number, command) in script.commands.iter().enumerate() {
        if !command.piped {
            first_stage = number;
        }
        call(command, &mut own);
        if let Some(stages) = script.commands.get(first_stage..=number) {
            sink(text, stages, &mut own);
        }
        for (from, to) in &command.bodies {
            inner(text, *from, *to, depth, &mut own);
        }
        for word in command
            .words
            .iter()
            .skip(1)
            .filter(|word| word.quoted() && word.text.len() > 3)
        {
            if word.text.contains([' ', '=']) && runs(command) {
                let mut within = Vec::new();
                self::script(&word.text, depth + 1, &|from, to| (from, to), &mut within);
                own.extend(within.into_iter().map(|finding| {
                    let (start, end) = word.raw(finding.start, finding.end);
                    Finding {
                        start,
                        end,
                        ..finding
                    }
                }));
            }
        }
    }
    for (from, to) in &script.nested {
        inner(text, *from, *to, depth, &mut own);
    }
    found.extend(own.into_iter().map(|finding| {
        let (start, end) = place(finding.start, finding.end);
        Finding {
            start,
            end,
            ..finding
        }
    }));
}

fn inner(text: &str, from: usize, to: usize, depth: usize, found: &mut Vec<Finding>) {
    if let Some(part) = text.get(from..to) {
        script(
            part,
            depth + 1,
            &|start, end| (start + from, end + from),
            found,
        );
    }
}

/// The command runs another one that may be given in a quoted word.
fn runs(command: &Command<'_>) -> bool {
    command
        .words
        .iter()
        .any(|word| RUNNERS.contains(&base(&word.text)))
}

/// Last part of a path, without `.exe`.
pub(crate) fn base(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Adds a range of a word's text.
pub(crate) fn add(
    word: &Word<'_>,
    from: usize,
    to: usize,
    kind: &'static str,
    found: &mut Vec<Finding>,
) {
    let (start, end) = word.raw(from, to);
    if start < end {
        found.push(Finding { start, end, kind });
    }
}

/// Adds the part of a word from an offset on, where it can be a secret.
pub(crate) fn add_value(
    word: &Word<'_>,
    from: usize,
    sure: Strength,
    kind: &'static str,
    found: &mut Vec<Finding>,
) {
    let secret = word.text.get(from..).is_some_and(|value| {
        values::is_secret(value, sure)
            || (word.literal(from) && values::is_literal_secret(value, sure, true))
    });
    if secret {
        add(word, from, word.text.len(), kind, found);
    }
}

fn call(command: &Command<'_>, found: &mut Vec<Finding>) {
    let words = &command.words;
    let mut tools: Vec<&Tool> = Vec::new();
    let mut asks = false;
    let mut runs = false;
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let text = word.text.as_ref();
        let next = words.get(index + 1);
        index += 1;
        // What a shell is given to run is looked into as a script: only its values are secrets.
        let code = runs && word.quoted() && text.contains([' ', '\t', '\n', ';', '&', '|']);
        runs |= RUNNERS.contains(&base(text));
        if !code
            && let Some((name, _)) = text.split_once('=')
            && let Some(sure) = strength(name)
        {
            let kind = named::kind(name);
            let sure = if name == "--secret" {
                Strength::Weak
            } else {
                sure
            };
            add_value(
                word,
                name.len() + 1 + source(text.get(name.len() + 1..).unwrap_or("")),
                sure,
                kind,
                found,
            );
        }
        if text.starts_with('-') || text.starts_with('/') {
            if flag(word, next, &tools, words.get(..index).unwrap_or(&[]), found) {
                continue;
            }
            let taken = !asks || next.is_some_and(|next| values::mixed(&next.text));
            if taken && !text.contains('=') && long(word, next, found) {
                index += 1;
                continue;
            }
            if text.starts_with('-') {
                continue;
            }
        }
        let name = base(text);
        if !word.quoted() && name.len() <= 24 && !text.contains("://") {
            let lower = name.to_ascii_lowercase();
            // `az mysql …`: a word that the program at work waits for is no other program.
            // So is a short one (`k`, `az`) that follows.
            let own = tools.iter().any(|tool| tool.needs.contains(&text))
                || (name.len() < 3 && !tools.is_empty());
            let matched = TOOLS
                .iter()
                .filter(|tool| !own && tool.names.contains(&lower.as_str()));
            let mut new = false;
            for tool in matched {
                if !new {
                    tools.clear();
                    new = true;
                }
                tools.push(tool);
            }
            asks |= ASKS.contains(&name);
        }
    }
    positional::find(words, found);
}

/// `--password X`, `-storepass X`, `-Password X`: any program. True where the next word was taken.
fn long(word: &Word<'_>, next: Option<&Word<'_>>, found: &mut Vec<Finding>) -> bool {
    let text = word.text.as_ref();
    let name = text.trim_start_matches('-');
    if name.len() < 4 || text.starts_with('/') {
        return false;
    }
    let (Some(sure), Some(next)) = (strength(name), next) else {
        return false;
    };
    if next.text.starts_with('-') || (name == "secret" && !values::random(&next.text)) {
        return false;
    }
    let from = source(&next.text);
    if from == 0
        && ["env:", "file:", "fd:"]
            .iter()
            .any(|start| next.text.starts_with(start))
    {
        return false;
    }
    add_value(next, from, sure, named::kind(name), found);
    true
}

/// Length of `pass:` in front of the secret.
fn source(value: &str) -> usize {
    if value.starts_with("pass:") { 5 } else { 0 }
}

/// Options of the tools at work. True where the word was one of them.
fn flag(
    word: &Word<'_>,
    next: Option<&Word<'_>>,
    tools: &[&Tool],
    before: &[Word<'_>],
    found: &mut Vec<Finding>,
) -> bool {
    let text = word.text.as_ref();
    let tools = || {
        tools.iter().filter(|tool| {
            tool.needs.is_empty()
                || before
                    .iter()
                    .any(|word| tool.needs.contains(&word.text.as_ref()))
        })
    };
    // `-pw` of one entry before `-p` of another.
    for tool in tools() {
        if let Some((_, how)) = tool.flags.iter().find(|(flag, _)| text == *flag) {
            if *how != How::Attached
                && let Some(next) = next
            {
                option(next, 0, *how, found);
            }
            return true;
        }
    }
    for tool in tools() {
        for (flag, how) in tool.flags.iter().filter(|(_, how)| *how != How::Apart) {
            let short = flag.len() == 2 || *how == How::Attached;
            if let Some(rest) = text.strip_prefix(flag) {
                if let Some(value) = rest.strip_prefix('=').filter(|_| !short) {
                    option(word, text.len() - value.len(), *how, found);
                    return true;
                }
                if short && (*how == How::Attached || !rest.is_empty()) {
                    option(word, flag.len(), *how, found);
                    return true;
                }
            }
            // `-su user:pass`: a cluster that ends with the option.
            let letters = text.strip_prefix('-').unwrap_or("");
            let cluster = short
                && *how != How::Attached
                && letters.len() > 1
                && letters.len() < 6
                && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
            if cluster
                && flag.ends_with(letters.get(letters.len() - 1..).unwrap_or(""))
                && !flag.starts_with('/')
            {
                if let Some(next) = next {
                    option(next, 0, *how, found);
                }
                return true;
            }
        }
    }
    false
}

fn option(word: &Word<'_>, from: usize, how: How, found: &mut Vec<Finding>) {
    let value = word.text.get(from..).unwrap_or("");
    let after = |mark: char| value.find(mark).map(|at| from + at + 1);
    let start = match how {
        How::Attached | How::Value | How::Apart => Some(from),
        How::Colon => after(':'),
        How::Percent => after('%'),
        How::Comma => after(','),
        How::Pair => after('='),
        How::Cookie => value.contains('=').then_some(from),
        How::Source => match source(value) {
            0 if ["env:", "file:", "fd:"]
                .iter()
                .any(|start| value.starts_with(start)) =>
            {
                None
            }
            skip => Some(from + skip),
        },
    };
    if let Some(start) = start {
        add_value(
            word,
            start,
            Strength::Strong,
            if how == How::Cookie {
                "cookie"
            } else {
                "password"
            },
            found,
        );
    }
}

/// `echo X | sudo -S`, `docker login --password-stdin <<< X`, `chpasswd <<EOF`.
fn sink(text: &str, stages: &[Command<'_>], found: &mut Vec<Finding>) {
    let Some((last, earlier)) = stages.split_last() else {
        return;
    };
    if (earlier.is_empty() && last.strings.is_empty() && last.bodies.is_empty()) || !is_sink(last) {
        return;
    }
    let pairs = last
        .words
        .iter()
        .any(|word| matches!(base(&word.text), "chpasswd" | "chgpasswd"));
    for command in earlier {
        let Some(first) = command
            .words
            .iter()
            .position(|word| matches!(base(&word.text), "echo" | "printf" | "print" | "yes"))
        else {
            continue;
        };
        let arguments = command.words.get(first + 1..).unwrap_or(&[]);
        let mut arguments: Vec<&Word<'_>> = arguments
            .iter()
            .skip_while(|word| {
                matches!(
                    word.text.as_ref(),
                    "-n" | "-e" | "-ne" | "-en" | "-E" | "-r" | "--"
                )
            })
            .collect();
        if command
            .words
            .get(first)
            .is_some_and(|word| base(&word.text) == "printf")
            && arguments.len() > 1
        {
            arguments.remove(0);
        }
        for word in arguments {
            fed(word, pairs, found);
        }
    }
    for command in stages {
        for word in &command.strings {
            fed(word, pairs, found);
        }
        for (from, to) in &command.bodies {
            body(text, *from, *to, pairs, found);
        }
    }
}

fn fed(word: &Word<'_>, pairs: bool, found: &mut Vec<Finding>) {
    let from = if pairs {
        word.text.find(':').map_or(0, |at| at + 1)
    } else {
        0
    };
    add_value(word, from, Strength::Strong, "password", found);
}

/// Each line for `user:password` pairs, else the first line only: a script may follow.
fn body(text: &str, from: usize, to: usize, pairs: bool, found: &mut Vec<Finding>) {
    let mut at = from;
    for line in text.get(from..to).unwrap_or("").split_inclusive('\n') {
        let skip = if pairs {
            line.find(':').map_or(0, |colon| colon + 1)
        } else {
            line.len() - line.trim_start().len()
        };
        let value = line.get(skip..).unwrap_or("").trim_end();
        if values::is_secret(value, Strength::Strong) {
            found.push(Finding {
                start: at + skip,
                end: at + skip + value.len(),
                kind: "password",
            });
        }
        at += line.len();
        if !pairs {
            break;
        }
    }
}

fn is_sink(command: &Command<'_>) -> bool {
    let words = &command.words;
    let has = |name: &str| words.iter().any(|word| word.text == name);
    if words.iter().any(|word| {
        SINK_FLAGS
            .iter()
            .any(|flag| word.text.split('=').next() == Some(flag))
    }) {
        return true;
    }
    let first = words
        .iter()
        .map(|word| base(&word.text))
        .find(|name| !name.contains('='))
        .unwrap_or("");
    if first == "sudo" && asks_input(words) {
        return true;
    }
    let called = words
        .iter()
        .filter(|word| !word.text.contains('/') || word.text.contains("bin/"));
    let name = called
        .map(|word| base(&word.text))
        .find(|name| SINKS.contains(name) && *name != "sudo")
        .unwrap_or("");
    match name {
        "" => {}
        "su" => return first == "su" || first == "sudo",
        "passwd" | "cryptsetup" | "ssh-add" | "doas" | "keyctl" => {
            return first == name || first == "sudo";
        }
        _ => return true,
    }
    let dash = words
        .last()
        .is_some_and(|word| word.text == "-" || word.text == "/dev/stdin");
    match first {
        "docker" | "podman" | "kubectl" => dash && (has("secret") || has("login")),
        "vault" => {
            let reads = words.iter().any(|word| word.text.ends_with("=-"));
            (dash || reads) && (has("login") || has("write") || has("put") || has("patch"))
        }
        "gcloud" => {
            let reads = words.iter().any(|word| word.text == "--data-file=-");
            has("secrets") && (reads || dash || (has("--data-file") && has("-")))
        }
        "ansible-vault" => has("encrypt_string"),
        "gh" => has("secret") && has("set"),
        "htpasswd" => words
            .iter()
            .any(|word| word.text.starts_with('-') && word.text.contains('i')),
        "openssl" => has("-stdin") || has("stdin"),
        "pass" => has("insert"),
        "wrangler" | "fly" | "flyctl" => has("secret") || has("secrets"),
        "vercel" => has("env") && has("add"),
        _ => false,
    }
}

/// `sudo -S`, `sudo -u bob -kS`, `sudo --stdin`.
fn asks_input(words: &[Word<'_>]) -> bool {
    let mut rest = words
        .iter()
        .skip_while(|word| base(&word.text) != "sudo")
        .skip(1);
    while let Some(word) = rest.next() {
        let text = word.text.as_ref();
        match text {
            "--stdin" => return true,
            "-u" | "-g" | "-p" | "-h" | "-C" | "-D" | "-R" | "-T" | "-r" | "-t" | "-U" => {
                rest.next();
            }
            _ if text.starts_with('-') && !text.starts_with("--") => {
                if text.contains('S') {
                    return true;
                }
            }
            _ if text.starts_with("--") || text.contains('=') => {}
            _ => return false,
        }
    }
    false
}
