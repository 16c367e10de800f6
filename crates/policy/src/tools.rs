//! `allowed_tools`: versions, contexts, profiles and flags of the tools that a document lists.

use cmdai_schema::{Certainty, Decision, Invocation, Mode, Risk, Span};

use crate::condition::Request;
use crate::document::{Tool, ToolsMode};
use crate::hit::Hit;
use crate::known::{contexts, elsewhere, profile};
use crate::snapshot::Snapshot;
use crate::{glob, version};

/// This product itself is never a tool that somebody has to list.
const OWN: &[&str] = &["cmdai", "cmdai-enterprise"];
/// Subcommands with which a tool only speaks about itself.
const ABOUT: &[&str] = &[
    "--help",
    "-h",
    "help",
    "--version",
    "version",
    "-v",
    "-V",
    "completion",
    "-help",
    "-version",
];
/// Subcommands of infrastructure tools that take no locks and the like.
const WITHOUT_FLAGS: &[&str] = &[
    "fmt",
    "validate",
    "providers",
    "show",
    "output",
    "graph",
    "console",
    "login",
    "logout",
    "get",
    "workspace",
    "init",
    "config",
    "describe",
    "logs",
    "status",
];

fn about_itself(call: &Invocation) -> bool {
    call.args
        .first()
        .is_some_and(|arg| ABOUT.contains(&arg.text()))
        || call
            .args
            .iter()
            .any(|arg| matches!(arg.text(), "--help" | "-help" | "--version"))
}

/// What the tools of one layer say about a command.
pub(crate) fn judge<'a>(
    snapshot: &'a Snapshot,
    pack: &'a str,
    request: &Request<'_>,
    out: &mut Vec<Hit<'a>>,
) {
    let head = snapshot.head();
    let allowlist = head.settings.tools_mode == ToolsMode::Allowlist;
    if head.tools.is_empty() && !allowlist {
        return;
    }
    for call in &request.analysis.invocations {
        if call.program.is_empty() {
            continue;
        }
        let start = head
            .tools
            .partition_point(|tool| tool.name.as_str() < call.program.as_str());
        let listed: Vec<&Tool> = head
            .tools
            .iter()
            .skip(start)
            .take_while(|tool| tool.name == call.program)
            .collect();
        if listed.is_empty() {
            if allowlist && !call.builtin && !OWN.contains(&call.program.as_str()) {
                let reason = format!("{} is not in the list of allowed tools", call.program);
                out.push(hit(
                    pack,
                    "tool.not-listed",
                    Decision::Deny,
                    call.span,
                    reason,
                    None,
                ));
            }
            continue;
        }
        for tool in listed {
            constraints(tool, pack, call, request, out);
        }
    }
}

/// A finding about a tool that a list of tools speaks of.
pub(crate) fn hit<'a>(
    pack: &'a str,
    id: &'static str,
    decision: Decision,
    span: Span,
    reason: String,
    tool: Option<&Tool>,
) -> Hit<'a> {
    Hit {
        id: id.into(),
        pack,
        decision,
        risk: if decision.interrupts() {
            Risk::High
        } else {
            Risk::Moderate
        },
        mode: Mode::Enforce,
        reason: reason.into(),
        span,
        certainty: Certainty::Proven,
        instead: None,
        owner: tool.and_then(|tool| tool.owner.clone()),
        controls: Vec::new(),
        floor: false,
        loses: false,
    }
}

fn constraints<'a>(
    tool: &Tool,
    pack: &'a str,
    call: &Invocation,
    request: &Request<'_>,
    out: &mut Vec<Hit<'a>>,
) {
    let facts = request.facts;
    if about_itself(call) {
        return;
    }
    let strict = tool.decision.unwrap_or(Decision::Deny);
    let unsure = tool.unknown.unwrap_or(Decision::Warn);
    let name = &tool.name;
    let why = tool
        .reason
        .as_ref()
        .map(|reason| format!(": {}", reason.trim_end_matches('.')))
        .unwrap_or_default();
    let mut say = |id: &'static str, decision: Decision, reason: String| {
        if decision != Decision::Allow {
            out.push(hit(pack, id, decision, call.span, reason, Some(tool)));
        }
    };

    let listed = tool.versions.join(", ");
    // Elsewhere there is another tool of this name.
    match facts.versions.get(name).filter(|_| !elsewhere(call)) {
        None if !tool.versions.is_empty() => say(
            "tool.version",
            unsure,
            format!("the version of {name} is not known, {listed} is required{why}"),
        ),
        Some(found) => {
            let verdicts: Vec<Option<bool>> = tool
                .versions
                .iter()
                .map(|condition| version::meets(found, condition))
                .collect();
            if verdicts.contains(&Some(false)) {
                say(
                    "tool.version",
                    strict,
                    format!("{name} {found} is not {listed}{why}"),
                );
            } else if verdicts.contains(&None) {
                say(
                    "tool.version",
                    unsure,
                    format!(
                        "the version {found} of {name} cannot be read, {listed} is required{why}"
                    ),
                );
            }
        }
        None => {}
    }

    if !tool.approved_contexts.is_empty() || !tool.blocked_contexts.is_empty() {
        let found = contexts(call, request.analysis, facts);
        if found.unknown || found.values.is_empty() {
            say(
                "tool.context",
                unsure,
                format!("the context of {name} is not known{why}"),
            );
        }
        for context in found.texts() {
            if glob::any_word(&tool.blocked_contexts, context) {
                say(
                    "tool.context",
                    strict,
                    format!("{name} may not work in the context {context}{why}"),
                );
            } else if !tool.approved_contexts.is_empty()
                && !glob::any_word(&tool.approved_contexts, context)
            {
                let listed = tool.approved_contexts.join(", ");
                say(
                    "tool.context",
                    strict,
                    format!("{name} may work in {listed} only, not in {context}{why}"),
                );
            }
        }
    }

    if !tool.approved_profiles.is_empty() {
        let listed = tool.approved_profiles.join(", ");
        let found = profile(call, facts);
        if found.unknown || found.values.is_empty() {
            say(
                "tool.profile",
                unsure,
                format!("the profile of {name} is not known, {listed} is required{why}"),
            );
        }
        for profile in found.texts() {
            if !glob::any_word(&tool.approved_profiles, profile) {
                say(
                    "tool.profile",
                    strict,
                    format!("{name} may use the profiles {listed} only, not {profile}{why}"),
                );
            }
        }
    }

    let subcommand = call
        .args
        .iter()
        .map(|arg| arg.text())
        .find(|text| !text.starts_with('-'));
    if subcommand.is_some_and(|word| WITHOUT_FLAGS.contains(&word)) {
        return;
    }
    for flag in &tool.required_flags {
        if !crate::shape::gives_flag(flag, call) {
            say("tool.flags", strict, format!("{name} needs {flag}{why}"));
        }
    }
}
