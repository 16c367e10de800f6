//! From the YAML tree to a [`Document`], collecting every complaint on the way.

mod rules;
mod sections;

use crate::document::{Document, Target};
use crate::error::{PolicyErrors, Problems, Severity};
use crate::yaml::{self, Fields, Node, Value};
use crate::{PolicySet, document, lint};

/// Reads and validates a document.
///
/// # Errors
/// Every error found, in the order of the text. A document with an error is refused as a whole;
/// warnings alone come back from [`crate::lint`].
pub fn parse(source: &str, file_name: &str) -> Result<PolicySet, PolicyErrors> {
    let mut problems = Problems::new(file_name);
    let document =
        yaml::read(source, &mut problems).and_then(|node| read_document(&node, &mut problems));
    let Some(document) = document.filter(|_| !problems.has_errors()) else {
        let list = problems
            .sorted()
            .into_iter()
            .filter(|problem| problem.severity == Severity::Error)
            .collect();
        return Err(PolicyErrors(list));
    };
    lint::check(&document, &mut problems);
    if problems.has_errors() {
        let list = problems
            .sorted()
            .into_iter()
            .filter(|problem| problem.severity == Severity::Error)
            .collect();
        return Err(PolicyErrors(list));
    }
    Ok(PolicySet {
        document,
        file: file_name.to_owned(),
        warnings: problems.sorted(),
    })
}

fn read_document(node: &Node, problems: &mut Problems) -> Option<Document> {
    let mut fields = node.map("the policy", problems)?;
    let mut document = Document::default();
    if !version(&mut fields, &mut document, problems) {
        // What a newer format means is not known, so nothing more is said about it.
        return None;
    }
    if !engine(&mut fields, &mut document, problems) {
        // Nor what it says to a newer engine.
        return None;
    }
    document.organization = fields.text("organization", problems);
    if let Some(date) = fields.get("effective_date") {
        document.effective_date = date.text(problems);
        if document
            .effective_date
            .as_deref()
            .is_some_and(|text| !crate::moment::is_date(text))
        {
            problems.error(
                date.at,
                "bad-date",
                "`effective_date` is not a day",
                Some("write YYYY-MM-DD".to_owned()),
            );
        }
    }
    if let Some(node) = fields.get("include") {
        for (at, name) in node.texts_at(problems) {
            if crate::templates::source(&name).is_none() {
                let names = crate::templates::all().iter().map(|template| template.name);
                let help = crate::error::suggest(&name, names)
                    .or_else(|| Some("see `cmdai policy templates`".to_owned()));
                problems.error(
                    at,
                    "unknown-template",
                    format!("there is no template `{name}`"),
                    help,
                );
            } else {
                document.include.push(name);
            }
        }
    }
    if let Some(node) = fields.get("applies_to") {
        document.applies_to = target(node, "applies_to", problems);
    }
    if let Some(node) = fields.get("safety") {
        document.safety = sections::safety(node, problems);
    }
    if let Some(node) = fields.get("allowed_tools") {
        document.allowed_tools = node
            .list(problems)
            .iter()
            .filter_map(|item| sections::tool(item, problems))
            .collect();
    }
    if let Some(node) = fields.get("tools_mode") {
        let words = [
            ("listed", document::ToolsMode::Listed),
            ("allowlist", document::ToolsMode::Allowlist),
        ];
        document.tools_mode = node
            .choice("tools mode", &words, problems)
            .unwrap_or_default();
    }
    if let Some(node) = fields.get("inference") {
        document.inference = sections::inference(node, problems);
    }
    if let Some(node) = fields.get("approvals") {
        document.approvals = sections::approvals(node, problems);
    }
    if let Some(node) = fields.get("audit") {
        document.audit = sections::audit(node, problems);
    }
    if let Some(node) = fields.get("compliance") {
        document.compliance = sections::compliance(node, problems);
    }
    if let Some(node) = fields.get("rules") {
        document.rules = node
            .list(problems)
            .iter()
            .filter_map(|item| rules::rule(item, problems))
            .collect();
    }
    if let Some(node) = fields.get("exceptions") {
        document.exceptions = node
            .list(problems)
            .iter()
            .filter_map(|item| rules::exception(item, problems))
            .collect();
    }
    if let Some(node) = fields.get("fail_mode") {
        let words = [
            ("open", document::FailMode::Open),
            ("closed", document::FailMode::Closed),
        ];
        document.fail_mode = node
            .choice("fail mode", &words, problems)
            .unwrap_or_default();
    }
    if let Some(node) = fields.get("privacy") {
        document.privacy = sections::privacy(node, problems);
    }
    if let Some(node) = fields.get("capture") {
        document.capture = sections::layers(node, problems);
    }
    if let Some(node) = fields.get("supervise") {
        document.supervise = sections::supervise(node, problems);
    }
    if let Some(node) = fields.get("tests") {
        document.tests = node
            .list(problems)
            .iter()
            .filter_map(|item| rules::trial(item, problems))
            .collect();
    }
    fields.finish(problems);
    Some(document)
}

/// Reads the version; false where the document is written for a newer program.
fn version(fields: &mut Fields<'_>, document: &mut Document, problems: &mut Problems) -> bool {
    let at = fields.at;
    match fields.get("version") {
        None => {
            problems.error(
                at,
                "missing-key",
                "the policy needs `version`",
                Some("add `version: \"1.0\"`".to_owned()),
            );
        }
        Some(node) => {
            let known = match &node.value {
                Value::Text(text) => matches!(text.as_str(), "1.0" | "1"),
                Value::Float(number) => (*number - 1.0).abs() < f64::EPSILON,
                Value::Int(number) => *number == 1,
                _ => false,
            };
            if !known {
                let wanted = match &node.value {
                    Value::Text(text) => text.chars().take(20).collect(),
                    Value::Float(number) => number.to_string(),
                    Value::Int(number) => number.to_string(),
                    _ => String::new(),
                };
                let newer = wanted.parse::<f64>().is_ok_and(|number| number > 1.0);
                let message = if newer {
                    format!(
                        "the document is written for version {wanted} of the policy format; cmdai {} knows 1.0",
                        cmdai_schema::ENGINE_VERSION
                    )
                } else {
                    "unknown version of the policy format".to_owned()
                };
                let help = if newer {
                    "update cmdai, or publish it as `version: \"1.0\"` without newer keys; nothing of it is applied"
                } else {
                    "this program reads `version: \"1.0\"`"
                };
                problems.error(node.at, "unknown-version", message, Some(help.to_owned()));
                return !newer;
            }
            document.version = "1.0".to_owned();
        }
    }
    true
}

/// Reads the oldest engine that may apply it; false where this one is older.
fn engine(fields: &mut Fields<'_>, document: &mut Document, problems: &mut Problems) -> bool {
    let Some(node) = fields.get("min_engine") else {
        return true;
    };
    let Some(wanted) = node.text(problems) else {
        return true;
    };
    if !crate::version::is_version(&wanted) {
        problems.error(
            node.at,
            "bad-engine",
            "`min_engine` is not a version",
            Some("write it as `cmdai --version` does, such as \"0.2.0\"".to_owned()),
        );
        return true;
    }
    let own = cmdai_schema::ENGINE_VERSION;
    if crate::version::is_older(own, &wanted) {
        problems.error(
            node.at,
            crate::error::ENGINE_TOO_OLD,
            format!("the policy is for engine {wanted} or newer; this is {own}"),
            Some(
                "update cmdai; until then what is in force stays, nothing of this is applied"
                    .to_owned(),
            ),
        );
        return false;
    }
    document.min_engine = Some(wanted);
    true
}

/// Reads `applies_to` and `scope`.
pub(crate) fn target(node: &Node, what: &'static str, problems: &mut Problems) -> Target {
    let Some(mut fields) = node.map(what, problems) else {
        return Target::default();
    };
    let mut target = Target {
        teams: fields.texts("teams", problems),
        departments: fields.texts("departments", problems),
        environments: fields.texts("environments", problems),
        zones: fields.texts("zones", problems),
        machines: fields.texts("machines", problems),
        users: fields.texts("users", problems),
        agents: fields.texts("agents", problems),
        directories: fields.texts("directories", problems),
        origins: Vec::new(),
    };
    if let Some(node) = fields.get("origins") {
        target.origins = node.choices("origin", document::ORIGINS, problems);
    }
    fields.finish(problems);
    target
}
