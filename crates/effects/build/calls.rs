//! Compiles `knowledge/calls/*.toml` to sorted tables.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use super::{Outcome, pool::Pools};

/// Effects that a call may have.
const EFFECTS: &[&str] = &[
    "delete",
    "delete-tree",
    "write",
    "append",
    "read",
    "copy",
    "move",
    "link",
    "chmod",
    "chown",
    "open",
    "put",
    "send",
    "shell",
    "spawn",
    "argv",
    "system",
    "code",
    "code-file",
    "connect",
    "listen",
    "download",
    "request",
    "sql",
    "escalate",
    "kill",
    "power",
    "fork",
    "exhaust",
    "unknown",
    "show",
    "visit",
    "give",
    "pipe",
    "unpack",
];
/// Effects that make code that could not be read look dangerous by the call's name alone.
const RISKY: &[&str] = &[
    "delete",
    "delete-tree",
    "write",
    "copy",
    "move",
    "link",
    "chmod",
    "chown",
    "put",
    "shell",
    "spawn",
    "argv",
    "system",
    "code",
    "code-file",
    "kill",
    "power",
    "escalate",
    "exhaust",
    "unknown",
    "pipe",
    "connect",
    "unpack",
];
/// What a call may give.
const GIVES: &[&str] = &[
    "text",
    "same",
    "path",
    "joined",
    "home",
    "expanded",
    "folder",
    "base",
    "temporary",
    "base64",
    "hex",
    "rot13",
    "percent",
    "made",
    "characters",
    "code-of",
    "variable",
    "pattern",
    "remote",
    "file",
    "object",
    "name",
    "module",
    "member",
    "arguments",
    "input",
    "list",
    "count",
    "nothing",
];

pub(crate) fn compile(pools: &mut Pools) -> Outcome<String> {
    let mut out = String::new();
    let mut tables = String::new();
    let mut files: Vec<_> = fs::read_dir("knowledge/calls")?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::path);
    for file in files {
        let path = file.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let language = path
            .file_stem()
            .and_then(|name| name.to_str())
            .ok_or("no name")?;
        let lines: BTreeMap<String, String> = toml::from_str(&fs::read_to_string(&path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let mut calls = BTreeMap::new();
        let mut risky = BTreeMap::new();
        for (names, does) in &lines {
            let mut bad = false;
            for statement in does.split(';') {
                let mut words = statement.split_whitespace();
                let effect = words.next().ok_or_else(|| format!("{names}: no effect"))?;
                if !EFFECTS.contains(&effect) {
                    return Err(format!("{language}: {names}: no such effect: {effect}").into());
                }
                if effect == "give" {
                    let what = words.next().unwrap_or_default();
                    if !GIVES.contains(&what) {
                        return Err(format!("{language}: {names}: cannot give {what}").into());
                    }
                }
                bad |= RISKY.contains(&effect);
            }
            for name in names.split('|').map(str::trim) {
                if calls.insert(name.to_owned(), does.clone()).is_some() {
                    return Err(format!("{language}: {name} stands there twice").into());
                }
                if bad {
                    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
                    risky.insert(last.to_owned(), ());
                }
            }
        }
        let calls = calls
            .iter()
            .map(|(name, does)| Ok(format!("({}, {})", pools.word(name)?, pools.word(does)?)))
            .collect::<Outcome<Vec<_>>>()?;
        let risky = risky
            .keys()
            .map(|name| pools.word(name))
            .collect::<Outcome<Vec<_>>>()?;
        let name = language.to_uppercase();
        writeln!(
            out,
            "static {name}_CALLS: [(Word, Word); {}] = [{}];\n\
             static {name}_RISKY: [Word; {}] = [{}];",
            calls.len(),
            calls.join(","),
            risky.len(),
            risky.join(",")
        )?;
        writeln!(
            tables,
            "({language:?}, Table {{ calls: &{name}_CALLS, risky: &{name}_RISKY }}),"
        )?;
    }
    writeln!(
        out,
        "/// Tables by language.\nstatic TABLES: &[(&str, Table)] = &[{tables}];"
    )?;
    Ok(out)
}
