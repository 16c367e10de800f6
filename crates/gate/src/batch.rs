//! Rows of commands judged one by one, with nothing read from the machine, so that the same rows give
//! the same answers everywhere: `cmdai check --batch`, and the shell's module in tests.

use std::collections::BTreeSet;

use cmdai_effects::NoSession;
use cmdai_effects::script::Languages;
use cmdai_schema::{Dialect, Facts, Judgement, Origin, OriginKind};
use serde::Deserialize;

use crate::{Attribution, Gate, Installation, Person, Request};

/// One row of input.
#[derive(Debug, Deserialize)]
pub struct Row {
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

impl Row {
    /// Fields that are not read.
    pub fn ignored(&self) -> BTreeSet<&str> {
        self.other.keys().map(String::as_str).collect()
    }
}

/// Why a row has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// It is not a row.
    #[error("it is not a row: {0}")]
    Json(#[from] serde_json::Error),
    /// Its shell is not known.
    #[error("`{0}` is not a shell cmdai reads")]
    Shell(String),
}

/// A gate that belongs to nobody and reads nothing of this machine.
pub fn gate() -> Gate {
    let person = Person {
        uid: u32::MAX,
        login: "user".to_owned(),
        home: "/home/user".into(),
        config: "/nonexistent/config".into(),
        state: "/nonexistent/state".into(),
    };
    Gate::with(Installation::Community, person)
}

/// Judges one row of JSON and gives the judgement as JSON.
///
/// # Errors
/// Where it is no row.
pub fn judge(gate: &mut Gate, row: &str, languages: &dyn Languages) -> Result<String, RowError> {
    let judgement = judge_row(gate, serde_json::from_str(row)?, languages)?;
    Ok(serde_json::to_string(&judgement)?)
}

/// Judges one row.
///
/// # Errors
/// Where its shell is not known.
pub fn judge_row(
    gate: &mut Gate,
    row: Row,
    languages: &dyn Languages,
) -> Result<Judgement, RowError> {
    let dialect = match &row.shell {
        None => Dialect::Bash,
        Some(name) => Dialect::from_name(name).ok_or_else(|| RowError::Shell(name.clone()))?,
    };
    let cwd = row.cwd.unwrap_or_else(|| "/home/user/project".to_owned());
    let home = row.home.unwrap_or_else(|| "/home/user".to_owned());
    let mut facts = row.facts.unwrap_or_default();
    facts.home.get_or_insert_with(|| home.clone());
    facts.project.get_or_insert_with(|| cwd.clone());
    facts.cwd.get_or_insert_with(|| cwd.clone());
    let who = Attribution {
        origin: Origin {
            kind: row.origin.unwrap_or_default(),
            confidence: 1000,
            evidence: vec!["given".to_owned()],
        },
        agent: None,
        host_asks: false,
    };
    let outcome = gate.judge(&Request {
        text: &row.command,
        dialect,
        cwd: &cwd,
        home: &home,
        user: row.user.as_deref().unwrap_or("user"),
        session: &NoSession,
        languages,
        who: &who,
        terminal: true,
        facts: Some(&facts),
    });
    let mut judgement = outcome.judgement;
    judgement.id = row.id.map(|id| match id {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    });
    Ok(judgement)
}
