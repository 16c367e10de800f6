//! Compiles `knowledge/*.toml` to static tables, so that nothing is read or parsed at run time.
//! The format is described in `knowledge/README.md`.

use std::{collections::BTreeMap, error::Error, fmt::Write as _, fs, path::PathBuf};

use serde::Deserialize;

#[path = "build/calls.rs"]
mod calls;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    program: Vec<Program>,
    #[serde(default)]
    api: Vec<Api>,
}

/// A web interface: whose it is and what its requests do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    name: String,
    hosts: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    /// Read by the tests.
    #[serde(default)]
    #[expect(dead_code, reason = "read by the tests only")]
    examples: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    names: Vec<String>,
    #[serde(default)]
    style: String,
    #[serde(default)]
    options: String,
    #[serde(default)]
    sub: Vec<Sub>,
    #[serde(default)]
    rules: Vec<String>,
    #[serde(default)]
    wrap: String,
    #[serde(default)]
    handler: String,
    #[serde(default)]
    positions: String,
    #[serde(default)]
    input: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    context: String,
    /// Read by the tests.
    #[serde(default)]
    #[expect(dead_code, reason = "read by the tests only")]
    examples: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sub {
    on: String,
    #[serde(default)]
    options: String,
    #[serde(default)]
    wrap: String,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    println!("cargo::rerun-if-changed=knowledge");
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir("knowledge")? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    let mut out = String::new();
    write_files(&mut out, &files)?;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut cmdlets: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0usize;
    let mut apis = String::new();
    for path in files {
        let text = fs::read_to_string(&path)?;
        let file: File =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        for api in &file.api {
            write_api(&mut apis, api)
                .map_err(|error| format!("{}: {:?}: {error}", path.display(), api.name))?;
        }
        for program in file.program {
            write_program(&mut out, count, &program)
                .map_err(|error| format!("{}: {:?}: {error}", path.display(), program.names))?;
            for name in &program.names {
                let lower = name.to_lowercase();
                let (table, name) = match program.style.as_str() {
                    "cmdlet" => (&mut cmdlets, lower),
                    "cmd" => (&mut cmdlets, format!("cmd:{lower}")),
                    _ => (&mut names, name.clone()),
                };
                if table.insert(name.clone(), count).is_some() {
                    return Err(format!("{}: {name} is described twice", path.display()).into());
                }
            }
            count += 1;
        }
    }
    writeln!(
        out,
        "/// All names, sorted.\npub(crate) static PROGRAMS: &[(&str, &Program)] = &["
    )?;
    for (name, index) in &names {
        writeln!(out, "({name:?}, &P{index}),")?;
    }
    writeln!(out, "];")?;
    writeln!(
        out,
        "/// Web interfaces, in the order of their files.\npub(crate) static APIS: &[Api] = &[{apis}];"
    )?;
    writeln!(
        out,
        "/// Names of cmdlets and of what cmd.exe does itself, sorted.\npub(crate) static CMDLETS: &[(&str, &Program)] = &["
    )?;
    for (name, index) in &cmdlets {
        writeln!(out, "({name:?}, &P{index}),")?;
    }
    writeln!(out, "];")?;
    let target = PathBuf::from(std::env::var("OUT_DIR")?).join("knowledge.rs");
    fs::write(target, out)?;
    let target = PathBuf::from(std::env::var("OUT_DIR")?).join("calls.rs");
    fs::write(target, calls::compile()?)?;
    Ok(())
}

/// The texts as they are, for `cmdai knowledge`.
fn write_files(out: &mut String, files: &[PathBuf]) -> Outcome<()> {
    writeln!(out, "pub(crate) static FILES: &[(&str, &str)] = &[")?;
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Not by path: what was generated must hold after the checkout has moved.
        let text = fs::read_to_string(path)?;
        writeln!(out, "({name:?}, {text:?}),")?;
    }
    writeln!(out, "];")?;
    Ok(())
}

/// Options that most clients of a service share; the program's own come first.
const COMMON: &str = " -y,--yes,--assume-yes,--auto-approve,--auto-confirm,--skip-confirmation,--no-confirm,--noconfirm,--confirm,--approve,--no-prompt,--no-input,--non-interactive:yes --force:force -f:force -q,--quiet --json --verbose,-v --debug --no-color --wait --no-wait --async --all:all --recursive:recursive -r:recursive --dry-run? --output= -o= --format= --token= --api-key= --url= --endpoint= --host= --config=";

fn write_api(out: &mut String, api: &Api) -> Outcome<()> {
    write!(
        out,
        "Api {{ name: {:?}, hosts: &{:?}, rules: &[",
        api.name, api.hosts
    )?;
    for rule in &api.rules {
        let (left, right) = rule.split_once("=>").ok_or("a rule needs `=>`")?;
        let mut words = left.split_whitespace();
        let methods: Vec<&str> = words
            .next()
            .ok_or("a rule needs a method")?
            .split('|')
            .collect();
        let path: Vec<Vec<&str>> = words
            .next()
            .ok_or("a rule needs a path")?
            .trim_matches('/')
            .split('/')
            .map(|segment| segment.split('|').collect())
            .collect();
        let body: Vec<&str> = match words.next() {
            Some(word) => word
                .strip_prefix('~')
                .ok_or("a word of the body begins with `~`")?
                .split('|')
                .collect(),
            None => Vec::new(),
        };
        let mut effect = right.split_whitespace();
        let kind = kind_name(effect.next().ok_or("a rule needs an effect")?)?;
        let resource = effect.next().unwrap_or("");
        if words.next().is_some() || effect.next().is_some() {
            return Err(format!("too many words: {rule}").into());
        }
        write!(out, "ApiRule {{ methods: &{methods:?}, path: &[")?;
        for segment in path {
            write!(out, "&{segment:?},")?;
        }
        write!(
            out,
            "], body: &{body:?}, kind: Kind::{kind}, resource: {resource:?} }},"
        )?;
    }
    writeln!(out, "] }},")?;
    Ok(())
}

fn write_program(out: &mut String, index: usize, program: &Program) -> Outcome<()> {
    let style = match program.style.as_str() {
        "" | "gnu" => "Gnu",
        "posix" => "Posix",
        "long" => "Long",
        "raw" => "Raw",
        "cmdlet" => "Cmdlet",
        "slash" | "cmd" => "Slash",
        other => return Err(format!("no such style: {other}").into()),
    };
    let name = program.names.first().ok_or("a program needs a name")?;
    let common = if program.handler == "cloud" {
        COMMON
    } else {
        ""
    };
    // Parameters of cmdlets are called without case.
    let own = format!("{}{common}", program.options);
    let (own, positions) = if program.style == "cmdlet" {
        (own.to_lowercase(), program.positions.to_lowercase())
    } else {
        (own, program.positions.clone())
    };
    write!(
        out,
        "static P{index}: Program = Program {{ name: {name:?}, style: Style::{style}, options: {}, subs: &[",
        options(&own)?
    )?;
    for sub in &program.sub {
        let on: Vec<&str> = sub.on.split_whitespace().collect();
        write!(
            out,
            "Sub {{ on: &{on:?}, options: {}, wrap: {} }},",
            options(&sub.options)?,
            wrap(&sub.wrap)?
        )?;
    }
    write!(out, "], rules: &[")?;
    for rule in &program.rules {
        write!(
            out,
            "{},",
            compile_rule(rule).map_err(|error| format!("{rule:?}: {error}"))?
        )?;
    }
    writeln!(
        out,
        "], wrap: {}, handler: {:?}, provider: {:?}, context: {:?}, positions: &{:?}, input: {:?} }};",
        wrap(&program.wrap)?,
        program.handler,
        program.provider,
        if program.context.is_empty() {
            "context"
        } else {
            program.context.as_str()
        },
        positions.split_whitespace().collect::<Vec<_>>(),
        program.input
    )?;
    Ok(())
}

/// `-o,--output=:name`: names, then `=` (takes a value) or `?` (may take one, attached), then `:` and
/// what the rules call it.
pub(crate) fn options(text: &str) -> Outcome<String> {
    let mut out = String::from("&[");
    for token in text.split_whitespace() {
        let (spec, flag) = match token.split_once(':') {
            Some((spec, flag)) => (spec, flag.to_owned()),
            None => (token, String::new()),
        };
        let (spec, takes) = if let Some(spec) = spec.strip_suffix('=') {
            (spec, "Yes")
        } else if let Some(spec) = spec.strip_suffix('?') {
            (spec, "Optional")
        } else {
            (spec, "No")
        };
        let names: Vec<&str> = spec.split(',').collect();
        if names.iter().any(|name| !name.starts_with(['-', '+'])) {
            return Err(format!("an option begins with a dash: {token}").into());
        }
        let flag = if flag.is_empty() {
            names
                .iter()
                .max_by_key(|name| name.len())
                .map(|name| name.trim_start_matches('-').to_owned())
                .unwrap_or_default()
        } else {
            flag
        };
        write!(
            out,
            "Opt {{ names: &{names:?}, takes: Takes::{takes}, flag: {flag:?} }},"
        )?;
    }
    out.push(']');
    Ok(out)
}

pub(crate) fn wrap(text: &str) -> Outcome<String> {
    let mut words = text.split_whitespace();
    let kind = match words.next() {
        None => return Ok("None".to_owned()),
        Some("argv") => "Argv",
        Some("shell") => "Shell",
        Some(other) => return Err(format!("no such wrapping: {other}").into()),
    };
    let (mut skip, mut assignments) = (0u8, false);
    for word in words {
        if word == "assignments" {
            assignments = true;
        } else {
            skip = word.parse()?;
        }
    }
    Ok(format!(
        "Some(Wrap {{ kind: WrapKind::{kind}, skip: {skip}, assignments: {assignments} }})"
    ))
}

/// `WORDS [CONDITIONS] => EFFECT ARGUMENTS; EFFECT ARGUMENTS`
pub(crate) fn compile_rule(text: &str) -> Outcome<String> {
    let (left, right) = text.split_once("=>").ok_or("a rule needs `=>`")?;
    let (words, conditions) = match left.split_once('[') {
        Some((words, conditions)) => (
            words,
            conditions
                .trim()
                .strip_suffix(']')
                .ok_or("`[` is not closed")?,
        ),
        None => (left, ""),
    };
    let mut out = String::from("Rule { on: &[");
    for word in words.split_whitespace() {
        let choices: Vec<&str> = word.split('|').collect();
        write!(out, "&{choices:?},")?;
    }
    out.push_str("], when: &[");
    for condition in conditions.split_whitespace() {
        write!(out, "{},", compile_condition(condition)?)?;
    }
    out.push_str("], effects: &[");
    for effect in right.split(';') {
        let mut tokens = effect.split_whitespace();
        let kind = tokens.next().ok_or("a rule needs an effect")?;
        write!(
            out,
            "Template {{ kind: Kind::{}, args: &[",
            kind_name(kind)?
        )?;
        for token in tokens {
            write!(out, "{},", compile_argument(token)?)?;
        }
        out.push_str("] },");
    }
    out.push_str("] }");
    Ok(out)
}

fn compile_condition(text: &str) -> Outcome<String> {
    if let Some((subject, pattern)) = text.split_once('=') {
        let (subject, negated) = match subject.strip_suffix('!') {
            Some(subject) => (subject, true),
            None => (subject, false),
        };
        let subject = if subject.starts_with('$') {
            compile_argument(subject)?
        } else {
            format!("Arg::Opt({subject:?})")
        };
        let patterns: Vec<&str> = pattern.split('|').collect();
        return Ok(format!(
            "Cond::Matches({subject}, &{patterns:?}, {negated})"
        ));
    }
    if let Some(count) = text.strip_prefix("!#") {
        return Ok(format!("Cond::Fewer({})", count.parse::<u8>()?));
    }
    if let Some(count) = text.strip_prefix('#') {
        return Ok(format!("Cond::AtLeast({})", count.parse::<u8>()?));
    }
    Ok(match text.strip_prefix('!') {
        Some(flag) => format!("Cond::Lacks({flag:?})"),
        None => format!("Cond::Has({text:?})"),
    })
}

fn compile_argument(text: &str) -> Outcome<String> {
    Ok(match text {
        "$*" => "Arg::From(1)".to_owned(),
        "$-" => "Arg::Last".to_owned(),
        "$^" => "Arg::AllButLast".to_owned(),
        "$@" => "Arg::Joined".to_owned(),
        "$0" => "Arg::Noun".to_owned(),
        _ => {
            if let Some((number, default)) =
                text.strip_prefix('$').and_then(|rest| rest.split_once('|'))
            {
                format!("Arg::NthOr({}, {default:?})", number.parse::<u8>()?)
            } else if let Some(rest) = text.strip_prefix('$') {
                let (number, more) = match rest.strip_suffix('+') {
                    Some(number) => (number, true),
                    None => (rest, false),
                };
                let number: u8 = number
                    .parse()
                    .map_err(|_| format!("no such argument: {text}"))?;
                if more {
                    format!("Arg::From({number})")
                } else {
                    format!("Arg::Nth({number})")
                }
            } else if let Some(rest) = text.strip_prefix('%') {
                match rest.split_once('|') {
                    Some((name, default)) => format!("Arg::OptOr({name:?}, {default:?})"),
                    None => format!("Arg::Opt({rest:?})"),
                }
            } else {
                format!("Arg::Text({text:?})")
            }
        }
    })
}

fn kind_name(text: &str) -> Outcome<String> {
    const KINDS: &[&str] = &[
        "delete",
        "delete-tree",
        "overwrite",
        "write",
        "move",
        "read",
        "read-secret",
        "chmod",
        "chown",
        "device",
        "format",
        "mount",
        "run-file",
        "run-remote",
        "run-unknown",
        "shell",
        "code",
        "download",
        "upload",
        "listen",
        "connect",
        "escalate",
        "add-user",
        "credential",
        "persist",
        "disable",
        "tamper",
        "kernel-module",
        "history-loss",
        "force-push",
        "branch-delete",
        "destroy",
        "change",
        "install",
        "service",
        "kill",
        "kill-all",
        "power",
        "exhaust",
        "unknown",
        "copy-to",
        "calm",
        "exec",
    ];
    if !KINDS.contains(&text) {
        return Err(format!("no such effect: {text}").into());
    }
    Ok(text
        .split('-')
        .map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + chars.as_str())
                .unwrap_or_default()
        })
        .collect())
}
