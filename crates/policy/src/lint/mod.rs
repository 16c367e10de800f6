//! What is valid but probably not meant: dead, shadowed and contradicting rules, rules that can
//! never fire, exceptions that have ended, lists that permit everything through one entry.

mod reach;

use std::collections::BTreeMap;

use cmdai_schema::{Decision, Mode};

use crate::PolicySet;
use crate::compiled::pattern_id;
use crate::document::{Document, Rule, When};
use crate::error::{PolicyError, Problems};
use crate::packs;

/// Warnings about a valid document, in the order of the text. `now` (RFC 3339) tells which
/// exceptions have ended.
pub fn lint(set: &PolicySet, now: Option<&str>) -> Vec<PolicyError> {
    let mut problems = Problems::new(&set.file);
    problems.list.clone_from(&set.warnings);
    check(&set.document, &mut problems);
    advise(&set.document, &mut problems);
    reach::advise(&set.document, now, &mut problems);
    problems.sorted()
}

/// What makes a document wrong as a whole, though each part can be read.
pub(crate) fn check(document: &Document, problems: &mut Problems) {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for rule in document.rules.iter().filter(|rule| rule.when.is_some()) {
        if let Some(line) = seen.get(rule.id.as_str()) {
            let message = format!("rule `{}` is already given in line {line}", rule.id);
            problems.error(
                rule.at.0,
                "duplicate-rule",
                message,
                Some("give each rule its own id".to_owned()),
            );
        }
        seen.insert(&rule.id, rule.at.0.line);
    }
    for pattern in document
        .safety
        .blocked_patterns
        .iter()
        .filter(|pattern| pattern.id.is_some())
    {
        let id = pattern.id.as_deref().unwrap_or("");
        if packs::find(id).is_some() || seen.contains_key(id) {
            let message = format!("`{id}` is already the id of a rule");
            problems.error(
                pattern.at.0,
                "duplicate-rule",
                message,
                Some("give each rule its own id".to_owned()),
            );
        }
    }
    let known = |id: &str| {
        packs::find(id).is_some()
            || seen.contains_key(id)
            || document
                .safety
                .blocked_patterns
                .iter()
                .any(|pattern| pattern_id(pattern) == id)
            || ["approval.", "tool.", "path.", "blocked."]
                .iter()
                .any(|prefix| id.starts_with(prefix))
            || !document.include.is_empty()
    };
    for exception in &document.exceptions {
        for id in exception.rule.iter().filter(|id| !known(id)) {
            let ids = packs::catalogue()
                .iter()
                .map(|rule| rule.id)
                .chain(seen.keys().copied());
            let help = crate::error::suggest(id, ids)
                .or_else(|| Some("see `cmdai policy show`".to_owned()));
            problems.error(
                exception.at.0,
                "unknown-rule",
                format!("there is no rule `{id}` to except"),
                help,
            );
        }
    }
}

fn advise(document: &Document, problems: &mut Problems) {
    for rule in &document.rules {
        if rule.mode == Some(Mode::Off) && rule.when.is_some() {
            problems.warn(
                rule.at.0,
                "dead-rule",
                format!("rule `{}` is off and does nothing", rule.id),
                Some("remove it".to_owned()),
            );
        }
        if rule.decision == Some(Decision::Allow) && rule.when.is_some() {
            let help = "layers join by the strictest; write an exception, or set the mode of the rule that stops it".to_owned();
            problems.warn(
                rule.at.0,
                "dead-rule",
                format!("rule `{}` allows, which changes nothing", rule.id),
                Some(help),
            );
        }
        let asks = rule.when.as_ref().map(facts_of).unwrap_or_default();
        let stops = rule.decision.unwrap_or(Decision::Confirm).interrupts();
        if stops && rule.unknown.is_none() && !asks.is_empty() {
            let message = format!(
                "rule `{}` does not say what happens where the {} is not known; it only warns there",
                rule.id,
                asks.join(" or the ")
            );
            let help = "add `unknown: deny`, or `unknown: warn` where that is meant".to_owned();
            problems.warn(rule.at.0, "unknown-not-said", message, Some(help));
        }
        if rule.reason.is_none() && rule.when.is_some() {
            problems.warn(
                rule.at.0,
                "no-reason",
                format!("rule `{}` gives no reason", rule.id),
                Some("people see it when they are stopped".to_owned()),
            );
        }
        if rule.decision == Some(Decision::Deny) && rule.mode == Some(Mode::Warn) {
            let message = format!("rule `{}` denies in mode warn, so it only warns", rule.id);
            problems.warn(
                rule.at.0,
                "contradiction",
                message,
                Some("drop one of the two".to_owned()),
            );
        }
    }
    shadowed(document, problems);
    for tool in &document.allowed_tools {
        let clash = tool
            .approved_contexts
            .iter()
            .find(|context| tool.blocked_contexts.contains(context));
        if let Some(context) = clash {
            let message = format!("`{context}` of {} is both approved and blocked", tool.name);
            problems.warn(
                tool.at.0,
                "contradiction",
                message,
                Some("blocked wins".to_owned()),
            );
        }
    }
    for exception in document
        .exceptions
        .iter()
        .filter(|exception| exception.reason.is_none())
    {
        problems.warn(
            exception.at.0,
            "no-reason",
            "exception gives no reason",
            Some("reviewers ask for it".to_owned()),
        );
    }
    let patterns = &document.safety.blocked_patterns;
    for (i, pattern) in patterns.iter().enumerate() {
        if pattern.reason.is_none() {
            problems.warn(
                pattern.at.0,
                "no-reason",
                "blocked pattern gives no reason",
                Some("people see it when they are stopped".to_owned()),
            );
        }
        let before = patterns
            .iter()
            .take(i)
            .find(|other| other.pattern == pattern.pattern && other.regex == pattern.regex);
        if let Some(other) = before {
            let message = format!("the same pattern stands in line {}", other.at.0.line);
            problems.warn(
                pattern.at.0,
                "shadowed-rule",
                message,
                Some("remove one".to_owned()),
            );
        }
    }
}

/// Facts that a condition asks for and that a machine may not know.
fn facts_of(when: &When) -> Vec<&'static str> {
    [
        (!when.context.is_empty(), "context"),
        (!when.account.is_empty(), "account"),
        (!when.region.is_empty(), "region"),
        (!when.namespace.is_empty(), "namespace"),
        (!when.workspace.is_empty(), "workspace"),
        (!when.remote.is_empty(), "remote"),
        (
            !when.branch.is_empty() || when.protected_branch.is_some(),
            "branch",
        ),
    ]
    .into_iter()
    .filter(|(asked, _)| *asked)
    .map(|(_, name)| name)
    .collect()
}

fn strictness(rule: &Rule) -> Decision {
    match rule.mode {
        Some(Mode::Off | Mode::Monitor) => Decision::Allow,
        Some(Mode::Warn) => Decision::Warn,
        _ => rule.decision.unwrap_or_default(),
    }
}

/// Rules with the same condition and target: the stricter hides the other.
fn shadowed(document: &Document, problems: &mut Problems) {
    let own: Vec<&Rule> = document
        .rules
        .iter()
        .filter(|rule| rule.when.is_some())
        .collect();
    for (i, rule) in own.iter().enumerate() {
        let twin = own
            .iter()
            .take(i)
            .find(|other| other.when == rule.when && other.applies_to == rule.applies_to);
        let Some(twin) = twin else { continue };
        let (first, second) = (strictness(twin), strictness(rule));
        let hidden = if first >= second { rule } else { twin };
        let winner = if first >= second { twin } else { rule };
        let message = format!(
            "rule `{}` fires exactly when `{}` does, which is at least as strict",
            hidden.id, winner.id
        );
        problems.warn(
            hidden.at.0,
            "shadowed-rule",
            message,
            Some("remove one".to_owned()),
        );
    }
    let mut settings: BTreeMap<&str, &Rule> = BTreeMap::new();
    for rule in document.rules.iter().filter(|rule| rule.when.is_none()) {
        if let Some(first) = settings.get(rule.id.as_str())
            && first.applies_to == rule.applies_to
        {
            let message = format!(
                "`{}` is already set in line {}, which wins",
                rule.id, first.at.0.line
            );
            problems.warn(
                rule.at.0,
                "shadowed-rule",
                message,
                Some("remove one".to_owned()),
            );
        }
        settings.entry(&rule.id).or_insert(rule);
    }
}
