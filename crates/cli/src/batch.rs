//! `cmdai check --batch`: JSON Lines in, JSON Lines out, in order, one process. Reads nothing from
//! the machine, so that the same rows give the same answers everywhere.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::Path;

use cmdai_effects::NoSession;
use cmdai_gate::{Attribution, Gate, Installation, Person, Request};
use cmdai_languages::Grammars;
use cmdai_schema::{Dialect, Facts, Origin, OriginKind};
use serde::Deserialize;

use crate::check::json;
use crate::failure::{Failure, closed};

/// Longest row that is read, in bytes.
const ROW_LIMIT: u64 = 4 * 1024 * 1024;

/// One row of input. A field that is not read is named once on standard error.
#[derive(Deserialize)]
struct Row {
    id: Option<serde_json::Value>,
    command: String,
    shell: Option<String>,
    cwd: Option<String>,
    home: Option<String>,
    user: Option<String>,
    origin: Option<OriginKind>,
    facts: Option<Facts>,
    /// Labels and notes of a corpus, or a name spelt wrongly.
    #[serde(flatten)]
    other: serde_json::Map<String, serde_json::Value>,
}

/// Judges each row; a row that cannot be read stops with its number, after what came before it.
pub(crate) fn check(policy: Option<&Path>) -> Result<u8, Failure> {
    let person = Person {
        uid: u32::MAX,
        login: "user".to_owned(),
        home: "/home/user".into(),
        config: "/nonexistent/config".into(),
        state: "/nonexistent/state".into(),
    };
    let mut gate = Gate::with(Installation::Community, person);
    if let Some(file) = policy {
        let source =
            std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
        let name = file.display().to_string();
        gate.use_policy(&source, &name)
            .map_err(|errors| Failure::policy(&name, &errors))?;
    }
    let mut input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut buffer = Vec::new();
    let mut ignored = BTreeSet::new();
    for number in 1_u64.. {
        buffer.clear();
        let read = (&mut input).take(ROW_LIMIT).read_until(b'\n', &mut buffer);
        let read = read.map_err(|error| {
            Failure::failed(
                format!("row {number} cannot be read: {error}"),
                "check the input",
            )
        })?;
        if read == 0 {
            break;
        }
        if buffer.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row = serde_json::from_slice::<Row>(&buffer);
        if let Ok(row) = &row {
            for name in row.other.keys() {
                if ignored.insert(name.clone()) {
                    anstream::eprintln!("row {number}: the field `{name}` is not read");
                }
            }
        }
        let answer = row.map(|row| judge(&mut gate, row));
        match answer {
            Ok(answer) => writeln!(output, "{}", answer?).map_err(|error| closed(&error))?,
            Err(error) => {
                output.flush().map_err(|error| closed(&error))?;
                let help = r#"each row is {"command": "…"} with optional id, shell, cwd, home, user, origin, facts"#;
                return Err(Failure::usage(
                    format!("row {number} is not a row: {error}"),
                    help,
                ));
            }
        }
    }
    output.flush().map_err(|error| closed(&error))?;
    Ok(0)
}

fn judge(gate: &mut Gate, row: Row) -> Result<String, Failure> {
    let dialect = match &row.shell {
        None => Dialect::Bash,
        Some(name) => Dialect::from_name(name).ok_or_else(|| {
            Failure::usage(
                format!("`{name}` is not a shell cmdai reads"),
                "use bash, zsh, sh, fish or powershell",
            )
        })?,
    };
    let cwd = row.cwd.unwrap_or_else(|| "/home/user/project".to_owned());
    let home = row.home.unwrap_or_else(|| "/home/user".to_owned());
    let mut facts = row.facts.unwrap_or_default();
    facts.home.get_or_insert_with(|| home.clone());
    facts.project.get_or_insert_with(|| cwd.clone());
    facts.cwd.get_or_insert_with(|| cwd.clone());
    let origin = Origin {
        kind: row.origin.unwrap_or_default(),
        confidence: 1000,
        evidence: vec!["given".to_owned()],
    };
    let who = Attribution {
        origin,
        agent: None,
    };
    let outcome = gate.judge(&Request {
        text: &row.command,
        dialect,
        cwd: &cwd,
        home: &home,
        user: row.user.as_deref().unwrap_or("user"),
        session: &NoSession,
        languages: &Grammars,
        who: &who,
        terminal: true,
        facts: Some(&facts),
    });
    let mut judgement = outcome.judgement;
    judgement.id = row.id.map(|id| match id {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    });
    json(&judgement)
}
