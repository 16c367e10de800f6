//! `include:` joined with the document that asks for it.
//!
//! Rules, patterns and tests are added as they stand (the first setting of a built-in rule wins,
//! so the document's own goes before a template's). Lists of what is stopped, asked about or
//! protected are joined, numbers and switches take the stricter of the two, and lists of what is
//! permitted are taken from the template only where the document has none. Exceptions,
//! `applies_to`, the organisation's name and answers given automatically are never taken.

use crate::document::{Capture, Document, FailMode, ToolsMode};
use crate::templates;
use crate::version::is_older;

/// The document with the templates it includes.
pub(crate) fn with_includes(document: &Document) -> Document {
    let mut whole = document.clone();
    for name in &document.include {
        if let Some(template) = templates::document(name) {
            join(&mut whole, template);
        }
    }
    whole
}

/// The later of two versions.
fn newer(a: Option<String>, b: Option<String>) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if is_older(&a, &b) { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn join(whole: &mut Document, template: Document) {
    whole.rules.extend(template.rules);
    whole.tests.extend(template.tests);
    let (safety, more) = (&mut whole.safety, template.safety);
    safety.blocked_patterns.extend(more.blocked_patterns);
    // A list keeps the place of whoever gave it first.
    for (place, own, other) in [
        (
            &mut safety.at_approval,
            safety.require_approval_for.is_empty(),
            more.at_approval,
        ),
        (
            &mut safety.at_paths,
            safety.additional_dangerous_paths.is_empty(),
            more.at_paths,
        ),
    ] {
        if own {
            *place = other;
        }
    }
    add(
        &mut safety.additional_dangerous_paths,
        more.additional_dangerous_paths,
    );
    add(&mut safety.require_approval_for, more.require_approval_for);
    add(&mut safety.protected_branches, more.protected_branches);
    // The document's own tolerance is its own choice; then the first template's.
    safety.risk_tolerance = safety.risk_tolerance.or(more.risk_tolerance);

    for tool in template.allowed_tools {
        if !whole
            .allowed_tools
            .iter()
            .any(|known| known.name == tool.name)
        {
            whole.allowed_tools.push(tool);
        }
    }
    if template.tools_mode == ToolsMode::Allowlist {
        whole.tools_mode = ToolsMode::Allowlist;
    }
    if template.fail_mode == FailMode::Closed {
        whole.fail_mode = FailMode::Closed;
    }

    whole.min_engine = newer(whole.min_engine.take(), template.min_engine);

    let (inference, more) = (&mut whole.inference, template.inference);
    permit(&mut inference.allowed_backends, more.allowed_backends);
    add(&mut inference.blocked_backends, more.blocked_backends);
    permit(&mut inference.model_allowlist, more.model_allowlist);
    inference.require_local |= more.require_local;

    let (approvals, more) = (&mut whole.approvals, template.approvals);
    if approvals.require_manager_approval.is_empty() {
        approvals.at_manager = more.at_manager;
    }
    add(
        &mut approvals.require_manager_approval,
        more.require_manager_approval,
    );
    permit(&mut approvals.approvers, more.approvers);
    approvals.quorum = approvals.quorum.max(more.quorum);
    approvals.timeout_minutes = least(approvals.timeout_minutes, more.timeout_minutes);
    approvals.max_uses = least(approvals.max_uses, more.max_uses);
    approvals.break_glass = least(approvals.break_glass, more.break_glass);
    approvals.review_hours = least(approvals.review_hours, more.review_hours);
    permit(&mut approvals.managers, more.managers);
    approvals.factor = approvals.factor.max(more.factor);
    approvals.review_releases = approvals.review_releases.max(more.review_releases);
    approvals.exception_days = least(approvals.exception_days, more.exception_days);

    let (audit, more) = (&mut whole.audit, template.audit);
    audit.log_all_commands = audit.log_all_commands.max(more.log_all_commands);
    audit.log_retention_days = audit.log_retention_days.max(more.log_retention_days);

    let (compliance, more) = (&mut whole.compliance, template.compliance);
    add(&mut compliance.frameworks, more.frameworks);
    compliance.data_classification = compliance
        .data_classification
        .take()
        .or(more.data_classification);
    compliance.require_mfa = compliance.require_mfa.max(more.require_mfa);

    let (privacy, more) = (&mut whole.privacy, template.privacy);
    add(&mut privacy.hash, more.hash);
    if privacy.capture == Capture::default() {
        privacy.capture = more.capture;
    }
    whole.capture.exec = whole.capture.exec.max(template.capture.exec);

    let (supervise, more) = (&mut whole.supervise, template.supervise);
    permit(&mut supervise.write, more.write);
    permit(&mut supervise.read_only, more.read_only);
}

fn add<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for entry in more {
        if !list.contains(&entry) {
            list.push(entry);
        }
    }
}

/// What is permitted: an empty list permits everything.
fn permit<T>(list: &mut Vec<T>, more: Vec<T>) {
    if list.is_empty() {
        *list = more;
    }
}

/// The smaller of what is given.
fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
