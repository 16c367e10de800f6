//! The sections that are not rules.

use serde::Serialize;

use super::{Changes, Direction, reach, tolerance};
use crate::document::{Capture, Document, FailMode, HashedField, Tolerance, ToolsMode, WhenFull};

/// Compares them.
pub(super) fn compare(was: &Document, is: &Document, changes: &mut Changes) {
    safety(was, is, changes);
    inference(was, is, changes);
    approvals(was, is, changes);
    rule_factors(was, is, changes);
    records(was, is, changes);
    supervise(was, is, changes);
    let reach = reach::of_target(&was.applies_to, &is.applies_to);
    if reach != reach::Reach::Same {
        changes.push(
            reach.direction(),
            "applies_to",
            Some(word(&was.applies_to)),
            Some(word(&is.applies_to)),
            None,
        );
    }
    if was.fail_mode != is.fail_mode {
        let direction = match is.fail_mode {
            FailMode::Closed => Direction::Stricter,
            FailMode::Open => Direction::Looser,
        };
        value(
            changes,
            direction,
            "fail_mode",
            &was.fail_mode,
            &is.fail_mode,
        );
    }
    if was.min_engine != is.min_engine {
        // Older machines keep what they have, whichever of the two is stricter.
        value(
            changes,
            Direction::Unclear,
            "min_engine",
            &was.min_engine,
            &is.min_engine,
        );
    }
    if was.tools_mode != is.tools_mode {
        let direction = match is.tools_mode {
            ToolsMode::Allowlist => Direction::Stricter,
            ToolsMode::Listed => Direction::Looser,
        };
        value(
            changes,
            direction,
            "tools_mode",
            &was.tools_mode,
            &is.tools_mode,
        );
    }
    if was.organization != is.organization {
        value(
            changes,
            Direction::Wording,
            "organization",
            &was.organization,
            &is.organization,
        );
    }
}

fn safety(was: &Document, is: &Document, changes: &mut Changes) {
    let level = |document: &Document| match tolerance(document) {
        Tolerance::High => 0,
        Tolerance::Medium => 1,
        Tolerance::Low => 2,
    };
    if level(was) != level(is) {
        value(
            changes,
            Direction::of(&level(was), &level(is)),
            "safety.risk_tolerance",
            &tolerance(was),
            &tolerance(is),
        );
    }
    let words = |document: &Document| -> Vec<String> {
        let list = &document.safety.require_approval_for;
        list.iter().map(word).collect()
    };
    changes.names(
        "safety.require_approval_for",
        &words(was),
        &words(is),
        Direction::Stricter,
    );
    changes.names(
        "safety.protected_branches",
        &was.safety.protected_branches,
        &is.safety.protected_branches,
        Direction::Stricter,
    );
    changes.names(
        "safety.additional_dangerous_paths",
        &was.safety.additional_dangerous_paths,
        &is.safety.additional_dangerous_paths,
        Direction::Stricter,
    );
}

fn inference(was: &Document, is: &Document, changes: &mut Changes) {
    let (was, is) = (&was.inference, &is.inference);
    for (subject, was, is) in [
        (
            "inference.allowed_backends",
            &was.allowed_backends,
            &is.allowed_backends,
        ),
        (
            "inference.model_allowlist",
            &was.model_allowlist,
            &is.model_allowlist,
        ),
    ] {
        permitted(changes, subject, was, is);
    }
    changes.names(
        "inference.blocked_backends",
        &was.blocked_backends,
        &is.blocked_backends,
        Direction::Stricter,
    );
    ordered(
        changes,
        "inference.require_local",
        was.require_local,
        is.require_local,
    );
}

fn approvals(was: &Document, is: &Document, changes: &mut Changes) {
    let words = |list: &[crate::Category]| -> Vec<String> { list.iter().map(word).collect() };
    let (was, is) = (&was.approvals, &is.approvals);
    changes.names(
        "approvals.require_manager_approval",
        &words(&was.require_manager_approval),
        &words(&is.require_manager_approval),
        Direction::Stricter,
    );
    changes.names(
        "approvals.auto_approve",
        &words(&was.auto_approve),
        &words(&is.auto_approve),
        Direction::Looser,
    );
    match (was.approvers.is_empty(), is.approvers.is_empty()) {
        (true, false) => changes.push(
            Direction::Stricter,
            "approvals.approvers",
            Some("anybody who may approve".to_owned()),
            Some(is.approvers.join(", ")),
            None,
        ),
        (false, true) => changes.push(
            Direction::Looser,
            "approvals.approvers",
            Some(was.approvers.join(", ")),
            Some("anybody who may approve".to_owned()),
            None,
        ),
        _ => changes.names(
            "approvals.approvers",
            &was.approvers,
            &is.approvers,
            Direction::Looser,
        ),
    }
    ordered(
        changes,
        "approvals.quorum",
        was.quorum.unwrap_or(1),
        is.quorum.unwrap_or(1),
    );
    reversed(
        changes,
        "approvals.max_uses",
        was.max_uses.unwrap_or(1),
        is.max_uses.unwrap_or(1),
    );
    reversed(
        changes,
        "approvals.break_glass",
        was.break_glass.unwrap_or(false),
        is.break_glass.unwrap_or(false),
    );
    ordered(
        changes,
        "approvals.factor",
        was.factor.unwrap_or(crate::Factor::Password),
        is.factor.unwrap_or(crate::Factor::Password),
    );
    ordered(
        changes,
        "approvals.review_releases",
        was.review_releases.unwrap_or(false),
        is.review_releases.unwrap_or(false),
    );
    reversed(
        changes,
        "approvals.exception_days",
        was.exception_days.unwrap_or(90),
        is.exception_days.unwrap_or(90),
    );
    changes.names(
        "approvals.managers",
        &was.managers,
        &is.managers,
        Direction::Unclear,
    );
    for (subject, was, is) in [
        (
            "approvals.timeout_minutes",
            was.timeout_minutes,
            is.timeout_minutes,
        ),
        ("approvals.review_hours", was.review_hours, is.review_hours),
    ] {
        match (was, is) {
            (Some(was), Some(is)) => reversed(changes, subject, was, is),
            (was, is) if was == is => {}
            (was, is) => value(changes, Direction::Unclear, subject, &was, &is),
        }
    }
}

fn records(was: &Document, is: &Document, changes: &mut Changes) {
    ordered(
        changes,
        "audit.log_all_commands",
        was.audit.log_all_commands.unwrap_or(true),
        is.audit.log_all_commands.unwrap_or(true),
    );
    match (was.audit.log_retention_days, is.audit.log_retention_days) {
        (Some(was), Some(is)) => ordered(changes, "audit.log_retention_days", was, is),
        (was, is) if was == is => {}
        (was, is) => value(
            changes,
            Direction::Unclear,
            "audit.log_retention_days",
            &was,
            &is,
        ),
    }
    ordered(
        changes,
        "audit.send_to_siem",
        was.audit.send_to_siem.unwrap_or(false),
        is.audit.send_to_siem.unwrap_or(false),
    );
    if was.audit.siem_endpoint != is.audit.siem_endpoint {
        value(
            changes,
            Direction::Unclear,
            "audit.siem_endpoint",
            &was.audit.siem_endpoint,
            &is.audit.siem_endpoint,
        );
    }
    ordered(
        changes,
        "compliance.require_mfa",
        was.compliance.require_mfa.unwrap_or(false),
        is.compliance.require_mfa.unwrap_or(false),
    );
    changes.names(
        "compliance.frameworks",
        &was.compliance.frameworks,
        &is.compliance.frameworks,
        Direction::Wording,
    );
    let (before, now) = (was.audit.spool.max_mib, is.audit.spool.max_mib);
    if before != now {
        value(
            changes,
            Direction::Wording,
            "audit.spool.max_mib",
            &before,
            &now,
        );
    }
    let kept = |document: &Document| {
        (document.audit.spool.when_full.unwrap_or(WhenFull::Block)) == WhenFull::Block
    };
    let (before, now) = (kept(was), kept(is));
    if before != now {
        let said = |kept: bool| if kept { "block" } else { "drop_oldest" };
        value(
            changes,
            Direction::of(&before, &now),
            "audit.spool.when_full",
            &said(before),
            &said(now),
        );
    }
    let (before, now) = (was.audit.spool.keep_days, is.audit.spool.keep_days);
    if before != now {
        // Without a bound they are kept for as long as it takes.
        let days = |days: Option<u32>| days.unwrap_or(u32::MAX);
        value(
            changes,
            Direction::of(&days(before), &days(now)),
            "audit.spool.keep_days",
            &before,
            &now,
        );
    }
    let level = |capture: Capture| match capture {
        Capture::Findings => 0,
        Capture::Metadata => 1,
        Capture::Full => 2,
    };
    let (before, now) = (was.privacy.capture, is.privacy.capture);
    if before != now {
        let direction = Direction::of(&level(before), &level(now));
        value(changes, direction, "privacy.capture", &before, &now);
    }
    changes.names(
        "privacy.never_record",
        &was.privacy.never_record,
        &is.privacy.never_record,
        Direction::Looser,
    );
    let private = |document: &Document| {
        let privacy = &document.privacy;
        match privacy.private_mode {
            Some(true) => privacy.private_minutes.unwrap_or(60),
            _ => 0,
        }
    };
    let (before, now) = (private(was), private(is));
    if before != now {
        let said = |minutes: u32| match minutes {
            0 => "no".to_owned(),
            minutes => format!("at most {minutes} minutes at once"),
        };
        // Less of it is stricter.
        value(
            changes,
            Direction::of(&now, &before),
            "privacy.private_mode",
            &said(before),
            &said(now),
        );
    }
    let (before, now) = (was.privacy.record_sessions, is.privacy.record_sessions);
    if before != now {
        let direction = Direction::of(&before.unwrap_or(false), &now.unwrap_or(false));
        value(changes, direction, "privacy.record_sessions", &before, &now);
    }
    let (before, now) = (was.capture.exec, is.capture.exec);
    if before != now {
        value(
            changes,
            Direction::of(&before, &now),
            "capture.exec",
            &before,
            &now,
        );
    }
    let names = |fields: &[HashedField]| -> Vec<String> {
        let names = fields.iter().map(|field| field.as_str().to_owned());
        names.collect()
    };
    changes.names(
        "privacy.hash",
        &names(&was.privacy.hash),
        &names(&is.privacy.hash),
        Direction::Wording,
    );
}

/// What single rules ask of who approves.
fn rule_factors(was: &Document, is: &Document, changes: &mut Changes) {
    let named = |document: &Document, id: &str| {
        let of_id = |rule: &&crate::Rule| rule.id == id;
        (document.rules.iter().find(of_id)).and_then(|rule| rule.approval)
    };
    for rule in &is.rules {
        if named(was, &rule.id) == named(is, &rule.id) {
            continue;
        }
        let ids = std::slice::from_ref(&rule.id);
        ordered(
            changes,
            &format!("rule {}: approval.factor", rule.id),
            was.factor_for(ids),
            is.factor_for(ids),
        );
    }
}

/// More is stricter.
fn ordered<T: Ord + Serialize>(changes: &mut Changes, subject: &str, was: T, is: T) {
    if was != is {
        value(changes, Direction::of(&was, &is), subject, &was, &is);
    }
}

/// More is looser.
fn reversed<T: Ord + Serialize>(changes: &mut Changes, subject: &str, was: T, is: T) {
    if was != is {
        value(changes, Direction::of(&is, &was), subject, &was, &is);
    }
}

fn value<T: Serialize>(
    changes: &mut Changes,
    direction: Direction,
    subject: &str,
    was: &T,
    is: &T,
) {
    let shown = |value: &T| Some(word(value)).filter(|word| word != "null");
    changes.push(direction, subject, shown(was), shown(is), None);
}

/// A value as the document writes it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Object(fields)) => {
            let given: serde_json::Map<_, _> = fields
                .into_iter()
                .filter(|(_, value)| value.as_array().is_none_or(|list| !list.is_empty()))
                .collect();
            if given.is_empty() {
                "everywhere".to_owned()
            } else {
                serde_json::Value::Object(given).to_string()
            }
        }
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// A list of what is permitted.
fn permitted(changes: &mut Changes, subject: &'static str, was: &[String], is: &[String]) {
    // An empty list permits everything.
    match (was.is_empty(), is.is_empty()) {
        (true, false) => {
            let now = Some(is.join(", "));
            changes.push(
                Direction::Stricter,
                subject,
                Some("any".to_owned()),
                now,
                None,
            );
        }
        (false, true) => {
            let before = Some(was.join(", "));
            changes.push(
                Direction::Looser,
                subject,
                before,
                Some("any".to_owned()),
                None,
            );
        }
        _ => changes.names(subject, was, is, Direction::Looser),
    }
}

/// Where supervised trees may write and read.
fn supervise(was: &Document, is: &Document, changes: &mut Changes) {
    let (was, is) = (&was.supervise, &is.supervise);
    permitted(changes, "supervise.write", &was.write, &is.write);
    permitted(
        changes,
        "supervise.read_only",
        &was.read_only,
        &is.read_only,
    );
    let reach = reach::of_target(&was.applies_to, &is.applies_to);
    if reach != reach::Reach::Same {
        changes.push(
            reach.direction(),
            "supervise.applies_to",
            Some(word(&was.applies_to)),
            Some(word(&is.applies_to)),
            None,
        );
    }
}
