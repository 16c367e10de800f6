//! Compiles `knowledge/*.toml` to static tables, so that nothing is read or parsed at run time.
//! The format is described in `knowledge/README.md`.

use std::{collections::BTreeMap, error::Error, fmt::Write as _, fs, path::PathBuf};

use serde::Deserialize;

#[path = "build/calls.rs"]
mod calls;
#[path = "build/pool.rs"]
mod pool;

pub(crate) use pool::Pools;

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

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

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
    let mut pools = Pools::default();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut cmdlets: BTreeMap<String, usize> = BTreeMap::new();
    let mut programs = Vec::new();
    let mut apis = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)?;
        let file: File =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        for api in &file.api {
            let api = compile_api(&mut pools, api)
                .map_err(|error| format!("{}: {:?}: {error}", path.display(), api.name))?;
            apis.push(api);
        }
        for program in file.program {
            for name in &program.names {
                let lower = name.to_lowercase();
                let (table, name) = match program.style.as_str() {
                    "cmdlet" => (&mut cmdlets, lower),
                    "cmd" => (&mut cmdlets, format!("cmd:{lower}")),
                    _ => (&mut names, name.clone()),
                };
                if table.insert(name.clone(), programs.len()).is_some() {
                    return Err(format!("{}: {name} is described twice", path.display()).into());
                }
            }
            let program = compile_program(&mut pools, &program)
                .map_err(|error| format!("{}: {:?}: {error}", path.display(), program.names))?;
            programs.push(program);
        }
    }
    write_table(&mut out, "PROGRAMS", "Program", &programs)?;
    write_table(&mut out, "APIS", "Api", &apis)?;
    write_names(&mut out, &mut pools, "NAMES", &names)?;
    write_names(&mut out, &mut pools, "CMDLETS", &cmdlets)?;
    let calls = calls::compile(&mut pools)?;
    pools.write(&mut out)?;
    let target = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::write(target.join("knowledge.rs"), out)?;
    fs::write(target.join("calls.rs"), calls)?;
    Ok(())
}

fn write_table(out: &mut String, name: &str, of: &str, items: &[String]) -> Outcome<()> {
    writeln!(
        out,
        "pub(crate) static {name}: [{of}; {}] = [{}];",
        items.len(),
        items.join(",\n")
    )?;
    Ok(())
}

/// Sorted names, each with the place of its program.
fn write_names(
    out: &mut String,
    pools: &mut Pools,
    name: &str,
    names: &BTreeMap<String, usize>,
) -> Outcome<()> {
    let items = names
        .iter()
        .map(|(name, at)| Ok(format!("({}, {})", pools.word(name)?, u16::try_from(*at)?)))
        .collect::<Outcome<Vec<_>>>()?;
    write_table(out, name, "(Word, u16)", &items)
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

fn compile_api(pools: &mut Pools, api: &Api) -> Outcome<String> {
    let mut rules = Vec::new();
    for rule in &api.rules {
        let (left, right) = rule.split_once("=>").ok_or("a rule needs `=>`")?;
        let mut words = left.split_whitespace();
        let methods = words.next().ok_or("a rule needs a method")?.split('|');
        let path = words.next().ok_or("a rule needs a path")?;
        let body = match words.next() {
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
        rules.push(format!(
            "ApiRule {{ methods: {}, path: {}, body: {}, kind: Kind::{kind}, resource: {} }}",
            pools.words(methods)?,
            choices(pools, path.trim_matches('/').split('/'))?,
            pools.words(body)?,
            pools.word(resource)?,
        ));
    }
    Ok(format!(
        "Api {{ name: {}, hosts: {}, rules: {} }}",
        pools.word(&api.name)?,
        pools.words(api.hosts.iter().map(String::as_str))?,
        pools.list("ApiRule", rules)?
    ))
}

/// Words, each a choice: `get|list`.
fn choices<'t>(pools: &mut Pools, words: impl Iterator<Item = &'t str>) -> Outcome<String> {
    let items = words
        .map(|word| pools.words(word.split('|')))
        .collect::<Outcome<Vec<_>>>()?;
    pools.list("List<Word>", items)
}

fn compile_program(pools: &mut Pools, program: &Program) -> Outcome<String> {
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
    let subs = program
        .sub
        .iter()
        .map(|sub| {
            Ok(format!(
                "Sub {{ on: {}, options: {}, wrap: {} }}",
                pools.words(sub.on.split_whitespace())?,
                options(pools, &sub.options)?,
                wrap(&sub.wrap)?
            ))
        })
        .collect::<Outcome<Vec<_>>>()?;
    let rules = program
        .rules
        .iter()
        .map(|rule| Ok(compile_rule(pools, rule).map_err(|error| format!("{rule:?}: {error}"))?))
        .collect::<Outcome<Vec<_>>>()?;
    let context = match program.context.as_str() {
        "" => "context",
        context => context,
    };
    Ok(format!(
        "Program {{ name: {}, style: Style::{style}, options: {}, subs: {}, rules: {}, wrap: {}, \
         handler: {}, provider: {}, context: {}, positions: {}, input: {} }}",
        pools.word(name)?,
        options(pools, &own)?,
        pools.list("Sub", subs)?,
        pools.list("Rule", rules)?,
        wrap(&program.wrap)?,
        pools.word(&program.handler)?,
        pools.word(&program.provider)?,
        pools.word(context)?,
        pools.words(positions.split_whitespace())?,
        pools.word(&program.input)?,
    ))
}

/// `-o,--output=:name`: names, then `=` (takes a value) or `?` (may take one, attached), then `:` and
/// what the rules call it.
pub(crate) fn options(pools: &mut Pools, text: &str) -> Outcome<String> {
    let mut all = Vec::new();
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
        all.push(format!(
            "Opt {{ names: {}, takes: Takes::{takes}, flag: {} }}",
            pools.words(names)?,
            pools.word(&flag)?
        ));
    }
    pools.list("Opt", all)
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
pub(crate) fn compile_rule(pools: &mut Pools, text: &str) -> Outcome<String> {
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
    let on = choices(pools, words.split_whitespace())?;
    let when = conditions
        .split_whitespace()
        .map(|condition| compile_condition(pools, condition))
        .collect::<Outcome<Vec<_>>>()?;
    let effects = right
        .split(';')
        .map(|effect| {
            let mut tokens = effect.split_whitespace();
            let kind = kind_name(tokens.next().ok_or("a rule needs an effect")?)?;
            let args = tokens
                .map(|token| compile_argument(pools, token))
                .collect::<Outcome<Vec<_>>>()?;
            let args = pools.list("Arg", args)?;
            Ok(format!("Template {{ kind: Kind::{kind}, args: {args} }}"))
        })
        .collect::<Outcome<Vec<_>>>()?;
    Ok(format!(
        "Rule {{ on: {on}, when: {}, effects: {} }}",
        pools.list("Cond", when)?,
        pools.list("Template", effects)?
    ))
}

fn compile_condition(pools: &mut Pools, text: &str) -> Outcome<String> {
    if let Some((subject, pattern)) = text.split_once('=') {
        let (subject, negated) = match subject.strip_suffix('!') {
            Some(subject) => (subject, true),
            None => (subject, false),
        };
        let subject = if subject.starts_with('$') {
            compile_argument(pools, subject)?
        } else {
            format!("Arg::Opt({})", pools.word(subject)?)
        };
        let patterns = pools.words(pattern.split('|'))?;
        return Ok(format!("Cond::Matches({subject}, {patterns}, {negated})"));
    }
    if let Some(count) = text.strip_prefix("!#") {
        return Ok(format!("Cond::Fewer({})", count.parse::<u8>()?));
    }
    if let Some(count) = text.strip_prefix('#') {
        return Ok(format!("Cond::AtLeast({})", count.parse::<u8>()?));
    }
    Ok(match text.strip_prefix('!') {
        Some(flag) => format!("Cond::Lacks({})", pools.word(flag)?),
        None => format!("Cond::Has({})", pools.word(text)?),
    })
}

fn compile_argument(pools: &mut Pools, text: &str) -> Outcome<String> {
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
                format!(
                    "Arg::NthOr({}, {})",
                    number.parse::<u8>()?,
                    pools.word(default)?
                )
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
                    Some((name, default)) => {
                        format!(
                            "Arg::OptOr({}, {})",
                            pools.word(name)?,
                            pools.word(default)?
                        )
                    }
                    None => format!("Arg::Opt({})", pools.word(rest)?),
                }
            } else {
                format!("Arg::Text({})", pools.word(text)?)
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
