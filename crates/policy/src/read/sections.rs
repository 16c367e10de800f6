//! The sections of version "1.0": safety, tools, inference, approvals, audit, compliance, privacy,
//! supervise.

use crate::category::Category;
use crate::document::{
    Approvals, At, Audit, BlockedPattern, Buffer, Capture, Compliance, DECISIONS, ExecCapture,
    Factor, HashedField, Inference, Layers, MODES, Privacy, RISKS, Safety, Supervise, TOLERANCES,
    Tool, WhenFull,
};
use crate::error::{Pos, Problems};
use crate::shape::Shape;
use crate::yaml::Node;
use crate::{automaton, version};

pub(super) fn safety(node: &Node, problems: &mut Problems) -> Safety {
    let Some(mut fields) = node.map("safety", problems) else {
        return Safety::default();
    };
    let mut safety = Safety::default();
    if let Some(node) = fields.get("risk_tolerance") {
        safety.risk_tolerance = node.choice("risk tolerance", TOLERANCES, problems);
    }
    if let Some(node) = fields.get("require_approval_for") {
        safety.at_approval = At(node.at, None);
        safety.require_approval_for = node.choices("category", Category::WORDS, problems);
    }
    if let Some(node) = fields.get("blocked_patterns") {
        safety.blocked_patterns = node
            .list(problems)
            .iter()
            .filter_map(|item| blocked(item, problems))
            .collect();
    }
    safety.protected_branches = fields.texts("protected_branches", problems);
    if let Some(node) = fields.get("additional_dangerous_paths") {
        safety.at_paths = At(node.at, None);
        for (at, path) in node.texts_at(problems) {
            if path.starts_with(['/', '~']) || path.starts_with("**/") {
                safety.additional_dangerous_paths.push(path);
            } else {
                let help = "begin it with `/`, `~/` or `**/`".to_owned();
                problems.error(
                    at,
                    "relative-path",
                    format!("`{path}` is not an absolute path glob"),
                    Some(help),
                );
            }
        }
    }
    fields.finish(problems);
    safety
}

/// Checks a shell pattern and complains at its place.
pub(super) fn check_shape(pattern: &str, at: Pos, problems: &mut Problems) -> bool {
    match Shape::parse(pattern) {
        Ok(_) => true,
        Err(error) => {
            let before = pattern.get(..error.offset).unwrap_or("").chars().count();
            let column = at.column + u32::try_from(before).unwrap_or(0);
            let message = format!("pattern `{pattern}`: {}", error.message);
            problems.error(
                Pos {
                    line: at.line,
                    column,
                },
                "bad-pattern",
                message,
                Some(error.help),
            );
            false
        }
    }
}

/// Checks a regular expression and complains at its place.
pub(super) fn check_regex(expression: &str, at: Pos, problems: &mut Problems) -> bool {
    match automaton::compile(expression) {
        Ok(_) => true,
        Err((message, help)) => {
            problems.error(at, "bad-regex", message, Some(help));
            false
        }
    }
}

fn blocked(node: &Node, problems: &mut Problems) -> Option<BlockedPattern> {
    let mut fields = node.map("blocked_patterns", problems)?;
    let mut entry = BlockedPattern {
        at: At(node.at, None),
        ..BlockedPattern::default()
    };
    if let Some(value) = fields.get("pattern") {
        entry.pattern = value
            .text(problems)
            .filter(|text| check_shape(text, value.inner, problems));
    }
    if let Some(value) = fields.get("regex") {
        entry.regex = value
            .text(problems)
            .filter(|text| check_regex(text, value.at, problems));
        if entry.pattern.is_some() {
            problems.error(
                value.at,
                "two-patterns",
                "`pattern` and `regex` in one entry",
                Some("write two entries".to_owned()),
            );
        }
    } else if fields.get("pattern").is_none() {
        problems.error(
            node.at,
            "missing-key",
            "blocked_patterns needs `pattern` or `regex`",
            None,
        );
    }
    entry.id = fields.text("id", problems);
    entry.reason = fields.text("reason", problems);
    entry.instead = fields.text("instead", problems);
    entry.owner = fields.text("owner", problems);
    entry.controls = fields.texts("controls", problems);
    entry.decision = fields
        .get("decision")
        .and_then(|node| node.choice("decision", DECISIONS, problems));
    entry.risk = fields
        .get("risk")
        .and_then(|node| node.choice("risk", RISKS, problems));
    entry.mode = fields
        .get("mode")
        .and_then(|node| node.choice("mode", MODES, problems));
    fields.finish(problems);
    Some(entry)
}

pub(super) fn tool(node: &Node, problems: &mut Problems) -> Option<Tool> {
    let mut fields = node.map("allowed_tools", problems)?;
    let mut tool = Tool {
        at: At(node.at, None),
        ..Tool::default()
    };
    tool.name = fields.needed("name", problems).unwrap_or_default();
    if let Some(node) = fields.get("versions") {
        for (at, condition) in node.texts_at(problems) {
            if !version::is_condition(&condition) {
                let help = "write `>=2.30.0`, `<1.30.0`, `~1.6.0` or `1.6.*`".to_owned();
                problems.error(
                    at,
                    "bad-version",
                    format!("`{condition}` is not a version condition"),
                    Some(help),
                );
            } else {
                tool.versions.push(condition);
            }
        }
    }
    tool.approved_contexts = fields.texts("approved_contexts", problems);
    tool.blocked_contexts = fields.texts("blocked_contexts", problems);
    tool.approved_profiles = fields.texts("approved_profiles", problems);
    if let Some(node) = fields.get("required_flags") {
        for (at, flag) in node.texts_at(problems) {
            if flag.starts_with('-') && flag.len() > 1 {
                tool.required_flags.push(flag);
            } else {
                problems.error(
                    at,
                    "bad-flag",
                    format!("`{flag}` is not a flag"),
                    Some("begin it with `-`".to_owned()),
                );
            }
        }
    }
    tool.unknown = fields
        .get("unknown")
        .and_then(|node| node.choice("decision", DECISIONS, problems));
    tool.decision = fields
        .get("decision")
        .and_then(|node| node.choice("decision", DECISIONS, problems));
    tool.reason = fields.text("reason", problems);
    tool.owner = fields.text("owner", problems);
    fields.finish(problems);
    Some(tool)
}

pub(super) fn inference(node: &Node, problems: &mut Problems) -> Inference {
    let Some(mut fields) = node.map("inference", problems) else {
        return Inference::default();
    };
    let inference = Inference {
        allowed_backends: fields.texts("allowed_backends", problems),
        blocked_backends: fields.texts("blocked_backends", problems),
        model_allowlist: fields.texts("model_allowlist", problems),
        require_local: fields.flag("require_local", problems).unwrap_or(false),
    };
    fields.finish(problems);
    inference
}

pub(super) fn approvals(node: &Node, problems: &mut Problems) -> Approvals {
    let Some(mut fields) = node.map("approvals", problems) else {
        return Approvals::default();
    };
    let mut approvals = Approvals::default();
    if let Some(node) = fields.get("require_manager_approval") {
        approvals.at_manager = At(node.at, None);
        approvals.require_manager_approval = node.choices("category", Category::WORDS, problems);
    }
    if let Some(node) = fields.get("auto_approve") {
        approvals.auto_approve = node.choices("category", Category::WORDS, problems);
    }
    approvals.approvers = fields.texts("approvers", problems);
    approvals.quorum = fields.number("quorum", problems);
    if approvals.quorum == Some(0) {
        problems.error(
            node.at,
            "bad-number",
            "`quorum` of 0 would approve everything",
            Some("write 1 or more".to_owned()),
        );
    }
    approvals.timeout_minutes = fields.number("timeout_minutes", problems);
    approvals.max_uses = fields.number("max_uses", problems);
    approvals.break_glass = fields.flag("break_glass", problems);
    approvals.review_hours = fields.number("review_hours", problems);
    approvals.managers = fields.texts("managers", problems);
    if let Some(node) = fields.get("factor") {
        approvals.factor = node.choice("factor", Factor::WORDS, problems);
    }
    approvals.review_releases = fields.flag("review_releases", problems);
    approvals.exception_days = fields.number("exception_days", problems);
    fields.finish(problems);
    approvals
}

pub(super) fn audit(node: &Node, problems: &mut Problems) -> Audit {
    let Some(mut fields) = node.map("audit", problems) else {
        return Audit::default();
    };
    let audit = Audit {
        log_all_commands: fields.flag("log_all_commands", problems),
        log_retention_days: fields.number("log_retention_days", problems),
        send_to_siem: fields.flag("send_to_siem", problems),
        siem_endpoint: fields.text("siem_endpoint", problems),
        spool: fields
            .get("spool")
            .map(|node| buffer(node, problems))
            .unwrap_or_default(),
    };
    if audit.send_to_siem == Some(true) && audit.siem_endpoint.is_none() {
        problems.warn(
            node.at,
            "no-endpoint",
            "`send_to_siem` without `siem_endpoint`",
            Some("name the endpoint".to_owned()),
        );
    }
    fields.finish(problems);
    audit
}

fn buffer(node: &Node, problems: &mut Problems) -> Buffer {
    let Some(mut fields) = node.map("audit.spool", problems) else {
        return Buffer::default();
    };
    let buffer = Buffer {
        max_mib: fields.number("max_mib", problems),
        when_full: fields
            .get("when_full")
            .and_then(|node| node.choice("when_full", WhenFull::WORDS, problems)),
        keep_days: fields.number("keep_days", problems),
    };
    if buffer
        .max_mib
        .is_some_and(|max| !(4..=65_536).contains(&max))
    {
        problems.error(
            node.at,
            "bad-number",
            "`max_mib` is not between 4 and 65536",
            Some("write the mebibytes that a machine may keep, such as 512".to_owned()),
        );
    }
    if (buffer.keep_days).is_some_and(|days| !(1..=365).contains(&days)) {
        problems.error(
            node.at,
            "bad-number",
            "`keep_days` is not between 1 and 365",
            Some("write the days after which events are dropped, such as 7".to_owned()),
        );
    }
    if buffer.keep_days.is_some() && buffer.when_full != Some(WhenFull::DropOldest) {
        problems.error(
            node.at,
            "bad-combination",
            "`keep_days` without `when_full: drop_oldest`: where nothing is dropped, age drops nothing either",
            Some("write `when_full: drop_oldest`, or leave `keep_days` out".to_owned()),
        );
    }
    fields.finish(problems);
    buffer
}

pub(super) fn compliance(node: &Node, problems: &mut Problems) -> Compliance {
    let Some(mut fields) = node.map("compliance", problems) else {
        return Compliance::default();
    };
    let compliance = Compliance {
        frameworks: fields.texts("frameworks", problems),
        data_classification: fields.text("data_classification", problems),
        require_mfa: fields.flag("require_mfa", problems),
    };
    fields.finish(problems);
    compliance
}

pub(super) fn privacy(node: &Node, problems: &mut Problems) -> Privacy {
    let Some(mut fields) = node.map("privacy", problems) else {
        return Privacy::default();
    };
    let words = [
        ("findings", Capture::Findings),
        ("metadata", Capture::Metadata),
        ("full", Capture::Full),
    ];
    let privacy = Privacy {
        capture: fields
            .get("capture")
            .and_then(|node| node.choice("capture level", &words, problems))
            .unwrap_or_default(),
        never_record: fields.texts("never_record", problems),
        hash: fields.get("hash").map_or_else(Vec::new, |node| {
            node.choices("field that can be hashed", HashedField::WORDS, problems)
        }),
        private_mode: fields.flag("private_mode", problems),
        private_minutes: fields.number("private_minutes", problems),
        record_sessions: fields.flag("record_sessions", problems),
    };
    if privacy.private_minutes == Some(0) {
        problems.error(
            node.at,
            "bad-number",
            "`private_minutes` of 0 is no private mode",
            Some("write `private_mode: false`".to_owned()),
        );
    }
    if privacy.private_minutes.is_some() && privacy.private_mode != Some(true) {
        problems.warn(
            node.at,
            "no-effect",
            "`private_minutes` without `private_mode: true`",
            Some(
                "private mode is not permitted by an organisation that does not say so".to_owned(),
            ),
        );
    }
    fields.finish(problems);
    privacy
}

pub(super) fn layers(node: &Node, problems: &mut Problems) -> Layers {
    let Some(mut fields) = node.map("capture", problems) else {
        return Layers::default();
    };
    let words = [
        ("off", ExecCapture::Off),
        ("record", ExecCapture::Record),
        ("enforce", ExecCapture::Enforce),
    ];
    let layers = Layers {
        exec: fields
            .get("exec")
            .and_then(|node| node.choice("capture of programs", &words, problems))
            .unwrap_or_default(),
    };
    fields.finish(problems);
    layers
}

pub(super) fn supervise(node: &Node, problems: &mut Problems) -> Supervise {
    let Some(mut fields) = node.map("supervise", problems) else {
        return Supervise::default();
    };
    let mut places = |key: &'static str, problems: &mut Problems| {
        let Some(node) = fields.get(key) else {
            return Vec::new();
        };
        let mut places = Vec::new();
        for (at, place) in node.texts_at(problems) {
            if is_place(&place) {
                places.push(place);
            } else {
                problems.error(
                    at,
                    "bad-place",
                    format!("`{place}` is not a place"),
                    Some(
                        "write `project`, `tmp`, or a path that begins with `/` or `~`, without `*`"
                            .to_owned(),
                    ),
                );
            }
        }
        places
    };
    let write = places("write", problems);
    let read_only = places("read_only", problems);
    let applies_to = fields
        .get("applies_to")
        .map(|node| super::target(node, "applies_to", problems))
        .unwrap_or_default();
    fields.finish(problems);
    Supervise {
        write,
        read_only,
        applies_to,
    }
}

/// The kernel knows folders and files by themselves, no patterns.
fn is_place(place: &str) -> bool {
    let path = place == "~" || place.starts_with("~/") || place.starts_with('/');
    matches!(place, "project" | "tmp") || (path && !place.contains(['*', '?', '[']))
}
