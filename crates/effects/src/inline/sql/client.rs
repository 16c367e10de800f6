//! Commands of the clients themselves, which stand on lines of their own among the SQL: `\!` of psql,
//! `.shell` of sqlite3, `system` of mysql, `HOST` of sqlplus.

use super::{Finding, Language};

/// Takes the clients' commands out of a text: what they do, and the SQL that is left.
pub(crate) fn commands(text: &str, language: Language) -> (String, Vec<Finding>) {
    let mut found = Vec::new();
    let mut sql = String::with_capacity(text.len());
    let mut quoted = false;
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            sql.push('\n');
        }
        let trimmed = line.trim();
        let taken = !quoted && found.len() < 256 && one(trimmed, language, &mut found);
        if taken {
            continue;
        }
        let kept = if quoted {
            line
        } else {
            tail(line, language, &mut found)
        };
        // A line that goes on inside a text is no command.
        if kept.matches('\'').count() % 2 == 1 {
            quoted = !quoted;
        }
        sql.push_str(kept);
    }
    (sql, found)
}

/// A line that is a command; false where it is SQL.
fn one(line: &str, language: Language, found: &mut Vec<Finding>) -> bool {
    match language {
        Language::Postgres if line.starts_with('\\') => {
            backslash(line, found);
            true
        }
        Language::Sqlite | Language::DuckDb if line.starts_with('.') => {
            dot(line, found);
            true
        }
        Language::MySql => mysql(line, found),
        Language::Oracle => sqlplus(line, found),
        Language::TSql => sqlcmd(line, found),
        Language::Hive => beeline(line, found),
        Language::Snowflake => snowsql(line, found),
        Language::Cql => cqlsh(line, found),
        Language::Other => {
            // The client is not known: the commands that cannot be SQL.
            if line.starts_with("\\!") || line.starts_with("\\copy") {
                backslash(line, found);
                true
            } else if line.starts_with(".shell") || line.starts_with(".system") {
                dot(line, found);
                true
            } else {
                beeline(line, found)
            }
        }
        _ => false,
    }
}

/// `SELECT … \gexec`, `SELECT … \g FILE`: what is left of the line.
fn tail<'l>(line: &'l str, language: Language, found: &mut Vec<Finding>) -> &'l str {
    if !matches!(language, Language::Postgres | Language::MySql) {
        return line;
    }
    let Some(at) = line.rfind('\\') else {
        return line;
    };
    // Inside a text it is none.
    let before = line.get(..at).unwrap_or(line);
    if before.matches('\'').count() % 2 == 1 {
        return line;
    }
    let command = line.get(at..).unwrap_or("").trim();
    let (name, rest) = split(command);
    match name {
        "\\gexec" => found.push(Finding::UnknownCode),
        "\\g" | "\\gx" if language == Language::Postgres && !rest.is_empty() => output(rest, found),
        "\\g" | "\\G" | "\\gx" | "\\gset" | "\\watch" | "\\crosstabview" | "\\gdesc" | "\\c" => {}
        "\\!" => found.push(Finding::Program {
            code: rest.to_owned(),
        }),
        _ => return line,
    }
    before
}

fn split(line: &str) -> (&str, &str) {
    match line.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (line, ""),
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim().trim_end_matches(';').trim();
    for quote in ['\'', '"'] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

/// A file that is written, or a program that reads what would be written.
fn output(target: &str, found: &mut Vec<Finding>) {
    let target = unquoted(target);
    if let Some(code) = target.strip_prefix('|') {
        found.push(Finding::Program {
            code: code.trim().to_owned(),
        });
    } else if !target.is_empty() && !matches!(target, "off" | "stdout" | "-" | "OFF") {
        found.push(Finding::WriteFile {
            path: target.to_owned(),
        });
    }
}

fn input(source: &str, found: &mut Vec<Finding>) {
    let source = unquoted(source);
    if let Some(code) = source.strip_prefix('|') {
        found.push(Finding::Program {
            code: code.trim().to_owned(),
        });
    } else if !source.is_empty() {
        found.push(Finding::ReadFile {
            path: source.to_owned(),
        });
    }
}

fn source(path: &str, found: &mut Vec<Finding>) {
    let path = unquoted(path);
    if let Some(code) = path.strip_prefix('|') {
        found.push(Finding::Program {
            code: code.trim().to_owned(),
        });
    } else if !path.is_empty() {
        found.push(Finding::Source {
            path: path.to_owned(),
        });
    }
}

fn program(code: &str, found: &mut Vec<Finding>) {
    let code = code.trim().trim_end_matches(';').trim();
    if !code.is_empty() {
        found.push(Finding::Program {
            code: unquoted(code).to_owned(),
        });
    }
}

/// psql. Several commands may stand on a line; the first decides, as most take the rest of it.
fn backslash(line: &str, found: &mut Vec<Finding>) {
    let (name, rest) = split(line);
    match name {
        "\\!" => program(rest, found),
        _ if name.starts_with("\\!") => program(line.get(2..).unwrap_or(""), found),
        "\\copy" => copy(rest, found),
        "\\i" | "\\ir" | "\\include" | "\\include_relative" => source(rest, found),
        "\\o" | "\\out" | "\\w" | "\\write" | "\\g" | "\\gx" | "\\s" => output(rest, found),
        "\\gexec" => found.push(Finding::UnknownCode),
        "\\password" => found.push(Finding::Credential {
            name: if rest.is_empty() { "self" } else { rest }.to_owned(),
        }),
        "\\lo_import" => input(split(rest).0, found),
        "\\lo_export" => output(split(rest).1, found),
        "\\lo_unlink" => found.push(Finding::destroy("large-object", rest)),
        "\\set" | "\\setenv" | "\\prompt" | "\\echo" | "\\qecho" | "\\cd" | "\\if" => {
            // Back quotes are run.
            let mut parts = rest.split('`');
            parts.next();
            if let Some(code) = parts.next() {
                program(code, found);
            }
        }
        _ => {}
    }
}

/// `\copy t FROM PROGRAM '…'`, `\copy t TO 'file'`.
fn copy(rest: &str, found: &mut Vec<Finding>) {
    let lower = rest.to_ascii_lowercase();
    let cut = |at: usize, word: &str| rest.get(at + word.len()..).unwrap_or("").trim();
    let to = lower.rfind(" to ").map(|at| cut(at, " to "));
    let from = lower.rfind(" from ").map(|at| cut(at, " from "));
    // `(SELECT … FROM …) TO …` ends with what follows `TO`.
    let (target, writes) = match (to, from) {
        (Some(to), Some(from)) => (
            if to.len() < from.len() { to } else { from },
            to.len() < from.len(),
        ),
        (Some(to), None) => (to, true),
        (None, Some(from)) => (from, false),
        (None, None) => return,
    };
    let lead = target.get(..7).unwrap_or("");
    if lead.eq_ignore_ascii_case("program") {
        let code = target.get(7..).unwrap_or("").trim();
        let code = code
            .strip_prefix('\'')
            .and_then(|code| code.split('\'').next())
            .unwrap_or(code);
        program(code, found);
        return;
    }
    let path = match target.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next().unwrap_or(quoted),
        None => split(target).0,
    };
    if matches!(
        path.to_ascii_lowercase().as_str(),
        "stdin" | "stdout" | "pstdin" | "pstdout"
    ) {
        return;
    }
    if writes {
        output(path, found);
    } else {
        input(path, found);
        found.push(Finding::change("table", split(rest).0));
    }
}

/// sqlite3 and duckdb. A command may be cut short as long as it is the only one.
fn dot(line: &str, found: &mut Vec<Finding>) {
    let (name, rest) = split(line);
    let last = || {
        rest.split_whitespace()
            .rev()
            .find(|word| !word.starts_with('-'))
            .unwrap_or("")
    };
    match name {
        ".shell" | ".system" | ".sh" | ".sys" => program(rest, found),
        ".import" => {
            let target = last();
            let file = rest
                .strip_suffix(target)
                .unwrap_or(rest)
                .split_whitespace()
                .skip_while(|word| word.starts_with("--"))
                .collect::<Vec<_>>()
                .join(" ");
            input(&file, found);
            found.push(Finding::change("table", target));
        }
        ".output" | ".once" | ".o" | ".log" | ".trace" | ".out"
            if !matches!(rest, "stderr" | "stdout") =>
        {
            output(rest, found)
        }
        ".read" | ".r" => source(rest, found),
        ".restore" => {
            input(last(), found);
            found.push(Finding::destroy("database", split(rest).0));
        }
        ".save" | ".backup" | ".clone" => output(last(), found),
        ".load" => found.push(Finding::Library {
            path: unquoted(split(rest).0).to_owned(),
        }),
        ".open" if rest.split_whitespace().any(|word| word == "--new") => output(last(), found),
        _ => {}
    }
}

fn keyword<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    let head = line.get(..word.len())?;
    let rest = line.get(word.len()..)?;
    (head.eq_ignore_ascii_case(word) && (rest.is_empty() || rest.starts_with([' ', '\t', ';'])))
        .then(|| rest.trim())
}

fn mysql(line: &str, found: &mut Vec<Finding>) -> bool {
    if let Some(rest) = line.strip_prefix("\\!") {
        program(rest, found);
    } else if let Some(rest) = line.strip_prefix("\\.") {
        source(rest, found);
    } else if let Some(rest) = line.strip_prefix("\\T") {
        output(rest, found);
    } else if let Some(rest) = line.strip_prefix("\\P") {
        program(rest, found);
    } else if let Some(rest) = keyword(line, "system") {
        program(rest, found);
    } else if let Some(rest) = keyword(line, "source") {
        source(rest, found);
    } else if let Some(rest) = keyword(line, "tee") {
        output(rest, found);
    } else if let Some(rest) = keyword(line, "pager") {
        program(rest, found);
    } else {
        return keyword(line, "delimiter").is_some();
    }
    true
}

fn sqlplus(line: &str, found: &mut Vec<Finding>) -> bool {
    if let Some(rest) = keyword(line, "host").or_else(|| keyword(line, "ho")) {
        program(rest, found);
    } else if let Some(rest) = line.strip_prefix('!').or_else(|| line.strip_prefix('$')) {
        program(rest, found);
    } else if let Some(rest) = keyword(line, "start") {
        source(split(rest).0, found);
    } else if let Some(rest) = line.strip_prefix("@@").or_else(|| line.strip_prefix('@')) {
        source(split(rest).0, found);
    } else if let Some(rest) = keyword(line, "spool") {
        output(split(rest).0, found);
    } else if keyword(line, "shutdown").is_some() || keyword(line, "startup").is_some() {
        found.push(Finding::change(
            "server",
            split(line).0.to_ascii_lowercase(),
        ));
    } else if keyword(line, "password").is_some() {
        found.push(Finding::Credential {
            name: "password".to_owned(),
        });
    } else {
        return false;
    }
    true
}

fn sqlcmd(line: &str, found: &mut Vec<Finding>) -> bool {
    if let Some(rest) = line.strip_prefix(":!!").or_else(|| line.strip_prefix("!!")) {
        program(rest, found);
    } else if let Some(rest) = keyword(line, ":r") {
        source(rest, found);
    } else if let Some(rest) = keyword(line, ":out").or_else(|| keyword(line, ":error")) {
        output(rest, found);
    } else {
        return line.starts_with(':');
    }
    true
}

fn beeline(line: &str, found: &mut Vec<Finding>) -> bool {
    if let Some(rest) = keyword(line, "!sh").or_else(|| keyword(line, "shell")) {
        program(rest, found);
    } else if let Some(rest) = keyword(line, "!run").or_else(|| keyword(line, "source")) {
        source(rest, found);
    } else if let Some(rest) = keyword(line, "dfs") {
        program(&format!("hadoop fs {rest}"), found);
    } else if let Some(rest) = keyword(line, "!record") {
        output(rest, found);
    } else {
        return line.starts_with('!');
    }
    true
}

fn snowsql(line: &str, found: &mut Vec<Finding>) -> bool {
    if let Some(rest) = keyword(line, "!system") {
        program(rest, found);
    } else if let Some(rest) = keyword(line, "!source").or_else(|| keyword(line, "!load")) {
        source(rest, found);
    } else if let Some(rest) = keyword(line, "!spool") {
        output(rest, found);
    } else {
        return line.starts_with('!');
    }
    true
}

fn cqlsh(line: &str, found: &mut Vec<Finding>) -> bool {
    if let Some(rest) = keyword(line, "source") {
        source(rest, found);
    } else if let Some(rest) = keyword(line, "capture") {
        output(rest, found);
    } else {
        return false;
    }
    true
}
