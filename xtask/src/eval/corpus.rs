//! Reading labelled commands and rejected labels; writing disagreements.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::judge::Answer;

/// What the author of a suite wants to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Label {
    Deny,
    Ask,
    Allow,
}

impl Label {
    /// True where the decision is not what the label asks for. Nothing contradicts `ask`: suites
    /// use it for what others allow as well as for what others deny.
    pub(crate) fn disagrees(self, interrupted: bool) -> bool {
        match self {
            Self::Deny => !interrupted,
            Self::Allow => interrupted,
            Self::Ask => false,
        }
    }
}

/// One labelled command.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) command: String,
    pub(crate) label: Label,
    #[serde(default)]
    pub(crate) category: String,
    #[serde(default)]
    pub(crate) ambiguous: bool,
    pub(crate) shell: Option<String>,
    pub(crate) cwd: Option<String>,
    pub(crate) home: Option<String>,
}

/// One file.
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
}

/// Reads a corpus; a bad row is an error with its place.
pub(crate) fn read(file: &Path) -> Result<Suite> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the corpus {}", file.display()))?;
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let place = || format!("{}:{}", file.display(), number + 1);
        let row: Row = serde_json::from_str(line)
            .with_context(|| format!("{}: not a labelled command", place()))?;
        ensure!(
            seen.insert(row.id.clone()),
            "{}: the id `{}` was used before in this file",
            place(),
            row.id
        );
        rows.push(row);
    }
    ensure!(!rows.is_empty(), "{} holds no rows", file.display());
    let name = file
        .file_stem()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Suite { name, rows })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    kind: Vec<Kind>,
}

/// A kind of label that this project rejects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    name: String,
    reason: String,
    #[serde(default)]
    rows: Vec<String>,
}

/// Row id to the kind it is rejected as.
#[derive(Default)]
pub(crate) struct Rejections {
    pub(crate) kind_of: BTreeMap<String, String>,
    pub(crate) reasons: BTreeMap<String, String>,
}

/// Reads the rejected labels. No file means none. A row named twice is an error.
pub(crate) fn rejections(file: &Path, suites: &[Suite]) -> Result<Rejections> {
    let mut found = Rejections::default();
    if !file.exists() {
        return Ok(found);
    }
    let text = fs::read_to_string(file)?;
    let document: Document =
        toml::from_str(&text).with_context(|| format!("{} cannot be read", file.display()))?;
    let known: BTreeSet<&str> = suites
        .iter()
        .flat_map(|suite| suite.rows.iter().map(|row| row.id.as_str()))
        .collect();
    for kind in document.kind {
        if kind.reason.trim().is_empty() {
            bail!("{}: kind `{}` has no reason", file.display(), kind.name);
        }
        for id in kind.rows {
            if !known.contains(id.as_str()) {
                continue; // a corpus that is not being scored now
            }
            if let Some(other) = found.kind_of.insert(id.clone(), kind.name.clone()) {
                bail!(
                    "{}: `{id}` is in `{other}` and in `{}`",
                    file.display(),
                    kind.name
                );
            }
        }
        found.reasons.insert(kind.name, kind.reason);
    }
    Ok(found)
}

/// Writes each row on which the label and the decision disagree, with what was understood.
pub(crate) fn write_disagreements(
    file: &Path,
    suites: &[Suite],
    answers: &[Vec<Answer>],
    rejections: &Rejections,
) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut out = std::io::BufWriter::new(fs::File::create(file)?);
    for (suite, answers) in suites.iter().zip(answers) {
        for (row, answer) in suite.rows.iter().zip(answers) {
            if row.ambiguous || !row.label.disagrees(answer.interrupted()) {
                continue;
            }
            let line = serde_json::json!({
                "id": row.id,
                "command": row.command,
                "label": row.label,
                "category": row.category,
                "rejected_as": rejections.kind_of.get(&row.id),
                "decision": answer.decision,
                "rules": answer.rules.iter().map(|rule| &rule.id).collect::<Vec<_>>(),
                "effects": answer.effects,
            });
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(())
}
