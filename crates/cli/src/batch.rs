//! `cmdai check --batch`: JSON Lines in, JSON Lines out, in order, one process. Reads nothing from
//! the machine, so that the same rows give the same answers everywhere.

use std::collections::BTreeSet;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::Path;

use cmdai_gate::Gate;
use cmdai_gate::batch::{self, Row};
use cmdai_languages::Grammars;

use crate::check::json;
use crate::failure::{Failure, closed};

/// Longest row that is read, in bytes.
const ROW_LIMIT: u64 = 4 * 1024 * 1024;

/// Judges each row; a row that cannot be read stops with its number, after what came before it.
pub(crate) fn check(policy: Option<&Path>) -> Result<u8, Failure> {
    let mut gate = batch::gate();
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
            for name in row.ignored() {
                if ignored.insert(name.to_owned()) {
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
    let judgement = batch::judge_row(gate, row, &Grammars).map_err(|error| {
        Failure::usage(error.to_string(), "use bash, zsh, sh, fish or powershell")
    })?;
    json(&judgement)
}
